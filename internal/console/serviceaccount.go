package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

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
		accounts, view.Total, err = pageByName(admin.Page{Number: view.Page, Size: perPage}, func(p admin.Page) ([]hallpass.ServiceAccountSummary, int, error) {
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
	view.Pages = max(1, (view.Total+perPage-1)/perPage)
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

// back returns the view of the list that the form came from, or else.
func (v *visit) back(otherwise string) string {
	if back := safeNext(v.r.FormValue("back")); back == crumbList.URL || strings.HasPrefix(back, crumbList.URL+"?") {
		return back
	}
	return otherwise
}

// accountTabs are the views of one account.
func (v *visit) accountTabs(a hallpass.ServiceAccountSummary, here string) []tab {
	at := accountURL(a.UID)
	tabs := []tab{{"Settings and tokens", at, here == ""}}
	if v.caller.Can(hallpass.ServiceAccountsPermissionsRead, a.ID.Scope()) {
		tabs = append(tabs, tab{"Permissions", at + "/permissions", here == "permissions"})
	}
	if v.caller.Can(hallpass.UsersPermissionsRead, hallpass.UserID(a.ID).Scope()) {
		tabs = append(tabs, tab{"What can this account do?", at + "/access", here == "access"})
	}
	return tabs
}
