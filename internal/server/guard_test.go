package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestGuardUsageIsKept has the database refuse uses of guards for a while: none is lost
// or counted twice, and while very many wait no more are taken.
func TestGuardUsageIsKept(t *testing.T) {
	use := func(token hallpass.TokenID, n int64) hallpass.GuardUse {
		return hallpass.GuardUse{Guard: 1, Rule: 1, Outcome: "allowed", Token: token, Count: n}
	}
	counted := []hallpass.GuardUse{use(1, 2), use(2, 1)}
	written := make(map[hallpass.TokenID]int64)
	var down error
	u := server.NewGuardUsage(func() []hallpass.GuardUse {
		defer func() { counted = nil }()
		return counted
	}, func(_ context.Context, uses []hallpass.GuardUse) error {
		if down != nil {
			return down
		}
		for _, use := range uses {
			written[use.Token] += use.Count
		}
		return nil
	})
	flush := func(want error) {
		t.Helper()
		if err := u.Flush(t.Context()); !errors.Is(err, want) {
			t.Fatalf("flush: %v, want %v", err, want)
		}
	}
	down = errors.New("the database is away")
	flush(down)
	counted = []hallpass.GuardUse{use(1, 3)}
	flush(down)
	if down = nil; len(written) > 0 {
		t.Errorf("written: %v", written)
	}
	flush(nil)
	flush(nil)
	if d := cmp.Diff(written, map[hallpass.TokenID]int64{1: 5, 2: 1}); d != "" {
		t.Errorf("written, want:\n%s", d)
	}
	down = errors.New("the database is away")
	for i := range server.MaxGuardUses {
		counted = append(counted, use(hallpass.TokenID(i+1), 1))
	}
	flush(down)
	counted = []hallpass.GuardUse{use(1, 1)}
	flush(down)
	if len(counted) != 1 {
		t.Error("more was taken while very much waited")
	}
}

// TestGuardsOfTheFile starts a server with a guard in its file, asks its door, and
// restarts it with another file: the answers follow the file, and what was asked is
// counted when the server stops.
func TestGuardsOfTheFile(t *testing.T) {
	file := func(path string) func(*server.Config) {
		return func(c *server.Config) {
			c.ConfigFile, c.Server.TrustedProxies = "hallpass.toml", []string{"127.0.0.1/32", "::1/128"}
			if path != "" {
				c.Guards = []hallpass.Guard{{Name: "app", Org: hallpass.FirstOrg, Rules: []hallpass.GuardRule{{Path: path, Need: hallpass.Need{Kind: hallpass.NeedNothing}}}}}
			}
		}
	}
	s := hallpasstest.New(t, file("/a"))
	asks := func() int {
		return s.Do(hallpasstest.Nobody, "GET", "/guard/nginx/app", "", "X-Original-Method: GET", "X-Original-Uri: /a").StatusCode
	}
	for range 3 {
		if got := asks(); got != 200 {
			t.Fatalf("asked for what the file opens: %d", got)
		}
	}
	if err := s.ApplyGuards(t.Context(), []hallpass.Guard{{Name: "app", Org: hallpass.FirstOrg, Preset: "nosuch"}}); err == nil || !strings.Contains(err.Error(), "nosuch") || asks() != 200 {
		t.Errorf("a file that is not valid: %v, then %d", err, asks())
	}
	var usage []hallpass.GuardUse
	s.Restart(file("/b"))
	err := s.Store().Read(t.Context(), func(tx *store.Tx) error {
		g, err := tx.Guard(hallpass.FirstOrg, "app")
		if err != nil {
			return err
		}
		usage, err = tx.GuardUsage(g.ID, time.Time{})
		return err
	})
	if err != nil || len(usage) != 1 || usage[0].Count < 4 || usage[0].Outcome != "allowed" || usage[0].Rule != 1 || usage[0].Day.IsZero() {
		t.Errorf("counted: %+v, %v", usage, err)
	}
	if got := asks(); got != 401 {
		t.Errorf("asked for what the next file does not open: %d", got)
	}
	s.Restart(func(*server.Config) {}) // without a file
	if list := guardNames(t, s); list != "app" {
		t.Errorf("without a file there are the guards %q", list)
	}
	s.Restart(file(""))
	if list := guardNames(t, s); list != "" {
		t.Errorf("with a file that names none there are the guards %q", list)
	}
}

func guardNames(t *testing.T, s *hallpasstest.Server) string {
	t.Helper()
	var names []string
	err := s.Store().Read(t.Context(), func(tx *store.Tx) error {
		list, err := tx.AllGuards()
		for _, g := range list {
			names = append(names, g.Name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}
