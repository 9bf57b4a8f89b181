package api

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/library"
	"github.com/hallpass-dev/hallpass/wire"
)

func folderBody(c call, v library.FolderView) wire.Folder {
	out := folderRow(v.Folder)
	out.HasACL = v.HasACL
	out.CanSave, out.CanEdit = v.Can[string(hallpass.FoldersWrite)], v.Can[string(hallpass.FoldersWrite)]
	out.CanAdmin, out.CanDelete = v.Can[string(hallpass.FoldersPermissionsWrite)], v.Can[string(hallpass.FoldersDelete)]
	for _, p := range v.Parents {
		out.Parents = append(out.Parents, folderRow(p))
	}
	if flag(c, "accesscontrol") {
		out.AccessControl = v.Can
	}
	return out
}

func folderRow(f hallpass.Folder) wire.Folder {
	return wire.Folder{
		ID: int64(f.ID), UID: f.UID, OrgID: int64(f.Org), Title: f.Title, Description: f.Description, URL: f.URL(), CreatedBy: f.CreatedBy,
		Created: f.CreatedAt, UpdatedBy: f.UpdatedBy, Updated: f.UpdatedAt, Version: f.Version, ParentUID: f.Parent,
	}
}

// folders is GET /api/folders?limit&page&parentUid&permission.
func (a *API) folders(c call, _ none) ([]wire.FolderHit, error) {
	p, err := page(c, "limit", maxPerPage)
	if err != nil {
		return nil, err
	}
	action, err := wantedPermission(c, hallpass.FoldersRead, hallpass.FoldersWrite)
	if err != nil {
		return nil, err
	}
	list, err := a.library.Folders(c.Context(), c.caller, parentUID(query(c, "parentUid")), action, p)
	out := make([]wire.FolderHit, 0, len(list))
	for _, f := range list {
		out = append(out, wire.FolderHit{ID: int64(f.ID), UID: f.UID, Title: f.Title, ParentUID: f.Parent})
	}
	return out, err
}

// wantedPermission reads ?permission=: View or Edit, in any case; absent is View.
func wantedPermission(c call, view, edit hallpass.Action) (hallpass.Action, error) {
	switch httpd.LowerASCII(query(c, "permission")) {
	case "", "view":
		return view, nil
	case "edit":
		return edit, nil
	}
	return view, hallpass.Invalidf("permission", "permission is neither View nor Edit")
}

// parentUID returns the uid as the library knows it: the root is "".
func parentUID(uid string) string {
	if uid == hallpass.RootFolder {
		return ""
	}
	return uid
}

// folder is GET /api/folders/{folder}.
func (a *API) folder(c call, _ none) (wire.Folder, error) {
	uid := c.PathValue("folder")
	if uid == hallpass.RootFolder {
		return a.rootFolder(c)
	}
	v, err := a.library.Folder(c.Context(), c.caller, uid)
	return folderBody(c, v), err
}

// folderByID is GET /api/folders/id/{number}.
func (a *API) folderByID(c call, _ none) (wire.Folder, error) {
	v, err := a.library.FolderByID(c.Context(), c.caller, c.PathValue("number"))
	return folderBody(c, v), err
}

// rootFolder answers as if the root were a folder.
func (a *API) rootFolder(c call) (wire.Folder, error) {
	can, err := a.library.RootFolder(c.Context(), c.caller)
	out := wire.Folder{UID: hallpass.RootFolder, OrgID: int64(c.caller.Org), Title: "General", CanSave: can[string(hallpass.FoldersCreate)], CanEdit: can[string(hallpass.FoldersCreate)]}
	out.CanAdmin = can[string(hallpass.FoldersPermissionsWrite)]
	if flag(c, "accesscontrol") {
		out.AccessControl = can
	}
	return out, err
}

// createFolder is POST /api/folders.
func (a *API) createFolder(c call, in wire.CreateFolder) (wire.Folder, error) {
	v, err := a.library.CreateFolder(c.Context(), c.caller, library.NewFolder{UID: in.UID, Title: in.Title, Parent: in.ParentUID, Description: in.Description})
	return folderBody(c, v), err
}

// updateFolder is PUT /api/folders/{folder}.
func (a *API) updateFolder(c call, in wire.UpdateFolder) (wire.Folder, error) {
	v, err := a.library.UpdateFolder(c.Context(), c.caller, c.PathValue("folder"), library.FolderPatch(in))
	return folderBody(c, v), err
}

// moveFolder is POST /api/folders/{folder}/move.
func (a *API) moveFolder(c call, in wire.MoveFolder) (wire.Folder, error) {
	v, err := a.library.MoveFolder(c.Context(), c.caller, c.PathValue("folder"), in.ParentUID)
	return folderBody(c, v), err
}

// deleteFolder is DELETE /api/folders/{folder}?forceDeleteRules.
func (a *API) deleteFolder(c call, _ none) (wire.DeletedFolder, error) {
	f, err := a.library.DeleteFolder(c.Context(), c.caller, c.PathValue("folder"))
	return wire.DeletedFolder{ID: int64(f.ID), Title: f.Title, Message: "Folder deleted"}, err
}

// folderCounts is GET /api/folders/{folder}/counts.
func (a *API) folderCounts(c call, _ none) (map[string]int64, error) {
	folders, dashboards, err := a.library.FolderCounts(c.Context(), c.caller, c.PathValue("folder"))
	return map[string]int64{"folder": folders, "dashboard": dashboards, "alertrule": 0, "librarypanel": 0}, err
}

// legacyLevels has the number of each level in the legacy permission lists.
var legacyLevels = map[hallpass.Level]int64{hallpass.LevelView: 1, hallpass.LevelEdit: 2, hallpass.LevelAdmin: 4}

// acl is GET /api/folders/{ref}/permissions and
// /api/dashboards/uid/{ref}/permissions: what was set on the folder or dashboard itself.
func (a *API) acl(r hallpass.Resource) func(call, none) ([]wire.ACLEntry, error) {
	return func(c call, _ none) ([]wire.ACLEntry, error) {
		on, list, err := a.admin.AccessesOn(c.Context(), c.caller, r, c.PathValue("ref"))
		out := make([]wire.ACLEntry, 0, len(list))
		for _, g := range list {
			if g.Inherited {
				continue
			}
			e := aclEntry(on)
			e.ID, e.Created, e.Updated, e.Permission, e.PermissionName = int64(g.ID), g.CreatedAt, g.CreatedAt, legacyLevels[g.Level], string(g.Level)
			switch g.To.Kind {
			case hallpass.ToTeam:
				e.TeamID, e.TeamUID, e.Team, e.TeamEmail, e.TeamAvatarURL = g.To.ID, g.Team.UID, g.Team.Name, g.Team.Email, avatarURL(g.Team.Name+"@localhost")
			case hallpass.ToBasicRole:
				e.Role = hallpass.Role(g.To.ID).String()
			case hallpass.ToPrincipal:
				p := g.Principal
				e.UserID, e.UserUID, e.UserLogin, e.UserEmail, e.UserAvatarURL = g.To.ID, p.UID, p.Login, p.Email, principalAvatar(p)
			}
			out = append(out, e)
		}
		return out, err
	}
}

// aclEntry returns an entry that has only the fields of its folder or dashboard.
func aclEntry(on hallpass.TreeItem) wire.ACLEntry {
	e := wire.ACLEntry{Title: on.Title(), Slug: hallpass.Slug(on.Title())}
	if f := on.Folder; f != nil {
		e.FolderID, e.UID, e.URL, e.IsFolder = int64(f.ID), f.UID, f.URL(), true
		return e
	}
	e.DashboardID, e.FolderID, e.UID, e.URL = int64(on.Dashboard.ID), int64(on.In.ID), on.Dashboard.UID, on.Dashboard.URL()
	return e
}

// setACL is POST on the same paths: it replaces all entries.
func (a *API) setACL(r hallpass.Resource, done string) func(call, wire.SetACL) (wire.Message, error) {
	return func(c call, in wire.SetACL) (wire.Message, error) {
		list := make([]admin.NewAccess, 0, len(in.Items))
		for _, item := range in.Items {
			n, err := aclItem(item)
			if err != nil {
				return wire.Message{}, err
			}
			list = append(list, n)
		}
		return wire.Message{Message: done}, a.admin.SetAccess(c.Context(), c.caller, r, c.PathValue("ref"), list, true)
	}
}

func aclItem(item wire.SetACLEntry) (admin.NewAccess, error) {
	var n admin.NewAccess
	for level, number := range legacyLevels {
		if number == item.Permission {
			n.Level = level
		}
	}
	if n.Level == "" {
		return n, hallpass.Invalidf("permission", "permission must be one of 1 (View), 2 (Edit), 4 (Admin)")
	}
	switch {
	case item.UserID > 0 && item.TeamID == 0 && item.Role == "":
		n.Kind, n.Ref = hallpass.ToPrincipal, decimal(item.UserID)
	case item.TeamID > 0 && item.UserID == 0 && item.Role == "":
		n.Kind, n.Ref = hallpass.ToTeam, decimal(item.TeamID)
	case item.Role != "" && item.UserID == 0 && item.TeamID == 0:
		n.Kind, n.Ref = hallpass.ToBasicRole, item.Role
	default:
		return n, hallpass.Invalidf("items", "each item names one of userId, teamId and role")
	}
	return n, nil
}
