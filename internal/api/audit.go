package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/wire"
)

// auditRoute is GET /api/audit?action&actor&target&outcome&from&to&org&limit&cursor:
// a page of entries, or an export of all.
func auditRoute(a *API) route {
	const pattern = "GET /api/audit"
	rule := may(hallpass.AuditRead).taking(
		plain("action", "actor", "target", "from", "to", "org", "limit", "cursor"), oneOf("outcome", []hallpass.AuditOutcome{hallpass.Done, hallpass.Refused}), formats("ndjson"),
	)
	page := endpoint(a, pattern, http.StatusOK, rule, a.audit)
	export := stream(a, pattern, rule, a.exportAudit)
	return pageOrExport(page, export, wantsLines)
}

const ndjson = "application/x-ndjson"

// wantsLines reports whether the request asks for an export: a line of JSON for each
// entry.
func wantsLines(r *http.Request) bool {
	format := queryOf(r, "format")
	return format == "ndjson" || format == "" && accepts(r, ndjson)
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

// exportAudit writes the entries that the filter picks, a line of JSON each: at most
// limit, or all without a limit. An export that fails after its first line cuts the
// connection, so that the client does not take a part for all.
func (a *API) exportAudit(l *streamWriter, c call) error {
	f, err := auditFilter(c)
	if err != nil {
		return err
	}
	l.Header().Set("Content-Type", ndjson)
	left := f.Limit
	for begun := false; err == nil; begun = true {
		f.Limit = min(left, exportBatch)
		var page hallpass.AuditPage
		if page, err = a.admin.Audit(c.Context(), c.caller, f); err == nil {
			_, err = l.Write(auditLines(page.Entries))
		}
		if err != nil && !begun {
			return err
		}
		left -= len(page.Entries)
		if f.Before = page.Next; err == nil && (f.Before.IsZero() || left == 0) {
			return nil
		}
		select {
		case <-a.stop:
			err = errStopping
		default:
		}
	}
	httpd.EventOf(c.Context()).Err = err
	panic(http.ErrAbortHandler)
}

var errStopping = &hallpass.Error{Kind: hallpass.Unavailable, ID: "server.draining", Message: "The server is stopping"}

func auditLines(entries []hallpass.AuditEntry) []byte {
	var lines bytes.Buffer
	to := json.NewEncoder(&lines)
	for _, e := range entries {
		if err := to.Encode(auditEntry(e)); err != nil {
			panic(fmt.Sprintf("api: an audit entry does not marshal: %v", err)) // the build is broken
		}
	}
	return lines.Bytes()
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
	if wantsLines(c.Request) {
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
