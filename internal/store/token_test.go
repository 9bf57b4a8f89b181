package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// whole is a token that uses whatever a token can have.
func whole(owner hallpass.ServiceAccount) hallpass.Token {
	viewer := hallpass.RoleViewer
	return hallpass.Token{
		Org: owner.Org, ServiceAccount: owner.ID, Name: "Whole", Hash: [32]byte{1}, LastFour: "a1b2", CreatedAt: noon, CreatedBy: "ada",
		ExpiresAt: noon.Add(time.Hour), Owner: "platform@example.org", Purpose: "syncs dashboards", SelfRotate: true, RenewUntil: noon.Add(48 * time.Hour),
		Pause: hallpass.Pause{Since: noon, Until: noon.Add(time.Minute), Reason: "what breaks?"},
		Limits: hallpass.TokenLimits{
			ReadOnly: true, MaxRole: &viewer,
			Permissions: []hallpass.Permission{{Action: "dashboards:read", Scope: "dashboards:*"}, {Action: "loki:read"}},
			Networks:    []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
			Rate:        hallpass.RateLimit{Requests: 100, Every: time.Minute, Burst: 20},
		},
		Rotation: hallpass.Rotation{
			Chain: 7, Generation: 3, Predecessor: 8, Successor: 9, SuccessorEnd: time.UnixMicro(1).UTC(), At: noon, CloseAt: noon.Add(time.Hour), Quiet: 10 * time.Minute, Key: [32]byte{0xab, 31: 1}, ReissuedAt: noon.Add(time.Minute),
		},
	}
}

var sameAddresses = cmpopts.EquateComparable(netip.Prefix{})

// TestTokenIsKept stores tokens and changes them: what is read is what was written, by
// a list and by a verification.
func TestTokenIsKept(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		owner := newAccount(t, db, newOrg(t, db, "one").ID, "ci")
		plain := hallpass.Token{Org: owner.Org, ServiceAccount: owner.ID, Name: "plain", Hash: [32]byte{2}, CreatedAt: noon, CreatedBy: "ada", Rotation: hallpass.Rotation{Generation: 1}}
		nothing := plain
		nothing.Name, nothing.Hash, nothing.Limits.Permissions = "nothing", [32]byte{3}, []hallpass.Permission{}
		for _, want := range []hallpass.Token{whole(owner), plain, nothing} {
			write(t, db, func(tx *store.Tx) (err error) {
				want, err = tx.CreateToken(want)
				return err
			})
			hasToken(t, db, want)
			want.Purpose, want.LastFour, want.Hash[31] = "another", "zzzz", 9
			want.Limits.ReadOnly, want.Pause = !want.Limits.ReadOnly, hallpass.Pause{Since: noon}
			want.ExpiresAt, want.RevokedAt, want.Ended = noon, noon, hallpass.EndedRotated
			write(t, db, func(tx *store.Tx) error { return tx.UpdateToken(want) })
			hasToken(t, db, want)
		}
		gone := plain
		gone.ID = 999
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.UpdateToken(gone) }); !errors.Is(err, hallpass.NotFound) {
			t.Errorf("a token that is not there was changed: %v", err)
		}
	})
}

// TestTokenEndsWithinTime stores ends that cannot be told, and reads numbers that another
// program stored: each is read as a time that the wire has, and none as never.
func TestTokenEndsWithinTime(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		owner := newAccount(t, db, newOrg(t, db, "one").ID, "ci")
		token := hallpass.Token{Org: owner.Org, ServiceAccount: owner.ID, Name: "t", Hash: [32]byte{2}, CreatedAt: noon, CreatedBy: "ada"}
		write(t, db, func(tx *store.Tx) (err error) {
			token, err = tx.CreateToken(token)
			return err
		})
		ends := func(write func(tx *store.Tx) error) {
			t.Helper()
			var got hallpass.Token
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				err := write(tx)
				if err == nil {
					got, err = tx.Token(token.Org, token.ServiceAccount, token.ID)
				}
				return err
			})
			if _, told := json.Marshal(got.ExpiresAt); err != nil || told != nil || got.ExpiresAt.IsZero() {
				t.Errorf("it ends at %v: %v, %v", got.ExpiresAt, err, told)
			}
		}
		for _, us := range []int64{math.MinInt64, -62_135_596_800_000_000, -1, 1, 253_402_300_800_000_000, math.MaxInt64} {
			ends(func(tx *store.Tx) error { return tx.SetTokenEnd(token.ID, us) })
		}
		for _, at := range []time.Time{time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -14*3600)), time.Unix(0, 0), time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC)} {
			ends(func(tx *store.Tx) error {
				token.ExpiresAt = at
				return tx.UpdateToken(token)
			})
		}
	})
}

// hasToken checks that the database has the token as it is.
func hasToken(t *testing.T, db *store.DB, want hallpass.Token) {
	t.Helper()
	read(t, db, func(tx *store.Tx) error {
		got, err := tx.Token(want.Org, want.ServiceAccount, want.ID)
		if d := cmp.Diff(got, want, sameAddresses); err != nil || d != "" {
			t.Errorf("%s: %v, want:\n%s", want.Name, err, d)
		}
		return nil
	})
	got, _, err := db.LookUp(t.Context(), want.Hash)
	asked := hallpass.Token{
		ID: want.ID, Org: want.Org, ServiceAccount: want.ServiceAccount, Hash: want.Hash, CreatedAt: want.CreatedAt, ExpiresAt: want.ExpiresAt, RevokedAt: want.RevokedAt,
		Ended: want.Ended, Pause: want.Pause, Limits: want.Limits,
		Rotation: hallpass.Rotation{Chain: want.Rotation.Chain, Predecessor: want.Rotation.Predecessor, Successor: want.Rotation.Successor, CloseAt: want.Rotation.CloseAt},
	}
	if d := cmp.Diff(got, asked, sameAddresses); err != nil || d != "" {
		t.Errorf("%s, as a verification reads it: %v, want:\n%s", want.Name, err, d)
	}
}

// TestNameOfReplacedToken makes a token, its successor, and others of their name: a
// token that is being replaced has given its name up, one that is not has not.
func TestNameOfReplacedToken(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		owner := newAccount(t, db, newOrg(t, db, "one").ID, "ci")
		old := hallpass.Token{Org: owner.Org, ServiceAccount: owner.ID, Name: "deploy", Hash: [32]byte{1}, CreatedAt: noon}
		next := old
		next.Hash = [32]byte{2}
		write(t, db, func(tx *store.Tx) (err error) {
			old, err = tx.CreateToken(old)
			return err
		})
		if err := db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.CreateToken(next); return err }); !errors.Is(err, hallpass.Conflict) {
			t.Errorf("a live token's name was given to another: %v", err)
		}
		write(t, db, func(tx *store.Tx) (err error) {
			next.Rotation.Predecessor = old.ID
			if next, err = tx.CreateToken(next); err != nil {
				return err
			}
			old.Rotation.Successor = next.ID
			return tx.UpdateToken(old)
		})
		third := hallpass.Token{Org: owner.Org, ServiceAccount: owner.ID, Name: "deploy", Hash: [32]byte{3}, CreatedAt: noon}
		if err := db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.CreateToken(third); return err }); !errors.Is(err, hallpass.Conflict) {
			t.Errorf("the name of both was given to another: %v", err)
		}
		old.Rotation.Successor = 0
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.UpdateToken(old) }); !errors.Is(err, hallpass.Conflict) {
			t.Errorf("it took its name back while the other has it: %v", err)
		}
	})
}

// TestStateInTheDatabase compares the state by which lists are filtered with that of
// Token.State, for tokens of every kind that are made from their parts.
func TestStateInTheDatabase(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		owner := newAccount(t, db, newOrg(t, db, "one").ID, "ci")
		var made []hallpass.Token
		write(t, db, func(tx *store.Tx) error {
			for i := range 3 * 3 * 4 * 4 * 3 {
				var err error
				made = append(made, hallpass.Token{})
				if made[i], err = tx.CreateToken(fromParts(owner, i)); err != nil {
					return err
				}
				if err := tx.UpdateToken(made[i]); err != nil {
					return err
				}
			}
			return nil
		})
		seen := make(map[hallpass.TokenState]int)
		for _, disabled := range []bool{false, true} {
			owner.Disabled = disabled
			for _, state := range hallpass.TokenStates() {
				var want []hallpass.TokenID
				for _, k := range made {
					if k.State(noon, disabled) == state {
						want = append(want, k.ID)
					}
				}
				seen[state] += len(want)
				read(t, db, func(tx *store.Tx) error {
					list, total, err := tx.TokenPage(owner, state, false, noon, 1000, 0)
					var got []hallpass.TokenID
					for _, k := range list {
						got = append(got, k.ID)
						if is := k.State(noon, disabled); is != state {
							t.Errorf("token %d was found as %s and read as %s", k.ID, state, is)
						}
					}
					if err != nil || total != len(want) || !cmp.Equal(got, want, cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b hallpass.TokenID) bool { return a < b })) {
						t.Errorf("%s, account disabled %v: %d tokens %v, %v; want %v", state, disabled, total, got, err, want)
					}
					return nil
				})
			}
		}
		for _, state := range hallpass.TokenStates() {
			if seen[state] == 0 {
				t.Errorf("no token was %s", state)
			}
		}
	})
}

// fromParts returns the i-th of all combinations of what a state is made from.
func fromParts(owner hallpass.ServiceAccount, i int) hallpass.Token {
	k := hallpass.Token{Org: owner.Org, ServiceAccount: owner.ID, Name: fmt.Sprintf("%03d", i), Hash: [32]byte{byte(i), byte(i >> 8), 7}, CreatedAt: noon.Add(-time.Hour)}
	pick := func(n int) int { p := i % n; i /= n; return p }
	switch pick(3) {
	case 1:
		k.RevokedAt, k.Ended = noon, hallpass.EndedRotated
	case 2:
		k.RevokedAt = noon
	}
	k.ExpiresAt = []time.Time{{}, noon, noon.Add(time.Hour)}[pick(3)]
	k.Pause = []hallpass.Pause{{}, {Since: noon}, {Since: noon, Until: noon}, {Since: noon, Until: noon.Add(time.Minute)}}[pick(4)]
	next := pick(4) // none, the first of all combinations, which is live, one that has ended, and one that is gone
	k.Rotation.Successor = []hallpass.TokenID{0, 1, 5, 9999}[next]
	k.Rotation.SuccessorEnd = []time.Time{{}, {}, noon, time.UnixMicro(1)}[next]
	k.Rotation.CloseAt = []time.Time{{}, noon, noon.Add(time.Minute)}[pick(3)]
	return k
}
