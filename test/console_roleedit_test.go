package test_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestRoleEditorByKeyboard changes a role with the keyboard alone: it finds an action by what
// it does, chooses a folder by its name, takes another permission away, reads what changes,
// and answers the question.
func TestRoleEditorByKeyboard(t *testing.T) {
	s := hallpasstest.New(t)
	do := func(method, path, body string) {
		t.Helper()
		api(t, s, hallpasstest.Admin, method, path, body, nil)
	}
	do("POST", "/api/folders", `{"uid":"shop","title":"Shop"}`)
	do("POST", "/api/folders", `{"uid":"archive","title":`+quote(hostileName)+`}`)
	do("POST", "/api/access-control/roles", `{"uid":"writer","name":"writer","displayName":"Dashboard writer","permissions":[{"action":"dashboards:write","scope":"folders:uid:archive"},{"action":"teams:read","scope":"teams:*"}]}`)
	b := newBrowser(t, s.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/admin/roles/writer/edit")
	b.tabTo("#role-seek")
	b.keys("edit dash")
	b.until(`[...document.querySelectorAll("#role-found button.opt")].some((e) => e.textContent.includes("dashboards.permissions:write"))`)
	b.keys("boards")
	b.until(`document.querySelector("#role-seek").dataset.shown === "edit dashboards"`)
	b.keys(kb.ArrowDown)
	b.until(`document.activeElement === document.querySelector("#role-found button.opt")`)
	b.keys(kb.Escape)
	b.until(`document.activeElement.id === "role-seek"`)
	b.until(`document.querySelector("#role-found .opt.off small").textContent === "The role has it."`)
	b.fill("#role-seek", "create dashb")
	b.keys(kb.Enter) // takes the first
	b.until(`document.activeElement.id === "role-find"`)
	b.until(`document.querySelector("[role=status]").textContent.includes("dashboards:create added")`)
	b.keys("Sho")
	b.until(`document.querySelectorAll("#role-things button.opt").length === 1`)
	b.keys(kb.Enter)
	b.until(`[...document.querySelectorAll(".perms .added .tag")].some((e) => e.title === "folders:uid:shop" && e.textContent.includes("Shop"))`)
	b.until(`document.querySelector(".diff .plus").textContent.includes("Create dashboards (only the folder Shop and what is in it)")`)
	b.tabTo(`[aria-label="Remove Read teams"]`)
	b.keys(kb.Enter)
	b.until(`document.querySelector("#role-sum").textContent === "1 added, 1 taken away" && document.querySelector(".diff .minus").textContent.includes("Read teams")`)
	b.tabTo(".save-bar .button.primary")
	b.keys(kb.Enter)
	b.until(`document.querySelector("#confirm-dialog")?.open`)
	b.shows("Create dashboards (only the folder Shop and what is in it).", "dashboards:create folders:uid:shop", "Nobody has it in this organization.")
	b.tabTo("#confirm-yes")
	b.keys(kb.Enter)
	b.shows("The role Dashboard writer is changed.", "dashboards:create")
	if text := eval[string](b, `document.querySelector("main").innerText`); strings.Contains(text, "teams:read") {
		t.Errorf("teams:read is still there: %s", text)
	}
}

// TestLongRoleIsEdited opens a role of 200 permissions: its rows are filtered on the page, an
// action with many scopes shows few of them, and a row in the middle is removed.
func TestLongRoleIsEdited(t *testing.T) {
	s := hallpasstest.New(t)
	var list []string
	for i := range 60 {
		list = append(list, fmt.Sprintf(`{"action":"app%d:use"},{"action":"app%d:read","scope":"app:of:%d"}`, i, i, i))
	}
	for i := range 80 {
		list = append(list, fmt.Sprintf(`{"action":"loki:read","scope":"loki:tenants:t%d"}`, i))
	}
	api(t, s, hallpasstest.Admin, "POST", "/api/access-control/roles", `{"uid":"long","name":"long","permissions":[`+strings.Join(list, ",")+`]}`, nil)
	b := newBrowser(t, s.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/admin/roles/long/edit")
	b.until(`document.querySelector("#role-rows .n").textContent === "200" && document.querySelectorAll("[data-row]").length === 121`)
	b.until(`[...document.querySelectorAll("summary")].some((e) => e.textContent === "74 more")`)
	b.fill("#role-filter", "app31")
	b.until(`[...document.querySelectorAll("[data-row]")].filter((e) => e.checkVisibility()).length === 2`)
	b.click(`[aria-label="Remove app31:use"]`)
	b.until(`document.querySelector("#role-rows .n").textContent === "199" && document.querySelector(".diff .minus").textContent.includes("app31")`)
	b.fill("#role-filter", "loki")
	b.until(`[...document.querySelectorAll("[data-row]")].filter((e) => e.checkVisibility()).length === 1`)
}

// TestRoleEditorIsAccessible checks the editor of a role while it is used: with what a search
// found, with the things that an action can be on, and with what changes.
func TestRoleEditorIsAccessible(t *testing.T) {
	s := hallpasstest.New(t)
	api(t, s, hallpasstest.Admin, "POST", "/api/folders", `{"uid":"shop","title":`+quote(hostileName)+`}`, nil)
	api(t, s, hallpasstest.Admin, "POST", "/api/access-control/roles", `{"uid":"crew","name":"crew","permissions":[{"action":"dashboards:write","scope":"folders:uid:shop"},{"action":"teams:read","scope":"teams:*"},{"action":"dashbord:read"}]}`, nil)
	a := newAxe(t, s)
	a.open("/admin/roles/crew/edit")
	a.click(`[aria-label="Remove Read teams"]`)
	a.until(`document.querySelector(".diff .minus")`)
	a.fill("#role-seek", "perm")
	a.until(`document.querySelector("#role-found button.opt")`)
	a.check("what a search found")
	a.click(`[aria-label="Add a scope to Change dashboards"]`)
	a.until(`document.activeElement.id === "role-find"`)
	a.check("what an action can be on")
}
