package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestRotationReuse tries a token after its end: with rotation_reuse = "revoke-chain" the
// one that replaced it is refused soon, with "notify" it works on.
func TestRotationReuse(t *testing.T) {
	for reuse, revoked := range map[string]bool{"notify": false, "revoke-chain": true} {
		s := hallpasstest.New(t, func(c *server.Config) { c.ServiceAccounts.RotationReuse = reuse })
		one := account(t, s, "one", "Viewer")
		old := made(t, s.Do(hallpasstest.Admin, "POST", one+"/tokens", `{"name":"t"}`))
		s.Clock.Wind(1) // a token that is made at the time of the try is left
		next := made(t, s.Do(hallpasstest.Admin, "POST", fmt.Sprintf("%s/tokens/%d/rotate", one, old.ID), `{"graceSeconds":0}`))
		expect(t, "the new one", s.Do(hallpasstest.Bearer(next.Key), "GET", "/api/org", ""), 200)
		s.Clock.Wind(1000)
		expect(t, "the old one", s.Do(hallpasstest.Bearer(old.Key), "GET", "/api/org", ""), 401, "api-key.rotated")
		audit := fmt.Sprintf("/api/audit?action=token.revoke&target=token:%d", next.ID)
		if !revoked {
			hallpasstest.Eventually(t, "the try is in the audit", func() bool {
				return strings.Contains(s.Do(hallpasstest.Admin, "GET", "/api/audit?action=token.verify", "").Text, "api-key.rotated")
			})
			expect(t, "the new one, still", s.Do(hallpasstest.Bearer(next.Key), "GET", "/api/org", ""), 200)
			continue
		}
		hallpasstest.Eventually(t, "the new one is revoked", func() bool {
			r := s.Do(hallpasstest.Bearer(next.Key), "GET", "/api/org", "")
			return r.StatusCode == 401 && strings.Contains(r.Text, "api-key.revoked")
		})
		expect(t, "the audit", s.Do(hallpasstest.Admin, "GET", audit, ""), 200, fmt.Sprintf("token %d, which it replaced, was tried from 127.0.0.1", old.ID))
	}
}
