package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

// serve starts a server that answers with what fn returns, as JSON, and fails
// the test if the answer cannot be sent.
func serve(t *testing.T, fn func(*http.Request) (int, any)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, answer := fn(r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestPages walks lists of three pages: every page is asked for once, and the
// first empty one ends it.
func TestPages(t *testing.T) {
	const onPage = 2
	var asked []string
	rows := func(r *http.Request, first int) []int64 {
		q := r.URL.Query()
		asked = append(asked, q.Get("page"))
		n, err := strconv.Atoi(q.Get("page"))
		if err != nil || q.Get("perpage") == "" {
			t.Errorf("%s asks for no page", r.URL)
		}
		if n -= first; n >= 2 {
			return nil
		}
		return []int64{int64(n*onPage + 1), int64(n*onPage + 2)}
	}
	url := serve(t, func(r *http.Request) (int, any) {
		switch r.URL.Path {
		case "/api/serviceaccounts/search":
			out := wire.ServiceAccounts{TotalCount: 99}
			for _, id := range rows(r, 1) {
				out.ServiceAccounts = append(out.ServiceAccounts, wire.ServiceAccount{ID: id})
			}
			return 200, out
		case "/api/teams/search":
			var out wire.Teams
			for _, id := range rows(r, 1) {
				out.Teams = append(out.Teams, wire.Team{ID: id})
			}
			return 200, out
		case "/api/users/search":
			var out wire.Users
			for _, id := range rows(r, 1) {
				out.Users = append(out.Users, wire.UserRow{ID: id})
			}
			return 200, out
		case "/api/org/users/search":
			var out wire.OrgUsers
			for _, id := range rows(r, 1) {
				out.OrgUsers = append(out.OrgUsers, wire.OrgUser{UserID: id})
			}
			return 200, out
		case "/api/orgs":
			out := []wire.OrgName{}
			for _, id := range rows(r, 0) {
				out = append(out, wire.OrgName{ID: id})
			}
			return 200, out
		}
		return 404, wire.Message{Message: "Not found"}
	})
	c := client.New(url, "glsa_x")
	ctx := t.Context()
	for _, tt := range []struct {
		name  string
		pages []string
		ids   func() ([]int64, error)
	}{
		{"service accounts", []string{"1", "2", "3"}, func() ([]int64, error) {
			list, err := c.ServiceAccounts(ctx, client.ServiceAccountFilter{})
			return ids(list, func(v wire.ServiceAccount) int64 { return v.ID }), err
		}},
		{"teams", []string{"1", "2", "3"}, func() ([]int64, error) {
			list, err := c.Teams(ctx, "")
			return ids(list, func(v wire.Team) int64 { return v.ID }), err
		}},
		{"users", []string{"1", "2", "3"}, func() ([]int64, error) {
			list, err := c.Users(ctx, "")
			return ids(list, func(v wire.UserRow) int64 { return v.ID }), err
		}},
		{"members", []string{"1", "2", "3"}, func() ([]int64, error) {
			list, err := c.OrgUsers(ctx, 0, "")
			return ids(list, func(v wire.OrgUser) int64 { return v.UserID }), err
		}},
		{"orgs", []string{"0", "1", "2"}, func() ([]int64, error) {
			list, err := c.Orgs(ctx)
			return ids(list, func(v wire.OrgName) int64 { return v.ID }), err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked = nil
			got, err := tt.ids()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]int64{1, 2, 3, 4}, got); diff != "" {
				t.Errorf("the rows differ (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.pages, asked); diff != "" {
				t.Errorf("the pages differ (-want +got):\n%s", diff)
			}
		})
	}
}

func ids[Row any](rows []Row, id func(Row) int64) []int64 {
	var list []int64
	for _, r := range rows {
		list = append(list, id(r))
	}
	return list
}

// TestPageFails has the second page refused: a part of a list is no list.
func TestPageFails(t *testing.T) {
	url := serve(t, func(r *http.Request) (int, any) {
		if r.URL.Query().Get("page") == "2" {
			return 503, wire.Message{Message: "later"}
		}
		return 200, wire.Teams{Teams: []wire.Team{{ID: 1}}}
	})
	list, err := client.New(url, "glsa_x").Teams(t.Context(), "")
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != 503 || list != nil {
		t.Errorf("Teams = %v, %v; want nothing and the 503", list, err)
	}
}

// TestCredentials says what requests carry.
func TestCredentials(t *testing.T) {
	for _, tt := range []struct {
		name     string
		o        client.Options
		auth, in string
	}{
		{"a token", client.Options{Credential: client.Bearer("glsa_x")}, "Bearer glsa_x", ""},
		{"a user", client.Options{Credential: client.Basic("ana", "hunter2")}, "Basic YW5hOmh1bnRlcjI=", ""},
		{"a user in an org", client.Options{Credential: client.Basic("ana", "hunter2"), Org: 7}, "Basic YW5hOmh1bnRlcjI=", "7"},
		{"nobody", client.Options{}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var auth, in string
			url := serve(t, func(r *http.Request) (int, any) {
				auth, in = r.Header.Get("Authorization"), r.Header.Get("X-Grafana-Org-Id")
				return 200, wire.Org{}
			})
			c := client.NewWith(url, tt.o)
			if _, _, err := c.Org(t.Context()); err != nil {
				t.Fatal(err)
			}
			if auth != tt.auth || in != tt.in {
				t.Errorf("the request had %q and org %q, want %q and %q", auth, in, tt.auth, tt.in)
			}
			if text := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(text, "glsa_x") || strings.Contains(text, "hunter2") {
				t.Errorf("printing a client shows its secret: %s", text)
			}
		})
	}
}

// TestFind names things in every way: digits are an id, and a uid comes before
// a name.
func TestFind(t *testing.T) {
	accounts := []wire.ServiceAccount{
		{ID: 2, UID: "aaa", Name: "ci", Login: "sa-1-ci"}, {ID: 3, UID: "bbb", Name: "aaa"}, {ID: 4, UID: "ccc", Name: "two words"},
		{ID: 5, UID: "ddd", Name: "twin"}, {ID: 6, UID: "eee", Name: "twin"}, {ID: 7, UID: "fff", Name: "404"},
	}
	url := serve(t, func(r *http.Request) (int, any) {
		ref := strings.TrimPrefix(r.URL.Path, "/api/serviceaccounts/")
		if ref == "search" {
			if r.URL.Query().Get("page") != "1" {
				return 200, wire.ServiceAccounts{}
			}
			return 200, wire.ServiceAccounts{ServiceAccounts: accounts}
		}
		for _, a := range accounts {
			if ref == a.UID || ref == strconv.FormatInt(a.ID, 10) {
				return 200, wire.ServiceAccountProfile{ID: a.ID}
			}
		}
		return 404, wire.Message{Message: "Not found"}
	})
	for _, tt := range []struct {
		ref  string
		want int64
		says string
	}{
		{"2", 2, ""}, {"aaa", 2, ""}, {"ci", 2, ""}, {"sa-1-ci", 2, ""}, {"two words", 4, ""}, {"bbb", 3, ""},
		{"404", 0, "404: Not found"}, {"twin", 0, "more than one service account"}, {"nobody", 0, `no service account is called "nobody"`},
		{"..", 0, `is called ".."`}, {"a/b", 0, `is called "a/b"`},
	} {
		got, err := client.New(url, "glsa_x").FindServiceAccount(t.Context(), tt.ref)
		switch {
		case tt.says == "" && (err != nil || got.ID != tt.want):
			t.Errorf("%q is %d, %v; want %d", tt.ref, got.ID, err, tt.want)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%q is %d, %v; want an error with %q", tt.ref, got.ID, err, tt.says)
		}
	}
}

// TestFindOrgUser names members: nobody's login is taken for another's id or
// uid.
func TestFindOrgUser(t *testing.T) {
	url := serve(t, func(r *http.Request) (int, any) {
		if r.URL.Path != "/api/orgs/3/users/search" || r.URL.Query().Get("page") != "1" {
			return 200, wire.OrgUsers{}
		}
		return 200, wire.OrgUsers{OrgUsers: []wire.OrgUser{
			{UserID: 9, UID: "zzz", Login: "5", Email: "five@example.com"}, {UserID: 10, UID: "yyy", Login: "aaa"},
			{UserID: 5, UID: "aaa", Login: "ana", Email: "ana@example.com"},
		}}
	})
	for ref, want := range map[string]int64{"5": 5, "aaa": 5, "ana": 5, "Ana@Example.com": 5, "yyy": 10, "five@example.com": 9, "6": 0, "bob": 0} {
		u, err := client.New(url, "glsa_x").FindOrgUser(t.Context(), 3, ref)
		if u.UserID != want || (err != nil) != (want == 0) {
			t.Errorf("%q is %d, %v; want %d", ref, u.UserID, err, want)
		}
	}
}

// TestFindKeepsRefusals has a look-up refused for another reason than that the
// thing is missing: it is not looked for elsewhere.
func TestFindKeepsRefusals(t *testing.T) {
	calls := 0
	url := serve(t, func(*http.Request) (int, any) {
		calls++
		return 403, wire.Message{Message: "no"}
	})
	_, err := client.New(url, "glsa_x").FindTeam(t.Context(), "devs")
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != 403 || calls != 1 {
		t.Errorf("after %d calls: %v, want the 403 after one", calls, err)
	}
}

// TestDetail keeps what the server says about the input, and takes no harm
// from an error that is an object.
func TestDetail(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{"message":"Bad request data","messageId":"x","error":"name is required"}`, "400: Bad request data: name is required"},
		{`{"message":"Token revoked","error":{"id":"ERR_TOKEN_REVOKED"}}`, "400: Token revoked"},
	} {
		url := serve(t, func(*http.Request) (int, any) { return 400, json.RawMessage(tt.body) })
		_, err := client.New(url, "glsa_x").CreateTeam(t.Context(), wire.CreateTeam{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("the error is %v, want %s", err, tt.want)
		}
	}
}

// TestRedirect has a server send us to another one: the secret does not go
// there.
func TestRedirect(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL+"/api/org", http.StatusFound))
	defer server.Close()
	_, _, err := client.New(server.URL, "glsa_x").Org(t.Context())
	var told *client.Error
	if !errors.As(err, &told) || told.Status != 302 || !strings.Contains(err.Error(), other.URL) || reached {
		t.Errorf("the error is %v and the other server was reached: %v", err, reached)
	}
}

// TestEndless has an answer that is too large: it is not read to its end, nor
// taken for a whole one.
func TestEndless(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		blank := []byte(strings.Repeat(" ", 1<<20))
		for range 64 {
			if _, err := w.Write(blank); err != nil {
				return // the client has hung up, as it should
			}
		}
		t.Error("the client read 64 MiB")
	}))
	defer server.Close()
	_, _, err := client.New(server.URL, "glsa_x").Org(t.Context())
	if err == nil || !strings.Contains(err.Error(), "larger than 8 MiB") {
		t.Errorf("the error is %v", err)
	}
}

// TestErrorsHoldNoSecret breaks calls in many ways: no error repeats a secret.
func TestErrorsHoldNoSecret(t *testing.T) {
	const hidden = "hunter2"
	hello := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.WriteString(w, `{"id":"`+hidden+`"}`); err != nil {
			t.Error(err)
		}
	}))
	defer hello.Close()
	for _, tt := range []struct{ name, url, secret string }{
		{"no such host", "http://127.0.0.1:1", hidden},
		{"a secret that is no header", hello.URL, hidden + "\n"},
		{"an answer of the wrong type", hello.URL, hidden},
		{"a URL with a bad password", "http://ana:" + hidden + "%zz@127.0.0.1:1", "x"},
		{"a URL with a password for a port", "http://ana:" + hidden + "/@127.0.0.1", "x"},
		{"a URL with a password", "http://ana:" + hidden + "@127.0.0.1:1", "x"},
	} {
		c := client.New(tt.url, tt.secret)
		_, _, err := c.Org(t.Context())
		if err == nil || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: the error is %v", tt.name, err)
		}
		if _, err := c.CreateUser(t.Context(), client.NewUser{Login: "ana", Password: hidden}); err == nil || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: the error of CreateUser is %v", tt.name, err)
		}
	}
}
