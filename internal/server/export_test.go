package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Settings is what is shown of the configuration.
func Settings(c Config) map[string]map[string]string { return c.Settings() }

// DrainWithin has requests cut off that last longer than d when the server stops.
func (s *Server) DrainWithin(d time.Duration) { s.drainTimeout = d }

// ToldError returns err as one that was logged already.
func ToldError(err error) error { return toldError{err} }

// A TestJob is a job of a test.
type TestJob struct {
	Every, Again, Limit time.Duration
	Wake                <-chan struct{}
	Do                  func(context.Context) error
	Log                 *slog.Logger
	DB                  *store.DB // nil: no other node does it
	Now                 func() time.Time
	Self                string
}

// Work does the job until ctx is done. The function it is given first returns what
// is known of it.
func (j TestJob) Work(ctx context.Context, state func(func() hallpass.Job)) {
	if j.Now == nil {
		j.Now = time.Now
	}
	w := newWorker(job{
		name: "test", lost: "the test does not work", every: j.Every, again: j.Again, limit: j.Limit, wake: j.Wake, single: j.DB != nil, first: j.DB != nil, do: j.Do,
	}, j.Log, j.Now)
	w.db, w.self = j.DB, j.Self
	state(w.state)
	w.work(ctx)
}

// OpenWithin is Open with another patience than that of a start.
func OpenWithin(ctx context.Context, c Config, log *slog.Logger, patience time.Duration) error {
	s := newServer(c, log)
	s.patience = patience
	if err := s.prepare(ctx, nil); err != nil {
		return err
	}
	return s.Close()
}

// MaxGuardUses is how many kinds of uses of guards wait before no more are taken.
const MaxGuardUses = maxGuardUses

// A GuardUsage holds uses of guards until they are written.
type GuardUsage struct{ u *guardUsage }

// NewGuardUsage returns one that takes and writes with these functions.
func NewGuardUsage(take func() []hallpass.GuardUse, write func(context.Context, []hallpass.GuardUse) error) GuardUsage {
	return GuardUsage{&guardUsage{take: take, write: write}}
}

// Flush writes what was taken.
func (g GuardUsage) Flush(ctx context.Context) error { return g.u.flush(ctx) }

// FollowCertificates looks once whether the files of TLS have changed.
func (s *Server) FollowCertificates(ctx context.Context) error { return s.certificates.follow(ctx) }

// TellAlive has the watchdog's job run once.
func (s *Server) TellAlive(ctx context.Context) error { return s.tellAlive(ctx) }

// AnswerWith has another handler answer requests from now on. It is called before Serve.
func (s *Server) AnswerWith(h http.Handler) { s.handler = h }

// FollowFiles does the job of the provisioning files once.
func (s *Server) FollowFiles(ctx context.Context) error { return s.followFiles(ctx) }

// EndsWithin has fn run until it is told to end, and reports whether it did before ctx was done.
func EndsWithin(ctx context.Context, fn func(context.Context)) bool {
	return runUntil(context.Background(), fn)(ctx)
}
