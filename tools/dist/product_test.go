package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestProduct makes a release of the product as it is in this tree, for this machine's
// processor alone, and uses it: as the package in a Debian, and as the image. What other
// platforms get is made by the same steps (TestTwice).
func TestProduct(t *testing.T) {
	debian := make(chan string, 1)
	go func() { debian <- debianTree(t.Context()) }() // which waits for the network, while this waits for the compiler
	root := source(t)
	made, err := Make(t.Context(), Options{Root: root, Out: "dist", Build: buildLine(t), Targets: here(), Release: true})
	tree := <-debian
	if err != nil {
		t.Fatal(err)
	}
	at := func(rest string) string {
		return filepath.Join(made.Out, "hallpass_1.0.0_"+rest)
	}
	platform := here()[0].String()
	t.Run("list", func(t *testing.T) {
		t.Parallel()
		program := filepath.Join(untar(t, at(platform+".tar.gz")), "hallpass_1.0.0_"+platform, "hallpass")
		list := read(t, at(platform+".cdx.json"))
		fits(t, list)
		if got, want := told(t, list), says(t, program); got != want {
			t.Errorf("the list says:\n%s\ngo version -m says:\n%s", got, want)
		}
	})
	t.Run("lintian", func(t *testing.T) {
		t.Parallel()
		lintian(t, at(platform+".deb"))
	})
	t.Run("image", func(t *testing.T) {
		t.Parallel()
		runImage(t, at("oci.tar"))
	})
	t.Run("debian", func(t *testing.T) {
		t.Parallel()
		if !filepath.IsAbs(tree) {
			t.Skip(tree)
		}
		liveInDebian(t, tree, at(platform+".deb"), later(t, root))
	})
}

// TestInstallable holds go.mod to what "go install …@latest" takes: it refuses a module that
// replaces or excludes another.
func TestInstallable(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", "../../go.mod").Output()
	var mod struct{ Require, Replace, Exclude []any }
	if err = errors.Join(err, json.Unmarshal(out, &mod)); err != nil || len(mod.Require) == 0 || len(mod.Replace)+len(mod.Exclude) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

func here() []Target { return []Target{{"linux", runtime.GOARCH, false}} }

// buildLine is the command by which make dist compiles.
func buildLine(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "make", "-C", "../..", "-s", "-n", "dist").CombinedOutput()
	m := regexp.MustCompile(`-build '([^']+)'`).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("make -n dist: %v: %s", err, out)
	}
	return string(m[1])
}

// source copies this tree, with what is not committed yet, to a clone of its own and tags it.
func source(t *testing.T) string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Skipf("git does not list the files of this tree: %v", err)
	}
	root := filepath.Join(t.TempDir(), "clone")
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join("../..", path))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was deleted and that is not committed
		} else if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, path), string(data))
	}
	git(t, root, "init", "-q", "-b", "main")
	commit(t, root, "v1.0.0")
	return root
}

func commit(t *testing.T, root, tag string) {
	t.Helper()
	git(t, root, "add", "-f", ".")
	git(t, root, "commit", "-q", "-m", tag)
	git(t, root, "tag", tag)
}

// laterSchema is a version of the schema that the first package does not know.
const laterSchema = "9999"

// later changes the clone, as a later version would, and makes its package: with a larger
// schema, and with other settings.
func later(t *testing.T, root string) string {
	t.Helper()
	write(t, filepath.Join(root, "internal/store/migrations", laterSchema+"_later.sql"), "-- +goose Up\nCREATE TABLE later (id BIGINT PRIMARY KEY);\n")
	settings := filepath.Join(root, "packaging/hallpass.toml")
	write(t, settings, string(read(t, settings))+"\n# of a later version\n")
	commit(t, root, "v1.1.0")
	w := &work{Options: Options{Root: root, Out: t.TempDir(), Build: buildLine(t), Targets: here(), Release: true}, stage: t.TempDir()}
	for _, step := range []func(context.Context) error{w.compile, w.document, w.packages} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return w.name(here()[0].String() + ".deb")
}

// lintian asks Debian's linter about the package. What it does not like has an override
// with its reason.
func lintian(t *testing.T, deb string) {
	if _, err := exec.LookPath("lintian"); err != nil {
		t.Skip("lintian is not installed: nothing looks at the package")
	}
	out, err := exec.CommandContext(t.Context(), "lintian", "--allow-root", "--fail-on", "error,warning", deb).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// runImage reads the image's layout back, and runs its program in the files of its layer as
// its settings say: as their user, below their root.
func runImage(t *testing.T, oci string) {
	index, err := layout.ImageIndexFromPath(untar(t, oci))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err = errors.Join(err, validate.Index(index)); err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("%v, %+v", err, manifest)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		t.Skip("running it below a root of its own takes root")
	}
	root := untar(t, layerOf(t, image))
	m := machine{root: root, user: nobody, env: append(config.Config.Env, "HALLPASS_SERVER_HTTP_ADDR=127.0.0.1", "HALLPASS_SERVER_HTTP_PORT="+freePort(t))}
	s := m.start(t, append(config.Config.Entrypoint, config.Config.Cmd...))
	s.ready()
	if status, text := s.ask(http.MethodGet, "/healthz", "", nil); status != http.StatusOK {
		t.Errorf("/healthz: %d %s", status, text)
	}
	check := append(config.Config.Entrypoint, "healthcheck")
	if out, err := m.command(t, check...).CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v: %s", err, out)
	}
	s.stop()
	if out, err := m.command(t, check...).CombinedOutput(); err == nil {
		t.Errorf("healthcheck of a server that has stopped: %s", out)
	}
}

// layerOf writes the only layer of the image to a tar file.
func layerOf(t *testing.T, image v1.Image) string {
	t.Helper()
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
	path := filepath.Join(t.TempDir(), "layer.tar")
	write(t, path, string(data))
	return path
}

// untar unpacks a tar file to a new folder, with its owners where this process may.
func untar(t *testing.T, path string, flags ...string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "tar", append(flags, "-xpf", path, "-C", root)...).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	return root
}

// A machine is a folder that programs take for the root of all files.
type machine struct {
	root string
	user uint32
	env  []string
}

func (m machine) command(t *testing.T, line ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	cmd.Dir, cmd.Env = "/", m.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: m.root, Credential: &syscall.Credential{Uid: m.user, Gid: m.user}}
	return cmd
}

// A served is a server that runs on a machine, and tells it what systemd would hear.
type served struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  bytes.Buffer
	told *net.UnixConn
	url  string
	done chan error
}

// start starts the server, as systemd does a unit with Type=notify.
func (m machine) start(t *testing.T, line []string) *served {
	t.Helper()
	s := &served{t: t, done: make(chan error, 1)}
	const socket = "/tmp/notify"
	path := filepath.Join(m.root, socket)
	_ = os.Remove(path) // of a server before
	var err error
	if s.told, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.told.Close() }) // nothing is written to it
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, kv := range m.env {
		if port, ok := strings.CutPrefix(kv, "HALLPASS_SERVER_HTTP_PORT="); ok {
			s.url = "http://127.0.0.1:" + port
		}
	}
	s.cmd = m.command(t, line...)
	s.cmd.Env = append(s.cmd.Env, "NOTIFY_SOCKET="+socket)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.done <- s.cmd.Wait()
		_ = s.told.Close() // so that nobody waits for what it says
	}()
	return s
}

// ready waits until the server says that it answers.
func (s *served) ready() {
	s.t.Helper()
	b := make([]byte, 4096)
	for {
		n, err := s.told.Read(b)
		if err != nil {
			s.t.Fatalf("the server ended before it was ready: %v: %s", <-s.done, s.out.String())
		}
		if bytes.Contains(b[:n], []byte("READY=1")) {
			return
		}
	}
}

// stop ends the server, which must do so in order.
func (s *served) stop() {
	s.t.Helper()
	if err := errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), <-s.done); err != nil {
		s.t.Errorf("the server stopped with %v: %s", err, s.out.String())
	}
}

// ask sends a request with the credentials, "user:password" or a token.
func (s *served) ask(method, path, credentials string, body any) (status int, text string) {
	s.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(data))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if user, password, ok := strings.Cut(credentials, ":"); ok {
		r.SetBasicAuth(user, password)
	} else if credentials != "" {
		r.Header.Set("Authorization", "Bearer "+credentials)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatalf("%v: %s", err, s.out.String())
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// debianTree returns the tar file of a small Debian, which is kept from one run to the
// next, or why there is none.
func debianTree(ctx context.Context) string {
	cache, err := os.UserCacheDir()
	if err != nil || os.Geteuid() != 0 {
		return "a Debian in a folder takes root"
	}
	path := filepath.Join(cache, "hallpass-test", "bookworm-"+runtime.GOARCH+".tar")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		return "mmdebstrap is not installed: nothing installs the package"
	}
	partial := path[:len(path)-len(".tar")] + fmt.Sprintf(".%d.partial.tar", os.Getpid())
	defer os.Remove(partial)
	mirror := cmp.Or(os.Getenv("HALLPASS_TEST_DEBIAN"), "http://deb.debian.org/debian")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err.Error()
	}
	if out, err := exec.CommandContext(ctx, "mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "bookworm", partial, mirror).CombinedOutput(); err != nil {
		return fmt.Sprintf("mmdebstrap: %v: %s", err, out)
	}
	if err := os.Rename(partial, path); err != nil {
		return err.Error()
	}
	return path
}
