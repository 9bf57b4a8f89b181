package console

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// guardFields are the fields of the form of a guard.
type guardFields struct {
	Name, Upstream, Preset, Timeout string
	Spellings                       []string // of hallpass.PathSpellings
	AllowPreflight, JWT             bool
	Seen                            int64 // the version that the form was filled in with; 0: a new guard
	Rows                            []ruleFields
}

// ruleFields are the fields of one rule. Those of a need that is not chosen are kept in
// the form and say nothing.
type ruleFields struct {
	Number        int // from 1
	Methods, Path string
	Need          string // one of ruleNeeds
	Role          string
	Action, Scope string
	Captures, Set string // a line each: name = value
	Split         string
	Last          bool
	Open          bool // what few rules have is to be seen, although it is empty
	Warnings      []string
}

// What a rule can need, as the form says it.
const (
	needsPermission = "permission"
	needsRole       = "role"
	needsNothing    = "public"
)

// ruleNeeds are the choices of what a rule needs.
var ruleNeeds = []choice{{Value: needsPermission, Label: "A permission"}, {Value: needsRole, Label: "A basic role"}, {Value: needsNothing, Label: "Nothing: public"}}

// blankRule is a rule that nobody has written yet.
func blankRule() ruleFields {
	return ruleFields{Need: needsPermission, Role: hallpass.RoleViewer.String()}
}

// Field returns the name of a field of the rule, which is also its id.
func (r ruleFields) Field(name string) string { return name + "-" + strconv.Itoa(r.Number) }

// Needs are the choices of what the rule needs.
func (r ruleFields) Needs() []choice { return chosen(ruleNeeds, r.Need) }

// Roles are the basic roles that the rule may need.
func (r ruleFields) Roles() []choice {
	var list []choice
	for _, role := range hallpass.Roles() {
		c := choice{Value: role.String(), Label: "At least " + role.String()}
		if role == hallpass.RoleNone {
			c.Label = "None: any good token"
		}
		list = append(list, c)
	}
	return chosen(list, r.Role)
}

// More reports whether the rule has something that few rules have, or lacks it.
func (r ruleFields) More() bool { return r.Open || r.Captures != "" || r.Split != "" || r.Set != "" }

// blank reports whether nobody has written anything into the rule.
func (r ruleFields) blank() bool {
	return r.Methods+r.Path+r.Action+r.Scope+r.Captures+r.Split+r.Set == "" && r.Need == needsPermission
}

// chosen returns the choices with the one of that value selected.
func chosen(list []choice, value string) []choice {
	list = slices.Clone(list)
	for i := range list {
		list[i].Selected = list[i].Value == value
	}
	return list
}

// guardFieldsOf fills in the form from a guard.
func guardFieldsOf(g hallpass.Guard) guardFields {
	in := guardFields{
		Name: g.Name, Upstream: g.Upstream, Preset: g.Preset, AllowPreflight: g.AllowPreflight, JWT: g.JWT, Seen: g.Version,
	}
	for _, s := range hallpass.PathSpellings() {
		if slices.Contains(g.PathAllow, s) {
			in.Spellings = append(in.Spellings, s)
		}
	}
	if g.Timeout != 0 {
		in.Timeout = g.Timeout.String()
	}
	in.add(g.Rules)
	return in
}

// add puts rules behind the others.
func (in *guardFields) add(rules []hallpass.GuardRule) {
	for _, r := range rules {
		w, row := r.Written(), blankRule()
		row.Methods, row.Path, row.Action, row.Scope, row.Split = strings.Join(w.Methods, ", "), w.Path, w.Action, w.Scope, w.Split
		row.Captures, row.Set = pairLines(w.Captures), pairLines(w.Set)
		switch {
		case w.Public:
			row.Need = needsNothing
		case w.Role != "":
			row.Need, row.Role = needsRole, w.Role
		}
		in.Rows = append(in.Rows, row)
	}
	in.number()
}

// number gives the rules their numbers.
func (in *guardFields) number() {
	for i := range in.Rows {
		in.Rows[i].Number, in.Rows[i].Last = i+1, i == len(in.Rows)-1
	}
}

// written returns the form without the rules that nobody has written.
func (in guardFields) written() guardFields {
	in.Rows = slices.DeleteFunc(slices.Clone(in.Rows), ruleFields.blank)
	return in
}

// guardFields reads the form of a guard.
func (req *request) guardFields() guardFields {
	f := req.PostForm
	text := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	in := guardFields{
		Name: strings.TrimSpace(f.Get("name")), Upstream: strings.TrimSpace(f.Get("upstream")), Preset: f.Get("preset"), Timeout: strings.TrimSpace(f.Get("timeout")),
		AllowPreflight: f.Get("preflight") == "allow", JWT: f.Get("jwt") == "yes",
	}
	if name := req.PathValue("guard"); name != "" {
		in.Name = name
	}
	in.Seen, _ = hallpass.ParseID(f.Get("version"))
	for i, s := range hallpass.PathSpellings() {
		if text(spellingField(i)) == "yes" {
			in.Spellings = append(in.Spellings, s)
		}
	}
	for n := 1; n <= hallpass.MaxGuardRules+1; n++ {
		r := ruleFields{Number: n}
		if !f.Has(r.Field("path")) {
			break
		}
		for name, to := range map[string]*string{
			"methods": &r.Methods, "path": &r.Path, "need": &r.Need, "role": &r.Role, "action": &r.Action, "scope": &r.Scope, "captures": &r.Captures, "split": &r.Split, "set": &r.Set,
		} {
			*to = text(r.Field(name))
		}
		in.Rows = append(in.Rows, r)
	}
	in.number()
	return in
}

// spellingField is the name of the field for one of hallpass.PathSpellings.
func spellingField(i int) string { return "spelling-" + strconv.Itoa(i+1) }

// guard returns the guard that the form describes. What else is wrong with it, admin
// tells.
func (in guardFields) guard() (hallpass.Guard, error) {
	g := hallpass.Guard{
		Name: in.Name, Upstream: in.Upstream, Preset: in.Preset, PathAllow: in.Spellings, AllowPreflight: in.AllowPreflight, JWT: in.JWT, Version: in.Seen,
	}
	if err := g.SetTimeout(in.Timeout); err != nil {
		return g, err
	}
	for i, row := range in.Rows {
		w, err := row.written()
		if err != nil {
			return g, err.InRule(i)
		}
		if err := g.AddRule(w); err != nil {
			return g, err
		}
	}
	return g, nil
}

// written reads the fields of the rule.
func (r ruleFields) written() (hallpass.WrittenRule, *hallpass.Error) {
	w := hallpass.WrittenRule{Methods: strings.FieldsFunc(r.Methods, func(c rune) bool { return c == ',' || c == ' ' }), Path: r.Path, Split: r.Split}
	var err *hallpass.Error
	if w.Captures, err = linePairs("captures", r.Captures, "tenant = header:X-Scope-OrgID"); err != nil {
		return w, err
	}
	if w.Set, err = linePairs("set", r.Set, "X-Scope-OrgID = {tenant}"); err != nil {
		return w, err
	}
	switch {
	case r.Need == needsNothing:
		w.Public = true
	case r.Need == needsRole && r.Role != "":
		w.Role = r.Role
	case r.Need == needsRole:
		return w, hallpass.Invalidf("role", "choose a role")
	case r.Need == needsPermission && r.Action != "":
		w.Action, w.Scope = r.Action, r.Scope
	case r.Need == needsPermission:
		return w, hallpass.Invalidf("action", "write the action that its requests need, such as loki:read")
	default:
		return w, hallpass.Invalidf("need", "choose what its requests need")
	}
	return w, nil
}

// linePairs reads lines of the form name = value, such as the example.
func linePairs(field, text, example string) (map[string]string, *hallpass.Error) {
	var all map[string]string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" {
			return nil, hallpass.Invalidf(field, "each line reads like %s", example)
		}
		if _, twice := all[name]; twice {
			return nil, hallpass.Invalidf(field, "the same name stands in two lines")
		}
		if all == nil {
			all = make(map[string]string)
		}
		all[name] = value
	}
	return all, nil
}

// pairLines writes the pairs as linePairs reads them, by name.
func pairLines(pairs map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		lines = append(lines, name+" = "+pairs[name])
	}
	return strings.Join(lines, "\n")
}

// What the buttons of the form do with its rules. A number follows those that are about
// one rule.
const (
	arrangeAdd    = "add"
	arrangeRemove = "remove"
	arrangeTwin   = "twin" // puts the same rule behind it
	arrangeUp     = "up"
	arrangeDown   = "down"
	arrangePreset = "preset" // shows the rules of the preset
	arrangeCopy   = "copy"   // puts them behind the guard's own

	arrangeTenants = "copy-tenants" // the same, asking for the tenant in each
)

// arrange does what a button says. It returns the id of the element to go on with, what it
// did, in words, and what it left out. Nothing is saved.
func (in *guardFields) arrange(button string) (focus, said, left string) {
	what, number, _ := strings.Cut(button, " ")
	i, _ := strconv.Atoi(number)
	i--
	known := i >= 0 && i < len(in.Rows)
	switch {
	case what == arrangeAdd:
		in.Rows = append(in.Rows, blankRule())
		focus, said = ruleFields{Number: len(in.Rows)}.Field("methods"), "Rule "+strconv.Itoa(len(in.Rows))+" added."
	case what == arrangeRemove && known:
		in.Rows = slices.Delete(in.Rows, i, i+1)
		focus, said = "add-rule", "Rule "+number+" removed."
		if len(in.Rows) > 0 {
			focus = ruleFields{Number: min(i, len(in.Rows)-1) + 1}.Field(arrangeRemove)
		}
	case what == arrangeTwin && known:
		in.Rows = slices.Insert(in.Rows, i+1, in.Rows[i])
		focus, said = ruleFields{Number: i + 2}.Field("path"), "Rule "+number+" copied. The copy is rule "+strconv.Itoa(i+2)+"."
	case what == arrangeUp && known && i > 0:
		focus, said = in.move(i, i-1)
	case what == arrangeDown && known && i < len(in.Rows)-1:
		focus, said = in.move(i, i+1)
	case what == arrangeCopy, what == arrangeTenants:
		focus, said, left = in.copyPreset(what == arrangeTenants)
	default:
		focus = "show-preset"
	}
	in.number()
	return focus, said, left
}

// move lets two rules that stand side by side change places.
func (in *guardFields) move(from, to int) (focus, said string) {
	in.Rows[from], in.Rows[to] = in.Rows[to], in.Rows[from]
	button := arrangeUp
	if from < to {
		button = arrangeDown
	}
	if to == 0 || to == len(in.Rows)-1 { // the button cannot go on
		button = arrangeRemove
	}
	return ruleFields{Number: to + 1}.Field(button), "Rule " + strconv.Itoa(from+1) + " is rule " + strconv.Itoa(to+1) + " now."
}

// copyPreset puts the rules of the preset behind the guard's own, where they can be
// changed: with tenants, those that ask for permissions on the tenant of a request. The
// guard has no preset then. Rules that could never match there are left out and told.
func (in *guardFields) copyPreset(tenants bool) (focus, said, left string) {
	preset, ok := hallpass.GuardPresetByName(in.Preset)
	rules := preset.Rules
	if tenants {
		rules = preset.OfTenants()
	}
	if !ok || len(rules) == 0 {
		return "preset", "", ""
	}
	*in = in.written()
	own := len(in.Rows)
	if g, err := in.guard(); err == nil {
		if with, unreached, err := g.WithRules(rules); err == nil { // else saving tells what is wrong
			rules, left = with.Rules[own:], leftOut(unreached)
		}
	}
	in.add(rules)
	in.Preset = ""
	focus = "add-rule"
	if len(rules) > 0 {
		focus = ruleFields{Number: own + 1}.Field("methods")
	}
	return focus, strings.TrimSpace(hallpass.Counted(len(rules), "rule") + " of " + preset.DisplayName + " copied. They are the guard’s own now. " + left), left
}

// leftOut says which rules were not copied, and why.
func leftOut(list []hallpass.UnreachedRule) string {
	if len(list) == 0 {
		return ""
	}
	var each []string
	for _, r := range list {
		each = append(each, "rule "+strconv.Itoa(r.Before)+" stands before "+r.Request()+", which needs "+r.Need.String())
	}
	return "Not copied, because it could never match: " + strings.Join(each, "; ") + ". Move or narrow the rule before it if that is not meant."
}
