package client_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/wire"
)

// A fleet is a server with a service account, whose administrator is the client.
type fleet struct {
	*client.Client
	t       *testing.T
	s       *hallpasstest.Server
	account int64
}

func newFleet(t *testing.T, configure ...func(*server.Config)) fleet {
	t.Helper()
	f := fleet{t: t, s: hallpasstest.New(t, configure...)}
	f.Client = client.NewWith(f.s.URL, client.Options{Credential: client.Basic("admin", hallpasstest.AdminPassword)})
	a, err := f.CreateServiceAccount(t.Context(), wire.CreateServiceAccount{Name: "ci", Owner: "ops", Purpose: "deploys"})
	if err != nil {
		t.Fatal(err)
	}
	f.account = a.ID
	return f
}

func (f fleet) token(in wire.CreateToken) wire.NewToken {
	f.t.Helper()
	k, err := f.CreateToken(f.t.Context(), f.account, in)
	if err != nil {
		f.t.Fatal(err)
	}
	return k
}

// of returns what a call answers with; an error fails the test.
func of[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused fails the test unless err is an answer with the status and the messageId.
func refused(t *testing.T, err error, status int, id string) *client.Error {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) || e.Status != status || e.MessageID != id {
		t.Fatalf("the error is %v, want %d %s", err, status, id)
	}
	return e
}

// works fails the test unless the token is accepted, or refused with the messageId.
func (f fleet) works(key, refusal string) {
	f.t.Helper()
	_, _, err := client.New(f.s.URL, key).Org(f.t.Context())
	if refusal != "" {
		refused(f.t, err, http.StatusUnauthorized, refusal)
	} else if err != nil {
		f.t.Fatal(err)
	}
}

// TestRotation replaces a token, asks again for the answer, and ends the rotation in each
// way.
func TestRotation(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	old := f.token(wire.CreateToken{Name: "deploy", SecondsToLive: 3600})
	grace := int64(1800)
	in := wire.RotateToken{GraceSeconds: &grace, Reason: "quarterly"}
	made := of(f.RotateToken(ctx, f.account, old.ID, in, "key-1"))(t)
	if made.Name != "deploy" || made.Generation != 2 || made.Replaces.ID != old.ID || made.Replayed || made.Expiration == nil {
		t.Errorf("rotated: %+v", made)
	}
	_, err := f.RotateToken(ctx, f.account, old.ID, in, "key-1")
	if e := refused(t, err, 409, "token.rotation-in-flight"); e.RetryAfter != 2*time.Second {
		t.Errorf("it may be sent again after %s", e.RetryAfter)
	}
	f.s.Clock.Wind(3 * time.Second)
	again := of(f.RotateToken(ctx, f.account, old.ID, in, "key-1"))(t)
	if again.ID != made.ID || again.Key == made.Key || !again.Replayed {
		t.Errorf("sent again: %+v", again)
	}
	f.works(made.Key, "api-key.invalid")
	f.works(old.Key, "")
	_, err = f.RotateToken(ctx, f.account, old.ID, in, "")
	if e := refused(t, err, 409, "token.already-rotated"); e.Token == nil || e.Token.ID != made.ID || e.Token.State != "live" {
		t.Errorf("the token that replaces it: %+v", e.Token)
	}
	longer := of(f.ExtendRotation(ctx, f.account, old.ID, 2400))(t)
	if longer.State != "overlapping" || !longer.ClosesAt.After(made.Replaces.ClosesAt) || *longer.ReplacedByID != made.ID {
		t.Errorf("extended: %+v", longer)
	}
	back := of(f.UndoRotation(ctx, f.account, made.ID))(t)
	if back.ID != old.ID || back.State != "live" || back.ClosesAt != nil {
		t.Errorf("undone: %+v", back)
	}
	f.works(again.Key, "api-key.revoked")
	third := of(f.RotateToken(ctx, f.account, old.ID, wire.RotateToken{}, ""))(t)
	if m := of(f.RetireToken(ctx, f.account, old.ID))(t); m.Message != "Service account token retired" {
		t.Errorf("retired: %s", m.Message)
	}
	f.works(old.Key, "api-key.rotated")
	f.works(third.Key, "")
}

// TestKeyOfACreation loses the answer of a creation.
func TestKeyOfACreation(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	in := wire.CreateToken{Name: "deploy", SecondsToLive: 3600}
	first := of(f.CreateTokenOnce(ctx, f.account, in, "key-1"))(t)
	f.s.Clock.Wind(3 * time.Second)
	second := of(f.CreateTokenOnce(ctx, f.account, in, "key-1"))(t)
	if second.ID != first.ID || second.Key == first.Key || !second.Replayed {
		t.Errorf("sent again: %+v", second)
	}
	f.works(second.Key, "")
	_, err := f.CreateTokenOnce(ctx, f.account, in, "key-1")
	if e := refused(t, err, 409, "token.rotation-used"); e.Token == nil || e.Token.ID != first.ID {
		t.Errorf("the token that was used: %+v", e.Token)
	}
	in.Name = "other"
	_, err = f.CreateTokenOnce(ctx, f.account, in, "key-1")
	refused(t, err, 422, "token.rotation-key-reused")
}

// TestRotateSelf has a token replace itself.
func TestRotateSelf(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	until := f.s.Clock.Now().Add(24 * time.Hour)
	k := f.token(wire.CreateToken{Name: "deploy", SecondsToLive: 3600, SelfRotate: true, RenewUntil: &until})
	itself := client.New(f.s.URL, k.Key)
	made := of(itself.RotateSelf(ctx, wire.RotateToken{}, "key-1"))(t)
	self := of(client.New(f.s.URL, made.Key).SelfToken(ctx))(t)
	if self.ID != made.ID || !self.SelfRotate || self.ServiceAccount.ID != f.account || self.OrgID != 1 || len(self.Held) == 0 {
		t.Errorf("the token's own record: %+v", self)
	}
	plain := f.token(wire.CreateToken{Name: "plain", SecondsToLive: 3600})
	_, err := client.New(f.s.URL, plain.Key).RotateSelf(ctx, wire.RotateToken{}, "")
	refused(t, err, 403, "token.self-rotation-off")
}

// TestUpdateToken pauses, narrows and renames a token, and clears what was set.
func TestUpdateToken(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	k := f.token(wire.CreateToken{Name: "deploy", Networks: []string{"127.0.0.0/8"}, RateLimit: &wire.RateLimit{Requests: 100, Seconds: 60}})
	paused := of(f.PauseToken(ctx, f.account, k.ID, 15*time.Minute, "who uses it?"))(t)
	if p := paused.Paused; paused.State != "paused" || p.Until == nil || p.Until.Sub(p.Since) != 15*time.Minute || p.Reason != "who uses it?" {
		t.Errorf("paused: %+v", p)
	}
	f.works(k.Key, "api-key.paused")
	if t2 := of(f.ResumeToken(ctx, f.account, k.ID))(t); t2.Paused != nil || t2.State != "live" {
		t.Errorf("resumed: %+v", t2)
	}
	f.works(k.Key, "")
	if p := of(f.PauseToken(ctx, f.account, k.ID, 0, ""))(t).Paused; p == nil || p.Until != nil {
		t.Errorf("paused until somebody ends it: %+v", p)
	}
	got := of(f.UpdateToken(ctx, f.account, k.ID, wire.UpdateToken{
		Name: wire.To("sync"), Owner: wire.To("dev"), ReadOnly: wire.To(true), MaxRole: wire.To("Viewer"), Paused: wire.To(false), RateLimit: wire.Null[wire.RateLimit](),
		Networks: wire.Null[[]string](), Permissions: wire.To([]wire.Permission{{Action: "orgs:read"}}),
	}))(t)
	want := wire.Token{Name: "sync", Owner: "dev", Purpose: "deploys", ReadOnly: true, MaxRole: got.MaxRole, Permissions: &[]wire.Permission{{Action: "orgs:read"}}, Networks: []string{}}
	if d := cmp.Diff(want, wire.Token{
		Name: got.Name, Owner: got.Owner, Purpose: got.Purpose, ReadOnly: got.ReadOnly, MaxRole: got.MaxRole, Permissions: got.Permissions, Networks: got.Networks, RateLimit: got.RateLimit, Paused: got.Paused,
	}); d != "" || *got.MaxRole != "Viewer" {
		t.Errorf("changed (-want +got):\n%s", d)
	}
	f.works(k.Key, "")
}

// TestLimited uses a token too often, and from a network that is not its own.
func TestLimited(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	slow := f.token(wire.CreateToken{Name: "slow", RateLimit: &wire.RateLimit{Requests: 1, Seconds: 3600}})
	far := f.token(wire.CreateToken{Name: "far", Networks: []string{"192.0.2.0/24"}})
	f.works(slow.Key, "")
	_, _, err := client.New(f.s.URL, slow.Key).Org(ctx)
	if e := refused(t, err, 429, "api-key.rate-limited"); e.RetryAfter < 59*time.Minute || e.RetryAfter > time.Hour {
		t.Errorf("it may be sent again after %s", e.RetryAfter)
	}
	_, _, err = client.New(f.s.URL, far.Key).Org(ctx)
	refused(t, err, 403, "api-key.network")
}

// TestInventory finds tokens of all accounts, page by page and as a table.
func TestInventory(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	day := f.token(wire.CreateToken{Name: "day", SecondsToLive: 86400})
	f.token(wire.CreateToken{Name: "ever"})
	f.works(day.Key, "")
	names := func(filter client.InventoryFilter, n int) (list []string) {
		for _, k := range of(f.Inventory(ctx, filter, n))(t) {
			list = append(list, k.Name)
		}
		return list
	}
	for _, tt := range []struct {
		name string
		f    client.InventoryFilter
		n    int
		want []string
	}{
		{"all", client.InventoryFilter{}, 1000, []string{"day", "ever"}},
		{"the other way", client.InventoryFilter{Sort: "-name"}, 1, []string{"ever"}},
		{"ending soon", client.InventoryFilter{ExpiresBefore: f.s.Clock.Now().Add(48 * time.Hour)}, 9, []string{"day"}},
		{"not ended", client.InventoryFilter{ExpiresAfter: f.s.Clock.Now().Add(48 * time.Hour)}, 9, []string{"ever"}},
		{"never ending", client.InventoryFilter{NoExpiry: true, Owner: "ops", Account: f.account, State: "live", Query: "ev"}, 9, []string{"ever"}},
		{"never used", client.InventoryFilter{NeverUsed: true}, 9, []string{"ever"}},
		{"by its last four", client.InventoryFilter{LastFour: day.Key[len(day.Key)-4:]}, 9, []string{"day"}},
	} {
		if d := cmp.Diff(tt.want, names(tt.f, tt.n)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	if one := of(f.InventoryToken(ctx, day.ID))(t); one.Name != "day" || one.ServiceAccount.Login != "sa-1-ci" {
		t.Errorf("one token: %+v", one)
	}
	var table strings.Builder
	if err := f.ExportInventory(ctx, client.InventoryFilter{Query: "day"}, &table); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(table.String()), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[0], "id,name,") || !strings.Contains(lines[1], ",day,") {
		t.Errorf("the table:\n%s", &table)
	}
	err := f.ExportInventory(ctx, client.InventoryFilter{State: "asleep"}, &table)
	refused(t, err, 400, "request.malformed")
}

// TestUsage reads who uses a token and for what, and what a change would break.
func TestUsage(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	k := f.token(wire.CreateToken{Name: "deploy"})
	f.works(k.Key, "")
	hallpasstest.Eventually(t, "the use is written", func() bool { return len(of(f.TokenUsage(ctx, f.account, k.ID, 30))(t).Places) == 1 })
	u := of(f.TokenUsage(ctx, f.account, k.ID, 30))(t)
	if p := u.Places[0]; len(u.Days) != 1 || u.Days[0].OK != 1 || p.UserAgent != "hallpass" || p.Route != "GET /api/org" || len(u.Actions) != 1 || u.Actions[0].Action != "orgs:read" {
		t.Errorf("usage: %+v", u)
	}
	used := of(f.UsedPermissions(ctx, f.account, 7))(t)
	if used.Granted == 0 || used.Granted != used.Used+len(used.Unused) || used.Window.Complete {
		t.Errorf("used permissions: %+v", used)
	}
	for action, breaks := range map[string]bool{"disable": true, "delete": true, "role:Editor": false} {
		if i := of(f.Impact(ctx, f.account, action, 7))(t); i.WouldBreak != breaks {
			t.Errorf("impact of %s: %+v", action, i)
		}
	}
}

// TestTokenEvents watches a token: its first use, and a request that is refused.
func TestTokenEvents(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	k := f.token(wire.CreateToken{Name: "deploy"})
	f.works(k.Key, "")
	var kinds []string
	enough := errors.New("enough")
	err := f.TokenEvents(ctx, f.account, k.ID, time.Time{}, func(e wire.TokenEvent) error {
		kinds = append(kinds, e.Kind)
		if e.Kind == "first-use" { // now the stream is open
			of(f.PauseToken(ctx, f.account, k.ID, 0, ""))(t)
			f.works(k.Key, "api-key.paused")
			return nil
		}
		if e.Reason != "api-key.paused" || e.UserAgent != "hallpass" {
			t.Errorf("refused: %+v", e)
		}
		return enough
	})
	if !errors.Is(err, enough) || !slices.Equal(kinds, []string{"first-use", "refused"}) {
		t.Errorf("%v, %v", kinds, err)
	}
	refused(t, f.TokenEvents(ctx, f.account, 999, time.Time{}, nil), 404, "serviceaccounts.ErrTokenNotFound")
}
