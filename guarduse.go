package hallpass

import "time"

// A GuardUse counts decisions of a guard that were alike. It is a plain value.
type GuardUse struct {
	Guard   GuardID
	Day     time.Time // when that day began, UTC
	Rule    int       // the rule's number; 0: none matched, or the request did not come that far
	Outcome string    // GuardAllowed, or why it was refused, as "guard.permission"
	Token   TokenID   // 0: no token, an unknown one, or one of too many
	Count   int64
}

// GuardAllowed is the outcome of decisions that let requests pass.
const GuardAllowed = "allowed"

// GuardUseRetention is how long uses of guards are kept.
const GuardUseRetention = 90 * 24 * time.Hour

// MaxGuardUses is how many uses of one day, of one guard, are kept apart by their
// tokens. It bounds what the database has of a guard: 90 days of it are half a million
// rows. Further uses are counted together, as those without a token are.
const MaxGuardUses = 5000
