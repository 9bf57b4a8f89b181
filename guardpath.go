package hallpass

import (
	"strings"
	"unicode/utf8"
)

// Spellings are ways to write a path that two parsers may read differently, and that
// a guard may still allow, because the API behind it needs them.
type Spellings uint8

// The spellings that can be allowed.
const (
	EncodedSlash Spellings = 1 << iota // %2F: part of its segment
	Semicolon                          // ; and what follows it: part of its segment
)

// PathSpellings returns the names of the spellings that can be allowed.
func PathSpellings() []string { return []string{"%2f", ";"} }

// AllowedSpellings returns the spellings with these names. Other names allow nothing.
func AllowedSpellings(names []string) (s Spellings) {
	for _, name := range names {
		switch name {
		case "%2f":
			s |= EncodedSlash
		case ";":
			s |= Semicolon
		}
	}
	return s
}

// CanonicalPath returns the decoded path of a raw request target, without its query,
// for rules to match on. It returns false if two parsers could read the path
// differently: the proxy or the API behind it might then serve another path than the
// one that was judged. It allocates nothing unless the path has a percent sign.
//
// A path is canonical if it begins with "/", has no empty segment but the last, no
// segment "." or "..", also with spaces, no percent-encoded control character or character of `/ \ % ; ? #`,
// no byte outside visible ASCII, none of `\ ; # " < > ^ { | }` and no backquote. What it decodes to is UTF-8.
// An encoded slash that is allowed stays in the path as "%2F".
func CanonicalPath(target string, allowed Spellings) (path string, ok bool) {
	path, _, _ = strings.Cut(target, "?")
	if path == "" || path[0] != '/' {
		return "", false
	}
	encoded := false
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '%':
			encoded = true
			if i+2 >= len(path) || !hexDigit(path[i+1]) || !hexDigit(path[i+2]) || !encodable(encodedByte(path[i:]), allowed) {
				return "", false
			}
			i += 2
		case !plain[c] && (c != ';' || allowed&Semicolon == 0):
			return "", false
		}
	}
	if encoded {
		path = decodePath(path)
	}
	return path, utf8.ValidString(path) && canonicalSegments(path)
}

// plain tells which bytes may stand in a path as they are. A semicolon may not.
var plain = func() (table [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		table[c] = !strings.ContainsRune("\\;#\"<>^`{|}", rune(c))
	}
	return table
}()

// encodable reports whether a path may hold the byte percent-encoded.
func encodable(c byte, allowed Spellings) bool {
	return c >= ' ' && c != 0x7f && !strings.ContainsRune(`\%;?#`, rune(c)) && (c != '/' || allowed&EncodedSlash != 0)
}

// encodedByte returns the byte that s begins with, percent-encoded.
func encodedByte(s string) byte { return unhex(s[1])<<4 | unhex(s[2]) }

// decodePath decodes a path whose percent signs are well formed. An encoded slash
// becomes "%2F", so that it separates no segments.
func decodePath(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if c := encodedByte(s[i:]); c == '/' {
			b.WriteString("%2F")
		} else {
			b.WriteByte(c)
		}
		i += 2
	}
	return b.String()
}

// canonicalSegments reports whether the path, which begins with "/", has no empty
// segment but the last and none that is a step.
func canonicalSegments(path string) bool {
	for rest := path[1:]; ; {
		segment, after, more := strings.Cut(rest, "/")
		if !more {
			return segment == "" || canonicalSegment(segment)
		}
		if !canonicalSegment(segment) {
			return false
		}
		rest = after
	}
}

// canonicalSegment reports whether the segment is the same one to every server: also
// to one that takes an encoded slash for a slash, or ends a segment at a semicolon.
func canonicalSegment(segment string) bool {
	for more := true; more; {
		var part string
		part, segment, more = strings.Cut(segment, "%2F")
		part, _, _ = strings.Cut(part, ";")
		if part == "" || part == "." || part == ".." || strings.Contains(part, " ") && strings.Trim(part, ". ") == "" { // Windows ignores spaces at the end of a name
			return false
		}
	}
	return true
}

// A PathPattern matches paths. It is written as net/http.ServeMux writes the path of
// a pattern: "/api/v1/query", "/api/v1/label/{name}/values", "/api/v1/{rest...}",
// "/api/" for what is below, "/{$}" for "/" alone. Texts stand decoded in it. A
// PathPattern never changes and is safe for concurrent use.
type PathPattern struct {
	text     string
	segments []patternSegment
}

type patternSegment struct {
	kind segmentKind
	text string // of a literal; the name of a capture
}

type segmentKind uint8

const (
	literalSegment segmentKind = iota
	anySegment                 // {name}: one segment that is not empty
	restSegment                // {name...} and a "/" at the end: what is left, even nothing
	endSegment                 // {$}: nothing, after a slash
)

// maxPattern is the longest pattern, in bytes.
const maxPattern = 500

// ParsePathPattern reads a pattern. It returns an Invalid error for one that no
// canonical path could match, given what spellings the guard allows.
func ParsePathPattern(s string, allowed Spellings) (*PathPattern, *Error) {
	if len(s) > maxPattern {
		return nil, Invalidf("path", "the path is longer than %d characters", maxPattern)
	}
	if !strings.HasPrefix(s, "/") {
		return nil, Invalidf("path", "The path %q does not begin with a slash", s)
	}
	p, seen := &PathPattern{text: s}, map[string]bool{}
	parts := strings.Split(s[1:], "/")
	for i, part := range parts {
		segment, err := parseSegment(part, i == len(parts)-1)
		if err == nil && segment.kind == literalSegment {
			err = matchable(segment.text, allowed)
		}
		if err == nil && (segment.kind == anySegment || segment.kind == restSegment && segment.text != "") {
			if seen[segment.text] {
				err = Invalidf("path", "{%s} stands twice in it", segment.text)
			}
			seen[segment.text] = true
		}
		if err != nil {
			return nil, Invalidf("path", "The path %q cannot match: %s", s, err.Message)
		}
		p.segments = append(p.segments, segment)
	}
	return p, nil
}

// parseSegment reads one segment of a pattern.
func parseSegment(s string, last bool) (patternSegment, *Error) {
	name, open := strings.CutPrefix(s, "{")
	name, closed := strings.CutSuffix(name, "}")
	switch {
	case s == "" && last:
		return patternSegment{kind: restSegment}, nil
	case s == "":
		return patternSegment{}, Invalidf("path", "it has an empty segment")
	case !open || !closed:
		if strings.ContainsAny(s, "{}") {
			return patternSegment{}, Invalidf("path", "%q is neither a text nor a capture such as {name}", s)
		}
		return patternSegment{literalSegment, s}, nil
	case name == "$" && last:
		return patternSegment{kind: endSegment}, nil
	}
	kind := anySegment
	if cut, rest := strings.CutSuffix(name, "..."); rest {
		name, kind = cut, restSegment
	}
	if !ValidCaptureName(name) {
		return patternSegment{}, Invalidf("path", "%q is no capture: its name has letters, digits and underscores, and begins with a letter", s)
	}
	if kind == restSegment && !last {
		return patternSegment{}, Invalidf("path", "%q stands before the end", s)
	}
	return patternSegment{kind, name}, nil
}

// matchable returns an Invalid error if no canonical path has such a segment.
func matchable(literal string, allowed Spellings) *Error {
	checked := literal
	if allowed&EncodedSlash != 0 {
		checked = strings.ReplaceAll(literal, "%2F", "")
	}
	switch {
	case !canonicalSegment(literal):
		return Invalidf("path", "a path with a segment %q is refused", literal)
	case strings.Contains(checked, ";") && allowed&Semicolon == 0:
		return Invalidf("path", "a path with a semicolon is refused unless the guard allows it")
	case strings.ContainsFunc(checked, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`%\?#`, r) }):
		return Invalidf("path", "%q holds a character that is refused in paths; texts stand in a pattern decoded", literal)
	case !utf8.ValidString(literal):
		return Invalidf("path", "%q is not valid UTF-8", literal)
	}
	return nil
}

// ValidCaptureName reports whether s can name a capture: a letter, then letters,
// digits and underscores, 40 characters at most.
func ValidCaptureName(s string) bool {
	return ValidUID(s) && !strings.Contains(s, "-")
}

// String returns the pattern as it was written.
func (p *PathPattern) String() string { return p.text }

// captures returns the names of what the pattern captures.
func (p *PathPattern) captures() (names []string) {
	for _, s := range p.segments {
		if s.kind != literalSegment && s.text != "" {
			names = append(names, s.text)
		}
	}
	return names
}

// everything reports whether the pattern matches every path.
func (p *PathPattern) everything() bool { return p.segments[0].kind == restSegment }

// covers reports whether the pattern matches every path that q matches.
func (p *PathPattern) covers(q *PathPattern) bool {
	for i, s := range p.segments {
		if s.kind == restSegment {
			return len(q.segments) > i
		}
		if i >= len(q.segments) {
			return false
		}
		switch other := q.segments[i]; {
		case s.kind == anySegment && other.kind != anySegment && other.kind != literalSegment,
			s.kind != anySegment && other.kind != s.kind,
			s.kind == literalSegment && other.text != s.text:
			return false
		}
	}
	return len(p.segments) == len(q.segments)
}

// value returns what the pattern, which matches the path, captures under the name.
func (p *PathPattern) value(name, path string) string {
	rest := path[1:]
	for _, s := range p.segments {
		segment, after, _ := strings.Cut(rest, "/")
		switch {
		case s.text != name || s.kind == literalSegment:
			rest = after
		case s.kind == restSegment:
			return rest
		default:
			return segment
		}
	}
	return ""
}

// Matches reports whether the pattern matches the canonical path. Rulesets find the
// matching rule of many faster.
func (p *PathPattern) Matches(path string) bool {
	rest, more := path[1:], true
	for _, s := range p.segments {
		if !more {
			return false
		}
		if s.kind == restSegment {
			return true
		}
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if s.kind == literalSegment && segment != s.text || s.kind == anySegment && segment == "" || s.kind == endSegment && (segment != "" || more) {
			return false
		}
	}
	return !more
}
