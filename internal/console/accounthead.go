package console

import (
	"cmp"

	"github.com/hallpass-dev/hallpass"
)

// accountHead stands above every page about one account.
type accountHead struct {
	Account  accountRow
	More     []string // the roles in addition to the basic one, as far as the viewer may see them
	SeeRoles bool     // the viewer may see them
	Tabs     []tab
}

// NeedsWrite says what the viewer needs to change the account; empty: nothing.
func (h accountHead) NeedsWrite() string {
	return needs(h.Account.Write, hallpass.ServiceAccountsWrite)
}

// NeedsDelete says what the viewer needs to delete the account; empty: nothing.
func (h accountHead) NeedsDelete() string {
	return needs(h.Account.Delete, hallpass.ServiceAccountsDelete)
}

// NoEdit says why the name, owner and roles of the account cannot be changed; empty: they
// can.
func (h accountHead) NoEdit() string { return cmp.Or(h.NeedsWrite(), declaredBy(h.Account.File)) }

// NoDelete says why the account cannot be deleted; empty: it can.
func (h accountHead) NoDelete() string { return cmp.Or(h.NeedsDelete(), declaredBy(h.Account.File)) }

// The tabs of an account, by the last part of their addresses.
const (
	tabTokens      = ""
	tabAccess      = "access"
	tabPermissions = "permissions"
	tabActivity    = "activity"
)

// accountHead returns the head of the account's page here.
func (req *request) accountHead(a hallpass.ServiceAccountSummary, here string) (accountHead, error) {
	h := accountHead{Account: req.accountRow(a), Tabs: req.accountTabs(a, here)}
	if req.caller.Can(hallpass.UsersRolesRead, hallpass.UserID(a.ID).Scope()) {
		roles, err := req.o.Admin.RolesOf(req.Context(), req.caller, idText(int64(a.ID)), true)
		if err != nil {
			return h, err
		}
		h.SeeRoles, h.More = true, roleNames(roles)
	}
	return h, nil
}

// accountTabs lead to the pages about one account that the viewer may see.
func (req *request) accountTabs(a hallpass.ServiceAccountSummary, here string) []tab {
	at := accountURL(a.UID)
	tabs := []tab{{"Tokens", at, here == tabTokens}}
	add := func(may bool, label, page string) {
		if may {
			tabs = append(tabs, tab{label, at + "/" + page, here == page})
		}
	}
	add(req.caller.Can(hallpass.UsersPermissionsRead, hallpass.UserID(a.ID).Scope()), "Access", tabAccess)
	add(req.caller.Can(hallpass.ServiceAccountsPermissionsRead, a.ID.Scope()), "Permissions", tabPermissions)
	add(req.caller.Can(hallpass.AuditRead, ""), "Activity", tabActivity)
	return tabs
}
