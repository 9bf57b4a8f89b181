package verify_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestOnlyTheFirstRefusalWakes refuses one token again and again: the first is
// to be written at once, its repeats wait for the next flush.
func TestOnlyTheFirstRefusalWakes(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	clock := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	n := hallpasstest.NewNode(t, db, node.Options{Now: clock})
	a, v := admin.New(db, admin.Options{Now: clock}), verify.New(db, n, verify.Options{})
	if err := a.Begin(t.Context(), admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: password}); err != nil {
		t.Fatal(err)
	}
	keepLease(t, n)
	boss, text := firstToken(t, a, v, 0)
	woken := func() (n int) {
		for {
			select {
			case <-v.Wake():
				n++
			default:
				return n
			}
		}
	}
	woken()
	for i, want := range []int{1, 0, 0} {
		if _, err := v.Bearer(t.Context(), text, 2, home); !errors.Is(err, hallpass.Unauthenticated) {
			t.Fatalf("another org: %v", err)
		}
		if got := woken(); got != want {
			t.Errorf("refusal %d woke %d times, want %d", i, got, want)
		}
	}
	if err := v.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err := a.Audit(t.Context(), boss, hallpass.AuditFilter{Action: "token.verify", Limit: 10})
	if err != nil || len(page.Entries) != 1 || page.Entries[0].Count != 3 {
		t.Errorf("entries %+v, %v; want one that counts 3", page.Entries, err)
	}
}
