package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// A model is the JSON of a dashboard, of which only the members that Hallpass needs are
// read. Every other byte stays as it was; id, uid and version are taken out, because
// Hallpass assigns them.
type model struct {
	id      int64
	uid     string
	version int64
	title   string
	tags    []string
	data    []byte // without id, uid and version
}

var errNotDashboard = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.malformed", Message: "bad request data"}

// parseModel reads the JSON of a dashboard, in the classic form or in the form of
// Kubernetes, in which metadata has the uid and spec the title.
func parseModel(raw []byte) (m model, err error) {
	names, values, err := members(raw)
	if err != nil {
		return m, err
	}
	top := byName(names, values)
	if err := m.readClassic(top); err != nil {
		return m, err
	}
	if kubernetes(top) {
		if err := m.readKubernetes(top); err != nil {
			return m, err
		}
	}
	m.data = withoutIdentity(names, values)
	return m, nil
}

// members returns the names and values of a JSON object, in order.
func members(raw []byte) (names []string, values []json.RawMessage, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return nil, nil, errNotDashboard
	}
	for d.PeekKind() != '}' {
		t, err := d.ReadToken()
		if err != nil {
			return nil, nil, errNotDashboard
		}
		name := t.String()
		v, err := d.ReadValue()
		if err != nil {
			return nil, nil, errNotDashboard
		}
		names, values = append(names, name), append(values, json.RawMessage(bytes.Clone(v)))
	}
	return names, values, nil
}

func topMembers(raw []byte) (map[string]json.RawMessage, error) {
	names, values, err := members(raw)
	return byName(names, values), err
}

func byName(names []string, values []json.RawMessage) map[string]json.RawMessage {
	m := make(map[string]json.RawMessage, len(names))
	for i, name := range names {
		m[name] = values[i]
	}
	return m
}

func joinMembers(names []string, values []json.RawMessage, which []int) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for n, i := range which {
		if n > 0 {
			b.WriteByte(',')
		}
		quoted, err := jsontext.AppendQuote(nil, names[i])
		if err != nil {
			continue // never: the name was read from JSON, so it can be written as JSON
		}
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(values[i])
	}
	b.WriteByte('}')
	return b.Bytes()
}

func (m *model) readClassic(top map[string]json.RawMessage) error {
	m.id, m.version = wholeNumber(top["id"]), wholeNumber(top["version"])
	if v, ok := top["uid"]; ok && string(v) != "null" {
		if json.Unmarshal(v, &m.uid) != nil {
			return hallpass.Invalidf("uid", "uid is not a text")
		}
	}
	m.title, m.tags = text(top["title"]), texts(top["tags"])
	return nil
}

// kubernetes reports whether the dashboard is in the form of Kubernetes.
func kubernetes(top map[string]json.RawMessage) bool {
	_, spec := top["spec"]
	_, metadata := top["metadata"]
	return spec && metadata && text(top["apiVersion"]) != ""
}

func (m *model) readKubernetes(top map[string]json.RawMessage) error {
	spec, err := topMembers(top["spec"])
	if err != nil {
		return err
	}
	metadata, err := topMembers(top["metadata"])
	if err != nil {
		return err
	}
	if m.uid == "" {
		m.uid = text(metadata["name"])
	}
	if m.version == 0 {
		m.version = wholeNumber(spec["version"])
	}
	m.title, m.tags = text(spec["title"]), texts(spec["tags"])
	return nil
}

// wholeNumber reads a number, or a text that is one. Anything else is 0, because
// clients put all kinds of values there.
func wholeNumber(raw json.RawMessage) int64 {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func texts(raw json.RawMessage) (list []string) {
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// withIdentity returns the JSON that clients read: the data with id, uid and version
// put back. For a dashboard in the form of Kubernetes the data is its spec, because
// clients that post this form read the answer as the spec.
func withIdentity(d hallpass.Dashboard, version int64, data []byte) json.RawMessage {
	uid, err := json.Marshal(d.UID)
	if err != nil {
		uid = []byte(`""`) // a uid is plain text
	}
	own := `"id":` + decimal(d.ID) + `,"uid":` + string(uid) + `,"version":` + decimal(version) + `}`
	inner := bytes.TrimSuffix(classic(data), []byte("}"))
	if len(inner) > 1 {
		own = "," + own
	}
	return append(bytes.Clone(inner), own...)
}

// classic returns the data of a dashboard in the classic form, without id, uid
// and version.
func classic(data []byte) []byte {
	if !bytes.Contains(data, []byte(`"apiVersion"`)) {
		return data
	}
	top, err := topMembers(data)
	if err != nil || !kubernetes(top) {
		return data
	}
	names, values, err := members(top["spec"])
	if err != nil {
		return data
	}
	return withoutIdentity(names, values)
}

// withoutIdentity joins the members, without id, uid and version.
func withoutIdentity(names []string, values []json.RawMessage) []byte {
	var kept []int
	for i, name := range names {
		if name != "id" && name != "uid" && name != "version" {
			kept = append(kept, i)
		}
	}
	return joinMembers(names, values, kept)
}

func decimal[T ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// dropDuplicates looks into the body's member with that name. When an object in it, at
// any depth, has a name several times, only the last one stays: generators write names
// twice, and most readers of JSON take the last. A body without duplicates, or
// that is not JSON, comes back as it is.
func dropDuplicates(body []byte, name string) []byte {
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true))
	var objects []object // the objects that are open, the outermost first
	var cuts []cut
	within := false // inside the member with the name
	for {
		before := int(d.InputOffset())
		depth := d.StackDepth()
		kind, length := d.StackIndex(depth)
		t, err := d.ReadToken()
		if err != nil {
			return withoutCuts(body, cuts, err)
		}
		switch {
		case t.Kind() == '{':
			objects = append(objects, object{last: make(map[string]int)})
		case t.Kind() == '}':
			objects = objects[:len(objects)-1]
		case kind == '{' && length%2 == 0:
			start := before + bytes.IndexByte(body[before:], '"')
			if depth == 1 {
				within = httpd.EqualASCII(t.String(), name)
			} else if c, duplicate := objects[len(objects)-1].add(t.String(), start); duplicate && within {
				cuts = append(cuts, c)
			}
		}
	}
}

// A cut is a part of a text that is left out.
type cut struct{ from, to int }

// An object says where the members of a JSON object begin in the text.
type object struct {
	starts []int
	last   map[string]int // the index in starts of the last member with the name
}

// add adds a member. If an earlier one has the same name, add returns the part of the
// text to leave out: that member, with the comma after it.
func (o *object) add(name string, start int) (c cut, duplicate bool) {
	o.starts = append(o.starts, start)
	if i, ok := o.last[name]; ok {
		c, duplicate = cut{o.starts[i], o.starts[i+1]}, true
	}
	o.last[name] = len(o.starts) - 1
	return c, duplicate
}

// withoutCuts returns the body without the cuts, of which one may contain others. A
// body that could not be read to its end comes back as it is.
func withoutCuts(body []byte, cuts []cut, end error) []byte {
	if len(cuts) == 0 || !errors.Is(end, io.EOF) {
		return body
	}
	slices.SortFunc(cuts, func(x, y cut) int { return x.from - y.from })
	out := make([]byte, 0, len(body))
	at := 0
	for _, c := range cuts {
		if c.from >= at {
			out = append(out, body[at:c.from]...)
		}
		at = max(at, c.to)
	}
	return append(out, body[at:]...)
}
