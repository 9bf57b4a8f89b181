package console

import (
	"errors"
	"net/http"
	"net/url"
	"path"
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

// problem returns what a form shall say about err, if that is for the one who
// filled it in.
func (v *visit) problem(err error) (string, bool) {
	switch hallpass.KindOf(err) {
	case hallpass.Invalid, hallpass.Conflict, hallpass.NotFound, hallpass.Denied:
	default:
		return "", false
	}
	httpd.EventOf(v.r.Context()).Err = err
	var e *hallpass.Error
	if errors.As(err, &e) && ourWords[e.ID] != "" {
		return ourWords[e.ID], true
	}
	return messageOf(err), true
}

// ourWords are said in the place of messages whose words are another product's,
// which clients of the API know.
var ourWords = map[string]string{
	"user.last-grafana-admin": "This is the last server admin. Make somebody else one first.",
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
	Roles    []roleOption
	Write    bool // the role may be changed
	Remove   bool
	You      bool
	Problem  string // with the last change of the role
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
	Tabs    []tab
	Query   string
	Path    string
	OrgList bool
	Rows    []userRow
	Pager   pager
	Create  bool
	Add     bool
	Roles   []roleOption
	Typed   string // into the form that adds a member
	Problem string
	of      hallpass.UserID // whom the problem is about; zero: nobody who is listed
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
	list, total, err := v.o.Admin.Users(v.r.Context(), v.caller, text, p)
	if err != nil {
		return err
	}
	view := usersView{
		Tabs: v.userTabs(false), Query: text, Path: "/admin/users", Create: v.caller.CanOnServer(hallpass.UsersCreate, ""),
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
	list, total, err := v.o.Admin.OrgUsersPage(v.r.Context(), v.caller, text, p)
	if err != nil {
		return err
	}
	own := v.ceiling()
	view.Tabs, view.Query, view.Path, view.OrgList = v.userTabs(true), text, "/org/users", true
	view.Add, view.Roles = v.caller.Can(hallpass.OrgUsersAdd, "users:*"), roleOptions(hallpass.RoleViewer, own)
	view.Pager = pagerOf(v, "/org/users", total, p.Number, "member", "members")
	for _, m := range list {
		r := v.userRow(m.User)
		r.Role, r.Roles = m.Role.String(), roleOptions(m.Role, own)
		r.Write = v.caller.Can(hallpass.OrgUsersWrite, m.User.ID.Scope())
		r.Remove = v.caller.Can(hallpass.OrgUsersRemove, m.User.ID.Scope())
		if m.User.ID == view.of {
			r.Problem, view.Problem = view.Problem, ""
		}
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
func addOrgUser(v *visit) error {
	form := v.r.PostForm
	role, ok := hallpass.ParseRole(form.Get("role"))
	if !ok {
		return errRole
	}
	_, err := v.o.Admin.AddOrgUser(v.r.Context(), v.caller, form.Get("user"), role)
	if err == nil {
		v.seeOther("/org/users?done=member-added")
		return nil
	}
	if text, ok := v.problem(err); ok {
		return v.showOrgUsers(httpd.Status(err), usersView{Problem: text, Typed: form.Get("user")})
	}
	return err
}

func (v *visit) userID() (hallpass.UserID, error) {
	id, err := v.o.Admin.UserID(v.r.Context(), v.r.PathValue("user"))
	if err != nil {
		return 0, &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such user.", Err: err}
	}
	return id, nil
}

// setOrgUserRole is POST /org/users/{user}/role.
func setOrgUserRole(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	role, ok := hallpass.ParseRole(v.r.PostForm.Get("role"))
	if !ok {
		return errRole
	}
	err = v.o.Admin.SetOrgUserRole(v.r.Context(), v.caller, id, role)
	if err == nil {
		v.seeOther("/org/users?done=member-updated")
		return nil
	}
	if text, ok := v.problem(err); ok {
		return v.showOrgUsers(httpd.Status(err), usersView{Problem: text, of: id})
	}
	return err
}

// removeOrgUserForm is GET /org/users/{user}/remove.
func removeOrgUserForm(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	if err := v.o.Admin.Authorize(v.r.Context(), v.caller, hallpass.OrgUsersRemove, id.Scope()); err != nil {
		return err
	}
	name, err := v.principalName(int64(id))
	if err != nil {
		return err
	}
	return v.confirm("users", confirmView{
		Question: "Remove from organization", Button: "Remove",
		Text:   "Are you sure you want to remove “" + name + "” from this organization?",
		Facts:  []string{"The roles, places in teams and access that were given here are gone for good, also if the user is added again.", "The user can still sign in, and stays in other organizations."},
		Action: "/org/users/" + strconv.FormatInt(int64(id), 10) + "/remove", Cancel: "/org/users",
	}, crumbOrgUsers)
}

// principalName returns the name of a member or service account of the org.
func (v *visit) principalName(id int64) (string, error) {
	list, err := v.o.Admin.Principals(v.r.Context(), v.caller, []int64{id})
	if err != nil {
		return "", err
	}
	p, ok := list[id]
	if !ok {
		return "", &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such user in this organization."}
	}
	return displayName(p), nil
}

func displayName(p hallpass.PrincipalInfo) string {
	if p.Name == "" {
		return p.Login
	}
	return p.Name
}

// confirm asks before something is done that is not easily undone.
func (v *visit) confirm(here string, view confirmView, above crumb) error {
	var err error
	if view.frame, err = v.frame(here, view.Question, crumbAdmin, crumbAccess, above); err != nil {
		return err
	}
	return v.show("serviceaccounts/confirm", view)
}

// removeOrgUser is POST /org/users/{user}/remove.
func removeOrgUser(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	err = v.o.Admin.RemoveOrgUser(v.r.Context(), v.caller, id)
	if err == nil {
		v.seeOther("/org/users?done=member-removed")
		return nil
	}
	if text, ok := v.problem(err); ok {
		return v.showOrgUsers(httpd.Status(err), usersView{Problem: text, of: id})
	}
	return err
}

// newUserView is the form for a new user.
type newUserView struct {
	frame
	Login, Email, Name string
	Problem            string
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
		v.seeOther(userURL(u.ID) + "?done=user-created")
		return nil
	}
	if text, ok := v.problem(err); ok {
		return v.showNewUser(httpd.Status(err), newUserView{Login: f.Get("login"), Email: f.Get("email"), Name: f.Get("name"), Problem: text})
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
	At        string // the form that the problem is with
	RolesHere string // address of the roles in this org; empty: the user is not a member
	RoleNames []string
	Problem   string
}

// Above reports whether the problem is told above the page, and not beside one
// of its controls.
func (u userView) Above() bool {
	switch u.At {
	case "edit":
		return !u.Write
	case "password":
		return !u.Password
	case "admin":
		return !u.Promote
	}
	return true
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
	return v.showUser(http.StatusOK, id, "")
}

func (v *visit) showUser(status int, id hallpass.UserID, problem string) error {
	ctx, c := v.r.Context(), v.caller
	u, err := v.o.Admin.User(ctx, c, id)
	if err != nil {
		return err
	}
	scope := id.GlobalScope()
	view := userView{
		User: v.userRow(u), Since: v.moment(u.CreatedAt), Problem: problem, At: path.Base(v.r.URL.Path),
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
	if !v.caller.Can(hallpass.UsersRolesRead, id.Scope()) {
		return nil
	}
	list, err := v.o.Admin.RolesOf(v.r.Context(), v.caller, strconv.FormatInt(int64(id), 10), true)
	if errors.Is(err, hallpass.NotFound) {
		return nil // not a member here
	}
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

// onUser returns the handler of a form on a user's page.
func onUser(code string, fn func(*visit, hallpass.UserID) error) func(*visit) error {
	return func(v *visit) error {
		id, err := v.userID()
		if err != nil {
			return err
		}
		err = fn(v, id)
		if err == nil {
			to := userURL(id)
			if code == "user-deleted" {
				to = "/admin/users"
			}
			v.seeOther(to + "?done=" + code)
			return nil
		}
		if text, ok := v.problem(err); ok && v.caller.CanOnServer(hallpass.UsersRead, id.GlobalScope()) {
			return v.showUser(httpd.Status(err), id, text)
		}
		return err
	}
}

func editUser(v *visit, id hallpass.UserID) error {
	f := v.r.PostForm
	return v.o.Admin.UpdateUser(v.r.Context(), v.caller, id, f.Get("login"), f.Get("email"), f.Get("name"))
}

func setUserPassword(v *visit, id hallpass.UserID) error {
	return v.o.Admin.SetUserPassword(v.r.Context(), v.caller, id, secret.NewText(v.r.PostForm.Get("password")))
}

func setUserAdmin(v *visit, id hallpass.UserID) error {
	return v.o.Admin.SetServerAdmin(v.r.Context(), v.caller, id, v.r.PostForm.Get("admin") == "yes")
}

func setUserDisabled(v *visit, id hallpass.UserID) error {
	return v.o.Admin.SetUserDisabled(v.r.Context(), v.caller, id, v.r.PostForm.Get("disabled") == "yes")
}

func logoutUser(v *visit, id hallpass.UserID) error {
	return v.o.Admin.LogoutUser(v.r.Context(), v.caller, id)
}

func endUserSession(v *visit, id hallpass.UserID) error {
	n, _ := hallpass.ParseID(v.r.PostForm.Get("session"))
	return v.o.Admin.EndUserSession(v.r.Context(), v.caller, id, hallpass.SessionID(n))
}

func deleteUser(v *visit, id hallpass.UserID) error {
	return v.o.Admin.DeleteUser(v.r.Context(), v.caller, id)
}

// deleteUserForm is GET /admin/users/{user}/delete.
func deleteUserForm(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	if err := v.o.Admin.AuthorizeOnServer(v.r.Context(), v.caller, hallpass.UsersDelete, id.GlobalScope()); err != nil {
		return err
	}
	u, err := v.o.Admin.User(v.r.Context(), v.caller, id)
	if err != nil {
		return err
	}
	orgs, err := v.o.Admin.OrgsOfUser(v.r.Context(), v.caller, id)
	if err != nil {
		return err
	}
	var names []string
	for _, o := range orgs {
		names = append(names, o.Name)
	}
	facts := []string{"Sessions end at once. Roles, places in teams and access are gone for good.", "Service accounts, folders and dashboards that the user made stay."}
	if len(names) > 0 {
		facts = append([]string{"The user is a member of " + enumerate(names) + "."}, facts...)
	}
	return v.confirm("users", confirmView{
		Question: "Delete user", Button: "Delete user", Text: "Are you sure you want to delete “" + u.Login + "”? This cannot be undone.",
		Facts: facts, Action: userURL(id) + "/delete", Cancel: userURL(id),
	}, crumb{u.Login, userURL(id)})
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
	v.seeOther("/")
	return nil
}

// orgsView is the list of the server's orgs.
type orgsView struct {
	frame
	Query   string
	Rows    []orgRow
	Create  bool
	Typed   string
	Problem string
	More    string // address of the next page
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

// orgForm returns the handler of a form on the list of orgs.
func orgForm(code string, fn func(*visit) error) func(*visit) error {
	return func(v *visit) error {
		err := fn(v)
		if err == nil {
			v.seeOther("/admin/orgs?done=" + code)
			return nil
		}
		if text, ok := v.problem(err); ok && v.caller.CanOnServer(hallpass.OrgsRead, "") {
			return v.showOrgs(httpd.Status(err), orgsView{Problem: text, Typed: v.r.PostForm.Get("name")})
		}
		return err
	}
}

func createOrg(v *visit) error {
	_, err := v.o.Admin.CreateOrg(v.r.Context(), v.caller, strings.TrimSpace(v.r.PostForm.Get("name")))
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

func renameOrg(v *visit) error {
	c, err := v.inOrg()
	if err != nil {
		return err
	}
	return v.o.Admin.RenameOrg(v.r.Context(), c, strings.TrimSpace(v.r.PostForm.Get("name")))
}

func deleteOrg(v *visit) error {
	c, err := v.inOrg()
	if err != nil {
		return err
	}
	return v.o.Admin.DeleteOrg(v.r.Context(), c)
}

// deleteOrgForm is GET /admin/orgs/{org}/delete.
func deleteOrgForm(v *visit) error {
	c, err := v.inOrg()
	if err != nil {
		return err
	}
	if err := v.o.Admin.Authorize(v.r.Context(), c, hallpass.OrgsDelete, ""); err != nil {
		return err
	}
	o, err := v.o.Admin.Org(v.r.Context(), c)
	if err != nil {
		return err
	}
	used, err := v.o.Admin.Quotas(v.r.Context(), c)
	if err != nil {
		return err
	}
	return v.confirm("orgs", confirmView{
		Question: "Delete organization", Button: "Delete organization", Text: "Are you sure you want to delete “" + o.Name + "” with everything in it? This cannot be undone.",
		Facts: []string{
			"It has " + count(int(used["org_api_key"]), "token") + ", which stop working at once, " + count(int(used["org_dashboard"]), "dashboard") + " and " + count(int(used["org_user"]), "member") + ".",
			"Service accounts, teams, roles and folders of this organization go too. Users stay on the server.",
		},
		Alarm: used["org_api_key"] > 0, Action: orgURL(o.ID) + "/delete", Cancel: "/admin/orgs",
	}, crumbOrgs)
}
