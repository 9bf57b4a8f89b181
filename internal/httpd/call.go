package httpd

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// Calls gives the calls of one method of gRPC what a Handler gives requests: each has
// its event, a panic ends no process, one line is logged, and Answered is told. It is
// safe for concurrent use.
type Calls struct {
	Options
	ids *requestIDs
	as  *http.Request // how the log and Answered see each of them
}

// NewCalls returns Calls of the method, as "/grpc.health.v1.Health/Check". Of the
// options it reads Log, Proxies, Fold, Began, Answered and Span.
func NewCalls(method string, o Options) *Calls {
	return &Calls{o, newRequestIDs(), &http.Request{Method: http.MethodPost, URL: &url.URL{Path: method}}}
}

// A Call is where a call comes from, and what it tells of the request that it is
// about.
type Call struct {
	Peer   string      // the address that sent the call, with its port
	Source string      // the address that sent the request to the peer; "": the peer does not tell it
	Header http.Header // of that request
	Parent string      // for Options.Span: the traceparent that came with the call
}

// Do has answer answer the call, in a context that has its event. answer returns the
// status that says in HTTP how the call ended. If it panics, Do logs that as a fault
// and returns.
func (c *Calls) Do(ctx context.Context, call Call, answer func(context.Context, *Event) (status int)) {
	x := &exchange{Context: ctx, event: Event{Started: time.Now(), Reads: true, ids: c.ids, number: c.ids.n.Add(1)}}
	x.event.From, x.event.Trusted = c.Proxies.told(call)
	defer c.end(x)
	if c.Span == nil {
		x.rec.event, x.rec.began = &x.event, c.Began
		x.rec.begin(answer(x, &x.event))
		return
	}
	x.rec.status = c.Span(x, c.as.URL.Path, call.Parent, func(ctx context.Context) int { return answer(ctx, &x.event) })
}

// end is deferred: it takes note of a panic and tells of the call.
func (c *Calls) end(x *exchange) {
	if p := recover(); p != nil {
		x.event.Err, x.rec.status = fmt.Errorf("panic: %v\n%s", p, debug.Stack()), http.StatusInternalServerError
	}
	c.logRequest(c.as, &x.event, x.rec.status)
	if c.Answered != nil {
		c.Answered(c.as, &x.event, x.rec.status)
	}
}

// told returns the client of the request that the call is about, and whether the peer
// is a trusted proxy. If it is not, nothing that it tells is believed, and it counts
// as the client. If it is, the client is the first address that is not a trusted
// proxy: of the source, and of the header in which proxies tell the client.
func (p Proxies) told(c Call) (from hallpass.From, trusted bool) {
	host := c.Peer
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = strings.Trim(host[:i], "[]")
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !p.Trusted.contains(peer) {
		return hallpass.From{Address: host}, false
	}
	w := walk{Proxies: p, client: peer.Unmap()}
	if c.Source == "" || w.step(c.Source) {
		if p.Forwarded {
			w.forwarded(c.Header[forwarded])
		} else {
			w.forwardedFor(c.Header[xForwardedFor])
		}
	}
	from.Address = w.client.String()
	if agent := c.Header["User-Agent"]; len(agent) > 0 {
		from.UserAgent = hallpass.Clean(agent[0], maxAgent)
	}
	return from, true
}
