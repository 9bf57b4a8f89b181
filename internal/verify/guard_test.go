package verify_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// open is a guard with one rule, which lets everybody read the path.
func open(name, path string) hallpass.Guard {
	return hallpass.Guard{Name: name, Rules: []hallpass.GuardRule{{Methods: []string{"GET"}, Path: path, Need: hallpass.Need{Kind: hallpass.NeedNothing}}}}
}

// lets says what the guard says about a GET of the path: "" if it lets it through.
func (w *world) lets(name, path string) string {
	w.t.Helper()
	rules, err := w.verify.Ruleset(w.t.Context(), name)
	var e *hallpass.Error
	if errors.As(err, &e) {
		return e.ID
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if j := rules.Judge(hallpass.GuardRequest{Method: "GET", Target: path}); j.Err != nil {
		return j.Err.ID
	}
	return ""
}

// TestRuleset makes, changes and deletes guards: each answer about a change is true of
// the next look at the rules.
func TestRuleset(t *testing.T) {
	w := newWorld(t, verify.Options{})
	if got := w.lets("app", "/a"); got != "guard.unknown" {
		t.Errorf("before there is one: %q", got)
	}
	g, err := w.admin.CreateGuard(t.Context(), w.caller, open("app", "/a"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.admin.CreateGuard(t.Context(), w.caller, open("other", "/a"))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.lets("app", "/a") + w.lets("other", "/a"); got != "" {
		t.Errorf("made: %q", got)
	}
	kept, err := w.verify.Ruleset(t.Context(), other.Name)
	if err != nil {
		t.Fatal(err)
	}
	g.Rules = open("app", "/b").Rules
	if g, err = w.admin.UpdateGuard(t.Context(), w.caller, "app", g); err != nil || g.Version != 2 {
		t.Fatalf("%+v, %v", g, err)
	}
	if a, b := w.lets("app", "/a"), w.lets("app", "/b"); a != "guard.no-rule" || b != "" {
		t.Errorf("changed: %q and %q", a, b)
	}
	if again, err := w.verify.Ruleset(t.Context(), other.Name); err != nil || again != kept {
		t.Errorf("the other is compiled anew: %v", err)
	}
	if err := w.admin.DeleteGuard(t.Context(), w.caller, "app"); err != nil {
		t.Fatal(err)
	}
	if got := w.lets("app", "/b"); got != "guard.unknown" {
		t.Errorf("deleted: %q", got)
	}
	n := testing.AllocsPerRun(200, func() {
		if _, err := w.verify.Ruleset(context.Background(), "other"); err != nil {
			t.Error(err)
		}
	})
	if n > 0 {
		t.Errorf("a look at rules in memory allocates %v times", n)
	}
}

// TestRulesetOfBrokenGuard has guards in the database that do not compile, or are
// suspended: each refuses, is told of once, and the others go on. Saved again, it
// decides again.
func TestRulesetOfBrokenGuard(t *testing.T) {
	var told []string
	w := newWorld(t, verify.Options{OnBrokenGuard: func(g hallpass.Guard, _ error) { told = append(told, g.Name) }})
	good, err := w.admin.CreateGuard(t.Context(), w.caller, open("good", "/a"))
	if err != nil {
		t.Fatal(err)
	}
	bad, suspended := open("bad", "no path"), open("suspended", "/a")
	suspended.Suspended = hallpass.SuspendedOlder
	for _, g := range []*hallpass.Guard{&bad, &suspended} {
		g.Org, g.ManagedBy, g.Version = good.Org, hallpass.ManagedByAPI, 1
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			id, err := tx.NextGuard()
			if err != nil {
				return err
			}
			if err := tx.Change(hallpass.Change{Kind: hallpass.GuardChanged, ID: int64(id)}); err != nil {
				return err
			}
			*g, err = tx.CreateGuard(*g)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		for name, want := range map[string]string{"good": "", "bad": "guard.suspended", "suspended": "guard.suspended"} {
			if got := w.lets(name, "/a"); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	_, err = w.verify.Ruleset(t.Context(), "suspended")
	if !errors.Is(err, hallpass.Denied) || !strings.Contains(err.Error(), "save it again") {
		t.Errorf("%v, want what to do", err)
	}
	suspended.Suspended = ""
	if _, err := w.admin.UpdateGuard(t.Context(), w.caller, "suspended", suspended); err != nil {
		t.Fatal(err)
	}
	if got := w.lets("suspended", "/a"); got != "" {
		t.Errorf("saved again: %q", got)
	}
	if got := strings.Join(told, " "); got != "bad suspended" {
		t.Errorf("told of %q", got)
	}
}

// TestRulesetWithoutLease asks a node that may not answer.
func TestRulesetWithoutLease(t *testing.T) {
	w := newWorld(t, verify.Options{})
	if _, err := w.admin.CreateGuard(t.Context(), w.caller, open("app", "/a")); err != nil {
		t.Fatal(err)
	}
	if got := w.lets("app", "/a"); got != "" {
		t.Fatal(got)
	}
	if !w.node.Shared() {
		t.Skip("alone a node may always answer; the run on PostgreSQL asks one that may not")
	}
	var over time.Duration // by the boot clock
	stale := newWorldOf(t, node.Options{MaxStaleness: time.Second, Boot: func() time.Duration { return store.BootClock() + over }}, verify.Options{})
	over = time.Hour
	if got := stale.lets("app", "/a"); got != "auth.view-too-old" {
		t.Errorf("%q", got)
	}
}

// TestRulesetUnderChanges asks for rules all the time while they change: what is asked
// after a change was answered is never of before.
func TestRulesetUnderChanges(t *testing.T) {
	w := newWorld(t, verify.Options{})
	g, err := w.admin.CreateGuard(t.Context(), w.caller, open("app", "/a"))
	if err != nil {
		t.Fatal(err)
	}
	var answered atomic.Int64 // the version of the last change that was
	var done atomic.Bool
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for n := 1; !done.Load(); n++ {
				if n%1000 == 0 {
					time.Sleep(time.Millisecond) // changes and heartbeats need the processor too
				}
				least := answered.Load()
				rules, err := w.verify.Ruleset(context.Background(), "app")
				if err != nil {
					t.Errorf("rules: %v", err)
					return
				}
				if got := rules.Guard.Version; got < least {
					t.Errorf("version %d after %d was answered", got, least)
					return
				}
			}
		})
	}
	for range 30 {
		if g, err = w.admin.UpdateGuard(t.Context(), w.caller, "app", g); err != nil {
			t.Error(err)
			break
		}
		answered.Store(g.Version)
	}
	done.Store(true)
	askers.Wait()
}

// TestRulesetWhileOthersAreRevoked reads rules while a token is being revoked: that is no
// change of rules, and they are remembered. While a guard changes, they are not.
func TestRulesetWhileOthersAreRevoked(t *testing.T) {
	w := newWorld(t, verify.Options{})
	if _, err := w.admin.CreateGuard(t.Context(), w.caller, open("app", "/a")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kind hallpass.ChangeKind
		kept bool
	}{
		{hallpass.TokenChanged, true}, {hallpass.ServiceAccountChanged, true}, {hallpass.UserChanged, true}, {hallpass.SessionChanged, true},
		{hallpass.GuardChanged, false}, {hallpass.OrgChanged, false}, {hallpass.ChangedByHand, false}, {"of a newer version", false}, {"", false},
	} {
		w.db.Announce([]hallpass.Change{{Kind: hallpass.GuardChanged, ID: 1}}) // nothing is remembered
		change := []hallpass.Change{{Kind: tt.kind, ID: 7}}
		w.verify.Changed(store.ChangeEvent{Phase: store.Coming, Changes: change})
		if got := w.lets("app", "/a"); got != "" {
			t.Fatal(got)
		}
		if kept := w.verify.RulesInMemory(); kept != tt.kept {
			t.Errorf("while %q is under way, rules are remembered: %v, want %v", tt.kind, kept, tt.kept)
		}
		w.verify.Changed(store.ChangeEvent{Phase: store.Settled, Changes: change})
		if got := w.lets("app", "/a"); got != "" || !w.verify.RulesInMemory() {
			t.Errorf("after %q: %q, and rules are not remembered", tt.kind, got)
		}
	}
}
