package hallpass

import (
	"maps"
	"slices"
	"strings"
)

// A RuleShift is requests that one set of rules treats otherwise than another. It is a
// plain value; its rules are shared and must not be changed.
type RuleShift struct {
	Path    string        // the pattern that they match
	Methods []string      // theirs, or with ButNot those that do not shift; GET stands for HEAD too
	ButNot  bool          // without Methods: any method
	Was     *CompiledRule // that decided; nil: none, and the requests were refused
	Now     *CompiledRule // that decides; nil: none
}

// Request says which requests shift, as "GET /api/v1/query" or "any but POST /-/{rest...}".
func (s RuleShift) Request() string {
	text := GuardRule{Methods: s.Methods, Path: s.Path}.Request()
	if s.ButNot && len(s.Methods) > 0 {
		return "any but " + text
	}
	return text
}

// Opens reports whether a request may pass now that did not. It is true if nobody can tell.
func (s RuleShift) Opens() bool { return !s.Now.within(s.Was) }

// Closes reports whether a request may be refused now that passed. It is true if nobody
// can tell.
func (s RuleShift) Closes() bool { return !s.Was.within(s.Now) }

// within reports whether the other rule lets pass all that r lets pass of the requests
// that both match; nil, which is no rule, lets nothing pass.
func (r *CompiledRule) within(other *CompiledRule) bool {
	if r == nil || other == nil {
		return r == nil
	}
	return r.Need.within(other.Need) && r.capturesLike(other)
}

// within reports whether whoever has what n asks for has what the other need asks for.
// Captures of one name are taken for the same.
func (n Need) within(other Need) bool {
	switch other.Kind {
	case NeedNothing:
		return true
	case NeedRole:
		return n.Kind == NeedRole && n.Role >= other.Role || n.Kind == NeedPermission && other.Role == RoleNone
	case NeedPermission:
		return n.Kind == NeedPermission && n.Action == other.Action && (other.Scope == "" || other.Scope == n.Scope)
	}
	return n.Kind == NeedUnknown
}

// capturesLike reports whether r refuses, for what it captures, all that the other rule
// refuses for what that captures.
func (r *CompiledRule) capturesLike(other *CompiledRule) bool {
	ofHeader := false
	for _, c := range other.captures {
		ofHeader = ofHeader || c.used && c.header != ""
		if c.used && (!slices.Contains(r.captures, c) || c.header == "" && r.Path != other.Path) {
			return false
		}
	}
	// What | separates, a rule that separates nothing refuses.
	return !ofHeader || r.Split == other.Split || r.Split == "" && other.Split == "|"
}

// Shifts returns the requests that now treats otherwise than s: those that no rule, or a
// rule with another need, captures or headers, decides. It leaves none out: what is in no
// shift is treated alike. The order is that of the rules of s, then of now. The cost grows
// with the product of the numbers of rules.
func (s *Ruleset) Shifts(now *Ruleset) (list []RuleShift) {
	c := comparison{s, now, map[string]bool{otherMethod: true}, 0}
	for _, r := range slices.Concat(s.rules, now.rules) {
		c.depth = max(c.depth, len(r.pattern.segments))
		for _, m := range r.Methods {
			c.methods[m] = true
		}
	}
	for _, before := range append(slices.Clone(s.rules), nil) {
		for _, after := range append(slices.Clone(now.rules), nil) {
			if shift, found := c.shift(before, after); found {
				list = append(list, shift)
			}
		}
	}
	return list
}

// A comparison looks for requests that two sets of rules treat otherwise.
type comparison struct {
	was, now *Ruleset
	methods  map[string]bool // that a rule names, and otherMethod
	depth    int             // segments of the longest pattern
}

// otherMethod stands for every method that no rule names. No request has it.
const otherMethod = ""

// shift returns the requests that before decided and after decides; nil is no rule. It is
// false if there are none, or they are treated alike.
func (c comparison) shift(before, after *CompiledRule) (RuleShift, bool) {
	if before.treatsAs(after) {
		return RuleShift{}, false
	}
	both, ok := meet(before, after)
	if !ok {
		return RuleShift{}, false
	}
	out := RuleShift{Path: both.text, Was: before, Now: after}
	var others []string
	for _, m := range slices.Sorted(maps.Keys(c.methods)) {
		switch {
		case !before.takes(m) || !after.takes(m) || !c.decide(before, after, m, both):
			others = append(others, m)
		case m == otherMethod:
			out.ButNot = true
		default:
			out.Methods = append(out.Methods, m)
		}
	}
	found := out.ButNot || len(out.Methods) > 0
	if out.ButNot {
		out.Methods = others
	}
	return out, found
}

// decide reports whether before and after decide a request with the method and a path
// that the pattern matches.
func (c comparison) decide(before, after *CompiledRule, method string, p *PathPattern) bool {
	for path := range p.samples(c.depth) {
		if c.was.Match(method, path) == before && c.now.Match(method, path) == after {
			return true
		}
	}
	return false
}

// takes reports whether the rule matches the method; nil, which is no rule, takes all.
func (r *CompiledRule) takes(method string) bool {
	return r == nil || len(r.Methods) == 0 || slices.Contains(r.Methods, method)
}

// treatsAs reports whether both rules treat a request that both match alike.
func (r *CompiledRule) treatsAs(other *CompiledRule) bool {
	if r == nil || other == nil {
		return r == other
	}
	if r.Need != other.Need || r.Split != other.Split || !maps.Equal(r.Captures, other.Captures) || !maps.Equal(r.Set, other.Set) {
		return false
	}
	return r.Path == other.Path || !r.usesPath() && !other.usesPath()
}

// usesPath reports whether the rule needs or sets something that the path holds.
func (r *CompiledRule) usesPath() bool {
	return slices.ContainsFunc(r.captures, func(c capture) bool { return c.used && c.header == "" })
}

// meet returns a pattern for the paths that both rules match; nil, which is no rule,
// matches all. It is false if there are no such paths.
func meet(a, b *CompiledRule) (*PathPattern, bool) {
	switch {
	case b == nil || a != nil && b.pattern.covers(a.pattern):
		return a.pattern, true
	case a == nil || a.pattern.covers(b.pattern):
		return b.pattern, true
	}
	both := &PathPattern{}
	for i := range max(len(a.pattern.segments), len(b.pattern.segments)) {
		s, inA := a.pattern.segment(i)
		t, inB := b.pattern.segment(i)
		m, ok := meetSegments(s, t)
		if !inA || !inB || !ok {
			return nil, false
		}
		both.segments = append(both.segments, m)
	}
	both.text = both.write()
	return both, true
}

// segment returns the segment at i, from 0; false behind the end. The rest is also behind
// its own place.
func (p *PathPattern) segment(i int) (patternSegment, bool) {
	if last := p.segments[len(p.segments)-1]; i >= len(p.segments) {
		return last, last.kind == restSegment
	}
	return p.segments[i], true
}

// meetSegments returns what both segments match.
func meetSegments(s, t patternSegment) (both patternSegment, ok bool) {
	if s.kind > t.kind {
		s, t = t, s
	}
	switch t.kind {
	case endSegment:
		return t, s.kind == endSegment || s.kind == restSegment
	case restSegment, anySegment:
		return s, true
	}
	return s, s.text == t.text
}

// write returns the pattern as it is written.
func (p *PathPattern) write() string {
	var b strings.Builder
	for _, s := range p.segments {
		b.WriteByte('/')
		switch {
		case s.kind == anySegment:
			b.WriteString("{" + s.text + "}")
		case s.kind == restSegment && s.text != "":
			b.WriteString("{" + s.text + "...}")
		case s.kind == endSegment:
			b.WriteString("{$}")
		default:
			b.WriteString(s.text)
		}
	}
	return b.String()
}

// strangeSegment is a segment that is no literal of any pattern.
const strangeSegment = "\x00"

// samples yields paths that p matches. For every path that p matches there is a sample
// such that every pattern, of at most depth segments, that matches the sample matches the
// path too: a capture is a text that no pattern has, and the rest has every length.
func (p *PathPattern) samples(depth int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		path := ""
		for _, s := range p.segments {
			switch s.kind {
			case anySegment:
				path += "/" + strangeSegment
			case literalSegment, endSegment:
				path += "/" + s.literal()
			case restSegment:
				for range depth + 1 {
					if !yield(path+"/") || !yield(path+"/"+strangeSegment) {
						return
					}
					path += "/" + strangeSegment
				}
				return
			}
		}
		yield(path)
	}
}
