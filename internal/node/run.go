package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass/internal/store"
)

// Times of the heartbeats.
const (
	heartbeatEvery = 200 * time.Millisecond
	listenAgain    = time.Second
	settleAgain    = time.Second
	leaveTimeout   = 3 * time.Second
)

// Join makes this process a node of a shared database: the others know it, and it
// has its first lease. Settle comes before it. One that failed may be tried again.
func (n *Node) Join(ctx context.Context) error {
	if n.conn == nil {
		return nil
	}
	n.joined = true
	n.settled(n.journal.Known())
	for range 2 { // the first registers, the second gets the lease
		if err := n.Heartbeat(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Run makes heartbeats until ctx is done. It is woken when another node changes
// something, and settles a database that diverges. Where the database is not shared
// it only waits.
func (n *Node) Run(ctx context.Context) {
	if n.conn == nil {
		<-ctx.Done()
		return
	}
	woken := make(chan struct{}, 1)
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() {
		n.listen(ctx, func() {
			select {
			case woken <- struct{}{}:
			default: // one is enough
			}
		})
	})
	ticker := time.NewTicker(heartbeatEvery)
	defer ticker.Stop()
	for {
		switch err := n.Heartbeat(ctx); {
		case errors.Is(err, store.ErrDiverged):
			n.converge(ctx)
		case err == nil:
			n.report.peers(n.list())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-woken:
		}
	}
}

// listen calls wake when another node changed something, until ctx is done. While
// the connection is lost, the next heartbeat finds the changes.
func (n *Node) listen(ctx context.Context, wake func()) {
	for ctx.Err() == nil {
		err := n.conn.Listen(ctx, wake)
		if ctx.Err() != nil {
			return
		}
		n.report.deaf(err)
		wait(ctx, listenAgain)
	}
}

// converge settles a database that has diverged. Until that is done this node
// answers nothing.
func (n *Node) converge(ctx context.Context) {
	n.db.DropIdle()
	// The copy may hold a row of this node from before: no change may wait for it.
	err := n.conn.Leave(ctx)
	if err == nil {
		_, err = n.Settle(ctx)
	}
	if err != nil {
		n.report.diverged(err)
		wait(ctx, settleAgain)
		return
	}
	n.settled(n.journal.Known())
	n.report.settled()
}

// wait returns after d, or when ctx is done.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Leave takes this node off the list, so that no change waits for it. It verifies
// nothing any more. Run has returned by then.
func (n *Node) Leave(ctx context.Context) {
	if !n.joined {
		return
	}
	n.joined = false
	if err := n.conn.Leave(ctx); err != nil {
		n.report.left(err)
	}
}

// Close leaves, if the node joined and did not leave, and closes its connections.
func (n *Node) Close() error {
	if n.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	n.Leave(ctx)
	return n.conn.Close()
}
