package verify

import (
	"context"
	"sync"

	"github.com/hallpass-dev/hallpass/internal/store"
)

// looks are looks at the database that are under way, by what they look for. Those who
// ask for the same at the same time share one look, unless something was announced since
// it began. The zero looks is ready; it is safe for concurrent use.
//
// golang.org/x/sync/singleflight has two ways to share. With Do nobody can give up
// before the look is over. With DoChan each look takes another goroutine, and a panic
// there ends the process instead of one request.
type looks[K comparable, T any] struct {
	mu       sync.Mutex
	underWay map[K]*look[T] // guarded by mu
}

// A look is one look at the database, and what it found once done is closed.
type look[T any] struct {
	begun store.Epoch
	done  chan struct{}
	found T
	err   error
}

// join returns the look to wait for, or a new one that is the caller's to run. One that
// began before the latest announcement is not joined: what it finds may be of before,
// and whoever asks now must not get that.
func (ls *looks[K, T]) join(key K, begun store.Epoch) (l *look[T], mine bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l := ls.underWay[key]; l != nil && l.begun == begun {
		return l, false
	}
	if ls.underWay == nil {
		ls.underWay = make(map[K]*look[T])
	}
	l = &look[T]{begun: begun, done: make(chan struct{})}
	ls.underWay[key] = l
	return l, true
}

// run looks, and has those who wait go on.
func (ls *looks[K, T]) run(key K, l *look[T], read func() (T, error)) (T, error) {
	l.err = errStale // what the others are told should read panic
	defer ls.finish(key, l)
	l.found, l.err = read()
	return l.found, l.err
}

// finish has those who wait for the look go on.
func (ls *looks[K, T]) finish(key K, l *look[T]) {
	ls.mu.Lock()
	if ls.underWay[key] == l {
		delete(ls.underWay, key)
	}
	ls.mu.Unlock()
	close(l.done)
}

// wait returns what the look of somebody else found. Whoever gives up before is told
// Unavailable.
func (l *look[T]) wait(ctx context.Context) (found T, err error) {
	select {
	case <-l.done:
		return l.found, l.err
	case <-ctx.Done():
		return found, unknowable(ctx.Err())
	}
}
