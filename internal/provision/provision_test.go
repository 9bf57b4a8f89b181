package provision_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/provision"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// folder writes files, by name, and returns where they are.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRead reads files that use whatever a file can say.
func TestRead(t *testing.T) {
	text := secret.NewToken()
	sum := strings.Repeat("ab", 32)
	dir := folder(t, map[string]string{
		"a.toml": `
[service_account.ci]
org = "acme"
name = "CI jobs"
role = "viewer"
owner = "ops@example.com"
purpose = "deploys"
roles = ["deployer", "fixed:teams:read"]
teams = ["ops"]

[service_account.ci.token.deploy]
sha256 = "` + sum + `"
expires = 2027-01-31T01:00:00+01:00
read_only = true
max_role = "None"
permissions = ["teams:read@teams:id:*", "dashboards:read"]
networks = ["10.0.0.0/8"]
rate_limit = "100/60+20"

[service_account.ci.token.sync]
name = "CI sync"
secret_file = "secrets/sync"
permissions = []
`,
		"b.toml": `
[org.acme]
name = "Acme"

[role.deployer]
org = "acme"
name = "Deployer"
display_name = "Deploys"
description = "Deploys dashboards"
group = "CI"
permissions = ["dashboards:write@folders:uid:ops"]

[team.ops]
org = "acme"
email = "ops@example.com"
roles = ["deployer"]
groups = [" cn=ops ", "cn=ops"]

[guard.prom]
org = "acme"
upstream = "http://127.0.0.1:9090"
[[guard.prom.rule]]
path = "/x"
role = "Viewer"
`,
		"c.toml":          "[service_account.bare]\n",
		"secrets/sync":    text.Reveal() + "\n",
		".hidden.toml":    "no TOML",
		"README.md":       "no TOML",
		"folder.toml/x":   "no TOML",
		"old.toml.backup": "no TOML",
	})
	got, err := provision.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	none := hallpass.RoleNone
	read := hallpass.Permission{Action: "dashboards:read"}
	want := [][]hallpass.Declaration{
		{
			{Section: "org.acme", Noun: hallpass.DeclaredOrg, Key: "acme", File: "b.toml", Name: "Acme"},
			{Section: "role.deployer", Noun: hallpass.DeclaredRole, Key: "deployer", File: "b.toml", Org: "acme", Role: hallpass.NamedRole{
				UID: "deployer", Name: "Deployer", DisplayName: "Deploys", Description: "Deploys dashboards", Group: "CI",
				Permissions: []hallpass.Permission{{Action: "dashboards:write", Scope: "folders:uid:ops"}},
			}},
			{Section: "team.ops", Noun: hallpass.DeclaredTeam, Key: "ops", File: "b.toml", Org: "acme", Team: hallpass.Team{Name: "ops", Email: "ops@example.com"},
				Roles: []string{"deployer"}, Groups: []string{"cn=ops"}},
			{Section: "guard.prom", Noun: hallpass.DeclaredGuard, Key: "prom", File: "b.toml", Org: "acme", Guard: hallpass.Guard{
				Name: "prom", Upstream: "http://127.0.0.1:9090", Rules: []hallpass.GuardRule{{Path: "/x", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}}},
			}},
		},
		{
			{Section: "service_account.ci", Noun: hallpass.DeclaredAccount, Key: "ci", File: "a.toml", Org: "acme",
				Account: hallpass.ServiceAccount{UID: "ci", Name: "CI jobs", Role: hallpass.RoleViewer, Owner: "ops@example.com", Purpose: "deploys"},
				Roles:   []string{"deployer", "fixed:teams:read"}, Teams: []string{"ops"}},
			{Section: "service_account.ci.token.deploy", Noun: hallpass.DeclaredToken, Key: "deploy", File: "a.toml", Org: "acme", Of: "service_account.ci", Token: hallpass.Token{
				Name: "ci-deploy", Hash: [32]byte([]byte(strings.Repeat("\xab", 32))), ExpiresAt: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
				Limits: hallpass.TokenLimits{
					ReadOnly: true, MaxRole: &none, Permissions: []hallpass.Permission{{Action: "teams:read", Scope: "teams:id:*"}, read},
					Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Rate: hallpass.RateLimit{Requests: 100, Every: time.Minute, Burst: 20},
				},
			}},
			{Section: "service_account.ci.token.sync", Noun: hallpass.DeclaredToken, Key: "sync", File: "a.toml", Org: "acme", Of: "service_account.ci", Token: hallpass.Token{
				Name: "CI sync", Hash: text.Hash(), LastFour: text.LastFour(), Limits: hallpass.TokenLimits{Permissions: []hallpass.Permission{}},
			}},
		},
		{{Section: "service_account.bare", Noun: hallpass.DeclaredAccount, Key: "bare", File: "c.toml", Account: hallpass.ServiceAccount{UID: "bare", Name: "bare"}}},
	}
	if d := cmp.Diff(got, want, cmpopts.IgnoreFields(hallpass.Declaration{}, "Lines"), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Errorf("got, want:\n%s", d)
	}
	if lines := got[1][1].Lines; lines[""] != 11 || lines["sha256"] != 12 || lines["rate_limit"] != 18 {
		t.Errorf("lines of the token: %v", lines)
	}
}

// TestReadWrong reads files in which something is wrong: the error names the file, the
// line and the key, and repeats no secret.
func TestReadWrong(t *testing.T) {
	token := secret.NewToken().Reveal()
	sum := sha256.Sum256([]byte(token))
	hash := hex.EncodeToString(sum[:])
	const account = "[service_account.ci]\n"
	for _, tt := range []struct {
		name, text string
		want       string
	}{
		{"no TOML", "[service_account.ci]\nname = CI\n", "a.toml:2: the file is not TOML, at or after service_account.ci.name (text must be quoted"},
		{"an unknown noun", "\n[account.ci]\n", "a.toml:2: unknown section [account]: there are [org.KEY], [role.KEY], [team.KEY], [service_account.KEY], [guard.KEY]"},
		{"a noun without a key", "\n[service_account]\nname = \"ci\"\n", "a.toml:3: service_account.name is a section: write [service_account.name], and its keys below"},
		{"a list", "[[team]]\nname = \"ops\"\n", "a.toml:1: team needs a key: write [team.KEY], and its keys below"},
		{"a key that is none", "[team.\"o p s\"]\n", "a.toml:1: [team.o p s]: a key has letters"},
		{"an unknown key", account + "role = \"Viewer\"\nrolls = []\n", "a.toml:3: unknown key service_account.ci.rolls: did you mean service_account.ci.role"},
		{"a value of another type", account + "disabled = \"yes\"\n", "a.toml:2: service_account.ci.disabled: the value must be true or false"},
		{"no role", account + "role = \"Viewr\"\n", "a.toml:2: service_account.ci.role: the roles are None, Viewer, Editor and Admin"},
		{"no owner", account + "owner = \"@\"\n", "a.toml:2: service_account.ci.owner: owner has an @ and is not a mail address"},
		{"an unknown role", account + "roles = [\"deployr\"]\n[role.deployer]\n", "a.toml:2: service_account.ci.roles: there is no section [role.deployr]: did you mean deployer?"},
		{"an unknown fixed role", account + "roles = [\"fixed:teams:reader\"]\n", "a.toml:2: service_account.ci.roles: there is no role fixed:teams:reader: did you mean fixed:teams:read"},
		{"an unknown org", account + "org = \"acme\"\n", "a.toml:2: service_account.ci.org: there is no section [org.acme]"},
		{"a team of another org", "[org.acme]\n[team.ops]\norg = \"acme\"\n" + account + "teams = [\"ops\"]\n", "a.toml:5: service_account.ci.teams: [team.ops] is of another org"},
		{"a permission that is none", "[role.r]\npermissions = [\n\"teams\"]\n", "a.toml:2: role.r.permissions: Permission contains an invalid action"},
		{"a reserved role", "[role.fixed_x]\n", "a.toml:1: role.fixed_x: keys that begin with fixed_ or basic_ are reserved"},
		{"a group that is none", "[team.ops]\ngroups = [\"\"]\n", "a.toml:2: team.ops.groups: groupId is required"},
		{"a guard's rule", "[guard.g]\n[[guard.g.rule]]\npath = \"/\"\npublic = true\n[[guard.g.rule]]\npth = \"/\"\n", "a.toml:6: rule 2: unknown key guard.g.rule.pth: did you mean guard.g.rule.path?"},
		{"a guard's address", "[guard.g]\nlisten = \"127.0.0.1:1\"\n", "a.toml:2: guard.g.listen: an address belongs to one server"},
		{"a guard's org by number", "[guard.g]\norg = 1\n", "a.toml:2: guard.g.org: the value must be the key of an [org.KEY], in quotes"},
		{"a guard's preset", "[guard.g]\npreset = \"promethus\"\n", "a.toml:2: guard.g.preset: There is no preset"},
		{"a token without a secret", account + "[service_account.ci.token.t]\n", "a.toml:2: service_account.ci.token.t: sha256 or secret_file is missing"},
		{"a token with two", account + "token.t = {sha256 = \"" + hash + "\", secret_file = \"x\"}\n", "a.toml:2: service_account.ci.token.t.secret_file: sha256 and secret_file exclude each other"},
		{"no hash", account + "[service_account.ci.token.t]\nsha256 = \"abc\"\n", "a.toml:3: service_account.ci.token.t.sha256: it is not a SHA-256"},
		{"no file", account + "[service_account.ci.token.t]\nsecret_file = \"missing\"\n", "a.toml:3: service_account.ci.token.t.secret_file: open "},
		{"a file without a token", account + "[service_account.ci.token.t]\nsecret_file = \"a.toml\"\n", "a.toml:3: service_account.ci.token.t.secret_file: the file does not hold a token"},
		{"a time without a zone", account + "[service_account.ci.token.t]\nexpires = 2027-01-31\n", "a.toml:3: service_account.ci.token.t.expires: the value must be a time with its zone"},
		{"a time in the year 10000", account + "[service_account.ci.token.t]\nexpires = 9999-12-31T23:59:59-14:00\n", "a.toml:3: service_account.ci.token.t.expires: the value must be a time between 1971 and 9999 in UTC"},
		{"a time that means none", account + "[service_account.ci.token.t]\nexpires = 0001-01-01T00:00:00Z\n", "a.toml:3: service_account.ci.token.t.expires: the value must be a time between 1971 and 9999 in UTC"},
		{"the same in another zone", account + "[service_account.ci.token.t]\nexpires = 0001-01-01T14:00:00.5+14:00\n", "a.toml:3: service_account.ci.token.t.expires: the value must be a time between 1971 and 9999 in UTC"},
		{"a time that the database means none by", account + "[service_account.ci.token.t]\nexpires = 1970-01-01T00:00:00Z\n", "a.toml:3: service_account.ci.token.t.expires: the value must be a time between 1971 and 9999 in UTC"},
		{"networks that are none", account + "[service_account.ci.token.t]\nnetworks = [\"10.0.0.0/33\"]\n", "a.toml:3: service_account.ci.token.t.networks: networks[0]: "},
		{"a rate that is none", account + "[service_account.ci.token.t]\nrate_limit = \"0/60\"\n", "a.toml:3: service_account.ci.token.t.rate_limit: "},
		{"a secret in clear", account + "[service_account.ci.token.t]\nsha256 = \"" + token + "\"\n", "a.toml:3: here is the secret of a token"},
		{"a secret in a comment", account + "# " + token + "\n", "a.toml:2: here is the secret of a token"},
		{"a secret by name", account + "[service_account.ci.token.t]\nsecret = \"x\"\n", "a.toml:3: service_account.ci.token.t.secret: a secret must not stand in this file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := provision.Read(folder(t, map[string]string{"a.toml": tt.text, "z.toml": "[team.fine]\n"}))
			if err == nil || list != nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), token[:20]) {
				t.Errorf("%d files, %v\nwant %s", len(list), err, tt.want)
			}
		})
	}
}

// TestReadTogether reads files that are wrong together, and several that are wrong.
func TestReadTogether(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"one section twice", map[string]string{"a.toml": "\n[team.ops]\n", "b.toml": "[team.ops]\n"}, "b.toml:1: team.ops: it stands in a.toml already, line 2"},
		{
			"a circle",
			map[string]string{
				"a.toml": "[service_account.ci]\nteams = [\"ops\"]\n[role.r]\n", "b.toml": "[team.ops]\nroles = [\"r\"]\n", "c.toml": "[service_account.x]\nteams = [\"ops\"]\n",
			},
			"a.toml: the files refer to one another in a circle: a.toml needs b.toml for [service_account.ci], b.toml needs a.toml for [team.ops]. ",
		},
		{"one name twice", map[string]string{"a.toml": "[team.ops]\n", "b.toml": "[team.x]\nname = \"Ops\"\n"}, "b.toml:2: team.x.name: [team.ops] in a.toml, line 1, has this name too"},
		{
			"one secret twice",
			map[string]string{
				"a.toml": "[service_account.a.token.t]\nsha256 = \"" + strings.Repeat("ab", 32) + "\"\n", "b.toml": "[service_account.b.token.t]\nsha256 = \"" + strings.Repeat("AB", 32) + "\"\n",
			},
			"b.toml:1: service_account.b.token.t: [service_account.a.token.t] in a.toml, line 1, has this secret too",
		},
		{"two that are wrong", map[string]string{"a.toml": "[x]\n", "b.toml": "[y]\n"}, "a.toml:1: unknown section [x]: there are [org.KEY], [role.KEY], [team.KEY], [service_account.KEY], [guard.KEY]\nb.toml:1: unknown section [y]: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := provision.Read(folder(t, tt.files)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := provision.Read(filepath.Join(t.TempDir(), "missing")); err == nil || !strings.HasPrefix(err.Error(), "provisioning.path: ") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := provision.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "there is no file in ") {
		t.Errorf("an empty folder: %v", err)
	}
	if list, err := provision.Read(folder(t, map[string]string{"empty.toml": ""})); err != nil || len(list) != 0 {
		t.Errorf("a folder that declares nothing: %v, %v", list, err)
	}
}

// TestReadMounted reads a folder as Kubernetes mounts one, where each file is a link into
// a hidden folder that changes as a whole.
func TestReadMounted(t *testing.T) {
	dir := folder(t, map[string]string{"..2026_11_27/a.toml": "[team.ops]\n", "..2026_11_27/token": secret.NewToken().Reveal()})
	for name, to := range map[string]string{"..data": "..2026_11_27", "a.toml": "..data/a.toml", "token": "..data/token", "z.toml": "..data/z.toml"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := provision.Read(dir); err == nil || !strings.HasPrefix(err.Error(), "z.toml: stat ") {
		t.Errorf("a link to nowhere: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "z.toml")); err != nil {
		t.Fatal(err)
	}
	if list, err := provision.Read(dir); err != nil || len(list) != 1 || list[0][0].Section != "team.ops" || list[0][0].File != "a.toml" {
		t.Errorf("%v, %v", list, err)
	}
}

// TestReadModes refuses the file of a secret that everybody may read or write, and names
// what cannot be read.
func TestReadModes(t *testing.T) {
	dir := folder(t, map[string]string{"a.toml": "[service_account.ci.token.t]\nsecret_file = \"token\"\n", "token": secret.NewToken().Reveal()})
	for mode, fine := range map[os.FileMode]bool{0o600: true, 0o440: true, 0o644: false, 0o602: false} {
		if err := os.Chmod(filepath.Join(dir, "token"), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := provision.Read(dir); (err == nil) != fine || err != nil && !strings.HasPrefix(err.Error(), "a.toml:2: service_account.ci.token.t.secret_file: every user of this machine may read ") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	if os.Getuid() == 0 {
		return // root may read everything
	}
	if err := os.Chmod(filepath.Join(dir, "a.toml"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := provision.Read(dir); err == nil || !strings.HasPrefix(err.Error(), "a.toml: open ") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// FuzzRead reads whatever a file holds: it ends, each error names the file, and what is
// read can be told.
func FuzzRead(f *testing.F) {
	f.Add("[service_account.ci]\nroles = [\"r\"]\n[service_account.ci.token.t]\nsha256 = \"" + strings.Repeat("ab", 32) + "\"\n[role.r]\npermissions = [\"teams:read@teams:*\"]\n")
	f.Add("[guard.g]\norg = \"o\"\n[[guard.g.rule]]\npath = \"/\"\npublic = true\n[org.o]\n[team.t]\ngroups = [\"x\"]\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := provision.Read(folder(t, map[string]string{"a.toml": text}))
		if err != nil && !strings.HasPrefix(err.Error(), "a.toml:") {
			t.Errorf("%q: %v", text, err)
		}
		for _, file := range list {
			for _, d := range file {
				if d.Lines[""] == 0 || len(d.Fields()) == 0 || d.Title() == "" {
					t.Errorf("%q: %+v", text, d)
				}
			}
		}
	})
}
