package node

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Histories are the two that an operator is asked about: what the journal of a
// data directory knows, and the database.
type Histories struct {
	Journal      string           // its path
	Installation string           // of the database
	Known, Now   hallpass.Version // where the journal's history ends, and the database's stands
	Shared       bool             // the database has gone through all that the journal knows: there is nothing to accept
	Open         []string         // changes whose outcome the journal does not tell, each with when and what
	Whole        bool             // the journal tells all that the database does not know
	Missing      []string         // numbers that were given since, and what they numbered
}

// AcceptHistory has the journal take the database as it is, after a person looked at
// what the journal could not tell. Without yes it only says what that would be. A
// database of another installation is refused. No server may use the journal.
func (n *Node) AcceptHistory(ctx context.Context, yes bool) (h Histories, err error) {
	c, err := n.compare(ctx)
	h = Histories{
		Journal: n.journal.Path(), Known: n.journal.Known().Version, Installation: c.now.Installation, Now: c.now.Version,
		Shared: err == nil && !c.diverged, Whole: c.whole,
	}
	if err != nil || h.Shared {
		return h, err
	}
	for _, e := range c.lost {
		if e.Open() {
			h.Open = append(h.Open, e.At.Format(time.RFC3339)+" "+string(e.Kind)+" "+strconv.FormatInt(e.ID, 10))
		}
	}
	err = n.db.Read(ctx, func(tx *store.Tx) (err error) {
		h.Missing, err = n.journal.missing(tx)
		return err
	})
	if err != nil || !yes {
		return h, err
	}
	err = n.db.Write(ctx, n.raiseCounters)
	return h, errors.Join(err, n.journal.Begin(c.now, true))
}

// Salvage writes the last changes in old to the journal: a server that was killed may
// not have written them all. next, a copy that is about to replace old, then gives no
// number that old gave. When they are of two installations nothing is done.
func (j *Journal) Salvage(ctx context.Context, old, next *store.DB) error {
	then, err := next.State(ctx)
	if err != nil {
		return err
	}
	now, err := old.State(ctx)
	if err != nil || now.Installation != then.Installation {
		return err
	}
	if j.Known().Installation == "" {
		if err := j.Begin(then, false); err != nil {
			return err
		}
	}
	var counters map[string]int64
	err = old.Read(ctx, func(tx *store.Tx) (err error) {
		if err := tx.Continues(j.Known()); err != nil {
			return err
		}
		counters, err = tx.Counters()
		return err
	})
	if err != nil {
		return err
	}
	if err := j.catchUp(ctx, old); err != nil {
		return err
	}
	if err := j.count(counters); err != nil {
		return err
	}
	// Settling raises those that the journal keeps, and says which are lost.
	maps.DeleteFunc(counters, func(counter string, _ int64) bool { return counted(counter) })
	return next.Write(ctx, func(tx *store.Tx) error { return tx.RaiseCounters(counters) })
}
