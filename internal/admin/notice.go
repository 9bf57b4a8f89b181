package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// noticeBatch is how many tokens a transaction tells of: changes wait for it on SQLite.
const noticeBatch = 200

// lateNotice is for how long after its end a token is still told to have expired: a
// server that was down for some days makes up for it.
const lateNotice = 7 * 24 * time.Hour

// NoticeEnds writes the notices of tokens that end within some days, as
// Outgoing.Days lists them, and of those whose time is over. A token that was made
// for a day or less has none, and one that was made for three days has none of seven.
// Written twice, a notice is told once. It asks for no caller: it is a job of the server.
func (a *Admin) NoticeEnds(ctx context.Context) error {
	now := a.now()
	var after time.Duration
	for _, days := range slices.Sorted(slices.Values(a.o.Outgoing.Days)) {
		within := time.Duration(days) * 24 * time.Hour
		u := store.Untold{
			Kind: hallpass.NoticeExpiring, Mark: strconv.Itoa(days), After: now.Add(after), Till: now.Add(within), Longer: within, Made: now, Limit: noticeBatch,
		}
		if err := a.noticeAll(ctx, u, func(n *hallpass.Notice) { n.Days = days }); err != nil {
			return err
		}
		after = within
	}
	u := store.Untold{Kind: hallpass.NoticeExpired, After: now.Add(-lateNotice), Till: now, Longer: shortLived - time.Microsecond, Limit: noticeBatch}
	return a.noticeAll(ctx, u, func(*hallpass.Notice) {})
}

// noticeAll writes a notice of each token that u picks, some in each transaction, and
// rests twice as long as it works. set completes a notice.
func (a *Admin) noticeAll(ctx context.Context, u store.Untold, set func(*hallpass.Notice)) error {
	var some []store.TokenOf
	err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
		some, err = tx.UntoldTokens(u)
		return err
	})
	for len(some) > 0 && err == nil {
		began := time.Now()
		err = a.db.Write(ctx, func(tx *store.Tx) (err error) {
			if some, err = tx.UntoldTokens(u); err != nil {
				return err
			}
			return a.noticeSome(tx, u, some, set)
		})
		if err != nil || len(some) < u.Limit {
			return err
		}
		last := some[len(some)-1].Token
		u.After, u.Token = last.ExpiresAt, last.ID
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Since(began)):
		}
	}
	return err
}

func (a *Admin) noticeSome(tx *store.Tx, u store.Untold, list []store.TokenOf, set func(*hallpass.Notice)) error {
	notices := make([]hallpass.Notice, len(list))
	for i, t := range list {
		n := &notices[i]
		*n = hallpass.TokenNotice(u.Kind, t.Token, t.Account, a.now())
		n.Mark = u.Mark
		set(n)
	}
	return tx.Notify(notices...)
}

// notifyReplaced writes the notice of a token that another replaces from now on, and if it
// has ended with that, the notice of its end. actor is the login of who did it.
func (a *Admin) notifyReplaced(tx *store.Tx, old hallpass.Token, actor, reason string) error {
	kinds := []hallpass.NoticeKind{hallpass.NoticeRotated}
	if old.State(a.now(), false) == hallpass.TokenRotated {
		kinds = append(kinds, hallpass.NoticeRetired)
	}
	return a.notifyOfOld(tx, old, old.Rotation.Successor, actor, reason, kinds...)
}

// notifyRetired writes the notice of a token that was replaced before and has ended now.
// That it was replaced was told then: a channel that was made since is not told of it.
// actor is the login of who ended it, "" for the server.
func (a *Admin) notifyRetired(tx *store.Tx, old hallpass.Token, actor, reason string) error {
	return a.notifyOfOld(tx, old, old.Rotation.Successor, actor, reason, hallpass.NoticeRetired)
}

// notifyUndone writes the notice of a token that next does not replace any more.
func (a *Admin) notifyUndone(tx *store.Tx, back hallpass.Token, next hallpass.TokenID, actor string) error {
	return a.notifyOfOld(tx, back, next, actor, "", hallpass.NoticeUndone)
}

func (a *Admin) notifyOfOld(tx *store.Tx, old hallpass.Token, next hallpass.TokenID, actor, reason string, kinds ...hallpass.NoticeKind) error {
	account, err := tx.ServiceAccount(old.Org, old.ServiceAccount)
	if err != nil {
		return err
	}
	var list []hallpass.Notice
	for _, kind := range kinds {
		n := hallpass.TokenNotice(kind, old, account, a.now())
		n.Successor, n.Mark, n.Actor, n.Reason = next, idText(next), actor, reason
		list = append(list, n)
	}
	return tx.Notify(list...)
}

// NoticePlaces writes the notices of tokens that are used from where they never were, a
// day or more after they were made. It asks for no caller: it is a job of the server.
func (a *Admin) NoticePlaces(ctx context.Context) error {
	var notices []hallpass.Notice
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		places, err := tx.NewPlaces(a.now().Add(-deadUseWindow), shortLived, manyPlaces)
		if err != nil {
			return err
		}
		for _, p := range places {
			n := hallpass.TokenNotice(hallpass.NoticeNewPlace, p.Token, p.Account, a.now())
			mark := sha256.Sum256([]byte(p.From.Address + "\x00" + p.From.UserAgent))
			n.From, n.Mark = p.From, hex.EncodeToString(mark[:16])
			told, err := tx.Told(n)
			if err != nil {
				return err
			}
			if !told {
				notices = append(notices, n)
			}
		}
		return nil
	})
	return errors.Join(err, a.notifyAll(ctx, notices))
}

// manyPlaces is how many new places a run tells of.
const manyPlaces = 1000

// notifyAll writes notices, some in each transaction.
func (a *Admin) notifyAll(ctx context.Context, notices []hallpass.Notice) error {
	for part := range slices.Chunk(notices, noticeBatch) {
		if err := a.db.Write(ctx, func(tx *store.Tx) error { return tx.Notify(part...) }); err != nil {
			return err
		}
	}
	return nil
}

// deadUseWindow is how far back NoticeDeadUses and NoticePlaces look: longer than the
// time between two of their runs.
const deadUseWindow = 5 * time.Minute

// deadUseKinds has for the ID of a refusal what is told of it.
var deadUseKinds = map[string]hallpass.NoticeKind{
	"api-key.expired": hallpass.NoticeExpiredStillUsed, "api-key.rotated": hallpass.NoticeReplacedUsed, "api-key.paused": hallpass.NoticePausedUsed,
}

// NoticeDeadUses writes the notices of tokens that somebody tries though they have
// expired (once), are replaced (once an hour), or paused (once a pause). It asks for no
// caller: it is a job of the server.
func (a *Admin) NoticeDeadUses(ctx context.Context) error {
	var notices []hallpass.Notice
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		uses, err := tx.DeadUses(a.now().Add(-deadUseWindow), "api-key.expired", "api-key.rotated", "api-key.paused")
		if err != nil {
			return err
		}
		notices, err = a.deadUseNotices(tx, uses)
		return err
	})
	return errors.Join(err, a.notifyAll(ctx, notices))
}

// deadUseNotices returns the notices of the uses that were not told yet.
func (a *Admin) deadUseNotices(tx *store.Tx, uses []store.DeadUse) (notices []hallpass.Notice, err error) {
	for _, use := range uses {
		token, err := tx.OrgToken(use.Org, use.Token)
		if hallpass.KindOf(err) == hallpass.NotFound {
			continue // deleted since
		}
		if err != nil {
			return nil, err
		}
		account, err := tx.ServiceAccount(token.Org, token.ServiceAccount)
		if err != nil {
			return nil, err
		}
		n := hallpass.TokenNotice(deadUseKinds[use.Reason], token, account, a.now())
		n.From = use.From
		switch n.Kind {
		case hallpass.NoticeReplacedUsed:
			n.Mark = use.At.Format("2006-01-02T15")
		case hallpass.NoticePausedUsed:
			n.Mark = strconv.FormatInt(token.Pause.Since.UnixMicro(), 10)
		}
		told, err := tx.Told(n)
		if err != nil {
			return nil, err
		}
		if !told {
			notices = append(notices, n)
		}
	}
	return notices, nil
}
