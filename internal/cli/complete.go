package cli

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
)

// completeTimeout is how long the shell waits for names from the server.
const completeTimeout = 2 * time.Second

// complete offers the names that fit at the shell's cursor, according to the usage
// line: for ACCOUNT the service accounts, and so on. It asks the server with the
// kept credential. When the server does not answer in time it offers nothing and
// prints nothing, because a line is being typed.
func (r *remote) complete(use string) cobra.CompletionFunc {
	words := strings.Fields(use)[1:]
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		word := ""
		if len(args) < len(words) {
			word = words[len(args)]
		} else if len(words) > 0 && strings.HasSuffix(words[len(words)-1], "...") {
			word = words[len(words)-1]
		}
		return r.offer(cmd, strings.Trim(word, "[]."), args, typed)
	}
}

// offer returns the names of a kind that begin with what was typed.
func (r *remote) offer(cmd *cobra.Command, kind string, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
	defer cancel()
	file, err := loadContexts()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	_, e, err := file.pick(r.context, r.server)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	for _, n := range namesOf(ctx, e.client(), kind, args, typed) {
		if strings.HasPrefix(n.name, typed) {
			names = append(names, cobra.CompletionWithDesc(printable(n.name), printable(n.about)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// offered is a name with a short description.
type offered struct{ name, about string }

// namesOf returns the names of the things that the usage line calls kind, and none
// when they cannot be listed.
func namesOf(ctx context.Context, c *client.Client, kind string, args []string, typed string) (list []offered) {
	add := func(name, about string) { list = append(list, offered{name, about}) }
	switch kind {
	case "ACCOUNT":
		rows, _ := c.ServiceAccounts(ctx, client.ServiceAccountFilter{Query: typed}) // on an error nothing is offered
		for _, a := range rows {
			add(a.Name, "id "+number(a.ID))
		}
	case "TOKEN":
		return tokenNames(ctx, c, args[0])
	case "SECTION", "SUBJECT", "CHANNEL":
		return noticeNames(ctx, c, kind, args)
	case "TEAM":
		rows, _ := c.Teams(ctx, typed)
		for _, t := range rows {
			add(t.Name, "id "+number(t.ID))
		}
	case "ROLE":
		rows, _ := c.Roles(ctx, false)
		for _, r := range rows {
			add(r.Name, r.DisplayName)
		}
	case "USER":
		rows, err := c.Users(ctx, typed)
		for _, u := range rows {
			add(u.Login, u.Name)
		}
		if err != nil { // only a server admin may list all users; others see the members of the org
			members, _ := c.OrgUsers(ctx, 0, typed)
			for _, m := range members {
				add(m.Login, m.Name)
			}
		}
	case "GUARD":
		rows, _ := c.Guards(ctx, typed)
		for _, g := range rows {
			add(g.Name, g.Upstream)
		}
	case "ORG":
		rows, _ := c.Orgs(ctx)
		for _, o := range rows {
			add(o.Name, "id "+number(o.ID))
		}
	case "MEMBER", "TO", "FROM", "PRINCIPAL":
		list = whom(ctx, c, kind, typed)
	}
	return list
}

// tokenNames returns the tokens of an account. The name of one that was replaced means the
// token that replaces it, so that it is named by its id.
func tokenNames(ctx context.Context, c *client.Client, account string) (list []offered) {
	a, err := c.FindServiceAccount(ctx, account)
	if err != nil {
		return nil
	}
	rows, _ := c.Tokens(ctx, a.ID)
	for _, k := range rows {
		if k.ReplacedByID != nil {
			list = append(list, offered{number(k.ID), k.Name + ", " + stateOf(k, a.IsDisabled)})
			continue
		}
		list = append(list, offered{k.Name, "id " + number(k.ID) + ", " + stateOf(k, a.IsDisabled)})
	}
	return list
}

// noticeNames returns the sections of what needs doing, the subjects in one, or the
// channels.
func noticeNames(ctx context.Context, c *client.Client, kind string, args []string) (list []offered) {
	switch kind {
	case "SECTION":
		for _, section := range hallpass.AttentionSections() {
			list = append(list, offered{string(section), section.Title()})
		}
	case "SUBJECT":
		rows, _ := c.AttentionRows(ctx, args[0], perSection)
		for _, row := range rows {
			list = append(list, offered{row.Subject, row.What})
		}
	case "CHANNEL":
		n, _ := c.Notifications(ctx)
		for _, ch := range n.Channels {
			list = append(list, offered{ch.Name, ch.Type})
		}
	}
	return list
}

// whom returns users, service accounts or teams, with their kind before the name.
// What was typed so far says which of them.
func whom(ctx context.Context, c *client.Client, role, typed string) (list []offered) {
	before, rest, named := strings.Cut(typed, ":")
	for _, kind := range []struct{ prefix, of string }{{"user", "USER"}, {"serviceaccount", "ACCOUNT"}, {"sa", "ACCOUNT"}, {"team", "TEAM"}} {
		if kind.of == "TEAM" && role != "TO" && role != "FROM" || named && before != kind.prefix || !strings.HasPrefix(kind.prefix, before) {
			continue
		}
		if kind.prefix == "sa" && !named && before == "" {
			continue // the same as serviceaccount
		}
		for _, n := range namesOf(ctx, c, kind.of, nil, rest) {
			list = append(list, offered{kind.prefix + ":" + n.name, n.about})
		}
	}
	return list
}

// contextNames offers the names of contexts.
func contextNames() ([]cobra.Completion, cobra.ShellCompDirective) {
	file, err := loadContexts()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return slices.Sorted(maps.Keys(file.Contexts)), cobra.ShellCompDirectiveNoFileComp
}
