package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
)

// takenNouns are what has a name already, by the ID of the answer that says so and does not
// name it.
var takenNouns = map[string]string{
	"team.name-taken": "team", "accesscontrol.role-already-exists": "role", "user.exists": "user", "user.login-conflict": "user", "user.email-conflict": "user",
	"org.exists": "org", "org.name-taken": "org", "notifications.channel-exists": "channel",
}

// takenHint names what has the name that the command line gives, and what to do.
func takenHint(noun string, cmd *cobra.Command) string {
	name := cmd.Flags().Arg(0)
	if f := cmd.Flags().Lookup("name"); f != nil && f.Changed && noun != "user" {
		name = f.Value.String()
	}
	show := shellLine(noun, "get", name)
	if noun == "org" { // they are listed alone
		show = shellLine(noun, "list")
	}
	return fmt.Sprintf(": choose another name; %q shows the %s that has it", show, noun)
}

// tokenTaken turns the error about the name of a token that another has into one that says
// which has it.
func (s *session) tokenTaken(err error, name string) error {
	if !saysTaken(err, "serviceaccounts.ErrTokenAlreadyExists") {
		return err
	}
	list, _ := s.Inventory(s.ctx, client.InventoryFilter{Query: name}, perList) // who may not list them is told less
	for _, k := range list {
		if hallpass.NameKey(k.Name) != hallpass.NameKey(name) || ended(k.Token) || k.ReplacedByID != nil {
			continue
		}
		return &toldError{printable(fmt.Sprintf("the token %s of %s has this name already: choose another name, or replace that token with %q", idName(k.Token), k.ServiceAccount.Name,
			shellLine("token", "rotate", k.ServiceAccount.Name, number(k.ID)))), err}
	}
	return &toldError{printable(fmt.Sprintf("another token of the org has the name %q already: choose another name", name)), err}
}

// accountTaken is tokenTaken for the name of a service account.
func (s *session) accountTaken(err error, name string) error {
	if !saysTaken(err, "serviceaccounts.ErrAlreadyExists") {
		return err
	}
	_, login, _ := strings.Cut(strings.TrimPrefix(hallpass.ServiceAccountLogin(1, name), "sa-"), "-")
	list, _ := s.ServiceAccounts(s.ctx, client.ServiceAccountFilter{Query: login})
	for _, a := range list {
		if a.Login == hallpass.ServiceAccountLogin(hallpass.OrgID(a.OrgID), name) || hallpass.NameKey(a.Name) == hallpass.NameKey(name) {
			return &toldError{printable(fmt.Sprintf("the service account %s (id %d, login %s) exists already: choose another name, or make a token for that account with %q", a.Name, a.ID, a.Login,
				shellLine("token", "create", a.Name, "NAME", "--ttl", "90d"))), err}
		}
	}
	return &toldError{printable(fmt.Sprintf("another service account of the org has the name %q already: choose another name", name)), err}
}

// saysTaken reports whether the server answered with the ID.
func saysTaken(err error, id string) bool {
	var answer *client.Error
	return errors.As(err, &answer) && answer.MessageID == id
}
