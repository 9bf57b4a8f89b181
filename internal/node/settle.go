package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Settlement is what settling did.
type Settlement struct {
	Reapplied int      // things that had ended, and were ended again
	Lost      []string // what was made since an older copy and is lost: numbers, and what they numbered
}

// Settle compares the database with the journal. In a database that came back older,
// or has another past since some point, what had ended is ended again. When the
// journal cannot tell all that had ended, a person must look: the error says at what.
func (n *Node) Settle(ctx context.Context) (s Settlement, err error) {
	c, err := n.compare(ctx)
	switch {
	case err != nil:
		return s, err
	case n.journal.Known().Installation == "":
		return s, n.journal.Begin(c.now, false)
	case c.diverged:
		return n.reapply(ctx, c)
	}
	if s.Lost, err = n.raise(ctx); err != nil {
		return s, err
	}
	return s, n.CatchUp(ctx)
}

// CatchUp writes the changes to the journal that it does not have yet.
func (n *Node) CatchUp(ctx context.Context) error { return n.journal.catchUp(ctx, n.db) }

// comparison is how the database's history stands to the journal's.
type comparison struct {
	now      store.State // of the database
	diverged bool        // the database has not gone through what the journal knows
	lost     []store.JournalEntry
	whole    bool // lost tells all that the database does not know
}

// compare compares the database with the journal. A journal of another installation
// is an error that is store.ErrDiverged.
func (n *Node) compare(ctx context.Context) (c comparison, err error) {
	known := n.journal.Known()
	c.whole = true
	err = n.db.Read(ctx, func(tx *store.Tx) (err error) {
		if c.now, err = tx.State(); err != nil {
			return err
		}
		if known.Installation != "" && known.Installation != c.now.Installation {
			return fmt.Errorf("the journal %s is of the installation %s, the database of %s: %w: use the data directory that belongs to this database, or move the journal away",
				n.journal.Path(), known.Installation, c.now.Installation, store.ErrDiverged)
		}
		if err := tx.Continues(known); !errors.Is(err, store.ErrDiverged) {
			return err
		}
		c.diverged = true
		c.lost, c.whole, err = n.journal.Since(tx)
		return err
	})
	return c, err
}

// reapply makes what is lost true again in the database and has the journal go on
// from there. When the list is incomplete, a person must complete it.
func (n *Node) reapply(ctx context.Context, c comparison) (s Settlement, err error) {
	var open []store.JournalEntry
	var before, now store.State
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		if before, err = tx.State(); err != nil {
			return err
		}
		if s.Lost, err = n.journal.missing(tx); err != nil {
			return err
		}
		if s.Reapplied, open, err = tx.Reapply(c.lost, n.Now()); err != nil {
			return err
		}
		if c.whole && len(open) == 0 { // else AcceptHistory does, and names the numbers until then
			if err := n.raiseCounters(tx); err != nil {
				return err
			}
		}
		now, err = tx.State()
		return err
	})
	if err != nil {
		return Settlement{}, err
	}
	n.report.reapplied(c, before.Version, n.journal.Known().Version, s, len(open))
	switch {
	case !c.whole:
		return s, fmt.Errorf("the database came back older than the journal %s begins: what ended between that and the journal's beginning is not known here: "+
			"look at users, accounts, tokens and roles, then run hallpass admin accept-history. Made since and lost: %s", n.journal.Path(), inWords(s.Lost))
	case len(open) > 0:
		return s, errOpen(open, s.Lost)
	}
	return s, n.journal.Begin(now, false)
}

// errOpen says which changes a person must look at.
func errOpen(open []store.JournalEntry, missing []string) error {
	var list strings.Builder
	for i, e := range open {
		if i == 10 {
			fmt.Fprintf(&list, "; and %d more", len(open)-i)
			break
		}
		if i > 0 {
			list.WriteString("; ")
		}
		fmt.Fprintf(&list, "%s %s %d", e.At.Format(time.RFC3339), e.Kind, e.ID)
	}
	return fmt.Errorf("the database is older than what this node remembers. Every token, session, account and user that had ended since then was ended again. "+
		"%d changes of permissions since then are lost, and this node does not know what they were (%s): check roles, teams and access, then run hallpass admin accept-history. Made since and lost: %s", len(open), list.String(), inWords(missing))
}
