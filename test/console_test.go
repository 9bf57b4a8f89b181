package test_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// newAccount makes an account and returns the path of its page.
func newAccount(t *testing.T, s *hallpasstest.Server, name string) string {
	t.Helper()
	var account struct{ UID string }
	got := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":`+quote(name)+`,"role":"Viewer"}`)
	if err := json.Unmarshal([]byte(got.Text), &account); err != nil || account.UID == "" {
		t.Fatalf("create %s: %d %s", name, got.StatusCode, got.Text)
	}
	return "/org/serviceaccounts/" + account.UID
}

// newToken makes a token in the dialog and leaves it open on the secret.
func (b *browser) newToken(account, name string) (secret string) {
	b.t.Helper()
	b.open(account)
	b.click("#add-token")
	b.until(`document.activeElement.id === "token-name"`)
	b.fill("#token-name", name)
	b.keys(kb.Enter)
	b.shows("Service account token created")
	return eval[string](b, `document.querySelector("#token-secret").value`)
}

// TestSecretIsNotLost tries every way to close the dialog before the secret is copied.
// Each way asks first.
func TestSecretIsNotLost(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	b.signIn("admin", hallpasstest.AdminPassword)
	secret := b.newToken(account, "first")
	for name, leave := range map[string]func(){
		"Escape":   func() { b.keys(kb.Escape) },
		"the x":    func() { b.click("#token-x") },
		"Close":    func() { b.click("#token-close") },
		"backdrop": func() { b.do(chromedp.MouseClickXY(12, 450)) },
	} {
		leave()
		b.until(`document.querySelector("#guard-dialog")?.open`)
		b.keys(kb.Escape) // a second press keeps it
		b.until(`!document.querySelector("#guard-dialog").open && document.querySelector("#token-dialog").open`)
		if got := eval[string](b, `document.querySelector("#token-secret").value`); got != secret {
			t.Fatalf("%s: the secret is gone", name)
		}
	}
	const leaves = `dispatchEvent(new Event("beforeunload", {cancelable: true}))` // as closing the tab asks
	if eval[bool](b, leaves) {
		t.Error("the tab closes on an uncopied secret")
	}
	b.click("#token-stored")
	if !eval[bool](b, leaves) {
		t.Error("the tab does not close on a secret that is stored")
	}
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#token-dialog").open`)

	b.newToken(account, "second")
	b.keys(kb.Escape)
	b.click("#guard-close")
	b.until(`!document.querySelector("#token-dialog").open`)
	if got := eval[string](b, `document.querySelector("#token-secret").value`); got != "" {
		t.Error("the secret stays in the page after Close anyway")
	}
}

// TestCopyTellsTheTruth disables every way to copy in the browser. The dialog says that
// it could not copy, and stays open, also when the browser claims success.
func TestCopyTellsTheTruth(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	b.signIn("admin", hallpasstest.AdminPassword)
	secret := b.newToken(account, "ci")
	eval[bool](b, `Object.defineProperty(navigator.clipboard, "writeText", {value: () => Promise.reject(new Error("no"))}), true`)
	for _, claim := range []string{"false", "true"} {
		eval[bool](b, `document.execCommand = () => `+claim+`, true`)
		b.click("#token-copy")
		b.until(`document.querySelector("#token-copy-status").innerText.includes("press Ctrl/⌘+C")`)
		if !eval[bool](b, `document.querySelector("#token-dialog").open && !document.querySelector("[data-step=copied]").classList.contains("lit") && document.querySelector("#token-done").hidden`) {
			t.Errorf("execCommand %s: the dialog closed, says Copied or offers Done", claim)
		}
		if got := eval[string](b, `(e => e.value.slice(e.selectionStart, e.selectionEnd))(document.activeElement)`); got != secret {
			t.Errorf("execCommand %s: the token is not selected", claim)
		}
		eval[bool](b, `document.querySelector("#token-copy-status").textContent = "", true`)
	}
}

// TestPlainHTTP reaches the server by a name of the network, without https. The page
// warns, and copying still works.
func TestPlainHTTP(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	here := b.url
	b.url = strings.Replace(s.URL, "127.0.0.1", lanHost, 1)
	account := newAccount(t, s, "ci")
	b.open("/login")
	b.shows("This connection is not encrypted")
	b.signIn("admin", hallpasstest.AdminPassword)
	secret := b.newToken(account, "ci")
	if eval[bool](b, "isSecureContext") {
		t.Fatal("the browser takes the address for a secure one: this test proves nothing")
	}
	b.click("#token-copy")
	b.until(`document.querySelector("[data-step=copied]").classList.contains("lit")`)
	if kind := eval[string](b, `document.querySelector("#token-secret").type`); kind != "password" {
		t.Error("copying leaves the secret unmasked")
	}
	// The command names the address that the browser used.
	if got := eval[string](b, `document.querySelector("#token-curl").value`); !strings.Contains(got, b.url+"/api/org") || strings.Contains(got, secret) {
		t.Errorf("the command is %q", strings.ReplaceAll(got, secret, "(the secret)"))
	}
	b.click("#token-done")
	b.until(`!document.querySelector("#token-dialog").open`)
	b.url = here
	b.open("/login") // a secure context, which may read the clipboard
	b.allowClipboard()
	if got := eval[string](b, `navigator.clipboard.readText()`); got != secret {
		t.Error("the clipboard does not hold the secret, exactly")
	}
}

// tabTo presses Tab until the element of the selector has the focus. It fails the test if
// the focus is invisible on the way.
func (b *browser) tabTo(selector string) {
	b.t.Helper()
	for range 80 {
		b.keys(kb.Tab)
		if eval[bool](b, `document.activeElement.matches(`+quote(selector)+`)`) {
			if !eval[bool](b, `(e => [e, e.nextElementSibling].some(x => x && getComputedStyle(x).outlineStyle !== "none"))(document.activeElement)`) {
				b.t.Errorf("%s has the focus and does not show it", selector)
			}
			return
		}
	}
	b.t.Fatalf("Tab never reaches %s", selector)
}

// TestKeyboardOnly signs in, creates a token and deletes it, without a mouse.
func TestKeyboardOnly(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	newAccount(t, s, "dashboard-sync")
	b.open("/login")
	b.until(`document.activeElement.id === "user"`)
	b.keys("admin" + kb.Tab + hallpasstest.AdminPassword + kb.Enter)
	b.until(`location.pathname === "/"`)
	b.tabTo(".skip")
	b.keys(kb.Enter)
	b.until(`document.activeElement.id === "main"`)
	b.tabTo(`main a[href="/org/serviceaccounts"]`)
	b.keys(kb.Enter)
	b.until(`location.pathname === "/org/serviceaccounts"`)
	b.tabTo(".row-link")
	b.keys(kb.Enter)
	b.until(`document.querySelector("#add-token")`)

	b.tabTo("#add-token")
	b.keys(kb.Enter)
	b.until(`document.activeElement.id === "token-name"`)
	b.keys("by-keyboard")
	b.tabTo(`[name=expires]`)
	b.keys(kb.ArrowLeft) // from 90 days to 60
	b.until(`document.querySelector("[name=expires]:checked").value === "5184000"`)
	b.stayIn("#token-dialog")
	b.tabTo("#token-generate")
	b.keys(kb.Enter)
	b.until(`document.activeElement.id === "token-copy"`) // the button that the user needs next
	b.keys(kb.Escape)
	b.until(`document.activeElement.id === "guard-keep"`)
	b.keys(kb.Enter)
	b.until(`!document.querySelector("#guard-dialog").open`)
	b.stayIn("#token-dialog")
	b.allowClipboard()
	b.tabTo("#token-copy")
	b.keys(" ")
	b.until(`document.querySelector("[data-step=copied]").classList.contains("lit")`)
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#token-dialog").open && document.activeElement.id === "add-token"`)

	const actions = `[aria-label^="Actions for by-keyboard"]`
	b.tabTo("button" + actions)
	b.keys(kb.Enter)
	b.tabTo(`.menu a[href$="/delete"]`)
	b.keys(kb.Enter)
	b.until(`document.activeElement.matches("#confirm-dialog [data-cancel]")`) // not on the button that revokes
	b.stayIn("#confirm-dialog")
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#confirm-dialog") && document.activeElement.matches(` + quote("button"+actions) + `)`)
	b.keys(kb.Enter)
	b.tabTo(`.menu a[href$="/delete"]`)
	b.keys(kb.Enter)
	b.until(`document.querySelector("#confirm-dialog")?.open`)
	b.tabTo("#confirm-yes")
	b.keys(kb.Enter)
	b.shows("No tokens yet")
}

// TestRowMenuByKeyboard disables an account by the menu of its row in the list, without a
// mouse. The focus comes back to the button of the menu.
func TestRowMenuByKeyboard(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	newAccount(t, s, "ci")
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/org/serviceaccounts")
	const button = `button[aria-label="Actions for ci"]`
	open := `document.querySelector(".actions .menu").matches(":popover-open")`
	b.tabTo(button)
	b.keys(kb.Enter)
	b.until(open)
	b.keys(kb.Escape)
	b.until("!" + open + ` && document.activeElement.matches(` + quote(button) + `)`)
	b.keys(kb.Enter)
	b.until(open)
	b.tabTo(`.menu a[href*="/disable"]`)
	b.keys(kb.Enter)
	b.until(`document.querySelector("#confirm-dialog")?.open`)
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#confirm-dialog") && document.activeElement.matches(` + quote(button) + `)`)
	b.keys(kb.Enter)
	b.until(open)
	b.tabTo(`.menu a[href*="/disable"]`)
	b.keys(kb.Enter)
	b.until(`document.activeElement.matches("#confirm-dialog [data-cancel]")`)
	b.tabTo("#confirm-yes")
	b.keys(kb.Enter)
	b.shows("ci is disabled now: its tokens are refused.")
	b.tabTo(button)
	b.keys(kb.Enter)
	b.press(".menu button", "Enable…")
	b.yes("disabled", "enabled, with the role Viewer")
	b.shows("ci is enabled now.")
}

// stayIn presses Tab more often than the dialog has elements that take the focus. The
// focus may leave the dialog for the browser itself, but not for the rest of the page.
func (b *browser) stayIn(dialog string) {
	b.t.Helper()
	for range 20 {
		b.keys(kb.Tab)
		if !eval[bool](b, `document.activeElement === document.body || Boolean(document.activeElement.closest(`+quote(dialog)+`))`) {
			b.t.Fatalf("Tab leaves %s for %s", dialog, eval[string](b, "document.activeElement.outerHTML"))
		}
	}
}

// TestLastDay chooses the last day that a limit of 30 days allows, in browsers of the
// first and the last time zone. It is the last day of the server in both.
func TestLastDay(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = 30 })
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	b.signIn("admin", hallpasstest.AdminPassword)
	last := s.Clock.Now().AddDate(0, 0, 30).Format(time.DateOnly)
	for _, zone := range []string{"Pacific/Niue", "UTC", "Pacific/Kiritimati"} {
		if _, err := chromedp.Call(b.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone}); err != nil {
			t.Fatal(err)
		}
		b.open(account)
		b.click("#add-token")
		b.until(`document.activeElement.id === "token-name"`)
		b.fill("#token-name", zone)
		b.click(`.chip:has([value=custom])`)
		set := func(date string) {
			eval[bool](b, `(e => { e.value = `+quote(date)+`; e.dispatchEvent(new Event("input", {bubbles: true})); return true })(document.querySelector("#token-date"))`)
		}
		if got := eval[string](b, `document.querySelector("#token-date").max`); got != last {
			t.Errorf("%s: the picker ends on %s, want %s", zone, got, last)
		}
		set(s.Clock.Now().AddDate(0, 0, 31).Format(time.DateOnly))
		if eval[bool](b, `document.querySelector("#token-form").checkValidity()`) {
			t.Errorf("%s: a day past the limit may be sent", zone)
		}
		set("")
		if !eval[bool](b, `document.querySelector("#token-generate").disabled`) {
			t.Errorf("%s: a token may be generated without a date", zone)
		}
		set(last)
		b.click("#token-generate")
		b.shows("Service account token created")
		b.click("#token-stored")
		b.click("#token-done")
		b.until(`!document.querySelector("#token-dialog").open`)
	}
	if got := strings.Count(s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/"+strings.TrimPrefix(account, "/org/serviceaccounts/")+"/tokens", "").Text, fmt.Sprintf(`"expiration":"%sT23:59:`, last)); got != 3 {
		t.Errorf("%d of 3 tokens end with the last day", got)
	}
}

// TestTwoWaysToProof disables first the polling, then the stream of events. Each time the
// other one shows the proof.
func TestTwoWaysToProof(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	b.signIn("admin", hallpasstest.AdminPassword)
	for _, tt := range []struct{ name, without string }{
		{"the stream alone", `const f = fetch; window.fetch = (...a) => a[1]?.method === "POST" ? f(...a) : Promise.reject(new Error("no"))`},
		{"polling alone", `window.EventSource = class { addEventListener() {} close() {} }`},
	} {
		b.open(account)
		b.click("#add-token")
		b.until(`document.activeElement.id === "token-name"`)
		eval[bool](b, `(() => { `+tt.without+`; return true })()`)
		b.fill("#token-name", tt.name)
		b.keys(kb.Enter)
		b.shows("Service account token created")
		secret := eval[string](b, `document.querySelector("#token-secret").value`)
		s.Do(hallpasstest.Bearer(secret), "GET", "/api/org", "", "User-Agent: curl/8.5.0")
		b.until(`document.querySelector("#token-proof").innerText === "Proved: it works\nUsed just now from 127.0.0.1 by curl/8.5.0."`)
		b.click("#token-done")
		b.until(`!document.querySelector("#token-dialog").open`)
	}
}

// TestRowIsLive leaves the page of an account open, without a dialog, while its
// token is used and another token is created and deleted elsewhere. The page shows it.
func TestRowIsLive(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	api := "/api/serviceaccounts/" + strings.TrimPrefix(account, "/org/serviceaccounts/") + "/tokens"
	var token struct{ Key string }
	if err := json.Unmarshal([]byte(s.Do(hallpasstest.Admin, "POST", api, `{"name":"one"}`).Text), &token); err != nil {
		t.Fatal(err)
	}
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	b.until(`document.querySelector("tr[data-token-id] .last-used").innerText.includes("Never")`)
	eval[bool](b, `window.notReloaded = true, document.querySelector("tr[data-token-id] .actions button").focus(), true`)
	s.Do(hallpasstest.Bearer(token.Key), "GET", "/api/org", "", "User-Agent: terraform/1.9.2")
	b.until(`document.querySelector("tr[data-token-id] .last-used").innerText.includes("127.0.0.1 · terraform/1.9.2")`)
	if !eval[bool](b, `document.activeElement.matches("tr[data-token-id] .actions button")`) {
		t.Error("the update took the focus away")
	}
	s.Do(hallpasstest.Admin, "POST", api, `{"name":"two"}`)
	b.shows("two")
	s.Do(hallpasstest.Admin, "DELETE", api+"/1", "")
	s.Do(hallpasstest.Admin, "DELETE", api+"/2", "")
	b.shows("No tokens yet")
	if !eval[bool](b, "window.notReloaded === true") {
		t.Error("the page was reloaded on the way")
	}
}

// TestHomeByKeyboard puts a row of home off, pauses a token from its row, finds an account
// and adds a channel, without a mouse. Each dialog keeps the focus while it is open, and
// gives it back to the button that opened it.
func TestHomeByKeyboard(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	secretOf(t, s, account, `{"name":"endless","secondsToLive":0}`)
	s.Clock.Wind(8 * 24 * time.Hour) // it was never used
	b.signIn("admin", hallpasstest.AdminPassword)
	const row = `#never-used [aria-label="More actions for endless"]`
	backOn := func(button string) string {
		return `!document.querySelector("#token-dialog")?.open && document.activeElement.matches(` + quote(button) + `)`
	}
	inMenu := func(button, link string) {
		t.Helper()
		b.keys(kb.Enter)
		b.until(`document.querySelector(".menu:popover-open")`)
		b.tabTo(`.menu:popover-open ` + link)
		b.keys(kb.Enter)
		b.until(`document.querySelector("#token-dialog")?.open`)
		b.stayIn("#token-dialog")
		b.keys(kb.Escape)
		b.until(backOn(button))
	}
	b.tabTo(row)
	inMenu(row, `a[href^="/snooze"]`)
	inMenu(row, `a[href$="/pause"]`)
	b.keys(kb.Enter + kb.Escape) // a menu that is closed gives the focus back too
	b.until(`!document.querySelector(".menu:popover-open")`)
	b.until(backOn(row))
	b.keys(kb.Enter)
	b.tabTo(`.menu:popover-open a[href^="/snooze"]`)
	b.keys(kb.Enter)
	b.until(`document.activeElement.id === "reason"`)
	b.keys("moves in March" + kb.Enter)
	b.until(`document.readyState === "complete" && !document.querySelector("#never-used")`)
	b.shows("It is put off until ")

	b.tabTo(".find input")
	b.keys("ci" + kb.Enter)
	b.until(`location.pathname === "/find" && document.readyState === "complete"`)
	b.tabTo(`main a[href="` + account + `"]`)
	b.keys(kb.Enter)
	b.until(`document.querySelector("#add-token")`)
	const token = `button[aria-label^="Actions for endless"]`
	b.tabTo(token)
	for _, page := range []string{"/rotate", "/narrow", "/rename"} {
		inMenu(token, `a[href$="`+page+`"]`)
	}
	b.keys(kb.Enter)
	b.tabTo(`.menu:popover-open a[href$="/pause"]`)
	b.keys(kb.Enter)
	b.until(`document.activeElement.name === "for"`)
	b.keys(kb.ArrowRight)
	b.tabTo("#token-go")
	b.keys(kb.Enter)
	b.shows("The token endless is paused until ")

	b.open("/create/channel")
	b.until(`document.activeElement.id === "name"`)
	b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(kb.ModifierShift)))
	b.until(`document.activeElement.name === "type"`)
	b.keys(kb.ArrowRight)
	b.until(`document.querySelector("[name=type]:checked").value !== "webhook"`)
}
