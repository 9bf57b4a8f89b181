package hallpass

import (
	"slices"
	"strings"
)

// needOf reads what a rule says that it needs: exactly one of public, a role and an
// action, the latter perhaps with a scope. The field of its error is that of the rule.
func needOf(w WrittenRule) (Need, *Error) {
	said, need := 0, Need{Scope: w.Scope}
	if w.Public {
		said, need.Kind = said+1, NeedNothing
	}
	if w.Role != "" {
		said, need.Kind = said+1, NeedRole
	}
	if w.Action != "" {
		said, need.Kind, need.Action = said+1, NeedPermission, Action(w.Action)
	}
	if said != 1 {
		return Need{}, errNotOneNeed
	}
	if need.Kind == NeedRole {
		var known bool
		if need.Role, known = ParseRole(w.Role); !known {
			return Need{}, Invalidf("role", "%q is no basic role: those are None, Viewer, Editor and Admin", w.Role)
		}
	}
	return need, nil
}

var errNotOneNeed = Invalidf("action", "the rule says exactly one of public, role and action")

// maxCaptured is the longest value that a rule captures, in bytes.
const maxCaptured = 200

// Captured is what a rule captured from one request.
type Captured struct {
	// Asked are the scopes of the permissions that the caller was found to hold, as
	// Authorize fills them in: all that the request needs, unless it refuses.
	Asked  AskedScopes
	values [maxRuleCaptures]string // by the rule's captures
}

// Capture returns what the rule captures from a request that it matches. header has
// the headers of the original request, by their canonical names. A value that could
// mean something else in a scope, or holds a token, is refused, with a Denied error. It allocates
// nothing unless it refuses.
func (r *CompiledRule) Capture(path string, header map[string][]string) (c Captured, err *Error) {
	for i, capture := range r.captures {
		if !capture.used {
			continue
		}
		if capture.header == "" {
			c.values[i] = r.pattern.value(capture.name, path)
		} else if list := header[capture.header]; len(list) == 0 {
			return c, r.captureError(capture, "it is not in the request, or the proxy does not pass it on to Hallpass")
		} else if len(list) != 1 {
			return c, r.captureError(capture, "it stands in the request %d times, and must stand there once", len(list))
		} else {
			c.values[i] = list[0]
		}
		split := r.Split
		if capture.header == "" {
			split = ""
		}
		for left, more := c.values[i], true; more; {
			var value string
			if value, left, more = cutPart(left, split); !capturable(value) {
				return c, r.captureError(capture, "its value is empty, longer than %d characters, or holds one of * , | : or a control character", maxCaptured)
			} else if HoldsToken(value) {
				return c, r.captureError(capture, "its value holds a token, which a refusal would tell to others")
			}
		}
	}
	return c, nil
}

func (r *CompiledRule) captureError(c capture, format string, args ...any) *Error {
	source := "the path"
	if c.header != "" {
		source = "the header " + r.spelled(c)
	}
	err := Invalidf("", format, args...)
	return &Error{Kind: Denied, ID: "guard.capture", Message: "What " + c.name + " stands for comes from " + source + ": " + err.Message}
}

// spelled returns the header of the capture as the rule writes it.
func (r *CompiledRule) spelled(c capture) string {
	return strings.TrimPrefix(r.Captures[c.name], headerSource)
}

// headerSource stands before the header in the source of a capture.
const headerSource = "header:"

// cutPart returns the first of the values that split separates, and the others.
func cutPart(s, split string) (part, left string, more bool) {
	if split == "" {
		return s, "", false
	}
	return strings.Cut(s, split)
}

// capturable reports whether the value may stand in a scope: it means one thing.
func capturable(s string) bool {
	if s == "" || len(s) > maxCaptured {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || c == '*' || c == ',' || c == '|' || c == ':' {
			return false
		}
	}
	return true
}

// Authorize returns a Denied error that says what is missing, unless the caller has
// what the rule needs for a request from which c was captured: of several values
// each. A nil error of a rule without captures costs no allocation.
func (r *CompiledRule) Authorize(guard string, caller Caller, c *Captured) *Error {
	switch r.Need.Kind {
	case NeedNothing:
		return nil
	case NeedRole:
		if caller.Role >= r.Need.Role {
			return nil
		}
		return lacksForGuard(guard, "guard.role", "the role "+r.Need.Role.String(), Permission{})
	case NeedPermission:
		if missing, lacks := r.missing(caller, c); lacks {
			return lacksForGuard(guard, "guard.permission", "the permission "+missing.String(), missing)
		}
		return nil
	}
	return lacksForGuard(guard, "guard.permission", "what nobody has", Permission{})
}

// missing returns the first permission that the request needs and the caller does
// not hold, and notes in c the scopes of those before it.
func (r *CompiledRule) missing(caller Caller, c *Captured) (want Permission, lacks bool) {
	for _, want := range r.Permissions(c) {
		if !caller.Can(want.Action, want.Scope) {
			return want, true
		}
		c.Asked.Add(want.Scope)
	}
	return Permission{}, false
}

// Permissions yields the permissions that a request needs from which c was captured.
func (r *CompiledRule) Permissions(c *Captured) func(yield func(int, Permission) bool) {
	return func(yield func(int, Permission) bool) {
		if r.Need.Kind != NeedPermission {
			return
		}
		several := r.several()
		if several < 0 {
			yield(0, Permission{r.Need.Action, r.scopeOf(c, -1, "")})
			return
		}
		left, more := c.values[several], true
		for i := 0; more; i++ {
			var part string
			part, left, more = cutPart(left, r.Split)
			if !yield(i, Permission{r.Need.Action, r.scopeOf(c, several, part)}) {
				return
			}
		}
	}
}

// several returns the capture of the scope that may have several values, -1 if none.
func (r *CompiledRule) several() int {
	if r.Split != "" {
		for i, c := range r.captures {
			if c.header != "" && r.scope.uses(i) {
				return i
			}
		}
	}
	return -1
}

// scopeOf returns the scope for one value of the capture that has several.
func (r *CompiledRule) scopeOf(c *Captured, several int, part string) Scope {
	if len(r.captures) == 0 {
		return Scope(r.Need.Scope)
	}
	return Scope(r.scope.fill(func(p templatePart) string {
		if p.capture == several {
			return part
		}
		return c.values[p.capture]
	}))
}

func lacksForGuard(guard, id, what string, missing Permission) *Error {
	return &Error{Kind: Denied, ID: id, Needs: string(missing.Action), NeedsOn: missing.Scope, Message: "The guard " + guard + " needs " + what + " for this request"}
}

// ReadHeaders returns the headers that the rule captures from, by canonical names.
func (r *CompiledRule) ReadHeaders() (names []string) {
	for _, c := range r.captures {
		if c.header != "" {
			names = append(names, c.header)
		}
	}
	return names
}

// ReadLines returns the headers that the rule captures from, as the request has them: a
// line each, as "X-Scope-OrgID: a", by the names of the captures.
func (r *CompiledRule) ReadLines(header map[string][]string) string {
	var lines []string
	for _, c := range r.captures {
		if c.header == "" {
			continue
		}
		for _, value := range header[c.header] {
			if line := r.spelled(c) + ": " + value; !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// Sets reports whether the API gets headers by the rule.
func (r *CompiledRule) Sets() bool { return len(r.set) > 0 }

// Headers calls set with each header that the API gets by the rule. field returns
// what {caller.…} stands for, as a header can hold it.
func (r *CompiledRule) Headers(c *Captured, field func(name string) string, set func(name, value string)) {
	for _, h := range r.set {
		set(h.name, h.text.fill(func(p templatePart) string {
			if p.caller != "" {
				return field(p.caller)
			}
			return c.values[p.capture]
		}))
	}
}
