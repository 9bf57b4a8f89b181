package console

import (
	"net/url"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// activityView is what was done to an account and its tokens, and what they were
// refused.
type activityView struct {
	frame
	Head       accountHead
	Sayings    []saying
	Newest     string // addresses; empty: none
	Older      string
	SearchedTo timestamp // where the search ended before the page was full; zero: it did not
}

// maxActivityTokens is how many tokens of an account the page looks for. Of more tokens
// it tells the refusals alone.
const maxActivityTokens = 100

// accountActivity is GET /org/serviceaccounts/{ref}/activity?before.
func accountActivity(req *request) error {
	a, err := req.account()
	if err != nil {
		return err
	}
	itself := "serviceaccount:" + idText(int64(a.ID))
	of := hallpass.AuditAbout{Targets: []string{itself}, Actor: int64(a.ID)}
	p, err := req.o.Admin.TokenPage(req.Context(), req.caller, a.ID, admin.TokenFilter{LiveFirst: true, Page: admin.Page{Number: 1, Size: maxActivityTokens}})
	if err != nil {
		return err
	}
	for _, t := range p.Tokens {
		of.Targets = append(of.Targets, "token:"+idText(int64(t.ID)))
	}
	f := hallpass.AuditFilter{Org: req.caller.Org, About: &of, Limit: auditPerPage}
	f.Before, _ = hallpass.ParseAuditCursor(req.URL.Query().Get("before")) // ignore a value that the console did not write
	var view activityView
	var next hallpass.AuditCursor
	if view.Sayings, next, err = req.sayings(f, about{itself, a.ServiceAccount}); err != nil {
		return err
	}
	if view.Head, err = req.accountHead(a, tabActivity); err != nil {
		return err
	}
	at := view.Head.Account.URL + "/" + tabActivity
	if !f.Before.IsZero() {
		view.Newest = at
	}
	if !next.IsZero() {
		view.Older = at + "?before=" + url.QueryEscape(next.String())
		if len(view.Sayings) < auditPerPage {
			view.SearchedTo = req.timestamp(next.At)
		}
	}
	if view.frame, err = req.frame("serviceaccounts", "Activity", crumbAdmin, crumbAccess, crumbAccounts, crumb{a.Name, view.Head.Account.URL}); err != nil {
		return err
	}
	return req.show("serviceaccounts/activity", view)
}
