package test_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	wireapi "github.com/hallpass-dev/hallpass/wire"
)

// pauseOnEveryNode pauses and resumes a token so many times, through each node in turn.
// It returns how many nodes did not refuse the next request for the pause.
func pauseOnEveryNode(t *testing.T, all []*process, rounds int) (wrong int) {
	t.Helper()
	c := all[0].mint()
	everywhere(t, all, "at first", c.key, "")
	for i := range rounds {
		all[i%3].must(200, "PATCH", c.path(), `{"paused":true}`, nil)
		for _, p := range all {
			if p.verdict(c.key) != "api-key.paused" {
				wrong++
			}
		}
		all[(i+1)%3].must(200, "PATCH", c.path(), `{"paused":false}`, nil)
		everywhere(t, all, "resumed", c.key, "")
	}
	return wrong
}

// pauseEnds pauses a token for a minute, or has somebody shorten that by hand to so many
// seconds. The pause ends on all nodes while the database is away. It returns how long
// after its time the first and the last node accepted the token.
func pauseEnds(t *testing.T, db *postgres, all []*process, seconds int) (first, last time.Duration) {
	t.Helper()
	c, other := all[0].mint(), all[0].mint()
	everywhere(t, all, "at first", c.key, "") // so that no first use has to be written later
	all[1].must(200, "PATCH", c.path(), `{"pausedFor":60}`, nil)
	if less := 60 - seconds; less > 0 {
		version := all[0].metric("hallpass_view_version ")
		db.exec(fmt.Sprintf("UPDATE tokens SET paused_until_us = paused_until_us - %d WHERE id = %d", less*1_000_000, c.token))
		for _, p := range all {
			hallpasstest.Eventually(t, "the node to hear of it", func() bool { return p.metric("hallpass_view_version ") > version })
		}
	}
	var paused wireapi.ListedToken
	all[2].must(200, "GET", fmt.Sprintf("/api/tokens/%d", c.token), "", &paused)
	until := *paused.Paused.Until
	everywhere(t, all, "while it is paused", c.key, "api-key.paused")
	everywhere(t, all, "another", other.key, "") // whose answer, the org, is in memory then
	at := make([]time.Duration, len(all))
	var asking sync.WaitGroup
	for i, p := range all {
		asking.Go(func() { at[i] = p.accepts(c, until) })
	}
	time.Sleep(time.Until(until.Add(-1500 * time.Millisecond))) // the pause goes on
	db.stop("fast")
	asking.Wait()
	db.start()
	first, last = at[0], at[0]
	for _, d := range at {
		first, last = min(first, d), max(last, d)
	}
	if first < -clocksDiffer {
		t.Errorf("the pause was over %s before its time", -first)
	}
	return first, last
}

// clocksDiffer is how far a node's clock, which it has from the database by the network,
// may be off this machine's.
const clocksDiffer = 200 * time.Millisecond

// accepts asks the node until it accepts the token, which is paused until then, and
// returns how long after that it did.
func (p *process) accepts(c credential, until time.Time) time.Duration {
	for {
		sent := time.Now()
		switch _, id := p.asked(c.key); id {
		case "":
			return sent.Sub(until)
		case "api-key.paused":
			time.Sleep(time.Millisecond) // between two questions
		default:
			p.t.Errorf("while it is paused: %q", id)
			return 0
		}
	}
}
