package node_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

func write(t *testing.T, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// newToken makes a token of a new account in a new org, all of that name.
func newToken(t *testing.T, db *store.DB, name string) (tok hallpass.Token) {
	t.Helper()
	write(t, db, func(tx *store.Tx) error {
		now := time.Now()
		o, err := tx.CreateOrg(hallpass.Org{Name: name, CreatedAt: now, UpdatedAt: now})
		if err != nil {
			return err
		}
		a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{
			UID: secret.NewUID(), Org: o.ID, Name: name, Login: hallpass.ServiceAccountLogin(o.ID, name), Role: hallpass.RoleViewer, CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return err
		}
		text := secret.NewToken()
		tok, err = tx.CreateToken(hallpass.Token{Org: o.ID, ServiceAccount: a.ID, Name: name, Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: now})
		return err
	})
	return tok
}

// revoke ends the token, with the change that says so.
func revoke(t *testing.T, db *store.DB, tok hallpass.Token) {
	t.Helper()
	write(t, db, func(tx *store.Tx) error {
		if err := tx.Change(hallpass.Change{Kind: hallpass.TokenChanged, ID: int64(tok.ID), Hash: tok.Hash}); err != nil {
			return err
		}
		return tx.RevokeToken(tok.Org, tok.ID, time.Now())
	})
}

// revoked reports whether the token has ended in db.
func revoked(t *testing.T, db *store.DB, tok hallpass.Token) bool {
	t.Helper()
	var now hallpass.Token
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		now, err = tx.OrgToken(tok.Org, tok.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return !now.RevokedAt.IsZero()
}

// copyOf returns a copy of db as it is now.
func copyOf(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	to := hallpasstest.OpenStore(t)
	if _, err := store.Copy(t.Context(), db, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestSettle has a node that remembers a revocation meet copies of the database from
// before it: in each the token is ended again, once, and what is lost is named. What
// the journal cannot tell, a person has to accept.
func TestSettle(t *testing.T) {
	db := begun(t)
	tok := newToken(t, db, "kept")
	dir := t.TempDir()
	j := hallpasstest.OpenJournal(t, dir)
	settle := func(db *store.DB, want node.Settlement, wantErr string) {
		t.Helper()
		got, err := hallpasstest.NewNodeOf(t, db, j, node.Options{}).Settle(t.Context())
		if d := cmp.Diff(got, want); d != "" {
			t.Errorf("settling did this, and should have done that:\n%s", d)
		}
		if (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("settling says %v, want %q", err, wantErr)
		}
	}
	settle(db, node.Settlement{}, "")
	older := copyOf(t, db)
	revoke(t, db, tok)
	newToken(t, db, "lost")
	settle(db, node.Settlement{}, "") // the journal hears of the revocation
	if err := hallpasstest.NewNodeOf(t, db, j, node.Options{}).Count(t.Context()); err != nil {
		t.Fatal(err)
	}

	if revoked(t, older, tok) {
		t.Fatal("the copy is not from before the revocation")
	}
	lost := []string{"account or user no. 2", "token no. 2", "org no. 2"}
	settle(older, node.Settlement{Reapplied: 1, Lost: lost}, "")
	if !revoked(t, older, tok) {
		t.Error("what had ended is valid in the older copy")
	}
	settle(older, node.Settlement{}, "")
	if later := newToken(t, older, "later"); later.ID != 3 {
		t.Errorf("a token made now has the number %d, which was given before", later.ID)
	}

	unknown := copyOf(t, older)
	change(t, older, hallpass.PermissionsChanged, int64(tok.Org))
	settle(older, node.Settlement{}, "")
	const look = "run hallpass admin accept-history"
	settle(unknown, node.Settlement{}, look)
	n := hallpasstest.NewNodeOf(t, unknown, j, node.Options{})
	for _, yes := range []bool{false, true} {
		h, err := n.AcceptHistory(t.Context(), yes)
		if err != nil || h.Shared || !h.Whole || len(h.Open) != 1 || h.Known != h.Now+1 {
			t.Errorf("to be accepted: %+v, %v", h, err)
		}
	}
	settle(unknown, node.Settlement{}, "")

	other := hallpasstest.OpenStore(t)
	write(t, other, func(tx *store.Tx) error { return tx.Begin("another") })
	settle(other, node.Settlement{}, "the database of another")
	if _, err := hallpasstest.NewNodeOf(t, other, j, node.Options{}).AcceptHistory(t.Context(), true); !errors.Is(err, store.ErrDiverged) {
		t.Errorf("another installation is accepted: %v", err)
	}
}

// TestSettleLateJournal has a journal that began after the copy was made: that what
// is lost is not whole is said, and what is known is ended again.
func TestSettleLateJournal(t *testing.T) {
	db := begun(t)
	tok := newToken(t, db, "t")
	change(t, db, hallpass.OrgChanged, 900)
	older := copyOf(t, db)
	change(t, db, hallpass.OrgChanged, 901)
	j := hallpasstest.OpenJournal(t, t.TempDir())
	if err := j.Begin(state(t, db), false); err != nil {
		t.Fatal(err)
	}
	revoke(t, db, tok)
	hallpasstest.Keep(t, db, j)
	got, err := hallpasstest.NewNodeOf(t, older, j, node.Options{}).Settle(t.Context())
	if got.Reapplied != 1 || err == nil || !strings.Contains(err.Error(), "older than the journal") {
		t.Errorf("settled %+v, %v", got, err)
	}
	if !revoked(t, older, tok) {
		t.Error("what is known to have ended is valid")
	}
}

// TestSalvage has the journal hear of a revocation that a killed server did not write
// to it, from the database that a copy is about to replace.
func TestSalvage(t *testing.T) {
	db := begun(t)
	tok := newToken(t, db, "t")
	older := copyOf(t, db)
	revoke(t, db, tok)
	j := hallpasstest.OpenJournal(t, t.TempDir())
	if err := j.Salvage(t.Context(), db, older); err != nil {
		t.Fatal(err)
	}
	got, err := hallpasstest.NewNodeOf(t, older, j, node.Options{}).Settle(t.Context())
	if err != nil || got.Reapplied != 1 || !revoked(t, older, tok) {
		t.Errorf("settled %+v, %v; revoked: %v", got, err, revoked(t, older, tok))
	}
}

// fallBack makes the PostgreSQL database what it was before anything changed: no
// token in it has ended.
func fallBack(t *testing.T, url secret.Text) {
	t.Helper()
	raw, err := sql.Open("pgx", url.Reveal())
	if err != nil {
		t.Error(err)
		return
	}
	raw.SetMaxOpenConns(1) // for the setting
	for _, statement := range []string{
		`SELECT set_config('hallpass.own', 'yes', FALSE)`,
		`UPDATE tokens SET revoked_us = 0`, `DELETE FROM changes`, `UPDATE state SET v = 0, digest = decode(repeat('00', 32), 'hex')`,
	} {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Error(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Error(err)
	}
}

// TestDivergedBetweenHeartbeats has the database fall back to an older copy just when
// this node has applied a revocation and not yet acknowledged it: what it applied is
// in the journal when the copy is settled.
func TestDivergedBetweenHeartbeats(t *testing.T) {
	if !hallpasstest.OnPostgres() {
		t.Skip("only PostgreSQL is shared")
	}
	url := hallpasstest.Postgres(t)
	here, there := hallpasstest.OpenPostgres(t, url), hallpasstest.OpenPostgres(t, url)
	write(t, there, func(tx *store.Tx) error { return tx.Begin("test") })
	tok := newToken(t, there, "t")
	j := hallpasstest.OpenJournal(t, t.TempDir())
	n := hallpasstest.NewNodeOf(t, here, j, node.Options{MaxStaleness: 3 * time.Second}) // the revocation waits for as long
	if _, err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := false
	here.Subscribe(func(event store.ChangeEvent) {
		heard := slices.ContainsFunc(event.Changes, func(c hallpass.Change) bool { return c.Kind == hallpass.TokenChanged })
		if done || event.Phase != store.Settled || !heard {
			return
		}
		done = true
		fallBack(t, url)
	})
	revoked := make(chan struct{})
	go func() { defer close(revoked); revoke(t, there, tok) }()
	var err error
	for err == nil {
		err = n.Heartbeat(t.Context())
	}
	if !errors.Is(err, store.ErrDiverged) {
		t.Fatal(err)
	}
	if got := j.Known().Version; got != 1 {
		t.Errorf("the journal knows version %d, want 1", got)
	}
	got, err := n.Settle(t.Context())
	if err != nil || got.Reapplied != 1 {
		t.Errorf("settled %+v, %v", got, err)
	}
	if err := n.Join(t.Context()); err != nil {
		t.Error(err)
	}
	<-revoked
}

// TestRun has a node run: it acknowledges what another changes, and when the database
// falls back to an older copy it ends again what had ended and goes on.
func TestRun(t *testing.T) {
	if !hallpasstest.OnPostgres() {
		t.Skip("only PostgreSQL is shared")
	}
	url := hallpasstest.Postgres(t)
	here, there := hallpasstest.OpenPostgres(t, url), hallpasstest.OpenPostgres(t, url)
	write(t, there, func(tx *store.Tx) error { return tx.Begin("test") })
	tok := newToken(t, there, "t")
	var log bytes.Buffer
	n := hallpasstest.NewNode(t, here, node.Options{MaxStaleness: time.Hour, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if _, err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { n.Run(ctx) })
	revoke(t, there, tok) // would wait for an hour if nothing acknowledged it
	if n.Applied() != 1 {
		t.Errorf("a change was answered, and this node has applied %d", n.Applied())
	}
	fallBack(t, url)
	hallpasstest.Eventually(t, "what had ended to be ended again, and a lease", func() bool {
		s := n.Status()
		return revoked(t, there, tok) && !s.Diverged && s.Leased
	})
	list, err := n.Peers(t.Context())
	if err != nil || len(list) != 1 || !list[0].Self || list[0].State != node.Live {
		t.Errorf("the list is %+v, %v", list, err)
	}
	stop()
	running.Wait()
	n.Leave(t.Context())
	if said := "what had ended was ended again"; strings.Count(log.String(), said) != 1 {
		t.Errorf("the log does not say once that %s:\n%s", said, log.String())
	}
}
