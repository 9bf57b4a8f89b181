package test_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFiveLines runs the five lines of the README that guard a Prometheus, with a real one.
// Its token queries, and is refused what administers. Revoked with the command of the README,
// it is refused on the next request.
func TestFiveLines(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash on this machine")
	}
	needs(t, "curl")
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)## Guard a Prometheus in five lines\n.*?\n\n((?:    [^\n]*\n)+)`).FindSubmatch(readme)
	revoke := regexp.MustCompile("`(hallpass token delete [^`]*)`").FindSubmatch(readme)
	if block == nil || revoke == nil {
		t.Fatal("the README has no such lines")
	}
	lines := strings.Split(strings.TrimSpace(string(block[1])), "\n")
	if len(lines) != 5 {
		t.Errorf("the README has %d lines", len(lines))
	}
	path, address := binaryAndAddress(t)
	prometheus, dir, programs := newPrometheus(t), t.TempDir(), t.TempDir()
	if err := os.Symlink(path, filepath.Join(programs, "hallpass")); err != nil {
		t.Fatal(err)
	}
	script := strings.NewReplacer("127.0.0.1:9090", prometheus, "127.0.0.1:3080", address, "hallpass serve", "hallpass serve --listen "+address).Replace(strings.Join(lines, "\n"))
	ask := func(method, path string) string {
		return "\necho; curl -s -o answer -w '%{http_code} ' -X " + method + ` -H "Authorization: Bearer $T" http://` + address + "/guard/proxy/prom" + path + "; cat answer"
	}
	script = "trap 'kill $! && wait' EXIT\n" + script + ask("POST", "/api/v1/admin/tsdb/snapshot") + ask("POST", "/-/reload") + "\n" + string(revoke[1]) + ask("GET", "/api/v1/query?query=up")
	cmd := exec.Command(shell, "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	var errs lockedBuffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil && !strings.Contains(string(out), "401") {
		t.Fatalf("%v\n%s%s", err, out, errs.String())
	}
	for _, want := range []string{`"status":"success"`, "403 ", "guard.permission", "prometheus:admin", "401 "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s\n%s", want, out, errs.String())
		}
	}
	if _, err := quick.Get("http://" + address); err == nil {
		t.Error("the server still runs")
	}
	if res, err := quick.Get("http://" + prometheus + "/-/ready"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("Prometheus: %v, %v", res, err)
	}
}
