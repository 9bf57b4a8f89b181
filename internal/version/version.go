// Package version tells which build of Hallpass runs. Everything comes from what the go
// command writes into each binary: the version from the tag of the commit, or from the
// module that was installed. No build has to set a variable.
package version

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// module is the path of the module of the product.
const module = "github.com/hallpass-dev/hallpass"

// unknown is the version of a build outside a repository, as `go run` and `go test` make.
const unknown = "dev"

// An Info tells about one build. It is a plain value.
type Info struct {
	Version  string    // without "v", as "1.2.3"; between two tags a pseudo-version; "dev" if not known
	Commit   string    // the whole hash of the commit; empty if not known
	Time     time.Time // of the commit, in UTC; zero if not known
	Modified bool      // files were changed since the commit
	Go       string    // the version of Go that compiled it, as "go1.26.8"
	Platform string    // as "linux/amd64"
}

// current is read once: a binary does not change while it runs.
var current = read()

// Current returns the build that runs. It is safe for concurrent use.
func Current() Info { return current }

func read() Info {
	i := Info{Version: unknown}
	if b, ok := debug.ReadBuildInfo(); ok {
		i = Of(b)
	}
	i.Go, i.Platform = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	return i
}

// Of returns what the build information of a binary says. In a program of another module
// that uses Hallpass, the version is that of the Hallpass in it, and the commit is not
// known: the one in the build information is of the other module.
func Of(b *debug.BuildInfo) Info {
	set := make(map[string]string)
	for _, s := range b.Settings {
		set[s.Key] = s.Value
	}
	i := Info{Go: b.GoVersion, Platform: set["GOOS"] + "/" + set["GOARCH"], Version: named(b.Main.Version)}
	if b.Main.Path != module {
		i.Version = unknown
		for _, d := range b.Deps {
			if d.Path == module {
				i.Version = named(d.Version)
			}
		}
		return i
	}
	i.Commit, i.Modified = set["vcs.revision"], set["vcs.modified"] == "true"
	if t, err := time.Parse(time.RFC3339, set["vcs.time"]); err == nil {
		i.Time = t.UTC()
	}
	return i
}

// named returns the version as people write it.
func named(v string) string {
	if v == "(devel)" {
		return unknown
	}
	return cmp.Or(strings.TrimPrefix(v, "v"), unknown)
}
