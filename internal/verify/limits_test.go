package verify_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// limited makes a token with limits.
func (w *world) limited(account hallpass.ServiceAccountID, name string, l hallpass.TokenLimits) (hallpass.TokenID, string) {
	w.t.Helper()
	if err := l.Tidy(); err != nil {
		w.t.Fatal(err)
	}
	text := secret.NewToken()
	var made hallpass.Token
	err := w.db.Write(w.t.Context(), func(tx *store.Tx) (err error) {
		made, err = tx.CreateToken(hallpass.Token{
			Org: 1, ServiceAccount: account, Name: name, Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: w.clock(), Limits: l,
		})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return made.ID, text.Reveal()
}

// id returns the ID of the refusal, "" if there is none.
func id(err error) string {
	var e *hallpass.Error
	if errors.As(err, &e) {
		return e.ID
	}
	return fmt.Sprint(err)
}

func networks(t testing.TB, list ...string) []netip.Prefix {
	t.Helper()
	all, err := hallpass.ParseNetworks(list)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestNetworks presents a token from addresses in all their spellings.
func TestNetworks(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, text := w.limited(w.account("ci"), "t", hallpass.TokenLimits{Networks: networks(t, "10.0.0.0/8", "192.168.7.9", "2001:db8::/32", "fe80::/10", "2001:db9::7")})
	for _, tt := range []struct {
		address string
		in      bool
	}{
		{"10.0.0.1", true},
		{"10.255.255.255", true},
		{"11.0.0.0", false},
		{"9.255.255.255", false},
		{"192.168.7.9", true},
		{"192.168.7.8", false},
		{"192.168.7.10", false},
		{"::ffff:10.0.0.1", true},
		{"::ffff:a00:1", true},
		{"::ffff:11.0.0.1", false},
		{"::ffff:192.168.7.9", true},
		{"::10.0.0.1", false}, // an old way to write IPv4 in IPv6, which no stack sends
		{"64:ff9b::10.0.0.1", false},
		{"2001:db8::1", true},
		{"2001:DB8:0:0::1", true},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true},
		{"2001:db9::1", false},
		{"2001:db9::7", true},
		{"2001:db9:0:0:0:0:0:7", true},
		{"fe80::1", true},
		{"fe80::1%eth0", true},
		{"fec0::1", false},
		{"2001:db9::7%eth0", true},
		{"::ffff:10.0.0.1%eth0", true},
		{"10.0.0.1:80", false},
		{"[2001:db8::1]", false},
		{"[2001:db8::1]:443", false},
		{"010.0.0.1", false},
		{"10.1", false},
		{"0x0a000001", false},
		{"localhost", false},
		{"@", false},
		{"", false},
	} {
		from := hallpass.From{Address: tt.address, UserAgent: "test"}
		c, err := w.verify.Bearer(t.Context(), text, 0, from)
		if tt.in != (err == nil) {
			t.Errorf("from %q: %v, want in: %v", tt.address, err, tt.in)
		}
		if err != nil && (id(err) != "api-key.network" || hallpass.KindOf(err) != hallpass.Denied || c.Token != 0) {
			t.Errorf("from %q: %v, for %+v", tt.address, err, c)
		}
	}
	if _, err := w.verify.Bearer(t.Context(), text, 0, hallpass.From{Address: "203.0.113.9"}); err == nil || err.Error() != "This API key may not be used from 203.0.113.9" {
		t.Errorf("the refusal says %v", err)
	}
	if _, err := w.verify.Bearer(t.Context(), text, 0, hallpass.From{}); err == nil || err.Error() != "This API key may not be used from an unknown address" {
		t.Errorf("the refusal says %v", err)
	}
}

// TestRefusedFromElsewhereIsNoUse refuses a token for its network: it counts as refused
// and is in the audit, and not used.
func TestRefusedFromElsewhereIsNoUse(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	token, text := w.limited(a, "t", hallpass.TokenLimits{Networks: networks(t, "192.0.2.0/24")})
	for range 3 {
		if _, err := w.verify.Bearer(t.Context(), text, 0, home); id(err) != "api-key.network" {
			t.Fatalf("%v", err)
		}
	}
	if err := w.verify.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := w.admin.Token(t.Context(), w.caller, a, token)
	if err != nil || !got.LastUse.At.IsZero() {
		t.Errorf("the token was last used %v, %v", got.LastUse, err)
	}
	page, err := w.admin.Audit(t.Context(), w.caller, hallpass.AuditFilter{Action: "token.verify", Limit: 10})
	if err != nil || len(page.Entries) != 1 {
		t.Fatalf("%d entries, %v", len(page.Entries), err)
	}
	if e := page.Entries[0]; e.Reason != "api-key.network" || e.From.Address != home.Address || e.Token != token || e.Count != 3 {
		t.Errorf("the entry is %+v", e)
	}
	if n := w.verify.Stats().Outcomes["network"]; n != 3 {
		t.Errorf("%d refusals are counted, want 3", n)
	}
}

// TestCeilingOfAToken verifies tokens that are narrower than their account, and asks again
// after the account got more.
func TestCeilingOfAToken(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	w.role(a, hallpass.RoleAdmin)
	viewer := hallpass.RoleViewer
	_, reads := w.limited(a, "reads", hallpass.TokenLimits{ReadOnly: true})
	_, views := w.limited(a, "views", hallpass.TokenLimits{MaxRole: &viewer})
	_, teams := w.limited(a, "teams", hallpass.TokenLimits{Permissions: []hallpass.Permission{{Action: hallpass.TeamsRead}}})
	_, none := w.limited(a, "none", hallpass.TokenLimits{Permissions: []hallpass.Permission{}})
	check := func(when string) {
		t.Helper()
		for _, tt := range []struct {
			text string
			role hallpass.Role
			want string // of teams:read, teams:write, orgs:read, prometheus:query, prometheus:write
		}{{reads, hallpass.RoleViewer, "10110"}, {views, hallpass.RoleViewer, "10100"}, {teams, hallpass.RoleNone, "10000"}, {none, hallpass.RoleNone, "00000"}} {
			for _, way := range []string{"read", "in memory", "peeked at"} {
				c, err := w.verify.Bearer(t.Context(), tt.text, 0, home)
				if way == "peeked at" {
					c, _, err = w.verify.Peek(t.Context(), tt.text)
				}
				if err != nil {
					t.Fatal(err)
				}
				var got strings.Builder
				for _, p := range []hallpass.Permission{{Action: hallpass.TeamsRead, Scope: "teams:id:1"}, {Action: hallpass.TeamsWrite, Scope: "teams:id:1"}, {Action: hallpass.OrgsRead}, {Action: "prometheus:query"}, {Action: "prometheus:write"}} {
					if c.Can(p.Action, p.Scope) {
						got.WriteByte('1')
					} else {
						got.WriteByte('0')
					}
				}
				if got.String() != tt.want || c.Role != tt.role {
					t.Errorf("%s, %s: %s as %s, want %s as %s", when, way, &got, c.Role, tt.want, tt.role)
				}
			}
		}
	}
	check("at first")
	w.role(a, hallpass.RoleViewer)
	c, err := w.verify.Bearer(t.Context(), reads, 0, home)
	if err != nil || c.Can(hallpass.AuditRead, "") || c.Role != hallpass.RoleViewer {
		t.Errorf("the account lost power, and its token did not: %v, %v", c.Role, err)
	}
	w.role(a, hallpass.RoleAdmin)
	check("after the account had less")
}

// role changes the role of the account.
func (w *world) role(a hallpass.ServiceAccountID, r hallpass.Role) {
	w.t.Helper()
	if _, err := w.admin.UpdateServiceAccount(w.t.Context(), w.caller, a, hallpass.ServiceAccountPatch{Role: &r}); err != nil {
		w.t.Fatal(err)
	}
}

// TestTokensShareListedPermissions has many tokens list the same: memory holds one set
// of it as long as one of them is there.
func TestTokensShareListedPermissions(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a, b := w.account("a"), w.account("b")
	var ids []hallpass.TokenID
	for i, account := range []hallpass.ServiceAccountID{a, a, b} {
		token, text := w.limited(account, "t"+strconv.Itoa(i), hallpass.TokenLimits{Permissions: []hallpass.Permission{{Action: hallpass.OrgsRead}, {Action: "prometheus:query"}}})
		ids = append(ids, token)
		if _, err := w.verify.Bearer(t.Context(), text, 0, home); err != nil {
			t.Fatal(err)
		}
	}
	_, text := w.limited(b, "other", hallpass.TokenLimits{Permissions: []hallpass.Permission{}})
	if _, err := w.verify.Bearer(t.Context(), text, 0, home); err != nil {
		t.Fatal(err)
	}
	if sets := w.verify.ListedSets(); sets != 2 {
		t.Errorf("memory holds %d sets, want 2", sets)
	}
	for i, account := range []hallpass.ServiceAccountID{a, a, b} {
		if err := w.admin.DeleteToken(t.Context(), w.caller, account, ids[i]); err != nil {
			t.Fatal(err)
		}
	}
	if sets := w.verify.ListedSets(); sets != 1 {
		t.Errorf("memory holds %d sets after the tokens are gone, want 1", sets)
	}
}

// TestRateIsExact floods a token from 64 goroutines with a clock wound by hand: exactly as
// many requests pass as the limit says.
func TestRateIsExact(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, text := w.limited(w.account("ci"), "t", hallpass.TokenLimits{Rate: hallpass.RateLimit{Requests: 100, Every: time.Minute, Burst: 20}})
	flood := func(requests int) (passed int64) {
		var n atomic.Int64
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				for range requests / 64 {
					if _, err := w.verify.Bearer(t.Context(), text, 0, home); err == nil {
						n.Add(1)
					} else if id(err) != "api-key.rate-limited" || hallpass.KindOf(err) != hallpass.Limited {
						t.Errorf("%v", err)
					}
				}
			})
		}
		all.Wait()
		return n.Load()
	}
	total := flood(640)
	if total != 21 {
		t.Errorf("%d passed at once, want the burst and one", total)
	}
	for range 99 { // up to the last instant of the window
		w.wind(600 * time.Millisecond)
		total += flood(64)
	}
	if total != 120 {
		t.Errorf("%d passed in the first window, want 120", total)
	}
	w.wind(time.Minute)
	if n := flood(640); n != 21 {
		t.Errorf("%d passed after a rest, want 21", n)
	}
}

// TestRateIsNotBegunAnew: no change of a token, and no rotation, gives back what was used
// of its rate.
func TestRateIsNotBegunAnew(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	id, text := w.limited(a, "t", hallpass.TokenLimits{Rate: hallpass.RateLimit{Requests: 2, Every: time.Hour, Burst: 1}})
	verdicts := func(text string, n int) (list string) {
		for range n {
			switch _, err := w.verify.Bearer(t.Context(), text, 0, home); {
			case err == nil:
				list += "+"
			default:
				list += "-"
			}
		}
		return list
	}
	if got := verdicts(text, 3); got != "++-" {
		t.Fatalf("before: %s", got)
	}
	networks, none := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("192.0.0.0/3")}, []netip.Prefix{}
	for _, p := range []hallpass.TokenPatch{{Networks: &networks}, {Networks: &none}, {Name: new("another")}} {
		if _, err := w.admin.UpdateToken(t.Context(), w.caller, a, id, p); err != nil {
			t.Fatal(err)
		}
		if got := verdicts(text, 1); got != "-" {
			t.Errorf("after a change: %s", got)
		}
	}
	made, err := w.admin.RotateToken(t.Context(), w.caller, a, id, admin.Rotate{})
	if err != nil {
		t.Fatal(err)
	}
	if got := verdicts(made.Secret.Reveal(), 1); got != "-" {
		t.Errorf("the token that replaces it: %s", got)
	}
	w.wind(time.Hour)
	if got := verdicts(made.Secret.Reveal(), 3); got != "++-" {
		t.Errorf("after a rest: %s", got)
	}
}

// TestRotationSharesOneRate has the tokens of a rotation count together, whatever else is
// in memory: another token of the account, and so many rates that those that rest are let
// go.
func TestRotationSharesOneRate(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	limit := hallpass.TokenLimits{Rate: hallpass.RateLimit{Requests: 2, Every: time.Hour, Burst: 1}}
	id, old := w.limited(a, "t", limit)
	_, other := w.limited(a, "other", limit)
	pass := func(text string) bool {
		_, err := w.verify.Bearer(t.Context(), text, 0, home)
		return err == nil
	}
	if !pass(old) || !pass(other) {
		t.Fatal("before: refused")
	}
	w.wind(2 * time.Hour)
	made, err := w.admin.RotateToken(t.Context(), w.caller, a, id, admin.Rotate{})
	if err != nil {
		t.Fatal(err)
	}
	next := made.Secret.Reveal()
	if !pass(old) || !pass(next) || pass(old) || pass(next) {
		t.Error("the tokens of a rotation count apart")
	}
	w.wind(2 * time.Hour)
	for i := range 4 * verify.LeastRates { // old and next stay in memory
		verify.LeaveRate(w.verify, hallpass.TokenID(1_000_000+i), limit.Rate)
	}
	r, err := w.admin.RotateToken(t.Context(), w.caller, a, made.Token.ID, admin.Rotate{})
	if err != nil {
		t.Fatal(err)
	}
	third := r.Secret.Reveal()
	if !pass(old) || !pass(third) || pass(old) || pass(third) {
		t.Error("after rates that rest were let go, the tokens of a rotation count apart")
	}
}

// TestRateStanding looks at what a caller is told about its rate.
func TestRateStanding(t *testing.T) {
	w := newWorld(t, verify.Options{Rate: hallpass.RateLimit{Requests: 10, Every: 10 * time.Second, Burst: 2}})
	a := w.account("ci")
	_, text := w.limited(a, "t", hallpass.TokenLimits{}) // with the limit of all that have none
	for i, want := range []int{2, 1, 0} {
		c, err := w.verify.Bearer(t.Context(), text, 0, home)
		if err != nil || c.Rate.Limit.Requests != 10 || c.Rate.Left != want || c.Rate.Full != time.Duration(i+1)*time.Second {
			t.Errorf("request %d: %+v, %v; want %d left", i, c.Rate, err, want)
		}
	}
	_, err := w.verify.Bearer(t.Context(), text, 0, home)
	var e *hallpass.Error
	if !errors.As(err, &e) || e.Message != "Too many requests with this API key, try again in 1 s" || e.RetryAfter != time.Second || e.Rate.Left != 0 || e.Rate.Full != 3*time.Second {
		t.Errorf("the refusal is %+v", e)
	}
	if c, err := w.verify.BearerAgain(t.Context(), text, 0, home); err != nil || c.Token == 0 {
		t.Errorf("a request that goes on: %v", err)
	}
	w.wind(e.RetryAfter)
	if _, err := w.verify.Bearer(t.Context(), text, 0, home); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	_, own := w.limited(a, "own", hallpass.TokenLimits{Rate: hallpass.RateLimit{Requests: 1, Every: time.Second}})
	if c, err := w.verify.Bearer(t.Context(), own, 0, home); err != nil || c.Rate.Limit.Requests != 1 {
		t.Errorf("a token with a limit of its own: %+v, %v", c.Rate, err)
	}
}

// TestLimitsAllocateNothing holds the hot path to its promise for a token with every
// limit, also where its address changes.
func TestLimitsAllocateNothing(t *testing.T) {
	w := newWorld(t, verify.Options{})
	text := w.narrow()
	elsewhere := hallpass.From{Address: "2001:db8::7", UserAgent: home.UserAgent}
	for _, from := range []hallpass.From{home, elsewhere} {
		if n := testing.AllocsPerRun(1000, func() {
			if _, err := w.verify.Bearer(t.Context(), text, 0, from); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("from %s a verification allocates %v times, want 0", from.Address, n)
		}
	}
}

// narrow makes a token with a ceiling, 32 networks and a rate.
func (w *world) narrow() string {
	list := []string{"10.0.0.0/8", "2001:db8::/32"}
	for i := range 30 {
		list = append(list, fmt.Sprintf("9.%d.0.0/16", i))
	}
	_, text := w.limited(w.account("ci"), "narrow", hallpass.TokenLimits{
		ReadOnly: true, Permissions: []hallpass.Permission{{Action: hallpass.OrgsRead}}, Networks: networks(w.t, list...),
		Rate: hallpass.RateLimit{Requests: hallpass.MaxRateRequests, Every: time.Second, Burst: hallpass.MaxRateRequests},
	})
	return text
}

// BenchmarkLimits measures a verification of a token with every limit; compare with the
// hit of BenchmarkVerify.
func BenchmarkLimits(b *testing.B) {
	w := newWorld(b, verify.Options{})
	text := w.narrow()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.verify.Bearer(b.Context(), text, 0, home); err != nil {
			b.Fatal(err)
		}
		w.wind(time.Microsecond) // what a request takes of the rate
	}
}
