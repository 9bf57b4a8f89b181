package verify_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// A member is one of several nodes in this process that share a database.
type member struct {
	admin  *admin.Admin
	verify *verify.Verifier
	freeze func() // no heartbeat follows
}

// join makes a node on the database at url, which keeps its lease until it is frozen.
func join(t *testing.T, url secret.Text) (m member) {
	t.Helper()
	db := hallpasstest.OpenPostgres(t, url)
	n := hallpasstest.NewNode(t, db, node.Options{MaxStaleness: time.Second})
	m.verify, m.admin = verify.New(db, n, verify.Options{}), admin.New(db, admin.Options{})
	err := m.admin.Begin(t.Context(), admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: password})
	if err != nil && !errors.Is(err, hallpass.Conflict) {
		t.Fatal(err)
	}
	ctx, freeze := context.WithCancel(context.Background())
	if err := n.Join(ctx); err != nil {
		t.Fatal(err)
	}
	var beating sync.WaitGroup
	beating.Go(func() {
		for ctx.Err() == nil {
			err := n.Heartbeat(ctx)
			if err != nil && ctx.Err() == nil && !errors.Is(err, hallpass.Unavailable) { // on a busy machine one may come too late
				t.Errorf("heartbeat: %v", err)
				return
			}
			time.Sleep(5 * time.Millisecond) // from one heartbeat to the next
		}
	})
	m.freeze = func() {
		freeze()
		beating.Wait()
	}
	t.Cleanup(m.freeze)
	return m
}

// version returns the version of the guard by which the node decides now; false when
// it does not decide, because its lease is over.
func (m member) version(t *testing.T) (v int64, decides bool) {
	rules, err := m.verify.Ruleset(context.Background(), "app")
	switch {
	case errors.Is(err, hallpass.Unavailable):
		return 0, false
	case errors.Is(err, hallpass.NotFound):
		return deleted, true
	case err != nil:
		t.Errorf("rules: %v", err)
		return 0, false
	}
	return rules.Guard.Version, true
}

// deleted is the version of a guard that is gone.
const deleted = 1 << 40

// TestRulesOnEveryNode changes a guard through each of three nodes while all of them
// decide by it, and deletes it at last. When a change was answered, no node decides by
// the rules of before.
func TestRulesOnEveryNode(t *testing.T) {
	url := hallpasstest.Postgres(t)
	all := []member{join(t, url), join(t, url), join(t, url)}
	boss, err := all[0].verify.Password(t.Context(), "admin", password, 0, home, "")
	if err != nil {
		t.Fatal(err)
	}
	g, err := all[0].admin.CreateGuard(t.Context(), boss, open("app", "/a"))
	if err != nil {
		t.Fatal(err)
	}
	var answered, asked atomic.Int64
	answered.Store(g.Version)
	var stop atomic.Bool
	var askers sync.WaitGroup
	for _, m := range all {
		askers.Go(func() {
			for !stop.Load() {
				least := answered.Load()
				if asked.Add(1)%1000 == 0 {
					time.Sleep(time.Millisecond) // changes and heartbeats need the processor too
				}
				if v, decides := m.version(t); decides && v < least {
					t.Errorf("version %d decides, and %d was answered", v, least)
					return
				}
			}
		})
	}
	for range 40 {
		if g, err = all[rand.IntN(3)].admin.UpdateGuard(t.Context(), boss, "app", g); err != nil { // #nosec G404 -- any node will do
			t.Error(err)
			break
		}
		answered.Store(g.Version)
		for i, m := range all {
			if v, decides := m.version(t); decides && v < g.Version {
				t.Errorf("node %d decides by version %d when %d was answered", i, v, g.Version)
			}
		}
	}
	if err := all[2].admin.DeleteGuard(t.Context(), boss, "app"); err != nil {
		t.Error(err)
	}
	answered.Store(deleted)
	for i, m := range all {
		if v, decides := m.version(t); decides && v != deleted {
			t.Errorf("node %d decides by version %d when the guard was deleted", i, v)
		}
	}
	stop.Store(true)
	askers.Wait()
	t.Logf("%d decisions", asked.Load())
}

// TestRulesOfFrozenNode freezes a node and then makes a rule stricter through another:
// when that is answered, the frozen node does not decide any more.
func TestRulesOfFrozenNode(t *testing.T) {
	url := hallpasstest.Postgres(t)
	one, frozen := join(t, url), join(t, url)
	boss, err := one.verify.Password(t.Context(), "admin", password, 0, home, "")
	if err != nil {
		t.Fatal(err)
	}
	g, err := one.admin.CreateGuard(t.Context(), boss, open("app", "/a"))
	if err != nil {
		t.Fatal(err)
	}
	hallpasstest.Eventually(t, "the node decides", func() bool { _, decides := frozen.version(t); return decides })
	frozen.freeze()
	began := time.Now()
	if _, err := one.admin.UpdateGuard(t.Context(), boss, "app", g); err != nil {
		t.Fatal(err)
	}
	if v, decides := frozen.version(t); decides {
		t.Errorf("the frozen node decides by version %d", v)
	}
	t.Logf("answered after %s", time.Since(began))
}
