package guard_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestDecide asks about requests in which several things are wrong: what comes first
// in the order of a decision decides.
func TestDecide(t *testing.T) {
	d, db, key := decider(t)
	newGuard(t, db, app)
	other := app
	other.Name, other.Org = "theirs", otherOrg(t, db)
	newGuard(t, db, other)
	good, bad := []string{"Bearer " + key}, []string{"Bearer " + secret.NewToken().Reveal()}
	const plain, invalid = `Bearer realm="hallpass"`, `Bearer realm="hallpass", error="invalid_token"`
	for _, tt := range []struct {
		name, guard, method, target string
		authorization               []string
		status                      int
		reason, challenge           string
		rule                        int
	}{
		{"two tokens, no guard", "nosuch", "", "", append(good, good...), 401, "request.authorization-repeated", invalid, 0},
		{"a bad token, no guard", "nosuch", "", "", bad, 401, "api-key.invalid", invalid, 0},
		{"no token, no guard", "nosuch", "GET", "/api/x", nil, 401, "auth.unauthorized", plain, 0},
		{"no guard", "nosuch", "", "", good, 403, "guard.unknown", "", 0},
		{"no guard is named", "", "GET", "/api/x", good, 403, "guard.unknown", "", 0},
		{"another org, no original", "theirs", "", "", good, 403, "guard.other-org", "", 0},
		{"no method", "app", "", "/api/x", good, 403, "original-request-unknown", "", 0},
		{"no target", "app", "GET", "", good, 403, "original-request-unknown", "", 0},
		{"no method, a strange path", "app", "", "/api//x", good, 403, "original-request-unknown", "", 0},
		{"a strange path", "app", "GET", "/nothing//x", good, 403, "path-not-canonical", "", 0},
		{"no rule", "app", "GET", "/nothing", good, 403, "guard.no-rule", "", 0},
		{"a role that is missing", "app", "GET", "/admin/x", good, 403, "guard.role", "", 2},
		{"no token, a rule", "app", "GET", "/api/x", nil, 401, "auth.unauthorized", plain, 1},
	} {
		v := d.Decide(t.Context(), guard.Check{Guard: tt.guard, Method: tt.method, Target: tt.target, Authorization: tt.authorization})
		if v.Allow || v.Status != tt.status || v.Reason != tt.reason || v.Challenge != tt.challenge || v.Rule != tt.rule || v.Message == "" || v.Err == nil || v.Identity != nil || v.Set != nil {
			t.Errorf("%s: %+v", tt.name, v)
		}
		if known := tt.status == 403; known != (v.Caller.Principal.Login == "sa-1-ci") || (v.Guard != nil) != (tt.guard == "app" || tt.guard == "theirs") {
			t.Errorf("%s: caller %q, guard %v", tt.name, v.Caller.Principal.Login, v.Guard)
		}
	}
	v := d.Decide(t.Context(), guard.Check{Guard: "app", Method: "GET", Target: "/api/x?y", Authorization: good})
	if !v.Allow || v.Rule != 1 || v.Guard.Name != "app" || !slices.Equal(v.Identity, []string{fmt.Sprint(v.Caller.Principal.ID), "sa-1-ci", "1", "Viewer", "1", "-"}) || v.Status != 0 || v.Err != nil {
		t.Errorf("allowed: %+v", v)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if v := d.Decide(t.Context(), guard.Check{Guard: "app", Method: "GET", Target: "/api/x", Authorization: bad}); v.Allow || v.Status != 503 || v.Challenge != "" {
		t.Errorf("without a database: %+v", v)
	}
}

// TestSignedVerdicts asks guards that tell their API by a signed token who calls.
func TestSignedVerdicts(t *testing.T) {
	d, db, key := decider(t)
	newGuard(t, db, hallpass.Guard{Name: "jwt", Org: 1, JWT: true, AllowPreflight: true, Rules: []hallpass.GuardRule{
		role(hallpass.RoleViewer, "/role"), {Path: "/open", Need: hallpass.Need{Kind: hallpass.NeedNothing}, Set: map[string]string{"X-By": "{caller.account}"}},
		{Path: "/p/{id}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "orgs:read", Scope: ""}},
	}})
	preflight := http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"GET"}}
	for _, tt := range []struct {
		method, target string
		presents       bool
		says           []string // claims; nil: nobody is signed
	}{
		{"GET", "/role", true, []string{`"permissions":[]`, `"role":"Viewer"`}}, {"GET", "/p/7", true, []string{`"permissions":["orgs:read"]`, `"aud":"guard:jwt"`, `"sub":"sa-1-ci"`}},
		{"GET", "/open", true, []string{`"permissions":[]`}}, {"GET", "/open", false, nil}, {"OPTIONS", "/x", false, nil}, {"OPTIONS", "/x", true, []string{`"permissions":[]`}},
	} {
		c := guard.Check{Guard: "jwt", Method: tt.method, Target: tt.target, Header: preflight}
		if tt.presents {
			c.Authorization = []string{"Bearer " + key}
		}
		v := d.Decide(t.Context(), c)
		var signed []string
		for _, h := range v.Set {
			if h.Name == "X-Hallpass-Jwt" {
				signed = append(signed, h.Value)
			}
		}
		if !v.Allow || len(signed) != 1 || (tt.says == nil) != (signed[0] == "-") {
			t.Fatalf("%s %s: %+v", tt.method, tt.target, v)
		}
		if tt.says == nil {
			continue
		}
		claims, err := base64.RawURLEncoding.DecodeString(strings.Split(signed[0], ".")[1])
		for _, part := range tt.says {
			if err != nil || !strings.Contains(string(claims), part) {
				t.Errorf("%s %s: %v %s, want %s", tt.method, tt.target, err, claims, part)
			}
		}
	}
}

// TestRulesFollow changes a guard and deletes it between verdicts: each is by what the
// guard is then.
func TestRulesFollow(t *testing.T) {
	d, db, key := decider(t)
	id := newGuard(t, db, app)
	check := guard.Check{Guard: "app", Method: "GET", Target: "/api/x", Authorization: []string{"Bearer " + key}}
	change := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			return errors.Join(tx.Change(hallpass.Change{Kind: hallpass.GuardChanged, ID: int64(id)}), fn(tx))
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"", "guard.role", "", "guard.role"} {
		if v := d.Decide(t.Context(), check); v.Reason != want || v.Allow != (want == "") {
			t.Errorf("change %d: %s, want %q", i, v.Reason, want)
		}
		g := app
		g.ID, g.ManagedBy, g.Version = id, hallpass.ManagedByAPI, int64(i+2)
		if i%2 == 0 {
			g.Rules = []hallpass.GuardRule{role(hallpass.RoleEditor, "/api/")}
		}
		change(func(tx *store.Tx) error { return tx.UpdateGuard(g) })
	}
	change(func(tx *store.Tx) error { return tx.DeleteGuard(1, id) })
	if v := d.Decide(t.Context(), check); v.Allow || v.Status != 403 || v.Reason != "guard.unknown" {
		t.Errorf("deleted: %+v", v)
	}
}

// TestUsage has decisions counted, and takes the counts while more are made.
func TestUsage(t *testing.T) {
	d, db, key := decider(t)
	id := newGuard(t, db, app)
	check := func(target, auth string) guard.Check {
		c := guard.Check{Guard: "app", Method: "GET", Target: target}
		if auth != "" {
			c.Authorization = []string{"Bearer " + auth}
		}
		return c
	}
	ask := func(n int) {
		for range n {
			d.Decide(t.Context(), check("/api/x", key))
			d.Decide(t.Context(), check("/admin/x", key))
			d.Decide(t.Context(), check("/api/x", ""))
		}
		d.Decide(t.Context(), guard.Check{Guard: "nosuch", Method: "GET", Target: "/x", Authorization: []string{"Bearer " + key}})
	}
	ask(3)
	sums := map[string]int64{}
	add := func(list []hallpass.GuardUse) {
		for _, u := range list {
			if u.Guard != id || u.Day.IsZero() || u.Day != u.Day.UTC().Truncate(24*time.Hour) || u.Count < 1 {
				t.Errorf("%+v", u)
			}
			sums[fmt.Sprint(u.Rule, " ", u.Outcome, " ", u.Token)] += u.Count
		}
	}
	add(d.Usage())
	want := map[string]int64{"1 allowed 1": 3, "2 guard.role 1": 3, "1 auth.unauthorized 0": 3}
	if fmt.Sprint(sums) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", sums, want)
	}
	if again := d.Usage(); len(again) != 0 {
		t.Errorf("taken twice: %v", again)
	}
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() { ask(500) })
	}
	done := make(chan struct{})
	go func() { asking.Wait(); close(done) }()
	for more := true; more; {
		select {
		case <-done:
			more = false
		default:
		}
		add(d.Usage())
	}
	for _, n := range sums {
		if n != 2003 {
			t.Errorf("%v, want 2003 of each", sums)
		}
	}
	all := d.Decisions()
	for k, n := range map[guard.Decisions]uint64{
		{Guard: "app", Outcome: "allowed", Rule: 1}: 2003, {Guard: "app", Outcome: "guard.role", Rule: 2}: 2003, {Guard: "app", Outcome: "auth.unauthorized", Rule: 1}: 2003, {Outcome: "guard.unknown"}: 5,
	} {
		if all[k] != n {
			t.Errorf("%+v: %d, want %d", k, all[k], n)
		}
	}
	if len(all) != 4 {
		t.Errorf("%v", all)
	}
}

// TestRefusals looks at the last refusals after many.
func TestRefusals(t *testing.T) {
	d, db, key := decider(t)
	id := newGuard(t, db, app)
	if list := d.Refusals(id); len(list) != 0 {
		t.Errorf("before any: %v", list)
	}
	from := hallpass.From{Address: "192.0.2.9", UserAgent: "curl"}
	ask := func(target string, authorization ...string) {
		d.Decide(t.Context(), guard.Check{Guard: "app", Method: "GET", Host: "app.example", Target: target, Authorization: authorization, From: from})
	}
	ask("/admin/x?token="+key, "Bearer "+key)
	ask("/api/x", "Bearer "+key) // allowed
	list := d.Refusals(id)
	if len(list) != 1 {
		t.Fatalf("%v", list)
	}
	r := list[0]
	if r.At.IsZero() || r.Rule != 2 || r.Status != 403 || r.Reason != "guard.role" || !strings.Contains(r.Message, "the role Admin") || r.Method != "GET" || r.Host != "app.example" || r.Path != "/admin/x" ||
		r.Caller.Login != "sa-1-ci" || r.Token != 1 || r.From != from {
		t.Errorf("%+v", r)
	}
	for range 40 {
		ask("/api/x/" + key)
	}
	for i := range 30 {
		ask(fmt.Sprint("/nothing/", i)+strings.Repeat("x", 1000), "Bearer "+key)
	}
	if list = d.Refusals(id); len(list) != 20 || !strings.HasPrefix(list[0].Path, "/nothing/29") {
		t.Fatalf("%d: %v", len(list), list)
	}
	strangers := 0
	for _, r := range list {
		if strings.Contains(fmt.Sprint(r), key) || len(r.Path) > 300 {
			t.Errorf("%+v", r)
		}
		if r.Token == 0 {
			strangers++
		}
	}
	if strangers != 5 {
		t.Errorf("%d of strangers", strangers)
	}
}

// TestRefusalsAreRecorded reads the audit after refusals of a known token, and the
// metric.
func TestRefusalsAreRecorded(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	account, key := token(t, s, "reader", "Viewer")
	permit(t, s, account, `{"action":"other:read"}`)
	g := app
	g.Rules = append([]hallpass.GuardRule{{Path: "/p", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "prometheus:query"}}}, app.Rules...)
	newGuard(t, s.Store(), g)
	for range 30 {
		for _, target := range []string{"/p", "/nothing", "/api//x"} {
			dialects[0].ask(t, s, "app", "GET", target, "Authorization: Bearer "+key, "X-Real-Ip: 198.51.100.7", "User-Agent: probe")
		}
		dialects[0].ask(t, s, "app", "GET", "/api/x", "Authorization: Bearer "+key)
		dialects[0].ask(t, s, "app", "GET", "/api/x") // a stranger's leaves no entry
	}
	want := []string{"guard.request guard:app guard.no-rule 30", "guard.request guard:app path-not-canonical 30", "prometheus:query guard:app lacks prometheus:query 30"}
	hallpasstest.Eventually(t, "the audit to have the refusals", func() bool {
		var got []string
		for _, e := range audit(t, s) {
			if e.Target == "guard:app" {
				got = append(got, fmt.Sprint(e.Action, " ", e.Target, " ", e.Reason, " ", e.Count))
				if e.Address != "198.51.100.7" || e.Actor != "sa-1-reader" || e.Outcome != "refused" {
					t.Errorf("%+v", e)
				}
			}
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
	text := s.Do(hallpasstest.Nobody, "GET", "/metrics", "").Text
	for _, line := range []string{
		`{guard="app",outcome="allowed",rule="2"} 30`, `{guard="app",outcome="guard.permission",rule="1"} 30`, `{guard="app",outcome="guard.no-rule",rule="0"} 30`,
		`{guard="app",outcome="path-not-canonical",rule="0"} 30`, `{guard="app",outcome="auth.unauthorized",rule="2"} 30`,
	} {
		if !strings.Contains(text, "hallpass_guard_decisions_total"+line+"\n") {
			t.Errorf("the metrics have no line %s", line)
		}
	}
}

// hundred is a guard with a hundred rules, the last of which are a preset's.
func hundred() hallpass.Guard {
	g := hallpass.Guard{Name: "hundred", Org: 1, Preset: "prometheus"}
	for i := 0; len(g.AllRules()) < 100; i++ {
		g.Rules = append(g.Rules, role(hallpass.RoleViewer, fmt.Sprintf("/app/v%d/{name}/values", i), "GET"))
	}
	return g
}

// TestDecideAllocatesNothing decides about requests of a token in memory.
func TestDecideAllocatesNothing(t *testing.T) {
	d, db, key := decider(t)
	newGuard(t, db, hundred())
	newGuard(t, db, hallpass.Guard{Name: "perm", Org: 1, Rules: []hallpass.GuardRule{{Path: "/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "orgs:read"}}}})
	for _, c := range []guard.Check{
		{Guard: "hundred", Method: "GET", Target: "/app/v60/x/values?q=1"}, {Guard: "hundred", Method: "GET", Target: "/-/ready"}, {Guard: "perm", Method: "GET", Target: "/x/y"},
	} {
		c.Authorization, c.Header = []string{"Bearer " + key}, http.Header{"Accept": {"*/*"}}
		if v := d.Decide(t.Context(), c); !v.Allow {
			t.Fatalf("%+v", v)
		}
		if n := testing.AllocsPerRun(200, func() { d.Decide(context.Background(), c) }); n > 0 && !raced {
			t.Errorf("a verdict on %s %s allocates %v times", c.Guard, c.Target, n)
		}
	}
}

// BenchmarkDecide decides by a hundred rules about a token in memory.
func BenchmarkDecide(b *testing.B) {
	d, db, key := decider(b)
	newGuard(b, db, hundred())
	header := http.Header{"Accept": {"*/*"}}
	for name, target := range map[string]string{"first": "/app/v0/x/values", "last": "/app/v60/x/values?query=up"} {
		b.Run(name, func(b *testing.B) {
			c := guard.Check{Guard: "hundred", Method: "GET", Target: target, Header: header, Authorization: []string{"Bearer " + key}}
			b.ReportAllocs()
			for b.Loop() {
				if v := d.Decide(context.Background(), c); !v.Allow {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}

// FuzzDecide asks about any request, with and without a token, and holds the verdicts
// to what may never be: a path that is not canonical passes, or a status that proxies
// misread.
func FuzzDecide(f *testing.F) {
	d, db, key := decider(f)
	g := hallpass.Guard{Name: "g", Org: 1, PathAllow: []string{"%2f", ";"}, AllowPreflight: true, Rules: []hallpass.GuardRule{
		{Path: "/open/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedNothing}, Set: map[string]string{"X-Rest": "{rest}"}},
		{Path: "/t/{tenant}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "orgs:read", Scope: "t:{tenant}"}},
		{Path: "/h", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}, Captures: map[string]string{"h": "header:X-H"}, Split: "|", Set: map[string]string{"X-H": "{h}"}},
		role(hallpass.RoleViewer, "/{rest...}", "GET", "OPTIONS"),
	}}
	newGuard(f, db, g)
	strict := g
	strict.Name, strict.PathAllow, strict.AllowPreflight = "strict", nil, false
	newGuard(f, db, strict)
	for _, target := range []string{"/", "/open/x", "/t/a", "/t/a%2fb", "/h", "/a/../b", "/%2e%2e/x", "//x", "*", "", "/a;b", "/..;/x", "http://x/y", "/%", "/x?y#z", "/\xff", "/open/%00"} {
		f.Add("GET", target, "a|b", true, true)
		f.Add("OPTIONS", target, "", false, false)
	}
	f.Fuzz(func(t *testing.T, method, target, header string, presents, lax bool) {
		c := guard.Check{Guard: "strict", Method: method, Target: target, Header: http.Header{"X-H": {header}, "Origin": {header}, "Access-Control-Request-Method": {header}}}
		allowed := hallpass.Spellings(0)
		if lax {
			c.Guard, allowed = "g", hallpass.AllowedSpellings(g.PathAllow)
		}
		if presents {
			c.Authorization = []string{"Bearer " + key}
		}
		v := d.Decide(t.Context(), c)
		path, canonical := hallpass.CanonicalPath(target, allowed)
		switch {
		case v.Allow && (!canonical || method == ""):
			t.Errorf("%q %q passes", method, target)
		case v.Allow && !presents && !strings.HasPrefix(path, "/open/") && (method != "OPTIONS" || !lax):
			t.Errorf("%q %q passes without a token", method, target)
		case v.Allow && (len(v.Identity) != 6 || slices.Contains(v.Identity, "") || v.Status != 0):
			t.Errorf("%q %q passes with the identity %q", method, target, v.Identity)
		case !v.Allow && v.Status != 401 && v.Status != 403, !v.Allow && (v.Reason == "" || v.Message == "" || v.Identity != nil || v.Set != nil):
			t.Errorf("%q %q: %+v", method, target, v)
		case !v.Allow && (v.Status == 401) != !presents, presents && canonical && method == "GET" && strings.HasPrefix(path, "/plain/") && !v.Allow:
			t.Errorf("%q %q: %+v", method, target, v)
		}
		for _, h := range v.Set {
			if strings.ContainsAny(h.Value, "\r\n\x00") {
				t.Errorf("%q %q sets %q", method, target, h)
			}
		}
	})
}

// TestAskedAgain asks the same question several times, as HAProxy does when an answer takes
// long: each is answered, and one is counted. The audit hides none.
func TestAskedAgain(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	newGuard(t, s.Store(), app)
	auth := "Authorization: Bearer " + key
	for _, d := range dialects[:2] { // nginx, whose X-Request-Id may be the client's, and HAProxy
		for _, id := range []string{"a", "a", "a", "b"} {
			id = "X-Request-Id: " + d.name + id
			if r := d.ask(t, s, "app", "GET", "/api/x", auth, id); r.StatusCode != http.StatusOK {
				t.Errorf("%s: %d %s", d.name, r.StatusCode, r.text)
			}
			if r := d.ask(t, s, "app", "GET", "/nothing", auth, id+"n"); r.reason(t) != "guard.no-rule" {
				t.Errorf("%s: %d %s", d.name, r.StatusCode, r.text)
			}
		}
		d.ask(t, s, "app", "GET", "/api/x", auth) // without an ID
		d.ask(t, s, "app", "GET", "/api/x", auth)
	}
	text := s.Do(hallpasstest.Nobody, "GET", "/metrics", "").Text
	for outcome, n := range map[string]int{`outcome="allowed",rule="1"`: 4 + 2 + 2 + 2, `outcome="guard.no-rule",rule="0"`: 4 + 2} {
		if line := fmt.Sprintf("hallpass_guard_decisions_total{guard=\"app\",%s} %d\n", outcome, n); !strings.Contains(text, line) {
			t.Errorf("the metrics have no line %s", line)
		}
	}
	hallpasstest.Eventually(t, "the audit to have every refusal", func() bool {
		n := int64(0)
		for _, e := range audit(t, s) {
			if e.Target == "guard:app" {
				n += e.Count
			}
		}
		return n == 8
	})
}
