package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

var errNothingToChange = errors.New("no change is given: --help lists the flags")

func role() *cobra.Command {
	r := &remote{}
	cmd := r.noun("role", "List, create, change, delete and assign roles",
		listRoles(r),
		r.verb("get ROLE", "Show a role with its permissions", func(s *session) error {
			role, err := s.FindRole(s.ctx, s.args[0])
			if err != nil {
				return err
			}
			return s.printRole(role)
		}),
		createRole(r), updateRole(r), deleteRole(r),
		assignRole(r, "assign ROLE TO...", "Assign a role to users, service accounts and teams", false),
		assignRole(r, "unassign ROLE FROM...", "Remove a role from users, service accounts and teams", true),
		r.verb("assignments ROLE", "Show who has a role", (*session).roleAssignments),
	)
	cmd.Long = `List, create, change, delete and assign roles. ROLE is a uid or a name. TO and
FROM are user:ana, serviceaccount:ci (or sa:ci) or team:devs, each named by id,
uid or name.`
	return cmd
}

func listRoles(r *remote) *cobra.Command {
	var hidden bool
	cmd := r.verb("list", "List the roles", func(s *session) error {
		list, err := s.Roles(s.ctx, hidden)
		if err != nil {
			return err
		}
		t := table{header: []string{"UID", "NAME", "GROUP", "PERMISSIONS", "GLOBAL"}}
		for _, r := range list {
			t.rows = append(t.rows, []string{r.UID, r.Name, r.Group, number(int64(len(r.Permissions))), yesNo(r.Global)})
		}
		return s.print(list, t)
	})
	cmd.Flags().BoolVar(&hidden, "hidden", false, "list hidden roles too, such as the basic roles")
	return cmd
}

func (s *session) printRole(r wire.Role) error {
	t := table{rows: [][]string{
		{"uid", r.UID}, {"name", r.Name}, {"display name", r.DisplayName}, {"description", r.Description}, {"group", r.Group},
		{"version", number(r.Version)}, {"global", yesNo(r.Global)}, {"hidden", yesNo(r.Hidden)}, {"updated", exactText(&r.Updated)},
	}}
	for _, p := range r.Permissions {
		t.rows = append(t.rows, []string{"permission", permissionText(p.Action, p.Scope)})
	}
	if err := s.print(r, t); err != nil || s.json {
		return err
	}
	for _, p := range r.Permissions {
		near, ok := hallpass.Action(p.Action).Nearest()
		if !ok || s.asked(p.Action) {
			continue
		}
		if err := s.say("note: %s", hallpass.Action(p.Action).Suggestion(near)); err != nil {
			return err
		}
	}
	return nil
}

// asked reports whether the server knows that a guard of the org asks for the action.
func (s *session) asked(action string) bool {
	e, err := s.Explain(s.ctx, "", action, "")
	return err == nil && e.Taken == "foreign"
}

// permissionText writes a permission as --permission takes it.
func permissionText(action, scope string) string {
	if scope == "" {
		return action
	}
	return action + "@" + scope
}

// roleFlags are the flags that give the parts of a role.
type roleFlags struct {
	file        string
	permissions []string
	in          wire.CreateRole
}

func (f *roleFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVarP(&f.file, "file", "f", "", "read the role from this JSON file (- for stdin); other flags override the file")
	fs.StringArrayVarP(&f.permissions, "permission", "p", nil, "ACTION or ACTION@SCOPE; repeat the flag for more: together they are all permissions of the role")
	fs.StringVar(&f.in.DisplayName, "display-name", "", "the name that people see")
	fs.StringVar(&f.in.Description, "description", "", "what the role is for")
	fs.StringVar(&f.in.Group, "group", "", "the group that lists show the role in")
	fs.BoolVar(&f.in.Hidden, "hidden", false, "leave the role out of lists")
}

// apply changes the parts of the role whose flags were given.
func (f *roleFlags) apply(cmd *cobra.Command, r *wire.CreateRole) {
	for flag, set := range map[string]func(){
		"display-name": func() { r.DisplayName = f.in.DisplayName },
		"description":  func() { r.Description = f.in.Description },
		"group":        func() { r.Group = f.in.Group },
		"hidden":       func() { r.Hidden = f.in.Hidden },
		"permission":   func() { r.Permissions = permissionsOf(f.permissions) },
	} {
		if cmd.Flags().Changed(flag) {
			set()
		}
	}
}

func permissionsOf(texts []string) []wire.Permission {
	list := []wire.Permission{}
	for _, text := range texts {
		action, scope, _ := strings.Cut(text, "@")
		list = append(list, wire.Permission{Action: action, Scope: scope})
	}
	return list
}

// readRole reads a role as role get -o json prints it, or as the API takes it. It
// refuses a field that roles do not have: if "permissions" were misspelt, the role
// would lose all its permissions.
func (f *roleFlags) readRole(cmd *cobra.Command) (wire.CreateRole, error) {
	in := cmd.InOrStdin()
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return wire.CreateRole{}, err
		}
		defer func() { _ = file.Close() }() // it is only read
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput))
	if err != nil {
		return wire.CreateRole{}, err
	}
	var r wire.Role
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return wire.CreateRole{}, fmt.Errorf("--file: the file is not a role: %w", err)
	}
	return inputOf(r), nil
}

// inputOf turns a role from an answer into the body of a request.
func inputOf(r wire.Role) wire.CreateRole {
	out := wire.CreateRole{
		UID: r.UID, Version: r.Version, Name: r.Name, DisplayName: r.DisplayName, Description: r.Description, Group: r.Group, Hidden: r.Hidden,
		Global: r.Global, Permissions: []wire.Permission{},
	}
	for _, p := range r.Permissions {
		out.Permissions = append(out.Permissions, wire.Permission{Action: p.Action, Scope: p.Scope})
	}
	return out
}

func createRole(r *remote) *cobra.Command {
	var f roleFlags
	var uid string
	var global bool
	cmd := r.verb("create [NAME]", "Create a role", func(s *session) error {
		var in wire.CreateRole
		if f.file != "" {
			var err error
			if in, err = f.readRole(s.cmd); err != nil {
				return err
			}
		}
		if len(s.args) > 0 {
			in.Name = s.args[0]
		}
		if in.Name == "" {
			return errors.New("the role needs a name: give NAME, or a file that has one")
		}
		if uid != "" {
			in.UID = uid
		}
		in.Global = in.Global || global
		f.apply(s.cmd, &in)
		out, err := s.CreateRole(s.ctx, in)
		if err != nil {
			return err
		}
		return s.printRole(out)
	})
	cmd.Example = `  hallpass role create token-keeper -p serviceaccounts:read@serviceaccounts:* -p serviceaccounts:write@serviceaccounts:id:7
  hallpass role get token-keeper -o json > role.json && hallpass role create copy --uid copy --file role.json`
	f.add(cmd)
	cmd.Flags().StringVar(&uid, "uid", "", "the uid of the role (default chosen by the server)")
	cmd.Flags().BoolVar(&global, "global", false, "create the role for every org")
	return cmd
}

func updateRole(r *remote) *cobra.Command {
	var f roleFlags
	var name string
	cmd := r.verb("update ROLE", "Change a role; what no flag names stays as it is", func(s *session) error {
		was, err := s.FindRole(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		in := inputOf(was)
		if f.file != "" {
			if in, err = f.readRole(s.cmd); err != nil {
				return err
			}
			if in.Version != 0 && in.Version < was.Version {
				return fmt.Errorf("the role was changed after the file was written: the file has version %d, the server %d", in.Version, was.Version)
			}
		} else if s.cmd.Flags().NFlag() == 0 {
			return errNothingToChange
		}
		if name != "" {
			in.Name = name
		}
		f.apply(s.cmd, &in)
		in.UID, in.Global = "", was.Global
		in.Version = max(in.Version, was.Version+1) // if somebody else has made a change meanwhile, it has this number, and ours is refused
		out, err := s.UpdateRole(s.ctx, was.UID, in)
		if err != nil {
			return err
		}
		return s.printRole(out)
	})
	f.add(cmd)
	cmd.Flags().StringVar(&name, "name", "", "the new name")
	return cmd
}

func deleteRole(r *remote) *cobra.Command {
	var yes, force bool
	cmd := yesFlag(r.verb("delete ROLE", "Delete a role", func(s *session) error {
		role, err := s.FindRole(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "Delete the role %s (%s)?", role.Name, role.UID); err != nil {
			return err
		}
		m, err := s.DeleteRole(s.ctx, role.UID, force, role.Global)
		if err != nil {
			return err
		}
		return s.done(m, "Deleted the role %s (%s).", role.Name, role.UID)
	}), &yes)
	cmd.Flags().BoolVar(&force, "force", false, "delete the role even when it is assigned; everybody who has it loses it")
	return cmd
}

func assignRole(r *remote, use, short string, remove bool) *cobra.Command {
	var global bool
	cmd := r.verb(use, short, func(s *session) error {
		role, err := s.FindRole(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		var whom []grantee // find all of them before changing the first
		for _, ref := range s.args[1:] {
			g, err := s.grantee(ref, "")
			if err != nil {
				return err
			}
			whom = append(whom, g)
		}
		for _, g := range whom {
			if err := s.assignOne(role, g, global, remove); err != nil {
				return fmt.Errorf("%s: %w", g, err)
			}
		}
		return nil
	})
	cmd.Example = `  hallpass role ` + strings.Fields(use)[0] + ` token-keeper user:ana sa:ci team:devs`
	cmd.Flags().BoolVar(&global, "global", false, "for users: in every org")
	return cmd
}

func (s *session) assignOne(role wire.Role, g grantee, global, remove bool) error {
	var m wire.Message
	var err error
	verb := "Assigned %s to %s."
	add := wire.AddRole{RoleUID: role.UID, Global: global}
	switch {
	case g.kind == "team" && remove:
		m, err = s.RemoveTeamRole(s.ctx, g.id, role.UID)
	case g.kind == "team":
		m, err = s.AddTeamRole(s.ctx, g.id, add)
	case remove:
		m, err = s.RemoveUserRole(s.ctx, g.id, role.UID, global)
	default:
		m, err = s.AddUserRole(s.ctx, g.id, add)
	}
	if err != nil {
		return err
	}
	if remove {
		verb = "Removed %s from %s."
	}
	return s.done(m, verb, role.Name, g)
}

// A grantee gets a role: a user, a service account or a team.
type grantee struct {
	kind string // "user", "service account" or "team"
	id   int64
	name string
}

func (g grantee) String() string { return fmt.Sprintf("%s %s (id %d)", g.kind, g.name, g.id) }

// grantee finds the principal or team that ref names: user:ana, serviceaccount:ci,
// sa:ci or team:devs. If ref has no kind, the kind is otherwise, unless that is empty.
func (s *session) grantee(ref, otherwise string) (grantee, error) {
	kind, name, ok := strings.Cut(ref, ":")
	if !ok && otherwise != "" {
		kind, name = otherwise, ref
	}
	if name == "" {
		return grantee{}, errGrantee
	}
	switch kind {
	case "user":
		u, err := s.FindOrgUser(s.ctx, 0, name)
		return grantee{"user", u.UserID, u.Login}, err
	case "serviceaccount", "sa":
		a, err := s.FindServiceAccount(s.ctx, name)
		return grantee{"service account", a.ID, a.Name}, err
	case "team":
		t, err := s.FindTeam(s.ctx, name)
		return grantee{"team", t.ID, t.Name}, err
	}
	return grantee{}, errGrantee
}

var (
	errGrantee    = errors.New("name users, service accounts and teams as user:NAME, serviceaccount:NAME or team:NAME")
	errPrincipal  = errors.New("name the principal as user:NAME or serviceaccount:NAME")
	errTeamInTeam = errors.New("a team cannot be a member of another team")
)

func (s *session) roleAssignments() error {
	role, err := s.FindRole(s.ctx, s.args[0])
	if err != nil {
		return err
	}
	out, err := s.RoleAssignments(s.ctx, role.UID)
	if err != nil {
		return err
	}
	t := table{header: []string{"KIND", "ID", "NAME"}}
	if !s.json {
		for _, part := range []struct {
			kind  string
			ids   []int64
			names func() map[int64]string
		}{
			{"user", out.Users, s.userNames}, {"serviceaccount", out.ServiceAccounts, s.accountNames}, {"team", out.Teams, s.teamNames},
		} {
			if len(part.ids) == 0 {
				continue
			}
			names := part.names()
			for _, id := range part.ids {
				t.rows = append(t.rows, []string{part.kind, number(id), names[id]})
			}
		}
	}
	return s.print(out, t)
}

// userNames returns the names of users by id. It is empty if the caller may not read
// them: a list then shows the ids. The functions below do the same for other kinds.
func (s *session) userNames() map[int64]string {
	list, _ := s.OrgUsers(s.ctx, 0, "")
	return byID(list, func(u wire.OrgUser) (int64, string) { return u.UserID, u.Login })
}

func (s *session) accountNames() map[int64]string {
	list, _ := s.ServiceAccounts(s.ctx, client.ServiceAccountFilter{})
	return byID(list, func(a wire.ServiceAccount) (int64, string) { return a.ID, a.Name })
}

func (s *session) teamNames() map[int64]string {
	list, _ := s.Teams(s.ctx, "")
	return byID(list, func(t wire.Team) (int64, string) { return t.ID, t.Name })
}

func byID[Row any](rows []Row, of func(Row) (int64, string)) map[int64]string {
	m := make(map[int64]string, len(rows))
	for _, r := range rows {
		id, name := of(r)
		m[id] = name
	}
	return m
}
