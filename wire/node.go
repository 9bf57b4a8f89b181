package wire

import "time"

// Node is a row of GET /api/admin/nodes: a process that verifies credentials from the
// database. Times in milliseconds are measured by the node that answers.
type Node struct {
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Version string    `json:"version"`
	Self    bool      `json:"self"` // the node that answers
	Started time.Time `json:"started"`
	Beat    time.Time `json:"beat"`    // its last heartbeat
	Applied int64     `json:"applied"` // the last change of authority that it has applied
	Behind  int64     `json:"behind"`  // how many changes it has not applied yet
	LagMS   int64     `json:"lagMs"`   // the time since its last heartbeat
	LeaseMS int64     `json:"leaseMs"` // how long it may still answer from memory; 0 on a database that is not shared
	AckMS   float64   `json:"ackMs"`   // how long the last change that was made through it needed until every node had applied it
	State   string    `json:"state"`   // "live", "silent", "dead" or "diverged"
}

// AdminStats is GET /api/admin/stats: how much the server holds. Active counts
// those who were seen within 30 days. What this server does not have is 0.
type AdminStats struct {
	Orgs               int64 `json:"orgs"`
	Dashboards         int64 `json:"dashboards"`
	Folders            int64 `json:"folders"`
	Snapshots          int64 `json:"snapshots"`
	Tags               int64 `json:"tags"`
	Datasources        int64 `json:"datasources"`
	Playlists          int64 `json:"playlists"`
	Stars              int64 `json:"stars"`
	Alerts             int64 `json:"alerts"`
	Users              int64 `json:"users"`
	Admins             int64 `json:"admins"`
	Editors            int64 `json:"editors"`
	Viewers            int64 `json:"viewers"`
	ActiveUsers        int64 `json:"activeUsers"`
	ActiveAdmins       int64 `json:"activeAdmins"`
	ActiveEditors      int64 `json:"activeEditors"`
	ActiveViewers      int64 `json:"activeViewers"`
	ActiveSessions     int64 `json:"activeSessions"`
	DailyActiveUsers   int64 `json:"dailyActiveUsers"`
	MonthlyActiveUsers int64 `json:"monthlyActiveUsers"`
	// Our own fields, in addition to Grafana's.
	ServiceAccounts int64 `json:"serviceAccounts"`
	Tokens          int64 `json:"tokens"`
	Teams           int64 `json:"teams"`
}
