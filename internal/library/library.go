// Package library keeps an org's folders and dashboards, and finds them. It holds
// no rule of who may do what: each of its methods asks admin for the caller's
// reach over the tree of folders, and changes things in a turn of admin, which
// authorizes and audits.
package library

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// Options sets up a Library. Zero values are useful.
type Options struct {
	FolderDepth int // how deep folders nest below one at the root; 0: hallpass.DefaultFolderDepth
}

// A Library changes, lists and finds folders and dashboards. It is safe for
// concurrent use.
type Library struct {
	admin *admin.Admin
	depth int
}

// New returns a Library whose changes and reads go through a.
func New(a *admin.Admin, o Options) *Library {
	if o.FolderDepth == 0 {
		o.FolderDepth = hallpass.DefaultFolderDepth
	}
	return &Library{admin: a, depth: o.FolderDepth}
}
