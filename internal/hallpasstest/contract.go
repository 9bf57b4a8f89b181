package hallpasstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// Contract returns the API's OpenAPI document, and the router that finds the
// call of a request in it.
func Contract(t testing.TB) (*openapi3.T, routers.Router) {
	t.Helper()
	c, err := contract()
	if err != nil {
		t.Fatalf("contract: %v", err)
	}
	return c.doc, c.router
}

type contractFile struct {
	doc    *openapi3.T
	router routers.Router
}

var contract = sync.OnceValues(func() (c contractFile, err error) {
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "api", "openapi.json"))
	if err != nil {
		return c, err
	}
	if c.doc, err = openapi3.NewLoader().LoadFromData(text); err != nil {
		return c, err
	}
	plain := func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		b, err := io.ReadAll(body)
		return string(b), err
	}
	openapi3filter.RegisterBodyDecoder("text/html", plain)
	openapi3filter.RegisterBodyDecoder("text/css", plain)
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", plain)
	openapi3filter.RegisterBodyDecoder("text/csv", plain)
	if c.router, err = legacy.NewRouter(c.doc); err != nil {
		return c, err
	}
	// A document of 3.1 has every answer compile its schema anew, which takes longer than
	// most requests do. To schemas without the words that 3.1 added, 3.0 is the same.
	if word := newWords.FindSubmatch(text); word != nil {
		return c, fmt.Errorf("a schema says %s, which only OpenAPI 3.1 has: read answers as 3.1 again", word[1])
	}
	c.doc.OpenAPI = "3.0.3"
	return c, nil
})

// newWords finds what JSON Schema 2020-12, the schemas of OpenAPI 3.1, checks and those
// of 3.0 do not. A list of types is read as 3.1 reads it in either.
var newWords = regexp.MustCompile(`"(const|prefixItems|contains|patternProperties|dependentSchemas|propertyNames|unevaluatedItems|unevaluatedProperties|if|then|else|dependentRequired|\$defs|contentSchema)":`)

// checkContract checks a call against the contract: the contract must describe the
// answer, and an accepted request must follow it. Console pages are not in it.
func checkContract(t testing.TB, r *http.Request, body string, res *http.Response, text []byte) {
	t.Helper()
	page := strings.Contains(res.Header.Get("Content-Type"), "text/html") && !strings.HasPrefix(r.URL.Path, "/api")
	if r.Method == http.MethodHead || page {
		return
	}
	_, router := Contract(t)
	call := r.Clone(r.Context())
	url := *r.URL
	call.URL = &url
	call.URL.Scheme, call.URL.Host = "", ""
	call.URL.Path, call.URL.RawPath = strings.TrimSuffix(url.EscapedPath(), "/"), "" // a name may hold an encoded slash
	if call.URL.Path == "" {
		call.URL.Path = "/"
	}
	if odd := call.URL.Path + "/"; strings.Contains(odd, "//") || strings.Contains(odd, "/./") || strings.Contains(odd, "/../") {
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s answers %d, which is no path of the contract", r.Method, url.EscapedPath(), res.StatusCode)
		}
		return
	}
	route, params, err := router.FindRoute(call)
	if err != nil {
		if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusMethodNotAllowed && res.StatusCode != http.StatusGone && strings.HasPrefix(url.Path, "/api") {
			t.Errorf("%s %s answers %d, and the contract has no such call", r.Method, url.Path, res.StatusCode)
		}
		return
	}
	if route.Path == "/login" && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return // the form of the console
	}
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
	call.Body, call.GetBody = io.NopCloser(strings.NewReader(foldNames(route, body))), nil
	in := &openapi3filter.RequestValidationInput{Request: call, PathParams: params, Route: route, Options: options}
	if res.StatusCode < 300 && call.Header.Get("Content-Type") != "" {
		if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
			t.Errorf("%s %s was taken, and breaks the contract: %v", r.Method, url.Path, err)
		}
	}
	checkHeaders(t, route, res)
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(text)), Options: options,
	})
	if err != nil {
		t.Errorf("the answer to %s %s breaks the contract: %v", r.Method, url.Path, err)
	}
}

// toldHeaders are headers that an answer may have only where the contract says so.
var toldHeaders = []string{"RateLimit-Policy", "RateLimit", "Hallpass-Token-Expires", "Retry-After", "X-Total-Count"}

// checkHeaders fails the test if the answer has one of toldHeaders that the contract does
// not name for it.
func checkHeaders(t testing.TB, route *routers.Route, res *http.Response) {
	t.Helper()
	told := route.Operation.Responses.Status(res.StatusCode)
	if told == nil {
		return // ValidateResponse says so
	}
	for _, name := range toldHeaders {
		if _, ok := told.Value.Headers[name]; !ok && len(res.Header.Values(name)) > 0 {
			t.Errorf("%s %s answers %d with %s, which the contract does not name", route.Method, route.Path, res.StatusCode, name)
		}
	}
}

// foldNames changes the body's names to the contract's spelling: the API accepts them
// in any case.
func foldNames(route *routers.Route, body string) string {
	var values map[string]any
	if route.Operation.RequestBody == nil || json.Unmarshal([]byte(body), &values) != nil {
		return body
	}
	media := route.Operation.RequestBody.Value.Content.Get("application/json")
	if media == nil {
		return body
	}
	folded := make(map[string]any)
	for name, v := range values {
		for known := range media.Schema.Value.Properties {
			if strings.EqualFold(name, known) {
				name = known
			}
		}
		folded[name] = v
	}
	b, err := json.Marshal(folded)
	if err != nil {
		return body
	}
	return string(b)
}
