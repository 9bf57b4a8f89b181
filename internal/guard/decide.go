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

// A Check is the question whether one request may pass.
//
// It holds what Decide reads. Decide knows no rules yet; with rules it also reads
// the guard's name and the original request (method, host, raw target and a few
// headers), and these become fields of Check.
type Check struct {
	Authorization []string // the values of the request's Authorization headers
	From          hallpass.From
}

// A Verdict is the answer to a Check. The zero Verdict lets nothing pass.
//
// It holds what the dialects read. With rules it also says which rule matched, and
// the number of that rule becomes a field of Verdict; so does what else the
// protected API is told about the caller.
type Verdict struct {
	Allow  bool
	Caller hallpass.Caller // whose token it is; zero unless Allow

	// The fields below describe a refusal. They are zero if Allow.

	Status    int    // 401 for a credential that is no good; 503 if the token could not be checked
	Reason    string // an ID, such as "api-key.expired"
	Message   string // the reason in words
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
		caller, err := d.verify.Bearer(ctx, credential.Secret, 0, c.From)
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

// refuse returns the verdict that refuses a request because of err: 401 if err is
// Unauthenticated, and 503 for every other err, because then the token could not
// be checked. Proxies misread other statuses.
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
