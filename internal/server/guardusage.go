package server

import (
	"context"
	"slices"
	"sync"

	"github.com/hallpass-dev/hallpass"
)

// guardUsage holds uses of guards until they are written.
type guardUsage struct {
	take  func() []hallpass.GuardUse // what was counted since the last time
	write func(context.Context, []hallpass.GuardUse) error

	mu      sync.Mutex
	waiting map[hallpass.GuardUse]int64 // counts by use without its count; guarded by mu
}

// Bounds of uses of guards: how many of a kind wait at most while the database does
// not take them, and how many one transaction writes.
const (
	maxGuardUses   = 1 << 18
	guardUsesInOne = 500
)

// flush writes what was counted. What cannot be written is kept for the next time.
// While very much waits, the rest stays with whoever counts.
func (u *guardUsage) flush(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.waiting) < maxGuardUses {
		u.add(u.take())
	}
	var all []hallpass.GuardUse
	for use, n := range u.waiting {
		use.Count = n
		all = append(all, use)
	}
	for some := range slices.Chunk(all, guardUsesInOne) {
		if err := u.write(ctx, some); err != nil {
			return err
		}
		for _, use := range some {
			use.Count = 0
			delete(u.waiting, use)
		}
	}
	return nil
}

func (u *guardUsage) add(uses []hallpass.GuardUse) {
	if u.waiting == nil {
		u.waiting = make(map[hallpass.GuardUse]int64)
	}
	for _, use := range uses {
		n := use.Count
		use.Count = 0
		u.waiting[use] += n
	}
}

func (s *Server) addGuardUsage(ctx context.Context, uses []hallpass.GuardUse) error {
	return s.db.AddGuardUsage(ctx, uses, hallpass.MaxGuardUses)
}

// pruneGuardUsage deletes uses of guards that are older than they are kept.
func (s *Server) pruneGuardUsage(ctx context.Context) error {
	return s.db.DeleteGuardUsage(ctx, s.node.Now().Add(-hallpass.GuardUseRetention))
}
