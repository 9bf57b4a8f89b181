//go:build !client && !windows

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestManual holds docs/configuration.md to the settings there are.
func TestManual(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	c := server.DefaultConfig()
	for _, s := range settings(&c) {
		if !strings.Contains(string(text), "| `"+s.key+"` | `"+s.env+"` |") {
			t.Errorf("docs/configuration.md has no row for %s and %s", s.key, s.env)
		}
	}
}

// TestKeyHints tries the names that are no settings and have a hint, in a file and as a
// variable: each hint names settings that there are, and a name that is almost that of a
// setting has that one for a hint.
func TestKeyHints(t *testing.T) {
	c := server.DefaultConfig()
	known := settings(&c)
	byKey := make(map[string]setting)
	for _, s := range known {
		byKey[s.key] = s
	}
	hint := func(name string) string {
		err := validateKey(name, "String", []toml.Key{strings.Split(name, ".")}, known)
		if err == nil {
			t.Errorf("%s is a setting", name)
			return ""
		}
		_, says, _ := strings.Cut(err.Error(), "did you mean ")
		return says
	}
	envHint := func(name string) string {
		return strings.TrimPrefix(fmt.Sprint((&reading{config: server.DefaultConfig(), origins: make(map[string]string)}).readEnv([]string{name + "=1"})), "unknown environment variable "+name+": did you mean ")
	}
	for name, means := range otherKeys {
		if got := hint(name); got != means+"?" {
			t.Errorf("%s: %q, want %q", name, got, means)
		}
		var variables []string
		for _, key := range strings.Split(means, " and ") {
			if s, ok := byKey[key]; ok {
				variables = append(variables, s.env)
			} else if means != "the flag --data" {
				t.Errorf("%s: there is no setting %s", name, key)
			}
		}
		want := strings.Join(variables, " and ")
		if variables == nil {
			want = means
		}
		if got := envHint(variable(name)); got != want+"?" && !ignoredEnv(variable(name)) {
			t.Errorf("%s: %q, want %q", variable(name), got, want)
		}
	}
	for _, s := range known {
		if got := hint(s.key + "x"); got != s.key+"?" {
			t.Errorf("%sx: %q", s.key, got)
		}
		if got := envHint(s.env + "X"); got != s.env+"?" {
			t.Errorf("%sX: %q", s.env, got)
		}
	}
}

// TestSettings starts the program with settings that must not be taken: it
// says which, and never repeats a value that may be a secret.
func TestSettings(t *testing.T) {
	file := func(text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "hallpass.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct{ name, config, env, flag, says string }{
		{"unknown key", "[server]\nhttp_prot = 1", "", "", "unknown key server.http_prot: did you mean server.http_port?"},
		{"unknown section", "[sever]\nhttp_port = 1", "", "", "unknown section [sever]: did you mean [server]?"},
		{"unknown section of a section", "[auth.basik]\nenabled = true", "", "", "unknown section [auth.basik]: did you mean [auth.basic]?"},
		{"key of another section", "[server]\nlevel = \"debug\"", "", "", "unknown key server.level: did you mean log.level?"},
		{"key without a section", "http_port = 1", "", "", "unknown key http_port: did you mean server.http_port?"},
		{"nothing like it", "qqq = 1", "", "", "unknown key qqq: docs/configuration.md lists them all"},
		{"nothing like it in a section", "[log]\nqqqqqqqq = 1", "", "", "unknown key log.qqqqqqqq: there are log.level, log.format"},
		{"variable like none", "", "HALLPASS_QQQ=1", "", "unknown environment variable HALLPASS_QQQ: docs/configuration.md lists them all"},
		{"flag as a key", "[server]\nlisten = \"127.0.0.1:3080\"", "", "", "unknown key server.listen: did you mean server.http_addr and server.http_port?"},
		{"flag as a variable", "", "HALLPASS_LISTEN=:3080", "", "unknown environment variable HALLPASS_LISTEN: did you mean HALLPASS_SERVER_HTTP_ADDR and HALLPASS_SERVER_HTTP_PORT?"},
		{"key in two spellings", "[database]\nmax_staleness = \"5s\"\nMax_Staleness = \"9s\"", "", "", "database.Max_Staleness and database.max_staleness are two spellings of one setting: keep database.max_staleness"},
		{"section in two spellings", "[server]\nhttp_port = 1\n[Server]\nhttp_port = 2", "", "", "Server and server are two spellings of one setting: keep server"},
		{"key in another spelling", "[database]\nMax_Staleness = \"9s\"", "", "", "unknown key database.Max_Staleness: did you mean database.max_staleness?"},
		{"section in another spelling", "[Log]\nlevel = \"info\"", "", "", "unknown section [Log]: did you mean [log]?"},
		{"section many times", "[[server]]\nhttp_port = 1", "", "", "server is a section: write [server]"},
		{"section with a value", "server = 1", "", "", "server is a section: write [server]"},
		{"variable in another spelling", "", "Hallpass_Server_HTTP_Port=1", "", "unknown environment variable Hallpass_Server_HTTP_Port: did you mean HALLPASS_SERVER_HTTP_PORT?"},
		{"variable of a mistyped section", "", "HALLPASS_SEVER_HTTP_PORT=1", "", "did you mean HALLPASS_SERVER_HTTP_PORT?"},
		{"secret's file as a key", "[smtp]\npassword_file = \"/x\"", "", "", "hallpass.toml:2: unknown key smtp.password_file: a file with the secret is named by the environment variable HALLPASS_SMTP_PASSWORD_FILE"},
		{"second unknown key", "[server]\nhttp_prot = 1\n[log]\nlevl = 1", "", "", "hallpass.toml:4: unknown key log.levl: did you mean log.level?"},
		{"value of a line", "[server]\nroot_url = \"nothing\"", "", "", "hallpass.toml:2: server.root_url: "},
		{"value of a variable", "", "HALLPASS_LOG_LEVEL=loud", "", "HALLPASS_LOG_LEVEL: log.level: "},
		{"no TOML", "[server", "", "", "hallpass.toml:1:"},
		{"not quoted", "[server]\nroot_url = https://x", "", "", "text must be quoted"},
		{"secret not quoted", "[security]\nadmin_password = hunter2", "", "", "hallpass.toml:2: the file is not TOML, at or after security.admin_password"},
		{"secret of letters", "[security]\nadmin_password = hunterhunter", "", "", "text must be quoted"},
		{"secret half quoted", "[security]\nadmin_password = \"hunter2", "", "", "text must be quoted"},
		{"secret like a date", "[security]\nadmin_password = 2024-11-99", "", "", "text must be quoted"},
		{"secret like a number", "[security]\nadmin_password = 2024__1199", "", "", "text must be quoted"},
		{"secret in a table", "[security]\nadmin_password = { a = hunter2 }", "", "", "text must be quoted"},
		{"key twice", "[server]\nhttp_port = 1\nhttp_port = 2", "", "", "hallpass.toml:3: Key 'server.http_port' has already been defined."},
		{"text for a number", "[server]\nhttp_port = \"hunter2\"", "", "", "hallpass.toml:2: server.http_port: the value must be a whole number, without quotes"},
		{"fraction for a number", "[server]\nhttp_port = 80.5", "", "", "server.http_port: the value must be a whole number"},
		{"number for text", "[server]\nroot_url = 80", "", "", "server.root_url: the value must be text in quotes"},
		{"number for a secret", "[security]\nadmin_password = 20241199", "", "", "security.admin_password: the value must be text in quotes"},
		{"table for a secret", "[security]\nadmin_password = { a = \"hunter2\" }", "", "", "unknown key security.admin_password.a: did you mean security.admin_password?"},
		{"text for a truth", "[auth.basic]\nenabled = \"yes\"", "", "", "auth.basic.enabled: the value must be true or false, without quotes"},
		{"text for a list", "[server]\ntrusted_proxies = \"10.0.0.0/8\"", "", "", "server.trusted_proxies: the value must be a list of texts"},
		{"numbers for a list", "[server]\ntrusted_proxies = [10]", "", "", "server.trusted_proxies: the value must be a list of texts"},
		{"guard with an unknown key", "[guard.prom]\nupstrem = \"http://hunter2\"", "", "", "hallpass.toml:2: unknown key guard.prom.upstrem: did you mean guard.prom.upstream?"},
		{"rule with an unknown key", "[[guard.prom.rule]]\npath = \"/x\"\npublic = true\n[[guard.prom.rule]]\npaht = \"/\"", "", "", "rule 2: unknown key guard.prom.rule.paht: did you mean guard.prom.rule.path?"},
		{"guard in capitals", "[guard.Prom]\npreset = \"prometheus\"", "", "", "guard.Prom: The name of a guard has small letters"},
		{"guard many times", "[[guard.prom]]\npreset = \"prometheus\"", "", "", "guard.prom is a section: write [guard.prom]"},
		{"guards many times", "[[guard]]\npreset = \"prometheus\"", "", "", "guard is a section: write [guard], and its keys below"},
		{"gRPC on a port alone", "[guard]\ngrpc_listen = \"3081\"\n[guard.prom]\npreset = \"prometheus\"", "", "", "guard.grpc_listen: \"3081\" is not an address and port"},
		{"guard that is a setting", "[guard]\nprom = 1", "", "", "unknown key guard.prom"},
		{"guards in another spelling", "[Guard.prom]\npreset = \"prometheus\"", "", "", "unknown section [Guard.prom]"},
		{"one rule", "[guard.prom.rule]\npath = \"/\"", "", "", "guard.prom.rule is a list: write [[guard.prom.rule]] before each rule"},
		{"preset", "[guard.prom]\npreset = \"prometeus\"", "", "", "There is no preset \"prometeus\""},
		{"preflight", "[guard.prom]\npreflight = \"yes\"", "", "", "guard.prom: \"yes\" is neither refuse nor allow"},
		{"identity", "[guard.prom]\nidentity = [\"cookie\"]", "", "", "guard.prom: \"cookie\" is neither headers nor jwt"},
		{"upstream with a password", "[guard.prom]\nupstream = \"http://a:hunter2@h\"", "", "", "The upstream holds a user name or password"},
		{"two needs", "[[guard.prom.rule]]\npath = \"/\"\npublic = true\nrole = \"Viewer\"", "", "", "guard.prom: Rule 1: the rule says exactly one of public, role and action"},
		{"rule that never matches", "[[guard.prom.rule]]\npath = \"/{rest...}\"\npublic = true\n[[guard.prom.rule]]\npath = \"/a\"\npublic = true", "", "", "Rule 2 (any /a) can never match: rule 1"},
		{"captures", "[[guard.prom.rule]]\npath = \"/\"\npublic = true\ncaptures = \"hunter2\"", "", "", "guard.prom.rule.captures: the value must be a table of texts"},
		{"number in captures", "[[guard.prom.rule]]\npath = \"/\"\npublic = true\ncaptures = { a = 20241199 }", "", "", "guard.prom.rule.captures: the value must be a table of texts"},
		{"methods", "[[guard.prom.rule]]\npath = \"/\"\npublic = true\nmethods = \"GET\"", "", "", "guard.prom.rule.methods: the value must be a list of texts"},
		{"guard of no org", "[guard.prom]\norg = 77\npreset = \"prometheus\"", "", "", "guard.prom.org: 77: Organization not found"},
		{"guard of itself", "[server]\nroot_url = \"https://h.example.com\"\n[guard.prom]\nupstream = \"https://h.example.com/x\"", "", "", "guard.prom: The upstream is Hallpass itself"},
		{"unknown variable", "", "HALLPASS_SERVER_HTTPPORT=1", "", "did you mean HALLPASS_SERVER_HTTP_PORT?"},
		{"no number", "", "HALLPASS_SERVER_HTTP_PORT=hunter2", "", "HALLPASS_SERVER_HTTP_PORT: the value must be a whole number"},
		{"no truth", "", "HALLPASS_AUTH_BASIC_ENABLED=hunter2", "", "the value must be true or false"},
		{"port", "", "HALLPASS_SERVER_HTTP_PORT=70000", "", "server.http_port"},
		{"port of metrics", "", "HALLPASS_METRICS_HTTP_PORT=70000", "", "metrics.http_port: 70000 is not a port"},
		{"port in the address of metrics", "", "HALLPASS_METRICS_HTTP_ADDR=127.0.0.1:3082", "", "metrics.http_addr: \"127.0.0.1:3082\" has a port: that belongs into metrics.http_port"},
		{"address of no metrics", "[metrics]\nenabled = false\nhttp_port = 3082", "", "", "metrics.http_port: metrics.enabled is false"},
		{"user of metrics alone", "[metrics]\nbasic_auth_username = \"prometheus\"", "", "", "metrics.basic_auth_password: it is needed"},
		{"proxy", "", "HALLPASS_SERVER_TRUSTED_PROXIES=10.0.0.0/33", "", "server.trusted_proxies"},
		{"every proxy", "", "HALLPASS_SERVER_TRUSTED_PROXIES=::/0", "", "would trust every client"},
		{"root_url", "", "HALLPASS_SERVER_ROOT_URL=hallpass.example.com", "", "server.root_url"},
		{"postgres", "", "HALLPASS_DATABASE_TYPE=postgres", "", "database.url"},
		{"sslmode", "[database]\ntype = \"postgres\"\nurl = \"postgres://u:hunter2@h/x?sslmode=bogus\"", "", "", "database.url: sslmode must be one of disable, allow"},
		{"port of postgres", "[database]\ntype = \"postgres\"\nurl = \"postgres://u:hunter2@h:99999/x\"", "", "", "database.url: a port is not a number"},
		{"password not escaped", "[database]\ntype = \"postgres\"\nurl = \"postgres://u:hunter2/x@h/x\"", "", "", "database.url: the port is not a number from 1 to 65535, or the password holds"},
		{"another URL", "[database]\ntype = \"postgres\"\nurl = \"mysql://u:hunter2@h/x\"", "", "", "database.url: not a URL like postgres://"},
		{"certificate", "[database]\ntype = \"postgres\"\nurl = \"postgres://u:hunter2@h/x?sslrootcert=/nowhere\"", "", "", "/nowhere"},
		{"time-out of postgres", "[database]\ntype = \"postgres\"\nurl = \"postgres://u:hunter2@h/x?connect_timeout=x\"", "", "", "database.url: connect_timeout"},
		{"another database", "", "HALLPASS_DATABASE_TYPE=mysql", "", "database.type"},
		{"duration", "", "HALLPASS_AUTH_LOGIN_MAXIMUM_LIFETIME_DURATION=7", "", "auth.login_maximum_lifetime_duration"},
		{"level", "", "HALLPASS_LOG_LEVEL=loud", "", "log.level"},
		{"cookie", "", "HALLPASS_AUTH_LOGIN_COOKIE_NAME=a b", "", "auth.login_cookie_name"},
		{"short password", "", "HALLPASS_SECURITY_ADMIN_PASSWORD=hunter2", "", "security.admin_password: Password is shorter than 15 characters (auth.basic.password_policy = false allows any that is not empty)"},
		{"default password", "", "HALLPASS_SECURITY_ADMIN_PASSWORD=admin", "", "auth.basic.password_policy"},
		{"listen", "", "", "nowhere", "--listen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			args := []string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}
			if tt.flag != "" {
				args[4] = tt.flag
			} else if strings.Contains(tt.env, "HTTP_PORT=7") {
				args = args[:3]
			}
			if tt.config != "" {
				args = append(args, "--config", file(tt.config))
			}
			p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, environ: []string{"HALLPASS_TEST_X=1", "HALLPASS_PORT_3080_TCP=x", tt.env}}
			if status := p.run(t.Context(), args); status != 1 || !strings.Contains(errs.String(), tt.says) {
				t.Errorf("exit %d and %q, want 1 and %q", status, errs.String(), tt.says)
			}
			for _, value := range []string{"hunter", "2024-11", "2024__", "20241199"} {
				if strings.Contains(errs.String()+out.String(), value) {
					t.Errorf("the value is repeated: %s", errs.String())
				}
			}
		})
	}
}

func TestInspect(t *testing.T) {
	const good = "glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a"
	for _, tt := range []struct {
		name, in string
		args     []string
		status   int
		says     string
	}{
		{"good", good + "\n", nil, 0, "last four     f58a"},
		{"no newline", good, nil, 0, "6b59c03c30720987"},
		{"checksum", good[:45] + "b", nil, 1, "checksum is wrong"},
		{"short", good[:40], nil, 1, "it has 40 characters"},
		{"other prefix", "ghp_abc", nil, 1, "does not begin with glsa_"},
		{"nothing", "", nil, 1, "stdin is empty"},
		{"as an argument", "", []string{"inspect", good}, 1, "give the token on stdin"},
		{"without the verb", "", []string{good}, 1, "give the token on stdin"},
	} {
		var out, errs bytes.Buffer
		p := program{stdin: strings.NewReader(tt.in), stdout: &out, stderr: &errs}
		args := []string{"token", "inspect"}
		if tt.args != nil {
			args = append(args[:1], tt.args...)
		}
		status := p.run(t.Context(), args)
		all := out.String() + errs.String()
		if status != tt.status || !strings.Contains(all, tt.says) {
			t.Errorf("%s: exit %d and %q, want %d and %q", tt.name, status, all, tt.status, tt.says)
		}
		if strings.Contains(all, good[5:37]) {
			t.Errorf("%s: the token is repeated", tt.name)
		}
	}
}

// TestTokenInTheWrongPlace gives a token as an argument where none belongs: it
// is never repeated.
func TestTokenInTheWrongPlace(t *testing.T) {
	const token = "glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a"
	for _, args := range [][]string{
		{token}, {"serve", token}, {"token", token}, {"token", "inspect", "--" + token}, {"--" + token}, {"version", token},
		{"serve", "--listen", token}, {"serve", "--config", token}, {"completion", token}, {"admin", token},
	} {
		var out, errs bytes.Buffer
		p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
		if status := p.run(t.Context(), args); status == 0 && out.Len() == 0 || strings.Contains(out.String()+errs.String(), token[5:37]) {
			t.Errorf("%d words with a token: exit %d and %q", len(args), status, errs.String()+out.String())
		}
	}
}

// TestUnknownCommand runs commands that there are not, and asks for their help: the answer
// names the nearest one or where they are listed, and does not repeat the word, which may
// be a secret.
func TestUnknownCommand(t *testing.T) {
	for words, want := range map[string]string{
		"tokn list":             "there is no such command: did you mean token?",
		"serviceacount list":    "there is no such command: did you mean serviceaccount?",
		"violet-lamps-13 list":  "there is no such command: run \"hallpass --help\" to list the commands",
		"tokn --help":           "there is no such command: did you mean token?",
		"--help tokn":           "there is no such command: did you mean token?",
		"tokn list -h":          "there is no such command: did you mean token?",
		"help tokn":             "there is no such command: did you mean token?",
		"violet-lamps-13 -h":    "there is no such command: run \"hallpass --help\" to list the commands",
		"guard aply":            "guard has no such command: did you mean apply?",
		"guard aply --help":     "guard has no such command: did you mean apply?",
		"help guard aply":       "guard has no such command: did you mean apply?",
		"guard -o json aply -h": "guard has no such command: did you mean apply?",
		"guard violet-lamps -h": "guard has no such command: it has list, show, apply, test",
	} {
		status, out, errs := ranWords(t, words)
		if status != 1 || out != "" || errs != "hallpass: "+want+"\n" {
			t.Errorf("%s: exit %d, %q and %q, want %q", words, status, out, errs, want)
		}
	}
}

// TestHelp asks for the help of commands that there are, in every way.
func TestHelp(t *testing.T) {
	for words, want := range map[string]string{
		"":                    "Usage:\n  hallpass [",
		"--help":              "Usage:\n  hallpass [",
		"help":                "Usage:\n  hallpass",
		"guard":               "Usage:\n  hallpass guard [",
		"guard --help":        "Usage:\n  hallpass guard [",
		"help guard":          "Usage:\n  hallpass guard [",
		"guard test --help":   "Usage:\n  hallpass guard test ",
		"guard test GET / -h": "Usage:\n  hallpass guard test ",
		"help guard test":     "Usage:\n  hallpass guard test ",
		"help help":           "Usage:\n  hallpass help ",
		"completion --help":   "Usage:\n  hallpass completion [",
	} {
		if status, out, errs := ranWords(t, words); status != 0 || !strings.Contains(out, want) || errs != "" {
			t.Errorf("%q: exit %d, %q and %q, want %q", words, status, out, errs, want)
		}
	}
}

// ranWords runs a command line whose words have no blanks.
func ranWords(t *testing.T, words string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := program{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	status = p.run(t.Context(), strings.Fields(words))
	return status, stdout.String(), stderr.String()
}
