package hallpass

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
)

// A Change is one change of what credentials permit: something was revoked, ended,
// disabled, enabled or given another role, or a guard has other rules. Every node
// applies it before the request that made it is answered. Making a token is not a
// Change: no node can have an older state of it in memory. Making a guard is one,
// because nodes remember which guards there are. The zero Change says that anything
// may be different.
type Change struct {
	Kind ChangeKind
	ID   int64    // of the token, session, service account, user, org or guard
	Hash [32]byte // of a token or session; zero for principals
}

// ChangeKind says what a Change is about.
type ChangeKind string

// The kinds of change. Each has a line in reaches, and one in the table of the
// store, which says what a journal keeps of it.
const (
	TokenChanged          ChangeKind = "token"
	SessionChanged        ChangeKind = "session"
	ServiceAccountChanged ChangeKind = "serviceaccount"
	UserChanged           ChangeKind = "user"
	OrgChanged            ChangeKind = "org"
	GuardChanged          ChangeKind = "guard"
	// PermissionsChanged says that what roles or teams permit changed for
	// everybody in the org with that ID, or in every org if it is zero.
	PermissionsChanged ChangeKind = "permissions"
	// ChangedByHand says that somebody wrote to the database without Hallpass:
	// anything may be different, for everybody.
	ChangedByHand ChangeKind = "byhand"
)

// A Reach names the subjects that a Change may affect. A node forgets what it
// remembers of each of them. The zero Reach names nobody.
type Reach struct {
	Everybody      bool // anything may be different, for everybody
	Token          TokenID
	Session        SessionID
	Hash           [32]byte // of the token or session
	ServiceAccount ServiceAccountID
	User           UserID
	Org            OrgID // the org itself: its name, its address, or that it exists
	Members        OrgID // what everybody in that org may do
	Guard          GuardID
}

// reaches says for each kind of change whom it reaches.
var reaches = map[ChangeKind]func(c Change) Reach{
	TokenChanged:          func(c Change) Reach { return Reach{Token: TokenID(c.ID), Hash: c.Hash} },
	SessionChanged:        func(c Change) Reach { return Reach{Session: SessionID(c.ID), Hash: c.Hash} },
	ServiceAccountChanged: func(c Change) Reach { return Reach{ServiceAccount: ServiceAccountID(c.ID)} },
	UserChanged:           func(c Change) Reach { return Reach{User: UserID(c.ID)} },
	OrgChanged:            func(c Change) Reach { return Reach{Org: OrgID(c.ID)} },
	GuardChanged:          func(c Change) Reach { return Reach{Guard: GuardID(c.ID)} },
	PermissionsChanged:    func(c Change) Reach { return Reach{Everybody: c.ID == 0, Members: OrgID(c.ID)} },
	ChangedByHand:         func(Change) Reach { return Reach{Everybody: true} },
}

// ChangeKinds returns the kinds of change that this version knows.
func ChangeKinds() []ChangeKind { return slices.Sorted(maps.Keys(reaches)) }

// Reach returns whom c reaches. A kind that this version does not know, because
// a newer node wrote it, reaches everybody.
func (c Change) Reach() Reach {
	reach, known := reaches[c.Kind]
	if !known {
		return Reach{Everybody: true}
	}
	return reach(c)
}

// Concerns reports whether anything that the caller was verified from may be
// different.
func (r Reach) Concerns(c Caller) bool {
	return r.Everybody ||
		same(r.Token, c.Token) || same(r.Session, c.Session) ||
		same(r.ServiceAccount, c.ServiceAccount()) || same(r.User, c.User()) ||
		same(r.Org, c.Org) || same(r.Members, c.Org)
}

// same reports whether both are the same ID and not none.
func same[ID ~int64](a, b ID) bool { return a == b && a != 0 }

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
