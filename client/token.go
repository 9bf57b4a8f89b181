package client

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hallpass-dev/hallpass/wire"
)

// Tokens returns all tokens of a service account, dead ones too.
func (c *Client) Tokens(ctx context.Context, account int64) ([]wire.Token, error) {
	return call[[]wire.Token](ctx, c, http.MethodGet, fmt.Sprintf("/api/serviceaccounts/%d/tokens", account), nil)
}

// CreateToken makes a token. Its secret is in the answer and nowhere else.
func (c *Client) CreateToken(ctx context.Context, account int64, in wire.CreateToken) (wire.NewToken, error) {
	return call[wire.NewToken](ctx, c, http.MethodPost, fmt.Sprintf("/api/serviceaccounts/%d/tokens", account), in)
}

// DeleteToken ends a token for good.
func (c *Client) DeleteToken(ctx context.Context, account, token int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", account, token), nil)
}
