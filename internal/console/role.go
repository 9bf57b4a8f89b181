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
	File        string // the provisioning file that declares it; empty: none does
	Global      bool
	Can         string // what it permits, in words
	Permissions []permissionRow
	Words       string // everything that a search looks at, folded
	Chosen      bool
	New         bool // it is chosen, and was not given yet
	Locked      bool // the viewer may not give it
	Everywhere  bool // given on the server for every org: it cannot be removed here
	Cells       []matrixCell
	Kind        string // in the list of all kinds
	Held        string // by how many, in words; empty: nobody may know
	Nobody      bool   // has it
}

// Count says how many permissions the role has.
func (r roleRow) Count() string { return hallpass.Counted(len(r.Permissions), "permission") }

// permissionRow is one permission.
type permissionRow struct {
	Action, Scope string
	On            link // what the scope stands for, if it is one thing with a name
}

func permissionRowOf(p hallpass.Permission, n names) permissionRow {
	return permissionRow{actionText(p.Action), string(p.Scope), n.linkTo(p.Scope)}
}

// roleAreas are the areas in which a role with the permissions allows anything, with those
// of each.
func roleAreas(list []hallpass.Permission, n names) []powerArea {
	areas := powerAreas(hallpass.NewPermissions(list...).Power(hallpass.Nobody, n.scopeName))
	for _, p := range list {
		name, _ := areaOf(p, n.scopeName)
		area := areaIn(&areas, name)
		area.Rows = append(area.Rows, permissionRowOf(p, n))
	}
	return areas
}

func roleRowOf(r hallpass.NamedRole, n names) roleRow {
	row := roleRow{
		UID: r.UID, URL: roleURL(r.UID), Title: roleTitle(r), Name: r.Name, Description: r.Description, File: r.File, Global: r.Global() && !r.Fixed() && !r.Basic(),
		Can: permissionsWords(r.Permissions, n.scopeName),
	}
	if r.Fixed() {
		row.Description = "" // it repeats Can
	}
	words := []string{row.Title, r.Name, r.Description, r.Group, row.Can}
	for _, p := range r.Permissions {
		row.Permissions = append(row.Permissions, permissionRowOf(p, n))
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

// rolesView is the list of roles: a matrix, or what each allows in words.
type rolesView struct {
	frame
	Query  string
	Kind   string // of the roles that are shown: "basic", "own", "fixed" or "" for all
	Words  bool   // it is in words
	Tabs   []tab
	Kinds  []listFilter
	Groups []roleGroup
	Rows   []roleRow // of all groups
	Areas  []string
	See    bool // who has a role is told
	Create bool
}

// roleKinds are the kinds of roles as the address of the list names them.
var roleKinds = []struct {
	value string
	kind  noun
}{{"basic", nounBasicRole}, {"own", nounCustomRole}, {"fixed", nounFixedRole}}

// roles is GET /admin/roles?query&kind&view.
func roles(req *request) error {
	list, err := req.o.Admin.Roles(req.Context(), req.caller, admin.RoleFilter{Hidden: true})
	if err != nil {
		return err
	}
	_, text := req.listPage()
	q := req.URL.Query()
	view := rolesView{Query: text, Kind: q.Get("kind"), Words: q.Get("view") == "list", Create: req.caller.Can(hallpass.RolesWrite, hallpass.ScopeDelegate)}
	at := func(kind string, words bool) string {
		values := map[string]string{"query": text, "kind": kind}
		if words {
			values["view"] = "list"
		}
		return crumbRoles.URL + listQuery(values)
	}
	view.Tabs = []tab{{"Matrix", at(view.Kind, false), !view.Words}, {"In words", at(view.Kind, true), view.Words}}
	for _, area := range hallpass.Areas() {
		view.Areas = append(view.Areas, string(area))
	}
	groups, total, err := req.groupRoles(list, text)
	if err != nil {
		return err
	}
	view.pick(groups, total, func(kind string) string { return at(kind, view.Words) })
	if err := req.countHolders(&view); err != nil {
		return err
	}
	if view.frame, err = req.frame("roles", crumbRoles.Label, crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return req.show("roles/list", view)
}

// pick takes the groups of the kind that is shown, and counts all.
func (v *rolesView) pick(groups []roleGroup, total int, at func(kind string) string) {
	v.Kinds = []listFilter{{Label: "All", URL: at(""), Count: total}}
	known := false
	for _, k := range roleKinds {
		f := listFilter{Label: k.kind.Title(), URL: at(k.value), Current: v.Kind == k.value}
		if k.kind == nounCustomRole {
			f.Label = "Own roles"
		}
		for _, g := range groups {
			if g.kind == k.kind {
				f.Count = len(g.Rows)
				if f.Current || v.Kind == "" {
					v.Groups = append(v.Groups, g)
				}
			}
		}
		known = known || f.Current
		v.Kinds = append(v.Kinds, f)
	}
	v.Kinds[0].Current = !known
	if !known && v.Kind != "" { // no such kind
		v.Kind, v.Groups = "", groups
	}
	for _, g := range v.Groups {
		for _, r := range g.Rows {
			r.Kind = sentenceStart(g.kind.one)
			if g.kind == nounCustomRole {
				r.Kind = "Own role"
			}
			v.Rows = append(v.Rows, r)
		}
	}
}

// countHolders counts who has the roles, as far as the viewer may know it.
func (req *request) countHolders(v *rolesView) error {
	if v.See = req.caller.MayReadAssignments(); !v.See {
		return nil
	}
	holders, err := req.o.Admin.RoleHolders(req.Context(), req.caller)
	for i := range v.Rows {
		h := holders[v.Rows[i].UID]
		v.Rows[i].Held, v.Rows[i].Nobody = sentenceStart(holderWords(h)), h == admin.RoleCount{}
		if v.Rows[i].UID == hallpass.ServerAdminUID { // it is no matter of the org
			v.Rows[i].Held, v.Rows[i].Nobody = "Server admins", false
		}
	}
	return err
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
	Areas       []powerArea
	Open        bool // there are few permissions
	RoleVersion int64
	Who         []link
	SeeWho      bool
	Change      bool
	ChangeBy    string // why it cannot be changed
	Delete      bool
	DeleteBy    string // why it cannot be deleted, although the viewer might; empty: that is not so
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
	view.Areas, view.Open = roleAreas(r.Permissions, n), len(r.Permissions) <= openPowers
	view.Change, view.Delete = c.MayChangeRole(r), c.MayDeleteRole(r)
	if declared := declaredBy(r.File); declared != "" && view.Delete {
		view.Delete, view.DeleteBy = false, declared
	}
	switch {
	case r.Fixed():
		view.ChangeBy = "Fixed roles cannot be changed"
	case !view.Change && r.Global():
		view.ChangeBy = "Only server admins change global roles"
	case !view.Change:
		view.ChangeBy = needs(false, hallpass.RolesWrite)
	default:
		view.ChangeBy = declaredBy(r.File)
		view.Change = view.ChangeBy == ""
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
