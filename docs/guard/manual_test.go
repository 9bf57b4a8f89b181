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
		"nginx":         {"http://hallpass/guard/nginx/prom;", "server 10.0.0.7:3081;", "server [fd00::9]:9091;"},
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
		for _, text := range []string{"127.0.0.1:3080", "127.0.0.1:8080", "/guard/" + proxy + "/app", "guard: app "} {
			if strings.Contains(all, text) {
				t.Errorf("%s still has %q:\n%s", proxy, text, all)
			}
		}
	}
	if files := manual.For("../guard/protocol", at); files != nil {
		t.Errorf("a page that is none has %d files", len(files))
	}
}
