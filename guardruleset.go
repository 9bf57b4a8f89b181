package hallpass

import (
	"fmt"
	"slices"
	"strings"
)

// A Ruleset is the rules of a guard made ready for decisions. It never changes after
// NewRuleset and is safe for concurrent use.
type Ruleset struct {
	Guard   Guard
	allowed Spellings
	rules   []*CompiledRule
	root    ruleNode
	route   *TokenRoute // of requests that no rule matches
}

// A CompiledRule is one rule of a Ruleset.
type CompiledRule struct {
	GuardRule
	Number   int // from 1; those of the preset follow the guard's own
	pattern  *PathPattern
	captures []capture
	scope    template
	set      []headerTemplate
	route    *TokenRoute
}

// A capture is where a value of a rule comes from.
type capture struct {
	name   string
	header string // in its canonical form; "": the path
	used   bool   // in the scope or a header; what is not used is not captured
}

// headerTemplate is a header that the API gets.
type headerTemplate struct {
	name string
	text template
}

// NewRuleset compiles the rules of the guard, and those of its preset after them. It
// returns an Invalid error that names the rule for rules that are not well formed,
// and for one that can never match because a wider one stands before it.
func NewRuleset(g Guard) (*Ruleset, error) {
	s := &Ruleset{Guard: g, allowed: AllowedSpellings(g.PathAllow), route: &TokenRoute{Guard: g.Name}}
	for i, r := range g.AllRules() {
		c, err := compileRule(r, i+1, s.allowed)
		if err != nil {
			return nil, err.InRule(i)
		}
		if i < len(g.Rules) { // a rule of the preset may well be overruled
			if before := s.shadowing(c); before != nil {
				return nil, Invalidf(fmt.Sprintf("rules[%d].path", i), "Rule %d (%s) can never match: rule %d (%s) stands before it and matches all that it matches",
					c.Number, c.Request(), before.Number, before.Request())
			}
		}
		c.route = c.routeOf(g.Name)
		s.rules = append(s.rules, c)
		s.root.add(c, c.pattern.segments)
	}
	return s, nil
}

// routeOf returns the route of the requests that the rule of the guard matches. A scope
// with captures is another for each request: Captured.Asked has it.
func (r *CompiledRule) routeOf(guard string) *TokenRoute {
	route := &TokenRoute{Pattern: r.Path, Guard: guard}
	switch r.Need.Kind {
	case NeedRole:
		route.Action = RoleAction(r.Need.Role)
	case NeedPermission:
		if route.Action = r.Need.Action; !r.Need.HasCaptures() {
			route.Scope = Scope(r.Need.Scope)
		}
	}
	return route
}

// Route returns the route of the requests that the rule matches, or, for nil, of those
// that no rule matches.
func (s *Ruleset) Route(r *CompiledRule) *TokenRoute {
	if r == nil {
		return s.route
	}
	return r.route
}

// InRule returns the error about a field of a rule as one about a field of the guard
// whose rule, counted from 0, that is.
func (e *Error) InRule(i int) *Error {
	out := *e
	out.Field = fmt.Sprintf("rules[%d].%s", i, e.Field)
	out.Message = fmt.Sprintf("Rule %d: %s", i+1, e.Message)
	return &out
}

// shadowing returns a rule that matches all that c matches.
func (s *Ruleset) shadowing(c *CompiledRule) *CompiledRule {
	for _, before := range s.rules {
		if before.pattern.covers(c.pattern) && before.coversMethods(c) {
			return before
		}
	}
	return nil
}

// An UnreachedRule is a rule that can never match, because rule Before matches all that it
// matches.
type UnreachedRule struct {
	GuardRule
	Before int // its number
}

// WithRules returns the guard with the rules behind its own, but for those that could never
// match there. The error is that of NewRuleset for the guard's own rules.
func (g Guard) WithRules(rules []GuardRule) (out Guard, left []UnreachedRule, err error) {
	out, out.Rules, out.Preset = g, slices.Clone(g.Rules), ""
	set, err := NewRuleset(out)
	if err != nil {
		return g, nil, err
	}
	for _, r := range rules {
		c, err := compileRule(r, len(out.Rules)+1, set.allowed)
		if err != nil {
			return g, nil, err.InRule(len(out.Rules))
		}
		if before := set.shadowing(c); before != nil {
			left = append(left, UnreachedRule{r, before.Number})
			continue
		}
		out.Rules, set.rules = append(out.Rules, r), append(set.rules, c)
	}
	return out, left, nil
}

func (r *CompiledRule) coversMethods(other *CompiledRule) bool {
	if len(r.Methods) == 0 {
		return true
	}
	for _, m := range other.Methods {
		if !slices.Contains(r.Methods, m) {
			return false
		}
	}
	return len(other.Methods) > 0
}

// overruled returns the other actions that rules of the preset need which r, a wider rule,
// decides before them. What the rules before r match in full is theirs, and a rule with the
// very path of the preset's was written for that path.
func (r *CompiledRule) overruled(before, preset []*CompiledRule) (actions []string) {
	earlier := Ruleset{rules: before}
	for _, p := range preset {
		action := string(p.Need.Action)
		if p.Need.Kind == NeedPermission && p.Need.Action != r.Need.Action && !slices.Contains(actions, action) &&
			r.pattern.covers(p.pattern) && !p.pattern.covers(r.pattern) && r.sharesMethod(p) && earlier.shadowing(p) == nil {
			actions = append(actions, action)
		}
	}
	return actions
}

// sharesMethod reports whether both rules match some method.
func (r *CompiledRule) sharesMethod(other *CompiledRule) bool {
	return len(r.Methods) == 0 || len(other.Methods) == 0 || slices.ContainsFunc(r.Methods, func(m string) bool { return slices.Contains(other.Methods, m) })
}

// Request says what the rule matches, as "GET, POST /api/v1/query".
func (r GuardRule) Request() string {
	if len(r.Methods) == 0 {
		return "any " + r.Path
	}
	return strings.Join(r.Methods, ", ") + " " + r.Path
}

// Canonical is CanonicalPath with what this guard allows.
func (s *Ruleset) Canonical(target string) (path string, ok bool) {
	return CanonicalPath(target, s.allowed)
}

// Rules returns the rules in their order. The slice must not be changed.
func (s *Ruleset) Rules() []*CompiledRule { return s.rules }

// Match returns the first rule that matches, nil if none does. The path must be
// canonical. It allocates nothing.
func (s *Ruleset) Match(method, path string) *CompiledRule {
	if method == "HEAD" {
		method = "GET"
	}
	return s.root.match(method, path[1:], true, nil)
}

// A ruleNode is a point in the tree of the rules' paths. Which rule matches is
// found by walking down the segments of a path: what does not match costs nothing.
type ruleNode struct {
	least   int                  // the least number of a rule here or below; 0: none
	literal map[string]*ruleNode // by segment
	any     *ruleNode
	here    []*CompiledRule // that end here, in order
	rest    []*CompiledRule // that match what is left, in order
}

// add puts the rule into the tree below n. Rules are added in their order.
func (n *ruleNode) add(r *CompiledRule, segments []patternSegment) {
	if n.least == 0 {
		n.least = r.Number
	}
	if len(segments) == 0 {
		n.here = append(n.here, r)
		return
	}
	next := (*ruleNode)(nil)
	switch s := segments[0]; s.kind {
	case restSegment:
		n.rest = append(n.rest, r)
		return
	case anySegment:
		if n.any == nil {
			n.any = &ruleNode{}
		}
		next = n.any
	default: // a literal; {$} is the empty one
		if n.literal == nil {
			n.literal = make(map[string]*ruleNode)
		}
		if n.literal[s.literal()] == nil {
			n.literal[s.literal()] = &ruleNode{}
		}
		next = n.literal[s.literal()]
	}
	next.add(r, segments[1:])
}

// literal returns the text of a segment that matches one text alone.
func (s patternSegment) literal() string {
	if s.kind == endSegment {
		return ""
	}
	return s.text
}

// match returns the first rule below n that matches what is left of a path, or best
// if that comes before it. more is false at the end of the path.
func (n *ruleNode) match(method, left string, more bool, best *CompiledRule) *CompiledRule {
	if n == nil || best != nil && best.Number < n.least {
		return best
	}
	if !more {
		return first(n.here, method, best)
	}
	best = first(n.rest, method, best)
	segment, left, more := strings.Cut(left, "/")
	if n.literal != nil {
		best = n.literal[segment].match(method, left, more, best)
	}
	if segment != "" {
		best = n.any.match(method, left, more, best)
	}
	return best
}

// first returns the first of the rules that takes the method, or best if that comes
// before it.
func first(rules []*CompiledRule, method string, best *CompiledRule) *CompiledRule {
	for _, r := range rules {
		if best != nil && best.Number < r.Number {
			return best
		}
		if len(r.Methods) == 0 || slices.Contains(r.Methods, method) {
			return r
		}
	}
	return best
}
