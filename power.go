package hallpass

import (
	"slices"
	"strconv"
	"strings"
)

// A Power describes in words what a set of permissions allows. It describes every
// action of the set.
type Power struct {
	Can        []string          // as "read teams" or "delete folders (only the folder shop and what is in it)"
	Changes    bool              // something in Can changes something
	Areas      []AreaPower       // the same as Can by area, in the order of Areas
	NoEffect   []Action          // held, and of no use to the holder
	Foreign    []Action          // that only other APIs ask for
	foreignOn  map[Action]string // in words, on which scopes alone a foreign action is held; none: on all, or without a scope
	AllForeign bool              // every foreign action
	AllReads   bool              // every foreign action that only looks
}

// AreaPower is what a set of permissions allows in one area, where it allows anything.
type AreaPower struct {
	Area  Area
	Level ActionLevel // the highest of its actions
	Part  bool        // no action of that level reaches all that there is
	Can   []string    // as that of Power
}

// Power describes what the set allows a principal of that kind; for Nobody, what it
// allows anybody who is given it as a role. name returns the name that people know
// for the thing that a scope names; if name is nil or returns "", the ID is shown.
func (p *Permissions) Power(of PrincipalKind, name func(Scope) string) Power {
	var w Power
	if p == nil {
		return w
	}
	told := make(map[Action]bool)
	var phrases []phrase
	for _, area := range Areas() {
		var rows []phrase
		in := AreaPower{Area: area}
		whole := areaThings[area] != ""
		for _, row := range actionTable {
			if row.Area != area {
				continue
			}
			if !row.usableBy(of) {
				whole = false
				continue
			}
			extent, ok := row.extent(p, name)
			whole = whole && ok && extent == ""
			if ok {
				rows = append(rows, phrase{strings.Split(row.Verb, " and "), []string{row.Object}, extent})
				told[row.Action], w.Changes = true, w.Changes || row.Level > Reads
				if row.Level > in.Level {
					in.Level, in.Part = row.Level, true
				}
				in.Part = in.Part && (row.Level < in.Level || extent != "")
			}
		}
		if whole && len(rows) > 0 {
			rows = []phrase{{[]string{"do everything with"}, []string{areaThings[area]}, ""}}
		}
		if phrases = append(phrases, rows...); len(rows) > 0 {
			in.Can = merge(rows)
			w.Areas = append(w.Areas, in)
		}
	}
	w.Can = merge(phrases)
	w.AllReads = p.foreignReads()
	for action := range p.held() {
		row, _ := action.Info()
		switch {
		case action == ForeignActions:
			w.AllForeign = true
		case row.Usable == UsableNowhere:
			w.Foreign = append(w.Foreign, action)
			w.noteScopes(action, p.Scopes(action), name)
		case !told[action]:
			w.NoEffect = append(w.NoEffect, action)
		}
	}
	slices.Sort(w.Foreign)
	slices.Sort(w.NoEffect)
	return w
}

// noteScopes keeps on which scopes the foreign action is held, unless it is on all. One
// without a scope, beside others, adds nothing.
func (w *Power) noteScopes(action Action, scopes []Scope, name func(Scope) string) {
	only := slices.DeleteFunc(slices.Clone(scopes), func(s Scope) bool { return s == "" })
	if len(only) == 0 || slices.Contains(only, "*") {
		return
	}
	slices.Sort(only)
	if w.foreignOn == nil {
		w.foreignOn = make(map[Action]string)
	}
	w.foreignOn[action] = onlyThese(slices.Compact(only), name)
}

// usableBy reports whether the action is of any use in Hallpass itself to a
// principal of that kind.
func (i ActionInfo) usableBy(of PrincipalKind) bool {
	return i.Usable == UsableByAll || i.Usable != UsableNowhere && of != ServiceAccountPrincipal
}

// fixed reports whether the action is asked for on one scope, whatever it is done
// to.
func (i ActionInfo) fixed() bool {
	return len(i.Scopes) > 0 && slices.Contains([]Scope{ScopeDelegate, ScopeEscalate, everyUser}, i.Scopes[0])
}

// Reaches reports whether holding the action on s is of any use: s covers a kind
// of scope that the action takes, or something of that kind.
func (i ActionInfo) Reaches(s Scope) bool {
	if len(i.Scopes) == 0 {
		return s.Valid()
	}
	return slices.ContainsFunc(i.Scopes, func(kind Scope) bool {
		return s.Covers(kind) || !i.fixed() && kind.Covers(s) && s.Valid()
	})
}

// extent says in words to what the action can be done by whoever holds p: empty
// is everything. It is false when that is nothing.
func (i ActionInfo) extent(p *Permissions, name func(Scope) string) (words string, ok bool) {
	var only []Scope
	for _, s := range p.Scopes(i.Action) {
		if i.Reaches(s) {
			only = append(only, s)
		}
	}
	switch {
	case len(only) == 0:
		return "", false
	case len(i.Scopes) == 0 || slices.ContainsFunc(i.Scopes, func(kind Scope) bool { return p.Has(Permission{i.Action, kind}) }):
		return "", true
	}
	return onlyThese(only, name), true
}

// scopeThings are what people call what scopes stand for.
var scopeThings = []struct{ prefix, before, after string }{
	{"folders:uid:", "the folder ", " and what is in it"}, {"dashboards:uid:", "the dashboard ", ""}, {"teams:id:", "the team ", ""},
	{"serviceaccounts:id:", "the service account ", ""}, {"users:id:", "the user or account ", ""}, {"global.users:id:", "the user ", ""},
	{"roles:uid:", "the role ", ""}, {"datasources:uid:", "the data source ", ""}, {"apikeys:id:", "the API key ", ""},
}

// Words says what s stands for, as "the folder shop and what is in it". name
// may give the thing a name that people know; nil, or an empty name, leaves its
// ID. Empty for the empty scope.
func (s Scope) Words(name func(Scope) string) string {
	if s == rootFolder {
		return "what is directly at the root"
	}
	for _, thing := range scopeThings {
		id, ok := strings.CutPrefix(string(s), thing.prefix)
		if !ok || id == "" || strings.HasSuffix(id, "*") {
			continue
		}
		if name != nil {
			if known := name(s); known != "" {
				id = known
			}
		}
		return thing.before + id + thing.after
	}
	return string(s)
}

// namedScopes is how many scopes a sentence names; it counts the rest.
const namedScopes = 4

// onlyThese lists the scopes: "only the team 3 and the team 4".
func onlyThese(scopes []Scope, name func(Scope) string) string {
	var words []string
	for _, s := range scopes {
		if len(words) == namedScopes && len(scopes) > namedScopes+1 {
			words = append(words, strconv.Itoa(len(scopes)-namedScopes)+" more")
			break
		}
		words = append(words, s.Words(name))
	}
	return "only " + Enumerate(words)
}

// A phrase is what can be done, to what, and of that to which.
type phrase struct {
	does, about []string
	extent      string
}

// merge returns the phrases as texts. It joins phrases about the same things, and
// phrases with the same verbs.
func merge(list []phrase) []string {
	var byThing, byVerb []phrase
	for _, p := range list {
		i := slices.IndexFunc(byThing, func(q phrase) bool { return q.extent == p.extent && slices.Equal(q.about, p.about) })
		if i < 0 {
			byThing = append(byThing, p)
			continue
		}
		byThing[i].does = append(byThing[i].does, p.does...)
	}
	for _, p := range byThing {
		i := slices.IndexFunc(byVerb, func(q phrase) bool { return q.extent == p.extent && slices.Equal(q.does, p.does) })
		if i < 0 {
			byVerb = append(byVerb, p)
			continue
		}
		byVerb[i].about = append(byVerb[i].about, p.about...)
	}
	var out []string
	for _, p := range byVerb {
		text := Enumerate(p.does) + " " + Enumerate(p.about)
		if p.extent != "" {
			text += " (" + p.extent + ")"
		}
		out = append(out, text)
	}
	return out
}

// Enumerate joins names as a sentence does: "a", "a and b", "a, b and c". Where a
// name holds an "and" of its own, a comma stands before the last.
func Enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	and := " and "
	if slices.ContainsFunc(names, func(s string) bool { return strings.Contains(s, " and ") }) {
		and = ", and "
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + and + names[last]
}

// Sentences describes the power in sentences about who: "This token can …".
func (w Power) Sentences(who string) string {
	out := who + " can " + strings.Join(w.Can, "; ") + "."
	switch {
	case len(w.Can) == 0 && len(w.NoEffect) == 0 && w.Others() == "":
		return who + " can authenticate, and nothing more."
	case len(w.Can) == 0:
		out = who + " can authenticate, and do nothing in Hallpass itself."
	case !w.Changes:
		out += " It cannot change anything in Hallpass."
	}
	if len(w.NoEffect) > 0 {
		out += " It also holds " + enumerateActions(w.NoEffect) + ", without effect."
	}
	if others := w.Others(); others != "" {
		out += " In other APIs it holds " + others + "."
	}
	return out + w.suggestions()
}

// Overview says in one sentence or two how far the power of who reaches, by level and area:
// "This token can make changes to some folders; look at teams."
func (w Power) Overview(who string) string {
	if len(w.Areas) == 0 {
		return w.Sentences(who)
	}
	var parts []string
	for _, l := range []struct {
		level ActionLevel
		does  string
	}{{Empowers, "decide who may do what with "}, {Changes, "make changes to "}, {Reads, "look at "}} {
		var names []string
		for _, a := range w.Areas {
			if a.Level == l.level {
				names = append(names, a.name())
			}
		}
		if len(names) > 0 {
			parts = append(parts, l.does+Enumerate(names))
		}
	}
	out := who + " can " + strings.Join(parts, "; ") + "."
	if !w.Changes {
		out += " Nothing in Hallpass can be changed with that."
	}
	if others := w.Others(); others != "" {
		if len(w.Foreign) > 2 {
			others, _, _ = strings.Cut(others, ", and ")
			if !w.AllForeign && !w.AllReads {
				others = Counted(len(w.Foreign), "action")
			}
		}
		out += " In other APIs: " + others + "."
	}
	return out + w.suggestions()
}

// name is what a sentence calls what is in the area.
func (a AreaPower) name() string {
	switch {
	case a.Area == AreaOrganization:
		return "the organization"
	case a.Area == AreaOther:
		return "other things"
	case a.Part:
		return "some " + strings.ToLower(string(a.Area))
	}
	return strings.ToLower(string(a.Area))
}

// Short says the same in one line, of a role: "Read teams. In other APIs: …".
// Empty when there is nothing to say.
func (w Power) Short() string {
	var parts []string
	if len(w.Can) > 0 {
		parts = append(parts, capital(strings.Join(w.Can, "; "))+".")
	}
	if len(w.NoEffect) > 0 {
		parts = append(parts, "Without effect: "+enumerateActions(w.NoEffect)+".")
	}
	if others := w.Others(); others != "" {
		parts = append(parts, "In other APIs: "+others+".")
	}
	return strings.Join(parts, " ") + w.suggestions()
}

// suggestions names the actions that are perhaps suggestions of known ones.
func (w Power) suggestions() string {
	out, n := "", 0
	for _, a := range w.Foreign {
		if near, ok := a.Nearest(); ok {
			if n++; n > namedScopes {
				return out + " And so with others."
			}
			out += " " + a.Suggestion(near)
		}
	}
	return out
}

// Suggestion says that a is unknown and which known action may be meant.
func (a Action) Suggestion(near Action) string {
	return "Hallpass does not know " + string(a) + ": did you mean " + string(near) + "?"
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Others names what is held for other APIs, with the scopes, as "loki:read (only
// loki:tenants:a)"; empty: nothing.
func (w Power) Others() string {
	all := ""
	switch {
	case w.AllForeign:
		all = "every action that Hallpass does not know"
	case w.AllReads:
		all = "every action that Hallpass does not know and that only looks"
	default:
		return w.enumerateForeign()
	}
	if len(w.Foreign) == 0 {
		return all
	}
	return all + ", and " + w.enumerateForeign()
}

// enumerateForeign names the foreign actions, each with the scopes on which alone it is held.
func (w Power) enumerateForeign() string {
	return enumerateSome(w.Foreign, func(a Action) string {
		if on := w.foreignOn[a]; on != "" {
			return string(a) + " (" + on + ")"
		}
		return string(a)
	})
}

// namedActions is how many actions a sentence names; it counts the rest.
const namedActions = 6

func enumerateActions(list []Action) string {
	return enumerateSome(list, func(a Action) string { return string(a) })
}

// enumerateSome names the first of the actions by their words, and counts the rest.
func enumerateSome(list []Action, words func(Action) string) string {
	var names []string
	for _, a := range list {
		if len(names) == namedActions && len(list) > namedActions+1 {
			names = append(names, strconv.Itoa(len(list)-namedActions)+" more")
			break
		}
		names = append(names, words(a))
	}
	return Enumerate(names)
}

// Demand returns what is asked for when the action is to be done on the scope: an
// action that takes no scope is asked for without, and one that is asked for on a
// fixed scope on that. The row is that of the table; false for a foreign action,
// which is asked for as it stands.
func (p Permission) Demand() (asked Permission, row ActionInfo, known bool) {
	row, known = p.Action.rowFor(p.Scope)
	switch {
	case !known:
		return p, row, false
	case len(row.Scopes) == 0:
		p.Scope = ""
	case row.fixed():
		p.Scope = row.Scopes[0]
	}
	return p, row, true
}

// rowFor returns the row of the table that tells what the action is on scope.
func (a Action) rowFor(scope Scope) (ActionInfo, bool) {
	first, ok := a.Info()
	if !ok || first.Reaches(scope) {
		return first, ok
	}
	for _, row := range actionTable {
		if row.Action == a && row.Reaches(scope) {
			return row, true
		}
	}
	return first, true
}

// Words says what p lets one do, as "read teams (only the team 3)". name is that
// of Power.
func (p Permission) Words(name func(Scope) string) string {
	if p.Action == ForeignActions {
		return "do everything that other APIs ask for and Hallpass does not know"
	}
	row, known := p.Action.rowFor(p.Scope)
	if !known {
		words := p.Action.foreignWords()
		if p.Scope != "" && p.Scope != "*" {
			words += " (only " + string(p.Scope) + ")"
		}
		return words
	}
	switch extent, ok := row.extent(NewPermissions(p), name); {
	case !ok && p.Scope == "":
		return row.Words() + " (without effect: it has no scope)"
	case !ok:
		return row.Words() + " (without effect: its scope is " + string(p.Scope) + ")"
	case extent != "":
		return row.Words() + " (" + extent + ")"
	}
	return row.Words()
}

// foreignWords says what an action of another API may let one do, as "query prometheus".
// What follows the colon may be no verb: prometheus:labels is "prometheus: labels".
func (a Action) foreignWords() string {
	thing, does, _ := strings.Cut(string(a), ":")
	switch does {
	case "":
		return thing
	case "read", "write", "query", "push", "create", "update", "delete", "list":
		return does + " " + thing
	}
	return thing + ": " + does
}

// LevelWords says what the level of access to one resource of kind r lets one do;
// empty when r has no such level.
func (r Resource) LevelWords(l Level) string {
	one := r.Scope("x")
	extent := " (" + onlyThese([]Scope{one}, nil) + ")"
	var list []Permission
	for _, a := range r.Actions(l) {
		list = append(list, Permission{a, one})
	}
	var clauses []string
	for _, clause := range NewPermissions(list...).Power(Nobody, nil).Can {
		clauses = append(clauses, strings.TrimSuffix(clause, extent))
	}
	if len(clauses) == 0 {
		return ""
	}
	this := strings.ReplaceAll(strings.ReplaceAll(extent, " the ", " this "), " x", "")
	return strings.Join(clauses, "; ") + this
}
