package test_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// rounds returns how many rounds a test does: the number in the environment, or usual.
func rounds(t *testing.T, variable string, usual int) int {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is not a number of rounds", variable, s)
	}
	return n
}

// TestListenerLost ends only the connections on which nodes are notified of changes. As
// before, every node applies a revocation before it is answered, and the connections
// come back.
func TestListenerLost(t *testing.T) {
	db := newPostgres(t)
	all := nodes(t, 3, db.url())
	const listeners = "FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
	await := func() {
		t.Helper()
		hallpasstest.Eventually(t, "every node to listen", func() bool { return db.count("SELECT COUNT(*) "+listeners) == len(all) })
	}
	await()
	for i := range len(ends) {
		c := all[0].mint()
		for _, p := range all {
			if status := p.answers(c.key); status != 200 {
				t.Fatal(status)
			}
		}
		if n := db.count("SELECT COUNT(pg_terminate_backend(pid)) " + listeners); i == 0 && n != len(all) {
			t.Fatalf("%d listeners were ended", n)
		}
		t.Logf("without listeners a revocation took %s", all[i%3].end(i, c))
		for n, p := range all {
			if status := p.use(c.key); status == 200 {
				t.Errorf("ended in the way %d, and node %d answers 200", i, n)
			}
		}
	}
	await()
}

// TestKilledWhileRevoking kills the node that revokes at a random time. In every second
// round it is killed after the commit and most likely before the answer, because there it
// waits for a node that is frozen. The revocation is then made or not made, wholly and on
// every node.
func TestKilledWhileRevoking(t *testing.T) {
	db := newPostgres(t)
	bound := time.Second
	env := "HALLPASS_DATABASE_MAX_STALENESS=" + bound.String()
	others := []*process{node(t, db.url(), env), node(t, db.url(), env)}
	data := t.TempDir()
	revoker := start(t, data, nodeEnv(db.url(), env))
	for _, p := range append(others, revoker) {
		p.await()
	}
	var committed, answered int
	n := rounds(t, "HALLPASS_TEST_REVOKER_ROUNDS", 6)
	for round := range n {
		c := others[0].mint()
		for _, p := range append(others, revoker) {
			if status := p.answers(c.key); status != 200 {
				t.Fatal(status)
			}
		}
		revoker.must(200, "GET", "/api/org", "", nil) // from now on it has the admin's password in memory
		answering := others
		if round%2 == 1 {
			others[1].signal(syscall.SIGSTOP)
			answering = others[:1]
		}
		answer := make(chan int, 1)
		go func() {
			method, path, body := ends[0](c)
			status, _ := revoker.call(quick, "", method, path, body, nil) // 0: no answer
			answer <- status
		}()
		if round%2 == 1 {
			hallpasstest.Eventually(t, "the commit", func() bool { return !db.has(c) || len(answer) > 0 }) // 503: scheduled late
		} else {
			time.Sleep(rand.N(30 * time.Millisecond)) // killed at any time
		}
		revoker.kill()
		status := <-answer
		acknowledged := status == http.StatusOK
		if acknowledged {
			answered++
		} else if status != 0 && status != http.StatusServiceUnavailable { // it may be scheduled late
			t.Errorf("round %d: the revocation was answered with %d", round, status)
		}
		for _, p := range answering {
			if acknowledged && p.use(c.key) == http.StatusOK {
				t.Errorf("round %d: acknowledged, and accepted elsewhere", round)
			}
		}
		// PostgreSQL may still work for the dead node; that ends without our help.
		hallpasstest.Eventually(t, "PostgreSQL to give its locks back", func() bool {
			return db.count("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
		})
		gone := !db.has(c)
		audited := db.count(fmt.Sprintf("SELECT COUNT(*) FROM audit WHERE action = 'token.delete' AND target = 'token:%d'", c.token))
		chained := db.count(fmt.Sprintf("SELECT COUNT(*) FROM changes WHERE kind = 'token' AND subject_id = %d", c.token))
		want, wantRows := http.StatusOK, 0
		if gone {
			committed++
			want, wantRows = http.StatusUnauthorized, 1
		}
		if acknowledged && !gone || audited != wantRows || chained != wantRows {
			t.Errorf("round %d: answered with %d; the token is gone: %v, and has %d audit entries and %d changes", round, status, gone, audited, chained)
		}
		if round%2 == 1 {
			others[1].signal(syscall.SIGCONT)
		}
		time.Sleep(bound) // the revocation was not acknowledged: the others may need that long
		revoker = start(t, data, nodeEnv(db.url(), env))
		revoker.await()
		for i, p := range append(others, revoker) {
			if status := p.answers(c.key); status != want {
				t.Errorf("round %d: node %d answers %d, want %d", round, i, status, want)
			}
		}
	}
	t.Logf("%d rounds: %d revocations were committed, %d of them answered", n, committed, answered)
	if committed == 0 {
		t.Error("no round came to a commit: the test tried too little")
	}
}

// has reports whether the credential's token is in the database.
func (p *postgres) has(c credential) bool {
	p.t.Helper()
	return p.count(fmt.Sprintf("SELECT COUNT(*) FROM tokens WHERE id = %d", c.token)) > 0
}

// TestFrozenWithTheLock freezes a node while it holds the lock that all writers take in
// turn. The revocations of the others are made, in about the time that a frozen node
// costs, or are refused and change nothing.
func TestFrozenWithTheLock(t *testing.T) {
	db := newPostgres(t)
	frozen := node(t, db.url()+"&application_name=frozen")
	all := append(nodes(t, 2, db.url()), frozen)
	frozen.await()
	var list []credential
	for range 3 {
		c := all[0].mint()
		for _, p := range all {
			if status := p.answers(c.key); status != 200 {
				t.Fatal(status)
			}
		}
		list = append(list, c)
	}
	writers := newClients(t)
	for range 4 {
		writers.Go(func() {
			for !writers.stopped.Load() {
				_, _ = frozen.call(quick, "", "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"busy-%d"}`, credentials.Add(1)), nil) // the result does not matter
			}
		})
	}
	var at time.Time
	for until := time.Now().Add(hallpasstest.Patience); ; {
		time.Sleep(rand.N(20 * time.Millisecond)) // frozen at any time
		frozen.signal(syscall.SIGSTOP)
		at = time.Now()
		time.Sleep(10 * time.Millisecond) // PostgreSQL finishes what the node had sent
		if db.count(`SELECT COUNT(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'frozen' AND a.state = 'idle in transaction'`) > 0 {
			break
		}
		frozen.signal(syscall.SIGCONT)
		if time.Now().After(until) {
			t.Fatal("the node was never caught with the lock")
		}
	}
	for i, c := range list {
		method, path, body := ends[i](c)
		began := time.Now()
		status, err := all[i%2].call(quick, "", method, path, body, nil)
		took := time.Since(began)
		t.Logf("%s after the freeze a revocation took %s: %d", began.Sub(at).Round(time.Millisecond), took.Round(time.Millisecond), status)
		if err != nil || status != 200 && status != 503 {
			t.Fatalf("a revocation beside a frozen writer: %d, %v", status, err)
		}
		if status == 503 { // then nothing of it may be done
			if status := all[0].answers(c.key); status != 200 {
				t.Errorf("a revocation that was refused changed something: %d", status)
			}
			all[i%2].end(i, c)
		}
		for n, p := range all[:2] {
			if status := p.use(c.key); status == 200 {
				t.Errorf("ended, and node %d answers 200", n)
			}
		}
	}
	frozen.signal(syscall.SIGCONT)
	writers.stopped.Store(true)
	for until := time.Now().Add(staleness); time.Now().Before(until); {
		for _, c := range list {
			if status := frozen.use(c.key); status == 200 {
				t.Fatal("the node that was frozen accepts what was ended meanwhile")
			}
		}
	}
	writers.Wait()
	kept := all[0].mint()
	frozen.right(kept, list...)
}

// TestStartAtOnce starts nodes at the same time on an empty database. All become ready, the
// schema is created once, and there is one admin, whose password one of the nodes has in
// its data directory.
func TestStartAtOnce(t *testing.T) {
	db := newPostgres(t)
	for round := range 3 {
		name := fmt.Sprintf("empty_%d", round)
		db.exec("CREATE DATABASE " + name)
		own := *db
		own.name = name
		var all []*process
		var folders []string
		for range 3 {
			folders = append(folders, t.TempDir())
			all = append(all, start(t, folders[len(folders)-1], nodeEnv(own.url(), "HALLPASS_SECURITY_ADMIN_PASSWORD=")))
		}
		for _, p := range all {
			p.await()
		}
		for what, query := range map[string]string{
			"orgs": "SELECT COUNT(*) FROM orgs", "users": "SELECT COUNT(*) FROM users", "installations": "SELECT COUNT(*) FROM state",
			"times that the first migration ran": "SELECT COUNT(*) FROM goose_db_version WHERE version_id = 1",
		} {
			if n := own.count(query); n != 1 {
				t.Errorf("round %d: %d %s, want 1", round, n, what)
			}
		}
		var told, kept []string
		for i, p := range all {
			if strings.Contains(p.out.String(), "initial-admin-password") {
				told = append(told, p.out.String())
			}
			if text, err := os.ReadFile(filepath.Join(folders[i], "initial-admin-password")); err == nil {
				kept = append(kept, string(text))
			}
		}
		if len(told) != 1 || len(kept) != 1 || strings.Contains(told[0], kept[0]) {
			t.Fatalf("round %d: %d nodes told where a password is and %d keep one, want one of each, and none in a log\n%s", round, len(told), len(kept), strings.Join(told, "\n"))
		}
		for i, p := range all {
			r, err := http.NewRequest("GET", p.url+"/api/org", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("admin", kept[0])
			hallpasstest.Eventually(t, fmt.Sprintf("node %d to take the password that was told", i), func() bool {
				res, err := quick.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close() // nothing was read
				if res.StatusCode != 200 && res.StatusCode != 503 {
					t.Fatalf("round %d: the password that was told is answered with %d by node %d", round, res.StatusCode, i)
				}
				return res.StatusCode == 200
			})
		}
		for _, p := range all {
			if err := p.stop(); err != nil {
				t.Errorf("stop: %v\n%s", err, p.out)
			}
		}
	}
}

// balancer sends requests to the nodes whose /readyz wants requests, as a proxy with
// health checks does.
type balancer struct {
	mu    sync.Mutex
	ready []*process
}

func (b *balancer) follow(all []*process, stop *atomic.Bool) {
	for !stop.Load() {
		var ready []*process
		for _, p := range all {
			if status, err := p.call(quick, "", "GET", "/readyz", "", nil); err == nil && status == 200 {
				ready = append(ready, p)
			}
		}
		b.mu.Lock()
		b.ready = ready
		b.mu.Unlock()
		time.Sleep(50 * time.Millisecond) // from one health check to the next
	}
}

func (b *balancer) pick(i int) *process {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ready) == 0 {
		return nil
	}
	return b.ready[i%len(b.ready)]
}

// TestStopNode stops the nodes with SIGTERM and starts them again, one after the other,
// under load and behind a proxy that asks /readyz. No read and no change fails, and each
// node exits with 0 (SEC-45).
func TestStopNode(t *testing.T) {
	db := newPostgres(t)
	env := []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=2s", "HALLPASS_DATABASE_MAX_STALENESS=20s"} // no node is delayed that long
	all := []*process{node(t, db.url(), env...), node(t, db.url(), env...)}
	for _, p := range all {
		p.await()
	}
	c := all[0].mint()
	var b balancer
	var answered atomic.Int64
	load := newClients(t)
	load.Go(func() { b.follow(all, &load.stopped) })
	hallpasstest.Eventually(t, "a node that is ready", func() bool { return b.pick(0) != nil })
	for i := range 6 {
		load.Go(func() {
			client := caller(hallpasstest.Patience)
			for n := i; !load.stopped.Load(); n++ {
				p := b.pick(n)
				if p == nil {
					t.Error("no node is ready")
					return
				}
				method, path, body, token, want := "GET", "/api/org", "", c.key, 200
				if i == 0 {
					method, path, body, token, want = "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"load-%d"}`, credentials.Add(1)), "", 201
				}
				if status, err := p.call(client, token, method, path, body, nil); err != nil || status != want {
					t.Errorf("%s %s: %d, %v", method, path, status, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	hallpasstest.Eventually(t, "the clients to be answered", func() bool { return answered.Load() >= 60 })
	if err := all[0].stop(); err != nil {
		t.Errorf("the node ended with %v\n%s", err, all[0].out)
	}
	hallpasstest.Eventually(t, "the node that ended to be off the list", func() bool { return all[1].listed() == 1 })
	all[1].end(0, all[1].mint())
	load.end()
	t.Logf("%d requests answered", answered.Load())
	if answered.Load() == 0 {
		t.Error("no request was answered")
	}
}
