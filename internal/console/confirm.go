package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
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
		view.Text += "? This cannot be undone."
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
	if view.frame, err = v.frame("serviceaccounts", view.Question, crumbAdmin, crumbAccess, crumbList, crumb{a.Name, url}); err != nil {
		return err
	}
	return v.show("serviceaccounts/confirm", view)
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
