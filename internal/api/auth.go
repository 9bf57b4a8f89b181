package api

import (
	"net/http"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

var (
	errUnauthorized  = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "auth.unauthorized", Message: "Unauthorized"}
	errBadKey        = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "api-key.invalid", Message: "Invalid API key"}
	errNoPassword    = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "password-auth.empty", Message: "Invalid username or password"}
	errTwoAuthorized = &hallpass.Error{Kind: hallpass.Invalid, ID: "request.authorization-repeated", Message: "More than one Authorization header"}
)

// orgHeader names the org to work in, in Grafana's API.
const orgHeader = "X-Grafana-Org-Id"

var errTwoOrgs = hallpass.Invalidf(orgHeader, "%s is there twice", orgHeader)

// authenticate returns the caller of the request. The credential is the
// Authorization header if there is one, else the session cookie: one of them, never
// both (SEC-7).
func (a *API) authenticate(r *http.Request) (hallpass.Caller, error) {
	from := httpd.EventOf(r.Context()).From
	if len(r.Header[orgHeader]) > 1 {
		return hallpass.Caller{}, errTwoOrgs
	}
	switch c := httpd.ReadAuthorization(r.Header["Authorization"]); c.Form {
	case httpd.BearerToken, httpd.BasicToken:
		return a.verify.Bearer(r.Context(), c.Secret, wantedOrg(r, false), from)
	case httpd.BasicPassword:
		return a.password(r, c, from)
	case httpd.NoCredential:
		return a.session(r, from)
	case httpd.SeveralCredentials:
		return hallpass.Caller{}, errTwoAuthorized
	case httpd.MalformedBasic:
		return hallpass.Caller{}, errBadKey
	}
	return hallpass.Caller{}, errUnauthorized
}

// session authenticates by the session cookie.
func (a *API) session(r *http.Request, from hallpass.From) (hallpass.Caller, error) {
	id, ok := a.cookies.Session(r)
	if !ok {
		return hallpass.Caller{}, errUnauthorized
	}
	return a.verify.Session(r.Context(), id, wantedOrg(r, true), from)
}

// password authenticates by a user's login and password.
func (a *API) password(r *http.Request, c httpd.Credential, from hallpass.From) (hallpass.Caller, error) {
	switch {
	case !a.basic:
		return hallpass.Caller{}, errUnauthorized
	case c.Secret == "" || c.Login == "":
		return hallpass.Caller{}, errNoPassword
	}
	return a.verify.Password(r.Context(), c.Login, secret.NewText(c.Secret), wantedOrg(r, true), from, "")
}

// wantedOrg returns the org that the request asks for, 0 if it asks for none:
// targetOrgId in the query, else X-Grafana-Org-Id, else, for users, orgId in
// the query. A value that is not a number counts as absent.
func wantedOrg(r *http.Request, user bool) hallpass.OrgID {
	if r.URL.RawQuery != "" {
		if n, ok := hallpass.ParseID(r.URL.Query().Get("targetOrgId")); ok {
			return hallpass.OrgID(n)
		}
	}
	if h := r.Header[orgHeader]; len(h) > 0 {
		if n, ok := hallpass.ParseID(h[0]); ok {
			return hallpass.OrgID(n)
		}
	}
	if user && r.URL.RawQuery != "" {
		if n, ok := hallpass.ParseID(r.URL.Query().Get("orgId")); ok {
			return hallpass.OrgID(n)
		}
	}
	return 0
}
