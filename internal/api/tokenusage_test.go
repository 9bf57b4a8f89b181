package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestTokenUsage uses a token at the API and behind a guard: the days, clients and
// actions are told, and no path, query or secret is.
func TestTokenUsage(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} })
	hallpasstest.NewGuard(t, s.Store(), hallpass.Guard{Name: "app", Org: 1, Rules: []hallpass.GuardRule{
		{Methods: []string{"GET"}, Path: "/app/{name}", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}},
		{Methods: []string{"DELETE"}, Path: "/app/{name}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "app:delete", Scope: "apps:{name}"}},
	}})
	one := account(t, s, "one", "Viewer")
	minted := made(t, s.Do(hallpasstest.Admin, "POST", one+"/tokens", `{"name":"t"}`))
	as := hallpasstest.Bearer(minted.Key)
	expect(t, "org", s.Do(as, "GET", "/api/org?secret=hush1", ""), 200)
	expect(t, "denied", s.Do(as, "POST", "/api/serviceaccounts", `{"name":"x"}`), 403)
	expect(t, "missing", s.Do(as, "GET", "/api/dashboards/uid/hush2", ""), 404)
	expect(t, "verify", s.Do(as, "GET", "/guard/verify", ""), 200)
	for method, status := range map[string]int{"GET": 200, "DELETE": 403, "PUT": 403} {
		expect(t, method, s.Do(as, "GET", "/guard/nginx/app", "", "X-Original-Method: "+method, "X-Original-Uri: /app/hush3?q=hush4", "User-Agent: curl/8"), status)
	}
	expect(t, "another org", s.Do(as, "GET", "/api/org", "", "X-Grafana-Org-Id: 2"), 401)

	path := fmt.Sprintf("%s/tokens/%d/usage", one, minted.ID)
	var u wire.TokenUsage
	var text string
	hallpasstest.Eventually(t, "all requests in the usage", func() bool {
		text = s.Do(hallpasstest.Admin, "GET", path, "").Text
		u = wire.TokenUsage{}
		return json.Unmarshal([]byte(text), &u) == nil && len(u.Days) == 1 && u.Days[0].OK+u.Days[0].Denied+u.Days[0].Failed+u.Days[0].Refused == 8
	})
	if d := u.Days[0]; d.OK != 3 || d.Denied != 3 || d.Failed != 1 || d.Refused != 1 || d.Limited != 0 {
		t.Errorf("days: %+v", d)
	}
	counts := make(map[string]int64)
	for _, p := range u.Places {
		counts[p.UserAgent] = p.Count
	}
	if counts["curl/8"] != 3 || counts["Go-http-client/1.1"] != 4 {
		t.Errorf("places: %+v", u.Places)
	}
	actions := make(map[string]int64)
	for _, a := range u.Actions {
		actions[a.Action] = a.Count
	}
	if len(actions) != 2 || actions["orgs:read"] != 1 || actions["role:Viewer"] != 1 {
		t.Errorf("actions: %+v", u.Actions)
	}
	last := `"lastUsedUserAgent":"Go-http-client/1.1","lastUsedRoute":"/guard/verify"` // the clock stands still: of uses at one time the first stays
	for _, list := range []string{one + "/tokens", "/api/tokens", fmt.Sprintf("/api/tokens/%d", minted.ID)} {
		expect(t, "route of the last use in "+list, s.Do(hallpasstest.Admin, "GET", list, ""), 200, last)
	}
	if strings.Contains(text, "hush") || strings.Contains(text, minted.Key) {
		t.Errorf("a path, a query or a secret is told: %s", text)
	}
	for query, field := range map[string]string{"?days=0": "days", "?days=401": "days", "?days=x": "days"} {
		expect(t, query, s.Do(hallpasstest.Admin, "GET", path+query, ""), 400, field)
	}
	expect(t, "no such token", s.Do(hallpasstest.Admin, "GET", one+"/tokens/999/usage", ""), 404, "ErrTokenNotFound")
	expect(t, "not for the token itself", s.Do(as, "GET", path, ""), 403)
}
