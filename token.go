package hallpass

import (
	"cmp"
	"time"
)

// A Token is one credential of a service account: the record of a secret,
// never the secret, which exists only in the answer to the call that made it.
//
// Times are UTC in whole microseconds. A zero ExpiresAt means never, a zero
// RevokedAt not revoked, a zero LastUse.At never used. A Token is a plain
// value; copies share the slices of Limits, which nobody changes.
type Token struct {
	ID             TokenID
	Org            OrgID
	ServiceAccount ServiceAccountID
	Name           string   // unique among its org's live tokens, case-folded; a token that was replaced has the name of its successor
	Hash           [32]byte // SHA-256 of the whole secret, from prefix to checksum
	LastFour       string   // the secret's last four characters, to tell tokens apart
	CreatedAt      time.Time
	CreatedBy      string // login of the principal who made it
	ExpiresAt      time.Time
	RevokedAt      time.Time
	Ended          Ending // how it was ended before its time; empty while RevokedAt is zero
	LastUse        Use

	Owner      string // who answers for it, as people write it: a name, a team, a mail address; empty: the account's owner
	Purpose    string // what it is for; empty: the account's purpose
	Limits     TokenLimits
	Pause      Pause
	Rotation   Rotation
	SelfRotate bool      // whoever bears it may rotate it, until RenewUntil
	RenewUntil time.Time // the end of no token that replaces it in this way is later
	File       string    // the provisioning file that declares it; empty: none does
}

// An Ending says how a token was ended before its time.
type Ending string

// The endings. A token that was revoked by a version that did not know them has none.
const (
	EndedByHand  Ending = "revoked" // somebody ended it
	EndedRotated Ending = "rotated" // another has replaced it
	EndedAsStale Ending = "stale"   // nobody used it for as long as the org's policy allows
)

// A Pause makes a token wait: it is refused, and works again when the pause is over.
// The zero Pause is none.
type Pause struct {
	Since  time.Time
	Until  time.Time // by itself it is over from then on; zero: somebody has to end it
	Reason string    // why, for people; empty: nobody said
}

// Holds reports whether the token is paused at now.
func (p Pause) Holds(now time.Time) bool {
	return !p.Since.IsZero() && (p.Until.IsZero() || now.Before(p.Until))
}

// A Rotation is a token's place in a chain of tokens, each of which replaced the one
// before it. Between At and its end the token and its successor both work.
type Rotation struct {
	Chain       TokenID // the first token of the chain; zero: the token itself
	Generation  int     // its place in the chain, from 1; zero is 1 too
	Predecessor TokenID // the token that it replaced; zero: none
	Successor   TokenID // the token that replaced it; zero: none

	SuccessorEnd time.Time // when the successor ends, or has ended; zero: never, or it was not read. It is a fact about the successor, which is stored there alone

	At      time.Time     // when it was replaced
	CloseAt time.Time     // when it ends at the latest, since it was replaced; zero: it was not replaced
	Quiet   time.Duration // how long nobody must have used it before it ends earlier; zero: until its successor is used
	Key     [32]byte      // mark of the Idempotency-Key and the body of the request that made it; zero: none

	ReissuedAt time.Time // when that request was last repeated, and the token got another secret; zero: never
}

// First returns the first token of the chain that the token with the ID is in.
func (r Rotation) First(id TokenID) TokenID { return cmp.Or(r.Chain, id) }

// A Use is one successful verification of a token.
type Use struct {
	At        time.Time
	Address   string
	UserAgent string
	Route     string // what was asked for, as Route.Pattern; empty: not known, or nobody looked it up
}

// Live reports whether t may be used at now, pauses apart. It is dead from the very
// instant of EndsAt.
func (t Token) Live(now time.Time) bool {
	return t.RevokedAt.IsZero() && !t.Expired(now)
}

// EndsAt returns when t ends by itself: when it expires, or before that when it was
// replaced and its time beside its successor is over. Zero means never.
func (t Token) EndsAt() time.Time {
	if end := t.Rotation.CloseAt; !end.IsZero() && (t.ExpiresAt.IsZero() || end.Before(t.ExpiresAt)) {
		return end
	}
	return t.ExpiresAt
}

// Expired reports whether t's time is over at now.
func (t Token) Expired(now time.Time) bool {
	end := t.EndsAt()
	return !end.IsZero() && !now.Before(end)
}

// Lifetime returns how long t was made to work for, zero for ever.
func (t Token) Lifetime() time.Duration {
	if t.ExpiresAt.IsZero() {
		return 0
	}
	return t.ExpiresAt.Sub(t.CreatedAt)
}

// Of returns who answers for t and what it is for: what the account says where t says
// nothing.
func (t Token) Of(a ServiceAccount) (owner, purpose string) {
	return cmp.Or(t.Owner, a.Owner), cmp.Or(t.Purpose, a.Purpose)
}

// A TokenState says whether a token may be used, and if not, why.
type TokenState string

// The states of a token. The first that applies is the state, from the last one
// up: a token of a disabled account that has expired is expired.
const (
	TokenLive        TokenState = "live"        // it may be used
	TokenOverlapping TokenState = "overlapping" // it may be used, and the one that replaces it has not ended
	TokenPaused      TokenState = "paused"      // it may be used when its pause is over
	TokenBlocked     TokenState = "blocked"     // its service account is disabled: it may be used when that is enabled again
	TokenExpired     TokenState = "expired"     // its time is over
	TokenRotated     TokenState = "rotated"     // it was ended because another replaced it
	TokenRevoked     TokenState = "revoked"     // it was ended for good
)

// TokenStates lists the states.
func TokenStates() []TokenState {
	return []TokenState{TokenLive, TokenOverlapping, TokenPaused, TokenBlocked, TokenExpired, TokenRotated, TokenRevoked}
}

// State returns the token's state at now; disabled says whether its account is
// disabled. Verification and every list of tokens use this state.
func (t Token) State(now time.Time, disabled bool) TokenState {
	switch {
	case !t.RevokedAt.IsZero() && t.Ended == EndedRotated:
		return TokenRotated
	case !t.RevokedAt.IsZero():
		return TokenRevoked
	case t.Expired(now) && t.Rotation.Successor != 0:
		return TokenRotated
	case t.Expired(now):
		return TokenExpired
	case disabled:
		return TokenBlocked
	case t.Pause.Holds(now):
		return TokenPaused
	case t.Replaced(now):
		return TokenOverlapping
	}
	return TokenLive
}

// Works reports whether a token in the state may be used.
func (s TokenState) Works() bool { return s == TokenLive || s == TokenOverlapping }

// tokenStateWords are what people call the states, and where that does not say why, why. The
// console, the command line and the documentation have these words and no others.
var tokenStateWords = map[TokenState]struct{ word, why string }{
	TokenLive:        {"live", ""},
	TokenOverlapping: {"being replaced", ""},
	TokenPaused:      {"paused", ""},
	TokenBlocked:     {"blocked", "account disabled"},
	TokenExpired:     {"expired", ""},
	TokenRotated:     {"replaced", ""},
	TokenRevoked:     {"revoked", ""},
}

// Word returns what people call the state; a state that there is not is called as it is.
func (s TokenState) Word() string { return cmp.Or(tokenStateWords[s].word, string(s)) }

// Words returns what people call the state, and why it is so where the word does not say it.
func (s TokenState) Words() string {
	if why := tokenStateWords[s].why; why != "" {
		return s.Word() + ": " + why
	}
	return s.Word()
}

// soonExpiry is how long before its end a token counts as expiring soon
// (Grafana's list shows the seconds left from here on).
const soonExpiry = 7 * 24 * time.Hour

// UntilExpiry returns the time left when t expires within seven days, else 0.
func (t Token) UntilExpiry(now time.Time) time.Duration {
	end := t.EndsAt()
	if left := end.Sub(now); !end.IsZero() && left > 0 && left <= soonExpiry {
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
	if !CanBeTold(expires) {
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
