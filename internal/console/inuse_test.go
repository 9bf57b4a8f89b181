package console_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

var markOf = regexp.MustCompile(`name="asked" value="([^"]*)"`)

// TestNameOfWhatIsInUse ends things that were used a moment ago, and things that were not:
// of the former alone the name is to be typed, and nothing happens with another.
func TestNameOfWhatIsInUse(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	used, idle := b.create("in-use", "Editor"), b.create("idle", "Editor")
	key := tokenOf(t, s, "in-use")
	tokenOf(t, s, "idle")
	s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "")
	const asks = `id="confirm-name"`
	for _, q := range []struct{ path, name string }{{"/disable", "in-use"}, {"/delete", "in-use"}, {"/tokens/1/delete", "of in-use"}} {
		question := b.get(used + q.path)
		b.want(q.path, question, 200, asks, q.name)
		mark := markOf.FindStringSubmatch(question.text)
		for _, typed := range []string{"", "idle", q.name + "d"} {
			b.want("with the name "+typed, b.post(used+q.path, "asked", mark[1], "typed", typed), 422, asks, "This is not the name")
		}
	}
	if p := b.post(used+"/role", "role", "Viewer"); !strings.Contains(p.text, asks) {
		t.Error("a lower role of what is in use asks for no name")
	}
	if p := b.post(used+"/role", "role", "Admin"); strings.Contains(p.text, asks) {
		t.Error("a higher role asks for a name")
	}
	b.want("what does less harm", b.get(used+"/disable"), 200, "Pause for 15 minutes instead…", `value="pause-15"`)
	for _, path := range []string{"/disable", "/delete", "/tokens/2/delete"} {
		if p := b.get(idle + path); p.status != 200 || strings.Contains(p.text, asks) {
			t.Errorf("%s of what nobody uses: %d, or it asks for a name", path, p.status)
		}
	}
	if r := s.Do(hallpasstest.Bearer(key), "GET", "/api/org", ""); r.StatusCode != 200 {
		t.Errorf("after no right name a call is answered %d", r.StatusCode)
	}
	if p := b.yes(b.get(used + "/disable")); p.status != 303 {
		t.Errorf("with the name: %d", p.status)
	}
	s.Clock.Wind(25 * time.Hour)
	b = signedIn(t, s, "admin", hallpasstest.AdminPassword)
	if p := b.get(used + "/delete"); strings.Contains(p.text, asks) {
		t.Error("what was used more than a day ago asks for a name")
	}
}

// TestLatePair tries a token after another has replaced it. The list of accounts and the
// account's page say who does, and the pair stands together as long as it goes on.
func TestLatePair(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Viewer")
	b.create("quiet", "Viewer")
	old := tokenOf(t, s, "ci")
	api := "/api/serviceaccounts/" + idOf(t, s, "ci") + "/tokens/"
	var next struct{ Key string }
	r := s.Do(hallpasstest.Admin, "POST", api+"1/rotate", `{"graceSeconds":0}`)
	if err := json.Unmarshal([]byte(r.Text), &next); err != nil || next.Key == "" {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	if p := b.get(path); strings.Contains(p.text, `class="pair`) {
		t.Error("a replaced token that nobody tries stands in a pair")
	}
	s.Do(hallpasstest.Bearer(next.Key), "GET", "/api/org", "")
	s.Do(hallpasstest.Bearer(old), "GET", "/api/org", "", "User-Agent: curl/8.5.0")
	var page page
	hallpasstest.Eventually(t, "the pair to show that the old token is tried", func() bool {
		page = b.get(path)
		return strings.Contains(page.text, `class="pair late"`)
	})
	b.want("the pair", page, 200, "Replaced, and still tried", "is still tried by 127.0.0.1 with curl/8.5.0: 1 time within the hour", fmt.Sprintf(`href="%s/tokens/2/rotate"`, path))
	for _, gone := range []string{"/extend", "/retire", "/undo"} {
		if strings.Contains(page.text, gone) {
			t.Errorf("the pair offers %s", gone)
		}
	}
	list := b.get("/org/serviceaccounts?filter=failing")
	b.want("the list", list, 200, "1 live, 1 refused", "1 service account")
	if strings.Contains(list.text, ">quiet<") {
		t.Error("the view of what fails has an account that does not")
	}
	s.Clock.Wind(2 * time.Hour)
	if p := b.get(path); strings.Contains(p.text, `class="pair`) {
		t.Error("two hours later it still stands in a pair")
	}
	b.want("the list two hours later", b.get("/org/serviceaccounts?filter=failing"), 200, "No service accounts found")
}

// TestDisableTellsOnce uses a token, and asks what disabling its account would break: each
// client is told once, also before its usage is written.
func TestDisableTellsOnce(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Viewer")
	s.Do(hallpasstest.Bearer(tokenOf(t, s, "ci")), "GET", "/api/org", "", "User-Agent: curl/8.5.0")
	for _, question := range []string{path + "/disable", path + "/delete", path + "/tokens/1/delete"} {
		once := func() page {
			p := b.get(question)
			if n := strings.Count(p.text, "curl/8.5.0"); n != 1 {
				t.Fatalf("%s tells the client %d times: %s", question, n, plain(p.text))
			}
			return p
		}
		hallpasstest.Eventually(t, "the usage to be written", func() bool { return strings.Contains(once().text, "was used 1 time by curl/8.5.0") })
	}
}
