package verify

import (
	"context"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// guards keeps every guard with its rules compiled. Any change of a guard has all of
// them read again: there are few, and those that did not change are not compiled anew.
type guards struct {
	db     *store.DB
	node   *node.Node
	broken func(hallpass.Guard, error)

	now       atomic.Pointer[guardSet] // nil: to be read; written within coherence
	last      atomic.Pointer[guardSet] // that was read last, perhaps not kept: what did not change since is not compiled again
	coherence store.Coherence
	looks     looks[struct{}, *guardSet] // each is for all guards
}

// A guardSet is the guards at one time. It does not change.
type guardSet struct {
	byName map[string]compiledGuard
}

// A compiledGuard is a guard ready for decisions, or why it refuses everything.
type compiledGuard struct {
	guard  hallpass.Guard
	rules  *hallpass.Ruleset
	broken *hallpass.Error
}

var errUnknownGuard = &hallpass.Error{Kind: hallpass.NotFound, ID: "guard.unknown", Message: "There is no such guard"}

// Ruleset returns the rules of the guard with that name, of whatever org. The error's
// Kind is NotFound when there is no such guard, Denied when the guard is suspended and
// refuses every request, and Unavailable when its rules cannot be known now.
//
// It takes no lock and allocates nothing unless a guard has just changed.
func (v *Verifier) Ruleset(ctx context.Context, name string) (*hallpass.Ruleset, error) {
	gs := &v.guards
	if !gs.node.Leased() {
		return nil, errStale
	}
	set := gs.now.Load()
	if set == nil {
		var err error
		if set, err = gs.load(ctx); err != nil {
			return nil, unknowable(err)
		}
	}
	g, known := set.byName[name]
	switch {
	case !known:
		return nil, errUnknownGuard
	case g.broken != nil:
		return nil, g.broken
	}
	return g.rules, nil
}

// changed has the guards read again after a change that reaches any of them (SEC-49). Other
// changes pass by: a stream of revocations must not keep rules from being remembered.
func (gs *guards) changed(e store.ChangeEvent) {
	if slices.ContainsFunc(e.Changes, func(c hallpass.Change) bool { r := c.Reach(); return r.Everybody || r.Guard != 0 || r.Org != 0 }) {
		gs.coherence.Changed(e, func(hallpass.Reach) { gs.now.Store(nil) })
	}
}

// load reads the guards. What it finds is kept if nothing was announced since it began.
func (gs *guards) load(ctx context.Context) (*guardSet, error) {
	l, mine := gs.looks.join(struct{}{}, gs.coherence.Begin())
	if !mine {
		return l.wait(ctx)
	}
	ctx = context.WithoutCancel(ctx) // others may wait for it, whatever becomes of this caller
	return gs.looks.run(struct{}{}, l, func() (*guardSet, error) {
		list, err := gs.read(ctx)
		if err != nil {
			return nil, err
		}
		set := gs.compile(list)
		gs.coherence.Keep(l.begun, func() { gs.now.Store(set) })
		return set, nil
	})
}

func (gs *guards) read(ctx context.Context) (list []hallpass.Guard, err error) {
	err = gs.db.Read(ctx, func(tx *store.Tx) error {
		if err := recent(gs.node, tx); err != nil {
			return err
		}
		list, err = tx.AllGuards()
		return err
	})
	return list, err
}

// compile makes the guards ready for decisions. One that cannot be compiled is told
// of and refuses everything; the others do not suffer.
func (gs *guards) compile(list []hallpass.Guard) *guardSet {
	last := gs.last.Load()
	set := &guardSet{byName: make(map[string]compiledGuard, len(list))}
	for _, g := range list {
		c := compiledGuard{}
		if last != nil {
			c = last.byName[g.Name]
		}
		if !reflect.DeepEqual(c.guard, g) {
			c = gs.compileOne(g)
		}
		set.byName[g.Name] = c
	}
	gs.last.Store(set)
	return set
}

func (gs *guards) compileOne(g hallpass.Guard) compiledGuard {
	rules, err := hallpass.NewRuleset(g)
	if err == nil && g.Suspended == "" {
		return compiledGuard{guard: g, rules: rules}
	}
	c := compiledGuard{guard: g, broken: g.SuspendedError()}
	if gs.broken != nil {
		gs.broken(g, err)
	}
	return c
}
