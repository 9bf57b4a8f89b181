package admin_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// errID returns the ID of the error.
func errID(err error) string {
	var e *hallpass.Error
	if errors.As(err, &e) {
		return e.ID
	}
	return ""
}

// rotations is a world with an account and its token, and a clock that is set by hand.
type rotations struct {
	*world
	*hallpasstest.Clock
	boss    hallpass.Caller
	account hallpass.ServiceAccountID
	old     admin.Issued
}

func newRotations(t *testing.T, in admin.NewToken) *rotations {
	t.Helper()
	clock := &hallpasstest.Clock{}
	for clock.Now().Year() < 2026 { // one Duration does not reach from the year 1 to ours
		clock.Wind(100 * 365 * day)
	}
	w := &rotations{world: newWorld(t, admin.Options{Now: clock.Now}), Clock: clock}
	w.boss, w.account = w.human("admin"), w.machine("ci", hallpass.RoleViewer).ServiceAccount()
	in.Name = "deploy"
	old, err := w.CreateToken(t.Context(), w.boss, w.account, in)
	if err != nil {
		t.Fatal(err)
	}
	w.old = old
	return w
}

func (w *rotations) rotate(in admin.Rotate) (admin.Rotated, error) {
	return w.RotateToken(w.t.Context(), w.boss, w.account, w.old.Token.ID, in)
}

// use records a use of the token now.
func (w *rotations) use(id hallpass.TokenID) { w.useAt(id, w.Clock.Now()) }

func (w *rotations) useAt(id hallpass.TokenID, at time.Time) {
	w.t.Helper()
	if err := w.db.SaveUses(w.t.Context(), []store.TokenUse{{Token: id, Use: hallpass.Use{At: at, Address: "10.0.0.9"}}}); err != nil {
		w.t.Fatal(err)
	}
}

// state closes what is due and returns the state of the token.
func (w *rotations) state(id hallpass.TokenID) hallpass.TokenState {
	w.t.Helper()
	if err := w.CloseRotations(context.WithoutCancel(w.t.Context()), func([]hallpass.Token) {}); err != nil {
		w.t.Fatal(err)
	}
	return w.get(id).State(w.Clock.Now(), false)
}

func (w *rotations) get(id hallpass.TokenID) hallpass.Token {
	w.t.Helper()
	tok, err := w.Token(w.t.Context(), w.boss, w.account, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return tok
}

// TestRotationCloses replaces a token and waits until nobody needs the old one.
func TestRotationCloses(t *testing.T) {
	w := newRotations(t, admin.NewToken{Seconds: 90 * 24 * 3600, Owner: "platform", Limits: hallpass.TokenLimits{ReadOnly: true}})
	w.Wind(24 * time.Hour)
	quiet := 15 * time.Second
	r, err := w.rotate(admin.Rotate{Quiet: &quiet, Reason: "quarterly"})
	if err != nil {
		t.Fatal(err)
	}
	next := r.Token
	if next.Name != "deploy" || next.Owner != "platform" || !next.Limits.ReadOnly || next.Rotation.Generation != 2 || next.Lifetime() != 90*day || next.Hash == w.old.Token.Hash {
		t.Errorf("the new token is %+v", next)
	}
	old := w.old.Token.ID
	for _, step := range []struct {
		what string
		do   func()
		want hallpass.TokenState
	}{
		{"nobody used the new one", func() { w.Wind(time.Hour) }, hallpass.TokenOverlapping},
		{"the new one was used, and the old one a moment ago", func() { w.use(old); w.use(next.ID); w.Wind(quiet - time.Second) }, hallpass.TokenOverlapping},
		{"the old one was used again", func() { w.use(old); w.Wind(quiet - time.Second) }, hallpass.TokenOverlapping},
		{"the old one is quiet", func() { w.Wind(time.Second) }, hallpass.TokenRotated},
	} {
		step.do()
		if got := w.state(old); got != step.want {
			t.Errorf("%s: the old token is %s, want %s", step.what, got, step.want)
		}
	}
	if got := w.get(next.ID).State(w.Clock.Now(), false); got != hallpass.TokenLive {
		t.Errorf("the new token is %s", got)
	}
	if n := w.audit("token.retire", hallpass.Done); n != 1 {
		t.Errorf("%d entries of its end, want 1", n)
	}
}

// TestRotationEnds has a replaced token end in the other ways: at its deadline without
// any job, at once, at the first use of the new one, and by hand.
func TestRotationEnds(t *testing.T) {
	zero, hour := time.Duration(0), time.Hour
	for name, tt := range map[string]struct {
		in   admin.Rotate
		do   func(w *rotations, r admin.Rotated)
		want hallpass.TokenState
	}{
		"deadline": {admin.Rotate{Grace: &hour}, func(w *rotations, _ admin.Rotated) { w.Wind(hour) }, hallpass.TokenRotated},
		"before":   {admin.Rotate{Grace: &hour}, func(w *rotations, _ admin.Rotated) { w.Wind(hour - time.Second) }, hallpass.TokenOverlapping},
		"no grace": {admin.Rotate{Grace: &zero}, func(*rotations, admin.Rotated) {}, hallpass.TokenRotated},
		"unused":   {admin.Rotate{Quiet: &zero}, func(*rotations, admin.Rotated) {}, hallpass.TokenOverlapping},
		"retired": {admin.Rotate{}, func(w *rotations, _ admin.Rotated) {
			if err := w.RetireToken(w.t.Context(), w.boss, w.account, w.old.Token.ID); err != nil {
				w.t.Error(err)
			}
		}, hallpass.TokenRotated},
		"longer": {admin.Rotate{Grace: &hour}, func(w *rotations, _ admin.Rotated) {
			if _, err := w.ExtendRotation(w.t.Context(), w.boss, w.account, w.old.Token.ID, 2*time.Hour); err != nil {
				w.t.Error(err)
			}
			w.Wind(hour)
		}, hallpass.TokenOverlapping},
		"the new one deleted": {admin.Rotate{Grace: &hour}, func(w *rotations, r admin.Rotated) {
			if err := w.DeleteToken(w.t.Context(), w.boss, w.account, r.Token.ID); err != nil {
				w.t.Error(err)
			}
			w.Wind(hour)
		}, hallpass.TokenLive},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRotations(t, admin.NewToken{})
			r, err := w.rotate(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			tt.do(w, r)
			if got := w.get(w.old.Token.ID).State(w.Clock.Now(), false); got != tt.want {
				t.Errorf("the old token is %s, want %s", got, tt.want)
			}
		})
	}
	w := newRotations(t, admin.NewToken{})
	r, err := w.rotate(admin.Rotate{Quiet: &zero})
	if err != nil {
		t.Fatal(err)
	}
	w.useAt(w.old.Token.ID, w.Clock.Now().Add(time.Second)) // another node's clock is ahead, or a program uses it at this very moment
	w.use(r.Token.ID)
	if got := w.state(w.old.Token.ID); got != hallpass.TokenRotated {
		t.Errorf("after the first use of the new one the old one, which is in use, is %s", got)
	}
}

// TestUndoRotation takes a rotation back, and finds the old token as it was.
func TestUndoRotation(t *testing.T) {
	w := newRotations(t, admin.NewToken{Seconds: 3600})
	before := w.get(w.old.Token.ID)
	r, err := w.rotate(admin.Rotate{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "token.not-overlapping"} {
		if _, err := w.UndoRotation(t.Context(), w.boss, w.account, r.Token.ID); errID(err) != want {
			t.Errorf("time %d: %v, want %q", i, err, want)
		}
	}
	if d := cmp.Diff(w.get(before.ID), before); d != "" {
		t.Errorf("the old token differs:\n%s", d)
	}
	if got := w.get(r.Token.ID).State(w.Clock.Now(), false); got != hallpass.TokenRevoked {
		t.Errorf("the new token is %s", got)
	}
	if _, err := w.CreateToken(t.Context(), w.boss, w.account, admin.NewToken{Name: "deploy"}); !errors.Is(err, hallpass.Conflict) {
		t.Errorf("the name of the old token was given away: %v", err)
	}
}

// TestLostAnswer repeats requests whose answers were lost, of a rotation and of a
// creation: the table of what is answered.
func TestLostAnswer(t *testing.T) {
	w := newRotations(t, admin.NewToken{})
	made := func(key, reason string) (admin.Issued, error) {
		r, err := w.rotate(admin.Rotate{Key: key, Reason: reason})
		return r.Issued, err
	}
	created := func(key, purpose string) (admin.Issued, error) {
		return w.CreateToken(t.Context(), w.boss, w.account, admin.NewToken{Name: "another", Key: key, Purpose: purpose})
	}
	for name, tt := range map[string]struct {
		ask   func(key, body string) (admin.Issued, error)
		other string // the error with another key
	}{"rotate": {made, "token.already-rotated"}, "create": {created, "serviceaccounts.ErrTokenAlreadyExists"}} {
		first, err := tt.ask("k", "a")
		if err != nil || first.Replayed {
			t.Fatalf("%s: %+v, %v", name, first, err)
		}
		fails := func(key, body, want string) {
			t.Helper()
			if _, err := tt.ask(key, body); errID(err) != want {
				t.Errorf("%s with key %q, body %q: %v, want %s", name, key, body, err, want)
			}
		}
		fails("k", "a", "token.rotation-in-flight")
		w.Wind(2 * time.Second)
		fails("k", "b", "token.rotation-key-reused")
		fails("other", "a", tt.other)
		fails("", "a", tt.other)
		fails("not a key", "a", hallpass.MalformedID)
		again, err := tt.ask("k", "a")
		if err != nil || !again.Replayed || again.Token.ID != first.Token.ID || again.Token.Hash == first.Token.Hash || again.Token.Hash != again.Secret.Hash() {
			t.Errorf("%s, repeated: %+v, %v", name, again, err)
		}
		if now := w.get(first.Token.ID); now.Hash != again.Secret.Hash() || !now.ExpiresAt.Equal(first.Token.ExpiresAt) {
			t.Errorf("%s: the token is %+v", name, now)
		}
		fails("k", "a", "token.rotation-in-flight") // the answer with that secret may be on its way
		w.use(first.Token.ID)
		fails("k", "a", "token.rotation-used")
		w.Wind(10 * time.Minute)
		fails("k", "a", tt.other)
	}
}

// TestNotRotatable tries to replace tokens that were ended or are paused, and one that
// has expired, which may be.
func TestNotRotatable(t *testing.T) {
	w := newRotations(t, admin.NewToken{Seconds: 3600})
	yes, no := true, false
	pause := func(p *bool) {
		if _, err := w.UpdateToken(t.Context(), w.boss, w.account, w.old.Token.ID, hallpass.TokenPatch{Paused: p}); err != nil {
			t.Fatal(err)
		}
	}
	pause(&yes)
	if _, err := w.rotate(admin.Rotate{}); errID(err) != "token.not-rotatable" {
		t.Errorf("a paused token: %v", err)
	}
	pause(&no)
	w.Wind(time.Hour)
	r, err := w.rotate(admin.Rotate{})
	if err != nil || r.Replaced.State(w.Clock.Now(), false) != hallpass.TokenRotated {
		t.Fatalf("an expired token: %+v, %v", r, err)
	}
	w.old = r.Issued
	if err := w.db.Write(t.Context(), func(tx *store.Tx) error { return tx.RevokeToken(hallpass.FirstOrg, r.Token.ID, w.Clock.Now()) }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rotate(admin.Rotate{}); errID(err) != "token.not-rotatable" {
		t.Errorf("a revoked token: %v", err)
	}
}

// TestRotationRace has many replace one token at once: one does, whether they bring
// keys of their own or the same.
func TestRotationRace(t *testing.T) {
	for _, key := range []string{"", "same"} {
		w := newRotations(t, admin.NewToken{})
		answers := make(chan string, 20)
		var all sync.WaitGroup
		for range cap(answers) {
			all.Go(func() {
				_, err := w.rotate(admin.Rotate{Key: key})
				if err != nil && errID(err) == "" {
					answers <- err.Error()
					return
				}
				answers <- errID(err)
			})
		}
		all.Wait()
		close(answers)
		got := make(map[string]int)
		for a := range answers {
			got[a]++
		}
		refusal := map[string]string{"": "token.already-rotated", "same": "token.rotation-in-flight"}[key]
		if d := cmp.Diff(got, map[string]int{"": 1, refusal: 19}); d != "" {
			t.Errorf("key %q (got, want):\n%s", key, d)
		}
	}
}

// TestRepeatRace repeats a request whose answer was lost many times at once, on two nodes
// where the database is shared: one is answered with a secret, and that one works.
func TestRepeatRace(t *testing.T) {
	for name, ask := range map[string]func(a *admin.Admin, c hallpass.Caller, account hallpass.ServiceAccountID, old hallpass.TokenID) (admin.Issued, error){
		"rotate": func(a *admin.Admin, c hallpass.Caller, account hallpass.ServiceAccountID, old hallpass.TokenID) (admin.Issued, error) {
			r, err := a.RotateToken(t.Context(), c, account, old, admin.Rotate{Key: "k"})
			return r.Issued, err
		},
		"create": func(a *admin.Admin, c hallpass.Caller, account hallpass.ServiceAccountID, _ hallpass.TokenID) (admin.Issued, error) {
			return a.CreateToken(t.Context(), c, account, admin.NewToken{Name: "another", Key: "k"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			one := hallpasstest.OpenStore(t)
			two := one
			if hallpasstest.OnPostgres() {
				url := hallpasstest.Postgres(t)
				one, two = hallpasstest.OpenPostgres(t, url), hallpasstest.OpenPostgres(t, url)
			}
			w := newWorldOn(t, one, admin.Options{})
			boss, account := w.human("admin"), w.machine("ci", hallpass.RoleViewer).ServiceAccount()
			old, err := w.CreateToken(t.Context(), boss, account, admin.NewToken{Name: "deploy"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ask(w.Admin, boss, account, old.Token.ID); err != nil {
				t.Fatal(err)
			}
			later := func() time.Time { return w.Now().Add(3 * time.Second) }
			nodes := []*admin.Admin{admin.New(one, admin.Options{Now: later}), admin.New(two, admin.Options{Now: later})}
			secrets, refusals := make(chan admin.Issued, 8), make(chan string, 8)
			var all sync.WaitGroup
			for i := range cap(secrets) {
				all.Go(func() {
					if made, err := ask(nodes[i%2], boss, account, old.Token.ID); err != nil {
						refusals <- errID(err)
					} else {
						secrets <- made
					}
				})
			}
			all.Wait()
			if len(secrets) != 1 {
				t.Fatalf("%d requests were answered with a secret, want 1", len(secrets))
			}
			for range len(refusals) {
				if id := <-refusals; id != "token.rotation-in-flight" {
					t.Errorf("one was refused as %q", id)
				}
			}
			made := <-secrets
			if now, err := w.Token(t.Context(), boss, account, made.Token.ID); err != nil || now.Hash != made.Secret.Hash() || !made.Replayed {
				t.Errorf("the secret of the answer is not that of the token: %v", err)
			}
		})
	}
}

// TestManyCloseRotations has many end replaced tokens at the same time, on two nodes where
// the database is shared: each token ends once, with one audit entry and one notice.
func TestManyCloseRotations(t *testing.T) {
	const many = 110 // more than one transaction ends
	one, o := hallpasstest.OpenStore(t), admin.Options{Outgoing: admin.Outgoing{Slack: true}}
	two := one
	if hallpasstest.OnPostgres() {
		url := hallpasstest.Postgres(t)
		one, two = hallpasstest.OpenPostgres(t, url), hallpasstest.OpenPostgres(t, url)
	}
	w, other := newWorldOn(t, one, o), admin.New(two, o)
	boss, account, quiet := w.human("admin"), w.machine("ci", hallpass.RoleViewer).ServiceAccount(), time.Duration(0)
	c, err := w.CreateChannel(t.Context(), boss, hallpass.Channel{Name: "chat", Kind: hallpass.SlackChannel, Kinds: []hallpass.NoticeKind{hallpass.NoticeRetired}})
	if err != nil {
		t.Fatal(err)
	}
	uses := make([]store.TokenUse, many)
	for i := range uses {
		old, err := w.CreateToken(t.Context(), boss, account, admin.NewToken{Name: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.RotateToken(t.Context(), boss, account, old.Token.ID, admin.Rotate{Quiet: &quiet})
		if err != nil {
			t.Fatal(err)
		}
		uses[i] = store.TokenUse{Token: r.Token.ID, Use: hallpass.Use{At: w.Now()}}
	}
	if err := one.SaveUses(t.Context(), uses); err != nil {
		t.Fatal(err)
	}
	var closing sync.WaitGroup
	for _, a := range []*admin.Admin{w.Admin, other, w.Admin, other} {
		closing.Go(func() {
			for range 2 {
				if err := a.CloseRotations(t.Context(), func([]hallpass.Token) {}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	closing.Wait()
	page, err := w.Audit(t.Context(), boss, hallpass.AuditFilter{Action: "token.retire", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(map[string]int)
	for _, e := range page.Entries {
		ended[e.Target]++
	}
	if len(page.Entries) != many || len(ended) != many || len(w.told(c)) != many {
		t.Errorf("%d tokens ended in %d entries and %d notices, want %d of each", len(ended), len(page.Entries), len(w.told(c)), many)
	}
}

// TestSelfRotation has tokens replace themselves: those that may, within their bounds.
func TestSelfRotation(t *testing.T) {
	w := newRotations(t, admin.NewToken{Seconds: 3600})
	self := func(id hallpass.TokenID) hallpass.Caller {
		c := hallpass.Caller{Principal: hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: int64(w.account)}, Org: hallpass.FirstOrg, Token: id}
		return c
	}
	if _, err := w.RotateItself(t.Context(), self(w.old.Token.ID), admin.Rotate{}); errID(err) != "token.self-rotation-off" {
		t.Errorf("a token that may not: %v", err)
	}
	if _, err := w.RotateItself(t.Context(), w.boss, admin.Rotate{}); errID(err) != "token.only" {
		t.Errorf("a user: %v", err)
	}
	yes, until := true, w.Clock.Now().Add(90*time.Minute)
	if _, err := w.UpdateToken(t.Context(), w.boss, w.account, w.old.Token.ID, hallpass.TokenPatch{SelfRotate: &yes}); !errors.Is(err, hallpass.Invalid) {
		t.Errorf("without an end: %v", err)
	}
	if _, err := w.UpdateToken(t.Context(), w.boss, w.account, w.old.Token.ID, hallpass.TokenPatch{SelfRotate: &yes, RenewUntil: &until}); err != nil {
		t.Fatal(err)
	}
	long := int64(3601)
	if _, err := w.RotateItself(t.Context(), self(w.old.Token.ID), admin.Rotate{Seconds: &long}); !errors.Is(err, hallpass.Invalid) {
		t.Errorf("longer than it was made for: %v", err)
	}
	w.Wind(59 * time.Minute)
	r, err := w.RotateItself(t.Context(), self(w.old.Token.ID), admin.Rotate{})
	if err != nil || !r.Token.ExpiresAt.Equal(until) || !r.Token.SelfRotate {
		t.Fatalf("it became %+v, %v; want one that ends at %v", r.Token, err, until)
	}
	w.Wind(31 * time.Minute)
	if _, err := w.RotateItself(t.Context(), self(r.Token.ID), admin.Rotate{}); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("after that: %v", err)
	}
}

// TestRevokeReused tries a token after its end: those that replaced it are revoked, once,
// and one that was made after the try is not.
func TestRevokeReused(t *testing.T) {
	w := newRotations(t, admin.NewToken{})
	none := time.Duration(0)
	second, err := w.rotate(admin.Rotate{Grace: &none})
	if err != nil {
		t.Fatal(err)
	}
	w.Wind(time.Minute)
	third, err := w.RotateToken(t.Context(), w.boss, w.account, second.Token.ID, admin.Rotate{})
	if err != nil {
		t.Fatal(err)
	}
	revoke := func() {
		t.Helper()
		if err := w.RevokeReused(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	revoke()
	if got := w.get(third.Token.ID).State(w.Clock.Now(), false); got != hallpass.TokenLive {
		t.Errorf("before anybody tries the first token, the third is %s", got)
	}
	w.Wind(time.Minute)
	w.db.RecordAudit(hallpass.AuditEntry{
		At: w.Clock.Now(), Org: hallpass.FirstOrg, Token: w.old.Token.ID, Action: "token.verify", Target: "token:1", Outcome: hallpass.Refused, Reason: "api-key.rotated", From: hallpass.From{Address: "10.0.0.9"},
	})
	if err := w.db.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Wind(time.Second)
	late, err := w.RotateToken(t.Context(), w.boss, w.account, third.Token.ID, admin.Rotate{})
	if err != nil {
		t.Fatal(err)
	}
	revoke()
	revoke()
	for _, id := range []hallpass.TokenID{second.Token.ID, third.Token.ID} {
		if got := w.get(id); got.State(w.Clock.Now(), false) != hallpass.TokenRevoked || got.Ended != hallpass.EndedByHand {
			t.Errorf("token %d is %s", id, got.State(w.Clock.Now(), false))
		}
	}
	if got := w.get(late.Token.ID).State(w.Clock.Now(), false); got != hallpass.TokenLive {
		t.Errorf("the token that was made after the try is %s", got)
	}
	if n := w.audit("token.revoke", hallpass.Done); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

// helper returns an account that may write the tokens of ci and holds nothing else.
func (w *rotations) helper() hallpass.Caller {
	w.t.Helper()
	c := w.machine("helper", hallpass.RoleNone)
	list := []hallpass.Permission{{Action: hallpass.ServiceAccountsWrite, Scope: w.account.Scope()}}
	if _, err := w.CreateRole(w.t.Context(), w.boss, hallpass.NamedRole{UID: "helps", Name: "helps", Permissions: list}, false); err != nil {
		w.t.Fatal(err)
	}
	if err := w.AssignRole(w.t.Context(), w.boss, "helps", hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(c.ServiceAccount())}, false); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// TestDeletedSuccessor deletes a token that replaces another. The deletion never fails,
// whoever has the name by now, and gives nobody more than an undo would.
func TestDeletedSuccessor(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(w *rotations, next hallpass.TokenID) // after the rotation, before the deletion
		as      func(w *rotations) hallpass.Caller
		want    func(w *rotations, before, old hallpass.Token) bool
	}{
		"the old one is as before": {want: func(w *rotations, before, old hallpass.Token) bool { return cmp.Equal(before, old) }},
		"another live token has the name": {
			prepare: func(w *rotations, next hallpass.TokenID) {
				name := "renamed"
				if _, err := w.UpdateToken(w.t.Context(), w.boss, w.account, next, hallpass.TokenPatch{Name: &name}); err != nil {
					w.t.Fatal(err)
				}
				if _, err := w.CreateToken(w.t.Context(), w.boss, w.account, admin.NewToken{Name: w.old.Token.Name}); err != nil {
					w.t.Fatal(err)
				}
			},
			want: func(w *rotations, before, old hallpass.Token) bool {
				return old.Name == fmt.Sprintf("%s-%d", before.Name, before.ID) && old.ExpiresAt.Equal(before.ExpiresAt)
			},
		},
		"a third replaces it": {
			prepare: func(w *rotations, next hallpass.TokenID) {
				third, err := w.RotateToken(w.t.Context(), w.boss, w.account, next, admin.Rotate{})
				if err != nil {
					w.t.Fatal(err)
				}
				if _, err := w.UndoRotation(w.t.Context(), w.boss, w.account, next); errID(err) != "token.already-rotated" {
					w.t.Errorf("undo of a token that a third replaces: %v", err)
				}
				w.old.Token.Rotation.Successor = third.Token.ID
			},
			want: func(w *rotations, _, old hallpass.Token) bool {
				third := w.get(w.old.Token.Rotation.Successor)
				return old.Overlaps(third, w.Clock.Now()) && third.Rotation.Predecessor == old.ID && !old.EndsAt().IsZero()
			},
		},
		"by a caller who holds less": {
			as: (*rotations).helper,
			want: func(w *rotations, before, old hallpass.Token) bool {
				return old.Rotation.Successor == 0 && old.ExpiresAt.Equal(w.Clock.Now().Add(time.Hour))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRotations(t, admin.NewToken{Seconds: 0})
			before, grace := w.get(w.old.Token.ID), time.Hour
			r, err := w.rotate(admin.Rotate{Grace: &grace})
			if err != nil {
				t.Fatal(err)
			}
			if tt.prepare != nil {
				tt.prepare(w, r.Token.ID)
			}
			as := w.boss
			if tt.as != nil {
				as = tt.as(w)
			}
			if err := w.DeleteToken(t.Context(), as, w.account, r.Token.ID); err != nil {
				t.Fatal(err)
			}
			if old := w.get(before.ID); !old.Live(w.Clock.Now()) || !tt.want(w, before, old) {
				t.Errorf("the old token is %+v", old)
			}
		})
	}
}

// TestSuccessorThatDoesNotWork: the new token of a rotation has ended, or is paused, and
// the old one works. That can be taken back, made longer or rotated again; it is not
// retired, and what needs doing tells of it.
func TestSuccessorThatDoesNotWork(t *testing.T) {
	minute, hour := int64(60), time.Hour
	pause := func(w *rotations, next hallpass.TokenID, p hallpass.TokenPatch) {
		if _, err := w.UpdateToken(w.t.Context(), w.boss, w.account, next, p); err != nil {
			w.t.Fatal(err)
		}
	}
	yes := true
	for name, tt := range map[string]struct {
		in      admin.Rotate
		happens func(w *rotations, next hallpass.TokenID)
		state   hallpass.TokenState // of the old token
		retire  string              // the errors
		rotate  string
		row     hallpass.AttentionAction // empty: no row
	}{
		"expired": {
			admin.Rotate{Seconds: &minute}, func(w *rotations, _ hallpass.TokenID) { w.Wind(time.Minute) },
			hallpass.TokenLive, "token.successor-ended", "", hallpass.ActionRotate,
		},
		"revoked": {
			admin.Rotate{}, func(w *rotations, next hallpass.TokenID) {
				k := w.get(next)
				k.RevokedAt, k.Ended = w.Clock.Now(), hallpass.EndedAsStale
				if err := w.db.Write(w.t.Context(), func(tx *store.Tx) error { return tx.UpdateToken(k) }); err != nil {
					w.t.Fatal(err)
				}
			},
			hallpass.TokenLive, "token.successor-ended", "", hallpass.ActionRotate,
		},
		"paused": {
			admin.Rotate{}, func(w *rotations, next hallpass.TokenID) { pause(w, next, hallpass.TokenPatch{Paused: &yes}) },
			hallpass.TokenOverlapping, "token.successor-paused", "token.already-rotated", hallpass.ActionResume,
		},
		"paused beyond the end of the old one": {
			admin.Rotate{}, func(w *rotations, next hallpass.TokenID) {
				pause(w, next, hallpass.TokenPatch{Paused: &yes, PausedFor: 2 * time.Hour})
			},
			hallpass.TokenOverlapping, "token.successor-paused", "token.already-rotated", hallpass.ActionResume,
		},
		"paused for a while": {
			admin.Rotate{}, func(w *rotations, next hallpass.TokenID) {
				pause(w, next, hallpass.TokenPatch{Paused: &yes, PausedFor: time.Minute})
			},
			hallpass.TokenOverlapping, "token.successor-paused", "token.already-rotated", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			begin := func() (w *rotations, before hallpass.Token, next hallpass.TokenID) {
				w = newRotations(t, admin.NewToken{Seconds: 90 * 24 * 3600})
				before, tt.in.Grace = w.get(w.old.Token.ID), &hour
				r, err := w.rotate(tt.in)
				if err != nil {
					t.Fatal(err)
				}
				tt.happens(w, r.Token.ID)
				if got := w.state(before.ID); got != tt.state {
					t.Errorf("the old token is %s, want %s", got, tt.state)
				}
				return w, before, r.Token.ID
			}
			w, before, next := begin()
			subject := map[hallpass.AttentionAction]hallpass.TokenID{hallpass.ActionRotate: before.ID, hallpass.ActionResume: next}[tt.row]
			if id, do := w.overlapRow(); id != subject || do != tt.row {
				t.Errorf("what needs doing: %q about token %d, want %q about %d", do, id, tt.row, subject)
			}
			if err := w.RetireToken(t.Context(), w.boss, w.account, before.ID); errID(err) != tt.retire {
				t.Errorf("retire: %v, want %s", err, tt.retire)
			}
			if longer, err := w.ExtendRotation(t.Context(), w.boss, w.account, before.ID, 2*time.Hour); err != nil || !longer.EndsAt().Equal(w.Clock.Now().Add(2*time.Hour)) {
				t.Errorf("extend: %v, ends %s", err, longer.EndsAt())
			}
			if _, err := w.UndoRotation(t.Context(), w.boss, w.account, next); err != nil {
				t.Errorf("undo: %v", err)
			}
			if d := cmp.Diff(w.get(before.ID), before); d != "" || w.get(next).Live(w.Clock.Now()) {
				t.Errorf("after undo the old token differs, or the new one works:\n%s", d)
			}
			w, before, _ = begin()
			switch r, err := w.rotate(admin.Rotate{}); {
			case errID(err) != tt.rotate:
				t.Errorf("rotate again: %v, want %q", err, tt.rotate)
			case err == nil && (w.get(before.ID).Rotation.Successor != r.Token.ID || w.state(before.ID) != hallpass.TokenOverlapping):
				t.Errorf("rotated again, the old token is %+v", w.get(before.ID))
			}
		})
	}
}

// overlapRow returns what needs doing about the one rotation; nothing if there is none.
func (w *rotations) overlapRow() (hallpass.TokenID, hallpass.AttentionAction) {
	w.t.Helper()
	pages, err := w.Attention(w.t.Context(), w.boss, admin.AttentionFilter{Section: hallpass.AttentionOverlaps, Limit: 10})
	if err != nil || len(pages) != 1 || len(pages[0].Rows) > 1 {
		w.t.Fatalf("%+v, %v", pages, err)
	}
	for _, r := range pages[0].Rows {
		return r.Token.ID, r.Action
	}
	return 0, ""
}

// TestSuccessorIsReplaced retires a token that replaces another and is itself replaced, in
// each way: what replaces it replaces the other.
func TestSuccessorIsReplaced(t *testing.T) {
	zero, day := time.Duration(0), 24*time.Hour
	for name, retire := range map[string]func(w *rotations, second hallpass.TokenID, third admin.Rotate) hallpass.TokenID{
		"at once": func(w *rotations, second hallpass.TokenID, third admin.Rotate) hallpass.TokenID {
			third.Grace = &zero
			return w.replaceIt(second, third)
		},
		"by hand": func(w *rotations, second hallpass.TokenID, third admin.Rotate) hallpass.TokenID {
			id := w.replaceIt(second, third)
			if err := w.RetireToken(w.t.Context(), w.boss, w.account, second); err != nil {
				w.t.Fatal(err)
			}
			return id
		},
		"when it is quiet": func(w *rotations, second hallpass.TokenID, third admin.Rotate) hallpass.TokenID {
			third.Quiet = &zero
			id := w.replaceIt(second, third)
			w.use(id)
			w.state(second)
			return id
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRotations(t, admin.NewToken{})
			before := w.get(w.old.Token.ID)
			r, err := w.rotate(admin.Rotate{Grace: &day})
			if err != nil {
				t.Fatal(err)
			}
			third := retire(w, r.Token.ID, admin.Rotate{Grace: &day})
			first, last := w.get(before.ID), w.get(third)
			if !first.Overlaps(last, w.Clock.Now()) || last.Rotation.Predecessor != first.ID || w.get(r.Token.ID).Live(w.Clock.Now()) {
				t.Fatalf("the first token is %+v, the third %+v", first, last)
			}
			if _, err := w.UndoRotation(t.Context(), w.boss, w.account, third); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(w.get(before.ID), before); d != "" {
				t.Errorf("after undo the first token differs:\n%s", d)
			}
		})
	}
}

// replaceIt replaces the token and returns the ID of the new one.
func (w *rotations) replaceIt(id hallpass.TokenID, in admin.Rotate) hallpass.TokenID {
	w.t.Helper()
	r, err := w.RotateToken(w.t.Context(), w.boss, w.account, id, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Token.ID
}

// TestReissueOfWhatWasReplaced replaces an expired token again when the one that
// replaced it was deleted.
func TestReissueOfWhatWasReplaced(t *testing.T) {
	w := newRotations(t, admin.NewToken{Seconds: 60})
	w.Wind(time.Hour)
	r, err := w.rotate(admin.Rotate{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.rotate(admin.Rotate{}); errID(err) != "token.already-rotated" {
		t.Errorf("beside its successor: %v", err)
	}
	if err := w.DeleteToken(t.Context(), w.boss, w.account, r.Token.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rotate(admin.Rotate{}); err != nil {
		t.Errorf("without its successor: %v", err)
	}
}

// TestUsualRateIsNotRaised: whoever holds less than the account cannot give a token a
// rate above the one that holds without any of its own.
func TestUsualRateIsNotRaised(t *testing.T) {
	w := newRotations(t, admin.NewToken{})
	c := w.helper()
	strict := admin.New(w.db, admin.Options{Now: w.Clock.Now, Rate: hallpass.RateLimit{Requests: 300, Every: time.Second, Burst: 300}})
	for _, tt := range []struct {
		requests int
		want     string
	}{{200, ""}, {300, "serviceaccounts.ErrRoleForbidden"}, {1_000_000, "serviceaccounts.ErrRoleForbidden"}} {
		rate := hallpass.RateLimit{Requests: tt.requests, Every: time.Second}
		if _, err := strict.UpdateToken(t.Context(), c, w.account, w.old.Token.ID, hallpass.TokenPatch{Rate: &rate}); errID(err) != tt.want {
			t.Errorf("%d a second: %v, want %q", tt.requests, err, tt.want)
		}
	}
}

// TestItselfDoesNotRepeatOthers: what a person asked for with a key is not repeated to
// the token itself, which may not live as long.
func TestItselfDoesNotRepeatOthers(t *testing.T) {
	w := newRotations(t, admin.NewToken{Seconds: 300 * 24 * 3600})
	on, until := true, w.Clock.Now().Add(time.Hour)
	if _, err := w.UpdateToken(t.Context(), w.boss, w.account, w.old.Token.ID, hallpass.TokenPatch{SelfRotate: &on, RenewUntil: &until}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rotate(admin.Rotate{Key: "k"}); err != nil {
		t.Fatal(err)
	}
	w.Wind(3 * time.Second)
	itself := hallpass.Caller{Principal: hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: int64(w.account)}, Org: hallpass.FirstOrg, Token: w.old.Token.ID}
	if _, err := w.RotateItself(t.Context(), itself, admin.Rotate{Key: "k"}); errID(err) != "token.rotation-key-reused" {
		t.Errorf("the token with the key of a person: %v", err)
	}
}

// TestNamesBesideARotation: no other token gets the name of one that works and gave it up
// to a new token that has ended, and none that is replaced gets the name of another.
func TestNamesBesideARotation(t *testing.T) {
	const taken = "serviceaccounts.ErrTokenAlreadyExists"
	minute, hour := int64(60), time.Hour
	w := newRotations(t, admin.NewToken{Seconds: 90 * 24 * 3600})
	old, other := w.old.Token.ID, w.machine("other", hallpass.RoleViewer).ServiceAccount()
	create := func(account hallpass.ServiceAccountID, name, want string) {
		t.Helper()
		if _, err := w.CreateToken(t.Context(), w.boss, account, admin.NewToken{Name: name}); errID(err) != want {
			t.Errorf("create %s: %v, want %q", name, err, want)
		}
	}
	rename := func(id hallpass.TokenID, name, want string) {
		t.Helper()
		if _, err := w.UpdateToken(t.Context(), w.boss, w.account, id, hallpass.TokenPatch{Name: &name}); errID(err) != want {
			t.Errorf("rename to %s: %v, want %q", name, err, want)
		}
	}
	create(other, "taken", "")
	r, err := w.rotate(admin.Rotate{Seconds: &minute, Grace: &hour})
	if err != nil {
		t.Fatal(err)
	}
	rename(old, "taken", taken)
	rename(r.Token.ID, "taken", taken)
	rename(old, "Deploy", "") // as the one that replaces it
	w.Wind(time.Minute)
	create(w.account, "deploy", taken)
	create(other, "DEPLOY", taken)
	rename(old, "taken", taken)
	rename(old, "again", "")
	create(other, "again", taken)
	create(other, "deploy", "") // nobody has it now
	rename(old, "deploy", taken)
	w.replaceIt(old, admin.Rotate{})
	if got := w.state(old); got != hallpass.TokenOverlapping {
		t.Errorf("rotated again, the old token is %s", got)
	}
	if back, err := w.UndoRotation(t.Context(), w.boss, w.account, w.get(old).Rotation.Successor); err != nil || back.Name != "again" {
		t.Errorf("after undo it is %q, %v", back.Name, err)
	}
	create(other, "again", taken)
}
