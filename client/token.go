package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

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

// CreateTokenOnce is CreateToken with an Idempotency-Key: sent again with the same key
// and the same token within ten minutes, because the answer was lost, it returns the
// same token with another secret.
func (c *Client) CreateTokenOnce(ctx context.Context, account int64, in wire.CreateToken, key string) (wire.NewToken, error) {
	return keyed[wire.NewToken](ctx, c, fmt.Sprintf("/api/serviceaccounts/%d/tokens", account), in, key)
}

// UpdateToken changes a token and returns it.
func (c *Client) UpdateToken(ctx context.Context, account, token int64, in wire.UpdateToken) (wire.Token, error) {
	return call[wire.Token](ctx, c, http.MethodPatch, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", account, token), in)
}

// PauseToken has a token refused for so long, in whole seconds, and returns it. With 0
// it is refused until ResumeToken. The reason may be empty.
func (c *Client) PauseToken(ctx context.Context, account, token int64, howLong time.Duration, reason string) (wire.Token, error) {
	in := wire.UpdateToken{Paused: wire.To(true), PauseReason: reason}
	if howLong != 0 {
		in.PausedFor = wire.To(int64(howLong / time.Second))
	}
	return c.UpdateToken(ctx, account, token, in)
}

// ResumeToken ends the pause of a token and returns it.
func (c *Client) ResumeToken(ctx context.Context, account, token int64) (wire.Token, error) {
	return c.UpdateToken(ctx, account, token, wire.UpdateToken{Paused: wire.To(false)})
}

// RotateToken replaces a token with a new one. Only this answer has its secret. With a
// key that is not empty it may be sent again, as CreateTokenOnce. If another token
// replaces it already, that one is the Token of the *Error.
func (c *Client) RotateToken(ctx context.Context, account, token int64, in wire.RotateToken, key string) (wire.RotatedToken, error) {
	return keyed[wire.RotatedToken](ctx, c, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d/rotate", account, token), in, key)
}

// RotateSelf replaces the token that the client sends, if it may do that. The client
// goes on to send the old one.
func (c *Client) RotateSelf(ctx context.Context, in wire.RotateToken, key string) (wire.RotatedToken, error) {
	return keyed[wire.RotatedToken](ctx, c, "/api/tokens/self/rotate", in, key)
}

// RetireToken ends a token that another replaces, now.
func (c *Client) RetireToken(ctx context.Context, account, token int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodPost, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d/retire", account, token), nil)
}

// ExtendRotation sets how long a token that another replaces works on at most, from
// now, and returns it.
func (c *Client) ExtendRotation(ctx context.Context, account, token, seconds int64) (wire.Token, error) {
	return call[wire.Token](ctx, c, http.MethodPost, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d/rotation/extend", account, token), wire.ExtendRotation{GraceSeconds: seconds})
}

// UndoRotation ends a token that replaces another while both work, and returns the
// other, which is as it was before.
func (c *Client) UndoRotation(ctx context.Context, account, token int64) (wire.Token, error) {
	return call[wire.Token](ctx, c, http.MethodPost, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d/rotation/undo", account, token), nil)
}

// DeleteToken deletes a token for good.
func (c *Client) DeleteToken(ctx context.Context, account, token int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", account, token), nil)
}

// An InventoryFilter picks tokens of all service accounts of the org; zero fields pick
// all.
type InventoryFilter struct {
	State          string // as in TokenFilter
	Owner          string
	Account        int64
	ExpiresBefore  time.Time
	ExpiresAfter   time.Time // or never, and not revoked
	LastUsedBefore time.Time // or never used; tokens that were made later are left out
	NeverUsed      bool
	NoExpiry       bool
	LastFour       string
	Query          string // part of the name of the token or of its account, in any case
	Sort           string // "name", "created", "expires" or "lastUsed", with "-" before it for the reverse; "": "name"
}

func (f InventoryFilter) values() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"state": f.State, "owner": f.Owner, "lastFour": f.LastFour, "q": f.Query, "sort": f.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"expiresBefore": f.ExpiresBefore, "expiresAfter": f.ExpiresAfter, "lastUsedBefore": f.LastUsedBefore} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	for name, set := range map[string]bool{"neverUsed": f.NeverUsed, "noExpiry": f.NoExpiry} {
		if set {
			q.Set(name, "true")
		}
	}
	if f.Account != 0 {
		q.Set("account", strconv.FormatInt(f.Account, 10))
	}
	return q
}

// Inventory returns the tokens of all service accounts that the caller may read and f
// picks, at most n. It requests them page by page.
func (c *Client) Inventory(ctx context.Context, f InventoryFilter, n int) ([]wire.ListedToken, error) {
	all := []wire.ListedToken{}
	q := f.values()
	for len(all) < n {
		q.Set("limit", strconv.Itoa(min(n-len(all), perPage)))
		page, err := call[wire.TokenInventory](ctx, c, http.MethodGet, "/api/tokens?"+q.Encode(), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Tokens...)
		if page.Next == "" {
			break
		}
		q.Set("after", page.Next)
	}
	return all, nil
}

// ExportInventory writes all tokens that f picks to w as CSV, with a line of names first.
// It has no time limit but ctx. When the connection breaks, it returns an error, and w has
// only some of the tokens.
func (c *Client) ExportInventory(ctx context.Context, f InventoryFilter, w io.Writer) error {
	return c.export(ctx, "/api/tokens?"+f.values().Encode(), "text/csv", w)
}

// InventoryToken returns the token with that id, of whichever service account.
func (c *Client) InventoryToken(ctx context.Context, token int64) (wire.ListedToken, error) {
	return call[wire.ListedToken](ctx, c, http.MethodGet, fmt.Sprintf("/api/tokens/%d", token), nil)
}

// SelfToken returns the record of the token that the client presents.
func (c *Client) SelfToken(ctx context.Context) (wire.SelfToken, error) {
	return call[wire.SelfToken](ctx, c, http.MethodGet, "/api/tokens/self", nil)
}

// TokenEvents calls fn with the first use of a token at since or later, and with each
// request that is refused from now on, until fn returns an error, which it returns too.
// Without one it returns nil when the server ends the stream, after five minutes or when it
// stops: call it again. It has no other time limit but ctx.
func (c *Client) TokenEvents(ctx context.Context, account, token int64, since time.Time, fn func(wire.TokenEvent) error) error {
	path := fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d/events?since=%s", account, token, url.QueryEscape(since.UTC().Format(time.RFC3339Nano)))
	return c.stream(ctx, path, "text/event-stream", func(body io.Reader) error {
		lines := bufio.NewScanner(body)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue // the kind, which the data has too, or a line that keeps the connection open
			}
			var e wire.TokenEvent
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				return fmt.Errorf("an event of the token %d: %w", token, err)
			}
			if err := fn(e); err != nil {
				return err
			}
		}
		return lines.Err()
	})
}

// TokenUsage returns how a token was used on so many days, today included.
func (c *Client) TokenUsage(ctx context.Context, account, token int64, days int) (wire.TokenUsage, error) {
	return call[wire.TokenUsage](ctx, c, http.MethodGet, fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d/usage?days=%d", account, token, days), nil)
}

// UsedPermissions returns what of its permissions an account used on so many days, today
// included.
func (c *Client) UsedPermissions(ctx context.Context, account int64, days int) (wire.UsedPermissions, error) {
	return call[wire.UsedPermissions](ctx, c, http.MethodGet, fmt.Sprintf("/api/serviceaccounts/%d/permissions/used?days=%d", account, days), nil)
}

// Impact returns what would break, by the use of so many days, today included. action is
// "disable", "delete", a role as "role:Viewer", or the end of a token as "token:7:revoke".
func (c *Client) Impact(ctx context.Context, account int64, action string, days int) (wire.Impact, error) {
	return call[wire.Impact](ctx, c, http.MethodGet, fmt.Sprintf("/api/serviceaccounts/%d/impact?action=%s&days=%d", account, url.QueryEscape(action), days), nil)
}
