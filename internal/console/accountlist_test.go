package console_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var accountName = regexp.MustCompile(`<span class="name">(.*?)</span></a>`)

// accountsIn returns the names of the accounts on a page of the list, in their order.
func accountsIn(p page) (names []string) {
	for _, m := range accountName.FindAllStringSubmatch(p.text, -1) {
		names = append(names, html.UnescapeString(m[1]))
	}
	return names
}

// furnishAccounts makes accounts that differ in what the views of the list ask.
func furnishAccounts(t *testing.T, s *hallpasstest.Server, b *browser) {
	t.Helper()
	owner := map[string]string{"ending-3": "Platform", "ending-60": "platform", "never-ends": "Infra & Co", "paused": "Infra & Co"}
	token := func(account, name string, seconds int) {
		t.Helper()
		r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+idOf(t, s, account)+"/tokens", fmt.Sprintf(`{"name":%q,"secondsToLive":%d}`, name, seconds))
		if r.StatusCode != 200 {
			t.Fatal(r.StatusCode, r.Text)
		}
	}
	const day = 24 * 60 * 60
	for name, days := range map[string]int{"ending-3": 3, "ending-60": 60, "never-ends": 0, "ended": 1, "paused": 30, "no-tokens": -1} {
		b.create(name, "Viewer")
		if days >= 0 {
			token(name, name, days*day)
		}
	}
	s.Clock.Wind(2 * 24 * time.Hour)
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		list, err := tx.AccountsAmong(hallpass.FirstOrg, nil)
		if err != nil {
			return err
		}
		for _, a := range list {
			a.Owner = owner[a.Name]
			if err := tx.UpdateServiceAccount(a); err != nil {
				return err
			}
			tokens, err := tx.Tokens(hallpass.FirstOrg, a.ID)
			if err != nil {
				return err
			}
			for _, k := range tokens {
				if k.Name == "paused" {
					k.Pause = hallpass.Pause{Since: s.Clock.Now()}
				}
				if err := tx.UpdateToken(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestListAnswers asks the list by its address: what it shows, in which order, and how
// many there are in each view.
func TestListAnswers(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	furnishAccounts(t, s, b)
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"", []string{"ended", "ending-3", "paused", "ending-60", "never-ends", "no-tokens"}},
		{"sort=-end", []string{"no-tokens", "never-ends", "ending-60", "paused", "ending-3", "ended"}},
		{"sort=name", []string{"ended", "ending-3", "ending-60", "never-ends", "no-tokens", "paused"}},
		{"sort=-name", []string{"paused", "no-tokens", "never-ends", "ending-60", "ending-3", "ended"}},
		{"sort=owner", []string{"never-ends", "paused", "ending-3", "ending-60", "ended", "no-tokens"}},
		{"sort=nonsense&filter=nonsense", []string{"ended", "ending-3", "paused", "ending-60", "never-ends", "no-tokens"}},
		{"filter=ending", []string{"ending-3"}},
		{"ends=7", []string{"ending-3"}},
		{"ends=30", []string{"ending-3", "paused"}},
		{"ends=31&filter=never-ending", []string{"never-ends"}},
		{"ends=30&filter=blocked&sort=-end", []string{"paused"}},
		{"filter=never-ending", []string{"never-ends"}},
		{"filter=unused", []string{"ending-3", "paused", "ending-60", "never-ends"}},
		{"filter=stale", nil},
		{"filter=blocked", []string{"paused"}},
		{"filter=unowned", []string{"ended", "no-tokens"}},
		{"filter=expired", []string{"ended"}},
		{"owner=PLATFORM", []string{"ending-3", "ending-60"}},
		{"owner=" + url.QueryEscape("Infra & Co") + "&filter=blocked", []string{"paused"}},
		{"query=ENDING&sort=-name", []string{"ending-60", "ending-3"}},
	} {
		if diff := cmp.Diff(tt.want, accountsIn(b.get("/org/serviceaccounts?"+tt.query))); diff != "" {
			t.Errorf("?%s (-want +got):\n%s", tt.query, diff)
		}
	}
	p := b.get("/org/serviceaccounts?query=ending")
	b.want("the views with what was typed", p, 200, `href="/org/serviceaccounts?filter=ending&query=ending"`, `Ends in 14 days <span class="n warn">1</span>`, `All <span class="n">2</span>`)
	b.want("the sorted column", b.get("/org/serviceaccounts?sort=-used"), 200, `aria-sort="ascending"><a class="sort" href="/org/serviceaccounts?sort=used"`, `aria-current="true">Last used`)
	b.want("the owner of the list", b.get("/org/serviceaccounts?owner=Platform&sort=name"), 200, `Owner: Platform`, `href="/org/serviceaccounts?sort=name"`)
	b.want("states", b.get("/org/serviceaccounts"), 200, `<span class="dot warn"></span>1 paused`, `<span class="dot good"></span>1 live`, `<span class="dot"></span>1 ended`, `href="/org/serviceaccounts?owner=Infra+%26+Co"`)
}

// TestEndOfAPair replaces a token. The one that is replaced ends by itself: the list and its
// filters go by the new one's end, and so do the tokens of the account.
func TestEndOfAPair(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Viewer")
	api := "/api/serviceaccounts/" + idOf(t, s, "ci") + "/tokens"
	for _, body := range []string{`{"name":"moves","secondsToLive":2592000}`, `{"name":"goes","secondsToLive":259200}`} {
		s.Do(hallpasstest.Admin, "POST", api, body)
	}
	s.Do(hallpasstest.Admin, "POST", api+"/1/rotate", `{"graceSeconds":3600}`)
	b.want("its history", b.get(path+"/tokens/1"), 200, `rotated it: <a href="`+path+`/tokens/3" title="token token:3">moves …`, "</a> replaces it, and it ends by ")
	b.want("that of the new one", b.get(path+"/tokens/3"), 200, `made it: it replaces <a href="`+path+`/tokens/1"`)
	b.want("the list", b.get("/org/serviceaccounts?ends=7"), 200, "in 3 days", `href="`+path+`?ends=7"`, "Ends within 7 days")
	week := b.get(path + "?ends=7")
	b.want("the tokens that end this week", week, 200, ">goes<", "Ends within 7 days")
	if strings.Contains(week.text, ">moves<") {
		t.Error("a pair is among the tokens that end this week")
	}
	b.want("the table alone", b.get(path+"/tokens?ends=30"), 200, ">goes<", ">moves<")
	s.Do(hallpasstest.Admin, "DELETE", api+"/2", "")
	b.want("without the other", b.get("/org/serviceaccounts"), 200, "in 30 days")
	if p := b.get("/org/serviceaccounts?ends=7"); len(accountsIn(p)) != 0 {
		t.Errorf("the list has what ends this week: %v", accountsIn(p))
	}
	b.want("no token", b.get(path+"?ends=7"), 200, "No token ends within 7 days")
}

// TestBulkDisable chooses several accounts: one question names each of them, before and
// after, and who uses them. Who may not change one of them changes none.
func TestBulkDisable(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for _, name := range []string{"one", "two", "three", "four"} {
		b.create(name, "Viewer")
	}
	token := tokenOf(t, s, "one")
	s.Do(hallpasstest.Bearer(token), "GET", "/api/org", "", "User-Agent: curl/8.5.0")
	s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+idOf(t, s, "three"), `{"isDisabled":true}`)
	hallpasstest.Eventually(t, "the use to be stored", func() bool {
		return strings.Contains(b.get("/org/serviceaccounts").text, "curl/8.5.0")
	})
	form := []string{"do", "disable", "back", "/org/serviceaccounts?sort=name"}
	for _, name := range []string{"one", "two", "three"} {
		form = append(form, "account", idOf(t, s, name))
	}
	question := b.post("/org/serviceaccounts", form...)
	b.want("the question", question, 200, "Disable 2 service accounts", "enabled, 1 live", "enabled, no tokens", "“one” was last used", "127.0.0.1 by curl/8.5.0")
	if strings.Contains(question.text, "three") {
		t.Error("the question names an account that is disabled already")
	}
	if p := b.yes(question); p.status != 303 || p.to != "/org/serviceaccounts?sort=name" {
		t.Errorf("the answer: %d to %q", p.status, p.to)
	}
	b.want("what was done", b.get("/org/serviceaccounts?sort=name"), 200, "2 service accounts disabled: the tokens are refused.")
	if got, want := accountsIn(b.get("/org/serviceaccounts?filter=disabled&sort=name")), []string{"one", "three", "two"}; !slices.Equal(got, want) {
		t.Errorf("%q are disabled, want %q", got, want)
	}
	b.want("done already", b.post("/org/serviceaccounts", form...), 303)
	b.want("nothing chosen", b.post("/org/serviceaccounts", "do", "disable"), 400, "Choose at least one account")
	b.want("no such change", b.post("/org/serviceaccounts", "do", "explode", "account", idOf(t, s, "four")), 400, "There is no such change")
	b.want("no such account", b.post("/org/serviceaccounts", "do", "disable", "account", "9999"), 404)
	s.User("ed", hallpass.RoleEditor)
	other := signedIn(t, s, "ed", hallpasstest.UserPassword)
	other.want("without the permission", other.post("/org/serviceaccounts", "do", "disable", "account", idOf(t, s, "four")), 403, "serviceaccounts:write")
}

// TestBulkPause pauses the tokens of several accounts with one question. Those that do
// not work already stay as they are, and after the time all work again.
func TestBulkPause(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	var keys []string
	form := []string{"do", "pause-15"}
	for _, name := range []string{"one", "two", "empty-one"} {
		b.create(name, "Viewer")
		form = append(form, "account", idOf(t, s, name))
		if name != "empty-one" {
			keys = append(keys, tokenOf(t, s, name))
		}
	}
	status := func() (list []int) {
		for _, key := range keys {
			list = append(list, s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "").StatusCode)
		}
		return list
	}
	b.get("/org/serviceaccounts") // which tells of the account that was made last
	question := b.post("/org/serviceaccounts", form...)
	b.want("the question", question, 200, "Pause 2 tokens", "1 live token", "paused for 15 minutes")
	if strings.Contains(question.text, "empty-one") {
		t.Error("the question names an account without a token")
	}
	if got := status(); !slices.Equal(got, []int{200, 200}) {
		t.Errorf("before the answer the tokens get %v", got)
	}
	question = b.post("/org/serviceaccounts", form...)
	b.want("the question about what is in use", question, 200, `id="confirm-name"`, "It is in use")
	b.yes(question)
	if got := status(); !slices.Equal(got, []int{401, 401}) {
		t.Errorf("the paused tokens get %v", got)
	}
	b.want("the list", b.get("/org/serviceaccounts?filter=blocked"), 200, "2 tokens paused for 15 minutes.", "1 paused")
	b.want("paused already", b.post("/org/serviceaccounts", form...), 303)
	s.Clock.Wind(15*time.Minute + time.Second)
	if got := status(); !slices.Equal(got, []int{200, 200}) {
		t.Errorf("after the pause the tokens get %v", got)
	}
}

// tokenOf makes a token for the account and returns its secret.
func tokenOf(t *testing.T, s *hallpasstest.Server, account string) string {
	t.Helper()
	var made struct{ Key string }
	r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+idOf(t, s, account)+"/tokens", fmt.Sprintf(`{"name":"of %s"}`, account))
	if err := json.Unmarshal([]byte(r.Text), &made); err != nil || made.Key == "" {
		t.Fatal(r.StatusCode, r.Text)
	}
	return made.Key
}
