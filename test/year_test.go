package test_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestYear lets a year pass for 60 tokens that are used, paused and resumed at random,
// under policies that change: what happens to each, and when, is what a model says.
func TestYear(t *testing.T) {
	if differ := newYear(t, 60, 1).pass(365); differ != 0 {
		t.Errorf("%d transitions differ from the model", differ)
	}
}

// year measures the same with 5,000 tokens.
func (b *bench) year() {
	y := newYear(b.t, 5000, uint64(time.Now().UnixNano()))
	differ := y.pass(365)
	b.add("a simulated year with 5,000 tokens against a model: transitions that differ", "%.0f", float64(differ), "0", differ == 0)
	b.tell("the same: pauses and revocations, each after all its notices", "%.0f", float64(y.acts))
	b.tell("the same: tokens resumed, each with the row that it had before, byte for byte", "%.0f", float64(y.resumed))
}

// A year is an org in which days pass. Each day begins with what people and programs do,
// an hour before the job runs.
type year struct {
	t       *testing.T
	db      *store.DB
	raw     *sql.DB // the same database
	admin   *admin.Admin
	boss    hallpass.Caller
	random  *rand.Rand
	now     time.Time
	day     int
	policy  hallpass.StalePolicy
	since   int // the day on which the policy was set
	channel hallpass.ChannelID
	told    hallpass.NoticeID // the last notice that was read
	tokens  []*modelToken
	byID    map[hallpass.TokenID]*modelToken
	acts    int // pauses and revocations
	resumed int // tokens
}

// A modelToken is a token as the model has it: in days, and with the rules of the
// manual written a second time.
type modelToken struct {
	made   hallpass.Token
	busy   int    // it is used on one day of so many
	active int    // the day of its last use, or of its making, or on which it was found resumed
	paused int    // twice the day on which it was paused, and 1 if a person did it, 2 if the policy did; 0: it is not
	noted  string // what the policy knows: "", "held" or "paused"
	mark   int    // of paused, when the policy noted it
	warned int    // the day of the first warning; -1: none
	last   int    // the days of the last warning
	ended  bool
	row    string // in the database, before it was paused
	told   []told
}

// told is a notice of one day.
type told struct {
	day int
	act string
}

func newYear(t *testing.T, tokens int, seed uint64) *year {
	t.Helper()
	path := filepath.Join(t.TempDir(), "year.db")
	y := &year{t: t, db: hallpasstest.OpenSQLite(t, path), random: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2027, 1, 1, 11, 0, 0, 0, time.UTC), byID: make(map[hallpass.TokenID]*modelToken)} // #nosec G404 -- a walk that can be made again
	t.Logf("seed %d", seed)
	y.admin = admin.New(y.db, admin.Options{Now: func() time.Time { return y.now }})
	if err := y.admin.Begin(t.Context(), admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: secret.NewText(adminPassword)}); err != nil {
		t.Fatal(err)
	}
	y.raw = sqlite(t, path)
	y.write(func(tx *store.Tx) error {
		boss, err := tx.UserByLogin("admin")
		if err != nil {
			return err
		}
		if y.boss, err = tx.UserCaller(boss, hallpass.FirstOrg); err != nil {
			return err
		}
		c, err := tx.CreateChannel(hallpass.Channel{
			Org: hallpass.FirstOrg, Name: "all", Kind: hallpass.WebhookChannel, URL: "https://example.com/", Signature: hallpass.SignatureV1a,
			Kinds: []hallpass.NoticeKind{hallpass.NoticeStale}, CreatedAt: y.now, UpdatedAt: y.now,
		})
		y.channel = c.ID
		return err
	})
	for some := 0; some < tokens; some += 500 {
		y.write(func(tx *store.Tx) error { return y.makeTokens(tx, min(500, tokens-some)) })
	}
	return y
}

func (y *year) write(fn func(*store.Tx) error) {
	y.t.Helper()
	if err := y.db.Write(y.t.Context(), fn); err != nil {
		y.t.Fatal(err)
	}
}

func (y *year) makeTokens(tx *store.Tx, n int) error {
	name := fmt.Sprint("account ", len(y.tokens))
	a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{
		UID: secret.NewUID(), Org: hallpass.FirstOrg, Name: name, Login: hallpass.ServiceAccountLogin(hallpass.FirstOrg, name), CreatedAt: y.now, UpdatedAt: y.now,
	})
	for range n {
		if err != nil {
			return err
		}
		text := secret.NewToken()
		var made hallpass.Token
		made, err = tx.CreateToken(hallpass.Token{
			Org: a.Org, ServiceAccount: a.ID, Name: fmt.Sprint("t", len(y.tokens)), Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: y.now, CreatedBy: "admin",
		})
		m := &modelToken{made: made, busy: []int{2, 20, 50, 100, 1000}[y.random.IntN(5)], warned: -1}
		y.tokens, y.byID[made.ID] = append(y.tokens, m), m
	}
	return err
}

// pass lets days pass, and returns how many transitions were others than the model's.
func (y *year) pass(days int) (differ int) {
	policies := map[int]hallpass.StalePolicy{
		3:   {AfterDays: 60, WarnDays: []int{14, 3}, Pause: true, RevokeDays: 30},
		120: {AfterDays: 45, WarnDays: []int{10, 7, 1}, Pause: true, RevokeDays: 40},
		230: {},
		260: {AfterDays: 30, WarnDays: []int{5}, Pause: true},
		310: {AfterDays: 20, WarnDays: []int{6, 2}, Pause: true, RevokeDays: 10, Exempt: []string{"owner:nobody"}},
	}
	for y.day = range days {
		if p, ok := policies[y.day]; ok {
			p.Org, p.UpdatedAt = hallpass.FirstOrg, y.now
			y.write(func(tx *store.Tx) error { return tx.SetStalePolicy(p) })
			y.policy, y.since = p, y.day
		}
		y.live()
		y.now = y.now.Add(time.Hour)
		var want []string
		for _, m := range y.tokens {
			if act := y.model(m); act != "" {
				want = append(want, fmt.Sprintf("%d %s", m.made.ID, act))
				if act == "pause-0" {
					m.row = y.rowOf(m)
				}
			}
		}
		for range 2 { // the second run has nothing to do
			if err := y.admin.ApplyTokenPolicies(y.t.Context()); err != nil {
				y.t.Fatal(err)
			}
		}
		differ += y.compare(want)
		y.now = y.now.Add(23 * time.Hour)
	}
	return differ + y.states()
}

// live is what people and programs do on one day.
func (y *year) live() {
	var uses []store.TokenUse
	var changed []*modelToken
	for _, m := range y.tokens {
		switch {
		case m.ended:
		case m.paused != 0 && y.random.IntN(60) == 0: // a person resumes it
			m.paused, m.active, m.noted, m.warned = 0, y.day, "", -1
			changed = append(changed, m)
		case m.paused == 0 && y.random.IntN(700) == 0: // a person pauses it
			m.paused = 2*y.day + 1
			changed = append(changed, m)
		case m.paused == 0 && y.random.IntN(m.busy) == 0:
			m.active = y.day
			uses = append(uses, store.TokenUse{Token: m.made.ID, Use: hallpass.Use{At: y.now}})
		}
	}
	if err := y.db.SaveUses(y.t.Context(), uses); err != nil {
		y.t.Fatal(err)
	}
	for _, m := range changed {
		y.pauseOrResume(m)
	}
}

// pauseOrResume pauses the token, or resumes it, as a person does: then its row is what it
// was before the pause, byte for byte.
func (y *year) pauseOrResume(m *modelToken) {
	y.t.Helper()
	pause := m.paused != 0
	if pause {
		m.row = y.rowOf(m)
	}
	if _, err := y.admin.UpdateToken(y.t.Context(), y.boss, m.made.ServiceAccount, m.made.ID, hallpass.TokenPatch{Paused: &pause}); err != nil {
		y.t.Fatal(err)
	}
	if pause {
		return
	}
	y.resumed++
	if row := y.rowOf(m); row != m.row || row == "" {
		y.t.Errorf("day %d: a token that was resumed is another:\n%s\nbefore it was paused:\n%s", y.day, row, m.row)
	}
}

// rowOf returns the row of the token in the database: every column and its value.
func (y *year) rowOf(m *modelToken) string {
	y.t.Helper()
	rows, err := y.raw.Query(`SELECT * FROM tokens WHERE id = $1`, int64(m.made.ID))
	if err != nil {
		y.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // it was read whole
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		y.t.Fatalf("token %d: %v, %v", m.made.ID, err, rows.Err())
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	if err := rows.Scan(values...); err != nil {
		y.t.Fatal(err)
	}
	var row strings.Builder
	for i, c := range columns {
		fmt.Fprintf(&row, "%s=%v ", c, *values[i].(*any))
	}
	return row.String()
}

// note keeps what was told of the token on this day. A pause and a revocation come after
// all the warnings of the policy, each at least as early as it says.
func (y *year) note(m *modelToken, act string) {
	y.t.Helper()
	if act == "pause-0" || act == "revoke-0" {
		y.acts++
		warnings := y.policy.WarnDays
		before := m.told[max(0, len(m.told)-len(warnings)):]
		for i, days := range warnings {
			if len(before) != len(warnings) || before[i].act != fmt.Sprint("warn-", days) || y.day-before[i].day < days {
				y.t.Errorf("day %d: %s of token %d after %v, want warnings %v", y.day, act, m.made.ID, m.told, warnings)
				break
			}
		}
	}
	m.told = append(m.told, told{y.day, act})
}

// model returns what the policy does to the token on this day, "" for nothing.
func (y *year) model(m *modelToken) string {
	switch {
	case m.ended || y.policy.AfterDays == 0:
		return ""
	case m.paused != 0 && (m.noted != "paused" || m.mark != m.paused):
		m.noted, m.warned = "held", -1
		return ""
	case m.paused != 0:
		if y.policy.RevokeDays == 0 {
			return ""
		}
		act := y.countDown(m, (m.paused-1)/2+y.policy.RevokeDays, "revoke-0")
		m.ended = act == "revoke-0"
		return act
	case m.noted != "":
		m.noted, m.active, m.warned = "", y.day, -1
	case m.warned >= 0 && m.active > m.warned || m.active == y.day:
		m.warned = -1
	}
	act := y.countDown(m, m.active+y.policy.AfterDays, "pause-0")
	if act == "pause-0" {
		if y.day-m.active < y.policy.AfterDays || y.day-y.since < y.policy.WarnDays[0] {
			y.t.Errorf("day %d: the model pauses a token that was used on day %d, under a policy of day %d", y.day, m.active, y.since)
		}
		m.paused, m.noted, m.warned = 2*y.day+2, "paused", -1
		m.mark = m.paused
	}
	return act
}

func (y *year) countDown(m *modelToken, end int, act string) string {
	longest := y.policy.WarnDays[0]
	if m.warned < 0 || m.warned < y.since {
		if y.day < end-longest {
			return ""
		}
		m.warned, m.last = y.day, longest
		return fmt.Sprint("warn-", longest)
	}
	end = max(end, m.warned+longest)
	for _, w := range slices.Backward(y.policy.WarnDays) { // the shortest first
		if w < m.last && y.day >= end-w {
			m.last = w
			return fmt.Sprint("warn-", w)
		}
	}
	if y.day >= end {
		return act
	}
	return ""
}

// compare returns how many of today's notices are not what the model wants.
func (y *year) compare(want []string) (differ int) {
	var got []string
	newest := y.told
	for before := hallpass.NoticeID(0); ; {
		var list []hallpass.Delivery
		err := y.db.Read(y.t.Context(), func(tx *store.Tx) (err error) {
			list, err = tx.Deliveries(y.channel, "", before, 1000)
			return err
		})
		if err != nil {
			y.t.Fatal(err)
		}
		for _, d := range list {
			if before = d.ID; d.ID <= y.told {
				list = nil
				break
			}
			newest = max(newest, d.ID)
			act, _, _ := strings.Cut(d.Notice.Mark, " ")
			got = append(got, fmt.Sprintf("%d %s", d.Notice.Token, act))
			y.note(y.byID[d.Notice.Token], act)
		}
		if len(list) < 1000 {
			break
		}
	}
	y.told = newest
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(got, want); diff != "" {
		y.t.Logf("day %d (got, want):\n%s", y.day, diff)
		for _, s := range got {
			if !slices.Contains(want, s) {
				differ++
			}
		}
		for _, s := range want {
			if !slices.Contains(got, s) {
				differ++
			}
		}
	}
	return differ
}

// states returns how many tokens are in another state than the model says.
func (y *year) states() (differ int) {
	count := make(map[hallpass.TokenState]int)
	for _, m := range y.tokens {
		want := hallpass.TokenLive
		if m.ended {
			want = hallpass.TokenRevoked
		} else if m.paused != 0 {
			want = hallpass.TokenPaused
		}
		err := y.db.Read(y.t.Context(), func(tx *store.Tx) error {
			t, err := tx.OrgToken(hallpass.FirstOrg, m.made.ID)
			if got := t.State(y.now, false); got != want || (t.Ended == hallpass.EndedAsStale) != m.ended {
				y.t.Logf("token %d is %s, in the model %s", t.ID, got, want)
				differ++
			}
			return err
		})
		if err != nil {
			y.t.Fatal(err)
		}
		count[want]++
	}
	y.t.Logf("in the end: %v", count)
	if len(count) != 3 {
		y.t.Errorf("the year shows too little: %v", count)
	}
	return differ
}
