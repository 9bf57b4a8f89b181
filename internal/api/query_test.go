package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// ourPaths begin the paths of routes that Grafana does not have. All their parameters
// must be declared.
var ourPaths = []string{"/api/tokens", "/api/attention", "/api/audit", "/api/guards", "/api/org/notifications", "/api/org/token-policy", "/api/access-control/explain"}

// TestDeclaredQueries sends each parameter that a route declares twice, and with what may
// not stand there. The answer names the parameter, and what may stand there. The contract
// tells the same parameters.
func TestDeclaredQueries(t *testing.T) {
	s := hallpasstest.New(t)
	things := newTargets(t, s, 1, "")
	declared := make(map[string][]string)
	for _, p := range api.Parameters() {
		method, route, _ := strings.Cut(p.Pattern, " ")
		declared[p.Pattern] = append(declared[p.Pattern], p.Name)
		ask := func(query string, says ...string) {
			t.Helper()
			body := ""
			if method == "POST" {
				body = "{}"
			}
			expect(t, p.Pattern+"?"+query, s.Do(hallpasstest.Admin, method, things.fill(route)+"?"+query, body), 400, says...)
		}
		twice := p.Name + " is there twice"
		ask(p.Name+"=1&"+p.Name+"=1", twice)
		ask(strings.ToUpper(p.Name)+"=&"+p.Name+"=1", twice)
		switch {
		case p.Flag:
			for _, odd := range []string{"", "maybe", "2", "-1", "yes"} {
				ask(p.Name+"="+odd, p.Name+" must be true or false")
			}
		case p.Words != nil:
			for _, odd := range []string{"-", "nosuch", "%20" + p.Words[0], p.Words[0] + ",", "--" + p.Words[0]} {
				ask(p.Name+"="+odd, p.Name+" must be one of "+p.Words[0])
			}
		}
	}
	for _, c := range contractCalls(t, s) {
		pattern := c.method + " " + c.path
		ours := slices.ContainsFunc(ourPaths, func(p string) bool { return c.path == p || strings.HasPrefix(c.path, p+"/") })
		if want, is := declared[pattern]; ours || is {
			slices.Sort(want)
			slices.Sort(c.query)
			if !slices.Equal(want, c.query) {
				t.Errorf("%s declares %q, the contract tells %q", pattern, want, c.query)
			}
		}
	}
}

// TestCursorsOfOtherListings sends the cursor of each listing to the others: to another
// order, filter, section or org too. Each takes its own alone.
func TestCursorsOfOtherListings(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "a", "Viewer")
	for i := range 3 {
		token(t, s, path, fmt.Sprint("t", i))
	}
	id := path[strings.LastIndexByte(path, '/')+1:]
	const preview = "/api/org/token-policy/preview?limit=1"
	from := url.QueryEscape(time.Now().AddDate(-30, 0, 0).UTC().Format(time.RFC3339))
	type listing struct{ path, body, parameter string }
	listings := []listing{
		{"/api/tokens?limit=1", "", "after"}, {"/api/tokens?limit=1&sort=-name", "", "after"}, {"/api/tokens?limit=1&sort=created", "", "after"}, {"/api/tokens?limit=1&sort=expires", "", "after"},
		{"/api/tokens?limit=1&state=live", "", "after"}, {"/api/tokens?limit=1&account=" + id, "", "after"}, {"/api/tokens?limit=1&noExpiry=true", "", "after"},
		{"/api/attention?limit=1&section=never-ends", "", "after"},
		{"/api/audit?limit=1", "", "cursor"}, {"/api/audit?limit=1&action=token.create", "", "cursor"}, {"/api/audit?limit=1&outcome=ok", "", "cursor"}, {"/api/audit?limit=1&from=" + from, "", "cursor"},
		{preview, `{"staleAfterDays":90,"warnDays":[14],"pause":true}`, "after"}, {preview, `{"staleAfterDays":91,"warnDays":[14],"pause":true}`, "after"},
	}
	ask := func(l listing, more string, headers ...string) hallpasstest.Response {
		method := "GET"
		if l.body != "" {
			method = "POST"
		}
		return s.Do(hallpasstest.Admin, method, l.path+more, l.body, headers...)
	}
	cursors := make([]string, 0, len(listings))
	for _, l := range listings {
		var page struct {
			Next, Cursor string
			Sections     []struct{ Next string }
		}
		into(t, ask(l, ""), &page)
		c := page.Next + page.Cursor
		if len(page.Sections) == 1 {
			c = page.Sections[0].Next
		}
		if c == "" {
			t.Logf("%s %s has one page", l.path, l.body)
		}
		cursors = append(cursors, c)
	}
	other := fmt.Sprint("X-Grafana-Org-Id: ", int64(otherOrg(t, s)))
	tried := 0
	for i, c := range cursors {
		if c == "" {
			continue
		}
		for j, l := range listings {
			more := "&" + l.parameter + "=" + url.QueryEscape(c)
			if i == j {
				expect(t, l.path+more, ask(l, more), 200)
				expect(t, "in another org, "+l.path+more, ask(l, more, other), 400, "this cursor belongs to another listing")
				continue
			}
			tried++
			expect(t, listings[i].path+" sent to "+l.path, ask(l, more), 400, l.parameter, "this cursor belongs to another listing")
		}
	}
	if tried < 100 {
		t.Errorf("only %d pairs", tried)
	}
}

// FuzzCursor reads what strangers send as a cursor: only the mark of the same listing is
// taken, and what is read is written the same way.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "~", "7", "7.0.YQ~abcdefgh", "7~abcdefgh", "~abcdefgh", "7~abcdefgh~abcdefgh", "7~ABCDEFGH", "\x00~abcdefgh"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const here = "abcdefgh"
		position, err := api.ReadCursor(s, here)
		if err == nil && api.WithCursor(position, here) != s {
			t.Errorf("%q was read as %q", s, position)
		}
		if got, err := api.ReadCursor(api.WithCursor(s, "another_"), here); err == nil && s != "" {
			t.Errorf("%q of another listing was read as %q", s, got)
		}
	})
}

// TestReasons sends reasons without a visible character: a snooze needs one, others have
// none then.
func TestReasons(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "a", "Viewer")
	token(t, s, path, "t")
	snooze := "/api/attention/never-ends/token:1/snooze"
	for _, blank := range []string{"", "   ", "\u3000", "\u200b", " \u200d\u2060 ", "\u2800"} {
		expect(t, "snooze "+blank, s.Do(hallpasstest.Admin, "PUT", snooze, `{"reason":"`+blank+`"}`), 400, "reason is missing")
		expect(t, "pause "+blank, s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/1", `{"paused":true,"pauseReason":"`+blank+`"}`), 200, `"reason":""`)
	}
	expect(t, "trimmed", s.Do(hallpasstest.Admin, "PUT", snooze, `{"reason":"  in May "}`), 200, `"reason":"in May"`)
}

// TestNoSilentEndOfLimits sends what is no limit, and is not null.
func TestNoSilentEndOfLimits(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "a", "Viewer")
	token(t, s, path, "t")
	const limited = `"rateLimit":{"requests":100,"seconds":60,"burst":0}`
	expect(t, "set", s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/1", `{"rateLimit":{"requests":100,"seconds":60}}`), 200, limited)
	for _, odd := range []string{`{}`, `{"requests":0}`, `{"requests":0,"seconds":0,"burst":0}`, `{"unknown":1}`} {
		expect(t, odd, s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/1", `{"rateLimit":`+odd+`}`), 400, "rateLimit needs requests and seconds")
		expect(t, odd, s.Do(hallpasstest.Admin, "POST", path+"/tokens", `{"name":"n","rateLimit":`+odd+`}`), 400, "rateLimit needs requests and seconds")
	}
	expect(t, "it stays", s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/1", `{"purpose":"p"}`), 200, limited)
	expect(t, "null", s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/1", `{"rateLimit":null}`), 200, `"rateLimit":null`)
}

// TestRetireWhileTheNewOneIsPaused retires the old token of a pair whose new one does not
// work: nothing would work then.
func TestRetireWhileTheNewOneIsPaused(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "a", "Viewer")
	old := hallpasstest.Bearer(token(t, s, path, "t"))
	expect(t, "rotate", s.Do(hallpasstest.Admin, "POST", path+"/tokens/1/rotate", `{}`), 200)
	expect(t, "pause", s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/2", `{"paused":true}`), 200)
	expect(t, "retire", s.Do(hallpasstest.Admin, "POST", path+"/tokens/1/retire", ""), 409, "token.successor-paused", "The token 2")
	expect(t, "the old one works", s.Do(old, "GET", "/api/org", ""), 200)
	expect(t, "resume", s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/2", `{"paused":false}`), 200)
	expect(t, "retire again", s.Do(hallpasstest.Admin, "POST", path+"/tokens/1/retire", ""), 200)
	expect(t, "a guard that there is not", s.Do(hallpasstest.Admin, "GET", "/api/guards/nosuch", ""), 404, `There is no guard \"nosuch\" in this org`)
}

// TestHeadersThatDecide sends each header that decides something twice. Neither counts.
func TestHeadersThatDecide(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "a", "Viewer")
	token(t, s, path, "old")
	for _, h := range []string{"Idempotency-Key: k", "X-Grafana-Org-Id: 1"} {
		name, _, _ := strings.Cut(h, ":")
		for _, tokens := range []string{"/tokens", "/tokens/1/rotate"} {
			expect(t, h+tokens, s.Do(hallpasstest.Admin, "POST", path+tokens, `{"name":"new"}`, h, h), 400, name+" is there twice")
		}
	}
	expect(t, "nothing was made", s.Do(hallpasstest.Admin, "GET", "/api/tokens?state=live", ""), 200, `"name":"old"`)
	if list := s.Do(hallpasstest.Admin, "GET", path+"/tokens", ""); strings.Contains(list.Text, `"name":"new"`) {
		t.Errorf("made: %s", list.Text)
	}
}
