package console

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// contentTypes are the types by extension. The tables of the machine are not used:
// they may call a script plain text, which browsers refuse to run.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

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
	a := &assets{make(map[string]string), make(map[string][]byte)}
	for _, e := range entries {
		b, err := fs.ReadFile(files, "assets/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("console: read asset %s: %w", e.Name(), err)
		}
		ext := path.Ext(e.Name())
		if contentTypes[ext] == "" {
			return nil, fmt.Errorf("console: asset %s: no content type for %s", e.Name(), ext)
		}
		name := fmt.Sprintf("%s.%.6x%s", strings.TrimSuffix(e.Name(), ext), sha256.Sum256(b), ext)
		a.hashed[e.Name()], a.files[name] = name, b
	}
	return a, nil
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
