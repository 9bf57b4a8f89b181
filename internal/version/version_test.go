package version_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/version"
)

func TestOf(t *testing.T) {
	const ours = "github.com/hallpass-dev/hallpass"
	const commit = "9f1c2ab4d5e6f708192a3b4c5d6e7f8091a2b3c4"
	at := time.Date(2026, 11, 27, 9, 54, 0, 0, time.UTC)
	vcs := []debug.BuildSetting{
		{Key: "GOARCH", Value: "arm64"}, {Key: "GOOS", Value: "linux"},
		{Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: "2026-11-27T09:54:00Z"}, {Key: "vcs.modified", Value: "false"},
	}
	platform := vcs[:2]
	for _, tt := range []struct {
		name string
		in   debug.BuildInfo
		want version.Info
	}{
		{"a tag", debug.BuildInfo{Main: debug.Module{Path: ours, Version: "v1.2.3"}, Settings: vcs},
			version.Info{Version: "1.2.3", Commit: commit, Time: at}},
		{"changed files", debug.BuildInfo{Main: debug.Module{Path: ours, Version: "v1.2.4-0.20261127095400-9f1c2ab4d5e6+dirty"}, Settings: append(vcs[:4:4], debug.BuildSetting{Key: "vcs.modified", Value: "true"})},
			version.Info{Version: "1.2.4-0.20261127095400-9f1c2ab4d5e6+dirty", Commit: commit, Time: at, Modified: true}},
		{"installed as a module", debug.BuildInfo{Main: debug.Module{Path: ours, Version: "v1.2.3"}, Settings: platform}, version.Info{Version: "1.2.3"}},
		{"go run", debug.BuildInfo{Main: debug.Module{Path: ours, Version: "(devel)"}, Settings: platform}, version.Info{Version: "dev"}},
		{"no version at all", debug.BuildInfo{Main: debug.Module{Path: ours}, Settings: platform}, version.Info{Version: "dev"}},
		{"inside another program", debug.BuildInfo{
			Main: debug.Module{Path: "example.com/other", Version: "v9.0.0"}, Deps: []*debug.Module{{Path: "example.com/more", Version: "v8.0.0"}, {Path: ours, Version: "v1.2.3"}}, Settings: vcs,
		}, version.Info{Version: "1.2.3"}},
		{"no part of the program", debug.BuildInfo{Main: debug.Module{Path: "example.com/other", Version: "v9.0.0"}, Settings: vcs}, version.Info{Version: "dev"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.GoVersion = "go1.26.8"
			tt.want.Go, tt.want.Platform = "go1.26.8", "linux/arm64"
			if got := version.Of(&tt.in); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestCurrent asks the test binary, which has no version.
func TestCurrent(t *testing.T) {
	want := version.Info{Version: "dev", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if got := version.Current(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
