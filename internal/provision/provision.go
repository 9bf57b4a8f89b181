// Package provision reads the files of the provisioning folder, which declare orgs, roles,
// teams, service accounts, tokens and guards. It changes nothing. It is safe for
// concurrent use.
package provision

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// maxFile is the largest provisioning file, in bytes.
const maxFile = 1 << 20

// Read reads all files of the folder whose names end with .toml and do not begin with a
// dot; folders in it are not looked at. It returns what they declare, file by file in the
// order in which they have to be applied. If anything in any file is wrong, it returns
// nothing but errors: the first of each file, as a hallpass.DeclarationError. A folder
// without files is an error too: it may be one that was not mounted.
func Read(dir string) ([][]hallpass.Declaration, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("provisioning.path: %w", err)
	}
	var list []hallpass.Declaration
	var errs []error
	none := true
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
		none = false
		text, _, err := plainfile.Read(path, maxFile)
		if err == nil {
			var more []hallpass.Declaration
			more, err = parse(name, string(text), func(path string) (string, error) { return readSecret(dir, path) })
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
	if none {
		return nil, fmt.Errorf("provisioning.path: there is no file in %s whose name ends with .toml. If nothing is to be declared, put an empty one there", dir)
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
	text, info, err := plainfile.Read(path, maxSecretFile)
	if err != nil {
		return "", err
	}
	if mode := info.Mode(); mode.Perm()&others != 0 {
		return "", fmt.Errorf("every user of this machine may read %s or write to it (mode %04o), and so has the secret: take that away (chmod o= FILE; defaultMode: 0440 of a Secret in Kubernetes)", path, mode.Perm())
	}
	return string(text), nil
}

// others are the bits of a mode for users who are neither the owner nor in the group.
const others = 0o007
