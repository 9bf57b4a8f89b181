package store

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hallpass-dev/hallpass"
)

const folderColumns = `f.id, f.uid, f.org_id, f.parent_uid, f.title, f.description, f.version, f.created_by, f.updated_by, f.created_us, f.updated_us`

func scanFolder(r row) (f hallpass.Folder, err error) {
	var created, updated int64
	err = r.Scan(&f.ID, &f.UID, &f.Org, &f.Parent, &f.Title, &f.Description, &f.Version, &f.CreatedBy, &f.UpdatedBy, &created, &updated)
	f.CreatedAt, f.UpdatedAt = fromMicros(created), fromMicros(updated)
	return f, err
}

var (
	errFolderNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "folder.not-found", Message: "folder not found"}
	errUIDTaken       = &hallpass.Error{Kind: hallpass.Conflict, ID: "folder.uid-taken", Message: "a folder/dashboard with the same uid already exists"}
)

// CreateFolder stores a new folder and returns it with its ID. A uid that a
// folder or dashboard of the org has is a Conflict.
func (tx *Tx) CreateFolder(f hallpass.Folder) (hallpass.Folder, error) {
	if err := tx.treeUIDFree(f.Org, f.UID); err != nil {
		return hallpass.Folder{}, err
	}
	id, err := tx.nextID("folder")
	if err != nil {
		return hallpass.Folder{}, err
	}
	f.ID = hallpass.FolderID(id)
	_, err = tx.exec(`
		INSERT INTO folders (id, uid, org_id, parent_uid, title, title_key, description, version, created_by, updated_by, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		f.ID, f.UID, f.Org, f.Parent, f.Title, hallpass.NameKey(f.Title), f.Description, f.Version, f.CreatedBy, f.UpdatedBy, micros(f.CreatedAt), micros(f.UpdatedAt))
	if isUnique(err) {
		return hallpass.Folder{}, errUIDTaken
	}
	if err != nil {
		return hallpass.Folder{}, fmt.Errorf("store: create folder: %w", err)
	}
	return f, nil
}

// treeUIDFree reports as a Conflict that a folder or dashboard of org has the
// uid. They share one room of uids, as in Grafana.
func (tx *Tx) treeUIDFree(org hallpass.OrgID, uid string) error {
	var n int
	err := tx.sql.QueryRow(`
		SELECT (SELECT COUNT(*) FROM folders WHERE org_id = $1 AND uid = $2) + (SELECT COUNT(*) FROM dashboards WHERE org_id = $1 AND uid = $2)`, org, uid).Scan(&n)
	if err != nil {
		return fmt.Errorf("store: look for uid: %w", err)
	}
	if n > 0 {
		return errUIDTaken
	}
	return nil
}

// Folder returns the folder; NotFound when org has none with that uid.
func (tx *Tx) Folder(org hallpass.OrgID, uid string) (hallpass.Folder, error) {
	f, err := scanFolder(tx.sql.QueryRow(`SELECT `+folderColumns+` FROM folders f WHERE f.org_id = $1 AND f.uid = $2`, org, uid))
	if err != nil {
		return hallpass.Folder{}, notFound(fmt.Errorf("store: folder: %w", err), errFolderNotFound.ID, errFolderNotFound.Message)
	}
	return f, nil
}

// FolderByID returns the folder with that number; NotFound when org has none.
func (tx *Tx) FolderByID(org hallpass.OrgID, id hallpass.FolderID) (hallpass.Folder, error) {
	f, err := scanFolder(tx.sql.QueryRow(`SELECT `+folderColumns+` FROM folders f WHERE f.org_id = $1 AND f.id = $2`, org, id))
	if err != nil {
		return hallpass.Folder{}, notFound(fmt.Errorf("store: folder %d: %w", id, err), errFolderNotFound.ID, errFolderNotFound.Message)
	}
	return f, nil
}

// Folders returns every folder of the org, by title.
func (tx *Tx) Folders(org hallpass.OrgID) ([]hallpass.Folder, error) {
	list, err := all(tx, scanFolder, `SELECT `+folderColumns+` FROM folders f WHERE f.org_id = $1 ORDER BY f.title_key, f.id`, org)
	if err != nil {
		return nil, fmt.Errorf("store: folders: %w", err)
	}
	return list, nil
}

// FolderChain returns the folder and those it stands in, up to the root; none
// for the root itself. NotFound when org has no such folder.
func (tx *Tx) FolderChain(org hallpass.OrgID, uid string) ([]hallpass.Folder, error) {
	var chain []hallpass.Folder
	for uid != "" {
		f, err := tx.Folder(org, uid)
		if err != nil {
			return nil, err
		}
		if len(chain) > hallpass.MaxFolderDepth {
			return nil, fmt.Errorf("store: folder %s stands in itself", strconv.Quote(f.UID))
		}
		chain = append(chain, f)
		uid = f.Parent
	}
	return chain, nil
}

// FolderTree returns the folder's uid and those of all folders below it.
func (tx *Tx) FolderTree(org hallpass.OrgID, uid string) ([]string, error) {
	list, err := all(tx, func(r row) (s string, err error) { err = r.Scan(&s); return s, err }, `
		WITH RECURSIVE tree (uid) AS (
		    SELECT uid FROM folders WHERE org_id = $1 AND uid = $2
		    UNION ALL
		    SELECT f.uid FROM folders f JOIN tree t ON f.parent_uid = t.uid WHERE f.org_id = $1
		)
		SELECT uid FROM tree`, org, uid)
	if err != nil {
		return nil, fmt.Errorf("store: tree below folder: %w", err)
	}
	return list, nil
}

// UpdateFolder stores the folder's title, description, parent and version;
// NotFound when its org has none with that uid.
func (tx *Tx) UpdateFolder(f hallpass.Folder) error {
	n, err := tx.exec(`
		UPDATE folders
		SET    parent_uid = $3, title = $4, title_key = $5, description = $6, version = $7, updated_by = $8, updated_us = $9
		WHERE  org_id = $1 AND uid = $2`,
		f.Org, f.UID, f.Parent, f.Title, hallpass.NameKey(f.Title), f.Description, f.Version, f.UpdatedBy, micros(f.UpdatedAt))
	if err != nil {
		return fmt.Errorf("store: update folder: %w", err)
	}
	if n == 0 {
		return errFolderNotFound
	}
	return nil
}

// DeleteFolders removes the folders with those uids, the dashboards in them and
// all access to either.
func (tx *Tx) DeleteFolders(org hallpass.OrgID, uids []string) error {
	for part := range slices.Chunk(uids, maxBinds) {
		args := []any{org}
		in := binds(&args, part)
		err := tx.steps("delete folders",
			step{`DELETE FROM grants WHERE org_id = $1 AND resource = 'dashboards' AND resource_id IN (SELECT uid FROM dashboards WHERE org_id = $1 AND folder_uid IN (` + in + `))`, args},
			step{`DELETE FROM grants WHERE org_id = $1 AND resource = 'folders' AND resource_id IN (` + in + `)`, args},
			step{`DELETE FROM dashboard_versions WHERE dashboard_id IN (SELECT id FROM dashboards WHERE org_id = $1 AND folder_uid IN (` + in + `))`, args},
			step{`DELETE FROM dashboards WHERE org_id = $1 AND folder_uid IN (` + in + `)`, args},
			step{`DELETE FROM folders WHERE org_id = $1 AND uid IN (` + in + `)`, args},
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// FolderCounts returns how many folders and dashboards stand in the folders with
// those uids.
func (tx *Tx) FolderCounts(org hallpass.OrgID, uids []string) (folders, dashboards int64, err error) {
	for part := range slices.Chunk(uids, maxBinds) {
		args := []any{org}
		in := binds(&args, part)
		var f, d int64
		err = tx.sql.QueryRow(`
			SELECT (SELECT COUNT(*) FROM folders WHERE org_id = $1 AND parent_uid IN (`+in+`)),
			       (SELECT COUNT(*) FROM dashboards WHERE org_id = $1 AND folder_uid IN (`+in+`))`, args...).Scan(&f, &d)
		if err != nil {
			return 0, 0, fmt.Errorf("store: count in folders: %w", err)
		}
		folders, dashboards = folders+f, dashboards+d
	}
	return folders, dashboards, nil
}
