package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// confirmView asks before something is disabled or deleted.
type confirmView struct {
	frame
	Question string
	Text     string
	Facts    []string // what would be hit
	Alarm    bool     // it is in use
	Action   string
	Button   string
	Cancel   string
	Back     string
}

func disableForm(v *visit) error {
	return v.confirmAccount(hallpass.ServiceAccountsWrite, func(a hallpass.ServiceAccountSummary, view *confirmView) {
		view.Question, view.Button = "Disable service account", "Disable service account"
		view.Text = "Are you sure you want to disable “" + a.Name + "”? Its tokens stop working at once, until it is enabled again."
		view.Action = "disable"
	})
}

func deleteForm(v *visit) error {
	return v.confirmAccount(hallpass.ServiceAccountsDelete, func(a hallpass.ServiceAccountSummary, view *confirmView) {
		view.Question, view.Button = "Delete service account", "Delete service account"
		view.Text = "Are you sure you want to delete “" + a.Name + "”"
		if a.Tokens > 0 {
			view.Text += " and " + count(a.Tokens, "accompanying token")
		}
		view.Text += "? This cannot be undone. Its roles, places in teams and access go too."
		view.Action = "delete"
	})
}

// confirmAccount shows the question that fill words, with what the account's
// tokens are used for.
func (v *visit) confirmAccount(needs hallpass.Action, fill func(hallpass.ServiceAccountSummary, *confirmView)) error {
	a, err := v.account()
	if err != nil {
		return err
	}
	if err := v.o.Admin.Authorize(v.r.Context(), v.caller, needs, a.ID.Scope()); err != nil {
		return err
	}
	tokens, err := v.tokens(a.ID)
	if err != nil {
		return err
	}
	var view confirmView
	fill(a, &view)
	url := accountURL(a.UID)
	view.Action = url + "/" + view.Action
	view.Cancel, view.Back = url, v.r.URL.Query().Get("back")
	if back := safeNext(view.Back); strings.HasPrefix(back, crumbList.URL) && view.Back != "" {
		view.Cancel = back
	}
	view.Facts, view.Alarm = v.inUse(tokens)
	if needs == hallpass.ServiceAccountsDelete {
		lost, err := v.lostWith(a)
		if err != nil {
			return err
		}
		view.Facts = append(view.Facts, lost...)
	}
	if view.frame, err = v.frame("serviceaccounts", view.Question, crumbAdmin, crumbAccess, crumbList, crumb{a.Name, url}); err != nil {
		return err
	}
	return v.show("serviceaccounts/confirm", view)
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
func (v *visit) inUse(tokens []hallpass.Token) (facts []string, alarm bool) {
	if len(tokens) == 0 {
		return []string{"It has no tokens: nothing can be using it."}, false
	}
	now := v.o.Admin.Now()
	live := 0
	var newest hallpass.Token
	var recent []hallpass.Token
	for _, t := range tokens {
		if t.Live(now) {
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
