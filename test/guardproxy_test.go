package test_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// behind says what a proxy asks and what it protects.
type behind struct {
	hallpass, api string   // addresses
	guard         string   // its name
	header        string   // the lines of the page that name it are uncommented; "": none
	replaced      []string // further texts of the page's files, each followed by its replacement
}

// guardProxies start the proxies that have a page in docs/guard, each with the
// configuration of that page, and return their addresses.
var guardProxies = map[string]func(t *testing.T, b behind) (address string){
	"nginx": func(t *testing.T, b behind) string {
		program, address := needs(t, "nginx"), freeAddress(t)
		daemon(t, address, program, nginxArguments(t, b, address)...)
		return address
	},
	"haproxy": func(t *testing.T, b behind) string {
		program, address := needs(t, "haproxy"), freeAddress(t)
		dir := pasted(t, "haproxy", b, "bind :80", "bind "+address, "default_backend unguarded", "default_backend guard_app.example.com")
		daemon(t, address, program, "-db", "-f", filepath.Join(dir, "haproxy.cfg"), "-f", filepath.Join(dir, "app.cfg"))
		return address
	},
	"caddy": func(t *testing.T, b behind) string {
		program, address := needs(t, "caddy"), freeAddress(t)
		dir := pasted(t, "caddy", b, "\nimport /etc/caddy/guards/*.caddy", "\n{\n\tadmin off\n\tauto_https off\n}\nimport app.caddy", "\napp.example.com {", "\nhttp://"+address+", http://app.example.com:"+port(address)+" {\n\tbind 127.0.0.1")
		t.Setenv("XDG_DATA_HOME", dir)
		t.Setenv("XDG_CONFIG_HOME", dir)
		daemon(t, address, program, "run", "--adapter", "caddyfile", "--config", filepath.Join(dir, "Caddyfile"))
		return address
	},
	"apache": func(t *testing.T, b behind) string {
		program, address := needs(t, "apache2"), freeAddress(t)
		dir := pasted(t, "apache", b, "*:80", address)
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // Apache reads it as another user
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, "apache2.conf"), apacheMain(dir, address, "Include "+dir+"/app.conf"))
		daemon(t, address, program, "-DFOREGROUND", "-d", dir, "-f", filepath.Join(dir, "apache2.conf"))
		return address
	},
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address) // it comes from a listener
	return port
}

// nginxArguments writes the configuration of nginx' page, and returns the arguments to run
// it with.
func nginxArguments(t *testing.T, b behind, address string) []string {
	t.Helper()
	dir := pasted(t, "nginx", b, "listen 80;", "listen "+address+";")
	put(t, filepath.Join(dir, "nginx.conf"), nginxMain(dir, "include "+dir+"/app.conf;"))
	return []string{"-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-g", "daemon off;"}
}

// nginxMain is the file that includes others: what a distribution has in /etc/nginx.
func nginxMain(dir, include string) string {
	var b strings.Builder
	if os.Getuid() == 0 {
		b.WriteString("user root;\n")
	}
	fmt.Fprintf(&b, "worker_processes 1;\npid %s/pid;\nerror_log stderr;\nevents { worker_connections 1024; }\nhttp {\naccess_log off;\n", dir)
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} { // the default folders belong to the system
		fmt.Fprintf(&b, "%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	return b.String() + include + "\n}\n"
}

// apacheMain is the same for Apache, with the modules that its page names.
func apacheMain(dir, address, include string) string {
	var b strings.Builder
	if os.Getuid() == 0 {
		b.WriteString("User www-data\nGroup www-data\n")
	}
	for _, module := range []string{"mpm_event", "authz_core", "proxy", "proxy_http", "lua"} {
		fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", module, module)
	}
	fmt.Fprintf(&b, "ServerName localhost\nPidFile %s/pid\nMutex posixsem\nErrorLog /dev/stderr\nListen %s\nThreadsPerChild 25\nServerLimit 4\nMaxRequestWorkers 100\nStartServers 1\n", dir, address)
	return b.String() + include + "\n"
}

// daemon runs a program until the test ends, and waits until it listens.
func daemon(t *testing.T, address, program string, args ...string) *os.Process {
	t.Helper()
	var out lockedBuffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its exit status does not matter
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		<-ended
		if t.Failed() {
			t.Logf("%s: %.8000s", program, out.String())
		}
	})
	hallpasstest.Eventually(t, program+" to listen", func() bool {
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", program, out.String())
		default:
		}
		return listens(address)
	})
	return cmd.Process
}
