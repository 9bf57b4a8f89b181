package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// Audit writes the entry, in the transaction of what it tells of, links it to the one
// before it, and returns its ID. A zero Count is 1.
func (tx *Tx) Audit(e hallpass.AuditEntry) (hallpass.AuditID, error) {
	e = e.Clean()
	e.Count = max(e.Count, 1)
	id, err := tx.nextID("audit")
	if err != nil {
		return 0, err
	}
	e.ID = hallpass.AuditID(id)
	digest, err := tx.link(hallpass.AuditLink{ID: e.ID, Kind: hallpass.EntryLink, Entry: e, Counted: true})
	if err != nil {
		return 0, err
	}
	_, err = tx.exec(`
		INSERT INTO audit (id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count, counted, digest)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, TRUE, $15)`,
		e.ID, micros(e.At), e.Org, int64(e.Actor.Kind), e.Actor.ID, e.Actor.Login, e.Token, e.Action, e.Target, e.Outcome, e.Reason,
		e.From.Address, e.From.UserAgent, e.Count, digest[:])
	if err != nil {
		return 0, fmt.Errorf("store: audit %s: %w", e.Action, err)
	}
	return e.ID, nil
}

// auditBudget is how many entries a page looks through at most for those it
// wants. It needs that many only where it is about two or more things, each of
// them frequent and seldom together.
const auditBudget = 10_000

// auditProbe is how far the entries of one thing are counted, to choose whose
// index to go by.
const auditProbe = 2_000

// searches is how many look through the audit at once. Others wait: they are few,
// and what reads a row or two must find a connection and a processor.
const searches = 2

// searchWait is how long a search waits for its turn.
const searchWait = 5 * time.Second

var (
	errSearches = &hallpass.Error{
		Kind: hallpass.Unavailable, ID: "audit.busy", Message: "Too many others search the audit, try again shortly", RetryAfter: searchWait,
	}
	errSearchTime = &hallpass.Error{
		Kind: hallpass.Unavailable, ID: "audit.too-slow", Message: "The database did not finish this search of the audit in time: narrow it with from and to, or ask for fewer entries with limit",
	}
)

// Audit returns a page of the entries that f picks, newest first. It is
// Unavailable when too many search at once, or the database takes too long.
func (db *DB) Audit(ctx context.Context, f hallpass.AuditFilter) (page hallpass.AuditPage, err error) {
	wait, cancel := context.WithTimeout(ctx, searchWait)
	defer cancel()
	select {
	case db.searching <- struct{}{}:
		defer func() { <-db.searching }()
	case <-wait.Done():
		return page, errSearches
	}
	err = db.Read(ctx, func(tx *Tx) error {
		page, err = tx.AuditEntries(f)
		return err
	})
	var e *hallpass.Error
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil || errors.As(err, &e) && e.ID == tooSlow {
		slow := *errSearchTime
		slow.Err = err
		return page, &slow
	}
	return page, err
}

// ErrNoAuditEntry says that there is no such entry.
var ErrNoAuditEntry = &hallpass.Error{Kind: hallpass.NotFound, ID: "audit.ErrEntryNotFound", Message: "audit entry not found"}

// AuditEntry returns the entry, of whichever org. It is NotFound when there is none.
func (tx *Tx) AuditEntry(id hallpass.AuditID) (hallpass.AuditEntry, error) {
	e, err := scanAudit(tx.sql.QueryRow(`SELECT `+auditColumns+` FROM audit WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, ErrNoAuditEntry
	}
	if err != nil {
		return e, fmt.Errorf("store: audit entry %d: %w", id, err)
	}
	return e, nil
}

// auditSeen is how many entries AuditSeen looks at.
const auditSeen = 2000

// AuditSeen returns the actions and the actors' logins of the newest entries of the org, of
// all if it is zero, sorted.
func (tx *Tx) AuditSeen(org hallpass.OrgID) (actions, logins []string, err error) {
	f := hallpass.AuditFilter{Org: org}
	way, _, err := tx.auditWay(f)
	if err != nil {
		return nil, nil, fmt.Errorf("store: audit: %w", err)
	}
	query, args := way.page(tx.db, f, auditSeen)
	entries, err := all(tx, scanAudit, query, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("store: audit: %w", err)
	}
	for _, e := range entries {
		actions = append(actions, e.Action)
		if e.Actor.Login != "" {
			logins = append(logins, e.Actor.Login)
		}
	}
	slices.Sort(actions)
	slices.Sort(logins)
	return slices.Compact(actions), slices.Compact(logins), nil
}

// AuditHas reports whether there is an entry of the action.
func (tx *Tx) AuditHas(action string) (has bool, err error) {
	if err := tx.sql.QueryRow(`SELECT EXISTS (SELECT 1 FROM audit WHERE action = $1)`, action).Scan(&has); err != nil {
		return false, fmt.Errorf("store: audit of %s: %w", action, err)
	}
	return has, nil
}

// LastLife returns the newest entry which says that a thing of org was created or
// deleted; false if there is none. An org of zero is any.
func (tx *Tx) LastLife(org hallpass.OrgID, noun, id string) (e hallpass.AuditEntry, found bool, err error) {
	err = tx.sql.QueryRow(`
		SELECT action, reason FROM audit
		WHERE  target = $1 AND outcome = $2 AND action IN ($3, $4) AND (org_id = $5 OR $5 = 0)
		ORDER  BY at_us DESC, id DESC LIMIT 1`, noun+":"+id, hallpass.Done, noun+".create", noun+".delete", org).Scan(&e.Action, &e.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("store: audit of %s %s: %w", noun, id, err)
	}
	return e, true, nil
}

// AuditActions returns every action that there are entries of.
func (tx *Tx) AuditActions() ([]string, error) {
	list, err := all(tx, func(r row) (action string, err error) { return action, r.Scan(&action) }, `
		WITH RECURSIVE known (action) AS (
			SELECT MIN(action) FROM audit
			UNION ALL
			SELECT (SELECT MIN(a.action) FROM audit a WHERE a.action > known.action) FROM known WHERE known.action IS NOT NULL
		)
		SELECT action FROM known WHERE action IS NOT NULL`)
	if err != nil {
		return nil, fmt.Errorf("store: audit actions: %w", err)
	}
	return list, nil
}

// AuditEntries returns a page of the entries that f picks, newest first.
func (tx *Tx) AuditEntries(f hallpass.AuditFilter) (page hallpass.AuditPage, err error) {
	if err := tx.inOrder(); err != nil {
		return page, fmt.Errorf("store: audit entries: %w", err)
	}
	way, whole, err := tx.auditWay(f)
	if err != nil {
		return page, fmt.Errorf("store: audit entries: %w", err)
	}
	chunk := f.Limit + 1 // one more says whether there are more
	if !whole {
		chunk *= 4
	}
	for left := auditBudget; ; {
		query, args := way.page(tx.db, f, chunk)
		list, err := all(tx, scanAudit, query, args...)
		if err != nil {
			return page, fmt.Errorf("store: audit entries: %w", err)
		}
		for _, e := range list {
			again := f.Before == e.Cursor() // of two things on the way
			f.Before = e.Cursor()
			if again || !f.Picks(e) {
				continue
			}
			if len(page.Entries) == f.Limit {
				page.Next = page.Entries[f.Limit-1].Cursor()
				return page, nil
			}
			page.Entries = append(page.Entries, e)
		}
		if len(list) < chunk {
			return page, nil
		}
		if left -= chunk; left <= 0 {
			page.Next = f.Before
			return page, nil
		}
		chunk = min(4*chunk, left)
	}
}

// An auditWay is an index to go through the audit by, in the order of time.
type auditWay []auditThing

// An auditThing is what an index has entries of.
type auditThing struct {
	index    string
	column   string // empty: everything
	value    any
	notLogin string // if not empty, whose entries are left out
}

// auditWay returns the way by which f finds its entries after the fewest others,
// and whether f picks all that it leads to.
func (tx *Tx) auditWay(f hallpass.AuditFilter) (way auditWay, whole bool, err error) {
	var ways []auditWay
	if f.Target != "" {
		ways = append(ways, auditWay{{index: "audit_target", column: "target", value: f.Target}})
	}
	if f.About != nil {
		var way auditWay
		for _, t := range f.About.Targets {
			way = append(way, auditThing{index: "audit_target", column: "target", value: t})
		}
		if f.About.Actor != 0 {
			way = append(way, auditThing{index: "audit_actor", column: "actor_id", value: f.About.Actor})
		}
		ways = append(ways, way)
	}
	if f.Actor != "" {
		way := auditWay{{index: "audit_login", column: "actor_login", value: f.Actor}}
		if n, err := strconv.ParseInt(f.Actor, 10, 64); err == nil {
			way = append(way, auditThing{index: "audit_actor", column: "actor_id", value: n, notLogin: f.Actor})
		}
		ways = append(ways, way)
	}
	if f.Action != "" {
		ways = append(ways, auditWay{{index: "audit_action", column: "action", value: f.Action}})
	}
	if f.Org != 0 {
		ways = append(ways, auditWay{{index: "audit_org", column: "org_id", value: int64(f.Org)}})
	}
	switch len(ways) {
	case 0:
		return auditWay{{index: "audit_time"}}, true, nil
	case 1:
		return ways[0], true, nil
	}
	fewest := int64(math.MaxInt64)
	for _, w := range ways {
		var n int64
		query, args := w.count(tx.db, f)
		if err := tx.sql.QueryRow(query, args...).Scan(&n); err != nil {
			return nil, false, err
		}
		if n < fewest {
			way, fewest = w, n
		}
	}
	return way, false, nil
}

// page is the query of the next n entries on the way.
func (w auditWay) page(db *DB, f hallpass.AuditFilter, n int) (string, []any) {
	branches, args := w.branches(db, f, auditColumns, n)
	for i, b := range branches {
		branches[i] = fmt.Sprintf("SELECT %s FROM (%s) AS branch%d", auditColumns, b, i)
	}
	return fmt.Sprintf("%s\nORDER BY at_us DESC, id DESC LIMIT %d", strings.Join(branches, "\nUNION ALL\n"), n), args
}

// count is the query of how many entries there are on the way, where they are
// not too many to be counted.
func (w auditWay) count(db *DB, f hallpass.AuditFilter) (string, []any) {
	branches, args := w.branches(db, f, "1 AS one", auditProbe)
	for i, b := range branches {
		branches[i] = fmt.Sprintf("(SELECT COUNT(*) FROM (%s) AS branch%d)", b, i)
	}
	return "SELECT " + strings.Join(branches, " + "), args
}

// branches returns the queries of n entries that together find those on the
// way: of each thing and each outcome one.
//
// Each is of an index that has just these in this order. No database may guess
// that another will do: it would look for the few entries of an action that were
// refused through the millions that were.
func (w auditWay) branches(db *DB, f hallpass.AuditFilter, columns string, n int) (list []string, args []any) {
	bind := binder(&args)
	before, id := int64(math.MaxInt64), int64(f.Before.ID)
	if !f.Before.At.IsZero() {
		before = micros(f.Before.At)
	}
	if to := micros(f.To); to != 0 && to <= before {
		before, id = to, 0
	}
	from, end, last := bind(micros(f.From)), bind(before), bind(id)
	outcomes := []hallpass.AuditOutcome{f.Outcome}
	if f.Outcome == "" {
		outcomes = []hallpass.AuditOutcome{hallpass.Done, hallpass.Refused}
	}
	for _, thing := range w {
		var only, order, but string
		if thing.column != "" {
			only, order = db.onlyBy(thing.column, bind(thing.value), thing.value)+" AND ", thing.column+" DESC, "
		}
		if thing.notLogin != "" {
			but = " AND actor_login <> " + bind(thing.notLogin)
		}
		for _, o := range outcomes {
			list = append(list, `
				SELECT `+columns+`
				FROM   audit`+db.by(thing.index)+`
				WHERE  `+only+`outcome = `+bind(string(o))+` AND at_us >= `+from+` AND (at_us, id) < (`+end+`, `+last+`)`+but+`
				ORDER  BY `+order+`at_us DESC, id DESC LIMIT `+strconv.Itoa(n))
		}
	}
	return list, args
}

const auditColumns = `id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count`

func scanAudit(r row) (hallpass.AuditEntry, error) {
	var e hallpass.AuditEntry
	var at int64
	err := r.Scan(&e.ID, &at, &e.Org, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Login, &e.Token, &e.Action, &e.Target, &e.Outcome, &e.Reason,
		&e.From.Address, &e.From.UserAgent, &e.Count)
	e.At = fromMicros(at)
	return e, err
}

// recur adds n repeats to an entry, and links them. It does nothing if the entry is gone.
func (tx *Tx) recur(entry hallpass.AuditID, n int64) error {
	known, err := tx.exec(`UPDATE audit SET count = count + $2 WHERE id = $1`, entry, n)
	if err != nil {
		return fmt.Errorf("store: audit repeats of %d: %w", entry, err)
	}
	if known == 0 {
		return nil
	}
	id, err := tx.nextID("audit")
	if err != nil {
		return err
	}
	digest, err := tx.link(hallpass.AuditLink{ID: hallpass.AuditID(id), Kind: hallpass.RepeatLink, Of: entry, Count: n})
	if err != nil {
		return err
	}
	return tx.steps("link audit repeats", do(`INSERT INTO audit_repeats (id, entry_id, count, digest) VALUES ($1, $2, $3, $4)`, id, entry, n, digest[:]))
}
