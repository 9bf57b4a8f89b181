package server_test

import (
	"bytes"
	"errors"
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
			if told := strings.Contains(log.String(), "others could look into "+dir+":"); told != (mode&0o007 != 0) {
				t.Errorf("the log tells of a folder with this mode: %v\n%s", told, &log)
			}
			must(filepath.Walk(filepath.Dir(elsewhere), func(path string, info os.FileInfo, err error) error {
				if err == nil && !info.IsDir() && info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s has the mode %04o", path, info.Mode().Perm())
				}
				return err
			}))
			must(filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
				if closed := os.FileMode(0o077); err == nil && info.Mode().Perm()&closed != 0 && (path != dir || info.Mode().Perm() != mode || mode&0o007 != 0) {
					t.Errorf("%s has the mode %04o", path, info.Mode().Perm())
				}
				return err
			}))
		})
	}
}

// TestFolderOfOthers names folders that are none of ours: a start and a check refuse them,
// and change nothing in them, unless nothing but plain files is there, or nobody else may
// look in anyway. Files of others in a folder of ours keep their modes, also
// when a symbolic link with the name of one of ours leads to them.
func TestFolderOfOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mode    os.FileMode
		files   []string
		refused string // empty: it is taken
	}{
		"empty":               {0o755, nil, ""},
		"a volume":            {0o755, []string{"lost+found/"}, ""},
		"ours, with others":   {0o755, []string{"lock", "other.db", "journalist", "notes/"}, ""},
		"beside a log":        {0o755, []string{"log", "other.db"}, ""},
		"a home":              {0o755, []string{".profile", "notes/"}, "it has .profile and nothing of Hallpass"},
		"a private home":      {0o750, []string{".profile", "notes/"}, ""},
		"a volume of others":  {0o711, []string{"lost+found/", "x/"}, "it has x and nothing of Hallpass"},
		"a restored database": {0o755, []string{"hallpass.db"}, ""},
		"settings alone":      {0o755, []string{"hallpass.toml"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, outside := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "outside")
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(os.Mkdir(dir, 0o750))
			must(os.Chmod(dir, tt.mode))
			must(os.WriteFile(outside, nil, 0o600))
			must(os.Chmod(outside, 0o644))
			for _, f := range tt.files {
				path := filepath.Join(dir, f)
				if strings.HasSuffix(f, "/") {
					must(os.Mkdir(path, 0o750))
					must(os.Chmod(path, 0o755))
					continue
				}
				must(os.WriteFile(path, nil, 0o600))
				must(os.Chmod(path, 0o644))
			}
			if tt.files != nil && tt.refused == "" {
				must(os.Symlink(outside, filepath.Join(dir, "hallpass.db-old")))
			}
			mode := func(path string) os.FileMode {
				t.Helper()
				info, err := os.Stat(path)
				must(err)
				return info.Mode().Perm()
			}
			c := server.DefaultConfig()
			c.DataDir, c.Security.AdminPassword = dir, secret.NewText("violet lamps hum at noon")
			_, checked := c.Check()
			s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
			if err == nil {
				defer func() { must(s.Close()) }()
			}
			for what, err := range map[string]error{"a check": checked, "a start": err} {
				if (err != nil) != (tt.refused != "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("%s: %v, want %q", what, err, tt.refused)
				}
			}
			want := tt.mode
			if tt.refused == "" && want&0o007 != 0 {
				want = 0o700
			}
			if got := mode(dir); got != want {
				t.Errorf("it has the mode %04o, want %04o", got, want)
			}
			for _, f := range tt.files {
				want := os.FileMode(0o644)
				switch {
				case strings.HasSuffix(f, "/"):
					want = 0o755
				case f == "lock" || f == "hallpass.db":
					want = 0o600
				}
				if got := mode(filepath.Join(dir, f)); got != want {
					t.Errorf("%s has the mode %04o, want %04o", f, got, want)
				}
			}
			if got := mode(outside); got != 0o644 {
				t.Errorf("what a link leads to has the mode %04o", got)
			}
		})
	}
}

// TestDatabaseOfOthers has database.path name what is no SQLite database: it is refused and
// stays as it is.
func TestDatabaseOfOthers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "passwd")
	if err := errors.Join(os.WriteFile(path, []byte("root:x:0:0"), 0o600), os.Chmod(path, 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{path, filepath.Dir(path)} {
		c := server.DefaultConfig()
		c.DataDir, c.Database.Path, c.Security.AdminPassword = t.TempDir(), at, secret.NewText("violet lamps hum at noon")
		_, checked := c.Check()
		_, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
		if err == nil || checked == nil || !strings.Contains(checked.Error(), "database.path") {
			t.Errorf("%s: the check says %v, the start %v", at, checked, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("it was refused and changed: %v, %v", info, err)
	}
}
