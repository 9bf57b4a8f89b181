package console

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// Bounds on what the form of a role shows at once.
const (
	longRole     = 12 // rows of permissions up to which they are not filtered
	mostScopes   = 6  // of one action
	mostHolders  = 8
	mostFound    = 40 // actions
	mostSays     = 12 // sentences of a list
	shownChanges = 40
)

// permissionGroup is the permissions of one area.
type permissionGroup struct {
	Area string
	Rows []permissionEntry
}

// permissionEntry is an action with what it is on.
type permissionEntry struct {
	Action       hallpass.Action
	Words        string
	ID           string // of the button that adds a scope
	Scopes, More []scopeTag
	Power        bool
	Added        bool   // the role did not have the action
	NoScope      bool   // it takes one and has none
	Fixed        bool   // there is nothing to choose
	Lacks        string // why the viewer may not give it; empty: the viewer may
	Suggest      string // what is perhaps meant
	Open         bool
}

// scopeTag is what an action is on.
type scopeTag struct {
	Scope hallpass.Scope
	Label string
	Added bool
	icon  string
}

// Icon is the drawing of what it is on.
func (t scopeTag) Icon() string { return cmp.Or(t.icon, "globe") }

// permissionGroups are the permissions of the form by area and action. The role had those
// of was; new says that there was none.
func permissionGroups(list, was []hallpass.Permission, may []bool, n names, lacks func(hallpass.Action) string, isNew bool) (groups []permissionGroup) {
	byAction := make(map[hallpass.Action]*permissionEntry)
	var order []hallpass.Action
	for i, p := range list {
		e := byAction[p.Action]
		if e == nil {
			e = entryOf(p.Action)
			e.Added = !isNew && !slices.ContainsFunc(was, func(w hallpass.Permission) bool { return w.Action == p.Action })
			byAction[p.Action], order = e, append(order, p.Action)
		}
		if !may[i] && e.Lacks == "" {
			e.Lacks = lacks(p.Action)
		}
		if p.Scope == "" {
			continue
		}
		tag := scopeTag{Scope: p.Scope, Added: !isNew && !slices.Contains(was, p)}
		tag.Label, tag.icon = n.scopeLabel(p.Scope)
		if len(e.Scopes) < mostScopes {
			e.Scopes = append(e.Scopes, tag)
		} else {
			e.More = append(e.More, tag)
		}
	}
	for _, area := range append(hallpass.Areas(), otherAPIs) {
		g := permissionGroup{Area: string(area)}
		for _, a := range order {
			e := byAction[a]
			if info, known := a.Info(); known && info.Area == area || !known && area == otherAPIs {
				e.NoScope = known && len(info.Scopes) > 0 && len(e.Scopes) == 0
				g.Rows = append(g.Rows, *e)
			}
		}
		if len(g.Rows) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// otherAPIs is the heading over actions of other APIs.
const otherAPIs hallpass.Area = "Other APIs"

// entryOf is the row of an action without its scopes.
func entryOf(a hallpass.Action) *permissionEntry {
	info, known := a.Info()
	e := &permissionEntry{Action: a, Words: actionText(a), ID: openID(a)}
	if known {
		asked, row, _ := hallpass.Permission{Action: a}.Demand()
		e.Words, e.Power = sentenceStart(info.Words()), info.Level == hallpass.Empowers
		e.Fixed = len(row.Scopes) == 0 || asked.Scope != ""
	} else if near, ok := a.Nearest(); ok {
		e.Suggest = a.Suggestion(near)
	}
	return e
}

// foundGroup is the actions of one area that a search found.
type foundGroup struct {
	Area string
	Rows []foundAction
}

// foundAction is an action that a search found.
type foundAction struct {
	Action               hallpass.Action
	Before, Match, After string // what it lets one do; Match is what was looked for
	Power                bool
	Has                  bool   // the role has it
	Lacks                string // why the viewer may not give it; empty: the viewer may
}

// findActions fills in what the search of the form found.
func (req *request) findActions(view *roleFormView, global bool, lacks func(hallpass.Action) string) error {
	if view.Seek == "" {
		return nil
	}
	var found []hallpass.ActionInfo
	for _, row := range hallpass.FindActions(view.Seek) {
		if len(found) < mostFound && !slices.ContainsFunc(found, func(f hallpass.ActionInfo) bool { return f.Action == row.Action }) {
			found = append(found, row)
		}
	}
	var ask []hallpass.Permission
	for _, row := range found {
		ask = append(ask, hallpass.Permission{Action: row.Action})
	}
	may, err := req.o.Admin.MayGive(req.Context(), req.caller, global, ask)
	if err != nil {
		return err
	}
	has, sought := view.list(), seeking(view.Seek)
	for i, row := range found {
		f := foundAction{Action: row.Action, Power: row.Level == hallpass.Empowers}
		f.Before, f.Match, f.After = marked(sentenceStart(row.Words()), sought)
		f.Has = slices.ContainsFunc(has, func(p hallpass.Permission) bool { return p.Action == row.Action })
		if !may[i] {
			f.Lacks = lacks(row.Action)
		}
		if last := len(view.Found) - 1; last < 0 || view.Found[last].Area != string(row.Area) {
			view.Found = append(view.Found, foundGroup{Area: string(row.Area)})
		}
		g := &view.Found[len(view.Found)-1]
		g.Rows = append(g.Rows, f)
	}
	if a := hallpass.Action(view.Seek); a.Valid() && a.Foreign() {
		view.Foreign = view.Seek
	}
	view.Nothing = len(view.Found) == 0 && view.Foreign == ""
	return nil
}

// seeking finds what is looked for, whatever the case; nil if it is too long or no text.
func seeking(sought string) *regexp.Regexp {
	found, err := regexp.Compile("(?i)" + regexp.QuoteMeta(sought))
	if err != nil {
		return nil
	}
	return found
}

// marked parts the text where it has what sought finds; nil finds nothing.
func marked(text string, sought *regexp.Regexp) (before, match, after string) {
	if sought == nil {
		return text, "", ""
	}
	at := sought.FindStringIndex(text)
	if at == nil {
		return text, "", ""
	}
	return text[:at[0]], text[at[0]:at[1]], text[at[1]:]
}

// roleEffect is what a role allows, what a change of it adds and takes away, and whom it
// touches.
type roleEffect struct {
	Allows []powerArea
	Not    string // the areas in which it allows nothing
	Plus   []string
	Minus  []string
	More   int // changes that are not shown
	Added  int
	Taken  int
	See    bool // the viewer may see who has the role
	Who    []roleHolderRow
	Count  int // who has it
	Rest   int // of them, that are not shown
	Note   string
	Breaks []string // what would be refused
	Partly bool     // not every account was looked at
}

// roleHolderRow is somebody who has the role.
type roleHolderRow struct {
	link
	Sub   string
	Warns string
}

// roleEffect says what the role allows with the permissions of next, beside what it
// permitted before.
func (req *request) roleEffect(was hallpass.NamedRole, next []hallpass.Permission, isNew bool, n names) (e roleEffect, err error) {
	power := hallpass.NewPermissions(next...).Power(hallpass.Nobody, n.scopeName)
	e.Allows, e.Not = powerAreas(power), notAreas(next)
	if isNew {
		return e, nil
	}
	e.diff(was.Editable(), next, n)
	if err := req.roleEffectHolders(&e, was); err != nil || e.Taken == 0 {
		return e, err
	}
	return e, req.roleEffectImpact(&e, was, next)
}

// diff says what is added and taken away.
func (e *roleEffect) diff(was, next []hallpass.Permission, n names) {
	for _, s := range permissionChanges(was, next) {
		words := changeWords(s.Permission, n)
		switch {
		case s.added:
			e.Added++
			if e.Added <= shownChanges {
				e.Plus = append(e.Plus, words)
			}
		default:
			e.Taken++
			if e.Taken <= shownChanges {
				e.Minus = append(e.Minus, words)
			}
		}
	}
	e.More = e.Added + e.Taken - len(e.Plus) - len(e.Minus)
}

// changeWords says what a permission lets one do. Of an action of another API only that API
// knows it.
func changeWords(p hallpass.Permission, n names) string {
	if p.Action.Foreign() {
		return permissionText(p)
	}
	return sentenceStart(p.Words(n.scopeName))
}

// notAreas names the areas in which the permissions allow nothing; empty when they are of
// no area or of all.
func notAreas(list []hallpass.Permission) string {
	in := make(map[hallpass.Area]bool)
	for _, p := range list {
		if info, known := p.Action.Info(); known {
			in[info.Area] = true
		}
	}
	var not []string
	for _, area := range hallpass.Areas() {
		if !in[area] && area != hallpass.AreaOther {
			not = append(not, strings.ToLower(string(area)))
		}
	}
	if len(in) == 0 {
		return ""
	}
	return hallpass.Enumerate(not)
}

// roleEffectHolders fills in who has the role.
func (req *request) roleEffectHolders(e *roleEffect, was hallpass.NamedRole) error {
	if !req.caller.MayReadAssignments() {
		return nil
	}
	e.See = true
	holders, err := req.o.Admin.RoleHolders(req.Context(), req.caller)
	if err != nil {
		return err
	}
	h := holders[was.UID]
	e.Count = h.Users + h.ServiceAccounts + h.Teams + h.BasicRoles
	if was.Basic() {
		e.Note = "Every " + nounUser.one + " and " + nounAccount.one + " with this basic role, in every organization. In this one: " + holderWords(h) + "."
		return nil
	}
	if was.Global() {
		e.Note = "The role is global: it may be given in other organizations too."
	}
	who, err := req.o.Admin.RoleAssignments(req.Context(), req.caller, was.UID)
	if err != nil {
		return err
	}
	list := req.holders(who)
	e.Rest = max(0, len(list)-mostHolders)
	for _, l := range list[:min(len(list), mostHolders)] {
		e.Who = append(e.Who, roleHolderRow{link: l, Sub: req.holderSub(who, l)})
	}
	return nil
}

// holderSub says of an account what its tokens do, and of a team how many are in it.
func (req *request) holderSub(who admin.RoleAssignments, l link) string {
	for _, t := range who.Teams {
		if l.ID == "team:"+idText(int64(t.ID)) {
			return hallpass.Counted(int(t.Members), "member")
		}
	}
	for _, p := range who.ServiceAccounts {
		id := hallpass.ServiceAccountID(p.ID)
		if l.ID != "serviceaccount:"+idText(p.ID) || !req.caller.Can(hallpass.ServiceAccountsRead, id.Scope()) {
			continue
		}
		a, err := req.o.Admin.ServiceAccount(req.Context(), req.caller, id)
		if err != nil {
			return ""
		}
		words := hallpass.Counted(a.LiveTokens, "live token")
		if a.LastUse.At.IsZero() {
			return words + ", never used"
		}
		return words + ", used " + req.timestamp(a.LastUse.At).Relative()
	}
	return ""
}

// roleEffectImpact says what was used of late and would be refused.
func (req *request) roleEffectImpact(e *roleEffect, was hallpass.NamedRole, next []hallpass.Permission) error {
	i, err := req.o.Admin.RoleImpact(req.Context(), req.caller, was.UID, next, impactDays)
	if err != nil {
		return err
	}
	e.Partly = i.Partly
	for _, a := range i.Accounts {
		words := "Loses " + lostWords(a.Impact) + ", used " + req.timestamp(lastLost(a.Impact)).Relative()
		at := slices.IndexFunc(e.Who, func(w roleHolderRow) bool { return w.ID == "serviceaccount:"+idText(int64(a.Account.ID)) })
		if at >= 0 {
			e.Who[at].Warns = words
			continue
		}
		e.Breaks = append(e.Breaks, a.Account.Name+": "+lowerFirst(words))
	}
	if n := len(e.Breaks) - mostSays; n > 0 {
		e.Breaks = append(e.Breaks[:mostSays], "… and "+hallpass.Counted(n, "more account"))
	}
	return nil
}

// lostWords names the actions that are lost: "dashboards:write and teams:read".
func lostWords(i admin.Impact) string {
	var list []string
	for _, d := range i.Lost {
		if !slices.Contains(list, string(d.Action)) {
			list = append(list, string(d.Action))
		}
	}
	if n := len(list) - mostImpact; n > 0 {
		list = append(list[:mostImpact], hallpass.Counted(n, "more action"))
	}
	return hallpass.Enumerate(list)
}

// lastLost returns when something that is lost was done last.
func lastLost(i admin.Impact) (last time.Time) {
	for _, d := range i.Lost {
		if d.Last.After(last) {
			last = d.Last
		}
	}
	return last
}

// roleImpactFacts says, for the question, which accounts would be refused what they did of
// late. It is an alarm if one did so in the last 24 hours.
func (req *request) roleImpactFacts(was hallpass.NamedRole, next []hallpass.Permission) (facts []string, alarm bool, err error) {
	i, err := req.o.Admin.RoleImpact(req.Context(), req.caller, was.UID, next, impactDays)
	if err != nil {
		return nil, false, err
	}
	if len(i.Accounts) == 0 {
		return []string{"Nothing that was recorded of service accounts in the last 30 days needs what it loses."}, false, nil
	}
	facts = few(i.Accounts, mostImpact, "… and %s.", "more service account", func(a admin.AccountImpact) string {
		return "The service account " + a.Account.Name + " loses " + lostWords(a.Impact) + ", which it used last " + req.timestamp(lastLost(a.Impact)).Relative() + "."
	})
	if i.Partly {
		facts = append(facts, "More accounts were used than could be looked at.")
	}
	return facts, i.LastUse().After(req.o.Admin.Now().Add(-24 * time.Hour)), nil
}

// holderWords counts who has a role: "2 users, 1 service account and 1 team".
func holderWords(h admin.RoleCount) string {
	var list []string
	for _, c := range []struct {
		n    int
		what string
	}{{h.Users, nounUser.one}, {h.ServiceAccounts, nounAccount.one}, {h.Teams, nounTeam.one}, {h.BasicRoles, nounBasicRole.one}} {
		if c.n > 0 {
			list = append(list, hallpass.Counted(c.n, c.what))
		}
	}
	if len(list) == 0 {
		return "nobody"
	}
	return hallpass.Enumerate(list)
}
