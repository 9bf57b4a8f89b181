package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"

	_ "github.com/goreleaser/nfpm/v2/deb" // a kind of package
	_ "github.com/goreleaser/nfpm/v2/rpm" // another
)

// packages writes the packages of packaging/nfpm.yaml for each binary that serves.
func (w *work) packages(context.Context) error {
	for _, b := range w.builds {
		if b.Client {
			continue
		}
		for _, kind := range []string{"deb", "rpm"} {
			if err := w.pack(b, kind); err != nil {
				return fmt.Errorf("%s of %s: %w", kind, b.Target, err)
			}
		}
	}
	return nil
}

func (w *work) pack(b *binary, kind string) error {
	values := map[string]string{"STAGE": filepath.Dir(b.path), "ARCH": b.Arch, "VERSION": packageVersion(w.info.Version)}
	config, err := nfpm.ParseFileWithEnvMapping(filepath.Join(w.Root, "packaging", "nfpm.yaml"), func(name string) string { return values[name] })
	if err != nil {
		return err
	}
	info, err := config.Get(kind)
	if err != nil {
		return err
	}
	w.below(info.Contents, &info.Scripts)
	info.MTime = w.time
	info.RPM.BuildHost = "hallpass" // else the name of this machine is in the package
	if kind == "deb" {
		info.License = "" // Debian has a file for it, copyright, and no field
	}
	packager, err := nfpm.Get(kind)
	if err != nil {
		return err
	}
	nfpm.WithDefaults(info)
	f, err := os.Create(w.name(b.String() + "." + kind))
	if err != nil {
		return err
	}
	return errors.Join(packager.Package(info, f), f.Close())
}

// below makes the paths of sources absolute: they are relative to the clone.
func (w *work) below(contents files.Contents, s *nfpm.Scripts) {
	for _, c := range contents {
		if c.Source != "" && c.Type != files.TypeSymlink && !filepath.IsAbs(c.Source) {
			c.Source = filepath.Join(w.Root, c.Source)
		}
	}
	for _, script := range []*string{&s.PreInstall, &s.PostInstall, &s.PreRemove, &s.PostRemove} {
		if *script != "" && !filepath.IsAbs(*script) {
			*script = filepath.Join(w.Root, *script)
		}
	}
}
