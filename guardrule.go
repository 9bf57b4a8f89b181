package hallpass

import (
	"maps"
	"net/textproto"
	"slices"
	"strings"
)

// compileRule reads one rule. The field of its error is that of the rule.
func compileRule(r GuardRule, number int, allowed Spellings) (*CompiledRule, *Error) {
	c := &CompiledRule{GuardRule: r, Number: number}
	for _, part := range []func() *Error{
		c.validateNoToken, c.validateMethods,
		func() (err *Error) { c.pattern, err = ParsePathPattern(r.Path, allowed); return err },
		c.validateNeed, c.readCaptures, c.readScope, c.readSet, c.markUsed,
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// validateNoToken refuses a rule that holds a token: rules are stored and shown.
func (r *CompiledRule) validateNoToken() *Error {
	texts := map[string][]string{
		"methods": r.Methods, "path": {r.Path}, "action": {string(r.Need.Action)}, "scope": {r.Need.Scope}, "split": {r.Split},
		"captures": slices.Concat(slices.Collect(maps.Keys(r.Captures)), slices.Collect(maps.Values(r.Captures))),
		"set":      slices.Concat(slices.Collect(maps.Keys(r.Set)), slices.Collect(maps.Values(r.Set))),
	}
	for _, field := range slices.Sorted(maps.Keys(texts)) {
		for _, text := range texts[field] {
			if ValidateNoToken(field, text) != nil {
				return Invalidf(field, "it holds a token: rules are stored and shown")
			}
		}
	}
	return nil
}

func (r *CompiledRule) validateMethods() *Error {
	if len(r.Methods) > maxRuleMethods {
		return Invalidf("methods", "a rule has at most %d methods", maxRuleMethods)
	}
	for i, m := range r.Methods {
		switch {
		case m == "*":
			return Invalidf("methods", "no request has the method *: for any method, name none")
		case !httpToken(m):
			return Invalidf("methods", "%q is no HTTP method", m)
		case m == "HEAD":
			return Invalidf("methods", "write GET instead of HEAD: GET stands for both")
		case slices.Contains(r.Methods[:i], m):
			return Invalidf("methods", "%s stands twice in the methods", m)
		}
	}
	return nil
}

// httpToken reports whether s is a token of RFC 9110, section 5.6.2.
func httpToken(s string) bool {
	return s != "" && len(s) <= maxScope && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func (r *CompiledRule) validateNeed() *Error {
	switch n := r.Need; {
	case n.Kind == NeedUnknown:
		return errNotOneNeed
	case n.Kind == NeedPermission && !n.Action.Valid():
		return Invalidf("action", "%q is no action: actions read like prometheus:query", n.Action)
	case n.Kind != NeedPermission && n.Scope != "":
		return Invalidf("scope", "a scope belongs to an action")
	}
	return nil
}

// readCaptures finds where the captures of the rule come from.
func (r *CompiledRule) readCaptures() *Error {
	for _, name := range r.pattern.captures() {
		r.captures = append(r.captures, capture{name: name})
	}
	for name, source := range r.Captures {
		header, found := strings.CutPrefix(source, headerSource)
		switch {
		case !ValidCaptureName(name):
			return Invalidf("captures", "%q is no name of a capture: it has letters, digits and underscores, and begins with a letter", name)
		case !found || !httpToken(header):
			return Invalidf("captures", "the capture %s comes from %q: a source reads like header:X-Scope-OrgID", name, source)
		case !readable(header):
			return Invalidf("captures", "the capture %s cannot come from the header %s: it holds a credential, or the API does not get it from clients", name, header)
		case slices.Contains(r.pattern.captures(), name):
			return Invalidf("captures", "the capture %s has two sources: the path and a header", name)
		}
		r.captures = append(r.captures, capture{name: name, header: textproto.CanonicalMIMEHeaderKey(header)})
	}
	slices.SortFunc(r.captures, func(a, b capture) int { return strings.Compare(a.name, b.name) })
	if len(r.captures) > maxRuleCaptures {
		return Invalidf("captures", "a rule has at most %d captures", maxRuleCaptures)
	}
	if r.Split != "" && (len(r.Split) > 8 || strings.ContainsFunc(r.Split, func(c rune) bool { return c <= ' ' || c >= 0x7f || alphanumeric(byte(c)) })) {
		return Invalidf("split", "what separates values is one to eight visible characters, as |, and no letters or digits: values hold those")
	}
	return nil
}

func (r *CompiledRule) readScope() (err *Error) {
	if r.scope, err = parseTemplate("scope", r.Need.Scope, r.captures); err != nil {
		return err
	}
	example := Scope(r.scope.fill(func(templatePart) string { return "x" }))
	several := 0
	for i, c := range r.captures {
		if c.header != "" && r.Split != "" && r.scope.uses(i) {
			several++
		}
	}
	if several > 1 {
		return Invalidf("split", "the scope holds more than one header that split separates")
	}
	if !example.WellFormed() || strings.Contains(r.Need.Scope, "*") {
		return Invalidf("scope", "%q is no scope that a request can need: parts with colons between, as loki:tenants:{tenant}, and no *", r.Need.Scope)
	}
	return nil
}

// readSet reads the headers that the API gets.
func (r *CompiledRule) readSet() *Error {
	if len(r.Set) > maxRuleSet {
		return Invalidf("set", "a rule sets at most %d headers", maxRuleSet)
	}
	seen := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(r.Set)) {
		text, key := r.Set[name], textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !settable(name):
			return Invalidf("set", "the header %q cannot be set", name)
		case seen[key]:
			return Invalidf("set", "the header %s is set twice: case makes no difference in its name", name)
		}
		seen[key] = true
		if len(text) > maxScope || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c >= 0x7f }) {
			return Invalidf("set", "the header %s gets a text that no header can hold", name)
		}
		t, err := parseTemplate("set", text, r.captures)
		if err != nil {
			return err
		}
		r.set = append(r.set, headerTemplate{key, t})
	}
	slices.SortFunc(r.set, func(a, b headerTemplate) int { return strings.Compare(a.name, b.name) })
	return nil
}

// markUsed finds which captures the scope and the headers hold. One from a header that
// none holds is refused: its request would need a header that decides nothing.
func (r *CompiledRule) markUsed() *Error {
	for i := range r.captures {
		c := &r.captures[i]
		c.used = r.scope.uses(i) || slices.ContainsFunc(r.set, func(h headerTemplate) bool { return h.text.uses(i) })
		if !c.used && c.header != "" {
			return Invalidf("captures", "the capture %s is used neither in the scope nor in set", c.name)
		}
	}
	return nil
}

// IdentityHeader reports whether some server may read the header as one in which
// Hallpass tells who calls: its name begins with "x-hallpass-" in any case, also with
// "_" or "." in place of "-". Clients must not be able to set such headers.
func IdentityHeader(name string) bool {
	const prefix = "x-hallpass-"
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := name[i]
		switch {
		case c == '_' || c == '.':
			c = '-'
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

// A template is a text with captures in it.
type template []templatePart

type templatePart struct {
	text    string
	capture int    // its index in the rule's captures; -1: none
	caller  string // one of callerFields; "": none
}

// callerFields are what a header may tell about the caller, as in {caller.account}.
var callerFields = []string{"caller.account", "caller.account_id", "caller.org_id", "caller.role", "caller.token_id"}

// parseTemplate reads a text in which captures stand as {name}.
func parseTemplate(field, s string, captures []capture) (t template, err *Error) {
	for s != "" {
		text, rest, open := strings.Cut(s, "{")
		if strings.Contains(text, "}") {
			return nil, Invalidf(field, "%q has a } without a {", s)
		}
		if text != "" {
			t = append(t, templatePart{text: text, capture: -1})
		}
		if !open {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		part := templatePart{capture: slices.IndexFunc(captures, func(c capture) bool { return c.name == name })}
		if field == "set" && slices.Contains(callerFields, name) {
			part.caller = name
		}
		if !closed || part.capture < 0 && part.caller == "" {
			return nil, Invalidf(field, "the capture {%s} has no source: it stands neither in the path nor in captures", name)
		}
		t, s = append(t, part), after
	}
	return t, nil
}

// fill returns the text with the values of what stands in it.
func (t template) fill(value func(templatePart) string) string {
	switch {
	case len(t) == 0:
		return ""
	case len(t) == 1 && t[0].text != "":
		return t[0].text
	}
	var b strings.Builder
	for _, p := range t {
		if p.text != "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(value(p))
		}
	}
	return b.String()
}

// uses reports whether the text holds the capture.
func (t template) uses(capture int) bool {
	return slices.ContainsFunc(t, func(p templatePart) bool { return p.text == "" && p.capture == capture })
}
