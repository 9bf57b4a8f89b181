package hallpass_test

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
)

func TestCanonicalPath(t *testing.T) {
	const none = hallpass.Spellings(0)
	for _, tt := range []struct {
		target  string
		allowed hallpass.Spellings
		want    string // "": refused
	}{
		{"/", none, "/"},
		{"/api/x", none, "/api/x"},
		{"/api/", none, "/api/"},
		{"/api/x%20y", none, "/api/x y"},
		{"/api/caf%C3%A9", none, "/api/café"},
		{"/api/a:b@c~d", none, "/api/a:b@c~d"},
		{"/api/x!$&'()*+,=-._~", none, "/api/x!$&'()*+,=-._~"},
		{"/%61pi/x", none, "/api/x"},
		{"/api/x?u=/../y", none, "/api/x"},
		{"/api/x?", none, "/api/x"},
		{"/api/x?a;b#c\\", none, "/api/x"},
		{"/...", none, "/..."},
		{"/.a/b.", none, "/.a/b."},
		{"/a%2eb", none, "/a.b"},
		{"/a%22b%7Cc", none, `/a"b|c`},

		{"", none, ""},
		{"?", none, ""},
		{"*", none, ""},
		{"api/x", none, ""},
		{"http://evil.test/api/x", none, ""},
		{"//api/x", none, ""},
		{"/api//x", none, ""},
		{"/api//", none, ""},
		{"/api/./x", none, ""},
		{"/api/.", none, ""},
		{"/api/../admin/x", none, ""},
		{"/api/..", none, ""},
		{"/admin/../api/x", none, ""},
		{"/api/%2e%2e/admin/x", none, ""},
		{"/api/%2E./admin/x", none, ""},
		{"/api/.%2e", none, ""},
		{"/api/%2e/x", none, ""},
		{"/api/..%2fadmin", none, ""},
		{"/api/a%2Fb", none, ""},
		{"/api/a%5cb", none, ""},
		{`/api\..\admin`, none, ""},
		{"/api/x;v=1", none, ""},
		{"/api/x%3bv=1", none, ""},
		{"/api/..;/admin", none, ""},
		{"/api/..%20/admin", none, ""}, // a file system of Windows reads ".."
		{"/api/..%20./admin", none, ""},
		{"/api/%20/admin", none, ""},
		{"/api/.x/x../...x", none, "/api/.x/x../...x"},
		{"/api/x%00", none, ""},
		{"/api/x%0d%0a", none, ""},
		{"/api/x%7f", none, ""},
		{"/api/x%zz", none, ""},
		{"/api/x%", none, ""},
		{"/api/x%2", none, ""},
		{"/api/x%3fq", none, ""},
		{"/api/x%23", none, ""},
		{"/api/x#f", none, ""},
		{"/api/a%252e%252e/b", none, ""},
		{"/api/%c0%ae%c0%ae/admin", none, ""}, // overlong dots
		{"/api/%ff", none, ""},
		{"/api/café", none, ""}, // bytes that are not ASCII
		{"/api/a b", none, ""},
		{"/api/a\tb", none, ""},
		{"/api/a\x00b", none, ""},
		{`/api/"a"`, none, ""},
		{"/api/<a>", none, ""},
		{"/api/a^b", none, ""},
		{"/api/a`b", none, ""},
		{"/api/{a}", none, ""},
		{"/api/a|b", none, ""},

		{"/api/a%2Fb", hallpass.EncodedSlash, "/api/a%2Fb"},
		{"/api/a%2fb", hallpass.EncodedSlash, "/api/a%2Fb"},
		{"/api/..%2fadmin", hallpass.EncodedSlash, ""},
		{"/api/a%2f..%2fadmin", hallpass.EncodedSlash, ""},
		{"/api/%2e%2e%2Fadmin", hallpass.EncodedSlash, ""},
		{"/api/%2F%2Fx", hallpass.EncodedSlash, ""},
		{"/api/x;v=1", hallpass.EncodedSlash, ""},
		{"/api/x;v=1", hallpass.Semicolon, "/api/x;v=1"},
		{"/api/..;/admin", hallpass.Semicolon, ""},
		{"/api/.;v=1", hallpass.Semicolon, ""},
		{"/api/%2e%2e;x/admin", hallpass.Semicolon, ""},
		{"/api/;/admin", hallpass.Semicolon, ""},
		{"/api/a%2fb", hallpass.Semicolon, ""},
		{"/api/a%2f..;x", hallpass.Semicolon | hallpass.EncodedSlash, ""},
	} {
		got, ok := hallpass.CanonicalPath(tt.target, tt.allowed)
		if ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("%q with %d: %q, %v; want %q", tt.target, tt.allowed, got, ok, tt.want)
		}
	}
}

// parameters are what some servers cut off a segment.
var parameters = regexp.MustCompile(`;[^/]*`)

// FuzzCanonicalPath reads a canonical path as other servers do: all must read the same.
func FuzzCanonicalPath(f *testing.F) {
	for _, s := range []string{"/api/x", "/%61pi/x%20", "/a%2Fb", "/a;b", "/..%2f", "/caf%C3%A9?x", "//", "/%2e%2e;"} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, target string, allow uint8) {
		allowed := hallpass.Spellings(allow & 3)
		got, ok := hallpass.CanonicalPath(target, allowed)
		if !ok {
			return
		}
		raw, _, _ := strings.Cut(target, "?")
		decoded, err := url.PathUnescape(raw)
		if err != nil {
			t.Fatalf("%q: %v", target, err)
		}
		if allowed&hallpass.EncodedSlash == 0 && decoded != got {
			t.Errorf("%q: %q, and net/url reads %q", target, got, decoded)
		}
		if allowed&hallpass.Semicolon != 0 {
			decoded = parameters.ReplaceAllString(decoded, "")
		}
		if cleaned := path.Clean(decoded); cleaned != decoded && cleaned+"/" != decoded {
			t.Errorf("%q: a server that resolves steps reads %q", target, cleaned)
		}
		if again, err := url.PathUnescape(decoded); err == nil && again != decoded {
			t.Errorf("%q: a server that decodes twice reads %q", target, again)
		}
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\\?#\x00\r\n") {
			t.Errorf("%q: %q", target, got)
		}
		u, err := url.ParseRequestURI(raw)
		if err != nil || u.Host != "" {
			t.Errorf("%q: net/http does not take it: %v %+v", target, err, u)
		}
	})
}

func TestPathPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern    string
		match, not []string
	}{
		{"/api/v1/query", []string{"/api/v1/query"}, []string{"/api/v1/query/", "/api/v1", "/api/v1/querys", "/API/v1/query", "/"}},
		{"/api/", []string{"/api/", "/api/x", "/api/x/y/"}, []string{"/api", "/", "/apix/"}},
		{"/", []string{"/", "/x", "/x/"}, nil},
		{"/{$}", []string{"/"}, []string{"/x", "/x/"}},
		{"/api/{$}", []string{"/api/"}, []string{"/api", "/api/x", "/api/x/"}},
		{"/{rest...}", []string{"/", "/x", "/x/y/"}, nil},
		{"/api/{rest...}", []string{"/api/", "/api/x/y"}, []string{"/api"}},
		{"/label/{name}/values", []string{"/label/a/values", "/label/a b/values"}, []string{"/label//values", "/label/a/b/values", "/label/values", "/label/a/values/"}},
		{"/{a}/{b}", []string{"/x/y"}, []string{"/x", "/x/", "/x/y/", "/x/y/z"}},
		{"/caf\u00e9/a b", []string{"/caf\u00e9/a b"}, []string{"/cafe/a b"}},
	} {
		p, err := hallpass.ParsePathPattern(tt.pattern, 0)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if p.String() != tt.pattern {
			t.Errorf("%s is written %s", tt.pattern, p)
		}
		for _, path := range tt.match {
			if !p.Matches(path) {
				t.Errorf("%s does not match %s", tt.pattern, path)
			}
		}
		for _, path := range tt.not {
			if p.Matches(path) {
				t.Errorf("%s matches %s", tt.pattern, path)
			}
		}
	}
}

func TestBadPathPattern(t *testing.T) {
	for _, s := range []string{
		"", "api", "*", "http://x/", "//", "/a//b", "/a/../b", "/./a", "/a?b", "/a#b", "/a%20b", "/a%2Fb", "/a\\b", "/a;b", "/a\x00", "/a\xff",
		"/{", "/}", "/{}", "/{a", "/a}", "/x{a}", "/{a}x", "/{a}{b}", "/{1a}", "/{a-b}", "/{a b}", "/{a}/{a}", "/{a...}/b", "/{$}/a", "/{...}", "/{a}/{a...}", "/" + strings.Repeat("x", 600),
	} {
		if p, err := hallpass.ParsePathPattern(s, 0); err == nil {
			t.Errorf("%q is taken: %v", s, p)
		} else if err.Field != "path" || err.Kind != hallpass.Invalid {
			t.Errorf("%q: %v of %q", s, err, err.Field)
		}
	}
	for _, s := range []string{"/a%2Fb", "/a;b"} {
		if _, err := hallpass.ParsePathPattern(s, hallpass.EncodedSlash|hallpass.Semicolon); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}
