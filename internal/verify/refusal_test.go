package verify_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
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

// TestWithoutLease asks a node that holds no lease: it says of no token whether it
// is good, and of what is no token that it is not.
func TestWithoutLease(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	n := hallpasstest.NewNode(t, db, node.Options{})
	if !n.Shared() {
		t.Skip("only PostgreSQL is shared by nodes")
	}
	v := verify.New(db, n, verify.Options{})
	text := secret.NewToken().Reveal()
	for _, tt := range []struct {
		text string
		want hallpass.Kind
	}{
		{text, hallpass.Unavailable},
		{text + "x", hallpass.Unauthenticated},
		{text[:len(text)-1] + "g", hallpass.Unauthenticated},                   // no digit of a checksum
		{strings.Replace(text, "glsa_", "glsa-", 1), hallpass.Unauthenticated}, // another prefix
		{"", hallpass.Unauthenticated},
	} {
		if _, err := v.Bearer(t.Context(), tt.text, 0, home); !errors.Is(err, tt.want) {
			t.Errorf("%v, want %v", err, tt.want)
		}
	}
}
