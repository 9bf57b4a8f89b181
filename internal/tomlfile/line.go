package tomlfile

import (
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Lines says on which line of a file each key stands, by the key's whole name:
// "guard.prom.upstream", a table of a list with its number from 1,
// "guard.prom.rule[2].path". The parser of TOML does not tell it. The zero value knows no
// key.
type Lines map[string]int

// FindLines returns the lines of the keys of text, which the parser of TOML took. Of
// another text it returns something, and what does not matter.
func FindLines(text string) Lines {
	s := lineScanner{text: text, line: 1, lines: make(Lines), tables: make(map[string]int)}
	s.file()
	return s.lines
}

// Of returns the line of the key. If the key itself stands nowhere, it is that of the first
// key inside it, and else that of the nearest table around it; 0 if there is none.
func (l Lines) Of(key string) int {
	for key != "" {
		line := l[key]
		if line != 0 {
			return line
		}
		for other, n := range l {
			if rest, inside := strings.CutPrefix(other, key); inside && rest != "" && strings.ContainsAny(rest[:1], ".[") && (line == 0 || n < line) {
				line = n
			}
		}
		if line != 0 {
			return line
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0
}

// A lineScanner goes through a text once, from its beginning to its end.
type lineScanner struct {
	text   string
	at     int // of text: what comes next
	line   int // the line of that, from 1
	lines  Lines
	tables map[string]int // how many [[tables]] there were so far, by name
}

// file reads headers and pairs up to the end.
func (s *lineScanner) file() {
	section := ""
	for s.blank(); s.at < len(s.text); s.blank() {
		switch {
		case s.take("[["):
			section = s.header("]]", true)
		case s.take("["):
			section = s.header("]", false)
		default:
			s.pair(section)
		}
	}
}

// header reads the name of a table up to the bracket that ends it, and returns it.
func (s *lineScanner) header(end string, list bool) (section string) {
	line, parts := s.line, s.name(end[0])
	for i, part := range parts {
		section = joined(section, part)
		if n := s.tables[section]; list && i == len(parts)-1 {
			s.tables[section] = n + 1
			section = numbered(section, n+1)
		} else if n > 0 {
			section = numbered(section, n)
		}
	}
	s.take(end)
	s.found(section, line)
	return section
}

// pair reads a key and its value.
func (s *lineScanner) pair(section string) {
	line, begin := s.line, s.at
	for _, part := range s.name('=') {
		section = joined(section, part)
	}
	s.found(section, line)
	s.take("=")
	s.value(section)
	if s.at == begin { // no text that the parser took: do not stay here
		s.step()
	}
}

// found notes the first line of a key.
func (s *lineScanner) found(key string, line int) {
	if s.lines[key] == 0 {
		s.lines[key] = line
	}
}

// name reads the parts of a key up to the byte that ends it.
func (s *lineScanner) name(end byte) (parts []string) {
	for s.at < len(s.text) && s.text[s.at] != end && s.text[s.at] != '\n' {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '.', '\r':
			s.step()
		case '"', '\'':
			parts = append(parts, s.quotedPart())
		default:
			begin := s.at
			for s.at < len(s.text) && !strings.ContainsRune(" \t\r\n.=]\"'", rune(s.text[s.at])) {
				s.step()
			}
			if s.at == begin { // a bracket where none should be
				s.step()
			}
			parts = append(parts, s.text[begin:s.at])
		}
	}
	return parts
}

// quotedPart reads a part of a key that is in quotes, and returns what it stands for.
func (s *lineScanner) quotedPart() string {
	begin := s.at
	s.quoted()
	var v struct{ K string }
	if _, err := toml.Decode("K = "+s.text[begin:s.at], &v); err != nil {
		return s.text[begin:s.at]
	}
	return v.K
}

// value reads the value of the key, with the keys that are in it.
func (s *lineScanner) value(key string) {
	s.blankInLine()
	switch {
	case s.at == len(s.text):
	case s.text[s.at] == '"' || s.text[s.at] == '\'':
		s.quoted()
	case s.take("["):
		for n := 1; s.inside(']'); n++ {
			s.value(numbered(key, n))
		}
	case s.take("{"):
		for s.inside('}') {
			s.pair(key)
		}
	default:
		for s.at < len(s.text) && !strings.ContainsRune(",]}#\n", rune(s.text[s.at])) {
			s.step()
		}
	}
}

// inside goes to the next member of a list or table, past blanks and commas. It is false,
// and past the end of the list or table, if there is none.
func (s *lineScanner) inside(end byte) bool {
	begin := s.at
	for s.blank(); s.take(","); s.blank() {
	}
	if s.at == len(s.text) || s.text[s.at] == end {
		s.step()
		return false
	}
	if s.at == begin && strings.ContainsRune("]}", rune(s.text[s.at])) { // the wrong bracket: do not stay here
		s.step()
	}
	return true
}

// quoted reads a text in quotes of any kind.
func (s *lineScanner) quoted() {
	quote := s.text[s.at : s.at+1]
	escapes := quote == `"`
	if three := strings.Repeat(quote, 3); strings.HasPrefix(s.text[s.at:], three) {
		quote = three
	}
	s.take(quote)
	for s.at < len(s.text) && !s.take(quote) {
		if escapes && s.text[s.at] == '\\' {
			s.step()
		}
		s.step()
	}
	for len(quote) == 3 && s.at < len(s.text) && s.text[s.at] == quote[0] { // up to two quotes may stand before the last three
		s.step()
	}
}

// take reads what comes next if it is token.
func (s *lineScanner) take(token string) bool {
	if !strings.HasPrefix(s.text[s.at:], token) {
		return false
	}
	s.at += len(token)
	return true
}

// step reads a byte.
func (s *lineScanner) step() {
	if s.at == len(s.text) {
		return
	}
	if s.text[s.at] == '\n' {
		s.line++
	}
	s.at++
}

// blankInLine reads spaces and tabs.
func (s *lineScanner) blankInLine() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t') {
		s.at++
	}
}

// blank reads spaces, ends of lines and comments.
func (s *lineScanner) blank() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.step()
		case '#':
			for s.at < len(s.text) && s.text[s.at] != '\n' {
				s.at++
			}
		default:
			return
		}
	}
}

// joined returns the name of a key inside a section.
func joined(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}

// numbered returns the name of the n-th of a list.
func numbered(key string, n int) string { return key + "[" + strconv.Itoa(n) + "]" }
