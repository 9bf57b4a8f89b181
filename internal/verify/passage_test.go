package verify_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestPassage lets requests through and changes something: those whom it reaches are in
// doubt before the commit, whatever was decided meanwhile, and until somebody decides
// anew from what there is afterwards.
func TestPassage(t *testing.T) {
	w := newWorld(t, verify.Options{})
	id, text := w.token(w.account("ci"), "t", 0)
	_, other := w.token(w.account("cd"), "u", 0)
	pass := func(text string, anew func(*verify.Passage)) (*verify.Passage, hallpass.Caller) {
		t.Helper()
		begun := w.verify.Moment()
		c, err := w.verify.Bearer(t.Context(), text, 0, home)
		if err != nil {
			t.Fatal(err)
		}
		return w.verify.Pass(begun, c, 0, anew), c
	}
	asked := 0
	guarded := w.verify.Pass(w.verify.Moment(), hallpass.Caller{}, 7, func(*verify.Passage) {}) // the request of nobody
	defer guarded.Leave()
	p, c := pass(text, func(*verify.Passage) { asked++ })
	q, _ := pass(other, func(*verify.Passage) { t.Error("a token that nothing reaches is decided anew") })
	begun := w.verify.Moment()
	if !p.Clear() || !q.Clear() {
		t.Fatal("in doubt, and nothing has changed")
	}
	coming := false
	w.db.Subscribe(func(n store.ChangeEvent) {
		if n.Phase != store.Coming || coming {
			return
		}
		coming = true
		if p.Clear() {
			t.Error("before the commit more may pass")
		}
		if p.Confirm(w.verify.Moment(), c) || p.Clear() {
			t.Error("what was decided before the commit counts")
		}
		if late, _ := pass(text, func(*verify.Passage) {}); late.Clear() {
			t.Error("one that was let through before the commit is not in doubt")
		} else {
			late.Leave()
		}
	})
	if err := w.admin.DeleteToken(t.Context(), w.caller, c.ServiceAccount(), id); err != nil {
		t.Fatal(err)
	}
	if !coming || p.Clear() || !q.Clear() {
		t.Errorf("announced %v; the revoked one may pass more: %v, the other: %v", coming, p.Clear(), q.Clear())
	}
	if p.Confirm(begun, c) {
		t.Error("a decision from before the change counts")
	}
	if late := w.verify.Pass(begun, c, 0, func(*verify.Passage) {}); late.Clear() {
		t.Error("one that was let through before the change is not in doubt")
	} else {
		late.Leave()
	}
	select {
	case <-w.verify.Doubts():
	default:
		t.Error("nobody was woken")
	}
	w.verify.DecideAnew()
	if asked != 1 {
		t.Errorf("asked %d times, want 1", asked)
	}
	if !p.Confirm(w.verify.Moment(), c) || !p.Clear() {
		t.Error("a decision from after the change does not count")
	}
	for _, id := range []int64{6, 7} {
		if err := w.db.Write(t.Context(), func(tx *store.Tx) error { return tx.Change(hallpass.Change{Kind: hallpass.GuardChanged, ID: id}) }); err != nil {
			t.Fatal(err)
		}
		if guarded.Clear() != (id == 6) {
			t.Errorf("guard %d changed: what passes guard 7 may pass more is %v", id, guarded.Clear())
		}
	}
	p.Leave()
	q.Leave()
	w.db.AnnounceAll()
	w.verify.DecideAnew()
	if asked != 1 {
		t.Error("one that is over was decided anew")
	}
}

// TestPassageExpires has the credential expire, and the lease of a node end.
func TestPassageExpires(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, text := w.token(w.account("ci"), "t", 60)
	c, err := w.verify.Bearer(t.Context(), text, 0, home)
	if err != nil {
		t.Fatal(err)
	}
	p := w.verify.Pass(w.verify.Moment(), c, 0, func(*verify.Passage) {})
	defer p.Leave()
	w.wind(59 * time.Second)
	if !p.Clear() {
		t.Error("in doubt before its time")
	}
	w.wind(time.Second)
	if p.Clear() {
		t.Error("more may pass after its time")
	}
}
