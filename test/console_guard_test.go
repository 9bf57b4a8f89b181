package test_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestGuardRefusalsComeLive leaves the page of a guard open: a request that is refused
// then shows there by itself. The copy of a configuration keeps its lines.
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
	b.click("[data-copies=setup-0]")
	b.until(`document.querySelector("[data-copies=setup-0]").title === "Copied the configuration"`)
	if text := eval[string](b, `navigator.clipboard.readText()`); text != eval[string](b, `document.querySelector("#setup-0").textContent`) {
		t.Errorf("the clipboard has %q", text)
	}
}
