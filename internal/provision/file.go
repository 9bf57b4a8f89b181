package provision

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/tomlfile"
)

// A file is a provisioning file while it is read.
type file struct {
	name   string
	lines  tomlfile.Lines
	within map[string]map[string]int         // the same by what a key stands in
	secret func(path string) (string, error) // reads the file with a token's secret

	list []hallpass.Declaration
}

// parse reads the text of a file. The error is a DeclarationError, and repeats no values:
// they may be secrets.
func parse(name, text string, secret func(path string) (string, error)) ([]hallpass.Declaration, error) {
	f := &file{name: name, secret: secret}
	for i, line := range strings.Split(text, "\n") { // before anything else: other errors may repeat what is there
		if hallpass.HoldsToken(line) {
			return nil, f.wrong(i+1, errSecretInClear)
		}
	}
	var tree map[string]any
	_, err := tomlfile.Decode(text, &tree)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return nil, f.wrong(syntax.Position.Line, errors.New(tomlfile.SyntaxError(syntax)))
	}
	if err != nil {
		return nil, f.wrong(0, errors.New("the file is not TOML"))
	}
	f.findLines(text)
	if err := f.sections(tree); err != nil {
		return nil, err
	}
	return f.list, nil
}

// findLines finds the lines of the keys.
func (f *file) findLines(text string) {
	f.lines, f.within = tomlfile.FindLines(text), make(map[string]map[string]int)
	for key, line := range f.lines {
		for i, c := range key {
			if c != '.' {
				continue
			}
			if f.within[key[:i]] == nil {
				f.within[key[:i]] = make(map[string]int)
			}
			f.within[key[:i]][key[i+1:]] = line
		}
	}
}

var errSecretInClear = errors.New("here is the secret of a token: a secret must not stand in this file. Write sha256, or secret_file with the name of a file that holds it")

// wrong returns the error about a line of the file.
func (f *file) wrong(line int, err error) error {
	return &hallpass.DeclarationError{File: f.name, Line: line, Err: err}
}

// at returns the error about a key of the file.
func (f *file) at(key, format string, args ...any) error {
	return f.wrong(f.lines.Of(key), fmt.Errorf(format, args...))
}

// sections reads all sections.
func (f *file) sections(tree map[string]any) error {
	var known []string
	for _, noun := range hallpass.DeclaredNouns() {
		known = append(known, string(noun))
	}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if !slices.Contains(known, key) {
			return f.at(key, "unknown section [%s]: there are [%s.KEY]", shown(key), strings.Join(known, ".KEY], ["))
		}
	}
	for _, noun := range hallpass.DeclaredNouns() {
		if tree[string(noun)] == nil {
			continue
		}
		err := f.tables(string(noun), tree[string(noun)], func(d hallpass.Declaration, table map[string]any) error {
			d.Noun = noun
			return f.section(d, table)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tables calls read for each table below a name, as [service_account.ci] is below
// service_account.
func (f *file) tables(name string, value any, read func(hallpass.Declaration, map[string]any) error) error {
	tables, ok := value.(map[string]any)
	if !ok {
		return f.at(name, "%s needs a key: write [%s.KEY], and its keys below", name, name)
	}
	for _, key := range slices.Sorted(maps.Keys(tables)) {
		section := name + "." + key
		table, ok := tables[key].(map[string]any)
		if !ok {
			return f.at(section, "%s.%s is a section: write [%s.%s], and its keys below", name, shown(key), name, shown(key))
		}
		if !hallpass.ValidUID(key) {
			return f.at(section, "[%s.%s]: a key has letters, digits, dashes and underscores, begins with a letter, and is at most 40 characters long", name, shown(key))
		}
		d := hallpass.Declaration{Section: section, Key: key, File: f.name, Lines: f.linesIn(section)}
		if err := read(d, table); err != nil {
			return err
		}
	}
	return nil
}

// linesIn returns the lines of a section and of the keys in it.
func (f *file) linesIn(section string) map[string]int {
	in := make(map[string]int)
	first := f.lines[section]
	for key, line := range f.within[section] {
		in[key] = line
		if f.lines[section] == 0 && (first == 0 || line < first) {
			first = line
		}
	}
	if first == 0 { // it stands nowhere by itself
		first = f.lines.Of(section)
	}
	in[""] = first
	return in
}

// shown returns a key as an error may repeat it.
func shown(key string) string { return hallpass.Clean(key, hallpass.MaxUID) }

// section reads a section. Its tokens are sections of their own.
func (f *file) section(d hallpass.Declaration, table map[string]any) error {
	table = maps.Clone(table)
	tokens, hasTokens := table["token"]
	if d.Noun == hallpass.DeclaredAccount {
		delete(table, "token")
	}
	err := readers[d.Noun](f, &d, table)
	if err != nil {
		return f.located(d, err)
	}
	f.list = append(f.list, d)
	if d.Noun != hallpass.DeclaredAccount || !hasTokens {
		return nil
	}
	return f.tables(d.Section+".token", tokens, func(t hallpass.Declaration, table map[string]any) error {
		t.Noun, t.Of, t.Org = hallpass.DeclaredToken, d.Section, d.Org
		if err := f.token(&t, table); err != nil {
			return f.located(t, err)
		}
		f.list = append(f.list, t)
		return nil
	})
}

// located returns the error with its place in the file.
func (f *file) located(d hallpass.Declaration, err error) error {
	var e *tomlfile.KeyError
	if errors.As(err, &e) {
		return f.wrong(f.lines.Of(e.Key), errors.New(hallpass.Redact(e.Error())))
	}
	var here *hallpass.DeclarationError
	if errors.As(err, &here) {
		return err
	}
	var invalid *hallpass.Error
	if errors.As(err, &invalid) {
		return d.Wrong(keyOf(d, invalid.Field), errors.New(invalid.Message))
	}
	return d.Wrong("", err)
}

// keyOf returns the key of a file for a field of the wire; "" for one that the section
// does not have.
func keyOf(d hallpass.Declaration, field string) string {
	field, _, _ = strings.Cut(field, "[")
	field, _, _ = strings.Cut(field, ".")
	switch field {
	case "displayName":
		return "display_name"
	case "maxRole":
		return "max_role"
	case "rateLimit":
		return "rate_limit"
	case "pathAllow":
		return "path_allow"
	case "groupId":
		return "groups"
	case "rules":
		return ""
	}
	return field
}
