package store

import (
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// SetNameKey gives the org a name and the key that it had when names were folded
// by case alone.
func (tx *Tx) SetNameKey(id hallpass.OrgID, name string) error {
	_, err := tx.exec(`UPDATE orgs SET name = $2, name_key = $3 WHERE id = $1`, id, name, strings.ToLower(strings.ToUpper(name)))
	return err
}
