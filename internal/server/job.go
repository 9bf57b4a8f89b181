package server

import (
	"context"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A job is work that the server does again and again without being asked.
type job struct {
	name   string
	does   string               // in words, for people
	lost   string               // what it means when it fails, and what to do
	every  time.Duration        // between the beginnings of two runs; 0: only when woken
	pause  func() time.Duration // from the end of a run to the next, instead of every; nil: every
	again  time.Duration        // the same after a run that failed; 0: every
	first  bool                 // the first run is at the start, not after every
	wake   <-chan struct{}      // asks for a run at once; nil: nobody does
	limit  time.Duration        // that a run may take; 0: runLimit
	single bool                 // of the nodes that share a database one does it for all
	do     func(context.Context) error
}

// runLimit is how long a run of a job may take: several of the store's
// transactions, of which each is cut off by itself after ten seconds. A run that
// takes longer waits for something that does not come.
const runLimit = time.Minute

// How often jobs run.
const (
	flushEvery  = 2 * time.Second
	countEvery  = 10 * time.Second
	lookEvery   = 500 * time.Millisecond
	sweepEvery  = 10 * time.Minute
	pruneEvery  = time.Hour
	rotateEvery = 5 * time.Second
	guardEvery  = 5 * time.Second // how late uses of guards are written
	pruneAgain  = time.Minute
	wakeAgain   = 10 * time.Second // after a run that failed of a job that is only woken
	canaryEvery = 5 * time.Minute
	noticeEvery = 5 * time.Second
	endsEvery   = time.Minute
	certEvery   = 5 * time.Second
	proveEvery  = 24 * time.Hour
	endsLimit   = time.Hour // thousands of tokens may end at once
)

const lookAtDatabase = "Look whether the disk is full, another process locks the database, or it cannot be reached"

// jobs lists the background work of this server.
func (s *Server) jobs() []job {
	list := []job{
		{name: "first uses and refusals", does: "Writes the first use of each token, and refusals, to the database", every: flushEvery, wake: s.verify.Wake(), do: s.verify.FlushFirst,
			lost: "first uses of tokens and refusals are not written to the database: they wait in memory and would be lost with the process. " + lookAtDatabase},
		{name: "last uses", does: "Writes later uses of tokens to the database", every: flushEvery, pause: s.verify.Pause, wake: s.verify.Many(), do: s.verify.FlushUses,
			lost: "last uses of tokens are not written to the database: they wait in memory and would be lost with the process. " + lookAtDatabase},
		{name: "token usage", does: "Writes what tokens were used for, from where and how often", every: flushEvery, pause: s.verify.UsagePause, do: s.verify.FlushUsage,
			lost: "what tokens are used for is not written to the database: it waits in memory and would be lost with the process. " + lookAtDatabase},
		{name: "old token usage", does: "Deletes days of tokens that are older than 400 days", every: pruneEvery, first: true, again: pruneAgain, single: true, do: s.pruneTokenUsage,
			lost: "old usage of tokens is not deleted: the table token_days grows. It is tried again in a minute"},
		{name: "guard usage", does: "Writes how often guards decided what, and how the APIs behind them answered", every: guardEvery, do: s.FlushGuards,
			lost: "uses of guards, and answers of the APIs behind them, are not written to the database: they wait in memory and would be lost with the process. " + lookAtDatabase},
		{name: "old guard usage", does: "Deletes uses of guards that are older than 90 days, and answers of their APIs that are older than a day", every: pruneEvery, single: true, do: s.pruneGuardUsage,
			lost: "old uses of guards and old answers of their APIs are not deleted: the tables guard_usage and guard_answers grow. It is tried again every hour"},
		{name: "rotations", does: "Ends tokens that another replaces and that nobody needs any more", every: rotateEvery, single: true, do: s.closeRotations,
			lost: "tokens that others replace do not end when nobody uses them any more: they work until their last day. " + lookAtDatabase},
		{name: "rotations at first use", does: "Does the same when a new token is used for the first time", wake: s.verify.Successors(), again: wakeAgain, do: s.closeRotations,
			lost: "tokens that end with the first use of the one that replaces them end some seconds later. " + lookAtDatabase},
		{name: "disk reserve", does: "Keeps room on the disk, so that revocations succeed when it is full", every: flushEvery, do: s.reserve.keep,
			lost: "the reserve for a full disk cannot be kept: revocations may fail when the disk is full. Look at the disk of the data directory"},
		{name: "journal numbers", does: "Writes the last number of each kind to the journal, so that an older database is recognized", every: countEvery, do: s.node.Count,
			lost: "the journal does not have the last numbers that were given: a copy of the database that is a little older might not be noticed. " +
				"Look whether the database answers, and at the disk of the data directory"},
		{name: "other writers", does: "Looks whether another process has changed the database", every: lookEvery, do: s.lookElsewhere,
			lost: "whether another process changes the database file cannot be found out: what that revokes may be accepted. Look at the error"},
		{name: "journal", does: "Writes revocations and other changes to the journal", wake: s.changed, again: wakeAgain, do: s.node.CatchUp,
			lost: "the journal is behind: what is revoked now might come back with an older database. Look at the disk of the data directory"},
		{name: "notices", does: "Sends notices that are due to webhooks, mail and chats", every: noticeEvery, single: true, do: s.notices.Send,
			lost: "notices are not sent: they wait in the database. " + lookAtDatabase},
		{name: "ends of tokens", does: "Writes the notices of tokens that end soon or have ended, and of dead ones that are still used", every: endsEvery, again: endsEvery, limit: endsLimit, single: true, do: s.noticeTokens,
			lost: "nobody is told of tokens that end soon or are used though they are dead. It is tried again every minute"},
		{name: "old notices", does: "Gives up notices that no channel took for four days, and deletes those of 400 days ago", every: pruneEvery, single: true, do: s.notices.Tidy,
			lost: "old notices are not deleted: the table outbox grows. It is tried again every hour"},
		{name: "dead sessions", does: "Deletes sessions that have ended", every: sweepEvery, single: true, do: s.admin.DeleteDeadSessions,
			lost: "dead sessions are not deleted: the table sessions grows. It is tried again every ten minutes"},
		{name: "old sign-in tries", does: "Deletes counts of wrong passwords that are over", every: sweepEvery, single: true, do: s.verify.ForgetTries,
			lost: "old tries to sign in are not deleted: their table grows. It is tried again every ten minutes"},
		{name: "token policies", does: "Warns of tokens that nobody uses, pauses and revokes them, as the policies of orgs say", every: pruneEvery, again: pruneAgain, limit: pruneEvery, single: true, do: s.admin.ApplyTokenPolicies,
			lost: "the policies about tokens that nobody uses are not applied, which is tried again in a minute: nothing is paused or revoked meanwhile"},
		{name: "spare roles", does: "Looks which accounts could go on with a lower role", every: pruneEvery, again: pruneAgain, first: true, limit: pruneEvery, single: true, do: s.admin.FindSpareRoles,
			lost: "which accounts hold more power than they use is not looked at, which is tried again in a minute: the page of what needs doing shows an older answer"},
		{name: "dead tokens", does: "Deletes tokens that ended longer ago than [service_accounts] dead_token_retention", every: pruneEvery, again: pruneAgain, limit: pruneEvery, single: true, do: s.PruneTokens,
			lost: "tokens that ended long ago are not deleted, which is tried again in a minute: their table grows"},
		{name: "initial-admin-password", does: "Deletes the file of the first password once it is changed", wake: s.userMove, again: wakeAgain, do: s.forgetFirstPassword,
			lost: "whether the first admin's password was changed cannot be found out: the file initial-admin-password may be left. Delete it yourself"},
		{name: "audit proof", does: "Follows the chain of the audit, to find entries that were changed or taken away", every: proveEvery, pause: s.proofPause, first: true, limit: pruneEvery, do: s.admin.KeepAuditProved,
			lost: "the audit is not as it was written, or could not be followed. \"hallpass audit verify\" tells all that is wrong: keep the database as it is, and find out who can write to it"},
		{name: "guard listeners", does: "Opens and closes the addresses at which guards have their APIs served", wake: s.guarding, again: wakeAgain, first: true, do: s.followGuards,
			lost: "an address at which a guard is to serve its API cannot be opened: the guard keeps the address that it had, if it had one, and it is tried again every ten seconds. Look whether another program listens there"},
		{name: "provisioning files", does: "Tries again to apply the provisioning files, if a reload could not", wake: s.files.wake, again: wakeAgain, do: s.followFiles,
			lost: "the provisioning files cannot be applied: what they declared before stays as it is, and it is tried again every ten seconds. Look at the error"},
		{name: "ended listeners", does: "Ends streams whose reader may not read them any more", every: lookEvery, do: never(s.verify.EndListeners)},
		{name: "streams in doubt", does: "Decides anew whether what goes on behind guards may go on, after a change", every: lookEvery, wake: s.verify.Doubts(), do: never(s.verify.DecideAnew)},
		{name: "clock", does: "Looks whether the clock has gone back", every: flushEvery, do: never((&clockWatch{node: s.node, log: s.log}).look)},
		{name: "repeated requests", does: "Logs how often a request that is logged once was repeated", every: flushEvery, do: never(func() { s.fold.Tell(time.Now()) })},
	}
	if d := s.supervisor.watchdog; d > 0 {
		list = append(list, job{name: "watchdog", does: "Tells the supervisor that this server is healthy, as long as it is", every: d / 3, first: true, do: s.tellAlive,
			lost: "the supervisor is not told that this server is healthy, and will end it. Look at the error"})
	}
	if s.certificates != nil {
		list = append(list, job{name: "certificates", does: "Looks whether the files of TLS have changed, and takes what they hold", every: certEvery, do: s.certificates.follow,
			lost: "the files of TLS changed, and what they hold now cannot be used: new connections get the certificate from before. Look at the error; the server takes the files when they are valid"})
	}
	if s.config.ServiceAccounts.RotationReuse == reuseRevoke {
		list = append(list, job{name: "reused tokens", does: "Revokes the tokens that replaced one that somebody tries after its end", every: endsEvery, wake: s.verify.Reused(), again: wakeAgain, do: s.revokeReused,
			lost: "tokens whose predecessor somebody tries are not revoked, as rotation_reuse says. " + lookAtDatabase})
	}
	if s.config.Audit.Retention != "" {
		list = append(list, job{name: "audit retention", does: "Deletes audit entries older than [audit] retention", every: pruneEvery, again: pruneAgain, first: true, limit: pruneEvery, single: true, do: s.prune,
			lost: "the audit's old entries cannot be deleted, which is tried again in a minute"})
	}
	if s.metrics != nil && s.db.Shared() {
		list = append(list, job{name: "canary", does: "Tries whether a revoked token is refused", every: canaryEvery, first: true, do: s.canary,
			lost: "the canary did not come to its question: whether a revocation is obeyed was not tried. Look at the error"})
	}
	return list
}

// proofPause is how long to wait before the audit is proved again.
func (s *Server) proofPause() time.Duration { return s.admin.ProofPause(proveEvery) }

// closeRotations ends the tokens that another replaces and that have to end.
func (s *Server) closeRotations(ctx context.Context) error {
	return s.admin.CloseRotations(ctx, s.verify.Uses)
}

// revokeReused revokes the tokens that replaced one that was tried after its end.
func (s *Server) revokeReused(ctx context.Context) error {
	if err := s.verify.FlushFirst(ctx); err != nil { // the tries of this node
		return err
	}
	return s.admin.RevokeReused(ctx)
}

// never is the work of a job that cannot fail.
func never(fn func()) func(context.Context) error {
	return func(context.Context) error {
		fn()
		return nil
	}
}

// Jobs returns what is known of the background work, in a fixed order.
func (s *Server) Jobs() []hallpass.Job {
	list := make([]hallpass.Job, len(s.workers))
	for i, w := range s.workers {
		list[i] = w.state()
	}
	return list
}
