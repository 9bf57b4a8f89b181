// Package provision reads the files of the provisioning folder, which declare orgs, roles,
// teams, service accounts, tokens and guards. It changes nothing. It is safe for
// concurrent use.
package provision

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// maxFile is the largest provisioning file, in bytes.
const maxFile = 1 << 20

// Read reads all files of the folder whose names end with .toml and do not begin with a
// dot; folders in it are not looked at. It returns what they declare, file by file in the
// order in which they have to be applied. If anything in any file is wrong, it returns
// nothing but errors: the first of each file, as a hallpass.DeclarationError.
func Read(dir string) ([][]hallpass.Declaration, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("provisioning.path: %w", err)
	}
	var list []hallpass.Declaration
	var errs []error
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || filepath.Ext(name) != ".toml" {
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err != nil || info.IsDir() { // not of e: the files of a mounted volume are links
			if err != nil {
				errs = append(errs, &hallpass.DeclarationError{File: name, Err: err})
			}
			continue
		}
		text, err := readSmall(path, maxFile)
		if err == nil {
			var more []hallpass.Declaration
			more, err = parse(name, text, func(path string) (string, error) { return readSecret(dir, path) })
			list = append(list, more...)
		} else {
			err = &hallpass.DeclarationError{File: name, Err: err}
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return hallpass.OrderDeclarations(list)
}

// maxSecretFile is the largest file with a token, in bytes.
const maxSecretFile = 1 << 10

// readSecret reads the file that a token's section names. A relative path begins in the
// provisioning folder.
func readSecret(dir, path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return readSmall(path, maxSecretFile)
}

// readSmall reads a file of at most so many bytes.
func readSmall(path string, most int64) (text string, err error) {
	f, err := os.Open(path) // #nosec G304 -- the operator named it
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return string(b), err
}
