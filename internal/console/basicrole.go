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
	Above    bool // above the caller's own role: the caller may not give it
}

func (req *request) roleOptions(selected, own hallpass.Role) []roleOption {
	var all []roleOption
	for _, r := range hallpass.Roles() {
		all = append(all, roleOption{r.String(), req.roleWords(r), r == selected, r > own})
	}
	return all
}

var errRole = hallpass.Invalidf("role", "there is no such role")

// roleWords says what a basic role permits in the org now, including what was
// given to everybody who has it. It is looked up once per request.
func (req *request) roleWords(r hallpass.Role) string {
	if text, ok := req.roleTexts[r]; ok {
		return text
	}
	power, err := req.o.Admin.RolePower(req.Context(), req.caller, r)
	text := ""
	if err == nil {
		text, err = req.powerWords(power)
	}
	switch {
	case err != nil:
		httpd.EventOf(req.Context()).Err = err
		text = "Its permissions cannot be shown now."
	case text == "":
		text = "Authenticates, and may do nothing by itself."
	}
	if req.roleTexts == nil {
		req.roleTexts = make(map[hallpass.Role]string)
	}
	req.roleTexts[r] = text
	return text
}

// roleStep is the step from one basic role to another; nil when they are equal.
func roleStep(what string, was, next hallpass.Role) []step {
	if was == next {
		return nil
	}
	return []step{{what, was.String(), next.String()}}
}
