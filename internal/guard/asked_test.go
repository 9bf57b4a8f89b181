package guard_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestAskedScopesAtDoors asks every door about a request to one shop, which has the name of
// the door: the usage of the token names each shop, and the account used none of its other
// permissions. Doors that ask for no permission record none.
func TestAskedScopesAtDoors(t *testing.T) {
	s := envoyed(t)
	api := newEcho(t)
	account, key := token(t, s, "ci", "None")
	permit(t, s, account, `{"action":"shop:read","scope":"shops:*"},{"action":"shop:read","scope":"shops:idle"},{"action":"tokens:introspect"}`)
	shop := hallpass.Need{Kind: hallpass.NeedPermission, Action: "shop:read", Scope: "shops:{shop}"}
	newGuard(t, s.Store(), hallpass.Guard{Name: "shop", Org: 1, Upstream: api.URL, Rules: []hallpass.GuardRule{
		{Path: "/api/shops/{shop}/{rest...}", Need: shop}, {Path: "/all", Need: shop, Captures: map[string]string{"shop": "header:X-Shops"}, Split: "|"},
	}})
	auth := "Authorization: Bearer " + key
	type door struct {
		name string
		ask  func(target string) int
	}
	var doors []door
	for _, d := range dialects {
		doors = append(doors, door{d.name, func(target string) int { return d.ask(t, s, "shop", "GET", target, auth).StatusCode }})
	}
	grpc := authv3.NewAuthorizationClient(dial(t, strings.TrimPrefix(s.URL, "http://")))
	behind := httptest.NewServer(client.Guard(s.URL, client.GuardOptions{Guard: "shop"})(api))
	defer behind.Close()
	doors = append(doors,
		door{"grpc", func(target string) int {
			return check(t, grpc, asked("shop", "GET", target, auth)).status
		}},
		door{"proxy", func(target string) int { return raw(t, s, "GET /guard/proxy/shop"+target, auth).StatusCode }},
		door{"middleware", func(target string) int { return getAs(t, behind.URL+target, key) }},
	)
	want := []string{"shops:a", "shops:b", "shops:failing"}
	for _, d := range doors {
		if status := d.ask("/api/shops/" + d.name + "/x"); status != 200 {
			t.Errorf("%s: %d", d.name, status)
		}
		want = append(want, "shops:"+d.name)
	}
	for first, status := range map[string]int{"/guard/proxy/shop/all": 200, "/guard/proxy/shop/api/shops/failing/broken": 500, "/guard/verify": 200} {
		if got := raw(t, s, "GET "+first, auth, "X-Shops: a|b|a").StatusCode; got != status {
			t.Errorf("%s: %d", first, got)
		}
	}
	if r := askAbout(s, hallpasstest.Bearer(key), "token="+key); r.StatusCode != 200 {
		t.Errorf("introspection: %d %s", r.StatusCode, r.Text)
	}
	slices.Sort(want)
	var scopes []string
	hallpasstest.Eventually(t, "the scopes of all doors in the usage", func() bool {
		var used wire.TokenUsage
		readJSON(t, s, "/api/serviceaccounts/"+account+"/tokens/1/usage", &used)
		scopes = nil
		for _, a := range used.Actions {
			if a.Action == "shop:read" {
				scopes = append(scopes, a.Scope)
			}
		}
		return slices.Equal(scopes, want)
	})
	var used wire.UsedPermissions
	readJSON(t, s, "/api/serviceaccounts/"+account+"/permissions/used", &used)
	for _, p := range used.Unused {
		if p.Action == "shop:read" && p.Scope != "shops:idle" || p.Action == "tokens:introspect" {
			t.Errorf("unused: %+v", p)
		}
	}
}

// getAs returns the status of the answer to a request with the token.
func getAs(t *testing.T, url, key string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // nobody reads it
	return res.StatusCode
}

// readJSON reads what the API answers the admin.
func readJSON(t *testing.T, s *hallpasstest.Server, path string, to any) {
	t.Helper()
	if r := s.Do(hallpasstest.Admin, "GET", path, ""); r.StatusCode != 200 || json.Unmarshal([]byte(r.Text), to) != nil {
		t.Fatalf("%s: %d %s", path, r.StatusCode, r.Text)
	}
}
