// Package client is the Go client of the HTTP API. With package wire, it is
// what outsiders may build on.
package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass/wire"
)

// A Client calls one server with one token. It is safe for concurrent use.
type Client struct {
	url   string
	token string
	http  *http.Client
}

// New returns a client of the server at baseURL, as "http://127.0.0.1:3080",
// that presents the token.
func New(baseURL, token string) *Client {
	return &Client{url: strings.TrimRight(baseURL, "/"), token: token, http: &http.Client{Timeout: 30 * time.Second}}
}

// An Error is an answer that was not a success.
type Error struct {
	Status    int    // HTTP status
	MessageID string // as "api-key.expired"
	Message   string
}

// Error returns the status and the server's message.
func (e *Error) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Message) }

// Org returns the token's org and the bytes of the answer (GET /api/org). An
// answer that is no success is an *Error.
func (c *Client) Org(ctx context.Context) (wire.Org, []byte, error) {
	var org wire.Org
	raw, err := c.get(ctx, "/api/org", &org)
	return org, raw, err
}

const maxAnswer = 8 << 20

func (c *Client) get(ctx context.Context, path string, out any) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("User-Agent", "hallpass")
	res, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		e := &Error{Status: res.StatusCode, Message: http.StatusText(res.StatusCode)}
		var body struct{ Message, MessageID string }
		if json.Unmarshal(raw, &body) == nil && body.Message != "" {
			e.Message, e.MessageID = body.Message, body.MessageID
		}
		return raw, e
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return raw, fmt.Errorf("%s: %w", path, err)
	}
	return raw, nil
}
