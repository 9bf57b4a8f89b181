package hallpasstest

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// StrangeTexts returns hostile texts, and some ordinary ones.
func StrangeTexts() []string {
	wide := func(n, step int) string { // of characters of four bytes that no database can shorten
		var b strings.Builder
		for i := range n {
			b.WriteRune(rune(0x20000 + i*step))
		}
		return b.String()
	}
	return []string{
		"", " ", "\x00", "a\x00b", "a\nb\x1b[0m", "\x7f", "\u0085", "\xff\xfe", "\xc3", "\xed\xa0\x80", strings.Repeat("x", 10_000), strings.Repeat("x", 190), strings.Repeat("\ufdfa", 190),
		wide(190, 7), wide(1024, 11), "\uff41dmin", "\u0430dmin", "a\u200bb", "a\u202eb", "\U000e0061", "cafe\u0301", "\ufffd", "\U0010ffff", "0", "-1", "007", "1.5", "1e3", "+1", "9223372036854775807", "9223372036854775808",
		"-9223372036854775808", "2147483648", "99999999999999999999999", "NaN", "null", "true", "..", "../../etc/passwd", "a/b", "a%00b", "%", "'; DROP TABLE users; --", "a\\", "*", "general", "api_key", "a,b,,c", "[1]",
		"2026-11-23T12:00:00Z", "0001-01-01T00:00:00Z", "99999-01-01T00:00:00Z", "users:id:*", "\U0001f511",
	}
}

// Escape percent-encodes every byte that is not a letter or digit.
func Escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-' || c == '_' || c == '.' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Everything reports whether this run tries every strange value in every place:
// HALLPASS_TEST_STRANGE is "all". Other runs try some in every place.
func Everything() bool { return os.Getenv("HALLPASS_TEST_STRANGE") == "all" }

// strangeSeed says which values a run draws: HALLPASS_TEST_SEED, else another
// each time.
var strangeSeed = sync.OnceValue(func() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("HALLPASS_TEST_SEED"), 10, 64); err == nil {
		return n
	}
	return uint64(time.Now().UnixNano()) % 1_000_000
})

// A Draw draws the values to try in each place, the same ones whenever it is
// made with the same seed.
type Draw struct{ rng *rand.Rand }

// NewDraw returns the draw of this run.
func NewDraw() Draw {
	return Draw{rand.New(rand.NewPCG(strangeSeed(), 1))} // #nosec G404 -- a run can be repeated
}

// Of returns n of the values, in any order; all of them when this run tries
// everything.
func Of[T any](d Draw, n int, values []T) []T {
	if Everything() || n >= len(values) {
		return values
	}
	var some []T
	for _, i := range d.rng.Perm(len(values))[:n] {
		some = append(some, values[i])
	}
	return some
}

// An Answer is the status of the answer to what was sent.
type Answer struct {
	To     string // what was sent, for people
	Status int
}

// OnBoth has walk call a server on SQLite and one on PostgreSQL at the same time. The
// test fails for an answer that is our fault, and for one that depends on the database.
// walk is called several times, with 0 <= part < parts, each time with servers of its own.
//
// The run on SQLite has no server on PostgreSQL. With a folder in HALLPASS_TEST_ANSWERS,
// the run on PostgreSQL has none on SQLite either: it compares with the answers that the
// run on SQLite left there. Both need the same HALLPASS_TEST_SEED.
func OnBoth(t *testing.T, parts int, walk func(t *testing.T, s *Server, part int) []Answer) (sent int) {
	t.Helper()
	t.Logf("HALLPASS_TEST_SEED=%d repeats this", strangeSeed())
	databases, folder := []string{"SQLite"}, os.Getenv("HALLPASS_TEST_ANSWERS")
	switch {
	case OnPostgres() && folder == "":
		databases = []string{"PostgreSQL", "SQLite"}
	case OnPostgres():
		databases = []string{"PostgreSQL"}
	}
	answers := make([][][]Answer, parts)
	t.Run("send", func(t *testing.T) { // returns when all have been sent
		for part := range parts {
			answers[part] = make([][]Answer, len(databases))
			for i, name := range databases {
				t.Run(fmt.Sprintf("%s/%d", name, part), func(t *testing.T) {
					t.Parallel()
					answers[part][i] = walk(t, newOn(t, name == "PostgreSQL"), part)
				})
			}
		}
	})
	if folder != "" && !t.Failed() {
		shareAnswers(t, filepath.Join(folder, t.Name()), answers)
	}
	for _, of := range answers {
		sent += len(of[0])
		compare(t, of)
	}
	if n := resent.Load(); n > maxResent {
		t.Errorf("%d of %d requests got 503 and another answer later: a busy machine does not explain so many", n, sent)
	}
	return sent
}

// shareAnswers writes the answers of each part to the file in the run on SQLite, and adds
// those in the file in the run on PostgreSQL.
func shareAnswers(t *testing.T, path string, answers [][][]Answer) {
	t.Helper()
	if !OnPostgres() {
		var text bytes.Buffer // of gob, which leaves texts that are not UTF-8 as they are
		if err := gob.NewEncoder(&text).Encode(answers); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("the run on SQLite left no answers to compare with: %v", err)
	}
	var others [][][]Answer
	if err := gob.NewDecoder(bytes.NewReader(text)).Decode(&others); err != nil || len(others) != len(answers) {
		t.Fatalf("%d parts of answers on SQLite, want %d: %v", len(others), len(answers), err)
	}
	for part := range answers {
		answers[part] = append(answers[part], others[part]...)
	}
}

// resent counts what Patiently sent again. More than maxResent are a fault.
var resent atomic.Int64

const maxResent = 5

// unavailable returns the last line of the log about a 503.
func (s *Server) unavailable() (last string) {
	for line := range strings.Lines(s.Log()) {
		if strings.Contains(line, `"status":503`) {
			last = line
		}
	}
	return last
}

// Patiently sends something, and sends it again when the answer is 503, as a client
// should: on a machine that has too much to do the database may not answer for a moment,
// and nothing was changed. What is our fault is answered alike again.
func Patiently[R any](t testing.TB, s *Server, what string, send func() (answer R, status int, text string)) R {
	t.Helper()
	answer, status, text := send()
	if status == http.StatusServiceUnavailable {
		t.Logf("%s: 503, sent again: %.300s\n%s", what, text, s.unavailable())
		resent.Add(1)
		time.Sleep(time.Second) // Retry-After
		answer, _, _ = send()
	}
	return answer
}

func compare(t *testing.T, answers [][]Answer) {
	t.Helper()
	first := answers[0]
	for i, a := range first {
		if a.Status >= 500 {
			t.Errorf("%s: %d", a.To, a.Status)
		}
		for _, other := range answers[1:] {
			switch {
			case len(other) != len(first):
				t.Fatalf("%d were sent to one database and %d to the other", len(first), len(other))
			case other[i] != a:
				t.Errorf("%s: %d on PostgreSQL; on SQLite %s: %d", a.To, a.Status, other[i].To, other[i].Status)
			}
		}
	}
}
