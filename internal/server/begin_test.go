package server_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestBeginAtOnce has nodes begin one installation at the same moment: one of
// them made the first admin and tells the password, the others tell none.
func TestBeginAtOnce(t *testing.T) {
	url := hallpasstest.Postgres(t)
	var nodes [4]*server.Server
	var opening sync.WaitGroup
	for i := range nodes {
		c := server.DefaultConfig()
		c.DataDir, c.Database.Type, c.Database.URL, c.Database.MaxOpenConn = t.TempDir(), "postgres", url, 4
		opening.Go(func() {
			var err error
			if nodes[i], err = server.Open(t.Context(), c, slog.New(slog.DiscardHandler)); err != nil {
				t.Error(err)
				return
			}
			_, path, fresh := nodes[i].FirstPassword()
			if _, err := os.Stat(filepath.Join(c.DataDir, "initial-admin-password")); (err == nil) != fresh || (path != "") != fresh {
				t.Errorf("node %d: made the password: %v, kept in %q, %v", i, fresh, path, err)
			}
		})
	}
	opening.Wait()
	made := 0
	for _, s := range nodes {
		if s == nil {
			continue
		}
		if _, _, fresh := s.FirstPassword(); fresh {
			made++
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d nodes tell a first password, want 1", made)
	}
}
