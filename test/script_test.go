package test_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/metrics"
)

// TestScripts sends the conversations of testdata/script, each to a server of its
// own, and compares the answers.
//
// A line that begins with "#" explains, one with ">" is sent, and one with "<"
// must be answered: first the status, then headers, then the body. A request whose status
// is followed by "eventually" is sent again until it is answered so, with all texts of the
// body. Headers and members of JSON that a script does not name are not compared, so a
// script names what matters. "Name:" without a value says that the header is not there. A body
// that is not JSON follows an empty line, and each line of it is a text that the
// answer has, in this order.
//
// A word in braces stands for a text. {admin} is the Authorization of the
// administrator and {password} the password. Another word takes the text that the
// answer has there, and stands for it from then on. {any} takes everything and
// stands for nothing.
func TestScripts(t *testing.T) {
	for name, list := range scripts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, t.TempDir(), []string{"HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1"}) // scripts speak for proxies too
			p.await()
			s := script{t: t, url: p.url, words: map[string]string{
				"admin": "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+adminPassword)), "password": adminPassword,
			}}
			for _, e := range list {
				s.hold(e)
			}
		})
	}
}

// scripts returns the exchanges of each script by the script's name.
func scripts(t *testing.T) map[string][]exchange {
	t.Helper()
	paths, err := filepath.Glob("../testdata/script/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no scripts: ", err)
	}
	all := make(map[string][]exchange)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".txt")] = exchanges(t, path, string(text))
	}
	return all
}

// TestEveryDoorHasAScript fails for each door of the server, path of the contract outside
// of /api and chapter of the contract that no script calls. A chapter needs a call that
// is answered with success, or with 410 if the chapter is about things that are gone.
func TestEveryDoorHasAScript(t *testing.T) {
	doc, router := hallpasstest.Contract(t)
	told := make(map[string]bool)
	for _, list := range scripts(t) {
		for _, e := range list {
			r, err := http.NewRequest(e.method(), e.path(), nil)
			if err != nil {
				t.Fatal(err)
			}
			told["path "+e.path()], told["door "+metrics.DoorOf(e.path()).String()] = true, true
			if route, _, err := router.FindRoute(r); err == nil && (e.answer[0] < "400" || e.answer[0] == "410") {
				told["chapter "+route.Operation.Tags[0]] = true
			}
		}
	}
	want := []string{"path /metrics"}
	for path := range doc.Paths.Map() {
		if !strings.HasPrefix(path, "/api/") {
			want = append(want, "path "+path)
		}
	}
	for _, tag := range doc.Tags {
		want = append(want, "chapter "+tag.Name)
	}
	for _, m := range regexp.MustCompile(`\bdoor="([a-z]+)"`).FindAllStringSubmatch(get(t, serve(t, t.TempDir()).url+"/metrics"), -1) {
		want = append(want, "door "+m[1])
	}
	slices.Sort(want)
	for _, w := range slices.Compact(want) {
		if !told[w] {
			t.Errorf("testdata/script has no conversation with the %s", w)
		}
	}
}

// An exchange is a request and the answer that it must get, line by line.
type exchange struct {
	at              string // file and line
	request, answer []string
}

func (e exchange) method() string { return strings.Fields(e.request[0])[0] }

// path returns the path of the request, without the query, with a number for each
// word.
func (e exchange) path() string {
	path, _, _ := strings.Cut(strings.Fields(e.request[0])[1], "?")
	return word.ReplaceAllString(path, "1")
}

func exchanges(t *testing.T, file, text string) []exchange {
	t.Helper()
	var list []exchange
	for i, line := range strings.Split(text, "\n") {
		rest := strings.TrimPrefix(line[min(1, len(line)):], " ")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '>':
			if len(list) == 0 || len(list[len(list)-1].answer) > 0 {
				list = append(list, exchange{at: fmt.Sprintf("%s:%d", file, i+1)})
			}
			e := &list[len(list)-1]
			e.request = append(e.request, rest)
		case line[0] == '<' && len(list) > 0:
			e := &list[len(list)-1]
			e.answer = append(e.answer, rest)
		default:
			t.Fatalf("%s:%d is neither a remark nor part of a request and its answer", file, i+1)
		}
	}
	return list
}

type script struct {
	t     *testing.T
	url   string
	words map[string]string
}

var word = regexp.MustCompile(`\{([a-z]+)\}`)

// fill replaces the words that are known with their texts.
func (s script) fill(line string) string {
	return word.ReplaceAllStringFunc(line, func(w string) string {
		if text, ok := s.words[strings.Trim(w, "{}")]; ok {
			return text
		}
		return w
	})
}

// hold sends the request and compares the answer.
func (s script) hold(e exchange) {
	s.t.Helper()
	want, later := strings.CutSuffix(e.answer[0], " eventually")
	headers, texts, object := parts(e.answer[1:])
	status, header, body := s.send(e)
	if later {
		hallpasstest.Eventually(s.t, e.at+": "+e.answer[0], func() bool {
			if status == want && s.lacks(texts, body) == "" {
				return true
			}
			status, header, body = s.send(e)
			return false
		})
	}
	if want != status {
		s.t.Fatalf("%s: %s is answered with %s, want %s\n%s", e.at, e.request[0], status, want, body)
	}
	for name, want := range headers {
		if got := strings.Join(header.Values(name), "\n"); !s.matches("^"+s.pattern(want)+"$", got) {
			s.t.Errorf("%s: the header %s is %q, want %q", e.at, name, got, want)
		}
	}
	if object != "" {
		s.compare(e.at+": the answer", decoded(s.t, e.at, quoted(object)), decoded(s.t, e.at, string(body)))
	}
	if lacks := s.lacks(texts, body); lacks != "" {
		s.t.Fatalf("%s: the answer does not have, or not in this order: %s\n%.4000s", e.at, lacks, body)
	}
}

// lacks returns the first of the texts that the body does not have after those before it.
// If it has all, what the words took is kept.
func (s script) lacks(texts []string, body []byte) string {
	rest, before := string(body), maps.Clone(s.words)
	for _, want := range texts {
		pattern := s.pattern(want)
		at := regexp.MustCompile(pattern).FindStringIndex(rest)
		if at == nil {
			clear(s.words)
			maps.Copy(s.words, before)
			return want
		}
		s.matches(pattern, rest)
		rest = rest[at[1]:]
	}
	return ""
}

// parts returns the headers of an answer by name, values of one name joined by
// line, and its body: texts after an empty line, or JSON.
func parts(lines []string) (headers map[string]string, texts []string, object string) {
	headers = make(map[string]string)
	for i, line := range lines {
		if line == "" {
			return headers, lines[i+1:], ""
		}
		if line[0] == '{' || line[0] == '[' {
			return headers, nil, strings.Join(lines[i:], "\n")
		}
		name, value, _ := strings.Cut(line, ":")
		if before, more := headers[name]; more {
			value = before + "\n" + strings.TrimSpace(value)
		}
		headers[name] = strings.TrimSpace(value)
	}
	return headers, nil, ""
}

// pattern returns the regular expression of a text with words: a group for each
// word that is not known yet.
func (s script) pattern(text string) string {
	var b strings.Builder
	for _, piece := range regexp.MustCompile(`\{[a-z]+\}|[^{]+|\{`).FindAllString(text, -1) {
		name := strings.Trim(piece, "{}")
		known, ok := s.words[name]
		switch {
		case !word.MatchString(piece):
			b.WriteString(regexp.QuoteMeta(piece))
		case ok:
			b.WriteString(regexp.QuoteMeta(known))
		case name == "any":
			b.WriteString(`(?s:.*?)`)
		default:
			b.WriteString(`(?P<` + name + `>[^\s"'<>;,&?]+)`)
		}
	}
	return b.String()
}

// matches reports whether the text matches, and keeps what the words took.
func (s script) matches(pattern, text string) bool {
	re := regexp.MustCompile(pattern)
	m := re.FindStringSubmatch(text)
	for i, name := range re.SubexpNames() {
		if m != nil && name != "" {
			s.words[name] = m[i]
		}
	}
	return m != nil
}

// quoted puts quotes around the words that stand outside of JSON's strings.
func quoted(object string) string {
	return regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\{[a-z]+\}`).ReplaceAllStringFunc(object, func(piece string) string {
		if piece[0] == '{' {
			return `"` + piece + `"`
		}
		return piece
	})
}

// decoded returns the one JSON value that the text is.
func decoded(t *testing.T, at, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v: %s", at, err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: more follows the JSON: %s", at, text)
	}
	return v
}

// plain is the client of the scripts. It does not follow redirects.
var plain = &http.Client{
	Timeout:       hallpasstest.Patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send returns the status, the headers and the body of the answer.
func (s script) send(e exchange) (string, http.Header, []byte) {
	s.t.Helper()
	method, path, _ := strings.Cut(s.fill(e.request[0]), " ")
	lines, body := e.request[1:], ""
	for i, line := range lines {
		if line == "" {
			lines, body = lines[:i], s.fill(strings.Join(lines[i+1:], "\n"))
			break
		}
	}
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(s.fill(line), ": ")
		r.Header.Add(name, value)
	}
	res, err := plain.Do(r)
	if err != nil {
		s.t.Fatalf("%s: %v", e.at, err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s: %v", e.at, err)
	}
	return fmt.Sprint(res.StatusCode), res.Header, answer
}

// compare compares the members that are wanted with those in the answer. A list must have
// as many as are wanted.
func (s script) compare(where string, want, got any) {
	s.t.Helper()
	switch want := want.(type) {
	case map[string]any:
		members, _ := got.(map[string]any)
		for name, w := range want {
			g, ok := members[name]
			if !ok {
				s.t.Errorf("%s has no member %q: %v", where, name, got)
				continue
			}
			s.compare(where+"."+name, w, g)
		}
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			s.t.Errorf("%s has %d members, want %d: %v", where, len(list), len(want), got)
			return
		}
		for i, w := range want {
			s.compare(fmt.Sprintf("%s[%d]", where, i), w, list[i])
		}
	case string:
		if _, ok := got.(string); !ok && !word.MatchString(want) || !s.matches("^"+s.pattern(want)+"$", fmt.Sprint(got)) {
			s.t.Errorf("%s is %#v, want %q", where, got, want)
		}
	default:
		if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
			s.t.Errorf("%s is %#v, want %#v", where, got, want)
		}
	}
}
