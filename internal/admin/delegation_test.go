package admin_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/library"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// coalition is some users of little power who work together, with every account
// that they could make a token of and everybody whose password they could set:
// whatever they are allowed to do, in whatever order and whichever org, together
// they never hold more than they held at first, save on things they made
// themselves.
type coalition struct {
	*world
	*library.Library
	seed     uint64
	rng      *rand.Rand
	users    []string
	accounts map[hallpass.ServiceAccountID]hallpass.TokenID // whose tokens they have
	held     holding                                        // at first, together
	tree     map[string]bool                                // "action scope" on what was there at first, that one of them could do
	made     map[string]bool                                // IDs and uids of what they made
	orgs     map[hallpass.OrgID]bool                        // that they made
	log      []string
	n        int
}

// holding is what some hold together: in each org, and under org 0 on the server.
type holding map[hallpass.OrgID]*held

type held struct {
	role        hallpass.Role
	permissions *hallpass.Permissions
}

func (h holding) add(c hallpass.Caller) {
	for org, p := range map[hallpass.OrgID]*hallpass.Permissions{c.Org: c.Permissions, 0: c.Server} {
		if h[org] == nil {
			h[org] = &held{permissions: hallpass.NewPermissions()}
		}
		h[org].permissions = h[org].permissions.With(p.List()...)
		if org != 0 {
			h[org].role = max(h[org].role, c.Role)
		}
	}
}

// TestNobodyGains lets coalitions try at random.
func TestNobodyGains(t *testing.T) {
	for seed := range uint64(coalitions) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			c := newCoalition(t, seed)
			c.held, c.tree = c.union(), c.reaches()
			for range moves {
				c.try()
			}
			if len(c.log) < moves/10 {
				t.Errorf("only %d steps were allowed: the test does not try much", len(c.log))
			}
		})
	}
}

func newCoalition(t *testing.T, seed uint64) *coalition {
	t.Helper()
	w := newWorld(t, admin.Options{})
	c := &coalition{world: w, Library: library.New(w.Admin, library.Options{}), seed: seed, made: make(map[string]bool), orgs: make(map[hallpass.OrgID]bool), accounts: make(map[hallpass.ServiceAccountID]hallpass.TokenID)}
	ctx, boss := t.Context(), c.human("admin")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	on := func(scope hallpass.Scope, actions ...hallpass.Action) []hallpass.Permission {
		var list []hallpass.Permission
		for _, a := range actions {
			list = append(list, hallpass.Permission{Action: a, Scope: scope})
		}
		return list
	}
	roles := map[string][]hallpass.Permission{
		"delegate": slices.Concat(on("roles:*", hallpass.RolesRead), on(hallpass.ScopeDelegate, hallpass.RolesWrite, hallpass.RolesDelete, hallpass.UsersRolesAdd, hallpass.UsersRolesRemove, hallpass.TeamsRolesAdd, hallpass.TeamsRolesRemove), on("users:*", hallpass.UsersRolesRead), on("teams:*", hallpass.TeamsRolesRead)),
		"accounts": slices.Concat(on("", hallpass.ServiceAccountsCreate), on("serviceaccounts:*", hallpass.ServiceAccountsRead, hallpass.ServiceAccountsWrite, hallpass.ServiceAccountsPermissionsRead, hallpass.ServiceAccountsPermissionsWrite)),
		"teams":    slices.Concat(on("", hallpass.TeamsCreate), on("teams:*", hallpass.TeamsRead, hallpass.TeamsPermissionsRead, hallpass.TeamsPermissionsWrite)),
		"people":   on("users:*", hallpass.OrgUsersRead, hallpass.OrgUsersAdd, hallpass.OrgUsersWrite, hallpass.OrgUsersRemove),
		"folders":  on("folders:uid:low", hallpass.FoldersRead, hallpass.FoldersWrite, hallpass.FoldersPermissionsRead, hallpass.FoldersPermissionsWrite, hallpass.DashboardsRead, hallpass.DashboardsWrite),
		"strong":   slices.Concat(on("*", "prometheus:query"), on("teams:*", hallpass.TeamsWrite, hallpass.TeamsDelete), on("", hallpass.AuditRead)),
	}
	for uid, list := range roles {
		_, err := c.CreateRole(ctx, boss, hallpass.NamedRole{UID: uid, Name: uid, Permissions: list}, false)
		must(err)
	}
	for _, u := range []struct {
		login string
		role  hallpass.Role
		roles []string
	}{
		{"ann", hallpass.RoleNone, []string{"delegate", "accounts"}}, {"bob", hallpass.RoleViewer, []string{"teams", "folders"}}, {"cas", hallpass.RoleEditor, []string{"people"}},
	} {
		id := c.user(u.login, u.role)
		for _, r := range u.roles {
			must(c.AssignRole(ctx, boss, r, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(id)}, false))
		}
		c.users = append(c.users, u.login)
	}
	c.user("dan", hallpass.RoleAdmin) // a bystander with power
	must(c.fillServer(on))
	for _, uid := range []string{"low", "high"} {
		_, err := c.CreateFolder(ctx, boss, library.NewFolder{UID: uid, Title: uid})
		must(err)
		_, err = c.SaveDashboard(ctx, boss, library.SaveDashboard{UID: "in-" + uid, Title: uid, Folder: uid, Data: []byte("{}")})
		must(err)
		must(c.SetAccess(ctx, boss, hallpass.FolderResource, uid, []admin.NewAccess{{Kind: hallpass.ToBasicRole, Ref: "Editor"}, {Kind: hallpass.ToBasicRole, Ref: "Viewer"}}, false))
	}
	team, err := c.CreateTeam(ctx, boss, "strong", "")
	must(err)
	must(c.AssignRole(ctx, boss, "strong", hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(team.ID)}, false))
	must(c.SetAccess(ctx, boss, hallpass.FolderResource, "high", []admin.NewAccess{{Kind: hallpass.ToTeam, Ref: strconv.FormatInt(int64(team.ID), 10), Level: hallpass.LevelAdmin}}, false))
	_, err = c.CreateTeam(ctx, boss, "plain", "")
	must(err)
	for name, role := range map[string]hallpass.Role{"acc-admin": hallpass.RoleAdmin, "acc-editor": hallpass.RoleEditor, "acc-none": hallpass.RoleNone} {
		c.machine(name, role)
	}
	return c
}

// fillServer adds a second org, roles that hold in every org, and people who hold
// more than the coalition in other ways than as members of the first org. Of the
// coalition, ann may do everything to users that does not take the flag, and eli,
// who is strong, is disabled; for wim a role waits in the second org.
func (c *coalition) fillServer(on func(hallpass.Scope, ...hallpass.Action) []hallpass.Permission) error {
	ctx, now := c.t.Context(), time.Time{}
	return c.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.CreateOrg(hallpass.Org{Name: "two"}); err != nil {
			return err
		}
		for _, r := range []hallpass.NamedRole{
			{UID: "helpdesk", Permissions: slices.Concat(on("global.users:*", hallpass.UsersRead, hallpass.UsersWrite, hallpass.UsersPasswordWrite, hallpass.UsersEnable, hallpass.UsersDisable, hallpass.UsersLogout),
				on("", hallpass.OrgsCreate, hallpass.UsersCreate), on("users:*", hallpass.OrgUsersAdd, hallpass.OrgUsersRemove))},
			{UID: "server", Permissions: on("global.users:*", hallpass.UsersDelete, hallpass.UsersAuthTokenRead)},
			{UID: "admins", Permissions: on("", hallpass.ServerStatsRead)}, // what every Admin of any org has on the server
			{UID: "loki", Org: 2, Permissions: on("*", "loki:query")},
		} {
			r.Name = r.UID
			if err := tx.CreateRole(r); err != nil {
				return err
			}
		}
		for _, p := range []struct {
			login    string
			roles    map[hallpass.OrgID]hallpass.Role
			uid      string         // of a role
			in       hallpass.OrgID // where it was given; zero: everywhere
			disabled bool
		}{
			{"ann", nil, "helpdesk", 0, false},
			{"eli", nil, "server", 0, true},
			{"olga", nil, "server", 0, false},
			{"plain", nil, "", 0, false},
			{"many", map[hallpass.OrgID]hallpass.Role{1: hallpass.RoleViewer, 2: hallpass.RoleAdmin}, "", 0, false},
			{"far", map[hallpass.OrgID]hallpass.Role{1: hallpass.RoleNone, 2: hallpass.RoleNone}, "loki", 2, false},
			{"waiting", map[hallpass.OrgID]hallpass.Role{1: hallpass.RoleNone}, "loki", 2, false},
			{"wim", nil, "loki", 2, false},
			{"cas", map[hallpass.OrgID]hallpass.Role{2: hallpass.RoleViewer}, "", 0, false},
		} {
			u, err := tx.UserByLogin(p.login)
			if hallpass.KindOf(err) == hallpass.NotFound {
				u, err = tx.CreateUser(hallpass.User{UID: secret.NewUID(), Login: p.login, Email: p.login + "@x", Disabled: p.disabled})
			}
			if err != nil {
				return err
			}
			for org, role := range p.roles {
				if err := tx.SetMember(hallpass.Member{Org: org, User: u, Role: role}); err != nil {
					return err
				}
			}
			if p.uid == "" {
				continue
			}
			as := store.Assignment{Org: p.in, RoleOrg: p.in, RoleUID: p.uid, To: hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(u.ID)}}
			if _, err := tx.Assign(as, now); err != nil {
				return err
			}
		}
		c.users = append(c.users, "eli", "wim")
		_, err := tx.Assign(store.Assignment{RoleUID: "admins", To: hallpass.Grantee{Kind: hallpass.ToBasicRole, ID: int64(hallpass.RoleAdmin)}}, now)
		return err
	})
}

// user makes a member of the first org.
func (c *coalition) user(login string, role hallpass.Role) hallpass.UserID {
	c.t.Helper()
	var id hallpass.UserID
	err := c.db.Write(c.t.Context(), func(tx *store.Tx) error {
		u, err := tx.CreateUser(hallpass.User{UID: secret.NewUID(), Login: login, Email: login + "@x", Org: hallpass.FirstOrg})
		if err != nil {
			return err
		}
		id = u.ID
		return tx.SetMember(hallpass.Member{Org: hallpass.FirstOrg, User: u, Role: role})
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

// refs are the names by which the coalition is known to Explain.
func (c *coalition) refs() []string {
	refs := slices.Clone(c.users)
	for id := range c.accounts {
		refs = append(refs, strconv.FormatInt(int64(id), 10))
	}
	return refs
}

// callers is what each of them may call as: a user in every org, and an account.
// One who is disabled may not.
func (c *coalition) callers() (list []hallpass.Caller) {
	c.t.Helper()
	ctx := c.t.Context()
	err := c.db.Read(ctx, func(tx *store.Tx) error {
		orgs, err := tx.Orgs("", 3, 0) // their own first one too
		if err != nil {
			return err
		}
		for _, login := range c.users {
			u, err := tx.UserByLogin(login)
			if hallpass.KindOf(err) == hallpass.NotFound || err == nil && u.Disabled {
				continue
			}
			if err != nil {
				return err
			}
			for _, o := range orgs {
				as, err := tx.UserCaller(u, o.ID)
				if err != nil {
					return err
				}
				list = append(list, as)
			}
		}
		for id, token := range c.accounts {
			account, err := tx.ServiceAccount(hallpass.FirstOrg, id)
			if err != nil || account.Disabled {
				continue
			}
			as, err := tx.ServiceAccountCaller(account)
			if err != nil {
				return err
			}
			as.Token = token
			list = append(list, as)
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	slices.SortFunc(list, func(x, y hallpass.Caller) int { return int(x.Principal.ID-y.Principal.ID)*100 + int(x.Org-y.Org) })
	return list
}

// union is all that they hold, together.
func (c *coalition) union() holding {
	c.t.Helper()
	all := make(holding)
	for _, as := range c.callers() {
		all.add(as)
	}
	return all
}

// reaches is what one of them could do with what was there at first.
func (c *coalition) reaches() map[string]bool {
	c.t.Helper()
	can := make(map[string]bool)
	for _, ref := range c.refs() {
		for _, scope := range []hallpass.Scope{"folders:uid:low", "folders:uid:high", "dashboards:uid:in-low", "dashboards:uid:in-high"} {
			for _, action := range []hallpass.Action{hallpass.DashboardsRead, hallpass.DashboardsWrite, hallpass.FoldersWrite, hallpass.FoldersPermissionsWrite} { // one of each level
				e, err := c.Explain(c.t.Context(), c.human("admin"), ref, action, scope)
				if err == nil && e.Allowed {
					can[string(action)+" "+string(scope)] = true
				}
			}
		}
	}
	return can
}

// try has each of them try one and the same thing until one may, and looks at
// what came of it.
func (c *coalition) try() {
	c.t.Helper()
	c.n++
	callers := c.callers()
	for i := range callers {
		by := callers[(c.n+i)%len(callers)]
		c.rng = rand.New(rand.NewPCG(c.seed, uint64(c.n))) // #nosec G404 -- as above; the same for each of them
		tree, what, err := c.step(by)
		if hallpass.KindOf(err) == hallpass.Internal && err != nil {
			c.t.Fatalf("%s: %s: %v", by.Principal.Login, what, err)
		}
		if err == nil {
			c.log = append(c.log, fmt.Sprintf("%s in org %d: %s", by.Principal.Login, by.Org, what))
			c.check(tree)
			return
		}
	}
}

// check fails the test if they hold more than at first.
func (c *coalition) check(tree bool) {
	c.t.Helper()
	for org, now := range c.union() {
		was := c.held[org]
		if c.orgs[org] {
			continue // whatever they do in it; what they hold on the server counts
		}
		if now.role > was.role {
			c.t.Fatalf("they won the role %s in org %d by\n%s", now.role, org, strings.Join(c.log, "\n"))
		}
		for _, p := range now.permissions.List() {
			if !was.permissions.Has(p) && !c.own(p.Scope) {
				c.t.Fatalf("they won %v in org %d by\n%s", p, org, strings.Join(c.log, "\n"))
			}
		}
	}
	if !tree {
		return
	}
	for can := range c.reaches() {
		if !c.tree[can] {
			c.t.Fatalf("they won %s by\n%s", can, strings.Join(c.log, "\n"))
		}
	}
}

// own reports whether the scope is that of something they made.
func (c *coalition) own(s hallpass.Scope) bool {
	_, id, ok := s.ResourceOf()
	return ok && c.made[id] || c.made[strings.TrimPrefix(string(s), "roles:uid:")]
}

func pick[T any](c *coalition, list ...T) T { return list[c.rng.IntN(len(list))] }

// principal is the number of a user or account, theirs or not.
func (c *coalition) principal() int64 { return int64(1 + c.rng.IntN(15)) }

// permissions are some to put into a role: some that they hold, some that they do
// not.
func (c *coalition) permissions() []hallpass.Permission {
	all := []hallpass.Permission{
		{Action: hallpass.RolesRead, Scope: "roles:*"}, {Action: hallpass.ServiceAccountsRead, Scope: "serviceaccounts:*"}, {Action: hallpass.ServiceAccountsWrite, Scope: "serviceaccounts:id:6"},
		{Action: hallpass.ServiceAccountsDelete, Scope: "serviceaccounts:*"}, {Action: hallpass.TeamsRead, Scope: "teams:id:1"}, {Action: hallpass.TeamsWrite, Scope: "teams:*"},
		{Action: "prometheus:query", Scope: "*"}, {Action: hallpass.OrgsWrite}, {Action: hallpass.FoldersRead, Scope: "folders:uid:low"}, {Action: hallpass.FoldersRead, Scope: "folders:*"},
		{Action: hallpass.DashboardsRead, Scope: "folders:uid:high"}, {Action: hallpass.DashboardsWrite, Scope: "dashboards:uid:in-low"}, {Action: hallpass.AuditRead},
		{Action: hallpass.RolesWrite, Scope: hallpass.ScopeEscalate}, {Action: hallpass.OrgUsersWrite, Scope: "users:*"}, {Action: hallpass.UsersWrite, Scope: "global.users:*"},
	}
	var list []hallpass.Permission
	for range 1 + c.rng.IntN(3)/2 {
		list = append(list, pick(c, all...))
	}
	return list
}

// step tries one thing and says whether it was about folders and dashboards.
func (c *coalition) step(by hallpass.Caller) (tree bool, what string, err error) {
	ctx := c.t.Context()
	uid := fmt.Sprintf("new%d", c.n)
	role := pick(c, "delegate", "accounts", "teams", "people", "folders", "strong", "fixed_iBvUNUEZBZ7PUW0vdkN5iojc2sk", "basic_admin", "r")
	to := pick(c, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: c.principal()}, hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(1 + c.rng.IntN(3))},
		hallpass.Grantee{Kind: hallpass.ToBasicRole, ID: int64(c.rng.IntN(4))})
	account := hallpass.ServiceAccountID(c.principal())
	team := hallpass.TeamID(1 + c.rng.IntN(3))
	basic := pick(c, hallpass.Roles()...)
	folder := pick(c, "low", "high", "f", "")
	if c.n%2 == 0 {
		what, err = c.toPeople(by, uid)
		return false, what, err
	}
	switch c.rng.IntN(18) {
	case 0, 1:
		list := c.permissions()
		_, err = c.CreateRole(ctx, by, hallpass.NamedRole{UID: pick(c, uid, "r"), Name: uid, Permissions: list}, c.rng.IntN(4) == 0)
		return false, fmt.Sprintf("create role %v", list), err
	case 2:
		list := c.permissions()
		_, err = c.UpdateRole(ctx, by, hallpass.NamedRole{UID: role, Name: uid, Permissions: list}, false)
		return false, fmt.Sprintf("update role %s to %v", role, list), err
	case 3, 4:
		return true, fmt.Sprintf("assign %s to %v", role, to), c.AssignRole(ctx, by, role, to, c.rng.IntN(4) == 0)
	case 5:
		ids := []int64{c.principal(), c.principal()}
		return true, fmt.Sprintf("set %s to %v", role, ids), c.SetRoleAssignments(ctx, by, role, ids, nil, []int64{int64(team)})
	case 6, 7:
		p := c.principal()
		return true, fmt.Sprintf("put %d in team %d", p, team), c.AddTeamMember(ctx, by, team, p, pick(c, hallpass.LevelMember, hallpass.LevelAdmin))
	case 8:
		p := c.principal()
		return true, fmt.Sprintf("make %d admin of team %d", p, team), c.UpdateTeamMember(ctx, by, team, p, hallpass.LevelAdmin)
	case 9:
		level := pick(c, hallpass.LevelEdit, hallpass.LevelAdmin)
		n := admin.NewAccess{Kind: hallpass.ToPrincipal, Ref: strconv.FormatInt(c.principal(), 10), Level: level}
		return false, fmt.Sprintf("give %v on account %d", n, account), c.SetAccess(ctx, by, hallpass.ServiceAccountResource, strconv.FormatInt(int64(account), 10), []admin.NewAccess{n}, false)
	case 10, 11:
		n := admin.NewAccess{Kind: hallpass.ToPrincipal, Ref: strconv.FormatInt(c.principal(), 10), Level: pick(c, hallpass.LevelView, hallpass.LevelEdit, hallpass.LevelAdmin)}
		return true, fmt.Sprintf("give %v on folder %s", n, folder), c.SetAccess(ctx, by, hallpass.FolderResource, folder, []admin.NewAccess{n}, false)
	case 12:
		a, err := c.CreateServiceAccount(ctx, by, admin.NewServiceAccount{Name: uid, Role: &basic})
		if err == nil {
			c.made[strconv.FormatInt(int64(a.ID), 10)] = true
		}
		return false, fmt.Sprintf("create account %s", basic), err
	case 13:
		disabled := c.rng.IntN(2) == 0
		_, err = c.UpdateServiceAccount(ctx, by, account, hallpass.ServiceAccountPatch{Role: &basic, Disabled: &disabled})
		return true, fmt.Sprintf("account %d to %s, disabled %v", account, basic, disabled), err
	case 14:
		var t admin.Issued
		if t, err = c.CreateToken(ctx, by, account, admin.NewToken{Name: uid}); err == nil {
			c.accounts[account] = t.Token.ID
		}
		return true, fmt.Sprintf("token of account %d", account), err
	case 15:
		p := hallpass.UserID(c.principal())
		return true, fmt.Sprintf("user %d to %s", p, basic), c.SetOrgUserRole(ctx, by, p, basic)
	case 16:
		parent := pick(c, "", "low", "high")
		if _, err = c.CreateFolder(ctx, by, library.NewFolder{UID: "f", Title: "f", Parent: parent}); err == nil {
			c.made["f"] = true
			return true, "create folder f in " + parent, nil
		}
		parent = pick(c, "", "low", "high", "f")
		_, err = c.MoveFolder(ctx, by, folder, parent)
		return true, "move folder " + folder + " to " + parent, err
	}
	d := pick(c, "in-low", "in-high", uid)
	if _, err = c.SaveDashboard(ctx, by, library.SaveDashboard{UID: d, Title: d, Folder: folder, Overwrite: true, Data: []byte("{}")}); err == nil && d == uid {
		c.made[uid] = true
	}
	return true, "save dashboard " + d + " in " + folder, err
}

// toPeople tries something with a user of the server.
func (c *coalition) toPeople(by hallpass.Caller, name string) (what string, err error) {
	ctx, password := c.t.Context(), secret.NewText("violet lamps hum at noon")
	login := pick(c, "olga", "olga", "plain", "many", "far", "waiting", "dan", "eli", "wim", "wim", "bob", "admin")
	var u hallpass.User
	err = c.db.Read(ctx, func(tx *store.Tx) (err error) {
		u, err = tx.UserByLogin(login)
		return err
	})
	if err != nil {
		return "find " + login, err
	}
	role := pick(c, hallpass.RoleNone, hallpass.RoleNone, hallpass.RoleViewer, hallpass.RoleAdmin)
	switch c.rng.IntN(9) {
	case 0, 1:
		if err = c.SetUserPassword(ctx, by, u.ID, password); err == nil && !slices.Contains(c.users, login) {
			c.users = append(c.users, login)
		}
		return "set the password of " + login, err
	case 2:
		return "rename " + login, c.UpdateUser(ctx, by, u.ID, login, login+"@y", name)
	case 3:
		disabled := c.rng.IntN(2) == 0
		return fmt.Sprintf("disable %s: %v", login, disabled), c.SetUserDisabled(ctx, by, u.ID, disabled)
	case 4, 8:
		_, err = c.AddOrgUser(ctx, by, login, role)
		return fmt.Sprintf("add %s as %s", login, role), err
	case 5:
		return "remove " + login, c.RemoveOrgUser(ctx, by, u.ID)
	case 6:
		o, err := c.CreateOrg(ctx, by, name)
		if err == nil {
			c.orgs[o.ID] = true
		}
		return "create org", err
	}
	if _, err = c.CreateUser(ctx, by, admin.NewUser{Login: name, Password: password, Org: hallpass.OrgID(1 + c.rng.IntN(2))}); err == nil {
		c.users = append(c.users, name)
	}
	return "create user " + name, err
}

// TestMoveGivesNoPower has somebody who may write a folder, and no more, move it
// and what is in it to a folder of their own, where they may do everything, or to a
// uid that was theirs, on which a role that they made still permits everything.
func TestMoveGivesNoPower(t *testing.T) {
	c := newCoalition(t, 0)
	ctx, boss := t.Context(), c.human("admin")
	_, err := c.CreateRole(ctx, boss, hallpass.NamedRole{UID: "create", Name: "create", Permissions: []hallpass.Permission{{Action: hallpass.FoldersCreate, Scope: "folders:uid:general"}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	bob := c.human("bob")
	if err := c.AssignRole(ctx, boss, "create", hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: bob.Principal.ID}, false); err != nil {
		t.Fatal(err)
	}
	bob = c.human("bob")
	if _, err := c.CreateFolder(ctx, bob, library.NewFolder{UID: "mine", Title: "mine"}); err != nil {
		t.Fatal(err)
	}
	everything := hallpass.NamedRole{UID: "once", Name: "once"}
	for _, action := range hallpass.DashboardResource.Actions(hallpass.LevelAdmin) {
		everything.Permissions = append(everything.Permissions, hallpass.Permission{Action: action, Scope: "dashboards:uid:once"})
	}
	if _, err := c.CreateRole(ctx, boss, everything, false); err != nil {
		t.Fatal(err)
	}
	if err := c.AssignRole(ctx, boss, "once", hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: bob.Principal.ID}, false); err != nil {
		t.Fatal(err)
	}
	bob = c.human("bob")
	inLow, err := c.Dashboard(ctx, boss, "in-low")
	if err != nil {
		t.Fatal(err)
	}
	for what, try := range map[string]func() error{
		"the uid": func() error {
			_, err := c.SaveDashboard(ctx, bob, library.SaveDashboard{ID: inLow.ID, UID: "once", Title: "low", Folder: "low", Overwrite: true, Data: []byte("{}")})
			return err
		},
		"the folder": func() error { _, err := c.MoveFolder(ctx, bob, "low", "mine"); return err },
		"the dashboard": func() error {
			_, err := c.SaveDashboard(ctx, bob, library.SaveDashboard{UID: "in-low", Title: "low", Folder: "mine", Overwrite: true, Data: []byte("{}")})
			return err
		},
	} {
		if err := try(); hallpass.KindOf(err) != hallpass.Denied {
			t.Errorf("%s: %v, want it denied", what, err)
		}
	}
	folder, err := c.Folder(ctx, boss, "low")
	if err != nil || folder.Parent != "" {
		t.Errorf("the folder is in %q, %v", folder.Parent, err)
	}
	dashboard, err := c.Dashboard(ctx, boss, "in-low")
	if err != nil || dashboard.Folder != "low" || dashboard.Version != 1 {
		t.Errorf("the dashboard is in %q as version %d, %v", dashboard.Folder, dashboard.Version, err)
	}
	if _, err := c.SaveDashboard(ctx, bob, library.SaveDashboard{ID: inLow.ID, UID: "other", Title: "low", Folder: "low", Overwrite: true, Data: []byte("{}")}); err != nil {
		t.Errorf("a uid that nobody holds anything on: %v", err)
	}
	if _, err := c.MoveFolder(ctx, boss, "low", "mine"); err != nil {
		t.Errorf("the admin: %v", err)
	}
}
