package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is the user of the image: no user of the machine has this number.
const nobody = 65532

// images writes one image for all platforms as an OCI layout in a tar file, and for each
// platform a tar file that `docker load` takes.
func (w *work) images(context.Context) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	made := 0
	for _, b := range w.builds {
		if b.Client {
			continue
		}
		made++
		image, err := w.image(b)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: b.OS, Architecture: b.Arch}}})
		tag, err := name.NewTag("hallpass:" + tagOf(w.info.Version))
		if err != nil {
			return err
		}
		if err := tarball.WriteToFile(w.name(b.String()+"_docker.tar"), tag, image); err != nil {
			return err
		}
	}
	if made == 0 {
		return nil
	}
	dir := filepath.Join(w.stage, "oci")
	if _, err := layout.Write(dir, index); err != nil {
		return err
	}
	files, err := filesBelow(dir)
	if err != nil {
		return err
	}
	data, err := tarOf(files, w.time)
	return errors.Join(err, os.WriteFile(w.name("oci.tar"), data, 0o644))
}

// tagOf returns the version as a tag of an image, which has no "+".
func tagOf(version string) string {
	return string(bytes.ReplaceAll([]byte(version), []byte("+"), []byte("-")))
}

func (w *work) image(b *binary) (v1.Image, error) {
	program, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	data, err := tarOf(root(program, b.docs), w.time)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	config := &v1.ConfigFile{OS: b.OS, Architecture: b.Arch, Created: v1.Time{Time: w.time}, Config: w.runs(), RootFS: v1.RootFS{Type: "layers"}}
	image, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), config)
	if err != nil {
		return nil, err
	}
	return mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{Created: v1.Time{Time: w.time}, CreatedBy: "make dist"}})
}

// runs says how the image runs. In a container only 0.0.0.0 is reached from outside.
func (w *work) runs() v1.Config {
	return v1.Config{
		Entrypoint:   []string{"/usr/bin/hallpass"},
		Cmd:          []string{"serve", "--data", "/var/lib/hallpass"},
		Env:          []string{"PATH=/usr/bin", "HALLPASS_SERVER_HTTP_ADDR=0.0.0.0"},
		User:         "65532:65532",
		WorkingDir:   "/var/lib/hallpass",
		ExposedPorts: map[string]struct{}{"3080/tcp": {}},
		Volumes:      map[string]struct{}{"/var/lib/hallpass": {}},
		StopSignal:   "SIGTERM",
		Labels: map[string]string{
			"org.opencontainers.image.title":         "Hallpass",
			"org.opencontainers.image.description":   "Credentials for automation, and a guard that verifies them",
			"org.opencontainers.image.url":           "https://github.com/hallpass-dev/hallpass",
			"org.opencontainers.image.source":        "https://github.com/hallpass-dev/hallpass",
			"org.opencontainers.image.documentation": "https://github.com/hallpass-dev/hallpass/tree/" + w.info.Commit + "/docs",
			"org.opencontainers.image.licenses":      "Apache-2.0",
			"org.opencontainers.image.version":       w.info.Version,
			"org.opencontainers.image.revision":      w.info.Commit,
			"org.opencontainers.image.created":       w.time.Format("2006-01-02T15:04:05Z07:00"),
		},
	}
}

// root returns the files of the image: no shell and no system, only what the program needs.
func root(program []byte, docs []file) []file {
	files := []file{
		{name: "etc/", mode: 0o755}, {name: "etc/ssl/", mode: 0o755}, {name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/passwd", data: []byte("root:x:0:0:root:/:/sbin/nologin\nhallpass:x:65532:65532:Hallpass:/var/lib/hallpass:/sbin/nologin\n")},
		{name: "etc/group", data: []byte("root:x:0:\nhallpass:x:65532:\n")},
		{name: "etc/ssl/certs/ca-certificates.crt", data: authorities()},
		{name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: 0o755}, {name: "usr/bin/", mode: 0o755}, {name: "usr/bin/hallpass", data: program, mode: 0o755},
		{name: "usr/share/", mode: 0o755}, {name: "usr/share/doc/", mode: 0o755}, {name: "usr/share/doc/hallpass/", mode: 0o755},
		{name: "var/", mode: 0o755}, {name: "var/lib/", mode: 0o755}, {name: "var/lib/hallpass/", mode: 0o700, owner: nobody},
	}
	for _, d := range docs {
		if d.name == "THIRD-PARTY-LICENSES" {
			d.name = "usr/share/doc/hallpass/" + d.name
			files = append(files, d)
		}
	}
	return files
}

// authorities returns the certificates that Mozilla trusts, of the release of the module
// that go.mod names. A file of this machine would differ from one machine to the next.
// An authority that is trusted under a condition is left out: a file cannot say it.
func authorities() []byte {
	var b bytes.Buffer
	for r := range bundle.Roots() {
		if r.Constraint == nil {
			b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate}))
		}
	}
	return b.Bytes()
}

// filesBelow returns all files of a folder, in the order of their names.
func filesBelow(dir string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		below, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f := file{name: filepath.ToSlash(below)}
		if d.IsDir() {
			f.name, f.mode = f.name+"/", 0o755
		} else if f.data, err = os.ReadFile(path); err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	return files, err
}
