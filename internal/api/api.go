package api

import (
	"net/http"
	"path"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Options sets up an API.
type Options struct {
	Admin   *admin.Admin
	Verify  *verify.Verifier
	Cookies httpd.Cookies
	Basic   bool            // take users' passwords as Basic credentials ([auth.basic] enabled)
	Commit  string          // what /api/health calls the commit: our version
	Ready   func() error    // whether requests should be sent here; nil error: yes
	Stop    <-chan struct{} // closed when the server drains, to end long answers
}

// An API answers the JSON calls.
type API struct {
	admin   *admin.Admin
	verify  *verify.Verifier
	cookies httpd.Cookies
	basic   bool
	health  health
	ready   func() error
	stop    <-chan struct{}
	mux     *http.ServeMux
}

// New returns the handler of every path the API serves.
func New(o Options) *API {
	a := &API{
		admin: o.Admin, verify: o.Verify, cookies: o.Cookies, basic: o.Basic,
		health: health{commit: o.Commit, ready: o.Ready}, ready: o.Ready, stop: o.Stop, mux: http.NewServeMux(),
	}
	for _, r := range a.routes() {
		a.mux.Handle(r.pattern, r.handler)
	}
	a.mux.HandleFunc("/", a.unknown)
	return a
}

// routes is every route with its rule. What has no rule does not mount.
func (a *API) routes() []route {
	var (
		signedIn = rule{}
		user     = rule{usersOnly: true}
		may      = func(action hallpass.Action) rule { return rule{action: action} }
		mayOn    = func(action hallpass.Action) rule { return rule{action: action, account: true} }
	)
	return []route{
		open("GET /api/health", a.health.serve),
		open("GET /healthz", a.healthz),
		open("GET /readyz", a.readyz),
		open("GET /openapi.json", serveContract),
		open("GET /docs", serveDocs),
		open("GET /docs.css", serveDocsCSS),

		endpoint(a, "GET /api/org", 200, may(hallpass.OrgsRead), a.org),
		endpoint(a, "PUT /api/org", 200, may(hallpass.OrgsWrite), a.renameOrg),
		endpoint(a, "PUT /api/org/address", 200, may(hallpass.OrgsWrite), a.setOrgAddress),
		endpoint(a, "GET /api/org/users", 200, may(hallpass.OrgUsersRead), a.orgUsers),

		endpoint(a, "GET /api/user", 200, user, a.user),
		endpoint(a, "PUT /api/user/password", 200, user, a.changePassword),
		endpoint(a, "GET /api/login/ping", 200, signedIn, a.ping),

		endpoint(a, "POST /api/serviceaccounts", 201, may(hallpass.ServiceAccountsCreate), a.createServiceAccount),
		endpoint(a, "POST /api/serviceaccounts/{$}", 201, may(hallpass.ServiceAccountsCreate), a.createServiceAccount),
		endpoint(a, "GET /api/serviceaccounts/search", 200, may(hallpass.ServiceAccountsRead), a.serviceAccounts),
		endpoint(a, "GET /api/serviceaccounts/{id}", 200, mayOn(hallpass.ServiceAccountsRead), a.serviceAccount),
		endpoint(a, "PATCH /api/serviceaccounts/{id}", 200, mayOn(hallpass.ServiceAccountsWrite), a.updateServiceAccount),
		endpoint(a, "DELETE /api/serviceaccounts/{id}", 200, mayOn(hallpass.ServiceAccountsDelete), a.deleteServiceAccount),

		endpoint(a, "GET /api/serviceaccounts/{id}/tokens", 200, mayOn(hallpass.ServiceAccountsRead), a.tokens),
		endpoint(a, "POST /api/serviceaccounts/{id}/tokens", 200, mayOn(hallpass.ServiceAccountsWrite), a.createToken),
		endpoint(a, "DELETE /api/serviceaccounts/{id}/tokens/{token}", 200, mayOn(hallpass.ServiceAccountsWrite), a.deleteToken),
		stream(a, "GET /api/serviceaccounts/{id}/tokens/{token}/events", mayOn(hallpass.ServiceAccountsRead), a.tokenEvents),

		endpoint(a, "GET /api/audit", 200, may(hallpass.AuditRead), a.audit),

		endpoint(a, "/api/auth/keys", 200, signedIn, a.oldKeys),
		endpoint(a, "/api/auth/keys/{rest...}", 200, signedIn, a.oldKeys),
	}
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !canonical(r.URL.Path) {
		a.unknown(w, r) // the mux would redirect to another path
		return
	}
	a.mux.ServeHTTP(w, r)
}

func canonical(p string) bool {
	if !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return true
	}
	clean := path.Clean(p)
	return clean == p || clean+"/" == p
}

var (
	errNotFound   = &hallpass.Error{Kind: hallpass.NotFound, Message: "Not found"}
	errMethod     = &hallpass.Error{Kind: hallpass.Invalid, ID: "request.method-not-allowed", Message: "Method not allowed"}
	methodsServed = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
)

// unknown answers what no route takes: 405 with Allow when another method
// would do, else 404.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range methodsServed {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "/" && pattern != "" {
			allow = append(allow, m)
		}
	}
	if len(allow) == 0 || !canonical(r.URL.Path) {
		httpd.WriteError(w, r, errNotFound)
		return
	}
	if allow[0] == http.MethodGet {
		allow = append(allow, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	httpd.WriteError(w, r, errMethod)
}
