package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hallpass-dev/hallpass"
)

// Shared reports whether several nodes may share the database. In one that is not
// shared, this process alone writes: it needs no heartbeats.
func (db *DB) Shared() bool { return db.postgres }

// A NodeConn holds a node's own connections to a shared database: one for its
// heartbeats, one that Listen waits on. Requests use others. It belongs to one
// goroutine; Listen alone may run on another.
type NodeConn struct {
	db   *DB
	pool *sql.DB // of one connection
	node hallpass.Node
	key  ed25519.PublicKey
}

// ErrRemoved says that another node removed this one's row: its lease was over
// and no heartbeat of it had come.
var ErrRemoved = errors.New("store: another node removed this one: its lease was over")

// ConnectNode returns connections for the node, whose ID, Name, Version and
// MaxStaleness are set, and whose signatures are checked with key; nil: it signs
// nothing. It opens none yet.
func (db *DB) ConnectNode(node hallpass.Node, key ed25519.PublicKey) *NodeConn {
	pool := db.unprepared()
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
	return &NodeConn{db: db, pool: pool, node: node, key: key}
}

// A Heartbeat is what the database answers to a heartbeat.
type Heartbeat struct {
	State   State
	Now     time.Time       // by the database's clock
	Changes []ChangeRow     // those after the ones applied, oldest first, up to State
	Nodes   []hallpass.Node // every node, this one too, by name
}

// Register writes the node's row: it has applied the changes up to the State of
// the answer. The node must have forgotten all that it read before. known is where
// the history stood for it: ErrDiverged when the database has not gone through that.
// A node that registers has no lease that could end meanwhile, so this may take longer
// than a heartbeat.
func (c *NodeConn) Register(ctx context.Context, known State) (b Heartbeat, err error) {
	err = c.inTx(ctx, minRegister, func(tx *Tx) error {
		if err := tx.heartbeat(known, &b); err != nil {
			return err
		}
		if err := tx.changesSince(known, &b); err != nil {
			return err
		}
		_, err := tx.exec(`
			INSERT INTO nodes (id, name, address, version, started_us, beats, beat_us, applied, bound_us, ack_us)
			VALUES ($1, $2, $3, $4, $5, 0, $5, $6, $7, 0)
			ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, beats = nodes.beats + 1, beat_us = excluded.beat_us`,
			c.node.ID, c.node.Name, c.node.Address, c.node.Version, micros(b.Now), b.State.Version, c.node.MaxStaleness.Microseconds())
		if err != nil {
			return err
		}
		return c.listKey(tx)
	})
	c.db.lost.Store(errors.Is(classify(err), hallpass.Unavailable))
	if err != nil {
		return Heartbeat{}, fmt.Errorf("store: register node: %w", c.db.seen(err))
	}
	return b, nil
}

// Heartbeat tells that the node lives and has applied the changes up to those of
// known, and returns where the history stands; ErrRemoved when the node must
// register anew, ErrDiverged when the database has not gone through known. A
// heartbeat is a committed write: a deposed database cannot answer it.
func (c *NodeConn) Heartbeat(ctx context.Context, known State) (b Heartbeat, err error) {
	err = c.inTx(ctx, minHeartbeat, func(tx *Tx) error {
		// First: versions of another past say nothing about this one.
		if err := tx.heartbeat(known, &b); err != nil {
			return err
		}
		n, err := tx.exec(`
			UPDATE nodes SET beats = beats + 1, beat_us = `+databaseClock+`, applied = $2, bound_us = $3, ack_us = $4 WHERE id = $1`,
			c.node.ID, known.Version, c.node.MaxStaleness.Microseconds(), c.db.acks.last.Load()/int64(time.Microsecond))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrRemoved
		}
		if err := tx.changesSince(known, &b); err != nil {
			return err
		}
		b.Nodes, err = all(tx, scanNode, `SELECT `+nodeColumns+` FROM nodes ORDER BY name, id`)
		return err
	})
	c.db.lost.Store(errors.Is(classify(err), hallpass.Unavailable))
	if err != nil {
		return b, fmt.Errorf("store: heartbeat: %w", c.db.seen(err))
	}
	return b, nil
}

// heartbeat reads where the history stands and the database's clock, in one
// statement, as each costs a round trip; ErrDiverged when the database has not gone
// through known.
func (tx *Tx) heartbeat(known State, b *Heartbeat) error {
	var digest, then []byte
	var now int64
	err := tx.sql.QueryRow(`
		SELECT s.installation, s.v, s.digest, `+databaseClock+`, (SELECT c.digest FROM changes c WHERE c.v = $1)
		FROM   state s WHERE s.id = 1`, known.Version).Scan(&b.State.Installation, &b.State.Version, &digest, &now, &then)
	if err != nil {
		return notFound(err, "", "the installation has not begun")
	}
	b.Now = fromMicros(now)
	copy(b.State.Digest[:], digest)
	var at [32]byte
	copy(at[:], then)
	return known.continues(b.State, at)
}

// changesSince reads the changes from known up to the state of the heartbeat.
func (tx *Tx) changesSince(known State, b *Heartbeat) (err error) {
	if b.State.Version > known.Version {
		b.Changes, err = all(tx, scanChange, `
			SELECT v, kind, subject_id, hash, digest FROM changes WHERE v > $1 AND v <= $2 ORDER BY v`, known.Version, b.State.Version)
	}
	return err
}

// Remove deletes the row of a node whose count of heartbeats still is count, so
// that no change waits for it. If a heartbeat of it comes first, the row stays; one
// that comes later finds no row.
func (c *NodeConn) Remove(ctx context.Context, id string, count int64) error {
	err := c.inTx(ctx, minHeartbeat, func(tx *Tx) error {
		n, err := tx.exec(`DELETE FROM nodes WHERE id = $1 AND beats = $2`, id, count)
		if err != nil || n == 0 {
			return err
		}
		return tx.takeKey(id)
	})
	if err != nil {
		return fmt.Errorf("store: remove node: %w", c.db.seen(err))
	}
	return nil
}

// Leave deletes the node's own row. The node must not verify any more.
func (c *NodeConn) Leave(ctx context.Context) error {
	err := c.inTx(ctx, minHeartbeat, func(tx *Tx) error {
		if _, err := tx.exec(`DELETE FROM nodes WHERE id = $1`, c.node.ID); err != nil {
			return err
		}
		return tx.takeKey(c.node.ID)
	})
	if err != nil {
		return fmt.Errorf("store: leave: %w", c.db.seen(err))
	}
	return nil
}

// Close closes the connections.
func (c *NodeConn) Close() error { return c.pool.Close() }

// minHeartbeat is the least time that a heartbeat may take. It may take a third of
// the lease, and half of the lease to connect: it needs five round trips, six with
// the commit. When one fails, the next can still renew the lease in time.
const minHeartbeat = 250 * time.Millisecond

// minRegister is the least time that registering may take.
const minRegister = 5 * time.Second

// inTx runs fn in a transaction on the node's own connection. It may take as long as a
// heartbeat, and least in any case. It does not wait for the writers' turn.
func (c *NodeConn) inTx(ctx context.Context, least time.Duration, fn func(*Tx) error) error {
	connect, cancel := context.WithTimeout(ctx, max(c.node.MaxStaleness/2, least))
	conn, err := c.pool.Conn(connect)
	cancel()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it only goes back to the pool
	ctx, cancel = context.WithTimeout(ctx, max(c.node.MaxStaleness/3, least))
	defer cancel()
	return c.db.inTx(ctx, conn, fn)
}

// Listen calls wake whenever another node has committed a change, until ctx is
// done or the connection fails. Without it the next heartbeat finds the change.
func (c *NodeConn) Listen(ctx context.Context, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, c.db.config.Copy())
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
	err = r.Scan(&n.ID, &n.Name, &n.Address, &n.Version, &started, &n.Heartbeats, &beat, &n.Applied, &bound, &ack)
	n.StartedAt, n.HeartbeatAt = fromMicros(started), fromMicros(beat)
	n.MaxStaleness, n.Acknowledged = time.Duration(bound)*time.Microsecond, time.Duration(ack)*time.Microsecond
	return n, err
}
