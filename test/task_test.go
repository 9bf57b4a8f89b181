package test_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oasdiff/yaml"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// A taskPage is a page of the manual whose commands are run as they stand.
type taskPage struct {
	file   string
	marks  map[string]string // of the whole page: before, needs, here
	blocks []taskBlock
}

// A taskBlock is one fenced block of a page.
type taskBlock struct {
	line     int
	language string
	text     string
	marks    map[string]string // not run, stays, until, exit
	prints   string            // what the page shows below it; "": nothing
}

// taskMarks are the comments that a page may have, <!-- NAME: TEXT -->; true: of the whole page,
// and else of the block that follows. CONTRIBUTING.md explains them.
var taskMarks = map[string]bool{"before": true, "needs": true, "here": true, "not run": false, "stays": false, "until": false, "exit": false}

// readTaskPage takes a page apart. A block that is neither a command, nor what one prints, nor a
// file is an error, so that nothing on a page looks like a command and is never run.
func readTaskPage(t *testing.T, file string) *taskPage {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := &taskPage{file: filepath.Base(file), marks: map[string]string{}}
	part := regexp.MustCompile("(?ms)^<!-- ([a-z ]+?):[ \n](.*?) ?-->$|^```(\\w*)\n(.*?)^```$|^(?:    |\t|[ >*-]+```)[^\n]*$")
	marks, ended := map[string]string{}, 0
	for _, at := range part.FindAllSubmatchIndex(text, -1) {
		m := part.FindStringSubmatch(string(text[at[0]:at[1]]))
		line := strings.Count(string(text[:at[0]]), "\n") + 1
		whole, known := taskMarks[m[1]]
		switch last := len(page.blocks) - 1; {
		case m[1] != "" && !known:
			t.Errorf("%s:%d: there is no mark %q", page.file, line, m[1])
		case whole:
			page.marks[m[1]] = m[2]
		case m[1] != "":
			marks[m[1]] = m[2]
		case m[3] == "text" && last >= 0 && page.blocks[last].language == "sh" && at[0] == ended+1:
			page.blocks[last].prints = m[4]
		case m[3] == "sh" || strings.HasPrefix(m[4], "# "):
			page.blocks = append(page.blocks, taskBlock{line: line, language: m[3], text: m[4], marks: marks})
			if job := pipeline(t, m[4]); job != "" {
				page.blocks = append(page.blocks, taskBlock{line: line, language: "sh", text: job})
			}
			marks = map[string]string{}
		case slices.Contains([]string{"toml", "yaml", "json", "http"}, m[3]):
			// a part of a file or of an answer
		default:
			t.Errorf("%s:%d: %.60q is no block of commands (sh), of what the one right above prints (text), or of a file", page.file, line, m[0])
		}
		ended = at[1]
	}
	if len(marks) > 0 {
		t.Errorf("%s: no block follows %v", page.file, marks)
	}
	return page
}

// pipeline returns what the jobs of a file for GitHub Actions or GitLab CI run; "": it is another
// file. A secret is the variable of the page with its name.
func pipeline(t *testing.T, file string) string {
	t.Helper()
	name, _, _ := strings.Cut(file, "\n")
	if !strings.HasPrefix(name, "# .git") {
		return ""
	}
	var read any
	if _, err := yaml.Unmarshal([]byte(file), &read, yaml.DecodeOpts{}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var script strings.Builder
	script.WriteString("export HALLPASS_TOKEN=\"$(cat stored)\"\n") // what the page or a job before stored as the secret
	var walk func(map[string]any)
	walk = func(part map[string]any) {
		for _, key := range []string{"env", "variables"} {
			variables, _ := part[key].(map[string]any)
			for name, value := range variables {
				value = regexp.MustCompile(`\$\{\{ secrets\.(\w+) \}\}`).ReplaceAllString(fmt.Sprint(value), "$$$1")
				fmt.Fprintf(&script, "export %s=\"%s\"\n", name, value)
			}
		}
		if run, ok := part["run"].(string); ok {
			script.WriteString("(set -eo pipefail\n" + run + ")\n")
		}
		lines, _ := part["script"].([]any)
		for _, line := range lines {
			fmt.Fprintf(&script, "(set -eo pipefail\n%s)\n", line)
		}
		for _, key := range slices.Sorted(maps.Keys(part)) {
			switch below := part[key].(type) {
			case map[string]any:
				walk(below)
			case []any:
				for _, step := range below {
					if step, ok := step.(map[string]any); ok {
						walk(step)
					}
				}
			}
		}
	}
	walk(read.(map[string]any))
	return script.String()
}

// TestTasks runs every command of the README and of the pages about tasks, each page in a folder
// of its own, and compares what is printed with what the page shows.
func TestTasks(t *testing.T) {
	bash := needs(t, "bash")
	pages, err := filepath.Glob("../docs/tasks/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, file := range append(pages, "../README.md") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			page := readTaskPage(t, file)
			t.Parallel()
			for _, program := range append(strings.Fields(page.marks["needs"]), "curl") {
				needs(t, program)
			}
			page.run(t, bash)
		})
	}
}

// run makes the files of a page and runs its commands, in one shell and in their order.
func (p *taskPage) run(t *testing.T, bash string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	here := p.replacer(t, dir)
	for _, folder := range []string{"bin", "kept", "etc", "home"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(path, filepath.Join(dir, "bin", "hallpass")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "home", ".curlrc"), "no-progress-meter\n") // as on a terminal
	script := "kept=" + dir + "/kept; cd " + dir + "/home\n" + here(machine) + "trap 'echo \"$?: $BASH_COMMAND\" >>$kept/failed' ERR\n" + here(p.marks["before"]) + "\n[ ! -s $kept/failed ] || { cat $kept/failed; exit 9; }\n"
	for i, b := range p.blocks {
		script += fmt.Sprintf("block=%d\n: >$kept/failed\n", i) + b.script(t, here)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*hallpasstest.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "-c", script)
	cmd.Dir, cmd.SysProcAttr, cmd.WaitDelay = dir, &syscall.SysProcAttr{Setpgid: true}, time.Second
	cmd.Env = append(os.Environ(), "PATH="+dir+"/bin:"+os.Getenv("PATH"), "HOME="+dir+"/home", "XDG_CONFIG_HOME=", "HALLPASS_SERVER_SHUTDOWN_DELAY=0s")
	cmd.Stdout = &lockedBuffer{}
	cmd.Stderr = cmd.Stdout
	ended := runGroup(t, cmd)
	if ended != nil {
		t.Fatalf("%s: %v\n%s", p.file, ended, cmd.Stdout)
	}
	for i, b := range p.blocks {
		if b.language == "sh" && b.marks["not run"] == "" {
			p.compare(t, b, filepath.Join(dir, "kept", fmt.Sprint(i)), here)
		}
	}
}

// runGroup runs a command until it ends, ends what it started and waits for all of that: whatever
// runs has the end of a pipe that nobody writes to.
func runGroup(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }() // nothing comes
	cmd.ExtraFiles = []*os.File{w}
	ended := cmd.Start()
	_ = w.Close() // the command has it
	if ended != nil {
		return ended
	}
	ended = cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // there may be nothing left
	if err := r.SetReadDeadline(time.Now().Add(hallpasstest.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("what the page started does not end: %v", err)
	}
	return ended
}

// replacer returns what puts free addresses in the place of those of a page, folders of the test in the place
// of the system's, and starts the Prometheus that a page guards.
func (p *taskPage) replacer(t *testing.T, dir string) func(string) string {
	t.Helper()
	text := p.marks["before"] + p.marks["here"]
	for _, b := range p.blocks {
		text += b.text
	}
	var pairs []string
	if strings.Contains(text, "postgres://") {
		pairs = append(pairs, "postgres://hallpass:…@db.internal:5432/hallpass?sslmode=verify-full", newPostgres(t).url())
	}
	if from, to, found := strings.Cut(p.marks["here"], " = "); found {
		pairs = append(pairs, from, to)
	}
	listed := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindAllString(text+"127.0.0.1:3080", -1)
	slices.Sort(listed)
	for _, address := range slices.Compact(listed) {
		free := ""
		if address == "127.0.0.1:9090" {
			free = newPrometheus(t)
		} else {
			free = hallpasstest.FreeAddress(t)
		}
		for i := range pairs {
			pairs[i] = strings.ReplaceAll(pairs[i], address, free)
		}
		pairs = append(pairs, address, free)
	}
	for _, folder := range []string{"/etc/", "/var/"} {
		for _, before := range []string{" ", "<", `"`, "="} {
			pairs = append(pairs, before+folder, before+dir+folder)
		}
	}
	replacer := strings.NewReplacer(pairs...)
	return func(text string) string {
		return replacer.Replace(listening.ReplaceAllStringFunc(text, func(command string) string {
			if strings.Contains(command, "--listen") {
				return command
			}
			return strings.Replace(command, "go run ./cmd/", "", 1) + " --listen 127.0.0.1:3080"
		}))
	}
}

// listening matches the commands that listen at the usual address unless they name another.
var listening = regexp.MustCompile(`(?:go run \./cmd/)?hallpass (?:serve|quickstart|healthcheck)(?:.*? --listen)?`)

// machine stands for what a page relies on and a test cannot have, and shortens what pages do
// before their first command: begin runs a server and logs in to it as its admin.
const machine = `
sudo() { "$@"; }
ready() { for try in {1..600}; do curl -sf http://127.0.0.1:3080/readyz >/dev/null && return; sleep 0.1; done; false; }
begin() {
	hallpass serve >/dev/null 2>&1 & ready
	hallpass login http://127.0.0.1:3080 --user admin <data/initial-admin-password 2>/dev/null
}
systemctl() {
	[ -z "$service" ] || { kill $service; wait $service; service=; }
	case "$*" in *start*|enable*) hallpass serve --config /etc/hallpass/hallpass.toml --data /var/lib/hallpass >/dev/null 2>&1 & service=$!; ready ;; esac
}
`

// script returns what bash does with a block. It stops at the first that fails.
func (b taskBlock) script(t *testing.T, here func(string) string) string {
	text, out := here(b.text), "$kept/$block"
	_, repeated := b.marks["until"]
	_, stays := b.marks["stays"]
	awaited := here(cmp.Or(b.marks["until"], b.marks["stays"]))
	wait := "grep -qF -- '" + awaited + "' " + out + " && break; sleep 0.1; done\ngrep -qF -- '" + awaited + "' " + out + " || { cat " + out + "; echo 'and never: " + awaited + "'; exit 9; }\n"
	switch reason := b.marks["not run"]; {
	case b.language != "sh":
		name, body, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
		return "mkdir -p \"$(dirname " + name + ")\"\ncat >" + name + " <<'END OF FILE'\n# " + name + "\n" + body + "END OF FILE\n"
	case reason != "":
		t.Logf("not run, line %d: %s", b.line, reason)
		return ""
	case repeated:
		return "for try in {1..600}; do : >$kept/failed; { " + text + "} >" + out + " 2>&1; " + wait
	case stays:
		return "{ " + text + "} >" + out + " 2>&1 &\nfor try in {1..600}; do " + wait
	}
	end := "if [ -s $kept/failed ]; then cat " + out + " $kept/failed; exit 9; fi\n"
	if status := b.marks["exit"]; status != "" {
		end = "grep -q '^" + status + ": ' $kept/failed || { cat " + out + "; echo 'no exit status " + status + "'; exit 9; }\n"
	}
	return "{ " + text + "} >" + out + " 2>&1\n" + end
}

// compare holds what a block printed against what the page shows.
func (p *taskPage) compare(t *testing.T, b taskBlock, file string, here func(string) string) {
	t.Helper()
	out, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%s:%d was not run: %v", p.file, b.line, err)
	} else if printed := strings.ReplaceAll(string(out), "\r", ""); b.prints != "" && !printsLike(here(b.prints)).MatchString(printed) {
		t.Errorf("%s:%d prints\n%s\nand the page shows\n%s", p.file, b.line, printed, b.prints)
	}
}

// changing are the parts of an output that are others each time, each with what takes its place
// in a comparison: what a page leaves out ("…"), times, the time until then, keys, uids, the last
// four of a secret, versions of curl, and the widths of columns.
var changing = []struct{ shown, is string }{
	{`(?m:^…\n)`, `(?:.*\n)?`}, {`(?m:^…$)`, `.*`}, {`…`, `[^\n]*`}, {`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`}, {`just now|in \d+[smhdy]|\d+[smhdy] ago`, `(?:just now|in \d+[smhdy]|\d+[smhdy] ago)`}, {`\b[A-Z2-7]{26}\b`, `[A-Z2-7]{26}`}, {`\b[a-z][a-z0-9]{13}\b`, `[a-z0-9-]{14}`}, {`\b[0-9a-f]{4}\b`, `[0-9a-f]{4}`}, {`\b[0-9a-f]{16}\b`, `[0-9a-f]{16}`}, {`curl/[0-9.]+`, `curl/\S+`}, {`  +`, ` +`}, {`\n`, ` *\n`},
}

// printsLike returns an expression for outputs that are as a page shows them.
func printsLike(shown string) *regexp.Regexp {
	var all []string
	for _, c := range changing {
		all = append(all, c.shown)
	}
	any, like, at := regexp.MustCompile(strings.Join(all, "|")), "(?s)^", 0
	shown = strings.TrimRight(shown, "\n")
	for _, m := range any.FindAllStringIndex(shown, -1) {
		like += regexp.QuoteMeta(shown[at:m[0]])
		for _, c := range changing {
			if regexp.MustCompile("^(?:" + c.shown + ")$").MatchString(shown[m[0]:m[1]]) {
				like += c.is
				break
			}
		}
		at = m[1]
	}
	return regexp.MustCompile(like + regexp.QuoteMeta(shown[at:]) + `\s*$`)
}
