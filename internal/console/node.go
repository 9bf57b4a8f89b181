package console

import (
	"fmt"
	"math"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/node"
)

// nodesView is the list of the nodes that share the database, and the background
// work of this one.
type nodesView struct {
	frame
	Summary string
	Shared  bool // several nodes can share the database: they have leases, and acknowledge
	Nodes   []nodeRow
	Jobs    []jobRow
	Well    string // how the jobs do, in a sentence
	Failed  bool   // one of them fails
	Late    string // how late last uses are written at most
}

// jobRow is one job.
type jobRow struct {
	Name, Does string
	Ran        timestamp // zero: not yet
	Node       string    // that ran it; empty: this one
	Failed     bool
	Result     string
	Elapsed    string // empty: not known
}

// nodeRow is one node.
type nodeRow struct {
	Name, Address, Program string
	Self                   bool
	State                  badge
	Started                timestamp
	Silent, Lease, Behind  string
	Acknowledged           string
}

func nodesPage(req *request) error {
	if err := req.o.Admin.MaySeeNodes(req.Context(), req.caller); err != nil {
		return err
	}
	list, err := req.o.Node.Peers(req.Context())
	if err != nil {
		return err
	}
	var view nodesView
	live := 0
	for _, n := range list {
		if n.State == node.Live {
			live++
		}
		row := nodeRow{
			Name: n.Name, Address: n.Address, Program: n.Version, Self: n.Self, State: nodeBadges[n.State],
			Started: req.timestamp(n.StartedAt), Silent: durationText(n.Silent), Behind: "none", Acknowledged: "no change yet",
		}
		if n.LeaseLeft > 0 {
			row.Lease = durationText(n.LeaseLeft)
		}
		if n.Behind > 0 {
			row.Behind = hallpass.Counted(int(n.Behind), "change")
		}
		if n.Acknowledged > 0 {
			row.Acknowledged = durationText(n.Acknowledged)
		}
		view.Nodes = append(view.Nodes, row)
	}
	view.Shared = req.o.Node.Shared()
	view.Summary = fmt.Sprintf("%d of %s live.", live, hallpass.Counted(len(list), "node"))
	if !view.Shared {
		view.Summary = "One server on SQLite. A revoked token is refused at once. With PostgreSQL, several nodes can share the work."
	}
	view.Jobs, view.Late = req.jobs(list), fmt.Sprintf("%.0f s", math.Ceil(req.o.Verify.Stats().UsesLate.Seconds()))
	view.Well, view.Failed = jobsWords(view.Jobs)
	if view.frame, err = req.frame("nodes", "Nodes", crumbAdmin); err != nil {
		return err
	}
	return req.show("nodes/list", view)
}

// nodesBadge says in a few words whether all nodes answer from what is true now.
func nodesBadge(nodes []node.Peer) badge {
	live := 0
	for _, n := range nodes {
		if n.State == node.Live {
			live++
		}
	}
	all := hallpass.Counted(len(nodes), "node")
	switch {
	case live < len(nodes):
		return badge{Text: fmt.Sprintf("%d of %s live", live, all), Class: "warn"}
	case live == 1:
		return badge{Text: all + " live", Class: "good"}
	}
	return badge{Text: all + " agree", Class: "good"}
}

// jobsWords says how many of the jobs fail.
func jobsWords(jobs []jobRow) (words string, failed bool) {
	bad := 0
	for _, j := range jobs {
		if j.Failed {
			bad++
		}
	}
	switch bad {
	case 0:
		return "No job fails.", false
	case 1:
		return fmt.Sprintf("1 of %s fails.", hallpass.Counted(len(jobs), "job")), true
	}
	return fmt.Sprintf("%d of %s fail.", bad, hallpass.Counted(len(jobs), "job")), true
}

// jobs lists the background work.
func (req *request) jobs(nodes []node.Peer) []jobRow {
	if req.o.Jobs == nil {
		return nil
	}
	return req.jobRows(req.o.Jobs(), nodes)
}

// jobRows returns the rows of the jobs.
func (req *request) jobRows(jobs []hallpass.Job, nodes []node.Peer) (list []jobRow) {
	for _, j := range jobs {
		row := jobRow{Name: j.Name, Does: j.Does, Ran: req.timestamp(j.RanAt), Failed: j.Error != ""}
		switch {
		case row.Failed:
			row.Result = j.Error
		case j.RanAt.IsZero(): // there is no result yet
		default:
			row.Result = "done"
		}
		if j.Node == "" && j.Elapsed >= time.Millisecond {
			row.Elapsed = durationText(j.Elapsed)
		}
		if j.Node != "" {
			row.Node = "another node"
			for _, n := range nodes {
				if n.ID == j.Node {
					row.Node = n.Name
				}
			}
		}
		list = append(list, row)
	}
	return list
}
