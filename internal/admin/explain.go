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
}

// Explain says whether the principal may do action on scope in the caller's org:
// through which roles, or which would allow it. An empty ref is the caller
// itself; otherwise it is an ID, a uid or a login, and takes users.permissions:read.
func (a *Admin) Explain(ctx context.Context, c hallpass.Caller, ref string, action hallpass.Action, scope hallpass.Scope) (out Explanation, err error) {
	switch {
	case !action.Valid():
		return out, hallpass.Invalidf("action", "action is not like serviceaccounts:read")
	case !scope.WellFormed():
		return out, hallpass.Invalidf("scope", "scope is not like serviceaccounts:id:7")
	}
	want := hallpass.Permission{Action: action, Scope: scope}
	err = a.readEffective(ctx, c, ref, func(tx *store.Tx, p hallpass.PrincipalInfo, sources []Source) error {
		out.Principal = p
		around, err := scopesAround(ctx, tx, c.Org, scope)
		if err != nil {
			return err
		}
		for _, s := range sources {
			if covers(s.Permission, want, around) {
				out.Via = append(out.Via, s)
			}
		}
		if out.Allowed = len(out.Via) > 0; out.Allowed {
			return nil
		}
		out.WouldAllow, err = a.rolesThat(ctx, tx, c, want, around)
		return err
	})
	return out, err
}

// scopesAround returns the scope, and those of what the thing stands in.
func scopesAround(ctx context.Context, tx *store.Tx, org hallpass.OrgID, scope hallpass.Scope) ([]hallpass.Scope, error) {
	r, id, ok := scope.ResourceOf()
	if !ok || r != hallpass.FolderResource && r != hallpass.DashboardResource {
		return []hallpass.Scope{scope}, nil
	}
	return treeScopes(ctx, tx, org, r, id)
}

func covers(held, want hallpass.Permission, around []hallpass.Scope) bool {
	for _, s := range around {
		if held.Covers(hallpass.Permission{Action: want.Action, Scope: s}) {
			return true
		}
	}
	return false
}

// rolesThat returns the roles which the caller may read that permit want, those
// with the fewest permissions first.
func (a *Admin) rolesThat(ctx context.Context, tx *store.Tx, c hallpass.Caller, want hallpass.Permission, around []hallpass.Scope) ([]hallpass.NamedRole, error) {
	all, err := a.allRoles(ctx, tx, c.Org)
	if err != nil {
		return nil, err
	}
	var list []hallpass.NamedRole
	for _, r := range all {
		own := !r.Fixed() && !r.Basic() // what an org made is not for everybody to know
		if own && !c.Can(hallpass.RolesRead, r.Scope()) || r.UID == hallpass.ServerAdminUID {
			continue
		}
		if slices.ContainsFunc(r.Permissions, func(p hallpass.Permission) bool { return covers(p, want, around) }) {
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
	err = a.readEffective(ctx, c, ref, func(_ *store.Tx, who hallpass.PrincipalInfo, sources []Source) error {
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
func (a *Admin) readEffective(ctx context.Context, c hallpass.Caller, ref string, fn func(*store.Tx, hallpass.PrincipalInfo, []Source) error) error {
	n := need{action: hallpass.UsersPermissionsRead}
	if ref == "" {
		n.where = inside
	}
	return a.read(ctx, c, n, func(tx *store.Tx) error {
		if ref == "" {
			who := hallpass.PrincipalInfo{Principal: c.Principal, Name: c.Name}
			sources, err := a.sources(ctx, tx, c)
			if err != nil {
				return err
			}
			return fn(tx, who, sources)
		}
		p, err := a.anyPrincipal(ctx, tx, c.Org, ref)
		if err != nil {
			return err
		}
		if err := c.Authorize(hallpass.UsersPermissionsRead, hallpass.UserID(p.ID).Scope()); err != nil {
			return err
		}
		them, err := callerOf(ctx, tx, c.Org, p)
		if err != nil {
			return err
		}
		sources, err := a.sources(ctx, tx, them)
		if err != nil {
			return err
		}
		return fn(tx, p, sources)
	})
}

// anyPrincipal finds a member or service account of org by ID, uid or login,
// with or without the kind in front, as "user:ana" or "serviceaccount:7"; an
// account also by its name.
func (a *Admin) anyPrincipal(ctx context.Context, tx *store.Tx, org hallpass.OrgID, ref string) (hallpass.PrincipalInfo, error) {
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
		if id, err = tx.PrincipalByUID(ctx, org, ref); hallpass.KindOf(err) == hallpass.NotFound {
			id, err = tx.PrincipalByLogin(ctx, org, ref)
		}
		if hallpass.KindOf(err) == hallpass.NotFound && want != hallpass.UserPrincipal { // an account is known by its name too
			id, err = tx.PrincipalByLogin(ctx, org, hallpass.ServiceAccountLogin(org, ref))
		}
	}
	if err == nil {
		p, err = tx.Principal(ctx, org, id)
	}
	if err == nil && want != hallpass.Nobody && p.Kind != want {
		err = errNoUser
	}
	return p, err
}

// callerOf returns the caller that the principal would be in org.
func callerOf(ctx context.Context, tx *store.Tx, org hallpass.OrgID, p hallpass.PrincipalInfo) (hallpass.Caller, error) {
	if p.Kind == hallpass.ServiceAccountPrincipal {
		account, err := tx.ServiceAccount(ctx, org, hallpass.ServiceAccountID(p.ID))
		if err != nil {
			return hallpass.Caller{}, err
		}
		return tx.ServiceAccountCaller(ctx, account)
	}
	u, err := tx.User(ctx, hallpass.UserID(p.ID))
	if err != nil {
		return hallpass.Caller{}, err
	}
	return tx.UserCaller(ctx, u, org)
}

// sources lists every permission that the caller holds with where it comes
// from.
func (a *Admin) sources(ctx context.Context, tx *store.Tx, c hallpass.Caller) ([]Source, error) {
	roles, err := tx.RoleSources(ctx, c.Org, c.Principal.ID, c.Role, !c.OrgMissing, c.ServerAdmin)
	if err != nil {
		return nil, err
	}
	var list []Source
	for _, r := range roles {
		for _, p := range r.Permissions {
			list = append(list, Source{r.Role.Name, r.Role.UID, through(r.Grantee, r.TeamName, r.Server), p})
		}
	}
	if c.OrgMissing {
		return list, nil
	}
	grants, err := tx.AllGrants(ctx, c.Org, c.Principal.ID, c.Role)
	if err != nil {
		return nil, err
	}
	teams, err := tx.TeamsOf(ctx, c.Org, c.Principal.ID)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		team := ""
		if i := slices.IndexFunc(teams, func(t hallpass.Team) bool { return int64(t.ID) == g.To.ID }); g.To.Kind == hallpass.ToTeam && i >= 0 {
			team = teams[i].Name
		}
		for _, p := range g.Permissions() {
			list = append(list, Source{g.To.RoleName(), "", through(g.To, team, false), p})
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
		all, err := tx.OrgPrincipals(ctx, c.Org)
		if err != nil {
			return err
		}
		plain := make(map[hallpass.Role][]hallpass.Permission) // of those who have a basic role and nothing else
		for _, p := range all {
			if p.Plain {
				if _, ok := plain[p.Role]; !ok {
					if plain[p.Role], err = a.picked(ctx, tx, hallpass.Caller{Org: c.Org, Role: p.Role}, f); err != nil {
						return err
					}
				}
				if len(plain[p.Role]) > 0 {
					out[p.ID] = plain[p.Role]
				}
				continue
			}
			them, err := callerOf(ctx, tx, c.Org, hallpass.PrincipalInfo{Principal: hallpass.Principal{Kind: p.Kind, ID: p.ID}})
			if err != nil {
				return err
			}
			list, err := a.picked(ctx, tx, them, f)
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

func (a *Admin) picked(ctx context.Context, tx *store.Tx, c hallpass.Caller, f PermissionFilter) ([]hallpass.Permission, error) {
	sources, err := a.sources(ctx, tx, c)
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
		p, err = a.anyPrincipal(ctx, tx, c.Org, strings.TrimSpace(ref))
		return err
	})
	return p, err
}
