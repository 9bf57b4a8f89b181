package console

import (
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
	Views    []listFilter
	Columns  accountColumns
	Owner    ownerFilter
	Ends     endFilter
	CSV      string // address of the list as a table
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

// accountColumns are the columns that sort the list.
type accountColumns struct{ Name, Used, End, Owner sortLink }

// accountsAt is what the address of the list says.
type accountsAt struct {
	Query, Filter, Owner, Ends, Sort string
	Page                             int
}

// readAccountsAt reads the address. What it does not understand it leaves out.
func (req *request) readAccountsAt() accountsAt {
	page, text := req.listPage()
	q := req.URL.Query()
	at := accountsAt{Query: text, Filter: q.Get("filter"), Owner: readOwner(q), Ends: readEnds(q), Sort: readSort(q, accountSorts), Page: page.Number}
	if !slices.Contains(hallpass.AccountViews(), hallpass.AccountView(at.Filter)) {
		at.Filter = ""
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

// query returns the address's query; empty: none is needed.
func (at accountsAt) query() string {
	return listQuery(map[string]string{"query": at.Query, "filter": at.Filter, "owner": at.Owner, "ends": at.Ends, "sort": at.Sort, "page": pageText(at.Page)})
}

// URL returns the address.
func (at accountsAt) URL() string { return crumbAccounts.URL + at.query() }

// with returns the first page of the list after change.
func (at accountsAt) with(change func(*accountsAt)) string {
	at.Page = 1
	change(&at)
	return at.URL()
}

// sorting returns the head of the column that sorts by the value. first is the order of its
// values at the first press; a second one reverses it.
func (at accountsAt) sorting(label, value, first string) sortLink {
	sorted, next := columnOrder(at.Sort, value, first, sortEnd)
	return sortLink{label, at.with(func(at *accountsAt) { at.Sort = next }), sorted}
}

// filter returns the filter for a page of so many accounts.
func (at accountsAt) filter(size int) admin.AccountListFilter {
	f := admin.AccountListFilter{Query: at.Query, View: hallpass.AccountView(at.Filter), Owner: at.Owner, Ends: endsWithin(at.Ends), Page: admin.Page{Number: at.Page, Size: size}}
	f.Sort, f.Reverse = at.order()
	f.Names = collate.New(language.Und, collate.Numeric).CompareString
	return f
}

// serviceAccounts is GET /org/serviceaccounts.
func serviceAccounts(req *request) error {
	at := req.readAccountsAt()
	view := accountsView{At: at, Create: req.caller.Can(hallpass.ServiceAccountsCreate, "")}
	var list admin.AccountList
	var err error
	if !view.Create || req.caller.Can(hallpass.ServiceAccountsRead, "") {
		if list, err = req.o.Admin.AccountList(req.Context(), req.caller, at.filter(perPage)); err != nil {
			return err
		}
	}
	for _, a := range list.Page {
		row := req.accountRow(a)
		row.Only = endsQuery(at.Ends)
		view.Bulk = view.Bulk || row.Write
		view.Rows = append(view.Rows, row)
	}
	view.Total, view.FirstRun, view.Back, view.CSV = list.Total, list.All == 0, at.URL(), crumbAccounts.URL+".csv"+at.query()
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
		f := listFilter{Label: words.label, Count: list.Counts[v], Current: string(v) == at.Filter}
		if f.Count > 0 {
			f.Class = words.class
		}
		f.URL = at.with(func(at *accountsAt) { at.Filter = string(v) })
		l.Views = append(l.Views, f)
	}
	owned := func(owner string) string { return at.with(func(at *accountsAt) { at.Owner = owner }) }
	l.Owner = ownerFilter{Owner: at.Owner, Any: owned("")}
	for _, o := range list.Owners {
		l.Owner.Choices = append(l.Owner.Choices, listFilter{Label: o.Owner, Count: o.Accounts, URL: owned(o.Owner), Current: o.Owner == at.Owner})
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

// accountsCSV is GET /org/serviceaccounts.csv: the accounts that the list at the same query
// has on all its pages.
func accountsCSV(req *request) error {
	at := req.readAccountsAt()
	at.Page = 1
	head := []string{"id", "uid", "name", "login", "role", "disabled", "owner", "tokens", "live_tokens", "never_ending", "paused", "next_end", "last_used", "last_used_address", "last_used_user_agent"}
	return req.writeCSV("service-accounts.csv", head, func() (lines [][]string, more bool, err error) {
		list, err := req.o.Admin.AccountList(req.Context(), req.caller, at.filter(maxCSVPage))
		for _, s := range list.Page {
			lines = append(lines, []string{
				idText(int64(s.ID)), s.UID, s.Name, s.Login, s.Role.String(), strconv.FormatBool(s.Disabled), s.Owner, strconv.Itoa(s.Tokens), strconv.Itoa(s.LiveTokens),
				strconv.Itoa(s.NeverExpiring), strconv.Itoa(s.Paused), csvTime(s.NextExpiry), csvTime(s.LastUse.At), s.LastUse.Address, s.LastUse.UserAgent,
			})
		}
		more = at.Page*maxCSVPage < list.Total
		at.Page++
		return lines, more, err
	})
}
