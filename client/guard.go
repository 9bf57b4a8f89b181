package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hallpass-dev/hallpass/wire"
)

const guardsPath = "/api/guards"

// Guards returns the guards of the org that the caller may read, by name.
func (c *Client) Guards(ctx context.Context, query string) ([]wire.Guard, error) {
	return pages(1, url.Values{"query": {query}}, func(q url.Values) ([]wire.Guard, error) {
		out, err := call[wire.Guards](ctx, c, http.MethodGet, guardsPath+"?"+q.Encode(), nil)
		return out.Guards, err
	})
}

// Guard returns the guard of that name.
func (c *Client) Guard(ctx context.Context, name string) (wire.Guard, error) {
	return call[wire.Guard](ctx, c, http.MethodGet, guardPath(name), nil)
}

// CreateGuard creates a guard.
func (c *Client) CreateGuard(ctx context.Context, in wire.WriteGuard) (wire.Guard, error) {
	return call[wire.Guard](ctx, c, http.MethodPost, guardsPath, in)
}

// UpdateGuard replaces the guard of that name. in has the version that was read.
func (c *Client) UpdateGuard(ctx context.Context, name string, in wire.WriteGuard) (wire.Guard, error) {
	return call[wire.Guard](ctx, c, http.MethodPut, guardPath(name), in)
}

// DeleteGuard deletes the guard of that name.
func (c *Client) DeleteGuard(ctx context.Context, name string) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, guardPath(name), nil)
}

// TestGuard returns what the guard would say about a request, and why.
func (c *Client) TestGuard(ctx context.Context, name string, in wire.TestGuard) (wire.GuardTest, error) {
	return call[wire.GuardTest](ctx, c, http.MethodPost, guardPath(name)+"/test", in)
}

// GuardUsage returns how the guard was used on so many days, today included.
func (c *Client) GuardUsage(ctx context.Context, name string, days int) (wire.GuardUsage, error) {
	return call[wire.GuardUsage](ctx, c, http.MethodGet, guardPath(name)+"/usage?days="+strconv.Itoa(days), nil)
}

func guardPath(name string) string { return guardsPath + "/" + segment(name) }
