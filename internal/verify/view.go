package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	known      store.State          // applied; guarded by mu
	nodes      []hallpass.Node      // as the last heartbeat found them; guarded by mu
	registered bool                 // guarded by mu
	seen       map[string]sighting  // by ID; guarded by mu
	gone       map[string]departure // by name; guarded by mu
	looked     time.Duration        // boot clock: when the last heartbeat had ended; guarded by mu
	steady     time.Duration        // boot clock: since when no heartbeat of ours failed, 0: the last one did; guarded by mu
	took       time.Duration        // that the last heartbeat took; guarded by mu
}

// sighting is when a node's count of beats was first seen, on our boot clock.
type sighting struct {
	name  string
	beats int64
	at    time.Duration
	pace  time.Duration // between its beats, lately
	bound time.Duration // its own
}

// silentAfter is how long the node may be quiet before that is told: a second,
// and longer where its heartbeats have a long way.
func (s sighting) silentAfter() time.Duration {
	return max(time.Second, min(3*s.pace, s.bound/2))
}

// departure is of a node that was taken off the list because it was silent.
type departure struct {
	since time.Duration // boot clock: when it was last heard of
}

// Bounds on how long, and how many, nodes that fell silent are remembered.
const (
	goneFor = time.Hour
	maxGone = 32
)

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
func (v *Verifier) Beat(ctx context.Context, h *store.NodeConn) ([]store.ChangeRow, error) {
	w := v.view
	begun := w.boot()
	w.mu.Lock()
	known, registered := w.known, w.registered
	w.mu.Unlock()
	if w.apart.Load() {
		return nil, store.ErrDiverged
	}
	if !registered {
		err := v.register(ctx, h, known)
		w.pace(begun, err)
		return nil, err
	}
	p, err := h.Heartbeat(ctx, known)
	w.pace(begun, err)
	switch {
	case errors.Is(err, store.ErrRemoved):
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
	w.learn(p, begun)
	w.until.Store(int64(begun + w.bound))
	return p.Changes, v.bury(ctx, h, p.Nodes)
}

// pace notes how a heartbeat of ours went. What we do not hear while our own way
// to the database is broken says nothing about others.
func (w *view) pace(begun time.Duration, err error) {
	now := w.boot()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, hallpass.Unavailable):
		w.steady = 0
	case w.steady == 0:
		w.steady = now
	}
	if err == nil {
		w.took = now - begun
	}
}

// register makes this node known, with nothing remembered but known and no lease:
// the next heartbeat gives that.
func (v *Verifier) register(ctx context.Context, h *store.NodeConn, known store.State) error {
	begun := v.view.boot()
	v.db.AnnounceAll()
	p, err := h.Register(ctx, known)
	if errors.Is(err, store.ErrDiverged) {
		v.part()
	}
	if err != nil {
		return err
	}
	v.view.applied.Store(int64(p.State.Version))
	// What was remembered while registering was read before its state.
	v.db.AnnounceAll()
	v.view.learn(p, begun)
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
	v.db.AnnounceAll()
	v.view.apart.Store(false)
}

// learn notes what a heartbeat brought.
func (w *view) learn(p store.Heartbeat, begun time.Duration) {
	w.offset.Store(offset(w.offset.Load(), p.Now, begun, w.boot()))
	w.begun.Store(int64(begun))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = p.State
	if p.Nodes != nil {
		w.nodes = p.Nodes
	}
}

// offset returns what to add to the boot clock for the database's, which said said
// at some moment from begun to ended. What was known before holds as far as that
// allows: a heartbeat that took long, for this process was frozen in the middle of
// it, says little about the time, and is no jump of the clock.
func offset(known int64, said time.Time, begun, ended time.Duration) int64 {
	least, most := said.UnixNano()-int64(ended), said.UnixNano()-int64(begun)
	if known == 0 {
		return least + (most-least)/2
	}
	return min(max(known, least), most)
}

// bury takes the rows of nodes away that have not beaten for longer than they
// may answer from memory, so that changes need not wait for them.
func (v *Verifier) bury(ctx context.Context, h *store.NodeConn, nodes []hallpass.Node) error {
	var errs []error
	for _, n := range v.view.look(nodes) {
		if err := h.Remove(ctx, n.ID, n.Heartbeats); err != nil {
			errs = append(errs, fmt.Errorf("node %s: %w", n.Name, err))
		}
	}
	return errors.Join(errs...)
}

// look notes which nodes have beaten since the last look, and returns those that
// may not answer any more. A node that was silent and is off the list, whoever
// took it off, is remembered as gone until one of its name is back.
func (w *view) look(nodes []hallpass.Node) (dead []hallpass.Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, last := w.seen, w.looked
	w.looked = w.boot()
	w.seen = make(map[string]sighting, len(nodes))
	for _, n := range nodes {
		s, ok := before[n.ID]
		if !ok || s.beats != n.Heartbeats {
			pace := n.MaxStaleness // of a node that is new: nobody knows
			if ok {
				pace = max(w.looked-s.at, s.pace*3/4)
			}
			s = sighting{n.Name, n.Heartbeats, w.looked, pace, n.MaxStaleness}
			delete(w.gone, n.Name)
		}
		w.seen[n.ID] = s
		if w.silence(s) > n.MaxStaleness+n.MaxStaleness/50 {
			dead = append(dead, n)
		}
	}
	for name, d := range w.gone {
		if w.looked-d.since > goneFor {
			delete(w.gone, name)
		}
	}
	for id, s := range before {
		if _, still := w.seen[id]; !still && last-s.at > s.silentAfter() && len(w.gone) < maxGone && !w.alive(s.name) {
			if w.gone == nil {
				w.gone = make(map[string]departure)
			}
			w.gone[s.name] = departure{s.at}
		}
	}
	return dead
}

// alive reports whether a node of that name is on the list. The caller holds mu.
func (w *view) alive(name string) bool {
	for _, s := range w.seen {
		if s.name == name {
			return true
		}
	}
	return false
}

// silence is how long a node was not heard of, as far as we could hear. The
// caller holds mu.
func (w *view) silence(s sighting) time.Duration {
	return max(w.looked-max(s.at, w.steady), 0)
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

// Nodes returns every node as the last heartbeat found it, this one first of
// all; this one alone where the database is not shared.
func (v *Verifier) Nodes(ctx context.Context) ([]NodeStatus, error) {
	if v.view == nil {
		self := v.self
		err := v.db.Read(ctx, func(tx *store.Tx) error {
			s, err := tx.State()
			self.Applied, self.HeartbeatAt = s.Version, v.now()
			return err
		})
		return []NodeStatus{{Node: self, Self: true, State: NodeLive}}, err
	}
	view := v.View()
	furthest := view.Applied
	for _, n := range view.Nodes {
		furthest = max(furthest, n.Applied)
	}
	var list []NodeStatus
	v.view.mu.Lock()
	defer v.view.mu.Unlock()
	for _, n := range view.Nodes {
		s := NodeStatus{Node: n, Self: n.ID == v.self.ID, State: NodeLive}
		seen, ok := v.view.seen[n.ID]
		if ok {
			s.Silent = v.view.silence(seen)
		}
		if s.Self {
			s.Applied, s.Silent = view.Applied, view.Age
		}
		s.Behind, s.Lease = furthest-s.Applied, max(n.MaxStaleness-s.Silent, 0)
		switch {
		case s.Self && view.Diverged:
			s.State, s.Lease = NodeDiverged, 0
		case s.Lease == 0:
			s.State = NodeDead
		case s.Self && s.Silent > max(time.Second, v.view.bound/2), !s.Self && s.Silent > seen.silentAfter():
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

// A Departure is a node that was taken off the list because it was silent.
type Departure struct {
	Name   string
	Silent time.Duration // since it was last heard of
}

// Gone returns the nodes that fell silent and were taken off the list within the
// last hour, and are not back.
func (v *Verifier) Gone() []Departure {
	w := v.view
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Departure
	for name, d := range w.gone {
		list = append(list, Departure{name, w.looked - d.since})
	}
	slices.SortFunc(list, func(a, b Departure) int { return strings.Compare(a.Name, b.Name) })
	return list
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
	Heartbeat    time.Duration   // that the last one took
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
	s.Nodes, s.Heartbeat = w.nodes, w.took
	return s
}

// recent returns errStale if the database shows tx less than this node has
// applied: then it is not the one that changes are made in.
func (v *Verifier) recent(tx *store.Tx) error {
	if v.view == nil {
		return nil
	}
	applied := v.view.applied.Load()
	s, err := tx.State()
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
