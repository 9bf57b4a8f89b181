package guard_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// An echo is an API that tells of each request as it arrived.
type echo struct {
	*httptest.Server
	arrived atomic.Int64

	mu   sync.Mutex // guards what follows
	seen []string   // the targets that arrived
}

// told is what an echo says about a request.
type told struct {
	Method, URI, Host string
	Header            http.Header
	Body              string
	Trailer           http.Header
}

func newEcho(t testing.TB) *echo {
	t.Helper()
	e := &echo{}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

// ServeHTTP does what the last segment of the path says, or tells of the request.
func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.arrived.Add(1)
	e.mu.Lock()
	e.seen = append(e.seen, r.RequestURI)
	e.mu.Unlock()
	rc := http.NewResponseController(w)
	switch r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:] {
	case "silent": // never answers
		<-r.Context().Done()
	case "events":
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		_ = rc.Flush()
		for i := 0; r.Context().Err() == nil; i++ {
			if _, err := fmt.Fprintf(w, "data: %d\n\n", i); err != nil {
				return
			}
			_ = rc.Flush()
			time.Sleep(time.Millisecond) // from one event to the next
		}
	case "rests": // begins a stream and says nothing more
		w.Header().Set("Content-Type", "text/event-stream")
		_ = rc.Flush()
		<-r.Context().Done()
	case "upload": // reads, and answers only then
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v", n, err)
	case "big":
		w.Header().Set("Content-Length", fmt.Sprint(64<<20))
		_, _ = io.CopyN(w, zeros{}, 64<<20) // the client may have gone
	case "socket":
		e.socket(w)
	case "denied":
		w.Header().Set("WWW-Authenticate", `Basic realm="the API's own"`)
		w.Header().Set("Cache-Control", "private")
		http.Error(w, "the API's own", map[bool]int{true: 401, false: 403}[r.URL.RawQuery == "401"])
	case "broken":
		http.Error(w, "the API's own", 500)
	case "cookies":
		w.Header().Add("Set-Cookie", "grafana_session=theirs; Path=/")
		w.Header().Add("Set-Cookie", "__Host-grafana_session=theirs; Path=/; Secure")
		w.Header().Add("Set-Cookie", "__Secure-grafana_session=theirs; Path=/; Secure")
		w.Header().Add("Set-Cookie", "hallpass_device=theirs")
		w.Header().Add("Set-Cookie", "theirs=1")
	case "trailers":
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "body")
		_ = rc.Flush()
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Late", "43")
	case "early":
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		fmt.Fprint(w, "body")
	default:
		body, _ := io.ReadAll(r.Body) // what arrived is told
		_ = json.NewEncoder(w).Encode(told{r.Method, r.RequestURI, r.Host, r.Header, string(body), r.Trailer})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// socket takes the connection over and sends back each line that it gets.
func (e *echo) socket(w http.ResponseWriter) {
	conn, brw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }() // it was used
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	for {
		line, err := brw.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, "echo "+line); err != nil {
			return
		}
	}
}

// behind is a server with a guard in front of an echo, and a token that may read there.
type behind struct {
	*hallpasstest.Server
	api          *echo
	account, key string
	guard        hallpass.GuardID
	t            *testing.T
}

// viewers lets viewers do everything below /api/, and admins below /admin/; /open is for
// everybody.
var viewers = []hallpass.GuardRule{
	role(hallpass.RoleViewer, "/api/"), role(hallpass.RoleAdmin, "/admin/{rest...}"), role(hallpass.RoleViewer, "/{$}"),
	{Path: "/open", Need: hallpass.Need{Kind: hallpass.NeedNothing}},
}

func newBehind(t *testing.T, configure ...func(*server.Config)) *behind {
	t.Helper()
	b := &behind{Server: hallpasstest.New(t, configure...), api: newEcho(t), t: t}
	b.account, b.key = token(t, b.Server, "ci", "Viewer")
	b.guard = newGuard(t, b.Store(), hallpass.Guard{Name: "app", Org: 1, Upstream: b.api.URL, Rules: viewers})
	return b
}

// get sends a request through the proxy.
func (b *behind) get(target string, headers ...string) answer {
	b.t.Helper()
	return raw(b.t, b.Server, "GET /guard/proxy/app"+target, append([]string{"Authorization: Bearer " + b.key}, headers...)...)
}

// tells returns what the API says about the request.
func (a answer) tells(t *testing.T) (said told) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.text), &said); err != nil {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	return said
}

// TestProxied looks at what arrives at the API.
func TestProxied(t *testing.T) {
	b := newBehind(t)
	said := b.get("/api/a%20b/%C3%A9?q=1;2&r=%zz&&=#x", "User-Agent: test", "X-Mine: 1", "Cookie: grafana_session=a; theirs=1; hallpass_device=b; __Host-grafana_session=c; __Secure-grafana_session=d", "Via: 1.0 other").tells(t)
	if said.Method != "GET" || said.URI != "/api/a%20b/%C3%A9?q=1;2&r=%zz&&=#x" || said.Host != "hallpass" {
		t.Errorf("%s %s at %s", said.Method, said.URI, said.Host)
	}
	via := said.Header["Via"]
	if len(via) != 2 || via[0] != "1.0 other" || !strings.HasPrefix(via[1], "1.1 hallpass-") {
		t.Errorf("via %q", via)
	}
	delete(said.Header, "Via")
	want := http.Header{
		"X-Hallpass-Account-Id": {b.account}, "X-Hallpass-Account": {"sa-1-ci"}, "X-Hallpass-Org-Id": {"1"}, "X-Hallpass-Role": {"Viewer"},
		"X-Hallpass-Token-Id": {"1"}, "X-Hallpass-Subject": {"-"}, "User-Agent": {"test"}, "X-Mine": {"1"}, "Cookie": {"theirs=1"},
		"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"hallpass"}, "X-Forwarded-Proto": {"http"},
	}
	if d := cmp.Diff(said.Header, want); d != "" {
		t.Errorf("headers at the API, want:\n%s", d)
	}
	for target, uri := range map[string]string{"": "/", "/": "/", "?": "/?", "?a=b": "/?a=b", "/api/": "/api/", "/api/x?": "/api/x?", "/%61pi/x": "/%61pi/x", "/api/[x]'": "/api/[x]'"} {
		if got := b.get(target).tells(t).URI; got != uri {
			t.Errorf("%s arrives as %s, want %s", target, got, uri)
		}
	}
	open := raw(t, b.Server, "GET /guard/proxy/app/open", "X-Hallpass-Role: Admin").tells(t)
	for _, name := range identity {
		if got := open.Header[name]; !slices.Equal(got, []string{"-"}) {
			t.Errorf("%s of nobody is %q", name, got)
		}
	}
}

// TestProxyRefuses has the proxy answer in the form of the API, and the guarded API hear
// nothing of it.
func TestProxyRefuses(t *testing.T) {
	b := newBehind(t)
	newGuard(t, b.Store(), hallpass.Guard{Name: "none", Org: 1, Rules: viewers})
	good := "Authorization: Bearer " + b.key
	const plain, invalid = `Bearer realm="hallpass"`, `Bearer realm="hallpass", error="invalid_token"`
	for _, tt := range []struct {
		first     string
		headers   []string
		status    int
		id        string
		challenge string
	}{
		{"GET /guard/proxy/app/api/x", nil, 401, "auth.unauthorized", plain},
		{"GET /guard/proxy/app/api/x", []string{"Authorization: Bearer nonsense"}, 401, "api-key.invalid", invalid},
		{"GET /guard/proxy/app/api/x", []string{good, good}, 401, "request.authorization-repeated", invalid},
		{"GET /guard/proxy/app/api/x", []string{"Cookie: grafana_session=" + b.key}, 401, "auth.unauthorized", plain},
		{"GET /guard/proxy/app/admin/x", []string{good}, 403, "guard.role", ""},
		{"GET /guard/proxy/app/other", []string{good}, 403, "guard.no-rule", ""},
		{"GET /guard/proxy/app/api//x", []string{good}, 403, "path-not-canonical", ""},
		{"GET /guard/proxy/app//api/x", []string{good}, 403, "path-not-canonical", ""},
		{"GET /guard/proxy/app/api/../admin/x", []string{good}, 403, "path-not-canonical", ""},
		{"GET /guard/proxy/app/api/%2e%2e/admin/x", []string{good}, 403, "path-not-canonical", ""},
		{"GET /guard/proxy/app/api/..;/admin/x", []string{good}, 403, "path-not-canonical", ""},
		{"GET /guard/proxy/app/../app/api/x", []string{good}, 403, "path-not-canonical", ""},
		{"GET /guard/proxy/nosuch/api/x", []string{good}, 403, "guard.unknown", ""},
		{"GET /guard/proxy/a%70p/api/x", []string{good}, 403, "guard.unknown", ""},
		{"GET /guard/proxy/none/api/x", []string{good}, 502, "guard.no-upstream", ""},
		{"CONNECT /guard/proxy/app/api/x", []string{good}, 405, "request.method-not-allowed", ""},
		{"GET /guard/proxy/app/api/x", []string{good, "X-Much: " + strings.Repeat("x", 33<<10)}, 431, "request.headers-too-large", ""},
	} {
		r := raw(t, b.Server, tt.first, tt.headers...)
		var body struct {
			Message, MessageID string
			StatusCode         int
		}
		if err := json.Unmarshal([]byte(r.text), &body); err != nil || r.StatusCode != tt.status || body.StatusCode != tt.status || body.MessageID != tt.id || body.Message == "" {
			t.Errorf("%s: %d %s, want %d %s", tt.first, r.StatusCode, r.text, tt.status, tt.id)
		}
		if got := r.Header["Www-Authenticate"]; tt.challenge == "" && got != nil || tt.challenge != "" && !slices.Equal(got, []string{tt.challenge}) {
			t.Errorf("%s: WWW-Authenticate %q, want %q", tt.first, got, tt.challenge)
		}
		if reason := r.reason(t); r.StatusCode == 403 && reason != tt.id || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: reason %q, headers %v", tt.first, reason, r.Header)
		}
	}
	if n := b.api.arrived.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// TestProxySpoofed has the client send what only the proxy may tell, in every spelling
// and named in Connection.
func TestProxySpoofed(t *testing.T) {
	b := newBehind(t)
	newGuard(t, b.Store(), hallpass.Guard{Name: "loki", Org: 1, Upstream: b.api.URL, Rules: []hallpass.GuardRule{{
		Path: "/api/", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer},
		Captures: map[string]string{"tenant": "header:X-Scope-OrgID", "kind": "header:X-Kind"}, Set: map[string]string{"X-Scope-OrgID": "{tenant}-checked", "X-Role": "{caller.role}", "X-Said": "{kind}"},
	}}})
	good := "Authorization: Bearer " + b.key
	var spoofed []string
	for _, name := range []string{
		"X-Hallpass-Role", "X_Hallpass_Role", "X.Hallpass.Role", "x-hallpass_role", "X-Hallpass-Jwt", "X_HALLPASS_JWT", "X-Hallpass-Anything", "x.hallpass-Account.Id",
		"X-Http-Method-Override", "X_HTTP_Method_Override", "X-Original-URL", "X-Rewrite-Url", "X.Rewrite.Url", "X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Prefix", "Forwarded", "Proxy",
		"X_Scope_OrgID", "X.Scope-OrgID", "X_Role", "X_Kind",
	} {
		spoofed = append(spoofed, name+": spoofed")
	}
	for _, connection := range []string{
		"Connection: close", "Connection: X-Hallpass-Role, X-Hallpass-Account-Id, x-hallpass-jwt, X-Scope-OrgID, X-Kind, X-Role, X-Forwarded-For, Via",
		"Connection: keep-alive, Authorization, Cookie, Host",
	} {
		headers := append(slices.Clone(spoofed), good, connection, "X-Scope-OrgID: a", "X-Kind: b", "X-Role: Admin", "Te: trailers, deflate", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
		said := raw(t, b.Server, "GET /guard/proxy/loki/api/x", headers...).tells(t)
		for name, values := range said.Header {
			if slices.Contains(values, "spoofed") || name == "Authorization" || name == "Upgrade" {
				t.Errorf("%s: the API gets %s: %q", connection, name, values)
			}
		}
		for name, want := range map[string]string{
			"X-Hallpass-Role": "Viewer", "X-Hallpass-Account": "sa-1-ci", "X-Scope-Orgid": "a-checked", "X-Kind": "b", "X-Role": "Viewer", "X-Forwarded-For": "127.0.0.1",
		} {
			if got := said.Header[name]; !slices.Equal(got, []string{want}) {
				t.Errorf("%s: the API gets %s: %q, want %q", connection, name, got, want)
			}
		}
	}
	// The role that the client asks to be taken away is that of Connection alone.
	if r := b.get("/api/x", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"); r.StatusCode != 200 || r.tells(t).Header["Upgrade"] != nil {
		t.Errorf("an upgrade to another protocol: %d %s", r.StatusCode, r.text)
	}
}

// TestProxyAnswers looks at what the client gets of the API's answers.
func TestProxyAnswers(t *testing.T) {
	b := newBehind(t)
	r := b.get("/api/denied?401")
	if r.StatusCode != 401 || r.Header.Get("WWW-Authenticate") != `Basic realm="the API's own"` || !slices.Equal(r.Header["Cache-Control"], []string{"private"}) || r.text != "the API's own\n" {
		t.Errorf("its own 401: %d %v %s", r.StatusCode, r.Header, r.text)
	}
	if r := b.get("/api/denied"); r.StatusCode != 403 || r.Header.Get("X-Hallpass-Reason") != "" || r.text != "the API's own\n" {
		t.Errorf("its own 403: %d %v %s", r.StatusCode, r.Header, r.text)
	}
	if r := b.get("/api/broken"); r.StatusCode != 500 || r.text != "the API's own\n" {
		t.Errorf("its own 500: %d %s", r.StatusCode, r.text)
	}
	if r := b.get("/api/cookies"); !slices.Equal(r.Header["Set-Cookie"], []string{"theirs=1"}) {
		t.Errorf("cookies %q", r.Header["Set-Cookie"])
	}
	if r := b.get("/api/trailers"); r.text != "body" || r.Trailer.Get("X-Sum") != "42" || r.Trailer.Get("X-Late") != "43" {
		t.Errorf("%q with the trailers %v", r.text, r.Trailer)
	}
	if r := b.get("/api/x"); r.Header.Get("Content-Security-Policy") != "sandbox" || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("X-Frame-Options") != "" {
		t.Errorf("headers %v", r.Header)
	}
	head := raw(t, b.Server, "HEAD /guard/proxy/app/api/big", "Authorization: Bearer "+b.key)
	if head.StatusCode != 200 || head.ContentLength != 64<<20 || head.text != "" {
		t.Errorf("HEAD: %d, %d bytes announced, %q", head.StatusCode, head.ContentLength, head.text)
	}
	early := b.dial()
	early.send("GET /guard/proxy/app/api/early HTTP/1.1", "Authorization: Bearer "+b.key)
	first, err := http.ReadResponse(early.r, nil)
	if err != nil || first.StatusCode != 103 || first.Header.Get("Link") == "" {
		t.Fatalf("the interim answer: %v, %v", first, err)
	}
	if last, err := http.ReadResponse(early.r, nil); err != nil || last.StatusCode != 200 {
		t.Errorf("the answer: %v, %v", last, err)
	}
	log := b.Log()
	if !strings.Contains(log, "/api/broken") || strings.Contains(log, `level=ERROR`) {
		t.Errorf("the log is %s", log)
	}
}

// A line is a connection to the server.
type line struct {
	net.Conn
	r *bufio.Reader
	t *testing.T
}

func (b *behind) dial() *line {
	b.t.Helper()
	return dialLine(b.t, strings.TrimPrefix(b.URL, "http://"))
}

func dialLine(t *testing.T, address string) *line {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the test is over
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &line{conn, bufio.NewReader(conn), t}
}

// send sends the head of a request.
func (l *line) send(first string, headers ...string) {
	l.t.Helper()
	if _, err := io.WriteString(l, strings.Join(append([]string{first, "Host: hallpass"}, headers...), "\r\n")+"\r\n\r\n"); err != nil {
		l.t.Fatal(err)
	}
}

// answer reads the head of an answer.
func (l *line) answer() *http.Response {
	l.t.Helper()
	res, err := http.ReadResponse(l.r, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return res
}

// ends reads until the connection ends, and returns what came.
func (l *line) ends() string {
	l.t.Helper()
	b, err := io.ReadAll(l.r)
	if err, timeout := err.(net.Error); timeout && err.Timeout() {
		l.t.Fatalf("the connection does not end: %q came", b)
	}
	return string(b)
}

// TestProxyFailures has the API be away, and slow.
func TestProxyFailures(t *testing.T) {
	b := newBehind(t)
	gone := newEcho(t)
	gone.Close()
	newGuard(t, b.Store(), hallpass.Guard{Name: "gone", Org: 1, Upstream: gone.URL, Rules: viewers})
	newGuard(t, b.Store(), hallpass.Guard{Name: "slow", Org: 1, Upstream: b.api.URL, Rules: viewers, Timeout: 50 * time.Millisecond})
	for first, want := range map[string]struct {
		status int
		id     string
	}{
		"GET /guard/proxy/gone/api/x":      {502, "guard.upstream-down"},
		"GET /guard/proxy/slow/api/silent": {504, "guard.upstream-slow"},
	} {
		r := raw(t, b.Server, first, "Authorization: Bearer "+b.key)
		if r.StatusCode != want.status || !strings.Contains(r.text, `"messageId":"`+want.id+`"`) || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", first, r.StatusCode, r.text)
		}
	}
	// Once it has begun, an answer may take its time; so may a request.
	stream := b.dial()
	stream.send("GET /guard/proxy/slow/api/events HTTP/1.1", "Authorization: Bearer "+b.key)
	if res := stream.answer(); res.StatusCode != 200 {
		t.Fatalf("a stream: %d", res.StatusCode)
	}
	slow := b.dial()
	slow.send("POST /guard/proxy/slow/api/upload HTTP/1.1", "Authorization: Bearer "+b.key, "Content-Length: 40")
	for range 40 {
		if _, err := stream.r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // a client that needs four times as long as the API may
		if _, err := io.WriteString(slow, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if res := slow.answer(); res.StatusCode != 200 {
		t.Errorf("a slow upload: %d", res.StatusCode)
	}
}

// TestProxyBodies has bodies arrive whole, in both directions, without being kept.
func TestProxyBodies(t *testing.T) {
	b := newBehind(t)
	body := make([]byte, 20<<20)
	_, _ = rand.Read(body) // never fails
	for name, length := range map[string]int64{"of known length": int64(len(body)), "chunked": -1} {
		r, err := http.NewRequest("POST", b.URL+"/guard/proxy/app/api/upload", io.NopCloser(bytes.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		r.Header.Set("Authorization", "Bearer "+b.key)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := io.ReadAll(res.Body)
		if err != nil || string(text) != fmt.Sprintf("%d <nil>", len(body)) {
			t.Errorf("%s: %d %s, %v", name, res.StatusCode, text, err)
		}
	}
	l := b.dial()
	l.send("POST /guard/proxy/app/api/x HTTP/1.1", "Authorization: Bearer "+b.key, "Transfer-Encoding: chunked", "Trailer: X-Sum, X-Hallpass-Role")
	_, _ = io.WriteString(l, "5\r\nhello\r\n0\r\nX-Sum: 42\r\nX-Hallpass-Role: Admin\r\nX_Hallpass_Role: Admin\r\n\r\n") // the answer tells
	var said told
	if err := json.NewDecoder(l.answer().Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(said.Trailer, http.Header{"X-Sum": {"42"}}); said.Body != "hello" || d != "" {
		t.Errorf("the body %q with the trailers:\n%s", said.Body, d)
	}
	down := b.dial()
	down.send("GET /guard/proxy/app/api/big HTTP/1.1", "Authorization: Bearer "+b.key)
	if n, err := io.Copy(io.Discard, down.answer().Body); n != 64<<20 || err != nil {
		t.Errorf("%d bytes came, %v", n, err)
	}
}

// TestProxySmuggling sends requests in whose body another request may be seen: the API
// sees one at most, and that whole.
func TestProxySmuggling(t *testing.T) {
	b := newBehind(t)
	inner := "GET /admin/x HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, rest := range map[string]string{
		"CL and TE":        fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", len(inner)+5, inner),
		"TE and CL":        fmt.Sprintf("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(inner), inner),
		"two CL":           fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d\r\n\r\n%s", len(inner), inner),
		"two CL in one":    fmt.Sprintf("Content-Length: 0, %d\r\n\r\n%s", len(inner), inner),
		"CL with a sign":   fmt.Sprintf("Content-Length: +%d\r\n\r\n%s", len(inner), inner),
		"TE of two":        fmt.Sprintf("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n%s", inner),
		"two TE":           fmt.Sprintf("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n%s", inner),
		"TE with a tab":    fmt.Sprintf("Transfer-Encoding:\tchunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n%s", len(inner)+5, inner),
		"TE with a space":  fmt.Sprintf("Transfer-Encoding : chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n%s", len(inner)+5, inner),
		"TE of xchunked":   fmt.Sprintf("Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n%s", len(inner)+5, inner),
		"a folded TE":      fmt.Sprintf("X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n%s", len(inner), inner),
		"a bare CR":        fmt.Sprintf("X: y\rTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n%s", len(inner), inner),
		"a chunk too long": "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + inner,
		"TE_":              fmt.Sprintf("Transfer_Encoding: chunked\r\nContent-Length: %d\r\n\r\n%s", len(inner), inner),
	} {
		l := b.dial()
		if _, err := io.WriteString(l, "POST /guard/proxy/app/api/x HTTP/1.1\r\nHost: hallpass\r\nConnection: close\r\nAuthorization: Bearer "+b.key+"\r\n"+rest); err != nil {
			t.Fatal(err)
		}
		got := l.ends()
		if !strings.HasPrefix(got, "HTTP/1.1 200 ") && !strings.HasPrefix(got, "HTTP/1.1 400 ") && !strings.HasPrefix(got, "HTTP/1.1 501 ") {
			t.Errorf("%s: %q", name, got)
		}
	}
	b.api.mu.Lock()
	defer b.api.mu.Unlock()
	for _, uri := range b.api.seen {
		if uri != "/api/x" {
			t.Errorf("a request for %s arrived", uri)
		}
	}
}

// events opens a stream and reads its first event.
func (b *behind) events(path string) *line {
	b.t.Helper()
	l := b.dial()
	l.send("GET /guard/proxy/app"+path+" HTTP/1.1", "Authorization: Bearer "+b.key)
	if res := l.answer(); res.StatusCode != 200 {
		b.t.Fatalf("%s: %d", path, res.StatusCode)
	}
	return l
}

// socket opens a websocket. What is sent with the handshake arrives too.
func (b *behind) socket() *line {
	b.t.Helper()
	l := b.dial()
	if _, err := io.WriteString(l, "GET /guard/proxy/app/api/socket HTTP/1.1\r\nHost: hallpass\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer "+b.key+"\r\n\r\nahead\n"); err != nil {
		b.t.Fatal(err)
	}
	if res := l.answer(); res.StatusCode != 101 || res.Header.Get("Upgrade") != "websocket" {
		b.t.Fatalf("a websocket: %d %v", res.StatusCode, res.Header)
	}
	if got, err := l.r.ReadString('\n'); err != nil || got != "echo ahead\n" {
		b.t.Fatalf("what was sent with the handshake: %q, %v", got, err)
	}
	return l
}

// says sends a line through a websocket and reads its echo.
func (l *line) says(text string) error {
	if _, err := io.WriteString(l, text+"\n"); err != nil {
		return err
	}
	got, err := l.r.ReadString('\n')
	if err == nil && got != "echo "+text+"\n" {
		err = fmt.Errorf("got %q", got)
	}
	return err
}

// TestStreamsEnd has streams, websockets, uploads and long polls end when their request
// may not go on, and others stay.
func TestStreamsEnd(t *testing.T) {
	for name, end := range map[string]func(b *behind, r func(method, path, body string)){
		"the token is deleted": func(b *behind, r func(method, path, body string)) {
			r("DELETE", "/api/serviceaccounts/"+b.account+"/tokens/1", "")
		},
		"the account is disabled": func(b *behind, r func(method, path, body string)) {
			r("PATCH", "/api/serviceaccounts/"+b.account, `{"isDisabled":true}`)
		},
		"the account loses its role": func(b *behind, r func(method, path, body string)) {
			r("PATCH", "/api/serviceaccounts/"+b.account, `{"role":"None"}`)
		},
		"the guard asks for more": func(b *behind, _ func(method, path, body string)) { b.change(hallpass.RoleAdmin) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBehind(t)
			flows, rests, socket, poll := b.events("/api/events"), b.events("/api/rests"), b.socket(), b.dial()
			poll.send("GET /guard/proxy/app/api/silent HTTP/1.1", "Authorization: Bearer "+b.key)
			upload := b.dial()
			upload.send("POST /guard/proxy/app/api/upload HTTP/1.1", "Authorization: Bearer "+b.key, "Content-Length: 1000000")
			hallpasstest.Eventually(t, "all requests arrive", func() bool { return b.api.arrived.Load() == 5 })
			other := b.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+b.account, `{"role":"Editor"}`) // may still do it
			if other.StatusCode != 200 {
				t.Fatal(other.Text)
			}
			if err := socket.says("still here"); err != nil {
				t.Fatalf("after a change that permits it: %v", err)
			}
			end(b, func(method, path, body string) {
				if r := b.Do(hallpasstest.Admin, method, path, body); r.StatusCode != 200 {
					t.Fatal(r.Text)
				}
			})
			if err := socket.says("no more"); err == nil {
				t.Error("a websocket passes more after the answer")
			}
			flows.ends()
			rests.ends()
			for what, l := range map[string]*line{"a long poll": poll, "an upload": upload} {
				_ = l.SetReadDeadline(time.Now().Add(20 * time.Second)) // a broken connection tells below
				if got := l.answer().StatusCode; got != 401 && got != 403 {
					t.Errorf("%s ends with %d", what, got)
				}
			}
		})
	}
}

// change gives the rule of the API's streams another role.
func (b *behind) change(r hallpass.Role) {
	b.t.Helper()
	rules := slices.Clone(viewers)
	rules[0] = role(r, "/api/")
	changeGuard(b.t, b.Store(), b.guard, func(g *hallpass.Guard) { g.Rules = rules })
}

// TestStreamsOfOthers has streams of other tokens go on, and a stream end when its token
// expires.
func TestStreamsOfOthers(t *testing.T) {
	b := newBehind(t)
	mine := b.socket()
	_, key := token(t, b.Server, "other", "Viewer")
	r := b.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+b.account+"/tokens", `{"name":"short","secondsToLive":60}`)
	var short struct{ Key string }
	if err := json.Unmarshal([]byte(r.Text), &short); err != nil || short.Key == "" {
		t.Fatal(r.Text)
	}
	kept := b.key
	b.key = short.Key
	expires := b.socket()
	b.key = key
	other := b.socket()
	b.key = kept
	if r := b.Do(hallpasstest.Admin, "DELETE", "/api/serviceaccounts/"+b.account+"/tokens/1", ""); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	if err := mine.says("x"); err == nil {
		t.Error("a deleted token's websocket passes more")
	}
	for name, l := range map[string]*line{"another account's": other, "another token's": expires} {
		if err := l.says("x"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.Clock.Wind(time.Minute)
	if err := expires.says("x"); err == nil {
		t.Error("an expired token's websocket passes more")
	}
	if err := other.says("x"); err != nil {
		t.Error(err)
	}
}

// TestProxyLoop has a guard whose upstream is Hallpass itself.
func TestProxyLoop(t *testing.T) {
	b := newBehind(t)
	newGuard(t, b.Store(), hallpass.Guard{Name: "self", Org: 1, Upstream: b.URL, Rules: []hallpass.GuardRule{role(hallpass.RoleViewer, "/{rest...}")}})
	for _, path := range []string{"/guard/proxy/self/x", "/api/org", "/metrics", "/login", "/"} {
		if r := raw(t, b.Server, "GET /guard/proxy/self"+path, "Authorization: Bearer "+b.key); r.StatusCode != http.StatusLoopDetected || !strings.Contains(r.text, "guard.loop") {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.text)
		}
	}
}

// TestProxyStops has the server stop while streams are open: they end, and the stop does
// not wait for them.
func TestProxyStops(t *testing.T) {
	b := newBehind(t)
	rests, socket := b.events("/api/rests"), b.socket()
	b.Restart()
	rests.ends()
	socket.ends()
}

// onItsOwn has a server serve the API behind the guard at an address of its own.
func onItsOwn(g hallpass.Guard) func(*server.Config) {
	return func(c *server.Config) {
		g.Listen = "127.0.0.1:0"
		c.ConfigFile, c.Guards = "hallpass.toml", []hallpass.Guard{g}
	}
}

// TestProxyOfItsOwn serves an API, and nothing else, at an address of its own.
func TestProxyOfItsOwn(t *testing.T) {
	api := newEcho(t)
	s := hallpasstest.New(t, onItsOwn(hallpass.Guard{Name: "app", Org: 1, Upstream: api.URL, Rules: viewers}))
	_, key := token(t, s, "ci", "Viewer")
	ask := func(first, auth string) (int, string) {
		t.Helper()
		l := dialLine(t, s.GuardAddress("app"))
		l.send(first+" HTTP/1.1", "Connection: close", "Authorization: Bearer "+auth)
		res := l.answer()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.Header.Get("Content-Security-Policy") != "" {
			t.Errorf("%s: %v, %v", first, err, res.Header)
		}
		return res.StatusCode, string(text)
	}
	for first, uri := range map[string]string{"GET /api/x?q=1;2": "/api/x?q=1;2", "GET http://elsewhere.example/api/y": "/api/y", "GET /": "/", "POST /api/guard/proxy/app/x": "/api/guard/proxy/app/x"} {
		var said told
		if status, text := ask(first, key); status != 200 || json.Unmarshal([]byte(text), &said) != nil || said.URI != uri {
			t.Errorf("%s: %d %s", first, status, text)
		}
	}
	for first, want := range map[string]int{"GET /guard/verify": 403, "GET /guard/jwks.json": 403, "GET /healthz": 403, "GET /login": 403, "GET /api/../admin/x": 403, "GET /api//x": 403, "OPTIONS *": 403} {
		if status, text := ask(first, key); status != want {
			t.Errorf("%s: %d %s, want %d", first, status, text, want)
		}
	}
	if status, text := ask("GET /api/x", "nonsense"); status != 401 {
		t.Errorf("%d %s", status, text)
	}
}

// TestStreamsEndElsewhere deletes the token on another node: nothing passes after that
// node's answer.
func TestStreamsEndElsewhere(t *testing.T) {
	b := newBehind(t)
	other := b.Node()
	rests, socket := b.events("/api/rests"), b.socket()
	if r := other.Do(hallpasstest.Admin, "DELETE", "/api/serviceaccounts/"+b.account+"/tokens/1", ""); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	if err := socket.says("no more"); err == nil {
		t.Error("a websocket passes more after the answer of another node")
	}
	rests.ends()
}
