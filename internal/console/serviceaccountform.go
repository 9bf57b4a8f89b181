package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// createView is the form for a new account.
type createView struct {
	frame
	Name     string
	Roles    []roleOption
	Write    bool        // the viewer may give more roles
	Groups   []roleGroup // that may be given beside the basic one
	MoreOpen bool
}

// Field is the form's field for the roles beside the basic one.
func (createView) Field() string { return "role_uid" }

func createForm(v *visit) error {
	if err := v.o.Admin.Authorize(v.r.Context(), v.caller, hallpass.ServiceAccountsCreate, ""); err != nil {
		return err
	}
	return v.showCreate(http.StatusOK, createView{Roles: v.roleOptions(min(hallpass.RoleViewer, v.caller.Role), v.caller.Role)}, nil)
}

// showCreate shows the form, with the uids of the roles that were chosen beside
// the basic one.
func (v *visit) showCreate(status int, view createView, chosen []string) error {
	if v.mayGiveRoles() {
		var err error
		if view.Groups, err = v.pickable(chosen); err != nil {
			return err
		}
		view.Write = true
	}
	f, err := v.frame("serviceaccounts", "Create service account", crumbAdmin, crumbAccess, crumbList)
	if err != nil {
		return err
	}
	view.frame = f
	return v.showStatus(status, "serviceaccounts/create", view)
}

// createServiceAccount is POST /org/serviceaccounts/create.
func createServiceAccount(v *visit) error {
	name := v.r.PostForm.Get("name")
	role, ok := hallpass.ParseRole(v.r.PostForm.Get("role"))
	if !ok {
		return errRole
	}
	more := v.r.PostForm["role_uid"]
	view := createView{Name: name, Roles: v.roleOptions(role, v.caller.Role), MoreOpen: len(more) > 0}
	a, err := v.o.Admin.CreateServiceAccount(v.r.Context(), v.caller, admin.NewServiceAccount{Name: name, Role: &role, Roles: more})
	if err == nil {
		v.say("Service account " + a.Name + " created.")
		v.seeOther(accountURL(a.UID))
		return nil
	}
	var e *hallpass.Error
	switch {
	case strings.TrimSpace(name) == "":
		v.tell("name", "Display name is required")
	case errors.Is(err, hallpass.Conflict):
		v.tell("name", "A service account with the login "+hallpass.ServiceAccountLogin(v.caller.Org, name)+" already exists. Choose another name.")
	case errors.As(err, &e) && (e.Field == "roleUids" || e.ID == "accesscontrol.delegation") && v.blame(err, "more"):
	case errors.Is(err, hallpass.Denied) && v.blame(err, "role"), v.blame(err, "name"):
	default:
		return err
	}
	httpd.EventOf(v.r.Context()).Err = err
	return v.showCreate(httpd.Status(err), view, more)
}

// mayGiveRoles reports whether the viewer may give roles to accounts and users.
func (v *visit) mayGiveRoles() bool {
	return v.caller.Can(hallpass.RolesRead, "") && v.caller.Can(hallpass.UsersRolesAdd, hallpass.ScopeDelegate)
}
