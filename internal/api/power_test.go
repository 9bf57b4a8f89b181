package api_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestRoutesAskAsTheTableTells compares the table of actions with the routes. The table says
// whether an action is demanded of service accounts, only of users, on the server, or by no
// route.
func TestRoutesAskAsTheTableTells(t *testing.T) {
	asked := map[hallpass.Action]hallpass.Usability{hallpass.TokensIntrospect: hallpass.UsableByAll} // the guard's door asks for it
	for _, r := range api.Rules() {
		how := hallpass.UsableByAll
		switch {
		case r.Server:
			how = hallpass.UsableOnServer
		case r.Users:
			how = hallpass.UsableByUsers
		}
		if now, ok := asked[r.Action]; !ok || how < now {
			asked[r.Action] = how // what all can use tells
		}
	}
	for _, row := range hallpass.Actions() {
		first, _ := row.Action.Info()
		if first.Words() == row.Words() && row.Usable != asked[row.Action] && row.Action != hallpass.DashboardsCreate {
			t.Errorf("the table says of %s that it is asked as %d, and the routes ask as %d", row.Action, row.Usable, asked[row.Action])
		}
	}
	for action := range asked {
		if action != "" && action.Foreign() {
			t.Errorf("a route asks for %s, which the table does not hold", action)
		}
	}
}

// world has one of everything, and an account with random permissions.
type world struct {
	targets
	*hallpasstest.Server
	self   string // its account
	bearer hallpasstest.Credential
	asked  map[hallpass.Permission]bool // of explain, and its answers
	held   []hallpass.Permission        // by its role
}

// newWorld creates an account that has the permissions by a role, and access to the folder
// and the other account as the seed decides.
func newWorld(t *testing.T, s *hallpasstest.Server, things targets, seed uint64) world {
	t.Helper()
	w := world{targets: things, Server: s, asked: make(map[hallpass.Permission]bool)}
	rng := rand.New(rand.NewPCG(seed, 3)) // #nosec G404 -- a test must be the same each time
	rows := hallpass.Actions()
	for range 1 + rng.IntN(12) {
		row := rows[rng.IntN(len(rows))]
		w.held = append(w.held, hallpass.Permission{Action: row.Action, Scope: w.scope(rng, row)})
	}
	ctx := t.Context()
	name := fmt.Sprintf("world-%d", seed)
	path := account(t, s, name, "None")
	w.self = path[strings.LastIndexByte(path, '/')+1:]
	w.bearer = hallpasstest.Bearer(token(t, s, path, name)) // created before the account holds more than an admin may give
	id, _ := hallpass.ParseID(w.self)
	err := s.Store().Write(ctx, func(tx *store.Tx) error {
		if err := tx.Change(hallpass.Change{Kind: hallpass.ServiceAccountChanged, ID: id}); err != nil {
			return err
		}
		to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: id}
		if rng.IntN(3) == 0 {
			levels := hallpass.FolderResource.Levels()
			g := hallpass.Grant{Org: 1, Resource: hallpass.FolderResource, ResourceID: things.folder, To: to, Level: levels[rng.IntN(len(levels))]}
			if err := tx.SetGrant(g); err != nil {
				return err
			}
		}
		if rng.IntN(4) == 0 {
			g := hallpass.Grant{Org: 1, Resource: hallpass.ServiceAccountResource, ResourceID: things.account, To: to, Level: hallpass.LevelEdit}
			if err := tx.SetGrant(g); err != nil {
				return err
			}
		}
		if err := tx.CreateRole(hallpass.NamedRole{Org: 1, UID: name, Name: name, Permissions: w.held}); err != nil {
			return err
		}
		_, err := tx.Assign(store.Assignment{Org: 1, To: to, RoleOrg: 1, RoleUID: name}, s.Clock.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// scope makes up a scope for the action: everything, a thing that exists, a thing that does
// not exist, or a scope that has no meaning for the action.
func (w world) scope(rng *rand.Rand, row hallpass.ActionInfo) hallpass.Scope {
	scopes := append([]hallpass.Scope{"*", "", "things:id:1"}, row.Scopes...)
	for _, kind := range row.Scopes {
		if id := w.id(kind); id != "" {
			one := hallpass.Scope(strings.TrimSuffix(string(kind), "*"))
			scopes = append(scopes, one+hallpass.Scope(id), one+hallpass.Scope(id), one+"999")
		}
	}
	return scopes[rng.IntN(len(scopes))]
}

// id returns the ID of the one thing of the kind; empty when there is none.
func (w world) id(kind hallpass.Scope) string {
	return map[hallpass.Scope]string{
		"serviceaccounts:id:*": w.account, "users:id:*": w.user, "teams:id:*": w.team, "roles:uid:*": w.role, "folders:uid:*": w.folder,
		"dashboards:uid:*": w.dashboard,
	}[kind]
}

// demanded returns the scope on which a route demands its action: the scope of the thing in
// its path to which the action is done.
func (w world) demanded(r api.Rule) hallpass.Scope {
	row, _ := r.Action.Info()
	for _, kind := range row.Scopes {
		noun, _, _ := strings.Cut(string(kind), ":")
		part := map[string]string{"serviceaccounts": "{id}", "users": "{user}", "teams": "{team}", "roles": "{role}", "folders": "{folder}", "dashboards": "{dashboard}"}[noun]
		named := part != "" && strings.Contains(r.Pattern, part) || strings.Contains(r.Pattern, "/"+noun+"/{ref}") || strings.Contains(r.Pattern, "/"+noun+"/id/{number}") || noun == "dashboards" && strings.Contains(r.Pattern, "/uid/{ref}")
		if named && w.id(kind) != "" {
			return hallpass.Scope(strings.TrimSuffix(string(kind), "*") + w.id(kind))
		}
	}
	switch {
	case r.Pattern == "POST /api/folders":
		return hallpass.FolderResource.Scope(hallpass.RootFolder)
	case strings.HasSuffix(r.Pattern, "/users/permissions/search"):
		return "users:*"
	}
	return ""
}

// several are the routes whose answer does not depend on one permission alone: it also
// depends on the body, on what the caller may see, or on a second action.
var several = []string{
	"POST /api/dashboards/db", "POST /api/dashboards/import", "GET /api/dashboards/home", "GET /api/dashboards/tags", "GET /api/search", "GET /api/folders",
	"POST /api/folders/{folder}/move", "POST /api/folders/{ref}/permissions", "POST /api/dashboards/uid/{ref}/permissions",
	"POST /api/dashboards/id/{number}/permissions",
	"GET /api/access-control/roles/{role}/assignments", "DELETE /api/access-control/builtin-roles/{builtin}/roles/{role}",
	"GET /api/org/invites", "GET /api/tokens/{token}", "PUT /api/attention/{section}/{subject}/snooze", "DELETE /api/attention/{section}/{subject}/snooze",
}

// TestPowerIsWhatRoutesAnswer makes up accounts and calls every route with a token of each.
// When a route admits the token, the sentence about the token names its action. When the
// sentence names an action on everything, a route admits the token. Explain says of each
// demand what the route does.
func TestPowerIsWhatRoutesAnswer(t *testing.T) {
	s := hallpasstest.New(t)
	things := weakThings(t, s, 0)
	in, out := 0, 0
	for seed := range uint64(8) {
		w := newWorld(t, s, things, seed)
		tell := w.power(t)
		let, asked, gone := make(map[hallpass.Action]bool), make(map[hallpass.Action]bool), false
		for _, r := range deletesLast(api.Rules()) {
			method, route, ok := strings.Cut(r.Pattern, " ")
			row, _ := r.Action.Info()
			elsewhere := (r.Users || r.Server) && row.Usable == hallpass.UsableByAll // the same action is demanded in two places
			if !ok || r.Action == "" || elsewhere || slices.Contains(several, r.Pattern) {
				continue
			}
			scope := w.demanded(r)
			explained := w.explain(t, r.Action, scope)
			status, given := w.call(method, route)
			may := status != 403 || given
			if may != explained && (!may || status < 300 || given) { // a route may refuse the input before the caller
				t.Errorf("seed %d: %s answers %d, and explain says of %s on %q: %v (held %v)", seed, r.Pattern, status, r.Action, scope, explained, w.held)
			}
			if may && !said(tell, r.Action, false) {
				t.Errorf("seed %d: %s answers %d, and of the token it is said: %s (held %v)", seed, r.Pattern, status, tell.Sentences("It"), w.held)
			}
			let[r.Action], asked[r.Action] = let[r.Action] || may, true
			gone = gone || method == "DELETE" && status < 300
			if may {
				in++
			} else {
				out++
			}
		}
		for action := range asked {
			if said(tell, action, true) && !let[action] {
				t.Errorf("seed %d: no route lets the token do %s, and of it is said: %s (held %v)", seed, action, tell.Sentences("It"), w.held)
			}
		}
		if gone {
			things = weakThings(t, s, int(seed)+1)
		}
	}
	if in < 50 || out < 300 {
		t.Errorf("%d calls were let in and %d were not: the test sees too little of one", in, out)
	}
}

// weakThings creates one of everything that a path can name, without any permissions, so
// that no route refuses because of permissions that a caller would give or take.
func weakThings(t *testing.T, s *hallpasstest.Server, n int) targets {
	t.Helper()
	out := newTargets(t, s, 100+n, "")
	for _, path := range []string{"users/" + out.user, "teams/" + out.team} {
		r := s.Do(hallpasstest.Admin, "DELETE", "/api/access-control/"+path+"/roles/"+out.role, "")
		expect(t, "take the role", r, 200)
	}
	name := fmt.Sprintf("weak-%d", n)
	none := account(t, s, name, "None")
	out.account, out.role, out.org = none[strings.LastIndexByte(none, '/')+1:], name, "1"
	expect(t, "a role", s.Do(hallpasstest.Admin, "POST", "/api/access-control/roles", `{"uid":"`+name+`","name":"`+name+`","permissions":[]}`), 201)
	s.UserIn("user-"+name, hallpass.RoleNone, hallpass.FirstOrg)
	var user struct{ ID int64 }
	into(t, s.Do(hallpasstest.Admin, "GET", "/api/users/lookup?loginOrEmail=user-"+name, ""), &user)
	out.user = strconv.FormatInt(user.ID, 10)
	return out
}

func deletesLast(rules []api.Rule) []api.Rule {
	slices.SortStableFunc(rules, func(a, b api.Rule) int {
		return len(strings.TrimPrefix(b.Pattern, "DELETE")) - len(b.Pattern) - len(strings.TrimPrefix(a.Pattern, "DELETE")) + len(a.Pattern)
	})
	return rules
}

// call calls the route with the world's token. given reports that the caller was admitted
// and then refused, because the call would give permissions that the caller does not hold.
func (w world) call(method, route string) (status int, given bool) {
	body := ""
	if method == "POST" || method == "PUT" || method == "PATCH" {
		body = `{"unknown":1}`
	}
	path := w.fill(route)
	if strings.HasSuffix(path, "/events") {
		path = strings.Replace(path, "/"+w.targets.token+"/", "/999999/", 1)
	}
	r := w.Do(w.bearer, method, path, body)
	return r.StatusCode, strings.Contains(r.Text, `"messageId":"accesscontrol.delegation"`)
}

// explain asks, as an admin, for an explanation about the world's account.
func (w world) explain(t *testing.T, action hallpass.Action, scope hallpass.Scope) bool {
	t.Helper()
	p := hallpass.Permission{Action: action, Scope: scope}
	if allowed, ok := w.asked[p]; ok {
		return allowed
	}
	q := url.Values{"principal": {"serviceaccount:" + w.self}, "action": {string(action)}, "scope": {string(scope)}}
	var e struct {
		Allowed bool
		Via     []any
	}
	into(t, w.Do(hallpasstest.Admin, "GET", "/api/access-control/explain?"+q.Encode(), ""), &e)
	if e.Allowed != (len(e.Via) > 0) {
		t.Errorf("explain of %s on %q says %v by %v", action, scope, e.Allowed, e.Via)
	}
	w.asked[p] = e.Allowed
	return e.Allowed
}

// power returns what the console says about the world's token.
func (w world) power(t *testing.T) hallpass.Power {
	t.Helper()
	var held []struct{ Action, Scope string }
	into(t, w.Do(hallpasstest.Admin, "GET", "/api/access-control/users/"+w.self+"/permissions", ""), &held)
	var list []hallpass.Permission
	for _, h := range held {
		list = append(list, hallpass.Permission{Action: hallpass.Action(h.Action), Scope: hallpass.Scope(h.Scope)})
	}
	return hallpass.NewPermissions(list...).Power(hallpass.ServiceAccountPrincipal, nil)
}

// said reports whether the sentence names the action, in words or by its name. With fully
// it must name it on everything.
func said(p hallpass.Power, a hallpass.Action, fully bool) bool {
	if !fully && (slices.Contains(p.NoEffect, a) || slices.Contains(p.Foreign, a)) {
		return true
	}
	row, _ := a.Info()
	return slices.ContainsFunc(p.Can, func(clause string) bool {
		if fully && strings.Contains(clause, "(only ") {
			return false
		}
		things := map[hallpass.Area]string{
			hallpass.AreaAccounts: "service accounts", hallpass.AreaMembers: "members", hallpass.AreaTeams: "teams", hallpass.AreaRoles: "roles and who",
			hallpass.AreaOrganization: "the organization", hallpass.AreaFolders: "folders", hallpass.AreaDashboards: "dashboards",
		}[row.Area]
		if strings.HasPrefix(clause, "do everything with") && things != "" && strings.Contains(clause, things) {
			return true
		}
		at := regexp.MustCompile(`(?:^|, |and |\b[a-z]+ )` + regexp.QuoteMeta(row.Object) + `(?:$|, | and | \()`).FindStringIndex(clause)
		if at == nil || strings.HasPrefix(clause[at[0]:], "of ") || strings.HasPrefix(clause[at[0]:], "use ") {
			return false
		}
		for verb := range strings.SplitSeq(row.Verb, " and ") {
			if !slices.Contains(strings.FieldsFunc(clause[:at[1]], func(r rune) bool { return r == ' ' || r == ',' }), strings.Fields(verb)[0]) {
				return false
			}
		}
		return true
	})
}
