package test_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// telling is a row of the manual: which server logs what about a fault, and which alert
// fires.
type telling struct{ at, says, alert string }

// manualFaults reads the table "What tells of it" of docs/operations.md.
func manualFaults(t *testing.T) map[string][]telling {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text2, found := strings.Cut(string(text), "### What tells of it")
	section, _, ends := strings.Cut(text2, "\n##")
	if !found || !ends {
		t.Fatal("operations.md does not say what tells of faults")
	}
	rows := make(map[string][]telling)
	row := regexp.MustCompile("(?m)^\\| ([^|]+) \\| ([^|]+) \\| (?:`([^`]+)`[^|]*)?\\| ?(\\w*) ?\\|$")
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		if m[1] != "fault" {
			rows[m[1]] = append(rows[m[1]], telling{m[2], m[3], m[4]})
		}
	}
	if len(rows) < 10 {
		t.Fatalf("only %d faults were read", len(rows))
	}
	return rows
}

// toldElsewhere are the faults for which other tests read the log.
var toldElsewhere = map[string]bool{"the standby is silent": true, "failover to an older copy": true}

// watched has servers that a real Prometheus watches.
type watched struct {
	t          *testing.T
	prometheus string
	mark       map[*process]int // how much of the log was there before the fault
}

// name returns the name of a node.
func (p *process) name() string {
	p.t.Helper()
	host, err := os.Hostname()
	if err != nil {
		p.t.Fatal(err)
	}
	return host + p.url[strings.LastIndex(p.url, ":"):]
}

// tells waits until the log of the process has a line, after the first mark bytes, with
// those words and those attributes.
func (p *process) tells(mark int, words string, attributes map[string]string) {
	p.t.Helper()
	hallpasstest.Eventually(p.t, fmt.Sprintf("%s to log %q %v", p.name(), words, attributes), func() bool {
		lines := bufio.NewScanner(strings.NewReader(p.out.String()[mark:]))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line map[string]any
			if json.Unmarshal(lines.Bytes(), &line) != nil || !strings.Contains(fmt.Sprint(line["msg"]), words) {
				continue
			}
			ok := true
			for k, v := range attributes {
				ok = ok && line[k] == v
			}
			if ok {
				return true
			}
		}
		return false
	})
}

// errs returns the lines of the log at level error, without those about a lease that is
// over, which are normal when the database is away.
func (p *process) errs() (list []string) {
	for line := range strings.Lines(p.out.String()) {
		if strings.Contains(line, `"level":"ERROR"`) && !strings.Contains(line, `"msg":"the lease is over`) {
			list = append(list, line)
		}
	}
	return list
}

// firing returns the values of a label in the alerts of that name that fire now.
func (w *watched) firing(alert, label string) map[string]bool {
	var all struct {
		Alerts []struct {
			State  string
			Labels map[string]string
		}
	}
	ask(w.t, w.prometheus+"/api/v1/alerts", &all)
	values := make(map[string]bool)
	for _, a := range all.Alerts {
		if a.State == "firing" && a.Labels["alertname"] == alert {
			values[a.Labels[label]] = true
		}
	}
	return values
}

// about returns the label by which the alert names a server, and its value there.
func about(alert string, p *process) (label, value string) {
	if alert == "HallpassNodeSilent" {
		return "node", p.name()
	}
	return "instance", strings.TrimPrefix(p.url, "http://")
}

// impatient shortens the times of the alerts to seconds. Their expressions stay the same.
var impatient = strings.NewReplacer("_interval: 15s", "_interval: 250ms", "for: 15s", "for: 0s", "for: 30s", "for: 0s", "for: 1m", "for: 0s", "for: 2m", "for: 0s",
	"[1m]", "[3s]", "[5m]", "[5s]", "> 30\n", "> 1.5\n")

// TestFaultsAreTold injects the faults of the manual into running servers. Each server that
// can notice the fault logs what the manual says, with the name of the right node. A real
// Prometheus fires the alert for the right server, and ends it when the fault is over.
func TestFaultsAreTold(t *testing.T) {
	program := needs(t, "prometheus")
	db, other := newPostgres(t), newPostgres(t)
	foreign := node(t, other.url()) // an installation of its own
	foreign.await()
	foreign.kill()
	wire := newWire(t, db.port)
	c := cluster{t: t}
	for _, url := range []string{db.url(wire.port()), db.url(), db.url()} {
		// A node is called silent after a second, and removed when its lease is over. On
		// a busy machine both others need this long to notice it in between.
		c.add(nodeEnv(url, "HALLPASS_DATABASE_MAX_STALENESS=4s"))
	}
	data, full := t.TempDir(), ""
	if os.Getuid() == 0 {
		full = small(t, 48<<20)
	}
	alone := serve(t, data)
	servers := append([]*process{alone}, c.nodes...)
	var filled *process
	if full != "" {
		filled = serve(t, full)
		servers = append(servers, filled)
	}
	w := &watched{t: t, prometheus: scrapeIn(t, program, impatient, servers...), mark: make(map[*process]int)}
	it, others := c.nodes[0], c.nodes[1:]

	// Every server on SQLite gets requests with a token all the time, so that it always has
	// last uses to write.
	users := newClients(t)
	for _, p := range []*process{alone, filled} {
		if p != nil {
			used := p.mint()
			users.Go(func() {
				for ; !users.stopped.Load(); time.Sleep(100 * time.Millisecond) { // a steady caller
					p.use(used.key)
				}
			})
		}
	}

	faults := []struct {
		name   string
		inject func() (heal func())
		it     *process // the server with the fault; nil: all servers have it
		all    []*process
	}{
		{"PostgreSQL is away", func() func() { db.stop("fast"); return db.start }, nil, c.nodes},
		{"a server is cut off", func() func() { wire.cut(true, true); return func() { wire.cut(false, false) } }, it, others},
		{"a server is frozen", func() func() { it.signal(syscall.SIGSTOP); return func() { it.signal(syscall.SIGCONT) } }, it, others},
		{"the way to the database is slow", func() func() {
			wire.delay(150 * time.Millisecond)
			return func() { wire.delay(0) }
		}, it, nil},
		{"LISTEN is lost alone", func() func() {
			const listening = "FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
			hallpasstest.Eventually(t, "all to listen", func() bool { return db.count("SELECT COUNT(*) "+listening) == len(c.nodes) })
			db.exec("SELECT pg_terminate_backend(pid) " + listening)
			return func() {}
		}, nil, c.nodes},
		{"somebody writes to PostgreSQL by hand", func() func() { db.exec("DELETE FROM tokens WHERE id = 0"); return func() {} }, nil, c.nodes},
		{"the wrong database", func() func() { wire.lead(other.port); return func() { wire.lead(db.port) } }, it, nil},
		{"a server crashes", func() func() { it.kill(); return func() { c.again(0) } }, it, others},
		{"another process locks the SQLite file", func() func() {
			file := sqlite(t, filepath.Join(data, "hallpass.db"))
			if _, err := file.Exec("BEGIN EXCLUSIVE"); err != nil {
				t.Fatal(err)
			}
			return func() {
				if _, err := file.Exec("ROLLBACK"); err != nil {
					t.Error(err)
				}
			}
		}, alone, nil},
		{"another process changes the SQLite file", func() func() {
			if _, err := sqlite(t, filepath.Join(data, "hallpass.db")).Exec("UPDATE tokens SET name = name || 'x'"); err != nil {
				t.Fatal(err)
			}
			return func() {}
		}, alone, nil},
		{"the disk of SQLite is full", func() func() {
			path := fill(t, full)
			return func() {
				if err := os.Remove(path); err != nil {
					t.Error(err)
				}
			}
		}, filled, nil},
	}
	rows := manualFaults(t)
	for name := range toldElsewhere {
		if rows[name] == nil {
			t.Errorf("the manual says nothing of %s", name)
		}
		delete(rows, name)
	}
	for _, f := range faults {
		list := rows[f.name]
		delete(rows, f.name)
		if len(list) == 0 {
			t.Errorf("the manual says nothing of %s", f.name)
		}
		if f.it == nil && f.all == nil { // no small file system can be made here
			t.Logf("skipped: %s", f.name)
			continue
		}
		for _, p := range servers {
			w.mark[p] = len(p.out.String())
		}
		began := time.Now()
		heal := f.inject()
		var ends []func() bool
		for _, r := range list {
			ends = append(ends, w.look(f.name, r, f.it, f.all)...)
		}
		heal()
		for _, over := range ends {
			hallpasstest.Eventually(t, f.name+": the alert to end", over)
		}
		for _, p := range c.nodes {
			p.state("ready")
		}
		t.Logf("%s: %s", f.name, time.Since(began).Round(100*time.Millisecond))
		if f.it == nil { // a fault of all servers leaves none that must be silent
			for _, p := range c.nodes {
				if strings.Contains(p.out.String()[w.mark[p]:], "a node is silent") {
					t.Errorf("%s: %s blames another node", f.name, p.name())
				}
			}
		}
		it = c.nodes[0]
	}
	for name := range rows {
		t.Errorf("nobody injects the fault %q of the manual", name)
	}
}

// look checks that the row is true now. It returns the conditions that must hold after
// the fault.
func (w *watched) look(fault string, r telling, it *process, others []*process) (ends []func() bool) {
	w.t.Helper()
	at := others
	attributes := func(p *process) map[string]string { return map[string]string{"node": p.name()} }
	switch {
	case r.at == "it":
		at = []*process{it}
	case r.at == "the others":
		attributes = func(p *process) map[string]string {
			return map[string]string{"node": p.name(), "silent_node": it.name()}
		}
	}
	for _, p := range at {
		if r.says != "" {
			with := attributes(p)
			if !strings.Contains(p.out.String(), `"node":`) { // a single server needs no name
				with = nil
			}
			p.tells(w.mark[p], r.says, with)
		}
	}
	if r.alert == "" {
		return nil
	}
	who := at
	if it != nil {
		who = []*process{it}
	}
	for _, p := range who {
		label, value := about(r.alert, p)
		hallpasstest.Eventually(w.t, fmt.Sprintf("%s: the alert %s to fire for %s", fault, r.alert, value), func() bool { return w.firing(r.alert, label)[value] })
		ends = append(ends, func() bool { return !w.firing(r.alert, label)[value] })
	}
	if it == nil && len(w.firing("HallpassNodeSilent", "node")) > 0 {
		w.t.Errorf("%s: a node is called silent", fault)
	}
	return ends
}

// TestFarDatabase gives the database the longest delay that the manual allows. The node
// keeps its lease, the others see it as live, it can revoke, and it logs that the round
// trip is long.
func TestFarDatabase(t *testing.T) {
	t.Parallel() // it mostly waits for heartbeats
	const bound = 4 * time.Second
	db := newPostgres(t)
	wire := newWire(t, db.port)
	env := "HALLPASS_DATABASE_MAX_STALENESS=" + bound.String()
	near, p := node(t, db.url(), env), node(t, db.url(wire.port()), env)
	near.await()
	p.await()
	c, kept := near.mint(), near.mint()
	if a, b := p.answers(c.key), p.answers(kept.key); a != 200 || b != 200 {
		t.Fatal(a, b)
	}
	wire.delay(bound / 20)
	// A busy machine causes delays too. A node whose heartbeats are this slow is then
	// silent indeed, but not all the time.
	mark, beats, age := len(near.out.String()), 0, 0.0
	hallpasstest.Eventually(t, "heartbeats of a node that is far away, which is not called silent meanwhile", func() bool {
		was := age
		if age = p.metric("hallpass_view_age_seconds "); age < was {
			beats++
		}
		if strings.Contains(near.out.String()[mark:], `"msg":"a node is silent`) {
			mark, beats = len(near.out.String()), 0
		}
		return beats > 8
	})
	p.tells(0, "heartbeats are slow", map[string]string{"node": p.name()})
	p.end(0, c)
	if a, b := p.use(c.key), near.use(c.key); a == 200 || b == 200 {
		t.Errorf("a revoked token: %d and %d", a, b)
	}
	if status := p.answers(kept.key); status != 200 {
		t.Errorf("a known token is answered with %d", status)
	}
}
