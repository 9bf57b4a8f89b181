package node

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// peers is what this node sees of those that share the database, itself among them.
// All times are the boot clock's of this machine.
type peers struct {
	count  atomic.Int64             // of nodes
	mu     sync.Mutex               // guards what follows
	nodes  []hallpass.Node          // the list, as the last heartbeat read it
	seen   map[string]sighting      // by ID
	gone   map[string]time.Duration // when a removed node was last heard of, by name
	looked time.Duration            // when the list was last read
	steady time.Duration            // since when no heartbeat of ours failed; 0: the last one did
}

// sighting is when a node's count of heartbeats was first seen.
type sighting struct {
	name         string
	count        int64
	at           time.Duration
	pace         time.Duration // between its heartbeats, lately
	maxStaleness time.Duration // its own
}

// silentAfter is for how long nothing is heard of the node before it counts as
// silent: a second, and longer where its heartbeats are slow.
func (s sighting) silentAfter() time.Duration {
	return max(time.Second, min(3*s.pace, s.maxStaleness/2))
}

// Bounds on how long, and how many, nodes that fell silent are remembered.
const (
	goneFor = time.Hour
	maxGone = 32
)

// heard notes at now whether the database answered a heartbeat of ours. While it
// does not, the silence of others says nothing about them.
func (p *peers) heard(now time.Duration, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !answered:
		p.steady = 0
	case p.steady == 0:
		p.steady = now
	}
}

// reset forgets when others were heard of.
func (p *peers) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = nil
}

// list takes over the list that a heartbeat read.
func (p *peers) list(nodes []hallpass.Node) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nodes = nodes
	p.count.Store(int64(len(nodes)))
}

// look notes at now which nodes made a heartbeat since the last look, and returns
// those whose lease is over. A silent node that is off the list, whoever removed it,
// is remembered as gone until one of its name is back.
func (p *peers) look(nodes []hallpass.Node, now time.Duration) (dead []hallpass.Node) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, last := p.seen, p.looked
	p.looked = now
	p.seen = make(map[string]sighting, len(nodes))
	for _, n := range nodes {
		s, ok := before[n.ID]
		if !ok || s.count != n.Heartbeats {
			pace := n.MaxStaleness // of a new node it is not known
			if ok {
				pace = max(now-s.at, s.pace*3/4)
			}
			s = sighting{n.Name, n.Heartbeats, now, pace, n.MaxStaleness}
			delete(p.gone, n.Name)
		}
		p.seen[n.ID] = s
		if p.silence(s) > n.MaxStaleness+n.MaxStaleness/50 {
			dead = append(dead, n)
		}
	}
	maps.DeleteFunc(p.gone, func(_ string, at time.Duration) bool { return now-at > goneFor })
	for id, s := range before {
		if _, still := p.seen[id]; !still && last-s.at > s.silentAfter() {
			p.leave(s)
		}
	}
	return dead
}

// leave remembers a silent node that is off the list. The caller holds mu.
func (p *peers) leave(s sighting) {
	if len(p.gone) >= maxGone || p.lists(s.name) {
		return
	}
	if p.gone == nil {
		p.gone = make(map[string]time.Duration)
	}
	p.gone[s.name] = s.at
}

// lists reports whether a node of that name is on the list. The caller holds mu.
func (p *peers) lists(name string) bool {
	for _, s := range p.seen {
		if s.name == name {
			return true
		}
	}
	return false
}

// silence is for how long nothing was heard of a node, as far as this node could
// hear. The caller holds mu.
func (p *peers) silence(s sighting) time.Duration {
	return max(p.looked-max(s.at, p.steady), 0)
}

// Nodes returns how many nodes share the database, by the last heartbeat: at least this
// one. It takes no lock and allocates nothing.
func (n *Node) Nodes() int { return max(int(n.peers.count.Load()), 1) }

// A Departure is a node that was removed from the list because it was silent.
type Departure struct {
	Name   string
	Silent time.Duration // since it was last heard of
}

// Gone returns the nodes that fell silent and were removed from the list within the
// last hour, and are not back.
func (n *Node) Gone() []Departure {
	p := &n.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Departure
	for name, at := range p.gone {
		list = append(list, Departure{name, p.looked - at})
	}
	slices.SortFunc(list, func(a, b Departure) int { return strings.Compare(a.Name, b.Name) })
	return list
}
