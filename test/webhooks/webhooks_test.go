package webhooks_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const password = "violet lamps hum at noon"

// serve builds the program, starts it with the variables, and returns its URL.
func serve(t *testing.T, env ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "hallpass")
	build := exec.Command("go", "build", "-o", program, "./cmd/hallpass")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "--data", t.TempDir(), "--listen", address)
	cmd.Env = append(append(os.Environ(), "HALLPASS_SECURITY_ADMIN_PASSWORD="+password), env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get("http://" + address + "/readyz"); err == nil {
			_ = res.Body.Close() // nothing was read
			if res.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
	}
	t.Fatal("the server did not answer")
	return ""
}

// post sends the admin's request, and reads the answer into out.
func post(t *testing.T, url, body string, out any) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", password)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s: %d %s, %v", url, res.StatusCode, text, err)
	}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
}

// TestStandardWebhooks has the library verify a message with its secret: it accepts the
// message as it is, and refuses it with another byte, under another ID, and by another
// secret.
func TestStandardWebhooks(t *testing.T) {
	type message struct {
		header http.Header
		body   []byte
	}
	got := make(chan message, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- message{r.Header, body}
	}))
	defer receiver.Close()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("twenty-four bytes or more"))
	file := filepath.Join(t.TempDir(), "whsec")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	url := serve(t, "HALLPASS_NOTICES_WHSEC_FILE="+file, "HALLPASS_SERVER_OUTBOUND_ALLOW=127.0.0.1")
	var channel, sent struct {
		ID        int64
		MessageID string
	}
	post(t, url+"/api/org/notifications", `{"name":"hook","type":"webhook","signature":"v1","url":"`+receiver.URL+`"}`, &channel)
	post(t, fmt.Sprint(url, "/api/org/notifications/", channel.ID, "/test"), "", &sent)
	var m message
	select {
	case m = <-got:
	case <-time.After(time.Minute):
		t.Fatal("nothing arrived")
	}
	if id := m.header.Get("Webhook-Id"); id != sent.MessageID {
		t.Errorf("it arrived as %s, and was announced as %s", id, sent.MessageID)
	}
	library, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := library.Verify(m.body, m.header); err != nil {
		t.Errorf("the library refuses the message: %v\n%v\n%s", err, m.header, m.body)
	}
	for i := range m.body {
		other := append([]byte{}, m.body...)
		other[i] ^= 1
		if library.Verify(other, m.header) == nil {
			t.Errorf("the library accepts another byte %d", i)
		}
	}
	header := m.header.Clone()
	header.Set("Webhook-Id", "msg_1")
	if library.Verify(m.body, header) == nil {
		t.Error("the library accepts another ID")
	}
	another, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString([]byte("some other secret of bytes")))
	if err != nil {
		t.Fatal(err)
	}
	if another.Verify(m.body, m.header) == nil {
		t.Error("the library accepts it by another secret")
	}
}
