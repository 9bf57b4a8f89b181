package store_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// model is a database with the names of two orgs, which are numbers that go up,
// and a cache of them.
type model struct {
	store.Coherence
	said  [2]int // what the database says
	cache [2]int // 0: nothing is remembered
}

func orgEvent(phase store.Phase, org int) store.ChangeEvent {
	return store.ChangeEvent{Phase: phase, Changes: []hallpass.Change{{Kind: hallpass.OrgChanged, ID: int64(org + 1)}}}
}

func (m *model) forget(r hallpass.Reach) { m.cache[r.Org-1] = 0 }

// reader returns the steps of one who reads the org and remembers it.
func (m *model) reader(org int) []func() {
	var begun store.Epoch
	var read int
	return []func(){
		func() { begun = m.Begin() },
		func() { read = m.said[org] },
		func() { m.Keep(begun, func() { m.cache[org] = read }) },
	}
}

// writer returns the steps of a change of the org, whose commit may fail.
func (m *model) writer(org int, fails bool) []func() {
	return []func(){
		func() { m.Changed(orgEvent(store.Coming, org), m.forget) },
		func() {
			if !fails {
				m.said[org]++
			}
		},
		func() { m.Changed(orgEvent(store.Settled, org), m.forget) },
	}
}

// TestCoherence goes through every order in which the steps of two readers and
// two changes can come: after each step all that is remembered is what the
// database says.
func TestCoherence(t *testing.T) {
	const actors = 4 // two readers of one org, and two who change it, or one of them another
	for _, orgs := range [][actors]int{{0, 0, 0, 0}, {0, 0, 0, 1}} {
		orders, kept := 0, 0
		var order []int
		var left = [actors]int{3, 3, 3, 3}
		var try func()
		try = func() {
			if len(order) == 3*actors {
				orders++
				kept += replay(t, orgs, order)
				return
			}
			for actor := range actors {
				twin := actor == 1 && left[0] == 3 // the readers are alike: the first begins first
				if left[actor] > 0 && !twin && !t.Failed() {
					left[actor]--
					order = append(order, actor)
					try()
					order = order[:len(order)-1]
					left[actor]++
				}
			}
		}
		try()
		if want := 369600 / 2; orders != want || kept == 0 {
			t.Errorf("orgs %v: %d orders, want %d; something was remembered at the end of %d", orgs, orders, want, kept)
		}
	}
}

// replay runs the actors' steps in the order, and returns 1 if something is
// remembered at the end.
func replay(t *testing.T, orgs [4]int, order []int) int {
	m := &model{said: [2]int{1, 1}}
	steps := [][]func(){m.reader(orgs[0]), m.reader(orgs[1]), m.writer(orgs[2], false), m.writer(orgs[3], orgs[3] == 1)}
	for i, actor := range order {
		steps[actor][0]()
		steps[actor] = steps[actor][1:]
		for org, known := range m.cache {
			if known != 0 && known != m.said[org] {
				t.Errorf("orgs %v, after %v: %d is remembered of org %d, and the database says %d", orgs, order[:i+1], known, org, m.said[org])
			}
		}
	}
	if m.cache != [2]int{} {
		return 1
	}
	return 0
}

// TestCoherenceAtOnce has many read while others change what they read: after a
// change was settled, nothing of before it is remembered.
func TestCoherenceAtOnce(t *testing.T) {
	var c store.Coherence
	var said [2]atomic.Int64
	var cache [2]int64 // guarded by c
	var hits atomic.Int64
	forget := func(r hallpass.Reach) { cache[r.Org-1] = 0 }
	var readers, writers sync.WaitGroup
	var done atomic.Bool
	for n := range 4 {
		readers.Go(func() {
			for !done.Load() {
				begun := c.Begin()
				read := said[n%2].Load()
				c.Keep(begun, func() { cache[n%2] = read; hits.Add(1) })
			}
		})
	}
	for org := range said {
		writers.Go(func() {
			for v := int64(1); v <= 2000 || hits.Load() < 100; v++ {
				c.Changed(orgEvent(store.Coming, org), forget)
				said[org].Store(v)
				c.Changed(orgEvent(store.Settled, org), forget)
				c.Keep(c.Begin(), func() {
					if known := cache[org]; known != 0 && known != v {
						t.Errorf("after change %d of org %d was settled, %d is remembered", v, org, known)
					}
				})
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
}

// TestCoherenceForgets has those forgotten whom the changes reach, one by one.
func TestCoherenceForgets(t *testing.T) {
	var c store.Coherence
	var got []hallpass.Reach
	n := store.ChangeEvent{Phase: store.Coming, Changes: []hallpass.Change{{Kind: hallpass.UserChanged, ID: 3}, {Kind: "of a newer version"}}}
	c.Changed(n, func(r hallpass.Reach) { got = append(got, r) })
	if want := []hallpass.Reach{{User: 3}, {Everybody: true}}; !slices.Equal(got, want) {
		t.Errorf("forgotten is %+v, want %+v", got, want)
	}
}
