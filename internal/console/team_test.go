package console_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestTeamsWithoutScript walks through the pages about teams.
func TestTeamsWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("ed", hallpass.RoleEditor)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("none", b.get("/org/teams"), 200, "There are no teams yet")
	b.want("without a name", b.save("/org/teams", "name", " "), 400, `aria-invalid="true"`)
	made := b.save("/org/teams", "name", "Platform", "email", "p@example.com")
	path := made.to
	b.want("create", made, 303)
	b.want("the same name", b.save("/org/teams", "name", "platform"), 409, `value="platform"`)
	account := b.create("sync", "None")
	for _, who := range []string{"ed", "sync"} {
		b.want("add "+who, b.save(path+"/members", "member", who), 303)
	}
	b.want("the page", b.get(path), 200, "Service account", "sa-1-sync", "ed")
	b.want("again", b.save(path+"/members", "member", "ed"), 400, "already")
	b.want("nobody", b.save(path+"/members", "member", "zebra"), 404, `value="zebra"`)
	b.want("an admin", b.save(path+"/members/2", "level", "Admin"), 303)
	b.want("the roles", b.get(path+"/roles"), 200, "the team Platform", "Fixed roles")
	b.want("a role", b.save(path+"/roles", "role", fixedReader), 303)
	b.want("rename", b.save(path+"/edit", "name", "Runtime", "email", ""), 303)
	b.want("the list", b.get("/org/teams?query=run"), 200, "Runtime", "3 members")
	b.want("the question", b.get(path+"/delete"), 200, "It has 3 members. They lose the roles and access of the team at once.", "The team has 1 role: Service accounts: Reader.")
	b.want("the account's question", b.get(account+"/delete"), 200, "It is in the team “Runtime”.")
	b.want("remove", b.save(path+"/members/2/remove"), 303)
	b.want("delete", b.save(path+"/delete"), 303)
	b.want("gone", b.get(path), 404, "There is no such team in this organization.")
}
