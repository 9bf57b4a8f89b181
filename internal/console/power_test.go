package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestSentenceOfPower compares what the form for a token says that it will be
// able to do with what a token of such an account is answered: for each basic
// role, and for accounts that were given more.
func TestSentenceOfPower(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for path, body := range map[string]string{
		"/api/access-control/roles": `{"uid":"team-writer","name":"team writer","permissions":[{"action":"teams:read","scope":"teams:*"},{"action":"teams:create"},{"action":"prometheus:query","scope":"*"}]}`,
		"/api/teams":                `{"name":"auditors"}`,
	} {
		if r := s.Do(hallpasstest.Admin, "POST", path, body); r.StatusCode > 201 {
			t.Fatalf("POST %s: %d %s", path, r.StatusCode, r.Text)
		}
	}
	for i, tt := range []struct{ name, role, extra string }{
		{"nothing", "None", ""}, {"viewer", "Viewer", ""}, {"editor", "Editor", ""}, {"admin", "Admin", ""},
		{"viewer and more", "Viewer", "team-writer"},
		{"none and a fixed role", "None", "fixed_QFjJAZ88iawMLInYOxPA1DB1w6I"}, // service accounts: reader
	} {
		path := b.create(tt.name, tt.role)
		if tt.extra != "" {
			b.want(tt.name+" roles", b.save(path+"/roles", "role", tt.extra), 303)
		}
		form := b.get(path + "/tokens/new").text
		made := secretField.FindStringSubmatch(b.save(path+"/tokens/new", "name", "of "+tt.name, "expires", "604800").text)
		if made == nil {
			t.Fatalf("%s: no token", tt.name)
		}
		allowed := func(method, path, body string) bool {
			return s.Do(hallpasstest.Bearer(made[1]), method, path, body).StatusCode < 300
		}
		reads := map[string]bool{
			"the organization":                  allowed("GET", "/api/org", ""),
			"its members":                       allowed("GET", "/api/org/users", ""),
			"service accounts and their tokens": allowed("GET", "/api/serviceaccounts/search", ""),
			"teams":                             allowed("GET", "/api/teams/search", ""),
			"roles":                             allowed("GET", "/api/access-control/roles", ""),
			"folders and dashboards":            allowed("GET", "/api/folders/general", ""),
			"the audit log":                     allowed("GET", "/api/audit", ""),
		}
		changes := map[string]bool{
			"the organization":                  allowed("PUT", "/api/org", `{"name":"Main Org."}`),
			"service accounts and their tokens": allowed("POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"made by %d","role":"None"}`, i)),
			"teams":                             allowed("POST", "/api/teams", fmt.Sprintf(`{"name":"made by %d"}`, i)),
			"folders and dashboards":            allowed("POST", "/api/folders", `{"title":"made"}`),
		}
		sentence := form[strings.Index(form, "This token can"):]
		sentence = sentence[:strings.Index(sentence, "</span>")]
		manage, read := split(sentence)
		for area, can := range reads {
			if says := strings.Contains(read, area) || strings.Contains(manage, area); says != can {
				t.Errorf("%s: the form says that it reads %s: %v, and the token does: %v (%s)", tt.name, area, says, can, sentence)
			}
		}
		for area, can := range changes {
			if says := strings.Contains(manage, area); says != can {
				t.Errorf("%s: the form says that it manages %s: %v, and the token does: %v (%s)", tt.name, area, says, can, sentence)
			}
		}
		if says := strings.Contains(sentence, "prometheus:query"); says != (tt.extra == "team-writer") {
			t.Errorf("%s: of other APIs the form says %v (%s)", tt.name, says, sentence)
		}
	}
	create := b.get("/org/serviceaccounts/create")
	b.want("the roles", create, 200, "Authenticates, and may do nothing by itself.", "<span>Reads the organization and folders and dashboards.</span>")
}

// split parts the sentence into what can be managed and what can be read.
func split(sentence string) (manage, read string) {
	_, rest, _ := strings.Cut(sentence, "manage ")
	manage, read, found := strings.Cut(rest, "read ")
	if !found {
		manage = rest
	}
	if rest == "" {
		_, read, _ = strings.Cut(sentence, "read ")
	}
	return manage, read
}
