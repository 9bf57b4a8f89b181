package api_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// The calls of clients of Grafana while their tokens are replaced, paused or limited here.

// overlap is the Terraform provider with a token resource whose token <tok> is replaced here by
// <new>. They work both until <closes>.
func overlap(t *testing.T, name string) *session {
	t.Helper()
	x := terraform(t)
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`, 201, "", "sa=id"},
		step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"` + name + `","secondsToLive":7776000}`, 200, `id number; key string`, "tok=id"},
		step{"GET", "/api/serviceaccounts/<sa>/tokens", "", 200, `# 1; [id=<tok>].hasExpired false`, "ends=[id=<tok>].expiration"},
		step{"POST", "/api/serviceaccounts/<sa>/tokens/<tok>/rotate", `{"graceSeconds":86400}`, 200, `name "` + name + `"; key string`, "closes=replaces.closesAt"},
		step{"GET", "/api/serviceaccounts/<sa>/tokens", "", 200, `# 2`, "new=[id=<tok>].replacedById"},
	)
	if x.vars["closes"] >= x.vars["ends"] {
		t.Errorf("the token works until %s, as before", x.vars["ends"])
	}
	return x
}

// TestTrafficTokenInOverlap plans a grafana_service_account_token during and after the
// overlap of its token: the row keeps its id and its name, of which a change would make a new
// token, and only the expiration and hasExpired change.
func TestTrafficTokenInOverlap(t *testing.T) {
	x := overlap(t, "deploy")
	const tokens = "/api/serviceaccounts/<sa>/tokens"
	during := step{"GET", tokens, "", 200, `# 2; [id=<tok>].name "deploy"; [id=<tok>].expiration "<closes>"; [id=<tok>].hasExpired false; [id=<tok>].isRevoked false; ` +
		`[id=<new>].name "deploy"; [id=<new>].hasExpired false; [id=<new>].isRevoked false`, ""}
	after := step{"GET", tokens, "", 200, `# 2; [id=<tok>].name "deploy"; [id=<tok>].expiration string; [id=<tok>].hasExpired true; [id=<tok>].isRevoked false; ` +
		`[id=<new>].name "deploy"; [id=<new>].hasExpired false`, ""}
	x.run(during, during)
	withToken(x).run(during)
	x.s.Clock.Wind(24*time.Hour - time.Minute)
	x.run(during)
	x.s.Clock.Wind(2 * time.Minute) // whether or not the job that ends it has run
	x.run(after)
	hallpasstest.Eventually(t, "the job to end the token", func() bool {
		state, _ := at(t, x.send("GET", tokens, "").Text, x.fill("[id=<tok>].state"))
		return state == "rotated"
	})
	x.run(after, step{"DELETE", tokens + "/<tok>", "", 200, "message string", ""}, step{"GET", tokens, "", 200, `# 1; [id=<new>].hasExpired false`, ""})
}

// TestTrafficTokenRetired ends the overlap early, and destroys the resource in another one.
func TestTrafficTokenRetired(t *testing.T) {
	x := overlap(t, "deploy")
	const tokens = "/api/serviceaccounts/<sa>/tokens"
	x.run(
		step{"POST", tokens + "/<tok>/retire", "", 200, "", ""},
		step{"GET", tokens, "", 200, `# 2; [id=<tok>].name "deploy"; [id=<tok>].hasExpired true; [id=<tok>].isRevoked false`, ""},
		step{"POST", tokens + "/<new>/rotate", `{}`, 200, "", "third=id"},
		step{"DELETE", tokens + "/<new>", "", 200, "message string", ""}, // while both work
		step{"GET", tokens, "", 200, `[id=<third>].name "deploy"; [id=<third>].hasExpired false`, ""},
		step{"POST", tokens, `{"name":"deploy"}`, 400, "", ""}, // the name is the successor's
		step{"DELETE", tokens + "/<third>", "", 200, "", ""},
		step{"POST", tokens, `{"name":"deploy"}`, 200, "key string", ""},
	)
}

// TestTrafficRotatingInOverlap has the token of a grafana_service_account_rotating_token
// replaced here. Its expiration comes into the window in which the provider rotates: it makes
// the next token under the next name, and can delete the old one.
func TestTrafficRotatingInOverlap(t *testing.T) {
	x := overlap(t, "rotating-1771200000")
	const tokens = "/api/serviceaccounts/<sa>/tokens"
	closes, err := time.Parse(time.RFC3339, x.vars["closes"])
	if window := 48 * time.Hour; err != nil || !x.s.Clock.Now().After(closes.Add(-window)) {
		t.Fatalf("the token ends at %s, %v: the provider does not rotate it", x.vars["closes"], err)
	}
	x.run(
		step{"POST", tokens, `{"name":"rotating-1778976000","secondsToLive":7776000}`, 200, "key string", "next=id"},
		step{"GET", tokens, "", 200, `# 3; [id=<next>].name "rotating-1778976000"; [id=<next>].hasExpired false; [id=<tok>].name "rotating-1771200000"`, ""},
		step{"DELETE", tokens + "/<tok>", "", 200, "message string", ""},
		step{"GET", tokens, "", 200, `[id=<next>].hasExpired false; [id=<new>].hasExpired false`, ""},
	)
}

// retried sends a request as the provider does, which sends it again up to three times, later
// each time, after these statuses. Before the second try meanwhile is called. It returns all
// statuses.
func (x *session) retried(method, path string, meanwhile func()) (statuses []int) {
	x.t.Helper()
	for n := range 4 {
		if n > 0 {
			x.s.Clock.Wind(time.Second << n)
		}
		if n == 1 && meanwhile != nil {
			meanwhile()
		}
		r := x.send(method, path, "")
		statuses = append(statuses, r.StatusCode)
		if limited := r.StatusCode == http.StatusTooManyRequests; limited != (r.Header.Get("Retry-After") != "") {
			x.t.Errorf("%s %s: %d with Retry-After %q", method, path, r.StatusCode, r.Header.Get("Retry-After"))
		}
		if !slices.Contains([]int{401, 412, 429}, r.StatusCode) && r.StatusCode < 500 {
			break
		}
	}
	return statuses
}

// TestTrafficLimitedToken calls with tokens that are paused, outside of their networks and
// over their rate. A provider gives up at once after a 403, and gets through where the pause
// or the rate ends while it tries again.
func TestTrafficLimitedToken(t *testing.T) {
	x := terraform(t)
	x.run(step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Admin"}`, 201, "", "sa=id"})
	token := func(name, limits string) *session {
		t.Helper()
		x.run(step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"` + name + `"` + limits + `}`, 200, "", name + "=key"},
			step{"GET", "/api/tokens?q=" + name, "", 200, "", "tok=tokens[0].id"})
		return x.by(hallpasstest.Bearer(x.vars[name])).in("")
	}
	hold := func(what string, got []int, want ...int) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: answered with %v, want %v", what, got, want)
		}
	}
	const patch = "/api/serviceaccounts/<sa>/tokens/<tok>"
	resume := func() { x.run(step{"PATCH", patch, `{"paused":false}`, 200, `state "live"`, ""}) }
	paused := token("paused", "")
	x.run(step{"PATCH", patch, `{"paused":true}`, 200, `state "paused"; hasExpired false; isRevoked false`, ""})
	hold("paused", paused.retried("GET", "/api/org", nil), 401, 401, 401, 401)
	hold("resumed meanwhile", paused.retried("GET", "/api/org", resume), 401, 200)
	x.run(step{"PATCH", patch, `{"pausedFor":60}`, 200, `state "paused"`, ""})
	x.s.Clock.Wind(57 * time.Second)
	hold("the pause ends meanwhile", paused.retried("GET", "/api/org", nil), 401, 401, 200)

	hold("from elsewhere", token("elsewhere", `,"networks":["192.0.2.0/24"]`).retried("GET", "/api/org", nil), 403)
	slow := token("slow", `,"rateLimit":{"requests":1,"seconds":5}`)
	hold("at first", slow.retried("GET", "/api/org", nil), 200)
	hold("too often", slow.retried("GET", "/api/org", nil), 429, 429, 200)
}

// TestTrafficNarrowToken saves dashboards and folders with a token that only reads, of an
// account that may do everything: it reads what it read before, and changes nothing.
func TestTrafficNarrowToken(t *testing.T) {
	x := terraform(t)
	x.run(
		step{"POST", "/api/folders", `{"title":"Ops","uid":"ops"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d","panels":[]},"folderUid":"ops"}`, 200, "", ""},
		step{"POST", "/api/serviceaccounts/<me>/tokens", `{"name":"reads","readOnly":true}`, 200, "key string", "reads=key"},
	)
	tool := x.by(hallpasstest.Bearer(x.vars["reads"])).in("")
	for _, path := range []string{
		"/api/org", "/api/user", "/api/licensing/check", "/api/folders?page=1&limit=1000", "/api/folders/ops", "/api/folders/ops/permissions", "/api/search?type=dash-db&limit=2&page=1",
		"/api/dashboards/uid/d", "/api/dashboards/uid/d/permissions", "/api/teams/search", "/api/serviceaccounts/search?page=1", "/api/access-control/roles",
	} {
		full := withToken(x).do(step{"GET", path, "", 200, "", ""})
		narrow := tool.do(step{"GET", path, "", 200, "", ""})
		if kindOf(parse(t, full)) != kindOf(parse(t, narrow)) {
			t.Errorf("GET %s: %s, and with the token that reads %s", path, full, narrow)
		}
	}
	tool.run(
		step{"GET", "/api/search?type=dash-db&limit=2&page=1", "", 200, `# 1; [0].uid "d"`, ""}, step{"GET", "/api/dashboards/uid/d", "", 200, `dashboard.title "D"; meta.canSave false`, ""},
		step{"POST", "/api/dashboards/import", `{"dashboard":{"title":"D","uid":"d"},"folderUid":"ops","overwrite":true}`, 403, `title "Access denied"`, ""},
		step{"POST", "/api/folders", `{"title":"New"}`, 403, `title "Access denied"`, ""}, step{"DELETE", "/api/dashboards/uid/d", "", 403, "", ""},
		step{"POST", "/api/serviceaccounts/<me>/tokens", `{"name":"wider"}`, 403, "", ""},
	)
}
