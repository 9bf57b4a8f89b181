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

var crumbUsers = crumb{nounUser.Title(), "/admin/users"}

func userURL(id hallpass.UserID) string { return crumbUsers.URL + "/" + idText(int64(id)) }

func (req *request) userID() (hallpass.UserID, error) {
	id, err := req.o.Admin.UserID(req.Context(), req.PathValue("user"))
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

func newUserForm(req *request) error {
	if err := req.o.Admin.AuthorizeOnServer(req.Context(), req.caller, hallpass.UsersCreate, ""); err != nil {
		return err
	}
	return req.showNewUser(http.StatusOK, newUserView{})
}

func (req *request) showNewUser(status int, view newUserView) error {
	var err error
	if view.frame, err = req.frame("users", "Create user", crumbAdmin, crumbAccess, crumbUsers); err != nil {
		return err
	}
	return req.showStatus(status, "users/create", view)
}

// createUser is POST /admin/users/create.
func createUser(req *request) error {
	f := req.PostForm
	u, err := req.o.Admin.CreateUser(req.Context(), req.caller, admin.NewUser{
		Login: f.Get("login"), Email: f.Get("email"), Name: f.Get("name"), Password: secret.NewText(f.Get("password")), Org: req.caller.Org,
	})
	if err == nil {
		req.flash("User " + u.Login + " created.")
		req.seeOther(userURL(u.ID))
		return nil
	}
	if req.formError(err, "login", "email", "name", "password") {
		return req.showNewUser(httpd.Status(err), newUserView{Login: f.Get("login"), Email: f.Get("email"), Name: f.Get("name")})
	}
	return err
}

// userView is the page of one user of the server.
type userView struct {
	frame
	User      userRow
	Since     timestamp
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

func (u userView) NeedsEnable() string {
	return needs(u.Enable, hallpass.ActionToSetDisabled(!u.User.Disabled))
}

func (u userView) NeedsDelete() string { return needs(u.Delete, hallpass.UsersDelete) }

// userPage is GET /admin/users/{user}.
func userPage(req *request) error {
	id, err := req.userID()
	if err != nil {
		return err
	}
	return req.showUser(http.StatusOK, id)
}

func (req *request) showUser(status int, id hallpass.UserID) error {
	ctx, c := req.Context(), req.caller
	u, err := req.o.Admin.User(ctx, c, id)
	if err != nil {
		return err
	}
	scope := id.GlobalScope()
	view := userView{
		User: req.userRow(u), Since: req.timestamp(u.CreatedAt),
		Write: c.CanOnServer(hallpass.UsersWrite, scope), Password: c.CanOnServer(hallpass.UsersPasswordWrite, scope),
		Promote: c.ServerAdmin && c.CanOnServer(hallpass.UsersPermissionsWrite, scope), Enable: c.CanOnServer(hallpass.ActionToSetDisabled(!u.Disabled), scope),
		Logout: c.CanOnServer(hallpass.UsersLogout, scope) && id != c.User(), Delete: c.CanOnServer(hallpass.UsersDelete, scope),
		EndAny: c.CanOnServer(hallpass.UsersAuthTokenWrite, scope),
	}
	if view.Orgs, err = req.o.Admin.OrgsOfUser(ctx, c, id); err != nil {
		return err
	}
	if err := req.userRoles(&view, id); err != nil {
		return err
	}
	if c.CanOnServer(hallpass.UsersAuthTokenRead, scope) {
		list, err := req.o.Admin.UserSessions(ctx, c, id)
		if err != nil {
			return err
		}
		for _, s := range list {
			view.Sessions = append(view.Sessions, sessionRow{s.ID, s.Address, client(s.UserAgent), req.timestamp(s.CreatedAt), req.timestamp(s.SeenAt), s.ID == c.Session})
		}
	}
	if view.frame, err = req.frame("users", view.User.Name, crumbAdmin, crumbAccess, crumbUsers); err != nil {
		return err
	}
	return req.showStatus(status, "users/detail", view)
}

// userRoles fills in the roles that the user has in the viewer's org.
func (req *request) userRoles(view *userView, id hallpass.UserID) error {
	member := slices.ContainsFunc(view.Orgs, func(o hallpass.UserOrg) bool { return o.Org == req.caller.Org })
	if !member || !req.caller.Can(hallpass.UsersRolesRead, id.Scope()) {
		return nil
	}
	list, err := req.o.Admin.RolesOf(req.Context(), req.caller, strconv.FormatInt(int64(id), 10), true)
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
