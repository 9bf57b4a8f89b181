package verify_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

var orgRoute = &hallpass.TokenRoute{Pattern: "GET /api/org", Action: hallpass.OrgsRead}

// used returns a request with the token.
func used(id hallpass.TokenID, status int) *verify.Used {
	return &verify.Used{Token: id, From: home, Method: "GET", Route: orgRoute, Status: status}
}

// usage returns what is stored of the token's usage, once all is written.
func (w *world) usage(id hallpass.TokenID) (u hallpass.TokenUsage) {
	w.t.Helper()
	if err := w.verify.FlushUsage(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	err := w.db.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		u, err = tx.TokenUsage(id, time.Time{})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// TestObserveAllocatesNothing counts requests of a token, a client and an action that
// are known.
func TestObserveAllocatesNothing(t *testing.T) {
	w := newWorld(t, verify.Options{})
	id, _ := w.token(w.account("ci"), "t", 0)
	u := used(id, 200)
	u.Asked.Add("orgs:id:1")
	if n := testing.AllocsPerRun(1000, func() { w.verify.Observe(u) }); n != 0 {
		t.Errorf("counting a request allocates %v times, want 0", n)
	}
}

// BenchmarkObserve measures what counting a request adds to its verification.
func BenchmarkObserve(b *testing.B) {
	w := newWorld(b, verify.Options{})
	id, _ := w.token(w.account("ci"), "t", 0)
	u := used(id, 200)
	b.ReportAllocs()
	for b.Loop() {
		w.verify.Observe(u)
	}
}

// TestUsageIsExact counts requests from many goroutines while others write what was
// counted, and while the table is replaced again and again: not one is lost or counted
// twice. A replaced table is read once more, so it may be replaced again when nobody counts
// in it any more: then each goroutine has counted another request, or has ended.
func TestUsageIsExact(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	var ids [5]hallpass.TokenID
	for i := range ids {
		ids[i], _ = w.token(a, fmt.Sprint("t", i), 0)
	}
	const workers, each = 8, 4000
	var counting sync.WaitGroup
	var counted [workers]atomic.Int64
	for worker := range workers {
		counting.Go(func() {
			for i := range each {
				u := used(ids[i%len(ids)], []int{200, 403, 500, 302}[i/len(ids)%4])
				u.From.Address = fmt.Sprint("10.0.", worker, ".", i%3)
				w.verify.Observe(u)
				counted[worker].Add(1)
			}
		})
	}
	moveOn := func() {
		for i := range counted {
			for n := counted[i].Load(); n < each && counted[i].Load() == n; {
				runtime.Gosched()
			}
		}
	}
	done := make(chan struct{})
	go func() {
		counting.Wait()
		close(done)
	}()
	for writing := true; writing; {
		select {
		case <-done:
			writing = false
		default:
			moveOn()
			verify.ReplaceUsage(w.verify)
		}
		if err := w.verify.FlushUsage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		u := w.usage(id)
		const n = workers * each / 5
		want := hallpass.TokenDay{Day: u.Days[0].Day, OK: n / 2, Denied: n / 4, Failed: n / 4}
		if len(u.Days) != 1 || u.Days[0] != want {
			t.Errorf("token %d: %+v, want %+v", id, u.Days, want)
		}
		places := int64(0)
		for _, p := range u.Places {
			places += p.Count
		}
		if places != n || len(u.Places) != workers*3 || len(u.Actions) != 1 || u.Actions[0].Count != n*3/4 {
			t.Errorf("token %d: %d requests of %d places, actions %+v", id, places, len(u.Places), u.Actions)
		}
	}
	if n := w.verify.Stats().UsageDropped; n != 0 {
		t.Errorf("%d details were dropped", n)
	}
}

// TestUsageOfRefusals counts requests that a token was refused for.
func TestUsageOfRefusals(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	id, text := w.token(a, "t", 10)
	limited, often := w.limited(a, "often", hallpass.TokenLimits{Rate: hallpass.RateLimit{Requests: 1, Every: time.Hour}})
	for range 3 {
		w.refused(often, 0)
	}
	w.refused(text, 7) // of another org
	w.wind(11 * time.Second)
	for range 4 {
		if got := w.refused(text, 0); got != "api-key.expired" {
			t.Fatal(got)
		}
	}
	if u := w.usage(id); len(u.Days) != 1 || u.Days[0].Refused != 5 || u.Days[0].Requests() != 5 || len(u.Places) != 0 {
		t.Errorf("an expired token: %+v", u)
	}
	if u := w.usage(limited); len(u.Days) != 1 || u.Days[0].Limited != 2 || u.Days[0].Requests() != 2 {
		t.Errorf("a limited token: %+v", u)
	}
}

// TestUsageOfManyPlaces uses one token from very many addresses, and very many tokens:
// memory and rows stay bounded, and each request is counted.
func TestUsageOfManyPlaces(t *testing.T) {
	w := newWorld(t, verify.Options{})
	id, _ := w.token(w.account("ci"), "t", 0)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	const addresses, tokens = 20_000, 300_000
	for i := range addresses {
		u := used(id, 200)
		u.From.Address = fmt.Sprint("2001:db8::", i)
		u.Asked = hallpass.AskedScopes{}
		u.Asked.Add(hallpass.Scope(fmt.Sprint("orgs:id:", i)))
		w.verify.Observe(u)
	}
	if more := heap() - before; more > 1<<20 {
		t.Errorf("%d bytes for one token", more)
	}
	if s := w.verify.Stats(); s.UsageDropped < addresses-300 {
		t.Errorf("%d details were dropped", s.UsageDropped)
	}
	u := w.usage(id)
	if u.Days[0].OK != addresses || len(u.Places) != hallpass.MaxTokenPlaces || len(u.Actions) > hallpass.MaxActionScopes+1 {
		t.Errorf("%+v, %d places, %d actions", u.Days, len(u.Places), len(u.Actions))
	}
	fresh := used(id, 200)
	fresh.From.Address = "192.0.2.1"
	w.verify.Observe(fresh) // the table was replaced: there is room again
	if u := w.usage(id); u.Places[0].Address != "192.0.2.1" || u.Places[0].Count != 1 {
		t.Errorf("the latest place: %+v", u.Places[0])
	}
	for i := range tokens {
		w.verify.Observe(used(hallpass.TokenID(1_000_000+i), 200))
	}
	if more := heap() - before; more > 100<<20 {
		t.Errorf("%d bytes for %d tokens", more, tokens)
	}
}

var errUndone = errors.New("undone by the test")

// TestUsageWaitsForTheDatabase counts on while the database takes nothing.
func TestUsageWaitsForTheDatabase(t *testing.T) {
	w := newWorld(t, verify.Options{})
	account := w.account("ci")
	id, _ := w.token(account, "t", 0)
	locked, unlock := make(chan struct{}), make(chan struct{})
	var holding sync.WaitGroup
	holding.Go(func() {
		_ = w.db.Write(t.Context(), func(tx *store.Tx) error { // what is counted waits for what becomes of its token
			err := tx.DeleteToken(w.caller.Org, account, id)
			close(locked)
			<-unlock
			return errors.Join(err, errUndone)
		})
	})
	<-locked
	for range 3 {
		w.verify.Observe(used(id, 200))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := w.verify.FlushUsage(ctx); err == nil {
			t.Error("the flush succeeded without the database")
		}
		cancel()
	}
	close(unlock)
	holding.Wait()
	w.verify.Observe(used(id, 200))
	if u := w.usage(id); u.Days[0].OK != 4 || u.Places[0].Count != 4 {
		t.Errorf("%+v", u)
	}
}
