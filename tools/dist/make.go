package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass/internal/version"
)

// Options say what is made from what.
type Options struct {
	Root    string   // the clone
	Out     string   // what is written; a folder of this name is replaced
	Build   string   // the command of the shell that compiles, without -o and the package
	Release bool     // refuse a commit without a tag
	Targets []Target // at least one for Linux, of which the version is asked
}

// Made tells what was made.
type Made struct {
	Out     string
	Version string
	Files   []string // the names in Out, sorted; checksums.txt is one of them
}

// work is one run.
type work struct {
	Options
	stage  string // a folder of its own, removed at the end
	info   version.Info
	time   time.Time // of everything that is made
	builds []*binary
}

// Make makes the release. Out has all of it or, after an error, what it had before.
func Make(ctx context.Context, o Options) (m Made, err error) {
	if o.Root, err = filepath.Abs(o.Root); err != nil {
		return m, err
	}
	if !filepath.IsAbs(o.Out) {
		o.Out = filepath.Join(o.Root, o.Out)
	}
	if _, err := os.Stat(filepath.Join(o.Out, "checksums.txt")); err != nil && filled(o.Out) {
		return m, fmt.Errorf("%s has files that no release has: name another folder", o.Out)
	}
	w := &work{Options: o}
	if w.stage, err = os.MkdirTemp("", "hallpass-dist-"); err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(w.stage)) }()
	out := o.Out
	w.Out = out + ".partial"
	if err := errors.Join(os.RemoveAll(w.Out), os.MkdirAll(w.Out, 0o755)); err != nil {
		return m, err
	}
	for _, step := range []func(context.Context) error{w.compile, w.document, w.archives, w.packages, w.images, w.boms} {
		if err := step(ctx); err != nil {
			return m, err
		}
	}
	if m.Files, err = checksums(w.Out); err != nil {
		return m, err
	}
	m.Out, m.Version = out, w.info.Version
	return m, errors.Join(os.RemoveAll(out), os.Rename(w.Out, out))
}

// filled reports whether the folder is there and has something in it.
func filled(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 0
}

// name returns the name of a file of the release.
func (w *work) name(rest string) string {
	return filepath.Join(w.Out, "hallpass_"+w.info.Version+"_"+rest)
}

// released is the version of a commit that has a tag.
var released = regexp.MustCompile(`^\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?$`)

// identify takes over what the first binary says of itself. All others must say the same.
func (w *work) identify(i version.Info) error {
	switch {
	case i.Commit == "" || i.Time.IsZero():
		return errors.New("the binary does not tell its commit: this is no clone of the repository (for the go command, a worktree of git is none), or git is missing")
	case w.Release && i.Modified:
		return fmt.Errorf("files were changed since commit %s: a release is made of a commit alone", i.Commit)
	case w.Release && !released.MatchString(i.Version):
		return fmt.Errorf("commit %s is version %s, which is no release: tag it first, as v1.2.3 or v1.2.3-rc.1", i.Commit, i.Version)
	}
	w.info, w.time = i, i.Time
	return nil
}

// packageVersion returns the version as Debian and RPM compare it: what comes before a
// release sorts before it, and "-" would begin the package's own revision.
func packageVersion(v string) string {
	return strings.ReplaceAll(strings.Replace(v, "-", "~", 1), "-", ".")
}

// checksums writes checksums.txt in the form of sha256sum, and returns all names.
func checksums(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	var b strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), e.Name())
		names = append(names, e.Name())
	}
	names = append(names, "checksums.txt")
	sort.Strings(names)
	return names, os.WriteFile(filepath.Join(dir, "checksums.txt"), []byte(b.String()), 0o644)
}
