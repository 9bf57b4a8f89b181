package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// waits is what a server logs that waits for its database.
const waits = "the database does not answer, or is locked"

// lines are the lines of a log, each sent when it is written.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// await returns when a line has the words.
func (l lines) await(t *testing.T, words string) {
	t.Helper()
	limit := time.After(hallpasstest.Patience)
	for {
		select {
		case line := <-l:
			if strings.Contains(line, words) {
				return
			}
		case <-limit:
			t.Fatalf("waited %s for the log to say that %s", hallpasstest.Patience, words)
		}
	}
}

// onPostgres returns the configuration of a node on a new database.
func onPostgres(t *testing.T) server.Config {
	t.Helper()
	c := server.DefaultConfig()
	c.DataDir, c.Database.Type, c.Database.URL, c.Database.MaxOpenConn = t.TempDir(), "postgres", hallpasstest.Postgres(t), 4
	c.Database.MaxStaleness = "1s"
	return c
}

// unreached has the database of c at an address where nothing listens yet. listen
// leads from there to where it is.
func unreached(t *testing.T, c *server.Config) (listen func()) {
	t.Helper()
	address := hallpasstest.FreeAddress(t)
	u, err := url.Parse(c.Database.URL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	there := u.Host
	u.Host = address
	c.Database.URL = secret.NewText(u.String())
	return func() {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() }) // nobody comes any more
		go func() {
			for {
				in, err := l.Accept()
				if err != nil {
					return
				}
				out, err := net.Dial("tcp", there)
				if err != nil {
					t.Error(err)
					return
				}
				go func() { _, _ = io.Copy(out, in); _ = out.Close() }() // ends when either end closes
				go func() { _, _ = io.Copy(in, out); _ = in.Close() }()  // the same
			}
		}()
	}
}

// TestStartWaits starts servers while their database cannot be reached, or another
// session has a lock in it for longer than any step of a start may take: they say so
// once, and start when that is over.
func TestStartWaits(t *testing.T) {
	session := func(statement string) func(*testing.T, *server.Config) func() {
		return func(t *testing.T, c *server.Config) func() {
			return hallpasstest.Hold(t, "pgx", c.Database.URL.Reveal(), statement)
		}
	}
	for name, hinder := range map[string]func(*testing.T, *server.Config) (end func()){
		"not reached":             unreached,
		"a table that is read":    session("BEGIN; LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE"),
		"a table that is written": session("BEGIN; LOCK TABLE orgs IN EXCLUSIVE MODE"),
		"the list of nodes":       session("BEGIN; LOCK TABLE nodes IN ACCESS EXCLUSIVE MODE"),
		"a SQLite file": func(t *testing.T, c *server.Config) func() {
			c.Database = server.DefaultConfig().Database
			return hallpasstest.Hold(t, "sqlite", "file:"+filepath.Join(c.DataDir, "hallpass.db"), "BEGIN EXCLUSIVE")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := onPostgres(t)
			end := hinder(t, &c)
			log := make(lines, 100)
			var s *server.Server
			var failed error
			var opening sync.WaitGroup
			opening.Go(func() { s, failed = server.Open(t.Context(), c, slog.New(slog.NewTextHandler(log, nil))) })
			log.await(t, waits)
			before, _ := os.ReadFile(filepath.Join(c.DataDir, "initial-admin-password")) // not yet made in most cases
			end()
			opening.Wait()
			if failed != nil {
				t.Fatal(failed)
			}
			text, path, fresh := s.FirstPassword()
			if kept, err := os.ReadFile(path); err != nil || !fresh || string(kept) != text.Reveal() || before != nil && string(before) != text.Reveal() {
				t.Errorf("the first password is another than the one kept, or than the one of the first try; made now: %v, %v", fresh, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			close(log)
			for line := range log {
				if strings.Contains(line, waits) || !strings.Contains(line, "level=INFO") {
					t.Errorf("the log also says %s", line)
				}
			}
		})
	}
}

// TestStartGivesUp has a database that cannot be reached for longer than a server
// waits, and one whose server is stopped meanwhile.
func TestStartGivesUp(t *testing.T) {
	c := onPostgres(t)
	unreached(t, &c)
	log := make(lines, 100)
	logger := slog.New(slog.NewTextHandler(log, nil))
	if err := server.OpenWithin(t.Context(), c, logger, time.Nanosecond); !errors.Is(err, hallpass.Unavailable) {
		t.Errorf("it gave up with %v", err)
	}
	log.await(t, waits)
	if err := server.OpenWithin(t.Context(), c, logger, 0); !errors.Is(err, hallpass.Unavailable) {
		t.Errorf("what waits for nothing ended with %v", err)
	}
	if len(log) > 0 {
		t.Errorf("what waits for nothing says %s", <-log)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- server.OpenWithin(ctx, c, logger, time.Hour) }()
	log.await(t, waits)
	stop()
	if err := <-ended; !errors.Is(err, hallpass.Unavailable) {
		t.Errorf("it was stopped, and ended with %v", err)
	}
}
