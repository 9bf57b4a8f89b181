package guard_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/wire"
)

// askAbout sends the form to the introspection, and returns the answer.
func askAbout(s *hallpasstest.Server, as hallpasstest.Credential, form string, headers ...string) hallpasstest.Response {
	return s.Do(as, "POST", guard.IntrospectPath, form, append(headers, "Content-Type: application/x-www-form-urlencoded")...)
}

// introspector makes an account that may introspect and nothing else, and returns its
// token.
func introspector(t *testing.T, s *hallpasstest.Server) string {
	t.Helper()
	account, key := token(t, s, "api", "None")
	r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/roles", `{"uid":"asks","name":"asks","permissions":[{"action":"tokens:introspect"}]}`)
	if r.StatusCode != 201 {
		t.Fatal(r.Text)
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/"+account+"/roles", `{"roleUid":"asks"}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	return key
}

// TestIntrospect asks about a good token: the answer has what RFC 7662 names, and the
// token counts as used.
func TestIntrospect(t *testing.T) {
	s := hallpasstest.New(t)
	asker := introspector(t, s)
	account, key := token(t, s, "ci", "None")
	const role = `{"uid":"r","name":"r","permissions":[{"action":"loki:read","scope":"loki:tenants:a"},{"action":"loki:read","scope":"loki:tenants:b"},{"action":"prometheus:query"}]}`
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/roles", role); r.StatusCode != 201 {
		t.Fatal(r.Text)
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/"+account+"/roles", `{"roleUid":"r"}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	made := s.Clock.Now().Unix()
	for _, as := range []hallpasstest.Credential{hallpasstest.Bearer(asker), hallpasstest.Basic("api_key", asker)} {
		r := askAbout(s, as, "token_type_hint=access_token&token="+url.QueryEscape(key)+"&client_id=x")
		var got wire.Introspection
		if err := json.Unmarshal([]byte(r.Text), &got); err != nil || r.StatusCode != 200 {
			t.Fatalf("%d %s", r.StatusCode, r.Text)
		}
		want := wire.Introspection{
			Active: true, Subject: "sa-1-ci", Username: "ci", Scope: "loki:read loki:read@loki:tenants:a loki:read@loki:tenants:b prometheus:query",
			IssuedAt: made, ClientID: account, TokenType: "Bearer", OrgID: 1, Role: "None",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("the answer (-want +got):\n%s", d)
		}
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the headers are %v", r.Header)
		}
	}
	if r := s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/"+account+"/tokens", ""); strings.Contains(r.Text, `"lastUsedAt":null`) {
		t.Errorf("not used: %s", r.Text)
	}
	r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+account+"/tokens", `{"name":"short","secondsToLive":60}`)
	_, rest, _ := strings.Cut(r.Text, `"key":"`)
	short, _, _ := strings.Cut(rest, `"`)
	var got wire.Introspection
	if err := json.Unmarshal([]byte(askAbout(s, hallpasstest.Bearer(asker), "token="+short).Text), &got); err != nil || got.ExpiresAt != made+60 {
		t.Errorf("%+v, %v; want it to expire at %d", got, err, made+60)
	}
}

// TestIntrospectInactive asks about tokens that are no good, each in its own way: the
// answer is the same.
func TestIntrospectInactive(t *testing.T) {
	s := hallpasstest.New(t)
	asker := introspector(t, s)
	account, key := token(t, s, "off", "Viewer")
	if r := s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+account, `{"isDisabled":true}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	for name, text := range map[string]string{
		"disabled": key, "unknown": secret.NewToken().Reveal(), "malformed": "glsa_x", "a password": hallpasstest.AdminPassword,
		"another org's": otherOrgToken(t, s), "with a space": key + " ", "in Bearer": "Bearer " + key,
	} {
		if r := askAbout(s, hallpasstest.Bearer(asker), "token="+url.QueryEscape(text)); r.StatusCode != 200 || r.Text != `{"active":false}` {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Text)
		}
	}
}

// otherOrgToken makes a second org with an account and returns a token of it.
func otherOrgToken(t *testing.T, s *hallpasstest.Server) string {
	t.Helper()
	r := s.Do(hallpasstest.Admin, "POST", "/api/orgs", `{"name":"Elsewhere"}`)
	if r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	r = s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"there","role":"Viewer"}`, "X-Grafana-Org-Id: 2")
	var account struct{ ID json.Number }
	if err := json.Unmarshal([]byte(r.Text), &account); err != nil || r.StatusCode != 201 {
		t.Fatal(r.Text)
	}
	r = s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+account.ID.String()+"/tokens", `{"name":"there"}`, "X-Grafana-Org-Id: 2")
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(r.Text), &made); err != nil || made.Key == "" {
		t.Fatal(r.Text)
	}
	return made.Key
}

// TestIntrospectRefuses sends what is not answered: the callers, methods and bodies that
// are wrong. No answer repeats the token.
func TestIntrospectRefuses(t *testing.T) {
	s := hallpasstest.New(t)
	asker := hallpasstest.Bearer(introspector(t, s))
	_, key := token(t, s, "ci", "Editor")
	_, admin := token(t, s, "chief", "Admin")
	form := "token=" + key
	for _, tt := range []struct {
		name, method string
		as           hallpasstest.Credential
		body         string
		headers      []string
		status       int
		holds        string
	}{
		{"an Admin", "POST", hallpasstest.Bearer(admin), form, nil, 200, `"active":true`},
		{"nobody", "POST", hallpasstest.Nobody, form, nil, 401, "auth.unauthorized"},
		{"a bad token", "POST", hallpasstest.Bearer("glsa_x"), form, nil, 401, "api-key.invalid"},
		{"a password", "POST", hallpasstest.Admin, form, nil, 401, "auth.unauthorized"},
		{"two tokens", "POST", asker, form, []string{"Authorization: Bearer x"}, 401, "request.authorization-repeated"},
		{"without the permission", "POST", hallpasstest.Bearer(key), form, nil, 403, "Permissions needed: tokens:introspect"},
		{"GET", "GET", asker, "", nil, 405, "request.method-not-allowed"},
		{"PUT", "PUT", asker, form, nil, 405, "request.method-not-allowed"},
		{"nothing", "POST", asker, "", nil, 400, "token stands once"},
		{"no token", "POST", asker, "a=b", nil, 400, "token stands once"},
		{"an empty token", "POST", asker, "token=", nil, 400, "token stands once"},
		{"two of them", "POST", asker, form + "&" + form, nil, 400, "token stands once"},
		{"no form", "POST", asker, form + "&%zz", nil, 400, "token stands once"},
		{"JSON", "POST", asker, `{"token":"` + key + `"}`, []string{"Content-Type: application/json"}, 415, "application/x-www-form-urlencoded"},
		{"too long", "POST", asker, "token=" + strings.Repeat("x", 1<<20), nil, 413, "request.too-large"},
	} {
		headers := tt.headers
		if !strings.Contains(strings.Join(headers, ""), "Content-Type") {
			headers = append(headers, "Content-Type: application/x-www-form-urlencoded")
		}
		r := s.Do(tt.as, tt.method, guard.IntrospectPath, tt.body, headers...)
		if r.StatusCode != tt.status || !strings.Contains(r.Text, tt.holds) || strings.Contains(r.Text, key) {
			t.Errorf("%s: %d %s; want %d with %s", tt.name, r.StatusCode, r.Text, tt.status, tt.holds)
		}
		if r.StatusCode == http.StatusUnauthorized && len(r.Header.Values("Www-Authenticate")) == 0 {
			t.Errorf("%s: no challenge", tt.name)
		}
	}
	if r := s.Do(asker, "POST", guard.IntrospectPath+"?token="+key, "a=b", "Content-Type: application/x-www-form-urlencoded"); r.StatusCode != 400 {
		t.Errorf("a token in the query: %d %s", r.StatusCode, r.Text)
	}
	if r := s.Do(hallpasstest.Admin, "GET", "/api/audit?action=tokens:introspect", ""); !strings.Contains(r.Text, `"outcome":"refused"`) {
		t.Errorf("the refusal is not in the audit: %s", r.Text)
	}
	if strings.Contains(s.Log(), key) {
		t.Error("the log holds the token")
	}
}
