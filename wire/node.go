package wire

import "time"

// Node is one of GET /api/admin/nodes: a process that verifies from the
// database. Times in milliseconds are as the answering node sees them.
type Node struct {
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Version string    `json:"version"`
	Self    bool      `json:"self"` // the node that answers
	Started time.Time `json:"started"`
	Beat    time.Time `json:"beat"`    // its last heartbeat
	Applied int64     `json:"applied"` // the last change of authority that it has applied
	Behind  int64     `json:"behind"`  // changes that it has not
	LagMS   int64     `json:"lagMs"`   // since its last heartbeat
	LeaseMS int64     `json:"leaseMs"` // for how long it may still answer from memory; 0 on a database that is not shared
	AckMS   float64   `json:"ackMs"`   // that the last change made through it took until every node had applied it
	State   string    `json:"state"`   // "live", "silent", "dead" or "diverged"
}
