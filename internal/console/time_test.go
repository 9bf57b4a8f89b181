package console_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/console"
)

var (
	timeElement = regexp.MustCompile(`<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ" title="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC">(?:just now|in [a-z0-9 ]+|[a-z0-9 ]+ ago)</time>`)
	dateText    = regexp.MustCompile(`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}, \d\d:\d\d UTC`)
	asWritten   = regexp.MustCompile(`(?s)<(?:pre|code|textarea|option|script)\b.*?</(?:pre|code|textarea|option|script)>`)
	tag         = regexp.MustCompile(`<[^>]*>`)
	otherTime   = regexp.MustCompile(`.{0,30}(?:\d{4}-\d\d-\d\d|\b\d\d:\d\d:\d\d\b|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b).{0,30}`)
	notToBeRead = regexp.MustCompile(`(?s)<(?:p|li|span) class="say">(?:[^<]|<[^>]*>)*?: (?:name|title|login) `)
	prunedDays  = regexp.MustCompile(`of the days \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d`)
)

// timeFaults finds what does not hold the rule of times (timestamp) on a page, and sentences
// of the audit that have a reason as programs read it.
func timeFaults(page string) (faults []string) {
	page = timeElement.ReplaceAllString(asWritten.ReplaceAllString(page, " "), " ")
	for _, rest := range strings.SplitAfter(page, "</time>") {
		if i := strings.Index(rest, "<time"); i >= 0 {
			faults = append(faults, "a time in another form: "+rest[i:])
		}
	}
	faults = append(faults, notToBeRead.FindAllString(page, -1)...)
	text := prunedDays.ReplaceAllString(dateText.ReplaceAllString(tag.ReplaceAllString(page, " "), " "), " ")
	return append(faults, otherTime.FindAllString(text, -1)...)
}

// TestOneFormOfTimes renders every page with times in it, and tries the words. All pages that
// other tests get are held to the same rule (browser.read).
func TestOneFormOfTimes(t *testing.T) {
	names, err := console.PageNames()
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range names {
		for _, yes := range []bool{false, true} {
			out, err := console.Render(page, "Nightly backup", yes)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range timeFaults(out) {
				t.Errorf("%s: %s", page, fault)
			}
		}
	}
	for _, wrong := range []string{
		`<time>2 hours ago</time>`, `<time datetime="2026-02-03T04:05:06Z" title="2026-02-03 04:05:06 UTC">2026-02-03</time>`, `<time datetime="2026-02-03T04:05:06Z" title="Feb 3">1 hour ago</time>`,
		"<p>ends on 2026-02-03 04:05:06 UTC</p>", "<p>until 2026-02-03T04:05:06Z</p>", "<p>on Tuesday, 3 February 2026, 04:05 UTC</p>", "<p>on 2026-02-03</p>", "<p>at 04:05:06</p>",
		`<p class="say">admin created <a href="/x">ci</a>: name ci</p>`,
	} {
		if len(timeFaults(wrong)) == 0 {
			t.Errorf("%s holds the rule", wrong)
		}
	}
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.FixedZone("", 3600))
	for ago, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 90 * time.Minute: "1 hour ago", 36 * time.Hour: "1 day ago", 800 * 24 * time.Hour: "2 years ago",
		-time.Second: "in less than a minute", -2 * time.Hour: "in 2 hours", -30*24*time.Hour + time.Second: "in 30 days",
	} {
		relative, date := console.TimeWords(at, at.Add(ago))
		if relative != want || date != "Tue 3 Feb 2026, 03:05 UTC" {
			t.Errorf("%v ago it reads %q and %q, want %q", ago, relative, date, want)
		}
	}
}
