package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// maxBulk is how many accounts one change of several takes.
const maxBulk = 200

var errBulk = &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "Choose at least one account, and at most " + strconv.Itoa(maxBulk) + "."}

// changeAccounts is POST /org/serviceaccounts: it disables the chosen accounts, pauses
// their tokens, or names their owner.
func changeAccounts(req *request) (change, error) {
	c := change{Cancel: req.back(crumbAccounts.URL), here: "serviceaccounts", crumbs: []crumb{crumbAdmin, crumbAccess, crumbAccounts}}
	chosen, err := req.chosenAccounts()
	if err != nil {
		return c, err
	}
	switch req.PostForm.Get("do") {
	case "disable":
		return req.disableAccounts(c, chosen)
	case "pause":
		return req.pauseAccounts(c, chosen, 0)
	case "owner":
		return req.ownAccounts(c, chosen)
	case "pause-15":
		return req.pauseAccounts(c, chosen, 15*time.Minute)
	}
	return c, &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "There is no such change of several accounts."}
}

// chosenAccounts returns the accounts that the form names. The caller must be allowed to
// change each of them.
func (req *request) chosenAccounts() ([]hallpass.ServiceAccountSummary, error) {
	ids := req.PostForm["account"]
	if len(ids) == 0 || len(ids) > maxBulk {
		return nil, errBulk
	}
	var list []hallpass.ServiceAccountSummary
	for _, text := range ids {
		n, ok := hallpass.ParseID(text)
		if !ok {
			return nil, errNoAccount
		}
		id := hallpass.ServiceAccountID(n)
		err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.ServiceAccountsWrite, id.Scope())
		if err != nil {
			return nil, err
		}
		a, err := req.o.Admin.ServiceAccount(req.Context(), req.caller, id)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// disableAccounts asks whether the accounts are to be disabled.
func (req *request) disableAccounts(c change, chosen []hallpass.ServiceAccountSummary) (change, error) {
	var live []hallpass.ServiceAccountSummary
	for _, a := range chosen {
		if a.Disabled {
			continue
		}
		live = append(live, a)
		words, _ := tokensWords(a)
		c.Steps = append(c.Steps, step{a.Name, wordEnabled + ", " + lowerFirst(words), wordDisabled})
	}
	c.Question, c.Button, c.Destroys = "Disable service accounts", "Disable "+hallpass.Counted(len(live), nounAccount.one), true
	c.Text = "Their tokens stop working at once, on every node, until the accounts are enabled again."
	c.done, c.same = hallpass.Counted(len(live), nounAccount.one)+" disabled: the tokens are refused.", "Nothing changed: the chosen accounts are disabled already."
	req.bulkFacts(&c, live)
	on := true
	c.do = func() error {
		for _, a := range live {
			if err := req.updateAccount(a.ID, hallpass.ServiceAccountPatch{Disabled: &on})(); err != nil {
				return err
			}
		}
		return nil
	}
	return c, nil
}

// pauseAccounts asks whether the tokens of the accounts are to pause: for that long, or
// until somebody resumes them.
func (req *request) pauseAccounts(c change, chosen []hallpass.ServiceAccountSummary, long time.Duration) (change, error) {
	pause := make(map[hallpass.ServiceAccountID][]hallpass.TokenID)
	var hit []hallpass.ServiceAccountSummary
	after, tokens := "paused until somebody resumes them", 0
	if long > 0 {
		after = "paused for " + roughly(long)
	}
	for _, a := range chosen {
		list, err := req.tokens(a.ID)
		if err != nil {
			return c, err
		}
		for _, t := range list {
			if t.State(req.o.Admin.Now(), false).Works() {
				pause[a.ID] = append(pause[a.ID], t.ID)
			}
		}
		if n := len(pause[a.ID]); n > 0 {
			hit, tokens = append(hit, a), tokens+n
			c.Steps = append(c.Steps, step{a.Name, hallpass.Counted(n, "live token"), after})
		}
	}
	c.Question, c.Button, c.Destroys = "Pause tokens", "Pause "+hallpass.Counted(tokens, nounToken.one), true
	c.Text = "They are refused at once, on every node, and work again when the pause is over."
	c.done, c.same = hallpass.Counted(tokens, nounToken.one)+" "+after+".", "Nothing changed: the chosen accounts have no token that works."
	req.bulkFacts(&c, hit)
	if err := req.bulkImpact(&c, hit); err != nil {
		return c, err
	}
	on := true
	c.do = func() error {
		for _, a := range hit {
			for _, id := range pause[a.ID] {
				patch := hallpass.TokenPatch{Paused: &on, PausedFor: long}
				if _, err := req.o.Admin.UpdateToken(req.Context(), req.caller, a.ID, id, patch); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return c, nil
}

// bulkImpact says what of the accounts will be refused while their tokens are paused.
func (req *request) bulkImpact(c *change, list []hallpass.ServiceAccountSummary) error {
	const most, each = 10, 2 // accounts, and of each the clients and the actions
	var facts []string
	for _, a := range list {
		hits, err := req.pauseImpact(a.ID, 0, each)
		if err != nil {
			return err
		}
		if len(hits) > 0 {
			facts = append(facts, sentence(named(a.Name)+": "+strings.Join(hits, "; ")))
		}
	}
	if len(facts) > 0 {
		c.Facts = append(c.Facts, "While they are paused, these will be refused, by what was used in the last 7 days:")
	}
	c.Facts = append(c.Facts, few(facts, most, "… and of %s.", "more account", func(s string) string { return s })...)
	return nil
}

// ownersView is the form for who answers for several accounts.
type ownersView struct {
	frame
	Back, Owner, Count string
	Accounts           []string // their IDs
}

func (req *request) showOwners(status int, view ownersView) (err error) {
	if view.frame, err = req.frame("serviceaccounts", "Set owner", crumbAdmin, crumbAccess, crumbAccounts); err != nil {
		return err
	}
	return req.showStatus(status, "serviceaccounts/owners", view)
}

// ownAccounts shows the form for it, and asks whether somebody is to answer for the accounts.
func (req *request) ownAccounts(c change, chosen []hallpass.ServiceAccountSummary) (change, error) {
	owner := req.PostForm.Get("owner")
	view := ownersView{Back: c.Cancel, Owner: owner, Count: hallpass.Counted(len(chosen), nounAccount.one), Accounts: req.PostForm["account"]}
	if !req.PostForm.Has("owner") {
		c.show = func() error { return req.showOwners(http.StatusOK, view) }
		return c, nil
	}
	c.again = func(err error) error {
		if !req.formError(err, "owner") {
			return err
		}
		return req.showOwners(httpd.Status(err), view)
	}
	if err := hallpass.TidyOwner(&owner, nil); err != nil {
		return c, err
	}
	words := func(owner string) string {
		if owner == "" {
			return "nobody"
		}
		return owner
	}
	var changed []hallpass.ServiceAccountSummary
	for _, a := range chosen {
		if a.Owner != owner {
			changed = append(changed, a)
			c.Steps = append(c.Steps, step{a.Name, words(a.Owner), words(owner)})
		}
	}
	c.Question, c.Button = "Set owner", "Set the owner of "+hallpass.Counted(len(changed), nounAccount.one)
	c.Text = "Who answers for an account is told before its tokens end, if it is a mail address and a channel sends mails."
	c.done, c.same = hallpass.Counted(len(changed), nounAccount.one)+" changed. Who answers for them: "+words(owner)+".", "Nothing changed: the chosen accounts have this owner already."
	c.do = func() error {
		for _, a := range changed {
			if err := req.updateAccount(a.ID, hallpass.ServiceAccountPatch{Owner: &owner})(); err != nil {
				return err
			}
		}
		return nil
	}
	return c, nil
}

// bulkFacts says which of the accounts were used in the last 24 hours, and how. The name of
// the first of them is to be typed.
func (req *request) bulkFacts(c *change, list []hallpass.ServiceAccountSummary) {
	const most = 10
	tokens := 0
	var used []string
	for _, a := range list {
		tokens += a.LiveTokens
		if (hallpass.Token{LastUse: a.LastUse}).InUse(req.o.Admin.Now()) {
			if c.Type == "" && c.Destroys {
				c.Type = oneLine(a.Name)
			}
			used = append(used, named(a.Name)+" was last used "+req.useText(hallpass.Token{LastUse: a.LastUse})+".")
		}
	}
	c.Alarm = len(used) > 0
	c.Facts = append(c.Facts, "They have "+hallpass.Counted(tokens, "live token")+".")
	if len(used) == 0 {
		c.Facts = append(c.Facts, "None of them was used in the last 24 hours.")
	}
	c.Facts = append(c.Facts, used[:min(len(used), most)]...)
	if len(used) > most {
		c.Facts = append(c.Facts, "… and "+strconv.Itoa(len(used)-most)+" more used in the last 24 hours.")
	}
}
