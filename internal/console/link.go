package console

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// link names something and leads to its page. The ID can be copied.
type link struct {
	Kind    string // "service account", "team"; may be empty
	Name    string // empty: it is not there, or the viewer may not see it
	URL     string // empty: it has no page, or the page is of another organization
	ID      string // as the API writes it
	Deleted bool   // only the audit knows of it; Name may be empty
}

// names holds the names of what references point to.
type names struct {
	v     *request
	known map[admin.Ref]admin.Name
}

// lookUpNames looks up what scopes point to.
func (req *request) lookUpNames(refs []admin.Ref) (names, error) {
	known, err := req.o.Admin.Names(req.Context(), req.caller, refs)
	return names{req, known}, err
}

// link returns the link to what text, a reference or scope of the org, points to.
func (n names) link(org hallpass.OrgID, text string) link {
	ref, ok := admin.ParseRef(org, text)
	if !ok {
		return link{ID: text}
	}
	if ref.Kind == admin.RefFolder && ref.ID == hallpass.RootFolder { // it always exists and has no row
		return link{Name: "the root of the folders", ID: text}
	}
	name, known := n.known[ref]
	t := link{Kind: refNoun(ref, name, text), ID: text}
	if !known {
		return t
	}
	t.Name, t.Deleted = name.Text, name.Deleted
	if t.Deleted {
		return t
	}
	if org == n.v.caller.Org || ref.Kind == admin.RefOrg {
		t.URL = n.v.pageOf(name)
	}
	if name.Owner != "" {
		t.Name += " of " + name.Owner
	}
	return t
}

// secretName names a token beside another, which often has the same name: "deploy …2a8e",
// without its account.
func secretName(n admin.Name) string {
	if n.Text == "" || n.LastFour == "" {
		return n.Text
	}
	return n.Text + " …" + n.LastFour
}

// pageOf returns the address of the page about n; empty: there is none, or the
// viewer may not see it.
func (req *request) pageOf(n admin.Name) string {
	id, _ := hallpass.ParseID(n.ID)
	switch {
	case n.Kind == admin.RefToken:
		return accountURL(n.UID) + "/tokens/" + n.ID
	case n.Kind == admin.RefPrincipal && n.Account:
		return accountURL(n.UID)
	case n.Kind == admin.RefPrincipal && (req.caller.CanOnServer(hallpass.UsersRead, hallpass.UserID(id).GlobalScope()) || req.caller.Can(hallpass.OrgUsersRead, hallpass.UserID(id).Scope())):
		return userURL(hallpass.UserID(id))
	case n.Kind == admin.RefTeam:
		return crumbTeams.URL + "/" + n.UID
	case n.Kind == admin.RefRole:
		return roleURL(n.ID)
	case n.Kind == admin.RefOrg && req.caller.CanOnServer(hallpass.OrgsRead, ""):
		return orgURL(hallpass.OrgID(id))
	case n.Kind == admin.RefFolder:
		return folderURL(n.ID)
	case n.Kind == admin.RefGuard:
		return guardURL(n.ID)
	}
	return ""
}

// principal returns the link to a user or account.
func (n names) principal(org hallpass.OrgID, p hallpass.Principal) link {
	kind := "user:"
	if p.Kind == hallpass.ServiceAccountPrincipal {
		kind = "serviceaccount:"
	}
	t := n.link(org, kind+idText(p.ID))
	if t.Name == "" {
		t.Name = p.Login
	}
	return t
}

// scopeName returns the name of what a scope of this org stands for; empty: none.
func (n names) scopeName(s hallpass.Scope) string {
	return n.link(n.v.caller.Org, string(s)).Name
}

// namesIn looks up what the scopes of the permissions stand for.
func (req *request) namesIn(lists ...[]hallpass.Permission) (names, error) {
	var refs []admin.Ref
	for _, list := range lists {
		for _, p := range list {
			refs = append(refs, refsIn(req.caller.Org, string(p.Scope))...)
		}
	}
	return req.lookUpNames(refs)
}

// linkTo returns the link to what a scope of this org stands for; the zero link for
// several things, for the root folder, and for what has no name.
func (n names) linkTo(s hallpass.Scope) link {
	if t := n.link(n.v.caller.Org, string(s)); t.Name != "" && t.Kind != "" {
		return t
	}
	return link{}
}

// refsIn returns the references among the texts of the org.
func refsIn(org hallpass.OrgID, texts ...string) (refs []admin.Ref) {
	for _, text := range texts {
		if r, ok := admin.ParseRef(org, text); ok {
			refs = append(refs, r)
		}
	}
	return refs
}
