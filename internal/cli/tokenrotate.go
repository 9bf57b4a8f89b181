package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

// rotateFlags are the flags of token rotate.
type rotateFlags struct {
	grace, quiet, ttl, reason, key string
	self                           bool
}

func rotateToken(r *remote) *cobra.Command {
	var f rotateFlags
	cmd := r.verb("rotate ACCOUNT TOKEN", "Replace a token: print the new secret, while the old one works on for a while", func(s *session) error { return s.rotate(f) })
	named, run := cmd.Args, cmd.RunE
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if f.self && len(args) > 0 {
			return errors.New("--self takes no arguments: it reads the token from stdin")
		}
		if f.self {
			return nil
		}
		return named(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.self {
			return r.rotateSelf(cmd, f)
		}
		return run(cmd, args)
	}
	cmd.Long = `Make a token that replaces TOKEN. It has the same name and the same limits, and its
own lifetime. Only its secret is written to stdout; the server keeps no copy.

Both tokens work. Give the new secret to each program that uses the old one. The
old token ends by itself: when the new one was used and nobody has used the old one
for --quiet, or when --grace is over. "token watch" shows who still uses it,
"token retire" ends it at once, "token extend" gives it more time, and "token undo"
ends the new token and keeps the old one.

When the answer is lost on its way, the command asks again, under the same key, so
that no second token is made. When you have lost the secret yourself, run the
command again within ten minutes with the --idempotency-key that it printed.

With --self the token on stdin replaces itself. It needs no context, and the token
needs no permission: an administrator allows it with "token update".`
	cmd.Example = `  hallpass token rotate ci deploy | gh secret set DEPLOY_TOKEN
  hallpass token rotate ci deploy --grace 7d --quiet 1h --reason quarterly > new
  hallpass token rotate --self --server https://hallpass.example.com < token > new && mv new token`
	f.flags(cmd)
	return cmd
}

func (f *rotateFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.grace, "grace", "", "how long the old token works on at most: 24h, 7d, 0s to end it now (default the server's, usually 1d)")
	flags.StringVar(&f.quiet, "quiet", "", "the old token ends earlier when nobody has used it for so long; 0s: at the first use of the new one (default 10m)")
	flags.StringVar(&f.ttl, "ttl", "", "the lifetime of the new token: 30d, 12h or never (default as long as the old one had)")
	flags.StringVar(&f.reason, "reason", "", "why, for the audit")
	flags.StringVar(&f.key, "idempotency-key", "", "ask again for the answer to an earlier run that used this key (default a new key)")
	flags.BoolVar(&f.self, "self", false, "replace the token that is read from stdin, with the right of that token alone")
}

// input returns the body of the request.
func (f rotateFlags) input(s *session) (in wire.RotateToken, err error) {
	in.Reason = f.reason
	if in.GraceSeconds, err = s.given("grace", f.grace); err != nil {
		return in, err
	}
	if in.QuietSeconds, err = s.given("quiet", f.quiet); err != nil {
		return in, err
	}
	if s.cmd.Flags().Changed("ttl") {
		ttl, err := parseTTL(f.ttl)
		in.SecondsToLive = &ttl
		return in, err
	}
	return in, nil
}

func (s *session) rotate(f rotateFlags) error {
	in, err := f.input(s)
	if err != nil {
		return err
	}
	n, err := s.named()
	if err != nil {
		return err
	}
	old, err := s.replaceable(n, f.key)
	if err != nil {
		return err
	}
	made, key, err := onceMore(s, f.key, func(key string) (wire.RotatedToken, error) {
		return s.RotateToken(s.ctx, n.account.ID, old.ID, in, key)
	})
	if err != nil {
		return err
	}
	if err := s.printRotated(made, key); err != nil || s.json {
		return err
	}
	if made.Replaces.ClosesAt.Before(time.Now()) {
		return nil
	}
	next := []string{s.args[0], number(made.ID)}
	if err := s.say("Who still uses the old one: %s", shellLine(append([]string{"token", "watch"}, next...)...)); err != nil {
		return err
	}
	return s.say("To go back to it: %s", shellLine(append([]string{"token", "undo"}, next...)...))
}

// sameAnswer is how long the server gives the answer to a key again, with some room for
// clocks that differ.
const sameAnswer = 15 * time.Minute

// replaceable returns the token to replace: the named one, or the one that it replaced
// when the key may be that of the rotation which made it. A name whose token is being
// replaced is refused, because a command that was run twice would replace it twice.
func (s *session) replaceable(n named, key string) (wire.Token, error) {
	before := tokenOf(n.all, n.ReplacesID)
	open := pair{old: before, new: n.Token}.open()
	if before.ID == 0 || s.args[1] == number(n.ID) {
		return n.Token, nil
	}
	if key != "" && (open || time.Since(n.Created) < sameAnswer) {
		return before, nil
	}
	if open {
		return n.Token, fmt.Errorf("the token %s is being replaced by %s already: %q shows who still uses it; to replace the new one as well give its id, %d", idName(before), idName(n.Token), s.line("watch"), n.ID)
	}
	return n.Token, nil
}

// printRotated prints the new secret, and what becomes of the old one.
func (s *session) printRotated(made wire.RotatedToken, key string) error {
	if s.json {
		return s.printJSON(made)
	}
	if err := s.printSecret(made.Key, fmt.Sprintf("the token %s (id %d)", made.Name, made.ID), key); err != nil {
		return err
	}
	expires := "never expires"
	if made.Expiration != nil {
		expires = "expires at " + exactText(made.Expiration)
	}
	again := ""
	if made.Replayed {
		again = " This is the answer to the earlier request, with another secret: the first one does not work."
	}
	old := made.Replaces
	if err := s.say("Replaced the token %s (id %d, …%s) by id %d, which %s.%s", made.Name, old.ID, old.LastFour, made.ID, expires, again); err != nil {
		return err
	}
	ends := "The old one does not work any more."
	if old.ClosesAt.After(time.Now()) {
		ends = fmt.Sprintf("The old one works until %s at the latest. It ends earlier %s.", exactText(&old.ClosesAt), quietText(old.QuietSeconds))
	}
	if err := s.say("%s", ends); err != nil || key == "" {
		return err
	}
	return s.say("If the secret gets lost: within ten minutes, run the command again with --idempotency-key %s", key)
}

// quietText says when an old token ends before its time.
func quietText(seconds int64) string {
	if seconds == 0 {
		return "when the new one is first used"
	}
	return "when the new one was used and nobody has used the old one for " + spanText(seconds)
}

// printSecret writes the secret of a token that was made, alone on stdout, so that it can
// be piped into a secret store.
func (s *session) printSecret(key, of, idempotency string) error {
	if _, err := fmt.Fprintln(s.out, key); err != nil {
		return fmt.Errorf("%s was made, but its secret could not be written: run the command again within ten minutes with --idempotency-key %s: %w", of, idempotency, err)
	}
	return nil
}

// tries is how often a request is sent whose answer is lost.
const tries = 4

// onceMore makes a request under the key, or under a new one, and repeats it when its
// answer is lost. The server makes one token for one key. It returns the key.
func onceMore[T any](s *session, key string, fn func(key string) (T, error)) (T, string, error) {
	made := key == ""
	if made {
		key = rand.Text()
	}
	for n := 1; ; n++ {
		out, err := fn(key)
		wait, lost := lostAnswer(err)
		if err == nil || wait == 0 || s.ctx.Err() != nil || n == tries {
			if lost && made {
				err = fmt.Errorf("%w; the server may have made the token all the same: to ask for it within ten minutes, run the command again with --idempotency-key %s", s.told(err), key)
			}
			return out, key, err
		}
		if !sleep(s.ctx, wait) {
			return out, key, s.ctx.Err()
		}
	}
}

// mostWait is the longest that a command waits because the server asks it to.
const mostWait = 30 * time.Second

// lostAnswer returns how long to wait before the request is sent again, 0 if it is not to
// be, and whether the server may have done what was asked.
func lostAnswer(err error) (wait time.Duration, lost bool) {
	var answer *client.Error
	var way *url.Error
	switch {
	case errors.As(err, &answer) && answer.RetryAfter > 0:
		if answer.RetryAfter > mostWait {
			return 0, false
		}
		return answer.RetryAfter, answer.Status != http.StatusTooManyRequests
	case errors.As(err, &answer) && answer.Status >= http.StatusInternalServerError:
		return retryWait, true
	case errors.As(err, &way):
		return retryWait, true
	}
	return 0, false
}

// retryWait is the pause after an answer that was lost. For two seconds the server refuses
// the key, because the first answer may still be on its way.
const retryWait = 2 * time.Second

// sleep waits; false: ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// rotateSelf replaces the token on stdin.
func (r *remote) rotateSelf(cmd *cobra.Command, f rotateFlags) error {
	s, err := r.openSelf(cmd)
	if err != nil {
		return err
	}
	in, err := f.input(s)
	if err != nil {
		return err
	}
	made, key, err := onceMore(s, f.key, func(key string) (wire.RotatedToken, error) { return s.RotateSelf(s.ctx, in, key) })
	var answer *client.Error
	if errors.As(err, &answer) && answer.Status == http.StatusUnauthorized {
		return &toldError{printable("the token on stdin is refused: " + answer.Error()), err}
	}
	if err != nil {
		return s.told(err)
	}
	if made.Replaces.ClosesAt.Before(time.Now()) {
		key = "" // it cannot ask again: it is refused
	}
	return s.printRotated(made, key)
}

// openSelf returns a session that sends the token on stdin, to --server or to the server of
// a context.
func (r *remote) openSelf(cmd *cobra.Command) (*session, error) {
	p, err := newPrinter(cmd, r.output)
	if err != nil {
		return nil, err
	}
	server, err := r.where()
	if err != nil {
		return nil, err
	}
	if plain(server) {
		if err := p.say("%s", plainWarning); err != nil {
			return nil, err
		}
	}
	text, err := loginSecret(cmd, "")
	if err != nil {
		return nil, tell(err, server, cmd)
	}
	e := entry{Server: server, Secret: text}
	return &session{Client: e.client(), printer: p, ctx: cmd.Context(), cmd: cmd, used: e}, nil
}

// where returns the server that the flags name, with or without a context for it.
func (r *remote) where() (string, error) {
	if r.server != "" {
		server, err := cleanURL(r.server)
		if err != nil {
			return "", fmt.Errorf("--server: %w", err)
		}
		return server, nil
	}
	file, err := loadContexts()
	if err != nil {
		return "", err
	}
	_, e, err := file.pick(r.context, "")
	if errors.Is(err, errNoContext) {
		return "", errors.New("there is no context: name the server with --server")
	}
	return e.Server, err
}
