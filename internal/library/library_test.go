package library_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/library"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestRefusals refuses each change of folders and dashboards to somebody who may
// only look: each leaves one entry in the audit, and the thing as it was.
func TestRefusals(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	a := admin.New(db, admin.Options{})
	l, ctx := library.New(a, library.Options{}), t.Context()
	if err := a.Begin(ctx, admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: secret.NewText("violet lamps hum at noon")}); err != nil {
		t.Fatal(err)
	}
	var boss, viewer hallpass.Caller
	err := db.Write(ctx, func(tx *store.Tx) error {
		u, err := tx.CreateUser(hallpass.User{UID: "viewer", Login: "viewer", Email: "viewer", Org: hallpass.FirstOrg})
		if err != nil {
			return err
		}
		if err := tx.SetMember(hallpass.Member{Org: hallpass.FirstOrg, User: u, Role: hallpass.RoleViewer}); err != nil {
			return err
		}
		if viewer, err = tx.UserCaller(u, hallpass.FirstOrg); err != nil {
			return err
		}
		first, err := tx.UserByLogin("admin")
		if err != nil {
			return err
		}
		boss, err = tx.UserCaller(first, hallpass.FirstOrg)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := l.CreateFolder(ctx, boss, library.NewFolder{UID: "ops", Title: "Ops"})
	if err != nil {
		t.Fatal(err)
	}
	board := library.SaveDashboard{UID: "board", Title: "Board", Folder: "ops", Data: []byte("{}")}
	if _, err := l.SaveDashboard(ctx, boss, board); err != nil {
		t.Fatal(err)
	}
	before, err := l.Dashboard(ctx, boss, "board")
	if err != nil {
		t.Fatal(err)
	}
	overwrite := board
	overwrite.Title, overwrite.Overwrite = "Mine", true
	for _, tt := range []struct {
		action hallpass.Action
		try    func() error
	}{
		{hallpass.FoldersCreate, func() error {
			_, err := l.CreateFolder(ctx, viewer, library.NewFolder{Title: "Mine", Parent: "ops"})
			return err
		}},
		{hallpass.FoldersWrite, func() error {
			_, err := l.UpdateFolder(ctx, viewer, "ops", library.FolderPatch{Title: "Mine", Overwrite: true})
			return err
		}},
		{hallpass.FoldersDelete, func() error { _, err := l.DeleteFolder(ctx, viewer, "ops"); return err }},
		{hallpass.DashboardsWrite, func() error { _, err := l.SaveDashboard(ctx, viewer, overwrite); return err }},
		{hallpass.DashboardsDelete, func() error { _, err := l.DeleteDashboard(ctx, viewer, "board"); return err }},
	} {
		if err := tt.try(); !errors.Is(err, hallpass.Denied) {
			t.Errorf("%s: %v, want it denied", tt.action, err)
		}
		page, err := a.Audit(ctx, boss, hallpass.AuditFilter{Action: string(tt.action), Outcome: hallpass.Refused, Limit: 10})
		if err != nil || len(page.Entries) != 1 || page.Entries[0].Reason != "lacks "+string(tt.action) {
			t.Errorf("%s: the audit has %+v, %v", tt.action, page.Entries, err)
		}
	}
	still, err := l.Folder(ctx, boss, "ops")
	if d := cmp.Diff(still.Folder, folder.Folder); err != nil || d != "" {
		t.Errorf("the folder, %v:\n%s", err, d)
	}
	after, err := l.Dashboard(ctx, boss, "board")
	if d := cmp.Diff(after.Dashboard, before.Dashboard); err != nil || d != "" {
		t.Errorf("the dashboard, %v:\n%s", err, d)
	}
}
