package console

import (
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// areas are the things that permissions are about, as people name them, each
// with the actions that read it and those that change it.
var areas = []struct {
	name   string
	read   []hallpass.Action
	change []hallpass.Action
}{
	{"the organization", []hallpass.Action{hallpass.OrgsRead}, []hallpass.Action{hallpass.OrgsWrite}},
	{"its members", []hallpass.Action{hallpass.OrgUsersRead}, []hallpass.Action{hallpass.OrgUsersAdd, hallpass.OrgUsersWrite, hallpass.OrgUsersRemove}},
	{"service accounts and their tokens", []hallpass.Action{hallpass.ServiceAccountsRead}, []hallpass.Action{
		hallpass.ServiceAccountsCreate, hallpass.ServiceAccountsWrite, hallpass.ServiceAccountsDelete,
	}},
	{"teams", []hallpass.Action{hallpass.TeamsRead}, []hallpass.Action{hallpass.TeamsCreate, hallpass.TeamsWrite, hallpass.TeamsDelete, hallpass.TeamsPermissionsWrite}},
	{"roles", []hallpass.Action{hallpass.RolesRead}, []hallpass.Action{hallpass.RolesWrite, hallpass.UsersRolesAdd, hallpass.TeamsRolesAdd}},
	{"folders and dashboards", []hallpass.Action{hallpass.FoldersRead, hallpass.DashboardsRead}, []hallpass.Action{
		hallpass.FoldersCreate, hallpass.FoldersWrite, hallpass.DashboardsCreate, hallpass.DashboardsWrite,
	}},
	{"the users of this server", []hallpass.Action{hallpass.UsersRead}, []hallpass.Action{hallpass.UsersCreate, hallpass.UsersWrite, hallpass.UsersPasswordWrite}},
	{"the audit log", []hallpass.Action{hallpass.AuditRead}, nil},
}

// power is what a set of permissions amounts to: the names of the areas that
// it may change, and of those that it may only read.
type power struct{ manages, reads []string }

func powerOf(p *hallpass.Permissions) power {
	var w power
	for _, a := range areas {
		switch {
		case holdsAny(p, a.change):
			w.manages = append(w.manages, a.name)
		case holdsAny(p, a.read):
			w.reads = append(w.reads, a.name)
		}
	}
	return w
}

func holdsAny(p *hallpass.Permissions, actions []hallpass.Action) bool {
	return slices.ContainsFunc(actions, func(a hallpass.Action) bool { return len(p.Scopes(a)) > 0 })
}

// text tells the power with the verbs given: "manage … and read …"; empty when
// there is none.
func (w power) text(manage, read string) string {
	var parts []string
	if len(w.manages) > 0 {
		parts = append(parts, manage+" "+enumerate(w.manages))
	}
	if len(w.reads) > 0 {
		parts = append(parts, read+" "+enumerate(w.reads))
	}
	return strings.Join(parts, ", and ")
}

// enumerate joins names as a sentence does. A name may hold an "and" of its
// own, so that more than two are parted by commas throughout.
func enumerate(names []string) string {
	if len(names) < 3 {
		return strings.Join(names, " and ")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + ", and " + names[last]
}

// roleCan says what a role permits, and whether that is here no more than what
// the role below it does.
func roleCan(r hallpass.Role) string {
	can := powerOf(r.Permissions()).text("manages", "reads")
	if can == "" {
		return "Authenticates, and may do nothing by itself."
	}
	can = sentence(can)
	if r > hallpass.RoleNone && (r - 1).Permissions().HasAll(r.Permissions()) {
		can += " In Hallpass itself no more than " + (r - 1).String() + "."
	}
	return can
}

// heldCan says what a token of an account that holds the permissions can do.
func heldCan(held []admin.Effective) string {
	var list []hallpass.Permission
	for _, e := range held {
		list = append(list, e.Permission)
	}
	w := powerOf(hallpass.NewPermissions(list...))
	can := w.text("manage", "read")
	out := "This token can " + can + "."
	switch {
	case can == "":
		out = "This token can authenticate, and nothing more in Hallpass by itself."
	case len(w.manages) == 0:
		out += " It cannot change anything in Hallpass."
	default:
		out += " Give the account a lower role first if the job needs less."
	}
	if others := foreignActions(list); len(others) > 0 {
		out += " For other APIs it holds " + enumerate(others) + "."
	}
	return out
}

// tokenCan says what a token of the account can do: all that the account holds,
// by its roles, its teams and the access it was given. Who may not see that is
// told what its basic role permits.
func (v *visit) tokenCan(id hallpass.ServiceAccountID, role hallpass.Role) (string, error) {
	if v.caller.Can(hallpass.UsersPermissionsRead, hallpass.UserID(id).Scope()) {
		_, held, err := v.o.Admin.Effective(v.r.Context(), v.caller, idText(int64(id)))
		return heldCan(held), err
	}
	var held []admin.Effective
	for _, p := range role.Permissions().List() {
		held = append(held, admin.Effective{Permission: p})
	}
	return heldCan(held) + " It may have more through roles and teams that you may not see.", nil
}
