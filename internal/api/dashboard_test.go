package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

func TestDashboardRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name, in   string
		title, uid string
		out        string // "": refused
	}{
		{"nothing but a title", `{"title":"T"}`, "T", "", `{"title":"T","id":7,"uid":"","version":3}`},
		{"nothing at all", `{}`, "", "", `{"id":7,"uid":"","version":3}`},
		{"its own identity goes", `{"id":1,"uid":"u","version":9,"title":"T"}`, "T", "u", `{"title":"T","id":7,"uid":"u","version":3}`},
		{"a version that is text", `{"version":"43","title":"T"}`, "T", "", `{"title":"T","id":7,"uid":"","version":3}`},
		{"numbers as they were", `{"title":"T","a":1.10,"b":1e400,"c":12345678901234567890}`, "T", "", `{"title":"T","a":1.10,"b":1e400,"c":12345678901234567890,"id":7,"uid":"","version":3}`},
		{"names with quotes", `{"a\"b":1,"title":"T"}`, "T", "", `{"a\"b":1,"title":"T","id":7,"uid":"","version":3}`},
		{"inner ids stay", `{"title":"T","panels":[{"id":1,"uid":"x","version":2}]}`, "T", "", `{"title":"T","panels":[{"id":1,"uid":"x","version":2}],"id":7,"uid":"","version":3}`},
		{"the form of Kubernetes", `{"apiVersion":"dashboard.grafana.app/v1","kind":"Dashboard","metadata":{"name":"k"},"spec":{"title":"K"}}`, "K", "k",
			`{"title":"K","id":7,"uid":"k","version":3}`},
		{"the form of Kubernetes, with what is ours in its spec", `{"apiVersion":"dashboard.grafana.app/v1","metadata":{"name":"k"},"spec":{"id":4,"title":"K","version":2,"uid":9}}`, "K", "k",
			`{"title":"K","id":7,"uid":"k","version":3}`},
		{"a spec that is no object", `{"apiVersion":"dashboard.grafana.app/v1","metadata":{"name":"k"},"spec":"x"}`, "", "", ""},
		{"a list", `[]`, "", "", ""},
		{"text", `"x"`, "", "", ""},
		{"cut off", `{"title":"T"`, "", "", ""},
		{"a uid that is a number", `{"uid":5,"title":"T"}`, "", "", ""},
	} {
		title, uid, out, err := api.RoundTrip([]byte(tt.in))
		if (err == nil) != (tt.out != "") || title != tt.title || uid != tt.uid || string(out) != tt.out {
			t.Errorf("%s: %q, %q, %s, %v; want %q, %q, %s", tt.name, title, uid, out, err, tt.title, tt.uid, tt.out)
		}
	}
}

func TestFillInputs(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		inputs   map[string]string
		want     string // "": refused
	}{
		{"none", `{"title":"${A}"}`, nil, `{"title":"${A}"}`},
		{"everywhere but in names", `{"__inputs":[{"name":"DS"}],"${DS}":"${DS}","p":[{"d":{"x":"a ${DS} b"}},1,null]}`, map[string]string{"DS": `q"r`},
			`{"${DS}":"q\"r","p":[{"d":{"x":"a q\"r b"}},1,null]}`},
		{"one is missing", `{"__inputs":[{"name":"DS"},{"name":"E"}]}`, map[string]string{"DS": "x"}, ""},
		{"inputs that are no list", `{"__inputs":7}`, nil, ""},
		{"nothing", ``, nil, ""},
	} {
		got, err := api.FillInputs([]byte(tt.in), tt.inputs)
		if (err == nil) != (tt.want != "") || string(got) != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

// FuzzDashboard reads any dashboard and writes it again. Only its id, uid and version may
// change.
func FuzzDashboard(f *testing.F) {
	for _, seed := range []string{`{}`, `{"title":"T","id":null}`, `{"uid":"a","tags":["x"]}`, `{"a":{"b":[1,{"c":"\u0000"}]}}`, `{"metadata":{},"spec":{},"apiVersion":"a/b"}`, `[`, `{"\ud800":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, uid, out, err := api.RoundTrip(raw)
		if err != nil {
			return
		}
		var before, after map[string]any
		if json.Unmarshal(raw, &before) != nil {
			return // text after the object is refused earlier, when the body is read
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became %q: %v", raw, out, err)
		}
		if after["id"] != 7.0 || after["version"] != 3.0 || after["uid"] != uid {
			t.Errorf("%q became %q", raw, out)
		}
		if version, _ := before["apiVersion"].(string); version != "" && before["metadata"] != nil && before["spec"] != nil {
			before = before["spec"].(map[string]any)
		}
		for _, name := range []string{"id", "uid", "version"} {
			delete(before, name)
			delete(after, name)
		}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q", raw, out)
		}
	})
}

// TestTwins reads dashboards in which an object has a name twice. The last one counts, at
// any depth and in any spelling of the name. Nothing else changes.
func TestTwins(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"none", `{ "dashboard" : {"a": 1, "b":[{"a":2}]}, "a":3}`, `{ "dashboard" : {"a": 1, "b":[{"a":2}]}, "a":3}`},
		{"the first two", `{"dashboard":{"id":1,"id":2,"t":3}}`, `{"dashboard":{"id":2,"t":3}}`},
		{"apart", `{"dashboard":{"id":1, "t":3, "id":2}}`, `{"dashboard":{"t":3, "id":2}}`},
		{"three", `{"dashboard":{"a":1,"a":2,"a":3}}`, `{"dashboard":{"a":3}}`},
		{"deep, inside one that goes", `{"dashboard":{"p":{"x":1,"x":2},"p":[{"x":1,"y":{},"x":{"z":0,"z":1}}]}}`, `{"dashboard":{"p":[{"y":{},"x":{"z":1}}]}}`},
		{"spelled with escapes", `{"dashboard":{"\u0061":1,"a":2}}`, `{"dashboard":{"a":2}}`},
		{"in another case they are two", `{"dashboard":{"a":1,"A":2}}`, `{"dashboard":{"a":1,"A":2}}`},
		{"quotes and brackets in values", `{"dashboard":{"a":"}\",{","a":"x"}}`, `{"dashboard":{"a":"x"}}`},
		{"the member in any case", `{"Dashboard":{"a":1,"a":2}}`, `{"Dashboard":{"a":2}}`},
		{"beside it they stay, to be refused", `{"message":1,"message":2,"x":{"a":1,"a":2},"dashboard":{}}`, `{"message":1,"message":2,"x":{"a":1,"a":2},"dashboard":{}}`},
		{"itself twice, to be refused", `{"dashboard":{},"dashboard":{}}`, `{"dashboard":{},"dashboard":{}}`},
		{"broken", `{"dashboard":{"a":1,"a":2}`, `{"dashboard":{"a":1,"a":2}`},
		{"nothing", ``, ``},
	} {
		if got := string(api.DropDuplicates([]byte(tt.in))); got != tt.want {
			t.Errorf("%s: %s became %s, want %s", tt.name, tt.in, got, tt.want)
		}
	}
}

// TestTwinsOfAnyShape saves dashboards with many duplicate names. They come back as a
// reader understands them that takes the last of each name.
func TestTwinsOfAnyShape(t *testing.T) {
	x := newSession(t)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		posted := fmt.Sprintf(`{"title":"old","gridPos":%s,"title":"T%d","gridPos":%s,"panels":[%s,%s],"uid":"x","uid":"twins"}`,
			value(random, 4), n, value(random, 4), value(random, 3), value(random, 3))
		x.run(step{"POST", "/api/dashboards/db", `{"dashboard":` + posted + `,"overwrite":true}`, 200, fmt.Sprintf(`uid "twins"; title "T%d"`, n), ""})
		x.same("twins", posted)
		x.run(step{"POST", "/api/dashboards/import", `{"dashboard":` + posted + `,"overwrite":true,"inputs":[]}`, 200, `uid "twins"`, ""})
		x.same("twins", posted)
	}
	for _, body := range []string{
		`{"dashboard":{"title":"T"},"overwrite":true,"overwrite":false}`, `{"dashboard":{"title":"T"},"dashboard":{"title":"T"}}`,
		`{"dashboard":{"title":"T"},"folderUid":"","FolderUID":"f"}`, `{"dashboard":{"title":"T"},"more":{"a":1,"a":2}}`,
	} {
		x.run(step{"POST", "/api/dashboards/db", body, 400, `message "Bad request data"`, ""})
	}
	for _, path := range []string{"/api/folders", "/api/teams"} {
		r := x.s.Do(hallpasstest.Admin, "POST", path, `{"title":"a","name":"a","title":"b","name":"b"}`)
		expect(t, path+" with twins", r, 400, "twice")
	}
}

// value makes up a JSON value in which names come twice.
func value(random *rand.Rand, depth int) string {
	if depth == 0 {
		return []string{`1`, `"}{\"a\":"`, `null`, `[]`, `{}`}[random.IntN(5)]
	}
	var parts []string
	object := random.IntN(2) == 0
	for range random.IntN(5) {
		v := value(random, random.IntN(depth))
		if object {
			v = `"` + string(rune('a'+random.IntN(3))) + `" : ` + v
		}
		parts = append(parts, v)
	}
	if object {
		return "{" + strings.Join(parts, " , ") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}
