package server_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// worked does the job for so long of a bubble's time, and returns what is known of
// it then, and the log.
func worked(t *testing.T, j server.TestJob, long time.Duration) (hallpass.Job, string) {
	t.Helper()
	var log bytes.Buffer
	j.Log = slog.New(slog.NewTextHandler(&log, nil))
	ctx, stop := context.WithTimeout(t.Context(), long)
	defer stop()
	var state func() hallpass.Job
	j.Work(ctx, func(of func() hallpass.Job) { state = of })
	return state(), log.String()
}

// TestJobFails logs a failure when it begins, once a minute while it lasts, and
// when it is over, and counts each.
func TestJobFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		state, log := worked(t, server.TestJob{Every: time.Second, Do: func(context.Context) error {
			if runs++; runs <= 130 {
				return errors.New("no room")
			}
			return nil
		}}, 200*time.Second+time.Millisecond)
		if state.Runs != 200 || state.Failures != 130 || state.Error != "" {
			t.Errorf("%+v", state)
		}
		if n := strings.Count(log, "the test does not work"); n != 3 || strings.Count(log, "what failed succeeds again") != 1 || !strings.Contains(log, `job=test error="no room"`) {
			t.Errorf("the failure was logged %d times:\n%s", n, log)
		}
	})
}

// TestJobFailsAsTold does not log a failure that was logged already, until it has lasted
// for a minute.
func TestJobFailsAsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		state, log := worked(t, server.TestJob{Every: time.Second, Do: func(context.Context) error {
			if runs++; runs == 1 {
				return server.ToldError(errors.New("no room"))
			}
			if runs <= 70 {
				return errors.New("no room")
			}
			return nil
		}}, 80*time.Second+time.Millisecond)
		if state.Failures != 70 || state.Error != "" {
			t.Errorf("%+v", state)
		}
		if n := strings.Count(log, "the test does not work"); n != 1 || strings.Count(log, "what failed succeeds again") != 1 {
			t.Errorf("the failure was logged %d times:\n%s", n, log)
		}
	})
}

// TestJobFailsAgain does a job that failed again sooner than its period.
func TestJobFailsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state, _ := worked(t, server.TestJob{Every: time.Hour, Again: time.Minute, Do: func(context.Context) error { return errors.New("no room") }}, time.Hour+5*time.Minute+time.Second)
		if state.Runs != 6 || state.Error != "no room" {
			t.Errorf("%+v", state)
		}
	})
}

// TestJobPanics has a job go on after a panic, which is logged with its stack and
// counted.
func TestJobPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		state, log := worked(t, server.TestJob{Every: time.Second, Do: func(context.Context) error {
			if runs++; runs == 2 {
				panic("a nil map")
			}
			return nil
		}}, 4*time.Second+time.Millisecond)
		if state.Runs != 4 || state.Failures != 1 || state.Error != "" {
			t.Errorf("%+v", state)
		}
		if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "panic: a nil map") || !strings.Contains(log, "job_test.go") || !strings.Contains(log, "the test does not work") {
			t.Errorf("the log tells no stack:\n%s", log)
		}
	})
}

// TestJobIsSlow has a job that takes longer than its period run again when it has
// ended, and one that does not end run until its limit.
func TestJobIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		state, _ := worked(t, server.TestJob{Every: time.Second, Do: func(context.Context) error {
			if running.Add(1) > 1 {
				t.Error("two runs at a time")
			}
			defer running.Add(-1)
			time.Sleep(3 * time.Second)
			return nil
		}}, 10*time.Second+time.Millisecond)
		if state.Runs != 3 || state.Elapsed != 3*time.Second {
			t.Errorf("%+v", state)
		}
		state, _ = worked(t, server.TestJob{Every: time.Second, Limit: time.Minute, Do: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}, 2*time.Minute)
		if state.Runs != 1 || state.Elapsed != time.Minute || !strings.Contains(state.Error, "deadline") {
			t.Errorf("%+v", state)
		}
	})
}

// TestJobWoken wakes a job while it runs: it runs once more, for however many
// wakes, and then rests.
func TestJobWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		rouse := func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
		rouse()
		runs := 0
		state, _ := worked(t, server.TestJob{Wake: wake, Do: func(context.Context) error {
			if runs++; runs == 1 {
				rouse()
				rouse()
			}
			return nil
		}}, time.Hour)
		if state.Runs != 2 {
			t.Errorf("%+v", state)
		}
	})
}

// TestJobWokenFails has a job that is only woken fail: it is tried again without
// another wake, until it succeeds.
func TestJobWokenFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		runs := 0
		state, _ := worked(t, server.TestJob{Wake: wake, Again: 10 * time.Second, Do: func(context.Context) error {
			if runs++; runs < 3 {
				return errors.New("no room")
			}
			return nil
		}}, time.Hour)
		if state.Runs != 3 || state.Failures != 2 || state.Error != "" {
			t.Errorf("%+v", state)
		}
	})
}

// TestJobStops tells of no failure of what a stop cut off.
func TestJobStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state, log := worked(t, server.TestJob{Every: time.Second, Do: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}, 10*time.Second)
		if state.Runs != 0 || log != "" {
			t.Errorf("%+v\n%s", state, log)
		}
	})
}

// TestJobOnce has two nodes share a job that one does for all: each run is made
// once, the other node knows of it, and does the job when the first is gone.
func TestJobOnce(t *testing.T) {
	url := hallpasstest.Postgres(t)
	var clock atomic.Int64 // hours since some day
	now := func() time.Time { return time.Date(2030, 1, 1, int(clock.Load()), 0, 0, 0, time.UTC) }
	runs := make(chan string)
	var ended sync.WaitGroup
	node := func(self string) (state func() hallpass.Job, stop context.CancelFunc) {
		ctx, stop := context.WithCancel(t.Context())
		j := server.TestJob{
			Every: time.Hour, DB: hallpasstest.OpenPostgres(t, url), Self: self, Now: now, Log: slog.New(slog.DiscardHandler), Do: func(ctx context.Context) error {
				select {
				case runs <- self:
				case <-ctx.Done():
				}
				return ctx.Err()
			},
		}
		known := make(chan func() hallpass.Job, 1)
		ended.Go(func() { j.Work(ctx, func(of func() hallpass.Job) { known <- of }) })
		return <-known, stop
	}
	stateA, stopA := node("a")
	if got := <-runs; got != "a" {
		t.Fatalf("%s ran", got)
	}
	hallpasstest.Eventually(t, "a to record its run", func() bool { return stateA().Runs > 0 })
	stateB, stopB := node("b")
	hallpasstest.Eventually(t, "b to learn of the run", func() bool { return stateB().Node == "a" })
	if got := stateB(); got.Runs != 0 || !got.RanAt.Equal(now()) {
		t.Errorf("b knows %+v", got)
	}
	stopA()
	stopB()
	ended.Wait()
	clock.Store(2)
	_, stopB = node("b")
	if got := <-runs; got != "b" {
		t.Errorf("%s ran", got)
	}
	stopB()
	ended.Wait()
}

// TestJobCutOff stops a node in the middle of a job that one node does for all: the
// others may take the job at once, and are told of no failure.
func TestJobCutOff(t *testing.T) {
	db := hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t))
	ctx, stop := context.WithCancel(t.Context())
	j := server.TestJob{Every: time.Hour, DB: db, Self: "a", Log: slog.New(slog.DiscardHandler), Do: func(ctx context.Context) error {
		stop()
		<-ctx.Done()
		return ctx.Err()
	}}
	j.Work(ctx, func(func() hallpass.Job) {})
	if turn, err := db.TakeJob(t.Context(), "test", "b", time.Now(), time.Hour); err != nil || !turn.Mine {
		t.Errorf("after a was stopped b is told %+v, %v", turn, err)
	}
	if turn, err := db.TakeJob(t.Context(), "test", "c", time.Now(), time.Hour); err != nil || turn.Holder != "b" || turn.Error != "" {
		t.Errorf("c is told %+v, %v", turn, err)
	}
}

// TestJobErrorIsClean has a job that one node does for all fail with a secret and with
// what no database takes: others are told the rest.
func TestJobErrorIsClean(t *testing.T) {
	db := hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	token := secret.NewToken().Reveal()
	j := server.TestJob{
		Every: time.Hour, DB: db, Self: "a", Log: slog.New(slog.DiscardHandler), Do: func(context.Context) error {
			return errors.New("no room\x00\xff for " + token + strings.Repeat(" or more", 1000))
		},
	}
	known := make(chan func() hallpass.Job, 1)
	var ended sync.WaitGroup
	ended.Go(func() { j.Work(ctx, func(of func() hallpass.Job) { known <- of }) })
	state := <-known
	hallpasstest.Eventually(t, "a to fail", func() bool { return state().Failures == 1 })
	stop()
	ended.Wait()
	if _, err := db.TakeJob(t.Context(), "test", "b", time.Now(), time.Hour); err != nil {
		t.Fatal(err)
	}
	turn, err := db.TakeJob(t.Context(), "test", "c", time.Now(), time.Hour)
	if err != nil || turn.Error != state().Error || !strings.HasPrefix(turn.Error, "no room") || strings.Contains(turn.Error, token) || len(turn.Error) > 1024 {
		t.Errorf("c is told %+v, %v; a knows %q", turn, err, state().Error)
	}
}

// TestJobSucceedsElsewhere has a job fail on one node and succeed on another: the
// first says that it succeeds again, and does not do it again.
func TestJobSucceedsElsewhere(t *testing.T) {
	db := hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	wake := make(chan struct{}, 1)
	var log bytes.Buffer // read when the worker has ended
	j := server.TestJob{
		Every: time.Hour, Wake: wake, DB: db, Self: "a", Log: slog.New(slog.NewTextHandler(&log, nil)), Do: func(context.Context) error { return errors.New("no room") },
	}
	known := make(chan func() hallpass.Job, 1)
	var ended sync.WaitGroup
	ended.Go(func() { j.Work(ctx, func(of func() hallpass.Job) { known <- of }) })
	state := <-known
	hallpasstest.Eventually(t, "a to fail", func() bool { return state().Failures == 1 })
	now := time.Now()
	turn, err := db.TakeJob(t.Context(), "test", "b", now, time.Hour)
	if err != nil || !turn.Mine {
		t.Fatalf("b is told %+v, %v", turn, err)
	}
	if err := db.LeaveJob(t.Context(), "test", "b", now, ""); err != nil {
		t.Fatal(err)
	}
	wake <- struct{}{}
	hallpasstest.Eventually(t, "a to learn of the run", func() bool { return state().Node == "b" })
	stop()
	ended.Wait()
	if got := state(); got.Runs != 1 || got.Error != "" {
		t.Errorf("a knows %+v", got)
	}
	if n := strings.Count(log.String(), "what failed succeeds again"); n != 1 {
		t.Errorf("it was logged %d times that the job succeeds again:\n%s", n, &log)
	}
}
