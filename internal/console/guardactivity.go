package console

import (
	"fmt"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// guardActivity is what this node decided for a guard in the last hour.
type guardActivity struct {
	Allowed, Refused string
	Minute           string // what was decided in the last whole minute, in words
	Chart            spark
	Node             bool      // there are other nodes, which the numbers do not hold
	Since            timestamp // the node has counted for less than an hour; zero: for longer
}

// spark is a small chart of bars: the path of each colour, and what it shows in words.
type spark struct{ Allowed, Refused, Nothing, Words string }

// The drawing of a spark: bars, each of several minutes, on a field of sparkWidth by
// sparkHeight.
const (
	sparkBars   = 30
	sparkBar    = 4 // with the gap behind it
	sparkHeight = 24
)

// guardActivity returns what the node decided for the guard.
func (req *request) guardActivity(a hallpass.GuardActivity) guardActivity {
	sum, last := a.Sum(), a.Minutes[hallpass.GuardMinutes-2]
	out := guardActivity{Allowed: grouped(sum.Allowed), Refused: grouped(sum.Refused), Node: req.o.Node.Shared(), Chart: sparkOf(a)}
	out.Minute = "No requests in the last minute"
	if n := last.Allowed + last.Refused; n > 0 {
		out.Minute = grouped(n) + " requests in the last minute, " + grouped(last.Refused) + " refused"
	}
	if since := req.timestamp(a.Since); since.now.Sub(a.Since).Minutes() < hallpass.GuardMinutes {
		out.Since = since
	}
	out.Chart.Words = "Decisions in the last hour: " + grouped(sum.Allowed+sum.Refused) + ", of these " + grouped(sum.Refused) + " refused"
	return out
}

// sparkOf draws the last hour. Refused requests stand on those that passed; a bar is at
// least a line high if there were any.
func sparkOf(a hallpass.GuardActivity) (s spark) {
	const each = hallpass.GuardMinutes / sparkBars
	var bars [sparkBars]hallpass.GuardMinute
	most := int64(1)
	for i, m := range a.Minutes {
		b := &bars[i/each]
		b.Allowed, b.Refused = b.Allowed+m.Allowed, b.Refused+m.Refused
		most = max(most, b.Allowed+b.Refused)
	}
	var allowed, refused, nothing strings.Builder
	for i, b := range bars {
		good, bad := barHeight(b.Allowed, most), barHeight(b.Refused, most)
		good = min(good, sparkHeight-bad)
		drawBar(&allowed, i, sparkHeight-good, good)
		drawBar(&refused, i, sparkHeight-good-bad, bad)
		if good+bad == 0 {
			drawBar(&nothing, i, sparkHeight-1, 1)
		}
	}
	return spark{Allowed: allowed.String(), Refused: refused.String(), Nothing: nothing.String()}
}

// barHeight is the height of n, when most is as high as the field.
func barHeight(n, most int64) int {
	if n == 0 {
		return 0
	}
	return max(int(n*sparkHeight/most), 1)
}

// drawBar adds a bar to a path of SVG.
func drawBar(path *strings.Builder, i, top, height int) {
	if height > 0 {
		fmt.Fprintf(path, "M%d %dh%dv%dh-%dz", i*sparkBar, top, sparkBar-1, height, sparkBar-1)
	}
}

// grouped writes a number with a comma before each three digits.
func grouped[T ~int | ~int64](n T) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
