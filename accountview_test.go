package hallpass_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// summaries are accounts that differ in one fact each.
func summaries(now time.Time) map[string]hallpass.ServiceAccountSummary {
	const day = 24 * time.Hour
	of := func(f hallpass.TokenFigures) hallpass.ServiceAccountSummary {
		return hallpass.ServiceAccountSummary{TokenFigures: f, ServiceAccount: hallpass.ServiceAccount{Owner: "Platform"}}
	}
	list := map[string]hallpass.ServiceAccountSummary{
		"none":       of(hallpass.TokenFigures{}),
		"soon":       of(hallpass.TokenFigures{Tokens: 1, LiveTokens: 1, NextExpiry: now.Add(14 * day), LastUse: hallpass.Use{At: now}}),
		"later":      of(hallpass.TokenFigures{Tokens: 1, LiveTokens: 1, NextExpiry: now.Add(14*day + 1), LastUse: hallpass.Use{At: now.Add(-90 * day)}}),
		"endless":    of(hallpass.TokenFigures{Tokens: 1, LiveTokens: 1, NeverExpiring: 1, LastUse: hallpass.Use{At: now.Add(-90*day - 1)}}),
		"unused":     of(hallpass.TokenFigures{Tokens: 1, LiveTokens: 1, NextExpiry: now.Add(90 * day)}),
		"paused":     of(hallpass.TokenFigures{Tokens: 2, LiveTokens: 2, Paused: 2, NextExpiry: now.Add(91 * day), LastUse: hallpass.Use{At: now}}),
		"half":       of(hallpass.TokenFigures{Tokens: 2, LiveTokens: 2, Paused: 1, NextExpiry: now.Add(92 * day), LastUse: hallpass.Use{At: now}}),
		"ended":      of(hallpass.TokenFigures{Tokens: 1, Expired: 1, LastEnd: now.Add(-time.Hour), LastUse: hallpass.Use{At: now}}),
		"long ended": of(hallpass.TokenFigures{Tokens: 1, LastEnd: now.Add(-14 * day), LastUse: hallpass.Use{At: now}}),
		"off":        of(hallpass.TokenFigures{Tokens: 1, LiveTokens: 1, NextExpiry: now.Add(93 * day), LastUse: hallpass.Use{At: now}}),
	}
	off := list["off"]
	off.Disabled, off.Owner = true, ""
	list["off"] = off
	return list
}

func TestAccountViews(t *testing.T) {
	now := noon
	for view, want := range map[hallpass.AccountView]string{
		hallpass.AllAccounts:         "ended endless half later long ended none off paused soon unused",
		hallpass.EndingAccounts:      "soon",
		hallpass.NeverEndingAccounts: "endless",
		hallpass.StaleAccounts:       "endless",
		hallpass.UnusedAccounts:      "unused",
		hallpass.BlockedAccounts:     "off paused",
		hallpass.UnownedAccounts:     "off",
		hallpass.ExpiredAccounts:     "ended",
		hallpass.DisabledAccounts:    "off",
		"another":                    "",
	} {
		var got []string
		for name, s := range summaries(now) {
			if view.Picks(s, now) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q shows %q, want %q", view, got, want)
		}
		if known := slices.Contains(hallpass.AccountViews(), view); known != (view != "another") {
			t.Errorf("%q is among the views: %v", view, known)
		}
	}
}

func TestAccountSorts(t *testing.T) {
	now := noon
	all := summaries(now)
	for sort, want := range map[hallpass.AccountSort]string{
		hallpass.SortByEnd:   "ended soon later unused paused half off endless long ended none",
		hallpass.SortByName:  "ended endless half later long ended none off paused soon unused",
		hallpass.SortByOwner: "ended endless half later long ended none paused soon unused off",
		hallpass.SortByUse:   "ended half long ended off paused soon later endless none unused",
	} {
		var names []string
		for name := range all {
			names = append(names, name)
		}
		slices.Sort(names)
		slices.SortStableFunc(names, func(a, b string) int { return sort.Compare(all[a], all[b], now, strings.Compare) })
		if got := strings.Join(names, " "); got != want {
			t.Errorf("by %q: %s, want %s", sort, got, want)
		}
	}
}
