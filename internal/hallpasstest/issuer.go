package hallpasstest

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
)

// An Issuer is an OpenID provider that lies as a test tells it to. Everybody who comes
// is signed in at once. The fields may be changed while it serves, with Set.
type Issuer struct {
	*httptest.Server
	Now func() time.Time // of ID tokens; nil: time.Now

	Key      ed25519.PrivateKey
	KeyID    string
	Metadata map[string]any              // that replaces what discovery says
	Claims   map[string]any              // that replace those of the ID token; nil values are left out
	Info     map[string]any              // what the API says; nil: there is none
	Sign     func(payload []byte) string // nil: with the key
	Answer   map[string]http.HandlerFunc // by path, instead of the usual answer
	Form     url.Values                  // of the last request for a token
	Nonce    string                      // of the last sign-in

	t     testing.TB
	mu    sync.Mutex // guards all of it while it serves
	asked map[string]int
}

// NewIssuer starts an Issuer, which ends with the test.
func NewIssuer(t testing.TB) *Issuer {
	i := &Issuer{t: t, Now: time.Now, Answer: make(map[string]http.HandlerFunc), asked: make(map[string]int)}
	i.NewKey("first")
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	return i
}

// Set changes the issuer while it serves.
func (i *Issuer) Set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

// NewKey has the issuer sign with another key.
func (i *Issuer) NewKey(id string) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	i.Set(func() { i.Key, i.KeyID = key, id })
}

// Asked returns how often the path was asked for.
func (i *Issuer) Asked(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	answer := i.Answer[r.URL.Path]
	i.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		writeJSON(w, i.discovery())
	case "/auth":
		i.Nonce = r.FormValue("nonce")
		http.Redirect(w, r, r.FormValue("redirect_uri")+"?"+url.Values{"code": {"c0de"}, "state": {r.FormValue("state")}}.Encode(), http.StatusFound)
	case "/keys":
		writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.Key.Public(), KeyID: i.KeyID, Algorithm: "EdDSA", Use: "sig"}}})
	case "/token":
		if err := r.ParseForm(); err != nil {
			i.t.Error(err)
		}
		i.Form = r.PostForm
		writeJSON(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": i.idToken()})
	case "/userinfo":
		if r.Header.Get("Authorization") != "Bearer opaque" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		writeJSON(w, i.Info)
	default:
		http.NotFound(w, r)
	}
}

func (i *Issuer) discovery() map[string]any {
	m := map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
		"end_session_endpoint": i.URL + "/end?ui=1", "id_token_signing_alg_values_supported": []string{"EdDSA", "HS256", "none"},
	}
	if i.Info != nil {
		m["userinfo_endpoint"] = i.URL + "/userinfo"
	}
	maps.Copy(m, i.Metadata)
	return m
}

func (i *Issuer) idToken() string {
	now := i.Now()
	c := map[string]any{
		"iss": i.URL, "sub": "248289761001", "aud": "hallpass", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "nonce": i.Nonce,
		"preferred_username": "ada", "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true,
	}
	maps.Copy(c, i.Claims)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(c)
	if err != nil {
		i.t.Error(err)
	}
	if i.Sign != nil {
		return i.Sign(payload)
	}
	return SignJWT(i.t, jose.EdDSA, i.Key, i.KeyID, payload)
}

// SignJWT returns the payload as a token that the key has signed.
func SignJWT(t testing.TB, alg jose.SignatureAlgorithm, key any, id string, payload []byte) string {
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
