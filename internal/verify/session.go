package verify

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// seenEvery is how exactly a session's last use is kept.
const seenEvery = time.Minute

// sessions verifies sessions of browsers, and gathers when they were last seen
// until that is written.
type sessions struct {
	db   *store.DB
	node *node.Node
	idle time.Duration // how long a session may rest unused

	issuer string // where sessions may have begun beside those that began with a password

	mu   sync.Mutex
	seen map[hallpass.SessionID]time.Time // and not yet written; guarded by mu
}

// Session returns the caller whose browser holds the session id. A zero org
// means the one the user works in. The error's Kind is Unauthenticated, or
// Unavailable when the session could not be checked.
func (v *Verifier) Session(ctx context.Context, id string, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	return v.sessions.verify(ctx, id, org, from)
}

func (ss *sessions) verify(ctx context.Context, id string, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	hash, ok := secret.ParseSession(id)
	if !ok {
		return hallpass.Caller{}, errNoSession
	}
	now, ok := ss.node.MayAnswer()
	if !ok {
		return hallpass.Caller{}, errStale
	}
	var s hallpass.Session
	var c hallpass.Caller
	err := ss.db.Read(ctx, func(tx *store.Tx) (err error) {
		if err := recent(ss.node, tx); err != nil {
			return err
		}
		if s, err = tx.SessionByHash(hash); err != nil {
			return err
		}
		u, err := tx.User(s.User)
		if err != nil {
			return err
		}
		if u.Disabled || !s.Live(now, ss.idle) || !s.From(ss.issuer) {
			return errNoSession
		}
		c, err = tx.UserCaller(u, org)
		return err
	})
	switch {
	case errors.Is(err, hallpass.NotFound), errors.Is(err, hallpass.Unauthenticated):
		return hallpass.Caller{}, errNoSession
	case err != nil:
		return hallpass.Caller{}, unknowable(err)
	}
	if now.Sub(s.SeenAt) >= seenEvery {
		ss.saw(s.ID, now)
	}
	c.Session, c.Expires = s.ID, s.ExpiresAt
	if idle := now.Add(ss.idle); idle.Before(c.Expires) {
		c.Expires = idle
	}
	c.From = from
	return c, nil
}

func (ss *sessions) saw(id hallpass.SessionID, at time.Time) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.seen[id] = at
}

// flush writes when sessions were last seen.
func (ss *sessions) flush(ctx context.Context) error {
	ss.mu.Lock()
	seen := maps.Clone(ss.seen)
	ss.mu.Unlock()
	if len(seen) == 0 {
		return nil
	}
	err := ss.db.Write(ctx, func(tx *store.Tx) error {
		for id, at := range seen {
			if err := tx.SawSession(id, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for id, at := range seen {
		if ss.seen[id].Equal(at) {
			delete(ss.seen, id)
		}
	}
	return nil
}
