package console_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var (
	listedName = regexp.MustCompile(`(?s)<tr data-token-id="\d+"[^>]*>.*?<span class="name">(.*?)</span>`)
	tallyLink  = regexp.MustCompile(`<li><a href="([^"]+)"><b[^>]*>(\d+)</b><span>([^<]*)</span></a></li>`)
	viewLink   = regexp.MustCompile(`<a href="([^"]+)"(?: aria-current="true")?>([^<]*) <span class="n[^"]*">(\d+)</span></a>`)
	todoRow    = regexp.MustCompile(`<li>\s*<div><p>`)
	nextPage   = regexp.MustCompile(`href="([^"]+)" rel="next"`)
)

// tokensIn returns the names of the tokens on a page of the list, in their order.
func tokensIn(p page) (names []string) {
	for _, m := range listedName.FindAllStringSubmatch(p.text, -1) {
		names = append(names, html.UnescapeString(m[1]))
	}
	return names
}

// TestTokenList asks the list of all tokens by its address: what it shows, in which order,
// and that the table for programs has the same.
func TestTokenList(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("an empty server", b.get("/org/tokens"), 200, "No tokens yet")
	furnishAccounts(t, s, b)
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"", []string{"ending-3", "paused", "ending-60", "never-ends"}},
		{"sort=-end", []string{"never-ends", "ending-60", "paused", "ending-3"}},
		{"sort=name", []string{"ending-3", "ending-60", "never-ends", "paused"}},
		{"sort=-name&ends=30", []string{"paused", "ending-3"}},
		{"sort=x&filter=x&todo=x&after=x&ends=8", []string{"ending-3", "paused", "ending-60", "never-ends"}},
		{"ends=7", []string{"ending-3"}},
		{"filter=ending", []string{"ending-3"}},
		{"filter=never-ending", []string{"never-ends"}},
		{"filter=unused", []string{"ending-3", "paused", "ending-60", "never-ends"}},
		{"filter=stale", nil},
		{"filter=paused", []string{"paused"}},
		{"filter=blocked", nil},
		{"filter=ended", []string{"ended"}},
		{"owner=platform", []string{"ending-60"}},
		{"todo=never-ends", []string{"never-ends"}},
		{"todo=above-limit", nil},
		{"query=END&filter=ended", []string{"ended"}},
	} {
		p := b.get("/org/tokens?" + tt.query)
		if diff := cmp.Diff(tt.want, tokensIn(p)); diff != "" || p.status != 200 {
			t.Errorf("?%s: %d (-want +got):\n%s", tt.query, p.status, diff)
		}
		lines, err := csv.NewReader(strings.NewReader(b.get("/org/tokens.csv?" + tt.query).text)).ReadAll()
		var names []string
		for _, line := range lines[min(1, len(lines)):] {
			names = append(names, line[1])
		}
		if diff := cmp.Diff(tt.want, names); diff != "" || err != nil {
			t.Errorf("the table of ?%s: %v (-want +got):\n%s", tt.query, err, diff)
		}
	}
	b.want("a row", b.get("/org/tokens?ends=7&owner=Platform"), 200, `href="/org/tokens.csv?ends=7&owner=Platform"`, "Ends within 7 days", "Owner: Platform", `href="/org/tokens?owner=Platform"`, "/rotate")
	b.want("what needs doing", b.get("/org/tokens?todo=never-ends"), 200, "As Home counts them")
	b.want("what needs doing and ends", b.get("/org/tokens?todo=never-ends&ends=30"), 200, "No token matches this filter", `href="/org/tokens?ends=30" aria-label="Never ends: show all tokens"`)
	s.User("vera", hallpass.RoleViewer)
	vera := signedIn(t, s, "vera", hallpasstest.UserPassword)
	for _, path := range []string{"/org/tokens", "/org/tokens.csv", "/org/serviceaccounts.csv"} {
		vera.want(path, vera.get(path), 403, "serviceaccounts:read")
	}
}

// TestAccountTable compares the table of accounts for programs with the list at the same
// address.
func TestAccountTable(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	furnishAccounts(t, s, b)
	for _, query := range []string{"", "sort=-name", "filter=blocked", "ends=30&owner=platform", "query=nothing", "page=2"} {
		p := b.get("/org/serviceaccounts?" + query)
		link := regexp.MustCompile(`id="csv" href="([^"]+)"`).FindStringSubmatch(p.text)
		if link == nil {
			t.Fatalf("?%s: no link to the table", query)
		}
		lines, err := csv.NewReader(strings.NewReader(b.get(html.UnescapeString(link[1])).text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, line := range lines[1:] {
			names = append(names, line[2])
		}
		want := accountsIn(p)
		if query == "page=2" { // the table has all pages
			want = accountsIn(b.get("/org/serviceaccounts"))
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("the table of ?%s (-want +got):\n%s", query, diff)
		}
	}
}

// TestNumbersAreRows compares each number of Home and of the views of both lists with the
// rows behind its link.
func TestNumbersAreRows(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	furnishAccounts(t, s, b)
	furnishTokens(t, s, b)
	b = signedIn(t, s, "admin", hallpasstest.AdminPassword)
	var home page
	hallpasstest.Eventually(t, "home to show what fails", func() bool {
		home = b.get("/")
		return strings.Contains(home.text, "failing now")
	})
	sections := 0
	for _, m := range tallyLink.FindAllStringSubmatch(home.text, -1) {
		sections++
		if got := b.rowsBehind(m[1]); m[2] != strconv.Itoa(got) {
			t.Errorf("Home says %s %s, and %s has %d rows", m[2], m[3], m[1], got)
		}
	}
	if sections < 4 {
		t.Errorf("Home has %d numbers: %s", sections, plain(home.text))
	}
	counted := regexp.MustCompile(`<a href="(/org/serviceaccounts)">(\d+) service accounts</a>`).FindStringSubmatch(home.text)
	if counted == nil || counted[2] != strconv.Itoa(b.rowsBehind(counted[1])) {
		t.Errorf("Home counts the accounts as %v", counted)
	}
	for _, list := range []string{"/org/tokens", "/org/tokens?query=s&ends=30", "/org/serviceaccounts"} {
		views := viewLink.FindAllStringSubmatch(b.get(list).text, -1)
		if len(views) < 9 {
			t.Errorf("%s has the views %q", list, views)
		}
		for _, m := range views {
			if got := b.rowsBehind(m[1]); m[3] != strconv.Itoa(got) {
				t.Errorf("%s says %s %s, and %s has %d rows", list, m[2], m[3], m[1], got)
			}
		}
	}
}

// rowsBehind counts the rows of a list on all its pages.
func (b *browser) rowsBehind(link string) (n int) {
	b.t.Helper()
	for link != "" {
		p := b.get(html.UnescapeString(link))
		b.want(link, p, 200)
		n += len(tokensIn(p)) + len(todoRow.FindAllString(p.text, -1))
		if strings.HasPrefix(link, "/org/serviceaccounts") {
			n += len(accountsIn(p))
		}
		link = ""
		if m := nextPage.FindStringSubmatch(p.text); m != nil {
			link = m[1]
		}
	}
	return n
}

// furnishTokens makes tokens that need somebody, more of one kind than a page has, and puts
// one of them off.
func furnishTokens(t *testing.T, s *hallpasstest.Server, b *browser) {
	t.Helper()
	b.create("fleet", "Editor")
	fleet, _ := hallpass.ParseID(idOf(t, s, "fleet"))
	api := fmt.Sprintf("/api/serviceaccounts/%d/tokens", fleet)
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		var failed error
		for i := range 55 {
			k := hallpass.Token{Org: hallpass.FirstOrg, ServiceAccount: hallpass.ServiceAccountID(fleet), Name: fmt.Sprint("robot-", i), Hash: [32]byte{byte(i + 1)}, LastFour: "ab12", CreatedAt: s.Clock.Now(), ExpiresAt: s.Clock.Now().AddDate(0, 0, 20+i)}
			_, err := tx.CreateToken(k)
			failed = errors.Join(failed, err)
		}
		return failed
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Do(hallpasstest.Admin, "POST", api, `{"name":"always"}`)
	s.Do(hallpasstest.Admin, "POST", api, `{"name":"moves","secondsToLive":2592000}`)
	tried := tokenOf(t, s, "no-tokens")
	s.Do(hallpasstest.Bearer(tried), "GET", "/api/org", "")
	s.Clock.Wind(8 * 24 * time.Hour)
	var off string
	for _, m := range regexp.MustCompile(`"id":(\d+),"name":"(moves|always|of no-tokens)"`).FindAllStringSubmatch(s.Do(hallpasstest.Admin, "GET", "/api/tokens?limit=1000", "").Text, -1) {
		switch m[2] {
		case "moves":
			s.Do(hallpasstest.Admin, "POST", api+"/"+m[1]+"/rotate", `{"graceSeconds":3600}`)
		case "always":
			off = m[1]
		default:
			s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+idOf(t, s, "no-tokens")+"/tokens/"+m[1], `{"paused":true}`)
		}
	}
	if r := s.Do(hallpasstest.Admin, "PUT", "/api/attention/never-ends/token:"+off+"/snooze", `{"reason":"later"}`); r.StatusCode != 200 {
		t.Fatal(r.StatusCode, r.Text)
	}
	s.Do(hallpasstest.Bearer(tried), "GET", "/api/org", "")
}

// TestStatesHaveOneWord compares what the console calls the states of tokens, and the views
// that are states, with the table of words.
func TestStatesHaveOneWord(t *testing.T) {
	for _, state := range hallpass.TokenStates() {
		if got := strings.ToLower(console.TokenBadge(state)); got != state.Words() {
			t.Errorf("a token that is %s stands as %q, want %q", state, got, state.Words())
		}
		if slices.Contains(hallpass.TokenViews(), hallpass.TokenView(state)) {
			if got := strings.ToLower(console.TokenViewLabel(hallpass.TokenView(state))); got != state.Word() {
				t.Errorf("the view of tokens that are %s is called %q, want %q", state, got, state.Word())
			}
		}
	}
	for _, view := range hallpass.TokenViews() {
		if label := console.TokenViewLabel(view); label == "" || strings.ToLower(label) == string(view) && !slices.Contains(hallpass.TokenStates(), hallpass.TokenState(view)) && view != hallpass.CurrentTokens && view != hallpass.EndedTokens {
			t.Errorf("the view %s has no words: %q", view, label)
		}
	}
}
