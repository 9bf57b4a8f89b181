package test_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// proxied is a proxy with a file of docs/nodes, in front of three nodes and a
// guarded API.
type proxied struct {
	t       *testing.T
	address string
	client  *http.Client
}

// as sends a request to the host behind the proxy. With the token "" it sends the
// admin's password.
func (p *proxied) as(host, token, method, path, body string) (status int, text string) {
	r, err := http.NewRequest(method, "http://"+p.address+path, strings.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return 0, ""
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	if token == "" {
		r.SetBasicAuth("admin", adminPassword)
	} else {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := p.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

func (p *proxied) api(token, method, path, body string) (int, string) {
	return p.as("hallpass.example.com", token, method, path, body)
}

func (p *proxied) guarded(token, method, path string) (int, string) {
	return p.as("metrics.example.com", token, method, path, "")
}

// placed copies files of docs/nodes into a folder. It replaces the addresses of the
// manual by real ones, and makes the replacements that the proxy needs.
func placed(t *testing.T, names []string, addresses []string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("../docs/nodes", name))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer(append([]string{"/etc/haproxy/", dir + "/"}, addresses...)...).Replace(string(text))
		if regexp.MustCompile(`10\.0\.0\.[0-9]+:`).MatchString(changed) {
			t.Fatalf("%s names an address that this test does not replace", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// run starts a proxy and ends it with the test.
func (p *proxied) run(name string, args ...string) {
	p.t.Helper()
	var out lockedBuffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()                       // its exit status does not matter
		if p.t.Failed() {
			p.t.Logf("%s: %s", name, out.String())
		}
	})
	hallpasstest.Eventually(p.t, name+" to answer", func() bool {
		status, _ := p.guarded("nonsense", "GET", "/")
		return status == http.StatusUnauthorized
	})
}

// balancers are the proxies of docs/nodes.
var balancers = map[string]func(t *testing.T, addresses []string) *proxied{
	"nginx": func(t *testing.T, addresses []string) *proxied {
		program := needs(t, "nginx")
		p := newProxied(t)
		dir := placed(t, []string{"nginx.conf"}, append(addresses, "10.0.0.8:80", p.address))
		path := filepath.Join(dir, "nginx.conf")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var folders strings.Builder // the default folders belong to the system, where not everybody may write
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			fmt.Fprintf(&folders, "\n\t%s_temp_path %s/%s;", kind, dir, kind)
		}
		text = []byte(strings.Replace(string(text), "http {", "http {\n\taccess_log off;"+folders.String(), 1))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		main := fmt.Sprintf("daemon off; pid %s/pid; error_log stderr;", dir)
		if os.Getuid() == 0 {
			main += " user root;"
		}
		p.run(program, "-p", dir, "-c", path, "-g", main)
		return p
	},
	"haproxy": func(t *testing.T, addresses []string) *proxied {
		program := needs(t, "haproxy")
		p, guard := newProxied(t), freeAddress(t)
		dir := placed(t, []string{"haproxy.cfg", "hallpass.lua"}, append(addresses, "10.0.0.8:80", p.address, "127.0.0.1:3081", guard))
		p.run(program, "-db", "-f", filepath.Join(dir, "haproxy.cfg"))
		return p
	},
}

func newProxied(t *testing.T) *proxied {
	return &proxied{t: t, address: freeAddress(t), client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	_, address := binaryAndAddress(t)
	return address
}

// TestBalancers puts the proxies of the manual under load: guarded requests, reads and
// changes. Meanwhile it cuts one node off from its database, restarts one and kills one.
// No request fails. A change whose connection broke is answered as one that may have
// been made, and was made at most once. No token that was revoked is accepted.
func TestBalancers(t *testing.T) {
	for name, start := range balancers {
		t.Run(name, func(t *testing.T) { testBalancer(t, start) })
	}
}

func testBalancer(t *testing.T, proxy func(*testing.T, []string) *proxied) {
	db := newPostgres(t)
	w := newWire(t, db.port)
	c := cluster{t: t}
	// A longer lease than in other tests: two nodes are out in turn, and on a busy machine
	// the third must not lose its own meanwhile.
	env := []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=1s", "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1", "HALLPASS_DATABASE_MAX_STALENESS=4s"}
	for _, url := range []string{db.url(w.port()), db.url(), db.url()} {
		c.add(nodeEnv(url, env...))
	}
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("X-Hallpass-Account") == "" || r.URL.Path == "/broken" {
			rw.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(rw, "the API itself") // fails when the client went away
	}))
	t.Cleanup(api.Close)
	p := proxy(t, []string{
		"10.0.0.1:3080", c.addresses[0], "10.0.0.2:3080", c.addresses[1], "10.0.0.3:3080", c.addresses[2], "10.0.0.9:9090", strings.TrimPrefix(api.URL, "http://"),
	})
	kept := c.nodes[1].mint()
	if status, text := p.guarded(kept.key, "GET", "/broken"); status != 500 || text != "the API itself" {
		t.Errorf("the API's own fault came as %d %s", status, text)
	}
	l := newLoad(p, kept)
	l.start()
	l.goOn(200)

	w.cut(true, true)
	c.nodes[0].state("leased", "stale") // stale when this machine is busy
	l.goOn(100)
	c.nodes[0].state("stale")
	l.goOn(200)
	w.cut(false, false)
	c.nodes[0].state("ready")
	c.served(0)
	l.goOn(100)

	if err := c.nodes[1].stop(); err != nil {
		t.Errorf("the node ended with %v\n%s", err, c.nodes[1].out)
	}
	l.goOn(100)
	c.again(1)
	c.served(1)
	l.goOn(100)

	c.nodes[2].kill()
	l.goOn(200)
	c.again(2)
	c.served(2)
	l.goOn(100)
	l.check()

	for _, n := range c.nodes {
		n.kill()
	}
	for _, try := range []func() (int, string){
		func() (int, string) { return p.guarded(kept.key, "GET", "/") },
		func() (int, string) { return p.api(kept.key, "GET", "/api/org", "") },
	} {
		hallpasstest.Eventually(t, "503 in JSON", func() bool {
			status, text := try()
			return status == http.StatusServiceUnavailable && json.Valid([]byte(text))
		})
	}
	for method, path := range changes { // no node took the request, so the proxy knows that nothing was changed
		if status, text := p.api("", method, path, "{}"); status != http.StatusServiceUnavailable || !json.Valid([]byte(text)) {
			t.Errorf("%s without a node is answered with %d %s", method, status, text)
		}
	}
}

// changes has a route for each method that changes something.
var changes = map[string]string{
	"POST": "/api/serviceaccounts", "PATCH": "/api/serviceaccounts/2", "PUT": "/api/user", "DELETE": "/api/serviceaccounts/2",
}

// TestBalancersWithoutDatabase stops PostgreSQL behind the proxies of the manual, while
// clients read, make changes, and send tokens that no node has in memory. The nodes still
// verify the tokens that they have in memory. They answer a change with 503, because it
// was not made.
func TestBalancersWithoutDatabase(t *testing.T) {
	for name, start := range balancers {
		t.Run(name, func(t *testing.T) { testBalancerWithoutDatabase(t, start) })
	}
}

func testBalancerWithoutDatabase(t *testing.T, proxy func(*testing.T, []string) *proxied) {
	db := newPostgres(t)
	c := cluster{t: t}
	for range 3 {
		c.add(nodeEnv(db.url(), "HALLPASS_DATABASE_MAX_STALENESS=20s", "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1"))
	}
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusOK) }))
	defer api.Close()
	p := proxy(t, []string{
		"10.0.0.1:3080", c.addresses[0], "10.0.0.2:3080", c.addresses[1], "10.0.0.3:3080", c.addresses[2], "10.0.0.9:9090", strings.TrimPrefix(api.URL, "http://"),
	})
	kept, unknown := c.nodes[0].mint(), c.nodes[0].mint()
	for _, n := range c.nodes {
		n.answers(kept.key)
	}
	db.stop("fast")
	for _, n := range c.nodes {
		n.state("leased")
	}
	refused := func(what string, status int, text string) {
		t.Helper()
		if status != http.StatusServiceUnavailable || !json.Valid([]byte(text)) {
			t.Errorf("%s: %d %s", what, status, text)
		}
	}
	for range 20 {
		status, text := p.api("", "GET", "/api/serviceaccounts/search", "")
		refused("a read", status, text)
		for method, path := range changes {
			status, text := p.api("", method, path, "{}")
			refused(method, status, text)
		}
		status, text = p.guarded(unknown.key, "GET", "/")
		refused("a token that nobody remembers", status, text)
		if status, text := p.guarded(kept.key, "GET", "/"); status != http.StatusOK {
			t.Errorf("a token that every node remembers: %d %s", status, text)
		}
	}
}

// TestReadyWhileLeased stops PostgreSQL. Both nodes still want requests, because they
// verify the tokens that they know, and /readyz says why this will end.
func TestReadyWhileLeased(t *testing.T) {
	db := newPostgres(t)
	all := []*process{node(t, db.url(), "HALLPASS_DATABASE_MAX_STALENESS=20s"), node(t, db.url(), "HALLPASS_DATABASE_MAX_STALENESS=20s")}
	for _, p := range all {
		p.await()
	}
	c := all[0].mint()
	for _, p := range all {
		p.answers(c.key)
	}
	db.stop("fast")
	for _, p := range all {
		p.state("leased")
		if status, err := p.call(quick, c.key, "GET", "/guard/verify", "", nil); err != nil || status != 200 {
			t.Errorf("a known token is answered with %d, %v", status, err)
		}
		var health struct{ Database string }
		hallpasstest.Eventually(t, "/api/health to say that the database is failing", func() bool {
			status, err := p.call(quick, c.key, "GET", "/api/health", "", &health)
			return err == nil && status == 200 && health.Database == "failing"
		})
	}
	db.start()
	for _, p := range all {
		p.state("ready")
	}
}

// state waits until /readyz of the node reports one of those states.
func (p *process) state(want ...string) {
	p.t.Helper()
	hallpasstest.Eventually(p.t, fmt.Sprint("state ", want), func() bool {
		res, err := quick.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		defer func() { _ = res.Body.Close() }() // it was read whole
		var body struct{ State, Reason string }
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			p.t.Fatal(err)
		}
		ok := body.State == "ready" || body.State == "leased"
		if ok != (res.StatusCode == http.StatusOK) || (body.State == "ready") != (body.Reason == "") {
			p.t.Errorf("/readyz says %d %+v", res.StatusCode, body)
		}
		return slices.Contains(want, body.State)
	})
}

// cluster has nodes that can be restarted at the same address.
type cluster struct {
	t         *testing.T
	nodes     []*process
	addresses []string
	folders   []string
	env       [][]string
}

func (c *cluster) add(env []string) {
	c.t.Helper()
	c.nodes, c.env = append(c.nodes, nil), append(c.env, env)
	c.addresses, c.folders = append(c.addresses, freeAddress(c.t)), append(c.folders, c.t.TempDir())
	c.again(len(c.nodes) - 1)
}

// again starts the node, for the first time or after it ended, and waits until it is
// ready.
func (c *cluster) again(i int) {
	c.t.Helper()
	p := start(c.t, c.folders[i], c.env[i], "--listen", c.addresses[i])
	p.url = "http://" + c.addresses[i]
	p.await()
	c.nodes[i] = p
}

// served waits until the proxy sends requests of every kind to the node again. Only then
// may another node fail: the proxies notice late that a node is back.
func (c *cluster) served(i int) {
	c.t.Helper()
	p := c.nodes[i]
	mark := len(p.out.String())
	answered := func(door string) float64 {
		return p.metric(fmt.Sprintf("hallpass_http_request_duration_seconds_count{code=%q,door=%q}", "2xx", door))
	}
	reads, questions := answered("api"), answered("guard")
	hallpasstest.Eventually(c.t, "the proxy to use a node again", func() bool {
		return answered("guard") > questions && answered("api") > reads && strings.Contains(p.out.String()[mark:], `"method":"POST"`)
	})
}

// load sends requests of every kind through a proxy.
type load struct {
	*clients
	p    *proxied
	kept credential

	answered, changed, unknown, late atomic.Int64
}

func newLoad(p *proxied, kept credential) *load {
	return &load{clients: newClients(p.t), p: p, kept: kept}
}

// writers is how many clients change something at once.
const writers = 2

func (l *load) start() {
	l.read(func() (int, string) { return l.p.guarded(l.kept.key, "GET", "/api/v1/query?query=up") })
	l.read(func() (int, string) { return l.p.guarded(l.kept.key, "POST", "/api/v1/query") })
	l.read(func() (int, string) { return l.p.api(l.kept.key, "GET", "/api/org", "") })
	l.read(func() (int, string) { return l.p.api("", "GET", "/api/serviceaccounts/search", "") })
	for range writers {
		l.Go(l.write)
	}
}

// read sends a request that changes nothing, again and again. None may fail.
func (l *load) read(send func() (int, string)) {
	l.Go(func() {
		for !l.stopped.Load() {
			if status, text := send(); status != http.StatusOK {
				l.p.t.Errorf("a request failed: %d %s", status, text)
				return
			}
			l.answered.Add(1)
			time.Sleep(time.Millisecond) // other tests use this machine too
		}
	})
}

// write creates credentials and revokes them. Each step is answered with success or with
// 504. After a 504 write finds out whether the change was made, and repeats it if not.
func (l *load) write() {
	for !l.stopped.Load() {
		name := fmt.Sprintf("load-%d", credentials.Add(1))
		var account, token struct {
			ID  int64
			Key string
		}
		if !l.step("POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q,"role":"Viewer"}`, name), &account) ||
			!l.step("POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", account.ID), fmt.Sprintf(`{"name":%q}`, name), &token) {
			continue
		}
		if status, text := l.p.guarded(token.Key, "GET", "/"); status != http.StatusOK {
			l.p.t.Errorf("a new token is answered with %d %s", status, text)
		}
		path := fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", account.ID, token.ID)
		if !l.step("DELETE", path, "", nil) {
			continue
		}
		for range 6 { // enough to reach every node, as a rule
			if status, _ := l.p.guarded(token.Key, "GET", "/"); status == http.StatusOK {
				l.late.Add(1)
			}
		}
		l.changed.Add(1)
	}
}

// step makes one change, and reports whether the answer was a success.
func (l *load) step(method, path, body string, out any) bool {
	status, text := l.p.api("", method, path, body)
	switch {
	case status == http.StatusOK || status == http.StatusCreated:
		if out != nil {
			if err := json.Unmarshal([]byte(text), out); err != nil {
				l.p.t.Error(err)
			}
		}
		return true
	case status == http.StatusNotFound && method == "DELETE": // sent twice: the first answer was lost
		return true
	case status == http.StatusGatewayTimeout || status == http.StatusBadGateway || strings.HasSuffix(text, ": EOF"): // HAProxy closes the connection after such an answer
		l.unknown.Add(1)
	default:
		l.p.t.Errorf("%s %s: %d %s", method, path, status, text)
	}
	return false
}

// goOn waits until so many more requests of each kind were answered.
func (l *load) goOn(n int64) {
	l.p.t.Helper()
	answered, changed := l.answered.Load(), l.changed.Load()
	hallpasstest.Eventually(l.p.t, "more requests", func() bool {
		return l.p.t.Failed() || l.answered.Load() > answered+n && l.changed.Load() > changed+n/50
	})
}

// check ends the load and says what came of it.
func (l *load) check() {
	l.p.t.Helper()
	l.end()
	l.p.t.Logf("%d requests and %d credentials: %d changes not confirmed, %d revoked tokens accepted", l.answered.Load(), l.changed.Load(), l.unknown.Load(), l.late.Load())
	if l.late.Load() > 0 {
		l.p.t.Errorf("%d requests with a token that was revoked were accepted", l.late.Load())
	}
	// Only requests that were in progress when a node was cut off or killed may be unsure.
	if n := l.unknown.Load(); n > 2*writers {
		l.p.t.Errorf("%d changes were not confirmed, of which %d may have been in the middle", n, 2*writers)
	}
}
