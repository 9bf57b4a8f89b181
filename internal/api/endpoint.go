package api

import (
	"net/http"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// A route is a pattern with its handler and the rule that the handler keeps.
type route struct {
	pattern string
	rule    rule
	public  bool
	absent  bool // of a thing that is not held here: other methods are 404, not 405
	handler http.Handler
}

// A rule says who may call a route. The zero rule is: whoever is signed in.
type rule struct {
	action    hallpass.Action // the permission demanded
	account   bool            // on the account that {id} names
	inside    bool            // on the thing that the path names, which admin finds
	server    bool            // on the server as a whole
	org       bool            // in the org that {org} names
	usersOnly bool            // not for service accounts
	dashboard bool            // takes a dashboard: a body of up to 8 MiB, whose member "dashboard" is not ours to interpret
}

// A call is a request with its caller, who meets the route's rule.
type call struct {
	*http.Request
	caller  hallpass.Caller
	answer  http.Header               // of the answer
	account hallpass.ServiceAccountID // of {id}, where the rule is about an account
}

// none is the input of calls without a body.
type none struct{}

// encoded is an output that is JSON already. It is shared and must not be
// changed.
type encoded []byte

// open is a route that anybody may call.
func open(pattern string, fn http.HandlerFunc) route {
	return route{pattern: pattern, public: true, handler: fn}
}

// endpoint is a route that authenticates, keeps its rule, decodes In, calls fn,
// and answers Out with status.
func endpoint[In, Out any](a *API, pattern string, status int, rule rule, fn func(call, In) (Out, error)) route {
	return route{pattern: pattern, rule: rule, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := a.admit(r, rule)
		c.answer = w.Header()
		if err != nil {
			httpd.WriteError(w, r, err)
			return
		}
		var in In
		if _, bodyless := any(in).(none); !bodyless {
			if err := decode(w, r, rule, &in); err != nil {
				httpd.WriteError(w, r, err)
				return
			}
		}
		out, err := fn(c, in)
		if err != nil {
			httpd.WriteError(w, r, err)
			return
		}
		if made, ok := any(&out).(*encoded); ok {
			httpd.WriteJSONBytes(w, status, *made)
			return
		}
		httpd.WriteJSON(w, status, out)
	})}
}

// stream is a route whose handler writes the answer itself, for as long as the
// caller may be told more.
func stream(a *API, pattern string, rule rule, fn func(*lasting, call) error) route {
	return route{pattern: pattern, rule: rule, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := &lasting{w: w, rc: http.NewResponseController(w), listener: a.verify.Listen()}
		defer l.listener.Leave()
		c, err := a.admit(r, rule)
		if err == nil {
			err = l.listener.Admit(c.caller, l.cut)
		}
		if err == nil {
			httpd.EventOf(r.Context()).Stream = true
			err = fn(l, c)
		}
		if err != nil {
			httpd.WriteError(w, r, err)
		}
	})}
}

// admit authenticates the request and holds its caller to the rule.
func (a *API) admit(r *http.Request, rule rule) (call, error) {
	c := call{Request: r}
	var err error
	if c.caller, err = a.authenticate(r); err != nil {
		return c, err
	}
	event := httpd.EventOf(r.Context())
	event.SetCaller(c.caller)
	event.Action = string(rule.action)
	if rule.usersOnly && c.caller.User() == 0 {
		_, err := a.admin.Self(r.Context(), c.caller)
		return c, err
	}
	for name, gone := range nothing {
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
			return c, errAccountNotFound // also where the caller lacks the permission: the org is not theirs to know
		}
		scope = c.account.Scope()
		event.Target = string(scope)
	}
	if c.caller.OrgMissing && !rule.org { // what is in an org that is not theirs does not exist for them
		if r.PathValue("team") != "" {
			return c, errTeamNotFound
		}
		if r.PathValue("role") != "" {
			return c, errRoleNotFound
		}
	}
	if rule.org {
		if c.caller, err = a.inOrg(c); err != nil {
			return c, err
		}
	}
	switch {
	case rule.action == "" || rule.inside:
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

// nothing is what is not found where a path has the number 0, which is an ID by
// its form and nobody's.
var nothing = map[string]error{
	"org": errOrgNotFound, "team": errTeamNotFound, "id": errAccountNotFound,
	"user":  &hallpass.Error{Kind: hallpass.NotFound, ID: "user.not-found", Message: "user not found"},
	"token": &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrTokenNotFound", Message: "service account token not found"},
}

var errAccountNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrNotFound", Message: "service account not found"}

// decode reads the JSON body into v. In a dashboard's own JSON the last of a
// name counts.
func decode(w http.ResponseWriter, r *http.Request, rule rule, v any) error {
	if !rule.dashboard {
		return httpd.DecodeJSON(w, r, httpd.MaxBody, v, nil)
	}
	return httpd.DecodeJSON(w, r, maxDashboard, v, func(body []byte) []byte { return lastOfTwins(body, "dashboard") })
}

// maxDashboard is the longest body that holds a dashboard (SEC-8).
const maxDashboard = 8 << 20
