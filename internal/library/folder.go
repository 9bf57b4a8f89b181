package library

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var (
	errNoTitle       = &hallpass.Error{Kind: hallpass.Invalid, ID: "folder.title-empty", Field: "title", Message: "folder title cannot be empty"}
	errTooDeep       = &hallpass.Error{Kind: hallpass.Invalid, ID: "folder.maximum-depth-reached", Message: "Maximum nested folder depth reached"}
	errUIDIllegal    = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.uid-illegal", Field: "uid", Message: "uid contains illegal characters"}
	errUIDLong       = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.uid-too-long", Field: "uid", Message: "uid too long, max 40 characters"}
	errUIDReserved   = &hallpass.Error{Kind: hallpass.Invalid, ID: "folder.uid-reserved", Field: "uid", Message: "this uid is reserved"}
	errFolderVersion = &hallpass.Error{Kind: hallpass.Conflict, ID: "folder.version-mismatch", Message: "the folder has been changed by someone else"}
	errNoParent      = &hallpass.Error{Kind: hallpass.Invalid, ID: "folder.parent-not-found", Field: "parentUid", Message: "folder not found"}
	errFolderCircle  = &hallpass.Error{Kind: hallpass.Invalid, ID: "folder.circular", Field: "parentUid", Message: "A folder cannot stand in itself"}
)

// A FolderView is a folder with the folders it is in and what the caller may do
// with it.
type FolderView struct {
	hallpass.Folder
	Parents []hallpass.Folder // from the root down
	Can     map[string]bool   // the caller's actions on it
	HasACL  bool              // somebody was given access to it
}

// reservedUIDs are words that paths have where they have a uid elsewhere: nobody
// could ask for a folder or dashboard with such a uid.
var reservedUIDs = []string{hallpass.RootFolder, "sharedwithme", "description", "id"}

// validateTreeUID reports what keeps uid from being that of a folder or
// dashboard.
func validateTreeUID(uid string) error {
	switch {
	case len(uid) > hallpass.MaxUID:
		return errUIDLong
	case !hallpass.ValidChosenUID(uid):
		return errUIDIllegal
	case slices.Contains(reservedUIDs, uid):
		return errUIDReserved
	}
	return nil
}

func validateTitle(title string) error {
	if strings.TrimSpace(title) == "" {
		return errNoTitle
	}
	return hallpass.ValidateTitle("title", title)
}

// maxDescription is the longest description of a folder, in characters.
const maxDescription = 2000

func validateDescription(s string) error {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxDescription || strings.ContainsRune(s, 0) {
		return hallpass.Invalidf("description", "description is not text of at most %d characters", maxDescription)
	}
	return hallpass.ValidateNoToken("description", s)
}

func viewFolder(tx *store.Tx, r admin.Reach, chain []hallpass.Folder) (FolderView, error) {
	v := FolderView{Folder: chain[0], Parents: slices.Clone(chain[1:]), Can: r.Actions(admin.FolderScopes(chain))}
	slices.Reverse(v.Parents)
	grants, err := tx.Grants(v.Org, hallpass.FolderResource, v.UID)
	v.HasACL = len(grants) > 0
	return v, err
}

// folderFor returns the folder and those it is in, if the caller may do action with
// it.
func folderFor(tx *store.Tx, r admin.Reach, action hallpass.Action, uid string) ([]hallpass.Folder, error) {
	chain, err := tx.FolderChain(r.Caller.Org, uid)
	if err != nil {
		return nil, err
	}
	return chain, r.Demand(action, admin.FolderScopes(chain))
}

// Folder returns the folder with that uid; NotFound when the caller's org has
// none.
func (l *Library) Folder(ctx context.Context, c hallpass.Caller, uid string) (v FolderView, err error) {
	err = l.admin.ReadTree(ctx, c, hallpass.FoldersRead, hallpass.FolderResource.Scope(uid), func(tx *store.Tx, r admin.Reach) error {
		chain, err := folderFor(tx, r, hallpass.FoldersRead, uid)
		if err != nil {
			return err
		}
		v, err = viewFolder(tx, r, chain)
		return err
	})
	return v, err
}

// FolderByID is Folder for the number of a folder, as a path has it.
func (l *Library) FolderByID(ctx context.Context, c hallpass.Caller, number string) (v FolderView, err error) {
	id, err := parseNumber("id", number)
	if err != nil {
		return v, err
	}
	var uid string
	err = l.admin.ReadTree(ctx, c, hallpass.FoldersRead, "", func(tx *store.Tx, _ admin.Reach) error {
		f, err := tx.FolderByID(c.Org, hallpass.FolderID(id))
		uid = f.UID
		return err
	})
	if err != nil {
		return v, err
	}
	return l.Folder(ctx, c, uid)
}

// tree is every folder of an org, by uid.
type tree map[string]hallpass.Folder

func newTree(list []hallpass.Folder) tree {
	t := make(tree, len(list))
	for _, f := range list {
		t[f.UID] = f
	}
	return t
}

// chain returns the folder with that uid and those it is in.
func (t tree) chain(uid string) []hallpass.Folder {
	var chain []hallpass.Folder
	for f, ok := t[uid]; ok && len(chain) <= hallpass.MaxFolderDepth; f, ok = t[f.Parent] {
		chain = append(chain, f)
	}
	return chain
}

// Folders returns a page of the folders directly in the parent, "" for the root,
// in which the caller may do action, by title. A parent that does not exist is
// NotFound.
func (l *Library) Folders(ctx context.Context, c hallpass.Caller, parent string, action hallpass.Action, p admin.Page) (page []hallpass.Folder, err error) {
	err = l.admin.ReadTree(ctx, c, hallpass.FoldersRead, "", func(tx *store.Tx, r admin.Reach) error {
		if _, err := tx.FolderChain(c.Org, parent); err != nil {
			return err
		}
		all, err := tx.Folders(c.Org)
		if err != nil {
			return err
		}
		t := newTree(all)
		var visible []hallpass.Folder
		for _, f := range all {
			if f.Parent == parent && r.Can(action, admin.FolderScopes(t.chain(f.UID))) {
				visible = append(visible, f)
			}
		}
		page = admin.SlicePage(visible, p)
		return nil
	})
	return page, err
}

// A NewFolder is what a folder is created from. An empty UID is made up.
type NewFolder struct{ UID, Title, Parent, Description string }

// CreateFolder makes a folder. Its creator may do everything with it; one at the
// root is shared with viewers and editors, one in another folder with those who
// that is shared with. A uid that is taken is a Conflict.
func (l *Library) CreateFolder(ctx context.Context, c hallpass.Caller, in NewFolder) (v FolderView, err error) {
	if in.Parent == hallpass.RootFolder {
		in.Parent = ""
	}
	if in.UID == "" {
		in.UID = secret.NewUID()
	}
	parent := in.Parent
	if parent == "" {
		parent = hallpass.RootFolder
	}
	err = l.admin.ChangeTree(ctx, c, hallpass.FoldersCreate, hallpass.FolderResource.Scope(parent), "folder.create", func(t *admin.Turn, r admin.Reach) error {
		above, err := t.FolderChain(t.Caller.Org, in.Parent)
		if hallpass.KindOf(err) == hallpass.NotFound {
			err = errNoParent
		}
		if err != nil {
			return err
		}
		if err := r.Demand(hallpass.FoldersCreate, admin.FolderScopes(above)); err != nil {
			return err
		}
		if err := in.validate(); err != nil {
			return err
		}
		if len(above) > l.depth {
			return errTooDeep
		}
		v, err = l.createFolder(t, in, above)
		return err
	})
	return v, err
}

// createFolder makes the folder in those above, and shares it.
func (l *Library) createFolder(t *admin.Turn, in NewFolder, above []hallpass.Folder) (v FolderView, err error) {
	login, now := t.Caller.Principal.Login, l.admin.Now()
	f, err := t.CreateFolder(hallpass.Folder{
		UID: in.UID, Org: t.Caller.Org, Parent: in.Parent, Title: in.Title, Description: in.Description, Version: 1, CreatedBy: login, UpdatedBy: login,
		CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return v, err
	}
	if err := l.share(t, hallpass.FolderResource, f.UID, in.Parent == ""); err != nil {
		return v, err
	}
	r, err := t.Reach()
	if err != nil {
		return v, err
	}
	if v, err = viewFolder(t.Tx, r, append([]hallpass.Folder{f}, above...)); err != nil {
		return v, err
	}
	return v, t.Audit("folder", f.UID, "title "+f.Title)
}

func (in NewFolder) validate() error {
	if err := validateTitle(in.Title); err != nil {
		return err
	}
	if err := validateTreeUID(in.UID); err != nil {
		return err
	}
	return validateDescription(in.Description)
}

// share gives the creator of a folder or dashboard all access to it, and at
// the root editors and viewers theirs.
func (l *Library) share(t *admin.Turn, r hallpass.Resource, uid string, atRoot bool) error {
	type share struct {
		to    hallpass.Grantee
		level hallpass.Level
	}
	shares := []share{{hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: t.Caller.Principal.ID}, hallpass.LevelAdmin}}
	if atRoot {
		shares = append(shares,
			share{hallpass.Grantee{Kind: hallpass.ToBasicRole, ID: int64(hallpass.RoleEditor)}, hallpass.LevelEdit},
			share{hallpass.Grantee{Kind: hallpass.ToBasicRole, ID: int64(hallpass.RoleViewer)}, hallpass.LevelView})
	}
	for _, s := range shares {
		g := hallpass.Grant{Org: t.Caller.Org, Resource: r, ResourceID: uid, To: s.to, Level: s.level, CreatedAt: l.admin.Now()}
		if err := t.SetGrant(g); err != nil {
			return err
		}
	}
	return nil
}

// A FolderPatch changes a folder; a nil Description leaves it as it is. Version
// must be the stored one, unless Overwrite.
type FolderPatch struct {
	Title       string
	Description *string
	Version     int64
	Overwrite   bool
}

// UpdateFolder changes the folder's title and description. One that was changed
// since the version the caller knows is a Conflict.
func (l *Library) UpdateFolder(ctx context.Context, c hallpass.Caller, uid string, p FolderPatch) (FolderView, error) {
	return l.changeFolder(ctx, c, uid, "folder.update", func(_ *admin.Turn, _ admin.Reach, chain []hallpass.Folder, f *hallpass.Folder) ([]hallpass.Folder, error) {
		if err := validateTitle(p.Title); err != nil {
			return nil, err
		}
		if p.Description != nil {
			if err := validateDescription(*p.Description); err != nil {
				return nil, err
			}
			f.Description = *p.Description
		}
		if !p.Overwrite && p.Version != f.Version {
			return nil, errFolderVersion
		}
		f.Title = p.Title
		return chain[1:], nil
	})
}

// MoveFolder puts the folder, with all in it, into another one; "" is the root.
// The caller must be allowed to create folders there, and may not win power over
// it by the move.
func (l *Library) MoveFolder(ctx context.Context, c hallpass.Caller, uid, parent string) (FolderView, error) {
	if parent == hallpass.RootFolder {
		parent = ""
	}
	return l.changeFolder(ctx, c, uid, "folder.move", func(t *admin.Turn, r admin.Reach, chain []hallpass.Folder, f *hallpass.Folder) ([]hallpass.Folder, error) {
		above, err := t.FolderChain(t.Caller.Org, parent)
		if hallpass.KindOf(err) == hallpass.NotFound {
			err = errNoParent
		}
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(above, func(g hallpass.Folder) bool { return g.UID == uid }) {
			return nil, errFolderCircle
		}
		if err := r.Demand(hallpass.FoldersCreate, admin.FolderScopes(above)); err != nil {
			return nil, err
		}
		after := append([]hallpass.Scope{hallpass.FolderResource.Scope(uid)}, admin.FolderScopes(above)...)
		if len(above) == 0 {
			after = after[:1]
		}
		if err := r.Gains(admin.FolderScopes(chain), after); err != nil {
			return nil, err
		}
		height, err := treeHeight(t.Tx, t.Caller.Org, uid)
		if err != nil {
			return nil, err
		}
		if len(above)+height-1 > l.depth {
			return nil, errTooDeep
		}
		f.Parent = parent
		return above, nil
	})
}

// treeHeight returns how many levels of folders the folder has, itself one.
func treeHeight(tx *store.Tx, org hallpass.OrgID, uid string) (int, error) {
	all, err := tx.Folders(org)
	if err != nil {
		return 0, err
	}
	t := newTree(all)
	base := len(t.chain(uid))
	height := 1
	for _, f := range all {
		chain := t.chain(f.UID)
		if slices.ContainsFunc(chain, func(g hallpass.Folder) bool { return g.UID == uid }) {
			height = max(height, len(chain)-base+1)
		}
	}
	return height, nil
}

// changeFolder authorizes folders:write and changes the folder as fn does, which
// returns the folders that it is in then.
func (l *Library) changeFolder(ctx context.Context, c hallpass.Caller, uid, what string, fn func(*admin.Turn, admin.Reach, []hallpass.Folder, *hallpass.Folder) ([]hallpass.Folder, error)) (v FolderView, err error) {
	err = l.admin.ChangeTree(ctx, c, hallpass.FoldersWrite, hallpass.FolderResource.Scope(uid), what, func(t *admin.Turn, r admin.Reach) error {
		chain, err := folderFor(t.Tx, r, hallpass.FoldersWrite, uid)
		if err != nil {
			return err
		}
		f := chain[0]
		above, err := fn(t, r, chain, &f)
		if err != nil {
			return err
		}
		f.Version, f.UpdatedBy, f.UpdatedAt = f.Version+1, t.Caller.Principal.Login, l.admin.Now()
		if err := t.UpdateFolder(f); err != nil {
			return err
		}
		if v, err = viewFolder(t.Tx, r, append([]hallpass.Folder{f}, above...)); err != nil {
			return err
		}
		return t.Audit("folder", uid, "title "+f.Title)
	})
	return v, err
}

// DeleteFolder removes the folder with the folders and dashboards in it, and all
// access to them, and returns what it was.
func (l *Library) DeleteFolder(ctx context.Context, c hallpass.Caller, uid string) (f hallpass.Folder, err error) {
	err = l.admin.ChangeTree(ctx, c, hallpass.FoldersDelete, hallpass.FolderResource.Scope(uid), "folder.delete", func(t *admin.Turn, r admin.Reach) error {
		chain, err := folderFor(t.Tx, r, hallpass.FoldersDelete, uid)
		if err != nil {
			return err
		}
		f = chain[0]
		subtree, err := t.FolderTree(t.Caller.Org, uid)
		if err != nil {
			return err
		}
		if err := t.DeleteFolders(t.Caller.Org, subtree); err != nil {
			return err
		}
		return t.Audit("folder", uid, "title "+f.Title)
	})
	return f, err
}

// FolderCounts returns how many folders and dashboards stand anywhere in the
// folder.
func (l *Library) FolderCounts(ctx context.Context, c hallpass.Caller, uid string) (folders, dashboards int64, err error) {
	err = l.admin.ReadTree(ctx, c, hallpass.FoldersRead, hallpass.FolderResource.Scope(uid), func(tx *store.Tx, r admin.Reach) error {
		if _, err := folderFor(tx, r, hallpass.FoldersRead, uid); err != nil {
			return err
		}
		inside, err := tx.FolderTree(c.Org, uid)
		if err != nil {
			return err
		}
		folders, dashboards, err = tx.FolderCounts(c.Org, inside)
		return err
	})
	return folders, dashboards, err
}

// RootFolder returns the caller's actions on the root.
func (l *Library) RootFolder(ctx context.Context, c hallpass.Caller) (can map[string]bool, err error) {
	root := admin.FolderScopes(nil)
	err = l.admin.ReadTree(ctx, c, hallpass.FoldersRead, root[0], func(_ *store.Tx, r admin.Reach) error {
		can = r.Actions(root)
		return r.Demand(hallpass.FoldersRead, root)
	})
	return can, err
}
