package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// An AuditReader reads the links of the audit's chain, some at a time. It keeps no
// transaction open, so who reads slowly holds nobody up. It is not safe for concurrent
// use.
type AuditReader struct {
	db    *DB
	chain hallpass.AuditChain
	gone  hallpass.AuditPruning // what was gone at first
	after hallpass.AuditID      // the number of the link that was read last
	done  bool
}

// errAuditMoved says that what an AuditReader reads is no longer the chain that it began.
var errAuditMoved = &hallpass.Error{
	Kind: hallpass.Unavailable, ID: "audit.pruned", Message: "Retention deleted entries of the audit meanwhile: start again", RetryAfter: time.Minute,
}

// ReadAudit returns a reader of the chain as it is now. It is Conflict when the audit is no
// chain yet.
func (db *DB) ReadAudit(ctx context.Context) (*AuditReader, error) {
	r := &AuditReader{db: db, after: math.MinInt64}
	err := db.Read(ctx, func(tx *Tx) (err error) {
		if err := tx.hasChain(); err != nil {
			return err
		}
		if r.chain, err = tx.AuditChain(); err == nil {
			r.gone, err = tx.pruning()
		}
		return err
	})
	return r, err
}

// Chain returns where the chain begins and ends.
func (r *AuditReader) Chain() hallpass.AuditChain { return r.chain }

// Next returns the next links, in their order and up to the end of the chain: none after
// the last. It is Unavailable when retention has deleted entries since the reader began.
func (r *AuditReader) Next(ctx context.Context) (links []hallpass.AuditLink, err error) {
	if r.done {
		return nil, nil
	}
	err = r.db.Read(ctx, func(tx *Tx) error {
		gone, err := tx.pruning()
		if err != nil {
			return err
		}
		if gone != r.gone {
			return errAuditMoved
		}
		links, err = tx.AuditLinks(r.after, proveBatch)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: read audit after %d: %w", r.after, err)
	}
	r.done = len(links) < proveBatch
	for i, l := range links {
		if r.after = l.ID; l.ID > r.chain.End.ID {
			r.done = true
			return links[:i], nil
		}
	}
	return links, nil
}
