package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// The rule of the tree: access to a folder holds for all folders and dashboards in
// it, at whatever depth. What somebody may do with a thing is therefore asked for
// on several scopes, the thing's own and those of the folders it is in, and
// any of them will do. The folders and dashboards themselves are another room's.

// errOrgGone is what folders and dashboards answer to a user who is not a member
// of the org that the request names, or when that org is gone.
var errOrgGone = &hallpass.Error{Kind: hallpass.NotFound, ID: "org.not-found", Message: "Not found"}

// ReadTree reads folders and dashboards for a caller who acts in an org of its own:
// fn decides with the caller's reach what may be seen. A refusal is recorded as one
// of action on scope.
func (a *Admin) ReadTree(ctx context.Context, c hallpass.Caller, action hallpass.Action, scope hallpass.Scope, fn func(*store.Tx, Reach) error) error {
	if c.OrgMissing {
		return errOrgGone
	}
	return a.read(ctx, c, need{action: action, scope: scope, where: afterLookUp}, func(tx *store.Tx) error {
		r, err := a.reach(tx, c)
		if err != nil {
			return err
		}
		return fn(tx, r)
	})
}

// ChangeTree changes folders or dashboards for a caller who acts in an org of its
// own: fn decides with the caller's reach, makes the change, which the audit calls
// what, and writes its audit entry. A refusal leaves nothing but an entry of its
// own, as one of action on scope. fn may run more than once.
func (a *Admin) ChangeTree(ctx context.Context, c hallpass.Caller, action hallpass.Action, scope hallpass.Scope, what string, fn func(*Turn, Reach) error) error {
	if c.OrgMissing {
		return errOrgGone
	}
	return a.change(ctx, c, need{action: action, scope: scope, where: afterLookUp}, what, func(t *Turn) error {
		if t.Caller.OrgMissing {
			return errOrgGone
		}
		r, err := t.Reach()
		if err != nil {
			return err
		}
		return fn(t, r)
	})
}

// Reach returns the caller's reach as it is now, after what the change has written.
func (t *Turn) Reach() (Reach, error) { return t.admin.reach(t.Tx, t.Caller) }

// Reach is what a caller may do with folders and dashboards: what its roles
// permit, and the access it was given to single ones, as far as the ceiling of its token
// allows it.
type Reach struct {
	Caller  hallpass.Caller
	account *hallpass.Permissions // without the ceiling
	granted map[hallpass.Permission]struct{}
}

// reachByRoles is the reach of a caller to what no access to folders and dashboards is
// about.
func reachByRoles(c hallpass.Caller) Reach {
	return Reach{c, c.Permissions.Whole(), make(map[hallpass.Permission]struct{})}
}

// reach loads the caller's access to all folders and dashboards, or to the
// given ones.
func (a *Admin) reach(tx *store.Tx, c hallpass.Caller, among ...string) (Reach, error) {
	r := reachByRoles(c)
	if c.OrgMissing {
		return r, nil
	}
	grants, err := tx.TreeGrants(c.Org, c.Principal.ID, c.BasicRole(), among...)
	for _, g := range grants {
		for _, p := range g.Permissions() {
			r.granted[p] = struct{}{}
		}
	}
	return r, err
}

// Can reports whether the caller may do action on any of the scopes: those of a
// thing and of the folders it is in. The account may hold it on one of them, and the
// token's ceiling allow it on another.
func (r Reach) Can(action hallpass.Action, scopes []hallpass.Scope) bool {
	held, allowed := false, false
	for _, s := range scopes {
		p := hallpass.Permission{Action: action, Scope: s}
		if s == "" {
			return r.Caller.Permissions.Has(p)
		}
		_, granted := r.granted[p]
		held = held || granted || r.account.Has(p)
		allowed = allowed || r.Caller.Permissions.Allows(p)
		if held && allowed {
			return true
		}
	}
	return false
}

// Demand returns a Denied error unless the caller may do action on any of the
// scopes.
func (r Reach) Demand(action hallpass.Action, scopes []hallpass.Scope) error {
	if r.Can(action, scopes) {
		return nil
	}
	return hallpass.Lacks(action)
}

// Gains returns a Denied error if something that has the scopes before would,
// with those after, let the caller do more with it than it may now. The caller
// may not move a thing to where its own power is greater.
func (r Reach) Gains(before, after []hallpass.Scope) error {
	for _, action := range hallpass.FolderResource.Actions(hallpass.LevelAdmin) {
		if r.Can(action, after) && !r.Can(action, before) {
			return errNotHeld(hallpass.Permission{Action: action, Scope: before[0]})
		}
	}
	return nil
}

// Actions lists what the caller may do on any of the scopes, of those that
// folders and dashboards know.
func (r Reach) Actions(scopes []hallpass.Scope) map[string]bool {
	can := make(map[string]bool)
	for _, action := range hallpass.FolderResource.Actions(hallpass.LevelAdmin) {
		if r.Can(action, scopes) {
			can[string(action)] = true
		}
	}
	return can
}

// FolderScopes returns the scopes of a folder with the given chain of folders,
// itself first; of the root when there is none.
func FolderScopes(chain []hallpass.Folder) []hallpass.Scope {
	if len(chain) == 0 {
		return []hallpass.Scope{hallpass.FolderResource.Scope(hallpass.RootFolder)}
	}
	scopes := make([]hallpass.Scope, 0, len(chain))
	for _, f := range chain {
		scopes = append(scopes, hallpass.FolderResource.Scope(f.UID))
	}
	return scopes
}

// DashboardScopes returns the scopes of a dashboard in the folder with the given
// chain.
func DashboardScopes(uid string, chain []hallpass.Folder) []hallpass.Scope {
	return append([]hallpass.Scope{hallpass.DashboardResource.Scope(uid)}, FolderScopes(chain)...)
}

// treeScopes returns the scopes of the folder or dashboard with that uid; of one
// that is not there, its own alone.
func treeScopes(tx *store.Tx, org hallpass.OrgID, r hallpass.Resource, uid string) ([]hallpass.Scope, error) {
	var chain []hallpass.Folder
	var err error
	switch {
	case r == hallpass.FolderResource && uid == hallpass.RootFolder:
		return FolderScopes(nil), nil
	case r == hallpass.FolderResource:
		if chain, err = tx.FolderChain(org, uid); err == nil {
			return FolderScopes(chain), nil
		}
	default:
		var d hallpass.Dashboard
		if d, err = tx.Dashboard(org, uid); err == nil {
			chain, err = tx.FolderChain(org, d.Folder)
		}
		if err == nil {
			return DashboardScopes(uid, chain), nil
		}
	}
	if hallpass.KindOf(err) == hallpass.NotFound {
		return []hallpass.Scope{r.Scope(uid)}, nil
	}
	return nil, err
}
