package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// An Explanation says whether a principal may do something, and why.
type Explanation struct {
	Principal  hallpass.PrincipalInfo
	Allowed    bool
	Cut        bool // the account may, and its token, which asks, has limits that do not allow it
	Via        []Source
	WouldAllow []hallpass.NamedRole // when nothing allows it: roles that would, the narrowest first
	Taken      Taken
	Nearest    hallpass.Action // known, and like an unknown one
	Notes      []string        // what else there is to know about the answer, in sentences
}

// Taken says what an action that is asked about is taken for.
type Taken string

// What an action may be taken for.
const (
	TakenKnown   Taken = "known"   // it is in the table of actions
	TakenForeign Taken = "foreign" // an action of an API behind Hallpass
	TakenUnknown Taken = "unknown" // nothing known, and perhaps a slip: it is like one that is known
)

// Explain says whether the principal may do action on scope in the caller's org:
// through which roles, or which would allow it. The decision is that of the
// routes. An empty ref is the caller itself; otherwise it is an ID, a uid or a
// login, and takes users.permissions:read.
func (a *Admin) Explain(ctx context.Context, c hallpass.Caller, ref string, action hallpass.Action, scope hallpass.Scope) (out Explanation, err error) {
	switch {
	case !action.Valid():
		return out, errActionForm(action)
	case !scope.WellFormed():
		return out, hallpass.Invalidf("scope", "scope is not like serviceaccounts:id:7")
	}
	want := hallpass.Permission{Action: action, Scope: scope}
	err = a.readEffective(ctx, c, ref, func(tx *store.Tx, p hallpass.PrincipalInfo, them hallpass.Caller, sources []Source) error {
		q, err := a.ask(tx, them, want)
		if err != nil {
			return err
		}
		out = Explanation{Principal: p, Allowed: q.allowed(), Taken: TakenKnown, Notes: q.notes()}
		if off, err := disabled(tx, c.Org, p); err != nil {
			return err
		} else if off {
			out.Notes = append(out.Notes, "The "+p.Kind.String()+" is disabled: until it is enabled, whatever it asks for is refused.")
		}
		if !q.known {
			out.Taken, out.Nearest = TakenForeign, q.near
		}
		if q.near != "" {
			out.Taken = TakenUnknown
		}
		if err := a.explainCut(tx, &q, &out); err != nil {
			return err
		}
		if out.Allowed || out.Cut {
			out.Via = slices.DeleteFunc(sources, func(s Source) bool { return !q.by(s) })
			return nil
		}
		if q.usersOnly() {
			return nil // no role would help
		}
		out.WouldAllow, err = a.rolesThat(tx, c, func(p hallpass.Permission) bool {
			return q.covers(p) && (out.Taken != TakenUnknown || p.Action == action)
		})
		return err
	})
	return out, err
}

// explainCut says whether the account of the caller may do what its token does not allow.
func (a *Admin) explainCut(tx *store.Tx, q *question, out *Explanation) (err error) {
	if out.Allowed || q.Caller.Ceiling() == nil {
		return nil
	}
	if q.Reach, err = a.reach(tx, q.Caller.Whole()); err != nil {
		return err
	}
	if out.Cut = q.allowed(); out.Cut {
		out.Notes = append(out.Notes, "It is held by the account, and cut by the limits of this token.")
	}
	return nil
}

func errActionForm(action hallpass.Action) error {
	if near, ok := action.Nearest(); ok {
		return hallpass.Invalidf("action", "action is not like serviceaccounts:read: did you mean %s?", near)
	}
	return hallpass.Invalidf("action", "action is not like serviceaccounts:read")
}

// A question is whether somebody may do something, as the routes ask it.
type question struct {
	Reach
	asked  hallpass.Permission // as the question names it
	demand hallpass.Permission // as routes demand it
	row    hallpass.ActionInfo // of the table, if known
	known  bool
	near   hallpass.Action  // known, and perhaps meant by one that is not; "": none
	global bool             // it is about a role that is there in every org
	scopes []hallpass.Scope // any of them will do: those of the thing and of the folders it is in
}

// ask makes the question whether the caller may do what is asked for.
func (a *Admin) ask(tx *store.Tx, c hallpass.Caller, asked hallpass.Permission) (q question, err error) {
	q.asked = asked
	q.demand, q.row, q.known = asked.Demand()
	if q.near, err = nearest(tx, c.Org, asked.Action); err != nil {
		return q, err
	}
	if q.Reach, err = a.reach(tx, c); err != nil {
		return q, err
	}
	if q.global, err = ofGlobalRole(tx, c.Org, asked); err != nil {
		return q, err
	}
	q.scopes = []hallpass.Scope{q.demand.Scope}
	if r, id, ok := q.demand.Scope.ResourceOf(); ok && inTree(r) {
		q.scopes, err = treeScopes(tx, c.Org, r, id)
	}
	return q, err
}

// nearest returns the known action that is perhaps meant by the action, "" if none is, or if
// a rule of a guard of the org asks for the action: then it is no slip.
func nearest(tx *store.Tx, org hallpass.OrgID, action hallpass.Action) (hallpass.Action, error) {
	near, ok := action.Nearest()
	if !ok {
		return "", nil
	}
	guards, err := tx.Guards(org, "")
	for _, g := range guards {
		if slices.ContainsFunc(g.AllRules(), func(r hallpass.GuardRule) bool { return r.Need.Action == action }) {
			return "", err
		}
	}
	return near, err
}

// ofGlobalRole reports whether what is asked is to change a role that is there in
// every org: that is asked for on the server.
func ofGlobalRole(tx *store.Tx, org hallpass.OrgID, asked hallpass.Permission) (bool, error) {
	uid, ok := strings.CutPrefix(string(asked.Scope), string(hallpass.NamedRole{}.Scope()))
	if !ok || asked.Action != hallpass.RolesWrite && asked.Action != hallpass.RolesDelete {
		return false, nil
	}
	r, err := tx.Role(org, uid)
	if hallpass.KindOf(err) == hallpass.NotFound {
		return false, nil
	}
	return r.Global(), err
}

// onServer reports whether the action is asked for on the server as a whole.
func (q question) onServer() bool {
	return q.known && (q.row.Usable == hallpass.UsableOnServer || q.global)
}

// allowed reports whether routes let the caller do it. Asked about an action on
// things without a scope, it is whether there could be a thing that they let it
// be done to.
func (q question) allowed() bool {
	c := q.Caller
	switch {
	case q.usersOnly():
		return false
	case q.anything():
		held := c.Permissions
		if q.onServer() {
			held = c.Server
		}
		return slices.ContainsFunc(held.Scopes(q.demand.Action), q.row.Reaches) || q.grantedAny()
	case q.onServer():
		return c.CanOnServer(q.demand.Action, q.demand.Scope)
	}
	return q.Can(q.demand.Action, q.scopes)
}

// anything reports whether the question leaves open what is to be done to.
func (q question) anything() bool {
	return q.known && q.demand.Scope == "" && len(q.row.Scopes) > 0 && !q.row.Lists
}

func (q question) grantedAny() bool {
	for p := range q.granted {
		if p.Action == q.demand.Action && q.Caller.Permissions.Allows(p) {
			return true
		}
	}
	return false
}

// usersOnly reports whether the caller is a service account and the action one
// that only users are asked for.
func (q question) usersOnly() bool {
	return (q.onServer() || q.row.Usable == hallpass.UsableByUsers) && q.Caller.User() == 0
}

// covers reports whether holding p is holding what is asked for.
func (q question) covers(p hallpass.Permission) bool {
	if q.anything() {
		return p.Action == q.demand.Action && q.row.Reaches(p.Scope)
	}
	return slices.ContainsFunc(q.scopes, func(s hallpass.Scope) bool {
		return p.Covers(hallpass.Permission{Action: q.demand.Action, Scope: s})
	})
}

// by reports whether it is through the source that the caller may.
func (q question) by(s Source) bool {
	return q.covers(s.Permission) && (s.OnServer || !q.onServer())
}

// notes says what the answer does not show by itself.
func (q question) notes() (list []string) {
	a := string(q.asked.Action)
	if !q.known {
		if q.near != "" {
			return []string{q.asked.Action.Suggestion(q.near) + " If you meant it as it is written, it is an action of another API."}
		}
		list = []string{a + " is an action of another API, such as one behind a guard: Hallpass's own API never asks for it."}
		if q.asked.Scope != "" {
			list = append(list, "A guard's rule without a scope takes "+a+" on any scope.")
		}
		return list
	}
	switch {
	case q.usersOnly():
		list = append(list, "Only users can use "+a+" there, never a service account, whatever roles it has.")
	case q.onServer():
		list = append(list, a+" counts where it is held on the server: through a role given in every organization, or as a server admin.")
	case q.row.Usable == hallpass.UsableNowhere:
		list = append(list, "Hallpass's own API never asks for "+a+": only a guard, or an API behind it, may.")
	}
	switch {
	case q.demand.Scope != q.asked.Scope && q.demand.Scope == "":
		list = append(list, a+" takes no scope: "+string(q.asked.Scope)+" was not looked at.")
	case q.demand.Scope != q.asked.Scope:
		list = append(list, a+" is always asked for on "+string(q.demand.Scope)+".")
	case q.demand.Scope != "" && !q.row.Reaches(q.demand.Scope):
		list = append(list, a+" is never asked for on "+string(q.demand.Scope)+", but on scopes as "+hallpass.Enumerate(scopeTexts(q.row.Scopes))+".")
	}
	return list
}

func scopeTexts(scopes []hallpass.Scope) (list []string) {
	for _, s := range scopes {
		list = append(list, string(s))
	}
	return list
}

// rolesThat returns the roles which the caller may read that hold what permits
// it, those with the fewest permissions first.
func (a *Admin) rolesThat(tx *store.Tx, c hallpass.Caller, permit func(hallpass.Permission) bool) ([]hallpass.NamedRole, error) {
	all, err := a.allRoles(tx, c.Org)
	if err != nil {
		return nil, err
	}
	var list []hallpass.NamedRole
	for _, r := range all {
		own := !r.Fixed() && !r.Basic() // what an org made is not for everybody to know
		if own && !c.Can(hallpass.RolesRead, r.Scope()) || r.UID == hallpass.ServerAdminUID {
			continue
		}
		if slices.ContainsFunc(r.Permissions, permit) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(x, y hallpass.NamedRole) int { return len(x.Permissions) - len(y.Permissions) })
	return list, nil
}
