package console

import (
	"net"
	"net/url"

	"github.com/hallpass-dev/hallpass"
	manual "github.com/hallpass-dev/hallpass/docs/guard"
)

// guardSetup is what to paste into the configuration of a proxy.
type guardSetup struct {
	Proxies []tab
	Name    string // of the proxy
	Files   []setupFile
	Open    string // the address at which the built-in proxy serves the API; empty: another proxy is shown
	Ready   bool   // the built-in proxy knows where the API is
}

// setupFile is a file of a proxy.
type setupFile struct{ ID, Path, Text string }

// guardProxies are the proxies in the order of the tabs, by the names of their pages in
// the manual; "built-in" is Hallpass itself.
var guardProxies = []struct{ page, name string }{
	{"nginx", "nginx"}, {"caddy", "Caddy"}, {"haproxy", "HAProxy"}, {"traefik", "Traefik"}, {"envoy", "Envoy"}, {"apache", "Apache"}, {"ingress-nginx", "Ingress"}, {builtIn, "Built in"},
}

const builtIn = "built-in"

// guardSetup returns what to paste for the proxy that the address names, or else for the
// first.
func (req *request) guardSetup(g hallpass.Guard) guardSetup {
	shown := guardProxies[0]
	for _, p := range guardProxies {
		if p.page == req.URL.Query().Get("proxy") {
			shown = p
		}
	}
	s := guardSetup{Name: shown.name}
	for _, p := range guardProxies {
		s.Proxies = append(s.Proxies, tab{p.name, guardURL(g.Name) + "?proxy=" + p.page + "#setup", p == shown})
	}
	if shown.page == builtIn {
		s.Open, s.Ready = req.rootURL()+"/guard/proxy/"+g.Name+"/", g.Upstream != ""
		return s
	}
	for i, f := range manual.For(shown.page, manual.Place{Guard: g.Name, Hallpass: plainAddress(req.rootURL()), API: plainAddress(g.Upstream)}) {
		s.Files = append(s.Files, setupFile{"setup-" + idText(int64(i)), f.Path, f.Text})
	}
	return s
}

// plainAddress returns host and port of a URL that is http, and empty for others: a
// configuration for TLS or for a path is more than another address.
func plainAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Path != "" && u.Path != "/" || !plainHost.MatchString(u.Host) {
		return ""
	}
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), "80")
}
