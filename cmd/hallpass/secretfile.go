//go:build !client && !windows

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/plainfile"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/tomlfile"
)

// maxSecretFile is the most bytes that a file with a secret may have: a file that is larger
// is another one.
const maxSecretFile = 64 << 10

// withCredentials adds, for each secret that systemd hands over as the credential
// "hallpass." and its key (systemd.exec(5)), the variable that names its file. A secret of
// which the environment says something stays as it is.
func withCredentials(environ []string, known []setting) []string {
	set := make(map[string]string)
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		set[name] = value
	}
	dir := set["CREDENTIALS_DIRECTORY"]
	if dir == "" {
		return environ
	}
	environ = slices.Clip(environ)
	for _, s := range known {
		_, text := set[s.env]
		_, file := set[s.fileEnv()]
		if !s.secret() || text || file {
			continue
		}
		path := filepath.Join(dir, "hallpass."+s.key)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			environ = append(environ, s.fileEnv()+"="+path)
		}
	}
	return environ
}

// setFromFile sets a secret to what the file holds that its variable names, without the
// end of its last line. An error names the variable and the file, never what is in it.
func (r *reading) setFromFile(s setting, path string, environ []string) error {
	if slices.ContainsFunc(environ, func(kv string) bool { return strings.HasPrefix(kv, s.env+"=") }) {
		return fmt.Errorf("%s and %s are both set: keep one of them", s.env, s.fileEnv())
	}
	text, mode, err := readSecretFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", s.fileEnv(), err)
	}
	if err := tomlfile.Set(s.value, text); err != nil {
		return fmt.Errorf("%s: %s: %w", s.fileEnv(), path, err)
	}
	r.origins[s.key] = s.fileEnv() + "=" + path
	r.warnReadable(s.fileEnv(), path, mode)
	return nil
}

// warnReadable warns if everybody may read a file with a secret. what names the secret.
func (r *reading) warnReadable(what, path string, mode fs.FileMode) {
	if mode.Perm()&0o004 != 0 {
		r.warnings = append(r.warnings, fmt.Sprintf("%s: everybody on this machine may read %s (mode %04o): take that right away, as with chmod o= %s", what, path, mode.Perm(), path))
	}
}

// warnSecrets warns of secrets in a file of settings that everybody may read.
func (r *reading) warnSecrets(path string, known []setting) {
	info, err := os.Stat(path)
	if err != nil {
		return // it was read a moment ago
	}
	for _, s := range known {
		if s.secret() && r.origins[s.key] != "" && s.value.Interface() != (secret.Text{}) {
			r.warnReadable(s.key, path, info.Mode())
		}
	}
}

// readSecretFile returns what the file holds, without the end of its last line, and its
// mode.
func readSecretFile(path string) (string, fs.FileMode, error) {
	if path == "" {
		return "", 0, errors.New("it names no file")
	}
	b, info, err := plainfile.Read(path, maxSecretFile)
	if err != nil {
		return "", 0, err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if text == "" {
		return "", 0, fmt.Errorf("%s is empty", path)
	}
	return text, info.Mode(), nil
}
