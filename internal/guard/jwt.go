package guard

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/node"
)

// jwtHeader is the header in which a protected API gets the caller as a signed token.
const jwtHeader = "X-Hallpass-Jwt"

// How long a signed token is valid, and how long the same one serves for further
// requests. Each request is decided all the same: only the signature is made once.
const (
	jwtValidFor = 60 * time.Second
	jwtServes   = 5 * time.Second
)

// A Signer tells protected APIs who calls as a token that they can check (JWT, RFC
// 7519, signed with Ed25519, RFC 8037). Its private key is made by NewSigner and never
// leaves the memory of the process. It is safe for concurrent use.
type Signer struct {
	jose   jose.Signer
	public ed25519.PublicKey
	issuer string
	now    func() time.Time
	seed   maphash.Seed
	slots  [1024]atomic.Pointer[signed] // by what the token was made of
}

// signed is a token and all that it was made of.
type signed struct {
	guard       string
	principal   hallpass.Principal
	org         hallpass.OrgID
	role        hallpass.Role
	token       hallpass.TokenID
	permissions []hallpass.Permission
	at          time.Time
	text        string
}

// A claimSet is what a token says.
type claimSet struct {
	jwt.Claims
	Org         int64    `json:"org"`
	Role        string   `json:"role"`
	AccountID   int64    `json:"account_id"`
	TokenID     int64    `json:"token_id"`
	Permissions []string `json:"permissions"` // that the rule asked for, as "loki:read on loki:tenants:a"
}

// NewSigner makes a key and returns what signs with it. issuer is the URL of this
// installation; now is the clock of its tokens.
func NewSigner(issuer string, now func() time.Time) (*Signer, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("guard: make a key: %w", err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: publicKey(public).KeyID}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("guard: sign: %w", err)
	}
	return &Signer{jose: signer, public: public, issuer: issuer, now: now, seed: maphash.MakeSeed()}, nil
}

// PublicKey returns the key by which what s signs is checked.
func (s *Signer) PublicKey() ed25519.PublicKey { return s.public }

// Sign returns the caller as a token for the API behind the guard. asked are the
// permissions that the rule asked for. The token is valid for a minute at most, and
// the same one is returned for five seconds, so an API must not take its jti for that
// of a request.
func (s *Signer) Sign(guard string, c hallpass.Caller, asked []hallpass.Permission) (string, error) {
	slot, now := s.slot(guard, c, asked), s.now()
	if kept := slot.Load(); kept.serves(guard, c, asked, now) {
		return kept.text, nil
	}
	claims := claimSet{
		Claims: jwt.Claims{
			Issuer: s.issuer, Audience: jwt.Audience{"guard:" + guard}, Subject: c.Principal.Login, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(jwtValidFor)),
		},
		Org: int64(c.Org), Role: c.Role.String(), AccountID: c.Principal.ID, TokenID: int64(c.Token), Permissions: make([]string, len(asked)),
	}
	for i, p := range asked {
		claims.Permissions[i] = p.String()
	}
	text, err := jwt.Signed(s.jose).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("guard: sign: %w", err)
	}
	slot.Store(&signed{guard: guard, principal: c.Principal, org: c.Org, role: c.Role, token: c.Token, permissions: slices.Clone(asked), at: now, text: text})
	return text, nil
}

// slot returns where the token for these is kept.
func (s *Signer) slot(guard string, c hallpass.Caller, asked []hallpass.Permission) *atomic.Pointer[signed] {
	var h maphash.Hash
	h.SetSeed(s.seed)
	var number [20]byte
	_, _ = h.Write(strconv.AppendInt(number[:0], int64(c.Token), 10)) // a maphash takes everything
	_, _ = h.WriteString(guard)
	for _, p := range asked {
		_, _ = h.WriteString(string(p.Action))
		_, _ = h.WriteString(string(p.Scope))
	}
	return &s.slots[h.Sum64()%uint64(len(s.slots))]
}

// serves reports whether the token says the same and is young enough. A clock that
// went back makes a new one.
func (k *signed) serves(guard string, c hallpass.Caller, asked []hallpass.Permission, now time.Time) bool {
	return k != nil && k.guard == guard && k.principal == c.Principal && k.org == c.Org && k.role == c.Role && k.token == c.Token &&
		slices.Equal(k.permissions, asked) && !now.Before(k.at) && now.Before(k.at.Add(jwtServes))
}

// publicKey returns the key as a JWK (RFC 7517), named by its thumbprint (RFC 7638).
func publicKey(key ed25519.PublicKey) jose.JSONWebKey {
	k := jose.JSONWebKey{Key: key, Algorithm: string(jose.EdDSA), Use: "sig"}
	thumbprint, _ := k.Thumbprint(crypto.SHA256) // fails for kinds of keys that it does not know, and knows this one
	k.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k
}

// jwksCached says how long others may keep the list of keys: a node that has just
// started signs with a key that they do not have. Grafana obeys it too.
var jwksCached = []string{"public, max-age=5"}

// Keys lists, at KeysPath, the keys by which every node's signatures are checked
// (RFC 7517, section 5). Anybody may read it. It is safe for concurrent use.
type Keys struct{ node *node.Node }

// KeysPath is the path of the list of keys.
const KeysPath = Prefix + "jwks.json"

// NewKeys returns the list of the keys that n knows.
func NewKeys(n *node.Node) *Keys { return &Keys{n} }

// Owns reports whether the request is for the list of keys.
func (*Keys) Owns(r *http.Request) bool {
	path, _, _ := strings.Cut(rawTarget(r), "?")
	return path == KeysPath
}

// ServeHTTP is GET /guard/jwks.json.
func (k *Keys) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	httpd.EventOf(r.Context()).Action = "guard.jwks"
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		httpd.WriteError(w, r, errMethod)
		return
	}
	keys, err := k.node.SigningKeys(r.Context())
	if err != nil {
		httpd.WriteError(w, r, &hallpass.Error{Kind: hallpass.Unavailable, ID: "guard.failed", Message: "The keys cannot be read at the moment", Err: err})
		return
	}
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, len(keys))}
	for i, key := range keys {
		set.Keys[i] = publicKey(key)
	}
	b, err := json.Marshal(set)
	if err != nil {
		httpd.WriteError(w, r, fmt.Errorf("guard: list the keys: %w", err))
		return
	}
	w.Header()["Cache-Control"] = jwksCached
	httpd.WriteJSONBytes(w, http.StatusOK, b)
}

var errMethod = &hallpass.Error{Kind: hallpass.Invalid, ID: "request.method-not-allowed", Message: "Method not allowed"}
