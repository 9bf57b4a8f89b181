package console

import (
	"net/url"
	"strconv"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// guardHoldersView lists the service accounts that have what a rule needs.
type guardHoldersView struct {
	frame
	Guard guardRow
	Rule  ruleRow
	Some  bool // the rule has captures in its scope: an account may hold it on some values only
	Rows  []holderRow
	Pager pager
}

// holderRow is an account that has what a rule needs.
type holderRow struct {
	accountRow
	Why string // the address of the page that says through what; empty: the basic role says it
}

// guardHolders is GET /guards/{guard}/rules/{rule}?page.
func guardHolders(req *request) error {
	name := req.PathValue("guard")
	g, err := req.o.Admin.Guard(req.Context(), req.caller, name)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(req.PathValue("rule")) // what is no number is no rule
	p, _ := req.listPage()
	rule, list, total, err := req.o.Admin.GuardRuleHolders(req.Context(), req.caller, name, n, p)
	if err != nil {
		return err
	}
	at := guardURL(name) + "/rules/" + strconv.Itoa(n)
	view := guardHoldersView{Guard: guardRowOf(g), Rule: ruleRowOf(rule, n), Pager: pagerOf(req, at, total, p.Number, nounAccount)}
	for _, a := range list {
		row := holderRow{accountRow: req.accountRow(a)}
		if rule.Need.Kind == hallpass.NeedPermission {
			row.Why = row.URL + "/access?" + url.Values{"action": {string(rule.Need.Action)}, "scope": {scopeToAsk(rule.Need)}}.Encode()
		}
		view.Rows = append(view.Rows, row)
	}
	view.Some = rule.Need.Kind == hallpass.NeedPermission && rule.Need.Scope != scopeToAsk(rule.Need)
	if view.frame, err = req.frame("guards", "Rule "+strconv.Itoa(n), crumbGuards, crumb{name, guardURL(name)}); err != nil {
		return err
	}
	return req.show("guards/holders", view)
}

// scopeToAsk is the scope on which an account can be asked for what is needed; empty if
// only a request says on which.
func scopeToAsk(n hallpass.Need) string {
	if n.HasCaptures() {
		return ""
	}
	return n.Scope
}

// heldBy fills in how many accounts have what the rules need, for a viewer who may know.
func (req *request) heldBy(rows []ruleRow, guard string) error {
	if !req.caller.MayReadHolders() {
		return nil
	}
	counts, err := req.o.Admin.GuardHolders(req.Context(), req.caller, guard)
	if err != nil {
		return err
	}
	for i := range rows[:min(len(rows), len(counts))] {
		if rows[i].Public {
			continue
		}
		rows[i].Held = link{Name: heldWords(counts[i]), URL: guardURL(guard) + "/rules/" + strconv.Itoa(rows[i].Number)}
		if counts[i] == 0 {
			rows[i].Held.URL = ""
		}
	}
	return nil
}

// heldWords says how many accounts hold something.
func heldWords(n int) string {
	switch n {
	case admin.NotCounted:
		return "see who"
	case 0:
		return "nobody"
	case admin.MaxHolders:
		return grouped(admin.MaxHolders) + " accounts or more"
	}
	return hallpass.Counted(n, "account")
}
