package console

import (
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// areas are the things that permissions are about, as people name them, each
// with the action that reads it and those that change it.
var areas = []struct {
	name   string
	read   hallpass.Action
	change []hallpass.Action
}{
	{"the organization", hallpass.OrgsRead, []hallpass.Action{hallpass.OrgsWrite}},
	{"its members", hallpass.OrgUsersRead, []hallpass.Action{hallpass.OrgUsersAdd, hallpass.OrgUsersWrite, hallpass.OrgUsersRemove}},
	{"service accounts and their tokens", hallpass.ServiceAccountsRead, []hallpass.Action{
		hallpass.ServiceAccountsCreate, hallpass.ServiceAccountsWrite, hallpass.ServiceAccountsDelete,
	}},
	{"the users of this server", hallpass.UsersRead, []hallpass.Action{hallpass.UsersPasswordWrite}},
	{"the audit log", hallpass.AuditRead, nil},
}

// power is what a set of permissions amounts to: the names of the areas that
// it may change, and of those that it may only read.
type power struct{ manages, reads []string }

func powerOf(p *hallpass.Permissions) power {
	var w power
	for _, a := range areas {
		changes := false
		for _, action := range a.change {
			changes = changes || len(p.Scopes(action)) > 0
		}
		switch {
		case changes:
			w.manages = append(w.manages, a.name)
		case len(p.Scopes(a.read)) > 0:
			w.reads = append(w.reads, a.name)
		}
	}
	return w
}

// text tells the power with the verbs given: "manage … and read …"; empty when
// there is none.
func (w power) text(manage, read string) string {
	var parts []string
	if len(w.manages) > 0 {
		parts = append(parts, manage+" "+enumerate(w.manages))
	}
	if len(w.reads) > 0 {
		parts = append(parts, read+" "+enumerate(w.reads))
	}
	return strings.Join(parts, ", and ")
}

// enumerate joins names as a sentence does. A name may hold an "and" of its
// own, so that more than two are parted by commas throughout.
func enumerate(names []string) string {
	if len(names) < 3 {
		return strings.Join(names, " and ")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + ", and " + names[last]
}

// roleCan says what a role permits, and whether that is here no more than what
// the role below it does.
func roleCan(r hallpass.Role) string {
	can := powerOf(r.Permissions()).text("manages", "reads")
	if can == "" {
		return "Authenticates, and may do nothing by itself."
	}
	can = sentence(can)
	if r > hallpass.RoleNone && (r - 1).Permissions().HasAll(r.Permissions()) {
		can += " In Hallpass itself no more than " + (r - 1).String() + "."
	}
	return can
}

// tokenCan says what a token of an account with the role can do.
func tokenCan(r hallpass.Role) string {
	w := powerOf(r.Permissions())
	can := w.text("manage", "read")
	switch {
	case can == "":
		return "This token can authenticate, and nothing more by itself."
	case len(w.manages) == 0:
		return "This token can " + can + ". It cannot change anything in Hallpass."
	}
	return "This token can " + can + ". Give the account a lower role first if the job needs less."
}
