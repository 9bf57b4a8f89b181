package tomlfile

import (
	"cmp"
	"maps"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/hallpass-dev/hallpass"
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
			if err := Fill("guard."+name, table, &g); err != nil {
				return nil, err
			}
			all[name] = g
		case []map[string]any:
			return nil, keyErrorf("guard."+name, "guard.%s is a section: write [guard.%s], and its keys below", name, name)
		}
	}
	return all, nil
}

// Guard returns the guard of that name that is written, if it is valid. An error names the
// field as the wire does.
func (t Guard) Guard(name string) (hallpass.Guard, error) {
	g := hallpass.Guard{
		Name: name, Org: cmp.Or(hallpass.OrgID(t.Org), hallpass.FirstOrg), Upstream: t.Upstream, Preset: t.Preset, PathAllow: t.PathAllow, Listen: t.Listen,
	}
	if err := cmp.Or(g.SetPreflight(t.Preflight), g.SetIdentity(t.Identity), g.SetTimeout(t.Timeout)); err != nil {
		return g, err
	}
	for _, r := range t.Rules {
		if err := g.AddRule(hallpass.WrittenRule(r)); err != nil {
			return g, err
		}
	}
	return g, g.Validate()
}
