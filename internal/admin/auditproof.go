package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// An AuditProved is what a proof of the audit found, and when it began. The zero
// AuditProved is none.
type AuditProved struct {
	At    time.Time
	Since time.Time // when the first of the proofs in a row began that are Untold; zero: this one is not
	hallpass.AuditReport
}

// How long an audit may be Untold before that is an error, and how soon it is proved again
// meanwhile.
const (
	untoldLimit = time.Hour
	proveAgain  = time.Minute
)

var errProving = &hallpass.Error{Kind: hallpass.Unavailable, ID: "audit.proving", Message: "The audit is being proved: look again shortly", RetryAfter: 10 * time.Second}

// ProveAudit follows the chain of the whole audit and keeps what it finds for LastProof. It is
// Denied to all but server admins, and Unavailable while another proof runs on this node.
func (a *Admin) ProveAudit(ctx context.Context, c hallpass.Caller) (AuditProved, error) {
	if err := a.mayProve(ctx, c); err != nil {
		return AuditProved{}, err
	}
	return a.prove(ctx)
}

// KeepAuditProved does the same without being asked. Its error names what is not as it was
// written. That retention is at work is none, unless it lasts for an hour.
func (a *Admin) KeepAuditProved(ctx context.Context) error {
	p, err := a.prove(ctx)
	switch {
	case err != nil:
		return err
	case len(p.Faults) > 0:
		return fmt.Errorf("the audit is not whole: %s (faults: %d)", p.Faults[0], int64(len(p.Faults))+p.Unnamed)
	case p.Untold && p.At.Sub(p.Since) >= untoldLimit:
		return fmt.Errorf("the audit is not whole since %s: %s", p.Since.UTC().Format(time.RFC3339), hallpass.AuditUntold)
	}
	return nil
}

// ProofPause returns how long to wait before the next KeepAuditProved: usual, or a minute
// while retention is at work.
func (a *Admin) ProofPause(usual time.Duration) time.Duration {
	if a.LastProof().Untold {
		return proveAgain
	}
	return usual
}

func (a *Admin) prove(ctx context.Context) (AuditProved, error) {
	if !a.proving.TryLock() {
		return AuditProved{}, errProving
	}
	defer a.proving.Unlock()
	if err := a.db.FlushAudit(ctx); err != nil {
		return AuditProved{}, err
	}
	p := AuditProved{At: a.now()}
	var err error
	if p.AuditReport, err = a.db.ProveAudit(ctx); err != nil {
		return AuditProved{}, err
	}
	if p.Untold {
		if p.Since = a.LastProof().Since; p.Since.IsZero() {
			p.Since = p.At
		}
	}
	a.proved.Store(&p)
	return p, nil
}

// LastProof returns the newest proof of the audit on this node, the zero AuditProved if there
// is none since it started. It does not look who asks.
func (a *Admin) LastProof() AuditProved {
	if p := a.proved.Load(); p != nil {
		return *p
	}
	return AuditProved{}
}
