package api

import (
	"net/http"
	"net/url"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// Patterns lists the patterns of every route, in order.
func Patterns() []string {
	var list []string
	for _, r := range New(Options{}).routes() {
		list = append(list, r.pattern)
	}
	return list
}

// Demanded returns the permission that each route's rule demands, by pattern.
func Demanded() map[string]hallpass.Action {
	demanded := make(map[string]hallpass.Action)
	for _, r := range New(Options{}).routes() {
		demanded[r.pattern] = r.rule.action
	}
	return demanded
}

// RoundTrip reads the JSON of a dashboard and gives it back as GET does, as id 7
// and version 3.
func RoundTrip(raw []byte) (title, uid string, out []byte, err error) {
	m, err := parseModel(raw)
	if err != nil {
		return "", "", nil, err
	}
	return m.title, m.uid, withIdentity(hallpass.Dashboard{ID: 7, UID: m.uid}, 3, m.data), nil
}

// FillInputs fills the inputs of a dashboard, as an import does before it saves.
func FillInputs(raw []byte, inputs map[string]string) ([]byte, error) {
	var list []wire.ImportInput
	for name, value := range inputs {
		list = append(list, wire.ImportInput{Name: name, Value: value})
	}
	return fillInputs(raw, list)
}

// DropDuplicates drops the duplicates in a body with a dashboard.
func DropDuplicates(body []byte) []byte { return dropDuplicates(body, "dashboard") }

// AbsentPatterns lists the patterns of the routes of things that Hallpass does not have.
func AbsentPatterns() []string {
	var list []string
	for _, r := range New(Options{}).routes() {
		if r.absent {
			list = append(list, r.pattern)
		}
	}
	return list
}

// A Rule is what a route demands, as the tests of power compare it.
type Rule struct {
	Pattern string
	Action  hallpass.Action
	Users   bool // not for service accounts
	Server  bool
	NoBody  bool // may come without a body
}

// Rules lists the routes with what they demand, in order; open ones are left out.
func Rules() []Rule {
	var list []Rule
	for _, r := range New(Options{}).routes() {
		if !r.public {
			list = append(list, Rule{r.pattern, r.rule.action, r.rule.usersOnly, r.rule.server, r.rule.bodyOptional})
		}
	}
	return list
}

// A Parameter is one that a route declares for its query.
type Parameter struct {
	Pattern, Name string
	Words         []string // all that may stand there; nil: any text
	Flag          bool
}

// Parameters lists what the routes declare, in order.
func Parameters() []Parameter {
	var list []Parameter
	for _, r := range New(Options{}).routes() {
		for _, p := range r.rule.query {
			list = append(list, Parameter{r.pattern, p.name, p.words, p.flag})
		}
	}
	return list
}

// WithCursor returns the position with the mark of the listing, as a client gets it.
func WithCursor(position, listing string) string { return cursor(position, listing) }

// ReadCursor reads what a client sends as the parameter after.
func ReadCursor(sent, listing string) (string, error) {
	r := &http.Request{URL: &url.URL{RawQuery: url.Values{"after": {sent}}.Encode()}}
	return readCursor(call{Request: r}, "after", listing)
}
