package guard

import (
	"net/http"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// A profile is the way in which one kind of proxy asks. It says where the original
// request stands; what other proxies would write elsewhere is not read, because the
// client may have written it there (SEC-35).
type profile struct {
	name    string // the word in the door's path
	action  string // for the log
	own     bool   // the original request is the request itself, after the name of the guard
	method  string // the headers that tell it otherwise, by their canonical names
	target  string
	host    string
	address string // of the client's address; "": X-Forwarded-For or Forwarded, as at every door
	whole   bool   // the target is a whole URL
	id      string // the header with an ID of the question: this proxy asks again if an answer takes long
	removal string // the header of a 200 that names the headers which the proxy removes; "": it removes none
}

// profiles are the ways to ask, by the word in the door's path.
var profiles = func() map[string]profile {
	original := profile{method: "X-Original-Method", target: "X-Original-Uri", host: "X-Original-Host", address: "X-Real-Ip"}
	forwarded := profile{method: "X-Forwarded-Method", target: "X-Forwarded-Uri", host: "X-Forwarded-Host"}
	haproxy := original
	haproxy.id = "X-Request-Id"
	all := map[string]profile{
		"nginx": original, "haproxy": haproxy, "apache": original,
		"ingress-nginx": {method: "X-Original-Method", target: "X-Original-Url", address: "X-Real-Ip", whole: true},
		"caddy":         forwarded, "traefik": forwarded,
		"envoy": {own: true, removal: "X-Envoy-Auth-Headers-To-Remove"},
	}
	for name, p := range all {
		p.name, p.action = name, "guard."+name
		all[name] = p
	}
	return all
}()

// check returns the question that the request asks about the guard. rest is what
// follows the guard's name in the target. The headers of a peer that is not a trusted
// proxy tell nothing: anybody can write them.
func (p profile) check(r *http.Request, event *httpd.Event, guard, rest string) Check {
	c := Check{Door: p.name, Guard: guard, Header: r.Header, Authorization: r.Header["Authorization"], From: event.From}
	switch {
	case p.own:
		c.Method, c.Target, c.Host = r.Method, rest, r.Host
	case event.Trusted:
		c.Method, c.Target, c.Host = one(r.Header[p.method]), one(r.Header[p.target]), one(r.Header[p.host])
		c.ID = one(r.Header[p.id])
		if p.whole {
			c.Target, c.Host = splitURL(c.Target)
		}
		if p.address == "" {
			break
		}
		// Whoever asks in this way may pass on the client's own X-Forwarded-For.
		c.From.Address = httpd.PeerAddress(r)
		if address, ok := httpd.OneAddress(r.Header[p.address]); ok {
			c.From.Address = address
		}
	}
	return c
}

// one returns the value of a header that is there exactly once, else "".
func one(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// splitURL returns the raw target and the host of a whole URL, both empty unless a slash
// ends the host: proxies put the URL together of texts that the client chose, and
// disagree where a host ends that has a "?" or "#" in it.
func splitURL(url string) (target, host string) {
	_, rest, _ := strings.Cut(url, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 || rest[end] != '/' {
		return "", ""
	}
	return rest[end:], rest[:end]
}
