package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hallpass-dev/hallpass/wire"
)

const attentionPath = "/api/attention"

// Attention returns what needs doing, of each section the first rows, at most n of them.
func (c *Client) Attention(ctx context.Context, n int) (wire.Attention, error) {
	return call[wire.Attention](ctx, c, http.MethodGet, attentionPath+"?limit="+strconv.Itoa(n), nil)
}

// AttentionRows returns the rows of one section, at most n. It requests them page by
// page.
func (c *Client) AttentionRows(ctx context.Context, section string, n int) ([]wire.AttentionRow, error) {
	all := []wire.AttentionRow{}
	q := url.Values{"section": {section}}
	for len(all) < n {
		q.Set("limit", strconv.Itoa(min(n-len(all), perPage)))
		out, err := call[wire.Attention](ctx, c, http.MethodGet, attentionPath+"?"+q.Encode(), nil)
		if err != nil {
			return nil, err
		}
		if len(out.Sections) == 0 { // the caller may not read it
			break
		}
		all = append(all, out.Sections[0].Rows...)
		if out.Sections[0].Next == "" {
			break
		}
		q.Set("after", out.Sections[0].Next)
	}
	return all, nil
}

// ExportAttention writes all rows to w as CSV, with a line of names first: those of one
// section, or with "" of all. It has no time limit but ctx. When the connection breaks, it
// returns an error, and w has only some of the rows.
func (c *Client) ExportAttention(ctx context.Context, section string, w io.Writer) error {
	q := url.Values{}
	if section != "" {
		q.Set("section", section)
	}
	return c.export(ctx, attentionPath+"?"+q.Encode(), "text/csv", w)
}

// Snoozes returns what is put off in the org.
func (c *Client) Snoozes(ctx context.Context) ([]wire.Snooze, error) {
	return call[[]wire.Snooze](ctx, c, http.MethodGet, attentionPath+"/snoozes", nil)
}

// Snooze puts the row of the section about the subject off.
func (c *Client) Snooze(ctx context.Context, section, subject string, in wire.SetSnooze) (wire.Snooze, error) {
	return call[wire.Snooze](ctx, c, http.MethodPut, snoozePath(section, subject), in)
}

// EndSnooze lets the row come back.
func (c *Client) EndSnooze(ctx context.Context, section, subject string) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, snoozePath(section, subject), nil)
}

func snoozePath(section, subject string) string {
	return attentionPath + "/" + segment(section) + "/" + segment(subject) + "/snooze"
}
