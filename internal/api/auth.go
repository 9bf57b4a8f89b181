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

// authenticate returns the caller that the request's one credential stands
// for: the Authorization header if there is one, else the session cookie. They
// are never combined (SEC-7).
func (a *API) authenticate(r *http.Request) (hallpass.Caller, error) {
	from := httpd.EventOf(r.Context()).From
	switch auth := r.Header["Authorization"]; len(auth) {
	case 0:
		id, ok := a.cookies.Session(r)
		if !ok {
			return hallpass.Caller{}, errUnauthorized
		}
		return a.verify.Session(r.Context(), id, wantedOrg(r, true), from)
	case 1:
		return a.authorization(r, auth[0], from)
	default:
		return hallpass.Caller{}, errTwoAuthorized
	}
}

func (a *API) authorization(r *http.Request, header string, from hallpass.From) (hallpass.Caller, error) {
	switch scheme, credential := httpd.SplitAuthorization(header); scheme {
	case httpd.Bearer:
		return a.verify.Token(r.Context(), credential, wantedOrg(r, false), from)
	case httpd.Basic:
		return a.basicAuth(r, credential, from)
	}
	return hallpass.Caller{}, errUnauthorized
}

// basicAuth takes a token under the user name "api_key", or a user's password.
func (a *API) basicAuth(r *http.Request, credential string, from hallpass.From) (hallpass.Caller, error) {
	login, password, ok := httpd.SplitBasic(credential)
	switch {
	case !ok:
		return hallpass.Caller{}, errBadKey
	case login == hallpass.APIKeyLogin:
		return a.verify.Token(r.Context(), password, wantedOrg(r, false), from)
	case !a.basic:
		return hallpass.Caller{}, errUnauthorized
	case password == "" || login == "":
		return hallpass.Caller{}, errNoPassword
	}
	return a.verify.Password(r.Context(), login, secret.NewText(password), wantedOrg(r, true), from, "")
}

// wantedOrg returns the org that the request asks for, 0 if it asks for none:
// targetOrgId in the query, else X-Grafana-Org-Id, else, for users, orgId in
// the query. What is no number counts as absent.
func wantedOrg(r *http.Request, user bool) hallpass.OrgID {
	if r.URL.RawQuery != "" {
		if n, ok := hallpass.ParseID(r.URL.Query().Get("targetOrgId")); ok {
			return hallpass.OrgID(n)
		}
	}
	if h := r.Header["X-Grafana-Org-Id"]; len(h) > 0 {
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
