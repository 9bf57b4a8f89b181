package guard

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// Prefix is what the paths of all doors of the guard begin with.
const Prefix = "/guard/"

// Owns reports whether the request is for the guard.
func Owns(r *http.Request) bool { return strings.HasPrefix(rawTarget(r), Prefix) }

// rawTarget returns the target of the request as the proxy sent it: a mux, and
// net/url too, would give paths that are written strangely another spelling. Of a
// whole URL it is what follows the host.
func rawTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	target, _ := splitURL(r.RequestURI)
	return target
}

// A door is what the target of a request says about the question.
type door struct {
	name  string // a profile's; else all that follows Prefix
	guard string // the guard's name, as it was sent; with all that follows, unless that is the original target
	rest  string // the original target, if it is here
}

// doorOf reads a target that begins with Prefix. The query is never read, unless it is
// that of the original target: some proxies append the query of the original request,
// which the client chose, to the door's URL. One slash at the end means nothing.
func doorOf(target string) (d door, p profile) {
	path, _, _ := strings.Cut(target, "?")
	all := path[len(Prefix):]
	name, after, _ := strings.Cut(all, "/")
	p, known := profiles[name]
	switch {
	case !known:
		return door{name: strings.TrimSuffix(all, "/")}, p
	case !p.own:
		return door{name: name, guard: strings.TrimSuffix(after, "/")}, p
	}
	guard, _, _ := strings.Cut(after, "/")
	begin := min(len(Prefix)+len(name)+len("/")+len(guard), len(path))
	return door{name, guard, target[begin:]}, p
}

// A ForwardAuth answers proxies that ask over HTTP, on the paths below Prefix. It
// is safe for concurrent use.
type ForwardAuth struct{ decider *Decider }

// NewForwardAuth returns a ForwardAuth that answers with the verdicts of d.
func NewForwardAuth(d *Decider) *ForwardAuth { return &ForwardAuth{decider: d} }

// errTooLarge refuses a request of httpd.TooManyHeaders. Nobody's token is looked at.
var errTooLarge = &hallpass.Error{Kind: hallpass.Denied, ID: "original-request-too-large", Message: "The proxy sends more headers than the guard takes"}

var errNoDoor = &hallpass.Error{Kind: hallpass.NotFound, ID: "guard.not-found", Message: "Not found"}

// ServeHTTP answers every method and reads no body.
func (f *ForwardAuth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		// Some proxies announce the body of the original request and never send it.
		// net/http would wait for that body before it answers. It does not wait if
		// the connection is closed after the answer.
		w.Header()["Connection"] = connectionClose
	}
	target := rawTarget(r)
	if !strings.HasPrefix(target, Prefix) {
		httpd.WriteError(w, r, errNoDoor)
		return
	}
	switch d, p := doorOf(target); {
	case p.action != "":
		f.serveGuard(w, r, p, d)
	case httpd.TooManyHeaders(r):
		httpd.WriteError(w, r, httpd.ErrHeaders)
	case d.name == "verify":
		f.serveVerify(w, r)
	default:
		httpd.WriteError(w, r, errNoDoor)
	}
}

// serveGuard is ANY /guard/{profile}/{guard}: it decides by the rules of the guard.
// Every answer is one that proxies understand, also where the guard does not exist.
func (f *ForwardAuth) serveGuard(w http.ResponseWriter, r *http.Request, p profile, d door) {
	event := httpd.EventOf(r.Context())
	event.Action, event.Target = p.action, d.guard
	if httpd.TooManyHeaders(r) {
		f.answer(w, event, refuse("", errTooLarge))
		return
	}
	c := p.check(r, event, d.guard, d.rest)
	event.From, event.Method = c.From, c.Method
	v := f.decider.Decide(r.Context(), c)
	if !v.Allow {
		path, _, _ := strings.Cut(c.Target, "?")
		event.Target += ": " + c.Method + " " + path
	} else if p.removal != "" {
		w.Header()[p.removal] = v.removal(r.Header)
	}
	f.answer(w, event, v)
}

// removal returns the value of the header that tells Envoy what the API does not get
// (headers_to_remove in envoy/service/auth/v3/external_auth.proto).
func (v *Verdict) removal(header http.Header) []string {
	if names := v.removed(header); len(names) > 1 {
		return []string{strings.Join(names, ", ")}
	}
	return credentialHeader
}

// serveVerify is ANY /guard/verify: it verifies the token and applies no rules. It answers
// 403 only because of the token's own networks and rate.
func (f *ForwardAuth) serveVerify(w http.ResponseWriter, r *http.Request) {
	event := httpd.EventOf(r.Context())
	event.Action = "guard.verify"
	f.answer(w, event, f.decider.Verify(r.Context(), Check{Authorization: r.Header["Authorization"], From: event.From}))
}

// connectionClose is shared between answers and never changed.
var connectionClose = []string{"close"}

// answer writes the verdict as an answer to a proxy. One that allows has no body:
// proxies read its status and headers, and drop the rest.
func (f *ForwardAuth) answer(w http.ResponseWriter, event *httpd.Event, v Verdict) {
	h := w.Header()
	v.tellEvent(event)
	httpd.TellExpiry(h, v.Caller)
	if v.Allow {
		for i, name := range identityHeaders {
			h[name] = v.Identity[i : i+1 : i+1]
		}
		for _, s := range v.Set {
			h[s.Name] = []string{s.Value}
		}
		httpd.SetRateStanding(h, v.Caller.Rate)
		w.WriteHeader(http.StatusOK)
		return
	}
	v.setHeaders(h)
	httpd.WriteJSONBytes(w, v.Status, v.body())
}

// tellEvent notes the verdict for the log.
func (v *Verdict) tellEvent(event *httpd.Event) {
	if v.Caller.Token != 0 {
		event.SetCaller(v.Caller)
		event.Route, event.Asked = v.Route, v.Asked
	}
	event.Err = v.Err
}

// setHeaders sets the headers of a refusal.
func (v *Verdict) setHeaders(h http.Header) {
	httpd.SetRateHeaders(h, v.Caller.Rate)
	httpd.SetErrorHeaders(h, v.Err)
	switch {
	case v.Challenge != "":
		h["Www-Authenticate"] = []string{v.Challenge}
	case v.Status == http.StatusForbidden:
		h["X-Hallpass-Reason"] = []string{v.Reason}
	}
}

// maxBody is how long the body of a refusal may be, in bytes: proxies keep it in
// memory.
const maxBody = 1000

// body returns the JSON of a refusal. A message is cut that holds much of what the
// client wrote.
func (v *Verdict) body() []byte {
	for message := v.Message; ; message = strings.ToValidUTF8(message[:len(message)/2], "") {
		b, _ := json.Marshal(map[string]string{"message": message, "messageId": v.Reason}) // texts always marshal
		if len(b) <= maxBody || message == "" {
			return b
		}
	}
}
