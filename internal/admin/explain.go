package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Source is where a permission comes from: the role, or the access given to
// one resource, and through what it reaches the principal.
type Source struct {
	Role       string // its name, as "basic:viewer" or "managed:teams:3:permissions"
	RoleUID    string // empty for access to one resource
	Through    string // "itself", "team <name>", "basic role <name>" or "server admin"
	OnServer   bool   // it holds on the server and in every org
	Permission hallpass.Permission
}

// An Effective permission is one that a principal holds, with all its sources.
type Effective struct {
	hallpass.Permission
	Sources []Source
}

// An Explanation says whether a principal may do something, and why.
type Explanation struct {
	Principal  hallpass.PrincipalInfo
	Allowed    bool
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
			out.Taken = TakenForeign
			if near, ok := action.Nearest(); ok {
				out.Taken, out.Nearest = TakenUnknown, near
			}
		}
		if out.Allowed {
			for _, s := range sources {
				if q.by(s) {
					out.Via = append(out.Via, s)
				}
			}
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
	global bool             // it is about a role that is there in every org
	scopes []hallpass.Scope // any of them will do: those of the thing and of the folders it is in
}

// ask makes the question whether the caller may do what is asked for.
func (a *Admin) ask(tx *store.Tx, c hallpass.Caller, asked hallpass.Permission) (q question, err error) {
	q.asked = asked
	q.demand, q.row, q.known = asked.Demand()
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
		if p.Action == q.demand.Action {
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
		if near, ok := q.asked.Action.Nearest(); ok {
			return []string{q.asked.Action.Suggestion(near) + " If you meant it as it is written, it is an action of another API."}
		}
		return []string{a + " is an action of another API: Hallpass itself never asks for it."}
	}
	switch {
	case q.usersOnly():
		list = append(list, "Only users can use "+a+" there, never a service account, whatever roles it has.")
	case q.onServer():
		list = append(list, a+" counts where it is held on the server: through a role given in every organization, or as a server admin.")
	case q.row.Usable == hallpass.UsableNowhere:
		list = append(list, "Hallpass itself never asks for "+a+": only an API behind it may.")
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

// Effective returns what the principal holds in the caller's org with the
// sources of each, by action and scope. An empty ref is the caller itself;
// otherwise it is an ID, a uid or a login, and takes users.permissions:read.
func (a *Admin) Effective(ctx context.Context, c hallpass.Caller, ref string) (p hallpass.PrincipalInfo, list []Effective, err error) {
	err = a.readEffective(ctx, c, ref, func(_ *store.Tx, who hallpass.PrincipalInfo, _ hallpass.Caller, sources []Source) error {
		p, list = who, gather(sources)
		return nil
	})
	return p, list, err
}

// gather puts the sources of the same permission together.
func gather(sources []Source) []Effective {
	index := make(map[hallpass.Permission]int)
	var list []Effective
	for _, s := range sources {
		i, ok := index[s.Permission]
		if !ok {
			i = len(list)
			index[s.Permission] = i
			list = append(list, Effective{Permission: s.Permission})
		}
		list[i].Sources = append(list[i].Sources, s)
	}
	slices.SortFunc(list, func(x, y Effective) int {
		if c := strings.Compare(string(x.Action), string(y.Action)); c != 0 {
			return c
		}
		return strings.Compare(string(x.Scope), string(y.Scope))
	})
	return list
}

// readEffective finds the principal, holds the caller to what looking at it
// takes, and hands its sources to fn.
func (a *Admin) readEffective(ctx context.Context, c hallpass.Caller, ref string, fn func(*store.Tx, hallpass.PrincipalInfo, hallpass.Caller, []Source) error) error {
	n := need{action: hallpass.UsersPermissionsRead}
	if ref == "" {
		n.where = afterLookUp
	}
	return a.read(ctx, c, n, func(tx *store.Tx) error {
		if ref == "" {
			who := hallpass.PrincipalInfo{Principal: c.Principal, Name: c.Name}
			sources, err := a.sources(tx, c)
			if err != nil {
				return err
			}
			return fn(tx, who, c, sources)
		}
		p, err := a.anyPrincipal(tx, c.Org, ref)
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
		sources, err := a.sources(tx, them)
		if err != nil {
			return err
		}
		return fn(tx, p, them, sources)
	})
}

// anyPrincipal finds a member or service account of org by ID, uid or login,
// with or without the kind in front, as "user:ana" or "serviceaccount:7"; an
// account also by its name.
func (a *Admin) anyPrincipal(tx *store.Tx, org hallpass.OrgID, ref string) (hallpass.PrincipalInfo, error) {
	kind, rest, ok := strings.Cut(ref, ":")
	want := hallpass.Nobody
	switch {
	case ok && kind == "user":
		ref, want = rest, hallpass.UserPrincipal
	case ok && kind == "serviceaccount":
		ref, want = rest, hallpass.ServiceAccountPrincipal
	}
	if err := hallpass.ValidateText("principal", ref, 2*hallpass.MaxName); err != nil {
		return hallpass.PrincipalInfo{}, err
	}
	var p hallpass.PrincipalInfo
	id, number := hallpass.ParseID(ref)
	var err error
	if !number {
		if id, err = tx.PrincipalByUID(org, ref); hallpass.KindOf(err) == hallpass.NotFound {
			id, err = tx.PrincipalByLogin(org, ref)
		}
		if hallpass.KindOf(err) == hallpass.NotFound && want != hallpass.UserPrincipal { // an account is known by its name too
			id, err = tx.PrincipalByLogin(org, hallpass.ServiceAccountLogin(org, ref))
		}
	}
	if err == nil {
		p, err = tx.Principal(org, id)
	}
	if err == nil && want != hallpass.Nobody && p.Kind != want {
		err = errNoUser
	}
	return p, err
}

// callerOf returns the caller that the principal would be in org.
func callerOf(tx *store.Tx, org hallpass.OrgID, p hallpass.PrincipalInfo) (hallpass.Caller, error) {
	if p.Kind == hallpass.ServiceAccountPrincipal {
		account, err := tx.ServiceAccount(org, hallpass.ServiceAccountID(p.ID))
		if err != nil {
			return hallpass.Caller{}, err
		}
		return tx.ServiceAccountCaller(account)
	}
	u, err := tx.User(hallpass.UserID(p.ID))
	if err != nil {
		return hallpass.Caller{}, err
	}
	return tx.UserCaller(u, org)
}

// disabled reports whether the principal is.
func disabled(tx *store.Tx, org hallpass.OrgID, p hallpass.PrincipalInfo) (bool, error) {
	if p.Kind == hallpass.ServiceAccountPrincipal {
		account, err := tx.ServiceAccount(org, hallpass.ServiceAccountID(p.ID))
		return account.Disabled, err
	}
	u, err := tx.User(hallpass.UserID(p.ID))
	return u.Disabled, err
}

// sources lists every permission that the caller holds with where it comes
// from.
func (a *Admin) sources(tx *store.Tx, c hallpass.Caller) ([]Source, error) {
	roles, err := tx.RoleSources(c.Org, c.Principal.ID, c.Role, !c.OrgMissing, c.ServerAdmin)
	if err != nil {
		return nil, err
	}
	var list []Source
	for _, r := range roles {
		for _, p := range r.Permissions {
			list = append(list, Source{r.Role.Name, r.Role.UID, through(r.Grantee, r.TeamName, r.Server), r.Server, p})
		}
	}
	if c.OrgMissing {
		return list, nil
	}
	grants, err := tx.AllGrants(c.Org, c.Principal.ID, c.Role)
	if err != nil {
		return nil, err
	}
	teams, err := tx.TeamsOf(c.Org, c.Principal.ID)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		team := ""
		if i := slices.IndexFunc(teams, func(t hallpass.Team) bool { return int64(t.ID) == g.To.ID }); g.To.Kind == hallpass.ToTeam && i >= 0 {
			team = teams[i].Name
		}
		for _, p := range g.Permissions() {
			list = append(list, Source{g.To.RoleName(), "", through(g.To, team, false), false, p})
		}
	}
	return list, nil
}

func through(g hallpass.Grantee, team string, server bool) string {
	switch {
	case g.Kind == "" && server:
		return "server admin"
	case g.Kind == hallpass.ToTeam:
		return "team " + team
	case g.Kind == hallpass.ToBasicRole:
		return "basic role " + hallpass.Role(g.ID).String()
	}
	return "itself"
}

// Held returns the caller's permissions, access to folders and dashboards
// included, by action and scope.
func (a *Admin) Held(ctx context.Context, c hallpass.Caller) ([]Effective, error) {
	_, list, err := a.Effective(ctx, c, "")
	return list, err
}

// RolePower returns what a basic role permits in the caller's org, with the roles
// and the access that are given to everybody who has it. Of a role above the
// caller's own, it is what the role itself permits: the rest is not the caller's
// to know.
func (a *Admin) RolePower(ctx context.Context, c hallpass.Caller, role hallpass.Role) (*hallpass.Permissions, error) {
	var list []hallpass.Permission
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		if role > c.Role || c.OrgMissing {
			r, err := tx.Role(c.Org, role.UID())
			list = r.Permissions
			return err
		}
		sources, err := a.sources(tx, hallpass.Caller{Org: c.Org, Role: role})
		for _, s := range sources {
			list = append(list, s.Permission)
		}
		return err
	})
	return hallpass.NewPermissions(list...), err
}

// PermissionFilter picks permissions: those of the action or with the prefix,
// and of them those that cover the scope, if one is given.
type PermissionFilter struct {
	Action       hallpass.Action
	ActionPrefix string
	Scope        hallpass.Scope
}

func (f PermissionFilter) picks(p hallpass.Permission) bool {
	if f.Action != "" && p.Action != f.Action || !strings.HasPrefix(string(p.Action), f.ActionPrefix) {
		return false
	}
	return f.Scope == "" || p.Scope.Covers(f.Scope)
}

// SearchPermissions returns the permissions that f picks of every principal of
// the caller's org which has any, by the principal's ID.
func (a *Admin) SearchPermissions(ctx context.Context, c hallpass.Caller, f PermissionFilter) (map[int64][]hallpass.Permission, error) {
	out := make(map[int64][]hallpass.Permission)
	n := need{action: hallpass.UsersPermissionsRead, scope: "users:*"}
	err := a.read(ctx, c, n, func(tx *store.Tx) error {
		all, err := tx.OrgPrincipals(c.Org)
		if err != nil {
			return err
		}
		plain := make(map[hallpass.Role][]hallpass.Permission) // of those who have a basic role and nothing else
		for _, p := range all {
			if p.Plain {
				if _, ok := plain[p.Role]; !ok {
					if plain[p.Role], err = a.picked(tx, hallpass.Caller{Org: c.Org, Role: p.Role}, f); err != nil {
						return err
					}
				}
				if len(plain[p.Role]) > 0 {
					out[p.ID] = plain[p.Role]
				}
				continue
			}
			them, err := callerOf(tx, c.Org, hallpass.PrincipalInfo{Principal: hallpass.Principal{Kind: p.Kind, ID: p.ID}})
			if err != nil {
				return err
			}
			list, err := a.picked(tx, them, f)
			if err != nil {
				return err
			}
			if len(list) > 0 {
				out[p.ID] = list
			}
		}
		return nil
	})
	return out, err
}

// PermissionsOf returns the permissions that f picks of one principal.
func (a *Admin) PermissionsOf(ctx context.Context, c hallpass.Caller, ref string, f PermissionFilter) ([]hallpass.Permission, error) {
	_, held, err := a.Effective(ctx, c, ref)
	var list []hallpass.Permission
	for _, e := range held {
		if f.picks(e.Permission) {
			list = append(list, e.Permission)
		}
	}
	return list, err
}

func (a *Admin) picked(tx *store.Tx, c hallpass.Caller, f PermissionFilter) ([]hallpass.Permission, error) {
	sources, err := a.sources(tx, c)
	var list []hallpass.Permission
	for _, e := range gather(sources) {
		if f.picks(e.Permission) {
			list = append(list, e.Permission)
		}
	}
	return list, err
}

// FindPrincipal returns the member or service account of the caller's org that
// ref names by ID, uid, login, e-mail or account name. The caller must be allowed
// to read the members, the accounts or the members of a team.
func (a *Admin) FindPrincipal(ctx context.Context, c hallpass.Caller, ref string) (p hallpass.PrincipalInfo, err error) {
	if !c.Can(hallpass.OrgUsersRead, "") && !c.Can(hallpass.ServiceAccountsRead, "") && !c.Can(hallpass.TeamsPermissionsRead, "") {
		return p, a.Authorize(ctx, c, hallpass.OrgUsersRead, "")
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		p, err = a.anyPrincipal(tx, c.Org, strings.TrimSpace(ref))
		return err
	})
	return p, err
}
