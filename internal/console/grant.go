package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/library"
)

// grantsView is the page of who was given access to one account or folder.
type grantsView struct {
	frame
	Heading   string
	Lead      string
	Head      accountHead // of the account that it is about
	Groups    []grantGroup
	Action    string // of the forms
	Write     bool
	Needs     string
	Levels    []levelOption
	BasicRole bool // can be given access too
	Kinds     []choice
	Principal []string
	Teams     []string
	Kind      string // typed into the form
	Who       string
}

// grantGroup is the access of users, of accounts, of teams or of basic roles.
type grantGroup struct {
	Name string
	Rows []grantRow
}

// grantRow is the access of one grantee.
type grantRow struct {
	Kind      string
	Ref       string
	Name      string
	Login     string
	URL       string // of the page about them; empty: none that the viewer may see
	Avatar    string
	Level     string
	Levels    []levelOption
	Inherited string // what it is inherited from; empty: it is set here
	From      string // address of what it is inherited from
	Write     bool
	Actions   string
}

// levelOption is a level that may be chosen.
type levelOption struct {
	Name     string
	Can      string
	Selected bool
}

func levelOptions(r hallpass.Resource, selected hallpass.Level) []levelOption {
	var list []levelOption
	for _, l := range r.Levels() {
		list = append(list, levelOption{string(l), r.LevelWords(l), l == selected})
	}
	return list
}

// grantPage describes the resource that a page of grants is about.
type grantPage struct {
	resource hallpass.Resource
	ref      string
	url      string
	heading  string
	lead     string
	head     accountHead
	here     string
	crumbs   []crumb
	write    bool
	names    map[string]string  // of folders, by uid
	folder   library.FolderView // that it is about
	above    []crumb            // of the folder
}

func (req *request) showGrants(status int, p grantPage, view grantsView) error {
	var err error
	if view.Groups, err = req.grantGroups(p); err != nil {
		return err
	}
	view.Heading, view.Lead, view.Head, view.Action, view.Write = p.heading, p.lead, p.head, p.url, p.write
	view.Needs, view.BasicRole = needs(p.write, p.resource.PermissionsWrite()), p.resource.BasicRoles()
	view.Levels = levelOptions(p.resource, p.resource.Levels()[0])
	for _, g := range granteeNouns {
		if g.kind != hallpass.ToBasicRole || view.BasicRole {
			view.Kinds = append(view.Kinds, choice{string(g.kind), sentenceStart(g.noun), string(g.kind) == view.Kind})
		}
	}
	if view.Write {
		if err := req.suggest(&view); err != nil {
			return err
		}
	}
	if view.frame, err = req.frame(p.here, "Permissions", p.crumbs...); err != nil {
		return err
	}
	return req.showStatus(status, "grants/list", view)
}

// grantGroups returns who was given access, by kind and name.
func (req *request) grantGroups(p grantPage) (list []grantGroup, err error) {
	given, err := req.o.Admin.Accesses(req.Context(), req.caller, p.resource, p.ref)
	if err != nil {
		return nil, err
	}
	groups := make(map[noun][]grantRow)
	for _, g := range given {
		kind, row := req.grantRow(p, g)
		groups[kind] = append(groups[kind], row)
	}
	for _, kind := range []noun{nounUser, nounAccount, nounTeam, nounBasicRole} {
		if rows := groups[kind]; len(rows) > 0 {
			if kind != nounBasicRole { // those are in the order of power
				sortByName(rows, func(r grantRow) string { return r.Name })
			}
			list = append(list, grantGroup{kind.Title(), rows})
		}
	}
	return list, nil
}

func (req *request) grantRow(p grantPage, g admin.Access) (kind noun, row grantRow) {
	row = grantRow{Level: string(g.Level), Levels: levelOptions(g.Resource, g.Level), Write: p.write && !g.Inherited, Ref: granteeRef(g.To), Kind: string(g.To.Kind)}
	if g.Inherited {
		row.Inherited, row.From = p.names[g.ResourceID], folderURL(g.ResourceID)
	}
	var actions []string
	for _, a := range g.Resource.Actions(g.Level) {
		actions = append(actions, string(a))
	}
	row.Actions = strings.Join(actions, ", ")
	switch {
	case g.To.Kind == hallpass.ToTeam:
		row.Name, row.Avatar, row.URL = g.Team.Name, avatarOf(g.Team.Name), teamURL(g.Team)
		return nounTeam, row
	case g.To.Kind == hallpass.ToBasicRole:
		row.Name, row.Login = row.Ref, "and the roles above it"
		return nounBasicRole, row
	}
	row.Name, row.Login, row.Avatar = displayName(g.Principal), g.Principal.Login, avatarOf(g.Principal.Login)
	row.URL = req.principalURL(g.Principal)
	if g.Principal.Kind == hallpass.ServiceAccountPrincipal {
		return nounAccount, row
	}
	return nounUser, row
}

// suggestions is how many names a form suggests.
const suggestions = 200

// suggest fills in names to choose from, as far as the viewer may see them.
func (req *request) suggest(view *grantsView) error {
	ctx, c := req.Context(), req.caller
	if c.Can(hallpass.OrgUsersRead, "") {
		list, _, err := req.o.Admin.OrgUsersPage(ctx, c, "", admin.Page{Number: 1, Size: suggestions})
		if err != nil {
			return err
		}
		for _, m := range list {
			view.Principal = append(view.Principal, m.User.Login)
		}
	}
	if c.Can(hallpass.TeamsRead, "") {
		list, _, err := req.o.Admin.Teams(ctx, c, admin.TeamFilter{Page: admin.Page{Number: 1, Size: suggestions}})
		if err != nil {
			return err
		}
		for _, t := range list {
			view.Teams = append(view.Teams, t.Name)
		}
		sortByName(view.Teams, func(s string) string { return s })
	}
	return nil
}

// setGrant is the change that the form of a page of grants makes.
func (req *request) setGrant(p grantPage) (change, error) {
	f := req.PostForm
	kind, who, level := f.Get("kind"), strings.TrimSpace(f.Get("who")), hallpass.Level(f.Get("level"))
	c := change{Cancel: p.url, here: p.here, crumbs: append(slices.Clone(p.crumbs), crumb{"Permissions", p.url})}
	field := "who"
	c.again = func(err error) error {
		if !req.formError(err, field, "level", "kind") {
			return err
		}
		return req.showGrants(httpd.Status(err), p, grantsView{Kind: kind, Who: who})
	}
	list, err := req.o.Admin.Accesses(req.Context(), req.caller, p.resource, p.ref)
	if err != nil {
		return c, err
	}
	if !p.write {
		return c, req.o.Admin.Authorize(req.Context(), req.caller, p.resource.PermissionsWrite(), p.resource.Scope(p.ref))
	}
	if level != "" && p.resource.Actions(level) == nil {
		return c, hallpass.Invalidf("level", "there is no such permission here")
	}
	to, name, err := req.grantee(kind, who)
	if err != nil {
		return c, err
	}
	was := hallpass.Level("")
	for _, g := range list {
		if !g.Inherited && g.To == to {
			was, name = g.Level, granteeName(g)
		}
	}
	if _, row := hallpass.ParseID(who); row || f.Has("row") {
		field = "level-" + kind + "-" + who
	}
	p.describe(&c, name, was, level)
	c.do = func() error {
		given := admin.NewAccess{Kind: to.Kind, Ref: granteeRef(to), Level: level}
		return req.o.Admin.SetAccess(req.Context(), req.caller, p.resource, p.ref, []admin.NewAccess{given}, false)
	}
	return c, nil
}

// describe fills in the texts of the change of a grantee's level.
func (p grantPage) describe(c *change, name string, was, level hallpass.Level) {
	if was != level {
		c.Steps = []step{{name, p.levelText(was), p.levelText(level)}}
	}
	c.Question, c.Button = "Add permission", "Add permission"
	c.Text = named(name) + " may then " + p.resource.LevelWords(level) + "."
	c.done = name + " has the permission " + string(level) + " on " + p.heading + " now."
	c.same = "Nothing changed: " + name + " has the permission " + string(level) + " already."
	switch {
	case level == "":
		c.Question, c.Button, c.Destroys = "Remove permission", "Remove permission", true
		c.Text = named(name) + " loses this access at once. Access through roles, teams and parent folders stays."
		c.done, c.same = name+" no longer has a permission of its own on "+p.heading+".", "Nothing changed: "+name+" has no permission here."
	case was != "":
		c.Question, c.Button = "Change permission", "Change permission"
	}
}

// levelText says a level as a step shows it.
func (p grantPage) levelText(l hallpass.Level) string {
	if l == "" {
		return "no permission of its own on " + p.heading
	}
	return string(l) + " on " + p.heading
}

// granteeName is the name of a grantee, as sentences have it.
func granteeName(g admin.Access) string {
	switch g.To.Kind {
	case hallpass.ToTeam:
		return "team " + g.Team.Name
	case hallpass.ToBasicRole:
		return basicGranteeName(g.To)
	}
	return displayName(g.Principal)
}

func basicGranteeName(to hallpass.Grantee) string {
	return "everybody with the role " + granteeRef(to) + " or a higher one"
}

// granteeRef is how a form names a grantee: a basic role by name, others by ID.
func granteeRef(to hallpass.Grantee) string {
	if to.Kind == hallpass.ToBasicRole {
		return hallpass.Role(to.ID).String()
	}
	return idText(to.ID)
}

// grantee returns the grantee that a form names, and its name. The form of a row
// has an ID, other forms a name.
func (req *request) grantee(kind, who string) (to hallpass.Grantee, name string, err error) {
	id, number := hallpass.ParseID(who)
	to = hallpass.Grantee{Kind: hallpass.GranteeKind(kind), ID: id}
	switch {
	case to.Kind == hallpass.ToBasicRole:
		to, ok := hallpass.BasicGrantee(who)
		if !ok {
			err = hallpass.Invalidf("who", "there is no basic role of that name to give access to")
		}
		return to, basicGranteeName(to), err
	case to.Kind == hallpass.ToTeam && number:
		t, err := req.o.Admin.Team(req.Context(), req.caller, hallpass.TeamID(id))
		return to, "team " + t.Name, err
	case to.Kind == hallpass.ToTeam:
		list, _, err := req.o.Admin.Teams(req.Context(), req.caller, admin.TeamFilter{Name: who, Page: admin.Page{Number: 1, Size: 1}})
		if err == nil && (len(list) == 0 || who == "") {
			err = hallpass.Invalidf("who", "there is no such team in this organization")
		}
		if err != nil {
			return to, "", err
		}
		to.ID = int64(list[0].ID)
		return to, "team " + list[0].Name, nil
	case to.Kind != hallpass.ToPrincipal:
		return to, "", hallpass.Invalidf("kind", "choose a user or service account, a team, or a basic role")
	case number:
		p, err := req.principal(id)
		return to, displayName(p), err
	}
	p, err := req.o.Admin.FindPrincipal(req.Context(), req.caller, who)
	if hallpass.KindOf(err) == hallpass.NotFound || who == "" {
		err = hallpass.Invalidf("who", "there is no such user or service account in this organization")
	}
	to.ID = p.ID
	return to, displayName(p), err
}

func (req *request) accountGrants() (grantPage, error) {
	a, err := req.account()
	if err != nil {
		return grantPage{}, err
	}
	head, err := req.accountHead(a, tabPermissions)
	at := accountURL(a.UID)
	return grantPage{
		resource: hallpass.ServiceAccountResource, ref: idText(int64(a.ID)), url: at + "/permissions", heading: a.Name,
		lead: "Who may manage this service account, in addition to everybody whose role covers all service accounts.", head: head,
		here: "serviceaccounts", crumbs: []crumb{crumbAdmin, crumbAccess, crumbAccounts, {a.Name, at}},
		write: req.caller.Can(hallpass.ServiceAccountsPermissionsWrite, a.ID.Scope()),
	}, err
}

// accountPermissions is GET /org/serviceaccounts/{ref}/permissions.
func accountPermissions(req *request) error {
	p, err := req.accountGrants()
	if err != nil {
		return err
	}
	return req.showGrants(http.StatusOK, p, grantsView{})
}

// setAccountPermission is POST on the same path.
func setAccountPermission(req *request) (change, error) {
	p, err := req.accountGrants()
	if err != nil {
		return change{}, err
	}
	return req.setGrant(p)
}
