package test_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// ledger records what was answered, so that a test can compare it afterwards.
type ledger struct {
	mu    sync.Mutex
	good  []credential // that were created
	ended []credential // that were created and then ended
}

// write creates credentials through the nodes and ends every second one, until
// stopped. It records only what was answered with success.
func (l *ledger) write(p *process, stop *atomic.Bool) {
	for i := 0; !stop.Load(); i++ {
		var account, token struct {
			ID  int64
			Key string
		}
		name := fmt.Sprintf("ledger-%d", credentials.Add(1))
		if status, err := p.call(quick, "", "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q,"role":"Viewer"}`, name), &account); err != nil || status != 201 {
			continue
		}
		if status, err := p.call(quick, "", "POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", account.ID), fmt.Sprintf(`{"name":%q}`, name), &token); err != nil || status != 200 {
			continue
		}
		c := credential{account.ID, token.ID, token.Key}
		if i%2 == 0 {
			l.note(&l.good, c)
			continue
		}
		method, path, body := ends[i/2%len(ends)](c)
		if status, err := p.call(quick, "", method, path, body, nil); err == nil && status == 200 {
			l.note(&l.ended, c)
		}
	}
}

func (l *ledger) note(list *[]credential, c credential) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, c)
}

func (l *ledger) all() (good, ended []credential) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.good[:len(l.good):len(l.good)], l.ended[:len(l.ended):len(l.ended)]
}

// watch sends credentials that have ended to the nodes, again and again, until stopped. No
// node may accept one, whatever happens to the database.
func (l *ledger) watch(t *testing.T, all []*process, stop *atomic.Bool) {
	for i := 0; !stop.Load(); i++ {
		_, ended := l.all()
		if len(ended) == 0 {
			time.Sleep(time.Millisecond) // no credential has ended yet
			continue
		}
		c := ended[len(ended)-1-i%min(len(ended), 20)]
		for n, p := range all {
			if p.use(c.key) == http.StatusOK {
				t.Errorf("node %d accepts what has ended: %+v", n, c)
				return
			}
		}
	}
}

// TestFailover kills a primary with a synchronous standby in the middle of
// changes and promotes the standby. Nothing that was acknowledged is lost, and nothing
// that ended is accepted at any time. One node reaches the database through a
// proxy that is switched to the standby, the other knows both servers.
func TestFailover(t *testing.T) {
	db := newPostgres(t)
	next := db.standby()
	w := newWire(t, db.port)
	all := []*process{
		node(t, db.url(w.port())),
		node(t, fmt.Sprintf("postgres://hallpass@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable", db.port, next.port)),
	}
	for _, p := range all {
		p.await()
	}
	var l ledger
	writers, watchers := newClients(t), newClients(t)
	for _, p := range all {
		writers.Go(func() { l.write(p, &writers.stopped) })
	}
	watchers.Go(func() { l.watch(t, all, &watchers.stopped) })
	hallpasstest.Eventually(t, "credentials made and ended", func() bool {
		good, ended := l.all()
		return len(good) >= 20 && len(ended) >= 20
	})
	db.kill()
	killed := time.Now()
	next.promote()
	w.lead(next.port)
	good, ended := l.all()
	for _, p := range all {
		p.right(good[0], ended...)
	}
	back := time.Since(killed)
	before := len(good) + len(ended)
	hallpasstest.Eventually(t, "changes after the failover", func() bool {
		good, ended := l.all()
		return len(good)+len(ended) >= before+10
	})
	writers.end()
	watchers.end()
	good, ended = l.all()
	t.Logf("%d credentials were made and half of them ended before the failover, %d in all; right again after %s", before, len(good)+len(ended), back)
	for _, p := range all {
		for _, c := range good {
			if status := p.answers(c.key); status != 200 {
				t.Errorf("an acknowledged token is answered with %d", status)
			}
		}
		for _, c := range ended {
			if status := p.answers(c.key); status != 401 && status != 403 {
				t.Errorf("what has ended is answered with %d", status)
			}
		}
		if len(p.errs()) > 0 {
			t.Errorf("an error was logged:\n%s", p.out)
		}
	}
}

// TestUnreplicated stops a synchronous standby. A revocation that the standby does not
// have is not acknowledged, also when somebody cancels the wait for the standby, which
// PostgreSQL answers like a commit.
func TestUnreplicated(t *testing.T) {
	db := newPostgres(t)
	next := db.standby()
	p := node(t, db.url()+"&application_name=waiting")
	p.await()
	kept, c := p.mint(), p.mint()
	next.stop("immediate")
	began := time.Now()
	cancelling := newClients(t)
	cancelling.Go(func() {
		for !cancelling.stopped.Load() {
			time.Sleep(300 * time.Millisecond) // the wait is cancelled again and again
			db.exec("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiting' AND wait_event = 'SyncRep'")
		}
	})
	method, path, body := ends[0](c)
	status, err := p.call(quick, "", method, path, body, nil)
	if err != nil || status != 504 { // 503 would mean that nothing was changed
		t.Errorf("a revocation that is on one server alone: %d, %v after %s, want 504", status, err, time.Since(began))
	}
	time.Sleep(time.Until(began.Add(staleness + time.Second))) // the lease runs out meanwhile, and no later
	if status, err := p.call(quick, "", "GET", "/readyz", "", nil); err != nil || status != 503 {
		t.Errorf("ready with heartbeats that are on one server alone: %d, %v", status, err)
	}
	for _, r := range manualFaults(t)["the standby is silent"] {
		p.tells(0, r.says, map[string]string{"node": p.name()})
	}
	cancelling.end()
	next.start()
	p.right(kept, c)
}

// TestDeposed leaves a node with its primary after the standby was promoted. The old
// primary still accepts connections and writes, but nobody else has what it writes. The
// node verifies nothing, and recovers when it is led to the new primary.
func TestDeposed(t *testing.T) {
	db := newPostgres(t)
	next := db.standby()
	old, new := newWire(t, db.port), newWire(t, db.port)
	left, moved := node(t, db.url(old.port())), node(t, db.url(new.port()))
	left.await()
	moved.await()
	kept, first, second := left.mint(), left.mint(), left.mint()
	for _, p := range []*process{left, moved} {
		for _, c := range []credential{kept, first, second} {
			if status := p.answers(c.key); status != 200 {
				t.Fatal(status)
			}
		}
	}
	next.promote()
	new.lead(next.port)
	moved.right(kept)
	moved.end(0, first)
	for until := time.Now().Add(2 * staleness); time.Now().Before(until); {
		if status := left.use(first.key); status == 200 {
			t.Fatal("the node at the old primary accepts what was ended at the new one")
		}
	}
	left.verifiesNothing(kept, first, second)

	old.lead(next.port)
	left.right(kept, first)
	left.end(1, second)

	// Back to the old primary: it knows less than the node does.
	old.lead(db.port)
	for until := time.Now().Add(3 * staleness); time.Now().Before(until); {
		for _, c := range []credential{first, second} {
			if status := left.use(c.key); status == 200 {
				t.Fatal("led back to the old primary, the node accepts what had ended")
			}
		}
	}
	left.verifiesNothing(kept, first, second)
	old.lead(next.port)
	left.right(kept, first, second)
	moved.right(kept, first, second)
}

// verifiesNothing fails the test unless the node answers every token with 503 and is not
// ready.
func (p *process) verifiesNothing(all ...credential) {
	p.t.Helper()
	for _, c := range all {
		if status := p.use(c.key); status != 503 {
			p.t.Errorf("a node without a database to rely on answers %d", status)
		}
	}
	if status, err := p.call(quick, "", "GET", "/readyz", "", nil); err != nil || status != 503 {
		p.t.Errorf("/readyz without a database to rely on: %d, %v", status, err)
	}
}
