package test_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// postgres is a PostgreSQL server of a test's own.
type postgres struct {
	t    testing.TB
	bin  string // the folder of its programs
	dir  string // of its data
	name string // of the database that url names
	port int
}

// newPostgres creates a server and starts it. Without PostgreSQL it skips the test.
func newPostgres(t testing.TB, settings ...string) *postgres {
	t.Helper()
	p := postgresIn(t, filepath.Join(postgresFolder(t), "data"))
	p.initialize()
	// fsync matters only when the machine fails, which no test tries.
	p.configure(append([]string{"fsync = off", "full_page_writes = off", "listen_addresses = '127.0.0.1'", "max_connections = 100", "shared_buffers = 16MB"}, settings...)...)
	p.start()
	return p
}

// emptyCluster has the data of a server that was just created.
var emptyCluster struct {
	once sync.Once
	dir  string // its data is in the folder data
}

// initialize creates the server's data: a copy of what initdb wrote once for all tests,
// because initdb takes longer than many of them.
func (p *postgres) initialize() {
	p.t.Helper()
	emptyCluster.once.Do(func() {
		dir, err := os.MkdirTemp("", "hallpass-cluster")
		if err != nil {
			p.t.Fatal(err)
		}
		emptyCluster.dir = dir
		giveToPostgres(p.t, dir)
		p.run("initdb", "-D", filepath.Join(dir, "data"), "-U", "hallpass", "-A", "trust", "-N", "--no-instructions")
	})
	if out, err := p.asUser("cp", "-a", filepath.Join(emptyCluster.dir, "data"), p.dir).CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
}

// postgresFolder returns a new folder that the user postgres may write in.
func postgresFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hallpass-postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a file that stays in the temporary folder does no harm
	giveToPostgres(t, dir)
	return dir
}

// giveToPostgres has the folder belong to the user that PostgreSQL runs as.
func giveToPostgres(t testing.TB, dir string) {
	t.Helper()
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
			t.Fatalf("chown: %v\n%s", err, out)
		}
	}
}

func postgresIn(t testing.TB, dir string) *postgres {
	t.Helper()
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(bins) == 0 {
		t.Skip("PostgreSQL is not installed; make test installs it where it can")
	}
	_, port, err := net.SplitHostPort(hallpasstest.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &postgres{t: t, bin: filepath.Dir(bins[len(bins)-1]), dir: dir, name: "postgres"}
	if p.port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs one of PostgreSQL's programs, as its user.
func (p *postgres) run(program string, args ...string) {
	p.t.Helper()
	if out, err := p.command(program, args...).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

func (p *postgres) command(program string, args ...string) *exec.Cmd {
	return p.asUser(filepath.Join(p.bin, program), args...)
}

// asUser returns a command that runs as the user that PostgreSQL runs as.
func (p *postgres) asUser(name string, args ...string) *exec.Cmd {
	if os.Getuid() == 0 {
		args = append([]string{"--reuid", "postgres", "--regid", "postgres", "--clear-groups", name}, args...)
		name = "setpriv"
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = filepath.Dir(p.dir)
	return cmd
}

func (p *postgres) configure(settings ...string) {
	p.t.Helper()
	f, err := os.OpenFile(filepath.Join(p.dir, "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintln(f, strings.Join(settings, "\n")); err != nil {
		p.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// start starts the server and returns when it answers.
func (p *postgres) start() {
	p.t.Helper()
	log := filepath.Join(p.dir, "server.log")
	p.run("pg_ctl", "-D", p.dir, "-l", log, "-w", "-s", "start", "-o", fmt.Sprintf("-p %d -k '%s'", p.port, filepath.Dir(p.dir)))
	p.t.Cleanup(func() { _ = p.command("pg_ctl", "-D", p.dir, "-m", "immediate", "-w", "-s", "stop").Run() }) // it may have ended already
}

// stop ends the server: "fast" ends all sessions and writes everything to disk, and
// "immediate" is like a crash.
func (p *postgres) stop(mode string) {
	p.t.Helper()
	p.run("pg_ctl", "-D", p.dir, "-m", mode, "-w", "-s", "stop")
}

// copied restarts the server and returns the folder of a copy of what it held then.
func (p *postgres) copied() (dir string) {
	p.t.Helper()
	p.stop("fast")
	dir = p.dir + "-copy"
	if out, err := p.asUser("cp", "-a", p.dir, dir).CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	p.start()
	return dir
}

// kill ends every process of the server with kill -9.
func (p *postgres) kill() {
	p.t.Helper()
	for _, pid := range p.processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // a process may have ended with its parent
	}
	hallpasstest.Eventually(p.t, "PostgreSQL's processes to end", func() bool { return len(p.processes()) == 0 })
	_ = os.Remove(filepath.Join(p.dir, "postmaster.pid")) // no process has it any more
}

// processes returns the server's processes, the first one first.
func (p *postgres) processes() []int {
	text, err := os.ReadFile(filepath.Join(p.dir, "postmaster.pid"))
	if err != nil {
		return nil
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil || syscall.Kill(pid, 0) != nil {
		return nil
	}
	pids := []int{pid}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return pids
	}
	for _, c := range strings.Fields(string(children)) {
		if child, err := strconv.Atoi(c); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// url returns the URL of the database for nodes, with another port if one is given.
func (p *postgres) url(port ...int) string {
	at := p.port
	if len(port) > 0 {
		at = port[0]
	}
	return fmt.Sprintf("postgres://hallpass@127.0.0.1:%d/%s?sslmode=disable", at, p.name)
}

// exec runs a statement as an operator.
func (p *postgres) exec(statement string) {
	p.t.Helper()
	p.as(func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	})
}

// count runs a query as an operator and returns its answer, a number.
func (p *postgres) count(query string) (n int) {
	p.t.Helper()
	p.as(func(ctx context.Context, db *sql.DB) error { return db.QueryRowContext(ctx, query).Scan(&n) })
	return n
}

// as calls fn with a connection of an operator.
func (p *postgres) as(fn func(context.Context, *sql.DB) error) {
	p.t.Helper()
	db, err := sql.Open("pgx", p.url())
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), hallpasstest.Patience)
	defer cancel()
	if err := errors.Join(fn(ctx, db), db.Close()); err != nil {
		p.t.Fatal(err)
	}
}

// standby creates a synchronous standby: p answers a commit only when the standby has it.
func (p *postgres) standby() *postgres {
	p.t.Helper()
	s := postgresIn(p.t, filepath.Join(postgresFolder(p.t), "data"))
	s.run("pg_basebackup", "-D", s.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "hallpass", "-R", "-X", "stream", "-c", "fast")
	s.start()
	p.exec("ALTER SYSTEM SET synchronous_standby_names = '*'")
	p.exec("SELECT pg_reload_conf()")
	hallpasstest.Eventually(p.t, "the standby to follow", func() bool {
		return p.count("SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'") > 0
	})
	return s
}

// promote makes a standby the primary.
func (p *postgres) promote() {
	p.t.Helper()
	p.run("pg_ctl", "-D", p.dir, "-w", "-s", "promote")
}

// wire is a TCP proxy between a node and PostgreSQL that can hold the traffic in either
// direction, as a broken network does: neither end is told.
type wire struct {
	l net.Listener

	mu       sync.Mutex
	to       string
	thaw     *sync.Cond
	noTo     bool          // what the node sends is held
	noFrom   bool          // what PostgreSQL answers is held
	far      time.Duration // the delay in each direction
	open     []net.Conn
	finished bool
}

func newWire(t testing.TB, to int) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{l: l, to: address(to)}
	w.thaw = sync.NewCond(&w.mu)
	go w.accept()
	t.Cleanup(func() {
		_ = l.Close() // it may be closed already
		w.mu.Lock()
		w.finished = true
		for _, c := range w.open {
			_ = c.Close()
		}
		w.mu.Unlock()
		w.thaw.Broadcast()
	})
	return w
}

func (w *wire) port() int { return w.l.Addr().(*net.TCPAddr).Port }

func (w *wire) accept() {
	for {
		in, err := w.l.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		to := w.to
		w.mu.Unlock()
		out, err := net.Dial("tcp", to)
		if err != nil {
			_ = in.Close()
			continue
		}
		w.mu.Lock()
		w.open = append(w.open, in, out)
		w.mu.Unlock()
		go w.carry(out, in, &w.noTo)
		go w.carry(in, out, &w.noFrom)
	}
}

// carry copies until one end closes. While the wire is cut it holds what comes.
func (w *wire) carry(to, from net.Conn, cut *bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		for *cut && !w.finished {
			w.thaw.Wait()
		}
		far := w.far
		w.mu.Unlock()
		time.Sleep(far) // the delay of a database that is far away
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut holds or releases what the node sends, and what PostgreSQL answers.
func (w *wire) cut(to, from bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noTo, w.noFrom = to, from
	w.thaw.Broadcast()
}

// delay gives each round trip on the wire this delay.
func (w *wire) delay(roundTrip time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.far = roundTrip / 2
}

// lead connects the wire to another port. Its open connections end.
func (w *wire) lead(to int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = address(to)
	for _, c := range w.open {
		_ = c.Close() // it may be closed already
	}
	w.open = nil
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
