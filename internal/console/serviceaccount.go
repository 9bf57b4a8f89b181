package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

const accountsPerPage = 50

// listView is the list of service accounts.
type listView struct {
	frame
	Query, Filter string
	Page, Pages   int
	Total         int
	Filters       []filterLink
	Rows          []accountRow
	Create        bool
	FirstRun      bool // there are none at all
	Back          string
	Prev, Next    string // addresses; empty: none
}

// filterLink is one of the list's filters.
type filterLink struct {
	Label, URL string
	Current    bool
}

// accountRow is an account as lists and its own page show it.
type accountRow struct {
	ID         hallpass.ServiceAccountID
	URL        string
	Avatar     string
	Name       string
	Login      string
	Role       string
	Roles      []roleOption
	Disabled   bool
	Tokens     int
	Live       int    // tokens that may be used now
	Endless    int    // of those that have not ended, how many never will
	More       string // what was given beside the role, as "1 role"
	LastUsed   moment
	NextExpiry moment
	Soon       bool // the next expiry is within seven days
	Write      bool
	Delete     bool
}

// roleOption is a role that may be chosen.
type roleOption struct {
	Name     string
	Can      string // what it permits, in a sentence
	Selected bool
	Above    bool // of the caller's own: not theirs to give
}

func (v *visit) roleOptions(selected, own hallpass.Role) []roleOption {
	var all []roleOption
	for _, r := range hallpass.Roles() {
		all = append(all, roleOption{r.String(), v.roleCan(r), r == selected, r > own})
	}
	return all
}

var filters = []struct{ value, label string }{{"", "All"}, {"expired", "With expired tokens"}, {"disabled", "Disabled"}}

// accountURL returns the address of the page of the account with that uid.
func accountURL(uid string) string { return crumbList.URL + "/" + url.PathEscape(uid) }

// listURL returns the address of a view of the list.
func listURL(query, filter string, page int) string {
	q := url.Values{}
	if query != "" {
		q.Set("query", query)
	}
	if filter != "" {
		q.Set("filter", filter)
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return crumbList.URL
	}
	return crumbList.URL + "?" + q.Encode()
}

// serviceAccounts is GET /org/serviceaccounts.
func serviceAccounts(v *visit) error {
	q := v.r.URL.Query()
	view := listView{Query: q.Get("query"), Filter: q.Get("filter"), Page: 1, Create: v.caller.Can(hallpass.ServiceAccountsCreate, "")}
	if view.Filter != "expired" && view.Filter != "disabled" {
		view.Filter = ""
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		view.Page = n
	}
	var accounts []hallpass.ServiceAccountSummary
	var err error
	if !view.Create || v.caller.Can(hallpass.ServiceAccountsRead, "") {
		accounts, view.Total, err = pageByName(admin.Page{Number: view.Page, Size: accountsPerPage}, func(p admin.Page) ([]hallpass.ServiceAccountSummary, int, error) {
			return v.o.Admin.ServiceAccounts(v.r.Context(), v.caller, admin.ServiceAccountFilter{
				Query: view.Query, ExpiredOnly: view.Filter == "expired", DisabledOnly: view.Filter == "disabled", Page: p.Number, PerPage: p.Size,
			})
		}, func(a hallpass.ServiceAccountSummary) string { return a.Name })
		if err != nil {
			return err
		}
	}
	for _, a := range accounts {
		view.Rows = append(view.Rows, v.accountRow(a))
	}
	view.Pages = max(1, (view.Total+accountsPerPage-1)/accountsPerPage)
	view.FirstRun = view.Total == 0 && view.Query == "" && view.Filter == ""
	view.Back = listURL(view.Query, view.Filter, view.Page)
	if view.Page > 1 {
		view.Prev = listURL(view.Query, view.Filter, min(view.Page-1, view.Pages))
	}
	if view.Page < view.Pages {
		view.Next = listURL(view.Query, view.Filter, view.Page+1)
	}
	for _, f := range filters {
		view.Filters = append(view.Filters, filterLink{f.label, listURL(view.Query, f.value, 1), f.value == view.Filter})
	}
	if view.frame, err = v.frame("serviceaccounts", "Service accounts", crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return v.show("serviceaccounts/list", view)
}

func (v *visit) accountRow(a hallpass.ServiceAccountSummary) accountRow {
	return accountRow{
		ID: a.ID, URL: accountURL(a.UID), Avatar: avatarURL(a.Login), Name: a.Name, Login: a.Login,
		Role: a.Role.String(), Roles: v.roleOptions(a.Role, v.caller.Role), Disabled: a.Disabled, Tokens: a.Tokens, Live: a.Usable(), Endless: a.Endless, More: a.Given.Words(),
		LastUsed: v.moment(a.LastUsedAt), NextExpiry: v.moment(a.NextExpiry),
		Soon:   !a.NextExpiry.IsZero() && a.NextExpiry.Sub(v.o.Admin.Now()) < 7*24*time.Hour,
		Write:  v.caller.Can(hallpass.ServiceAccountsWrite, a.ID.Scope()),
		Delete: v.caller.Can(hallpass.ServiceAccountsDelete, a.ID.Scope()),
	}
}

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

var errRole = hallpass.Invalidf("role", "there is no such role")

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

// detailView is the page of one account.
type detailView struct {
	frame
	Account  accountRow
	Created  moment
	Edit     bool // the name is being edited
	NewName  string
	Rows     rowsView
	Form     tokenFormView
	OpenForm bool   // the token dialog opens with the page
	Expires  string // the lifetime that the address asks for
	Tabs     []tab
	SeeRoles bool
	More     []string // roles beside the basic one
}

// NeedsWrite says why the buttons that write are disabled; empty: they are not.
func (d detailView) NeedsWrite() string {
	if d.Account.Write {
		return ""
	}
	return "You need the permission " + string(hallpass.ServiceAccountsWrite)
}

// NeedsDelete says why the account cannot be deleted; empty: it can.
func (d detailView) NeedsDelete() string {
	if d.Account.Delete {
		return ""
	}
	return "You need the permission " + string(hallpass.ServiceAccountsDelete)
}

// NoToken says why no token can be added; empty: one can.
func (d detailView) NoToken() string {
	if d.Account.Write && d.Account.Disabled {
		return "The service account is disabled"
	}
	return d.NeedsWrite()
}

// account returns the account that the path names and the caller may read.
func (v *visit) account() (hallpass.ServiceAccountSummary, error) {
	id, err := v.accountID()
	if err != nil {
		return hallpass.ServiceAccountSummary{}, err
	}
	return v.o.Admin.ServiceAccount(v.r.Context(), v.caller, id)
}

func (v *visit) accountID() (hallpass.ServiceAccountID, error) {
	id, err := v.o.Admin.ServiceAccountID(v.r.Context(), v.caller, v.r.PathValue("ref"))
	if errors.Is(err, hallpass.Invalid) || errors.Is(err, hallpass.NotFound) {
		err = &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such service account in this organization.", Err: err}
	}
	return id, err
}

// serviceAccount is GET /org/serviceaccounts/{ref}.
func serviceAccount(v *visit) error {
	return v.showAccount(http.StatusOK, detailView{Edit: v.r.URL.Query().Get("edit") == "name"})
}

func (v *visit) showAccount(status int, view detailView) error {
	a, err := v.account()
	if err != nil {
		return err
	}
	httpd.EventOf(v.r.Context()).Target = string(a.ID.Scope())
	tokens, total, err := v.tokenPage(a.ID)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.LastUse.At.After(a.LastUsedAt) {
			a.LastUsedAt = t.LastUse.At
		}
	}
	view.Account, view.Created = v.accountRow(a), v.moment(a.CreatedAt)
	if view.NewName == "" {
		view.NewName = a.Name
	}
	view.Edit = view.Edit && view.Account.Write && !a.Disabled
	view.Rows = v.rowsOf(view.Account, tokens, total)
	q := v.r.URL.Query()
	view.Expires = q.Get("expires")
	can, err := v.tokenCan(a.ID, a.Role)
	if err != nil {
		return err
	}
	view.Form = v.tokenForm(view.Account, can, q.Get("name"), view.Expires)
	view.Tabs = v.accountTabs(a, "")
	if v.caller.Can(hallpass.UsersRolesRead, hallpass.UserID(a.ID).Scope()) {
		roles, err := v.o.Admin.RolesOf(v.r.Context(), v.caller, idText(int64(a.ID)), true)
		if err != nil {
			return err
		}
		view.SeeRoles, view.More = true, roleNames(roles)
	}
	view.OpenForm = q.Get("newToken") == "1" && view.NoToken() == ""
	if view.frame, err = v.frame("serviceaccounts", a.Name, crumbAdmin, crumbAccess, crumbList); err != nil {
		return err
	}
	return v.showStatus(status, "serviceaccounts/detail", view)
}

// tokenPage returns the page of the account's tokens that is asked for, with
// their uses as of now, and how many there are: live ones first, each kind by
// name.
func (v *visit) tokenPage(id hallpass.ServiceAccountID) ([]hallpass.Token, int, error) {
	page, _ := v.listPage()
	p, err := v.o.Admin.TokenPage(v.r.Context(), v.caller, id, admin.TokenFilter{LiveFirst: true, Page: page})
	v.o.Verify.Uses(p.Tokens)
	return p.Tokens, p.Total, err
}

// tokens returns the account's tokens with their uses as of now: live ones
// first, each kind by name.
func (v *visit) tokens(id hallpass.ServiceAccountID) ([]hallpass.Token, error) {
	tokens, _, err := v.o.Admin.Tokens(v.r.Context(), v.caller, id)
	if err != nil {
		return nil, err
	}
	v.o.Verify.Uses(tokens)
	byName(tokens, func(t hallpass.Token) string { return t.Name })
	now := v.o.Admin.Now()
	slices.SortStableFunc(tokens, func(a, b hallpass.Token) int {
		switch al, bl := a.Live(now), b.Live(now); {
		case al && !bl:
			return -1
		case bl && !al:
			return 1
		}
		return 0
	})
	return tokens, nil
}

// back returns the view of the list that the form came from, or else.
func (v *visit) back(otherwise string) string {
	if back := safeNext(v.r.FormValue("back")); back == crumbList.URL || strings.HasPrefix(back, crumbList.URL+"?") {
		return back
	}
	return otherwise
}

// renameServiceAccount is POST /org/serviceaccounts/{ref}/name.
func renameServiceAccount(v *visit) error {
	id, err := v.accountID()
	if err != nil {
		return err
	}
	name := v.r.PostForm.Get("name")
	a, err := v.o.Admin.UpdateServiceAccount(v.r.Context(), v.caller, id, hallpass.ServiceAccountPatch{Name: &name})
	switch {
	case err == nil:
		v.say("The service account is called " + a.Name + " now.")
		v.seeOther(v.back(accountURL(a.UID)))
		return nil
	case strings.TrimSpace(name) == "":
		v.tell("name", "Name is required")
	case !v.blame(err, "name"):
		return err
	}
	return v.showAccount(httpd.Status(err), detailView{Edit: true, NewName: name})
}
