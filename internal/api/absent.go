package api

import "github.com/hallpass-dev/hallpass"

// absentRoutes are the routes of things that Hallpass does not have, such as
// data sources. Clients of dashboards and tokens read these lists before they do
// their work, so each list is empty. Other methods on the same paths are 404.
func (a *API) absentRoutes() []route {
	sources := may(hallpass.DatasourcesRead)
	var list []route
	for _, r := range []struct {
		path   string
		rule   rule
		answer string
	}{
		{"/api/datasources", sources, `[]`},

		{"/api/library-elements", signedIn, `{"result":{"totalCount":0,"page":1,"perPage":100,"elements":[]}}`},
		{"/api/annotations", signedIn, `[]`},
		{"/api/annotations/tags", signedIn, `{"result":{"tags":[]}}`},
		{"/api/dashboard/snapshots", signedIn, `[]`},
		{"/api/dashboards/public-dashboards", signedIn, `{"publicDashboards":[],"totalCount":0,"page":1,"perPage":1000}`},
		{"/api/playlists", signedIn, `[]`},
		{"/api/plugins", signedIn, `[]`},
		{"/api/user/stars", anyUser, `[]`},
		{"/api/org/invites", may(hallpass.OrgUsersAdd), `[]`},

		{"/api/alerts", signedIn, `[]`},
		{"/api/alert-notifications", signedIn, `[]`},
		{"/api/v1/provisioning/alert-rules", signedIn, `[]`},
		{"/api/v1/provisioning/contact-points", signedIn, `[]`},
		{"/api/v1/provisioning/mute-timings", signedIn, `[]`},
		{"/api/v1/provisioning/templates", signedIn, `[]`},
		{"/api/ruler/grafana/api/v1/rules", signedIn, `{}`},
		{"/api/ruler/grafana/api/v1/rules/{folder}", signedIn, `{}`},
		{"/api/prometheus/grafana/api/v1/rules", signedIn, `{"status":"success","data":{"groups":[]}}`},
		{"/api/prometheus/grafana/api/v1/alerts", signedIn, `{"status":"success","data":{"alerts":[]}}`},
		{"/api/alertmanager/grafana/api/v2/alerts", signedIn, `[]`},
		{"/api/alertmanager/grafana/api/v2/silences", signedIn, `[]`},
	} {
		list = append(list, absent(endpoint(a, "GET "+r.path, 200, r.rule, alwaysEmpty(r.answer))))
	}
	for _, path := range []string{"/api/datasources/{ref}", "/api/datasources/id/{ref}", "/api/datasources/name/{ref}", "/api/datasources/uid/{ref}"} {
		list = append(list, absent(endpoint(a, "GET "+path, 200, sources, noDataSource)))
	}
	return list
}

func absent(r route) route {
	r.absent = true
	return r
}

// alwaysEmpty is the handler of a list of things that Hallpass does not have.
func alwaysEmpty(answer string) func(call, none) (encoded, error) {
	return func(call, none) (encoded, error) { return encoded(answer), nil }
}

var errNoDataSource = &hallpass.Error{Kind: hallpass.NotFound, ID: "datasources.not-found", Message: "Data source not found"}

func noDataSource(call, none) (none, error) { return none{}, errNoDataSource }
