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

// Effective returns what the principal holds in the caller's org with the
// sources of each, by action and scope. An empty ref is the caller itself, with what its
// token allows; otherwise it is an ID, a uid or a login, and takes users.permissions:read.
func (a *Admin) Effective(ctx context.Context, c hallpass.Caller, ref string) (p hallpass.PrincipalInfo, list []Effective, err error) {
	err = a.readEffective(ctx, c, ref, func(tx *store.Tx, who hallpass.PrincipalInfo, them hallpass.Caller, sources []Source) error {
		allowed, err := allowedSources(tx, them, sources)
		p, list = who, gather(allowed)
		return err
	})
	return p, list, err
}

// allowedSources returns what the ceiling of the caller's token allows of the sources.
func allowedSources(tx *store.Tx, c hallpass.Caller, sources []Source) ([]Source, error) {
	ceiling := c.Ceiling()
	if ceiling == nil {
		return sources, nil
	}
	var list []Source
	for _, s := range sources {
		allowed := ceiling.Cut(s.Permission)
		if resource, id, ok := s.Permission.Scope.ResourceOf(); ok && inTree(resource) && len(allowed) == 0 {
			scopes, err := treeScopes(tx, c.Org, resource, id)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(scopes, func(above hallpass.Scope) bool {
				return c.Permissions.Allows(hallpass.Permission{Action: s.Permission.Action, Scope: above})
			}) {
				allowed = append(allowed, s.Permission)
			}
		}
		for _, p := range allowed {
			s.Permission = p
			list = append(list, s)
		}
	}
	return list, nil
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

// sources lists every permission that the caller holds with where it comes
// from, whatever the ceiling of its token allows of them.
func (a *Admin) sources(tx *store.Tx, c hallpass.Caller) ([]Source, error) {
	c = c.Whole()
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
	return throughItself
}

// throughItself is where a permission comes from that the principal was given itself.
const throughItself = "itself"

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
