package test_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// dialog opens a page of the console as a dialog.
func (b *browser) dialog(path string) {
	b.t.Helper()
	b.until(`document.readyState === "complete"`)
	eval[bool](b, `(a => { a.href = `+quote(path)+`; a.dataset.dialog = ""; a.id = "opens"; a.textContent = "open"; document.querySelector("main").append(a); a.click(); return true })(document.createElement("a"))`)
	b.until(`document.querySelector("#token-dialog")?.open`)
}

// status is what the secret gets.
func status(s *hallpasstest.Server, secret string) int {
	return s.Do(hallpasstest.Bearer(secret), "GET", "/api/org", "", "User-Agent: curl/8.5.0").StatusCode
}

// secretOf makes a token by the API.
func secretOf(t *testing.T, s *hallpasstest.Server, account, body string) string {
	t.Helper()
	var made struct{ Key string }
	api(t, s, hallpasstest.Admin, "POST", "/api/serviceaccounts/"+strings.TrimPrefix(account, "/org/serviceaccounts/")+"/tokens", body, &made)
	return made.Key
}

// TestTokenIsMadeNarrow makes a token with every field of the dialog, copies it, and is
// done by the same button.
func TestTokenIsMadeNarrow(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	b.allowClipboard()
	b.click("#add-token")
	b.until(`document.activeElement.id === "token-name"`)
	b.fill("#token-name", "narrow")
	b.click(".more summary")
	b.click("[name=read_only]")
	b.fill("#networks", "10.0.0.1/8")
	b.fill("#owner", "ops@example.com")
	b.fill("#purpose", "a workflow")
	b.fill("#calls", "60")
	b.click("#token-generate")
	b.until(`document.querySelector("#token-dialog").open && document.activeElement.id === "networks"`) // a typing error must not widen
	b.shows("10.0.0.0/8")
	b.fill("#networks", "127.0.0.0/8")
	b.click("#token-generate")
	b.shows("Service account token created", "46 characters")
	secret := eval[string](b, `document.querySelector("#token-secret").value`)
	if eval[bool](b, `[...document.querySelectorAll("#token-dialog .primary")].filter(e => e.checkVisibility()).length !== 1`) {
		t.Error("there is more than one primary button, or none")
	}
	b.keys(kb.Enter) // the focus is on Copy to clipboard
	b.until(`document.activeElement.id === "token-done"`)
	if got := eval[string](b, `navigator.clipboard.readText()`); got != secret {
		t.Error("the clipboard does not hold the secret")
	}
	b.click(`.stores label:nth-child(2)`)
	b.until(`document.querySelector("#token-github").checkVisibility() && !document.querySelector("#token-curl").checkVisibility()`)
	b.click("#token-github-copy")
	b.shows("The command is copied. The token is not in it")
	b.until(`!document.querySelector("[data-step=copied]").classList.contains("lit") && document.querySelector("#token-done").hidden`)
	b.click("#token-copy")
	b.click("#token-done")
	b.until(`!document.querySelector("#token-dialog").open && document.activeElement.id === "add-token"`)
	list := s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/"+strings.TrimPrefix(account, "/org/serviceaccounts/")+"/tokens", "").Text
	for _, want := range []string{`"readOnly":true`, `"networks":["127.0.0.0/8"]`, `"owner":"ops@example.com"`, `"purpose":"a workflow"`, `"requests":60,"seconds":60`} {
		if !strings.Contains(list, want) {
			t.Errorf("the token has no %s: %s", want, list)
		}
	}
}

// TestRotateInADialog rotates a token that is in use. Both secrets work, and the old one
// ends when it is retired.
func TestRotateInADialog(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	old := secretOf(t, s, account, `{"name":"nightly","secondsToLive":3888000}`)
	status(s, old)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	b.dialog(account + "/tokens/1/rotate")
	b.shows("Rotate nightly", "As before: 45 days", "It is in use.", "just now from 127.0.0.1 by curl/8.5.0")
	b.click(`.chip:has([name=grace][value="3600"])`)
	b.press("button", "Rotate token")
	b.shows("Service account token rotated", "ends when the new one was used and nobody has used the old one for 10 minutes")
	secret := eval[string](b, `document.querySelector("#token-secret").value`)
	if status(s, old) != http.StatusOK || status(s, secret) != http.StatusOK {
		t.Errorf("the old secret answers %d, the new one %d", status(s, old), status(s, secret))
	}
	b.shows("Proved: it works")
	b.click("#token-done")
	b.until(`!document.querySelector("#token-dialog").open`)
	b.dialog(account + "/tokens/1/rotate")
	b.shows("Another token replaces this one already.")
	b.keys(kb.Escape)
	b.open(account + "/tokens/1/retire")
	b.press("button", "Retire now")
	b.shows("The old secret of nightly has ended.")
	if status(s, old) != http.StatusUnauthorized || status(s, secret) != http.StatusOK {
		t.Errorf("after it was retired, the old secret answers %d, the new one %d", status(s, old), status(s, secret))
	}
}

// TestPauseAndResume pauses a token, which is refused then, and resumes it.
func TestPauseAndResume(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	secret := secretOf(t, s, account, `{"name":"nightly"}`)
	status(s, secret)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	b.dialog(account + "/tokens/1/pause")
	b.shows("Pause nightly", "It is in use.", "just now from 127.0.0.1 by curl/8.5.0")
	b.fill("#reason", "to see who breaks")
	b.click(`.chip:has([name=for][value="0"])`)
	b.press("button", "Pause token")
	b.shows("The token nightly is paused until somebody resumes it")
	if got := status(s, secret); got != http.StatusUnauthorized {
		t.Errorf("the paused token answers %d", got)
	}
	b.open(account + "/tokens/1/resume")
	b.shows("paused (to see who breaks)", "works as ci, with the role Viewer")
	b.click("#confirm-yes")
	b.shows("The token nightly works again.")
	if got := status(s, secret); got != http.StatusOK {
		t.Errorf("the resumed token answers %d", got)
	}
}

// TestNarrowAsks takes power away from a token: the question tells what it loses and
// what it may still do.
func TestNarrowAsks(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+strings.TrimPrefix(account, "/org/serviceaccounts/"), `{"role":"Editor"}`)
	secret := secretOf(t, s, account, `{"name":"nightly"}`)
	write := func() int {
		return s.Do(hallpasstest.Bearer(secret), "POST", "/api/folders", `{"title":"x"}`).StatusCode
	}
	if got := write(); got != http.StatusOK {
		t.Fatalf("before, a write answers %d", got)
	}
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	b.dialog(account + "/tokens/1/narrow")
	b.click("[name=read_only]")
	b.press("button", "Compare…")
	b.until(`document.querySelector("#confirm-dialog")?.open`)
	b.shows("it may change things too", "it may only look", "It loses:", "It cannot change anything", "It is in use:")
	b.click("#confirm-yes")
	b.shows("The limits of the token nightly are changed.")
	if got := write(); got != http.StatusForbidden {
		t.Errorf("after, a write answers %d", got)
	}
}

// TestFind finds tokens by name, by the last four characters, and by the whole secret, of
// which the browser sends only a hash.
func TestFind(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	secret := secretOf(t, s, account, `{"name":"nightly"}`)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	const field = `.find input`
	eval[bool](b, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}))`)
	b.until(`document.activeElement.matches("` + field + `")`)
	b.keys("nightly" + kb.Enter)
	b.until(`location.search === "?q=nightly"`)
	b.shows("glsa_…"+secret[len(secret)-4:], "of ci")
	b.fill(field, secret[len(secret)-4:])
	b.keys(kb.Enter)
	b.shows("nightly")
	b.fill(field, secret)
	b.keys(kb.Enter)
	b.until(`location.search.startsWith("?hash=")`)
	b.shows("Found by the hash", "nightly")
	if strings.Contains(eval[string](b, `location.href + document.documentElement.outerHTML`), secret) {
		t.Error("the page or its address holds the secret")
	}
	b.fill(field, secret[:20])
	b.keys(kb.Enter)
	b.shows("This is a part of a secret, and it was not sent.")

	b.url = strings.Replace(s.URL, "127.0.0.1", lanHost, 1) // no secure context: nothing makes a hash
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/find")
	b.fill(`main [name=q]`, secret)
	b.keys(kb.Enter)
	b.shows("The token was not sent.")
	if got := eval[string](b, "location.pathname + location.search"); got != "/find" {
		t.Errorf("the browser went to %s", strings.ReplaceAll(got, secret, "(the secret)"))
	}
}
