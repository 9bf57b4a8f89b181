package test_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// pooler starts PgBouncer in front of the database, with more settings, and returns the
// URL that leads through it.
func (p *postgres) pooler(settings ...string) string {
	p.t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		p.t.Skip("PgBouncer is not installed")
	}
	dir := postgresFolder(p.t)
	_, address := binaryAndAddress(p.t)
	host, port, _ := strings.Cut(address, ":")
	lines := append([]string{
		"[databases]", fmt.Sprintf("postgres = host=127.0.0.1 port=%d user=hallpass", p.port),
		"[pgbouncer]", "listen_addr = " + host, "listen_port = " + port, "auth_type = any", "unix_socket_dir =",
		"logfile = " + filepath.Join(dir, "log"),
	}, settings...)
	config := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil { // read by another user
		p.t.Fatal(err)
	}
	cmd := p.asUser(program, config)
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL) // it stores nothing
		_ = cmd.Wait()
	})
	url := fmt.Sprintf("postgres://hallpass@%s/postgres?sslmode=disable", address)
	hallpasstest.Eventually(p.t, "the pooler to listen", func() bool { return listens(address) })
	return url
}

// TestPooler starts a server with a pooler that may run each transaction in another
// session. The pooler handles the settings of our sessions in two ways; with both the
// server refuses to start, and says why.
func TestPooler(t *testing.T) {
	db := newPostgres(t)
	for name, settings := range map[string][]string{
		"refuses settings": {"pool_mode = transaction"},
		"drops settings":   {"pool_mode = transaction", "ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout,timezone,application_name"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, t.TempDir(), nodeEnv(db.pooler(settings...)))
			p.refusesToStart("transaction pooler")
		})
	}
}
