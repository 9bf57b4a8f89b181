package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// newAccountView is the form for a new account.
type newAccountView struct {
	frame
	Name string
	answering
	Roles    []roleOption
	Write    bool        // the viewer may give more roles
	Groups   []roleGroup // that can be given in addition to the basic one
	MoreOpen bool
}

// Field is the form's field for the additional roles.
func (newAccountView) Field() string { return "role_uid" }

func newAccountForm(req *request) error {
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.ServiceAccountsCreate, ""); err != nil {
		return err
	}
	return req.showNewAccount(http.StatusOK, newAccountView{Roles: req.roleOptions(min(hallpass.RoleViewer, req.caller.Role), req.caller.Role)}, nil)
}

// showNewAccount shows the form. chosen are the uids of the additional roles.
func (req *request) showNewAccount(status int, view newAccountView, chosen []string) error {
	if req.mayGiveRoles() {
		var err error
		if view.Groups, err = req.assignableRoles(chosen); err != nil {
			return err
		}
		view.Write = true
	}
	f, err := req.frame("serviceaccounts", "Create service account", crumbAdmin, crumbAccess, crumbAccounts)
	if err != nil {
		return err
	}
	view.frame = f
	return req.showStatus(status, "serviceaccounts/create", view)
}

// createServiceAccount is POST /org/serviceaccounts/create.
func createServiceAccount(req *request) error {
	name, answers := req.PostForm.Get("name"), answering{Owner: req.PostForm.Get("owner"), Purpose: req.PostForm.Get("purpose")}
	role, ok := hallpass.ParseRole(req.PostForm.Get("role"))
	if !ok {
		return errRole
	}
	more := req.PostForm["role_uid"]
	view := newAccountView{Name: name, answering: answers, Roles: req.roleOptions(role, req.caller.Role), MoreOpen: len(more) > 0}
	a, err := req.o.Admin.CreateServiceAccount(req.Context(), req.caller, admin.NewServiceAccount{
		Name: name, Role: &role, Roles: more, Owner: strings.TrimSpace(answers.Owner), Purpose: strings.TrimSpace(answers.Purpose),
	})
	if err == nil {
		req.flash("Service account " + a.Name + " created.")
		req.seeOther(accountURL(a.UID))
		return nil
	}
	var e *hallpass.Error
	switch {
	case strings.TrimSpace(name) == "":
		req.fieldError("name", "Display name is required")
	case errors.Is(err, hallpass.Conflict):
		req.fieldError("name", "A service account with the login "+hallpass.ServiceAccountLogin(req.caller.Org, name)+" already exists. Choose another name.")
	case errors.As(err, &e) && (e.Field == "roleUids" || e.ID == "accesscontrol.delegation") && req.formError(err, "more"):
	case errors.Is(err, hallpass.Denied) && req.formError(err, "role", "owner"), req.formError(err, "name", "owner", "purpose"):
	default:
		return err
	}
	httpd.EventOf(req.Context()).Err = err
	return req.showNewAccount(httpd.Status(err), view, more)
}

// mayGiveRoles reports whether the viewer may give roles to accounts and users.
func (req *request) mayGiveRoles() bool {
	return req.caller.Can(hallpass.RolesRead, "") && req.caller.Can(hallpass.UsersRolesAdd, hallpass.ScopeDelegate)
}
