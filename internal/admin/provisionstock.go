package admin

import (
	"github.com/hallpass-dev/hallpass"
)

// stock is what is there before files are compared with it, read once for each org: a file
// may declare thousands of accounts. It is of one transaction, and says nothing of what
// that writes.
type stock struct {
	roles    map[hallpass.OrgID]shelf[hallpass.NamedRole]
	teams    map[hallpass.OrgID]shelf[hallpass.Team]
	accounts map[hallpass.OrgID]shelf[hallpass.ServiceAccount]
	guards   map[string]hallpass.Guard // of all orgs, by name; nil: not read yet
}

func newStock() stock {
	return stock{
		roles: make(map[hallpass.OrgID]shelf[hallpass.NamedRole]), teams: make(map[hallpass.OrgID]shelf[hallpass.Team]),
		accounts: make(map[hallpass.OrgID]shelf[hallpass.ServiceAccount]),
	}
}

// A shelf holds all things of one noun and org.
type shelf[T any] struct{ byID, byUID, byName map[string]T }

// handle is by what a thing is found.
type handle struct{ id, uid, name string }

// onShelf returns the shelf of the org, which it fills with what read returns at first.
func onShelf[T any](shelves map[hallpass.OrgID]shelf[T], org hallpass.OrgID, read func() ([]T, error), by func(T) handle) (shelf[T], error) {
	if s, filled := shelves[org]; filled {
		return s, nil
	}
	list, err := read()
	if err != nil {
		return shelf[T]{}, err
	}
	s := shelf[T]{make(map[string]T, len(list)), make(map[string]T, len(list)), make(map[string]T, len(list))}
	for _, t := range list {
		h := by(t)
		s.byID[h.id], s.byUID[h.uid], s.byName[hallpass.NameKey(h.name)] = t, t, t
	}
	shelves[org] = s
	return s, nil
}

// pick returns the thing that has the ID, or without one the uid, or else the name; the
// zero value if there is none.
func (s shelf[T]) pick(h handle) T {
	if h.id != "" {
		return s.byID[h.id]
	}
	if t, there := s.byUID[h.uid]; there {
		return t
	}
	return s.byName[hallpass.NameKey(h.name)]
}
