package admin

import (
	"context"
	"errors"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Ref points to a thing by its kind and id, as audit entries and scopes do.
type Ref struct {
	Org  hallpass.OrgID
	Kind RefKind
	ID   string // a decimal ID, or a uid
}

// RefKind is the kind of thing that a Ref points to.
type RefKind string

// The kinds of things that have names.
const (
	RefPrincipal RefKind = "principal" // a user or a service account
	RefTeam      RefKind = "team"
	RefToken     RefKind = "token"
	RefOrg       RefKind = "org"
	RefRole      RefKind = "role"
	RefFolder    RefKind = "folder"
	RefDashboard RefKind = "dashboard"
	RefGuard     RefKind = "guard" // by its name
)

// refKinds are the kinds by the text before the id.
var refKinds = []struct {
	prefix string
	kind   RefKind
}{
	{"principal:", RefPrincipal}, {"user:", RefPrincipal}, {"users:id:", RefPrincipal}, {"global.users:id:", RefPrincipal},
	{"serviceaccount:", RefPrincipal}, {"serviceaccounts:id:", RefPrincipal}, {"serviceaccounts:", RefPrincipal},
	{"team:", RefTeam}, {"teams:id:", RefTeam}, {"teams:", RefTeam}, {"token:", RefToken}, {"org:", RefOrg}, {"orgs:id:", RefOrg},
	{"role:", RefRole}, {"roles:uid:", RefRole}, {"folder:", RefFolder}, {"folders:uid:", RefFolder}, {"folders:", RefFolder},
	{"dashboard:", RefDashboard}, {"dashboards:uid:", RefDashboard}, {"dashboards:", RefDashboard},
	{"guard:", RefGuard}, {"guards:uid:", RefGuard},
}

// ParseRef reads what an audit entry or a scope of the org points to. It is
// false for what points to no single thing.
func ParseRef(org hallpass.OrgID, text string) (Ref, bool) {
	for _, k := range refKinds {
		id, ok := strings.CutPrefix(text, k.prefix)
		if !ok || strings.ContainsAny(id, ":*") || id == "" {
			continue
		}
		_, number := hallpass.ParseID(id)
		byUID := k.kind == RefRole || k.kind == RefFolder || k.kind == RefDashboard || k.kind == RefGuard
		return Ref{org, k.kind, id}, number || byUID
	}
	return Ref{}, false
}

// A Name is what people call a thing.
type Name struct {
	Ref
	Text     string
	Account  bool   // a principal that is a service account
	UID      string // of a service account or team; of a token's account
	Owner    string // of a token: the name of its account
	LastFour string // of a token that is there: the last characters of its secret
	Deleted  bool   // Text is the last name that the audit knows; empty: it knows none
}

// Names returns what people call the things, as far as they are there and the
// caller may read them.
func (a *Admin) Names(ctx context.Context, c hallpass.Caller, refs []Ref) (map[Ref]Name, error) {
	return a.names(ctx, c, refs, false)
}

// NamesInAudit is Names for whoever reads the audit: it also tells of things that were
// deleted, as far as the caller may read the audit and the audit tells of it.
func (a *Admin) NamesInAudit(ctx context.Context, c hallpass.Caller, refs []Ref) (map[Ref]Name, error) {
	return a.names(ctx, c, refs, c.Can(hallpass.AuditRead, ""))
}

func (a *Admin) names(ctx context.Context, c hallpass.Caller, refs []Ref, deleted bool) (map[Ref]Name, error) {
	names := make(map[Ref]Name)
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		tree, err := a.reach(tx, c)
		if err != nil {
			return err
		}
		for _, r := range refs {
			if _, known := names[r]; known || r.Org != c.Org && !c.ServerAdmin {
				continue
			}
			n, may, err := a.nameOf(tx, tree, r)
			if deleted && errors.Is(err, hallpass.NotFound) {
				if last, failed := lastName(tx, c, r); failed != nil || last.Deleted {
					n, may, err = last, true, failed
				}
			}
			if errors.Is(err, hallpass.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if n.Ref = r; may || c.ServerAdmin {
				names[r] = n
			}
		}
		return nil
	})
	return names, err
}

// nameOf returns the name, and whether the caller may read the thing.
func (a *Admin) nameOf(tx *store.Tx, tree Reach, r Ref) (n Name, may bool, err error) {
	c := tree.Caller
	id, _ := hallpass.ParseID(r.ID)
	switch r.Kind {
	case RefPrincipal:
		return a.principalName(tx, c, r.Org, id)
	case RefTeam:
		t, err := tx.Team(r.Org, hallpass.TeamID(id))
		return Name{Text: t.Name, UID: t.UID}, c.Can(hallpass.TeamsRead, t.ID.Scope()), err
	case RefToken:
		t, err := tx.OrgToken(r.Org, hallpass.TokenID(id))
		if err != nil {
			return n, false, err
		}
		owner, err := tx.ServiceAccount(r.Org, t.ServiceAccount)
		return Name{Text: t.Name, UID: owner.UID, Owner: owner.Name, LastFour: t.LastFour}, c.Can(hallpass.ServiceAccountsRead, owner.ID.Scope()), err
	case RefOrg:
		o, err := tx.Org(hallpass.OrgID(id))
		return Name{Text: o.Name}, o.ID == c.Org || c.CanOnServer(hallpass.OrgsRead, ""), err
	case RefRole:
		role, err := tx.Role(r.Org, r.ID)
		return Name{Text: RoleTitle(role)}, c.Can(hallpass.RolesRead, ""), err
	case RefFolder:
		f, err := tx.Folder(r.Org, r.ID)
		if err != nil {
			return n, false, err
		}
		scopes, err := treeScopes(tx, r.Org, hallpass.FolderResource, r.ID)
		return Name{Text: f.Title}, tree.Can(hallpass.FoldersRead, scopes), err
	case RefDashboard:
		d, err := tx.Dashboard(r.Org, r.ID)
		if err != nil {
			return n, false, err
		}
		scopes, err := treeScopes(tx, r.Org, hallpass.DashboardResource, r.ID)
		return Name{Text: d.Title}, tree.Can(hallpass.DashboardsRead, scopes), err
	case RefGuard:
		g, err := tx.Guard(r.Org, r.ID)
		return Name{Text: g.Name}, c.Can(hallpass.GuardsRead, g.Scope()), err
	}
	return n, false, nil
}

func (a *Admin) principalName(tx *store.Tx, c hallpass.Caller, org hallpass.OrgID, id int64) (Name, bool, error) {
	p, err := tx.Principal(org, id)
	if hallpass.KindOf(err) == hallpass.NotFound && c.CanOnServer(hallpass.UsersRead, hallpass.UserID(id).GlobalScope()) {
		u, err := tx.User(hallpass.UserID(id))
		return Name{Text: firstOf(u.Name, u.Login)}, true, err
	}
	n := Name{Text: firstOf(p.Name, p.Login), UID: p.UID, Account: p.Kind == hallpass.ServiceAccountPrincipal}
	may := c.Principal.ID == id || c.Can(hallpass.OrgUsersRead, hallpass.UserID(id).Scope()) || c.CanOnServer(hallpass.UsersRead, hallpass.UserID(id).GlobalScope())
	if n.Account {
		may = c.Principal.ID == id || c.Can(hallpass.ServiceAccountsRead, hallpass.ServiceAccountID(id).Scope())
	}
	return n, may, err
}

// lastName returns what the audit knows of a thing that is not there: the zero Name if it
// does not know that there was one. What was made in an org and is not there was deleted,
// perhaps with something else; only users leave an org in another way.
func lastName(tx *store.Tx, c hallpass.Caller, r Ref) (n Name, err error) {
	nouns, org := []string{string(r.Kind)}, r.Org
	if r.Kind == RefPrincipal {
		nouns = []string{"serviceaccount", "user"}
	}
	if c.ServerAdmin && (r.Kind == RefPrincipal || r.Kind == RefOrg) {
		org = 0 // those who end them may work in another org
	}
	for _, noun := range nouns {
		e, found, err := tx.LastLife(org, noun, r.ID)
		if err != nil {
			return n, err
		}
		if !found || noun == "user" && e.Action != "user.delete" {
			continue
		}
		n = Name{Account: noun == "serviceaccount", Deleted: true}
		for _, before := range []string{"name ", "login ", "title "} { // as changes write it
			if text, ok := strings.CutPrefix(e.Reason, before); ok {
				n.Text = text
			}
		}
		if r.Kind == RefGuard {
			n.Text = r.ID
		}
	}
	return n, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// RoleTitle is what people call a role.
func RoleTitle(r hallpass.NamedRole) string {
	if r.Fixed() && r.DisplayName != "" {
		return r.Group + ": " + r.DisplayName
	}
	return firstOf(r.DisplayName, r.Name)
}
