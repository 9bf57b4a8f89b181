package test_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// recipe starts Hallpass with the configuration of a recipe, with the real address of the
// API.
func recipe(t *testing.T, page, upstream, api string) *guardServer {
	t.Helper()
	for _, f := range manualFiles(t, "recipes/"+page) {
		if f.Path == "hallpass.toml" {
			if !strings.Contains(f.Text, upstream) {
				t.Fatalf("%s has no %s", page, upstream)
			}
			return newGuardServer(t, strings.ReplaceAll(f.Text, upstream, api))
		}
	}
	t.Fatalf("%s has no hallpass.toml", page)
	return nil
}

// newPrometheus starts a real Prometheus that anybody who reaches it may administer.
func newPrometheus(t *testing.T) (address string) {
	t.Helper()
	program, address, dir := needs(t, "prometheus"), freeAddress(t), t.TempDir()
	put(t, filepath.Join(dir, "prometheus.yml"), "scrape_configs: [{job_name: itself, scrape_interval: 1s, static_configs: [{targets: ['"+address+"']}]}]\n")
	daemon(t, address, program, "--config.file="+dir+"/prometheus.yml", "--storage.tsdb.path="+dir+"/data", "--web.listen-address="+address, "--web.enable-admin-api", "--web.enable-lifecycle")
	hallpasstest.Eventually(t, "Prometheus to be ready", func() bool {
		res, err := quick.Get("http://" + address + "/-/ready")
		if err != nil {
			return false
		}
		_ = res.Body.Close() // its status is enough
		return res.StatusCode == http.StatusOK
	})
	return address
}

// TestGuardedPrometheus has a real Prometheus behind each proxy, with the recipe of the
// manual. A token with prometheus:query queries it and may not administer it; revoked, it is
// refused on the next request.
func TestGuardedPrometheus(t *testing.T) {
	api := newPrometheus(t)
	hp := recipe(t, "prometheus.md", "127.0.0.1:9090", api)
	for name, start := range guardProxies {
		t.Run(name, func(t *testing.T) {
			queriesOnly(t, hp, newGuardClient(t, start(t, behind{hallpass: hp.address, api: api, guard: "prom"})))
		})
	}
	t.Run("built-in", func(t *testing.T) { queriesOnly(t, hp, newBuiltInClient(t, hp, "prom")) })
}

// queriesOnly tries a Prometheus behind a guard.
func queriesOnly(t *testing.T, hp *guardServer, c *guardClient) {
	t.Helper()
	reader := hp.holder("prometheus:query")
	c.until(http.StatusOK, reader.key, "/api/v1/query?query=up")
	form := url.Values{"query": {"vector(42)"}}.Encode()
	for _, tt := range []struct {
		token, method, path, body string
		status                    int
		says                      string
	}{
		{reader.key, "GET", "/api/v1/query?query=vector(42)", "", 200, `"42"`},
		{reader.key, "POST", "/api/v1/query", form, 200, `"42"`},
		{reader.key, "GET", "/api/v1/labels", "", 200, `"success"`},
		{"", "GET", "/-/healthy", "", 200, "Healthy"},
		{"", "GET", "/api/v1/query?query=up", "", 401, `"message"`},
		{reader.key, "POST", "/api/v1/admin/tsdb/snapshot", "", 403, "guard.permission"},
		{reader.key, "POST", "/-/quit", "", 403, "guard.permission"},
		{reader.key, "GET", "/api/v1/status/config", "", 403, "guard.permission"},
		{reader.key, "POST", "/api/v1/write", "", 403, "guard.permission"},
	} {
		res, text, err := c.send(tt.token, tt.method, tt.path, strings.NewReader(tt.body), "Content-Type", "application/x-www-form-urlencoded")
		if err != nil || res.StatusCode != tt.status || !strings.Contains(text, tt.says) {
			t.Errorf("%s %s: %v %v %.300s, want %d %s", tt.method, tt.path, res, err, text, tt.status, tt.says)
		}
	}
	for _, path := range []string{ // all ways to /api/v1/admin/tsdb/snapshot
		"/api/v1/labels/../admin/tsdb/snapshot", "//api/v1/admin/tsdb/snapshot", "/api/v1/%61dmin/tsdb/snapshot", "/api/v1/query/..%2fadmin/tsdb/snapshot", "/api/v1/./admin/tsdb/snapshot", "/-/healthy/../../api/v1/admin/tsdb/snapshot",
		"/api/v1/query/%2e%2e/admin/tsdb/snapshot", "/api/v1/admin//tsdb/snapshot", "/api/v1/admin/tsdb/snapshot/", "/api/v1/admin/tsdb/snapshot?/api/v1/query", "/api/v1/admin/tsdb/snapshot;x",
	} {
		res, text, err := c.send(reader.key, "POST", path, nil)
		if err != nil || res.StatusCode < 400 || res.StatusCode >= 500 {
			t.Errorf("POST %s: %v %v %.300s", path, res, err, text)
		}
	}
	hp.must(200, "DELETE", fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", reader.account, reader.token), "", nil)
	if status := c.get(reader.key, "/api/v1/query?query=up"); status != http.StatusUnauthorized {
		t.Errorf("the revoked token is answered with %d", status)
	}
}

// TestGuardedLoki has an API with tenants behind each proxy, with the recipe of the manual.
// What reaches it has one tenant header, and the account may use that tenant.
func TestGuardedLoki(t *testing.T) {
	api := newWitness(t)
	hp := recipe(t, "loki.md", "127.0.0.1:3100", api.address)
	const reads, writes = "loki:read@loki:tenants:", "loki:write@loki:tenants:"
	reader, both, writer := hp.holder(reads+"shop"), hp.holder(reads+"shop", reads+"web"), hp.holder(writes+"shop")
	try := func(c *guardClient) {
		c.until(http.StatusOK, reader.key, "/loki/api/v1/labels", "X-Scope-OrgID", "shop")
		c.asksForTenants(api, reader.key, both.key, writer.key)
		c.asksForOthers(api, reader.key)
	}
	for name, start := range guardProxies {
		t.Run(name, func(t *testing.T) {
			try(newGuardClient(t, start(t, behind{hallpass: hp.address, api: api.address, guard: "loki", header: "x[-_]scope[-_]orgid"})))
		})
	}
	t.Run("built-in", func(t *testing.T) { try(newBuiltInClient(t, hp, "loki")) })
}

// lokiReads are the paths below /loki/api/v1/ that read with GET and with POST.
var lokiReads = []string{
	"query", "query_range", "series", "labels", "label/app/values", "index/stats", "index/volume", "index/volume_range", "patterns", "detected_labels", "detected_fields", "detected_field/level/values",
}

// TestLokiReadersOnlyRead has what the manual shows for Loki before an API: a token that reads
// tenant a reads it, on every path of the recipe, and neither writes or deletes anything nor
// reads tenant b.
func TestLokiReadersOnlyRead(t *testing.T) {
	api := newWitness(t)
	first := regexp.MustCompile("(?s)```toml\n(.*?)```").FindStringSubmatch(manualPage(t, "README.md"))
	if first == nil || !strings.Contains(first[1], "127.0.0.1:3100") {
		t.Fatal("the first example has no Loki")
	}
	example := newGuardServer(t, strings.ReplaceAll(first[1], "127.0.0.1:3100", api.address))
	for name, tt := range map[string]struct {
		hp    *guardServer
		reads []string
	}{"recipe": {recipe(t, "loki.md", "127.0.0.1:3100", api.address), lokiReads}, "first example": {example, []string{"query_range"}}} {
		t.Run(name, func(t *testing.T) {
			c, reader := newBuiltInClient(t, tt.hp, "loki"), tt.hp.holder("loki:read@loki:tenants:a").key
			for _, method := range []string{"GET", "POST"} {
				for _, path := range tt.reads {
					c.answers(api, reader, method, "/loki/api/v1/"+path, "a", http.StatusOK)
					c.answers(api, reader, method, "/loki/api/v1/"+path, "b", http.StatusForbidden)
				}
			}
			for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
				for _, path := range []string{"/loki/api/v1/push", "/otlp/v1/logs", "/loki/api/v1/delete", "/loki/api/v1/rules", "/loki/api/v1/rules/shop", "/loki/api/v1/rules/shop/group", "/api/prom/push", "/api/prom/rules/shop", "/flush", "/ingester/shutdown", "/config"} {
					c.answers(api, reader, method, path, "a", http.StatusForbidden)
				}
			}
		})
	}
}

// answers makes a request for a tenant. It reaches the API, for that tenant alone, if the status
// is 200.
func (c *guardClient) answers(api *witness, token, method, path, tenant string, status int) {
	c.t.Helper()
	api.take()
	res, text, err := c.send(token, method, path, nil, "X-Scope-OrgID", tenant)
	arrived := api.take()
	if err != nil || res.StatusCode != status || (len(arrived) == 1) != (status == http.StatusOK) || len(arrived) == 1 && strings.Join(arrived[0].values("X-Scope-OrgID"), " and ") != tenant {
		c.t.Errorf("%s %s for %s: %v %v %s; to the API came %v", method, path, tenant, res, err, text, arrived)
	}
}

// TestGuardedAlertmanager makes a request of each kind in the table of its recipe: an account
// with the permission in the table may, one with all the others may not.
func TestGuardedAlertmanager(t *testing.T) {
	api := newWitness(t)
	hp := recipe(t, "alertmanager.md", "127.0.0.1:9093", api.address)
	c := newGuardClient(t, guardProxies["nginx"](t, behind{hallpass: hp.address, api: api.address, guard: "alerts"}))
	rows := regexp.MustCompile("(?m)^\\| (`.*`) \\| (.*) \\|$").FindAllStringSubmatch(manualPage(t, "recipes/alertmanager.md"), -1)
	var actions []string
	for _, row := range rows {
		if action := strings.Trim(row[2], "`"); action != "nothing" {
			actions = append(actions, action)
		}
	}
	for _, row := range rows {
		action, others := strings.Trim(row[2], "`"), []string{}
		for _, other := range actions {
			if other != action {
				others = append(others, other)
			}
		}
		may, mayNot := hp.holder(actions...), hp.holder(others...)
		if action != "nothing" {
			may = hp.holder(action)
		}
		for _, request := range strings.Split(row[1], ", ") {
			method, path, _ := strings.Cut(strings.Trim(request, "`"), " ")
			path = strings.ReplaceAll(path, "{id}", "7")
			if res, text, err := c.send(may.key, method, path, nil); err != nil || res.StatusCode != http.StatusOK || text != witnessed {
				t.Errorf("%s with %s: %v %v %s", request, action, res, err, text)
			}
			if res, text, err := c.send(mayNot.key, method, path, nil); err != nil || (res.StatusCode == http.StatusForbidden) == (action == "nothing") {
				t.Errorf("%s without %s: %v %v %s", request, action, res, err, text)
			}
		}
	}
	if len(rows) < 6 {
		t.Errorf("the recipe has %d rows", len(rows))
	}
}

// requestRows are the rows of a page's table: who, what and the answer.
func requestRows(t *testing.T, page string) [][]string {
	t.Helper()
	rows := regexp.MustCompile("(?m)^\\| (\\w+) \\| `(\\w+) (.*?)` \\| (\\d+) ?(\\S*) \\|$").FindAllStringSubmatch(manualPage(t, page), -1)
	if len(rows) < 8 {
		t.Fatalf("%s has %d rows", page, len(rows))
	}
	return rows
}

// TestGuardedInternalAPI makes the requests in the table of that recipe.
func TestGuardedInternalAPI(t *testing.T) {
	api := newWitness(t)
	hp := recipe(t, "internal-api.md", "127.0.0.1:8080", api.address)
	berlin, editor := hp.holder("orders:read@orders:shop:berlin", "orders:write@orders:shop:berlin"), hp.mint()
	hp.must(200, "PATCH", fmt.Sprintf("/api/serviceaccounts/%d", editor.account), `{"role":"Editor"}`, nil)
	tokens := map[string]string{"none": "", "berlin": berlin.key, "editor": editor.key}
	c := newGuardClient(t, guardProxies["nginx"](t, behind{hallpass: hp.address, api: api.address, guard: "orders"}))
	for _, row := range requestRows(t, "recipes/internal-api.md") {
		res, text, err := c.send(tokens[row[1]], row[2], row[3], nil)
		if err != nil || fmt.Sprint(res.StatusCode) != row[4] || res.Header.Get("X-Hallpass-Reason") != row[5] {
			t.Errorf("%s: %v %v %s", row[0], res, err, text)
		}
	}
}

// TestGatewayAPI plays to Hallpass what a gateway asks, as the recipe says, once for each row
// of its table.
func TestGatewayAPI(t *testing.T) {
	hp := newGuardServer(t, attackedGuard)
	tokens := map[string]string{"none": "", "reader": hp.holder("app:read").key, "writer": hp.holder("app:read", "app:write").key}
	path := regexp.MustCompile(`(?m)^ *path: (/guard/envoy/app)$`).FindStringSubmatch(manualFiles(t, "recipes/gateway-api.md")[0].Text)
	if path == nil {
		t.Fatal("the route has no path")
	}
	for _, row := range requestRows(t, "recipes/gateway-api.md") {
		s := siege{t: t, address: hp.address, tokens: strings.NewReplacer()}
		header := "Authorization: Bearer " + tokens[row[1]]
		if tokens[row[1]] == "" {
			header = "X-Authorization: none\r\nAuthorization:"
		}
		got, err := s.exchange(send(row[2], path[1]+row[3], header), hallpasstest.Patience)
		if err != nil || fmt.Sprint(got.status) != row[4] || got.header.Get("X-Hallpass-Reason") != row[5] {
			t.Errorf("%s: %d %v %s %v", row[0], got.status, got.header, got.body, err)
		}
	}
}

// TestManualRefusals makes a refused request at each proxy: the answer is the one on its page.
func TestManualRefusals(t *testing.T) {
	for name, start := range guardProxies {
		t.Run(name, func(t *testing.T) {
			api, hp := newWitness(t), newGuardServer(t, attackedGuard)
			reader := hp.holder("app:read")
			c := newGuardClient(t, start(t, behind{hallpass: hp.address, api: api.address, guard: "app"}))
			c.until(http.StatusOK, reader.key, "/api/x")
			shown := regexp.MustCompile("(?s)```http\nHTTP/1.1 403 Forbidden\n(.*?)\n\n(.*?)\n```").FindStringSubmatch(manualPage(t, name+".md"))
			if shown == nil {
				t.Fatal("the page shows no refusal")
			}
			res, text, err := c.send(reader.key, "POST", "/api/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusForbidden || text != shown[2] || !json.Valid([]byte(text)) {
				t.Errorf("%d %s, and the page shows %s", res.StatusCode, text, shown[2])
			}
			for line := range strings.Lines(shown[1]) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				if got := res.Header.Get(key); got != value {
					t.Errorf("%s: %s, and the page shows %s", key, got, value)
				}
			}
		})
	}
}

// tenantRequests ask Loki for tenants. reads holds loki:read of shop, both that of shop and
// web, writes loki:write of shop.
var tenantRequests = []struct {
	name, token  string
	method, path string
	tenants      string // "": the header is not there
	status       int
	arrives      string
}{
	{"its tenant", "reads", "GET", "query_range?query=%7Ba%3D%22b%22%7D", "shop", 200, "shop"},
	{"POST reads too", "reads", "POST", "query", "shop", 200, "shop"},
	{"another", "reads", "GET", "query", "web", 403, ""},
	{"both", "both", "GET", "query", "shop|web", 200, "shop|web"},
	{"both, of which it has one", "reads", "GET", "query", "shop|web", 403, ""},
	{"none", "reads", "GET", "query", "", 403, ""},
	{"all", "both", "GET", "query", "*", 403, ""},
	{"part of a name", "reads", "GET", "query", "sho", 403, ""},
	{"other letters", "reads", "GET", "query", "SHOP", 403, ""},
	{"with a comma", "both", "GET", "query", "shop,web", 403, ""},
	{"empty at the end", "reads", "GET", "query", "shop|", 403, ""},
	{"writing with a reader", "reads", "POST", "push", "shop", 403, ""},
	{"writing", "writes", "POST", "push", "shop", 200, "shop"},
	{"writing to another", "writes", "POST", "push", "web", 403, ""},
	{"writing to both", "writes", "POST", "push", "shop|shop", 403, ""},
	{"reading with a writer", "writes", "GET", "query", "shop", 403, ""},
	{"deleting", "reads", "DELETE", "rules/a", "shop", 403, ""},
	{"deleting logs", "reads", "POST", "delete", "shop", 403, ""},
	{"writing rules", "reads", "POST", "rules/a", "shop", 403, ""},
}

// asksForTenants makes these requests. What reaches the API has the tenants that were judged.
func (c *guardClient) asksForTenants(api *witness, reads, both, writes string) {
	c.t.Helper()
	tokens := map[string]string{"reads": reads, "both": both, "writes": writes}
	for _, tt := range tenantRequests {
		api.take()
		var header []string
		if tt.tenants != "" {
			header = []string{"X-Scope-OrgID", tt.tenants}
		}
		res, text, err := c.send(tokens[tt.token], tt.method, "/loki/api/v1/"+tt.path, nil, header...)
		arrived := api.take()
		if err != nil || res.StatusCode != tt.status || (len(arrived) == 1) != (tt.status == 200) || tt.status == 200 && strings.Join(arrived[0].values("X-Scope-OrgID"), " and ") != tt.arrives {
			c.t.Errorf("%s: %v %v %s; to the API came %v", tt.name, res, err, text, arrived)
		}
	}
}

// asksForOthers tries to have the API read another tenant than Hallpass judged.
func (c *guardClient) asksForOthers(api *witness, reads string) {
	c.t.Helper()
	const name = "X-Scope-OrgID"
	for _, header := range [][]string{{name, "shop", name, "web"}, {name, "web", name, "shop"}, {name, "shop", "X_Scope_OrgID", "web"}, {name, "shop", "X.Scope.OrgID", "web"}, {name, "shop", "Connection", name}} {
		if _, _, err := c.send(reads, "GET", "/loki/api/v1/query", nil, header...); err != nil {
			c.t.Error(err)
		}
		for _, a := range api.take() {
			if got := strings.Join(a.values(name), " and "); got != "shop" {
				c.t.Errorf("%v: the API got the tenants %s", header, got)
			}
		}
	}
}
