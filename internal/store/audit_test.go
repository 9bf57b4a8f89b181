package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestAuditPages writes entries out of the order of their times and asks for
// them with every combination of filters, page by page: the pages together are
// what a look at each entry picks, newest first, whichever index they come by.
func TestAuditPages(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		r := rand.New(rand.NewPCG(1, 2))
		var written []hallpass.AuditEntry
		logins := []string{"ana", "7", ""} // a login that looks like a number of another
		write(t, db, func(tx *store.Tx) error {
			for range 400 {
				who := r.IntN(3)
				e := hallpass.AuditEntry{
					At: noon.Add(time.Duration(r.IntN(200)) * time.Second), Org: hallpass.OrgID(r.IntN(3)),
					Actor:  hallpass.Principal{Kind: hallpass.UserPrincipal, ID: int64(6 + who), Login: logins[who]},
					Action: []string{"token.create", "token.delete", "users:read"}[r.IntN(3)], Target: fmt.Sprint("token:", r.IntN(4)),
					Outcome: []hallpass.AuditOutcome{hallpass.Done, hallpass.Refused}[r.IntN(2)], Count: 1,
				}
				var err error
				if e.ID, err = tx.Audit(e); err != nil {
					return err
				}
				written = append(written, e)
			}
			return nil
		})
		slices.SortFunc(written, func(a, b hallpass.AuditEntry) int {
			if c := b.At.Compare(a.At); c != 0 {
				return c
			}
			return int(b.ID - a.ID)
		})
		var filters []hallpass.AuditFilter
		for _, action := range []string{"", "token.create", "no.such"} {
			for _, actor := range []string{"", "ana", "7", "8", "nobody"} {
				for _, target := range []string{"", "token:3", "token:9"} {
					for _, outcome := range []hallpass.AuditOutcome{"", hallpass.Done, hallpass.Refused} {
						for _, org := range []hallpass.OrgID{0, 2, 9} {
							filters = append(filters, hallpass.AuditFilter{Action: action, Actor: actor, Target: target, Outcome: outcome, Org: org})
						}
					}
				}
			}
		}
		for i, f := range filters {
			f.Limit = 1 + i%40
			if i%3 > 0 {
				f.From = noon.Add(50 * time.Second)
			}
			if i%4 > 1 {
				f.To = noon.Add(150 * time.Second)
			}
			var want, got []hallpass.AuditID
			for _, e := range written {
				if f.Picks(e) {
					want = append(want, e.ID)
				}
			}
			for again := true; again; again = !f.Before.IsZero() {
				page, err := db.Audit(t.Context(), f)
				if err != nil {
					t.Fatalf("%+v: %v", f, err)
				}
				if len(page.Entries) > f.Limit {
					t.Fatalf("%+v: %d entries", f, len(page.Entries))
				}
				for _, e := range page.Entries {
					got = append(got, e.ID)
				}
				if page.Next != (hallpass.AuditCursor{}) && page.Next == f.Before {
					t.Fatalf("%+v: the page leads to itself", f)
				}
				f.Before = page.Next
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v: %v, want %v", f, got, want)
			}
		}
	})
}

// TestAuditBudget asks a long audit for what is frequent and never together: each
// page looks through a part, says where to go on, and the pages come to an end
// with all there is.
func TestAuditBudget(t *testing.T) {
	onSQLite(t, func(t *testing.T, db *store.DB, path string) {
		raw, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = raw.Exec(`
			INSERT INTO audit (id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
			SELECT 10 + i, 10 + i / 3, i % 2, 1, 1, 'ana', 0, CASE WHEN i % 2 = 0 OR i = 7 THEN 'even' ELSE 'odd' END, '', 'ok', '', '', '', 1
			FROM   n`)
		if err := errors.Join(err, raw.Close()); err != nil {
			t.Fatal(err)
		}
		pages, found := 0, 0
		for f := (hallpass.AuditFilter{Org: 1, Action: "even", Limit: 5}); ; pages++ {
			page, err := db.Audit(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			found += len(page.Entries)
			if page.Next.IsZero() {
				break
			}
			f.Before = page.Next
		}
		if pages < 2 || pages > 10 || found != 1 {
			t.Errorf("%d pages with %d entries, want a few and the one that there is", pages, found)
		}
	})
}

// TestAuditOfLongTexts writes entries whose texts are as long as somebody likes,
// and cannot be shortened by a database: each is written, for one that is not
// keeps those beside it from being written.
func TestAuditOfLongTexts(t *testing.T) {
	var b strings.Builder
	for i := range 5_000 {
		b.WriteRune(rune(0x20000 + i*11))
	}
	long := b.String()
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		for i, e := range []hallpass.AuditEntry{
			{Target: "roles:uid:" + long}, {Actor: hallpass.Principal{Login: long}}, {Action: long}, {Reason: long}, {From: hallpass.From{Address: long}},
			{From: hallpass.From{UserAgent: long}}, {Actor: hallpass.Principal{Login: long}, Action: long, Target: long, Reason: long},
		} {
			e.At, e.Outcome = noon, hallpass.Refused
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Audit(e)
				return err
			})
			if err != nil {
				t.Errorf("entry %d: %v", i, err)
			}
		}
	})
}

// TestAuditAbout asks for what was done to things and what somebody did: each entry comes
// once, in the order of time, on pages of any size.
func TestAuditAbout(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "About")
		robot := hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: 7_000_001, Login: "sa-about"}
		write(t, db, func(tx *store.Tx) error {
			for i, e := range []hallpass.AuditEntry{
				{Action: "token.create", Target: "token:7000001"},
				{Action: "token.create", Target: "token:7000002"},
				{Action: "serviceaccount.update", Target: "serviceaccount:7000001"},
				{Action: "token.verify", Target: "token:7000001", Actor: robot, Token: 7_000_001, Outcome: hallpass.Refused}, // of two things
				{Action: "folders:create", Actor: robot, Token: 7_000_001, Outcome: hallpass.Refused},
				{Action: "folders:create", Actor: robot, Token: 7_000_003, Outcome: hallpass.Refused},
			} {
				e.Org, e.At = org.ID, noon.Add(time.Duration(i)*time.Second)
				if e.Outcome == "" {
					e.Outcome = hallpass.Done
				}
				if _, err := tx.Audit(e); err != nil {
					return err
				}
			}
			return nil
		})
		for _, tt := range []struct {
			about hallpass.AuditAbout
			want  []int // seconds after noon
		}{
			{hallpass.AuditAbout{Targets: []string{"token:7000001"}}, []int{3, 0}},
			{hallpass.AuditAbout{Targets: []string{"serviceaccount:7000001", "token:7000001"}, Actor: robot.ID}, []int{5, 4, 3, 2, 0}},
			{hallpass.AuditAbout{Targets: []string{"token:7000001"}, Actor: robot.ID, Token: 7_000_001}, []int{4, 3, 0}},
			{hallpass.AuditAbout{Targets: []string{"token:7999999"}}, nil},
		} {
			for _, limit := range []int{1, 2, 50} {
				var got []int
				f := hallpass.AuditFilter{Org: org.ID, About: &tt.about, Limit: limit}
				for range 10 {
					page, err := db.Audit(t.Context(), f)
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range page.Entries {
						got = append(got, int(e.At.Sub(noon)/time.Second))
					}
					if f.Before = page.Next; f.Before.IsZero() {
						break
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("about %+v, %d a page: %v, want %v", tt.about, limit, got, tt.want)
				}
			}
		}
	})
}
