package admin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// idleness is an org with a policy and tokens, in which things happen that rapid draws.
type idleness struct {
	*rapid.T
	db     *store.DB
	admin  *admin.Admin
	now    *time.Time
	seen   map[hallpass.StaleAct]int
	policy hallpass.StalePolicy
	tokens []*idleToken
	told   hallpass.ChannelID

	boss    hallpass.Caller
	account hallpass.ServiceAccount
	blocked bool      // a run of the job has seen the account disabled since it was enabled
	enabled time.Time // when the account was enabled again after that
}

// An idleToken is a token with what happened to it.
type idleToken struct {
	hallpass.Token
	active time.Time // when it was made, used or resumed last
	byHand bool      // a person paused it
	late   bool      // a use of before its pause came to be known after it
}

// TestPolicyTouchesNoTokenInUse draws policies, uses, pauses and runs of the job in any
// order. No run pauses or revokes a token that was used, made or resumed within the days
// of the policy, nor any while the policy is younger than its longest warning, nor one
// that was not warned of in that time. What a person paused stays as it is, and of a token
// nothing but its pause or its end changes.
func TestPolicyTouchesNoTokenInUse(t *testing.T) {
	now, seen := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC), make(map[hallpass.StaleAct]int)
	w := newWorld(t, admin.Options{Now: func() time.Time { return now }})
	boss := w.human("admin")
	rapid.Check(t, func(rt *rapid.T) {
		x := &idleness{T: rt, db: w.db, admin: w.Admin, now: &now, seen: seen, boss: boss}
		x.begin()
		for range rapid.IntRange(10, 40).Draw(rt, "events") {
			x.happen()
			if rt.Failed() {
				return
			}
		}
		x.setPolicy(hallpass.StalePolicy{Org: x.policy.Org}) // so that the next one is alone
	})
	for _, act := range []hallpass.StaleAct{hallpass.StalePause, hallpass.StaleRevoke, hallpass.StaleResume} {
		if seen[act] < 1 {
			t.Errorf("%d of %s: the test sees too little", seen[act], act)
		}
	}
	t.Logf("what the job did: %v", seen)
}

func (x *idleness) write(fn func(*store.Tx) error) {
	x.Helper()
	if err := x.db.Write(x.Context(), fn); err != nil {
		x.Fatal(err)
	}
}

// begin makes the org.
func (x *idleness) begin() {
	name := secret.NewUID()
	x.write(func(tx *store.Tx) error {
		org, err := tx.CreateOrg(hallpass.Org{Name: name, CreatedAt: *x.now, UpdatedAt: *x.now})
		if err != nil {
			return err
		}
		boss, err := tx.User(x.boss.User())
		if err == nil {
			err = tx.SetMember(hallpass.Member{Org: org.ID, User: boss, Role: hallpass.RoleAdmin, JoinedAt: *x.now})
		}
		if err == nil {
			x.boss, err = tx.UserCaller(boss, org.ID)
		}
		if err != nil {
			return err
		}
		c, err := tx.CreateChannel(hallpass.Channel{
			Org: org.ID, Name: "all", Kind: hallpass.WebhookChannel, URL: "https://example.com/", Signature: hallpass.SignatureV1a,
			Kinds: []hallpass.NoticeKind{hallpass.NoticeStale}, CreatedAt: *x.now, UpdatedAt: *x.now,
		})
		if err != nil {
			return err
		}
		a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{UID: secret.NewUID(), Org: org.ID, Name: name, Login: name, CreatedAt: *x.now, UpdatedAt: *x.now})
		for i := 0; i < 2 && err == nil; i++ {
			text := secret.NewToken()
			var made hallpass.Token
			made, err = tx.CreateToken(hallpass.Token{Org: org.ID, ServiceAccount: a.ID, Name: fmt.Sprint(name, i), Hash: text.Hash(), CreatedAt: *x.now})
			x.tokens = append(x.tokens, &idleToken{Token: made, active: *x.now})
		}
		x.policy.Org, x.told, x.account = org.ID, c.ID, a
		return err
	})
	x.setPolicy(x.drawPolicy())
}

func (x *idleness) setPolicy(p hallpass.StalePolicy) {
	x.Helper()
	if err := p.Tidy(); err != nil {
		x.Fatal(err)
	}
	p.UpdatedAt = *x.now
	x.write(func(tx *store.Tx) error { return tx.SetStalePolicy(p) })
	x.policy = p
}

func (x *idleness) drawPolicy() hallpass.StalePolicy {
	after := rapid.IntRange(3, 20).Draw(x.T, "staleAfterDays")
	p := hallpass.StalePolicy{Org: x.policy.Org, AfterDays: after, Pause: rapid.IntRange(0, 4).Draw(x.T, "warns alone") > 0}
	longest := rapid.IntRange(1, after-1).Draw(x.T, "longest warning")
	p.WarnDays = append(rapid.SliceOfN(rapid.IntRange(1, longest), 0, 2).Draw(x.T, "warnDays"), longest)
	if p.Pause && rapid.IntRange(0, 3).Draw(x.T, "revokes") > 0 {
		p.RevokeDays = rapid.IntRange(longest, longest+4).Draw(x.T, "deleteAfterPausedDays")
	}
	return p
}

// happen has one thing happen.
func (x *idleness) happen() {
	tok := rapid.SampledFrom(x.tokens).Draw(x.T, "token")
	paused, ended := !tok.Pause.Since.IsZero(), !tok.RevokedAt.IsZero()
	switch what := rapid.SampledFrom([]string{"run", "run", "run", "run", "run", "use", "policy", "person", "late", "late", "late", "account"}).Draw(x.T, "what"); {
	case what == "run":
		*x.now = x.now.Add(time.Duration(rapid.IntRange(1, 12*24).Draw(x.T, "hours")) * time.Hour)
		x.run()
	case what == "policy" && rapid.IntRange(0, 3).Draw(x.T, "now") == 0:
		x.setPolicy(x.drawPolicy())
	case what == "account" && rapid.IntRange(0, 3).Draw(x.T, "now") == 0:
		x.disableOrEnable()
	case what == "use" && !paused && !ended && !x.account.Disabled:
		x.use(tok, *x.now)
		tok.active = *x.now
	case what == "late" && paused && !ended && !tok.byHand:
		x.use(tok, tok.Pause.Since.Add(-time.Second))
		tok.late = true
	case what == "person" && !ended:
		x.pauseOrResume(tok, !paused)
	}
}

func (x *idleness) use(tok *idleToken, at time.Time) {
	x.Helper()
	if err := x.db.SaveUses(x.Context(), []store.TokenUse{{Token: tok.ID, Use: hallpass.Use{At: at}}}); err != nil {
		x.Fatal(err)
	}
	tok.LastUse.At = at
}

// pauseOrResume is what a person does.
func (x *idleness) pauseOrResume(tok *idleToken, pause bool) {
	x.Helper()
	after, err := x.admin.UpdateToken(x.Context(), x.boss, x.account.ID, tok.ID, hallpass.TokenPatch{Paused: &pause})
	if err != nil {
		x.Fatal(err)
	}
	tok.Token, tok.byHand, tok.late = after, pause, false
	if !pause {
		tok.active = *x.now
	}
}

// disableOrEnable is what a person does with the account. Between two runs of the job it
// is as if nothing was done: what was warned of is still what happens.
func (x *idleness) disableOrEnable() {
	x.Helper()
	disabled := !x.account.Disabled
	a, err := x.admin.UpdateServiceAccount(x.Context(), x.boss, x.account.ID, hallpass.ServiceAccountPatch{Disabled: &disabled})
	if err != nil {
		x.Fatal(err)
	}
	x.account = a.ServiceAccount
	if !disabled && x.blocked {
		x.enabled, x.blocked = *x.now, false
	}
}

// run runs the job, twice: the second time it has nothing to do.
func (x *idleness) run() {
	x.Helper()
	before := x.stored()
	for i := range 2 {
		if err := x.admin.ApplyTokenPolicies(x.Context()); err != nil {
			x.Fatal(err)
		}
		x.blocked = x.account.Disabled
		after := x.stored()
		for j, tok := range x.tokens {
			if i > 0 && cmp.Diff(before[j], after[j]) != "" {
				x.Errorf("the second run changed a token: %s", cmp.Diff(before[j], after[j]))
			}
			x.judge(tok, before[j], after[j])
			tok.Token = after[j]
		}
		before = after
	}
}

func (x *idleness) stored() []hallpass.Token {
	x.Helper()
	list := make([]hallpass.Token, len(x.tokens))
	err := x.db.Read(x.Context(), func(tx *store.Tx) (err error) {
		for i, tok := range x.tokens {
			if list[i], err = tx.OrgToken(tok.Org, tok.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		x.Fatal(err)
	}
	return list
}

// judge holds what the job did to the token to the promise.
func (x *idleness) judge(tok *idleToken, was, is hallpass.Token) {
	x.Helper()
	if cmp.Diff(was, is) == "" {
		return
	}
	days := func(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
	act := hallpass.StalePause
	switch {
	case !is.RevokedAt.IsZero():
		act = hallpass.StaleRevoke
	case is.Pause.Since.IsZero():
		act = hallpass.StaleResume
	}
	x.seen[act]++
	rest := is
	rest.Pause, rest.RevokedAt, rest.Ended = was.Pause, was.RevokedAt, was.Ended
	if diff := cmp.Diff(was, rest); diff != "" || tok.byHand {
		x.Errorf("%s changed more than it should, or what a person paused (%v):\n%s", act, tok.byHand, diff)
	}
	if act == hallpass.StaleResume {
		if !tok.late {
			x.Errorf("it was resumed, and nobody had used it before its pause")
		}
		tok.late, tok.active = false, *x.now
		return
	}
	idle, age, longest := x.now.Sub(tok.active), x.now.Sub(x.policy.UpdatedAt), days(x.policy.WarnDays[0])
	if !x.policy.Pause || x.account.Disabled || tok.late || idle < days(x.policy.AfterDays) && act == hallpass.StalePause || age < longest {
		x.Errorf("%s of a token that was used %s ago, under a policy that is %s old: %+v", act, idle, age, x.policy)
	}
	if act == hallpass.StaleRevoke && (x.policy.RevokeDays == 0 || was.Pause.Since.IsZero() || x.now.Sub(was.Pause.Since) < days(x.policy.RevokeDays)) {
		x.Errorf("it was revoked, and paused since %s only: %+v", was.Pause.Since, x.policy)
	}
	x.warned(tok, act, was)
}

// warned fails the test unless there was a warning in time before the act.
func (x *idleness) warned(tok *idleToken, act hallpass.StaleAct, was hallpass.Token) {
	x.Helper()
	began, latest := tok.active, x.now.AddDate(0, 0, -x.policy.WarnDays[0])
	if act == hallpass.StaleRevoke {
		began = was.Pause.Since
	}
	for _, at := range []time.Time{x.policy.UpdatedAt, x.enabled} {
		if began.Before(at) {
			began = at
		}
	}
	var list []hallpass.Delivery
	err := x.db.Read(x.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.Deliveries(x.told, "", 0, 1000)
		return err
	})
	if err != nil {
		x.Fatal(err)
	}
	for _, d := range list {
		if at := d.Notice.At; d.Notice.Token == tok.ID && strings.HasPrefix(d.Notice.Mark, "warn-") && !at.Before(began) && !at.After(latest) {
			return
		}
	}
	x.Errorf("%s without a warning between %s and %s: %+v", act, began, latest, list)
}
