package guard

import (
	"context"
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// A Decider decides whether requests may pass. All dialects ask the same
// Decider. It is safe for concurrent use.
type Decider struct {
	verify *verify.Verifier
}

// New returns a Decider that verifies tokens with v.
func New(v *verify.Verifier) *Decider { return &Decider{verify: v} }

// A Check asks whether one request may pass.
//
// It has what a decision reads today: the token. A decision by rules will also
// read the name of the guard and the original request (method, host, raw target,
// a few headers); they become fields here.
type Check struct {
	Authorization []string // the values of the request's Authorization headers
	From          hallpass.From
}

// A Verdict is the answer to a Check. A dialect turns it into the answer that its
// proxy understands. The zero Verdict lets nothing pass.
//
// A decision by rules will also say which rule matched, and what the protected
// API is to be told beside the caller; they become fields here.
type Verdict struct {
	Allow  bool
	Caller hallpass.Caller // the token's; zero unless Allow

	// What follows is about a refusal, and zero if Allow.

	Status    int    // 401, or 503 where it cannot be known whether the request may pass
	Reason    string // an ID, such as "api-key.expired"
	Message   string // the same for people
	Challenge string // the value of WWW-Authenticate; "" unless Status is 401
	Err       error  // for the log, and for httpd.SetErrorHeaders
}

var (
	errNoToken   = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "auth.unauthorized", Message: "Unauthorized"}
	errTwoTokens = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "request.authorization-repeated", Message: "More than one Authorization header"}
)

// Decide verifies the token that the request presents. It takes tokens and
// nothing else: no cookies, no passwords (SEC-2, SEC-7).
func (d *Decider) Decide(ctx context.Context, c Check) Verdict {
	credential := httpd.ReadAuthorization(c.Authorization)
	switch credential.Form {
	case httpd.BearerToken, httpd.BasicToken:
		caller, err := d.verify.Token(ctx, credential.Secret, 0, c.From)
		if err != nil {
			return refuse(badToken, err)
		}
		return Verdict{Allow: true, Caller: caller}
	case httpd.SeveralCredentials:
		return refuse(badToken, errTwoTokens)
	case httpd.NoCredential:
		return refuse(noToken, errNoToken)
	}
	if c.Authorization[0] == "" {
		return refuse(noToken, errNoToken)
	}
	return refuse(badToken, errNoToken)
}

// The values of WWW-Authenticate (RFC 6750, 3.1).
const (
	noToken  = `Bearer realm="hallpass"`
	badToken = `Bearer realm="hallpass", error="invalid_token"`
)

// refuse returns the verdict on a request that err keeps from passing: 401 if
// the credential is known to be no good, 503 if it could not be checked. Other
// statuses mean other things to proxies.
func refuse(challenge string, err error) Verdict {
	if !errors.Is(err, hallpass.Unauthenticated) {
		challenge = ""
		if !errors.Is(err, hallpass.Unavailable) {
			err = &hallpass.Error{Kind: hallpass.Unavailable, ID: "guard.failed", Message: "Authorization service unavailable", Err: err}
		}
	}
	body := httpd.BodyOf(err, "")
	return Verdict{Status: body.StatusCode, Reason: body.MessageID, Message: body.Message, Challenge: challenge, Err: err}
}
