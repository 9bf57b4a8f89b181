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

// deniedView is what the page about a missing permission says: what is missing, who can give
// it, and what to ask for.
type deniedView struct {
	Heading string
	Who     string // the viewer, as a sentence names them
	Words   string // what the permission lets one do
	Roles   string // that have it; empty: none that the viewer may know
	Helpers []helperView
	Others  string // who else can give it
	Request string // to be copied
	Ask     string // whom the request is for
}

// helperView is somebody who can give what is missing.
type helperView struct{ Name, Email string }

// denied says what to do about the permission that a refusal names as missing. The reference
// is that of the request in the server's log and audit.
func (req *request) denied(needs, reference string) deniedView {
	action := lackedAction(needs)
	h := req.help(action)
	v := deniedView{Heading: "You may not do this", Who: req.viewerWords()}
	if info, known := action.Info(); known {
		v.Words = sentenceStart(info.Words())
		v.Heading = "You cannot " + info.Words()
	}
	var roles []string
	for _, r := range h.Roles {
		roles = append(roles, roleTitle(r))
	}
	v.Roles = strings.Join(roles, ", ")
	for _, p := range h.People {
		v.Helpers = append(v.Helpers, helperView{p.Name, p.Email})
	}
	switch {
	case h.Server:
		v.Others = "server admins"
	case req.caller.OrgMissing:
		v.Others = "an Admin of this organization, who must make you a member first"
	case len(h.People) == 0 || h.More:
		v.Others = "other Admins of this organization"
	}
	if len(h.People) == 0 {
		v.Others = strings.TrimPrefix(v.Others, "other ")
	}
	v.Ask, v.Request = "an Admin", req.requestWords(needs, v, reference)
	if len(h.People) > 0 {
		v.Ask = h.People[0].Name
	}
	return v
}

// viewerWords says as whom the viewer is signed in: "wei, with the role Viewer in Shop".
func (req *request) viewerWords() string {
	name := req.caller.Principal.Login
	if req.caller.OrgMissing {
		return name + ", who is not a member of this organization"
	}
	words := name + ", with the role " + req.caller.Role.String()
	if req.caller.Can(hallpass.OrgsRead, "") {
		if org, err := req.o.Admin.Org(req.Context(), req.caller); err == nil {
			words += " in " + strings.TrimSuffix(org.Name, ".") // a sentence goes on
		}
	}
	return words
}

// requestWords is what the viewer can send to whoever may help.
func (req *request) requestWords(needs string, v deniedView, reference string) string {
	words := "Hello, I am signed in to Hallpass at " + req.rootURL() + " as " + v.Who + ". I need the permission " + needs
	if v.Words != "" {
		words += " (" + lowerFirst(v.Words) + ")"
	}
	words += " for " + req.URL.Path + "."
	if v.Roles != "" {
		words += " These roles have it: " + v.Roles + "."
	}
	return words + " Could you give it to me? Reference: " + reference
}
