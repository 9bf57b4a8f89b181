package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// peoplePerPage is how many rows lists of people, teams and orgs have.
const peoplePerPage = 50

var (
	crumbUsers    = crumb{"Users", "/admin/users"}
	crumbOrgUsers = crumb{"Users", "/org/users"}
)

// pager leads through a list that has pages.
type pager struct {
	Total      int
	What       string // of what there are so many
	Page       int
	Pages      int
	Prev, Next string // addresses; empty: none
}

// pagerOf returns the pager of a list at path; its other parameters stay.
func pagerOf(v *visit, path string, total, page int, one, many string) pager {
	p := pager{Total: total, What: many, Page: page, Pages: max(1, (total+peoplePerPage-1)/peoplePerPage)}
	if total == 1 {
		p.What = one
	}
	at := func(n int) string {
		q := url.Values{}
		if text := v.r.URL.Query().Get("query"); text != "" {
			q.Set("query", text)
		}
		q.Set("page", strconv.Itoa(n))
		return path + "?" + q.Encode()
	}
	if page > 1 {
		p.Prev = at(min(page-1, p.Pages))
	}
	if page < p.Pages {
		p.Next = at(page + 1)
	}
	return p
}

// listPage reads which page of a list is asked for, and the text it is searched
// for.
func (v *visit) listPage() (admin.Page, string) {
	q := v.r.URL.Query()
	p := admin.Page{Number: 1, Size: peoplePerPage}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		p.Number = n
	}
	text := q.Get("query")
	if hallpass.ValidateText("query", text, hallpass.MaxName) != nil {
		text = ""
	}
	return p, text
}

// needs says why something cannot be done; empty: it can.
func needs(may bool, action hallpass.Action) string {
	if may {
		return ""
	}
	return "You need the permission " + string(action)
}

// tab is one of several views of the same thing.
type tab struct {
	Label, URL string
	Current    bool
}

// userRow is a user as lists show it.
type userRow struct {
	ID       hallpass.UserID
	URL      string // empty: the viewer may not see the user's page
	Avatar   string
	Name     string
	Login    string
	Email    string
	Admin    bool
	Disabled bool
	Seen     moment
	Role     string // in the org
	More     string // what was given beside it, as "1 role"
	Roles    []roleOption
	Write    bool // the role may be changed
	Remove   bool
	You      bool
}

func (v *visit) userRow(u hallpass.User) userRow {
	r := userRow{
		ID: u.ID, Avatar: avatarURL(u.Login), Name: u.Name, Login: u.Login, Email: u.Email, Admin: u.ServerAdmin, Disabled: u.Disabled,
		Seen: v.moment(u.SeenAt), You: u.ID == v.caller.User(),
	}
	if r.Name == "" {
		r.Name = u.Login
	}
	if v.caller.CanOnServer(hallpass.UsersRead, u.ID.GlobalScope()) {
		r.URL = userURL(u.ID)
	}
	return r
}

func userURL(id hallpass.UserID) string { return "/admin/users/" + strconv.FormatInt(int64(id), 10) }

// usersView is the list of all users, or of the members of the org.
type usersView struct {
	frame
	Tabs      []tab
	Query     string
	ListURL   string
	OrgList   bool
	Rows      []userRow
	Pager     pager
	Create    bool
	Add       bool
	Roles     []roleOption
	Typed     string // into the form that adds a member
	TypedRole string
}

func (v *visit) userTabs(org bool) []tab {
	var tabs []tab
	if v.caller.CanOnServer(hallpass.UsersRead, "") {
		tabs = append(tabs, tab{"All users", "/admin/users", !org})
	}
	if v.caller.Can(hallpass.OrgUsersRead, "") {
		tabs = append(tabs, tab{"Organization users", "/org/users", org})
	}
	return tabs
}

// users is GET /admin/users.
func users(v *visit) error {
	if !v.caller.CanOnServer(hallpass.UsersRead, "") && v.caller.Can(hallpass.OrgUsersRead, "") {
		v.seeOther("/org/users")
		return nil
	}
	p, text := v.listPage()
	list, total, err := pageByName(p, func(p admin.Page) ([]hallpass.User, int, error) {
		return v.o.Admin.Users(v.r.Context(), v.caller, text, p)
	}, userName)
	if err != nil {
		return err
	}
	view := usersView{
		Tabs: v.userTabs(false), Query: text, ListURL: "/admin/users", Create: v.caller.CanOnServer(hallpass.UsersCreate, ""),
		Pager: pagerOf(v, "/admin/users", total, p.Number, "user", "users"),
	}
	for _, u := range list {
		view.Rows = append(view.Rows, v.userRow(u))
	}
	if view.frame, err = v.frame("users", "Users", crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return v.show("users/list", view)
}

// orgUsers is GET /org/users.
func orgUsers(v *visit) error { return v.showOrgUsers(http.StatusOK, usersView{}) }

func (v *visit) showOrgUsers(status int, view usersView) error {
	p, text := v.listPage()
	list, total, err := pageByName(p, func(p admin.Page) ([]hallpass.Member, int, error) {
		return v.o.Admin.OrgUsersPage(v.r.Context(), v.caller, text, p)
	}, func(m hallpass.Member) string { return userName(m.User) })
	if err != nil {
		return err
	}
	own := v.ceiling()
	view.Tabs, view.Query, view.ListURL, view.OrgList = v.userTabs(true), text, "/org/users", true
	view.Add = v.caller.Can(hallpass.OrgUsersAdd, "users:*")
	chosen, ok := hallpass.ParseRole(view.TypedRole)
	if !ok {
		chosen = hallpass.RoleViewer
	}
	view.Roles = v.roleOptions(chosen, own)
	view.Pager = pagerOf(v, "/org/users", total, p.Number, "member", "members")
	for _, m := range list {
		r := v.userRow(m.User)
		r.Role, r.More, r.Roles = m.Role.String(), m.Given.Words(), v.roleOptions(m.Role, own)
		r.Write = v.caller.Can(hallpass.OrgUsersWrite, m.User.ID.Scope())
		r.Remove = v.caller.Can(hallpass.OrgUsersRemove, m.User.ID.Scope())
		view.Rows = append(view.Rows, r)
	}
	if view.frame, err = v.frame("users", "Users", crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return v.showStatus(status, "users/list", view)
}

// ceiling is the highest basic role that the caller may give to members.
func (v *visit) ceiling() hallpass.Role {
	if v.caller.ServerAdmin {
		return hallpass.RoleAdmin
	}
	return v.caller.Role
}

// addOrgUser is POST /org/users.
func addOrgUser(v *visit) (change, error) {
	ctx, form := v.r.Context(), v.r.PostForm
	c := change{Cancel: crumbOrgUsers.URL, here: "users", crumbs: []crumb{crumbAdmin, crumbAccess, crumbOrgUsers}}
	c.again = func(err error) error {
		if !v.blame(err, "user", "role") {
			return err
		}
		return v.showOrgUsers(httpd.Status(err), usersView{Typed: form.Get("user"), TypedRole: form.Get("role")})
	}
	login := strings.TrimSpace(form.Get("user"))
	err := hallpass.ValidateText("user", login, 2*hallpass.MaxName)
	if login == "" {
		err = hallpass.Invalidf("user", "say the login or email of a user")
	}
	if err != nil {
		return c, err
	}
	u, err := v.o.Admin.NewMember(ctx, v.caller, login)
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
	c.Steps = []step{{who, "not a member", role.String()}}
	c.Facts = []string{role.String() + ": " + v.roleCan(role)}
	c.done = who + " is a member of the organization now, with the role " + role.String() + "."
	c.do = func() error {
		_, err := v.o.Admin.AddOrgUser(ctx, v.caller, login, role)
		return err
	}
	return c, nil
}

func (v *visit) userID() (hallpass.UserID, error) {
	id, err := v.o.Admin.UserID(v.r.Context(), v.r.PathValue("user"))
	if err != nil {
		return 0, &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such user.", Err: err}
	}
	return id, nil
}

// member begins a change of the member of the org that the path names, after the
// caller was authorized to make it.
func (v *visit) member(needs hallpass.Action) (hallpass.Member, change, error) {
	c := change{Cancel: crumbOrgUsers.URL, here: "users", crumbs: []crumb{crumbAdmin, crumbAccess, crumbOrgUsers}}
	id, err := v.userID()
	if err != nil {
		return hallpass.Member{}, c, err
	}
	c.again = func(err error) error {
		if !v.blame(err, "role-"+idText(int64(id))) {
			return err
		}
		return v.showOrgUsers(httpd.Status(err), usersView{})
	}
	if err := v.o.Admin.Authorize(v.r.Context(), v.caller, needs, id.Scope()); err != nil {
		return hallpass.Member{}, c, err
	}
	m, err := v.o.Admin.Member(v.r.Context(), v.caller, id)
	return m, c, err
}

// setOrgUserRole is POST /org/users/{user}/role.
func setOrgUserRole(v *visit) (change, error) {
	m, c, err := v.member(hallpass.OrgUsersWrite)
	if err != nil {
		return c, err
	}
	role, ok := hallpass.ParseRole(v.r.PostForm.Get("role"))
	if !ok {
		return c, errRole
	}
	name := userName(m.User)
	c.Question, c.Button, c.Destroys = "Change role", "Change role", role < m.Role
	c.Text = named(name) + " has the new role in this organization at once."
	c.Steps = roleStep("Role of "+name, m.Role, role)
	c.Facts = []string{role.String() + ": " + v.roleCan(role)}
	c.done, c.same = name+" has the role "+role.String()+" now.", "Nothing changed: "+name+" has the role "+role.String()+" already."
	c.do = func() error { return v.o.Admin.SetOrgUserRole(v.r.Context(), v.caller, m.User.ID, role) }
	return c, nil
}

// removeOrgUser is GET and POST /org/users/{user}/remove.
func removeOrgUser(v *visit) (change, error) {
	m, c, err := v.member(hallpass.OrgUsersRemove)
	if err != nil {
		return c, err
	}
	name := userName(m.User)
	c.Question, c.Button, c.Destroys = "Remove from organization", "Remove", true
	c.Text = "Are you sure you want to remove " + named(name) + " from this organization?"
	c.Steps = []step{{name, "member with the role " + m.Role.String(), "not a member"}}
	c.Facts = []string{"The roles, places in teams and access that were given here are gone for good, also if the user is added again.", "The user can still sign in, and stays in other organizations."}
	c.done = name + " is no longer a member of the organization."
	c.do = func() error { return v.o.Admin.RemoveOrgUser(v.r.Context(), v.caller, m.User.ID) }
	return c, nil
}

// principal returns a member or service account of the org.
func (v *visit) principal(id int64) (hallpass.PrincipalInfo, error) {
	list, err := v.o.Admin.Principals(v.r.Context(), v.caller, []int64{id})
	if err != nil {
		return hallpass.PrincipalInfo{}, err
	}
	p, ok := list[id]
	if !ok {
		return p, &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such user in this organization."}
	}
	return p, nil
}

func displayName(p hallpass.PrincipalInfo) string {
	if p.Name == "" {
		return p.Login
	}
	return p.Name
}

// newUserView is the form for a new user.
type newUserView struct {
	frame
	Login, Email, Name string
}

func newUserForm(v *visit) error {
	if err := v.o.Admin.AuthorizeOnServer(v.r.Context(), v.caller, hallpass.UsersCreate, ""); err != nil {
		return err
	}
	return v.showNewUser(http.StatusOK, newUserView{})
}

func (v *visit) showNewUser(status int, view newUserView) error {
	var err error
	if view.frame, err = v.frame("users", "Create user", crumbAdmin, crumbAccess, crumbUsers); err != nil {
		return err
	}
	return v.showStatus(status, "users/create", view)
}

// createUser is POST /admin/users/create.
func createUser(v *visit) error {
	f := v.r.PostForm
	u, err := v.o.Admin.CreateUser(v.r.Context(), v.caller, admin.NewUser{
		Login: f.Get("login"), Email: f.Get("email"), Name: f.Get("name"), Password: secret.NewText(f.Get("password")), Org: v.caller.Org,
	})
	if err == nil {
		v.say("User " + u.Login + " created.")
		v.seeOther(userURL(u.ID))
		return nil
	}
	if v.blame(err, "login", "email", "name", "password") {
		return v.showNewUser(httpd.Status(err), newUserView{Login: f.Get("login"), Email: f.Get("email"), Name: f.Get("name")})
	}
	return err
}

// userView is the page of one user of the server.
type userView struct {
	frame
	User      userRow
	Since     moment
	Orgs      []hallpass.UserOrg
	Sessions  []sessionRow
	Write     bool
	Password  bool
	Promote   bool
	Enable    bool
	Logout    bool
	Delete    bool
	EndAny    bool
	RolesHere string // address of the roles in this org; empty: the user is not a member
	RoleNames []string
}

// NeedsWrite, NeedsEnable and NeedsDelete say why something cannot be done;
// empty: it can.
func (u userView) NeedsWrite() string  { return needs(u.Write, hallpass.UsersWrite) }
func (u userView) NeedsEnable() string { return needs(u.Enable, hallpass.UsersDisable) }
func (u userView) NeedsDelete() string { return needs(u.Delete, hallpass.UsersDelete) }

// sessionRow is one sign-in by browser.
type sessionRow struct {
	ID            hallpass.SessionID
	Address       string
	Client        string
	Created, Seen moment
	This          bool
}

// userPage is GET /admin/users/{user}.
func userPage(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	return v.showUser(http.StatusOK, id)
}

func (v *visit) showUser(status int, id hallpass.UserID) error {
	ctx, c := v.r.Context(), v.caller
	u, err := v.o.Admin.User(ctx, c, id)
	if err != nil {
		return err
	}
	scope := id.GlobalScope()
	view := userView{
		User: v.userRow(u), Since: v.moment(u.CreatedAt),
		Write: c.CanOnServer(hallpass.UsersWrite, scope), Password: c.CanOnServer(hallpass.UsersPasswordWrite, scope),
		Promote: c.ServerAdmin && c.CanOnServer(hallpass.UsersPermissionsWrite, scope), Enable: c.CanOnServer(hallpass.UsersDisable, scope),
		Logout: c.CanOnServer(hallpass.UsersLogout, scope) && id != c.User(), Delete: c.CanOnServer(hallpass.UsersDelete, scope),
		EndAny: c.CanOnServer(hallpass.UsersAuthTokenWrite, scope),
	}
	if view.Orgs, err = v.o.Admin.OrgsOfUser(ctx, c, id); err != nil {
		return err
	}
	if err := v.userRoles(&view, id); err != nil {
		return err
	}
	if c.CanOnServer(hallpass.UsersAuthTokenRead, scope) {
		list, err := v.o.Admin.UserSessions(ctx, c, id)
		if err != nil {
			return err
		}
		for _, s := range list {
			view.Sessions = append(view.Sessions, sessionRow{s.ID, s.Address, client(s.UserAgent), v.moment(s.CreatedAt), v.moment(s.SeenAt), s.ID == c.Session})
		}
	}
	if view.frame, err = v.frame("users", view.User.Name, crumbAdmin, crumbAccess, crumbUsers); err != nil {
		return err
	}
	return v.showStatus(status, "users/detail", view)
}

// userRoles fills in the roles that the user was given in the org the viewer
// works in.
func (v *visit) userRoles(view *userView, id hallpass.UserID) error {
	member := slices.ContainsFunc(view.Orgs, func(o hallpass.UserOrg) bool { return o.Org == v.caller.Org })
	if !member || !v.caller.Can(hallpass.UsersRolesRead, id.Scope()) {
		return nil
	}
	list, err := v.o.Admin.RolesOf(v.r.Context(), v.caller, strconv.FormatInt(int64(id), 10), true)
	if err != nil {
		return err
	}
	view.RolesHere = userURL(id) + "/roles"
	view.RoleNames = roleNames(list)
	return nil
}

func roleNames(list []admin.GivenRole) []string {
	var names []string
	for _, r := range list {
		names = append(names, roleTitle(r.NamedRole))
	}
	return names
}

// userChange begins a change of the user that the path names, after the caller
// was authorized to make it. What is wrong is told beside the field.
func (v *visit) userChange(needs hallpass.Action, field string) (hallpass.User, change, error) {
	id, err := v.userID()
	if err != nil {
		return hallpass.User{}, change{}, err
	}
	c := change{Cancel: userURL(id), here: "users"}
	c.again = func(err error) error {
		if !v.blame(err, field) {
			return err
		}
		return v.showUser(httpd.Status(err), id)
	}
	if err := v.o.Admin.AuthorizeOnServer(v.r.Context(), v.caller, needs, id.GlobalScope()); err != nil {
		return hallpass.User{}, c, err
	}
	u, err := v.o.Admin.User(v.r.Context(), v.caller, id)
	c.crumbs = []crumb{crumbAdmin, crumbAccess, crumbUsers, {userName(u), userURL(id)}}
	return u, c, err
}

func userName(u hallpass.User) string {
	if u.Name == "" {
		return u.Login
	}
	return u.Name
}

// editUser is POST /admin/users/{user}/edit.
func editUser(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	f := v.r.PostForm
	err = v.o.Admin.UpdateUser(v.r.Context(), v.caller, id, f.Get("login"), f.Get("email"), f.Get("name"))
	if err == nil {
		v.say("Saved: the name, login and email of " + f.Get("login") + ".")
		v.seeOther(userURL(id))
		return nil
	}
	if v.blame(err, "login", "email", "name") {
		return v.showUser(httpd.Status(err), id)
	}
	return err
}

// setUserPassword is POST /admin/users/{user}/password.
func setUserPassword(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	err = v.o.Admin.SetUserPassword(v.r.Context(), v.caller, id, secret.NewText(v.r.PostForm.Get("password")))
	if err == nil {
		v.say("The password is set. Every session of the user has ended.")
		v.seeOther(userURL(id))
		return nil
	}
	if v.blame(err, "password") {
		return v.showUser(httpd.Status(err), id)
	}
	return err
}

// setUserAdmin is POST /admin/users/{user}/admin.
func setUserAdmin(v *visit) (change, error) {
	u, c, err := v.userChange(hallpass.UsersPermissionsWrite, "admin")
	if err != nil {
		return c, err
	}
	name, yes := userName(u), v.r.PostForm.Get("admin") == "yes"
	steps := []step{{name, "an ordinary user", "server admin"}}
	c.Question, c.Button = "Make server admin", "Make server admin"
	c.Text = named(name) + " may then do everything on this server, in every organization, and make and remove other server admins."
	c.done, c.same = name+" is a server admin now.", "Nothing changed: "+name+" is a server admin already."
	if !yes {
		steps = []step{{name, "server admin", "an ordinary user"}}
		c.Question, c.Button, c.Destroys = "Take server admin away", "Take away", true
		c.Text = named(name) + " keeps the roles in the organizations, and nothing beyond them."
		c.done, c.same = name+" is no longer a server admin.", "Nothing changed: "+name+" is no server admin."
	}
	if u.ServerAdmin != yes {
		c.Steps = steps
	}
	c.do = func() error { return v.o.Admin.SetServerAdmin(v.r.Context(), v.caller, u.ID, yes) }
	return c, nil
}

// setUserDisabled is POST /admin/users/{user}/disable.
func setUserDisabled(v *visit) (change, error) {
	u, c, err := v.userChange(hallpass.UsersDisable, "disabled")
	if err != nil {
		return c, err
	}
	name, off := userName(u), v.r.PostForm.Get("disabled") == "yes"
	steps := []step{{name, "disabled", "enabled"}}
	c.Question, c.Button = "Enable user", "Enable user"
	c.Text = named(name) + " can sign in again, with the same roles as before."
	c.done, c.same = name+" is enabled now.", "Nothing changed: "+name+" is enabled already."
	if off {
		steps = []step{{name, "enabled", "disabled"}}
		c.Question, c.Button, c.Destroys = "Disable user", "Disable user", true
		c.Text = named(name) + " is signed out at once and cannot sign in until enabled again. Service accounts and tokens that the user made go on working."
		c.done, c.same = name+" is disabled now, and signed out everywhere.", "Nothing changed: "+name+" is disabled already."
	}
	if u.Disabled != off {
		c.Steps = steps
	}
	c.do = func() error { return v.o.Admin.SetUserDisabled(v.r.Context(), v.caller, u.ID, off) }
	return c, nil
}

// logoutUser is POST /admin/users/{user}/logout.
func logoutUser(v *visit) (change, error) {
	u, c, err := v.userChange(hallpass.UsersLogout, "sessions")
	if err != nil {
		return c, err
	}
	name := userName(u)
	c.Question, c.Button, c.Destroys = "End all sessions", "End all sessions", true
	c.Text = named(name) + " is signed out everywhere, and can sign in again."
	c.Steps = []step{{"Sessions of " + name, "signed in", "signed out everywhere"}}
	c.done = "All sessions of " + name + " have ended."
	c.do = func() error { return v.o.Admin.LogoutUser(v.r.Context(), v.caller, u.ID) }
	return c, nil
}

// endUserSession is POST /admin/users/{user}/session.
func endUserSession(v *visit) (change, error) {
	u, c, err := v.userChange(hallpass.UsersAuthTokenWrite, "sessions")
	if err != nil {
		return c, err
	}
	n, _ := hallpass.ParseID(v.r.PostForm.Get("session"))
	list, err := v.o.Admin.UserSessions(v.r.Context(), v.caller, u.ID)
	if err != nil {
		return c, err
	}
	name, where := userName(u), ""
	for _, s := range list {
		if s.ID == hallpass.SessionID(n) {
			where = s.Address + ", " + client(s.UserAgent)
		}
	}
	c.Question, c.Button, c.Destroys = "End session", "End session", true
	c.Text = named(name) + " is signed out there, and can sign in again."
	c.same = "Nothing changed: that session of " + name + " has ended already."
	if where != "" {
		c.same, c.Steps = "", []step{{"Session of " + name + " from " + where, "signed in", "signed out"}}
	}
	c.done = "The session of " + name + " from " + where + " has ended."
	c.do = func() error { return v.o.Admin.EndUserSession(v.r.Context(), v.caller, u.ID, hallpass.SessionID(n)) }
	return c, nil
}

// deleteUser is GET and POST /admin/users/{user}/delete.
func deleteUser(v *visit) (change, error) {
	u, c, err := v.userChange(hallpass.UsersDelete, "")
	if err != nil {
		return c, err
	}
	orgs, err := v.o.Admin.OrgsOfUser(v.r.Context(), v.caller, u.ID)
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
	c.Steps = []step{{name, "can sign in as " + u.Login, "deleted"}}
	if u.Disabled {
		c.Steps[0].Before = "disabled"
	}
	if len(names) > 0 {
		c.Facts = []string{"The user is a member of " + enumerate(names) + "."}
	}
	c.Facts = append(c.Facts, "Sessions end at once. Roles, places in teams and access are gone for good.", "Service accounts, folders and dashboards that the user made stay.")
	c.to, c.done = crumbUsers.URL, "The user "+name+" is deleted."
	c.do = func() error { return v.o.Admin.DeleteUser(v.r.Context(), v.caller, u.ID) }
	return c, nil
}

// switchOrg is POST /profile/org.
func switchOrg(v *visit) error {
	id, _ := hallpass.ParseID(v.r.PostForm.Get("org"))
	if err := v.o.Admin.UseOrg(v.r.Context(), v.caller, hallpass.OrgID(id)); err != nil {
		if errors.Is(err, hallpass.Unauthenticated) {
			return &hallpass.Error{Kind: hallpass.NotFound, Message: "You are not a member of that organization."}
		}
		return err
	}
	mine, err := v.o.Admin.UserOrgs(v.r.Context(), v.caller)
	if err != nil {
		return err
	}
	for _, o := range mine {
		if o.Org == hallpass.OrgID(id) {
			v.say("You work in " + o.Name + " now.")
		}
	}
	v.seeOther("/")
	return nil
}

// orgsView is the list of the server's orgs.
type orgsView struct {
	frame
	Query  string
	Rows   []orgRow
	Create bool
	Typed  string
	More   string // address of the next page
}

// orgRow is one org.
type orgRow struct {
	ID      hallpass.OrgID
	Name    string
	URL     string
	Current bool
}

func orgURL(id hallpass.OrgID) string { return "/admin/orgs/" + strconv.FormatInt(int64(id), 10) }

var crumbOrgs = crumb{"Organizations", "/admin/orgs"}

// orgs is GET /admin/orgs.
func orgs(v *visit) error { return v.showOrgs(http.StatusOK, orgsView{}) }

func (v *visit) showOrgs(status int, view orgsView) error {
	p, text := v.listPage()
	list, err := v.o.Admin.Orgs(v.r.Context(), v.caller, text, admin.Page{Number: p.Number, Size: p.Size})
	if err != nil {
		return err
	}
	view.Query, view.Create = text, v.caller.CanOnServer(hallpass.OrgsCreate, "")
	for _, o := range list {
		view.Rows = append(view.Rows, orgRow{o.ID, o.Name, orgURL(o.ID), o.ID == v.caller.Org})
	}
	if len(list) == p.Size {
		view.More = "/admin/orgs?" + url.Values{"query": {text}, "page": {strconv.Itoa(p.Number + 1)}}.Encode()
	}
	if view.frame, err = v.frame("orgs", "Organizations", crumbAdmin); err != nil {
		return err
	}
	return v.showStatus(status, "orgs/list", view)
}

// createOrg is POST /admin/orgs.
func createOrg(v *visit) error {
	name := strings.TrimSpace(v.r.PostForm.Get("name"))
	_, err := v.o.Admin.CreateOrg(v.r.Context(), v.caller, name)
	return v.orgDone(err, "name", "Organization "+name+" created.", orgsView{Typed: v.r.PostForm.Get("name")})
}

// orgDone goes back to the list of orgs and says what was done there, or what is
// wrong with the field.
func (v *visit) orgDone(err error, field, done string, view orgsView) error {
	switch {
	case err == nil:
		v.say(done)
		v.seeOther(crumbOrgs.URL)
		return nil
	case v.blame(err, field):
		return v.showOrgs(httpd.Status(err), view)
	}
	return err
}

// inOrg returns the caller as it is in the org that the path names.
func (v *visit) inOrg() (hallpass.Caller, error) {
	id, ok := hallpass.ParseID(v.r.PathValue("org"))
	if !ok {
		return v.caller, errNoPage
	}
	return v.o.Admin.In(v.r.Context(), v.caller, hallpass.OrgID(id))
}

// renameOrg is POST /admin/orgs/{org}/name.
func renameOrg(v *visit) error {
	c, err := v.inOrg()
	if err != nil {
		return err
	}
	name := strings.TrimSpace(v.r.PostForm.Get("name"))
	err = v.o.Admin.RenameOrg(v.r.Context(), c, name)
	return v.orgDone(err, "name-"+v.r.PathValue("org"), "The organization is called "+name+" now.", orgsView{})
}

// deleteOrg is GET and POST /admin/orgs/{org}/delete.
func deleteOrg(v *visit) (change, error) {
	ch := change{Cancel: crumbOrgs.URL, here: "orgs", crumbs: []crumb{crumbAdmin, crumbOrgs}}
	ch.again = func(err error) error { return v.orgDone(err, "name-"+v.r.PathValue("org"), "", orgsView{}) }
	c, err := v.inOrg()
	if err != nil {
		return ch, err
	}
	if err := v.o.Admin.Authorize(v.r.Context(), c, hallpass.OrgsDelete, ""); err != nil {
		return ch, err
	}
	o, err := v.o.Admin.Org(v.r.Context(), c)
	if err != nil {
		return ch, err
	}
	used, err := v.o.Admin.Quotas(v.r.Context(), c)
	if err != nil {
		return ch, err
	}
	ch.Question, ch.Button, ch.Destroys = "Delete organization", "Delete organization", true
	ch.Text = "Are you sure you want to delete " + named(o.Name) + " with everything in it? This cannot be undone."
	holds := count(int(used["org_api_key"]), "token") + ", " + count(int(used["org_dashboard"]), "dashboard") + " and " + count(int(used["org_user"]), "member")
	ch.Steps = []step{{o.Name, "organization with " + holds, "deleted"}}
	ch.Facts = []string{
		"Its tokens stop working at once.", "Service accounts, teams, roles and folders of this organization go too. Users stay on the server.",
	}
	ch.Alarm = used["org_api_key"] > 0
	ch.done = "The organization " + o.Name + " is deleted."
	ch.do = func() error { return v.o.Admin.DeleteOrg(v.r.Context(), c) }
	return ch, nil
}
