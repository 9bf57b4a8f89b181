package console

import (
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// findView is what was found: accounts and tokens of the org.
type findView struct {
	frame
	Query    string
	Asked    bool // something was asked for
	ByHash   bool // a token was pasted: its hash was asked for
	Secret   bool // a secret came with the address: it is not looked for
	Accounts []foundAccount
	Tokens   []foundToken
	More     bool // more fit than are shown
}

// foundAccount is an account that was found.
type foundAccount struct {
	URL, Avatar, Name, Login, Role string
	Disabled                       bool
}

// foundToken is a token that was found.
type foundToken struct {
	URL, Name, LastFour    string
	Account, AccountURL    string
	Badge                  badge
	Ends, Used             timestamp
	Address, Client, Owner string
}

// Nothing reports whether nothing was found.
func (v findView) Nothing() bool { return len(v.Accounts) == 0 && len(v.Tokens) == 0 }

// maxFound is how many accounts, and how many tokens, are shown.
const maxFound = 25

// findURL is where a search leads whose address held a secret.
const findURL = "/find"

// find is GET /find: accounts by name and login, tokens by name, by the last four
// characters of their secret, or by the hash of it.
func find(req *request) error {
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.ServiceAccountsRead, ""); err != nil {
		return err
	}
	q := req.URL.Query()
	view := findView{Query: strings.TrimSpace(q.Get("q")), Secret: q.Get("secret") == "yes"}
	if strings.Contains(req.URL.RawQuery, "glsa_") || hallpass.HoldsToken(view.Query) {
		req.seeOther(findURL + "?secret=yes") // so that the address and the history of the browser lose it
		return nil
	}
	if hallpass.ValidateText("q", view.Query, hallpass.MaxName) != nil {
		view.Query = ""
	}
	var err error
	switch hash := q.Get("hash"); {
	case hash != "":
		view.Asked, view.ByHash = true, true
		err = req.findHash(&view, hash)
	case view.Query != "":
		view.Asked = true
		err = req.findText(&view)
	}
	if err != nil {
		return err
	}
	if view.frame, err = req.frame("", "Find"); err != nil {
		return err
	}
	view.Sought = view.Query
	return req.show("find/find", view)
}

// findHash looks for the token whose secret has the hash.
func (req *request) findHash(view *findView, text string) error {
	var hash [32]byte
	if n, err := hex.Decode(hash[:], []byte(text[:min(len(text), 2*len(hash))])); err != nil || n != len(hash) || len(text) != 2*n {
		return nil
	}
	t, err := req.o.Admin.TokenByHash(req.Context(), req.caller, hash)
	if errors.Is(err, hallpass.NotFound) {
		return nil
	}
	if err == nil {
		view.Tokens = req.foundTokens([]hallpass.TokenOfAccount{t})
	}
	return err
}

// findText looks for accounts and tokens with the text.
func (req *request) findText(view *findView) error {
	accounts, total, err := req.o.Admin.ServiceAccounts(req.Context(), req.caller, admin.ServiceAccountFilter{Query: view.Query, Page: 1, PerPage: maxFound})
	if err != nil {
		return err
	}
	for _, a := range accounts {
		view.Accounts = append(view.Accounts, foundAccount{accountURL(a.UID), avatarOf(a.Login), a.Name, a.Login, a.Given.With(a.Role), a.Disabled})
	}
	view.More = total > len(accounts)
	filters := []admin.InventoryFilter{{Text: view.Query, Limit: maxFound}}
	if four := strings.TrimPrefix(strings.TrimPrefix(view.Query, "…"), "..."); utf8.RuneCountInString(four) == 4 {
		filters = append([]admin.InventoryFilter{{LastFour: four, Limit: maxFound}}, filters...)
	}
	seen := make(map[hallpass.TokenID]bool)
	for _, f := range filters {
		p, err := req.o.Admin.Inventory(req.Context(), req.caller, f)
		if err != nil {
			return err
		}
		for _, t := range p.Tokens {
			if !seen[t.Token.ID] {
				view.Tokens = append(view.Tokens, req.foundTokens([]hallpass.TokenOfAccount{t})...)
			}
			seen[t.Token.ID] = true
		}
		view.More = view.More || p.Next != hallpass.TokenCursor{}
	}
	return nil
}

func (req *request) foundTokens(list []hallpass.TokenOfAccount) (rows []foundToken) {
	now := req.o.Admin.Now()
	for _, t := range list {
		use, state := req.withUse(t.Token).LastUse, t.Token.State(now, t.Account.Disabled)
		row := foundToken{
			URL: accountURL(t.Account.UID) + "/tokens/" + idText(int64(t.Token.ID)), Name: t.Token.Name, LastFour: t.Token.LastFour, Account: t.Account.Name, AccountURL: accountURL(t.Account.UID),
			Badge: tokenBadge(state, !use.At.IsZero()), Ends: req.timestamp(t.Token.EndsAt()), Used: req.timestamp(use.At), Address: use.Address,
		}
		if !use.At.IsZero() {
			row.Client = client(use.UserAgent)
		}
		row.Owner, _ = t.Token.Of(t.Account)
		rows = append(rows, row)
	}
	return rows
}
