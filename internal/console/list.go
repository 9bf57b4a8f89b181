package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// sortByName sorts a list as people look for names: "Überwachung" comes at U, and
// "job 2" before "job 10".
func sortByName[T any](list []T, name func(T) string) {
	c := collate.New(language.Und, collate.Numeric)
	slices.SortStableFunc(list, func(a, b T) int { return c.CompareString(name(a), name(b)) })
}

// maxSorted is the length up to which a list is sorted by name. A longer one keeps
// the order of the database, by login or folded name: sorting it for each page would
// cost too much.
const maxSorted = 1000

// pageByName returns a page of a list in the order of names, and how many there
// are on all pages.
func pageByName[T any](p admin.Page, fetch func(admin.Page) ([]T, int, error), name func(T) string) (page []T, total int, err error) {
	all, total, err := fetch(admin.Page{Number: 1, Size: maxSorted})
	if err != nil {
		return nil, 0, err
	}
	if total > len(all) {
		return fetch(p)
	}
	sortByName(all, name)
	return admin.SlicePage(all, p), total, nil
}

// perPage is how many rows a page of a list has.
const perPage = 50

// pager is the footer of a list with pages.
type pager struct {
	Total      int
	What       string // the noun for what is listed
	Page       int
	Pages      int
	Prev, Next string // addresses; empty: none
}

// pagerOf returns the pager of a list at path; its other parameters stay.
func pagerOf(req *request, path string, total, page int, of noun) pager {
	return pagerAt(total, page, of, func(n int) string {
		q := url.Values{}
		if text := req.URL.Query().Get("query"); text != "" {
			q.Set("query", text)
		}
		q.Set("page", strconv.Itoa(n))
		return path + "?" + q.Encode()
	})
}

// pagerAt returns the pager of a list whose pages are at those addresses.
func pagerAt(total, page int, of noun, at func(page int) string) pager {
	p := pager{Total: total, What: of.Of(total), Page: page, Pages: max(1, (total+perPage-1)/perPage)}
	if page > 1 {
		p.Prev = at(min(page-1, p.Pages))
	}
	if page < p.Pages {
		p.Next = at(page + 1)
	}
	return p
}

// listPage reads the number of the page and the search text from the address.
func (req *request) listPage() (admin.Page, string) {
	q := req.URL.Query()
	p := admin.Page{Number: 1, Size: perPage}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		p.Number = n
	}
	text := q.Get("query")
	if hallpass.ValidateText("query", text, hallpass.MaxName) != nil {
		text = ""
	}
	return p, text
}

func matches(words, text string) bool {
	for _, w := range strings.Fields(hallpass.NameKey(text)) {
		if !strings.Contains(words, w) {
			return false
		}
	}
	return true
}

// listFilter is a filter of a list, with how many rows it shows.
type listFilter struct {
	Label, URL string
	Count      int    // 0: none, or nobody counts
	Class      string // of the count
	Current    bool
}

// ownerFilter narrows a list to what one owner answers for.
type ownerFilter struct {
	Owner   string // that the list is narrowed to; empty: any
	Any     string // address of the list without it
	Choices []listFilter
}

// readOwner returns the owner that the address narrows the list to; what no owner can be
// called is left out.
func readOwner(q url.Values) string {
	owner := q.Get("owner")
	if hallpass.ValidateText("owner", owner, hallpass.MaxName) != nil {
		return ""
	}
	return owner
}

// readSort returns the sort of a list in the query, "-" before it for the reverse; empty if
// it is none of sorts.
func readSort(q url.Values, sorts []string) string {
	sort := q.Get("sort")
	if !slices.Contains(sorts, strings.TrimPrefix(sort, "-")) || sort == "-" {
		return ""
	}
	return sort
}

// pageText returns the number of a page for an address; empty for the first one.
func pageText(n int) string {
	if n <= 1 {
		return ""
	}
	return strconv.Itoa(n)
}

// sortLink is the head of a column that sorts.
type sortLink struct {
	Label, URL string
	Sorted     string // "ascending", "descending"; empty: by another column
}

// listQuery returns the query of a list with those of the values that are not empty.
func listQuery(values map[string]string) string {
	q := url.Values{}
	for name, value := range values {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// columnOrder returns how a list is sorted by the column of the value, "" for by another one,
// and the sort that a press on the head of the column asks for. first is the order of the
// column's values at the first press; usual is the column of the list without a sort.
func columnOrder(sort, value, first, usual string) (sorted, next string) {
	name, reverse := strings.CutPrefix(sort, "-")
	if name == "" {
		name = usual
	}
	switch next = value; {
	case name != value:
	case reverse:
		sorted = map[string]string{"ascending": "descending", "descending": "ascending"}[first]
	default:
		sorted, next = first, "-"+value
	}
	if next == usual {
		next = ""
	}
	return sorted, next
}
