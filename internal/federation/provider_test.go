package federation_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/federation"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

func TestRedeem(t *testing.T) {
	f := newIssuer(t)
	f.Claims = map[string]any{"roles": []string{"ops", "hallpass-editors"}, "groups": []string{"dev", "dev/platform"}}
	o := f.options()
	o.Attributes = federation.Attributes{Role: "contains(roles[*], 'hallpass-admins') && 'Admin' || contains(roles[*], 'hallpass-editors') && 'Editor'", Groups: "groups"}
	p := newProvider(t, o)
	a, answer := f.begin(p)
	got, err := p.Redeem(t.Context(), a, back, answer)
	if err != nil {
		t.Fatal(err)
	}
	want := hallpass.OutsideUser{
		Issuer: f.URL, Subject: "248289761001", Login: "ada", Email: "ada@example.com", EmailProven: true, Name: "Ada Lovelace",
		Role: hallpass.RoleEditor, HasRole: true, Groups: []string{"dev", "dev/platform"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// TestBegin looks at where a browser is sent, and that the code is redeemed with the
// verifier whose digest went there (RFC 7636, 4).
func TestBegin(t *testing.T) {
	f := newIssuer(t)
	p := newProvider(t, f.options())
	a := federation.NewAttempt()
	to, err := p.Begin(t.Context(), a, back)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"client_id": "hallpass", "redirect_uri": back, "response_type": "code", "scope": "openid email", "code_challenge_method": "S256",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) != 43 {
			t.Errorf("%s = %q: not of 256 bits", name, q.Get(name))
		}
	}
	if strings.Contains(to, a.Secret().Reveal()) {
		t.Error("the address holds the secret of the attempt")
	}
	if !a.Fits(q.Get("state")) || federation.NewAttempt().Fits(q.Get("state")) || (federation.Attempt{}).Fits("") {
		t.Error("a state fits another attempt than its own")
	}
	f.Set(func() { f.Nonce = q.Get("nonce") })
	if _, err := p.Redeem(t.Context(), a, back, url.Values{"code": {"c0de"}, "state": {q.Get("state")}}); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(f.Form.Get("code_verifier")))
	if got := base64.RawURLEncoding.EncodeToString(digest[:]); got != q.Get("code_challenge") {
		t.Errorf("the verifier's digest is %s, and the challenge %s", got, q.Get("code_challenge"))
	}
}

// TestRedeemRefuses has the issuer and the browser lie in every way that matters.
func TestRedeemRefuses(t *testing.T) {
	other := newIssuer(t)
	for _, tt := range []struct {
		name   string
		kind   hallpass.Kind
		issuer func(f issuer)
		answer func(answer url.Values)
		why    string // in the log
	}{
		{name: "another issuer", kind: hallpass.Unauthenticated, why: "different provider", issuer: func(f issuer) { f.Claims = map[string]any{"iss": f.URL + "/"} }},
		{name: "another nonce", kind: hallpass.Unauthenticated, why: "nonce", issuer: func(f issuer) { f.Claims = map[string]any{"nonce": "n"} }},
		{name: "no nonce", kind: hallpass.Unauthenticated, why: "nonce", issuer: func(f issuer) { f.Claims = map[string]any{"nonce": nil} }},
		{name: "another audience", kind: hallpass.Unauthenticated, why: "audience", issuer: func(f issuer) { f.Claims = map[string]any{"aud": "grafana"} }},
		{name: "no audience", kind: hallpass.Unauthenticated, why: "audience", issuer: func(f issuer) { f.Claims = map[string]any{"aud": nil} }},
		{name: "two audiences and no party", kind: hallpass.Unauthenticated, why: "party", issuer: func(f issuer) { f.Claims = map[string]any{"aud": []string{"hallpass", "grafana"}} }},
		{name: "another party", kind: hallpass.Unauthenticated, why: "party", issuer: func(f issuer) { f.Claims = map[string]any{"azp": "grafana"} }},
		{name: "expired", kind: hallpass.Unauthenticated, why: "expired", issuer: func(f issuer) { f.Claims = map[string]any{"exp": fixedTime.Add(-time.Second).Unix()} }},
		{name: "no end", kind: hallpass.Unauthenticated, why: "expired", issuer: func(f issuer) { f.Claims = map[string]any{"exp": nil} }},
		{name: "not yet", kind: hallpass.Unauthenticated, why: "not before", issuer: func(f issuer) { f.Claims = map[string]any{"nbf": fixedTime.Add(time.Hour).Unix()} }},
		{name: "no subject", kind: hallpass.Unauthenticated, why: "subject", issuer: func(f issuer) { f.Claims = map[string]any{"sub": nil} }},
		{name: "a subject in two spellings", kind: hallpass.Unauthenticated, why: "subject", issuer: func(f issuer) { f.Claims = map[string]any{"ſub": "2", "sub": "1"} }},
		{name: "a subject without end", kind: hallpass.Unauthenticated, why: "subject", issuer: func(f issuer) { f.Claims = map[string]any{"sub": strings.Repeat("1", 256)} }},
		{name: "another access token", kind: hallpass.Unauthenticated, why: "hash", issuer: func(f issuer) { f.Claims = map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"} }},
		{name: "a key of somebody else", kind: hallpass.Unauthenticated, why: "signature", issuer: func(f issuer) {
			f.Sign = func(payload []byte) string { return hallpasstest.SignJWT(t, jose.EdDSA, other.Key, "first", payload) }
		}},
		{name: "signed with the client's secret", kind: hallpass.Unauthenticated, why: "algorithm", issuer: func(f issuer) {
			f.Sign = func(payload []byte) string {
				return hallpasstest.SignJWT(t, jose.HS256, bytes.Repeat([]byte("s"), 32), "first", payload)
			}
		}},
		{name: "not signed", kind: hallpass.Unauthenticated, why: "algorithm", issuer: func(f issuer) {
			f.Sign = func(payload []byte) string {
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
			}
		}},
		{name: "no ID token", kind: hallpass.Unauthenticated, why: "no ID token", issuer: func(f issuer) { f.Sign = func([]byte) string { return "" } }},
		{name: "no JWT", kind: hallpass.Unauthenticated, why: "malformed", issuer: func(f issuer) { f.Sign = func([]byte) string { return "a.b" } }},
		{name: "the API tells of somebody else", kind: hallpass.Unauthenticated, why: "another subject", issuer: func(f issuer) { f.Info = map[string]any{"sub": "1"} }},
		{name: "a code that was used", kind: hallpass.Unauthenticated, why: "invalid_grant", issuer: func(f issuer) {
			f.Answer["/token"] = status(http.StatusBadRequest, `{"error":"invalid_grant"}`)
		}},
		{name: "a wrong client secret", kind: hallpass.Unavailable, why: "invalid_client", issuer: func(f issuer) {
			f.Answer["/token"] = status(http.StatusUnauthorized, `{"error":"invalid_client"}`)
		}},
		{name: "no token", kind: hallpass.Unavailable, why: "502", issuer: func(f issuer) { f.Answer["/token"] = status(http.StatusBadGateway, "") }},
		{name: "no keys", kind: hallpass.Unavailable, why: "503", issuer: func(f issuer) { f.Answer["/keys"] = status(http.StatusServiceUnavailable, "") }},
		{name: "keys that are none", kind: hallpass.Unavailable, why: "decode keys", issuer: func(f issuer) { f.Answer["/keys"] = status(http.StatusOK, "<html>") }},
		{name: "no API", kind: hallpass.Unavailable, why: "404", issuer: func(f issuer) {
			f.Info = map[string]any{}
			f.Answer["/userinfo"] = http.NotFound
		}},
		{name: "an API that leads away", kind: hallpass.Unavailable, why: "302", issuer: func(f issuer) {
			f.Info = map[string]any{}
			f.Answer["/userinfo"] = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, other.URL+"/userinfo", http.StatusFound)
			}
		}},
		{name: "an answer without end", kind: hallpass.Unavailable, why: "longer than", issuer: func(f issuer) {
			f.Info = map[string]any{}
			f.Answer["/userinfo"] = func(w http.ResponseWriter, _ *http.Request) {
				for range 5 << 10 {
					if _, err := w.Write(bytes.Repeat([]byte(" "), 1024)); err != nil {
						return
					}
				}
			}
		}},
		{name: "more groups than are taken", kind: hallpass.Denied, why: "10001", issuer: func(f issuer) { f.Claims = map[string]any{"groups": groups(10_001)} }},
		{name: "groups that are elsewhere", kind: hallpass.Denied, why: "too many", issuer: func(f issuer) {
			f.Claims = map[string]any{"_claim_names": map[string]any{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]any{"endpoint": "https://graph.example.com"}}}
		}},
		{name: "the state of another browser", kind: hallpass.Invalid, answer: func(v url.Values) { v.Set("state", strings.Repeat("A", 43)) }},
		{name: "no state", kind: hallpass.Invalid, answer: func(v url.Values) { v.Del("state") }},
		{name: "no code", kind: hallpass.Invalid, answer: func(v url.Values) { v.Del("code") }},
		{name: "the answer of another issuer", kind: hallpass.Unauthenticated, why: "https://evil.example.com", answer: func(v url.Values) { v.Set("iss", "https://evil.example.com") }},
		{name: "an issuer that names itself and did not", kind: hallpass.Unauthenticated, why: "the issuer", issuer: func(f issuer) {
			f.Metadata = map[string]any{"authorization_response_iss_parameter_supported": true}
		}},
		{name: "the person said no", kind: hallpass.Denied, why: "access_denied", answer: func(v url.Values) { v.Set("error", "access_denied"); v.Del("code") }},
		{name: "the provider is busy", kind: hallpass.Unavailable, answer: func(v url.Values) { v.Set("error", "temporarily_unavailable") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newIssuer(t)
			if tt.issuer != nil {
				tt.issuer(f)
			}
			o := f.options()
			o.Attributes.Groups = "groups"
			p := newProvider(t, o)
			a, answer := f.begin(p)
			if tt.answer != nil {
				tt.answer(answer)
			}
			u, err := p.Redeem(t.Context(), a, back, answer)
			if !errors.Is(err, tt.kind) {
				t.Fatalf("%+v, %v; want an error of the kind %v", u, err, tt.kind)
			}
			if !strings.Contains(err.Error(), tt.why) {
				t.Errorf("%q does not say %q", err, tt.why)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the log gets %d bytes", len(err.Error()))
			}
		})
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func groups(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("0a1b2c3d-0000-4000-8000-%012d", i)
	}
	return list
}

func TestManyGroups(t *testing.T) {
	f := newIssuer(t)
	f.Claims = map[string]any{"groups": groups(5000)}
	o := f.options()
	o.Attributes.Groups = "groups"
	p := newProvider(t, o)
	a, answer := f.begin(p)
	u, err := p.Redeem(t.Context(), a, back, answer)
	if err != nil || len(u.Groups) != 5000 || u.Groups[4999] != groups(5000)[4999] {
		t.Errorf("%d groups, %v; want 5000", len(u.Groups), err)
	}
}

// TestBeginRefuses has the metadata lie.
func TestBeginRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		issuer func(f issuer)
	}{
		{"metadata of another issuer", func(f issuer) { f.Metadata = map[string]any{"issuer": "https://evil.example.com"} }},
		{"a token endpoint in the clear", func(f issuer) {
			f.Metadata = map[string]any{"token_endpoint": "http://accounts.example.com/token"}
		}},
		{"no token endpoint", func(f issuer) { f.Metadata = map[string]any{"token_endpoint": ""} }},
		{"a script", func(f issuer) { f.Metadata = map[string]any{"end_session_endpoint": "javascript:alert(1)"} }},
		{"no keys", func(f issuer) { f.Metadata = map[string]any{"jwks_uri": ""} }},
		{"no metadata", func(f issuer) { f.Answer["/.well-known/openid-configuration"] = http.NotFound }},
		{"down", func(f issuer) { f.Close() }},
		{"no JSON", func(f issuer) { f.Answer["/.well-known/openid-configuration"] = status(http.StatusOK, "<html>") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newIssuer(t)
			tt.issuer(f)
			to, err := newProvider(t, f.options()).Begin(t.Context(), federation.NewAttempt(), back)
			if !errors.Is(err, hallpass.Unavailable) {
				t.Errorf("%q, %v; want Unavailable", to, err)
			}
		})
	}
}

// TestSlow has a provider that does not answer in time, and people who do not wait.
func TestSlow(t *testing.T) {
	f := newIssuer(t)
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	f.Answer["/.well-known/openid-configuration"] = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}
	o := f.options()
	o.Timeout = 200 * time.Millisecond
	p := newProvider(t, o)
	failed := make(chan error, 20)
	for range cap(failed) {
		go func() {
			_, err := p.Begin(t.Context(), federation.NewAttempt(), back)
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; !errors.Is(err, hallpass.Unavailable) {
			t.Errorf("%v, want Unavailable", err)
		}
	}
	if n := f.Asked("/.well-known/openid-configuration"); n > 5 {
		t.Errorf("%d requests for 20 people: they do not wait for the same one", n)
	}
}

// TestKeysChange has the issuer sign with another key.
func TestKeysChange(t *testing.T) {
	f := newIssuer(t)
	p := newProvider(t, f.options())
	for _, id := range []string{"first", "second", "third"} {
		f.NewKey(id)
		a, answer := f.begin(p)
		if _, err := p.Redeem(t.Context(), a, back, answer); err != nil {
			t.Errorf("key %s: %v", id, err)
		}
	}
	if n := f.Asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("the metadata was read %d times, want once", n)
	}
	before := f.Asked("/keys")
	a, answer := f.begin(p)
	if _, err := p.Redeem(t.Context(), a, back, answer); err != nil {
		t.Error(err)
	}
	if n := f.Asked("/keys") - before; n != 0 {
		t.Errorf("the keys were read %d times though they are known", n)
	}
}

// TestKept looks at for how long metadata and keys are kept: a key that was withdrawn
// is not taken an hour later, and a provider whose metadata cannot be read goes on.
func TestKept(t *testing.T) {
	f := newIssuer(t)
	now := fixedTime
	o := f.options()
	o.Now = func() time.Time { return now }
	p := newProvider(t, o)
	a, answer := f.begin(p)
	if _, err := p.Redeem(t.Context(), a, back, answer); err != nil {
		t.Fatal(err)
	}
	old := f.Key
	f.NewKey("second")
	f.Sign = func(payload []byte) string { return hallpasstest.SignJWT(t, jose.EdDSA, old, "first", payload) }
	f.Claims = map[string]any{"exp": fixedTime.Add(3 * time.Hour).Unix()}
	if a, answer = f.begin(p); true {
		if _, err := p.Redeem(t.Context(), a, back, answer); err != nil {
			t.Errorf("within the hour: %v", err)
		}
	}
	now = now.Add(time.Hour)
	a, answer = f.begin(p)
	if _, err := p.Redeem(t.Context(), a, back, answer); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("%v; a key that was withdrawn is taken after an hour", err)
	}
	f.Set(func() {
		f.Sign, f.Answer["/.well-known/openid-configuration"] = nil, status(http.StatusServiceUnavailable, "")
	})
	now = now.Add(time.Hour)
	a, answer = f.begin(p)
	if _, err := p.Redeem(t.Context(), a, back, answer); err != nil {
		t.Errorf("the metadata that was kept does not serve on: %v", err)
	}
}

// TestWithoutIssuer signs in by OAuth 2.0: the API says who has the access token.
func TestWithoutIssuer(t *testing.T) {
	f := newIssuer(t)
	o := f.options()
	o.Issuer, o.AuthURL, o.TokenURL, o.APIURL = "", f.URL+"/auth", f.URL+"/token", f.URL+"/userinfo"
	f.Info = map[string]any{"id": 583231, "login": "ada", "email": "ada@example.com"}
	p := newProvider(t, o)
	a, answer := f.begin(p)
	u, err := p.Redeem(t.Context(), a, back, answer)
	want := hallpass.OutsideUser{Issuer: f.URL + "/userinfo", Subject: "583231", Login: "ada", Email: "ada@example.com"}
	if diff := cmp.Diff(u, want); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if n := f.Asked("/.well-known/openid-configuration") + f.Asked("/keys"); n != 0 {
		t.Errorf("%d requests for metadata and keys, which nobody needs", n)
	}
	f.Info = map[string]any{"login": "ada"}
	a, answer = f.begin(p)
	if u, err := p.Redeem(t.Context(), a, back, answer); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("%+v, %v: the API names nobody", u, err)
	}
}

// TestProven has ID token and API say different things about an address.
func TestProven(t *testing.T) {
	for _, tt := range []struct {
		name        string
		token, info map[string]any
		assume      bool
		path        string
		want        string
		proven      bool
	}{
		{name: "proven by the token", want: "ada@example.com", proven: true},
		{name: "as text", token: map[string]any{"email_verified": "True"}, want: "ada@example.com", proven: true},
		{name: "not proven", token: map[string]any{"email_verified": false}, want: "ada@example.com"},
		{name: "not proven, whatever is assumed", token: map[string]any{"email_verified": false}, assume: true, want: "ada@example.com"},
		{name: "not told", token: map[string]any{"email_verified": nil}, want: "ada@example.com"},
		{name: "not told, and assumed", token: map[string]any{"email_verified": nil}, assume: true, want: "ada@example.com", proven: true},
		{name: "the API proves another address", token: map[string]any{"email_verified": nil}, info: map[string]any{"email": "eve@example.com", "email_verified": true}, want: "ada@example.com"},
		{name: "the token proves what the API tells", token: map[string]any{"email": nil}, info: map[string]any{"email": "eve@example.com"}, want: "eve@example.com"},
		{name: "proven by the API", token: map[string]any{"email": nil, "email_verified": nil}, info: map[string]any{"email": "ada@example.com", "email_verified": true}, want: "ada@example.com", proven: true},
		{name: "another claim is not proven", token: map[string]any{"upn": "eve@example.com"}, path: "upn", want: "eve@example.com"},
		{name: "none", token: map[string]any{"email": nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newIssuer(t)
			f.Claims = tt.token
			if tt.info != nil {
				tt.info["sub"] = "248289761001"
				f.Info = tt.info
			}
			o := f.options()
			o.AssumeEmailVerified, o.Attributes.Email = tt.assume, tt.path
			p := newProvider(t, o)
			a, answer := f.begin(p)
			u, err := p.Redeem(t.Context(), a, back, answer)
			if err != nil || u.Email != tt.want || u.EmailProven != tt.proven {
				t.Errorf("%q, proven: %v, %v; want %q, proven: %v", u.Email, u.EmailProven, err, tt.want, tt.proven)
			}
		})
	}
}

func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		path, claims string
		want         hallpass.Role
		has, admin   bool
	}{
		{path: "", claims: `{"role":"Admin"}`},
		{path: "role", claims: `{"role":"Admin"}`, want: hallpass.RoleAdmin, has: true},
		{path: "role", claims: `{"role":"viewer"}`, want: hallpass.RoleViewer, has: true},
		{path: "role", claims: `{"role":"None"}`, has: true},
		{path: "role", claims: `{"role":"GrafanaAdmin"}`, want: hallpass.RoleAdmin, has: true, admin: true},
		{path: "role", claims: `{"role":"grafanaadmin"}`},
		{path: "role", claims: `{"role":"Owner"}`},
		{path: "role", claims: `{"role":["Admin"]}`},
		{path: "role", claims: `{"role":{"Admin":true}}`},
		{path: "role", claims: `{}`},
		{path: "contains(groups[*], 'admin') && 'Admin' || 'Viewer'", claims: `{"groups":["dev","admin"]}`, want: hallpass.RoleAdmin, has: true},
		{path: "contains(groups[*], 'admin') && 'Admin' || 'Viewer'", claims: `{"groups":["dev"]}`, want: hallpass.RoleViewer, has: true},
		{path: "contains(groups, 'admin') && 'Admin'", claims: `{}`}, // contains does not take null
	} {
		t.Run(tt.path+tt.claims, func(t *testing.T) {
			f := newIssuer(t)
			if err := json.Unmarshal([]byte(tt.claims), &f.Claims); err != nil {
				t.Fatal(err)
			}
			o := f.options()
			o.Attributes.Role = tt.path
			p := newProvider(t, o)
			a, answer := f.begin(p)
			u, err := p.Redeem(t.Context(), a, back, answer)
			if err != nil || u.Role != tt.want || u.HasRole != tt.has || u.ServerAdmin != tt.admin {
				t.Errorf("%v, %v, server admin: %v, %v; want %v, %v, %v", u.Role, u.HasRole, u.ServerAdmin, err, tt.want, tt.has, tt.admin)
			}
		})
	}
}

// TestClient looks at how the client identifies itself.
func TestClient(t *testing.T) {
	for _, tt := range []struct {
		name, style, secret string
		methods             any
		header              bool
	}{
		{name: "nothing said", secret: "shared", header: true},
		{name: "in the form alone", secret: "shared", methods: []string{"client_secret_post"}},
		{name: "both", secret: "shared", methods: []string{"client_secret_post", "client_secret_basic"}, header: true},
		{name: "set by the operator", secret: "shared", style: "InParams"},
		{name: "a public client", methods: []string{"none"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newIssuer(t)
			f.Metadata = map[string]any{"token_endpoint_auth_methods_supported": tt.methods}
			o := f.options()
			o.AuthStyle, o.Secret = tt.style, secret.NewText(tt.secret)
			p := newProvider(t, o)
			a, answer := f.begin(p)
			if _, err := p.Redeem(t.Context(), a, back, answer); err != nil {
				t.Fatal(err)
			}
			if inForm := f.Form.Get("client_id") != ""; inForm == tt.header || f.Form.Has("client_secret") != (inForm && tt.secret != "") {
				t.Errorf("the form is %v", f.Form)
			}
			if n := f.Asked("/token"); n != 1 {
				t.Errorf("the code was sent %d times", n)
			}
		})
	}
}

func TestSignOutURL(t *testing.T) {
	f := newIssuer(t)
	p := newProvider(t, f.options())
	want := f.URL + "/end?client_id=hallpass&post_logout_redirect_uri=https%3A%2F%2Fhallpass.example.com%2Flogin&ui=1"
	if got := p.SignOutURL(t.Context(), "https://hallpass.example.com/login"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	f.Close()
	if got := newProvider(t, f.options()).SignOutURL(t.Context(), "https://hallpass.example.com/login"); got != "" {
		t.Errorf("%s of a provider that is down", got)
	}
}

func TestValidate(t *testing.T) {
	for s, ok := range map[string]bool{
		"https://accounts.example.com/realms/a": true, "http://127.0.0.1:8080": true, "http://localhost:8080": true, "http://[::1]:80": true,
		"http://accounts.example.com": false, "accounts.example.com": false, "": false, "ftp://example.com": false, "https://user:pw@example.com": false,
		"javascript:alert(1)": false, "https://": false, "https://example.com/#x": false,
	} {
		if err := federation.ValidateURL(s); (err == nil) != ok {
			t.Errorf("ValidateURL(%q) = %v, want it taken: %v", s, err, ok)
		}
	}
	for s, ok := range map[string]bool{"": true, "groups[*].name": true, "groups[": false, "contains(": false} {
		if err := federation.ValidatePath(s); (err == nil) != ok {
			t.Errorf("ValidatePath(%q) = %v, want it taken: %v", s, err, ok)
		}
	}
	for _, tt := range []struct {
		issuer string
		scopes []string
		ok     bool
	}{
		{"https://a.example.com", []string{"openid", "email"}, true}, {"https://a.example.com", []string{"email"}, false},
		{"", []string{"user:email"}, true}, {"", []string{"user email"}, false}, {"", []string{""}, false},
	} {
		if err := federation.ValidateScopes(tt.issuer, tt.scopes); (err == nil) != tt.ok {
			t.Errorf("ValidateScopes(%q, %q) = %v, want it taken: %v", tt.issuer, tt.scopes, err, tt.ok)
		}
	}
	if _, err := federation.ReadRoots("provider_test.go"); err == nil {
		t.Error("a file without a certificate is taken")
	}
}

func FuzzParseAttempt(f *testing.F) {
	f.Add(federation.NewAttempt().Secret().Reveal())
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := federation.ParseAttempt(s); ok && (a.Secret().Reveal() != s || a.Fits("")) {
			t.Errorf("%q is read as another attempt", s)
		}
	})
}
