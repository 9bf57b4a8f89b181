package test_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestKill kills the server with kill -9 at random times while accounts and tokens are
// created and ended. Then it asks the next server for everything that was answered.
// Nothing that was acknowledged may be lost, nothing that was revoked may be valid again,
// and each change has its audit entry (SEC-40).
func TestKill(t *testing.T) {
	usual := 60
	if testing.Short() {
		usual = 10
	}
	rounds := rounds(t, "HALLPASS_TEST_KILL_ROUNDS", usual)
	seed := rand.Uint64()
	t.Logf("%d rounds, seed %d", rounds, seed)
	data := t.TempDir()
	var workers []*worker
	var acked int
	for round := range rounds {
		p := serve(t, data)
		client := &http.Client{Timeout: hallpasstest.Patience}
		if round == 0 {
			for i := range 3 {
				workers = append(workers, newWorker(t, p, client, i, seed))
			}
		}
		for _, w := range workers {
			w.check(t, p, client)
		}
		var working sync.WaitGroup
		for _, w := range workers {
			working.Go(func() { w.work(p, client) })
		}
		time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond) // killed at any time
		p.kill()
		working.Wait()
		client.CloseIdleConnections()
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	p := serve(t, data)
	client := &http.Client{Timeout: hallpasstest.Patience}
	for _, w := range workers {
		w.check(t, p, client)
		acked += len(w.acked)
	}
	checkAudit(t, p, client, workers)
	if err := p.stop(); err != nil {
		t.Errorf("the last server ended with %v", err)
	}
	if acked < rounds {
		t.Errorf("only %d changes were acknowledged in %d rounds: the test tried too little", acked, rounds)
	}
	t.Logf("%d acknowledged changes held", acked)
}

// worker is the only one that changes its account, so it knows what the server must have.
type worker struct {
	rand    *rand.Rand
	name    string
	account string // path of the account
	tokens  []*testToken
	n       int

	disabled bool
	unsure   bool // it may be disabled or not: the answer never came
	acked    []string
}

type testToken struct {
	id      int64
	key     string
	deleted bool
	unsure  bool
}

func newWorker(t *testing.T, p *process, client *http.Client, i int, seed uint64) *worker {
	t.Helper()
	w := &worker{rand: rand.New(rand.NewPCG(seed, uint64(i))), name: fmt.Sprintf("worker-%d", i)}
	var made struct{ ID int64 }
	status, err := p.call(client, "", "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q}`, w.name), &made)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("create account: %d, %v", status, err)
	}
	w.account = fmt.Sprintf("/api/serviceaccounts/%d", made.ID)
	w.ack("serviceaccount.create", "serviceaccount", made.ID)
	return w
}

func (w *worker) ack(action, noun string, id int64) {
	w.acked = append(w.acked, fmt.Sprintf("%s %s:%d", action, noun, id))
}

// work makes changes until the server is gone.
func (w *worker) work(p *process, client *http.Client) {
	for {
		var err error
		switch k := w.rand.IntN(10); {
		case k < 5:
			err = w.create(p, client)
		case k < 8:
			err = w.remove(p, client)
		default:
			err = w.toggle(p, client)
		}
		if err != nil {
			return
		}
	}
}

func (w *worker) create(p *process, client *http.Client) error {
	w.n++
	var made struct {
		ID  int64
		Key string
	}
	status, err := p.call(client, "", "POST", w.account+"/tokens", fmt.Sprintf(`{"name":"%s-%d"}`, w.name, w.n), &made)
	if err == nil && status == http.StatusOK {
		w.tokens = append(w.tokens, &testToken{id: made.ID, key: made.Key})
		w.ack("token.create", "token", made.ID)
	}
	return err
}

func (w *worker) remove(p *process, client *http.Client) error {
	for _, tok := range w.tokens {
		if tok.deleted || tok.unsure || w.rand.IntN(3) == 0 {
			continue
		}
		status, err := p.call(client, "", "DELETE", fmt.Sprintf("%s/tokens/%d", w.account, tok.id), "", nil)
		tok.unsure = err != nil
		if err == nil && status == http.StatusOK {
			tok.deleted = true
			w.ack("token.delete", "token", tok.id)
		}
		return err
	}
	return nil
}

func (w *worker) toggle(p *process, client *http.Client) error {
	var answer struct{ ID int64 }
	status, err := p.call(client, "", "PATCH", w.account, fmt.Sprintf(`{"isDisabled":%v}`, !w.disabled), &answer)
	w.unsure = err != nil
	if err == nil && status == http.StatusOK {
		w.disabled = !w.disabled
		action := "serviceaccount.enable"
		if w.disabled {
			action = "serviceaccount.disable"
		}
		w.ack(action, "serviceaccount", answer.ID)
	}
	return err
}

// check asks the server about everything that was answered. A change that was never
// answered may be made or not, and from now on that must not change.
func (w *worker) check(t *testing.T, p *process, client *http.Client) {
	t.Helper()
	var account struct{ IsDisabled bool }
	if status, err := p.call(client, "", "GET", w.account, "", &account); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d, %v", w.account, status, err)
	}
	if !w.unsure && account.IsDisabled != w.disabled {
		t.Errorf("%s: disabled = %v, acknowledged %v", w.account, account.IsDisabled, w.disabled)
	}
	w.disabled, w.unsure = account.IsDisabled, false
	if len(w.tokens) > 60 { // the older ones were checked often
		w.tokens = w.tokens[len(w.tokens)-60:]
	}
	for _, tok := range w.tokens {
		status, err := p.call(client, tok.key, "GET", "/api/org", "", nil)
		if err != nil {
			t.Fatalf("token %d: %v", tok.id, err)
		}
		if tok.unsure && !w.disabled {
			tok.deleted, tok.unsure = status != http.StatusOK, false
		}
		want := http.StatusOK
		if w.disabled || tok.deleted {
			want = http.StatusUnauthorized
		}
		if status != want {
			t.Errorf("token %d (deleted %v, account disabled %v) answers %d, want %d", tok.id, tok.deleted, w.disabled, status, want)
		}
	}
}

// checkAudit checks that the audit has every acknowledged change.
func checkAudit(t *testing.T, p *process, client *http.Client, workers []*worker) {
	t.Helper()
	entries := make(map[string]int)
	for cursor := ""; ; {
		var page struct {
			Entries []struct{ Action, Target string }
			Cursor  string
		}
		if status, err := p.call(client, "", "GET", "/api/audit?limit=1000&outcome=ok&cursor="+cursor, "", &page); err != nil || status != http.StatusOK {
			t.Fatalf("audit: %d, %v", status, err)
		}
		for _, e := range page.Entries {
			entries[e.Action+" "+e.Target]++
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	for _, w := range workers {
		for _, change := range w.acked {
			if entries[change] == 0 {
				t.Errorf("no audit entry for %q", change)
			}
			entries[change]--
		}
	}
}
