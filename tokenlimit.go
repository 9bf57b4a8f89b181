package hallpass

import (
	"net/netip"
	"time"
)

// TokenLimits make a token narrower than its account: what the token may do is what
// the account may do and each of the limits allows. The zero TokenLimits are none.
// The slices are shared and must not be changed.
type TokenLimits struct {
	// Actions that only look are allowed, no others (Action.Reads).
	ReadOnly bool
	// MaxRole is the highest basic role that the token has; nil: the account's.
	MaxRole *Role
	// Permissions are all that the token may use of what the account holds. A
	// permission without a scope allows every scope that the account holds. nil:
	// everything; empty and not nil: nothing at all.
	Permissions []Permission
	// Networks are where the token may be used from, masked and sorted; empty: from
	// everywhere.
	Networks []netip.Prefix
	Rate     RateLimit
}

// Ceiling reports whether the limits take any permission away.
func (l TokenLimits) Ceiling() bool { return l.ReadOnly || l.MaxRole != nil || l.Permissions != nil }

// A RateLimit allows a number of requests in a time, by the generic cell rate
// algorithm. The zero RateLimit is none.
type RateLimit struct {
	Requests int           // in each Every; 0: no limit
	Every    time.Duration // whole seconds
	Burst    int           // as many requests more at once, after a rest
}
