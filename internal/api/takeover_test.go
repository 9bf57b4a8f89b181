package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// An attack is a route that changes another principal, and what is sent to it.
// In paths and bodies, ID and LOGIN are the victim's, TEAM a team of its own in
// org 1, and THING the uid of a folder and a dashboard there.
type attack struct {
	on     victims
	team   string // of {team} and {ref}; empty: the victim's own
	role   string // of {role}
	also   []hallpass.Action
	bodies []string
}

// victims says which principals a route can change.
type victims uint8

const (
	users victims = 1 << iota
	accounts
	few     // where it is all the same who they are: one of several kinds
	anybody = users | accounts
)

const (
	takenPassword = "thirteen herons over a weir"
	strongTeam    = "1" // see newAttackWorld
	strongAccount = "2"
)

// attacks has every route that changes other principals. What is sent gives or takes as
// much as the route can.
var attacks = map[string]attack{
	"POST /api/org/users":                                         {on: users, bodies: []string{`{"loginOrEmail":"LOGIN","role":"Admin"}`, `{"loginOrEmail":"LOGIN","role":"None"}`}},
	"PATCH /api/org/users/{user}":                                 {on: users, bodies: []string{`{"role":"Admin"}`, `{"role":"None"}`}},
	"DELETE /api/org/users/{user}":                                {on: users, bodies: []string{``}},
	"POST /api/orgs/{org}/users":                                  {on: users, bodies: []string{`{"loginOrEmail":"LOGIN","role":"Admin"}`, `{"loginOrEmail":"LOGIN","role":"None"}`}},
	"PATCH /api/orgs/{org}/users/{user}":                          {on: users, bodies: []string{`{"role":"Admin"}`}},
	"DELETE /api/orgs/{org}/users/{user}":                         {on: users, bodies: []string{``}},
	"PUT /api/users/{user}":                                       {on: users, bodies: []string{`{"login":"LOGIN","email":"LOGIN@elsewhere"}`}},
	"POST /api/users/{user}/using/{target}":                       {on: users, bodies: []string{``}},
	"DELETE /api/admin/users/{user}":                              {on: anybody, bodies: []string{``}},
	"PUT /api/admin/users/{user}/password":                        {on: anybody, bodies: []string{`{"password":"` + takenPassword + `"}`}},
	"PUT /api/admin/users/{user}/permissions":                     {on: users, bodies: []string{`{"isGrafanaAdmin":true}`, `{"isGrafanaAdmin":false}`}},
	"POST /api/admin/users/{user}/disable":                        {on: users, bodies: []string{``}},
	"POST /api/admin/users/{user}/enable":                         {on: users, bodies: []string{``}},
	"POST /api/admin/users/{user}/logout":                         {on: users, bodies: []string{``}},
	"POST /api/admin/users/{user}/revoke-auth-token":              {on: users, bodies: []string{`{"authTokenId":1}`}},
	"POST /api/teams/{team}/members":                              {on: anybody, team: strongTeam, bodies: []string{`{"userId":ID}`, `{"userId":ID,"permission":4}`}},
	"PUT /api/teams/{team}/members":                               {on: users, team: strongTeam, bodies: []string{`{"members":["LOGIN"]}`, `{"admins":["LOGIN"]}`}},
	"PUT /api/teams/{team}/members/{user}":                        {on: anybody, bodies: []string{`{"permission":4}`}},
	"DELETE /api/teams/{team}/members/{user}":                     {on: anybody, bodies: []string{``}},
	"PATCH /api/serviceaccounts/{id}":                             {on: accounts, bodies: []string{`{"role":"Admin"}`, `{"isDisabled":false}`, `{"isDisabled":true}`}},
	"DELETE /api/serviceaccounts/{id}":                            {on: accounts, bodies: []string{``}},
	"POST /api/serviceaccounts/{id}/tokens":                       {on: accounts, bodies: []string{`{"name":"LOGIN-taken"}`}},
	"POST /api/serviceaccounts/{id}/tokens/{token}/rotate":        {on: accounts, bodies: []string{`{}`}},
	"PATCH /api/serviceaccounts/{id}/tokens/{token}":              {on: accounts, bodies: []string{`{"selfRotate":true,"renewUntil":"SOON"}`, `{"paused":true}`}},
	"PUT /api/access-control/roles/{role}":                        {on: anybody, role: "shared", bodies: []string{`{"name":"shared","permissions":[{"action":"tempo:query","scope":"*"}]}`}},
	"PUT /api/access-control/roles/{role}/assignments":            {on: anybody, role: "strong", also: []hallpass.Action{hallpass.UsersRolesRemove, hallpass.UsersRolesRead, hallpass.TeamsRolesRead}, bodies: []string{`{"users":[ID]}`, `{"service_accounts":[ID]}`, `{"teams":[TEAM]}`}},
	"POST /api/access-control/users/{user}/roles":                 {on: anybody, bodies: []string{`{"roleUid":"strong"}`, `{"roleUid":"everywhere","global":true}`}},
	"PUT /api/access-control/users/{user}/roles":                  {on: anybody, also: []hallpass.Action{hallpass.UsersRolesRemove}, bodies: []string{`{"roleUids":["strong"]}`, `{"roleUids":["everywhere"],"global":true}`, `{"roleUids":[]}`}},
	"DELETE /api/access-control/users/{user}/roles/{role}":        {on: anybody, role: "shared", bodies: []string{``}},
	"POST /api/access-control/teams/{team}/roles":                 {on: anybody, bodies: []string{`{"roleUid":"strong"}`}},
	"PUT /api/access-control/teams/{team}/roles":                  {on: anybody, also: []hallpass.Action{hallpass.TeamsRolesRemove}, bodies: []string{`{"roleUids":["strong"]}`}},
	"POST /api/access-control/builtin-roles":                      {on: anybody, bodies: []string{`{"roleUid":"strong","builtinRole":"None"}`, `{"roleUid":"everywhere","builtinRole":"None","global":true}`}},
	"POST /api/access-control/serviceaccounts/{ref}":              {on: anybody, team: strongAccount, bodies: []string{`{"permissions":[{"userId":ID,"permission":"Admin"}]}`}},
	"POST /api/access-control/serviceaccounts/{ref}/users/{to}":   {on: anybody, team: strongAccount, bodies: []string{`{"permission":"Edit"}`}},
	"POST /api/access-control/serviceaccounts/{ref}/teams/{to}":   {on: anybody, team: strongAccount, bodies: []string{`{"permission":"Admin"}`}},
	"POST /api/access-control/teams/{ref}":                        {on: anybody, team: strongTeam, bodies: []string{`{"permissions":[{"userId":ID,"permission":"Admin"}]}`}},
	"POST /api/access-control/teams/{ref}/users/{to}":             {on: anybody, team: strongTeam, bodies: []string{`{"permission":"Member"}`}},
	"POST /api/access-control/folders/{ref}":                      {on: anybody | few, team: "THING", bodies: []string{`{"permissions":[{"userId":ID,"permission":"Admin"}]}`}},
	"POST /api/access-control/folders/{ref}/users/{to}":           {on: anybody | few, team: "THING", bodies: []string{`{"permission":"View"}`}},
	"POST /api/access-control/folders/{ref}/teams/{to}":           {on: anybody | few, team: "THING", bodies: []string{`{"permission":"Edit"}`}},
	"POST /api/access-control/folders/{ref}/builtInRoles/{to}":    {on: anybody | few, team: "THING", bodies: []string{`{"permission":"Admin"}`}},
	"POST /api/folders/{ref}/permissions":                         {on: anybody | few, team: "THING", bodies: []string{`{"items":[{"userId":ID,"permission":4}]}`}},
	"POST /api/access-control/dashboards/{ref}":                   {on: anybody | few, team: "THING", bodies: []string{`{"permissions":[{"userId":ID,"permission":"Admin"}]}`}},
	"POST /api/access-control/dashboards/{ref}/users/{to}":        {on: anybody | few, team: "THING", bodies: []string{`{"permission":"View"}`}},
	"POST /api/access-control/dashboards/{ref}/teams/{to}":        {on: anybody | few, team: "THING", bodies: []string{`{"permission":"Edit"}`}},
	"POST /api/access-control/dashboards/{ref}/builtInRoles/{to}": {on: anybody | few, team: "THING", bodies: []string{`{"permission":"Admin"}`}},
	"POST /api/dashboards/id/{number}/permissions":                {on: anybody | few, bodies: []string{`{"items":[{"userId":ID,"permission":4}]}`}},
	"POST /api/dashboards/uid/{ref}/permissions":                  {on: anybody | few, team: "THING", bodies: []string{`{"items":[{"userId":ID,"permission":4}]}`}},
}

// touchNobody has the other routes that change something, with the reason why they are not
// attacks. TestNobodyGains tests routes that create something, TestMoveGivesNoPower moves.
var touchNobody = map[string]string{
	"DELETE /api/serviceaccounts/{id}/tokens": "takes", "PUT /api/org/token-policy": "takes", "POST /api/org/token-policy/preview": "looks",
	"PUT /api/attention/{section}/{subject}/snooze":    "puts off what the page of what needs doing says",
	"DELETE /api/attention/{section}/{subject}/snooze": "lets it say it again",
	"POST /api/orgs": "makes", "POST /api/admin/users": "makes", "POST /api/teams": "makes", "POST /api/serviceaccounts": "makes", "POST /api/access-control/roles": "makes",
	"POST /api/folders": "makes", "POST /api/dashboards/db": "makes or moves", "POST /api/dashboards/import": "makes or moves", "POST /api/folders/{folder}/move": "moves",
	"PUT /api/user": "oneself", "PUT /api/user/password": "oneself", "POST /api/user/using/{target}": "oneself", "PUT /api/user/preferences": "oneself",
	"PATCH /api/user/preferences": "oneself", "POST /api/user/revoke-auth-token": "oneself",
	"PUT /api/org": "names", "PUT /api/org/address": "names", "PUT /api/orgs/{org}": "names", "PUT /api/orgs/{org}/address": "names", "PUT /api/teams/{team}": "names",
	"PUT /api/folders/{folder}": "names", "POST /api/teams/{team}/groups": "names: no sign-in reads it",
	"PUT /api/org/preferences": "looks", "PATCH /api/org/preferences": "looks", "PUT /api/teams/{team}/preferences": "looks", "POST /api/dashboards/uid/{dashboard}/restore": "looks",
	"POST /api/dashboards/id/{number}/restore": "looks",
	"DELETE /api/orgs/{org}":                   "takes", "DELETE /api/teams/{team}": "takes", "DELETE /api/teams/{team}/groups": "takes", "DELETE /api/teams/{team}/groups/{group}": "takes",
	"POST /api/serviceaccounts/{id}/tokens/{token}/retire": "takes", "POST /api/serviceaccounts/{id}/tokens/{token}/rotation/extend": "no token is replaced",
	"POST /api/serviceaccounts/{id}/tokens/{token}/rotation/undo": "no token is replaced", "POST /api/tokens/self/rotate": "its own token",
	"DELETE /api/serviceaccounts/{id}/tokens/{token}": "takes", "DELETE /api/access-control/roles/{role}": "takes", "DELETE /api/access-control/teams/{team}/roles/{role}": "takes",
	"DELETE /api/access-control/builtin-roles/{builtin}/roles/{role}": "takes", "DELETE /api/folders/{folder}": "takes", "DELETE /api/dashboards/uid/{dashboard}": "takes",
	"POST /api/access-control/roles/hard-reset": "takes",
	"POST /api/guards":                          "makes", "PUT /api/guards/{guard}": "opens another API: nobody holds more", "DELETE /api/guards/{guard}": "takes", "POST /api/guards/{guard}/test": "reads",
	"POST /api/org/notifications": "tells", "PATCH /api/org/notifications/{channel}": "tells", "DELETE /api/org/notifications/{channel}": "takes",
	"POST /api/org/notifications/{channel}/test": "tells", "POST /api/org/notifications/{channel}/retry": "tells", "POST /api/org/notifications/{channel}/messages/{message}/retry": "tells",
	"POST /api/access-control/users/roles/search": "reads", "POST /api/access-control/teams/roles/search": "reads",
}

// A standing says what a principal holds that is created for an attack.
type standing struct {
	kind     string
	home     hallpass.OrgID // of an account; zero: a user
	roles    map[hallpass.OrgID]hallpass.Role
	given    map[hallpass.OrgID]string // roles by uid; under 0: everywhere
	strong   bool                      // in the strong team
	beside   string                    // the team of another that it is in too
	some     bool                      // stands for others where few do
	admin    bool                      // of the server
	disabled bool
}

type (
	orgRoles = map[hallpass.OrgID]hallpass.Role
	byOrg    = map[hallpass.OrgID]string
)

// standings are the standings of the victims.
var standings = []standing{
	{kind: "orgless-strong", given: byOrg{0: "everywhere"}},
	{kind: "orgless-plain"},
	{kind: "viewer", some: true, roles: orgRoles{1: hallpass.RoleViewer}},
	{kind: "admin", roles: orgRoles{1: hallpass.RoleAdmin}},
	{kind: "many-orgs", roles: orgRoles{1: hallpass.RoleViewer, 2: hallpass.RoleAdmin}},
	{kind: "disabled", roles: orgRoles{1: hallpass.RoleNone}, given: byOrg{0: "everywhere"}, disabled: true},
	{kind: "server-admin", roles: orgRoles{1: hallpass.RoleNone}, admin: true},
	{kind: "disabled-server-admin", admin: true, disabled: true},
	{kind: "custom-elsewhere", roles: orgRoles{1: hallpass.RoleNone, 2: hallpass.RoleNone}, given: byOrg{2: "elsewhere"}},
	{kind: "waiting", some: true, roles: orgRoles{1: hallpass.RoleNone}, given: byOrg{2: "elsewhere"}},
	{kind: "in-team", some: true, roles: orgRoles{1: hallpass.RoleNone}, strong: true},
	{kind: "a-none", some: true, home: 1, roles: orgRoles{1: hallpass.RoleNone}},
	{kind: "a-admin", home: 1, roles: orgRoles{1: hallpass.RoleAdmin}},
	{kind: "a-disabled", home: 1, roles: orgRoles{1: hallpass.RoleAdmin}, disabled: true},
	{kind: "a-custom", home: 1, roles: orgRoles{1: hallpass.RoleNone}, given: byOrg{1: "strong"}},
	{kind: "a-in-team", home: 1, roles: orgRoles{1: hallpass.RoleNone}, strong: true},
	{kind: "a-elsewhere", some: true, home: 2, roles: orgRoles{2: hallpass.RoleAdmin}},
}

// in reports whether the victim is one of those.
func (s standing) in(v victims) bool {
	return (v&few == 0 || s.some) && (s.home == 0 && v&users != 0 || s.home != 0 && v&accounts != 0)
}

// attackers are the kinds of attackers. The action is what the route demands.
var attackers = []struct {
	name   string
	action bool // holds the action everywhere, an account in its org
	header hallpass.OrgID
	standing
	equal bool // stands as the victim does
}{
	{name: "action", action: true, header: 1, standing: standing{roles: orgRoles{1: hallpass.RoleNone}}},
	{name: "action-org2", action: true, header: 2, standing: standing{roles: orgRoles{1: hallpass.RoleNone}}},
	{name: "token", action: true, header: 1, standing: standing{home: 1, roles: orgRoles{1: hallpass.RoleNone}}},
	{name: "admin", header: 1, standing: standing{roles: orgRoles{1: hallpass.RoleAdmin}}},
	{name: "admin-token", header: 1, standing: standing{home: 1, roles: orgRoles{1: hallpass.RoleAdmin}}},
	{name: "equal", action: true, equal: true},
	{name: "server-admin", header: 1, standing: standing{admin: true}},
}

// A party is somebody who was made, with a team, a folder and a dashboard in org 1.
type party struct {
	standing
	actions     []hallpass.Action
	id          int64
	token       int64 // of an account
	login       string
	team, thing string
	dashboard   string // its number
	as          hallpasstest.Credential
}

// An attackWorld has two orgs. In the first are a strong role, which the strong
// team has, and a strong account; in the second another strong role; and one that
// can be given everywhere.
type attackWorld struct {
	t *testing.T
	s *hallpasstest.Server
	n int
}

var sharedRole = hallpass.NamedRole{Org: 1, UID: "shared", Name: "shared", Permissions: []hallpass.Permission{{Action: hallpass.TeamsRead, Scope: "teams:id:999999"}}}

func newAttackWorld(t *testing.T) *attackWorld {
	t.Helper()
	w := &attackWorld{t: t, s: hallpasstest.New(t)}
	otherOrg(t, w.s)
	if path := account(t, w.s, "strong", "Admin"); !strings.HasSuffix(path, "/"+strongAccount) {
		t.Fatalf("the strong account is %s", path)
	}
	w.write(func(tx *store.Tx) error {
		on := func(action hallpass.Action) hallpass.Permission {
			return hallpass.Permission{Action: action, Scope: "*"}
		}
		for _, r := range []hallpass.NamedRole{
			{UID: "everywhere", Permissions: []hallpass.Permission{on(hallpass.UsersRead), on(hallpass.UsersCreate), on(hallpass.OrgsCreate), on("mimir:query")}},
			{UID: "strong", Org: 1, Permissions: []hallpass.Permission{on("loki:query")}},
			{UID: "elsewhere", Org: 2, Permissions: []hallpass.Permission{on("loki:query")}},
			sharedRole,
		} {
			r.Name = r.UID
			if err := tx.CreateRole(r); err != nil {
				return err
			}
		}
		t, err := tx.CreateTeam(hallpass.Team{UID: "strongteam", Org: 1, Name: "strong"})
		if err == nil && number(t.ID) != strongTeam {
			err = fmt.Errorf("the strong team is %d", t.ID)
		}
		return err
	})
	w.reset()
	return w
}

func number[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }

func (w *attackWorld) write(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.s.Store().Write(w.t.Context(), func(tx *store.Tx) error { return fn(tx) }); err != nil {
		w.t.Fatal(err)
	}
}

// reset undoes changes of an attack to things that others use too.
func (w *attackWorld) reset() {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		if err := tx.Change(hallpass.Change{Kind: hallpass.PermissionsChanged}); err != nil {
			return err
		}
		if err := tx.UpdateRole(sharedRole); err != nil {
			return err
		}
		everybody := hallpass.Grantee{Kind: hallpass.ToBasicRole, ID: int64(hallpass.RoleNone)}
		for _, as := range []store.Assignment{{Org: 1, RoleOrg: 1, RoleUID: "strong", To: everybody}, {RoleUID: "everywhere", To: everybody}} {
			if _, err := tx.Unassign(as); err != nil {
				return err
			}
		}
		id, _ := hallpass.ParseID(strongTeam)
		_, err := tx.Assign(store.Assignment{Org: 1, RoleOrg: 1, RoleUID: "strong", To: hallpass.Grantee{Kind: hallpass.ToTeam, ID: id}}, time.Time{})
		return err
	})
}

// party creates a principal with that standing that may do the actions.
func (w *attackWorld) party(st standing, actions ...hallpass.Action) *party {
	w.t.Helper()
	w.n++
	p := &party{standing: st, actions: actions, login: fmt.Sprintf("p%d", w.n), thing: fmt.Sprintf("thing%d", w.n)}
	w.write(func(tx *store.Tx) error {
		make := p.makeUser
		if st.home != 0 {
			make = p.makeAccount
		}
		if err := make(tx, w.s.Clock.Now()); err != nil {
			return err
		}
		return p.furnish(tx)
	})
	return p
}

// twin creates a principal with the standing that p had when it was created.
func (w *attackWorld) twin(p *party) *party {
	w.t.Helper()
	return w.party(p.standing, p.actions...)
}

func (p *party) makeUser(tx *store.Tx, now time.Time) error {
	u, err := tx.CreateUser(hallpass.User{UID: "u" + p.login, Login: p.login, Email: p.login + "@example.com", ServerAdmin: p.admin, Disabled: p.disabled})
	if err != nil {
		return err
	}
	for org, role := range p.roles {
		u.Org = max(u.Org, org)
		if err := tx.SetMember(hallpass.Member{Org: org, User: u, Role: role, JoinedAt: now}); err != nil {
			return err
		}
	}
	if err := tx.UpdateUser(u); err != nil {
		return err
	}
	id := secret.NewSession()
	p.id, p.as = int64(u.ID), func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "grafana_session", Value: id.Reveal()}) }
	_, err = tx.CreateSession(hallpass.Session{User: u.ID, Hash: id.Hash(), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)})
	return err
}

func (p *party) makeAccount(tx *store.Tx, now time.Time) error {
	a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{UID: "a" + p.login, Org: p.home, Name: p.login, Login: p.login, Role: p.roles[p.home], Disabled: p.disabled})
	if err != nil {
		return err
	}
	key := secret.NewToken()
	p.id, p.as = int64(a.ID), hallpasstest.Bearer(key.Reveal())
	t, err := tx.CreateToken(hallpass.Token{Org: p.home, ServiceAccount: a.ID, Name: p.login, Hash: key.Hash(), LastFour: key.LastFour(), CreatedAt: now})
	p.token = int64(t.ID)
	return err
}

// furnish gives p its roles, a team, a folder and a dashboard.
func (p *party) furnish(tx *store.Tx) error {
	to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: p.id}
	assign := func(org hallpass.OrgID, uid string) error {
		as := store.Assignment{Org: org, RoleOrg: org, RoleUID: uid, To: to}
		if org == 0 {
			as.Org = p.home // a user has it everywhere
		}
		_, err := tx.Assign(as, time.Time{})
		return err
	}
	t, err := tx.CreateTeam(hallpass.Team{UID: "t" + p.login, Org: 1, Name: p.login})
	if err != nil {
		return err
	}
	p.team = number(t.ID)
	join := func(id hallpass.TeamID) error {
		_, err := tx.SetTeamMember(1, hallpass.TeamMember{Team: id, Principal: hallpass.PrincipalInfo{Principal: hallpass.Principal{ID: p.id}}})
		return err
	}
	if _, member := p.roles[1]; member {
		err = errors.Join(join(t.ID), assign(1, "shared"))
	}
	if p.strong {
		err = errors.Join(err, join(1))
	}
	if id, beside := hallpass.ParseID(p.beside); beside {
		err = errors.Join(err, join(hallpass.TeamID(id)))
	}
	for org, uid := range p.given {
		err = errors.Join(err, assign(org, uid))
	}
	if len(p.actions) > 0 {
		r := hallpass.NamedRole{UID: "may" + p.login, Name: p.login}
		for _, a := range p.actions {
			r.Permissions = append(r.Permissions, hallpass.Permission{Action: a, Scope: "*"})
		}
		err = errors.Join(err, tx.CreateRole(r), assign(0, r.UID))
	}
	_, noFolder := tx.CreateFolder(hallpass.Folder{UID: p.thing, Org: 1, Title: p.thing})
	d, noDashboard := tx.CreateDashboard(hallpass.Dashboard{UID: p.thing + "d", Org: 1, Title: p.thing, Data: []byte("{}")})
	p.dashboard = number(d.ID)
	return errors.Join(err, noFolder, noDashboard)
}

// powers is what some hold together: "org 1 role" to Admin, say, and under each
// org, 0 being the server, their permissions.
type powers struct {
	everything bool // one is a server admin
	role       map[hallpass.OrgID]hallpass.Role
	held       map[hallpass.OrgID]*hallpass.Permissions
}

// powers returns what the parties hold who are there and not disabled.
func (w *attackWorld) powers(parties ...*party) powers {
	w.t.Helper()
	ctx := w.t.Context()
	all := powers{role: make(map[hallpass.OrgID]hallpass.Role), held: make(map[hallpass.OrgID]*hallpass.Permissions)}
	err := w.s.Store().Read(ctx, func(tx *store.Tx) error {
		for _, p := range parties {
			callers, err := p.callers(tx)
			if err != nil {
				return err
			}
			for _, c := range callers {
				if err := all.add(tx, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (p *party) callers(tx *store.Tx) (list []hallpass.Caller, err error) {
	if p.home != 0 {
		a, err := tx.ServiceAccount(p.home, hallpass.ServiceAccountID(p.id))
		if hallpass.KindOf(err) == hallpass.NotFound || err == nil && a.Disabled {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		c, err := tx.ServiceAccountCaller(a)
		return []hallpass.Caller{c}, err
	}
	u, err := tx.User(hallpass.UserID(p.id))
	if hallpass.KindOf(err) == hallpass.NotFound || err == nil && u.Disabled {
		return nil, nil
	}
	for org := hallpass.OrgID(1); org <= 2 && err == nil; org++ {
		var c hallpass.Caller
		c, err = tx.UserCaller(u, org)
		list = append(list, c)
	}
	return list, err
}

func (a *powers) add(tx *store.Tx, c hallpass.Caller) error {
	a.everything = a.everything || c.ServerAdmin
	a.role[c.Org] = max(a.role[c.Org], c.Role)
	held := c.Permissions.List()
	if !c.OrgMissing {
		grants, err := tx.TreeGrants(c.Org, c.Principal.ID, c.Role)
		if err != nil {
			return err
		}
		for _, g := range grants {
			held = append(held, g.Permissions()...)
		}
	}
	for org, list := range map[hallpass.OrgID][]hallpass.Permission{c.Org: held, 0: c.Server.List()} {
		if a.held[org] == nil {
			a.held[org] = hallpass.NewPermissions()
		}
		a.held[org] = a.held[org].With(list...)
	}
	return nil
}

// beyond says what is in a and not in b; empty: nothing. It ignores that a principal is in
// the team that was created for it, because each has another team.
func (a powers) beyond(b powers) string {
	if b.everything {
		return ""
	}
	if a.everything {
		return "the server admin's power"
	}
	for org, role := range a.role {
		if role > b.role[org] {
			return fmt.Sprintf("the role %s in org %d", role, org)
		}
	}
	for org, held := range a.held {
		for _, p := range held.List() {
			own := p.Action == hallpass.TeamsRead && strings.HasPrefix(string(p.Scope), "teams:id:") && p.Scope != "teams:id:"+strongTeam
			if !own && !b.held[org].Has(p) {
				return fmt.Sprintf("%s in org %d", p, org)
			}
		}
	}
	return ""
}

// try makes one call of by against the victim and returns its status. It fails the test if
// by holds more afterwards: itself, by signing in as the victim, or together with the
// victim.
func (w *attackWorld) try(pattern, body string, a attack, by, victim *party, header hallpass.OrgID) int {
	w.t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	fill := strings.NewReplacer("SOON", time.Now().UTC().Add(24*time.Hour).Format(time.RFC3339), "LOGIN", victim.login, "ID", number(victim.id), "TEAM", victim.team)
	team := a.team
	if team == "" {
		team = victim.team
	}
	if team == "THING" {
		team = victim.thing
	}
	if strings.Contains(path, "dashboards") {
		team += "d"
	}
	to := number(victim.id)
	if strings.Contains(path, "/teams/{to}") {
		to = victim.team
	} else if strings.Contains(path, "/builtInRoles/") {
		to = "Viewer"
	}
	path = strings.NewReplacer("{user}", number(victim.id), "{id}", number(victim.id), "{token}", number(victim.token), "{to}", to, "{team}", team, "{ref}", team, "{role}", a.role, "{number}", victim.dashboard, "{org}", "2", "{target}", "2").Replace(path)
	r := w.s.Do(by.as, method, path, fill.Replace(body), "X-Grafana-Org-Id: "+number(header))
	if r.StatusCode >= 500 {
		w.t.Errorf("%s by %s: %d %s", pattern, by.kind, r.StatusCode, r.Text)
	}
	if r.StatusCode >= 300 {
		return r.StatusCode
	}
	if by.admin { // holds everything already
		w.reset()
		return r.StatusCode
	}
	theirs := []*party{by}
	if w.signsIn(r, victim) {
		theirs = append(theirs, victim)
	}
	alone, allied := w.powers(theirs...), w.powers(by, victim)
	w.reset()
	was, other := w.twin(by), w.twin(victim)
	if more := alone.beyond(w.powers(was)); more != "" {
		w.t.Errorf("%s %s by %s on %s gave %s", pattern, body, by.kind, victim.kind, more)
	}
	if more := allied.beyond(w.powers(was, other)); more != "" {
		w.t.Errorf("%s %s by %s gave them and %s %s", pattern, body, by.kind, victim.kind, more)
	}
	return r.StatusCode
}

// signsIn reports whether one can sign in as the victim with what was sent or answered.
func (w *attackWorld) signsIn(r hallpasstest.Response, victim *party) bool {
	w.t.Helper()
	var answer struct{ Key string }
	if err := json.Unmarshal([]byte(r.Text), &answer); err == nil && answer.Key != "" {
		return w.s.Do(hallpasstest.Bearer(answer.Key), "GET", "/api/login/ping", "").StatusCode == http.StatusOK
	}
	if strings.HasSuffix(r.Request.URL.Path, "/password") {
		return w.s.Do(hallpasstest.Basic(victim.login, takenPassword), "GET", "/api/login/ping", "").StatusCode == http.StatusOK
	}
	return false
}

// TestRoutesThatTouchOthers fails for a new route that changes something, until it is listed
// in attacks or in touchNobody.
func TestRoutesThatTouchOthers(t *testing.T) {
	known := len(attacks) + len(touchNobody)
	for _, pattern := range api.Patterns() {
		method, _, named := strings.Cut(pattern, " ")
		if !named || method == http.MethodGet {
			continue
		}
		_, attacked := attacks[pattern]
		if attacked == (touchNobody[pattern] != "") {
			t.Errorf("%s must stand either in attacks or in touchNobody", pattern)
		}
		known--
	}
	if known != 0 {
		t.Errorf("%d routes are told that are not there", known)
	}
}

// TestNobodyIsTakenOver tries every route that changes another principal on every kind of
// victim, by every kind of attacker. No attacker holds more than before, and the answers
// are those of a golden file that was reviewed.
func TestNobodyIsTakenOver(t *testing.T) {
	demanded := api.Demanded()
	w := newAttackWorld(t)
	var b strings.Builder
	tried := 0
	for _, pattern := range slices.Sorted(maps.Keys(attacks)) {
		action, known := demanded[pattern]
		if !known {
			t.Fatalf("there is no %s", pattern)
		}
		a := attacks[pattern]
		actions := append([]hallpass.Action{action}, a.also...)
		for _, body := range a.bodies {
			fmt.Fprintf(&b, "%s %s\n", pattern, body)
			there := make(map[string]*party) // victims that no attack has changed
			for _, at := range attackers {
				fmt.Fprintf(&b, "    %s:", at.name)
				at.kind = at.name
				var by *party
				for _, st := range append([]standing{{kind: "oneself"}}, standings...) {
					oneself := st.kind == "oneself"
					if oneself && (at.equal || !at.standing.in(a.on&^few)) || !oneself && !st.in(a.on) {
						continue
					}
					if tried++; tried%attackEvery != 0 {
						continue
					}
					victim := there[st.kind]
					if victim == nil && !oneself {
						victim = w.party(st)
						there[st.kind] = victim
					}
					if at.equal {
						by, at.standing, at.header = nil, st, max(st.home, 1)
						at.kind, at.home, at.disabled = "equal", 0, false
						if _, member := st.roles[1]; member {
							at.beside = victim.team
						}
					}
					if by == nil && at.action {
						by = w.party(at.standing, actions...)
					} else if by == nil {
						by = w.party(at.standing)
					}
					if oneself {
						victim = by
					}
					status := w.try(pattern, body, a, by, victim, at.header)
					fmt.Fprintf(&b, " %s=%d", st.kind, status)
					if oneself {
						by = nil
					}
					if status < 300 {
						delete(there, st.kind)
					}
				}
				b.WriteByte('\n')
			}
		}
	}
	if attackEvery > 1 {
		return
	}
	holdGolden(t, "takeover.golden", "the table of attacks", b.String())
}
