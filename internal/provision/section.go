package provision

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/tomlfile"
)

// readers says for each noun how its section is read.
var readers = map[hallpass.DeclaredNoun]func(*file, *hallpass.Declaration, map[string]any) error{
	hallpass.DeclaredOrg: (*file).org, hallpass.DeclaredRole: (*file).role, hallpass.DeclaredTeam: (*file).team,
	hallpass.DeclaredAccount: (*file).account, hallpass.DeclaredGuard: (*file).guard,
}

// org reads [org.KEY].
func (f *file) org(d *hallpass.Declaration, table map[string]any) error {
	var w struct {
		Name string `toml:"name"`
	}
	if err := tomlfile.Fill(d.Section, table, &w); err != nil {
		return err
	}
	d.Name = cmp.Or(w.Name, d.Key)
	return hallpass.TidyName("name", &d.Name)
}

// role reads [role.KEY].
func (f *file) role(d *hallpass.Declaration, table map[string]any) error {
	var w struct {
		Org         string   `toml:"org"`
		Name        string   `toml:"name"`
		DisplayName string   `toml:"display_name"`
		Description string   `toml:"description"`
		Group       string   `toml:"group"`
		Permissions []string `toml:"permissions"`
		Adopt       bool     `toml:"adopt"`
	}
	if err := tomlfile.Fill(d.Section, table, &w); err != nil {
		return err
	}
	d.Org, d.Adopt = w.Org, w.Adopt
	d.Role = hallpass.NamedRole{
		UID: d.Key, Name: cmp.Or(w.Name, d.Key), DisplayName: w.DisplayName, Description: w.Description, Group: w.Group, Permissions: permissions(w.Permissions),
	}
	if d.Role.Fixed() || d.Role.Basic() {
		return errors.New("keys that begin with fixed_ or basic_ are reserved")
	}
	return hallpass.ValidateRole(&d.Role, true)
}

// permissions reads permissions as ACTION or ACTION@SCOPE; nil for nil.
func permissions(texts []string) []hallpass.Permission {
	if texts == nil {
		return nil
	}
	list := make([]hallpass.Permission, len(texts))
	for i, text := range texts {
		action, scope, _ := strings.Cut(text, "@")
		list[i] = hallpass.Permission{Action: hallpass.Action(action), Scope: hallpass.Scope(scope)}
	}
	return list
}

// team reads [team.KEY].
func (f *file) team(d *hallpass.Declaration, table map[string]any) error {
	var w struct {
		Org    string   `toml:"org"`
		Name   string   `toml:"name"`
		Email  string   `toml:"email"`
		Roles  []string `toml:"roles"`
		Groups []string `toml:"groups"`
		Adopt  bool     `toml:"adopt"`
	}
	if err := tomlfile.Fill(d.Section, table, &w); err != nil {
		return err
	}
	d.Org, d.Roles, d.Adopt = w.Org, w.Roles, w.Adopt
	d.Team = hallpass.Team{Name: cmp.Or(w.Name, d.Key), Email: w.Email}
	if err := hallpass.TidyTeam(&d.Team.Name, d.Team.Email); err != nil {
		return err
	}
	for _, group := range w.Groups {
		if err := hallpass.TidyGroup(&group); err != nil {
			return err
		}
		if !slices.Contains(d.Groups, group) { // one that stands twice is one
			d.Groups = append(d.Groups, group)
		}
	}
	return fixedRoles(*d)
}

// fixedRoles returns an error if one of the roles would be a fixed one that there is not.
func fixedRoles(d hallpass.Declaration) error {
	var known []string
	for _, r := range hallpass.FixedRoles() {
		known = append(known, r.Name)
	}
	for _, name := range d.Roles {
		if strings.HasPrefix(name, "fixed:") && !slices.Contains(known, name) {
			return d.Wrong("roles", fmt.Errorf("there is no role %s: did you mean %s?", shown(name), tomlfile.Nearest(name, known)))
		}
	}
	return nil
}

// account reads [service_account.KEY], without its tokens.
func (f *file) account(d *hallpass.Declaration, table map[string]any) error {
	var w struct {
		Org      string   `toml:"org"`
		Name     string   `toml:"name"`
		Role     string   `toml:"role"`
		Disabled bool     `toml:"disabled"`
		Owner    string   `toml:"owner"`
		Purpose  string   `toml:"purpose"`
		Roles    []string `toml:"roles"`
		Teams    []string `toml:"teams"`
		Adopt    bool     `toml:"adopt"`
	}
	if err := tomlfile.Fill(d.Section, table, &w); err != nil {
		return err
	}
	role, err := basicRole(*d, "role", w.Role)
	if err != nil {
		return err
	}
	d.Org, d.Roles, d.Teams, d.Adopt = w.Org, w.Roles, w.Teams, w.Adopt
	d.Account = hallpass.ServiceAccount{UID: d.Key, Name: cmp.Or(w.Name, d.Key), Role: role, Disabled: w.Disabled, Owner: w.Owner, Purpose: w.Purpose}
	if err := hallpass.TidyName("name", &d.Account.Name); err != nil {
		return err
	}
	if err := hallpass.TidyOwner(&d.Account.Owner, &d.Account.Purpose); err != nil {
		return err
	}
	return fixedRoles(*d)
}

// basicRole reads the basic role that a key names; none for "".
func basicRole(d hallpass.Declaration, key, text string) (hallpass.Role, error) {
	role, ok := hallpass.ParseRole(cmp.Or(text, hallpass.RoleNone.String()))
	if !ok {
		return role, d.Wrong(key, errors.New("the roles are None, Viewer, Editor and Admin"))
	}
	return role, nil
}

// secretKeys are keys that people try for a secret in clear.
var secretKeys = []string{"secret", "token", "key", "value", "password", "hash"}

// token reads [service_account.KEY.token.KEY].
func (f *file) token(d *hallpass.Declaration, table map[string]any) error {
	for _, key := range secretKeys {
		if _, there := table[key]; there {
			return d.Wrong(key, errors.New("a secret must not stand in this file. Write sha256, or secret_file with the name of a file that holds it"))
		}
	}
	var w struct {
		Name        string    `toml:"name"`
		SHA256      string    `toml:"sha256"`
		SecretFile  string    `toml:"secret_file"`
		Expires     time.Time `toml:"expires"`
		Owner       string    `toml:"owner"`
		Purpose     string    `toml:"purpose"`
		ReadOnly    bool      `toml:"read_only"`
		MaxRole     string    `toml:"max_role"`
		Permissions []string  `toml:"permissions"`
		Networks    []string  `toml:"networks"`
		RateLimit   string    `toml:"rate_limit"`
	}
	err := tomlfile.Fill(d.Section, table, &w)
	if err != nil {
		return err
	}
	_, account, _ := strings.Cut(d.Of, ".")
	d.Token = hallpass.Token{Name: cmp.Or(w.Name, account+"-"+d.Key), ExpiresAt: w.Expires.Truncate(time.Second), Owner: w.Owner, Purpose: w.Purpose}
	if err := hallpass.TidyName("name", &d.Token.Name); err != nil {
		return err
	}
	if err := hallpass.TidyOwner(&d.Token.Owner, &d.Token.Purpose); err != nil {
		return err
	}
	d.Token.Limits = hallpass.TokenLimits{ReadOnly: w.ReadOnly, Permissions: permissions(w.Permissions)}
	if w.MaxRole != "" {
		role, err := basicRole(*d, "max_role", w.MaxRole)
		if err != nil {
			return err
		}
		d.Token.Limits.MaxRole = &role
	}
	if d.Token.Limits.Networks, err = hallpass.ParseNetworks(w.Networks); err != nil {
		return err
	}
	if d.Token.Limits.Rate, err = hallpass.ParseRateLimit(w.RateLimit); err != nil {
		return err
	}
	if err := d.Token.Limits.Tidy(); err != nil {
		return err
	}
	return f.tokenHash(d, w.SHA256, w.SecretFile)
}

// tokenHash reads the hash of the token's secret, which is given in one of two ways.
func (f *file) tokenHash(d *hallpass.Declaration, sum, path string) error {
	switch {
	case sum == "" && path == "":
		return d.Wrong("", errors.New("sha256 or secret_file is missing: the one is the SHA-256 of the token's secret in hex, the other a file that holds the secret"))
	case sum != "" && path != "":
		return d.Wrong("secret_file", errors.New("sha256 and secret_file exclude each other"))
	case sum != "":
		hash, err := hex.DecodeString(sum)
		if err != nil || len(hash) != len(d.Token.Hash) {
			return d.Wrong("sha256", errors.New("it is not a SHA-256 in 64 hex digits"))
		}
		d.Token.Hash = [32]byte(hash)
		return nil
	}
	text, err := f.secret(path)
	if err != nil {
		return d.Wrong("secret_file", err)
	}
	text = strings.TrimSpace(text)
	hash, ok := secret.ParseToken(text)
	if !ok {
		return d.Wrong("secret_file", errors.New("the file does not hold a token and nothing else: a token is made by \"hallpass provision secret\""))
	}
	d.Token.Hash, d.Token.LastFour = hash, secret.NewText(text).LastFour()
	return nil
}

// guard reads [guard.KEY], which says the same as in the configuration file. Its org is
// the key of a section, and it has no address of its own: those are of one server.
func (f *file) guard(d *hallpass.Declaration, table map[string]any) error {
	if org, there := table["org"]; there {
		text, ok := org.(string)
		if !ok {
			return d.Wrong("org", errors.New(`the value must be the key of an [org.KEY], in quotes`))
		}
		d.Org = text
		delete(table, "org")
	}
	if _, there := table["listen"]; there {
		return d.Wrong("listen", errors.New("an address belongs to one server: a guard that has one is written down in the configuration file"))
	}
	var w tomlfile.Guard
	if err := tomlfile.Fill(d.Section, table, &w); err != nil {
		return err
	}
	g, err := w.Guard(d.Key)
	g.Org = 0
	d.Guard = g
	return err
}
