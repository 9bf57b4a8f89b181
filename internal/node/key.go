package node

import (
	"context"
	"crypto/ed25519"
	"slices"
	"sync"
	"time"
)

// keys are the keys with which nodes sign, as this node last read them.
type keys struct {
	own ed25519.PublicKey // nil: this process signs nothing

	mu    sync.Mutex // held while they are read; guards what follows
	all   []ed25519.PublicKey
	err   error         // why they were never read
	tried time.Duration // by the boot clock, when they were read or could not be; 0: never
}

// keysReadEvery is how old the list of keys may be: strangers ask for it, and their
// questions do not become questions to the database.
const keysReadEvery = time.Second

// SigningKeys returns the public keys by which the signatures of all nodes are
// checked: those of the nodes that run, and of those that are gone for less than two
// minutes. While the database does not answer, they are the ones that were last read.
// The slice is not changed any more.
func (n *Node) SigningKeys(ctx context.Context) ([]ed25519.PublicKey, error) {
	k := &n.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := n.boot(); k.tried == 0 || now-k.tried >= keysReadEvery {
		k.tried = now
		// Others wait for the answer too: it does not end with this request.
		if all, err := n.readKeys(context.WithoutCancel(ctx)); err == nil {
			k.all, k.err = all, nil
		} else if k.all == nil {
			k.err = err
		}
	}
	return k.all, k.err
}

// readKeys reads the keys of all nodes. This process' own is among them, whatever
// the database says.
func (n *Node) readKeys(ctx context.Context) (all []ed25519.PublicKey, err error) {
	if n.conn != nil {
		if all, err = n.db.SigningKeys(ctx); err != nil {
			return nil, err
		}
	}
	own := n.keys.own
	if len(own) > 0 && !slices.ContainsFunc(all, func(k ed25519.PublicKey) bool { return k.Equal(own) }) {
		all = append(all, own)
	}
	return all, nil
}
