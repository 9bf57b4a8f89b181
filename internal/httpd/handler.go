package httpd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// Limits on a request's headers; more is 431 (SEC-8).
const (
	MaxHeaderBytes  = 32 << 10
	maxHeaderFields = 100
)

// Options sets up a Handler.
type Options struct {
	Log     *slog.Logger
	Proxies Proxies
	HTTPS   bool // the public address is https: say so to browsers, and set __Host- cookies

	// Reader, if not nil, says who reads the answer to a request. It is called once
	// for each. Nil: a browser shows them all.
	Reader func(*http.Request) Reader

	// Fold, if not nil, tells of strangers' requests together.
	Fold *Fold

	// Answered, if not nil, is told of each request once it is over, with the
	// status of its answer.
	Answered func(*http.Request, *Event, int)

	// Began, if not nil, is told of each request when its answer begins, with the
	// status: an answer may last for days.
	Began func(*Event, int)

	// Span, if not nil, has answer answer a call of gRPC within a span, and returns
	// what it returns. method is that of NewCalls, parent the traceparent that came
	// with the call (W3C Trace Context), "" if none did. Handler does not read it.
	Span func(ctx context.Context, method, parent string, answer func(context.Context) (status int)) (status int)
}

// Handler wraps the doors: each request gets its event, the headers that every
// answer of its door has, and the one spelling of its path; a panic becomes a 500,
// and one line is logged.
func Handler(doors http.Handler, o Options) http.Handler {
	return &handler{o, doors, newRequestIDs()}
}

// handler is what Handler returns.
type handler struct {
	Options
	doors http.Handler
	ids   *requestIDs
}

// ServeHTTP is for http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := h.Proxies.peer(r)
	x := &exchange{
		Context: r.Context(), rec: recorder{ResponseWriter: w, began: h.Began},
		event: Event{Started: time.Now(), From: who.from, Secure: h.HTTPS || who.secure, Trusted: who.trusted, ids: h.ids, number: h.ids.n.Add(1)},
	}
	x.rec.event = &x.event
	reader := Browser
	if h.Reader != nil {
		reader = h.Reader(r)
	}
	setHeaders(w.Header(), reader, x.event.Secure)
	x.request = r.WithContext(x)
	defer h.end(x)
	h.serve(x, reader)
	if x.rec.status == 0 {
		x.rec.begin(http.StatusOK) // what net/http sends for a handler that says nothing
	}
}

// serve has a door answer, or refuses what no door is asked about.
func (h *handler) serve(x *exchange, reader Reader) {
	if reader != Proxy { // a proxy asks about another request, with any path, and misreads most statuses: its door refuses
		if TooManyHeaders(x.request) {
			WriteError(&x.rec, x.request, ErrHeaders)
			return
		}
		var ok bool
		if x.request, ok = onePath(x.request); !ok {
			WriteError(&x.rec, x.request, errNoPath)
			return
		}
	}
	h.doors.ServeHTTP(&x.rec, x.request)
}

// end is deferred: it answers a panic, if it still can, and tells of the request.
func (h *handler) end(x *exchange) {
	p := recover()
	e, rec := &x.event, &x.rec
	broken := rec.status != 0 || p == http.ErrAbortHandler // too late for another answer
	if p != nil && p != http.ErrAbortHandler {
		e.Err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		if !broken {
			WriteError(rec, x.request, e.Err)
		}
	}
	h.logRequest(x.request, e, rec.status)
	if h.Answered != nil {
		h.Answered(x.request, e, rec.status)
	}
	if p != nil && broken {
		panic(http.ErrAbortHandler) // cut the connection: half an answer must not pass for a whole one
	}
}

// ErrHeaders refuses a request of TooManyHeaders.
var ErrHeaders = &hallpass.Error{Kind: hallpass.Limited, ID: "request.headers-too-large", Message: "Request header fields too large"}

// TooManyHeaders reports whether the headers of the request and its target have more
// than MaxHeaderBytes, or there are more than a hundred (SEC-8). Handler refuses such
// a request, save at the doors of proxies.
func TooManyHeaders(r *http.Request) bool {
	bytes, fields := len(r.RequestURI), 0
	for name, values := range r.Header {
		for _, v := range values {
			bytes += len(name) + len(v) + 4
			fields++
		}
	}
	return bytes > MaxHeaderBytes || fields > maxHeaderFields
}

// The values are shared between answers and never changed; assigned as they
// are, they cost no allocation.
var (
	csp            = []string{"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"}
	nosniff        = []string{"nosniff"}
	referrerPolicy = []string{"same-origin"}
	frameDeny      = []string{"DENY"}
	noStore        = []string{"no-store"}
	hsts           = []string{"max-age=31536000"}
)

// A Reader is who reads an answer, which decides what headers it needs
// (docs/decisions/0020-headers-by-door.md).
type Reader uint8

// The readers, each with what its answers need.
const (
	Browser Reader = iota // shows the answer as a page or a part of one: all headers
	Program               // reads data; a browser that is led there must not run or frame it
	Proxy                 // asks whether a request may pass, and drops what it does not know
)

// setHeaders sets what every answer to the reader has. A handler of public assets
// may replace Cache-Control.
func setHeaders(h http.Header, reader Reader, secure bool) {
	h["Cache-Control"] = noStore
	if reader == Proxy {
		return
	}
	h["Content-Security-Policy"] = csp
	h["X-Content-Type-Options"] = nosniff
	if secure {
		h["Strict-Transport-Security"] = hsts
	}
	if reader == Program {
		return
	}
	h["X-Frame-Options"] = frameDeny
	h["Referrer-Policy"] = referrerPolicy
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	event  *Event
	began  func(*Event, int) // nil: nobody is told
}

// begin notes the status of the answer that begins.
func (r *recorder) begin(status int) {
	r.status = status
	if r.began != nil {
		r.began(r.event, status)
	}
}

// WriteHeader is for http.ResponseWriter. Interim answers (RFC 9110, 15.2) are not the
// answer; that to an upgrade is.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.begin(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.begin(http.StatusOK)
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// logRequest writes the request's one line. Successful reads are told at level
// Debug, for there are as many of them as there is traffic; only our own faults
// are Errors. The query is left out: people put secrets there.
func (o *Options) logRequest(r *http.Request, e *Event, status int) {
	level := slog.LevelInfo
	switch {
	case e.Foreign && status >= 400: // the fault is not ours
	case status >= 500 && status != http.StatusServiceUnavailable && status != http.StatusGatewayTimeout && status != http.StatusBadGateway && status != http.StatusLoopDetected:
		level = slog.LevelError
	case status >= 500:
		level = slog.LevelWarn
	case status < 400 && (e.Reads || r.Method == http.MethodGet || r.Method == http.MethodHead):
		level = slog.LevelDebug
	}
	if !o.Log.Enabled(r.Context(), level) || o.Fold != nil && level > slog.LevelDebug && folds(e, status) && !o.Fold.first(e, status, level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 14), // all there may be, so that it need not grow
		slog.String("request_id", e.RequestID()),
		slog.String("method", hallpass.Clean(r.Method, maxMethod)),
		slog.String("path", hallpass.Clean(r.URL.Path, maxLogged)),
		slog.Int("status", status),
		slog.Float64("ms", float64(time.Since(e.Started).Microseconds())/1000),
		slog.String("address", e.From.Address),
	)
	if e.Caller != "" {
		attrs = append(attrs, slog.String("caller", e.Caller), slog.Int64("org", int64(e.Org)))
	}
	if e.Token != 0 {
		attrs = append(attrs, slog.Int64("token", int64(e.Token)))
	}
	if e.Action != "" {
		attrs = append(attrs, slog.String("action", e.Action))
	}
	if e.Target != "" {
		attrs = append(attrs, slog.String("target", hallpass.Clean(e.Target, maxLogged)))
	}
	if e.AccessID != "" {
		attrs = append(attrs, slog.String("access_error_id", e.AccessID))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("kind", hallpass.KindOf(e.Err).Error()), slog.String("error", hallpass.Redact(e.Err.Error())))
	}
	o.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// The longest texts of a client that are logged, in bytes.
const (
	maxMethod = 32
	maxLogged = 1024
)

// requestIDs makes IDs: eight random digits for the process, and the number of the
// request. An ID becomes a text where somebody is told of it.
type requestIDs struct {
	prefix string
	n      atomic.Uint64
}

func newRequestIDs() *requestIDs {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return &requestIDs{prefix: hex.EncodeToString(b[:]) + "-"}
}

func (i *requestIDs) of(number uint64) string {
	var buf [32]byte
	return string(strconv.AppendUint(append(buf[:0], i.prefix...), number, 36))
}
