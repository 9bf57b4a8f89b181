package httpd_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// TestOutboundPermits holds the table of addresses that may and may not be dialled.
func TestOutboundPermits(t *testing.T) {
	allow, err := httpd.ParseOutbound([]string{"10.1.0.0/16", "fd00:1::7"})
	if err != nil {
		t.Fatal(err)
	}
	o := httpd.NewOutbound(httpd.OutboundOptions{Allow: allow})
	for address, want := range map[string]bool{
		"1.1.1.1": true, "93.184.216.34": true, "2606:4700::1111": true, "64:ff9b::1.1.1.1": true, "2002:101:101::1": true,
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "fd00:1::7": true,

		"127.0.0.1": false, "127.1.2.3": false, "::1": false, "::ffff:127.0.0.1": false, "::127.0.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "fd00:1::8": false, "fc00::1": false,
		"169.254.169.254": false, "::ffff:169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00:ec2::254": false, "168.63.129.16": false, "100.100.100.200": false,
		"224.0.0.1": false, "239.1.1.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"192.0.2.1": false, "198.18.0.1": false, "203.0.113.9": false, "2001:db8::1": false, "2001::1": false, "fec0::1": false,
		"192.0.0.9": false, "100.64.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "192.88.99.1": false, "::8.8.8.8": false, "::ffff:0:8.8.8.8": false, "::ffff:0:10.1.2.3": false,
		"100::1": false, "100:0:0:1::1": false, "2001:10::1": false, "2001:20::1": false, "3fff::1": false, "5f00::1": false, "fdff::1": false, "febf::1": false, "4000::1": false, "ff0e::1": false,
		"2606:4700::5efe:127.0.0.1": false, "2606:4700::200:5efe:10.0.0.1": false, "2606:4700::5efe:8.8.8.8": true, "64:ff9b::10.1.2.3": true, "64:ff9b::10.2.2.3": false,
		"64:ff9b::127.0.0.1": false, "64:ff9b::10.0.0.1": false, "64:ff9b:1::1": false, "2002:7f00:1::1": false, "2002:a9fe:a9fe::": false,
	} {
		var forbidden *httpd.ForbiddenAddress
		err := o.Permit(netip.MustParseAddr(address))
		if (err == nil) != want || err != nil && !errors.As(err, &forbidden) {
			t.Errorf("%s: %v, want %t", address, err, want)
		}
	}
	if _, err := httpd.ParseOutbound([]string{"10.0.0"}); err == nil {
		t.Error("half an address was read")
	}
}

// TestOutboundUnwraps draws addresses of IPv4 and puts each into every form of IPv6 that
// can lead to it: none may be dialled that the address itself may not.
func TestOutboundUnwraps(t *testing.T) {
	o := httpd.NewOutbound(httpd.OutboundOptions{})
	rapid.Check(t, func(t *rapid.T) {
		v4 := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "v4"))
		if rapid.Bool().Draw(t, "inside") {
			copy(v4[:], rapid.SampledFrom([][]byte{{10}, {127, 0}, {169, 254, 169, 254}, {172, 16}, {192, 168}, {100, 64}, {224}, {0}, {255, 255, 255, 255}}).Draw(t, "network"))
		}
		allowed := o.Permit(netip.AddrFrom4(v4)) == nil
		for _, form := range []struct {
			start string
			at    int
		}{
			{"::", 12}, {"::ffff:0:0", 12}, {"::ffff:0:0:0", 12}, {"64:ff9b::", 12}, {"64:ff9b:1::", 12}, {"2002::", 2}, {"2001::", 12},
			{"2606:4700::5efe:0:0", 12}, {"2606:4700::200:5efe:0:0", 12}, {"fe80::5efe:0:0", 12},
		} {
			b := netip.MustParseAddr(form.start).As16()
			copy(b[form.at:], v4[:])
			if addr := netip.AddrFrom16(b); !allowed && o.Permit(addr) == nil {
				t.Fatalf("%s may be dialled, and %v may not", addr, v4)
			}
		}
	})
}

// names is a name server that gives the name one address after the other.
func names(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it ends the server
	var asked atomic.Int64
	go func() {
		for {
			b := make([]byte, 512)
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			q := b[12:n]
			end := strings.IndexByte(string(q), 0) + 5 // name, type, class
			answer := append([]byte{b[0], b[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[:end]...)
			if q[end-3] == 1 { // A
				i := min(int(asked.Add(1))-1, len(addresses)-1)
				ip := netip.MustParseAddr(addresses[i]).As4()
				answer[7] = 1
				answer = append(append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), ip[:]...)
			}
			if _, err := conn.WriteTo(answer, from); err != nil {
				return
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestOutboundRefuses posts to addresses inside, by number, by name, and by a name that
// changes its mind: nothing arrives.
func TestOutboundRefuses(t *testing.T) {
	var arrived atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	defer inside.Close()
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, host string
		resolver   *net.Resolver
	}{
		{"number", "127.0.0.1", nil},
		{"mapped", "[::ffff:127.0.0.1]", nil},
		{"number in another form", "0x7f000001", names(t, "127.0.0.1")},
		{"name", "inside.example.com", names(t, "127.0.0.1")},
		{"a name of the metadata service", "meta.example.com", names(t, "169.254.169.254")},
	} {
		o := httpd.NewOutbound(httpd.OutboundOptions{Resolver: tt.resolver, Timeout: 5 * time.Second})
		_, err := o.Post(t.Context(), "http://"+tt.host+":"+port+"/", http.Header{}, nil)
		var forbidden *httpd.ForbiddenAddress
		if !errors.As(err, &forbidden) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// A name that rebinds: whoever looked at the first answer would connect to the second.
	rebinding := names(t, "10.255.255.1", "127.0.0.1")
	o := httpd.NewOutbound(httpd.OutboundOptions{Resolver: rebinding, Timeout: 5 * time.Second})
	for range 2 {
		var forbidden *httpd.ForbiddenAddress
		if _, err := o.Post(t.Context(), "http://rebinds.example.com:"+port+"/", http.Header{}, nil); !errors.As(err, &forbidden) {
			t.Errorf("rebinding: %v", err)
		}
	}
	t.Setenv("HTTP_PROXY", inside.URL)
	if _, err := httpd.NewOutbound(httpd.OutboundOptions{}).Post(t.Context(), "http://127.0.0.1:"+port+"/", http.Header{}, nil); err == nil {
		t.Error("a proxy of the environment was used")
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// TestOutboundPosts posts to receivers that answer, redirect, talk for ever or not at
// all.
func TestOutboundPosts(t *testing.T) {
	var followed atomic.Bool
	stop := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ok", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what is missing is seen below
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write(append(body, strings.Repeat("x", 5000)...)) // the client reads it
	})
	mux.HandleFunc("POST /moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/followed", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/followed", func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	mux.HandleFunc("POST /silent", func(http.ResponseWriter, *http.Request) { <-stop })
	mux.HandleFunc("POST /endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	receiver := httptest.NewServer(mux)
	defer receiver.Close()
	defer close(stop)
	allow, err := httpd.ParseOutbound([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	o := httpd.NewOutbound(httpd.OutboundOptions{Allow: allow})
	got, err := o.Post(t.Context(), receiver.URL+"/ok", http.Header{"X": {"y"}}, []byte("hello"))
	if err != nil || got.Status != 429 || got.RetryAfter != 7*time.Second || !strings.HasPrefix(got.Excerpt, "hellox") || len(got.Excerpt) != 300 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := o.Post(t.Context(), receiver.URL+"/moved", http.Header{}, nil); err != nil || got.Status != 307 || followed.Load() {
		t.Errorf("a redirect: %+v, %v, followed %t", got, err, followed.Load())
	}
	if got, err := o.Post(t.Context(), receiver.URL+"/endless", http.Header{}, nil); err != nil || got.Status != 200 {
		t.Errorf("an endless answer: %+v, %v", got, err)
	}
	short := httpd.NewOutbound(httpd.OutboundOptions{Allow: allow, Timeout: 50 * time.Millisecond})
	if _, err := short.Post(t.Context(), receiver.URL+"/silent", http.Header{}, nil); err == nil || strings.Contains(err.Error(), receiver.URL) {
		t.Errorf("a silent receiver: %v", err)
	}
}
