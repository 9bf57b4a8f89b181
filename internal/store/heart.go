package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-dev/hallpass"
)

// Shared reports whether several nodes may share the database. One that is not
// shared needs no heart: what is written there, this process wrote.
func (db *DB) Shared() bool { return db.postgres }

// A Heart is a node's own way to a shared database: one connection for its
// heartbeats and one on which it is woken, apart from those that requests wait
// for. It belongs to one goroutine, save for Listen.
type Heart struct {
	db   *DB
	beat *sql.DB // of one connection
	node hallpass.Node
}

// ErrBuried says that others took the node's row away, for they had not heard of
// it for longer than it may answer from memory.
var ErrBuried = errors.New("store: other nodes took this one for dead")

// NewHeart returns a heart for the node, of which ID, Name, Version and Bound
// are to be set.
func (db *DB) NewHeart(node hallpass.Node) *Heart {
	beat := db.unprepared()
	beat.SetMaxOpenConns(1)
	beat.SetMaxIdleConns(1)
	return &Heart{db: db, beat: beat, node: node}
}

// A Pulse is what a heartbeat brought back.
type Pulse struct {
	State   State
	Now     time.Time       // by the database's clock
	Changes []ChangeRow     // those after the ones applied, oldest first, up to State
	Nodes   []hallpass.Node // every node, this one too, by name
}

// Register makes the node known with nothing applied but what the pulse it
// returns says. The node must remember nothing of before, save known, where the
// history stood for it; ErrDiverged when the database has not gone through that.
func (h *Heart) Register(ctx context.Context, known State) (p Pulse, err error) {
	err = h.inTx(ctx, func(tx *Tx) error {
		if err := tx.pulse(known, &p); err != nil {
			return err
		}
		_, err := tx.exec(`
			INSERT INTO nodes (id, name, address, version, started_us, beats, beat_us, applied, bound_us, ack_us)
			VALUES ($1, $2, $3, $4, $5, 0, $5, $6, $7, 0)
			ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, beats = nodes.beats + 1, beat_us = excluded.beat_us`,
			h.node.ID, h.node.Name, h.node.Address, h.node.Version, micros(p.Now), p.State.Version, h.node.Bound.Microseconds())
		return err
	})
	h.db.lost.Store(errors.Is(classify(err), hallpass.Unavailable))
	if err != nil {
		return Pulse{}, fmt.Errorf("store: register node: %w", h.db.seen(err))
	}
	return p, nil
}

// Beat tells that the node lives and has applied the changes up to those of
// known, and returns where the history stands; ErrBuried when the node must
// register anew, ErrDiverged when the database's past is not the known one. The
// beat is a committed write, so a database that was deposed cannot answer it.
func (h *Heart) Beat(ctx context.Context, known State) (p Pulse, err error) {
	applied := known.Version
	err = h.inTx(ctx, func(tx *Tx) error {
		// First, for what was applied of another past says nothing about this one.
		if err := tx.pulse(known, &p); err != nil {
			return err
		}
		n, err := tx.exec(`
			UPDATE nodes SET beats = beats + 1, beat_us = `+databaseClock+`, applied = $2, bound_us = $3, ack_us = $4 WHERE id = $1`,
			h.node.ID, applied, h.node.Bound.Microseconds(), h.db.acks.last.Load()/int64(time.Microsecond))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrBuried
		}
		if p.State.Version > applied {
			p.Changes, err = all(tx, scanChange, `
				SELECT v, kind, subject_id, hash, digest FROM changes WHERE v > $1 AND v <= $2 ORDER BY v`, applied, p.State.Version)
			if err != nil {
				return err
			}
		}
		p.Nodes, err = all(tx, scanNode, `SELECT `+nodeColumns+` FROM nodes ORDER BY name, id`)
		return err
	})
	h.db.lost.Store(errors.Is(classify(err), hallpass.Unavailable))
	if err != nil {
		return p, fmt.Errorf("store: heartbeat: %w", h.db.seen(err))
	}
	return p, nil
}

// pulse reads where the history stands, and the database's clock, in one
// statement, for the way may be long; ErrDiverged when the database has not gone
// through known.
func (tx *Tx) pulse(known State, p *Pulse) error {
	var digest, then []byte
	var now int64
	err := tx.sql.QueryRow(`
		SELECT s.installation, s.v, s.digest, `+databaseClock+`, (SELECT c.digest FROM changes c WHERE c.v = $1)
		FROM   state s WHERE s.id = 1`, known.Version).Scan(&p.State.Installation, &p.State.Version, &digest, &now, &then)
	if err != nil {
		return notFound(err, "", "the installation has not begun")
	}
	p.Now = fromMicros(now)
	copy(p.State.Digest[:], digest)
	var at [32]byte
	copy(at[:], then)
	return known.continues(p.State, at)
}

// Bury takes the row of a node away that has not beaten since beats, so that
// nobody waits for it any more. A beat on its way either comes first, and then
// the node lives, or finds no row.
func (h *Heart) Bury(ctx context.Context, id string, beats int64) error {
	err := h.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(`DELETE FROM nodes WHERE id = $1 AND beats = $2`, id, beats)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: bury node: %w", h.db.seen(err))
	}
	return nil
}

// Leave takes the node's own row away. The node must not verify any more.
func (h *Heart) Leave(ctx context.Context) error {
	err := h.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(`DELETE FROM nodes WHERE id = $1`, h.node.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: leave: %w", h.db.seen(err))
	}
	return nil
}

// Close lets go of the connections.
func (h *Heart) Close() error { return h.beat.Close() }

// minBeat is what a heartbeat is given at least. It is given a third of the time
// that the view may be old, and half of it to connect: five round trips, and six
// with a commit of their own. One may fail and the next still come in time.
const minBeat = 250 * time.Millisecond

// inTx runs fn in a transaction of the heart's own connection. It waits for no
// writer: a heartbeat takes no turn.
func (h *Heart) inTx(ctx context.Context, fn func(*Tx) error) error {
	connect, cancel := context.WithTimeout(ctx, max(h.node.Bound/2, minBeat))
	conn, err := h.beat.Conn(connect)
	cancel()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it only goes back to the pool
	ctx, cancel = context.WithTimeout(ctx, max(h.node.Bound/3, minBeat))
	defer cancel()
	return h.db.inTx(ctx, conn, fn)
}

// Listen calls wake whenever another node has committed a change, until ctx is
// done or the connection fails. Nothing depends on it but how soon a change is
// heard of.
func (h *Heart) Listen(ctx context.Context, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, h.db.config.Copy())
	if err != nil {
		return fmt.Errorf("store: listen: %w", classify(err))
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing is lost with it
	if _, err := conn.Exec(ctx, `LISTEN `+changesChannel); err != nil {
		return fmt.Errorf("store: listen: %w", classify(err))
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("store: listen: %w", classify(err))
		}
		wake()
	}
}

const nodeColumns = `id, name, address, version, started_us, beats, beat_us, applied, bound_us, ack_us`

func scanNode(r row) (n hallpass.Node, err error) {
	var started, beat, bound, ack int64
	err = r.Scan(&n.ID, &n.Name, &n.Address, &n.Version, &started, &n.Beats, &beat, &n.Applied, &bound, &ack)
	n.StartedAt, n.BeatAt = fromMicros(started), fromMicros(beat)
	n.Bound, n.Acknowledged = time.Duration(bound)*time.Microsecond, time.Duration(ack)*time.Microsecond
	return n, err
}

// acks is what a node knows of how the others apply its changes.
type acks struct {
	look   chan struct{} // holds one value while somebody asks the database
	lowest atomic.Int64  // the version that every node had applied when last asked
	last   atomic.Int64  // how long the last change took to be applied everywhere, nanoseconds
	heard  func(time.Duration)
}

// OnAcknowledged has fn called with how long each change made here took from
// its commit until every node had applied it. Set it before serving begins.
func (db *DB) OnAcknowledged(fn func(time.Duration)) { db.acks.heard = fn }

// margin is what the clocks of two machines may differ by in speed.
const margin = 1.01

// ackEvery is how often the database is asked whether the nodes have applied a
// change, while somebody waits for that.
const ackEvery = 2 * time.Millisecond

// awaitNodes returns when no node answers from a view older than v: every one
// that is alive has applied it, or the longest that any of them may go without
// has passed since the commit. It does not fail: the change stands, and after
// that time nobody needs to be asked.
func (db *DB) awaitNodes(ctx context.Context, v hallpass.Version, longest time.Duration) {
	committed := BootClock()
	limit := time.Duration(float64(longest) * margin)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	for BootClock()-committed < limit && !db.appliedBy(ctx, v) {
		time.Sleep(ackEvery)
	}
	took := BootClock() - committed
	db.acks.last.Store(int64(took))
	if db.acks.heard != nil {
		db.acks.heard(took)
	}
}

// appliedBy reports whether every node has applied v. Of many who ask at once,
// one asks the database.
func (db *DB) appliedBy(ctx context.Context, v hallpass.Version) bool {
	select {
	case db.acks.look <- struct{}{}:
		defer func() { <-db.acks.look }()
	case <-ctx.Done():
		return false
	}
	if db.acks.lowest.Load() >= int64(v) { // whoever asked before us learned enough
		return true
	}
	var lowest int64
	err := db.read.QueryRowContext(ctx, `SELECT COALESCE(MIN(applied), $1) FROM nodes`, int64(v)).Scan(&lowest)
	if err != nil {
		return false
	}
	db.acks.lowest.Store(lowest)
	return lowest >= int64(v)
}
