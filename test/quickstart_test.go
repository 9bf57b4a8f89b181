package test_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// quickstart runs the command, calls while when it serves, stops it with Ctrl-C, and returns
// what it printed.
func quickstart(t *testing.T, data string, while func(out string)) string {
	t.Helper()
	path, address := binaryAndAddress(t)
	printed, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd := exec.Command(path, "quickstart", "--data", data, "--listen", address)
	cmd.Stdout, cmd.Stderr = printed, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		b, err := os.ReadFile(printed.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if !hallpasstest.Within(hallpasstest.Patience, func() bool { return strings.Contains(read(), "Press Ctrl-C") }) {
		t.Fatalf("quickstart did not come up: %s%s", read(), &errs)
	}
	while(read())
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("quickstart ended with %v: %s", err, &errs)
	}
	if errs.Len() > 0 {
		t.Errorf("quickstart complained: %s", &errs)
	}
	return read()
}

// attentionOf asks the server of a quickstart what needs doing, and returns the rows that
// there are.
func attentionOf(t *testing.T, out string) string {
	t.Helper()
	at := regexp.MustCompile(`Console:  (http://[^/]+)/`).FindStringSubmatch(out)
	password := regexp.MustCompile(`admin / (\S+)`).FindStringSubmatch(out)
	if at == nil || password == nil {
		t.Fatalf("no address or no password in %s", out)
	}
	todo, err := client.NewWith(at[1], client.Options{Credential: client.Basic("admin", password[1])}).Attention(t.Context(), 10)
	if err != nil || len(todo.Sections) == 0 {
		t.Fatalf("%d sections, %v", len(todo.Sections), err)
	}
	var rows []string
	for _, s := range todo.Sections {
		for _, r := range s.Rows {
			rows = append(rows, r.Section+" "+r.Subject+" "+r.What)
		}
	}
	return strings.Join(rows, "\n")
}

// TestQuickstart runs the first command of the README. The curl line that it prints works
// and gets the seed line, byte for byte. A second run creates nothing. No file that it
// leaves has the token or anything that leads to it (SEC-4).
func TestQuickstart(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl on this machine")
	}
	data := filepath.Join(t.TempDir(), "data")
	first := quickstart(t, data, func(out string) {
		line := regexp.MustCompile(`curl -H "(Authorization: Bearer glsa_[0-9A-Za-z]{32}_[0-9a-f]{8})" (http://\S+/api/org)`).FindStringSubmatch(out)
		if line == nil {
			t.Fatalf("no curl line in %s", out)
		}
		answer, err := exec.Command(curl, "-sS", "-H", line[1], line[2]).Output()
		if err != nil || string(answer) != seedLine {
			t.Errorf("the curl line answers %s, %v; want %s", answer, err, seedLine)
		}
		if !strings.Contains(out, "\n  "+seedLine+"\n") {
			t.Error("the answer is not printed byte for byte")
		}
		if todo := attentionOf(t, out); todo != "" {
			t.Errorf("what quickstart made needs doing something: %s", todo)
		}
	})
	token := regexp.MustCompile(`glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}`).FindString(first)
	password := regexp.MustCompile(`admin / (\S+)`).FindStringSubmatch(first)
	if password == nil {
		t.Fatalf("no password in %s", first)
	}
	second := quickstart(t, data, func(string) {})
	if !strings.Contains(second, "Nothing new was created") || strings.Contains(second, "glsa_") || strings.Contains(second, password[1]) {
		t.Errorf("the second run says %s", second)
	}
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", d.Name(), mode)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(b, []byte(token[5:37])) || d.Name() != "initial-admin-password" && bytes.Contains(b, []byte(password[1])) {
			t.Errorf("%s holds a secret", d.Name())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	reset := exec.Command(path, "admin", "reset-password", "--data", data)
	reset.Stdin = strings.NewReader("a quiet harbour under snow\n")
	if out, err := reset.CombinedOutput(); err != nil || !strings.Contains(string(out), "was changed") {
		t.Errorf("reset-password: %v %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(data, "initial-admin-password")); !os.IsNotExist(err) {
		t.Errorf("the first password is still kept: %v", err)
	}
}
