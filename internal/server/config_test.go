package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestValidate changes one setting at a time: what is not understood is
// refused by the name of its key.
func TestValidate(t *testing.T) {
	postgres := server.DatabaseConfig{Type: "postgres", URL: secret.NewText("postgres://hallpass@127.0.0.1/hallpass"), MaxStaleness: "10s"}
	for _, tt := range []struct {
		name   string
		change func(*server.Config)
		says   string // "" means that it is taken
	}{
		{"the defaults", func(*server.Config) {}, ""},
		{"no folder", func(c *server.Config) { c.DataDir = "" }, "--data"},
		{"any free port", func(c *server.Config) { c.Server.HTTPPort = 0 }, ""},
		{"the last port", func(c *server.Config) { c.Server.HTTPPort = 65535 }, ""},
		{"beyond the last port", func(c *server.Config) { c.Server.HTTPPort = 65536 }, "server.http_port"},
		{"a negative port", func(c *server.Config) { c.Server.HTTPPort = -1 }, "server.http_port"},
		{"an address with a port", func(c *server.Config) { c.Server.HTTPAddr = "127.0.0.1:80" }, "server.http_addr"},
		{"an address of IPv6", func(c *server.Config) { c.Server.HTTPAddr = "[2001:db8::1]" }, ""},
		{"no protocol", func(c *server.Config) { c.Server.Protocol = "ftp" }, "server.protocol"},
		{"TLS without a certificate", func(c *server.Config) { c.Server.Protocol = "https" }, "server.cert_file"},
		{"TLS without a key", func(c *server.Config) { c.Server.Protocol, c.Server.CertFile = "h2", "c.pem" }, "server.cert_key"},
		{"TLS and a root of http", func(c *server.Config) {
			c.Server.Protocol, c.Server.CertFile, c.Server.CertKey, c.Server.RootURL = "https", "c.pem", "k.pem", "http://hallpass.example.com"
		}, "server.root_url"},
		{"TLS and a root of https", func(c *server.Config) {
			c.Server.Protocol, c.Server.CertFile, c.Server.CertKey, c.Server.RootURL = "https", "c.pem", "k.pem", "https://hallpass.example.com"
		}, ""},
		{"a certificate without TLS", func(c *server.Config) { c.Server.CertFile = "c.pem" }, "server.cert_file"},
		{"a key without TLS", func(c *server.Config) { c.Server.CertKey = "k.pem" }, "server.cert_key"},
		{"clients' certificates without TLS", func(c *server.Config) { c.Server.ClientCAFile = "ca.pem" }, "server.client_ca_file"},
		{"clients' certificates as one likes", func(c *server.Config) { c.Server.ClientAuth = "maybe" }, "server.client_auth"},
		{"a socket without a path", func(c *server.Config) { c.Server.Protocol = "socket" }, "server.socket"},
		{"a long path of a socket", func(c *server.Config) { c.Server.Socket = "/" + strings.Repeat("x", 104) }, "server.socket"},
		{"a mode in words", func(c *server.Config) { c.Server.SocketMode = "rw" }, "server.socket_mode"},
		{"a mode with more than permissions", func(c *server.Config) { c.Server.SocketMode = "4755" }, "server.socket_mode"},
		{"a group below none", func(c *server.Config) { c.Server.SocketGID = -2 }, "server.socket_gid"},
		{"https", func(c *server.Config) { c.Server.RootURL = "https://hallpass.example.com/" }, ""},
		{"another scheme", func(c *server.Config) { c.Server.RootURL = "ftp://hallpass.example.com" }, "server.root_url"},
		{"no scheme", func(c *server.Config) { c.Server.RootURL = "//hallpass.example.com" }, "server.root_url"},
		{"no host", func(c *server.Config) { c.Server.RootURL = "https://" }, "server.root_url"},
		{"a path", func(c *server.Config) { c.Server.RootURL = "https://example.com/hallpass" }, "server.root_url"},
		{"a query", func(c *server.Config) { c.Server.RootURL = "https://example.com?a=b" }, "server.root_url"},
		{"a proxy", func(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1", "10.0.0.0/8", "fd00::/8"} }, ""},
		{"a URL with a port", func(c *server.Config) { c.Server.RootURL = "https://hallpass.example.com:8443" }, ""},
		{"a URL with the port 0", func(c *server.Config) { c.Server.RootURL = "https://hallpass.example.com:0" }, "server.root_url"},
		{"a URL with a high port", func(c *server.Config) { c.Server.RootURL = "https://hallpass.example.com:65536" }, "server.root_url"},
		{"a URL with a port alone", func(c *server.Config) { c.Server.RootURL = "https://:443" }, "server.root_url"},
		{"gRPC on any port", func(c *server.Config) { c.Guard.GRPCListen = "127.0.0.1:0" }, ""},
		{"gRPC on a high port", func(c *server.Config) { c.Guard.GRPCListen = "127.0.0.1:65536" }, "guard.grpc_listen"},
		{"a chat with a high port", func(c *server.Config) { c.Notices.SlackURL = secret.NewText("https://hooks.example.com:99999/x") }, "notices.slack_url"},
		{"sign-in without a client", oauth(func(c *server.AuthConfig) { c.GenericOAuth.ClientID = "" }), "auth.generic_oauth.client_id"},
		{"sign-in by an issuer", oauth(func(*server.AuthConfig) {}), ""},
		{"sign-in by nobody", oauth(func(c *server.AuthConfig) { c.GenericOAuth.Issuer = "" }), "auth.generic_oauth.issuer"},
		{"sign-in without an issuer", oauth(func(c *server.AuthConfig) {
			o := &c.GenericOAuth
			o.Issuer, o.AuthURL, o.TokenURL, o.APIURL, o.Scopes = "", "https://a.example.com/auth", "https://a.example.com/token", "https://a.example.com/user", nil
		}), ""},
		{"an issuer in the clear", oauth(func(c *server.AuthConfig) { c.GenericOAuth.Issuer = "http://accounts.example.com" }), "auth.generic_oauth.issuer"},
		{"a sign-out that is a script", oauth(func(c *server.AuthConfig) { c.GenericOAuth.SignoutRedirectURL = "javascript:alert(1)" }), "auth.generic_oauth.signout_redirect_url"},
		{"no openid", oauth(func(c *server.AuthConfig) { c.GenericOAuth.Scopes = []string{"email"} }), "auth.generic_oauth.scopes"},
		{"scopes as one text", oauth(func(c *server.AuthConfig) { c.GenericOAuth.Scopes = []string{"openid email"} }), "auth.generic_oauth.scopes"},
		{"an unknown style", oauth(func(c *server.AuthConfig) { c.GenericOAuth.AuthStyle = "inheader" }), "auth.generic_oauth.auth_style"},
		{"no authorities", oauth(func(c *server.AuthConfig) { c.GenericOAuth.TLSClientCA = "no-such-file" }), "auth.generic_oauth.tls_client_ca"},
		{"no path", oauth(func(c *server.AuthConfig) { c.GenericOAuth.RoleAttributePath = "contains(" }), "auth.generic_oauth.role_attribute_path"},
		{"strict without a path", oauth(func(c *server.AuthConfig) { c.GenericOAuth.RoleAttributeStrict = true }), "auth.generic_oauth.role_attribute_strict"},
		{"server admins without roles", oauth(func(c *server.AuthConfig) {
			c.GenericOAuth.AllowAssignGrafanaAdmin, c.GenericOAuth.RoleAttributePath, c.GenericOAuth.SkipOrgRoleSync = true, "role", true
		}), "auth.generic_oauth.allow_assign_grafana_admin"},
		{"groups without a path", oauth(func(c *server.AuthConfig) { c.GenericOAuth.AllowedGroups = []string{"dev"} }), "auth.generic_oauth.allowed_groups"},
		{"everybody, unsaid", oauth(func(c *server.AuthConfig) { c.GenericOAuth.AllowedDomains = nil }), "auth.generic_oauth.allowed_domains"},
		{"everybody, said", oauth(func(c *server.AuthConfig) { c.GenericOAuth.AllowedDomains = []string{"*"} }), ""},
		{"those who are known here", oauth(func(c *server.AuthConfig) { c.GenericOAuth.AllowedDomains, c.GenericOAuth.AllowSignUp = nil, false }), ""},
		{"an address as a domain", oauth(func(c *server.AuthConfig) { c.GenericOAuth.AllowedDomains = []string{"ada@example.com"} }), "auth.generic_oauth.allowed_domains"},
		{"sessions of no length", oauth(func(c *server.AuthConfig) { c.GenericOAuth.SessionLifetime = "0s" }), "auth.generic_oauth.session_lifetime"},
		{"passwords off", oauth(func(c *server.AuthConfig) { c.DisableLoginForm, c.BreakGlassUser = true, "root" }), ""},
		{"passwords off and nothing else", func(c *server.Config) { c.Auth.DisableLoginForm = true }, "auth.disable_login_form"},
		{"one user's password though all work", func(c *server.Config) { c.Auth.BreakGlassUser = "root" }, "auth.break_glass_user"},
		{"what is off is not looked at", oauth(func(c *server.AuthConfig) { c.GenericOAuth = server.GenericOAuthConfig{Issuer: "x"} }), ""},
		{"a mail server with a high port", func(c *server.Config) { c.SMTP.Enabled, c.SMTP.Host = true, "localhost:99999" }, "smtp.host"},
		{"a mail server with the port 0", func(c *server.Config) { c.SMTP.Enabled, c.SMTP.Host = true, "localhost:0" }, "smtp.host"},
		{"a sender in quotes", func(c *server.Config) { c.SMTP.Enabled, c.SMTP.FromAddress = true, `"a b"@example.com` }, "smtp.from_address"},
		{"every proxy of IPv4 as IPv6", func(c *server.Config) { c.Server.TrustedProxies = []string{"::ffff:0.0.0.0/96"} }, "server.trusted_proxies"},
		{"half a proxy", func(c *server.Config) { c.Server.TrustedProxies = []string{"10.0.0.0/8", "10.0.0"} }, "server.trusted_proxies"},
		{"every proxy", func(c *server.Config) { c.Server.TrustedProxies = []string{"0.0.0.0/0"} }, "server.trusted_proxies"},
		{"the longest delay", func(c *server.Config) { c.Server.ShutdownDelay = "20s" }, ""},
		{"a longer delay", func(c *server.Config) { c.Server.ShutdownDelay = "21s" }, "server.shutdown_delay"},
		{"sqlite", func(c *server.Config) { c.Database.Type = "sqlite" }, ""},
		{"another database", func(c *server.Config) { c.Database.Type = "mysql" }, "database.type"},
		{"postgres", func(c *server.Config) { c.Database = postgres }, ""},
		{"postgres without a URL", func(c *server.Config) { c.Database.Type = "postgres" }, "database.url"},
		{"postgres with a file", func(c *server.Config) { c.Database = postgres; c.Database.Path = "x.db" }, "database.path"},
		{"a URL without postgres", func(c *server.Config) { c.Database.URL = postgres.URL }, "database.url"},
		{"one connection", func(c *server.Config) { c.Database = postgres; c.Database.MaxOpenConn = 1 }, "database.max_open_conn"},
		{"no admin", func(c *server.Config) { c.Security.AdminUser = "" }, "security.admin_user"},
		{"an admin of a blank", func(c *server.Config) { c.Security.AdminUser = " " }, "security.admin_user"},
		{"an admin with a colon", func(c *server.Config) { c.Security.AdminUser = "admin:x" }, "security.admin_user"},
		{"a long admin", func(c *server.Config) { c.Security.AdminUser = strings.Repeat("a", 300) }, "security.admin_user"},
		{"an admin that turns the text", func(c *server.Config) { c.Security.AdminUser = "a\u202eb" }, "security.admin_user"},
		{"an admin like an account", func(c *server.Config) { c.Security.AdminUser = "sa-1-x" }, "security.admin_user"},
		{"no address", func(c *server.Config) { c.Security.AdminEmail = "" }, "security.admin_email"},
		{"an address with NUL", func(c *server.Config) { c.Security.AdminEmail = "a\x00@b" }, "security.admin_email"},
		{"a password with the end of a line", func(c *server.Config) { c.Security.AdminPassword = secret.NewText("violet lamps hum\n") }, "security.admin_password"},
		{"a password with the mark of a file", func(c *server.Config) { c.Security.AdminPassword = secret.NewText("\ufeffviolet lamps hum") }, "security.admin_password"},
		{"a password that is not UTF-8", func(c *server.Config) { c.Security.AdminPassword = secret.NewText("violet lamps hum\xff") }, "security.admin_password"},
		{"strict", func(c *server.Config) { c.Security.CookieSameSite = "strict" }, ""},
		{"none", func(c *server.Config) { c.Security.CookieSameSite = "none" }, "security.cookie_samesite"},
		{"no day limit", func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = -1 }, ""},
		{"the longest day limit", func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = 36500 }, ""},
		{"an unknown answer to an old secret", func(c *server.Config) { c.ServiceAccounts.RotationReuse = "revoke" }, "service_accounts.rotation_reuse"},
		{"a rate without a time", func(c *server.Config) { c.ServiceAccounts.RateLimit = "100" }, "service_accounts.rate_limit"},
		{"a rate of nothing", func(c *server.Config) { c.ServiceAccounts.RateLimit = "0/60" }, "service_accounts.rate_limit"},
		{"a burst above the rate", func(c *server.Config) { c.ServiceAccounts.RateLimit = "10/60+11" }, "service_accounts.rate_limit"},
		{"a longer day limit", func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = 36501 }, "service_accounts.token_expiration_day_limit"},
		{"no cookie name", func(c *server.Config) { c.Auth.LoginCookieName = "" }, "auth.login_cookie_name"},
		{"a cookie name with more", func(c *server.Config) { c.Auth.LoginCookieName = "a;b" }, "auth.login_cookie_name"},
		{"a minute of rest", func(c *server.Config) { c.Auth.LoginMaximumInactiveLifetimeDuration = "1m" }, ""},
		{"less than a minute", func(c *server.Config) { c.Auth.LoginMaximumInactiveLifetimeDuration = "59s" }, "auth.login_maximum_inactive_lifetime_duration"},
		{"longer than a century", func(c *server.Config) { c.Auth.LoginMaximumLifetimeDuration = "36501d" }, "auth.login_maximum_lifetime_duration"},
		{"a small cache", func(c *server.Config) { c.Auth.TokenCacheSize = 1024 }, ""},
		{"a large cache", func(c *server.Config) { c.Auth.TokenCacheSize = 1 << 26 }, ""},
		{"no cache", func(c *server.Config) { c.Auth.TokenCacheSize = 0 }, "auth.token_cache_size"},
		{"a cache beyond memory", func(c *server.Config) { c.Auth.TokenCacheSize = 1<<26 + 1 }, "auth.token_cache_size"},
		{"a number alone", func(c *server.Config) { c.Auth.LoginMaximumLifetimeDuration = "30" }, "auth.login_maximum_lifetime_duration"},
		{"loud", func(c *server.Config) { c.Log.Level = "loud" }, "log.level"},
		{"no level", func(c *server.Config) { c.Log.Level = "" }, "log.level"},
		{"a name and password for scrapes", func(c *server.Config) {
			c.Metrics.BasicAuthUsername, c.Metrics.BasicAuthPassword = "prometheus", secret.NewText("x")
		}, ""},
		{"a name alone", func(c *server.Config) { c.Metrics.BasicAuthUsername = "prometheus" }, "metrics.basic_auth_password"},
		{"a password alone", func(c *server.Config) { c.Metrics.BasicAuthPassword = secret.NewText("x") }, "metrics.basic_auth_username"},
		{"a name with a colon", func(c *server.Config) {
			c.Metrics.BasicAuthUsername, c.Metrics.BasicAuthPassword = "a:b", secret.NewText("x")
		}, "metrics.basic_auth_username"},
		{"xml", func(c *server.Config) { c.Log.Format = "xml" }, "log.format"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := server.DefaultConfig()
			tt.change(&c)
			err := c.Validate()
			switch {
			case tt.says == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.says != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.says+":")):
				t.Errorf("the error is %v, want one about %s", err, tt.says)
			}
		})
	}
}

func TestParseDuration(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want time.Duration // -1: refused
	}{
		{"7d", 7 * 24 * time.Hour},
		{"2w", 14 * 24 * time.Hour},
		{"12h", 12 * time.Hour},
		{"1h30m", 90 * time.Minute},
		{"0s", 0},
		{"", -1},
		{"7", -1},
		{"d", -1},
		{"-1d", -1},
		{"-1h", -1},
		{"1.5d", -1},
		{"1d12h", -1},
		{"65536d", -1}, // the bound that keeps weeks from overflowing
	} {
		got, err := server.ParseDuration(tt.in)
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%q is %v (%v), want %v", tt.in, got, err, tt.want)
		}
	}
}

// oauth returns what sets up sign-in by a provider, with a change.
func oauth(change func(*server.AuthConfig)) func(*server.Config) {
	return func(c *server.Config) {
		o := &c.Auth.GenericOAuth
		o.Enabled, o.ClientID, o.Issuer, o.AllowedDomains = true, "hallpass", "https://accounts.example.com", []string{"example.com"}
		change(&c.Auth)
	}
}

// TestRootURL tells what is wrong with each URL by which nobody could reach the server.
func TestRootURL(t *testing.T) {
	for _, tt := range []struct {
		root   string
		serves bool
		says   string // "": nothing
	}{
		{"https://example.com/a-b/hall.pass_1~/", false, ""},
		{"https://example.com/hallpass/", true, ""},
		{"https://example.com", false, ""},
		{"https://example.com/hallpass", false, "server.root_url: its path has no slash at the end: write https://example.com/hallpass/"},
		{"example.com/hallpass/", false, `server.root_url: "example.com/hallpass/" has no scheme: begin it with https:// or http://`},
		{"example.com:3080/", false, `server.root_url: "example.com:3080/" has no scheme`},
		{"https://example.com/hallpass/?a=b", false, "has a query or a fragment: end it after the path"},
		{"https://example.com/hallpass/?", false, "has a query or a fragment"},
		{"https://example.com/hallpass/#", false, "has a query or a fragment"},
		{"https://a:hunter2@example.com/", false, "server.root_url: it has a user name or password"},
		{"https://example.com/hall%20pass/", false, "server.root_url: its path /hall%20pass/ must be made of letters"},
		{"https://example.com/../x/", false, "server.root_url: its path /../x/ must be made of letters"},
		{"https://example.com//x/", false, "server.root_url: its path //x/ must be made of letters"},
		{"https://example.com/x//", false, "server.root_url: its path /x// must be made of letters"},
		{"https://example.com/api/x/", false, "server.root_url: its path /api/x/ begins as paths of the server itself do"},
		{"https://example.com/", true, `server.serve_from_sub_path: server.root_url "https://example.com/" has no path to serve below`},
		{"", true, "server.serve_from_sub_path: there is no path to serve below"},
	} {
		c := server.DefaultConfig()
		c.Server.RootURL, c.Server.ServeFromSubPath = tt.root, tt.serves
		switch err := c.Validate(); {
		case tt.says == "" && err != nil:
			t.Errorf("%s: %v", tt.root, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: %v, want %s", tt.root, err, tt.says)
		}
	}
}
