package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/tomlfile"
)

// readGuards returns the guards of a file, by name.
func readGuards(tree map[string]any) (list []hallpass.Guard, err error) {
	written, err := tomlfile.Guards(tree)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(written)) {
		g, err := guardOf(name, written[name])
		if err != nil {
			return nil, fmt.Errorf("guard.%s: %w", name, err)
		}
		list = append(list, g)
	}
	return list, nil
}

// guardOf returns the guard that is written, if it is valid.
func guardOf(name string, t tomlfile.Guard) (hallpass.Guard, error) {
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
