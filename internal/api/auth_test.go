package api_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

func header(h string) hallpasstest.Credential {
	return func(r *http.Request) {
		if h != "" {
			r.Header.Set("Authorization", h)
		}
	}
}

// TestOnlyTheHeader sends a token everywhere but in the Authorization header. Nothing
// accepts it (SEC-2).
func TestOnlyTheHeader(t *testing.T) {
	s := hallpasstest.New(t)
	key := token(t, s, account(t, s, "ci", "Viewer"), "t")
	for name, r := range map[string]hallpasstest.Response{
		"query":  s.Do(hallpasstest.Nobody, "GET", "/api/org?access_token="+key+"&token="+key+"&api_key="+key, ""),
		"cookie": s.Do(hallpasstest.Nobody, "GET", "/api/org", "", "Cookie: grafana_session="+key),
		"header": s.Do(hallpasstest.Nobody, "GET", "/api/org", "", "X-Api-Key: "+key),
		"body":   s.Do(hallpasstest.Nobody, "PUT", "/api/org", `{"name":"x","token":"`+key+`"}`),
	} {
		expect(t, name, r, 401, "auth.unauthorized")
	}
}

// signIn returns the cookie of a session.
func signIn(t *testing.T, s *hallpasstest.Server, login, password string) string {
	t.Helper()
	r := s.Do(hallpasstest.Nobody, "POST", "/login", fmt.Sprintf(`{"user":%q,"password":%q}`, login, password))
	expect(t, "sign in", r, 200, "Logged in")
	cookies := r.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "grafana_session" || !cookies[0].HttpOnly || cookies[0].Path != "/" || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Fatalf("cookies %v", cookies)
	}
	return "Cookie: grafana_session=" + cookies[0].Value
}

func TestSessions(t *testing.T) {
	s := hallpasstest.New(t)
	nobody := hallpasstest.Nobody
	cookie := signIn(t, s, "admin", hallpasstest.AdminPassword)
	expect(t, "with the cookie", s.Do(nobody, "GET", "/api/org", "", cookie), 200)
	expect(t, "a bad bearer beside it", s.Do(header("Bearer x"), "GET", "/api/org", "", cookie), 401)
	for _, origin := range []string{"Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"} {
		expect(t, origin, s.Do(nobody, "PUT", "/api/org", `{"name":"Stolen"}`, cookie, origin), 403, "request.cross-origin")
		expect(t, origin+" with a kept password", s.Do(hallpasstest.Admin, "PUT", "/api/org", `{"name":"Stolen"}`, origin), 403, "request.cross-origin")
	}
	expect(t, "from our own page", s.Do(nobody, "PUT", "/api/org", `{"name":"Main Org."}`, cookie, "Origin: "+s.URL), 200)
	for name, agent := range map[string]string{"wrong": `{"user":"admin","password":"no"}`, "unknown": `{"user":"nobody","password":"no"}`} {
		r := s.Do(nobody, "POST", "/login", agent)
		expect(t, name, r, 401, `"message":"Invalid username or password"`, `"messageId":"password-auth.failed"`)
		if len(r.Cookies()) > 0 {
			t.Errorf("%s: a cookie was set", name)
		}
	}

	second := signIn(t, s, "admin", hallpasstest.AdminPassword)
	expect(t, "a new password", s.Do(nobody, "PUT", "/api/user/password", fmt.Sprintf(`{"oldPassword":%q,"newPassword":"a quiet harbour under snow"}`, hallpasstest.AdminPassword), cookie), 200, "User password changed")
	for _, old := range []string{cookie, second} {
		expect(t, "an old session", s.Do(nobody, "GET", "/api/org", "", old), 401, "auth.unauthorized")
	}
	expect(t, "the old password", s.Do(hallpasstest.Admin, "GET", "/api/org", ""), 401)
	expect(t, "the new password", s.Do(hallpasstest.Basic("admin", "a quiet harbour under snow"), "GET", "/api/org", ""), 200)

	cookie = signIn(t, s, "admin", "a quiet harbour under snow")
	s.Clock.Wind(8 * 24 * time.Hour)
	expect(t, "rested a week", s.Do(nobody, "GET", "/api/org", "", cookie), 401)
}

var traceID = regexp.MustCompile(`"traceID":"[^"]*"`)

// TestOneFace compares the answers to unknown users, wrong passwords and disabled users
// (SEC-23), and to unknown and deleted tokens (SEC-9).
func TestOneFace(t *testing.T) {
	s := hallpasstest.New(t)
	gone := s.User("gone", hallpass.RoleViewer)
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		u, err := tx.UserByLogin("gone")
		if err != nil {
			return err
		}
		u.Disabled = true
		return tx.UpdateUser(u)
	})
	if err != nil {
		t.Fatal(err)
	}
	path := account(t, s, "ci", "Viewer")
	deleted := token(t, s, path, "t")
	expect(t, "delete", s.Do(hallpasstest.Admin, "DELETE", path+"/tokens/1", ""), 200)
	for _, alike := range [][]hallpasstest.Credential{
		{hallpasstest.Basic("stranger", "some long password"), hallpasstest.Basic("admin", "some long password"), gone},
		{hallpasstest.Bearer(deleted), hallpasstest.Bearer(secret.NewToken().Reveal()), hallpasstest.Bearer("glsa_x")},
	} {
		want := ""
		for i, c := range alike {
			r := s.Do(c, "GET", "/api/org", "")
			r.Header.Del("Date")
			got := fmt.Sprintf("%d %s %v", r.StatusCode, traceID.ReplaceAllString(r.Text, ""), r.Header)
			if i == 0 {
				want = strings.ReplaceAll(got, r.Header.Get("Content-Length"), "")
			} else if got = strings.ReplaceAll(got, r.Header.Get("Content-Length"), ""); got != want {
				t.Errorf("face %d is %s, want %s", i, got, want)
			}
		}
	}
}

func TestGuessing(t *testing.T) {
	s := hallpasstest.New(t)
	key := token(t, s, account(t, s, "ci", "Viewer"), "t")
	for i := range 10 {
		login := []string{"admin", "ADMIN", "admin@localhost", "Admin@LocalHost"}[i%4]
		expect(t, "wrong", s.Do(hallpasstest.Basic(login, "some long password"), "GET", "/api/org", ""), 401)
	}
	r := s.Do(hallpasstest.Admin, "GET", "/api/org", "")
	expect(t, "right, too late", r, 429, "login-attempt.blocked")
	if r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	expect(t, "sign in, too late", s.Do(hallpasstest.Nobody, "POST", "/login", fmt.Sprintf(`{"user":"admin","password":%q}`, hallpasstest.AdminPassword)), 429)
	expect(t, "a token meanwhile", s.Do(hallpasstest.Bearer(key), "GET", "/api/org", ""), 200)
	s.Clock.Wind(61 * time.Second)
	expect(t, "right, later", s.Do(hallpasstest.Admin, "GET", "/api/org", ""), 200)
}

func TestWhichOrg(t *testing.T) {
	s := hallpasstest.New(t)
	key := token(t, s, account(t, s, "ci", "Viewer"), "t")
	bearer, admin := hallpasstest.Bearer(key), hallpasstest.Admin
	viewer := s.User("viewer", hallpass.RoleViewer)
	for _, tt := range []struct {
		name   string
		as     hallpasstest.Credential
		path   string
		header string
		status int
		id     string
	}{
		{"token, its own", bearer, "/api/org", "X-Grafana-Org-Id: 1", 200, ""},
		{"token, no number", bearer, "/api/org", "X-Grafana-Org-Id: main", 200, ""},
		{"token, another", bearer, "/api/org", "X-Grafana-Org-Id: 7", 401, "api-key.organization-mismatch"},
		{"token, another in the query", bearer, "/api/org?targetOrgId=7", "", 401, "api-key.organization-mismatch"},
		{"token, orgId is not for it", bearer, "/api/org?orgId=7", "", 200, ""},
		{"token, another in small letters", bearer, "/api/org?targetorgid=7", "", 401, "api-key.organization-mismatch"},
		{"token, its own in all three", bearer, "/api/org?targetOrgId=1&orgId=1", "X-Grafana-Org-Id: 1", 200, ""},
		{"token, its own with zeros", bearer, "/api/org?targetOrgId=%2B01", "X-Grafana-Org-Id: 01", 200, ""},
		{"token, another with zeros", bearer, "/api/org", "X-Grafana-Org-Id: 007", 401, "api-key.organization-mismatch"},
		{"token, another with a sign", bearer, "/api/org", "X-Grafana-Org-Id: +7", 401, "api-key.organization-mismatch"},
		{"token, a number that no ID is", bearer, "/api/org", "X-Grafana-Org-Id: 99999999999999999999", 401, "api-key.organization-mismatch"},
		{"token, no ID", bearer, "/api/org?targetOrgId=0&orgId=-7", "X-Grafana-Org-Id: 0x7", 200, ""},
		{"token, nothing", bearer, "/api/org?targetOrgId=&orgId=", "X-Grafana-Org-Id: ", 200, ""},
		{"token, query without a number", bearer, "/api/org?targetOrgId=main", "X-Grafana-Org-Id: 7", 401, "api-key.organization-mismatch"},
		{"token, twice", bearer, "/api/org?targetOrgId=1&targetOrgId=7", "", 400, "targetOrgId is there twice"},
		{"token, orgId twice", bearer, "/api/org?orgId=1&OrgId=7", "", 200, ""},
		{"user, twice in a link", admin, "/api/org?orgId=1&OrgId=7", "", 400, "orgId is there twice"},
		{"token as Basic, orgId is not for it", hallpasstest.Basic("api_key", key), "/api/org?orgId=7", "", 200, ""},
		{"token as Basic, another", hallpasstest.Basic("api_key", key), "/api/org?targetOrgId=7", "", 401, "api-key.organization-mismatch"},
		{"token, a call of ours", bearer, "/api/tokens/self?targetOrgId=7", "", 401, "api-key.organization-mismatch"},
		{"token, a stream", bearer, "/api/audit?format=ndjson&targetOrgId=7", "", 401, "api-key.organization-mismatch"},
		{"token, a call that Hallpass does not have", bearer, "/api/datasources", "X-Grafana-Org-Id: 7", 401, "api-key.organization-mismatch"},
		{"token, a guard: the header belongs to the API behind", bearer, "/guard/verify?orgId=7&targetOrgId=7", "X-Grafana-Org-Id: 7", 200, ""},
		{"query before header", bearer, "/api/org?targetOrgId=1", "X-Grafana-Org-Id: 7", 200, ""},
		{"member", viewer, "/api/org", "X-Grafana-Org-Id: 1", 200, ""},
		{"not a member", viewer, "/api/org", "X-Grafana-Org-Id: 7", 403, "orgs:read"},
		{"not a member, an account", viewer, "/api/serviceaccounts/2", "X-Grafana-Org-Id: 7", 404, ""},
		{"server admin, no such org", admin, "/api/org?orgId=7", "", 404, "Organization not found"},
		{"server admin, a number that no ID is", admin, "/api/org?orgId=99999999999999999999", "", 404, "Organization not found"},
		{"server admin, an account elsewhere", admin, "/api/serviceaccounts/2", "X-Grafana-Org-Id: 7", 404, ""},
	} {
		var headers []string
		if tt.header != "" {
			headers = append(headers, tt.header)
		}
		expect(t, tt.name, s.Do(tt.as, "GET", tt.path, "", headers...), tt.status, tt.id)
	}
}
