package console_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestFindShowsWhatMayBeRead looks for a token by its hash as an admin of its org, of
// another org, and as somebody who may read another account only: only the first finds
// it. An address with a secret is not looked for.
func TestFindShowsWhatMayBeRead(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.create("ci", "Viewer")
	b.create("other", "Viewer")
	var made struct{ Key string }
	r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+idOf(t, s, "ci")+"/tokens", `{"name":"nightly"}`)
	if err := json.Unmarshal([]byte(r.Text), &made); err != nil || made.Key == "" {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	sum := sha256.Sum256([]byte(made.Key))
	byHash := "/find?hash=" + hex.EncodeToString(sum[:])
	b.want("the admin", b.get(byHash), 200, "nightly", "The secret itself was not sent.")
	b.want("the admin, by name", b.get("/find?q=NIGHT"), 200, "nightly", "of <a")
	b.want("the admin, by account", b.get("/find?q=ci"), 200, "sa-1-ci")
	b.want("the admin, by the last four", b.get("/find?q="+made.Key[len(made.Key)-4:]), 200, "nightly")
	b.want("a hash that is none", b.get("/find?hash=zz"), 200, "No such token here")
	b.want("another hash", b.get("/find?hash="+strings.Repeat("00", 32)), 200, "No such token here")
	if p := b.get("/find?q=" + made.Key); p.status != 303 || p.to != "/find?secret=yes" || strings.Contains(p.text, made.Key) {
		t.Errorf("an address with a secret: %d to %q", p.status, p.to)
	}
	b.want("what is said then", b.get("/find?secret=yes"), 200, "That was the secret of a token.")

	s.User("vera", hallpass.RoleViewer)
	const viewerID = "4" // the second account is 3
	custom(t, s, `{"uid":"looker","name":"looker","permissions":[{"action":"serviceaccounts:read","scope":"serviceaccounts:id:`+idOf(t, s, "other")+`"}]}`)
	viewer := signedIn(t, s, "vera", hallpasstest.UserPassword)
	viewer.want("who may read no account", viewer.get(byHash), 403, "serviceaccounts:read")
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/"+viewerID+"/roles", `{"roleUid":"looker"}`); r.StatusCode > 201 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	viewer.want("who may read another", viewer.get(byHash), 200, "No such token here")
	for _, q := range []string{"nightly", made.Key[len(made.Key)-4:]} {
		viewer.want("who may read another, by "+q, viewer.get("/find?q="+q), 200, "Nothing fits")
	}
}
