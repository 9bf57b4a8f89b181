package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A Pool is the state of one of the pools of connections.
type Pool struct {
	Name              string // "read" or "write"
	Open, InUse, Idle int
	Max               int // 0: no bound
	Waits             uint64
	WaitSeconds       float64
}

// Pools returns the state of the pools.
func (db *DB) Pools() []Pool {
	return []Pool{poolOf("read", db.read.Stats()), poolOf("write", db.write.Stats())}
}

func poolOf(name string, s sql.DBStats) Pool {
	return Pool{
		Name: name, Open: s.OpenConnections, InUse: s.InUse, Idle: s.Idle, Max: s.MaxOpenConnections,
		Waits: uint64(s.WaitCount), WaitSeconds: s.WaitDuration.Seconds(),
	}
}

// Totals is how much a server holds. A user is active who was seen within 30
// days; one who has a role in several orgs counts once with each role.
type Totals struct {
	Orgs, Users, ServiceAccounts, Tokens, Teams, Folders, Dashboards, Tags int64
	Admins, Editors, Viewers                                               int64
	Active, ActiveAdmins, ActiveEditors, ActiveViewers                     int64
	ActiveToday, Sessions                                                  int64
}

// Totals counts what the server holds at now.
func (tx *Tx) Totals(now time.Time) (t Totals, err error) {
	day, month := micros(now.Add(-24*time.Hour)), micros(now.Add(-30*24*time.Hour))
	err = tx.sql.QueryRow(`
		SELECT (SELECT COUNT(*) FROM orgs), (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM service_accounts), (SELECT COUNT(*) FROM tokens),
		       (SELECT COUNT(*) FROM teams), (SELECT COUNT(*) FROM folders), (SELECT COUNT(*) FROM dashboards),
		       (SELECT COUNT(*) FROM users WHERE seen_us > $1), (SELECT COUNT(*) FROM users WHERE seen_us > $2), (SELECT COUNT(*) FROM sessions WHERE expires_us > $3)`,
		month, day, micros(now)).Scan(&t.Orgs, &t.Users, &t.ServiceAccounts, &t.Tokens, &t.Teams, &t.Folders, &t.Dashboards, &t.Active, &t.ActiveToday, &t.Sessions)
	if err != nil {
		return t, fmt.Errorf("store: totals: %w", err)
	}
	for role, to := range map[hallpass.Role][2]*int64{
		hallpass.RoleAdmin: {&t.Admins, &t.ActiveAdmins}, hallpass.RoleEditor: {&t.Editors, &t.ActiveEditors}, hallpass.RoleViewer: {&t.Viewers, &t.ActiveViewers},
	} {
		err := tx.sql.QueryRow(`
			SELECT COUNT(DISTINCT m.user_id), COUNT(DISTINCT CASE WHEN u.seen_us > $2 THEN m.user_id END)
			FROM   members m JOIN users u ON u.id = m.user_id WHERE m.role = $1`, role.String(), month).Scan(to[0], to[1])
		if err != nil {
			return t, fmt.Errorf("store: totals of role %s: %w", role, err)
		}
	}
	t.Tags, err = tx.tagCount()
	return t, err
}

// tagCount returns how many tags dashboards have that are not the same.
func (tx *Tx) tagCount() (int64, error) {
	lists, err := all(tx, func(r row) (list []string, err error) {
		var text string
		if err := r.Scan(&text); err != nil {
			return nil, err
		}
		return list, json.Unmarshal([]byte(text), &list)
	}, `SELECT DISTINCT tags FROM dashboards`)
	if err != nil {
		return 0, fmt.Errorf("store: tags: %w", err)
	}
	seen := make(map[string]struct{})
	for _, list := range lists {
		for _, tag := range list {
			seen[tag] = struct{}{}
		}
	}
	return int64(len(seen)), nil
}
