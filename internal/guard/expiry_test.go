package guard_test

import (
	"strings"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestTokenExpires asks every door with a token that ends within a day: the answers to
// the client tell that.
func TestTokenExpires(t *testing.T) {
	s := envoyed(t)
	api := newEcho(t)
	account, never := token(t, s, "ci", "Viewer")
	g := mesh
	g.Upstream = api.URL
	newGuard(t, s.Store(), g)
	r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+account+"/tokens", `{"name":"short","secondsToLive":86400}`)
	_, rest, _ := strings.Cut(r.Text, `"key":"`)
	key, _, _ := strings.Cut(rest, `"`)
	ends := s.Clock.Now().Add(24 * time.Hour).Format(time.RFC3339)
	for _, tt := range []struct {
		first   string
		headers []string
		status  int
	}{
		{"GET /guard/proxy/app/api/x", nil, 200},
		{"GET /guard/proxy/app/admin/x", nil, 403},
		{"GET /guard/verify", nil, 200},
		{"GET /guard/nginx/app", []string{"X-Original-Method: GET", "X-Original-URI: /api/x"}, 200},
		{"GET /guard/nginx/app", []string{"X-Original-Method: GET", "X-Original-URI: /admin/x"}, 403},
	} {
		for bearer, want := range map[string]string{key: ends, never: ""} {
			r := raw(t, s, tt.first, append([]string{"Authorization: Bearer " + bearer}, tt.headers...)...)
			if r.StatusCode != tt.status || r.Header.Get("Hallpass-Token-Expires") != want {
				t.Errorf("%s %v: %d, %q, want %d, %q: %s", tt.first, tt.headers, r.StatusCode, r.Header["Hallpass-Token-Expires"], tt.status, want, r.text)
			}
		}
	}
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		for _, tt := range []struct{ bearer, want string }{{never, ""}, {key, ends}, {never, ""}} {
			a, err := client.Check(t.Context(), asked("app", "GET", "/api/x", "Authorization: Bearer "+tt.bearer))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, h := range a.GetOkResponse().GetResponseHeadersToAdd() {
				got += h.GetHeader().GetKey() + "=" + h.GetHeader().GetValue()
			}
			if tt.want != "" {
				tt.want = "hallpass-token-expires=" + tt.want
			}
			if got != tt.want {
				t.Errorf("Envoy adds %q to the answer, want %q", got, tt.want)
			}
		}
		if refusal := check(t, client, asked("app", "GET", "/admin/x", "Authorization: Bearer "+key)); refusal.status != 403 || refusal.headers["hallpass-token-expires"] != ends {
			t.Errorf("a refusal: %+v", refusal)
		}
	})
}
