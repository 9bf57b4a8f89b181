package verify

import (
	"sync/atomic"
	"time"
)

// clock is the time by which tokens and sessions expire. It never goes back by
// a jump of the clock that it is told from: what has expired once stays so.
// After such a jump it goes on from the latest time, at the boot clock's pace.
type clock struct {
	boot   func() time.Duration
	mark   atomic.Pointer[mark]
	behind atomic.Int64 // how far the outer clock is behind this one, microseconds; 0 unless it jumped
}

// mark is a time that was reached. The latest is at most markEvery old, so that
// the many who ask for the time do not write for each of them.
type mark struct {
	us   int64         // UTC microseconds
	boot time.Duration // the boot clock then
}

const markEvery = time.Second

// tell returns the time when the outer clock says us and the boot clock boot; 0
// has that read if it is needed.
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
	case us < m.us: // clocks are set by small steps all the time: it will catch up
		us = m.us
	}
	return time.UnixMicro(us).UTC()
}

// reach has no earlier time than us told from now on.
func (c *clock) reach(us int64) {
	for {
		m := c.mark.Load()
		if m != nil && us <= m.us || c.mark.CompareAndSwap(m, &mark{us, c.boot()}) {
			return
		}
	}
}

// now returns the time.
func (v *Verifier) now() time.Time { return v.at(0) }

// at returns the time when the boot clock says boot; 0 has that read if it is
// needed.
func (v *Verifier) at(boot time.Duration) time.Time {
	us, known := v.outer(boot)
	if !known {
		return time.UnixMicro(us).UTC()
	}
	return v.clock.tell(us, boot)
}

// outer returns what the outer clock says in UTC microseconds: on a shared
// database that of the database, as the last heartbeat knew it, and from then on
// the boot clock's pace; 0 has that read. Before the first heartbeat it is not
// known, and this machine's has to do.
func (v *Verifier) outer(boot time.Duration) (us int64, known bool) {
	if v.wall != nil {
		return v.wall().UnixMicro(), true
	}
	offset := v.view.offset.Load()
	if offset == 0 {
		return time.Now().UnixMicro(), false
	}
	if boot == 0 {
		boot = v.view.boot()
	}
	return (offset + int64(boot)) / int64(time.Microsecond), true
}

// Clock returns the time by which tokens expire. On a shared database it is the
// database's, so that all nodes agree. It does not go back.
func (v *Verifier) Clock() time.Time { return v.now() }

// ClockBehind returns how far the clock that this process is told the time from
// has gone back behind the time that it had told already; zero as a rule.
func (v *Verifier) ClockBehind() time.Duration {
	return time.Duration(v.clock.behind.Load()) * time.Microsecond
}
