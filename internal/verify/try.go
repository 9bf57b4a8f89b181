package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Limits on wrong passwords in store.GuessWindow. One address may fill neither
// an account's count nor those of places where the account's user is known.
const (
	maxWrongAtPlace   = 10  // for one account at one place, and for all accounts from one address
	maxWrongOfAccount = 100 // for one account, from wherever its user is not known
	knownFor          = 30 * 24 * time.Hour
	knownAgain        = 24 * time.Hour // how exactly that is kept
)

// A try is what one password that is tried counts for.
type try struct {
	user    hallpass.UserID // 0: nobody has the login
	account string          // the bucket of the account
	address string          // the bucket of the address
	place   string          // the bucket of the account at the place: the device if the user is known by it, else the address
	places  [2]string       // the address and the device, as the user may be known there; empty: no device
	known   bool            // the user signed in from there lately
	fresh   [2]bool         // of places: it is known already, and need not be saved
}

// tries counts wrong passwords and knows from where users sign in. The database
// has both, for all nodes and for the time after a restart; what is counted here
// is written with the next Flush.
type tries struct {
	mu     sync.Mutex
	counts map[string]*count       // guarded by mu
	places map[userPlace]time.Time // known, and not yet written; guarded by mu
}

type userPlace struct {
	user  hallpass.UserID
	place string
}

// count is how many wrong passwords one bucket has until a time.
type count struct {
	until   time.Time
	own     int // counted here
	unsaved int // of those, not given to the database yet
	stored  int // of all nodes, when the database was last asked
}

func (c *count) total() int { return max(c.own, c.stored+c.unsaved) }

func newTries() *tries {
	return &tries{counts: make(map[string]*count), places: make(map[userPlace]time.Time)}
}

// of returns what a try for the login counts for, and brings the counts up to
// date with the database.
func (ts *tries) of(tx *store.Tx, u hallpass.User, login, address, device string, now time.Time) (try, error) {
	t := try{user: u.ID, places: [2]string{addressPlace(address), devicePlace(device)}}
	t.account = "x" + digest(hallpass.NameKey(login))[:5] // people type passwords as logins: this tells 20 bits
	if u.ID != 0 {
		t.account = "u" + strconv.FormatInt(int64(u.ID), 10)
	}
	t.address = t.places[0]
	t.place = t.account + t.places[0]
	if u.ID != 0 {
		list, err := tx.KnownPlaces(u.ID, t.places, now)
		if err != nil {
			return t, err
		}
		ts.recognize(&t, list, now)
	}
	counted, err := tx.WrongPasswords(t.buckets(), now)
	if err != nil {
		return t, err
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, w := range counted {
		c := ts.counts[w.Bucket]
		if c == nil || !now.Before(c.until) {
			c = &count{}
			ts.counts[w.Bucket] = c
		}
		c.stored, c.until = w.N, w.Until
	}
	return t, nil
}

// recognize says whether the user is known where the try is made.
func (ts *tries) recognize(t *try, list []store.KnownPlace, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for i, place := range t.places {
		if place == "" {
			continue
		}
		until := ts.places[userPlace{t.user, place}]
		for _, k := range list {
			if k.Place == place && k.Until.After(until) {
				until = k.Until
			}
		}
		if !now.Before(until) {
			continue
		}
		t.known = true
		t.place = t.account + place // the device comes last: strangers at the address do not have it
		t.fresh[i] = until.After(now.Add(knownFor - knownAgain))
	}
}

func (t try) buckets() [3]string { return [3]string{t.place, t.address, t.account} }

// turn names the queue of those who try from the same place: strangers by their
// address, others not behind them.
func (t try) turn() string {
	if t.known {
		return t.place
	}
	return t.address
}

// addressPlace is the name of an address. The last half of an IPv6 address is
// its owner's to choose and tells nothing.
func addressPlace(address string) string {
	if a, err := netip.ParseAddr(address); err == nil && a.Is6() && !a.Is4In6() {
		address = netip.PrefixFrom(a.WithZone(""), 64).Masked().String()
	}
	return "@" + address
}

// devicePlace is the name of the browser that holds the cookie.
func devicePlace(cookie string) string {
	if cookie == "" {
		return ""
	}
	return "#" + digest(cookie)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// blocked returns how long no password is heard for the try, 0 if it is.
// Somebody who is known where they are is not held to what strangers did.
func (ts *tries) blocked(t try, now time.Time) time.Duration {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	left := ts.full(t.place, maxWrongAtPlace, now)
	if !t.known {
		left = max(left, ts.full(t.address, maxWrongAtPlace, now), ts.full(t.account, maxWrongOfAccount, now))
	}
	return left
}

// full returns how long the bucket stays full. The caller holds mu.
func (ts *tries) full(bucket string, limit int, now time.Time) time.Duration {
	if c := ts.counts[bucket]; c != nil && c.total() >= limit && now.Before(c.until) {
		return c.until.Sub(now)
	}
	return 0
}

// wrong counts a wrong password.
func (ts *tries) wrong(t try, now time.Time) {
	buckets := []string{t.place}
	if !t.known {
		buckets = append(buckets, t.address, t.account)
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, bucket := range buckets {
		c := ts.counts[bucket]
		if c == nil || !now.Before(c.until) {
			c = &count{until: now.Add(store.GuessWindow)}
			ts.counts[bucket] = c
		}
		c.own++
		c.unsaved++
	}
}

// right remembers from where the user signed in.
func (ts *tries) right(t try, now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for i, place := range t.places {
		if place != "" && !t.fresh[i] {
			ts.places[userPlace{t.user, place}] = now.Add(knownFor)
		}
	}
}

// flush writes what was counted and remembered, in one transaction however many
// passwords were tried.
func (ts *tries) flush(ctx context.Context, db *store.DB, now time.Time) error {
	var wrong []store.WrongPasswords
	var known []store.KnownPlace
	ts.mu.Lock()
	for bucket, c := range ts.counts {
		switch {
		case !now.Before(c.until):
			delete(ts.counts, bucket)
		case c.unsaved > 0:
			wrong = append(wrong, store.WrongPasswords{Bucket: bucket, N: c.unsaved, Until: c.until})
			c.unsaved = 0
		}
	}
	for p, until := range ts.places {
		known = append(known, store.KnownPlace{User: p.user, Place: p.place, Until: until})
	}
	ts.mu.Unlock()
	if len(wrong)+len(known) == 0 {
		return nil
	}
	err := db.SaveTries(ctx, wrong, known)
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if err != nil {
		for _, w := range wrong {
			if c := ts.counts[w.Bucket]; c != nil {
				c.unsaved += w.N
			}
		}
		return err
	}
	for _, k := range known {
		if p := (userPlace{k.User, k.Place}); ts.places[p].Equal(k.Until) {
			delete(ts.places, p)
		}
	}
	return nil
}

// ForgetTries deletes the counts and places whose time is over. The server calls it
// now and then.
func (v *Verifier) ForgetTries(ctx context.Context) error { return v.db.ForgetTries(ctx, v.node.Now()) }
