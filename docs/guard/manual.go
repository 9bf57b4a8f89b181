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
	Guard    string // its name
	Hallpass string // the address of Hallpass
	API      string // the address of the API
}

// For returns the files of a proxy, named as its page, filled in; none if the manual
// has no such page.
func For(proxy string, p Place) []File {
	page, err := fs.ReadFile(pages, proxy+".md")
	if err != nil {
		return nil
	}
	fill := []string{"/guard/" + proxy + "/app", "/guard/" + proxy + "/" + p.Guard, "{ guard: app }", "{ guard: " + p.Guard + " }"}
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
	files := Files(string(page))
	for i := range files {
		files[i].Text = strings.NewReplacer(fill...).Replace(files[i].Text)
	}
	return files
}
