package provision_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/provision"
)

// TestReadPipe refuses pipes, of which nothing would ever come.
func TestReadPipe(t *testing.T) {
	declared := folder(t, map[string]string{"a.toml": "[service_account.a.token.b]\nsecret_file = \"pipe\"\n"})
	for dir, name := range map[string]string{t.TempDir(): "a.toml", declared: "pipe"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := provision.Read(dir); err == nil || !strings.Contains(err.Error(), "is a pipe, not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
