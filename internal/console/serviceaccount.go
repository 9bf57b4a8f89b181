package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// accountRow is an account as lists and its own pages show it.
type accountRow struct {
	ID            hallpass.ServiceAccountID
	UID           string
	URL           string
	Avatar        string
	Name          string
	Login         string
	Role          string
	Roles         []roleOption
	Disabled      bool
	Owner         string // empty: nobody is named
	OwnerURL      string // of the list of that owner's accounts
	Tokens        int
	States        string // the tokens by their states, in words
	StatesClass   string // of the dot before them
	Live          int    // tokens that have not ended
	Recent        bool   // one was used in the last 24 hours
	NeverExpiring int    // live tokens that never expire
	More          string // what was given in addition to the role, as "1 role"
	Extra         string // the same, shorter
	LastUsed      timestamp
	Address       string // of the last use
	Client        string
	NextExpiry    timestamp
	Soon          bool      // it wants a look
	Ended         timestamp // when the last of its tokens ended; zero: long ago, or one is live
	Only          string    // the query that narrows its tokens as the list is narrowed
	File          string    // the provisioning file that declares it; empty: none does
	Write         bool
	Delete        bool
}

// accountURL returns the address of the page of the account with that uid.
func accountURL(uid string) string { return crumbAccounts.URL + "/" + url.PathEscape(uid) }

func (req *request) accountRow(a hallpass.ServiceAccountSummary) accountRow {
	now := req.o.Admin.Now()
	row := accountRow{
		ID: a.ID, UID: a.UID, URL: accountURL(a.UID), Avatar: avatarOf(a.Login), Name: a.Name, Login: a.Login,
		Role: a.Role.String(), Roles: req.roleOptions(a.Role, req.caller.Role), Disabled: a.Disabled,
		File: a.File, Owner: a.Owner, Tokens: a.Tokens, Live: a.LiveTokens, NeverExpiring: a.NeverExpiring, More: a.Given.Words(), Extra: givenShort(a.Given),
		LastUsed: req.timestamp(a.LastUse.At), Address: a.LastUse.Address, NextExpiry: req.timestamp(a.NextExpiry),
		Soon:   hallpass.EndingAccounts.Picks(a, now),
		Recent: hallpass.Token{LastUse: a.LastUse}.InUse(now),
		Write:  req.caller.Can(hallpass.ServiceAccountsWrite, a.ID.Scope()),
		Delete: req.caller.Can(hallpass.ServiceAccountsDelete, a.ID.Scope()),
	}
	row.States, row.StatesClass = tokensWords(a)
	if a.Owner != "" {
		row.OwnerURL = accountsAt{Owner: a.Owner}.URL()
	}
	if !row.LastUsed.Zero() {
		row.Client = client(a.LastUse.UserAgent)
	}
	if a.EndedLately(now) {
		row.Ended = req.timestamp(a.LastEnd)
	}
	return row
}

// accountView is the page of one account.
type accountView struct {
	frame
	Head      accountHead
	Account   accountRow
	Purpose   string
	Created   timestamp
	CreatedBy string
	Edit      bool // the name is being edited
	NewName   string
	Rows      tokensView
	Uses      usesView
	Undo      string // the role that it had until it was lowered a moment ago; empty: none
	OpenForm  bool   // the token dialog opens with the page
	OpenURL   string // of the form in it
}

// NeedsWrite says what the viewer needs to change the account; empty: nothing.
func (d accountView) NeedsWrite() string { return d.Head.NeedsWrite() }

// NeedsDelete says what the viewer needs to delete the account; empty: nothing.
func (d accountView) NeedsDelete() string { return d.Head.NeedsDelete() }

// NoEdit says why what the account is cannot be changed; empty: it can.
func (d accountView) NoEdit() string { return d.Head.NoEdit() }

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

var errNoAccount = &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such service account in this organization."}

func (req *request) accountID() (hallpass.ServiceAccountID, error) {
	id, err := req.o.Admin.ServiceAccountID(req.Context(), req.caller, req.PathValue("ref"))
	if errors.Is(err, hallpass.Invalid) || errors.Is(err, hallpass.NotFound) {
		err = &hallpass.Error{Kind: hallpass.NotFound, Message: errNoAccount.Message, Err: err}
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
	if view.Rows, err = req.tokensOf(a); err != nil {
		return err
	}
	a.LastUse = view.Rows.latest(a.LastUse)
	if view.Head, err = req.accountHead(a, tabTokens); err != nil {
		return err
	}
	view.Account, view.Purpose, view.Created, view.CreatedBy = view.Head.Account, a.Purpose, req.timestamp(a.CreatedAt), a.CreatedBy
	if view.Uses, err = req.usesView(a); err != nil {
		return err
	}
	view.Undo = req.undoOf(a)
	q := req.URL.Query()
	if role, ok := hallpass.ParseRole(q.Get("role")); ok && view.Account.Write && role <= req.caller.Role {
		view.Account.Roles = req.roleOptions(role, req.caller.Role)
	}
	if view.NewName == "" {
		view.NewName = a.Name
	}
	view.Edit = view.Edit && view.NoEdit() == "" && !a.Disabled
	view.OpenURL = view.Account.URL + "/tokens/new?" + url.Values{"name": {q.Get("name")}, "expires": {q.Get("expires")}}.Encode()
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
