package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// tally is how many rows a section of what needs doing has, and leads to them.
type tally struct{ Count, Label, Class, URL string }

// todoSection is a section of what needs doing.
type todoSection struct {
	Key   string
	Title string
	Class string // of the dot
	Now   bool   // a job is failing
	Count string
	All   string // address of all its rows; empty: they are shown
	Next  string // address of the next page; empty: there is none
	Rows  []todoRow
}

// todoRow says what needs doing about one subject, and does it.
type todoRow struct {
	Name, URL     string
	Of, OfURL     string // its account; empty: it has none, or is one
	Why           string
	Do            todoAction   // the one right thing to do
	More          []todoAction // others
	MenuID, About string
}

// todoAction is a button.
type todoAction struct {
	Label, Icon, Text string
	URL               string
	Dialog, Asks      bool // its page opens as a dialog, or as a question
	Role              string
}

// attentionWords are what sections are called beside a number, and their colours.
var attentionWords = map[hallpass.AttentionSection]struct{ one, many, short, class string }{
	hallpass.AttentionFailing:    {"job is failing now", "jobs are failing now", "failing now", "bad"},
	hallpass.AttentionAPIs:       {"API fails", "APIs fail", "APIs fail", "bad"},
	hallpass.AttentionExpiring:   {"token ends within 14 days", "tokens end within 14 days", "end within 14 days", "warn"},
	hallpass.AttentionOverlaps:   {"rotation to finish", "rotations to finish", "rotations to finish", "warn"},
	hallpass.AttentionNeverUsed:  {"token was never used", "tokens were never used", "never used", ""},
	hallpass.AttentionIdle:       {"token is not used any more", "tokens are not used any more", "not used any more", ""},
	hallpass.AttentionNeverEnds:  {"token never ends", "tokens never end", "never end", ""},
	hallpass.AttentionAboveLimit: {"token is above the limit", "tokens are above the limit", "above the limit", "warn"},
	hallpass.AttentionNoOwner:    {"account has no owner", "accounts have no owner", "without an owner", ""},
	hallpass.AttentionMorePower:  {"account holds too much power", "accounts hold too much power", "hold too much power", ""},
	hallpass.AttentionChannels:   {"channel fails", "channels fail", "channels fail", "warn"},
	hallpass.AttentionRefusals:   {"rule refuses", "rules refuse", "rules refuse", "warn"},
	hallpass.AttentionProxy:      {"proxy is not trusted", "proxies are not trusted", "proxy not trusted", "warn"},
}

// shownRows is how many rows of a section home shows; all of one section has more.
const shownRows = 5

// countText writes a number of rows, of which there may be more.
func countText(p admin.AttentionPage) string {
	if p.More {
		return strconv.Itoa(p.Total) + "+"
	}
	return strconv.Itoa(p.Total)
}

// sectionWords tells how many rows the section has.
func sectionWords(p admin.AttentionPage) string {
	w := attentionWords[p.Section]
	if p.Total == 1 {
		return "1 " + w.one
	}
	return countText(p) + " " + w.many
}

// shortWords are what the section is called beside its number.
func shortWords(p admin.AttentionPage) string {
	short := attentionWords[p.Section].short
	if p.Total != 1 {
		return short
	}
	verbs := strings.NewReplacer("channels fail", "channel fails", "APIs fail", "API fails", "rules refuse", "rule refuses", "rotations to", "rotation to", "hold too", "holds too")
	short = verbs.Replace(short)
	for _, verb := range []string{"end within", "never end"} {
		if strings.HasPrefix(short, verb) {
			return strings.Replace(short, "end", "ends", 1)
		}
	}
	return short
}

// sectionURL returns the address of all rows of the section, from a place on.
func sectionURL(s hallpass.AttentionSection, after hallpass.AttentionCursor) string {
	q := url.Values{"section": {string(s)}}
	if !after.IsZero() {
		q.Set("after", after.String())
	}
	return "/?" + q.Encode()
}

// rowsURL returns the address of a list that has as many rows as the section: of tokens where
// they are about tokens that work, else of the section itself.
func rowsURL(s hallpass.AttentionSection) string {
	if slices.Contains(admin.TokenListSections(), s) {
		return tokensAt{Todo: string(s)}.URL()
	}
	return sectionURL(s, hallpass.AttentionCursor{})
}

// todo returns the section as home shows it.
func (req *request) todo(p admin.AttentionPage) todoSection {
	s := todoSection{
		Key: string(p.Section), Title: p.Section.Title(), Class: attentionWords[p.Section].class, Count: countText(p), Now: p.Section == hallpass.AttentionFailing,
	}
	if len(p.Rows) < p.Total || p.More {
		s.All = sectionURL(p.Section, hallpass.AttentionCursor{})
	}
	for i, r := range p.Rows {
		row := req.todoRow(r)
		row.MenuID = "todo-" + s.Key + "-" + strconv.Itoa(i)
		s.Rows = append(s.Rows, row)
	}
	return s
}

func (req *request) todoRow(r hallpass.AttentionRow) todoRow {
	if r.Subject.Kind == hallpass.TokenSubject {
		r.Token = req.withUse(r.Token)
	}
	row := todoRow{Name: r.Token.Name, Of: r.Account.Name, OfURL: accountURL(r.Account.UID), Why: req.why(r)}
	row.URL = row.OfURL + "/tokens/" + idText(int64(r.Token.ID))
	switch r.Subject.Kind {
	case hallpass.AccountSubject:
		row.Name, row.URL, row.Of = r.Account.Name, row.OfURL, ""
	case hallpass.ChannelSubject:
		row.Name, row.Of, row.URL = r.Channel.Name, "", channelURL(r.Channel.ID)
	case hallpass.GuardSubject:
		row.Name, row.Of, row.URL = r.Guard, "", guardURL(r.Guard)
		if r.Section == hallpass.AttentionRefusals {
			row.Name, row.Of, row.OfURL = req.ruleTitle(r.Guard, r.Rule), r.Guard, row.URL
		}
	case hallpass.OrgSubject:
		row.Name, row.Of, row.URL = r.From.Address, "", ""
	}
	row.About = row.Name
	row.Do = req.todoAction(r.Action, r)
	for _, a := range otherActions(r) {
		row.More = append(row.More, req.todoAction(a, r))
	}
	snooze := url.Values{"section": {string(r.Section)}, "subject": {r.Subject.String()}}
	if r.Action != hallpass.ActionLetEnd {
		row.More = append(row.More, todoAction{Label: "Put off…", Icon: "clock", Text: "For some days, with a reason.", URL: snoozeURL + "?" + snooze.Encode(), Dialog: true})
	}
	return row
}

// ruleTitle names the rule of the guard: by its number, what it is for, and its path. 0 is the
// guard itself.
func (req *request) ruleTitle(guard string, number int) string {
	title := sentenceStart(refusingRule(number))
	g, err := req.o.Admin.Guard(req.Context(), req.caller, guard)
	rules := g.AllRules()
	if err != nil || number < 1 || number > len(rules) { // it is gone, or changed meanwhile: the number is told
		return title
	}
	row := ruleRowOf(rules[number-1], number)
	if row.Methods == anyMethod {
		return title + ": " + row.Path
	}
	return title + ": " + row.Methods + " " + row.Path
}

// otherActions are those that a token's row offers beside the right one.
func otherActions(r hallpass.AttentionRow) (list []hallpass.AttentionAction) {
	if r.Subject.Kind != hallpass.TokenSubject {
		return nil
	}
	switch r.Section {
	case hallpass.AttentionOverlaps:
		if r.Action == hallpass.ActionRotate { // so that there is time for it
			return []hallpass.AttentionAction{hallpass.ActionExtend}
		}
		return nil
	case hallpass.AttentionFailing:
		if r.Action == hallpass.ActionShowTries {
			return []hallpass.AttentionAction{hallpass.ActionCreate}
		}
		return nil
	}
	for _, a := range []hallpass.AttentionAction{hallpass.ActionRotate, hallpass.ActionPause, hallpass.ActionRevoke} {
		if a != r.Action && (a != hallpass.ActionRotate || r.Action != hallpass.ActionSetEnd) {
			list = append(list, a)
		}
	}
	return list
}

// todoAction returns the button that does a.
func (req *request) todoAction(a hallpass.AttentionAction, r hallpass.AttentionRow) todoAction {
	account := accountURL(r.Account.UID)
	token := account + "/tokens/" + idText(int64(r.Token.ID))
	t := todoAction{Label: a.Words(), Dialog: true, Icon: "rotate"}
	switch a {
	case hallpass.ActionRotate, hallpass.ActionReissue, hallpass.ActionSetEnd:
		t.URL, t.Text = token+"/rotate", "A new secret; the old one goes on for a while."
	case hallpass.ActionCreate:
		t.URL, t.Icon, t.Text = account+"/tokens/new?"+url.Values{"name": {r.Token.Name}}.Encode(), "plus", "The revoked one cannot come back."
	case hallpass.ActionShowTries:
		t.URL, t.Dialog = token+"#refusals", false
	case hallpass.ActionSetNetworks:
		t.URL = token + "/narrow"
	case hallpass.ActionPause:
		t.URL, t.Icon, t.Text = token+"/pause", "pause", "Refused on every node until it is resumed."
	case hallpass.ActionLetEnd:
		t.URL = snoozeURL + "?" + url.Values{"section": {string(r.Section)}, "subject": {r.Subject.String()}}.Encode()
	case hallpass.ActionRevoke:
		t.URL, t.Icon, t.Text, t.Dialog, t.Asks = token+"/delete", "trash", "It ends at once and cannot come back.", false, true
	case hallpass.ActionResume, hallpass.ActionRetire, hallpass.ActionExtend:
		t.URL, t.Dialog, t.Asks = token+"/"+string(a), false, true
	case hallpass.ActionEnable:
		t.URL, t.Dialog, t.Asks = account+"/enable", false, true
	case hallpass.ActionLowerRole:
		t.URL, t.Dialog, t.Role, t.Label = account+"/role", false, r.Lower.String(), "Lower to "+r.Lower.String()
	case hallpass.ActionShowGuard:
		t.URL, t.Dialog = guardURL(r.Guard), false
	case hallpass.ActionTrustProxy:
		t.URL, t.Dialog = "", false // the configuration file has it: the console changes no settings
	case hallpass.ActionFixChannel:
		t.URL, t.Dialog = channelURL(r.Channel.ID), false
	case hallpass.ActionSetOwner:
		t.URL = account + "/owner"
	default:
		t.URL, t.Dialog = account, false
	}
	return t
}

// why tells what is the matter, with its times.
func (req *request) why(r hallpass.AttentionRow) string {
	parts := []string{sentence(r.What())}
	add := func(format ...string) { parts = append(parts, sentence(strings.Join(format, ""))) }
	when := func(at time.Time) string { return req.timestamp(at).Relative() }
	switch r.Section {
	case hallpass.AttentionFailing:
		if r.Count == 1 {
			add("once, ", when(r.Last), ", from ", r.From.Address, " by ", client(r.From.UserAgent))
		} else {
			add(strconv.FormatInt(r.Count, 10), " times, the first ", when(r.Since), " and the last ", when(r.Last), ", from ", r.From.Address, " by ", client(r.From.UserAgent))
		}
		if r.Action == hallpass.ActionShowTries || r.Action == hallpass.ActionShowSuccessor {
			add(refusals[r.Reason].advice)
		}
		return strings.Join(parts, " ")
	case hallpass.AttentionAPIs:
		parts = []string{sentence(r.What() + " since " + req.timestamp(r.Since).Clock())}
	case hallpass.AttentionExpiring, hallpass.AttentionAboveLimit:
		parts = []string{sentence("ends " + when(r.Token.EndsAt()))}
	case hallpass.AttentionOverlaps:
		if end := r.Token.Rotation.CloseAt; end.After(req.o.Admin.Now()) { // the new token has none
			add("the old secret ends ", when(end), " at the latest")
		}
	case hallpass.AttentionNeverUsed:
		parts = nil
		add("made ", when(r.Token.CreatedAt), " by ", r.Token.CreatedBy)
	case hallpass.AttentionNeverEnds:
		parts = nil
		add(r.Account.Role.String(), ", made ", when(r.Token.CreatedAt), " by ", r.Token.CreatedBy)
	case hallpass.AttentionRefusals:
		parts = nil
		day := "yesterday" // the count is by day, so the hour is not known
		if !r.Last.Before(req.o.Admin.Now().UTC().Truncate(24 * time.Hour)) {
			day = "today"
		}
		add("refused ", hallpass.Counted(int(r.Count), "request"), ", the last ", day, guardReason(r.Reason))
	}
	if r.Subject.Kind == hallpass.TokenSubject {
		if r.Token.LastUse.At.IsZero() {
			add("never used")
		} else {
			add("used ", req.useText(r.Token))
		}
	}
	return strings.Join(parts, " ")
}

const snoozeURL = "/snooze"

// snoozeView is the form that puts a row off.
type snoozeView struct {
	frame
	Account       accountRow // its address is where the browser goes back to
	What          string
	Section, Part string
	Days          []choice
	Reason        string
}

// snoozeOf returns the form for the row that the address or the form names.
func (req *request) snoozeOf(q url.Values) (view snoozeView, section hallpass.AttentionSection, subject hallpass.Subject, err error) {
	section = hallpass.AttentionSection(q.Get("section"))
	subject, ok := hallpass.ParseSubject(q.Get("subject"))
	if _, known := attentionWords[section]; !ok || !known {
		return view, section, subject, errNoPage
	}
	view = snoozeView{
		Account: accountRow{URL: "/"}, What: section.Title(), Section: string(section), Part: subject.String(), Reason: q.Get("reason"),
		Days: chosen([]choice{{"7", "7 days", false}, {"30", "30 days", false}, {"90", "90 days", false}}, "30"),
	}
	return view, section, subject, nil
}

func (req *request) showSnooze(status int, view snoozeView) (err error) {
	if view.frame, err = req.frame("home", "Put this off"); err != nil {
		return err
	}
	return req.showStatus(status, "home/snooze", view)
}

// snoozeForm is GET /snooze.
func snoozeForm(req *request) error {
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.ServiceAccountsRead, ""); err != nil {
		return err
	}
	view, _, _, err := req.snoozeOf(req.URL.Query())
	if err != nil {
		return err
	}
	return req.showSnooze(http.StatusOK, view)
}

// snooze is POST /snooze.
func snooze(req *request) error {
	f := req.PostForm
	view, section, subject, err := req.snoozeOf(f)
	if err != nil {
		return err
	}
	days, _ := strconv.Atoi(f.Get("days")) // what is no number is 0: the default
	if days < 1 || days > int(hallpass.MaxSnooze/(24*time.Hour)) {
		days = int(hallpass.SnoozeFor / (24 * time.Hour))
	}
	view.Days = chosen(view.Days, strconv.Itoa(days))
	z, err := req.o.Admin.Snooze(req.Context(), req.caller, section, subject, time.Duration(days)*24*time.Hour, strings.TrimSpace(view.Reason))
	if err != nil {
		if !req.formError(err, "reason") {
			return err
		}
		return req.showSnooze(httpd.Status(err), view)
	}
	req.flash("It is put off until " + req.timestamp(z.Until).Date() + ".")
	req.seeOther("/")
	return nil
}
