package hallpass

import "time"

// A Node is one process that verifies from a database, as the database lists it.
// Several may share one database.
type Node struct {
	ID           string // random, of this run of the process
	Name         string // the machine and the port, for people
	Address      string // where it listens
	Version      string // of the program
	StartedAt    time.Time
	Heartbeats   int64         // heartbeats counted so far
	HeartbeatAt  time.Time     // of the last heartbeat, by the database's clock
	Applied      Version       // the last change that the node has applied
	MaxStaleness time.Duration // the duration of its lease: how old its memory may be before it stops answering
	// Acknowledged is the duration from the commit of the last change made through
	// this node until every other had applied it; zero: none was made yet.
	Acknowledged time.Duration
}
