package guard

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Prefix is what the paths of all doors of the guard begin with.
const Prefix = "/guard/"

// A Guard answers the requests below Prefix. It is safe for concurrent use.
type Guard struct {
	verify *verify.Verifier
}

// New returns a Guard that verifies with v.
func New(v *verify.Verifier) *Guard { return &Guard{verify: v} }

// Owns reports whether the request is for the guard.
func Owns(r *http.Request) bool { return strings.HasPrefix(target(r), Prefix) }

// target returns the path of the request as the client wrote it, without the
// query: that is the protected API's client's to choose, and never read here.
func target(r *http.Request) string { return r.URL.EscapedPath() }

var errNoDoor = &hallpass.Error{Kind: hallpass.NotFound, ID: "guard.not-found", Message: "Not found"}

// ServeHTTP answers every method and reads no body.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		// Some proxies announce the body of the request they ask about and never
		// send it. Before an answer on a connection that is to be kept net/http
		// would wait for it.
		w.Header()["Connection"] = connectionClose
	}
	if target(r) != Prefix+"verify" {
		httpd.WriteError(w, r, errNoDoor)
		return
	}
	g.serveVerify(w, r)
}

// serveVerify is ANY /guard/verify: the credential alone, without rules, so it
// is never 403 (forward-auth.md section 1).
func (g *Guard) serveVerify(w http.ResponseWriter, r *http.Request) {
	event := httpd.EventOf(r.Context())
	event.Action = "guard.verify"
	caller, presented, err := g.authenticate(r, event.From)
	if err != nil {
		refuse(w, event, presented, err)
		return
	}
	event.SetCaller(caller)
	identify(w.Header(), caller)
	httpd.WriteJSONBytes(w, http.StatusOK, allowed)
}

var (
	errNoToken   = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "auth.unauthorized", Message: "Unauthorized"}
	errTwoTokens = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "request.authorization-repeated", Message: "More than one Authorization header"}
)

// authenticate verifies the token in the one Authorization header, and says
// whether there was any credential at all. It takes tokens, and nothing else:
// no cookies, no passwords (SEC-2, SEC-7).
func (g *Guard) authenticate(r *http.Request, from hallpass.From) (c hallpass.Caller, presented bool, err error) {
	headers := r.Header["Authorization"]
	switch len(headers) {
	case 0:
		return c, false, errNoToken
	case 1:
	default:
		return c, true, errTwoTokens
	}
	scheme, token := httpd.SplitAuthorization(headers[0])
	if scheme == httpd.Basic {
		login, password, ok := httpd.SplitBasic(token)
		if !ok || login != hallpass.APIKeyLogin {
			return c, true, errNoToken
		}
		scheme, token = httpd.Bearer, password
	}
	if scheme != httpd.Bearer {
		return c, headers[0] != "", errNoToken
	}
	c, err = g.verify.Token(r.Context(), token, 0, from)
	return c, true, err
}

// Values of headers that are shared between answers and never changed.
var (
	connectionClose = []string{"close"}
	noToken         = []string{`Bearer realm="hallpass"`}
	badToken        = []string{`Bearer realm="hallpass", error="invalid_token"`} // RFC 6750, 3.1
	allowed         = []byte(`{"message":"OK"}`)
)

// unknown stands for what there is nothing to say of: a header left out would be
// the client's to fill in.
const unknown = "-"

// identify sets every identity header, each once and none empty (SEC-34).
func identify(h http.Header, c hallpass.Caller) {
	values := [...]string{
		strconv.FormatInt(c.Principal.ID, 10), ascii(c.Principal.Login), strconv.FormatInt(int64(c.Org), 10),
		c.Role.String(), strconv.FormatInt(int64(c.Token), 10), unknown,
	}
	all := values[:]
	for i, name := range identity {
		h[name] = all[i : i+1 : i+1]
	}
}

// identity are the identity headers, in the order of identify, as net/http
// writes them.
var identity = [...]string{
	"X-Hallpass-Account-Id", "X-Hallpass-Account", "X-Hallpass-Org-Id", "X-Hallpass-Role", "X-Hallpass-Token-Id", "X-Hallpass-Subject",
}

// ascii returns s as it may stand in a header: what is no visible ASCII, and the
// percent sign, are percent-encoded.
func ascii(s string) string {
	if s == "" {
		return unknown
	}
	plain := func(c byte) bool { return '!' <= c && c <= '~' && c != '%' }
	i := 0
	for i < len(s) && plain(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	b := append(make([]byte, 0, 3*len(s)), s[:i]...)
	for ; i < len(s); i++ {
		if plain(s[i]) {
			b = append(b, s[i])
			continue
		}
		b = append(b, '%', "0123456789ABCDEF"[s[i]>>4], "0123456789ABCDEF"[s[i]&15])
	}
	return string(b)
}

// refuse answers 401 to what is known to be no good, and 503 to everything that
// could not be checked: other statuses mean other things to proxies.
func refuse(w http.ResponseWriter, event *httpd.Event, presented bool, err error) {
	event.Err = err
	if !errors.Is(err, hallpass.Unauthenticated) && !errors.Is(err, hallpass.Unavailable) {
		err = &hallpass.Error{Kind: hallpass.Unavailable, ID: "guard.failed", Message: "Authorization service unavailable", Err: err}
		event.Err = err
	}
	h := w.Header()
	httpd.SetErrorHeaders(h, err)
	if errors.Is(err, hallpass.Unauthenticated) {
		h["Www-Authenticate"] = noToken
		if presented {
			h["Www-Authenticate"] = badToken
		}
	}
	body := httpd.BodyOf(err, event.RequestID)
	b, _ := json.Marshal(map[string]string{"message": body.Message, "messageId": body.MessageID}) // texts always marshal
	httpd.WriteJSONBytes(w, body.StatusCode, b)
}
