package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// contractCall is a call in the contract, with its parameters and fields.
type contractCall struct {
	method, path string
	query        []string
	kinds        map[string]string // of query: "string", "integer" or "boolean"
	headers      []string
	fields       map[string]contractField // of the body
	needsBody    bool
}

type contractField struct {
	kind     string // "string", "integer", "boolean", "object" or "array"
	of       string // what an array is of
	required bool
	inside   map[string]contractField // of an object, or of each that an array holds
}

// modelFields are the fields of a dashboard that Hallpass reads. The contract does not list
// them.
var modelFields = map[string]contractField{
	"title": {kind: "string"}, "uid": {kind: "string"}, "id": {kind: "integer"}, "version": {kind: "integer"}, "tags": {kind: "array", of: "string"},
	"__inputs": {kind: "array", of: "object"}, "panels": {kind: "array", of: "object"},
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Required   []string
	Properties map[string]schema
	Items      *schema
}

func (s schema) kind() string {
	if list, ok := s.Type.([]any); ok && len(list) > 0 {
		return list[0].(string)
	}
	if word, ok := s.Type.(string); ok {
		return word
	}
	return "object"
}

// fieldsOf returns the fields of a schema.
func fieldsOf(s schema, named map[string]schema) map[string]contractField {
	resolve := func(s schema) schema {
		if s.Ref != "" {
			return named[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
		}
		return s
	}
	s = resolve(s)
	fields := make(map[string]contractField)
	for name, p := range s.Properties {
		p = resolve(p)
		f := contractField{kind: p.kind(), required: slices.Contains(s.Required, name)}
		inside := p
		if p.Items != nil {
			inside = resolve(*p.Items)
			f.of = inside.kind()
		}
		if len(inside.Properties) > 0 {
			f.inside = fieldsOf(inside, named)
		}
		if name == "dashboard" {
			f.inside = modelFields
		}
		fields[name] = f
	}
	return fields
}

// contractCalls reads the contract that the server serves.
func contractCalls(t *testing.T, s *hallpasstest.Server) []contractCall {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]schema }
	}
	into(t, s.Do(hallpasstest.Nobody, "GET", "/openapi.json", ""), &doc)
	var calls []contractCall
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			if method == "parameters" {
				continue
			}
			var op struct {
				Parameters []struct {
					Name, In string
					Schema   schema
				}
				RequestBody struct {
					Required bool
					Content  map[string]struct{ Schema schema }
				}
			}
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			c := contractCall{method: strings.ToUpper(method), path: path, kinds: make(map[string]string)}
			for _, p := range op.Parameters {
				switch p.In {
				case "query":
					c.query = append(c.query, p.Name)
					c.kinds[p.Name] = p.Schema.kind()
				case "header":
					c.headers = append(c.headers, p.Name)
				}
			}
			c.needsBody = op.RequestBody.Required
			c.fields = fieldsOf(op.RequestBody.Content["application/json"].Schema, doc.Components.Schemas)
			calls = append(calls, c)
		}
	}
	order := func(c contractCall) string { // deletions come last
		return map[bool]string{true: "~"}[c.method == "DELETE"] + c.path + c.method
	}
	slices.SortFunc(calls, func(a, b contractCall) int { return strings.Compare(order(a), order(b)) })
	if len(calls) < 150 {
		t.Fatalf("the contract has only %d calls", len(calls))
	}
	return calls
}

// A probe is one call with one strange value.
type probe struct {
	where  string // for people
	method string
	path   string // with its query
	body   string
	header string // "Name: value"
}

// A prober makes the probes of calls.
type prober struct {
	targets targets
	texts   func() []string // to try in one place
	values  func() []any    // likewise, where JSON stands
	made    int             // names given so far
}

// newProber returns one that draws strange values for each place.
func newProber(things targets) *prober {
	d := hallpasstest.NewDraw()
	return &prober{
		targets: things,
		texts:   func() []string { return hallpasstest.Of(d, 5, hallpasstest.StrangeTexts()) },
		values:  func() []any { return hallpasstest.Of(d, 3, strangeJSON()) },
	}
}

// probes returns calls with one strange value each: in each path part, query, header and
// body field of the call, also in the fields of objects in the body.
func (x *prober) probes(c contractCall) []probe {
	var list []probe
	path := x.targets.fill(c.path)
	if strings.HasSuffix(path, "/events") {
		path = x.targets.fill(strings.Replace(c.path, "{token}", "999999", 1)) // the stream of one that is there would not end
	}
	parts := strings.Split(c.path, "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") || strings.HasSuffix(path, "/events") && part != "{token}" {
			continue
		}
		for _, v := range x.texts() {
			if v == "" {
				continue
			}
			strange := slices.Clone(parts)
			strange[i] = hallpasstest.Escape(v)
			list = append(list, probe{fmt.Sprintf("%s = %.30q", part, v), c.method, x.targets.fill(strings.Join(strange, "/")), x.body(c, "", nil), ""})
		}
	}
	for _, name := range c.query {
		for _, v := range x.texts() {
			list = append(list, probe{fmt.Sprintf("?%s = %.30q", name, v), c.method, path + "?" + name + "=" + hallpasstest.Escape(v), x.body(c, "", nil), ""})
		}
	}
	for _, name := range append([]string{"User-Agent", "Accept"}, c.headers...) {
		for _, v := range x.texts() {
			if !strings.ContainsAny(v, "\x00\x1b\r\n\x7f") && v != "" { // net/http refuses these before Hallpass does
				list = append(list, probe{fmt.Sprintf("%s = %.30q", name, v), c.method, path, x.body(c, "", nil), name + ": " + v})
			}
		}
	}
	for _, name := range sorted(c.fields) {
		f := c.fields[name]
		for _, v := range x.strangeFor(f) {
			list = append(list, probe{fmt.Sprintf("%s = %.30v", name, v), c.method, path, x.body(c, name, v), ""})
		}
		for _, inner := range sorted(f.inside) {
			for _, v := range x.strangeFor(f.inside[inner]) {
				list = append(list, probe{fmt.Sprintf("%s.%s = %.30v", name, inner, v), c.method, path, x.body(c, name, x.around(f, inner, v)), ""})
			}
		}
	}
	return list
}

// strangeFor returns the strange values for a field.
func (x *prober) strangeFor(f contractField) (list []any) {
	for _, v := range x.texts() {
		switch {
		case f.kind == "string":
			list = append(list, v)
		case f.kind == "array" && f.of == "string":
			list = append(list, []any{v})
		}
	}
	for _, v := range x.values() {
		list = append(list, v)
		if f.kind == "array" {
			list = append(list, []any{v})
		}
	}
	return list
}

// body returns a body for the call, with the value in the field of that name.
func (x *prober) body(c contractCall, name string, value any) string {
	if len(c.fields) == 0 {
		return ""
	}
	x.made++
	b := make(map[string]any)
	for _, other := range sorted(c.fields) {
		if v, known := sample(other, x.made); known && (c.fields[other].required || other == "name" || other == "title" || other == "dashboard") {
			b[other] = v
		}
	}
	if name != "" {
		b[name] = value
	}
	return marshal(b)
}

// around returns a value for the field, with the value in its own field inner.
func (x *prober) around(f contractField, inner string, value any) any {
	x.made++
	holders := []string{"userId", "teamId", "builtInRole", "role"} // one of them
	object := make(map[string]any)
	for _, other := range sorted(f.inside) {
		v, known := sample(other, x.made)
		switch {
		case slices.Contains(holders, other):
			if other != "userId" || slices.Contains(holders, inner) {
				continue
			}
			v = raw(x.targets.user)
		case other == "permission" && f.inside[other].kind == "integer":
			v = 1
		case !known:
			continue
		}
		object[other] = v
	}
	object[inner] = value
	if f.kind == "array" {
		return []any{object}
	}
	return object
}

func sorted(fields map[string]contractField) []string { return slices.Sorted(maps.Keys(fields)) }

// marshal writes JSON in which texts that are not UTF-8 stay as they are.
func marshal(v any) string {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		var parts []string
		for _, name := range names {
			parts = append(parts, marshal(name)+":"+marshal(v[name]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, in := range v {
			parts = append(parts, marshal(in))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case string:
		var b strings.Builder
		for i := range len(v) {
			switch c := v[i]; {
			case c < ' ' || c == '"' || c == '\\':
				fmt.Fprintf(&b, `\u%04x`, c)
			default:
				b.WriteByte(c)
			}
		}
		return `"` + b.String() + `"`
	case raw:
		return string(v)
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// raw is JSON as it stands.
type raw string

// sample returns a value that a field of the name takes.
func sample(name string, n int) (any, bool) {
	unique := fmt.Sprint("n", n)
	switch strings.ToLower(name) {
	case "name", "title", "login", "groupid":
		return unique, true
	case "email":
		return unique + "@example.com", true
	case "password", "newpassword":
		return hallpasstest.UserPassword, true
	case "oldpassword":
		return "x", true
	case "role", "builtinrole":
		return "Viewer", true
	case "loginoremail":
		return "nobody-" + unique, true
	case "dashboard":
		return map[string]any{"title": unique}, true
	case "permission":
		return "View", true
	case "user":
		return "nobody", true
	case "action":
		return "teams:read", true
	case "scope":
		return "teams:*", true
	}
	return nil, false
}

// strangeJSON are values of other types and numbers out of range.
func strangeJSON() []any {
	return []any{
		nil, true, 0, -1, 1, raw("2147483648"), raw("9223372036854775807"), raw("9223372036854775808"), raw("-9223372036854775808"), raw("1.5"), raw("1e400"), raw("1e2"),
		"x", []any{}, []any{nil}, map[string]any{}, map[string]any{"a": "b"}, raw(strings.Repeat("[", 20_000)), raw("\"\\ud800\""),
	}
}

// TestStrangeInput sends every call of the contract strange values in every
// path part, query, header and body field. No answer is a 500, and both databases give the
// same answers.
func TestStrangeInput(t *testing.T) {
	const parts = 2
	sent := hallpasstest.OnBoth(t, parts, func(t *testing.T, s *hallpasstest.Server, part int) (answers []hallpasstest.Answer) {
		w := newWalker(t, s)
		x := newProber(newTargets(t, s, 1, ""))
		for i, c := range contractCalls(t, s) {
			if i%parts != part || c.path == "/openapi.json" || c.path == "/docs" || c.path == "/docs.css" {
				continue
			}
			for _, p := range x.probes(c) {
				answers = append(answers, hallpasstest.Answer{To: fmt.Sprintf("%s %.200s with %s", c.method, c.path, p.where), Status: w.send(t, p)})
			}
		}
		if part == 0 {
			answers = append(answers, w.credentials(x.texts())...)
		}
		return answers
	})
	if sent < 5_000 {
		t.Errorf("only %d requests: this test does not look where it should", sent)
	}
}

// credentials sends the texts as logins, passwords and tokens.
func (w walker) credentials(texts []string) (answers []hallpasstest.Answer) {
	for _, v := range texts {
		for i, as := range []hallpasstest.Credential{hallpasstest.Basic(v, "x"), hallpasstest.Basic("admin", v), hallpasstest.Basic("api_key", v)} {
			for _, path := range []string{"/api/org", "/guard/verify"} {
				w.server.Clock.Wind(2 * time.Minute) // wrong passwords are counted
				status := w.server.Send(as, "GET", path, "").StatusCode
				answers = append(answers, hallpasstest.Answer{To: fmt.Sprintf("%s with the credential %.30q (%d)", path, v, i), Status: status})
			}
		}
	}
	return answers
}

// A walker is a server admin who calls everything, with a session that a new login name
// does not end.
type walker struct {
	server *hallpasstest.Server
	as     hallpasstest.Credential
}

func newWalker(t *testing.T, s *hallpasstest.Server) walker {
	t.Helper()
	var cookie *http.Cookie
	for range 2 { // the probes may end the first session
		r := s.Do(hallpasstest.Nobody, "POST", "/login", marshal(map[string]any{"user": "admin", "password": hallpasstest.AdminPassword}))
		if r.StatusCode != 200 {
			t.Fatalf("sign in: %d %s", r.StatusCode, r.Text)
		}
		cookie = r.Cookies()[0]
	}
	return walker{s, func(r *http.Request) { r.AddCookie(cookie) }}
}

func (w walker) send(t *testing.T, p probe) int {
	t.Helper()
	var headers []string
	if p.header != "" {
		headers = append(headers, p.header)
	}
	if strings.HasPrefix(p.path, "/login") || strings.Contains(p.path, "/user/password") {
		w.server.Clock.Wind(2 * time.Minute) // wrong passwords are counted
	}
	r := hallpasstest.Patiently(t, w.server, p.method+" with "+p.where, func() (hallpasstest.Response, int, string) {
		r := w.server.Send(w.as, p.method, p.path, p.body, headers...)
		return r, r.StatusCode, r.Text
	})
	if r.StatusCode == http.StatusUnauthorized && w.server.Send(w.as, "GET", "/api/login/ping", "").StatusCode != 200 {
		t.Fatalf("%s %.200s with %s ended the session", p.method, p.path, p.where)
	}
	return r.StatusCode
}
