package httpd

import (
	"context"
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// An Event is what one request turned out to be. Handlers fill it in, and it
// is logged once, when the request is over. It belongs to the request's
// goroutine.
type Event struct {
	Started  time.Time
	From     hallpass.From // the client, as far as proxies are trusted
	Secure   bool          // the client spoke https
	Trusted  bool          // the peer is a trusted proxy
	Caller   string        // login
	Token    hallpass.TokenID
	Org      hallpass.OrgID
	Action   string // the permission demanded, or the route's name
	Target   string
	Err      error // what went wrong, for the log alone
	AccessID string
	Stream   bool                 // the answer lasts as long as its reader likes
	Foreign  bool                 // the answer is that of another server, its status too
	Route    *hallpass.TokenRoute // what the request with a token asked for; nil: it is not counted
	Method   string               // of the request that is counted: where a proxy asks, of the original one
	Asked    hallpass.AskedScopes // on which the action of Route was demanded and permitted, if Route does not tell it
	Reads    bool                 // it changes nothing, whatever its method: success is logged at level Debug

	ids    *requestIDs // nil: the request has none
	number uint64      // of the request
}

// RequestID returns the ID that finds the request in the log.
func (e *Event) RequestID() string {
	if e.ids == nil {
		return ""
	}
	return e.ids.of(e.number)
}

// SetCaller notes who calls.
func (e *Event) SetCaller(c hallpass.Caller) {
	e.Caller, e.Token, e.Org = c.Principal.Login, c.Token, c.Org
}

// An exchange is what one request needs of us, in one allocation: its event,
// the context in which handlers find it, and what keeps the answer's status.
type exchange struct {
	context.Context
	event   Event
	rec     recorder
	request *http.Request // as the doors get it
}

type eventKey struct{}

// Value returns the event under eventKey and what the request's own context
// has under any other.
func (x *exchange) Value(key any) any {
	if key == (eventKey{}) {
		return &x.event
	}
	return x.Context.Value(key)
}

// EventOf returns the request's event. Outside of Handler it is an empty one,
// so that handlers need not ask.
func EventOf(ctx context.Context) *Event {
	if e, ok := ctx.Value(eventKey{}).(*Event); ok {
		return e
	}
	return &Event{}
}
