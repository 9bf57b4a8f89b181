package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestManuals writes the manual pages: each command that is not hidden has one, with its
// words and its flags. Where groff is installed, it finds nothing to complain about.
func TestManuals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	var out, errs bytes.Buffer
	p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
	if status := p.run(t.Context(), []string{"man", dir}); status != 0 || out.Len() > 0 {
		t.Fatalf("exit %d: %s%s", status, errs.String(), out.String())
	}
	pages := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		pages++
		text, err := os.ReadFile(filepath.Join(dir, pageName(cmd)+".1"))
		if err != nil {
			t.Error(err)
			return
		}
		page := strings.NewReplacer(`\-`, "-", `\(aq`, "'", `\(dq`, `"`, `\e`, `\`, `\[u2026]`, "…").Replace(string(text))
		for _, want := range []string{cmd.Short, cmd.UseLine(), "--help"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page of %s does not have %q", cmd.CommandPath(), want)
			}
		}
		for _, sub := range documented(cmd) {
			walk(sub)
		}
	}
	root := (&program{}).root()
	root.InitDefaultCompletionCmd()
	walk(root)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != pages || pages < 50 {
		t.Errorf("%d files for %d pages, %v", len(files), pages, err)
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Log("groff is not installed: the pages are not formatted")
		return
	}
	cmd := exec.CommandContext(t.Context(), groff, append([]string{"-man", "-ww", "-z", "-Tutf8"}, files...)...)
	if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("groff: %v: %s", err, said)
	}
}

// TestRoff writes lines that roff would take for requests.
func TestRoff(t *testing.T) {
	for in, want := range map[string]string{
		".so /etc/passwd": `\&.so /etc/passwd`, "'br": `\(aqbr`, `a\fB`: `a\efB`, "--ttl 90d": `\-\-ttl 90d`, `"x"`: `\(dqx\(dq`, "plain": "plain", "…": `\[u2026]`,
	} {
		if got := roff(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got, want := paragraphs("One\ntwo.\n\n  .code\n  more\n\nLast."), "One\ntwo.\n.PP\n.RS 4\n.nf\n\\&.code\nmore\n.fi\n.RE\n.PP\nLast.\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
