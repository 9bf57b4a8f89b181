package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// A file goes into an archive or an image.
type file struct {
	name  string // with "/"; ends with one for a folder
	data  []byte
	mode  int64 // 0: 0644
	owner int   // user and group
}

// archives writes, for each binary, an archive with the documentation in it: tar.gz, and
// zip for Windows.
func (w *work) archives(context.Context) error {
	for _, b := range w.builds {
		files, err := w.archived(b)
		if err != nil {
			return err
		}
		top := "hallpass_" + w.info.Version + "_" + b.String() + "/"
		for i := range files {
			files[i].name = top + files[i].name
		}
		if b.OS == "windows" {
			data, err := zipOf(files, w.time)
			if err = errors.Join(err, os.WriteFile(w.name(b.String()+".zip"), data, 0o644)); err != nil {
				return err
			}
			continue
		}
		data, err := tarOf(files, w.time)
		if err = errors.Join(err, os.WriteFile(w.name(b.String()+".tar.gz"), zipped(data), 0o644)); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) archived(b *binary) ([]file, error) {
	program, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	files := []file{{name: filepath.Base(b.path), data: program, mode: 0o755}}
	for _, name := range []string{"LICENSE", "README.md"} {
		data, err := os.ReadFile(filepath.Join(w.Root, name))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: name, data: data})
	}
	return append(files, b.docs...), nil
}

// tarOf returns the files as a tar file, in the given order, all of one time.
func tarOf(files []file, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: f.mode, Uid: f.owner, Gid: f.owner, ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if f.mode == 0 {
			h.Mode = 0o644
		}
		if f.name[len(f.name)-1] == '/' {
			h.Typeflag = tar.TypeDir
		}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := t.Close()
	return b.Bytes(), err
}

func zipOf(files []file, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at.UTC()}
		mode := os.FileMode(0o644)
		if f.mode != 0 {
			mode = os.FileMode(f.mode)
		}
		h.SetMode(mode)
		part, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// zipped returns the data compressed by gzip, without a name or a time in it.
func zipped(data []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = io.Copy(z, bytes.NewReader(data))
		err = errors.Join(err, z.Close())
	}
	if err != nil {
		panic(err) // memory takes every byte, and the level is one that there is
	}
	return b.Bytes()
}
