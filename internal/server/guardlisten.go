package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// guardListeners serve the APIs behind guards, each at an address of its own. When the
// guards change, new addresses are opened, and then those are closed that no guard has
// any more. It is safe for concurrent use.
type guardListeners struct {
	s *Server

	mu      sync.Mutex
	open    []*guardListener // guarded by mu
	served  chan<- error     // nil: nothing is served yet; guarded by mu
	ended   bool             // the server stops: nothing is opened any more; guarded by mu
	leaving sync.WaitGroup   // addresses that are closed, whose last requests finish
}

// A guardListener serves the API behind one guard, and nothing else.
type guardListener struct {
	s          *Server
	guard      atomic.Pointer[string] // its name; another guard may take the address over
	address    string                 // as the guard writes it
	listener   net.Listener
	web        *http.Server
	endStreams func()
}

func (s *Server) newGuardListener(g hallpass.Guard) *guardListener {
	l := &guardListener{s: s, address: g.Listen, web: s.web()}
	l.guard.Store(&g.Name)
	door, end := s.guardDoor(l.name)
	l.web.Handler, l.endStreams = s.closing(door), end
	l.web.DisableGeneralOptionsHandler = true // the guard decides about "OPTIONS *" too
	return l
}

func (l *guardListener) name() string { return *l.guard.Load() }

// serve answers until the listener is closed, which may be exchanged for another meanwhile.
func (l *guardListener) serve(at net.Listener, failed chan<- error) {
	err := l.s.serveAt(at, l.web)
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return
	}
	select {
	case failed <- fmt.Errorf("guard.%s: %w", l.name(), err):
	default: // the server stops because of another failure
	}
}

// close closes the address; requests at work go on. One that is closed stays so.
func (l *guardListener) close() error {
	if err := l.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// drain lets the requests at work finish until ctx is done, and cuts off the others.
func (l *guardListener) drain(ctx context.Context) error {
	if err := l.web.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("drain guard %s: %w", l.name(), err), l.web.Close())
	}
	return nil
}

// A guardTurn is a change of the listeners that is prepared: what is new is bound, and
// nothing of it is served yet. Whoever prepares it holds guardListeners.mu until commit
// or rollBack.
type guardTurn struct {
	of      *guardListeners
	next    []*guardListener          // are open afterwards
	opened  []*guardListener          // of those: are new
	renamed map[*guardListener]string // of those: serve another guard afterwards
	over    []*guardListener          // are closed afterwards
	paused  []*guardListener          // of those: are closed already, because a new address has their port
}

// prepare opens the addresses that the guards have and that are not open. An address
// that cannot be opened is an error, and its guard keeps the address that it had.
func (l *guardListeners) prepare(guards []hallpass.Guard) (*guardTurn, error) {
	t := &guardTurn{of: l, renamed: make(map[*guardListener]string)}
	if l.ended {
		t.next = l.open
		return t, nil
	}
	t.over = slices.Clone(l.open)
	wanted := slices.DeleteFunc(slices.Clone(guards), func(g hallpass.Guard) bool { return g.Listen == "" })
	wanted = slices.DeleteFunc(wanted, func(g hallpass.Guard) bool {
		return t.keep(func(o *guardListener) bool { return o.name() == g.Name && o.address == g.Listen }) != nil
	})
	wanted = slices.DeleteFunc(wanted, func(g hallpass.Guard) bool {
		o := t.keep(func(o *guardListener) bool { return o.address == g.Listen })
		if o != nil {
			t.renamed[o] = g.Name
		}
		return o != nil
	})
	var failed error
	for _, g := range wanted {
		if err := t.bind(g); err != nil {
			failed = errors.Join(failed, fmt.Errorf("guard.%s.listen: %w", g.Name, err))
			if o := t.keep(func(o *guardListener) bool { return o.name() == g.Name }); o != nil {
				t.resume(o)
			}
		}
	}
	return t, failed
}

// keep keeps the first listener that fits of those that were to be closed, and returns
// it; nil if there is none.
func (t *guardTurn) keep(fits func(*guardListener) bool) *guardListener {
	i := slices.IndexFunc(t.over, fits)
	if i < 0 {
		return nil
	}
	o := t.over[i]
	t.over, t.next = slices.Delete(t.over, i, i+1), append(t.next, o)
	return o
}

// bind opens the address of the guard.
func (t *guardTurn) bind(g hallpass.Guard) error {
	o := t.of.s.newGuardListener(g)
	err := listen(&o.listener, g.Listen)
	if errors.Is(err, syscall.EADDRINUSE) && t.makeWay(g.Listen) {
		err = listen(&o.listener, g.Listen)
	}
	if err == nil {
		t.opened, t.next = append(t.opened, o), append(t.next, o)
	}
	return err
}

// makeWay closes addresses that are to be closed anyway and have the same port: one of
// them may keep 0.0.0.0:9091 from being opened beside 127.0.0.1:9091. It reports
// whether there was one.
func (t *guardTurn) makeWay(address string) bool {
	_, port, _ := net.SplitHostPort(address) // the guard is valid
	before := len(t.paused)
	for _, o := range t.over {
		if _, p, _ := net.SplitHostPort(o.listener.Addr().String()); p == port && !slices.Contains(t.paused, o) {
			_ = o.close() // if it fails, the new address cannot be opened, which is told
			t.paused = append(t.paused, o)
		}
	}
	return len(t.paused) > before
}

// resume opens the address of a listener again if it made way.
func (t *guardTurn) resume(o *guardListener) {
	i := slices.Index(t.paused, o)
	if i < 0 {
		return
	}
	t.paused = slices.Delete(t.paused, i, i+1)
	address := o.listener.Addr().String()
	o.listener = nil
	if err := listen(&o.listener, address); err != nil {
		t.of.s.log.Error("an address that a guard had cannot be opened again: nothing is served there", "guard", o.name(), "error", err)
		o.listener = closedListener{}
		return
	}
	if t.of.served != nil {
		go o.serve(o.listener, t.of.served)
	}
}

// closedListener stands for an address that is lost.
type closedListener struct{ net.Listener }

// Close is for net.Listener.
func (closedListener) Close() error { return net.ErrClosed }

// Addr is for net.Listener.
func (closedListener) Addr() net.Addr { return &net.TCPAddr{} }

// commit serves at the new addresses, and closes those that no guard has any more: their
// streams end, and their requests at work finish.
func (t *guardTurn) commit() {
	l := t.of
	for o, name := range t.renamed {
		o.guard.Store(&name)
	}
	l.open = t.next
	if l.served != nil {
		for _, o := range t.opened {
			l.begin(o)
		}
	}
	for _, o := range t.over {
		l.s.log.Info("no longer serving the API behind a guard at this address", "guard", o.name(), "address", o.listener.Addr().String())
		_ = o.close() // Shutdown does not know of one that was never served
		o.endStreams()
		l.leaving.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), l.s.drainTimeout)
			defer cancel()
			if err := o.drain(ctx); err != nil {
				l.s.log.Warn("requests were cut off at an address that a guard no longer has", "error", err)
			}
		})
	}
}

// rollBack closes what was opened: all stay as they were.
func (t *guardTurn) rollBack() {
	for _, o := range t.opened {
		_ = o.close() // nothing was served there
		o.endStreams()
	}
	for _, o := range slices.Clone(t.paused) {
		t.resume(o)
	}
}

// begin serves at an address.
func (l *guardListeners) begin(o *guardListener) {
	l.s.log.Info("serving the API behind a guard", "guard", o.name(), "address", o.listener.Addr().String())
	go o.serve(o.listener, l.served)
}

// serve answers at the addresses, and at those that are opened later, until drain.
func (l *guardListeners) serve(failed chan<- error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served = failed
	for _, o := range l.open {
		l.begin(o)
	}
}

// drain lets the requests at work finish until ctx is done, and cuts off the others.
func (l *guardListeners) drain(ctx context.Context) (err error) {
	l.mu.Lock()
	l.ended = true
	open := l.open
	l.mu.Unlock()
	for _, o := range open {
		err = errors.Join(err, o.drain(ctx))
	}
	l.leaving.Wait()
	return err
}

// close closes the addresses; those that served are closed already.
func (l *guardListeners) close() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.open {
		err = errors.Join(err, o.close())
	}
	return err
}

// GuardAddress returns where the guard has a listener of its own; "" if it has none.
func (s *Server) GuardAddress(guard string) string {
	s.guardListeners.mu.Lock()
	defer s.guardListeners.mu.Unlock()
	for _, o := range s.guardListeners.open {
		if o.name() == guard {
			return o.listener.Addr().String()
		}
	}
	return ""
}

// listenForGuards opens the addresses of the guards of the configuration file: all of
// them, or none and it is an error.
func (s *Server) listenForGuards() error { return s.turnListeners(s.config.Guards, nil) }

// turnListeners has the listeners follow the guards once change is made; nil: nothing is
// to be made. If an address cannot be opened, or the change fails, all stay as they were.
func (s *Server) turnListeners(guards []hallpass.Guard, change func() error) error {
	s.guardListeners.mu.Lock()
	defer s.guardListeners.mu.Unlock()
	turn, err := s.guardListeners.prepare(guards)
	if err == nil && change != nil {
		err = change()
	}
	if err != nil {
		turn.rollBack()
		return err
	}
	turn.commit()
	return nil
}

// followGuards has the listeners follow the guards that are stored: another node may
// have changed them. An address that cannot be opened is an error, and the others follow.
func (s *Server) followGuards(ctx context.Context) error {
	s.guardListeners.mu.Lock() // before the look: an older state must not come after a newer one
	defer s.guardListeners.mu.Unlock()
	var guards []hallpass.Guard
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		guards, err = tx.AllGuards()
		return err
	})
	if err != nil {
		return err
	}
	turn, err := s.guardListeners.prepare(guards)
	turn.commit()
	return err
}

// newGuardDoor returns what makes the door of a guard's listener, and what ends the
// streams there. Which guard that is, is asked for each request.
func (s *Server) newGuardDoor(o httpd.Options) func(guard func() string) (door http.Handler, endStreams func()) {
	o.Reader = func(*http.Request) httpd.Reader { return httpd.Proxy }
	return func(guard func() string) (http.Handler, func()) {
		api, end := s.proxy.Of(guard)
		return httpd.Handler(s.tracing.Wrap(api), o), end
	}
}
