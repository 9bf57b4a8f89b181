package guard

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
	"github.com/hallpass-dev/hallpass/wire"
)

// IntrospectPath is where an Introspector answers.
const IntrospectPath = "/oauth2/introspect"

// An Introspector tells other APIs whose the tokens are that they were given (RFC 7662).
// Whoever asks presents a token of its own, whose account holds tokens:introspect, and
// is told of tokens of its own org alone. It is safe for concurrent use.
type Introspector struct {
	decider *Decider
	verify  *verify.Verifier
	admin   *admin.Admin
	issued  issued
}

// NewIntrospector returns an Introspector that verifies tokens with v, and has a
// permission that is missing recorded by a.
func NewIntrospector(d *Decider, v *verify.Verifier, a *admin.Admin) *Introspector {
	return &Introspector{decider: d, verify: v, admin: a}
}

var (
	errPostOnly = &hallpass.Error{Kind: hallpass.Invalid, ID: "request.method-not-allowed", Message: "Method not allowed"}
	errOneToken = hallpass.Invalidf("token", "the body is a form in which token stands once: token=glsa_…")
)

// inactive is the whole answer about a token that is no good, whatever it is.
var inactive = wire.Introspection{}

// ServeHTTP answers POST with a form that holds the token. What else is in the form,
// and the query, is not read.
func (i *Introspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		httpd.WriteError(w, r, errPostOnly)
		return
	}
	event := httpd.EventOf(r.Context())
	event.Action = string(hallpass.TokensIntrospect)
	verdict := i.decider.Verify(r.Context(), Check{Authorization: r.Header["Authorization"], From: event.From})
	if !verdict.Allow {
		httpd.WriteError(w, r, verdict.Err)
		return
	}
	event.SetCaller(verdict.Caller)
	event.Route, event.Method = introspectRoute, r.Method
	err := i.admin.Authorize(r.Context(), verdict.Caller, hallpass.TokensIntrospect, "")
	var text string
	if err == nil {
		text, err = formToken(w, r)
	}
	if err != nil {
		httpd.WriteError(w, r, err)
		return
	}
	answer, err := i.introspect(r.Context(), text, verdict.Caller.Org, event.From)
	if err != nil {
		httpd.WriteError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	httpd.WriteJSON(w, http.StatusOK, answer)
}

// formToken reads the token from the body.
func formToken(w http.ResponseWriter, r *http.Request) (string, error) {
	if err := httpd.RequireBody(r, httpd.MediaForm); err != nil {
		return "", err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, httpd.MaxBody))
	if err != nil {
		return "", httpd.Unreadable(err, httpd.MaxBody)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form["token"]) != 1 || form["token"][0] == "" { // the parser's error would repeat the token
		return "", errOneToken
	}
	return form["token"][0], nil
}

// introspect says whose the token is, if it is good and of the org. An API that asks
// was given the token with a request: this is a use of it, and a refusal is recorded. Where
// the request came from, only that API knows: a token with networks is good if the API itself
// is in them.
func (i *Introspector) introspect(ctx context.Context, text string, org hallpass.OrgID, from hallpass.From) (wire.Introspection, error) {
	c, err := i.verify.Bearer(ctx, text, org, from)
	if errors.Is(err, hallpass.Unauthenticated) || errors.Is(err, hallpass.Denied) {
		return inactive, nil
	}
	if err != nil {
		return inactive, err
	}
	i.verify.Observe(&verify.Used{Token: c.Token, From: from, Method: http.MethodPost, Route: introspected, Status: http.StatusOK})
	out := wire.Introspection{
		Active: true, Subject: c.Principal.Login, Username: c.Name, Scope: scopeText(c.Permissions), IssuedAt: i.issuedAt(ctx, text, c.Token),
		ClientID: strconv.FormatInt(c.Principal.ID, 10), TokenType: "Bearer", OrgID: int64(c.Org), Role: c.Role.String(),
	}
	if !c.Expires.IsZero() {
		out.ExpiresAt = c.Expires.Unix()
	}
	return out, nil
}

// scopeText lists what a caller may do, as RFC 6749, section 3.3, writes scopes: each
// action, and with the scope on which it is held as "action@scope". All actions of
// other APIs together, which an Admin holds, have no name there.
func scopeText(held *hallpass.Permissions) string {
	var b strings.Builder
	var last hallpass.Action
	add := func(s string) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	for _, p := range held.List() {
		if p.Action == hallpass.ForeignActions || !scopeToken(string(p.Action)) || !scopeToken(string(p.Scope)) {
			continue
		}
		if p.Action != last {
			add(string(p.Action))
			last = p.Action
		}
		if p.Scope != "" {
			add(string(p.Action) + "@" + string(p.Scope))
		}
	}
	return b.String()
}

// scopeToken reports whether s may stand in a list of scopes.
func scopeToken(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' })
}

// issued remembers when some tokens were made. That never changes, and a token's ID is
// never used again. Its zero value is ready.
type issued [1 << 10]atomic.Pointer[issue]

type issue struct {
	token hallpass.TokenID
	at    int64 // seconds since 1970
}

// issuedAt returns when the token was made; 0 if the database cannot tell now.
func (i *Introspector) issuedAt(ctx context.Context, text string, id hallpass.TokenID) int64 {
	slot := &i.issued[uint64(id)%uint64(len(i.issued))]
	if kept := slot.Load(); kept != nil && kept.token == id {
		return kept.at
	}
	_, t, err := i.verify.Peek(ctx, text)
	if err != nil || t.ID != id {
		return 0
	}
	slot.Store(&issue{id, t.CreatedAt.Unix()})
	return t.CreatedAt.Unix()
}
