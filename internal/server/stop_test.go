package server_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestStopWithSlowClient stops a server while a client is in the middle of its
// request: that is cut off, and what is in memory is written all the same.
func TestStopWithSlowClient(t *testing.T) {
	c := server.DefaultConfig()
	const password = "violet lamps hum at noon"
	c.DataDir, c.Server.HTTPAddr, c.Server.HTTPPort, c.Server.ShutdownDelay, c.Security.AdminPassword = t.TempDir(), "127.0.0.1", 0, "0s", secret.NewText(password)
	s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.DrainWithin(time.Millisecond)
	address, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // the server closed it
	_, err = fmt.Fprintf(conn, "POST /api/serviceaccounts HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 100\r\nAuthorization: Basic %s\r\n\r\n",
		base64.StdEncoding.EncodeToString([]byte("admin:"+password)))
	if err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 100)
	if n, err := conn.Read(said); !strings.HasPrefix(string(said[:n]), "HTTP/1.1 100 ") { // it reads the body now
		t.Fatalf("the server says %q, %v", said[:n], err)
	}
	s.Store().RecordAudit(hallpass.AuditEntry{At: time.Now(), Org: 1, Action: "token.verify", Target: "token:1", Outcome: hallpass.Refused})
	stop()
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ended with %v, want the slow client's request cut off", err)
	}
	page, err := s.Store().Audit(t.Context(), hallpass.AuditFilter{Action: "token.verify", Limit: 10})
	if err != nil || len(page.Entries) != 1 {
		t.Errorf("the audit has %+v, %v, want the refusal", page.Entries, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestStopWithoutJob ends background work that obeys, and gives up on work that waits for
// what never comes.
func TestStopWithoutJob(t *testing.T) {
	if !server.EndsWithin(t.Context(), func(ctx context.Context) { <-ctx.Done() }) {
		t.Error("work that ends at once is given up")
	}
	never := make(chan struct{})
	defer close(never)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if server.EndsWithin(ctx, func(context.Context) { <-never }) {
		t.Error("work that never ends is said to have ended")
	}
}
