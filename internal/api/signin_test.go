package api_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// behindProxy has the server believe us about addresses.
func behindProxy(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} }

// signInAs signs in from an address and returns the answer.
func signInAs(s *hallpasstest.Server, login, password, address string) hallpasstest.Response {
	return s.Do(hallpasstest.Nobody, "POST", "/login", fmt.Sprintf(`{"user":%q,"password":%q}`, login, password), "X-Forwarded-For: "+address)
}

// TestGuessedAtFullSpeed has one address guess the admin's password as fast as
// it can, for a second or for HALLPASS_TEST_GUESS_SECONDS. The admin signs in
// from addresses that were never seen, at the first try: meanwhile, on another
// node, and after a restart.
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
				case 429, 503:
					refused.Add(1)
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
		time.Sleep(200 * time.Millisecond)
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
// three with a wrong password, while tokens are verified. Everybody is answered,
// those for whom there is no time with when to come again.
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
			case <-time.After(5 * time.Millisecond):
				expect(t, "verify", s.Do(hallpasstest.Bearer(key), "GET", "/guard/verify", ""), 200)
			}
		}
	})
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
	close(done)
	verifying.Wait()
	if _, some := statuses.Load(200); !some {
		t.Error("nobody could sign in")
	}
}
