package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRefusals makes releases that must not be made. What an earlier release left in the
// folder stays.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		prepare    func(t *testing.T, dir string)
		options    Options
	}{
		{"no tag", "tag it first", nil, Options{Release: true}},
		{"a tag of another kind", "tag it first", func(t *testing.T, dir string) { git(t, dir, "tag", "v1.2.3-wip") }, Options{Release: true}},
		{"changed files", "a release is made of a commit alone", func(t *testing.T, dir string) {
			git(t, dir, "tag", "v1.2.3")
			write(t, filepath.Join(dir, "README.md"), "other")
		}, Options{Release: true}},
		{"no clone", "this is no clone of the repository", func(t *testing.T, dir string) { remove(t, filepath.Join(dir, ".git")) }, Options{}},
		{"no file of packages", "nfpm.yaml", func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "packaging", "nfpm.yaml")) }, Options{}},
		{"a misspelt key", "field contens not found", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "packaging", "nfpm.yaml"), "name: hallpass\ncontens: []\n")
		}, Options{}},
		{"a missing file", "copyright", func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "packaging", "debian")) }, Options{}},
		{"source that does not compile", "syntax error", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "cmd", "hallpass", "more.go"), "package main\nfunc {\n")
		}, Options{}},
		{"a folder of something else", "name another folder", func(t *testing.T, dir string) {
			remove(t, filepath.Join(dir, "dist", "checksums.txt"))
		}, Options{}},
		{"no platform", "no platform is named", nil, Options{Targets: []Target{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := clone(t)
			write(t, filepath.Join(dir, "dist", "checksums.txt"), "")
			write(t, filepath.Join(dir, "dist", "earlier"), "earlier")
			if tt.prepare != nil {
				tt.prepare(t, dir)
			}
			o := tt.options
			o.Root, o.Out, o.Build = dir, "dist", compiles
			if o.Targets == nil {
				o.Targets = few[:1]
			}
			if _, err := Make(t.Context(), o); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
			if got := string(read(t, filepath.Join(dir, "dist", "earlier"))); got != "earlier" {
				t.Errorf("the release before is %q", got)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func TestTargets(t *testing.T) {
	if got, err := targets("windows/arm64,linux/amd64"); err != nil || len(got) != 2 || got[0].String() != "linux_amd64" || got[0].Client || !got[1].Client {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := targets(""); err != nil || len(got) != 6 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := targets("linux/riscv64"); err == nil || !strings.Contains(err.Error(), "linux/riscv64") {
		t.Error(err)
	}
}

func TestPackageVersion(t *testing.T) {
	for in, want := range map[string]string{
		"1.2.3": "1.2.3", "1.2.3-rc.1": "1.2.3~rc.1", "1.2.4-0.20261127095400-9f1c2ab4d5e6": "1.2.4~0.20261127095400.9f1c2ab4d5e6",
		"0.0.0-20261127095400-9f1c2ab4d5e6+dirty": "0.0.0~20261127095400.9f1c2ab4d5e6+dirty",
	} {
		if got := packageVersion(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
