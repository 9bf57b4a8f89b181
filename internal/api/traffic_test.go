package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// The recorded calls of the Terraform provider for each of its resources, without the zero
// values in bodies. The provider accepts one status for each call. It must read what it
// posted, or it would change it again on every run.

// terraformHeaders come with each of its calls.
var terraformHeaders = []string{
	"User-Agent: Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-grafana/4.5.0", "Grafana-Terraform-Provider: true",
	"Grafana-Terraform-Provider-Version: 4.5.0",
}

// A resource is one block of a Terraform configuration.
type resource struct {
	name    string
	server  bool           // of the server as a whole: a token cannot manage it
	create  func(*session) // keeps the ids that the rest needs
	made    func(*session) // the plan after: all is as it was posted
	update  func(*session)
	updated func(*session)
	destroy func(*session)
	gone    func(*session) // what a read finds then
}

func calls(steps ...step) func(*session) {
	return func(x *session) {
		x.t.Helper()
		x.run(steps...)
	}
}

// reads makes calls of GET, each with what it must find.
func reads(pairs ...string) func(*session) {
	return func(x *session) {
		x.t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			x.run(step{"GET", pairs[i], "", 200, pairs[i+1], ""})
		}
	}
}

func missing(path string) func(*session) { return calls(step{"GET", path, "", 404, "", ""}) }

func both(list ...func(*session)) func(*session) {
	return func(x *session) {
		x.t.Helper()
		for _, f := range list {
			f(x)
		}
	}
}

func sets(path string, want ...string) func(*session) {
	return func(x *session) {
		x.t.Helper()
		x.setPermissions(path, want...)
	}
}

func given(path string, want ...string) func(*session) {
	return func(x *session) {
		x.t.Helper()
		x.managed(path, want...)
	}
}

// listed reads a list and demands that the fields of its rows are these;
// the admin's own row is passed over, as the provider does.
func listed(path, fields string, want ...string) func(*session) {
	return func(x *session) {
		x.t.Helper()
		text := x.do(step{"GET", path, "", 200, "@ list", ""})
		got, expected := []string{}, []string{}
		for _, row := range parse(x.t, text).([]any) {
			m := row.(map[string]any)
			if m["email"] == "admin@localhost" {
				continue
			}
			var values []string
			for _, f := range strings.Fields(fields) {
				values = append(values, fmt.Sprint(m[f]))
			}
			got = append(got, strings.Join(values, " "))
		}
		for _, w := range want {
			expected = append(expected, x.fill(w))
		}
		slices.Sort(got)
		slices.Sort(expected)
		if d := cmp.Diff(expected, got); d != "" {
			x.t.Errorf("GET %s: wanted, listed:\n%s", x.fill(path), d)
		}
	}
}

// dashboardReads demands a dashboard as it was posted, in the folder.
func dashboardReads(uid, folder, posted string) func(*session) {
	return func(x *session) {
		x.t.Helper()
		x.run(step{"GET", "/api/dashboards/uid/" + uid, "", 200, `meta.folderUid "` + folder + `"; meta.url string; dashboard.version number`, ""})
		x.same(uid, posted)
	}
}

// configuration is a whole configuration, each resource after those that it needs. The
// users <u> and <v> and the team <crew> exist before, because a token cannot create users.
func configuration() []resource {
	const (
		classic  = `{"title":"Requests","uid":"requests","schemaVersion":39,"panels":[{"id":1,"type":"stat","gridPos":{"h":8,"w":12,"x":0,"y":0}}],"tags":["tf"]}`
		classic2 = `{"title":"Requests, all","uid":"requests","schemaVersion":39,"tags":[]}`
		k8s      = `{"apiVersion":"dashboard.grafana.app/v1beta1","kind":"Dashboard","metadata":{"name":"cubed"},"spec":{"title":"Cubed","panels":[]}}`
		k8s2     = `{"apiVersion":"dashboard.grafana.app/v1beta1","kind":"Dashboard","metadata":{"name":"cubed"},"spec":{"title":"Cubed","panels":[{"id":1}]}}`
		saPath   = "/api/access-control/serviceaccounts/<sa>"
		sa2Path  = "/api/access-control/serviceaccounts/<sa2>"
		fPath    = "/api/access-control/folders/top"
		f2Path   = "/api/access-control/folders/inner"
		dPath    = "/api/access-control/dashboards/requests"
		d2Path   = "/api/access-control/dashboards/cubed"
		rolePath = "/api/access-control/roles/deployer"
		zero     = `"created":"0001-01-01T00:00:00.000Z","updated":"0001-01-01T00:00:00.000Z"`
	)
	item := func(kind, path, target, level, level2 string) resource {
		as := map[string]string{"users": "userId=", "teams": "teamId=", "builtInRoles": "builtInRole="}
		parts := strings.Split(target, "/")
		who := as[parts[0]] + parts[1]
		return resource{
			name:   kind,
			create: calls(step{"POST", path + "/" + target, `{"permission":"` + level + `"}`, 200, "", ""}),
			made:   reads(path, "["+who+"].permission \""+level+"\"; ["+who+"].isManaged true; ["+who+"].isInherited false"),
			update: calls(step{"POST", path + "/" + target, `{"permission":"` + level2 + `"}`, 200, "", ""}), updated: reads(path, "["+who+"].permission \""+level2+`"`),
			destroy: calls(step{"POST", path + "/" + target, `{}`, 200, "", ""}), gone: reads(path, "["+who+"] absent"),
		}
	}
	bulk := func(kind, path, low string, roles bool) resource {
		first := []string{`"userId":<u> Edit`, `"userId":<sa> ` + low, `"teamId":<crew> ` + low}
		want := []string{"userId=<u> Edit", "userId=<sa> " + low, "teamId=<crew> " + low}
		if roles {
			first, want = append(first, `"builtInRole":"Viewer" View`, `"builtInRole":"Editor" Edit`), append(want, "builtInRole=Viewer View", "builtInRole=Editor Edit")
		}
		return resource{
			name: kind, create: sets(path, first...), made: given(path, want...), update: sets(path, `"userId":<v> Admin`), updated: given(path, "userId=<v> Admin"),
			destroy: sets(path), gone: given(path),
		}
	}
	return []resource{
		{
			name: "grafana_user", server: true,
			create:  calls(step{"POST", "/api/admin/users", `{"email":"Tess@Example.com","login":"tess","name":"Tess","password":"violet lamps hum at noon"}`, 200, "id number", "tess=id"}),
			made:    reads("/api/users/<tess>", `id <tess>; email "Tess@Example.com"; login "tess"; name "Tess"; isGrafanaAdmin false`),
			update:  calls(step{"PUT", "/api/users/<tess>", `{"email":"tess@example.com","login":"tess2"}`, 200, "", ""}, step{"PUT", "/api/admin/users/<tess>/password", `{"password":"other lamps hum at noon"}`, 200, "", ""}, step{"PUT", "/api/admin/users/<tess>/permissions", `{"isGrafanaAdmin":true}`, 200, "", ""}),
			updated: reads("/api/users/<tess>", `email "tess@example.com"; login "tess2"; isGrafanaAdmin true`),
			destroy: calls(step{"DELETE", "/api/admin/users/<tess>", "", 200, "", ""}), gone: missing("/api/users/<tess>"),
		},
		{
			name: "grafana_organization", server: true,
			create: calls(
				step{"POST", "/api/orgs", `{"name":"Branch"}`, 200, "orgId number", "branch=orgId"}, step{"GET", "/api/users?page=1&perpage=1000", "", 200, "[id=<u>].email string", ""},
				step{"POST", "/api/orgs/<branch>/users", `{"loginOrEmail":"u@example.com","role":"None"}`, 200, "", ""},
				step{"POST", "/api/orgs/<branch>/users", `{"loginOrEmail":"v@example.com","role":"Editor"}`, 200, "", ""},
				step{"POST", "/api/orgs/<branch>/users", `{"loginOrEmail":"v@example.com","role":"Editor"}`, 409, "", ""},
			),
			made: both(reads("/api/orgs/<branch>", `id <branch>; name "Branch"`), listed("/api/orgs/<branch>/users", "email role", "u@example.com None", "v@example.com Editor")),
			update: calls(
				step{"PUT", "/api/orgs/<branch>", `{"name":"Branch Two"}`, 200, "", ""}, step{"PATCH", "/api/orgs/<branch>/users/<u>", `{"role":"Admin"}`, 200, "", ""},
				step{"DELETE", "/api/orgs/<branch>/users/<v>", "", 200, "", ""},
			),
			updated: both(reads("/api/orgs/<branch>", `name "Branch Two"`), listed("/api/orgs/<branch>/users", "email role", "u@example.com Admin")),
			destroy: calls(step{"DELETE", "/api/orgs/<branch>", "", 200, "", ""}), gone: missing("/api/orgs/<branch>"),
		},
		{
			name:    "grafana_organization_preferences",
			create:  calls(step{"PUT", "/api/org/preferences", `{"theme":"light","timezone":"utc","weekStart":"sunday"}`, 200, "", ""}),
			made:    reads("/api/org/preferences", `theme "light"; timezone "utc"; weekStart "sunday"`),
			update:  calls(step{"PUT", "/api/org/preferences", `{"theme":"dark"}`, 200, "", ""}),
			updated: both(reads("/api/org/preferences", `theme "dark"`), func(x *session) { x.cleared("/api/org/preferences", "timezone", "weekStart") }),
			destroy: calls(step{"PUT", "/api/org/preferences", `{}`, 200, "", ""}),
			gone: func(x *session) {
				x.cleared("/api/org/preferences", "theme", "timezone", "weekStart", "homeDashboardUID")
			},
		},
		{
			name:    "grafana_service_account",
			create:  calls(step{"POST", "/api/serviceaccounts", `{"name":"tf","role":"Editor"}`, 201, "id number; orgId 1", "sa=id"}),
			made:    reads("/api/serviceaccounts/<sa>", `id <sa>; orgId 1; name "tf"; role "Editor"; isDisabled false`),
			update:  calls(step{"PATCH", "/api/serviceaccounts/<sa>", `{"name":"tf renamed","role":"None","isDisabled":true}`, 200, "", ""}),
			updated: reads("/api/serviceaccounts/<sa>", `id <sa>; name "tf renamed"; role "None"; isDisabled true`),
			destroy: calls(step{"DELETE", "/api/serviceaccounts/<sa>", "", 200, "", ""}), gone: missing("/api/serviceaccounts/<sa>"),
		},
		{
			name:    "grafana_service_account.disabled",
			create:  calls(step{"POST", "/api/serviceaccounts", `{"name":"tf two","role":"None","isDisabled":true}`, 201, "id number", "sa2=id"}),
			made:    reads("/api/serviceaccounts/<sa2>", `id <sa2>; name "tf two"; role "None"; isDisabled true`),
			update:  calls(step{"PATCH", "/api/serviceaccounts/<sa2>", `{"name":"tf two","role":"Viewer","isDisabled":false}`, 200, "", ""}),
			updated: reads("/api/serviceaccounts/<sa2>", `role "Viewer"; isDisabled false`),
			destroy: calls(step{"DELETE", "/api/serviceaccounts/<sa2>", "", 200, "", ""}), gone: missing("/api/serviceaccounts/<sa2>"),
		},
		tokenResource("grafana_service_account_token", "<sa>", "key", ``, "null"),
		tokenResource("grafana_service_account_token.hour", "<sa>", "hour", `,"secondsToLive":3600`, "string"),
		tokenResource("grafana_service_account_rotating_token", "<sa2>", "rotating-1", `,"secondsToLive":604800`, "string"),
		bulk("grafana_service_account_permission", saPath, "Edit", false),
		item("grafana_service_account_permission_item.user", sa2Path, "users/<u>", "Edit", "Admin"),
		item("grafana_service_account_permission_item.team", sa2Path, "teams/<crew>", "Admin", "Edit"),
		{
			name: "grafana_team",
			create: calls(
				step{"POST", "/api/teams", `{"name":"tf team","email":"t@example.com"}`, 200, "teamId number", "team=teamId"},
				step{"PUT", "/api/teams/<team>/preferences", `{"theme":"dark","weekStart":"monday"}`, 200, "", ""},
				step{"GET", "/api/org/users", "", 200, "[email=u@example.com].userId <u>; [email=v@example.com].userId <v>", ""},
				step{"POST", "/api/teams/<team>/members", `{"userId":<u>}`, 200, "", ""}, step{"POST", "/api/teams/<team>/members", `{"userId":<v>}`, 200, "", ""},
				step{"PUT", "/api/teams/<team>/members/<v>", `{"permission":4}`, 200, "", ""},
			),
			made: both(
				reads("/api/teams/<team>", `id <team>; uid string; orgId 1; name "tf team"; email "t@example.com"; memberCount number`, "/api/teams/<team>/preferences", `theme "dark"; weekStart "monday"`),
				listed("/api/teams/<team>/members", "userId email permission labels", "<u> u@example.com 0 []", "<v> v@example.com 4 []"),
			),
			update: calls(
				step{"PUT", "/api/teams/<team>", `{"name":"tf team two"}`, 200, "", ""}, step{"PUT", "/api/teams/<team>/preferences", `{}`, 200, "", ""},
				step{"DELETE", "/api/teams/<team>/members/<u>", "", 200, "", ""}, step{"PUT", "/api/teams/<team>/members/<v>", `{}`, 200, "", ""},
			),
			updated: both(
				reads("/api/teams/<team>", `name "tf team two"; email ""`), listed("/api/teams/<team>/members", "userId permission", "<v> 0"),
				func(x *session) { x.cleared("/api/teams/<team>/preferences", "theme", "weekStart") },
			),
			destroy: calls(step{"DELETE", "/api/teams/<team>", "", 200, "", ""}), gone: missing("/api/teams/<team>"),
		},
		{
			name:   "grafana_team_external_group",
			create: calls(step{"POST", "/api/teams/<crew>/groups", `{"groupId":"cn=a,dc=b"}`, 200, "", ""}, step{"POST", "/api/teams/<crew>/groups", `{"groupId":"plain"}`, 200, "", ""}),
			made:   listed("/api/teams/<crew>/groups", "groupId", "cn=a,dc=b", "plain"),
			update: calls(
				step{"DELETE", "/api/teams/<crew>/groups?groupId=cn%3Da%2Cdc%3Db", "", 200, "", ""}, step{"POST", "/api/teams/<crew>/groups", `{"groupId":"more"}`, 200, "", ""},
			),
			updated: listed("/api/teams/<crew>/groups", "groupId", "more", "plain"),
			destroy: calls(step{"DELETE", "/api/teams/<crew>/groups?groupId=more", "", 200, "", ""}, step{"DELETE", "/api/teams/<crew>/groups?groupId=plain", "", 200, "", ""}),
			gone:    listed("/api/teams/<crew>/groups", "groupId"),
		},
		{
			name:    "grafana_folder",
			create:  calls(step{"POST", "/api/folders", `{"title":"Top","uid":"top"}`, 200, `id number; uid "top"`, "born=created"}),
			made:    both(reads("/api/folders/top", `id number; uid "top"; title "Top"; url "/dashboards/f/top/top"`), func(x *session) { x.cleared("/api/folders/top", "parentUid") }),
			update:  calls(step{"PUT", "/api/folders/top", `{"title":"Top Two","overwrite":true}`, 200, "", ""}),
			updated: reads("/api/folders/top", `title "Top Two"; url "/dashboards/f/top/top-two"; created "<born>"`),
			destroy: calls(step{"DELETE", "/api/folders/top?forceDeleteRules=false", "", 200, "", ""}), gone: missing("/api/folders/top"),
		},
		{
			name: "grafana_folder.nested",
			create: calls(
				step{"GET", "/api/folders/top", "", 200, "", ""}, step{"POST", "/api/folders", `{"title":"Inner","uid":"inner","parentUid":"top"}`, 200, "", ""},
			),
			made:    reads("/api/folders/inner", `uid "inner"; title "Inner"; parentUid "top"; url "/dashboards/f/inner/inner"`),
			update:  calls(step{"POST", "/api/folders/inner/move", `{}`, 200, "", ""}, step{"PUT", "/api/folders/inner", `{"title":"Inner","overwrite":true}`, 200, "", ""}),
			updated: func(x *session) { x.cleared("/api/folders/inner", "parentUid") },
			destroy: calls(
				step{"GET", "/api/search?folderUIDs=inner&limit=1&type=dash-db", "", 200, "# 0", ""}, step{"DELETE", "/api/folders/inner?forceDeleteRules=false", "", 200, "", ""},
			),
			gone: missing("/api/folders/inner"),
		},
		{
			name: "grafana_dashboard",
			create: calls(step{
				"POST", "/api/dashboards/db", `{"dashboard":` + classic + `,"folderUid":"top","overwrite":true,"UpdatedAt":"0001-01-01T00:00:00.000Z"}`, 200,
				`id number; uid "requests"; url string; status "success"; version 1; title "Requests"`, "requests=id",
			}),
			made: dashboardReads("requests", "top", classic),
			update: calls(step{
				"POST", "/api/dashboards/db", `{"dashboard":` + strings.Replace(classic2, `{`, `{"id":<requests>,`, 1) + `,"message":"second","overwrite":true,"UpdatedAt":"0001-01-01T00:00:00.000Z"}`, 200,
				`id <requests>; uid "requests"; version 2`, "",
			}),
			updated: dashboardReads("requests", "", classic2),
			destroy: calls(step{"DELETE", "/api/dashboards/uid/requests", "", 200, "", ""}), gone: missing("/api/dashboards/uid/requests"),
		},
		{
			name: "grafana_dashboard.kubernetes",
			create: calls(
				step{"GET", "/api/health", "", 200, "version string", ""},
				step{"POST", "/api/dashboards/db", `{"dashboard":` + k8s + `,"folderUid":"top","overwrite":true}`, 200, `id number; uid "cubed"; version 1; title "Cubed"`, ""},
			),
			made: both(dashboardReads("cubed", "top", k8s), reads("/api/dashboards/uid/cubed?apiVersion=dashboard.grafana.app%2Fv1beta1", `dashboard.title "Cubed"; dashboard.spec absent; dashboard.metadata absent; dashboard.uid "cubed"`)),
			update: calls(step{
				"POST", "/api/dashboards/db", `{"dashboard":` + k8s2 + `,"folderUid":"top","overwrite":true}`, 200, `uid "cubed"; version 2`, "",
			}),
			updated: dashboardReads("cubed", "top", k8s2),
			destroy: calls(step{"DELETE", "/api/dashboards/uid/cubed", "", 200, "", ""}), gone: missing("/api/dashboards/uid/cubed"),
		},
		bulk("grafana_folder_permission", fPath, "View", true),
		item("grafana_folder_permission_item.user", f2Path, "users/<u>", "View", "Admin"),
		item("grafana_folder_permission_item.team", f2Path, "teams/<crew>", "Edit", "View"),
		item("grafana_folder_permission_item.role", f2Path, "builtInRoles/Viewer", "View", "Edit"),
		bulk("grafana_dashboard_permission", dPath, "View", true),
		item("grafana_dashboard_permission_item.account", d2Path, "users/<sa>", "View", "Edit"),
		item("grafana_dashboard_permission_item.team", d2Path, "teams/<crew>", "Edit", "View"),
		item("grafana_dashboard_permission_item.role", d2Path, "builtInRoles/Editor", "Edit", "View"),
		{
			name: "grafana_role",
			create: calls(step{
				"POST", "/api/access-control/roles", `{"uid":"deployer","name":"deployer","displayName":"Deployer","group":"tf","permissions":[{"action":"dashboards:read","scope":"dashboards:*",` + zero + `},{"action":"teams:read","scope":"teams:*",` + zero + `}]}`,
				201, `uid "deployer"; version 1`, "",
			}),
			made: reads(rolePath, `uid "deployer"; name "deployer"; displayName "Deployer"; description ""; group "tf"; global false; version 1; permissions.# 2; `+
				`permissions[action=teams:read].scope "teams:*"; permissions[action=dashboards:read].scope "dashboards:*"`),
			update:  calls(step{"PUT", rolePath, `{"name":"deployer","description":"now with one","permissions":null}`, 200, `version 2`, ""}),
			updated: reads(rolePath, `version 2; description "now with one"; displayName ""; group ""; permissions[0] absent`),
			destroy: calls(step{"DELETE", rolePath + "?global=false", "", 200, "", ""}), gone: missing(rolePath),
		},
		{
			name:    "grafana_role_assignment",
			create:  calls(step{"PUT", rolePath + "/assignments", `{"users":[<u>,<v>],"teams":[<crew>],"service_accounts":[<sa>]}`, 200, "", ""}),
			made:    reads(rolePath+"/assignments", `role_uid "deployer"; users [<u>,<v>]; teams [<crew>]; service_accounts [<sa>]`),
			update:  calls(step{"PUT", rolePath + "/assignments", `{"users":[<v>],"teams":[],"service_accounts":[<sa>,<sa2>]}`, 200, "", ""}),
			updated: reads(rolePath+"/assignments", `users [<v>]; teams []; service_accounts [<sa>,<sa2>]`),
			destroy: calls(step{"PUT", rolePath + "/assignments", `{"users":[],"teams":null}`, 200, "", ""}),
			gone:    reads(rolePath+"/assignments", `users []; teams []; service_accounts []`),
		},
		{
			name: "grafana_role_assignment_item",
			create: calls(
				step{"POST", "/api/access-control/roles", `{"uid":"looker","name":"looker","permissions":[{"action":"teams:read","scope":"teams:*",` + zero + `}]}`, 201, "", ""},
				step{"GET", "/api/access-control/roles/looker", "", 200, `global false`, ""}, step{"GET", "/api/access-control/roles/looker/assignments", "", 200, "users []", ""},
				step{"PUT", "/api/access-control/roles/looker/assignments", `{"service_accounts":[<sa2>],"teams":[],"users":[]}`, 200, "", ""},
			),
			made:    reads("/api/access-control/roles/looker/assignments", `service_accounts [<sa2>]; users []; teams []`),
			update:  calls(step{"PUT", "/api/access-control/roles/looker/assignments", `{"service_accounts":[<sa2>],"teams":[<crew>],"users":[]}`, 200, "", ""}),
			updated: reads("/api/access-control/roles/looker/assignments", `service_accounts [<sa2>]; teams [<crew>]`),
			destroy: calls(
				step{"PUT", "/api/access-control/roles/looker/assignments", `{"service_accounts":[],"teams":[],"users":[]}`, 200, "", ""},
				step{"DELETE", "/api/access-control/roles/looker", "", 200, "", ""},
			),
			gone: missing("/api/access-control/roles/looker"),
		},
	}
}

// tokenResource is a token of an account. Terraform replaces it on a change: it
// deletes it and makes another.
func tokenResource(kind, account, name, lifetime, expiration string) resource {
	path := "/api/serviceaccounts/" + account + "/tokens"
	v := "token-" + name
	make := func(n string) step {
		return step{"POST", path, `{"name":"` + n + `"` + lifetime + `}`, 200, `id number; name "` + n + `"; key string`, v + "=id"}
	}
	remove := step{"DELETE", path + "/<" + v + ">", "", 200, "", ""}
	reads := func(n string) func(*session) {
		return reads(path, "[id=<"+v+`>].name "`+n+`"; [id=<`+v+">].hasExpired false; [id=<"+v+">].expiration "+expiration)
	}
	return resource{
		name: kind, create: calls(make(name)), made: reads(name), update: calls(remove, make(name+"-new")), updated: reads(name + "-new"),
		destroy: calls(remove), gone: func(x *session) { x.run(step{"GET", path, "", 200, "[id=<" + v + ">] absent", ""}) },
	}
}

// terraform is the provider with the admin's password. It creates what a configuration
// expects to exist.
func terraform(t *testing.T) *session {
	t.Helper()
	x := newSession(t)
	x.headers = terraformHeaders
	x.run(
		step{"POST", "/api/admin/users", `{"email":"u@example.com","login":"u","name":"U","password":"violet lamps hum at noon"}`, 200, "", "u=id"},
		step{"POST", "/api/admin/users", `{"email":"v@example.com","login":"v","name":"V","password":"violet lamps hum at noon"}`, 200, "", "v=id"},
		step{"POST", "/api/teams", `{"name":"crew"}`, 200, "", "crew=teamId"},
		step{"POST", "/api/serviceaccounts", `{"name":"terraform","role":"Admin"}`, 201, "", "me=id"},
		step{"POST", "/api/serviceaccounts/<me>/tokens", `{"name":"terraform"}`, 200, "", "key=key"},
	)
	return x
}

// withToken is the provider with a token. It does not know its org and sends no header.
func withToken(x *session) *session {
	return x.by(hallpasstest.Bearer(x.vars["key"])).in("")
}

// TestTraffic applies a configuration, plans it again, imports it, changes it
// and destroys it, with a password and with a token.
func TestTraffic(t *testing.T) {
	for _, tt := range []struct {
		name string
		with func(*session) *session
	}{
		{"password", func(x *session) *session { return x }},
		{"token", withToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := terraform(t)
			importer := x.by(hallpasstest.Admin)
			if tt.name == "password" {
				importer = withToken(x)
			}
			p := tt.with(x)
			var list []resource
			for _, r := range configuration() {
				if !r.server || tt.name == "password" {
					list = append(list, r)
				}
			}
			each(t, "apply", list, func(r resource, x *session) { r.create(x) }, p)
			each(t, "empty plan", list, func(r resource, x *session) { r.made(x) }, p)
			each(t, "import", list, func(r resource, x *session) {
				if r.server {
					x = x.by(hallpasstest.Admin)
				}
				r.made(x)
			}, importer)
			each(t, "update", list, func(r resource, x *session) { r.update(x); r.updated(x) }, p)
			each(t, "empty plan after the update", list, func(r resource, x *session) { r.updated(x) }, p)
			slices.Reverse(list)
			each(t, "destroy", list, func(r resource, x *session) { r.destroy(x); r.gone(x) }, p)
		})
	}
}

// each does one thing with each resource, in a test of its own.
func each(t *testing.T, what string, list []resource, do func(resource, *session), x *session) {
	t.Helper()
	t.Run(what, func(t *testing.T) {
		for _, r := range list {
			t.Run(r.name, func(t *testing.T) {
				y := *x // the same vars
				y.t = t
				do(r, &y)
			})
		}
	})
}

// TestTrafficRotation: two rotating tokens, whose names tell the step, go round
// once; the destroy works although the account went first.
func TestTrafficRotation(t *testing.T) {
	x := terraform(t)
	const tokens = "/api/serviceaccounts/<sa>/tokens"
	x.run(step{"POST", "/api/serviceaccounts", `{"name":"rotating","role":"Viewer"}`, 201, "", "sa=id"})
	for _, name := range []string{"a", "b"} {
		x.run(step{"POST", tokens, `{"name":"` + name + `-1","secondsToLive":3600}`, 200, "key string", name + "=id"})
	}
	x.run(step{"GET", tokens, "", 200, `# 2; [id=<a>].hasExpired false; [id=<a>].expiration string`, ""})
	x.s.Clock.Wind(2 * time.Hour)
	x.run(step{"GET", tokens, "", 200, `# 2; [id=<a>].hasExpired true; [id=<b>].hasExpired true`, ""})
	old := maps.Clone(x.vars)
	for _, name := range []string{"a", "b"} {
		x.run(
			step{"DELETE", tokens + "/" + old[name], "", 200, "", ""},
			step{"POST", tokens, `{"name":"` + name + `-2","secondsToLive":3600}`, 200, "key string", name + "=id"},
		)
		if x.vars[name] == old[name] {
			t.Errorf("token id %s was used again", old[name])
		}
	}
	x.run(
		step{"GET", tokens, "", 200, `# 2; [id=<a>].name "a-2"; [id=<b>].name "b-2"; [id=<a>].hasExpired false`, ""},
		step{"DELETE", "/api/serviceaccounts/<sa>", "", 200, "", ""},
		step{"GET", tokens, "", 200, "# 0", ""},
	)
}

// TestTrafficReplaced replaces tokens of the provider's behind its back. It reads each in
// the list, by its id: while both work only the expiration differs, which it computes, and
// later that it has expired. So no plan changes anything, until the row is gone.
func TestTrafficReplaced(t *testing.T) {
	x := terraform(t)
	const tokens = "/api/serviceaccounts/<sa>/tokens"
	x.run(step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`, 201, "", "sa=id"})
	for name, expires := range map[string]string{"day": "string", "forever": "null"} {
		life := map[string]string{"day": `,"secondsToLive":864000`}[name]
		made := "[id=<" + name + `>].name "` + name + `"; [id=<` + name + ">].isRevoked false; [id=<" + name + ">].hasExpired "
		x.run(
			step{"POST", tokens, `{"name":"` + name + `"` + life + `}`, 200, "", name + "=id"},
			step{"GET", tokens, "", 200, made + "false; [id=<" + name + ">].expiration " + expires, ""},
			step{"POST", tokens + "/<" + name + ">/rotate", `{"graceSeconds":3600}`, 200, `name "` + name + `"`, name + "-closes=replaces.closesAt"},
			step{"GET", tokens, "", 200, made + "false; [id=<" + name + ">].expiration \"<" + name + "-closes>\"", ""},
		)
		x.s.Clock.Wind(2 * time.Hour)
		x.run(step{"GET", tokens, "", 200, made + "true; [id=<" + name + ">].expiration \"<" + name + "-closes>\"", ""})
		x.run(step{"DELETE", tokens + "/<" + name + ">", "", 200, "", ""})
		if text := x.do(step{"GET", tokens, "", 200, "", ""}); strings.Contains(text, `"id":`+x.vars[name]+",") {
			t.Errorf("deleted, and listed: %s", text)
		}
	}
}

// TestTrafficBehindTheBack deletes things that the client created. The next plan finds that
// they are gone, without an error, and can create them again.
func TestTrafficBehindTheBack(t *testing.T) {
	x := terraform(t)
	const (
		makeAccount = `{"name":"ci","role":"Viewer"}`
		tokens      = "/api/serviceaccounts/<sa>/tokens"
	)
	x.run(
		step{"POST", "/api/serviceaccounts", makeAccount, 201, "", "sa=id"}, step{"POST", tokens, `{"name":"t"}`, 200, "", "tok=id"},
		step{"DELETE", tokens + "/<tok>", "", 200, "", ""},
		step{"GET", "/api/serviceaccounts/<sa>", "", 200, "id <sa>", ""}, step{"GET", tokens, "", 200, "# 0", ""},
		step{"POST", tokens, `{"name":"t"}`, 200, "", "tok=id"},
		step{"DELETE", "/api/serviceaccounts/<sa>", "", 200, "", ""},
		step{"GET", "/api/serviceaccounts/<sa>", "", 404, "", ""}, step{"GET", tokens, "", 200, "# 0", ""},
		step{"GET", "/api/access-control/serviceaccounts/<sa>", "", 404, "", ""},
		step{"POST", "/api/serviceaccounts", makeAccount, 201, "", "sa=id"}, step{"POST", tokens, `{"name":"t"}`, 200, "", ""},
	)
	x.run(
		step{"POST", "/api/teams/<crew>/members", `{"userId":<u>}`, 200, "", ""}, step{"POST", "/api/orgs", `{"name":"Branch"}`, 200, "", "branch=orgId"},
		step{"POST", "/api/orgs/<branch>/users", `{"loginOrEmail":"u","role":"Viewer"}`, 200, "", ""},
		step{"DELETE", "/api/admin/users/<u>", "", 200, "", ""},
	)
	listed("/api/teams/<crew>/members", "email")(x)
	listed("/api/orgs/<branch>/users", "email")(x)
	branch := x.in("<branch>")
	branch.run(
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""}, step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d"},"folderUid":"f"}`, 200, "", ""},
		step{"DELETE", "/api/folders/f", "", 200, "", ""}, step{"GET", "/api/dashboards/uid/d", "", 404, "", ""}, step{"GET", "/api/access-control/folders/f", "", 404, "", ""},
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""}, step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d"},"folderUid":"f"}`, 200, "version 1", ""},
	)
	x.run(step{"DELETE", "/api/orgs/<branch>", "", 200, "", ""}, step{"GET", "/api/orgs/<branch>", "", 404, "", ""})
	for _, path := range []string{"/api/folders/f", "/api/dashboards/uid/d", "/api/access-control/folders/f", "/api/access-control/dashboards/d"} {
		branch.run(step{"GET", path, "", 404, "", ""})
	}
}

// TestTrafficGDG makes the calls of gdg: it signs in, lists, backs up and restores.
func TestTrafficGDG(t *testing.T) {
	x := terraform(t)
	x.headers = []string{"User-Agent: Go-http-client/1.1"}
	x.run(
		step{"GET", "/api/user/orgs", "", 200, `[orgId=1].name "Main Org."; [orgId=1].role "Admin"`, ""},
		step{"GET", "/api/user", "", 200, `login "admin"; orgId 1`, ""},
		step{"GET", "/api/org", "", 200, `id 1; name "Main Org."`, ""},
		step{"POST", "/api/folders", `{"title":"Ops","uid":"ops"}`, 200, "", ""},
	)
	for i := range 5 {
		x.run(step{"POST", "/api/dashboards/import", fmt.Sprintf(`{"dashboard":{"title":"D%d","uid":"d%d","tags":["gdg"],"panels":[]},"folderUid":"ops","overwrite":true,"inputs":[]}`, i, i), 200,
			fmt.Sprintf(`uid "d%d"; imported true; title "D%d"; dashboardId number`, i, i), ""})
	}
	x.run(
		step{"POST", "/api/dashboards/import", `{"dashboard":{"__inputs":[{"name":"DS","type":"datasource"}],"title":"On ${DS}","uid":"d0"},"folderUid":"ops","overwrite":true,"inputs":[{"name":"DS","type":"datasource","pluginId":"prometheus","value":"prom"}]}`, 200, `title "On prom"`, ""},
		step{"GET", "/api/dashboards/uid/d0", "", 200, `dashboard.title "On prom"; dashboard.version 2; dashboard.__inputs absent; meta.folderUid "ops"`, ""},
	)
	found := make(map[string]bool)
	for page := 1; ; page++ {
		hits, _ := at(t, x.do(step{"GET", fmt.Sprintf("/api/search?type=dash-db&limit=2&page=%d", page), "", 200, "@ list", ""}), "@")
		if len(hits.([]any)) == 0 || page > 10 {
			break
		}
		for _, h := range hits.([]any) {
			found[h.(map[string]any)["uid"].(string)] = true
		}
	}
	if len(found) != 5 {
		t.Errorf("the search brought %v, want five dashboards", found)
	}
	x.run(step{"GET", "/api/licensing/check", "", 200, "@ bool", ""})
	for _, path := range []string{"/api/folders/ops/permissions", "/api/dashboards/uid/d1/permissions"} {
		x.run(
			step{"GET", path, "", 200, "@ list", ""},
			step{"POST", path, `{"items":[{"role":"Viewer","permission":1},{"teamId":<crew>,"permission":4}]}`, 200, "message string", ""},
			step{"GET", path, "", 200, `[role=Viewer].permission 1; [role=Viewer].permissionName "View"; [teamId=<crew>].team "crew"; [teamId=<crew>].permissionName "Admin"; [role=Editor] absent`, ""},
		)
	}
	withToken(x).run(step{"GET", "/api/user", "", 200, `id <me>; login "sa-1-terraform"; orgId 1; isGrafanaAdmin false`, ""})
}

// TestTrafficGrizzly makes the calls of grizzly, with a token.
func TestTrafficGrizzly(t *testing.T) {
	x := withToken(terraform(t))
	const posted = `{"title":"G","uid":"grz","panels":[],"schemaVersion":17}`
	x.run(
		step{"GET", "/api/dashboards/home", "", 200, "@ object", ""},
		step{"GET", "/api/folders/gfold", "", 404, "", ""},
		step{"POST", "/api/folders", `{"title":"Griz","uid":"gfold"}`, 200, "", ""},
		step{"GET", "/api/folders/gfold", "", 200, `title "Griz"; version number`, ""},
		step{"GET", "/api/folders?page=1&limit=1000", "", 200, `[uid=gfold].title "Griz"`, ""},
		step{"PUT", "/api/folders/gfold", `{"title":"Griz Two","overwrite":true}`, 200, "", ""},
		step{"GET", "/api/dashboards/uid/grz", "", 404, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":` + posted + `,"folderUid":"gfold","overwrite":true}`, 200, `status "success"`, ""},
		step{"GET", "/api/search?type=dash-db&page=1&limit=1000", "", 200, `[uid=grz].folderUid "gfold"`, ""},
	)
	dashboardReads("grz", "gfold", posted)(x)
}

// TestTrafficReadOnly syncs dashboards with a Viewer's token. It lists and reads what is
// shared, and its first write is refused.
func TestTrafficReadOnly(t *testing.T) {
	x := terraform(t)
	const posted = `{"title":"D","uid":"d","panels":[]}`
	x.run(
		step{"POST", "/api/folders", `{"title":"Shared","uid":"shared"}`, 200, "", ""},
		step{"POST", "/api/folders", `{"title":"Inner","uid":"inner","parentUid":"shared"}`, 200, "", ""},
		step{"POST", "/api/folders", `{"title":"Closed","uid":"closed"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":` + posted + `,"folderUid":"shared"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"E","uid":"e"},"folderUid":"inner"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"X","uid":"x"},"folderUid":"closed"}`, 200, "", ""},
		step{"POST", "/api/serviceaccounts", `{"name":"sync","role":"Viewer"}`, 201, "", "sync=id"},
		step{"POST", "/api/serviceaccounts/<sync>/tokens", `{"name":"t"}`, 200, "", "read=key"},
	)
	x.setPermissions("/api/access-control/folders/closed")
	sync := x.by(hallpasstest.Bearer(x.vars["read"])).in("")
	sync.run(
		step{"GET", "/api/folders?page=1&limit=1000", "", 200, `# 1; [0].uid "shared"`, ""},
		step{"GET", "/api/folders?parentUid=shared", "", 200, `# 1; [0].uid "inner"`, ""},
		step{"GET", "/api/folders/shared", "", 200, `canSave false; canEdit false; canAdmin false; canDelete false`, ""},
		step{"GET", "/api/search?type=dash-db&sort=alpha-asc", "", 200, `# 2; [0].uid "d"; [1].uid "e"`, ""},
		step{"GET", "/api/dashboards/uid/d", "", 200, `meta.canSave false; meta.canEdit false`, ""},
		step{"GET", "/api/dashboards/uid/e", "", 200, `dashboard.title "E"`, ""},
		step{"GET", "/api/dashboards/uid/x", "", 403, `title "Access denied"; accessErrorId string`, ""},
	)
	dashboardReads("d", "shared", posted)(sync)
	for _, write := range []step{
		{"POST", "/api/dashboards/db", `{"dashboard":` + posted + `,"folderUid":"shared","overwrite":true}`, 0, "", ""},
		{"POST", "/api/dashboards/db", `{"dashboard":{"title":"New"}}`, 0, "", ""},
		{"POST", "/api/dashboards/import", `{"dashboard":{"title":"New"},"folderUid":"shared"}`, 0, "", ""},
		{"POST", "/api/folders", `{"title":"New"}`, 0, "", ""},
		{"POST", "/api/folders", `{"title":"New","parentUid":"shared"}`, 0, "", ""},
		{"PUT", "/api/folders/shared", `{"title":"New","overwrite":true}`, 0, "", ""},
		{"POST", "/api/folders/inner/move", `{}`, 0, "", ""},
		{"DELETE", "/api/folders/shared", "", 0, "", ""},
		{"DELETE", "/api/dashboards/uid/d", "", 0, "", ""},
		{"POST", "/api/access-control/folders/shared/users/<u>", `{"permission":"View"}`, 0, "", ""},
		{"POST", "/api/dashboards/uid/d/permissions", `{"items":[]}`, 0, "", ""},
	} {
		write.status, write.want = 403, `title "Access denied"; message string; accessErrorId string; statusCode 403`
		sync.do(write)
	}
	x.run(step{"GET", "/api/dashboards/uid/d", "", 200, `dashboard.version 1; meta.folderUid "shared"`, ""})
}

// TestTrafficBursts works on ten things at once, as the Terraform command does.
func TestTrafficBursts(t *testing.T) {
	x := terraform(t)
	const users, accounts, teams = 40, 60, 40
	atOnce := func(n int, make func(i int) step) {
		t.Helper()
		var wg sync.WaitGroup
		work := producer(n)
		for range 10 {
			wg.Go(func() {
				for i := range work {
					s := make(i)
					r := x.send(s.method, s.path, s.body)
					for range 20 { // the provider asks again too: a slow machine hashes fewer passwords than ten clients send
						if !strings.Contains(r.Text, "password-auth.busy") {
							break
						}
						r = x.send(s.method, s.path, s.body)
					}
					if r.StatusCode != s.status {
						t.Errorf("%s %s: %d %s, want %d", s.method, x.fill(s.path), r.StatusCode, r.Text, s.status)
					}
				}
			})
		}
		wg.Wait()
	}
	atOnce(users, func(i int) step {
		return step{"POST", "/api/admin/users", fmt.Sprintf(`{"email":"b%d@example.com","login":"b%d","password":"violet lamps hum at noon"}`, i, i), 200, "", ""}
	})
	atOnce(teams, func(i int) step {
		return step{"POST", "/api/teams", fmt.Sprintf(`{"name":"burst %d"}`, i), 200, "", ""}
	})
	for i := range accounts {
		x.run(step{"POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"burst %d","role":"Viewer"}`, i), 201, "", fmt.Sprintf("b%d=id", i)})
	}
	atOnce(accounts, func(i int) step {
		return step{"GET", fmt.Sprintf("/api/serviceaccounts/<b%d>", i), "", 200, "", ""}
	})
	atOnce(accounts, func(i int) step {
		return step{"POST", fmt.Sprintf("/api/serviceaccounts/<b%d>/tokens", i), fmt.Sprintf(`{"name":"burst %d"}`, i), 200, "", ""}
	})
	var mixed []step
	for i := range accounts {
		mixed = append(mixed, step{"GET", fmt.Sprintf("/api/serviceaccounts/<b%d>/tokens", i), "", 200, "", ""})
		mixed = append(mixed, step{"DELETE", fmt.Sprintf("/api/serviceaccounts/<b%d>", i), "", 200, "", ""}, step{"GET", "/api/org/users", "", 200, "", ""})
	}
	atOnce(len(mixed), func(i int) step { return mixed[i] })
	x.run(
		step{"GET", "/api/teams/search?query=burst", "", 200, fmt.Sprintf("totalCount %d", teams), ""},
		step{"GET", "/api/serviceaccounts/search?query=burst", "", 200, "totalCount 0", ""},
	)
	var list []struct{ ID int64 }
	if err := json.Unmarshal([]byte(x.do(step{"GET", "/api/users?perpage=1000&page=1", "", 200, "", ""})), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != users+3 {
		t.Errorf("%d users, want %d", len(list), users+3)
	}
}

// producer gives 0 to n-1, each to one taker.
func producer(n int) <-chan int {
	c := make(chan int, n)
	for i := range n {
		c <- i
	}
	close(c)
	return c
}
