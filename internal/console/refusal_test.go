package console_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/console"
)

// notOfRefusals are the names in the code of verdicts that are no reasons of a refusal of a
// token or of a guard, apart from the actions of the audit.
var notOfRefusals = []string{
	"guard.ext-authz", "guard.jwks", "guard.proxy", "guard.verify", // the doors, in the log of requests
	"guard.managed", "guard.not-found", // answers to who changes guards
	"password-auth.failed", "login-attempt.blocked", // of who signs in with a password
}

var reasonLike = regexp.MustCompile(`^(api-key|auth|guard|identity|login-attempt|password-auth|request|user\.sync)\.[a-z][a-z-]*$|^(original-request|path)-[a-z-]+$`)

// TestRefusalWords reads the code of verdicts: each reason of a refusal in it has its words
// and its advice, and no words stand for a reason that nothing there gives.
func TestRefusalWords(t *testing.T) {
	found := make(map[string]bool)
	for _, pattern := range []string{"../../guard*.go", "../guard/*.go", "../verify/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for n := range ast.Preorder(file) {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					continue
				}
				if s, err := strconv.Unquote(lit.Value); err == nil && reasonLike.MatchString(s) && !hallpass.AuditAction(s) && !slices.Contains(notOfRefusals, s) {
					found[s] = true
				}
			}
		}
	}
	words := console.RefusalWords()
	for reason := range found {
		if w, ok := words[reason]; !ok || w[0] == "" || w[1] == "" {
			t.Errorf("a request is refused with %s, and the console says %q", reason, w)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(words)) {
		if !found[reason] {
			t.Errorf("the console has words for %s, and nothing is refused with it", reason)
		}
	}
}
