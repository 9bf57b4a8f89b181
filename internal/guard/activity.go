package guard

import (
	"maps"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// lately is what was decided for one guard lately, put together from the counters.
type lately struct {
	newest  int64                                       // the minute that was counted last, from 1970 on
	minutes [hallpass.GuardMinutes]hallpass.GuardMinute // a minute stands at its remainder
	recent  [60 / slotSeconds]slot                      // of the last minute; a slot stands at its remainder
	asked   map[string]time.Time                        // by door
}

// A slot is what was decided within slotSeconds.
type slot struct {
	number int64 // counted from 1970 on
	hallpass.GuardMinute
}

// slotSeconds is how long a slot lasts: the counters are read about as often.
const slotSeconds = 5

// add counts n decisions that c counted until now.
func (l *lately) add(now time.Time, c *alikeCount, n int64) {
	l.moveOn(now)
	number := now.Unix() / slotSeconds
	s := &l.recent[number%int64(len(l.recent))]
	if s.number != number {
		*s = slot{number: number}
	}
	for _, m := range []*hallpass.GuardMinute{&l.minutes[l.newest%hallpass.GuardMinutes], &s.GuardMinute} {
		if c.Outcome == allowed {
			m.Allowed += n
		} else {
			m.Refused += n
		}
	}
	if l.asked == nil {
		l.asked = make(map[string]time.Time)
	}
	l.asked[c.door] = now
}

// moveOn begins the minute of now, and empties those that nothing was counted in.
func (l *lately) moveOn(now time.Time) {
	minute := now.Unix() / 60
	if minute-l.newest >= hallpass.GuardMinutes {
		l.newest, l.minutes = minute, [hallpass.GuardMinutes]hallpass.GuardMinute{}
	}
	for l.newest < minute {
		l.newest++
		l.minutes[l.newest%hallpass.GuardMinutes] = hallpass.GuardMinute{}
	}
}

// activity returns what was decided for the guard lately, with what nobody has taken.
func (d *decisions) activity(g hallpass.GuardID, now time.Time) hallpass.GuardActivity {
	d.mu.Lock()
	defer d.mu.Unlock()
	var l lately
	if kept := d.lately[g]; kept != nil {
		l = *kept
		l.asked = maps.Clone(kept.asked)
	}
	l.moveOn(now)
	add := func(c *alikeCount) {
		if n := c.count.Load(); n > 0 && c.guard == g {
			l.add(now, c, n)
		}
	}
	d.before.each(add)
	d.table.Load().each(add)
	a := hallpass.GuardActivity{Since: d.since, Asked: l.asked}
	for i := range a.Minutes {
		a.Minutes[i] = l.minutes[(l.newest+1+int64(i))%hallpass.GuardMinutes]
	}
	for _, s := range l.recent {
		if s.number > now.Unix()/slotSeconds-int64(len(l.recent)) {
			a.Last.Allowed, a.Last.Refused = a.Last.Allowed+s.Allowed, a.Last.Refused+s.Refused
		}
	}
	return a
}

// remember adds what c counted until now to what is known of its guard.
func (d *decisions) remember(now time.Time, c *alikeCount, n int64) {
	l := d.lately[c.guard]
	if l == nil {
		if d.lately == nil || len(d.lately) >= maxKeptGuards {
			d.lately = make(map[hallpass.GuardID]*lately)
		}
		l = new(lately)
		d.lately[c.guard] = l
	}
	l.add(now, c, n)
}

// Activity returns what this node decided for the guard in the last hour, and which
// doors asked.
func (d *Decider) Activity(g hallpass.GuardID) hallpass.GuardActivity {
	return d.decisions.activity(g, d.verify.Now())
}
