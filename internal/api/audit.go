package api

import (
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// audit is GET /api/audit?action&actor&target&outcome&from&to&limit&cursor.
func (a *API) audit(c call, _ none) (wire.Audit, error) {
	q := c.URL.Query()
	f := hallpass.AuditFilter{Action: q.Get("action"), Actor: q.Get("actor"), Target: q.Get("target"), Outcome: hallpass.Outcome(q.Get("outcome"))}
	if f.Outcome != "" && f.Outcome != hallpass.Done && f.Outcome != hallpass.Refused {
		return wire.Audit{}, hallpass.Invalidf("outcome", "outcome is neither ok nor refused")
	}
	var err error
	if f.From, err = moment(c, "from"); err != nil {
		return wire.Audit{}, err
	}
	if f.To, err = moment(c, "to"); err != nil {
		return wire.Audit{}, err
	}
	if f.Limit, err = number(c, "limit", 100); err != nil {
		return wire.Audit{}, err
	}
	if f.Limit < 1 || f.Limit > maxPerPage {
		return wire.Audit{}, hallpass.Invalidf("limit", "limit is not between 1 and %d", maxPerPage)
	}
	if s := q.Get("cursor"); s != "" {
		n, ok := hallpass.ParseID(s)
		if !ok {
			return wire.Audit{}, hallpass.Invalidf("cursor", "cursor is not one that an answer gave")
		}
		f.Before = hallpass.AuditID(n)
	}
	entries, next, err := a.admin.Audit(c.Context(), c.caller, f)
	if err != nil {
		return wire.Audit{}, err
	}
	out := wire.Audit{Entries: make([]wire.AuditEntry, 0, len(entries))}
	if next != 0 {
		out.Cursor = strconv.FormatInt(int64(next), 10)
	}
	for _, e := range entries {
		out.Entries = append(out.Entries, wire.AuditEntry{
			ID: int64(e.ID), Time: e.At, OrgID: int64(e.Org), Actor: e.Actor.Login, ActorID: e.Actor.ID, ActorKind: e.Actor.Kind.String(),
			TokenID: int64(e.Token), Action: e.Action, Target: e.Target, Outcome: string(e.Outcome), Reason: e.Reason,
			Address: e.From.Address, UserAgent: e.From.UserAgent, Count: e.Count,
		})
	}
	return out, nil
}

func moment(c call, name string) (time.Time, error) {
	s := c.URL.Query().Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, hallpass.Invalidf(name, "%s is not a time in RFC 3339", name)
	}
	return t, nil
}

var errOldKeys = &hallpass.Error{
	Kind: hallpass.NotFound, ID: "apikeys.gone",
	Message: "API keys were removed: create a service account with POST /api/serviceaccounts and a token with POST /api/serviceaccounts/{id}/tokens",
}

// oldKeys is everything under /api/auth/keys but the list: 410, and what to do
// instead.
func (a *API) oldKeys(call, none) (wire.Message, error) { return wire.Message{}, errOldKeys }
