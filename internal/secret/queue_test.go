package secret

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// TestQueue fills a queue for one at a time: those who are known come before
// strangers and push the last of them out, each in the order of asking; who
// waits for too long or goes away leaves.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 4, time.Second)
		var mu sync.Mutex
		var order []string // guarded by mu
		refused := make(map[string]error)
		ask := func(name string, known bool, ctx context.Context, work time.Duration) {
			go func() {
				err := q.enter(ctx, known)
				mu.Lock()
				if refused[name] = err; err == nil {
					order = append(order, name)
				}
				mu.Unlock()
				if err == nil {
					time.Sleep(work)
					q.leave()
				}
			}()
			synctest.Wait()
		}
		ctx := t.Context()
		gone, goAway := context.WithCancel(ctx)
		ask("first", false, ctx, 400*time.Millisecond)
		ask("stranger 1", false, ctx, 400*time.Millisecond)
		ask("stranger 2", false, ctx, 400*time.Millisecond)
		ask("gone", false, gone, 0)
		ask("stranger 3", false, ctx, 0)
		ask("one too many", false, ctx, 0)
		if !errors.Is(refused["one too many"], hallpass.Unavailable) {
			t.Errorf("one too many: %v", refused["one too many"])
		}
		ask("known 1", true, ctx, 400*time.Millisecond) // in the place of stranger 3
		goAway()
		synctest.Wait()
		ask("known 2", true, ctx, 400*time.Millisecond)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if want := []string{"first", "known 1", "known 2"}; !slices.Equal(order, want) {
			t.Errorf("turns were taken by %v, want %v", order, want)
		}
		for name, want := range map[string]error{"stranger 3": ErrBusy, "gone": context.Canceled, "stranger 1": ErrBusy, "stranger 2": ErrBusy} {
			if !errors.Is(refused[name], want) {
				t.Errorf("%s: %v, want %v", name, refused[name], want)
			}
		}
		ask("later", false, ctx, 0)
		if order[len(order)-1] != "later" {
			t.Errorf("the queue is stuck: %v", order)
		}
	})
}
