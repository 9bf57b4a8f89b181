package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hallpass-dev/hallpass/wire"
)

const policyPath = "/api/org/token-policy"

// TokenPolicy returns what the org does about tokens that nobody uses.
func (c *Client) TokenPolicy(ctx context.Context) (wire.TokenPolicy, error) {
	return call[wire.TokenPolicy](ctx, c, http.MethodGet, policyPath, nil)
}

// SetTokenPolicy sets what the org does about tokens that nobody uses.
func (c *Client) SetTokenPolicy(ctx context.Context, in wire.TokenPolicy) (wire.TokenPolicy, error) {
	return call[wire.TokenPolicy](ctx, c, http.MethodPut, policyPath, in)
}

// PreviewTokenPolicy returns what the policy would do within so many days, and to which
// tokens. It requests them page by page.
func (c *Client) PreviewTokenPolicy(ctx context.Context, in wire.TokenPolicy, days int) (all wire.StalePreview, err error) {
	q := url.Values{"days": {strconv.Itoa(days)}}
	for {
		out, err := call[wire.StalePreview](ctx, c, http.MethodPost, policyPath+"/preview?"+q.Encode(), in)
		if err != nil {
			return all, err
		}
		out.Tokens = append(all.Tokens, out.Tokens...)
		if all = out; out.Next == "" {
			return all, nil
		}
		q.Set("after", out.Next)
	}
}

// TokenRules returns what holds for new tokens of the caller's org, and for those that
// nobody uses.
func (c *Client) TokenRules(ctx context.Context) (wire.TokenRules, error) {
	return call[wire.TokenRules](ctx, c, http.MethodGet, "/api/serviceaccounts/token-policy", nil)
}

// DeleteDeadTokens deletes the tokens of a service account that have ended.
func (c *Client) DeleteDeadTokens(ctx context.Context, account int64) (wire.DeletedTokens, error) {
	return call[wire.DeletedTokens](ctx, c, http.MethodDelete, fmt.Sprintf("/api/serviceaccounts/%d/tokens?state=dead", account), nil)
}
