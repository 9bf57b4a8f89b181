package console

import (
	"fmt"

	"github.com/hallpass-dev/hallpass"
)

// guardActivity is what this node decided for a guard in the last hour.
type guardActivity struct {
	Allowed, Refused string
	Minute           string // what was decided in the last minute, in words
	Chart            spark
	Node             bool      // there are other nodes, which the numbers do not hold
	Since            timestamp // the node has counted for less than an hour; zero: for longer
}

// guardActivity returns what the node decided for the guard.
func (req *request) guardActivity(a hallpass.GuardActivity) guardActivity {
	sum, last := a.Sum(), a.Last
	out := guardActivity{Allowed: grouped(sum.Allowed), Refused: grouped(sum.Refused), Node: req.o.Node.Shared(), Chart: sparkOf(a)}
	out.Minute = "No requests in the last minute"
	if n := last.Allowed + last.Refused; n > 0 {
		noun := " requests"
		if n == 1 {
			noun = " request"
		}
		out.Minute = grouped(n) + noun + " in the last minute, " + grouped(last.Refused) + " refused"
	}
	if since := req.timestamp(a.Since); since.now.Sub(a.Since).Minutes() < hallpass.GuardMinutes {
		out.Since = since
	}
	out.Chart.Words = "Decisions in the last hour: " + grouped(sum.Allowed+sum.Refused) + ", of these " + grouped(sum.Refused) + " refused"
	return out
}

// sparkOf draws the last hour: what passed, and on it what was refused.
func sparkOf(a hallpass.GuardActivity) spark {
	const each = hallpass.GuardMinutes / chartBars
	var bars [chartBars]bar
	for i, m := range a.Minutes {
		b := &bars[i/each]
		b.ok, b.no = b.ok+m.Allowed, b.no+m.Refused
	}
	return sparkCanvas.draw(bars[:])
}

// grouped writes a number with a comma before each three digits.
func grouped[T ~int | ~int64](n T) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
