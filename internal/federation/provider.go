package federation

import (
	"context"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// Options set up a Provider.
type Options struct {
	Name     string // what people call the provider
	Issuer   string // of ID tokens, byte for byte; empty: OAuth 2.0 without ID tokens
	ClientID string
	Secret   secret.Text // of the client; empty: a public client
	Scopes   []string
	PKCE     bool // bind the code to the browser that asked for it (RFC 7636)

	// The URLs of the provider. With an issuer, those that are empty are read from its
	// metadata; without one, AuthURL, TokenURL and APIURL are needed.
	AuthURL, TokenURL, APIURL, KeysURL string

	// AuthStyle is how the client identifies itself at the token endpoint: "InHeader",
	// "InParams", or "" for what the provider's metadata says.
	AuthStyle string

	Attributes Attributes
	// AssumeEmailVerified takes an address of which the provider does not say whether it
	// is the person's for one that is.
	AssumeEmailVerified bool

	Roots   *x509.CertPool   // nil: those of the system
	Timeout time.Duration    // of one request; 0: 10 s
	Now     func() time.Time // nil: time.Now
}

// A Provider is where people sign in elsewhere. It is safe for concurrent use.
type Provider struct {
	o      Options
	issuer *issuer
	reader reader
	slots  chan struct{} // holds a value for each answer that is being redeemed
}

// maxRedeem is how many answers are redeemed at once: strangers can ask for it at will.
const maxRedeem = 16

// New returns a Provider. Nothing is asked of it yet: the server starts also while the
// provider is down.
func New(o Options) (*Provider, error) {
	r, err := newReader(o.Attributes, o.AssumeEmailVerified)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Provider{
		o: o, reader: r, slots: make(chan struct{}, maxRedeem),
		issuer: &issuer{url: o.Issuer, own: endpoints{o.AuthURL, o.TokenURL, o.APIURL, o.KeysURL}, client: newClient(o.Timeout, o.Roots), now: o.Now},
	}, nil
}

// Name returns what people call the provider.
func (p *Provider) Name() string { return p.o.Name }

// Issuer returns what makes the provider's subjects its own, as hallpass.Identity has it:
// its issuer, or where they are asked for.
func (p *Provider) Issuer() string {
	if p.o.Issuer != "" {
		return p.o.Issuer
	}
	return p.o.APIURL
}

// Begin returns the address to which a browser that holds the attempt is sent, and which
// sends it back to the URL back. The error's Kind is Unavailable if the provider's
// metadata cannot be read.
func (p *Provider) Begin(ctx context.Context, a Attempt, back string) (string, error) {
	m, err := p.issuer.read(ctx)
	if err != nil {
		return "", unavailable(p.o.Name, err)
	}
	var options []oauth2.AuthCodeOption
	if p.o.Issuer != "" {
		options = append(options, oidc.Nonce(a.nonce()))
	}
	if p.o.PKCE {
		options = append(options, oauth2.S256ChallengeOption(a.verifier()))
	}
	return p.config(m, back).AuthCodeURL(a.state(), options...), nil
}

func (p *Provider) config(m *metadata, back string) *oauth2.Config {
	c := &oauth2.Config{ClientID: p.o.ClientID, ClientSecret: p.o.Secret.Reveal(), Endpoint: m.Endpoint, RedirectURL: back, Scopes: p.o.Scopes}
	switch p.o.AuthStyle {
	case "InHeader":
		c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	case "InParams":
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	default:
		c.Endpoint.AuthStyle = m.authStyle(p.o.Secret.Empty())
	}
	return c
}

// Redeem returns who the person is with whose browser the provider answered: answer is
// the query that came to the URL back, and a the attempt that the browser holds. The
// error's Kind is Invalid if the answer does not belong to the attempt, Denied if the
// provider refused the person, Unauthenticated if what it says does not prove anything,
// and Unavailable if it does not answer.
func (p *Provider) Redeem(ctx context.Context, a Attempt, back string, answer url.Values) (u hallpass.OutsideUser, err error) {
	if !a.Fits(answer.Get("state")) {
		return u, ErrOtherAttempt
	}
	m, err := p.issuer.read(ctx)
	if err != nil {
		return u, unavailable(p.o.Name, err)
	}
	if err := p.accepts(m, answer); err != nil {
		return u, err
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return u, unavailable(p.o.Name, ctx.Err())
	}
	token, err := p.exchange(ctx, m, a, back, answer.Get("code"))
	if err != nil {
		return u, err
	}
	subject, c, err := p.claims(ctx, m, a, token)
	if err != nil {
		return u, err
	}
	if u, err = p.reader.person(c); err != nil {
		return u, err
	}
	u.Issuer, u.Subject = p.Issuer(), subject
	return u, nil
}

// ErrOtherAttempt refuses an answer that belongs to no attempt of the browser.
var ErrOtherAttempt = &hallpass.Error{
	Kind: hallpass.Invalid, ID: "federation.other-attempt",
	Message: "This sign-in was not begun in this browser, or more than ten minutes ago: begin it again",
}

// accepts returns nil if the answer has a code of this provider.
func (p *Provider) accepts(m *metadata, answer url.Values) error {
	if iss := answer.Get("iss"); p.o.Issuer != "" && iss != p.o.Issuer && (iss != "" || m.namesItself) {
		return unproven(p.o.Name, fmt.Errorf("the answer is from the issuer %q", iss))
	}
	switch refusal := answer.Get("error"); {
	case refusal == "temporarily_unavailable" || refusal == "server_error":
		return unavailable(p.o.Name, errors.New(refusal))
	case refusal != "":
		return &hallpass.Error{
			Kind: hallpass.Denied, ID: "federation.refused", Message: p.o.Name + " did not sign you in",
			Err: logged(errors.New(refusal + " " + answer.Get("error_description"))),
		}
	case answer.Get("code") == "":
		return hallpass.Invalidf("code", "the answer of the provider has no code")
	}
	return nil
}

// exchange redeems the code.
func (p *Provider) exchange(ctx context.Context, m *metadata, a Attempt, back, code string) (*oauth2.Token, error) {
	var options []oauth2.AuthCodeOption
	if p.o.PKCE {
		options = append(options, oauth2.VerifierOption(a.verifier()))
	}
	token, err := p.config(m, back).Exchange(p.issuer.with(ctx), code, options...)
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response.StatusCode < 500 && refused.ErrorCode == "invalid_grant":
		return nil, unproven(p.o.Name, err)
	case err != nil:
		return nil, unavailable(p.o.Name, err)
	}
	return token, nil
}

// claims returns the subject and all claims about it: of the ID token, and of the
// provider's API if there is one.
func (p *Provider) claims(ctx context.Context, m *metadata, a Attempt, token *oauth2.Token) (subject string, c claims, err error) {
	if p.o.Issuer != "" {
		if c, err = p.idToken(ctx, m, a, token); err != nil {
			return "", nil, err
		}
		subject = textOf(c["sub"])
	}
	if m.api == "" {
		return subject, c, nil
	}
	more, err := p.askAPI(ctx, m, token)
	if err != nil {
		return "", nil, err
	}
	if p.o.Issuer != "" {
		if textOf(more["sub"]) != subject { // OpenID Connect Core 1.0, 5.3.2: a token of somebody else
			return "", nil, unproven(p.o.Name, errors.New("the API tells of another subject than the ID token"))
		}
		return subject, c.with(more), nil
	}
	if subject = textOf(more["sub"]); subject == "" {
		subject = textOf(more["id"])
	}
	if subject == "" || len(subject) > maxSubject {
		return "", nil, unproven(p.o.Name, errors.New("the API names no sub and no id"))
	}
	return subject, more, nil
}

// idToken returns the claims of the ID token that came with the access token.
func (p *Provider) idToken(ctx context.Context, m *metadata, a Attempt, token *oauth2.Token) (claims, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, unproven(p.o.Name, errors.New("there is no ID token: the scope openid may be missing"))
	}
	verified, c, err := p.issuer.verify(ctx, m, raw, p.o.ClientID)
	var unread errKeysUnread
	switch {
	case errors.As(err, &unread):
		return nil, unavailable(p.o.Name, err)
	case err != nil:
		return nil, unproven(p.o.Name, err)
	case subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(a.nonce())) != 1:
		return nil, unproven(p.o.Name, errors.New("the ID token has another nonce: it is of another sign-in"))
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, unproven(p.o.Name, err)
		}
	}
	return c, nil
}

// askAPI returns what the provider's API says about whoever the access token is of.
func (p *Provider) askAPI(ctx context.Context, m *metadata, token *oauth2.Token) (claims, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, m.api, nil)
	if err != nil {
		return nil, unavailable(p.o.Name, err)
	}
	token.SetAuthHeader(r)
	r.Header.Set("Accept", "application/json")
	answer, err := p.issuer.client.Do(r)
	if err != nil {
		return nil, unavailable(p.o.Name, err)
	}
	defer func() { _ = answer.Body.Close() }() // what was read is all that counts
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the API answered %s: %s", answer.Status, body)
	}
	if err != nil {
		return nil, unavailable(p.o.Name, err)
	}
	var c claims
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, unavailable(p.o.Name, fmt.Errorf("the API answered no JSON: %w", err))
	}
	return c, nil
}

// SignOutURL returns where a browser ends its session at the provider, and comes back
// to the URL back (OpenID Connect RP-Initiated Logout 1.0); "" if the provider has no
// such place, or does not answer.
func (p *Provider) SignOutURL(ctx context.Context, back string) string {
	m, err := p.issuer.read(ctx)
	if err != nil || m.endSession == "" {
		return ""
	}
	u, err := url.Parse(m.endSession)
	if err != nil {
		return ""
	}
	query := u.Query()
	query.Set("client_id", p.o.ClientID)
	query.Set("post_logout_redirect_uri", back)
	u.RawQuery = query.Encode()
	return u.String()
}

// ValidateScopes returns an error unless the scopes can be asked for: with an issuer
// there is no ID token without the scope openid.
func ValidateScopes(issuer string, scopes []string) error {
	for _, s := range scopes {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r > '~' }) {
			return fmt.Errorf("%q is not a scope", s)
		}
	}
	if issuer != "" && !slices.Contains(scopes, oidc.ScopeOpenID) {
		return errors.New("openid is needed among them: without it the issuer says nothing of who signs in")
	}
	return nil
}
