package admin_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// TestTokensAreNotProbed has a Viewer delete tokens: that is denied and
// recorded, and no answer tells which numbers exist.
func TestTokensAreNotProbed(t *testing.T) {
	w := newWorld(t, admin.Options{})
	viewer, target := w.machine("viewer", hallpass.RoleViewer), w.machine("target", hallpass.RoleViewer)
	for i, id := range []hallpass.TokenID{target.Token, 9999} {
		var e *hallpass.Error
		if err := w.DeleteToken(t.Context(), viewer, target.ServiceAccount(), id); !errors.As(err, &e) || e.Needs != string(hallpass.ServiceAccountsWrite) {
			t.Errorf("token %d: %v, want it denied by name", id, err)
		}
		page, err := w.Audit(t.Context(), w.human("admin"), hallpass.AuditFilter{Action: string(hallpass.ServiceAccountsWrite), Outcome: hallpass.Refused, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var n int64
		for _, e := range page.Entries {
			n += e.Count
		}
		if n != int64(i)+1 {
			t.Errorf("after %d refusals the record counts %d", i+1, n)
		}
	}
	if _, err := w.Token(t.Context(), w.human("admin"), target.ServiceAccount(), target.Token); err != nil {
		t.Errorf("the token: %v", err)
	}
	if err := w.DeleteToken(t.Context(), w.human("admin"), target.ServiceAccount(), 9999); !errors.Is(err, hallpass.NotFound) {
		t.Errorf("a missing token: %v, want not found", err)
	}
	if err := w.DeleteToken(t.Context(), w.human("admin"), viewer.ServiceAccount(), target.Token); !errors.Is(err, hallpass.NotFound) {
		t.Errorf("a token under the wrong account: %v, want not found", err)
	}
}

// TestTokenCeiling mints for an account that is above the caller.
func TestTokenCeiling(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.machine("boss", hallpass.RoleAdmin)
	editor := hallpass.RoleEditor
	target := w.machine("target", hallpass.RoleAdmin)
	if _, err := w.CreateToken(ctx, boss, target.ServiceAccount(), admin.NewToken{Name: "by an equal"}); err != nil {
		t.Errorf("an equal: %v", err)
	}
	if _, err := w.UpdateServiceAccount(ctx, w.human("admin"), boss.ServiceAccount(), hallpass.ServiceAccountPatch{Role: &editor}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateToken(ctx, boss, target.ServiceAccount(), admin.NewToken{Name: "by a lesser"}); !errors.Is(err, hallpass.Denied) {
		t.Errorf("one lowered since: %v, want it denied", err)
	}
	tokens, _, err := w.Tokens(ctx, w.human("admin"), target.ServiceAccount())
	if err != nil || len(tokens) != 2 {
		t.Errorf("the target has %d tokens, %v; want 2", len(tokens), err)
	}
}

// TestTokenPolicy binds every lifetime.
func TestTokenPolicy(t *testing.T) {
	w := newWorld(t, admin.Options{TokenPolicy: hallpass.TokenPolicy{MaxSeconds: 3600}})
	boss := w.human("admin")
	a, err := w.CreateServiceAccount(t.Context(), boss, admin.NewServiceAccount{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	for seconds, want := range map[int64]error{0: hallpass.Invalid, -1: hallpass.Invalid, 3601: hallpass.Invalid, 3600: nil} {
		if _, err := w.CreateToken(t.Context(), boss, a.ID, admin.NewToken{Name: fmt.Sprint("t", seconds), Seconds: seconds}); !errors.Is(err, want) {
			t.Errorf("%d seconds: %v, want %v", seconds, err, want)
		}
	}
}

// TestParallelTokens makes one name fifty times at once.
func TestParallelTokens(t *testing.T) {
	w := newWorld(t, admin.Options{})
	boss := w.human("admin")
	a, err := w.CreateServiceAccount(t.Context(), boss, admin.NewServiceAccount{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	var made atomic.Int64
	var makers sync.WaitGroup
	for range 50 {
		makers.Go(func() {
			switch _, err := w.CreateToken(t.Context(), boss, a.ID, admin.NewToken{Name: "t"}); {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, hallpass.Conflict):
				t.Error(err)
			}
		})
	}
	makers.Wait()
	if made.Load() != 1 {
		t.Errorf("%d were made, want 1", made.Load())
	}
}
