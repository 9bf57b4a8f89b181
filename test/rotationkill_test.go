package test_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestKilledWhileRotating kills the server with kill -9 at random times while tokens are
// rotated. What was answered works afterwards. What was not is asked for again, with the
// same Idempotency-Key: then each token has one successor, never two and never none, and
// the secret that was received works.
func TestKilledWhileRotating(t *testing.T) {
	rounds := rounds(t, "HALLPASS_TEST_ROTATION_KILLS", 5)
	data := t.TempDir()
	rotators := make([]*rotator, 3)
	for i := range rotators {
		rotators[i] = &rotator{name: fmt.Sprintf("rotator-%d", i)}
	}
	for range rounds {
		p := serve(t, data)
		for _, r := range rotators {
			r.check(t, p)
		}
		var rotating sync.WaitGroup
		for _, r := range rotators {
			rotating.Go(func() { r.rotate(p) })
		}
		time.Sleep(time.Duration(20+rand.IntN(100)) * time.Millisecond) // killed at any time
		p.kill()
		rotating.Wait()
		quick.CloseIdleConnections()
	}
	p := serve(t, data)
	time.Sleep(retryAfter) // sooner the server would refuse
	lost, made := 0, 0
	for _, r := range rotators {
		if r.check(t, p); len(r.unsure) > 0 {
			t.Errorf("%d rotations cannot be asked for again", len(r.unsure))
		}
		lost, made = lost+r.lost, made+r.made
	}
	if lost < rounds {
		t.Errorf("only %d answers were lost in %d rounds: the test tried too little", lost, rounds)
	}
	t.Logf("%d answers were lost, %d of them of rotations that were made; %d were received", lost, made, rotators[0].n+rotators[1].n+rotators[2].n-lost)
	if err := p.stop(); err != nil {
		t.Errorf("the last server ended with %v", err)
	}
}

// A rotator rotates one token after the other, each of which replaces the one before it.
type rotator struct {
	name   string
	was    credential // was replaced by now
	now    credential // the zero credential: nobody knows its secret
	n      int        // rotations asked for
	unsure []unsure
	lost   int // answers
	made   int // of those, that were of rotations that were made
}

// unsure is a rotation that was asked for and not answered.
type unsure struct {
	old credential
	key string
}

const rotatorBody = `{"reason":"kill -9"}`

// rotate rotates until the server is gone.
func (r *rotator) rotate(p *process) {
	for {
		r.n++
		key := fmt.Sprintf("%s-%d", r.name, r.n)
		status, out, err := rotateAt(p.url, r.now, key, rotatorBody)
		if err != nil || status != http.StatusOK {
			r.unsure = append(r.unsure, unsure{r.now, key})
			r.now, r.was = credential{}, credential{}
			return
		}
		r.was, r.now = r.now, out.next(r.now)
	}
}

// check asks the server about what was answered, and again for what was not, if enough
// time has passed.
func (r *rotator) check(t *testing.T, p *process) {
	t.Helper()
	for _, c := range []credential{r.was, r.now} {
		if c.token == 0 {
			continue
		}
		if id := p.verdict(c.key); id != "" {
			t.Errorf("%s: token %d, which was answered, is refused: %s", r.name, c.token, id)
		}
	}
	if r.now.token == 0 {
		r.now = p.mint()
	}
	waiting := r.unsure
	r.unsure = nil
	for _, u := range waiting {
		status, out, err := rotateAt(p.url, u.old, u.key, rotatorBody)
		switch {
		case err != nil:
			t.Errorf("%s: %v", r.name, err)
		case out.MessageID == "token.rotation-in-flight":
			r.unsure = append(r.unsure, u)
		case status != http.StatusOK:
			t.Errorf("%s: asked again: %d %s", r.name, status, out.MessageID)
		default:
			r.settled(t, p, u, out)
		}
	}
}

// settled checks what became of a rotation that was asked for again.
func (r *rotator) settled(t *testing.T, p *process, u unsure, out rotation) {
	t.Helper()
	if r.lost++; out.Replayed {
		r.made++
	}
	if ids := p.successors(u.old); len(ids) != 1 || ids[0] != out.ID {
		t.Errorf("%s: token %d has the successors %v, and the answer has %d", r.name, u.old.token, ids, out.ID)
	}
	if a, b := p.verdict(out.Key), p.verdict(u.old.key); a != "" || b != "" {
		t.Errorf("%s: the new secret is refused with %q, the old one with %q", r.name, a, b)
	}
}
