package hallpass

import "time"

// A Job is work that a server does again and again without being asked, as one
// process knows it.
type Job struct {
	Name     string
	Does     string        // in words, for people
	RanAt    time.Time     // when the last run began; zero: none did
	Elapsed  time.Duration // that the last run of this process took
	Error    string        // why the last run failed; empty: it succeeded
	Runs     uint64        // of this process
	Failures uint64        // of these runs
	// Node is the ID of the node that ran it last, of a job that one node does for
	// all; empty: this one.
	Node string
}
