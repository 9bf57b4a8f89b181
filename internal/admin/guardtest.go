package admin

import (
	"context"
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A GuardTest is a request that a guard is asked about, and who sends it: a token, a
// service account, or nobody.
type GuardTest struct {
	Request hallpass.GuardRequest
	Token   *hallpass.Caller // whose token the request presents; nil: none
	Refused *hallpass.Error  // why the token that it presents is no good; nil: it is good, or there is none
	Account string           // the ID, uid, login or name of a service account; "": none
}

// A GuardTrial is what a guard would say about a request, and why.
type GuardTrial struct {
	Err    *hallpass.Error        // why the request would be refused; nil: it would pass
	Path   string                 // the canonical path; "": it is not canonical
	Rule   *hallpass.CompiledRule // the first that matches; nil: none
	Needs  []hallpass.Need        // what the request needs, with what was captured in it
	Need   hallpass.Need          // of Needs what is missing, or else the first; the zero Need: nothing
	Grants []hallpass.NamedRole   // that hold Need, as far as the caller may read them, the narrowest first
	Sender hallpass.Caller        // whoever sends the request; zero: nobody
}

// TestGuard says what the guard would say about a request, and why. Nothing is counted
// or recorded. To ask about an account takes users.permissions:read on it.
func (a *Admin) TestGuard(ctx context.Context, c hallpass.Caller, name string, q GuardTest) (out GuardTrial, err error) {
	err = a.read(ctx, c, guardNeed(hallpass.GuardsTest, name), func(tx *store.Tx) error {
		g, err := tx.Guard(c.Org, name)
		if err != nil {
			return err
		}
		if q.Account != "" {
			if err := a.asAccount(tx, c, &q); err != nil {
				return err
			}
		}
		out = tryGuard(g, q)
		if out.Need.Kind == hallpass.NeedRole || out.Need.Kind == hallpass.NeedPermission {
			out.Grants, err = a.rolesThatMeet(tx, c, out.Need)
		}
		return err
	})
	return out, err
}

// asAccount has the account that the test names send the request.
func (a *Admin) asAccount(tx *store.Tx, c hallpass.Caller, q *GuardTest) error {
	p, err := a.anyPrincipal(tx, c.Org, "serviceaccount:"+q.Account)
	if errors.Is(err, hallpass.NotFound) {
		return errNoSuchAccount
	}
	if err != nil {
		return err
	}
	if err := c.Authorize(hallpass.UsersPermissionsRead, hallpass.UserID(p.ID).Scope()); err != nil {
		return err
	}
	them, err := callerOf(tx, c.Org, p)
	if err != nil {
		return err
	}
	q.Token = &them
	off, err := disabled(tx, c.Org, p)
	if off {
		q.Refused = errAccountOff
	}
	return err
}

var (
	errNoSuchAccount = &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrNotFound", Message: "There is no service account with this ID, uid, login or name"}
	errAccountOff    = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "identity.disabled", Message: "The service account is disabled"}
	errNobody        = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "auth.unauthorized", Message: "The request has no token, and it needs one"}
)

// tryGuard judges the request as the doors do, and goes on where they stop: the rule is
// told also when the token is no good.
func tryGuard(g hallpass.Guard, q GuardTest) (out GuardTrial) {
	if q.Token != nil {
		out.Sender = *q.Token
	}
	rules, err := hallpass.NewRuleset(g)
	if err != nil || g.Suspended != "" {
		out.Err = g.SuspendedError()
		return out
	}
	j := rules.Judge(q.Request)
	out.Path, out.Rule = j.Path, j.Rule
	switch {
	case q.Refused != nil:
		out.Err = q.Refused
	case q.Token != nil:
		out.Err = rules.Permit(&j, *q.Token)
	case j.Err != nil || !j.Public:
		out.Err = errNobody
	}
	if j.Rule != nil {
		out.needs(&j, q.Token)
	}
	return out
}

// needs fills in what the request needs.
func (t *GuardTrial) needs(j *hallpass.Judged, caller *hallpass.Caller) {
	switch need := j.Rule.Need; {
	case need.Kind == hallpass.NeedNothing:
		return
	case need.Kind != hallpass.NeedPermission || j.Err != nil: // without what is captured: as the rule is written
		t.Needs = []hallpass.Need{need}
	default:
		for _, p := range j.Rule.Permissions(&j.Captured) {
			n := hallpass.Need{Kind: hallpass.NeedPermission, Action: p.Action, Scope: string(p.Scope)}
			t.Needs = append(t.Needs, n)
			if t.Need.Kind == hallpass.NeedUnknown && caller != nil && !caller.Can(p.Action, p.Scope) {
				t.Need = n
			}
		}
	}
	if t.Need.Kind == hallpass.NeedUnknown {
		t.Need = t.Needs[0]
	}
}

// rolesThatMeet returns the roles that hold what is needed, as far as the caller may
// read them.
func (a *Admin) rolesThatMeet(tx *store.Tx, c hallpass.Caller, need hallpass.Need) (list []hallpass.NamedRole, err error) {
	if need.Kind == hallpass.NeedPermission {
		want := hallpass.Permission{Action: need.Action, Scope: hallpass.Scope(need.Scope)}
		return a.rolesThat(tx, c, func(p hallpass.Permission) bool { return p.Covers(want) })
	}
	for i, r := range hallpass.BasicRoles() {
		if i < len(hallpass.Roles()) && hallpass.Roles()[i] >= need.Role { // the last is that of server admins
			list = append(list, r)
		}
	}
	return list, nil
}
