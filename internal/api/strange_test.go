package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// contractCall is a call that the contract tells of, with the names of what it
// takes.
type contractCall struct {
	method, path string
	query        []string
	headers      []string
	fields       map[string]contractField // of the body
}

type contractField struct {
	kind string // "string", "integer", "boolean", "object", or "array" of one of these
	of   string // what an array is of
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]schema
	Items      *schema
}

// contractCalls reads the contract that the server shows.
func contractCalls(t *testing.T, s *hallpasstest.Server) []contractCall {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]schema }
	}
	into(t, s.Do(hallpasstest.Nobody, "GET", "/openapi.json", ""), &doc)
	kind := func(s schema) string {
		if s.Ref != "" {
			return "object"
		}
		if list, ok := s.Type.([]any); ok && len(list) > 0 {
			return list[0].(string)
		}
		word, _ := s.Type.(string)
		return word
	}
	var calls []contractCall
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			if method == "parameters" {
				continue
			}
			var op struct {
				Parameters  []struct{ Name, In string }
				RequestBody struct {
					Content map[string]struct{ Schema schema }
				}
			}
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			c := contractCall{method: strings.ToUpper(method), path: path, fields: make(map[string]contractField)}
			for _, p := range op.Parameters {
				switch p.In {
				case "query":
					c.query = append(c.query, p.Name)
				case "header":
					c.headers = append(c.headers, p.Name)
				}
			}
			body := op.RequestBody.Content["application/json"].Schema
			if body.Ref != "" {
				body = doc.Components.Schemas[strings.TrimPrefix(body.Ref, "#/components/schemas/")]
			}
			for name, p := range body.Properties {
				f := contractField{kind: kind(p)}
				if p.Items != nil {
					f.of = kind(*p.Items)
				}
				c.fields[name] = f
			}
			calls = append(calls, c)
		}
	}
	slices.SortFunc(calls, func(a, b contractCall) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	if len(calls) < 150 {
		t.Fatalf("the contract has only %d calls", len(calls))
	}
	return calls
}
