package tomlfile

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// A Guard is [guard.NAME] as it is written, valid or not. The zero value says nothing.
type Guard struct {
	Org       int64    `toml:"org"` // 0: the first org
	Upstream  string   `toml:"upstream"`
	Preset    string   `toml:"preset"`
	PathAllow []string `toml:"path_allow"`
	Preflight string   `toml:"preflight"`
	Identity  []string `toml:"identity"`
	Listen    string   `toml:"listen"`
	Timeout   string   `toml:"timeout"` // "": the default
	Rules     []Rule   `toml:"rule"`
}

// A Rule is [[guard.NAME.rule]] as it is written. It converts to a hallpass.WrittenRule.
type Rule struct {
	Methods  []string          `toml:"methods"`
	Path     string            `toml:"path"`
	Public   bool              `toml:"public"`
	Role     string            `toml:"role"`
	Action   string            `toml:"action"`
	Scope    string            `toml:"scope"`
	Captures map[string]string `toml:"captures"`
	Split    string            `toml:"split"`
	Set      map[string]string `toml:"set"`
}

// PartOfGuard reports whether the key of a decoded file is part of a guard: [guard] also
// has settings, which are no tables.
func PartOfGuard(tree map[string]any, key toml.Key) bool {
	section, ok := tree["guard"].(map[string]any)
	if !ok || key[0] != "guard" {
		return false
	}
	if len(key) == 1 {
		return true
	}
	switch section[key[1]].(type) {
	case map[string]any, []map[string]any:
		return true
	}
	return false
}

// Guards returns the guards of a decoded file, by name, as they are written. A key that
// guards do not have, or a value of another type, is an error that names the key.
func Guards(tree map[string]any) (map[string]Guard, error) {
	section, _ := tree["guard"].(map[string]any)
	all := make(map[string]Guard)
	for _, name := range slices.Sorted(maps.Keys(section)) {
		switch table := section[name].(type) {
		case map[string]any:
			var g Guard
			if err := fill("guard."+name, table, reflect.ValueOf(&g).Elem()); err != nil {
				return nil, err
			}
			all[name] = g
		case []map[string]any:
			return nil, fmt.Errorf("guard.%s is a section: write [guard.%s], and its keys below", name, name)
		}
	}
	return all, nil
}

// fill sets the fields of a struct to the values that a table of the file has for
// their keys. A key that no field has is an error that names the nearest one.
func fill(section string, table map[string]any, into reflect.Value) error {
	fields := make(map[string]reflect.Value)
	for i := range into.NumField() {
		fields[into.Type().Field(i).Tag.Get("toml")] = into.Field(i)
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		field, known := fields[key]
		if !known {
			return fmt.Errorf("unknown key %s.%s: did you mean %s.%s?", section, key, section, Nearest(key, slices.Sorted(maps.Keys(fields))))
		}
		if err := assignGuard(section+"."+key, table[key], field); err != nil {
			return err
		}
	}
	return nil
}

// assignGuard sets a field of a guard or rule: beside what settings can be, a list of
// tables or a table of texts.
func assignGuard(name string, value any, field reflect.Value) error {
	switch {
	case field.Type() == reflect.TypeFor[[]Rule]():
		rules, ok := value.([]map[string]any)
		if !ok {
			return fmt.Errorf("%s is a list: write [[%s]] before each rule", name, name)
		}
		field.Set(reflect.MakeSlice(field.Type(), len(rules), len(rules)))
		for i, r := range rules {
			if err := fill(name, r, field.Index(i)); err != nil {
				return fmt.Errorf("rule %d: %w", i+1, err)
			}
		}
		return nil
	case field.Kind() == reflect.Map:
		texts := make(map[string]string)
		table, ok := value.(map[string]any)
		for key, v := range table {
			if texts[key], ok = v.(string); !ok {
				break
			}
		}
		if !ok {
			return fmt.Errorf(`%s: the value must be a table of texts, as in %s = { tenant = "header:X-Scope-OrgID" }`, name, name[strings.LastIndexByte(name, '.')+1:])
		}
		field.Set(reflect.ValueOf(texts))
		return nil
	}
	if err := Assign(field, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
