package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

var crumbRoles = crumb{"Roles", "/admin/roles"}

func roleURL(uid string) string { return crumbRoles.URL + "/" + url.PathEscape(uid) }

// roleTitle is what people call a role.
func roleTitle(r hallpass.NamedRole) string { return admin.RoleTitle(r) }

// roleKind names the kinds of role, as headings do.
func roleKind(r hallpass.NamedRole) string {
	switch {
	case r.Basic():
		return "Basic roles"
	case r.Fixed():
		return "Fixed roles"
	}
	return "Custom roles"
}

// roleRow is a role as lists show it.
type roleRow struct {
	UID         string
	URL         string
	Title       string
	Name        string
	Description string
	Global      bool
	Can         string // what it permits, in words
	Permissions []permissionRow
	Words       string // all that a search looks at, folded
	Chosen      bool
	Locked      bool // not the viewer's to give
	Everywhere  bool // given on the server and in every org: not to be taken away here
	Cells       []matrixCell
}

// Count says how many permissions the role has.
func (r roleRow) Count() string { return count(len(r.Permissions), "permission") }

// permissionRow is one permission.
type permissionRow struct {
	Action, Scope string
	On            thing // what the scope is about, if that is one thing with a name
}

func rowOf(r hallpass.NamedRole, n names) roleRow {
	row := roleRow{
		UID: r.UID, URL: roleURL(r.UID), Title: roleTitle(r), Name: r.Name, Description: r.Description, Global: r.Global() && !r.Fixed() && !r.Basic(),
		Can: setCan(r.Permissions, n.scopeName),
	}
	if r.Fixed() {
		row.Description = "" // it says what Can does
	}
	words := []string{row.Title, r.Name, r.Description, r.Group, row.Can}
	for _, p := range r.Permissions {
		row.Permissions = append(row.Permissions, permissionRow{actionText(p.Action), string(p.Scope), n.about(p.Scope)})
		words = append(words, string(p.Action), string(p.Scope))
	}
	row.Words = hallpass.NameKey(strings.Join(words, " "))
	return row
}

// actionText shows an action; the one that stands for all foreign ones in words.
func actionText(a hallpass.Action) string {
	if a == hallpass.ForeignActions {
		return "any action outside Hallpass"
	}
	return string(a)
}

// roleGroup is the roles of one kind.
type roleGroup struct {
	Name string
	Rows []roleRow
}

// rolesView is the list of roles.
type rolesView struct {
	frame
	Query  string
	Matrix bool
	Tabs   []tab
	Groups []roleGroup
	Areas  []string
	Create bool
	Total  int
}

// roles is GET /admin/roles?query&view.
func roles(v *visit) error {
	list, err := v.o.Admin.Roles(v.r.Context(), v.caller, admin.RoleFilter{Hidden: true})
	if err != nil {
		return err
	}
	_, text := v.listPage()
	view := rolesView{Query: text, Matrix: v.r.URL.Query().Get("view") == "matrix", Create: v.caller.Can(hallpass.RolesWrite, hallpass.ScopeDelegate)}
	view.Tabs = []tab{{"List", rolesURL(text, false), !view.Matrix}, {"Matrix", rolesURL(text, true), view.Matrix}}
	for _, area := range hallpass.Areas() {
		view.Areas = append(view.Areas, string(area))
	}
	if view.Groups, view.Total, err = v.groupRoles(list, text); err != nil {
		return err
	}
	if view.frame, err = v.frame("roles", "Roles", crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return v.show("roles/list", view)
}

func rolesURL(text string, matrix bool) string {
	q := url.Values{}
	if text != "" {
		q.Set("query", text)
	}
	if matrix {
		q.Set("view", "matrix")
	}
	if len(q) == 0 {
		return crumbRoles.URL
	}
	return crumbRoles.URL + "?" + q.Encode()
}

// groupRoles puts the roles that match text in groups: all of its words must
// stand somewhere in a role's names, texts or permissions.
func (v *visit) groupRoles(list []hallpass.NamedRole, text string) (groups []roleGroup, total int, err error) {
	var all [][]hallpass.Permission
	for _, r := range list {
		all = append(all, r.Permissions)
	}
	n, err := v.namesIn(all...)
	if err != nil {
		return nil, 0, err
	}
	byKind := make(map[string][]roleRow)
	for _, r := range list {
		row := rowOf(r, n)
		if !matches(row.Words, text) {
			continue
		}
		row.Cells = cells(r.Permissions)
		byKind[roleKind(r)] = append(byKind[roleKind(r)], row)
		total++
	}
	for _, kind := range []string{"Basic roles", "Custom roles", "Fixed roles"} {
		if rows := byKind[kind]; len(rows) > 0 {
			if kind != "Basic roles" { // those stand in their own order
				byName(rows, func(r roleRow) string { return r.Title })
			}
			groups = append(groups, roleGroup{kind, rows})
		}
	}
	return groups, total, nil
}

func matches(words, text string) bool {
	for _, w := range strings.Fields(hallpass.NameKey(text)) {
		if !strings.Contains(words, w) {
			return false
		}
	}
	return true
}

// levelNames are the words of the matrix.
var levelNames = map[hallpass.ActionLevel]string{hallpass.LooksAt: "read", hallpass.Changes: "write", hallpass.Empowers: "admin"}

// cells fills in a role's row of the matrix: how much its permissions are in each
// area.
func cells(list []hallpass.Permission) []matrixCell {
	most := make(map[hallpass.Area]hallpass.ActionLevel)
	for _, p := range list {
		info, known := p.Action.Info()
		if !known {
			info = hallpass.ActionInfo{Area: hallpass.AreaOther, Level: hallpass.Changes} // what it does, only the other API knows
		}
		most[info.Area] = max(most[info.Area], info.Level)
	}
	var row []matrixCell
	for _, area := range hallpass.Areas() {
		row = append(row, matrixCell{string(area), levelNames[most[area]]})
	}
	return row
}

// matrixCell is how much a role may in one area.
type matrixCell struct{ Area, Level string }

// roleView is the page of one role.
type roleView struct {
	frame
	Role        roleRow
	Kind        string
	RoleVersion int64
	Who         []thing
	SeeWho      bool
	Change      bool
	ChangeBy    string // why it cannot be changed
	Delete      bool
}

// newRoleURL is the address of the form of a new role. It stands apart from those
// of the roles, whose uids may be any word.
const newRoleURL = "/admin/create/role"

// rolePage is GET /admin/roles/{role}.
func rolePage(v *visit) error {
	err := v.showRole(http.StatusOK)
	if v.r.PathValue("role") == "create" && errors.Is(err, hallpass.NotFound) {
		v.seeOther(newRoleURL) // where old links to that form lead
		return nil
	}
	return err
}

func (v *visit) showRole(status int) error {
	ctx, c := v.r.Context(), v.caller
	r, err := v.o.Admin.Role(ctx, c, v.r.PathValue("role"))
	if err != nil {
		return err
	}
	n, err := v.namesIn(r.Permissions)
	if err != nil {
		return err
	}
	view := roleView{Role: rowOf(r, n), Kind: strings.TrimSuffix(roleKind(r), "s"), RoleVersion: r.Version}
	may := c.Can(hallpass.RolesWrite, hallpass.ScopeDelegate)
	if r.Global() {
		may = c.CanOnServer(hallpass.RolesWrite, hallpass.ScopeDelegate)
	}
	view.Change, view.Delete = may && !r.Fixed(), may && !r.Fixed() && !r.Basic()
	switch {
	case r.Fixed():
		view.ChangeBy = "Fixed roles cannot be changed"
	case !may && r.Global():
		view.ChangeBy = "Only server admins change global roles"
	case !may:
		view.ChangeBy = needs(false, hallpass.RolesWrite)
	}
	if c.Can(hallpass.UsersRolesRead, "") && c.Can(hallpass.TeamsRolesRead, "") && !r.Basic() {
		view.SeeWho = true
		who, err := v.o.Admin.RoleAssignments(ctx, c, r.UID)
		if err != nil {
			return err
		}
		view.Who = v.holders(who)
	}
	if view.frame, err = v.frame("roles", roleTitle(r), crumbAdmin, crumbAccess, crumbRoles); err != nil {
		return err
	}
	return v.showStatus(status, "roles/detail", view)
}

// holders are those who have a role, with links to their pages.
func (v *visit) holders(who admin.RoleAssignments) []thing {
	var list []thing
	for _, r := range who.BasicRoles {
		list = append(list, thing{Name: "everybody with the basic role " + r.String(), URL: roleURL("basic_" + strings.ToLower(r.String()))})
	}
	for _, t := range who.Teams {
		list = append(list, thing{"team", t.Name, teamURL(t), "team:" + idText(int64(t.ID))})
	}
	for _, p := range who.ServiceAccounts {
		list = append(list, thing{"service account", displayName(p), v.principalURL(p), "serviceaccount:" + idText(p.ID)})
	}
	for _, p := range who.Users {
		list = append(list, thing{"user", displayName(p), v.principalURL(p), "user:" + idText(p.ID)})
	}
	return list
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

// roleFormView is the form of a custom role.
type roleFormView struct {
	frame
	New                                   bool
	Action                                string
	Cancel                                string
	Name, DisplayName, Description, Group string
	Permissions                           string // one a line, action and scope
	Global                                bool
	MayGlobal                             bool
	Basic                                 bool // only the permissions can be changed
	RoleVersion                           int64
	Known                                 []string
}

// roleField is the form's field that an error about a role belongs to; empty:
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

// badLine names the first line of the form that is no permission; empty when
// all are.
func badLine(list []hallpass.Permission) string {
	for _, p := range list {
		if !p.Action.Valid() || hallpass.ValidateRole(&hallpass.NamedRole{UID: "x", Name: "x", Permissions: []hallpass.Permission{p}}, true) != nil {
			return " The line is “" + strings.TrimSpace(string(p.Action)+" "+string(p.Scope)) + "”."
		}
	}
	return ""
}

func newRoleForm(v *visit) error {
	if err := v.o.Admin.Authorize(v.r.Context(), v.caller, hallpass.RolesWrite, hallpass.ScopeDelegate); err != nil {
		return err
	}
	return v.showRoleForm(http.StatusOK, roleFormView{New: true})
}

func (v *visit) showRoleForm(status int, view roleFormView) error {
	title := "Create role"
	crumbs := []crumb{crumbAdmin, crumbAccess, crumbRoles}
	view.Action, view.Cancel = newRoleURL, crumbRoles.URL
	if !view.New {
		uid := v.r.PathValue("role")
		title, view.Action, view.Cancel = "Change role", roleURL(uid)+"/edit", roleURL(uid)
		crumbs = append(crumbs, crumb{view.Name, roleURL(uid)})
	}
	view.MayGlobal = v.caller.CanOnServer(hallpass.RolesWrite, hallpass.ScopeDelegate)
	for _, p := range v.caller.Permissions.List() {
		line := strings.TrimSpace(string(p.Action) + " " + string(p.Scope))
		if p.Action != hallpass.ForeignActions {
			view.Known = append(view.Known, line)
		}
	}
	var err error
	if view.frame, err = v.frame("roles", title, crumbs...); err != nil {
		return err
	}
	return v.showStatus(status, "roles/edit", view)
}

func editRoleForm(v *visit) error {
	r, err := v.o.Admin.Role(v.r.Context(), v.caller, v.r.PathValue("role"))
	if err != nil {
		return err
	}
	view := roleFormView{
		Name: r.Name, DisplayName: r.DisplayName, Description: r.Description, Group: r.Group, Global: r.Global(), Basic: r.Basic(), RoleVersion: r.Version + 1,
	}
	var lines []string
	for _, p := range r.Permissions {
		if p.Action != hallpass.ForeignActions {
			lines = append(lines, strings.TrimSpace(string(p.Action)+" "+string(p.Scope)))
		}
	}
	view.Permissions = strings.Join(lines, "\n")
	return v.showRoleForm(http.StatusOK, view)
}

// roleInput reads the form of a role.
func (v *visit) roleInput() (hallpass.NamedRole, roleFormView) {
	f := v.r.PostForm
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
func createRole(v *visit) error {
	r, view := v.roleInput()
	r.Version, view.New = 0, true
	made, err := v.o.Admin.CreateRole(v.r.Context(), v.caller, r, view.Global)
	if err == nil {
		v.say("Role " + roleTitle(made) + " created. Nobody has it yet.")
		v.seeOther(roleURL(made.UID))
		return nil
	}
	return v.roleAgain(err, r, view)
}

// roleAgain shows the form of a role with what was wrong with it.
func (v *visit) roleAgain(err error, r hallpass.NamedRole, view roleFormView) error {
	field := roleField(err)
	if !v.blame(err, field) {
		return err
	}
	if field == "permissions" && errors.Is(err, hallpass.Invalid) {
		v.tell(field, v.wrong[field]+badLine(r.Permissions))
	}
	return v.showRoleForm(httpd.Status(err), view)
}

// editRole is POST /admin/roles/{role}/edit. A change of names alone is made
// without a question.
func editRole(v *visit) (change, error) {
	r, view := v.roleInput()
	r.UID = v.r.PathValue("role")
	was, err := v.o.Admin.Role(v.r.Context(), v.caller, r.UID)
	if err != nil {
		return change{}, err
	}
	r.Hidden = was.Hidden
	if was.Basic() { // what cannot be given, and so not typed, stays
		for _, p := range was.Permissions {
			if p.Action == hallpass.ForeignActions {
				r.Permissions = append(r.Permissions, p)
			}
		}
	}
	c := change{Cancel: roleURL(r.UID), here: "roles", crumbs: []crumb{crumbAdmin, crumbAccess, crumbRoles, {roleTitle(was), roleURL(r.UID)}}}
	c.again = func(err error) error { return v.roleAgain(err, r, view) }
	if badLine(r.Permissions) == "" { // else the change is refused, with its reason
		c.Steps = permissionSteps(was.Permissions, r.Permissions)
	}
	for _, s := range c.Steps {
		c.Destroys = c.Destroys || s.After == notPermitted
	}
	c.Question, c.Button = "Change role", "Change role"
	c.Text = "Whoever has the role " + named(roleTitle(was)) + " gains and loses this at once."
	c.done = "The role " + roleTitle(r) + " is changed."
	c.do = func() error {
		_, err := v.o.Admin.UpdateRole(v.r.Context(), v.caller, r, false)
		return err
	}
	if was.Basic() {
		c.done = "The role " + roleTitle(was) + " is changed."
		c.Facts = []string{"Everybody with this basic role is hit, in every organization."}
		return c, nil
	}
	c.Facts, c.Alarm, err = v.whoHas(was, "It is held by ")
	return c, err
}

// What a role's steps go between.
const (
	permitted    = "permitted"
	notPermitted = "not permitted"
)

// permissionSteps are the steps from one list of permissions to another.
func permissionSteps(was, next []hallpass.Permission) []step {
	var steps []step
	for _, p := range was {
		if !slices.Contains(next, p) {
			steps = append(steps, step{permissionText(p), permitted, notPermitted})
		}
	}
	for i, p := range next {
		if !slices.Contains(was, p) && !slices.Contains(next[:i], p) {
			steps = append(steps, step{permissionText(p), notPermitted, permitted})
		}
	}
	return steps
}

func permissionText(p hallpass.Permission) string {
	return strings.TrimSpace(actionText(p.Action) + " " + string(p.Scope))
}

// whoHas says who has the role in this org, as far as the viewer may see it, and
// whether anybody has.
func (v *visit) whoHas(r hallpass.NamedRole, says string) (facts []string, any bool, err error) {
	if v.caller.Can(hallpass.UsersRolesRead, "") && v.caller.Can(hallpass.TeamsRolesRead, "") {
		who, err := v.o.Admin.RoleAssignments(v.r.Context(), v.caller, r.UID)
		if err != nil {
			return nil, false, err
		}
		facts = []string{"Nobody has it in this organization."}
		if list := assignees(who); len(list) > 0 {
			any, facts = true, []string{says + enumerate(list) + "."}
		}
	}
	if r.Global() {
		facts = append(facts, "It is global: this holds in every organization.")
	}
	return facts, any, nil
}

// deleteRole is GET and POST /admin/roles/{role}/delete.
func deleteRole(v *visit) (change, error) {
	r, err := v.o.Admin.Role(v.r.Context(), v.caller, v.r.PathValue("role"))
	if err != nil {
		return change{}, err
	}
	c := change{Cancel: roleURL(r.UID), here: "roles", crumbs: []crumb{crumbAdmin, crumbAccess, crumbRoles, {roleTitle(r), roleURL(r.UID)}}}
	c.again = func(err error) error {
		if !v.blame(err, "") {
			return err
		}
		return v.showRole(httpd.Status(err))
	}
	if !r.Fixed() && !r.Basic() {
		c.Steps = []step{{"Role " + roleTitle(r), "permits " + count(len(r.Permissions), "thing"), "deleted"}}
	} // the others cannot be deleted, and the answer says so
	c.Question, c.Button, c.Destroys = "Delete role", "Delete role", true
	c.Text = "Are you sure you want to delete the role " + named(roleTitle(r)) + "? This cannot be undone."
	c.to, c.done = crumbRoles.URL, "The role "+roleTitle(r)+" is deleted."
	c.do = func() error { return v.o.Admin.DeleteRole(v.r.Context(), v.caller, r.UID, true) }
	c.Facts, c.Alarm, err = v.whoHas(r, "It is taken, at once, from ")
	return c, err
}

// pickerView is where the roles of somebody are chosen.
type pickerView struct {
	frame
	Whose  string
	Basic  string // the basic role, which is chosen elsewhere; empty: there is none
	Groups []roleGroup
	Action string
	Back   string
	Write  bool
	Needs  string
	Chosen int
}

// Field is the form's field for the roles.
func (pickerView) Field() string { return "role" }

// pick is somebody whose roles are chosen.
type pick struct {
	here, whose, basic, back string
	crumbs                   []crumb
	to                       hallpass.Grantee
	now                      []admin.GivenRole
	add, remove              hallpass.Action
}

// showPicker shows the roles that can be given, those that are given chosen.
func (v *visit) showPicker(status int, p pick, chosen []string) error {
	c := v.caller
	groups, err := v.pickable(chosen)
	if err != nil {
		return err
	}
	for _, g := range groups {
		for i := range g.Rows {
			r := &g.Rows[i]
			r.Everywhere = slices.ContainsFunc(p.now, func(n admin.GivenRole) bool { return n.Everywhere && n.UID == r.UID })
			r.Chosen = r.Chosen || r.Everywhere
		}
	}
	view := pickerView{Groups: groups, Whose: p.whose, Basic: p.basic, Action: p.back + "/roles", Back: p.back}
	view.Write = c.Can(p.add, hallpass.ScopeDelegate) && c.Can(p.remove, hallpass.ScopeDelegate)
	view.Needs = needs(view.Write, p.add)
	for _, g := range groups {
		for _, r := range g.Rows {
			if r.Chosen {
				view.Chosen++
			}
		}
	}
	if view.frame, err = v.frame(p.here, "Roles", p.crumbs...); err != nil {
		return err
	}
	return v.showStatus(status, "roles/picker", view)
}

// pickable returns the roles that are shown, those with the given uids chosen,
// and those locked that the viewer may not give.
func (v *visit) pickable(chosen []string) ([]roleGroup, error) {
	all, err := v.o.Admin.Roles(v.r.Context(), v.caller, admin.RoleFilter{})
	if err != nil {
		return nil, err
	}
	mine, err := v.o.Admin.Roles(v.r.Context(), v.caller, admin.RoleFilter{Delegatable: true})
	if err != nil {
		return nil, err
	}
	groups, _, err := v.groupRoles(all, "")
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		for i := range g.Rows {
			r := &g.Rows[i]
			r.Chosen = slices.Contains(chosen, r.UID)
			r.Locked = !slices.ContainsFunc(mine, func(m hallpass.NamedRole) bool { return m.UID == r.UID })
		}
	}
	return groups, nil
}

// picker returns the handlers of a page where roles are chosen.
func picker(who func(*visit) (pick, error)) (show func(*visit) error, save func(*visit) (change, error)) {
	show = func(v *visit) error {
		p, err := who(v)
		if err != nil {
			return err
		}
		return v.showPicker(http.StatusOK, p, uidsOf(p.now))
	}
	save = func(v *visit) (change, error) {
		p, err := who(v)
		if err != nil {
			return change{}, err
		}
		return v.changeRoles(p)
	}
	return show, save
}

// changeRoles is the change that the form of a picker makes.
func (v *visit) changeRoles(p pick) (change, error) {
	chosen := v.r.PostForm["role"]
	if v.r.PostForm.Get("clear") == "yes" {
		chosen = nil
	}
	for _, r := range p.now { // what the page did not show stays
		if r.Hidden && !r.Everywhere {
			chosen = append(chosen, r.UID)
		}
	}
	c := change{Cancel: p.back, here: p.here, crumbs: append(slices.Clone(p.crumbs), crumb{"Roles", p.back + "/roles"})}
	c.again = func(err error) error {
		if !v.blame(err, "") {
			return err
		}
		return v.showPicker(httpd.Status(err), p, chosen)
	}
	c.Question, c.Button = "Change roles", "Change roles"
	c.Text = "What " + p.whose + " can do changes at once."
	c.done, c.same = "Roles changed of "+p.whose+": ", "Nothing changed: "+p.whose+" has these roles already."
	c.do = func() error { return v.o.Admin.SetRoles(v.r.Context(), v.caller, p.to, chosen, false) }
	had := uidsOf(p.now)
	var said []string
	for _, r := range p.now {
		if !r.Everywhere && !slices.Contains(chosen, r.UID) {
			c.Steps, c.Destroys = append(c.Steps, step{"Role " + roleTitle(r.NamedRole), "given", "not given"}), true
			said = append(said, roleTitle(r.NamedRole)+" taken")
		}
	}
	for i, uid := range chosen {
		if slices.Contains(had, uid) || slices.Contains(chosen[:i], uid) {
			continue
		}
		r, err := v.o.Admin.Role(v.r.Context(), v.caller, uid)
		if err != nil {
			return c, err
		}
		c.Steps = append(c.Steps, step{"Role " + roleTitle(r), "not given", "given"})
		said = append(said, roleTitle(r)+" given")
		if can := setCan(r.Permissions, nil); can != "" {
			c.Facts = append(c.Facts, roleTitle(r)+": "+can)
		}
	}
	c.done += enumerate(said) + "."
	return c, nil
}

// uidsOf lists the roles that are given in this org.
func uidsOf(list []admin.GivenRole) []string {
	var uids []string
	for _, r := range list {
		if !r.Everywhere {
			uids = append(uids, r.UID)
		}
	}
	return uids
}

func accountPick(v *visit) (pick, error) {
	a, err := v.account()
	if err != nil {
		return pick{}, err
	}
	now, err := v.o.Admin.RolesOf(v.r.Context(), v.caller, idText(int64(a.ID)), true)
	return pick{
		"serviceaccounts", "the service account " + a.Name, a.Role.String(), accountURL(a.UID), []crumb{crumbAdmin, crumbAccess, crumbList, {a.Name, accountURL(a.UID)}},
		hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(a.ID)}, now, hallpass.UsersRolesAdd, hallpass.UsersRolesRemove,
	}, err
}

func teamPick(v *visit) (pick, error) {
	t, err := v.team()
	if err != nil {
		return pick{}, err
	}
	now, err := v.o.Admin.RolesOfTeam(v.r.Context(), v.caller, t.ID, true)
	return pick{
		"teams", "the team " + t.Name, "", teamURL(t), []crumb{crumbAdmin, crumbAccess, crumbTeams, {t.Name, teamURL(t)}},
		hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(t.ID)}, now, hallpass.TeamsRolesAdd, hallpass.TeamsRolesRemove,
	}, err
}

func userPick(v *visit) (pick, error) {
	id, err := v.userID()
	if err != nil {
		return pick{}, err
	}
	who, err := v.principal(int64(id))
	if err != nil {
		return pick{}, err
	}
	name := displayName(who)
	now, err := v.o.Admin.RolesOf(v.r.Context(), v.caller, idText(int64(id)), true)
	back := userURL(id)
	return pick{
		"users", "the user " + name, "", back, []crumb{crumbAdmin, crumbAccess, crumbUsers, {name, back}},
		hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(id)}, now, hallpass.UsersRolesAdd, hallpass.UsersRolesRemove,
	}, err
}
