package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// A change is what a form does to the power of somebody: the question that is
// asked before, the change itself, and what the page says after it.
type change struct {
	Question string
	Text     string
	Steps    []step   // what changes; none: nothing does
	Facts    []string // who or what is hit
	Alarm    bool     // it is in use
	Destroys bool     // it takes something away
	Button   string
	Cancel   string // address of the page that the form stands on

	asked  string // who is asked, in which org, at which address
	here   string // place in the navigation
	crumbs []crumb
	do     func() error
	to     string            // where the browser goes when it is done; empty: Cancel
	done   string            // what that page says
	same   string            // what it says when nothing would change; empty: it is done unasked
	again  func(error) error // shows the form again with what was wrong with it; nil: the error has a page
}

// step is one thing that changes, as it is and as it will be.
type step struct{ What, Before, After string }

// confirmView asks before a change is made.
type confirmView struct {
	frame
	change
	Action string
	Fields []field // of the form, sent again with the answer
	Again  bool    // it is no longer what was asked
}

// field is a field of a form with its value.
type field struct{ Name, Value string }

// mark tells one question from another. It comes back with the answer, so that
// what is done is what was asked, of the one who was asked, in the same place,
// whatever has happened in between: in another window the user may have gone to work
// in another org, where others have the same names, or have signed in as somebody
// else.
func (c change) mark() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", c.asked, c.Question, c.Steps))
	return hex.EncodeToString(sum[:8])
}

// Mark is mark for the page.
func (c confirmView) Mark() string { return c.mark() }

// asked returns the handler of a form that gives or takes power: it asks, and
// makes the change when the answer to that very question comes.
func asked(plan func(*visit) (change, error)) func(*visit) error {
	return func(v *visit) error {
		c, err := plan(v)
		if err != nil {
			return c.refused(v, err)
		}
		if c.to == "" {
			c.to = c.Cancel
		}
		c.asked = fmt.Sprintf("%d %d %s", v.caller.User(), v.caller.Org, v.r.URL.Path)
		answer := v.r.PostForm.Get("asked")
		switch {
		case len(c.Steps) == 0 && c.same != "":
			c.done = c.same
		case v.r.Method != http.MethodPost, len(c.Steps) > 0 && answer != c.mark():
			return v.confirm(c, answer != "")
		default:
			if err := c.do(); err != nil {
				return c.refused(v, err)
			}
		}
		v.say(c.done)
		v.seeOther(c.to)
		return nil
	}
}

func (c change) refused(v *visit, err error) error {
	if c.again == nil {
		return err
	}
	return c.again(err)
}

// confirm asks about the change. The form comes along, to be sent with the
// answer.
func (v *visit) confirm(c change, again bool) error {
	view := confirmView{change: c, Action: v.r.URL.Path, Again: again}
	form := maps.Clone(v.r.PostForm)
	if back := v.r.URL.Query().Get("back"); v.r.Method != http.MethodPost && back != "" {
		form = map[string][]string{"back": {back}}
	}
	delete(form, "asked")
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			view.Fields = append(view.Fields, field{name, value})
		}
	}
	var err error
	if view.frame, err = v.frame(c.here, c.Question, c.crumbs...); err != nil {
		return err
	}
	return v.show("home/confirm", view)
}

// named puts a name in quotation marks, as sentences have it.
func named(name string) string { return "“" + name + "”" }

// changeOf begins a change of the account that the path names, after the caller
// was authorized to make it.
func (v *visit) changeOf(needs hallpass.Action) (hallpass.ServiceAccountSummary, change, error) {
	id, err := v.accountID()
	if err == nil {
		err = v.o.Admin.Authorize(v.r.Context(), v.caller, needs, id.Scope())
	}
	if err != nil {
		return hallpass.ServiceAccountSummary{}, change{}, err
	}
	a, err := v.account()
	c := change{Cancel: accountURL(a.UID), here: "serviceaccounts", crumbs: []crumb{crumbAdmin, crumbAccess, crumbList, {a.Name, accountURL(a.UID)}}}
	if back := v.back(""); back != "" {
		c.Cancel = back
	}
	return a, c, err
}

// tokenFacts fills in what the tokens of the account are used for, and that it
// is an alarm if they are.
func (v *visit) tokenFacts(c *change, a hallpass.ServiceAccountSummary) error {
	tokens, err := v.tokens(a.ID)
	if err != nil {
		return err
	}
	facts, alarm := v.inUse(tokens, a.Disabled)
	c.Facts, c.Alarm = append(c.Facts, facts...), alarm
	return nil
}

// patch changes the account.
func (v *visit) patch(id hallpass.ServiceAccountID, p hallpass.ServiceAccountPatch) func() error {
	return func() error {
		_, err := v.o.Admin.UpdateServiceAccount(v.r.Context(), v.caller, id, p)
		return err
	}
}

// changeRole is POST /org/serviceaccounts/{ref}/role.
func changeRole(v *visit) (change, error) {
	a, c, err := v.changeOf(hallpass.ServiceAccountsWrite)
	if err != nil {
		return c, err
	}
	c.again = func(err error) error {
		if !v.blame(err, "role") {
			return err
		}
		return v.showAccount(httpd.Status(err), detailView{})
	}
	role, ok := hallpass.ParseRole(v.r.PostForm.Get("role"))
	if !ok {
		return c, errRole
	}
	c.Question, c.Button = "Change role", "Change role"
	c.Text = "Every token of " + named(a.Name) + " has the new role at once, also those that exist."
	c.Steps = roleStep("Role of "+a.Name, a.Role, role)
	c.Facts = []string{role.String() + ": " + v.roleCan(role)}
	c.done, c.same = a.Name+" has the role "+role.String()+" now.", "Nothing changed: "+a.Name+" has the role "+role.String()+" already."
	c.do = v.patch(a.ID, hallpass.ServiceAccountPatch{Role: &role})
	if role < a.Role {
		c.Destroys = true
		err = v.tokenFacts(&c, a)
	}
	return c, err
}

// roleStep is the step from one basic role to another; none when they are the
// same.
func roleStep(what string, was, next hallpass.Role) []step {
	if was == next {
		return nil
	}
	return []step{{what, was.String(), next.String()}}
}

// enableAccount is POST /org/serviceaccounts/{ref}/enable.
func enableAccount(v *visit) (change, error) {
	a, c, err := v.changeOf(hallpass.ServiceAccountsWrite)
	if err != nil {
		return c, err
	}
	c.Question, c.Button = "Enable service account", "Enable service account"
	c.Text = "Its tokens work again at once, with the role " + a.Given.With(a.Role) + "."
	c.done, c.same = a.Name+" is enabled now.", "Nothing changed: "+a.Name+" is enabled already."
	if a.Disabled {
		c.Steps = []step{{a.Name, "disabled", "enabled, with the role " + a.Given.With(a.Role)}}
	}
	c.Facts = []string{"It has " + count(a.LiveTokens, "token") + " that would work."}
	off := false
	c.do = v.patch(a.ID, hallpass.ServiceAccountPatch{Disabled: &off})
	return c, nil
}

// disableAccount is GET and POST /org/serviceaccounts/{ref}/disable.
func disableAccount(v *visit) (change, error) {
	a, c, err := v.changeOf(hallpass.ServiceAccountsWrite)
	if err != nil {
		return c, err
	}
	c.Question, c.Button, c.Destroys = "Disable service account", "Disable service account", true
	c.Text = "Are you sure you want to disable " + named(a.Name) + "? Its tokens stop working at once, until it is enabled again."
	c.done, c.same = a.Name+" is disabled now: its tokens are refused.", "Nothing changed: "+a.Name+" is disabled already."
	if !a.Disabled {
		c.Steps = []step{{a.Name, "enabled, with the role " + a.Given.With(a.Role), "disabled"}}
	}
	on := true
	c.do = v.patch(a.ID, hallpass.ServiceAccountPatch{Disabled: &on})
	return c, v.tokenFacts(&c, a)
}

// deleteAccount is GET and POST /org/serviceaccounts/{ref}/delete.
func deleteAccount(v *visit) (change, error) {
	a, c, err := v.changeOf(hallpass.ServiceAccountsDelete)
	if err != nil {
		return c, err
	}
	c.Question, c.Button, c.Destroys = "Delete service account", "Delete service account", true
	what := named(a.Name)
	if a.Tokens > 0 {
		what += " and " + count(a.Tokens, "accompanying token")
	}
	c.Text = "Are you sure you want to delete " + what + "? This cannot be undone. Its roles, places in teams and access go too."
	c.Steps = []step{{a.Name, "service account with the role " + a.Given.With(a.Role) + " and " + count(a.Tokens, "token"), "deleted"}}
	c.done = a.Name + " is deleted, with " + count(a.Tokens, "token") + "."
	c.to = v.back(crumbList.URL)
	c.do = func() error { return v.o.Admin.DeleteServiceAccount(v.r.Context(), v.caller, a.ID) }
	if err := v.tokenFacts(&c, a); err != nil {
		return c, err
	}
	lost, err := v.lostWith(a)
	c.Facts = append(c.Facts, lost...)
	return c, err
}

// lostWith tells what goes with the account beside its tokens: its roles and its
// places in teams, as far as the viewer may see them.
func (v *visit) lostWith(a hallpass.ServiceAccountSummary) (facts []string, err error) {
	var roles []admin.GivenRole
	if v.caller.Can(hallpass.UsersRolesRead, hallpass.UserID(a.ID).Scope()) {
		if roles, err = v.o.Admin.RolesOf(v.r.Context(), v.caller, idText(int64(a.ID)), true); err != nil {
			return nil, err
		}
	}
	if len(roles) > 0 {
		facts = append(facts, "It has "+count(len(roles), "role")+" beside "+a.Role.String()+": "+enumerate(roleNames(roles))+".")
	}
	teams, err := v.o.Admin.TeamsOf(v.r.Context(), v.caller, int64(a.ID))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range teams {
		if v.caller.Can(hallpass.TeamsRead, t.ID.Scope()) {
			names = append(names, "“"+t.Name+"”")
		}
	}
	switch {
	case len(names) == 1:
		facts = append(facts, "It is in the team "+names[0]+".")
	case len(names) > 1:
		facts = append(facts, "It is in the teams "+enumerate(names)+".")
	}
	return facts, nil
}

// inUse tells what would stop with the tokens: how many are live, and which
// were used in the last day. It is an alarm when any was.
func (v *visit) inUse(tokens []hallpass.Token, disabled bool) (facts []string, alarm bool) {
	if len(tokens) == 0 {
		return []string{"It has no tokens: nothing can be using it."}, false
	}
	now := v.o.Admin.Now()
	live := 0
	var newest hallpass.Token
	var recent []hallpass.Token
	for _, t := range tokens {
		if t.State(now, disabled) == hallpass.TokenLive {
			live++
		}
		if t.LastUse.At.After(newest.LastUse.At) {
			newest = t
		}
		if !t.LastUse.At.IsZero() && now.Sub(t.LastUse.At) < 24*time.Hour {
			recent = append(recent, t)
		}
	}
	facts = append(facts, "It has "+count(len(tokens), "token")+", "+strconv.Itoa(live)+" of them usable now.")
	switch {
	case newest.ID == 0:
		facts = append(facts, "None of them was ever used.")
	case len(recent) == 0:
		facts = append(facts, "Last used "+v.useText(newest)+".")
	}
	slices.SortFunc(recent, func(a, b hallpass.Token) int { return b.LastUse.At.Compare(a.LastUse.At) })
	for i, t := range recent {
		if i == 5 {
			facts = append(facts, "… and "+strconv.Itoa(len(recent)-5)+" more used in the last 24 hours.")
			break
		}
		facts = append(facts, "“"+t.Name+"” was last used "+v.useText(t)+".")
	}
	return facts, len(recent) > 0
}

// useText tells when, from where and by what a token was used.
func (v *visit) useText(t hallpass.Token) string {
	return v.moment(t.LastUse.At).Relative() + " from " + t.LastUse.Address + " by " + client(t.LastUse.UserAgent)
}
