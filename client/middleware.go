package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// GuardOptions set up Guard.
type GuardOptions struct {
	// Guard names the guard whose rules apply. If it is empty, every good token passes,
	// of whatever org, and no rules apply.
	Guard string
	// Headers are headers of the client that the guard's rules read, as X-Scope-OrgID.
	Headers []string
	// Set are headers that the guard's rules set. The handler gets the guard's values,
	// and never the client's.
	Set []string
	// Address returns the address of the client. nil: that of the connection.
	Address func(*http.Request) string
	// Timeout is how long the guard may take for an answer. 0: two seconds.
	Timeout time.Duration
	// Transport carries the questions. nil: connections that are kept open, and no proxy.
	Transport http.RoundTripper
	// OnError is called when the guard could not be asked, for each request that is
	// therefore refused. nil: slog's default logger gets the error.
	OnError func(*http.Request, error)
}

// A Caller is who sent a request that Guard let pass.
type Caller struct {
	AccountID int64
	Account   string // the login
	OrgID     int64
	Role      string // in that org: None, Viewer, Editor or Admin
	TokenID   int64
	Subject   string // of a federated token; "": none
}

type callerKey struct{}

// CallerOf returns who sent the request with that context. It is false if the guard
// let the request pass without a token, and if there is no Guard before the handler.
func CallerOf(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok && c.AccountID != 0
}

// Guard returns middleware that asks the Hallpass at baseURL about each request, and
// hands on only what the guard allows. The handler finds the caller with CallerOf. It
// gets the request without Authorization and without headers that some server could
// read as those in which Hallpass tells who calls.
//
// A request is refused as the guard says: 401, 403, 429 when its token is used more often
// than its rate allows, or 503 when the guard cannot know or cannot be asked. No answer is
// kept: a revoked token is refused on the next request. The client is told the rate of its
// token, and its end in its last 14 days, in the headers RateLimit and
// Hallpass-Token-Expires.
//
// The guard judges the request's target as the client sent it. So Guard stands before
// all that changes paths. The guard must trust this process as a proxy ([server]
// trusted_proxies). The middleware is safe for concurrent use.
func Guard(baseURL string, o GuardOptions) func(http.Handler) http.Handler {
	g := newGuarded(baseURL, o)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, next) })
	}
}

// guarded asks one guard.
type guarded struct {
	url     string
	read    []string // headers of the client that the guard gets, by canonical names
	set     []string // headers that the handler gets from the guard
	address func(*http.Request) string
	onError func(*http.Request, error)
	http    *http.Client
}

const defaultGuardTimeout = 2 * time.Second

func newGuarded(baseURL string, o GuardOptions) *guarded {
	g := &guarded{
		url:     strings.TrimRight(baseURL, "/") + "/guard/verify",
		read:    append(canonical(o.Headers), "Authorization", "User-Agent", "Origin", "Access-Control-Request-Method"),
		set:     canonical(o.Set),
		address: o.Address, onError: o.OnError,
		http: &http.Client{
			Transport: o.Transport, Timeout: o.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if o.Guard != "" {
		g.url = strings.TrimRight(baseURL, "/") + "/guard/nginx/" + url.PathEscape(o.Guard)
	}
	if g.address == nil {
		g.address = peer
	}
	if g.onError == nil {
		g.onError = func(r *http.Request, err error) {
			slog.Default().ErrorContext(r.Context(), "the guard could not be asked: a request was refused", "err", err)
		}
	}
	if g.http.Transport == nil {
		g.http.Transport = &http.Transport{
			DialContext:         (&net.Dialer{Timeout: time.Second}).DialContext,
			MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true, DisableCompression: true,
		}
	}
	if g.http.Timeout == 0 {
		g.http.Timeout = defaultGuardTimeout
	}
	return g
}

func canonical(names []string) (list []string) {
	for _, name := range names {
		list = append(list, textproto.CanonicalMIMEHeaderKey(name))
	}
	return list
}

// peer returns the address of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (g *guarded) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer, err := g.ask(r)
	if err != nil {
		g.unavailable(w, r, err)
		return
	}
	defer func() { _ = answer.Body.Close() }()                       // it was read, or is not wanted
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxVerdict)) // read, so that the connection can be kept
	if err != nil {
		g.unavailable(w, r, err)
		return
	}
	switch answer.StatusCode {
	case http.StatusOK:
		caller, err := readCaller(answer.Header)
		if err != nil {
			g.unavailable(w, r, err)
			return
		}
		copyHeaders(w, answer, ofToken[:])
		next.ServeHTTP(w, g.handOn(r, caller, answer.Header))
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable, http.StatusRequestHeaderFieldsTooLarge:
		refuse(w, answer, body)
	default:
		g.unavailable(w, r, fmt.Errorf("%s answers %s", g.url, answer.Status))
	}
}

// maxVerdict bounds what is read of a guard's answer, in bytes.
const maxVerdict = 64 << 10

// ask sends the question as nginx would.
func (g *guarded) ask(r *http.Request) (*http.Response, error) {
	q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, g.url, nil)
	if err != nil {
		return nil, errAddress
	}
	for _, name := range g.read {
		if values, ok := r.Header[name]; ok {
			q.Header[name] = values
		}
	}
	if _, ok := q.Header["User-Agent"]; !ok {
		q.Header["User-Agent"] = nil // else net/http names itself
	}
	target := r.RequestURI
	if target == "" {
		target = r.URL.RequestURI()
	}
	proto := "http"
	if r.TLS != nil {
		proto = "https"
	}
	address := g.address(r)
	for _, h := range [...]struct{ name, value string }{
		{"X-Original-Method", r.Method}, {"X-Original-Uri", target}, {"X-Original-Host", r.Host}, {"X-Original-Proto", proto},
		{"X-Real-Ip", address}, {"X-Forwarded-For", address},
	} {
		q.Header[h.name] = []string{h.value}
	}
	return g.http.Do(q)
}

// identity lists the headers in which the guard tells who calls. Each is always there.
var identity = [...]string{
	"X-Hallpass-Account-Id", "X-Hallpass-Account", "X-Hallpass-Org-Id", "X-Hallpass-Role", "X-Hallpass-Token-Id", "X-Hallpass-Subject",
}

var errNoGuard = errors.New("the answer is not that of a guard: it does not say who calls")

// readCaller reads who calls. An answer that does not say so is from another server,
// and lets nothing pass.
func readCaller(h http.Header) (c Caller, err error) {
	var values [len(identity)]string
	for i, name := range identity {
		if list := h[name]; len(list) != 1 || list[0] == "" {
			return c, errNoGuard
		}
		if values[i] = h[name][0]; values[i] == "-" {
			values[i] = ""
		}
	}
	for _, n := range []struct {
		text string
		to   *int64
	}{{values[0], &c.AccountID}, {values[2], &c.OrgID}, {values[4], &c.TokenID}} {
		if n.text == "" {
			continue
		}
		if *n.to, err = strconv.ParseInt(n.text, 10, 64); err != nil {
			return c, errNoGuard
		}
	}
	if c.Account, err = url.PathUnescape(values[1]); err != nil {
		return c, errNoGuard
	}
	c.Role, c.Subject = values[3], values[5]
	return c, nil
}

// handOn returns the request as the handler gets it.
func (g *guarded) handOn(r *http.Request, caller Caller, answer http.Header) *http.Request {
	out := r.WithContext(context.WithValue(r.Context(), callerKey{}, caller))
	out.Header = make(http.Header, len(r.Header))
	for name, values := range r.Header {
		if name != "Authorization" && !hallpass.IdentityHeader(name) && !g.sets(name) {
			out.Header[name] = values
		}
	}
	for _, name := range g.set {
		if values, ok := answer[name]; ok {
			out.Header[name] = values
		}
	}
	return out
}

// sets reports whether some server may read the header as one that the guard sets.
func (g *guarded) sets(name string) bool {
	for _, own := range g.set {
		if len(own) == len(name) && strings.EqualFold(own, asDashes.Replace(name)) {
			return true
		}
	}
	return false
}

var asDashes = strings.NewReplacer("_", "-", ".", "-")

// Headers of the guard's answer that the client gets: what is told of a token, and what
// belongs to a refusal.
var (
	ofToken   = [...]string{"Ratelimit", "Ratelimit-Policy", "Hallpass-Token-Expires"}
	ofRefusal = [...]string{"Www-Authenticate", "X-Hallpass-Reason", "Retry-After"}
)

func copyHeaders(w http.ResponseWriter, answer *http.Response, names []string) {
	for _, name := range names {
		if values, ok := answer.Header[name]; ok {
			w.Header()[name] = values
		}
	}
}

// refuse answers as the guard does, but for a token that is used too often with the status
// for that: the guard answers 403 because some proxies take no other one.
func refuse(w http.ResponseWriter, answer *http.Response, body []byte) {
	copyHeaders(w, answer, ofToken[:])
	copyHeaders(w, answer, ofRefusal[:])
	status := answer.StatusCode
	if status == http.StatusForbidden && answer.Header.Get("X-Hallpass-Reason") == "api-key.rate-limited" {
		status = http.StatusTooManyRequests
	}
	if !json.Valid(body) {
		body, _ = json.Marshal(map[string]string{"message": http.StatusText(status)}) // a text always marshals
	}
	writeRefusal(w, status, body)
}

// unavailable answers a request that could not be judged.
func (g *guarded) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	g.onError(r, err)
	w.Header().Set("Retry-After", "1")
	writeRefusal(w, http.StatusServiceUnavailable, []byte(`{"message":"Authorization service unavailable","messageId":"guard.failed"}`))
}

func writeRefusal(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only when the client has gone away
}
