package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestListsTellTheFile lists things that a provisioning file declares: as JSON each tells
// the file.
func TestListsTellTheFile(t *testing.T) {
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
[service_account.ci.token.t]
sha256 = "%x"
[guard.prom]
org = "main"
preset = "prometheus"
`, secret.NewToken().Hash())
	if err := os.WriteFile(filepath.Join(dir, "ci.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, func(c *server.Config) { c.Provisioning.Path = dir })
	for _, command := range []string{"sa list", "token list ci", "team list", "role list", "org list", "inventory"} {
		out := hallpass(t, "", append(strings.Fields(command), "-o", "json")...)
		if strings.Count(out, `"provisionedBy": "ci.toml"`) != 1 {
			t.Errorf("%s: %s", command, out)
		}
	}
	if out := hallpass(t, "", "guard", "list", "-o", "json"); !strings.Contains(out, `"source": "ci.toml"`) {
		t.Errorf("guard list: %s", out)
	}
}
