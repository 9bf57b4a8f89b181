package hallpass

import (
	"strconv"
	"time"
)

// Bounds on a rotation.
const (
	DefaultQuiet = 10 * time.Minute
	LeastQuiet   = 15 * time.Second // uses are on disk some seconds late: less cannot be told
	MostQuiet    = 7 * 24 * time.Hour
	MostGrace    = 30 * 24 * time.Hour
)

// ValidateQuiet returns an Invalid error unless a token may be asked to end when nobody
// used it for so long.
func ValidateQuiet(quiet time.Duration) error {
	switch {
	case quiet < 0 || quiet > MostQuiet:
		return Invalidf("quietSeconds", "quietSeconds must be from 0 to 604800")
	case quiet > 0 && quiet < LeastQuiet:
		return Invalidf("quietSeconds", "quietSeconds is 0 or at least 15")
	}
	return nil
}

// ValidateGrace returns an Invalid error unless a token may work beside its successor
// for so long.
func ValidateGrace(grace time.Duration) error {
	if grace < 0 || grace > MostGrace {
		return Invalidf("graceSeconds", "graceSeconds must be from 0 to 2592000")
	}
	return nil
}

// Replaced reports whether another token replaces t that has not ended at now.
func (t Token) Replaced(now time.Time) bool {
	r := t.Rotation
	return r.Successor != 0 && (r.SuccessorEnd.IsZero() || now.Before(r.SuccessorEnd))
}

// Rotating reports whether t has not ended at now and next was made to replace it. next
// may have ended: then nothing replaces t, and the rotation can still be undone.
func (t Token) Rotating(next Token, now time.Time) bool {
	return next.ID != 0 && t.Rotation.Successor == next.ID && t.Live(now)
}

// Overlaps reports whether t may be used at now beside next, which replaces it.
func (t Token) Overlaps(next Token, now time.Time) bool {
	return t.Rotating(next, now) && next.Live(now)
}

// Closes returns why t, which next replaces, has to end at now: its time is over, or
// next works and was used, and nobody used t for as long as was asked. Empty: it has not.
func (t Token) Closes(next Token, now time.Time) (why string) {
	r := t.Rotation
	if r.Successor == 0 || !t.RevokedAt.IsZero() {
		return ""
	}
	if t.Expired(now) {
		return "deadline"
	}
	last := r.At
	if t.LastUse.At.After(last) {
		last = t.LastUse.At
	}
	if next.ID != r.Successor || next.LastUse.At.IsZero() || !next.State(now, false).Works() {
		return ""
	}
	if r.Quiet > 0 && now.Sub(last) < r.Quiet { // without it, who still uses t does not matter, and a use may be told to be later than now
		return ""
	}
	if r.Quiet == 0 {
		return "token " + strconv.FormatInt(int64(next.ID), 10) + " was used"
	}
	return "quiet for " + strconv.FormatInt(int64(r.Quiet/time.Second), 10) + " s, and token " + strconv.FormatInt(int64(next.ID), 10) + " was used"
}

// Retired returns t, which another replaces, as it is when it ends at now.
func (t Token) Retired(now time.Time) Token {
	t.RevokedAt, t.Ended = now, EndedRotated
	if t.ExpiresAt.IsZero() || t.ExpiresAt.After(now) {
		t.ExpiresAt = now
	}
	if t.Rotation.CloseAt.IsZero() || t.Rotation.CloseAt.After(now) {
		t.Rotation.CloseAt = now
	}
	return t
}
