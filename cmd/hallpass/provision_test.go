//go:build !client && !windows

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProvisionCommand makes a secret that nobody sees, plans a folder that uses it,
// applies it, and plans again: the exit status tells whether there is something to do.
func TestProvisionCommand(t *testing.T) {
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	secretFile, file := filepath.Join(dir, "token"), filepath.Join(dir, "ci.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status, line, errs := ranWords(t, "provision secret "+secretFile)
	info, err := os.Stat(secretFile)
	if status != 0 || errs != "" || !strings.HasPrefix(line, `sha256 = "`) || err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("exit %d, %q, %q, %v", status, line, errs, err)
	}
	if status, out, errs := ranWords(t, "provision secret "+secretFile); status != 1 || out != "" || !strings.Contains(errs, "file exists") {
		t.Errorf("a file that there is: exit %d, %q, %q", status, out, errs)
	}
	if status, out, errs := ranWords(t, "provision secret -"); status != 0 || !strings.HasPrefix(out, "glsa_") || !strings.HasPrefix(errs, `sha256 = "`) {
		t.Errorf("to stdout: exit %d, %d bytes, %q", status, len(out), errs)
	}
	write("[service_account.ci]\nrole = \"Viewer\"\n[service_account.ci.token.deploy]\n" + line)
	dry := fmt.Sprintf("provision --dry-run --data %s %s", data, dir)
	status, out, errs := ranWords(t, dry)
	want := fmt.Sprintf(`ci.toml
  + service_account.ci  create
      name = "ci"
      role = "Viewer"
  + service_account.ci.token.deploy  create
      name = "ci-deploy"
      secret = "%s…"
      expires = "never"
      permissions = "all"
2 to create. Nothing was changed.
`, line[10:18])
	if status != 2 || out != want || errs != "" {
		t.Errorf("exit %d, %q\n%s\nwant\n%s", status, errs, out, want)
	}
	if status, out, errs := ranWords(t, fmt.Sprintf("provision --data %s %s", data, dir)); status != 0 || out != "" {
		t.Fatalf("exit %d, %q, %q", status, out, errs)
	}
	if status, out, errs := ranWords(t, dry); status != 0 || out != "There is nothing to do.\n" || errs != "" {
		t.Errorf("exit %d, %q, %q", status, out, errs)
	}
	write("[service_account.ci]\nrole = \"Editor\"\n")
	if status, out, _ := ranWords(t, dry); status != 2 || out != `ci.toml
  ~ service_account.ci  update
      role = "Editor", was "Viewer"
  - service_account.ci.token.deploy  disable: no file declares it any more
1 to update, 1 to disable. Nothing was changed.
` {
		t.Errorf("exit %d\n%s", status, out)
	}
	if status, out, _ := ranWords(t, dry+" --prune"); status != 2 || !strings.Contains(out, "  - service_account.ci.token.deploy  delete: no file declares it any more\n") {
		t.Errorf("exit %d\n%s", status, out)
	}
	write("[service_account.ci]\nrol = \"Editor\"\n")
	if status, out, errs := ranWords(t, dry); status != 1 || out != "" || errs != "hallpass: ci.toml:2: unknown key service_account.ci.rol: did you mean service_account.ci.role?\n" {
		t.Errorf("exit %d, %q, %q", status, out, errs)
	}
	if status, _, errs := ranWords(t, "provision --dry-run --data "+data); status != 1 || !strings.Contains(errs, "no folder of provisioning files is known") {
		t.Errorf("exit %d, %q", status, errs)
	}
}
