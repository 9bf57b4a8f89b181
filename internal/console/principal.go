package console

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// principal returns a member or service account of the org.
func (req *request) principal(id int64) (hallpass.PrincipalInfo, error) {
	list, err := req.o.Admin.Principals(req.Context(), req.caller, []int64{id})
	if err != nil {
		return hallpass.PrincipalInfo{}, err
	}
	p, ok := list[id]
	if !ok {
		return p, &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such user in this organization."}
	}
	return p, nil
}

func displayName(p hallpass.PrincipalInfo) string {
	if p.Name == "" {
		return p.Login
	}
	return p.Name
}

// principalURL returns the address of the page about a principal of this org.
func (req *request) principalURL(p hallpass.PrincipalInfo) string {
	return req.pageOf(admin.Name{
		Ref: admin.Ref{Org: req.caller.Org, Kind: admin.RefPrincipal, ID: idText(p.ID)}, UID: p.UID, Account: p.Kind == hallpass.ServiceAccountPrincipal,
	})
}
