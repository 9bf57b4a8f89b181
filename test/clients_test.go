package test_test

import (
	"sync"
	"sync/atomic"
	"testing"
)

// clients are goroutines that work while a test does something else, until stopped is
// true. When a test fails early they end before its servers do, so that none of them
// reports to a test that is over.
type clients struct {
	stopped atomic.Bool
	sync.WaitGroup
}

func newClients(t *testing.T) *clients {
	c := &clients{}
	t.Cleanup(c.end)
	return c
}

// end stops the clients and waits for them. It may be called again.
func (c *clients) end() {
	c.stopped.Store(true)
	c.Wait()
}
