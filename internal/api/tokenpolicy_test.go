package api_test

import (
	"strconv"
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
		`{}`: "staleAfterDays is missing", `null`: "staleAfterDays is missing", `{"staleAfterDays":null}`: "staleAfterDays is missing", `{"pause":true,"exempt":[]}`: "staleAfterDays is missing",
		`{"staleAfterDays":30,"warnDays":[7],"exempt":["account:99"]}`: "exempt[0]", `{"staleAfterDays":30,"warnDays":[7],"exempt":["account:kept","account:nobody"]}`: "exempt[1]",
		`{"staleAfterDays":-1}`: "staleAfterDays", `{"staleAfterDays":30}`: "warnDays", `{"staleAfterDays":30,"warnDays":[30]}`: "warnDays", `{"staleAfterDays":30,"warnDays":[0]}`: "warnDays",
		`{"staleAfterDays":30,"warnDays":[7],"deleteAfterPausedDays":9}`: "deleteAfterPausedDays", `{"staleAfterDays":30,"warnDays":[7],"pause":true,"deleteAfterPausedDays":3}`: "warnDays",
		`{"staleAfterDays":30,"warnDays":[7],"exempt":["team:x"]}`: "exempt", `{"staleAfterDays":30,"warnDays":[7],"exempt":["owner:x","account:*"]}`: "exempt[1] ends with a *", `{"staleAfterDays":30,"warnDays":[7],"exempt":["owner:*"]}`: "exempt[0] ends with a *", `{"staleAfterDays":30,"warnDays":[7],"exempt":["owner: "]}`: "exempt", `{"staleAfterDays":3651,"warnDays":[7]}`: "staleAfterDays",
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

// TestTokenPolicyExemptions has somebody who may change accounts and not the policy try to
// get an exemption: by the name of an account that is exempt, and by its owner.
func TestTokenPolicyExemptions(t *testing.T) {
	s := hallpasstest.New(t)
	kept, mine := account(t, s, "kept", "Viewer"), account(t, s, "mine", "Viewer")
	admin := hallpasstest.Admin
	expect(t, "set", s.Do(admin, "PUT", "/api/org/token-policy", `{"staleAfterDays":30,"warnDays":[7],"pause":true,"exempt":["account:kept","owner:ada@example.com"]}`), 200,
		`"exempt":["account:sa-1-kept","owner:ada@example.com"]`)
	expect(t, "make room", s.Do(admin, "PATCH", kept, `{"name":"other"}`), 200)
	expect(t, "a role", s.Do(admin, "POST", "/api/access-control/roles", `{"name":"keeper","uid":"keeper","permissions":[{"action":"serviceaccounts:write","scope":"serviceaccounts:*"},{"action":"serviceaccounts:read","scope":"serviceaccounts:*"},{"action":"serviceaccounts:create"}]}`), 201)
	me := account(t, s, "me", "Viewer")
	expect(t, "give", s.Do(admin, "POST", "/api/access-control/users/"+me[strings.LastIndexByte(me, '/')+1:]+"/roles", `{"roleUid":"keeper"}`), 200)
	keeper := hallpasstest.Bearer(token(t, s, me, "keeper"))
	expect(t, "the name", s.Do(keeper, "PATCH", mine, `{"name":"kept"}`), 200)
	for name, path := range map[string]string{"account": mine, "token": mine + "/tokens/" + tokenID(t, s, mine, "t")} {
		for _, owner := range []string{"ada@example.com", "ADA@example.com", "Ada <ada@example.com>"} {
			expect(t, name+" of "+owner, s.Do(keeper, "PATCH", path, `{"owner":"`+owner+`"}`), 403, "token-policy.exempt-owner", "orgs:write")
		}
		expect(t, name+" of another", s.Do(keeper, "PATCH", path, `{"owner":"bob@example.com"}`), 200)
	}
	expect(t, "a new account", s.Do(keeper, "POST", "/api/serviceaccounts", `{"name":"new","role":"Viewer","owner":"ada@example.com"}`), 403, "token-policy.exempt-owner")
	expect(t, "a new token", s.Do(keeper, "POST", mine+"/tokens", `{"name":"new","owner":"ada@example.com"}`), 403, "token-policy.exempt-owner")
	expect(t, "of an admin", s.Do(admin, "PATCH", kept, `{"owner":"Ada <ada@example.com>"}`), 200, `"owner":"Ada \u003cada@example.com\u003e"`)
	expect(t, "then others may go on", s.Do(keeper, "PATCH", kept, `{"owner":"ada@example.com","purpose":"x"}`), 200)
	var preview wire.StalePreview
	into(t, s.Do(admin, "POST", "/api/org/token-policy/preview?days=400", `{"staleAfterDays":30,"warnDays":[7],"pause":true,"exempt":["account:sa-1-kept"]}`), &preview)
	found := false
	for _, x := range preview.Tokens {
		found = found || x.ServiceAccount == "kept"
	}
	if !found {
		t.Errorf("the account that took the name is exempt: %+v", preview)
	}
	// What an earlier version stored by its name is kept by the ID, with the age of the policy.
	old := hallpass.StalePolicy{Org: hallpass.FirstOrg, AfterDays: 30, WarnDays: []int{7}, Pause: true, Exempt: []string{"account:other", "account:nobody"}, UpdatedAt: s.Clock.Now(), UpdatedBy: "admin"}
	if err := s.Store().Write(t.Context(), func(tx *store.Tx) error { return tx.SetStalePolicy(old) }); err != nil {
		t.Fatal(err)
	}
	if err := s.ApplyTokenPolicies(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, "make room again", s.Do(admin, "PATCH", kept, `{"name":"third"}`), 200)
	var now wire.TokenPolicy
	into(t, s.Do(admin, "GET", "/api/org/token-policy", ""), &now)
	if len(now.Exempt) != 1 || now.Exempt[0] != "account:sa-1-kept" || !now.Updated.Equal(old.UpdatedAt) {
		t.Errorf("what was stored by name: %+v", now)
	}
	expect(t, "the audit", s.Do(admin, "GET", "/api/audit?action=org.token-policy", ""), 200, "exempt by ID from now on", "no account any more for account:nobody")
}

// tokenID makes a token of the account and returns its ID.
func tokenID(t *testing.T, s *hallpasstest.Server, account, name string) string {
	t.Helper()
	var made wire.NewToken
	into(t, s.Do(hallpasstest.Admin, "POST", account+"/tokens", `{"name":"`+name+`"}`), &made)
	return strconv.FormatInt(made.ID, 10)
}
