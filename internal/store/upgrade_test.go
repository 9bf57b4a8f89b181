package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestUpgradesAlike brings what each earlier schema left up to date on both databases:
// they hold the same afterwards, and the audit of both is whole. ./test has a whole server
// on each file.
func TestUpgradesAlike(t *testing.T) {
	t.Parallel()
	for _, f := range hallpasstest.Fixtures(t) {
		t.Run(fmt.Sprint(f.Schema), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "hallpass.db")
			f.Write(t, path)
			o := store.PostgresOptions{URL: hallpasstest.Postgres(t)}
			raw(t, "pgx", o.URL.Reveal(), func(exec func(string, ...any) error) {
				if err := exec(`DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
					t.Fatal(err)
				}
			})
			if err := store.CopyFixture(t.Context(), path, int64(f.Schema), o); err != nil {
				t.Fatal(err)
			}
			lite, big := hallpasstest.OpenSQLite(t, path), hallpasstest.OpenPostgres(t, o.URL)
			if d := cmp.Diff(stored(t, lite), stored(t, big)); d != "" {
				t.Errorf("SQLite and PostgreSQL hold different things (-SQLite +PostgreSQL):\n%s", d)
			}
			for name, db := range map[string]*store.DB{"SQLite": lite, "PostgreSQL": big} {
				if report, err := db.ProveAudit(t.Context()); err != nil || !report.OK() {
					t.Errorf("the audit is not whole on %s: %+v, %v", name, report, err)
				}
			}
		})
	}
}
