package store

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"
)

// keyStaysFor is for how long the key of a node that is gone is still listed: what
// the node signed at last can be checked for as long as it is valid, and a while
// longer.
const keyStaysFor = 2 * time.Minute

// SigningKeys returns the public keys of the nodes on the list of a shared
// database, and of those that were taken off it less than two minutes ago.
func (db *DB) SigningKeys(ctx context.Context) (keys []ed25519.PublicKey, err error) {
	err = db.Read(ctx, func(tx *Tx) error {
		keys, err = all(tx, func(r row) (key ed25519.PublicKey, err error) {
			err = r.Scan((*[]byte)(&key))
			return key, err
		}, `
			SELECT k.public FROM node_keys k
			WHERE  k.gone_us > `+databaseClock+` - $1 OR k.gone_us = 0 AND EXISTS (SELECT 1 FROM nodes n WHERE n.id = k.node)
			ORDER  BY k.public`, keyStaysFor.Microseconds())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: signing keys: %w", err)
	}
	return keys, nil
}

// listKey lists the node's key with its row, and forgets keys that are listed no
// more. A node of an older version takes rows off the list without their keys: such a
// key counts as gone from now on.
func (c *NodeConn) listKey(tx *Tx) error {
	if _, err := tx.exec(`DELETE FROM node_keys WHERE gone_us > 0 AND gone_us <= `+databaseClock+` - $1`, keyStaysFor.Microseconds()); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE node_keys SET gone_us = ` + databaseClock + ` WHERE gone_us = 0 AND node NOT IN (SELECT id FROM nodes)`); err != nil {
		return err
	}
	if len(c.key) == 0 {
		return nil
	}
	_, err := tx.exec(`
		INSERT INTO node_keys (public, node, gone_us) VALUES ($1, $2, 0)
		ON CONFLICT (public) DO UPDATE SET gone_us = 0`, []byte(c.key), c.node.ID)
	return err
}

// takeKey notes that the node with that ID is not on the list any more.
func (tx *Tx) takeKey(id string) error {
	_, err := tx.exec(`UPDATE node_keys SET gone_us = `+databaseClock+` WHERE node = $1 AND gone_us = 0`, id)
	return err
}
