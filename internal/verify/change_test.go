package verify_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestChangesForEverybody revokes tokens and tells of it by every change that
// reaches everybody: one of a kind that this version does not know too.
// The token in memory is refused then, and who listened by it hears no more.
func TestChangesForEverybody(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	for _, tt := range []struct {
		name   string
		change hallpass.Change
	}{
		{"of a newer version", hallpass.Change{Kind: "of a newer version", ID: 3}},
		{"by hand", hallpass.Change{Kind: hallpass.ChangedByHand}},
		{"permissions everywhere", hallpass.Change{Kind: hallpass.PermissionsChanged}},
		{"announced, and not written", hallpass.Change{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, text := w.token(a, tt.name, 0)
			c, err := w.verify.Bearer(t.Context(), text, 0, home)
			if err != nil {
				t.Fatal(err)
			}
			l := w.verify.Listen()
			defer l.Leave()
			if err := l.Admit(c, nil); err != nil {
				t.Fatal(err)
			}
			before := w.verify.Listen()
			defer before.Leave()
			err = w.db.Write(t.Context(), func(tx *store.Tx) error { // no change, so nobody is told
				return tx.RevokeToken(c.Org, id, w.clock())
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := w.refused(text, 0); got != "" {
				t.Fatalf("it is not in memory: %s", got)
			}
			if tt.change.Kind == "" {
				w.db.AnnounceAll()
			} else if err := w.db.Write(t.Context(), func(tx *store.Tx) error { return tx.Change(tt.change) }); err != nil {
				t.Fatal(err)
			}
			if got := w.refused(text, 0); got != "api-key.revoked" {
				t.Errorf("afterwards: %q", got)
			}
			if err := l.Tell(func() error { return nil }); err == nil {
				t.Error("the listener is told more")
			}
			if err := before.Admit(c, nil); err == nil {
				t.Error("who listened from before the change is admitted")
			}
		})
	}
}
