package guard

import (
	"context"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// rewrite turns the client's request into the one that the API gets. The library has
// removed what belongs to the connection, and whatever the client named there; what is
// set here stays. It is for httputil.ReverseProxy.
func rewrite(pr *httputil.ProxyRequest) {
	x := exchangeOf(pr.In.Context())
	path, query, found := strings.Cut(x.check.Target, "?")
	u := pr.Out.URL
	u.Scheme, u.Host = x.upstream.url.Scheme, x.upstream.url.Host
	// Opaque is sent as it is: the API gets the very path that the rules were asked about.
	u.Opaque, u.RawQuery, u.ForceQuery = x.upstream.base+path, query, found && query == ""
	pr.Out.Host = pr.In.Host
	x.strip(pr.Out.Header)
	x.strip(pr.Out.Trailer)
	x.trailer = pr.Out.Trailer
	if !httpd.EqualASCII(pr.Out.Header.Get("Upgrade"), "websocket") {
		// In any other protocol, HTTP/2 among them, requests would pass that nobody judged.
		delete(pr.Out.Header, "Upgrade")
		delete(pr.Out.Header, "Connection")
	}
	x.tell(pr.In.Header, pr.Out.Header)
}

// strip removes what the client must not tell the API.
func (x *exchange) strip(h http.Header) {
	for name := range h {
		plain := hallpass.PlainHeader(name)
		if hallpass.UntoldHeader(plain) || hallpass.IdentityHeader(name) || plain != name && x.known(plain) {
			delete(h, name)
		}
	}
	if cookies := h["Cookie"]; cookies != nil {
		delete(h, "Cookie")
		for _, line := range cookies {
			if line = x.proxy.withoutOurs(line); line != "" {
				h["Cookie"] = append(h["Cookie"], line)
			}
		}
	}
}

// known reports whether the rule reads or sets the header.
func (x *exchange) known(name string) bool {
	return slices.ContainsFunc(x.verdict.Set, func(s Header) bool { return s.Name == name }) || slices.Contains(x.verdict.Read, name)
}

// withoutOurs returns a Cookie header without our own cookies.
func (p *Proxy) withoutOurs(line string) string {
	if !slices.ContainsFunc(p.Cookies, func(name string) bool { return strings.Contains(line, name) }) {
		return line
	}
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if !p.ourCookie(name) {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; ")
}

func (p *Proxy) ourCookie(name string) bool {
	return slices.Contains(p.Cookies, httpd.PlainCookie(strings.TrimSpace(name)))
}

// tell sets what the API is told: who calls, the headers of the rule, and by which way
// the request came.
func (x *exchange) tell(in, out http.Header) {
	for _, name := range x.verdict.Read {
		out[name] = in[name] // the client may have named it in Connection
	}
	for i, name := range identityHeaders {
		out[name] = x.verdict.Identity[i : i+1 : i+1]
	}
	for _, s := range x.verdict.Set {
		if s.Name != jwtHeader || s.Value != unknown { // what is no JWT, some take for a bad one
			out[s.Name] = []string{s.Value}
		}
	}
	out["X-Forwarded-For"] = []string{x.event.From.Address}
	out["X-Forwarded-Host"] = []string{x.request.Host}
	out["X-Forwarded-Proto"] = protoHTTP
	if x.event.Secure {
		out["X-Forwarded-Proto"] = protoHTTPS
	}
	out["Via"] = append(slices.Clone(out["Via"]), x.proxy.via)
}

// The values are shared between requests and never changed.
var (
	protoHTTP  = []string{"http"}
	protoHTTPS = []string{"https"}
	sandbox    = "sandbox"
)

// modifyResponse readies the API's answer for the client. It is for
// httputil.ReverseProxy.
func modifyResponse(res *http.Response) error {
	x := exchangeOf(res.Request.Context())
	if err := x.mayPass(); err != nil {
		return err
	}
	x.timer.Stop()
	x.answered.Store(true)
	x.hurry()
	x.event.Foreign = true
	x.answersWith(res.StatusCode)
	if isStream(res) {
		x.event.Stream = true
		x.unhook = context.AfterFunc(x.ending, func() { x.breakOff(errStopping) })
	}
	delete(x.Header(), "Cache-Control")
	if res.StatusCode == http.StatusSwitchingProtocols {
		delete(x.Header(), "Connection")
	}
	if cookies := res.Header["Set-Cookie"]; cookies != nil {
		res.Header["Set-Cookie"] = slices.DeleteFunc(cookies, func(line string) bool {
			name, _, _ := strings.Cut(line, "=")
			return x.proxy.ourCookie(name)
		})
	}
	httpd.TellExpiry(res.Header, x.verdict.Caller)
	if x.ours {
		// What an API answers is no page of the host that the console is on.
		res.Header.Add("Content-Security-Policy", sandbox)
		res.Header.Set("X-Content-Type-Options", "nosniff")
	}
	return nil
}
