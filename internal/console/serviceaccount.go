package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// accountsView is the list of service accounts.
type accountsView struct {
	frame
	Query, Filter string
	Page, Pages   int
	Total         int
	Filters       []filterLink
	Rows          []accountRow
	Create        bool
	FirstRun      bool // the org has no account
	Back          string
	Prev, Next    string // addresses; empty: none
}

// NeedsCreate says why no account can be added; empty: one can.
func (l accountsView) NeedsCreate() string { return needs(l.Create, hallpass.ServiceAccountsCreate) }

// filterLink is one of the list's filters.
type filterLink struct {
	Label, URL string
	Current    bool
}

// accountRow is an account as lists and its own page show it.
type accountRow struct {
	ID            hallpass.ServiceAccountID
	URL           string
	Avatar        string
	Name          string
	Login         string
	Role          string
	Roles         []roleOption
	Disabled      bool
	Tokens        int
	Live          int    // tokens that can be used now
	NeverExpiring int    // live tokens that never expire
	More          string // what was given in addition to the role, as "1 role"
	LastUsed      timestamp
	NextExpiry    timestamp
	Soon          bool // the next expiry is within seven days
	Write         bool
	Delete        bool
}

var accountFilters = []struct{ value, label string }{{"", "All"}, {"expired", "With expired tokens"}, {"disabled", "Disabled"}}

// accountURL returns the address of the page of the account with that uid.
func accountURL(uid string) string { return crumbAccounts.URL + "/" + url.PathEscape(uid) }

// accountsURL returns the address of the list with that search, filter and page.
func accountsURL(query, filter string, page int) string {
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
		return crumbAccounts.URL
	}
	return crumbAccounts.URL + "?" + q.Encode()
}

// serviceAccounts is GET /org/serviceaccounts.
func serviceAccounts(req *request) error {
	q := req.URL.Query()
	view := accountsView{Query: q.Get("query"), Filter: q.Get("filter"), Page: 1, Create: req.caller.Can(hallpass.ServiceAccountsCreate, "")}
	if view.Filter != "expired" && view.Filter != "disabled" {
		view.Filter = ""
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		view.Page = n
	}
	var accounts []hallpass.ServiceAccountSummary
	var err error
	if !view.Create || req.caller.Can(hallpass.ServiceAccountsRead, "") {
		accounts, view.Total, err = pageByName(admin.Page{Number: view.Page, Size: perPage}, func(p admin.Page) ([]hallpass.ServiceAccountSummary, int, error) {
			return req.o.Admin.ServiceAccounts(req.Context(), req.caller, admin.ServiceAccountFilter{
				Query: view.Query, ExpiredOnly: view.Filter == "expired", DisabledOnly: view.Filter == "disabled", Page: p.Number, PerPage: p.Size,
			})
		}, func(a hallpass.ServiceAccountSummary) string { return a.Name })
		if err != nil {
			return err
		}
	}
	for _, a := range accounts {
		view.Rows = append(view.Rows, req.accountRow(a))
	}
	view.Pages = max(1, (view.Total+perPage-1)/perPage)
	view.FirstRun = view.Total == 0 && view.Query == "" && view.Filter == ""
	view.Back = accountsURL(view.Query, view.Filter, view.Page)
	if view.Page > 1 {
		view.Prev = accountsURL(view.Query, view.Filter, min(view.Page-1, view.Pages))
	}
	if view.Page < view.Pages {
		view.Next = accountsURL(view.Query, view.Filter, view.Page+1)
	}
	for _, f := range accountFilters {
		view.Filters = append(view.Filters, filterLink{f.label, accountsURL(view.Query, f.value, 1), f.value == view.Filter})
	}
	if view.frame, err = req.frame("serviceaccounts", crumbAccounts.Label, crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return req.show("serviceaccounts/list", view)
}

func (req *request) accountRow(a hallpass.ServiceAccountSummary) accountRow {
	return accountRow{
		ID: a.ID, URL: accountURL(a.UID), Avatar: avatarOf(a.Login), Name: a.Name, Login: a.Login,
		Role: a.Role.String(), Roles: req.roleOptions(a.Role, req.caller.Role), Disabled: a.Disabled, Tokens: a.Tokens, Live: a.Usable(), NeverExpiring: a.NeverExpiring, More: a.Given.Words(),
		LastUsed: req.timestamp(a.LastUsedAt), NextExpiry: req.timestamp(a.NextExpiry),
		Soon:   a.ExpiresSoon(req.o.Admin.Now()),
		Write:  req.caller.Can(hallpass.ServiceAccountsWrite, a.ID.Scope()),
		Delete: req.caller.Can(hallpass.ServiceAccountsDelete, a.ID.Scope()),
	}
}

// accountView is the page of one account.
type accountView struct {
	frame
	Account  accountRow
	Created  timestamp
	Edit     bool // the name is being edited
	NewName  string
	Rows     tokensView
	OpenForm bool   // the token dialog opens with the page
	OpenURL  string // of the form in it
	Tabs     []tab
	SeeRoles bool
	More     []string // roles in addition to the basic one
}

// NeedsWrite says why the account cannot be changed; empty: it can.
func (d accountView) NeedsWrite() string {
	return needs(d.Account.Write, hallpass.ServiceAccountsWrite)
}

// NeedsDelete says why the account cannot be deleted; empty: it can.
func (d accountView) NeedsDelete() string {
	return needs(d.Account.Delete, hallpass.ServiceAccountsDelete)
}

// NoToken says why no token can be added; empty: one can.
func (d accountView) NoToken() string {
	if d.Account.Write && d.Account.Disabled {
		return "The service account is disabled"
	}
	return d.NeedsWrite()
}

// account returns the account that the path names and the caller may read.
func (req *request) account() (hallpass.ServiceAccountSummary, error) {
	id, err := req.accountID()
	if err != nil {
		return hallpass.ServiceAccountSummary{}, err
	}
	return req.o.Admin.ServiceAccount(req.Context(), req.caller, id)
}

func (req *request) accountID() (hallpass.ServiceAccountID, error) {
	id, err := req.o.Admin.ServiceAccountID(req.Context(), req.caller, req.PathValue("ref"))
	if errors.Is(err, hallpass.Invalid) || errors.Is(err, hallpass.NotFound) {
		err = &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such service account in this organization.", Err: err}
	}
	return id, err
}

// serviceAccount is GET /org/serviceaccounts/{ref}.
func serviceAccount(req *request) error {
	return req.showAccount(http.StatusOK, accountView{Edit: req.URL.Query().Get("edit") == "name"})
}

func (req *request) showAccount(status int, view accountView) error {
	a, err := req.account()
	if err != nil {
		return err
	}
	httpd.EventOf(req.Context()).Target = string(a.ID.Scope())
	tokens, total, err := req.tokenPage(a.ID)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.LastUse.At.After(a.LastUsedAt) {
			a.LastUsedAt = t.LastUse.At
		}
	}
	view.Account, view.Created = req.accountRow(a), req.timestamp(a.CreatedAt)
	q := req.URL.Query()
	if role, ok := hallpass.ParseRole(q.Get("role")); ok && view.Account.Write && role <= req.caller.Role {
		view.Account.Roles = req.roleOptions(role, req.caller.Role)
	}
	if view.NewName == "" {
		view.NewName = a.Name
	}
	view.Edit = view.Edit && view.Account.Write && !a.Disabled
	view.Rows = req.tokensView(view.Account, tokens, total)
	view.OpenURL = view.Account.URL + "/tokens/new?" + url.Values{"name": {q.Get("name")}, "expires": {q.Get("expires")}}.Encode()
	view.Tabs = req.accountTabs(a, "")
	if req.caller.Can(hallpass.UsersRolesRead, hallpass.UserID(a.ID).Scope()) {
		roles, err := req.o.Admin.RolesOf(req.Context(), req.caller, idText(int64(a.ID)), true)
		if err != nil {
			return err
		}
		view.SeeRoles, view.More = true, roleNames(roles)
	}
	view.OpenForm = q.Get("newToken") == "1" && view.NoToken() == ""
	if view.frame, err = req.frame("serviceaccounts", a.Name, crumbAdmin, crumbAccess, crumbAccounts); err != nil {
		return err
	}
	return req.showStatus(status, "serviceaccounts/detail", view)
}

// back returns the address of the list that the form came from, or otherwise.
func (req *request) back(otherwise string) string {
	if back := safeNext(req.FormValue("back")); back == crumbAccounts.URL || strings.HasPrefix(back, crumbAccounts.URL+"?") {
		return back
	}
	return otherwise
}

// accountTabs lead to the pages about one account.
func (req *request) accountTabs(a hallpass.ServiceAccountSummary, here string) []tab {
	at := accountURL(a.UID)
	tabs := []tab{{"Settings and tokens", at, here == ""}}
	if req.caller.Can(hallpass.ServiceAccountsPermissionsRead, a.ID.Scope()) {
		tabs = append(tabs, tab{"Permissions", at + "/permissions", here == "permissions"})
	}
	if req.caller.Can(hallpass.UsersPermissionsRead, hallpass.UserID(a.ID).Scope()) {
		tabs = append(tabs, tab{"What can this account do?", at + "/access", here == "access"})
	}
	return tabs
}
