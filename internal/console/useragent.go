package console

import (
	"regexp"
	"strings"
)

// browsers finds the names of browsers in a user agent.
var browsers = regexp.MustCompile(`(Edg|OPR|Firefox|Chrome|Version)/([0-9]+)`)

// client returns the short name of a user agent: its first product, or its browser.
func client(agent string) string {
	first, _, _ := strings.Cut(agent, " ")
	if first == "" {
		return "a client without a name"
	}
	if !strings.HasPrefix(first, "Mozilla/") {
		return first
	}
	found := ""
	for _, m := range browsers.FindAllStringSubmatch(agent, -1) {
		name := map[string]string{"Edg": "Edge", "OPR": "Opera", "Version": "Safari"}[m[1]]
		if name == "" {
			name = m[1]
		}
		if found == "" || name == "Edge" || name == "Opera" {
			found = name + " " + m[2]
		}
	}
	if found == "" {
		return "a browser"
	}
	return found
}
