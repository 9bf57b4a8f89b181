package console

import (
	"net"
	"net/url"
	"regexp"

	"github.com/hallpass-dev/hallpass"
	manual "github.com/hallpass-dev/hallpass/docs/guard"
)

// guardSetup is what to paste into the configuration of a proxy.
type guardSetup struct {
	Proxies []tab
	Page    string    // of the proxy in the manual
	Name    string    // of the proxy
	Asked   timestamp // when it last asked this node; zero: not since the node started
	Files   []setupFile
	Open    string // the address at which the built-in proxy serves the API; empty: another proxy is shown
	Shown   bool   // somebody asks for it, or no proxy has asked yet
	Ready   bool   // the built-in proxy knows where the API is
}

// setupFile is a file of a proxy.
type setupFile struct {
	ID, Path string
	Parts    []codePart
}

// codePart is a piece of a file.
type codePart struct {
	Text    string
	Comment bool
	Filled  bool // it is not as in the manual, but of this guard
}

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
	s := guardSetup{Page: shown.page, Name: shown.name}
	for _, p := range guardProxies {
		s.Proxies = append(s.Proxies, tab{p.name, guardURL(g.Name) + "?proxy=" + p.page + "#setup", p == shown})
	}
	if shown.page == builtIn {
		s.Open, s.Ready = req.rootURL()+"/guard/proxy/"+g.Name+"/", g.Upstream != ""
		return s
	}
	place := manual.Place{Guard: g.Name, Hallpass: plainAddress(req.rootURL()), API: plainAddress(g.Upstream), JWT: g.JWT}
	place.Reads, place.Sets = g.Headers()
	for i, f := range manual.For(shown.page, place) {
		filled := append([]string{"/guard/" + shown.page + "/" + g.Name, place.Hallpass, place.API}, append(place.Reads, place.Sets...)...)
		s.Files = append(s.Files, setupFile{"setup-" + idText(int64(i)), f.Path, codeParts(f.Text, filled...)})
	}
	return s
}

// codeParts splits a configuration into comments, what was filled in, and the rest.
func codeParts(text string, filled ...string) (parts []codePart) {
	special := `(?m)(^[ \t]*(?:#|--).*$)`
	for _, f := range filled {
		if f != "" {
			special += "|" + regexp.QuoteMeta(f)
		}
	}
	end := 0
	for _, at := range regexp.MustCompile(special).FindAllStringSubmatchIndex(text, -1) {
		if at[0] > end {
			parts = append(parts, codePart{Text: text[end:at[0]]})
		}
		comment := at[2] >= 0
		parts, end = append(parts, codePart{text[at[0]:at[1]], comment, !comment}), at[1]
	}
	return append(parts, codePart{Text: text[end:]})
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
