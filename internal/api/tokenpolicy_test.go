package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestTokenPolicy sets a policy, sees what it would do, and lets the time pass: it does
// just that, and nothing to a token that is used or exempt.
func TestTokenPolicy(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = 0 })
	d := seeder{t, s}
	const day = 24 * time.Hour
	sa, other := account(t, s, "job", "Viewer"), account(t, s, "kept", "Viewer")
	stale, key := d.token(sa, "stale", 0)
	used, _ := d.token(sa, "used", 0)
	d.token(other, "kept", 0)
	admin := hallpasstest.Admin
	expect(t, "none yet", s.Do(admin, "GET", "/api/org/token-policy", ""), 200, `"staleAfterDays":0`, `"warnDays":[]`, `"exempt":[]`)
	for body, says := range map[string]string{
		`{"staleAfterDays":-1}`: "staleAfterDays", `{"staleAfterDays":30}`: "warnDays", `{"staleAfterDays":30,"warnDays":[30]}`: "warnDays", `{"staleAfterDays":30,"warnDays":[0]}`: "warnDays",
		`{"staleAfterDays":30,"warnDays":[7],"deleteAfterPausedDays":9}`: "deleteAfterPausedDays", `{"staleAfterDays":30,"warnDays":[7],"pause":true,"deleteAfterPausedDays":3}`: "warnDays",
		`{"staleAfterDays":30,"warnDays":[7],"exempt":["team:x"]}`: "exempt", `{"staleAfterDays":30,"warnDays":[7],"exempt":["owner: "]}`: "exempt", `{"staleAfterDays":3651,"warnDays":[7]}`: "staleAfterDays",
	} {
		expect(t, body, s.Do(admin, "PUT", "/api/org/token-policy", body), 400, says)
		expect(t, body, s.Do(admin, "POST", "/api/org/token-policy/preview", body), 400, says)
	}
	policy := `{"staleAfterDays":30,"warnDays":[3,14],"pause":true,"deleteAfterPausedDays":20,"exempt":["account:kept"]}`
	was := s.Clock.Now()
	expect(t, "set", s.Do(admin, "PUT", "/api/org/token-policy", policy), 200, `"warnDays":[14,3]`, `"updatedBy":"admin"`)
	s.Clock.Wind(time.Hour)
	var again wire.TokenPolicy
	into(t, s.Do(admin, "PUT", "/api/org/token-policy", policy), &again)
	if !again.Updated.Equal(was) {
		t.Errorf("the same policy again has another age: %v, not %v", again.Updated, was)
	}
	expect(t, "told to all", s.Do(s.User("vera", hallpass.RoleViewer), "GET", "/api/serviceaccounts/token-policy", ""), 200, `"staleAfterDays":30`, `"expirationRequired":false`)

	var preview wire.StalePreview
	into(t, s.Do(admin, "POST", "/api/org/token-policy/preview?days=400", policy), &preview)
	var got []string
	for _, x := range preview.Tokens {
		for _, step := range x.Steps {
			got = append(got, x.Token+" "+step.Do+" "+step.At.Sub(was).Round(day).String())
		}
	}
	want := strings.Fields("warn 384h0m0s warn 648h0m0s pause 720h0m0s warn 864h0m0s warn 1128h0m0s revoke 1200h0m0s")
	var lines []string
	for _, name := range []string{"stale", "used"} {
		for i := 0; i < len(want); i += 2 {
			lines = append(lines, name+" "+want[i]+" "+want[i+1])
		}
	}
	if diff := cmp.Diff(got, lines); diff != "" {
		t.Fatalf("the preview (got, want):\n%s", diff)
	}

	states := func(path string) (states []string) {
		t.Helper()
		var list []wire.Token
		into(t, s.Do(admin, "GET", path+"/tokens", ""), &list)
		for _, x := range list {
			states = append(states, x.Name+" "+x.State)
		}
		return states
	}
	done := func(after time.Duration, want ...string) {
		t.Helper()
		s.Clock.Wind(after - s.Clock.Now().Sub(was))
		use := store.TokenUse{Token: hallpass.TokenID(used), Use: hallpass.Use{At: s.Clock.Now()}}
		if err := s.Store().SaveUses(t.Context(), []store.TokenUse{use}); err != nil {
			t.Fatal(err)
		}
		if err := s.ApplyTokenPolicies(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(states(sa), want); diff != "" {
			t.Errorf("after %v (got, want):\n%s", after, diff)
		}
	}
	done(16*day+time.Hour, "stale live", "used live")
	done(27*day+time.Hour, "stale live", "used live")
	done(30*day+2*time.Hour, "stale paused", "used live")
	d.use(key, 401)
	d.change(stale, func(x *hallpass.Token) { x.Pause = hallpass.Pause{} })
	done(35*day, "stale live", "used live") // resumed: all begins anew
	done(51*day, "stale live", "used live")
	done(62*day, "stale live", "used live")
	done(66*day, "stale paused", "used live")
	done(72*day, "stale paused", "used live")
	done(83*day, "stale paused", "used live")
	done(87*day, "stale revoked", "used live")
	if got := states(other); got[0] != "kept live" {
		t.Errorf("what is exempt: %v", got)
	}
	expect(t, "the audit", s.Do(admin, "GET", "/api/audit?limit=1000", ""), 200, `"action":"token.pause"`, `"action":"token.revoke"`, `"action":"token.stale"`, "it will be revoked on", `"action":"org.token-policy"`)
}

// TestDeadTokens deletes tokens that have ended, by hand and by the job, and no others.
func TestDeadTokens(t *testing.T) {
	s := hallpasstest.New(t)
	d := seeder{t, s}
	const day = 24 * time.Hour
	sa := account(t, s, "job", "Viewer")
	names := func() (names []string) {
		t.Helper()
		var list []wire.Token
		into(t, s.Do(hallpasstest.Admin, "GET", sa+"/tokens", ""), &list)
		for _, x := range list {
			names = append(names, x.Name)
		}
		return names
	}
	d.token(sa, "expired", day)
	d.token(sa, "later", 120*day)
	revoked, _ := d.token(sa, "revoked", 0)
	paused, _ := d.token(sa, "paused", 0)
	d.token(sa, "works", 0)
	d.change(paused, func(x *hallpass.Token) { x.Pause.Since = s.Clock.Now() })
	d.change(revoked, func(x *hallpass.Token) { x.RevokedAt, x.Ended = s.Clock.Now(), hallpass.EndedByHand })
	s.Clock.Wind(89 * day)
	prune := func(want ...string) {
		t.Helper()
		if err := s.PruneTokens(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(names(), want); diff != "" {
			t.Errorf("what is left (got, want):\n%s", diff)
		}
	}
	prune("expired", "later", "paused", "revoked", "works")
	s.Clock.Wind(day + time.Second)
	prune("expired", "later", "paused", "works")
	s.Clock.Wind(day)
	prune("later", "paused", "works")
	s.Clock.Wind(40 * day)
	expect(t, "without state", s.Do(hallpasstest.Admin, "DELETE", sa+"/tokens", ""), 400, "state")
	expect(t, "live ones", s.Do(hallpasstest.Admin, "DELETE", sa+"/tokens?state=live", ""), 400, "state")
	expect(t, "dead ones", s.Do(hallpasstest.Admin, "DELETE", sa+"/tokens?state=dead", ""), 200, `"deleted":1`)
	expect(t, "again", s.Do(hallpasstest.Admin, "DELETE", sa+"/tokens?state=dead", ""), 200, `"deleted":0`)
	prune("paused", "works")
	expect(t, "the audit", s.Do(hallpasstest.Admin, "GET", "/api/audit?action=token.prune", ""), 200, "deleted 1 tokens that ended before", "deleted 1 tokens that had ended")
}
