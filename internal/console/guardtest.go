package console

import (
	"net/http"
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
	Done    bool
	Allowed bool
	Verdict string
	Why     string
	Rule    int    // its number; 0: none matched
	Sender  string // the login of whoever would send the request
	Needs   []string
	Roles   []link // that would let it pass, the narrowest first
}

// maxGrants is how many roles an answer names.
const maxGrants = 5

// tryGuardRequest is POST /guards/{guard}. It changes nothing, and keeps no token.
func tryGuardRequest(req *request) error {
	t := guardTrial{Request: req.PostForm.Get("request")}
	who := strings.TrimSpace(req.PostForm.Get("who"))
	token := strings.HasPrefix(who, secret.Prefix)
	if !token {
		t.Who = who
	}
	status := http.StatusOK
	if err := req.tryGuard(&t, who, token); err != nil {
		if !req.formError(err, "who", "request") {
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
	if err == nil && token {
		q.Token, q.Refused, err = req.o.Verify.Try(req.Context(), who)
	}
	if err != nil {
		return err
	}
	trial, err := req.o.Admin.TestGuard(req.Context(), req.caller, name, q)
	if err == nil {
		t.answer(trial)
	}
	return err
}

// maxRequestLine is the longest first line of a request that can be tried, in bytes.
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

// answer fills in what the guard would say.
func (t *guardTrial) answer(trial admin.GuardTrial) {
	t.Done, t.Allowed, t.Sender = true, trial.Err == nil, trial.Account
	t.Verdict = trialVerdict(trial.Err)
	if trial.Err != nil {
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
