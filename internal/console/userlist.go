package console

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// userRow is a user as lists show it.
type userRow struct {
	ID       hallpass.UserID
	URL      string // empty: the viewer may not see the user's page
	Avatar   string
	Name     string
	Login    string
	Email    string
	Admin    bool
	Disabled bool
	Seen     timestamp
	Role     string // in the org; empty: no member
	More     string // what was given in addition to it, as "1 role"
	Teams    []link
	SignsIn  string // how; empty: there is no way
	Roles    []roleOption
	Write    bool // the role may be changed
	Remove   bool
	You      bool
}

func (req *request) userRow(u hallpass.User) userRow {
	r := userRow{
		ID: u.ID, Avatar: avatarOf(u.Login), Name: userName(u), Login: u.Login, Email: u.Email, Admin: u.ServerAdmin, Disabled: u.Disabled,
		Seen: req.timestamp(u.SeenAt), You: u.ID == req.caller.User(), SignsIn: req.signsIn(u),
	}
	if req.caller.CanOnServer(hallpass.UsersRead, u.ID.GlobalScope()) {
		r.URL = userURL(u.ID)
	}
	return r
}

// signsIn says how the user signs in: "password", the name of the provider, or both; empty:
// there is no way.
func (req *request) signsIn(u hallpass.User) string {
	var ways []string
	if u.HasPassword() {
		ways = append(ways, "password")
	}
	switch {
	case u.Outside && req.o.Provider != nil:
		ways = append(ways, req.o.Provider.Name())
	case u.Outside:
		ways = append(ways, "company account, which is off")
	}
	return strings.Join(ways, " or ")
}

// userSummaryRow is userRow with what the user is in the org.
func (req *request) userSummaryRow(u hallpass.UserSummary) userRow {
	r := req.userRow(u.User)
	for _, t := range u.Teams {
		r.Teams = append(r.Teams, link{Name: t.Team.Name, URL: teamURL(t.Team)})
	}
	if u.Member {
		r.Role, r.More = u.Role.String(), u.Given.Words()
		if req.caller.Can(hallpass.OrgUsersRead, u.ID.Scope()) {
			r.URL = userURL(u.ID)
		}
	}
	return r
}

// usersView is the list of all users, or of the members of the org.
type usersView struct {
	frame
	At        usersAt
	Tabs      []tab
	ListURL   string
	OrgList   bool
	Org       string // whose roles and teams the list shows
	Views     []listFilter
	Columns   userColumns
	Rows      []userRow
	Pager     pager
	Create    bool
	Add       bool
	Roles     []roleOption
	Typed     string // into the form that adds a member
	TypedRole string
}

// userColumns are the columns that sort the list.
type userColumns struct{ Name, Role, Seen sortLink }

// usersAt is what the address of a list of users says.
type usersAt struct {
	path                string
	Query, Filter, Sort string
	Page                int
}

const sortUserName = "name" // hallpass.UsersByName in an address

var userSorts = []string{"", sortUserName, string(hallpass.UsersByRole), string(hallpass.UsersBySeen)}

// readUsersAt reads the address. What it does not understand it leaves out.
func (req *request) readUsersAt(path string) usersAt {
	page, text := req.listPage()
	q := req.URL.Query()
	at := usersAt{path: path, Query: text, Filter: q.Get("filter"), Sort: readSort(q, userSorts), Page: page.Number}
	if !slices.Contains(hallpass.UserViews(), hallpass.UserView(at.Filter)) {
		at.Filter = ""
	}
	return at
}

// URL returns the address.
func (at usersAt) URL() string {
	return at.path + listQuery(map[string]string{"query": at.Query, "filter": at.Filter, "sort": at.Sort, "page": pageText(at.Page)})
}

// with returns the first page of the list after change.
func (at usersAt) with(change func(*usersAt)) string {
	at.Page = 1
	change(&at)
	return at.URL()
}

// sorting returns the head of the column that sorts by the value, in the order first at the
// first press.
func (at usersAt) sorting(label, value, first string) sortLink {
	sorted, next := columnOrder(at.Sort, value, first, sortUserName)
	return sortLink{label, at.with(func(at *usersAt) { at.Sort = next }), sorted}
}

// filter returns the filter for the page.
func (at usersAt) filter(members bool) admin.UserListFilter {
	name, reverse := strings.CutPrefix(at.Sort, "-")
	if name == sortUserName {
		name = ""
	}
	return admin.UserListFilter{
		Members: members, Query: at.Query, View: hallpass.UserView(at.Filter), Sort: hallpass.UserSort(name), Reverse: reverse,
		Page: admin.Page{Number: at.Page, Size: perPage}, Names: collate.New(language.Und, collate.Numeric).CompareString,
	}
}

func (req *request) userTabs(org bool) []tab {
	var tabs []tab
	if req.caller.CanOnServer(hallpass.UsersRead, "") {
		tabs = append(tabs, tab{"All users", crumbUsers.URL, !org})
	}
	if req.caller.Can(hallpass.OrgUsersRead, "") {
		tabs = append(tabs, tab{"Organization users", crumbOrgUsers.URL, org})
	}
	return tabs
}

// users is GET /admin/users.
func users(req *request) error {
	if !req.caller.CanOnServer(hallpass.UsersRead, "") && req.caller.Can(hallpass.OrgUsersRead, "") {
		req.seeOther(crumbOrgUsers.URL)
		return nil
	}
	view := usersView{Create: req.caller.CanOnServer(hallpass.UsersCreate, "")}
	if err := req.fillUsers(&view, crumbUsers, nounUser); err != nil {
		return err
	}
	return req.show("users/list", view)
}

// orgUsers is GET /org/users.
func orgUsers(req *request) error { return req.showOrgUsers(http.StatusOK, usersView{}) }

func (req *request) showOrgUsers(status int, view usersView) error {
	view.OrgList = true
	if err := req.fillUsers(&view, crumbOrgUsers, nounMember); err != nil {
		return err
	}
	own := req.caller.HighestMemberRole()
	view.Add = req.caller.Can(hallpass.OrgUsersAdd, "users:*")
	chosen, ok := hallpass.ParseRole(view.TypedRole)
	if !ok {
		chosen = hallpass.RoleViewer
	}
	view.Roles = req.roleOptions(chosen, own)
	for i := range view.Rows {
		r := &view.Rows[i]
		role, _ := hallpass.ParseRole(r.Role)
		r.Roles = req.roleOptions(role, own)
		r.Write = req.caller.Can(hallpass.OrgUsersWrite, r.ID.Scope())
		r.Remove = req.caller.Can(hallpass.OrgUsersRemove, r.ID.Scope())
	}
	return req.showStatus(status, "users/list", view)
}

// fillUsers fills in the list at the crumb.
func (req *request) fillUsers(view *usersView, here crumb, of noun) error {
	at := req.readUsersAt(here.URL)
	list, err := req.o.Admin.UserList(req.Context(), req.caller, at.filter(view.OrgList))
	if err != nil {
		return err
	}
	view.At, view.ListURL, view.Tabs = at, here.URL, req.userTabs(view.OrgList)
	for _, u := range list.Page {
		view.Rows = append(view.Rows, req.userSummaryRow(u))
	}
	for _, v := range hallpass.UserViews() {
		f := listFilter{Label: userViewLabels[v], Count: list.Counts[v], Current: string(v) == at.Filter}
		if v == hallpass.OutsideUsers && req.o.Provider == nil && f.Count == 0 {
			continue
		}
		f.URL = at.with(func(at *usersAt) { at.Filter = string(v) })
		view.Views = append(view.Views, f)
	}
	view.Columns = userColumns{Name: at.sorting("User", sortUserName, "ascending"), Role: at.sorting("Role", "role", "descending"), Seen: at.sorting("Last seen", "seen", "descending")}
	view.Pager = pagerAt(list.Total, at.Page, of, func(n int) string { return at.with(func(at *usersAt) { at.Page = n }) })
	view.frame, err = req.frame("users", here.Label, crumbAdmin, crumbAccess)
	view.Org = view.Nav.Org
	return err
}
