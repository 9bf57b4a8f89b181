package hallpass

import "time"

// A Token is one credential of a service account: the record of a secret,
// never the secret, which exists only in the answer to the call that made it.
//
// Times are UTC in whole microseconds. A zero ExpiresAt means never, a zero
// RevokedAt not revoked, a zero LastUse.At never used. A Token is a plain
// value; copies are independent.
type Token struct {
	ID             TokenID
	Org            OrgID
	ServiceAccount ServiceAccountID
	Name           string   // unique among its org's live tokens, case-folded
	Hash           [32]byte // SHA-256 of the whole secret, from prefix to checksum
	LastFour       string   // the secret's last four characters, to tell tokens apart
	CreatedAt      time.Time
	CreatedBy      string // login of the principal who made it
	ExpiresAt      time.Time
	RevokedAt      time.Time
	LastUse        Use
}

// A Use is one successful verification of a token.
type Use struct {
	At        time.Time
	Address   string
	UserAgent string
}

// Live reports whether t may be used at now. It is dead from the very
// instant of ExpiresAt.
func (t Token) Live(now time.Time) bool {
	return t.RevokedAt.IsZero() && !t.Expired(now)
}

// Expired reports whether t's time is over at now.
func (t Token) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// A TokenState says whether a token may be used, and if not, why.
type TokenState string

// The states of a token. The first that applies is the state, from the last one
// up: a token of a disabled account that has expired is expired.
const (
	TokenLive    TokenState = "live"    // it may be used
	TokenBlocked TokenState = "blocked" // its service account is disabled: it may be used when that is enabled again
	TokenExpired TokenState = "expired" // its time is over
	TokenRevoked TokenState = "revoked" // it was ended for good
)

// State returns the token's state at now; disabled says whether its account is
// disabled. Verification and every list of tokens use this state.
func (t Token) State(now time.Time, disabled bool) TokenState {
	switch {
	case !t.RevokedAt.IsZero():
		return TokenRevoked
	case t.Expired(now):
		return TokenExpired
	case disabled:
		return TokenBlocked
	}
	return TokenLive
}

// Words returns the state in words for people.
func (s TokenState) Words() string {
	if s == TokenBlocked {
		return "blocked: account disabled"
	}
	return string(s)
}

// soonExpiry is how long before its end a token counts as expiring soon
// (Grafana's list shows the seconds left from here on).
const soonExpiry = 7 * 24 * time.Hour

// UntilExpiry returns the time left when t expires within seven days, else 0.
func (t Token) UntilExpiry(now time.Time) time.Duration {
	if left := t.ExpiresAt.Sub(now); !t.ExpiresAt.IsZero() && left > 0 && left <= soonExpiry {
		return left
	}
	return 0
}

// inUse is how long after its last use a token counts as being in use.
const inUse = 24 * time.Hour

// InUse reports whether t was used within the 24 hours before now: whoever ends
// it then most likely breaks something that runs.
func (t Token) InUse(now time.Time) bool {
	return !t.LastUse.At.IsZero() && now.Sub(t.LastUse.At) < inUse
}

// MaxTokenSeconds is the longest lifetime whose nanoseconds fit an int64.
const MaxTokenSeconds = 9_223_372_036

const daySeconds = 24 * 60 * 60

// A TokenPolicy bounds the lifetime of new tokens. The zero value sets
// no bound.
type TokenPolicy struct {
	DayLimit   int   // [service_accounts] token_expiration_day_limit; 0: none
	MaxSeconds int64 // [auth] api_key_max_seconds_to_live; 0: none
}

// Binds reports whether any limit is set, so that every token must expire.
func (p TokenPolicy) Binds() bool { return p.DayLimit > 0 || p.MaxSeconds > 0 }

// Latest returns the last second in which a token made at now may expire, zero
// when no limit binds: Expiry takes the lifetimes that end in that second or
// before it and no others. The day limit counts whole UTC days: the last day
// allowed is today + DayLimit, to its end.
func (p TokenPolicy) Latest(now time.Time) time.Time {
	if !p.Binds() {
		return time.Time{}
	}
	longest := int64(MaxTokenSeconds)
	if p.MaxSeconds > 0 {
		longest = min(longest, p.MaxSeconds)
	}
	latest := now.UTC().Add(time.Duration(longest) * time.Second)
	if p.DayLimit > 0 {
		if end := p.lastDay(now).AddDate(0, 0, 1).Add(-time.Second); end.Before(latest) {
			latest = end
		}
	}
	return latest
}

// Longest returns the longest lifetime, in seconds, that the policy allows at any
// time of day; 0 when no limit binds.
func (p TokenPolicy) Longest() int64 {
	longest := max(p.MaxSeconds, 0)
	if p.DayLimit <= 0 {
		return longest
	}
	days := int64(min(p.DayLimit, MaxTokenSeconds/daySeconds)) * daySeconds
	if longest == 0 || days < longest {
		return days
	}
	return longest
}

// SecondsToDay returns the lifetime of a token made at now that is to work on
// day, a UTC day, to its end: to its last minute, so that the request has a
// minute to arrive, and never beyond what Latest allows on that day. It is not
// positive when the day is over.
func (p TokenPolicy) SecondsToDay(now, day time.Time) int64 {
	end := utcDay(day).AddDate(0, 0, 1).Add(-time.Minute)
	if latest := p.Latest(now); !latest.IsZero() && utcDay(latest).Equal(utcDay(day)) && end.After(latest) {
		end = latest
	}
	return end.Unix() - now.Unix()
}

// lastDay returns the last UTC day that the day limit allows. A limit past what
// any lifetime can reach is cut there, so that no date overflows.
func (p TokenPolicy) lastDay(now time.Time) time.Time {
	return utcDay(now).AddDate(0, 0, min(p.DayLimit, MaxTokenSeconds/daySeconds+1))
}

// Expiry returns when a token made at now with a lifetime of seconds expires,
// zero for never. The refusals and their order are Grafana's (POST
// /api/serviceaccounts/{id}/tokens), save that a limit binds a missing lifetime
// too (SEC-15).
func (p TokenPolicy) Expiry(now time.Time, seconds int64) (time.Time, error) {
	if seconds < 0 {
		return time.Time{}, lifetimeError("invalid SecondsToLive value")
	}
	if seconds == 0 {
		if p.Binds() {
			return time.Time{}, lifetimeError("Number of seconds before expiration should be set")
		}
		return time.Time{}, nil
	}
	if p.MaxSeconds > 0 && seconds > p.MaxSeconds {
		return time.Time{}, lifetimeError("Number of seconds before expiration is greater than the global limit")
	}
	if seconds > MaxTokenSeconds {
		return time.Time{}, lifetimeError("invalid SecondsToLive value")
	}
	expires := now.UTC().Add(time.Duration(seconds) * time.Second)
	if p.DayLimit > 0 && utcDay(expires).After(p.lastDay(now)) {
		return time.Time{}, lifetimeError("The expiration date input exceeds the limit for service account access tokens expiration date")
	}
	if expires.Year() > 9999 {
		return time.Time{}, lifetimeError("invalid SecondsToLive value")
	}
	return expires, nil
}

func lifetimeError(message string) *Error {
	return &Error{Kind: Invalid, ID: "serviceaccounts.ErrInvalidInput", Field: "secondsToLive", Message: message}
}

func utcDay(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
