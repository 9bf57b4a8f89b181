package verify

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Used is a request with a token that was verified, when its answer begins.
type Used struct {
	Token   hallpass.TokenID
	From    hallpass.From
	Method  string               // of the request
	Route   *hallpass.TokenRoute // what it asked for; never nil
	Asked   hallpass.AskedScopes // on which the action of the route was asked for and permitted, if the route does not tell it
	Status  int
	Foreign bool // the status is that of another server
}

// usage counts what tokens are used for until it is written. To count takes no lock, and
// allocates only for the first request of a token, of one of its clients and of one of
// its actions since the table was replaced.
type usage struct {
	table   atomic.Pointer[usageTable]
	dropped atomic.Uint64 // details of requests that there was no room for

	mu     sync.Mutex        // held over a flush, and guards what follows
	before *usageTable       // that table followed; somebody may still count in it
	began  time.Time         // of table
	left   []store.TokenUsed // taken out of the tables, to be written
	pause  time.Duration     // until FlushUsage should be called again
}

// A usageTable counts by token.
type usageTable struct {
	tokens, detailed atomic.Int64 // of them, and of those with details
	full             atomic.Bool  // a token had more clients or actions than there is room for
	buckets          [1 << 14]atomic.Pointer[tokenCounts]
}

// Bounds on a table. Of tokens beyond maxDetailed only the requests are counted, and
// beyond maxCounted not even these. A table with more than manyCounted tokens is replaced
// when it is read, and so is one that is older than tableAge: tokens rest.
const (
	maxDetailed = 1 << 15
	maxCounted  = 1 << 18
	manyCounted = 1 << 13
	tableAge    = time.Minute
)

// tokenCounts are the counts of one token, and the next of its bucket.
type tokenCounts struct {
	token   hallpass.TokenID
	next    *tokenCounts
	details *details // nil: there was no room

	ok, denied, failed, refused, limited atomic.Int64
}

// details are the clients and the actions of a token. What does not fit into the first
// part goes into the second.
type details struct {
	places  [6]placeCount
	actions [6]actionCount
	more    atomic.Pointer[moreDetails]
}

type moreDetails struct {
	places  [hallpass.MaxTokenPlaces]placeCount
	actions [hallpass.MaxTokenActions]actionCount
}

// placeCount counts the requests of one client. It belongs to the first that comes.
type placeCount struct {
	origin      atomic.Pointer[origin] // nil: the place is free
	count       atomic.Int64
	first, last atomic.Int64 // UTC microseconds
	route       atomic.Pointer[hallpass.TokenRoute]
	answer      atomic.Uint32 // of the latest request: its method and status
}

// actionCount counts the requests for one action on one scope.
type actionCount struct {
	of    atomic.Pointer[usedAction] // nil: it is free
	count atomic.Int64
	last  atomic.Int64 // UTC microseconds
}

type usedAction struct {
	action hallpass.Action
	scope  hallpass.Scope
}

// methods are the methods that are told; any other is told as the first.
var methods = [...]string{
	"", http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

func newUsage() *usage {
	u := &usage{began: time.Now(), pause: leastPass}
	u.table.Store(new(usageTable))
	return u
}

// of returns the counts of the token, nil if there are too many tokens.
func (t *usageTable) of(token hallpass.TokenID) *tokenCounts {
	const odd = 0x9e3779b97f4a7c15 // multiplied by it, near numbers are far apart in their first bits
	bucket := &t.buckets[uint64(token)*odd>>(64-14)]
	for {
		first := bucket.Load()
		for c := first; c != nil; c = c.next {
			if c.token == token {
				return c
			}
		}
		if t.tokens.Load() >= maxCounted {
			return nil
		}
		made := &tokenCounts{token: token, next: first}
		if t.detailed.Load() < maxDetailed {
			made.details = new(details)
		}
		if !bucket.CompareAndSwap(first, made) {
			continue // somebody else put one there: perhaps this
		}
		t.tokens.Add(1)
		if made.details != nil {
			t.detailed.Add(1)
		}
		return made
	}
}

// Observe counts a request with a token that was verified. It takes no lock, and
// allocates only where the token, its client or its action is new.
func (v *Verifier) Observe(u *Used) {
	table := v.usage.table.Load()
	c := table.of(u.Token)
	if c == nil {
		v.usage.dropped.Add(1)
		return
	}
	permitted := true
	switch {
	case u.Status < 400:
		c.ok.Add(1)
	case u.Status == http.StatusForbidden && !u.Foreign:
		c.denied.Add(1)
		permitted = false
	default:
		c.failed.Add(1)
		permitted = u.Foreign || u.Status != http.StatusNotFound // what does not exist needs no permission
	}
	us := v.node.Now().UnixMicro()
	if c.details == nil || !c.details.note(u, us, permitted) {
		v.usage.dropped.Add(1)
		if !table.full.Load() {
			table.full.Store(true)
		}
	}
}

// refused counts a request that the token was refused for.
func (u *usage) refused(token hallpass.TokenID, reason *hallpass.Error) {
	switch c := u.table.Load().of(token); {
	case c == nil:
		u.dropped.Add(1)
	case reason.ID == rateLimitedID:
		c.limited.Add(1)
	default:
		c.refused.Add(1)
	}
}

// note counts the request for its client, and, if it was permitted, for its action. It
// reports whether there was room for both.
func (d *details) note(u *Used, us int64, permitted bool) bool {
	fits := true
	if p := d.place(&u.From); p == nil {
		fits = false
	} else {
		p.count.Add(1)
		p.first.CompareAndSwap(0, us)
		p.last.Store(us) // of two at the same time either is the latest
		p.route.Store(u.Route)
		p.answer.Store(uint32(methodNumber(u.Method))<<16 | uint32(u.Status)&0xffff)
	}
	if !permitted || u.Route.Action == "" {
		return fits
	}
	if u.Route.Scope != "" || u.Asked.None() {
		return d.did(u.Route.Action, u.Route.Scope, us) && fits
	}
	for scope := range u.Asked.All {
		fits = d.did(u.Route.Action, scope, us) && fits
	}
	return fits
}

// did counts the action on the scope. It reports whether there was room.
func (d *details) did(action hallpass.Action, scope hallpass.Scope, us int64) bool {
	a := d.action(action, scope)
	if a == nil {
		return false
	}
	a.count.Add(1)
	a.last.Store(us)
	return true
}

func methodNumber(method string) int { return max(slices.Index(methods[:], method), 0) }

// place returns the count of the client, nil if there is no room.
func (d *details) place(from *hallpass.From) *placeCount {
	if p := findPlace(d.places[:], from); p != nil {
		return p
	}
	return findPlace(d.second().places[:], from)
}

// action returns the count of the action on the scope, nil if there is no room. An action
// that was done on many other scopes already is counted on AnyScope.
func (d *details) action(action hallpass.Action, scope hallpass.Scope) *actionCount {
	a, others := findAction(d.actions[:], action, scope, 0)
	if a == nil {
		a, others = findAction(d.second().actions[:], action, scope, others)
	}
	if a == nil && others >= hallpass.MaxActionScopes && scope != hallpass.AnyScope {
		return d.action(action, hallpass.AnyScope)
	}
	return a
}

// second returns the second part, which it makes for the first who needs it.
func (d *details) second() *moreDetails {
	if m := d.more.Load(); m != nil {
		return m
	}
	d.more.CompareAndSwap(nil, new(moreDetails))
	return d.more.Load()
}

func findPlace(places []placeCount, from *hallpass.From) *placeCount {
	for i := range places {
		p := &places[i]
		o := p.origin.Load()
		if o == nil {
			p.origin.CompareAndSwap(nil, newOrigin(*from))
			o = p.origin.Load() // of whoever was first
		}
		if o.address == from.Address && o.agent.Value() == from.UserAgent {
			return p
		}
	}
	return nil
}

// findAction returns the count of the action on the scope among actions, nil if there is no
// room. others is how many other scopes of the action were seen, with those seen before:
// from MaxActionScopes on there is no room for a further one.
func findAction(actions []actionCount, action hallpass.Action, scope hallpass.Scope, before int) (found *actionCount, others int) {
	others = before
	for i := range actions {
		a := &actions[i]
		of := a.of.Load()
		if of == nil {
			if others >= hallpass.MaxActionScopes && scope != "" && scope != hallpass.AnyScope {
				return nil, others
			}
			a.of.CompareAndSwap(nil, &usedAction{action, scope})
			of = a.of.Load() // of whoever was first
		}
		if of.action != action {
			continue
		}
		if of.scope == scope {
			return a, others
		}
		if of.scope != "" && of.scope != hallpass.AnyScope {
			others++
		}
	}
	return nil, others
}

// take returns what was counted since the last call, by token.
func (u *usage) take(now time.Time) []store.TokenUsed {
	day := now.UTC().Truncate(24 * time.Hour)
	table := u.table.Load()
	if table.full.Load() || table.tokens.Load() > manyCounted || table.tokens.Load() > 0 && time.Since(u.began) > tableAge {
		u.table.Store(new(usageTable))
		u.began = time.Now()
	}
	var list []store.TokenUsed
	for _, t := range []*usageTable{u.before, table} {
		list = t.take(list, day)
	}
	if u.before = nil; table != u.table.Load() {
		u.before = table
	}
	slices.SortFunc(list, func(a, b store.TokenUsed) int { return cmp.Compare(a.Token, b.Token) })
	return list
}

func (t *usageTable) take(list []store.TokenUsed, day time.Time) []store.TokenUsed {
	if t == nil || t.tokens.Load() == 0 {
		return list
	}
	for i := range t.buckets {
		for c := t.buckets[i].Load(); c != nil; c = c.next {
			d := hallpass.TokenDay{Day: day, OK: c.ok.Swap(0), Denied: c.denied.Swap(0), Failed: c.failed.Swap(0), Refused: c.refused.Swap(0), Limited: c.limited.Swap(0)}
			used := store.TokenUsed{Token: c.token}
			if d.Requests() > 0 {
				used.Days = []hallpass.TokenDay{d}
			}
			c.details.take(&used.TokenUsage)
			if len(used.Days)+len(used.Places)+len(used.Actions) > 0 {
				list = append(list, used)
			}
		}
	}
	return list
}

func (d *details) take(to *hallpass.TokenUsage) {
	if d == nil {
		return
	}
	takePlaces(d.places[:], to)
	takeActions(d.actions[:], to)
	if m := d.more.Load(); m != nil {
		takePlaces(m.places[:], to)
		takeActions(m.actions[:], to)
	}
}

func takePlaces(places []placeCount, to *hallpass.TokenUsage) {
	for i := range places {
		p := &places[i]
		n := p.count.Swap(0)
		if n == 0 {
			continue
		}
		last := p.last.Load()
		first := cmp.Or(p.first.Swap(0), last)
		answer := p.answer.Load()
		place := hallpass.TokenPlace{
			From: p.origin.Load().from(), Status: int(answer & 0xffff), Route: hallpass.Route{Method: methods[answer>>16]},
			First: time.UnixMicro(min(first, last)).UTC(), Last: time.UnixMicro(last).UTC(), Count: n,
		}
		if r := p.route.Load(); r != nil {
			place.Route.Pattern = r.Asked(place.Route.Method)
		}
		to.Places = append(to.Places, place)
	}
}

func takeActions(actions []actionCount, to *hallpass.TokenUsage) {
	for i := range actions {
		a := &actions[i]
		if n := a.count.Swap(0); n > 0 {
			of := a.of.Load()
			to.Actions = append(to.Actions, hallpass.TokenAction{Action: of.action, Scope: of.scope, Last: time.UnixMicro(a.last.Load()).UTC(), Count: n})
		}
	}
}

// FlushUsage writes what tokens were used for. What cannot be written is kept for the
// next time. UsagePause then says when to call it again.
func (v *Verifier) FlushUsage(ctx context.Context) error {
	u := v.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	began := time.Now()
	defer func() { u.pause = min(max(leastPass, share*time.Since(began)), mostPass) }()
	if len(u.left) > 0 {
		if err := v.writeUsage(ctx); err != nil {
			return err
		}
	}
	u.left = u.take(v.node.Now())
	return v.writeUsage(ctx)
}

// writeUsage writes what is left. The caller holds the usage.
func (v *Verifier) writeUsage(ctx context.Context) error {
	u := v.usage
	for len(u.left) > 0 {
		some := u.left[:min(len(u.left), store.TokensInOne)]
		if err := v.db.AddTokenUsage(ctx, some); err != nil {
			return err
		}
		u.left = u.left[len(some):]
	}
	u.left = nil
	return nil
}

// UsagePause returns how long to wait before FlushUsage is called again: the writes take
// a tenth of the time.
func (v *Verifier) UsagePause() time.Duration {
	v.usage.mu.Lock()
	defer v.usage.mu.Unlock()
	return v.usage.pause
}
