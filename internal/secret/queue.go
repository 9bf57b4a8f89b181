package secret

import (
	"container/list"
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// Bounds on hashing passwords. Each hash takes 19 MiB and some 40 ms of one
// core: half of the cores stay free for verifying tokens. The queue is short
// enough that each caller is answered before its client gives up.
const (
	maxSlots = 4
	maxQueue = 64
	maxWait  = 3 * time.Second
)

// hashing is the queue of all who hash a password, whatever for.
var hashing = newQueue(min(max(runtime.GOMAXPROCS(0)/2, 1), maxSlots), maxQueue, maxWait)

// ErrBusy says that too many passwords are being checked already.
var ErrBusy = &hallpass.Error{
	Kind: hallpass.Unavailable, ID: "password-auth.busy", Message: "Too many passwords are being checked, try again shortly", RetryAfter: 2 * time.Second,
}

// A queue limits how many do something costly at once. Known callers get their turn
// before strangers, each group in the order of arrival. When the queue is full, a
// known caller replaces the last stranger.
type queue struct {
	longest int
	wait    time.Duration

	mu        sync.Mutex
	free      int        // guarded by mu
	known     *list.List // of chan bool, which receives whether the turn came; guarded by mu
	strangers *list.List // guarded by mu
}

func newQueue(slots, longest int, wait time.Duration) *queue {
	return &queue{longest: longest, wait: wait, free: slots, known: list.New(), strangers: list.New()}
}

// enter waits for a turn, which ends with leave. It fails with ErrBusy when too
// many wait or the wait is too long, and with ctx.
func (q *queue) enter(ctx context.Context, known bool) error {
	line := q.strangers
	if known {
		line = q.known
	}
	q.mu.Lock()
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return nil
	}
	if q.known.Len()+q.strangers.Len() >= q.longest {
		last := q.strangers.Back()
		if !known || last == nil {
			q.mu.Unlock()
			return ErrBusy
		}
		remove(q.strangers, last, false)
	}
	turn := make(chan bool, 1)
	place := line.PushBack(turn)
	q.mu.Unlock()

	timer := time.NewTimer(q.wait)
	defer timer.Stop()
	err := error(ErrBusy)
	select {
	case mine := <-turn:
		return busyUnless(mine)
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case mine := <-turn: // told just now
		return busyUnless(mine)
	default:
		line.Remove(place)
		return err
	}
}

func busyUnless(mine bool) error {
	if mine {
		return nil
	}
	return ErrBusy
}

// leave gives the turn to the next.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, line := range []*list.List{q.known, q.strangers} {
		if next := line.Front(); next != nil {
			remove(line, next, true)
			return
		}
	}
	q.free++
}

// remove takes a waiting caller out of the line and sends whether it has its turn.
// The caller of remove holds the queue's mu.
func remove(line *list.List, place *list.Element, turn bool) {
	line.Remove(place).(chan bool) <- turn
}
