package console

import (
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

var crumbOrgUsers = crumb{nounUser.Title(), "/org/users"}

// addOrgUser is POST /org/users.
func addOrgUser(req *request) (change, error) {
	ctx, form := req.Context(), req.PostForm
	c := change{Cancel: crumbOrgUsers.URL, here: "users", crumbs: []crumb{crumbAdmin, crumbAccess, crumbOrgUsers}}
	c.again = func(err error) error {
		if !req.formError(err, "user", "role") {
			return err
		}
		return req.showOrgUsers(httpd.Status(err), usersView{Typed: form.Get("user"), TypedRole: form.Get("role")})
	}
	login := strings.TrimSpace(form.Get("user"))
	err := hallpass.ValidateText("user", login, 2*hallpass.MaxName)
	if login == "" {
		err = hallpass.Invalidf("user", "enter the login or email of a user")
	}
	if err != nil {
		return c, err
	}
	u, err := req.o.Admin.NewMember(ctx, req.caller, login)
	if err != nil {
		return c, err
	}
	role, ok := hallpass.ParseRole(form.Get("role"))
	if !ok {
		return c, errRole
	}
	who := userName(u)
	c.Question, c.Button = "Add to organization", "Add to organization"
	c.Text = named(who) + " gets a role in this organization."
	c.Steps = []step{{who, wordNotMember, role.String()}}
	c.Facts = []string{role.String() + ": " + req.roleWords(role)}
	c.done = who + " is a member of the organization now, with the role " + role.String() + "."
	c.do = func() error {
		_, err := req.o.Admin.AddOrgUser(ctx, req.caller, login, role)
		return err
	}
	return c, nil
}

// member authorizes the caller and begins a change of the member of the org that the
// path names.
func (req *request) member(needs hallpass.Action) (hallpass.Member, change, error) {
	c := change{Cancel: crumbOrgUsers.URL, here: "users", crumbs: []crumb{crumbAdmin, crumbAccess, crumbOrgUsers}}
	id, err := req.userID()
	if err != nil {
		return hallpass.Member{}, c, err
	}
	c.again = func(err error) error {
		if !req.formError(err, "role-"+idText(int64(id))) {
			return err
		}
		return req.showOrgUsers(httpd.Status(err), usersView{})
	}
	if err := req.o.Admin.Authorize(req.Context(), req.caller, needs, id.Scope()); err != nil {
		return hallpass.Member{}, c, err
	}
	m, err := req.o.Admin.Member(req.Context(), req.caller, id)
	return m, c, err
}

// setOrgUserRole is POST /org/users/{user}/role.
func setOrgUserRole(req *request) (change, error) {
	m, c, err := req.member(hallpass.OrgUsersWrite)
	if err != nil {
		return c, err
	}
	role, ok := hallpass.ParseRole(req.PostForm.Get("role"))
	if !ok {
		return c, errRole
	}
	name := userName(m.User)
	c.Question, c.Button, c.Destroys = "Change role", "Change role", role < m.Role
	c.Text = named(name) + " has the new role in this organization at once."
	c.Steps = roleStep("Role of "+name, m.Role, role)
	c.Facts = []string{role.String() + ": " + req.roleWords(role)}
	c.done, c.same = name+" has the role "+role.String()+" now.", "Nothing changed: "+name+" has the role "+role.String()+" already."
	c.do = func() error { return req.o.Admin.SetOrgUserRole(req.Context(), req.caller, m.User.ID, role) }
	return c, nil
}

// removeOrgUser is GET and POST /org/users/{user}/remove.
func removeOrgUser(req *request) (change, error) {
	m, c, err := req.member(hallpass.OrgUsersRemove)
	if err != nil {
		return c, err
	}
	name := userName(m.User)
	c.Question, c.Button, c.Destroys = "Remove from organization", "Remove", true
	c.Text = "Are you sure you want to remove " + named(name) + " from this organization?"
	c.Steps = []step{{name, "member with the role " + m.Role.String(), wordNotMember}}
	c.Facts = []string{"Roles, team memberships and access in this organization are removed for good. They do not come back when the user is added again.", "The user can still sign in, and stays in other organizations."}
	c.done = name + " is no longer a member of the organization."
	c.do = func() error { return req.o.Admin.RemoveOrgUser(req.Context(), req.caller, m.User.ID) }
	return c, nil
}
