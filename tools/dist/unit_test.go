package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// units copies the units of systemd to a folder, with a program that there is on this
// machine in place of ours.
func units(t *testing.T) []string {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed: nothing reads the units")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"hallpass.service", "hallpass.socket"} {
		text := string(read(t, filepath.Join("../../packaging/systemd", name)))
		path := filepath.Join(dir, name)
		write(t, path, strings.ReplaceAll(text, "/usr/bin/hallpass", self))
		paths = append(paths, path)
	}
	return paths
}

// TestUnits has systemd read the units: it finds nothing to complain about, and finds what
// is wrong in a unit that is.
func TestUnits(t *testing.T) {
	paths := units(t)
	verify := func(paths ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", append([]string{"verify", "--man=no"}, paths...)...).CombinedOutput()
		return string(out), err
	}
	if out, err := verify(paths...); err != nil || out != "" {
		t.Errorf("%v: %s", err, out)
	}
	broken := filepath.Join(t.TempDir(), "hallpass.service")
	write(t, broken, strings.Replace(string(read(t, paths[0])), "WatchdogSec=", "WatchDogSec=", 1))
	if out, _ := verify(broken); !strings.Contains(out, "WatchDogSec") {
		t.Errorf("a key that systemd does not know: %q", out)
	}
}

// TestExposure has systemd say how much of the machine the server may reach, from 0 to 10.
func TestExposure(t *testing.T) {
	service := units(t)[0]
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", service).CombinedOutput()
	m := regexp.MustCompile(`exposure level for hallpass\.service: ([0-9.]+)`).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("%v: %s", err, out)
	}
	if level, err := strconv.ParseFloat(string(m[1]), 64); err != nil || level > 1.5 {
		t.Errorf("exposure %s, %v, want 1.5 at most:\n%s", m[1], err, out)
	}
}
