package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// impactDays is how many days of usage a question before a change looks at.
const impactDays = 30

// mostImpact is how many clients, and how many actions, a question names.
const mostImpact = 5

// impactFacts says what would break: the actions that were used and are to be lost, and the
// clients that used what is to end.
func (req *request) impactFacts(c *change, account hallpass.ServiceAccountID, of hallpass.ImpactOf) (admin.Impact, error) {
	i, err := req.o.Admin.Impact(req.Context(), req.caller, account, of, impactDays)
	if err != nil {
		return i, err
	}
	if of.Do == hallpass.ImpactRole || of.Do == hallpass.ImpactRoles { // otherwise it loses everything
		c.Facts = append(c.Facts, req.lostFacts(i)...)
	}
	c.Facts = append(c.Facts, few(i.Clients, mostImpact, "… and %s in the last "+strconv.Itoa(impactDays)+" days.", "more client", func(k admin.ImpactClient) string {
		return sentence(named(k.Token.Name) + " was used " + times(k.Count) + " by " + client(k.UserAgent) + " from " + k.Address + ", last " + req.timestamp(k.Last).Relative() + after(": ", routeWords(k.TokenPlace)))
	})...)
	return i, nil
}

// lostFacts says which actions were used and are to be lost.
func (req *request) lostFacts(i admin.Impact) []string {
	if !i.WouldBreak() {
		return []string{"Nothing that was recorded of its tokens in the last " + strconv.Itoa(impactDays) + " days needs what it loses."}
	}
	var lost []hallpass.TokenAction // each action once, whatever it was done on
	for _, a := range i.Lost {
		if last := len(lost) - 1; last >= 0 && lost[last].Action == a.Action {
			lost[last].Count += a.Count
			if a.Last.After(lost[last].Last) {
				lost[last].Last = a.Last
			}
			continue
		}
		lost = append(lost, a)
	}
	return few(lost, mostImpact, "… and %s that it used.", "more action", func(a hallpass.TokenAction) string {
		return "It loses " + string(a.Action) + ", which it used " + times(a.Count) + ", last " + req.timestamp(a.Last).Relative() + "."
	})
}

// times tells a count: "1 time", "12,550 times".
func times(n int64) string {
	if n == 1 {
		return "1 time"
	}
	return grouped(n) + " times"
}

// pauseImpact lists what will be refused while the token is paused, or all tokens of the
// account if it is zero, by what was used in the last days.
func (req *request) pauseImpact(account hallpass.ServiceAccountID, token hallpass.TokenID, most int) (list []string, err error) {
	i, err := req.o.Admin.Impact(req.Context(), req.caller, account, hallpass.ImpactOf{Do: hallpass.ImpactPause, Token: token}, impactDays)
	if err != nil {
		return nil, err
	}
	list = few(i.Clients, most, "and %s", "more client", func(k admin.ImpactClient) string {
		return req.useText(hallpass.Token{LastUse: hallpass.Use{At: k.Last, Address: k.Address, UserAgent: k.UserAgent}}) + ", " + times(k.Count) + after(": ", routeWords(k.TokenPlace))
	})
	return append(list, few(i.Lost, most, "and %s", "more action", func(a hallpass.TokenAction) string {
		return string(a.Action) + after(" on ", string(a.Scope)) + ", " + times(a.Count) + ", last " + req.timestamp(a.Last).Relative()
	})...), nil
}

// few says each of the first things of the list, and how many there are more: more has
// the place of their number, with the noun.
func few[T any](list []T, most int, more, noun string, say func(T) string) (texts []string) {
	for _, v := range list[:min(len(list), most)] {
		texts = append(texts, say(v))
	}
	if n := len(list) - most; n > 0 {
		texts = append(texts, fmt.Sprintf(more, hallpass.Counted(n, noun)))
	}
	return texts
}

// after returns the words behind what leads to them; nothing if there are none.
func after(lead, words string) string {
	if words == "" {
		return ""
	}
	return lead + words
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
