package console

import (
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// roleFields are the fields of the form of a role.
type roleFields struct {
	Name, DisplayName, Description, Group string
	Permissions                           string // one per line: action and scope
	Global                                bool
	RoleVersion                           int64
	Seek                                  string          // what an action is looked for by
	Open                                  hallpass.Action // whose things are being chosen; "": none is
	Find                                  string          // what a thing is looked for by
	Write                                 string          // a scope that is written by hand
}

// roleFields reads the form of a role.
func (req *request) roleFields() roleFields {
	f := req.PostForm
	text := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	in := roleFields{
		Name: text("name"), DisplayName: text("display"), Description: text("description"), Group: text("group"),
		Permissions: f.Get("permissions"), Global: f.Get("global") == "yes",
		Seek: text("seek"), Open: hallpass.Action(text("open")), Find: text("find"), Write: text("scope"),
	}
	in.RoleVersion, _ = hallpass.ParseID(f.Get("version"))
	return in
}

// role returns the role that the form describes.
func (in roleFields) role() hallpass.NamedRole {
	return hallpass.NamedRole{
		Name: in.Name, DisplayName: in.DisplayName, Description: in.Description, Group: in.Group, Version: in.RoleVersion, Permissions: in.list(),
	}
}

// list reads the lines of permissions.
func (in roleFields) list() (list []hallpass.Permission) {
	for line := range strings.Lines(in.Permissions) {
		if action, scope, _ := strings.Cut(strings.TrimSpace(line), " "); action != "" {
			list = append(list, hallpass.Permission{Action: hallpass.Action(action), Scope: hallpass.Scope(strings.TrimSpace(scope))})
		}
	}
	return list
}

// set writes the lines of permissions.
func (in *roleFields) set(list []hallpass.Permission) {
	var lines []string
	for _, p := range list {
		lines = append(lines, permissionLine(p))
	}
	in.Permissions = strings.Join(lines, "\n")
}

// permissionLine is a permission as a line of the form.
func permissionLine(p hallpass.Permission) string {
	return strings.TrimSpace(string(p.Action) + " " + string(p.Scope))
}

// What the buttons of the form do. An action follows most of them, and a scope some.
const (
	roleLook  = "look"  // shows what the permissions mean now
	roleSeek  = "seek"  // looks for actions
	roleAdd   = "add"   // adds an action
	roleDrop  = "drop"  // takes an action away, or what it has on one scope
	roleOpen  = "open"  // offers what an action can be on
	roleShut  = "shut"  // and offers it no more
	roleFind  = "find"  // looks for things
	roleGive  = "give"  // adds a scope
	roleWrite = "write" // adds the scope that is written by hand
)

// The elements of the form that get the focus.
const (
	focusSeek = "role-seek"
	focusFind = "role-find"
)

// arrange does what a button says. It returns the id of the element to go on with and what
// it did, in words. Nothing is saved.
func (in *roleFields) arrange(button string) (focus, said string) {
	what, rest, _ := strings.Cut(button, " ")
	name, on, _ := strings.Cut(rest, " ")
	action, scope := hallpass.Action(name), hallpass.Scope(on)
	switch what {
	case roleSeek:
		return focusSeek, ""
	case roleAdd:
		return in.add(action)
	case roleDrop:
		in.set(slices.DeleteFunc(in.list(), func(p hallpass.Permission) bool {
			return p.Action == action && (p.Scope == scope || !strings.Contains(rest, " "))
		}))
		if in.Open == action && !slices.ContainsFunc(in.list(), func(p hallpass.Permission) bool { return p.Action == action }) {
			in.Open = ""
		}
		return focusSeek, permissionText(hallpass.Permission{Action: action, Scope: scope}) + " removed."
	case roleOpen:
		in.Open, in.Find = action, ""
		return focusFind, ""
	case roleShut:
		in.Open = ""
		return openID(action), ""
	case roleFind:
		return focusFind, ""
	case roleGive:
		return in.give(action, scope)
	case roleWrite:
		if in.Write == "" {
			return "role-scope", "Write a scope first."
		}
		return in.give(action, hallpass.Scope(in.Write))
	}
	return "role-look", ""
}

// add adds an action: on the one scope that it takes, or so that its scope is chosen next.
func (in *roleFields) add(action hallpass.Action) (focus, said string) {
	in.Seek = ""
	list := in.list()
	if !slices.ContainsFunc(list, func(p hallpass.Permission) bool { return p.Action == action }) {
		asked, row, known := hallpass.Permission{Action: action}.Demand()
		list = append(list, asked)
		in.set(list)
		if known && (len(row.Scopes) == 0 || asked.Scope != "") {
			return focusSeek, string(action) + " added."
		}
	}
	in.Open, in.Find = action, ""
	return focusFind, string(action) + " added. Choose what it is for."
}

// forNothing returns an action that takes a scope and has none: a role with it does nothing
// by it.
func (in roleFields) forNothing() (hallpass.Action, bool) {
	for _, p := range in.list() {
		if asked, row, known := p.Demand(); known && len(row.Scopes) > 0 && asked.Scope == "" {
			return p.Action, true
		}
	}
	return "", false
}

// give adds a scope to an action. With it the action is not without one any more.
func (in *roleFields) give(action hallpass.Action, scope hallpass.Scope) (focus, said string) {
	p := hallpass.Permission{Action: action, Scope: scope}
	list := slices.DeleteFunc(in.list(), func(q hallpass.Permission) bool {
		return q.Action == action && (q.Scope == "" || scope.Covers(q.Scope))
	})
	in.set(append(list, p))
	in.Write, in.Find = "", ""
	if strings.HasSuffix(string(scope), "*") {
		in.Open = ""
		return openID(action), permissionText(p) + " added."
	}
	return focusFind, permissionText(p) + " added."
}

// openID is the id of the button that offers what an action can be on.
func openID(a hallpass.Action) string { return "open-" + strings.ReplaceAll(string(a), ":", "-") }
