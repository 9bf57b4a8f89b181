package test_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// crowd verifies 200 tokens a second: first without other load, then while 250 people sign
// in at once from as many addresses, a third of them with a wrong password.
func (b *bench) crowd(s stock) {
	t := b.t
	p := start(t, s.data, []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=0s", "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1"})
	p.await()
	defer b.stop(p)
	b.warm(p.url+"/guard/verify", s.tokens[:1000])
	const people, users = 250, 50
	var idle, crowded []float64
	var signedIn, wrong, busy, lost atomic.Int64
	slowest := 0.0
	for round := range b.rounds {
		for i := range users { // new users: the server remembers a password that was right
			status, err := p.call(quick, "", "POST", "/api/admin/users", fmt.Sprintf(`{"login":"user-%d-%d","password":%q}`, round, i, adminPassword+"!"), nil)
			if status != http.StatusOK {
				t.Fatalf("make a user: %d, %v", status, err)
			}
		}
		idle = append(idle, percentile(b.paced(p, s.tokens[:1000], time.After(b.each)), 0.99))
		began, done := time.Now(), make(chan time.Time)
		var signing sync.WaitGroup
		for i := range people {
			signing.Go(func() {
				password := adminPassword + "!"
				if i%3 == 0 {
					password = "a guess, and a wrong one"
				}
				switch status := p.signIn(fmt.Sprintf("user-%d-%d", round, i%users), password, fmt.Sprintf("10.%d.0.%d", round, i)); {
				case status == http.StatusOK && i%3 != 0:
					signedIn.Add(1)
				case status == http.StatusUnauthorized && i%3 == 0:
					wrong.Add(1)
				case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
					busy.Add(1)
				default:
					lost.Add(1)
				}
			})
		}
		go func() { signing.Wait(); close(done) }()
		crowded = append(crowded, percentile(b.paced(p, s.tokens[:1000], done), 0.99))
		slowest = max(slowest, time.Since(began).Seconds())
	}
	t.Logf("signed in %d, wrong %d, told to come again %d; p99 in ms alone %.2f, with the crowd %.2f", signedIn.Load(), wrong.Load(), busy.Load(), idle, crowded)
	b.add("250 sign-ins at once: not answered, or otherwise than they should be", "%.0f", float64(lost.Load()), "0", lost.Load() == 0)
	b.add("the same: seconds until the last was answered", "%.1f", slowest, "≤ 5", slowest <= 5)
	ratio := median(crowded) / median(idle)
	b.add("the same: p99 of 200 verifications a second ÷ p99 without the crowd", "%.2f", ratio, "< 2", ratio < 2)
}

// paced verifies 200 tokens a second until the end, and returns the duration of each in
// milliseconds.
func (b *bench) paced(p *process, tokens []string, end <-chan time.Time) []float64 {
	var mu sync.Mutex
	var took []float64
	var asking sync.WaitGroup
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-end:
			asking.Wait()
			return took
		case <-tick.C:
			asking.Go(func() {
				began := time.Now()
				r, err := http.NewRequest("GET", p.url+"/guard/verify", nil)
				if err != nil {
					b.t.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+tokens[i%len(tokens)])
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					b.t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body) // only the status is needed
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					b.t.Errorf("a good token: %d", res.StatusCode)
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(began).Seconds()*1000)
			})
		}
	}
}

// signIn signs somebody in from an address and returns the status, 0 if there
// was no answer.
func (p *process) signIn(login, password, address string) int {
	r, err := http.NewRequest("POST", p.url+"/login", strings.NewReader(fmt.Sprintf(`{"user":%q,"password":%q}`, login, password)))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", address)
	res, err := caller(10 * time.Second).Do(r)
	if err != nil {
		return 0
	}
	_ = res.Body.Close() // the status says it
	return res.StatusCode
}

func percentile(list []float64, q float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[min(int(float64(len(list))*q), len(list)-1)]
}
