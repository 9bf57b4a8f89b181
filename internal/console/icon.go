package console

import (
	"fmt"
	"html/template"
)

// icons are our own drawings on a field of 20 by 20, stroked. The stylesheet gives
// them size and stroke.
var icons = map[string]string{
	"arrow-down": `<path d="M10 4v11.5M5.5 11 10 15.5 14.5 11"/>`,
	"badge":      `<rect x="3" y="5" width="14" height="12" rx="2"/><path d="M8 5V3h4v2M6.5 13.8c.4-1.5 1.6-2.2 3.5-2.2s3.1.7 3.5 2.2"/><circle cx="10" cy="9" r="1.4"/>`,
	"ban":        `<circle cx="10" cy="10" r="7"/><path d="m5.2 5.2 9.6 9.6"/>`,
	"bell":       `<path d="M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13ZM8.3 17.4a1.8 1.8 0 0 0 3.4 0"/>`,
	"building":   `<path d="M4 17V4.5a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1V17M12 8h3a1 1 0 0 1 1 1v8M2.5 17h15M7 7h2M7 10h2M7 13h2"/>`,
	"chart":      `<path d="M3.5 3.5v13h13M7 13v-3M10.5 13V6.5M14 13V9"/>`,
	"check":      `<path d="m4 10.5 4 4 8-9"/>`,
	"chevron":    `<path d="m8 5.5 4.5 4.5L8 14.5"/>`,
	"clock":      `<circle cx="10" cy="10" r="7"/><path d="M10 6v4.2l2.8 1.7"/>`,
	"close":      `<path d="m5 5 10 10M15 5 5 15"/>`,
	"cog":        `<circle cx="10" cy="10" r="2.6"/><path d="M10 2.5v2.4M10 15.1v2.4M2.5 10h2.4M15.1 10h2.4M4.7 4.7l1.7 1.7M13.6 13.6l1.7 1.7M4.7 15.3l1.7-1.7M13.6 6.4l1.7-1.7"/>`,
	"copy":       `<rect x="7" y="7" width="10" height="10" rx="2"/><path d="M13 7V5a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v6a2 2 0 0 0 2 2h2"/>`,
	"dots":       `<path d="M4.5 10h.01M10 10h.01M15.5 10h.01" stroke-width="2.4"/>`,
	"down":       `<path d="m5.5 8 4.5 4.5L14.5 8"/>`,
	"down-load":  `<path d="M10 3.5v9M6 9l4 4 4-4M3.5 16.5h13"/>`,
	"eye":        `<path d="M2 10s2.9-5.2 8-5.2 8 5.2 8 5.2-2.9 5.2-8 5.2S2 10 2 10Z"/><circle cx="10" cy="10" r="2.3"/>`,
	"folder":     `<path d="M2.5 6a1.5 1.5 0 0 1 1.5-1.5h3.6l1.8 2H16A1.5 1.5 0 0 1 17.5 8v6.5A1.5 1.5 0 0 1 16 16H4a1.5 1.5 0 0 1-1.5-1.5Z"/>`,
	"gate":       `<path d="M3.5 17V6.5L10 3l6.5 3.5V17M3.5 10h13M7.5 10v7M12.5 10v7"/>`,
	"globe":      `<circle cx="10" cy="10" r="7"/><path d="M3 10h14M10 3c2.2 2 3.2 4.3 3.2 7s-1 5-3.2 7c-2.2-2-3.2-4.3-3.2-7S7.8 5 10 3Z"/>`,
	"home":       `<path d="m3 9 7-6 7 6v7a1 1 0 0 1-1 1h-3.5v-5h-5v5H4a1 1 0 0 1-1-1Z"/>`,
	"info":       `<circle cx="10" cy="10" r="7"/><path d="M10 9.3v4M10 6.5h.01"/>`,
	"key":        `<circle cx="6.6" cy="13.4" r="3.6"/><path d="M9.2 10.8 16.8 3.2M13.4 6.6l2.4 2.4M11.6 8.4l1.3 1.3"/>`,
	"list":       `<path d="M7.5 5H17M7.5 10H17M7.5 15H17M3.5 5h.01M3.5 10h.01M3.5 15h.01"/>`,
	"lock":       `<rect x="4" y="9" width="12" height="8" rx="1.5"/><path d="M6.8 9V6.5a3.2 3.2 0 0 1 6.4 0V9"/>`,
	"menu":       `<path d="M3 5.5h14M3 10h14M3 14.5h14"/>`,
	"minus":      `<path d="M4.5 10h11"/>`,
	"moon":       `<path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5Z"/>`,
	"narrow":     `<path d="M3 4.5h14l-5.4 6.3V16l-3.2-1.6v-3.6Z"/>`,
	"out":        `<path d="M8 3.5H4.5a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1H8M12.5 6.5 16 10l-3.5 3.5M16 10H8"/>`,
	"pause":      `<path d="M7 4.5v11M13 4.5v11"/>`,
	"pencil":     `<path d="m12.8 4.2 3 3L7 16l-3.7.7L4 13Z"/>`,
	"play":       `<path d="M6.5 4.2v11.6l9-5.8Z"/>`,
	"plus":       `<path d="M10 4v12M4 10h12"/>`,
	"right":      `<path d="M4 10h12M11.5 5.5 16 10l-4.5 4.5"/>`,
	"rotate":     `<path d="M16.5 8.5A7 7 0 0 0 4.4 6M3.5 3v3.5H7M3.5 11.5A7 7 0 0 0 15.6 14M16.5 17v-3.5H13"/>`,
	"screen":     `<rect x="2.5" y="3.5" width="15" height="10" rx="1.5"/><path d="M7 17h6M10 13.5V17"/>`,
	"search":     `<circle cx="9" cy="9" r="5.4"/><path d="m13 13 4 4"/>`,
	"server":     `<path d="M4 3.5h12a1 1 0 0 1 1 1V8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V4.5a1 1 0 0 1 1-1ZM4 11h12a1 1 0 0 1 1 1v3.5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V12a1 1 0 0 1 1-1ZM6 6.2h.1M6 13.7h.1M9 6.2h5M9 13.7h5"/>`,
	"shield":     `<path d="M10 2.5 16 5v4.6c0 3.6-2.5 6.3-6 7.9-3.5-1.6-6-4.3-6-7.9V5Z"/><path d="m7.4 9.9 1.8 1.8 3.4-3.6"/>`,
	"sort":       `<path d="m6.5 7.5 3.5-3.5 3.5 3.5M6.5 12.5l3.5 3.5 3.5-3.5"/>`,
	"sun":        `<circle cx="10" cy="10" r="3.2"/><path d="M10 2.5v1.6M10 15.9v1.6M2.5 10h1.6M15.9 10h1.6M4.7 4.7l1.1 1.1M14.2 14.2l1.1 1.1M4.7 15.3l1.1-1.1M14.2 5.8l1.1-1.1"/>`,
	"team":       `<circle cx="7.2" cy="7" r="3"/><path d="M2 16.5c.5-2.9 2.6-4.4 5.2-4.4s4.7 1.5 5.2 4.4M12.4 4.3a3 3 0 0 1 0 5.4M14.4 12.5c2 .6 3.2 2 3.6 4"/>`,
	"terminal":   `<rect x="2.5" y="3.5" width="15" height="13" rx="1.5"/><path d="m6 7.5 2.5 2.5L6 12.5M10.5 13h3.5"/>`,
	"trash":      `<path d="M3.5 5.5h13M8 5.5V3.6h4v1.9M5 5.5l.8 11h8.4l.8-11M8.4 8.8v4.7M11.6 8.8v4.7"/>`,
	"up":         `<path d="M10 16V4.5M5.5 9 10 4.5 14.5 9"/>`,
	"user":       `<circle cx="10" cy="6.7" r="3.4"/><path d="M3.6 17c.6-3.3 3.2-5 6.4-5s5.8 1.7 6.4 5"/>`,
	"warning":    `<path d="M10 3.2 17.6 16.5H2.4Z"/><path d="M10 8.2v3.6M10 14.2h.01"/>`,
}

// icon returns the drawing of that name. A name that none has is a mistake in
// a template.
func icon(name string) (template.HTML, error) {
	paths, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("no icon %q", name)
	}
	// #nosec G203 -- our own drawings, named by our own templates
	return template.HTML(`<svg class="icon" viewBox="0 0 20 20" width="16" height="16" aria-hidden="true" focusable="false">` + paths + `</svg>`), nil
}
