package guard

import (
	"context"
	"errors"
	"net/http"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// A Decider decides whether requests may pass. All dialects ask the same
// Decider. It is safe for concurrent use.
type Decider struct {
	verify     *verify.Verifier
	signer     *Signer
	identities identities
	decisions  decisions
	refusals   refusals
	repeats    repeats
	answers    apiAnswers
}

// New returns a Decider that verifies tokens with v, and has the rules of guards
// from it. For guards that ask for it, it signs with s who calls.
func New(v *verify.Verifier, s *Signer) *Decider {
	d := &Decider{verify: v, signer: s}
	d.decisions.begin()
	d.decisions.since = v.Now()
	d.repeats.begin()
	return d
}

// A Check is the question whether one request may pass a guard.
type Check struct {
	Door          string      // that asks, as "nginx": who looks at the guard sees that it does. A constant
	Guard         string      // its name
	Method        string      // of the original request; "": the proxy did not tell it
	Host          string      // the same, for those who read of a refusal: it decides nothing
	Target        string      // of the original request, raw; "": the proxy did not tell it
	Header        http.Header // of the original request: those that rules capture, and those of a preflight
	Authorization []string    // the values of the request's Authorization headers
	From          hallpass.From
	goesOn        bool   // the request passed before, and goes on
	ID            string // of the question, by which one that is asked again is counted once; "": it has none
}

// A Verdict is the answer to a Check. The zero Verdict lets nothing pass.
type Verdict struct {
	Allow  bool
	Caller hallpass.Caller      // whose token it is; zero if the request passes without one, or the token is no good
	Holder Holder               // whose token it is, good or not; zero if that is not known, or not for readers of the guard
	Guard  *hallpass.Guard      // that decided, as it is now; nil if there is none. It must not be changed
	Route  *hallpass.TokenRoute // what the request counts for as a use of its token; nil: nothing, for it was asked before
	Asked  hallpass.AskedScopes // on which the action of Route was demanded, if Route does not tell it; none unless Allow
	Rule   int                  // the number of the rule that matched; 0: none, or the request did not come that far

	// The fields below say what the protected API is told. They are nil unless Allow.

	Identity []string // the values of identityHeaders, in their order; it must not be changed
	Set      []Header // further headers: those that the rule sets, and the signed identity
	Read     []string // the headers of the request that the rule read, by canonical names

	// The fields below describe a refusal. They are zero if Allow.

	Status    int    // 401 for a credential that is no good; 403 for what the guard or a limit of the token refuses; 503 if neither can be known now
	Reason    string // an ID, such as "api-key.expired"
	Message   string // the reason in words
	Challenge string // the value of WWW-Authenticate; "" unless Status is 401
	Err       error  // for the log, and for httpd.SetErrorHeaders
	lines     string // what the rule read of the request, for those who look what is missing
}

// A Holder is a token and whose it is.
type Holder struct {
	hallpass.Principal
	Token hallpass.TokenID
}

// A Header is a header with one value.
type Header struct{ Name, Value string }

var (
	errNoToken      = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "auth.unauthorized", Message: "Unauthorized"}
	errTwoTokens    = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "request.authorization-repeated", Message: "More than one Authorization header"}
	errUnknownGuard = &hallpass.Error{Kind: hallpass.Denied, ID: "guard.unknown", Message: "There is no guard of this name"}
)

// Decide verifies the token that the request presents, and says whether its owner may
// send the request to the API that the guard protects. It takes tokens and nothing
// else: no cookies, no passwords (SEC-2, SEC-7). A request without a token passes
// where the guard lets everybody pass.
//
// The order is that of docs/guard/protocol.md: the token, the guard, its org, the
// original request, its path, the rule, what the rule needs. Each decision is counted
// once, also if the question is asked again; a refusal of a known token is recorded in
// the audit. Of a guard that does not exist, or whose rules cannot be known, nothing
// passes (SEC-48).
func (d *Decider) Decide(ctx context.Context, c Check) Verdict {
	v := d.judge(ctx, &c)
	d.note(&c, &v)
	return v
}

// Again decides about a request that passed and goes on. Unless it must end now, that
// is no further decision: nothing is counted.
func (d *Decider) Again(ctx context.Context, c Check) Verdict {
	c.goesOn = true
	v := d.judge(ctx, &c)
	if !v.Allow {
		d.note(&c, &v)
	}
	return v
}

// judge makes a decision and keeps nothing of it.
func (d *Decider) judge(ctx context.Context, c *Check) (v Verdict) {
	caller, presented, err := d.bearer(ctx, c)
	rules, unknown := d.verify.Ruleset(ctx, c.Guard)
	switch {
	case err != nil && presented:
		v = refuse(badToken, err)
		if rules != nil {
			v.place(rules, c, caller)
		}
	case unknown != nil && !presented && !errors.Is(unknown, hallpass.Unavailable):
		v = refuse(noToken, errNoToken)
	case unknown != nil:
		v = refuse("", unknown)
		v.Caller, v.Route = caller, noRoute
	default:
		v = d.apply(rules, c, caller, presented)
	}
	if rules != nil {
		v.Guard = &rules.Guard
	}
	if v.Caller.Token != 0 {
		v.Holder = Holder{v.Caller.Principal, v.Caller.Token}
	}
	return v
}

// place notes which rule a request matches that is refused because of its token, and whose
// token it is: it is counted and kept with the others of that rule. No account is told to
// readers of a guard of another org.
func (v *Verdict) place(rules *hallpass.Ruleset, c *Check, holder hallpass.Caller) {
	if j := rules.Judge(hallpass.GuardRequest{Method: c.Method, Target: c.Target, Header: c.Header}); j.Rule != nil {
		v.Rule = j.Rule.Number
	}
	if holder.Org == rules.Guard.Org {
		v.Holder = Holder{holder.Principal, holder.Token}
	}
}

// Routes of requests that no rule is asked about.
var (
	noRoute         = &hallpass.TokenRoute{Pattern: "guard"} // the guard is not known
	verifyRoute     = &hallpass.TokenRoute{Pattern: "/guard/verify"}
	introspectRoute = &hallpass.TokenRoute{Pattern: "POST " + IntrospectPath, Action: hallpass.TokensIntrospect}
	introspected    = &hallpass.TokenRoute{Pattern: "POST " + IntrospectPath} // of the token that is asked about
)

// Verify verifies the token that the request presents and asks no guard. It counts and
// records nothing of its own.
func (d *Decider) Verify(ctx context.Context, c Check) Verdict {
	caller, presented, err := d.bearer(ctx, &c)
	switch {
	case err == nil:
		v := d.allow(caller)
		v.Route = verifyRoute
		return v
	case presented:
		return refuse(badToken, err)
	}
	return refuse(noToken, err)
}

// bearer returns whose token the request presents. presented is false if the request
// presents nothing, which is an error here too.
func (d *Decider) bearer(ctx context.Context, c *Check) (caller hallpass.Caller, presented bool, err error) {
	credential := httpd.ReadAuthorization(c.Authorization)
	switch credential.Form {
	case httpd.BearerToken, httpd.BasicToken:
		if c.goesOn {
			caller, err = d.verify.BearerAgain(ctx, credential.Secret, 0, c.From)
		} else {
			caller, err = d.verify.BearerOrHolder(ctx, credential.Secret, 0, c.From)
		}
		return caller, true, err
	case httpd.SeveralCredentials:
		return caller, true, errTwoTokens
	case httpd.NoCredential:
		return caller, false, errNoToken
	}
	return caller, c.Authorization[0] != "", errNoToken
}

// apply applies the rules to the request of the caller, who is nobody if the request
// presents no token.
func (d *Decider) apply(rules *hallpass.Ruleset, c *Check, caller hallpass.Caller, presented bool) (v Verdict) {
	j := rules.Judge(hallpass.GuardRequest{Method: c.Method, Target: c.Target, Header: c.Header})
	var why *hallpass.Error
	if presented {
		why = rules.Permit(&j, caller)
	} else if !j.Public || j.Err != nil {
		why = errNoToken
	}
	var err error
	if why == nil {
		v = d.allow(caller)
		v.Asked = j.Captured.Asked
		v.Set, err = d.further(rules, &j, &v)
		if j.Rule != nil {
			v.Read = j.Rule.ReadHeaders()
		}
	} else {
		err = why
	}
	if err != nil {
		v = refuse(noToken, err)
		v.Caller = caller
		if v.Reason == "guard.permission" || v.Reason == "guard.role" { // what was captured may be told
			v.lines = j.Rule.ReadLines(c.Header)
		}
	}
	if v.Route = rules.Route(j.Rule); j.Rule != nil {
		v.Rule = j.Rule.Number
	}
	return v
}

// allow returns the verdict that lets the caller pass.
func (d *Decider) allow(c hallpass.Caller) Verdict {
	return Verdict{Allow: true, Caller: c, Identity: d.identities.of(c)}
}

// further returns what else the API is told about a request that passes.
func (d *Decider) further(rules *hallpass.Ruleset, j *hallpass.Judged, v *Verdict) (set []Header, err error) {
	if j.Rule != nil && j.Rule.Sets() {
		j.Rule.Headers(&j.Captured, func(field string) string { return v.Identity[callerFields[field]] },
			func(name, value string) { set = append(set, Header{name, value}) })
	}
	if !rules.Guard.JWT {
		return set, nil
	}
	signed := unknown
	if v.Caller.Token != 0 {
		var asked []hallpass.Permission
		if j.Rule != nil {
			for _, p := range j.Rule.Permissions(&j.Captured) {
				asked = append(asked, p)
			}
		}
		if signed, err = d.signer.Sign(rules.Guard.Name, v.Caller, asked); err != nil {
			return nil, err
		}
	}
	return append(set, Header{jwtHeader, signed}), nil
}

// The values of WWW-Authenticate (RFC 6750, 3.1).
const (
	noToken  = `Bearer realm="hallpass"`
	badToken = `Bearer realm="hallpass", error="invalid_token"`
)

// refuse returns the verdict that refuses a request because of err: 401 if err is
// Unauthenticated, 403 if it is Denied or Limited or the guard is not found, and 503 for
// every other err, because then nobody knows whether the request may pass. Proxies misread
// other statuses; a door that may answer more asks answerStatus.
func refuse(challenge string, err error) Verdict {
	if errors.Is(err, hallpass.NotFound) {
		err = errUnknownGuard
	}
	if !errors.Is(err, hallpass.Unauthenticated) {
		challenge = ""
		if !errors.Is(err, hallpass.Unavailable) && !errors.Is(err, hallpass.Denied) && !errors.Is(err, hallpass.Limited) {
			err = &hallpass.Error{Kind: hallpass.Unavailable, ID: "guard.failed", Message: "Authorization service unavailable", Err: err}
		}
	}
	body := httpd.BodyOf(err, "")
	if body.StatusCode == http.StatusTooManyRequests {
		body.StatusCode = http.StatusForbidden
	}
	return Verdict{Status: body.StatusCode, Reason: body.MessageID, Message: body.Message, Challenge: challenge, Err: err}
}

// answerStatus returns the status for whoever reads every status: 429 if a token is used
// too often.
func (v *Verdict) answerStatus() int {
	if v.Allow {
		return http.StatusOK
	}
	if errors.Is(v.Err, hallpass.Limited) {
		return http.StatusTooManyRequests
	}
	return v.Status
}

// note counts the decision, keeps a refusal for those who look, and has the refusal of
// a known token recorded. A question that was asked before is only recorded: whoever
// chooses its ID hides nothing.
func (d *Decider) note(c *Check, v *Verdict) {
	again := d.repeats.again(c.ID)
	if !again {
		d.decisions.count(c.Door, v)
	} else {
		v.Route = nil
	}
	if v.Allow || v.Guard == nil && v.Caller.Token == 0 {
		return
	}
	now := d.verify.Now()
	if v.Guard != nil && !again {
		d.refusals.keep(now, c, v)
	}
	if v.Status == http.StatusForbidden && v.Caller.Token != 0 { // else the token itself was refused, and that is recorded
		d.verify.RefusedByGuard(v.Caller, hallpass.Clean(c.Guard, hallpass.MaxGuardName), v.Err)
	}
}
