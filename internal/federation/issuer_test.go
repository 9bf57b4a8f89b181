package federation_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hallpass-dev/hallpass/internal/federation"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// A fakeIssuer is an OpenID provider that lies as a test tells it to.
type fakeIssuer struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	key      ed25519.PrivateKey
	keyID    string
	metadata map[string]any              // that replace what discovery says
	claims   map[string]any              // that replace those of the ID token; nil values are left out
	info     map[string]any              // what the API says; nil: it says 404
	sign     func(payload []byte) string // nil: with the key
	answer   map[string]http.HandlerFunc // by path, instead of the usual answer
	asked    map[string]int              // requests by path
	form     url.Values                  // of the last request for a token
	nonce    string
}

var fixedTime = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func newIssuer(t *testing.T) *fakeIssuer {
	f := &fakeIssuer{t: t, answer: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	f.newKey("first")
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeIssuer) newKey(id string) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key, f.keyID = key, id
}

func (f *fakeIssuer) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[r.URL.Path]++
	if answer := f.answer[r.URL.Path]; answer != nil {
		answer(w, r)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		m := map[string]any{
			"issuer": f.URL, "authorization_endpoint": f.URL + "/auth", "token_endpoint": f.URL + "/token", "jwks_uri": f.URL + "/keys",
			"end_session_endpoint": f.URL + "/end?ui=1", "id_token_signing_alg_values_supported": []string{"EdDSA", "HS256", "none"},
		}
		if f.info != nil {
			m["userinfo_endpoint"] = f.URL + "/userinfo"
		}
		maps.Copy(m, f.metadata)
		writeJSON(w, m)
	case "/keys":
		writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: f.key.Public(), KeyID: f.keyID, Algorithm: "EdDSA", Use: "sig"}}})
	case "/token":
		if err := r.ParseForm(); err != nil {
			f.t.Error(err)
		}
		f.form = r.PostForm
		writeJSON(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": f.idToken()})
	case "/userinfo":
		if r.Header.Get("Authorization") != "Bearer opaque" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		writeJSON(w, f.info)
	default:
		http.NotFound(w, r)
	}
}

func (f *fakeIssuer) idToken() string {
	c := map[string]any{
		"iss": f.URL, "sub": "248289761001", "aud": "hallpass", "exp": fixedTime.Add(time.Minute).Unix(), "iat": fixedTime.Unix(), "nonce": f.nonce,
		"preferred_username": "ada", "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true,
	}
	maps.Copy(c, f.claims)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(c)
	if err != nil {
		f.t.Error(err)
	}
	if f.sign != nil {
		return f.sign(payload)
	}
	return signed(f.t, jose.EdDSA, f.key, f.keyID, payload)
}

func signed(t *testing.T, alg jose.SignatureAlgorithm, key any, id string, payload []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	token, err := signer.Sign(payload)
	if err != nil {
		t.Error(err)
		return ""
	}
	text, err := token.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	return text
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

const back = "https://hallpass.example.com/login/generic_oauth"

// options are those of a client of the issuer.
func (f *fakeIssuer) options() federation.Options {
	return federation.Options{
		Name: "Example", Issuer: f.URL, ClientID: "hallpass", Secret: secret.NewText("shared"), Scopes: []string{"openid", "email"}, PKCE: true,
		Now: func() time.Time { return fixedTime }, Timeout: 2 * time.Second,
	}
}

func newProvider(t *testing.T, o federation.Options) *federation.Provider {
	t.Helper()
	p, err := federation.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// begin begins an attempt, as a browser does that follows the link, and returns the
// query with which it comes back.
func (f *fakeIssuer) begin(p *federation.Provider) (federation.Attempt, url.Values) {
	f.t.Helper()
	a := federation.NewAttempt()
	to, err := p.Begin(f.t.Context(), a, back)
	if err != nil {
		f.t.Fatalf("begin: %v", err)
	}
	u, err := url.Parse(to)
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nonce = u.Query().Get("nonce")
	return a, url.Values{"code": {"c0de"}, "state": {u.Query().Get("state")}}
}

func (f *fakeIssuer) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}
