package verify

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/node"
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

// passwords verifies passwords. It remembers right ones, counts wrong ones, and
// has those who try from one place try one at a time: parallel guesses are counted
// exactly, and parallel right ones pay for argon2 once.
type passwords struct {
	db      *store.DB
	node    *node.Node
	record  func(hallpass.AuditEntry)
	only    string        // the login of the only user whose password is right; empty: everybody's may be
	reading chan struct{} // holds a value for each who reads a user: few, so that a crowd leaves the processor to verifications
	right   *rightPasswords
	queues  queues
	tries   *tries
}

func newPasswords(db *store.DB, n *node.Node, record func(hallpass.AuditEntry), only string) *passwords {
	reading := max(runtime.GOMAXPROCS(0)/2, 1)
	if db.Shared() {
		reading = 8 // they wait for the database and cost little here
	}
	return &passwords{db: db, node: n, record: record, only: only, reading: make(chan struct{}, reading), right: newRightPasswords(), tries: newTries()}
}

// Password returns the caller who presents a login or e-mail and a password. A
// zero org means the one the user works in. device is the cookie by which a
// browser is known again, if it has one. Unknown users, wrong passwords and
// disabled users are refused with one face and at one cost. The error's Kind is
// Unauthenticated, Limited after too many wrong passwords, or Unavailable when
// it could not be checked, for too many are being checked too.
func (v *Verifier) Password(ctx context.Context, login string, p secret.Text, org hallpass.OrgID, from hallpass.From, device string) (hallpass.Caller, error) {
	return v.passwords.verify(ctx, login, p, org, from, device)
}

func (ps *passwords) verify(ctx context.Context, login string, p secret.Text, org hallpass.OrgID, from hallpass.From, device string) (hallpass.Caller, error) {
	now, ok := ps.node.MayAnswer()
	if !ok {
		return hallpass.Caller{}, errStale
	}
	wait, cancel := context.WithTimeout(ctx, passwordWait)
	defer cancel()
	select {
	case ps.reading <- struct{}{}:
	case <-wait.Done():
		return hallpass.Caller{}, busyOr(ctx, wait.Err())
	}
	g, err := ps.read(ctx, askable(login), org, from.Address, device, now)
	<-ps.reading
	if err != nil {
		return hallpass.Caller{}, unknowable(err)
	}
	g.text, g.now = p, now
	g.caller.From, g.caller.Password = from, g.user.PasswordFingerprint()
	if err := ps.check(ctx, wait, g); err != nil {
		return hallpass.Caller{}, err
	}
	return g.caller, nil
}

// A guess is a password that is tried.
type guess struct {
	user   hallpass.User   // zero: nobody has the login
	caller hallpass.Caller // who calls if it is right
	text   secret.Text
	now    time.Time
	try    try // what it counts for
}

// check returns nil if the password is right. It waits no longer than wait lasts,
// for a turn and for the processor.
func (ps *passwords) check(ctx, wait context.Context, g guess) error {
	if done, err := ps.known(g); done {
		return err
	}
	leave, err := ps.queues.enter(wait, g.try.turn())
	if err != nil {
		return busyOr(ctx, err)
	}
	defer leave()
	if done, err := ps.known(g); done { // others from there may have tried meanwhile
		return err
	}
	ok, err := secret.CheckPassword(wait, g.user.PasswordHash, g.text, g.try.known, func() error { return ps.tooMany(g) })
	if errors.Is(err, hallpass.Limited) {
		return err
	}
	if err != nil {
		return busyOr(ctx, err)
	}
	if !ok || g.user.Disabled || g.user.ID == 0 || !ps.mayBeRight(g.user) {
		ps.tries.wrong(g.try, g.now)
		ps.audit(g.caller, errWrongPassword.ID)
		return errWrongPassword
	}
	ps.right.remember(g.user, g.text, g.now)
	ps.tries.right(g.try, g.now)
	ps.audit(g.caller, "")
	return nil
}

// mayBeRight reports whether the user may sign in by a password.
func (ps *passwords) mayBeRight(u hallpass.User) bool {
	return ps.only == "" || hallpass.NameKey(u.Login) == hallpass.NameKey(ps.only)
}

// known reports whether there is nothing to be checked, and then the result: too
// many tries were wrong, or the password was right lately.
func (ps *passwords) known(g guess) (bool, error) {
	if err := ps.tooMany(g); err != nil {
		return true, err
	}
	if g.user.Disabled || !ps.mayBeRight(g.user) || !ps.right.remembers(g.user, g.text, g.now) {
		return false, nil
	}
	ps.tries.right(g.try, g.now)
	return true, nil
}

// read reads who has the login, who calls then, and what the try counts for.
func (ps *passwords) read(ctx context.Context, login string, org hallpass.OrgID, address, device string, now time.Time) (g guess, err error) {
	err = ps.db.Read(ctx, func(tx *store.Tx) error {
		err := recent(ps.node, tx)
		if err != nil {
			return err
		}
		if g.user, err = tx.UserByLogin(login); err == nil {
			g.caller, err = tx.UserCaller(g.user, org)
		}
		if err != nil && !errors.Is(err, hallpass.NotFound) {
			return err
		}
		g.try, err = ps.tries.of(tx, g.user, login, address, device, now)
		return err
	})
	return g, err
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

// tooMany returns the refusal of a try while too many were wrong.
func (ps *passwords) tooMany(g guess) error {
	left := ps.tries.blocked(g.try, g.now)
	if left == 0 {
		return nil
	}
	ps.audit(g.caller, errTooManyTries.ID)
	e := *errTooManyTries
	e.RetryAfter = left
	return &e
}

// audit leaves an audit entry about a known user's password. Of a stranger's
// name nothing is kept: people type passwords there.
func (ps *passwords) audit(c hallpass.Caller, reason string) {
	if c.Principal.ID == 0 {
		return
	}
	outcome := hallpass.Done
	if reason != "" {
		outcome = hallpass.Refused
	}
	ps.record(hallpass.AuditEntry{
		At: ps.node.Now(), Org: c.Org, Actor: c.Principal, Action: "password.verify",
		Target: "user:" + strconv.FormatInt(c.Principal.ID, 10), Outcome: outcome, Reason: reason, From: c.From,
	})
}

// queues are those of the places from which passwords are tried. Its zero value is
// ready.
type queues struct {
	mu sync.Mutex
	of map[string]*queue // guarded by mu
}

// A queue holds those who try passwords from one place: one at a time.
type queue struct {
	turn    chan struct{}
	waiting int
}

// enter waits for the turn of a place and returns the function that ends it.
func (qs *queues) enter(ctx context.Context, place string) (leave func(), err error) {
	qs.mu.Lock()
	q := qs.of[place]
	if q == nil {
		if qs.of == nil {
			qs.of = make(map[string]*queue)
		}
		q = &queue{turn: make(chan struct{}, 1)}
		qs.of[place] = q
	}
	if q.waiting >= maxTurn {
		qs.mu.Unlock()
		return nil, secret.ErrBusy
	}
	q.waiting++
	qs.mu.Unlock()
	left := func() {
		qs.mu.Lock()
		defer qs.mu.Unlock()
		if q.waiting--; q.waiting == 0 {
			delete(qs.of, place)
		}
	}
	select {
	case q.turn <- struct{}{}:
		return func() { <-q.turn; left() }, nil
	case <-ctx.Done():
		left()
		return nil, ctx.Err()
	}
}

// rightPasswords remembers passwords that were right, under a key that only this
// process has.
type rightPasswords struct {
	key [32]byte // of the HMAC under which passwords are remembered

	mu   sync.Mutex
	list map[[32]byte]rightPassword // guarded by mu
}

// rightPassword is a password that was right for the user as long as the user's
// hash is the same.
type rightPassword struct {
	user  hallpass.UserID
	hash  string
	until time.Time
}

func newRightPasswords() *rightPasswords {
	r := &rightPasswords{list: make(map[[32]byte]rightPassword)}
	_, _ = rand.Read(r.key[:]) // never fails: crypto/rand aborts the program instead
	return r
}

// mac is the name under which a password is remembered: useless without the
// process's key.
func (r *rightPasswords) mac(u hallpass.User, text secret.Text) [32]byte {
	h := hmac.New(sha256.New, r.key[:])
	fmt.Fprintf(h, "%d:%s", u.ID, text.Reveal())
	return [32]byte(h.Sum(nil))
}

func (r *rightPasswords) remembers(u hallpass.User, text secret.Text, now time.Time) bool {
	if u.ID == 0 {
		return false
	}
	key := r.mac(u, text)
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.list[key]
	return ok && p.user == u.ID && p.hash == u.PasswordHash && now.Before(p.until)
}

func (r *rightPasswords) remember(u hallpass.User, text secret.Text, now time.Time) {
	key := r.mac(u, text)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list) >= maxRemember {
		clear(r.list)
	}
	r.list[key] = rightPassword{u.ID, u.PasswordHash, now.Add(rememberFor)}
}

// forget forgets the passwords of the user that a change is about. Changes for
// everybody leave them: they are compared with the hash that is stored now.
func (r *rightPasswords) forget(u hallpass.UserID) {
	if u == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.list, func(_ [32]byte, p rightPassword) bool { return p.user == u })
}
