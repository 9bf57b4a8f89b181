package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Limits on guessing, and how long a right password is remembered.
const (
	maxWrong    = 10 // in guessWindow, for one account and for one address
	guessWindow = time.Minute
	rememberFor = 5 * time.Minute
	knownFor    = 24 * time.Hour
	maxBuckets  = 10_000
	maxRemember = 1_000
)

var (
	errWrongPassword = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "password-auth.failed", Message: "Invalid username or password"}
	errTooManyTries  = &hallpass.Error{Kind: hallpass.Limited, ID: "login-attempt.blocked", Message: "Invalid username or password"}
)

// passwords remembers right passwords and counts wrong ones. One account's
// passwords are checked one at a time, and so are those from one address that
// are not remembered: parallel guesses are counted exactly, and parallel right
// ones pay for argon2 once.
type passwords struct {
	key [32]byte // of the HMAC under which passwords are remembered

	mu       sync.Mutex
	right    map[[32]byte]remembered // guarded by mu
	wrong    map[string]*bucket      // guarded by mu
	knownAt  map[string]time.Time    // user and address that signed in; guarded by mu
	checking map[string]*turn        // guarded by mu
}

// remembered is a password that was right for the user as long as the user's
// hash is the same.
type remembered struct {
	user  hallpass.UserID
	hash  string
	until time.Time
}

// bucket counts wrong passwords in a window of time.
type bucket struct {
	until time.Time
	n     int
}

// turn is the queue of those who check passwords of one account, or from one
// address.
type turn struct {
	token   chan struct{}
	waiting int
}

func newPasswords() *passwords {
	return &passwords{
		right:    make(map[[32]byte]remembered),
		wrong:    make(map[string]*bucket),
		knownAt:  make(map[string]time.Time),
		checking: make(map[string]*turn),
	}
}

// Password returns the caller who presents a login or e-mail and a password. A
// zero org means the one the user works in. Unknown users, wrong passwords and
// disabled users are refused with one face and at one cost. The error's Kind is
// Unauthenticated, Limited after too many wrong passwords for the account or
// from the address, or Unavailable when it could not be checked.
func (v *Verifier) Password(ctx context.Context, login string, p secret.Text, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	now, ok := v.current()
	if !ok {
		return hallpass.Caller{}, errStale
	}
	var u hallpass.User
	var c hallpass.Caller
	err := v.db.Read(ctx, func(tx *store.Tx) (err error) {
		if err := v.recent(ctx, tx); err != nil {
			return err
		}
		if u, err = userByLogin(ctx, tx, login); err != nil {
			return err
		}
		c, err = tx.UserCaller(ctx, u, org)
		return err
	})
	if err != nil && !errors.Is(err, hallpass.NotFound) {
		return hallpass.Caller{}, unknowable(err)
	}
	c.From, c.Password = from, u.PasswordMark()
	account := v.passwords.bucketName(u, login, from.Address, now)
	address := "address:" + from.Address
	done, err := v.passwords.wait(ctx, account)
	if err != nil {
		return hallpass.Caller{}, unknowable(err)
	}
	defer done()
	if err := v.tooManyTries(c, now, account, address); err != nil {
		return hallpass.Caller{}, err
	}
	if v.passwords.remembers(u, p, now) && !u.Disabled {
		return c, nil
	}
	// Always after the account's turn, so that no two wait for each other.
	leave, err := v.passwords.wait(ctx, address)
	if err != nil {
		return hallpass.Caller{}, unknowable(err)
	}
	defer leave()
	if err := v.tooManyTries(c, now, account, address); err != nil { // others from the address may have guessed meanwhile
		return hallpass.Caller{}, err
	}
	ok, err = secret.CheckPassword(ctx, u.PasswordHash, p)
	if err != nil {
		return hallpass.Caller{}, unknowable(err)
	}
	if !ok || u.Disabled || u.ID == 0 {
		v.passwords.count(now, account, address)
		v.notePassword(c, errWrongPassword.ID)
		return hallpass.Caller{}, errWrongPassword
	}
	v.passwords.remember(u, p, from.Address, now)
	v.notePassword(c, "")
	return c, nil
}

// userByLogin returns the user who signs in by that name; NotFound also for what
// nobody's name can be, and a database may not take.
func userByLogin(ctx context.Context, tx *store.Tx, login string) (hallpass.User, error) {
	if hallpass.ValidateText("login", login, hallpass.MaxName) != nil {
		return hallpass.User{}, hallpass.NotFound
	}
	return tx.UserByLogin(ctx, login)
}

// tooManyTries returns the refusal of a try while one of the buckets is full.
func (v *Verifier) tooManyTries(c hallpass.Caller, now time.Time, buckets ...string) error {
	left := v.passwords.blocked(now, buckets...)
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
		At: v.now(), Org: c.Org, Actor: c.Principal, Action: "password.verify",
		Target: "user:" + strconv.FormatInt(c.Principal.ID, 10), Outcome: outcome, Reason: reason, From: c.From,
	})
}

// bucketName names the account's count of wrong passwords. An address from
// which the user signed in lately has a count of its own, so that strangers
// who guess cannot lock the user out.
func (p *passwords) bucketName(u hallpass.User, login, address string, now time.Time) string {
	if u.ID == 0 {
		return fmt.Sprintf("login:%x", sha256.Sum256([]byte(hallpass.NameKey(login))))
	}
	name := "user:" + strconv.FormatInt(int64(u.ID), 10)
	p.mu.Lock()
	defer p.mu.Unlock()
	if place := name + "@" + address; now.Before(p.knownAt[place]) {
		return place
	}
	return name
}

// wait waits for the turn of the account or address and returns the function
// that ends it.
func (p *passwords) wait(ctx context.Context, name string) (func(), error) {
	p.mu.Lock()
	t := p.checking[name]
	if t == nil {
		t = &turn{token: make(chan struct{}, 1)}
		p.checking[name] = t
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

// blocked returns how long the fuller of the buckets stays full, 0 if a try
// is allowed.
func (p *passwords) blocked(now time.Time, buckets ...string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var left time.Duration
	for _, name := range buckets {
		if b := p.wrong[name]; b != nil && b.n >= maxWrong && now.Before(b.until) {
			left = max(left, b.until.Sub(now))
		}
	}
	return left
}

// count adds a wrong password to the buckets.
func (p *passwords) count(now time.Time, buckets ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wrong) >= maxBuckets {
		for name, b := range p.wrong {
			if !now.Before(b.until) {
				delete(p.wrong, name)
			}
		}
	}
	for _, name := range buckets {
		b := p.wrong[name]
		if b == nil || !now.Before(b.until) {
			b = &bucket{until: now.Add(guessWindow)}
			p.wrong[name] = b
		}
		b.n++
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

func (p *passwords) remember(u hallpass.User, text secret.Text, address string, now time.Time) {
	key := p.mac(u, text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.right) >= maxRemember {
		clear(p.right)
	}
	if len(p.knownAt) >= maxBuckets {
		clear(p.knownAt)
	}
	p.right[key] = remembered{u.ID, u.PasswordHash, now.Add(rememberFor)}
	p.knownAt["user:"+strconv.FormatInt(int64(u.ID), 10)+"@"+address] = now.Add(knownFor)
}

// forget forgets the user's passwords.
func (p *passwords) forget(u hallpass.UserID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, r := range p.right {
		if r.user == u {
			delete(p.right, key)
		}
	}
}
