package verify

import (
	"encoding/binary"
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// cache keeps the identities behind live tokens, keyed by the tokens' hashes.
//
// It is a table of small sets: a hash names two of them, and a look-up compares
// the few entries there without a lock. A new entry goes to the emptier of its two
// sets: so the table fills up almost whole before an entry has to leave. With one
// set for each hash, one token in twelve had no room when three quarters of the
// table were in use. The table is written within Keep and
// Changed of coherence alone. An entry that was revoked, or whose account changed,
// is marked before it is taken out, so that a reader who holds it already sees that
// too.
type cache struct {
	sets      []set
	coherence store.Coherence
	accounts  map[hallpass.ServiceAccountID]*account // guarded by coherence
	listed    map[string]*listed                     // by what they hold; guarded by coherence
	held      atomic.Int64                           // entries in the table
}

const ways = 8

// set is one of the small sets of a cache.
type set [ways]atomic.Pointer[entry]

// find returns the token's entry and the slot that holds it, nil if there is none.
func (s *set) find(hash *[32]byte) (*entry, *atomic.Pointer[entry]) {
	for i := range s {
		if e := s[i].Load(); e != nil && e.hash == *hash {
			return e, &s[i]
		}
	}
	return nil, nil
}

// free returns how many slots are empty, and one of them.
func (s *set) free() (n int, slot *atomic.Pointer[entry]) {
	for i := range s {
		if s[i].Load() == nil {
			n, slot = n+1, &s[i]
		}
	}
	return n, slot
}

// entry is the identity behind one token.
type entry struct {
	hash    [32]byte
	token   hallpass.TokenID
	ends    int64 // UTC microseconds, 0 = never
	paused  int64 // UTC microseconds of the end of its pause; 0 = it has none, forever = somebody has to end it
	account *account
	limits  *limits // nil: it has none

	rotated   bool // it ends because another replaces it
	successor bool // it replaces another

	dead   atomic.Bool // revoked, or gone from the table
	recent atomic.Bool // used since the hand of the clock last passed

	used   atomic.Int64           // UTC microseconds of the last use, 0 = never
	origin atomic.Pointer[origin] // of the last use
	dirty  atomic.Bool            // in the list of uses to be written
}

// forever is the end of a pause that somebody has to end.
const forever = math.MaxInt64

// newEntry returns the entry of a token that is good, save that it may be paused.
func newEntry(t hallpass.Token, l *limits) *entry {
	e := &entry{hash: t.Hash, token: t.ID, limits: l, rotated: t.Rotation.Successor != 0, successor: t.Rotation.Predecessor != 0}
	if end := t.EndsAt(); !end.IsZero() {
		e.ends = end.UnixMicro()
	}
	switch p := t.Pause; {
	case p.Since.IsZero():
	case p.Until.IsZero():
		e.paused = forever
	default:
		e.paused = p.Until.UnixMicro()
	}
	if !t.LastUse.At.IsZero() {
		e.used.Store(t.LastUse.At.UnixMicro())
	}
	return e
}

// account is the service account that entries share.
type account struct {
	id          hallpass.ServiceAccountID
	org         hallpass.OrgID
	login, name string
	role        hallpass.Role
	stale       atomic.Bool // changed since it was read
	entries     int32       // guarded by cache.coherence
	permissions *hallpass.Permissions
}

func newAccount(c hallpass.Caller) *account {
	a := &account{id: c.ServiceAccount(), org: c.Org, login: c.Principal.Login, name: c.Name, role: c.Role, permissions: c.Permissions}
	if i := len(a.login) - len(a.name); i >= 0 && a.login[i:] == a.name {
		a.name = a.login[i:] // it usually is the login's end: one text will do
	}
	return a
}

// caller returns the caller that the account is, without token and place.
func (a *account) caller() hallpass.Caller {
	return hallpass.Caller{
		Principal: hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: int64(a.id), Login: a.login},
		Name:      a.name, Org: a.org, Role: a.role, Permissions: a.permissions,
	}
}

func newCache(size int) *cache {
	return &cache{
		sets:     make([]set, max(size/ways, 1)),
		accounts: make(map[hallpass.ServiceAccountID]*account),
		listed:   make(map[string]*listed),
	}
}

// of returns the two sets that the hash names. SHA-256 spreads well, so any of its
// bytes will do.
func (c *cache) of(hash *[32]byte) [2]*set {
	n := uint64(len(c.sets))
	first, _ := bits.Mul64(binary.LittleEndian.Uint64(hash[0:]), n) // as a fraction of their number
	second, _ := bits.Mul64(binary.LittleEndian.Uint64(hash[8:]), n)
	return [2]*set{&c.sets[first], &c.sets[second]}
}

// get returns the entry of the token, nil if it is not known to be good. It
// takes no lock and allocates nothing.
func (c *cache) get(hash *[32]byte) *entry {
	for _, s := range c.of(hash) {
		e, _ := s.find(hash)
		switch {
		case e == nil:
			continue
		case e.dead.Load() || e.account.stale.Load():
			return nil
		case !e.recent.Load():
			e.recent.Store(true)
		}
		return e
	}
	return nil
}

// put keeps an identity that was read from the database since begun, and returns
// the entry to use: one that is not kept serves this one request.
func (c *cache) put(begun store.Epoch, e *entry, caller hallpass.Caller) *entry {
	used := e
	kept := c.coherence.Keep(begun, func() { used = c.insert(e, caller) })
	if !kept {
		e.account = newAccount(caller)
		e.limits.bind(e.account)
	}
	if !kept || used != e {
		e.limits.release()
	}
	return used
}

// insert puts the entry into the table, if another for the token is not there
// already, and returns the one that is.
func (c *cache) insert(e *entry, caller hallpass.Caller) *entry {
	sets := c.of(&e.hash)
	for _, s := range sets {
		old, slot := s.find(&e.hash)
		switch {
		case old == nil:
		case !old.dead.Load() && !old.account.stale.Load():
			return old // somebody else was first
		default:
			c.drop(slot)
		}
	}
	id := caller.ServiceAccount()
	a := c.accounts[id]
	if a == nil {
		a = newAccount(caller)
		c.accounts[id] = a
	}
	a.entries++
	e.account = a
	c.share(e.limits)
	e.limits.bind(a)
	slot := room(sets)
	c.drop(slot)
	slot.Store(e)
	c.held.Add(1)
	return e
}

// caller returns the caller that the account is, if it is in memory and nothing
// was announced since begun.
func (c *cache) caller(begun store.Epoch, id hallpass.ServiceAccountID) (caller hallpass.Caller, known bool) {
	c.coherence.Keep(begun, func() {
		if a := c.accounts[id]; a != nil {
			caller, known = a.caller(), true
		}
	})
	return caller, known
}

// room returns a slot of the sets to fill: an empty one of the emptier set, or
// else the first whose entry was not used since the last time round.
func room(sets [2]*set) *atomic.Pointer[entry] {
	n, slot := sets[0].free()
	if more, other := sets[1].free(); more > n {
		slot = other
	}
	if slot != nil {
		return slot
	}
	for _, s := range sets {
		for i := range s {
			if !s[i].Load().recent.Swap(false) {
				return &s[i]
			}
		}
	}
	return &sets[0][0]
}

// drop empties the slot.
func (c *cache) drop(slot *atomic.Pointer[entry]) {
	e := slot.Load()
	if e == nil {
		return
	}
	e.dead.Store(true)
	slot.Store(nil)
	c.held.Add(-1)
	c.unshare(e.limits)
	e.limits.release()
	if e.account.entries--; e.account.entries == 0 {
		if id := e.account.id; c.accounts[id] == e.account {
			delete(c.accounts, id)
		}
	}
}

// forget drops whom a change reaches.
func (c *cache) forget(r hallpass.Reach) {
	if r.Token != 0 || r.Hash != [32]byte{} {
		for _, s := range c.of(&r.Hash) {
			if e, slot := s.find(&r.Hash); e != nil {
				c.drop(slot)
			}
		}
	}
	if r.ServiceAccount != 0 {
		c.expel(r.ServiceAccount)
	}
	if r.Everybody || r.Members != 0 {
		for id, a := range c.accounts {
			if r.Everybody || a.org == r.Members {
				c.expel(id)
			}
		}
	}
}

// expel forgets the account. Its entries are left in the table, dead, until
// their slots are wanted or their tokens come again.
func (c *cache) expel(id hallpass.ServiceAccountID) {
	if a := c.accounts[id]; a != nil {
		a.stale.Store(true)
		delete(c.accounts, id)
	}
}
