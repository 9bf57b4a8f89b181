package guard

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// An exchange is one request on its way through the proxy, and its answer. It is the
// context of the request to the API and the writer of the answer. All that passes, in
// both directions, passes it: it stops when the request may not go on.
type exchange struct {
	context.Context
	http.ResponseWriter
	proxy    *Proxy
	ending   context.Context // is done when streams must end
	ours     bool            // the answer is one of the host that the console is on
	request  *http.Request
	event    *httpd.Event
	control  *http.ResponseController
	check    Check
	verdict  Verdict
	upstream *upstream
	passage  *verify.Passage
	cancel   context.CancelCauseFunc

	timer    *time.Timer             // until the API begins to answer
	unhook   func() bool             // from ending; nil: it does not wait for that
	trailer  http.Header             // of the request to the API; nil: it has none
	answered atomic.Bool             // the API has begun to answer
	unread   atomic.Bool             // the client's body could not be read
	refusal  atomic.Pointer[Verdict] // why it may not go on; nil: it may
	deciding sync.Mutex              // held while it is decided anew

	mu   sync.Mutex // guards what follows
	conn net.Conn   // that a websocket took over
	over bool
}

// Times of an exchange.
const (
	stallTimeout = 60 * time.Second // for a client to send or to take the next part
	decideAgain  = time.Millisecond // between two decisions while a change is under way
)

// longAgo is a deadline that ends a wait at once.
var longAgo = time.Unix(1, 0)

type exchangeKey struct{}

// Value is for context.Context.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange) // every request of ReverseProxy has one
	return x
}

// serve decides about the request and sends it to the API if it may pass. target is
// what the API gets.
func (x *exchange) serve(w http.ResponseWriter, r *http.Request, guard, target string) {
	x.request, x.event = r, httpd.EventOf(r.Context())
	x.event.Action, x.event.Target = "guard.proxy", guard
	switch {
	case httpd.TooManyHeaders(r):
		x.fail(w, httpd.ErrHeaders)
		return
	case r.Method == http.MethodConnect:
		x.fail(w, errConnect)
		return
	case x.proxy.Looped(r):
		x.fail(w, errLoop)
		return
	}
	x.check = Check{Door: "built-in", Guard: guard, Method: r.Method, Host: r.Host, Target: target, Header: r.Header, Authorization: r.Header["Authorization"], From: x.event.From}
	begun := x.proxy.Verify.Moment()
	x.verdict = x.proxy.Decider.Decide(r.Context(), x.check)
	x.event.Method = r.Method
	x.verdict.tellEvent(x.event)
	if !x.verdict.Allow {
		path, _, _ := strings.Cut(target, "?")
		x.event.Target += ": " + r.Method + " " + path
		x.refuse(w, x.verdict)
		return
	}
	if x.upstream = x.proxy.upstream(x.verdict.Guard); x.upstream == nil {
		x.fail(w, errNoUpstream)
		return
	}
	x.pass(w, begun)
}

// pass sends the request to the API, and the answer back.
func (x *exchange) pass(w http.ResponseWriter, begun verify.Moment) {
	x.ResponseWriter, x.control = w, http.NewResponseController(w)
	httpd.SetRateHeaders(w.Header(), x.verdict.Caller.Rate)
	ctx, cancel := context.WithCancelCause(x.request.Context())
	defer cancel(nil)
	x.Context, x.cancel = ctx, cancel
	x.timer = time.AfterFunc(x.patience(), func() {
		if !x.answered.Load() {
			x.breakOff(errSlow)
		}
	})
	x.passage = x.proxy.Verify.Pass(begun, x.verdict.Caller, x.verdict.Guard.ID, func(p *verify.Passage) { x.decideAnew(p) })
	defer x.leave()
	_ = x.control.SetReadDeadline(time.Time{}) // fails for a recorder of tests alone; the server's is for its own requests
	out := x.request.WithContext(x)
	if out.ContentLength != 0 {
		out.Body = &upload{out.Body, x}
	}
	x.proxy.reverse.ServeHTTP(x, out)
}

// answersWith counts the API's answer; of one that it did not give, what other proxies would
// answer for it.
func (x *exchange) answersWith(status int) {
	x.proxy.Decider.answers.count(x.verdict.Guard.ID, status >= http.StatusInternalServerError)
}

// patience is how long the API may take to begin its answer, from the last part of the
// request on.
func (x *exchange) patience() time.Duration {
	if t := x.verdict.Guard.Timeout; t != 0 {
		return t
	}
	return hallpass.DefaultGuardTimeout
}

// leave ends the exchange: its connection may serve another request now.
func (x *exchange) leave() {
	x.timer.Stop()
	x.passage.Leave()
	if x.unhook != nil {
		x.unhook()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = true
	if x.conn == nil && x.refusal.Load() == nil {
		x.hurry() // the end of the answer is still to be written
	}
}

// hurry gives the client time to take the next part of the answer.
func (x *exchange) hurry() {
	_ = x.control.SetWriteDeadline(time.Now().Add(stallTimeout)) // fails only for a connection that is closed, as the write then does
}

// mayPass returns errEnded if nothing more may pass.
func (x *exchange) mayPass() error {
	if x.passage.Clear() || x.decideAnew(x.passage) {
		return nil
	}
	return errEnded
}

// decideAnew decides anew whether the request may pass, and ends it if not. While a
// change is under way it waits for its end.
func (x *exchange) decideAnew(p *verify.Passage) bool {
	x.deciding.Lock()
	defer x.deciding.Unlock()
	for !p.Clear() {
		if x.Err() != nil {
			return false
		}
		begun := x.proxy.Verify.Moment()
		v := x.proxy.Decider.Again(x, x.check)
		if !v.Allow {
			x.refusal.CompareAndSwap(nil, &v)
			x.breakOff(errEnded)
			return false
		}
		if !p.Confirm(begun, v.Caller) {
			time.Sleep(decideAgain)
		}
	}
	return x.refusal.Load() == nil
}

// breakOff ends the request to the API, and the connection to the client unless a
// whole answer can still be given.
func (x *exchange) breakOff(why error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cancel(why)
	switch {
	case x.over:
	case x.conn != nil:
		_ = x.conn.Close() // it is closed for the client's good or not: nothing more passes
	case x.answered.Load():
		_ = x.control.SetWriteDeadline(longAgo) // fails only for a connection that is closed
	case x.request.ContentLength != 0:
		_ = x.control.SetReadDeadline(longAgo) // as above; whoever waits for the client's next part would hold up the answer
	}
}

// refuse answers with a verdict that lets nothing pass.
func (x *exchange) refuse(w http.ResponseWriter, v Verdict) {
	if x.control != nil {
		x.hurry()
	}
	body := httpd.BodyOf(v.Err, x.event.RequestID())
	x.event.Err, x.event.AccessID = v.Err, body.AccessErrorID
	httpd.TellExpiry(w.Header(), v.Caller)
	v.setHeaders(w.Header())
	httpd.WriteJSON(w, v.answerStatus(), body)
}

// fail answers with an error.
func (x *exchange) fail(w http.ResponseWriter, err error) {
	if x.control != nil {
		x.hurry()
	}
	httpd.WriteError(w, x.request, err)
}

// Write is for http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	if !x.answered.Load() { // an answer of ours
		return x.ResponseWriter.Write(b)
	}
	if err := x.mayPass(); err != nil {
		return 0, err
	}
	x.hurry()
	if x.refusal.Load() != nil { // the deadline of breakOff came before this one
		return 0, errEnded
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// Hijack is for http.ResponseController: a websocket takes the connection over.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, brw, err := x.control.Hijack()
	if err != nil {
		return nil, nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.conn = conn
	if x.refusal.Load() != nil {
		return nil, nil, errors.Join(errEnded, conn.Close())
	}
	return &tunnel{conn, brw.Reader, x}, brw, nil
}

// An upload is the body of a request.
type upload struct {
	io.ReadCloser
	x *exchange
}

// Read is for io.Reader. The client may stall for a while only, and while it does the
// API need not answer.
func (u *upload) Read(b []byte) (int, error) {
	x := u.x
	x.timer.Stop()
	_ = x.control.SetReadDeadline(time.Now().Add(stallTimeout)) // fails only for a connection that is closed, as the read then does
	if x.Err() != nil {                                         // the deadline of breakOff came before this one
		return 0, context.Cause(x)
	}
	n, err := u.ReadCloser.Read(b)
	switch {
	case err == io.EOF:
		_ = x.control.SetReadDeadline(time.Time{}) // as above; from here on the server only looks whether the client is there
		for name := range x.trailer {
			x.trailer[name] = x.request.Trailer[name]
		}
	case err != nil:
		x.unread.Store(true)
	}
	if !x.answered.Load() {
		x.timer.Reset(x.patience())
	}
	if n > 0 {
		if err := x.mayPass(); err != nil {
			return 0, err
		}
	}
	return n, err
}

// A tunnel is the connection of a client that speaks another protocol now.
type tunnel struct {
	net.Conn
	ahead *bufio.Reader // holds what the client sent ahead
	x     *exchange
}

// Read is for net.Conn.
func (t *tunnel) Read(b []byte) (n int, err error) {
	if t.ahead.Buffered() > 0 {
		n, err = t.ahead.Read(b)
	} else {
		n, err = t.Conn.Read(b)
	}
	if n > 0 {
		if err := t.x.mayPass(); err != nil {
			return 0, err
		}
	}
	return n, err
}

// Write is for net.Conn.
func (t *tunnel) Write(b []byte) (int, error) {
	if err := t.x.mayPass(); err != nil {
		return 0, err
	}
	_ = t.SetWriteDeadline(time.Now().Add(stallTimeout)) // fails only for a connection that is closed, as the write then does
	return t.Conn.Write(b)
}

// isStream reports whether an answer lasts as long as its reader likes.
func isStream(res *http.Response) bool {
	return res.StatusCode == http.StatusSwitchingProtocols || strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream")
}
