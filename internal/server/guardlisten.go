package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// A guardListener serves the API behind one guard, and nothing else, at an address of
// its own.
type guardListener struct {
	guard    string
	listener net.Listener
	web      *http.Server
}

// listenForGuards binds the addresses of the guards of the configuration file that
// have one. What a reload of the file says about addresses holds from the next start on.
func (s *Server) listenForGuards() error {
	if s.guardListeners != nil {
		return nil
	}
	for _, g := range s.config.Guards {
		if g.Listen == "" {
			continue
		}
		l := guardListener{guard: g.Name, web: s.web()}
		if err := listen(&l.listener, g.Listen); err != nil {
			return fmt.Errorf("guard.%s.listen: %w", g.Name, err)
		}
		l.web.Handler = s.closing(s.guardDoor(g.Name))
		l.web.DisableGeneralOptionsHandler = true // the guard decides about "OPTIONS *" too
		s.guardListeners = append(s.guardListeners, l)
	}
	return nil
}

// GuardAddress returns where the guard has a listener of its own; "" if it has none.
func (s *Server) GuardAddress(guard string) string {
	for _, l := range s.guardListeners {
		if l.guard == guard {
			return l.listener.Addr().String()
		}
	}
	return ""
}

// serveGuards answers at the addresses of guards until they are shut down.
func (s *Server) serveGuards(served chan<- error) {
	for _, l := range s.guardListeners {
		s.log.Info("serving the API behind a guard", "guard", l.guard, "address", l.listener.Addr().String())
		go func() {
			if err := l.web.Serve(httpd.KeepFirstDeadline(httpd.KeepTimers(l.listener))); !errors.Is(err, http.ErrServerClosed) {
				served <- fmt.Errorf("guard.%s: %w", l.guard, err)
			}
		}()
	}
}

// drainGuards lets the requests at work finish until ctx is done, and cuts off the
// others.
func (s *Server) drainGuards(ctx context.Context) (err error) {
	for _, l := range s.guardListeners {
		if failed := l.web.Shutdown(ctx); failed != nil {
			err = errors.Join(err, fmt.Errorf("drain guard %s: %w", l.guard, failed), l.web.Close())
		}
	}
	return err
}

// closeGuards closes the listeners of guards; those that served are closed already.
func (s *Server) closeGuards() (err error) {
	for _, l := range s.guardListeners {
		if closing := l.listener.Close(); !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
	}
	return err
}

// newGuardDoor returns what serves the API behind a guard.
func (s *Server) newGuardDoor(o httpd.Options) func(name string) http.Handler {
	o.Reader = func(*http.Request) httpd.Reader { return httpd.Proxy }
	return func(name string) http.Handler { return httpd.Handler(s.tracing.Wrap(s.proxy.Of(name)), o) }
}
