package store

import (
	"encoding/json"
	"fmt"

	"github.com/hallpass-dev/hallpass"
)

const dashboardColumns = `d.id, d.uid, d.org_id, d.folder_uid, d.title, d.tags, d.version, d.created_by, d.updated_by, d.created_us, d.updated_us`

func scanDashboard(r row, more ...any) (d hallpass.Dashboard, err error) {
	var created, updated int64
	var tags string
	err = r.Scan(append([]any{&d.ID, &d.UID, &d.Org, &d.Folder, &d.Title, &tags, &d.Version, &d.CreatedBy, &d.UpdatedBy, &created, &updated}, more...)...)
	if err != nil {
		return d, err
	}
	d.CreatedAt, d.UpdatedAt = fromMicros(created), fromMicros(updated)
	return d, json.Unmarshal([]byte(tags), &d.Tags)
}

func scanWholeDashboard(r row) (hallpass.Dashboard, error) {
	var data []byte
	d, err := scanDashboard(r, &data)
	d.Data = data
	return d, err
}

func tagsColumn(tags []string) (string, error) {
	if tags == nil {
		tags = []string{}
	}
	b, err := json.Marshal(tags)
	return string(b), err
}

var errDashboardNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "dashboard.not-found", Message: "Dashboard not found"}

// CreateDashboard stores a new dashboard and returns it with its ID. A uid that
// a folder or dashboard of the org has is a Conflict.
func (tx *Tx) CreateDashboard(d hallpass.Dashboard) (hallpass.Dashboard, error) {
	if err := tx.treeUIDFree(d.Org, d.UID); err != nil {
		return hallpass.Dashboard{}, err
	}
	tags, err := tagsColumn(d.Tags)
	if err != nil {
		return hallpass.Dashboard{}, fmt.Errorf("store: create dashboard: %w", err)
	}
	id, err := tx.nextID("dashboard")
	if err != nil {
		return hallpass.Dashboard{}, err
	}
	d.ID = hallpass.DashboardID(id)
	_, err = tx.exec(`
		INSERT INTO dashboards (id, uid, org_id, folder_uid, title, title_key, tags, version, data, created_by, updated_by, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		d.ID, d.UID, d.Org, d.Folder, d.Title, hallpass.NameKey(d.Title), tags, d.Version, d.Data, d.CreatedBy, d.UpdatedBy, micros(d.CreatedAt), micros(d.UpdatedAt))
	if isUnique(err) {
		return hallpass.Dashboard{}, errUIDTaken
	}
	if err != nil {
		return hallpass.Dashboard{}, fmt.Errorf("store: create dashboard: %w", err)
	}
	return d, nil
}

// Dashboard returns the dashboard with its data; NotFound when org has none
// with that uid.
func (tx *Tx) Dashboard(org hallpass.OrgID, uid string) (hallpass.Dashboard, error) {
	d, err := scanWholeDashboard(tx.sql.QueryRow(`SELECT `+dashboardColumns+`, d.data FROM dashboards d WHERE d.org_id = $1 AND d.uid = $2`, org, uid))
	if err != nil {
		return hallpass.Dashboard{}, notFound(fmt.Errorf("store: dashboard: %w", err), errDashboardNotFound.ID, errDashboardNotFound.Message)
	}
	return d, nil
}

// DashboardByID returns the dashboard with that number, with its data; NotFound
// when org has none.
func (tx *Tx) DashboardByID(org hallpass.OrgID, id hallpass.DashboardID) (hallpass.Dashboard, error) {
	d, err := scanWholeDashboard(tx.sql.QueryRow(`SELECT `+dashboardColumns+`, d.data FROM dashboards d WHERE d.org_id = $1 AND d.id = $2`, org, id))
	if err != nil {
		return hallpass.Dashboard{}, notFound(fmt.Errorf("store: dashboard %d: %w", id, err), errDashboardNotFound.ID, errDashboardNotFound.Message)
	}
	return d, nil
}

// Dashboards returns every dashboard of the org whose title holds text, without
// data, by title.
func (tx *Tx) Dashboards(org hallpass.OrgID, text string) ([]hallpass.Dashboard, error) {
	list, err := all(tx, func(r row) (hallpass.Dashboard, error) { return scanDashboard(r) }, `
		SELECT `+dashboardColumns+` FROM dashboards d WHERE d.org_id = $1 AND d.title_key LIKE $2 ESCAPE '\' ORDER BY d.title_key, d.id`, org, contains(text))
	if err != nil {
		return nil, fmt.Errorf("store: dashboards: %w", err)
	}
	return list, nil
}

// UpdateDashboard stores everything about the dashboard that can change;
// NotFound when its org has none with that ID.
func (tx *Tx) UpdateDashboard(d hallpass.Dashboard) error {
	tags, err := tagsColumn(d.Tags)
	if err != nil {
		return fmt.Errorf("store: update dashboard: %w", err)
	}
	n, err := tx.exec(`
		UPDATE dashboards
		SET    folder_uid = $3, title = $4, title_key = $5, tags = $6, version = $7, data = $8, updated_by = $9, updated_us = $10
		WHERE  org_id = $1 AND id = $2`,
		d.Org, d.ID, d.Folder, d.Title, hallpass.NameKey(d.Title), tags, d.Version, d.Data, d.UpdatedBy, micros(d.UpdatedAt))
	if err != nil {
		return fmt.Errorf("store: update dashboard: %w", err)
	}
	if n == 0 {
		return errDashboardNotFound
	}
	return nil
}

// RenameDashboard gives the dashboard another uid, and its access with it. A uid
// that a folder or dashboard of the org has is a Conflict.
func (tx *Tx) RenameDashboard(org hallpass.OrgID, uid, to string) error {
	if err := tx.treeUIDFree(org, to); err != nil {
		return err
	}
	return tx.steps("rename dashboard",
		do(`UPDATE dashboards SET uid = $3 WHERE org_id = $1 AND uid = $2`, org, uid, to),
		do(`UPDATE grants SET resource_id = $3 WHERE org_id = $1 AND resource = 'dashboards' AND resource_id = $2`, org, uid, to),
	)
}

// DeleteDashboard removes the dashboard, its versions and all access to it;
// NotFound when org has none with that uid.
func (tx *Tx) DeleteDashboard(org hallpass.OrgID, uid string) error {
	d, err := tx.Dashboard(org, uid)
	if err != nil {
		return err
	}
	return tx.steps("delete dashboard",
		do(`DELETE FROM grants WHERE org_id = $1 AND resource = 'dashboards' AND resource_id = $2`, org, uid),
		do(`DELETE FROM dashboard_versions WHERE dashboard_id = $1`, d.ID),
		do(`DELETE FROM dashboards WHERE org_id = $1 AND id = $2`, org, d.ID),
	)
}

func scanDashboardVersion(r row, more ...any) (v hallpass.DashboardVersion, err error) {
	var created int64
	err = r.Scan(append([]any{&v.Dashboard, &v.Version, &v.Parent, &v.RestoredFrom, &v.Message, &v.CreatedBy, &created}, more...)...)
	v.CreatedAt, v.ID = fromMicros(created), v.Version
	return v, err
}

// AddDashboardVersion keeps what was saved.
func (tx *Tx) AddDashboardVersion(v hallpass.DashboardVersion) error {
	_, err := tx.exec(`
		INSERT INTO dashboard_versions (dashboard_id, version, parent, restored_from, message, data, created_by, created_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		v.Dashboard, v.Version, v.Parent, v.RestoredFrom, v.Message, v.Data, v.CreatedBy, micros(v.CreatedAt))
	if err != nil {
		return fmt.Errorf("store: add dashboard version: %w", err)
	}
	return nil
}

// DashboardVersions returns the versions of the dashboard, the newest first,
// without data.
func (tx *Tx) DashboardVersions(id hallpass.DashboardID, limit, offset int) ([]hallpass.DashboardVersion, error) {
	list, err := all(tx, func(r row) (hallpass.DashboardVersion, error) { return scanDashboardVersion(r) }, `
		SELECT dashboard_id, version, parent, restored_from, message, created_by, created_us
		FROM   dashboard_versions WHERE dashboard_id = $1 ORDER BY version DESC LIMIT $2 OFFSET $3`, id, limit, offset)
	if err != nil {
		return nil, fmt.Errorf("store: dashboard versions: %w", err)
	}
	return list, nil
}

// DashboardVersion returns one version with its data; NotFound when there is
// none.
func (tx *Tx) DashboardVersion(id hallpass.DashboardID, version int64) (hallpass.DashboardVersion, error) {
	var data []byte
	v, err := scanDashboardVersion(tx.sql.QueryRow(`
		SELECT dashboard_id, version, parent, restored_from, message, created_by, created_us, data
		FROM   dashboard_versions WHERE dashboard_id = $1 AND version = $2`, id, version), &data)
	v.Data = data
	if err != nil {
		return v, notFound(fmt.Errorf("store: dashboard version: %w", err), "dashboard.version-not-found", "Dashboard version not found")
	}
	return v, nil
}

// TrimDashboardVersions forgets the versions of the dashboard up to the given
// one.
func (tx *Tx) TrimDashboardVersions(id hallpass.DashboardID, upTo int64) error {
	return tx.steps("trim dashboard versions", do(`DELETE FROM dashboard_versions WHERE dashboard_id = $1 AND version <= $2`, id, upTo))
}
