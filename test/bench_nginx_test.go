package test_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// nginx measures nginx that asks a guard with a hundred rules, beside the same nginx that
// asks nobody. Both have the configuration of the manual, run on the servers' core and send
// the requests to the same bare server on the core of the load; Hallpass is on the servers'
// core too. So what nginx alone could do in the time goes to nginx and to Hallpass.
func (b *bench) nginx(s stock) {
	t := b.t
	s.addGuard(t, "bench", 100)
	api, apiURL := b.bareOn("1")
	ours := b.serve(s, "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1")
	defer b.stop(ours)
	at := behind{hallpass: strings.TrimPrefix(ours.url, "http://"), api: strings.TrimPrefix(apiURL, "http://"), guard: "bench"}
	asking, url := b.startNginx(at)
	at.replaced = []string{"auth_request     /_hallpass;", "auth_request off;"}
	alone, aloneURL := b.startNginx(at)
	const path = "/app/last/x/values?query=up"
	token := s.tokens[:1]
	for _, tt := range []struct {
		url, token string
		status     int
	}{{url, token[0], http.StatusOK}, {url, "", http.StatusUnauthorized}, {aloneURL, "", http.StatusOK}} {
		c := newGuardClient(t, strings.TrimPrefix(tt.url, "http://"))
		c.until(tt.status, tt.token, path)
	}
	b.warm(aloneURL+path, token)
	b.warm(url+path, token)
	var judging []float64 // microseconds of Hallpass for each request
	x, y := b.inTurn(
		func() result { return b.load(alone, aloneURL+path, benchConns, token, api) },
		func() result {
			before := processTicks(t, ours.cmd.Process)
			r := b.load(asking, url+path, benchConns, token, api, ours.cmd.Process)
			judging = append(judging, (processTicks(t, ours.cmd.Process)-before)/ticksPerSecond*1e6/r.requests)
			return r
		})
	b.tell("nginx with a guard of 100 rules ÷ nginx alone, requests a second", "%.3f", y.rps/x.rps)
	b.tell("the same, p99 ÷ nginx alone", "%.2f", y.p99/x.p99)
	b.tell("the same, processor time for a request: nginx alone, us", "%.1f", x.cpu)
	b.tell("the same, processor time for a request: nginx that asks, us", "%.1f", y.cpu)
	b.tell("the same, processor time for a request: Hallpass, us", "%.1f", median(judging))
}

// startNginx starts nginx with the configuration of its page on the servers' core. It
// returns the process that does the work, which is a child of the first, and the URL.
func (b *bench) startNginx(at behind) (worker *os.Process, url string) {
	t := b.t
	t.Helper()
	program, address := needs(t, "nginx"), freeAddress(t)
	first := daemon(t, address, "taskset", append([]string{"-c", "0", program}, nginxArguments(t, at, address)...)...)
	hallpasstest.Eventually(t, "nginx to have a worker", func() bool {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first.Pid, first.Pid))
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
		if err != nil {
			return false
		}
		worker, err = os.FindProcess(pid)
		return err == nil
	})
	return worker, "http://" + address
}
