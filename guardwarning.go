package hallpass

import (
	"fmt"
	"slices"
	"strings"
)

// A GuardWarning is something about a guard that is allowed and probably not meant.
type GuardWarning struct {
	Rule    int // its number; 0: the guard as a whole
	Message string
}

// Warnings tells what is allowed and probably not meant. given reports whether a role
// gives an action to anybody in the guard's org; nil: nobody is asked.
func (g Guard) Warnings(given func(Action) bool) (warnings []GuardWarning) {
	var rules []*CompiledRule
	own := 0 // how many of them are the guard's own
	for i, r := range g.AllRules() {
		if c, err := compileRule(r, i+1, AllowedSpellings(g.PathAllow)); err == nil { // Validate tells the error
			rules = append(rules, c)
			if i < len(g.Rules) {
				own++
			}
		}
	}
	if len(g.AllRules()) == 0 {
		warnings = append(warnings, GuardWarning{0, "The guard has no rules: it refuses every request"})
	}
	for i, r := range rules {
		switch over := r.overruled(rules[:min(i, own)], rules[own:]); {
		case r.Need.Kind == NeedNothing && r.pattern.everything():
			warnings = append(warnings, GuardWarning{r.Number, "Everybody may do everything without a token: the rule is public and matches every path"})
		case i < own && len(over) > 0:
			warnings = append(warnings, GuardWarning{r.Number, fmt.Sprintf("Rule %d (%s) stands before preset rules that need another action: %s", r.Number, r.Request(), Enumerate(over))})
		}
		if i >= own {
			continue
		}
		for _, text := range r.oddities() {
			warnings = append(warnings, GuardWarning{r.Number, text})
		}
		if r.Need.Kind == NeedPermission && given != nil && !given(r.Need.Action) {
			warnings = append(warnings, GuardWarning{r.Number, "Only Admins hold " + string(r.Need.Action) + ": nobody else has a role that gives it"})
		}
	}
	return append(warnings, anyScope(rules)...)
}

// oddities tells what in the rule alone is probably not meant.
func (r *CompiledRule) oddities() (list []string) {
	for _, m := range r.Methods {
		if upper := strings.ToUpper(m); m != upper {
			list = append(list, fmt.Sprintf("Methods are compared exactly: clients send %s, which is not %s", upper, m))
		}
	}
	for _, s := range r.pattern.segments {
		if s.kind == literalSegment && strings.Contains(s.text, "*") {
			list = append(list, "The * in the path stands for itself: one part of a path is {name}, all that is left is {rest...}")
			break
		}
	}
	if len(r.Split) > 1 {
		list = append(list, fmt.Sprintf("Values are separated by the %d characters %s together: an API that separates them by one of these reads other values", len(r.Split), r.Split))
	}
	for i, c := range r.captures {
		if r.Need.Kind == NeedNothing && c.header != "" && slices.ContainsFunc(r.set, func(h headerTemplate) bool { return h.text.uses(i) }) {
			list = append(list, "The rule is public and gives the API what the client says in the header "+r.spelled(c)+": everybody chooses the value, and nothing checks it")
		}
	}
	return list
}

// anyScope warns of rules that take an action on any scope although another rule asks
// for the action on a scope: who holds it on one scope alone passes them. The warning
// stands at the first of them.
func anyScope(rules []*CompiledRule) (warnings []GuardWarning) {
	scoped := make(map[Action]*CompiledRule) // the first rule that asks for the action on a scope
	for _, r := range rules {
		if r.Need.Scope != "" && scoped[r.Need.Action] == nil {
			scoped[r.Need.Action] = r
		}
	}
	loose := make(map[Action][]*CompiledRule)
	var order []Action
	for i, r := range rules {
		a := r.Need.Action
		if r.Need.Kind != NeedPermission || r.Need.Scope != "" || scoped[a] == nil || r.unreached(rules[:i]) {
			continue
		}
		if loose[a] == nil {
			order = append(order, a)
		}
		loose[a] = append(loose[a], r)
	}
	for _, a := range order {
		first, narrow := loose[a][0], scoped[a]
		text := fmt.Sprintf("Rule %d (%s)", first.Number, first.Request())
		takes := "takes"
		if more := len(loose[a]) - 1; more > 0 {
			text, takes = fmt.Sprintf("%s and %s", text, Counted(more, "more rule")), "take"
		}
		warnings = append(warnings, GuardWarning{first.Number, fmt.Sprintf("%s %s %s on any scope, and rule %d asks for it on %s: an account that holds it on one scope passes there for all of them",
			text, takes, a, narrow.Number, narrow.Need.Scope)})
	}
	return warnings
}

// unreached reports whether the rules before r decide every request that r matches.
func (r *CompiledRule) unreached(before []*CompiledRule) bool {
	methods := r.Methods
	if len(methods) == 0 {
		methods = []string{otherMethod}
	}
	return !slices.ContainsFunc(methods, func(m string) bool {
		return !slices.ContainsFunc(before, func(b *CompiledRule) bool { return b.pattern.covers(r.pattern) && b.takes(m) })
	})
}
