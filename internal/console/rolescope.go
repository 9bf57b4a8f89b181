package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/library"
)

// mostThings is how many things of a kind a chooser offers.
const mostThings = 25

// scopeKind is a kind of scope, and how things of that kind are found by name.
type scopeKind struct {
	kind hallpass.Scope // ends in "*"
	all  string         // what it is called
	icon string
	find func(*request, string) ([]thing, error) // nil: nobody lists them
}

// thing is something that a scope can name.
type thing struct{ id, name, more string }

// scopeKinds are the kinds of scope, in the order in which choosers offer them.
var scopeKinds = []scopeKind{
	{"serviceaccounts:id:*", "All service accounts", "key", accountThings},
	{"users:id:*", "All users", "user", memberThings},
	{"users:*", "All users", "user", nil},
	{"global.users:id:*", "All users of the server", "user", userThings},
	{"teams:id:*", "All teams", "team", teamThings},
	{"roles:uid:*", "All roles", "badge", roleThings},
	{"dashboards:uid:*", "All dashboards", "chart", dashboardThings},
	{"folders:uid:*", "All folders and what is in them", "folder", folderThings},
	{"guards:uid:*", "All guards", "gate", guardThings},
	{"datasources:uid:*", "All data sources", "server", nil},
	{"apikeys:id:*", "All API keys", "key", nil},
	{"settings:*", "All settings", "cog", nil},
}

// kindOf returns the kind that a scope is of.
func kindOf(s hallpass.Scope) (scopeKind, bool) {
	i := slices.IndexFunc(scopeKinds, func(k scopeKind) bool {
		return k.kind.Covers(s) || strings.HasSuffix(string(s), "*") && s != "*" && s.Covers(k.kind)
	})
	if i < 0 {
		return scopeKind{}, false
	}
	return scopeKinds[i], true
}

// scopeLabel is what people call a scope.
func (n names) scopeLabel(s hallpass.Scope) (label, icon string) {
	k, known := kindOf(s)
	switch {
	case s == hallpass.ScopeDelegate:
		return "What the holder holds itself", "badge"
	case s == hallpass.ScopeEscalate:
		return "More than the holder holds", "badge"
	case s == "*":
		return "Everything", "globe"
	case !known:
		return string(s), "globe"
	case s.Covers(k.kind):
		return k.all, k.icon
	}
	if name := n.scopeName(s); name != "" {
		return sentenceStart(name), k.icon
	}
	return string(s), k.icon
}

func accountThings(req *request, text string) (list []thing, err error) {
	if !req.caller.Can(hallpass.ServiceAccountsRead, "") {
		return nil, nil
	}
	page, _, err := req.o.Admin.ServiceAccounts(req.Context(), req.caller, admin.ServiceAccountFilter{Query: text, Page: 1, PerPage: mostThings + 1})
	for _, a := range page {
		list = append(list, thing{idText(int64(a.ID)), a.Name, a.Login})
	}
	return list, err
}

func memberThings(req *request, text string) (list []thing, err error) {
	if !req.caller.Can(hallpass.OrgUsersRead, "") {
		return nil, nil
	}
	page, err := req.o.Admin.OrgUsers(req.Context(), req.caller, text, mostThings+1)
	for _, m := range page {
		list = append(list, thing{idText(int64(m.User.ID)), cmp.Or(m.User.Name, m.User.Login), m.User.Login})
	}
	return list, err
}

func userThings(req *request, text string) (list []thing, err error) {
	if !req.caller.CanOnServer(hallpass.UsersRead, "") {
		return nil, nil
	}
	page, _, err := req.o.Admin.Users(req.Context(), req.caller, text, admin.Page{Number: 1, Size: mostThings + 1})
	for _, u := range page {
		list = append(list, thing{idText(int64(u.ID)), cmp.Or(u.Name, u.Login), u.Login})
	}
	return list, err
}

func teamThings(req *request, text string) (list []thing, err error) {
	if !req.caller.Can(hallpass.TeamsRead, "") {
		return nil, nil
	}
	page, _, err := req.o.Admin.Teams(req.Context(), req.caller, admin.TeamFilter{Query: text, Page: admin.Page{Number: 1, Size: mostThings + 1}})
	for _, t := range page {
		list = append(list, thing{idText(int64(t.ID)), t.Name, hallpass.Counted(int(t.Members), "member")})
	}
	return list, err
}

func roleThings(req *request, text string) (list []thing, err error) {
	all, err := req.o.Admin.Roles(req.Context(), req.caller, admin.RoleFilter{Hidden: true})
	for _, r := range all {
		if matches(hallpass.NameKey(roleTitle(r)+" "+r.Name), text) && len(list) <= mostThings {
			list = append(list, thing{r.UID, roleTitle(r), roleNoun(r).one})
		}
	}
	return list, err
}

func folderThings(req *request, text string) (list []thing, err error) {
	if matches("root of the folders", text) {
		list = append(list, thing{hallpass.RootFolder, "The root of the folders", "what is directly there, not what is below"})
	}
	found, err := req.treeThings(library.SearchFilter{Text: text, FoldersOnly: true})
	return append(list, found...), err
}

func dashboardThings(req *request, text string) ([]thing, error) {
	return req.treeThings(library.SearchFilter{Text: text, DashboardOnly: true})
}

func (req *request) treeThings(f library.SearchFilter) (list []thing, err error) {
	f.Page = admin.Page{Number: 1, Size: mostThings + 1}
	hits, err := req.o.Library.Search(req.Context(), req.caller, f)
	for _, h := range hits {
		t := thing{name: h.Title(), more: after("in ", h.In.Title)}
		if h.Folder != nil {
			t.id = h.Folder.UID
		} else {
			t.id = h.Dashboard.UID
		}
		list = append(list, t)
	}
	return list, err
}

func guardThings(req *request, text string) (list []thing, err error) {
	if !req.caller.Can(hallpass.GuardsRead, "") {
		return nil, nil
	}
	page, _, err := req.o.Admin.Guards(req.Context(), req.caller, admin.GuardFilter{Query: text, Page: admin.Page{Number: 1, Size: mostThings + 1}})
	for _, g := range page {
		list = append(list, thing{g.Name, g.Name, after("in front of ", g.Upstream)})
	}
	return list, err
}

// scopeChoice is a scope that a chooser offers.
type scopeChoice struct {
	Scope       hallpass.Scope
	Label, More string
	Denied      string // why it cannot be chosen; empty: it can
	icon        string
}

// Icon is the drawing of what it is on.
func (c scopeChoice) Icon() string { return cmp.Or(c.icon, "globe") }

// scopeChooser offers what an action can be on.
type scopeChooser struct {
	Action  hallpass.Action
	Find    string
	Search  bool // things of its kinds are found by name
	Choices []scopeChoice
	Cut     bool // there are more
	Foreign bool // only the API that asks for the action knows its scopes
}

// scopeChooser returns the chooser for an action of a role that has the scopes already.
func (req *request) scopeChooser(in roleFields, lacks func(hallpass.Action) string) (scopeChooser, error) {
	v := scopeChooser{Action: in.Open, Find: in.Find}
	row, known := in.Open.Info()
	v.Foreign = !known
	if !known {
		v.Choices = []scopeChoice{{Scope: "*", Label: "Everything", More: "whatever scope the API asks for"}}
	}
	for _, k := range scopeKinds {
		if !slices.Contains(row.Scopes, k.kind) {
			continue
		}
		if in.Find == "" {
			v.Choices = append(v.Choices, scopeChoice{Scope: k.kind, Label: k.all, More: "also those that are made later", icon: k.icon})
		}
		if k.find == nil {
			continue
		}
		v.Search = true
		things, err := k.find(req, in.Find)
		if err != nil {
			return v, err
		}
		v.Cut = v.Cut || len(things) > mostThings
		prefix := strings.TrimSuffix(string(k.kind), "*")
		for _, t := range things[:min(len(things), mostThings)] {
			v.Choices = append(v.Choices, scopeChoice{Scope: hallpass.Scope(prefix + t.id), Label: t.name, More: t.more, icon: k.icon})
		}
	}
	return v, req.denyScopes(&v, in, lacks)
}

// denyScopes leaves out what the role has already, and says of the others why they cannot
// be chosen.
func (req *request) denyScopes(v *scopeChooser, in roleFields, lacks func(hallpass.Action) string) error {
	has := in.list()
	v.Choices = slices.DeleteFunc(v.Choices, func(c scopeChoice) bool {
		return slices.Contains(has, hallpass.Permission{Action: v.Action, Scope: c.Scope})
	})
	var wanted []hallpass.Permission
	for _, c := range v.Choices {
		wanted = append(wanted, hallpass.Permission{Action: v.Action, Scope: c.Scope})
	}
	may, err := req.o.Admin.MayGive(req.Context(), req.caller, in.Global, wanted)
	for i := range may {
		if !may[i] {
			v.Choices[i].Denied = lacks(v.Action)
		}
	}
	return err
}
