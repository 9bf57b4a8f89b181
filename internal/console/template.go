package console

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
)

// pages are the templates: the layout, the content of each page under the page's
// name, as "tokens/created", and parts that several pages have. They are one set, so
// that each is kept once: a set for each page, with a copy of the layout, was half of
// what the garbage collector had to mark.
type pages struct{ *template.Template }

func parsePages(files fs.FS, a *assets) (pages, error) {
	all := template.New("pages").Funcs(template.FuncMap{"asset": a.url, "icon": icon, "avatar": avatarPart, "describe": fieldErrors.describe, "describeControl": fieldErrors.describeControl, "message": fieldErrors.message, "refusals": refusalWords, "levels": func() []actionLevel { return actionLevels }})
	if _, err := all.ParseFS(files, "templates/*.html", "templates/*/*.html"); err != nil {
		return pages{}, fmt.Errorf("console: parse templates: %w", err)
	}
	return pages{all}, nil
}

// layout is the part that is a whole page.
const layout = "layout.html"

// execute renders a page, or one part of it, to memory, so that an error sends no
// half page.
func (p pages) execute(page, part string, view any) ([]byte, error) {
	if part != layout {
		return p.render(page, part, view)
	}
	content, err := p.render(page, page, view)
	if err != nil {
		return nil, err
	}
	return p.render(page, layout, struct {
		View    any
		Content template.HTML
	}{view, template.HTML(content)}) // #nosec G203 -- a template has escaped it
}

func (p pages) render(page, name string, view any) ([]byte, error) {
	var b bytes.Buffer
	if err := p.ExecuteTemplate(&b, name, view); err != nil {
		return nil, fmt.Errorf("console: page %s: %w", page, err)
	}
	return b.Bytes(), nil
}
