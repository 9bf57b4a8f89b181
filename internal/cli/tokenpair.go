package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// A pair is a token and the one that replaces it.
type pair struct {
	account  wire.ServiceAccountProfile
	old, new wire.Token
}

// pair returns the token that the first two arguments name, which may be either one,
// and the other.
func (s *session) pair() (pair, error) {
	n, err := s.named()
	if err != nil {
		return pair{}, err
	}
	p := pair{account: n.account, old: n.Token, new: tokenOf(n.all, n.ReplacedByID)}
	if n.ReplacedByID == nil {
		p.old, p.new = tokenOf(n.all, n.ReplacesID), n.Token
	}
	switch {
	case n.ReplacedByID == nil && n.ReplacesID == nil:
		return p, fmt.Errorf("%s is not being replaced: %q does that", n.say(), s.line("rotate"))
	case p.old.ID == 0 || p.new.ID == 0:
		return p, fmt.Errorf("%s was part of a rotation whose other token is not there any more", n.say())
	}
	return p, nil
}

// openPair is pair; an error if the old token has ended.
func (s *session) openPair() (pair, error) {
	p, err := s.pair()
	if err == nil && ended(p.old) {
		err = fmt.Errorf("the rotation is over: the old token %s ended at %s", idName(p.old), exactText(endOf(p.old)))
	}
	return p, err
}

// line returns the command line of another command about the same token.
func (s *session) line(verb string, flags ...string) string {
	return shellLine(append([]string{"token", verb, s.args[0], s.args[1]}, flags...)...)
}

// open reports whether both tokens of the pair may work.
func (p pair) open() bool { return p.old.ID != 0 && !ended(p.old) && !ended(p.new) }

// mayRetire returns an error if nothing would work without the old token of the pair, and
// warns if nobody has used the new one.
func (s *session) mayRetire(p pair) error {
	switch {
	case ended(p.new):
		return fmt.Errorf("the new token %s has ended, so nothing would work: %q keeps the old one, %q makes another new one",
			idName(p.new), shellLine("token", "undo", s.args[0], number(p.new.ID)), shellLine("token", "rotate", s.args[0], number(p.old.ID)))
	case p.new.State == string(hallpass.TokenPaused):
		return fmt.Errorf("the new token %s is paused, so nothing would work: first %s", idName(p.new), shellLine("token", "resume", s.args[0], number(p.new.ID)))
	case p.new.LastUsedAt == nil:
		return s.say("warning: nobody has used the new token %s yet: what still has the old one fails when that ends", idName(p.new))
	}
	return nil
}

// endOf returns when a token that was replaced ends at the latest, or ended.
func endOf(k wire.Token) *time.Time {
	if k.ClosesAt != nil && (k.Expiration == nil || k.ClosesAt.Before(*k.Expiration)) {
		return k.ClosesAt
	}
	return k.Expiration
}

func retireToken(r *remote) *cobra.Command {
	var yes bool
	cmd := yesFlag(r.verb("retire ACCOUNT TOKEN", "End a token that another replaces, now", func(s *session) error {
		p, err := s.openPair()
		if err != nil {
			return err
		}
		if err := s.mayRetire(p); err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "End the old token %s of %s (last used %s)? The new one is id %d (last used %s).", idName(p.old), p.account.Name, timeText(p.old.LastUsedAt), p.new.ID, timeText(p.new.LastUsedAt)); err != nil {
			return err
		}
		m, err := s.RetireToken(s.ctx, p.account.ID, p.old.ID)
		if err != nil {
			return err
		}
		return s.done(m, "Ended the old token %s of %s: it is refused. The new one is id %d.", idName(p.old), p.account.Name, p.new.ID)
	}), &yes)
	cmd.Long = `End the old token of a rotation now, instead of when nobody uses it any more. TOKEN
is the name, or the id of the old or the new token. It warns if nobody has used the
new token, and refuses if that is paused or has ended: then nothing would work.`
	return cmd
}

func extendToken(r *remote) *cobra.Command {
	var grace string
	cmd := r.verb("extend ACCOUNT TOKEN", "Let a token that another replaces work on for longer", func(s *session) error {
		if grace == "" {
			return errors.New("--grace is required: how long the old token works on, from now, such as 24h or 7d")
		}
		n, err := seconds("grace", grace)
		if err != nil {
			return err
		}
		p, err := s.openPair()
		if err != nil {
			return err
		}
		k, err := s.ExtendRotation(s.ctx, p.account.ID, p.old.ID, n)
		if err != nil {
			return err
		}
		return s.done(k, "The old token %s of %s works until %s at the latest.", idName(k), p.account.Name, exactText(endOf(k)))
	})
	cmd.Long = `Set how long the old token of a rotation works on at most, from now; it may be
shorter than before. It never works longer than 30 days after the rotation, nor
longer than its own lifetime. TOKEN is the name, or the id of the old or the new
token.`
	cmd.Flags().StringVar(&grace, "grace", "", "how long it works on at most, from now: 24h or 7d (required)")
	return cmd
}

func undoToken(r *remote) *cobra.Command {
	var yes bool
	cmd := yesFlag(r.verb("undo ACCOUNT TOKEN", "Undo a rotation: end the new token, keep the old one", func(s *session) error {
		p, err := s.openPair()
		if err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "End the new token %s of %s (last used %s), and keep the old one (id %d)?", idName(p.new), p.account.Name, timeText(p.new.LastUsedAt), p.old.ID); err != nil {
			return err
		}
		k, err := s.UndoRotation(s.ctx, p.account.ID, p.new.ID)
		if err != nil {
			return err
		}
		return s.done(k, "Undone: the new token %s is refused, and the old one, id %d, is as it was before. It expires: %s.", idName(p.new), k.ID, exactText(k.Expiration))
	}), &yes)
	cmd.Long = `Undo a rotation while the old token works: the new one is refused, and the old one
is as it was before, also when the new one has ended already. TOKEN is the name, or
the id of the old or the new token.`
	return cmd
}
