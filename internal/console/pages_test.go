package console_test

import (
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/console"
)

// TestPages executes every page with its view empty, usual and hostile.
func TestPages(t *testing.T) {
	const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(2)>`
	names, err := console.PageNames()
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 10 {
		t.Fatalf("there are %d pages: %v", len(names), names)
	}
	for _, page := range names {
		t.Run(page, func(t *testing.T) {
			out, err := console.RenderEmpty(page)
			if err != nil {
				t.Errorf("with an empty view: %v", err)
			}
			checkPage(t, out)
			for _, yes := range []bool{false, true} {
				out, err := console.Render(page, "Nightly backup", yes)
				if err != nil {
					t.Errorf("with a usual view: %v", err)
				}
				checkPage(t, out)
				if !strings.Contains(out, "Nightly backup") {
					t.Error("a usual view does not show")
				}
				out, err = console.Render(page, hostile, yes)
				if err != nil {
					t.Errorf("with a hostile view: %v", err)
				}
				checkPage(t, out)
				if strings.Contains(out, "<script>alert") || strings.Contains(out, "<img src=x") {
					t.Errorf("a hostile text is markup:\n%s", out)
				}
				if !strings.Contains(html.UnescapeString(out), hostile) {
					t.Error("a hostile text does not show as it is")
				}
			}
		})
	}
}

// checkPage looks for what the content security policy would refuse, and for a
// page that ends early.
func checkPage(t *testing.T, out string) {
	t.Helper()
	if !strings.HasPrefix(out, "<!DOCTYPE html>") || !strings.HasSuffix(strings.TrimSpace(out), "</html>") {
		t.Error("the page is not whole")
	}
	for _, inline := range []string{" style=", "<style", "onclick=", "<script>\n", "javascript:"} {
		if strings.Contains(out, inline) {
			t.Errorf("the page holds %q, which the policy refuses", inline)
		}
	}
}

func TestSafeNext(t *testing.T) {
	for _, tt := range []struct{ next, want string }{
		{"/org/serviceaccounts?query=a&page=2", "/org/serviceaccounts?query=a&page=2"},
		{"/", "/"},
		{"/profile", "/profile"},
		{"/a%2Fb", "/a%2Fb"},
		{"/profile#there", "/profile"},
		{"", "/"},
		{"profile", "/"},
		{"https://evil.example/", "/"},
		{"//evil.example/", "/"},
		{"///evil.example/", "/"},
		{`/\evil.example/`, "/"},
		{`\/evil.example`, "/"},
		{"/\t/evil.example", "/"},
		{"/\n/evil.example", "/"},
		{" /profile", "/"},
		{"/%5cevil.example", "/"},
		{"/%2f/evil.example", "/"},
		{"/a\r\nSet-Cookie: b=c", "/"},
		{"javascript:alert(1)", "/"},
		{"/%zz", "/"},
		{"/..//evil.example", "/"},
		{"/.//evil.example", "/"},
		{"/a/..//evil.example", "/"},
		{"/login?next=/x", "/"},
		{"/logout", "/"},
	} {
		if got := console.SafeNext(tt.next); got != tt.want {
			t.Errorf("SafeNext(%q) = %q, want %q", tt.next, got, tt.want)
		}
	}
}

func FuzzSafeNext(f *testing.F) {
	for _, seed := range []string{"/", "//a", `/\a`, "/a?b=c#d", "http://a", "/%2f%2fa", "/\t/a", "/a:b", "/;//a", "/?//a", "/é", "/.//a", "/..//a"} {
		f.Add(seed)
	}
	own, err := url.Parse("https://hallpass.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := console.SafeNext(next)
		to, err := own.Parse(got)
		if err != nil {
			t.Fatalf("SafeNext(%q) = %q, which is no address: %v", next, got, err)
		}
		if to.Scheme != own.Scheme || to.Host != own.Host || to.User != nil {
			t.Errorf("SafeNext(%q) = %q leads to %s", next, got, to)
		}
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t ") {
			t.Errorf("SafeNext(%q) = %q, which a browser may read in another way", next, got)
		}
		if again := console.SafeNext(got); again != got {
			t.Errorf("SafeNext(%q) = %q, whose own is %q", next, got, again)
		}
	})
}

// TestFrameIsNotShadowed looks for views that have something under the name of
// what stands around every page.
func TestFrameIsNotShadowed(t *testing.T) {
	for _, name := range console.Shadowed() {
		t.Errorf("%s hides what the frame has under that name", name)
	}
}
