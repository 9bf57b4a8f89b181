package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/library"
)

// TestFoldersOpen walks down from the tree into a folder, as somebody who may see who has
// access and as somebody who may not.
func TestFoldersOpen(t *testing.T) {
	const hostile = `<script>alert(1)</script>`
	s := hallpasstest.New(t)
	for _, call := range [][2]string{
		{"/api/folders", `{"uid":"shop","title":"Shop","description":"All of the shop"}`}, {"/api/folders", `{"uid":"checkout","title":"` + hostile + `","parentUid":"shop"}`},
		{"/api/folders", `{"uid":"deep","title":"Deep","parentUid":"checkout"}`}, {"/api/folders", `{"uid":"bare","title":"Bare"}`},
		{"/api/dashboards/db", `{"dashboard":{"uid":"orders","title":"Orders","tags":["sales"]},"folderUid":"checkout"}`},
		{"/api/dashboards/db", `{"dashboard":{"uid":"top","title":"Top"}}`}, {"/api/teams", `{"name":"Crew"}`},
		{"/api/access-control/folders/shop/teams/1", `{"permission":"Edit"}`},
	} {
		if r := s.Do(hallpasstest.Admin, "POST", call[0], call[1]); r.StatusCode > 201 {
			t.Fatalf("%s: %d %s", call[0], r.StatusCode, r.Text)
		}
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	tree := b.get("/dashboards")
	b.want("the tree", tree, 200, `href="/dashboards/f/shop/shop"`, hostile, "1 folder, 1 dashboard", "Orders", "sales", "Top", "Bare")
	for open, closed := range map[string]string{"<details>": "</details>", "<ul": "</ul>", "<li": "</li>"} {
		if main := tree.text[strings.Index(tree.text, `class="tree"`)-4:]; strings.Count(main, open) != strings.Count(main, closed) {
			t.Errorf("%d %s and %d %s", strings.Count(main, open), open, strings.Count(main, closed), closed)
		}
	}
	if strings.Contains(tree.text, "<script>alert") {
		t.Error("a title is markup")
	}
	b.want("a search", b.get("/dashboards?query=ORD"), 200, "Orders", `in <a href="/dashboards/f/checkout/`)
	b.want("a search for nothing", b.get("/dashboards?query=zebra"), 200, "No folders or dashboards found", "zebra")
	b.want("the folder", b.get("/dashboards/f/shop/shop"), 200, "All of the shop", hostile, "Deep", "Who has access", ">Crew</a>", "Viewer", "Change who has access")
	below := b.get("/dashboards/f/checkout/whatever")
	b.want("the folder below", below, 200, `<a href="/dashboards/f/shop/shop">Shop</a>`, "Orders", `through <a href="/dashboards/permissions/shop">Shop</a>`)
	if strings.Contains(below.text, "Bare") || strings.Contains(below.text, ">Top<") {
		t.Error("a folder shows what is elsewhere")
	}
	b.want("one with nothing in it", b.get("/dashboards/f/bare/bare"), 200, "Nothing that you may see.")
	b.want("none", b.get("/dashboards/f/zebra/zebra"), 404)

	s.User("vera", hallpass.RoleViewer)
	v := signedIn(t, s, "vera", hallpasstest.UserPassword)
	p := v.get("/dashboards/f/shop/shop")
	v.want("to a Viewer", p, 200, "All of the shop", "Orders")
	if strings.Contains(p.text, "Who has access") || strings.Contains(p.text, "Crew") {
		t.Error("a Viewer sees who has access")
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/folders/shop/builtInRoles/Viewer", `{"permission":""}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	if p := v.get("/dashboards/f/shop/shop"); p.status != 403 {
		t.Errorf("a folder that is not shared: %d", p.status)
	}
}

// TestThousandFolders shows a thousand folders at once, at three levels.
func TestThousandFolders(t *testing.T) {
	var hits []library.Hit
	folder := func(i int) hallpass.Folder {
		return hallpass.Folder{UID: fmt.Sprint("f", i), Title: fmt.Sprint("Folder ", i), UpdatedBy: "admin"}
	}
	for i := range 1000 {
		f, h := folder(i), library.Hit{ReadGrants: true}
		switch {
		case i >= 100:
			h.In = folder(10 + i%90)
		case i >= 10:
			h.In = folder(i % 10)
		}
		f.Parent = h.In.UID
		h.Folder = &f
		hits = append(hits, h)
	}
	out, err := console.FoldersPage(admin.New(hallpasstest.OpenStore(t), admin.Options{}), hits)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out, `class="tree-row"`); n < 1000 {
		t.Errorf("%d of 1000 folders are shown", n)
	}
	if len(out) > 1<<20 {
		t.Errorf("the page has %d bytes", len(out))
	}
	for open, closed := range map[string]string{"<details>": "</details>", "<li>": "</li>"} {
		if main := out[strings.Index(out, `class="tree"`):]; strings.Count(main, open) != strings.Count(main, closed) {
			t.Errorf("%d %s and %d %s", strings.Count(main, open), open, strings.Count(main, closed), closed)
		}
	}
}
