package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// beginChain begins the audit's chain: it covers the entries that are there with one
// digest, on which the first link goes on. It reads each of them once, and nobody writes
// meanwhile.
func (db *DB) beginChain(ctx context.Context) error {
	var n int64
	if err := db.write.QueryRowContext(ctx, `SELECT COUNT(*) FROM audit_chain`).Scan(&n); err != nil || n > 0 {
		return chaining(err)
	}
	return chaining(db.exclusively(ctx, func(tx *Tx) error { // several nodes may start at once
		if err := tx.sql.QueryRow(`SELECT COUNT(*) FROM audit_chain`).Scan(&n); err != nil || n > 0 {
			return err
		}
		var end hallpass.AuditMark
		err := each(tx, scanAuditLink, func(l hallpass.AuditLink) error {
			end = hallpass.AuditMark{ID: l.ID, Digest: l.Follow(end.Digest)}
			return nil
		}, db.entryLinks()+` ORDER BY a.id`)
		if err == nil {
			err = tx.sql.QueryRow(`SELECT value FROM counters WHERE name = 'audit'`).Scan(&end.ID)
		}
		if err != nil {
			return err
		}
		return tx.steps("begin the chain",
			do(`INSERT INTO audit_chain (place, last, digest) VALUES ('begin', 0, $1)`, make([]byte, 32)),
			do(`INSERT INTO audit_chain (place, last, digest) VALUES ('end', $1, $2)`, end.ID, end.Digest[:]))
	}))
}

func chaining(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: chain the audit: %w", classify(err))
}

// entryLinks, repeatLinks and goneLinks return the SELECT of links, whose condition follows:
// what scanAuditLink, scanRepeatLink and scanGoneLink read. They read a value of any type
// as the type of its column, and tell of it in AuditLink.Mistyped: SQLite takes values of
// other types, and a reading that stops at one would prove nothing. An entry's count is
// the one that it was written with.
func (db *DB) entryLinks() string {
	return `SELECT CAST(a.id AS BIGINT), CAST(a.at_us AS BIGINT), CAST(a.org_id AS BIGINT), CAST(a.actor_kind AS BIGINT), CAST(a.actor_id AS BIGINT), a.actor_login,
		CAST(a.token_id AS BIGINT), a.action, a.target, a.outcome, a.reason, a.address, a.user_agent,
		CAST(a.count - (SELECT CAST(COALESCE(SUM(r.count), 0) AS BIGINT) FROM audit_repeats r WHERE r.entry_id = a.id) AS BIGINT),
		CASE WHEN a.counted THEN TRUE ELSE FALSE END, a.digest, ` + db.mistyped("audit", "a") + ` FROM audit a WHERE ` + db.numbered("a.id")
}

func (db *DB) repeatLinks() string {
	return `SELECT CAST(a.id AS BIGINT), CAST(a.entry_id AS BIGINT), CAST(a.count AS BIGINT), a.digest, ` + db.mistyped("audit_repeats", "a") + ` FROM audit_repeats a WHERE ` + db.numbered("a.id")
}

func (db *DB) goneLinks() string {
	return `SELECT CAST(a.id AS BIGINT), a.content, a.digest, ` + db.mistyped("audit_gone", "a") + ` FROM audit_gone a WHERE ` + db.numbered("a.id")
}

func scanAuditLink(r row) (l hallpass.AuditLink, err error) {
	e := &l.Entry
	var at, kind int64
	var digest []byte
	err = r.Scan(&e.ID, &at, &e.Org, &kind, &e.Actor.ID, &e.Actor.Login, &e.Token, &e.Action, &e.Target, &e.Outcome, &e.Reason,
		&e.From.Address, &e.From.UserAgent, &e.Count, &l.Counted, &digest, &l.Mistyped)
	e.At = fromMicros(at)
	e.Actor.Kind = hallpass.PrincipalKind(kind) // #nosec G115 -- compared on the next line
	if int64(e.Actor.Kind) != kind {
		l.Mistyped = cmp.Or(l.Mistyped, "actor_kind")
	}
	l.ID, l.Kind = e.ID, hallpass.EntryLink
	copyDigest(&l, &l.Digest, digest, "digest")
	return l, err
}

func scanRepeatLink(r row) (l hallpass.AuditLink, err error) {
	var digest []byte
	err = r.Scan(&l.ID, &l.Of, &l.Count, &digest, &l.Mistyped)
	l.Kind = hallpass.RepeatLink
	copyDigest(&l, &l.Digest, digest, "digest")
	return l, err
}

func scanGoneLink(r row) (l hallpass.AuditLink, err error) {
	var content, digest []byte
	err = r.Scan(&l.ID, &content, &digest, &l.Mistyped)
	l.Kind = hallpass.GoneLink
	copyDigest(&l, &l.Gone, content, "content")
	copyDigest(&l, &l.Digest, digest, "digest")
	return l, err
}

// copyDigest copies the bytes of a column to one of the digests of l. None are no digest;
// of any other number it is not.
func copyDigest(l *hallpass.AuditLink, to *[32]byte, from []byte, column string) {
	if copy(to[:], from); from != nil && len(from) != len(to) {
		l.Mistyped = cmp.Or(l.Mistyped, column)
	}
}

// auditColumnTypes are the tables of the audit with the types of their columns.
var auditColumnTypes = map[string][]struct{ name, kind string }{
	"audit": {
		{"id", "integer"}, {"at_us", "integer"}, {"org_id", "integer"}, {"actor_kind", "integer"}, {"actor_id", "integer"}, {"actor_login", "text"}, {"token_id", "integer"},
		{"action", "text"}, {"target", "text"}, {"outcome", "text"}, {"reason", "text"}, {"address", "text"}, {"user_agent", "text"}, {"count", "integer"}, {"counted", "boolean"}, {"digest", "blob or null"},
	},
	"audit_repeats": {{"id", "integer"}, {"entry_id", "integer"}, {"count", "integer"}, {"digest", "blob"}},
	"audit_gone":    {{"id", "integer"}, {"content", "blob"}, {"digest", "blob or null"}},
	"audit_chain":   {{"place", "text"}, {"last", "integer"}, {"digest", "blob"}},
	"audit_pruning": {{"id", "integer"}, {"holder", "text"}, {"until_us", "integer"}, {"first_us", "integer"}, {"last_us", "integer"}, {"deleted", "integer"}, {"digest", "text"}},
}

// mistyped is the name of the first column of the table, called by that alias, in which a
// value of another type stands, empty if there is none.
func (db *DB) mistyped(table, alias string) string {
	if db.postgres { // it takes none
		return `''`
	}
	var b strings.Builder
	b.WriteString("CASE")
	for _, c := range auditColumnTypes[table] {
		column, wrong := alias+"."+c.name, ""
		switch c.kind {
		case "boolean":
			wrong = fmt.Sprintf("typeof(%[1]s) <> 'integer' OR %[1]s NOT IN (0, 1)", column)
		case "blob or null":
			wrong = fmt.Sprintf("typeof(%s) NOT IN ('blob', 'null')", column)
		default:
			wrong = fmt.Sprintf("typeof(%s) <> '%s'", column, c.kind)
		}
		fmt.Fprintf(&b, " WHEN %s THEN '%s'", wrong, c.name)
	}
	return b.String() + " ELSE '' END"
}

// numbered is the condition that a number stands in the column. What has none has no place
// in the chain, and oddRows tells of it.
func (db *DB) numbered(column string) string {
	if db.postgres {
		return "TRUE"
	}
	return "typeof(" + column + ") = 'integer'"
}

// link gives l, whose number was just taken, its place at the end of the chain, and
// returns its digest. The transaction keeps the counter of the audit until its commit, so
// that nobody else links meanwhile, and keeps the end, which keepEnd writes once for all
// that it links.
func (tx *Tx) link(l hallpass.AuditLink) (digest [32]byte, err error) {
	end := tx.end
	if end == (hallpass.AuditMark{}) {
		end, err = tx.auditMark("end")
	}
	if err == nil && end.ID < l.ID-1 {
		end, err = tx.adopt(end, l.ID)
	}
	if err != nil {
		return digest, fmt.Errorf("store: link audit entry %d: %w", l.ID, err)
	}
	tx.end = hallpass.AuditMark{ID: l.ID, Digest: l.Follow(end.Digest)}
	return tx.end.Digest, nil
}

// keepEnd writes where the chain ends, if the transaction has linked anything since it was
// written.
func (tx *Tx) keepEnd() error {
	if tx.end == (hallpass.AuditMark{}) {
		return nil
	}
	if err := tx.setAuditMark("end", tx.end); err != nil {
		return fmt.Errorf("store: end of the audit chain: %w", err)
	}
	return nil
}

// adopt links what programs that know no chain wrote between the end of the chain and
// before: a node of an older version, and whoever writes to PostgreSQL by hand (byHand).
func (tx *Tx) adopt(end hallpass.AuditMark, before hallpass.AuditID) (hallpass.AuditMark, error) {
	list, err := all(tx, scanAuditLink, tx.db.entryLinks()+` AND a.id > $1 AND a.id < $2 ORDER BY a.id`, end.ID, before)
	if err != nil {
		return end, err
	}
	for _, l := range list {
		end = hallpass.AuditMark{ID: l.ID, Digest: l.Follow(end.Digest)}
		if _, err := tx.exec(`UPDATE audit SET digest = $2 WHERE id = $1`, l.ID, end.Digest[:]); err != nil {
			return end, err
		}
	}
	return end, nil
}

// errChainTaken says that a row of audit_chain is not there, which Hallpass never deletes.
var errChainTaken = errors.New("where the audit's chain begins or ends was taken away from the table audit_chain, so nothing can be linked: restore a backup")

// auditMark returns the place of the chain with that name: errChainTaken if it is not there.
func (tx *Tx) auditMark(place string) (m hallpass.AuditMark, err error) {
	var digest []byte
	err = tx.sql.QueryRow(`SELECT CAST(last AS BIGINT), digest FROM audit_chain WHERE place = $1`, place).Scan(&m.ID, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		err = errChainTaken
	}
	copy(m.Digest[:], digest)
	return m, err
}

func (tx *Tx) setAuditMark(place string, m hallpass.AuditMark) error {
	_, err := tx.exec(`UPDATE audit_chain SET last = $2, digest = $3 WHERE place = $1`, place, m.ID, m.Digest[:])
	return err
}

// AuditChain returns where the chain of the audit begins and ends. What somebody did to the
// rows that say so is in Broken: then a beginning that is not there is the first of all, and
// an end that is not there the number that was given out last.
func (tx *Tx) AuditChain() (c hallpass.AuditChain, err error) {
	if err := tx.keepEnd(); err != nil {
		return c, err
	}
	var broken []string
	c.Begin, err = tx.auditMark("begin")
	if errors.Is(err, errChainTaken) {
		broken, err = append(broken, "where the chain begins was taken away from the table audit_chain"), nil
	}
	if err == nil {
		c.End, err = tx.auditMark("end")
	}
	if errors.Is(err, errChainTaken) {
		broken = append(broken, "where the chain ends was taken away from the table audit_chain")
		err = tx.sql.QueryRow(`SELECT CAST(COALESCE(MAX(value), 0) AS BIGINT) FROM counters WHERE name = 'audit'`).Scan(&c.End.ID)
	}
	if err == nil {
		err = tx.sql.QueryRow(`SELECT EXISTS (SELECT 1 FROM audit_pruning WHERE deleted > 0)`).Scan(&c.Pruning)
	}
	var odd []string
	if err == nil {
		odd, err = tx.oddRows()
	}
	if err != nil {
		return c, fmt.Errorf("store: audit chain: %w", err)
	}
	c.Broken = strings.Join(append(broken, odd...), "; ")
	return c, nil
}

// oddRows tells of the rows that SQLite took and Hallpass cannot have written, and that are
// no link: of those without a number, and of those of audit_chain and audit_pruning.
func (tx *Tx) oddRows() (says []string, err error) {
	if tx.db.postgres {
		return nil, nil
	}
	for _, t := range []string{"audit", "audit_repeats", "audit_gone"} {
		var n int64
		if err := tx.sql.QueryRow(`SELECT COUNT(*) FROM ` + t + ` WHERE NOT ` + tx.db.numbered("id")).Scan(&n); err != nil {
			return nil, err
		}
		if n > 0 {
			says = append(says, fmt.Sprintf("the table %s has rows (%d) whose id is not a number", t, n))
		}
	}
	for _, t := range []string{"audit_chain", "audit_pruning"} {
		columns, err := all(tx, func(r row) (column string, err error) { return column, r.Scan(&column) }, `SELECT `+tx.db.mistyped(t, "a")+` FROM `+t+` a`)
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			if c != "" {
				says = append(says, fmt.Sprintf("the table %s has a row whose %s is not a value that Hallpass writes there", t, c))
			}
		}
	}
	return says, nil
}

// AuditLinks returns the links after the one with that number, in their order: n, unless
// there are no more.
func (tx *Tx) AuditLinks(after hallpass.AuditID, n int) ([]hallpass.AuditLink, error) {
	entries, err := all(tx, scanAuditLink, tx.db.entryLinks()+` AND a.id > $1 ORDER BY a.id LIMIT $2`, after, n)
	var repeats, gone []hallpass.AuditLink
	if err == nil {
		repeats, err = all(tx, scanRepeatLink, tx.db.repeatLinks()+` AND a.id > $1 ORDER BY a.id LIMIT $2`, after, n)
	}
	if err == nil {
		gone, err = all(tx, scanGoneLink, tx.db.goneLinks()+` AND a.id > $1 ORDER BY a.id LIMIT $2`, after, n)
	}
	if err != nil {
		return nil, fmt.Errorf("store: audit links after %d: %w", after, err)
	}
	list := slices.Concat(entries, repeats, gone)
	sortLinks(list)
	n = min(n, len(list))
	for n < len(list) && list[n].ID == list[n-1].ID { // somebody put one beside another: neither is left out
		n++
	}
	return list[:n], nil
}

func sortLinks(list []hallpass.AuditLink) {
	slices.SortFunc(list, func(a, b hallpass.AuditLink) int { return cmp.Compare(a.ID, b.ID) })
}

// unlink keeps the chain whole without the entries, which are deleted after it, and
// their repeats. The chain begins later, as far as nothing stands before what goes. Of
// what goes beyond that the digests stay.
func (tx *Tx) unlink(ids []hallpass.AuditID) error {
	among := idList(ids)
	going, err := all(tx, scanAuditLink, tx.db.entryLinks()+` AND a.id IN `+among)
	var repeats []hallpass.AuditLink
	if err == nil {
		repeats, err = all(tx, scanRepeatLink, tx.db.repeatLinks()+` AND a.entry_id IN `+among)
	}
	if err != nil {
		return err
	}
	going = append(going, repeats...)
	for i, l := range going {
		going[i] = hallpass.AuditLink{ID: l.ID, Kind: hallpass.GoneLink, Gone: l.Content(), Digest: l.Digest}
	}
	stays, err := tx.firstStaying(going)
	if err != nil {
		return err
	}
	before, err := all(tx, scanGoneLink, `DELETE FROM audit_gone WHERE id < $1 RETURNING id, content, digest, ''`, stays)
	if err != nil {
		return err
	}
	return tx.moveBegin(append(before, going...), stays)
}

// firstStaying returns the number of the first link that is there and not among those,
// or a number that no link has.
func (tx *Tx) firstStaying(going []hallpass.AuditLink) (hallpass.AuditID, error) {
	ids := make([]hallpass.AuditID, len(going))
	for i, l := range going {
		ids[i] = l.ID
	}
	among := idList(ids)
	var first hallpass.AuditID
	err := tx.sql.QueryRow(`
		SELECT MIN(id) FROM (
			SELECT id FROM (SELECT id FROM audit WHERE id NOT IN ` + among + ` ORDER BY id LIMIT 1) AS entry
			UNION ALL
			SELECT id FROM (SELECT id FROM audit_repeats WHERE id NOT IN ` + among + ` ORDER BY id LIMIT 1) AS repeats
			UNION ALL
			SELECT CAST(9223372036854775807 AS BIGINT)) AS stays`).Scan(&first)
	return first, err
}

// moveBegin has the chain begin after those of the links that come before stays, and
// keeps the digests of the others.
func (tx *Tx) moveBegin(gone []hallpass.AuditLink, stays hallpass.AuditID) error {
	begin, err := tx.auditMark("begin")
	if err != nil {
		return err
	}
	sortLinks(gone)
	for _, l := range gone {
		if l.ID < stays {
			begin = hallpass.AuditMark{ID: l.ID, Digest: l.Follow(begin.Digest)}
			continue
		}
		var digest []byte // none of what was written before the chain
		if l.Digest != [32]byte{} {
			digest = l.Digest[:]
		}
		if _, err := tx.exec(`INSERT INTO audit_gone (id, content, digest) VALUES ($1, $2, $3)`, l.ID, l.Gone[:], digest); err != nil {
			return err
		}
	}
	return tx.setAuditMark("begin", begin)
}

// pruning returns what the entry of a retention says about the chain.
func (tx *Tx) pruning() (p hallpass.AuditPruning, err error) {
	if p.Begin, err = tx.auditMark("begin"); err != nil && !errors.Is(err, errChainTaken) { // AuditChain tells of that
		return p, fmt.Errorf("store: audit chain: %w", err)
	}
	err = each(tx, scanGoneLink, func(l hallpass.AuditLink) error {
		p.Gone.Add(l)
		return nil
	}, tx.db.goneLinks()+` ORDER BY a.id`)
	if err != nil {
		return p, fmt.Errorf("store: what is gone from the audit: %w", err)
	}
	return p, nil
}

// proveBatch is how many links ProveAudit reads at once.
const proveBatch = 1000

// errNoChain says that the database is of a version which knew no chain.
var errNoChain = &hallpass.Error{
	Kind: hallpass.Conflict, ID: "audit.no-chain", Message: "The audit of this database is no chain yet: start a server of this version once",
}

// hasChain returns an error when the audit is no chain yet.
func (tx *Tx) hasChain() error {
	tables, err := tx.tables()
	if err != nil {
		return fmt.Errorf("store: audit chain: %w", err)
	}
	if !slices.ContainsFunc(tables, func(t table) bool { return t.name == "audit_chain" }) {
		return errNoChain
	}
	return nil
}

// ProveAudit follows the chain of the audit from its beginning to its end, on one view of
// the database, however long it takes. known are marks that were kept elsewhere. It is
// Conflict when the audit is no chain yet.
func (db *DB) ProveAudit(ctx context.Context, known ...hallpass.AuditMark) (report hallpass.AuditReport, err error) {
	err = db.snapshot(ctx, func(tx *Tx) error {
		if err := tx.hasChain(); err != nil {
			return err
		}
		chain, err := tx.AuditChain()
		if err != nil {
			return err
		}
		proof := hallpass.NewAuditProof(chain, known...)
		for after := hallpass.AuditID(math.MinInt64); ; {
			links, err := tx.AuditLinks(after, proveBatch)
			if err != nil {
				return err
			}
			for _, l := range links {
				proof.Add(l)
				after = l.ID
			}
			if len(links) < proveBatch {
				report = proof.End()
				return nil
			}
		}
	})
	return report, err
}
