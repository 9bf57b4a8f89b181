package server

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/library"
	"github.com/hallpass-dev/hallpass/internal/version"
)

// site is how browsers reach the server.
type site struct {
	cookies httpd.Cookies
	root    string     // [server] root_url without a slash at the end; "" if it is not set
	base    httpd.Base // its path
	origin  string     // of root; "" if it is not set
	https   bool       // root is
}

func (c Config) site() (site, error) {
	s := site{
		cookies: httpd.Cookies{Name: c.Auth.LoginCookieName, SameSite: http.SameSiteLaxMode},
		root:    strings.TrimRight(c.Server.RootURL, "/"),
	}
	if c.Security.CookieSameSite == "strict" {
		s.cookies.SameSite = http.SameSiteStrictMode
	}
	if s.root == "" {
		return s, nil
	}
	u, err := url.Parse(c.Server.RootURL)
	if err != nil {
		return s, fmt.Errorf("server.root_url: %w", err)
	}
	s.origin, s.https = u.Scheme+"://"+u.Host, u.Scheme == "https"
	if s.base, err = httpd.ParseBase(u); err != nil {
		return s, fmt.Errorf("server.root_url: %w", err)
	}
	s.cookies.Base = s.base
	return s, nil
}

// issuer is the name of this installation in what it signs: [server] root_url, or
// where it listens.
func (c Config) issuer() string {
	if root := strings.TrimRight(c.Server.RootURL, "/"); root != "" {
		return root
	}
	return c.Server.origin(c.Server.address())
}

// doors mounts the doors behind what they share. installation is the name of this one
// among others.
func (s *Server) doors(installation string) (http.Handler, error) {
	trusted, err := httpd.ParseTrustedProxies(s.config.Server.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("server.trusted_proxies: %w", err)
	}
	site, err := s.config.site()
	if err != nil {
		return nil, err
	}
	s.base = site.base
	forPeople, err := s.forPeople(site)
	if err != nil {
		return nil, err
	}
	forwardAuth, keys, introspector := guard.NewForwardAuth(s.guard), guard.NewKeys(s.node), guard.NewIntrospector(s.guard, s.verify, s.admin)
	s.proxy = guard.NewProxy(guard.ProxyOptions{
		Decider: s.guard, Verify: s.verify, Cookies: []string{site.cookies.Name, httpd.DeviceCookie}, Name: installation, Log: s.log,
	})
	// The guard answers before origins are compared: the request that a proxy asks
	// about may come from any origin. The guard takes no cookies.
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case keys.Owns(r):
			keys.ServeHTTP(w, r)
		case s.proxy.Owns(r):
			s.proxy.ServeHTTP(w, r)
		case guard.Owns(r):
			forwardAuth.ServeHTTP(w, r)
		case r.ProtoMajor > 1 && r.TLS == nil:
			httpd.WriteError(w, r, errProtocol)
		case s.proxy.Looped(r):
			s.proxy.Refuse(w, r)
		case r.URL.Path == guard.IntrospectPath:
			introspector.ServeHTTP(w, r)
		default:
			forPeople.ServeHTTP(w, r)
		}
	})
	options := httpd.Options{
		Log: s.log, Reader: readerOf, HTTPS: site.https, Answered: s.answered, Began: s.began, Fold: s.fold,
		Proxies: httpd.Proxies{Trusted: trusted, Forwarded: s.config.Server.ForwardedHeader == "forwarded", Unread: s.unreadProxy, Unheard: s.unheardProxy},
	}
	calls := options
	if s.tracing != nil {
		calls.Span = s.tracing.Call
	}
	s.extAuthz = guard.NewExtAuthz(s.guard, guard.ExtAuthzOptions{Ready: func() bool { return s.ready().OK }, HTTP: calls, TLS: s.certificates.config()})
	s.guardDoor = s.newGuardDoor(options)
	scrapes := options
	scrapes.Reader = func(*http.Request) httpd.Reader { return httpd.Program }
	s.scraped = httpd.Handler(s.tracing.Wrap(s.scraped), scrapes)
	byHTTP := s.below(site.base, httpd.Handler(s.tracing.Wrap(all), options), options)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.extAuthz.Owns(r) {
			s.extAuthz.ServeHTTP(w, r)
			return
		}
		byHTTP.ServeHTTP(w, r)
	}), nil
}

// below serves the doors below the base, or behind a proxy that takes it off.
func (s *Server) below(base httpd.Base, doors http.Handler, options httpd.Options) http.Handler {
	switch {
	case base == "":
		return doors
	case !s.config.Server.ServeFromSubPath:
		return base.Unstripped(doors, httpd.Handler(base.Refused(), options))
	}
	return base.Serve(doors, httpd.Handler(base.Elsewhere(), options), direct)
}

// direct reports whether a request is of a program that may reach the server without the
// proxy in front of it: probes, a scrape, and what asks the guard.
func direct(r *http.Request) bool {
	switch r.URL.Path {
	case "/healthz", "/readyz", "/metrics", guard.IntrospectPath:
		return true
	}
	return guard.Owns(r)
}

// errProtocol refuses HTTP/2 without TLS where no proxy asks: nobody needs it there.
var errProtocol = &hallpass.Error{Kind: hallpass.Invalid, ID: "request.http-version", Message: "HTTP/2 without TLS is for proxies that ask the guard: use HTTP/1.1"}

// forPeople mounts the doors that take cookies, behind what compares origins: the
// API, the console and the metrics.
func (s *Server) forPeople(site site) (http.Handler, error) {
	dev := ""
	if s.config.Dev {
		dev = filepath.Join("internal", "console")
	}
	build := version.Current()
	lib := library.New(s.admin, library.Options{FolderDepth: s.config.Folder.MaxNestedFolderDepth})
	pages, err := console.New(console.Options{
		Admin: s.admin, Library: lib, Verify: s.verify, Node: s.node, Cookies: site.cookies, Base: site.base, RootURL: site.root, Version: build.Version, Jobs: s.Jobs, DevDir: dev,
		Refusals: s.guard.Refusals, Activity: s.guard.Activity, Trial: api.GuardTest,
		Provider: s.provider, AutoLogin: s.config.Auth.GenericOAuth.AutoLogin, SignOutURL: s.config.Auth.GenericOAuth.SignoutRedirectURL, BreakGlass: s.config.breakGlass() != "",
	})
	if err != nil {
		return nil, err
	}
	calls := api.New(api.Options{
		Admin: s.admin, Library: lib, Verify: s.verify, Node: s.node, Cookies: site.cookies, Base: site.base, Basic: s.config.Auth.Basic.Enabled, Commit: cmp.Or(build.Commit, build.Version), Ready: s.ready, Stop: s.stop,
		Refusals: s.guard.Refusals, Jobs: s.Jobs,
	})
	s.scraped = s.scrapeDoor(calls)
	doors := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/metrics" && s.metrics != nil && !s.config.Metrics.apart():
			s.metrics.ServeHTTP(w, r)
		case isAPI(r.URL.Path):
			calls.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
	return httpd.SameOrigin(httpd.Readable(doors), site.origin, s.crossOrigin(site.cookies))
}

// crossOrigin returns what records the refusal of a request from another origin:
// a known user's browser was made to send it.
func (s *Server) crossOrigin(cookies httpd.Cookies) func(*http.Request, error) error {
	return func(r *http.Request, refusal error) error {
		id, ok := cookies.Session(r)
		if !ok {
			return refusal
		}
		event := httpd.EventOf(r.Context())
		caller, err := s.verify.Session(r.Context(), id, 0, event.From)
		if err != nil {
			return refusal // nobody's session
		}
		event.SetCaller(caller)
		event.Action = "request.cross-origin"
		return s.admin.Refuse(r.Context(), caller, refusal, event.Action, "path:"+r.URL.Path)
	}
}

// unreadProxy counts an entry of a trusted proxy that names no address, and logs
// the first.
func (s *Server) unreadProxy(proxy, entry string) {
	if s.unread.Add(1) == 1 {
		s.log.Warn("a trusted proxy tells a client's address in a form that cannot be read: uses, audit and limits name the proxy instead; "+
			"further ones are counted in hallpass_forwarded_unread_total", "proxy", proxy, "header", s.config.Server.ForwardedHeader, "entry", entry)
	}
}

// unheardProxy notes that requests come through a proxy, of which there is none to trust.
func (s *Server) unheardProxy() {
	if !s.proxied.Load() { // a load costs less than a store, which every core waits for
		s.proxied.Store(true)
	}
}

// readerOf says who reads the answer to a request, by its door. What no door takes
// is answered as a page is.
func readerOf(r *http.Request) httpd.Reader {
	switch {
	case r.URL.Path == guard.KeysPath, r.URL.Path == guard.IntrospectPath:
		return httpd.Program
	case guard.Owns(r):
		return httpd.Proxy
	case isAPI(r.URL.Path) && r.URL.Path != "/docs":
		return httpd.Program
	}
	return httpd.Browser
}

func isAPI(path string) bool {
	switch path {
	case "/api", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs.css":
		return true
	}
	return strings.HasPrefix(path, "/api/")
}
