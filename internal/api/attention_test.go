package api_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
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

// found returns "section: subject action" of every row that the caller is shown.
func found(t *testing.T, s *hallpasstest.Server, as hallpasstest.Credential) (rows []string) {
	t.Helper()
	var out wire.Attention
	into(t, s.Do(as, "GET", "/api/attention?limit=1000", ""), &out)
	for _, section := range out.Sections {
		if section.Total != len(section.Rows) || section.More {
			t.Errorf("%s: %d rows of %d", section.Section, len(section.Rows), section.Total)
		}
		for _, r := range section.Rows {
			name := r.Token
			if name == "" {
				name = r.ServiceAccount + r.Channel + r.Guard
			}
			rows = append(rows, section.Section+": "+name+" "+r.Action)
		}
	}
	return rows
}

// seeder makes tokens in states that take months to come about.
type seeder struct {
	t *testing.T
	s *hallpasstest.Server
}

// token makes a token of the account with that path that lives for so long, 0: for
// ever, and returns its ID and its secret.
func (d seeder) token(account, name string, life time.Duration) (id int64, key string) {
	d.t.Helper()
	m := made(d.t, d.s.Do(hallpasstest.Admin, "POST", account+"/tokens", fmt.Sprintf(`{"name":%q,"secondsToLive":%d}`, name, int64(life/time.Second))))
	return m.ID, m.Key
}

// change changes the token as fn says, in the database.
func (d seeder) change(id int64, fn func(*hallpass.Token)) {
	d.t.Helper()
	err := d.s.Store().Write(d.t.Context(), func(tx *store.Tx) error {
		t, err := tx.OrgToken(hallpass.FirstOrg, hallpass.TokenID(id))
		if err != nil {
			return err
		}
		if err := tx.Change(hallpass.Change{Kind: hallpass.TokenChanged, ID: id, Hash: t.Hash}); err != nil {
			return err
		}
		fn(&t)
		return tx.UpdateToken(t)
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// use uses the token once, with that status as the answer.
func (d seeder) use(key string, status int) {
	d.t.Helper()
	if r := d.s.Do(hallpasstest.Bearer(key), "GET", "/api/org", ""); r.StatusCode != status {
		d.t.Fatalf("GET /api/org: %d %s, want %d", r.StatusCode, r.Text, status)
	}
}

// own gives the account an owner, so that it is no row of its own.
func (d seeder) own(account string) {
	d.t.Helper()
	id, err := strconv.ParseInt(account[strings.LastIndexByte(account, '/')+1:], 10, 64)
	if err != nil {
		d.t.Fatal(err)
	}
	err = d.s.Store().Write(d.t.Context(), func(tx *store.Tx) error {
		a, err := tx.ServiceAccount(hallpass.FirstOrg, hallpass.ServiceAccountID(id))
		if err != nil {
			return err
		}
		a.Owner = "team-a"
		return tx.UpdateServiceAccount(a)
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// TestAttention seeds what each section shows, once, and does what each row says: the
// row is gone.
func TestAttention(t *testing.T) {
	s := hallpasstest.New(t)
	d := seeder{t, s}
	const day = 24 * time.Hour
	sa := account(t, s, "job", "Viewer")
	d.own(sa)
	goodID, good := d.token(sa, "good", 400*day)
	idle, idleKey := d.token(sa, "idle", 400*day)
	d.use(idleKey, 200)
	never, _ := d.token(sa, "never", 400*day)
	soon, soonKey := d.token(sa, "soon", 110*day)
	letEnd, letEndKey := d.token(sa, "let-end", 105*day)
	d.use(letEndKey, 200)
	forever, foreverKey := d.token(sa, "forever", 0)
	expired, expiredKey := d.token(sa, "expired", 90*day)
	d.written(idle, letEnd)
	s.Clock.Wind(100 * day)
	d.token(sa, "fresh", 10*day) // is about to be used: it is in no section
	for _, key := range []string{good, soonKey, foreverKey} {
		d.use(key, 200)
	}
	d.use(expiredKey, 401)
	paused, pausedKey := d.token(sa, "paused", 400*day)
	d.change(paused, func(x *hallpass.Token) { x.Pause.Since = s.Clock.Now() })
	d.use(pausedKey, 401)
	disabled := account(t, s, "disabled", "Viewer")
	d.own(disabled)
	_, blockedKey := d.token(disabled, "blocked", 400*day)
	into(t, s.Do(hallpasstest.Admin, "PATCH", disabled, `{"isDisabled":true}`), &struct{}{})
	d.use(blockedKey, 401)
	orphan := account(t, s, "orphan", "Viewer")
	d.token(orphan, "orphans", 400*day)
	d.written(soon, forever, goodID)

	want := []string{
		"failing: blocked enable", "failing: expired reissue", "failing: paused resume",
		"expiring: soon rotate", "expiring: let-end let-end",
		"never-used: never revoke", "idle: idle pause", "idle: let-end pause", "never-ends: forever set-end", "no-owner: orphan set-owner",
	}
	var got []string
	hallpasstest.Eventually(t, "the refusals are written", func() bool {
		got = found(t, s, hallpasstest.Admin)
		return len(got) == len(want)
	})
	sortFailing(got)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Fatalf("the page is another (got, want):\n%s", diff)
	}
	expect(t, "a viewer", s.Do(s.User("vera", hallpass.RoleViewer), "GET", "/api/attention", ""), 403)

	// What each row says.
	into(t, s.Do(hallpasstest.Admin, "PATCH", disabled, `{"isDisabled":false}`), &struct{}{})
	d.change(expired, func(x *hallpass.Token) {
		x.RevokedAt, x.Ended, x.Rotation = s.Clock.Now(), hallpass.EndedRotated, hallpass.Rotation{Successor: hallpass.TokenID(soon), At: s.Clock.Now()}
	})
	d.change(paused, func(x *hallpass.Token) { x.Pause = hallpass.Pause{} })
	for _, id := range []int64{soon, forever} {
		d.change(id, func(x *hallpass.Token) {
			x.Rotation = hallpass.Rotation{Successor: 1, At: s.Clock.Now(), CloseAt: s.Clock.Now().Add(day)}
		})
	}
	d.change(idle, func(x *hallpass.Token) { x.Pause.Since = s.Clock.Now() })
	expect(t, "revoke", s.Do(hallpasstest.Admin, "DELETE", fmt.Sprintf("%s/tokens/%d", sa, never), ""), 200)
	d.own(orphan)
	for _, section := range []string{"expiring", "idle"} {
		path := fmt.Sprintf("/api/attention/%s/token:%d/snooze", section, letEnd)
		expect(t, "snooze", s.Do(hallpasstest.Admin, "PUT", path, `{"reason":"it may end"}`), 200, `"subject":"token:`, `"by":"admin"`)
	}
	if got := found(t, s, hallpasstest.Admin); len(got) != 0 {
		t.Errorf("when all was done there are still: %v", got)
	}

	expect(t, "what is put off", s.Do(hallpasstest.Admin, "GET", "/api/attention/snoozes", ""), 200, `"reason":"it may end"`, `"section":"expiring"`)
	expect(t, "the audit", s.Do(hallpasstest.Admin, "GET", "/api/audit?action=attention.snooze", ""), 200, fmt.Sprintf(`"target":"token:%d"`, letEnd), "it may end")
	path := fmt.Sprintf("/api/attention/idle/token:%d/snooze", letEnd)
	expect(t, "let it come back", s.Do(hallpasstest.Admin, "DELETE", path, ""), 200)
	expect(t, "twice", s.Do(hallpasstest.Admin, "DELETE", path, ""), 404, "attention.not-snoozed")
	if diff := cmp.Diff(found(t, s, hallpasstest.Admin), []string{"idle: let-end pause"}); diff != "" {
		t.Errorf("it did not come back (got, want):\n%s", diff)
	}
}

// sortFailing puts the rows of failing, which come by their last try, in order of name.
func sortFailing(rows []string) {
	for i := range rows {
		for j := i + 1; j < len(rows); j++ {
			if strings.HasPrefix(rows[j], "failing: ") && rows[j] < rows[i] {
				rows[i], rows[j] = rows[j], rows[i]
			}
		}
	}
}

// written waits until first uses of the tokens are in the database.
func (d seeder) written(ids ...int64) {
	d.t.Helper()
	hallpasstest.Eventually(d.t, "the uses are written", func() bool {
		used := 0
		err := d.s.Store().Read(d.t.Context(), func(tx *store.Tx) error {
			for _, id := range ids {
				t, err := tx.OrgToken(hallpass.FirstOrg, hallpass.TokenID(id))
				if err != nil {
					return err
				}
				if !t.LastUse.At.IsZero() {
					used++
				}
			}
			return nil
		})
		if err != nil {
			d.t.Fatal(err)
		}
		return used == len(ids)
	})
}

// TestAttentionPages pages through a section, by the API and as a table.
func TestAttentionPages(t *testing.T) {
	s := hallpasstest.New(t)
	d := seeder{t, s}
	sa := account(t, s, "job", "Viewer")
	d.own(sa)
	for i := range 7 {
		d.token(sa, fmt.Sprintf("=t%d", i), 0)
	}
	var names []string
	for after, pages := "", 0; ; pages++ {
		var out wire.Attention
		into(t, s.Do(hallpasstest.Admin, "GET", "/api/attention?section=never-ends&limit=3&after="+after, ""), &out)
		if len(out.Sections) != 1 || out.Sections[0].Total != 7-3*pages {
			t.Fatalf("page %d: %+v", pages, out)
		}
		for _, r := range out.Sections[0].Rows {
			names = append(names, r.Token)
		}
		if after = out.Sections[0].Next; after == "" {
			break
		}
	}
	if diff := cmp.Diff(names, []string{"=t0", "=t1", "=t2", "=t3", "=t4", "=t5", "=t6"}); diff != "" {
		t.Errorf("the pages (got, want):\n%s", diff)
	}
	r := s.Do(hallpasstest.Admin, "GET", "/api/attention", "", "Accept: text/csv")
	if lines := strings.Split(r.Text, "\r\n"); len(lines) != 9 || !strings.HasPrefix(lines[0], "section,subject,what,action,token,") || !strings.Contains(lines[1], ",'=t0,") {
		t.Errorf("the table is %q", r.Text)
	}
	for query, says := range map[string]string{
		"section=x": "section", "limit=0": "limit", "limit=1001": "limit", "after=1.2.3": "after", "section=idle&after=x": "after", "section=idle&after=-1.2.3": "after",
	} {
		expect(t, query, s.Do(hallpasstest.Admin, "GET", "/api/attention?"+query, ""), http.StatusBadRequest, says)
	}
	for path, body := range map[string]string{
		"idle/token:1": `{}`, "idle/token:01": `{"reason":"x"}`, "idle/serviceaccount:2": `{"reason":"x"}`, "x/token:1": `{"reason":"x"}`,
		"never-ends/token:1": `{"reason":"x","days":91}`, "never-used/token:1": `{"reason":"x","days":-1}`,
	} {
		expect(t, path, s.Do(hallpasstest.Admin, "PUT", "/api/attention/"+path+"/snooze", body), http.StatusBadRequest)
	}
	expect(t, "no such token", s.Do(hallpasstest.Admin, "PUT", "/api/attention/idle/token:999/snooze", `{"reason":"x"}`), 404)
}

// TestAttentionTellsOfFailingWork has a job of the server fail: who may see the nodes is told
// of it, and an admin of the org is not.
func TestAttentionTellsOfFailingWork(t *testing.T) {
	s := hallpasstest.New(t)
	vera := s.User("vera", hallpass.RoleAdmin)
	told := func(as hallpasstest.Credential) []wire.FailingJob {
		t.Helper()
		var out wire.Attention
		into(t, s.Do(as, "GET", "/api/attention", ""), &out)
		return out.FailingWork
	}
	if list := told(hallpasstest.Admin); list == nil || len(list) > 0 {
		t.Errorf("nothing fails, and told is %+v", list)
	}
	err := s.ApplyFiles(t.Context(), server.ProvisioningConfig{Path: filepath.Join(t.TempDir(), "missing")})
	if err == nil {
		t.Fatal("a folder that is missing was read")
	}
	hallpasstest.Eventually(t, "the job to fail", func() bool { return len(told(hallpasstest.Admin)) > 0 })
	list := told(hallpasstest.Admin)
	if j := list[0]; len(list) != 1 || j.Name != "provisioning files" || j.Does == "" || j.Error != err.Error() || j.RanAt == nil {
		t.Errorf("told of %+v, want %v", list, err)
	}
	if list := told(vera); list == nil || len(list) > 0 {
		t.Errorf("who may not see the nodes is told of %+v", list)
	}
}
