package hallpass

import "time"

// A Node is one process that verifies from a database, as the database knows
// it. Several may share one.
type Node struct {
	ID        string // random, of this run of the process
	Name      string // host and port, for people
	Version   string // of the program
	StartedAt time.Time
	Beats     int64         // heartbeats counted so far
	BeatAt    time.Time     // of the last heartbeat, by the database's clock
	Applied   Version       // the last change that the node has applied
	Bound     time.Duration // how old its view may be before it stops answering
	// Acknowledged is how long the last change made through this node took to be
	// applied by every other; zero: none was made yet.
	Acknowledged time.Duration
}
