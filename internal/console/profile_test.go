package console_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

var ownSession = regexp.MustCompile(`name="session" value="(\d+)"`)

// TestProfile shows people what they are and may, and ends their other sessions.
func TestProfile(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("vera", hallpass.RoleViewer)
	s.User("bob", hallpass.RoleViewer)
	custom(t, s, `{"uid":"own","name":"Own role","permissions":[{"action":"teams:read","scope":"teams:*"}]}`)
	for _, call := range [][2]string{{"/api/teams", `{"name":"Crew"}`}, {"/api/teams/1/members", `{"userId":2}`}, {"/api/access-control/teams/1/roles", `{"roleUid":"own"}`}} {
		if r := s.Do(hallpasstest.Admin, "POST", call[0], call[1]); r.StatusCode > 201 {
			t.Fatalf("%s: %d %s", call[0], r.StatusCode, r.Text)
		}
	}
	here, other, third := signedIn(t, s, "vera", hallpasstest.UserPassword), signedIn(t, s, "vera", hallpasstest.UserPassword), signedIn(t, s, "vera", hallpasstest.UserPassword)
	bob := signedIn(t, s, "bob", hallpasstest.UserPassword)
	p := here.get("/profile")
	here.want("the profile", p, 200, "Viewer", ">Crew</a>", "Own role", "through the team Crew", "You can ", `href="/profile/access"`, "This one", "End all others")
	if n := strings.Count(p.text, "This one"); n != 1 {
		t.Errorf("%d sessions are this one", n)
	}
	here.want("every permission", here.get("/profile/access?action=teams:read&scope=teams:id:1"), 200, "What you may do", "Yes.", "role Own role, through team Crew")

	ids := ownSession.FindAllStringSubmatch(p.text, -1)
	if len(ids) != 2 {
		t.Fatalf("%d other sessions", len(ids))
	}
	bob.want("a session of somebody else", bob.post("/profile/session", "session", ids[0][1]), 404, "not found")
	here.want("end one", here.post("/profile/session", "session", ids[0][1]), 303)
	here.want("ended", here.get("/profile"), 200, "The session has ended.")
	here.want("once more", here.post("/profile/session", "session", ids[0][1]), 404, `id="error-sessions"`)
	if a, b := other.get("/profile").status, third.get("/profile").status; a+b != 503 { // one is signed in, the other sent to the sign-in page
		t.Errorf("after one of two sessions was ended they answer %d and %d", a, b)
	}
	here.want("end the others", here.post("/profile/sessions"), 303)
	here.want("they are", here.get("/profile"), 200, "1 other session ended.")
	if a, b := other.get("/profile").status, third.get("/profile").status; a != 303 || b != 303 {
		t.Errorf("after all others were ended they answer %d and %d", a, b)
	}
	here.want("no others", here.post("/profile/sessions"), 303)
	here.want("none", here.get("/profile"), 200, "You are signed in nowhere else.")
	bob.want("of somebody else", bob.get("/profile"), 200, "bob")

	here.want("edit", here.post("/profile/edit", "name", `<b>Vera</b>`, "email", "vera@example.org"), 303)
	here.want("edited", here.get("/profile"), 200, "Saved: your name and email.", `<b>Vera</b>`, "vera@example.org")
	here.want("an address of somebody", here.post("/profile/edit", "name", "Vera", "email", "bob"), 409, `id="error-`)
}
