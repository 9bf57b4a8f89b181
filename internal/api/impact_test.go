package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// usedAccount creates an Editor with two tokens whose use is known: one reads from two
// clients, one writes folders and stopped doing that ten days ago.
func usedAccount(t *testing.T, s *hallpasstest.Server, now time.Time) (path string, reads, writes int64) {
	t.Helper()
	path = account(t, s, "used", "Editor")
	reads, writes = made(t, s.Do(hallpasstest.Admin, "POST", path+"/tokens", `{"name":"reads"}`)).ID, made(t, s.Do(hallpasstest.Admin, "POST", path+"/tokens", `{"name":"writes"}`)).ID
	dead := made(t, s.Do(hallpasstest.Admin, "POST", path+"/tokens", `{"name":"deleted"}`)).ID
	place := func(address string, at time.Time, n int64) hallpass.TokenPlace {
		return hallpass.TokenPlace{From: hallpass.From{Address: address, UserAgent: "curl/8"}, Route: hallpass.Route{Method: "GET", Pattern: "GET /api/org"}, Status: 200, First: at, Last: at, Count: n}
	}
	did := func(action hallpass.Action, at time.Time, n int64) hallpass.TokenAction {
		return hallpass.TokenAction{Action: action, Last: at, Count: n}
	}
	old := now.AddDate(0, 0, -10)
	err := s.Store().AddTokenUsage(t.Context(), []store.TokenUsed{
		{Token: hallpass.TokenID(reads), TokenUsage: hallpass.TokenUsage{
			Places:  []hallpass.TokenPlace{place("10.0.0.1", now, 3), place("10.0.0.2", now.Add(-time.Hour), 2)},
			Actions: []hallpass.TokenAction{did("orgs:read", now, 4), did("role:Viewer", now, 1)},
		}},
		{Token: hallpass.TokenID(writes), TokenUsage: hallpass.TokenUsage{Places: []hallpass.TokenPlace{place("10.0.0.3", old, 7)}, Actions: []hallpass.TokenAction{did("folders:create", old, 7)}}},
		{Token: hallpass.TokenID(dead), TokenUsage: hallpass.TokenUsage{Places: []hallpass.TokenPlace{place("10.0.0.4", now, 1)}, Actions: []hallpass.TokenAction{did("datasources:read", now, 1)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "delete", s.Do(hallpasstest.Admin, "DELETE", fmt.Sprint(path, "/tokens/", dead), ""), 200)
	return path, reads, writes
}

// TestImpact tells before a change whose requests would fail.
func TestImpact(t *testing.T) {
	s := hallpasstest.New(t)
	path, reads, writes := usedAccount(t, s, s.Clock.Now().UTC())
	other := made(t, s.Do(hallpasstest.Admin, "POST", account(t, s, "other", "Editor")+"/tokens", `{"name":"other"}`)) // its clients are nobody's business here
	err := s.Store().AddTokenUsage(t.Context(), []store.TokenUsed{{Token: hallpass.TokenID(other.ID), TokenUsage: hallpass.TokenUsage{
		Places:  []hallpass.TokenPlace{{From: hallpass.From{Address: "10.0.0.9", UserAgent: "curl/8"}, First: s.Clock.Now(), Last: s.Clock.Now(), Count: 5}},
		Actions: []hallpass.TokenAction{{Action: "teams:read", Last: s.Clock.Now(), Count: 5}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	// What it holds on one folder is not enough for what it did on a thing that is not known.
	var folder wire.Folder
	into(t, s.Do(hallpasstest.Admin, "POST", "/api/folders", `{"title":"its own"}`), &folder)
	expect(t, "grant", s.Do(hallpasstest.Admin, "POST", "/api/folders/"+folder.UID+"/permissions", fmt.Sprintf(`{"items":[{"userId":%s,"permission":4}]}`, path[strings.LastIndex(path, "/")+1:])), 200)
	for query, want := range map[string]struct{ clients, lost string }{
		"action=disable":                                       {"10.0.0.1 10.0.0.2", "orgs:read role:Viewer"},
		"action=delete&days=30":                                {"10.0.0.1 10.0.0.2 10.0.0.3", "folders:create orgs:read role:Viewer"},
		"action=role:Viewer&days=30":                           {"10.0.0.3", "folders:create"},
		"action=role:Viewer":                                   {"", ""},
		"action=role:None":                                     {"10.0.0.1 10.0.0.2", "orgs:read role:Viewer"},
		"action=role:Admin&days=30":                            {"", ""},
		fmt.Sprint("action=token:", reads, ":revoke"):          {"10.0.0.1 10.0.0.2", "orgs:read role:Viewer"},
		fmt.Sprint("action=token:", writes, ":pause"):          {"", ""},
		fmt.Sprint("days=11&action=token:", writes, ":delete"): {"10.0.0.3", "folders:create"},
	} {
		r := s.Do(hallpasstest.Admin, "GET", path+"/impact?"+query, "")
		expect(t, query, r, 200)
		var i wire.Impact
		if err := json.Unmarshal([]byte(r.Text), &i); err != nil {
			t.Fatal(err)
		}
		var clients, lost []string
		for _, c := range i.Clients {
			clients = append(clients, c.Address)
		}
		for _, l := range i.LostActions {
			lost = append(lost, l.Action)
		}
		if strings.Join(clients, " ") != want.clients || strings.Join(lost, " ") != want.lost || i.WouldBreak != (want.clients != "") || (i.LastUse != nil) != i.WouldBreak {
			t.Errorf("%s: %s, want clients %q and lost actions %q", query, r.Text, want.clients, want.lost)
		}
	}
	for _, action := range []string{"", "explode", "disable:x", "role:Boss", "token:x:revoke", "token:1", "token:1:rotate", "role:"} {
		expect(t, action, s.Do(hallpasstest.Admin, "GET", path+"/impact?action="+action, ""), 400, "action")
	}
	expect(t, "no such token", s.Do(hallpasstest.Admin, "GET", path+"/impact?action=token:999:revoke", ""), 404, "ErrTokenNotFound")
	expect(t, "no such account", s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/999/impact?action=disable", ""), 404, "ErrNotFound")
	expect(t, "days", s.Do(hallpasstest.Admin, "GET", path+"/impact?action=disable&days=0", ""), 400, "days")
	pause := fmt.Sprint(path, "/impact?action=token:", reads, ":pause")
	expect(t, "a pause", s.Do(hallpasstest.Admin, "GET", pause, ""), 200, `"wouldBreak":true`)
	expect(t, "disable", s.Do(hallpasstest.Admin, "PATCH", path, `{"isDisabled":true}`), 200)
	expect(t, "a pause of what is refused already", s.Do(hallpasstest.Admin, "GET", pause, ""), 200, `"wouldBreak":false`)
}

// TestUsedPermissions compares what an account holds with what it used. There is no
// suggestion until the records are as long as the window.
func TestUsedPermissions(t *testing.T) {
	s := hallpasstest.New(t)
	hallpasstest.Eventually(t, "the beginning of the records", func() bool {
		var began time.Time
		err := s.Store().Read(t.Context(), func(tx *store.Tx) (err error) {
			began, err = tx.UsageBegan()
			return err
		})
		return err == nil && !began.IsZero()
	})
	account(t, s, "first", "Viewer")
	begin := s.Clock.Now().UTC()
	path, _, _ := usedAccount(t, s, begin.AddDate(0, 0, 30))
	get := func(days int) (u wire.UsedPermissions) {
		r := s.Do(hallpasstest.Admin, "GET", fmt.Sprint(path, "/permissions/used?days=", days), "")
		expect(t, "used", r, 200)
		if err := json.Unmarshal([]byte(r.Text), &u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	if u := get(90); u.Window.Complete || u.Suggestion != nil || u.Granted != u.Used+len(u.Unused) {
		t.Errorf("at the beginning: %+v", u)
	}
	s.Clock.Wind(31 * 24 * time.Hour)
	u := get(5)
	if !u.Window.Complete || u.Suggestion == nil || u.Suggestion.Role != "Viewer" || len(u.Suggestion.Also) != 0 {
		t.Errorf("of five days: %+v, %+v", u, u.Suggestion)
	}
	if u.Used == 0 || u.Granted != u.Used+len(u.Unused) || !slices.Contains(u.Unused, wire.UnusedPermission{Action: "folders:create", Scope: "folders:uid:general", From: "role Editor"}) {
		t.Errorf("of five days: %d used of %d, unused %v", u.Used, u.Granted, u.Unused)
	}
	if u := get(25); u.Suggestion == nil || u.Suggestion.Role != "Editor" {
		t.Errorf("of 25 days, in which folders were made: %+v", u.Suggestion)
	}
	if u := get(60); u.Window.Complete || u.Suggestion != nil {
		t.Errorf("of 60 days: %+v", u)
	}
	expect(t, "days", s.Do(hallpasstest.Admin, "GET", path+"/permissions/used?days=500", ""), 400, "days")
}
