package api

import (
	"bytes"
	"cmp"
	_ "embed" // the page
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
)

var (
	//go:embed docs.html
	docsHTML string
	//go:embed docs.css
	docsCSS []byte
)

// docsPage is the page /docs of a server that has its host for itself. The contract does
// not change, so the page is made once, at start.
var docsPage = renderDocs()

// The parts of the contract that the page shows.
type (
	contractDoc struct {
		Info       struct{ Title, Description string }
		Tags       []struct{ Name string }
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Schemas   map[string]contractSchema
			Responses map[string]contractResponse
			Headers   map[string]contractHeader
		}
	}
	contractCall struct {
		Summary, Description string
		Tags                 []string
		Parameters           []contractParameter
		RequestBody          struct {
			Required bool
			Content  map[string]contractMedia
		}
		Responses map[string]contractResponse
	}
	contractParameter struct{ Name, In, Description string }
	contractMedia     struct{ Schema contractSchema }
	contractResponse  struct {
		Ref         string `json:"$ref"`
		Description string
		Headers     map[string]contractHeader
		Content     map[string]contractMedia
	}
	contractHeader struct {
		Ref         string `json:"$ref"`
		Description string
	}
	contractSchema struct {
		Ref         string `json:"$ref"`
		Type        any
		Format      string
		Enum        []any
		Description string
		Required    []string
		Properties  map[string]contractSchema
		Items       *contractSchema
		AnyOf       []contractSchema
	}
)

// What the template gets.
type (
	docsView struct {
		Title       string
		Description []docsSpan
		Groups      []docsGroup
	}
	docsGroup struct {
		Name  string
		Calls []docsCall
	}
	docsCall struct {
		ID, Method, Path, Summary string
		Description               []docsSpan // the permission that the call needs comes first
		Parameters                []docsField
		Headers                   []docsField // that answers have, once for all statuses that have them
		Body                      []docsField
		NoBody                    bool // it may come without its body
		Answers                   []docsAnswer
		Curl                      string
	}
	docsField struct {
		Name, Type  string
		Description []docsSpan
	}
	docsAnswer struct {
		Status      string
		Description []docsSpan
		Good        bool
		Fields      []docsField
	}
	docsSpan struct {
		Text string
		Code bool
	}
)

var docsMethods = []string{"get", "post", "put", "patch", "delete"}

func renderDocs() []byte {
	var doc contractDoc
	if err := json.Unmarshal(contract, &doc); err != nil {
		panic(fmt.Sprintf("api: the contract does not parse: %v", err)) // the build is broken
	}
	view := docsView{Title: doc.Info.Title, Description: spans(doc.Info.Description)}
	for _, t := range doc.Tags {
		view.Groups = append(view.Groups, docsGroup{Name: t.Name})
	}
	paths := make([]string, 0, len(doc.Paths))
	for path := range doc.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		for _, method := range docsMethods {
			raw, ok := doc.Paths[path][method]
			if !ok {
				continue
			}
			var c contractCall
			if err := json.Unmarshal(raw, &c); err != nil || len(c.Tags) != 1 {
				panic(fmt.Sprintf("api: %s %s of the contract does not parse: %v", method, path, err)) // the build is broken
			}
			view.add(c.Tags[0], doc.call(method, path, c))
		}
	}
	var b bytes.Buffer
	if err := template.Must(template.New("docs").Parse(docsHTML)).Execute(&b, view); err != nil {
		panic(fmt.Sprintf("api: the page of the contract: %v", err)) // the build is broken
	}
	return b.Bytes()
}

func (v *docsView) add(group string, c docsCall) {
	i := slices.IndexFunc(v.Groups, func(g docsGroup) bool { return g.Name == group })
	if i < 0 {
		panic(fmt.Sprintf("api: the contract does not list the tag %q", group)) // the build is broken
	}
	v.Groups[i].Calls = append(v.Groups[i].Calls, c)
}

func (d *contractDoc) call(method, path string, c contractCall) docsCall {
	out := docsCall{
		ID: method + strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-").Replace(path), Method: strings.ToUpper(method), Path: path,
		Summary: c.Summary, Description: spans(c.Description),
	}
	for _, p := range c.Parameters {
		if p.In != "path" {
			out.Parameters = append(out.Parameters, docsField{p.Name, p.In, spans(p.Description)})
		}
	}
	out.Body = d.fields(c.RequestBody.Content["application/json"].Schema)
	out.NoBody = !c.RequestBody.Required
	statuses := make([]string, 0, len(c.Responses))
	for s := range c.Responses {
		statuses = append(statuses, s)
	}
	slices.Sort(statuses)
	for _, s := range statuses {
		answer := d.answer(c.Responses[s])
		a := docsAnswer{Status: s, Description: spans(answer.Description), Good: s < "300"}
		if a.Good {
			a.Fields = d.fields(answer.Content["application/json"].Schema)
		}
		out.Answers = append(out.Answers, a)
	}
	out.Headers = d.headers(c.Responses)
	out.Curl = curl(out)
	return out
}

// answer returns the answer itself where the call refers to a shared one.
func (d *contractDoc) answer(r contractResponse) contractResponse {
	if r.Ref == "" {
		return r
	}
	return d.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
}

// headers lists the headers of the answers, each with the statuses that have it.
func (d *contractDoc) headers(answers map[string]contractResponse) (list []docsField) {
	type header struct{ name, about string } // one name may say another thing in another answer
	statuses := make(map[header][]string)
	for status, r := range answers {
		for name, h := range d.answer(r).Headers {
			if h.Ref != "" {
				h = d.Components.Headers[strings.TrimPrefix(h.Ref, "#/components/headers/")]
			}
			key := header{name, h.Description}
			statuses[key] = append(statuses[key], status)
		}
	}
	byName := func(a, b header) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.about, b.about))
	}
	for _, h := range slices.SortedFunc(maps.Keys(statuses), byName) {
		slices.Sort(statuses[h])
		list = append(list, docsField{h.name, strings.Join(statuses[h], ", "), spans(h.about)})
	}
	return list
}

// fields lists the fields of a schema's object, or of the objects in its list.
func (d *contractDoc) fields(s contractSchema) []docsField {
	if s.Items != nil {
		return d.fields(*s.Items)
	}
	if s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	var list []docsField
	for name, p := range s.Properties {
		what := typeName(p)
		if slices.Contains(s.Required, name) {
			what += ", always"
		}
		list = append(list, docsField{name, what, spans(p.Description)})
	}
	slices.SortFunc(list, func(a, b docsField) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func typeName(s contractSchema) string {
	switch {
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, "#/components/schemas/")
	case s.Items != nil:
		return "list of " + typeName(*s.Items)
	case len(s.Enum) > 0:
		return strings.Trim(fmt.Sprintf("%q", s.Enum), "[]")
	case s.Format == "date-time":
		return "time"
	case len(s.AnyOf) > 0:
		names := make([]string, len(s.AnyOf))
		for i, of := range s.AnyOf {
			names[i] = typeName(of)
		}
		return strings.Join(names, " or ")
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Type), " ", " or "), "[]")
}

// spans splits a text of the contract, in which backticks enclose code.
func spans(text string) (list []docsSpan) {
	for i, part := range strings.Split(text, "`") {
		if part != "" {
			list = append(list, docsSpan{part, i%2 == 1})
		}
	}
	return list
}

func curl(c docsCall) string {
	var b strings.Builder
	b.WriteString(`curl -H "Authorization: Bearer $TOKEN"`)
	if c.Method != http.MethodGet {
		b.WriteString(" -X " + c.Method)
	}
	if len(c.Body) > 0 {
		b.WriteString(` -H "Content-Type: application/json" -d @body.json`)
	}
	return b.String() + ` "$URL` + c.Path + `"`
}

// serveDocs is GET /docs.
func (a *API) serveDocs(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(a.docs) // fails when the client went away
}

// serveDocsCSS is GET /docs.css.
func serveDocsCSS(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(docsCSS) // fails when the client went away
}
