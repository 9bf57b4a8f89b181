package console

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// userChange authorizes the caller and begins a change of the user that the path
// names. An error is shown at the field.
func (req *request) userChange(needs hallpass.Action, field string) (hallpass.User, change, error) {
	id, err := req.userID()
	if err != nil {
		return hallpass.User{}, change{}, err
	}
	c := change{Cancel: userURL(id), here: "users"}
	c.again = func(err error) error {
		if !req.formError(err, field) {
			return err
		}
		return req.showUser(httpd.Status(err), id)
	}
	if err := req.o.Admin.AuthorizeOnServer(req.Context(), req.caller, needs, id.GlobalScope()); err != nil {
		return hallpass.User{}, c, err
	}
	u, err := req.o.Admin.User(req.Context(), req.caller, id)
	c.crumbs = []crumb{crumbAdmin, crumbAccess, crumbUsers, {userName(u), userURL(id)}}
	return u, c, err
}

// editUser is POST /admin/users/{user}/edit.
func editUser(req *request) error {
	id, err := req.userID()
	if err != nil {
		return err
	}
	f := req.PostForm
	err = req.o.Admin.UpdateUser(req.Context(), req.caller, id, f.Get("login"), f.Get("email"), f.Get("name"))
	if err == nil {
		req.flash("Saved: the name, login and email of " + f.Get("login") + ".")
		req.seeOther(userURL(id))
		return nil
	}
	if req.formError(err, "login", "email", "name") {
		return req.showUser(httpd.Status(err), id)
	}
	return err
}

// setUserPassword is POST /admin/users/{user}/password.
func setUserPassword(req *request) error {
	id, err := req.userID()
	if err != nil {
		return err
	}
	err = req.o.Admin.SetUserPassword(req.Context(), req.caller, id, secret.NewText(req.PostForm.Get("password")))
	if err == nil {
		req.flash("The password is set. Every session of the user has ended.")
		req.seeOther(userURL(id))
		return nil
	}
	if req.formError(err, "password") {
		return req.showUser(httpd.Status(err), id)
	}
	return err
}

// setUserAdmin is POST /admin/users/{user}/admin.
func setUserAdmin(req *request) (change, error) {
	u, c, err := req.userChange(hallpass.UsersPermissionsWrite, "admin")
	if err != nil {
		return c, err
	}
	name, yes := userName(u), req.PostForm.Get("admin") == "yes"
	steps := []step{{name, wordUser, wordServerAdmin}}
	c.Question, c.Button = "Make server admin", "Make server admin"
	c.Text = named(name) + " may then do everything on this server and in every organization, including adding and removing server admins."
	c.done, c.same = name+" is a server admin now.", "Nothing changed: "+name+" is a server admin already."
	if !yes {
		steps = []step{{name, wordServerAdmin, wordUser}}
		c.Question, c.Button, c.Destroys = "Remove server admin", "Remove server admin", true
		c.Text = named(name) + " keeps the roles in organizations and loses everything beyond them."
		c.done, c.same = name+" is no longer a server admin.", "Nothing changed: "+name+" is not a server admin."
	}
	if u.ServerAdmin != yes {
		c.Steps = steps
	}
	c.do = func() error { return req.o.Admin.SetServerAdmin(req.Context(), req.caller, u.ID, yes) }
	return c, nil
}

// setUserDisabled is POST /admin/users/{user}/disable.
func setUserDisabled(req *request) (change, error) {
	off := req.PostForm.Get("disabled") == "yes"
	u, c, err := req.userChange(hallpass.ActionToSetDisabled(off), "disabled")
	if err != nil {
		return c, err
	}
	name := userName(u)
	steps := []step{{name, wordDisabled, wordEnabled}}
	c.Question, c.Button = "Enable user", "Enable user"
	c.Text = named(name) + " can sign in again, with the same roles as before."
	c.done, c.same = name+" is enabled now.", "Nothing changed: "+name+" is enabled already."
	if off {
		steps = []step{{name, wordEnabled, wordDisabled}}
		c.Question, c.Button, c.Destroys = "Disable user", "Disable user", true
		c.Text = named(name) + " is signed out at once and cannot sign in until enabled again. Service accounts and tokens that the user created keep working."
		c.done, c.same = name+" is disabled now, and signed out everywhere.", "Nothing changed: "+name+" is disabled already."
	}
	if u.Disabled != off {
		c.Steps = steps
	}
	c.do = func() error { return req.o.Admin.SetUserDisabled(req.Context(), req.caller, u.ID, off) }
	return c, nil
}

// disconnectUser is POST /admin/users/{user}/disconnect.
func disconnectUser(req *request) (change, error) {
	u, c, err := req.userChange(hallpass.UsersWrite, "identities")
	if err != nil {
		return c, err
	}
	name, issuer, subject := userName(u), req.PostForm.Get("issuer"), req.PostForm.Get("subject")
	c.Question, c.Button, c.Destroys = "Disconnect account", "Disconnect", true
	d, err := req.o.Admin.UserDisconnection(req.Context(), req.caller, u.ID, issuer, subject)
	if hallpass.KindOf(err) == hallpass.NotFound {
		c.same = "Nothing changed: that account is not connected to " + name + "."
		return c, nil
	}
	if err != nil {
		return c, err
	}
	c.Text = named(name) + " keeps all roles, teams and access."
	c.Steps = []step{{"Account " + subject + " at " + issuer, "signs in as " + name, "does not sign in as " + name}}
	if c.Alarm = d.OnlyWay; c.Alarm {
		c.Facts = append(c.Facts, named(name)+" has no way to sign in then"+req.untilPassword())
	}
	if d.Sessions > 0 {
		c.Facts = append(c.Facts, hallpass.Counted(d.Sessions, "session")+" that began with it "+ends(d.Sessions)+" at once.")
	}
	if d.Found {
		c.Facts = append(c.Facts, "Whoever signs in at the provider with the address "+u.Email+" gets this user again, because auth.oauth_allow_insecure_email_lookup is on.")
	}
	c.done = "The account is disconnected from " + name + "."
	c.do = func() error {
		return req.o.Admin.DisconnectUserIdentity(req.Context(), req.caller, u.ID, issuer, subject)
	}
	return c, nil
}

// untilPassword ends a sentence about a user without a way to sign in.
func (req *request) untilPassword() string {
	if req.o.BreakGlass {
		return ": passwords are turned off on this server."
	}
	return ", until somebody sets a password."
}

// ends is the verb of n things that end.
func ends(n int) string {
	if n == 1 {
		return "ends"
	}
	return "end"
}

// deleteUser is GET and POST /admin/users/{user}/delete.
func deleteUser(req *request) (change, error) {
	u, c, err := req.userChange(hallpass.UsersDelete, "")
	if err != nil {
		return c, err
	}
	orgs, err := req.o.Admin.OrgsOfUser(req.Context(), req.caller, u.ID)
	if err != nil {
		return c, err
	}
	var names []string
	for _, o := range orgs {
		names = append(names, o.Name)
	}
	name := userName(u)
	c.Question, c.Button, c.Destroys = "Delete user", "Delete user", true
	c.Text = "Are you sure you want to delete " + named(u.Login) + "? This cannot be undone."
	c.Steps = []step{{name, "can sign in as " + u.Login, wordDeleted}}
	if u.Disabled {
		c.Steps[0].Before = wordDisabled
	}
	if len(names) > 0 {
		c.Facts = []string{"The user is a member of " + hallpass.Enumerate(names) + "."}
	}
	c.Facts = append(c.Facts, "Sessions end at once. Roles, team memberships and access are removed for good.", "Service accounts, folders and dashboards that the user created stay.")
	c.to, c.done = crumbUsers.URL, "The user "+name+" is deleted."
	c.do = func() error { return req.o.Admin.DeleteUser(req.Context(), req.caller, u.ID) }
	return c, nil
}
