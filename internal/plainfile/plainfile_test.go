//go:build unix

package plainfile_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// TestRead reads what is a file, and what only has the name of one: a pipe to which nobody
// writes would hold it up for good.
func TestRead(t *testing.T) {
	t.Chdir(t.TempDir()) // the path of a socket is short
	const most = 8
	for name, text := range map[string]string{"file": "12345678", "empty": "", "large": "123456789"} {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // the test is over
	for from, to := range map[string]string{"link": "file", "link to a pipe": "pipe"} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ path, text, says string }{
		{"file", "12345678", ""},
		{"link", "12345678", ""},
		{"empty", "", ""},
		{"large", "", "large is larger than 8 bytes"},
		{"none", "", "open none: no such file or directory"},
		{"file/below", "", "open file/below: not a directory"},
		{"pipe", "", "pipe is a pipe, not a regular file"},
		{"link to a pipe", "", "link to a pipe is a pipe, not a regular file"},
		{"socket", "", "socket is a socket, not a regular file"},
		{".", "", ". is a folder, not a regular file"},
		{"/dev/zero", "", "/dev/zero is a device, not a regular file"},
	} {
		text, info, err := plainfile.Read(tt.path, most)
		if string(text) != tt.text || (err == nil) != (tt.says == "") || err != nil && err.Error() != tt.says {
			t.Errorf("%s: %q, %v, want %q, %q", tt.path, text, err, tt.text, tt.says)
		}
		if err == nil && info.Mode() != 0o640 {
			t.Errorf("%s: its mode is %v", tt.path, info.Mode())
		}
		none := tt.path == "none" || filepath.Dir(tt.path) == "file"
		if err := plainfile.Validate(tt.path); (err != nil) != (strings.HasSuffix(tt.says, "regular file")) || none && err != nil {
			t.Errorf("%s: Validate says %v", tt.path, err)
		}
	}
	for _, path := range []string{"pipe", "socket", "."} {
		if f, _, err := plainfile.Open(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err == nil || !strings.HasSuffix(err.Error(), "not a regular file") {
			t.Errorf("%s is opened to write: %v, %v", path, f, err)
		}
		if err := plainfile.Write(path, []byte("x"), 0o600); err == nil || !strings.HasSuffix(err.Error(), "not a regular file") {
			t.Errorf("%s is written: %v", path, err)
		}
	}
	for _, text := range []string{"longer", "short"} {
		err := plainfile.Write("written", []byte(text), 0o600)
		if got, reading := os.ReadFile("written"); string(got) != text || err != nil || reading != nil {
			t.Errorf("%q was written: %q, %v, %v", text, got, err, reading)
		}
	}
}
