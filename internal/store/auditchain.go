package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

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
		}, `SELECT `+linkColumns+` FROM audit a ORDER BY a.id`)
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

// linkColumns are what scanAuditLink reads of an entry a: its count is the one that it was
// written with.
const linkColumns = `a.id, a.at_us, a.org_id, a.actor_kind, a.actor_id, a.actor_login, a.token_id, a.action, a.target, a.outcome, a.reason, a.address, a.user_agent,
	a.count - (SELECT CAST(COALESCE(SUM(r.count), 0) AS BIGINT) FROM audit_repeats r WHERE r.entry_id = a.id), a.counted, a.digest`

func scanAuditLink(r row) (l hallpass.AuditLink, err error) {
	e := &l.Entry
	var at int64
	var digest []byte
	err = r.Scan(&e.ID, &at, &e.Org, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Login, &e.Token, &e.Action, &e.Target, &e.Outcome, &e.Reason,
		&e.From.Address, &e.From.UserAgent, &e.Count, &l.Counted, &digest)
	e.At = fromMicros(at)
	l.ID, l.Kind = e.ID, hallpass.EntryLink
	copy(l.Digest[:], digest)
	return l, err
}

func scanRepeatLink(r row) (l hallpass.AuditLink, err error) {
	var digest []byte
	err = r.Scan(&l.ID, &l.Of, &l.Count, &digest)
	l.Kind = hallpass.RepeatLink
	copy(l.Digest[:], digest)
	return l, err
}

func scanGoneLink(r row) (l hallpass.AuditLink, err error) {
	var content, digest []byte
	err = r.Scan(&l.ID, &content, &digest)
	l.Kind = hallpass.GoneLink
	copy(l.Gone[:], content)
	copy(l.Digest[:], digest)
	return l, err
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
	list, err := all(tx, scanAuditLink, `SELECT `+linkColumns+` FROM audit a WHERE a.id > $1 AND a.id < $2 ORDER BY a.id`, end.ID, before)
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

func (tx *Tx) auditMark(place string) (m hallpass.AuditMark, err error) {
	var digest []byte
	err = tx.sql.QueryRow(`SELECT last, digest FROM audit_chain WHERE place = $1`, place).Scan(&m.ID, &digest)
	copy(m.Digest[:], digest)
	return m, err
}

func (tx *Tx) setAuditMark(place string, m hallpass.AuditMark) error {
	_, err := tx.exec(`UPDATE audit_chain SET last = $2, digest = $3 WHERE place = $1`, place, m.ID, m.Digest[:])
	return err
}

// AuditChain returns where the chain of the audit begins and ends.
func (tx *Tx) AuditChain() (c hallpass.AuditChain, err error) {
	if err := tx.keepEnd(); err != nil {
		return c, err
	}
	if c.Begin, err = tx.auditMark("begin"); err == nil {
		c.End, err = tx.auditMark("end")
	}
	if err == nil {
		err = tx.sql.QueryRow(`SELECT EXISTS (SELECT 1 FROM audit_pruning WHERE deleted > 0)`).Scan(&c.Pruning)
	}
	if err != nil {
		return c, fmt.Errorf("store: audit chain: %w", err)
	}
	return c, nil
}

// AuditLinks returns the links after the one with that number, in their order: n, unless
// there are no more.
func (tx *Tx) AuditLinks(after hallpass.AuditID, n int) ([]hallpass.AuditLink, error) {
	entries, err := all(tx, scanAuditLink, `SELECT `+linkColumns+` FROM audit a WHERE a.id > $1 ORDER BY a.id LIMIT $2`, after, n)
	var repeats, gone []hallpass.AuditLink
	if err == nil {
		repeats, err = all(tx, scanRepeatLink, `SELECT id, entry_id, count, digest FROM audit_repeats WHERE id > $1 ORDER BY id LIMIT $2`, after, n)
	}
	if err == nil {
		gone, err = all(tx, scanGoneLink, `SELECT id, content, digest FROM audit_gone WHERE id > $1 ORDER BY id LIMIT $2`, after, n)
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
	going, err := all(tx, scanAuditLink, `SELECT `+linkColumns+` FROM audit a WHERE a.id IN `+among)
	var repeats []hallpass.AuditLink
	if err == nil {
		repeats, err = all(tx, scanRepeatLink, `SELECT id, entry_id, count, digest FROM audit_repeats WHERE entry_id IN `+among)
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
	before, err := all(tx, scanGoneLink, `DELETE FROM audit_gone WHERE id < $1 RETURNING id, content, digest`, stays)
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
	if p.Begin, err = tx.auditMark("begin"); err != nil {
		return p, fmt.Errorf("store: audit chain: %w", err)
	}
	err = each(tx, scanGoneLink, func(l hallpass.AuditLink) error {
		p.Gone.Add(l)
		return nil
	}, `SELECT id, content, digest FROM audit_gone ORDER BY id`)
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
