package test_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestBootstrap sets up a server from the example of docs/provisioning.md alone, with a
// secret that was made before there was a server: nobody logs in, and the token works.
// Changed files change the server when it reloads, a broken one changes nothing, and what
// leaves the files stops working, or with prune is gone.
func TestBootstrap(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/provisioning.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```toml\n(.*?)```").FindSubmatch(page)
	dir := t.TempDir()
	folder, data, config := filepath.Join(dir, "provisioning"), filepath.Join(dir, "data"), filepath.Join(dir, "hallpass.toml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(want int, args ...string) string {
		t.Helper()
		out, err := exec.Command(path, args...).CombinedOutput()
		if status := exitStatus(t, err); status != want {
			t.Fatalf("hallpass %s: exit %d\n%s", strings.Join(args, " "), status, out)
		}
		return string(out)
	}
	line := run(0, "provision", "secret", filepath.Join(dir, "deploy-token"))
	kept, err := os.ReadFile(filepath.Join(dir, "deploy-token"))
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(string(kept))
	ci := regexp.MustCompile("(?m)^sha256 = .*\n").ReplaceAllLiteralString(string(example[1]), line)
	write(filepath.Join(folder, "ci.toml"), ci)
	write(config, "[provisioning]\npath = \""+folder+"\"\n")
	if out := run(2, "provision", "--dry-run", "--config", config, "--data", data); !strings.Contains(out, "6 to create. Nothing was changed.") {
		t.Errorf("planned\n%s", out)
	}

	p := serve(t, data, "--config", config)
	asks := func() int { return p.use(token) }
	if got := asks(); got != 200 {
		t.Fatalf("the token of the files: %d\n%s", got, p.out)
	}
	if out := run(0, "provision", "--dry-run", "--config", config, "--data", data); out != "There is nothing to do.\n" {
		t.Errorf("planned while it runs\n%s", out)
	}
	reload := func(text, says string) {
		t.Helper()
		n := strings.Count(p.out.String(), says)
		write(filepath.Join(folder, "ci.toml"), text)
		p.signal(syscall.SIGHUP)
		hallpasstest.Eventually(t, "the log to say "+says, func() bool { return strings.Count(p.out.String(), says) > n })
	}
	var me struct{ Name string }
	org := func() string {
		t.Helper()
		if status, err := p.call(http.DefaultClient, token, "GET", "/api/org", "", &me); err != nil || status != 200 {
			t.Fatalf("GET /api/org: %d, %v", status, err)
		}
		return me.Name
	}
	const done, failed = "the settings were read again\"", "cannot be applied"
	reload(strings.Replace(ci, `name = "Acme"`, `name = "Acme Ltd"`, 1), done)
	if got := org(); got != "Acme Ltd" {
		t.Errorf("the files changed, and the org is %s", got)
	}
	reload(strings.Replace(ci, `role = "Viewer"`, `rolle = "Viewer"`, 1), failed)
	if got := org(); got != "Acme Ltd" || !strings.Contains(p.out.String(), "ci.toml:18: unknown key service_account.ci.rolle: did you mean service_account.ci.role?") {
		t.Errorf("a broken file, and the org is %s\n%s", got, p.out)
	}
	reload(ci[:strings.Index(ci, "[service_account.ci.token")]+ci[strings.Index(ci, "[guard."):], done)
	if got := asks(); got != 401 {
		t.Errorf("the token left the files: %d", got)
	}
	reload(ci, done)
	if got := asks(); got != 200 {
		t.Errorf("the token came back: %d", got)
	}
	write(config, "[provisioning]\npath = \""+folder+"\"\nprune = true\n")
	reload(ci[:strings.Index(ci, "[service_account.ci]")], done)
	if got := asks(); got != 401 {
		t.Errorf("the account left the files: %d", got)
	}
	p.must(404, "GET", "/api/serviceaccounts/ci", "", nil)
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}

	write(filepath.Join(folder, "ci.toml"), "[service_account.ci]\nrole = \"Viwer\"\n")
	start(t, data, nil, "--config", config).refusesToStart("ci.toml:2: service_account.ci.role: the roles are None, Viewer, Editor and Admin")
}

// exitStatus returns the status of a command that ended so.
func exitStatus(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := err.(*exec.ExitError)
	if !ok {
		t.Fatal(err)
	}
	return exit.ExitCode()
}
