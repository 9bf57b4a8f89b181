package console

import (
	"net/url"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

var crumbGuards = crumb{nounGuard.Title(), "/guards"}

func guardURL(name string) string { return crumbGuards.URL + "/" + name }

// guardsView is the list of guards.
type guardsView struct {
	frame
	Query  string
	Rows   []guardRow
	Pager  pager
	Create bool // the viewer may add guards
}

// guardRow is a guard as lists show it.
type guardRow struct {
	Name, URL string
	Upstream  string // empty: other proxies alone know where the API is
	Preset    string // in words; empty: none
	Rules     int
	State     badge
	Locked    bool
	Source    string // where it is written down
	Calls     int64  // today, refused ones too
	Refused   int64
}

// CallsText and RefusedText are the numbers as people read them.
func (r guardRow) CallsText() string   { return grouped(r.Calls) }
func (r guardRow) RefusedText() string { return grouped(r.Refused) }

// guards is GET /guards?query&page.
func guards(req *request) error {
	p, text := req.listPage()
	list, total, err := req.o.Admin.Guards(req.Context(), req.caller, admin.GuardFilter{Query: text, Page: p})
	if err != nil {
		return err
	}
	view := guardsView{Query: text, Create: req.caller.Can(hallpass.GuardsWrite, ""), Pager: pagerOf(req, crumbGuards.URL, total, p.Number, nounGuard)}
	for _, g := range list {
		row := guardRowOf(g)
		use, err := req.guardUse(g.Name)
		if err != nil {
			return err
		}
		for _, u := range use {
			row.Calls, row.Refused = row.Calls+u.calls, row.Refused+u.refused
		}
		view.Rows = append(view.Rows, row)
	}
	if view.frame, err = req.frame("guards", crumbGuards.Label); err != nil {
		return err
	}
	return req.show("guards/list", view)
}

func guardRowOf(g hallpass.Guard) guardRow {
	preset, _ := hallpass.GuardPresetByName(g.Preset)
	return guardRow{
		Name: g.Name, URL: guardURL(g.Name), Upstream: g.Upstream, Preset: preset.DisplayName, Rules: len(g.AllRules()), State: guardBadge(g),
		Locked: g.Manager() != hallpass.ManagedByAPI, Source: guardSource(g),
	}
}

// ruleUse counts today's decisions by one rule.
type ruleUse struct{ calls, refused int64 } // calls holds the refused ones too

// guardUse returns today's decisions of a guard by the numbers of rules; 0 is for the
// requests that no rule matched, or that did not come that far.
func (req *request) guardUse(name string) (map[int]ruleUse, error) {
	list, err := req.o.Admin.GuardUsage(req.Context(), req.caller, name, 1)
	if err != nil {
		return nil, err
	}
	byRule := make(map[int]ruleUse)
	for _, u := range list {
		use := byRule[u.Rule]
		use.calls += u.Count
		if u.Outcome != hallpass.GuardAllowed {
			use.refused += u.Count
		}
		byRule[u.Rule] = use
	}
	return byRule, nil
}

// guardView is the page of a guard.
type guardView struct {
	frame
	Guard     guardRow
	Why       string // it is suspended
	Failing   string // its API answers with errors: how; empty: it does not
	Since     timestamp
	About     []field
	Changed   timestamp
	Warnings  []string
	Rules     []ruleRow
	Else      ruleRow // the requests that no rule matches
	SeeHeld   bool    // the viewer may know who holds what
	Lately    guardActivity
	Refusals  []refusalRow
	AllOfThem string // the address of the refusals in the audit log; empty: the viewer may not see it
	Test      bool   // the viewer may try requests
	Edit      bool   // the viewer may change the guard
	EditBy    string // why not; empty: the viewer may
	Delete    bool   // the viewer may delete the guard
	Trial     guardTrial
	Header    string // one that a rule reads; empty: none
	Accounts  []link // some to choose from
	Setup     guardSetup
	Live      string // the address of this page for what changes by itself
}

// ruleRow is a rule as one reads it aloud.
type ruleRow struct {
	Number  int
	Methods string
	Path    string
	Words   string // what the request needs
	Code    string // the permission; empty: none is needed
	Public  bool
	Preset  bool     // it comes from the preset
	Also    []string // captures and headers that it sets
	Held    link     // how many accounts hold it, and who; without URL: nobody does
	Calls   string   // today, refused ones too
	Refused string
	Hit     bool // the request that was tried came here
}

// refusalRow is a request that was refused.
type refusalRow struct {
	At      timestamp
	Who     link // zero: nobody that is known
	Request string
	Message string
	Reason  string
	Rule    int
	Address string
	Client  string
	Step    link   // what the viewer can do; zero: nothing here
	Advice  string // what somebody can do; empty: nothing is known
	Again   int    // how often it came, one after the other; 0: once
}

// guardPage is GET /guards/{guard}?proxy&request&who&headers. With a request it shows what
// the guard says about it. An address is no place for a token: it is not looked at, and the
// browser is led to an address without it.
func guardPage(req *request) error {
	q := req.URL.Query()
	switch t, who := (guardTrial{Request: q.Get("request"), Headers: q.Get("headers")}), strings.TrimSpace(q.Get("who")); {
	case strings.HasPrefix(who, secret.Prefix), hallpass.HoldsToken(t.Headers):
		req.seeOther(guardURL(url.PathEscape(req.PathValue("guard"))))
		return nil
	case t.Request != "":
		return req.showTrial(t, who)
	}
	view, err := req.guardView(guardTrial{Request: "GET /"})
	if err != nil {
		return err
	}
	return req.show("guards/detail", view)
}

// guardView collects what the page of the guard shows.
func (req *request) guardView(t guardTrial) (view guardView, err error) {
	g, err := req.o.Admin.Guard(req.Context(), req.caller, req.PathValue("guard"))
	if err != nil {
		return view, err
	}
	use, err := req.guardUse(g.Name)
	if err != nil {
		return view, err
	}
	view = guardView{
		Guard: guardRowOf(g), Why: g.Suspended.Words(), About: aboutGuard(g), Changed: req.timestamp(g.UpdatedAt), Rules: guardRules(g, use, t.Rule),
		Else: ruleRow{Calls: grouped(use[0].calls), Refused: grouped(use[0].refused)}, SeeHeld: req.caller.MayReadHolders(), Trial: t, Setup: req.guardSetup(g),
		Test: req.caller.Can(hallpass.GuardsTest, g.Scope()), Delete: g.Manager() == hallpass.ManagedByAPI && req.caller.Can(hallpass.GuardsDelete, g.Scope()),
	}
	view.Edit, view.EditBy = req.mayEdit(g)
	view.Live = view.Guard.URL + "?proxy=" + view.Setup.Page
	if req.caller.Can(hallpass.AuditRead, "") {
		view.AllOfThem = "/admin/audit?" + url.Values{"target": {"guard:" + g.Name}, "outcome": {string(hallpass.Refused)}}.Encode()
	}
	failing, err := req.o.Admin.FailingAPI(req.Context(), req.caller, g)
	if err != nil {
		return view, err
	}
	if failing != nil {
		view.Failing, view.Since = failing.Words(), req.timestamp(failing.Since)
	}
	if req.o.Activity != nil {
		lately := req.o.Activity(g.ID)
		view.Lately = req.guardActivity(lately)
		view.Setup.Asked = req.timestamp(lately.Asked[view.Setup.Page])
	}
	view.Setup.Shown = req.URL.Query().Has("proxy") || view.Setup.Asked.Zero()
	if err := req.guardDetails(&view, g); err != nil {
		return view, err
	}
	view.frame, err = req.frame("guards", g.Name, crumbGuards)
	return view, err
}

// mayEdit reports whether the viewer may change the guard, and why not.
func (req *request) mayEdit(g hallpass.Guard) (may bool, why string) {
	if g.File != "" {
		return false, "The provisioning file " + g.File + " declares the guard, under [guard." + g.Name + "]. Change it there: Hallpass reads it at its start and on SIGHUP."
	}
	if g.ManagedBy == hallpass.ManagedByConfig {
		return false, "The guard is written down in the file " + g.Source + ", under [guard." + g.Name + "]. Change it there: Hallpass reads it at its start and on SIGHUP."
	}
	may = req.caller.Can(hallpass.GuardsWrite, g.Scope())
	if why = needs(may, hallpass.GuardsWrite); why != "" {
		why += " to change the guard. Ask an administrator of your organization."
	}
	return may, why
}

// guardDetails fills in what takes further look-ups.
func (req *request) guardDetails(view *guardView, g hallpass.Guard) error {
	warnings, err := req.o.Admin.GuardWarnings(req.Context(), req.caller, g)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		view.Warnings = append(view.Warnings, guardWarning(w))
	}
	if err := req.heldBy(view.Rules, g.Name); err != nil {
		return err
	}
	if view.Refusals, err = req.guardRefusals(g, view.Test); err != nil || !view.Test {
		return err
	}
	view.Header = headerThatDecides(g)
	view.Accounts, err = req.accountsToTry()
	return err
}

// headerThatDecides returns a header that a rule of the guard reads; empty: none does.
func headerThatDecides(g hallpass.Guard) string {
	if reads, _ := g.Headers(); len(reads) > 0 {
		return reads[0]
	}
	return ""
}

// maxToTry is how many accounts the tester offers. Others are typed.
const maxToTry = 100

// accountsToTry lists service accounts that a request can be tried as, by login.
func (req *request) accountsToTry() (list []link, err error) {
	if !req.caller.Can(hallpass.ServiceAccountsRead, "") {
		return nil, nil
	}
	accounts, _, err := req.o.Admin.ServiceAccounts(req.Context(), req.caller, admin.ServiceAccountFilter{Page: 1, PerPage: maxToTry})
	for _, a := range accounts {
		list = append(list, link{Name: a.Name, ID: a.Login})
	}
	return list, err
}

// guardRules lists the rules; hit is the number of the one that a tried request came to.
func guardRules(g hallpass.Guard, use map[int]ruleUse, hit int) (rows []ruleRow) {
	for i, r := range g.AllRules() {
		row := ruleRowOf(r, i+1)
		row.Preset, row.Hit = i >= len(g.Rules), row.Number == hit
		row.Calls, row.Refused = grouped(use[row.Number].calls), grouped(use[row.Number].refused)
		rows = append(rows, row)
	}
	return rows
}

// anyMethod stands for the methods of a rule that is for all of them.
const anyMethod = "any"

// ruleRowOf returns the row of a rule with that number.
func ruleRowOf(r hallpass.GuardRule, number int) ruleRow {
	row := ruleRow{Number: number, Methods: anyMethod, Path: r.Path, Public: r.Need.Kind == hallpass.NeedNothing, Also: ruleExtras(r)}
	if len(r.Methods) > 0 {
		row.Methods = strings.Join(r.Methods, ", ")
	}
	row.Words, row.Code = needWords(r.Need)
	return row
}

// guardRefusals lists the last refusals of this node, each with what can be done about
// it: the viewer may try requests if test says so.
func (req *request) guardRefusals(g hallpass.Guard, test bool) (rows []refusalRow, err error) {
	if req.o.Refusals == nil {
		return nil, nil
	}
	list := req.o.Refusals(g.ID)
	edit, _ := req.mayEdit(g)
	var refs []admin.Ref
	for _, r := range list {
		if r.Token != 0 {
			refs = append(refs, refsIn(req.caller.Org, "serviceaccount:"+idText(r.Caller.ID))...)
		}
	}
	n, err := req.lookUpNames(refs)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		row := refusalRow{
			At: req.timestamp(r.At), Request: strings.TrimSpace(r.Method + " " + r.Path), Message: refusedRequest(r), Reason: r.Reason, Rule: r.Rule,
			Address: r.From.Address, Client: client(r.From.UserAgent), Advice: guardAdvice(r.Reason, r.Path),
		}
		if r.Token != 0 {
			row.Who = n.principal(req.caller.Org, r.Caller)
		}
		if tried := r.Method != "" && r.Path != "" && row.Who.Name != ""; test && tried && (r.Reason == "guard.permission" || r.Reason == "guard.role") {
			q := url.Values{"request": {row.Request}, "who": {r.Caller.Login}}
			if r.Header != "" {
				q.Set("headers", r.Header)
			}
			row.Step, row.Advice = link{Name: "See what would let it pass", URL: guardURL(g.Name) + "?" + q.Encode() + "#try"}, ""
		}
		if row.Who.URL != "" && hallpass.RefusesToken(r.Reason) {
			row.Step = link{Name: "See the token", URL: row.Who.URL + "/tokens/" + idText(int64(r.Token))}
		}
		if edit && r.Reason == "guard.no-rule" {
			row.Step = link{Name: "Edit the rules", URL: guardURL(g.Name) + "/edit"}
		}
		if i := len(rows) - 1; i >= 0 && rows[i].alike(row) {
			rows[i].Again = max(rows[i].Again, 1) + 1
			continue
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// alike reports whether the refusals differ in nothing but their time.
func (r refusalRow) alike(other refusalRow) bool {
	other.At, other.Again = r.At, r.Again
	return r == other
}
