package kubernetes

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// program builds the program once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hallpass-manifests")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "hallpass")
	build := exec.Command("go", "build", "-o", path, "./cmd/hallpass")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // a file that stays in the temporary folder does no harm
	}
	os.Exit(code)
}

// run runs the program with these variables alone, and returns its output and whether it
// succeeded.
func run(t *testing.T, env []string, args ...string) (string, bool) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Dir = append([]string{}, env...), t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), err == nil
}

// withSecrets has the files of the environment be in a folder of the test.
func withSecrets(t *testing.T, env map[string]string, dir string) []string {
	t.Helper()
	secrets := t.TempDir()
	for name, text := range map[string]string{"admin-password": "violet lamps hum at noon\n", "database-url": "postgres://hallpass:hunter2@db:5432/hallpass?sslmode=verify-full\n"} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var list []string
	for name, value := range env {
		list = append(list, name+"="+strings.Replace(value, dir, secrets, 1))
	}
	return list
}

// effective has the program check the settings, and returns those in effect by their keys.
func effective(t *testing.T, env []string) map[string]string {
	t.Helper()
	out, ok := run(t, env, "config", "check")
	if !ok {
		t.Fatalf("the program refuses the settings: %s", out)
	}
	values, section := make(map[string]string), ""
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(line, "["); ok {
			section, _, _ = strings.Cut(name, "]")
		} else if key, value, ok := strings.Cut(line, " = "); ok {
			value, _, _ = strings.Cut(value, " # ")
			values[section+"."+key] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return values
}

// stops returns for how long a server that stops may need after shutdown_delay.
func stops(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile("../../internal/server/serve.go")
	if err != nil {
		t.Fatal(err)
	}
	var sum time.Duration
	for _, name := range []string{"drainTimeout", "lastWrites"} {
		found := regexp.MustCompile(name + ` += (\d+) \* time\.Second`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("internal/server/serve.go has no %s", name)
		}
		n, err := strconv.Atoi(string(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(n) * time.Second
	}
	return sum
}

// stopsWithin reports whether a server with these settings has stopped after d.
func stopsWithin(t *testing.T, settings map[string]string, d time.Duration) bool {
	t.Helper()
	delay, err := time.ParseDuration(settings["server.shutdown_delay"])
	if err != nil {
		t.Fatal(err)
	}
	return delay+stops(t) < d
}

// documented returns the paths of the API's contract.
func documented(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("../../internal/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct{ Paths map[string]any }
	if err := json.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	return contract.Paths
}

// TestSettings has the program check the settings of each manifest: it takes them all, and
// ports, probes and times are those of the server that they make.
func TestSettings(t *testing.T) {
	paths := documented(t)
	for _, file := range files {
		i := newInstallation(t, file)
		env := make(map[string]string)
		for _, e := range i.container().Env {
			env[e.Name] = e.Value
		}
		settings := effective(t, withSecrets(t, env, "/etc/hallpass/secrets"))
		for key, port := range map[string]string{"server.http_port": "http", "metrics.http_port": "metrics"} {
			if settings[key] != strconv.Itoa(portOf(i, port)) {
				t.Errorf("%s: %s is %s, and the port %q %d", file, key, settings[key], port, portOf(i, port))
			}
		}
		for _, key := range []string{"server.http_addr", "metrics.http_addr"} {
			if settings[key] != "0.0.0.0" {
				t.Errorf("%s: %s is %s, which other pods do not reach", file, key, settings[key])
			}
		}
		for name, want := range map[string]string{"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"} {
			if p := probes(i)[name].HTTPGet; p.Path != want || paths[p.Path] == nil || p.Port.StrVal != "http" {
				t.Errorf("%s: the %s probe asks %s at %s", file, name, p.Path, p.Port.StrVal)
			}
		}
		grace := time.Duration(*i.pod.TerminationGracePeriodSeconds) * time.Second
		if !stopsWithin(t, settings, grace) || stopsWithin(t, settings, stops(t)) {
			t.Errorf("%s: %s are too short for a server that stops", file, grace)
		}
		ready := probes(i)["readiness"]
		if delay, err := time.ParseDuration(settings["server.shutdown_delay"]); err != nil || delay < time.Duration(ready.PeriodSeconds*ready.FailureThreshold)*time.Second {
			t.Errorf("%s: the server stops before the readiness probe has failed: %s, %v", file, delay, err)
		}
		if out, _ := run(t, withSecrets(t, env, "/etc/hallpass/secrets"), "healthcheck"); !strings.Contains(out, ":"+settings["metrics.http_port"]+"/healthz") {
			t.Errorf("%s: a healthcheck in the container says %s", file, out)
		}
		env["HALLPASS_SERVER_HTTP_PROT"] = "80"
		if out, ok := run(t, withSecrets(t, env, "/etc/hallpass/secrets"), "config", "check"); ok || !strings.Contains(out, "HALLPASS_SERVER_HTTP_PORT") {
			t.Errorf("%s: an unknown variable is taken: %s", file, out)
		}
	}
}

// compose returns the project of a file of Compose. What its schema does not know is an
// error.
func compose(t *testing.T, text string) (*types.Project, error) {
	t.Helper()
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: t.TempDir(), ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Content: []byte(text)}},
	})
}

// TestCompose holds packaging/compose.yaml against the schema of Compose and against the
// program.
func TestCompose(t *testing.T) {
	text := read(t, "compose.yaml")
	project, err := compose(t, text)
	if err != nil {
		t.Fatal(err)
	}
	s := project.Services["hallpass"]
	if len(project.Services) != 1 || s.User != "65532:65532" || !s.ReadOnly || len(s.CapDrop) != 1 || s.Privileged || len(s.SecurityOpt) != 1 {
		t.Errorf("the services are %v", project.Services)
	}
	env := make(map[string]string)
	for name, value := range s.Environment {
		env[name] = *value
	}
	list := withSecrets(t, env, "/run/secrets")
	settings := effective(t, list)
	if len(s.Ports) != 1 || strconv.Itoa(int(s.Ports[0].Target)) != settings["server.http_port"] || s.Ports[0].HostIP != "127.0.0.1" || settings["server.http_addr"] != "0.0.0.0" {
		t.Errorf("the ports are %v, and the server listens on %s:%s", s.Ports, settings["server.http_addr"], settings["server.http_port"])
	}
	if len(s.Secrets) != 1 || "/run/secrets/"+s.Secrets[0].Source != env["HALLPASS_SECURITY_ADMIN_PASSWORD_FILE"] || project.Secrets[s.Secrets[0].Source].File == "" {
		t.Errorf("the secrets are %v", s.Secrets)
	}
	if len(s.Volumes) != 1 || s.Volumes[0].Target != s.Command[len(s.Command)-1] || s.Command[0] != "serve" {
		t.Errorf("the volumes are %v, and the command is %v", s.Volumes, s.Command)
	}
	if s.StopGracePeriod == nil || !stopsWithin(t, settings, time.Duration(*s.StopGracePeriod)) {
		t.Errorf("%v are too short for a server that stops", s.StopGracePeriod)
	}
	if test := s.HealthCheck.Test; len(test) != 3 || test[0] != "CMD" || test[1] != "/usr/bin/hallpass" || time.Duration(*s.HealthCheck.Timeout) < 5*time.Second {
		t.Fatalf("the healthcheck is %v", s.HealthCheck)
	}
	if out, _ := run(t, list, s.HealthCheck.Test[2:]...); !strings.Contains(out, "http://127.0.0.1:"+settings["server.http_port"]+"/healthz") {
		t.Errorf("the healthcheck says %s", out)
	}
	for name, bad := range map[string]string{
		"unknown key":        strings.Replace(text, "read_only:", "readonly:", 1),
		"unknown key inside": strings.Replace(text, "start_period:", "start_time:", 1),
		"wrong type":         strings.Replace(text, "retries: 3", "retries: [3]", 1),
	} {
		if _, err := compose(t, bad); bad == text || err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
