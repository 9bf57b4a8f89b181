package test_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// A guarded is several nodes that share a database and one configuration file, in which
// the guard app opens one path for Viewers.
type guarded struct {
	t    *testing.T
	db   *postgres
	file string
	all  []*process
	key  string // a Viewer's token
}

func newGuarded(t *testing.T, n int) *guarded {
	t.Helper()
	g := &guarded{t: t, db: newPostgres(t), file: filepath.Join(t.TempDir(), "hallpass.toml")}
	g.write(0)
	env := nodeEnv(g.db.url(), "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1/32")
	for range n {
		g.all = append(g.all, start(t, t.TempDir(), env, "--config", g.file))
	}
	for _, p := range g.all {
		p.await()
	}
	g.key = g.all[0].mint().key
	return g
}

// path is what the guard opens at step n. At the next step it no longer does.
func path(n int64) string { return fmt.Sprintf("/step/%d", n) }

func (g *guarded) write(n int64) {
	g.t.Helper()
	text := fmt.Sprintf("[[guard.app.rule]]\npath = %q\nrole = \"Viewer\"\n", path(n))
	if err := os.WriteFile(g.file, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

// step has the node apply the file of step n, and returns when the node has told that
// every node applies it, with how long that took. It asks again when the node tells that
// it could not, because it has connections from before a restart of the database.
func (g *guarded) step(p *process, n int64) time.Duration {
	g.t.Helper()
	said := func(what string) int { return strings.Count(p.out.String(), what) }
	const told, failed = "guards of the configuration file were applied", "the guards cannot be applied"
	g.write(n)
	before, failures, began := said(told), said(failed), time.Now()
	p.signal(syscall.SIGHUP)
	for deadline := began.Add(hallpasstest.Patience); said(told) == before; {
		if time.Now().After(deadline) {
			g.t.Fatalf("step %d was not applied\n%s", n, p.out)
		}
		if again := said(failed); again > failures {
			failures = again
			p.signal(syscall.SIGHUP)
		}
		time.Sleep(time.Millisecond) // from one look at the log to the next
	}
	return time.Since(began)
}

// asks returns what the node says about the path of step n, 0 for no answer.
func (g *guarded) asks(p *process, n int64) int {
	return p.ask(g.key, "/guard/nginx/app", "X-Original-Method", "GET", "X-Original-Uri", path(n))
}

// TestTightenedOnEveryNode closes paths through one node after the other while all are
// asked about them. No request that begins after that was told passes (SEC-49).
func TestTightenedOnEveryNode(t *testing.T) {
	late, took := tightenOnEveryNode(t, rounds(t, "HALLPASS_TEST_TIGHTENINGS", 30))
	if late > 0 {
		t.Errorf("%d requests passed that began after their path was closed", late)
	}
	t.Logf("time to acknowledge: median %s, longest %s", took[len(took)/2], took[len(took)-1])
}

// tightenOnEveryNode does so many rounds. It returns how many requests passed too late,
// and how long the changes took, the shortest first.
func tightenOnEveryNode(t *testing.T, want int) (late int64, took []time.Duration) {
	t.Helper()
	g := newGuarded(t, 3)
	var closed, passed, asked, open atomic.Int64 // paths below closed are
	var stop atomic.Bool
	var askers sync.WaitGroup
	for i := range 6 {
		p := g.all[i%3]
		askers.Go(func() {
			for !stop.Load() {
				n := closed.Load()
				if g.asks(p, n) == http.StatusOK {
					open.Add(1)
				}
				asked.Add(2)
				if n > 0 && g.asks(p, n-1) == http.StatusOK {
					passed.Add(1)
				}
			}
		})
	}
	for n := int64(1); n <= int64(want); n++ {
		for i, p := range g.all {
			hallpasstest.Eventually(t, fmt.Sprintf("node %d to let step %d pass", i, n-1), func() bool { return g.asks(p, n-1) == http.StatusOK })
		}
		took = append(took, g.step(g.all[n%3], n))
		closed.Store(n)
		for _, p := range g.all {
			if g.asks(p, n-1) == http.StatusOK {
				passed.Add(1)
			}
		}
	}
	stop.Store(true)
	askers.Wait()
	slices.Sort(took)
	t.Logf("%d rules made stricter through 3 nodes, %d requests, %d passed as they should, %d too late", len(took), asked.Load(), open.Load(), passed.Load())
	if open.Load() == 0 {
		t.Error("nothing passed at all: this test tells nothing")
	}
	return passed.Load(), took
}

// TestTightenedWhileFrozen freezes a node while a rule is made stricter through another:
// that is told when the lease of the frozen node is over, and the node, when it goes on,
// does not decide by the rule of before.
func TestTightenedWhileFrozen(t *testing.T) {
	g := newGuarded(t, 3)
	for i, p := range g.all {
		hallpasstest.Eventually(t, fmt.Sprintf("node %d to let it pass", i), func() bool { return g.asks(p, 0) == http.StatusOK })
	}
	frozen := g.all[2]
	frozen.signal(syscall.SIGSTOP)
	t.Logf("the change waited %s", g.step(g.all[0], 1))
	for i, p := range g.all[:2] {
		if status := g.asks(p, 0); status == http.StatusOK {
			t.Errorf("node %d still lets it pass", i)
		}
	}
	frozen.signal(syscall.SIGCONT)
	for until := time.Now().Add(staleness); time.Now().Before(until); {
		if status := g.asks(frozen, 0); status == http.StatusOK {
			t.Fatal("the node that was frozen lets pass what was closed meanwhile")
		}
	}
	hallpasstest.Eventually(t, "the node that was frozen to decide by the new rule", func() bool { return g.asks(frozen, 1) == http.StatusOK })
}

// TestTightenedThenOlderCopy closes a path and then replaces the database with an older
// copy, in which it is open. It never passes: the guard is suspended when the copy is
// noticed, and decides again when the file is applied again.
func TestTightenedThenOlderCopy(t *testing.T) {
	g := newGuarded(t, 2)
	copied := g.db.copied()
	for i, p := range g.all {
		hallpasstest.Eventually(t, fmt.Sprintf("node %d to let it pass", i), func() bool { return g.asks(p, 0) == http.StatusOK })
	}
	g.step(g.all[0], 1)
	g.db.kill()
	present := g.db.dir
	g.db.dir = copied
	g.db.start()
	for i, p := range g.all {
		hallpasstest.Eventually(t, "the older copy to be noticed", func() bool {
			if status := g.asks(p, 0); status == http.StatusOK {
				t.Fatalf("node %d lets pass what was closed, with the older copy", i)
			}
			return strings.Contains(p.out.String(), "older than this node remembers")
		})
	}
	for i, p := range g.all {
		for n := range int64(2) {
			hallpasstest.Eventually(t, fmt.Sprintf("node %d to refuse step %d", i, n), func() bool { return g.asks(p, n) == http.StatusForbidden })
		}
	}
	if !strings.Contains(g.all[0].out.String()+g.all[1].out.String(), `"suspended":"older-copy"`) {
		t.Errorf("no log says that the guard is suspended\n%s", g.all[0].out)
	}
	g.step(g.all[1], 1)
	for i, p := range g.all {
		hallpasstest.Eventually(t, fmt.Sprintf("node %d to let pass what is open", i), func() bool { return g.asks(p, 1) == http.StatusOK })
		if status := g.asks(p, 0); status == http.StatusOK {
			t.Errorf("node %d lets pass what is closed", i)
		}
	}
	g.db.dir = present
}
