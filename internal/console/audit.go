package console

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// auditView is a page of the audit log.
type auditView struct {
	frame
	Action, Actor, Target, From, To string // the filter, as typed
	Outcomes, Ranges                []choice
	Actions, Actors                 []string // that occurred of late, to choose from
	About                           link     // Target, with its name
	AnyTarget                       string   // the address without Target
	Filtered                        bool
	Days                            []auditDay
	Exports                         []auditExport
	Proof                           auditProofView
	Entry                           *auditDetail // that is shown beside the list; nil: none is
	Newest, Older                   string       // addresses; empty: none
	SearchedTo                      timestamp    // where the search ended before the page was full; empty: it did not
}

// auditDay has the entries of a UTC day, newest first.
type auditDay struct {
	Title, Date string // "Today" or "Yesterday", else empty; "26 November 2026"
	Lines       []auditLine
}

// auditLine is an entry as a sentence, and the address that shows it beside the list.
type auditLine struct {
	saying
	URL    string
	Chosen bool
	Folded string // the whole reason, if it is too long for a sentence; empty: it is not
}

// auditExport is a form in which what the page lists can be saved.
type auditExport struct{ Label, Note, URL string }

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
	longReason   = 140 // characters of a sentence's detail; more is folded
)

// auditRanges are the times from which on the page offers to list.
var auditRanges = []struct {
	key, label string
	back       time.Duration
}{{"", "Any time", 0}, {"1h", "Last hour", time.Hour}, {"24h", "Last 24 hours", 24 * time.Hour}, {"7d", "Last 7 days", 7 * 24 * time.Hour}, {"30d", "Last 30 days", 30 * 24 * time.Hour}}

// auditPage is GET /admin/audit?action&actor&target&outcome&range&from&to&before&entry.
func auditPage(req *request) error {
	q := req.URL.Query()
	view := auditView{Action: q.Get("action"), Actor: q.Get("actor"), Target: q.Get("target"), From: q.Get("from"), To: q.Get("to")}
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
	at := view.address(req, f, page.Next)
	if next := page.Next; !next.IsZero() && len(page.Entries) < auditPerPage {
		view.SearchedTo = req.timestamp(next.At)
	}
	if err := req.auditLines(&view, page.Entries, at); err != nil {
		return err
	}
	if view.Actions, view.Actors, err = req.o.Admin.AuditSeen(req.Context(), req.caller); err != nil {
		return err
	}
	view.Exports, view.Proof = req.auditExports(f), req.auditProofView()
	if view.frame, err = req.frame("audit", "Audit log", crumbAdmin); err != nil {
		return err
	}
	return req.show("audit/list", view)
}

// auditLines fills in the entries as sentences, by day, and the one that is shown in detail.
func (req *request) auditLines(view *auditView, entries []hallpass.AuditEntry, at url.Values) error {
	shown, err := req.shownEntry()
	if err != nil {
		return err
	}
	all := entries
	if shown != nil {
		all = append(slices.Clone(entries), *shown)
	}
	rows := make([]auditRow, len(all))
	for i, e := range all {
		rows[i] = req.auditRow(e)
	}
	if err := req.nameEntries(rows); err != nil {
		return err
	}
	if view.Target != "" {
		if view.About, err = req.auditTarget(view.Target); err != nil {
			return err
		}
	}
	for _, r := range rows[:len(entries)] {
		line := auditLine{saying: auditSaying(r), URL: auditAt(at, r.entry.ID), Chosen: shown != nil && r.entry.ID == shown.ID}
		line.fold()
		title, date := r.At.dayTitle()
		if n := len(view.Days); n == 0 || view.Days[n-1].Date != date {
			view.Days = append(view.Days, auditDay{Title: title, Date: date})
		}
		day := &view.Days[len(view.Days)-1]
		day.Lines = append(day.Lines, line)
	}
	if shown != nil {
		view.Entry = req.auditDetail(rows[len(entries)], at)
	}
	return nil
}

// aboutAnything is a page that names everything.
var aboutAnything = about{itself: "anything"}

// auditSaying returns the entry as a sentence that names what a refusal was about.
func auditSaying(r auditRow) saying {
	s := aboutAnything.saying(r)
	if named := r.What.Name != "" || r.What.Kind != ""; r.entry.Outcome == hallpass.Refused && named && s.What.ID == "" && s.To.ID == "" && r.What != r.Used {
		s.Toward, s.To = "on", r.What
	}
	return s
}

// fold has the detail of the sentence folded if it is long.
func (l *auditLine) fold() {
	var whole strings.Builder
	for _, p := range l.Detail {
		whole.WriteString(p.Text + p.Link.Name)
	}
	if utf8.RuneCountInString(whole.String()) > longReason {
		l.Detail, l.Folded = nil, whole.String()
	}
}

// auditTarget returns the link to what the filter picks.
func (req *request) auditTarget(target string) (link, error) {
	known, err := req.o.Admin.NamesInAudit(req.Context(), req.caller, refsIn(req.caller.Org, target))
	return names{req, known}.link(req.caller.Org, target), err
}

// auditAt returns the address of the list with the entry beside it.
func auditAt(at url.Values, id hallpass.AuditID) string {
	at = maps.Clone(at)
	at.Set("entry", idText(int64(id)))
	return "/admin/audit?" + at.Encode()
}

// dayTitle returns what people call the UTC day of m, if they call it by a word, and its date.
func (m timestamp) dayTitle() (title, date string) {
	day, today := m.at.UTC().Truncate(24*time.Hour), m.now.UTC().Truncate(24*time.Hour)
	date = day.Format("2 January 2006")
	switch today.Sub(day) {
	case 0:
		return "Today", date
	case 24 * time.Hour:
		return "Yesterday", date
	}
	return "", date
}

// auditFilter returns the filter that was typed. What is no date is told at its
// field and does not filter.
func (req *request) auditFilter(view *auditView) hallpass.AuditFilter {
	f := hallpass.AuditFilter{Action: view.Action, Actor: view.Actor, Target: view.Target, Limit: auditPerPage}
	for _, o := range []hallpass.AuditOutcome{hallpass.Done, hallpass.Refused} {
		chosen := string(o) == req.URL.Query().Get("outcome")
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
	for _, r := range auditRanges {
		chosen := r.key == req.URL.Query().Get("range")
		if since := req.o.Admin.Now().Add(-r.back); chosen && r.back > 0 && since.After(f.From) {
			f.From = since
		}
		view.Ranges = append(view.Ranges, choice{r.key, r.label, chosen})
	}
	f.Before, _ = hallpass.ParseAuditCursor(req.URL.Query().Get("before")) // ignore a value that the console did not write
	return f
}

// address fills in the addresses of the newest and of the next older page, and returns the
// query of this one.
func (view *auditView) address(req *request, f hallpass.AuditFilter, next hallpass.AuditCursor) url.Values {
	same := url.Values{}
	for _, name := range []string{"action", "actor", "target", "outcome", "range", "from", "to"} {
		if value := req.URL.Query().Get(name); value != "" {
			same.Set(name, value)
			view.Filtered = true
		}
	}
	other := maps.Clone(same)
	other.Del("target")
	view.AnyTarget = "/admin/audit?" + other.Encode()
	here := maps.Clone(same)
	if !f.Before.IsZero() {
		view.Newest = "/admin/audit?" + same.Encode()
		here.Set("before", f.Before.String())
	}
	if !next.IsZero() {
		same.Set("before", next.String())
		view.Older = "/admin/audit?" + same.Encode()
	}
	return here
}

// auditExports returns the forms in which all that the filter picks can be saved, with the
// calls of the API that write them.
func (req *request) auditExports(f hallpass.AuditFilter) (list []auditExport) {
	q := url.Values{}
	for name, value := range map[string]string{"action": f.Action, "actor": f.Actor, "target": f.Target, "outcome": string(f.Outcome)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"from": f.From, "to": f.To} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	add := func(label, format, note string) {
		q.Set("format", format)
		list = append(list, auditExport{label, note, "/api/audit?" + q.Encode()})
	}
	add("CSV", "csv", "A table, newest first")
	add("JSON", "ndjson", "One object a line, newest first")
	if req.caller.ServerAdmin {
		add("Chain", "chain", "With the digests that prove it")
	}
	return list
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
