package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// contractCall is a call that the contract tells of, with the names of what it
// takes.
type contractCall struct {
	method, path string
	query        []string
	headers      []string
	fields       map[string]contractField // of the body
}

type contractField struct {
	kind     string // "string", "integer", "boolean", "object" or "array"
	of       string // what an array is of
	required bool
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

// contractCalls reads the contract that the server shows.
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
				Parameters  []struct{ Name, In string }
				RequestBody struct {
					Content map[string]struct{ Schema schema }
				}
			}
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			c := contractCall{method: strings.ToUpper(method), path: path, fields: make(map[string]contractField)}
			for _, p := range op.Parameters {
				switch p.In {
				case "query":
					c.query = append(c.query, p.Name)
				case "header":
					c.headers = append(c.headers, p.Name)
				}
			}
			body := op.RequestBody.Content["application/json"].Schema
			if body.Ref != "" {
				body = doc.Components.Schemas[strings.TrimPrefix(body.Ref, "#/components/schemas/")]
			}
			for name, p := range body.Properties {
				f := contractField{kind: p.kind(), required: slices.Contains(body.Required, name)}
				if p.Items != nil {
					f.of = p.Items.kind()
				}
				c.fields[name] = f
			}
			calls = append(calls, c)
		}
	}
	order := func(c contractCall) string { // what is deleted is deleted last
		return map[bool]string{true: "~"}[c.method == "DELETE"] + c.path + c.method
	}
	slices.SortFunc(calls, func(a, b contractCall) int { return strings.Compare(order(a), order(b)) })
	if len(calls) < 150 {
		t.Fatalf("the contract has only %d calls", len(calls))
	}
	return calls
}

// A probe is one call with one strange value somewhere.
type probe struct {
	where  string // for people
	method string
	path   string // with its query
	body   string
	header string // "Name: value"
}

// probes puts each of the values into each path part, query, header and body
// field of the call. fill puts what is there into the path.
func (c contractCall) probes(fill func(string) string, values []string, json []any, number func() int) []probe {
	var list []probe
	body := func(name string, value any) string {
		if len(c.fields) == 0 {
			return ""
		}
		b := make(map[string]any)
		for other, f := range c.fields {
			if v, known := sample(other, number()); known && (f.required || other == "name" || other == "title" || other == "dashboard") {
				b[other] = v
			}
		}
		if name != "" {
			b[name] = value
		}
		return marshal(b)
	}
	path := fill(c.path)
	if strings.HasSuffix(path, "/events") {
		path = fill(strings.Replace(c.path, "{token}", "999999", 1)) // the stream of one that is there would not end
	}
	parts := strings.Split(c.path, "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		for _, v := range values {
			if v == "" || strings.HasSuffix(path, "/events") && part != "{token}" {
				continue
			}
			strange := slices.Clone(parts)
			strange[i] = escape(v)
			list = append(list, probe{fmt.Sprintf("%s = %.30q", part, v), c.method, fill(strings.Join(strange, "/")), body("", nil), ""})
		}
	}
	for _, name := range c.query {
		for _, v := range values {
			list = append(list, probe{fmt.Sprintf("?%s = %.30q", name, v), c.method, path + "?" + name + "=" + escape(v), body("", nil), ""})
		}
	}
	for _, name := range append([]string{"User-Agent", "Accept"}, c.headers...) {
		for _, v := range values {
			if !strings.ContainsAny(v, "\x00\x1b\r\n\x7f") && v != "" { // net/http refuses these before us
				list = append(list, probe{fmt.Sprintf("%s = %.30q", name, v), c.method, path, body("", nil), name + ": " + v})
			}
		}
	}
	names := make([]string, 0, len(c.fields))
	for name := range c.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := c.fields[name]
		for _, v := range values {
			switch {
			case f.kind == "string":
				list = append(list, probe{fmt.Sprintf("%s = %.30q", name, v), c.method, path, body(name, v), ""})
			case f.kind == "array" && f.of == "string":
				list = append(list, probe{fmt.Sprintf("%s = [%.30q]", name, v), c.method, path, body(name, []any{v}), ""})
			}
		}
		for _, v := range json {
			list = append(list, probe{fmt.Sprintf("%s = %.30v", name, v), c.method, path, body(name, v), ""})
			if f.kind == "array" {
				list = append(list, probe{fmt.Sprintf("%s = [%.30v]", name, v), c.method, path, body(name, []any{v}), ""})
			}
		}
	}
	return list
}

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

// escape percent-encodes every byte that is not a letter or digit.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-' || c == '_' || c == '.' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

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
	}
	return nil, false
}

// strange are texts that nobody means well with, and some that are meant well.
func strange() []string {
	wide := make([]rune, 190) // the longest name, in characters of four bytes that no database can shorten
	for i := range wide {
		wide[i] = rune(0x20000 + i*7)
	}
	group := make([]rune, 1024)
	for i := range group {
		group[i] = rune(0x20000 + i*11)
	}
	return []string{
		"", " ", "\x00", "a\x00b", "a\nb\x1b[0m", "\x7f", "\u0085", "\xff\xfe", "\xc3", "\xed\xa0\x80", strings.Repeat("x", 10_000), strings.Repeat("x", 190), strings.Repeat("\ufdfa", 190),
		string(wide), string(group), "\uff41dmin", "\u0430dmin", "a\u200bb", "a\u202eb", "\U000e0061", "cafe\u0301", "\ufffd", "\U0010ffff", "0", "-1", "007", "1.5", "1e3", "+1", "9223372036854775807", "9223372036854775808",
		"-9223372036854775808", "2147483648", "99999999999999999999999", "NaN", "null", "true", "..", "../../etc/passwd", "a/b", "a%00b", "%", "'; DROP TABLE users; --", "a\\", "*", "general", "api_key", "a,b,,c", "[1]",
		"2026-11-23T12:00:00Z", "0001-01-01T00:00:00Z", "99999-01-01T00:00:00Z", "users:id:*", "\U0001f511",
	}
}

// strangeJSON are values of other types and numbers out of range.
func strangeJSON() []any {
	return []any{
		nil, true, 0, -1, 1, raw("2147483648"), raw("9223372036854775807"), raw("9223372036854775808"), raw("-9223372036854775808"), raw("1.5"), raw("1e400"), raw("1e2"),
		"x", []any{}, []any{nil}, map[string]any{}, map[string]any{"a": "b"}, raw(strings.Repeat("[", 20_000)), raw("\"\\ud800\""),
	}
}

// TestStrangeInput sends every call of the contract strange values in every
// path part, query, header and body field: nothing is our fault. The run on
// PostgreSQL sends all of them to a server on SQLite as well, and both answer
// alike; another run sends one in seven.
func TestStrangeInput(t *testing.T) {
	servers, each := []*hallpasstest.Server{hallpasstest.New(t)}, 7
	if hallpasstest.OnPostgres() {
		each = 1
		servers = append(servers, hallpasstest.New(t, func(c *server.Config) { c.Database.Type, c.Database.URL = "sqlite3", secret.Text{} }))
	}
	walkers := make([]walker, len(servers))
	for i, s := range servers {
		walkers[i] = newWalker(t, s)
	}
	sent, n := 0, 0
	for _, c := range contractCalls(t, servers[0]) {
		if c.path == "/openapi.json" || c.path == "/docs" || c.path == "/docs.css" {
			continue
		}
		for _, p := range c.probes(walkers[0].targets.fill, strange(), strangeJSON(), func() int { n++; return n }) {
			if sent++; sent%each != 0 {
				continue
			}
			var first int
			for i, w := range walkers {
				status := w.send(t, p)
				if status >= 500 {
					t.Errorf("%s %.200s with %s: %d", c.method, c.path, p.where, status)
				}
				if i == 0 {
					first = status
				} else if status != first {
					t.Errorf("%s %.200s with %s: %d on PostgreSQL, %d on SQLite", c.method, c.path, p.where, first, status)
				}
			}
		}
	}
	for _, v := range strange() {
		for _, as := range []hallpasstest.Credential{hallpasstest.Basic(v, "x"), hallpasstest.Basic("admin", v), hallpasstest.Basic("api_key", v)} {
			for _, path := range []string{"/api/org", "/guard/verify"} {
				sent++
				var first int
				for i, w := range walkers {
					w.server.Clock.Wind(2 * time.Minute) // wrong passwords are counted
					status := w.server.Send(as, "GET", path, "").StatusCode
					if status >= 500 || i > 0 && status != first {
						t.Errorf("%s with the credential %.30q: %d, on PostgreSQL %d", path, v, status, first)
					}
					first = status
				}
			}
		}
	}
	if sent < 10_000 {
		t.Errorf("only %d requests: this test does not look where it should", sent)
	}
}

// A walker is a server admin who calls everything, by a session that renaming
// does not end.
type walker struct {
	server  *hallpasstest.Server
	as      hallpasstest.Credential
	targets targets
}

func newWalker(t *testing.T, s *hallpasstest.Server) walker {
	t.Helper()
	var cookie *http.Cookie
	for range 2 { // the first session is for the probes to end
		r := s.Do(hallpasstest.Nobody, "POST", "/login", marshal(map[string]any{"user": "admin", "password": hallpasstest.AdminPassword}))
		if r.StatusCode != 200 {
			t.Fatalf("sign in: %d %s", r.StatusCode, r.Text)
		}
		cookie = r.Cookies()[0]
	}
	return walker{s, func(r *http.Request) { r.AddCookie(cookie) }, newTargets(t, s, 1, "")}
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
	r := w.server.Send(w.as, p.method, p.path, p.body, headers...)
	if r.StatusCode == http.StatusUnauthorized && w.server.Send(w.as, "GET", "/api/login/ping", "").StatusCode != 200 {
		t.Fatalf("%s %.200s with %s ended the session", p.method, p.path, p.where)
	}
	return r.StatusCode
}
