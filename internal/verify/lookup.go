package verify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A lookUps finds tokens that are not in memory.
type lookUps struct {
	looks[[32]byte, found]
	db      *store.DB
	node    *node.Node
	cache   *cache
	limiter *limiter
	rate    hallpass.RateLimit // of tokens that have none of their own
	rates   rates
}

// found is what the database says about a token.
type found struct {
	token    hallpass.Token
	disabled bool            // its account is
	caller   hallpass.Caller // without token, its limits and address
	ceiling  *hallpass.Ceiling
	entry    *entry // nil unless the token is good, or paused and good otherwise
}

func newLookUps(db *store.DB, n *node.Node, c *cache, usual hallpass.RateLimit) *lookUps {
	return &lookUps{db: db, node: n, cache: c, limiter: newLimiter(), rate: usual}
}

// find looks the token up.
func (ls *lookUps) find(ctx context.Context, hash [32]byte) (found, error) {
	for again := false; ; again = true {
		l, mine := ls.join(hash, ls.cache.coherence.Begin())
		if mine {
			ctx := context.WithoutCancel(ctx) // others may wait for it, whatever becomes of this caller
			return ls.run(hash, l, func() (found, error) { return ls.look(ctx, hash, l.begun) })
		}
		f, err := l.wait(ctx)
		// That there is no such token may have been true only before it was
		// made, and it was made before this caller came. The look-up after that
		// began later.
		if again || !errors.Is(err, hallpass.NotFound) {
			return f, err
		}
	}
}

// look reads what there is to know of the token, and keeps it if the token is
// good and nothing was announced since begun. A token that is paused is kept too:
// when the pause is over by itself, the database need not be asked.
func (ls *lookUps) look(ctx context.Context, hash [32]byte, begun store.Epoch) (f found, err error) {
	if err := ls.readToken(ctx, hash, &f); err != nil {
		return f, err
	}
	var known bool
	if f.caller, known = ls.cache.caller(begun, f.token.ServiceAccount); known && f.token.Limits.MaxRole == nil {
		f.ceiling = hallpass.NewCeiling(f.token.Limits, nil)
	} else {
		if err := ls.db.Read(ctx, func(tx *store.Tx) error { return ls.readAccount(tx, &f) }); err != nil {
			return f, err
		}
	}
	if f.disabled || !f.token.Live(ls.node.Now()) {
		return f, nil
	}
	f.entry = ls.cache.put(begun, newEntry(f.token, ls.newLimits(f.token, f.ceiling)), f.caller)
	return f, nil
}

// readToken reads the token, at the pace of the limiter.
func (ls *lookUps) readToken(ctx context.Context, hash [32]byte, f *found) error {
	leave, err := ls.limiter.enter()
	if err != nil && !ls.db.Answers() {
		return errStale // those before wait for the database, and are no flood
	}
	if err != nil {
		return err
	}
	applied := ls.node.Applied()
	var version hallpass.Version
	f.token, version, err = ls.db.LookUp(ctx, hash)
	leave(errors.Is(err, hallpass.NotFound))
	if (err == nil || errors.Is(err, hallpass.NotFound)) && version < applied {
		return errStale // the database shows less than this node has applied: neither answer counts
	}
	return err
}

// readAccount reads the token, its account and its ceiling in one transaction.
func (ls *lookUps) readAccount(tx *store.Tx, f *found) (err error) {
	if err := recent(ls.node, tx); err != nil {
		return err
	}
	if f.token, err = tx.TokenByHash(f.token.Hash); err != nil {
		return err
	}
	a, err := tx.ServiceAccount(f.token.Org, f.token.ServiceAccount)
	if err != nil {
		return err
	}
	f.disabled = a.Disabled
	if f.caller, err = tx.ServiceAccountCaller(a); err != nil {
		return err
	}
	f.ceiling, err = tx.Ceiling(a.Org, f.token.Limits)
	return err
}

// recent returns errStale if the database shows tx less than the node has applied:
// then it is not the one in which changes are made.
func recent(n *node.Node, tx *store.Tx) error {
	applied := n.Applied()
	if applied == 0 {
		return nil
	}
	s, err := tx.State()
	if err != nil {
		return err
	}
	if s.Version < applied {
		return errStale
	}
	return nil
}

// Bounds on looking up tokens that are not in memory. Most tokens of a flood
// do not exist: they are looked up at a pace that leaves the processor and the
// database to others, also to good tokens that are not yet in memory.
const (
	maxLookUps   = 4                      // at once; the pool for reading has more connections
	unknownEvery = 250 * time.Microsecond // for each token that does not exist
	unknownBurst = 100                    // of those without a pause
	lookUpWait   = time.Second            // for a turn
)

var errTooManyUnknown = &hallpass.Error{
	Kind: hallpass.Unavailable, ID: "auth.busy", Message: "Too many unknown credentials are being tried, try again shortly", RetryAfter: time.Second,
}

// limiter lets a few look up at once, in the order of asking.
type limiter struct {
	slots chan struct{}

	mu   sync.Mutex
	paid time.Time // until when what was unknown has been waited for; guarded by mu
}

func newLimiter() *limiter { return &limiter{slots: make(chan struct{}, maxLookUps)} }

// enter waits for a turn, and returns what ends it, to be told whether the token
// was unknown.
func (l *limiter) enter() (leave func(unknown bool), err error) {
	select {
	case l.slots <- struct{}{}:
	default:
		timer := time.NewTimer(lookUpWait)
		defer timer.Stop()
		select {
		case l.slots <- struct{}{}:
		case <-timer.C:
			return nil, errTooManyUnknown
		}
	}
	l.mu.Lock()
	owed := time.Until(l.paid)
	l.mu.Unlock()
	if owed > 0 {
		time.Sleep(owed) // with the turn in hand: it is everybody's pace
	}
	return l.leave, nil
}

func (l *limiter) leave(unknown bool) {
	if unknown {
		l.mu.Lock()
		if earliest := time.Now().Add(-unknownBurst * unknownEvery); l.paid.Before(earliest) {
			l.paid = earliest
		}
		l.paid = l.paid.Add(unknownEvery)
		l.mu.Unlock()
	}
	<-l.slots
}
