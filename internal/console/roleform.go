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

// roleFormView is the form of a custom role, or of a basic one.
type roleFormView struct {
	frame
	roleFields
	New       bool
	Heading   string
	Action    string
	Cancel    string
	MayGlobal bool
	Basic     bool // only the permissions can be changed
	Groups    []permissionGroup
	Count     int
	Long      bool // so many rows that they are filtered
	Found     []foundGroup
	Foreign   string // what is looked for, when it can be an action of another API
	Nothing   bool   // nothing was found
	Chooser   scopeChooser
	Effect    roleEffect
	Focus     string // the id of the element that has the focus; empty: the page says it
	Said      string // what the last button did
	AsText    bool   // the lines are shown
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
	return req.showRoleForm(http.StatusOK, roleFormView{New: true, roleFields: roleFields{Permissions: req.URL.Query().Get("permissions")}}, hallpass.NamedRole{Org: req.caller.Org})
}

// showRoleForm shows the form of the role that was, or of a new one.
func (req *request) showRoleForm(status int, view roleFormView, was hallpass.NamedRole) error {
	title := "Create role"
	crumbs := []crumb{crumbAdmin, crumbAccess, crumbRoles}
	view.Action, view.Cancel, view.Heading = newRoleURL, crumbRoles.URL, title
	if !view.New {
		title, view.Action, view.Cancel = "Change role", roleURL(was.UID)+"/edit", roleURL(was.UID)
		view.Heading, view.Basic = title+": "+roleTitle(was), was.Basic()
		crumbs = append(crumbs, crumb{roleTitle(was), roleURL(was.UID)})
	}
	view.MayGlobal = req.caller.CanOnServer(hallpass.RolesWrite, hallpass.ScopeDelegate)
	if err := req.fillRoleForm(&view, was); err != nil {
		return err
	}
	var err error
	if view.frame, err = req.frame("roles", title, crumbs...); err != nil {
		return err
	}
	return req.showStatus(status, "roles/edit", view)
}

// fillRoleForm fills in what the permissions of the form are, mean and change.
func (req *request) fillRoleForm(view *roleFormView, was hallpass.NamedRole) error {
	list := view.list()
	n, err := req.namesIn(list, was.Permissions)
	if err != nil {
		return err
	}
	global := view.Global || !view.New && was.Global()
	may, err := req.o.Admin.MayGive(req.Context(), req.caller, global, list)
	if err != nil {
		return err
	}
	lacks := req.lacksWords()
	view.Groups, view.Count = permissionGroups(list, was.Permissions, may, n, lacks, view.New), len(list)
	view.Long = view.Count > longRole
	if err := req.findActions(view, global, lacks); err != nil {
		return err
	}
	if view.Open != "" {
		fields := view.roleFields
		fields.Global = global
		if view.Chooser, err = req.scopeChooser(fields, lacks); err != nil {
			return err
		}
	}
	view.Effect, err = req.roleEffect(was, list, view.New, n)
	return err
}

func editRoleForm(req *request) error {
	r, err := req.o.Admin.Role(req.Context(), req.caller, req.PathValue("role"))
	if err != nil {
		return err
	}
	view := roleFormView{roleFields: roleFields{
		Name: r.Name, DisplayName: r.DisplayName, Description: r.Description, Group: r.Group, Global: r.Global(), RoleVersion: r.Version + 1,
	}}
	view.set(r.Editable())
	return req.showRoleForm(http.StatusOK, view, r)
}

// createRole is POST /admin/create/role.
func createRole(req *request) error {
	view := roleFormView{roleFields: req.roleFields(), New: true}
	here := hallpass.NamedRole{Org: req.caller.Org}
	if button := req.PostForm.Get("arrange"); button != "" {
		if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.RolesWrite, hallpass.ScopeDelegate); err != nil {
			return err
		}
		view.Focus, view.Said = view.arrange(button)
		return req.showRoleForm(http.StatusOK, view, here)
	}
	if a, forNothing := view.forNothing(); forNothing {
		view.Open, view.AsText = a, true
		req.fieldError("permissions", "“"+string(a)+"” is for nothing yet. Choose what it is for, or remove it.")
		return req.showRoleForm(http.StatusBadRequest, view, here)
	}
	r := view.role()
	r.Version = 0
	made, err := req.o.Admin.CreateRole(req.Context(), req.caller, r, view.Global)
	if err == nil {
		req.flash("Role " + roleTitle(made) + " created. Nobody has it yet.")
		req.seeOther(roleURL(made.UID))
		return nil
	}
	return req.showRoleError(err, view, here)
}

// showRoleError shows the form of a role with its error.
func (req *request) showRoleError(err error, view roleFormView, was hallpass.NamedRole) error {
	field := roleField(err)
	if !req.formError(err, field) {
		return err
	}
	if field == "permissions" {
		view.AsText = true
		if p, ok := req.o.Admin.InvalidPermission(view.list()); ok && errors.Is(err, hallpass.Invalid) {
			req.fieldError(field, req.errors[field]+" The line is “"+permissionLine(p)+"”.")
		}
		if e := (*hallpass.Error)(nil); errors.As(err, &e) && e.Kind == hallpass.Denied {
			req.fieldError(field, req.errors[field]+" "+req.askWords(e.Needs))
		}
	}
	return req.showRoleForm(httpd.Status(err), view, was)
}

// editRole is POST /admin/roles/{role}/edit. A change that keeps the permissions is
// made without a question.
func editRole(req *request) (change, error) {
	view := roleFormView{roleFields: req.roleFields()}
	was, err := req.o.Admin.Role(req.Context(), req.caller, req.PathValue("role"))
	if err != nil {
		return change{}, err
	}
	if button := req.PostForm.Get("arrange"); button != "" {
		view.Focus, view.Said = view.arrange(button)
		return change{show: func() error { return req.showRoleForm(http.StatusOK, view, was) }}, nil
	}
	r := view.role()
	r.UID, r.Hidden = was.UID, was.Hidden
	c := change{Cancel: roleURL(r.UID), here: "roles", crumbs: []crumb{crumbAdmin, crumbAccess, crumbRoles, {roleTitle(was), roleURL(r.UID)}}}
	c.again = func(err error) error { return req.showRoleError(err, view, was) }
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
	}
	return c, req.tellRoleChange(&c, was, r.Permissions)
}

// tellRoleChange adds to the question what the steps mean, who has the role, and what was
// used of late and is lost.
func (req *request) tellRoleChange(c *change, was hallpass.NamedRole, next []hallpass.Permission) error {
	n, err := req.namesIn(was.Permissions, next)
	if err != nil {
		return err
	}
	c.Notes = make(map[step]stepNote)
	for i, p := range permissionChanges(was.Editable(), next) {
		if i < len(c.Steps) && !p.Action.Foreign() {
			c.Notes[c.Steps[i]] = stepNote{Words: sentence(p.Words(n.scopeName))}
		}
	}
	if was.Basic() {
		c.Facts = []string{"This affects everybody with this basic role, in every organization."}
	} else if c.Facts, c.Alarm, err = req.whoHas(was, "It is held by "); err != nil {
		return err
	}
	if !c.Destroys {
		return nil
	}
	facts, alarm, err := req.roleImpactFacts(was, next)
	c.Facts, c.Alarm = append(c.Facts, facts...), c.Alarm || alarm
	if alarm {
		c.inUse(roleTitle(was))
	}
	return err
}

// permissionChange is a permission that is added or taken away.
type permissionChange struct {
	hallpass.Permission
	added bool
}

// permissionChanges are what is taken away and then what is added from one list of
// permissions to another.
func permissionChanges(was, next []hallpass.Permission) (changes []permissionChange) {
	for _, p := range was {
		if !slices.Contains(next, p) {
			changes = append(changes, permissionChange{p, false})
		}
	}
	for i, p := range next {
		if !slices.Contains(was, p) && !slices.Contains(next[:i], p) {
			changes = append(changes, permissionChange{p, true})
		}
	}
	return changes
}

// permissionSteps are the steps from one list of permissions to another.
func permissionSteps(was, next []hallpass.Permission) (steps []step) {
	for _, p := range permissionChanges(was, next) {
		s := step{permissionText(p.Permission), wordPermitted, wordNotPermitted}
		if p.added {
			s.Before, s.After = wordNotPermitted, wordPermitted
		}
		steps = append(steps, s)
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
