package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// BenchmarkSaveUses saves uses of a great many tokens, so many in one
// transaction, and tells the rows a second and how long one transaction took:
// as long may a change wait for it. HALLPASS_BENCH_TOKENS sets how many tokens.
func BenchmarkSaveUses(b *testing.B) {
	tokens := 1_000_000
	if s := os.Getenv("HALLPASS_BENCH_TOKENS"); s != "" {
		tokens, _ = strconv.Atoi(s) // 0 fails below
	}
	b.Run("sqlite", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "hallpass.db")
		db := hallpasstest.OpenSQLite(b, path)
		tokensIn(b, db, tokens, "sqlite", "file:"+path)
		saveUses(b, db, tokens)
	})
	b.Run("postgres", func(b *testing.B) {
		url := hallpasstest.Postgres(b)
		db := hallpasstest.OpenPostgres(b, url)
		tokensIn(b, db, tokens, "pgx", url.Reveal())
		saveUses(b, db, tokens)
	})
}

// apart is how far apart the tokens of a flush are on average: used once a
// minute, and written every two seconds.
const apart = 30

func saveUses(b *testing.B, db *store.DB, tokens int) {
	at := time.Now().UTC().Truncate(time.Microsecond)
	for _, size := range []int{1, 100, 500, 1000, 2000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			uses, id := make([]store.TokenUse, size), tokens
			for b.Loop() {
				for i := range uses {
					if id += 1 + rand.IntN(2*apart-1); id > tokens { // from the first again
						id, at = 1+rand.IntN(apart), at.Add(time.Second)
					}
					uses[i] = store.TokenUse{Token: hallpass.TokenID(id), Use: hallpass.Use{At: at, Address: "10.20.30.40", UserAgent: "terraform-provider-grafana/3.25.9 (linux; amd64)"}}
				}
				if err := db.SaveUses(b.Context(), uses); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// tokensIn makes so many tokens, ten of an account.
func tokensIn(b *testing.B, db *store.DB, tokens int, driver, source string) {
	b.Helper()
	ctx := b.Context()
	err := db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.CreateOrg(hallpass.Org{Name: "Main Org."})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := fillTables(ctx, driver, source, tokens); err != nil {
		b.Fatal(err)
	}
}

func fillTables(ctx context.Context, driver, source string, tokens int) error {
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	hash := `randomblob(32)`
	if driver == "pgx" {
		hash = `sha256(CAST(CAST(i AS TEXT) AS BYTEA))`
	}
	for _, statement := range []string{
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO service_accounts (id, uid, org_id, name, name_key, login, login_key, role, disabled, created_us, updated_us)
		SELECT i, 'u' || i, 1, 'deploy-' || i, 'deploy-' || i, 'sa-1-deploy-' || i, 'sa-1-deploy-' || i, 'Viewer', FALSE, 0, 0 FROM n`,
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1 * 10)
		INSERT INTO tokens (id, org_id, service_account_id, name, name_key, hash, last_four, created_us, created_by, expires_us, revoked_us, used_us, used_address, used_agent)
		SELECT i, 1, (i - 1) / 10 + 1, 't' || i, 't' || i, ` + hash + `, 'abcd', 1, 'admin', 0, 0, 1, '10.20.30.40', 'terraform-provider-grafana/3.25.8 (linux; amd64)' FROM n`,
	} {
		if _, err := db.ExecContext(ctx, statement, tokens/10); err != nil {
			return err
		}
	}
	if driver == "pgx" {
		if _, err := db.ExecContext(ctx, `VACUUM ANALYZE tokens`); err != nil {
			return err
		}
	}
	return db.Close()
}
