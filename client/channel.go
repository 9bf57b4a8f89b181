package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hallpass-dev/hallpass/wire"
)

const channelsPath = "/api/org/notifications"

// Notifications returns the channels of the org, and what is set up for them.
func (c *Client) Notifications(ctx context.Context) (wire.Notifications, error) {
	return call[wire.Notifications](ctx, c, http.MethodGet, channelsPath, nil)
}

// Channel returns a channel.
func (c *Client) Channel(ctx context.Context, id int64) (wire.Channel, error) {
	return call[wire.Channel](ctx, c, http.MethodGet, channelPath(id), nil)
}

// CreateChannel creates a channel.
func (c *Client) CreateChannel(ctx context.Context, in wire.WriteChannel) (wire.Channel, error) {
	return call[wire.Channel](ctx, c, http.MethodPost, channelsPath, in)
}

// UpdateChannel changes what in names of a channel.
func (c *Client) UpdateChannel(ctx context.Context, id int64, in wire.WriteChannel) (wire.Channel, error) {
	return call[wire.Channel](ctx, c, http.MethodPatch, channelPath(id), in)
}

// DeleteChannel deletes a channel with what is on its way there.
func (c *Client) DeleteChannel(ctx context.Context, id int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, channelPath(id), nil)
}

// TestChannel sends a test. It is sent within seconds; Deliveries tells what became of it.
func (c *Client) TestChannel(ctx context.Context, id int64) (wire.Delivery, error) {
	return call[wire.Delivery](ctx, c, http.MethodPost, channelPath(id)+"/test", nil)
}

// Deliveries returns one page of what was written to a channel, the newest first, in
// that state ("": in any), after the message of that number (0: from the newest).
func (c *Client) Deliveries(ctx context.Context, id int64, state string, after int64) (wire.Deliveries, error) {
	q := url.Values{}
	if state != "" {
		q.Set("state", state)
	}
	if after != 0 {
		q.Set("after", strconv.FormatInt(after, 10))
	}
	return call[wire.Deliveries](ctx, c, http.MethodGet, channelPath(id)+"/messages?"+q.Encode(), nil)
}

// RetryNotices sends all dead messages of a channel again.
func (c *Client) RetryNotices(ctx context.Context, id int64) (wire.Retried, error) {
	return call[wire.Retried](ctx, c, http.MethodPost, channelPath(id)+"/retry", nil)
}

// RetryNotice sends one dead message of a channel again.
func (c *Client) RetryNotice(ctx context.Context, id, message int64) (wire.Retried, error) {
	return call[wire.Retried](ctx, c, http.MethodPost, channelPath(id)+"/messages/"+strconv.FormatInt(message, 10)+"/retry", nil)
}

func channelPath(id int64) string { return channelsPath + "/" + strconv.FormatInt(id, 10) }
