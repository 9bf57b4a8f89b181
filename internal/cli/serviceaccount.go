package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

func serviceAccount() *cobra.Command {
	r := &remote{}
	cmd := r.noun("serviceaccount", "List, create, change, disable and delete service accounts",
		listServiceAccounts(r),
		r.verb("get ACCOUNT", "Show a service account", func(s *session) error {
			a, err := s.FindServiceAccount(s.ctx, s.args[0])
			if err != nil {
				return err
			}
			return s.printServiceAccount(a)
		}),
		createServiceAccount(r), updateServiceAccount(r),
		switchServiceAccount(r, "enable ACCOUNT", "Enable a service account: its tokens work again", false),
		switchServiceAccount(r, "disable ACCOUNT", "Disable a service account: its tokens are refused", true),
		deleteServiceAccount(r),
		r.verb("permissions ACCOUNT", "Show what a service account may do, and which role gives it", (*session).accountPermissions),
		accountUsed(r), accountImpact(r),
	)
	cmd.Aliases = []string{"sa"}
	cmd.SuggestFor = []string{"account", "accounts", "service-account", "service-accounts", "serviceaccounts"}
	cmd.Long = "List, create, change, disable and delete service accounts. ACCOUNT is an id, a uid\nor a name."
	return cmd
}

// basicRoles are the roles that an account has at least one of.
var basicRoles = []string{"None", "Viewer", "Editor", "Admin"}

func listServiceAccounts(r *remote) *cobra.Command {
	var f client.ServiceAccountFilter
	cmd := r.verb("list", "List the service accounts", func(s *session) error {
		list, err := s.ServiceAccounts(s.ctx, f)
		if err != nil {
			return err
		}
		t := table{header: []string{"ID", "UID", "NAME", "ROLE", "TOKENS", "DISABLED"}}
		for _, a := range list {
			t.rows = append(t.rows, []string{number(a.ID), a.UID, a.Name, roleOf(a.Role, a.Given), number(int64(a.Tokens)), yesNo(a.IsDisabled)})
		}
		return s.print(list, t)
	})
	cmd.Flags().StringVarP(&f.Query, "query", "q", "", "list only accounts whose name or login contains this text")
	cmd.Flags().BoolVar(&f.Disabled, "disabled", false, "list only disabled accounts")
	cmd.Flags().BoolVar(&f.Expired, "expired", false, "list only accounts with an expired token")
	return cmd
}

func (s *session) printServiceAccount(a wire.ServiceAccountProfile) error {
	return s.print(a, declared(a.ProvisionedBy, table{rows: [][]string{
		{"id", number(a.ID)}, {"uid", a.UID}, {"name", a.Name}, {"login", a.Login}, {"org", number(a.OrgID)}, {"role", roleOf(a.Role, a.Given)},
		{"disabled", yesNo(a.IsDisabled)}, {"tokens", number(int64(a.Tokens))}, {"teams", strings.Join(a.Teams, ", ")},
		{"owner", a.Owner}, {"purpose", a.Purpose},
		{"created", exactText(&a.CreatedAt)}, {"updated", exactText(&a.UpdatedAt)},
	}}))
}

// declared adds the provisioning file that declares the thing of the record, if one does.
func declared(file string, t table) table {
	if file != "" {
		t.rows = append(t.rows, []string{"provisioned by", file})
	}
	return t
}

// roleOf returns the basic role and what the account has beyond it: "None + 1 role".
func roleOf(basic string, g wire.Given) string {
	if more := (hallpass.Given{MoreRoles: g.MoreRoles, AccessGrants: g.AccessGrants}).Words(); more != "" {
		return basic + " + " + more
	}
	return basic
}

func createServiceAccount(r *remote) *cobra.Command {
	var role, owner, purpose string
	var disabled bool
	cmd := r.verb("create NAME", "Create a service account", func(s *session) error {
		a, err := s.CreateServiceAccount(s.ctx, wire.CreateServiceAccount{Name: s.args[0], Role: &role, IsDisabled: disabled, Owner: owner, Purpose: purpose})
		if err != nil {
			return s.accountTaken(err, s.args[0])
		}
		return s.print(a, table{rows: [][]string{
			{"id", number(a.ID)}, {"uid", a.UID}, {"name", a.Name}, {"login", a.Login}, {"role", a.Role}, {"disabled", yesNo(a.IsDisabled)},
		}})
	})
	cmd.Flags().StringVar(&role, "role", "Viewer", "the basic role: None, Viewer, Editor or Admin")
	cmd.Flags().BoolVar(&disabled, "disabled", false, "create the account disabled")
	cmd.Flags().StringVar(&owner, "owner", "", "who answers for the account: a name, a team or a mail address")
	cmd.Flags().StringVar(&purpose, "purpose", "", "what the account is for")
	offersWords(cmd, "role", basicRoles)
	return cmd
}

func updateServiceAccount(r *remote) *cobra.Command {
	var name, role, owner, purpose string
	cmd := r.verb("update ACCOUNT", "Change the name, the basic role, the owner or the purpose of a service account", func(s *session) error {
		var in wire.UpdateServiceAccount
		for flag, to := range map[string]struct {
			member **string
			value  *string
		}{"name": {&in.Name, &name}, "role": {&in.Role, &role}, "owner": {&in.Owner, &owner}, "purpose": {&in.Purpose, &purpose}} {
			if s.cmd.Flags().Changed(flag) {
				*to.member = to.value
			}
		}
		if in == (wire.UpdateServiceAccount{}) {
			return errNothingToChange
		}
		return s.patchServiceAccount(in)
	})
	cmd.Flags().StringVar(&name, "name", "", "the new name")
	cmd.Flags().StringVar(&role, "role", "", "the new basic role: None, Viewer, Editor or Admin")
	cmd.Flags().StringVar(&owner, "owner", "", "who answers for the account: a name, a team or a mail address; empty for nobody")
	cmd.Flags().StringVar(&purpose, "purpose", "", "what the account is for")
	offersWords(cmd, "role", basicRoles)
	return cmd
}

func switchServiceAccount(r *remote, use, short string, disabled bool) *cobra.Command {
	return r.verb(use, short, func(s *session) error {
		return s.patchServiceAccount(wire.UpdateServiceAccount{IsDisabled: &disabled})
	})
}

func (s *session) patchServiceAccount(in wire.UpdateServiceAccount) error {
	a, err := s.FindServiceAccount(s.ctx, s.args[0])
	if err != nil {
		return err
	}
	out, err := s.UpdateServiceAccount(s.ctx, a.ID, in)
	if err != nil && in.Name != nil {
		err = s.accountTaken(err, *in.Name)
	}
	if err != nil {
		return err
	}
	return s.printServiceAccount(out.ServiceAccount)
}

func deleteServiceAccount(r *remote) *cobra.Command {
	var yes bool
	return yesFlag(r.verb("delete ACCOUNT", "Delete a service account with its tokens", func(s *session) error {
		a, err := s.FindServiceAccount(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "Delete the service account %s (id %d) with its %d tokens?", a.Name, a.ID, a.Tokens); err != nil {
			return err
		}
		m, err := s.DeleteServiceAccount(s.ctx, a.ID)
		if err != nil {
			return err
		}
		return s.done(m, "Deleted the service account %s (id %d).", a.Name, a.ID)
	}), &yes)
}

func (s *session) accountPermissions() error {
	a, err := s.FindServiceAccount(s.ctx, s.args[0])
	if err != nil {
		return err
	}
	list, err := s.UserPermissions(s.ctx, a.ID)
	if err != nil {
		return err
	}
	t := table{header: []string{"ACTION", "SCOPE", "ROLE", "THROUGH"}}
	for _, p := range list {
		if len(p.Via) == 0 { // a server that does not send it
			p.Via = []wire.Source{{}}
		}
		for _, via := range p.Via {
			t.rows = append(t.rows, []string{p.Action, p.Scope, via.Role, via.Through})
		}
	}
	return s.print(list, t)
}
