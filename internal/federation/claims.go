package federation

import (
	"cmp"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// claims are what a provider says about a person, as JSON has it.
type claims map[string]any

// with returns the claims together with those of the provider's API. A claim of an ID
// token, which is signed, wins over one of the API. An address and the word whether it
// is proven are taken from the same place.
func (c claims) with(more claims) claims {
	all := make(claims, len(c)+len(more))
	_, own := c["email"]
	for name, value := range more {
		if !own || name != "email_verified" {
			all[name] = value
		}
	}
	for name, value := range c {
		if own || name != "email_verified" {
			all[name] = value
		}
	}
	return all
}

// overflows reports whether the provider left the claim out because it would be too
// long, and says elsewhere where to ask for it (OpenID Connect Core 1.0, 5.6.2).
func (c claims) overflows(claim string) bool {
	names, _ := c["_claim_names"].(map[string]any)
	_, left := names[claim]
	return left
}

// reader reads persons from claims.
type reader struct {
	login, email, name, role, groups path
	groupsClaim                      string // what the path of groups is if it is one name
	assumeVerified                   bool
}

func newReader(a Attributes, assumeVerified bool) (r reader, err error) {
	r = reader{groupsClaim: a.Groups, assumeVerified: assumeVerified}
	for _, p := range []struct {
		to   *path
		text string
	}{
		{&r.login, cmp.Or(a.Login, "preferred_username || login || username")}, {&r.email, cmp.Or(a.Email, "email")},
		{&r.name, cmp.Or(a.Name, "name")}, {&r.role, a.Role}, {&r.groups, a.Groups},
	} {
		if *p.to, err = compile(p.text); err != nil {
			return r, err
		}
	}
	return r, nil
}

// serverAdmin is what a role attribute says of server admins, as in Grafana.
const serverAdmin = "GrafanaAdmin"

// person returns who the claims are about, without issuer and subject.
func (r reader) person(c claims) (u hallpass.OutsideUser, err error) {
	u.Login, u.Email, u.Name = clean(r.login.text(c)), clean(r.email.text(c)), clean(r.name.text(c))
	u.EmailProven = u.Email != "" && r.verified(c, u.Email)
	role := r.role.text(c)
	switch parsed, ok := hallpass.ParseRole(role); {
	case role == serverAdmin:
		u.Role, u.HasRole, u.ServerAdmin = hallpass.RoleAdmin, true, true
	case ok:
		u.Role, u.HasRole = parsed, true
	}
	if u.Groups, err = r.groups.texts(c); err != nil {
		return u, err
	}
	if !r.groups.empty() && len(u.Groups) == 0 && c.overflows(r.groupsClaim) {
		return u, errGroupsLeftOut
	}
	return u, nil
}

// errGroupsLeftOut refuses a person whose groups are not known: to take them for none
// would end what they bring, to keep the old ones would keep what they do not bring any
// more.
var errGroupsLeftOut = &hallpass.Error{
	Kind: hallpass.Denied, ID: "federation.groups-left-out",
	Message: "The provider left your groups out because there are too many of them: let it send only those that matter here",
}

// verified reports whether the provider says that the person reads the mails of the
// address: email_verified is about the claim email alone. Some providers write it as
// text.
func (r reader) verified(c claims, address string) bool {
	if address != clean(textOf(c["email"])) {
		return r.assumeVerified
	}
	switch v := c["email_verified"].(type) {
	case bool:
		return v
	case string:
		return strings.ToLower(v) == "true"
	}
	return r.assumeVerified
}

// clean returns a text of a provider without what no name here may hold.
func clean(s string) string { return strings.TrimSpace(hallpass.Clean(s, 4*hallpass.MaxName)) }
