package console

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// roleOption is a role that may be chosen.
type roleOption struct {
	Name     string
	Can      string // what it permits, in a sentence
	Selected bool
	Above    bool // of the caller's own: not theirs to give
}

func (v *visit) roleOptions(selected, own hallpass.Role) []roleOption {
	var all []roleOption
	for _, r := range hallpass.Roles() {
		all = append(all, roleOption{r.String(), v.roleCan(r), r == selected, r > own})
	}
	return all
}

var errRole = hallpass.Invalidf("role", "there is no such role")

// ceiling is the highest basic role that the caller may give to members.
func (v *visit) ceiling() hallpass.Role {
	if v.caller.ServerAdmin {
		return hallpass.RoleAdmin
	}
	return v.caller.Role
}

// roleCan says what a basic role permits in the org, as it is now, with what is
// given to everybody who has it. It is looked up once a visit.
func (v *visit) roleCan(r hallpass.Role) string {
	if text, ok := v.can[r]; ok {
		return text
	}
	power, err := v.o.Admin.RolePower(v.r.Context(), v.caller, r)
	text := ""
	if err == nil {
		text, err = v.powerOf(power)
	}
	switch {
	case err != nil:
		httpd.EventOf(v.r.Context()).Err = err
		text = "What it permits cannot be told now."
	case text == "":
		text = "Authenticates, and may do nothing by itself."
	}
	if v.can == nil {
		v.can = make(map[hallpass.Role]string)
	}
	v.can[r] = text
	return text
}

// roleStep is the step from one basic role to another; none when they are the
// same.
func roleStep(what string, was, next hallpass.Role) []step {
	if was == next {
		return nil
	}
	return []step{{what, was.String(), next.String()}}
}
