package console

import (
	"net/url"
	"slices"
	"strconv"
	"time"
)

// endFilter narrows a list to what ends soon.
type endFilter struct {
	Within  string // that the list is narrowed to, in words; empty: it is not
	Any     string // address of the list without it
	Choices []listFilter
}

// endDays are the days within which something may end, as the parameter ends has them.
var endDays = []string{"7", "30"}

// readEnds returns the days that the address narrows the list to; what is none of
// endDays is left out.
func readEnds(q url.Values) string {
	if days := q.Get("ends"); slices.Contains(endDays, days) {
		return days
	}
	return ""
}

// endsWithin returns the days as a duration; zero for none.
func endsWithin(days string) time.Duration {
	n, _ := strconv.Atoi(days) // readEnds lets numbers pass alone
	return time.Duration(n) * 24 * time.Hour
}

// endsQuery returns the query of a list that is narrowed to the days; empty for none.
func endsQuery(days string) string {
	if days == "" {
		return ""
	}
	return "?ends=" + days
}

// endFilterOf returns the filter of a list; at returns the address of the list with the
// days, or with "" without them.
func endFilterOf(days string, at func(days string) string) endFilter {
	f := endFilter{Any: at("")}
	for _, d := range endDays {
		f.Choices = append(f.Choices, listFilter{Label: "Within " + d + " days", URL: at(d), Current: d == days})
	}
	if days != "" {
		f.Within = days + " days"
	}
	return f
}
