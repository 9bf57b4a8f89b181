package console_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
)

var menuLink = regexp.MustCompile(`<li><a href="([^"]+)"([^>]*)>`)

// menuOf returns the addresses of the page's menu, and the one that is marked as the
// page's own.
func menuOf(p page) (links []string, here string) {
	_, menu, _ := strings.Cut(p.text, `<ul class="nav">`)
	menu, _, _ = strings.Cut(menu, "</nav>")
	for _, m := range menuLink.FindAllStringSubmatch(menu, -1) {
		links = append(links, m[1])
		if strings.Contains(m[2], "aria-current") {
			here += m[1]
		}
	}
	return links, here
}

// TestMenu opens every page of the menu as a server admin and as a Viewer: it is the
// viewer's to see, and the menu marks it.
func TestMenu(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("vera", hallpass.RoleViewer)
	want := map[string][]string{
		"admin": {"/", "/org/tokens", "/guards", "/dashboards", "/admin", "/admin/access", "/org/serviceaccounts", "/admin/users", "/org/teams", "/admin/roles", "/admin/audit", "/org/notices", "/admin/nodes", "/admin/orgs"},
		"vera":  {"/", "/dashboards"},
	}
	for who, password := range map[string]string{"admin": hallpasstest.AdminPassword, "vera": hallpasstest.UserPassword} {
		b := signedIn(t, s, who, password)
		links, _ := menuOf(b.get("/"))
		for _, link := range want[who] {
			if !slices.Contains(links, link) {
				t.Errorf("the menu of %s has %v, not %s", who, links, link)
			}
		}
		for _, link := range links {
			p := b.get(link)
			if _, here := menuOf(p); p.status != http.StatusOK || here != link {
				t.Errorf("%s of %s: %d, and the menu marks %q", link, who, p.status, here)
			}
		}
		if who == "vera" && len(links) != len(want[who]) {
			t.Errorf("the menu of a Viewer has %v", links)
		}
	}
}

// TestOrgBesideErrors has the page about an error keep the org in the menu. Who does not see
// the org has no place for it.
func TestOrgBesideErrors(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("vera", hallpass.RoleViewer)
	s.User("nora", hallpass.RoleNone)
	some := 0
	for who, password := range map[string]string{"admin": hallpasstest.AdminPassword, "vera": hallpasstest.UserPassword, "nora": hallpasstest.UserPassword} {
		b := signedIn(t, s, who, password)
		usual, failed := b.get("/profile"), b.get("/nosuch")
		if failed.status != http.StatusNotFound {
			t.Fatalf("%s: %d", who, failed.status)
		}
		n := strings.Count(usual.text, ` class="org"`)
		if got := strings.Count(failed.text, ` class="org"`); got != n {
			t.Errorf("%s has %d places of an org on a page, and %d beside an error", who, n, got)
		}
		some += n
	}
	if some == 0 {
		t.Error("nobody sees an org")
	}
}

func TestNodesBadge(t *testing.T) {
	peers := func(states ...node.State) (list []node.Peer) {
		for _, s := range states {
			list = append(list, node.Peer{State: s})
		}
		return list
	}
	got := []string{}
	for _, list := range [][]node.Peer{peers(node.Live), peers(node.Live, node.Live, node.Live), peers(node.Live, node.Silent), peers(node.Diverged)} {
		b := console.NodesBadge(list)
		got = append(got, b.Class+": "+b.Text)
	}
	if diff := cmp.Diff([]string{"good: 1 node live", "good: 3 nodes agree", "warn: 1 of 2 nodes live", "warn: 0 of 1 node live"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"admin": "A", "Ana Keller": "AK", "anna maria ünal": "AÜ", "somebody@example.com": "SC", `"><img src=x>`: "IX", "李 小龍": "李小", " . ": "?", "": "?",
	} {
		if got := console.Initials(name); got != want {
			t.Errorf("%q has the initials %q, want %q", name, got, want)
		}
	}
}
