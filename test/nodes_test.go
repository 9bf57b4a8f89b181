package test_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// staleness is the max_staleness of the nodes in these tests.
const staleness = 2 * time.Second

// node starts a node on the database at url.
func node(t *testing.T, url string, env ...string) *process {
	t.Helper()
	return start(t, t.TempDir(), nodeEnv(url, env...))
}

func nodeEnv(url string, env ...string) []string {
	return append([]string{"HALLPASS_DATABASE_TYPE=postgres", "HALLPASS_DATABASE_URL=" + url, "HALLPASS_DATABASE_MAX_STALENESS=" + staleness.String(), "HALLPASS_SERVER_SHUTDOWN_DELAY=0s"}, env...)
}

// nodes starts n nodes at once and returns when all are ready.
func nodes(t *testing.T, n int, url string, env ...string) []*process {
	t.Helper()
	list := make([]*process, n)
	for i := range list {
		list[i] = node(t, url, env...)
	}
	for _, p := range list {
		p.await()
	}
	return list
}

// caller is an HTTP client with a timeout and enough idle connections.
func caller(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
}

var quick = caller(hallpasstest.Patience)

// use calls GET /api/org with the token once and returns the status, 0 for no answer. On
// a busy machine a node may lose its lease, and then it rightly answers 503. A test that
// needs a decision about the token calls answers instead.
func (p *process) use(token string) int {
	status, err := p.call(quick, token, "GET", "/api/org", "", nil)
	if err != nil {
		return 0
	}
	return status
}

// answers is use, repeated while the node answers 503.
func (p *process) answers(token string) (status int) {
	p.t.Helper()
	hallpasstest.Eventually(p.t, "an answer of the node that is not 503", func() bool {
		status = p.use(token)
		return status != 0 && status != http.StatusServiceUnavailable
	})
	return status
}

// must calls as the admin and fails the test on another status. It repeats the call while
// the node answers 503, which means that nothing was changed.
func (p *process) must(want int, method, path, body string, out any) {
	p.t.Helper()
	var status int
	var err error
	hallpasstest.Eventually(p.t, method+" "+path, func() bool {
		status, err = p.call(quick, "", method, path, body, out)
		return err != nil || status != http.StatusServiceUnavailable || want == status
	})
	if err != nil || status != want {
		p.t.Fatalf("%s %s: %d, %v, want %d\n%s", method, path, status, err, want, p.out)
	}
}

// credential is a token and the account that was created for it.
type credential struct {
	account, token int64
	key            string
}

var credentials atomic.Int64

// mint creates an account with a token through the node.
func (p *process) mint() credential {
	p.t.Helper()
	var account struct{ ID int64 }
	name := "ci-" + strconv.FormatInt(credentials.Add(1), 10)
	p.must(201, "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q,"role":"Viewer"}`, name), &account)
	var token struct {
		ID  int64
		Key string
	}
	p.must(200, "POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", account.ID), fmt.Sprintf(`{"name":%q}`, name), &token)
	return credential{account.ID, token.ID, token.Key}
}

// roleCut is the way of ends after which the token is still good and permits less.
const roleCut = 2

// ends are the ways to end a token or what it may do.
var ends = []func(c credential) (method, path, body string){
	func(c credential) (string, string, string) {
		return "DELETE", fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", c.account, c.token), ""
	},
	func(c credential) (string, string, string) {
		return "PATCH", fmt.Sprintf("/api/serviceaccounts/%d", c.account), `{"isDisabled":true}`
	},
	func(c credential) (string, string, string) {
		return "PATCH", fmt.Sprintf("/api/serviceaccounts/%d", c.account), `{"role":"None"}`
	},
	func(c credential) (string, string, string) {
		return "DELETE", fmt.Sprintf("/api/serviceaccounts/%d", c.account), ""
	},
}

// end ends the credential through the node, in the way i, and returns the duration. It
// repeats the call while the node answers 503: the machine may be busy, or the node may
// have connections from before a failover.
func (p *process) end(i int, c credential) time.Duration {
	p.t.Helper()
	method, path, body := ends[i%len(ends)](c)
	began := time.Now()
	hallpasstest.Eventually(p.t, method+" "+path, func() bool {
		status, err := p.call(quick, "", method, path, body, nil)
		if err != nil || status != 200 && status != 404 && status != 503 && status != 504 {
			p.t.Fatalf("%s %s: %d, %v\n%s", method, path, status, err, p.out)
		}
		return status < 500 // 404: the first answer was 504, and the change was made
	})
	return time.Since(began)
}

// TestRevokedOnEveryNode ends credentials through one node while they are used on all, by
// every door. No request that begins after the answer is accepted. A credential that one
// node created works on the others at the first try (SEC-37).
func TestRevokedOnEveryNode(t *testing.T) {
	want := rounds(t, "HALLPASS_TEST_REVOCATIONS", 120)
	late, took := revokeOnEveryNode(t, want)
	if late > 0 {
		t.Errorf("%d requests were accepted that began after the revocation was answered", late)
	}
	t.Logf("time to acknowledge: median %s, p99 %s", took[len(took)/2], took[len(took)*99/100])
}

// revokeOnEveryNode does so many rounds. It returns how many requests were accepted too
// late, and the durations of the revocations, the shortest first.
func revokeOnEveryNode(t *testing.T, want int) (accepted int64, took []time.Duration) {
	t.Helper()
	all := nodes(t, 3, newPostgres(t).url(), "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1/32")
	doors := newDoors(t, all)
	var next atomic.Int64
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for i := int(next.Add(1)); i <= want && !t.Failed(); i = int(next.Add(1)) {
				d := endInUse(t, all, doors, i)
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	slices.Sort(took)
	if len(took) < want {
		t.Fatalf("%d of %d rounds", len(took), want)
	}
	t.Logf("%d revocations through 3 nodes", len(took))
	for _, d := range doors {
		t.Logf("%s: %d requests, %d accepted afterwards", d.name, d.used.Load(), d.late.Load())
		accepted += d.late.Load()
		if d.used.Load() == 0 && want >= len(doors)*len(ends) {
			t.Errorf("%s was not asked at all", d.name)
		}
	}
	return accepted, took
}

// endInUse does round i: it creates a credential, ends it while each node is asked about it
// by another door, and returns how long the end took.
func endInUse(t *testing.T, all []*process, doors []*door, i int) time.Duration {
	t.Helper()
	c := all[i%3].mint()
	var ended, stop atomic.Bool
	var hitters sync.WaitGroup
	for n, p := range all {
		if status := p.answers(c.key); status != http.StatusOK {
			t.Errorf("round %d: the first answer on node %d: %d", i, n, status)
		}
		d := doors[(i/len(ends)+n)%len(doors)]
		if d.verifies && i%len(ends) == roleCut {
			d = doors[0]
		}
		hallpasstest.Eventually(t, d.name+" to accept it", func() bool { return d.ask(p, c.key) == http.StatusOK })
		hitters.Go(func() {
			for !stop.Load() {
				after := ended.Load()
				status := d.ask(p, c.key)
				if d.used.Add(1); after && status == http.StatusOK {
					d.late.Add(1)
				}
			}
		})
	}
	took := all[rand.IntN(3)].end(i, c)
	ended.Store(true)
	time.Sleep(10 * time.Millisecond) // time in which no node may accept the token
	stop.Store(true)
	hitters.Wait()
	return took
}

// listed returns how many nodes are in the node's list.
func (p *process) listed() int {
	p.t.Helper()
	var list []struct{ Name string }
	p.must(200, "GET", "/api/admin/nodes", "", &list)
	return len(list)
}

// TestNeverServed runs programs on the database of a running node that serve nothing: one
// whose address is in use, and one that sets the password of a user. They leave no node
// behind for which revocations would wait.
func TestNeverServed(t *testing.T) {
	db := newPostgres(t)
	p := node(t, db.url())
	p.await()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for what, args := range map[string][]string{
		"in use":      {"serve", "--listen", strings.TrimPrefix(p.url, "http://")},
		"was changed": {"admin", "reset-password"},
	} {
		cmd := exec.Command(path, append(args, "--data", t.TempDir())...)
		cmd.Env = append(os.Environ(), nodeEnv(db.url())...)
		cmd.Stdin = strings.NewReader("a quiet harbour under snow\n")
		out, err := cmd.CombinedOutput()
		if failed := err != nil; failed != (args[0] == "serve") || !strings.Contains(string(out), what) {
			t.Errorf("%v: %v %s", args, err, out)
		}
		if n := db.count("SELECT count(*) FROM nodes"); n != 1 {
			t.Errorf("after %v the database lists %d nodes, want the one that runs", args, n)
		}
	}
}

// TestEveryLineNamesItsNode reads everything that a node logs from its start to its end.
// Each line names the node, because operators read the logs of several nodes together.
func TestEveryLineNamesItsNode(t *testing.T) {
	p := node(t, newPostgres(t).url(), "HALLPASS_SECURITY_ADMIN_PASSWORD=")
	p.await()
	p.signal(syscall.SIGHUP)
	hallpasstest.Eventually(t, "the settings to be read again", func() bool { return strings.Contains(p.out.String(), "settings were read again") })
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(p.out.String(), "the first admin was created") {
		t.Error("the log does not say where the first password is")
	}
	for line := range strings.Lines(p.out.String()) {
		if !strings.Contains(line, `"node":"`+p.name()+`"`) {
			t.Errorf("a line does not name the node: %s", line)
		}
	}
}

// signal sends the process a signal.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// TestFrozenNode freezes a node, as when its machine is paused. The others wait once for
// its lease to end. Afterwards the node does not answer from its old memory.
func TestFrozenNode(t *testing.T) {
	all := nodes(t, 3, newPostgres(t).url())
	first, second := all[0].mint(), all[0].mint()
	for _, p := range all {
		if a, b := p.answers(first.key), p.answers(second.key); a != 200 || b != 200 {
			t.Fatal(a, b)
		}
	}
	frozen := all[2]
	frozen.signal(syscall.SIGSTOP)
	t.Logf("the first revocation waited %s", all[0].end(0, first))
	hallpasstest.Eventually(t, "the frozen node to leave the list", func() bool { return all[1].listed() == 2 })
	t.Logf("the second, without the frozen node in the list, waited %s", all[1].end(1, second))
	for _, p := range all[:2] {
		if a, b := p.answers(first.key), p.answers(second.key); a != 401 || b != 401 {
			t.Errorf("ended, and answered %d and %d", a, b)
		}
	}
	for _, says := range []string{"a node is silent", "left the list"} {
		if !strings.Contains(all[0].out.String(), says) {
			t.Errorf("the log of another node does not say %q:\n%s", says, all[0].out)
		}
	}
	frozen.signal(syscall.SIGCONT)
	for until := time.Now().Add(2 * staleness); time.Now().Before(until); {
		if a, b := frozen.use(first.key), frozen.use(second.key); a == 200 || b == 200 {
			t.Fatalf("the node that was frozen answers %d and %d to what was ended meanwhile", a, b)
		}
	}
	third := all[0].mint()
	if status := frozen.answers(third.key); status != 200 {
		t.Errorf("the node that was frozen answers %d to a new token", status)
	}
	all[0].end(0, third)
	for i, p := range all {
		if status := p.use(third.key); status == 200 {
			t.Errorf("with all nodes back, node %d accepts what has ended", i)
		}
	}
}

// TestCutOff cuts a node off from the database, in one direction, the other, and both. The
// node answers 503 when its lease is over, and recovers by itself (SEC-38).
func TestCutOff(t *testing.T) {
	db := newPostgres(t)
	other := node(t, db.url())
	other.await()
	for _, tt := range []struct {
		name     string
		to, from bool
	}{{"what it sends", true, false}, {"what it is answered", false, true}, {"both", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, db.port)
			p := node(t, db.url(w.port()))
			p.await()
			kept, ended := other.mint(), other.mint()
			if a, b := p.answers(kept.key), p.answers(ended.key); a != 200 || b != 200 {
				t.Fatal(a, b)
			}
			w.cut(tt.to, tt.from)
			cutAt := time.Now()
			t.Logf("a revocation waited %s", other.end(0, ended))
			if status := p.use(ended.key); status != 503 && status != 401 {
				t.Errorf("ended elsewhere, and answered %d", status)
			}
			time.Sleep(time.Until(cutAt.Add(staleness + 200*time.Millisecond))) // the lease runs out meanwhile, and no later
			for path, want := range map[string]int{"/api/org": 503, "/readyz": 503, "/healthz": 200} {
				status, err := p.call(quick, kept.key, "GET", path, "", nil)
				if err != nil || status != want {
					t.Errorf("%s while cut off: %d, %v, want %d", path, status, err, want)
				}
			}
			w.cut(false, false)
			p.right(kept, ended)
			if err := p.stop(); err != nil {
				t.Errorf("stop: %v\n%s", err, p.out)
			}
		})
	}
}

// right waits until the node accepts kept again. It fails the test if the node accepts a
// credential that has ended.
func (p *process) right(kept credential, ended ...credential) {
	p.t.Helper()
	back := hallpasstest.Within(hallpasstest.Patience, func() bool {
		for _, c := range ended {
			if status := p.use(c.key); status == 200 {
				p.t.Fatalf("what has ended is answered with %d", status)
			}
		}
		status := p.use(kept.key)
		if status != 200 && status != 503 && status != 0 {
			p.t.Fatalf("a good token is answered with %d\n%s", status, p.out)
		}
		return status == 200
	})
	if !back {
		p.t.Fatalf("the node did not come back within %s\n%s", hallpasstest.Patience, p.out)
	}
	for _, c := range ended {
		if status := p.answers(c.key); status != 401 && status != 403 { // an account without a role is authenticated, but refused with 403
			p.t.Errorf("what has ended is answered with %d", status)
		}
	}
}

// TestDatabaseRestarts stops the database for less than max_staleness: the node still
// verifies the tokens that it knows. When the database is away for longer, the node
// verifies nothing. When the database is back, the node recovers without a restart.
func TestDatabaseRestarts(t *testing.T) {
	db := newPostgres(t)
	const bound = 3 * staleness // enough also on a busy machine
	all := []*process{node(t, db.url(), "HALLPASS_DATABASE_MAX_STALENESS="+bound.String()), node(t, db.url(), "HALLPASS_DATABASE_MAX_STALENESS="+bound.String())}
	for _, p := range all {
		p.await()
	}
	kept, ended := all[0].mint(), all[0].mint()
	all[1].end(0, ended)
	for name, stop := range map[string]func(){"fast": func() { db.stop("fast") }, "immediate": func() { db.stop("immediate") }, "kill -9": db.kill} {
		t.Run(name, func(t *testing.T) {
			for _, p := range all {
				p.right(kept, ended)
			}
			ending := time.Now()
			stop()
			for _, p := range all {
				if status := p.use(kept.key); status != 200 && time.Since(ending) < bound/3 {
					t.Errorf("right after the database ended: %d", status)
				}
				if status, err := p.call(quick, "", "POST", "/api/serviceaccounts", `{"name":"late"}`, nil); err != nil || status != 503 {
					t.Errorf("a change without a database: %d, %v", status, err)
				}
			}
			time.Sleep(bound + 100*time.Millisecond) // the lease runs out meanwhile, and no later
			for _, p := range all {
				if status := p.use(kept.key); status != 503 {
					t.Errorf("without a database for longer than may be: %d", status)
				}
			}
			db.start()
			for _, p := range all {
				p.right(kept, ended)
			}
		})
	}
	for _, p := range all {
		if len(p.errs()) > 0 {
			t.Errorf("an error was logged:\n%s", p.out)
		}
	}
}

// TestOlderCopy replaces the database with an older copy. Nothing that had ended is valid
// again.
func TestOlderCopy(t *testing.T) {
	db := newPostgres(t)
	all := nodes(t, 2, db.url())
	kept := all[0].mint()
	var gone []credential
	for range len(ends) {
		gone = append(gone, all[0].mint())
	}
	copied := db.copied()
	for _, p := range all {
		p.right(kept)
	}
	for i, c := range gone {
		all[i%2].end(i, c)
	}
	for _, p := range all {
		for i, c := range gone {
			if status := p.use(c.key); status == 200 {
				t.Fatalf("ended in the way %d, and answered 200", i)
			}
		}
	}
	for _, p := range all { // of a change that the database does not tell any more a person would have to decide
		p.journaled(fmt.Sprintf(`"v":%d,`, db.count("SELECT MAX(v) FROM changes")))
	}
	db.kill()
	present := db.dir
	db.dir = copied
	db.start()
	for _, p := range all {
		for until := time.Now().Add(30 * time.Second); !strings.Contains(p.out.String(), "older than this node remembers"); {
			for i, c := range gone {
				if status := p.use(c.key); status == 200 {
					t.Fatalf("ended in the way %d, and back with the older copy", i)
				}
			}
			if time.Now().After(until) {
				t.Fatalf("nobody noticed the older copy\n%s", p.out)
			}
		}
	}
	for _, r := range manualFaults(t)["failover to an older copy"] {
		for _, p := range all {
			p.tells(0, r.says, map[string]string{"node": p.name()})
		}
	}
	for _, p := range all {
		p.right(kept)
		for i, c := range gone {
			if status := p.answers(c.key); status != 401 && status != 403 {
				t.Errorf("ended in the way %d: %d with the older copy\n%s", i, status, p.out)
			}
		}
	}
	again := all[0].mint()
	all[1].end(0, again)
	if status := all[0].answers(again.key); status != 401 {
		t.Errorf("ended after the failover: %d", status)
	}
	db.dir = present
}

// TestOlderCopyRestarted kills the only node after revocations were answered, and starts
// it on an older copy of the database. No other node knows what had ended, and still
// nothing of it is valid again.
func TestOlderCopyRestarted(t *testing.T) {
	db := newPostgres(t)
	data := t.TempDir()
	p := start(t, data, nodeEnv(db.url()))
	p.await()
	kept := p.mint()
	var gone []credential
	for range len(ends) {
		gone = append(gone, p.mint())
	}
	copied := db.copied()
	p.right(kept)
	for i, c := range gone {
		p.end(i, c)
	}
	p.journaled(fmt.Sprintf(`"v":%d,`, db.count("SELECT MAX(v) FROM changes")))
	p.kill()
	db.kill()
	present := db.dir
	db.dir = copied
	db.start()
	p = start(t, data, nodeEnv(db.url()))
	for ready := false; !ready; {
		status, err := p.call(quick, "", "GET", "/readyz", "", nil)
		ready = err == nil && status == 200
		for i, c := range gone {
			if status := p.use(c.key); status == 200 {
				t.Fatalf("ended in the way %d, and back after a restart on the older copy\n%s", i, p.out)
			}
		}
		select {
		case err := <-p.done:
			t.Fatalf("the node ended: %v\n%s", err, p.out)
		default:
		}
	}
	p.right(kept, gone...)
	db.dir = present
}
