package console

import (
	"slices"
	"strconv"

	"github.com/hallpass-dev/hallpass"
)

// lifetime is an option of the form for a token. 0 seconds is no expiration.
type lifetime struct {
	Seconds int64
	Label   string
	Ends    timestamp
	Chosen  bool
}

const daySeconds = 24 * 60 * 60

// presets are the lifetimes that are offered, in days.
var presets = []int64{7, 30, 60, 90}

// lifetimes returns the options that the policy allows. The longest that ends is
// selected: 90 days or the limit.
func (req *request) lifetimes(p hallpass.TokenPolicy) []lifetime {
	now := req.o.Admin.Now()
	var all []lifetime
	add := func(seconds int64, label string) {
		if ends, err := p.Expiry(now, seconds); err == nil {
			all = append(all, lifetime{Seconds: seconds, Label: label, Ends: req.timestamp(ends)})
		}
	}
	for _, days := range presets {
		add(days*daySeconds, hallpass.Counted(int(days), "day"))
	}
	if longest := p.Longest(); longest > 0 && len(all) < len(presets) &&
		!slices.ContainsFunc(all, func(l lifetime) bool { return l.Seconds == longest }) {
		add(longest, secondsText(longest))
	}
	if len(all) > 0 {
		all[len(all)-1].Chosen = true
	}
	add(0, "No expiration")
	return all
}

// seconds returns the lifetime that the form asks for, or what is wrong with it.
// A date means the end of that day in UTC.
func (req *request) seconds(choice, date string) (seconds int64, problem string) {
	if choice != "custom" {
		n, err := strconv.ParseInt(choice, 10, 64)
		if err != nil || n < 0 {
			return 0, "Choose when the token expires."
		}
		return n, ""
	}
	d, err := day(date)
	if err != nil || d.IsZero() {
		return 0, "Choose the day on which the token expires."
	}
	if seconds = req.o.Admin.TokenPolicy().SecondsToDay(req.o.Admin.Now(), d); seconds <= 0 {
		return 0, "This day is over. Choose a later one."
	}
	return seconds, ""
}
