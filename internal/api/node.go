package api

import (
	"time"

	"github.com/hallpass-dev/hallpass/wire"
)

// nodes is GET /api/admin/nodes.
func (a *API) nodes(c call, _ none) ([]wire.Node, error) {
	list, err := a.verify.Nodes(c.Context())
	if err != nil {
		return nil, err
	}
	out := make([]wire.Node, 0, len(list))
	for _, n := range list {
		out = append(out, wire.Node{
			Name: n.Name, Address: n.Address, Version: n.Version, Self: n.Self, Started: n.StartedAt, Beat: n.BeatAt, Applied: int64(n.Applied),
			Behind: int64(n.Behind), LagMS: n.Silent.Milliseconds(), LeaseMS: n.Lease.Milliseconds(),
			AckMS: float64(n.Acknowledged) / float64(time.Millisecond), State: string(n.State),
		})
	}
	return out, nil
}
