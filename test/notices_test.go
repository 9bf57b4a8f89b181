package test_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	hp "github.com/hallpass-dev/hallpass/wire"
)

// TestNoticeSurvivesKill has one of two nodes send notices, and kills it when the first
// has arrived and is not yet answered: the other sends that again, under the same ID and
// signed by the same key, and the rest too.
func TestNoticeSurvivesKill(t *testing.T) {
	t.Parallel() // it mostly waits until what the first node has begun is taken for lost
	seed := strings.Repeat("s", ed25519.SeedSize)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("whsk_"+base64.StdEncoding.EncodeToString([]byte(seed))), 0o600); err != nil {
		t.Fatal(err)
	}
	public := ed25519.NewKeyFromSeed([]byte(seed)).Public().(ed25519.PublicKey)
	both := nodes(t, 2, newPostgres(t).url(), "HALLPASS_NOTICES_WEBHOOK_KEY_FILE="+key, "HALLPASS_SERVER_OUTBOUND_ALLOW=127.0.0.1")
	first, second := both[0], both[1]

	var mu sync.Mutex
	var got []string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the node was killed while it wrote
		}
		id := r.Header.Get("Webhook-Id")
		signature, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Webhook-Signature"), "v1a,"))
		if err != nil || !ed25519.Verify(public, []byte(id+"."+r.Header.Get("Webhook-Timestamp")+"."+string(body)), signature) {
			t.Errorf("the signature of %s does not hold: %v", id, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if got = append(got, id); len(got) == 1 {
			first.kill()
			second.signal(syscall.SIGCONT)
		}
	}))
	defer receiver.Close()

	second.signal(syscall.SIGSTOP) // so that the first is the one that sends
	var c hp.Channel
	first.must(201, "POST", "/api/org/notifications", `{"name":"hook","type":"webhook","url":"`+receiver.URL+`"}`, &c)
	path := "/api/org/notifications/" + strconv.FormatInt(c.ID, 10)
	want := make(map[string]bool)
	for range 3 {
		var d hp.Delivery
		if status, err := first.call(quick, "", "POST", path+"/test", "", &d); err != nil || status != 200 {
			break // it is sent while we ask, and the node is gone
		}
		want[d.MessageID] = true
	}
	if len(want) == 0 {
		t.Fatal("no notice was written")
	}
	hallpasstest.Eventually(t, "all notices, the first of them twice", func() bool {
		mu.Lock()
		defer mu.Unlock()
		seen := make(map[string]int)
		for _, id := range got {
			seen[id]++
		}
		for id := range want {
			if seen[id] == 0 {
				return false
			}
		}
		return seen[got[0]] >= 2
	})
	hallpasstest.Eventually(t, "the second node to mark them", func() bool {
		var list hp.Deliveries
		status, err := second.call(quick, "", "GET", path+"/messages?state=sent", "", &list)
		return err == nil && status == 200 && len(list.Messages) >= len(want)
	})
}
