package server

import (
	"context"
	"errors"
	"maps"
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

// pruneGuardUsage deletes uses of guards, and answers of their APIs, that are older than they
// are kept.
func (s *Server) pruneGuardUsage(ctx context.Context) error {
	now := s.node.Now()
	return errors.Join(s.db.DeleteGuardUsage(ctx, now.Add(-hallpass.GuardUseRetention)), s.db.DeleteGuardAnswers(ctx, now.Add(-hallpass.GuardAnswerRetention)))
}

// guardAnswers holds answers of the APIs behind guards until they are written.
type guardAnswers struct {
	take  func() []hallpass.GuardAnswers // what was counted since the last time
	write func(context.Context, []hallpass.GuardAnswers) error

	mu      sync.Mutex
	waiting map[hallpass.GuardAnswers]hallpass.GuardAnswers // by guard and minute; guarded by mu
}

// flush writes what was counted. What cannot be written is kept for the next time. While very
// much waits, the rest stays with whoever counts.
func (g *guardAnswers) flush(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == nil {
		g.waiting = make(map[hallpass.GuardAnswers]hallpass.GuardAnswers)
	}
	var taken []hallpass.GuardAnswers
	if len(g.waiting) < maxGuardUses {
		taken = g.take()
	}
	for _, a := range taken {
		key := hallpass.GuardAnswers{Guard: a.Guard, Minute: a.Minute}
		was := g.waiting[key]
		a.Count, a.Failed = a.Count+was.Count, a.Failed+was.Failed
		g.waiting[key] = a
	}
	if len(g.waiting) == 0 {
		return nil
	}
	if err := g.write(ctx, slices.Collect(maps.Values(g.waiting))); err != nil {
		return err
	}
	clear(g.waiting)
	return nil
}

// FlushGuards writes what guards decided, and how the APIs behind them answered.
func (s *Server) FlushGuards(ctx context.Context) error {
	return errors.Join(s.uses.flush(ctx), s.answers.flush(ctx))
}
