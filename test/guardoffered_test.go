package test_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	manual "github.com/hallpass-dev/hallpass/docs/guard"
)

// offered writes the files that the console offers for a proxy into a folder, with further
// texts replaced, each of which must be there.
func offered(t *testing.T, dir, proxy string, at manual.Place, replacements ...string) {
	t.Helper()
	files := manual.For(proxy, at)
	all := ""
	for _, f := range files {
		all += f.Text
	}
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(all, replacements[i]) {
			t.Errorf("%s has no %q", proxy, replacements[i])
		}
	}
	for _, f := range files {
		replacements = append(replacements, f.Path, filepath.Join(dir, filepath.Base(f.Path)))
	}
	for _, f := range files {
		put(t, filepath.Join(dir, filepath.Base(f.Path)), strings.NewReplacer(replacements...).Replace(f.Text))
	}
}

// TestOfferedFilesWork gives each proxy the files that the console offers for a guard whose
// rules read and set a header, and beside them those for a second guard. Nothing is edited
// but where the proxy listens, and for which host. What the manual leaves open for a path of
// its own asks, too.
func TestOfferedFilesWork(t *testing.T) {
	api := newWitness(t)
	hp := newGuardServer(t, `[server]
trusted_proxies = ["127.0.0.1/32"]

[guard.my-logs]
[[guard.my-logs.rule]]
path = "/logs"
action = "logs:read"
scope = "logs:tenants:{tenant}"
captures = { tenant = "header:X-Tenant" }
set = { "X-Tenant" = "{tenant}", "X-Team" = "team-{tenant}" }

[guard.other]
[[guard.other.rule]]
path = "/logs"
public = true
`)
	reader := hp.holder("logs:read@logs:tenants:shop").key
	reads := manual.Place{Guard: "my-logs", Hallpass: hp.address, API: api.address, Reads: []string{"X-Tenant"}, Sets: []string{"X-Team", "X-Tenant"}}
	other := manual.Place{Guard: "other", Hallpass: hp.address, API: api.address}
	for proxy, start := range map[string]func(t *testing.T) string{
		"nginx": func(t *testing.T) string {
			program, address, dir := needs(t, "nginx"), freeAddress(t), t.TempDir()
			offered(t, dir, "nginx", reads, "listen 80;", "listen "+address+" default_server;")
			offered(t, dir, "nginx", other, "listen 80;", "listen "+address+";")
			put(t, filepath.Join(dir, "nginx.conf"), nginxMain(dir, "include "+dir+"/*s.conf;\ninclude "+dir+"/other.conf;"))
			daemon(t, address, program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-g", "daemon off;")
			return address
		},
		"haproxy": func(t *testing.T) string {
			program, address, dir := needs(t, "haproxy"), freeAddress(t), t.TempDir()
			for _, at := range []manual.Place{reads, other} {
				offered(t, dir, "haproxy", at, "bind :80", "bind "+address, "default_backend unguarded", "default_backend guard_my-logs.example.com")
			}
			daemon(t, address, program, "-db", "-f", filepath.Join(dir, "haproxy.cfg"), "-f", filepath.Join(dir, "my-logs.cfg"), "-f", filepath.Join(dir, "other.cfg"))
			return address
		},
		"caddy": func(t *testing.T) string {
			program, address, dir := needs(t, "caddy"), freeAddress(t), t.TempDir()
			for host, at := range map[string]manual.Place{"http://" + address + ", http://app.example.com:" + port(address): reads, "http://other.example.com:" + port(address): other} {
				offered(t, dir, "caddy", at, "\nimport /etc/caddy/guards/*", "\n{\n\tadmin off\n\tauto_https off\n}\nimport "+dir+"/*", "\n"+at.Guard+".example.com {", "\n"+host+" {\n\tbind 127.0.0.1")
			}
			t.Setenv("XDG_DATA_HOME", dir)
			t.Setenv("XDG_CONFIG_HOME", dir)
			daemon(t, address, program, "run", "--adapter", "caddyfile", "--config", filepath.Join(dir, "Caddyfile"))
			return address
		},
		"apache": func(t *testing.T) string {
			program, address, dir := needs(t, "apache2"), freeAddress(t), t.TempDir()
			if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // Apache reads it as another user
				t.Fatal(err)
			}
			offered(t, dir, "apache", reads, "*:80", address)
			offered(t, dir, "apache", other, "*:80", address)
			put(t, filepath.Join(dir, "apache2.conf"), apacheMain(dir, address, "Include "+dir+"/my-logs.conf\nInclude "+dir+"/other.conf"))
			daemon(t, address, program, "-DFOREGROUND", "-d", dir, "-f", filepath.Join(dir, "apache2.conf"))
			return address
		},
	} {
		t.Run(proxy, func(t *testing.T) {
			c := newGuardClient(t, start(t))
			c.until(http.StatusOK, reader, "/logs", "X-Tenant", "shop")
			api.take()
			for _, tt := range []struct {
				token, path, tenant string
				status              int
			}{{reader, "/logs", "shop", 200}, {reader, "/logs", "web", 403}, {reader, "/logs", "", 403}, {"", "/healthz", "shop", 401}, {reader, "/healthz", "shop", 403}} {
				var header []string
				if tt.tenant != "" {
					header = []string{"X-Tenant", tt.tenant, "X-Team", "mine"}
				}
				res, text, err := c.send(tt.token, "GET", tt.path, nil, header...)
				arrived := api.take()
				if err != nil || res.StatusCode != tt.status || (len(arrived) == 1) != (tt.status == 200) {
					t.Errorf("%+v: %v %v %s; %d came to the API", tt, res, err, text, len(arrived))
				}
				if len(arrived) == 1 && (strings.Join(arrived[0].values("X-Tenant"), " and ") != "shop" || strings.Join(arrived[0].values("X-Team"), " and ") != "team-shop") {
					t.Errorf("%+v: the API got %q and %q", tt, arrived[0].values("X-Tenant"), arrived[0].values("X-Team"))
				}
			}
			req, err := http.NewRequest("GET", "http://"+c.address+"/logs", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "other.example.com"
			res, err := http.DefaultClient.Do(req)
			if err != nil || res.StatusCode != http.StatusOK || len(api.take()) != 1 {
				t.Errorf("the other guard: %v %v", res, err)
			} else if err := res.Body.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
