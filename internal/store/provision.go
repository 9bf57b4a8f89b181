package store

import (
	"fmt"

	"github.com/hallpass-dev/hallpass"
)

const provisionedColumns = `section, org_id, target, file, stopped, hash`

// fileOf is the provisioning file that declares a thing, as a column of a query that
// selects things; org and id are columns too. Empty: none does.
func fileOf(noun, org, id string) string {
	return `COALESCE((SELECT declared.file FROM provisioned declared WHERE declared.org_id = ` + org + ` AND declared.target = '` + noun + `:' || ` + id + `), '')`
}

func scanProvisioned(r row) (p hallpass.Provisioned, err error) {
	var hash []byte
	err = r.Scan(&p.Section, &p.Org, &p.Target, &p.File, &p.Stopped, &hash)
	copy(p.Hash[:], hash)
	return p, err
}

// Provisioned returns the sections of provisioning files that were applied, by name, also
// those that no file declares any more.
func (tx *Tx) Provisioned() ([]hallpass.Provisioned, error) {
	list, err := all(tx, scanProvisioned, `SELECT `+provisionedColumns+` FROM provisioned ORDER BY section`)
	if err != nil {
		return nil, fmt.Errorf("store: provisioned sections: %w", err)
	}
	return list, nil
}

// ProvisionedAs returns the section that a thing of the org was declared in; one without a
// name if there is none.
func (tx *Tx) ProvisionedAs(org hallpass.OrgID, target string) (p hallpass.Provisioned, err error) {
	list, err := all(tx, scanProvisioned, `SELECT `+provisionedColumns+` FROM provisioned WHERE org_id = $1 AND target = $2`, org, target)
	if err != nil {
		return p, fmt.Errorf("store: provisioned section of %s: %w", target, err)
	}
	if len(list) > 0 {
		p = list[0]
	}
	return p, nil
}

// ProvisionedIn returns a section of the org that a file declares; one without a name if
// there is none.
func (tx *Tx) ProvisionedIn(org hallpass.OrgID) (p hallpass.Provisioned, err error) {
	list, err := all(tx, scanProvisioned, `SELECT `+provisionedColumns+` FROM provisioned WHERE org_id = $1 AND file <> '' ORDER BY section LIMIT 1`, org)
	if err != nil {
		return p, fmt.Errorf("store: provisioned sections of org %d: %w", org, err)
	}
	if len(list) > 0 {
		p = list[0]
	}
	return p, nil
}

// SetProvisioned notes what a section is about and which file declares it. A thing that
// another section is about is a Conflict.
func (tx *Tx) SetProvisioned(p hallpass.Provisioned) error {
	hash := []byte{}
	if p.Hash != [32]byte{} {
		hash = p.Hash[:]
	}
	_, err := tx.exec(`
		INSERT INTO provisioned (`+provisionedColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (section) DO UPDATE SET org_id = excluded.org_id, target = excluded.target, file = excluded.file, stopped = excluded.stopped, hash = excluded.hash`,
		p.Section, p.Org, p.Target, p.File, p.Stopped, hash)
	if isUnique(err) {
		return &hallpass.Error{Kind: hallpass.Conflict, ID: "provisioning.same-thing", Message: "another section is about the same thing"}
	}
	if err != nil {
		return fmt.Errorf("store: provisioned section %s: %w", p.Section, err)
	}
	return nil
}

// ForgetProvisioned removes what is known of the section.
func (tx *Tx) ForgetProvisioned(section string) error {
	if _, err := tx.exec(`DELETE FROM provisioned WHERE section = $1`, section); err != nil {
		return fmt.Errorf("store: forget provisioned section %s: %w", section, err)
	}
	return nil
}
