package node

import (
	"context"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Status says how current this node's memory is.
type Status struct {
	Shared       bool // several nodes may share the database; else only Leased counts of what follows
	Leased       bool
	Age          time.Duration // since the last heartbeat that succeeded began
	LeaseLeft    time.Duration
	MaxStaleness time.Duration
	Applied      hallpass.Version
	Diverged     bool          // the database has not gone through what this node applied
	Failing      bool          // the database did not answer the last heartbeat
	Heartbeat    time.Duration // of the last heartbeat that succeeded
}

// Status returns how current this node's memory is.
func (n *Node) Status() Status {
	if n.conn == nil {
		return Status{Leased: true}
	}
	boot := n.boot()
	left := n.lease.left(boot)
	return Status{
		Shared: true, Leased: left > 0, Age: n.lease.age(boot), LeaseLeft: max(left, 0), MaxStaleness: n.lease.duration,
		Applied: n.Applied(), Diverged: n.diverged.Load(), Failing: n.report.failing.Load(), Heartbeat: time.Duration(n.elapsed.Load()),
	}
}

// A Peer is a node of the list, as this one sees it. This one is on the list too.
type Peer struct {
	hallpass.Node
	Self      bool
	Silent    time.Duration    // since its last heartbeat
	LeaseLeft time.Duration    // for how long it may still answer from memory
	Behind    hallpass.Version // changes that it has not applied
	State     State
}

// State says how far a node can be relied on.
type State string

// The states of a node.
const (
	Live     State = "live"
	Silent   State = "silent"   // not heard of for a while; its lease runs out
	Dead     State = "dead"     // its lease is over; its row is about to be removed
	Diverged State = "diverged" // the database has not gone through what it applied
)

// Peers returns every node as the last heartbeat found it, this one first; this one
// alone where the database is not shared.
func (n *Node) Peers(ctx context.Context) ([]Peer, error) {
	if n.conn == nil {
		self := n.self
		err := n.db.Read(ctx, func(tx *store.Tx) error {
			s, err := tx.State()
			self.Applied, self.HeartbeatAt = s.Version, n.Now()
			return err
		})
		return []Peer{{Node: self, Self: true, State: Live}}, err
	}
	return n.list(), nil
}

// list is Peers of a shared database.
func (n *Node) list() []Peer {
	status := n.Status()
	n.peers.mu.Lock()
	defer n.peers.mu.Unlock()
	furthest := status.Applied
	for _, m := range n.peers.nodes {
		furthest = max(furthest, m.Applied)
	}
	var list []Peer
	for _, m := range n.peers.nodes {
		if m.ID == n.self.ID {
			list = slices.Insert(list, 0, ownPeer(m, furthest, status))
		} else {
			list = append(list, n.peers.peer(m, furthest))
		}
	}
	return list
}

// ownPeer returns this node, whose row is m, as a peer.
func ownPeer(m hallpass.Node, furthest hallpass.Version, s Status) Peer {
	m.Applied = s.Applied
	p := Peer{Node: m, Self: true, Silent: s.Age, LeaseLeft: max(m.MaxStaleness-s.Age, 0), Behind: furthest - m.Applied, State: Live}
	switch {
	case s.Diverged:
		p.State, p.LeaseLeft = Diverged, 0
	case p.LeaseLeft == 0:
		p.State = Dead
	case p.Silent > max(time.Second, s.MaxStaleness/2):
		p.State = Silent
	}
	return p
}

// peer returns another node, whose row is m. The caller holds mu.
func (p *peers) peer(m hallpass.Node, furthest hallpass.Version) Peer {
	s, ok := p.seen[m.ID]
	out := Peer{Node: m, Behind: furthest - m.Applied, State: Live}
	if ok {
		out.Silent = p.silence(s)
	}
	out.LeaseLeft = max(m.MaxStaleness-out.Silent, 0)
	switch {
	case out.LeaseLeft == 0:
		out.State = Dead
	case out.Silent > s.silentAfter():
		out.State = Silent
	}
	return out
}
