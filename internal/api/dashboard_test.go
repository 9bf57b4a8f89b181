package api_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/api"
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
			`{"apiVersion":"dashboard.grafana.app/v1","kind":"Dashboard","metadata":{"name":"k"},"spec":{"title":"K"},"id":7,"uid":"k","version":3}`},
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

// FuzzDashboard gives back what was posted, whatever it is, with another
// identity and nothing else changed.
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
			return // what comes after the object is cut off where it is read from a body
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became %q: %v", raw, out, err)
		}
		if after["id"] != 7.0 || after["version"] != 3.0 || after["uid"] != uid {
			t.Errorf("%q became %q", raw, out)
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
