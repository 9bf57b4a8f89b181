package main

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	adminPassword = "violet lamps hum at noon"
	tokensPath    = "/api/serviceaccounts/2/tokens" // of the first account: the admin has the number before
)

// liveInDebian installs the package in a Debian, runs its unit's command, upgrades,
// downgrades and purges. systemd does not run there: what it would do for the unit, the
// test does.
func liveInDebian(t *testing.T, tree, first, second string) {
	d := newDebian(t, tree)
	before := d.files()
	if out := d.dpkg("-i", first); !strings.Contains(out, "hallpass is not started") {
		t.Errorf("installing says %q", out)
	}
	d.want("", "--verify", "hallpass")
	d.place("etc/credstore/hallpass.security.admin_password", adminPassword+"\n", 0o600)

	s := d.serve()
	s.ready()
	token := makeToken(s)
	uses(s, token)
	s.stop()

	settings := "etc/hallpass/hallpass.toml"
	changed := strings.Replace(d.read(settings), "#token_expiration_day_limit = 0", "token_expiration_day_limit = 30", 1)
	d.place(settings, changed, 0o644)
	d.dpkg("-i", second)
	if got := d.read(settings); got != changed || !strings.Contains(d.read(settings+".dpkg-dist"), "of a later version") {
		t.Errorf("after the upgrade the settings are %q", got)
	}
	s = d.serve()
	s.ready()
	uses(s, token)
	if status, text := s.ask(http.MethodPost, tokensPath, "admin:"+adminPassword, map[string]any{"name": "long", "secondsToLive": 31 * 86400}); status != http.StatusBadRequest {
		t.Errorf("a token longer than the settings allow: %d %s", status, text)
	}
	s.stop()

	d.dpkg("-i", first)
	s = d.serve()
	if err := <-s.done; err == nil || !strings.Contains(s.out.String(), "schema version "+laterSchema) {
		t.Errorf("the older server ended with %v: %s", err, s.out.String())
	}
	d.dpkg("-i", second)
	s = d.serve()
	s.ready()
	uses(s, token)
	s.stop()
	d.remove(before)
}

// remove removes the package and then purges it: the settings go, what people made stays.
func (d debian) remove(before []string) {
	link := "etc/systemd/system/multi-user.target.wants/hallpass.service" // of systemctl enable
	if err := os.MkdirAll(filepath.Dir(filepath.Join(d.root, link)), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Symlink("/usr/lib/systemd/system/hallpass.service", filepath.Join(d.root, link)); err != nil {
		d.t.Fatal(err)
	}
	d.dpkg("--remove", "hallpass")
	for _, path := range []string{"etc/hallpass/hallpass.toml", "var/lib/hallpass/hallpass.db", link} {
		if !slices.Contains(d.files(), path) {
			d.t.Errorf("removing the package removed %s", path)
		}
	}
	if out := d.dpkg("--purge", "hallpass"); !strings.Contains(out, "the database stays in /var/lib/hallpass") {
		d.t.Errorf("the purge says %q", out)
	}
	kept := regexp.MustCompile(`^(var/lib/hallpass/|etc/credstore/|var/lib/dpkg/|var/log/|tmp/|etc/systemd/system/[a-z.-]+\.wants/$)`)
	for _, path := range d.files() {
		if _, found := slices.BinarySearch(before, path); !found && !kept.MatchString(path) {
			d.t.Errorf("the purge leaves %s", path)
		}
	}
	if !slices.Contains(d.files(), "var/lib/hallpass/hallpass.db") {
		d.t.Error("the purge deleted the database")
	}
}

// makeToken signs in as the console does, and makes a token.
func makeToken(s *served) string {
	s.t.Helper()
	if status, text := s.ask(http.MethodPost, "/login", "", map[string]string{"user": "admin", "password": adminPassword}); status != http.StatusOK {
		s.t.Fatalf("sign-in: %d %s", status, text)
	}
	admin := "admin:" + adminPassword
	if status, text := s.ask(http.MethodPost, "/api/serviceaccounts", admin, map[string]string{"name": "sync", "role": "Viewer"}); status != http.StatusCreated {
		s.t.Fatalf("account: %d %s", status, text)
	}
	status, text := s.ask(http.MethodPost, tokensPath, admin, map[string]string{"name": "ci"})
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(text), &made); err != nil || status != http.StatusOK {
		s.t.Fatalf("token: %d %s", status, text)
	}
	return made.Key
}

// uses finds the token at work.
func uses(s *served, token string) {
	s.t.Helper()
	if status, text := s.ask(http.MethodGet, "/api/org", token, nil); status != http.StatusOK || !strings.Contains(text, "Main Org.") {
		s.t.Errorf("the token: %d %s", status, text)
	}
}

// A debian is a machine with dpkg.
type debian struct {
	t *testing.T
	machine
}

func newDebian(t *testing.T, tree string) debian {
	t.Helper()
	root := untar(t, tree, "--exclude=./dev/*")
	env := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "HALLPASS_SERVER_HTTP_PORT=" + freePort(t), "CREDENTIALS_DIRECTORY=/etc/credstore"}
	d := debian{t, machine{root: root, env: env}}
	d.place("dev/null", "", 0o666) // scripts write there; a file does as well
	return d
}

// serve runs what the installed unit says.
func (d debian) serve() *served {
	d.t.Helper()
	m := regexp.MustCompile(`(?m)^ExecStart=(.+)$`).FindStringSubmatch(d.read("usr/lib/systemd/system/hallpass.service"))
	if m == nil {
		d.t.Fatal("the unit starts nothing")
	}
	return d.start(d.t, strings.Fields(m[1]))
}

// dpkg runs dpkg, which must succeed, on a package of this machine or by name.
func (d debian) dpkg(args ...string) string {
	d.t.Helper()
	last := len(args) - 1
	if filepath.IsAbs(args[last]) {
		d.place("tmp/hallpass.deb", string(read(d.t, args[last])), 0o644)
		args[last] = "/tmp/hallpass.deb"
	}
	out, err := d.command(d.t, append([]string{"/usr/bin/dpkg", "--force-confold"}, args...)...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("dpkg %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// want runs dpkg and compares what it says.
func (d debian) want(says string, args ...string) {
	d.t.Helper()
	if got := d.dpkg(args...); got != says {
		d.t.Errorf("dpkg %s says %q", strings.Join(args, " "), got)
	}
}

func (d debian) read(path string) string { return string(read(d.t, filepath.Join(d.root, path))) }

func (d debian) place(path, text string, mode os.FileMode) {
	d.t.Helper()
	write(d.t, filepath.Join(d.root, path), text)
	if err := os.Chmod(filepath.Join(d.root, path), mode); err != nil {
		d.t.Fatal(err)
	}
}

// files lists all files and folders, in order; a folder ends with "/".
func (d debian) files() []string {
	d.t.Helper()
	var names []string
	err := filepath.WalkDir(d.root, func(path string, f fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, d.root+"/")
		if err == nil && f.IsDir() {
			name += "/"
		}
		names = append(names, name)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	slices.Sort(names)
	return names
}
