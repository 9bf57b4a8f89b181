package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestSentenceOfPower compares what the form for a token says that it will be
// able to do with what a token of such an account is answered.
func TestSentenceOfPower(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for _, role := range hallpass.Roles() {
		path := b.create("power of "+role.String(), role.String())
		form := b.get(path + "/tokens/new").text
		made := secretField.FindStringSubmatch(b.post(path+"/tokens/new", "name", "of "+role.String(), "expires", "604800").text)
		if made == nil {
			t.Fatalf("%s: no token", role)
		}
		allowed := func(method, path, body string) bool {
			return s.Do(hallpasstest.Bearer(made[1]), method, path, body).StatusCode < 300
		}
		does := map[string]bool{
			"can read the organization":        allowed("GET", "/api/org", "") && !allowed("PUT", "/api/org", `{"name":"Main Org."}`),
			"can manage the organization":      allowed("PUT", "/api/org", `{"name":"Main Org."}`),
			"its members":                      allowed("GET", "/api/org/users", ""),
			"read the audit log":               allowed("GET", "/api/audit", ""),
			"and service accounts and their":   allowed("POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"made by %s","role":"None"}`, role)),
			"can authenticate, and nothing":    role == hallpass.RoleNone,
			"Give the account a lower role":    role == hallpass.RoleAdmin,
			"It cannot change anything in Hal": role == hallpass.RoleViewer || role == hallpass.RoleEditor,
		}
		for says, want := range does {
			if got := strings.Contains(form, says); got != want {
				t.Errorf("%s: the form says %q: %v, and the token does: %v", role, says, got, want)
			}
		}
	}
	create := b.get("/org/serviceaccounts/create")
	b.want("the roles", create, 200,
		"Authenticates, and may do nothing by itself.",
		"<span>Reads the organization.</span>",
		"Reads the organization. In Hallpass itself no more than Viewer.",
		"Manages the organization, its members, and service accounts and their tokens, and reads the audit log.",
	)
}
