package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// needy is an org in which every section has rows.
type needy struct {
	seeder
	job      string // path of the account whose tokens these are
	blocked  string // path of the account that is disabled
	orphans  [2]string
	secrets  map[string]string
	ids      map[string]int64
	receiver *httptest.Server
	channels map[string]string // by name, their paths
}

// actionsWanted are the rows of a needy org, without those of sections that depend on
// months of usage.
var actionsWanted = []string{
	"failing: blocked enable", "failing: expired reissue", "failing: leaked show-tries", "failing: network set-networks", "failing: paused resume", "failing: replaced show-successor", "failing: revoked create",
	"apis: api0 show-guard", "apis: api1 show-guard",
	"expiring: soon rotate", "expiring: let-end let-end",
	"overlaps: held resume", "overlaps: still-used extend", "overlaps: quiet retire", "overlaps: cut-short rotate",
	"never-used: never0 revoke", "never-used: never1 revoke", "idle: idle0 pause", "idle: idle1 pause",
	"never-ends: forever0 set-end", "never-ends: forever1 set-end", "above-limit: long0 rotate", "above-limit: long1 rotate",
	"no-owner: orphan0 set-owner", "no-owner: orphan1 set-owner",
	"channels: failing fix-channel", "channels: gone fix-channel", "channels: given-up fix-channel",
	"refusals: app show-guard", "refusals: app show-guard",
}

const oneDay = 24 * time.Hour

// newNeedy starts a server and makes a needy org there.
func newNeedy(t *testing.T) *needy {
	t.Helper()
	s := hallpasstest.New(t, func(c *server.Config) {
		c.ServiceAccounts.TokenExpirationDayLimit = 365
		c.Server.TrustedProxies, c.Server.OutboundAllow = []string{"127.0.0.1"}, []string{"127.0.0.1"}
	})
	n := &needy{seeder: seeder{t, s}, secrets: make(map[string]string), ids: make(map[string]int64), channels: make(map[string]string)}
	n.job, n.blocked = account(t, s, "job", "None"), account(t, s, "disabled", "None")
	n.own(n.job)
	n.own(n.blocked)
	n.seedLongAgo()
	s.Clock.Wind(100 * oneDay)
	n.seedNow()
	n.seedTries()
	n.seedChannels()
	return n
}

// make makes a token of the account that lives for so long.
func (n *needy) make(account, name string, life time.Duration) {
	n.t.Helper()
	n.ids[name], n.secrets[name] = n.token(account, name, life)
}

// used notes that the token was used so long ago.
func (n *needy) used(name string, ago time.Duration) {
	n.t.Helper()
	use := store.TokenUse{Token: hallpass.TokenID(n.ids[name]), Use: hallpass.Use{At: n.s.Clock.Now().Add(-ago)}}
	if err := n.s.Store().SaveUses(n.t.Context(), []store.TokenUse{use}); err != nil {
		n.t.Fatal(err)
	}
}

// seedLongAgo makes what takes months to need something.
func (n *needy) seedLongAgo() {
	n.make(n.job, "expired", 90*oneDay)
	n.make(n.job, "soon", 110*oneDay)
	n.make(n.job, "let-end", 105*oneDay)
	for i := range 2 {
		n.make(n.job, fmt.Sprint("never", i), 365*oneDay)
		n.make(n.job, fmt.Sprint("idle", i), 365*oneDay)
		n.used(fmt.Sprint("idle", i), 0)
	}
}

// seedNow makes what needs something at once.
func (n *needy) seedNow() {
	t, s := n.t, n.s
	n.used("soon", oneDay)
	n.used("let-end", 60*oneDay)
	for i := range 2 {
		forever, long, orphan := fmt.Sprint("forever", i), fmt.Sprint("long", i), fmt.Sprint("orphan", i)
		n.make(n.job, forever, 300*oneDay)
		n.change(n.ids[forever], func(x *hallpass.Token) { x.ExpiresAt = time.Time{} }) // of before the limit
		n.make(n.job, long, 300*oneDay)
		n.change(n.ids[long], func(x *hallpass.Token) { x.ExpiresAt = s.Clock.Now().Add(900 * oneDay) })
		n.orphans[i] = account(t, s, orphan, "None")
		n.token(n.orphans[i], "of-"+orphan, 300*oneDay)
	}
	for _, name := range []string{"paused", "network", "revoked", "leaked", "replaced", "quiet", "still-used", "cut-short", "held"} {
		n.make(n.job, name, 300*oneDay)
	}
	n.make(n.blocked, "blocked", 300*oneDay)
	n.do("PATCH", n.path("paused"), `{"paused":true}`)
	n.do("PATCH", n.path("network"), `{"networks":["192.0.2.0/24"]}`)
	n.change(n.ids["revoked"], func(x *hallpass.Token) { x.RevokedAt, x.Ended = s.Clock.Now(), hallpass.EndedAsStale })
	n.change(n.ids["leaked"], func(x *hallpass.Token) { x.RevokedAt, x.Ended = s.Clock.Now(), hallpass.EndedByHand })
	n.do("POST", n.path("replaced")+"/rotate", `{"graceSeconds":0}`)
	n.do("PATCH", n.blocked, `{"isDisabled":true}`)
	n.do("POST", n.path("quiet")+"/rotate", `{"quietSeconds":60}`)
	n.do("POST", n.path("still-used")+"/rotate", `{"graceSeconds":10800}`)
	n.do("POST", n.path("cut-short")+"/rotate", `{"secondsToLive":60}`)
	successor := made(t, s.Do(hallpasstest.Admin, "POST", n.path("held")+"/rotate", `{}`))
	n.do("PATCH", fmt.Sprint(n.job, "/tokens/", successor.ID), `{"paused":true}`)
	s.Clock.Wind(100 * time.Minute)
	n.used("still-used", 0)
	n.used("held", 0)
}

// seedTries tries the tokens that are refused, and a guard that refuses, and has two APIs fail.
func (n *needy) seedTries() {
	for _, name := range []string{"blocked", "expired", "paused", "replaced", "revoked", "leaked"} {
		n.use(n.secrets[name], 401)
	}
	n.use(n.secrets["network"], 403)
	hallpasstest.NewGuard(n.t, n.s.Store(), hallpass.Guard{Name: "app", Org: 1, Rules: []hallpass.GuardRule{
		{Methods: []string{"GET"}, Path: "/one", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleEditor}},
		{Methods: []string{"GET"}, Path: "/two", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleEditor}},
	}})
	for _, path := range []string{"/one", "/two"} {
		r := n.s.Do(hallpasstest.Bearer(n.secrets["soon"]), "GET", "/guard/nginx/app", "", "X-Original-Method: GET", "X-Original-Uri: "+path)
		expect(n.t, path, r, 403)
	}
	var failed []hallpass.GuardAnswers
	for i := range 2 {
		id := hallpasstest.NewGuard(n.t, n.s.Store(), hallpass.Guard{Name: fmt.Sprint("api", i), Org: 1})
		failed = append(failed, hallpass.GuardAnswers{Guard: id, Minute: n.s.Clock.Now().Truncate(time.Minute), Count: 9, Failed: 9})
	}
	if err := n.s.Store().AddGuardAnswers(n.t.Context(), failed); err != nil {
		n.t.Fatal(err)
	}
}

// seedChannels makes a channel whose receiver fails, one whose receiver wants nothing
// more, and one that gave a notice up.
func (n *needy) seedChannels() {
	t, s := n.t, n.s
	n.receiver = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(map[string]int{"/failing": 500, "/gone": 410, "/given-up": 200, "/good": 200}[r.URL.Path])
	}))
	t.Cleanup(n.receiver.Close)
	for _, name := range []string{"failing", "gone", "given-up"} {
		body := fmt.Sprintf(`{"name":%q,"type":"webhook","url":"%s/%s"}`, name, n.receiver.URL, name)
		c := made(t, s.Do(hallpasstest.Admin, "POST", "/api/org/notifications", body))
		n.channels[name] = fmt.Sprint("/api/org/notifications/", c.ID)
		if name == "given-up" {
			n.giveUp(hallpass.ChannelID(c.ID))
		}
		n.do("POST", n.channels[name]+"/test", "")
	}
	if err := s.SendNotices(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// giveUp gives a notice of the channel up.
func (n *needy) giveUp(id hallpass.ChannelID) {
	n.t.Helper()
	var d wire.Delivery
	n.do("PATCH", n.channels["given-up"], `{"url":"`+n.receiver.URL+`/failing"}`)
	into(n.t, n.s.Do(hallpasstest.Admin, "POST", n.channels["given-up"]+"/test", ""), &d)
	f := store.Failure{Reason: "nobody there", At: n.s.Clock.Now()}
	if err := n.s.Store().MarkFailed(n.t.Context(), id, []hallpass.NoticeID{hallpass.NoticeID(d.ID)}, f); err != nil {
		n.t.Fatal(err)
	}
	n.do("PATCH", n.channels["given-up"], `{"url":"`+n.receiver.URL+`/given-up"}`)
}

// path returns the path of the token.
func (n *needy) path(name string) string {
	at := n.job
	if name == "blocked" {
		at = n.blocked
	}
	return fmt.Sprint(at, "/tokens/", n.ids[name])
}

// do sends what an admin asks for.
func (n *needy) do(method, path, body string) {
	n.t.Helper()
	if r := n.s.Do(hallpasstest.Admin, method, path, body); r.StatusCode >= 300 {
		n.t.Fatalf("%s %s %s: %d %s", method, path, body, r.StatusCode, r.Text)
	}
}

// rows returns the rows in the order of the page, those of failing by name and without
// those of more-power, which are a test's of their own.
func (n *needy) rows() (rows []string) {
	rows = slices.DeleteFunc(found(n.t, n.s, hallpasstest.Admin), func(r string) bool { return strings.HasPrefix(r, string(hallpass.AttentionMorePower)) })
	sortFailing(rows)
	return rows
}

// await waits until the rows are those wanted.
func (n *needy) await(what string, want []string) {
	n.t.Helper()
	var got []string
	if !hallpasstest.Within(hallpasstest.Patience, func() bool {
		got = n.rows()
		return slices.Equal(got, want)
	}) {
		n.t.Fatalf("%s (got, want):\n%s", what, cmp.Diff(got, want))
	}
}

// act does what the row says, through the API.
func (n *needy) act(row wire.AttentionRow) {
	n.t.Helper()
	token := fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", row.ServiceAccountID, row.TokenID)
	account := fmt.Sprint("/api/serviceaccounts/", row.ServiceAccountID)
	switch hallpass.AttentionAction(row.Action) {
	case hallpass.ActionRotate, hallpass.ActionReissue:
		n.do("POST", token+"/rotate", "{}")
	case hallpass.ActionCreate:
		n.do("POST", account+"/tokens", fmt.Sprintf(`{"name":%q,"secondsToLive":25920000}`, row.Token))
	case hallpass.ActionSetEnd:
		n.do("POST", token+"/rotate", `{"secondsToLive":2592000}`)
	case hallpass.ActionResume:
		n.do("PATCH", token, `{"paused":false}`)
	case hallpass.ActionPause:
		n.do("PATCH", token, `{"paused":true}`)
	case hallpass.ActionEnable:
		n.do("PATCH", account, `{"isDisabled":false}`)
	case hallpass.ActionSetNetworks:
		n.do("PATCH", token, fmt.Sprintf(`{"networks":["192.0.2.0/24",%q]}`, row.Address))
	case hallpass.ActionRetire:
		n.do("POST", token+"/retire", "")
	case hallpass.ActionExtend:
		n.do("POST", token+"/rotation/extend", `{"graceSeconds":86400}`)
	case hallpass.ActionRevoke:
		n.do("DELETE", token, "")
	case hallpass.ActionSetOwner:
		n.do("PATCH", account, `{"owner":"team-a"}`)
	case hallpass.ActionLetEnd:
		n.do("PUT", "/api/attention/"+row.Section+"/"+row.Subject+"/snooze", `{"reason":"it may end"}`)
	case hallpass.ActionFixChannel:
		channel := n.channels[row.Channel]
		n.do("PATCH", channel, `{"disabled":false,"url":"`+n.receiver.URL+`/good"}`)
		n.do("POST", channel+"/retry", "")
		n.do("POST", channel+"/test", "")
		if err := n.s.SendNotices(n.t.Context()); err != nil {
			n.t.Fatal(err)
		}
	default:
		n.t.Fatalf("nothing is known of the action %q", row.Action)
	}
}

// sections returns the sections that the query picks.
func (n *needy) sections(query string) []wire.AttentionSection {
	n.t.Helper()
	var out wire.Attention
	into(n.t, n.s.Do(hallpasstest.Admin, "GET", "/api/attention?"+query, ""), &out)
	return out.Sections
}

// TestAttentionEverySection seeds what every section shows, once each, and looks at it by
// pages, puts it off, and does what it says.
func TestAttentionEverySection(t *testing.T) {
	n := newNeedy(t)
	n.await("what was seeded", actionsWanted)
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{{"pages", n.pages}, {"put off", n.putsOff}, {"actions", n.actions}} {
		if !t.Run(part.name, part.run) {
			return // what follows begins with what this leaves
		}
	}
}

// actions does what each row says, by the call of the API behind its button: the row is
// gone, and no other. Rows that only show something are gone when it has not happened for
// a while.
func (n *needy) actions(t *testing.T) {
	want := slices.Clone(actionsWanted)
	shown := []hallpass.AttentionAction{hallpass.ActionShowTries, hallpass.ActionShowSuccessor, hallpass.ActionShowGuard}
	done := make(map[hallpass.AttentionAction]bool)
	for _, section := range n.sections("limit=1000") {
		if section.Section == string(hallpass.AttentionMorePower) {
			continue
		}
		for _, row := range section.Rows {
			action := hallpass.AttentionAction(row.Action)
			if slices.Contains(shown, action) {
				continue
			}
			n.act(row)
			done[action] = true
			name := row.Token
			if name == "" {
				name = row.ServiceAccount + row.Channel
			}
			gone := slices.Index(want, row.Section+": "+name+" "+row.Action)
			if gone < 0 {
				t.Fatalf("nobody waited for %+v", row)
			}
			want = slices.Delete(want, gone, gone+1)
			n.await(row.Action+" "+name, want)
		}
	}
	if len(done) != 14 || len(want) != 6 {
		t.Errorf("%d kinds of actions were tried: %v; left are %v", len(done), done, want)
	}

	// The old secrets are tried again: whoever does that needs the new ones.
	n.s.Clock.Wind(2 * time.Minute)
	n.use(n.secrets["revoked"], 401)
	n.await("a revoked token with a namesake", append([]string{"failing: leaked show-tries", "failing: replaced show-successor", "failing: revoked show-successor"}, want[2:]...))
	n.s.Clock.Wind(time.Hour + time.Second)
	for _, row := range n.sections("limit=1000&section=overlaps")[0].Rows { // what was replaced above, and is quiet by now
		n.act(row)
	}
	n.await("an hour without a try or an error", want[4:])
	n.s.Clock.Wind(2 * oneDay)
	n.await("two days without a refusal", nil)
}

// pages goes through each section a row at a time: no row is left out and none comes
// twice. The table has the same rows.
func (n *needy) pages(t *testing.T) {
	var subjects []string
	for _, section := range n.sections("limit=1000") {
		var whole, paged []string
		for _, row := range section.Rows {
			whole = append(whole, row.Subject)
			subjects = append(subjects, row.Section+","+row.Subject)
		}
		for after, left := "", section.Total; ; left-- {
			n.s.Clock.Wind(time.Second) // a page may be asked for later
			page := n.sections("section=" + section.Section + "&limit=1&after=" + after)[0]
			if page.Total != left {
				t.Errorf("%s after %q: a total of %d, want %d", section.Section, after, page.Total, left)
			}
			for _, row := range page.Rows {
				paged = append(paged, row.Subject)
			}
			if after = page.Next; after == "" || left == 0 {
				break
			}
		}
		if diff := cmp.Diff(paged, whole); diff != "" {
			t.Errorf("%s by pages (got, want):\n%s", section.Section, diff)
		}
		if few := section.Section == string(hallpass.AttentionMorePower) || section.Section == string(hallpass.AttentionProxy); len(whole) < 2 && !few { // an org has one row of the proxy
			t.Errorf("%s has %d rows: that shows no paging", section.Section, len(whole))
		}
	}
	var lines []string
	r := n.s.Do(hallpasstest.Admin, "GET", "/api/attention", "", "Accept: text/csv")
	for line := range strings.SplitSeq(strings.TrimSuffix(r.Text, "\r\n"), "\r\n") {
		if cells := strings.SplitN(line, ",", 3); cells[0] != "section" {
			lines = append(lines, cells[0]+","+cells[1])
		}
	}
	if diff := cmp.Diff(lines, subjects); diff != "" {
		t.Errorf("the table (got, want):\n%s", diff)
	}
}

// putsOff puts off the rows of every section, one subject of each kind among them: the
// page is empty until somebody wakes them.
func (n *needy) putsOff(t *testing.T) {
	var paths []string
	for _, section := range n.sections("limit=1000") {
		for _, row := range section.Rows {
			paths = append(paths, "/api/attention/"+row.Section+"/"+row.Subject+"/snooze")
		}
	}
	for i, path := range paths {
		n.do("PUT", path, fmt.Sprintf(`{"reason":"reason %d","days":%d}`, i, 1+i%2))
	}
	if rows := n.rows(); len(rows) > 0 {
		t.Errorf("all is put off, and there is %v", rows)
	}
	var list []wire.Snooze
	into(t, n.s.Do(hallpasstest.Admin, "GET", "/api/attention/snoozes", ""), &list)
	if len(list) != len(paths) || list[0].By != "admin" || list[0].Until.Sub(n.s.Clock.Now()) != oneDay {
		t.Errorf("%d rows are put off, want %d: %+v", len(list), len(paths), list[0])
	}
	for _, path := range paths {
		n.do("DELETE", path, "")
	}
	n.await("what was put off is awake", actionsWanted)
	for _, action := range []string{"attention.snooze", "attention.wake"} {
		var entries struct{ Entries []struct{ Target string } }
		into(t, n.s.Do(hallpasstest.Admin, "GET", "/api/audit?limit=1000&action="+action, ""), &entries)
		if len(entries.Entries) != len(paths) {
			t.Errorf("the audit has %d entries of %s, want %d", len(entries.Entries), action, len(paths))
		}
	}
}

// TestAttentionComesBack puts rows off for a day: they are back when it is over, to the
// microsecond.
func TestAttentionComesBack(t *testing.T) {
	s := hallpasstest.New(t)
	d := seeder{t, s}
	d.token(account(t, s, "orphan", "None"), "forever", 0)
	want := []string{"never-ends: forever set-end", "no-owner: orphan set-owner"}
	for _, row := range []string{"never-ends/token:1", "no-owner/serviceaccount:2"} {
		expect(t, row, s.Do(hallpasstest.Admin, "PUT", "/api/attention/"+row+"/snooze", `{"reason":"later","days":1}`), 200)
	}
	s.Clock.Wind(oneDay - time.Microsecond)
	if rows := found(t, s, hallpasstest.Admin); len(rows) > 0 {
		t.Errorf("before the time is over there is %v", rows)
	}
	s.Clock.Wind(time.Microsecond)
	if diff := cmp.Diff(found(t, s, hallpasstest.Admin), want); diff != "" {
		t.Errorf("when the time is over (got, want):\n%s", diff)
	}
}
