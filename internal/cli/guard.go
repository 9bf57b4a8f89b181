package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/tomlfile"
	"github.com/hallpass-dev/hallpass/wire"
)

func guard() *cobra.Command {
	r := &remote{}
	show := r.verb("show GUARD", "Show a guard with its rules", func(s *session) error {
		g, err := s.Guard(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		return s.printGuard(g)
	})
	show.Aliases = []string{"get"}
	return r.noun("guard", "List, show, apply and test guards: rules for other APIs",
		r.verb("list", "List the guards", (*session).listGuards), show, applyGuards(r), testGuard(r))
}

func (s *session) listGuards() error {
	list, err := s.Guards(s.ctx, "")
	if err != nil {
		return err
	}
	t := table{header: []string{"NAME", "UPSTREAM", "PRESET", "RULES", "MANAGED BY", "VERSION"}}
	for _, g := range list {
		t.rows = append(t.rows, []string{g.Name, g.Upstream, g.Preset, strconv.Itoa(len(g.Rules) + len(g.PresetRules)), g.ManagedBy, number(g.Version)})
	}
	return s.print(list, t)
}

func (s *session) printGuard(g wire.Guard) error {
	t := table{rows: [][]string{
		{"name", g.Name}, {"org", number(g.OrgID)}, {"upstream", g.Upstream}, {"preset", g.Preset}, {"path allow", strings.Join(g.PathAllow, " ")},
		{"preflight", g.Preflight}, {"identity", strings.Join(g.Identity, " ")}, {"timeout", g.Timeout}, {"listen", g.Listen}, {"managed by", strings.TrimSpace(g.ManagedBy + " " + g.Source)},
		{"version", number(g.Version)}, {"updated", exactText(&g.Updated)},
	}}
	for i, r := range slices.Concat(g.Rules, g.PresetRules) {
		text := ruleText(r)
		if i >= len(g.Rules) {
			text += " (from the preset)"
		}
		t.rows = append(t.rows, []string{fmt.Sprint("rule ", i+1), text})
	}
	if g.Failing != nil {
		t.rows = append(t.rows, []string{"failing", g.Failing.What + " since " + timeText(&g.Failing.Since)})
	}
	if g.Suspended != "" {
		t.rows = append(t.rows, []string{"suspended", g.Suspended})
	}
	if err := s.print(g, t); err != nil || s.json {
		return err
	}
	return s.warn(g)
}

// warn prints the warnings about a guard.
func (s *session) warn(g wire.Guard) error {
	for _, w := range g.Warnings {
		about := "guard " + g.Name
		if w.Rule > 0 {
			about += fmt.Sprint(", rule ", w.Rule)
		}
		if err := s.say("warning: %s: %s", about, w.Message); err != nil {
			return err
		}
	}
	return nil
}

// ruleText says in one line what a rule matches, needs and does.
func ruleText(r wire.GuardRule) string {
	methods := strings.Join(r.Methods, ",")
	if methods == "" {
		methods = "any"
	}
	need := "public"
	switch {
	case r.Role != "":
		need = "role " + r.Role
	case r.Action != "":
		need = permissionText(r.Action, r.Scope)
	}
	text := methods + " " + r.Path + " needs " + need
	for _, m := range []struct {
		what string
		of   map[string]string
	}{{"with", r.Captures}, {"sets", r.Set}} {
		for _, name := range slices.Sorted(maps.Keys(m.of)) {
			text += ", " + m.what + " " + name + "=" + m.of[name]
		}
	}
	if r.Split != "" {
		text += ", split at " + r.Split
	}
	return text
}

// readGuards reads the guards of a file, or of stdin for "-". Its errors repeat nothing
// of the file but keys.
func readGuards(cmd *cobra.Command, file string) (map[string]tomlfile.Guard, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // it is only read
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput))
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	_, err = tomlfile.Decode(string(text), &tree)
	var parse toml.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, fmt.Errorf("%s:%d: %s", file, parse.Position.Line, tomlfile.SyntaxError(parse))
	case err != nil:
		return nil, fmt.Errorf("%s: the file is not TOML", file)
	}
	tables, err := onlyGuards(tree)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return tables, nil
}

// onlyGuards returns the guards of a file that holds nothing else.
func onlyGuards(tree map[string]any) (map[string]tomlfile.Guard, error) {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if key != "guard" {
			return nil, fmt.Errorf("unknown key %s: the file holds guards and nothing else", key)
		}
	}
	tables, err := tomlfile.Guards(tree)
	if err != nil {
		return nil, err
	}
	section, _ := tree["guard"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(section)) {
		if g, ok := tables[name]; !ok {
			return nil, fmt.Errorf("unknown key guard.%s: the file holds guards and nothing else", name)
		} else if g.Listen != "" {
			return nil, fmt.Errorf("guard.%s.listen can be set in the server's configuration file alone", name)
		}
	}
	if len(tables) == 0 {
		return nil, errors.New("the file has no guard: write [guard.NAME], and [[guard.NAME.rule]] before each rule")
	}
	return tables, nil
}

// defaultGuardTimeout is the timeout of a guard that has none, as the server writes it.
var defaultGuardTimeout = hallpass.DefaultGuardTimeout.String()

// guardInput returns the guard of a file as the body of a request.
func guardInput(name string, t tomlfile.Guard) wire.WriteGuard {
	in := wire.WriteGuard{
		Name: name, Upstream: t.Upstream, Preset: t.Preset, PathAllow: append([]string{}, t.PathAllow...), Preflight: "refuse", Identity: []string{"headers"}, Timeout: defaultGuardTimeout,
	}
	for _, r := range t.Rules {
		in.Rules = append(in.Rules, wire.GuardRule(r))
	}
	if d, err := time.ParseDuration(t.Timeout); err == nil {
		in.Timeout = d.String() // as the server writes it
	} else if t.Timeout != "" {
		in.Timeout = t.Timeout // the server says what is wrong
	}
	if t.Preflight != "" {
		in.Preflight = t.Preflight
	}
	if slices.Contains(t.Identity, "jwt") {
		in.Identity = []string{"headers", "jwt"}
	} else if len(t.Identity) > 0 {
		in.Identity = t.Identity
	}
	return in
}

// A guardChange is a guard that is not on the server as the file has it.
type guardChange struct {
	was  wire.Guard // without a version: there is none
	now  wire.WriteGuard
	diff []string
}

func applyGuards(r *remote) *cobra.Command {
	var yes bool
	cmd := yesFlag(r.verb("apply FILE", "Make the guards on the server as a file has them", func(s *session) error {
		changes, err := s.guardChanges(s.args[0])
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			return s.done([]wire.Guard{}, "The guards are as the file has them.")
		}
		for _, c := range changes {
			for _, line := range c.diff {
				if err := s.say("%s", line); err != nil {
					return err
				}
			}
		}
		if err := confirm(s.cmd, yes, "Make these changes on %s?", s.used.Server); err != nil {
			return err
		}
		return s.makeGuardChanges(changes)
	}), &yes)
	cmd.Long = `Make the guards on the server as FILE has them (- for stdin), in the form of the
configuration file: [guard.NAME], and [[guard.NAME.rule]] before each rule. The
difference is shown first. Guards that the file does not name stay as they are.`
	cmd.Example = `  hallpass guard apply guards.toml
  hallpass guard apply --yes - < guards.toml`
	return cmd
}

// guardChanges compares the file with the server.
func (s *session) guardChanges(file string) (changes []guardChange, err error) {
	tables, err := readGuards(s.cmd, file)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		c := guardChange{now: guardInput(name, tables[name])}
		var answer *client.Error
		if c.was, err = s.Guard(s.ctx, name); errors.As(err, &answer) && answer.Status == http.StatusNotFound {
			err = nil
		}
		if err != nil {
			return nil, fmt.Errorf("guard %s: %w", name, err)
		}
		if org := tables[name].Org; org != 0 && c.was.Version != 0 && org != c.was.OrgID {
			return nil, fmt.Errorf("guard %s: it belongs to org %d, and the file says %d", name, c.was.OrgID, org)
		}
		if c.was.ManagedBy == "file" {
			return nil, fmt.Errorf("guard %s: the provisioning file %s declares it: change it there", name, c.was.Source)
		}
		if c.was.ManagedBy == "config" {
			return nil, fmt.Errorf("guard %s: it is written down in the server's configuration file %s: change it there", name, c.was.Source)
		}
		if c.diff = guardDiff(c.was, c.now); len(c.diff) > 0 {
			c.now.Version = c.was.Version
			changes = append(changes, c)
		}
	}
	return changes, nil
}

// guardDiff returns the lines that say in what a guard differs from what it is; none if
// it does not.
func guardDiff(was wire.Guard, now wire.WriteGuard) (lines []string) {
	if was.Version == 0 {
		was.Preflight, was.Identity, was.Timeout = "refuse", []string{"headers"}, defaultGuardTimeout // what goes without saying is not shown
	}
	for _, f := range []struct{ name, was, now string }{
		{"upstream", was.Upstream, now.Upstream}, {"preset", was.Preset, now.Preset}, {"path_allow", strings.Join(was.PathAllow, " "), strings.Join(now.PathAllow, " ")},
		{"preflight", was.Preflight, now.Preflight}, {"identity", strings.Join(was.Identity, " "), strings.Join(now.Identity, " ")}, {"timeout", was.Timeout, now.Timeout},
	} {
		if f.was != f.now {
			lines = append(lines, fmt.Sprintf("  %s: %q -> %q", f.name, f.was, f.now))
		}
	}
	before, after := ruleTexts(was.Rules), ruleTexts(now.Rules)
	for _, part := range []struct {
		sign        string
		list, other []string
	}{{"-", before, after}, {"+", after, before}} {
		for i, text := range part.list {
			if !slices.Contains(part.other, text) {
				lines = append(lines, fmt.Sprintf("  %s rule %d: %s", part.sign, i+1, text))
			}
		}
	}
	switch {
	case was.Version == 0:
		return append([]string{"create guard " + now.Name}, lines...)
	case len(lines) > 0:
		return append([]string{"change guard " + now.Name}, lines...)
	case !slices.Equal(before, after):
		return []string{"change guard " + now.Name, "  the rules are in another order"}
	}
	return nil
}

func ruleTexts(list []wire.GuardRule) (texts []string) {
	for _, r := range list {
		texts = append(texts, ruleText(r))
	}
	return texts
}

// makeGuardChanges makes them one after the other.
func (s *session) makeGuardChanges(changes []guardChange) error {
	made := []wire.Guard{}
	for _, c := range changes {
		var g wire.Guard
		var err error
		if c.was.Version == 0 {
			g, err = s.CreateGuard(s.ctx, c.now)
		} else {
			g, err = s.UpdateGuard(s.ctx, c.now.Name, c.now)
		}
		if err != nil {
			return fmt.Errorf("guard %s: %w", c.now.Name, err)
		}
		if err := s.warn(g); err != nil {
			return err
		}
		made = append(made, g)
	}
	return s.done(made, "Applied %s.", hallpass.Counted(len(made), "guard"))
}

func testGuard(r *remote) *cobra.Command {
	var in wire.TestGuard
	var name string
	var headers []string
	var onStdin bool
	cmd := r.verb("test METHOD URI", "Show what a guard would say about a request, and why", func(s *session) (err error) {
		if in.ServiceAccount != "" && onStdin {
			return errors.New("--account and --token-stdin exclude each other")
		}
		in.Method, in.URI, in.Headers = s.args[0], s.args[1], make(map[string]string)
		for _, h := range headers {
			key, value, ok := strings.Cut(h, ":")
			if !ok {
				return errors.New(`--header reads like "X-Scope-OrgID: a"`)
			}
			in.Headers[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
		if onStdin {
			token, err := askSecret(s.cmd, "token", false)
			if err != nil {
				return err
			}
			in.Token = token.Reveal()
		}
		if name, err = s.onlyGuard(name); err != nil {
			return err
		}
		out, err := s.TestGuard(s.ctx, name, in)
		if err != nil {
			return err
		}
		return s.printGuardTest(name, out)
	})
	cmd.Long = `Show what a guard would say about a request: the rule that decides, what it needs,
and the roles that give that. Without --account and --token-stdin nobody sends the
request. The exit status is 0 when the request would pass, 3 when it would not, and
1 when an error left it unknown.`
	cmd.Example = `  hallpass guard test GET '/api/v1/query?query=up' --guard prom --account grafana
  pass show ci/token | hallpass guard test POST /api/v1/write --token-stdin`
	f := cmd.Flags()
	f.StringVar(&name, "guard", "", "the guard to ask (default the only one)")
	f.StringVar(&in.ServiceAccount, "account", "", "the service account that sends the request: its id, uid, login or name")
	f.BoolVar(&onStdin, "token-stdin", false, "read the token that the request presents from stdin; it is not used by this")
	f.StringArrayVar(&headers, "header", nil, `a header of the request, as "X-Scope-OrgID: a"; repeat the flag for more`)
	return cmd
}

// onlyGuard returns the name, or that of the only guard if there is none.
func (s *session) onlyGuard(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	list, err := s.Guards(s.ctx, "")
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", fmt.Errorf("there are %d guards: name one with --guard", len(list))
	}
	return list[0].Name, nil
}

func (s *session) printGuardTest(guard string, t wire.GuardTest) error {
	verdict := fmt.Sprintf("refused: %d %s: %s", t.Status, t.Reason, t.Message)
	if t.Allowed {
		verdict = "allowed"
	}
	rows := [][]string{{"verdict", verdict}, {"guard", guard}, {"path", t.CanonicalPath}, {"rule", "none matches"}, {"account", t.Account}}
	if t.Rule > 0 {
		rows[3][1] = fmt.Sprintf("%d (%s)", t.Rule, t.Matches)
	}
	if err := s.print(t, table{rows: append(rows, needRows(t)...)}); err != nil {
		return err
	}
	if !t.Allowed {
		return &ExitError{Status: notAllowed}
	}
	return nil
}

// needRows returns what the request needs, what of it is missing, and the roles that give
// that.
func needRows(t wire.GuardTest) (rows [][]string) {
	for _, n := range t.AllNeeds {
		need := permissionText(n.Action, n.Scope)
		if n.Role != "" {
			need = "role " + n.Role
		}
		if t.Needs != nil && n == *t.Needs && (t.Reason == "guard.permission" || t.Reason == "guard.role") {
			need += " (missing)"
		}
		rows = append(rows, []string{"needs", need})
	}
	for _, role := range t.Grants {
		rows = append(rows, []string{"given by", role})
	}
	switch {
	case t.Rule > 0 && len(t.AllNeeds) == 0:
		rows = append(rows, []string{"needs", "nothing"})
	case len(t.AllNeeds) > 0 && len(t.Grants) == 0:
		rows = append(rows, []string{"given by", "no role that you may read"})
	}
	return rows
}
