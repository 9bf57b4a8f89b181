package console

import (
	"net/http"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// accountChange authorizes the caller and begins a change of the account that the
// path names.
func (req *request) accountChange(needs hallpass.Action) (hallpass.ServiceAccountSummary, change, error) {
	id, err := req.accountID()
	if err == nil {
		err = req.o.Admin.Authorize(req.Context(), req.caller, needs, id.Scope())
	}
	if err != nil {
		return hallpass.ServiceAccountSummary{}, change{}, err
	}
	a, err := req.account()
	c := change{Cancel: accountURL(a.UID), here: "serviceaccounts", crumbs: []crumb{crumbAdmin, crumbAccess, crumbAccounts, {a.Name, accountURL(a.UID)}}}
	if back := req.back(""); back != "" {
		c.Cancel = back
	}
	return a, c, err
}

// updateAccount changes the account.
func (req *request) updateAccount(id hallpass.ServiceAccountID, p hallpass.ServiceAccountPatch) func() error {
	return func() error {
		_, err := req.o.Admin.UpdateServiceAccount(req.Context(), req.caller, id, p)
		return err
	}
}

// setAccountRole is POST /org/serviceaccounts/{ref}/role.
func setAccountRole(req *request) (change, error) {
	a, c, err := req.accountChange(hallpass.ServiceAccountsWrite)
	if err != nil {
		return c, err
	}
	c.again = func(err error) error {
		if !req.formError(err, "role") {
			return err
		}
		return req.showAccount(httpd.Status(err), accountView{})
	}
	role, ok := hallpass.ParseRole(req.PostForm.Get("role"))
	if !ok {
		return c, errRole
	}
	c.Question, c.Button = "Change role", "Change role"
	c.Text = "The new role applies at once to every token of " + named(a.Name) + ", including those that exist."
	c.Steps = roleStep("Role of "+a.Name, a.Role, role)
	c.Facts = []string{role.String() + ": " + req.roleWords(role)}
	c.done, c.same = a.Name+" has the role "+role.String()+" now.", "Nothing changed: "+a.Name+" has the role "+role.String()+" already."
	c.do = req.updateAccount(a.ID, hallpass.ServiceAccountPatch{Role: &role})
	if role < a.Role {
		c.Destroys = true
		lower := c.do
		c.do = func() error {
			err := lower()
			if err == nil {
				req.offerUndo(a)
			}
			return err
		}
		c.done = a.Name + " has the role " + role.String() + " now. For ten minutes its page offers " + a.Role.String() + " back."
		err = req.useFacts(&c, a, hallpass.ImpactOf{Do: hallpass.ImpactRole, Role: role})
		c.inUse(a.Name)
	}
	return c, err
}

// enableAccount is POST /org/serviceaccounts/{ref}/enable.
func enableAccount(req *request) (change, error) {
	a, c, err := req.accountChange(hallpass.ServiceAccountsWrite)
	if err != nil {
		return c, err
	}
	c.Question, c.Button = "Enable service account", "Enable service account"
	c.Text = "Its tokens work again at once, with the role " + a.Given.With(a.Role) + "."
	c.done, c.same = a.Name+" is enabled now.", "Nothing changed: "+a.Name+" is enabled already."
	if a.Disabled {
		c.Steps = []step{{a.Name, wordDisabled, wordEnabled + ", with the role " + a.Given.With(a.Role)}}
	}
	c.Facts = []string{"It has " + hallpass.Counted(a.LiveTokens, "token") + " that will work again."}
	off := false
	c.do = req.updateAccount(a.ID, hallpass.ServiceAccountPatch{Disabled: &off})
	return c, nil
}

// disableAccount is GET and POST /org/serviceaccounts/{ref}/disable.
func disableAccount(req *request) (change, error) {
	a, c, err := req.accountChange(hallpass.ServiceAccountsWrite)
	if err != nil {
		return c, err
	}
	c.Question, c.Button, c.Destroys = "Disable service account", "Disable service account", true
	c.Text = "Are you sure you want to disable " + named(a.Name) + "? Its tokens stop working at once, until it is enabled again."
	c.done, c.same = a.Name+" is disabled now: its tokens are refused.", "Nothing changed: "+a.Name+" is disabled already."
	if !a.Disabled {
		c.Steps = []step{{a.Name, wordEnabled + ", with the role " + a.Given.With(a.Role), wordDisabled}}
	}
	on := true
	c.do = req.updateAccount(a.ID, hallpass.ServiceAccountPatch{Disabled: &on})
	if err := req.useFacts(&c, a, hallpass.ImpactOf{Do: hallpass.ImpactDisable}); err != nil {
		return c, err
	}
	c.inUse(a.Name)
	if c.Alarm && !a.Disabled {
		c.Instead = instead{"Pause for 15 minutes instead…", crumbAccounts.URL, []field{{"do", "pause-15"}, {"account", idText(int64(a.ID))}, {"back", req.back("")}}}
	}
	return c, nil
}

// deleteAccount is GET and POST /org/serviceaccounts/{ref}/delete.
func deleteAccount(req *request) (change, error) {
	a, c, err := req.accountChange(hallpass.ServiceAccountsDelete)
	if err != nil {
		return c, err
	}
	c.Question, c.Button, c.Destroys = "Delete service account", "Delete service account", true
	what := named(a.Name)
	if a.Tokens > 0 {
		what += " and its " + hallpass.Counted(a.Tokens, "token")
	}
	c.Text = "Are you sure you want to delete " + what + "? This cannot be undone. Its roles, team memberships and access are deleted too."
	c.Steps = []step{{a.Name, "service account with the role " + a.Given.With(a.Role) + " and " + hallpass.Counted(a.Tokens, "token"), wordDeleted}}
	c.done = a.Name + " is deleted, with " + hallpass.Counted(a.Tokens, "token") + "."
	c.to = req.back(crumbAccounts.URL)
	c.do = func() error { return req.o.Admin.DeleteServiceAccount(req.Context(), req.caller, a.ID) }
	if err := req.useFacts(&c, a, hallpass.ImpactOf{Do: hallpass.ImpactDelete}); err != nil {
		return c, err
	}
	c.inUse(a.Name)
	lost, err := req.lostWith(a)
	c.Facts = append(c.Facts, lost...)
	return c, err
}

// lostWith says what is deleted with the account in addition to its tokens: its roles
// and team memberships, as far as the viewer may see them.
func (req *request) lostWith(a hallpass.ServiceAccountSummary) (facts []string, err error) {
	var roles []admin.GivenRole
	if req.caller.Can(hallpass.UsersRolesRead, hallpass.UserID(a.ID).Scope()) {
		if roles, err = req.o.Admin.RolesOf(req.Context(), req.caller, idText(int64(a.ID)), true); err != nil {
			return nil, err
		}
	}
	if len(roles) > 0 {
		facts = append(facts, "It has "+hallpass.Counted(len(roles), "role")+" in addition to "+a.Role.String()+": "+hallpass.Enumerate(roleNames(roles))+".")
	}
	teams, err := req.o.Admin.TeamsOf(req.Context(), req.caller, int64(a.ID))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range teams {
		if req.caller.Can(hallpass.TeamsRead, t.ID.Scope()) {
			names = append(names, named(t.Name))
		}
	}
	switch {
	case len(names) == 1:
		facts = append(facts, "It is in the team "+names[0]+".")
	case len(names) > 1:
		facts = append(facts, "It is in the teams "+hallpass.Enumerate(names)+".")
	}
	return facts, nil
}

// renameServiceAccount is POST /org/serviceaccounts/{ref}/name.
func renameServiceAccount(req *request) error {
	id, err := req.accountID()
	if err != nil {
		return err
	}
	name := req.PostForm.Get("name")
	a, err := req.o.Admin.UpdateServiceAccount(req.Context(), req.caller, id, hallpass.ServiceAccountPatch{Name: &name})
	switch {
	case err == nil:
		req.flash("The service account is now called " + a.Name + ".")
		req.seeOther(req.back(accountURL(a.UID)))
		return nil
	case strings.TrimSpace(name) == "":
		req.fieldError("name", "Name is required")
	case !req.formError(err, "name"):
		return err
	}
	return req.showAccount(httpd.Status(err), accountView{Edit: true, NewName: name})
}

// ownerView is the form for who answers for an account, and what it is for.
type ownerView struct {
	frame
	Account accountRow
	answering
}

// answering is who answers for an account, and what the account is for.
type answering struct {
	Owner, Purpose               string
	AccountOwner, AccountPurpose string // what stands for an empty field: nothing does
}

func (req *request) showOwner(status int, a hallpass.ServiceAccountSummary, view ownerView) (err error) {
	view.Account = req.accountRow(a)
	if view.frame, err = req.accountFrame("Owner of "+a.Name, view.Account); err != nil {
		return err
	}
	return req.showStatus(status, "serviceaccounts/owner", view)
}

// ownerForm is GET /org/serviceaccounts/{ref}/owner.
func ownerForm(req *request) error {
	a, err := req.writableAccount()
	if err != nil {
		return err
	}
	return req.showOwner(http.StatusOK, a, ownerView{answering: answering{Owner: a.Owner, Purpose: a.Purpose}})
}

// setOwner is POST /org/serviceaccounts/{ref}/owner.
func setOwner(req *request) error {
	a, err := req.writableAccount()
	if err != nil {
		return err
	}
	f := req.PostForm
	owner, purpose := strings.TrimSpace(f.Get("owner")), strings.TrimSpace(f.Get("purpose"))
	if _, err = req.o.Admin.UpdateServiceAccount(req.Context(), req.caller, a.ID, hallpass.ServiceAccountPatch{Owner: &owner, Purpose: &purpose}); err != nil {
		if !req.formError(err, "owner", "purpose") {
			return err
		}
		return req.showOwner(httpd.Status(err), a, ownerView{answering: answering{Owner: f.Get("owner"), Purpose: f.Get("purpose")}})
	}
	done := "Nobody is named any more who answers for " + a.Name + "."
	if owner != "" {
		done = owner + " answers for " + a.Name + " now."
	}
	req.flash(done)
	req.seeOther(accountURL(a.UID))
	return nil
}
