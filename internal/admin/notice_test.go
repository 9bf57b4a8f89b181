package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

const day = 24 * time.Hour

// newNoticeWorld returns a world with a clock and a channel that takes everything.
func newNoticeWorld(t *testing.T) (*world, *hallpasstest.Clock, hallpass.Channel) {
	t.Helper()
	clock := &hallpasstest.Clock{}
	for clock.Now().Year() < 2026 { // one Duration does not reach from the year 1 to ours
		clock.Wind(100 * 365 * day)
	}
	w := newWorld(t, admin.Options{Now: clock.Now, Outgoing: admin.Outgoing{Days: []int{30, 14, 7, 1}, Slack: true}})
	c, err := w.CreateChannel(t.Context(), w.human("admin"), hallpass.Channel{Name: "chat", Kind: hallpass.SlackChannel, Kinds: hallpass.NoticeKinds()})
	if err != nil {
		t.Fatal(err)
	}
	return w, clock, c
}

// told returns what was written to the channel, the oldest first, in a word each.
func (w *world) told(c hallpass.Channel) (words []string) {
	w.t.Helper()
	list, err := w.Deliveries(w.t.Context(), w.human("admin"), c.ID, "", 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range list {
		n := list[len(list)-1-i].Notice
		word := n.Name + " " + string(n.Kind)
		if n.Days > 0 {
			word += fmt.Sprint(" ", n.Days)
		}
		words = append(words, word)
	}
	return words
}

func (w *world) noticeEnds() {
	w.t.Helper()
	for range 2 { // the second time tells nothing
		if err := w.NoticeEnds(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestNoticeEnds lives through sixty days with tokens of several lengths: each is told
// of at the times that its length has, once, and then that it has ended.
func TestNoticeEnds(t *testing.T) {
	w, clock, c := newNoticeWorld(t)
	account := w.machine("ci", hallpass.RoleViewer).ServiceAccount()
	began := clock.Now()
	for name, length := range map[string]time.Duration{"hour": time.Hour, "day": day, "three": 3 * day, "week": 7 * day, "ten": 10 * day, "long": 45 * day, "never": 0, "gone": 45 * day, "blocked": 45 * day} {
		of := account
		if name == "blocked" {
			of = w.machine("blocked account", hallpass.RoleViewer).ServiceAccount()
		}
		made, err := w.CreateToken(t.Context(), w.human("admin"), of, admin.NewToken{Name: name, Seconds: int64(length / time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		if name == "gone" {
			if err := w.DeleteToken(t.Context(), w.human("admin"), of, made.Token.ID); err != nil {
				t.Fatal(err)
			}
		}
		if name == "blocked" {
			yes := true
			if _, err := w.UpdateServiceAccount(t.Context(), w.human("admin"), of, hallpass.ServiceAccountPatch{Disabled: &yes}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := make(map[string]int) // to the day
	known := 0
	for clock.Now().Sub(began) < 60*day {
		w.noticeEnds()
		words := w.told(c)
		for _, word := range words[known:] {
			got[word] = int(clock.Now().Sub(began) / day)
		}
		known = len(words)
		clock.Wind(12 * time.Hour)
	}
	want := map[string]int{
		"day token.expired": 1, "three token.expiring 1": 2, "three token.expired": 3, "week token.expiring 1": 6, "week token.expired": 7,
		"ten token.expiring 7": 3, "ten token.expiring 1": 9, "ten token.expired": 10,
		"long token.expiring 30": 15, "long token.expiring 14": 31, "long token.expiring 7": 38, "long token.expiring 1": 44, "long token.expired": 45,
	}
	if d := cmp.Diff(want, got); d != "" || known != len(want) {
		t.Errorf("%d notices (want, got):\n%s", known, d)
	}
}

// TestNoticeLateChannel makes a channel when tokens have ended already: it is told of
// those that end soon, and not of what was.
func TestNoticeLateChannel(t *testing.T) {
	w, clock, _ := newNoticeWorld(t)
	account := w.machine("ci", hallpass.RoleViewer).ServiceAccount()
	for name, length := range map[string]time.Duration{"over": 2 * day, "soon": 5 * day} {
		if _, err := w.CreateToken(t.Context(), w.human("admin"), account, admin.NewToken{Name: name, Seconds: int64(length / time.Second)}); err != nil {
			t.Fatal(err)
		}
	}
	clock.Wind(4*day + time.Hour)
	late, err := w.CreateChannel(t.Context(), w.human("admin"), hallpass.Channel{Name: "late", Kind: hallpass.SlackChannel, Kinds: hallpass.NoticeKinds()})
	if err != nil {
		t.Fatal(err)
	}
	w.noticeEnds()
	if d := cmp.Diff([]string{"soon token.expiring 1"}, w.told(late)); d != "" {
		t.Error(d)
	}
}

// TestNoticeMany has 10,000 tokens end at once. Changes are made meanwhile.
func TestNoticeMany(t *testing.T) {
	w, clock, c := newNoticeWorld(t)
	account := w.machine("ci", hallpass.RoleViewer).ServiceAccount()
	const many = 10_000
	for part := range many / 200 {
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			for i := range 200 {
				text := secret.NewToken()
				_, err := tx.CreateToken(hallpass.Token{
					Org: hallpass.FirstOrg, ServiceAccount: account, Name: fmt.Sprint("t", part, "-", i), Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: clock.Now(), ExpiresAt: clock.Now().Add(2 * day),
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	clock.Wind(2 * day)
	ctx, stop := context.WithCancel(t.Context())
	var changing sync.WaitGroup
	changes := 0
	changing.Go(func() {
		for ctx.Err() == nil {
			if err := w.RenameOrg(t.Context(), w.human("admin"), fmt.Sprint("org ", changes)); err != nil {
				t.Error(err)
				return
			}
			changes++
		}
	})
	err := w.NoticeEnds(t.Context())
	stop()
	changing.Wait()
	if err != nil || changes < 20 {
		t.Errorf("%v, %d changes meanwhile", err, changes)
	}
	var n, after int
	for {
		list, err := w.Deliveries(t.Context(), w.human("admin"), c.ID, hallpass.NoticeDue, hallpass.NoticeID(after), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		n, after = n+len(list), int(list[len(list)-1].ID)
	}
	if n != many {
		t.Errorf("%d notices", n)
	}
}

// TestNoticeDeadUses tries tokens that are dead: each is told of as often as it should.
func TestNoticeDeadUses(t *testing.T) {
	w, clock, c := newNoticeWorld(t)
	account := w.machine("ci", hallpass.RoleViewer).ServiceAccount()
	ids := make(map[string]hallpass.TokenID)
	for _, name := range []string{"expired", "rotated", "paused", "quiet"} {
		made, err := w.CreateToken(t.Context(), w.human("admin"), account, admin.NewToken{Name: name, Seconds: 100})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = made.Token.ID
	}
	pause := func() {
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			tok, err := tx.OrgToken(hallpass.FirstOrg, ids["paused"])
			if err != nil {
				return err
			}
			tok.Pause, tok.ExpiresAt = hallpass.Pause{Since: clock.Now()}, time.Time{}
			return tx.UpdateToken(tok)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	pause()
	try := func() {
		for name, reason := range map[string]string{"expired": "api-key.expired", "rotated": "api-key.rotated", "paused": "api-key.paused"} {
			w.db.RecordAudit(hallpass.AuditEntry{
				At: clock.Now(), Org: hallpass.FirstOrg, Token: ids[name], Action: "token.verify", Target: fmt.Sprint("token:", ids[name]), Outcome: hallpass.Refused, Reason: reason,
				From: hallpass.From{Address: "10.0.0.9", UserAgent: "curl/8"},
			})
		}
		if err := w.db.FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.NoticeDeadUses(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func() map[string]int {
		n := make(map[string]int)
		for _, word := range w.told(c) {
			n[word]++
		}
		return n
	}
	clock.Wind(clock.Now().Truncate(time.Hour).Add(time.Hour).Sub(clock.Now()))
	for range 3 {
		try()
		clock.Wind(time.Minute)
	}
	want := map[string]int{"expired token.expired_still_used": 1, "rotated token.replaced_still_used": 1, "paused token.paused_still_used": 1}
	if d := cmp.Diff(want, count()); d != "" {
		t.Errorf("within an hour (want, got):\n%s", d)
	}
	clock.Wind(time.Hour)
	pause()
	try()
	want["rotated token.replaced_still_used"], want["paused token.paused_still_used"] = 2, 2
	if d := cmp.Diff(want, count()); d != "" {
		t.Errorf("an hour later (want, got):\n%s", d)
	}
	list, err := w.Deliveries(t.Context(), w.human("admin"), c.ID, "", 0, 1)
	if err != nil || list[0].Notice.From.Address != "10.0.0.9" {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestNoticeRotation replaces tokens, with and without a grace: both what began and what
// ended is told, by whom and why.
func TestNoticeRotation(t *testing.T) {
	w, _, c := newNoticeWorld(t)
	account := w.machine("ci", hallpass.RoleViewer).ServiceAccount()
	boss, grace, none := w.human("admin"), time.Hour, time.Duration(0)
	for name, g := range map[string]*time.Duration{"slow": &grace, "quick": &none} {
		made, err := w.CreateToken(t.Context(), boss, account, admin.NewToken{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.RotateToken(t.Context(), boss, account, made.Token.ID, admin.Rotate{Grace: g, Reason: "quarterly"})
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.Deliveries(t.Context(), boss, c.ID, "", 0, 100)
		if n := list[len(list)-1].Notice; err != nil || n.Successor == 0 || n.Actor != "admin" || n.Reason != "quarterly" || n.Account != account {
			t.Errorf("%s: it tells %+v, %v", name, n, err)
		}
		if name == "slow" {
			if d := cmp.Diff([]string{"slow token.rotated"}, w.toldOf(c, made.Token.ID)); d != "" {
				t.Errorf("while both work: %s", d)
			}
			if err := w.RetireToken(t.Context(), boss, account, made.Token.ID); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff([]string{name + " token.rotated", name + " token.retired"}, w.toldOf(c, made.Token.ID)); d != "" || out.Token.ID == made.Token.ID {
			t.Errorf("at the end: %s", d)
		}
	}
}

// TestNoticeOfAnEnd has the job end a replaced token: that is told like an end by hand, in
// the name of nobody and with the reason.
func TestNoticeOfAnEnd(t *testing.T) {
	w, _, c := newNoticeWorld(t)
	account, boss, quiet := w.machine("ci", hallpass.RoleViewer).ServiceAccount(), w.human("admin"), time.Duration(0)
	made, err := w.CreateToken(t.Context(), boss, account, admin.NewToken{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.RotateToken(t.Context(), boss, account, made.Token.ID, admin.Rotate{Quiet: &quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.db.SaveUses(t.Context(), []store.TokenUse{{Token: out.Token.ID, Use: hallpass.Use{At: w.Now()}}}); err != nil {
		t.Fatal(err)
	}
	late, err := w.CreateChannel(t.Context(), boss, hallpass.Channel{Name: "late", Kind: hallpass.SlackChannel, Kinds: hallpass.DefaultNoticeKinds()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.CloseRotations(t.Context(), func([]hallpass.Token) {}); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"t token.rotated", "t token.retired"}, w.toldOf(c, made.Token.ID)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"t token.retired"}, w.toldOf(late, made.Token.ID)); d != "" {
		t.Errorf("a channel that was made after the rotation: %s", d)
	}
	list, err := w.Deliveries(t.Context(), boss, c.ID, "", 0, 1)
	if err != nil || list[0].Notice.Actor != "" || list[0].Notice.Reason != fmt.Sprintf("token %d was used", out.Token.ID) {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestNoticeOfAnUndo takes a rotation back: who was told that it began is told that it is
// over, and that nobody need to change anything.
func TestNoticeOfAnUndo(t *testing.T) {
	w, _, c := newNoticeWorld(t)
	account, boss := w.machine("ci", hallpass.RoleViewer).ServiceAccount(), w.human("admin")
	made, err := w.CreateToken(t.Context(), boss, account, admin.NewToken{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.RotateToken(t.Context(), boss, account, made.Token.ID, admin.Rotate{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.UndoRotation(t.Context(), boss, account, out.Token.ID); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"t token.rotated", "t token.rotation_undone"}, w.toldOf(c, made.Token.ID)); d != "" {
		t.Error(d)
	}
	list, err := w.Deliveries(t.Context(), boss, c.ID, "", 0, 1)
	if n := list[0].Notice; err != nil || n.Successor != out.Token.ID || n.State != hallpass.TokenLive || n.Actor != "admin" || !strings.Contains(n.Text(), fmt.Sprintf("the token %d, which replaced it, has ended", out.Token.ID)) {
		t.Errorf("it tells %+v, %v", n, err)
	}
}

// TestNoticeOfADeletion deletes a token that another replaces: that is told as its end. A
// token that none replaces is deleted without a notice.
func TestNoticeOfADeletion(t *testing.T) {
	w, _, c := newNoticeWorld(t)
	account, boss := w.machine("ci", hallpass.RoleViewer).ServiceAccount(), w.human("admin")
	for name, rotated := range map[string]bool{"replaced": true, "alone": false} {
		made, err := w.CreateToken(t.Context(), boss, account, admin.NewToken{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if rotated {
			if _, err := w.RotateToken(t.Context(), boss, account, made.Token.ID, admin.Rotate{}); err != nil {
				t.Fatal(err)
			}
			want = []string{name + " token.rotated", name + " token.retired"}
		}
		if err := w.DeleteToken(t.Context(), boss, account, made.Token.ID); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, w.toldOf(c, made.Token.ID)); d != "" {
			t.Errorf("%s (want, got):\n%s", name, d)
		}
	}
}

// TestNoticePlaces uses a token from two places on its first day and from one later: the
// last is told, once.
func TestNoticePlaces(t *testing.T) {
	w, clock, c := newNoticeWorld(t)
	account := w.machine("ci", hallpass.RoleViewer).ServiceAccount()
	made, err := w.CreateToken(t.Context(), w.human("admin"), account, admin.NewToken{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	use := func(address string) {
		from := hallpass.From{Address: address, UserAgent: "curl/8"}
		err := errors.Join(
			w.db.SaveUses(t.Context(), []store.TokenUse{{Token: made.Token.ID, Use: hallpass.Use{At: clock.Now(), Address: address, UserAgent: "curl/8"}}}),
			w.db.AddTokenUsage(t.Context(), []store.TokenUsed{{Token: made.Token.ID, TokenUsage: hallpass.TokenUsage{
				Places: []hallpass.TokenPlace{{From: from, Status: 200, First: clock.Now(), Last: clock.Now(), Count: 1}},
			}}}),
			w.NoticePlaces(t.Context()), w.NoticePlaces(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
	}
	use("10.0.0.1")
	use("10.0.0.2")
	if words := w.toldOf(c, made.Token.ID); len(words) != 0 {
		t.Errorf("on its first day: %v", words)
	}
	clock.Wind(25 * time.Hour)
	use("10.0.0.1")
	use("10.0.0.3")
	clock.Wind(time.Minute)
	use("10.0.0.3")
	list, err := w.Deliveries(t.Context(), w.human("admin"), c.ID, "", 0, 10)
	if err != nil || len(list) != 1 || list[0].Notice.Kind != hallpass.NoticeNewPlace || list[0].Notice.From.Address != "10.0.0.3" {
		t.Errorf("told: %+v, %v", list, err)
	}
}

// toldOf is told of one token.
func (w *world) toldOf(c hallpass.Channel, id hallpass.TokenID) (words []string) {
	w.t.Helper()
	list, err := w.Deliveries(w.t.Context(), w.human("admin"), c.ID, "", 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range list {
		if n := list[len(list)-1-i].Notice; n.Token == id {
			words = append(words, n.Name+" "+string(n.Kind))
		}
	}
	return words
}
