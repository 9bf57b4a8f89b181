package test_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestCreateWithRolesByKeyboard creates an account with a role in addition to its basic
// role, with the keyboard alone.
func TestCreateWithRolesByKeyboard(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/org/serviceaccounts/create")
	b.until(`document.activeElement.id === "name"`)
	b.keys("ci")
	b.tabTo(".more-roles > summary")
	b.keys(kb.Enter)
	b.until(`document.querySelector(".more-roles").open`)
	b.tabTo("#picker-search")
	b.keys("serviceaccounts:read")
	b.until(`document.querySelector("#picker-count").textContent.includes("role")`)
	b.keys(kb.Enter)                                             // filters, and sends nothing
	const reader = `[value="fixed_QFjJAZ88iawMLInYOxPA1DB1w6I"]` // service accounts: reader
	b.tabTo(reader)
	b.keys(" ")
	b.until(`document.querySelector("#picker-count").textContent === "1 chosen"`)
	b.tabTo("form .button.primary")
	b.keys(kb.Enter)
	b.shows("Service account ci created.", "Service accounts: Reader")
}

// TestPhone opens the pages about people, roles and access on a phone. No page is wider
// than the screen.
func TestPhone(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("somebody.with.a.quite.long.login@accounting.example.com", hallpass.RoleEditor)
	var team struct{ UID string }
	api(t, s, hallpasstest.Admin, "POST", "/api/teams", `{"name":"Payments-and-settlement-and-everything-else-that-has-to-do-with-money","email":"payments.and.settlement@accounting.example.com"}`, &team)
	api(t, s, hallpasstest.Admin, "POST", "/api/orgs", `{"name":"Shop"}`, nil)
	api(t, s, hallpasstest.Admin, "POST", "/api/folders", `{"uid":"shop","title":"Shop"}`, nil)
	api(t, s, hallpasstest.Admin, "POST", "/api/folders", `{"uid":"checkout","title":"Checkout","parentUid":"shop"}`, nil)
	api(t, s, hallpasstest.Admin, "POST", "/api/access-control/roles", `{"uid":"metrics","name":"metrics:reader-of-the-checkout-and-of-nothing-else-at-all","permissions":[{"action":"prometheus:query","scope":"tenants:name:a-tenant-whose-name-is-long-and-has-no-blank"}]}`, nil)
	account := newAccount(t, s, "ci")
	b := newBrowser(t, s.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.do(chromedp.EmulateViewport(390, 844))
	for _, path := range []string{
		"/admin", "/admin/access", "/admin/users", "/admin/users/2", "/admin/users/create", "/admin/users/2/delete", "/admin/users/2/roles", "/org/users",
		"/org/teams", "/org/teams/1", "/org/teams/1/roles", "/org/teams/1/delete", "/admin/orgs", "/admin/orgs/2/delete",
		"/admin/roles", "/admin/roles?view=matrix", "/admin/roles/metrics", "/admin/roles/metrics/edit", "/admin/create/role",
		"/dashboards", "/dashboards/permissions/checkout", "/org/serviceaccounts/create", account, account + "/roles", account + "/permissions", account + "/access",
	} {
		b.open(path)
		b.until(`document.readyState === "complete" && document.querySelector("h1")`)
		if status := eval[string](b, `document.querySelector("main").innerText`); eval[bool](b, `Boolean(document.querySelector(".error-page"))`) {
			t.Errorf("%s: %s", path, status)
		}
		if width := eval[int](b, `document.documentElement.scrollWidth`); width > 390 {
			t.Errorf("%s is %d pixels wide", path, width)
		}
	}
}
