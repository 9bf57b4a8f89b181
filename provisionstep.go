package hallpass

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Provisioned is what is kept of a section of a provisioning file that was applied.
type Provisioned struct {
	Section string
	Org     OrgID    // of the thing; of an org itself its own ID
	Target  string   // the thing, as audit entries name it: "serviceaccount:7"
	File    string   // which declares it; empty: none does any more
	Stopped bool     // the thing is disabled because files said so, or declare it no more
	Hash    [32]byte // of a token: of the secret that was declared last; zero for others
}

// LockedError returns the Conflict that names the file in which the thing can be changed;
// nil: it can be changed everywhere.
func (p Provisioned) LockedError() error {
	if p.File == "" {
		return nil
	}
	return &Error{Kind: Conflict, ID: "provisioning.locked", Message: "[" + p.Section + "] is written down in the provisioning file " + p.File + ": change it there"}
}

// A Present is a thing as it is, compared with what files say. The zero Present is nothing.
type Present struct {
	Declaration             // as if a file declared it; its File and Lines say nothing
	Applied     Provisioned // what files did to it before; no Section: nothing
	In          OrgID       // its org; 0: that is not there either
	Target      string      // it, as audit entries name it; "": it is not there
	Revoked     bool        // of a token: it was ended before its time
	Expired     bool        // of a token: its time is over
}

// There reports whether the thing exists.
func (p Present) There() bool { return p.Target != "" }

// ProvisionVerb is what a step does to a thing.
type ProvisionVerb string

// The verbs. A step with none changes nothing.
const (
	ProvisionCreate  ProvisionVerb = "create"
	ProvisionAdopt   ProvisionVerb = "adopt"   // it is there and no file declared it: from now on it is the file's
	ProvisionUpdate  ProvisionVerb = "update"  // it is not as the file says
	ProvisionRotate  ProvisionVerb = "rotate"  // a token gets another secret: a new token replaces it
	ProvisionDisable ProvisionVerb = "disable" // no file declares it any more: it stays, and gives nothing
	ProvisionDelete  ProvisionVerb = "delete"  // no file declares it any more, and what left the files is deleted
	ProvisionRelease ProvisionVerb = "release" // no file declares it any more: it stays as it is
)

// A FieldChange is what a step changes in a thing.
type FieldChange struct{ Name, Was, Now string }

// A ProvisionStep is what has to be done so that a thing is as a file says.
type ProvisionStep struct {
	Do      ProvisionVerb
	Want    Declaration // zero for what no file declares
	Have    Present
	Changes []FieldChange
	Note    string // what the file says and does not come true, and why; empty: all does
	Brings  string // what an adopted thing brings along that no file declares: tokens, members, holders
}

// Section returns the name of the section that the step is about.
func (s ProvisionStep) Section() string {
	if s.Want.Section != "" {
		return s.Want.Section
	}
	return s.Have.Applied.Section
}

// File returns the file that the step is made for.
func (s ProvisionStep) File() string {
	if s.Want.Section != "" {
		return s.Want.File
	}
	return s.Have.Applied.File
}

// Nothing reports whether there is nothing to do and nothing to tell.
func (s ProvisionStep) Nothing() bool { return s.Do == "" && s.Note == "" }

// Widens returns the key by which the step gives what it changes more than it had: a
// higher basic role, a role, a team, a group, or a permission; empty if by none.
func (s ProvisionStep) Widens() string {
	more := func(key string, want, have []string) string {
		if slices.ContainsFunc(want, func(text string) bool { return !slices.Contains(have, text) }) {
			return key
		}
		return ""
	}
	switch want, have := s.Want, s.Have; want.Noun {
	case DeclaredAccount:
		if want.Account.Role > have.Account.Role {
			return "role"
		}
		return cmp.Or(more("roles", want.Roles, have.Roles), more("teams", want.Teams, have.Teams))
	case DeclaredTeam:
		return cmp.Or(more("roles", want.Roles, have.Roles), more("groups", want.Groups, have.Groups))
	case DeclaredRole:
		if slices.ContainsFunc(want.Role.Permissions, func(p Permission) bool { return !slices.Contains(have.Role.Permissions, p) }) {
			return "permissions"
		}
	}
	return ""
}

// Step returns what has to be done so that p is as d declares. What somebody ended or
// disabled by hand stays so: the step tells it in its Note. A token whose end is put off
// without another secret is an error.
func (d Declaration) Step(p Present) (ProvisionStep, error) {
	s := ProvisionStep{Want: d, Have: p}
	if d.Noun == DeclaredToken {
		if note := p.endedNote(d); note != "" {
			s.Note = note
			return s, nil
		}
	}
	if !p.There() || p.Revoked {
		s.Do = ProvisionCreate
		return s, nil
	}
	was := p.Fields()
	for i, f := range d.Fields() {
		switch change := (FieldChange{f.Name, was[i].Value, f.Value}); {
		case f.Value == was[i].Value:
		case f.Name == disabledField && p.Account.Disabled && !p.Applied.Stopped:
			s.Note = "somebody disabled it: it stays so until somebody enables it"
			s.Want.Account.Disabled = true
		default:
			s.Changes = append(s.Changes, change)
		}
	}
	if file := p.Applied.File; file != "" && file != d.File {
		s.Changes = append(s.Changes, FieldChange{"file", file, d.File})
	}
	switch {
	case p.Applied.File == "":
		s.Do = ProvisionAdopt
	case len(s.Changes) > 0 || p.Applied.Stopped && d.Noun != DeclaredAccount:
		s.Do = ProvisionUpdate
	}
	if d.Noun == DeclaredToken && d.Token.Hash != p.Token.Hash {
		s.Do = ProvisionRotate
	}
	return s, s.livesLonger()
}

// endedNote says why the declared token is not there, if that is so for good.
func (p Present) endedNote(d Declaration) string {
	switch same := p.Applied.Hash == d.Token.Hash || p.There() && p.Token.Hash == d.Token.Hash; {
	case !same:
		return ""
	case p.Revoked, !p.There() && p.Applied.Section != "":
		return "this secret was ended, and it stays ended: declare another one"
	case p.Expired:
		return "the time of this secret is over: declare another one"
	}
	return ""
}

// livesLonger returns an error if the step has a token end later than it was to.
func (s ProvisionStep) livesLonger() error {
	was, is := s.Have.Token.ExpiresAt, s.Want.Token.ExpiresAt
	if s.Want.Noun != DeclaredToken || s.Do != ProvisionUpdate && s.Do != ProvisionAdopt || was.IsZero() || !is.IsZero() && !is.After(was) {
		return nil
	}
	return s.Want.Wrong(expiresField, fmt.Errorf("the token ends at %s: a longer life takes another secret", s.Have.Fields()[2].Value))
}

// Leave returns what becomes of p, which no file declares: it is disabled, or with prune
// deleted. Nothing becomes of what was disabled before, unless prune, nor of what somebody
// changed since. An org stays as it is: with it all that is in it would go.
func (p Present) Leave(prune bool) ProvisionStep {
	s := ProvisionStep{Have: p}
	switch owned := p.Applied.File != ""; {
	case !p.There() || p.Revoked:
		if owned {
			s.Do = ProvisionRelease
		}
	case p.Noun == DeclaredOrg:
		if owned {
			s.Do = ProvisionRelease
		}
	case prune && (owned || p.Applied.Stopped):
		s.Do = ProvisionDelete
	case owned:
		s.Do = ProvisionDisable
	}
	return s
}

// Compare orders steps as they have to be made: by noun, what others refer to first, and
// then by section.
func (s ProvisionStep) Compare(other ProvisionStep) int {
	noun := func(s ProvisionStep) int { return slices.Index(declaredOrder, NounOf(s.Section())) }
	return cmp.Or(noun(s)-noun(other), strings.Compare(s.Section(), other.Section()))
}
