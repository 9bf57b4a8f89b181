package hallpass

import (
	"slices"
	"time"
)

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

// FailingWork is what people are told when background work of a server fails.
const FailingWork = "Background work of this server fails."

// FailingJobs returns the jobs of the list whose last run failed, for a caller who may see
// the nodes; for others none.
func FailingJobs(list []Job, c Caller) []Job {
	if !c.CanOnServer(ServerStatsRead, "") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(list), func(j Job) bool { return j.Error == "" })
}
