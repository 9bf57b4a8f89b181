package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A worker does one job, in one goroutine: no run begins before the one before it
// has ended.
type worker struct {
	job
	log  *slog.Logger
	now  func() time.Time
	db   *store.DB // of which nodes take turns with a job that is single; nil: there are no others
	self string    // this node's ID

	failedAt time.Time // when a failure was last logged; zero: the last run succeeded; belongs to the goroutine

	mu   sync.Mutex
	last hallpass.Job // guarded by mu
}

// newWorkers returns a worker for each job.
func (s *Server) newWorkers() []*worker {
	var list []*worker
	for _, j := range s.jobs() {
		w := newWorker(j, s.log, s.node.Now)
		if s.db.Shared() {
			w.db, w.self = s.db, s.node.ID()
		}
		list = append(list, w)
	}
	return list
}

func newWorker(j job, log *slog.Logger, now func() time.Time) *worker {
	if j.limit == 0 {
		j.limit = runLimit
	}
	if j.every == 0 {
		j.every = math.MaxInt64
	}
	if j.again == 0 {
		j.again = j.every
	}
	return &worker{job: j, log: log, now: now, last: hallpass.Job{Name: j.name, Does: j.does}}
}

// state returns what is known of the job.
func (w *worker) state() hallpass.Job {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// work does all jobs until ctx is done, and returns when the last run has ended.
func (s *Server) work(ctx context.Context) {
	var working sync.WaitGroup
	for _, w := range s.workers {
		working.Go(func() { w.work(ctx) })
	}
	working.Wait()
}

// work runs the job until ctx is done. What wakes it during a run has it run once
// more after that.
func (w *worker) work(ctx context.Context) {
	timer := time.NewTimer(w.every)
	defer timer.Stop()
	if w.first {
		timer.Reset(0)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-w.wake:
		}
		timer.Reset(w.turn(ctx))
	}
}

// askAgain is how soon a node asks at the least for a job that is not its turn.
const askAgain = time.Second

// turn runs the job, unless another node does it or has done it. It returns how
// long to wait before the next turn.
func (w *worker) turn(ctx context.Context) time.Duration {
	began, at := time.Now(), w.now()
	var err error
	if w.single && w.db != nil {
		var turn store.JobTurn
		turn, err = w.db.TakeJob(ctx, w.name, w.self, at, w.every)
		if err == nil && !turn.Mine {
			w.elsewhere(turn)
			if turn.Error == "" { // what failed here succeeded there
				w.tell(nil)
			}
			return max(turn.Wait, askAgain)
		}
		if err == nil {
			err = w.hold(ctx, at)
		}
	} else {
		err = w.call(ctx)
	}
	if ctx.Err() != nil { // the server stops: what was cut off did not fail
		return 0
	}
	w.ran(at, time.Since(began), err)
	w.tell(err)
	switch {
	case err != nil:
		return max(w.again-time.Since(began), 0)
	case w.pause != nil:
		return w.pause()
	}
	return max(w.every-time.Since(began), 0)
}

// call does the job once, within its limit. A panic is an error of the run.
func (w *worker) call(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			w.log.Error("a job panicked, and goes on with its next run: this is a fault of the program, please report it", "job", w.name, "error", err, "stack", string(debug.Stack()))
		}
	}()
	return w.do(ctx)
}

// errTaken ends a run of a node that was not heard of for so long that another
// node took the job.
var errTaken = errors.New("another node took the job, for this one did not keep it in time")

// leaveTurn is how long the end of a turn may take to be written; after that
// others wait for the end of its lease.
const leaveTurn = 2 * time.Second

// hold does the job that this node took at the time, keeps the turn meanwhile, and
// ends it.
func (w *worker) hold(ctx context.Context, at time.Time) error {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var keeping sync.WaitGroup
	keeping.Go(func() { w.keep(working, stop) })
	err := w.call(working)
	if cause := context.Cause(working); errors.Is(cause, errTaken) {
		err = cause
	}
	stop(nil)
	keeping.Wait()
	reason := ""
	if err != nil {
		at = time.Time{}
		if ctx.Err() == nil { // else the server stops: what was cut off did not fail
			reason = shown(err)
		}
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTurn)
	defer cancel()
	return errors.Join(err, w.db.LeaveJob(leaving, w.name, w.self, at, reason))
}

// keep keeps the turn until ctx is done, and calls taken when another node has it.
// A database that does not answer is for the job to notice.
func (w *worker) keep(ctx context.Context, taken context.CancelCauseFunc) {
	ticker := time.NewTicker(store.JobLease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if mine, err := w.db.KeepJob(ctx, w.name, w.self, w.now()); err == nil && !mine {
			taken(errTaken)
			return
		}
	}
}

// ran records a run.
func (w *worker) ran(at time.Time, elapsed time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := &w.last
	j.RanAt, j.Elapsed, j.Error, j.Node = at, elapsed, "", ""
	j.Runs++
	if err != nil {
		j.Failures++
		j.Error = shown(err)
	}
}

// maxShown is the longest text of an error that is shown and told to other nodes, in
// bytes.
const maxShown = 1024

// shown returns the text of an error without secrets, and as every database takes it.
func shown(err error) string { return hallpass.Clean(err.Error(), maxShown) }

// elsewhere records what the row of the job says of another node's run.
func (w *worker) elsewhere(turn store.JobTurn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last.RanAt, w.last.Error, w.last.Node = turn.RanAt, turn.Error, turn.Holder
	if turn.Holder == w.self {
		w.last.Node = ""
	}
}

// tellAgain is how often a failure that lasts is logged.
const tellAgain = time.Minute

// toldError is an error of a job that was logged before the job returned it.
type toldError struct{ error }

// tell logs when the job begins to fail, once a minute while it does, and when it
// succeeds again. What was logged already counts as logged.
func (w *worker) tell(err error) {
	switch {
	case errors.As(err, &toldError{}):
		w.failedAt = time.Now()
	case err == nil && !w.failedAt.IsZero():
		w.failedAt = time.Time{}
		w.log.Info("what failed succeeds again", "job", w.name)
	case err != nil && time.Since(w.failedAt) > tellAgain:
		w.failedAt = time.Now()
		w.log.Warn(w.lost, "job", w.name, "error", err)
	}
}
