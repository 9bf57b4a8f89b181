package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/wire"
)

func (a *API) attentionRoutes() []route {
	return []route{
		attentionRoute(a),
		endpoint(a, "GET /api/attention/snoozes", 200, may(hallpass.ServiceAccountsRead), a.snoozes),
		endpoint(a, "PUT /api/attention/{section}/{subject}/snooze", 200, may(hallpass.ServiceAccountsRead), a.snooze),
		endpoint(a, "DELETE /api/attention/{section}/{subject}/snooze", 200, may(hallpass.ServiceAccountsRead), a.endSnooze),
	}
}

// attentionRoute is GET /api/attention?section&limit&after: what needs doing, as JSON,
// or as CSV with all rows.
func attentionRoute(a *API) route {
	const pattern = "GET /api/attention"
	rule := may(hallpass.ServiceAccountsRead).taking(formats("csv"), oneOf("section", hallpass.AttentionSections()), plain("limit", "after"))
	page := endpoint(a, pattern, http.StatusOK, rule, a.attention)
	export := stream(a, pattern, rule, a.exportAttention)
	return pageOrExport(page, export, wantsCSV)
}

// attention answers a page of each section.
func (a *API) attention(c call, _ none) (wire.Attention, error) {
	f, err := attentionFilter(c)
	if err != nil {
		return wire.Attention{}, err
	}
	pages, err := a.admin.Attention(c.Context(), c.caller, f)
	if err != nil {
		return wire.Attention{}, err
	}
	out := wire.Attention{Sections: make([]wire.AttentionSection, 0, len(pages)), FailingWork: a.failingWork(c.caller)}
	for _, p := range pages {
		out.Sections = append(out.Sections, wire.AttentionSection{
			Section: string(p.Section), Title: p.Section.Title(), Total: p.Total, More: p.More, Rows: a.attentionRows(p.Rows),
			Next: cursor(p.Next.String(), listing(c, p.Section)),
		})
	}
	return out, nil
}

// failingWork returns the background work that fails, as far as the caller may know of it.
func (a *API) failingWork(c hallpass.Caller) []wire.FailingJob {
	out := []wire.FailingJob{}
	if a.jobs == nil {
		return out
	}
	for _, j := range hallpass.FailingJobs(a.jobs(), c) {
		out = append(out, wire.FailingJob{Name: j.Name, Does: j.Does, Error: j.Error, RanAt: timeOrNil(j.RanAt)})
	}
	return out
}

// attentionRows returns the rows as the wire has them, with the last uses that are not
// yet written.
func (a *API) attentionRows(rows []hallpass.AttentionRow) []wire.AttentionRow {
	tokens := make([]hallpass.Token, len(rows))
	for i, r := range rows {
		tokens[i] = r.Token
	}
	a.verify.Uses(tokens)
	out := make([]wire.AttentionRow, len(rows))
	for i, r := range rows {
		r.Token = tokens[i]
		out[i] = attentionRow(r, a.admin.Now())
	}
	return out
}

func attentionRow(r hallpass.AttentionRow, now time.Time) wire.AttentionRow {
	t := r.Token
	out := wire.AttentionRow{
		Section: string(r.Section), Subject: r.Subject.String(), What: r.What(), Action: string(r.Action), Reason: r.Reason,
		TokenID: int64(t.ID), Token: t.Name, LastFour: t.LastFour,
		Created: timeOrNil(t.CreatedAt), Expiration: timeOrNil(t.ExpiresAt), ReplacedByID: int64(t.Rotation.Successor), ClosesAt: timeOrNil(t.Rotation.CloseAt),
		LastUsedAt: timeOrNil(t.LastUse.At), LastUsedAddress: t.LastUse.Address, LastUsedUserAgent: t.LastUse.UserAgent,
		ServiceAccountID: int64(r.Account.ID), ServiceAccount: r.Account.Name, Login: r.Account.Login,
		ChannelID: int64(r.Channel.ID), Channel: r.Channel.Name, Guard: r.Guard, Rule: r.Rule,
		Since: timeOrNil(r.Since), Last: timeOrNil(r.Last), Count: r.Count, Answers: r.API.Answers, Failed: r.API.Failed, Address: r.From.Address, UserAgent: r.From.UserAgent,
	}
	if t.ID != 0 {
		out.State, out.Owner = string(t.State(now, r.Account.Disabled)), t.Owner
	}
	if r.Account.ID != 0 {
		out.Role = r.Account.Role.String()
		if out.Owner == "" {
			out.Owner = r.Account.Owner
		}
	}
	if r.Action == hallpass.ActionLowerRole {
		out.LowerRole = r.Lower.String()
	}
	out.SecondsToLive = r.Seconds
	return out
}

// attentionFilter reads the filter from the query.
func attentionFilter(c call) (f admin.AttentionFilter, err error) {
	f.Section = hallpass.AttentionSection(query(c, "section"))
	if f.Limit, err = numberFrom(c, "limit", 10, 1, maxPerPage); err != nil {
		return f, err
	}
	after, err := readCursor(c, "after", listing(c, f.Section))
	if err != nil || after == "" {
		return f, err
	}
	var ok bool
	if f.After, ok = hallpass.ParseAttentionCursor(after); !ok || f.Section == "" {
		return f, badCursor("after")
	}
	return f, nil
}

// attentionColumns are the columns of the table, and how a row fills them.
var attentionColumns = []struct {
	name string
	text func(wire.AttentionRow) string
}{
	{"section", func(r wire.AttentionRow) string { return r.Section }},
	{"subject", func(r wire.AttentionRow) string { return r.Subject }},
	{"what", func(r wire.AttentionRow) string { return r.What }},
	{"action", func(r wire.AttentionRow) string { return r.Action }},
	{"token", func(r wire.AttentionRow) string { return r.Token }},
	{"lastFour", func(r wire.AttentionRow) string { return r.LastFour }},
	{"serviceAccount", func(r wire.AttentionRow) string { return r.ServiceAccount }},
	{"login", func(r wire.AttentionRow) string { return r.Login }},
	{"owner", func(r wire.AttentionRow) string { return r.Owner }},
	{"expiration", func(r wire.AttentionRow) string { return timeText(r.Expiration) }},
	{"lastUsedAt", func(r wire.AttentionRow) string { return timeText(r.LastUsedAt) }},
	{"channel", func(r wire.AttentionRow) string { return r.Channel }},
	{"guard", func(r wire.AttentionRow) string { return r.Guard }},
	{"rule", func(r wire.AttentionRow) string { return countText(int64(r.Rule)) }},
	{"reason", func(r wire.AttentionRow) string { return r.Reason }},
	{"since", func(r wire.AttentionRow) string { return timeText(r.Since) }},
	{"last", func(r wire.AttentionRow) string { return timeText(r.Last) }},
	{"count", func(r wire.AttentionRow) string { return countText(r.Count) }},
	{"answers", func(r wire.AttentionRow) string { return countText(r.Answers) }},
	{"failed", func(r wire.AttentionRow) string { return countText(r.Failed) }},
	{"address", func(r wire.AttentionRow) string { return r.Address }},
	{"userAgent", func(r wire.AttentionRow) string { return r.UserAgent }},
}

func timeText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func countText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// exportAttention writes all rows as a table. An export that fails after its first line
// cuts the connection, so that the client does not take a part for all.
func (a *API) exportAttention(l *streamWriter, c call) error {
	f, err := attentionFilter(c)
	if err != nil {
		return err
	}
	f.Limit = exportBatch
	pages, err := a.admin.Attention(c.Context(), c.caller, f)
	if err != nil {
		return err
	}
	l.Header().Set("Content-Type", httpd.MediaCSV+"; charset=utf-8; header=present")
	if _, err = l.Write(attentionLines(nil, true)); err != nil {
		return err
	}
	for _, p := range pages {
		for err == nil {
			_, err = l.Write(attentionLines(a.attentionRows(p.Rows), false))
			if err != nil || p.Next.IsZero() {
				break
			}
			f.Section, f.After = p.Section, p.Next
			var more []admin.AttentionPage
			if more, err = a.admin.Attention(c.Context(), c.caller, f); err == nil && len(more) == 1 {
				p = more[0]
				continue
			}
			break
		}
		select {
		case <-a.stop:
			err = errStopping
		default:
		}
		if err != nil {
			httpd.EventOf(c.Context()).Err = err
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}

func attentionLines(rows []wire.AttentionRow, head bool) []byte {
	var lines [][]string
	if head {
		var names []string
		for _, column := range attentionColumns {
			names = append(names, column.name)
		}
		lines = append(lines, names)
	}
	for _, r := range rows {
		line := make([]string, len(attentionColumns))
		for i, column := range attentionColumns {
			line[i] = column.text(r)
		}
		lines = append(lines, line)
	}
	return httpd.CSV(lines...)
}

func snoozeRow(z hallpass.Snooze) wire.Snooze {
	return wire.Snooze{Section: string(z.Section), Subject: z.Subject.String(), Until: z.Until, Reason: z.Reason, Created: z.At, By: z.By}
}

// snoozes is GET /api/attention/snoozes.
func (a *API) snoozes(c call, _ none) ([]wire.Snooze, error) {
	list, err := a.admin.Snoozes(c.Context(), c.caller)
	out := make([]wire.Snooze, 0, len(list))
	for _, z := range list {
		out = append(out, snoozeRow(z))
	}
	return out, err
}

// subject returns what the path names.
func subject(c call) (hallpass.AttentionSection, hallpass.Subject, error) {
	s, ok := hallpass.ParseSubject(c.PathValue("subject"))
	if !ok {
		return "", s, hallpass.Invalidf("subject", "the subject in the path is not one as token:7, serviceaccount:3, channel:2, org:1 or guard:4:1")
	}
	return hallpass.AttentionSection(c.PathValue("section")), s, nil
}

// snooze is PUT /api/attention/{section}/{subject}/snooze.
func (a *API) snooze(c call, in wire.SetSnooze) (wire.Snooze, error) {
	section, s, err := subject(c)
	if err != nil {
		return wire.Snooze{}, err
	}
	if in.Days < 0 || in.Days > int64(hallpass.MaxSnooze/(24*time.Hour)) {
		return wire.Snooze{}, hallpass.Invalidf("days", "days is not between 1 and 90")
	}
	z, err := a.admin.Snooze(c.Context(), c.caller, section, s, time.Duration(in.Days)*24*time.Hour, in.Reason)
	return snoozeRow(z), err
}

// endSnooze is DELETE /api/attention/{section}/{subject}/snooze.
func (a *API) endSnooze(c call, _ none) (wire.Message, error) {
	section, s, err := subject(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Snooze ended"}, a.admin.EndSnooze(c.Context(), c.caller, section, s)
}
