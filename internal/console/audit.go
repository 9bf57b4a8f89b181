package console

import (
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// auditView is a page of the audit log.
type auditView struct {
	frame
	Action, Actor, Target, Outcome, From, To string // the filter, as typed
	Outcomes                                 []choice
	Filtered                                 bool
	Entries                                  []auditRow
	Newest, Older                            string    // addresses; empty: none
	SearchedTo                               timestamp // where the search ended before the page was full; empty: it did not
}

// auditRow is one entry.
type auditRow struct {
	At      timestamp
	Actor   string
	Token   hallpass.TokenID
	Action  string
	Target  string
	Outcome badge
	Reason  string
	Address string
	Client  string
	Count   int64
	Who     link            // Actor, with the name
	What    link            // Target, with the name
	Said    link            // of Reason, what it points to
	Used    link            // Token, with the name
	others  map[string]link // to the tokens that Reason numbers, by "token 7"
	entry   hallpass.AuditEntry
}

const (
	auditPerPage = 50
	longReason   = 140 // characters; about four lines of its column on a screen of 1280 pixels
	wholeAction  = 21  // characters of an action for which its column has room on that screen
)

// ActionParts are the parts of a long action, between which a line may end.
func (r auditRow) ActionParts() []string {
	if len(r.Action) <= wholeAction {
		return []string{r.Action}
	}
	var parts []string
	for part := range strings.SplitAfterSeq(r.Action, ".") {
		parts = append(parts, strings.SplitAfter(part, ":")...)
	}
	return parts
}

// Long reports whether the list folds the reason.
func (r auditRow) Long() bool { return utf8.RuneCountInString(r.Reason) > longReason }

// auditPage is GET /admin/audit?action&actor&target&outcome&from&to&before.
func auditPage(req *request) error {
	q := req.URL.Query()
	view := auditView{
		Action: q.Get("action"), Actor: q.Get("actor"), Target: q.Get("target"), Outcome: q.Get("outcome"), From: q.Get("from"), To: q.Get("to"),
	}
	f := req.auditFilter(&view)
	page, err := req.o.Admin.Audit(req.Context(), req.caller, f)
	var wrong *hallpass.Error
	if errors.As(err, &wrong) && wrong.Field == "action" {
		nearest, _ := hallpass.NearestAuditAction(f.Action)
		req.fieldError("action", "There is no such action: did you mean "+nearest+"?")
		err = nil
	}
	if err != nil {
		return err
	}
	for _, e := range page.Entries {
		view.Entries = append(view.Entries, req.auditRow(e))
	}
	if err := req.nameEntries(view.Entries); err != nil {
		return err
	}
	for i := range view.Entries {
		view.Entries[i].Reason = dated(view.Entries[i].Reason)
	}
	view.link(f, page.Next)
	if next := page.Next; !next.IsZero() && len(page.Entries) < auditPerPage {
		view.SearchedTo = req.timestamp(next.At)
	}
	if view.frame, err = req.frame("audit", "Audit log", crumbAdmin); err != nil {
		return err
	}
	return req.show("audit/list", view)
}

// auditFilter returns the filter that was typed. What is no date is told at its
// field and does not filter.
func (req *request) auditFilter(view *auditView) hallpass.AuditFilter {
	f := hallpass.AuditFilter{Action: view.Action, Actor: view.Actor, Target: view.Target, Limit: auditPerPage}
	for _, o := range []hallpass.AuditOutcome{hallpass.Done, hallpass.Refused} {
		chosen := string(o) == view.Outcome
		if chosen {
			f.Outcome = o
		}
		view.Outcomes = append(view.Outcomes, choice{string(o), outcomeBadges[o].Text, chosen})
	}
	var err error
	if f.From, err = day(view.From); err != nil {
		req.fieldError("from", "From is not a date.")
	}
	if f.To, err = day(view.To); err != nil {
		req.fieldError("to", "To is not a date.")
	} else if !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1)
	}
	f.Before, _ = hallpass.ParseAuditCursor(req.URL.Query().Get("before")) // ignore a value that the console did not write
	return f
}

// link fills in the addresses of the newest and of the next older page.
func (view *auditView) link(f hallpass.AuditFilter, next hallpass.AuditCursor) {
	same := url.Values{}
	for name, value := range map[string]string{
		"action": view.Action, "actor": view.Actor, "target": view.Target, "outcome": view.Outcome, "from": view.From, "to": view.To,
	} {
		if value != "" {
			same.Set(name, value)
			view.Filtered = true
		}
	}
	if !f.Before.IsZero() {
		view.Newest = "/admin/audit?" + same.Encode()
	}
	if !next.IsZero() {
		same.Set("before", next.String())
		view.Older = "/admin/audit?" + same.Encode()
	}
}

// day reads a date, which may be empty.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}

func (req *request) auditRow(e hallpass.AuditEntry) auditRow {
	row := auditRow{
		At: req.timestamp(e.At), Actor: e.Actor.Login, Token: e.Token, Action: e.Action, Target: e.Target,
		Outcome: outcomeBadges[e.Outcome], Reason: e.Reason, Address: e.From.Address, Count: e.Count, entry: e,
	}
	if row.Actor == "" {
		row.Actor = e.ActorName
	}
	if e.From.UserAgent != "" {
		row.Client = client(e.From.UserAgent)
	}
	return row
}

// nameEntries fills in the names of actors, tokens and targets.
func (req *request) nameEntries(rows []auditRow) error {
	var refs []admin.Ref
	for _, r := range rows {
		_, to := reasonRef(r.entry)
		for _, m := range auditToken.FindAllStringSubmatch(r.entry.Reason, -1) {
			refs = append(refs, refsIn(r.entry.Org, "token:"+m[1])...)
		}
		refs = append(refs, refsIn(r.entry.Org, r.Target, to, "principal:"+idText(r.entry.Actor.ID), "token:"+idText(int64(r.Token)))...)
	}
	known, err := req.o.Admin.NamesInAudit(req.Context(), req.caller, refs)
	n := names{req, known}
	for i := range rows {
		r := &rows[i]
		org := r.entry.Org
		if r.entry.Actor.ID != 0 {
			r.Who = n.principal(org, r.entry.Actor)
		}
		r.What = n.link(org, r.Target)
		if before, to := reasonRef(r.entry); to != "" {
			r.Reason, r.Said = before, n.link(org, to)
		}
		r.others = make(map[string]link)
		for _, m := range auditToken.FindAllStringSubmatch(r.entry.Reason, -1) {
			if ref, ok := admin.ParseRef(org, "token:"+m[1]); ok {
				t := n.link(org, "token:"+m[1])
				t.Name = secretName(known[ref])
				r.others[m[0]] = t
			}
		}
		if r.Token != 0 {
			r.Used = n.link(org, "token:"+idText(int64(r.Token)))
		}
	}
	return err
}

// reasonRef splits the reason of a change into its text and the reference at its
// end, as in "to team:3".
func reasonRef(e hallpass.AuditEntry) (before, to string) {
	if e.Outcome == hallpass.Refused {
		return e.Reason, ""
	}
	last := e.Reason[strings.LastIndexByte(e.Reason, ' ')+1:]
	before = strings.TrimSuffix(e.Reason, last)
	if _, ok := admin.ParseRef(e.Org, last); ok && (before == "" || before == "to " || before == "from ") {
		return before, last
	}
	return e.Reason, ""
}
