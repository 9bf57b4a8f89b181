package hallpass_test

import (
	"cmp"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hallpass-dev/hallpass"

// floors says on which floor each room stands. An import points down, never
// up, never sideways; a package that is not in this table has no room yet.
// Why: docs/decisions/0001-floors.md.
var floors = map[string]int{
	".":    0,
	"wire": 1, "internal/secret": 1, "internal/httpd": 1, "docs/guard": 1, "internal/tomlfile": 1, "internal/version": 1, "internal/plainfile": 1,
	"internal/store": 2, "client": 2, "internal/federation": 2,
	"internal/node":   3,
	"internal/verify": 4, "internal/admin": 4, "internal/notice": 4,
	"internal/library": 5,
	"internal/api":     6, "internal/console": 6, "internal/guard": 6, "internal/cli": 6, "internal/metrics": 6, "internal/provision": 6,
	"internal/server": 7,
	"cmd/hallpass":    8, "internal/hallpasstest": 8, "test": 8,
}

// importers lists, for rooms that few may enter, all who may.
var importers = map[string][]string{
	"internal/store":        {"internal/node", "internal/verify", "internal/admin", "internal/notice", "internal/library", "internal/server", "internal/hallpasstest", "test"},
	"internal/hallpasstest": {"test"},
}

// imports lists, for rooms that may use little of ours, all they may.
var imports = map[string][]string{
	"internal/cli": {".", "wire", "client", "internal/secret", "internal/tomlfile", "internal/version", "internal/plainfile"},
}

// homes gives packages that are costly, or that would take a job to the wrong
// room, their one room; "" is no room of the product. The longest match counts.
var homes = map[string]string{
	"database/sql": "internal/store", "modernc.org": "internal/store", "github.com/jackc": "internal/store",
	"github.com/mattn/go-sqlite3": "internal/store", "github.com/lib/pq": "internal/store", "github.com/pressly/goose": "internal/store",
	"github.com/coreos/go-oidc": "internal/federation", "golang.org/x/oauth2": "internal/federation", "github.com/jmespath-community/go-jmespath": "internal/federation",
	"golang.org/x/text": ".", "golang.org/x/text/collate": "internal/console", "golang.org/x/text/language": "internal/console",
	"github.com/go-jose":     "internal/guard",
	"google.golang.org/grpc": "internal/guard", "google.golang.org/protobuf": "internal/guard", "github.com/envoyproxy": "internal/guard", "google.golang.org/genproto": "internal/guard",
	"github.com/prometheus": "internal/metrics", "go.opentelemetry.io": "internal/metrics", "github.com/go-logr": "internal/metrics",
	"github.com/google/go-cmp": "", "github.com/getkin/kin-openapi": "", "github.com/chromedp": "", "github.com/oasdiff": "", "github.com/rogpeppe/go-internal": "",
}

// normalizer is the one module that the domain imports beside the standard
// library, which has a copy of it but does not hand it out: when two names are
// one is a rule of the domain. Why: docs/decisions/0017-names.md.
const normalizer = "golang.org/x/text/unicode/norm"

// proofs are rooms of which nothing reaches the product.
var proofs = []string{"internal/hallpasstest", "test"}

func TestFloors(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && notOurs(name, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if why := misplaced(roomOf(path.Dir(name))); why != "" {
			t.Errorf("%s: %s", name, why)
		}
		for _, spec := range f.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if why := broken(roomOf(path.Dir(name)), target, strings.HasSuffix(name, "_test.go")); why != "" {
				t.Errorf("%s imports %s: %s", name, target, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Errorf("only %d Go files were seen: this test does not look where it should", files)
	}
}

// notOurs reports whether the go command, too, keeps the folder out of ./... .
func notOurs(name, base string) bool {
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

// roomOf returns the room that a folder belongs to: all below test is one.
func roomOf(dir string) string {
	if strings.HasPrefix(dir, "test/") {
		return "test"
	}
	return dir
}

func misplaced(room string) string {
	if _, ok := floors[room]; !ok {
		return "this package has no room in the house: put its code where the table of floors has a place for it, or argue for a new line there"
	}
	return ""
}

// broken returns the rule that the import breaks, "" if none. What a test file
// imports is its own affair.
func broken(room, target string, test bool) string {
	if test {
		return ""
	}
	if own, ok := ownRoom(target); ok {
		return brokenInside(room, own)
	}
	if first, _, _ := strings.Cut(target, "/"); room == "." && strings.Contains(first, ".") && target != normalizer {
		return "the domain imports the standard library alone"
	}
	if home, ok := homeOf(target); ok && home != room && !slices.Contains(proofs, room) {
		return "its one room is " + cmp.Or(home, "among the tests")
	}
	return ""
}

func brokenInside(room, own string) string {
	if why := misplaced(own); why != "" {
		return why
	}
	if only, ok := importers[own]; ok && !slices.Contains(only, room) {
		return "only " + strings.Join(only, ", ") + " may"
	}
	if only, ok := imports[room]; ok && !slices.Contains(only, own) {
		return room + " uses nothing of ours but " + strings.Join(only, ", ")
	}
	if room != "test" && floors[own] >= floors[room] {
		return "an import points down, never up, never sideways"
	}
	return ""
}

// ownRoom returns the room of a package of this module.
func ownRoom(target string) (string, bool) {
	if target == module {
		return ".", true
	}
	dir, ok := strings.CutPrefix(target, module+"/")
	return roomOf(dir), ok
}

func homeOf(target string) (home string, found bool) {
	longest := -1
	for prefix, room := range homes {
		if len(prefix) > longest && (target == prefix || strings.HasPrefix(target, prefix+"/")) {
			home, found, longest = room, true, len(prefix)
		}
	}
	return home, found
}

// TestFloorsRefuse proves that the rules bite.
func TestFloorsRefuse(t *testing.T) {
	for _, tt := range []struct {
		room, target string
		test, want   bool
	}{
		{".", "crypto/sha256", false, true},
		{".", "golang.org/x/crypto/argon2", false, false},
		{".", "golang.org/x/text/unicode/norm", false, true},
		{".", "golang.org/x/text/encoding", false, false},
		{".", "golang.org/x/text/collate", false, false},
		{"internal/console", "golang.org/x/text/collate", false, true},
		{"internal/store", "golang.org/x/text/unicode/norm", false, false},
		{".", module + "/wire", false, false},
		{"wire", module, false, true},
		{"wire", module + "/internal/secret", false, false},
		{"internal/httpd", module + "/internal/verify", false, false},
		{"internal/store", module + "/internal/secret", false, true},
		{"internal/store", module + "/internal/httpd", false, true},
		{"internal/store", "modernc.org/sqlite", false, true},
		{"internal/verify", module + "/internal/store", false, true},
		{"internal/verify", module + "/internal/admin", false, false},
		{"internal/verify", module + "/internal/node", false, true},
		{"internal/node", module + "/internal/store", false, true},
		{"internal/node", module + "/internal/verify", false, false},
		{"internal/library", module + "/internal/admin", false, true},
		{"internal/library", module + "/internal/store", false, true},
		{"internal/admin", module + "/internal/library", false, false},
		{"internal/verify", module + "/internal/admin", true, true},
		{"internal/verify", "modernc.org/sqlite/lib", false, false},
		{"internal/admin", "database/sql", false, false},
		{"internal/api", module + "/internal/admin", false, true},
		{"internal/api", module + "/internal/store", false, false},
		{"internal/api", module + "/internal/console", false, false},
		{"internal/api", module + "/internal/server", false, false},
		{"internal/api", module + "/internal/hallpasstest", false, false},
		{"internal/api", module + "/internal/hallpasstest", true, true},
		{"internal/api", "github.com/google/go-cmp/cmp", false, false},
		{"internal/api", "github.com/google/go-cmp/cmp", true, true},
		{"internal/api", "github.com/prometheus/client_golang/prometheus", false, false},
		{"internal/metrics", "github.com/prometheus/client_golang/prometheus", false, true},
		{"internal/guard", "google.golang.org/grpc/codes", false, true},
		{"internal/console", "google.golang.org/grpc", false, false},
		{"internal/verify", "github.com/coreos/go-oidc/v3/oidc", false, false},
		{"internal/federation", "github.com/coreos/go-oidc/v3/oidc", false, true},
		{"internal/console", "golang.org/x/oauth2", false, false},
		{"internal/admin", "github.com/jmespath-community/go-jmespath", false, false},
		{"internal/cli", module + "/client", false, true},
		{"internal/cli", module + "/internal/secret", false, true},
		{"internal/cli", module + "/internal/admin", false, false},
		{"internal/cli", module + "/internal/httpd", false, false},
		{"internal/server", module + "/internal/store", false, true},
		{"internal/server", module + "/cmd/hallpass", false, false},
		{"cmd/hallpass", module + "/internal/server", false, true},
		{"cmd/hallpass", module + "/internal/store", false, false},
		{"cmd/hallpass", module + "/internal/hallpasstest", false, false},
		{"internal/hallpasstest", module + "/internal/server", false, true},
		{"internal/hallpasstest", "github.com/getkin/kin-openapi/openapi3", false, true},
		{"test", module + "/internal/hallpasstest", false, true},
		{"test", module + "/test/load", false, true},
		{"internal/admin", module + "/internal/utils", false, false},
	} {
		if why := broken(tt.room, tt.target, tt.test); (why == "") != tt.want {
			t.Errorf("%s imports %s (test file: %v): %q, want it allowed: %v", tt.room, tt.target, tt.test, why, tt.want)
		}
	}
	if misplaced("internal/utils") == "" {
		t.Error("a package without a room is let in")
	}
}
