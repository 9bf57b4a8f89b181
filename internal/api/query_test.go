package api_test

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/wire"
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

// TestParametersOfGrafana sends each parameter of Grafana's calls with what it cannot hold: a
// number that is none and an unknown word are refused by name, all else that cannot be read
// changes nothing.
func TestParametersOfGrafana(t *testing.T) {
	s := hallpasstest.New(t)
	things := newTargets(t, s, 1, "")
	declared := make(map[string]bool)
	for _, p := range api.Parameters() {
		declared[p.Pattern] = true
	}
	lists, words, tried := []string{"dashboardIds", "folderIds", "teamId"}, []string{"sort", "type", "permission"}, 0
	for _, c := range contractCalls(t, s) {
		if c.method != "GET" || declared["GET "+c.path] { // other methods act
			continue
		}
		ask := func(query string) hallpasstest.Response {
			return s.Do(hallpasstest.Admin, "GET", things.fill(c.path)+"?"+query, "")
		}
		for name, kind := range c.kinds {
			var refused, ignored []string
			switch {
			case kind == "integer":
				refused, ignored = []string{"x", "1.5", "1e3", "0x10", "%D9%A3", "--1", "+"}, []string{"", "-99999999999999999999"}
				if far := ask(name + "=99999999999999999999"); far.StatusCode >= 500 || strings.Contains(far.Text, "whole number") {
					t.Errorf("%s of %s, too high: %d %s", name, c.path, far.StatusCode, far.Text)
				}
			case slices.Contains(words, name):
				refused, ignored = []string{"nosuch", "%20"}, []string{""}
			case kind == "boolean" || slices.Contains(lists, name):
				ignored = []string{"", "maybe", "2", "-"}
			}
			plain := ask("")
			if kind == "boolean" {
				plain = ask(name + "=false")
			}
			for _, odd := range refused {
				expect(t, c.path+"?"+name+"="+odd, ask(name+"="+odd), 400, name)
				tried++
			}
			for _, odd := range ignored {
				if slices.Contains(lists, name) && (odd == "2" || plain.StatusCode != 200) {
					continue
				}
				if r := ask(name + "=" + odd); r.StatusCode != plain.StatusCode || r.StatusCode == 200 && r.Text != plain.Text {
					t.Errorf("%s?%s=%s: %d %s, want %d %s", c.path, name, odd, r.StatusCode, r.Text, plain.StatusCode, plain.Text)
				}
				tried++
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d questions", tried)
	}
}

// TestPatches sends each field of a PATCH of ours alone: it changes something, or it is refused
// by name.
func TestPatches(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.SMTP.Enabled = true })
	path := account(t, s, "a", "Editor")
	token(t, s, path, "t")
	channel := func(body string) string {
		var c wire.Channel
		into(t, s.Do(hallpasstest.Admin, "POST", "/api/org/notifications", body), &c)
		return fmt.Sprint("/api/org/notifications/", c.ID)
	}
	hook := channel(`{"name":"hook","type":"webhook","url":"https://example.com/a","disabled":true}`)
	chat := channel(`{"name":"chat","type":"slack","url":"https://example.com/a","disabled":true}`)
	post := channel(`{"name":"post","type":"mail","disabled":true}`)
	channelFields := map[string]string{
		"name": `"new"`, "type": `"pigeon"`, "url": `"https://other.example.com/b"`, "signature": `"v1"`, "addresses": `["ops@example.com"]`, "events": `["token.expired"]`, "disabled": `false`,
	}
	for i, tt := range []struct {
		path   string
		body   any
		fields map[string]string // each with a value that it does not have
	}{
		{path + "/tokens/1", wire.UpdateToken{}, map[string]string{
			"name": `"new"`, "owner": `"ada"`, "purpose": `"p"`, "readOnly": `true`, "maxRole": `"Viewer"`, "permissions": `[]`, "networks": `["10.0.0.0/8"]`, "rateLimit": `{"requests":9,"seconds":9}`,
			"selfRotate": `true`, "renewUntil": `"2030-01-01T00:00:00Z"`, "paused": `true`, "pausedFor": `60`, "pauseReason": `"why"`,
		}},
		{path, wire.UpdateServiceAccount{}, map[string]string{"name": `"new"`, "role": `"Viewer"`, "isDisabled": `true`, "owner": `"ada"`, "purpose": `"p"`}},
		{hook, wire.WriteChannel{}, channelFields}, {chat, wire.WriteChannel{}, channelFields}, {post, wire.WriteChannel{}, channelFields},
	} {
		look := tt.path
		if token, ok := strings.CutPrefix(tt.path, path+"/tokens/"); ok {
			look = "/api/tokens/" + token
		}
		for field := range reflect.TypeOf(tt.body).Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			value, known := tt.fields[name]
			value = strings.Replace(value, "new", fmt.Sprint("new ", i), 1)
			if !known {
				t.Errorf("%T: there is no value for %s", tt.body, name)
				continue
			}
			before := s.Do(hallpasstest.Admin, "GET", look, "").Text
			r := s.Do(hallpasstest.Admin, "PATCH", tt.path, `{"`+name+`":`+value+`}`)
			changed := before != s.Do(hallpasstest.Admin, "GET", look, "").Text
			if r.StatusCode == 200 != changed || r.StatusCode != 200 && (r.StatusCode != 400 || !strings.Contains(r.Text, name) && !strings.Contains(r.Text, "renewUntil")) {
				t.Errorf("%s %s: %d %s, changed: %t", tt.path, name, r.StatusCode, r.Text, changed)
			}
			if name == "paused" || name == "isDisabled" {
				s.Do(hallpasstest.Admin, "PATCH", tt.path, `{"`+name+`":false}`)
			}
			if name == "pausedFor" {
				s.Do(hallpasstest.Admin, "PATCH", tt.path, `{"paused":false}`)
			}
		}
	}
	for _, more := range []string{``, `,"paused":false`, `,"paused":null`, `,"name":"n"`} {
		expect(t, more, s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/1", `{"pauseReason":"why"`+more+`}`), 400, "pauseReason needs paused to be true")
	}
	expect(t, "with its time", s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/1", `{"pauseReason":"why","pausedFor":60}`), 200, `"reason":"why"`)
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
