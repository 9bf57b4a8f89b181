package test_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// rotationRaces do things to a token at the same time, through two of the nodes.
var rotationRaces = []struct {
	name string
	run  func(t *testing.T, p, other *process, all []*process)
}{
	{"two nodes rotate", func(t *testing.T, p, other *process, all []*process) {
		old := p.mint()
		var won []credential
		atOnce(all, func(n int, p *process) (int, rotation) {
			return p.rotates(old, []string{"", "one", "another"}[n])
		}, func(status int, out rotation) {
			switch {
			case status == http.StatusOK:
				won = append(won, out.next(old))
			case status != http.StatusConflict || out.MessageID != "token.already-rotated":
				t.Errorf("one of them is told %d %s", status, out.MessageID)
			}
		})
		if len(won) != 1 {
			t.Fatalf("%d of them have rotated it", len(won))
		}
		everywhere(t, all, "the old one", old.key, "")
		everywhere(t, all, "the new one", won[0].key, "")
	}},
	{"rotate and delete", func(t *testing.T, p, other *process, all []*process) {
		old := p.mint()
		status, out := beside(p, old, func() { other.must(200, "DELETE", old.path(), "", nil) })
		everywhere(t, all, "the old one", old.key, "api-key.invalid")
		switch status {
		case http.StatusNotFound:
		case http.StatusOK:
			everywhere(t, all, "the new one", out.Key, "")
		default:
			t.Errorf("the rotation: %d %s", status, out.MessageID)
		}
	}},
	{"rotate and disable the account", func(t *testing.T, p, other *process, all []*process) {
		old := p.mint()
		account := fmt.Sprintf("/api/serviceaccounts/%d", old.account)
		status, out := beside(p, old, func() { other.must(200, "PATCH", account, `{"isDisabled":true}`, nil) })
		if status != http.StatusOK {
			t.Fatalf("the rotation: %d %s", status, out.MessageID)
		}
		everywhere(t, all, "the old one", old.key, "identity.disabled")
		everywhere(t, all, "the new one", out.Key, "identity.disabled")
		p.must(200, "PATCH", account, `{"isDisabled":false}`, nil)
		everywhere(t, all, "the new one, enabled again", out.Key, "")
	}},
	{"rotate and use the old one for the first time", func(t *testing.T, p, other *process, all []*process) {
		old := p.mint()
		users := newClients(t)
		for _, p := range all {
			users.Go(func() {
				for !users.stopped.Load() {
					if id := p.verdict(old.key); id != "" {
						t.Errorf("while both work it is refused: %s", id)
						return
					}
				}
			})
		}
		next := p.replaced(old, `{}`)
		everywhere(t, all, "the new one", next.key, "")
		users.end()
	}},
	{"delete the old one", func(t *testing.T, p, other *process, all []*process) {
		old := p.mint()
		next := p.replaced(old, `{}`)
		everywhere(t, all, "the old one", old.key, "")
		accepted := hit(t, all, old.key, func() { other.must(200, "DELETE", old.path(), "", nil) })
		if accepted > 0 {
			t.Errorf("%d requests were accepted after it was deleted", accepted)
		}
		everywhere(t, all, "the old one", old.key, "api-key.invalid")
		everywhere(t, all, "the new one", next.key, "")
		other.must(409, "POST", next.path()+"/rotation/undo", "", nil)
		everywhere(t, all, "the newest", p.replaced(next, `{}`).key, "")
	}},
	{"retire and use", func(t *testing.T, p, other *process, all []*process) {
		old := p.mint()
		next := p.replaced(old, `{}`)
		everywhere(t, all, "the old one", old.key, "")
		if accepted := hit(t, all, old.key, func() { other.must(200, "POST", old.path()+"/retire", "", nil) }); accepted > 0 {
			t.Errorf("%d requests were accepted after it was retired", accepted)
		}
		everywhere(t, all, "the old one", old.key, "api-key.rotated")
		everywhere(t, all, "the new one", next.key, "")
	}},
	{"retire and undo", func(t *testing.T, p, other *process, all []*process) {
		old := p.mint()
		next := p.replaced(old, `{}`)
		var undone int
		var err error
		var undoing sync.WaitGroup
		undoing.Go(func() { undone, err = other.call(quick, "", "POST", next.path()+"/rotation/undo", "", nil) })
		retired, failed := p.call(quick, "", "POST", old.path()+"/retire", "", nil)
		undoing.Wait()
		if err != nil || failed != nil || retired+undone != http.StatusOK+http.StatusConflict {
			t.Fatalf("retired: %d, %v; undone: %d, %v", retired, failed, undone, err)
		}
		if retired == http.StatusOK {
			old, next = next, old
		}
		everywhere(t, all, "the one that lives", old.key, "")
		if id := other.verdict(next.key); id != "api-key.rotated" && id != "api-key.revoked" {
			t.Errorf("the one that has ended: %q", id)
		}
	}},
	{"the first use ends the old one", func(t *testing.T, p, other *process, all []*process) {
		old := p.mint()
		t.Logf("it ended everywhere %s after the first use", endsAtFirstUse(t, all, old, p.replaced(old, `{"quietSeconds":0}`)))
	}},
}

// atOnce calls do for every node at the same time, and then done with each answer.
func atOnce(all []*process, do func(n int, p *process) (int, rotation), done func(status int, out rotation)) {
	var mu sync.Mutex
	var calls sync.WaitGroup
	for n, p := range all {
		calls.Go(func() {
			status, out := do(n, p)
			mu.Lock()
			defer mu.Unlock()
			done(status, out)
		})
	}
	calls.Wait()
}

// beside rotates the token through the node while something else is done to it.
func beside(p *process, old credential, do func()) (status int, out rotation) {
	p.t.Helper()
	var rotating sync.WaitGroup
	rotating.Go(func() { status, out = p.rotates(old, "") })
	do()
	rotating.Wait()
	return status, out
}

// rotates asks the node once to rotate the token, or again while it answers 503, which
// means that nothing was changed.
func (p *process) rotates(old credential, key string) (status int, out rotation) {
	p.t.Helper()
	hallpasstest.Eventually(p.t, "an answer to a rotation", func() (answered bool) {
		var err error
		if status, out, err = rotateAt(p.url, old, key, `{}`); err != nil {
			p.t.Errorf("rotate: %v", err)
		}
		return status != http.StatusServiceUnavailable
	})
	return status, out
}

// hit uses the secret on every node, as fast as it can, while it is ended. It returns how
// many requests were accepted that began after that was answered.
func hit(t *testing.T, all []*process, key string, end func()) (accepted int64) {
	t.Helper()
	var ended atomic.Bool
	var late, used atomic.Int64
	hitters := newClients(t)
	for _, p := range all {
		hitters.Go(func() {
			for !hitters.stopped.Load() {
				after := ended.Load()
				status, _ := p.asked(key)
				if used.Add(1); after && status == http.StatusOK {
					late.Add(1)
				}
			}
		})
	}
	hallpasstest.Eventually(t, "all to use it", func() bool { return used.Load() > 10 })
	end()
	ended.Store(true)
	begun := used.Load()
	hallpasstest.Eventually(t, "all to be refused", func() bool { return used.Load() > begun+10 })
	hitters.end()
	return late.Load()
}

// endsAtFirstUse uses a secret on all nodes at once that replaces another, which is to end
// with that. Each node is asked about the other all the time: once it refuses that, it
// never accepts it again. Whichever nodes end it, it ends once. It returns how long it
// took until all refused it.
func endsAtFirstUse(t *testing.T, all []*process, old, next credential) time.Duration {
	t.Helper()
	everywhere(t, all, "the old one", old.key, "")
	var refuse atomic.Int64
	hitters := newClients(t)
	for _, p := range all {
		hitters.Go(func() {
			for refused := false; !hitters.stopped.Load(); {
				switch id := p.verdict(old.key); {
				case id == "" && refused:
					t.Error("it is accepted again")
				case id == "api-key.rotated" && !refused:
					refused = true
					refuse.Add(1)
				}
			}
		})
	}
	used := time.Now()
	var users sync.WaitGroup
	for _, p := range all {
		users.Go(func() {
			if id := p.verdict(next.key); id != "" {
				t.Errorf("the new one is refused: %s", id)
			}
		})
	}
	users.Wait()
	hallpasstest.Eventually(t, "all nodes to refuse the old one", func() bool { return refuse.Load() == int64(len(all)) })
	took := time.Since(used)
	hitters.end()
	if told := all[0].audited("token.retire", old); len(told) != 1 || told[0] != fmt.Sprintf("token %d was used", next.token) {
		t.Errorf("the audit says %q of its end", told)
	}
	return took
}

// killedBeforeTheAnswer kills a node with kill -9 that has made a rotation and not yet
// answered, because it waits for a node that is frozen. Another node is asked the same
// again: the token that was made gets a secret that works.
func killedBeforeTheAnswer(t *testing.T, db *postgres, all []*process) {
	t.Helper()
	killed, frozen := node(t, db.url()), node(t, db.url())
	killed.await()
	frozen.await()
	old := killed.mint()
	everywhere(t, []*process{killed, frozen}, "the old one", old.key, "")
	frozen.signal(syscall.SIGSTOP)
	asking := newClients(t)
	asking.Go(func() {
		if status, out, err := rotateAt(killed.url, old, "lost", `{}`); err == nil {
			t.Errorf("it was answered: %d %+v", status, out)
		}
	})
	var made []int64
	hallpasstest.Eventually(t, "the rotation to be made", func() bool {
		made = all[0].successors(old)
		return len(made) > 0
	})
	killed.kill()
	asking.end()
	got := all[1].again(old, "lost", `{}`)
	if ids := all[2].successors(old); len(made) != 1 || len(ids) != 1 || ids[0] != made[0] || got.ID != made[0] || !got.Replayed {
		t.Errorf("made was %v, asked again it is %d (replayed %v), and %v work", made, got.ID, got.Replayed, ids)
	}
	frozen.signal(syscall.SIGCONT)
	everywhere(t, append([]*process{frozen}, all...), "the new one", got.Key, "")
	everywhere(t, append([]*process{frozen}, all...), "the old one", old.key, "")
}
