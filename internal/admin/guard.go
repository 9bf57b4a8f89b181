package admin

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var (
	errGuardVersion = &hallpass.Error{Kind: hallpass.Conflict, ID: "guard.version-mismatch", Message: "The guard has been changed by someone else: read it again"}
	errGuardName    = hallpass.Invalidf("name", "The name of a guard cannot change: it stands in the configuration of proxies")
)

// A GuardFilter picks guards; zero fields pick all.
type GuardFilter struct {
	Query string // part of the name
	Page  Page
}

// Guards returns a page of the guards of the caller's org that it may read, by name,
// and how many there are on all pages.
func (a *Admin) Guards(ctx context.Context, c hallpass.Caller, f GuardFilter) (page []hallpass.Guard, total int, err error) {
	err = a.read(ctx, c, need{action: hallpass.GuardsRead}, func(tx *store.Tx) error {
		list, err := tx.Guards(c.Org, f.Query)
		list = slices.DeleteFunc(list, func(g hallpass.Guard) bool { return !c.Can(hallpass.GuardsRead, g.Scope()) })
		page, total = SlicePage(list, f.Page), len(list)
		return err
	})
	return page, total, err
}

// guardNeed is what something about the guard demands.
func guardNeed(action hallpass.Action, name string) need {
	return need{action: action, scope: hallpass.Guard{Name: name}.Scope()}
}

// Guard returns the guard with that name; NotFound when the caller's org has none.
func (a *Admin) Guard(ctx context.Context, c hallpass.Caller, name string) (g hallpass.Guard, err error) {
	err = a.read(ctx, c, guardNeed(hallpass.GuardsRead, name), func(tx *store.Tx) error {
		g, err = tx.Guard(c.Org, name)
		return err
	})
	return g, err
}

// FailingAPI returns how the API behind the guard fails; nil if it does not, or if other proxies
// alone send requests to it. The guard is one that Guard returned to the caller.
func (a *Admin) FailingAPI(ctx context.Context, c hallpass.Caller, g hallpass.Guard) (failing *hallpass.FailingAPI, err error) {
	err = a.read(ctx, c, guardNeed(hallpass.GuardsRead, g.Name), func(tx *store.Tx) error {
		list, err := a.failingAPIs(tx, c.Org, g.ID)
		if len(list) > 0 {
			failing = &list[0]
		}
		return err
	})
	return failing, err
}

// CreateGuard makes a guard in the caller's org. A guard that is not well formed is
// Invalid, a name that a guard of any org has a Conflict. Once it has returned, every
// node knows the guard.
func (a *Admin) CreateGuard(ctx context.Context, c hallpass.Caller, g hallpass.Guard) (hallpass.Guard, error) {
	if err := a.ValidateGuard(g); err != nil {
		return g, err
	}
	g.Org, g.ManagedBy, g.Source, g.Suspended = c.Org, hallpass.ManagedByAPI, "", ""
	err := a.change(ctx, c, guardNeed(hallpass.GuardsWrite, g.Name), "guard.create", func(t *Turn) (err error) {
		if _, err := t.Org(t.Caller.Org); err != nil {
			return err
		}
		id, err := t.NextGuard()
		if err != nil {
			return err
		}
		if err := t.declare(changed(hallpass.GuardChanged, id)); err != nil {
			return err
		}
		if g, err = a.createGuard(t.Tx, g); err != nil {
			return err
		}
		return t.Audit("guard", g.Name, guardDifference(hallpass.Guard{}, g))
	})
	return g, err
}

// GuardNameFree returns the Conflict of CreateGuard if a guard of any org has the name.
// Whoever may create the guard may know it.
func (a *Admin) GuardNameFree(ctx context.Context, c hallpass.Caller, name string) error {
	return a.read(ctx, c, guardNeed(hallpass.GuardsWrite, name), func(tx *store.Tx) error { return tx.GuardNameFree(name) })
}

func (a *Admin) createGuard(tx *store.Tx, g hallpass.Guard) (hallpass.Guard, error) {
	g.Version, g.CreatedAt, g.UpdatedAt = 1, a.now(), a.now()
	return tx.CreateGuard(g)
}

// UpdateGuard gives the guard of that name other rules and settings. Its Version must
// be the stored one, else it is a Conflict; so is a guard of the configuration file.
// A suspended guard decides again. Once it has returned, no node decides by what was.
func (a *Admin) UpdateGuard(ctx context.Context, c hallpass.Caller, name string, g hallpass.Guard) (hallpass.Guard, error) {
	if g.Name == "" {
		g.Name = name
	}
	if g.Name != name {
		return g, errGuardName
	}
	if err := a.ValidateGuard(g); err != nil {
		return g, err
	}
	err := a.changeGuard(ctx, c, hallpass.GuardsWrite, name, "guard.update", func(t *Turn, was hallpass.Guard) (err error) {
		if g.Version != was.Version {
			return errGuardVersion
		}
		if err := t.declare(changed(hallpass.GuardChanged, was.ID)); err != nil {
			return err
		}
		g.Org, g.ManagedBy, g.Source = was.Org, was.ManagedBy, was.Source
		if g, err = a.updateGuard(t.Tx, was, g); err != nil {
			return err
		}
		return t.Audit("guard", name, guardDifference(was, g))
	})
	return g, err
}

// updateGuard stores g, which keeps from the guard that was what nobody chooses.
func (a *Admin) updateGuard(tx *store.Tx, was, g hallpass.Guard) (hallpass.Guard, error) {
	g.ID, g.Version, g.Suspended, g.CreatedAt, g.UpdatedAt = was.ID, was.Version+1, "", was.CreatedAt, a.now()
	return g, tx.UpdateGuard(g)
}

// DeleteGuard removes the guard for good. Once it has returned, every node refuses all
// requests that ask for it. A guard of the configuration file is a Conflict.
func (a *Admin) DeleteGuard(ctx context.Context, c hallpass.Caller, name string) error {
	return a.changeGuard(ctx, c, hallpass.GuardsDelete, name, "guard.delete", func(t *Turn, was hallpass.Guard) error {
		if err := t.declare(changed(hallpass.GuardChanged, was.ID)); err != nil {
			return err
		}
		if err := t.DeleteGuard(was.Org, was.ID); err != nil {
			return err
		}
		return t.Audit("guard", name, "")
	})
}

// changeGuard is change for a guard that exists and that the configuration file does
// not own.
func (a *Admin) changeGuard(ctx context.Context, c hallpass.Caller, action hallpass.Action, name, what string, fn func(*Turn, hallpass.Guard) error) error {
	return a.change(ctx, c, guardNeed(action, name), what, func(t *Turn) error {
		was, err := t.Guard(t.Caller.Org, name)
		if err != nil {
			return err
		}
		if err := was.LockedError(); err != nil {
			return err
		}
		return fn(t, was)
	})
}

// unmanaged returns a Conflict if the org has a guard of the configuration file.
func unmanaged(tx *store.Tx, org hallpass.OrgID) error {
	list, err := tx.Guards(org, "")
	if err != nil {
		return err
	}
	for _, g := range list {
		if err := g.LockedError(); err != nil {
			return err
		}
	}
	return nil
}

// ValidateGuard returns an Invalid error unless the guard is well formed and its
// upstream is another server than this one. CreateGuard and UpdateGuard do the same.
func (a *Admin) ValidateGuard(g hallpass.Guard) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if g.Upstream != "" && slices.ContainsFunc(a.o.Itself, func(url string) bool { return leadsTo(g.Upstream, url) }) {
		return hallpass.Invalidf("upstream", "The upstream is Hallpass itself: name the API that the guard protects")
	}
	return nil
}

// leadsTo reports whether a URL leads to a server, or below its path if it has one: another
// application may have the rest of the host.
func leadsTo(to, server string) bool {
	if hostPort(to) != hostPort(server) {
		return false
	}
	below, err := url.Parse(server)
	path, failed := url.Parse(to)
	return err != nil || failed != nil || strings.HasPrefix(path.Path+"/", strings.TrimRight(below.Path, "/")+"/")
}

// hostPort returns where the URL leads, as host:port; an address of this machine alone
// is written as localhost.
func hostPort(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// GuardWarnings tells what about the guard is allowed and probably not meant. Whoever
// writes a guard may know it.
func (a *Admin) GuardWarnings(ctx context.Context, c hallpass.Caller, g hallpass.Guard) (list []hallpass.GuardWarning, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		given, err := tx.GivenActions(c.Org)
		list = g.Warnings(func(action hallpass.Action) bool { return !action.Foreign() || slices.Contains(given, action) })
		return err
	})
	return list, err
}

// GuardUsage returns how often the guard decided what on the last days, today
// included, by day, rule, outcome and token. It is seconds old.
func (a *Admin) GuardUsage(ctx context.Context, c hallpass.Caller, name string, days int) (list []hallpass.GuardUse, err error) {
	const longest = int(hallpass.GuardUseRetention / (24 * time.Hour))
	today := a.now().Truncate(24 * time.Hour)
	err = a.read(ctx, c, guardNeed(hallpass.GuardsRead, name), func(tx *store.Tx) error {
		g, err := tx.Guard(c.Org, name)
		if err != nil {
			return err
		}
		list, err = tx.GuardUsage(g.ID, today.AddDate(0, 0, 1-min(max(days, 1), longest)))
		return err
	})
	return list, err
}

// guardDifference says for the audit in what a guard differs from what it was.
func guardDifference(was, g hallpass.Guard) string {
	var parts []string
	now := guardFields(g)
	for i, field := range guardFields(was) {
		if field.Value != now[i].Value {
			parts = append(parts, fmt.Sprintf("%s %q", field.Name, now[i].Value))
		}
	}
	before, after := was.RulesInWords(), g.RulesInWords()
	without := func(list, other []string, sign string) {
		for _, r := range list {
			if !slices.Contains(other, r) {
				parts = append(parts, sign+r)
			}
		}
	}
	without(before, after, "- ")
	without(after, before, "+ ")
	if len(parts) == 0 && !slices.Equal(before, after) {
		parts = append(parts, "rules in another order")
	}
	return strings.Join(parts, "; ")
}

// guardFields returns what is told of a guard in the audit, save its rules.
func guardFields(g hallpass.Guard) []hallpass.Field {
	return slices.Concat(
		[]hallpass.Field{{Name: "org", Value: fmt.Sprint(g.Org)}}, g.Fields(),
		[]hallpass.Field{{Name: "suspended", Value: string(g.Suspended)}, {Name: "managed by", Value: string(g.ManagedBy)}},
	)
}
