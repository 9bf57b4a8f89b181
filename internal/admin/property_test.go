package admin_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// The decisions are made here a second time, as plainly as can be: from lists,
// without sets or SQL. Nothing below is taken from what it judges but the
// permissions that basic roles begin with.

// plainly reports whether holding p satisfies the demand.
func plainly(p, demand hallpass.Permission, foreign bool) bool {
	held, want := string(p.Scope), string(demand.Scope)
	for i := range len(held) {
		if held[i] == '*' && !(i == len(held)-1 && (i == 0 || held[i-1] == ':' || held[i-1] == '/')) {
			return false
		}
	}
	if p.Action == "*" {
		return foreign
	}
	switch {
	case p.Action != demand.Action:
		return false
	case want == "":
		return true
	case strings.HasSuffix(held, "*"):
		return strings.HasPrefix(want, held[:len(held)-1])
	}
	return held == want
}

func anyPlainly(list []hallpass.Permission, demand hallpass.Permission, foreign bool) bool {
	return slices.ContainsFunc(list, func(p hallpass.Permission) bool { return plainly(p, demand, foreign) })
}

// plainWorlds is how many worlds are made up: fewer where SQLite is slow.
const plainWorlds = 3 + coalitions*3

// draw makes things up.
type draw struct{ *rand.Rand }

func newDraw(seed uint64) draw {
	return draw{rand.New(rand.NewPCG(seed, 1))} // #nosec G404 -- a test must be the same each time
}

func one[T any](d draw, list []T) T { return list[d.IntN(len(list))] }

var (
	ourActions = []hallpass.Action{
		hallpass.ServiceAccountsRead, hallpass.ServiceAccountsWrite, hallpass.TeamsRead, hallpass.TeamsWrite, hallpass.FoldersRead, hallpass.FoldersWrite,
		hallpass.FoldersCreate, hallpass.FoldersPermissionsWrite, hallpass.DashboardsRead, hallpass.DashboardsWrite, hallpass.DashboardsCreate,
		hallpass.OrgUsersRead, hallpass.UsersRead, hallpass.RolesWrite, hallpass.AuditRead, "datasources:query",
	}
	foreignActions = []hallpass.Action{"prometheus:query", "alert.rules:write", "teams:read2", "a:b"}
	wholeScopes    = []hallpass.Scope{
		"serviceaccounts:id:5", "serviceaccounts:id:50", "serviceaccounts:id:7", "teams:id:1", "teams:id:2", "folders:uid:f1", "folders:uid:f2", "folders:uid:f3", "folders:uid:f4",
		"folders:uid:general", "dashboards:uid:d1", "dashboards:uid:d2", "dashboards:uid:d3", "users:id:1", "global.users:id:1", "permissions:type:delegate", "a:b/c", "a:b/c/d",
	}
	wideScopes = []hallpass.Scope{
		"", "*", "serviceaccounts:*", "serviceaccounts:id:*", "teams:*", "teams:id:*", "folders:*", "folders:uid:*", "dashboards:*", "dashboards:uid:*", "users:*", "global.users:*",
		"permissions:*", "a:*", "a:b/*",
	}
	brokenScopes = []hallpass.Scope{"serviceaccounts:id:5*", "teams:*:1", "*:*", "**", "folders*", "dashboards:uid:*d1", "a*b"}
)

func (d draw) action() (a hallpass.Action, foreign bool) {
	if d.IntN(4) == 0 {
		return one(d, foreignActions), true
	}
	return one(d, ourActions), false
}

func (d draw) demand() (p hallpass.Permission, foreign bool) {
	p.Action, foreign = d.action()
	p.Scope = one(d, one(d, [][]hallpass.Scope{wholeScopes, wholeScopes, wholeScopes, wideScopes}))
	return p, foreign
}

// held is a permission as it may stand in a role: also one with a scope that
// means nothing.
func (d draw) held() hallpass.Permission {
	a, _ := d.action()
	return hallpass.Permission{Action: a, Scope: one(d, one(d, [][]hallpass.Scope{wholeScopes, wholeScopes, wideScopes, wideScopes, brokenScopes}))}
}

func (d draw) list(n int) (list []hallpass.Permission) {
	for range d.IntN(n + 1) {
		list = append(list, d.held())
	}
	return list
}

// TestSetsDecideAsLists compares sets of permissions with lists.
func TestSetsDecideAsLists(t *testing.T) {
	allowed, denied := 0, 0
	for seed := range uint64(600) {
		d := newDraw(seed)
		list, more := d.list(8), d.list(3)
		if d.IntN(8) == 0 {
			list = append(list, hallpass.Permission{Action: "*", Scope: "*"})
		}
		set := hallpass.NewPermissions(list...)
		both := set.With(more...)
		for range 40 {
			want, foreign := d.demand()
			if got, plain := set.Has(want), anyPlainly(list, want, foreign); got != plain {
				t.Errorf("seed %d: %v holds %v: %v, want %v", seed, list, want, got, plain)
			}
			got, plain := both.Has(want), anyPlainly(slices.Concat(list, more), want, foreign)
			if got != plain {
				t.Errorf("seed %d: %v with %v holds %v: %v, want %v", seed, list, more, want, got, plain)
			}
			if got {
				allowed++
			} else {
				denied++
			}
		}
		other := hallpass.NewPermissions(more...)
		if set.HasAll(other) {
			for range 100 {
				if want, _ := d.demand(); other.Has(want) && !set.Has(want) {
					t.Errorf("seed %d: %v has all of %v, but not %v", seed, list, more, want)
				}
			}
		}
	}
	if allowed < 1000 || denied < 1000 {
		t.Errorf("%d were allowed and %d denied: the test sees too little of one", allowed, denied)
	}
}

// plainWorld is who was given what in two orgs, as lists.
type plainWorld struct {
	draw
	db       *store.DB
	people   []plainPerson
	teams    []plainTeam
	roles    []hallpass.NamedRole
	assigned []store.Assignment
	grants   []hallpass.Grant
	changed  map[hallpass.Role][]hallpass.Permission // basic roles that are not what they were
	parent   map[string]string                       // of folders, and of dashboards, "" the root
}

type plainPerson struct {
	id      int64
	account bool
	admin   bool // of the server
	role    map[hallpass.OrgID]hallpass.Role
	user    hallpass.User
	machine hallpass.ServiceAccount
}

type plainTeam struct {
	id      int64
	org     hallpass.OrgID
	members map[int64]bool // to whether they are its admin
}

// levels is what each level of access permits.
var levels = map[hallpass.Resource]map[hallpass.Level]string{
	"serviceaccounts": {
		"Edit":  "serviceaccounts:read serviceaccounts:write",
		"Admin": "serviceaccounts:read serviceaccounts:write serviceaccounts:delete serviceaccounts.permissions:read serviceaccounts.permissions:write",
	},
	"folders": {
		"View":  "folders:read dashboards:read",
		"Edit":  "folders:read dashboards:read folders:write folders:delete folders:create dashboards:write dashboards:delete dashboards:create",
		"Admin": "folders:read dashboards:read folders:write folders:delete folders:create dashboards:write dashboards:delete dashboards:create folders.permissions:read folders.permissions:write dashboards.permissions:read dashboards.permissions:write",
	},
	"dashboards": {
		"View": "dashboards:read", "Edit": "dashboards:read dashboards:write dashboards:delete",
		"Admin": "dashboards:read dashboards:write dashboards:delete dashboards.permissions:read dashboards.permissions:write",
	},
}

func actionsOf(text string, scope hallpass.Scope) (list []hallpass.Permission) {
	for a := range strings.FieldsSeq(text) {
		list = append(list, hallpass.Permission{Action: hallpass.Action(a), Scope: scope})
	}
	return list
}

func newPlainWorld(t *testing.T, seed uint64) *plainWorld {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &plainWorld{draw: newDraw(seed), db: db, changed: make(map[hallpass.Role][]hallpass.Permission), parent: make(map[string]string)}
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return w.fill(tx) }); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *plainWorld) fill(tx *store.Tx) error {
	for _, fill := range []func(*store.Tx) error{w.fillPeople, w.fillTeams, w.fillTree, w.fillRoles, w.fillGrants} {
		if err := fill(tx); err != nil {
			return err
		}
	}
	return nil
}

func (w *plainWorld) fillPeople(tx *store.Tx) error {
	for _, name := range []string{"one", "two"} {
		if _, err := tx.CreateOrg(hallpass.Org{Name: name}); err != nil {
			return err
		}
	}
	for i := range 5 {
		login := fmt.Sprintf("user%d", i)
		u, err := tx.CreateUser(hallpass.User{UID: login, Login: login, Email: login, Org: 1, ServerAdmin: i == 4})
		if err != nil {
			return err
		}
		p := plainPerson{id: int64(u.ID), admin: u.ServerAdmin, role: make(map[hallpass.OrgID]hallpass.Role), user: u}
		for org := hallpass.OrgID(1); org <= 2; org++ {
			if w.IntN(3) == 0 {
				continue // no member
			}
			p.role[org] = one(w.draw, hallpass.Roles())
			if err := tx.SetMember(hallpass.Member{Org: org, User: u, Role: p.role[org]}); err != nil {
				return err
			}
		}
		w.people = append(w.people, p)
	}
	for i := range 3 {
		org := hallpass.OrgID(1 + i/2)
		name := fmt.Sprintf("account%d", i)
		a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{UID: name, Org: org, Name: name, Login: name, Role: one(w.draw, hallpass.Roles())})
		if err != nil {
			return err
		}
		w.people = append(w.people, plainPerson{id: int64(a.ID), account: true, role: map[hallpass.OrgID]hallpass.Role{org: a.Role}, machine: a})
	}
	return nil
}

func (w *plainWorld) fillTeams(tx *store.Tx) error {
	for i := range 4 {
		org := hallpass.OrgID(1 + i/3)
		name := fmt.Sprintf("team%d", i)
		made, err := tx.CreateTeam(hallpass.Team{UID: name, Org: org, Name: name})
		if err != nil {
			return err
		}
		team := plainTeam{id: int64(made.ID), org: org, members: make(map[int64]bool)}
		for _, p := range w.people {
			if _, in := p.role[org]; !in && p.account || w.IntN(2) == 0 {
				continue
			}
			team.members[p.id] = w.IntN(3) == 0
			m := hallpass.TeamMember{Team: made.ID, Principal: hallpass.PrincipalInfo{Principal: hallpass.Principal{ID: p.id}}, Admin: team.members[p.id]}
			if _, err := tx.SetTeamMember(org, m); err != nil {
				return err
			}
		}
		w.teams = append(w.teams, team)
	}
	return nil
}

func (w *plainWorld) fillTree(tx *store.Tx) error {
	above := []string{""}
	for _, uid := range []string{"f1", "f2", "f3", "f4"} {
		w.parent["folders:uid:"+uid] = one(w.draw, above)
		if _, err := tx.CreateFolder(hallpass.Folder{UID: uid, Org: 1, Parent: w.parent["folders:uid:"+uid], Title: uid}); err != nil {
			return err
		}
		above = append(above, uid)
	}
	for _, uid := range []string{"d1", "d2"} { // d3 is nowhere
		w.parent["dashboards:uid:"+uid] = one(w.draw, above)
		if _, err := tx.CreateDashboard(hallpass.Dashboard{UID: uid, Org: 1, Folder: w.parent["dashboards:uid:"+uid], Title: uid, Data: []byte("{}")}); err != nil {
			return err
		}
	}
	return nil
}

func (w *plainWorld) fillRoles(tx *store.Tx) error {
	for i := range 8 {
		uid := fmt.Sprintf("r%d", i)
		r := hallpass.NamedRole{Org: hallpass.OrgID(w.IntN(3)), UID: uid, Name: uid, Permissions: w.list(5)}
		if err := tx.CreateRole(r); err != nil {
			return err
		}
		w.roles = append(w.roles, r)
	}
	w.roles = append(w.roles, hallpass.FixedRoles()...)
	if role := one(w.draw, hallpass.Roles()); w.IntN(3) == 0 {
		w.changed[role] = w.list(6)
		if err := tx.CreateRole(hallpass.NamedRole{UID: role.UID(), Name: role.UID(), Permissions: w.changed[role]}); err != nil {
			return err
		}
	}
	for range 24 {
		r := w.roles[w.IntN(10)]
		as := store.Assignment{Org: hallpass.OrgID(w.IntN(3)), RoleOrg: r.Org, RoleUID: r.UID}
		if r.Org != 0 {
			as.Org = r.Org
		}
		as.To = w.grantee(as.Org)
		if as.Org == 0 && as.To.Kind == hallpass.ToTeam {
			continue
		}
		if _, err := tx.Assign(as, time.Time{}); err != nil {
			return err
		}
		w.assigned = append(w.assigned, as)
	}
	return nil
}

// grantee is somebody that org, or any, may give something to.
func (w *plainWorld) grantee(org hallpass.OrgID) hallpass.Grantee {
	for {
		switch w.IntN(3) {
		case 0:
			p := one(w.draw, w.people)
			if _, in := p.role[org]; in || !p.account { // also what was left of one who has left
				return hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: p.id}
			}
		case 1:
			if team := one(w.draw, w.teams); team.org == org {
				return hallpass.Grantee{Kind: hallpass.ToTeam, ID: team.id}
			}
		default:
			return hallpass.Grantee{Kind: hallpass.ToBasicRole, ID: int64(w.IntN(4))}
		}
	}
}

func (w *plainWorld) fillGrants(tx *store.Tx) error {
	given := make(map[string]bool)
	for range 16 {
		g := hallpass.Grant{Org: 1, Resource: one(w.draw, []hallpass.Resource{"serviceaccounts", "folders", "folders", "dashboards"}), To: w.grantee(1)}
		switch g.Resource {
		case hallpass.ServiceAccountResource:
			g.ResourceID = one(w.draw, []string{"6", "7"})
			if g.To.Kind == hallpass.ToBasicRole {
				continue
			}
		case hallpass.FolderResource:
			g.ResourceID = one(w.draw, []string{"f1", "f2", "f3", "f4"})
		default:
			g.ResourceID = one(w.draw, []string{"d1", "d2"})
		}
		var names []hallpass.Level
		for l := range levels[g.Resource] {
			names = append(names, l)
		}
		slices.Sort(names)
		g.Level = one(w.draw, names)
		key := fmt.Sprint(g.Resource, g.ResourceID, g.To)
		if given[key] {
			continue
		}
		given[key] = true
		if err := tx.SetGrant(g); err != nil {
			return err
		}
		w.grants = append(w.grants, g)
	}
	return nil
}

// reaches reports whether what was given to g in org given reaches the person
// in org.
func (w *plainWorld) reaches(p plainPerson, g hallpass.Grantee, given, org hallpass.OrgID) bool {
	role, member := p.role[org]
	switch {
	case given != 0 && given != org:
		return false
	case g.Kind == hallpass.ToPrincipal:
		return g.ID == p.id && (member || given == 0)
	case !member:
		return false
	case g.Kind == hallpass.ToBasicRole:
		return g.ID <= int64(role)
	}
	for _, team := range w.teams {
		if _, in := team.members[p.id]; in && team.id == g.ID && team.org == org {
			return true
		}
	}
	return false
}

func (w *plainWorld) permissionsOf(as store.Assignment) []hallpass.Permission {
	for _, r := range w.roles {
		if r.Org == as.RoleOrg && r.UID == as.RoleUID {
			return r.Permissions
		}
	}
	return nil
}

// holds lists what the person holds in org, on the server, and of the tree.
func (w *plainWorld) holds(p plainPerson, org hallpass.OrgID) (list, server, tree []hallpass.Permission) {
	role, member := p.role[org]
	if member {
		basic, changed := w.changed[role]
		if !changed {
			basic = role.Permissions().List()
		}
		list = append(list, basic...)
	}
	if p.admin {
		server = append(server, hallpass.ServerAdminPermissions().List()...)
	}
	for _, as := range w.assigned {
		if !w.reaches(p, as.To, as.Org, org) {
			continue
		}
		list = append(list, w.permissionsOf(as)...)
		if as.Org == 0 && !p.account {
			server = append(server, w.permissionsOf(as)...)
		}
	}
	list = append(list, server...)
	for _, g := range w.grants {
		if !member || !w.reaches(p, g.To, g.Org, org) {
			continue
		}
		switch g.Resource {
		case hallpass.ServiceAccountResource:
			list = append(list, actionsOf(levels[g.Resource][g.Level], hallpass.Scope("serviceaccounts:id:"+g.ResourceID))...)
		default:
			tree = append(tree, actionsOf(levels[g.Resource][g.Level], hallpass.Scope(string(g.Resource)+":uid:"+g.ResourceID))...)
		}
	}
	for _, team := range w.teams {
		if boss, in := team.members[p.id]; in && member && team.org == org {
			scope := hallpass.Scope("teams:id:" + strconv.FormatInt(team.id, 10))
			list = append(list, actionsOf("teams:read", scope)...)
			if boss {
				list = append(list, actionsOf("teams:write teams:delete teams.permissions:read teams.permissions:write", scope)...)
			}
		}
	}
	return list, server, tree
}

// routes reports whether routes let the person do what is wanted: they ask for
// audit:read without a scope, for roles:write on one that is fixed, and for
// users:read on the server, of users alone. Without a scope it is whether there
// could be a thing to do it to, save for what lists ask for.
func (w *plainWorld) routes(p plainPerson, list, server []hallpass.Permission, want hallpass.Permission, foreign bool) bool {
	switch want.Action {
	case hallpass.AuditRead:
		want.Scope = ""
	case hallpass.RolesWrite:
		want.Scope = "permissions:type:delegate"
	case hallpass.UsersRead:
		if list = server; p.account {
			return false
		}
	}
	if kinds := plainKinds[want.Action]; want.Scope == "" && kinds != "" {
		return slices.ContainsFunc(list, func(h hallpass.Permission) bool {
			for kind := range strings.FieldsSeq(kinds) {
				one := hallpass.Permission{Action: want.Action, Scope: hallpass.Scope(kind + "anything")}
				if plainly(h, one, false) || h.Action == want.Action && strings.HasPrefix(string(h.Scope), kind) && plainly(h, hallpass.Permission{Action: want.Action, Scope: h.Scope}, false) {
					return true
				}
			}
			return false
		})
	}
	for _, s := range w.chain(want.Scope) {
		if anyPlainly(list, hallpass.Permission{Action: want.Action, Scope: s}, foreign) {
			return true
		}
	}
	return false
}

// plainKinds are the scopes of the things that actions are done to, for those
// that no list asks for by themselves.
var plainKinds = map[hallpass.Action]string{
	hallpass.ServiceAccountsWrite: "serviceaccounts:id:", hallpass.TeamsWrite: "teams:id:", hallpass.FoldersRead: "folders:uid:", hallpass.FoldersWrite: "folders:uid:",
	hallpass.FoldersCreate: "folders:uid:", hallpass.FoldersPermissionsWrite: "folders:uid:", hallpass.DashboardsRead: "dashboards:uid: folders:uid:",
	hallpass.DashboardsWrite: "dashboards:uid: folders:uid:", hallpass.DashboardsCreate: "folders:uid:", "datasources:query": "datasources:uid:",
}

// chain lists the scope and those of what the thing stands in.
func (w *plainWorld) chain(s hallpass.Scope) []hallpass.Scope {
	all := []hallpass.Scope{s}
	parent, there := w.parent[string(s)]
	for there && parent != "" {
		at := "folders:uid:" + parent
		all = append(all, hallpass.Scope(at))
		parent = w.parent[at]
	}
	if there && len(all) == 1 && strings.HasPrefix(string(s), "dashboards:") {
		all = append(all, "folders:uid:general")
	}
	return all
}

// TestDecisionsFromTheDatabase compares what people hold by roles, teams, basic
// roles and access, read from the database, with the plain reckoning.
func TestDecisionsFromTheDatabase(t *testing.T) {
	allowed, denied := 0, 0
	for seed := range uint64(plainWorlds) {
		w := newPlainWorld(t, seed)
		a := admin.New(w.db, admin.Options{})
		for _, p := range w.people {
			for org := hallpass.OrgID(1); org <= 2; org++ {
				if p.account && p.machine.Org != org {
					continue
				}
				var c hallpass.Caller
				err := w.db.Read(t.Context(), func(tx *store.Tx) (err error) {
					if p.account {
						c, err = tx.ServiceAccountCaller(p.machine)
					} else {
						c, err = tx.UserCaller(p.user, org)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				list, server, tree := w.holds(p, org)
				for range 25 {
					want, foreign := w.demand()
					if got, plain := c.Permissions.Has(want), anyPlainly(list, want, foreign); got != plain {
						t.Errorf("seed %d: principal %d in org %d holds %v: %v, want %v", seed, p.id, org, want, got, plain)
					}
					if got, plain := c.Server.Has(want), anyPlainly(server, want, foreign); got != plain {
						t.Errorf("seed %d: principal %d holds %v on the server: %v, want %v", seed, p.id, want, got, plain)
					}
				}
				if _, member := p.role[1]; !member || org != 1 {
					continue
				}
				looker := hallpass.Caller{Org: 1, Permissions: hallpass.NewPermissions(hallpass.Permission{Action: hallpass.UsersPermissionsRead, Scope: "users:*"})}
				for range 12 {
					want, foreign := w.demand()
					plain := w.routes(p, slices.Concat(list, tree), server, want, foreign)
					e, err := a.Explain(t.Context(), looker, strconv.FormatInt(p.id, 10), want.Action, want.Scope)
					if err != nil || e.Allowed != plain || e.Allowed != (len(e.Via) > 0) {
						t.Errorf("seed %d: principal %d may %v: %v by %v, %v, want %v", seed, p.id, want, e.Allowed, e.Via, err, plain)
					}
					if plain {
						allowed++
					} else {
						denied++
					}
				}
			}
		}
	}
	if allowed < plainWorlds || denied < plainWorlds {
		t.Errorf("%d were allowed and %d denied: the test sees too little of one", allowed, denied)
	}
}
