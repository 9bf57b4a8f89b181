package console

import (
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// powerArea is what somebody may do with one kind of thing: in short, and every permission.
type powerArea struct {
	Name   string
	Level  string // the highest of what may be done: "read", "write", "admin"; empty: nothing, or only another API knows
	Can    string // in sentences
	Unused int    // permissions that no request needed in 90 days
	Held   []explainRow
	Rows   []permissionRow // of a role: where its permissions come from is plain
}

// Count says how many permissions there are.
func (a powerArea) Count() string { return hallpass.Counted(len(a.Held)+len(a.Rows), "permission") }

// powerAreas are the areas in which the power allows anything, in their order; then what
// only other APIs know.
func powerAreas(w hallpass.Power) []powerArea {
	var areas []powerArea
	for _, a := range w.Areas {
		areas = append(areas, powerArea{Name: string(a.Area), Level: a.Level.String(), Can: sentenceStart(strings.Join(a.Can, "; ")) + "."})
	}
	for _, action := range w.NoEffect {
		info, _ := action.Info()
		a := areaIn(&areas, string(info.Area))
		if a.Can != "" {
			a.Can += " "
		}
		a.Can += "Without effect: " + string(action) + "."
	}
	if others := w.Others(); others != "" {
		areaIn(&areas, string(otherAPIs)).Can = "Holds " + others + "."
	}
	return areas
}

// areaIn returns the area with that name, which it adds if it is missing.
func areaIn(areas *[]powerArea, name string) *powerArea {
	order := append(hallpass.Areas(), otherAPIs)
	at, found := slices.BinarySearchFunc(*areas, name, func(a powerArea, name string) int {
		return slices.Index(order, hallpass.Area(a.Name)) - slices.Index(order, hallpass.Area(name))
	})
	if !found {
		*areas = slices.Insert(*areas, at, powerArea{Name: name})
	}
	return &(*areas)[at]
}

// openPowers is up to how many permissions all are shown at once.
const openPowers = 12
