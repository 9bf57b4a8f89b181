package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/wire"
)

func explain() *cobra.Command {
	r := &remote{}
	var principal string
	cmd := r.verb("explain ACTION [SCOPE]", "Show whether somebody may do something, and why", func(s *session) error {
		if kind, _, _ := strings.Cut(s.args[0], ":"); kind == "user" || kind == "serviceaccount" || kind == "sa" {
			return fmt.Errorf("%s is a principal, not an action: use --principal %s", s.args[0], s.args[0])
		}
		who, ref, err := s.principal(principal)
		if err != nil {
			return err
		}
		scope := ""
		if len(s.args) > 1 {
			scope = s.args[1]
		}
		e, err := s.Explain(s.ctx, ref, s.args[0], scope)
		if err != nil {
			return err
		}
		if s.json {
			err = s.printJSON(e)
		} else {
			_, err = fmt.Fprint(s.out, inWords(e, who, wire.Permission{Action: s.args[0], Scope: scope}))
		}
		if err == nil && !e.Allowed {
			err = &ExitError{Status: notAllowed}
		}
		return err
	})
	cmd.Long = `Show whether you, or the principal, may do ACTION on SCOPE. If so, show the role
that gives it; if not, the roles that would give it. The exit status is 0 when it
is allowed, 3 when it is not allowed, and 1 when an error left it unknown.`
	cmd.Example = `  hallpass explain serviceaccounts:create
  hallpass explain --principal serviceaccount:ci serviceaccounts:write serviceaccounts:id:7
  hallpass explain --principal user:ana teams:read teams:id:1`
	r.flags(cmd)
	cmd.Flags().StringVar(&principal, "principal", "", "ask about user:ana or serviceaccount:ci (sa:ci), named by id, uid or name (default yourself)")
	offers(cmd, "principal", func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return r.offer(cmd, "PRINCIPAL", args, typed)
	})
	return cmd
}

// principal returns the name of the principal for people, and its reference for the
// API.
func (s *session) principal(ref string) (who, wireRef string, err error) {
	if ref == "" {
		return s.used.who(), "", nil
	}
	kind, name, _ := strings.Cut(ref, ":")
	switch {
	case kind == "user" && name != "":
		return "user " + name, ref, nil // the server finds users by login
	case (kind == "serviceaccount" || kind == "sa") && name != "":
		a, err := s.FindServiceAccount(s.ctx, name)
		return "service account " + a.Name, "serviceaccount:" + number(a.ID), err
	}
	return "", "", errPrincipal
}

// inWords writes an explanation for people.
func inWords(e wire.Explanation, who string, asked wire.Permission) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintln(&b, printable(fmt.Sprintf(format, args...))) }
	what := asked.Action
	if asked.Scope != "" {
		what += " on " + asked.Scope
	}
	if e.Allowed {
		say("allowed: %s may do %s", who, what)
		for _, line := range sourceLines(e.Via) {
			say("  %s", line)
		}
	} else {
		say("not allowed: %s may not do %s", who, what)
	}
	for _, note := range e.Notes {
		say("note: %s", note)
	}
	switch {
	case e.Allowed, e.Cut:
	case len(e.WouldAllow) > 0:
		say("any of these roles would give it:")
		for _, role := range e.WouldAllow {
			say("  %s", role)
		}
	case e.Taken != "unknown":
		say("no role that you can see gives it")
	}
	return b.String()
}

// sourceLines returns a line for each way in which permissions are held, with the
// permissions that it gives.
func sourceLines(via []wire.Source) []string {
	var ways []string
	given := make(map[string][]string)
	for _, v := range via {
		way := wayOf(v)
		if _, ok := given[way]; !ok {
			ways = append(ways, way)
		}
		given[way] = append(given[way], permissionText(v.Permission.Action, v.Permission.Scope))
	}
	var lines []string
	for _, way := range ways {
		list := given[way]
		more := ""
		if len(list) > shownPermissions+1 {
			more = fmt.Sprintf(" and %d more", len(list)-shownPermissions)
			list = list[:shownPermissions]
		}
		lines = append(lines, way+": "+strings.Join(list, ", ")+more)
	}
	return lines
}

// shownPermissions is how many permissions are shown for one way.
const shownPermissions = 3

// wayOf says how a permission is held: through a role or through access to one
// thing, and through whom it is held.
func wayOf(v wire.Source) string {
	if strings.HasPrefix(v.Role, "managed:") {
		if v.Through == "itself" {
			return "by access given to it"
		}
		return "by access given to the " + v.Through
	}
	if v.Through == "itself" {
		return "by the role " + v.Role + ", assigned to it"
	}
	return "by the role " + v.Role + ", held through " + v.Through
}
