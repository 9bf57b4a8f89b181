package api_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// behindProxy makes the server trust the addresses that the test sends.
func behindProxy(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} }

// signInAs signs in from an address and returns the answer.
func signInAs(s *hallpasstest.Server, login, password, address string) hallpasstest.Response {
	return s.Do(hallpasstest.Nobody, "POST", "/login", fmt.Sprintf(`{"user":%q,"password":%q}`, login, password), "X-Forwarded-For: "+address)
}

// TestGuessedAtFullSpeed has one address guess the admin's password as fast as
// it can, for a second or for HALLPASS_TEST_GUESS_SECONDS. The admin signs in at the first
// try from addresses that were never seen: during the guessing, on another node, and
// after a restart.
func TestGuessedAtFullSpeed(t *testing.T) {
	s := hallpasstest.New(t, behindProxy)
	nodes := []*hallpasstest.Server{s}
	if hallpasstest.OnPostgres() {
		nodes = append(nodes, s.Node(behindProxy))
	}
	seconds, err := strconv.Atoi(os.Getenv("HALLPASS_TEST_GUESS_SECONDS"))
	if err != nil {
		seconds = 1
	}
	guessing, stop := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second)
	defer stop()
	var heard, refused atomic.Int64
	var guessers sync.WaitGroup
	for range 4 {
		guessers.Go(func() {
			for guessing.Err() == nil || refused.Load() == 0 {
				switch r := signInAs(s, "admin", "a guess, and a wrong one", "198.51.100.66"); r.StatusCode {
				case 401:
					heard.Add(1)
				case 429:
					refused.Add(1)
				case 503: // the machine is too busy to check it
				default:
					t.Errorf("a guess: %d %s", r.StatusCode, r.Text)
				}
			}
		})
	}
	fresh := 0
	owner := func(when string, s *hallpasstest.Server) {
		t.Helper()
		fresh++
		expect(t, when, signInAs(s, "admin", hallpasstest.AdminPassword, fmt.Sprintf("203.0.113.%d", fresh%250)), 200)
	}
	for guessing.Err() == nil {
		for _, n := range nodes {
			owner("meanwhile", n)
		}
		time.Sleep(200 * time.Millisecond) // a person does not sign in all the time; the guessers have the machine meanwhile
	}
	guessers.Wait()
	if heard.Load() > 10 || refused.Load() == 0 {
		t.Errorf("%d guesses were heard and %d refused, want 10 at most", heard.Load(), refused.Load())
	}
	for _, n := range nodes {
		owner("afterwards", n)
	}
	s.Restart(behindProxy)
	owner("after a restart", s)
	expect(t, "the guesser, after a restart", signInAs(s, "admin", hallpasstest.AdminPassword, "198.51.100.66"), 429)
}

// TestCrowdSignsIn has 250 people sign in from 250 addresses at once, one in
// three with a wrong password, while tokens are verified. Everybody gets an answer; those
// for whom the server has no time are told when to try again. On a machine that is so
// busy that this is everybody, the crowd comes again.
func TestCrowdSignsIn(t *testing.T) {
	s := hallpasstest.New(t, behindProxy)
	key := token(t, s, account(t, s, "ci", "Viewer"), "t")
	for i := range 25 {
		s.User(fmt.Sprint("user", i), hallpass.RoleViewer)
	}
	var statuses sync.Map
	var crowd, verifying sync.WaitGroup
	done := make(chan struct{})
	verifying.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond): // the crowd has the machine meanwhile
				expect(t, "verify", s.Do(hallpasstest.Bearer(key), "GET", "/guard/verify", ""), 200)
			}
		}
	})
	hallpasstest.Eventually(t, "somebody of the crowd to sign in", func() bool {
		for i := range 250 {
			crowd.Go(func() {
				password := hallpasstest.UserPassword
				if i%3 == 0 {
					password = "a guess, and a wrong one"
				}
				r := signInAs(s, fmt.Sprint("user", i%25), password, fmt.Sprintf("203.0.113.%d", i))
				statuses.Store(r.StatusCode, true)
				switch {
				case r.StatusCode == 200 && i%3 != 0, r.StatusCode == 401 && i%3 == 0:
				case r.StatusCode == 503 && r.Header.Get("Retry-After") != "":
				default:
					t.Errorf("%d: %d %s", i, r.StatusCode, r.Text)
				}
			})
		}
		crowd.Wait()
		s.Clock.Wind(time.Hour) // wrong passwords are counted
		_, some := statuses.Load(200)
		return some
	})
	close(done)
	verifying.Wait()
}

// TestLoginBody checks that POST /login has the same rules for bodies as every other route.
func TestLoginBody(t *testing.T) {
	s := hallpasstest.New(t)
	right := fmt.Sprintf(`{"user":"admin","password":%q}`, hallpasstest.AdminPassword)
	form := "user=admin&password=" + url.QueryEscape(hallpasstest.AdminPassword)
	const asForm = "Content-Type: application/x-www-form-urlencoded"
	long := strings.Repeat("p", 1025)
	for _, tt := range []struct {
		name, body string
		status     int
		says       string
		headers    []string
	}{
		{"right", right, 200, "Logged in", nil},
		{"in another case", strings.Replace(right, "user", "User", 1), 200, "Logged in", nil},
		{"a name twice", `{"user":"nobody",` + right[1:], 400, "is there twice", nil},
		{"a name twice, in two cases", `{"USER":"nobody",` + right[1:], 400, "is there twice", nil},
		{"an unknown name twice", `{"x":1,"x":2,` + right[1:], 400, "is there twice", nil},
		{"a name that only looks so", strings.Replace(right, "user", "u\u017fer", 1), 400, "not ASCII", nil},
		{"the same, escaped", strings.Replace(right, "user", `u\u017fer`, 1), 400, "not ASCII", nil},
		{"a wrong type", `{"user":1,"password":"p"}`, 400, "user has the wrong type", nil},
		{"two values", right + right, 400, "not valid JSON", nil},
		{"a long password", `{"user":"admin","password":"` + long + `"}`, 400, "longer than 1024 bytes", nil},
		{"a megabyte", `{"user":"admin","password":"` + strings.Repeat("p", 1<<20) + `"}`, 413, "request.too-large", nil},
		{"another type", right, 415, "request.unsupported-media-type", []string{"Content-Type: text/plain"}},
		{"another charset", right, 415, "charset must be utf-8", []string{"Content-Type: application/json; charset=utf-16"}},
		{"compressed", right, 415, "Content-Encoding", []string{"Content-Encoding: gzip"}},
		{"a form", form, 303, "", []string{asForm}},
		{"a form with a name twice", form + "&user=nobody", 400, "a name twice", []string{asForm}},
		{"a form with two passwords", form + "&password=x", 400, "a name twice", []string{asForm}},
		{"a form with a long password", "user=admin&password=" + long, 400, "longer than 1024 bytes", []string{asForm}},
		{"a form of a megabyte", "user=admin&password=" + strings.Repeat("p", 1<<20), 413, "", []string{asForm}},
	} {
		r := s.Do(hallpasstest.Nobody, "POST", "/login", tt.body, tt.headers...)
		expect(t, tt.name, r, tt.status, tt.says)
		if signedIn := strings.Contains(fmt.Sprint(r.Header["Set-Cookie"]), "grafana_session"); signedIn != (tt.status == 200 || tt.status == 303) {
			t.Errorf("%s: a session %v", tt.name, signedIn)
		}
	}
}

// TestLongPasswords sends a password that is longer than allowed to every route that
// accepts passwords.
func TestLongPasswords(t *testing.T) {
	s := hallpasstest.New(t)
	long := strings.Repeat("p", 20_000)
	for _, tt := range []struct {
		name   string
		r      hallpasstest.Response
		status int
	}{
		{"Basic", s.Do(hallpasstest.Basic("admin", long), "GET", "/api/org", ""), 401},
		{"the old one", s.Do(hallpasstest.Admin, "PUT", "/api/user/password", fmt.Sprintf(`{"oldPassword":%q,"newPassword":"amber lamps hum at noon"}`, long)), 400},
		{"the new one", s.Do(hallpasstest.Admin, "PUT", "/api/user/password", fmt.Sprintf(`{"oldPassword":%q,"newPassword":%q}`, hallpasstest.AdminPassword, long)), 400},
		{"a user's", s.Do(hallpasstest.Admin, "POST", "/api/admin/users", fmt.Sprintf(`{"login":"u","password":%q}`, long)), 400},
		{"another's", s.Do(hallpasstest.Admin, "PUT", "/api/admin/users/1/password", fmt.Sprintf(`{"password":%q}`, long)), 400},
	} {
		expect(t, tt.name, tt.r, tt.status)
	}
}

// TestProtocolWordsAtTheDoor spells words of the protocol with letters that
// Unicode folds to those of ASCII.
func TestProtocolWordsAtTheDoor(t *testing.T) {
	s := hallpasstest.New(t)
	credential := base64.StdEncoding.EncodeToString([]byte("admin:" + hallpasstest.AdminPassword))
	expect(t, "BASIC", s.Do(hallpasstest.Nobody, "GET", "/api/org", "", "Authorization: BASIC "+credential), 200)
	expect(t, "a long s", s.Do(hallpasstest.Nobody, "GET", "/api/org", "", "Authorization: Ba\u017fic "+credential), 401)
	account(t, s, "one", "Viewer")
	account(t, s, "two", "Viewer")
	expect(t, "a parameter", s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?PERPAGE=1&query=", ""), 200, `"perPage":1`)
	expect(t, "a name", s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"three","i`+"\u017f"+`Disabled":true}`), 400, "not ASCII")
	expect(t, "a dashboard's own name", s.Do(hallpasstest.Admin, "POST", "/api/dashboards/db", `{"dashboard":{"title":"D","`+"\u017f"+`":1}}`), 200)
}

// TestBasicChallenge sends Basic credentials. The challenge in the answer names the charset
// of credentials: a password in UTF-8 is right, the same in Latin-1 is wrong.
func TestBasicChallenge(t *testing.T) {
	s := hallpasstest.New(t)
	const password = "ein Häuschen am Fluß"
	expect(t, "user", s.Do(hallpasstest.Admin, "POST", "/api/admin/users", fmt.Sprintf(`{"login":"u","password":%q}`, password)), 200)
	expect(t, "UTF-8", s.Do(hallpasstest.Basic("u", password), "GET", "/api/user", ""), 200)
	const bearer, basic = `Bearer realm="hallpass"`, `Basic realm="hallpass", charset="UTF-8"`
	for _, tt := range []struct {
		name string
		as   hallpasstest.Credential
		want []string
	}{
		{"Latin-1", hallpasstest.Basic("u", "ein H\xe4uschen am Flu\xdf"), []string{bearer, basic}},
		{"nobody", hallpasstest.Nobody, []string{bearer}},
		{"a token", hallpasstest.Bearer("glsa_x"), []string{bearer}},
		{"a token as Basic", hallpasstest.Basic("api_key", "glsa_x"), []string{bearer, basic}},
	} {
		r := s.Do(tt.as, "GET", "/api/user", "")
		expect(t, tt.name, r, 401)
		if got := r.Header.Values("WWW-Authenticate"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
