package federation

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/hallpass-dev/hallpass"
)

// keptFor is for how long metadata and keys of an issuer are used before they are read
// again: a key that the issuer withdrew is trusted no longer than that.
const keptFor = time.Hour

// algorithms are those with which an ID token may be signed: none with a secret that
// both sides have, and never "none".
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// endpoints are the URLs of a provider. Those that are empty are read from the metadata
// of its issuer.
type endpoints struct{ auth, token, api, keys string }

// An issuer is one side that signs tokens, with its metadata and keys, which are read
// when they are first needed and kept for an hour. If they cannot be read again then,
// the old ones serve on. It is safe for concurrent use.
type issuer struct {
	url    string // as tokens have it, byte for byte; empty: there is none, and no token is signed
	own    endpoints
	client *http.Client
	now    func() time.Time

	reading singleflight.Group
	mu      sync.Mutex
	kept    *metadata // guarded by mu
	until   time.Time // guarded by mu
}

// metadata is what is known of a provider (OpenID Connect Discovery 1.0). It does not
// change.
type metadata struct {
	oauth2.Endpoint
	api         string // that tells of whoever an access token is of (UserInfo); may be empty
	keys        oidc.KeySet
	endSession  string
	authMethods []string // by which a client may identify itself at the token endpoint
	namesItself bool     // answers have "iss" (RFC 9207)
}

// read returns the metadata of the issuer.
func (i *issuer) read(ctx context.Context) (*metadata, error) {
	i.mu.Lock()
	kept, fresh := i.kept, i.now().Before(i.until)
	i.mu.Unlock()
	if kept != nil && fresh {
		return kept, nil
	}
	done := i.reading.DoChan("", func() (any, error) { return i.discover() })
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-done:
		if result.Err != nil && kept != nil {
			return kept, nil
		}
		m, _ := result.Val.(*metadata)
		return m, result.Err
	}
}

// discover reads the metadata and keeps it. Its requests end by the client's time-out,
// because others may wait for the same.
func (i *issuer) discover() (*metadata, error) {
	m, err := i.ask()
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.kept, i.until = m, i.now().Add(keptFor)
	return m, nil
}

// with returns a context whose requests go through the issuer's client.
func (i *issuer) with(ctx context.Context) context.Context { return oidc.ClientContext(ctx, i.client) }

// told is the part of an issuer's metadata that go-oidc has no field for.
type told struct {
	EndSession  string   `json:"end_session_endpoint"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	NamesItself bool     `json:"authorization_response_iss_parameter_supported"`
	Keys        string   `json:"jwks_uri"`
}

func (i *issuer) ask() (*metadata, error) {
	var more told
	e := i.own
	if i.url != "" && (e.auth == "" || e.token == "" || e.keys == "") {
		found, err := oidc.NewProvider(i.with(context.Background()), i.url)
		if err == nil {
			err = found.Claims(&more)
		}
		if err != nil {
			return nil, err
		}
		e.auth, e.token = cmp.Or(e.auth, found.Endpoint().AuthURL), cmp.Or(e.token, found.Endpoint().TokenURL)
		e.api, e.keys = cmp.Or(e.api, found.UserInfoEndpoint()), cmp.Or(e.keys, more.Keys)
	}
	for _, required := range []struct{ name, url string }{{"authorization_endpoint", e.auth}, {"token_endpoint", e.token}, {"jwks_uri", e.keys}, {"userinfo_endpoint", e.api}, {"end_session_endpoint", more.EndSession}} {
		optional := required.name == "end_session_endpoint" || required.name == "userinfo_endpoint" && i.url != "" || required.name == "jwks_uri" && i.url == ""
		if required.url == "" && optional {
			continue
		}
		if err := ValidateURL(required.url); err != nil {
			return nil, fmt.Errorf("the provider's %s: %w", required.name, err)
		}
	}
	return &metadata{
		Endpoint: oauth2.Endpoint{AuthURL: e.auth, TokenURL: e.token}, api: e.api, keys: oidc.NewRemoteKeySet(i.with(context.Background()), e.keys),
		endSession: more.EndSession, authMethods: more.AuthMethods, namesItself: more.NamesItself,
	}, nil
}

// watchedKeys are the keys of an issuer during one verification.
type watchedKeys struct {
	oidc.KeySet
	unread error // why the keys could not be read; nil: they could, or were not needed
}

// VerifySignature returns the payload of a token that one of the keys has signed.
func (k *watchedKeys) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, raw)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") { // go-oidc has no type for it
		k.unread = err
	}
	return payload, err
}

// errKeysUnread says that a token could not be looked at, because the issuer does not
// tell its keys.
type errKeysUnread struct{ error }

// verify returns the claims of an ID token that the issuer signed for the audience and
// that has not ended (OpenID Connect Core 1.0, 3.1.3.7). Who calls compares the nonce.
func (i *issuer) verify(ctx context.Context, m *metadata, raw, audience string) (*oidc.IDToken, claims, error) {
	keys := &watchedKeys{KeySet: m.keys}
	token, err := oidc.NewVerifier(i.url, keys, &oidc.Config{ClientID: audience, SupportedSigningAlgs: algorithms, Now: i.now}).Verify(i.with(ctx), raw)
	if keys.unread != nil {
		return nil, nil, errKeysUnread{keys.unread}
	}
	if err != nil {
		return nil, nil, err
	}
	var c claims
	if err := token.Claims(&c); err != nil {
		return nil, nil, err
	}
	switch subject, _ := c["sub"].(string); {
	case subject == "" || subject != token.Subject: // another spelling of the name holds another subject
		return nil, nil, fmt.Errorf("the ID token has the subjects %q and %q", subject, token.Subject)
	case len(subject) > maxSubject:
		return nil, nil, fmt.Errorf("the ID token has a subject of %d bytes", len(subject))
	}
	if azp, ok := c["azp"].(string); ok && azp != audience || len(token.Audience) > 1 && !ok {
		return nil, nil, fmt.Errorf("the ID token is for the party %q, and for %q among others", azp, token.Audience)
	}
	return token, c, nil
}

// maxSubject is the longest name that an issuer may give a person, in bytes (OpenID
// Connect Core 1.0, 2).
const maxSubject = 255

// authStyle returns how the client identifies itself at the token endpoint, if the
// operator did not say it. A code may be tried once, so it is not found out by trying.
func (m *metadata) authStyle(secretless bool) oauth2.AuthStyle {
	basic := len(m.authMethods) == 0 || slices.Contains(m.authMethods, "client_secret_basic")
	if secretless || !basic {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// unavailable returns the error of a provider that did not answer, or not in a way that
// can be used. cause is for the log: it may repeat what the provider said.
func unavailable(name string, cause error) error {
	return &hallpass.Error{
		Kind: hallpass.Unavailable, ID: "federation.unavailable", Message: name + " cannot be reached at the moment: try again in a moment",
		Err: logged(cause),
	}
}

// unproven returns the error of an answer that proves nothing.
func unproven(name string, cause error) error {
	return &hallpass.Error{
		Kind: hallpass.Unauthenticated, ID: "federation.unproven", Message: "The answer of " + name + " could not be verified: whoever runs this server finds the reason in its log",
		Err: logged(cause),
	}
}

// maxReason is how much of a provider's words is logged, in bytes.
const maxReason = 500

// reason is why something failed, in a form that may be logged.
type reason struct {
	text  string
	cause error
}

func logged(cause error) error { return reason{hallpass.Clean(cause.Error(), maxReason), cause} }

// Error returns the text.
func (r reason) Error() string { return r.text }

// Unwrap yields the cause.
func (r reason) Unwrap() error { return r.cause }
