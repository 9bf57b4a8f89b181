package verify

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/hallpass-dev/hallpass"
)

// cache keeps the identities behind live tokens, keyed by the tokens' hashes.
//
// It is a table of small sets: a hash names its set, and a look-up compares
// the few entries there without a lock. Changes to the table are made under
// mu. An entry that was revoked, or whose account changed, is marked before it
// is taken out, so that a reader who holds it already sees that too.
type cache struct {
	sets [][ways]atomic.Pointer[entry]

	mu       sync.Mutex
	accounts map[hallpass.ServiceAccountID]*account // guarded by mu
	held     int                                    // entries in the table; guarded by mu
	coming   int                                    // changes announced and not settled; guarded by mu
	epoch    atomic.Uint64                          // moves with every announcement; written under mu
}

const ways = 8

// entry is the identity behind one token.
type entry struct {
	hash    [32]byte
	token   hallpass.TokenID
	expires int64 // UTC microseconds, 0 = never
	account *account

	dead   atomic.Bool // revoked, or gone from the table
	recent atomic.Bool // used since the hand of the clock last passed

	used  atomic.Int64 // UTC microseconds of the last use, 0 = never
	from  atomic.Pointer[hallpass.From]
	dirty atomic.Bool // in the list of uses to be written
}

// account is the service account that entries share.
type account struct {
	id          hallpass.ServiceAccountID
	org         hallpass.OrgID
	login, name string
	role        hallpass.Role
	stale       atomic.Bool // changed since it was read
	entries     int32       // guarded by cache.mu
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
		sets:     make([][ways]atomic.Pointer[entry], max(size/ways, 1)),
		accounts: make(map[hallpass.ServiceAccountID]*account),
	}
}

// set returns the set that the hash names. SHA-256 spreads well, so its first
// bytes will do.
func (c *cache) set(hash *[32]byte) *[ways]atomic.Pointer[entry] {
	i, _ := bits.Mul64(binary.LittleEndian.Uint64(hash[:]), uint64(len(c.sets))) // as a fraction of their number
	return &c.sets[i]
}

// get returns the entry of the token, nil if it is not known to be good. It
// takes no lock and allocates nothing.
func (c *cache) get(hash *[32]byte) *entry {
	set := c.set(hash)
	for i := range set {
		if e := set[i].Load(); e != nil && e.hash == *hash {
			if e.dead.Load() || e.account.stale.Load() {
				return nil
			}
			if !e.recent.Load() {
				e.recent.Store(true)
			}
			return e
		}
	}
	return nil
}

// put keeps an identity that was read from the database after epoch was
// noted, and returns the entry to use. Should anything have been announced
// since, the identity may be of before: it then serves this one request and is
// not kept.
func (c *cache) put(epoch uint64, e *entry, caller hallpass.Caller) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.coming > 0 || c.epoch.Load() != epoch {
		e.account = newAccount(caller)
		return e
	}
	set := c.set(&e.hash)
	for i := range set {
		if old := set[i].Load(); old != nil && old.hash == e.hash {
			if !old.dead.Load() && !old.account.stale.Load() {
				return old // somebody else was first
			}
			c.drop(&set[i])
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
	slot := c.room(set)
	c.drop(slot)
	slot.Store(e)
	c.held++
	return e
}

// caller returns the caller that the account is, if it is in memory and nothing
// was announced since epoch.
func (c *cache) caller(epoch uint64, id hallpass.ServiceAccountID) (hallpass.Caller, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[id]
	if a == nil || c.coming > 0 || c.epoch.Load() != epoch {
		return hallpass.Caller{}, false
	}
	return a.caller(), true
}

// room returns a slot of the set to fill: an empty one, or else the first
// whose entry was not used since the last time round. The caller holds mu.
func (c *cache) room(set *[ways]atomic.Pointer[entry]) *atomic.Pointer[entry] {
	for i := range set {
		if set[i].Load() == nil {
			return &set[i]
		}
	}
	for i := range set {
		if !set[i].Load().recent.Swap(false) {
			return &set[i]
		}
	}
	return &set[0]
}

// drop empties the slot. The caller holds mu.
func (c *cache) drop(slot *atomic.Pointer[entry]) {
	e := slot.Load()
	if e == nil {
		return
	}
	e.dead.Store(true)
	slot.Store(nil)
	c.held--
	if e.account.entries--; e.account.entries == 0 {
		if id := e.account.id; c.accounts[id] == e.account {
			delete(c.accounts, id)
		}
	}
}

// changed forgets what the changes touch. While one is coming and not
// settled, nothing new is kept, for it might be of before.
func (c *cache) changed(coming bool, changes []hallpass.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if coming {
		c.coming++
	} else {
		c.coming--
	}
	c.epoch.Add(1)
	for _, ch := range changes {
		c.forget(ch.Reach())
	}
}

// forget drops whom a change reaches. The caller holds mu.
func (c *cache) forget(r hallpass.Reach) {
	if r.Token != 0 || r.Hash != [32]byte{} {
		set := c.set(&r.Hash)
		for i := range set {
			if e := set[i].Load(); e != nil && e.hash == r.Hash {
				c.drop(&set[i])
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
// their slots are wanted or their tokens come again. The caller holds mu.
func (c *cache) expel(id hallpass.ServiceAccountID) {
	if a := c.accounts[id]; a != nil {
		a.stale.Store(true)
		delete(c.accounts, id)
	}
}
