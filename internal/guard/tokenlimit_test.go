package guard_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/codes"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// limitedToken makes a token with limits for the account.
func limitedToken(t testing.TB, s *hallpasstest.Server, account, name string, l hallpass.TokenLimits) (key string) {
	t.Helper()
	id, _ := hallpass.ParseID(account[strings.LastIndexByte(account, '/')+1:])
	text := secret.NewToken()
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreateToken(hallpass.Token{
			Org: hallpass.FirstOrg, ServiceAccount: hallpass.ServiceAccountID(id), Name: name, Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: s.Clock.Now(), Limits: l,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.Reveal()
}

// fromTestNet are limits to a network that documents use.
func fromTestNet(t testing.TB) hallpass.TokenLimits {
	t.Helper()
	networks, err := hallpass.ParseNetworks([]string{"198.51.100.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	return hallpass.TokenLimits{Networks: networks}
}

// onceADay are limits of one request a day.
var onceADay = hallpass.TokenLimits{Rate: hallpass.RateLimit{Requests: 1, Every: 24 * time.Hour}}

// TestNetworksAtDoors presents a token from inside its networks and from outside, at each
// door in the header from which that door reads the client's address.
func TestNetworksAtDoors(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	account, _ := token(t, s, "reader", "Viewer")
	auth := "Authorization: Bearer " + limitedToken(t, s, account, "near", fromTestNet(t))
	newGuard(t, s.Store(), app)
	for _, d := range dialects {
		read, unread := "X-Forwarded-For: ", "X-Real-Ip: "
		if d.name == "nginx" || d.name == "haproxy" || d.name == "apache" || d.name == "ingress-nginx" {
			read, unread = unread, read
		}
		if r := d.ask(t, s, "app", "GET", "/api/x", auth, read+"198.51.100.7"); r.StatusCode != 200 {
			t.Errorf("%s, from inside: %d %s", d.name, r.StatusCode, r.text)
		}
		for _, headers := range [][]string{{read + "203.0.113.9"}, {}, {unread + "198.51.100.7"}, {read + "203.0.113.9", unread + "198.51.100.7"}} {
			r := d.ask(t, s, "app", "GET", "/api/x", append(headers, auth)...)
			if r.StatusCode != 403 || r.reason(t) != "api-key.network" || !strings.Contains(r.text, "This API key may not be used from ") || r.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s, with %q: %d %s", d.name, headers, r.StatusCode, r.text)
			}
		}
	}
	r := raw(t, s, "GET /guard/verify", auth, "X-Forwarded-For: 203.0.113.9")
	if r.StatusCode != 403 || r.reason(t) != "api-key.network" {
		t.Errorf("verify: %d %s", r.StatusCode, r.text)
	}
	if r := raw(t, s, "GET /guard/verify", auth, "X-Forwarded-For: 198.51.100.7"); r.StatusCode != 200 {
		t.Errorf("verify, from inside: %d %s", r.StatusCode, r.text)
	}
}

// TestRateAtDoors uses tokens twice that may be used once: proxies get 403, because they
// misread 429.
func TestRateAtDoors(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	account, _ := token(t, s, "reader", "Viewer")
	newGuard(t, s.Store(), app)
	const policy = `"token";q=1;w=86400`
	rateAt := func(name string, ask func(auth string) answer, passed string, refused int) {
		t.Helper()
		auth := "Authorization: Bearer " + limitedToken(t, s, account, name, onceADay)
		r := ask(auth)
		if r.StatusCode >= 400 || r.Header.Get("RateLimit-Policy") != passed || r.Header.Get("RateLimit") != `"token";r=0;t=86400` {
			t.Errorf("%s: %d %v", name, r.StatusCode, r.Header)
		}
		r = ask(auth)
		after, err := strconv.Atoi(r.Header.Get("Retry-After"))
		if r.StatusCode != refused || r.Header.Get("X-Hallpass-Reason") != "api-key.rate-limited" || err != nil || after < 86000 || r.Header.Get("RateLimit-Policy") != policy {
			t.Errorf("%s, again: %d %v %s", name, r.StatusCode, r.Header, r.text)
		}
	}
	for _, d := range dialects {
		rateAt(d.name, func(auth string) answer { return d.ask(t, s, "app", "GET", "/api/x", auth) }, "", http.StatusForbidden)
	}
	rateAt("verify", func(auth string) answer { return raw(t, s, "GET /guard/verify", auth) }, "", http.StatusForbidden)
	s = newBehind(t).Server
	account, _ = token(t, s, "rated", "Viewer")
	rateAt("proxy", func(auth string) answer { return raw(t, s, "GET /guard/proxy/app/api/x", auth) }, policy, http.StatusTooManyRequests)
}

// TestLimitsOverGRPC asks as Envoy about tokens with limits. Envoy gives the client every
// status.
func TestLimitsOverGRPC(t *testing.T) {
	s := envoyed(t)
	account, _ := token(t, s, "limited", "Viewer")
	newGuard(t, s.Store(), hallpass.Guard{Name: "limited", Org: 1, Rules: app.Rules})
	client := authv3.NewAuthorizationClient(dial(t, strings.TrimPrefix(s.URL, "http://")))
	near, once := limitedToken(t, s, account, "near", fromTestNet(t)), limitedToken(t, s, account, "once", onceADay)
	ask := func(key string) *authv3.CheckResponse {
		r, err := client.Check(t.Context(), asked("limited", "GET", "/api/x", "authorization: Bearer "+key))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	header := func(r *authv3.CheckResponse, name string) string {
		for _, h := range append(r.GetDeniedResponse().GetHeaders(), r.GetOkResponse().GetResponseHeadersToAdd()...) {
			if h.GetHeader().GetKey() == name {
				return h.GetHeader().GetValue()
			}
		}
		return ""
	}
	if r := ask(near); r.GetDeniedResponse().GetStatus().GetCode() != 403 || codes.Code(r.GetStatus().GetCode()) != codes.PermissionDenied || header(r, "x-hallpass-reason") != "api-key.network" {
		t.Errorf("from elsewhere: %v", r)
	}
	if r := ask(once); r.GetOkResponse() == nil || header(r, "ratelimit-policy") != `"token";q=1;w=86400` || header(r, "ratelimit") != `"token";r=0;t=86400` {
		t.Errorf("once: %v", r)
	}
	r := ask(once)
	if r.GetDeniedResponse().GetStatus().GetCode() != 429 || codes.Code(r.GetStatus().GetCode()) != codes.ResourceExhausted || header(r, "retry-after") == "" || header(r, "x-hallpass-reason") != "api-key.rate-limited" {
		t.Errorf("twice: %v", r)
	}
}

// TestRolesOfLimitedTokens asks for roles and permissions of guards: a token that is read
// only has the role Viewer, and one with listed permissions no role.
func TestRolesOfLimitedTokens(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	account, _ := token(t, s, "boss", "Admin")
	permission := func(path string, action hallpass.Action) hallpass.GuardRule {
		return hallpass.GuardRule{Path: path, Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: action}}
	}
	newGuard(t, s.Store(), hallpass.Guard{Name: "app", Org: 1, Rules: []hallpass.GuardRule{
		role(hallpass.RoleViewer, "/viewers"), role(hallpass.RoleEditor, "/editors"), role(hallpass.RoleNone, "/all"),
		permission("/query", "prometheus:query"), permission("/write", "prometheus:write"), permission("/teams", hallpass.TeamsRead),
	}})
	viewer := hallpass.RoleViewer
	for _, tt := range []struct {
		name   string
		limits hallpass.TokenLimits
		role   string
		passes string
	}{
		{"all", hallpass.TokenLimits{}, "Admin", "viewers editors all query write teams"},
		{"reads", hallpass.TokenLimits{ReadOnly: true}, "Viewer", "viewers all query teams"},
		{"views", hallpass.TokenLimits{MaxRole: &viewer}, "Viewer", "viewers all teams"},
		{"lists", hallpass.TokenLimits{Permissions: []hallpass.Permission{{Action: "prometheus:query"}}}, "None", "all query"},
		{"nothing", hallpass.TokenLimits{Permissions: []hallpass.Permission{}}, "None", "all"},
	} {
		auth := "Authorization: Bearer " + limitedToken(t, s, account, tt.name, tt.limits)
		for _, path := range strings.Fields("viewers editors all query write teams") {
			r := dialects[0].ask(t, s, "app", "GET", "/"+path, auth)
			want := strings.Contains(" "+tt.passes+" ", " "+path+" ")
			if r.StatusCode == 200 != want || r.StatusCode != 200 && r.StatusCode != 403 {
				t.Errorf("%s: /%s: %d %s", tt.name, path, r.StatusCode, r.text)
			}
			if want && r.Header.Get("X-Hallpass-Role") != tt.role {
				t.Errorf("%s: the API is told the role %s, want %s", tt.name, r.Header.Get("X-Hallpass-Role"), tt.role)
			}
		}
	}
}
