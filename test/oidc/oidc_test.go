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
	cmd.Env = append(os.Environ(), "HALLPASS_SECURITY_ADMIN_PASSWORD=violet lamps hum at noon", "HALLPASS_AUTH_GENERIC_OAUTH_ENABLED=true",
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

// TestBrowser does it in a real browser, by the button of the sign-in page, and signs
// out here and there. Without Chromium it is skipped.
func TestBrowser(t *testing.T) {
	path := os.Getenv("HALLPASS_TEST_CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no browser at %s: `make test` installs one, or name one with HALLPASS_TEST_CHROMIUM", path)
	}
	root, issuer := serve(t, "hallpass-browser")
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(tab, chromedp.Navigate(root+"/org/serviceaccounts")); err != nil { // without a timeout, which would end the browser too
		t.Fatal(err)
	}
	do := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		ctx, cancel := context.WithTimeout(tab, time.Minute)
		defer cancel()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("to the provider", chromedp.WaitVisible(`a[href^="/login/generic_oauth"]`), chromedp.Click(`a[href^="/login/generic_oauth"]`))
	do("the provider's form", chromedp.WaitVisible(`#username`), chromedp.SendKeys(`#username`, "test-user2"), chromedp.SendKeys(`#password`, "verysecure"), chromedp.Click(`button[type=submit]`))
	at := func(want string) {
		t.Helper()
		var now string
		for end := time.Now().Add(time.Minute); !strings.HasPrefix(now, want) && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			var err error
			if now, err = chromedp.Run(tab, chromedp.Evaluate[string]("location.href")); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.HasPrefix(now, want) {
			t.Fatalf("the browser is at %s, want %s", now, want)
		}
	}
	do("the page that was asked for", chromedp.WaitVisible(`.person`))
	at(root + "/org/serviceaccounts")
	do("sign out", chromedp.Navigate(root+"/logout"), chromedp.WaitVisible(`main form[action="/logout"] button`), chromedp.Click(`main form[action="/logout"] button`))
	do("sign out there", chromedp.WaitVisible(`a[href*="end_session"]`), chromedp.Click(`a[href*="end_session"]`))
	at(issuer + "end_session?client_id=hallpass-browser")
	do("here again", chromedp.Navigate(root+"/profile"))
	at(root + "/login?next=%2Fprofile")
}
