package notice

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Options set up a Sender.
type Options struct {
	DB       *store.DB
	Now      func() time.Time
	Outbound *httpd.Outbound
	Root     string      // the URL of this server, for links; "": there are none
	Keys     Keys        // that sign webhooks
	SlackURL secret.Text // for slack channels without a URL of their own
	Mail     *Mailer     // nil: no mails are sent
	Log      *slog.Logger
}

// A Sender sends what is due in the outbox. It is safe for concurrent use; two that
// send at once tell the same notices twice.
type Sender struct {
	Options
	counts [len(channelKinds)][outcomes]atomic.Uint64
}

// New returns a Sender.
func New(o Options) *Sender { return &Sender{Options: o} }

var channelKinds = [...]hallpass.ChannelKind{hallpass.WebhookChannel, hallpass.MailChannel, hallpass.SlackChannel}

type outcome int

const (
	sent outcome = iota
	failed
	dead
	outcomes int = iota
)

// A Count is how many attempts of one kind of channel ended alike.
type Count struct {
	Channel hallpass.ChannelKind
	Outcome string // "sent", "failed" (it is tried again) or "dead" (it is not)
	N       uint64
}

// Counts returns how attempts of this process ended, all of them, zero too.
func (s *Sender) Counts() []Count {
	var list []Count
	for i, kind := range channelKinds {
		for o, name := range [outcomes]string{"sent", "failed", "dead"} {
			list = append(list, Count{kind, name, s.counts[i][o].Load()})
		}
	}
	return list
}

func (s *Sender) count(kind hallpass.ChannelKind, o outcome, n int) {
	for i, k := range channelKinds {
		if k == kind {
			s.counts[i][o].Add(uint64(n))
		}
	}
}

// How a run shares its time.
const (
	budget   = 20 * time.Second // after which a channel begins nothing more in a run
	parallel = 8                // channels that are told at once
	batch    = 20               // notices of a channel that are read and marked together
)

// Send sends what is due. An error says that the database did not answer; that a
// receiver did not is written to its channel.
func (s *Sender) Send(ctx context.Context) error {
	var channels []hallpass.Channel
	err := s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		channels, err = tx.ActiveChannels()
		return err
	})
	if err != nil {
		return err
	}
	end := time.Now().Add(budget)
	results, slots := make(chan error, len(channels)), make(chan struct{}, parallel)
	var telling sync.WaitGroup
	for _, c := range channels {
		telling.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results <- s.tell(ctx, c, end)
		})
	}
	telling.Wait()
	close(results)
	for failure := range results {
		err = errors.Join(err, failure)
	}
	return err
}

// tell sends what is due to one channel, until an attempt fails or the time is over.
func (s *Sender) tell(ctx context.Context, c hallpass.Channel, end time.Time) error {
	if s.Now().Before(c.RestUntil) {
		return nil
	}
	if c.Kind == hallpass.MailChannel {
		return s.tellByMail(ctx, c, end)
	}
	for time.Now().Before(end) && ctx.Err() == nil {
		var due []hallpass.Delivery
		var org hallpass.Org
		err := s.DB.Read(ctx, func(tx *store.Tx) (err error) {
			if due, err = tx.DueDeliveries(c.ID, nil, s.Now(), batch); err == nil && len(due) > 0 {
				org, err = tx.Org(c.Org)
			}
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		goOn, err := s.post(ctx, c, org, due)
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}

// post sends some notices to a webhook or a chat, and marks them. It reports whether
// all were taken.
func (s *Sender) post(ctx context.Context, c hallpass.Channel, org hallpass.Org, due []hallpass.Delivery) (goOn bool, err error) {
	if c.Kind == hallpass.SlackChannel {
		answer, failure := s.postSlack(ctx, c, org, due)
		if failure != nil || !success(answer) {
			return false, s.fail(ctx, c, due, answer, failure)
		}
		return true, errors.Join(s.markSent(ctx, c, due), pause(ctx, slackPause))
	}
	for i, d := range due {
		answer, failure := s.postWebhook(ctx, c, org, d)
		if failure != nil || !success(answer) {
			return false, errors.Join(s.markSent(ctx, c, due[:i]), s.fail(ctx, c, due[i:i+1], answer, failure))
		}
	}
	return true, s.markSent(ctx, c, due)
}

func success(a httpd.Answer) bool { return a.Status >= 200 && a.Status <= 299 }

// pause waits, unless ctx is done before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return nil
}

func ids(list []hallpass.Delivery) []hallpass.NoticeID {
	ids := make([]hallpass.NoticeID, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	return ids
}

// marking is how long it may take to write what became of an attempt, also when the
// server stops: what was sent and is not marked is sent again.
const marking = 5 * time.Second

func (s *Sender) markSent(ctx context.Context, c hallpass.Channel, list []hallpass.Delivery) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), marking)
	defer cancel()
	s.count(c.Kind, sent, len(list))
	return s.DB.MarkSent(ctx, c.ID, ids(list), s.Now())
}

// schedule is when the next attempts come, after each that failed (Standard Webhooks
// 1.0.0). When it is over the notice is dead.
var schedule = [...]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	jitter    = 10              // percent of a time by which attempts are spread
	longRest  = 5 * time.Minute // after which a channel that failed is tried with another notice at the latest
	maxRetry  = 24 * time.Hour  // the longest Retry-After that is honoured
	maxReason = 500             // bytes of a reason
)

// next returns when to try a notice again after the attempts that failed, zero for
// never. A receiver that says when to come again is not asked before.
func next(now time.Time, attempts int, retryAfter time.Duration) time.Time {
	if attempts > len(schedule) {
		return time.Time{}
	}
	wait := schedule[attempts-1]
	wait += wait * time.Duration(rand.IntN(2*jitter+1)-jitter) / 100 // #nosec G404 -- jitter: nothing depends on it
	return now.Add(max(wait, min(retryAfter, maxRetry)))
}

// fail marks notices after an attempt that failed: the receiver answered, or failure
// says why it did not.
func (s *Sender) fail(ctx context.Context, c hallpass.Channel, list []hallpass.Delivery, answer httpd.Answer, failure error) error {
	if failure != nil && ctx.Err() != nil {
		return nil // the server stops: what was cut off did not fail
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), marking)
	defer cancel()
	if failure == nil && answer.Status == 410 && c.Kind == hallpass.WebhookChannel {
		return s.gone(ctx, c, list)
	}
	reason := reasonOf(answer, failure)
	var retryAfter time.Duration
	switch answer.Status {
	case 429, 502, 503, 504:
		retryAfter = answer.RetryAfter
	}
	now := s.Now()
	f := store.Failure{Reason: reason, At: now, Next: next(now, list[0].Attempts+1, retryAfter)}
	f.Rest = now.Add(max(longRest, min(retryAfter, maxRetry)))
	if soon := now.Add(schedule[0]); retryAfter == 0 && list[0].Attempts == 0 && soon.Before(f.Rest) {
		f.Rest = soon // a first failure may be a slip
	}
	return s.markFailed(ctx, c, list, f, failure)
}

// markFailed marks notices after an attempt that failed. failure goes to the log alone; nil
// if the receiver answered.
func (s *Sender) markFailed(ctx context.Context, c hallpass.Channel, list []hallpass.Delivery, f store.Failure, failure error) error {
	what := failed
	if f.Next.IsZero() {
		what = dead
	}
	s.count(c.Kind, what, len(list))
	s.Log.Warn("a notice could not be sent", "channel", c.Name, "channel_id", int64(c.ID), "org", int64(c.Org), "attempt", list[0].Attempts+1, "dead", what == dead, "reason", f.Reason, "error", failure)
	return s.DB.MarkFailed(ctx, c.ID, ids(list), f)
}

// gone disables a channel whose receiver wants nothing more.
func (s *Sender) gone(ctx context.Context, c hallpass.Channel, list []hallpass.Delivery) error {
	const reason = "the receiver answered 410: it wants no more notices"
	s.Log.Warn("a channel of notices was disabled", "channel", c.Name, "channel_id", int64(c.ID), "org", int64(c.Org), "reason", reason)
	s.count(c.Kind, dead, len(list))
	now := s.Now()
	entry := hallpass.AuditEntry{
		At: now, Org: c.Org, Action: "channel.disable", Target: hallpass.Subject{Kind: hallpass.ChannelSubject, ID: int64(c.ID)}.String(), Outcome: hallpass.Done, Reason: "name " + c.Name + ": " + reason,
	}
	return errors.Join(
		s.DB.MarkFailed(ctx, c.ID, ids(list), store.Failure{Reason: reason, At: now, Rest: now}),
		s.DB.DisableChannel(ctx, c, reason, entry))
}

// How long notices stay in the outbox.
const (
	giveUp = 4 * 24 * time.Hour   // what is on its way for longer than the schedule lasts is dead
	forget = 400 * 24 * time.Hour // what was told is remembered for so long, so that it is not told again
)

// Tidy gives up notices that no channel took for too long, and deletes old ones.
func (s *Sender) Tidy(ctx context.Context) error {
	return s.DB.TidyOutbox(ctx, s.Now().Add(-giveUp), s.Now().Add(-forget))
}
