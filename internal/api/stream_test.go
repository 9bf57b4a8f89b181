package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// listener is a reader of a stream, with the credential for it.
type listener struct {
	as        hallpasstest.Credential
	login     string // of a user
	principal int64
	account   string // path of a service account
}

// streams has a server, the token whose events are read, and the node on which they are
// read, which is another node if the database permits several.
type streams struct {
	*hallpasstest.Server
	node  *hallpasstest.Server
	path  string // of the token's events
	token hallpasstest.Credential
	n     int
}

func (s *streams) must(t *testing.T, method, path, body string) hallpasstest.Response {
	t.Helper()
	r := s.Do(hallpasstest.Admin, method, path, body)
	if r.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
	}
	return r
}

// reader creates a principal that may read the stream: by its basic role, by a custom role
// of its own, or by a role of its team.
func (s *streams) reader(t *testing.T, kind, power string) listener {
	t.Helper()
	s.n++
	name, role := fmt.Sprintf("reader-%d", s.n), "None"
	if power == "basic role" {
		role = "Admin"
	}
	var l listener
	if kind == "token" {
		l.account = account(t, s.Server, name, role)
		id, _ := strings.CutPrefix(l.account, "/api/serviceaccounts/")
		l.principal, _ = strconv.ParseInt(id, 10, 64) // the path is ours
		l.as = hallpasstest.Bearer(made(t, s.must(t, "POST", l.account+"/tokens", fmt.Sprintf(`{"name":%q,"secondsToLive":3600}`, name))).Key)
	} else {
		r, _ := hallpass.ParseRole(role)
		l.as, l.login = s.User(name, r), name
		l.principal = made(t, s.must(t, "GET", "/api/users/lookup?loginOrEmail="+name, "")).ID
	}
	if power != "basic role" {
		s.must(t, "POST", "/api/access-control/roles", fmt.Sprintf(`{"uid":%q,"name":%q,"permissions":[{"action":"serviceaccounts:read","scope":"serviceaccounts:*"}]}`, name, name))
	}
	switch power {
	case "own role":
		s.must(t, "POST", fmt.Sprintf("/api/access-control/users/%d/roles", l.principal), fmt.Sprintf(`{"roleUid":%q}`, name))
	case "team":
		s.must(t, "POST", "/api/teams", fmt.Sprintf(`{"name":%q}`, name))
		s.must(t, "POST", s.team(t, name)+"/members", fmt.Sprintf(`{"userId":%d}`, l.principal))
		s.must(t, "POST", "/api/access-control/teams"+strings.TrimPrefix(s.team(t, name), "/api/teams")+"/roles", fmt.Sprintf(`{"roleUid":%q}`, name))
	}
	if kind == "session" {
		_, cookie, _ := strings.Cut(signIn(t, s.Server, name, hallpasstest.UserPassword), " ")
		l.as = func(r *http.Request) { r.Header.Set("Cookie", cookie) }
	}
	return l
}

// team returns the path of the team with that name.
func (s *streams) team(t *testing.T, name string) string {
	t.Helper()
	_, rest, _ := strings.Cut(s.must(t, "GET", "/api/teams/search?name="+name, "").Text, `"id":`)
	id, _, _ := strings.Cut(rest, ",")
	return "/api/teams/" + id
}

// endings are the ways in which a reader loses its credential or permission. Each has the
// kinds of readers and of permissions for which it works.
var endings = []struct {
	name   string
	kinds  string
	powers string
	end    func(t *testing.T, s *streams, l listener, name string)
}{
	{"token deleted", "token", "basic role", func(t *testing.T, s *streams, l listener, name string) {
		id := strings.Split(s.must(t, "GET", l.account+"/tokens", "").Text, `"id":`)[1]
		id, _, _ = strings.Cut(id, ",")
		s.must(t, "DELETE", l.account+"/tokens/"+id, "")
	}},
	{"account disabled", "token", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		s.must(t, "PATCH", l.account, `{"isDisabled":true}`)
	}},
	{"account deleted", "token", "own role", func(t *testing.T, s *streams, l listener, _ string) { s.must(t, "DELETE", l.account, "") }},
	{"account's role cut", "token", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		s.must(t, "PATCH", l.account, `{"role":"Viewer"}`)
	}},
	{"role unassigned", "token session basic", "own role", func(t *testing.T, s *streams, l listener, name string) {
		s.must(t, "DELETE", fmt.Sprintf("/api/access-control/users/%d/roles/%s", l.principal, name), "")
	}},
	{"role changed", "token session basic", "own role,team", func(t *testing.T, s *streams, _ listener, name string) {
		s.must(t, "PUT", "/api/access-control/roles/"+name, fmt.Sprintf(`{"name":%q,"version":2,"permissions":[{"action":"orgs:read"}]}`, name))
	}},
	{"role deleted", "token session", "team", func(t *testing.T, s *streams, _ listener, name string) {
		s.must(t, "DELETE", "/api/access-control/roles/"+name+"?force=true", "")
	}},
	{"left the team", "token session basic", "team", func(t *testing.T, s *streams, l listener, name string) {
		s.must(t, "DELETE", fmt.Sprintf("%s/members/%d", s.team(t, name), l.principal), "")
	}},
	{"team deleted", "token session", "team", func(t *testing.T, s *streams, _ listener, name string) { s.must(t, "DELETE", s.team(t, name), "") }},
	{"member's role cut", "session basic", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		s.must(t, "PATCH", fmt.Sprintf("/api/org/users/%d", l.principal), `{"role":"Viewer"}`)
	}},
	{"member removed", "session basic", "basic role,own role,team", func(t *testing.T, s *streams, l listener, _ string) {
		s.must(t, "DELETE", fmt.Sprintf("/api/org/users/%d", l.principal), "")
	}},
	{"user disabled", "session basic", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		s.must(t, "POST", fmt.Sprintf("/api/admin/users/%d/disable", l.principal), "")
	}},
	{"user deleted", "session basic", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		s.must(t, "DELETE", fmt.Sprintf("/api/admin/users/%d", l.principal), "")
	}},
	{"password set", "session basic", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		s.must(t, "PUT", fmt.Sprintf("/api/admin/users/%d/password", l.principal), `{"password":"another one that is long"}`)
	}},
	{"password changed", "session basic", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		r := s.Do(l.as, "PUT", "/api/user/password", fmt.Sprintf(`{"oldPassword":%q,"newPassword":"another one that is long"}`, hallpasstest.UserPassword))
		expect(t, "change", r, 200)
	}},
	{"signed out", "session", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		expect(t, "sign out", s.Do(l.as, "POST", "/logout", "", "Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin"), 303)
	}},
	{"session ended by its user", "session", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		id := made(t, hallpasstest.Response{Response: &http.Response{StatusCode: 200}, Text: strings.Trim(s.Do(l.as, "GET", "/api/user/auth-tokens", "").Text, "[]")}).ID
		expect(t, "revoke", s.Do(l.as, "POST", "/api/user/revoke-auth-token", fmt.Sprintf(`{"authTokenId":%d}`, id), "Sec-Fetch-Site: same-origin"), 200)
	}},
	{"sessions ended by an admin", "session", "basic role", func(t *testing.T, s *streams, l listener, _ string) {
		s.must(t, "POST", fmt.Sprintf("/api/admin/users/%d/logout", l.principal), "")
	}},
	{"expired", "token session", "basic role", func(_ *testing.T, s *streams, _ listener, _ string) { s.Clock.Wind(8 * 24 * time.Hour) }},
}

// TestStreamEndsWithItsReader ends the credential or permission of a stream's reader, in
// every way. If the database permits several nodes, the stream is on another node. When the
// change is answered, nothing more is sent, and the stream ends.
func TestStreamEndsWithItsReader(t *testing.T) {
	s := &streams{Server: hallpasstest.New(t)}
	if s.node = s.Server; hallpasstest.OnPostgres() {
		s.node = s.Node()
	}
	watched := account(t, s.Server, "watched", "Viewer")
	s.token = hallpasstest.Bearer(token(t, s.Server, watched, "watched"))
	s.path = watched + "/tokens/1/events"
	for _, e := range endings {
		for _, kind := range strings.Fields(e.kinds) {
			for _, power := range strings.Split(e.powers, ",") {
				t.Run(strings.Join([]string{e.name, kind, power}, "/"), func(t *testing.T) {
					l := s.reader(t, kind, power)
					lines := eventsAs(t, s.node, l.as, s.path)
					await(t, lines, ": waiting")
					s.refuse(t)
					await(t, lines, "data:", `"kind":"refused"`)
					e.end(t, s, l, fmt.Sprintf("reader-%d", s.n))
					s.refuse(t)
					awaitEnd(t, lines)
				})
			}
		}
	}
}

// awaitEnd reads lines until the stream ends. None of them may be an event.
func awaitEnd(t *testing.T, lines <-chan string) {
	t.Helper()
	over := time.After(hallpasstest.Patience)
	for {
		select {
		case line, more := <-lines:
			if strings.Contains(line, "data:") {
				t.Fatalf("told after the end: %s", line)
			}
			if !more {
				return
			}
		case <-over:
			t.Fatal("the stream goes on")
		}
	}
}

// TestStreamEndsWithItsOrg deletes the org of a stream that a server admin reads.
func TestStreamEndsWithItsOrg(t *testing.T) {
	s := hallpasstest.New(t)
	expect(t, "org", s.Do(hallpasstest.Admin, "POST", "/api/orgs", `{"name":"Second"}`), 200, `"orgId":2`)
	there := func(r *http.Request) { hallpasstest.Admin(r); r.Header.Set("X-Grafana-Org-Id", "2") }
	path := fmt.Sprintf("/api/serviceaccounts/%d", made(t, s.Do(there, "POST", "/api/serviceaccounts", `{"name":"a","role":"Viewer"}`)).ID)
	made(t, s.Do(there, "POST", path+"/tokens", `{"name":"a"}`))
	lines := eventsAs(t, s, there, path+"/tokens/1/events")
	await(t, lines, ": waiting")
	expect(t, "delete", s.Do(hallpasstest.Admin, "DELETE", "/api/orgs/2", ""), 200)
	awaitEnd(t, lines)
}

// refuse causes an event of the token that is watched.
func (s *streams) refuse(t *testing.T) {
	t.Helper()
	expect(t, "refused", s.node.Do(s.token, "GET", "/api/org", "", "X-Grafana-Org-Id: 7"), 401)
}

// TestStreamOutlivesOthers ends and changes many things that do not belong to the reader.
// The stream continues.
func TestStreamOutlivesOthers(t *testing.T) {
	s := &streams{Server: hallpasstest.New(t)}
	s.node = s.Server
	watched := account(t, s.Server, "watched", "Viewer")
	s.token = hallpasstest.Bearer(token(t, s.Server, watched, "watched"))
	l := s.reader(t, "session", "basic role")
	lines := eventsAs(t, s.node, l.as, watched+"/tokens/1/events")
	await(t, lines, ": waiting")
	other := s.reader(t, "token", "basic role")
	s.must(t, "PATCH", other.account, `{"role":"Viewer"}`)
	s.must(t, "DELETE", other.account, "")
	third := s.reader(t, "session", "basic role")
	s.must(t, "POST", fmt.Sprintf("/api/admin/users/%d/logout", third.principal), "")
	s.must(t, "DELETE", fmt.Sprintf("/api/admin/users/%d", third.principal), "")
	s.refuse(t)
	await(t, lines, "data:", `"kind":"refused"`)
}

// TestStreamBrokenOff ends the credential of a client that does not read its stream. The
// change is still answered, and what was not sent by then is never sent.
func TestStreamBrokenOff(t *testing.T) {
	s := &streams{Server: hallpasstest.New(t)}
	s.node = s.Server
	watched := account(t, s.Server, "watched", "Viewer")
	s.token = hallpasstest.Bearer(token(t, s.Server, watched, "watched"))
	l := s.reader(t, "token", "basic role")
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+watched+"/tokens/1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	l.as(r)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // the server cuts the connection
	for range 100 {
		s.refuse(t)
	}
	s.must(t, "PATCH", l.account, `{"isDisabled":true}`)
	s.Do(s.token, "GET", "/api/org", "", "X-Grafana-Org-Id: 7", "User-Agent: afterwards")
	b, _ := io.ReadAll(res.Body) // any error is right: only what was sent matters
	if strings.Contains(string(b), "afterwards") {
		t.Errorf("told after the end: %s", b)
	}
}
