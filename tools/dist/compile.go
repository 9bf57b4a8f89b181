package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/version"
)

// A binary is the program for one target.
type binary struct {
	Target
	path string
	info *debug.BuildInfo
	docs []file // its manual pages and completions
}

// compile builds the program for every target.
func (w *work) compile(ctx context.Context) error {
	for _, t := range w.Targets {
		b, err := w.build(ctx, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		i := version.Of(b.info)
		if len(w.builds) == 0 {
			if err := w.identify(i); err != nil {
				return err
			}
		}
		if i.Version != w.info.Version || i.Commit != w.info.Commit {
			return fmt.Errorf("%s is version %s of commit %s, and the first is version %s of commit %s: the clone was changed meanwhile", t, i.Version, i.Commit, w.info.Version, w.info.Commit)
		}
		w.builds = append(w.builds, b)
	}
	if w.builds == nil {
		return errors.New("no platform is named")
	}
	return nil
}

func (w *work) build(ctx context.Context, t Target) (*binary, error) {
	b := &binary{Target: t, path: filepath.Join(w.stage, t.String(), "hallpass")}
	if t.Client {
		b.path = filepath.Join(w.stage, t.String()+"_client", "hallpass")
	}
	if t.OS == "windows" {
		b.path += ".exe"
	}
	if err := os.MkdirAll(filepath.Dir(b.path), 0o755); err != nil {
		return nil, err
	}
	line := w.Build + " -buildvcs=true -o " + quote(b.path)
	if t.Client {
		line += " -tags client"
	}
	if _, err := w.command(ctx, []string{"GOOS=" + t.OS, "GOARCH=" + t.Arch}, "sh", "-c", line+" ./cmd/hallpass"); err != nil {
		return nil, err
	}
	var err error
	b.info, err = buildinfo.ReadFile(b.path)
	return b, err
}

// quote quotes a path for the shell.
func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }

// host returns the program of the kind of b for the machine that makes the release: it
// writes the manual pages and completions, which are the same for all platforms.
func (w *work) host(ctx context.Context, b *binary) (*binary, error) {
	t := Target{runtime.GOOS, runtime.GOARCH, b.Client}
	for _, other := range w.builds {
		if other.Target == t {
			return other, nil
		}
	}
	return w.build(ctx, t)
}

// command runs a program in the clone and returns its output. What a person set for the
// go command on this machine has no part in a release.
func (w *work) command(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = w.Root
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off", "LC_ALL=C")
	cmd.Env = append(cmd.Env, env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(append([]string{name}, args...), " "), err, strings.TrimSpace(errs.String()))
	}
	return string(out), nil
}
