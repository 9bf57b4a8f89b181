package console_test

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var tokenRow = regexp.MustCompile(`(?s)<tr data-token-id="(\d+)".*?<td [^>]*data-is="state">(.*?)</td>.*?<td [^>]*data-is="expires">(.*?)</td>.*?</tr>`)

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// plain is what a piece of a page reads.
func plain(markup string) string {
	return strings.TrimSpace(html.UnescapeString(strings.Join(strings.Fields(tags.ReplaceAllString(markup, " ")), " ")))
}

// TestTokenStates compares what the API and the account's page say of tokens in
// every state with whether a request with them is let in.
func TestTokenStates(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	labels := map[string]string{"live": "Live", "blocked": "Blocked: account disabled", "expired": "Expired", "revoked": "Revoked"}
	seen := make(map[string]bool)
	for _, disabled := range []bool{false, true} {
		name := fmt.Sprintf("account-%v", disabled)
		path := b.create(name, "Viewer")
		api := "/api/serviceaccounts/" + idOf(t, s, name)
		keys := make(map[int64]string)
		for token, seconds := range map[string]int{"short": 60, "long": 86400 * 30, "endless": 0, "ended": 0} {
			r := s.Do(hallpasstest.Admin, "POST", api+"/tokens", fmt.Sprintf(`{"name":"%s-%s","secondsToLive":%d}`, name, token, seconds))
			var made struct {
				ID  int64
				Key string
			}
			if err := json.Unmarshal([]byte(r.Text), &made); err != nil || r.StatusCode != 200 {
				t.Fatalf("make a token: %d %s", r.StatusCode, r.Text)
			}
			if code := s.Do(hallpasstest.Bearer(made.Key), "GET", "/api/org", "").StatusCode; code != 200 {
				t.Fatalf("its first use answers %d", code)
			}
			keys[made.ID] = made.Key
			if token == "ended" {
				revoke(t, s, hallpass.TokenID(made.ID))
			}
		}
		s.Clock.Wind(time.Hour)
		if disabled {
			s.Do(hallpasstest.Admin, "PATCH", api, `{"isDisabled":true}`)
		}
		var list []struct {
			ID    int64
			State string
		}
		if err := json.Unmarshal([]byte(s.Do(hallpasstest.Admin, "GET", api+"/tokens", "").Text), &list); err != nil {
			t.Fatal(err)
		}
		shown := make(map[string][]string)
		for _, row := range tokenRow.FindAllStringSubmatch(b.get(path).text, -1) {
			shown[row[1]] = []string{plain(row[2]), plain(row[3])}
		}
		for _, k := range list {
			code := s.Do(hallpasstest.Bearer(keys[k.ID]), "GET", "/api/org", "").StatusCode
			if (code == 200) != (k.State == "live") {
				t.Errorf("%s: a token of which the API says %q is answered %d", name, k.State, code)
			}
			row := shown[fmt.Sprint(k.ID)]
			if len(row) != 2 || row[0] != labels[k.State] {
				t.Errorf("%s: a token of which the API says %q stands on the page as %q", name, k.State, row)
			}
			seen[k.State] = true
		}
	}
	if len(seen) != len(labels) {
		t.Errorf("only the states %v were seen", seen)
	}
}

// revoke ends the token for good, as no route does that keeps its record.
func revoke(t *testing.T, s *hallpasstest.Server, id hallpass.TokenID) {
	t.Helper()
	ctx := t.Context()
	err := s.Store().Write(ctx, func(tx *store.Tx) error {
		if err := tx.Change(hallpass.Change{Kind: hallpass.PermissionsChanged}); err != nil {
			return err
		}
		return tx.RevokeToken(hallpass.FirstOrg, id, s.Clock.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
}

var accountLine = regexp.MustCompile(`(?s)<tr(?: class="off")?>.*?<span class="name">(.*?)</span>.*?<td [^>]*data-is="role">(.*?)</td>\s*<td [^>]*data-is="tokens">(.*?)</td>.*?<td [^>]*data-is="expiry">(.*?)</td>`)

// TestListTellsFactsApart shows accounts that differ in one fact each in the list:
// no two facts have the same sign, and no role stands for more than it is.
func TestListTellsFactsApart(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	do := func(method, path, body string) {
		t.Helper()
		if r := s.Do(hallpasstest.Admin, method, path, body); r.StatusCode > 201 {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
		}
	}
	do("POST", "/api/access-control/roles", `{"uid":"r","name":"r","permissions":[{"action":"audit:read"}]}`)
	do("POST", "/api/folders", `{"uid":"shop","title":"Shop"}`)
	do("POST", "/api/teams", `{"name":"crew"}`)
	do("POST", "/api/access-control/teams/1/roles", `{"roleUid":"r"}`)
	for name, tokens := range map[string][]int{"idle": nil, "endless": {0}, "ending": {86400 * 30}, "mixed": {86400 * 30, 0}, "ended": {60}, "off": {0}} {
		b.create(name, "None")
		for i, seconds := range tokens {
			do("POST", "/api/serviceaccounts/"+idOf(t, s, name)+"/tokens", fmt.Sprintf(`{"name":"%s-%d","secondsToLive":%d}`, name, i, seconds))
		}
	}
	do("PATCH", "/api/serviceaccounts/"+idOf(t, s, "off"), `{"isDisabled":true}`)
	do("POST", "/api/access-control/users/"+idOf(t, s, "idle")+"/roles", `{"roleUid":"r"}`)
	do("POST", "/api/access-control/folders/shop/users/"+idOf(t, s, "endless"), `{"permission":"Edit"}`)
	do("POST", "/api/teams/1/members", `{"userId":`+idOf(t, s, "ended")+`}`)
	s.Clock.Wind(time.Hour)
	expiry, role, tokens := make(map[string]string), make(map[string]string), make(map[string]string)
	for _, line := range accountLine.FindAllStringSubmatch(b.get("/org/serviceaccounts").text, -1) {
		expiry[line[1]], tokens[line[1]] = plain(line[4]), plain(line[3])
		if i := strings.Index(line[2], `+ `); i >= 0 {
			role[line[1]] = plain(line[2][i:])
		}
	}
	for name, want := range map[string]string{"idle": "–", "endless": "Never ends", "ending": "in 30 days", "mixed": "in 30 days 1 never ends", "ended": "Ended 59 minutes ago", "off": "Blocked"} {
		if expiry[name] != want {
			t.Errorf("the next expiry of %s reads %q, want %q", name, expiry[name], want)
		}
	}
	for name, want := range map[string]string{"idle": "+ 1", "endless": "+ access", "ended": "+ 1", "ending": ""} {
		if role[name] != want {
			t.Errorf("beside the role of %s stands %q, want %q", name, role[name], want)
		}
	}
	for name, want := range map[string]string{"idle": "No tokens", "endless": "1 live", "mixed": "2 live", "ended": "1 ended", "off": "1 blocked"} {
		if tokens[name] != want {
			t.Errorf("the tokens of %s read %q, want %q", name, tokens[name], want)
		}
	}
	var list struct {
		ServiceAccounts []struct {
			Name                    string
			MoreRoles, AccessGrants int
		}
	}
	if err := json.Unmarshal([]byte(s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search", "").Text), &list); err != nil {
		t.Fatal(err)
	}
	for _, a := range list.ServiceAccounts {
		want := [2]int{}
		switch a.Name {
		case "idle", "ended":
			want[0] = 1
		case "endless":
			want[1] = 1
		}
		if got := [2]int{a.MoreRoles, a.AccessGrants}; got != want {
			t.Errorf("the API counts %v of %s, want %v", got, a.Name, want)
		}
	}
}
