package test_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// hostileName is a name with markup and a very long word: pages must escape and wrap it.
const hostileName = `"><img src=x onerror=alert(1)> & a name that is long and goes on and on, with_a_word_that_has_no_end_at_all_and_so_cannot_be_broken`

// notPages are addresses that do not answer with a page: a picture, a part of a page, a
// redirect.
var notPages = []string{"GET /avatar/{hash}", "GET /org/serviceaccounts/{ref}/tokens", "GET /org/tokens.csv", "GET /org/serviceaccounts.csv"}

// furnish creates everything that an organization has, and returns the pages to look at
// for each address of the console.
func furnish(t *testing.T, s *hallpasstest.Server) map[string][]string {
	t.Helper()
	do := func(method, path, body string, out any) {
		t.Helper()
		api(t, s, hallpasstest.Admin, method, path, body, out)
	}
	s.User("vera", hallpass.RoleViewer)
	s.User("somebody.with.a.quite.long.login@accounting.example.com", hallpass.RoleEditor)
	do("PUT", "/api/users/2", `{"login":"vera","email":"vera@example.com","name":`+quote(hostileName)+`}`, nil)
	var ci, dead, hostile struct {
		ID  int64
		UID string
	}
	do("POST", "/api/serviceaccounts", `{"name":"ci","role":"Editor"}`, &ci)
	do("POST", "/api/serviceaccounts", `{"name":"Überwachung","role":"None"}`, &dead)
	do("POST", "/api/serviceaccounts", `{"name":`+quote(hostileName)+`,"role":"Viewer"}`, &hostile)
	account := "/api/serviceaccounts/" + ci.UID
	var made struct {
		ID  int64
		Key string
	}
	do("POST", account+"/tokens", `{"name":"short","secondsToLive":86400}`, nil)
	do("POST", account+"/tokens", `{"name":"`+strings.Repeat("long ", 30)+`"}`, &made)
	s.Do(hallpasstest.Bearer(made.Key), "GET", "/api/org", "", "User-Agent: curl/8.5.0")
	s.Do(hallpasstest.Bearer(made.Key), "DELETE", "/api/orgs/1", "", "User-Agent: curl/8.5.0")
	var old, next, paused struct{ ID int64 }
	do("POST", account+"/tokens", `{"name":"moved"}`, &old)
	do("POST", fmt.Sprintf("%s/tokens/%d/rotate", account, old.ID), `{"graceSeconds":3600}`, &next)
	do("POST", account+"/tokens", `{"name":"waits","readOnly":true,"networks":["10.0.0.0/8","2001:db8::/32"],"owner":"ops@example.com","purpose":"a workflow"}`, &paused)
	do("PATCH", fmt.Sprintf("%s/tokens/%d", account, paused.ID), `{"paused":true,"pauseReason":"to see who breaks"}`, nil)
	rotated := []int64{old.ID, next.ID, paused.ID}
	do("PATCH", "/api/serviceaccounts/"+dead.UID, `{"isDisabled":true}`, nil)
	do("POST", "/api/teams", `{"name":`+quote(hostileName)+`,"email":"payments.and.settlement@accounting.example.com"}`, nil)
	for _, id := range []int64{2, ci.ID} {
		do("POST", "/api/teams/1/members", fmt.Sprintf(`{"userId":%d}`, id), nil)
	}
	do("POST", "/api/orgs", `{"name":`+quote(hostileName)+`}`, nil)
	do("POST", "/api/folders", `{"uid":"shop","title":`+quote(hostileName)+`}`, nil)
	do("POST", "/api/folders", `{"uid":"checkout","title":"Checkout","parentUid":"shop"}`, nil)
	do("POST", "/api/dashboards/db", `{"folderUid":"checkout","dashboard":{"uid":"orders","title":"Orders","tags":["a tag"]}}`, nil)
	do("POST", "/api/access-control/folders/checkout/users/2", `{"permission":"Edit"}`, nil)
	do("POST", "/api/access-control/folders/checkout/teams/1", `{"permission":"Admin"}`, nil)
	do("POST", "/api/access-control/roles", `{"uid":"metrics","name":"metrics:reader-of-the-checkout-and-of-nothing-else-at-all","permissions":[{"action":"prometheus:query","scope":"tenants:name:a-tenant-whose-name-is-long-and-has-no-blank"},{"action":"folders:read","scope":"folders:uid:shop"}]}`, nil)
	do("POST", fmt.Sprintf("/api/access-control/users/%d/roles", ci.ID), `{"roleUid":"metrics"}`, nil)
	do("POST", "/api/access-control/teams/1/roles", `{"roleUid":"metrics"}`, nil)

	do("POST", "/api/guards", `{"name":"prom","upstream":"http://127.0.0.1:9090","preset":"prometheus","rules":[{"methods":["GET","POST"],"path":"/a/path/that/is/long/and/has/no/blank/anywhere/{tenant}/{rest...}","action":"loki:read","scope":"loki:tenants:{tenant}"},{"path":"/-/healthy","public":true},{"path":"/x","role":"Editor"}]}`, nil)
	do("POST", "/api/guards", `{"name":"empty"}`, nil)
	do("POST", "/api/org/notifications", `{"name":"alerts","type":"webhook","url":"https://hallpass.invalid/`+strings.Repeat("and_longer", 20)+`"}`, nil)
	do("POST", "/api/org/notifications", `{"name":`+quote(hostileName)+`,"type":"slack","url":"https://hallpass.invalid/T/B/secret"}`, nil)
	do("POST", "/api/org/notifications/1/test", "", nil)
	for _, secret := range []string{made.Key, "glsa_wrong"} {
		s.Do(hallpasstest.Bearer(secret), "GET", "/guard/proxy/prom/a/path/that/is/long/"+strings.Repeat("and_longer", 20), "", "User-Agent: curl/8.5.0")
	}
	const (
		accounts = "/org/serviceaccounts"
		users    = "/admin/users"
		teams    = "/org/teams"
	)
	at, off, odd := accounts+"/"+ci.UID, accounts+"/"+dead.UID, accounts+"/"+hostile.UID
	token := fmt.Sprintf("%s/tokens/%d", at, made.ID)
	moved := func(i int) string { return fmt.Sprintf("%s/tokens/%d", at, rotated[i]) }
	return map[string][]string{
		"GET /{$}":                                             {"/", "/?section=never-ends", "/?section=failing"},
		"GET /snooze":                                          {"/snooze?section=never-ends&subject=token:1"},
		"GET /find":                                            {"/find", "/find?q=ci", "/find?q=long", "/find?q=nothing-at-all", "/find?hash=00", "/find?secret=yes"},
		"GET /logout":                                          {"/logout"},
		"GET /admin":                                           {"/admin"},
		"GET /admin/access":                                    {"/admin/access"},
		"GET /admin/audit":                                     {"/admin/audit", "/admin/audit?outcome=refused", "/admin/audit?from=x", "/admin/audit?entry=1"},
		"GET /admin/nodes":                                     {"/admin/nodes"},
		"GET /profile":                                         {"/profile"},
		"GET /profile/password":                                {"/profile/password"},
		"GET /profile/access":                                  {"/profile/access"},
		"GET /org/serviceaccounts":                             {accounts, accounts + "?filter=disabled", accounts + "?query=nothing", accounts + "?sort=-used&filter=unowned"},
		"GET /org/tokens":                                      {"/org/tokens", "/org/tokens?filter=paused", "/org/tokens?todo=never-ends&sort=-used", "/org/tokens?query=nothing"},
		"GET /org/serviceaccounts/create":                      {accounts + "/create"},
		"GET /org/serviceaccounts/{ref}":                       {at, off, odd, at + "?edit=name", accounts + "/nosuchaccount"},
		"GET /org/serviceaccounts/{ref}/owner":                 {at + "/owner", odd + "/owner"},
		"GET /org/serviceaccounts/{ref}/enable":                {off + "/enable"},
		"GET /org/serviceaccounts/{ref}/disable":               {at + "/disable", odd + "/disable"},
		"GET /org/serviceaccounts/{ref}/delete":                {at + "/delete", odd + "/delete"},
		"GET /org/serviceaccounts/{ref}/tokens/new":            {at + "/tokens/new", odd + "/tokens/new"},
		"GET /org/serviceaccounts/{ref}/activity":              {at + "/activity", odd + "/activity"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}":        {token, at + "/tokens/99"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/delete": {token + "/delete"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/rotate": {token + "/rotate", moved(0) + "/rotate"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/retire": {moved(0) + "/retire", token + "/retire"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/extend": {moved(0) + "/extend"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/undo":   {moved(1) + "/undo"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/pause":  {token + "/pause"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/resume": {moved(2) + "/resume"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/narrow": {token + "/narrow", moved(2) + "/narrow"},
		"GET /org/serviceaccounts/{ref}/tokens/{token}/rename": {token + "/rename"},
		"GET /org/serviceaccounts/{ref}/roles":                 {at + "/roles", off + "/roles?give=metrics"},
		"GET /org/serviceaccounts/{ref}/permissions":           {at + "/permissions"},
		"GET /org/serviceaccounts/{ref}/access":                {at + "/access", at + "/access?action=teams:create", at + "/access?action=folders:read&scope=folders:uid:shop"},
		"GET /admin/users":                                     {users, users + "?query=nobody-at-all"},
		"GET /admin/users/create":                              {users + "/create"},
		"GET /admin/users/{user}":                              {users + "/1", users + "/2"},
		"GET /admin/users/{user}/access":                       {users + "/2/access", users + "/1/access?action=teams:create"},
		"GET /admin/users/{user}/delete":                       {users + "/2/delete"},
		"GET /admin/users/{user}/roles":                        {users + "/2/roles"},
		"GET /org/users":                                       {"/org/users"},
		"GET /org/users/{user}/remove":                         {"/org/users/2/remove"},
		"GET /org/teams":                                       {teams, teams + "?query=none"},
		"GET /org/teams/{team}":                                {teams + "/1"},
		"GET /org/teams/{team}/members/{member}/remove":        {teams + "/1/members/2/remove"},
		"GET /org/teams/{team}/delete":                         {teams + "/1/delete"},
		"GET /org/teams/{team}/roles":                          {teams + "/1/roles"},
		"GET /admin/orgs":                                      {"/admin/orgs", "/admin/orgs?query=none"},
		"GET /admin/orgs/{org}":                                {"/admin/orgs/1", "/admin/orgs/2"},
		"GET /admin/orgs/{org}/delete":                         {"/admin/orgs/2/delete"},
		"GET /admin/roles":                                     {"/admin/roles", "/admin/roles?view=matrix", "/admin/roles?query=none"},
		"GET /admin/create/role":                               {"/admin/create/role"},
		"GET /admin/roles/{role}":                              {"/admin/roles/metrics", "/admin/roles/basic_viewer"},
		"GET /admin/roles/{role}/edit":                         {"/admin/roles/metrics/edit"},
		"GET /admin/roles/{role}/delete":                       {"/admin/roles/metrics/delete"},
		"GET /guards":                                          {"/guards", "/guards?query=none"},
		"GET /guards/{guard}":                                  {"/guards/prom", "/guards/empty", "/guards/prom?proxy=apache", "/guards/prom?proxy=envoy", "/guards/prom?proxy=built-in", "/guards/prom?request=GET+/api/v1/query&who=ci", "/guards/prom?request=DELETE+/x&who=ci", "/guards/prom?request=x"},
		"GET /guards/{guard}/rules/{rule}":                     {"/guards/prom/rules/1", "/guards/prom/rules/2", "/guards/prom/rules/5", "/guards/prom/rules/99"},
		"GET /guards/{guard}/edit":                             {"/guards/prom/edit", "/guards/empty/edit"},
		"GET /create/guard":                                    {"/create/guard"},
		"GET /create/channel":                                  {"/create/channel", "/create/channel?type=mail"},
		"GET /org/notices":                                     {"/org/notices"},
		"GET /org/notices/{channel}":                           {"/org/notices/1", "/org/notices/2", "/org/notices/99"},
		"GET /org/notices/{channel}/delete":                    {"/org/notices/1/delete"},
		"GET /guards/{guard}/delete":                           {"/guards/prom/delete"},
		"GET /dashboards":                                      {"/dashboards", "/dashboards?query=none"},
		"GET /dashboards/f/{folder}/{slug}":                    {"/dashboards/f/shop/shop", "/dashboards/f/checkout/checkout"},
		"GET /dashboards/permissions/{folder}":                 {"/dashboards/permissions/shop", "/dashboards/permissions/checkout"},
	}
}

// allPages returns the pages in the order of the console's addresses, and fails
// the test if an address has none.
func allPages(t *testing.T, pages map[string][]string) []string {
	t.Helper()
	var all []string
	for _, pattern := range console.Patterns() {
		if strings.HasPrefix(pattern, "POST ") || slices.Contains(notPages, pattern) {
			continue
		}
		if len(pages[pattern]) == 0 {
			t.Errorf("%s has no page here to look at", pattern)
		}
		all = append(all, pages[pattern]...)
	}
	return append(all, "/no/such/page")
}

// emptyPages are the pages of a server that was just set up.
var emptyPages = []string{"/guards", "/org/notices", "/org/serviceaccounts", "/org/tokens", "/org/teams", "/dashboards", "/admin/audit?action=nothing.at-all", "/admin/users", "/org/users"}

// axe checks what is shown by axe-core's rules: in light and dark, on a wide screen and
// on a phone.
type axe struct {
	*browser
	source string
}

func newAxe(t *testing.T, s *hallpasstest.Server) *axe {
	t.Helper()
	source, err := os.ReadFile("axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip("axe-core is not here: `make test` installs it by npm")
	}
	b := newBrowser(t, s.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	return &axe{b, string(source)}
}

// axeRun returns what axe-core finds by the rules, one line each.
const axeRun = `axe.run(document, {runOnly: %s, resultTypes: ["violations"]})
	.then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ": " + n.target.join(" ") + ": " + (n.any[0] || n.all[0] || n.none[0]).message)))`

// axeRules are the rules that a page must follow in a theme. The themes differ only in
// colors, as TestThemesChangeOnlyColors checks. The page was held to the other rules in
// light, and in dark only those about colors may find more.
var axeRules = map[string]string{
	"light": `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]`,
	"dark":  `["color-contrast", "link-in-text-block"]`,
}

// TestThemesChangeOnlyColors holds the stylesheets to one switch between the themes,
// color-scheme, by which light-dark() takes one color or the other.
func TestThemesChangeOnlyColors(t *testing.T) {
	files, err := filepath.Glob("../internal/console/assets/*.css")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		css, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rest := strings.NewReplacer(`:root[data-theme="light"] { color-scheme: light; }`, "", `:root[data-theme="dark"] { color-scheme: dark; }`, "").Replace(string(css))
		for _, other := range []string{"[data-theme", "prefers-color-scheme"} {
			if strings.Contains(rest, other) {
				t.Errorf("%s: %s may change more than colors: TestEveryPageIsAccessible must try every rule in both themes then", file, other)
			}
		}
	}
}

// check looks at what is shown now.
func (a *axe) check(what string) {
	a.t.Helper()
	eval[bool](a.browser, a.source+`; true`)
	for _, width := range []int64{1440, 390} {
		a.do(chromedp.EmulateViewport(width, 900))
		for _, theme := range []string{"light", "dark"} {
			eval[bool](a.browser, `document.documentElement.dataset.theme = "`+theme+`", true`)
			for _, found := range eval[[]string](a.browser, fmt.Sprintf(axeRun, axeRules[theme])) {
				a.t.Errorf("%s, %s, %d wide: %s", what, theme, width, found)
			}
		}
		a.fits(what, width)
	}
	a.do(chromedp.EmulateViewport(1440, 900))
}

// fits fails the test if the page is wider than the screen, on screens of these widths.
func (a *axe) fits(what string, widths ...int64) {
	a.t.Helper()
	for _, width := range widths {
		a.do(chromedp.EmulateViewport(width, 900))
		if got := eval[int64](a.browser, `document.documentElement.scrollWidth`); got > width {
			a.t.Errorf("%s is %d pixels wide on a screen of %d", what, got, width)
		}
		for _, out := range eval[[]string](a.browser, beyondScreen) {
			a.t.Errorf("%s on a screen of %d: out of it is %s", what, width, out)
		}
	}
}

// beyondScreen finds what stands left or right of the screen and cannot be scrolled to: the
// width of the page does not tell of what is cut off. Nor does the screen tell of what a row
// of a table cuts off at its left.
const beyondScreen = `[...document.querySelectorAll("main *")].filter(e => {
	const at = e.getBoundingClientRect(), row = e.matches("td > *") && e.closest("tr");
	if (row && at.width && getComputedStyle(row).clipPath.startsWith("inset") && at.left < row.getBoundingClientRect().left + 13 && !e.matches(".sr")) return true;
	if (!at.width || e.closest("svg, .sr, dialog, [popover]") || at.left >= -1 && at.right <= innerWidth + 1) return false;
	for (let up = e.parentElement; up; up = up.parentElement) if (getComputedStyle(up).overflowX !== "visible") return up.matches("body, html");
	return true;
}).slice(0, 3).map(e => e.tagName + "." + e.className + ": " + e.innerText?.slice(0, 40))`

// TestEveryPageIsAccessible checks every page of the console with usual, empty and
// hostile data, and its dialogs.
func TestEveryPageIsAccessible(t *testing.T) {
	empty := newAxe(t, hallpasstest.New(t))
	for _, path := range emptyPages {
		empty.open(path)
		empty.check("empty " + path)
	}
	s := hallpasstest.New(t, func(c *server.Config) { c.SMTP.Enabled = true }) // a channel may send mails
	pages := furnish(t, s)
	a := newAxe(t, s)
	for _, path := range allPages(t, pages) {
		a.open(path)
		a.check(path)
		a.fits(path, 1280, 1024, 820)
		a.do(chromedp.EmulateViewport(1440, 900))
		for _, twice := range eval[[]string](a.browser, doubled) {
			t.Errorf("%s says twice in a row: %s", path, twice)
		}
		for _, mute := range eval[[]string](a.browser, changesByKey) {
			t.Errorf("%s: %s", path, mute)
		}
	}
	account := pages["GET /org/serviceaccounts/{ref}"][0]
	a.open(account)
	a.click("#add-token")
	a.until(`document.activeElement.id === "token-name"`)
	a.check("the token dialog")
	a.click("#token-generate")
	a.shows("Service account token created")
	a.check("the secret")
	a.keys("\x1b")
	a.until(`document.querySelector("#guard-dialog")?.open`)
	a.check("the question before a secret is lost")
	a.click("#guard-close")
	a.open(account)
	a.press("a", "Disable service account")
	a.until(`document.querySelector("#confirm-dialog")?.open`)
	a.check("a question")
	a.open("/")
	a.click("[popovertarget=profile-menu]")
	a.check("the profile's menu")
	a.open("/")
	a.click("button.org")
	a.check("the organizations to switch to")
	a.open("/org/serviceaccounts")
	a.click(`.actions button[aria-label="Actions for ci"]`)
	a.check("the menu of a row")
	a.open("/")
	a.do(chromedp.EmulateViewport(390, 844))
	a.click(".menu-button")
	eval[bool](a.browser, `document.querySelector("#menu").matches(":popover-open")`)
	a.check("the menu")
	a.open("/logout")
	a.press("button", "Sign out")
	a.until("location.pathname === '/login'")
	a.check("/login")
}

// doubled finds headings that repeat another heading, or the head of the table below.
const doubled = `(() => {
	const seen = [...document.querySelectorAll("main :is(h1, h2, h3)")].map(h => h.innerText.trim());
	const tables = [...document.querySelectorAll("main table")].map(t => [t, t.querySelector("th")?.innerText.trim()])
		.filter(([t, first]) => [...document.querySelectorAll("main :is(h2, h3)")].filter(h => h.compareDocumentPosition(t) & 4).at(-1)?.innerText.trim().toLowerCase() === first?.toLowerCase());
	return [...seen.filter((h, i) => h && seen.indexOf(h) !== i), ...tables.map(([, first]) => first)];
})()`

// changesByKey finds selects and radio buttons that send a request as soon as they change.
// With the arrow keys a user passes a choice on the way to another one, and would send it.
const changesByKey = `(() => {
	const sent = [];
	let now = "";
	const note = () => sent.push(now + " sends a form when it is changed");
	document.addEventListener("submit", (e) => { e.preventDefault(); note(); }, true);
	HTMLFormElement.prototype.submit = note;
	HTMLFormElement.prototype.requestSubmit = note;
	for (const e of document.querySelectorAll("select, input[type=radio], input[type=checkbox]")) {
		now = e.outerHTML.slice(0, 80);
		e.focus();
		if (e.tagName === "SELECT") e.selectedIndex = (e.selectedIndex + 1) % e.options.length;
		else e.checked = !e.checked;
		e.dispatchEvent(new Event("input", {bubbles: true}));
		e.dispatchEvent(new Event("change", {bubbles: true}));
	}
	return sent;
})()`

// TestEveryFormTellsWhere sends every form of every page, each time with one field that
// is wrong. When the server refuses it, that field is marked, has the reason in words
// next to it, and has the focus. The other fields keep what was typed.
func TestEveryFormTellsWhere(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.SMTP.Enabled = true }) // a channel may send mails
	pages := furnish(t, s)
	b := newBrowser(t, s.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	told := 0
	for _, path := range allPages(t, pages) {
		b.open(path)
		var result struct {
			Told   int
			Faults []string
		}
		result.Faults = eval[[]string](b, wrongForms)
		result.Told = eval[int](b, `window.told`)
		told += result.Told
		for _, fault := range result.Faults {
			t.Errorf("%s: %s", path, fault)
		}
	}
	if told < 25 {
		t.Errorf("only %d refusals were seen: the forms were not found", told)
	}
	b.open("/logout")
	b.press("button", "Sign out")
	b.until("location.pathname === '/login'")
	b.fill("#user", "admin")
	b.fill("#password", "not the password")
	b.click("form button.primary")
	b.shows("Login failed")
	b.until(`document.querySelector("#user").value === "admin" && document.activeElement.id === "password" && document.activeElement.getAttribute("aria-invalid") === "true"`)
}

const wrongForms = `(async () => {
	const faults = [];
	let sent = 0; // a form that is accepted takes a name, which the next one may not have
	window.told = 0;
	const usual = { permissions: "teams:read teams:*", request: "GET /usual", headers: "X-Usual: yes", upstream: "http://127.0.0.1:9", timeout: "9s", methods: "GET", path: "/usual", action: "app:use", scope: "app:of:x", captures: "", preset: "", set: "X-T = on", split: "|", max_role: "", networks: "", calls: "", url: "https://hallpass.invalid/usual", addresses: "" };
	const bad = { select: ["nonsense"], text: ["x".repeat(5000), "a\u0007b", " "], password: ["x"] };
	for (const form of document.querySelectorAll("main form[method=post]")) {
		for (const field of form.elements) {
			if (!field.name || field.disabled || field.hidden || ["hidden", "checkbox", "radio", "submit", "date"].includes(field.type) || field.tagName === "BUTTON") continue;
			for (const value of bad[field.tagName === "SELECT" ? "select" : field.type === "password" ? "password" : "text"]) {
				const body = new URLSearchParams(new FormData(form));
				for (const other of form.elements) {
					if (other !== field && other.name && (!other.value || other.name === "request") && other.tagName !== "BUTTON" && other.type !== "hidden") body.set(other.name, other.type === "password" ? "seven quiet rivers run" : usual[other.name.replace(/-\d+$/, "")] ?? "something" + ++sent);
				}
				body.set(field.name, value);
				const what = form.getAttribute("action") + ": " + field.name + " = " + JSON.stringify(value.slice(0, 12));
				const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
				if (answer.type === "opaqueredirect" || answer.ok) continue;
				const page = new DOMParser().parseFromString(await answer.text(), "text/html");
				if (answer.status >= 500 || page.querySelector(".error-page")) {
					faults.push(what + ": " + answer.status + " " + page.querySelector("main")?.innerText);
					continue;
				}
				window.told++;
				const marked = [...page.querySelectorAll("[aria-invalid=true]")];
				const focus = page.querySelector("[autofocus]");
				const words = (focus?.getAttribute("aria-describedby") || "").split(" ").map((id) => page.getElementById(id)).filter((e) => e?.classList.contains("field-error") && e.innerText.trim());
				if ([409, 412, 422].includes(answer.status) && focus?.getAttribute("role") === "alert") continue; // the form as a whole is out of date, or was sent before
				if (marked.length !== 1 || marked[0] !== focus) faults.push(what + ": marked: " + marked.map((e) => e.name) + "; in focus: " + focus?.innerText.slice(0, 200) + focus?.outerHTML.slice(0, 90));
				else if (words.length !== 1) faults.push(what + ": nothing beside the field says why");
				else if (focus.name !== field.name && answer.status === 400 && focus.name !== "confirm") faults.push(what + ": the mark is at " + focus.name);
			}
		}
	}
	return faults;
})()`
