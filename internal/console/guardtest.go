package console

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// guardTrial is the form with which somebody tries a request, and its answer.
type guardTrial struct {
	Request string // its first line, as "GET /api/v1/query"
	Who     string // a service account; empty: nobody, or a token, which no page shows
	Headers string // one a line
	Done    bool
	Allowed bool
	Verdict string
	Why     string
	Rule    int    // its number; 0: none matched
	Sender  link   // whoever would send the request; its ID is the login
	Lacks   string // of Needs what the sender does not hold; empty: nothing
	Find    string // the address of the roles that hold it; empty: the viewer may not see roles
	Needs   []string
	Roles   []link // that would let it pass, the narrowest first
	Step    link   // what the viewer can do about the refusal; zero: nothing
	Advice  string // what somebody can do about it
	JSON    string // the answer as the API gives it
}

// maxGrants is how many roles an answer names.
const maxGrants = 5

// tryGuardRequest is POST /guards/{guard}. It changes nothing, and keeps no token.
func tryGuardRequest(req *request) error {
	who := strings.TrimSpace(req.PostForm.Get("who"))
	return req.showTrial(guardTrial{Request: req.PostForm.Get("request"), Headers: req.PostForm.Get("headers")}, who)
}

// showTrial shows the page of the guard with what it says about the request of who.
func (req *request) showTrial(t guardTrial, who string) error {
	token := strings.HasPrefix(who, secret.Prefix)
	if !token {
		t.Who = who
	}
	status := http.StatusOK
	if err := req.tryGuard(&t, who, token); err != nil {
		if !req.formError(err, "who", "request", "headers") {
			return err
		}
		status = httpd.Status(err)
	}
	view, err := req.guardView(t)
	if err != nil {
		return err
	}
	return req.showStatus(status, "guards/detail", view)
}

// tryGuard asks the guard about the request from who, a token or else an account.
func (req *request) tryGuard(t *guardTrial, who string, token bool) error {
	name := req.PathValue("guard")
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.GuardsTest, hallpass.Guard{Name: name}.Scope()); err != nil {
		return err
	}
	q := admin.GuardTest{Account: t.Who}
	err := requestLine(t.Request, &q.Request)
	if err == nil {
		q.Request.Header, err = headerLines(t.Headers)
	}
	if err == nil && token {
		q.Token, q.Refused, err = req.o.Verify.Try(req.Context(), who)
	}
	if err != nil {
		return err
	}
	trial, err := req.o.Admin.TestGuard(req.Context(), req.caller, name, q)
	if err != nil {
		return err
	}
	t.answer(trial)
	if req.o.Trial != nil {
		text, err := json.MarshalIndent(req.o.Trial(trial), "", "  ")
		if err != nil {
			return err
		}
		t.JSON = string(text)
	}
	return req.wayOut(t, trial, q.Request)
}

// maxRequestLine is the longest first line of a request that can be tried, and the
// longest text of its headers, in bytes.
const maxRequestLine = 4000

// requestLine reads the first line of a request, with or without its protocol (RFC 9112,
// section 3).
func requestLine(text string, q *hallpass.GuardRequest) error {
	parts := strings.Fields(text)
	if len(parts) == 3 && strings.HasPrefix(parts[2], "HTTP/") {
		parts = parts[:2]
	}
	if len(parts) != 2 || len(text) > maxRequestLine {
		return hallpass.Invalidf("request", "A request is a method and a path, such as GET /api/v1/query?query=up, at most %d characters long", maxRequestLine)
	}
	q.Method, q.Target = parts[0], parts[1]
	return hallpass.ValidateText("request", text, maxRequestLine)
}

// headerLines reads headers, one a line. A header that comes in several lines has
// several values.
func headerLines(text string) (map[string][]string, error) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + "\r\n")
		}
	}
	b.WriteString("\r\n")
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(b.String()))).ReadMIMEHeader()
	switch {
	case len(text) > maxRequestLine:
		return nil, hallpass.Invalidf("headers", "The headers are longer than %d characters", maxRequestLine)
	case err != nil || slices.ContainsFunc(slices.Collect(maps.Keys(h)), func(name string) bool { return strings.Contains(name, " ") }):
		return nil, hallpass.Invalidf("headers", "Each line is a header with a name and a value, such as X-Scope-OrgID: a")
	case h.Get("Authorization") != "":
		return nil, hallpass.Invalidf("headers", "The token belongs into the field for the service account or token")
	}
	return h, nil
}

// answer fills in what the guard would say.
func (t *guardTrial) answer(trial admin.GuardTrial) {
	t.Done, t.Allowed = true, trial.Err == nil
	t.Verdict = trialVerdict(trial.Err)
	if p := trial.Sender.Principal; p.ID != 0 {
		t.Sender = link{Name: trial.Sender.Name, URL: accountURL(idText(p.ID)), ID: p.Login}
	}
	if trial.Err != nil && trial.Err.ID != reasonNoRule { // that no rule matches is said anyway
		t.Why = sentence(trial.Err.Message)
	}
	if trial.Rule != nil {
		t.Rule = trial.Rule.Number
	}
	for _, n := range trial.Needs {
		t.Needs = append(t.Needs, n.String())
	}
	for _, r := range trial.Grants[:min(len(trial.Grants), maxGrants)] {
		t.Roles = append(t.Roles, link{Name: roleTitle(r), URL: roleURL(r.UID)})
	}
}

// wayOut fills in what can be done about a refusal: a role that the viewer can give the
// sender now, or else whom to ask.
func (req *request) wayOut(t *guardTrial, trial admin.GuardTrial, q hallpass.GuardRequest) error {
	if trial.Err == nil {
		return nil
	}
	t.Advice = trialAdvice(trial, q)
	p := hallpass.Permission{Action: trial.Need.Action, Scope: hallpass.Scope(trial.Need.Scope)}
	switch trial.Err.ID {
	case "guard.role":
		t.Lacks = trial.Need.String()
		if role := trial.Need.Role; req.caller.Can(hallpass.ServiceAccountsWrite, trial.Sender.ServiceAccount().Scope()) && role <= req.caller.Role {
			t.Step, t.Advice = link{Name: "Give it the role " + role.String() + "…", URL: t.Sender.URL + "?role=" + role.String() + "#role"}, ""
		}
	case "guard.permission":
		t.Lacks = trial.Need.String()
		if req.caller.Can(hallpass.RolesRead, "") {
			t.Find = crumbRoles.URL + listQuery(map[string]string{"query": string(p.Action)})
		}
		return req.roleToGive(t, trial.Grants, p)
	}
	return nil
}

// trialAdvice says what to do about the refusal of a request that was tried. A request
// without a token may have more than that against it.
func trialAdvice(trial admin.GuardTrial, q hallpass.GuardRequest) string {
	switch reason := trial.Err.ID; {
	case reason == "auth.unauthorized" && trial.Path == "":
		return guardAdvice("path-not-canonical", q.Target)
	case reason == "auth.unauthorized" && trial.Rule == nil:
		return "With a token it is refused too: no rule matches it. " + guardAdvice(reasonNoRule, q.Target)
	case reason == "guard.capture" && trial.Rule != nil && trial.Rule.Split == "" && strings.Contains(trial.Rule.ReadLines(q.Header), "|"):
		return "The header holds several values, and the rule takes one. If the API reads a|b as several, write | under “Between several values” of rule " +
			strconv.Itoa(trial.Rule.Number) + ": then the account must hold the permission for each."
	}
	return guardAdvice(trial.Err.ID, q.Target)
}

// roleToGive offers the narrowest of the roles that the viewer may give to the sender,
// or to make one that holds p.
func (req *request) roleToGive(t *guardTrial, roles []hallpass.NamedRole, p hallpass.Permission) error {
	c := req.caller
	roles = slices.DeleteFunc(slices.Clone(roles), hallpass.NamedRole.Basic)
	if !c.Can(hallpass.RolesRead, "") || !c.Can(hallpass.UsersRolesAdd, hallpass.ScopeDelegate) || !c.Can(hallpass.UsersRolesRemove, hallpass.ScopeDelegate) {
		return nil // the advice says whom to ask
	}
	mine, err := req.o.Admin.Roles(req.Context(), c, admin.RoleFilter{Delegatable: true})
	if err != nil {
		return err
	}
	for _, r := range roles {
		if slices.ContainsFunc(mine, func(m hallpass.NamedRole) bool { return m.UID == r.UID }) {
			t.Step, t.Advice = link{Name: "Give it the role " + roleTitle(r) + "…", URL: t.Sender.URL + "/roles?give=" + url.QueryEscape(r.UID) + "#given"}, ""
			return nil
		}
	}
	if len(roles) == 0 && c.Can(hallpass.RolesWrite, hallpass.ScopeDelegate) && c.Can(p.Action, p.Scope) {
		t.Step = link{Name: "Create a role that holds it…", URL: newRoleURL + "?permissions=" + url.QueryEscape(permissionLine(p))}
		t.Advice = "No role but basic ones holds it. Create one, then give it to the service account."
	}
	return nil
}
