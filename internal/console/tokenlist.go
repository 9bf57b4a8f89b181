package console

import (
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// crumbTokens leads to the list of the tokens of all accounts.
var crumbTokens = crumb{nounToken.Title(), "/org/tokens"}

// tokenListView is the list of the tokens of all accounts.
type tokenListView struct {
	frame
	At       tokensAt
	Views    []listFilter
	Columns  tokenColumns
	Ends     endFilter
	Owner    ownerFilter
	Todo     string // the section of what needs doing that the list is narrowed to; empty: none
	AnyTodo  string // address of the list without it
	Rows     []listedToken
	Count    string // "41 tokens"
	Filtered bool
	CSV      string // address of the list as a table
	Order    string
	First    string // addresses of other pages; empty: there is none
	Next     string
}

// tokenColumns are the columns that sort the list.
type tokenColumns struct{ Name, End, Used sortLink }

// listedToken is a token with what it belongs to.
type listedToken struct {
	tokenRow
	Account, AccountURL string
	Owner, OwnerURL     string // empty: nobody is named
	Tried               string // who tries it although it is refused; empty: nobody
}

// tokensAt is what the address of the list says.
type tokensAt struct {
	Query, Filter, Owner, Ends, Todo, Sort string
	After                                  hallpass.TokenCursor
}

// tokenSorts are the values of the parameter sort, each with its order, and whether that is
// reversed.
var tokenSorts = map[string]struct {
	order   hallpass.TokenOrder
	reverse bool
}{
	"": {hallpass.ByEnd, false}, "-" + sortEnd: {hallpass.ByEnd, true}, "name": {hallpass.ByName, false}, "-name": {hallpass.ByName, true},
	"used": {hallpass.ByUse, true}, "-used": {hallpass.ByUse, false},
}

// readTokensAt reads the address. What it does not understand it leaves out.
func (req *request) readTokensAt() tokensAt {
	_, text := req.listPage()
	q := req.URL.Query()
	at := tokensAt{Query: text, Filter: q.Get("filter"), Owner: readOwner(q), Ends: readEnds(q), Todo: q.Get("todo"), Sort: q.Get("sort")}
	if !slices.Contains(hallpass.TokenViews(), hallpass.TokenView(at.Filter)) || at.Filter == string(hallpass.CurrentTokens) {
		at.Filter = ""
	}
	if !slices.Contains(admin.TokenListSections(), hallpass.AttentionSection(at.Todo)) {
		at.Todo = ""
	}
	if _, known := tokenSorts[at.Sort]; !known {
		at.Sort = ""
	}
	at.After, _ = hallpass.ParseTokenCursor(q.Get("after")) // ignore a value that the console did not write
	return at
}

// query returns the address's query; empty: none is needed.
func (at tokensAt) query() string {
	return listQuery(map[string]string{
		"query": at.Query, "filter": at.Filter, "owner": at.Owner, "ends": at.Ends, "todo": at.Todo, "sort": at.Sort, "after": at.After.String(),
	})
}

// URL returns the address.
func (at tokensAt) URL() string { return crumbTokens.URL + at.query() }

// with returns the first page of the list after change.
func (at tokensAt) with(change func(*tokensAt)) string {
	at.After = hallpass.TokenCursor{}
	change(&at)
	return at.URL()
}

// view returns the view that the address asks for.
func (at tokensAt) view() hallpass.TokenView {
	if at.Filter == "" {
		return hallpass.CurrentTokens
	}
	return hallpass.TokenView(at.Filter)
}

// filter returns the filter for a page of so many tokens.
func (at tokensAt) filter(limit int) admin.TokenListFilter {
	sort := tokenSorts[at.Sort]
	return admin.TokenListFilter{
		Query: at.Query, View: at.view(), Owner: at.Owner, Ends: endsWithin(at.Ends), Section: hallpass.AttentionSection(at.Todo),
		Order: sort.order, Descending: sort.reverse, After: at.After, Limit: limit,
	}
}

// sorting returns the head of the column that sorts by the value. first is the order of its
// values at the first press; a second one reverses it.
func (at tokensAt) sorting(label, value, first string) sortLink {
	sorted, next := columnOrder(at.Sort, value, first, sortEnd)
	return sortLink{label, at.with(func(at *tokensAt) { at.Sort = next }), sorted}
}

// tokenList is GET /org/tokens.
func tokenList(req *request) error {
	at := req.readTokensAt()
	list, err := req.o.Admin.TokenList(req.Context(), req.caller, at.filter(perPage))
	if err != nil {
		return err
	}
	view := tokenListView{At: at, Rows: req.listedTokens(list.Tokens, list.Tried), CSV: crumbTokens.URL + ".csv" + at.query(), Todo: hallpass.AttentionSection(at.Todo).Title()}
	view.Count = hallpass.Counted(list.Counts[at.view()], nounToken.one)
	view.Filtered = at.URL() != crumbTokens.URL
	view.fillFilters(at, list)
	if at.After != (hallpass.TokenCursor{}) {
		view.First = at.with(func(*tokensAt) {})
	}
	if list.Next != (hallpass.TokenCursor{}) {
		view.Next = at.with(func(at *tokensAt) { at.After = list.Next })
	}
	if view.frame, err = req.frame("tokens", crumbTokens.Label); err != nil {
		return err
	}
	return req.show("tokens/list", view)
}

// fillFilters fills in the ways to narrow and to sort the list.
func (l *tokenListView) fillFilters(at tokensAt, list admin.TokenList) {
	for _, v := range hallpass.TokenViews() {
		f := listFilter{Label: tokenViewLabel(v), Count: list.Counts[v], Current: v == at.view()}
		if f.Count > 0 {
			f.Class = tokenViewClass[v]
		}
		f.URL = at.with(func(at *tokensAt) {
			if at.Filter = string(v); v == hallpass.CurrentTokens {
				at.Filter = ""
			}
		})
		l.Views = append(l.Views, f)
	}
	owned := func(owner string) string { return at.with(func(at *tokensAt) { at.Owner = owner }) }
	l.Owner = ownerFilter{Owner: at.Owner, Any: owned("")}
	for _, o := range list.Owners {
		l.Owner.Choices = append(l.Owner.Choices, listFilter{Label: o, URL: owned(o), Current: o == at.Owner})
	}
	l.AnyTodo = at.with(func(at *tokensAt) { at.Todo = "" })
	l.Ends = endFilterOf(at.Ends, func(ends string) string { return at.with(func(at *tokensAt) { at.Ends = ends }) })
	l.Columns = tokenColumns{Name: at.sorting("Token", "name", "ascending"), End: at.sorting("Ends", sortEnd, "ascending"), Used: at.sorting("Last used", "used", "descending")}
	if at.Sort == "" {
		l.Order = "Soonest end first, then those that never end."
	}
}

// listedTokens returns the rows of the tokens, with their latest uses.
func (req *request) listedTokens(list []hallpass.TokenOfAccount, tried map[hallpass.TokenID]hallpass.AttentionRow) (rows []listedToken) {
	for _, t := range req.withUses(list) {
		a := accountRow{ID: t.Account.ID, URL: accountURL(t.Account.UID), Name: t.Account.Name, Disabled: t.Account.Disabled, Write: req.caller.Can(hallpass.ServiceAccountsWrite, t.Account.ID.Scope())}
		row := listedToken{tokenRow: req.tokenRow(a, t.Token), Account: a.Name, AccountURL: a.URL}
		if row.Owner, _ = t.Token.Of(t.Account); row.Owner != "" {
			row.OwnerURL = tokensAt{Owner: row.Owner}.URL()
		}
		if try, is := tried[t.Token.ID]; is {
			row.Tried = "Tried " + req.timestamp(try.Last).Relative() + " from " + try.From.Address
		}
		rows = append(rows, row)
	}
	return rows
}

// withUses returns the tokens with their latest uses.
func (req *request) withUses(list []hallpass.TokenOfAccount) []hallpass.TokenOfAccount {
	tokens := make([]hallpass.Token, len(list))
	for i, t := range list {
		tokens[i] = t.Token
	}
	req.o.Verify.Uses(tokens)
	list = slices.Clone(list)
	for i, t := range tokens {
		list[i].Token = t
	}
	return list
}

// tokensCSV is GET /org/tokens.csv: the tokens that the list at the same query has on all its
// pages.
func tokensCSV(req *request) error {
	f := req.readTokensAt().filter(maxCSVPage)
	head := []string{"id", "name", "last_four", "state", "service_account_id", "service_account", "owner", "created", "ends", "last_used", "last_used_address", "last_used_user_agent"}
	return req.writeCSV("tokens.csv", head, func() (lines [][]string, more bool, err error) {
		p, err := req.o.Admin.TokenListPage(req.Context(), req.caller, f)
		now := req.o.Admin.Now()
		for _, t := range req.withUses(p.Tokens) {
			k, owner := t.Token, ""
			owner, _ = k.Of(t.Account)
			lines = append(lines, []string{
				idText(int64(k.ID)), k.Name, k.LastFour, string(k.State(now, t.Account.Disabled)), idText(int64(t.Account.ID)), t.Account.Name, owner,
				csvTime(k.CreatedAt), csvTime(k.EndsAt()), csvTime(k.LastUse.At), k.LastUse.Address, k.LastUse.UserAgent,
			})
		}
		f.After = p.Next
		return lines, f.After != (hallpass.TokenCursor{}), err
	})
}
