//go:build !client && !windows

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/internal/cli"
)

// notValid is the exit status of settings with which no server would start.
const notValid = 2

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Look at the settings of the server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.configCheck())
	return cmd
}

func (p *program) configCheck() *cobra.Command {
	var output string
	cmd := p.serveFlags(&cobra.Command{
		Use:   "check",
		Short: "Check the settings and print them, with where each is from",
		Long: `Read the settings as "hallpass serve" does with the same flags and environment,
check them with the files that they name, and print the values in effect. Nothing
is changed, and no server is asked. The data directory is looked at if --data names
it; a note on stderr tells what could not be looked at.

What is printed can be read as a file of settings. After each value a comment says
where it is from: default, the file with the line, the environment variable, or the
flag. A secret is a comment and masked.

The exit status is 0, or 2 when the server would not start with these settings.
Then stderr says why, one line for each reason, with file, line and key.`,
		Example: `  hallpass config check --config /etc/hallpass/hallpass.toml --data /var/lib/hallpass
  hallpass config check -o json | jq '.settings[] | select(.origin != "default")'`,
		RunE: func(*cobra.Command, []string) error {
			if output != "toml" && output != "json" {
				return errors.New("--output must be toml or json")
			}
			return p.check(output == "json")
		},
	})
	cmd.Flags().StringVarP(&output, "output", "o", "toml", "the output format: toml or json")
	return cmd
}

// check prints the settings in effect, or why they are not valid.
func (p *program) check(asJSON bool) error {
	r, err := p.readConfig()
	var notes []string
	if err == nil {
		r.config.DataDir = p.flags.data // the default is below the folder of the caller, where no unit runs
		notes, err = r.config.Check()
		err = r.locate(err)
	}
	for i, n := range notes {
		if origin := r.originOf(n); origin != "" {
			notes[i] = origin + ": " + n
		}
	}
	c := checked{Valid: err == nil, Notes: notes, Warnings: r.warnings, Errors: lines(err)}
	if c.Valid {
		c.Settings, c.Guards = r.effective(), r.guards
	}
	var told strings.Builder
	for _, n := range c.Notes {
		fmt.Fprintf(&told, "hallpass: note: %s\n", n)
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(&told, "hallpass: warning: %s\n", w)
	}
	for _, e := range c.Errors {
		fmt.Fprintf(&told, "hallpass: %s\n", e)
	}
	if _, err := io.WriteString(p.stderr, told.String()); err != nil {
		return err
	}
	if asJSON {
		err = c.writeJSON(p.stdout)
	} else {
		err = c.writeTOML(p.stdout, r)
	}
	if err == nil && !c.Valid {
		return &cli.ExitError{Status: notValid}
	}
	return err
}

// lines returns the errors that err is made of.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	all, joined := err.(interface{ Unwrap() []error })
	if !joined {
		return []string{err.Error()}
	}
	var list []string
	for _, e := range all.Unwrap() {
		list = append(list, lines(e)...)
	}
	return list
}

// checked is the answer of config check.
type checked struct {
	Valid    bool           `json:"valid"`
	Settings []effective    `json:"settings"` // none if they are not valid
	Guards   map[string]any `json:"guards"`   // of the file, by name
	Notes    []string       `json:"notes"`    // of what could not be checked
	Warnings []string       `json:"warnings"`
	Errors   []string       `json:"errors"`
}

// effective is a value in effect.
type effective struct {
	Key    string `json:"key"`
	Value  any    `json:"value"` // masked if it is a secret
	Origin string `json:"origin"`
	Secret bool   `json:"secret,omitempty"`
}

// effective lists the settings in effect.
func (r *reading) effective() []effective {
	masked := r.config.Settings()
	list := []effective{}
	for _, s := range settings(&r.config) {
		e := effective{Key: s.key, Value: s.value.Interface(), Origin: cmp.Or(r.origins[s.key], "default"), Secret: s.secret()}
		section, key, _ := cutLast(s.key)
		switch {
		case e.Secret:
			e.Value = masked[section][key]
		case s.value.Kind() == reflect.Slice && s.value.IsNil():
			e.Value = reflect.MakeSlice(s.value.Type(), 0, 0).Interface()
		}
		list = append(list, e)
	}
	return list
}

func (c checked) writeJSON(w io.Writer) error {
	for _, list := range []*[]string{&c.Notes, &c.Warnings, &c.Errors} {
		if *list == nil {
			*list = []string{}
		}
	}
	if c.Settings == nil {
		c.Settings = []effective{}
	}
	if c.Guards == nil {
		c.Guards = map[string]any{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(c)
}

// writeTOML writes the settings as a file of settings, nothing if they are not valid. A
// secret is a comment: its mask must never be taken for it.
func (c checked) writeTOML(w io.Writer, r reading) error {
	if !c.Valid {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if r.config.DataDir != "" {
		if _, err := fmt.Fprintf(t, "# data directory: %s\n", tomlText(r.config.DataDir)); err != nil {
			return err
		}
	}
	last := ""
	for _, e := range c.Settings {
		section, key, _ := cutLast(e.Key)
		if section != last {
			last, key = section, "\n["+section+"]\n"+e.hidden()+key
		} else {
			key = e.hidden() + key
		}
		if _, err := fmt.Fprintf(t, "%s = %s\t# %s\n", key, tomlValue(e.Value), strings.Map(oneLine, e.Origin)); err != nil {
			return err
		}
	}
	return errors.Join(t.Flush(), c.writeGuards(w, r.origins))
}

// hidden is what begins the line of a secret.
func (e effective) hidden() string {
	if e.Secret && e.Value != "" {
		return "# "
	}
	return ""
}

// writeGuards writes the guards of the file.
func (c checked) writeGuards(w io.Writer, origins map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(c.Guards)) {
		var b strings.Builder
		e := toml.NewEncoder(&b)
		e.Indent = ""
		if err := e.Encode(map[string]any{"guard": map[string]any{name: c.Guards[name]}}); err != nil {
			return err
		}
		table := strings.TrimPrefix(b.String(), "[guard]\n") // which is there already
		if _, err := fmt.Fprintf(w, "\n# %s\n%s", strings.Map(oneLine, origins["guard."+name]), table); err != nil {
			return err
		}
	}
	return nil
}

// oneLine drops what a comment of TOML may not have: the path of a file may have it.
func oneLine(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '?'
	}
	return r
}

// tomlValue writes a value as TOML has it.
func tomlValue(v any) string {
	switch x := v.(type) {
	case string:
		return tomlText(x)
	case []string:
		quoted := make([]string, len(x))
		for i, s := range x {
			quoted[i] = tomlText(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case []int:
		return strings.ReplaceAll(fmt.Sprint(x), " ", ", ")
	}
	return fmt.Sprint(v)
}

// tomlText writes a text as TOML has it. Its escapes are those of JSON, but for DEL, which
// JSON does not escape.
func tomlText(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text can be written
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}
