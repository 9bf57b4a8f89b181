package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// closeAtOnce is how many tokens one transaction ends.
const closeAtOnce = 100

// CloseRotations ends the tokens, of all orgs, that another replaces and that have to
// end by now (Token.Closes). uses brings last uses up to date with what this node has
// not written yet. Several nodes may do it at once: each token ends once.
func (a *Admin) CloseRotations(ctx context.Context, uses func([]hallpass.Token)) error {
	for {
		var due []store.Overlap
		err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
			due, err = tx.DueOverlaps(a.now(), closeAtOnce)
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		ended := 0
		err = a.db.Write(ctx, func(tx *store.Tx) error {
			ended, err = a.closeRotations(tx, due, uses)
			return err
		})
		if err != nil || len(due) < closeAtOnce || ended == 0 {
			return err
		}
	}
}

// closeRotations ends those of the tokens that still have to, and returns how many.
func (a *Admin) closeRotations(tx *store.Tx, due []store.Overlap, uses func([]hallpass.Token)) (ended int, err error) {
	now := a.now()
	var old []hallpass.Token
	var why []string
	for _, o := range due {
		if o, err = tx.Overlap(o.Old.Org, o.Old.ID); err != nil {
			return 0, err
		}
		pair := []hallpass.Token{o.Old, o.Successor}
		uses(pair)
		if reason := pair[0].Closes(pair[1], now); reason != "" {
			old, why = append(old, pair[0]), append(why, reason)
		}
	}
	for _, c := range tokenChanged(old...) {
		if err := tx.Change(c); err != nil {
			return 0, err
		}
	}
	for i, t := range old {
		t = t.Retired(now)
		if err := tx.UpdateToken(t); err != nil {
			return 0, err
		}
		if err := passOn(tx, t, now); err != nil {
			return 0, err
		}
		if err := a.notifyRetired(tx, t, "", why[i]); err != nil {
			return 0, err
		}
		entry := a.entry(hallpass.Caller{Org: t.Org}, "token.retire", target("token", int64(t.ID)))
		entry.Reason = why[i]
		if _, err := tx.Audit(entry); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}
