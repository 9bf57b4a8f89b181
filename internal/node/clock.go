package node

import (
	"sync/atomic"
	"time"
)

// clock is the time by which tokens and sessions expire. When the outer clock, from
// which it takes the time, jumps back, it does not: what expired once stays expired.
// It then goes on from the latest time that it told, at the boot clock's pace.
type clock struct {
	wall   func() time.Time // the outer clock; nil: that of the shared database
	boot   func() time.Duration
	offset atomic.Int64 // the database's clock less the boot clock, nanoseconds; 0: not known yet
	mark   atomic.Pointer[mark]
	behind atomic.Int64 // how far the outer clock is behind this one, microseconds; 0 unless it jumped
}

// mark is a time that was reached. The latest one is at most markEvery old: not
// every goroutine that asks for the time has to write it.
type mark struct {
	us   int64         // UTC microseconds
	boot time.Duration // the boot clock then
}

const markEvery = time.Second

// at returns the time when the boot clock says boot; 0 reads the boot clock, if it
// is needed.
func (c *clock) at(boot time.Duration) time.Time {
	us, known := c.outer(boot)
	if !known {
		return time.UnixMicro(us).UTC()
	}
	return c.tell(us, boot)
}

// outer returns what the outer clock says in UTC microseconds. That of a shared
// database is known from the last heartbeat and goes on at the boot clock's pace;
// before the first heartbeat it is not known, and this machine's clock is told.
func (c *clock) outer(boot time.Duration) (us int64, known bool) {
	if c.wall != nil {
		return c.wall().UnixMicro(), true
	}
	offset := c.offset.Load()
	if offset == 0 {
		return time.Now().UnixMicro(), false
	}
	if boot == 0 {
		boot = c.boot()
	}
	return (offset + int64(boot)) / int64(time.Microsecond), true
}

// tell returns the time when the outer clock says us and the boot clock boot; 0
// reads the boot clock, if it is needed.
func (c *clock) tell(us int64, boot time.Duration) time.Time {
	m := c.mark.Load()
	switch {
	case m == nil || us >= m.us+markEvery.Microseconds():
		c.behind.Store(0)
		c.reach(us)
	case us <= m.us-markEvery.Microseconds():
		if boot == 0 {
			boot = c.boot()
		}
		steady := m.us + (boot - m.boot).Microseconds()
		c.behind.Store(steady - us)
		if steady >= m.us+markEvery.Microseconds() {
			c.reach(steady)
		}
		us = steady
	case us < m.us: // small steps back are usual: the outer clock catches up
		us = m.us
	}
	return time.UnixMicro(us).UTC()
}

// reach has the clock tell no time before us from now on.
func (c *clock) reach(us int64) {
	for {
		m := c.mark.Load()
		if m != nil && us <= m.us || c.mark.CompareAndSwap(m, &mark{us, c.boot()}) {
			return
		}
	}
}

// learn takes over the database's time said, which it read while the boot clock
// went from begun to ended.
func (c *clock) learn(said time.Time, begun, ended time.Duration) {
	c.offset.Store(offset(c.offset.Load(), said, begun, ended))
}

// offset returns the database's clock less the boot clock. The database read said
// between begun and ended, so two bounds of the offset are known, and the known one
// stays where it is between them. When the process was frozen during the heartbeat
// the bounds are far apart: that is no jump of the clock.
func offset(known int64, said time.Time, begun, ended time.Duration) int64 {
	least, most := said.UnixNano()-int64(ended), said.UnixNano()-int64(begun)
	if known == 0 {
		return least + (most-least)/2
	}
	return min(max(known, least), most)
}

// Now returns the time by which tokens and sessions expire. On a shared database
// it is the database's, so that all nodes agree. It never goes back.
func (n *Node) Now() time.Time { return n.clock.at(0) }

// NotBefore has Now return no time before t from now on.
func (n *Node) NotBefore(t time.Time) { n.clock.reach(t.UnixMicro()) }

// ClockBehind returns how far the clock from which this process takes the time is
// behind Now; zero unless it jumped back.
func (n *Node) ClockBehind() time.Duration {
	return time.Duration(n.clock.behind.Load()) * time.Microsecond
}
