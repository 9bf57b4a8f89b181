//go:build !client && !windows

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// checkedBy runs config check.
func checkedBy(t *testing.T, environ []string, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := program{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, environ: environ}
	status = p.run(t.Context(), append([]string{"config", "check"}, args...))
	return status, stdout.String(), stderr.String()
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const checkedFile = `[server]
root_url = "https://h.example.com"
trusted_proxies = ["10.0.0.0/8", "::1"]
[smtp]
password = "hunter2 in a file"
from_name = "a \"b\" \u007f\t\u2028 <c>"
[guard]
grpc_listen = ""
[guard.prom]
upstream = "http://127.0.0.1:9090"
[[guard.prom.rule]]
path = "/{rest...}"
role = "Viewer"
`

// TestConfigCheck prints settings of every origin. Read back as a file, the output has the
// same settings, without the secrets.
func TestConfigCheck(t *testing.T) {
	path, password := written(t, "hallpass.toml", checkedFile), written(t, "password", "hunter2 and some more\n")
	environ := []string{"HALLPASS_NOTICES_DAYS=9,8", "HALLPASS_SECURITY_ADMIN_PASSWORD_FILE=" + password}
	args := []string{"--config", path, "--listen", "[::1]:4000", "--data", filepath.Join(t.TempDir(), "data")}
	status, out, errs := checkedBy(t, environ, args...)
	if status != 0 || errs != "" {
		t.Fatalf("exit %d: %s", status, errs)
	}
	if strings.Contains(out, "hunter2") {
		t.Errorf("it prints a secret:\n%s", out)
	}
	squeezed := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		`root_url = "https://h.example.com" # ` + path + ":2 ", `http_addr = "::1" # --listen`, `http_port = 4000 # --listen`, "days = [9, 8] # HALLPASS_NOTICES_DAYS",
		`# admin_password = "*********" # HALLPASS_SECURITY_ADMIN_PASSWORD_FILE=` + password + " ", `# password = "*********" # ` + path + ":5 ", `level = "info" # default`,
		"# " + path + `:9 [guard.prom] upstream = "http://127.0.0.1:9090" [[guard.prom.rule]]`,
	} {
		if !strings.Contains(squeezed, want) {
			t.Errorf("it does not print %s:\n%s", want, out)
		}
	}
	first := program{environ: environ}
	first.flags = flags{config: path, listen: "[::1]:4000"}
	want, err := first.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	again := program{}
	again.flags.config = written(t, "again.toml", out)
	got, err := again.loadConfig()
	if err != nil {
		t.Fatalf("what it prints is no file of settings: %v\n%s", err, out)
	}
	want.SMTP.Password, want.Security.AdminPassword, want.ConfigFile, got.ConfigFile = secret.Text{}, secret.Text{}, "", ""
	if d := cmp.Diff(got.Guards, want.Guards); d != "" || !sameSettings(got, want) {
		t.Errorf("read back, the settings are others: %s\n%s", d, out)
	}
	if left, err := os.ReadDir(filepath.Dir(args[5])); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestConfigCheckJSON prints the same as JSON: every setting with its origin.
func TestConfigCheckJSON(t *testing.T) {
	path := written(t, "hallpass.toml", checkedFile)
	status, out, errs := checkedBy(t, nil, "--config", path, "--data", t.TempDir(), "-o", "json")
	var got checked
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 || errs != "" || !got.Valid || strings.Contains(out, "hunter2") {
		t.Fatalf("exit %d, %v: %s%s", status, err, errs, out)
	}
	c := server.DefaultConfig()
	if want := keysOf(settings(&c)); len(got.Settings) != len(want) {
		t.Errorf("%d settings, want %d", len(got.Settings), len(want))
	}
	for _, want := range []effective{
		{Key: "smtp.password", Value: "*********", Origin: path + ":5", Secret: true}, {Key: "server.root_url", Value: "https://h.example.com", Origin: path + ":2"},
		{Key: "server.http_port", Value: 3080.0, Origin: "default"}, {Key: "metrics.basic_auth_password", Value: "", Origin: "default", Secret: true},
	} {
		if !slices.ContainsFunc(got.Settings, func(e effective) bool { return cmp.Equal(e, want) }) {
			t.Errorf("there is no %+v in\n%s", want, out)
		}
	}
	if _, ok := got.Guards["prom"]; !ok {
		t.Errorf("the guard is missing in\n%s", out)
	}
}

// TestConfigCheckRefuses checks settings with which no server would start: all reasons that
// are found are told, each with its place, and the status is 2.
func TestConfigCheckRefuses(t *testing.T) {
	here := t.TempDir()
	files := filepath.Dir(written(t, "a.toml", "[org.shop]\nnmae = \"Shop\"\n"))
	for _, tt := range []struct {
		name, config string
		environ      []string
		says         []string // with FILE for the file
	}{
		{"unknown keys", "[server]\nhttp_prot = 1\n\n[sever]\nx = 1\ny = 2\n", nil, []string{
			"FILE:2: unknown key server.http_prot: did you mean server.http_port?", "FILE:4: unknown section [sever]: did you mean [server]?"}},
		{"values", "[server]\nhttp_port = true\n[log]\nlevel = 3\n", nil, []string{"FILE:2: server.http_port: the value must be a whole number, without quotes", `FILE:4: log.level: the value must be text in quotes, as in key = "value"`}},
		{"variables", "", []string{"HALLPASS_LOG_LEVL=x", "HALLPASS_SERVER_HTTP_PORT=x"}, []string{"unknown environment variable HALLPASS_LOG_LEVL: did you mean HALLPASS_LOG_LEVEL?", "HALLPASS_SERVER_HTTP_PORT: the value must be a whole number"}},
		{"files", "[server]\nprotocol = \"https\"\ncert_file = \"" + here + "/c\"\ncert_key = \"" + here + "/k\"\nsocket = \"" + here + "/no/s\"\n[database]\npath = \"" + here + "/no/x.db\"\n", nil, []string{
			"FILE:3: server.cert_file: open " + here + "/c: no such file or directory", "FILE:5: server.socket: stat " + here + "/no: no such file or directory", "FILE:7: database.path: stat " + here + "/no: no such file or directory"}},
		{"socket", "[server]\nsocket = \"" + here + "\"\n", nil, []string{"FILE:2: server.socket: " + here + " is there already and is not a socket: choose another path, or move it away"}},
		{"provisioning files", "[provisioning]\npath = \"" + files + "\"\n", nil, []string{"FILE:2: provisioning.path: a.toml:2: unknown key org.shop.nmae: did you mean org.shop.name?"}},
		{"password", "", []string{"HALLPASS_SECURITY_ADMIN_PASSWORD=hunter2"}, []string{
			"HALLPASS_SECURITY_ADMIN_PASSWORD: security.admin_password: Password is shorter than 15 characters (auth.basic.password_policy = false allows any that is not empty)"}},
	} {
		path := written(t, "hallpass.toml", tt.config)
		want := strings.ReplaceAll("hallpass: "+strings.Join(tt.says, "\nhallpass: ")+"\n", "FILE", path)
		args := []string{"--config", path, "--data", filepath.Join(here, "data")}
		if status, out, errs := checkedBy(t, tt.environ, args...); status != notValid || out != "" || errs != want {
			t.Errorf("%s: exit %d, %q and %s, want %s", tt.name, status, out, errs, want)
		}
		status, out, _ := checkedBy(t, tt.environ, append(args, "-o", "json")...)
		var got checked
		if err := json.Unmarshal([]byte(out), &got); err != nil || status != notValid || got.Valid || len(got.Errors) != len(tt.says) || len(got.Settings) > 0 {
			t.Errorf("%s: exit %d, %v, %s", tt.name, status, err, out)
		}
	}
}

// TestConfigCheckNotes checks settings of which something cannot be known now: a note says
// what, and the settings are valid. The data directory is looked at only if it is named,
// also when one of the default name is there.
func TestConfigCheckNotes(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	if err := os.WriteFile("data", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unseen := "--data was not given: the data directory was not looked at"
	weak := []string{"HALLPASS_SECURITY_ADMIN_PASSWORD=hunter2"}
	socket := "[server]\nsocket = \"%s/hallpass.sock\"\n"
	for _, tt := range []struct {
		name, config string
		environ      []string
		args, notes  []string // with FILE for the file
		refuses      string
	}{
		{"all is known", "", nil, []string{"--data", here + "/new"}, nil, ""},
		{"a file of that name", "", nil, []string{"--data", "data"}, nil, "--data: data is not a folder"},
		{"no data directory", "", nil, nil, []string{unseen}, ""},
		{"no data directory, and a first password", "", weak, nil, []string{unseen + ", nor whether a first start would take security.admin_password"}, ""},
		{"no data directory, and a password that is never set", "[security]\ndisable_initial_admin_creation = true\n", weak, nil, []string{unseen}, ""},
		{"no data directory, and a database elsewhere", "[database]\npath = \"" + here + "/x.db\"\n", weak, nil, []string{unseen}, "Password is shorter than 15 characters"},
		{"the unit is stopped", strings.ReplaceAll(socket, "%s", "/run/no-such-unit"), nil, []string{"--data", here + "/new"},
			[]string{"FILE:2: server.socket: there is no /run/no-such-unit now: systemd makes it at the start of a unit that has RuntimeDirectory=no-such-unit"}, ""},
		{"by the old name", strings.ReplaceAll(socket, "%s", "/var/run/no-such-unit/deep"), nil, []string{"--data", here + "/new"},
			[]string{"FILE:2: server.socket: there is no /var/run/no-such-unit/deep now: systemd makes it at the start of a unit that has RuntimeDirectory=no-such-unit/deep"}, ""},
		{"a name that begins as /run does", strings.ReplaceAll(socket, "%s", "/running/hallpass"), nil, []string{"--data", here + "/new"}, nil, "no such file or directory"},
	} {
		path := written(t, "hallpass.toml", tt.config)
		args := append([]string{"--config", path, "-o", "json"}, tt.args...)
		var got checked
		status, out, errs := checkedBy(t, tt.environ, args...)
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%s: %v: %s", tt.name, err, out)
		}
		for i, n := range got.Notes {
			if !strings.Contains(errs, "hallpass: note: "+n+"\n") {
				t.Errorf("%s: stderr has no note %s: %s", tt.name, n, errs)
			}
			got.Notes[i] = strings.ReplaceAll(n, path, "FILE")
		}
		if !slices.Equal(got.Notes, tt.notes) {
			t.Errorf("%s: the notes are %q, want %q", tt.name, got.Notes, tt.notes)
		}
		if valid := tt.refuses == ""; got.Valid != valid || (status == 0) != valid || !strings.Contains(strings.Join(got.Errors, "\n"), tt.refuses) {
			t.Errorf("%s: exit %d and %q, want %q", tt.name, status, got.Errors, tt.refuses)
		}
		if _, out, _ := checkedBy(t, tt.environ, args[:2]...); strings.Contains(out, "data directory:") {
			t.Errorf("%s: it tells of a data directory that was not named:\n%s", tt.name, out)
		}
	}
}
