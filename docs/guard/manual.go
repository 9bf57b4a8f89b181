// Package manual holds the configurations of proxies that stand in this manual. The
// console shows them, filled in, and the tests run them: there is no second copy.
package manual

import (
	"embed"
	"io/fs"
	"net"
	"regexp"
	"strings"
)

//go:embed nginx.md caddy.md haproxy.md traefik.md envoy.md apache.md ingress-nginx.md
var pages embed.FS

// A File is one that a page of the manual tells to make.
type File struct {
	Path string // as the page names it, perhaps relative
	Text string // whole, its path in the first line, as a comment
}

// block matches a file: a block whose first line is a comment with the file's path.
var block = regexp.MustCompile("(?ms)^```[a-z]+\n((?:#|--) (/\\S+|[a-z-]+\\.(?:toml|yaml))\n.*?)^```$")

// Files returns the files of the text of a page, in their order.
func Files(page string) (files []File) {
	for _, m := range block.FindAllStringSubmatch(page, -1) {
		files = append(files, File{m[2], m[1]})
	}
	return files
}

// A Place says what a configuration is filled in with. The addresses are those of TCP,
// as 127.0.0.1:3080; "": as on the page.
type Place struct {
	Guard    string   // its name
	Hallpass string   // the address of Hallpass
	API      string   // the address of the API
	Reads    []string // headers of the client's request that the guard's rules read
	Sets     []string // headers that the API gets by the guard's rules
	JWT      bool     // whether the API gets a signed token
}

// For returns the files of a proxy, named as its page, filled in; none if the manual
// has no such page. What stands on the page for a path that needs no token is a comment.
// A header whose name has more than letters, digits and dashes is left out: proxies drop it.
func For(proxy string, p Place) []File {
	page, err := fs.ReadFile(pages, proxy+".md")
	if err != nil {
		return nil
	}
	files := Files(string(page))
	names := strings.NewReplacer(p.fill(proxy)...)
	for i := range files {
		text := closed(files[i].Text)
		text = p.headerLines(text)
		text = p.headerLists(proxy, text)
		files[i] = File{names.Replace(files[i].Path), names.Replace(text)}
	}
	return files
}

// fill lists texts of the page, each with what takes its place.
func (p Place) fill(proxy string) []string {
	name := strings.ReplaceAll(p.Guard, "-", "_") // in variables
	fill := []string{
		"/guard/" + proxy + "/app", "/guard/" + proxy + "/" + p.Guard, "{ guard: app }", "{ guard: " + p.Guard + " }",
		"upstream hallpass_app ", "upstream hallpass_" + p.Guard + " ", "http://hallpass_app/guard/" + proxy + "/app", "http://hallpass_" + p.Guard + "/guard/" + proxy + "/" + p.Guard,
		"upstream app ", "upstream api_" + p.Guard + " ", "http://app;", "http://api_" + p.Guard + ";", "http://app/healthz;", "http://api_" + p.Guard + "/healthz;",
		"$hp_upgrade_app", "$hp_upgrade_" + name, "$hp_connection_app", "$hp_connection_" + name, "$hp_wait_app", "$hp_wait_" + name,
		"/app.conf", "/" + p.Guard + ".conf", "/app.yaml", "/" + p.Guard + ".yaml", "/app.caddy", "/" + p.Guard + ".caddy", "/app.cfg", "/" + p.Guard + ".cfg", "app.example.com", p.Guard + ".example.com",
	}
	switch proxy {
	case "traefik":
		fill = append(fill, "    app:\n", "    "+p.Guard+":\n", "service: app\n", "service: "+p.Guard+"\n", "hallpass-app", "hallpass-"+p.Guard)
	case "apache":
		fill = append(fill, "/hallpass.lua", "/hallpass-"+p.Guard+".lua")
	case "haproxy":
		fill = append(fill, "/hallpass.lua", "/hallpass-"+p.Guard+".lua", `register_action("hallpass"`, `register_action("hallpass_`+name+`"`, "lua.hallpass ", "lua.hallpass_"+name+" ")
	}
	for _, a := range []struct{ now, page, host, port string }{
		{p.Hallpass, "127.0.0.1:3080", "hallpass", "3080"},
		{p.API, "127.0.0.1:8080", "app", "9090"},
	} {
		host, port, err := net.SplitHostPort(a.now)
		if err != nil {
			continue
		}
		fill = append(fill, a.page, a.now, "address: "+a.host+", port_value: "+a.port, "address: \""+host+"\", port_value: "+port)
	}
	return fill
}

// open matches what stands on the pages for a path that asks nobody.
var open = regexp.MustCompile(`(?m)^[ \t]*location = /healthz .*$|^\t+handle /healthz \{\n(?:\t\t\t.*\n)+\t\t\}$|^ *- match: \{ path: /healthz \}.*\n(?:.*\n)*? *disabled: true$`)

// closed makes comments of what asks nobody: that is no choice for somebody who only
// copies the file.
func closed(text string) string {
	text = open.ReplaceAllStringFunc(text, func(block string) string {
		lines := strings.Split(block, "\n")
		for i, line := range lines {
			rest := strings.TrimLeft(line, " \t")
			lines[i] = line[:len(line)-len(rest)] + "# " + rest
		}
		return strings.Join(lines, "\n")
	})
	return strings.NewReplacer(
		"  acl open path /healthz", "  # acl open path /healthz\n  acl open always_false",
		`local open = { ["/healthz"] = true } -- exact`, `local open = {} -- as { ["/healthz"] = true }: exact`,
	).Replace(text)
}

// line matches a comment of the pages that is for a guard whose rules read a header.
var (
	line     = regexp.MustCompile(`(?mi)^([ \t]*)(?:#|--) (.*(?:x[-_]scope[-_]orgid|[_"]tenant\b).*)$`)
	question = regexp.MustCompile(`\$http_x_|\bclient\[|\basked\[`)
	plain    = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
)

// headerLines writes the lines for the headers that the rules read and set. Without such
// headers the comments stay.
func (p Place) headerLines(text string) string {
	return line.ReplaceAllStringFunc(text, func(whole string) string {
		m := line.FindStringSubmatch(whole)
		list := p.Sets
		if question.MatchString(m[2]) {
			list = p.Reads
		}
		var out []string
		for _, name := range list {
			if low := strings.ToLower(name); plain.MatchString(name) {
				under := strings.ReplaceAll(low, "-", "_")
				out = append(out, m[1]+strings.NewReplacer("X-Scope-OrgID", name, "x-scope-orgid", low, "x_scope_orgid", under, "hp_tenant", "hp_set_"+under, `"tenant"`, `"set_`+under+`"`).Replace(m[2]))
			}
		}
		if out == nil {
			return whole
		}
		return strings.Join(out, "\n")
	})
}

// headerLists puts the headers into the lists of proxies that have lists.
func (p Place) headerLists(proxy, text string) string {
	add := func(text, after, between string, names []string) string {
		for _, name := range names {
			if plain.MatchString(name) {
				text = strings.Replace(text, after, after+between+name, 1)
				after += between + name
			}
		}
		return text
	}
	sets := p.Sets
	if p.JWT {
		sets = append([]string{"X-Hallpass-Jwt"}, sets...)
	}
	switch proxy {
	case "traefik":
		text = add(text, "authRequestHeaders: [Authorization, User-Agent", ", ", p.Reads)
		return add(text, "X-Hallpass-Token-Id, X-Hallpass-Subject", ", ", sets)
	case "ingress-nginx":
		return add(text, "X-Hallpass-Token-Id,X-Hallpass-Subject", ",", sets)
	case "caddy":
		if p.JWT {
			return add(text, "X-Hallpass-Token-Id X-Hallpass-Subject", " ", sets[:1])
		}
	}
	return text
}
