package test_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestScripts holds the conversations of testdata/script, each with a server of
// its own. A line that begins with "#" tells what happens, with ">" is sent, with
// "<" must be answered. Of headers and members of JSON those that stand there are
// compared, so that a script says what matters and no more.
//
// A word in braces stands for a text. {admin} is the Authorization of the
// administrator. Another one takes what the answer has at its place, and means
// that from then on; {any} takes everything and means nothing.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("../testdata/script/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no scripts: ", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := script{t: t, url: serve(t, t.TempDir()).url, words: map[string]string{
				"admin": "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+adminPassword)),
			}}
			for _, e := range exchanges(t, string(text)) {
				s.hold(e)
			}
		})
	}
}

// An exchange is a request and what it must be answered, line by line.
type exchange struct {
	line            int
	request, answer []string
}

func exchanges(t *testing.T, text string) []exchange {
	t.Helper()
	var list []exchange
	for i, line := range strings.Split(text, "\n") {
		rest := strings.TrimPrefix(line[min(1, len(line)):], " ")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '>':
			if len(list) == 0 || len(list[len(list)-1].answer) > 0 {
				list = append(list, exchange{line: i + 1})
			}
			e := &list[len(list)-1]
			e.request = append(e.request, rest)
		case line[0] == '<' && len(list) > 0:
			e := &list[len(list)-1]
			e.answer = append(e.answer, rest)
		default:
			t.Fatalf("line %d is neither a remark nor part of a request and its answer", i+1)
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

// fill puts the texts in the place of the words that are known.
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
	status, header, body := s.send(e)
	if e.answer[0] != status {
		s.t.Fatalf("line %d: %s is answered with %s, want %s\n%s", e.line, e.request[0], status, e.answer[0], body)
	}
	for _, line := range e.answer[1:] {
		if !strings.HasPrefix(line, "{") {
			name, want, _ := strings.Cut(s.fill(line), ": ")
			if got := strings.Join(header.Values(name), "\n"); got != want {
				s.t.Errorf("line %d: the header %s is %q, want %q", e.line, name, got, want)
			}
			continue
		}
		var want, got any
		if err := json.Unmarshal([]byte(word.ReplaceAllString(line, `"{$1}"`)), &want); err != nil {
			s.t.Fatalf("line %d: %v", e.line, err)
		}
		if err := json.Unmarshal(body, &got); err != nil {
			s.t.Fatalf("line %d: %v: %s", e.line, err, body)
		}
		s.compare(e.line, "the answer", want, got)
	}
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
	res, err := quick.Do(r)
	if err != nil {
		s.t.Fatalf("line %d: %v", e.line, err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("line %d: %v", e.line, err)
	}
	return fmt.Sprint(res.StatusCode), res.Header, answer
}

// compare holds the members that are wanted against those that came, and learns
// the words that stand for them.
func (s script) compare(line int, where string, want, got any) {
	s.t.Helper()
	switch want := want.(type) {
	case map[string]any:
		members, _ := got.(map[string]any)
		for name, w := range want {
			g, ok := members[name]
			if !ok {
				s.t.Errorf("line %d: %s has no member %q", line, where, name)
				continue
			}
			s.compare(line, where+"."+name, w, g)
		}
		return
	case string:
		if m := word.FindStringSubmatch(want); m != nil && m[0] == want {
			text, known := s.words[m[1]]
			if !known && m[1] != "any" {
				s.words[m[1]] = fmt.Sprint(got)
			}
			if known && text != fmt.Sprint(got) {
				s.t.Errorf("line %d: %s is %v, want %s", line, where, got, text)
			}
			return
		}
	}
	if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		s.t.Errorf("line %d: %s is %#v, want %#v", line, where, got, want)
	}
}
