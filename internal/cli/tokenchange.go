package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

func getToken(r *remote) *cobra.Command {
	return r.verb("get ACCOUNT TOKEN", "Show a token: its state, its last use and its limits", func(s *session) error {
		n, err := s.shown()
		if err != nil {
			return err
		}
		return s.printToken(n.Token, n.account)
	})
}

// printToken prints the record of a token. What it does not have is left out of the
// table.
func (s *session) printToken(k wire.Token, a wire.ServiceAccountProfile) error {
	t := table{rows: [][]string{
		{"id", number(k.ID)}, {"name", k.Name}, {"account", a.Name}, {"last four", k.LastFour}, {"state", stateOf(k, a.IsDisabled)},
		{"expires", exactText(k.Expiration)}, {"last used", lastUseText(k)},
	}}
	add := func(name, value string) {
		if value != "" {
			t.rows = append(t.rows, []string{name, value})
		}
	}
	if p := k.Paused; p != nil {
		add("paused", pauseText(*p))
	}
	if k.Generation > 1 {
		add("generation", fmt.Sprint(k.Generation))
	}
	add("replaces", optionalID(k.ReplacesID))
	add("replaced by", optionalID(k.ReplacedByID))
	if k.ClosesAt != nil && k.QuietSeconds != nil && !ended(k) {
		add("ends", fmt.Sprintf("at %s at the latest, earlier %s", exactText(k.ClosesAt), quietText(*k.QuietSeconds)))
	}
	for _, limit := range limitRows(k) {
		add(limit[0], limit[1])
	}
	if k.SelfRotate {
		add("replaces itself", "until "+exactText(k.RenewUntil))
	}
	add("owner", k.Owner)
	add("purpose", k.Purpose)
	add("created", strings.TrimSpace(exactText(&k.Created)+" "+k.CreatedBy))
	return s.print(k, declared(k.ProvisionedBy, t))
}

func optionalID(id *int64) string {
	if id == nil {
		return ""
	}
	return "id " + number(*id)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// lastUseText says when a token was last used, by whom and for what.
func lastUseText(k wire.Token) string {
	return strings.Join(strings.Fields(strings.Join([]string{exactText(k.LastUsedAt), text(k.LastUsedAddress), text(k.LastUsedUserAgent), text(k.LastUsedRoute)}, " ")), " ")
}

func pauseText(p wire.TokenPause) string {
	until := "until it is resumed"
	if p.Until != nil {
		until = "until " + exactText(p.Until)
	}
	if p.Reason != "" {
		until += ": " + p.Reason
	}
	return until
}

// aboutFlags are the flags about who answers for a token, what it is for, and until when
// it may replace itself.
type aboutFlags struct{ owner, purpose, selfRotate string }

func (f *aboutFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.owner, "owner", "", "who answers for the token: a name, a team or a mail address (default the account's owner)")
	flags.StringVar(&f.purpose, "purpose", "", "what the token is for (default the account's purpose)")
	flags.StringVar(&f.selfRotate, "self-rotate", "", "the token may replace itself (\"token rotate --self\") for so long from now, such as 90d")
}

// renewal returns until when the token may replace itself; nil if nothing was said.
func (f aboutFlags) renewal(now time.Time) (*time.Time, error) {
	if f.selfRotate == "" {
		return nil, nil
	}
	n, err := seconds("self-rotate", f.selfRotate)
	if err != nil {
		return nil, err
	}
	until := now.Add(time.Duration(n) * time.Second).UTC().Truncate(time.Second)
	return &until, nil
}

func updateToken(r *remote) *cobra.Command {
	var f aboutFlags
	var name string
	cmd := r.verb("update ACCOUNT TOKEN", "Change the name, owner or purpose of a token, and whether it may replace itself", func(s *session) error {
		var in wire.UpdateToken
		for flag, to := range map[string]*wire.Field[string]{"name": &in.Name, "owner": &in.Owner, "purpose": &in.Purpose} {
			if v := s.cmd.Flags().Lookup(flag); v.Changed {
				*to = wire.To(v.Value.String())
			}
		}
		if f.selfRotate == "never" {
			in.SelfRotate, in.RenewUntil = wire.To(false), wire.Null[time.Time]()
		} else if until, err := f.renewal(time.Now()); err != nil {
			return err
		} else if until != nil {
			in.SelfRotate, in.RenewUntil = wire.To(true), wire.To(*until)
		}
		if in == (wire.UpdateToken{}) {
			return errNothingToChange
		}
		n, err := s.toChange()
		if err != nil {
			return err
		}
		return s.changed(n, in)
	})
	cmd.Long = `Change what a token is called, who answers for it and what it is for; an empty owner
or purpose is that of its account. With --self-rotate the token may replace itself
with "token rotate --self" until then; never takes that back. To change what a token
may do use "token narrow"; to give it a longer life use "token rotate".`
	cmd.Flags().StringVar(&name, "name", "", "the new name")
	f.flags(cmd)
	return cmd
}

// changed changes a token and prints it, with the warnings of the server.
func (s *session) changed(n named, in wire.UpdateToken) error {
	k, err := s.UpdateToken(s.ctx, n.account.ID, n.ID, in)
	if err != nil && in.Name.Value != nil {
		err = s.tokenTaken(err, *in.Name.Value)
	}
	if err != nil {
		return err
	}
	for _, w := range k.Warnings {
		if err := s.say("warning: %s", w); err != nil {
			return err
		}
	}
	return s.printToken(k, n.account)
}

func pauseToken(r *remote) *cobra.Command {
	var howLong, reason string
	cmd := r.verb("pause ACCOUNT TOKEN", "Refuse a token for a while: nothing is lost, and it can be resumed", func(s *session) error {
		n, err := s.given("for", howLong)
		if err != nil {
			return err
		}
		if n != nil && *n == 0 {
			return fmt.Errorf("--for must be at least 1m; without it the token is paused until it is resumed")
		}
		k, err := s.toChange()
		if err != nil {
			return err
		}
		var d time.Duration
		if n != nil {
			d = time.Duration(*n) * time.Second
		}
		out, err := s.PauseToken(s.ctx, k.account.ID, k.ID, d, reason)
		if err != nil {
			return err
		}
		until := "until it is resumed"
		if out.Paused != nil && out.Paused.Until != nil {
			until = "until " + exactText(out.Paused.Until)
		}
		return s.done(out, "Paused %s %s: every server refuses it. To end the pause: %s", k.say(), until, s.line("resume"))
	})
	cmd.Long = `Refuse a token until it is resumed, or for as long as --for says. When the command
returns, every server refuses the token. Use it to see what breaks before a token is
deleted. "sa impact --pause --token" shows beforehand what will be refused.`
	cmd.Example = `  hallpass token pause ci deploy --for 15m --reason "who uses this?"`
	cmd.Flags().StringVar(&howLong, "for", "", "end the pause by itself after so long: 15m, 12h or 30d (default until it is resumed)")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit and for who asks later")
	return cmd
}

func resumeToken(r *remote) *cobra.Command {
	return r.verb("resume ACCOUNT TOKEN", "End the pause of a token", func(s *session) error {
		k, err := s.toChange()
		if err != nil {
			return err
		}
		if k.Paused == nil {
			return fmt.Errorf("%s is not paused: it is %s", k.say(), stateOf(k.Token, k.account.IsDisabled))
		}
		out, err := s.ResumeToken(s.ctx, k.account.ID, k.ID)
		if err != nil {
			return err
		}
		return s.done(out, "Resumed %s. It is %s.", k.say(), stateOf(out, k.account.IsDisabled))
	})
}

func pruneTokens(r *remote) *cobra.Command {
	var yes bool
	cmd := yesFlag(r.verb("prune ACCOUNT", "Delete the tokens of an account that have ended", func(s *session) error {
		a, err := s.FindServiceAccount(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		list, err := s.Tokens(s.ctx, a.ID)
		if err != nil {
			return err
		}
		n := 0
		for _, k := range list {
			if ended(k) {
				n++
			}
		}
		if err := confirm(s.cmd, yes, "Delete %s of %s with their usage?", hallpass.Counted(n, "ended token"), a.Name); err != nil {
			return err
		}
		out, err := s.DeleteDeadTokens(s.ctx, a.ID)
		if err != nil {
			return err
		}
		return s.done(out, "Deleted %s of %s.", hallpass.Counted(out.Deleted, "ended token"), a.Name)
	}), &yes)
	cmd.Long = `Delete the tokens of an account that have expired, were revoked or were replaced, as
the server does by itself after 90 days. A tool that still keeps one of them, as
Terraform does, makes a new one.`
	return cmd
}
