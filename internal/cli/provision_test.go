package cli_test

import (
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestListsTellTheFile lists things that a provisioning file declares: as JSON each tells
// the file.
func TestListsTellTheFile(t *testing.T) {
	start(t, hallpasstest.Declared(t, "ci.toml"))
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
