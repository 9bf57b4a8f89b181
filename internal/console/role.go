package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

var crumbRoles = crumb{nounRole.Title(), "/admin/roles"}

func roleURL(uid string) string { return crumbRoles.URL + "/" + url.PathEscape(uid) }

// roleTitle is what people call a role.
func roleTitle(r hallpass.NamedRole) string { return admin.RoleTitle(r) }

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
	Words       string // everything that a search looks at, folded
	Chosen      bool
	New         bool // it is chosen, and was not given yet
	Locked      bool // the viewer may not give it
	Everywhere  bool // given on the server for every org: it cannot be removed here
	Cells       []matrixCell
}

// Count says how many permissions the role has.
func (r roleRow) Count() string { return hallpass.Counted(len(r.Permissions), "permission") }

// permissionRow is one permission.
type permissionRow struct {
	Action, Scope string
	On            link // what the scope stands for, if it is one thing with a name
}

func roleRowOf(r hallpass.NamedRole, n names) roleRow {
	row := roleRow{
		UID: r.UID, URL: roleURL(r.UID), Title: roleTitle(r), Name: r.Name, Description: r.Description, Global: r.Global() && !r.Fixed() && !r.Basic(),
		Can: permissionsWords(r.Permissions, n.scopeName),
	}
	if r.Fixed() {
		row.Description = "" // it repeats Can
	}
	words := []string{row.Title, r.Name, r.Description, r.Group, row.Can}
	for _, p := range r.Permissions {
		row.Permissions = append(row.Permissions, permissionRow{actionText(p.Action), string(p.Scope), n.linkTo(p.Scope)})
		words = append(words, string(p.Action), string(p.Scope))
	}
	row.Words = hallpass.NameKey(strings.Join(words, " "))
	return row
}

// roleGroup is the roles of one kind.
type roleGroup struct {
	Name string
	Rows []roleRow
	kind noun
}

// rolesView is the list of roles.
type rolesView struct {
	frame
	Query  string
	Matrix bool
	Tabs   []tab
	Groups []roleGroup
	Areas  []string
	Levels []actionLevel
	Create bool
	Total  int
}

// roles is GET /admin/roles?query&view.
func roles(req *request) error {
	list, err := req.o.Admin.Roles(req.Context(), req.caller, admin.RoleFilter{Hidden: true})
	if err != nil {
		return err
	}
	_, text := req.listPage()
	view := rolesView{Query: text, Levels: actionLevels, Matrix: req.URL.Query().Get("view") == "matrix", Create: req.caller.Can(hallpass.RolesWrite, hallpass.ScopeDelegate)}
	view.Tabs = []tab{{"List", rolesURL(text, false), !view.Matrix}, {"Matrix", rolesURL(text, true), view.Matrix}}
	for _, area := range hallpass.Areas() {
		view.Areas = append(view.Areas, string(area))
	}
	if view.Groups, view.Total, err = req.groupRoles(list, text); err != nil {
		return err
	}
	if view.frame, err = req.frame("roles", crumbRoles.Label, crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return req.show("roles/list", view)
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

// groupRoles groups the roles that match text by kind. A role matches when its names,
// texts and permissions hold every word of text.
func (req *request) groupRoles(list []hallpass.NamedRole, text string) (groups []roleGroup, total int, err error) {
	var all [][]hallpass.Permission
	for _, r := range list {
		all = append(all, r.Permissions)
	}
	n, err := req.namesIn(all...)
	if err != nil {
		return nil, 0, err
	}
	byKind := make(map[noun][]roleRow)
	for _, r := range list {
		row := roleRowOf(r, n)
		if !matches(row.Words, text) {
			continue
		}
		row.Cells = matrixCells(r.Permissions)
		byKind[roleNoun(r)] = append(byKind[roleNoun(r)], row)
		total++
	}
	for _, kind := range []noun{nounBasicRole, nounCustomRole, nounFixedRole} {
		if rows := byKind[kind]; len(rows) > 0 {
			if kind != nounBasicRole { // those are in the order of power
				sortByName(rows, func(r roleRow) string { return r.Title })
			}
			groups = append(groups, roleGroup{kind.Title(), rows, kind})
		}
	}
	return groups, total, nil
}

// matrixCells is a role's row of the matrix: the highest level of its permissions in
// each area. Foreign actions have none: only the other API knows what they do.
func matrixCells(list []hallpass.Permission) []matrixCell {
	most, foreign := make(map[hallpass.Area]hallpass.ActionLevel), false
	for _, p := range list {
		info, known := p.Action.Info()
		if !known {
			foreign = true
			continue
		}
		most[info.Area] = max(most[info.Area], info.Level)
	}
	var row []matrixCell
	for _, area := range hallpass.Areas() {
		row = append(row, matrixCell{string(area), most[area].String(), foreign && area == hallpass.AreaOther})
	}
	return row
}

// matrixCell is the highest level of a role in one area; "": none.
type matrixCell struct {
	Area, Level string
	Foreign     bool // the role also holds actions of other APIs
}

// roleView is the page of one role.
type roleView struct {
	frame
	Role        roleRow
	Kind        string
	RoleVersion int64
	Who         []link
	SeeWho      bool
	Change      bool
	ChangeBy    string // why it cannot be changed
	Delete      bool
}

// rolePage is GET /admin/roles/{role}.
func rolePage(req *request) error {
	err := req.showRole(http.StatusOK)
	if req.PathValue("role") == "create" && errors.Is(err, hallpass.NotFound) {
		req.seeOther(newRoleURL) // the old address of the form
		return nil
	}
	return err
}

func (req *request) showRole(status int) error {
	ctx, c := req.Context(), req.caller
	r, err := req.o.Admin.Role(ctx, c, req.PathValue("role"))
	if err != nil {
		return err
	}
	n, err := req.namesIn(r.Permissions)
	if err != nil {
		return err
	}
	view := roleView{Role: roleRowOf(r, n), Kind: sentenceStart(roleNoun(r).one), RoleVersion: r.Version}
	view.Change, view.Delete = c.MayChangeRole(r), c.MayDeleteRole(r)
	switch {
	case r.Fixed():
		view.ChangeBy = "Fixed roles cannot be changed"
	case !view.Change && r.Global():
		view.ChangeBy = "Only server admins change global roles"
	case !view.Change:
		view.ChangeBy = needs(false, hallpass.RolesWrite)
	}
	if c.MayReadAssignments() && !r.Basic() {
		view.SeeWho = true
		who, err := req.o.Admin.RoleAssignments(ctx, c, r.UID)
		if err != nil {
			return err
		}
		view.Who = req.holders(who)
	}
	if view.frame, err = req.frame("roles", roleTitle(r), crumbAdmin, crumbAccess, crumbRoles); err != nil {
		return err
	}
	return req.showStatus(status, "roles/detail", view)
}

// holders lists who has a role, with links to their pages.
func (req *request) holders(who admin.RoleAssignments) []link {
	var list []link
	for _, r := range who.BasicRoles {
		list = append(list, link{Name: "everybody with the basic role " + r.String(), URL: roleURL("basic_" + strings.ToLower(r.String()))})
	}
	for _, t := range who.Teams {
		list = append(list, link{Kind: "team", Name: t.Name, URL: teamURL(t), ID: "team:" + idText(int64(t.ID))})
	}
	for _, p := range who.ServiceAccounts {
		list = append(list, link{Kind: "service account", Name: displayName(p), URL: req.principalURL(p), ID: "serviceaccount:" + idText(p.ID)})
	}
	for _, p := range who.Users {
		list = append(list, link{Kind: "user", Name: displayName(p), URL: req.principalURL(p), ID: "user:" + idText(p.ID)})
	}
	return list
}

// powerWords says in one line what the permissions permit.
func (req *request) powerWords(p *hallpass.Permissions) (string, error) {
	n, err := req.namesIn(p.List())
	if err != nil {
		return "", err
	}
	return p.Power(hallpass.Nobody, n.scopeName).Short(), nil
}

// permissionsWords says what a role with the permissions permits.
func permissionsWords(list []hallpass.Permission, name func(hallpass.Scope) string) string {
	can := hallpass.NewPermissions(list...).Power(hallpass.Nobody, name).Short()
	if can == "" {
		return "Permits nothing."
	}
	return can
}

func roleNames(list []admin.GivenRole) []string {
	var names []string
	for _, r := range list {
		names = append(names, roleTitle(r.NamedRole))
	}
	return names
}
