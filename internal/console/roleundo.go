package console

import (
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// undoCookie holds the uid of the account whose role this browser has lowered last, a dot,
// and the role that it had. It only fills in a form: whoever sends that is asked, and
// needs what giving a role needs.
const undoCookie = "hallpass_lowered"

// undoSeconds is for how long the page of the account offers the role back.
const undoSeconds = 10 * 60

// offerUndo has the page of the account offer the role that it had.
func (req *request) offerUndo(a hallpass.ServiceAccountSummary) {
	req.setCookie(undoCookie, a.UID+"."+a.Role.String(), undoSeconds)
}

// undoOf returns the role that the page of the account offers back, "" for none: the
// account has it again, or the caller may not give it.
func (req *request) undoOf(a hallpass.ServiceAccountSummary) string {
	uid, name, _ := strings.Cut(req.o.Cookies.Read(req.Request, undoCookie), ".")
	role, ok := hallpass.ParseRole(name)
	if !ok || uid != a.UID || role <= a.Role || role > req.caller.Role || a.Disabled || !req.caller.Can(hallpass.ServiceAccountsWrite, a.ID.Scope()) {
		return ""
	}
	return role.String()
}
