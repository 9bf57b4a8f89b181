package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass/wire"
)

// Org returns the org that the credential works in and the bytes of the answer
// (GET /api/org). If the request fails, the error is an *Error.
func (c *Client) Org(ctx context.Context) (wire.Org, []byte, error) {
	var org wire.Org
	raw, err := c.do(ctx, http.MethodGet, "/api/org", nil, &org)
	return org, raw, err
}

// Orgs returns every org of the server.
func (c *Client) Orgs(ctx context.Context) ([]wire.OrgName, error) {
	return pages(0, url.Values{}, func(q url.Values) ([]wire.OrgName, error) { // only this list counts its pages from 0
		return call[[]wire.OrgName](ctx, c, http.MethodGet, "/api/orgs?"+q.Encode(), nil)
	})
}

// FindOrg returns the org with that id or name.
func (c *Client) FindOrg(ctx context.Context, ref string) (wire.Org, error) {
	if _, err := strconv.ParseInt(ref, 10, 64); err == nil {
		return call[wire.Org](ctx, c, http.MethodGet, "/api/orgs/"+ref, nil)
	}
	return call[wire.Org](ctx, c, http.MethodGet, "/api/orgs/name/"+segment(ref), nil)
}

// CreateOrg makes an org. The caller becomes its Admin.
func (c *Client) CreateOrg(ctx context.Context, in wire.CreateOrg) (wire.CreatedOrg, error) {
	return call[wire.CreatedOrg](ctx, c, http.MethodPost, "/api/orgs", in)
}

// RenameOrg gives an org another name.
func (c *Client) RenameOrg(ctx context.Context, id int64, name string) (wire.Message, error) {
	return c.tell(ctx, http.MethodPut, orgPath(id), wire.UpdateOrg{Name: name})
}

// DeleteOrg removes an org and everything in it.
func (c *Client) DeleteOrg(ctx context.Context, id int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, orgPath(id), nil)
}

// OrgUsers returns the members of an org whose login, e-mail address or name
// contains query. In this method and those below, org 0 is the org of the credential.
func (c *Client) OrgUsers(ctx context.Context, org int64, query string) ([]wire.OrgUser, error) {
	return pages(1, search(query), func(q url.Values) ([]wire.OrgUser, error) {
		out, err := call[wire.OrgUsers](ctx, c, http.MethodGet, orgPath(org)+"/users/search?"+q.Encode(), nil)
		return out.OrgUsers, err
	})
}

// FindOrgUser returns the member of an org with that id, uid, login or e-mail
// address. A text of digits is an id. A uid comes before a login, because people
// choose logins.
func (c *Client) FindOrgUser(ctx context.Context, org int64, ref string) (wire.OrgUser, error) {
	list, err := c.OrgUsers(ctx, org, "") // all members: a query does not search ids and uids
	if err != nil {
		return wire.OrgUser{}, err
	}
	if id, err := strconv.ParseInt(ref, 10, 64); err == nil {
		return one("user", ref, list, func(u wire.OrgUser) bool { return u.UserID == id })
	}
	if u, err := one("user", ref, list, func(u wire.OrgUser) bool { return u.UID == ref }); err == nil {
		return u, nil
	}
	return one("user", ref, list, func(u wire.OrgUser) bool { return strings.EqualFold(u.Login, ref) || strings.EqualFold(u.Email, ref) })
}

// AddOrgUser makes a user a member of the org.
func (c *Client) AddOrgUser(ctx context.Context, org int64, in wire.AddOrgUser) (wire.AddedOrgUser, error) {
	return call[wire.AddedOrgUser](ctx, c, http.MethodPost, orgPath(org)+"/users", in)
}

// SetOrgUserRole gives a member another role.
func (c *Client) SetOrgUserRole(ctx context.Context, org, user int64, role string) (wire.Message, error) {
	return c.tell(ctx, http.MethodPatch, fmt.Sprintf("%s/users/%d", orgPath(org), user), wire.UpdateOrgUser{Role: &role})
}

// RemoveOrgUser ends a membership.
func (c *Client) RemoveOrgUser(ctx context.Context, org, user int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, fmt.Sprintf("%s/users/%d", orgPath(org), user), nil)
}

func orgPath(org int64) string {
	if org == 0 {
		return "/api/org"
	}
	return fmt.Sprintf("/api/orgs/%d", org)
}

func search(query string) url.Values {
	q := url.Values{}
	if query != "" {
		q.Set("query", query)
	}
	return q
}

// segment escapes s as one part of a path. It also escapes "." and "..", which a proxy
// would resolve.
func segment(s string) string {
	switch s {
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return url.PathEscape(s)
}
