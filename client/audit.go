package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass/wire"
)

// An AuditFilter picks entries of the audit; zero fields pick all. From is
// included, To is not.
type AuditFilter struct {
	Action   string
	Actor    string // a login or a principal's id
	Target   string // as "token:7"
	Outcome  string // "ok" or "refused"
	From, To time.Time
	Org      int64 // for server admins; others see their own
}

func (f AuditFilter) values() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"action": f.Action, "actor": f.Actor, "target": f.Target, "outcome": f.Outcome} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"from": f.From, "to": f.To} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if f.Org != 0 {
		q.Set("org", strconv.FormatInt(f.Org, 10))
	}
	return q
}

// Audit returns the newest entries that f picks, at most n.
func (c *Client) Audit(ctx context.Context, f AuditFilter, n int) ([]wire.AuditEntry, error) {
	all := []wire.AuditEntry{}
	q := f.values()
	for len(all) < n {
		q.Set("limit", strconv.Itoa(min(n-len(all), perPage)))
		page, err := call[wire.Audit](ctx, c, http.MethodGet, "/api/audit?"+q.Encode(), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Entries...)
		if page.Cursor == "" {
			break
		}
		q.Set("cursor", page.Cursor)
	}
	return all, nil
}

// ExportAudit writes all entries that f picks to w, newest first, each as a line of
// JSON. It has no time limit but ctx. When the connection breaks, it returns an error,
// and w has only some of the entries.
func (c *Client) ExportAudit(ctx context.Context, f AuditFilter, w io.Writer) error {
	q := f.values()
	q.Set("format", "ndjson")
	return c.export(ctx, "/api/audit?"+q.Encode(), "application/x-ndjson", w)
}

// ReadAuditChain has read get the chain of the audit as it comes: a line of JSON with a
// wire.AuditChain and one with a wire.AuditLink for each link, oldest first. Of what f does
// not pick there are digests alone. Only server admins may read the chain. It has no time
// limit but ctx. When the connection breaks, reading fails.
func (c *Client) ReadAuditChain(ctx context.Context, f AuditFilter, read func(io.Reader) error) error {
	q := f.values()
	q.Set("format", "chain")
	return c.stream(ctx, "/api/audit?"+q.Encode(), "application/x-ndjson", read)
}
