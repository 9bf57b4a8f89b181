package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestRefusedTokens asks with tokens that are no good: each is counted and kept with the rule
// that the request matches, and named where its secret was proved. The rule refused nobody, and
// needs no attention.
func TestRefusedTokens(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	account, paused := token(t, s, "ci", "Viewer")
	far := limitedToken(t, s, "/"+account, "far", fromTestNet(t))
	newGuard(t, s.Store(), app)
	if r := s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+account+"/tokens/1", `{"paused":true}`); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	for _, key := range []string{paused, far, "glsa_" + strings.Repeat("a", 32) + "_00000000"} {
		if r := dialects[0].ask(t, s, "app", "GET", "/api/x", "Authorization: Bearer "+key); r.StatusCode < 401 {
			t.Errorf("%d %s", r.StatusCode, r.text)
		}
	}
	if err := s.FlushGuards(t.Context()); err != nil {
		t.Fatal(err)
	}
	var u wire.GuardUsage
	readJSON(t, s, "/api/guards/app/usage", &u)
	var kept, counted []string
	for _, r := range u.Refusals {
		kept = append(kept, fmt.Sprint(r.Rule, " ", r.Reason, " ", r.Account, " ", r.TokenID))
	}
	slices.Sort(kept)
	for _, c := range u.Tokens {
		counted = append(counted, fmt.Sprint(c.TokenID, " ", c.Outcome, " ", c.Count))
	}
	if d := cmp.Diff(kept, []string{"1 api-key.invalid  0", "1 api-key.network sa-1-ci 2", "1 api-key.paused sa-1-ci 1"}); d != "" {
		t.Errorf("last refusals, want:\n%s", d)
	}
	if d := cmp.Diff(counted, []string{"0 api-key.invalid 1", "1 api-key.paused 1", "2 api-key.network 1"}); d != "" {
		t.Errorf("tokens, want:\n%s", d)
	}
	for _, r := range u.Rules {
		if r.Rule != 1 {
			t.Errorf("counted with rule %d: %+v", r.Rule, r)
		}
	}
	var attention wire.Attention
	readJSON(t, s, "/api/attention?section=refusals", &attention)
	if len(attention.Sections) != 1 || attention.Sections[0].Total != 0 {
		t.Errorf("rules that refuse: %+v", attention)
	}
}
