package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/version"
)

// GRPCAddress returns where [guard] grpc_listen is bound; "" if it is not.
func (s *Server) GRPCAddress() string {
	if s.grpc == nil {
		return ""
	}
	return s.grpc.Addr().String()
}

// Times and sizes of connections (SEC-43). A stream of events sets its own
// deadlines.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 9 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 90 * time.Second
	drainTimeout      = 20 * time.Second

	http2ConnectionBuffer = 256 << 10 // what a client may send before it is read
	http2StreamBuffer     = 64 << 10
)

// lastWrites is how long a server that stops has at the least to write what is in
// memory: a client that reads slowly may have used up the time for draining.
const lastWrites = 5 * time.Second

// Serve answers requests until ctx is done, then lets those at work finish,
// writes what is still in memory, and returns nil. It returns early when the
// database can no longer be relied on.
func (s *Server) Serve(ctx context.Context) error {
	address, err := s.Listen()
	if err != nil {
		return err
	}
	web := s.web()
	served := make(chan error, len(s.listeners)+3) // the first failure of each is enough
	s.guardListeners.serve(served)
	for _, l := range s.listeners {
		go func() { served <- s.serveAt(l, web) }()
	}
	if s.grpc != nil {
		go func() { served <- s.extAuthz.Serve(s.grpc) }()
		s.log.Info("serving gRPC for Envoy", "address", s.GRPCAddress())
	}
	scrapes := s.serveScrapes(served)
	background := context.WithoutCancel(ctx) // what runs until the last request is answered
	endJobs := runUntil(background, s.work)
	endHeartbeats := runUntil(background, s.node.Run)
	s.log.Info("serving", "address", address, "protocol", s.config.Server.Protocol, "socket", s.config.Server.Socket, "version", version.Current().Version)
	s.notify("READY=1")

	var failure error
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case failure = <-served:
	case err := <-s.db.Broken():
		failure = fmt.Errorf("the database cannot be relied on any more: %w", err)
	}
	s.draining.Store(true)
	s.notify("STOPPING=1")
	if failure == nil {
		time.Sleep(s.shutdownDelay)
	}
	close(s.stop)
	s.proxy.EndStreams()
	drained := time.Now().Add(s.drainTimeout)
	drain, cancel := context.WithDeadline(background, drained)
	defer cancel()
	failure = errors.Join(failure, s.drain(drain, web, scrapes))
	s.fold.Tell(time.Time{})
	quiet, cancelQuiet := context.WithTimeout(background, lastWrites)
	defer cancelQuiet()
	if !endJobs(quiet) {
		s.log.Warn("a job did not end, and the server stops without it: it waits for a file, perhaps")
	}
	last, cancelLast := context.WithDeadline(background, later(drained, time.Now().Add(lastWrites)))
	defer cancelLast()
	failure = errors.Join(failure, s.writeLast(last))
	endHeartbeats(last) // last: what is changed while draining waits for this node too
	s.node.Leave(last)
	return failure
}

// web returns the server of the main port. Without TLS it takes HTTP/2 too, which gRPC
// needs.
func (s *Server) web() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: s.closing(s.handler), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: httpd.MaxHeaderBytes + 8<<10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		Protocols: protocols, TLSConfig: s.certificates.config(),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: guard.MaxStreams, MaxReceiveBufferPerConnection: http2ConnectionBuffer, MaxReceiveBufferPerStream: http2StreamBuffer,
		},
	}
}

// drain lets the requests at work finish until ctx is done, and cuts off the others.
func (s *Server) drain(ctx context.Context, webs ...*http.Server) error {
	stopped := make(chan error, 1)
	go func() { stopped <- s.extAuthz.Stop(ctx) }()
	var err error
	for _, web := range webs {
		if late := web.Shutdown(ctx); late != nil {
			err = errors.Join(err, fmt.Errorf("drain: %w", late), web.Close())
		}
	}
	return errors.Join(err, s.guardListeners.drain(ctx), <-stopped)
}

// runUntil runs fn on a goroutine of its own and returns what ends it and waits
// for its end, until the context that it gets is done: then it is false.
func runUntil(ctx context.Context, fn func(context.Context)) (end func(context.Context) bool) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); fn(ctx) }()
	return func(ctx context.Context) bool {
		cancel()
		select {
		case <-done:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// writeLast writes what is in memory.
func (s *Server) writeLast(ctx context.Context) error {
	err := errors.Join(s.verify.Flush(ctx), s.FlushGuards(ctx))
	if err != nil {
		err = fmt.Errorf("flush: %w", err)
	}
	if err := s.node.Count(ctx); err != nil {
		s.log.Warn("the journal does not know the last numbers that were given", "error", err)
	}
	return err
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// closing has a server that stops tell each client that its next request needs
// another connection. It closes none that rests meanwhile: a change that is on its
// way there would be lost without an answer, and may not be sent again.
func (s *Server) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// ready says whether requests should be sent here: as long as this node may
// answer (docs/decisions/0014-readiness.md).
func (s *Server) ready() api.Readiness {
	if s.draining.Load() {
		return api.Readiness{State: "stopping", Reason: "The server is stopping", Database: true}
	}
	status := s.node.Status()
	if !status.Shared {
		return s.readyAlone()
	}
	switch {
	case status.Diverged:
		return api.Readiness{State: "diverged", Reason: "The database has another history than the one this node has applied; its log says what to do", Database: true}
	case !status.Leased:
		return api.Readiness{State: "stale", Reason: "The database has not answered for " + seconds(status.Age) + ", longer than database.max_staleness: nothing is verified until it does"}
	case status.Failing:
		return api.Readiness{OK: true, State: "leased", Reason: "The database does not answer: changes say 503, known tokens are verified from memory for another " + seconds(status.LeaseLeft)}
	}
	return api.Readiness{OK: true, State: "ready", Database: true}
}

// readyAlone is ready where no other node shares the database.
func (s *Server) readyAlone() api.Readiness {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		return api.Readiness{State: "failing", Reason: "The database does not answer"}
	}
	return api.Readiness{OK: true, State: "ready", Database: true}
}

// seconds is a time for people.
func seconds(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
