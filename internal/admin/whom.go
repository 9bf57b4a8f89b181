package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Bounds on WhomToAsk: how many people and roles it names, and among how many it looks.
const (
	maxAsked      = 3
	maxAskedRoles = 3
	maxCandidates = 50
)

// Help is what somebody who lacks a permission can do about it.
type Help struct {
	People []Helper             // who can give it, Admins first
	More   bool                 // there may be others
	Roles  []hallpass.NamedRole // that hold it, the narrowest first
	Server bool                 // it is held on the server: server admins give it
}

// A Helper is a user who can give a permission.
type Helper struct {
	ID    hallpass.UserID
	Name  string // never the login or a mail address, unless the caller may read the user
	Email string // empty: there is none, or the caller may not read it
}

// WhomToAsk returns who of the caller's org can give the permission that the caller lacks,
// on whatever scope, and which roles hold it. It takes no permission: a member may know who
// administers the org, by name. Of roles that the caller may not read and of people of
// another org it tells nothing.
func (a *Admin) WhomToAsk(ctx context.Context, c hallpass.Caller, lacks hallpass.Action) (h Help, err error) {
	info, known := lacks.Info()
	h.Server = known && info.Usable == hallpass.UsableOnServer
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		if lacks.Valid() {
			roles, err := a.rolesThat(tx, c, func(p hallpass.Permission) bool { return p.Action == lacks })
			if err != nil {
				return err
			}
			h.Roles = roles[:min(len(roles), maxAskedRoles)]
		}
		if c.OrgMissing {
			return nil
		}
		candidates, err := tx.LikelyGivers(c.Org, maxCandidates)
		if err != nil {
			return err
		}
		h.More = len(candidates) == maxCandidates
		for _, u := range candidates {
			gives, err := a.canHelp(tx, c.Org, u, lacks, h.Server)
			if err != nil {
				return err
			}
			if !gives || u.ID == c.User() {
				continue
			}
			if len(h.People) == maxAsked {
				h.More = true
				break
			}
			person := helper(c, u)
			if person.Name != unnamed || !slices.Contains(h.Names(), unnamed) {
				h.People = append(h.People, person)
			}
		}
		return nil
	})
	return h, err
}

// canHelp reports whether the user can give a role that holds the action.
func (a *Admin) canHelp(tx *store.Tx, org hallpass.OrgID, u hallpass.User, action hallpass.Action, onServer bool) (bool, error) {
	them, err := tx.UserCaller(u, org)
	switch {
	case err != nil:
		return false, err
	case onServer:
		return them.CanOnServer(hallpass.UsersRolesAdd, hallpass.ScopeDelegate) && them.CanOnServer(action, ""), nil
	case !them.Can(hallpass.UsersRolesAdd, hallpass.ScopeDelegate):
		return false, nil
	}
	err = a.mayGive(tx, them, []hallpass.Permission{{Action: action}})
	if hallpass.KindOf(err) == hallpass.Denied {
		return false, nil
	}
	return err == nil, err
}

// unnamed stands for somebody whose name the caller may not know, or who has none.
const unnamed = "an Admin"

// helper returns the user as the caller may know them.
func helper(c hallpass.Caller, u hallpass.User) Helper {
	h := Helper{ID: u.ID, Name: u.Name}
	if c.Can(hallpass.OrgUsersRead, u.ID.Scope()) || c.CanOnServer(hallpass.UsersRead, u.ID.GlobalScope()) {
		h.Name, h.Email = firstOf(u.Name, u.Login), u.Email
		return h
	}
	h.Name, _, _ = strings.Cut(h.Name, "@")
	if h.Name = strings.TrimSpace(h.Name); h.Name == "" || strings.EqualFold(h.Name, u.Login) {
		h.Name = unnamed
	}
	return h
}

// Names lists what the people are called.
func (h Help) Names() (names []string) {
	for _, p := range h.People {
		names = append(names, p.Name)
	}
	return slices.Clip(names)
}
