package test_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestSeedWalk is the walk that every release must pass, in a real browser and over plain
// HTTP: an administrator creates a token for the account of a job, tests it, sees its use
// without reloading the page, and deletes it.
func TestSeedWalk(t *testing.T) {
	s := hallpasstest.New(t)
	walk := &seedWalk{s: s, b: newBrowser(t, s.URL)}
	s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"dashboard-sync","role":"Editor"}`)
	walk.b.signIn("admin", hallpasstest.AdminPassword) // row 0
	walk.findAccount(t)
	walk.makeToken(t)
	walk.prove(t)
	walk.shownOnce(t)
	walk.refusals(t)
	walk.rotateAndDisable(t)
	walk.limit(t)
}

type seedWalk struct {
	s       *hallpasstest.Server
	b       *browser
	account string // path of its page
	secret  string
}

const seedLine = `{"id":1,"name":"Main Org.","address":{"address1":"","address2":"","city":"","zipCode":"","state":"","country":""}}`

// findAccount is rows 1, 2 and 2b: from the menu to the account, whose role is then
// changed to what the job needs.
func (w *seedWalk) findAccount(t *testing.T) {
	b := w.b
	b.until(find("a", "Service accounts"))
	b.press("a", "Service accounts")
	b.until("location.pathname === '/org/serviceaccounts'")
	b.shows("dashboard-sync", "No tokens")
	b.press("a", "dashboard-sync")
	b.until("/^\\/org\\/serviceaccounts\\/[a-z][0-9a-z]{13}$/.test(location.pathname)")
	w.account = eval[string](b, "location.pathname")
	b.shows("Information", "Tokens")
	eval[bool](b, `(() => { const r = document.querySelector("#role"); r.value = "Viewer"; r.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
	b.click("[data-role-save]")
	b.yes("Role of dashboard-sync", "Viewer")
	b.shows("dashboard-sync has the role Viewer now.")
	hallpasstest.Eventually(t, "the role to be Viewer", func() bool {
		return strings.Contains(w.s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?query=dashboard-sync", "").Text, `"role":"Viewer"`)
	})
}

// makeToken is rows 3 to 7: the dialog, one token for two clicks, the secret
// masked, guarded and copied.
func (w *seedWalk) makeToken(t *testing.T) {
	b := w.b
	b.open(w.account)
	b.click("#add-token")
	b.until(`document.querySelector("#token-dialog").open && document.activeElement.id === "token-name"`)
	b.shows("Add service account token")
	b.fill("#token-name", "ci-dashboard-sync-token")
	// A second request would be refused, because its name is in use, and stay unseen: count
	// the requests.
	eval[bool](b, `(f => { window.posts = 0; window.fetch = (...a) => { if (a[1]?.method === "POST") posts++; return f(...a) }; return true })(fetch)`)
	b.do(chromedp.DoubleClick(chromedp.CSS("#token-generate")))
	b.shows("Service account token created")
	if got := eval[int](b, "posts"); got != 1 {
		t.Errorf("a double click asked for %d tokens, want 1", got)
	}
	if got := strings.Count(w.tokens(t), `"id"`); got != 1 {
		t.Fatalf("a double click made %d tokens, want 1", got)
	}

	w.secret = eval[string](b, `document.querySelector("#token-secret").value`)
	if !regexp.MustCompile(`^glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}$`).MatchString(w.secret) {
		t.Errorf("the secret has the form %d characters, not a token's", len(w.secret))
	}
	if kind := eval[string](b, `document.querySelector("#token-secret").type`); kind != "password" {
		t.Errorf("the secret is shown as %q before Show is pressed", kind)
	}
	b.shows("46 characters, ends …" + w.secret[len(w.secret)-4:])

	// Escape may not lose a secret that was not copied.
	b.keys(kb.Escape)
	b.until(`document.querySelector("#guard-dialog")?.open`)
	b.shows("shown only once")
	b.click("#guard-keep")
	b.until(`!document.querySelector("#guard-dialog").open && document.querySelector("#token-dialog").open`)
	if got := eval[string](b, `document.querySelector("#token-secret").value`); got != w.secret {
		t.Error("the secret is gone after the guard was asked to keep it")
	}

	b.allowClipboard()
	b.click("#token-copy")
	b.until(`document.querySelector("[data-step=copied]").classList.contains("lit")`)
	if got := eval[string](b, `navigator.clipboard.readText()`); got != w.secret {
		t.Error("the clipboard does not hold the secret, exactly")
	}
}

// allowClipboard lets the page read the clipboard, as the test does.
func (b *browser) allowClipboard() {
	b.t.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		granted := cdpbrowser.SetPermissionParams{
			Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted, Origin: b.url,
		}
		if _, err := chromedp.CallBrowser(b.ctx, cdpbrowser.SetPermission, granted); err != nil {
			b.t.Fatalf("allow %s: %v", name, err)
		}
	}
}

func (w *seedWalk) tokens(t *testing.T) string {
	t.Helper()
	uid := strings.TrimPrefix(w.account, "/org/serviceaccounts/")
	return w.s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/"+uid+"/tokens", "").Text
}

// prove is rows 8 and 9: the page shows a refused call with its reason, the right call
// gets the seed line, and the dialog and the row show it without a reload.
func (w *seedWalk) prove(t *testing.T) {
	b := w.b
	eval[bool](b, "window.notReloaded = true")
	b.until(`document.querySelector("#token-proof").innerText.startsWith("Waiting")`)
	w.s.Do(hallpasstest.Bearer(w.secret), "GET", "/api/org", "", "X-Grafana-Org-Id: 2", "User-Agent: curl/8.5.0") // row 9b: why it stays Never
	b.until(`document.querySelector("#token-proof").innerText.includes("refused: the request names another organization")`)
	b.until(`document.querySelector("tr[data-token-id] .last-used").innerText.includes("Never")`)
	if got := w.s.Do(hallpasstest.Bearer(w.secret), "GET", "/api/org", "", "User-Agent: curl/8.5.0"); got.StatusCode != http.StatusOK || got.Text != seedLine {
		t.Fatalf("the token answers %d %s", got.StatusCode, got.Text)
	}
	b.until(`document.querySelector("#token-proof").innerText.startsWith("Proved")`)
	proof := eval[string](b, `document.querySelector("#token-proof").innerText`)
	if !strings.Contains(proof, "127.0.0.1") || !strings.Contains(proof, "curl") {
		t.Errorf("the proof says %q, not from where and by what", proof)
	}
	w.s.Do(hallpasstest.Bearer(w.secret), "POST", "/api/serviceaccounts", `{"name":"x"}`) // row 11, as the dialog tells it
	b.until(`document.querySelector("#token-proof").innerText.includes("it needs the permission serviceaccounts:create")`)
	b.click("#token-done")
	b.until(`!document.querySelector("#token-dialog").open`)
	b.until(`!document.querySelector("tr[data-token-id] .last-used").innerText.includes("Never")`)
	if !eval[bool](b, "window.notReloaded === true") {
		t.Error("the page was reloaded on the way")
	}
}

// shownOnce is row 6b: nothing shows the secret again.
func (w *seedWalk) shownOnce(t *testing.T) {
	b := w.b
	b.open(w.account)
	b.shows("ci-dashboard-sync-token", "glsa_…"+w.secret[len(w.secret)-4:])
	if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), w.secret) || strings.Contains(w.tokens(t), w.secret) {
		t.Error("the secret is there again")
	}
}

// refusals is rows 9b and 11: a wrong token, another org, and a role that does not
// suffice.
func (w *seedWalk) refusals(t *testing.T) {
	wrong := w.secret[:len(w.secret)-1] + "0"
	if wrong == w.secret {
		wrong = w.secret[:len(w.secret)-1] + "1"
	}
	for _, tt := range []struct {
		name, token, method, path, body, header string
		status                                  int
		says                                    string
	}{
		{"a wrong token", wrong, "GET", "/api/org", "", "", 401, "Invalid API key"},
		{"another org", w.secret, "GET", "/api/org", "", "X-Grafana-Org-Id: 2", 401, "requested organization"},
		{"a write as Viewer", w.secret, "POST", "/api/serviceaccounts", `{"name":"x"}`, "", 403, "serviceaccounts:create"},
	} {
		var headers []string
		if tt.header != "" {
			headers = append(headers, tt.header)
		}
		got := w.s.Do(hallpasstest.Bearer(tt.token), tt.method, tt.path, tt.body, headers...)
		if got.StatusCode != tt.status || !strings.Contains(got.Text, tt.says) {
			t.Errorf("%s: %d %s; want %d and %q", tt.name, got.StatusCode, got.Text, tt.status, tt.says)
		}
	}
}

// rotateAndDisable is row 10: it creates a second token, deletes the first, and disables
// and enables the account. Users can sign in all the time.
func (w *seedWalk) rotateAndDisable(t *testing.T) {
	b := w.b
	status := func(token string) int { return w.s.Do(hallpasstest.Bearer(token), "GET", "/api/org", "").StatusCode }
	b.click("#add-token")
	b.until(`document.activeElement.id === "token-name"`)
	b.fill("#token-name", "second")
	b.keys(kb.Enter) // presses Generate token
	b.shows("Service account token created")
	second := eval[string](b, `document.querySelector("#token-secret").value`)
	b.click("#token-copy")
	b.click("#token-done")
	b.until(`!document.querySelector("#token-dialog").open`)
	if got := eval[string](b, `navigator.clipboard.readText()`); got != second {
		t.Error("the copy button turned into Done without a copy")
	}

	b.click(`button[aria-label^="Actions for ci-dashboard-sync-token"]`)
	b.click(`.menu:popover-open a[href$="/delete"]`)
	b.yes("127.0.0.1", "It is in use.") // told before it is deleted: from where it was used
	b.shows("The token ci-dashboard-sync-token of dashboard-sync is revoked.")
	hallpasstest.Eventually(t, "the first token to be refused", func() bool { return status(w.secret) == http.StatusUnauthorized })
	if got := status(second); got != http.StatusOK {
		t.Errorf("the second token answers %d after the first was deleted", got)
	}

	b.open(w.account)
	b.press("a, button", "Disable service account")
	b.until(`document.querySelector("dialog[open]")`)
	b.yes()
	b.shows("dashboard-sync is disabled now: its tokens are refused.")
	hallpasstest.Eventually(t, "the disabled account's token to be refused", func() bool { return status(second) == http.StatusUnauthorized })
	b.shows("Disabled")
	b.open("/") // still signed in
	if at := eval[string](b, "location.pathname"); at != "/" {
		t.Errorf("disabling an account sent its admin to %s", at)
	}
	b.open(w.account)
	b.press("button", "Enable service account")
	b.yes("disabled", "enabled, with the role Viewer")
	b.shows("dashboard-sync is enabled now.")
	hallpasstest.Eventually(t, "the enabled account's token to work", func() bool { return status(second) == http.StatusOK })
}

// limit is row 12: a limit that the administrator set applies to the dialog and to the
// API.
func (w *seedWalk) limit(t *testing.T) {
	w.s.Restart(func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = 30 })
	b := w.b
	b.url = w.s.URL // another port: a cookie belongs to a host on all its ports, and the session is in the database
	b.open(w.account + "?newToken=1&name=from-a-link")
	b.until(`document.querySelector("#token-dialog").open`)
	b.shows("Longest lifetime allowed: 30 days")
	if strings.Contains(eval[string](b, `document.querySelector("#token-dialog").innerText`), "No expiration") {
		t.Error("No expiration is offered in spite of the limit")
	}
	if got := eval[string](b, `document.querySelector("#token-name").value`); got != "from-a-link" {
		t.Errorf("the link's name became %q", got)
	}
	uid := strings.TrimPrefix(w.account, "/org/serviceaccounts/")
	for _, tt := range []struct {
		body string
		want int
	}{
		{`{"name":"a"}`, 400},
		{`{"name":"a","secondsToLive":0}`, 400},
		{fmt.Sprintf(`{"name":"a","secondsToLive":%d}`, 31*24*3600), 400},
		{fmt.Sprintf(`{"name":"a","secondsToLive":%d}`, 30*24*3600), 200},
	} {
		if got := w.s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+uid+"/tokens", tt.body); got.StatusCode != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.body, got.StatusCode, got.Text, tt.want)
		}
	}
}
