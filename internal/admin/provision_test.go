package admin_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/provision"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// files is a provisioning folder of a test.
type files struct {
	*world
	dir   string
	prune bool
}

func newFiles(t *testing.T, o admin.Options) *files {
	t.Helper()
	f := &files{world: newWorld(t, o), dir: t.TempDir()}
	f.write("none.toml", "\n") // a folder without files is an error
	return f
}

// write writes a file; without a text it removes it.
func (f *files) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	err := os.WriteFile(path, []byte(text), 0o600)
	if text == "" {
		err = os.Remove(path)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// read reads the folder.
func (f *files) read() [][]hallpass.Declaration {
	f.t.Helper()
	list, err := provision.Read(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// apply plans and applies the folder: both tell the same, and a second time there is
// nothing to do but to tell notes again.
func (f *files) apply(want ...string) {
	f.t.Helper()
	plan, err := f.PlanProvision(f.t.Context(), f.read(), f.prune)
	if err != nil {
		f.t.Fatal(err)
	}
	did, err := f.Provision(f.t.Context(), f.read(), f.prune)
	if err != nil {
		f.t.Fatal(err)
	}
	if got := steps(did); got != strings.Join(want, "\n") || steps(plan) != got {
		f.t.Errorf("it did\n%s\nplanned\n%s\nwant\n%s", got, steps(plan), strings.Join(want, "\n"))
	}
	again, err := f.Provision(f.t.Context(), f.read(), f.prune)
	for _, s := range again {
		if err != nil || s.Do != "" {
			f.t.Errorf("a second time: %s, %v", steps(again), err)
		}
	}
}

func steps(list []hallpass.ProvisionStep) string {
	var lines []string
	for _, s := range list {
		line := strings.TrimSpace(string(s.Do) + " " + s.Section())
		for _, c := range s.Changes {
			line += fmt.Sprintf(" %s=%q", c.Name, c.Now)
		}
		if s.Note != "" {
			line += " (" + s.Note + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// account returns the account of the first org with the uid.
func (f *files) account(uid string) (a hallpass.ServiceAccountSummary) {
	f.t.Helper()
	boss := f.human("admin")
	id, err := f.ServiceAccountID(f.t.Context(), boss, uid)
	if err == nil {
		a, err = f.ServiceAccount(f.t.Context(), boss, id)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

// token returns the token with that secret.
func (f *files) token(text secret.Text) (t hallpass.Token) {
	f.t.Helper()
	err := f.db.Read(f.t.Context(), func(tx *store.Tx) (err error) {
		t, err = tx.TokenByHash(text.Hash())
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return t
}

func sha(text secret.Text) string { return fmt.Sprintf("sha256 = \"%x\"\n", text.Hash()) }

const everything = `
[org.main]
name = "Main Org."
[role.deployer]
org = "main"
permissions = ["dashboards:write@folders:uid:ops"]
[team.ops]
org = "main"
name = "Operations"
roles = ["fixed:teams:read"]
groups = ["cn=ops"]
[service_account.ci]
org = "main"
name = "CI jobs"
role = "Viewer"
roles = ["deployer"]
teams = ["ops"]
[guard.prom]
org = "main"
preset = "prometheus"
`

// TestProvision applies everything that files can declare, changes it, and takes it out of
// the files.
func TestProvision(t *testing.T) {
	f := newFiles(t, admin.Options{})
	one, two := secret.NewToken(), secret.NewToken()
	f.write("a.toml", everything)
	f.write("b.toml", "[service_account.b]\n[service_account.b.token.t]\n"+sha(one))
	f.apply("adopt org.main", "create role.deployer", "create team.ops", "create service_account.ci", "create guard.prom", "create service_account.b", "create service_account.b.token.t")
	a := f.account("ci")
	if a.Name != "CI jobs" || a.Role != hallpass.RoleViewer || a.CreatedBy != "file:a.toml" || a.Given.MoreRoles != 2 || a.Login != "sa-1-ci-jobs" {
		t.Errorf("%+v", a)
	}
	if e := f.reason("serviceaccount.create"); e.Actor.Login != "file:b.toml" || e.Actor.Kind != hallpass.Nobody || e.Org != hallpass.FirstOrg || e.Reason != "[service_account.b], name b" {
		t.Errorf("audited as %+v", e)
	}
	f.write("a.toml", strings.NewReplacer(`"Viewer"`, `"Editor"`, `["deployer"]`, `[]`, `"Operations"`, `"Ops"`, "folders:uid:ops", "folders:*", `"prometheus"`, `"loki"`).Replace(everything))
	f.write("b.toml", "[service_account.b]\n[service_account.b.token.t]\n"+sha(two))
	f.apply(`update role.deployer permissions="dashboards:write@folders:*"`, `update team.ops name="Ops"`, `update service_account.ci role="Editor" roles=""`, `update guard.prom preset="loki"`,
		fmt.Sprintf(`rotate service_account.b.token.t secret="%x…"`, func() []byte { h := two.Hash(); return h[:4] }()))
	if old, made := f.token(one), f.token(two); old.Rotation.Successor != made.ID || made.Rotation.Predecessor != old.ID || old.EndsAt().Sub(old.Rotation.At) != 24*time.Hour {
		t.Errorf("rotated from %+v to %+v", old, made)
	}
	f.write("a.toml", "")
	f.write("b.toml", "[service_account.b]\n")
	f.apply("disable guard.prom", "disable service_account.ci", "disable team.ops", "disable role.deployer", "release org.main", "disable service_account.b.token.t")
	if a := f.account("ci"); !a.Disabled || a.Given.MoreRoles != 0 {
		t.Errorf("it left: %+v", a)
	}
	if tok := f.token(two); !tok.Pause.Holds(time.Now()) {
		t.Errorf("it left: %+v", tok)
	}
	f.write("a.toml", everything)
	f.write("b.toml", "[service_account.b]\n[service_account.b.token.t]\n"+sha(two))
	f.apply("adopt org.main", `adopt role.deployer permissions="dashboards:write@folders:uid:ops"`, `adopt team.ops name="Operations" roles="fixed:teams:read" groups="cn=ops"`,
		`adopt service_account.ci role="Viewer" disabled="false" roles="deployer"`, `adopt guard.prom preset="prometheus" suspended=""`, "adopt service_account.b.token.t")
	if a, tok := f.account("ci"), f.token(two); a.Disabled || !tok.Pause.Since.IsZero() {
		t.Errorf("it came back: %+v, %+v", a, tok)
	}
	f.prune = true
	f.write("a.toml", "")
	f.write("b.toml", "")
	f.apply("delete guard.prom", "delete service_account.ci", "delete team.ops", "delete role.deployer", "release org.main", "delete service_account.b.token.t", "delete service_account.b")
	f.write("b.toml", "[service_account.b]\n[service_account.b.token.t]\n"+sha(two))
	f.apply("create service_account.b", "service_account.b.token.t (this secret was ended, and it stays ended: declare another one)")
}

// TestProvisionAdopts takes over what was made by hand, by its uid and by its name, and
// follows a thing to another key and file.
func TestProvisionAdopts(t *testing.T) {
	f := newFiles(t, admin.Options{})
	c := f.machine("Deploy Job", hallpass.RoleEditor)
	if _, err := f.CreateTeam(t.Context(), f.human("admin"), "ops", ""); err != nil {
		t.Fatal(err)
	}
	f.write("a.toml", "[service_account.deploy]\nname = \"deploy job\"\nrole = \"Editor\"\n[team.ops]\nemail = \"ops@example.com\"\n")
	f.apply(`adopt team.ops email="ops@example.com"`, `adopt service_account.deploy name="deploy job"`)
	f.write("a.toml", "[team.ops]\nemail = \"ops@example.com\"\n")
	f.write("b.toml", "[service_account.deploy2]\nname = \"deploy job\"\nrole = \"Editor\"\n")
	f.apply(`update service_account.deploy2 file="b.toml"`)
	list, err := f.TokenPage(t.Context(), f.human("admin"), c.ServiceAccount(), admin.TokenFilter{})
	if err != nil || list.Account.Name != "deploy job" || list.Account.Disabled || len(list.Tokens) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestProvisionAdoptsNoPower has files give power to an account, a team and a role that an
// Editor made before, and in which they kept a way: it is refused, unless the file says
// that it may be, and nobody gets anything.
func TestProvisionAdoptsNoPower(t *testing.T) {
	f := newFiles(t, admin.Options{})
	ctx, boss := t.Context(), f.human("admin")
	bot := f.machine("Release bot", hallpass.RoleViewer)
	team, err := f.CreateTeam(ctx, boss, "Release team", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.CreateRole(ctx, boss, hallpass.NamedRole{UID: "own", Name: "Release role"}, false); err != nil {
		t.Fatal(err)
	}
	to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(bot.ServiceAccount())}
	if err := errors.Join(f.AssignRole(ctx, boss, "own", to, false), f.AddTeamMember(ctx, boss, team.ID, to.ID, hallpass.LevelMember)); err != nil {
		t.Fatal(err)
	}
	const (
		account = "[service_account.bot]\nname = \"Release bot\"\n"
		people  = "[team.t]\nname = \"Release team\"\n"
		role    = "[role.r]\nname = \"Release role\"\n"
		token   = `the token "Release bot" made by admin`
	)
	for _, tt := range []struct{ name, text, at, brings string }{
		{"a higher role", account + "role = \"Admin\"\n", "3: service_account.bot.role", token},
		{"a role more", account + "role = \"Viewer\"\nroles = [\"fixed:teams:read\"]\n", "4: service_account.bot.roles", token},
		{"a team more", "[team.new]\n" + account + "role = \"Viewer\"\nteams = [\"new\"]\n", "5: service_account.bot.teams", token},
		{"a team with a role", people + "roles = [\"fixed:teams:read\"]\n", "3: team.t.roles", "member"},
		{"a team with a group", people + "groups = [\"cn=release\"]\n", "3: team.t.groups", "member"},
		{"a team whose member has a token", people + "groups = [\"cn=release\"]\n" + account + "role = \"Viewer\"\nteams = [\"t\"]\n", "3: team.t.groups", "member"},
		{"a role with a permission", role + "permissions = [\"teams:read@teams:*\"]\n", "3: role.r.permissions", "1 holder that no file puts there"},
		{"a role that the file gives", role + "permissions = [\"teams:read@teams:*\"]\n" + account + "role = \"Viewer\"\nroles = [\"r\"]\n", "3: role.r.permissions", "1 holder that no file puts there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.write("a.toml", tt.text)
			before := f.entries()
			did, err := f.Provision(ctx, f.read(), false)
			if err == nil || !strings.HasPrefix(err.Error(), "a.toml:"+tt.at+": the ") || !strings.Contains(err.Error(), tt.brings) || len(did) != 0 || f.entries() != before {
				t.Errorf("%s, %v", steps(did), err)
			}
		})
	}
	f.write("a.toml", account+"role = \"Viewer\"\n"+people+role)
	plan, err := f.PlanProvision(ctx, f.read(), false)
	if err != nil || len(plan) != 3 || plan[0].Brings != "1 holder that no file puts there" || !strings.Contains(plan[1].Brings, "member") || plan[2].Brings != token {
		t.Errorf("what gives nothing: %+v, %v", plan, err)
	}
	f.write("a.toml", account+"role = \"Admin\"\nadopt = true\n"+people+"adopt = true\nroles = [\"fixed:teams:read\"]\n"+role+"adopt = true\npermissions = [\"teams:read@teams:*\"]\n")
	f.apply(`adopt role.r permissions="teams:read@teams:*"`, `adopt team.t roles="fixed:teams:read"`, `adopt service_account.bot role="Admin" roles="" teams=""`)
	if e := f.reason("serviceaccount.update"); !strings.Contains(e.Reason, "it brings along "+token) {
		t.Errorf("audited as %q", e.Reason)
	}
}

// TestProvisionAdoptsDeclared gives an account more whose tokens are all declared or over.
func TestProvisionAdoptsDeclared(t *testing.T) {
	f := newFiles(t, admin.Options{})
	c := f.machine("ci", hallpass.RoleViewer)
	made, err := f.CreateToken(t.Context(), f.human("admin"), c.ServiceAccount(), admin.NewToken{Name: "ci-t"})
	if err != nil {
		t.Fatal(err)
	}
	f.write("a.toml", "[service_account.ci]\nrole = \"Admin\"\n[service_account.ci.token.t]\n"+sha(made.Secret))
	if _, err := f.Provision(t.Context(), f.read(), false); err == nil || !strings.Contains(err.Error(), `brings along: the token "ci" made by admin. `) {
		t.Errorf("with a token that is not declared: %v", err)
	}
	if err := f.DeleteToken(t.Context(), f.human("admin"), c.ServiceAccount(), c.Token); err != nil {
		t.Fatal(err)
	}
	f.apply(`adopt service_account.ci role="Admin"`, "adopt service_account.ci.token.t")
}

// TestProvisionRefused applies files that do not fit what is there: nothing of the file
// that is wrong stays, and the error names its line.
func TestProvisionRefused(t *testing.T) {
	f := newFiles(t, admin.Options{TokenPolicy: hallpass.TokenPolicy{DayLimit: 30}})
	ctx := t.Context()
	made, err := f.CreateToken(ctx, f.human("admin"), f.machine30("other"), admin.NewToken{Name: "by hand", Seconds: 3600})
	if err != nil {
		t.Fatal(err)
	}
	text := secret.NewToken()
	if _, err := f.ApplyConfigGuards(ctx, []hallpass.Guard{{Name: "file", Org: hallpass.FirstOrg, Preset: "loki"}}, "hallpass.toml"); err != nil {
		t.Fatal(err)
	}
	f.write("a.toml", "[service_account.a]\n[service_account.a.token.t]\n"+sha(text)+"expires = "+time.Now().AddDate(0, 0, 5).UTC().Format(time.RFC3339)+"\n")
	f.apply("create service_account.a", "create service_account.a.token.t")
	for _, tt := range []struct{ name, text, want string }{
		{"a guard of the configuration file", "[guard.file]\n", "b.toml:1: guard.file: The guard file is written down in the configuration file hallpass.toml"},
		{"a token without an end", "[service_account.b]\n[service_account.b.token.t]\n" + sha(secret.NewToken()), "b.toml:2: service_account.b.token.t.expires: Number of seconds before expiration should be set"},
		{"a token that has ended", "[service_account.b]\n[service_account.b.token.x]\n" + sha(secret.NewToken()) + "expires = 2020-01-01T00:00:00Z\n", "b.toml:4: service_account.b.token.x.expires: that is over"},
		{"a secret of another account", "[service_account.b]\n[service_account.b.token.x]\n" + sha(made.Secret), "b.toml:2: service_account.b.token.x: a token of another account has this secret"},
		{"a permission that the account has not", "[service_account.b]\n[service_account.b.token.x]\n" + sha(secret.NewToken()) + "permissions = [\"teams:read\"]\nexpires = " + time.Now().AddDate(0, 0, 5).UTC().Format(time.RFC3339) + "\n",
			"b.toml:2: service_account.b.token.x: permissions[0] is not held by the account"},
		{"one thing in two sections", "[org.main]\nname = \"Main Org.\"\n[service_account.b]\norg = \"main\"\nname = \"a\"\n", "b.toml:3: service_account.b: it is the service account of [service_account.a]"},
		{"a name that a person gave a token", "[service_account.b]\n[service_account.b.token.x]\nname = \"by hand\"\n" + sha(secret.NewToken()) + "expires = " + time.Now().AddDate(0, 0, 5).UTC().Format(time.RFC3339) + "\n",
			"b.toml:3: service_account.b.token.x.name: service account token with given name already exists in the organization: a token of the service account \"other\" has it, made by admin"},
		{"another org", "[org.b]\n[service_account.b]\norg = \"b\"\n[guard.file]\norg = \"b\"\n", "b.toml:4: guard.file: A guard with this name exists already on this server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.write("b.toml", tt.text)
			if did, err := f.Provision(ctx, f.read(), false); err == nil || !strings.HasPrefix(err.Error(), tt.want) || len(did) != 0 {
				t.Errorf("%s, %v\nwant %s", steps(did), err, tt.want)
			}
			if _, err := f.ServiceAccountID(ctx, f.human("admin"), "b"); hallpass.KindOf(err) != hallpass.NotFound {
				t.Errorf("something of it stays: %v", err)
			}
		})
	}
}

// machine30 makes an account, where no token may live for ever.
func (f *files) machine30(name string) hallpass.ServiceAccountID {
	f.t.Helper()
	role := hallpass.RoleNone
	a, err := f.CreateServiceAccount(f.t.Context(), f.human("admin"), admin.NewServiceAccount{Name: name, Role: &role})
	if err != nil {
		f.t.Fatal(err)
	}
	return a.ID
}

// TestProvisionWhole applies a folder of which one file does not fit what is there:
// nothing of the others is applied.
func TestProvisionWhole(t *testing.T) {
	f := newFiles(t, admin.Options{})
	f.write("a.toml", "[service_account.a]\n")
	f.write("b.toml", "[service_account.b.token.t]\n"+sha(secret.NewToken())+"expires = 2020-01-01T00:00:00Z\n")
	before := f.entries()
	if did, err := f.Provision(t.Context(), f.read(), false); err == nil || !strings.HasPrefix(err.Error(), "b.toml:3: service_account.b.token.t.expires: that is over") || len(did) != 0 {
		t.Errorf("%s, %v", steps(did), err)
	}
	if _, err := f.ServiceAccountID(t.Context(), f.human("admin"), "a"); hallpass.KindOf(err) != hallpass.NotFound || f.entries() != before {
		t.Errorf("something was applied: %v", err)
	}
}

// entries counts the audit.
func (f *files) entries() int {
	f.t.Helper()
	list, err := f.Audit(f.t.Context(), f.human("admin"), hallpass.AuditFilter{Limit: 1000})
	if err != nil {
		f.t.Fatal(err)
	}
	return len(list.Entries)
}

// TestProvisionTogether applies one folder by several nodes at once: they take turns, and
// each thing is made once.
func TestProvisionTogether(t *testing.T) {
	f := newFiles(t, admin.Options{})
	f.write("a.toml", everything)
	f.write("b.toml", "[service_account.b]\n[service_account.b.token.t]\n"+sha(secret.NewToken()))
	files := f.read()
	var nodes sync.WaitGroup
	for range 4 {
		node := admin.New(f.db, admin.Options{})
		nodes.Go(func() {
			if _, err := node.Provision(t.Context(), files, false); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	if n := f.entries(); n != 7+1 { // and the first start
		t.Errorf("%d entries in the audit", n)
	}
	f.apply()
}

// TestProvisionMany applies a file with many accounts, and again, and changes each.
func TestProvisionMany(t *testing.T) {
	f := newFiles(t, admin.Options{})
	text := func(role string) string {
		var b strings.Builder
		for i := range 150 {
			fmt.Fprintf(&b, "[service_account.job-%d]\nrole = %q\n[service_account.job-%d.token.t]\nsha256 = \"%064x\"\n", i, role, i, i+1)
		}
		return b.String()
	}
	for _, tt := range []struct {
		role string
		want int
	}{{"Viewer", 300}, {"Viewer", 0}, {"Editor", 150}} {
		f.write("a.toml", text(tt.role))
		if did, err := f.Provision(t.Context(), f.read(), false); err != nil || len(did) != tt.want {
			t.Fatalf("%d steps with %s, %v", len(did), tt.role, err)
		}
	}
}

// TestProvisionLocks changes by hand what files declare: it is refused, save what takes
// power away; that stays as a person has set it, whatever the file says.
func TestProvisionLocks(t *testing.T) {
	f := newFiles(t, admin.Options{})
	ctx, boss := t.Context(), f.human("admin")
	text := secret.NewToken()
	f.write("a.toml", everything+"[service_account.ci.token.t]\n"+sha(text))
	if _, err := f.Provision(ctx, f.read(), false); err != nil {
		t.Fatal(err)
	}
	a, tok := f.account("ci"), f.token(text)
	team, _, err := f.Teams(ctx, boss, admin.TeamFilter{Name: "Operations", Page: admin.Page{Size: 1}})
	if err != nil || len(team) != 1 {
		t.Fatal(err)
	}
	guard, err := f.Guard(ctx, boss, "prom")
	if err != nil {
		t.Fatal(err)
	}
	name, yes, no := "other", true, false
	to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(a.ID)}
	for what, err := range map[string]error{
		"rename an account":            second(f.UpdateServiceAccount(ctx, boss, a.ID, hallpass.ServiceAccountPatch{Name: &name})),
		"rename and disable it":        second(f.UpdateServiceAccount(ctx, boss, a.ID, hallpass.ServiceAccountPatch{Name: &name, Disabled: &yes})),
		"delete it":                    f.DeleteServiceAccount(ctx, boss, a.ID),
		"give it a role":               f.AssignRole(ctx, boss, fixedRole(t, "fixed:teams:read"), to, false),
		"take its role away":           f.UnassignRole(ctx, boss, "deployer", to, false),
		"set its roles":                f.SetRoles(ctx, boss, to, nil, false),
		"take it out of its team":      f.RemoveTeamMember(ctx, boss, team[0].ID, int64(a.ID)),
		"make it the team's admin":     f.SetAccess(ctx, boss, hallpass.TeamResource, team[0].UID, []admin.NewAccess{{Kind: hallpass.ToPrincipal, Ref: a.UID, Level: hallpass.LevelAdmin}}, false),
		"give the team a role":         f.AssignRole(ctx, boss, "deployer", hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(team[0].ID)}, false),
		"match the team with a group":  f.AddTeamGroup(ctx, boss, team[0].ID, "cn=all"),
		"rename the team":              f.UpdateTeam(ctx, boss, team[0].ID, name, ""),
		"delete the team":              f.DeleteTeam(ctx, boss, team[0].ID),
		"change the role":              second(f.UpdateRole(ctx, boss, hallpass.NamedRole{UID: "deployer", Name: "x"}, false)),
		"delete the role":              f.DeleteRole(ctx, boss, "deployer", true),
		"change the guard":             second(f.UpdateGuard(ctx, boss, "prom", guard)),
		"delete the guard":             f.DeleteGuard(ctx, boss, "prom"),
		"rename the org":               f.RenameOrg(ctx, boss, "x"),
		"rename the token":             second(f.UpdateToken(ctx, boss, a.ID, tok.ID, hallpass.TokenPatch{Name: &name})),
		"rename and pause the token":   second(f.UpdateToken(ctx, boss, a.ID, tok.ID, hallpass.TokenPatch{Name: &name, Paused: &yes})),
		"rotate the token":             second(f.RotateToken(ctx, boss, a.ID, tok.ID, admin.Rotate{})),
		"read only instead of a pause": second(f.UpdateToken(ctx, boss, a.ID, tok.ID, hallpass.TokenPatch{ReadOnly: &yes, Paused: &yes})),
	} {
		var e *hallpass.Error
		if !errors.As(err, &e) || e.ID != "provisioning.locked" || !strings.Contains(e.Message, "the provisioning file a.toml: change it there") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"a token of its own": second(f.CreateToken(ctx, boss, a.ID, admin.NewToken{Name: "by hand"})),
		"a user in the team": f.AddTeamMember(ctx, boss, team[0].ID, int64(f.machine("other", hallpass.RoleNone).ServiceAccount()), hallpass.LevelMember),
		"the role for other": f.AssignRole(ctx, boss, "deployer", hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(boss.User())}, false),
		"a pause":            second(f.UpdateToken(ctx, boss, a.ID, tok.ID, hallpass.TokenPatch{Paused: &yes})),
		"its end":            second(f.UpdateToken(ctx, boss, a.ID, tok.ID, hallpass.TokenPatch{Paused: &no})),
		"disabled":           second(f.UpdateServiceAccount(ctx, boss, a.ID, hallpass.ServiceAccountPatch{Disabled: &yes})),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	f.apply("service_account.ci (somebody disabled it: it stays so until somebody enables it)")
	if _, err := f.UpdateServiceAccount(ctx, boss, a.ID, hallpass.ServiceAccountPatch{Disabled: &no}); err != nil {
		t.Errorf("enabled again: %v", err)
	}
	if err := f.DeleteToken(ctx, boss, a.ID, tok.ID); err != nil {
		t.Error(err)
	}
	f.apply("service_account.ci.token.t (this secret was ended, and it stays ended: declare another one)")
	f.write("a.toml", strings.Replace(everything, `role = "Viewer"`, `disabled = true`, 1))
	if _, err := f.Provision(ctx, f.read(), false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.UpdateServiceAccount(ctx, boss, a.ID, hallpass.ServiceAccountPatch{Disabled: &no}); hallpass.KindOf(err) != hallpass.Conflict {
		t.Errorf("enabled although the file says not to: %v", err)
	}
	f.write("a.toml", "")
	if _, err := f.Provision(ctx, nil, false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.UpdateServiceAccount(ctx, boss, a.ID, hallpass.ServiceAccountPatch{Disabled: &no}); err != nil {
		t.Errorf("taken over: %v", err)
	}
	f.prune = true
	f.write("b.toml", "[team.x]\n")
	f.apply("create team.x", "delete guard.prom", "delete team.ops", "delete role.deployer")
	if a := f.account("ci"); a.Disabled {
		t.Error("what somebody took over was disabled again")
	}
}

// TestDeclaredTokenDoesNotRotateItself has a file adopt a token that may replace itself:
// from then on it may not, because the file would go on to declare the old secret.
func TestDeclaredTokenDoesNotRotateItself(t *testing.T) {
	f := newFiles(t, admin.Options{})
	c := f.machine("ci", hallpass.RoleViewer)
	made, err := f.CreateToken(t.Context(), f.human("admin"), c.ServiceAccount(), admin.NewToken{Name: "ci-t", Seconds: 3600, SelfRotate: true, RenewUntil: f.Now().Add(24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	c.Token = made.Token.ID
	f.write("a.toml", "[service_account.ci]\nrole = \"Viewer\"\n[service_account.ci.token.t]\nexpires = "+made.Token.ExpiresAt.Format(time.RFC3339)+"\n"+sha(made.Secret))
	f.apply("adopt service_account.ci", "adopt service_account.ci.token.t")
	if _, err := f.RotateItself(t.Context(), c, admin.Rotate{}); errID(err) != "token.self-rotation-off" {
		t.Errorf("it replaces itself: %v", err)
	}
	f.write("a.toml", "")
	f.apply("disable service_account.ci.token.t", "disable service_account.ci")
}

func fixedRole(t *testing.T, name string) string {
	t.Helper()
	for _, r := range hallpass.FixedRoles() {
		if r.Name == name {
			return r.UID
		}
	}
	t.Fatalf("no role %s", name)
	return ""
}

// TestLocksProvisioned finds each action about a thing that files can declare in the table
// of those that change what files say.
func TestLocksProvisioned(t *testing.T) {
	n := 0
	for _, action := range hallpass.AuditActions() {
		noun, _, _ := strings.Cut(action, ".")
		switch noun {
		case "org", "role", "team", "serviceaccount", "token", "guard":
			n++
			if _, known := admin.LocksProvisioned(action); !known {
				t.Errorf("%s is not in the table", action)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d actions", n)
	}
}

// TestProvisionStore keeps sections, on both databases.
func TestProvisionStore(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	ctx := t.Context()
	row := hallpass.Provisioned{Section: "token.x", Org: 1, Target: "token:7", File: "a.toml", Stopped: true, Hash: [32]byte{1}}
	other := hallpass.Provisioned{Section: "org.x", Org: 1, Target: "org:1"}
	err := db.Write(ctx, func(tx *store.Tx) error { return errors.Join(tx.SetProvisioned(row), tx.SetProvisioned(other)) })
	if err != nil {
		t.Fatal(err)
	}
	err = db.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Provisioned()
		as, err2 := tx.ProvisionedAs(1, "token:7")
		in, err3 := tx.ProvisionedIn(1)
		none, err4 := tx.ProvisionedAs(2, "token:7")
		if len(list) != 2 || list[0] != other || list[1] != row || as != row || in != row || none.Section != "" {
			t.Errorf("%+v, %+v, %+v, %+v", list, as, in, none)
		}
		return errors.Join(err, err2, err3, err4)
	})
	if err != nil {
		t.Error(err)
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		return tx.SetProvisioned(hallpass.Provisioned{Section: "twin", Org: 1, Target: "token:7"})
	})
	if hallpass.KindOf(err) != hallpass.Conflict {
		t.Errorf("two sections for one thing: %v", err)
	}
}
