package test_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A witness is an API behind a proxy. It records every request exactly as it arrived. It
// believes what no careful server believes: whatever stands before the first and after
// the last space of a line is a method and a version, and a connection becomes whatever
// the request asks for. So it serves what a proxy let through by mistake.
type witness struct {
	address string

	mu       sync.Mutex
	arrivals []arrival // guarded by mu
}

// arrival is a request that reached the API.
type arrival struct {
	method, target string
	header         []field // in order, the names as they were written
	body           []byte
}

type field struct{ name, value string }

// values returns the values of the header. It reads "_" and "." in a name as "-", as some
// servers do.
func (a arrival) values(name string) (values []string) {
	for _, f := range a.header {
		if plainName(f.name) == plainName(name) {
			values = append(values, f.value)
		}
	}
	return values
}

// plainName returns a name of a header as servers see it that care least.
func plainName(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(strings.TrimSpace(name)))
}

// framing returns the values of a header that says where the body ends. Nobody reads such
// a header under another name.
func (a arrival) framing(name string) (values []string) {
	for _, f := range a.header {
		if strings.EqualFold(strings.TrimSpace(f.name), name) {
			values = append(values, f.value)
		}
	}
	return values
}

func (a arrival) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", a.method, a.target)
	for _, f := range a.header {
		fmt.Fprintf(&b, "  %s: %.200s\n", f.name, f.value)
	}
	fmt.Fprintf(&b, "  (%d bytes)", len(a.body))
	return b.String()
}

// newWitness starts a witness that ends with the test.
func newWitness(t *testing.T) *witness {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{address: l.Addr().String()}
	t.Cleanup(func() { _ = l.Close() }) // the connections end with their clients
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go w.serve(conn)
		}
	}()
	return w
}

// take returns what arrived since the last call.
func (w *witness) take() []arrival {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.arrivals
	w.arrivals = nil
	return taken
}

// witnessed is the body of the witness' answers.
const witnessed = `{"from":"the API"}`

// serve answers the requests of one connection.
func (w *witness) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }() // it was read to its end
	r := bufio.NewReader(conn)
	for {
		a, err := readArrival(r, conn)
		if a.method != "" {
			w.mu.Lock()
			w.arrivals = append(w.arrivals, a)
			w.mu.Unlock()
		}
		if err != nil {
			return
		}
		if upgrade := a.values("Upgrade"); len(upgrade) > 0 {
			key := sha1.Sum([]byte(strings.Join(a.values("Sec-WebSocket-Key"), "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455, section 4.2.2
			if _, err := fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\nSec-WebSocket-Accept: %s\r\n\r\n", upgrade[0], base64.StdEncoding.EncodeToString(key[:])); err == nil {
				_, _ = io.Copy(conn, r) // the tunnel ends with its client
			}
			return
		}
		body := witnessed
		if a.method == "HEAD" {
			body = ""
		}
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(witnessed), body); err != nil {
			return
		}
	}
}

// readArrival reads one request.
func readArrival(r *bufio.Reader, conn io.Writer) (a arrival, err error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return a, err
	}
	var rest string
	a.method, rest, _ = strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	a.target = rest
	if i := strings.LastIndexByte(rest, ' '); i >= 0 {
		a.target = rest[:i]
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return a, err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		a.header = append(a.header, field{name, strings.TrimSpace(value)})
	}
	if len(a.framing("Expect")) > 0 {
		if _, err := io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return a, err
		}
	}
	a.body, err = readBody(r, a)
	return a, err
}

func readBody(r *bufio.Reader, a arrival) ([]byte, error) {
	for _, coding := range a.framing("Transfer-Encoding") {
		if strings.Contains(strings.ToLower(coding), "chunked") {
			body, err := io.ReadAll(httputil.NewChunkedReader(r))
			if err != nil {
				return body, err
			}
			_, err = textproto.NewReader(r).ReadMIMEHeader() // trailers, and the empty line
			return body, err
		}
	}
	if length := a.framing("Content-Length"); len(length) > 0 {
		n, err := strconv.Atoi(length[0])
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		_, err = io.CopyN(&b, r, int64(n))
		return b.Bytes(), err
	}
	return nil, nil
}
