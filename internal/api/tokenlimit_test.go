package api_test

import (
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// limitedToken makes a token with limits for the account at the path.
func limitedToken(t *testing.T, s *hallpasstest.Server, path, name string, l hallpass.TokenLimits) hallpasstest.Credential {
	t.Helper()
	_, as := limitedTokenID(t, s, path, name, l)
	return as
}

// limitedTokenID is limitedToken that returns the token's ID too.
func limitedTokenID(t *testing.T, s *hallpasstest.Server, path, name string, l hallpass.TokenLimits) (id hallpass.TokenID, as hallpasstest.Credential) {
	t.Helper()
	if err := l.Tidy(); err != nil {
		t.Fatal(err)
	}
	account, ok := hallpass.ParseID(path[strings.LastIndexByte(path, '/')+1:])
	if !ok {
		t.Fatalf("%s is no account", path)
	}
	text := secret.NewToken()
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		made, err := tx.CreateToken(hallpass.Token{
			Org: hallpass.FirstOrg, ServiceAccount: hallpass.ServiceAccountID(account), Name: name, Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: s.Clock.Now(), Limits: l,
		})
		id = made.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id, hallpasstest.Bearer(text.Reveal())
}

var viewer = hallpass.RoleViewer

func onlyThese(list ...hallpass.Permission) hallpass.TokenLimits {
	return hallpass.TokenLimits{Permissions: append([]hallpass.Permission{}, list...)}
}

// TestRoutesUnderLimits calls every route with tokens of one Admin account that have limits, and
// compares the statuses with a golden file that was reviewed.
func TestRoutesUnderLimits(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "limited", "Admin")
	callers := []namedCaller{{"none", hallpasstest.Bearer(token(t, s, path, "none"))}}
	for _, l := range []struct {
		name   string
		limits hallpass.TokenLimits
	}{
		{"read-only", hallpass.TokenLimits{ReadOnly: true}},
		{"viewer", hallpass.TokenLimits{MaxRole: &viewer}},
		{"one", onlyThese(hallpass.Permission{Action: hallpass.FoldersRead})},
		{"empty", onlyThese()},
	} {
		callers = append(callers, namedCaller{l.name, limitedToken(t, s, path, l.name, l.limits)})
	}
	holdGolden(t, "limits.golden", "the table of routes and limits", routesTable(t, s, callers))
}

// TestFolderAdminReadsOnly gives an account without a role a folder, and uses it through a
// token that is read only: access from the tree is cut as roles are.
func TestFolderAdminReadsOnly(t *testing.T) {
	s := hallpasstest.New(t)
	things := newTargets(t, s, 1, "")
	path := account(t, s, "folder-admin", "None")
	id := path[strings.LastIndexByte(path, '/')+1:]
	expect(t, "give the folder", s.Do(hallpasstest.Admin, "POST", "/api/access-control/folders/"+things.folder+"/users/"+id, `{"permission":"Admin"}`), 200)
	expect(t, "give its own account", s.Do(hallpasstest.Admin, "POST", "/api/access-control/serviceaccounts/"+id+"/users/"+id, `{"permission":"Admin"}`), 200)
	inside := s.Do(hallpasstest.Admin, "POST", "/api/dashboards/db", `{"dashboard":{"uid":"inside","title":"inside"},"folderUid":"`+things.folder+`"}`)
	expect(t, "put a dashboard into it", inside, 200)

	whole := hallpasstest.Bearer(token(t, s, path, "whole"))
	reads := limitedToken(t, s, path, "reads", hallpass.TokenLimits{ReadOnly: true})
	views := limitedToken(t, s, path, "views", hallpass.TokenLimits{MaxRole: &viewer})
	folder := hallpass.FolderResource.Scope(things.folder)
	writes := limitedToken(t, s, path, "writes", onlyThese(hallpass.Permission{Action: hallpass.DashboardsWrite, Scope: folder}))
	one := limitedToken(t, s, path, "one", onlyThese(hallpass.Permission{Action: hallpass.DashboardsRead, Scope: "dashboards:uid:inside"}))
	own := limitedToken(t, s, path, "own", onlyThese(hallpass.Permission{Action: hallpass.ServiceAccountsWrite}, hallpass.Permission{Action: hallpass.ServiceAccountsRead}))
	save := `{"dashboard":{"uid":"inside","title":"inside"},"folderUid":"` + things.folder + `","overwrite":true}`
	for _, tt := range []struct {
		method, path, body                      string
		whole, reads, views, writes, one, owner int
	}{
		{"GET", "/api/dashboards/uid/inside", "", 200, 200, 200, 403, 200, 403},
		{"GET", "/api/folders/" + things.folder, "", 200, 200, 200, 403, 403, 403},
		{"POST", "/api/dashboards/db", save, 200, 403, 403, 200, 403, 403},
		{"POST", "/api/folders", `{"title":"new","parentUid":"` + things.folder + `"}`, 200, 403, 403, 403, 403, 403},
		{"GET", "/api/folders/" + things.folder + "/permissions", "", 200, 200, 403, 403, 403, 403},
		{"POST", "/api/access-control/folders/" + things.folder + "/users/" + id, `{"permission":"Admin"}`, 200, 403, 403, 403, 403, 403},
		{"POST", "/api/access-control/dashboards/inside/users/" + id, `{"permission":"View"}`, 200, 403, 403, 403, 403, 403},
		{"GET", path, "", 200, 200, 403, 403, 403, 200},
		{"POST", path + "/tokens", `{"name":"brother-NAME"}`, 200, 403, 403, 403, 403, 403},
		{"PATCH", path, `{"isDisabled":false}`, 200, 403, 403, 403, 403, 200}, // named
	} {
		for _, c := range []struct {
			name string
			as   hallpasstest.Credential
			want int
		}{{"whole", whole, tt.whole}, {"reads", reads, tt.reads}, {"views", views, tt.views}, {"writes", writes, tt.writes}, {"one", one, tt.one}, {"own", own, tt.owner}} {
			r := s.Do(c.as, tt.method, tt.path, strings.ReplaceAll(tt.body, "NAME", c.name))
			if r.StatusCode != c.want {
				t.Errorf("%s %s with the token %s: %d %s, want %d", tt.method, tt.path, c.name, r.StatusCode, r.Text, c.want)
			}
		}
	}
	for _, tt := range []struct {
		as   hallpasstest.Credential
		want string
	}{{whole, "inside"}, {reads, "inside"}, {one, "inside"}, {writes, ""}} {
		r := s.Do(tt.as, "GET", "/api/search?type=dash-db&query=inside", "")
		if found := strings.Contains(r.Text, `"uid":"inside"`); found != (tt.want != "") {
			t.Errorf("the search finds %s", r.Text)
		}
	}
}

// patches are changes of a token, by each field that PATCH takes, and whether other tokens
// of its account may make them: one with a ceiling that names serviceaccounts:write, one
// with networks and a rate and no ceiling, one without limits. What gives needs all that
// the account holds, which no token with a ceiling has.
var patches = []struct {
	start string // what an admin sets before
	patch string
	self  bool // a token may send it about itself too, from the limits that it has
	gives bool // so the one with a ceiling is refused
}{
	{`{}`, `{"networks":null}`, true, true},
	{`{}`, `{"networks":[]}`, true, true},
	{`{}`, `{"networks":["126.0.0.0/7"]}`, true, true},
	{`{}`, `{"networks":["127.0.0.0/8","10.0.0.0/8"]}`, true, true},
	{`{}`, `{"networks":["127.0.0.1"]}`, true, false},
	{`{}`, `{"rateLimit":null}`, true, true},
	{`{}`, `{"rateLimit":{"requests":2000,"seconds":60,"burst":0}}`, true, true},
	{`{}`, `{"rateLimit":{"requests":1000,"seconds":60,"burst":9}}`, true, true},
	{`{}`, `{"rateLimit":{"requests":10,"seconds":60,"burst":0}}`, true, false},
	{`{"readOnly":true}`, `{"readOnly":false}`, false, true},
	{`{"readOnly":true}`, `{"readOnly":null}`, false, true},
	{`{}`, `{"readOnly":true}`, true, false},
	{`{"maxRole":"Viewer"}`, `{"maxRole":null}`, false, true},
	{`{"maxRole":"Viewer"}`, `{"maxRole":"Editor"}`, false, true},
	{`{"maxRole":"Viewer"}`, `{"maxRole":"None"}`, false, false},
	{`{"permissions":[{"action":"folders:read"}]}`, `{"permissions":null}`, false, true},
	{`{"permissions":[{"action":"folders:read"}]}`, `{"permissions":[{"action":"folders:read"},{"action":"dashboards:read"}]}`, false, true},
	{`{"permissions":[{"action":"folders:read","scope":"folders:uid:a"}]}`, `{"permissions":[{"action":"folders:read"}]}`, false, true},
	{`{"permissions":[]}`, `{"permissions":[{"action":"folders:read"}]}`, false, true},
	{`{"permissions":[{"action":"folders:read"}]}`, `{"permissions":[]}`, false, false},
	{`{"readOnly":true,"maxRole":"Viewer"}`, `{"readOnly":false,"maxRole":"None"}`, false, true},
	{`{"paused":true}`, `{"paused":false}`, false, true},
	{`{"paused":true}`, `{"paused":null}`, false, true},
	{`{"paused":true}`, `{"pausedFor":60}`, false, true},
	{`{"pausedFor":3600}`, `{"pausedFor":60}`, false, true},
	{`{"pausedFor":60}`, `{"pausedFor":3600}`, false, false},
	{`{}`, `{"paused":true}`, true, false},
	{`{}`, `{"selfRotate":true,"renewUntil":"SOON"}`, true, true},
	{`{"selfRotate":true,"renewUntil":"SOON"}`, `{"renewUntil":"LATER"}`, false, true},
	{`{"selfRotate":true,"renewUntil":"LATER"}`, `{"renewUntil":"SOON"}`, false, false},
	{`{"selfRotate":true,"renewUntil":"SOON"}`, `{"selfRotate":false}`, false, false},
	{`{}`, `{"secondsToLive":0,"expiration":null,"expiresAt":null,"key":"glsa_x","serviceAccountId":1,"role":"Admin"}`, true, false}, // none is a field of PATCH
	{`{}`, `{"name":"NAME-2"}`, true, false},
	{`{}`, `{"owner":"somebody","purpose":"something"}`, true, false},
	{`{}`, `{"owner":"vip"}`, true, true}, // the policy exempts their tokens
}

// TestTokenPatchesTokens changes tokens with tokens of their own account: nobody takes a
// limit away, from itself or another, without what the account holds, and no change makes
// a token live longer.
func TestTokenPatchesTokens(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Admin")
	expect(t, "exempt an owner", s.Do(hallpasstest.Admin, "PUT", "/api/org/token-policy", `{"staleAfterDays":90,"warnDays":[14,3],"pause":true,"exempt":["owner:vip"]}`), 200)
	some := hallpass.TokenLimits{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Rate: hallpass.RateLimit{Requests: 1000, Every: time.Minute}}
	named, reads := some, some
	named.Permissions = onlyThese(hallpass.Permission{Action: hallpass.ServiceAccountsWrite}, hallpass.Permission{Action: hallpass.ServiceAccountsRead}).Permissions
	reads.ReadOnly = true
	times := strings.NewReplacer("SOON", s.Clock.Now().Add(24*time.Hour).Format(time.RFC3339), "LATER", s.Clock.Now().Add(48*time.Hour).Format(time.RFC3339))
	n := 0
	try := func(kind string, limits hallpass.TokenLimits, itself bool, start, patch string, want int) {
		t.Helper()
		n++
		name := "t" + strconv.Itoa(n)
		id, as := limitedTokenID(t, s, path, name, limits)
		if !itself {
			id, _ = limitedTokenID(t, s, path, name+"-sibling", some)
		}
		before := storedToken(t, s, id)
		at := path + "/tokens/" + strconv.FormatInt(int64(id), 10)
		if start != "{}" {
			expect(t, "start "+start, s.Do(hallpasstest.Admin, "PATCH", at, times.Replace(start)), 200)
			before = storedToken(t, s, id)
		}
		body := strings.ReplaceAll(times.Replace(patch), "NAME", name)
		r := s.Do(as, "PATCH", at, body)
		if r.StatusCode != want {
			t.Errorf("the token %s, about itself: %v, from %s: %s: %d %s, want %d", kind, itself, start, body, r.StatusCode, r.Text, want)
		}
		after := storedToken(t, s, id)
		if after.Hash != before.Hash || !after.ExpiresAt.Equal(before.ExpiresAt) || after.ServiceAccount != before.ServiceAccount {
			t.Errorf("%s: the secret, the end or the account is another: %+v, before %+v", body, after, before)
		}
		before.LastUse, after.LastUse = hallpass.Use{}, hallpass.Use{}
		if want != 200 && !reflect.DeepEqual(before, after) {
			t.Errorf("%s was refused, and changed %+v to %+v", body, before, after)
		}
	}
	for _, p := range patches {
		limited := map[bool]int{false: 200, true: 403}[p.gives]
		for _, itself := range []bool{false, true} {
			if itself && !p.self {
				continue
			}
			try("with a ceiling", named, itself, p.start, p.patch, limited)
			try("that only reads", reads, itself, p.start, p.patch, 403)
			try("with networks", some, itself, p.start, p.patch, 200)
			try("without limits", hallpass.TokenLimits{}, itself, p.start, p.patch, 200)
		}
	}
}

// storedToken returns the token as the database has it.
func storedToken(t *testing.T, s *hallpasstest.Server, id hallpass.TokenID) (found hallpass.Token) {
	t.Helper()
	err := s.Store().Read(t.Context(), func(tx *store.Tx) (err error) {
		found, err = tx.OrgToken(hallpass.FirstOrg, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestExplainCut has a token ask why it may not: its account may.
func TestExplainCut(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Editor")
	reads := limitedToken(t, s, path, "reads", hallpass.TokenLimits{ReadOnly: true})
	for _, tt := range []struct {
		query        string
		allowed, cut bool
	}{
		{"action=folders:create&scope=folders:uid:general", false, true},
		{"action=folders:read&scope=folders:uid:general", true, false},
		{"action=teams:write&scope=teams:id:1", false, false},
	} {
		var e struct {
			Allowed, Cut bool
			Via          []any
			Notes        []string
		}
		into(t, s.Do(reads, "GET", "/api/access-control/explain?"+tt.query, ""), &e)
		if e.Allowed != tt.allowed || e.Cut != tt.cut || (len(e.Via) > 0) != (tt.allowed || tt.cut) {
			t.Errorf("%s: %+v", tt.query, e)
		}
		if told := strings.Contains(strings.Join(e.Notes, " "), "held by the account, and cut by the limits of this token"); told != tt.cut {
			t.Errorf("%s: the notes are %q", tt.query, e.Notes)
		}
	}
	var held map[string][]string
	into(t, s.Do(reads, "GET", "/api/access-control/user/permissions", ""), &held)
	if held["folders:read"] == nil || held["folders:create"] != nil {
		t.Errorf("the token is told that it holds %v", held)
	}
}

// TestNetworkOfAToken refuses a token at the API for its network: 403, because clients try a
// 401 again.
func TestNetworkOfAToken(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	networks, err := hallpass.ParseNetworks([]string{"192.0.2.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := limitedToken(t, s, path, "elsewhere", hallpass.TokenLimits{Networks: networks})
	for _, route := range []string{"/api/org", "/api/serviceaccounts/search", "/api/access-control/user/permissions"} {
		r := s.Do(elsewhere, "GET", route, "")
		if r.StatusCode != 403 || !strings.Contains(r.Text, `"messageId":"api-key.network"`) || !strings.Contains(r.Text, "This API key may not be used from 127.0.0.1") {
			t.Errorf("GET %s: %d %s", route, r.StatusCode, r.Text)
		}
	}
}

// TestRateOfAToken uses a token more often than it may: answers tell its rate, and then when
// to come again.
func TestRateOfAToken(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	slow := limitedToken(t, s, path, "slow", hallpass.TokenLimits{Rate: hallpass.RateLimit{Requests: 2, Every: 24 * time.Hour, Burst: 1}})
	for i, want := range []struct {
		path   string
		status int
		left   string
	}{{"/api/org", 200, `"token";r=1;t=43200`}, {"/api/org/users", 403, `"token";r=0;t=86400`}, {"/api/org", 429, `"token";r=0;t=`}} {
		r := s.Do(slow, "GET", want.path, "")
		if r.StatusCode != want.status || r.Header.Get("RateLimit-Policy") != `"token";q=2;w=86400` || !strings.HasPrefix(r.Header.Get("RateLimit"), want.left) {
			t.Errorf("request %d: %d, %v", i, r.StatusCode, r.Header)
		}
		after, err := strconv.Atoi(r.Header.Get("Retry-After"))
		if want.status == 429 && (err != nil || after < 43100 || after > 43200 || !strings.Contains(r.Text, `"messageId":"api-key.rate-limited"`)) {
			t.Errorf("the refusal is %v %s", r.Header, r.Text)
		}
	}
	r := s.Do(hallpasstest.Bearer(token(t, s, path, "free")), "GET", "/api/org", "")
	if r.StatusCode != 200 || r.Header.Get("RateLimit") != "" || r.Header.Get("RateLimit-Policy") != "" {
		t.Errorf("a token without a rate: %d %v", r.StatusCode, r.Header)
	}
}

// TestNetworkWarnings gives networks to a token that others use: the answer says who is left
// outside.
func TestNetworkWarnings(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	token(t, s, path, "t")
	var list []struct{ ID int64 }
	into(t, s.Do(hallpasstest.Admin, "GET", path+"/tokens", ""), &list)
	used := func(minute int, address string) {
		t.Helper()
		at := s.Clock.Now().Add(time.Duration(minute) * time.Minute)
		err := s.Store().AddTokenUsage(t.Context(), []store.TokenUsed{{Token: hallpass.TokenID(list[0].ID), TokenUsage: hallpass.TokenUsage{
			Places: []hallpass.TokenPlace{{From: hallpass.From{Address: address, UserAgent: "curl"}, First: at, Last: at, Count: 1}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	patch := func(body string) string {
		t.Helper()
		var row struct{ Warnings []string }
		into(t, s.Do(hallpasstest.Admin, "PATCH", path+"/tokens/"+strconv.FormatInt(list[0].ID, 10), body), &row)
		return strings.Join(row.Warnings, "\n")
	}
	for minute, tt := range []struct{ address, body, want string }{
		{"", `{"networks":["192.0.2.0/24"]}`, ""},
		{"10.0.0.1", `{"networks":["192.0.2.0/24"]}`, "the last client (10.0.0.1) is not in these networks"},
		{"10.0.0.2", `{"networks":["192.0.2.0/24"]}`, "the last 2 clients (10.0.0.2, 10.0.0.1) are not in these networks"},
		{"::1", `{"networks":["192.0.2.0/24"]}`, "the last 3 clients (::1, 10.0.0.2, 10.0.0.1) are not in these networks"},
		{"10.0.0.4", `{"networks":["192.0.2.0/24"]}`, "the last 3 clients (10.0.0.4, ::1, 10.0.0.2) are not in these networks"},
		{"", `{"networks":["10.0.0.0/24"]}`, ""},
		{"", `{"networks":[]}`, ""},
		{"", `{"purpose":"none"}`, ""},
	} {
		if tt.address != "" {
			used(minute, tt.address)
		}
		if got := patch(tt.body); got != tt.want {
			t.Errorf("after %s, %s: %q, want %q", tt.address, tt.body, got, tt.want)
		}
	}
}
