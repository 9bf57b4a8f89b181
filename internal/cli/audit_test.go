package cli_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	domain "github.com/hallpass-dev/hallpass"
)

// TestComplete completes every kind of command line against a real server. The shell
// offers names with their descriptions. When no server answers, it offers nothing
// and prints nothing.
func TestComplete(t *testing.T) {
	s := start(t)
	hallpass(t, "", "sa", "create", "deploy", "--role", "Viewer")
	hallpass(t, "", "sa", "create", "deliver", "--role", "Viewer")
	hallpass(t, "", "token", "create", "deploy", "nightly", "--ttl", "1d")
	hallpass(t, "", "team", "create", "devs")
	hallpass(t, "", "org", "create", "Second")
	hallpass(t, "", "role", "create", "keeper", "-p", "orgs:read")
	s.User("ana", domain.RoleViewer)
	for line, want := range map[string]string{
		"sa get de":                             "deliver\tid 3, deploy\tid 2",
		"sa get dep":                            "deploy\tid 2",
		"sa get deploy ":                        "",
		"token delete ":                         "deliver\tid 3, deploy\tid 2",
		"token delete deploy ":                  "nightly\tid 1, live",
		"token delete nobody ":                  "",
		"token create deploy ":                  "",
		"team get d":                            "devs\tid 1",
		"role get kee":                          "keeper",
		"role assign keeper team:":              "team:devs\tid 1",
		"role assign keeper sa:dep":             "sa:deploy\tid 2",
		"role assign keeper sa:deploy user:an":  "user:ana\tana",
		"role unassign keeper serviceaccount:d": "serviceaccount:deliver\tid 3, serviceaccount:deploy\tid 2",
		"team add-member devs sa:deliv":         "sa:deliver\tid 3",
		"team add-member devs team:":            "",
		"user get an":                           "ana\tana",
		"org members Se":                        "Second\tid 2",
		"org remove-member Second ad":           "admin\tadmin",
		"context use ":                          "admin",
		"sa get --context ":                     "admin",
		"explain --principal sa:depl":           "sa:deploy\tid 2",
		"sa create ":                            "",
		"audit list ":                           "",
	} {
		r := run(t.Context(), strings.NewReader(""), append([]string{"__complete"}, strings.Split(line, " ")...)...)
		lines := strings.Split(strings.TrimSpace(r.out), "\n")
		if got := strings.Join(lines[:len(lines)-1], ", "); got != want || lines[len(lines)-1] != ":4" {
			t.Errorf("%q offers %q, %s; want %q", line, got, lines[len(lines)-1], want)
		}
	}
	silent := func(line string) {
		t.Helper()
		if r := run(t.Context(), strings.NewReader(""), append([]string{"__complete"}, strings.Split(line, " ")...)...); r.out != ":4\n" || r.err != nil {
			t.Errorf("%q: %q, %v", line, r.out, r.err)
		}
	}
	home(t) // not logged in
	silent("sa get ")
	silent("context use ")
	fake(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })
	for _, line := range []string{"sa get ", "token delete x ", "team get ", "role get ", "user get ", "org members ", "role assign x "} {
		silent(line)
	}
}

// TestAudit lists and exports the audit of a real server, by filters too.
func TestAudit(t *testing.T) {
	start(t)
	for i := range 3 {
		hallpass(t, "", "sa", "create", fmt.Sprint("ci-", i), "--role", "Viewer")
	}
	out := hallpass(t, "", "audit", "list", "--action", "serviceaccount.create", "--limit", "2")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "TIME") || !strings.Contains(lines[1], "serviceaccount:4") {
		t.Errorf("the list is\n%s", out)
	}
	if out := hallpass(t, "", "audit", "list", "-o", "json", "--target", "serviceaccount:3", "--outcome", "ok"); strings.Count(out, `"action"`) != 1 {
		t.Errorf("as JSON it is\n%s", out)
	}
	for filters, want := range map[string]int{
		"": -1, "--action serviceaccount.create": 3, "--actor nobody": 0, "--to 2020-01-01": 0, "--from 2020-01-01T00:00:00Z --action serviceaccount.create --org 1": 3,
	} {
		out := hallpass(t, "", append([]string{"audit", "export"}, strings.Fields(filters)...)...)
		if got := strings.Count(out, "\n"); got != want && want >= 0 || got < 4 && want < 0 {
			t.Errorf("%s: %d lines, want %d\n%s", filters, got, want, out)
		}
	}
	long := strings.Repeat("long", 30)
	hallpass(t, "", "sa", "create", long, "--role", "Viewer")
	hallpass(t, "", "sa", "delete", "sa-1-"+long, "--yes")
	if out := hallpass(t, "", "audit", "list", "--action", "serviceaccount.delete"); !strings.Contains(out, "long…") || strings.Contains(out, long) {
		t.Errorf("a long reason is not cut:\n%s", out)
	}
	if out := hallpass(t, "", "audit", "list", "-o", "json", "--action", "serviceaccount.delete"); !strings.Contains(out, long) {
		t.Errorf("JSON lacks the long reason:\n%s", out)
	}
	refused(t, "", "did you mean token.create", "audit", "list", "--action", "token.creat")
	refused(t, "", "did you mean token.create", "audit", "export", "--action", "token.creat")
	refused(t, "", "--from must be a day or a time", "audit", "export", "--from", "yesterday")
	refused(t, "", "--limit must be from 1", "audit", "list", "--limit", "0")
}

// TestAuditExportCutOff exports from a server that goes away in the middle: the
// export fails, although some entries came.
func TestAuditExportCutOff(t *testing.T) {
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("{}\n")) // the client notices a failure
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	r := run(t.Context(), strings.NewReader(""), "audit", "export")
	if r.err == nil || !strings.Contains(r.errs, "not whole") {
		t.Errorf("%v: %s", r.err, r.errs)
	}
}
