package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// view is how far a node of a shared database may rely on what it remembers. The
// boot clock is time since the machine started, suspended or not.
type view struct {
	bound time.Duration // how old the view may be
	boot  func() time.Duration

	until   atomic.Int64 // boot clock, nanoseconds: from then on nothing is answered; 0: no lease
	begun   atomic.Int64 // boot clock, nanoseconds: when the last heartbeat that succeeded began
	applied atomic.Int64 // hallpass.Version
	offset  atomic.Int64 // the database's clock less the boot clock, nanoseconds
	apart   atomic.Bool  // the database's history is not the one applied

	mu         sync.Mutex
	known      store.State     // applied; guarded by mu
	nodes      []hallpass.Node // as the last heartbeat found them; guarded by mu
	registered bool            // guarded by mu
	seen       map[string]sighting
}

// sighting is when a node's count of beats was first seen, on our boot clock.
type sighting struct {
	beats int64
	at    time.Duration
}

// errStale refuses what cannot be checked now. It is neither good nor bad.
var errStale = &hallpass.Error{
	Kind: hallpass.Unavailable, ID: "auth.view-too-old", Message: "This server cannot check credentials at the moment, try again shortly", RetryAfter: time.Second,
}

// current reports whether what is in memory may be answered from, and the time.
// A database that is not shared has no view to grow old.
func (v *Verifier) current() (time.Time, bool) {
	if v.view == nil {
		return v.now(), true
	}
	boot := v.view.boot()
	ok := int64(boot) < v.view.until.Load()
	return v.at(boot), ok
}

// Beat makes one heartbeat on a shared database: it applies what other nodes
// have changed, and only then lengthens this node's lease. It returns the
// changes applied; after some it is to be called again at once, for that is how
// others learn of it. store.ErrDiverged means that the database's past is
// another: nothing is answered any more until Settled is called. Calls must not
// overlap.
func (v *Verifier) Beat(ctx context.Context, h *store.Heart) ([]store.ChangeRow, error) {
	w := v.view
	begun := w.boot()
	w.mu.Lock()
	known, registered := w.known, w.registered
	w.mu.Unlock()
	if w.apart.Load() {
		return nil, store.ErrDiverged
	}
	if !registered {
		return nil, v.register(ctx, h, known)
	}
	p, err := h.Beat(ctx, known)
	switch {
	case errors.Is(err, store.ErrBuried):
		w.until.Store(0)
		w.mu.Lock()
		w.registered = false
		w.mu.Unlock()
		return nil, v.register(ctx, h, known)
	case errors.Is(err, store.ErrDiverged):
		v.part()
		return nil, err
	case err != nil:
		return nil, err
	}
	digest := known.Digest
	for _, row := range p.Changes {
		if digest = hallpass.ChainDigest(digest, row.Version, row.Change); digest != row.Digest {
			v.part()
			return nil, store.ErrDiverged
		}
	}
	if digest != p.State.Digest {
		v.part()
		return nil, store.ErrDiverged
	}
	w.applied.Store(int64(p.State.Version)) // first: from here on nothing older is read
	v.apply(p.Changes)
	w.took(p, begun)
	w.until.Store(int64(begun + w.bound))
	return p.Changes, v.bury(ctx, h, p.Nodes)
}

// register makes this node known, with nothing remembered but known and no lease:
// the next heartbeat gives that.
func (v *Verifier) register(ctx context.Context, h *store.Heart, known store.State) error {
	begun := v.view.boot()
	v.Forget()
	p, err := h.Register(ctx, known)
	if errors.Is(err, store.ErrDiverged) {
		v.part()
	}
	if err != nil {
		return err
	}
	v.view.applied.Store(int64(p.State.Version))
	// What was remembered while registering was read before its state.
	v.Forget()
	v.view.took(p, begun)
	v.view.mu.Lock()
	defer v.view.mu.Unlock()
	v.view.registered, v.view.seen = true, nil
	return nil
}

// apply forgets what the changes touch, as if they were made here.
func (v *Verifier) apply(rows []store.ChangeRow) {
	if len(rows) == 0 {
		return
	}
	changes := make([]hallpass.Change, len(rows))
	for i, r := range rows {
		changes[i] = r.Change
	}
	v.db.Announce(changes)
}

// part ends the lease: the past that this node applied is not the database's.
func (v *Verifier) part() {
	v.view.until.Store(0)
	v.view.apart.Store(true)
}

// Settled says that the database's history was looked at up to known, and refuses
// again what this node knew to have ended. The next heartbeat registers the node
// anew, with a database that has gone through known; it may be another than the
// one that was looked at.
func (v *Verifier) Settled(known store.State) {
	v.view.mu.Lock()
	v.view.known, v.view.registered = known, false
	v.view.mu.Unlock()
	v.Forget()
	v.view.apart.Store(false)
}

// took notes what a heartbeat brought.
func (w *view) took(p store.Pulse, begun time.Duration) {
	now := w.boot()
	w.offset.Store(p.Now.UnixNano() - int64(begun+(now-begun)/2))
	w.begun.Store(int64(begun))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = p.State
	if p.Nodes != nil {
		w.nodes = p.Nodes
	}
}

// bury takes the rows of nodes away that have not beaten for longer than they
// may answer from memory, so that changes need not wait for them.
func (v *Verifier) bury(ctx context.Context, h *store.Heart, nodes []hallpass.Node) error {
	w := v.view
	now := w.boot()
	seen := make(map[string]sighting, len(nodes))
	var dead []hallpass.Node
	for _, n := range nodes {
		s, ok := w.seen[n.ID]
		if !ok || s.beats != n.Beats {
			s = sighting{n.Beats, now}
		}
		seen[n.ID] = s
		if now-s.at > n.Bound+n.Bound/50 {
			dead = append(dead, n)
		}
	}
	w.seen = seen // Beat alone reads it
	var errs []error
	for _, n := range dead {
		if err := h.Bury(ctx, n.ID, n.Beats); err != nil {
			errs = append(errs, fmt.Errorf("node %s: %w", n.Name, err))
		}
	}
	return errors.Join(errs...)
}

// A NodeStatus is a node as this one sees it.
type NodeStatus struct {
	hallpass.Node
	Self   bool
	Silent time.Duration    // since its last heartbeat
	Lease  time.Duration    // for how long it may still answer from memory
	Behind hallpass.Version // changes that it has not applied
	State  NodeState
}

// NodeState says what can be relied on of a node.
type NodeState string

// The states of a node.
const (
	NodeLive     NodeState = "live"
	NodeSilent   NodeState = "silent"   // not heard of for a while; its lease runs out
	NodeDead     NodeState = "dead"     // its lease is over; its row is about to go
	NodeDiverged NodeState = "diverged" // the database's history is not the one it applied
)

// silentAfter is how long a node may be quiet before that is told.
const silentAfter = time.Second

// Nodes returns every node as the last heartbeat found it, this one first of
// all; this one alone where the database is not shared.
func (v *Verifier) Nodes(ctx context.Context) ([]NodeStatus, error) {
	if v.view == nil {
		self := v.self
		err := v.db.Read(ctx, func(tx *store.Tx) error {
			s, err := tx.State(ctx)
			self.Applied, self.BeatAt = s.Version, v.now()
			return err
		})
		return []NodeStatus{{Node: self, Self: true, State: NodeLive}}, err
	}
	view := v.View()
	now := time.Unix(0, v.view.offset.Load()+int64(v.view.boot())) // as the nodes' beats were noted, even when that jumped
	furthest := view.Applied
	for _, n := range view.Nodes {
		furthest = max(furthest, n.Applied)
	}
	var list []NodeStatus
	for _, n := range view.Nodes {
		s := NodeStatus{Node: n, Self: n.ID == v.self.ID, Silent: max(now.Sub(n.BeatAt), 0), State: NodeLive}
		if s.Self {
			s.Applied, s.Silent = view.Applied, view.Age
		}
		s.Behind, s.Lease = furthest-s.Applied, max(n.Bound-s.Silent, 0)
		switch {
		case s.Self && view.Diverged:
			s.State, s.Lease = NodeDiverged, 0
		case s.Lease == 0:
			s.State = NodeDead
		case s.Silent > silentAfter:
			s.State = NodeSilent
		}
		if s.Self {
			list = slices.Insert(list, 0, s)
		} else {
			list = append(list, s)
		}
	}
	return list, nil
}

// A View says how current this node's memory is.
type View struct {
	Shared       bool // several nodes may share the database; nothing below counts otherwise
	Leased       bool
	Age          time.Duration // since the last heartbeat that succeeded began
	LeaseLeft    time.Duration
	MaxStaleness time.Duration
	Applied      hallpass.Version
	Diverged     bool
	Nodes        []hallpass.Node // as the last heartbeat found them
}

// View returns how current this node's memory is.
func (v *Verifier) View() View {
	w := v.view
	if w == nil {
		return View{Leased: true}
	}
	boot := w.boot()
	left := time.Duration(w.until.Load()) - boot
	s := View{
		Shared: true, Leased: left > 0, LeaseLeft: max(left, 0), MaxStaleness: w.bound, Applied: hallpass.Version(w.applied.Load()), Diverged: w.apart.Load(),
	}
	if begun := w.begun.Load(); begun > 0 {
		s.Age = boot - time.Duration(begun)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Nodes = w.nodes
	return s
}

// recent returns errStale if the database shows tx less than this node has
// applied: then it is not the one that changes are made in.
func (v *Verifier) recent(ctx context.Context, tx *store.Tx) error {
	if v.view == nil {
		return nil
	}
	applied := v.view.applied.Load()
	s, err := tx.State(ctx)
	if err != nil {
		return err
	}
	if int64(s.Version) < applied {
		return errStale
	}
	return nil
}

// applied returns the version that the database must show at least.
func (v *Verifier) applied() hallpass.Version {
	if v.view == nil {
		return 0
	}
	return hallpass.Version(v.view.applied.Load())
}
