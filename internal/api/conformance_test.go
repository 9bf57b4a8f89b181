package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// expect fails the test unless the answer has the status and each text.
func expect(t *testing.T, what string, r hallpasstest.Response, status int, says ...string) {
	t.Helper()
	if r.StatusCode != status {
		t.Errorf("%s: %d %s, want %d", what, r.StatusCode, r.Text, status)
	}
	for _, s := range says {
		if !strings.Contains(r.Text, s) {
			t.Errorf("%s: %s does not say %s", what, r.Text, s)
		}
	}
}

// made decodes the answer to a call that created something.
func made(t *testing.T, r hallpasstest.Response) (m struct {
	ID   int64
	UID  string
	Name string
	Key  string
}) {
	t.Helper()
	if r.StatusCode > 201 {
		t.Fatalf("not made: %d %s", r.StatusCode, r.Text)
	}
	if err := json.Unmarshal([]byte(r.Text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// account creates a service account and returns its path.
func account(t *testing.T, s *hallpasstest.Server, name, role string) string {
	t.Helper()
	return fmt.Sprintf("/api/serviceaccounts/%d", made(t, s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q,"role":%q}`, name, role))).ID)
}

// token creates a token of the account with that path and returns its secret.
func token(t *testing.T, s *hallpasstest.Server, account, name string) string {
	t.Helper()
	return made(t, s.Do(hallpasstest.Admin, "POST", account+"/tokens", fmt.Sprintf(`{"name":%q}`, name))).Key
}

// TestConformance makes the calls of the conformance walk and compares each answer with
// Grafana's.
func TestConformance(t *testing.T) {
	s := hallpasstest.New(t)
	admin, nobody, bearer := hallpasstest.Admin, hallpasstest.Nobody, hallpasstest.Bearer
	expect(t, "1 health", s.Do(nobody, "GET", "/api/health", ""), 200, `"database": "ok"`)
	expect(t, "2 no credential", s.Do(nobody, "GET", "/api/org", ""), 401, "auth.unauthorized")
	create := s.Do(admin, "POST", "/api/serviceaccounts", `{"name":"CI One","role":"viewer"}`)
	expect(t, "3 create", create, 201, `"login":"sa-1-ci-one"`, `"role":"Viewer"`)
	for _, name := range []string{"CI One", "ci-one"} {
		expect(t, "4 again", s.Do(admin, "POST", "/api/serviceaccounts", `{"name":"`+name+`"}`), 400, "serviceaccounts.ErrAlreadyExists")
	}
	one := made(t, create)
	path := fmt.Sprintf("/api/serviceaccounts/%d", one.ID)
	minted := s.Do(admin, "POST", path+"/tokens", `{"name":"t1"}`)
	expect(t, "5 token", minted, 200)
	t1 := made(t, minted)
	if _, ok := secret.ParseToken(t1.Key); !ok || !regexp.MustCompile(`^glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}$`).MatchString(t1.Key) {
		t.Errorf("5 token: it has another form")
	}
	other := account(t, s, "Other", "Viewer")
	expect(t, "6 name on another account", s.Do(admin, "POST", other+"/tokens", `{"name":"t1"}`), 400, "serviceaccounts.ErrTokenAlreadyExists")
	expect(t, "7 bearer", s.Do(bearer(t1.Key), "GET", "/api/org", ""), 200, `"name":"Main Org."`)
	expect(t, "7 basic api_key", s.Do(hallpasstest.Basic("api_key", t1.Key), "GET", "/api/org", ""), 200)
	expect(t, "8 other org", s.Do(bearer(t1.Key), "GET", "/api/org", "", "X-Grafana-Org-Id: 2"), 401, "api-key.organization-mismatch")
	broken := t1.Key[:len(t1.Key)-1] + string("0123456789abcdef"[(strings.IndexByte("0123456789abcdef", t1.Key[len(t1.Key)-1])+1)%16])
	expect(t, "9 checksum", s.Do(bearer(broken), "GET", "/api/org", ""), 401, "api-key.invalid")
	expect(t, "9 unknown", s.Do(bearer(secret.NewToken().Reveal()), "GET", "/api/org", ""), 401, "api-key.invalid")
	expect(t, "10 who am I", s.Do(bearer(t1.Key), "GET", "/api/user", ""), 200, `"login":"sa-1-ci-one"`)
	expect(t, "10 users only", s.Do(bearer(t1.Key), "GET", "/api/user/orgs", ""), 403, "Endpoint only available for users")
	expect(t, "11 viewer creates", s.Do(bearer(t1.Key), "POST", "/api/serviceaccounts", `{"name":"x"}`), 403, `"title":"Access denied"`, "Permissions needed: serviceaccounts:create", `"accessErrorId":"ACE`)
	list := s.Do(admin, "GET", path+"/tokens", "")
	expect(t, "12 list", list, 200, `"secondsUntilExpiration":0`, `"isRevoked":false`)
	if strings.Contains(list.Text, `"lastUsedAt":null`) {
		t.Errorf("12 list: not used: %s", list.Text)
	}
	expect(t, "13 page 0", s.Do(admin, "GET", "/api/serviceaccounts/search?page=0", ""), 200, `"totalCount":2`, "sa-1-ci-one", `"page":1`)
	expect(t, "13 page 99", s.Do(admin, "GET", "/api/serviceaccounts/search?page=99", ""), 200, `"serviceAccounts":[]`, `"totalCount":2`)
	expect(t, "14 disable", s.Do(admin, "PATCH", path, `{"isDisabled":true}`), 200, "Service account updated")
	expect(t, "14 disabled", s.Do(bearer(t1.Key), "GET", "/api/org", ""), 401, "identity.disabled")
	expect(t, "14 enable", s.Do(admin, "PATCH", path, `{"isDisabled":false}`), 200)
	expect(t, "15 above oneself", s.Do(editorWhoWrites(t, s), "PATCH", path, `{"role":"Admin"}`), 403, "serviceaccounts.ErrRoleForbidden")
	short := made(t, s.Do(admin, "POST", path+"/tokens", `{"name":"short","secondsToLive":1}`))
	s.Clock.Wind(2 * time.Second)
	expect(t, "16 expired", s.Do(bearer(short.Key), "GET", "/api/org", ""), 401, "api-key.expired")
	expect(t, "16 list", s.Do(admin, "GET", path+"/tokens", ""), 200, `"hasExpired":true`)
	expect(t, "16 its name again", s.Do(admin, "POST", path+"/tokens", `{"name":"short"}`), 200)
	expect(t, "17 by uid", s.Do(admin, "GET", "/api/serviceaccounts/"+one.UID, ""), 200, `"teams":null`)
	expect(t, "17 unknown uid", s.Do(admin, "GET", "/api/serviceaccounts/nosuchaccount1", ""), 404, `"message":"Not found"`)
	expect(t, "18 delete token", s.Do(admin, "DELETE", fmt.Sprintf("%s/tokens/%d", path, t1.ID), ""), 200, "Service account token deleted")
	expect(t, "18 delete account", s.Do(admin, "DELETE", path, ""), 200, "Service account deleted")
	expect(t, "18 delete again", s.Do(admin, "DELETE", path, ""), 404, "serviceaccounts.ErrNotFound")
}

// editorWhoWrites creates an Editor who may write every service account.
func editorWhoWrites(t *testing.T, s *hallpasstest.Server) hallpasstest.Credential {
	t.Helper()
	editor := s.User("editor", hallpass.RoleEditor)
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		u, err := tx.UserByLogin("editor")
		if err != nil {
			return err
		}
		writer, _ := hallpass.FixedRole("fixed_iBvUNUEZBZ7PUW0vdkN5iojc2sk")
		_, err = tx.Assign(store.Assignment{
			Org: hallpass.FirstOrg, To: hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(u.ID)}, RoleUID: writer.UID,
		}, s.Clock.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return editor
}

// TestPowerIsNotHandedUp has an Editor who may write accounts try to gain an
// Admin's power through one (SEC-11).
func TestPowerIsNotHandedUp(t *testing.T) {
	s := hallpasstest.New(t)
	strong := account(t, s, "strong", "Admin")
	editor := editorWhoWrites(t, s)
	expect(t, "mint on a stronger account", s.Do(editor, "POST", strong+"/tokens", `{"name":"x"}`), 403, "serviceaccounts.ErrRoleForbidden")
	expect(t, "its tokens", s.Do(hallpasstest.Admin, "GET", strong+"/tokens", ""), 200, "[]")
	expect(t, "disable it", s.Do(editor, "PATCH", strong, `{"isDisabled":true}`), 200)
	expect(t, "enable it", s.Do(editor, "PATCH", strong, `{"isDisabled":false}`), 403, "serviceaccounts.ErrRoleForbidden")
	weak := account(t, s, "weak", "Viewer")
	expect(t, "mint on a weaker account", s.Do(editor, "POST", weak+"/tokens", `{"name":"y"}`), 200)
}

// TestContractIsWhatIsServed compares the routes with the paths of the contract. Each must
// have all of the other.
func TestContractIsWhatIsServed(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(hallpasstest.New(t).Do(hallpasstest.Nobody, "GET", "/openapi.json", "").Text), &doc); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{"/api/auth/keys": true} // of any method, and told for some
	for path, calls := range doc.Paths {
		for method := range calls {
			old := strings.HasPrefix(path, "/api/auth/keys") && (method != "get" || path != "/api/auth/keys")
			if method != "parameters" && !old && path != "/login" && path != "/oauth2/introspect" { // the console and the guard serve those
				told[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	served := make(map[string]bool)
	for _, p := range api.Patterns() {
		if !strings.HasSuffix(p, "/{rest...}") {
			served[p] = true
		}
	}
	if d := cmp.Diff(served, told); d != "" {
		t.Errorf("served, told by the contract:\n%s", d)
	}
}
