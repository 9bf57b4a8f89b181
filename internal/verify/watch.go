package verify

import (
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// An Event is something that happened to a token.
type Event struct {
	Kind      EventKind
	At        time.Time
	Address   string
	UserAgent string
	Reason    string // of a refusal: a messageId, or the missing permission
}

// EventKind says what happened.
type EventKind string

// The kinds of event.
const (
	EventFirstUse EventKind = "first-use"
	EventRefused  EventKind = "refused"
)

// watchers are those who wait for something to happen to a token.
type watchers struct {
	mu     sync.Mutex
	tokens map[hallpass.TokenID]map[chan Event]struct{} // guarded by mu
}

// Watch returns a channel of the token's events from now on, and a function
// that ends it. A reader that lags by more than a few events misses some.
func (v *Verifier) Watch(t hallpass.TokenID) (<-chan Event, func()) {
	w := &v.watchers
	ch := make(chan Event, 8)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tokens == nil {
		w.tokens = make(map[hallpass.TokenID]map[chan Event]struct{})
	}
	if w.tokens[t] == nil {
		w.tokens[t] = make(map[chan Event]struct{})
	}
	w.tokens[t][ch] = struct{}{}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.tokens[t], ch)
		if len(w.tokens[t]) == 0 {
			delete(w.tokens, t)
		}
	}
}

func (w *watchers) publish(t hallpass.TokenID, e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.tokens[t] {
		select {
		case ch <- e:
		default: // it lags
		}
	}
}
