package verify

import (
	"slices"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A Listener is a caller whose answer goes on after the verification, as a
// stream of events does. It ends with anything that the verification was made
// from: the token, session, password, account, user, org or what they may do
// was changed. By the time such a change is answered, on whatever node it was
// made, nothing more is told.
//
// It is made before the caller is verified, so that no change falls between.
type Listener struct {
	v     *Verifier
	ended chan struct{} // closed when it is over

	mu     sync.Mutex // guards what follows
	over   bool
	known  bool              // caller is set
	before []hallpass.Change // that came before the caller was known
	all    bool              // so many of them that any caller may be meant
	caller hallpass.Caller
	cut    func() // breaks off what is being told

	telling sync.Mutex // held while something is told
}

// listeners are the listeners there are.
type listeners struct {
	mu  sync.Mutex
	all map[*Listener]struct{} // guarded by mu
}

// maxBefore bounds the changes that are kept while a caller is verified.
const maxBefore = 1000

// Listen returns a Listener for a caller who is about to be verified. Leave
// must be called when the answer is over.
func (v *Verifier) Listen() *Listener {
	l := &Listener{v: v, ended: make(chan struct{})}
	v.listeners.mu.Lock()
	defer v.listeners.mu.Unlock()
	if v.listeners.all == nil {
		v.listeners.all = make(map[*Listener]struct{})
	}
	v.listeners.all[l] = struct{}{}
	return l
}

// Admit says who listens, and how to break off what is being told. It fails
// with Unavailable if something changed since Listen that the verification may
// not have seen: asked again, it will be seen.
func (l *Listener) Admit(c hallpass.Caller, cut func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caller, l.known, l.cut = c, true, cut
	if l.over || l.all || slices.ContainsFunc(l.before, func(ch hallpass.Change) bool { return ch.Reach().Concerns(c) }) {
		l.end()
		return errStale
	}
	l.before = nil
	return nil
}

// Ended is closed once nothing more may be told.
func (l *Listener) Ended() <-chan struct{} { return l.ended }

// Tell runs fn, which tells something, if the caller may still be told by the
// time and by what this node knows; else Unauthenticated. When the listener
// ends while fn runs, fn is broken off.
func (l *Listener) Tell(fn func() error) error {
	l.telling.Lock()
	defer l.telling.Unlock()
	if l.lapsed() {
		return errNoSession
	}
	return fn()
}

// lapsed reports whether the listener is over, which it is also from when its
// credential expires, and when this node's lease is over.
func (l *Listener) lapsed() bool {
	now, ok := l.v.node.MayAnswer()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.known {
		return false
	}
	if until := l.caller.Expires; !ok || !until.IsZero() && !now.Before(until) {
		l.end()
	}
	return l.over
}

// Leave says that the answer is over.
func (l *Listener) Leave() {
	l.v.listeners.mu.Lock()
	delete(l.v.listeners.all, l)
	l.v.listeners.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = nil // the connection may belong to another answer now
	l.end()
}

// end says that it is over. The caller holds mu.
func (l *Listener) end() {
	if !l.over {
		l.over = true
		close(l.ended)
	}
}

// silence ends the listener and returns when nothing is being told any more.
func (l *Listener) silence() {
	l.mu.Lock()
	l.end()
	l.mu.Unlock()
	for !l.telling.TryLock() {
		l.mu.Lock()
		if l.cut != nil {
			l.cut()
		}
		l.mu.Unlock()
		time.Sleep(time.Millisecond) // fn may just have set another deadline
	}
	l.telling.Unlock()
}

// changed ends the listeners whom the changes touch.
func (ls *listeners) changed(changes []hallpass.Change) {
	ls.eachOf(func(l *Listener) bool { return l.touched(changes) })
}

// touched reports whether the changes touch the caller, and keeps them while
// that is not known.
func (l *Listener) touched(changes []hallpass.Change) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.known {
		if l.all = l.all || len(l.before)+len(changes) > maxBefore; !l.all {
			l.before = append(l.before, changes...)
		}
		return false
	}
	return !l.over && slices.ContainsFunc(changes, func(ch hallpass.Change) bool { return ch.Reach().Concerns(l.caller) })
}

// eachOf silences those of the listeners that over is true of.
func (ls *listeners) eachOf(over func(*Listener) bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for l := range ls.all {
		if over(l) {
			l.silence()
		}
	}
}

// EndListeners ends those whose credential has expired, and all while this
// node has no lease. The server calls it a few times a second.
func (v *Verifier) EndListeners() {
	v.listeners.eachOf((*Listener).lapsed)
}
