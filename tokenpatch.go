package hallpass

import (
	"net/netip"
	"strings"
	"time"
	"unicode"
)

// A TokenPatch changes a token; a nil field leaves it as it is. What the token's
// secret is, when it expires and whose it is cannot be changed: a longer life is a
// rotation.
type TokenPatch struct {
	Name    *string
	Owner   *string // empty: the account's
	Purpose *string // empty: the account's

	ReadOnly    *bool
	MaxRole     **Role        // to nil: the account's
	Permissions *[]Permission // to nil: all that the account holds
	Networks    *[]netip.Prefix
	Rate        *RateLimit

	SelfRotate *bool
	RenewUntil *time.Time // to the zero time: none

	Paused      *bool
	PausedFor   time.Duration // with Paused true: the pause is over by itself after it; zero: somebody has to end it
	PauseReason string        // with Paused true
}

// Limits returns l as the patch changes it.
func (p TokenPatch) Limits(l TokenLimits) TokenLimits {
	set(&l.ReadOnly, p.ReadOnly)
	set(&l.MaxRole, p.MaxRole)
	set(&l.Permissions, p.Permissions)
	set(&l.Networks, p.Networks)
	set(&l.Rate, p.Rate)
	return l
}

// Apply returns t as the patch changes it at now.
func (p TokenPatch) Apply(t Token, now time.Time) Token {
	set(&t.Name, p.Name)
	set(&t.Owner, p.Owner)
	set(&t.Purpose, p.Purpose)
	set(&t.SelfRotate, p.SelfRotate)
	set(&t.RenewUntil, p.RenewUntil)
	t.Limits = p.Limits(t.Limits)
	switch {
	case p.Paused == nil:
	case !*p.Paused:
		t.Pause = Pause{}
	default:
		since := now
		if t.Pause.Holds(now) {
			since = t.Pause.Since
		}
		t.Pause = Pause{Since: since, Reason: p.PauseReason}
		if p.PausedFor > 0 {
			t.Pause.Until = now.Add(p.PausedFor)
		}
	}
	return t
}

// set sets v to what p points to, if it does.
func set[T any](v, p *T) {
	if p != nil {
		*v = *p
	}
}

// Bounds on a pause that is over by itself.
const (
	LeastPause = time.Minute
	MostPause  = 30 * 24 * time.Hour
)

// Longest texts about a token or an account, in characters.
const (
	MaxOwner   = 190
	MaxPurpose = 500
	MaxReason  = 500
)

// Tidy brings the patch into the form in which it is kept, and returns an Invalid
// error that names the field of the wire if it breaks a rule of its form. Limits have
// rules of their own (TokenLimits.Tidy).
func (p *TokenPatch) Tidy() error {
	if p.Name != nil {
		if err := TidyName("name", p.Name); err != nil {
			return err
		}
	}
	if p.PausedFor != 0 && (p.PausedFor < LeastPause || p.PausedFor > MostPause) {
		return Invalidf("pausedFor", "pausedFor must be from 60 to 2592000 seconds")
	}
	if p.PausedFor != 0 && (p.Paused == nil || !*p.Paused) {
		return Invalidf("pausedFor", "pausedFor needs paused to be true")
	}
	if err := TidyReason("pauseReason", &p.PauseReason); err != nil {
		return err
	}
	if p.PauseReason != "" && (p.Paused == nil || !*p.Paused) {
		return Invalidf("pauseReason", "pauseReason needs paused to be true")
	}
	return TidyOwner(p.Owner, p.Purpose)
}

// TidyReason removes the spaces around a reason, which may be empty: one without a
// visible character becomes so. It returns an Invalid error that names the field if the
// reason is longer than MaxReason characters or breaks another rule of a text.
func TidyReason(field string, reason *string) error {
	*reason = strings.TrimFunc(*reason, unicode.IsSpace)
	if err := ValidateText(field, *reason, MaxReason); err != nil {
		return err
	}
	if !strings.ContainsFunc(*reason, visible) {
		*reason = ""
	}
	return nil
}

// TidyOwner removes the spaces around an owner and a purpose, and returns an Invalid
// error if one of them breaks its rules. Either may be nil. An owner with an @ must be
// one mail address, as "ada@example.com" or "Ada <ada@example.com>", because notices are
// sent to it.
func TidyOwner(owner, purpose *string) error {
	if owner != nil {
		*owner = strings.TrimSpace(*owner)
		if err := ValidateText("owner", *owner, MaxOwner); err != nil {
			return err
		}
		if _, ok := MailAddress(*owner); strings.Contains(*owner, "@") && !ok {
			return Invalidf("owner", "owner has an @ and is not a mail address like ada@example.com or Ada <ada@example.com>")
		}
	}
	if purpose != nil {
		*purpose = strings.TrimSpace(*purpose)
		return ValidateText("purpose", *purpose, MaxPurpose)
	}
	return nil
}
