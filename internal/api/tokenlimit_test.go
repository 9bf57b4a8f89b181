package api_test

import (
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
	if err := l.Tidy(); err != nil {
		t.Fatal(err)
	}
	account, ok := hallpass.ParseID(path[strings.LastIndexByte(path, '/')+1:])
	if !ok {
		t.Fatalf("%s is no account", path)
	}
	text := secret.NewToken()
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreateToken(hallpass.Token{
			Org: hallpass.FirstOrg, ServiceAccount: hallpass.ServiceAccountID(account), Name: name, Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: s.Clock.Now(), Limits: l,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hallpasstest.Bearer(text.Reveal())
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
