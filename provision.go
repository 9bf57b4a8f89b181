package hallpass

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Declaration is one section of a provisioning file: a thing that has to be there, and
// what it has to be like. Only the fields of its Noun count. It is a plain value; copies
// share the slices, which nobody changes.
type Declaration struct {
	Section string         // the whole name, "service_account.ci.token.deploy"
	Noun    DeclaredNoun   // what the section is about
	Key     string         // the last part of Section. It stays when the thing gets another name
	File    string         // the file's name, without its folder
	Lines   map[string]int // where the section stands and, by key, what is in it; the section itself is ""
	Org     string         // the key of the section of its org; "": the first org

	Name    string         // of an org
	Role    NamedRole      // without Org and Version
	Team    Team           // its name and address
	Account ServiceAccount // its name, role, owner and purpose, and whether it is disabled
	Token   Token          // its name, hash, end, owner, purpose and limits
	Guard   Guard          // without Org and what nobody chooses

	Roles  []string // of a team or account: keys of sections, and names of fixed roles
	Teams  []string // of an account: keys of sections
	Groups []string // of a team: the outside groups that it is matched with
	Of     string   // of a token: the section of its account

	Adopt bool // of a role, team or account: what it brings along when it is adopted may have the power that the file gives
}

// DeclaredNoun is what a section of a provisioning file is about, in the words of files.
type DeclaredNoun string

// The nouns that files may declare.
const (
	DeclaredOrg     DeclaredNoun = "org"
	DeclaredRole    DeclaredNoun = "role"
	DeclaredTeam    DeclaredNoun = "team"
	DeclaredAccount DeclaredNoun = "service_account"
	DeclaredToken   DeclaredNoun = "token"
	DeclaredGuard   DeclaredNoun = "guard"
)

// declaredOrder lists the nouns in the order in which they are made: what others refer to
// comes first.
var declaredOrder = []DeclaredNoun{DeclaredOrg, DeclaredRole, DeclaredTeam, DeclaredAccount, DeclaredToken, DeclaredGuard}

// DeclaredNouns lists the nouns that begin a section of their own: a token is part of its
// account's.
func DeclaredNouns() []DeclaredNoun {
	return []DeclaredNoun{DeclaredOrg, DeclaredRole, DeclaredTeam, DeclaredAccount, DeclaredGuard}
}

// NounOf returns what a section is about, by its name.
func NounOf(section string) DeclaredNoun {
	parts := strings.Split(section, ".")
	if len(parts) == 4 {
		return DeclaredToken
	}
	return DeclaredNoun(parts[0])
}

// Words says what the noun is called elsewhere.
func (n DeclaredNoun) Words() string { return strings.ReplaceAll(string(n), "_", " ") }

// Title returns what people call the declared thing.
func (d Declaration) Title() string {
	switch d.Noun {
	case DeclaredOrg:
		return d.Name
	case DeclaredRole:
		return d.Role.Name
	case DeclaredTeam:
		return d.Team.Name
	case DeclaredAccount:
		return d.Account.Name
	case DeclaredToken:
		return d.Token.Name
	}
	return d.Guard.Name
}

// A Field is a part of a thing in words.
type Field struct{ Name, Value string }

// Fields returns all that the declaration says, in words, as a file spells it. Of a secret
// it tells the beginning of its hash.
func (d Declaration) Fields() []Field {
	switch d.Noun {
	case DeclaredOrg:
		return []Field{{"name", d.Name}}
	case DeclaredRole:
		return []Field{
			{"name", d.Role.Name}, {"display_name", d.Role.DisplayName}, {"description", d.Role.Description}, {"group", d.Role.Group},
			{"permissions", permissionTexts(d.Role.Permissions)},
		}
	case DeclaredTeam:
		return []Field{{"name", d.Team.Name}, {"email", d.Team.Email}, {"roles", sorted(d.Roles)}, {"groups", sorted(d.Groups)}}
	case DeclaredAccount:
		return []Field{
			{"name", d.Account.Name}, {"role", d.Account.Role.String()}, {disabledField, fmt.Sprint(d.Account.Disabled)}, {"owner", d.Account.Owner},
			{"purpose", d.Account.Purpose}, {"roles", sorted(d.Roles)}, {"teams", sorted(d.Teams)},
		}
	case DeclaredToken:
		return tokenFields(d.Token)
	}
	return append(d.Guard.Fields(), Field{"rules", strings.Join(d.Guard.RulesInWords(), "; ")}, Field{"suspended", string(d.Guard.Suspended)})
}

// The names of fields that have rules of their own.
const (
	disabledField = "disabled"
	secretField   = "secret"
	expiresField  = "expires"
)

func tokenFields(t Token) []Field {
	expires, maxRole := "never", ""
	if !t.ExpiresAt.IsZero() {
		expires = t.ExpiresAt.Format(time.RFC3339)
	}
	if t.Limits.MaxRole != nil {
		maxRole = t.Limits.MaxRole.String()
	}
	permissions := "all"
	if t.Limits.Permissions != nil {
		permissions = permissionTexts(t.Limits.Permissions)
	}
	return []Field{
		{"name", t.Name}, {secretField, hex.EncodeToString(t.Hash[:4]) + "…"}, {expiresField, expires}, {"owner", t.Owner}, {"purpose", t.Purpose},
		{"read_only", fmt.Sprint(t.Limits.ReadOnly)}, {"max_role", maxRole}, {"permissions", permissions},
		{"networks", strings.Join(NetworkTexts(t.Limits.Networks), " ")}, {"rate_limit", t.Limits.Rate.String()},
	}
}

// sorted returns the texts in order, each once, with spaces between them.
func sorted(list []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(list))), " ")
}

// permissionTexts returns the permissions as files write them: ACTION or ACTION@SCOPE.
func permissionTexts(list []Permission) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = string(p.Action)
		if p.Scope != "" {
			texts[i] += "@" + string(p.Scope)
		}
	}
	return sorted(texts)
}

// A DeclarationError says what is wrong with a section of a provisioning file, and where.
type DeclarationError struct {
	File string
	Line int   // 0: of no line in particular
	Err  error // names the key
}

// Error returns "FILE:LINE: what is wrong".
func (e *DeclarationError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Err)
}

// Unwrap returns what is wrong.
func (e *DeclarationError) Unwrap() error { return e.Err }

// Wrong returns the error that something is wrong with a key of the section; with the
// section itself if the key is empty.
func (d Declaration) Wrong(key string, err error) *DeclarationError {
	name := d.Section
	if key != "" {
		name += "." + key
	}
	return &DeclarationError{d.File, cmp.Or(d.Lines[key], d.Lines[""]), fmt.Errorf("%s: %w", name, err)}
}

// references returns the sections that d refers to, by the key that names each.
func (d Declaration) references() (list []reference) {
	add := func(key string, noun DeclaredNoun, names []string) {
		for _, name := range names {
			if noun == DeclaredRole && strings.HasPrefix(name, fixedPrefix) {
				continue
			}
			list = append(list, reference{key, noun, name})
		}
	}
	if d.Org != "" {
		add("org", DeclaredOrg, []string{d.Org})
	}
	add("roles", DeclaredRole, d.Roles)
	add("teams", DeclaredTeam, d.Teams)
	return list
}

// fixedPrefix begins the names of fixed roles.
const fixedPrefix = "fixed:"

// A reference is that a section names another.
type reference struct {
	key  string // in which
	noun DeclaredNoun
	name string
}

// section returns the name of the section that is referred to.
func (r reference) section() string { return string(r.noun) + "." + r.name }

// OrderDeclarations returns what the files declare by file, in an order in which every file
// comes after those whose sections it refers to, and in each file what others refer to
// first. Each section, name and secret must be declared once, each reference must name a
// section that is declared, of the same org, and no two files may each need the other to
// come first.
func OrderDeclarations(list []Declaration) ([][]Declaration, error) {
	by := make(map[string]Declaration)
	for _, d := range list {
		if first, twice := by[d.Section]; twice {
			return nil, d.Wrong("", fmt.Errorf("it stands in %s already, line %d", first.File, first.Lines[""]))
		}
		by[d.Section] = d
	}
	if err := distinct(list); err != nil {
		return nil, err
	}
	needs := make(map[string]map[string]string) // which files a file needs, and for which section
	for _, d := range list {
		if needs[d.File] == nil {
			needs[d.File] = make(map[string]string)
		}
		for _, r := range d.references() {
			other, err := d.find(r, by)
			if err != nil {
				return nil, err
			}
			if other.File != "" && other.File != d.File && needs[d.File][other.File] == "" {
				needs[d.File][other.File] = d.Section
			}
		}
	}
	files, err := orderFiles(needs)
	if err != nil {
		return nil, err
	}
	ordered := make([][]Declaration, len(files))
	for i, file := range files {
		for _, d := range list {
			if d.File == file {
				ordered[i] = append(ordered[i], d)
			}
		}
		slices.SortStableFunc(ordered[i], func(a, b Declaration) int {
			return slices.Index(declaredOrder, a.Noun) - slices.Index(declaredOrder, b.Noun)
		})
	}
	return ordered, nil
}

// distinct returns an error if two sections declare one name in one org, or tokens with one
// secret.
func distinct(list []Declaration) error {
	type place struct {
		noun      DeclaredNoun
		org, name string
	}
	names, secrets := make(map[place]Declaration), make(map[[32]byte]Declaration)
	for _, d := range list {
		at := place{d.Noun, d.Org, NameKey(d.Title())}
		if first, twice := names[at]; twice {
			return d.Wrong("name", fmt.Errorf("[%s] in %s, line %d, has this name too", first.Section, first.File, first.Lines[""]))
		}
		names[at] = d
		if d.Noun != DeclaredToken {
			continue
		}
		if first, twice := secrets[d.Token.Hash]; twice {
			return d.Wrong("", fmt.Errorf("[%s] in %s, line %d, has this secret too", first.Section, first.File, first.Lines[""]))
		}
		secrets[d.Token.Hash] = d
	}
	return nil
}

// find returns the section that d refers to.
func (d Declaration) find(r reference, by map[string]Declaration) (Declaration, error) {
	other, declared := by[r.section()]
	switch {
	case !declared:
		return other, d.Wrong(r.key, fmt.Errorf("there is no section [%s]%s", r.section(), nearestSection(r, by)))
	case r.noun != DeclaredOrg && other.Org != d.Org:
		return other, d.Wrong(r.key, fmt.Errorf("[%s] is of another org", r.section()))
	}
	return other, nil
}

// nearestSection suggests a section that is spelt almost like the one that is missing.
func nearestSection(r reference, by map[string]Declaration) string {
	least, near := 4, ""
	for section, d := range by {
		if n := Distance(r.section(), section); d.Noun == r.noun && (n < least || n == least && section < near) {
			least, near = n, section
		}
	}
	if near == "" {
		return ""
	}
	return ": did you mean " + strings.TrimPrefix(near, string(r.noun)+".") + "?"
}

// orderFiles returns the files in the order of their names, save that each comes after
// those that it needs.
func orderFiles(needs map[string]map[string]string) (files []string, err error) {
	left := slices.Sorted(maps.Keys(needs))
	for len(left) > 0 {
		waits := func(file string) bool {
			return slices.ContainsFunc(left, func(other string) bool { return needs[file][other] != "" })
		}
		i := slices.IndexFunc(left, func(file string) bool { return !waits(file) })
		if i < 0 {
			return nil, circle(left, needs)
		}
		files, left = append(files, left[i]), slices.Delete(left, i, i+1)
	}
	return files, nil
}

// circle returns the error about files each of which needs another of them.
func circle(left []string, needs map[string]map[string]string) error {
	var path []string
	file := left[0]
	for !slices.Contains(path, file) {
		path = append(path, file)
		i := slices.IndexFunc(left, func(other string) bool { return needs[file][other] != "" })
		file = left[i]
	}
	path = append(path[slices.Index(path, file):], file)
	var steps []string
	for i, f := range path[:len(path)-1] {
		steps = append(steps, fmt.Sprintf("%s needs %s for [%s]", f, path[i+1], needs[f][path[i+1]]))
	}
	return &DeclarationError{File: path[0], Err: fmt.Errorf("the files refer to one another in a circle: %s. Each file is applied by itself: put these sections in one file", strings.Join(steps, ", "))}
}
