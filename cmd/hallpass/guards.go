//go:build !client && !windows

package main

import (
	"errors"
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
		g, err := written[name].Guard(name)
		if err != nil {
			return nil, &tomlfile.KeyError{Key: "guard." + name, Err: fmt.Errorf("guard.%s: %w", name, err)}
		}
		list = append(list, g)
	}
	return list, nil
}

// guardAt is where the guard or the key of it stands that the error is about.
func guardAt(path string, lines tomlfile.Lines, err error) string {
	if about := (*tomlfile.KeyError)(nil); errors.As(err, &about) {
		return fmt.Sprintf("%s:%d", path, lines.Of(about.Key))
	}
	return path
}

// noteGuards keeps the tables of guards as the file has them, with where they stand.
func (r *reading) noteGuards(tree map[string]any, at func(key string) string) {
	section, _ := tree["guard"].(map[string]any)
	r.guards = make(map[string]any)
	for name, table := range section {
		if _, isTable := table.(map[string]any); isTable {
			r.guards[name], r.origins["guard."+name] = table, at("guard."+name)
		}
	}
}
