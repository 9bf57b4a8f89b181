package console

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// impactDays is how many days of usage a question before a change looks at.
const impactDays = 7

// impactFacts says who would break: the clients that used what is to end, and the
// actions that were used and are to be lost.
func (req *request) impactFacts(c *change, account hallpass.ServiceAccountID, of hallpass.ImpactOf) error {
	i, err := req.o.Admin.Impact(req.Context(), req.caller, account, of, impactDays)
	if err != nil {
		return err
	}
	const most = 5
	for n, k := range i.Clients {
		if n == most {
			c.Facts = append(c.Facts, "… and "+hallpass.Counted(len(i.Clients)-most, "more client")+" in the last 7 days.")
			break
		}
		text := named(k.Token.Name) + " was used " + hallpass.Counted(int(k.Count), "time") + " by " + client(k.UserAgent) + " from " + k.Address + ", last " + req.timestamp(k.Last).Relative()
		if route := routeWords(k.TokenPlace); route != "" {
			text += ": " + route
		}
		c.Facts = append(c.Facts, sentence(text))
	}
	for n, a := range i.Lost {
		if n == most {
			c.Facts = append(c.Facts, "… and "+hallpass.Counted(len(i.Lost)-most, "more action")+" that it used.")
			break
		}
		c.Facts = append(c.Facts, "It loses "+string(a.Action)+", which it used "+hallpass.Counted(int(a.Count), "time")+", last "+req.timestamp(a.Last).Relative()+".")
	}
	return nil
}

// usesDays is how many days of usage are compared with what an account holds.
const usesDays = 90

// usesView is how much an account uses of what it holds.
type usesView struct {
	Granted, Used string // counts; empty: it holds nothing
	Complete      bool   // usage is recorded for as long
	Suggestion    string
	Lower         string // the basic role that would do; empty: none lower
	Account       string // address of the account
	unused        map[hallpass.Permission]bool
}

// usesView returns how much the account uses.
func (req *request) usesView(a hallpass.ServiceAccountSummary) (v usesView, err error) {
	u, err := req.o.Admin.UsedPermissions(req.Context(), req.caller, a.ID, usesDays)
	if err != nil || u.Granted == 0 {
		return v, err
	}
	v = usesView{Granted: strconv.Itoa(u.Granted), Used: strconv.Itoa(u.Used), Complete: u.Complete, Account: accountURL(a.UID), unused: make(map[hallpass.Permission]bool)}
	for _, s := range u.Unused {
		v.unused[s.Permission] = true
	}
	if s := u.Suggestion; s != nil && s.Role < a.Role {
		v.Suggestion = "All that it did, it could do with the role " + s.Role.String()
		if also := alsoWords(s.Also); len(also) > 0 {
			v.Suggestion += " and " + hallpass.Enumerate(also)
		}
		v.Suggestion += "."
		if req.caller.Can(hallpass.ServiceAccountsWrite, a.ID.Scope()) && !a.Disabled {
			v.Lower = s.Role.String()
		}
	}
	return v, nil
}

// alsoWords are what the roles are called that the account needs beside a basic one.
func alsoWords(names []string) (list []string) {
	for _, n := range names {
		if strings.HasPrefix(n, "managed:") {
			n = "the access that it was given"
		}
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}
