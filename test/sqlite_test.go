package test_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlite opens a server's database file beside the server.
func sqlite(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestChangedByHand has another process revoke a token in the database file:
// within a second the server refuses it. What the server writes itself does not
// look like that.
func TestChangedByHand(t *testing.T) {
	data := t.TempDir()
	p := serve(t, data)
	c := p.mint()
	other := p.mint()
	if status := p.use(c.key); status != 200 {
		t.Fatal(status)
	}
	p.end(0, other)
	time.Sleep(time.Second)
	if strings.Contains(p.out.String(), "another process") {
		t.Errorf("the server takes its own changes for another's\n%s", p.out)
	}
	if status := p.use(c.key); status != 200 {
		t.Fatal(status)
	}
	if _, err := sqlite(t, filepath.Join(data, "hallpass.db")).Exec("UPDATE tokens SET revoked_us = 1 WHERE id = $1", c.token); err != nil {
		t.Fatal(err)
	}
	changed := time.Now()
	for p.use(c.key) == 200 {
		if time.Since(changed) > 3*time.Second { // a second is promised; the machine may be busy
			t.Fatal("what another process revoked is accepted three seconds later")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(p.out.String(), "another process") {
		t.Errorf("nobody was told\n%s", p.out)
	}
}
