package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// UsedPermissions compares what an account holds with what its tokens were used for.
type UsedPermissions struct {
	From, To   time.Time
	Complete   bool // usage is recorded, and the account is there, since From or before
	Granted    int  // permissions that the account holds
	Used       int  // of those, that a request may have needed
	Unused     []Source
	Suggestion *RoleSuggestion // nil unless Complete
}

// A RoleSuggestion is the least basic role with which the account could go on with all
// that its tokens did, beside what it has through other roles.
type RoleSuggestion struct {
	Role hallpass.Role
	Also []string // the names of those of its other roles that are needed then
}

// UsedPermissions returns what of the account's permissions its tokens used on the last
// days, today included, also those that are deleted. NotFound when the caller's org has
// no such account.
func (a *Admin) UsedPermissions(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, days int) (u UsedPermissions, err error) {
	u.From, u.To = a.since(days), a.now()
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead, scope: account.Scope()}, func(tx *store.Tx) error {
		began, err := tx.UsageBegan()
		if err != nil {
			return err
		}
		p, err := a.powers(tx, c.Org, account)
		if err != nil {
			return err
		}
		u.Complete = !began.IsZero() && !began.After(u.From) && !p.account.CreatedAt.After(u.From)
		done, err := tx.AccountActions(account, u.From)
		if err != nil {
			return err
		}
		held, err := p.with(p.account.Role)
		if err != nil {
			return err
		}
		if err := u.compare(p, held, done); err != nil || !u.Complete {
			return err
		}
		u.Suggestion, err = p.suggest(done)
		return err
	})
	return u, err
}

// compare tells the permissions that were used from the others.
func (u *UsedPermissions) compare(p powers, held []Source, done []hallpass.TokenAction) error {
	seen := make(map[hallpass.Permission]bool)
	for _, s := range held {
		if seen[s.Permission] {
			continue
		}
		seen[s.Permission] = true
		u.Granted++
		used, err := p.anyNeeds(done, s.Permission)
		if err != nil {
			return err
		}
		if used {
			u.Used++
		} else {
			u.Unused = append(u.Unused, s)
		}
	}
	return nil
}

// powers is what an account holds, and would hold with another basic role.
type powers struct {
	admin   *Admin
	tx      *store.Tx
	account hallpass.ServiceAccount
	caller  hallpass.Caller
	scopes  map[hallpass.Scope][]hallpass.Scope // of a thing in the tree of folders: its own and those of the folders it is in
}

func (a *Admin) powers(tx *store.Tx, org hallpass.OrgID, id hallpass.ServiceAccountID) (p powers, err error) {
	p = powers{admin: a, tx: tx, scopes: make(map[hallpass.Scope][]hallpass.Scope)}
	if p.account, err = tx.ServiceAccount(org, id); err != nil {
		return p, err
	}
	p.caller, err = tx.ServiceAccountCaller(p.account)
	return p, err
}

// with returns all that the account would hold with the role.
func (p powers) with(role hallpass.Role) ([]Source, error) {
	c := p.caller
	c.Role = role
	return p.admin.sources(p.tx, c)
}

// allows returns the first of the sources that permits what was done, nil if none does.
// An account with the role may what needs that role.
func (p powers) allows(sources []Source, role hallpass.Role, done hallpass.TokenAction) (*Source, error) {
	if needed, ok := done.Role(); ok {
		if role >= needed {
			return &Source{}, nil
		}
		return nil, nil
	}
	for i := range sources {
		if needs, err := p.needs(done, sources[i].Permission); err != nil || needs {
			return &sources[i], err
		}
	}
	return nil, nil
}

// needs reports whether what was done may have needed the permission: on the thing, or
// on a folder that it is in.
func (p powers) needs(done hallpass.TokenAction, held hallpass.Permission) (bool, error) {
	if done.NeededBy(held) || held.Action != done.Action {
		return done.NeededBy(held), nil
	}
	r, id, ok := done.Scope.ResourceOf()
	if !ok || !inTree(r) {
		return false, nil
	}
	scopes, known := p.scopes[done.Scope]
	if !known {
		var err error
		if scopes, err = treeScopes(p.tx, p.account.Org, r, id); err != nil && hallpass.KindOf(err) != hallpass.NotFound {
			return false, err
		}
		p.scopes[done.Scope] = scopes
	}
	return slices.ContainsFunc(scopes, func(s hallpass.Scope) bool {
		return held.Covers(hallpass.Permission{Action: done.Action, Scope: s})
	}), nil
}

func (p powers) anyNeeds(done []hallpass.TokenAction, held hallpass.Permission) (bool, error) {
	for _, d := range done {
		if needs, err := p.needs(d, held); err != nil || needs {
			return needs, err
		}
	}
	return false, nil
}

// suggest returns the least role with which the account may do all that was done, and
// which of its other roles that takes; its own role if no other will do.
func (p powers) suggest(done []hallpass.TokenAction) (*RoleSuggestion, error) {
	for role := hallpass.RoleNone; role < p.account.Role; role++ {
		loses, err := p.losing(hallpass.ImpactOf{Do: hallpass.ImpactRole, Role: role})
		if err != nil {
			return nil, err
		}
		lost := false
		for _, d := range done {
			if lost, err = loses(d); err != nil || lost {
				break
			}
		}
		if err != nil {
			return nil, err
		}
		if !lost {
			return p.suggestion(role, done)
		}
	}
	return p.suggestion(p.account.Role, done)
}

func (p powers) suggestion(role hallpass.Role, done []hallpass.TokenAction) (*RoleSuggestion, error) {
	sources, err := p.with(role)
	if err != nil {
		return nil, err
	}
	s := &RoleSuggestion{Role: role}
	for _, d := range done { // the basic role's permissions stand first
		by, err := p.allows(sources, role, d)
		if err != nil {
			return nil, err
		}
		if by != nil && by.Role != "" && by.RoleUID != role.UID() && !slices.Contains(s.Also, by.Role) {
			s.Also = append(s.Also, by.Role)
		}
	}
	slices.Sort(s.Also)
	return s, nil
}

// given returns all that the account would hold if it was given itself the roles with those
// uids in its org, and no others. A role that there is not gives nothing.
func (p powers) given(uids []string) ([]Source, error) {
	sources, err := p.with(p.account.Role)
	if err != nil {
		return nil, err
	}
	own := func(s Source) bool { return s.RoleUID != "" && s.Through == throughItself && !s.OnServer }
	sources = slices.DeleteFunc(sources, func(s Source) bool { return own(s) && !slices.Contains(uids, s.RoleUID) })
	for _, uid := range uids {
		if slices.ContainsFunc(sources, func(s Source) bool { return own(s) && s.RoleUID == uid }) {
			continue
		}
		r, err := p.tx.Role(p.account.Org, uid)
		if hallpass.KindOf(err) == hallpass.NotFound {
			continue
		} else if err != nil {
			return nil, err
		}
		for _, may := range r.Permissions {
			sources = append(sources, Source{Role: r.Name, RoleUID: r.UID, Through: throughItself, Permission: may})
		}
	}
	return sources, nil
}

// losing returns what tells whether the account could not do any more what it may do now,
// after a change of its basic role or of its others. Where it is not known on what something
// was done, it could not as soon as it loses a permission of that action: what was done may
// have needed that one.
func (p powers) losing(of hallpass.ImpactOf) (loses func(hallpass.TokenAction) (bool, error), err error) {
	now, err := p.with(p.account.Role)
	if err != nil {
		return nil, err
	}
	then, role := []Source(nil), p.account.Role
	if of.Do == hallpass.ImpactRole {
		role = of.Role
		then, err = p.with(role)
	} else {
		then, err = p.given(of.Roles)
	}
	return p.losingTo(now, then, role), err
}

// losingTo is losing where the account holds now, and would hold then and have the role.
func (p powers) losingTo(now, then []Source, role hallpass.Role) func(hallpass.TokenAction) (bool, error) {
	return func(d hallpass.TokenAction) (bool, error) {
		may, err := p.allows(now, p.account.Role, d)
		if err != nil || may == nil {
			return false, err
		}
		still, err := p.allows(then, role, d)
		if err != nil || still == nil {
			return err == nil, err
		}
		return !d.Scoped() && slices.ContainsFunc(now, func(s Source) bool {
			return d.NeededBy(s.Permission) && !slices.ContainsFunc(then, func(t Source) bool { return t.Permission.Covers(s.Permission) })
		}), nil
	}
}

// An Impact is what a change of a service account or of one of its tokens would break,
// by what was used of late.
type Impact struct {
	Clients []ImpactClient // that would fail, the latest first
	Lost    []hallpass.TokenAction
	LastUse time.Time // of the clients; zero: there are none
}

// An ImpactClient is a client of a token that works now.
type ImpactClient struct {
	Token hallpass.Token
	hallpass.TokenPlace
}

// WouldBreak reports whether anything would fail.
func (i Impact) WouldBreak() bool { return len(i.Clients) > 0 || len(i.Lost) > 0 }

// Impact returns what would break, by the use of the last days, today included.
// NotFound when the caller's org has no such account, or the account no such token.
func (a *Admin) Impact(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, of hallpass.ImpactOf, days int) (i Impact, err error) {
	since := a.since(days)
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead, scope: account.Scope()}, func(tx *store.Tx) error {
		p, err := a.powers(tx, c.Org, account)
		if err != nil {
			return err
		}
		if of.Token != 0 {
			if _, err := tx.Token(c.Org, account, of.Token); err != nil {
				return err
			}
		}
		tokens, err := tx.Tokens(c.Org, account)
		if err != nil {
			return err
		}
		concerned := make(map[hallpass.TokenID]hallpass.Token)
		for _, t := range tokens {
			refused := of.Do == hallpass.ImpactPause && (p.account.Disabled || t.Pause.Holds(a.now())) // already, so that nothing changes for it
			if t.Live(a.now()) && (of.Token == 0 || t.ID == of.Token) && !refused {
				concerned[t.ID] = t
			}
		}
		var loses func(hallpass.TokenAction) (bool, error)
		if of.Do == hallpass.ImpactRole || of.Do == hallpass.ImpactRoles {
			if loses, err = p.losing(of); err != nil {
				return err
			}
		}
		return i.read(p, loses, concerned, since)
	})
	return i, err
}

// read finds what of the use of the tokens would fail: what loses tells, or all of it.
func (i *Impact) read(p powers, loses func(hallpass.TokenAction) (bool, error), tokens map[hallpass.TokenID]hallpass.Token, since time.Time) error {
	did, err := p.tx.TokenActions(p.account.ID, since)
	if err != nil {
		return err
	}
	did = slices.DeleteFunc(did, func(d store.TokenDid) bool { _, concerned := tokens[d.Token]; return !concerned })
	failing := tokens
	if loses != nil {
		failing = make(map[hallpass.TokenID]hallpass.Token)
	}
	for _, d := range did {
		lost := true
		if loses != nil {
			lost, err = loses(d.TokenAction)
		}
		if err != nil {
			return err
		}
		if lost {
			failing[d.Token] = tokens[d.Token]
			i.add(d.TokenAction)
		}
	}
	slices.SortFunc(i.Lost, func(x, y hallpass.TokenAction) int {
		return strings.Compare(string(x.Action)+" "+string(x.Scope), string(y.Action)+" "+string(y.Scope))
	})
	clients, err := p.tx.TokenClients(p.account.ID, since)
	for _, c := range clients {
		if t, fails := failing[c.Token]; fails {
			i.Clients = append(i.Clients, ImpactClient{t, c.TokenPlace})
			if c.Last.After(i.LastUse) {
				i.LastUse = c.Last
			}
		}
	}
	return err
}

// add adds what a token did to what is lost.
func (i *Impact) add(d hallpass.TokenAction) {
	for j := range i.Lost {
		if l := &i.Lost[j]; l.Action == d.Action && l.Scope == d.Scope {
			l.Count += d.Count
			if d.Last.After(l.Last) {
				l.Last = d.Last
			}
			return
		}
	}
	i.Lost = append(i.Lost, d)
}
