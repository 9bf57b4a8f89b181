package console

import (
	"strconv"

	"github.com/hallpass-dev/hallpass"
)

// maxBulk is how many accounts one change of several takes.
const maxBulk = 200

var errBulk = &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "Choose at least one account, and at most " + strconv.Itoa(maxBulk) + "."}

// changeAccounts is POST /org/serviceaccounts: it disables the chosen accounts.
func changeAccounts(req *request) (change, error) {
	c := change{Cancel: req.back(crumbAccounts.URL), here: "serviceaccounts", crumbs: []crumb{crumbAdmin, crumbAccess, crumbAccounts}}
	chosen, err := req.chosenAccounts()
	if err != nil {
		return c, err
	}
	switch req.PostForm.Get("do") {
	case "disable":
		return req.disableAccounts(c, chosen)
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

// bulkFacts says which of the accounts were used in the last 24 hours, and how.
func (req *request) bulkFacts(c *change, list []hallpass.ServiceAccountSummary) {
	const most = 10
	tokens := 0
	var used []string
	for _, a := range list {
		tokens += a.LiveTokens
		if (hallpass.Token{LastUse: a.LastUse}).InUse(req.o.Admin.Now()) {
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
