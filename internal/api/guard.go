package api

import (
	"cmp"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/wire"
)

func guardRow(g hallpass.Guard, warnings []hallpass.GuardWarning) wire.Guard {
	out := wire.Guard{
		ID: int64(g.ID), OrgID: int64(g.Org), Name: g.Name, Upstream: g.Upstream, Preset: g.Preset, PathAllow: append([]string{}, g.PathAllow...),
		Preflight: g.Preflight(), Identity: g.Identity(), Rules: make([]wire.GuardRule, 0, len(g.Rules)), PresetRules: []wire.GuardRule{}, ManagedBy: string(g.Manager()), Source: cmp.Or(g.Source, g.File),
		Suspended: g.Suspended.Words(), Timeout: cmp.Or(g.Timeout, hallpass.DefaultGuardTimeout).String(), Listen: g.Listen, Version: g.Version, Created: g.CreatedAt, Updated: g.UpdatedAt, Warnings: make([]wire.GuardWarning, 0, len(warnings)),
	}
	for i, r := range g.AllRules() {
		if i < len(g.Rules) {
			out.Rules = append(out.Rules, wire.GuardRule(r.Written()))
		} else {
			out.PresetRules = append(out.PresetRules, wire.GuardRule(r.Written()))
		}
	}
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, wire.GuardWarning{Rule: w.Rule, Message: w.Message})
	}
	return out
}

// guardOf reads a guard. What else is wrong with it, admin tells.
func guardOf(in wire.WriteGuard) (hallpass.Guard, error) {
	g := hallpass.Guard{Name: in.Name, Version: in.Version, Upstream: in.Upstream, Preset: in.Preset, PathAllow: in.PathAllow}
	if err := cmp.Or(g.SetPreflight(in.Preflight), g.SetIdentity(in.Identity), g.SetTimeout(in.Timeout)); err != nil {
		return g, err
	}
	for _, r := range in.Rules {
		if err := g.AddRule(hallpass.WrittenRule(r)); err != nil {
			return g, err
		}
	}
	return g, nil
}

// guards is GET /api/guards?query&page&perpage.
func (a *API) guards(c call, _ none) (wire.Guards, error) {
	text, err := searchText(c)
	if err != nil {
		return wire.Guards{}, err
	}
	p, err := ownPage(c)
	if err != nil {
		return wire.Guards{}, err
	}
	list, total, err := a.admin.Guards(c.Context(), c.caller, admin.GuardFilter{Query: text, Page: p})
	out := wire.Guards{TotalCount: total, Guards: make([]wire.Guard, 0, len(list)), Page: p.Number, PerPage: p.Size}
	for _, g := range list {
		out.Guards = append(out.Guards, guardRow(g, g.Warnings(nil)))
	}
	return out, err
}

// warned returns the guard with what is probably not meant about it.
func (a *API) warned(c call, g hallpass.Guard, err error) (wire.Guard, error) {
	if err != nil {
		return wire.Guard{}, err
	}
	warnings, err := a.admin.GuardWarnings(c.Context(), c.caller, g)
	if err != nil { // the change was made
		httpd.EventOf(c.Context()).Err, warnings = err, g.Warnings(nil)
	}
	return guardRow(g, warnings), nil
}

// guard is GET /api/guards/{guard}.
func (a *API) guard(c call, _ none) (wire.Guard, error) {
	g, err := a.admin.Guard(c.Context(), c.caller, c.PathValue("guard"))
	out, err := a.warned(c, g, err)
	if err != nil {
		return out, err
	}
	f, err := a.admin.FailingAPI(c.Context(), c.caller, g)
	if f != nil {
		out.Failing = &wire.FailingAPI{What: f.Words(), Since: f.Since, Last: f.Last, Answers: f.Answers, Failed: f.Failed}
	}
	return out, err
}

// createGuard is POST /api/guards.
func (a *API) createGuard(c call, in wire.WriteGuard) (wire.Guard, error) {
	g, err := guardOf(in)
	if err == nil {
		g, err = a.admin.CreateGuard(c.Context(), c.caller, g)
	}
	return a.warned(c, g, err)
}

// updateGuard is PUT /api/guards/{guard}.
func (a *API) updateGuard(c call, in wire.WriteGuard) (wire.Guard, error) {
	if in.Version <= 0 {
		return wire.Guard{}, hallpass.Invalidf("version", "version is missing: it is that of the guard that you read and change")
	}
	g, err := guardOf(in)
	if err == nil {
		g, err = a.admin.UpdateGuard(c.Context(), c.caller, c.PathValue("guard"), g)
	}
	return a.warned(c, g, err)
}

// deleteGuard is DELETE /api/guards/{guard}.
func (a *API) deleteGuard(c call, _ none) (wire.Message, error) {
	return wire.Message{Message: "Guard deleted"}, a.admin.DeleteGuard(c.Context(), c.caller, c.PathValue("guard"))
}

// testGuard is POST /api/guards/{guard}/test. The token in the body is looked up, and
// neither used nor kept.
func (a *API) testGuard(c call, in wire.TestGuard) (wire.GuardTest, error) {
	name := c.PathValue("guard")
	if err := a.admin.Authorize(c.Context(), c.caller, hallpass.GuardsTest, hallpass.Guard{Name: name}.Scope()); err != nil {
		return wire.GuardTest{}, err
	}
	switch {
	case in.Method == "" || in.URI == "":
		return wire.GuardTest{}, hallpass.Invalidf("uri", "method and uri say what is asked, as GET and /api/v1/query?query=up")
	case in.Token != "" && in.ServiceAccount != "":
		return wire.GuardTest{}, hallpass.Invalidf("token", "the request comes from a token or from a service account, not from both")
	}
	q := admin.GuardTest{Request: hallpass.GuardRequest{Method: in.Method, Target: in.URI, Header: headersOf(in.Headers)}, Account: in.ServiceAccount}
	if in.Token != "" {
		var err error
		if q.Token, q.Refused, err = a.verify.Try(c.Context(), in.Token); err != nil {
			return wire.GuardTest{}, err
		}
	}
	t, err := a.admin.TestGuard(c.Context(), c.caller, name, q)
	if err != nil {
		return wire.GuardTest{}, err
	}
	return GuardTest(t), nil
}

// headersOf returns the headers by their canonical names.
func headersOf(in map[string]string) map[string][]string {
	out := make(map[string][]string, len(in))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		key := textproto.CanonicalMIMEHeaderKey(name)
		out[key] = append(out[key], in[name])
	}
	return out
}

// GuardTest is the answer of POST /api/guards/{guard}/test that tells the trial.
func GuardTest(t admin.GuardTrial) wire.GuardTest {
	out := wire.GuardTest{
		Allowed: t.Err == nil, Status: http.StatusOK, Message: "The request passes", AllNeeds: make([]wire.GuardNeed, 0, len(t.Needs)), CanonicalPath: t.Path,
		Grants: make([]string, 0, len(t.Grants)), Account: t.Sender.Principal.Login,
	}
	if t.Err != nil {
		out.Status, out.Reason, out.Message = httpd.Status(t.Err), t.Err.ID, t.Err.Message
	}
	if t.Rule != nil {
		out.Rule, out.Matches = t.Rule.Number, t.Rule.Request()
	}
	for _, n := range t.Needs {
		out.AllNeeds = append(out.AllNeeds, guardNeedRow(n))
	}
	if t.Need.Kind != hallpass.NeedUnknown {
		need := guardNeedRow(t.Need)
		out.Needs = &need
	}
	for _, r := range t.Grants {
		out.Grants = append(out.Grants, r.Name)
	}
	return out
}

func guardNeedRow(n hallpass.Need) wire.GuardNeed {
	if n.Kind == hallpass.NeedRole {
		return wire.GuardNeed{Role: n.Role.String()}
	}
	return wire.GuardNeed{Action: string(n.Action), Scope: n.Scope}
}

// defaultUsageDays is how many days of usage are shown unless the request says so.
const defaultUsageDays = 7

// guardUsage is GET /api/guards/{guard}/usage?days.
func (a *API) guardUsage(c call, _ none) (wire.GuardUsage, error) {
	const most = int(hallpass.GuardUseRetention / (24 * time.Hour))
	days, err := numberFrom(c, "days", defaultUsageDays, 1, most)
	if err != nil {
		return wire.GuardUsage{}, err
	}
	g, err := a.admin.Guard(c.Context(), c.caller, c.PathValue("guard"))
	if err != nil {
		return wire.GuardUsage{}, err
	}
	list, err := a.admin.GuardUsage(c.Context(), c.caller, g.Name, days)
	if err != nil {
		return wire.GuardUsage{}, err
	}
	out := sumUses(list)
	for _, r := range a.refusals(g.ID) {
		out.Refusals = append(out.Refusals, guardRefusalRow(r))
	}
	return out, nil
}

func guardRefusalRow(r hallpass.GuardRefusal) wire.GuardRefusal {
	row := wire.GuardRefusal{
		Time: r.At, Method: r.Method, Host: r.Host, Path: r.Path, Status: r.Status, Reason: r.Reason, Message: r.Message, Rule: r.Rule,
		Account: r.Caller.Login, TokenID: int64(r.Token), Address: r.From.Address,
	}
	if r.Missing.Action != "" {
		row.Needs = &wire.GuardNeed{Action: string(r.Missing.Action), Scope: string(r.Missing.Scope)}
	}
	return row
}

// sumUses adds uses up: by day, by rule and by token.
func sumUses(list []hallpass.GuardUse) wire.GuardUsage {
	days := make(map[string]wire.GuardDay)
	rules := make(map[wire.GuardCount]int64)
	tokens := make(map[wire.GuardToken]int64)
	for _, u := range list {
		name := u.Day.UTC().Format(time.DateOnly)
		day := days[name]
		if day.Day = name; u.Outcome == hallpass.GuardAllowed {
			day.Allowed += u.Count
		} else {
			day.Refused += u.Count
		}
		days[name] = day
		rules[wire.GuardCount{Rule: u.Rule, Outcome: u.Outcome}] += u.Count
		tokens[wire.GuardToken{TokenID: int64(u.Token), Outcome: u.Outcome}] += u.Count
	}
	out := wire.GuardUsage{Days: []wire.GuardDay{}, Rules: []wire.GuardCount{}, Tokens: []wire.GuardToken{}, Refusals: []wire.GuardRefusal{}}
	for _, name := range slices.Sorted(maps.Keys(days)) {
		out.Days = append(out.Days, days[name])
	}
	for row, n := range rules {
		row.Count = n
		out.Rules = append(out.Rules, row)
	}
	for row, n := range tokens {
		row.Count = n
		out.Tokens = append(out.Tokens, row)
	}
	slices.SortFunc(out.Rules, func(x, y wire.GuardCount) int {
		return cmp.Or(cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Outcome, y.Outcome))
	})
	slices.SortFunc(out.Tokens, func(x, y wire.GuardToken) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.TokenID, y.TokenID), cmp.Compare(x.Outcome, y.Outcome))
	})
	return out
}
