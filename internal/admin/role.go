package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var (
	errFixedRole    = &hallpass.Error{Kind: hallpass.Invalid, ID: "accesscontrol.role-fixed", Message: "Fixed roles cannot be changed"}
	errBasicRole    = &hallpass.Error{Kind: hallpass.Invalid, ID: "accesscontrol.role-basic", Message: "Basic roles cannot be deleted or assigned: set the role in the organization"}
	errBasicName    = &hallpass.Error{Kind: hallpass.Invalid, ID: "accesscontrol.role-basic", Field: "name", Message: "The name of a basic role cannot be changed"}
	errRoleVersion  = &hallpass.Error{Kind: hallpass.Conflict, ID: "accesscontrol.role-version", Message: "The role has been changed by someone else: version must be above the stored one"}
	errRoleAssigned = &hallpass.Error{Kind: hallpass.Invalid, ID: "accesscontrol.role-assigned", Message: "The role is assigned: unassign it first, or delete it with force=true"}
	errRoleLevel    = &hallpass.Error{Kind: hallpass.Invalid, ID: "accesscontrol.role-global", Field: "global", Message: "A role cannot become global, or stop being so"}
)

// A RoleFilter picks roles; the zero filter picks those that are shown.
type RoleFilter struct {
	Hidden      bool // hidden ones too, and the basic ones
	Delegatable bool // only those that the caller could assign
}

// Roles returns the roles of the caller's org and the global ones that it may
// read, with their permissions: custom ones, then fixed and basic ones, each by
// name.
func (a *Admin) Roles(ctx context.Context, c hallpass.Caller, f RoleFilter) (list []hallpass.NamedRole, err error) {
	err = a.read(ctx, c, need{action: hallpass.RolesRead}, func(tx *store.Tx) error {
		all, err := a.allRoles(tx, c.Org)
		if err != nil {
			return err
		}
		for _, r := range all {
			if r.Hidden && !f.Hidden || !c.Can(hallpass.RolesRead, r.Scope()) {
				continue
			}
			if f.Delegatable {
				err := a.mayGive(tx, c, r.Permissions)
				if hallpass.KindOf(err) == hallpass.Denied || r.Basic() {
					continue
				}
				if err != nil {
					return err
				}
			}
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

// allRoles returns every role that is there in org.
func (a *Admin) allRoles(tx *store.Tx, org hallpass.OrgID) ([]hallpass.NamedRole, error) {
	stored, err := tx.Roles(org)
	if err != nil {
		return nil, err
	}
	changed := make(map[string]hallpass.NamedRole)
	var all []hallpass.NamedRole
	for _, r := range stored {
		if r.Basic() {
			changed[r.UID] = r
			continue
		}
		all = append(all, r)
	}
	all = append(all, hallpass.FixedRoles()...)
	for _, r := range hallpass.BasicRoles() {
		if now, ok := changed[r.UID]; ok {
			r = now
		}
		all = append(all, r)
	}
	return all, nil
}

// Role returns the role with that uid; NotFound when the caller's org has none
// and there is no global one.
func (a *Admin) Role(ctx context.Context, c hallpass.Caller, uid string) (r hallpass.NamedRole, err error) {
	scope := hallpass.NamedRole{UID: uid}.Scope()
	err = a.read(ctx, c, need{action: hallpass.RolesRead, scope: scope}, func(tx *store.Tx) error {
		r, err = tx.Role(c.Org, uid)
		return err
	})
	return r, err
}

// roleNeed is what changing the role demands: in its org, or on the server for
// a global one.
func roleNeed(action hallpass.Action, global bool) need {
	n := need{action: action, scope: hallpass.ScopeDelegate}
	if global {
		n.where = onServer
	}
	return n
}

// mayGiveRolePermissions holds the caller to the delegation rule for what the
// role permits.
func (a *Admin) mayGiveRolePermissions(tx *store.Tx, c hallpass.Caller, global bool, list []hallpass.Permission) error {
	if global {
		return mayGiveOnServer(c, list)
	}
	return a.mayGive(tx, c, list)
}

// CreateRole makes a custom role, in the caller's org unless it is global. A
// permission that the caller lacks is Denied, a uid or name that is taken a
// Conflict. An empty UID is made up.
func (a *Admin) CreateRole(ctx context.Context, c hallpass.Caller, r hallpass.NamedRole, global bool) (hallpass.NamedRole, error) {
	if r.UID == "" {
		r.UID = secret.NewUID()
	}
	if r.Fixed() || r.Basic() {
		return r, hallpass.Invalidf("uid", "uids that begin with fixed_ or basic_ are reserved")
	}
	if err := hallpass.ValidateRole(&r, !a.o.AnyPermission); err != nil {
		return r, err
	}
	r.Org = c.Org
	if global {
		r.Org = 0
	}
	r.Version, r.CreatedAt, r.UpdatedAt = max(r.Version, 1), a.now(), a.now()
	r.Permissions = uniquePermissions(r.Permissions)
	err := a.change(ctx, c, roleNeed(hallpass.RolesWrite, global), "role.create", func(t *Turn) error {
		if err := a.mayGiveRolePermissions(t.Tx, t.Caller, global, r.Permissions); err != nil {
			return err
		}
		if err := t.CreateRole(r); err != nil {
			return err
		}
		return t.Audit("role", r.UID, "name "+r.Name)
	})
	return r, err
}

// uniquePermissions sorts the permissions and leaves out those that come twice.
func uniquePermissions(list []hallpass.Permission) []hallpass.Permission {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b hallpass.Permission) int {
		if c := strings.Compare(string(a.Action), string(b.Action)); c != 0 {
			return c
		}
		return strings.Compare(string(a.Scope), string(b.Scope))
	})
	return slices.Compact(list)
}

// findRole finds the role that a change is about: what the change demands depends
// on whose role it is. Whoever may change no role at all is not told whether it
// exists.
func findRole(t *Turn, action hallpass.Action, uid string) (hallpass.NamedRole, error) {
	if !t.Caller.CanOnServer(action, hallpass.ScopeDelegate) {
		if err := t.Caller.Authorize(action, hallpass.ScopeDelegate); err != nil {
			return hallpass.NamedRole{}, err
		}
	}
	return t.Role(t.Caller.Org, uid)
}

// InvalidPermission returns the first permission of the list that no custom role
// can hold on this server; false when there is none.
func (a *Admin) InvalidPermission(list []hallpass.Permission) (hallpass.Permission, bool) {
	i := slices.IndexFunc(list, func(p hallpass.Permission) bool { return hallpass.ValidatePermission(p, !a.o.AnyPermission) != nil })
	if i < 0 {
		return hallpass.Permission{}, false
	}
	return list[i], true
}

// UpdateRole gives the role another name, texts and permissions. A Version that
// is not zero must be above the stored one, else it is a Conflict. Both what the
// role permits now and what it permitted must be the caller's. Of a basic role
// only the permissions can change, and ForeignActions stays in it.
func (a *Admin) UpdateRole(ctx context.Context, c hallpass.Caller, r hallpass.NamedRole, global bool) (after hallpass.NamedRole, err error) {
	n := need{action: hallpass.RolesWrite, scope: hallpass.ScopeDelegate, where: afterLookUp}
	err = a.change(ctx, c, n, "role.update", func(t *Turn) error {
		was, err := findRole(t, n.action, r.UID)
		if err != nil {
			return err
		}
		if after, err = a.edited(was, r, global); err != nil {
			return err
		}
		if err := a.mayChangeRole(t, n.action, was, slices.Concat(was.Editable(), after.Editable())); err != nil {
			return err
		}
		if r.Version != 0 && r.Version <= was.Version {
			return errRoleVersion
		}
		if err := t.declare(permissionsChanged(was.Org)...); err != nil {
			return err
		}
		if foreign := (hallpass.Permission{Action: hallpass.ForeignActions, Scope: "*"}); slices.Contains(was.Permissions, foreign) {
			after.Permissions = append(after.Permissions, foreign)
		}
		after.Version, after.CreatedAt, after.UpdatedAt = max(r.Version, was.Version+1), was.CreatedAt, a.now()
		err = t.UpdateRole(after)
		if was.Basic() && hallpass.KindOf(err) == hallpass.NotFound {
			err = t.CreateRole(after) // its first change
		}
		if err != nil {
			return err
		}
		return t.Audit("role", after.UID, "name "+after.Name)
	})
	return after, err
}

// edited returns the role as it is after the edit, or what forbids the edit.
func (a *Admin) edited(was, edit hallpass.NamedRole, global bool) (hallpass.NamedRole, error) {
	switch {
	case was.Fixed():
		return edit, errFixedRole
	case global && !was.Global():
		return edit, errRoleLevel
	case was.Basic() && edit.Name != was.Name && edit.Name != "":
		return edit, errBasicName
	case was.Basic():
		edit.Name, edit.DisplayName, edit.Description, edit.Group, edit.Hidden = was.Name, was.DisplayName, was.Description, was.Group, was.Hidden
	}
	edit.Org = was.Org
	if err := hallpass.ValidateRole(&edit, !a.o.AnyPermission); err != nil {
		return edit, err
	}
	edit.Permissions = uniquePermissions(edit.Permissions)
	return edit, nil
}

// mayChangeRole holds the caller to what a change of the role demands, and to the
// delegation rule for the permissions that the change is about.
func (a *Admin) mayChangeRole(t *Turn, action hallpass.Action, r hallpass.NamedRole, list []hallpass.Permission) error {
	if err := roleNeed(action, r.Global()).authorize(t.Caller); err != nil {
		return err
	}
	return a.mayGiveRolePermissions(t.Tx, t.Caller, r.Global(), list)
}

// DeleteRole removes the custom role for good. One that is assigned is Invalid,
// unless force takes it from everybody.
func (a *Admin) DeleteRole(ctx context.Context, c hallpass.Caller, uid string, force bool) error {
	n := need{action: hallpass.RolesDelete, scope: hallpass.ScopeDelegate, where: afterLookUp}
	return a.change(ctx, c, n, "role.delete", func(t *Turn) error {
		was, err := findRole(t, n.action, uid)
		switch {
		case err != nil:
			return err
		case was.Fixed():
			return errFixedRole
		case was.Basic():
			return errBasicRole
		}
		if err := a.mayChangeRole(t, n.action, was, was.Permissions); err != nil {
			return err
		}
		assigned, err := t.CountAssignments(was)
		if err != nil {
			return err
		}
		if assigned > 0 && !force {
			return errRoleAssigned
		}
		if err := t.declare(permissionsChanged(was.Org)...); err != nil {
			return err
		}
		if err := t.DeleteRole(was.Org, uid); err != nil {
			return err
		}
		return t.Audit("role", uid, "name "+was.Name)
	})
}

// ResetBasicRoles puts the basic roles back to what they were at first.
func (a *Admin) ResetBasicRoles(ctx context.Context, c hallpass.Caller) error {
	n := need{action: hallpass.RolesWrite, scope: hallpass.ScopeEscalate, where: onServer}
	return a.change(ctx, c, n, "role.reset", func(t *Turn) error {
		if err := t.declare(permissionsChanged(0)...); err != nil {
			return err
		}
		if err := t.ResetBasicRoles(); err != nil {
			return err
		}
		return t.Audit("role", "basic", "")
	})
}
