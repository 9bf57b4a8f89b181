package hallpass_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// people are users who differ in one fact each.
func people(now time.Time) map[string]hallpass.UserSummary {
	seen := hallpass.User{SeenAt: now}
	return map[string]hallpass.UserSummary{
		"admin":    {User: seen, Member: true, Role: hallpass.RoleAdmin},
		"viewer":   {User: seen, Member: true, Role: hallpass.RoleViewer},
		"none":     {User: seen, Member: true},
		"left":     {User: seen, Role: hallpass.RoleAdmin},
		"root":     {User: hallpass.User{SeenAt: now, ServerAdmin: true}},
		"outside":  {User: hallpass.User{SeenAt: now, Outside: true}},
		"new":      {},
		"gone":     {User: hallpass.User{SeenAt: now.Add(-hallpass.Stale - 1)}},
		"holiday":  {User: hallpass.User{SeenAt: now.Add(-hallpass.Stale)}},
		"disabled": {User: hallpass.User{SeenAt: now, Disabled: true}},
	}
}

func TestUserViews(t *testing.T) {
	for view, want := range map[hallpass.UserView]string{
		hallpass.AllUsers:      "admin disabled gone holiday left new none outside root viewer",
		hallpass.AdminUsers:    "admin",
		hallpass.ServerAdmins:  "root",
		hallpass.OutsideUsers:  "outside",
		hallpass.NeverUsers:    "new",
		hallpass.IdleUsers:     "gone",
		hallpass.DisabledUsers: "disabled",
		"another":              "",
	} {
		var got []string
		for name, u := range people(noon) {
			if view.Picks(u, noon) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q shows %q, want %q", view, got, want)
		}
		if known := slices.Contains(hallpass.UserViews(), view); known != (view != "another") {
			t.Errorf("%q is among the views: %v", view, known)
		}
	}
}

func TestUserSorts(t *testing.T) {
	all := people(noon)
	for sort, names := range map[hallpass.UserSort]string{
		hallpass.UsersByRole: "admin viewer none left",
		hallpass.UsersBySeen: "admin holiday gone new",
	} {
		list := strings.Fields(names)
		for i, a := range list[1:] {
			if sort.Compare(all[list[i]], all[a]) >= 0 {
				t.Errorf("by %q: %s comes not before %s", sort, list[i], a)
			}
		}
	}
	if hallpass.UsersByName.Compare(all["admin"], all["new"]) != 0 {
		t.Error("by name, something else counts")
	}
}
