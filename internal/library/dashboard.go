package library

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// keepVersions is how many versions of a dashboard are kept, as Grafana does by
// default.
const keepVersions = 20

var (
	errNoDashboardTitle = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.empty-name", Message: "Dashboard title cannot be empty"}
	errDashboardUID     = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.uid-taken", Message: "A dashboard with the same uid already exists"}
	errDashboardFolder  = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.folder-not-found", Message: "folder not found"}
	errDashboardVersion = &hallpass.Error{Kind: hallpass.Conflict, ID: "dashboard.version-mismatch", Message: "The dashboard has been changed by someone else"}
	errDashboardToken   = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.holds-token", Field: "dashboard", Message: "the dashboard holds a token: everybody who may see it could use it"}
	errLongMessage      = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.message-too-long", Message: "message too long, max 500 characters"}
)

// A DashboardView is a dashboard with the folder it is in and what the caller may
// do with it.
type DashboardView struct {
	hallpass.Dashboard
	In     hallpass.Folder // the zero Folder at the root
	Can    map[string]bool // the caller's actions on it
	HasACL bool            // somebody was given access to it
}

// A SaveDashboard is what a dashboard is saved from. ID or UID name the one to
// update; without either, or with a UID that is new, one is created.
type SaveDashboard struct {
	ID        hallpass.DashboardID
	UID       string
	Title     string
	Tags      []string
	Version   int64 // must be the stored one, unless Overwrite
	Data      []byte
	Folder    string            // uid; empty: the root
	FolderID  hallpass.FolderID // instead of Folder
	Message   string
	Overwrite bool

	restored int64
}

// A SavedDashboard is a dashboard with the folder it is in, the zero Folder
// at the root.
type SavedDashboard struct {
	hallpass.Dashboard
	In       hallpass.Folder
	Demanded hallpass.Permission // to create it in the folder, or to change it
}

func (in *SaveDashboard) validate() error {
	if strings.TrimSpace(in.Title) == "" {
		return errNoDashboardTitle
	}
	if err := hallpass.ValidateTitle("title", in.Title); err != nil {
		return err
	}
	if in.UID != "" {
		if err := validateTreeUID(in.UID); err != nil {
			return err
		}
	}
	if utf8.RuneCountInString(in.Message) > 500 {
		return errLongMessage
	}
	if !utf8.ValidString(in.Message) || strings.ContainsRune(in.Message, 0) {
		return hallpass.Invalidf("message", "message is not valid text")
	}
	if err := hallpass.ValidateNoToken("message", in.Message); err != nil {
		return err
	}
	if secret.HoldsToken(in.Data) {
		return errDashboardToken
	}
	for _, t := range in.Tags {
		if err := hallpass.ValidateText("tags", t, hallpass.MaxName); err != nil {
			return err
		}
	}
	if in.Folder == hallpass.RootFolder {
		in.Folder = ""
	}
	return nil
}

// SaveDashboard creates or updates a dashboard and keeps what was saved as a
// version. One that was changed since the version the caller knows is a
// Conflict.
func (l *Library) SaveDashboard(ctx context.Context, c hallpass.Caller, in SaveDashboard) (d SavedDashboard, err error) {
	err = l.admin.ChangeTree(ctx, c, hallpass.DashboardsWrite, "", "dashboard.update", func(t *admin.Turn, r admin.Reach) error {
		d, err = l.saveDashboard(t, r, in)
		return err
	})
	return d, err
}

func (l *Library) saveDashboard(t *admin.Turn, r admin.Reach, in SaveDashboard) (d SavedDashboard, err error) {
	above, err := dashboardFolder(t.Tx, r, &in)
	if err != nil {
		return d, err
	}
	if len(above) > 0 {
		d.In = above[0]
	}
	was, err := existingDashboard(t.Tx, t.Caller.Org, in)
	if err != nil {
		return d, err
	}
	if was == nil {
		t.Action = "dashboard.create"
		d.Demanded = hallpass.Permission{Action: hallpass.DashboardsCreate, Scope: admin.FolderScopes(above)[0]}
		d.Dashboard, err = l.createDashboard(t, r, in, above)
	} else {
		d.Demanded = hallpass.Permission{Action: hallpass.DashboardsWrite, Scope: hallpass.DashboardResource.Scope(was.UID)}
		d.Dashboard, err = l.updateDashboard(t, r, in, *was, above)
	}
	if err != nil {
		return d, err
	}
	if err := keepVersion(t.Tx, d.Dashboard, was, in); err != nil {
		return d, err
	}
	return d, t.Audit("dashboard", d.UID, "title "+d.Title)
}

// dashboardFolder finds the folder that the dashboard is to be in. Whoever
// may create no dashboard anywhere is not told which folders exist.
func dashboardFolder(tx *store.Tx, r admin.Reach, in *SaveDashboard) ([]hallpass.Folder, error) {
	if in.Folder == "" && in.FolderID > 0 {
		f, err := tx.FolderByID(r.Caller.Org, in.FolderID)
		if hallpass.KindOf(err) == hallpass.NotFound {
			err = errDashboardFolder
		}
		if err != nil {
			return nil, err
		}
		in.Folder = f.UID
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	above, err := tx.FolderChain(r.Caller.Org, in.Folder)
	if hallpass.KindOf(err) == hallpass.NotFound {
		err = errDashboardFolder
	}
	return above, err
}

// existingDashboard returns the dashboard that in is about, nil if it is new.
func existingDashboard(tx *store.Tx, org hallpass.OrgID, in SaveDashboard) (*hallpass.Dashboard, error) {
	if in.ID > 0 {
		d, err := tx.DashboardByID(org, in.ID)
		return &d, err
	}
	if in.UID == "" {
		return nil, nil
	}
	d, err := tx.Dashboard(org, in.UID)
	if hallpass.KindOf(err) == hallpass.NotFound {
		return nil, nil
	}
	return &d, err
}

func (l *Library) createDashboard(t *admin.Turn, r admin.Reach, in SaveDashboard, above []hallpass.Folder) (hallpass.Dashboard, error) {
	if err := r.Demand(hallpass.DashboardsCreate, admin.FolderScopes(above)); err != nil {
		return hallpass.Dashboard{}, err
	}
	if in.UID == "" {
		in.UID = secret.NewUID()
	}
	login, now := t.Caller.Principal.Login, l.admin.Now()
	d, err := t.CreateDashboard(hallpass.Dashboard{
		UID: in.UID, Org: t.Caller.Org, Folder: in.Folder, Title: in.Title, Tags: in.Tags, Version: 1, Data: in.Data, CreatedBy: login, UpdatedBy: login,
		CreatedAt: now, UpdatedAt: now,
	})
	if hallpass.KindOf(err) == hallpass.Conflict {
		err = errDashboardUID
	}
	if err != nil {
		return d, err
	}
	return d, l.share(t, hallpass.DashboardResource, d.UID, in.Folder == "")
}

func (l *Library) updateDashboard(t *admin.Turn, r admin.Reach, in SaveDashboard, was hallpass.Dashboard, above []hallpass.Folder) (hallpass.Dashboard, error) {
	now, err := t.FolderChain(was.Org, was.Folder)
	if err != nil {
		return was, err
	}
	before := admin.DashboardScopes(was.UID, now)
	if err := r.Demand(hallpass.DashboardsWrite, before); err != nil {
		return was, err
	}
	if !in.Overwrite && in.Version != was.Version {
		return was, errDashboardVersion
	}
	if in.UID == "" {
		in.UID = was.UID
	}
	if was.Folder != in.Folder {
		if err := r.Demand(hallpass.DashboardsCreate, admin.FolderScopes(above)); err != nil {
			return was, err
		}
	}
	// A role may hold what it likes on a uid that is free: whoever gives the dashboard
	// that uid moves it there as much as into another folder.
	if err := r.Gains(before, admin.DashboardScopes(in.UID, above)); err != nil {
		return was, err
	}
	d := was
	if in.UID != was.UID {
		err := t.RenameDashboard(was.Org, was.UID, in.UID)
		if hallpass.KindOf(err) == hallpass.Conflict {
			err = errDashboardUID
		}
		if err != nil {
			return was, err
		}
		d.UID = in.UID
	}
	d.Folder, d.Title, d.Tags, d.Data, d.Version = in.Folder, in.Title, in.Tags, in.Data, was.Version+1
	d.UpdatedBy, d.UpdatedAt = t.Caller.Principal.Login, l.admin.Now()
	return d, t.UpdateDashboard(d)
}

// keepVersion keeps what was saved, and forgets the oldest versions.
func keepVersion(tx *store.Tx, d hallpass.Dashboard, was *hallpass.Dashboard, in SaveDashboard) error {
	v := hallpass.DashboardVersion{
		Dashboard: d.ID, Version: d.Version, RestoredFrom: in.restored, Message: in.Message, Data: d.Data, CreatedBy: d.UpdatedBy, CreatedAt: d.UpdatedAt,
	}
	if was != nil {
		v.Parent = was.Version
	}
	if err := tx.AddDashboardVersion(v); err != nil {
		return err
	}
	return tx.TrimDashboardVersions(d.ID, d.Version-keepVersions)
}

// readDashboard finds the dashboard and holds the caller to action on it.
func readDashboard(tx *store.Tx, r admin.Reach, action hallpass.Action, uid string) (hallpass.Dashboard, []hallpass.Folder, error) {
	d, err := tx.Dashboard(r.Caller.Org, uid)
	if err != nil {
		return d, nil, err
	}
	chain, err := tx.FolderChain(r.Caller.Org, d.Folder)
	if err != nil {
		return d, nil, err
	}
	return d, chain, r.Demand(action, admin.DashboardScopes(uid, chain))
}

// Dashboard returns the dashboard with that uid; NotFound when the caller's org
// has none.
func (l *Library) Dashboard(ctx context.Context, c hallpass.Caller, uid string) (v DashboardView, err error) {
	err = l.admin.ReadTree(ctx, c, hallpass.DashboardsRead, hallpass.DashboardResource.Scope(uid), func(tx *store.Tx, r admin.Reach) error {
		d, chain, err := readDashboard(tx, r, hallpass.DashboardsRead, uid)
		if err != nil {
			return err
		}
		v = DashboardView{Dashboard: d, Can: r.Actions(admin.DashboardScopes(uid, chain))}
		if len(chain) > 0 {
			v.In = chain[0]
		}
		grants, err := tx.Grants(c.Org, hallpass.DashboardResource, uid)
		v.HasACL = len(grants) > 0
		return err
	})
	return v, err
}

// DashboardUID returns the uid of the dashboard of the caller's org with that
// number, as a path has it: NotFound when there is none, Invalid when it is
// no number.
func (l *Library) DashboardUID(ctx context.Context, c hallpass.Caller, number string) (uid string, err error) {
	id, err := parseNumber("id", number)
	if err != nil {
		return "", err
	}
	err = l.admin.ReadTree(ctx, c, hallpass.DashboardsRead, "", func(tx *store.Tx, _ admin.Reach) error {
		d, err := tx.DashboardByID(c.Org, hallpass.DashboardID(id))
		uid = d.UID
		return err
	})
	return uid, err
}

// parseNumber reads a number from a path. One that no thing can have
// is 0.
func parseNumber(name, s string) (int64, error) {
	if strings.Trim(s, "0123456789") != "" {
		return 0, hallpass.Invalidf(name, "%s is not a number", name)
	}
	n, _ := hallpass.ParseID(s)
	return n, nil
}

// DeleteDashboard removes the dashboard with its versions and all access to it,
// and returns what it was.
func (l *Library) DeleteDashboard(ctx context.Context, c hallpass.Caller, uid string) (d hallpass.Dashboard, err error) {
	err = l.admin.ChangeTree(ctx, c, hallpass.DashboardsDelete, hallpass.DashboardResource.Scope(uid), "dashboard.delete", func(t *admin.Turn, r admin.Reach) error {
		d, _, err = readDashboard(t.Tx, r, hallpass.DashboardsDelete, uid)
		if err != nil {
			return err
		}
		if err := t.DeleteDashboard(t.Caller.Org, uid); err != nil {
			return err
		}
		return t.Audit("dashboard", uid, "title "+d.Title)
	})
	return d, err
}

// DashboardVersions returns versions of the dashboard, the newest first, without
// data: limit of them from the offset on.
func (l *Library) DashboardVersions(ctx context.Context, c hallpass.Caller, uid string, limit, offset int) (d hallpass.Dashboard, list []hallpass.DashboardVersion, err error) {
	err = l.admin.ReadTree(ctx, c, hallpass.DashboardsWrite, hallpass.DashboardResource.Scope(uid), func(tx *store.Tx, r admin.Reach) error {
		if d, _, err = readDashboard(tx, r, hallpass.DashboardsWrite, uid); err != nil {
			return err
		}
		list, err = tx.DashboardVersions(d.ID, limit, offset)
		return err
	})
	return d, list, err
}

// DashboardVersion returns one version of the dashboard with its data.
func (l *Library) DashboardVersion(ctx context.Context, c hallpass.Caller, uid string, version int64) (d hallpass.Dashboard, v hallpass.DashboardVersion, err error) {
	err = l.admin.ReadTree(ctx, c, hallpass.DashboardsWrite, hallpass.DashboardResource.Scope(uid), func(tx *store.Tx, r admin.Reach) error {
		if d, _, err = readDashboard(tx, r, hallpass.DashboardsWrite, uid); err != nil {
			return err
		}
		v, err = tx.DashboardVersion(d.ID, version)
		return err
	})
	return d, v, err
}

// RestoreDashboard saves an older version as the newest. title and tags are read
// from its data by the door, which knows the form of a dashboard.
func (l *Library) RestoreDashboard(ctx context.Context, c hallpass.Caller, uid string, version int64, read func(data []byte) (title string, tags []string)) (d hallpass.Dashboard, err error) {
	err = l.admin.ChangeTree(ctx, c, hallpass.DashboardsWrite, hallpass.DashboardResource.Scope(uid), "dashboard.update", func(t *admin.Turn, r admin.Reach) error {
		now, _, err := readDashboard(t.Tx, r, hallpass.DashboardsWrite, uid)
		if err != nil {
			return err
		}
		v, err := t.DashboardVersion(now.ID, version)
		if err != nil {
			return err
		}
		in := SaveDashboard{ID: now.ID, UID: uid, Data: v.Data, Folder: now.Folder, Overwrite: true, Message: "Restored from version " + strconv.FormatInt(version, 10), restored: version}
		in.Title, in.Tags = read(v.Data)
		saved, err := l.saveDashboard(t, r, in)
		d = saved.Dashboard
		return err
	})
	return d, err
}

// HomeDashboard returns the dashboard that the org's preferences name as home;
// NotFound when they name none.
func (l *Library) HomeDashboard(ctx context.Context, c hallpass.Caller) (hallpass.Dashboard, error) {
	var uid string // no dashboard has an empty one
	err := l.admin.ReadTree(ctx, c, hallpass.DashboardsRead, "", func(tx *store.Tx, _ admin.Reach) error {
		p, err := tx.Preferences(store.PreferencesOf{Org: c.Org, Kind: "org"})
		uid = p.HomeDashboardUID
		return err
	})
	if err != nil {
		return hallpass.Dashboard{}, err
	}
	v, err := l.Dashboard(ctx, c, uid)
	return v.Dashboard, err
}
