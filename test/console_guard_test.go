package test_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestGuardRefusalsComeLive leaves the page of a guard open: a request that is refused
// then shows there by itself, and in the chart of the last hour. The copy of a configuration keeps its lines.
func TestGuardRefusalsComeLive(t *testing.T) {
	s := hallpasstest.New(t)
	api(t, s, hallpasstest.Admin, "POST", "/api/guards", `{"name":"prom","upstream":"http://127.0.0.1:9","preset":"prometheus"}`, nil)
	b := newBrowser(t, s.URL)
	b.allowClipboard()
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/guards/prom")
	b.shows("None since this node started.", "Live")
	s.Do(hallpasstest.Bearer("glsa_wrong"), "GET", "/guard/proxy/prom/api/v1/query", "")
	b.until(`document.querySelector("#refusal-list").innerText.includes("/api/v1/query")`)
	b.until(`document.querySelector("#lately svg").getAttribute("aria-label").includes(": 1, of these 1 refused")`)
	b.click("[data-copies=setup-0]")
	b.until(`document.querySelector("[data-copies=setup-0]").title === "Copied the configuration"`)
	if text := eval[string](b, `navigator.clipboard.readText()`); text != eval[string](b, `document.querySelector("#setup-0").textContent`) {
		t.Errorf("the clipboard has %q", text)
	}
}

// TestGuardForTenants goes the whole way of "may read tenant a's logs" in the console: it
// adds a guard, writes the rule, reads the question and saves. Then a token with that
// permission reads the logs of tenant a, and of no other.
func TestGuardForTenants(t *testing.T) {
	loki := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "logs of %s", r.Header.Get("X-Scope-OrgID")) // a client that went away is no news
	}))
	defer loki.Close()
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/guards")
	b.press("a", "Add guard")
	b.until(`document.activeElement.id === "guard-name"`)
	b.keys("loki")
	b.fill("#guard-upstream", loki.URL)
	b.fill("#methods-1", "GET, POST")
	b.fill("#path-1", "/loki/api/v1/query")
	b.fill("#action-1", "loki:read")
	b.fill("#scope-1", "loki:tenants:{tenant}")
	b.press("summary", "Values from headers, and headers for the API")
	b.fill("#captures-1", "tenant = header:X-Scope-OrgID")
	b.fill("#set-1", "X-Scope-OrgID = {tenant}")
	b.press("button", "Add guard")
	b.yes("GET, POST /loki/api/v1/query", "refused", "needs the permission loki:read on loki:tenants:{tenant}", "{tenant} is the header X-Scope-OrgID", "Only Admins hold loki:read")
	b.until(`location.pathname === "/guards/loki"`)
	b.shows("The guard loki is there, on every node.")
	if row := eval[string](b, `document.querySelector("table.rules tbody tr").innerText`); !strings.Contains(row, "/loki/api/v1/query") || !strings.Contains(row, "loki:read on loki:tenants:{tenant}") {
		t.Errorf("the first rule reads %q", row)
	}

	var made struct {
		ID  int64
		Key string
	}
	api(t, s, hallpasstest.Admin, "POST", "/api/access-control/roles", `{"uid":"a","name":"logs of a","permissions":[{"action":"loki:read","scope":"loki:tenants:a"}]}`, nil)
	api(t, s, hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"dash","role":"None"}`, &made)
	api(t, s, hallpasstest.Admin, "POST", fmt.Sprintf("/api/access-control/users/%d/roles", made.ID), `{"roleUid":"a"}`, nil)
	api(t, s, hallpasstest.Admin, "POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", made.ID), `{"name":"t"}`, &made)
	for tenant, want := range map[string]int{"a": 200, "b": 403, "a|b": 403, "*": 403} {
		r := s.Do(hallpasstest.Bearer(made.Key), "GET", "/guard/proxy/loki/loki/api/v1/query", "", "X-Scope-OrgID: "+tenant)
		if r.StatusCode != want || want == 200 && r.Text != "logs of a" {
			t.Errorf("tenant %s: %d %s", tenant, r.StatusCode, r.Text)
		}
	}
}

// TestGuardRulesByKeyboard edits the rules of a guard with the keyboard alone. The buttons
// that arrange rules change the form in place, and the focus goes on from there.
func TestGuardRulesByKeyboard(t *testing.T) {
	s := hallpasstest.New(t)
	api(t, s, hallpasstest.Admin, "POST", "/api/guards", `{"name":"app","rules":[{"path":"/a","public":true}]}`, nil)
	b := newBrowser(t, s.URL)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/guards/app")
	tabTo := func(what string) {
		t.Helper()
		for range 100 {
			if eval[bool](b, `document.activeElement.matches(`+quote(what)+`)`) {
				return
			}
			b.keys(kb.Tab)
		}
		t.Fatalf("Tab does not come to %s", what)
	}
	tabTo(`a[href="/guards/app/edit"]`)
	b.keys(kb.Enter)
	b.until(`location.pathname === "/guards/app/edit" && document.readyState === "complete"`)
	eval[bool](b, `window.stays = true`)
	tabTo("#add-rule")
	b.keys(kb.Enter)
	b.until(`document.activeElement.id === "methods-2"`)
	b.keys("GET" + kb.Tab + "/b")
	tabTo("#need-2")
	b.keys(kb.ArrowDown)
	b.until(`document.querySelector("#role-2").checkVisibility() && !document.querySelector("#action-2").checkVisibility()`)
	tabTo("#role-2")
	b.keys("At least E")
	tabTo("#path-2")
	b.keys(kb.Enter) // in a field it saves
	b.until(`document.querySelector("#confirm-dialog")?.open`)
	b.shows("GET /b", "needs the role Editor or a higher one")
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#confirm-dialog")`)
	tabTo("#up-2")
	b.keys(kb.Enter)
	b.until(`document.activeElement.id === "remove-1" && document.querySelector("#path-1").value === "/b"`)
	if said := eval[string](b, `document.querySelector("form [role=status]").textContent`); said != "Rule 2 is rule 1 now." {
		t.Errorf("it is said %q", said)
	}
	if !eval[bool](b, `window.stays === true`) {
		t.Error("a button that arranges rules has left the page")
	}
	tabTo("button.primary")
	b.keys(kb.Enter)
	b.until(`document.querySelector("#confirm-dialog")?.open`)
	tabTo("#confirm-yes")
	b.keys(kb.Enter)
	b.until(`location.pathname === "/guards/app"`)
	b.shows("The guard app is changed, on every node.", "At least the role Editor")
}
