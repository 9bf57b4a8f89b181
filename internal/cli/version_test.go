package cli_test

import (
	"encoding/json"
	"runtime"
	"testing"
)

// TestVersion asks the test binary for its version, as a person and as a program.
func TestVersion(t *testing.T) {
	if out, want := hallpass(t, "", "version"), "hallpass  dev\ngo        "+runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH+"\n"; out != want {
		t.Errorf("%q, want %q", out, want)
	}
	var got struct{ Version, Commit, Go, Platform string }
	if err := json.Unmarshal([]byte(hallpass(t, "", "version", "-o", "json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "dev" || got.Commit != "" || got.Go != runtime.Version() || got.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%+v", got)
	}
	refused(t, "", "table or json", "version", "-o", "xml")
}
