package hallpasstest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// Declared has a server provision the first org from a file of that name: the role
// deployer, the team ops, the service account ci with a token, and the guard prom.
func Declared(t testing.TB, file string) func(*server.Config) {
	t.Helper()
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
[guard.prom]
org = "main"
preset = "prometheus"
`, secret.NewToken().Hash())
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *server.Config) { c.Provisioning.Path = dir }
}
