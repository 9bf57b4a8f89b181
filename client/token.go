package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hallpass-dev/hallpass/wire"
)

// Tokens returns all tokens of a service account, also expired and revoked ones.
func (c *Client) Tokens(ctx context.Context, account int64) ([]wire.Token, error) {
	return call[[]wire.Token](ctx, c, http.MethodGet, fmt.Sprintf("/api/serviceaccounts/%d/tokens", account), nil)
}

// TokenFilter picks tokens; zero fields pick all.
type TokenFilter struct {
	Query string // part of the name, in any case
	State string // as in the wire: "live", "overlapping", "paused", "blocked", "expired", "rotated" or "revoked"
}

// TokensWhere returns the tokens of a service account that f picks. It requests them
// page by page.
func (c *Client) TokensWhere(ctx context.Context, account int64, f TokenFilter) ([]wire.Token, error) {
	query := url.Values{}
	if f.Query != "" {
		query.Set("query", f.Query)
	}
	if f.State != "" {
		query.Set("state", f.State)
	}
	all := []wire.Token{}
	for n := range maxPages {
		query.Set("page", strconv.Itoa(n+1))
		query.Set("perpage", strconv.Itoa(perPage))
		rows, err := call[[]wire.Token](ctx, c, http.MethodGet, fmt.Sprintf("/api/serviceaccounts/%d/tokens?%s", account, query.Encode()), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) != perPage { // the last page, or the whole list from a server that has no pages
			return all, nil
		}
	}
	return nil, fmt.Errorf("the list has more than %d pages", maxPages)
}

// CreateToken creates a token. Only this answer has its secret.
func (c *Client) CreateToken(ctx context.Context, account int64, in wire.CreateToken) (wire.NewToken, error) {
	return call[wire.NewToken](ctx, c, http.MethodPost, fmt.Sprintf("/api/serviceaccounts/%d/tokens", account), in)
}

// DeleteToken deletes a token for good.
func (c *Client) DeleteToken(ctx context.Context, account, token int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", account, token), nil)
}
