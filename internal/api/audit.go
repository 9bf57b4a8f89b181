package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/wire"
)

// auditRoute is GET /api/audit?action&actor&target&outcome&from&to&org&format&limit&cursor:
// a page of entries, or an export of all.
func auditRoute(a *API) route {
	const pattern = "GET /api/audit"
	rule := may(hallpass.AuditRead).taking(
		plain("action", "actor", "target", "from", "to", "org", "limit", "cursor"), oneOf("outcome", []hallpass.AuditOutcome{hallpass.Done, hallpass.Refused}),
		formats("ndjson", "csv", "chain"),
	)
	page := endpoint(a, pattern, http.StatusOK, rule, a.audit)
	export := stream(a, pattern, rule, a.exportAudit)
	return pageOrExport(page, export, func(r *http.Request) bool { return auditFormat(r) != "json" })
}

const ndjson = "application/x-ndjson"

// auditFormat returns the format that the request asks for, with its parameter or its Accept
// header: json is a page.
func auditFormat(r *http.Request) string {
	switch format := queryOf(r, "format"); {
	case format != "":
		return format
	case accepts(r, ndjson):
		return "ndjson"
	case wantsCSV(r):
		return "csv"
	}
	return "json"
}

// audit answers a page.
func (a *API) audit(c call, _ none) (wire.Audit, error) {
	f, err := auditFilter(c)
	if err != nil {
		return wire.Audit{}, err
	}
	page, err := a.admin.Audit(c.Context(), c.caller, f)
	if err != nil {
		return wire.Audit{}, err
	}
	out := wire.Audit{Entries: make([]wire.AuditEntry, 0, len(page.Entries)), Cursor: cursor(page.Next.String(), listing(c))}
	for _, e := range page.Entries {
		out.Entries = append(out.Entries, auditEntry(e))
	}
	return out, nil
}

// exportBatch is how many entries an export reads from the database at once.
const exportBatch = 1000

// exportAudit writes what the filter picks, in the format that was asked for.
func (a *API) exportAudit(l *streamWriter, c call) error {
	f, err := auditFilter(c)
	if err != nil {
		return err
	}
	switch auditFormat(c.Request) {
	case "chain":
		return a.exportChain(l, c, f)
	case "csv":
		l.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
		return a.exportEntries(l, c, f, httpd.MediaCSV+"; charset=utf-8", auditTable())
	}
	return a.exportEntries(l, c, f, ndjson, auditLines)
}

// exportEntries writes the entries that f picks, newest first: at most limit, or all without
// a limit.
func (a *API) exportEntries(l *streamWriter, c call, f hallpass.AuditFilter, kind string, form func([]hallpass.AuditEntry) []byte) error {
	left := f.Limit
	return a.send(l, c, kind, func() (part []byte, more bool, err error) {
		f.Limit = min(left, exportBatch)
		page, err := a.admin.Audit(c.Context(), c.caller, f)
		left -= len(page.Entries)
		f.Before = page.Next
		return form(page.Entries), !f.Before.IsZero() && left > 0, err
	})
}

// send writes the parts that next returns until there are no more. An export that fails
// after its first part cuts the connection, so that the client does not take a part for
// all.
func (a *API) send(l *streamWriter, c call, kind string, next func() (part []byte, more bool, err error)) error {
	l.Header().Set("Content-Type", kind)
	for begun := false; ; begun = true {
		part, more, err := next()
		if err == nil {
			_, err = l.Write(part)
		}
		if err != nil && !begun {
			l.Header().Del("Content-Disposition")
			return err
		}
		if err == nil && !more {
			return nil
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
}

var errStopping = &hallpass.Error{Kind: hallpass.Unavailable, ID: "server.draining", Message: "The server is stopping"}

func auditLines(entries []hallpass.AuditEntry) []byte {
	var lines []byte
	for _, e := range entries {
		lines = append(lines, jsonLine(auditEntry(e))...)
	}
	return lines
}

// jsonLine returns v as a line of JSON.
func jsonLine(v any) []byte {
	line, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("api: %T does not marshal: %v", v, err)) // the build is broken
	}
	return append(line, '\n')
}

// auditTable returns what writes entries as lines of a table, and its head before the first.
func auditTable() func([]hallpass.AuditEntry) []byte {
	lines := [][]string{{"id", "time", "org_id", "actor", "actor_id", "actor_kind", "token_id", "action", "target", "outcome", "reason", "address", "user_agent", "count"}}
	return func(entries []hallpass.AuditEntry) []byte {
		for _, e := range entries {
			lines = append(lines, []string{
				decimal(e.ID), e.At.UTC().Format(time.RFC3339Nano), decimal(e.Org), e.Actor.Login, decimal(e.Actor.ID), e.Actor.Kind.String(), decimal(e.Token),
				e.Action, e.Target, string(e.Outcome), e.Reason, e.From.Address, e.From.UserAgent, decimal(e.Count),
			})
		}
		part := httpd.CSV(lines...)
		lines = nil
		return part
	}
}

func auditEntry(e hallpass.AuditEntry) wire.AuditEntry {
	return wire.AuditEntry{
		ID: int64(e.ID), Time: e.At, OrgID: int64(e.Org), Actor: e.Actor.Login, ActorID: e.Actor.ID, ActorKind: e.Actor.Kind.String(),
		TokenID: int64(e.Token), Action: e.Action, Target: e.Target, Outcome: string(e.Outcome), Reason: e.Reason,
		Address: e.From.Address, UserAgent: e.From.UserAgent, Count: e.Count,
	}
}

// auditFilter reads the filter from the query.
func auditFilter(c call) (f hallpass.AuditFilter, err error) {
	f = hallpass.AuditFilter{Action: query(c, "action"), Actor: query(c, "actor"), Target: query(c, "target"), Outcome: hallpass.AuditOutcome(query(c, "outcome"))}
	if f.From, err = timeParam(c, "from"); err != nil {
		return f, err
	}
	if f.To, err = timeParam(c, "to"); err != nil {
		return f, err
	}
	if s := query(c, "org"); s != "" {
		n, ok := hallpass.ParseID(s)
		if !ok {
			return f, hallpass.Invalidf("org", "org is not the id of an org")
		}
		f.Org = hallpass.OrgID(n)
	}
	absent, highest := 100, maxPerPage
	if auditFormat(c.Request) != "json" {
		absent, highest = math.MaxInt, math.MaxInt
	}
	if f.Limit, err = numberFrom(c, "limit", absent, 1, highest); err != nil {
		return f, err
	}
	before, err := readCursor(c, "cursor", listing(c))
	if err == nil && before != "" {
		var ok bool
		if f.Before, ok = hallpass.ParseAuditCursor(before); !ok {
			err = badCursor("cursor")
		}
	}
	return f, err
}

// timeParam reads a parameter that is a time in RFC 3339; absent, it is zero.
func timeParam(c call, name string) (time.Time, error) {
	s := query(c, name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, hallpass.Invalidf(name, "%s is not a time in RFC 3339", name)
	}
	return t, nil
}

var errOldKeys = &hallpass.Error{
	Kind: hallpass.NotFound, ID: "apikeys.gone",
	Message: "API keys were removed: create a service account with POST /api/serviceaccounts and a token with POST /api/serviceaccounts/{id}/tokens",
}

// oldKeys is every call under /api/auth/keys but the list. It answers 410 and says
// what to do instead.
func (a *API) oldKeys(call, none) (wire.Message, error) { return wire.Message{}, errOldKeys }
