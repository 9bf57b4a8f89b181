package cli_test

import (
	"strings"
	"testing"
)

// TestNamesInRotation names a token while another replaces it and both work: commands that
// show take the new one and say so, those that change one token ask for the id, and those
// about the rotation take both.
func TestNamesInRotation(t *testing.T) {
	start(t)
	ci(t)
	hallpass(t, "", "token", "rotate", "ci", "deploy", "--grace", "7d", "--quiet", "1h")
	which := []string{"is the new token, id 2. The other: id 1 (…", ", being replaced)"}
	ask := func(again string) []string {
		return []string{`2 tokens of the account have the name "deploy": id 1 (…`, ", being replaced), id 2 (…", ", live). Give the id of one, as in: hallpass token " + again + "\n"}
	}
	for _, tt := range []struct {
		line string
		fail bool
		says []string
	}{
		{"get ci deploy", false, which},
		{"get ci deploy -o json", false, which},
		{"usage ci deploy", false, append(which, "Nobody has used the token deploy (id 2, …")},
		{"get ci 1", false, nil},
		{"usage ci 2 -o json", false, nil},
		{"update ci deploy --owner|Ana B", true, ask("update ci 2 --owner 'Ana B'")},
		{"narrow ci deploy --network 10.0.0.0/8 --network ::1 --read-only", true, ask("narrow ci 2 --network 10.0.0.0/8 --network ::1 --read-only")},
		{"pause ci deploy --for 15m", true, ask("pause ci 2 --for 15m")},
		{"resume ci deploy", true, ask("resume ci 2")},
		{"delete ci deploy --yes", true, ask("delete ci 2 --yes")},
		{"rotate ci deploy", true, []string{"is being replaced by deploy (id 2, …"}},
		{"pause ci 1", false, []string{"Paused the token deploy (id 1, …"}},
		{"resume ci 1", false, []string{"Resumed the token deploy (id 1, …"}},
		{"narrow ci 2 --read-only", false, nil},
		{"update ci 1 --owner Ana", false, nil},
		{"extend ci deploy --grace 2d", false, []string{"The old token deploy (id 1, …"}},
		{"undo ci deploy --yes", false, []string{"Undone: the new token deploy (id 2, …"}},
		{"pause ci deploy", false, []string{"Paused the token deploy (id 1, …"}},
		{"resume ci deploy", false, []string{"Resumed the token deploy (id 1, …"}},
		{"get ci deploy", false, nil},
	} {
		r := run(t.Context(), strings.NewReader(""), append([]string{"token"}, words(tt.line)...)...)
		if (r.err != nil) != tt.fail || len(tt.says) == 0 && strings.Contains(r.errs, "being replaced") {
			t.Errorf("token %s: %v, and it says %q", tt.line, r.err, r.errs)
		}
		for _, text := range tt.says {
			if !strings.Contains(r.errs, text) {
				t.Errorf("token %s says %q, want %q", tt.line, r.errs, text)
			}
		}
	}
}
