package test_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A shownAccount is a service account of the pictures, with its tokens.
type shownAccount struct {
	name, role, owner, purpose string
	tokens                     []shownToken
}

// A shownToken is a token of the pictures: how old it is and how long it lives, in days,
// and who uses it how often a day, and until how many days ago.
type shownToken struct {
	name           string
	age, life      int
	agent, from    string
	perDay, before int
	asks           string // what it asks for
}

const (
	asksOrg    = "GET /api/org"
	asksRead   = "GET /api/search"
	asksChange = "POST /api/folders"
)

// shownAccounts are the accounts of the pictures.
var shownAccounts = []shownAccount{
	{"dashboard-sync", "Editor", "platform@example.com", "Brings the dashboards of the repository into Grafana", []shownToken{
		{"ci-dashboard-sync", 62, 90, "Terraform/1.9.8", "10.0.0.7", 9, 0, asksChange}, {"argo-staging", 40, 43, "argocd/2.13", "10.0.9.3", 6, 0, asksRead},
		{"nightly-export", 30, 90, "python-requests/2.32", "10.0.4.21", 2, 0, asksRead}, {"laptop-jane", 96, 0, "curl/8.5.0", "10.0.6.18", 1, 1, asksRead}, {"old-runner", 80, 60, "curl/8.5.0", "10.0.2.2", 1, 25, asksRead},
	}},
	{"terraform-prod", "Admin", "ana@example.com", "Applies the infrastructure", []shownToken{{"tf-apply", 20, 30, "Terraform/1.9.8", "10.0.1.4", 5, 0, asksRead}}},
	{"grafana-operator", "Admin", "", "", []shownToken{{"operator", 300, 0, "grafana-operator/5.15", "10.0.3.2", 7, 0, asksRead}}},
	{"pagerduty-sync", "Viewer", "oncall@example.com", "Copies on-call plans", []shownToken{{"pd-prod", 90, 90, "python-requests/2.32", "10.0.4.21", 3, 0, asksOrg}}},
	{"loki-ruler", "Viewer", "observability", "Evaluates rules of logs", []shownToken{{"loki-ruler-eu", 50, 90, "Loki/3.3", "10.0.8.8", 8, 0, asksOrg}, {"loki-ruler-us", 50, 90, "Loki/3.3", "10.1.8.8", 6, 0, asksOrg}}},
	{"k6-load-tests", "Editor", "performance", "", []shownToken{{"k6-nightly", 85, 90, "k6/0.54", "10.0.2.14", 2, 0, asksRead}}},
	{"renovate", "Viewer", "platform@example.com", "", []shownToken{{"renovate", 200, 365, "renovate/39", "10.0.0.9", 2, 0, asksOrg}}},
	{"backup", "Admin", "ana@example.com", "Nightly copy of everything", []shownToken{{"backup-eu", 25, 90, "gdg/0.7", "10.0.5.5", 1, 0, asksRead}}},
	{"slack-digest", "Viewer", "tom", "", []shownToken{{"digest", 70, 90, "node-fetch", "10.0.7.7", 1, 0, asksOrg}}},
	{"ci-github-actions", "Editor", "platform@example.com", "Checks pull requests", []shownToken{{"gh-main", 60, 90, "go-http-client/2.0", "140.82.1.9", 8, 0, asksRead}, {"gh-forks", 60, 90, "", "", 0, 0, ""}}},
	{"jenkins", "Admin", "", "", []shownToken{{"jenkins-old", 300, 365, "Jenkins/2.440", "10.0.8.8", 1, 100, asksRead}}},
	{"terraform-staging", "Editor", "ana@example.com", "", []shownToken{{"ci-apply", 85, 90, "Terraform/1.9.8", "10.0.1.5", 1, 55, asksRead}}},
	{"oncall-exporter", "Viewer", "oncall@example.com", "", []shownToken{{"exporter", 3, 90, "curl/8.5.0", "10.0.4.30", 12, 0, asksOrg}}},
	{"mimir-gateway", "Viewer", "observability", "", []shownToken{{"mimir-a", 30, 90, "Mimir/2.14", "10.0.8.20", 9, 0, asksOrg}, {"mimir-b", 30, 90, "Mimir/2.14", "10.0.8.21", 9, 0, asksOrg}}},
	{"flux", "Editor", "platform@example.com", "", []shownToken{{"flux-prod", 15, 30, "flux/2.4", "10.0.9.9", 6, 0, asksChange}}},
	{"synthetics", "Viewer", "performance", "", []shownToken{{"probe-1", 45, 90, "synthetic-agent/1", "10.0.2.40", 10, 0, asksOrg}}},
	{"data-lake", "Viewer", "data@example.com", "", []shownToken{{"lake", 28, 60, "python-requests/2.32", "10.2.0.4", 3, 0, asksRead}}},
	{"audit-export", "Viewer", "security@example.com", "", []shownToken{{"siem", 100, 180, "vector/0.42", "10.3.0.2", 4, 0, asksOrg}}},
	{"status-page", "None", "tom", "", []shownToken{{"status", 12, 90, "curl/8.5.0", "10.0.7.9", 5, 0, asksOrg}}},
	{"sandbox", "Viewer", "", "", nil},
}

// shownDays is how many days the server of the pictures has been running.
const shownDays = 301

// pictured is the server of the pictures.
type pictured struct {
	*hallpasstest.Server
	t      *testing.T
	uid    map[string]string // of accounts by name
	token  map[string]int64
	secret map[string]string
}

// newPictured starts a server with shownAccounts, and lets shownDays go by.
func newPictured(t *testing.T) *pictured {
	t.Helper()
	p := &pictured{
		Server: hallpasstest.New(t, func(c *server.Config) {
			c.Server.TrustedProxies, c.Server.OutboundAllow = []string{"127.0.0.1"}, []string{"127.0.0.1"}
			c.ConfigFile, c.Guards = "/etc/hallpass/hallpass.toml", []hallpass.Guard{{Name: "alertmanager", Org: hallpass.FirstOrg, Preset: "alertmanager", Upstream: "http://127.0.0.1:9093"}}
		}), t: t, uid: make(map[string]string), token: make(map[string]int64), secret: make(map[string]string),
	}
	for _, a := range shownAccounts {
		var made struct{ UID string }
		api(t, p.Server, hallpasstest.Admin, "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q,"role":%q}`, a.name, a.role), &made)
		p.uid[a.name] = made.UID
		api(t, p.Server, hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+made.UID, fmt.Sprintf(`{"owner":%q,"purpose":%q}`, a.owner, a.purpose), nil)
	}
	for day := shownDays; day > 0; day-- {
		p.day(day)
		p.Clock.Wind(24 * time.Hour)
	}
	p.day(0)
	p.addUsage()
	return p
}

// addUsage writes how the tokens were used on the days before today: the days of the server
// go by in a moment, which is too fast for it to count them one by one.
func (p *pictured) addUsage() {
	p.t.Helper()
	today := p.Clock.Now().UTC().Truncate(24 * time.Hour)
	for _, a := range shownAccounts {
		for i, k := range a.tokens {
			u := store.TokenUsed{Token: hallpass.TokenID(p.token[k.name])}
			place := hallpass.TokenPlace{From: hallpass.From{Address: k.from, UserAgent: k.agent}, Route: hallpass.Route{Method: "GET", Pattern: "GET /api/search"}, Status: 200}
			for ago := min(k.age, 34); ago > 0; ago-- {
				n := int64(p.uses(k, ago, i)) * 41
				day := today.AddDate(0, 0, -ago)
				if n == 0 {
					continue
				}
				u.Days = append(u.Days, hallpass.TokenDay{Day: day, OK: n, Denied: n / 90})
				if place.Last = day; place.First.IsZero() {
					place.First = day
				}
				place.Count += n
			}
			if len(u.Days) > 0 {
				u.Actions = []hallpass.TokenAction{{Action: "folders:read", Scope: hallpass.AnyScope, Last: place.Last, Count: place.Count}}
				u.Places = []hallpass.TokenPlace{place}
			}
			if err := p.Store().AddTokenUsage(p.t.Context(), []store.TokenUsed{u}); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// day lets a day of so many days ago go by: tokens are made, and used.
func (p *pictured) day(ago int) {
	p.t.Helper()
	for _, a := range shownAccounts {
		for i, k := range a.tokens {
			if k.age == ago {
				p.make(a.name, k.name, fmt.Sprintf(`{"name":%q,"secondsToLive":%d}`, k.name, max(0, k.life*86400-3600*(i+1))))
			}
			if ago == k.before && p.uses(k, ago, i) > 0 {
				p.use(k, 1)
			}
		}
	}
}

// uses is how often the token is used on that day: it goes up and down.
func (p *pictured) uses(k shownToken, ago, i int) int {
	if p.secret[k.name] == "" || ago < k.before || ago > 35 && ago != k.before || k.perDay == 0 {
		return 0
	}
	return max(1, k.perDay+(ago*7+i*5+len(k.name))%5-2)
}

func (p *pictured) use(k shownToken, n int) {
	method, path, _ := strings.Cut(k.asks, " ")
	body := ""
	if method == "POST" && n == 0 {
		body = `{"title":"Checkout"}`
	} else if method == "POST" {
		method, path = "GET", "/api/folders"
	}
	p.Send(hallpasstest.Bearer(p.secret[k.name]), method, path, body, "User-Agent: "+k.agent, "X-Forwarded-For: "+k.from)
}

// make makes a token.
func (p *pictured) make(account, name, body string) {
	p.t.Helper()
	var made struct {
		ID  int64
		Key string
	}
	api(p.t, p.Server, hallpasstest.Admin, "POST", "/api/serviceaccounts/"+p.uid[account]+"/tokens", body, &made)
	p.token[name], p.secret[name] = made.ID, made.Key
}

// at is the address of a token in the API.
func (p *pictured) at(account, name string) string {
	return fmt.Sprintf("/api/serviceaccounts/%s/tokens/%d", p.uid[account], p.token[name])
}

// today lets happen what the pictures show: a rotation that is under way, a pause,
// networks that refuse, channels.
func (p *pictured) today() {
	p.t.Helper()
	do := func(method, path, body string) {
		p.t.Helper()
		api(p.t, p.Server, hallpasstest.Admin, method, path, body, nil)
	}
	sync := shownAccounts[0]
	old := p.secret["ci-dashboard-sync"]
	var next struct {
		ID  int64
		Key string
	}
	api(p.t, p.Server, hallpasstest.Admin, "POST", p.at("dashboard-sync", "ci-dashboard-sync")+"/rotate", `{"graceSeconds":86400,"quietSeconds":600,"reason":"quarterly"}`, &next)
	do("PATCH", p.at("dashboard-sync", "nightly-export"), `{"paused":true,"pausedFor":900,"pauseReason":"to see who breaks"}`)
	do("PATCH", p.at("loki-ruler", "loki-ruler-eu"), `{"networks":["10.0.8.0/24"]}`)
	do("PATCH", p.at("ci-github-actions", "gh-forks"), `{"readOnly":true,"networks":["140.82.0.0/16"],"rateLimit":{"requests":60,"seconds":60,"burst":10}}`)
	p.Clock.Wind(2 * time.Minute)
	for n := range 3 {
		p.secret["ci-dashboard-sync"] = next.Key
		p.use(sync.tokens[0], n+1)
		p.secret["ci-dashboard-sync"] = old
		p.use(sync.tokens[0], n+1)
	}
	p.token["ci-dashboard-sync, old"] = p.token["ci-dashboard-sync"]
	p.secret["ci-dashboard-sync"], p.token["ci-dashboard-sync"] = next.Key, next.ID
	p.use(sync.tokens[2], 0)
	outside := shownAccounts[4].tokens[0]
	outside.from = "203.0.113.9"
	for range 4 {
		p.use(outside, 0)
		p.use(shownAccounts[3].tokens[0], 0)
	}
	p.Send(hallpasstest.Bearer(p.secret["gh-main"]), "POST", "/api/teams", `{"name":"x"}`, "User-Agent: go-http-client/2.0", "X-Forwarded-For: 140.82.1.9")
	do("POST", "/api/org/notifications", `{"name":"Platform alerts","type":"webhook","url":"https://alerts.example.com/hallpass"}`)
	do("POST", "/api/org/notifications", `{"name":"#oncall","type":"slack","url":"http://127.0.0.1:9/T/B/x"}`)
	do("POST", "/api/org/notifications/2/test", "")
	p.guards()
	p.Clock.Wind(3 * time.Minute)
}

// guards makes two guards beside that of the configuration file, and lets requests come.
func (p *pictured) guards() {
	p.t.Helper()
	upstream := httptest.NewServer(http.NotFoundHandler())
	p.t.Cleanup(upstream.Close)
	for _, body := range []string{
		`{"name":"loki","upstream":"http://127.0.0.1:3100","preset":"loki"}`,
		`{"name":"prom","upstream":"` + upstream.URL + `","rules":[{"methods":["GET"],"path":"/-/healthy","public":true},{"methods":["GET","POST"],"path":"/api/v1/query","action":"prometheus:query"},{"methods":["GET"],"path":"/api/v1/label/{name}/values","action":"prometheus:labels"},{"methods":["POST"],"path":"/tenants/{tenant}/push","action":"prometheus:write","scope":"prometheus:tenants:{tenant}","set":{"X-Scope-OrgID":"{tenant}"}},{"path":"/admin/{rest...}","role":"Admin"}]}`,
	} {
		api(p.t, p.Server, hallpasstest.Admin, "POST", "/api/guards", body, nil)
	}
	send := func(token, method, path, agent string) {
		p.Send(hallpasstest.Bearer(p.secret[token]), method, "/guard/proxy/prom"+path, "", "User-Agent: "+agent, "X-Forwarded-For: 10.0.2.14")
	}
	for range 40 {
		send("operator", "GET", "/api/v1/query", "grafana-operator/5.15")
		send("operator", "GET", "/-/healthy", "curl/8.5.0")
	}
	for range 3 {
		send("pd-prod", "GET", "/api/v1/query", "python-requests/2.32")
		send("k6-nightly", "GET", "/api/v1/query", "k6/0.54")
	}
	send("k6-nightly", "GET", "/graph", "k6/0.54")
	send("nobody", "GET", "/api/v1/query", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36")
	send("lake", "POST", "/tenants/a*/push", "python-requests/2.32")
}

// A picture is a page as the pictures show it.
type picture struct {
	name, path string
	before     func(b *browser) // what is done there first; nil: nothing
}

// pictures are the pages to look at.
func (p *pictured) pictures() []picture {
	account := "/org/serviceaccounts/" + p.uid["dashboard-sync"]
	token := func(account, name string) string {
		return strings.TrimPrefix(p.at(account, name), "/api/serviceaccounts/")
	}
	at := func(account, name string) string { return "/org/serviceaccounts/" + token(account, name) }
	dialogAt := func(name, page string) func(*browser) {
		return func(b *browser) { b.dialog(at("dashboard-sync", name) + page) }
	}
	dialog := func(b *browser) {
		b.click("#add-token")
		b.until(`document.activeElement.id === "token-name"`)
	}
	return []picture{
		{"home", "/", nil},
		{"accounts", "/org/serviceaccounts", nil},
		{"tokens", "/org/tokens", nil},
		{"tokens-todo", "/org/tokens?todo=never-ends", nil},
		{"accounts-chosen", "/org/serviceaccounts?filter=unowned", func(b *browser) { b.click("#list tbody tr:nth-child(1) [name=account]") }},
		{"detail", account, nil},
		{"access", account + "/access", nil},
		{"permissions", account + "/permissions", nil},
		{"activity", account + "/activity", nil},
		{"token", at("loki-ruler", "loki-ruler-eu"), nil},
		{"token-used", at("dashboard-sync", "argo-staging"), nil},
		{"dialog", account, dialog},
		{"dialog-secret", account, func(b *browser) {
			dialog(b)
			b.click("#token-generate")
			b.shows("Service account token created")
			b.until(`document.querySelector("#token-secret").value`)
		}},
		{"owner", "/org/serviceaccounts/" + p.uid["grafana-operator"] + "/owner", nil},
		{"rotate", at("dashboard-sync", "argo-staging") + "/rotate", nil},
		{"dialog-rotate", account, dialogAt("argo-staging", "/rotate")},
		{"dialog-pause", account, dialogAt("argo-staging", "/pause")},
		{"dialog-narrow", account, dialogAt("argo-staging", "/narrow")},
		{"dialog-rename", account, dialogAt("argo-staging", "/rename")},
		{"dialog-more", account, func(b *browser) {
			dialog(b)
			b.click(".more summary")
		}},
		{"snooze", "/", func(b *browser) {
			b.dialog(fmt.Sprintf("/snooze?section=never-ends&subject=token:%d", p.token["gh-main"]))
		}},
		{"menu", account, func(b *browser) { b.click("#token-rows tbody .actions button") }},
		{"menu-home", "/", func(b *browser) { b.click("#expiring li:first-child button") }},
		{"question-disable", account, func(b *browser) {
			b.press("a", "Disable service account")
			b.until(`document.querySelector("#confirm-dialog")?.open`)
		}},
		{"question-role", account, func(b *browser) {
			eval[bool](b, `(s => { s.value = "None"; s.dispatchEvent(new Event("change", {bubbles: true})); return true })(document.querySelector("#role"))`)
			b.click("[data-role-save]")
			b.until(`document.querySelector("#confirm-dialog")?.open`)
		}},
		{"question-bulk", "/org/serviceaccounts?filter=unowned", func(b *browser) {
			b.click("#list tbody tr:nth-child(1) [name=account]")
			b.click("#list tbody tr:nth-child(2) [name=account]")
			b.click(`#bulk [value=disable]`)
			b.until(`document.querySelector("#confirm-dialog")?.open`)
		}},
		{"retire", at("dashboard-sync", "ci-dashboard-sync, old") + "/retire", nil},
		{"picker", account + "/roles", nil},
		{"disable", account + "/disable", nil},
		{"delete", account + "/delete", nil},
		{"revoke", at("dashboard-sync", "argo-staging") + "/delete", nil},
		{"notices", "/org/notices", nil},
		{"notice", "/org/notices/2", nil},
		{"notice-webhook", "/org/notices/1", nil},
		{"channel", "/create/channel", nil},
		{"channel-wrong", "/create/channel", func(b *browser) {
			b.fill("#name", "Alerts")
			b.fill("#url", "ftp://example.com")
			b.press("button", "Add channel")
			b.until(`document.querySelector("[aria-invalid=true]")`)
		}},
		{"guards", "/guards", nil},
		{"guard", "/guards/prom", nil},
		{"guard-of-file", "/guards/alertmanager?proxy=built-in", nil},
		{"guard-tried", "/guards/prom?request=GET+%2Fapi%2Fv1%2Fquery&who=k6-load-tests#try", nil},
		{"guard-holders", "/guards/prom/rules/2", nil},
		{"guard-new", "/create/guard", nil},
		{"guard-edit", "/guards/prom/edit", nil},
		{"guard-edit-preset", "/guards/loki/edit", nil},
		{"guard-question", "/guards/prom/edit", func(b *browser) {
			b.fill("#path-2", "/api/v1/query_range")
			b.press("button", "Save rules")
			b.until(`document.querySelector("#confirm-dialog")?.open`)
		}},
		{"audit", "/admin/audit?outcome=refused", nil},
		{"audit-entry", "/admin/audit?entry=40", nil},
		{"nodes", "/admin/nodes", nil},
		{"roles", "/admin/roles", nil},
		{"role", "/admin/roles/writer", nil},
		{"role-new", "/admin/create/role", nil},
		{"role-edit", "/admin/roles/writer/edit", func(b *browser) {
			b.click(`[aria-label="Remove Read teams"]`)
			b.until(`document.querySelector(".diff .minus")`)
			b.fill("#role-seek", "create dashboards")
			b.keys(kb.Enter)
			b.until(`document.activeElement.id === "role-find"`)
			b.keys("Pay")
			b.until(`document.querySelectorAll("#role-things button.opt").length === 1`)
			b.keys(kb.Enter)
			b.until(`document.querySelector(".perms .tag.new")`)
			b.press("button", "Done")
			b.until(`!document.querySelector("#role-things")`)
			b.fill("#role-seek", "perm")
			b.until(`document.querySelector("#role-found button.opt")`)
		}},
		{"find", "/find?q=sync", nil},
		{"find-nothing", "/find?q=nothing-at-all", nil},
		{"error-404", "/no/such/page", nil},
		{"error-409", at("dashboard-sync", "argo-staging") + "/retire", nil},
		{"administration", "/admin", nil},
	}
}

// roles makes a role of the org, and gives it.
func (p *pictured) roles() {
	for _, made := range []struct{ path, body string }{
		{"/api/folders", `{"uid":"payments","title":"Payments"}`}, {"/api/folders", `{"uid":"archive","title":"Archive"}`},
		{"/api/access-control/roles", `{"uid":"writer","name":"dashboards:writer-of-payments","displayName":"Dashboard writer","group":"Platform","description":"Writes dashboards of the payment team","permissions":[{"action":"folders:read","scope":"folders:*"},{"action":"dashboards:read","scope":"folders:*"},{"action":"dashboards:write","scope":"folders:uid:payments"},{"action":"dashboards:write","scope":"folders:uid:archive"},{"action":"teams:read","scope":"teams:*"},{"action":"prometheus:query","scope":"*"}]}`},
		{fmt.Sprintf("/api/access-control/users/%s/roles", p.uid["grafana-operator"]), `{"roleUid":"writer"}`},
		{fmt.Sprintf("/api/access-control/users/%s/roles", p.uid["dashboard-sync"]), `{"roleUid":"writer"}`},
	} {
		api(p.t, p.Server, hallpasstest.Admin, "POST", made.path, made.body, nil)
	}
}

// TestPictures takes the pictures of the manual, and others to look at: of each page on a
// wide screen and on a phone, in both themes. HALLPASS_TEST_PICTURES names the directory.
func TestPictures(t *testing.T) {
	dir := os.Getenv("HALLPASS_TEST_PICTURES")
	if dir == "" {
		t.Skip("HALLPASS_TEST_PICTURES names no directory for pictures")
	}
	p := newPictured(t)
	p.today()
	p.roles()
	b := newBrowser(t, p.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	only := os.Getenv("HALLPASS_TEST_PICTURE") // names of some of them, with a space between
	if only == "" {
		p.manual(b, dir)
	}
	b.album(dir, only, p.pictures())
	b.open("/logout")
	b.press("button", "Sign out")
	b.until(`location.pathname === "/login"`)
	p.User("vera", hallpass.RoleViewer)
	b.signIn("vera", hallpasstest.UserPassword)
	b.album(dir, only, []picture{{"home-viewer", "/", nil}, {"error-403", "/org/serviceaccounts/create", nil}})
	fresh := hallpasstest.New(t)
	b.url = fresh.URL
	b.signIn("admin", hallpasstest.AdminPassword)
	b.album(dir, only, []picture{{"home-empty", "/", nil}, {"accounts-empty", "/org/serviceaccounts", nil}, {"notices-empty", "/org/notices", nil}, {"guards-empty", "/guards", nil}})
	var made struct{ UID string }
	api(t, fresh, hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"dashboard-sync","role":"Viewer"}`, &made) // as quickstart does
	status(fresh, secretOf(t, fresh, made.UID, `{"name":"quickstart"}`))
	b.album(dir, only, []picture{{"home-quickstart", "/", nil}})
}

// album takes the pictures, or those of them whose names stand in only.
func (b *browser) album(dir, only string, pictures []picture) {
	b.t.Helper()
	for _, shown := range pictures {
		if only != "" && !strings.Contains(" "+only+" ", " "+shown.name+" ") {
			continue
		}
		b.do(chromedp.EmulateViewport(1440, 900))
		b.open(shown.path)
		if shown.before != nil {
			shown.before(b)
		}
		for _, width := range []int64{1440, 390} {
			b.do(chromedp.EmulateViewport(width, 900))
			for _, theme := range []string{"light", "dark"} {
				eval[bool](b, `document.documentElement.dataset.theme = "`+theme+`", true`)
				b.shoot(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", shown.name, width, theme)), shown.before == nil)
			}
		}
		eval[bool](b, `document.querySelector("#token-stored")?.click(), document.querySelectorAll("dialog").forEach(d => d.remove()), true`)
	}
}

// manual takes the pictures of docs/images.
func (p *pictured) manual(b *browser, dir string) {
	p.t.Helper()
	b.do(chromedp.EmulateViewport(1280, 860))
	hallpasstest.Eventually(p.t, "the calls of today, which are written later", func() bool {
		b.open("/guards/prom")
		return !eval[bool](b, `document.querySelector("table.rules tbody tr td:nth-last-child(2)").innerText.trim().endsWith(" 0") || document.querySelector("table.rules tbody tr td:nth-last-child(2)").innerText.trim() === "0"`)
	})
	take := func(name string) { b.shoot(filepath.Join(dir, name+".png"), false) }
	account := "/org/serviceaccounts/" + p.uid["dashboard-sync"]
	for name, path := range map[string]string{"home": "/", "detail": account, "access": account + "/access", "notices": "/org/notices", "guard": "/guards/prom?request=GET+%2Fapi%2Fv1%2Fquery&who=k6-load-tests"} {
		b.open(path)
		b.until(`document.readyState === "complete"`)
		take(name)
	}
	b.open(account)
	b.click("#add-token")
	b.until(`document.activeElement.id === "token-name"`)
	b.click("#token-generate")
	b.shows("Service account token created")
	secret := eval[string](b, `document.querySelector("#token-secret").value`)
	p.Send(hallpasstest.Bearer(secret), "GET", "/api/org", "", "User-Agent: curl/8.5.0", "X-Forwarded-For: 10.0.0.7")
	b.until(`document.querySelector(".proof.proved")`)
	take("token-dialog")
	eval[bool](b, `document.querySelectorAll("dialog").forEach(d => d.remove()), true`)
	b.open("/profile") // the page would ask before it forgets the secret
}

// shoot writes a picture of what is shown: of the whole page, or of what the screen shows.
func (b *browser) shoot(file string, whole bool) {
	b.t.Helper()
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	picture, err := chromedp.Run(b.ctx, take)
	if err == nil {
		err = os.WriteFile(file, picture, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
