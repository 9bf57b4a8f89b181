package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// ErrDiverged says that the database's past is not the one that this node
// remembers: it failed over to an older copy, was restored, or is another
// database. Something revoked may be valid there.
var ErrDiverged = errors.New("store: the database's history is not the one this node remembers")

// continues returns ErrDiverged unless the database, which stands at now and has
// that digest at known's version, has gone through known.
func (known State) continues(now State, digest [32]byte) error {
	switch {
	case known.Installation == "": // nothing is known yet
		return nil
	case known.Installation != now.Installation || known.Version > now.Version:
		return ErrDiverged
	case known.Version > 0 && digest != known.Digest:
		return ErrDiverged
	}
	return nil
}

// digestAt returns the digest of the history up to v, zero when the database
// has not come that far.
func (tx *Tx) digestAt(v hallpass.Version) (digest [32]byte, err error) {
	rows, err := all(tx, func(r row) (d []byte, err error) {
		err = r.Scan(&d)
		return d, err
	}, `SELECT digest FROM changes WHERE v = $1`, v)
	if err != nil {
		return digest, fmt.Errorf("store: digest at %d: %w", v, err)
	}
	if len(rows) > 0 && len(rows[0]) == len(digest) {
		digest = [32]byte(rows[0])
	}
	return digest, nil
}

// Continues returns ErrDiverged unless the database has gone through known.
func (tx *Tx) Continues(known State) error {
	now, err := tx.State()
	if err != nil {
		return err
	}
	digest, err := tx.digestAt(known.Version)
	if err != nil {
		return err
	}
	return known.continues(now, digest)
}

// outcome reads what became of the subject of a change, for the journal.
func (tx *Tx) outcome(c hallpass.Change) (o Outcome, err error) {
	switch c.Kind {
	case hallpass.TokenChanged:
		err = tx.sql.QueryRow(`SELECT COUNT(*) = 0 FROM tokens WHERE id = $1 AND revoked_us = 0`, c.ID).Scan(&o.Ended)
	case hallpass.SessionChanged:
		err = tx.sql.QueryRow(`SELECT COUNT(*) = 0 FROM sessions WHERE id = $1`, c.ID).Scan(&o.Ended)
	case hallpass.OrgChanged:
		err = tx.sql.QueryRow(`SELECT COUNT(*) = 0 FROM orgs WHERE id = $1`, c.ID).Scan(&o.Ended)
	case hallpass.ServiceAccountChanged:
		err = tx.sql.QueryRow(`
			SELECT COUNT(*) = 0, COALESCE(MAX(role), 'None') FROM service_accounts WHERE id = $1 AND disabled = FALSE`, c.ID).Scan(&o.Ended, &o.Role)
	case hallpass.UserChanged:
		return tx.userOutcome(c.ID)
	case hallpass.PermissionsChanged, hallpass.ChangedByHand:
		o.Open = true
	}
	if err != nil {
		return o, fmt.Errorf("store: outcome of change of %s %d: %w", c.Kind, c.ID, err)
	}
	return o, nil
}

func (tx *Tx) userOutcome(id int64) (o Outcome, err error) {
	var hash string
	err = tx.sql.QueryRow(`
		SELECT COUNT(*) = 0, COALESCE(MAX(CASE WHEN server_admin = TRUE THEN 1 ELSE 0 END), 0) = 1, COALESCE(MAX(password_hash), '')
		FROM   users WHERE id = $1 AND disabled = FALSE`, id).Scan(&o.Ended, &o.ServerAdmin, &hash)
	if err != nil {
		return o, fmt.Errorf("store: outcome of change of user %d: %w", id, err)
	}
	if !o.Ended {
		o.Password = passwordMark(hash)
	}
	type member struct {
		org  int64
		role string
	}
	members, err := all(tx, func(r row) (m member, err error) {
		err = r.Scan(&m.org, &m.role)
		return m, err
	}, `SELECT org_id, role FROM members WHERE user_id = $1 ORDER BY org_id`, id)
	if err != nil {
		return o, fmt.Errorf("store: outcome of change of user %d: %w", id, err)
	}
	o.Members = make(map[string]string, len(members))
	for _, m := range members {
		o.Members[strconv.FormatInt(m.org, 10)] = m.role
	}
	return o, nil
}

// outcomes returns the journal's entries for the changes, with what has become
// of their subjects by now.
func (tx *Tx) outcomes(rows []ChangeRow) ([]JournalEntry, error) {
	entries := make([]JournalEntry, 0, len(rows))
	for _, r := range rows {
		o, err := tx.outcome(r.Change)
		if err != nil {
			return nil, err
		}
		entries = append(entries, newJournalEntry(r, o))
	}
	return entries, nil
}

// Keep writes the changes to the journal, with what has become of their
// subjects by now. What the database does not tell any more, because it failed
// or is another, is kept as far as the change itself says it.
func (db *DB) Keep(ctx context.Context, j *Journal, rows []ChangeRow) error {
	if len(rows) == 0 {
		return nil
	}
	last := rows[len(rows)-1]
	var entries []JournalEntry
	err := db.Read(ctx, func(tx *Tx) error {
		if digest, err := tx.digestAt(last.Version); err != nil || digest != last.Digest {
			return errors.Join(err, ErrDiverged)
		}
		var err error
		entries, err = tx.outcomes(rows)
		return err
	})
	if err != nil {
		entries = entries[:0]
		for _, r := range rows {
			ended := r.Change.Kind == hallpass.TokenChanged || r.Change.Kind == hallpass.SessionChanged // they change in no other way
			entries = append(entries, newJournalEntry(r, Outcome{Ended: ended, Open: !ended}))
		}
	}
	return j.Append(entries...)
}

// Reapply makes the database, whose past is not the one in the journal, refuse
// again what the journal says had ended: tokens and sessions end, accounts and
// users that were gone or disabled are disabled, roles are cut to what they
// were. Nothing is given back, and no number that the journal knows is given
// again. It returns how many changes it made, and those entries that tell only
// that permissions changed, not how: a person must look at them.
func (tx *Tx) Reapply(lost []JournalEntry, at time.Time) (made int, open []JournalEntry, err error) {
	given := make(map[string]int64)
	for _, e := range lost {
		if counter, numbered := counterOf[e.Kind]; numbered {
			given[counter] = max(given[counter], e.ID)
		}
	}
	if needed, err := tx.needsAgain(lost, at); err != nil {
		return 0, nil, err
	} else if needed {
		// One for all, and for everybody: half a hash and a number of the past do
		// not say whom a node may remember.
		if err := tx.Change(hallpass.Change{Kind: hallpass.PermissionsChanged}); err != nil {
			return 0, nil, err
		}
	}
	if err := tx.RaiseCounters(given); err != nil {
		return 0, nil, err
	}
	for _, e := range lost {
		if e.Outcome.Open {
			open = append(open, e)
			continue
		}
		done, err := tx.reapply(e, at)
		if err != nil {
			return 0, nil, err
		}
		if done {
			made++
		}
	}
	return made, open, nil
}

// needsAgain reports whether one of the entries is to be made true again.
func (tx *Tx) needsAgain(lost []JournalEntry, at time.Time) (bool, error) {
	for _, e := range lost {
		if steps, err := tx.again(e, at); err != nil || len(steps) > 0 {
			return true, err
		}
	}
	return false, nil
}

// reapply makes one entry true again, and reports whether it was not.
func (tx *Tx) reapply(e JournalEntry, at time.Time) (bool, error) {
	steps, err := tx.again(e, at)
	if err != nil || len(steps) == 0 {
		return false, err
	}
	subject := string(e.Kind) + ":" + strconv.FormatInt(e.ID, 10)
	if err := tx.steps("re-apply the change of "+subject, steps...); err != nil {
		return false, err
	}
	_, err = tx.Audit(hallpass.AuditEntry{
		At: at, Action: "history.reapply", Target: subject, Outcome: hallpass.Done,
		Reason: "the database came back older than change " + strconv.FormatInt(int64(e.Version), 10),
	})
	return true, err
}

// counterOf says which counter numbers the subjects of a kind of change.
var counterOf = map[hallpass.ChangeKind]string{
	hallpass.TokenChanged: "token", hallpass.SessionChanged: "session", hallpass.OrgChanged: "org",
	hallpass.ServiceAccountChanged: "principal", hallpass.UserChanged: "principal",
}

// Counters returns the last number that each counter gave.
func (tx *Tx) Counters() (map[string]int64, error) {
	type counter struct {
		name  string
		value int64
	}
	list, err := all(tx, func(r row) (c counter, err error) {
		err = r.Scan(&c.name, &c.value)
		return c, err
	}, `SELECT name, value FROM counters`)
	if err != nil {
		return nil, fmt.Errorf("store: counters: %w", err)
	}
	counters := make(map[string]int64, len(list))
	for _, c := range list {
		counters[c.name] = c.value
	}
	return counters, nil
}

// RaiseCounters has the counters go on after these numbers, where they have not
// come that far.
func (tx *Tx) RaiseCounters(given map[string]int64) error {
	for name, value := range given {
		if _, err := tx.exec(`UPDATE counters SET value = $2 WHERE name = $1 AND value < $2`, name, value); err != nil {
			return fmt.Errorf("store: raise %s counter: %w", name, err)
		}
	}
	return nil
}

// again returns the steps that make one entry true again, none when it is.
func (tx *Tx) again(e JournalEntry, at time.Time) ([]step, error) {
	if e.Outcome.Open {
		return nil, nil
	}
	now, err := tx.outcome(hallpass.Change{Kind: e.Kind, ID: e.ID})
	if err != nil {
		return nil, err
	}
	us, ends := micros(at), e.Outcome.Ended && !now.Ended
	switch {
	case e.Kind == hallpass.TokenChanged && ends:
		return []step{do(`UPDATE tokens SET revoked_us = $2 WHERE id = $1`, e.ID, us)}, nil
	case e.Kind == hallpass.SessionChanged && ends:
		return []step{do(`DELETE FROM sessions WHERE id = $1`, e.ID)}, nil
	case e.Kind == hallpass.OrgChanged && e.Outcome.Ended:
		return tx.endOrg(e.ID, us)
	case e.Kind == hallpass.ServiceAccountChanged && ends:
		return []step{do(`UPDATE service_accounts SET disabled = TRUE, updated_us = $2 WHERE id = $1`, e.ID, us)}, nil
	case e.Kind == hallpass.ServiceAccountChanged && !e.Outcome.Ended:
		return tx.narrow(e, us)
	case e.Kind == hallpass.UserChanged && !now.Ended:
		return againUser(e, now, us)
	}
	return nil, nil
}

// endOrg returns the steps that leave nobody in the org who may act there.
func (tx *Tx) endOrg(id, us int64) (steps []step, err error) {
	var accounts, members bool
	err = tx.sql.QueryRow(`
		SELECT EXISTS (SELECT 1 FROM service_accounts WHERE org_id = $1 AND disabled = FALSE), EXISTS (SELECT 1 FROM members WHERE org_id = $1)`, id).
		Scan(&accounts, &members)
	if err != nil {
		return nil, fmt.Errorf("store: who is in org %d: %w", id, err)
	}
	if accounts {
		steps = append(steps, do(`UPDATE service_accounts SET disabled = TRUE, updated_us = $2 WHERE org_id = $1 AND disabled = FALSE`, id, us))
	}
	if members {
		steps = append(steps, do(`DELETE FROM members WHERE org_id = $1`, id))
	}
	return steps, nil
}

// narrow returns the step that cuts the role of an account, enabled or not, to
// what the entry says.
func (tx *Tx) narrow(e JournalEntry, us int64) ([]step, error) {
	var now string
	if err := tx.sql.QueryRow(`SELECT COALESCE(MAX(role), 'None') FROM service_accounts WHERE id = $1`, e.ID).Scan(&now); err != nil {
		return nil, fmt.Errorf("store: role of service account %d: %w", e.ID, err)
	}
	if !wider(now, e.Outcome.Role) {
		return nil, nil
	}
	return []step{do(`UPDATE service_accounts SET role = $2, updated_us = $3 WHERE id = $1`, e.ID, e.Outcome.Role, us)}, nil
}

// againUser returns the steps that take from an enabled user, who has become what
// now says, all that the entry does not say.
func againUser(e JournalEntry, now Outcome, us int64) (steps []step, err error) {
	sessions := do(`DELETE FROM sessions WHERE user_id = $1`, e.ID)
	if e.Outcome.Ended {
		return []step{do(`UPDATE users SET disabled = TRUE, updated_us = $2 WHERE id = $1`, e.ID, us), sessions}, nil
	}
	if now.Password != e.Outcome.Password && now.Password != passwordMark("") { // the old password was ended, and the new one is not known here
		steps = append(steps, do(`UPDATE users SET password_hash = '', updated_us = $2 WHERE id = $1`, e.ID, us), sessions)
	}
	if now.ServerAdmin && !e.Outcome.ServerAdmin {
		steps = append(steps, do(`UPDATE users SET server_admin = FALSE, updated_us = $2 WHERE id = $1`, e.ID, us))
	}
	for org, role := range now.Members {
		id, err := strconv.ParseInt(org, 10, 64)
		if err != nil {
			return nil, err
		}
		switch was, member := e.Outcome.Members[org]; {
		case !member:
			steps = append(steps, do(`DELETE FROM members WHERE org_id = $1 AND user_id = $2`, id, e.ID))
		case wider(role, was):
			steps = append(steps, do(`UPDATE members SET role = $3 WHERE org_id = $1 AND user_id = $2`, id, e.ID, was))
		}
	}
	return steps, nil
}

// wider reports whether role a gives more than b.
func wider(a, b string) bool {
	ra, okA := hallpass.ParseRole(a)
	rb, okB := hallpass.ParseRole(b)
	return okA && okB && ra > rb
}

// DropIdle closes the idle connections of the pools: after a failover they may lead
// to the database of before.
func (db *DB) DropIdle() {
	db.acks.lowest.Store(0)
	for _, pool := range []interface {
		SetMaxIdleConns(int)
	}{db.read, db.write} {
		pool.SetMaxIdleConns(0)
	}
	db.read.SetMaxIdleConns(db.read.Stats().MaxOpenConnections)
	db.write.SetMaxIdleConns(db.write.Stats().MaxOpenConnections)
}
