package console

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// contentTypes are the types by extension. The tables of the machine are not used:
// they may call a script plain text, which browsers refuse to run.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

// linked finds the files that a stylesheet links to.
var linked = regexp.MustCompile(`url\("([^"]+)"\)`)

// assets are the files that pages link to. A file's name holds the hash of its
// content.
type assets struct {
	hashed map[string]string // by file name: the name with the content's hash
	files  map[string][]byte // by hashed name
}

func readAssets(files fs.FS) (*assets, error) {
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("console: read assets: %w", err)
	}
	// Stylesheets come last: their links need the hashes of the other files.
	slices.SortStableFunc(entries, func(x, y fs.DirEntry) int { return stylesheet(x) - stylesheet(y) })
	a := &assets{make(map[string]string), make(map[string][]byte)}
	for _, e := range entries {
		if err := a.read(files, e.Name()); err != nil {
			return nil, fmt.Errorf("console: asset %s: %w", e.Name(), err)
		}
	}
	return a, nil
}

// stylesheet is 1 for a stylesheet, otherwise 0.
func stylesheet(e fs.DirEntry) int {
	if path.Ext(e.Name()) == ".css" {
		return 1
	}
	return 0
}

// read adds a file. The links of a stylesheet get the hashed names of the files that
// were read before.
func (a *assets) read(files fs.FS, name string) error {
	b, err := fs.ReadFile(files, "assets/"+name)
	if err != nil {
		return err
	}
	ext := path.Ext(name)
	if contentTypes[ext] == "" {
		return fmt.Errorf("no content type for %s", ext)
	}
	if ext == ".css" {
		for _, link := range linked.FindAllSubmatch(b, -1) {
			to, err := a.url(string(link[1]))
			if err != nil {
				return err
			}
			b = bytes.ReplaceAll(b, link[0], fmt.Appendf(nil, "url(%q)", path.Base(to))) // beside the stylesheet, whatever path the server is below
		}
	}
	hashed := fmt.Sprintf("%s.%.6x%s", strings.TrimSuffix(name, ext), sha256.Sum256(b), ext)
	a.hashed[name], a.files[hashed] = hashed, b
	return nil
}

// url returns the path of an asset. A template that names a missing asset is an
// error.
func (a *assets) url(name string) (string, error) {
	hashed, ok := a.hashed[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return "/assets/" + hashed, nil
}

func (c *console) asset(w http.ResponseWriter, r *http.Request) {
	s, err := c.site()
	if err != nil {
		c.fail(w, r, err)
		return
	}
	name := r.PathValue("name")
	b, ok := s.assets.files[name]
	if !ok {
		c.fail(w, r, errNoPage)
		return
	}
	w.Header().Set("Content-Type", contentTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}
