package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	domain "github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/wire"
)

// sample is a well-formed token that no server knows.
const sample = "glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a"

// A ran is the result of a command line.
type ran struct {
	out, errs string // stdout; stderr and the error
	err       error
}

func run(ctx context.Context, in io.Reader, args ...string) ran {
	root := &cobra.Command{Use: "hallpass", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(cli.Commands(nil)...)
	var out, errs bytes.Buffer
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(&out)
	root.SetErr(&errs)
	err := root.ExecuteContext(ctx)
	if err != nil {
		errs.WriteString("hallpass: " + err.Error() + "\n")
	}
	return ran{out.String(), errs.String(), err}
}

// hallpass runs a command line that must succeed, and returns its stdout.
func hallpass(t *testing.T, in string, args ...string) string {
	t.Helper()
	r := run(t.Context(), strings.NewReader(in), args...)
	if r.err != nil {
		t.Fatalf("hallpass %s: %s", strings.Join(args, " "), r.errs)
	}
	oneForm(t, args, r)
	return r.out
}

// refused runs a command line that must fail, and checks that it says why in
// one line and prints no data.
func refused(t *testing.T, in, says string, args ...string) error {
	t.Helper()
	r := run(t.Context(), strings.NewReader(in), args...)
	if r.err == nil || !strings.Contains(r.errs, says) {
		t.Errorf("hallpass %s says %q, want a refusal with %q", strings.Join(args, " "), r.errs, says)
	}
	if r.out != "" || r.err != nil && strings.Contains(r.err.Error(), "\n") {
		t.Errorf("hallpass %s prints %q, and the error %q", strings.Join(args, " "), r.out, r.err)
	}
	return r.err
}

// home gives the test a folder for its contexts and returns their file.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	return filepath.Join(dir, "hallpass", "contexts.toml")
}

// start starts a server and logs in as its admin.
func start(t *testing.T, configure ...func(*server.Config)) *hallpasstest.Server {
	t.Helper()
	s := hallpasstest.New(t, configure...)
	home(t)
	hallpass(t, hallpasstest.AdminPassword, "login", s.URL, "--user", "admin", "--name", "admin")
	return s
}

// fake logs in to a server that answers GET /api/org and else what fn says.
func fake(t *testing.T, fn http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/org" {
			answer(t, w, wire.Org{ID: 1, Name: "Main Org."})
			return
		}
		fn(w, r)
	}))
	t.Cleanup(s.Close)
	home(t)
	hallpass(t, sample, "login", s.URL)
	return s.URL
}

func answer(t *testing.T, w io.Writer, v any) {
	t.Helper()
	if err := json.NewEncoder(w).Encode(v); err != nil {
		t.Error(err)
	}
}

// TestWalk runs every kind of command on a real server, from the creation of a
// service account to its deletion.
func TestWalk(t *testing.T) {
	s := start(t)
	for _, step := range []struct {
		line string
		in   string
		says string // matches what is printed
	}{
		{"org current", "", `^id +1\nname +Main Org\.\n$`},
		{"sa list", "", `^ID +UID +NAME +ROLE +TOKENS +DISABLED\n$`},
		{"sa create|build bot|--role|None", "", `^id +2\nuid +\w{14}\nname +build bot\nlogin +sa-1-build-bot\nrole +None\n`},
		{"serviceaccount create ci", "", `(?m)^role +Viewer$`},
		{"sa list --query build", "", `^ID .*\n2 +\w{14} +build bot +None +0 +no\n$`},
		{"sa update ci --name deployer --role Editor", "", `(?m)^name +deployer\nlogin +sa-1-ci\n(.*\n)*role +Editor$`},
		{"sa disable deployer", "", `(?m)^disabled +yes$`},
		{"sa list --disabled", "", `^ID .*\n3 .* deployer .* yes\n$`},
		{"sa enable sa-1-ci", "", `(?m)^disabled +no$`},
		{"token create deployer deploy --ttl 1d12h", "", `^glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}\n$`},
		{"token list deployer", "", `^ID +NAME +STATE .*\n1 +deploy +live +in 3[56]h +never +- +- +[0-9a-f]{4}\n$`},
		{"sa disable deployer", "", `(?m)^disabled +yes$`},
		{"token list deployer", "", `^ID .*\n1 +deploy +blocked: account disabled +in 3[56]h`},
		{"token list deployer --state blocked --query DEP", "", `^ID .*\n1 +deploy .*\n$`},
		{"token list deployer --state live", "", `^ID .*FOUR *\n$`},
		{"sa enable deployer", "", `(?m)^disabled +no$`},
		{"role create keeper -p serviceaccounts:read@serviceaccounts:* -p orgs:read --group CI", "", `(?m)^permission +orgs:read\npermission +serviceaccounts:read@serviceaccounts:\*$`},
		{"role assign|keeper|sa:build bot|user:admin", "", `^$`},
		{"sa list --query build", "", `^ID .*\n2 +\w{14} +build bot +None \+ 1 role +0 +no\n$`},
		{"sa get|build bot", "", `(?m)^role +None \+ 1 role$`},
		{"role assignments keeper", "", `^KIND +ID +NAME\nuser +1 +admin\nserviceaccount +2 +build bot\n$`},
		{"sa permissions|build bot", "", `serviceaccounts:read +serviceaccounts:\* +keeper +itself\n`},
		{"explain --principal|sa:build bot|serviceaccounts:read|serviceaccounts:id:3", "", `^allowed: service account build bot may do serviceaccounts:read on serviceaccounts:id:3\n  by the role keeper, assigned to it: `},
		{"explain dashbord:reed", "", `(?m)^note: Hallpass does not know dashbord:reed: did you mean dashboards:read\?`},
		{"explain prometheus:query", "", `(?m)^note: prometheus:query is an action of another API, such as one behind a guard: Hallpass's own API never asks for it\.$`},
		{"explain loki:read loki:tenants:a", "", `(?m)^note: A guard's rule without a scope takes loki:read on any scope\.$`},
		{"explain orgs:read orgs:id:1", "", `^allowed: (.*\n)+note: orgs:read takes no scope`},
		{"sa update deployer --role Admin", "", `(?m)^role +Admin$`},
		{"sa permissions deployer", "", `(?m)^\* +\* +basic:admin +basic role Admin$`},
		{"sa update deployer --role Editor", "", `(?m)^role +Editor$`},
		{"role update keeper -p orgs:read --name reader", "", `(?m)^name +reader\n(.*\n)*group +CI\nversion +2\n(.*\n)*permission +orgs:read\n$`},
		{"role unassign|reader|sa:build bot", "", `^$`},
		{"role list", "", `(?m)^\w+ +reader +CI +1 +no$`},
		{"team create devs --email devs@example.com", "", `(?m)^name +devs$`},
		{"team add-member devs sa:deployer --admin", "", `^$`},
		{"team members devs", "", `^ID +LOGIN +NAME +PERMISSION\n1 +admin +admin +admin\n3 +sa-1-ci +deployer +admin\n$`},
		{"role assign fixed:teams:read team:devs", "", `^$`},
		{"role assignments fixed:teams:read", "", `^KIND +ID +NAME\nteam +1 +devs\n$`},
		{"sa get deployer", "", `(?m)^teams +devs$`},
		{"team remove-member devs sa:deployer", "", `^$`},
		{"team remove-member devs admin", "", `^$`},
		{"team get devs", "", `(?m)^members +0$`},
		{"team list -q dev", "", `^ID .*\n1 +\w{14} +devs +devs@example\.com +0\n$`},
		{"user create ana --name Ana --email ana@example.com", "a pass phrase of some length\n", `(?m)^login +ana$`},
		{"user disable ana", "", `^$`},
		{"user get ana@example.com", "", `(?m)^disabled +yes\norgs +1 Main Org\. \(Viewer\)$`},
		{"user enable ana", "", `^$`},
		{"user list --query ana", "", `^ID .*\n4 +\w{14} +ana +ana@example\.com +Ana +no +no +never\n$`},
		{"org create|Second Org", "", `^id +2\nname +Second Org\n$`},
		{"org add-member|Second Org|ana|--role|Editor", "", `^$`},
		{"org members|Second Org", "", `(?m)^4 +ana +ana@example\.com +Ana +Editor +no$`},
		{"org members", "", `(?m)^4 +ana +ana@example\.com +Ana +Viewer +no$`},
		{"org remove-member 2 ana", "", `^$`},
		{"org members 2", "", `^ID .*\n1 +admin .* Admin +no\n$`},
		{"org list", "", `^ID +NAME\n1 +Main Org\.\n2 +Second Org\n$`},
		{"org delete|Second Org|--yes", "", `^$`},
		{"user delete ana --yes", "", `^$`},
		{"team delete devs --yes", "", `^$`},
		{"token delete deployer deploy --yes", "", `^$`},
		{"role delete reader --force --yes", "", `^$`},
		{"sa delete deployer --yes", "", `^$`},
		{"sa delete|build bot|-y", "", `^$`},
		{"sa list -o json", "", `^\[\]\n$`},
	} {
		if out := hallpass(t, step.in, words(step.line)...); !regexp.MustCompile(step.says).MatchString(out) {
			t.Fatalf("hallpass %s prints\n%s\nwant %s", step.line, out, step.says)
		}
	}
	for _, line := range []string{"sa get 2", "team get devs", "role get reader", "user get ana"} {
		refused(t, "", "404: ", words(line)...)
	}
	if orgs := s.Do(hallpasstest.Admin, "GET", "/api/orgs", "").Text; orgs != `[{"id":1,"name":"Main Org."}]` {
		t.Errorf("the org is still there: %s", orgs)
	}
}

// words splits a line at blanks. If the line has bars, it splits only the part before
// the first bar at blanks, and each later part is one word.
func words(line string) []string {
	if !strings.Contains(line, "|") {
		return strings.Fields(line)
	}
	parts := strings.Split(line, "|")
	return append(strings.Fields(parts[0]), parts[1:]...)
}

// TestTokenOfItsOwn logs in with a token that it made, until the token is deleted.
func TestTokenOfItsOwn(t *testing.T) {
	s := start(t)
	hallpass(t, "", "sa", "create", "ci", "--role", "None")
	made := hallpass(t, "", "token", "create", "ci", "own", "--ttl", "never")
	hallpass(t, made, "login", s.URL, "--name", "ci")

	refused(t, "", "403: permission needed: serviceaccounts:read (\"hallpass explain serviceaccounts:read", "sa", "list")
	r := run(t.Context(), strings.NewReader(""), "explain", "serviceaccounts:read")
	var exit *cli.ExitError
	if !errors.As(r.err, &exit) || exit.Status != 3 {
		t.Errorf("explain ends with %v, want the status 3", r.err)
	}
	if !strings.HasPrefix(r.out, "not allowed: token …") || !strings.Contains(r.out, "\n  fixed:serviceaccounts:reader\n") {
		t.Errorf("explain prints %q", r.out)
	}

	hallpass(t, "", "role", "assign", "fixed:serviceaccounts:reader", "sa:ci", "--context", "admin")
	refused(t, "", "use --principal sa:ci", "explain", "sa:ci", "teams:read")
	if out := hallpass(t, "", "explain", "serviceaccounts:read"); !strings.HasPrefix(out, "allowed: token …") {
		t.Errorf("explain prints %q", out)
	}
	var account wire.ServiceAccountProfile
	if err := json.Unmarshal([]byte(hallpass(t, "", "sa", "get", "ci", "-o", "json")), &account); err != nil || account.Name != "ci" || account.Tokens != 1 {
		t.Errorf("sa get -o json: %+v, %v", account, err)
	}
	refused(t, "", "403: permission needed: serviceaccounts:delete", "sa", "delete", "ci", "--yes")
	hallpass(t, "", "token", "delete", "ci", "own", "--yes", "--context", "admin")
	refused(t, "", "401: Invalid API key: log in again", "sa", "list")
}

// TestLogin keeps only credentials that a server accepted, in a file that only its
// owner can read.
func TestLogin(t *testing.T) {
	s := hallpasstest.New(t)
	file := home(t)
	refused(t, "not the password at all\n", "the login failed: 401: Invalid username or password", "login", s.URL, "--user", "admin")
	refused(t, sample, "the login failed: 401: Invalid API key", "login", s.URL)
	refused(t, "", "stdin has no token", "login", s.URL)
	refused(t, "", "stdin has no password", "login", s.URL, "--user", "admin")
	refused(t, sample[:40], "it has 40 characters", "login", s.URL)
	refused(t, sample, "the server must be a URL like", "login", "http://127.0.0.1:99999")
	refused(t, sample, "Warning: http:// sends the secret over the network unencrypted.\nhallpass: cannot reach", "login", "http://0.0.0.0:1")
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a login that was refused left a file: %v", err)
	}

	r := run(t.Context(), strings.NewReader(hallpasstest.AdminPassword+"\n"), "login", s.URL+"/", "--user", "admin", "--org", "1")
	if r.err != nil || r.out != "" || !strings.Contains(r.errs, "as user admin, in org 1 (Main Org.)") || strings.Contains(r.errs, hallpasstest.AdminPassword) {
		t.Errorf("login: %q, %q, %v", r.out, r.errs, r.err)
	}
	for path, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want the file alone", entries, err)
	}
	host := strings.TrimPrefix(s.URL, "http://")
	list := hallpass(t, "", "context", "list")
	if want := "*        " + host + "  " + s.URL + "  1    user admin\n"; !strings.HasSuffix(list, want) || strings.Contains(list, hallpasstest.AdminPassword) {
		t.Errorf("context list prints %q, want %q at its end", list, want)
	}
	if got := hallpass(t, "", "context", "current"); got != host+"\n" {
		t.Errorf("context current prints %q", got)
	}
	hallpass(t, "", "logout")
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), hallpasstest.AdminPassword) {
		t.Errorf("logout left %q, %v", text, err)
	}
	refused(t, "", "not logged in", "sa", "list")
	refused(t, "", "not logged in", "logout")
}

// TestLoginKeepsTheOrg stays in the org of the login, also for a member who may not read the
// org, when the user chooses another one in the console.
func TestLoginKeepsTheOrg(t *testing.T) {
	s := start(t)
	hallpass(t, "a pass phrase of some length\n", "user", "create", "ana")
	hallpass(t, "", "org", "create", "Second")
	hallpass(t, "", "org", "add-member", "Second", "ana", "--role", "None")
	if r := run(t.Context(), strings.NewReader("a pass phrase of some length"), "login", s.URL, "--user", "ana", "--org", "2", "--name", "ana"); r.err != nil || !strings.Contains(r.errs, "in org 2, that it may not read") {
		t.Errorf("login: %q, %v", r.errs, r.err)
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/user/using/2", ""); r.Status != "200 OK" {
		t.Fatal(r.Text)
	}
	if out := hallpass(t, "", "org", "current", "--context", "admin"); !strings.HasPrefix(out, "id    1\n") {
		t.Errorf("after another org was chosen in the console, org current prints %q", out)
	}
	list := hallpass(t, "", "context", "list")
	for _, want := range []string{"admin  " + s.URL + "  1    user admin\n", "ana    " + s.URL + "  2    user ana\n"} {
		if !strings.Contains(list, want) {
			t.Errorf("context list prints %q, want %q", list, want)
		}
	}
}

// TestContexts moves between two servers' contexts.
func TestContexts(t *testing.T) {
	s := start(t)
	hallpass(t, hallpasstest.AdminPassword, "login", s.URL, "--user", "admin", "--name", "again")
	type row struct {
		Name    string
		Current bool
	}
	rows := func() (list []row) {
		t.Helper()
		if err := json.Unmarshal([]byte(hallpass(t, "", "context", "list", "-o", "json")), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if diff := cmp.Diff([]row{{"admin", false}, {"again", true}}, rows()); diff != "" {
		t.Errorf("the contexts differ (-want +got):\n%s", diff)
	}
	hallpass(t, "", "context", "use", "admin")
	refused(t, "", "--yes", "context", "delete", "again")
	hallpass(t, "", "context", "delete", "again", "--yes")
	if diff := cmp.Diff([]row{{"admin", true}}, rows()); diff != "" {
		t.Errorf("the contexts differ (-want +got):\n%s", diff)
	}
	for _, line := range []string{"context use again", "context delete again --yes", "sa list --context again", "logout --context again"} {
		refused(t, "", "no such context", words(line)...)
	}
	hallpass(t, "", "logout", "--context", "admin")
	refused(t, "", "not logged in", "context", "current")
}

// TestContextsFile refuses a file that others could have read or changed, and
// one that is broken, without repeating its content.
func TestContextsFile(t *testing.T) {
	const good = "current = \"x\"\n[contexts.x]\nserver = \"http://127.0.0.1:1\"\nsecret = \"hunter2\"\n"
	for _, tt := range []struct {
		name      string
		text      string
		mode, dir os.FileMode
		says      string
	}{
		{"good", good, 0o600, 0o700, "cannot reach http://127.0.0.1:1"},
		{"its owner reads only", good, 0o400, 0o755, "cannot reach"},
		{"the group reads", good, 0o640, 0o700, "chmod 600"},
		{"others read", good, 0o604, 0o700, "chmod 600"},
		{"others write the folder", good, 0o600, 0o777, "chmod 700"},
		{"not TOML", "current = \"x\"\nsecret = hunter2\n", 0o600, 0o700, "contexts.toml:2: the file is not TOML"},
		{"wrong type", "[contexts.x]\nsecret = [\"hunter2\"]\n", 0o600, 0o700, "wrong type"},
		{"unknown key", "[contexts.x]\nhunter2 = \"hunter2\"\n", 0o600, 0o700, "unknown key"},
		{"no current one", "[contexts.x]\nsecret = \"hunter2\"\n", 0o600, 0o700, "not logged in"},
		{"a current one that is gone", "current = \"y\"\n", 0o600, 0o700, "no such context"},
		{"empty", "", 0o600, 0o700, "not logged in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := home(t)
			if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(tt.text), 0o600), os.Chmod(file, tt.mode), os.Chmod(filepath.Dir(file), tt.dir)); err != nil {
				t.Fatal(err)
			}
			if err := refused(t, "", tt.says, "sa", "list"); err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

// TestNoHome keeps contexts below the home folder where XDG_CONFIG_HOME is not
// set, or is not a whole path.
func TestNoHome(t *testing.T) {
	for _, xdg := range []string{"", "relative"} {
		dir := t.TempDir()
		t.Setenv("XDG_CONFIG_HOME", xdg)
		t.Setenv("HOME", dir)
		s := hallpasstest.New(t)
		hallpass(t, hallpasstest.AdminPassword, "login", s.URL, "--user", "admin")
		if _, err := os.Stat(filepath.Join(dir, ".config", "hallpass", "contexts.toml")); err != nil {
			t.Errorf("XDG_CONFIG_HOME=%q: %v", xdg, err)
		}
	}
}

// TestServer sends a secret to the server that it was kept for, and to another one
// only when both flags name it.
func TestServer(t *testing.T) {
	var heard []string
	listen := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			heard = append(heard, name)
			if r.URL.Path == "/api/org" {
				answer(t, w, wire.Org{ID: 1})
				return
			}
			answer(t, w, wire.Teams{})
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	home(t)
	one, two, other := listen("one"), listen("two"), listen("other")
	hallpass(t, sample, "login", one, "--name", "one")
	hallpass(t, sample, "login", two, "--name", "two")
	heard = nil
	hallpass(t, "", "team", "list", "--server", one)
	hallpass(t, "", "team", "list", "--server", two+"/")
	refused(t, "", "there is no context for "+other, "team", "list", "--server", other)
	refused(t, "", "must be a URL", "team", "list", "--server", "nonsense")
	if want := []string{"one", "two"}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
	hallpass(t, "", "team", "list", "--server", other, "--context", "one")
	if heard[len(heard)-1] != "other" {
		t.Errorf("heard %v, want the other server last", heard)
	}
}

// TestNotInTheClear kept a secret for a server with https: it is not sent over http
// to another machine.
func TestNotInTheClear(t *testing.T) {
	file := home(t)
	text := "current = \"x\"\n[contexts.x]\nserver = \"https://hallpass.example.com\"\nsecret = \"hunter2\"\n"
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	refused(t, "", "unencrypted", "sa", "list", "--context", "x", "--server", "http://192.0.2.1:3080")
	refused(t, "", "cannot reach http://127.0.0.1:1", "sa", "list", "--context", "x", "--server", "http://127.0.0.1:1")
}

// TestSecretsInTheWrongPlace gives secrets where other arguments belong: they are
// neither printed nor sent to a server.
func TestSecretsInTheWrongPlace(t *testing.T) {
	calls := 0
	url := fake(t, func(http.ResponseWriter, *http.Request) { calls++ })
	for _, args := range [][]string{
		{"login", url, "hunter2"}, {"login", "hunter2"}, {"login", "http://admin:hunter2@127.0.0.1:1"}, {"login", "http://admin:hunter2%zz@127.0.0.1:1"},
		{"login", url + "?token=" + sample}, {"login", url + "/" + sample}, {"login", "-phunter2"}, {"login", "--password=hunter2"}, {"login", url, "--name", sample},
		{"login", url, "--name", "hunter2 hunter2"}, {"sa", "hunter2"}, {"sa", sample}, {"sa", "get", sample}, {"sa", "list", sample}, {"token", "hunter2"}, {"token", sample},
		{"token", "inspect", sample}, {"token", "list", sample}, {"token", "create", "ci", sample, "--ttl", "1d"}, {"role", "get", sample}, {"team", "create", sample},
		{"user", "get", sample}, {"user", "create", "ana", "hunter2"}, {"org", "current", "hunter2"}, {"explain", sample}, {"context", "use", "hunter2"},
		{"context", "delete", sample}, {"context", "hunter2"}, {"logout", "hunter2"}, {"sa", "list", "-zhunter2"}, {"team", "list", "--server", "http://a:hunter2@127.0.0.1"},
		{"sa", "list", "--context", "hunter2"},
	} {
		r := run(t.Context(), strings.NewReader(""), args...)
		if all := r.out + r.errs; r.err == nil || strings.Contains(all, "hunter2") || strings.Contains(all, sample[5:37]) {
			t.Errorf("%q: %v and %q", args, r.err, all)
		}
	}
	if calls != 0 {
		t.Errorf("the server was called %d times", calls)
	}
}

// TestOutput prints the API's JSON, or a table in which no text of the server can
// control the terminal.
func TestOutput(t *testing.T) {
	list := []wire.Team{{ID: 7, UID: "u", Name: "a\x1b[31m\tred\nline", Email: ""}, {ID: 12, UID: "uu", Name: "<b>&", MemberCount: 3}}
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") != "1" {
			answer(t, w, wire.Teams{})
			return
		}
		answer(t, w, wire.Teams{Teams: list})
	})
	want := "ID  UID  NAME             EMAIL  MEMBERS\n7   u    a�[31m�red�line  -      0\n12  uu   <b>&             -      3\n"
	if diff := cmp.Diff(want, hallpass(t, "", "team", "list")); diff != "" {
		t.Errorf("the table differs (-want +got):\n%s", diff)
	}
	text := hallpass(t, "", "team", "list", "-o", "json")
	var got []wire.Team
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, got); diff != "" {
		t.Errorf("the JSON differs (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(text, "[\n  {\n    \"id\": 7,\n") || strings.Contains(text, "\x1b") || !strings.Contains(text, `"<b>&"`) {
		t.Errorf("the JSON is %s", text)
	}
	refused(t, "", "--output must be table or json", "team", "list", "-o", "yaml")
}

// TestErrors turns each error of a server into one line that says what to do.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		status     int
		body, want string
	}{
		{401, `{"message":"Expired API key","messageId":"api-key.expired"}`, "401: Expired API key: log in again with \"hallpass login\""},
		{403, `{"message":"You'll need additional permissions to perform this action. Permissions needed: teams:read"}`, "403: permission needed: teams:read (\"hallpass explain teams:read\" lists the roles that give it)"},
		{403, `{"message":"You'll need additional permissions to perform this action. Permissions needed: any of teams:read, teams:write"}`, "403: permission needed: any of teams:read, teams:write"},
		{403, `{"message":"Permission denied"}`, "403: Permission denied"},
		{400, `{"message":"Bad request data","error":"query is too long"}`, "400: Bad request data: query is too long"},
		{500, `{"message":"two\nlines \u001b[31m"}`, "500: two�lines �[31m"},
		{502, `<h1>no</h1>`, "502: Bad Gateway"},
		{200, `<h1>hello</h1>`, "the answer is not the API's JSON"},
	} {
		fake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			if _, err := io.WriteString(w, tt.body); err != nil {
				t.Error(err)
			}
		})
		refused(t, "", tt.want, "team", "list")
	}
}

// TestAsks deletes nothing when nobody can be asked and --yes is not given.
func TestAsks(t *testing.T) {
	var changes []string
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			changes = append(changes, r.Method+" "+r.URL.Path)
			answer(t, w, wire.Message{Message: "done"})
			return
		}
		if strings.HasSuffix(r.URL.Path, "/tokens") {
			answer(t, w, []wire.Token{{ID: 4, Name: "t"}})
			return
		}
		answer(t, w, map[string]any{"id": 7, "uid": "u7", "name": "seven", "login": "seven"})
	})
	for _, tt := range []struct{ line, call string }{
		{"sa delete 7", "DELETE /api/serviceaccounts/7"}, {"token delete 7 t", "DELETE /api/serviceaccounts/7/tokens/4"},
		{"role delete u7", "DELETE /api/access-control/roles/u7"}, {"team delete 7", "DELETE /api/teams/7"}, {"user delete 7", "DELETE /api/admin/users/7"},
		{"org delete 7", "DELETE /api/orgs/7"},
	} {
		changes = nil
		refused(t, "y\n", "add --yes", words(tt.line)...) // an answer from a pipe does not come from a person
		if len(changes) > 0 {
			t.Errorf("%s: unasked, it called %v", tt.line, changes)
		}
		if out := hallpass(t, "", append(words(tt.line), "--yes", "-o", "json")...); out != "{\n  \"message\": \"done\"\n}\n" {
			t.Errorf("%s prints %q", tt.line, out)
		}
		if diff := cmp.Diff([]string{tt.call}, changes); diff != "" {
			t.Errorf("%s: the calls differ (-want +got):\n%s", tt.line, diff)
		}
	}
}

// TestWhichToken deletes a token only if it is named without doubt.
func TestWhichToken(t *testing.T) {
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("it calls %s %s", r.Method, r.URL)
		}
		if strings.HasSuffix(r.URL.Path, "/tokens") {
			answer(t, w, []wire.Token{{ID: 5, Name: "twin", HasExpired: true}, {ID: 6, Name: "twin"}, {ID: 7, Name: "8"}})
			return
		}
		answer(t, w, wire.ServiceAccountProfile{ID: 7, Name: "ci"})
	})
	refused(t, "", "2 tokens of the account have the name", "token", "delete", "7", "twin", "--yes")
	refused(t, "", `has no token "8"`, "token", "delete", "7", "8", "--yes")
	refused(t, "", `has no token "t"`, "token", "delete", "7", "t", "--yes")
}

// TestTTL reads lifetimes.
func TestTTL(t *testing.T) {
	var sent []byte
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			var err error
			if sent, err = io.ReadAll(r.Body); err != nil {
				t.Error(err)
			}
			answer(t, w, wire.NewToken{ID: 1, Name: "t", Key: sample})
			return
		}
		answer(t, w, wire.ServiceAccountProfile{ID: 7, Name: "ci"})
	})
	for text, want := range map[string]int64{
		"30d": 2592000, "12h": 43200, "1d12h": 129600, "90m": 5400, "1s": 1, "never": 0, "36500d": 3153600000,
		"": -1, "0": -1, "0d": -1, "-1h": -1, "-1d": -1, "30": -1, "1.5s": -1, "1ms": -1, "forever": -1, "36501d": -1, "9999999999999d": -1, "d": -1, "1d-1h": -1, "1dd": -1,
	} {
		args := []string{"token", "create", "7", "t", "--ttl", text}
		sent = nil
		if want < 0 {
			refused(t, "", "--ttl", args...)
			if sent != nil {
				t.Errorf("--ttl %q was sent: %s", text, sent)
			}
			continue
		}
		var in wire.CreateToken
		out := hallpass(t, "", args...)
		if err := json.Unmarshal(sent, &in); err != nil || in.SecondsToLive != want || out != sample+"\n" {
			t.Errorf("--ttl %q: %d, %v and %q; want %d", text, in.SecondsToLive, err, out, want)
		}
	}
}

// TestRoleFile makes roles from files that role get printed. It refuses a field that
// roles do not have.
func TestRoleFile(t *testing.T) {
	start(t)
	hallpass(t, "", "role", "create", "first", "--uid", "first", "-p", "teams:read@teams:*", "--description", "reads")
	text := hallpass(t, "", "role", "get", "first", "-o", "json")
	file := filepath.Join(t.TempDir(), "role.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got wire.Role
	if err := json.Unmarshal([]byte(hallpass(t, text, "role", "create", "second", "--uid", "second", "--file", "-", "--group", "G", "-o", "json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "second" || got.Description != "reads" || got.Group != "G" || len(got.Permissions) != 1 || got.Permissions[0].Scope != "teams:*" {
		t.Errorf("the copy is %+v", got)
	}
	hallpass(t, "", "role", "update", "first", "--file", file, "--description", "")
	refused(t, "", "the file has version 1, the server 2", "role", "update", "first", "--file", file)
	refused(t, "", "no such file", "role", "update", "first", "--file", file+"x")
	refused(t, "", "no change is given", "role", "update", "first")
	for in, says := range map[string]string{
		`{"name":"x","permisions":[]}`: "unknown field", `{"name":`: "not a role", `[]`: "not a role", `{}`: "needs a name",
	} {
		refused(t, in, says, "role", "create", "--file", "-")
	}
	refused(t, "", "user:NAME", "role", "assign", "first", "admin")
	refused(t, "", "user:NAME", "role", "assign", "first", "user:")
	refused(t, "", `no user is called "nobody"`, "role", "assign", "first", "user:admin", "user:nobody")
	if out := hallpass(t, "", "role", "assignments", "first"); out != "KIND  ID  NAME\n" {
		t.Errorf("an assignment that was refused gave the role to\n%s", out)
	}
}

// TestUsage gives wrong arguments: the error says what the command takes.
func TestUsage(t *testing.T) {
	home(t)
	for line, says := range map[string]string{
		"sa get": "hallpass serviceaccount get takes ACCOUNT", "sa get a b": "takes ACCOUNT", "token create ci": "takes ACCOUNT NAME", "explain": "takes ACTION [SCOPE]",
		"role assign r": "takes ROLE TO...", "sa list x": "takes no argument", "org members a b": "takes [ORG]", "sa get|": "an argument is empty",
		"role nonsense": "it has list, get, create, update", "login|ftp://x": "must be a URL", "login|http://": "must be a URL", "login --org -1": "--org must be the id of an org",
		"context use x": "no such context",
	} {
		refused(t, "", says, words(line)...)
	}
	for _, line := range []string{"sa", "token", "role", "team", "user", "org", "context"} {
		if out := hallpass(t, "", line); !strings.Contains(out, "Available Commands:") {
			t.Errorf("hallpass %s prints %q", line, out)
		}
	}
}

// TestManual finds every command and every flag in the manual.
func TestManual(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := strings.ReplaceAll(string(text), "hallpass sa ", "hallpass serviceaccount ")
	root := &cobra.Command{Use: "hallpass"}
	root.AddCommand(cli.Commands(nil)...)
	seen := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Runnable() && !cmd.HasSubCommands() {
			seen++
			if !strings.Contains(manual, cmd.CommandPath()) {
				t.Errorf("the manual has no %s", cmd.CommandPath())
			}
		}
		for _, flags := range []string{cmd.LocalFlags().FlagUsages(), cmd.PersistentFlags().FlagUsages()} {
			for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(flags, -1) {
				if !strings.Contains(manual, flag) {
					t.Errorf("the manual has no %s of %s", flag, cmd.CommandPath())
				}
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	if seen < 40 {
		t.Errorf("only %d commands were seen: this test does not look where it should", seen)
	}
}

// TestExplainTellsEachWayOnce explains permissions from many grants: each way in
// which they are held is told once, in words.
func TestExplainTellsEachWayOnce(t *testing.T) {
	s := start(t)
	for i := range 9 {
		if r := s.Do(hallpasstest.Admin, "POST", "/api/folders", fmt.Sprintf(`{"uid":"f%d","title":"f%d"}`, i, i)); r.StatusCode != 200 {
			t.Fatal(r.Text)
		}
	}
	s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`)
	for i := range 9 {
		path := fmt.Sprintf("/api/access-control/folders/f%d/users/2", i)
		if r := s.Do(hallpasstest.Admin, "POST", path, `{"permission":"Edit"}`); r.StatusCode != 200 {
			t.Fatal(r.Text)
		}
	}
	out := hallpass(t, "", "explain", "--principal", "sa:ci", "dashboards:read")
	want := `allowed: service account ci may do dashboards:read
  by access given to the basic role Viewer: dashboards:read@folders:uid:f0, dashboards:read@folders:uid:f1, dashboards:read@folders:uid:f2 and 6 more
  by access given to it: dashboards:read@folders:uid:f0, dashboards:read@folders:uid:f1, dashboards:read@folders:uid:f2 and 6 more
`
	if out != want {
		t.Errorf("explain prints\n%s\nwant\n%s", out, want)
	}
}

// TestRoleWithASlip makes a role with a misspelt action, and gets a warning; none when a
// guard asks for an action that is spelt so.
func TestRoleWithASlip(t *testing.T) {
	s := start(t)
	r := run(t.Context(), strings.NewReader(""), "role", "create", "reader", "-p", "dashbord:reed", "-p", "prometheus:query", "-p", "teams:read")
	if want := "note: Hallpass does not know dashbord:reed: did you mean dashboards:read?\n"; r.err != nil || r.errs != want {
		t.Errorf("role create says %q, %v; want %q", r.errs, r.err, want)
	}
	hallpasstest.NewGuard(t, s.Store(), domain.Guard{Name: "app", Org: 1, Rules: []domain.GuardRule{
		{Methods: []string{"GET"}, Path: "/items", Need: domain.Need{Kind: domain.NeedPermission, Action: "items:read"}},
	}})
	hallpass(t, "", "sa", "create", "ci", "--role", "None")
	for _, line := range []string{"role create items -p items:read", "explain items:read", "role assign items sa:ci", "token create ci t --ttl 1d -p items:read"} {
		if r := run(t.Context(), strings.NewReader(""), words(line)...); r.err != nil || strings.Contains(r.out+r.errs, "did you mean") {
			t.Errorf("%s: %v, and it says %s%s", line, r.err, r.out, r.errs)
		}
	}
	said(t, "", "note: Hallpass does not know tems:read: did you mean teams:read?", "role", "create", "slip", "-p", "tems:read")
}
