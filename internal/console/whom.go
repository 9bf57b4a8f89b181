package console

import (
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// lackedAction is the action that a refusal names as missing, as "users:create" or
// "dashboards:read on folders:uid:shop".
func lackedAction(needs string) hallpass.Action {
	action, _, _ := strings.Cut(needs, " ")
	return hallpass.Action(action)
}

// help looks up who can give what the viewer lacks. Of what it cannot look up it tells
// nothing: the page that needs it is about something else.
func (req *request) help(lacks hallpass.Action) admin.Help {
	h, err := req.o.Admin.WhomToAsk(req.Context(), req.caller, lacks)
	if err != nil {
		httpd.EventOf(req.Context()).Err = err
		return admin.Help{Server: h.Server}
	}
	return h
}

// helperWords names whom to ask: "Ana Keller or Jane Ito".
func helperWords(h admin.Help) string {
	switch {
	case len(h.People) == 0 && h.Server:
		return "a server admin"
	case len(h.People) == 0:
		return "an Admin of the organization"
	}
	names := h.Names()
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// askWords says whom to ask for what is missing.
func (req *request) askWords(needs string) string {
	return "Ask " + helperWords(req.help(lackedAction(needs))) + "."
}

// lacksWords returns what says why the viewer may not give an action, and whom to ask. It
// looks up once who can give what is held in the org, and once what is held on the server.
func (req *request) lacksWords() func(hallpass.Action) string {
	known := make(map[bool]string)
	return func(a hallpass.Action) string {
		info, _ := a.Info()
		server := info.Usable == hallpass.UsableOnServer
		if _, ok := known[server]; !ok {
			known[server] = req.askWords(string(a))
		}
		return "You do not hold this yourself. " + known[server]
	}
}
