package federation_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/federation"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

var fixedTime = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// issuer is one whose clock stands at fixedTime.
type issuer struct {
	*hallpasstest.Issuer
	t *testing.T
}

func newIssuer(t *testing.T) issuer {
	i := hallpasstest.NewIssuer(t)
	i.Now = func() time.Time { return fixedTime }
	return issuer{i, t}
}

const back = "https://hallpass.example.com/login/generic_oauth"

// options are those of a client of the issuer.
func (f issuer) options() federation.Options {
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
func (f issuer) begin(p *federation.Provider) (federation.Attempt, url.Values) {
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
	f.Set(func() { f.Nonce = u.Query().Get("nonce") })
	return a, url.Values{"code": {"c0de"}, "state": {u.Query().Get("state")}}
}
