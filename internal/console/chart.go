package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// spark is a chart of bars: the path of each colour, and what it shows in words.
type spark struct{ OK, Failed, No, Limited, Nothing, Words string }

// bar is one bar of a chart: what was answered, what was let in and answered with an error,
// what was not let in, and what came too often.
type bar struct{ ok, failed, no, limited int64 }

func (b bar) sum() int64 { return b.ok + b.failed + b.no + b.limited }

// canvas is the field of a chart.
type canvas struct {
	step   int // from one bar to the next
	width  int // of a bar
	height int
}

// The fields of charts, with 30 bars each.
var (
	sparkCanvas = canvas{4, 3, 24}
	daysCanvas  = canvas{20, 16, 128}
)

const chartBars = 30

// draw draws the bars. What was not let in stands on what was; a part is at least a line
// high if there was any of it.
func (c canvas) draw(bars []bar) spark {
	most := int64(1)
	for _, b := range bars {
		most = max(most, b.sum())
	}
	var ok, failed, no, limited, nothing strings.Builder
	for i, b := range bars {
		low, wrong, middle, high := c.scale(b.ok, most), c.scale(b.failed, most), c.scale(b.no, most), c.scale(b.limited, most)
		low = max(0, min(low, c.height-wrong-middle-high))
		c.bar(&ok, i, low, low)
		c.bar(&failed, i, low+wrong, wrong)
		c.bar(&no, i, low+wrong+middle, middle)
		c.bar(&limited, i, low+wrong+middle+high, high)
		if low+wrong+middle+high == 0 {
			c.bar(&nothing, i, 1, 1)
		}
	}
	return spark{OK: ok.String(), Failed: failed.String(), No: no.String(), Limited: limited.String(), Nothing: nothing.String()}
}

// scale is the height of n, when most is as high as the field.
func (c canvas) scale(n, most int64) int {
	if n == 0 {
		return 0
	}
	return max(int(n*int64(c.height)/most), 1)
}

// bar adds a bar to a path of SVG, whose upper end is that far above the ground.
func (c canvas) bar(path *strings.Builder, i, top, height int) {
	if height > 0 {
		fmt.Fprintf(path, "M%d %dh%dv%dh-%dz", i*c.step, c.height-top, c.width, height, c.width)
	}
}

// usageDays is how many days the charts of a token show, today included.
const usageDays = chartBars

// daysChart draws what happened with a token on the last days, by UTC day, and returns
// the sum. of names the token in the words.
func (c canvas) daysChart(days []hallpass.TokenDay, now time.Time, of string) (spark, hallpass.TokenDay) {
	first := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-usageDays)
	bars := make([]bar, usageDays)
	var sum hallpass.TokenDay
	for _, d := range days {
		i := int(d.Day.Sub(first) / (24 * time.Hour))
		if d.Day.Before(first) || i < 0 || i >= len(bars) {
			continue
		}
		sum.Add(d)
		b := &bars[i]
		*b = bar{b.ok + d.OK, b.failed + d.Failed, b.no + d.Denied + d.Refused, b.limited + d.Limited}
	}
	s := c.draw(bars)
	s.Words = "Calls with " + of + " in the last 30 days: " + dayWords(sum)
	return s, sum
}

// dayWords tells the counts of a day, or of several.
func dayWords(d hallpass.TokenDay) string {
	if d.Requests() == 0 {
		return "none"
	}
	words := grouped(d.OK) + " answered"
	if d.Failed > 0 {
		words += ", " + grouped(d.Failed) + " answered with an error"
	}
	if n := d.Denied + d.Refused; n > 0 {
		words += ", " + grouped(n) + " refused"
	}
	if d.Limited > 0 {
		words += ", " + grouped(d.Limited) + " over the rate"
	}
	return words
}
