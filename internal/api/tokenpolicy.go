package api

import (
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

func (a *API) tokenPolicyRoutes() []route {
	return []route{
		endpoint(a, "GET /api/org/token-policy", 200, may(hallpass.OrgsRead), a.tokenPolicy),
		endpoint(a, "PUT /api/org/token-policy", 200, may(hallpass.OrgsWrite), a.setTokenPolicy),
		endpoint(a, "POST /api/org/token-policy/preview", 200, may(hallpass.OrgsWrite).taking(plain("days", "limit", "after")), a.previewTokenPolicy),
		endpoint(a, "GET /api/serviceaccounts/token-policy", 200, signedIn, a.tokenRules),
		endpoint(a, "DELETE /api/serviceaccounts/{id}/tokens", 200, mayOnAccount(hallpass.ServiceAccountsWrite).taking(plain("state")), a.deleteDeadTokens),
	}
}

func policyRow(p hallpass.StalePolicy) wire.TokenPolicy {
	return wire.TokenPolicy{
		StaleAfterDays: p.AfterDays, WarnDays: append([]int{}, p.WarnDays...), Pause: p.Pause, DeleteAfterPausedDays: p.RevokeDays,
		Exempt: append([]string{}, p.Exempt...), Updated: timeOrNil(p.UpdatedAt), UpdatedBy: p.UpdatedBy,
	}
}

// writePolicy is the body that sets a policy.
type writePolicy struct {
	wire.TokenPolicy
	StaleAfterDays *int `json:"staleAfterDays"` // nil: the body does not say
}

// policyOf returns the policy of a body. An empty one is Invalid: it would turn the policy
// off without saying so.
func policyOf(in writePolicy) (hallpass.StalePolicy, error) {
	if in.StaleAfterDays == nil {
		return hallpass.StalePolicy{}, hallpass.Invalidf("staleAfterDays", "staleAfterDays is missing: a policy says staleAfterDays, 0 for none, and with it warnDays, pause, deleteAfterPausedDays and exempt")
	}
	return hallpass.StalePolicy{AfterDays: *in.StaleAfterDays, WarnDays: in.WarnDays, Pause: in.Pause, RevokeDays: in.DeleteAfterPausedDays, Exempt: in.Exempt}, nil
}

// tokenPolicy is GET /api/org/token-policy.
func (a *API) tokenPolicy(c call, _ none) (wire.TokenPolicy, error) {
	p, err := a.admin.TokenPolicyOf(c.Context(), c.caller)
	return policyRow(p), err
}

// setTokenPolicy is PUT /api/org/token-policy.
func (a *API) setTokenPolicy(c call, in writePolicy) (wire.TokenPolicy, error) {
	p, err := policyOf(in)
	if err != nil {
		return wire.TokenPolicy{}, err
	}
	p, err = a.admin.SetTokenPolicy(c.Context(), c.caller, p)
	return policyRow(p), err
}

// Days that a preview looks ahead: if nobody says how many, and at most.
const (
	previewDays    = 30
	maxPreviewDays = hallpass.MaxStaleDays
)

// previewTokenPolicy is POST /api/org/token-policy/preview?days&limit&after.
func (a *API) previewTokenPolicy(c call, in writePolicy) (wire.StalePreview, error) {
	days, err := numberFrom(c, "days", previewDays, 0, maxPreviewDays)
	if err != nil {
		return wire.StalePreview{}, err
	}
	limit, err := numberFrom(c, "limit", maxPerPage, 1, maxPerPage)
	if err != nil {
		return wire.StalePreview{}, err
	}
	text, err := readCursor(c, "after", listing(c, in))
	if err != nil {
		return wire.StalePreview{}, err
	}
	var after int64
	if text != "" {
		var ok bool
		if after, ok = hallpass.ParseID(text); !ok {
			return wire.StalePreview{}, badCursor("after")
		}
	}
	policy, err := policyOf(in)
	if err != nil {
		return wire.StalePreview{}, err
	}
	until := a.admin.Now().AddDate(0, 0, days)
	p, err := a.admin.PreviewTokenPolicy(c.Context(), c.caller, policy, until, hallpass.TokenID(after), limit)
	out := wire.StalePreview{Policy: policyRow(p.Policy), Until: until, Tokens: make([]wire.StaleToken, 0, len(p.Tokens))}
	for _, t := range p.Tokens {
		row := wire.StaleToken{
			TokenID: int64(t.Token.ID), Token: t.Token.Name, LastFour: t.Token.LastFour, State: string(t.Token.State(a.admin.Now(), t.Account.Disabled)),
			ServiceAccountID: int64(t.Account.ID), ServiceAccount: t.Account.Name, Owner: t.Token.Owner, LastUsedAt: timeOrNil(t.Token.LastUse.At),
		}
		if row.Owner == "" {
			row.Owner = t.Account.Owner
		}
		for _, s := range t.Steps {
			row.Steps = append(row.Steps, wire.StaleStep{At: s.At, Do: string(s.Act), Days: s.Days})
		}
		out.Tokens = append(out.Tokens, row)
	}
	if p.Next != 0 {
		out.Next = cursor(strconv.FormatInt(int64(p.Next), 10), listing(c, in))
	}
	return out, err
}

// tokenRules is GET /api/serviceaccounts/token-policy.
func (a *API) tokenRules(c call, _ none) (wire.TokenRules, error) {
	rules := a.admin.TokenPolicy()
	p, err := a.admin.TokenPolicyOf(c.Context(), c.caller)
	return wire.TokenRules{
		ExpirationRequired: rules.Binds(), MaxSecondsToLive: rules.Longest(), LatestExpiration: timeOrNil(rules.Latest(a.admin.Now().Truncate(time.Second))),
		DayLimit: rules.DayLimit, Stale: policyRow(p),
	}, err
}

// deleteDeadTokens is DELETE /api/serviceaccounts/{id}/tokens?state=dead.
func (a *API) deleteDeadTokens(c call, _ none) (wire.DeletedTokens, error) {
	if query(c, "state") != "dead" {
		return wire.DeletedTokens{}, hallpass.Invalidf("state", "state is not dead: only tokens that have ended are deleted together")
	}
	n, err := a.admin.DeleteDeadTokens(c.Context(), c.caller, c.account)
	return wire.DeletedTokens{Message: "Service account tokens deleted", Deleted: n}, err
}
