package verify

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// Stats is what a Verifier has counted since it began, and what it holds now.
type Stats struct {
	Outcomes      map[string]uint64 // verifications of tokens by outcome: "ok", "invalid", "expired", "revoked", "rotated", "disabled", "org_mismatch", "paused", "network", "rate_limited", "unavailable"
	Refusals      map[string]uint64 // of known tokens, and of unknown ones together, by the ID of their reason, as "api-key.expired"
	Hits, Misses  uint64            // of the cache
	Entries, Size int               // of the cache: held now, bound
	UsesWaiting   int               // tokens whose last use is not yet written
	UsesLate      time.Duration     // how late a use is written at most, by the last pass
	UsesDropped   uint64            // uses of tokens that there was no room for
	UsageDropped  uint64            // requests with tokens whose client or action there was no room for
	Flushes       uint64            // of last uses, that wrote something
	FlushedUses   uint64            // rows they wrote
	FlushSeconds  float64           // time they took
}

// outcome is how the verification of a token ended.
type outcome int

const (
	outcomeOK outcome = iota
	outcomeInvalid
	outcomeExpired
	outcomeRevoked
	outcomeRotated
	outcomeDisabled
	outcomeOrgMismatch
	outcomePaused
	outcomeNetwork
	outcomeRateLimited
	outcomeUnavailable
	outcomes
)

var outcomeNames = [outcomes]string{"ok", "invalid", "expired", "revoked", "rotated", "disabled", "org_mismatch", "paused", "network", "rate_limited", "unavailable"}

// outcomeOfID finds the outcome of a refusal. What is not here could not be
// verified.
var outcomeOfID = map[string]outcome{
	errInvalidToken.ID: outcomeInvalid,
	errExpired.ID:      outcomeExpired,
	errRevoked.ID:      outcomeRevoked,
	rotatedID:          outcomeRotated,
	pausedID:           outcomePaused,
	networkID:          outcomeNetwork,
	rateLimitedID:      outcomeRateLimited,
	errDisabled.ID:     outcomeDisabled,
	errOrgMismatch.ID:  outcomeOrgMismatch,
}

func outcomeOf(err error) outcome {
	var e *hallpass.Error
	if errors.As(err, &e) {
		if o, ok := outcomeOfID[e.ID]; ok {
			return o
		}
	}
	return outcomeUnavailable
}

// counts are the counters of verifications, in shards of two cache lines each.
// A token counts in the shard that its hash names, so cores that verify
// different tokens do not wait for each other's line.
type counts [16]struct {
	outcomes [outcomes]atomic.Uint64
	hits     atomic.Uint64
	_        [15 - outcomes]uint64
}

// done counts a verification of the token.
func (c *counts) done(hash *[32]byte, err error) {
	o := outcomeOK
	if err != nil {
		o = outcomeOf(err)
	}
	c[hash[31]%uint8(len(c))].outcomes[o].Add(1)
}

// hit counts a token that the cache had.
func (c *counts) hit(hash *[32]byte) { c[hash[31]%uint8(len(c))].hits.Add(1) }

// flushes counts what was written of last uses.
type flushes struct {
	n, rows, nanoseconds atomic.Uint64
}

func (f *flushes) wrote(rows int, elapsed time.Duration) {
	f.rows.Add(uint64(rows))
	f.nanoseconds.Add(uint64(elapsed))
}

// Stats returns the counters. Each is exact and never falls; they are read one
// after the other, so one may be a moment ahead of another.
func (v *Verifier) Stats() Stats {
	s := Stats{
		Outcomes:     make(map[string]uint64, outcomes),
		Refusals:     make(map[string]uint64, len(outcomeOfID)),
		Misses:       v.misses.Load(),
		Entries:      int(v.cache.held.Load()),
		Size:         len(v.cache.sets) * ways,
		UsesWaiting:  v.uses.waiting(),
		UsesLate:     v.uses.pass.late(),
		UsesDropped:  v.uses.dropped.Load(),
		UsageDropped: v.usage.dropped.Load(),
		Flushes:      v.uses.flushes.n.Load(),
		FlushedUses:  v.uses.flushes.rows.Load(),
		FlushSeconds: time.Duration(v.uses.flushes.nanoseconds.Load()).Seconds(),
	}
	for i := range v.counts {
		shard := &v.counts[i]
		s.Hits += shard.hits.Load()
		for o, name := range outcomeNames {
			s.Outcomes[name] += shard.outcomes[o].Load()
		}
	}
	for id, o := range outcomeOfID {
		s.Refusals[id] = s.Outcomes[outcomeNames[o]]
	}
	return s
}
