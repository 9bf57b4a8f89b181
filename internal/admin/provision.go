package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Provision makes true what files declare. First it compares all of them with what is
// there: if one does not fit, nothing is applied. Then it applies file by file in that
// order, each of them whole or not at all; what comes after one that fails is not applied.
// At last what no file declares any more is disabled or, with prune, deleted. It returns
// what it did and what it could not do. Who wrote the files may do anything; the audit
// names the file. Once it has returned, no node decides by what was.
func (a *Admin) Provision(ctx context.Context, files [][]hallpass.Declaration, prune bool) (did []hallpass.ProvisionStep, err error) {
	plan, err := a.PlanProvision(ctx, files, prune)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(plan, changes) {
		return plan, nil
	}
	for _, file := range files {
		did, err = a.provision(ctx, did, files, func(p *provisioning) ([]hallpass.ProvisionStep, error) { return p.fileSteps(file) })
		if err != nil {
			return did, err
		}
	}
	left, err := a.leavingFiles(ctx, files)
	for _, file := range left {
		if err == nil {
			did, err = a.provision(ctx, did, files, func(p *provisioning) ([]hallpass.ProvisionStep, error) { return p.leavingSteps(file, prune) })
		}
	}
	return did, err
}

// PlanProvision returns what Provision would do.
func (a *Admin) PlanProvision(ctx context.Context, files [][]hallpass.Declaration, prune bool) (steps []hallpass.ProvisionStep, err error) {
	left, err := a.leavingFiles(ctx, files)
	if err != nil {
		return nil, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		steps = nil
		p, err := a.newProvisioning(tx, files)
		for _, file := range files {
			var more []hallpass.ProvisionStep
			if err == nil {
				more, err = p.fileSteps(file)
			}
			steps = append(steps, more...)
		}
		for _, file := range left {
			var more []hallpass.ProvisionStep
			if err == nil {
				more, err = p.leavingSteps(file, prune)
			}
			steps = append(steps, more...)
		}
		return err
	})
	return steps, err
}

// provision makes the steps that plan finds, in one transaction, and returns them after
// those before. It writes nothing if there is nothing to do.
func (a *Admin) provision(
	ctx context.Context, before []hallpass.ProvisionStep, files [][]hallpass.Declaration, plan func(*provisioning) ([]hallpass.ProvisionStep, error),
) ([]hallpass.ProvisionStep, error) {
	var steps []hallpass.ProvisionStep
	find := func(tx *store.Tx) (*provisioning, error) {
		p, err := a.newProvisioning(tx, files)
		if err == nil {
			steps, err = plan(p)
		}
		return p, err
	}
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		_, err := find(tx)
		return err
	})
	if err != nil || !slices.ContainsFunc(steps, changes) {
		return append(before, steps...), err
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		p, err := find(tx)
		if err != nil {
			return err
		}
		return p.apply(steps)
	})
	if err != nil {
		return before, err
	}
	return append(before, steps...), nil
}

// changes reports whether the step changes anything.
func changes(s hallpass.ProvisionStep) bool { return s.Do != "" }

// A provisioning compares what files declare with the database, and changes it, in one
// transaction.
type provisioning struct {
	*store.Tx
	admin   *Admin
	wanted  map[string]hallpass.Declaration // all that files declare, by section
	applied map[string]hallpass.Provisioned // by section
	as      map[thing]string                // the sections, by what they are about
	stock
}

// A thing is what a section is about.
type thing struct {
	org    hallpass.OrgID
	target string
}

func (a *Admin) newProvisioning(tx *store.Tx, files [][]hallpass.Declaration) (*provisioning, error) {
	p := &provisioning{tx, a, make(map[string]hallpass.Declaration), make(map[string]hallpass.Provisioned), make(map[thing]string), newStock()}
	for _, d := range slices.Concat(files...) {
		p.wanted[d.Section] = d
	}
	list, err := tx.Provisioned()
	for _, row := range list {
		p.applied[row.Section], p.as[thing{row.Org, row.Target}] = row, row.Section
	}
	return p, err
}

// fileSteps returns what has to be done, or told, so that what a file declares is true.
func (p *provisioning) fileSteps(file []hallpass.Declaration) (steps []hallpass.ProvisionStep, err error) {
	for _, d := range file {
		now, err := p.present(d)
		if err != nil {
			return nil, located(d, err)
		}
		s, err := d.Step(now)
		if err == nil {
			err = located(d, p.valid(s))
		}
		if err != nil {
			return nil, err
		}
		if !s.Nothing() {
			steps = append(steps, s)
		}
	}
	return steps, p.adopt(steps)
}

// valid returns an error if the step cannot be made, as far as that is known before steps
// that come first are made.
func (p *provisioning) valid(s hallpass.ProvisionStep) error {
	switch {
	case s.Want.Noun == hallpass.DeclaredGuard:
		return p.admin.ValidateGuard(s.Want.Guard)
	case s.Want.Noun == hallpass.DeclaredToken && (s.Do == hallpass.ProvisionCreate || s.Do == hallpass.ProvisionRotate):
		if err := p.admin.validLife(s.Want); err != nil {
			return err
		}
		if s.Have.Applied.Hash != [32]byte{} { // else it was looked for by its secret
			return p.freeSecret(s.Want.Token)
		}
		return p.freeName(s.Have.In, s.Want)
	}
	return nil
}

// freeName returns a Conflict if a live token of the org has the name of the declared one.
// It names the account of that token, and who made it.
func (p *provisioning) freeName(org hallpass.OrgID, d hallpass.Declaration) error {
	has, err := p.TokenNameFree(org, d.Token.Name, p.admin.now())
	if err == nil {
		return nil
	}
	if has.ID == 0 {
		return err
	}
	account, read := p.ServiceAccount(has.Org, has.ServiceAccount)
	if read != nil {
		return read
	}
	return d.Wrong("name", fmt.Errorf("%w: a token of the service account %q has it, made by %s", err, account.Name, has.CreatedBy))
}

// freeSecret returns a Conflict if there is a token with the secret already.
func (p *provisioning) freeSecret(t hallpass.Token) error {
	other, err := p.TokenByHash(t.Hash)
	switch section := p.as[thing{other.Org, target(auditNouns[hallpass.DeclaredToken], int64(other.ID))}]; {
	case err == nil && section != "":
		return conflicting("the token of [" + section + "] has this secret: a secret keeps its key")
	case err == nil:
		return conflicting("another token has this secret")
	case hallpass.KindOf(err) == hallpass.NotFound:
		return nil
	}
	return err
}

// validLife returns an error unless a declared token that is made now may end when it
// should.
func (a *Admin) validLife(d hallpass.Declaration) error {
	seconds, now := int64(0), a.now()
	if end := d.Token.ExpiresAt; !end.IsZero() {
		if !end.After(now) {
			return d.Wrong("expires", conflicting("that is over"))
		}
		seconds = int64(end.Sub(now) / time.Second)
	}
	if _, err := a.o.TokenPolicy.Expiry(now, seconds); err != nil {
		return d.Wrong("expires", err)
	}
	return nil
}

// located returns the error with the place of the section, unless it has a place.
func located(d hallpass.Declaration, err error) error {
	var e *hallpass.DeclarationError
	if errors.As(err, &e) || d.Section == "" {
		return err
	}
	var refused *hallpass.Error
	if errors.As(err, &refused) && refused.Kind != hallpass.Internal && refused.Kind != hallpass.Unavailable {
		return d.Wrong("", err)
	}
	return err
}

// leavingFiles returns the names of the files some of whose sections no file declares any
// more; "" is that of sections that none has declared for longer.
func (a *Admin) leavingFiles(ctx context.Context, files [][]hallpass.Declaration) (names []string, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		names = nil
		p, err := a.newProvisioning(tx, files)
		for section, row := range p.applied {
			if _, declared := p.wanted[section]; !declared && !slices.Contains(names, row.File) {
				names = append(names, row.File)
			}
		}
		slices.Sort(names)
		return err
	})
	return names, err
}

// leavingSteps returns what becomes of the sections of the file that no file declares any
// more. What others refer to goes last.
func (p *provisioning) leavingSteps(file string, prune bool) (steps []hallpass.ProvisionStep, err error) {
	for section, row := range p.applied {
		if _, declared := p.wanted[section]; declared || row.File != file {
			continue
		}
		_, key, _ := strings.Cut(section, ".")
		now, err := p.presentAs(hallpass.Declaration{Section: section, Noun: hallpass.NounOf(section), Key: key, File: file}, row.Org)
		if err != nil {
			return nil, err
		}
		if s := now.Leave(prune); !s.Nothing() {
			steps = append(steps, s)
		}
	}
	slices.SortFunc(steps, func(a, b hallpass.ProvisionStep) int { return b.Compare(a) })
	return steps, nil
}
