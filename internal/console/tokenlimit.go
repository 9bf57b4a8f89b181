package console

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// limitFields are the fields of a form for what makes a token narrower than its account.
type limitFields struct {
	ReadOnly    bool
	MaxRole     string
	Roles       []choice // "" is the account's
	Only        bool     // no permissions but those of Permissions
	Permissions string   // one per line: action and scope
	Networks    string   // one per line
	Calls       string   // as callsText writes it
}

// limitsForm returns the fields for the limits of a token of an account with the role.
func limitsForm(l hallpass.TokenLimits, account hallpass.Role) limitFields {
	f := limitFields{ReadOnly: l.ReadOnly, Only: l.Permissions != nil, Permissions: permissionLines(l.Permissions), Networks: networkLines(l.Networks), Calls: callsText(l.Rate)}
	if l.MaxRole != nil {
		f.MaxRole = l.MaxRole.String()
	}
	return f.withRoles(account)
}

// limitsSent returns the fields as the form sent them.
func limitsSent(form url.Values, account hallpass.Role) limitFields {
	return limitFields{
		ReadOnly: form.Get("read_only") == "yes", MaxRole: form.Get("max_role"), Only: form.Get("only") == "yes",
		Permissions: form.Get("permissions"), Networks: form.Get("networks"), Calls: form.Get("calls"),
	}.withRoles(account)
}

func (f limitFields) withRoles(account hallpass.Role) limitFields {
	f.Roles = []choice{{"", "That of the account (" + account.String() + ")", f.MaxRole == ""}}
	for _, r := range []hallpass.Role{hallpass.RoleNone, hallpass.RoleViewer, hallpass.RoleEditor} {
		if name := r.String(); r < account || name == f.MaxRole {
			f.Roles = append(f.Roles, choice{name, name, name == f.MaxRole})
		}
	}
	return f
}

// Any reports whether a field limits anything, so that the form shows them all.
func (f limitFields) Any() bool {
	return f.ReadOnly || f.MaxRole != "" || f.Only || f.Networks != "" || f.Calls != ""
}

// limits returns the limits that the fields ask for, of a token that has had those of
// before. An Invalid error names the field of the form.
func (f limitFields) limits(before hallpass.TokenLimits) (l hallpass.TokenLimits, err error) {
	l.ReadOnly = f.ReadOnly
	if f.MaxRole != "" {
		r, ok := hallpass.ParseRole(f.MaxRole)
		if !ok {
			return l, hallpass.Invalidf("max_role", "Choose the highest role of the token.")
		}
		l.MaxRole = &r
	}
	if f.Only {
		l.Permissions = permissionsIn(f.Permissions)
	}
	networks := strings.FieldsFunc(f.Networks, func(r rune) bool { return strings.ContainsRune(", ;\t\r\n", r) })
	if l.Networks, err = hallpass.ParseNetworks(networks); err != nil {
		return l, err
	}
	if len(l.Networks) == 0 {
		l.Networks = nil
	}
	l.Rate, err = readCalls(f.Calls, before.Rate)
	return l, err
}

// limitField returns the field of the form that an error of a token's limits is about; ""
// if it is about none of them.
func limitField(err error) string {
	var e *hallpass.Error
	if !errors.As(err, &e) {
		return ""
	}
	field, _, _ := strings.Cut(e.Field, "[")
	switch {
	case field == "maxRole":
		return "max_role"
	case strings.HasPrefix(field, "rateLimit"):
		return "calls"
	case slices.Contains([]string{"max_role", "networks", "permissions", "calls"}, field):
		return field
	}
	return ""
}

// callsText writes a limit of calls as people do: the calls of a minute, or of as many
// seconds.
func callsText(r hallpass.RateLimit) string {
	switch {
	case r.Requests == 0:
		return ""
	case r.Every == time.Minute:
		return strconv.Itoa(r.Requests)
	}
	return strconv.Itoa(r.Requests) + " in " + strconv.Itoa(int(r.Every/time.Second)) + " s"
}

// readCalls reads what callsText writes. Calls that nobody made are not lost: after a
// rest a whole minute's may come at once.
func readCalls(text string, before hallpass.RateLimit) (hallpass.RateLimit, error) {
	text = strings.TrimSpace(text)
	if text == callsText(before) {
		return before, nil
	}
	number, rest, _ := strings.Cut(text, " in ")
	every := 60
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err == nil && rest != "" {
		every, err = strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(rest, "s")))
	}
	if err != nil || n < 1 || n > hallpass.MaxRateRequests || every < 1 || every > int(hallpass.MaxRateEvery/time.Second) {
		return hallpass.RateLimit{}, hallpass.Invalidf("calls", "Write how many calls a minute may have, as 60, or leave it empty.")
	}
	return hallpass.RateLimit{Requests: n, Every: time.Duration(every) * time.Second, Burst: n}, nil
}

// permissionLines writes permissions, one per line.
func permissionLines(list []hallpass.Permission) string {
	var lines []string
	for _, p := range list {
		lines = append(lines, strings.TrimSpace(string(p.Action)+" "+string(p.Scope)))
	}
	return strings.Join(lines, "\n")
}

// permissionsIn reads permissions, one per line; it is not nil.
func permissionsIn(text string) []hallpass.Permission {
	list := []hallpass.Permission{}
	for line := range strings.Lines(text) {
		if action, scope, _ := strings.Cut(strings.TrimSpace(line), " "); action != "" {
			list = append(list, hallpass.Permission{Action: hallpass.Action(action), Scope: hallpass.Scope(strings.TrimSpace(scope))})
		}
	}
	return list
}

func networkLines(list []netip.Prefix) string {
	var lines []string
	for _, n := range list {
		if n.IsSingleIP() {
			lines = append(lines, n.Addr().String())
			continue
		}
		lines = append(lines, n.String())
	}
	return strings.Join(lines, "\n")
}

// limitSteps names each limit that differs, before and after.
func limitSteps(was, is hallpass.TokenLimits) (list []step) {
	orNone := func(text, none string) string {
		if text == "" {
			return none
		}
		return strings.ReplaceAll(text, "\n", ", ")
	}
	role := func(r *hallpass.Role) string {
		if r == nil {
			return "that of the account"
		}
		return r.String()
	}
	only := func(p []hallpass.Permission) string {
		if p == nil {
			return "all that the account has"
		}
		return orNone(permissionLines(p), "none at all")
	}
	yes := map[bool]string{true: "it may only look", false: "it may change things too"}
	for _, s := range []step{
		{"Read only", yes[was.ReadOnly], yes[is.ReadOnly]},
		{"Highest role", role(was.MaxRole), role(is.MaxRole)},
		{"Permissions", only(was.Permissions), only(is.Permissions)},
		{"Networks", orNone(networkLines(was.Networks), "from anywhere"), orNone(networkLines(is.Networks), "from anywhere")},
		{"Calls a minute", orNone(callsText(was.Rate), "no limit"), orNone(callsText(is.Rate), "no limit")},
	} {
		if s.Before != s.After {
			list = append(list, s)
		}
	}
	return list
}
