package admin

import (
	"context"
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// An Access is a grant as lists show it: with whom it names, and whether it
// is on a folder that the resource is in.
type Access struct {
	hallpass.Grant
	Inherited bool
	Principal hallpass.PrincipalInfo // of a grant to a principal
	Team      hallpass.Team          // of a grant to a team
}

// resource is one account, team, folder or dashboard that exists, with the folders
// it is in.
type resource struct {
	kind    hallpass.Resource
	id      string
	scopes  []hallpass.Scope  // its own, and those of the folders it is in
	parents []string          // uids of the folders it is in, the nearest first
	item    hallpass.TreeItem // a folder or dashboard
}

// inTree reports whether the resource is a folder or a dashboard.
func (p resource) inTree() bool { return inTree(p.kind) }

func inTree(r hallpass.Resource) bool {
	return r == hallpass.FolderResource || r == hallpass.DashboardResource
}

// findResource finds the resource that a path names: an account or team by ID or
// uid, a folder or dashboard by uid. NotFound when the org has none.
func findResource(tx *store.Tx, org hallpass.OrgID, r hallpass.Resource, ref string) (resource, error) {
	p := resource{kind: r, id: ref}
	if ref == "*" {
		return p, &hallpass.Error{Kind: hallpass.Invalid, ID: "resourcePermissions.invalidResourceID", Message: "A resource is named by itself"}
	}
	switch r {
	case hallpass.FolderResource:
		err := p.findFolder(tx, org)
		return p, err
	case hallpass.DashboardResource:
		err := p.findDashboard(tx, org)
		return p, err
	case hallpass.ServiceAccountResource:
		id, err := accountID(tx, org, ref)
		if err != nil {
			return p, err
		}
		p.id = idText(id)
	case hallpass.TeamResource:
		id, err := teamID(tx, org, ref)
		if err != nil {
			return p, err
		}
		p.id = idText(id)
	}
	p.scopes = []hallpass.Scope{r.Scope(p.id)}
	return p, nil
}

func (p *resource) findFolder(tx *store.Tx, org hallpass.OrgID) error {
	chain, err := tx.FolderChain(org, p.id)
	if err == nil && len(chain) == 0 {
		_, err = tx.Folder(org, p.id) // NotFound: the root has no access of its own
	}
	if err != nil {
		return err
	}
	p.item.Folder, p.scopes = &chain[0], FolderScopes(chain)
	p.setParents(chain[1:])
	return nil
}

func (p *resource) findDashboard(tx *store.Tx, org hallpass.OrgID) error {
	d, err := tx.Dashboard(org, p.id)
	if err != nil {
		return err
	}
	chain, err := tx.FolderChain(org, d.Folder)
	if err != nil {
		return err
	}
	p.item.Dashboard, p.scopes = &d, DashboardScopes(d.UID, chain)
	p.setParents(chain)
	return nil
}

func (p *resource) setParents(chain []hallpass.Folder) {
	if len(chain) > 0 {
		p.item.In = chain[0]
	}
	for _, f := range chain {
		p.parents = append(p.parents, f.UID)
	}
}

// accountID and teamID resolve the ref of one that exists in org.
func accountID(tx *store.Tx, org hallpass.OrgID, ref string) (id hallpass.ServiceAccountID, err error) {
	n, ok := hallpass.ParseID(ref)
	switch {
	case ok:
		id = hallpass.ServiceAccountID(n)
	case !hallpass.ValidUID(ref):
		return 0, errInvalidAccountID
	default:
		if id, err = tx.ServiceAccountByUID(org, ref); err != nil {
			return 0, err
		}
	}
	_, err = tx.ServiceAccount(org, id)
	return id, err
}

func teamID(tx *store.Tx, org hallpass.OrgID, ref string) (hallpass.TeamID, error) {
	if n, ok := hallpass.ParseID(ref); ok {
		t, err := tx.Team(org, hallpass.TeamID(n))
		return t.ID, err
	}
	if !hallpass.ValidUID(ref) {
		return 0, errTeamID
	}
	t, err := tx.TeamByUID(org, ref)
	return t.ID, err
}

// authorizeResource returns a Denied error unless the caller may do action on the
// resource.
func (a *Admin) authorizeResource(tx *store.Tx, c hallpass.Caller, action hallpass.Action, p resource) error {
	r := reachByRoles(c)
	if p.inTree() {
		var err error
		if r, err = a.reach(tx, c, append([]string{p.id}, p.parents...)...); err != nil {
			return err
		}
	}
	return r.Demand(action, p.scopes)
}

// Accesses returns who was given access to the resource: on itself first, then
// on the folders it is in.
func (a *Admin) Accesses(ctx context.Context, c hallpass.Caller, r hallpass.Resource, ref string) (list []Access, err error) {
	_, list, err = a.AccessesOn(ctx, c, r, ref)
	return list, err
}

// AccessesOn is Accesses, with the folder or dashboard that they are about.
func (a *Admin) AccessesOn(ctx context.Context, c hallpass.Caller, r hallpass.Resource, ref string) (on hallpass.TreeItem, list []Access, err error) {
	if c.OrgMissing {
		return on, nil, errOrgGone
	}
	n := need{action: r.PermissionsRead(), target: r.Scope(ref), where: afterLookUp}
	err = a.read(ctx, c, n, func(tx *store.Tx) error {
		p, err := findResource(tx, c.Org, r, ref)
		if err != nil {
			return hide(c, r.PermissionsRead(), r, err)
		}
		if err := a.authorizeResource(tx, c, r.PermissionsRead(), p); err != nil {
			return err
		}
		on, n.scope = p.item, p.scopes[0]
		list, err = a.accesses(tx, c.Org, p)
		return err
	})
	if err == nil {
		a.permitted(ctx, n)
	}
	return on, list, err
}

// hide makes a NotFound of an account or team a Denied for callers who have no
// such permission at all: they are not told what exists.
func hide(c hallpass.Caller, action hallpass.Action, r hallpass.Resource, err error) error {
	if inTree(r) || c.OrgMissing {
		return err
	}
	if hallpass.KindOf(err) == hallpass.NotFound && !c.Can(action, "") {
		return hallpass.Lacks(action)
	}
	return err
}

func (a *Admin) accesses(tx *store.Tx, org hallpass.OrgID, p resource) ([]Access, error) {
	if p.kind == hallpass.TeamResource {
		return teamAccesses(tx, org, p)
	}
	own, err := tx.Grants(org, p.kind, p.id)
	if err != nil {
		return nil, err
	}
	above, err := tx.Grants(org, hallpass.FolderResource, p.parents...)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(above, func(x, y hallpass.Grant) int {
		return slices.Index(p.parents, x.ResourceID) - slices.Index(p.parents, y.ResourceID)
	})
	var list []Access
	for _, g := range own {
		list = append(list, Access{Grant: g})
	}
	for _, g := range above {
		list = append(list, Access{Grant: g, Inherited: true})
	}
	return list, name(tx, org, list)
}

// name fills in whom the grants name.
func name(tx *store.Tx, org hallpass.OrgID, list []Access) error {
	var ids []int64
	for _, g := range list {
		if g.To.Kind == hallpass.ToPrincipal {
			ids = append(ids, g.To.ID)
		}
	}
	principals, err := tx.PrincipalsByID(ids)
	if err != nil {
		return err
	}
	for i := range list {
		switch list[i].To.Kind {
		case hallpass.ToPrincipal:
			list[i].Principal = principals[list[i].To.ID]
		case hallpass.ToTeam:
			if list[i].Team, err = tx.Team(org, hallpass.TeamID(list[i].To.ID)); err != nil {
				return err
			}
		case hallpass.ToBasicRole:
		}
	}
	return nil
}

// teamAccesses shows the members of a team as access to it.
func teamAccesses(tx *store.Tx, org hallpass.OrgID, p resource) ([]Access, error) {
	id, _ := hallpass.ParseID(p.id)
	members, err := tx.TeamMembers(hallpass.TeamID(id))
	var list []Access
	for i, m := range members {
		list = append(list, Access{
			Grant: hallpass.Grant{
				ID: hallpass.GrantID(i + 1), Org: org, Resource: p.kind, ResourceID: p.id,
				To: hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: m.Principal.ID}, Level: m.Level(), CreatedAt: m.JoinedAt,
			},
			Principal: m.Principal,
		})
	}
	return list, err
}

// A NewAccess gives a grantee a level of access, or with an empty one takes it
// away. A principal or team is named by ID or uid.
type NewAccess struct {
	Kind  hallpass.GranteeKind
	Ref   string // of the principal or team; the basic role's name
	Level hallpass.Level
}

// SetAccess changes the access of those listed to the resource; that of others
// stays, unless replace. The caller must hold what it gives. Taking away what is
// not there is no error.
func (a *Admin) SetAccess(ctx context.Context, c hallpass.Caller, r hallpass.Resource, ref string, list []NewAccess, replace bool) error {
	if c.OrgMissing {
		return errOrgGone
	}
	if err := validateAccess(r, list); err != nil {
		return err
	}
	n := need{action: r.PermissionsWrite(), target: r.Scope(ref), where: afterLookUp}
	err := a.change(ctx, c, n, "permission.set", func(t *Turn) error {
		p, err := findResource(t.Tx, t.Caller.Org, r, ref)
		if err != nil {
			return hide(t.Caller, n.action, r, err)
		}
		if err := a.authorizeResource(t.Tx, t.Caller, n.action, p); err != nil {
			return err
		}
		steps, err := a.accessSteps(t, p, list, replace)
		if err != nil {
			return err
		}
		if err := declareAccess(t, p, steps); err != nil {
			return err
		}
		for _, s := range steps {
			if err := a.setAccess(t, p, s); err != nil {
				return err
			}
		}
		n.scope = p.scopes[0]
		return t.Audit(string(r), p.id, "")
	})
	if err == nil {
		a.permitted(ctx, n)
	}
	return err
}

// accessStep gives a grantee a level of access to a resource, or with an empty one
// takes it away.
type accessStep struct {
	to    hallpass.Grantee
	level hallpass.Level
}

// accessSteps returns what is to be done for those listed and, with replace, for
// all others who have access.
func (a *Admin) accessSteps(t *Turn, p resource, list []NewAccess, replace bool) (steps []accessStep, err error) {
	keep := make(map[hallpass.Grantee]bool)
	for _, n := range list {
		g, err := a.grantee(t.Tx, t.Caller.Org, n)
		if err != nil {
			return nil, err
		}
		keep[g] = true
		steps = append(steps, accessStep{g, n.Level})
	}
	if !replace {
		return steps, nil
	}
	now, err := t.Grants(t.Caller.Org, p.kind, p.id)
	for _, g := range now {
		if !keep[g.To] {
			steps = append(steps, accessStep{to: g.To})
		}
	}
	return steps, err
}

// declareAccess declares what the steps change for those who remember permissions.
// Access to folders and dashboards is looked up each time.
func declareAccess(t *Turn, p resource, steps []accessStep) error {
	if p.inTree() {
		return nil
	}
	for _, s := range steps {
		if err := t.declare(granteeChanged(t.Caller.Org, s.to)...); err != nil {
			return err
		}
	}
	return nil
}

func validateAccess(r hallpass.Resource, list []NewAccess) error {
	for _, n := range list {
		if n.Level != "" && r.Actions(n.Level) == nil {
			return &hallpass.Error{
				Kind: hallpass.Invalid, ID: "resourcePermissions.invalidPermission", Field: "permission",
				Message: "Permission [" + shorten(string(n.Level)) + "] is invalid for this resource type",
			}
		}
		if n.Kind == hallpass.ToBasicRole && !r.BasicRoles() || n.Kind == hallpass.ToTeam && r == hallpass.TeamResource {
			return &hallpass.Error{Kind: hallpass.Invalid, ID: "resourcePermissions.invalidAssignment", Message: "Access to this resource type cannot be given to that kind of assignee"}
		}
	}
	return nil
}

// shorten keeps what is repeated to the client short, and plain.
func shorten(s string) string {
	if hallpass.ValidateText("", s, 40) != nil {
		return "…"
	}
	return s
}

// grantee finds whom new access names.
func (a *Admin) grantee(tx *store.Tx, org hallpass.OrgID, n NewAccess) (hallpass.Grantee, error) {
	switch n.Kind {
	case hallpass.ToTeam:
		id, err := teamID(tx, org, n.Ref)
		if hallpass.KindOf(err) == hallpass.Invalid {
			err = errParam("teamID")
		}
		return hallpass.Grantee{Kind: n.Kind, ID: int64(id)}, err
	case hallpass.ToBasicRole:
		to, ok := hallpass.BasicGrantee(n.Ref)
		if !ok {
			return hallpass.Grantee{}, errParam("builtInRole")
		}
		return to, nil
	}
	if n.Level == "" { // access may be left of one who is gone
		if id, ok := hallpass.ParseID(n.Ref); ok {
			return hallpass.Grantee{Kind: n.Kind, ID: id}, nil
		}
	}
	p, err := a.principal(tx, org, n.Ref)
	return hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: p.ID}, err
}

// setAccess gives or takes one access, within the delegation rule.
func (a *Admin) setAccess(t *Turn, p resource, s accessStep) error {
	if p.kind == hallpass.TeamResource {
		return a.setMembership(t, p, s)
	}
	if s.level == "" {
		return t.DeleteGrant(t.Caller.Org, p.kind, p.id, s.to)
	}
	grant := hallpass.Grant{Org: t.Caller.Org, Resource: p.kind, ResourceID: p.id, To: s.to, Level: s.level, CreatedAt: a.now()}
	if err := a.mayGive(t.Tx, t.Caller, grant.Permissions()); err != nil {
		return err
	}
	return t.SetGrant(grant)
}

func (a *Admin) setMembership(t *Turn, p resource, s accessStep) error {
	n, _ := hallpass.ParseID(p.id)
	id := hallpass.TeamID(n)
	if err := t.accountUnlocked(s.to.ID); err != nil {
		return err
	}
	if s.level == "" {
		err := t.DeleteTeamMember(id, s.to.ID)
		if hallpass.KindOf(err) == hallpass.NotFound {
			return nil
		}
		return err
	}
	if err := a.mayJoin(t.Tx, t.Caller, id, s.level); err != nil {
		return err
	}
	m := hallpass.TeamMember{Team: id, Admin: s.level == hallpass.LevelAdmin, JoinedAt: a.now()}
	m.Principal.ID = s.to.ID
	_, err := t.SetTeamMember(t.Caller.Org, m)
	return err
}

// AuthorizeAccess returns nil if the caller may look at the access to resources
// of the kind.
func (a *Admin) AuthorizeAccess(ctx context.Context, c hallpass.Caller, r hallpass.Resource) error {
	return a.Authorize(ctx, c, r.PermissionsRead(), "")
}
