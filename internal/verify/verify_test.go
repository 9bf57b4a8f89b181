package verify_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

var password = secret.NewText("violet lamps hum at noon")

// world is both sides on one database, with a clock wound by hand and the
// flushing that a server does.
type world struct {
	t      testing.TB
	db     *store.DB
	admin  *admin.Admin
	verify *verify.Verifier
	node   *node.Node
	now    atomic.Int64 // UTC microseconds
	caller hallpass.Caller
}

var home = hallpass.From{Address: "10.0.0.1", UserAgent: "test"}

func newWorld(t testing.TB, o verify.Options) *world {
	t.Helper()
	return newWorldOf(t, node.Options{}, o)
}

func newWorldOf(t testing.TB, n node.Options, o verify.Options) *world {
	t.Helper()
	db := hallpasstest.OpenStore(t)
	w := &world{t: t, db: db}
	w.now.Store(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixMicro())
	n.Now = w.clock
	w.node = hallpasstest.NewNode(t, db, n)
	w.admin, w.verify = admin.New(db, admin.Options{Now: w.clock}), verify.New(db, w.node, o)
	if err := w.admin.Begin(t.Context(), admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: password}); err != nil {
		t.Fatal(err)
	}
	keepLease(t, w.node)
	ctx, cancel := context.WithCancel(context.Background())
	var flushing sync.WaitGroup
	flushing.Go(func() {
		for {
			select {
			case <-w.verify.Wake():
				err := w.verify.FlushFirst(ctx)
				for errors.Is(err, hallpass.Unavailable) && ctx.Err() == nil { // it gives way to changes, and comes again
					err = w.verify.FlushFirst(ctx)
				}
				if err != nil && ctx.Err() == nil {
					t.Errorf("flush: %v", err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		flushing.Wait()
	})
	var err error
	if w.caller, err = w.verify.Password(t.Context(), "admin", password, 0, home, ""); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) clock() time.Time { return time.UnixMicro(w.now.Load()).UTC() }

// firstToken makes a token that lives for so many seconds, 0 for ever, and
// returns the admin who made it too.
func firstToken(t testing.TB, a *admin.Admin, v *verify.Verifier, seconds int64) (boss hallpass.Caller, text string) {
	t.Helper()
	boss, err := v.Password(t.Context(), "admin", password, 0, home, "")
	if err != nil {
		t.Fatal(err)
	}
	account, err := a.CreateServiceAccount(t.Context(), boss, admin.NewServiceAccount{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.CreateToken(t.Context(), boss, account.ID, admin.NewToken{Name: "t", Seconds: seconds})
	if err != nil {
		t.Fatal(err)
	}
	return boss, made.Secret.Reveal()
}

// keepLease has the node keep its lease, where the database is shared.
func keepLease(t testing.TB, n *node.Node) {
	t.Helper()
	if !n.Shared() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := n.Join(ctx); err != nil {
		t.Fatal(err)
	}
	var beating sync.WaitGroup
	beating.Go(func() {
		for ctx.Err() == nil {
			if err := n.Heartbeat(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("heartbeat: %v", err)
				return
			}
			time.Sleep(5 * time.Millisecond) // from one heartbeat to the next
		}
	})
	t.Cleanup(func() {
		cancel()
		beating.Wait()
	})
}

func (w *world) wind(d time.Duration) { w.now.Add(d.Microseconds()) }

func (w *world) account(name string) hallpass.ServiceAccountID {
	w.t.Helper()
	a, err := w.admin.CreateServiceAccount(w.t.Context(), w.caller, admin.NewServiceAccount{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return a.ID
}

func (w *world) token(a hallpass.ServiceAccountID, name string, seconds int64) (hallpass.TokenID, string) {
	w.t.Helper()
	made, err := w.admin.CreateToken(w.t.Context(), w.caller, a, admin.NewToken{Name: name, Seconds: seconds})
	if err != nil {
		w.t.Fatal(err)
	}
	return made.Token.ID, made.Secret.Reveal()
}

func (w *world) disable(a hallpass.ServiceAccountID, disabled bool) {
	w.t.Helper()
	if _, err := w.admin.UpdateServiceAccount(w.t.Context(), w.caller, a, hallpass.ServiceAccountPatch{Disabled: &disabled}); err != nil {
		w.t.Fatal(err)
	}
}

// refused returns the ID of the refusal, "" for none.
func (w *world) refused(text string, org hallpass.OrgID) string {
	w.t.Helper()
	_, err := w.verify.Bearer(w.t.Context(), text, org, home)
	return idOf(err)
}

func idOf(err error) string {
	var e *hallpass.Error
	if errors.As(err, &e) {
		return e.ID
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestToken(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	id, good := w.token(a, "good", 0)
	_, short := w.token(a, "short", 60)
	want := func(what, text string, org hallpass.OrgID, id string) {
		t.Helper()
		for range 2 { // once from the database, once from memory
			if got := w.refused(text, org); got != id {
				t.Errorf("%s: %q, want %q", what, got, id)
			}
		}
	}
	want("good", good, 0, "")
	want("its own org", good, 1, "")
	want("another org", good, 2, "api-key.organization-mismatch")
	want("malformed", good+"x", 0, "api-key.invalid")
	want("unknown", secret.NewToken().Reveal(), 0, "api-key.invalid")
	want("short, in time", short, 0, "")
	w.wind(59*time.Second + 999*time.Millisecond)
	want("short, at its last moment", short, 0, "")
	w.wind(time.Millisecond)
	want("short, at its end", short, 0, "api-key.expired")
	w.disable(a, true)
	want("disabled", good, 0, "identity.disabled")
	w.disable(a, false)
	want("enabled", good, 0, "")
	if err := w.admin.DeleteToken(t.Context(), w.caller, a, id); err != nil {
		t.Fatal(err)
	}
	want("deleted", good, 0, "api-key.invalid")

	_, more := w.token(a, "more", 0)
	c, err := w.verify.Bearer(t.Context(), more, 0, home)
	if err != nil || c.ServiceAccount() != a || c.Role != hallpass.RoleViewer || c.From != home || c.Can(hallpass.ServiceAccountsCreate, "") {
		t.Errorf("caller %+v, %v", c, err)
	}
	editor := hallpass.RoleEditor
	if _, err := w.admin.UpdateServiceAccount(t.Context(), w.caller, a, hallpass.ServiceAccountPatch{Role: &editor}); err != nil {
		t.Fatal(err)
	}
	if c, err = w.verify.Bearer(t.Context(), more, 0, home); err != nil || c.Role != hallpass.RoleEditor {
		t.Errorf("after its role changed: %v, %v", c.Role, err)
	}
	if err := w.admin.DeleteServiceAccount(t.Context(), w.caller, a); err != nil {
		t.Fatal(err)
	}
	want("account deleted", more, 0, "api-key.invalid")
}

// TestRevocationIsAtOnce has many goroutines verify one token while it is
// deleted, or its account disabled: a verification that began after that was
// answered must be refused.
func TestRevocationIsAtOnce(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	for i := range 60 {
		text := w.endUnderLoad(a, i, 0, func(int) {})
		if got := w.refused(text, 0); i%2 == 1 && got != "" {
			t.Fatalf("round %d: enabled, and refused with %s", i, got)
		}
	}
}

// endUnderLoad makes a token and ends it after so many verifications, in round i
// by deletion or by disabling its account, which is enabled again at the end.
// Meanwhile four goroutines verify the token; each calls besides in between with
// a number that goes up. No verification that began after the end was answered
// may succeed.
func (w *world) endUnderLoad(a hallpass.ServiceAccountID, i int, verifications int64, besides func(n int)) (text string) {
	t := w.t
	t.Helper()
	id, text := w.token(a, fmt.Sprint("t", i), 0)
	var revoked, stop atomic.Bool
	var tried, late atomic.Int64
	var users sync.WaitGroup
	for n := range 4 {
		users.Go(func() {
			for j := n; !stop.Load(); j++ {
				before := revoked.Load()
				if _, err := w.verify.Bearer(context.Background(), text, 0, home); before && err == nil {
					late.Add(1)
				}
				tried.Add(1)
				besides(j)
			}
		})
	}
	hallpasstest.Eventually(t, "verifications before the end", func() bool { return tried.Load() >= verifications })
	if i%2 == 0 {
		if err := w.admin.DeleteToken(context.Background(), w.caller, a, id); err != nil {
			t.Error(err)
		}
	} else {
		w.disable(a, true)
	}
	revoked.Store(true)
	answered := tried.Load()
	hallpasstest.Eventually(t, "verifications after the end", func() bool { return tried.Load() >= answered+40 })
	stop.Store(true)
	users.Wait()
	if late.Load() > 0 {
		t.Fatalf("round %d: %d verifications succeeded after the revocation was answered", i, late.Load())
	}
	if i%2 == 1 {
		w.disable(a, false)
	}
	return text
}

// TestSmallCache verifies more tokens than the cache holds.
func TestSmallCache(t *testing.T) {
	w := newWorld(t, verify.Options{CacheSize: 16})
	a := w.account("ci")
	var texts []string
	for i := range 100 {
		_, text := w.token(a, fmt.Sprint("t", i), 0)
		texts = append(texts, text)
	}
	for range 2 {
		for i, text := range texts {
			if got := w.refused(text, 0); got != "" {
				t.Fatalf("token %d: %s", i, got)
			}
		}
	}
	w.disable(a, true)
	for i, text := range texts {
		if got := w.refused(text, 0); got != "identity.disabled" {
			t.Fatalf("token %d of the disabled account: %q", i, got)
		}
	}
}

func TestUses(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	_, text := w.token(a, "t", 0)
	stored := func() hallpass.Use {
		t.Helper()
		tokens, _, err := w.admin.Tokens(t.Context(), w.caller, a)
		if err != nil {
			t.Fatal(err)
		}
		return tokens[0].LastUse
	}
	if u := stored(); !u.At.IsZero() {
		t.Fatalf("used before it was: %v", u)
	}
	if got := w.refused(text, 2); got == "" || !stored().At.IsZero() {
		t.Errorf("a refusal counted as a use (%q)", got)
	}
	first := w.admin.Now()
	if got := w.refused(text, 0); got != "" {
		t.Fatal(got)
	}
	if u := stored(); !u.At.Equal(first) || u.Address != home.Address || u.UserAgent != home.UserAgent {
		t.Errorf("the first use is stored as %v, want %v at once", u, first)
	}
	w.wind(time.Minute)
	elsewhere := hallpass.From{Address: "10.0.0.2", UserAgent: "curl/8"}
	if _, err := w.verify.Bearer(t.Context(), text, 0, elsewhere); err != nil {
		t.Fatal(err)
	}
	tokens, _, err := w.admin.Tokens(t.Context(), w.caller, a)
	if err != nil {
		t.Fatal(err)
	}
	w.verify.Uses(tokens)
	want := hallpass.Use{At: w.admin.Now(), Address: "10.0.0.2", UserAgent: "curl/8"}
	if tokens[0].LastUse != want {
		t.Errorf("before the flush %v, want %v", tokens[0].LastUse, want)
	}
	if err := w.verify.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := stored(); got != want {
		t.Errorf("after the flush %v, want %v", got, want)
	}
}

func TestPasswords(t *testing.T) {
	w := newWorld(t, verify.Options{})
	try := func(login, p string, from hallpass.From) string {
		t.Helper()
		_, err := w.verify.Password(t.Context(), login, secret.NewText(p), 0, from, "")
		return idOf(err)
	}
	const wrong = "password-auth.failed"
	for _, login := range []string{"admin", "ADMIN", "admin@localhost"} {
		if got := try(login, password.Reveal(), home); got != "" {
			t.Errorf("%s: %s", login, got)
		}
	}
	if got := try("stranger", "whatever it may be", home); got != wrong {
		t.Errorf("unknown user: %s", got)
	}
	if err := w.admin.ChangePassword(t.Context(), w.caller, secret.NewText("a quiet harbour under snow")); err != nil {
		t.Fatal(err)
	}
	if got := try("admin", password.Reveal(), home); got != wrong {
		t.Errorf("the old password, remembered: %q", got)
	}
	if got := try("admin", "a quiet harbour under snow", home); got != "" {
		t.Errorf("the new one: %q", got)
	}
}

func TestSessions(t *testing.T) {
	w := newWorld(t, verify.Options{})
	start := func() string {
		t.Helper()
		_, id, err := w.admin.StartSession(t.Context(), w.caller)
		if err != nil {
			t.Fatal(err)
		}
		return id.Reveal()
	}
	check := func(id string) (hallpass.Caller, error) { return w.verify.Session(t.Context(), id, 0, home) }
	used, rested := start(), start()
	for range 6 { // a day at a time, so that it never rests long
		w.wind(24 * time.Hour)
		if c, err := check(used); err != nil || c.User() != w.caller.User() {
			t.Fatalf("a used session: %v", err)
		}
		if err := w.verify.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.wind(24 * time.Hour)
	if _, err := check(rested); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("a session that rested a week: %v", err)
	}
	c, err := check(used)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin.EndSession(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := check(used); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("an ended session: %v", err)
	}
}
