package hallpasstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A Grafana stands in for a Grafana that signs users in by [auth.jwt]: it does with a
// token what Grafana does, as far as these settings go. It is safe for concurrent use.
type Grafana struct {
	KeysURL string // jwk_set_url; not to be changed while requests are answered

	header, usernameClaim, roleClaim string
	expect                           jwt.Expected  // of expect_claims
	cacheTTL                         time.Duration // cache_ttl; keys are fetched again no earlier, unless the answer says so
	now                              func() time.Time

	mu      sync.Mutex // guards what follows
	keys    *jose.JSONWebKeySet
	until   time.Time // keys are used
	fetched int
}

// NewGrafana returns a Grafana with the settings of a grafana.ini, of which it reads the
// section [auth.jwt], and with a clock.
func NewGrafana(t testing.TB, ini string, now func() time.Time) *Grafana {
	t.Helper()
	settings := make(map[string]string)
	for line := range strings.Lines(ini) {
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			settings[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	g := &Grafana{
		header: settings["header_name"], usernameClaim: settings["username_claim"], roleClaim: settings["role_attribute_path"],
		KeysURL: settings["jwk_set_url"], now: now, cacheTTL: time.Hour,
	}
	if s := settings["cache_ttl"]; s != "" {
		var err error
		if g.cacheTTL, err = time.ParseDuration(s); err != nil {
			t.Fatalf("cache_ttl: %v", err)
		}
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
	}
	if err := json.Unmarshal([]byte(settings["expect_claims"]), &claims); err != nil {
		t.Fatalf("expect_claims: %v", err)
	}
	g.expect = jwt.Expected{Issuer: claims.Issuer, AnyAudience: jwt.Audience{claims.Audience}}
	if settings["enabled"] != "true" || g.header == "" || g.KeysURL == "" || claims.Issuer == "" || claims.Audience == "" {
		t.Fatalf("these settings turn [auth.jwt] on and check nothing, or not on:\n%s", ini)
	}
	return g
}

// Fetched returns how often the keys were fetched.
func (g *Grafana) Fetched() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fetched
}

// User returns who the token signs in, and the basic role.
func (g *Grafana) User(token string) (login, role string, err error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.RS256})
	if err != nil {
		return "", "", err
	}
	keys, err := g.key(parsed.Headers[0].KeyID)
	if err != nil {
		return "", "", err
	}
	var registered jwt.Claims
	var claims map[string]any
	err = errors.New("no keys found")
	for _, key := range keys {
		if err = parsed.Claims(key, &registered, &claims); err == nil {
			break
		}
	}
	if err != nil {
		return "", "", err
	}
	expect := g.expect
	expect.Time = g.now()
	if err := registered.Validate(expect); err != nil {
		return "", "", err
	}
	login, _ = claims[g.usernameClaim].(string)
	role, _ = claims[g.roleClaim].(string)
	return login, role, nil
}

// key returns the keys with the ID. An ID that is not known is no reason to fetch
// them again.
func (g *Grafana) key(id string) ([]jose.JSONWebKey, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.keys == nil || !g.now().Before(g.until) {
		res, err := http.Get(g.KeysURL)
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }() // it was read
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			return nil, fmt.Errorf("%s, %w", res.Status, err)
		}
		keys := new(jose.JSONWebKeySet)
		if err := json.Unmarshal(b, keys); err != nil {
			return nil, err
		}
		ttl := g.cacheTTL
		for part := range strings.SplitSeq(res.Header.Get("Cache-Control"), ",") {
			var seconds int
			if n, _ := fmt.Sscanf(strings.TrimSpace(part), "max-age=%d", &seconds); n == 1 {
				ttl = min(ttl, time.Duration(seconds)*time.Second)
			}
		}
		g.keys, g.until = keys, g.now().Add(ttl)
		g.fetched++
	}
	return g.keys.Key(id), nil
}

// ServeHTTP answers with the user that the request's token signs in, and the path.
func (g *Grafana) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	login, role, err := g.User(r.Header.Get(g.header))
	if err != nil {
		http.Error(w, `{"message":"Invalid JWT: `+err.Error()+`"}`, http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"login": login, "role": role, "path": r.URL.Path}) // the test's own connection
}
