package server

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/notice"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Config has every setting. Sections and keys have the names of grafana.ini where
// Grafana has them. DefaultConfig returns the values that apply when nothing is set.
//
// A key whose value is a secret has the type secret.Text. This mark masks the value
// wherever settings are shown, and lets the environment name a file that holds it.
type Config struct {
	DataDir string `toml:"-"` // --data: the directory of the database, the lock and the first password
	Dev     bool   `toml:"-"` // --dev: read pages from the source tree on every request

	ConfigFile string           `toml:"-"` // --config: where Guards are from; empty: there is no file, and guards stay as they are
	Guards     []hallpass.Guard `toml:"-"` // of the sections [guard.NAME]

	Sockets []net.Listener `toml:"-"` // of InheritedSockets: the server listens on these alone, and not where the section [server] says

	Server          ServerConfig          `toml:"server"`
	Database        DatabaseConfig        `toml:"database"`
	Security        SecurityConfig        `toml:"security"`
	ServiceAccounts ServiceAccountsConfig `toml:"service_accounts"`
	Auth            AuthConfig            `toml:"auth"`
	Folder          FolderConfig          `toml:"folder"`
	RBAC            RBACConfig            `toml:"rbac"`
	Audit           AuditConfig           `toml:"audit"`
	Log             LogConfig             `toml:"log"`
	Metrics         MetricsConfig         `toml:"metrics"`
	Guard           GuardConfig           `toml:"guard"`
	Notices         NoticesConfig         `toml:"notices"`
	SMTP            SMTPConfig            `toml:"smtp"`
	Provisioning    ProvisioningConfig    `toml:"provisioning"`
}

// ServerConfig is the section [server].
type ServerConfig struct {
	// Protocol is "http"; "https" or "h2", which are TLS with HTTP/2 and HTTP/1.1 both; or
	// "socket", the unix socket alone.
	Protocol string `toml:"protocol"`
	// HTTPAddr is the address to listen on, of IPv4 or IPv6. The default is not reachable
	// from other machines.
	HTTPAddr string `toml:"http_addr"`
	// HTTPPort is the port; 0: any free port.
	HTTPPort int `toml:"http_port"`
	// CertFile and CertKey are the files, in PEM form, of the certificate with what leads to
	// its authority, and of its key. The server notices when they change.
	CertFile string `toml:"cert_file"`
	CertKey  string `toml:"cert_key"`
	// ClientCAFile is the file, in PEM form, of the authorities of clients' certificates.
	// Empty: clients are not asked for one.
	ClientCAFile string `toml:"client_ca_file"`
	// ClientAuth says whether a client must have such a certificate: "require", or
	// "optional", which refuses only clients with a certificate of another authority.
	ClientAuth string `toml:"client_auth"`
	// Socket is the path of a unix socket on which the server listens too, without TLS;
	// empty: there is none. Its clients count as 127.0.0.1.
	Socket string `toml:"socket"`
	// SocketMode is the socket's mode in octal digits: who may write to it may connect.
	SocketMode string `toml:"socket_mode"`
	// SocketGID is the number of the socket's group; -1: the one of the process.
	SocketGID int `toml:"socket_gid"`
	// RootURL is the URL by which browsers and clients reach the server, as
	// "https://hallpass.example.com/", or with a path, "https://example.com/hallpass/". With
	// https, cookies are Secure.
	RootURL string `toml:"root_url"`
	// ServeFromSubPath has the server answer below the path of root_url itself. Otherwise a
	// proxy in front of it takes that path off. Links carry it in both cases.
	ServeFromSubPath bool `toml:"serve_from_sub_path"`
	// TrustedProxies are the addresses and CIDRs of proxies whose
	// X-Forwarded-For and X-Forwarded-Proto are trusted. Empty: no proxy is trusted.
	TrustedProxies []string `toml:"trusted_proxies"`
	// ForwardedHeader is the header in which those proxies send the client's address:
	// "x-forwarded-for" (together with X-Forwarded-Proto) or "forwarded" (RFC 7239).
	// The other header is ignored.
	ForwardedHeader string `toml:"forwarded_header"`
	// OutboundAllow are addresses and CIDRs that are not of the public internet and that
	// webhooks and chats may be sent to all the same. Empty: none is.
	OutboundAllow []string `toml:"outbound_allow"`
	// ShutdownDelay is how long a stopping server still answers while /readyz says 503,
	// so that load balancers send requests to other servers before it ends.
	ShutdownDelay string `toml:"shutdown_delay"`
}

// validateRoot returns an error that says what is wrong with the URL by which browsers reach
// the server.
func (c ServerConfig) validateRoot() error {
	if c.RootURL == "" {
		if c.ServeFromSubPath {
			return errors.New(`server.serve_from_sub_path: there is no path to serve below: set server.root_url, as "https://example.com/hallpass/"`)
		}
		return nil
	}
	u, err := url.Parse(c.RootURL)
	switch {
	case err == nil && u.User != nil:
		return errors.New("server.root_url: it has a user name or password, which browsers must not be sent")
	case err == nil && (u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(c.RootURL, "#")):
		return fmt.Errorf("server.root_url: %q has a query or a fragment: end it after the path", c.RootURL)
	case !strings.Contains(c.RootURL, "://"):
		return fmt.Errorf("server.root_url: %q has no scheme: begin it with https:// or http://, as https://hallpass.example.com/", c.RootURL)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !hallpass.ValidPort(u.Port()):
		return fmt.Errorf("server.root_url: %q is not a URL like https://hallpass.example.com/", c.RootURL)
	}
	base, err := httpd.ParseBase(u)
	switch {
	case err != nil:
		return fmt.Errorf("server.root_url: %w", err)
	case base == "" && c.ServeFromSubPath:
		return fmt.Errorf("server.serve_from_sub_path: server.root_url %q has no path to serve below, as https://example.com/hallpass/ has", c.RootURL)
	}
	return nil
}

// DatabaseConfig is the section [database].
type DatabaseConfig struct {
	// Type is "sqlite3", a file for one server, or "postgres", a database that
	// several servers may share.
	Type string `toml:"type"`
	// Path is the SQLite file; empty: hallpass.db in the data directory.
	Path string `toml:"path"`
	// URL is the PostgreSQL database, as
	// postgres://user:password@host:5432/hallpass?sslmode=verify-full.
	URL secret.Text `toml:"url"`
	// MaxOpenConn is the most connections that this server has to PostgreSQL, without
	// the two of its heartbeat; 0: 16.
	MaxOpenConn int `toml:"max_open_conn"`
	// MaxStaleness is how long a server without PostgreSQL still answers from memory. A
	// restart of the database may take that long and fail no verification, and a
	// revocation may wait that long for a server that is cut off.
	MaxStaleness string `toml:"max_staleness"`
}

func (c DatabaseConfig) postgres() bool { return c.Type == "postgres" }

// SecurityConfig is the section [security].
type SecurityConfig struct {
	// AdminUser is the login of the server admin that the first start creates.
	AdminUser string `toml:"admin_user"`
	// AdminPassword is that admin's password; empty: a random one, printed once.
	AdminPassword secret.Text `toml:"admin_password"`
	// AdminEmail is that admin's e-mail address.
	AdminEmail string `toml:"admin_email"`
	// DisableInitialAdminCreation means that the first start creates no admin.
	DisableInitialAdminCreation bool `toml:"disable_initial_admin_creation"`
	// CookieSameSite is the session cookie's SameSite: "lax" or "strict".
	CookieSameSite string `toml:"cookie_samesite"`
}

// ServiceAccountsConfig is the section [service_accounts].
type ServiceAccountsConfig struct {
	// TokenExpirationDayLimit is the longest lifetime of a new token in days;
	// 0 or less: no limit.
	TokenExpirationDayLimit int `toml:"token_expiration_day_limit"`
	// RotationGrace is how long a token that was replaced works on at most, if the request
	// does not say it: from a minute to 30 days.
	RotationGrace string `toml:"rotation_grace"`
	// RotationReuse says what follows when somebody tries a token that was replaced and has
	// ended: "notify" tells it, "revoke-chain" also revokes the tokens that replaced it.
	RotationReuse string `toml:"rotation_reuse"`
	// RateLimit is the rate of tokens that have none of their own, as "100/60" for 100
	// requests in 60 seconds, or "100/60+20" for 20 more at once after a rest; empty: none.
	RateLimit string `toml:"rate_limit"`
	// RateLimitDivide has all nodes together allow the rate of a token: each of them its
	// part. Otherwise each node allows all of it.
	RateLimitDivide bool `toml:"rate_limit_divide"`
	// DeadTokenRetention is how long a token that has ended is shown, as "90d", before it
	// is deleted.
	DeadTokenRetention string `toml:"dead_token_retention"`
}

func (c ServiceAccountsConfig) retention() (time.Duration, error) {
	d, err := ParseDuration(c.DeadTokenRetention)
	if err != nil || d < 24*time.Hour {
		return 0, fmt.Errorf("service_accounts.dead_token_retention: %q is not a duration like 90d, of a day at least", c.DeadTokenRetention)
	}
	return d, nil
}

// AuthConfig is the section [auth].
type AuthConfig struct {
	// APIKeyMaxSecondsToLive is the longest lifetime of a new token in seconds;
	// -1: no limit.
	APIKeyMaxSecondsToLive int64 `toml:"api_key_max_seconds_to_live"`
	// TokenCacheSize is the most tokens kept in memory, of up to 300 bytes each. Other
	// tokens are read from the database.
	TokenCacheSize int `toml:"token_cache_size"`
	// LoginCookieName is the session cookie's name.
	LoginCookieName string `toml:"login_cookie_name"`
	// LoginMaximumInactiveLifetimeDuration is how long a session may be unused, as
	// "7d", "12h" or "30m".
	LoginMaximumInactiveLifetimeDuration string `toml:"login_maximum_inactive_lifetime_duration"`
	// LoginMaximumLifetimeDuration is how long a session lasts at most.
	LoginMaximumLifetimeDuration string `toml:"login_maximum_lifetime_duration"`
	// DisableLoginForm refuses every password, at the sign-in page and in Basic
	// credentials, but that of BreakGlassUser.
	DisableLoginForm bool `toml:"disable_login_form"`
	// BreakGlassUser is the login of the user whose password works all the same, for the
	// day on which the provider is down; empty: security.admin_user.
	BreakGlassUser string `toml:"break_glass_user"`
	// OAuthAllowInsecureEmailLookup gives whoever signs in by a provider for the first time
	// the user with the same address, if the provider says that it is proven. A server
	// admin is never found so.
	OAuthAllowInsecureEmailLookup bool `toml:"oauth_allow_insecure_email_lookup"`
	// Basic is the section [auth.basic].
	Basic BasicConfig `toml:"basic"`
	// GenericOAuth is the section [auth.generic_oauth].
	GenericOAuth GenericOAuthConfig `toml:"generic_oauth"`
}

// BasicConfig is the section [auth.basic].
type BasicConfig struct {
	// Enabled accepts users' passwords as Basic credentials of the API.
	Enabled bool `toml:"enabled"`
	// PasswordPolicy demands passwords of at least 15 characters that are not easily
	// guessed. Turn it off only for clients that set short passwords.
	PasswordPolicy bool `toml:"password_policy"`
}

// FolderConfig is the section [folder].
type FolderConfig struct {
	// MaxNestedFolderDepth is how deep folders may be nested inside a folder at the
	// root. Folders that are already deeper stay.
	MaxNestedFolderDepth int `toml:"max_nested_folder_depth"`
}

// RBACConfig is the section [rbac].
type RBACConfig struct {
	// PermissionValidationEnabled refuses custom roles with malformed actions or
	// scopes.
	PermissionValidationEnabled bool `toml:"permission_validation_enabled"`
}

// AuditConfig is the section [audit].
type AuditConfig struct {
	// Retention is how long entries of the audit are kept, as "400d". When a UTC day
	// ended longer ago, its entries are deleted. Empty: all are kept.
	Retention string `toml:"retention"`
}

func (c AuditConfig) validate() error {
	if c.Retention == "" {
		return nil
	}
	if d, err := ParseDuration(c.Retention); err != nil || d < 24*time.Hour {
		return fmt.Errorf("audit.retention: %q is not a duration like 400d or 52w, of a day at least; empty: everything is kept", c.Retention)
	}
	return nil
}

// LogConfig is the section [log].
type LogConfig struct {
	// Level is the lowest level that is logged: "debug", "info", "warn" or "error".
	Level string `toml:"level"`
	// Format is "text" or "json"; empty: text on a terminal, else json.
	Format string `toml:"format"`
}

// MetricsConfig is the section [metrics].
type MetricsConfig struct {
	// Enabled serves /metrics.
	Enabled bool `toml:"enabled"`
	// HTTPAddr and HTTPPort are where /metrics, /healthz and /readyz are served and nothing
	// else is; the main port then has no /metrics. A port of 0: the main port has it.
	HTTPAddr string `toml:"http_addr"`
	HTTPPort int    `toml:"http_port"`
	// BasicAuthUsername and BasicAuthPassword are the credentials that a scrape must
	// present; both empty: none.
	BasicAuthUsername string      `toml:"basic_auth_username"`
	BasicAuthPassword secret.Text `toml:"basic_auth_password"`
}

// GuardConfig is the section [guard]. Each guard has a section of its own, [guard.NAME], as
// docs/guard/README.md tells.
type GuardConfig struct {
	// GRPCListen is the address and port on which Envoy is answered over gRPC, as
	// "127.0.0.1:3081", with nothing else there; empty: only the main port answers it.
	GRPCListen string `toml:"grpc_listen"`
}

func (c GuardConfig) validate() error {
	if c.GRPCListen == "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(c.GRPCListen); err != nil || !hallpass.ValidListenPort(port) {
		return fmt.Errorf("guard.grpc_listen: %q is not an address and port like 127.0.0.1:3081", c.GRPCListen)
	}
	return nil
}

// NoticesConfig is the section [notices].
type NoticesConfig struct {
	// Days are how many days before its end a token is told of. A token that was made for
	// fewer days is not told of them.
	Days []int `toml:"days"`
	// AllowHTTP permits channels whose URL is http and not of this machine.
	AllowHTTP bool `toml:"allow_http"`
	// WebhookKeyFile has the private key that signs webhooks, "whsk_" and base64; the same
	// on every node. Empty: webhook-key in the data directory, which a server with a
	// SQLite file makes at its first start.
	WebhookKeyFile string `toml:"webhook_key_file"`
	// WhsecFile has the secret for webhooks whose signature is v1, "whsec_" and base64.
	// Empty: there are none.
	WhsecFile string `toml:"whsec_file"`
	// SlackURL is where slack channels without a URL of their own are sent to.
	SlackURL secret.Text `toml:"slack_url"`
}

// keys returns the files that webhooks are signed by, with those of the data directory.
func (c Config) keys() notice.Keys {
	k := notice.Keys{Private: c.Notices.WebhookKeyFile, Secret: c.Notices.WhsecFile}
	if k.Private == "" {
		k.Private = filepath.Join(c.DataDir, "webhook-key")
	}
	return k
}

// maxNoticeDays is the most days before its end that a token is told of: notices are
// remembered for longer, so that none is told twice.
const maxNoticeDays = 365

func (c NoticesConfig) validate() error {
	for _, d := range c.Days {
		if d < 1 || d > maxNoticeDays {
			return fmt.Errorf("notices.days: %d is not a number of days from 1 to %d", d, maxNoticeDays)
		}
	}
	if u, err := url.Parse(c.SlackURL.Reveal()); !c.SlackURL.Empty() && (err != nil || u.Hostname() == "" || !hallpass.ValidPort(u.Port()) || u.Scheme != "https" && (u.Scheme != "http" || !c.AllowHTTP)) {
		return errors.New("notices.slack_url: it is not a URL like https://hooks.slack.com/services/…")
	}
	return nil
}

// SMTPConfig is the section [smtp]. Its keys are those of grafana.ini.
type SMTPConfig struct {
	// Enabled sends notices by mail.
	Enabled bool `toml:"enabled"`
	// Host is the mail server with its port. On port 465 TLS begins with the connection.
	Host string `toml:"host"`
	// User and Password sign in there; an empty user does not sign in.
	User     string      `toml:"user"`
	Password secret.Text `toml:"password"`
	// FromAddress and FromName are the sender of mails.
	FromAddress string `toml:"from_address"`
	FromName    string `toml:"from_name"`
	// EHLOIdentity is the name that this server calls itself by; empty: localhost.
	EHLOIdentity string `toml:"ehlo_identity"`
	// StartTLSPolicy is OpportunisticStartTLS (TLS where the mail server offers it),
	// MandatoryStartTLS (no mail without TLS) or NoStartTLS.
	StartTLSPolicy string `toml:"startTLS_policy"`
}

// mailer returns what sends mails, nil if nothing does.
func (c SMTPConfig) mailer() *notice.Mailer {
	if !c.Enabled {
		return nil
	}
	return &notice.Mailer{
		Host: c.Host, User: c.User, Password: c.Password, From: mail.Address{Name: c.FromName, Address: c.FromAddress}, Hello: c.EHLOIdentity, StartTLS: notice.StartTLS(c.StartTLSPolicy),
	}
}

func (c SMTPConfig) validate() error {
	if m := c.mailer(); m != nil {
		return m.Validate()
	}
	return nil
}

// tokenPolicy returns the bounds on the lifetime of new tokens.
func (c *Config) tokenPolicy() hallpass.TokenPolicy {
	return hallpass.TokenPolicy{DayLimit: max(c.ServiceAccounts.TokenExpirationDayLimit, 0), MaxSeconds: max(c.Auth.APIKeyMaxSecondsToLive, 0)}
}

// ProvisioningConfig is the section [provisioning].
type ProvisioningConfig struct {
	// Path is the folder of the provisioning files, which declare orgs, roles, teams,
	// service accounts, tokens and guards. The files are applied when the server starts,
	// and at SIGHUP. Empty: there are none, and what files declared before stays as it is.
	Path string `toml:"path"`
	// Prune deletes what left the files. Otherwise it is disabled.
	Prune bool `toml:"prune"`
}

// DefaultConfig returns the settings that apply when nothing is set.
func DefaultConfig() Config {
	return Config{
		DataDir: "data",
		Server: ServerConfig{
			Protocol: protocolHTTP, HTTPAddr: "127.0.0.1", HTTPPort: 3080, ClientAuth: clientAuthRequire, SocketMode: "0660", SocketGID: -1,
			ForwardedHeader: "x-forwarded-for", ShutdownDelay: "1s",
		},
		Database: DatabaseConfig{Type: "sqlite3", MaxStaleness: "10s"},
		Security: SecurityConfig{AdminUser: "admin", AdminEmail: "admin@localhost", CookieSameSite: "lax"},
		Auth: AuthConfig{
			APIKeyMaxSecondsToLive: -1, TokenCacheSize: verify.DefaultCacheSize, LoginCookieName: httpd.DefaultCookie,
			LoginMaximumInactiveLifetimeDuration: "7d", LoginMaximumLifetimeDuration: "30d",
			Basic: BasicConfig{Enabled: true, PasswordPolicy: true}, GenericOAuth: defaultGenericOAuth(),
		},
		ServiceAccounts: ServiceAccountsConfig{RotationGrace: "24h", RotationReuse: reuseNotify, DeadTokenRetention: "90d"},
		Folder:          FolderConfig{MaxNestedFolderDepth: hallpass.DefaultFolderDepth}, RBAC: RBACConfig{PermissionValidationEnabled: true},
		Log: LogConfig{Level: "info"}, Metrics: MetricsConfig{Enabled: true, HTTPAddr: "127.0.0.1"},
		Notices: NoticesConfig{Days: []int{30, 14, 7, 1}},
		SMTP:    SMTPConfig{Host: "localhost:25", FromAddress: "hallpass@localhost", FromName: "Hallpass", StartTLSPolicy: string(notice.OpportunisticStartTLS)},
	}
}

// Bounds of TokenCacheSize: a smaller cache would read most tokens from the database, a
// larger one would not fit into memory.
const (
	minCacheSize = 1 << 10
	maxCacheSize = 1 << 26
)

// maxDays is the highest value of a setting in days: a longer time limits nothing.
const maxDays = 36500

// Validate returns an error that names the first key whose value is not valid. The
// server does not start with such a value, rather than run with less protection than
// the operator meant.
func (c *Config) Validate() error {
	if c.DataDir == "" {
		return fmt.Errorf("--data: a folder is needed")
	}
	if err := c.Server.validateListening(); err != nil {
		return err
	}
	if err := c.Server.validateRoot(); err != nil {
		return err
	}
	if _, err := httpd.ParseTrustedProxies(c.Server.TrustedProxies); err != nil {
		return fmt.Errorf("server.trusted_proxies: %w", err)
	}
	if _, err := httpd.ParseOutbound(c.Server.OutboundAllow); err != nil {
		return fmt.Errorf("server.outbound_allow: %w", err)
	}
	if !slices.Contains([]string{"x-forwarded-for", "forwarded"}, c.Server.ForwardedHeader) {
		return fmt.Errorf("server.forwarded_header: %q is neither x-forwarded-for nor forwarded", c.Server.ForwardedHeader)
	}
	if err := c.Database.validate(); err != nil {
		return err
	}
	login, email := c.Security.AdminUser, c.Security.AdminEmail
	if err := hallpass.TidyLogin("login", &login); err != nil {
		return fmt.Errorf("security.admin_user: %w", err)
	}
	if err := hallpass.TidyLogin("email", &email); err != nil {
		return fmt.Errorf("security.admin_email: %w", err)
	}
	if err := secret.CheckTyped(c.Security.AdminPassword); err != nil {
		return fmt.Errorf("security.admin_password: %w", err)
	}
	if !slices.Contains([]string{"lax", "strict"}, c.Security.CookieSameSite) {
		return fmt.Errorf("security.cookie_samesite: %q is neither lax nor strict", c.Security.CookieSameSite)
	}
	if n := c.ServiceAccounts.TokenExpirationDayLimit; n > maxDays {
		return fmt.Errorf("service_accounts.token_expiration_day_limit: %d is more than %d days", n, maxDays)
	}
	if _, err := c.ServiceAccounts.retention(); err != nil {
		return err
	}
	if _, err := hallpass.ParseRateLimit(c.ServiceAccounts.RateLimit); err != nil {
		return fmt.Errorf("service_accounts.rate_limit: %w", err)
	}
	if n := c.Auth.APIKeyMaxSecondsToLive; n != -1 && n < 1 {
		return fmt.Errorf("auth.api_key_max_seconds_to_live: %d would allow no token: -1 is no limit", n)
	}
	if n := c.Auth.TokenCacheSize; n < minCacheSize || n > maxCacheSize {
		return fmt.Errorf("auth.token_cache_size: %d is not a number of tokens from %d to %d", n, minCacheSize, maxCacheSize)
	}
	if !cookieName(c.Auth.LoginCookieName) {
		return fmt.Errorf("auth.login_cookie_name: %q is not a cookie's name of letters, digits, - and _", c.Auth.LoginCookieName)
	}
	if n := c.Folder.MaxNestedFolderDepth; n < 1 || n > hallpass.MaxFolderDepth {
		return fmt.Errorf("folder.max_nested_folder_depth: %d is not a number from 1 to %d", n, hallpass.MaxFolderDepth)
	}
	for key, s := range map[string]string{
		"auth.login_maximum_inactive_lifetime_duration": c.Auth.LoginMaximumInactiveLifetimeDuration,
		"auth.login_maximum_lifetime_duration":          c.Auth.LoginMaximumLifetimeDuration,
	} {
		if d, err := ParseDuration(s); err != nil || d < time.Minute || d > maxDays*24*time.Hour {
			return fmt.Errorf("%s: %q is not a duration like 7d, 12h or 30m, of a minute at least", key, s)
		}
	}
	if d, err := ParseDuration(c.ServiceAccounts.RotationGrace); err != nil || d < time.Minute || d > hallpass.MostGrace {
		return fmt.Errorf("service_accounts.rotation_grace: %q is not a duration like 24h, from 1m to 30d", c.ServiceAccounts.RotationGrace)
	}
	if reuse := c.ServiceAccounts.RotationReuse; reuse != reuseNotify && reuse != reuseRevoke {
		return fmt.Errorf("service_accounts.rotation_reuse: %q is not one of notify, revoke-chain", reuse)
	}
	if d, err := ParseDuration(c.Server.ShutdownDelay); err != nil || d > drainTimeout {
		return fmt.Errorf("server.shutdown_delay: %q is not a duration of %s at most", c.Server.ShutdownDelay, drainTimeout)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		return fmt.Errorf("log.level: %q is not one of debug, info, warn, error", c.Log.Level)
	}
	if !slices.Contains([]string{"", "text", "json"}, c.Log.Format) {
		return fmt.Errorf("log.format: %q is neither text nor json", c.Log.Format)
	}
	if err := errors.Join(c.Audit.validate(), c.Auth.validateSignIn()); err != nil {
		return err
	}
	if err := errors.Join(c.Guard.validate(), c.Notices.validate(), c.SMTP.validate(), notice.Keys{Private: c.Notices.WebhookKeyFile, Secret: c.Notices.WhsecFile}.Validate()); err != nil {
		return err
	}
	return c.Metrics.validate()
}

func (c MetricsConfig) validate() error {
	if err := validateAddress("metrics", c.HTTPAddr, c.HTTPPort); err != nil {
		return err
	}
	switch {
	case c.HTTPPort != 0 && !c.Enabled:
		return errors.New("metrics.http_port: metrics.enabled is false, so there is nothing to serve there: leave one of them out")
	case strings.Contains(c.BasicAuthUsername, ":"):
		return fmt.Errorf("metrics.basic_auth_username: %q has a colon, which ends a name", c.BasicAuthUsername)
	case c.BasicAuthUsername == "" && !c.BasicAuthPassword.Empty():
		return fmt.Errorf("metrics.basic_auth_username: it is needed where there is a metrics.basic_auth_password")
	case c.BasicAuthUsername != "" && c.BasicAuthPassword.Empty():
		return fmt.Errorf("metrics.basic_auth_password: it is needed where there is a metrics.basic_auth_username")
	}
	return nil
}

// Bounds of max_staleness: below minStaleness a few lost heartbeats would stop every
// verification, and above maxStaleness a revocation could take longer than its request.
const (
	minStaleness = time.Second
	maxStaleness = 20 * time.Second
)

func (c DatabaseConfig) validate() error {
	if !slices.Contains([]string{"sqlite3", "sqlite", "postgres"}, c.Type) {
		return fmt.Errorf("database.type: %q is neither sqlite3 nor postgres", c.Type)
	}
	switch {
	case c.postgres() && c.URL.Empty():
		return fmt.Errorf("database.url: postgres needs a URL like postgres://user:password@host:5432/hallpass")
	case c.postgres() && c.Path != "":
		return fmt.Errorf("database.path: postgres has no file: set database.url alone")
	case !c.postgres() && !c.URL.Empty():
		return fmt.Errorf(`database.url: %s has no URL: set database.type = "postgres" too, or database.path`, c.Type)
	case c.postgres():
		if err := store.ValidateURL(c.URL); err != nil {
			return fmt.Errorf("database.url: %w", err)
		}
	}
	switch {
	case c.MaxOpenConn < 0 || c.MaxOpenConn == 1 || c.MaxOpenConn > 1000:
		return fmt.Errorf("database.max_open_conn: %d is not a number from 2 to 1000", c.MaxOpenConn)
	}
	if d, err := ParseDuration(c.MaxStaleness); err != nil || d < minStaleness || d > maxStaleness {
		return fmt.Errorf("database.max_staleness: %q is not a duration from %s to %s", c.MaxStaleness, minStaleness, maxStaleness)
	}
	return nil
}

func cookieName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// ParseDuration reads a duration as grafana.ini has it: in Go's form, or whole days or
// weeks as "7d" and "2w". A negative duration is an error.
func ParseDuration(s string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil {
				return 0, fmt.Errorf("%q is not a duration", s)
			}
			return time.Duration(n) * unit, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration", s)
	}
	return d, nil
}

// The values of ServiceAccountsConfig.RotationReuse.
const (
	reuseNotify = "notify"
	reuseRevoke = "revoke-chain"
)
