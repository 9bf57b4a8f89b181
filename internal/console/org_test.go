package console_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestOrgsWithoutScript walks through the orgs, and from one to another.
func TestOrgsWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("create", b.save("/admin/orgs", "name", "Shop"), 303)
	b.want("twice", b.save("/admin/orgs", "name", "Shop"), 400, `value="Shop"`, "name taken")
	b.want("the list", b.get("/admin/orgs"), 200, "Main Org.", "Shop", "You work here")
	b.want("rename", b.save("/admin/orgs/2/name", "name", "Store"), 303)
	b.want("the switch", b.get("/"), 200, `<button name="org" value="1" aria-current="true"><span>Main Org.</span>`, `<button name="org" value="2"><span>Store</span>`)
	b.want("switch", b.save("/profile/org", "org", "2"), 303)
	b.want("switched", b.get("/"), 200, "You work in Store", `<button name="org" value="2" aria-current="true"><span>Store</span>`)
	b.want("no such org", b.save("/profile/org", "org", "99"), 404)
	b.want("back", b.save("/profile/org", "org", "1"), 303)
	b.want("the question", b.get("/admin/orgs/2/delete"), 200, "Service accounts, teams, roles and folders of this organization are deleted too.", "1 member")
	b.want("delete", b.save("/admin/orgs/2/delete"), 303)
	b.want("gone", b.get("/admin/orgs?query=Store"), 200, "No organizations found")
}
