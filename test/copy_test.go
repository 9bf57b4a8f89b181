package test_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// execute runs the program to its end and returns its exit status and all it
// printed.
func execute(t *testing.T, env []string, args ...string) (int, string) {
	t.Helper()
	cmd := command(t, env, args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// works runs the program, which must succeed, and returns what it printed.
func works(t *testing.T, env []string, args ...string) string {
	t.Helper()
	status, out := execute(t, env, args...)
	if status != 0 {
		t.Fatalf("%v: exit %d\n%s", args, status, out)
	}
	return out
}

// refuses runs the program, which must fail and say why.
func refuses(t *testing.T, says string, env []string, args ...string) {
	t.Helper()
	if status, out := execute(t, env, args...); status != 1 || !strings.Contains(out, says) {
		t.Errorf("%v: exit %d, want 1 and %q\n%s", args, status, says, out)
	}
}

// database creates another database on the server and returns the settings that name
// it. Its URL has a password, as the URLs of operators do.
func (p *postgres) database(name string) []string {
	p.t.Helper()
	p.exec("CREATE DATABASE " + name)
	return nodeEnv(p.databaseURL(name))
}

const databasePassword = "correct-horse-42"

func (p *postgres) databaseURL(name string) string {
	return fmt.Sprintf("postgres://hallpass:%s@127.0.0.1:%d/%s?sslmode=disable", databasePassword, p.port, name)
}

// look reads a page as the admin and returns it decoded, without the fields that the
// reading itself changes.
func (p *process) look(path string) any {
	p.t.Helper()
	var page any
	p.must(200, "GET", path, "", &page)
	return still(page)
}

func still(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range []string{"lastSeenAt", "lastSeenAtAge"} {
			delete(v, key)
		}
		for key, inner := range v {
			v[key] = still(inner)
		}
	case []any:
		v = slices.DeleteFunc(v, func(e any) bool {
			entry, ok := e.(map[string]any)
			return ok && entry["action"] == "password.verify" // of this request itself
		})
		for i := range v {
			v[i] = still(v[i])
		}
		return v
	}
	return v
}

// furnish creates some of everything through the server and returns the paths that list
// it.
func (p *process) furnish(account int64) []string {
	p.t.Helper()
	var org struct{ OrgID int64 }
	p.must(200, "POST", "/api/orgs", `{"name":"Zweite"}`, &org)
	var user struct{ ID int64 }
	p.must(200, "POST", "/api/admin/users", `{"login":"ana","email":"ana@example.com","name":"Ana Ünal 🦊","password":"marble kites over lisbon"}`, &user)
	var team struct{ TeamID int64 }
	p.must(200, "POST", "/api/teams", `{"name":"devs"}`, &team)
	p.must(200, "POST", fmt.Sprintf("/api/teams/%d/members", team.TeamID), fmt.Sprintf(`{"userId":%d}`, user.ID), nil)
	p.must(200, "POST", "/api/folders", `{"uid":"ops","title":"Ops"}`, nil)
	p.must(200, "POST", "/api/dashboards/db", `{"dashboard":{"uid":"cpu","title":"CPU","tags":["a","b"],"panels":[]},"folderUid":"ops"}`, nil)
	p.must(200, "POST", "/api/dashboards/db", `{"dashboard":{"uid":"cpu","title":"CPU %","tags":["b"],"panels":[{"id":1}]},"folderUid":"ops","overwrite":true}`, nil)
	p.must(201, "POST", "/api/access-control/roles", `{"uid":"keeper","name":"keeper","permissions":[{"action":"orgs:read"},{"action":"teams:read","scope":"teams:*"}]}`, nil)
	p.must(200, "POST", fmt.Sprintf("/api/access-control/users/%d/roles", account), `{"roleUid":"keeper"}`, nil)
	p.must(200, "PUT", "/api/org/preferences", `{"theme":"dark","timezone":"utc"}`, nil)
	return []string{
		"/api/orgs", "/api/org/preferences", "/api/org/users", "/api/users", fmt.Sprintf("/api/users/%d/orgs", user.ID),
		"/api/teams/search", fmt.Sprintf("/api/teams/%d/members", team.TeamID),
		"/api/serviceaccounts/search", fmt.Sprintf("/api/serviceaccounts/%d", account), fmt.Sprintf("/api/serviceaccounts/%d/tokens", account),
		"/api/folders", "/api/folders/ops", "/api/folders/ops/permissions", "/api/search", "/api/dashboards/uid/cpu", "/api/dashboards/uid/cpu/versions",
		"/api/dashboards/uid/cpu/versions/1", "/api/access-control/roles?includeHidden=true", "/api/access-control/roles/keeper",
		"/api/access-control/roles/keeper/assignments", fmt.Sprintf("/api/access-control/users/%d/permissions", account),
		"/api/audit",
	}
}

// TestMigrate moves an installation with data from SQLite to PostgreSQL. Everything is as
// it was, what had ended stays ended, and no number is used again.
func TestMigrate(t *testing.T) {
	db := newPostgres(t)
	env := db.database("moved")
	data := t.TempDir()
	old := serve(t, data)
	kept, later := old.mint(), old.mint()
	paths := old.furnish(kept.account)
	var ended []credential
	for i := range ends {
		c := old.mint()
		old.end(i, c)
		ended = append(ended, c)
	}
	if status := old.use(kept.key); status != 200 {
		t.Fatal(status)
	}
	tokens := fmt.Sprintf("/api/serviceaccounts/%d/tokens", kept.account)
	hallpasstest.Eventually(t, "the last use to be shown", func() bool {
		shown := fmt.Sprint(old.look(tokens))
		return !strings.Contains(shown, "lastUsedAt:<nil>") && !strings.Contains(shown, "lastUsedRoute:<nil>")
	})
	before := make(map[string]any)
	for _, path := range paths {
		before[path] = old.look(path)
	}
	refuses(t, "in use by another hallpass", env, "migrate", "--data", data)
	if err := old.stop(); err != nil {
		t.Fatal(err)
	}
	refuses(t, "database.type", nil, "migrate", "--data", data)
	refuses(t, "nothing to migrate", env, "migrate", "--data", t.TempDir())
	file, err := os.ReadFile(filepath.Join(data, "hallpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	out := works(t, env, "migrate", "--data", data)
	if !strings.Contains(out, "TABLE") || strings.Contains(out, databasePassword) {
		t.Errorf("it said:\n%s", out)
	}
	if after, err := os.ReadFile(filepath.Join(data, "hallpass.db")); err != nil || !bytes.Equal(file, after) {
		t.Errorf("the SQLite file is not as it was: %v", err)
	}
	refuses(t, "not empty", env, "migrate", "--data", data)

	moved := start(t, data, env)
	moved.await()
	for _, path := range paths {
		if d := cmp.Diff(before[path], moved.look(path)); d != "" {
			t.Errorf("%s before and after:\n%s", path, d)
		}
	}
	moved.right(kept, ended[0], ended[1], ended[3])
	if status := moved.use(ended[2].key); status != 403 {
		t.Errorf("a token of an account cut to None: %d", status)
	}
	if again := moved.mint(); again.account <= ended[3].account || again.token <= ended[3].token {
		t.Errorf("the number of %+v was given before", again)
	}
	refuses(t, "not empty", env, "migrate", "--data", t.TempDir(), "--from", filepath.Join(data, "hallpass.db"))
	moved.end(0, later)
	if err := moved.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	mistaken := serve(t, data) // the old file again, with the same journal
	mistaken.right(kept, later, ended[0])
	if err := mistaken.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	returned := filepath.Join(t.TempDir(), "back.db")
	works(t, env, "backup", "--data", data, returned)
	works(t, nil, "restore", "--data", data, "--force", returned)
	back := serve(t, data)
	back.right(kept, later, ended[0])
	if d := cmp.Diff(before["/api/dashboards/uid/cpu"], back.look("/api/dashboards/uid/cpu")); d != "" {
		t.Errorf("a dashboard there and back:\n%s", d)
	}
	if strings.Contains(moved.out.String(), databasePassword) || strings.Contains(moved.out.String(), `"level":"ERROR"`) {
		t.Errorf("logged:\n%s", moved.out)
	}
	status, out := execute(t, nodeEnv("postgres://hallpass:"+databasePassword+"@127.0.0.1:1/x"), "migrate", "--data", data)
	if status != 1 || strings.Contains(out, databasePassword) {
		t.Errorf("without a database: %d\n%s", status, out)
	}
}

// onBoth runs f with the settings of an installation on SQLite, and again on
// PostgreSQL. elsewhere returns the settings and flags for a restore: over the database
// that exists, or into a new one.
func onBoth(t *testing.T, f func(t *testing.T, env []string, elsewhere func() ([]string, []string))) {
	t.Run("sqlite", func(t *testing.T) {
		env := []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=0s"}
		f(t, env, func() ([]string, []string) { return env, []string{"--force"} })
	})
	t.Run("postgres", func(t *testing.T) {
		db := newPostgres(t)
		n := 0
		f(t, nodeEnv(db.url()), func() ([]string, []string) {
			n++
			return db.database(fmt.Sprintf("restored%d", n)), nil
		})
	})
}

// TestBackupAndRestore backs up a running server, ends credentials in every way, kills the
// server and restores the backup. Everything in the backup is there, but nothing that
// ended is valid again.
func TestBackupAndRestore(t *testing.T) {
	onBoth(t, func(t *testing.T, env []string, elsewhere func() ([]string, []string)) {
		data, file := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
		p := start(t, data, env)
		p.await()
		kept := p.mint()
		paths := p.furnish(kept.account)
		var gone []credential
		for range ends {
			gone = append(gone, p.mint())
		}
		var user struct{ ID int64 }
		p.must(200, "POST", "/api/admin/users", `{"login":"eve","password":"marble kites over lisbon"}`, &user)
		before := p.look("/api/dashboards/uid/cpu")

		var stop sync.WaitGroup
		writing, enough := context.WithCancel(t.Context())
		stop.Go(func() {
			for i := 0; writing.Err() == nil; i++ {
				status, err := p.call(quick, "", "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"while-%d"}`, i), nil)
				if err != nil || status != 201 {
					t.Errorf("a write during the backup: %d, %v", status, err)
				}
			}
		})
		out := works(t, env, "backup", "--data", data, file)
		enough()
		stop.Wait()
		if !strings.Contains(out, "TABLE") || strings.Contains(out, databasePassword) {
			t.Errorf("it said:\n%s", out)
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if beside, err := filepath.Glob(file + "?*"); err != nil || len(beside) > 0 {
			t.Errorf("beside the backup: %v, %v", beside, err)
		}
		refuses(t, "is there already", env, "backup", "--data", data, file)
		refuses(t, "in use by another hallpass", env, "restore", "--data", data, file)

		late := p.mint()
		for i, c := range gone {
			p.end(i, c)
		}
		p.must(200, "POST", fmt.Sprintf("/api/admin/users/%d/disable", user.ID), "", nil)
		if len(env) > 1 {
			// On PostgreSQL the journal is one heartbeat behind, and there is no old file with the rest.
			p.journaled(fmt.Sprintf(`"kind":"user","id":%d,`, user.ID))
		}
		p.kill()

		where, flags := elsewhere()
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out = works(t, where, append([]string{"restore", "--data", data, file}, flags...)...)
		if !strings.Contains(out, "Ended again, because they had ended after the backup: 5.") || !strings.Contains(out, "Start the server.") || strings.Contains(out, databasePassword) {
			t.Errorf("it said:\n%s", out)
		}
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(whole, now) {
			t.Errorf("the backup is not as it was: %v", err)
		}
		p = start(t, data, where)
		p.await()
		p.right(kept, gone[0], gone[1], gone[3], late)
		if status := p.use(gone[2].key); status != 403 {
			t.Errorf("a token of an account cut to None: %d", status)
		}
		r, err := http.NewRequest("GET", p.url+"/api/user", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("eve", "marble kites over lisbon")
		if res, err := quick.Do(r); err != nil || res.StatusCode != 401 {
			t.Errorf("a user who was disabled: %v, %v", res, err)
		}
		for _, path := range paths {
			p.look(path)
		}
		if d := cmp.Diff(before, p.look("/api/dashboards/uid/cpu")); d != "" {
			t.Errorf("the dashboard before and after:\n%s", d)
		}
		if !strings.Contains(fmt.Sprint(p.look("/api/audit")), "history.reapply") {
			t.Error("the audit does not tell what was ended again")
		}
		if again := p.mint(); len(env) == 1 && (again.account <= late.account || again.token <= late.token) {
			t.Errorf("the number of %+v was given before, to %+v", again, late)
		}
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
}

// journaled waits until the journal has the text.
func (p *process) journaled(text string) {
	p.t.Helper()
	hallpasstest.Eventually(p.t, "the journal to have "+text, func() bool {
		journal, err := os.ReadFile(filepath.Join(p.data, "journal"))
		if err != nil {
			p.t.Fatal(err)
		}
		return strings.Contains(string(journal), text)
	})
}

// TestRestoreOverChangedPermissions changes the permissions of a role after the backup.
// The journal does not have them, so the server does not start until an operator
// accepted the loss.
func TestRestoreOverChangedPermissions(t *testing.T) {
	onBoth(t, func(t *testing.T, env []string, elsewhere func() ([]string, []string)) {
		data, file := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
		p := start(t, data, env)
		p.await()
		kept, ended := p.mint(), p.mint()
		p.furnish(kept.account)
		works(t, env, "backup", "--data", data, file)
		p.must(200, "PUT", "/api/access-control/roles/keeper", `{"version":2,"name":"keeper","permissions":[{"action":"orgs:read"}]}`, nil)
		p.end(0, ended)
		late := []credential{p.mint(), p.mint()}
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		where, flags := elsewhere()
		out := works(t, where, append([]string{"restore", "--data", data, file}, flags...)...)
		lost := fmt.Sprintf("Created after the backup, and lost: accounts and users no. %d to %d, tokens no. %d to %d", late[0].account, late[1].account, late[0].token, late[1].token)
		if !strings.Contains(out, "The server will not start yet") || !strings.Contains(out, "accept-history") || !strings.Contains(out, lost) {
			t.Errorf("it said:\n%s", out)
		}
		for range 2 {
			p = start(t, data, where)
			p.refusesToStart("accept-history")
		}
		for range 2 { // without --yes it changes nothing
			refuses(t, "add --yes", where, "admin", "accept-history", "--data", data)
		}
		out = works(t, where, "admin", "accept-history", "--data", data, "--yes")
		for _, says := range []string{"The journal: ", "The database: ", "A lost change of permissions", fmt.Sprintf("tokens no. %d to %d", late[0].token, late[1].token)} {
			if !strings.Contains(out, says) {
				t.Errorf("it does not say %q:\n%s", says, out)
			}
		}
		if out := works(t, where, "admin", "accept-history", "--data", data); !strings.Contains(out, "nothing to accept") {
			t.Errorf("accepted, it says:\n%s", out)
		}
		p = start(t, data, where)
		p.await()
		p.right(kept, ended)
	})
}

// TestRestoreElsewhere restores into a data directory without the journal, and into one
// with the journal of another installation.
func TestRestoreElsewhere(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
	p := serve(t, data)
	kept, ended := p.mint(), p.mint()
	works(t, nil, "backup", "--data", data, file)
	p.end(0, ended)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	refuses(t, "--force", nil, "restore", "--data", data, file)
	if out := works(t, nil, "restore", "--data", t.TempDir(), file); !strings.Contains(out, "There is no journal here") {
		t.Errorf("it said:\n%s", out)
	}
	other := t.TempDir()
	p = serve(t, other)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	refuses(t, "of the installation", nil, "restore", "--data", other, "--force", file)
	// Without the journal, but with the newer database, which knows as much.
	if err := os.Remove(filepath.Join(data, "journal")); err != nil {
		t.Fatal(err)
	}
	works(t, nil, "restore", "--data", data, "--force", file)
	p = serve(t, data)
	p.right(kept, ended)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	// Over a database that is damaged.
	if err := os.WriteFile(filepath.Join(data, "hallpass.db"), bytes.Repeat([]byte("damaged "), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := works(t, nil, "restore", "--data", data, "--force", file); !strings.Contains(out, "could not be read") {
		t.Errorf("it said:\n%s", out)
	}
	p = serve(t, data)
	p.right(kept, ended)
}

// TestOlderThanTheJournal replaces the database by hand with one that is older than the
// beginning of the journal, as the journal of a node that joined later. Nobody knows what
// ended in between, so nothing is verified until a person has looked.
func TestOlderThanTheJournal(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
	p := serve(t, data)
	kept, ended := p.mint(), p.mint()
	works(t, nil, "backup", "--data", data, file)
	p.end(0, ended)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, "journal")); err != nil {
		t.Fatal(err)
	}
	if err := serve(t, data).stop(); err != nil { // its journal begins here
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "hallpass.db"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	p = start(t, data, nil)
	p.refusesToStart("look at users, accounts, tokens and roles, then run hallpass admin accept-history")
	if out := works(t, nil, "admin", "accept-history", "--data", data, "--yes"); !strings.Contains(out, "before the journal begins is not known") {
		t.Errorf("it says:\n%s", out)
	}
	p = serve(t, data)
	p.right(kept)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	// The data directory of another installation is refused, and the error names both
	// installations. The server of that directory still starts.
	other := t.TempDir()
	if err := serve(t, other).stop(); err != nil {
		t.Fatal(err)
	}
	elsewhere := []string{"HALLPASS_DATABASE_PATH=" + filepath.Join(data, "hallpass.db")}
	refuses(t, "is of the installation", elsewhere, "admin", "accept-history", "--data", other, "--yes")
	serve(t, other)
}

// TestOlderCopyOfCreations replaces the database with an older copy that lacks only what
// was created since. The server says what is lost, and uses none of its numbers again.
func TestOlderCopyOfCreations(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
	p := serve(t, data)
	kept := p.mint()
	works(t, nil, "backup", "--data", data, file)
	lost := p.mint()
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "hallpass.db"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	p = serve(t, data)
	if says := fmt.Sprintf("account or user no. %d, token no. %d", lost.account, lost.token); !strings.Contains(p.out.String(), says) || strings.Contains(p.out.String(), `"level":"ERROR"`) {
		t.Errorf("the log does not warn of %q:\n%s", says, p.out)
	}
	if c := p.mint(); c.token <= lost.token || c.account <= lost.account {
		t.Errorf("numbers are given again: %+v after %+v", c, lost)
	}
	p.right(kept, lost)
}

// TestRestoreRefusesFiles tries to restore files that are not sound backups. Nothing is
// restored.
func TestRestoreRefusesFiles(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	p := serve(t, data)
	for range 50 {
		p.mint()
	}
	good := filepath.Join(dir, "good.db")
	works(t, nil, "backup", "--data", data, good)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	altered := func(name, statement string) string {
		path := file(name, text)
		alter(t, path, statement)
		return path
	}
	damaged := bytes.Clone(text)
	for i := len(damaged) / 3; i < len(damaged)/3+8192; i++ {
		damaged[i] ^= 0x55
	}
	live := file("live.db", text)
	file("live.db-wal", []byte("x"))
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, says string }{
		{"missing", filepath.Join(dir, "none"), "no such file"},
		{"a folder", dir, "is a folder"},
		{"a pipe", pipe, "is a pipe"},
		{"empty", file("empty", nil), "not the database of an installation"},
		{"text", file("text", []byte("hello, this is a text of some length")), "not a database"},
		{"another program's", altered("other.db", "ALTER TABLE state RENAME TO elsewhere"), "not the database of an installation"},
		{"cut off", file("cut", text[:len(text)/2]), "cannot be restored"},
		{"damaged", file("damaged", damaged), "cannot be restored"},
		{"rows that refer to nothing", altered("orphans.db", "PRAGMA foreign_keys = OFF; DELETE FROM service_accounts"), "refers to none"},
		{"never begun", altered("new.db", "DELETE FROM state"), "has not begun"},
		{"newer", altered("newer.db", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)"), "schema version 999"},
		{"in use", live, "not a backup"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			into := t.TempDir()
			refuses(t, tt.says, nil, "restore", "--data", into, tt.path)
			if left, err := filepath.Glob(filepath.Join(into, "*.db*")); err != nil || len(left) != 1 { // the lock
				t.Errorf("it left %v, %v", left, err)
			}
		})
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	refuses(t, "the database itself", nil, "restore", "--force", "--data", data, filepath.Join(data, "hallpass.db"))
	refuses(t, "no such file", nil, "backup", "--data", filepath.Join(dir, "nowhere"), filepath.Join(dir, "b"))
	refuses(t, "no such file", nil, "backup", "--data", data, filepath.Join(dir, "nowhere", "b"))
}

// alter runs statements on a SQLite file.
func alter(t *testing.T, path, statements string) {
	t.Helper()
	db := sqlite(t, path)
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// manyTokens puts n tokens into the SQLite file, of the account with that number.
func manyTokens(t *testing.T, path string, account int64, n int) {
	t.Helper()
	alter(t, path, fmt.Sprintf(`
		INSERT INTO tokens (id, org_id, service_account_id, name, name_key, hash, last_four, created_us, created_by, expires_us, revoked_us, used_us, used_address, used_agent)
		SELECT 1000 + value, 1, %d, 'many-' || value, 'many-' || value, randomblob(32), '0000', 1, 'admin', 0, 0, 0, '', '' FROM (WITH RECURSIVE n (value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < %d) SELECT value FROM n);
		UPDATE counters SET value = 1000 + %d WHERE name = 'token'`, account, n, n))
}

// TestKilledInTheMiddle kills backup, restore and migrate at any time with kill -9. Their
// result is complete or not there, and the next attempt succeeds.
func TestKilledInTheMiddle(t *testing.T) {
	const tokens, rounds = 20000, 6
	data, dir := t.TempDir(), t.TempDir()
	p := serve(t, data)
	kept := p.mint()
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	small, whole := filepath.Join(dir, "small.db"), filepath.Join(dir, "whole.db")
	works(t, nil, "backup", "--data", data, small)
	manyTokens(t, filepath.Join(data, "hallpass.db"), kept.account, tokens)
	began := time.Now()
	works(t, nil, "backup", "--data", data, whole)
	takes := time.Since(began)
	// kill starts the command and kills it after a random time, unless it ended before.
	kill := func(t *testing.T, takes time.Duration, env []string, args ...string) {
		t.Helper()
		cmd := command(t, env, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(takes)) // killed at any time
		_ = cmd.Process.Kill()    // it may have ended
		_ = cmd.Wait()            // killed, as a rule
	}
	count := func(t *testing.T, driver, source string) (n int) {
		t.Helper()
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		err = db.QueryRow(`SELECT COUNT(*) FROM tokens`).Scan(&n)
		if err != nil && !strings.Contains(err.Error(), "does not exist") {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Run("backup", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "backup.db")
		for range rounds {
			kill(t, takes, nil, "backup", "--data", data, file)
			if _, err := os.Stat(file); err == nil {
				if n := count(t, "sqlite", "file:"+file); n != tokens+1 {
					t.Fatalf("the backup has %d tokens", n)
				}
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
		}
		works(t, nil, "backup", "--data", data, file)
		if left, err := filepath.Glob(file + "?*"); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	t.Run("restore", func(t *testing.T) {
		into := t.TempDir()
		works(t, nil, "restore", "--data", into, small)
		for range rounds {
			kill(t, takes, nil, "restore", "--data", into, "--force", whole)
			if n := count(t, "sqlite", "file:"+filepath.Join(into, "hallpass.db")); n != 1 && n != tokens+1 {
				t.Fatalf("the database has %d tokens", n)
			}
			p := serve(t, into)
			p.right(kept)
			if err := p.stop(); err != nil {
				t.Error(err)
			}
		}
		works(t, nil, "restore", "--data", into, "--force", whole)
		if n := count(t, "sqlite", "file:"+filepath.Join(into, "hallpass.db")); n != tokens+1 {
			t.Errorf("the database has %d tokens", n)
		}
		if left, err := filepath.Glob(filepath.Join(into, "*restoring*")); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	t.Run("migrate", func(t *testing.T) {
		db := newPostgres(t)
		for i := range rounds {
			name := fmt.Sprintf("round%d", i)
			env := db.database(name)
			kill(t, 2*time.Second, env, "migrate", "--data", data)
			hallpasstest.Eventually(t, "the migration after one that was killed", func() bool {
				n := count(t, "pgx", db.databaseURL(name))
				if n == tokens+1 {
					refuses(t, "not empty", env, "migrate", "--data", data)
					return true
				}
				if n != 0 {
					t.Fatalf("the database has %d tokens", n)
				}
				status, out := execute(t, env, "migrate", "--data", data)
				if status != 0 && !strings.Contains(out, "busy") { // PostgreSQL may not know yet that its client died
					t.Fatalf("again: %d\n%s", status, out)
				}
				return status == 0
			})
			if n := count(t, "pgx", db.databaseURL(name)); n != tokens+1 {
				t.Errorf("the database has %d tokens", n)
			}
		}
	})
}
