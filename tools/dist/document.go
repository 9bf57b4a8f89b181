package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// completions are the shells, and the file that each looks for.
var completions = []struct{ shell, file string }{
	{"bash", "hallpass.bash"}, {"zsh", "_hallpass"}, {"fish", "hallpass.fish"}, {"powershell", "hallpass.ps1"},
}

// document makes what is beside a binary: manual pages, completions, and the licences of
// what is in it. The files for packages are in the folder of the binary too.
func (w *work) document(ctx context.Context) error {
	kinds := make(map[bool][]file) // by whether it is a client
	for _, b := range w.builds {
		if kinds[b.Client] == nil {
			host, err := w.host(ctx, b)
			if err != nil {
				return err
			}
			if kinds[b.Client], err = w.written(ctx, host); err != nil {
				return err
			}
		}
		licences, err := w.licences(ctx, b)
		if err != nil {
			return err
		}
		b.docs = append(slices.Clone(kinds[b.Client]), licences)
		if err := w.forPackages(b); err != nil {
			return err
		}
	}
	return nil
}

// written returns what the program writes about itself.
func (w *work) written(ctx context.Context, b *binary) ([]file, error) {
	dir := filepath.Join(w.stage, "man-of-"+filepath.Base(filepath.Dir(b.path)))
	if _, err := w.command(ctx, nil, b.path, "man", dir); err != nil {
		return nil, err
	}
	pages, err := filepath.Glob(filepath.Join(dir, "hallpass*.1"))
	if err != nil || len(pages) == 0 {
		return nil, errors.Join(err, errors.New("the program wrote no manual page"))
	}
	var docs []file
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		docs = append(docs, file{name: "man/man1/" + filepath.Base(page), data: text})
	}
	for _, c := range completions {
		text, err := w.command(ctx, nil, b.path, "completion", c.shell)
		if err != nil {
			return nil, err
		}
		docs = append(docs, file{name: "completions/" + c.file, data: []byte(text)})
	}
	return docs, nil
}

// forPackages writes, beside the binary, the files that packages have and archives do not.
func (w *work) forPackages(b *binary) error {
	if b.OS != "linux" {
		return nil
	}
	changelog := fmt.Sprintf("hallpass (%s) stable; urgency=medium\n\n  * https://github.com/hallpass-dev/hallpass/blob/%s/CHANGELOG.md\n\n -- Hallpass <hallpass-dev@users.noreply.github.com>  %s\n",
		packageVersion(w.info.Version), w.info.Commit, w.time.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	files := append(slices.Clone(b.docs), file{name: "changelog", data: []byte(changelog)})
	for _, f := range files {
		if strings.HasPrefix(f.name, "man/") || f.name == "changelog" {
			f.name += ".gz"
			f.data = zipped(f.data)
		}
		path := filepath.Join(filepath.Dir(b.path), f.name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.data, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// licences returns the texts that the licences of the modules in the binary, and that of
// Go, ask to be passed on.
func (w *work) licences(ctx context.Context, b *binary) (file, error) {
	var text strings.Builder
	root, err := w.command(ctx, nil, "go", "env", "GOROOT")
	if err != nil {
		return file{}, err
	}
	if err := addLicences(&text, "Go "+b.info.GoVersion, strings.TrimSpace(root)); err != nil {
		return file{}, err
	}
	args := []string{"list", "-m", "-f", "{{.Path}} {{.Version}}\t{{.Dir}}"}
	for _, d := range b.info.Deps {
		args = append(args, d.Path)
	}
	list := ""
	if len(b.info.Deps) > 0 {
		if list, err = w.command(ctx, nil, "go", args...); err != nil {
			return file{}, err
		}
	}
	for line := range strings.Lines(list) {
		module, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if err := addLicences(&text, module, dir); err != nil {
			return file{}, err
		}
	}
	return file{name: "THIRD-PARTY-LICENSES", data: []byte(text.String())}, nil
}

// addLicences appends the licences in the folder. A folder without one is an error: what
// has no licence may not be passed on.
func addLicences(text *strings.Builder, what, dir string) error {
	found := 0
	for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*", "PATENTS"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			found++
			fmt.Fprintf(text, "==== %s: %s ====\n\n%s\n\n", what, filepath.Base(path), strings.TrimSpace(string(data)))
		}
	}
	if dir == "" || found == 0 {
		return fmt.Errorf("%s has no licence in %q", what, dir)
	}
	return nil
}
