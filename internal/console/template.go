package console

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

// pages are the templates by name, as "tokens/created". Each is the layout with the
// page's own content.
type pages map[string]*template.Template

func parsePages(files fs.FS, a *assets) (pages, error) {
	frame := template.New("layout.html").Funcs(template.FuncMap{"asset": a.url, "icon": icon, "secret": emptySecret, "describe": fieldErrors.describe, "describeControl": fieldErrors.describeControl, "message": fieldErrors.message, "refusals": refusalWords})
	if _, err := frame.ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("console: parse templates: %w", err)
	}
	names, err := fs.Glob(files, "templates/*/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: list templates: %w", err)
	}
	all := make(pages)
	for _, name := range names {
		t, err := frame.Clone()
		if err == nil {
			_, err = t.ParseFS(files, name)
		}
		if err != nil {
			return nil, fmt.Errorf("console: parse %s: %w", name, err)
		}
		all[strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), path.Ext(name))] = t
	}
	return all, nil
}

// execute renders a page to memory, so that an error sends no half page.
func (p pages) execute(page, part string, view any) ([]byte, error) {
	t, ok := p[page]
	if !ok {
		return nil, fmt.Errorf("console: no page %q", page)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, view); err != nil {
		return nil, fmt.Errorf("console: page %s: %w", page, err)
	}
	return b.Bytes(), nil
}

// emptySecret is the view of the second step of the dialog. The script fills in the
// secret.
func emptySecret(curl string) tokenCreatedView { return tokenCreatedView{Curl: curl} }
