package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// program is the path of the program, built once for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "oidc")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays lies in the temporary directory
	program = filepath.Join(dir, "hallpass")
	build := exec.Command("go", "build", "-o", program, "./cmd/hallpass")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// provide starts a provider for one client, and returns its issuer.
func provide(t *testing.T, client, back string) string {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	issuer := "http://localhost:" + port(t, front.Listener.Addr().String())
	storage.RegisterClients(storage.WebClient(client, "shared with the provider", back))
	quiet := slog.New(slog.DiscardHandler)
	front.Config.Handler = exampleop.SetupServer(issuer+"/", storage.NewStorage(storage.NewUserStore(issuer)), quiet, false)
	front.Start()
	t.Cleanup(front.Close)
	return issuer + "/"
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serve starts the program beside a provider, and returns its address and the issuer.
func serve(t *testing.T, client string) (root, issuer string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	root = "http://" + listen
	issuer = provide(t, client, root+"/login/generic_oauth")
	cmd := exec.Command(program, "serve", "--data", t.TempDir(), "--listen", listen)
	cmd.Env = append(os.Environ(), "HALLPASS_SECURITY_ADMIN_PASSWORD="+password, "HALLPASS_AUTH_GENERIC_OAUTH_ENABLED=true",
		"HALLPASS_AUTH_GENERIC_OAUTH_NAME=Zitadel", "HALLPASS_AUTH_GENERIC_OAUTH_ISSUER="+issuer, "HALLPASS_AUTH_GENERIC_OAUTH_CLIENT_ID="+client,
		"HALLPASS_AUTH_GENERIC_OAUTH_CLIENT_SECRET=shared with the provider", "HALLPASS_AUTH_GENERIC_OAUTH_ALLOWED_DOMAINS=zitadel.ch",
		"HALLPASS_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH=email == 'test-user2@zitadel.ch' && 'Editor'")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(root + "/readyz"); err == nil {
			_ = res.Body.Close() // nothing was read
			if res.StatusCode == http.StatusOK {
				return root, issuer
			}
		}
	}
	t.Fatal("the server is not ready within a minute")
	return "", ""
}

// visit sends the request and returns where it ended, and the page.
func visit(t *testing.T, client *http.Client, method, to string, form url.Values) (*url.URL, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Request.URL, string(text)
}

var authRequest = regexp.MustCompile(`name="id" value="([^"]+)"`)

// TestSignIn signs in at the provider without a browser, comes back as a user with the
// role that the claims give, and is the same user the next time.
func TestSignIn(t *testing.T) {
	root, _ := serve(t, "hallpass")
	for range 2 {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Jar: jar, Timeout: time.Minute}
		at, page := visit(t, client, http.MethodGet, root+"/login/generic_oauth?next=/profile", nil)
		m := authRequest.FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("%s is not the provider's form:\n%s", at, page)
		}
		at, page = visit(t, client, http.MethodPost, at.Scheme+"://"+at.Host+"/login/username", url.Values{"id": {m[1]}, "username": {"test-user2"}, "password": {"verysecure"}})
		if at.String() != root+"/profile" {
			t.Fatalf("the browser is at %s:\n%s", at, page)
		}
		for _, want := range []string{"test-user2", "Test User2", "test-user2@zitadel.ch", "Editor"} {
			if !strings.Contains(page, want) {
				t.Errorf("the profile does not say %q", want)
			}
		}
		_, page = visit(t, client, http.MethodPost, root+"/logout", url.Values{})
		if !strings.Contains(page, "Sign out of Zitadel too") {
			t.Errorf("the page after signing out:\n%s", page)
		}
	}
}

// A browser is one tab of a real browser.
type browser struct {
	t   *testing.T
	tab context.Context
}

// openBrowser starts Chromium at the address. Without Chromium the test is skipped.
func openBrowser(t *testing.T, address string) browser {
	t.Helper()
	path := os.Getenv("HALLPASS_TEST_CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no browser at %s: `make test` installs one, or name one with HALLPASS_TEST_CHROMIUM", path)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil { // without a timeout, which would end the browser too
		t.Fatal(err)
	}
	return browser{t, tab}
}

// do does the steps within a minute.
func (b browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// click waits for what the selector names, and clicks on it.
func (b browser) click(what, selector string) {
	b.t.Helper()
	b.do(what, chromedp.WaitVisible(selector), chromedp.Click(selector))
}

// until waits until the script returns a text for which is holds, and fails after a minute.
func (b browser) until(what, script string, is func(string) bool) {
	b.t.Helper()
	var now string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if now, err = chromedp.Run(b.tab, chromedp.Evaluate[string](script)); err == nil && is(now) {
			return
		}
	}
	b.t.Fatalf("%s: the browser has %s", what, now)
}

// at waits until the address begins so.
func (b browser) at(want string) {
	b.t.Helper()
	b.until("at "+want, "location.href", func(now string) bool { return strings.HasPrefix(now, want) })
}

// sees waits until the page shows each of the texts.
func (b browser) sees(what string, texts ...string) {
	b.t.Helper()
	b.until(what+", "+strings.Join(texts, ", "), "document.body ? document.body.innerText : ''", func(now string) bool {
		for _, text := range texts {
			if !strings.Contains(now, text) {
				return false
			}
		}
		return true
	})
}

// outside fills in the form of the provider.
func (b browser) outside() {
	b.t.Helper()
	b.do("the provider's form", chromedp.WaitVisible(`#username`), chromedp.SendKeys(`#username`, "test-user2"), chromedp.SendKeys(`#password`, "verysecure"), chromedp.Click(`button[type=submit]`))
}

// toProvider is the button of the sign-in page.
const toProvider = `a[href^="/login/generic_oauth"]`

// signOut signs out here.
func (b browser) signOut(root string) {
	b.t.Helper()
	b.do("the page to sign out", chromedp.Navigate(root+"/logout"))
	b.click("sign out", `main form[action="/logout"] button`)
	b.until("signed out", `document.readyState + (document.querySelector('.person') ? ' in' : ' out')`, func(now string) bool { return now == "complete out" })
}

// TestBrowser does it in a real browser, by the button of the sign-in page, and signs
// out here and there.
func TestBrowser(t *testing.T) {
	root, issuer := serve(t, "hallpass-browser")
	b := openBrowser(t, root+"/org/serviceaccounts")
	b.click("to the provider", toProvider)
	b.outside()
	b.do("the page that was asked for", chromedp.WaitVisible(`.person`))
	b.at(root + "/org/serviceaccounts")
	b.signOut(root)
	b.click("sign out there", `a[href*="end_session"]`)
	b.at(issuer + "end_session?client_id=hallpass-browser")
	b.do("here again", chromedp.Navigate(root+"/profile"))
	b.at(root + "/login?next=%2Fprofile")
}

// password is that of vera and of the admin.
const password = "violet lamps hum at noon"

// signIn signs in with a password, and leads to the page.
func (b browser) signIn(root, user, path string) {
	b.t.Helper()
	b.do("sign in as "+user, chromedp.Navigate(root+"/login?next="+url.QueryEscape(path)), chromedp.WaitVisible(`#user`),
		chromedp.SendKeys(`#user`, user), chromedp.SendKeys(`#password`, password), chromedp.Submit(`#password`))
	b.at(root + path)
}

// connect connects the account from the profile.
func (b browser) connect(root string) {
	b.t.Helper()
	b.do("connect", chromedp.WaitVisible(`#connect-password`), chromedp.SendKeys(`#connect-password`, password), chromedp.Submit(`#connect-password`))
	b.outside()
	b.at(root + "/profile")
	b.sees("connected", "Your account at Zitadel is connected")
}

// TestConnect has a user with a password connect the account of the provider, sign in with it
// as the same user, and disconnect it; a server admin disconnects it a second time. After
// either the account signs nobody in, and the password still does.
func TestConnect(t *testing.T) {
	root, _ := serve(t, "hallpass-connect")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, root+"/api/admin/users", strings.NewReader(`{"login":"vera","name":"Vera","password":"`+password+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", password)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("create vera: %d, %v", res.StatusCode, err)
	}
	b := openBrowser(t, root+"/login")
	b.signIn(root, "vera", "/profile")
	b.sees("before", "No account of Zitadel is connected")
	b.connect(root)

	again := func(what string) {
		t.Helper()
		b.do(what, chromedp.Navigate(root+"/login?next=%2Fprofile"))
		b.click(what, toProvider)
		b.outside()
	}
	refused := func(what string) {
		t.Helper()
		again(what)
		b.sees(what, "Login failed", "Somebody has the login or address test-user2@zitadel.ch here already")
		b.do(what, chromedp.Navigate(root+"/profile"))
		b.at(root + "/login?next=%2Fprofile")
	}
	b.signOut(root)
	again("sign in with the account")
	b.at(root + "/profile")
	b.sees("the same user, with what the provider says", "vera", "Test User2", "Editor", "by Zitadel")

	b.click("disconnect", `form[action="/profile/disconnect"] button`)
	b.sees("the question", "signs in as you", "does not sign in as you", "Sessions that began with it end.")
	b.click("the answer", `#confirm-yes`)
	b.at(root + "/login") // the session began with the account
	refused("the account after it was disconnected")
	b.signIn(root, "vera", "/profile")
	b.sees("with the password", "No account of Zitadel is connected")

	b.connect(root)
	b.signOut(root)
	b.signIn(root, "admin", "/admin/users/2")
	b.click("disconnect by the admin", `form[action="/admin/users/2/disconnect"] button`)
	b.sees("the question to the admin", "signs in as Test User2", "does not sign in as Test User2", "keeps all roles, teams and access")
	b.click("the answer of the admin", `#confirm-yes`)
	b.sees("the page of the user", "The account is disconnected from Test User2.", "disconnected a company account from the user")
	b.signOut(root)
	refused("the account after the admin disconnected it")
}
