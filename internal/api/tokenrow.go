package api

import (
	"errors"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

// tokenRow returns what is told of a token of the account, whose last use is up to date.
func tokenRow(t hallpass.Token, account hallpass.ServiceAccount, now time.Time) wire.Token {
	r, l := t.Rotation, t.Limits
	row := wire.Token{
		ID: int64(t.ID), Name: t.Name, Created: t.CreatedAt, LastUsedAt: timeOrNil(t.LastUse.At), Expiration: timeOrNil(t.EndsAt()),
		SecondsUntilExpiration: t.UntilExpiry(now).Seconds(), HasExpired: t.Expired(now), IsRevoked: !t.RevokedAt.IsZero() && t.Ended != hallpass.EndedRotated,
		LastFour: t.LastFour, State: string(t.State(now, account.Disabled)), Generation: max(r.Generation, 1), ChainID: int64(r.First(t.ID)),
		ReplacesID: idOrNil(r.Predecessor), ReplacedByID: idOrNil(r.Successor), ClosesAt: timeOrNil(r.CloseAt),
		ReadOnly: l.ReadOnly, Networks: make([]string, 0, len(l.Networks)), RateLimit: rateOrNil(l.Rate),
		SelfRotate: t.SelfRotate, RenewUntil: timeOrNil(t.RenewUntil), CreatedBy: t.CreatedBy, ProvisionedBy: t.File,
	}
	row.Owner, row.Purpose = t.Of(account)
	if !t.LastUse.At.IsZero() {
		row.LastUsedAddress, row.LastUsedUserAgent, row.LastUsedRoute = &t.LastUse.Address, &t.LastUse.UserAgent, textOrNil(t.LastUse.Route)
	}
	if r.Successor != 0 {
		quiet := int64(r.Quiet / time.Second)
		row.QuietSeconds = &quiet
	}
	if p := t.Pause; p.Holds(now) {
		row.Paused = &wire.TokenPause{Since: p.Since, Until: timeOrNil(p.Until), Reason: p.Reason}
	}
	if l.MaxRole != nil {
		role := l.MaxRole.String()
		row.MaxRole = &role
	}
	if l.Permissions != nil {
		list := make([]wire.Permission, len(l.Permissions))
		for i, p := range l.Permissions {
			list[i] = wire.Permission{Action: string(p.Action), Scope: string(p.Scope)}
		}
		row.Permissions = &list
	}
	for _, n := range l.Networks {
		row.Networks = append(row.Networks, n.String())
	}
	return row
}

func idOrNil[T ~int64](id T) *int64 {
	if id == 0 {
		return nil
	}
	n := int64(id)
	return &n
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

func rateOrNil(r hallpass.RateLimit) *wire.RateLimit {
	if r == (hallpass.RateLimit{}) {
		return nil
	}
	return &wire.RateLimit{Requests: int64(r.Requests), Seconds: int64(r.Every / time.Second), Burst: int64(r.Burst)}
}

// tokenAnswer is tokenRow for a token of the account in the path, which was just
// changed.
func (a *API) tokenAnswer(c call, t hallpass.Token) (wire.Token, error) {
	account, err := a.admin.AccountOf(c.Context(), t)
	if err != nil {
		return wire.Token{}, err
	}
	one := []hallpass.Token{t}
	if err := a.lastUses(c, one); err != nil {
		return wire.Token{}, err
	}
	return tokenRow(one[0], account, a.admin.Now()), nil
}

// lastUses brings the last uses of the tokens up to date, and tells what was asked for.
func (a *API) lastUses(c call, tokens []hallpass.Token) error {
	a.verify.Uses(tokens)
	return a.admin.LastRoutes(c.Context(), tokens)
}

// A tokenConflict is a Conflict about a token, with what is told of the token.
type tokenConflict struct {
	error
	row wire.Token
}

// Unwrap returns the Conflict.
func (e *tokenConflict) Unwrap() error { return e.error }

// Token returns what is told of the token.
func (e *tokenConflict) Token() any { return e.row }

// tokenError adds to a Conflict about a token what is told of the token.
func (a *API) tokenError(c call, err error) error {
	var about *admin.TokenError
	if !errors.As(err, &about) {
		return err
	}
	row, failed := a.tokenAnswer(c, about.Token)
	if failed != nil {
		return failed
	}
	return &tokenConflict{err, row}
}

// createdLimits reads the limits of a new token.
func createdLimits(in wire.CreateToken) (l hallpass.TokenLimits, err error) {
	l.ReadOnly = in.ReadOnly
	if l.MaxRole, err = maxRole(in.MaxRole); err != nil {
		return l, err
	}
	if in.Permissions != nil {
		l.Permissions = permissions(*in.Permissions)
	}
	if in.RateLimit != nil {
		if l.Rate, err = rate(*in.RateLimit); err != nil {
			return l, err
		}
	}
	l.Networks, err = hallpass.ParseNetworks(in.Networks)
	return l, err
}

// tokenPatch reads the change of a token. A field that is null is cleared.
func tokenPatch(in wire.UpdateToken) (p hallpass.TokenPatch, err error) {
	p.Owner, p.Purpose, p.ReadOnly, p.SelfRotate, p.Paused = cleared(in.Owner), cleared(in.Purpose), cleared(in.ReadOnly), cleared(in.SelfRotate), cleared(in.Paused)
	p.PauseReason = in.PauseReason
	if in.Name.Present {
		p.Name = cleared(in.Name)
	}
	if in.MaxRole.Present {
		role, err := maxRole(*cleared(in.MaxRole))
		if err != nil {
			return p, err
		}
		p.MaxRole = &role
	}
	if in.Permissions.Present {
		var list []hallpass.Permission
		if in.Permissions.Value != nil {
			list = permissions(*in.Permissions.Value)
		}
		p.Permissions = &list
	}
	if in.Networks.Present {
		list, err := hallpass.ParseNetworks(*cleared(in.Networks))
		if err != nil {
			return p, err
		}
		p.Networks = &list
	}
	if in.RateLimit.Present {
		p.Rate = new(hallpass.RateLimit)
	}
	if in.RateLimit.Value != nil {
		if *p.Rate, err = rate(*in.RateLimit.Value); err != nil {
			return p, err
		}
	}
	if in.RenewUntil.Present {
		until := timeOrZero(in.RenewUntil.Value)
		p.RenewUntil = &until
	}
	return p, pausedFor(in, &p)
}

// pausedFor reads how long a pause lasts, which says that there is one.
func pausedFor(in wire.UpdateToken, p *hallpass.TokenPatch) error {
	if in.PausedFor.Value == nil {
		return nil
	}
	if p.Paused == nil {
		yes := true
		p.Paused = &yes
	}
	var err error
	p.PausedFor, err = seconds("pausedFor", *in.PausedFor.Value)
	if err == nil && p.PausedFor == 0 {
		err = hallpass.Invalidf("pausedFor", "pausedFor must be from 60 to 2592000 seconds")
	}
	return err
}

// cleared returns the value of a field, the zero value of one that is null, and nil of
// one that is absent.
func cleared[T any](f wire.Field[T]) *T {
	if f.Present && f.Value == nil {
		return new(T)
	}
	return f.Value
}

// maxRole reads the highest role of a token; "" is none.
func maxRole(s string) (*hallpass.Role, error) {
	if s == "" {
		return nil, nil
	}
	role, ok := hallpass.ParseRole(s)
	if !ok {
		return nil, hallpass.Invalidf("maxRole", "maxRole must be one of None, Viewer, Editor")
	}
	return &role, nil
}

func permissions(in []wire.Permission) []hallpass.Permission {
	list := make([]hallpass.Permission, len(in))
	for i, p := range in {
		list[i] = hallpass.Permission{Action: hallpass.Action(p.Action), Scope: hallpass.Scope(p.Scope)}
	}
	return list
}

// rate reads a rate limit. Numbers beyond any limit stay beyond it. An object without
// numbers is an error: it would be none, and null is the word for that.
func rate(in wire.RateLimit) (hallpass.RateLimit, error) {
	if in == (wire.RateLimit{}) {
		return hallpass.RateLimit{}, hallpass.Invalidf("rateLimit", "rateLimit needs requests and seconds, and may have burst; null is no limit")
	}
	return hallpass.RateLimit{Requests: within32(in.Requests), Every: time.Duration(within32(in.Seconds)) * time.Second, Burst: within32(in.Burst)}, nil
}

func within32(n int64) int { return int(max(min(n, 1<<31-1), -1<<31)) }

// seconds reads a time in seconds; Invalid if no duration is so long.
func seconds(field string, n int64) (time.Duration, error) {
	if n < 0 || n > hallpass.MaxTokenSeconds {
		return 0, hallpass.Invalidf(field, "%s is not a number of seconds from 0 on that anybody needs", field)
	}
	return time.Duration(n) * time.Second, nil
}
