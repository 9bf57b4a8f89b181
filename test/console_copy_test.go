package test_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestCopiedIsTrue presses three buttons of the dialog in every order, and closes it. The
// dialog says "Copied" and closes without a question exactly when the secret was copied
// last, and the clipboard has it.
func TestCopiedIsTrue(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	b.allowClipboard()
	copied := func() bool {
		return eval[bool](b, `document.querySelector("[data-step=copied]").classList.contains("lit")`)
	}
	clipboard := func() string { return eval[string](b, `navigator.clipboard.readText()`) }
	presses := []struct {
		name   string
		secret bool
		press  func()
	}{
		{"Copy to clipboard", true, func() {
			b.click("#token-copy")
			b.until(`document.querySelector("#token-copy").classList.contains("done")`)
		}},
		{"Copy command", false, func() {
			b.click("#token-curl-copy")
			b.until(`document.querySelector("#token-curl-copy").classList.contains("done")`)
		}},
		{"a selection, by hand", false, func() {
			eval[bool](b, `(e => { e.focus(); e.setSelectionRange(0, 7); return document.execCommand("copy") })(document.querySelector("#token-curl"))`)
		}},
		{"a part of the secret, by hand", false, func() {
			eval[bool](b, `(e => { e.type = "text"; e.focus(); e.setSelectionRange(0, 9); return document.execCommand("copy") })(document.querySelector("#token-secret"))`)
		}},
		{"the whole secret, by hand", true, func() {
			eval[bool](b, `(e => { e.type = "text"; e.focus(); e.select(); return document.execCommand("copy") })(document.querySelector("#token-secret"))`)
		}},
	}
	for i, first := range presses {
		for j, second := range presses {
			third := presses[(i+j)%len(presses)]
			secret := b.newToken(account, fmt.Sprintf("t %d %d", i, j))
			order := first.name + ", " + second.name + ", " + third.name
			for _, p := range []int{i, j, (i + j) % len(presses)} {
				presses[p].press()
				if copied() != presses[p].secret || (clipboard() == secret) != presses[p].secret {
					t.Fatalf("%s: after %q the dialog says copied: %v, and the clipboard holds the secret: %v", order, presses[p].name, copied(), clipboard() == secret)
				}
			}
			b.keys(kb.Escape)
			if third.secret {
				b.until(`!document.querySelector("#token-dialog").open`)
				continue
			}
			b.until(`document.querySelector("#guard-dialog")?.open`)
			b.click("#guard-close")
			b.until(`!document.querySelector("#token-dialog").open`)
		}
	}

	// Two copies at once: the one that was started last counts, whichever ends first.
	b.newToken(account, "at once")
	eval[bool](b, `(() => { const write = navigator.clipboard.writeText.bind(navigator.clipboard);
		Object.defineProperty(navigator.clipboard, "writeText", {configurable: true, value: (text) => new Promise((ok, no) => setTimeout(() => write(text).then(ok, no).finally(() => setTimeout(() => window.through = (window.through || 0) + 1)), text.startsWith("glsa_") ? 400 : 0))});
		document.querySelector("#token-copy").click(); document.querySelector("#token-curl-copy").click(); return true })()`)
	b.until(`document.querySelector("#token-curl-copy").classList.contains("done")`)
	b.until(`window.through === 2`)
	if copied() {
		t.Error("an overtaken copy counts")
	}
	// A copy in another tab replaces the secret in the clipboard.
	eval[bool](b, `delete navigator.clipboard.writeText, document.querySelector("#token-copy").click(), true`)
	b.until(`document.querySelector("[data-step=copied]").classList.contains("lit")`)
	eval[bool](b, `new BroadcastChannel("hallpass-copies").postMessage(""), true`)
	b.until(`!document.querySelector("[data-step=copied]").classList.contains("lit")`)
}

// TestLatestCallWins makes calls that are answered and refused, by turns: the
// line of the proof tells of the latest one, amber for a refusal and green for an
// answer.
func TestLatestCallWins(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	b.signIn("admin", hallpasstest.AdminPassword)
	secret := b.newToken(account, "t")
	calls := map[string]struct {
		method, path, says, class string
		headers                   []string
	}{
		"answered": {"GET", "/api/org", "Used just now", "proof proved", nil},
		"denied":   {"PUT", "/api/org", "was refused: it needs the permission orgs:write", "proof refused", nil},
		"strange":  {"GET", "/api/org", "refused: the request names another organization", "proof refused", []string{"X-Grafana-Org-Id: 7"}},
	}
	for i, name := range []string{"strange", "answered", "denied", "answered", "strange", "denied", "answered", "answered", "denied"} {
		c := calls[name]
		body := ""
		if c.method == "PUT" {
			body = `{"name":"x"}`
		}
		told := fmt.Sprintf(`document.querySelector("#token-proof").innerText.includes(%s) && document.querySelector("#token-proof").innerText.includes("call%d/1") && document.querySelector("#token-proof-box").className === %s`, quote(c.says), i, quote(c.class))
		hallpasstest.Eventually(t, "the page to tell of the call", func() bool { // the page does not show a refusal from before it listened, so the call is repeated
			s.Clock.Wind(2 * time.Minute) // refusals of one minute are one event
			s.Do(hallpasstest.Bearer(secret), c.method, c.path, body, append(c.headers, fmt.Sprintf("User-Agent: call%d/1", i))...)
			return hallpasstest.Within(3*time.Second, func() bool { return eval[bool](b, "Boolean("+told+")") })
		})
	}
}
