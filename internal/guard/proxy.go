package guard

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// ProxyPath is what the paths of the built-in proxy begin with. The name of a guard
// follows, and the path of the API behind it.
const ProxyPath = Prefix + "proxy/"

// ProxyOptions sets up a Proxy. All but Log and Cookies are needed.
type ProxyOptions struct {
	Decider *Decider
	Verify  *verify.Verifier
	Cookies []string     // names of our own cookies: no API gets or sets them
	Name    string       // of this installation, in Via: letters and digits
	Log     *slog.Logger // nil: nothing is logged
}

// A Proxy is the built-in reverse proxy: it decides about each request and sends those
// that may pass to the upstream of their guard. It owns the connections, so it ends what
// goes on when that may not go on. It is safe for concurrent use.
type Proxy struct {
	ProxyOptions
	via       string
	reverse   *httputil.ReverseProxy
	upstreams [64]atomic.Pointer[upstream] // by the number of the guard
	ending    context.Context              // is done when streams must end
	end       context.CancelFunc
}

// An upstream is where the requests of a guard go.
type upstream struct {
	guard *hallpass.Guard
	url   *url.URL
	base  string // its path without a slash at the end
}

// Bounds on the connections to APIs.
const (
	connectTimeout   = 5 * time.Second
	idleConns        = 1024
	idleConnsOfOne   = 256
	idleConnTimeout  = 90 * time.Second
	continueTimeout  = time.Second
	maxAnswerHeaders = 1 << 20 // bytes
)

// NewProxy returns a Proxy.
func NewProxy(o ProxyOptions) *Proxy {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p := &Proxy{ProxyOptions: o, via: "1.1 hallpass-" + o.Name}
	p.ending, p.end = context.WithCancel(context.Background())
	p.reverse = &httputil.ReverseProxy{
		Rewrite: rewrite, ModifyResponse: modifyResponse, ErrorHandler: failed, BufferPool: new(buffers),
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout: connectTimeout, ExpectContinueTimeout: continueTimeout,
			MaxIdleConns: idleConns, MaxIdleConnsPerHost: idleConnsOfOne, IdleConnTimeout: idleConnTimeout,
			MaxResponseHeaderBytes: maxAnswerHeaders, DisableCompression: true, ForceAttemptHTTP2: true,
		},
	}
	return p
}

// buffers are those that bodies are copied with.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

// Get is for httputil.BufferPool.
func (b *buffers) Get() []byte {
	if kept, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return kept[:]
	}
	return new([bufferSize]byte)[:]
}

// Put is for httputil.BufferPool.
func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }

// EndStreams ends event streams and websockets, those that begin later too. The server
// calls it when it stops: they would go on for ever.
func (p *Proxy) EndStreams() { p.end() }

// Owns reports whether the request is for the proxy.
func (*Proxy) Owns(r *http.Request) bool { return strings.HasPrefix(rawTarget(r), ProxyPath) }

// Errors of the proxy itself.
var (
	errLoop       = &hallpass.Error{Kind: hallpass.Invalid, ID: "guard.loop", Message: "The request has come through the guard of this Hallpass already: the upstream of that guard is Hallpass itself"}
	errConnect    = &hallpass.Error{Kind: hallpass.Invalid, ID: "request.method-not-allowed", Message: "The method CONNECT asks for a tunnel, which no rule can guard"}
	errNoUpstream = &hallpass.Error{Kind: hallpass.Unavailable, ID: "guard.no-upstream", Message: "The guard has no upstream: it serves other proxies alone"}
	errSlow       = &hallpass.Error{Kind: hallpass.Unavailable, ID: "guard.upstream-slow", Message: "The API behind the guard does not answer in time"}
	errEnded      = errors.New("guard: the request may not go on")
	errStopping   = errors.New("guard: the server stops")
)

// Looped reports whether the request comes from the proxy of this installation.
func (p *Proxy) Looped(r *http.Request) bool {
	for _, via := range r.Header["Via"] {
		if strings.Contains(via, p.via) {
			return true
		}
	}
	return false
}

// Refuse answers a request that comes from the proxy of this installation.
func (*Proxy) Refuse(w http.ResponseWriter, r *http.Request) { httpd.WriteError(w, r, errLoop) }

// ServeHTTP is ANY /guard/proxy/{guard}/{rest…}. The API gets what follows the name of
// the guard, as it was sent.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, target := rawTarget(r)[len(ProxyPath):], "/"
	if end := strings.IndexAny(name, "/?"); end >= 0 {
		name, target = name[:end], name[end:]
	}
	if target[0] == '?' {
		target = "/" + target
	}
	x := &exchange{proxy: p, ending: p.ending, ours: true}
	x.serve(w, r, name, target)
}

// Of returns what serves the API behind a guard on a listener of its own, and what ends
// event streams and websockets there, those that begin later too. guard returns the
// guard's name; it is called for each request.
func (p *Proxy) Of(guard func() string) (api http.Handler, endStreams func()) {
	ending, end := context.WithCancel(p.ending)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{proxy: p, ending: ending}
		x.serve(w, r, guard(), rawTarget(r))
	}), end
}

// upstream returns where the requests of the guard go, nil if it is not said.
func (p *Proxy) upstream(g *hallpass.Guard) *upstream {
	slot := &p.upstreams[uint64(g.ID)%uint64(len(p.upstreams))]
	if kept := slot.Load(); kept != nil && kept.guard == g {
		return kept
	}
	u, err := url.Parse(g.Upstream)
	if err != nil || u.Host == "" {
		return nil
	}
	made := &upstream{guard: g, url: u, base: strings.TrimRight(u.EscapedPath(), "/")}
	slot.Store(made)
	return made
}

// failed answers a request that the API did not answer. It is for httputil.ReverseProxy.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	if x.request.ContentLength != 0 {
		w.Header()["Connection"] = connectionClose // what is left of the body is not read
	}
	var timeout net.Error
	switch cause := context.Cause(r.Context()); {
	case errors.Is(cause, errEnded):
		x.refuse(w, *x.refusal.Load())
	case errors.Is(cause, errStopping):
		x.fail(w, &hallpass.Error{Kind: hallpass.Unavailable, ID: "guard.stopping", Message: "The server stops, try again"})
	case cause == errSlow:
		x.answersWith(http.StatusGatewayTimeout)
		x.fail(w, errSlow)
	case x.request.Context().Err() != nil: // the client has gone away: nobody reads this
		x.event.Err = context.Cause(r.Context())
		w.WriteHeader(statusGone)
	case x.unread.Load():
		x.fail(w, &hallpass.Error{Kind: hallpass.Invalid, ID: "request.body", Message: "The body of the request cannot be read", Err: err})
	case errors.As(err, &timeout) && timeout.Timeout():
		x.answersWith(http.StatusGatewayTimeout)
		x.fail(w, &hallpass.Error{Kind: hallpass.Unavailable, ID: errSlow.ID, Message: errSlow.Message, Err: err})
	default:
		x.answersWith(http.StatusBadGateway)
		x.fail(w, &hallpass.Error{Kind: hallpass.Unavailable, ID: "guard.upstream-down", Message: "The API behind the guard cannot be reached", Err: err})
	}
}

// statusGone is what is logged where the client went away first; nginx has the same.
const statusGone = 499
