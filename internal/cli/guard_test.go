package cli_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/wire"
)

const guardsFile = `
[guard.prom]
upstream = "http://127.0.0.1:9090"
preset = "prometheus"

[guard.loki]
path_allow = ["%2f"]

[[guard.loki.rule]]
methods = ["GET"]
path = "/ready"
public = true

[[guard.loki.rule]]
path = "/loki/api/v1/{rest...}"
action = "loki:read"
scope = "loki:tenants:{tenant}"
captures = { tenant = "header:X-Scope-OrgID" }
`

// TestGuards applies a file, changes it and applies it again, and tests requests.
func TestGuards(t *testing.T) {
	start(t)
	file := filepath.Join(t.TempDir(), "guards.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	apply := func(in string, says ...string) {
		t.Helper()
		r := run(t.Context(), strings.NewReader(in), "guard", "apply", "--yes", file)
		for _, s := range says {
			if r.err != nil || !strings.Contains(r.errs, s) {
				t.Errorf("apply says %s, want %q", r.errs, s)
			}
		}
	}
	write(guardsFile)
	refused(t, "", "add --yes", "guard", "apply", file)
	if out := hallpass(t, "", "guard", "list", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("made without being asked for: %s", out)
	}
	apply("", "create guard loki", `path_allow: "" -> "%2f"`, "+ rule 1: GET /ready needs public", "create guard prom", "warning: guard loki, rule 2: Only Admins hold loki:read", "Applied 2 guards.")
	apply("", "The guards are as the file has them.")
	write(strings.Replace(guardsFile, "public = true", `role = "Viewer"`, 1))
	apply("", "change guard loki", "- rule 1: GET /ready needs public", "+ rule 1: GET /ready needs role Viewer", "Applied 1 guard.")
	if out := hallpass(t, "", "guard", "list"); !strings.Contains(out, "loki") || !strings.Contains(out, "prometheus") {
		t.Errorf("the list: %s", out)
	}
	list := hallpass(t, "", "guard", "list")
	if row := regexp.MustCompile(`(?m)^prom .* prometheus +(\d+) `).FindStringSubmatch(list); row == nil || row[1] != "20" {
		t.Errorf("the list does not count the rules of the preset:\n%s", list)
	}
	if out := hallpass(t, "", "guard", "get", "prom"); !strings.Contains(out, "rule 20") || !strings.Contains(out, "GET /{rest...} needs prometheus:query (from the preset)") {
		t.Errorf("the guard of a preset: %s", out)
	}
	if out := hallpass(t, "", "guard", "show", "loki"); !strings.Contains(out, "any /loki/api/v1/{rest...} needs loki:read@loki:tenants:{tenant}, with tenant=header:X-Scope-OrgID") {
		t.Errorf("the guard: %s", out)
	}

	hallpass(t, "", "serviceaccount", "create", "reader", "--role", "Viewer")
	key := strings.TrimSpace(hallpass(t, "", "token", "create", "reader", "t", "--ttl", "never"))
	ask := func(in string, status int, says string, args ...string) {
		t.Helper()
		r := run(t.Context(), strings.NewReader(in), append([]string{"guard", "test"}, args...)...)
		var exit *cli.ExitError
		got := 0
		if errors.As(r.err, &exit) {
			got = exit.Status
		} else if r.err != nil {
			got = 1
		}
		if got != status || !strings.Contains(r.out+r.errs, says) {
			t.Errorf("guard test %v: status %d, %s%s; want %d with %q", args, got, r.out, r.errs, status, says)
		}
	}
	ask("", 0, "allowed", "GET", "/ready", "--guard", "loki", "--account", "reader")
	ask("", 0, "needs     role Viewer\ngiven by  basic:viewer", "GET", "/ready", "--guard", "loki", "--account", "reader")
	ask("", 0, "needs    nothing", "GET", "/-/healthy", "--guard", "prom")
	ask(key+"\n", 0, "allowed", "GET", "/ready", "--guard", "loki", "--token-stdin")
	ask("", 3, "401 auth.unauthorized", "GET", "/ready", "--guard", "loki")
	ask("", 3, "rule      2 (any /loki/api/v1/{rest...})\naccount   sa-1-reader\nneeds     loki:read@loki:tenants:a (missing)\ngiven by  basic:admin", "GET", "/loki/api/v1/query", "--guard", "loki", "--account", "reader", "--header", "X-Scope-OrgID: a")
	ask("", 3, "none matches", "DELETE", "/x", "--guard", "loki", "--account", "reader")
	ask("", 1, "name one with --guard", "GET", "/ready")
	ask("", 1, "404", "GET", "/ready", "--guard", "nosuch")
	ask("", 1, "There is no service account with this ID, uid, login or name", "GET", "/ready", "--guard", "loki", "--account", "nosuch")
	ask("", 1, "exclude each other", "GET", "/ready", "--guard", "loki", "--account", "reader", "--token-stdin")
	ask("", 1, "reads like", "GET", "/ready", "--guard", "loki", "--header", "x")
	ask("", 1, "never an argument", "GET", "/"+key, "--guard", "loki")
	var answer wire.GuardTest
	r := run(t.Context(), strings.NewReader(""), "guard", "test", "GET", "/ready", "--guard", "loki", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &answer); err != nil || answer.Status != 401 || answer.Rule != 1 {
		t.Errorf("as JSON: %s, %v", r.out, err)
	}
}

// TestGuardFiles applies files that are wrong: each is refused with what is wrong, and
// nothing is made.
func TestGuardFiles(t *testing.T) {
	start(t)
	for name, tt := range map[string]struct{ text, says string }{
		"no TOML":           {"[guard.a]\nx = = 1", "-:2: the file is not TOML"},
		"nothing":           {"", "the file has no guard"},
		"another section":   {"[guard.a]\n[server]\nhttp_port = 1", "unknown key server"},
		"a key of a guard":  {"[guard.a]\nupstraem = \"x\"", "unknown key guard.a.upstraem: did you mean guard.a.upstream?"},
		"a key of a rule":   {"[guard.a]\n[[guard.a.rule]]\npath = \"/\"\npublik = true", "rule 1: unknown key guard.a.rule.publik: did you mean guard.a.rule.public?"},
		"a type":            {"[guard.a]\nupstream = 1", "guard.a.upstream: the value must be text in quotes"},
		"a setting":         {"[guard]\ngrpc_listen = \"127.0.0.1:1\"\n[guard.a]\npreset = \"loki\"", "unknown key guard.grpc_listen: the file holds guards and nothing else"},
		"an address":        {"[guard.a]\nlisten = \"127.0.0.1:9091\"", "guard.a.listen can be set in the server's configuration file alone"},
		"a timeout":         {"[guard.a]\ntimeout = \"long\"", "not a duration like 90s"},
		"two needs":         {"[guard.a]\n[[guard.a.rule]]\npath = \"/\"\npublic = true\nrole = \"Viewer\"", "Rule 1: the rule says exactly one of"},
		"an unknown preset": {"[guard.a]\npreset = \"prom\"", "hallpass: guard a: 400: Bad request data: There is no preset"},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t.Context(), strings.NewReader(tt.text), "guard", "apply", "--yes", "-")
			if r.err == nil || !strings.Contains(r.errs, tt.says) || r.out != "" {
				t.Errorf("%s%s, want %q", r.out, r.errs, tt.says)
			}
		})
	}
	if out := hallpass(t, "", "guard", "list", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("made: %s", out)
	}
}
