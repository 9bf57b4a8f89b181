package console

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

var crumbUsers = crumb{"Users", "/admin/users"}

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

func (v *visit) userID() (hallpass.UserID, error) {
	id, err := v.o.Admin.UserID(v.r.Context(), v.r.PathValue("user"))
	if err != nil {
		return 0, &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such user.", Err: err}
	}
	return id, nil
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
func (u userView) NeedsWrite() string { return needs(u.Write, hallpass.UsersWrite) }

func (u userView) NeedsEnable() string { return needs(u.Enable, hallpass.UsersDisable) }

func (u userView) NeedsDelete() string { return needs(u.Delete, hallpass.UsersDelete) }

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

func userName(u hallpass.User) string {
	if u.Name == "" {
		return u.Login
	}
	return u.Name
}
