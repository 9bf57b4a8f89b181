package console

import (
	"slices"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/hallpass-dev/hallpass/internal/admin"
)

// byName sorts a list as people look for names: "Überwachung" stands at U, and
// "job 2" before "job 10".
func byName[T any](list []T, name func(T) string) {
	c := collate.New(language.Und, collate.Numeric)
	slices.SortStableFunc(list, func(a, b T) int { return c.CompareString(name(a), name(b)) })
}

// ordered is how many things a list may have to be put in the order of names. A
// longer one keeps the order of the database's index, by login or folded name:
// to sort it for each page would cost more than it gives.
const ordered = 1000

// pageByName returns a page of a list in the order of names, and how many there
// are on all pages.
func pageByName[T any](p admin.Page, fetch func(admin.Page) ([]T, int, error), name func(T) string) (page []T, total int, err error) {
	all, total, err := fetch(admin.Page{Number: 1, Size: ordered})
	if err != nil {
		return nil, 0, err
	}
	if total > len(all) {
		return fetch(p)
	}
	byName(all, name)
	return admin.SlicePage(all, p), total, nil
}
