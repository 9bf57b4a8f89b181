package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blakesmith/ar"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// small is a program that does what dist asks of the real one, and compiles in a moment.
const small = `package main

import ("fmt"; "os"; "path/filepath")

func main() {
	switch os.Args[1] {
	case "man":
		os.MkdirAll(os.Args[2], 0o755)
		os.WriteFile(filepath.Join(os.Args[2], "hallpass.1"), []byte(".TH HALLPASS 1\n"), 0o600)
	case "completion":
		fmt.Println("# completion for", os.Args[2])
	}
}
`

// clone makes a repository of the small program with the real packaging. Its only commit
// is the same wherever it is made.
func clone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	for path, text := range map[string]string{
		"go.mod": "module github.com/hallpass-dev/hallpass\n\ngo 1.26.0\n", "cmd/hallpass/main.go": small,
		"LICENSE": "Apache", "README.md": "# Hallpass\n", ".gitignore": "/dist/\n/dist.partial/\n",
	} {
		write(t, filepath.Join(dir, path), text)
	}
	if err := os.CopyFS(filepath.Join(dir, "packaging"), os.DirFS("../../packaging")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "small")
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	who := []string{"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com"}
	cmd.Env = append(append(os.Environ(), who...), "GIT_AUTHOR_DATE=2026-11-27T09:54:00Z", "GIT_COMMITTER_DATE=2026-11-27T09:54:00Z", "GIT_CONFIG_GLOBAL=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// few are a server and a client, so that a test compiles little.
var few = []Target{{"linux", "amd64", false}, {"windows", "amd64", true}}

const compiles = `CGO_ENABLED=0 go build -trimpath -ldflags "-s -w"`

// TestTwice makes a release of one commit in two clones, of which the second has other
// modes and other settings of the machine: the checksums are the same.
func TestTwice(t *testing.T) {
	var sums [2]string
	for i := range sums {
		dir := clone(t)
		git(t, dir, "tag", "v1.2.3")
		if i == 1 {
			t.Setenv("GOFLAGS", "-buildvcs=false")
			t.Setenv("GOAMD64", "v3")
			t.Setenv("TZ", "Asia/Tokyo")
			t.Setenv("SOURCE_DATE_EPOCH", "1")
			private(t, dir)
		}
		made, err := Make(t.Context(), Options{Root: dir, Out: "dist", Build: compiles, Targets: few, Release: true})
		if err != nil {
			t.Fatal(err)
		}
		if made.Version != "1.2.3" {
			t.Errorf("version %s", made.Version)
		}
		sums[i] = string(read(t, filepath.Join(made.Out, "checksums.txt")))
		if i == 0 {
			look(t, made)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("two releases of one commit:\n%s\n%s", sums[0], sums[1])
	}
}

// private takes all permissions of others away, as another umask would have done.
func private(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == ".git" {
			return errors.Join(err, fs.SkipDir)
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil && !errors.Is(err, fs.SkipDir) {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// look reads everything back.
func look(t *testing.T, made Made) {
	want := []string{
		"checksums.txt", "hallpass_1.2.3_linux_amd64.cdx.json", "hallpass_1.2.3_linux_amd64.deb", "hallpass_1.2.3_linux_amd64.rpm", "hallpass_1.2.3_linux_amd64.tar.gz",
		"hallpass_1.2.3_linux_amd64_docker.tar", "hallpass_1.2.3_oci.tar", "hallpass_1.2.3_windows_amd64.cdx.json", "hallpass_1.2.3_windows_amd64.zip",
	}
	if !slices.Equal(made.Files, want) {
		t.Errorf("%v, want %v", made.Files, want)
	}
	at := func(rest string) string { return filepath.Join(made.Out, "hallpass_1.2.3_"+rest) }
	program := entries(t, gunzip(t, read(t, at("linux_amd64.tar.gz"))))["hallpass_1.2.3_linux_amd64/hallpass"]
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil || info.Main.Version != "v1.2.3" {
		t.Errorf("the binary says %v, %v", info, err)
	}
	lookZip(t, at("windows_amd64.zip"))
	lookDeb(t, at("linux_amd64.deb"), program)
	lookRPM(t, at("linux_amd64.rpm"))
	lookImages(t, at("oci.tar"), at("linux_amd64_docker.tar"), program)
	sums := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "checksums.txt")
	sums.Dir = made.Out
	if out, err := sums.CombinedOutput(); err != nil || strings.Count(string(out), ": OK\n") != len(want)-1 {
		t.Errorf("sha256sum: %v: %s", err, out)
	}
}

func lookZip(t *testing.T, path string) {
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, strings.TrimPrefix(f.Name, "hallpass_1.2.3_windows_amd64/"))
	}
	for _, want := range []string{"hallpass.exe", "LICENSE", "README.md", "man/man1/hallpass.1", "completions/hallpass.ps1", "THIRD-PARTY-LICENSES"} {
		if !slices.Contains(names, want) {
			t.Errorf("the zip has no %s: %v", want, names)
		}
	}
}

func lookDeb(t *testing.T, path string, program []byte) {
	parts := make(map[string][]byte)
	r := ar.NewReader(bytes.NewReader(read(t, path)))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if parts[strings.TrimSuffix(h.Name, "/")], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	lookControl(t, entries(t, gunzip(t, parts["control.tar.gz"])))
	files := entries(t, gunzip(t, parts["data.tar.gz"]))
	for _, want := range []string{"etc/hallpass/hallpass.toml", "usr/lib/systemd/system/hallpass.service", "usr/lib/systemd/system/hallpass.socket"} {
		if len(files["./"+want]) == 0 {
			t.Errorf("the package has no %s", want)
		}
	}
	if !bytes.Equal(files["./usr/bin/hallpass"], program) {
		t.Error("the package has another binary than the archive")
	}
	for _, want := range []string{
		"man/man1/hallpass.1.gz", "bash-completion/completions/hallpass", "zsh/vendor-completions/_hallpass", "fish/vendor_completions.d/hallpass.fish",
		"doc/hallpass/copyright", "doc/hallpass/changelog.gz", "doc/hallpass/THIRD-PARTY-LICENSES",
	} {
		if len(files["./usr/share/"+want]) == 0 {
			t.Errorf("the package has no %s", want)
		}
	}
}

// lookControl reads what dpkg knows of the package before it unpacks it.
func lookControl(t *testing.T, control map[string][]byte) {
	text := string(control["./control"])
	for _, want := range []string{"Package: hallpass\n", "Version: 1.2.3\n", "Architecture: amd64\n", "Section: admin\n", "Recommends: ca-certificates\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if got := string(control["./conffiles"]); got != "/etc/hallpass/hallpass.toml\n" {
		t.Errorf("conffiles %q", got)
	}
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		if !bytes.Equal(control["./"+name], read(t, filepath.Join("../../packaging/debian", name))) {
			t.Errorf("the script %s is not that of packaging", name)
		}
	}
}

// lookRPM asks rpm, where it is installed.
func lookRPM(t *testing.T, path string) {
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Log("rpm is not installed: nothing reads the package")
		return
	}
	out, err := exec.CommandContext(t.Context(), "rpm", "-qp", "--nosignature", "--queryformat", `%{NAME} %{VERSION} %{ARCH} %{BUILDHOST}\n[%{FILEMODES:octal} %{FILENAMES}\n]`, path).CombinedOutput()
	for _, want := range []string{"hallpass 1.2.3 x86_64 hallpass\n", "100755 /usr/bin/hallpass\n", "100644 /usr/share/man/man1/hallpass.1.gz\n", "100644 /usr/share/zsh/site-functions/_hallpass\n",
		"100644 /etc/hallpass/hallpass.toml\n", "100644 /usr/lib/systemd/system/hallpass.service\n"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, no %q in %s", err, want, out)
		}
	}
}

func lookImages(t *testing.T, oci, docker string, program []byte) {
	dir := t.TempDir()
	for name, data := range entries(t, read(t, oci)) {
		if !strings.HasSuffix(name, "/") {
			write(t, filepath.Join(dir, name), string(data))
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Platform.String() != "linux/amd64" {
		t.Fatalf("%+v, %v", manifest, err)
	}
	image, err := tarball.ImageFromPath(docker, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	config, err := image.ConfigFile()
	if err != nil || config.Config.User != "65532:65532" || config.Config.Labels["org.opencontainers.image.version"] != "1.2.3" || config.Architecture != "amd64" {
		t.Errorf("%+v, %v", config, err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	r, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	files := entries(t, data)
	if !bytes.Equal(files["usr/bin/hallpass"], program) || bytes.Count(files["etc/ssl/certs/ca-certificates.crt"], []byte("BEGIN CERTIFICATE")) < 100 {
		t.Error("the image has another binary than the archive, or few certificates")
	}
}

func gunzip(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return data
}

// entries returns what a tar file has, by name. What belongs to people is writable by its
// owner alone, and everything has the time of the commit.
func entries(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	found := make(map[string][]byte)
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		if h.Mode&0o022 != 0 && h.Name != "tmp/" || h.Mode&0o400 == 0 || h.ModTime.UTC().Format("2006-01-02T15:04:05Z") != "2026-11-27T09:54:00Z" {
			t.Errorf("%s has mode %o and time %s", h.Name, h.Mode, h.ModTime)
		}
		if found[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}
