package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// accountsView is the list of service accounts.
type accountsView struct {
	frame
	At       accountsAt
	Total    int
	Pages    int
	Views    []accountFilter
	Columns  accountColumns
	Owner    string // that the list is narrowed to; empty: any
	AnyOwner string // address of the list without it
	Ends     endFilter
	Owners   []accountFilter
	Rows     []accountRow
	Create   bool
	Bulk     bool // rows can be chosen
	FirstRun bool // the org has no account
	Order    string
	Back     string
	Pager    pager
}

// NeedsCreate says why no account can be added; empty: one can.
func (l accountsView) NeedsCreate() string { return needs(l.Create, hallpass.ServiceAccountsCreate) }

// accountFilter is a filter of the list, with how many accounts it shows.
type accountFilter struct {
	Label, URL string
	Count      int
	Class      string // of the count
	Current    bool
}

// accountColumns are the columns that sort the list.
type accountColumns struct{ Name, Used, End, Owner sortLink }

// sortLink is the head of a column that sorts.
type sortLink struct {
	Label, URL string
	Sorted     string // "ascending", "descending"; empty: by another column
}

// accountsAt is what the address of the list says.
type accountsAt struct {
	Query, Filter, Owner, Ends, Sort string
	Page                             int
}

// readAccountsAt reads the address. What it does not understand it leaves out.
func (req *request) readAccountsAt() accountsAt {
	page, text := req.listPage()
	q := req.URL.Query()
	at := accountsAt{Query: text, Filter: q.Get("filter"), Owner: q.Get("owner"), Ends: readEnds(q), Sort: q.Get("sort"), Page: page.Number}
	if !slices.Contains(hallpass.AccountViews(), hallpass.AccountView(at.Filter)) {
		at.Filter = ""
	}
	if !slices.Contains(accountSorts, strings.TrimPrefix(at.Sort, "-")) || at.Sort == "-" {
		at.Sort = ""
	}
	if hallpass.ValidateText("owner", at.Owner, hallpass.MaxName) != nil {
		at.Owner = ""
	}
	return at
}

const sortEnd = "end" // hallpass.SortByEnd in an address

var accountSorts = []string{"", sortEnd, string(hallpass.SortByName), string(hallpass.SortByOwner), string(hallpass.SortByUse)}

// order returns the order of the list, and whether it is reversed.
func (at accountsAt) order() (hallpass.AccountSort, bool) {
	name, reverse := strings.CutPrefix(at.Sort, "-")
	if name == sortEnd {
		name = ""
	}
	return hallpass.AccountSort(name), reverse
}

// URL returns the address.
func (at accountsAt) URL() string {
	q := url.Values{}
	for name, value := range map[string]string{"query": at.Query, "filter": at.Filter, "owner": at.Owner, "ends": at.Ends, "sort": at.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if at.Page > 1 {
		q.Set("page", strconv.Itoa(at.Page))
	}
	if len(q) == 0 {
		return crumbAccounts.URL
	}
	return crumbAccounts.URL + "?" + q.Encode()
}

// with returns the first page of the list after change.
func (at accountsAt) with(change func(*accountsAt)) string {
	at.Page = 1
	change(&at)
	return at.URL()
}

// sorting returns the head of the column that sorts by the value. A second press
// reverses the order; first is the order of the column's values at the first.
func (at accountsAt) sorting(label, value, first string) sortLink {
	l := sortLink{Label: label}
	next := value
	switch sort, reverse := at.order(); {
	case sort != hallpass.AccountSort(strings.TrimSuffix(value, sortEnd)):
	case reverse:
		l.Sorted = map[string]string{"ascending": "descending", "descending": "ascending"}[first]
	default:
		l.Sorted, next = first, "-"+value
	}
	if next == sortEnd {
		next = ""
	}
	l.URL = at.with(func(at *accountsAt) { at.Sort = next })
	return l
}

// serviceAccounts is GET /org/serviceaccounts.
func serviceAccounts(req *request) error {
	at := req.readAccountsAt()
	view := accountsView{At: at, Create: req.caller.Can(hallpass.ServiceAccountsCreate, "")}
	var list admin.AccountList
	var err error
	if !view.Create || req.caller.Can(hallpass.ServiceAccountsRead, "") {
		f := admin.AccountListFilter{Query: at.Query, View: hallpass.AccountView(at.Filter), Owner: at.Owner, Ends: endsWithin(at.Ends), Page: admin.Page{Number: at.Page, Size: perPage}}
		f.Sort, f.Reverse = at.order()
		f.Names = collate.New(language.Und, collate.Numeric).CompareString
		if list, err = req.o.Admin.AccountList(req.Context(), req.caller, f); err != nil {
			return err
		}
	}
	for _, a := range list.Page {
		row := req.accountRow(a)
		row.Only = endsQuery(at.Ends)
		view.Bulk = view.Bulk || row.Write
		view.Rows = append(view.Rows, row)
	}
	view.Total, view.FirstRun, view.Back = list.Total, list.All == 0, at.URL()
	view.fillFilters(at, list)
	view.Pager = pagerAt(list.Total, at.Page, nounAccount, func(n int) string {
		return at.with(func(at *accountsAt) { at.Page = n })
	})
	view.Pages = view.Pager.Pages
	if view.frame, err = req.frame("serviceaccounts", crumbAccounts.Label, crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return req.show("serviceaccounts/list", view)
}

// fillFilters fills in the ways to narrow and to sort the list.
func (l *accountsView) fillFilters(at accountsAt, list admin.AccountList) {
	for _, v := range hallpass.AccountViews() {
		words := accountViewWords[v]
		f := accountFilter{Label: words.label, Count: list.Counts[v], Current: string(v) == at.Filter}
		if f.Count > 0 {
			f.Class = words.class
		}
		f.URL = at.with(func(at *accountsAt) { at.Filter = string(v) })
		l.Views = append(l.Views, f)
	}
	l.Owner, l.AnyOwner = at.Owner, at.with(func(at *accountsAt) { at.Owner = "" })
	for _, o := range list.Owners {
		l.Owners = append(l.Owners, accountFilter{Label: o.Owner, Count: o.Accounts, URL: at.with(func(at *accountsAt) { at.Owner = o.Owner }), Current: o.Owner == at.Owner})
	}
	l.Ends = endFilterOf(at.Ends, func(ends string) string { return at.with(func(at *accountsAt) { at.Ends = ends }) })
	l.Columns = accountColumns{
		Name: at.sorting("Account", "name", "ascending"), Used: at.sorting("Last used", "used", "descending"),
		End: at.sorting("Next end", sortEnd, "ascending"), Owner: at.sorting("Owner", "owner", "ascending"),
	}
	if at.Sort == "" {
		l.Order = "Soonest end first, then never ending, then accounts without a token."
	}
}
