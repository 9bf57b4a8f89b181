package verify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// found is what the database says about a token.
type found struct {
	token    hallpass.Token
	disabled bool            // its account is
	caller   hallpass.Caller // without token and place
	entry    *entry          // nil unless the token is good
}

// find looks the token up. Those who ask for one token at the same time share
// one look at the database.
func (v *Verifier) find(ctx context.Context, hash [32]byte) (found, error) {
	for again := false; ; again = true {
		f, mine := v.flights.join(hash, v.cache.coherence.Begin())
		if mine {
			return v.fly(context.WithoutCancel(ctx), hash, f) // others may wait for it, whatever becomes of this caller
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return found{}, unknowable(ctx.Err())
		}
		// That there is no such token may have been true only before it was
		// made, and it was made before this caller came. The flight after that
		// began later.
		if again || !errors.Is(f.err, hallpass.NotFound) {
			return f.found, f.err
		}
	}
}

func (v *Verifier) fly(ctx context.Context, hash [32]byte, f *flight) (found, error) {
	f.err = errStale // what the others are told should lookUp panic
	defer v.flights.land(hash, f)
	f.found, f.err = v.lookUp(ctx, hash, f.begun)
	return f.found, f.err
}

// lookUp reads what there is to know of the token, and keeps it if the token is
// good and nothing was announced since begun.
func (v *Verifier) lookUp(ctx context.Context, hash [32]byte, begun store.Epoch) (f found, err error) {
	leave, err := v.gate.enter()
	if err != nil && !v.db.Answers() {
		return f, errStale // those before wait for the database, and are no flood
	}
	if err != nil {
		return f, err
	}
	applied := v.node.Applied()
	var version hallpass.Version
	f.token, version, err = v.db.LookUp(ctx, hash)
	leave(errors.Is(err, hallpass.NotFound))
	if (err == nil || errors.Is(err, hallpass.NotFound)) && version < applied {
		return f, errStale // the database shows less than this node has seen: neither answer counts
	}
	if err != nil {
		return f, err
	}
	var known bool
	if f.caller, known = v.cache.caller(begun, f.token.ServiceAccount); !known {
		if err := v.db.Read(ctx, func(tx *store.Tx) error { return v.read(tx, &f) }); err != nil {
			return f, err
		}
	}
	if f.disabled || !f.token.Live(v.node.Now()) {
		return f, nil
	}
	e := &entry{hash: hash, token: f.token.ID}
	if !f.token.ExpiresAt.IsZero() {
		e.expires = f.token.ExpiresAt.UnixMicro()
	}
	if !f.token.LastUse.At.IsZero() {
		e.used.Store(f.token.LastUse.At.UnixMicro())
	}
	f.entry = v.cache.put(begun, e, f.caller)
	return f, nil
}

// read reads the token and its account in one view of the database.
func (v *Verifier) read(tx *store.Tx, f *found) (err error) {
	if err := v.recent(tx); err != nil {
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
	f.caller, err = tx.ServiceAccountCaller(a)
	return err
}

// recent returns errStale if the database shows tx less than this node has applied:
// then it is not the one in which changes are made.
func (v *Verifier) recent(tx *store.Tx) error {
	applied := v.node.Applied()
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

// flights are the looks at the database that are under way.
type flights struct {
	mu sync.Mutex
	of map[[32]byte]*flight // guarded by mu
}

// A flight is one look at the database, and what it found once done is closed.
type flight struct {
	begun store.Epoch
	done  chan struct{}
	found found
	err   error
}

// join returns the flight to wait for, or a new one that is the caller's to
// fly and land. A flight that began before the latest announcement is let go
// by: what it finds may be of before, and whoever asks now must not get that.
func (fs *flights) join(hash [32]byte, begun store.Epoch) (f *flight, mine bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.of[hash]; f != nil && f.begun == begun {
		return f, false
	}
	if fs.of == nil {
		fs.of = make(map[[32]byte]*flight)
	}
	f = &flight{begun: begun, done: make(chan struct{})}
	fs.of[hash] = f
	return f, true
}

func (fs *flights) land(hash [32]byte, f *flight) {
	fs.mu.Lock()
	if fs.of[hash] == f {
		delete(fs.of, hash)
	}
	fs.mu.Unlock()
	close(f.done)
}

// Bounds on looking up tokens that are not in memory. Most tokens of a flood
// do not exist: they are looked up at a pace that leaves the processor and the
// database to others, also to good tokens that are not yet in memory.
const (
	lookUps      = 4                      // at once; the pool for reading has more connections
	unknownEvery = 250 * time.Microsecond // for each token that does not exist
	unknownBurst = 100                    // of those without a pause
	lookUpWait   = time.Second            // for a turn
)

var errTooManyUnknown = &hallpass.Error{
	Kind: hallpass.Unavailable, ID: "auth.busy", Message: "Too many unknown credentials are being tried, try again shortly", RetryAfter: time.Second,
}

// gate lets a few look up at once, in the order of asking.
type gate struct {
	slots chan struct{}

	mu   sync.Mutex
	paid time.Time // until when what was unknown has been waited for; guarded by mu
}

func newGate() *gate { return &gate{slots: make(chan struct{}, lookUps)} }

// enter waits for a turn, and returns what ends it, to be told whether the token
// was unknown.
func (g *gate) enter() (leave func(unknown bool), err error) {
	select {
	case g.slots <- struct{}{}:
	default:
		timer := time.NewTimer(lookUpWait)
		defer timer.Stop()
		select {
		case g.slots <- struct{}{}:
		case <-timer.C:
			return nil, errTooManyUnknown
		}
	}
	g.mu.Lock()
	owed := time.Until(g.paid)
	g.mu.Unlock()
	if owed > 0 {
		time.Sleep(owed) // with the turn in hand: it is everybody's pace
	}
	return g.leave, nil
}

func (g *gate) leave(unknown bool) {
	if unknown {
		g.mu.Lock()
		if earliest := time.Now().Add(-unknownBurst * unknownEvery); g.paid.Before(earliest) {
			g.paid = earliest
		}
		g.paid = g.paid.Add(unknownEvery)
		g.mu.Unlock()
	}
	<-g.slots
}
