package test_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// browser is one tab of a real Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string // of the server
}

// lanHost is a name by which the browser reaches the server as another machine would.
// Without https, such a page is not a secure context.
const lanHost = "hallpass.lan"

// newBrowser starts Chromium. Without Chromium it skips the test.
func newBrowser(t *testing.T, url string) *browser {
	t.Helper()
	path := os.Getenv("HALLPASS_TEST_CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no browser at %s: `make test` installs one, or name one with HALLPASS_TEST_CHROMIUM", path)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP "+lanHost+" 127.0.0.1"), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil { // without a timeout, which would end the browser too
		t.Fatal(err)
	}
	return &browser{t: t, ctx: ctx, url: url}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, hallpasstest.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// open goes to a page of the server. It first waits for the navigation before: of two
// navigations at once the browser drops one.
func (b *browser) open(path string) {
	b.t.Helper()
	b.ready()
	b.do(chromedp.Navigate(b.url + path))
}

// eval evaluates a script and returns its value.
func eval[T any](b *browser, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, hallpasstest.Patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits until the script returns true.
func (b *browser) until(script string) {
	b.t.Helper()
	if !hallpasstest.Within(hallpasstest.Patience, func() bool {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+script+")"))
		return err == nil && ok // an error comes when the page is being replaced
	}) {
		b.t.Fatalf("never true: %s\non %s: %s", script, eval[string](b, "location.pathname"), eval[string](b, "document.body.innerText"))
	}
}

// find returns a script's expression for the visible element with that text.
func find(selector, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%s)].find(e => e.checkVisibility() && e.innerText.trim() === %s)`, quote(selector), quote(text))
}

// ready waits until the page is there with its scripts: what is pressed or typed before they
// run is done without them, or lost.
func (b *browser) ready() {
	b.t.Helper()
	b.until(`document.readyState === "complete"`)
}

// press clicks the visible element with that text.
func (b *browser) press(selector, text string) {
	b.t.Helper()
	b.until(`document.readyState === "complete" && ` + find(selector, text))
	eval[bool](b, find(selector, text)+".click(), true")
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.ready()
	b.do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

// yes presses the button of the question that the page asks.
func (b *browser) yes(says ...string) {
	b.t.Helper()
	b.until(`document.querySelector("#confirm-dialog")?.open`)
	for _, text := range says {
		b.until(`document.querySelector("#confirm-dialog").innerText.includes(` + quote(text) + `)`)
	}
	if eval[bool](b, `Boolean(document.querySelector("#confirm-name"))`) { // of what is in use, the name is typed
		b.fill("#confirm-name", eval[string](b, `document.querySelector("#confirm-name").dataset.type`))
	}
	b.click("#confirm-yes")
	b.until(`!document.querySelector("#confirm-dialog")`)
}

// fill replaces the value of an input by typing.
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.ready()
	b.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	eval[bool](b, `document.querySelector(`+quote(selector)+`).select(), true`)
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

func (b *browser) keys(keys string) {
	b.t.Helper()
	b.ready()
	b.do(chromedp.KeyEvent(keys))
}

// shows fails the test unless the page has each of the texts.
func (b *browser) shows(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until("document.body.innerText.includes(" + quote(text) + ")")
	}
}

func (b *browser) signIn(login, password string) {
	b.t.Helper()
	b.open("/login")
	b.fill("#user", login)
	b.fill("#password", password)
	b.keys(kb.Enter)
	b.until("location.pathname !== '/login'")
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return strings.ReplaceAll(string(b), "\u2028", `\u2028`)
}
