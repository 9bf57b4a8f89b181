package client

import (
	"context"
	"net/http"

	"github.com/hallpass-dev/hallpass/wire"
)

// SaveDashboard creates a dashboard, or a new version of one.
func (c *Client) SaveDashboard(ctx context.Context, in wire.SaveDashboard) (wire.SavedDashboard, error) {
	return call[wire.SavedDashboard](ctx, c, http.MethodPost, "/api/dashboards/db", in)
}

// Dashboard returns the dashboard with that uid.
func (c *Client) Dashboard(ctx context.Context, uid string) (wire.Dashboard, error) {
	return call[wire.Dashboard](ctx, c, http.MethodGet, "/api/dashboards/uid/"+segment(uid), nil)
}

// DeleteDashboard deletes a dashboard.
func (c *Client) DeleteDashboard(ctx context.Context, uid string) (wire.DeletedDashboard, error) {
	return call[wire.DeletedDashboard](ctx, c, http.MethodDelete, "/api/dashboards/uid/"+segment(uid), nil)
}
