package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/wire"
)

// inventoryPage decodes a page of the inventory.
func inventoryPage(t *testing.T, r hallpasstest.Response) (page wire.TokenInventory, names []string) {
	t.Helper()
	if r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	if err := json.Unmarshal([]byte(r.Text), &page); err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Tokens {
		names = append(names, row.Name)
	}
	return page, names
}

// TestInventory lists the tokens of two accounts, page by page and with filters, and to
// whom they may be shown.
func TestInventory(t *testing.T) {
	s := hallpasstest.New(t)
	one, two := account(t, s, "one", "Viewer"), account(t, s, "two", "Admin")
	for i := range 3 {
		token(t, s, one, fmt.Sprintf("a%d", i))
	}
	expect(t, "b", s.Do(hallpasstest.Admin, "POST", two+"/tokens", `{"name":"=b","secondsToLive":3600}`), 200)
	used := token(t, s, two, "used")
	expect(t, "use", s.Do(hallpasstest.Bearer(used), "GET", "/api/org", ""), 200)

	get := func(query string) hallpasstest.Response {
		return s.Do(hallpasstest.Admin, "GET", "/api/tokens?"+query, "")
	}
	page, names := inventoryPage(t, get("limit=2"))
	if fmt.Sprint(names) != "[=b a0]" || page.Next == "" || page.Tokens[0].ServiceAccount.Name != "two" || page.Tokens[0].ServiceAccount.Role != "Admin" {
		t.Errorf("the first page: %+v", page)
	}
	if page, names = inventoryPage(t, get("limit=1000&after="+page.Next)); fmt.Sprint(names) != "[a1 a2 used]" || page.Next != "" {
		t.Errorf("the next page: %v, %q", names, page.Next)
	}
	id := one[strings.LastIndexByte(one, '/')+1:]
	for query, want := range map[string]string{
		"sort=-created": "[used =b a2 a1 a0]", "sort=expires&limit=1": "[=b]", "sort=-lastUsed&limit=1": "[used]", "neverUsed=true&account=" + id: "[a0 a1 a2]",
		"noExpiry=true&q=TWO": "[used]", "state=live&q=a1": "[a1]", "state=revoked": "[]", "expiresBefore=2100-01-01T00:00:00Z": "[=b]",
		"expiresAfter=2100-01-01T00:00:00Z&account=" + id:   "[a0 a1 a2]",
		"lastUsedBefore=2100-01-01T00:00:00Z&account=" + id: "[a0 a1 a2]", "lastUsedBefore=2000-01-01T00:00:00Z": "[]", "lastFour=" + used[len(used)-4:] + "&q=us": "[used]", "owner=nobody": "[]",
	} {
		if _, names := inventoryPage(t, get(query)); fmt.Sprint(names) != want {
			t.Errorf("%s: %v, want %s", query, names, want)
		}
	}
	for query, field := range map[string]string{
		"state=dead": "state", "sort=size": "sort", "limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "after=7": "after", "after=" + url.QueryEscape("7.0._w"): "after",
		"account=one": "account", "expiresBefore=tomorrow": "expiresBefore", "expiresAfter=x": "expiresAfter", "lastUsedBefore=1": "lastUsedBefore", "q=%00": "q", "owner=" + strings.Repeat("x", 300): "owner",
	} {
		expect(t, query, get(query), 400, field)
	}

	if _, names := inventoryPage(t, s.Do(reader(t, s, id), "GET", "/api/tokens", "")); fmt.Sprint(names) != "[a0 a1 a2]" {
		t.Errorf("who may read one account sees %v", names)
	}
	row := fmt.Sprint("/api/tokens/", page.Tokens[2].ID)
	expect(t, "one", s.Do(hallpasstest.Admin, "GET", row, ""), 200, `"name":"used"`, `"login":"sa-1-two"`)
	expect(t, "one of an account that may not be read", s.Do(reader(t, s, id), "GET", row, ""), 403, "serviceaccounts:read")
	expect(t, "none", s.Do(hallpasstest.Admin, "GET", "/api/tokens/999", ""), 404, "ErrTokenNotFound")
	expect(t, "no id", s.Do(hallpasstest.Admin, "GET", "/api/tokens/x", ""), 400, "ErrInvalidTokenId")
}

// reader creates a service account that may read the account with the id and no other.
func reader(t *testing.T, s *hallpasstest.Server, id string) hallpasstest.Credential {
	t.Helper()
	name := fmt.Sprint("reader-", time.Now().UnixNano())
	me := account(t, s, name, "None")
	role := fmt.Sprintf(`{"name":%q,"uid":%q,"permissions":[{"action":"serviceaccounts:read","scope":"serviceaccounts:id:%s"}]}`, name, name, id)
	expect(t, "role", s.Do(hallpasstest.Admin, "POST", "/api/access-control/roles", role), 201)
	expect(t, "give", s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/"+me[strings.LastIndexByte(me, '/')+1:]+"/roles", `{"roleUid":"`+name+`"}`), 200)
	return hallpasstest.Bearer(token(t, s, me, name))
}

// TestInventoryTable exports the inventory: no cell is a formula, and each line ends as
// RFC 4180 says, as those of the other tables do.
func TestInventoryTable(t *testing.T) {
	s := hallpasstest.New(t)
	one := account(t, s, "one", "Viewer")
	for i := range 3 {
		token(t, s, one, fmt.Sprintf("=cmd|' /C calc'!A%d", i))
	}
	r := s.Do(hallpasstest.Admin, "GET", "/api/tokens?limit=2&sort=-name", "", "Accept: text/csv; header=present")
	expect(t, "table", r, 200)
	if got := r.Header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	rows, err := csv.NewReader(strings.NewReader(r.Text)).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][1] != "name" || rows[1][1] != "'=cmd|' /C calc'!A2" || rows[3][4] != "one" {
		t.Errorf("%v, %q", err, rows)
	}
	expect(t, "bad filter", s.Do(hallpasstest.Admin, "GET", "/api/tokens?sort=size", "", "Accept: text/csv"), 400, "sort")
	for i, sign := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠"} {
		token(t, s, one, fmt.Sprintf("%s%d never used", sign, i))
	}
	s.Clock.Wind(8 * 24 * time.Hour)
	for _, path := range []string{"/api/tokens", "/api/attention"} { // as a link in a page asks
		r := s.Do(hallpasstest.Admin, "GET", path+"?format=csv", "")
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") {
			t.Errorf("%s: %d, %q", path, r.StatusCode, r.Header.Get("Content-Type"))
		}
		if n := strings.Count(r.Text, "\n"); n < 9 || strings.Count(r.Text, "\r\n") != n {
			t.Errorf("%s: not each of %d lines ends with CR LF: %q", path, n, r.Text)
		}
		rows, err := csv.NewReader(strings.NewReader(r.Text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range slices.Concat(rows...) {
			if strings.HasSuffix(cell, "never used") && !strings.HasPrefix(cell, "'") {
				t.Errorf("%s: the cell %q is a formula", path, cell)
			}
		}
	}
}

// TestSelfToken shows a token its own record, whatever it may do.
func TestSelfToken(t *testing.T) {
	s := hallpasstest.New(t)
	one := account(t, s, "one", "None")
	r := s.Do(hallpasstest.Bearer(token(t, s, one, "mine")), "GET", "/api/tokens/self", "")
	expect(t, "self", r, 200, `"name":"mine"`, `"state":"live"`, `"expiration":null`, `"login":"sa-1-one"`, `"orgId":1`, `"held":{}`)
	if strings.Contains(r.Text, `"lastUsedAt":null`) {
		t.Errorf("it is used: %s", r.Text)
	}
	expect(t, "held", s.Do(tokenOf(t, s, "Viewer"), "GET", "/api/tokens/self", ""), 200, `"held":{"datasources`)
	expect(t, "no token", s.Do(hallpasstest.Admin, "GET", "/api/tokens/self", ""), 404, "token.not-presented")
	expect(t, "nobody", s.Do(hallpasstest.Nobody, "GET", "/api/tokens/self", ""), 401)
}
