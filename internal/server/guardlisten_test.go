package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// An openAPI is behind guards that let everybody pass. At /held it answers when it is
// told to, and at /events it never ends.
type openAPI struct {
	*httptest.Server
	arrived atomic.Int64  // requests at /held
	held    chan struct{} // each value lets one of them go on
}

func newOpenAPI(t *testing.T) *openAPI {
	t.Helper()
	api := &openAPI{held: make(chan struct{})}
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/held":
			api.arrived.Add(1)
			select {
			case <-api.held:
			case <-r.Context().Done():
			}
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush() // the client may have gone
			<-r.Context().Done()
		}
		_, _ = io.WriteString(w, r.URL.Path) // as above
	}))
	t.Cleanup(api.Close)
	return api
}

// at returns a guard of the API that serves it at the address.
func (api *openAPI) at(name, address string) hallpass.Guard {
	return hallpass.Guard{Name: name, Org: hallpass.FirstOrg, Upstream: api.URL, Listen: address, Rules: []hallpass.GuardRule{{Path: "/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedNothing}}}}
}

// ofFile has a server begin with these guards in its file.
func ofFile(guards ...hallpass.Guard) func(*server.Config) {
	return func(c *server.Config) { c.ConfigFile, c.Guards = "hallpass.toml", guards }
}

// asks returns what the address answers to the path, and whether anybody listens there.
func asks(t *testing.T, address, path string) (text string, listens bool) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", false
	}
	defer func() { _ = conn.Close() }() // it was read
	return heard(t, begun(t, conn, path)), true
}

// begun sends a request, whose answer can be read then.
func begun(t *testing.T, conn net.Conn, path string) *bufio.Reader {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(conn)
}

// heard returns the status and body of an answer.
func heard(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	return fmt.Sprintln(res.StatusCode, string(text), err)
}

func apply(t *testing.T, s *hallpasstest.Server, guards ...hallpass.Guard) {
	t.Helper()
	if err := s.ApplyGuards(t.Context(), guards); err != nil {
		t.Fatal(err)
	}
}

// answers fails the test unless the guard answers at the address, or is gone from it.
func answers(t *testing.T, address string, want bool) {
	t.Helper()
	if text, got := asks(t, address, "/x"); got != want || got && text != "200 /x <nil>\n" {
		t.Errorf("at %s: %v %s, want an answer: %v", address, got, text, want)
	}
}

// TestGuardMoves gives a guard another address while it serves: the new one answers at
// once and the old one is closed. There, a request at work finishes, and a stream ends.
func TestGuardMoves(t *testing.T) {
	api, before, after := newOpenAPI(t), hallpasstest.FreeAddress(t), hallpasstest.FreeAddress(t)
	s := hallpasstest.New(t, ofFile(api.at("app", before)))
	answers(t, before, true)
	dialed := func() net.Conn {
		conn, err := net.Dial("tcp", before)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // it was read
		return conn
	}
	held := begun(t, dialed(), "/held")
	stream, err := http.ReadResponse(begun(t, dialed(), "/events"), nil)
	if err != nil || stream.StatusCode != 200 {
		t.Fatal(stream, err)
	}
	hallpasstest.Eventually(t, "the request to arrive", func() bool { return api.arrived.Load() == 1 })

	apply(t, s, api.at("app", after))
	answers(t, after, true)
	answers(t, before, false)
	if text, err := io.ReadAll(stream.Body); len(text) > 0 { // it waits until the stream ends
		t.Errorf("the stream went on with %q, %v", text, err)
	}
	api.held <- struct{}{}
	if text := heard(t, held); text != "200 /held <nil>\n" {
		t.Errorf("a request at work: %s", text)
	}
	if got := s.GuardAddress("app"); got != after {
		t.Errorf("the guard is at %s", got)
	}
	apply(t, s, api.at("app", ""))
	answers(t, after, false)
	apply(t, s, api.at("app", after), api.at("other", before))
	answers(t, after, true)
	answers(t, before, true)
	apply(t, s, api.at("other", before))
	answers(t, after, false)
	answers(t, before, true)
}

// TestGuardAddressTaken gives a guard an address that cannot be opened: nothing changes,
// not the other guards of the file either.
func TestGuardAddressTaken(t *testing.T) {
	api, before, after := newOpenAPI(t), hallpasstest.FreeAddress(t), hallpasstest.FreeAddress(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }() // the test is over
	_, port, _ := net.SplitHostPort(before)
	s := hallpasstest.New(t, ofFile(api.at("app", before)))
	for name, guards := range map[string][]hallpass.Guard{
		"another program's":                      {api.at("app", taken.Addr().String())},
		"our own":                                {api.at("app", strings.TrimPrefix(s.URL, "http://"))},
		"nobody's on this machine":               {api.at("app", "192.0.2.1:9091")},
		"another guard's too":                    {api.at("app", after), api.at("other", after)},
		"one of two is taken":                    {api.at("app", after), api.at("other", taken.Addr().String())},
		"one is taken, and one widens its host":  {api.at("app", "0.0.0.0:"+port), api.at("other", taken.Addr().String())},
		"one is taken, and one is there already": {api.at("app", before), api.at("other", taken.Addr().String())},
		"a rule is not valid":                    {{Name: "app", Org: hallpass.FirstOrg, Upstream: api.URL, Listen: after, Preset: "nosuch"}},
		"the org is none":                        {{Name: "app", Org: 77, Upstream: api.URL, Listen: after}},
	} {
		err := s.ApplyGuards(t.Context(), guards)
		if err == nil || !strings.Contains(err.Error(), "guard.") {
			t.Errorf("%s: %v", name, err)
		}
		answers(t, before, true)
		answers(t, after, false)
		if names := guardNames(t, s); names != "app" || s.GuardAddress("app") != before {
			t.Errorf("%s: there are %s, app at %s", name, names, s.GuardAddress("app"))
		}
	}
	apply(t, s, api.at("app", "0.0.0.0:"+port))
	answers(t, before, true)
	apply(t, s, api.at("app", before))
	answers(t, before, true)
}

// TestGuardsChangeAddresses has two guards take each other's address: each answers at
// its new one, by its own rules.
func TestGuardsChangeAddresses(t *testing.T) {
	one, two, a, b := newOpenAPI(t), newOpenAPI(t), hallpasstest.FreeAddress(t), hallpasstest.FreeAddress(t)
	closed := two.at("two", b)
	closed.Rules = nil
	s := hallpasstest.New(t, ofFile(one.at("one", a), closed))
	asked := func(address string) string {
		text, _ := asks(t, address, "/x")
		return text[:min(len(text), 3)]
	}
	if asked(a) != "200" || asked(b) != "401" {
		t.Errorf("before: %s and %s", asked(a), asked(b))
	}
	closed.Listen = a
	apply(t, s, one.at("one", b), closed)
	if asked(b) != "200" || asked(a) != "401" || s.GuardAddress("one") != b {
		t.Errorf("after: %s and %s", asked(b), asked(a))
	}
}

// TestGuardListensOnEveryNode changes the address of a guard through one node: the other
// follows. An address that it cannot open is tried again, and the old one stays.
func TestGuardListensOnEveryNode(t *testing.T) {
	api := newOpenAPI(t)
	s := hallpasstest.New(t, ofFile(api.at("app", "")))
	other := s.Node()
	at := func(want func(address string) bool) string {
		t.Helper()
		var address string
		hallpasstest.Eventually(t, "the other node to follow", func() bool { address = other.GuardAddress("app"); return want(address) })
		return address
	}
	none := func(address string) bool { return address == "" }
	some := func(address string) bool { return address != "" }
	apply(t, s, api.at("app", "127.0.0.1:0"))
	theirs := at(some)
	answers(t, theirs, true)
	answers(t, s.GuardAddress("app"), true)
	address := hallpasstest.FreeAddress(t)
	apply(t, s, api.at("app", address)) // this node has it now, on the same machine
	hallpasstest.Eventually(t, "the other node to tell that it cannot", func() bool {
		for _, j := range other.Jobs() {
			if j.Name == "guard listeners" {
				return strings.Contains(j.Error, "guard.app.listen") && strings.Contains(j.Error, address)
			}
		}
		return false
	})
	answers(t, theirs, true)
	answers(t, address, true)
	apply(t, s, api.at("app", ""))
	at(none)
	answers(t, theirs, false)
}
