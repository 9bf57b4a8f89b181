package tomlfile

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A KeyError says what is wrong with a key of a file.
type KeyError struct {
	Key string // as Lines has it
	Err error  // says what is wrong, and names the key
}

// Error says what is wrong.
func (e *KeyError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *KeyError) Unwrap() error { return e.Err }

func keyErrorf(key, format string, args ...any) error {
	return &KeyError{key, fmt.Errorf(format, args...)}
}

// Fill sets the fields of into, a pointer to a struct, to the values that a table of a
// decoded file has for their keys; section is the name of the table. A key that no field
// has is a KeyError that names the nearest one, and so is a value of another type.
func Fill(section string, table map[string]any, into any) error {
	return fill(section, section, table, reflect.ValueOf(into).Elem())
}

// fill is Fill for a table that errors call section and that stands at place.
func fill(section, place string, table map[string]any, into reflect.Value) error {
	fields := make(map[string]reflect.Value)
	for i := range into.NumField() {
		fields[into.Type().Field(i).Tag.Get("toml")] = into.Field(i)
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		field, known := fields[key]
		if !known {
			return keyErrorf(place+"."+key, "unknown key %s.%s: did you mean %s.%s?", section, key, section, Nearest(key, slices.Sorted(maps.Keys(fields))))
		}
		if err := assignField(section+"."+key, place+"."+key, table[key], field); err != nil {
			return err
		}
	}
	return nil
}

// assignField sets a field of a struct: beside what settings can be, a time, a list of
// tables or a table of texts.
func assignField(name, place string, value any, field reflect.Value) error {
	switch {
	case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct:
		return assignTables(name, place, value, field)
	case field.Kind() == reflect.Map:
		texts := make(map[string]string)
		table, ok := value.(map[string]any)
		for key, v := range table {
			if texts[key], ok = v.(string); !ok {
				break
			}
		}
		if !ok {
			return keyErrorf(place, `%s: the value must be a table of texts, as in %s = { tenant = "header:X-Scope-OrgID" }`, name, name[strings.LastIndexByte(name, '.')+1:])
		}
		field.Set(reflect.ValueOf(texts))
		return nil
	case field.Type() == reflect.TypeFor[time.Time]():
		at, ok := value.(time.Time)
		if !ok || strings.HasSuffix(at.Location().String(), "-local") {
			return keyErrorf(place, "%s: the value must be a time with its zone, without quotes, as in 2027-01-31T00:00:00Z", name)
		}
		if !hallpass.CanBeTold(at) {
			return keyErrorf(place, "%s: the value must be a time between 1971 and 9999 in UTC", name)
		}
		field.Set(reflect.ValueOf(at.UTC()))
		return nil
	}
	if err := Assign(field, value); err != nil {
		return keyErrorf(place, "%s: %w", name, err)
	}
	return nil
}

// assignTables sets a list of structs to a list of tables.
func assignTables(name, place string, value any, field reflect.Value) error {
	tables, ok := value.([]map[string]any)
	if !ok {
		return keyErrorf(place, "%s is a list: write [[%s]] before each %s", name, name, name[strings.LastIndexByte(name, '.')+1:])
	}
	field.Set(reflect.MakeSlice(field.Type(), len(tables), len(tables)))
	for i, table := range tables {
		if err := fill(name, numbered(place, i+1), table, field.Index(i)); err != nil {
			var e *KeyError
			if errors.As(err, &e) {
				e.Err = fmt.Errorf("%s %d: %w", name[strings.LastIndexByte(name, '.')+1:], i+1, e.Err)
			}
			return err
		}
	}
	return nil
}
