package admin

import (
	"context"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// OrgUsers returns the members of the caller's org that it may see, by login:
// those whose login, e-mail or name holds text. Limit 0 means all.
func (a *Admin) OrgUsers(ctx context.Context, c hallpass.Caller, text string, limit int) ([]hallpass.Member, error) {
	if limit <= 0 {
		limit = 1 << 30
	}
	members, _, err := a.OrgUsersPage(ctx, c, text, Page{1, limit})
	return members, err
}

// OrgUsersPage returns a page of the members that OrgUsers would, and how many
// there are on all pages.
func (a *Admin) OrgUsersPage(ctx context.Context, c hallpass.Caller, text string, p Page) (members []hallpass.Member, total int, err error) {
	err = a.read(ctx, c, need{action: hallpass.OrgUsersRead}, func(tx *store.Tx) error {
		limit, offset := p.limits()
		if c.Can(hallpass.OrgUsersRead, "users:id:*") {
			if members, total, err = tx.Members(c.Org, text, limit, offset); err != nil {
				return err
			}
			return tellGiven(tx, c.Org, members)
		}
		all, _, err := tx.Members(c.Org, text, 0, 0)
		visible := all[:0]
		for _, m := range all {
			if c.Can(hallpass.OrgUsersRead, m.User.ID.Scope()) {
				visible = append(visible, m)
			}
		}
		if err != nil {
			return err
		}
		members, total = SlicePage(visible, p), len(visible)
		return tellGiven(tx, c.Org, members)
	})
	return members, total, err
}

// tellGiven fills in what the members were given beside their basic roles.
func tellGiven(tx *store.Tx, org hallpass.OrgID, members []hallpass.Member) error {
	ids := make([]int64, len(members))
	for i, m := range members {
		ids[i] = int64(m.User.ID)
	}
	given, err := tx.Given(org, ids)
	for i := range members {
		members[i].Given = given[ids[i]]
	}
	return err
}

// Member returns a member of the caller's org; NotFound when that user is none.
func (a *Admin) Member(ctx context.Context, c hallpass.Caller, id hallpass.UserID) (m hallpass.Member, err error) {
	err = a.read(ctx, c, need{action: hallpass.OrgUsersRead, scope: id.Scope()}, func(tx *store.Tx) error {
		role, err := a.memberRole(tx, c.Org, id)
		if err != nil {
			return err
		}
		m = hallpass.Member{Org: c.Org, Role: role}
		m.User, err = tx.User(id)
		return err
	})
	return m, err
}

// RoleIn returns the role that the user has in the caller's org, and whether they are a
// member of it. The caller must be allowed to read the members, or the users of the server.
func (a *Admin) RoleIn(ctx context.Context, c hallpass.Caller, id hallpass.UserID) (role hallpass.Role, member bool, err error) {
	n := need{action: hallpass.OrgUsersRead, scope: id.Scope()}
	if c.CanOnServer(hallpass.UsersRead, id.GlobalScope()) {
		n = onUser(hallpass.UsersRead, id)
	}
	err = a.read(ctx, c, n, func(tx *store.Tx) error {
		role, member, err = tx.MemberRole(c.Org, id)
		return err
	})
	return role, member, err
}

// UserID reads a user's ID from a path, which has a decimal ID, of a user who need
// not exist, or the uid of a user.
func (a *Admin) UserID(ctx context.Context, ref string) (id hallpass.UserID, err error) {
	if n, ok := hallpass.ParseID(ref); ok {
		return hallpass.UserID(n), nil
	}
	if !hallpass.ValidUID(ref) {
		return 0, errUserID
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		u, err := tx.UserByUID(ref)
		id = u.ID
		return err
	})
	return id, err
}

var (
	errUserID         = &hallpass.Error{Kind: hallpass.Invalid, ID: "user.invalid-id", Message: "userId is invalid"}
	errLastOrgAdmin   = &hallpass.Error{Kind: hallpass.Invalid, ID: "org.last-admin", Message: "Cannot change role so that there is no organization admin left"}
	errRemoveOrgAdmin = &hallpass.Error{Kind: hallpass.Invalid, ID: "org.last-admin", Message: "Cannot remove last organization admin"}
	errRoleAbove      = &hallpass.Error{Kind: hallpass.Denied, ID: "org.role-forbidden", Message: "Cannot assign a role higher than user's role"}
)

// AlreadyMember is the Conflict of adding a member again. It says who it is.
type AlreadyMember struct{ User hallpass.UserID }

// Error returns the message for the caller.
func (e *AlreadyMember) Error() string { return errMember.Message }

// Subject returns the user's ID, which the answer carries.
func (e *AlreadyMember) Subject() int64 { return int64(e.User) }

// Unwrap yields the classified error.
func (e *AlreadyMember) Unwrap() error { return errMember }

// AddOrgUser makes the user with that login or e-mail a member of the caller's
// org. A role above the caller's own is Denied, save for a server admin, and so
// is a user for whom more waits in the org than the caller holds; a member
// already is a Conflict, an *AlreadyMember.
func (a *Admin) AddOrgUser(ctx context.Context, c hallpass.Caller, loginOrEmail string, role hallpass.Role) (id hallpass.UserID, err error) {
	if strings.TrimSpace(loginOrEmail) == "" {
		return 0, hallpass.Invalidf("loginOrEmail", "loginOrEmail is required")
	}
	if err := hallpass.ValidateText("loginOrEmail", loginOrEmail, 2*hallpass.MaxName); err != nil {
		return 0, err
	}
	err = a.change(ctx, c, need{action: hallpass.OrgUsersAdd, scope: "users:*"}, "member.add", func(t *Turn) error {
		if err := a.mayGiveMember(t.Tx, t.Caller, role); err != nil {
			return err
		}
		if _, err := t.Org(t.Caller.Org); err != nil {
			return err
		}
		u, err := t.UserByLogin(loginOrEmail)
		if err != nil {
			return err
		}
		id = u.ID
		if _, member, err := t.MemberRole(t.Caller.Org, u.ID); err != nil {
			return err
		} else if member {
			return &AlreadyMember{u.ID}
		}
		if err := a.mayAdmit(t.Tx, t.Caller, u); err != nil {
			return err
		}
		if err := t.SetMember(hallpass.Member{Org: t.Caller.Org, User: u, Role: role, JoinedAt: a.now()}); err != nil {
			return err
		}
		if u.Org == 0 {
			u.Org = t.Caller.Org
			if err := t.UpdateUser(u); err != nil {
				return err
			}
		}
		return t.Audit("user", idText(u.ID), "role "+role.String())
	})
	return id, err
}

// NewMember returns the user that AddOrgUser would make a member, with the same
// refusals, save those of the role.
func (a *Admin) NewMember(ctx context.Context, c hallpass.Caller, loginOrEmail string) (u hallpass.User, err error) {
	err = a.read(ctx, c, need{action: hallpass.OrgUsersAdd, scope: "users:*"}, func(tx *store.Tx) error {
		if u, err = tx.UserByLogin(loginOrEmail); err != nil {
			return err
		}
		_, member, err := tx.MemberRole(c.Org, u.ID)
		if err == nil && member {
			err = &AlreadyMember{u.ID}
		}
		return err
	})
	return u, err
}

var errMember = &hallpass.Error{Kind: hallpass.Conflict, ID: "org.member-exists", Message: "User is already member of this organization"}

// mayGiveMember returns nil if the caller may make somebody a member with the
// role. A server admin may, in every org.
func (a *Admin) mayGiveMember(tx *store.Tx, c hallpass.Caller, role hallpass.Role) error {
	if c.ServerAdmin {
		return nil
	}
	if err := a.mayGiveRole(tx, c, role, true); err != nil {
		if hallpass.KindOf(err) == hallpass.Denied {
			return errRoleAbove
		}
		return err
	}
	return nil
}

// mayAdmit returns nil if the caller holds what the user was given in the org
// already, which begins to work when the user becomes a member. A server admin
// may admit anybody.
func (a *Admin) mayAdmit(tx *store.Tx, c hallpass.Caller, u hallpass.User) error {
	if c.ServerAdmin {
		return nil
	}
	waiting, err := a.givenTo(tx, c.Org, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(u.ID)})
	if err != nil {
		return err
	}
	teams, err := tx.TeamsOf(c.Org, int64(u.ID))
	if err != nil {
		return err
	}
	for _, t := range teams {
		power, err := a.teamPower(tx, c.Org, t.ID, hallpass.LevelAdmin)
		if err != nil {
			return err
		}
		waiting = append(waiting, power...)
	}
	return a.mayGive(tx, c, waiting)
}

// SetOrgUserRole gives the member another basic role. The last Admin of an org
// stays one, and a role above the caller's own is Denied, save for a server
// admin.
func (a *Admin) SetOrgUserRole(ctx context.Context, c hallpass.Caller, id hallpass.UserID, role hallpass.Role) error {
	return a.change(ctx, c, need{action: hallpass.OrgUsersWrite, scope: id.Scope()}, "member.update", func(t *Turn) error {
		was, err := a.memberRole(t.Tx, t.Caller.Org, id)
		if err != nil {
			return err
		}
		if err := a.mayGiveMember(t.Tx, t.Caller, role); err != nil {
			return err
		}
		if was == hallpass.RoleAdmin && role != hallpass.RoleAdmin {
			if err := lastAdmin(t.Tx, t.Caller.Org, id, errLastOrgAdmin); err != nil {
				return err
			}
		}
		if err := t.declare(changed(hallpass.UserChanged, id)); err != nil {
			return err
		}
		if err := t.SetMember(hallpass.Member{Org: t.Caller.Org, User: hallpass.User{ID: id}, Role: role}); err != nil {
			return err
		}
		return t.Audit("user", idText(id), "role "+was.String()+" to "+role.String())
	})
}

func (a *Admin) memberRole(tx *store.Tx, org hallpass.OrgID, id hallpass.UserID) (hallpass.Role, error) {
	role, member, err := tx.MemberRole(org, id)
	if err == nil && !member {
		err = errNoUser
	}
	return role, err
}

var errNoUser = &hallpass.Error{Kind: hallpass.NotFound, ID: "user.not-found", Message: "user not found"}

func lastAdmin(tx *store.Tx, org hallpass.OrgID, id hallpass.UserID, refusal error) error {
	others, err := tx.OrgAdmins(org, id)
	if err != nil {
		return err
	}
	if others == 0 {
		return refusal
	}
	return nil
}

// RemoveOrgUser takes the user out of the caller's org, with every role,
// team membership and access that the user was given there. The user stays on the
// server. The last Admin of an org cannot be removed.
func (a *Admin) RemoveOrgUser(ctx context.Context, c hallpass.Caller, id hallpass.UserID) error {
	return a.change(ctx, c, need{action: hallpass.OrgUsersRemove, scope: id.Scope()}, "member.remove", func(t *Turn) error {
		was, err := a.memberRole(t.Tx, t.Caller.Org, id)
		if err != nil {
			return err
		}
		if was == hallpass.RoleAdmin {
			if err := lastAdmin(t.Tx, t.Caller.Org, id, errRemoveOrgAdmin); err != nil {
				return err
			}
		}
		if err := t.declare(changed(hallpass.UserChanged, id)); err != nil {
			return err
		}
		if err := t.DeleteMember(t.Caller.Org, id); err != nil {
			return err
		}
		return t.Audit("user", idText(id), "")
	})
}

// UserOrgs returns the orgs that the user who calls is a member of.
func (a *Admin) UserOrgs(ctx context.Context, c hallpass.Caller) (list []hallpass.UserOrg, err error) {
	err = a.read(ctx, c, self, func(tx *store.Tx) error {
		list, err = tx.OrgsOf(c.User())
		return err
	})
	return list, err
}

// OrgsOfUser returns the orgs that the user is a member of.
func (a *Admin) OrgsOfUser(ctx context.Context, c hallpass.Caller, id hallpass.UserID) (list []hallpass.UserOrg, err error) {
	err = a.read(ctx, c, onUser(hallpass.UsersRead, id), func(tx *store.Tx) error {
		if _, err := tx.User(id); err != nil {
			return err
		}
		list, err = tx.OrgsOf(id)
		return err
	})
	return list, err
}

// UseOrg has the user who calls work in the org from now on. It must be one of
// theirs.
func (a *Admin) UseOrg(ctx context.Context, c hallpass.Caller, org hallpass.OrgID) error {
	return a.useOrg(ctx, c, self, c.User(), org)
}

// SetUserOrg has a user work in the org from now on. It must be one of theirs.
func (a *Admin) SetUserOrg(ctx context.Context, c hallpass.Caller, id hallpass.UserID, org hallpass.OrgID) error {
	return a.useOrg(ctx, c, onUser(hallpass.UsersWrite, id), id, org)
}

func (a *Admin) useOrg(ctx context.Context, c hallpass.Caller, n need, id hallpass.UserID, org hallpass.OrgID) error {
	return a.change(ctx, c, n, "user.org", func(t *Turn) error {
		u, err := t.User(id)
		if err != nil {
			return err
		}
		if _, member, err := t.MemberRole(org, id); err != nil {
			return err
		} else if !member {
			return errNotYourOrg
		}
		if err := t.tellOrgOf(u); err != nil {
			return err
		}
		u.Org = org
		if err := t.UpdateUser(u); err != nil {
			return err
		}
		return t.Audit("user", idText(id), target("org", int64(org)))
	})
}

var errNotYourOrg = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "org.not-a-member", Message: "Not a valid organization"}
