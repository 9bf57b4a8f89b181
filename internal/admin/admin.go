package admin

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Options sets up an Admin. Zero values are useful.
type Options struct {
	Now             func() time.Time      // nil: time.Now
	TokenPolicy     hallpass.TokenPolicy  // bounds on new tokens
	WeakPasswords   bool                  // take any password that is not empty (SEC-24 is then not met)
	Settings        Settings              // what holds, to be shown
	AnyPermission   bool                  // take permissions of any form into custom roles
	SessionIdle     time.Duration         // how long a session may rest unused; 0: 7 days
	SessionLifetime time.Duration         // how long a session lasts; 0: 30 days
	SignIn          hallpass.SignInPolicy // who may sign in by an outside issuer; zero: nobody
	PasswordOf      string                // the login of the only user whose password works; empty: everybody's does
	RotationGrace   time.Duration         // how long a token that was replaced works on at most; 0: a day
	Rate            hallpass.RateLimit    // of tokens that have none of their own
	TrustsProxies   bool                  // proxies tell the addresses of clients
	Proxied         func() bool           // whether a request told that it came through a proxy, while none is trusted; nil: nobody knows
	Itself          []string              // the URLs of this server, which no guard protects; "" is none
	Outgoing        Outgoing              // what is set up for notices
	// Permitted is told on which scope a caller was permitted to do the action, each time it
	// was asked for on one, with the context of the request; nil: nobody is told.
	Permitted func(context.Context, hallpass.Action, hallpass.Scope)
}

// Settings is the server's configuration by section and key, without secrets.
type Settings map[string]map[string]string

// An Admin changes and lists what the store holds. It is safe for concurrent
// use.
type Admin struct {
	db   *store.DB
	now  func() time.Time
	o    Options
	orgs orgs

	proving sync.Mutex                  // held while the audit is proved
	proved  atomic.Pointer[AuditProved] // the newest proof
}

// New returns an Admin on db, which it listens to from then on.
func New(db *store.DB, o Options) *Admin {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SessionIdle == 0 {
		o.SessionIdle = 7 * 24 * time.Hour
	}
	if o.SessionLifetime == 0 {
		o.SessionLifetime = 30 * 24 * time.Hour
	}
	if o.RotationGrace == 0 {
		o.RotationGrace = 24 * time.Hour
	}
	a := &Admin{db: db, o: o, now: func() time.Time { return o.Now().UTC().Truncate(time.Microsecond) }}
	db.Subscribe(func(e store.ChangeEvent) { a.orgs.coherence.Changed(e, a.orgs.forget) })
	return a
}

// Now returns the time that rules are applied at.
func (a *Admin) Now() time.Time { return a.now() }

// TokenPolicy returns the bounds on the lifetime of new tokens.
func (a *Admin) TokenPolicy() hallpass.TokenPolicy { return a.o.TokenPolicy }

// refused records err in the audit if it is a refusal of the caller, and
// returns it. The caller's first within the minute is on disk before it is
// answered, and if that fails the failure is answered; those after it are
// written together within seconds.
func (a *Admin) refused(ctx context.Context, c hallpass.Caller, err error, demanded, target string) error {
	if err == nil {
		return nil
	}
	var e *hallpass.Error
	if !errors.As(err, &e) || e.Kind != hallpass.Denied {
		return err
	}
	entry := a.entry(c, demanded, target)
	entry.Outcome, entry.Reason = hallpass.Refused, e.ID
	if e.Needs != "" {
		entry.Reason = "lacks " + e.Needs
	}
	if a.db.RecordAudit(entry) {
		if err := a.db.FlushAudit(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	return err
}

// Refuse records that the caller was refused by a door, and returns the refusal: a
// Denied error. action and target say what was tried.
func (a *Admin) Refuse(ctx context.Context, c hallpass.Caller, refusal error, action, target string) error {
	return a.refused(ctx, c, refusal, action, target)
}

// entry returns an audit entry of what the caller did.
func (a *Admin) entry(c hallpass.Caller, action, target string) hallpass.AuditEntry {
	return hallpass.AuditEntry{
		At: a.now(), Org: c.Org, Actor: c.Principal, Token: c.Token, Action: action, Target: target, Outcome: hallpass.Done, From: c.From,
	}
}

// need is what a read or change demands of its caller.
type need struct {
	action hallpass.Action
	scope  hallpass.Scope
	where  where
	users  bool           // a service account may not, whatever it holds
	target hallpass.Scope // what the audit names in the place of the scope; "": the scope
}

// named returns what the audit names of the need.
func (n need) named() (demanded, target string) {
	return string(n.action), string(cmp.Or(n.target, n.scope))
}

// permitted tells that the caller was permitted what is needed.
func (a *Admin) permitted(ctx context.Context, n need) {
	if a.o.Permitted != nil && n.scope != "" && n.where != nowhere {
		a.o.Permitted(ctx, n.action, n.scope)
	}
}

// asked ends what needed n: it records err if it is a refusal of the caller, and returns it.
func (a *Admin) asked(ctx context.Context, c hallpass.Caller, n need, err error) error {
	if err == nil {
		a.permitted(ctx, n)
		return nil
	}
	demanded, target := n.named()
	return a.refused(ctx, c, err, demanded, target)
}

// where says where the caller must hold the permission.
type where uint8

const (
	inOrg       where = iota // in the org that the caller acts in
	onServer                 // on the server as a whole
	afterLookUp              // the read or change authorizes the caller itself, once it has found the thing
	nowhere                  // no permission is needed
)

// self is the need of what users do to themselves: no permission.
var self = need{action: "user.self", scope: "user", where: nowhere, users: true}

var errUsersOnly = &hallpass.Error{Kind: hallpass.Denied, ID: "user.only", Message: "Endpoint only available for users"}

// authorize returns a Denied error unless the caller has what is needed.
func (n need) authorize(c hallpass.Caller) error {
	switch {
	case n.users && c.User() == 0:
		return errUsersOnly
	case n.where == onServer:
		return c.AuthorizeOnServer(n.action, n.scope)
	case n.where == inOrg:
		return c.Authorize(n.action, n.scope)
	}
	return nil
}

// authorize returns nil if the caller has what is needed, and else records the
// refusal and returns it.
func (a *Admin) authorize(ctx context.Context, c hallpass.Caller, n need) error {
	return a.asked(ctx, c, n, n.authorize(c))
}

// Authorize returns nil if the caller may do action on scope, and else records
// the refusal and returns it: Denied, naming what is missing.
func (a *Admin) Authorize(ctx context.Context, c hallpass.Caller, action hallpass.Action, scope hallpass.Scope) error {
	return a.authorize(ctx, c, need{action: action, scope: scope})
}

// AuthorizeOnServer is Authorize for what concerns the server as a whole.
func (a *Admin) AuthorizeOnServer(ctx context.Context, c hallpass.Caller, action hallpass.Action, scope hallpass.Scope) error {
	return a.authorize(ctx, c, need{action: action, scope: scope, where: onServer})
}

// read runs fn on a consistent view, after the caller was authorized, and
// records a refusal.
func (a *Admin) read(ctx context.Context, c hallpass.Caller, n need, fn func(*store.Tx) error) error {
	err := n.authorize(c)
	if err == nil {
		err = a.db.Read(ctx, fn)
	}
	return a.asked(ctx, c, n, err)
}

var errGone = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "auth.unauthorized", Message: "Unauthorized"}

// reread returns the caller as the database has it now: a change is never made
// on the word of a memory.
func (a *Admin) reread(tx *store.Tx, c hallpass.Caller) (now hallpass.Caller, err error) {
	switch {
	case c.Token != 0:
		now, err = a.rereadToken(tx, c)
	case c.User() != 0:
		now, err = a.rereadUser(tx, c)
	default:
		return c, errGone
	}
	if errors.Is(err, hallpass.NotFound) {
		err = errGone
	}
	now.Token, now.Session, now.Password, now.Expires, now.From = c.Token, c.Session, c.Password, c.Expires, c.From
	return now, err
}

func (a *Admin) rereadToken(tx *store.Tx, c hallpass.Caller) (hallpass.Caller, error) {
	t, err := tx.Token(c.Org, c.ServiceAccount(), c.Token)
	if err != nil {
		return c, err
	}
	account, err := tx.ServiceAccount(c.Org, c.ServiceAccount())
	if err != nil {
		return c, err
	}
	if !t.State(a.now(), account.Disabled).Works() {
		return c, errGone
	}
	whole, err := tx.ServiceAccountCaller(account)
	if err != nil {
		return c, err
	}
	ceiling, err := tx.Ceiling(account.Org, t.Limits)
	return whole.Under(ceiling), err
}

func (a *Admin) rereadUser(tx *store.Tx, c hallpass.Caller) (hallpass.Caller, error) {
	u, err := tx.User(c.User())
	if err != nil {
		return c, err
	}
	if u.Disabled || c.Password != [32]byte{} && c.Password != u.PasswordFingerprint() {
		return c, errGone
	}
	if c.Session != 0 {
		s, err := tx.Session(c.Session)
		if err != nil {
			return c, err
		}
		if !s.Live(a.now(), a.o.SessionIdle) || !s.From(a.o.SignIn.Issuer) {
			return c, errGone
		}
	}
	return tx.UserCaller(u, c.Org)
}

func target(noun string, id int64) string { return noun + ":" + strconv.FormatInt(id, 10) }
