package admin

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// locking says of each action of an audit entry about a thing that files can declare
// whether it changes what a file says: then it is refused for a thing that a file
// declares. What takes power away is not refused, and neither is what files do not
// declare, as who has a role, or the users in a team.
var locking = map[string]bool{
	"org.create": false, "org.delete": true, "org.update": true, "org.current": false, "org.preferences": false, "org.token-policy": false,
	"role.create": false, "role.delete": true, "role.update": true, "role.reset": false, "role.assign": false, "role.unassign": false, "role.assignments.set": false,
	"team.create": false, "team.delete": true, "team.update": true, "team.group.add": true, "team.group.remove": true,
	"team.member.remove": false, "team.member.set": false, "team.members.set": false, "team.preferences": false,
	"serviceaccount.create": false, "serviceaccount.delete": true, "serviceaccount.update": true, "serviceaccount.disable": false, "serviceaccount.enable": false,
	"token.create": false, "token.update": true, "token.rotate": true, "token.extend": true, "token.undo": true, "token.reissue": true,
	"token.delete": false, "token.pause": false, "token.resume": false, "token.retire": false, "token.revoke": false, "token.stale": false, "token.prune": false, "token.verify": false,
	"guard.create": false, "guard.delete": true, "guard.update": true, "guard.request": false,
}

// LocksProvisioned reports whether an action of an audit entry is refused for a thing that
// a provisioning file declares, and whether it is known.
func LocksProvisioned(action string) (locks, known bool) {
	locks, known = locking[action]
	return locks, known
}

// unlocked returns a Conflict if a provisioning file declares the thing and the action
// changes what the file says, or ends what the file has stopped.
func (t *Turn) unlocked(action, target string) error {
	if t.file {
		return nil
	}
	row, err := t.ProvisionedAs(t.org, target)
	if err == nil && (locking[action] || row.Stopped && action == "serviceaccount.enable") {
		err = row.LockedError()
	}
	return err
}

// takenOver notes that a person changed the thing: if files have stopped it and declare it
// no more, it is the person's from now on.
func (t *Turn) takenOver(target string) error {
	if t.file {
		return nil
	}
	row, err := t.ProvisionedAs(t.org, target)
	if err != nil || row.File != "" || !row.Stopped {
		return err
	}
	row.Stopped = false
	return t.SetProvisioned(row)
}

// accountUnlocked returns a Conflict if a provisioning file declares the principal, which
// then is an account: the file says which roles it has and which teams it is in.
func (t *Turn) accountUnlocked(principal int64) error {
	if t.file {
		return nil
	}
	row, err := t.ProvisionedAs(t.org, target(auditNouns[hallpass.DeclaredAccount], principal))
	if err != nil {
		return err
	}
	return row.LockedError()
}

// granteeUnlocked returns a Conflict if a provisioning file says which roles the grantee
// has.
func (t *Turn) granteeUnlocked(g hallpass.Grantee) error {
	switch g.Kind {
	case hallpass.ToPrincipal:
		return t.accountUnlocked(g.ID)
	case hallpass.ToTeam:
		return t.unlocked("team.update", target(auditNouns[hallpass.DeclaredTeam], g.ID))
	}
	return nil
}

// noFiles returns a Conflict if a provisioning file declares anything in the org.
func noFiles(tx *store.Tx, org hallpass.OrgID) error {
	row, err := tx.ProvisionedIn(org)
	if err != nil {
		return err
	}
	return row.LockedError()
}
