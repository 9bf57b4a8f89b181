package api

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

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

// authenticate returns the caller of the request. The credential is the
// Authorization header if there is one, else the session cookie: one of them, never
// both (SEC-7).
func (a *API) authenticate(r *http.Request) (hallpass.Caller, error) {
	from := httpd.EventOf(r.Context()).From
	c := httpd.ReadAuthorization(r.Header["Authorization"])
	org, err := wantedOrg(r, c.Form != httpd.BearerToken && c.Form != httpd.BasicToken)
	if err != nil {
		return hallpass.Caller{}, err
	}
	switch c.Form {
	case httpd.BearerToken, httpd.BasicToken:
		return a.verify.Bearer(r.Context(), c.Secret, org, from)
	case httpd.BasicPassword:
		return a.password(r, c, org, from)
	case httpd.NoCredential:
		return a.session(r, org, from)
	case httpd.SeveralCredentials:
		return hallpass.Caller{}, errTwoAuthorized
	case httpd.MalformedBasic:
		return hallpass.Caller{}, errBadKey
	}
	return hallpass.Caller{}, errUnauthorized
}

// session authenticates by the session cookie.
func (a *API) session(r *http.Request, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	id, ok := a.cookies.Session(r)
	if !ok {
		return hallpass.Caller{}, errUnauthorized
	}
	return a.verify.Session(r.Context(), id, org, from)
}

// password authenticates by a user's login and password.
func (a *API) password(r *http.Request, c httpd.Credential, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	switch {
	case !a.basic:
		return hallpass.Caller{}, errUnauthorized
	case c.Secret == "" || c.Login == "":
		return hallpass.Caller{}, errNoPassword
	}
	return a.verify.Password(r.Context(), c.Login, secret.NewText(c.Secret), org, from, "")
}

// wantedOrg returns the org that the request asks for, 0 if it asks for none: targetOrgId
// in the query, else X-Grafana-Org-Id, else, for users, orgId in the query, which links of
// Grafana have. A text that is not a number counts as absent, as in Grafana. One that
// comes twice is Invalid.
func wantedOrg(r *http.Request, user bool) (org hallpass.OrgID, err error) {
	var q url.Values
	if r.URL.RawQuery != "" {
		q = r.URL.Query()
	}
	const target, link = "targetOrgId", "orgId"
	type place struct {
		name   string
		values []string
	}
	places := []place{{target, named(q, target)}, {orgHeader, r.Header[orgHeader]}}
	if user {
		places = append(places, place{link, named(q, link)})
	}
	for _, p := range places {
		if len(p.values) > 1 {
			return 0, hallpass.Invalidf(p.name, "%s is there twice", p.name)
		}
		if len(p.values) == 1 && org == 0 {
			org = orgNumber(p.values[0])
		}
	}
	return org, nil
}

// orgNumber reads the ID of an org as Grafana does: there may be a sign or zeros before
// it. A number that is too high for an ID is one that no org has. What is no ID is 0.
func orgNumber(s string) hallpass.OrgID {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return hallpass.OrgID(max(n, 0))
}
