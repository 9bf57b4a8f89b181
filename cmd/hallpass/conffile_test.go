//go:build !client && !windows

package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

var update = flag.Bool("update", false, "write packaging/hallpass.toml")

var conffilePath = filepath.Join("..", "..", "packaging", "hallpass.toml")

// TestConffile compares the file of settings that packages install with what
// server.Config has, and has the program read it: as it is, nothing is set; with all its
// lines, every setting is set to its default.
func TestConffile(t *testing.T) {
	want := conffile(t)
	if *update {
		if err := os.WriteFile(conffilePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(conffilePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != want {
		t.Errorf("%s is not what server.Config says: go test ./cmd/hallpass -run TestConffile -update", conffilePath)
	}
	p := program{}
	p.flags.config = conffilePath
	got, err := p.loadConfig()
	if got.ConfigFile = ""; err != nil || !reflect.DeepEqual(got, server.DefaultConfig()) {
		t.Errorf("the file as it is: %v, %+v", err, got)
	}
	all := regexp.MustCompile(`(?m)^#(\w+ = )`).ReplaceAllString(want, "$1")
	path := filepath.Join(t.TempDir(), "hallpass.toml")
	if err := os.WriteFile(path, []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	r := reading{origins: make(map[string]string)} // without the defaults, so that what the file leaves out is seen
	err = r.readFile(path)
	c := r.config
	if c.ConfigFile, c.DataDir = "", server.DefaultConfig().DataDir; err != nil || !sameSettings(c, server.DefaultConfig()) {
		t.Errorf("the file with all its lines: %v, %+v", err, c)
	}
	if err := c.Validate(); err != nil {
		t.Errorf("the file with all its lines: %v", err)
	}
	var tree map[string]any
	meta, err := toml.Decode(all, &tree)
	for _, s := range settings(&c) {
		if err != nil || !meta.IsDefined(strings.Split(s.key, ".")...) {
			t.Errorf("the file has no line for %s, %v", s.key, err)
		}
	}
}

// sameSettings compares every setting; an empty list is like none.
func sameSettings(a, b server.Config) bool {
	of := settings(&b)
	for i, s := range settings(&a) {
		if conffileValue(s.value) != conffileValue(of[i].value) {
			return false
		}
	}
	return true
}

// TestManualDefaults holds the defaults of docs/configuration.md to those of
// server.Config, and finds no row there of a setting that there is not.
func TestManualDefaults(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `HALLPASS_[A-Z0-9_]+` \\| ([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = strings.Trim(m[2], "` ")
	}
	c := server.DefaultConfig()
	for _, s := range settings(&c) {
		want := strings.Trim(conffileValue(s.value), `"[]`)
		want = strings.NewReplacer(`", "`, ",", ", ", ",").Replace(want)
		if got, ok := rows[s.key]; !ok || got != want {
			t.Errorf("docs/configuration.md says the default of %s is %q, and it is %q", s.key, got, want)
		}
		delete(rows, s.key)
	}
	if len(rows) > 0 {
		t.Errorf("docs/configuration.md has rows of no setting: %q", rows)
	}
}

const conffileHead = `# Settings of Hallpass. All of them are explained in
# https://github.com/hallpass-dev/hallpass/blob/main/docs/configuration.md
#
# Below, every key has its default, as "#key = value". To set a key, remove the "#" at the
# beginning of its line. Text is in quotes. A key that there is not, or a value that is not
# valid, stops the start of the server, and the error names it.
#
# Then "systemctl reload hallpass" applies the log's level, guards and certificates; other
# keys need "systemctl restart hallpass".
#
# Everybody on this machine may read this file. Keep secrets (passwords, client_secret,
# database.url, slack_url) elsewhere: hallpass.service says how.
`

// conffile writes the file of settings: for each section its keys, each with what
// server.Config says of it and its default.
func conffile(t *testing.T) string {
	w := conffileWriter{t: t, types: structsOf(t, filepath.Join("..", "..", "internal", "server"))}
	w.text.WriteString(conffileHead)
	w.section("", reflect.ValueOf(server.DefaultConfig()))
	return w.text.String()
}

// structsOf returns the structs that the package in the folder declares, by name.
func structsOf(t *testing.T, dir string) map[string]*ast.GenDecl {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]*ast.GenDecl)
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && len(g.Specs) == 1 {
				found[g.Specs[0].(*ast.TypeSpec).Name.Name] = g
			}
		}
	}
	return found
}

type conffileWriter struct {
	t     *testing.T
	types map[string]*ast.GenDecl
	text  strings.Builder
}

// section writes the keys of a section, and then the sections inside it.
func (w *conffileWriter) section(name string, v reflect.Value) {
	decl := w.types[v.Type().Name()]
	docs := make(map[string]string) // of fields
	for _, f := range decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType).Fields.List {
		docs[f.Names[0].Name] = f.Doc.Text()
	}
	keys := make(map[string]string) // of fields
	var inside []int
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag := f.Tag.Get("toml")
		switch _, isSecret := v.Field(i).Interface().(secret.Text); {
		case tag == "" || tag == "-":
		case f.Type.Kind() == reflect.Struct && !isSecret:
			inside = append(inside, i)
		default:
			keys[f.Name] = tag
		}
	}
	if name != "" {
		fmt.Fprintf(&w.text, "\n[%s]\n", name)
		_, about, _ := strings.Cut(decl.Doc.Text(), "["+name+"]")
		if about = strings.TrimLeft(about, ".: \n"); about != "" {
			w.comment(strings.ToUpper(about[:1])+about[1:], nil)
		}
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if keys[f.Name] == "" {
			continue
		}
		if w.comment(docs[f.Name], keys); docs[f.Name] == "" {
			w.named(f.Name, keys[f.Name])
		}
		fmt.Fprintf(&w.text, "#%s = %s\n", keys[f.Name], conffileValue(v.Field(i)))
	}
	for _, i := range inside {
		w.section(strings.TrimPrefix(name+"."+v.Type().Field(i).Tag.Get("toml"), "."), v.Field(i))
	}
}

// named fails the test if the comment before does not name the key of a field without a
// comment of its own.
func (w *conffileWriter) named(field, key string) {
	text := w.text.String()
	last := text[strings.LastIndex(text, "\n\n")+1:]
	if !regexp.MustCompile(`(?m)^# .*\b` + key + `\b`).MatchString(last) {
		w.t.Errorf("server.Config says nothing of %s", field)
	}
}

// comment writes what is said of a key, an empty line before it, in lines of 90 characters
// at most. Names of fields become those of their keys.
func (w *conffileWriter) comment(text string, keys map[string]string) {
	if text == "" {
		return
	}
	text = regexp.MustCompile(`\w+`).ReplaceAllStringFunc(text, func(word string) string {
		if key := keys[word]; key != "" {
			return key
		}
		return word
	})
	if keys != nil {
		w.text.WriteString("\n")
	}
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 90 {
			w.text.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	w.text.WriteString(line + "\n")
}

// conffileValue writes a value as TOML has it.
func conffileValue(v reflect.Value) string {
	if text, ok := v.Interface().(secret.Text); ok {
		return tomlText(text.Reveal())
	}
	return tomlValue(v.Interface())
}
