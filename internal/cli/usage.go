package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/wire"
)

// usageDays is how many days of usage are shown by default, today included.
const usageDays = 30

func daysFlag(cmd *cobra.Command, n *int, usual int) {
	cmd.Flags().IntVar(n, "days", usual, "how many days to look back, today included")
}

func tokenUsage(r *remote) *cobra.Command {
	var days int
	cmd := r.verb("usage ACCOUNT TOKEN", "Show who uses a token, from where, for what and how often", func(s *session) error {
		k, err := s.shown()
		if err != nil {
			return err
		}
		u, err := s.TokenUsage(s.ctx, k.account.ID, k.ID, days)
		if err != nil {
			return err
		}
		var refused []try
		if !s.json {
			if refused, err = s.tries(k.ID); err != nil {
				return err
			}
		}
		return s.printUsage(u, refused, fmt.Sprintf("Nobody has used %s in %d days."+usesComeLate, k.say(), days))
	})
	cmd.Long = `Show the clients that used a token, what they used it for, and how often on each
day (UTC): requests that were answered, that lacked a permission (denied), that failed
for another reason, that were refused because of the token, and that were too many
(limited). Show too which clients the token was refused to within a day, and why. Uses
are shown some seconds late. "token watch" shows both tokens of a rotation.`
	daysFlag(cmd, &days, usageDays)
	return cmd
}

// printUsage prints the clients, those that were refused, the actions and the days of a
// token; if there are none, what nobody says.
func (s *session) printUsage(u wire.TokenUsage, refused []try, nobody string) error {
	if s.json {
		return s.printJSON(u)
	}
	clients := table{header: []string{"ADDRESS", "USER AGENT", "LAST REQUEST", "STATUS", "LAST USED", "COUNT"}}
	for _, p := range u.Places {
		clients.rows = append(clients.rows, []string{p.Address, p.UserAgent, p.Route, fmt.Sprint(p.Status), timeText(&p.LastUsed), number(p.Count)})
	}
	actions := table{header: []string{"ACTION", "SCOPE", "LAST USED", "COUNT"}, rows: actionRows(u.Actions)}
	byDay := table{header: []string{"DAY", "OK", "DENIED", "FAILED", "REFUSED", "LIMITED"}}
	for _, d := range u.Days {
		byDay.rows = append(byDay.rows, []string{d.Day, number(d.OK), number(d.Denied), number(d.Failed), number(d.Refused), number(d.Limited)})
	}
	return s.printTables(nobody, clients, triesTable(refused), actions, byDay)
}

func actionRows(list []wire.TokenAction) (rows [][]string) {
	for _, a := range list {
		rows = append(rows, []string{a.Action, a.Scope, timeText(&a.LastUsed), number(a.Count)})
	}
	return rows
}

// printTables prints the tables that have rows, with an empty line between them; if none
// has, the message.
func (s *session) printTables(none string, list ...table) error {
	shown := 0
	for _, t := range list {
		if len(t.rows) == 0 {
			continue
		}
		if shown++; shown > 1 {
			if _, err := fmt.Fprintln(s.out); err != nil {
				return err
			}
		}
		if err := s.print(nil, t); err != nil {
			return err
		}
	}
	if shown == 0 {
		return s.say("%s", none)
	}
	return nil
}

// impactFlags say which change is asked about.
type impactFlags struct {
	remove, pause bool
	role, token   string
	days          int
}

func accountImpact(r *remote) *cobra.Command {
	var f impactFlags
	cmd := r.verb("impact ACCOUNT", "Show what would break if an account were disabled, deleted or given another role, or a token paused", func(s *session) error {
		a, err := s.FindServiceAccount(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		action, change, err := f.action(s, a)
		if err != nil {
			return err
		}
		out, err := s.Impact(s.ctx, a.ID, action, f.days)
		if err != nil {
			return err
		}
		return s.printImpact(out, f.question(change))
	})
	cmd.Long = `Show which clients would fail, by what they did in the last days, if the account were
disabled; with a flag, if it were deleted or had another role, if one of its tokens were
deleted, or while its tokens, or one of them, are paused. Nothing is changed. The exit
status is 0 when nothing that was used would break, 3 when something would, and 1 when
an error left it unknown. Uses of the last seconds may not be counted yet.`
	cmd.Example = `  hallpass sa impact ci
  hallpass sa impact ci --role Viewer --days 90
  hallpass sa impact ci --token deploy
  hallpass sa impact ci --token deploy --pause`
	flags := cmd.Flags()
	flags.BoolVar(&f.remove, "delete", false, "as if the account were deleted")
	flags.StringVar(&f.role, "role", "", "as if this were its basic role: None, Viewer, Editor or Admin")
	flags.StringVar(&f.token, "token", "", "as if this token were deleted, or paused")
	flags.BoolVar(&f.pause, "pause", false, "while the tokens are paused, or the one of --token")
	daysFlag(cmd, &f.days, 7)
	cmd.MarkFlagsMutuallyExclusive("delete", "role", "token")
	cmd.MarkFlagsMutuallyExclusive("delete", "role", "pause")
	offersWords(cmd, "role", basicRoles)
	return cmd
}

// action returns the change as the API names it, and in words.
func (f impactFlags) action(s *session, a wire.ServiceAccountProfile) (action, words string, err error) {
	switch {
	case f.role != "" && !slices.Contains(basicRoles, f.role):
		return "", "", fmt.Errorf("--role must be one of %s", strings.Join(basicRoles, ", "))
	case f.role != "":
		return "role:" + f.role, fmt.Sprintf("%s had the role %s", a.Name, f.role), nil
	case f.remove:
		return "delete", a.Name + " were deleted", nil
	case f.token == "" && f.pause:
		return "pause", "the tokens of " + a.Name + " are paused", nil
	case f.token == "":
		return "disable", a.Name + " were disabled", nil
	case holdsToken(f.token):
		return "", "", errors.New("--token is the name or the id of a token, never its secret")
	}
	all, err := s.Tokens(s.ctx, a.ID)
	if err != nil {
		return "", "", err
	}
	k, err := currentToken(all, f.token)
	if err == nil {
		err = s.sayWhich(all, k, f.token)
	}
	if f.pause {
		return fmt.Sprintf("token:%d:pause", k.ID), fmt.Sprintf("the token %s of %s is paused", idName(k), a.Name), err
	}
	return fmt.Sprintf("token:%d:revoke", k.ID), fmt.Sprintf("the token %s of %s were deleted", idName(k), a.Name), err
}

// A question is what was asked about a change, in the words of its answers.
type question struct {
	yes  string // something would break: the words before when it was last used
	no   string // nothing would
	lost string // the head of the column of actions
}

// usesComeLate ends an answer that there was no use: nodes write them some seconds later.
const usesComeLate = " Uses of the last seconds may be missing."

// question returns what was asked about the change.
func (f impactFlags) question(change string) question {
	if f.pause {
		return question{"While " + change + ", these will be refused; the last use was ", fmt.Sprintf("Nothing was used in %d days that will be refused while %s."+usesComeLate, f.days, change), "REFUSED ACTION"}
	}
	return question{"This would break if " + change + "; it was last used ", fmt.Sprintf("Nothing that was used in %d days would break if %s."+usesComeLate, f.days, change), "LOST ACTION"}
}

// printImpact prints what would break.
func (s *session) printImpact(out wire.Impact, asked question) error {
	clients := table{header: []string{"TOKEN", "ADDRESS", "USER AGENT", "LAST REQUEST", "LAST USED", "COUNT"}}
	for _, c := range out.Clients {
		clients.rows = append(clients.rows, []string{fmt.Sprintf("%s (%d)", c.Name, c.Token), c.Address, c.UserAgent, c.Route, timeText(&c.LastUsed), number(c.Count)})
	}
	lost := table{header: []string{asked.lost, "SCOPE", "LAST USED", "COUNT"}, rows: actionRows(out.LostActions)}
	if s.json {
		if err := s.printJSON(out); err != nil {
			return err
		}
	} else {
		verdict := asked.no
		if out.WouldBreak {
			verdict = asked.yes + timeText(out.LastUse) + ":"
		}
		if err := s.say("%s", verdict); err != nil || !out.WouldBreak {
			return err
		}
		if err := s.printTables("", clients, lost); err != nil {
			return err
		}
	}
	if out.WouldBreak {
		return &ExitError{Status: notAllowed}
	}
	return nil
}

func accountUsed(r *remote) *cobra.Command {
	var days int
	cmd := r.verb("used ACCOUNT", "Show what an account holds and does not use, and the role that is enough", func(s *session) error {
		a, err := s.FindServiceAccount(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		u, err := s.UsedPermissions(s.ctx, a.ID, days)
		if err != nil {
			return err
		}
		return s.printUsed(a, u)
	})
	cmd.Long = `Show which permissions of an account no request needed in the last days, and the
lowest basic role that is enough for what was used. There is no such role while usage
was not recorded for as long as --days says, or the account is younger than that.`
	daysFlag(cmd, &days, 90)
	return cmd
}

func (s *session) printUsed(a wire.ServiceAccountProfile, u wire.UsedPermissions) error {
	t := table{header: []string{"UNUSED", "SCOPE", "FROM"}}
	for _, p := range u.Unused {
		t.rows = append(t.rows, []string{p.Action, p.Scope, p.From})
	}
	if err := s.print(u, t); err != nil || s.json {
		return err
	}
	since := exactText(&u.Window.From)
	if u.Window.From.Before(a.CreatedAt) {
		since = "it was made, " + timeText(&a.CreatedAt)
	}
	if err := s.say("%s used %d of its %d permissions since %s.", a.Name, u.Used, u.Granted, since); err != nil {
		return err
	}
	switch {
	case u.Suggestion == nil && !u.Window.Complete:
		return s.say("It is too early to suggest a role: usage is not known for the whole time.")
	case u.Suggestion != nil && u.Suggestion.Role != a.Role:
		return s.say("The role %s is enough: %s", u.Suggestion.Role, shellLine("serviceaccount", "update", s.args[0], "--role", u.Suggestion.Role))
	}
	return s.say("No lower basic role is enough.")
}
