package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// TestPreferences sets the preferences of an org, a team and a user. Values that only
// Grafana interprets are kept as they were sent. A home dashboard must be one that the
// caller can read.
func TestPreferences(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(people...)
	x.run(
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Home","uid":"home"}}`, 200, "", "home=id"},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Hidden","uid":"hidden"}}`, 200, "", "hidden=id"},
		step{"POST", "/api/access-control/dashboards/hidden", `{"permissions":[{"builtInRole":"Viewer"},{"builtInRole":"Editor"}]}`, 200, "", ""},
	)
	x.in("<other>").run(step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Far","uid":"far"}}`, 200, "", "far=id"})
	viewer := x.by(x.s.User("vera", hallpass.RoleViewer))
	for _, tt := range []struct {
		path  string
		by    *session
		patch bool
	}{
		{"/api/org/preferences", x, true}, {"/api/teams/<team>/preferences", x, false}, {"/api/user/preferences", x, true}, {"/api/user/preferences", viewer, true},
	} {
		for field, values := range map[string][]string{
			"theme":     {"light", "dark", "system", "sapphiredusk", "tron", "gildedgrove", "A theme of next year"},
			"timezone":  {"utc", "browser", "Europe/Vienna", "Mars/Olympus"},
			"weekStart": {"monday", "browser", "friday"},
			"language":  {"de-DE", "pt-BR", "tlh"},
		} {
			for _, v := range values {
				body := fmt.Sprintf(`{"%s":"%s"}`, field, v)
				tt.by.run(
					step{"PUT", tt.path, body, 200, "message string", ""}, step{"GET", tt.path, "", 200, fmt.Sprintf(`%s "%s"`, field, v), ""},
				)
			}
			tt.by.run(
				step{"PUT", tt.path, fmt.Sprintf(`{"%s":"%s"}`, field, strings.Repeat("x", 191)), 400, `message "Bad request data"`, ""},
				step{"PUT", tt.path, fmt.Sprintf(`{"%s":"a\u0000"}`, field), 400, `message "Bad request data"`, ""},
			)
		}
		tt.by.run(
			step{"PUT", tt.path, `{"homeDashboardUID":"home"}`, 200, "", ""}, step{"GET", tt.path, "", 200, `homeDashboardUID "home"`, ""},
			step{"PUT", tt.path, `{"homeDashboardUID":"nosuch"}`, 404, "", ""}, step{"PUT", tt.path, `{"homeDashboardUID":"far"}`, 404, "", ""},
			step{"PUT", tt.path, `{"homeDashboardId":<far>}`, 404, "", ""}, step{"PUT", tt.path, `{"homeDashboardId":-1}`, 404, "", ""},
			step{"GET", tt.path, "", 200, `homeDashboardUID "home"`, ""},
			step{"PUT", tt.path, `{"homeDashboardId":0}`, 200, "", ""},
		)
		tt.by.cleared(tt.path, "homeDashboardUID")
		tt.by.run(step{"PUT", tt.path, `{"homeDashboardId":<home>}`, 200, "", ""}, step{"GET", tt.path, "", 200, `homeDashboardUID "home"`, ""})
		if tt.patch {
			tt.by.run(
				step{"PATCH", tt.path, `{"theme":"tron"}`, 200, "", ""}, step{"GET", tt.path, "", 200, `homeDashboardUID "home"; theme "tron"`, ""},
				step{"PATCH", tt.path, `{"homeDashboardUID":"nosuch"}`, 404, "", ""}, step{"PATCH", tt.path, `{"homeDashboardUID":""}`, 200, "", ""},
			)
			tt.by.cleared(tt.path, "homeDashboardUID")
		}
	}
	x.run(step{"PUT", "/api/user/preferences", `{"homeDashboardUID":"hidden"}`, 200, "", ""})
	viewer.run(
		step{"PUT", "/api/user/preferences", `{"homeDashboardUID":"hidden"}`, 404, "", ""}, step{"PUT", "/api/user/preferences", `{"homeDashboardId":<hidden>}`, 404, "", ""},
	)
}
