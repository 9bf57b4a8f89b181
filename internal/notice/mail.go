package notice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// How mails are put together.
const (
	mailEvery   = 24 * time.Hour   // between two mails of one channel to one address
	mailCollect = 10 * time.Minute // from the first notice to its mail: what is told meanwhile is in it too
	mailLines   = 200              // notices that a mail tells of in words; the rest it counts
	mailMost    = 20_000           // notices that a mail is about
	markMost    = 500              // notices that a transaction marks
)

// tellByMail sends each recipient of the channel one mail with all that is due to them,
// and no second one within a day. Tests come at once.
func (s *Sender) tellByMail(ctx context.Context, c hallpass.Channel, end time.Time) error {
	now := s.Now()
	var list []store.DueRecipient
	err := s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.DueRecipients(c.ID, now, now.Add(-mailEvery))
		return err
	})
	if err != nil {
		return err
	}
	for _, to := range list {
		if time.Now().After(end) || ctx.Err() != nil {
			return nil
		}
		if goOn, err := s.mailTo(ctx, c, to); err != nil || !goOn {
			return err
		}
	}
	return nil
}

// mailTo sends the recipient what is due. It reports whether the mail server works.
func (s *Sender) mailTo(ctx context.Context, c hallpass.Channel, to store.DueRecipient) (goOn bool, err error) {
	now := s.Now()
	var all []hallpass.Delivery
	var org hallpass.Org
	err = s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if all, err = tx.DueDeliveries(c.ID, &to.Address, now, mailMost); err == nil {
			org, err = tx.Org(c.Org)
		}
		return err
	})
	if err != nil || len(all) == 0 {
		return true, err
	}
	isTest := func(d hallpass.Delivery) bool { return d.Notice.Kind == hallpass.NoticeTest }
	if i := slices.IndexFunc(all, isTest); i >= 0 && !all[i].NextAt.After(now) {
		return s.sendMail(ctx, c, org, to.Address, all[i:i+1])
	}
	all = slices.DeleteFunc(all, isTest)
	if len(all) == 0 {
		return true, nil
	}
	first := slices.MinFunc(all, func(a, b hallpass.Delivery) int { return a.CreatedAt.Compare(b.CreatedAt) })
	wait := first.QueuedAt.Add(mailCollect)
	if !to.LastAt.IsZero() {
		wait = later(wait, to.LastAt.Add(mailEvery))
	}
	if now.Before(wait) {
		return true, s.DB.PostponeMail(ctx, c.ID, to.Address, wait)
	}
	return s.sendMail(ctx, c, org, to.Address, all)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sendMail sends one mail about some notices, and marks them.
func (s *Sender) sendMail(ctx context.Context, c hallpass.Channel, org hallpass.Org, to string, list []hallpass.Delivery) (goOn bool, err error) {
	failure := error(plainError("there is no mail server: set the section [smtp] of the configuration"))
	if s.Mail != nil {
		failure = s.Mail.send(ctx, s.letter(org, to, list))
	}
	if failure == nil {
		for part := range slices.Chunk(list, markMost) {
			if err := s.markSent(ctx, c, part); err != nil {
				return false, err
			}
		}
		return true, nil
	}
	if ctx.Err() != nil {
		return false, nil // the server stops: what was cut off did not fail
	}
	var one refused
	if !errors.As(failure, &one) {
		return false, s.fail(ctx, c, list, httpd.Answer{}, failure)
	}
	now := s.Now() // the server works: others get their mail
	f := store.Failure{Reason: reasonOf(httpd.Answer{}, failure), At: now, Next: next(now, list[0].Attempts+1, 0)}
	return true, s.markFailed(ctx, c, list, f, failure)
}

// letter puts a mail together: first what stops something that runs, then what ends
// first.
func (s *Sender) letter(org hallpass.Org, to string, list []hallpass.Delivery) letter {
	first := list[0]
	for _, d := range list {
		if d.ID < first.ID {
			first = d
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(list), func(a, b hallpass.Delivery) int {
		return cmp.Or(compareBool(b.Notice.InUse(), a.Notice.InUse()), a.Notice.ExpiresAt.Compare(b.Notice.ExpiresAt))
	})
	l := letter{to: to, at: s.Now(), id: "hallpass." + MessageID(first), subject: "Hallpass: " + sorted[0].Notice.Title()}
	if n := len(list); n > 1 {
		l.subject = fmt.Sprintf("Hallpass: %d notices about tokens of %s", n, org.Name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Organization %s\r\n", oneLine(org.Name))
	for _, d := range sorted[:min(len(sorted), mailLines)] {
		fmt.Fprintf(&b, "\r\n- %s\r\n", oneLine(d.Notice.Text()))
		if link := s.link(d.Notice); link != "" {
			fmt.Fprintf(&b, "  %s\r\n", link)
		}
	}
	if more := len(sorted) - mailLines; more > 0 {
		fmt.Fprintf(&b, "\r\nAnd %d more.\r\n", more)
	}
	b.WriteString("\r\nYou get this because you are named as the owner of these tokens or of their service accounts, or because an administrator of the organization entered this address.\r\n")
	l.body = b.String()
	return l
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
