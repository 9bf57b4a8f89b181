package guard_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A signing is one process that signs: a node, and the door where its keys are read.
type signing struct {
	*guard.Signer
	node *node.Node
	keys *httptest.Server
}

const issuer = "https://hallpass.example"

func newSigning(t *testing.T, db *store.DB, name string, now, boot func() time.Duration) *signing {
	t.Helper()
	epoch := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	s, err := guard.NewSigner(issuer, func() time.Time { return epoch.Add(now()) })
	if err != nil {
		t.Fatal(err)
	}
	n := hallpasstest.NewNode(t, db, node.Options{Name: name, SigningKey: s.PublicKey(), Boot: boot})
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := httptest.NewServer(guard.NewKeys(n))
	t.Cleanup(keys.Close)
	return &signing{s, n, keys}
}

// jwtSettings are settings of Grafana for a guard named grafana.
func jwtSettings(keys string) string {
	return `enabled = true
header_name = X-Hallpass-Jwt
username_claim = sub
role_attribute_path = role
jwk_set_url = ` + keys + `
cache_ttl = 60m
expect_claims = {"iss": "` + issuer + `", "aud": "guard:grafana"}`
}

var signedCaller = hallpass.Caller{
	Principal: hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: 7, Login: "sa-1-ci"}, Org: 1, Role: hallpass.RoleEditor, Token: 9,
}

func begin(t *testing.T, db *store.DB) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Begin("test") }); err != nil {
		t.Fatal(err)
	}
}

// TestSignedIdentity checks a token as a Grafana does, and what is in it.
func TestSignedIdentity(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	begin(t, db)
	at := time.Duration(0)
	s := newSigning(t, db, "a", func() time.Duration { return at }, nil)
	asked := []hallpass.Permission{{Action: "loki:read", Scope: "loki:tenants:a"}, {Action: "loki:read", Scope: "loki:tenants:b"}}
	token := sign(t, s, "grafana", signedCaller, asked...)
	header, body := parts(t, token)
	if header["alg"] != "EdDSA" || header["typ"] != "JWT" || header["kid"] == "" {
		t.Errorf("header %v", header)
	}
	iat, _ := body["iat"].(float64)
	if body["jti"] == "" {
		t.Error("no jti")
	}
	delete(body, "jti")
	want := map[string]any{
		"iss": issuer, "aud": "guard:grafana", "sub": "sa-1-ci", "iat": iat, "exp": iat + 60,
		"org": 1.0, "role": "Editor", "account_id": 7.0, "token_id": 9.0, "permissions": []any{"loki:read on loki:tenants:a", "loki:read on loki:tenants:b"},
	}
	if d := cmp.Diff(body, want); d != "" {
		t.Errorf("claims, want:\n%s", d)
	}
	epoch := time.Unix(int64(iat), 0)
	g := hallpasstest.NewGrafana(t, jwtSettings(s.keys.URL), func() time.Time { return epoch.Add(at) })
	if login, role, err := g.User(token); err != nil || login != "sa-1-ci" || role != "Editor" {
		t.Errorf("signed in as %q, %q, %v", login, role, err)
	}
	if _, _, err := g.User(sign(t, s, "another", signedCaller)); err == nil {
		t.Error("a token for another guard signs in")
	}
	other, err := guard.NewSigner(issuer, func() time.Time { return epoch })
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.User(sign(t, &signing{Signer: other}, "grafana", signedCaller)); err == nil {
		t.Error("a token of an unknown key signs in")
	}
	cut := strings.LastIndexByte(token, '.')
	if _, _, err := g.User(token[:cut] + token[cut:cut+5] + "AAAA" + token[cut+9:]); err == nil {
		t.Error("a token with another signature signs in")
	}
	at = 60*time.Second + time.Minute + time.Second // Grafana allows a minute for clocks that differ
	if _, _, err := g.User(token); err == nil {
		t.Error("a token signs in after its time")
	}
}

func sign(t *testing.T, s *signing, guard string, c hallpass.Caller, asked ...hallpass.Permission) string {
	t.Helper()
	token, err := s.Sign(guard, c, asked)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// parts returns what the two readable parts of a token say.
func parts(t *testing.T, token string) (header, body map[string]any) {
	t.Helper()
	list := strings.Split(token, ".")
	if len(list) != 3 {
		t.Fatalf("%q has %d parts", token, len(list))
	}
	for i, into := range []*map[string]any{&header, &body} {
		b, err := base64.RawURLEncoding.DecodeString(list[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, body
}

// TestSignedOnce has one signature serve requests that say the same for a few
// seconds, and no other request.
func TestSignedOnce(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	begin(t, db)
	at := time.Minute
	s := newSigning(t, db, "a", func() time.Duration { return at }, nil)
	p := hallpass.Permission{Action: "loki:read", Scope: "loki:tenants:a"}
	first := sign(t, s, "grafana", signedCaller, p)
	at += 4 * time.Second
	if sign(t, s, "grafana", signedCaller, p) != first {
		t.Error("the same was signed twice within seconds")
	}
	for name, other := range map[string]func() (string, hallpass.Caller, []hallpass.Permission){
		"another guard": func() (string, hallpass.Caller, []hallpass.Permission) {
			return "other", signedCaller, []hallpass.Permission{p}
		},
		"another role": func() (string, hallpass.Caller, []hallpass.Permission) {
			c := signedCaller
			c.Role = hallpass.RoleViewer
			return "grafana", c, []hallpass.Permission{p}
		},
		"another token": func() (string, hallpass.Caller, []hallpass.Permission) {
			c := signedCaller
			c.Token += 1024
			return "grafana", c, []hallpass.Permission{p}
		},
		"another account": func() (string, hallpass.Caller, []hallpass.Permission) {
			c := signedCaller
			c.Principal.Login = "sa-1-cd"
			return "grafana", c, []hallpass.Permission{p}
		},
		"another scope": func() (string, hallpass.Caller, []hallpass.Permission) {
			return "grafana", signedCaller, []hallpass.Permission{{Action: p.Action, Scope: "loki:tenants:b"}}
		},
		"no permission": func() (string, hallpass.Caller, []hallpass.Permission) { return "grafana", signedCaller, nil },
	} {
		g, c, asked := other()
		token := sign(t, s, g, c, asked...)
		_, body := parts(t, token)
		if token == first || fmt.Sprint(body["aud"], body["role"], body["token_id"], body["sub"], len(body["permissions"].([]any))) !=
			fmt.Sprint("guard:"+g, c.Role.String(), float64(c.Token), c.Principal.Login, len(asked)) {
			t.Errorf("%s: %v", name, body)
		}
	}
	first = sign(t, s, "grafana", signedCaller, p)
	for _, wind := range []time.Duration{5 * time.Second, -time.Hour} {
		at += wind
		if again := sign(t, s, "grafana", signedCaller, p); again == first {
			t.Errorf("the clock moved by %s, and the token is the old one", wind)
		} else {
			first = again
		}
	}
	if n := testing.AllocsPerRun(100, func() { _ = sign(t, s, "grafana", signedCaller, p) }); n > 1 && !raced { // the list of permissions
		t.Errorf("a token in memory allocates %v times", n)
	}
}

// TestKeysOfNodes has a Grafana check, by the keys of one node, what two sign, and
// what one signed shortly before it left; the other has read the list before.
func TestKeysOfNodes(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	begin(t, db)
	at := time.Duration(0)
	now := func() time.Duration { return at }
	boot := func() time.Duration { return time.Hour + at }
	a := newSigning(t, db, "a", now, boot)
	g := hallpasstest.NewGrafana(t, jwtSettings(a.keys.URL), func() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC).Add(at) })
	want := func(when string, s *signing, ok bool) {
		t.Helper()
		if _, _, err := g.User(sign(t, s, "grafana", signedCaller)); (err == nil) != ok {
			t.Errorf("%s: %v", when, err)
		}
	}
	want("alone", a, true)
	if !db.Shared() {
		return // there are no others
	}
	b := newSigning(t, db, "b", now, boot)
	want("a second node within seconds of the first fetch", b, false)
	at += 6 * time.Second // the answer says how long it may be kept, and the ttl is an hour
	want("the second node", b, true)
	want("the first node", a, true)
	b.node.Leave(t.Context())
	at += 6 * time.Second
	want("a node that left", b, true)
	c := newSigning(t, db, "c", now, boot) // has never seen b
	g.KeysURL = c.keys.URL
	at += 6 * time.Second
	want("a node that left, by the keys of one that came later", b, true)
	if fetched := g.Fetched(); fetched != 4 {
		t.Errorf("the keys were fetched %d times", fetched)
	}
}

// TestKeysEnd has the keys of a node that is gone for two minutes be listed no more.
func TestKeysEnd(t *testing.T) {
	url := hallpasstest.Postgres(t)
	db := hallpasstest.OpenPostgres(t, url)
	begin(t, db)
	key := func() ed25519.PublicKey {
		public, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return public
	}
	listed := func(when string, want ...ed25519.PublicKey) {
		t.Helper()
		keys, err := db.SigningKeys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]bool)
		for _, k := range keys {
			got[string(k)] = true
		}
		for _, k := range want {
			if !got[string(k)] {
				t.Errorf("%s: a key is missing", when)
			}
		}
		if len(keys) != len(want) {
			t.Errorf("%s: %d keys, want %d", when, len(keys), len(want))
		}
	}
	keyA, keyB, keyC := key(), key(), key()
	a := hallpasstest.NewNode(t, db, node.Options{Name: "a", SigningKey: keyA})
	b := hallpasstest.NewNode(t, db, node.Options{Name: "b", SigningKey: keyB})
	for _, n := range []*node.Node{a, b} {
		if err := n.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	listed("two nodes", keyA, keyB)
	b.Leave(t.Context())
	listed("one left", keyA, keyB)
	exec := func(statement string) {
		hallpasstest.Hold(t, "pgx", url.Reveal(), "SELECT set_config('hallpass.own', 'yes', false); "+statement)()
	}
	exec("UPDATE node_keys SET gone_us = gone_us - 120000000 WHERE gone_us > 0")
	listed("one left two minutes ago", keyA)
	exec("DELETE FROM nodes") // as a node of an older version does with one that is dead
	listed("one was taken off the list without its key")
	if err := hallpasstest.NewNode(t, db, node.Options{Name: "c", SigningKey: keyC}).Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	listed("a third came, and noted it", keyA, keyC)
	if err := a.Heartbeat(t.Context()); err != nil { // registers anew
		t.Fatal(err)
	}
	exec("UPDATE node_keys SET gone_us = gone_us - 120000000 WHERE gone_us > 0")
	listed("the first is back", keyA, keyC)
}

// TestKeysWithoutDatabase takes the database away: the keys that were read are told
// on, and where none were read the answer is 503.
func TestKeysWithoutDatabase(t *testing.T) {
	for _, read := range []bool{true, false} {
		db := hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t))
		begin(t, db)
		at := time.Hour
		s := newSigning(t, db, "a", func() time.Duration { return at }, func() time.Duration { return at })
		ask := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			s.keys.Config.Handler.ServeHTTP(w, httptest.NewRequest("GET", guard.KeysPath, nil))
			return w
		}
		if read {
			ask()
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		at += time.Minute
		w := ask()
		if read && (w.Code != 200 || !strings.Contains(w.Body.String(), `"kty":"OKP"`)) || !read && w.Code != 503 {
			t.Errorf("read before is %v: %d %s", read, w.Code, w.Body)
		}
	}
}

// BenchmarkSign measures a signature, and one that is in memory.
func BenchmarkSign(b *testing.B) {
	for name, step := range map[string]time.Duration{"made": 10 * time.Second, "kept": 0} {
		b.Run(name, func(b *testing.B) {
			at := time.Now()
			s, err := guard.NewSigner(issuer, func() time.Time { return at })
			if err != nil {
				b.Fatal(err)
			}
			asked := []hallpass.Permission{{Action: "loki:read", Scope: "loki:tenants:a"}}
			b.ReportAllocs()
			for b.Loop() {
				at = at.Add(step)
				if _, err := s.Sign("grafana", signedCaller, asked); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
