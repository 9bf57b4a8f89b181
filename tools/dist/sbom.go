package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// boms writes a CycloneDX list for each binary. It says what `go version -m` says of it.
func (w *work) boms(context.Context) error {
	for _, b := range w.builds {
		bom, err := bomOf(b.info, w.info.Version, w.time)
		if err != nil {
			return fmt.Errorf("%s: %w", b.Target, err)
		}
		f, err := os.Create(w.name(b.String() + ".cdx.json"))
		if err != nil {
			return err
		}
		e := cyclonedx.NewBOMEncoder(f, cyclonedx.BOMFileFormatJSON).SetPretty(true)
		if err := errors.Join(e.EncodeVersion(bom, cyclonedx.SpecVersion1_6), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// bomOf lists the modules of a binary, and the standard library.
func bomOf(info *debug.BuildInfo, version string, at time.Time) (*cyclonedx.BOM, error) {
	main, err := component(cyclonedx.ComponentTypeApplication, &debug.Module{Path: info.Main.Path, Version: "v" + version})
	if err != nil {
		return nil, err
	}
	properties := []cyclonedx.Property{}
	for _, s := range info.Settings {
		properties = append(properties, cyclonedx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	main.Properties = &properties
	goVersion, _, _ := strings.Cut(info.GoVersion, " ") // experiments follow
	modules := []*debug.Module{{Path: "std", Version: strings.TrimPrefix(goVersion, "go")}}
	for _, d := range info.Deps {
		if d.Replace != nil {
			return nil, fmt.Errorf("%s is replaced by %s: a release has no module that the proxy does not have", d.Path, d.Replace.Path)
		}
		modules = append(modules, d)
	}
	var list []cyclonedx.Component
	var refs []string
	for _, m := range modules {
		c, err := component(cyclonedx.ComponentTypeLibrary, m)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
		refs = append(refs, c.BOMRef)
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Timestamp: at.UTC().Format(time.RFC3339), Component: &main}
	bom.Components = &list
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	return bom, nil
}

// component describes a module. Its hash is that of go.sum, in hexadecimal.
func component(kind cyclonedx.ComponentType, m *debug.Module) (cyclonedx.Component, error) {
	purl := "pkg:golang/" + m.Path + "@" + url.QueryEscape(m.Version)
	c := cyclonedx.Component{Type: kind, BOMRef: purl, Name: m.Path, Version: m.Version, PackageURL: purl}
	if m.Sum == "" {
		return c, nil
	}
	text, ok := strings.CutPrefix(m.Sum, "h1:")
	sum, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		return c, fmt.Errorf("the sum of %s is not one of go.sum: %q", m.Path, m.Sum)
	}
	c.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	return c, nil
}
