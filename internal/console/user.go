package console

import (
	"net/http"

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

func userName(u hallpass.User) string {
	if u.Name == "" {
		return u.Login
	}
	return u.Name
}
