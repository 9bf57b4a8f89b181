package guard

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// refusals keeps the last refusals of each guard, for those who look why a request did
// not pass. Its zero value is ready; it is safe for concurrent use.
type refusals struct {
	mu      sync.Mutex
	byGuard map[hallpass.GuardID]*lastRefusals // guarded by mu
}

// lastRefusals are those of one guard. Those of known tokens and those of strangers
// have room of their own: a flood of strangers' requests hides nothing.
type lastRefusals struct {
	known     [15]hallpass.GuardRefusal
	strangers [5]hallpass.GuardRefusal
	knownN    int // how many were put into known so far
	strangerN int
}

// maxKeptGuards bounds the guards of which refusals and counts are kept in memory:
// deleted ones are among them.
const maxKeptGuards = 2000

// The longest texts of a request that are kept of it, in bytes.
const (
	maxKeptMethod = 32
	maxKeptHost   = 255
	maxKeptPath   = 300
	maxKeptHeader = 1000
)

// keep keeps the refusal of the request at now.
func (s *refusals) keep(now time.Time, c *Check, v *Verdict) {
	path, _, _ := strings.Cut(c.Target, "?")
	r := hallpass.GuardRefusal{
		At: now, Rule: v.Rule, Status: v.Status, Reason: v.Reason, Message: v.Message,
		Method: strings.Clone(hallpass.Clean(c.Method, maxKeptMethod)), Host: strings.Clone(hallpass.Clean(c.Host, maxKeptHost)),
		Path:   strings.Clone(hallpass.Clean(path, maxKeptPath)), // the texts may be parts of something larger
		Caller: v.Holder.Principal, Token: v.Holder.Token, From: c.From,
	}
	var lacks *hallpass.Error
	if errors.As(v.Err, &lacks) && lacks.Needs != "" {
		r.Missing = hallpass.Permission{Action: hallpass.Action(lacks.Needs), Scope: lacks.NeedsOn}
	}
	if len(v.lines) <= maxKeptHeader {
		r.Header = strings.Clone(v.lines)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.byGuard[v.Guard.ID]
	if of == nil {
		if s.byGuard == nil || len(s.byGuard) >= maxKeptGuards {
			s.byGuard = make(map[hallpass.GuardID]*lastRefusals)
		}
		of = new(lastRefusals)
		s.byGuard[v.Guard.ID] = of
	}
	if r.Token != 0 {
		of.known[of.knownN%len(of.known)] = r
		of.knownN++
	} else {
		of.strangers[of.strangerN%len(of.strangers)] = r
		of.strangerN++
	}
}

// Refusals returns the last requests that this node refused for the guard, the newest
// first: at most 15 of known tokens and 5 of strangers.
func (d *Decider) Refusals(g hallpass.GuardID) []hallpass.GuardRefusal {
	s := &d.refusals
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.byGuard[g]
	if of == nil {
		return nil
	}
	list := slices.Concat(of.known[:min(of.knownN, len(of.known))], of.strangers[:min(of.strangerN, len(of.strangers))])
	slices.SortStableFunc(list, func(a, b hallpass.GuardRefusal) int { return b.At.Compare(a.At) })
	return list
}
