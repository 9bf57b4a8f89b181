package test_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestDeclaredPagesAreAccessible holds the pages of what a provisioning file declares to
// the rules of TestEveryPageIsAccessible: their controls are locked, and they name the
// file, whose name is as long as names get.
func TestDeclaredPagesAreAccessible(t *testing.T) {
	dir := t.TempDir()
	text := fmt.Sprintf(`
[org.main]
name = "Main Org."
[role.deployer]
org = "main"
permissions = ["dashboards:read@folders:*"]
[team.ops]
org = "main"
[service_account.ci]
org = "main"
role = "Viewer"
[service_account.ci.token.t]
sha256 = "%x"
`, secret.NewToken().Hash())
	if err := os.WriteFile(filepath.Join(dir, "10-ci-and-platform.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newAxe(t, hallpasstest.New(t, func(c *server.Config) { c.Provisioning.Path = dir }))
	for _, path := range []string{"/org/serviceaccounts/ci", "/org/serviceaccounts/ci/tokens/1", "/org/teams/ops", "/admin/roles/deployer"} {
		a.open(path)
		a.check(path)
		a.fits(path, 390)
		a.do(chromedp.EmulateViewport(1440, 900))
	}
}
