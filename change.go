package hallpass

import (
	"crypto/sha256"
	"encoding/binary"
)

// A Change is one step in what credentials are worth: something was revoked,
// ended, disabled, enabled or given another role. Every node must know of it
// before it is answered. Making a token is not a Change: no node can hold an
// older opinion of it.
type Change struct {
	Kind ChangeKind
	ID   int64    // of the token, session, service account, user or org
	Hash [32]byte // of a token or session; zero for principals
}

// ChangeKind says what a Change is about.
type ChangeKind string

// The kinds of change.
const (
	TokenChanged          ChangeKind = "token"
	SessionChanged        ChangeKind = "session"
	ServiceAccountChanged ChangeKind = "serviceaccount"
	UserChanged           ChangeKind = "user"
	OrgChanged            ChangeKind = "org"
	// PermissionsChanged says that what roles or teams permit changed for
	// everybody in the org with that ID, or in every org if it is zero.
	PermissionsChanged ChangeKind = "permissions"
	// ChangedByHand says that somebody wrote to the database beside Hallpass:
	// anything may be different, for everybody.
	ChangedByHand ChangeKind = "byhand"
)

// A Version counts changes, from 0 for a new installation, without gaps. The
// order of versions is the order of commits.
type Version int64

// ChainDigest returns the digest of the history that ends with c as version v,
// given the digest of the history before it. Two databases with the same
// digest at a version have the same past.
func ChainDigest(before [32]byte, v Version, c Change) [32]byte {
	buf := make([]byte, 0, 128)
	buf = append(buf, before[:]...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(v))
	buf = binary.BigEndian.AppendUint64(buf, uint64(c.ID))
	buf = append(buf, c.Hash[:]...)
	buf = append(buf, c.Kind...)
	return sha256.Sum256(buf)
}
