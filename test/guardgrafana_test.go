package test_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestGrafanaBehind runs the two files of the page about Grafana, with a stand-in that
// signs users in as its file says. It signs in who calls, until the token is deleted.
func TestGrafanaBehind(t *testing.T) {
	files := manualFiles(t, "grafana.md")
	if len(files) != 2 {
		t.Fatalf("the page has %d files", len(files))
	}
	filled := func(text string, replacements ...string) string {
		t.Helper()
		for i := 0; i < len(replacements); i += 2 {
			if !strings.Contains(text, replacements[i]) {
				t.Fatalf("the page has no %s", replacements[i])
			}
		}
		return strings.NewReplacer(replacements...).Replace(text)
	}
	var standIn atomic.Pointer[hallpasstest.Grafana]
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { standIn.Load().ServeHTTP(w, r) }))
	defer api.Close()
	own := freeAddress(t)
	hp := newGuardServer(t, filled(files[0].Text, "http://127.0.0.1:3000", api.URL, "127.0.0.1:3001", own))
	standIn.Store(hallpasstest.NewGrafana(t, filled(files[1].Text, "https://hallpass.example/guard/", hp.url+"/guard/"), time.Now))
	account, c := hp.mint(), newGuardClient(t, own)
	ask := func(path, role string) {
		t.Helper()
		res, text, err := c.send(account.key, "GET", path, nil, "X-Hallpass-Jwt", "eyJhbGciOiJub25lIn0.e30.", "X_Hallpass_Jwt", "spoofed", "X-Hallpass-Role", "Admin")
		var said struct{ Login, Role, Path string }
		if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal([]byte(text), &said) != nil || !strings.HasPrefix(said.Login, "sa-1-ci-") || said.Role != role || said.Path != path {
			t.Errorf("%s: %v %v %s, want the role %s", path, res, err, text, role)
		}
	}
	refused := func(token, reason string) {
		t.Helper()
		if res, text, err := c.send(token, "GET", "/api/user", nil); err != nil || res.StatusCode != http.StatusUnauthorized || !strings.Contains(text, reason) {
			t.Errorf("%v %v %s, want 401 with %s", res, err, text, reason)
		}
	}
	ask("/api/user", "Viewer")
	hp.must(200, "PATCH", fmt.Sprintf("/api/serviceaccounts/%d", account.account), `{"role":"Editor"}`, nil)
	ask("/api/dashboards/db", "Editor")
	ask("/d/x", "Editor")
	refused("", "auth.unauthorized")
	hp.must(200, "DELETE", fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", account.account, account.token), "", nil)
	refused(account.key, "api-key")
}
