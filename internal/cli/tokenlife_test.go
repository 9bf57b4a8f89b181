package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/wire"
)

// use presents a token to the server and returns the status.
func use(s *hallpasstest.Server, key string) int {
	return s.Do(hallpasstest.Bearer(strings.TrimSpace(key)), "GET", "/api/org", "").StatusCode
}

// status is the exit status that a command asks for; 0 if it did not.
func status(err error) int {
	var exit *cli.ExitError
	if errors.As(err, &exit) {
		return exit.Status
	}
	return 0
}

// said runs a command line that must succeed, and checks what it says on stderr.
func said(t *testing.T, in, says string, args ...string) string {
	t.Helper()
	r := run(t.Context(), strings.NewReader(in), args...)
	if r.err != nil || !strings.Contains(r.errs, says) {
		t.Errorf("hallpass %s says %q, want %q", strings.Join(args, " "), r.errs, says)
	}
	oneForm(t, args, r)
	return r.out
}

// ci makes the account ci with the token deploy, and returns its secret.
func ci(t *testing.T) string {
	t.Helper()
	hallpass(t, "", "sa", "create", "ci", "--owner", "ops", "--purpose", "deploys")
	return hallpass(t, "", "token", "create", "ci", "deploy", "--ttl", "30d")
}

var oneSecret = regexp.MustCompile(`^glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}\n$`)

// TestRotate replaces a token, from the new secret to the end of the old one. Each command
// takes the name, or the id of either token.
func TestRotate(t *testing.T) {
	s := start(t)
	first := ci(t)
	second := said(t, "", "Replaced the token deploy (id 1, …", "token", "rotate", "ci", "deploy", "--grace", "7d", "--quiet", "1h", "--ttl", "60d", "--reason", "quarterly")
	if !oneSecret.MatchString(second) || use(s, first) != 200 {
		t.Fatalf("rotate prints %q, and the old token answers %d", second, use(s, first))
	}
	if out := hallpass(t, "", "inventory", "--expires-within", "8d", "--sort", "expires"); !regexp.MustCompile(`^ID .*\n1 +ci +deploy +being replaced .*\n$`).MatchString(out) {
		t.Errorf("what ends within 8 days: %s", out)
	}
	refused(t, "", "is being replaced by deploy (id 2, …", "token", "rotate", "ci", "deploy")
	refused(t, "", "The token 2 replaces this token already: \"hallpass token watch\" shows both", "token", "rotate", "ci", "1")
	said(t, "", "Undone: the new token deploy (id 2, …", "token", "undo", "ci", "1", "--yes")
	if use(s, first) != 200 || use(s, second) != 401 {
		t.Errorf("after undo: old %d, new %d", use(s, first), use(s, second))
	}
	third := said(t, "", "It ends earlier when the new one is first used.", "token", "rotate", "ci", "deploy", "--quiet", "0s")
	said(t, "", "The old token deploy (id 1, …", "token", "extend", "ci", "3", "--grace", "2d")
	refused(t, "", "2 tokens of the account have the name \"deploy\": id 1 (…", "token", "delete", "ci", "deploy", "--yes")
	refused(t, "", "add --yes", "token", "retire", "ci", "deploy")
	said(t, "", "Ended the old token deploy (id 1, …", "token", "retire", "ci", "deploy", "--yes")
	if out := hallpass(t, "", "inventory", "--expires-within", "8d", "-o", "json"); out != "[]\n" {
		t.Errorf("what has ended is to end: %s", out)
	}
	if use(s, first) != 401 || use(s, third) != 200 {
		t.Errorf("after retire: old %d, new %d", use(s, first), use(s, third))
	}
	for _, line := range []string{"token retire ci deploy --yes", "token extend ci 1 --grace 1h", "token undo ci 3 --yes"} {
		refused(t, "", "the rotation is over: the old token deploy (id 1, …", words(line)...)
	}
	said(t, "", "The old one does not work any more.", "token", "rotate", "ci", "deploy", "--grace", "0s", "--ttl", "never")
	hallpass(t, "", "token", "create", "ci", "spare", "--ttl", "1d")
	for _, verb := range []string{"watch", "retire", "undo"} {
		refused(t, "", `is not being replaced: "hallpass token rotate ci spare" does that`, "token", verb, "ci", "spare")
	}
	refused(t, "", `has no token "depoly": did you mean deploy?`, "token", "rotate", "ci", "depoly")
	said(t, "", "Deleted 3 ended tokens of ci.", "token", "prune", "ci", "--yes")
	if out := hallpass(t, "", "token", "list", "ci", "-o", "json"); strings.Count(out, `"id"`) != 2 {
		t.Errorf("after prune: %s", out)
	}
	said(t, "", "Deleted the token deploy (id 4)", "token", "delete", "ci", "deploy", "--yes")
}

// TestSuccessorEnds has the new token of a rotation end before the old one, and pauses the
// next one: the name means the token that works, retire says why it does not end the old
// one, and undo brings that back.
func TestSuccessorEnds(t *testing.T) {
	s := start(t)
	first := ci(t)
	hallpass(t, "", "token", "rotate", "ci", "deploy", "--ttl", "1m")
	s.Clock.Wind(2 * time.Minute)
	if out := hallpass(t, "", "token", "list", "ci", "--state", "live"); !regexp.MustCompile(`^ID .*\n1 +deploy +live .*\n$`).MatchString(out) {
		t.Errorf("the tokens that work: %s", out)
	}
	if out := hallpass(t, "", "token", "get", "ci", "deploy"); !regexp.MustCompile(`^id +1\n`).MatchString(out) {
		t.Errorf("the name means %s", out)
	}
	if out := hallpass(t, "", "attention", "overlaps"); !regexp.MustCompile(`^  token:1  deploy of ci: the new token has ended before it, ends in \d+[hd]\n      hallpass token rotate ci 1\n$`).MatchString(out) {
		t.Errorf("what needs doing: %s", out)
	}
	refused(t, "", `has ended, so nothing would work: "hallpass token undo ci 2" keeps the old one, "hallpass token rotate ci 1" makes another new one`, "token", "retire", "ci", "deploy", "--yes")
	said(t, "", "The old token deploy (id 1, …", "token", "extend", "ci", "deploy", "--grace", "2d")
	said(t, "", "the old one, id 1, is as it was before", "token", "undo", "ci", "deploy", "--yes")
	second := hallpass(t, "", "token", "rotate", "ci", "deploy")
	hallpass(t, "", "token", "pause", "ci", "3", "--for", "15m")
	if out := hallpass(t, "", "token", "list", "ci"); !regexp.MustCompile(`\n3 +deploy +paused \(over in 1\dm\) `).MatchString(out) {
		t.Errorf("the list does not say until when it is paused: %s", out)
	}
	refused(t, "", "is paused, so nothing would work: first hallpass token resume ci 3", "token", "retire", "ci", "deploy", "--yes")
	hallpass(t, "", "token", "resume", "ci", "3")
	said(t, "", "warning: nobody has used the new token deploy (id 3, …", "token", "retire", "ci", "deploy", "--yes")
	if use(s, first) != 401 || use(s, second) != 200 {
		t.Errorf("after retire: old %d, new %d", use(s, first), use(s, second))
	}
}

// TestRotateAgain asks again for a secret that was lost, with the key that the first run
// printed: the token is the same, the last secret works.
func TestRotateAgain(t *testing.T) {
	s := start(t)
	ci(t)
	for _, grace := range []string{"1h", "0s"} {
		r := run(t.Context(), strings.NewReader(""), "token", "rotate", "ci", "deploy", "--grace", grace)
		key := regexp.MustCompile(`--idempotency-key (\w+)`).FindStringSubmatch(r.errs)
		if r.err != nil || key == nil {
			t.Fatalf("rotate: %v, %s", r.err, r.errs)
		}
		s.Clock.Wind(3 * time.Second)
		again := said(t, "", "with another secret", "token", "rotate", "ci", "deploy", "--grace", grace, "--idempotency-key", key[1])
		if use(s, r.out) != 401 || use(s, again) != 200 {
			t.Errorf("the first secret answers %d, the second %d", use(s, r.out), use(s, again))
		}
		refused(t, "", "somebody has its secret: to get another secret, rotate the new token", "token", "rotate", "ci", "deploy", "--grace", grace, "--idempotency-key", key[1])
		if grace == "1h" {
			hallpass(t, "", "token", "retire", "ci", "deploy", "--yes")
			s.Clock.Wind(time.Hour) // nobody asks for that answer any more
		}
	}
	if out := hallpass(t, "", "token", "list", "ci"); strings.Count(out, "deploy") != 3 {
		t.Errorf("there are more tokens than rotations:\n%s", out)
	}
}

// TestLostAnswer cuts the connection after the server has made the token. The command asks
// again, and prints one secret, which works.
func TestLostAnswer(t *testing.T) {
	s := start(t)
	ci(t)
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			proxy.ServeHTTP(w, r)
			return
		}
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		if len(keys)%2 == 0 {
			s.Clock.Wind(3 * time.Second)
			proxy.ServeHTTP(w, r)
			return
		}
		proxy.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler) // the connection is cut
	}))
	defer front.Close()
	hallpass(t, hallpasstest.AdminPassword, "login", front.URL, "--user", "admin", "--name", "cut")
	made := hallpass(t, "", "token", "rotate", "ci", "deploy")
	spare := hallpass(t, "", "token", "create", "ci", "spare", "--ttl", "1d")
	if !oneSecret.MatchString(made) || use(s, made) != 200 || use(s, spare) != 200 {
		t.Errorf("rotate prints %q, which answers %d; create %q, %d", made, use(s, made), spare, use(s, spare))
	}
	if len(keys) != 4 || keys[0] != keys[1] || keys[2] != keys[3] || keys[1] == keys[2] || keys[0] == "" {
		t.Errorf("the keys are %q", keys)
	}
	if out := hallpass(t, "", "token", "list", "ci"); strings.Count(out, "deploy") != 2 || strings.Count(out, "spare") != 1 {
		t.Errorf("the tokens are\n%s", out)
	}
}

// TestRotateRefused sends a request once that the server does not want, and says with which
// key to ask again when no answer comes at all.
func TestRotateRefused(t *testing.T) {
	calls, hang := 0, func(*http.Request) {}
	answers := func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			calls++
			hang(r)
			w.Header().Set("Retry-After", "31")
			w.WriteHeader(http.StatusServiceUnavailable)
			answer(t, w, map[string]string{"message": "Bad request data"})
		case strings.HasSuffix(r.URL.Path, "/tokens"):
			answer(t, w, []wire.Token{{ID: 4, Name: "deploy"}})
		default:
			answer(t, w, wire.ServiceAccountProfile{ID: 7, Name: "ci"})
		}
	}
	fake(t, answers)
	refused(t, "", "503: Bad request data", "token", "rotate", "7", "deploy")
	if calls != 1 {
		t.Errorf("the server asked for 31 s of patience and was called %d times", calls)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	hang = func(r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client has gone
		interrupt()
		<-r.Context().Done()
	}
	r := run(ctx, strings.NewReader(""), "token", "rotate", "7", "deploy")
	if !regexp.MustCompile(`^hallpass: interrupted; the server may have made the token all the same: .* --idempotency-key \w+\n$`).MatchString(r.errs) {
		t.Errorf("interrupted, it says %q", r.errs)
	}
}

// TestRotateSelf replaces the token on stdin, which needs no context and no permission.
func TestRotateSelf(t *testing.T) {
	s := start(t)
	key := ci(t)
	refused(t, key, `403: This token may not replace itself, or may not any more: an administrator allows it with "hallpass token update`, "token", "rotate", "--self")
	out := hallpass(t, "", "token", "update", "ci", "deploy", "--self-rotate", "90d")
	if !strings.Contains(out, "replaces itself  until ") {
		t.Errorf("update prints %s", out)
	}
	hallpass(t, "", "logout")
	refused(t, key, "there is no context: name the server with --server", "token", "rotate", "--self")
	refused(t, "", "stdin has no token", "token", "rotate", "--self", "--server", s.URL)
	refused(t, key, "--self takes no arguments", "token", "rotate", "--self", "ci")
	refused(t, sample, "the token on stdin is refused: 401: Invalid API key", "token", "rotate", "--self", "--server", s.URL)
	made := said(t, key, "The old one works until ", "token", "rotate", "--self", "--server", s.URL)
	if !oneSecret.MatchString(made) || use(s, made) != 200 {
		t.Errorf("rotate --self prints %q", made)
	}
	hallpass(t, hallpasstest.AdminPassword, "login", s.URL, "--user", "admin")
	hallpass(t, "", "token", "update", "ci", "2", "--self-rotate", "never")
	refused(t, made, "403: ", "token", "rotate", "--self")
}

// TestWatch watches a rotation from the first use of the old token to its end.
func TestWatch(t *testing.T) {
	s := start(t)
	first := ci(t)
	as := func(key, agent string) {
		t.Helper()
		if r := s.Do(hallpasstest.Bearer(strings.TrimSpace(key)), "GET", "/api/org", "", "User-Agent: "+agent); r.StatusCode != 200 {
			t.Fatal(r.Text)
		}
		s.Clock.Wind(time.Second)
	}
	as(first, "nightly/1")
	second := hallpass(t, "", "token", "rotate", "ci", "deploy", "--quiet", "0s")
	as(first, "builder/2")
	seen := func(agent string) bool {
		return strings.Contains(hallpass(t, "", "token", "usage", "ci", "1"), agent)
	}
	hallpasstest.Eventually(t, "the uses of the old token", func() bool { return seen("builder/2") && seen("nightly/1") })

	r, w := io.Pipe()
	done := make(chan ran, 1)
	go func() {
		done <- run(t.Context(), strings.NewReader(""), "token", "watch", "ci", "deploy", "--every", "1s", "-o", "json")
		_ = w.Close()
	}()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	as(second, "builder/2")
	got := <-done
	if got.err != nil {
		t.Fatalf("watch: %v, %s", got.err, got.errs)
	}
	var last struct {
		State          string
		Waiting, Moved []wire.TokenPlace
	}
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if last.State != "ended" || use(s, first) != 401 {
		t.Errorf("the watch ends with %s, and the old token answers %d", lines[len(lines)-1], use(s, first))
	}
	hallpasstest.Eventually(t, "the client of the new token", func() bool {
		out := hallpass(t, "", "token", "watch", "ci", "1")
		return strings.Count(out, `"away": used the old token before the rotation`) == 1 && strings.Contains(out, "away  127.0.0.1  nightly/1  GET /api/org") && strings.Contains(out, "new   127.0.0.1  builder/2") && !strings.Contains(out, " old   127") &&
			strings.Contains(out, "\n127.0.0.1     Go-http-client/1.1  api-key.rotated  ")
	})
	hallpass(t, "", "sa", "create", "reader", "--role", "None")
	hallpass(t, "", "role", "assign", "fixed:serviceaccounts:reader", "sa:reader")
	hallpass(t, hallpass(t, "", "token", "create", "reader", "own", "--ttl", "1d"), "login", s.URL, "--name", "reader")
	for _, line := range []string{"token watch ci 1", "token usage ci 1"} { // who may not read the audit sees the latest try
		if out := hallpass(t, "", words(line)...); !regexp.MustCompile(`(?m)^127\.0\.0\.1 +Go-http-client/1\.1 +api-key\.rotated .* ago +.* ago +[1-9]`).MatchString(out) {
			t.Errorf("%s does not tell who tries the token:\n%s", line, out)
		}
	}
}

// A rotation that is watched on a fake server.
func watched(t *testing.T, old, next wire.Token) {
	t.Helper()
	asked := 0
	working := old
	working.ID, working.State, working.HasExpired = 1, "overlapping", false
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/tokens"):
			if asked++; asked <= 2 { // the command line is read, and the first look
				answer(t, w, []wire.Token{working, next})
				return
			}
			answer(t, w, []wire.Token{old, next})
		case strings.HasSuffix(r.URL.Path, "/usage"):
			answer(t, w, wire.TokenUsage{})
		case strings.HasSuffix(r.URL.Path, "/audit"):
			answer(t, w, wire.Audit{})
		default:
			answer(t, w, wire.ServiceAccountProfile{ID: 7, Name: "ci"})
		}
	})
}

// TestWatchEnds ends with a status that says how the rotation ended.
func TestWatchEnds(t *testing.T) {
	at := func(s int) *time.Time {
		to := time.Date(2026, 5, 1, 12, 0, s, 0, time.UTC)
		return &to
	}
	two, quiet := int64(2), int64(15)
	one := int64(1)
	next := wire.Token{ID: 2, Name: "deploy", ReplacesID: &one, State: "live"}
	old := wire.Token{ID: 1, Name: "deploy", ReplacedByID: &two, QuietSeconds: &quiet, ClosesAt: at(30), Expiration: at(30), LastUsedAt: at(20), State: "rotated", HasExpired: true}
	for _, tt := range []struct {
		name   string
		change func(*wire.Token)
		status int
		says   string
	}{
		{"at its time, still used", func(*wire.Token) {}, 6, "It was still used 10s before."},
		{"at its time, quiet", func(k *wire.Token) { k.LastUsedAt = at(10) }, 0, "It was last used at 2026-05-01T12:00:10Z ("},
		{"never used", func(k *wire.Token) { k.LastUsedAt = nil }, 0, "It was never used."},
		{"undone", func(k *wire.Token) { k.ReplacedByID, k.State, k.HasExpired = nil, "live", false }, -1, "the rotation was undone"},
		{"deleted", func(k *wire.Token) { k.ID = 9 }, -1, "a token of the rotation was deleted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := old
			tt.change(&now)
			watched(t, now, next)
			r := run(t.Context(), strings.NewReader(""), "token", "watch", "ci", "2", "--every", "1s")
			failed := r.err != nil && status(r.err) == 0
			if status(r.err) != max(tt.status, 0) || failed != (tt.status < 0) || !strings.Contains(r.errs, tt.says) {
				t.Errorf("status %d, %v, and it says %q; want %d and %q", status(r.err), r.err, r.errs, tt.status, tt.says)
			}
		})
	}
}

// TestTokenLife runs the other commands about tokens, on a real server.
func TestTokenLife(t *testing.T) {
	s := start(t, func(c *server.Config) { c.Server.OutboundAllow = []string{"127.0.0.1/32"} })
	key := ci(t)
	use(s, key)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer receiver.Close()
	hallpasstest.Eventually(t, "the use of the token", func() bool {
		return strings.Contains(hallpass(t, "", "token", "usage", "ci", "deploy"), "GET /api/org")
	})
	const useMade = "" // uses the token that was made last
	made := ""
	for _, step := range []struct{ line, says string }{
		{"sa get ci", `(?m)^owner +ops\npurpose +deploys$`},
		{"sa update ci --owner Ana --purpose|", `(?m)^owner +Ana\npurpose +-$`},
		{"token get ci deploy", `(?m)^state +live\nexpires +\d{4}-\S+Z \(in 30d\)\nlast used +\d{4}-\S+Z \(.*\) 127\.0\.0\.1 Go-http-client/1\.1 GET /api/org\nowner +Ana$`},
		{"token usage ci deploy --days 1", `(?s)^ADDRESS .*\n127\.0\.0\.1 .*\n\nACTION .*\norgs:read .*\n\nDAY .* 1 +0 +0 +0 +0\n$`},
		{"token pause ci deploy --for 15m --reason|who is it?", `^$`},
		{"token get ci deploy", `(?m)^state +paused\n(.*\n)*paused +until \S+Z \(in 1\dm\): who is it\?$`},
		{"token resume ci 1", `^$`},
		{"token narrow ci deploy --read-only --max-role None -p orgs:read --network 10.0.0.0/8 --network ::1 --rate 100/1m+20", `(?m)^read-only +yes\nmax role +None\npermissions +orgs:read\nnetworks +10\.0\.0\.0/8, ::1/128\nrequests +100 in 1m, and 20 more at once after a rest$`},
		{"token narrow ci deploy --max-role any --network any --rate any --permission none", `(?m)^read-only +yes\npermissions +none at all\nowner`},
		{"token narrow ci deploy --read-only=false -p any", `(?m)^last used .*\nowner`},
		{"token update ci deploy --name ship --owner team --purpose x", `(?m)^name +ship\n(.*\n)*owner +team\npurpose +x$`},
		{"token create ci narrow --ttl 1d --read-only --max-role Viewer -p orgs:read --network 10.0.0.0/8 --rate 5/10 --owner o --purpose p --self-rotate 1d", `^glsa_`},
		{"token get ci narrow", `(?m)^read-only +yes\nmax role +Viewer\npermissions +orgs:read\nnetworks +10\.0\.0\.0/8\nrequests +5 in 10s\nreplaces itself +until `},
		{"inventory", `^ID +ACCOUNT .*\n2 +ci +narrow +live .*\n1 +ci +ship +live .*\n$`},
		{"inventory --expires-within 2d --sort expires", `^ID .*\n2 +ci +narrow .*\n$`},
		{"inventory --never-used --account ci --owner o --state live -q NAR", `^ID .*\n2 .*\n$`},
		{"inventory --unused-for 1d", `^ID [^\n]*\n$`},
		{"inventory --no-expiry -o json", `^\[\]\n$`},
		{"inventory --limit 1 -o csv", `^id,name,.*\n2,narrow,.*\n1,ship,.*\n$`},
		{"sa used ci --days 1", `(?m)^UNUSED +SCOPE +FROM\n`},
		{"token narrow ci narrow --network any", `(?m)^requests +5 in 10s$`},
		{useMade, ""}, // what nobody has used a moment after it was made does not need doing
		{"attention", `(?m)\(expiring, 1\)\n  token:2  narrow of ci: ends in 2[34]h, last used .*\n      hallpass token rotate ci 2\n`},
		{"attention snooze expiring token:2 --reason later --days 3", `^$`},
		{"attention snoozed", `^SECTION .*\nexpiring +token:2 +in 3d +admin +later\n$`},
		{"attention expiring -o json", `^\[\]\n$`},
		{"attention wake expiring token:2", `^$`},
		{"attention expiring --limit 1 -o csv", `^section,.*\nexpiring,token:2,.*\n$`},
		{"channel create pager --type webhook --event token.expiring --url|" + receiver.URL, `(?m)^type +webhook\nto +http://127\.0\.0\.1:\d+\nsignature +v1a\nevents +token\.expiring\nstate +on$`},
		{"channel test Pager", `^$`},
		{"channel messages pager --state sent --limit 1", `^ID .*\n\d+ .* channel\.test +sent +1 .*\n$`},
		{"channel retry pager", `^$`},
		{"channel update pager --disabled --event token.expired", `(?m)^events +token\.expired\nstate +off$`},
		{"channel get 1", `(?m)^state +off$`},
		{"channel list", `^ID .*\n1 +pager +webhook +\S+ +off +(in \d+h|just now|\d+s ago)\n$`},
		{"channel delete pager --yes", `^$`},
		{"channel list -o json", `"channels": \[\]`},
		{"token-policy show", `^longest lifetime +no limit\nunused tokens +nothing happens to them\n$`},
		{"token-policy preview --stale-after 30d --ahead 60", `^WHEN .*\n.* warn 14 days before +\d .*\n`},
		{"token-policy set --stale-after 10d --yes", `(?m)^unused for +10 days\nthen +paused\nwarnings +3 days before\nrevoked +never\n`},
		{"policy set --pause=false --warn 5d,2 --exempt account:ci --yes", `(?m)^then +only warned of\nwarnings +5 days, 2 days before\n(.*\n)exempt +account:sa-1-ci$`},
		{"token-policy set --pause --revoke-after 90d --exempt none --yes", `(?m)^then +paused\n(.*\n)revoked +90 days after the pause\nexempt +-$`},
		{"token-policy set --off", `^unused tokens +nothing happens to them\n$`},
	} {
		if step.line == useMade {
			use(s, made)
			s.Clock.Wind(13 * time.Hour) // half of its day is over
			hallpasstest.Eventually(t, "the use of the token made last", func() bool {
				return strings.Contains(hallpass(t, "", "attention", "expiring", "-o", "csv"), "expiring,token:2,")
			})
			continue
		}
		out := hallpass(t, "", words(step.line)...)
		if !regexp.MustCompile(step.says).MatchString(out) {
			t.Errorf("hallpass %s prints\n%s\nwant %s", step.line, out, step.says)
		}
		if strings.HasPrefix(out, "glsa_") {
			made = strings.TrimSpace(out)
		}
	}
}

// TestImpact asks what would break: the exit status says whether something would.
func TestImpact(t *testing.T) {
	s := start(t)
	use(s, ci(t))
	for _, tt := range []struct {
		line   string
		status int
		says   string
	}{
		{"sa impact ci", 3, `This would break if ci were disabled; it was last used `},
		{"sa impact ci --delete", 3, `if ci were deleted`},
		{"sa impact ci --role None --days 1", 3, `if ci had the role None`},
		{"sa impact ci --role Editor", 0, `Nothing that was used in 7 days would break if ci had the role Editor. Uses of the last seconds may be missing.`},
		{"sa impact ci --token deploy", 3, `if the token deploy (id 1, …`},
		{"sa impact ci --token deploy --pause", 3, `of ci is paused, these will be refused; the last use was `},
		{"sa impact ci --pause", 3, `While the tokens of ci are paused, these will be refused; the last use was `},
	} {
		var r ran
		hallpasstest.Eventually(t, tt.line, func() bool {
			r = run(t.Context(), strings.NewReader(""), words(tt.line)...)
			return status(r.err) == tt.status && strings.Contains(r.errs, tt.says)
		})
		if (tt.status != 0) != strings.Contains(r.out, "GET /api/org") {
			t.Errorf("%s prints %s", tt.line, r.out)
		}
	}
	hallpass(t, "", "token", "create", "ci", "spare", "--ttl", "1d")
	if out := hallpass(t, "", "sa", "impact", "ci", "--token", "spare", "-o", "json"); !strings.Contains(out, `"wouldBreak": false`) {
		t.Errorf("a token that nobody uses: %s", out)
	}
	said(t, "", "Nothing was used in 7 days that will be refused while the token spare (id 2, …", "sa", "impact", "ci", "--token", "spare", "--pause")
	hallpass(t, "", "token", "pause", "ci", "deploy")
	said(t, "", "Nothing was used in 7 days that will be refused while the tokens of ci are paused.", "sa", "impact", "ci", "--pause")
	refused(t, "", "none of the others can be", "sa", "impact", "ci", "--delete", "--role", "None")
	refused(t, "", "none of the others can be", "sa", "impact", "ci", "--delete", "--pause")
	refused(t, "", "never its secret", "sa", "impact", "ci", "--token", sample)
}

// TestHints types what people type: the error names what they meant.
func TestHints(t *testing.T) {
	home(t)
	for line, says := range map[string]string{
		"token rot": "did you mean rotate?", "token renew": "did you mean rotate?", "token ls": "did you mean list?", "token revoke": "did you mean delete?",
		"token disable": "did you mean pause?", "token rotatte ci deploy": "did you mean rotate?", "token stats": "did you mean usage?", "sa blast": "did you mean impact?",
		"channel add": "did you mean create?", "token-policy edit": "did you mean set?", "attention never-end": "did you mean never-ends?", "attention snoze x y": "did you mean snooze?",
		"attention everything": "there are failing, apis, expiring", "token rotate a b --grase 1h": "unknown flag: --grase: did you mean --grace?", "token create a b --expires 1d": "did you mean --ttl?",
		"token pause a b --until x": "did you mean --for?", "sa list --json": "did you mean --output json?", "inventory --expires-before 1d": "did you mean --expires-within?",
		"token list x --zzzz": "unknown flag: --zzzz", "token nonsense": "it has list, get, create",
	} {
		refused(t, "", says, words(line)...)
	}
}

// TestFlagsThatAreWrong sends nothing to the server.
func TestFlagsThatAreWrong(t *testing.T) {
	var sent []string
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			sent = append(sent, r.URL.Path)
		}
		answer(t, w, map[string]any{})
	})
	for line, says := range map[string]string{
		"token rotate a b --grace 1x": "--grace must be a duration", "token rotate a b --quiet -1h": "--quiet must be a duration", "token rotate a b --ttl 0": "--ttl must be a lifetime",
		"token extend a b": "--grace is required", "token pause a b --for 0s": "--for must be at least 1m", "token pause a b --for|": "--for is empty",
		"token narrow a b": "no change is given", "token narrow a b --rate 5": "--rate reads like 100/60", "token narrow a b --rate|": "--rate is empty", "token update a b": "no change is given",
		"token update a b --self-rotate 1y": "--self-rotate must be a duration", "token watch a b --every 0s": "--every must be at least 1s", "inventory --limit 0": "--limit must be at least 1",
		"inventory --unused-for 1w": "--unused-for must be a duration", "inventory|--last-four|": "--last-four is empty", "inventory|--owner|": "--owner is empty", "audit list|--actor|": "--actor is empty", "sa list|--query|": "--query is empty", "sa impact a|--role|": "--role is empty", "audit verify|--known|": "--known is empty", "login|--user|": "--user is empty", "sa list|--context|": "--context is empty", "inventory -o yaml": "--output must be table, json or csv", "token list a -o csv": "--output must be table or json",
		"channel create x": "--type is required", "channel create x --type slack --url https://hooks.example.com/hunter2": "the URL of a chat is a secret", "channel get x": `there is no channel "x"`,
		"token-policy set": "no change is given", "token-policy set --stale-after 12h": "--stale-after must be a number of days", "token-policy set --exempt account:x": "the policy is off",
		"token-policy set --stale-after 9d --warn soon": "--warn must be a number of days", "inventory --last-four " + sample: "a token is never an argument",
		"attention snooze someday token:1": "there is no such section", "attention wake someday token:1": "there is no such section",
	} {
		refused(t, "", says, words(line)...)
	}
	if len(sent) > 0 {
		t.Errorf("it sent %v", sent)
	}
}

// TestSpans reads and writes durations.
func TestSpans(t *testing.T) {
	var got []int64
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			var in wire.RotateToken
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				t.Error(err)
			}
			got = append(got, *in.GraceSeconds, *in.QuietSeconds)
			answer(t, w, wire.RotatedToken{ID: 5, Name: "deploy", Key: sample, Replaces: wire.ReplacedToken{ID: 4, ClosesAt: time.Now().Add(time.Hour), QuietSeconds: *in.QuietSeconds}})
		case strings.HasSuffix(r.URL.Path, "/search") && r.URL.Query().Get("page") == "1":
			answer(t, w, wire.ServiceAccounts{ServiceAccounts: []wire.ServiceAccount{{ID: 7, Name: "my team's account"}}})
		case strings.HasSuffix(r.URL.Path, "/search"):
			answer(t, w, wire.ServiceAccounts{})
		case strings.HasSuffix(r.URL.Path, "/tokens"):
			answer(t, w, []wire.Token{{ID: 4, Name: "deploy"}})
		default:
			answer(t, w, wire.ServiceAccountProfile{ID: 7, Name: "my team's account"})
		}
	})
	for quiet, says := range map[string]string{"90m": "for 1h30m.", "0s": "first used.", "1d1s": "for 1d1s."} {
		said(t, "", says, "token", "rotate", "my team's account", "deploy", "--grace", "1d12h", "--quiet", quiet)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]int64{0, 5400, 86401, 129600, 129600, 129600}, got); diff != "" {
		t.Errorf("the seconds differ (-want +got):\n%s", diff)
	}
	said(t, "", `hallpass token undo 'my team'\''s account' 5`, "token", "rotate", "my team's account", "deploy", "--grace", "1h", "--quiet", "0s")
}
