package server

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/federation"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// GenericOAuthConfig is the section [auth.generic_oauth]: sign-in with the account of
// a company.
type GenericOAuthConfig struct {
	// Enabled lets people sign in so.
	Enabled bool `toml:"enabled"`
	// Name is what the button on the sign-in page calls the provider.
	Name string `toml:"name"`
	// ClientID and ClientSecret are what the provider knows this server by; an empty
	// secret: a public client.
	ClientID     string      `toml:"client_id"`
	ClientSecret secret.Text `toml:"client_secret"`
	// Scopes are what is asked for.
	Scopes []string `toml:"scopes"`
	// Issuer is the provider's name in its ID tokens, byte for byte. The URLs are read
	// below it. Empty: OAuth 2.0 without ID tokens, with auth_url, token_url and api_url.
	Issuer string `toml:"issuer"`
	// AuthURL, TokenURL, APIURL and JWKSetURL are used instead of what the issuer's
	// metadata says.
	AuthURL   string `toml:"auth_url"`
	TokenURL  string `toml:"token_url"`
	APIURL    string `toml:"api_url"`
	JWKSetURL string `toml:"jwk_set_url"`
	// AuthStyle is how this server identifies itself there: InHeader, InParams, or
	// AutoDetect, as the metadata says.
	AuthStyle string `toml:"auth_style"`
	// UsePKCE binds a sign-in to the browser that began it at the provider too.
	UsePKCE bool `toml:"use_pkce"`
	// TLSClientCA is a file with the certificates of authorities, in PEM form, that sign
	// the provider's; empty: those of the system.
	TLSClientCA string `toml:"tls_client_ca"`

	// AllowedDomains are the domains of proven addresses whose people may sign in. "*" is
	// everybody whom the provider knows.
	AllowedDomains []string `toml:"allowed_domains"`
	// AllowedGroups are groups, one of which people must be in; empty: none is needed.
	AllowedGroups []string `toml:"allowed_groups"`
	// AllowSignUp makes a user for whoever has none.
	AllowSignUp bool `toml:"allow_sign_up"`
	// AssumeEmailVerified takes an address for proven if the provider does not say whether
	// it is.
	AssumeEmailVerified bool `toml:"assume_email_verified"`

	// LoginAttributePath, EmailAttributePath and NameAttributePath are where the claims
	// tell login, address and name, as JMESPath; empty: where they usually do.
	LoginAttributePath string `toml:"login_attribute_path"`
	EmailAttributePath string `toml:"email_attribute_path"`
	NameAttributePath  string `toml:"name_attribute_path"`
	// RoleAttributePath is where they tell the role in the first organization: Viewer,
	// Editor, Admin, None or GrafanaAdmin. Empty: roles are set here.
	RoleAttributePath string `toml:"role_attribute_path"`
	// RoleAttributeStrict refuses people without a role there, who else are Viewers.
	RoleAttributeStrict bool `toml:"role_attribute_strict"`
	// SkipOrgRoleSync leaves roles to this server all the same.
	SkipOrgRoleSync bool `toml:"skip_org_role_sync"`
	// AllowAssignGrafanaAdmin makes server admins of those with the role GrafanaAdmin, and
	// of nobody else.
	AllowAssignGrafanaAdmin bool `toml:"allow_assign_grafana_admin"`
	// GroupsAttributePath is where the claims tell the groups that teams are matched with.
	GroupsAttributePath string `toml:"groups_attribute_path"`

	// AutoLogin sends people who are not signed in to the provider at once.
	AutoLogin bool `toml:"auto_login"`
	// SignoutRedirectURL is where a browser goes after signing out here. Empty: the page
	// that it sees offers to sign out at the issuer too.
	SignoutRedirectURL string `toml:"signout_redirect_url"`
	// SessionLifetime is how long a session that begins so lasts at most: what the
	// provider changes holds here after that time.
	SessionLifetime string `toml:"session_lifetime"`
}

// defaultGenericOAuth returns the settings that apply when nothing is set.
func defaultGenericOAuth() GenericOAuthConfig {
	return GenericOAuthConfig{
		Name: "OAuth", Scopes: []string{"openid", "profile", "email"}, AuthStyle: authStyleAuto, UsePKCE: true, AllowSignUp: true, SessionLifetime: "24h",
	}
}

const authStyleAuto = "AutoDetect"

const sectionOAuth = "auth.generic_oauth."

// validate returns an error that names the first key whose value is not valid.
func (c GenericOAuthConfig) validate() error {
	if !c.Enabled {
		return nil
	}
	for _, check := range []func() error{c.validateProvider, c.validatePaths, c.validateAdmission, c.validateSession} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c GenericOAuthConfig) validateProvider() error {
	if c.ClientID == "" {
		return errors.New(sectionOAuth + "client_id: it is needed, the provider knows this server by it")
	}
	if err := hallpass.ValidateTitle("name", c.Name); err != nil {
		return fmt.Errorf(sectionOAuth+"name: %w", err)
	}
	if c.Issuer == "" && (c.AuthURL == "" || c.TokenURL == "" || c.APIURL == "") {
		return errors.New(sectionOAuth + "issuer: it is needed, or auth_url, token_url and api_url for a provider that has none")
	}
	for _, u := range []struct{ key, url string }{
		{"issuer", c.Issuer}, {"auth_url", c.AuthURL}, {"token_url", c.TokenURL}, {"api_url", c.APIURL}, {"jwk_set_url", c.JWKSetURL}, {"signout_redirect_url", c.SignoutRedirectURL},
	} {
		if u.url == "" {
			continue
		}
		if err := federation.ValidateURL(u.url); err != nil {
			return fmt.Errorf(sectionOAuth+"%s: %w", u.key, err)
		}
	}
	if err := federation.ValidateScopes(c.Issuer, c.Scopes); err != nil {
		return fmt.Errorf(sectionOAuth+"scopes: %w", err)
	}
	if !slices.Contains([]string{authStyleAuto, "InHeader", "InParams"}, c.AuthStyle) {
		return fmt.Errorf(sectionOAuth+"auth_style: %q is not one of %s, InHeader, InParams", c.AuthStyle, authStyleAuto)
	}
	if _, err := federation.ReadRoots(c.TLSClientCA); err != nil {
		return fmt.Errorf(sectionOAuth+"tls_client_ca: %w", err)
	}
	return nil
}

func (c GenericOAuthConfig) validatePaths() error {
	for _, p := range []struct{ key, path string }{
		{"login_attribute_path", c.LoginAttributePath}, {"email_attribute_path", c.EmailAttributePath}, {"name_attribute_path", c.NameAttributePath},
		{"role_attribute_path", c.RoleAttributePath}, {"groups_attribute_path", c.GroupsAttributePath},
	} {
		if err := federation.ValidatePath(p.path); err != nil {
			return fmt.Errorf(sectionOAuth+"%s: %w", p.key, err)
		}
	}
	for key, on := range map[string]bool{"role_attribute_strict": c.RoleAttributeStrict, "allow_assign_grafana_admin": c.AllowAssignGrafanaAdmin} {
		if on && (c.RoleAttributePath == "" || c.SkipOrgRoleSync) {
			return fmt.Errorf(sectionOAuth+"%s: it takes a role_attribute_path, and no skip_org_role_sync", key)
		}
	}
	if len(c.AllowedGroups) > 0 && c.GroupsAttributePath == "" {
		return errors.New(sectionOAuth + "allowed_groups: it takes a groups_attribute_path")
	}
	return nil
}

// validateAdmission returns an error if everybody could sign in and nobody said so.
func (c GenericOAuthConfig) validateAdmission() error {
	for _, d := range c.AllowedDomains {
		if d == "" || d != hallpass.AnyDomain && strings.ContainsAny(d, "@*/ ") {
			return fmt.Errorf(sectionOAuth+"allowed_domains: %q is not a domain like example.com", d)
		}
	}
	if len(c.AllowedDomains) == 0 && len(c.AllowedGroups) == 0 && !c.RoleAttributeStrict && c.AllowSignUp {
		return errors.New(sectionOAuth + `allowed_domains: everybody whom the provider knows could sign in: name the domains of your addresses, or set allowed_groups, role_attribute_strict or allow_sign_up = false; allowed_domains = ["*"] says that it is everybody`)
	}
	return nil
}

func (c GenericOAuthConfig) validateSession() error {
	if d, err := ParseDuration(c.SessionLifetime); err != nil || d < time.Minute || d > maxDays*24*time.Hour {
		return fmt.Errorf(sectionOAuth+"session_lifetime: %q is not a duration like 12h or 7d, of a minute at least", c.SessionLifetime)
	}
	return nil
}

// policy says who may sign in by the provider, and what is taken over from there.
func (c AuthConfig) policy() (hallpass.SignInPolicy, error) {
	o := c.GenericOAuth
	if !o.Enabled {
		return hallpass.SignInPolicy{}, nil
	}
	lifetime, err := ParseDuration(o.SessionLifetime)
	p := hallpass.SignInPolicy{
		Issuer: o.identifies(), Domains: o.AllowedDomains, Groups: o.AllowedGroups, SignUp: o.AllowSignUp, ByEmail: c.OAuthAllowInsecureEmailLookup,
		Role: o.RoleAttributePath != "" && !o.SkipOrgRoleSync, RoleStrict: o.RoleAttributeStrict, ServerAdmins: o.AllowAssignGrafanaAdmin,
		Teams: o.GroupsAttributePath != "", SessionLifetime: lifetime,
	}
	if len(p.Domains) == 0 {
		p.Domains = []string{hallpass.AnyDomain}
	}
	return p, err
}

// identifies returns what stands for the provider in what is stored: its issuer, or where
// it tells of people; "" if nobody signs in there.
func (c GenericOAuthConfig) identifies() string {
	if !c.Enabled {
		return ""
	}
	return cmp.Or(c.Issuer, c.APIURL)
}

// provider returns where people sign in; nil if they sign in here alone.
func (c GenericOAuthConfig) provider(now func() time.Time) (*federation.Provider, error) {
	if !c.Enabled {
		return nil, nil
	}
	roots, err := federation.ReadRoots(c.TLSClientCA)
	if err != nil {
		return nil, fmt.Errorf(sectionOAuth+"tls_client_ca: %w", err)
	}
	style := c.AuthStyle
	if style == authStyleAuto {
		style = ""
	}
	return federation.New(federation.Options{
		Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, Secret: c.ClientSecret, Scopes: c.Scopes, PKCE: c.UsePKCE,
		AuthURL: c.AuthURL, TokenURL: c.TokenURL, APIURL: c.APIURL, KeysURL: c.JWKSetURL, AuthStyle: style,
		Attributes: federation.Attributes{
			Login: c.LoginAttributePath, Email: c.EmailAttributePath, Name: c.NameAttributePath, Role: c.RoleAttributePath, Groups: c.GroupsAttributePath,
		},
		AssumeEmailVerified: c.AssumeEmailVerified, Roots: roots, Now: now,
	})
}

// breakGlass returns the login of the only user whose password works; "" if everybody's
// does.
func (c Config) breakGlass() string {
	if !c.Auth.DisableLoginForm {
		return ""
	}
	return cmp.Or(c.Auth.BreakGlassUser, c.Security.AdminUser)
}

// validateSignIn returns an error if nobody but one user could sign in.
func (c AuthConfig) validateSignIn() error {
	switch {
	case c.DisableLoginForm && !c.GenericOAuth.Enabled:
		return errors.New("auth.disable_login_form: without auth.generic_oauth.enabled nobody could sign in")
	case c.BreakGlassUser != "" && !c.DisableLoginForm:
		return errors.New("auth.break_glass_user: it takes auth.disable_login_form, without which every user's password works")
	}
	return c.GenericOAuth.validate()
}
