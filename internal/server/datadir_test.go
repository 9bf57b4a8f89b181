package server_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestOpenToOthers opens servers in folders of several modes, with files that others may read: what everybody may write to is
// refused and left as it is, the rest is closed to others, and the log says so.
func TestOpenToOthers(t *testing.T) {
	for _, mode := range []os.FileMode{0o700, 0o701, 0o704, 0o705, 0o710, 0o740, 0o750, 0o755, 0o770, 0o775, 0o702, 0o707, 0o722, 0o733, 0o757, 0o777} {
		t.Run(fmt.Sprintf("%04o", mode), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(os.Mkdir(dir, 0o700))
			elsewhere := filepath.Join(t.TempDir(), "elsewhere.sqlite")
			for _, file := range []string{filepath.Join(dir, "journal"), filepath.Join(dir, "hallpass.db-wal"), filepath.Join(dir, "initial-admin-password"), elsewhere} {
				must(os.WriteFile(file, nil, 0o600))
				must(os.Chmod(file, 0o644))
			}
			must(os.Chmod(dir, mode))
			var log bytes.Buffer
			c := server.DefaultConfig()
			c.DataDir, c.Database.Path, c.Security.AdminPassword = dir, elsewhere, secret.NewText("violet lamps hum at noon")
			s, err := server.Open(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
			if mode&0o002 != 0 {
				if err == nil || !strings.Contains(err.Error(), "chmod 700") {
					t.Fatalf("everybody may write to it, and it opens: %v", err)
				}
				if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != mode {
					t.Errorf("it was refused and changed: %v, %v", info.Mode(), err)
				}
				return
			}
			must(err)
			defer func() { must(s.Close()) }()
			if told := strings.Contains(log.String(), "others could look into "+dir+":"); told != (mode != 0o700) {
				t.Errorf("the log tells of a folder with this mode: %v\n%s", told, &log)
			}
			must(filepath.Walk(filepath.Dir(elsewhere), func(path string, info os.FileInfo, err error) error {
				if err == nil && !info.IsDir() && info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s has the mode %04o", path, info.Mode().Perm())
				}
				return err
			}))
			must(filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
				if err == nil && info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s has the mode %04o", path, info.Mode().Perm())
				}
				return err
			}))
		})
	}
}
