package admin

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A UserListFilter picks and orders the users of a list. Its zero fields pick all.
type UserListFilter struct {
	Members bool   // those of the caller's org that it may read, and not all of the server
	Query   string // part of the login, e-mail or name, whatever the case
	View    hallpass.UserView
	Sort    hallpass.UserSort
	Reverse bool
	Page    Page
	Names   func(a, b string) int // compares names as people order them; nil: by their folded form
}

// A UserList is a page of users, and what there is on all pages.
type UserList struct {
	Page   []hallpass.UserSummary
	Total  int
	Counts map[hallpass.UserView]int // of the users whom the rest of the filter picks
}

// UserList returns a page of the users whom the caller may read, each with what they are
// in the caller's org. It reads them with one statement, and two more for the page. The
// teams are those whose members the caller may read.
func (a *Admin) UserList(ctx context.Context, c hallpass.Caller, f UserListFilter) (l UserList, err error) {
	n := need{action: hallpass.UsersRead, scope: "global.users:*", where: onServer}
	if f.Members {
		n = need{action: hallpass.OrgUsersRead}
	}
	err = a.read(ctx, c, n, func(tx *store.Tx) error {
		all, err := tx.UserSummaries(c.Org, f.Query, f.Members)
		if err != nil {
			return err
		}
		if f.Members && !c.Can(hallpass.OrgUsersRead, "users:id:*") {
			all = slices.DeleteFunc(all, func(u hallpass.UserSummary) bool { return !c.Can(hallpass.OrgUsersRead, u.ID.Scope()) })
		}
		var picked []hallpass.UserSummary
		picked, l.Counts = f.pick(all, a.now())
		f.sort(picked)
		l.Page, l.Total = SlicePage(picked, f.Page), len(picked)
		return completeUsers(tx, c, l.Page)
	})
	return l, err
}

// pick returns the users whom the filter picks, and how many each view has.
func (f UserListFilter) pick(all []hallpass.UserSummary, now time.Time) (picked []hallpass.UserSummary, counts map[hallpass.UserView]int) {
	counts = make(map[hallpass.UserView]int)
	for _, u := range all {
		for _, v := range hallpass.UserViews() {
			if v.Picks(u, now) {
				counts[v]++
			}
		}
		if f.View.Picks(u, now) {
			picked = append(picked, u)
		}
	}
	return picked, counts
}

// sort orders the users.
func (f UserListFilter) sort(list []hallpass.UserSummary) {
	names, name := f.Names, func(u hallpass.UserSummary) string { return firstOf(u.Name, u.Login) }
	if names == nil || len(list) > maxNamed {
		names, name = cmp.Compare[string], func(u hallpass.UserSummary) string { return hallpass.NameKey(firstOf(u.Name, u.Login)) }
	}
	direction := 1
	if f.Reverse {
		direction = -1
	}
	byName := 1
	if f.Sort == hallpass.UsersByName {
		byName = direction
	}
	slices.SortStableFunc(list, func(a, b hallpass.UserSummary) int {
		return cmp.Or(direction*f.Sort.Compare(a, b), byName*names(name(a), name(b)), cmp.Compare(a.ID, b.ID))
	})
}

// completeUsers fills in what a page shows of its users and nothing else needs.
func completeUsers(tx *store.Tx, c hallpass.Caller, page []hallpass.UserSummary) error {
	at := make(map[hallpass.UserID]int, len(page))
	var members []hallpass.UserID
	var principals []int64
	for i, u := range page {
		if u.Member {
			at[u.ID] = i
			members, principals = append(members, u.ID), append(principals, int64(u.ID))
		}
	}
	given, err := tx.Given(c.Org, principals)
	if err != nil {
		return err
	}
	teams, err := tx.UserTeams(c.Org, members)
	for _, t := range teams {
		if u := &page[at[t.User]]; c.Can(hallpass.TeamsPermissionsRead, t.Team.ID.Scope()) {
			u.Teams = append(u.Teams, t)
		}
	}
	for _, id := range members {
		page[at[id]].Given = given[int64(id)]
	}
	return err
}
