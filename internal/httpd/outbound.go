package httpd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// An Outbound makes the requests that go out of this server to addresses that an
// administrator of an org sets: whoever may set one must not reach through it what only
// this machine reaches. It refuses addresses that are not of the public internet, save
// those that the operator allows, and connects to the very address that it looked at,
// so that a name that resolves to another one a moment later makes no difference. It
// uses no proxy of the environment and follows no redirect. It is safe for concurrent
// use.
type Outbound struct {
	allow  []netip.Prefix
	client *http.Client
}

// OutboundOptions set up an Outbound. Zero values are useful.
type OutboundOptions struct {
	Allow    []netip.Prefix // addresses that may be dialled though they are not public
	Timeout  time.Duration  // that a request may take with its answer; 0: 15 s
	Resolver *net.Resolver  // nil: that of the system
}

// ParseOutbound reads CIDRs and single addresses.
func ParseOutbound(list []string) (allow []netip.Prefix, err error) {
	for _, s := range list {
		p, err := parsePrefix(s)
		if err != nil {
			return nil, err
		}
		allow = append(allow, p)
	}
	return allow, nil
}

// Times and sizes of requests that go out.
const (
	outboundTimeout = 15 * time.Second
	maxAnswer       = 1 << 20  // bytes of an answer that are read
	maxAnswerHeader = 64 << 10 // bytes of the headers of an answer
	maxExcerpt      = 300      // bytes of an answer that are kept
)

// NewOutbound returns an Outbound.
func NewOutbound(o OutboundOptions) *Outbound {
	if o.Timeout == 0 {
		o.Timeout = outboundTimeout
	}
	out := &Outbound{allow: o.Allow}
	dialer := &net.Dialer{Timeout: o.Timeout, Resolver: o.Resolver, Control: out.control}
	out.client = &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: o.Timeout, IdleConnTimeout: 30 * time.Second,
			MaxIdleConnsPerHost: 2, DisableCompression: true, MaxResponseHeaderBytes: maxAnswerHeader,
		},
	}
	return out
}

// A ForbiddenAddress says that a request was not sent, because its address is not of
// the public internet.
type ForbiddenAddress struct{ Address netip.Addr }

// Error names the address and the setting that allows it.
func (e *ForbiddenAddress) Error() string {
	return fmt.Sprintf("%s is not an address of the public internet: the operator can allow it in outbound_allow of the section [server]", e.Address)
}

// control runs between the creation of a socket and its connection to the address.
func (o *Outbound) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address %q cannot be read: %w", address, err)
	}
	return o.Permit(to.Addr())
}

// Permit returns a *ForbiddenAddress unless the address may be dialled.
func (o *Outbound) Permit(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	for _, p := range o.allow {
		if p.Contains(addr) {
			return nil
		}
	}
	if public(addr) {
		return nil
	}
	return &ForbiddenAddress{addr}
}

// reserved are the networks that are not of the public internet, beside those that
// netip knows (IANA, special-purpose address registries), and one that reaches the
// machine's host from within a cloud.
var reserved = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"168.63.129.16/32",           // Azure's host
	"::/96",                      // IPv4 in an old form
	"64:ff9b:1::/48", "100::/64", // translated within a network; discarded
	"2001::/23", "2001:db8::/32", // Teredo and other tunnels; documentation
	"3fff::/20", "5f00::/16", "fec0::/10", // documentation; segment routing; site-local
)

// tunnels are networks whose addresses hold one of IPv4, from the byte on.
var tunnels = []struct {
	network netip.Prefix
	from    int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64 (RFC 6052)
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4 (RFC 3056)
}

func prefixes(list ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(list))
	for i, s := range list {
		parsed[i] = netip.MustParsePrefix(s)
	}
	return parsed
}

// public reports whether the address is of the public internet.
func public(addr netip.Addr) bool {
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(addr) {
			return false
		}
	}
	for _, t := range tunnels {
		if t.network.Contains(addr) {
			b := addr.As16()
			return public(netip.AddrFrom4([4]byte(b[t.from : t.from+4])))
		}
	}
	return true
}

// An Answer is what a receiver answered.
type Answer struct {
	Status     int
	RetryAfter time.Duration // when the receiver wants to be asked again; 0: it does not say
	Excerpt    string        // the beginning of what it said
}

// Post sends the body to the URL with the headers. A status that is no success is no
// error. An error does not repeat the URL, which may hold a secret.
func (o *Outbound) Post(ctx context.Context, to string, header http.Header, body []byte) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return Answer{}, errors.New("the URL cannot be read")
	}
	r.Header = header
	answer, err := o.client.Do(r)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return Answer{}, err
	}
	defer func() { _ = answer.Body.Close() }() // what was read is all that counts
	excerpt := make([]byte, maxExcerpt)
	n, err := io.ReadFull(answer.Body, excerpt)
	if err == nil { // there is more: a connection of which all was read can be used again
		_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return Answer{Status: answer.StatusCode, RetryAfter: retryAfter(answer.Header.Get("Retry-After"), time.Now()), Excerpt: string(excerpt[:n])}, err
}

// retryAfter reads a Retry-After (RFC 9110, 10.2.3): seconds or a date. What is neither,
// or is over, is 0.
func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
