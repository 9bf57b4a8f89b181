package manual_test

import (
	"strings"
	"testing"

	manual "github.com/hallpass-dev/hallpass/docs/guard"
)

// TestFor fills in the files of every proxy: nothing of the page's example is left that
// would ask about another guard or send requests elsewhere.
func TestFor(t *testing.T) {
	at := manual.Place{Guard: "prom", Hallpass: "10.0.0.7:3081", API: "[fd00::9]:9091"}
	for proxy, want := range map[string][]string{
		"nginx":         {"http://hallpass_prom/guard/nginx/prom;", "/etc/nginx/conf.d/prom.conf", "server 10.0.0.7:3081;", "server [fd00::9]:9091;"},
		"caddy":         {"uri /guard/caddy/prom?", "forward_auth 10.0.0.7:3081", "reverse_proxy [fd00::9]:9091"},
		"haproxy":       {"http://10.0.0.7:3081/guard/haproxy/prom ", "server app [fd00::9]:9091"},
		"traefik":       {"http://10.0.0.7:3081/guard/traefik/prom", "http://[fd00::9]:9091"},
		"envoy":         {"{ guard: prom }", `address: "10.0.0.7", port_value: 3081`, `address: "fd00::9", port_value: 9091`},
		"apache":        {"http://10.0.0.7:3081/guard/apache/prom", "http://[fd00::9]:9091/"},
		"ingress-nginx": {":3080/guard/ingress-nginx/prom"},
	} {
		all := ""
		for _, f := range manual.For(proxy, at) {
			if f.Path == "" || !strings.Contains(f.Text, f.Path) {
				t.Errorf("%s has a file %q that does not begin with its path", proxy, f.Path)
			}
			all += f.Text
		}
		for _, text := range want {
			if !strings.Contains(all, text) {
				t.Errorf("%s has no %q:\n%s", proxy, text, all)
			}
		}
		for _, text := range []string{"127.0.0.1:3080", "app.example.com", "_app", "/app.conf", "/app.yaml", "127.0.0.1:8080", "/guard/" + proxy + "/app", "guard: app "} {
			if strings.Contains(all, text) {
				t.Errorf("%s still has %q:\n%s", proxy, text, all)
			}
		}
	}
	if files := manual.For("../guard/protocol", at); files != nil {
		t.Errorf("a page that is none has %d files", len(files))
	}
}

// TestForHeaders fills in the headers that rules read and set, for every proxy that has to
// be told; a header that proxies drop is left out.
func TestForHeaders(t *testing.T) {
	at := manual.Place{Guard: "g", Reads: []string{"X-Tenant", "X-Bad_Name"}, Sets: []string{"X-Team", "X-Tenant"}, JWT: true}
	for proxy, want := range map[string][]string{
		"nginx": {"\n    proxy_set_header X-Tenant $http_x_tenant;", "\n  auth_request_set $hp_set_x_team $upstream_http_x_team;", "\n  auth_request_set $hp_set_x_tenant $upstream_http_x_tenant;",
			"\n  proxy_set_header X-Team $hp_set_x_team;", "\n  proxy_set_header X-Tenant $hp_set_x_tenant;"},
		"haproxy": {"\n        [\"x-tenant\"] = client[\"x-tenant\"] and values(client[\"x-tenant\"]),", "\n  set(\"set_x_team\", one(\"x-team\") or \"\")",
			"\n  http-request set-header X-Team %[var(txn.hp_set_x_team)] if !open"},
		"caddy":         {"\n\t\t\tcopy_headers X-Team\n\t\t\tcopy_headers X-Tenant\n", "X-Hallpass-Subject X-Hallpass-Jwt\n"},
		"apache":        {"\n  asked[\"X-Tenant\"] = r.headers_in[\"X-Tenant\"]", "\n  r.headers_in[\"X-Team\"] = answer[\"x-team\"]"},
		"traefik":       {"[Authorization, User-Agent, X-Tenant]", "X-Hallpass-Subject, X-Hallpass-Jwt, X-Team, X-Tenant]"},
		"ingress-nginx": {"X-Hallpass-Subject,X-Hallpass-Jwt,X-Team,X-Tenant\n"},
	} {
		all := text(manual.For(proxy, at))
		for _, line := range want {
			if !strings.Contains(all, line) {
				t.Errorf("%s has no %q:\n%s", proxy, line, all)
			}
		}
		if low := strings.ToLower(all); strings.Contains(low, "orgid") || strings.Contains(low, "bad_name") {
			t.Errorf("%s has a header that no rule names:\n%s", proxy, all)
		}
	}
	if without := text(manual.For("nginx", manual.Place{Guard: "g"})); !strings.Contains(without, "\n  # proxy_set_header X-Scope-OrgID ") || strings.Contains(without, "\n  proxy_set_header X-Scope-OrgID") {
		t.Errorf("a guard that reads no header:\n%s", without)
	}
}

// TestForAsksAboutEveryPath finds no path in the files that passes without a question.
func TestForAsksAboutEveryPath(t *testing.T) {
	for _, proxy := range []string{"nginx", "caddy", "haproxy", "traefik", "envoy", "apache", "ingress-nginx"} {
		for line := range strings.Lines(text(manual.For(proxy, manual.Place{Guard: "g"}))) {
			code, _, _ := strings.Cut(strings.TrimSpace(line), "--")
			if strings.Contains(code, "healthz") && !strings.HasPrefix(code, "#") || strings.Contains(line, "disabled: true") && !strings.Contains(line, "# ") {
				t.Errorf("%s: %s", proxy, line)
			}
		}
	}
}

// text joins the files.
func text(files []manual.File) string {
	all := ""
	for _, f := range files {
		all += f.Text
	}
	return all
}
