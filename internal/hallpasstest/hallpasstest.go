// Package hallpasstest starts a whole server on a temporary SQLite file, with
// a clock that tests set, and calls it over real HTTP. Test files only.
package hallpasstest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/notice"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// AdminPassword is the password of the user admin of every test server.
const AdminPassword = "violet lamps hum at noon"

// A Server is a running server.
type Server struct {
	*server.Server
	URL   string // without a trailing slash
	Dir   string // the data directory
	Clock *Clock

	t        testing.TB
	database server.DatabaseConfig // empty: the default
	log      *logBuffer
	sent     *statements
	stop     func()
}

// A Clock is the time of a test server: it stands still unless it is wound.
type Clock struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Wind moves the clock by d.
func (c *Clock) Wind(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// New starts a server, with its configuration changed by each of the
// functions, and stops it when the test ends. The test fails if the server
// logged an error, or a secret, or sent PostgreSQL a statement that takes a number of 32 bits.
func New(t testing.TB, configure ...func(*server.Config)) *Server {
	t.Helper()
	return newOn(t, OnPostgres(), configure...)
}

// newOn is New on PostgreSQL or on SQLite, whatever this run is about.
func newOn(t testing.TB, postgres bool, configure ...func(*server.Config)) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{Dir: dir, Clock: &Clock{now: time.Now().UTC().Truncate(time.Microsecond)}, t: t, log: &logBuffer{}, sent: new(statements)}
	c := server.DefaultConfig()
	c.Security.AdminPassword = secret.NewText(AdminPassword)
	if postgres {
		s.database = server.DatabaseConfig{Type: "postgres", URL: Postgres(t)}
	}
	s.start(c, configure)
	t.Cleanup(func() {
		s.stop()
		s.log.check(t)
		if postgres {
			s.sent.checkWide(t, s.database.URL)
		}
	})
	return s
}

func (s *Server) start(c server.Config, configure []func(*server.Config)) {
	s.t.Helper()
	c.DataDir = s.Dir
	c.Server.HTTPPort, c.Server.ShutdownDelay = 0, "0s"
	if s.database.Type != "" {
		c.Database.Type, c.Database.URL = s.database.Type, s.database.URL
		if err := notice.MakeKey(filepath.Join(s.Dir, "webhook-key")); err != nil { // as an operator of several nodes does
			s.t.Fatal(err)
		}
	}
	for _, f := range configure {
		f(&c)
	}
	if c.Database.Type != "postgres" && c.Database.Path == "" {
		copySQLite(s.t, c.SQLiteFile())
	}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	srv, err := server.OpenTested(context.Background(), c, log, server.Instruments{Now: s.Clock.Now, Tracer: s.sent})
	if err != nil {
		s.t.Fatalf("open server: %v", err)
	}
	if _, err := srv.Listen(); err != nil {
		s.t.Fatalf("listen: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx) }()
	s.Server, s.URL = srv, srv.LocalURL()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("serve: %v", err)
		}
		s.checkAudit(srv)
		if err := srv.Close(); err != nil {
			s.t.Errorf("close: %v", err)
		}
	})
}

// checkAudit fails the test if the audit has an entry with an action that the domain
// does not know: nobody could search for it. It ignores a database that a test broke.
func (s *Server) checkAudit(srv *server.Server) {
	_ = srv.Store().Read(context.Background(), func(tx *store.Tx) error {
		actions, err := tx.AuditActions()
		for _, a := range actions {
			if !hallpass.AuditAction(a) && !hallpass.Action(a).Valid() {
				s.t.Errorf("the audit has entries of %q, which hallpass.AuditAction does not know", a)
			}
		}
		return err
	})
}

// Restart stops the server and starts it again on the same data, with its
// configuration changed by each of the functions.
func (s *Server) Restart(configure ...func(*server.Config)) {
	s.t.Helper()
	s.stop()
	s.start(server.DefaultConfig(), configure)
}

// Node starts another node on the same database, with the same clock, and stops
// it when the test ends. It takes PostgreSQL.
func (s *Server) Node(configure ...func(*server.Config)) *Server {
	s.t.Helper()
	if !OnPostgres() {
		s.t.Skip("only PostgreSQL has several nodes")
	}
	n := &Server{Dir: s.t.TempDir(), Clock: s.Clock, t: s.t, database: s.database, log: &logBuffer{}, sent: s.sent}
	n.start(server.DefaultConfig(), configure)
	s.t.Cleanup(func() {
		n.stop()
		n.log.check(s.t)
	})
	return n
}

// DatabaseURL returns where the server's PostgreSQL database is, "" if it has none.
func (s *Server) DatabaseURL() string { return s.database.URL.Reveal() }

// Log returns what the server has logged, at every level.
func (s *Server) Log() string { return s.log.String() }

// A Credential is what a request presents: Bearer, Basic, Cookie or Nobody.
type Credential func(*http.Request)

// Nobody presents nothing.
func Nobody(*http.Request) {}

// Bearer presents a token.
func Bearer(token string) Credential {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// Basic presents a user's login and password.
func Basic(login, password string) Credential {
	return func(r *http.Request) { r.SetBasicAuth(login, password) }
}

// Admin presents the password of the user admin.
func Admin(r *http.Request) { r.SetBasicAuth("admin", AdminPassword) }

// A Response is an answer, read whole.
type Response struct {
	*http.Response
	Text string
}

// Do sends a request with an optional JSON body, holds request and answer to the
// contract, and returns the answer. Each header is "Name: value".
func (s *Server) Do(as Credential, method, path, body string, headers ...string) Response {
	s.t.Helper()
	r := s.Send(as, method, path, body, headers...)
	checkContract(s.t, r.Request, body, r.Response, []byte(r.Text))
	return r
}

// Send is Do for hostile requests: it does not check the contract.
func (s *Server) Send(as Credential, method, path, body string, headers ...string) Response {
	s.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, in)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	as(r)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Content-Type" {
			r.Header.Del(name)
		}
		r.Header.Add(name, value)
	}
	res, err := noRedirect.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return Response{res, string(text)}
}

var noRedirect = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// User makes a user with a role in org 1, and returns its credential.
func (s *Server) User(login string, role hallpass.Role) Credential {
	s.t.Helper()
	return s.UserIn(login, role, hallpass.FirstOrg)
}

// UserIn makes a user with a role in the org, and returns its credential. It
// writes the user directly into the store, so that a test may make many: all share
// one hash, because hashing a password is slow.
func (s *Server) UserIn(login string, role hallpass.Role, org hallpass.OrgID) Credential {
	s.t.Helper()
	ctx := s.t.Context()
	hash, err := userHash()
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.Store().Write(ctx, func(tx *store.Tx) error {
		u, err := tx.CreateUser(hallpass.User{
			UID: secret.NewUID(), Login: login, Email: login + "@example.com", Name: login, PasswordHash: hash, Org: org,
			CreatedAt: s.Clock.Now(), UpdatedAt: s.Clock.Now(),
		})
		if err != nil {
			return err
		}
		return tx.SetMember(hallpass.Member{Org: org, User: u, Role: role, JoinedAt: s.Clock.Now()})
	})
	if err != nil {
		s.t.Fatalf("make user %s: %v", login, err)
	}
	return Basic(login, UserPassword)
}

// UserPassword is the password of the users that tests make.
const UserPassword = "a password that users share"

var userHash = sync.OnceValues(func() (string, error) {
	return secret.HashPassword(context.Background(), secret.NewText(UserPassword))
})

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// secrets is what no log may hold: tokens, session ids, the admin's password.
var secrets = regexp.MustCompile(`glsa_[0-9A-Za-z]{32}|\b[0-9a-f]{64}\b|` + regexp.QuoteMeta(AdminPassword))

func (l *logBuffer) check(t testing.TB) {
	text := l.String()
	if secrets.MatchString(text) {
		t.Error("the log holds a secret")
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("the server logged an error: %s", line)
		}
	}
}
