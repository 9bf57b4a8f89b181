package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// How long a right password is remembered, and how long one waits to have a
// password checked at all: whoever asks is to be answered within five seconds.
const (
	rememberFor  = 5 * time.Minute
	maxRemember  = 1_000
	passwordWait = 4 * time.Second
	maxTurn      = 500 // who wait for one turn
)

var (
	errWrongPassword = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "password-auth.failed", Message: "Invalid username or password"}
	errTooManyTries  = &hallpass.Error{Kind: hallpass.Limited, ID: "login-attempt.blocked", Message: "Invalid username or password"}
)

// passwords remembers right passwords and has those who try from one place try
// one at a time: parallel guesses are counted exactly, and parallel right ones
// pay for argon2 once.
type passwords struct {
	key     [32]byte      // of the HMAC under which passwords are remembered
	reading chan struct{} // holds a value for each who reads a user: few, so that a crowd leaves the processor to verifications

	mu       sync.Mutex
	right    map[[32]byte]remembered // guarded by mu
	checking map[string]*turn        // guarded by mu
}

// remembered is a password that was right for the user as long as the user's
// hash is the same.
type remembered struct {
	user  hallpass.UserID
	hash  string
	until time.Time
}

// turn is the queue of those who try passwords from one place.
type turn struct {
	token   chan struct{}
	waiting int
}

// newPasswords is told how many may read users at once.
func newPasswords(reading int) *passwords {
	return &passwords{
		reading:  make(chan struct{}, reading),
		right:    make(map[[32]byte]remembered),
		checking: make(map[string]*turn),
	}
}

// Password returns the caller who presents a login or e-mail and a password. A
// zero org means the one the user works in. device is the cookie by which a
// browser is known again, if it has one. Unknown users, wrong passwords and
// disabled users are refused with one face and at one cost. The error's Kind is
// Unauthenticated, Limited after too many wrong passwords, or Unavailable when
// it could not be checked, for too many are being checked too.
func (v *Verifier) Password(ctx context.Context, login string, p secret.Text, org hallpass.OrgID, from hallpass.From, device string) (hallpass.Caller, error) {
	now, ok := v.node.MayAnswer()
	if !ok {
		return hallpass.Caller{}, errStale
	}
	wait, cancel := context.WithTimeout(ctx, passwordWait)
	defer cancel()
	select {
	case v.passwords.reading <- struct{}{}:
	case <-wait.Done():
		return hallpass.Caller{}, busyOr(ctx, wait.Err())
	}
	u, c, t, err := v.readTry(ctx, askable(login), org, from.Address, device, now)
	<-v.passwords.reading
	if err != nil {
		return hallpass.Caller{}, unknowable(err)
	}
	c.From, c.Password = from, u.PasswordMark()
	if err := v.tooManyTries(c, t, now); err != nil {
		return hallpass.Caller{}, err
	}
	if v.passwords.remembers(u, p, now) && !u.Disabled {
		v.tries.right(t, now)
		return c, nil
	}
	done, err := v.passwords.wait(wait, t.turn())
	if err != nil {
		return hallpass.Caller{}, busyOr(ctx, err)
	}
	defer done()
	if err := v.tooManyTries(c, t, now); err != nil { // others from there may have guessed meanwhile
		return hallpass.Caller{}, err
	}
	if v.passwords.remembers(u, p, now) && !u.Disabled {
		v.tries.right(t, now)
		return c, nil
	}
	ok, err = secret.CheckPassword(wait, u.PasswordHash, p, t.known, func() error { return v.tooManyTries(c, t, now) })
	if errors.Is(err, hallpass.Limited) {
		return hallpass.Caller{}, err
	}
	if err != nil {
		return hallpass.Caller{}, busyOr(ctx, err)
	}
	if !ok || u.Disabled || u.ID == 0 {
		v.tries.wrong(t, now)
		v.notePassword(c, errWrongPassword.ID)
		return hallpass.Caller{}, errWrongPassword
	}
	v.passwords.remember(u, p, now)
	v.tries.right(t, now)
	v.notePassword(c, "")
	return c, nil
}

// readTry reads who has the login, who calls then, and what the try counts for.
func (v *Verifier) readTry(ctx context.Context, login string, org hallpass.OrgID, address, device string, now time.Time) (u hallpass.User, c hallpass.Caller, t try, err error) {
	err = v.db.Read(ctx, func(tx *store.Tx) error {
		err := v.recent(tx)
		if err != nil {
			return err
		}
		if u, err = tx.UserByLogin(login); err == nil {
			c, err = tx.UserCaller(u, org)
		}
		if err != nil && !errors.Is(err, hallpass.NotFound) {
			return err
		}
		t, err = v.tries.of(tx, u, login, address, device, now)
		return err
	})
	return u, c, t, err
}

// maxLogin is longer than any login, in bytes.
const maxLogin = 4*hallpass.MaxName + 1

// nobody is a login that is longer than one can be.
var nobody = strings.Repeat("?", maxLogin)

// askable returns the login as every database can be asked for it: no longer than
// it must be to be unknown. What is not UTF-8 or holds NUL, which PostgreSQL does
// not take, is nobody's.
func askable(login string) string {
	if !utf8.ValidString(login) || strings.ContainsRune(login, 0) {
		return nobody
	}
	return strings.ToValidUTF8(login[:min(len(login), maxLogin)], "?")
}

// busyOr tells a wait that took too long from other failures: those of the
// caller, who went away, and of the database.
func busyOr(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return secret.ErrBusy
	}
	return unknowable(err)
}

// tooManyTries returns the refusal of a try while too many were wrong.
func (v *Verifier) tooManyTries(c hallpass.Caller, t try, now time.Time) error {
	left := v.tries.blocked(t, now)
	if left == 0 {
		return nil
	}
	v.notePassword(c, errTooManyTries.ID)
	e := *errTooManyTries
	e.RetryAfter = left
	return &e
}

// notePassword leaves an audit entry about a known user's password. Of a
// stranger's name nothing is kept: people type passwords there.
func (v *Verifier) notePassword(c hallpass.Caller, reason string) {
	if c.Principal.ID == 0 {
		return
	}
	outcome := hallpass.Done
	if reason != "" {
		outcome = hallpass.Refused
	}
	v.note(hallpass.AuditEntry{
		At: v.node.Now(), Org: c.Org, Actor: c.Principal, Action: "password.verify",
		Target: "user:" + strconv.FormatInt(c.Principal.ID, 10), Outcome: outcome, Reason: reason, From: c.From,
	})
}

// wait waits for the turn of a place and returns the function that ends it.
func (p *passwords) wait(ctx context.Context, name string) (func(), error) {
	p.mu.Lock()
	t := p.checking[name]
	if t == nil {
		t = &turn{token: make(chan struct{}, 1)}
		p.checking[name] = t
	}
	if t.waiting >= maxTurn {
		p.mu.Unlock()
		return nil, secret.ErrBusy
	}
	t.waiting++
	p.mu.Unlock()
	leave := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if t.waiting--; t.waiting == 0 {
			delete(p.checking, name)
		}
	}
	select {
	case t.token <- struct{}{}:
		return func() { <-t.token; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// mac is the name under which a password is remembered: useless without the
// process's key.
func (p *passwords) mac(u hallpass.User, text secret.Text) [32]byte {
	h := hmac.New(sha256.New, p.key[:])
	fmt.Fprintf(h, "%d:%s", u.ID, text.Reveal())
	return [32]byte(h.Sum(nil))
}

func (p *passwords) remembers(u hallpass.User, text secret.Text, now time.Time) bool {
	if u.ID == 0 {
		return false
	}
	key := p.mac(u, text)
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.right[key]
	return ok && r.user == u.ID && r.hash == u.PasswordHash && now.Before(r.until)
}

func (p *passwords) remember(u hallpass.User, text secret.Text, now time.Time) {
	key := p.mac(u, text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.right) >= maxRemember {
		clear(p.right)
	}
	p.right[key] = remembered{u.ID, u.PasswordHash, now.Add(rememberFor)}
}

// forget forgets the passwords of those whom a change reaches.
func (p *passwords) forget(reach hallpass.Reach) {
	if !reach.Everybody && reach.User == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.right, func(_ [32]byte, r remembered) bool { return reach.Everybody || r.user == reach.User })
}
