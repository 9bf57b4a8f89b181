package verify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// HoldLookUps keeps all looks at the database waiting until the function that
// it returns is called.
func (v *Verifier) HoldLookUps() func() {
	for range cap(v.lookUps.limiter.slots) {
		v.lookUps.limiter.slots <- struct{}{}
	}
	return func() {
		for range cap(v.lookUps.limiter.slots) {
			<-v.lookUps.limiter.slots
		}
	}
}

// LookUps returns how many looks at the database are under way or waiting.
func (v *Verifier) LookUps() int {
	v.lookUps.mu.Lock()
	defer v.lookUps.mu.Unlock()
	return len(v.lookUps.underWay)
}

// A LookUp is one look at the database.
type LookUp = look[found]

// Join and Finish are those of the look-ups; Join takes the epoch that the cache
// has reached.
func (v *Verifier) Join(hash [32]byte) (*LookUp, bool) {
	return v.lookUps.join(hash, v.cache.coherence.Begin())
}

// Finish ends a look-up that found nothing.
func (v *Verifier) Finish(hash [32]byte, l *LookUp) { v.lookUps.finish(hash, l) }

// A FullCache is a cache filled by FillCache.
type FullCache struct{ v *Verifier }

// Held returns how many tokens the cache holds.
func (f FullCache) Held() int { return int(f.v.cache.held.Load()) }

// FillCache fills a cache of the usual size with tokens of so many accounts,
// each read and used once as from a connection of its own, and written.
func FillCache(tokens, accounts int) FullCache {
	v := &Verifier{cache: newCache(DefaultCacheSize), uses: newUses(DefaultCacheSize)}
	viewer := hallpass.RoleViewer.Permissions()
	for i := range tokens {
		id := int64(i%accounts + 1)
		name := fmt.Sprintf("dashboard-sync-%d", id)
		caller := hallpass.ServiceAccountCaller(hallpass.ServiceAccount{
			ID: hallpass.ServiceAccountID(id), Org: 1, Name: name, Login: hallpass.ServiceAccountLogin(1, name), Role: hallpass.RoleViewer,
		}, hallpass.PrincipalAccess{Member: true, Role: hallpass.RoleViewer, Basic: viewer})
		e := &entry{hash: secret.NewToken().Hash(), token: hallpass.TokenID(i)}
		e.used.Store(1)
		e = v.cache.put(v.cache.coherence.Begin(), e, caller)
		from := hallpass.From{Address: fmt.Sprintf("10.0.%d.%d", i>>8&255, i&255), UserAgent: strings.Repeat("Mozilla/5.0 ", 9)}
		v.use(context.Background(), e, time.UnixMicro(int64(i+2)), from)
	}
	v.uses.later.head.Store(nil)
	return FullCache{v}
}

// Rest is how long a pass of last uses rests.
func Rest(last, cost, ago time.Duration, left int) time.Duration { return rest(last, cost, ago, left) }

// Spend has the last transaction of a pass have cost so much.
func (v *Verifier) Spend(cost time.Duration) {
	v.uses.pass.mu.Lock()
	defer v.uses.pass.mu.Unlock()
	v.spent(cost)
}

// RoomForUses sets how many later uses may wait.
func (v *Verifier) RoomForUses(n int) { v.uses.room = n }

// Changed tells the Verifier of changes, as the database does.
func (v *Verifier) Changed(e store.ChangeEvent) { v.changed(e) }

// RulesInMemory reports whether the rules of guards are remembered.
func (v *Verifier) RulesInMemory() bool { return v.guards.now.Load() != nil }

// Looks are looks at the database for texts.
type Looks struct{ looks[string, int] }

// Look joins the look for key or runs one with read. It returns what was found, and whether
// the look was its own. Joined is called before it waits for another's.
func (ls *Looks) Look(ctx context.Context, key string, read func() (int, error), joined func()) (n int, mine bool, err error) {
	l, mine := ls.join(key, 0)
	if mine {
		n, err = ls.run(key, l, read)
		return n, true, err
	}
	joined()
	n, err = l.wait(ctx)
	return n, false, err
}

// ListedSets returns how many sets of permissions that tokens list are in memory.
func (v *Verifier) ListedSets() (n int) {
	v.cache.coherence.Keep(v.cache.coherence.Begin(), func() { n = len(v.cache.listed) })
	return n
}

// ReplaceUsage has the next flush replace the table of what tokens are used for.
func ReplaceUsage(v *Verifier) { v.usage.table.Load().full.Store(true) }

// LeastRates is how many rates are kept whether they rest or not.
const LeastRates = leastRates

// LeaveRate has the verifier keep a rate that no token in memory has.
func LeaveRate(v *Verifier, chain hallpass.TokenID, limit hallpass.RateLimit) {
	v.lookUps.rates.get(rateKey{chain, limit}, v.node.Now()).held.Add(-1)
}
