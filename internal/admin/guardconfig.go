package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A guardStep is one guard that the configuration file has otherwise than the
// database: was has no ID when it is to be made, now no Name when it is to go.
type guardStep struct{ was, now hallpass.Guard }

// ApplyConfigGuards makes the guards of the configuration file source true: those that
// are missing are made, those that differ are changed, and those that an earlier
// configuration had are deleted. A guard of the same name that was made by the API
// becomes the file's. All of it happens, or nothing. It returns in words what changed.
// Once it has returned, no node decides by what was.
func (a *Admin) ApplyConfigGuards(ctx context.Context, list []hallpass.Guard, source string) (did []string, err error) {
	list = slices.Clone(list)
	for i := range list {
		list[i].ManagedBy, list[i].Source = hallpass.ManagedByConfig, source
		if err := a.ValidateGuard(list[i]); err != nil {
			return nil, fmt.Errorf("guard.%s: %w", list[i].Name, err)
		}
	}
	var steps []guardStep
	err = a.db.Read(ctx, func(tx *store.Tx) (err error) {
		steps, err = guardSteps(tx, list)
		return err
	})
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		if steps, err = guardSteps(tx, list); err != nil {
			return err
		}
		if err := declareGuards(tx, steps); err != nil {
			return err
		}
		did = nil
		for _, s := range steps {
			what, err := a.applyGuard(tx, s)
			if err != nil {
				return err
			}
			did = append(did, what)
		}
		return nil
	})
	return did, err
}

// guardSteps returns what is to be done so that the configuration's guards are the
// list.
func guardSteps(tx *store.Tx, list []hallpass.Guard) (steps []guardStep, err error) {
	stored, err := tx.AllGuards()
	if err != nil {
		return nil, err
	}
	named := func(name string) func(hallpass.Guard) bool {
		return func(g hallpass.Guard) bool { return g.Name == name }
	}
	for _, g := range list {
		s := guardStep{now: g}
		if i := slices.IndexFunc(stored, named(g.Name)); i >= 0 {
			s.was = stored[i]
		}
		if s.was.ID != 0 && s.was.Source == g.Source && guardDifference(s.was, g) == "" {
			continue
		}
		if _, err := tx.Org(g.Org); err != nil {
			return nil, fmt.Errorf("guard.%s.org: %d: %w", g.Name, g.Org, err)
		}
		steps = append(steps, s)
	}
	for _, g := range stored {
		if g.ManagedBy == hallpass.ManagedByConfig && !slices.ContainsFunc(list, named(g.Name)) {
			steps = append(steps, guardStep{was: g})
		}
	}
	return steps, nil
}

// declareGuards announces the steps before any of them is made.
func declareGuards(tx *store.Tx, steps []guardStep) error {
	next, err := tx.NextGuard()
	if err != nil {
		return err
	}
	for _, s := range steps {
		id := s.was.ID
		if id == 0 {
			id, next = next, next+1
		}
		if err := tx.Change(changed(hallpass.GuardChanged, id)); err != nil {
			return err
		}
	}
	return nil
}

// applyGuard makes the step and writes its audit entry, which has no actor: whoever
// wrote the file is not known here. It returns in words what it did.
func (a *Admin) applyGuard(tx *store.Tx, s guardStep) (what string, err error) {
	org, name, action, detail := s.now.Org, s.now.Name, "guard.update", s.now.Source+": "+guardDifference(s.was, s.now)
	switch {
	case name == "":
		org, name, action, detail = s.was.Org, s.was.Name, "guard.delete", "no longer in the configuration file "+s.was.Source
		err = tx.DeleteGuard(org, s.was.ID)
	case s.was.ID == 0:
		action = "guard.create"
		_, err = a.createGuard(tx, s.now)
	default:
		_, err = a.updateGuard(tx, s.was, s.now)
	}
	if err != nil {
		return "", err
	}
	entry := a.entry(hallpass.Caller{Org: org}, action, "guard:"+name)
	entry.Reason = detail
	_, err = tx.Audit(entry)
	return action + " " + name, err
}
