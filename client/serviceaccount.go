package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hallpass-dev/hallpass/wire"
)

// A ServiceAccountFilter picks service accounts. The zero filter picks all.
type ServiceAccountFilter struct {
	Query    string // part of the name or login
	Disabled bool   // only those that are disabled
	Expired  bool   // only those that have an expired token
}

// ServiceAccounts returns the org's service accounts that f picks.
func (c *Client) ServiceAccounts(ctx context.Context, f ServiceAccountFilter) ([]wire.ServiceAccount, error) {
	query := search(f.Query)
	if f.Disabled {
		query.Set("disabled", "true")
	}
	if f.Expired {
		query.Set("expiredTokens", "true")
	}
	return pages(1, query, func(q url.Values) ([]wire.ServiceAccount, error) {
		out, err := call[wire.ServiceAccounts](ctx, c, http.MethodGet, "/api/serviceaccounts/search?"+q.Encode(), nil)
		return out.ServiceAccounts, err
	})
}

// ServiceAccount returns the service account with that id or uid.
func (c *Client) ServiceAccount(ctx context.Context, ref string) (wire.ServiceAccountProfile, error) {
	return call[wire.ServiceAccountProfile](ctx, c, http.MethodGet, "/api/serviceaccounts/"+segment(ref), nil)
}

// FindServiceAccount returns the service account with that id, uid, name or
// login. A text of digits is an id.
func (c *Client) FindServiceAccount(ctx context.Context, ref string) (wire.ServiceAccountProfile, error) {
	byID := func(ref string) (wire.ServiceAccountProfile, error) { return c.ServiceAccount(ctx, ref) }
	return find(ref, byID, func(name string) (wire.ServiceAccountProfile, error) {
		list, err := c.ServiceAccounts(ctx, ServiceAccountFilter{Query: name})
		if err != nil {
			return wire.ServiceAccountProfile{}, err
		}
		row, err := one("service account", name, list, func(s wire.ServiceAccount) bool { return s.Name == name || s.Login == name })
		if err != nil {
			return wire.ServiceAccountProfile{}, err
		}
		return c.ServiceAccount(ctx, fmt.Sprint(row.ID))
	})
}

// CreateServiceAccount creates a service account.
func (c *Client) CreateServiceAccount(ctx context.Context, in wire.CreateServiceAccount) (wire.ServiceAccount, error) {
	return call[wire.ServiceAccount](ctx, c, http.MethodPost, "/api/serviceaccounts", in)
}

// UpdateServiceAccount changes the fields that are not nil in the input.
func (c *Client) UpdateServiceAccount(ctx context.Context, id int64, in wire.UpdateServiceAccount) (wire.UpdatedServiceAccount, error) {
	return call[wire.UpdatedServiceAccount](ctx, c, http.MethodPatch, fmt.Sprintf("/api/serviceaccounts/%d", id), in)
}

// DeleteServiceAccount deletes a service account and its tokens.
func (c *Client) DeleteServiceAccount(ctx context.Context, id int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, fmt.Sprintf("/api/serviceaccounts/%d", id), nil)
}
