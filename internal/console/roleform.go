package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// roleFormView is the form of a custom role.
type roleFormView struct {
	frame
	New                                   bool
	Action                                string
	Cancel                                string
	Name, DisplayName, Description, Group string
	Permissions                           string // one per line: action and scope
	Global                                bool
	MayGlobal                             bool
	Basic                                 bool // only the permissions can be changed
	RoleVersion                           int64
	Known                                 []string
}

// newRoleURL is the address of the form for a new role. It is not below the
// addresses of roles, because a uid may be any word.
const newRoleURL = "/admin/create/role"

// roleField is the field of the form that an error about a role belongs to; empty:
// none.
func roleField(err error) string {
	var e *hallpass.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch {
	case strings.HasPrefix(e.Field, "permissions"), e.ID == "accesscontrol.delegation":
		return "permissions"
	case e.Field == "name", e.Field == "displayName", e.Field == "group", e.Field == "description":
		return e.Field
	case e.Kind == hallpass.Conflict && e.ID != "accesscontrol.role-version":
		return "name"
	}
	return ""
}

// newRoleForm is GET /admin/create/role?permissions.
func newRoleForm(req *request) error {
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.RolesWrite, hallpass.ScopeDelegate); err != nil {
		return err
	}
	return req.showRoleForm(http.StatusOK, roleFormView{New: true, Permissions: req.URL.Query().Get("permissions")})
}

func (req *request) showRoleForm(status int, view roleFormView) error {
	title := "Create role"
	crumbs := []crumb{crumbAdmin, crumbAccess, crumbRoles}
	view.Action, view.Cancel = newRoleURL, crumbRoles.URL
	if !view.New {
		uid := req.PathValue("role")
		title, view.Action, view.Cancel = "Change role", roleURL(uid)+"/edit", roleURL(uid)
		crumbs = append(crumbs, crumb{view.Name, roleURL(uid)})
	}
	view.MayGlobal = req.caller.CanOnServer(hallpass.RolesWrite, hallpass.ScopeDelegate)
	for _, p := range req.caller.Permissions.List() {
		if p.Action != hallpass.ForeignActions {
			view.Known = append(view.Known, permissionLine(p))
		}
	}
	var err error
	if view.frame, err = req.frame("roles", title, crumbs...); err != nil {
		return err
	}
	return req.showStatus(status, "roles/edit", view)
}

func editRoleForm(req *request) error {
	r, err := req.o.Admin.Role(req.Context(), req.caller, req.PathValue("role"))
	if err != nil {
		return err
	}
	view := roleFormView{
		Name: r.Name, DisplayName: r.DisplayName, Description: r.Description, Group: r.Group, Global: r.Global(), Basic: r.Basic(), RoleVersion: r.Version + 1,
	}
	var lines []string
	for _, p := range r.Editable() {
		lines = append(lines, permissionLine(p))
	}
	view.Permissions = strings.Join(lines, "\n")
	return req.showRoleForm(http.StatusOK, view)
}

// permissionLine is a permission as a line of the form.
func permissionLine(p hallpass.Permission) string {
	return strings.TrimSpace(string(p.Action) + " " + string(p.Scope))
}

// roleInput reads the form of a role.
func (req *request) roleInput() (hallpass.NamedRole, roleFormView) {
	f := req.PostForm
	view := roleFormView{
		Name: strings.TrimSpace(f.Get("name")), DisplayName: strings.TrimSpace(f.Get("display")), Description: strings.TrimSpace(f.Get("description")),
		Group: strings.TrimSpace(f.Get("group")), Permissions: f.Get("permissions"), Global: f.Get("global") == "yes", Basic: f.Get("basic") == "yes",
	}
	view.RoleVersion, _ = hallpass.ParseID(f.Get("version"))
	r := hallpass.NamedRole{Name: view.Name, DisplayName: view.DisplayName, Description: view.Description, Group: view.Group, Version: view.RoleVersion}
	for line := range strings.Lines(view.Permissions) {
		if action, scope, _ := strings.Cut(strings.TrimSpace(line), " "); action != "" {
			r.Permissions = append(r.Permissions, hallpass.Permission{Action: hallpass.Action(action), Scope: hallpass.Scope(strings.TrimSpace(scope))})
		}
	}
	return r, view
}

// createRole is POST /admin/create/role.
func createRole(req *request) error {
	r, view := req.roleInput()
	r.Version, view.New = 0, true
	made, err := req.o.Admin.CreateRole(req.Context(), req.caller, r, view.Global)
	if err == nil {
		req.flash("Role " + roleTitle(made) + " created. Nobody has it yet.")
		req.seeOther(roleURL(made.UID))
		return nil
	}
	return req.showRoleError(err, r, view)
}

// showRoleError shows the form of a role with its error.
func (req *request) showRoleError(err error, r hallpass.NamedRole, view roleFormView) error {
	field := roleField(err)
	if !req.formError(err, field) {
		return err
	}
	if field == "permissions" && errors.Is(err, hallpass.Invalid) {
		if p, ok := req.o.Admin.InvalidPermission(r.Permissions); ok {
			req.fieldError(field, req.errors[field]+" The line is “"+permissionLine(p)+"”.")
		}
	}
	return req.showRoleForm(httpd.Status(err), view)
}

// editRole is POST /admin/roles/{role}/edit. A change that keeps the permissions is
// made without a question.
func editRole(req *request) (change, error) {
	r, view := req.roleInput()
	r.UID = req.PathValue("role")
	was, err := req.o.Admin.Role(req.Context(), req.caller, r.UID)
	if err != nil {
		return change{}, err
	}
	r.Hidden = was.Hidden
	c := change{Cancel: roleURL(r.UID), here: "roles", crumbs: []crumb{crumbAdmin, crumbAccess, crumbRoles, {roleTitle(was), roleURL(r.UID)}}}
	c.again = func(err error) error { return req.showRoleError(err, r, view) }
	if _, invalid := req.o.Admin.InvalidPermission(r.Permissions); !invalid { // otherwise the change is refused with its reason
		c.Steps = permissionSteps(was.Editable(), r.Permissions)
	}
	for _, s := range c.Steps {
		c.Destroys = c.Destroys || s.After == wordNotPermitted
	}
	c.Question, c.Button = "Change role", "Change role"
	c.Text = "Everybody with the role " + named(roleTitle(was)) + " gains and loses these permissions at once."
	c.done = "The role " + roleTitle(r) + " is changed."
	c.do = func() error {
		_, err := req.o.Admin.UpdateRole(req.Context(), req.caller, r, false)
		return err
	}
	if was.Basic() {
		c.done = "The role " + roleTitle(was) + " is changed."
		c.Facts = []string{"This affects everybody with this basic role, in every organization."}
		return c, nil
	}
	c.Facts, c.Alarm, err = req.whoHas(was, "It is held by ")
	return c, err
}

// permissionSteps are the steps from one list of permissions to another.
func permissionSteps(was, next []hallpass.Permission) []step {
	var steps []step
	for _, p := range was {
		if !slices.Contains(next, p) {
			steps = append(steps, step{permissionText(p), wordPermitted, wordNotPermitted})
		}
	}
	for i, p := range next {
		if !slices.Contains(was, p) && !slices.Contains(next[:i], p) {
			steps = append(steps, step{permissionText(p), wordNotPermitted, wordPermitted})
		}
	}
	return steps
}

func permissionText(p hallpass.Permission) string {
	return strings.TrimSpace(actionText(p.Action) + " " + string(p.Scope))
}

// deleteRole is GET and POST /admin/roles/{role}/delete.
func deleteRole(req *request) (change, error) {
	r, err := req.o.Admin.Role(req.Context(), req.caller, req.PathValue("role"))
	if err != nil {
		return change{}, err
	}
	c := change{Cancel: roleURL(r.UID), here: "roles", crumbs: []crumb{crumbAdmin, crumbAccess, crumbRoles, {roleTitle(r), roleURL(r.UID)}}}
	c.again = func(err error) error {
		if !req.formError(err, "") {
			return err
		}
		return req.showRole(httpd.Status(err))
	}
	if !r.Fixed() && !r.Basic() {
		c.Steps = []step{{"Role " + roleTitle(r), hallpass.Counted(len(r.Permissions), "permission"), wordDeleted}}
	} // other roles cannot be deleted, and the error says so
	c.Question, c.Button, c.Destroys = "Delete role", "Delete role", true
	c.Text = "Are you sure you want to delete the role " + named(roleTitle(r)) + "? This cannot be undone."
	c.to, c.done = crumbRoles.URL, "The role "+roleTitle(r)+" is deleted."
	c.do = func() error { return req.o.Admin.DeleteRole(req.Context(), req.caller, r.UID, true) }
	c.Facts, c.Alarm, err = req.whoHas(r, "It is removed at once from ")
	return c, err
}

// whoHas says who has the role in this org, as far as the viewer may see it, and
// whether anybody has it.
func (req *request) whoHas(r hallpass.NamedRole, says string) (facts []string, any bool, err error) {
	if req.caller.MayReadAssignments() {
		who, err := req.o.Admin.RoleAssignments(req.Context(), req.caller, r.UID)
		if err != nil {
			return nil, false, err
		}
		facts = []string{"Nobody has it in this organization."}
		if list := assignees(who); len(list) > 0 {
			any, facts = true, []string{says + hallpass.Enumerate(list) + "."}
		}
	}
	if r.Global() {
		facts = append(facts, "It is global: this applies in every organization.")
	}
	return facts, any, nil
}

func assignees(who admin.RoleAssignments) []string {
	var list []string
	for _, r := range who.BasicRoles {
		list = append(list, "everybody with the basic role "+r.String())
	}
	for _, t := range who.Teams {
		list = append(list, "team "+t.Name)
	}
	for _, p := range who.ServiceAccounts {
		list = append(list, "service account "+p.Name)
	}
	for _, p := range who.Users {
		list = append(list, "user "+p.Login)
	}
	return list
}
