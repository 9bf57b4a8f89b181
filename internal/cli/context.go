package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/tomlfile"
)

// contexts is the content of the contexts file: servers, with the credential for
// each.
type contexts struct {
	Current  string           `toml:"current,omitempty"`
	Contexts map[string]entry `toml:"contexts"`

	path string
}

// An entry is one context. Secret is not encrypted: the mode of the file protects
// it.
type entry struct {
	Server string `toml:"server"`
	Org    int64  `toml:"org,omitempty"`  // 0: the org of the token, or the one that the user is in at the moment
	User   string `toml:"user,omitempty"` // empty: the secret is a token
	Secret string `toml:"secret"`
}

func (e entry) client() *client.Client {
	as := client.Bearer(e.Secret)
	if e.User != "" {
		as = client.Basic(e.User, e.Secret)
	}
	return client.NewWith(e.Server, client.Options{Credential: as, Org: e.Org})
}

// who names the credential without its secret.
func (e entry) who() string {
	if e.User != "" {
		return "user " + e.User
	}
	return "token …" + secret.NewText(e.Secret).LastFour()
}

// contextsPath is hallpass/contexts.toml in $XDG_CONFIG_HOME or ~/.config.
func contextsPath() (string, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) { // the XDG specification demands an absolute path
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("the contexts cannot be kept: %w", err)
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "hallpass", "contexts.toml"), nil
}

// maxContexts is the largest file of contexts, in bytes.
const maxContexts = 1 << 20

// loadContexts reads the file. If there is none, it returns no contexts.
func loadContexts() (*contexts, error) {
	path, err := contextsPath()
	if err != nil {
		return nil, err
	}
	c := &contexts{path: path, Contexts: make(map[string]entry)}
	if err := private(path); errors.Is(err, fs.ErrNotExist) {
		return c, nil
	} else if err != nil {
		return nil, err
	}
	text, _, err := plainfile.Read(path, maxContexts)
	if err != nil {
		return nil, err
	}
	meta, err := tomlfile.Decode(string(text), c)
	var parse toml.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, fmt.Errorf("%s:%d: the file is not TOML", path, parse.Position.Line) // the parser's error would repeat the content
	case err != nil:
		return nil, fmt.Errorf("%s: a value has the wrong type", path)
	case len(meta.Undecoded()) > 0:
		return nil, fmt.Errorf("%s: unknown key: a context has server, org, user and secret", path)
	}
	return c, nil
}

// private refuses a file that others can read, and a folder in which others can
// replace the file.
func private(path string) error {
	file, err := os.Stat(path)
	if err != nil {
		return err
	}
	dir, err := os.Stat(filepath.Dir(path))
	switch {
	case err != nil:
		return err
	case runtime.GOOS == "windows": // has no such file modes
		return nil
	case file.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s holds secrets, and others can read it (mode %04o): run chmod 600 on it, and delete its tokens if others use this machine", path, file.Mode().Perm())
	case dir.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others can write to %s (mode %04o): run chmod 700 on it", filepath.Dir(path), dir.Mode().Perm())
	}
	return nil
}

// save replaces the whole file: a reader sees the old one or the new one.
func (c *contexts) save() (err error) {
	dir := filepath.Dir(c.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".contexts-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = toml.NewEncoder(f).Encode(c)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), c.path)
}

var errNoContext = errors.New("not logged in: run \"hallpass login URL\" first")

// pick returns the context to use. A secret is sent only to the server that it was
// kept for, or to another one when both flags name it.
func (c *contexts) pick(name, server string) (string, entry, error) {
	if server != "" {
		clean, err := cleanURL(server)
		if err != nil {
			return "", entry{}, fmt.Errorf("--server: %w", err)
		}
		server = clean
	}
	if name == "" {
		name = c.nameFor(server)
	}
	e, ok := c.Contexts[name]
	switch {
	case name == "" && server != "":
		return "", e, fmt.Errorf("there is no context for %s: log in to it, or name a context with --context", server)
	case name == "":
		return "", e, errNoContext
	case !ok:
		return "", e, errUnknownContext
	case plain(server) && !plain(e.Server):
		return "", e, errors.New("--server is http:// and would send the secret unencrypted; the context uses https://")
	}
	if server != "" {
		e.Server = server
	}
	return name, e, nil
}

var errUnknownContext = errors.New("there is no such context: run \"hallpass context list\" to see them")

// nameFor returns the name of the current context. If a server is given, it returns
// a context of that server: the current one if it is one, else the first by name.
func (c *contexts) nameFor(server string) string {
	if server == "" || c.Contexts[c.Current].Server == server {
		return c.Current
	}
	for _, name := range slices.Sorted(maps.Keys(c.Contexts)) {
		if c.Contexts[name].Server == server {
			return name
		}
	}
	return ""
}

// cleanURL returns the URL of a server in the form in which contexts keep it. Its
// errors do not repeat the URL, which may hold a password.
func cleanURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !hallpass.ValidPort(u.Port()) {
		return "", errors.New("the server must be a URL like https://hallpass.example.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(s, secret.Prefix) {
		return "", errors.New("the URL of a server must have no user, password, query or fragment: name the user with --user; the secret is asked for")
	}
	return strings.TrimRight(strings.ToLower(u.Scheme+"://"+u.Host)+u.EscapedPath(), "/"), nil
}

// checkContextName refuses a name with characters that need quoting. Its error does
// not repeat the name, which may be a secret that was typed in the wrong place.
func checkContextName(name string) error {
	const letters = "-._:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	if name == "" || len(name) > 64 || strings.Trim(name, letters) != "" || strings.Contains(name, secret.Prefix) {
		return errors.New("the name of a context has up to 64 characters, made of letters, digits and : . _ -")
	}
	return nil
}

func contextCommand() *cobra.Command {
	var output string
	list := &cobra.Command{
		Use: "list", Short: "List the contexts; * is the current one", Args: wordsOf("list"),
		RunE: func(cmd *cobra.Command, _ []string) error { return listContexts(cmd, output) },
	}
	outputFlag(list, &output)
	use := contextVerb("use NAME", "Switch to another context", func(cmd *cobra.Command, c *contexts, name string) error {
		c.Current = name
		if err := c.save(); err != nil {
			return err
		}
		e := c.Contexts[name]
		return printer{messages: cmd.ErrOrStderr()}.say("Now using %s (%s, %s).", name, e.Server, e.who())
	})
	current := &cobra.Command{
		Use: "current", Short: "Print the name of the current context", Args: wordsOf("current"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadContexts()
			if err == nil && c.Current == "" {
				err = errNoContext
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), c.Current)
			return err
		},
	}
	var yes bool
	remove := yesFlag(contextVerb("delete NAME", "Delete a context with its secret from this machine", func(cmd *cobra.Command, c *contexts, name string) error {
		if err := confirm(cmd, yes, "Delete the context %s (%s, %s) from this machine?", name, c.Contexts[name].Server, c.Contexts[name].who()); err != nil {
			return err
		}
		return c.forget(cmd, name)
	}), &yes)
	cmd := group("context", "List, switch and delete contexts: the servers that you are logged in to", list, use, current, remove)
	quietFlags(cmd)
	return cmd
}

// contextVerb returns a command on one context, which must exist.
func contextVerb(use, short string, fn func(*cobra.Command, *contexts, string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: wordsOf(use),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return contextNames()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadContexts()
			if err != nil {
				return err
			}
			if _, ok := c.Contexts[args[0]]; !ok {
				return errUnknownContext
			}
			return tell(fn(cmd, c, args[0]), "", cmd)
		},
	}
}

// forget removes a context and says so.
func (c *contexts) forget(cmd *cobra.Command, name string) error {
	e := c.Contexts[name]
	delete(c.Contexts, name)
	if c.Current == name {
		c.Current = ""
	}
	if err := c.save(); err != nil {
		return err
	}
	return printer{messages: cmd.ErrOrStderr()}.say("Deleted the context %s (%s, %s) from this machine.", name, e.Server, e.who())
}

// contextRow is a context as it is listed: without its secret.
type contextRow struct {
	Name    string `json:"name"`
	Current bool   `json:"current"`
	Server  string `json:"server"`
	OrgID   int64  `json:"orgId,omitempty"`
	As      string `json:"as"`
}

func listContexts(cmd *cobra.Command, output string) error {
	p, err := newPrinter(cmd, output)
	if err != nil {
		return err
	}
	c, err := loadContexts()
	if err != nil {
		return err
	}
	rows := []contextRow{}
	t := table{header: []string{"CURRENT", "NAME", "SERVER", "ORG", "AS"}}
	for _, name := range slices.Sorted(maps.Keys(c.Contexts)) {
		e := c.Contexts[name]
		rows = append(rows, contextRow{Name: name, Current: name == c.Current, Server: e.Server, OrgID: e.Org, As: e.who()})
		mark, org := "", "default"
		if name == c.Current {
			mark = "*"
		}
		if e.Org != 0 {
			org = number(e.Org)
		}
		t.rows = append(t.rows, []string{mark, name, e.Server, org, e.who()})
	}
	return p.print(rows, t)
}
