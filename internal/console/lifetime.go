package console

import (
	"slices"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// lifetime is an option of the form for a token. 0 seconds is no expiration.
type lifetime struct {
	Seconds int64
	Label   string
	Ends    timestamp
	Chosen  bool
}

// lifetimeFields are the fields of a form for how long a new secret lives.
type lifetimeFields struct {
	Legend   string
	Choices  []lifetime
	Custom   bool   // a date may be chosen
	CustomOn bool   // a date is chosen
	Date     string // the date chosen
	FirstDay string
	Now      timestamp // by the server's clock
	Latest   timestamp // the last second allowed; zero: no limit
	Longest  string    // the limit in words; empty: none
}

// lifetimeForm returns the fields, with the longest preset chosen.
func (req *request) lifetimeForm(legend string) lifetimeFields {
	p, now := req.o.Admin.TokenPolicy(), req.o.Admin.Now()
	f := lifetimeFields{
		Legend: legend, Choices: req.lifetimes(p), FirstDay: now.UTC().AddDate(0, 0, 1).Format(time.DateOnly),
		Now: req.timestamp(now), Latest: req.timestamp(p.Latest(now)),
	}
	f.Custom = f.Latest.Zero() || f.Latest.Day() >= f.FirstDay
	f.Date = f.FirstDay
	if longest := p.Longest(); longest > 0 {
		f.Longest = secondsText(longest)
	}
	return f
}

// as chooses the lifetime of a token that was made to live for d; there is a choice for
// it beside the presets. One that never ends, or that the policy does not allow any more,
// chooses nothing.
func (f *lifetimeFields) as(d time.Duration, req *request) {
	seconds := int64(d / time.Second)
	if seconds <= 0 {
		return
	}
	now := req.o.Admin.Now()
	ends, err := req.o.Admin.TokenPolicy().Expiry(now, seconds)
	if err != nil {
		return
	}
	if !slices.ContainsFunc(f.Choices, func(l lifetime) bool { return l.Seconds == seconds }) {
		f.Choices = append([]lifetime{{Seconds: seconds, Label: "As before: " + roughly(d), Ends: req.timestamp(ends)}}, f.Choices...)
	}
	f.choose(seconds)
}

// choose selects the lifetime, if it is among the choices, or the custom date.
func (f *lifetimeFields) choose(seconds int64) {
	i := slices.IndexFunc(f.Choices, func(l lifetime) bool { return l.Seconds == seconds })
	if i >= 0 {
		f.CustomOn = false
	}
	if i < 0 && !f.CustomOn {
		return
	}
	for j := range f.Choices {
		f.Choices[j].Chosen = j == i
	}
}

// sent selects what the form chose, and returns it in seconds, or what is wrong with it.
func (f *lifetimeFields) sent(req *request) (seconds int64, problem string) {
	choice, date := req.PostForm.Get("expires"), req.PostForm.Get("date")
	if seconds, problem = req.seconds(choice, date); choice == "custom" {
		f.CustomOn, f.Date = true, date
	}
	f.choose(seconds)
	return seconds, problem
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
