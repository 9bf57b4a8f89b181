package store

import (
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// SetNameKey gives the org a name and the key that it had when names were folded
// by case alone.
func (tx *Tx) SetNameKey(id hallpass.OrgID, name string) error {
	_, err := tx.exec(`UPDATE orgs SET name = $2, name_key = $3 WHERE id = $1`, id, name, strings.ToLower(strings.ToUpper(name)))
	return err
}

// Subjects returns what is known of each kind of change: whether a journal tells
// what became of its subjects.
func Subjects() map[hallpass.ChangeKind]bool {
	known := make(map[hallpass.ChangeKind]bool)
	for kind, s := range subjects {
		known[kind] = s.state != nil
		if whole := s.state != nil && s.again != nil && s.counter != ""; whole != known[kind] || !whole && (s.again != nil || s.counter != "" || !s.unread.Open) {
			panic("the line of " + string(kind) + " is not whole")
		}
	}
	return known
}

// SetApplied makes a node known that has applied the changes up to v and may answer
// for so long without another heartbeat.
func (tx *Tx) SetApplied(node string, v hallpass.Version, lease time.Duration) error {
	_, err := tx.exec(`
		INSERT INTO nodes (id, name, address, version, started_us, beats, beat_us, applied, bound_us, ack_us)
		VALUES ($1, $1, '', '', 0, 0, 0, $2, $3, 0)
		ON CONFLICT (id) DO UPDATE SET applied = excluded.applied`, node, v, lease.Microseconds())
	return err
}

// SetNameRule has the database remember another rule for keys of names.
func (tx *Tx) SetNameRule(rule string) error {
	_, err := tx.exec(`UPDATE jobs SET note = $2 WHERE name = $1`, refoldRow, rule)
	return err
}

// SetGuardRules has the database hold another text as the guard's rules.
func (tx *Tx) SetGuardRules(id hallpass.GuardID, text string) error {
	_, err := tx.exec(`UPDATE guards SET rules = $2 WHERE id = $1`, id, text)
	return err
}
