package api

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// A parameter is one that the query of a route of ours may have, once, and what may
// stand there. Routes of Grafana declare none: of two values the first counts there, and
// what is neither true nor false is false.
type parameter struct {
	name  string
	words []string // all that may stand there; nil: any text, which the handler reads further
	says  string   // the words, as an error names them
	flag  bool     // true or false, which must not be left out
	page  bool     // picks a part of the listing and says nothing about what is listed
}

// plain returns parameters of any text, which the handlers read further.
func plain(names ...string) []parameter {
	list := make([]parameter, len(names))
	for i, name := range names {
		list[i] = parameter{name: name, page: slices.Contains([]string{"limit", "after", "cursor"}, name)}
	}
	return list
}

// flags returns parameters that are true or false.
func flags(names ...string) []parameter {
	list := make([]parameter, len(names))
	for i, name := range names {
		list[i] = parameter{name: name, flag: true, says: "true or false"}
	}
	return list
}

// oneOf returns the parameter that is one of the words. Empty, it counts as absent.
func oneOf[T ~string](name string, words []T) []parameter {
	p := parameter{name: name, says: "one of " + listed(words), page: name == "format" || name == "section"}
	for _, w := range words {
		p.words = append(p.words, string(w))
	}
	return []parameter{p}
}

// formats returns the parameter format: json, or a form of an export.
func formats(exports ...string) []parameter {
	return oneOf("format", append([]string{"json"}, exports...))
}

// sortedBy returns the parameter sort: one of the orders, or its reverse.
func sortedBy[T ~string](orders []T) []parameter {
	p := oneOf("sort", orders)
	for _, o := range orders {
		p[0].words = append(p[0].words, "-"+string(o))
	}
	p[0].says += ", with - before it for the reverse"
	return p
}

// taking returns the rule of a route whose query may have the parameters.
func (r rule) taking(lists ...[]parameter) rule {
	r.query = slices.Concat(lists...)
	return r
}

// readQuery returns an Invalid error that names the parameter which comes twice, or in
// which something stands that may not.
func (r rule) readQuery(q url.Values) error {
	for _, p := range r.query {
		values := named(q, p.name)
		switch {
		case len(values) == 0:
		case len(values) > 1:
			return hallpass.Invalidf(p.name, "%s is there twice", p.name)
		case !p.allows(values[0]):
			return hallpass.Invalidf(p.name, "%s must be %s", p.name, p.says)
		}
	}
	return nil
}

func (p parameter) allows(s string) bool {
	if p.flag {
		_, err := strconv.ParseBool(s)
		return err == nil
	}
	return s == "" || p.words == nil || slices.Contains(p.words, s)
}

// named returns all values of the parameter with that name, which clients may write in
// any case. Those in the case of the name come first.
func named(q url.Values, name string) []string {
	list := slices.Clone(q[name])
	for _, key := range slices.Sorted(maps.Keys(q)) {
		if key != name && httpd.EqualASCII(key, name) {
			list = append(list, q[key]...)
		}
	}
	return list
}

// query returns the parameter with that name, which clients may write in any case.
func query(c call, name string) string { return queryOf(c.Request, name) }

// queryOf is query before there is a call.
func queryOf(r *http.Request, name string) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	if values := named(r.URL.Query(), name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// flag reads a parameter that is true or false, in any form that strconv.ParseBool
// knows. Absent or in another form, it is false; a rule that declares the flag refuses
// other forms.
func flag(c call, name string) bool {
	yes, err := strconv.ParseBool(query(c, name))
	return err == nil && yes
}

// number reads a parameter that is a whole number; the value is absent if there is none.
// A number that is too high or too low is the highest or the lowest that there is.
func number(c call, name string, absent int) (int, error) {
	s := query(c, name)
	if s == "" {
		return absent, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, hallpass.Invalidf(name, "%s is not a whole number", name)
	}
	return int(n), nil
}

// numberFrom reads a parameter that is a whole number from least to most.
func numberFrom(c call, name string, absent, least, most int) (int, error) {
	n, err := number(c, name, absent)
	if err == nil && (n < least || n > most) {
		err = hallpass.Invalidf(name, "%s is not between %d and %d", name, least, most)
	}
	return n, err
}

// cursorMark separates a position from the listing that it belongs to. No position has
// it.
const cursorMark = "~"

// cursor returns the position in a listing as clients get it: with a digest of the
// listing, so that readCursor knows where it belongs. "" stays "".
func cursor(position, listing string) string {
	if position == "" {
		return ""
	}
	return position + cursorMark + listing
}

// readCursor reads the parameter in which a client sends back what cursor gave for the
// same listing, "" if there is none.
func readCursor(c call, name, listing string) (position string, err error) {
	s := query(c, name)
	if s == "" {
		return "", nil
	}
	position, of, found := strings.Cut(s, cursorMark)
	switch {
	case !found || position == "":
		return "", badCursor(name)
	case of != listing:
		return "", hallpass.Invalidf(name, "%s: this cursor belongs to another listing", name)
	}
	return position, nil
}

func badCursor(name string) error {
	return hallpass.Invalidf(name, "%s is not the cursor that an answer gave", name)
}

// listing returns a digest of what the request lists: the route, the org, and all
// declared parameters that do not only pick a part of it. More is what else it depends
// on.
func listing(c call, more ...any) string {
	h := sha256.New()
	write := func(v any) { _, _ = fmt.Fprintf(h, "%#v\n", v) } // a hash takes everything
	write(c.rule.route.Pattern)
	write(c.caller.Org)
	for _, p := range c.rule.query {
		if !p.page {
			write(query(c, p.name))
		}
	}
	for _, v := range more {
		write(v)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:6])
}

// oneKey returns the Idempotency-Key of the request, "" if it has none. Of two, none can
// count.
func oneKey(c call) (string, error) {
	keys := c.Header[idempotencyKey]
	switch len(keys) {
	case 0:
		return "", nil
	case 1:
		if keys[0] == "" { // a script whose variable is not set would believe itself safe
			return "", hallpass.Invalidf(idempotencyKey, "%s is empty", idempotencyKey)
		}
		return keys[0], nil
	}
	return "", hallpass.Invalidf(idempotencyKey, "%s is there twice", idempotencyKey)
}
