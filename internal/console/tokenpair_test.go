package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestPair shows a token and the one that replaces it in one block, whose light says
// whether the old one can go.
func TestPair(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Viewer")
	old := tokenOf(t, s, "ci")
	now := s.Clock.Now()
	change := func(id hallpass.TokenID, fn func(*hallpass.Token)) {
		t.Helper()
		err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
			k, err := tx.OrgToken(hallpass.FirstOrg, id)
			if err != nil {
				return err
			}
			fn(&k)
			return tx.UpdateToken(k)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change(1, func(k *hallpass.Token) { // its name is free until the second token is its successor
		k.Name = "first"
		k.Rotation = hallpass.Rotation{Chain: 1, Generation: 1, Successor: 2, At: now, CloseAt: now.Add(24 * time.Hour), Quiet: 10 * time.Minute}
	})
	next := tokenOf(t, s, "ci")
	change(2, func(k *hallpass.Token) { k.Rotation = hallpass.Rotation{Chain: 1, Generation: 2, Predecessor: 1} })
	change(1, func(k *hallpass.Token) { k.Name = "of ci" })
	use := func(key string) { s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", "User-Agent: curl/8.5.0") }

	b.want("nobody has moved", b.get(path), 200, `<tbody class="pair">`, "Not safe to retire yet", "Nobody has used the new secret.", "10 minutes without use, at the latest", `href="`+path+`/tokens/1/retire"`, `href="`+path+`/tokens/1/extend"`, `href="`+path+`/tokens/2/undo"`,
		`<span class="gen new">2</span>New`, `<span class="gen">1</span>Old`, "When quiet")
	s.Clock.Wind(time.Minute)
	use(old)
	use(next)
	b.want("both are used", b.get(path), 200, `<tbody class="pair">`, "The old secret was used just now from 127.0.0.1 by curl/8.5.0.")
	s.Clock.Wind(11 * time.Minute)
	b.want("the old one is quiet", b.get(path), 200, `<tbody class="pair safe">`, "Safe to retire", "The old secret was last used 11 minutes ago")
	if p := b.get(path + "/tokens"); strings.Count(p.text, "data-token-id=") != 2 {
		t.Errorf("the rows alone:\n%s", p.text)
	}
	b.want("the page of the new one", b.get(path+"/tokens/2"), 200, "Generation 2", "Replaces …"+old[len(old)-4:])
	b.want("the page of the old one", b.get(path+"/tokens/1"), 200, "Replaced by", `href="`+path+`/tokens/2"`)
	for _, page := range []string{"1/retire", "1/extend", "2/undo", "2/rotate", "2/pause", "2/narrow", "2/rename"} {
		b.want("the page behind "+page, b.get(path+"/tokens/"+page), 200)
	}
	s.Clock.Wind(24 * time.Hour)
	p := b.get(path)
	b.want("the old one has ended", p, 200, "Replaced", "Ended")
	if strings.Contains(p.text, `class="pair`) {
		t.Error("a pair is shown after the old token has ended")
	}
}

// TestChain rotates a token twice, and its first secret is still tried: all three stand in
// one block, each once, and the pages of the two that work tell of the rotation.
func TestChain(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Viewer")
	first := tokenOf(t, s, "ci")
	api := "/api/serviceaccounts/" + idOf(t, s, "ci") + "/tokens"
	for _, r := range []struct{ path, body string }{{"/1/rotate", `{"graceSeconds":0}`}, {"/2/rotate", `{"graceSeconds":86400}`}} {
		if answer := s.Do(hallpasstest.Admin, "POST", api+r.path, r.body); answer.StatusCode != 200 {
			t.Fatalf("%s: %d %s", r.path, answer.StatusCode, answer.Text)
		}
	}
	s.Do(hallpasstest.Bearer(first), "GET", "/api/org", "", "User-Agent: curl/8.5.0")
	var p page
	hallpasstest.Eventually(t, "the chain to show the try", func() bool {
		p = b.get(path)
		return strings.Contains(p.text, "Generation 1: the old secret is still tried")
	})
	b.want("the chain", p, 200, `<span class="gen new">3</span>New`, `<span class="gen">2</span>Old`, `<span class="gen">1</span>Old`, "Do you know this address?", "give it the newest secret")
	if blocks, rows := strings.Count(p.text, `<tbody class="pair`), strings.Count(p.text, "data-token-id="); blocks != 1 || rows != 3 {
		t.Errorf("%d blocks have %d rows:\n%s", blocks, rows, p.text)
	}
	for _, token := range []string{"2", "3"} {
		b.want("the page of token "+token, b.get(path+"/tokens/"+token), 200, "Nobody has used the new secret.", path+"/tokens/2/extend", path+"/tokens/2/retire", path+"/tokens/3/undo")
	}
}

// TestSuccessorThatDoesNotWork ends the new token of a rotation before the old one, and
// pauses another: the pair says so, and offers what helps and nothing that is refused.
func TestSuccessorThatDoesNotWork(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Viewer")
	api := "/api/serviceaccounts/" + idOf(t, s, "ci") + "/tokens"
	do := func(method, path, body string) {
		t.Helper()
		if r := s.Do(hallpasstest.Admin, method, api+path, body); r.StatusCode != 200 {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
		}
	}
	lacks := func(what string, p page, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if strings.Contains(p.text, text) {
				t.Errorf("%s has %s", what, text)
			}
		}
	}
	s.Do(hallpasstest.Bearer(tokenOf(t, s, "ci")), "GET", "/api/org", "") // 1
	do("POST", "/1/rotate", `{"secondsToLive":60}`)                       // by 2
	b.want("nobody has used the new one", b.get(path+"/tokens/1/retire"), 200, "Nobody has used the new secret yet", `id="confirm-name"`)
	s.Clock.Wind(time.Minute)
	p := b.get(path)
	b.want("the new one has ended", p, 200, `<tbody class="pair">`, "The new token has ended", "Undo the rotation to keep the old one", `href="`+path+`/tokens/1/rotate"`, `href="`+path+`/tokens/2/undo"`, `href="`+path+`/tokens/1/extend"`)
	lacks("the pair", p, "/retire")
	b.want("retire all the same", b.get(path+"/tokens/1/retire"), 409, "so nothing would work")
	b.want("home", b.get("/"), 200, "The new token of this rotation has ended before the old one.", `href="`+path+`/tokens/1/rotate"`)
	b.want("what ends within 7 days", b.get(path+"?ends=7"), 200, `data-token-id="1"`)
	b.want("the accounts of that", b.get("/org/serviceaccounts?ends=7"), 200, ">ci<")
	if p := b.yes(b.get(path + "/tokens/2/undo")); p.status != 303 {
		t.Errorf("undo: %d %s", p.status, p.text)
	}

	do("POST", "/1/rotate", `{}`) // by 3
	do("PATCH", "/3", `{"paused":true}`)
	p = b.get(path)
	b.want("the new one is paused", p, 200, "Not safe to retire", "The new secret is paused: without the old one nothing would work.", `href="`+path+`/tokens/3/resume"`)
	lacks("the pair", p, "/retire")
	b.want("retire all the same", b.get(path+"/tokens/1/retire"), 409, "is paused, so nothing would work")
	p = b.get(path + "/tokens/3/rotate")
	b.want("to rotate what is paused", p, 200, "The token is paused", `href="`+path+`/tokens/3/resume" data-confirm`)
	lacks("the form", p, `name="grace"`, "<form method=\"post\" action=\""+path)
	b.want("to rotate what is replaced", b.get(path+"/tokens/1/rotate"), 200, "Another token replaces this one already.", "See both tokens")
}

// TestTokenUsage uses a token, well and badly: its row has a chart that is told in words,
// and its page says who used it, from where and for what.
func TestTokenUsage(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Viewer")
	key := tokenOf(t, s, "ci")
	b.want("before any use", b.get(path), 200, `aria-label="Calls with of ci in the last 30 days: none"`)
	b.want("its page before any use", b.get(path+"/tokens/1"), 200, "From nowhere yet.", "It used no permission yet.", "Nobody has used it yet.")
	for i := range 3 {
		s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", fmt.Sprintf("User-Agent: curl/%d", min(i, 1)))
	}
	s.Do(hallpasstest.Bearer(key), "POST", "/api/folders", `{"title":"x"}`, "User-Agent: curl/1")
	hallpasstest.Eventually(t, "the chart to tell the calls", func() bool {
		return strings.Contains(b.get(path+"/tokens").text, `aria-label="Calls with of ci in the last 30 days: 3 answered, 1 refused"`)
	})
	b.want("its page", b.get(path+"/tokens/1"), 200, "3 answered", "1 refused", "curl/0", "curl/1", "GET /api/org answered 200", "orgs:read", `<svg class="days"`, "Today")
	for _, question := range []string{path + "/disable", path + "/delete", path + "/tokens/1/delete"} {
		b.want("who would break: "+question, b.get(question), 200, "“of ci” was used 3 times by curl/1 from 127.0.0.1, last just now: POST /api/folders answered 403.", "“of ci” was used 1 time by curl/0 from 127.0.0.1, last just now: GET /api/org answered 200.")
	}
	for what, question := range map[string]page{"the form": b.get(path + "/tokens/1/pause"), "several": b.post("/org/serviceaccounts", "do", "pause-15", "account", idOf(t, s, "ci"))} {
		b.want("what a pause refuses: "+what, question, 200, "these will be refused, by what was used in the last 7 days:",
			"ust now from 127.0.0.1 by curl/1, 3 times: POST /api/folders answered 403", "ust now from 127.0.0.1 by curl/0, 1 time: GET /api/org answered 200", "rgs:read, 3 times, last just now")
	}
	b.want("what it would lose", b.post(path+"/role", "role", "None"), 200, "It loses orgs:read, which it used 3 times, last just now.")
	b.want("what it uses", b.get(path), 200, "What it uses", "permissions used\"", "Recorded for less than 90 days so far.")

	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer broken.Close()
	s.Do(hallpasstest.Admin, "POST", "/api/guards", `{"name":"shop","upstream":"`+broken.URL+`","rules":[{"path":"/orders","role":"Viewer"}]}`)
	s.Clock.Wind(time.Minute)
	if r := s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/shop/orders", "", "User-Agent: curl/2"); r.StatusCode != http.StatusBadGateway {
		t.Fatalf("the API that fails: %d %s", r.StatusCode, r.Text)
	}
	hallpasstest.Eventually(t, "the chart to tell the error", func() bool {
		return strings.Contains(b.get(path+"/tokens").text, `aria-label="Calls with of ci in the last 30 days: 3 answered, 1 answered with an error, 1 refused"`)
	})
	b.want("its page after the API failed", b.get(path+"/tokens/1"), 200, `<i class="err"></i>1 answered with an error`, `<path class="err" d="M`, `<span class="badge warn">the API failed</span>`,
		"The answer was 502: the API failed.", `class="lede warn"`)
}
