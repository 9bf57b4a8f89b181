package console

import (
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// tokenView is the page of one token.
type tokenView struct {
	frame
	Account    accountRow
	Token      tokenRow
	Replaces   string   // the last four characters of the token that it replaced; empty: none
	ReplacedBy link     // the token that replaced it
	Pair       pairHead // of the rotation that is under way; without a Title: none is
	Generation int
	Lead       string // how it is used now
	LeadClass  string
	Owner      string
	OwnerURL   string
	Purpose    string
	Created    timestamp
	CreatedBy  string
	Limits     []field
	Usage      usageView
	SeeHistory bool
	History    []saying
	Refusals   []saying
	AuditURL   string // of all entries about it
}

// historyPerToken is how many entries of its history the page of a token shows.
const historyPerToken = 20

// tokenPage is GET /org/serviceaccounts/{ref}/tokens/{token}.
func tokenPage(req *request) error {
	a, err := req.account()
	if err != nil {
		return err
	}
	t, err := req.token(a.ID)
	if err != nil {
		return err
	}
	httpd.EventOf(req.Context()).Target = "token:" + idText(int64(t.ID))
	account := req.accountRow(a)
	view := tokenView{
		Account: account, Token: req.tokenRow(account, t), Generation: max(t.Rotation.Generation, 1),
		Owner: t.Owner, Purpose: t.Purpose, Created: req.timestamp(t.CreatedAt), CreatedBy: t.CreatedBy, Limits: req.limitFields(t),
	}
	view.Owner, view.Purpose = t.Of(a.ServiceAccount)
	if view.Owner != "" {
		view.OwnerURL = accountsAt{Owner: view.Owner}.URL()
	}
	usage, err := req.o.Admin.TokenUsage(req.Context(), req.caller, a.ID, t.ID, usageDays)
	if err != nil {
		return err
	}
	if view.Usage, err = req.usageView(usage, t); err != nil {
		return err
	}
	view.Lead, view.LeadClass = req.tokenLead(view.Token, usage.Places)
	if err := req.chainOf(&view, a.ID, t); err != nil {
		return err
	}
	if err := req.historyOf(&view, a.ServiceAccount, t.ID); err != nil {
		return err
	}
	if view.frame, err = req.frame("serviceaccounts", t.Name, crumbAdmin, crumbAccess, crumbAccounts, crumb{a.Name, account.URL}); err != nil {
		return err
	}
	return req.show("tokens/detail", view)
}

// tokenLead says in a sentence how the token is used, and the class of its colour. Of the
// places the latest is the first.
func (req *request) tokenLead(t tokenRow, places []hallpass.TokenPlace) (words, class string) {
	switch {
	case t.Used.Zero():
		words = "Nobody has used it yet."
	default:
		words, class = "Used "+t.Used.Relative()+" by "+t.Client+" from "+t.Address+".", "good"
		if len(places) > 0 && wrongAnswer(places[0].Status) != "" {
			words, class = words+" The answer was "+strconv.Itoa(places[0].Status)+": "+wrongAnswer(places[0].Status)+".", "warn"
		}
	}
	switch t.State {
	case hallpass.TokenLive, hallpass.TokenOverlapping:
		return words, class
	case hallpass.TokenPaused, hallpass.TokenBlocked:
		return sentence(t.State.Words()) + " Requests with it are refused. " + words, "warn"
	}
	return sentence(t.State.Words()) + " Requests with it are refused. " + words, "bad"
}

// limitFields list what makes the token narrower than its account.
func (req *request) limitFields(t hallpass.Token) (list []field) {
	l := t.Limits
	add := func(name, value string) { list = append(list, field{name, value}) }
	if l.ReadOnly {
		add("May do", "Read only")
	}
	if l.MaxRole != nil {
		add("Role", "At most "+l.MaxRole.String())
	}
	if l.Permissions != nil {
		var lines []string
		for _, p := range l.Permissions {
			lines = append(lines, p.String())
		}
		if len(lines) == 0 {
			lines = []string{"nothing at all"}
		}
		add("Permissions", strings.Join(lines, ", "))
	}
	if len(l.Networks) > 0 {
		var lines []string
		for _, n := range l.Networks {
			lines = append(lines, n.String())
		}
		add("Networks", strings.Join(lines, ", "))
	}
	if l.Rate.Requests > 0 {
		add("Rate", rateWords(l.Rate))
	}
	if t.SelfRotate {
		add("Renews itself", "until "+req.timestamp(t.RenewUntil).Date())
	}
	return list
}

// chainOf fills in the tokens that the token replaced and that replaced it, and the rotation
// that is under way between two of them.
func (req *request) chainOf(view *tokenView, account hallpass.ServiceAccountID, t hallpass.Token) error {
	find := func(id hallpass.TokenID) (hallpass.Token, error) {
		if id == 0 {
			return hallpass.Token{}, nil
		}
		other, err := req.o.Admin.Token(req.Context(), req.caller, account, id)
		if hallpass.KindOf(err) == hallpass.NotFound { // it is deleted
			return hallpass.Token{}, nil
		}
		return other, err
	}
	before, err := find(t.Rotation.Predecessor)
	if err != nil {
		return err
	}
	after, err := find(t.Rotation.Successor)
	view.Replaces = before.LastFour
	now := req.o.Admin.Now()
	switch {
	case err != nil:
	case t.Rotating(after, now):
		view.Pair = req.pair(view.Account, t, req.withUse(after)).Pair
	case before.Rotating(t, now):
		view.Pair = req.pair(view.Account, req.withUse(before), t).Pair
	}
	if after.ID != 0 {
		view.ReplacedBy = link{Name: "…" + after.LastFour, URL: view.Account.URL + "/tokens/" + idText(int64(after.ID))}
	}
	return err
}

// historyOf fills in what happened to the token, and what it was refused, if the viewer
// may see it.
func (req *request) historyOf(view *tokenView, account hallpass.ServiceAccount, t hallpass.TokenID) error {
	if !req.caller.Can(hallpass.AuditRead, "") {
		return nil
	}
	view.SeeHistory = true
	itself := "token:" + idText(int64(t))
	on := about{itself, account}
	view.AuditURL = "/admin/audit?target=" + itself
	f := hallpass.AuditFilter{Org: req.caller.Org, Limit: historyPerToken, Outcome: hallpass.Done, About: &hallpass.AuditAbout{Targets: []string{itself}}}
	var err error
	if view.History, _, err = req.sayings(f, on); err != nil {
		return err
	}
	f.Outcome, f.About.Actor, f.About.Token = hallpass.Refused, int64(account.ID), t
	view.Refusals, _, err = req.sayings(f, on)
	return err
}
