package node

import (
	"crypto/ed25519"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Options sets up a Node.
type Options struct {
	Name    string           // names this process for people
	Address string           // where it listens
	Version string           // of the program
	Now     func() time.Time // nil: the clock of a shared database, else time.Now
	// MaxStaleness is how long a lease lasts: how old the memory of this node may be
	// before it stops answering; 0: 10 s. It means nothing unless the database is
	// shared.
	MaxStaleness time.Duration
	Boot         func() time.Duration // the clock of leases; nil: the machine's, which runs on while that is suspended
	Log          *slog.Logger         // nil: nothing is logged
	SigningKey   ed25519.PublicKey    // by which others check what this process signs; nil: it signs nothing
}

// A Node is this process, as one of those that share a database. Heartbeats are
// made by one goroutine; all else is safe for concurrent use.
type Node struct {
	db      *store.DB
	journal *Journal
	self    hallpass.Node
	boot    func() time.Duration
	clock   clock
	conn    *store.NodeConn // nil: the database is not shared
	lease   lease
	peers   peers
	report  reporter
	keys    keys

	applied  atomic.Int64 // hallpass.Version: no read from before it counts
	diverged atomic.Bool  // the database has not gone through what this node applied
	elapsed  atomic.Int64 // nanoseconds of the last heartbeat

	known      store.State       // what was applied; belongs to the goroutine of the heartbeats
	unwritten  []store.ChangeRow // what was applied and the journal did not take; belongs to the goroutine of the heartbeats
	registered bool              // belongs to the goroutine of the heartbeats
	joined     bool              // the others know this node, and wait for it
}

// New returns a Node on db that keeps the journal, which stays the caller's to
// close. The node has no lease until it joins.
func New(db *store.DB, j *Journal, o Options) *Node {
	if o.Now == nil && !db.Shared() {
		o.Now = time.Now
	}
	if o.MaxStaleness == 0 {
		o.MaxStaleness = 10 * time.Second
	}
	if o.Boot == nil {
		o.Boot = store.BootClock
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	n := &Node{
		db:      db,
		journal: j,
		boot:    o.Boot,
		clock:   clock{wall: o.Now, boot: o.Boot},
		lease:   lease{duration: o.MaxStaleness},
		keys:    keys{own: o.SigningKey},
		report:  reporter{log: o.Log, maxStaleness: o.MaxStaleness},
		self: hallpass.Node{
			ID: secret.NewUID(), Name: o.Name, Address: o.Address, Version: o.Version,
			StartedAt: time.Now().UTC().Truncate(time.Microsecond), MaxStaleness: o.MaxStaleness,
		},
	}
	if db.Shared() {
		n.conn = db.ConnectNode(n.self, o.SigningKey)
	}
	return n
}

// ID returns what names this run of the process among the nodes.
func (n *Node) ID() string { return n.self.ID }

// Shared reports whether other nodes may share the database.
func (n *Node) Shared() bool { return n.conn != nil }
