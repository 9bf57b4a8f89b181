package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hallpass-dev/hallpass/wire"
)

// Permissions returns what the credential may do: actions with their scopes.
func (c *Client) Permissions(ctx context.Context) (map[string][]string, error) {
	return call[map[string][]string](ctx, c, http.MethodGet, "/api/access-control/user/permissions", nil)
}

// UserPermissions returns what a user or service account may do in the org, and
// where each permission comes from, if the server tells it.
func (c *Client) UserPermissions(ctx context.Context, id int64) ([]wire.EffectivePermission, error) {
	return call[[]wire.EffectivePermission](ctx, c, http.MethodGet, fmt.Sprintf("/api/access-control/users/%d/permissions?sources=true", id), nil)
}

// Explain says whether the principal, as "user:ana" or "serviceaccount:7", may
// do the action on the scope, and why. An empty principal is the credential's.
func (c *Client) Explain(ctx context.Context, principal, action, scope string) (wire.Explanation, error) {
	q := url.Values{"action": {action}}
	if principal != "" {
		q.Set("principal", principal)
	}
	if scope != "" {
		q.Set("scope", scope)
	}
	return call[wire.Explanation](ctx, c, http.MethodGet, "/api/access-control/explain?"+q.Encode(), nil)
}
