package hallpass

// A TokenView picks tokens of all accounts by a question that people ask about them.
type TokenView string

// The views of tokens. All but AllTokens and EndedTokens show tokens that have not ended.
const (
	AllTokens         TokenView = ""
	CurrentTokens     TokenView = "current"
	TriedTokens       TokenView = "failing"      // somebody tries it although it is refused; also tokens that have ended
	EndingTokens      TokenView = "ending"       // it ends within EndsSoon, and no token that lives replaces it
	NeverEndingTokens TokenView = "never-ending" // it does not expire
	StaleTokens       TokenView = "stale"        // it was used, and not within Stale
	UnusedTokens      TokenView = "unused"       // it was never used
	ReplacedTokens    TokenView = "overlapping"  // its state is TokenOverlapping
	PausedTokens      TokenView = "paused"       // its state is TokenPaused
	BlockedTokens     TokenView = "blocked"      // its state is TokenBlocked
	UnownedTokens     TokenView = "unowned"      // nobody is named who answers for it or for its account
	EndedTokens       TokenView = "ended"        // it has expired, was replaced or revoked
)

// TokenViews lists the views that lists offer, in their order.
func TokenViews() []TokenView {
	return []TokenView{CurrentTokens, TriedTokens, EndingTokens, NeverEndingTokens, StaleTokens, UnusedTokens, ReplacedTokens, PausedTokens, BlockedTokens, UnownedTokens, EndedTokens}
}
