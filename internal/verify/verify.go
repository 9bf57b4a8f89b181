package verify

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Options sets up a Verifier.
type Options struct {
	CacheSize   int           // tokens kept in memory at most; 0: DefaultCacheSize
	SessionIdle time.Duration // how long a session may rest unused; 0: 7 days

	// Issuer is where sessions may have begun beside those that began with a password;
	// empty: nowhere.
	Issuer string
	// PasswordOf is the login of the only user whose password is right; empty: everybody's
	// may be. The passwords of others are refused with the face of a wrong one.
	PasswordOf string

	Rate       hallpass.RateLimit // of tokens that have none of their own; the zero RateLimit: none
	DivideRate bool               // a limit is that of all nodes together, each of which allows its part; else of each node

	// OnBrokenGuard is told of a stored guard that refuses every request: it is
	// suspended, or its rules do not compile, and then err says why. nil: nobody is.
	OnBrokenGuard func(g hallpass.Guard, err error)
}

// DefaultCacheSize is how many tokens are kept in memory at most.
const DefaultCacheSize = 1 << 18

// A Verifier turns credentials into callers: each kind of credential has a part
// that does. It is safe for concurrent use.
type Verifier struct {
	db   *store.DB
	node *node.Node

	cache     *cache // of tokens
	guards    guards
	counts    *counts
	misses    atomic.Uint64
	lookUps   *lookUps
	uses      *uses
	usage     *usage
	passwords *passwords
	sessions  *sessions
	ends      ends
	repeatsAt atomic.Int64 // when repeats of refusals were last written, in UTC microseconds

	divideRate bool

	watchers  watchers
	listeners listeners
	passages  *passages
}

// New returns a Verifier on db, which it listens to from then on. The node says
// what time it is, and whether the Verifier may answer.
func New(db *store.DB, n *node.Node, o Options) *Verifier {
	if o.CacheSize == 0 {
		o.CacheSize = DefaultCacheSize
	}
	if o.SessionIdle == 0 {
		o.SessionIdle = 7 * 24 * time.Hour
	}
	v := &Verifier{
		db:       db,
		node:     n,
		cache:    newCache(o.CacheSize),
		counts:   new(counts),
		passages: newPassages(),
		uses:     newUses(o.CacheSize),
		usage:    newUsage(),
		sessions: &sessions{db: db, node: n, idle: o.SessionIdle, issuer: o.Issuer, seen: make(map[hallpass.SessionID]time.Time)},
	}
	v.divideRate = o.DivideRate
	v.lookUps = newLookUps(db, n, v.cache, o.Rate)
	v.guards.db, v.guards.node, v.guards.broken = db, n, o.OnBrokenGuard
	v.passwords = newPasswords(db, n, v.record, o.PasswordOf)
	db.Subscribe(v.changed)
	db.OnAudit(v.publishRefusal)
	return v
}

// changed forgets those whom a change reaches, and ends who listens by it, before
// its commit and after.
func (v *Verifier) changed(e store.ChangeEvent) {
	v.cache.coherence.Changed(e, v.cache.forget)
	v.guards.changed(e)
	v.listeners.changed(e.Changes)
	for _, c := range e.Changes {
		v.passwords.right.forget(c.Reach().User)
	}
	v.passages.changed(e) // last: who decides anew finds all else forgotten
}

// publishRefusal tells those who watch a token that it was refused.
func (v *Verifier) publishRefusal(e hallpass.AuditEntry) {
	if e.Token != 0 && e.Outcome == hallpass.Refused {
		v.watchers.publish(e.Token, Event{Kind: EventRefused, At: e.At, Address: e.From.Address, UserAgent: e.From.UserAgent, Reason: e.Reason})
	}
}

// errStale refuses what cannot be checked now. It is neither good nor bad.
var errStale = &hallpass.Error{
	Kind: hallpass.Unavailable, ID: "auth.view-too-old", Message: "This server cannot check credentials at the moment, try again shortly", RetryAfter: time.Second,
}

// Refusals. What was proved may be told; unknown and malformed have one face.
var (
	errInvalidToken = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "api-key.invalid", Message: "Invalid API key"}
	errExpired      = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "api-key.expired", Message: "Expired API key"}
	errRevoked      = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "api-key.revoked", Message: "Revoked API key"}
	errOrgMismatch  = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "api-key.organization-mismatch", Message: "API key does not belong to the requested organization"}
	errDisabled     = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "identity.disabled", Message: "Unauthorized"}
	errNoSession    = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "auth.unauthorized", Message: "Unauthorized"}
)

// unknowable turns a failure to look something up into Unavailable: what
// cannot be checked is neither good nor bad.
func unknowable(err error) error {
	var e *hallpass.Error
	if errors.As(err, &e) && e.Kind == hallpass.Unavailable {
		return err
	}
	return &hallpass.Error{Kind: hallpass.Unavailable, ID: "user.sync.fetch", Message: "Insufficient information to authenticate user", Err: err}
}

// refuse records the refusal of the token of the caller. It returns the reason, and of the
// caller only who that is.
func (v *Verifier) refuse(c hallpass.Caller, reason *hallpass.Error) (hallpass.Caller, error) {
	v.usage.refused(c.Token, reason)
	if reason.ID == rotatedID {
		defer ask(v.uses.reused)
	}
	v.record(hallpass.AuditEntry{
		At: v.node.Now(), Org: c.Org, Actor: c.Principal, Token: c.Token, Action: hallpass.TokenVerify,
		Target: "token:" + strconv.FormatInt(int64(c.Token), 10), Outcome: hallpass.Refused, Reason: reason.ID, From: c.From,
	})
	return hallpass.Caller{Principal: c.Principal, Org: c.Org, Token: c.Token, From: c.From}, reason
}

// RefusedByGuard records that the guard refused a request of the caller, whose token is
// good, because of err. The action of the entry is the one that the caller lacks.
func (v *Verifier) RefusedByGuard(c hallpass.Caller, guard string, err error) {
	action, reason := "guard.request", hallpass.KindOf(err).Error()
	var e *hallpass.Error
	if errors.As(err, &e) {
		reason = e.ID
		if e.Needs != "" {
			action, reason = e.Needs, "lacks "+hallpass.Permission{Action: hallpass.Action(e.Needs), Scope: e.NeedsOn}.String()
		}
	}
	v.record(hallpass.AuditEntry{
		At: v.node.Now(), Org: c.Org, Actor: c.Principal, Token: c.Token, Action: action, Target: "guard:" + guard,
		Outcome: hallpass.Refused, Reason: reason, From: c.From,
	})
}

// Now returns the node's time, by which tokens expire.
func (v *Verifier) Now() time.Time { return v.node.Now() }

// record keeps e for the audit. The first of a minute is to be written at once; repeats
// wait, so that a flood of them is not a flood of commits.
func (v *Verifier) record(e hallpass.AuditEntry) {
	if v.db.RecordAudit(e) {
		v.uses.rouse()
	}
}

// Flush writes all that verifications left behind, at once. The server calls it
// when it stops.
func (v *Verifier) Flush(ctx context.Context) error {
	return errors.Join(v.FlushFirst(ctx), v.db.FlushAudit(ctx), v.flushLater(ctx), v.FlushUsage(ctx))
}

// FlushFirst writes what must not wait: first uses of tokens, refusals, sessions
// seen, passwords tried. What cannot be written now is kept for the next time. The
// server calls it every few seconds, and whenever Wake fires.
func (v *Verifier) FlushFirst(ctx context.Context) error {
	return errors.Join(v.flushFirst(ctx), v.flushAudit(ctx), v.sessions.flush(ctx), v.passwords.tries.flush(ctx, v.db, v.node.Now()))
}

// repeatsEvery is how often repeats of a refusal are added to its entry.
const repeatsEvery = 10 * time.Second

// flushAudit writes refusals, and repeats of them when it is time.
func (v *Verifier) flushAudit(ctx context.Context) error {
	now := v.node.Now().UnixMicro()
	last := v.repeatsAt.Load()
	if now >= last && now < last+repeatsEvery.Microseconds() {
		return v.db.FlushNewAudit(ctx)
	}
	v.repeatsAt.Store(now)
	return v.db.FlushAudit(ctx)
}

// Successors fires when a token that replaces another was used for the first time on
// this node, and that is written.
func (v *Verifier) Successors() <-chan struct{} { return v.uses.successors }

// Reused fires when a token was tried on this node after another had replaced it and it
// had ended.
func (v *Verifier) Reused() <-chan struct{} { return v.uses.reused }

// Wake fires when something should be written at once: a first use, a first
// refusal.
func (v *Verifier) Wake() <-chan struct{} { return v.uses.wake }
