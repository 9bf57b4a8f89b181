package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hallpass-dev/hallpass/wire"
)

// A NewUser is the input of CreateUser. It is not in package wire, because it holds a
// secret.
type NewUser struct {
	Name     string `json:"name"`
	Login    string `json:"login"`
	Email    string `json:"email"`
	Password string `json:"password"`
	OrgID    int64  `json:"orgId,omitempty"` // 0: the server chooses
}

// Users returns the server's users whose login, e-mail address or name contains
// query.
func (c *Client) Users(ctx context.Context, query string) ([]wire.UserRow, error) {
	return pages(1, search(query), func(q url.Values) ([]wire.UserRow, error) {
		out, err := call[wire.Users](ctx, c, http.MethodGet, "/api/users/search?"+q.Encode(), nil)
		return out.Users, err
	})
}

// Self returns the user or service account whose credential the client has. OrgID is the
// org that its requests are in.
func (c *Client) Self(ctx context.Context) (wire.User, error) {
	return call[wire.User](ctx, c, http.MethodGet, "/api/user", nil)
}

// User returns the user with that id or uid.
func (c *Client) User(ctx context.Context, ref string) (wire.User, error) {
	return call[wire.User](ctx, c, http.MethodGet, "/api/users/"+segment(ref), nil)
}

// LookupUser returns the user with that login or e-mail address.
func (c *Client) LookupUser(ctx context.Context, loginOrEmail string) (wire.User, error) {
	return call[wire.User](ctx, c, http.MethodGet, "/api/users/lookup?"+url.Values{"loginOrEmail": {loginOrEmail}}.Encode(), nil)
}

// FindUser returns the user with that id, uid, login or e-mail address. A text
// of digits is an id.
func (c *Client) FindUser(ctx context.Context, ref string) (wire.User, error) {
	byID := func(ref string) (wire.User, error) { return c.User(ctx, ref) }
	return find(ref, byID, func(name string) (wire.User, error) { return c.LookupUser(ctx, name) })
}

// UserOrgs returns the orgs that a user is a member of.
func (c *Client) UserOrgs(ctx context.Context, id int64) ([]wire.UserOrg, error) {
	return call[[]wire.UserOrg](ctx, c, http.MethodGet, fmt.Sprintf("/api/users/%d/orgs", id), nil)
}

// CreateUser makes a user.
func (c *Client) CreateUser(ctx context.Context, in NewUser) (wire.CreatedUser, error) {
	return call[wire.CreatedUser](ctx, c, http.MethodPost, "/api/admin/users", in)
}

// DeleteUser removes a user.
func (c *Client) DeleteUser(ctx context.Context, id int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, adminUserPath(id), nil)
}

// DisableUser disables a user, who cannot sign in until EnableUser.
func (c *Client) DisableUser(ctx context.Context, id int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodPost, adminUserPath(id)+"/disable", nil)
}

// EnableUser enables a disabled user.
func (c *Client) EnableUser(ctx context.Context, id int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodPost, adminUserPath(id)+"/enable", nil)
}

// SetServerAdmin makes a user a server admin, or ends that.
func (c *Client) SetServerAdmin(ctx context.Context, id int64, admin bool) (wire.Message, error) {
	return c.tell(ctx, http.MethodPut, adminUserPath(id)+"/permissions", wire.UserPermissions{IsGrafanaAdmin: admin})
}

func adminUserPath(id int64) string { return fmt.Sprintf("/api/admin/users/%d", id) }
