package hallpass

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fields returns what was chosen about the guard in words, as a file spells it, save its
// rules.
func (g Guard) Fields() []Field {
	return []Field{
		{"upstream", g.Upstream},
		{"preset", g.Preset},
		{"path_allow", strings.Join(g.PathAllow, " ")},
		{"preflight", g.Preflight()},
		{"identity", strings.Join(g.Identity(), " ")},
		{"listen", g.Listen},
		{"timeout", cmp.Or(g.Timeout, DefaultGuardTimeout).String()},
	}
}

// RulesInWords returns the guard's own rules, each as a line for people.
func (g Guard) RulesInWords() []string {
	list := make([]string, len(g.Rules))
	for i, r := range g.Rules {
		list[i] = r.Request() + " needs " + r.Need.String()
		if len(r.Captures) > 0 {
			list[i] += " captures = " + inlineTable(r.Captures)
		}
		if r.Split != "" {
			list[i] += fmt.Sprintf(" split = %q", r.Split)
		}
		if len(r.Set) > 0 {
			list[i] += " set = " + inlineTable(r.Set)
		}
	}
	return list
}

// inlineTable writes the values as the configuration file does, by key.
func inlineTable(values map[string]string) string {
	parts := make([]string, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, fmt.Sprintf("%s = %q", key, values[key]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
