package verify

import "github.com/hallpass-dev/hallpass"

// limits are what makes a token narrower than its account, in the form in which a
// verification asks it. It is shared by verifications and never changes.
type limits struct {
	hallpass.TokenLimits
}

// newLimits returns the limits of a token, nil if it has none.
func newLimits(l hallpass.TokenLimits) *limits {
	if !l.Ceiling() && len(l.Networks) == 0 && l.Rate == (hallpass.RateLimit{}) {
		return nil
	}
	return &limits{l}
}
