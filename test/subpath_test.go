package test_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// subPathRecipes are what docs/operations.md has nginx do below a path, by whether the
// server serves there itself.
var subPathRecipes = map[bool]string{
	true:  "proxy_pass http://127.0.0.1:3080;",
	false: "proxy_pass http://127.0.0.1:3080/;",
}

// TestStoryBelowAPath is the story in a browser behind nginx, on a host of which another
// application has the rest: sign in, make an account and a token, see its first use, revoke
// it. nginx passes the path on, or takes it off. Whatever leaves the path gets 418.
func TestStoryBelowAPath(t *testing.T) {
	nginx := needs(t, "nginx")
	for _, serves := range []bool{true, false} {
		t.Run(fmt.Sprintf("serve_from_sub_path=%v", serves), func(t *testing.T) {
			front := freeAddress(t)
			s := hallpasstest.New(t, func(c *server.Config) {
				c.Server.RootURL, c.Server.ServeFromSubPath = "http://"+front+"/hallpass/", serves
				c.Server.TrustedProxies = []string{"127.0.0.1"}
			})
			dir, direct := t.TempDir(), strings.TrimSuffix(strings.TrimPrefix(s.URL, "http://"), "/hallpass")
			location := strings.ReplaceAll(manualBlock(t, "operations.md", subPathRecipes[serves]), "127.0.0.1:3080", direct)
			put(t, filepath.Join(dir, "nginx.conf"), nginxMain(dir, "server {\nlisten "+front+";\n"+location+"\nlocation / { return 418; }\n}"))
			daemon(t, front, nginx, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-g", "daemon off;")
			shown := *s
			shown.URL = "http://" + front + "/hallpass"
			b := newBrowser(t, shown.URL)
			storyBelowAPath(t, &shown, b)
			loginBelowAPath(t, &shown)
			if got := eval[string](b, "[...performance.getEntriesByType('resource')].map(e => new URL(e.name).pathname).filter(p => !p.startsWith('/hallpass/')).join(' ')"); got != "" {
				t.Errorf("the page fetched %s", got)
			}
		})
	}
}

// manualBlock returns the block of code of a page of the manual that has the text.
func manualBlock(t *testing.T, page, has string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(text), "```") {
		if i%2 == 1 && strings.Contains(block, has) {
			_, text, _ := strings.Cut(block, "\n") // the language
			return text
		}
	}
	t.Fatalf("docs/%s has no block with %s", page, has)
	return ""
}

func storyBelowAPath(t *testing.T, s *hallpasstest.Server, b *browser) {
	b.open("/org/serviceaccounts?query=x") // leads to the sign-in page, and back
	b.until("location.pathname === '/hallpass/login'")
	b.fill("#user", "admin")
	b.fill("#password", hallpasstest.AdminPassword)
	b.keys(kb.Enter)
	b.until("location.pathname + location.search === '/hallpass/org/serviceaccounts?query=x'")
	b.open("/")
	b.press("a", "Service accounts")
	b.until("location.pathname === '/hallpass/org/serviceaccounts'")
	b.press("a", "Add service account")
	b.fill("#name", "dashboard-sync")
	b.keys(kb.Enter)
	b.until("/^\\/hallpass\\/org\\/serviceaccounts\\/[a-z][0-9a-z]{13}/.test(location.pathname)")
	account := strings.TrimPrefix(eval[string](b, "location.pathname"), "/hallpass")

	secret := b.newToken(account, "ci-dashboard-sync-token")
	b.until(`document.querySelector("#token-proof").innerText.startsWith("Waiting")`)
	status := func() int {
		return s.Do(hallpasstest.Bearer(secret), "GET", "/api/org", "", "User-Agent: curl/8.5.0").StatusCode
	}
	if got := status(); got != http.StatusOK {
		t.Fatalf("the token answers %d", got)
	}
	b.until(`document.querySelector("#token-proof").innerText.startsWith("Proved")`)
	if command := eval[string](b, `[...document.querySelectorAll("#token-created input, #token-created textarea")].map(e => e.value).join(" ")`); !strings.Contains(command, s.URL+"/api/org") {
		t.Errorf("the command that tries the token does not have the server's address: %s", command)
	}
	b.allowClipboard()
	b.click("#token-copy")
	b.click("#token-done")
	b.until(`!document.querySelector("#token-dialog").open`)
	b.until(`!document.querySelector("tr[data-token-id] .last-used").innerText.includes("Never")`)
	b.click(`button[aria-label^="Actions for ci-dashboard-sync-token"]`)
	b.click(`.menu:popover-open a[href$="/delete"]`)
	b.yes("It is in use.")
	b.shows("The token ci-dashboard-sync-token of dashboard-sync is revoked.")
	hallpasstest.Eventually(t, "the token to be refused", func() bool { return status() == http.StatusUnauthorized })
}

// loginBelowAPath logs the command line in, which keeps the address with its path.
func loginBelowAPath(t *testing.T, s *hallpasstest.Server) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	run := func(stdin string, args ...string) string {
		ctx, cancel := context.WithTimeout(t.Context(), hallpasstest.Patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env, cmd.Stdin = []string{"XDG_CONFIG_HOME=" + home, "HOME=" + home}, strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("hallpass %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	if said := run(hallpasstest.AdminPassword+"\n", "login", s.URL+"/", "--user", "admin"); !strings.Contains(said, "Logged in to "+s.URL+" as user admin") {
		t.Errorf("hallpass login says %s", said)
	}
	if said := run("", "sa", "list"); !strings.Contains(said, "dashboard-sync") {
		t.Errorf("hallpass sa list says %s", said)
	}
}
