package api

import (
	"context"
	"mime"
	"net/http"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// A route is a pattern with its handler, and the rule that the handler applies to
// each caller.
type route struct {
	pattern string
	rule    rule
	public  bool
	absent  bool // of a thing that Hallpass does not have: other methods are 404, not 405
	handler http.Handler
}

// A rule says who may call a route. The zero rule admits every caller.
type rule struct {
	action    hallpass.Action      // the permission demanded
	account   bool                 // demanded on the account that {id} names
	resource  bool                 // demanded on a resource: admin or library finds it and authorizes, not the route
	server    bool                 // demanded on the server as a whole
	org       bool                 // demanded in the org that {org} names
	usersOnly bool                 // not for service accounts
	route     *hallpass.TokenRoute // what requests with a token count for
	query     []parameter          // what the query of a route of ours may have
	dashboard bool                 // the body has a dashboard: it may be 8 MiB, and names inside "dashboard" may repeat

	// bodyOptional: a request without a body is one whose body is {}. A rule of an action
	// has this when each field has a default. One of PATCH never has: a body that a script
	// has lost would be a change that seems to be made.
	bodyOptional bool
}

// A call is a request with its caller, whom the route's rule admits.
type call struct {
	*http.Request
	caller  hallpass.Caller
	rule    rule
	answer  http.Header               // the headers of the answer
	account hallpass.ServiceAccountID // the account that {id} names, when the rule is about one
}

// none is the input of a call without a body.
type none struct{}

// encoded is an output that is already JSON. Several answers share its bytes, so
// nobody may change them.
type encoded []byte

// open is a route that anybody may call.
func open(pattern string, fn http.HandlerFunc) route {
	return route{pattern: pattern, public: true, handler: fn}
}

// endpoint is a route that authenticates the caller, applies the rule, decodes In,
// calls fn, and answers with status and Out as JSON.
func endpoint[In, Out any](a *API, pattern string, status int, rule rule, fn func(call, In) (Out, error)) route {
	rule.route = &hallpass.TokenRoute{Pattern: pattern, Action: rule.action}
	return route{pattern: pattern, rule: rule, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := a.enter(w, r, rule)
		if err != nil {
			fail(w, r, err)
			return
		}
		var in In
		if _, bodyless := any(in).(none); !bodyless {
			if err := decode(w, r, rule, &in); err != nil {
				fail(w, r, err)
				return
			}
		}
		out, err := fn(c, in)
		if err != nil {
			fail(w, r, err)
			return
		}
		if made, ok := any(&out).(*encoded); ok {
			httpd.WriteJSONBytes(w, status, *made)
			return
		}
		a.link(&out)
		httpd.WriteJSON(w, status, out)
	})}
}

// stream is a route whose handler writes the answer piece by piece, until it has
// written all or the caller's credential no longer permits it.
func stream(a *API, pattern string, rule rule, fn func(*streamWriter, call) error) route {
	rule.route = &hallpass.TokenRoute{Pattern: pattern, Action: rule.action}
	return route{pattern: pattern, rule: rule, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := &streamWriter{w: w, rc: http.NewResponseController(w), listener: a.verify.Listen()}
		defer l.listener.Leave()
		c, err := a.enter(w, r, rule)
		if err == nil {
			err = l.listener.Admit(c.caller, l.cut)
		}
		if err == nil {
			httpd.EventOf(r.Context()).Stream = true
			err = fn(l, c)
		}
		if err != nil {
			fail(w, r, err)
		}
	})}
}

// fail answers with the error. On what was asked for before it is not recorded: that may be
// anything that the client wrote.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	httpd.EventOf(r.Context()).Asked = hallpass.AskedScopes{}
	httpd.WriteError(w, r, err)
}

// did notes that the request demanded the permission, where the rule of its route does not
// tell which.
func (c call) did(p hallpass.Permission) {
	event := httpd.EventOf(c.Context())
	if c.rule.route.Action != p.Action {
		event.Route = &hallpass.TokenRoute{Pattern: c.rule.route.Pattern, Action: p.Action}
	}
	event.Asked = hallpass.AskedScopes{}
	event.Asked.Add(p.Scope)
}

// Permitted notes, in the event of the request, on which scope the action of its route was
// asked for and permitted. It is for admin.Options.
func Permitted(ctx context.Context, action hallpass.Action, scope hallpass.Scope) {
	if event := httpd.EventOf(ctx); event.Route != nil && event.Route.Action == action {
		event.Asked.Add(scope)
	}
}

// enter is admit, reads the query that the rule declares, and tells the client the rate of its token and when that ends soon.
func (a *API) enter(w http.ResponseWriter, r *http.Request, rule rule) (call, error) {
	c, err := a.admit(r, rule)
	if err == nil && len(rule.query) > 0 && r.URL.RawQuery != "" {
		err = rule.readQuery(r.URL.Query())
	}
	c.answer = w.Header()
	httpd.SetRateHeaders(c.answer, c.caller.Rate)
	httpd.TellExpiry(c.answer, c.caller)
	return c, err
}

// admit authenticates the request and applies the rule to its caller.
func (a *API) admit(r *http.Request, rule rule) (call, error) {
	c := call{Request: r, rule: rule}
	var err error
	if c.caller, err = a.authenticate(r); err != nil {
		return c, err
	}
	event := httpd.EventOf(r.Context())
	event.SetCaller(c.caller)
	event.Action, event.Route, event.Method = string(rule.action), rule.route, r.Method
	if rule.usersOnly && c.caller.User() == 0 {
		_, err := a.admin.Self(r.Context(), c.caller)
		return c, err
	}
	for name, gone := range notFoundByName {
		if r.PathValue(name) == "0" {
			return c, gone
		}
	}
	var scope hallpass.Scope
	if rule.account {
		if c.account, err = a.admin.ServiceAccountID(r.Context(), c.caller, r.PathValue("id")); err != nil {
			return c, err
		}
		if c.caller.OrgMissing {
			return c, errAccountNotFound // also when the caller lacks the permission: nothing may show that the org exists
		}
		scope = c.account.Scope()
		event.Target = string(scope)
	}
	if c.caller.OrgMissing && !rule.org { // for a caller outside of the org, nothing in it exists
		if r.PathValue("team") != "" {
			return c, errTeamNotFound
		}
		if r.PathValue("role") != "" {
			return c, errRoleNotFound
		}
		if r.PathValue("token") != "" {
			return c, notFoundByName["token"]
		}
	}
	if rule.org {
		if c.caller, err = a.inOrg(c); err != nil {
			return c, err
		}
	}
	switch {
	case rule.action == "" || rule.resource:
		return c, nil
	case rule.server:
		return c, a.admin.AuthorizeOnServer(r.Context(), c.caller, rule.action, "")
	}
	return c, a.admin.Authorize(r.Context(), c.caller, rule.action, scope)
}

var (
	errTeamNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "team.not-found", Message: "Team not found"}
	errRoleNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "accesscontrol.role-not-found", Message: "Role not found"}
)

var errOrgNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "org.not-found", Message: "Organization not found"}

// notFoundByName has the error for each name in a path whose value is 0: 0 has the form
// of an ID, but nothing has it.
var notFoundByName = map[string]error{
	"org": errOrgNotFound, "team": errTeamNotFound, "id": errAccountNotFound, "channel": errChannelNotFound,
	"message": &hallpass.Error{Kind: hallpass.NotFound, ID: "notifications.message-not-found", Message: "The channel has no dead message with this number"},
	"user":    &hallpass.Error{Kind: hallpass.NotFound, ID: "user.not-found", Message: "user not found"},
	"token":   &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrTokenNotFound", Message: "service account token not found"},
}

var errAccountNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrNotFound", Message: "service account not found"}

// decode reads the JSON body into v. A name that comes twice in one object is an error,
// but in a dashboard the last one counts.
func decode(w http.ResponseWriter, r *http.Request, rule rule, v any) error {
	how := httpd.JSONBody{Limit: httpd.MaxBody, Optional: rule.bodyOptional}
	if rule.dashboard {
		how.Limit, how.Edit = maxDashboard, func(body []byte) []byte { return dropDuplicates(body, "dashboard") }
	}
	return httpd.DecodeJSON(w, r, how, v)
}

// maxDashboard is the longest body that holds a dashboard (SEC-8).
const maxDashboard = 8 << 20

// pageOrExport returns the route of both, which have one pattern and one rule: the
// export is for requests that want it.
func pageOrExport(page, export route, wants func(*http.Request) bool) route {
	return route{pattern: page.pattern, rule: page.rule, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wants(r) {
			export.handler.ServeHTTP(w, r)
			return
		}
		page.handler.ServeHTTP(w, r)
	})}
}

// accepts reports whether the request asks for the media type and no other.
func accepts(r *http.Request, mediaType string) bool {
	asked, _, err := mime.ParseMediaType(r.Header.Get("Accept"))
	return err == nil && asked == mediaType
}

// wantsCSV reports whether the request asks for a table: with its Accept header or, as a
// link in a page does, with format=csv.
func wantsCSV(r *http.Request) bool {
	format := queryOf(r, "format")
	return format == "csv" || format == "" && accepts(r, httpd.MediaCSV)
}
