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
func Owns(r *http.Request) bool { return strings.HasPrefix(target(r), Prefix) }

// target returns the path of the request as the proxy sent it. The query is never
// read: some proxies append the query of the original request, which the client
// chose.
func target(r *http.Request) string { return httpd.SentPath(r.URL) }

// A ForwardAuth answers proxies that ask over HTTP, on the paths below Prefix. It
// is safe for concurrent use.
type ForwardAuth struct {
	decider    *Decider
	identities identities
}

// NewForwardAuth returns a ForwardAuth that answers with the verdicts of d.
func NewForwardAuth(d *Decider) *ForwardAuth { return &ForwardAuth{decider: d} }

var errNoDoor = &hallpass.Error{Kind: hallpass.NotFound, ID: "guard.not-found", Message: "Not found"}

// ServeHTTP answers every method and reads no body.
func (f *ForwardAuth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		// Some proxies announce the body of the original request and never send it.
		// net/http would wait for that body before it answers. It does not wait if
		// the connection is closed after the answer.
		w.Header()["Connection"] = connectionClose
	}
	if target(r) != Prefix+"verify" {
		httpd.WriteError(w, r, errNoDoor)
		return
	}
	f.serveVerify(w, r)
}

// serveVerify is ANY /guard/verify: it verifies the token and applies no rules,
// so it never answers 403 (forward-auth.md section 1).
func (f *ForwardAuth) serveVerify(w http.ResponseWriter, r *http.Request) {
	event := httpd.EventOf(r.Context())
	event.Action = "guard.verify"
	f.answer(w, event, f.decider.Decide(r.Context(), Check{Authorization: r.Header["Authorization"], From: event.From}))
}

// connectionClose is shared between answers and never changed.
var connectionClose = []string{"close"}

// answer writes the verdict as an answer to a proxy. One that allows has no body:
// proxies read its status and headers, and drop the rest.
func (f *ForwardAuth) answer(w http.ResponseWriter, event *httpd.Event, v Verdict) {
	h := w.Header()
	if v.Allow {
		event.SetCaller(v.Caller)
		values := f.identities.of(v.Caller)
		for i, name := range identityHeaders {
			h[name] = values[i : i+1 : i+1]
		}
		w.WriteHeader(http.StatusOK)
		return
	}
	event.Err = v.Err
	httpd.SetErrorHeaders(h, v.Err)
	if v.Challenge != "" {
		h["Www-Authenticate"] = []string{v.Challenge}
	}
	b, _ := json.Marshal(map[string]string{"message": v.Message, "messageId": v.Reason}) // texts always marshal
	httpd.WriteJSONBytes(w, v.Status, b)
}
