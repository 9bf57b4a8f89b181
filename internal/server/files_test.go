package server_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestFilesOfTheFolder starts a server with provisioning files, and applies others while it
// runs: tokens follow the files. A broken file changes nothing, and the background work
// tells why.
func TestFilesOfTheFolder(t *testing.T) {
	dir, one, two := t.TempDir(), secret.NewToken(), secret.NewToken()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "ci.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	account := func(role string, tokens ...secret.Text) string {
		text := fmt.Sprintf("[service_account.ci]\nrole = %q\n", role)
		for _, token := range tokens {
			hash := token.Hash()
			text += fmt.Sprintf("[service_account.ci.token.t%x]\nsha256 = \"%x\"\n", hash[:4], hash)
		}
		return text
	}
	folder := server.ProvisioningConfig{Path: dir}
	write(account("Viewer", one))
	s := hallpasstest.New(t, func(c *server.Config) { c.Provisioning = folder })
	asks := func(token secret.Text) int {
		return s.Do(hallpasstest.Bearer(token.Reveal()), "GET", "/api/org", "").StatusCode
	}
	if a, b := asks(one), asks(two); a != 200 || b != 401 {
		t.Fatalf("at first: %d and %d", a, b)
	}
	write(account("Viewer", one, two))
	if err := s.ApplyFiles(t.Context(), folder); err != nil || asks(two) != 200 {
		t.Errorf("another token: %v, %d", err, asks(two))
	}
	write(account("Viwer", two))
	err := s.ApplyFiles(t.Context(), folder)
	if err == nil || !strings.HasPrefix(err.Error(), "ci.toml:2: service_account.ci.role: ") || asks(one) != 200 {
		t.Errorf("a broken file: %v, %d", err, asks(one))
	}
	failing := func() bool {
		for _, j := range s.Jobs() {
			if j.Name == "provisioning files" {
				return j.Error == err.Error()
			}
		}
		return false
	}
	hallpasstest.Eventually(t, "the background work to know of it", failing)
	write(account("Viewer", two))
	if err := s.FollowFiles(t.Context()); err != nil || asks(one) != 401 || asks(two) != 200 {
		t.Errorf("tried again: %v, %d, %d", err, asks(one), asks(two))
	}
	if err := s.ApplyFiles(t.Context(), server.ProvisioningConfig{}); err != nil || asks(two) != 200 { // which wakes the background work
		t.Errorf("without a folder: %v, %d", err, asks(two))
	}
	hallpasstest.Eventually(t, "the background work to succeed", func() bool { return strings.Contains(s.Log(), "what failed succeeds again") })
	if log := s.Log(); strings.Contains(log, err.Error()) {
		t.Errorf("the error is the caller's to log, and the background work logs it too:\n%s", log)
	}
}

// TestPlanFiles plans for an installation that there is not, then makes it, and finds
// nothing left to do.
func TestPlanFiles(t *testing.T) {
	c := server.DefaultConfig()
	c.DataDir, c.Provisioning.Path = filepath.Join(t.TempDir(), "data"), t.TempDir()
	c.Security.AdminPassword = secret.NewText("violet lamps hum at noon")
	if err := os.WriteFile(filepath.Join(c.Provisioning.Path, "a.toml"), []byte("[service_account.ci]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := func() []hallpass.ProvisionStep {
		t.Helper()
		steps, err := server.PlanFiles(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return steps
	}
	if steps := plan(); len(steps) != 1 || steps[0].Do != hallpass.ProvisionCreate {
		t.Errorf("planned %+v", steps)
	}
	if _, err := os.Stat(c.DataDir); !os.IsNotExist(err) {
		t.Errorf("the plan left something: %v", err)
	}
	if err := server.Provision(t.Context(), c, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if steps := plan(); len(steps) != 0 {
		t.Errorf("still to do: %+v", steps)
	}
}
