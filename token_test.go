package hallpass_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func TestTokenLive(t *testing.T) {
	const us = time.Microsecond
	for _, tt := range []struct {
		name          string
		token         hallpass.Token
		live, expired bool
	}{
		{"for ever", hallpass.Token{}, true, false},
		{"expires later", hallpass.Token{ExpiresAt: noon.Add(us)}, true, false},
		{"expires now", hallpass.Token{ExpiresAt: noon}, false, true},
		{"expired", hallpass.Token{ExpiresAt: noon.Add(-us)}, false, true},
		{"revoked", hallpass.Token{RevokedAt: noon.Add(-us)}, false, false},
		{"revoked by a clock ahead of ours", hallpass.Token{RevokedAt: noon.Add(time.Hour)}, false, false},
		{"revoked, would have expired later", hallpass.Token{RevokedAt: noon, ExpiresAt: noon.Add(time.Hour)}, false, false},
		{"revoked and expired", hallpass.Token{RevokedAt: noon, ExpiresAt: noon}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if live, expired := tt.token.Live(noon), tt.token.Expired(noon); live != tt.live || expired != tt.expired {
				t.Errorf("Live = %v, Expired = %v; want %v, %v", live, expired, tt.live, tt.expired)
			}
		})
	}
}

func TestTokenUntilExpiry(t *testing.T) {
	const week = 7 * 24 * time.Hour
	for _, tt := range []struct {
		name    string
		expires time.Time
		want    time.Duration
	}{
		{"never", time.Time{}, 0},
		{"in a week", noon.Add(week), week},
		{"a moment past a week", noon.Add(week + time.Microsecond), 0},
		{"in a moment", noon.Add(time.Microsecond), time.Microsecond},
		{"now", noon, 0},
		{"expired", noon.Add(-time.Hour), 0},
	} {
		if got := (hallpass.Token{ExpiresAt: tt.expires}).UntilExpiry(noon); got != tt.want {
			t.Errorf("%s: UntilExpiry = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTokenPolicyExpiry(t *testing.T) {
	const (
		invalid  = "invalid SecondsToLive value"
		unset    = "Number of seconds before expiration should be set"
		global   = "Number of seconds before expiration is greater than the global limit"
		dayLimit = "The expiration date input exceeds the limit for service account access tokens expiration date"
		day      = 86400
	)
	lateEvening := time.Date(2026, 3, 14, 23, 59, 59, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		policy  hallpass.TokenPolicy
		now     time.Time
		seconds int64
		want    time.Time
		refusal string
	}{
		{"no limit, no lifetime", hallpass.TokenPolicy{}, noon, 0, time.Time{}, ""},
		{"no limit", hallpass.TokenPolicy{}, noon, 90 * day, noon.AddDate(0, 0, 90), ""},
		{"a second", hallpass.TokenPolicy{}, noon, 1, noon.Add(time.Second), ""},
		{"negative", hallpass.TokenPolicy{}, noon, -1, time.Time{}, invalid},
		{"most negative", hallpass.TokenPolicy{DayLimit: 30, MaxSeconds: 60}, noon, math.MinInt64, time.Time{}, invalid},
		{"longest", hallpass.TokenPolicy{}, noon, 9_223_372_036, noon.Add(9_223_372_036 * time.Second), ""},
		{"too long to count", hallpass.TokenPolicy{}, noon, 9_223_372_037, time.Time{}, invalid},
		{"most seconds", hallpass.TokenPolicy{}, noon, math.MaxInt64, time.Time{}, invalid},
		{"past year 9999", hallpass.TokenPolicy{}, time.Date(9999, 12, 31, 23, 59, 0, 0, time.UTC), 60, time.Time{}, invalid},
		{"to the end of year 9999", hallpass.TokenPolicy{}, time.Date(9999, 12, 31, 23, 59, 0, 0, time.UTC), 59, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), ""},

		{"day limit, no lifetime", hallpass.TokenPolicy{DayLimit: 30}, noon, 0, time.Time{}, unset},
		{"day limit, last second", hallpass.TokenPolicy{DayLimit: 1}, noon, day + 43199, time.Date(2026, 3, 15, 23, 59, 59, 0, time.UTC), ""},
		{"day limit, first second past it", hallpass.TokenPolicy{DayLimit: 1}, noon, day + 43200, time.Time{}, dayLimit},
		{"day limit late in the day", hallpass.TokenPolicy{DayLimit: 1}, lateEvening, day, lateEvening.AddDate(0, 0, 1), ""},
		{"day limit late in the day, a second more", hallpass.TokenPolicy{DayLimit: 1}, lateEvening, day + 1, time.Time{}, dayLimit},
		{"the day is UTC's", hallpass.TokenPolicy{DayLimit: 1}, lateEvening.In(time.FixedZone("UTC+14", 14*3600)), day, lateEvening.AddDate(0, 0, 1), ""},
		{"the day is UTC's, a second more", hallpass.TokenPolicy{DayLimit: 1}, lateEvening.In(time.FixedZone("UTC+14", 14*3600)), day + 1, time.Time{}, dayLimit},
		{"the day is UTC's, where it is still yesterday", hallpass.TokenPolicy{DayLimit: 1}, noon.In(time.FixedZone("UTC-13", -13*3600)), day, noon.AddDate(0, 0, 1), ""},
		{"day limit beyond any lifetime", hallpass.TokenPolicy{DayLimit: math.MaxInt}, noon, 9_223_372_036, noon.Add(9_223_372_036 * time.Second), ""},
		{"day limit off by a negative number", hallpass.TokenPolicy{DayLimit: -1}, noon, 0, time.Time{}, ""},

		{"second limit, no lifetime", hallpass.TokenPolicy{MaxSeconds: 60}, noon, 0, time.Time{}, unset},
		{"second limit, last second", hallpass.TokenPolicy{MaxSeconds: 60}, noon, 60, noon.Add(time.Minute), ""},
		{"second limit, past it", hallpass.TokenPolicy{MaxSeconds: 60}, noon, 61, time.Time{}, global},
		{"second limit beyond any lifetime", hallpass.TokenPolicy{MaxSeconds: math.MaxInt64}, noon, 9_223_372_037, time.Time{}, invalid},
		{"second limit off by a negative number", hallpass.TokenPolicy{MaxSeconds: -1}, noon, 0, time.Time{}, ""},

		{"both, the second limit is told first", hallpass.TokenPolicy{DayLimit: 1, MaxSeconds: 60}, noon, 3 * day, time.Time{}, global},
		{"both, the day limit binds", hallpass.TokenPolicy{DayLimit: 1, MaxSeconds: 30 * day}, noon, 3 * day, time.Time{}, dayLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.policy.Expiry(tt.now, tt.seconds)
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("Expiry (-got +want):\n%s", diff)
			}
			if tt.refusal == "" {
				if err != nil {
					t.Errorf("Expiry is refused: %v", err)
				}
				return
			}
			var e *hallpass.Error
			if !errors.As(err, &e) || e.Kind != hallpass.Invalid || e.Field != "secondsToLive" || e.Message != tt.refusal {
				t.Errorf("error = %#v, want Invalid of secondsToLive: %s", err, tt.refusal)
			}
		})
	}
}

// TestTokenPolicyLatest holds what the console shows to what the server takes:
// a lifetime is taken exactly if it ends in the second of Latest or before.
func TestTokenPolicyLatest(t *testing.T) {
	if got := (hallpass.TokenPolicy{DayLimit: -1}).Latest(noon); !got.IsZero() {
		t.Errorf("Latest without a limit = %v, want zero", got)
	}
	midnight := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	leap := time.Date(2028, 2, 28, 23, 59, 59, 999_999_000, time.UTC)
	nows := []time.Time{
		noon, midnight, midnight.Add(-time.Microsecond), midnight.Add(-time.Second), midnight.Add(time.Microsecond), leap,
		noon.In(time.FixedZone("UTC-11", -11*3600)), noon.In(time.FixedZone("UTC+14", 14*3600)),
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		nows = append(nows, noon.Add(time.Duration(r.Int64N(int64(50*365*24*time.Hour)))).Truncate(time.Microsecond))
	}
	policies := []hallpass.TokenPolicy{
		{DayLimit: 1}, {DayLimit: 30}, {DayLimit: 365}, {DayLimit: 106_751}, {DayLimit: 106_752}, {DayLimit: math.MaxInt},
		{MaxSeconds: 1}, {MaxSeconds: 2_592_000}, {MaxSeconds: 9_223_372_036}, {MaxSeconds: 9_223_372_037}, {MaxSeconds: math.MaxInt64},
		{DayLimit: 30, MaxSeconds: 2_592_000}, {DayLimit: 1, MaxSeconds: 86_400}, {DayLimit: math.MaxInt, MaxSeconds: math.MaxInt64},
	}
	for _, p := range policies {
		for _, now := range nows {
			latest := p.Latest(now)
			last := int64(latest.Truncate(time.Second).Sub(now.Truncate(time.Second)) / time.Second)
			if last < 1 {
				t.Fatalf("%+v at %v: Latest = %v is no time at all", p, now, latest)
			}
			got, err := p.Expiry(now, last)
			if err != nil || !got.Truncate(time.Second).Equal(latest.Truncate(time.Second)) {
				t.Fatalf("%+v at %v: Expiry(%d) = %v, %v; want it in the second of %v", p, now, last, got, err, latest)
			}
			if got, err := p.Expiry(now, last+1); err == nil {
				t.Fatalf("%+v at %v: Expiry one second past Latest %v is %v, want a refusal", p, now, latest, got)
			}
			if _, err := p.Expiry(now, 1); err != nil {
				t.Fatalf("%+v at %v: Expiry(1) is refused: %v", p, now, err)
			}
		}
	}
}

// TestTokenState goes through everything that may be wrong with a token.
func TestTokenState(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, expires := range []time.Time{{}, now, now.Add(-time.Hour), now.Add(time.Microsecond)} {
		for _, revoked := range []time.Time{{}, now.Add(-time.Minute)} {
			for _, disabled := range []bool{false, true} {
				k := hallpass.Token{ExpiresAt: expires, RevokedAt: revoked}
				got, over := k.State(now, disabled), !expires.IsZero() && !expires.After(now)
				want := hallpass.TokenLive
				switch {
				case !revoked.IsZero():
					want = hallpass.TokenRevoked
				case over:
					want = hallpass.TokenExpired
				case disabled:
					want = hallpass.TokenBlocked
				}
				if got != want || (got == hallpass.TokenLive) != (k.Live(now) && !disabled) {
					t.Errorf("a token that ends at %v, was revoked at %v, of an account that is disabled: %v, is %s, want %s", expires, revoked, disabled, got, want)
				}
			}
		}
	}
	if got, want := hallpass.TokenBlocked.Words(), "blocked: account disabled"; got != want {
		t.Errorf("a token of a disabled account is told as %q, want %q", got, want)
	}
}

func TestGiven(t *testing.T) {
	for want, given := range map[string]hallpass.Given{
		"None": {}, "None + 1 role": {MoreRoles: 1}, "None + 2 roles, access to 1 thing": {MoreRoles: 2, AccessGrants: 1}, "None + access to 3 things": {AccessGrants: 3},
	} {
		if got := given.With(hallpass.RoleNone); got != want {
			t.Errorf("%+v is told as %q, want %q", given, got, want)
		}
	}
}

func TestTokenInUse(t *testing.T) {
	for _, tt := range []struct {
		name string
		used time.Time
		want bool
	}{
		{"never used", time.Time{}, false},
		{"used now", noon, true},
		{"used by a clock ahead of ours", noon.Add(time.Minute), true},
		{"used almost a day ago", noon.Add(time.Microsecond - 24*time.Hour), true},
		{"used a day ago", noon.Add(-24 * time.Hour), false},
	} {
		if got := (hallpass.Token{LastUse: hallpass.Use{At: tt.used}}).InUse(noon); got != tt.want {
			t.Errorf("%s: in use = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTokenPolicyLongest(t *testing.T) {
	const day = 86400
	for _, tt := range []struct {
		policy hallpass.TokenPolicy
		want   int64
	}{
		{hallpass.TokenPolicy{}, 0},
		{hallpass.TokenPolicy{DayLimit: -1, MaxSeconds: -1}, 0},
		{hallpass.TokenPolicy{DayLimit: 30}, 30 * day},
		{hallpass.TokenPolicy{MaxSeconds: 60}, 60},
		{hallpass.TokenPolicy{DayLimit: 1, MaxSeconds: 60}, 60},
		{hallpass.TokenPolicy{DayLimit: 1, MaxSeconds: 2 * day}, day},
		{hallpass.TokenPolicy{DayLimit: math.MaxInt}, hallpass.MaxTokenSeconds / day * day},
	} {
		got := tt.policy.Longest()
		if got != tt.want {
			t.Errorf("%+v: the longest lifetime is %d, want %d", tt.policy, got, tt.want)
		}
		for _, now := range []time.Time{noon, noon.Add(12*time.Hour - time.Microsecond)} {
			if _, err := tt.policy.Expiry(now, got); got > 0 && err != nil {
				t.Errorf("%+v: the longest lifetime is refused at %v: %v", tt.policy, now, err)
			}
		}
	}
}

func TestTokenPolicySecondsToDay(t *testing.T) {
	today := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		policy hallpass.TokenPolicy
		now    time.Time
		day    time.Time
		want   int64
	}{
		{"today", hallpass.TokenPolicy{}, noon, today, 12*3600 - 60},
		{"tomorrow", hallpass.TokenPolicy{}, noon, today.AddDate(0, 0, 1), 36*3600 - 60},
		{"yesterday", hallpass.TokenPolicy{}, noon, today.AddDate(0, 0, -1), -12*3600 - 60},
		{"today, in its last minute", hallpass.TokenPolicy{}, today.AddDate(0, 0, 1).Add(-30 * time.Second), today, -30},
		{"the last day of the day limit", hallpass.TokenPolicy{DayLimit: 1}, noon, today.AddDate(0, 0, 1), 36*3600 - 60},
		{"the day on which the seconds run out", hallpass.TokenPolicy{MaxSeconds: 3600}, noon, today, 3600},
		{"a day that the policy refuses", hallpass.TokenPolicy{MaxSeconds: 3600}, noon, today.AddDate(0, 0, 1), 36*3600 - 60},
		{"a clock of another zone", hallpass.TokenPolicy{MaxSeconds: 3600}, noon.In(time.FixedZone("UTC+14", 14*3600)), today, 3600},
	} {
		if got := tt.policy.SecondsToDay(tt.now, tt.day); got != tt.want {
			t.Errorf("%s: %d seconds, want %d", tt.name, got, tt.want)
		}
	}
}
