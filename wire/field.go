package wire

import (
	"encoding/json"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Field is a member of a PATCH. It may be absent, which is the zero Field, or null,
// or have a value.
type Field[T any] struct {
	Present bool
	Value   *T // nil: null
}

// To returns the Field that has the value.
func To[T any](v T) Field[T] { return Field[T]{true, &v} }

// Null returns the Field that is null.
func Null[T any]() Field[T] { return Field[T]{Present: true} }

// MarshalJSON writes null or the value. An absent Field needs the tag omitzero.
func (f Field[T]) MarshalJSON() ([]byte, error) { return json.Marshal(f.Value) }

// UnmarshalJSON reads null or the value.
func (f *Field[T]) UnmarshalJSON(b []byte) error {
	f.Present = true
	return json.Unmarshal(b, &f.Value)
}

// UnmarshalJSONFrom is UnmarshalJSON with the rules of the reader: about names that
// are there twice, and about what a text may hold.
func (f *Field[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	f.Present = true
	return jsonv2.UnmarshalDecode(d, &f.Value)
}
