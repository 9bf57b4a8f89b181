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

// Permit returns a *ForbiddenAddress unless the address may be dialled. An address of
// IPv6 that leads to one of IPv4 may be dialled if that may.
func (o *Outbound) Permit(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	if !o.permits(addr) {
		return &ForbiddenAddress{addr}
	}
	return nil
}

func (o *Outbound) permits(addr netip.Addr) bool {
	for _, p := range o.allow {
		if p.Contains(addr) {
			return true
		}
	}
	for _, p := range reserved {
		if p.Contains(addr) {
			return false
		}
	}
	if addr.Is4() {
		return true
	}
	if inside, ok := embedded(addr); ok && !o.permits(inside) {
		return false
	}
	return global.Contains(addr) || nat64.Contains(addr)
}

// global holds all addresses of IPv6 that are given out for the public internet (RFC
// 4291, 2.4): what is outside of it is refused, whatever it will be used for. nat64 are
// addresses of IPv4 in a network that has IPv6 alone (RFC 6052).
var (
	global = netip.MustParsePrefix("2000::/3")
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
)

// reserved are the networks that are not of the public internet: those of the
// special-purpose address registries of IANA (RFC 6890), old forms that the registries do
// not have any more, multicast, and one address that reaches the machine's host from
// within a cloud.
var reserved = prefixes(
	"0.0.0.0/8",       // this network (RFC 791)
	"10.0.0.0/8",      // private (RFC 1918)
	"100.64.0.0/10",   // of carriers (RFC 6598)
	"127.0.0.0/8",     // loopback (RFC 1122)
	"169.254.0.0/16",  // of the link, and metadata services (RFC 3927)
	"172.16.0.0/12",   // private (RFC 1918)
	"192.0.0.0/24",    // protocols of the IETF (RFC 6890)
	"192.0.2.0/24",    // documentation (RFC 5737)
	"192.31.196.0/24", // AS112 (RFC 7535)
	"192.52.193.0/24", // AMT (RFC 7450)
	"192.88.99.0/24",  // relays of 6to4 (RFC 7526)
	"192.168.0.0/16",  // private (RFC 1918)
	"192.175.48.0/24", // AS112 (RFC 7534)
	"198.18.0.0/15",   // benchmarks (RFC 2544)
	"198.51.100.0/24", // documentation (RFC 5737)
	"203.0.113.0/24",  // documentation (RFC 5737)
	"224.0.0.0/4",     // multicast (RFC 5771)
	"240.0.0.0/4",     // reserved, and broadcast (RFC 1112, RFC 919)

	"168.63.129.16/32", // Azure's host

	"::/96",             // unspecified, loopback, and IPv4 in an old form (RFC 4291)
	"::ffff:0:0/96",     // mapped (RFC 4291): Unmap has made IPv4 of it before
	"::ffff:0:0:0/96",   // translated (RFC 2765)
	"64:ff9b:1::/48",    // translated within a network (RFC 8215)
	"100::/64",          // discarded (RFC 6666)
	"100:0:0:1::/64",    // dummy (RFC 9780)
	"2001::/23",         // protocols of the IETF, with Teredo (RFC 2928, RFC 4380)
	"2001:db8::/32",     // documentation (RFC 3849)
	"2620:4f:8000::/48", // AS112 (RFC 7534)
	"3fff::/20",         // documentation (RFC 9637)
	"5f00::/16",         // segment routing (RFC 9602)
	"fc00::/7",          // unique local (RFC 4193)
	"fe80::/10",         // of the link (RFC 4291)
	"fec0::/10",         // site-local (RFC 3879)
	"ff00::/8",          // multicast (RFC 4291)
)

// tunnels are networks whose addresses hold one of IPv4, from the byte on.
var tunnels = []struct {
	network netip.Prefix
	from    int
}{
	{nat64, 12},
	{netip.MustParsePrefix("2002::/16"), 2}, // 6to4 (RFC 3056)
}

// embedded returns the address of IPv4 that one of IPv6 leads to, if it does: through a
// tunnel, or in any network to a host of ISATAP (RFC 5214).
func embedded(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	for _, t := range tunnels {
		if t.network.Contains(addr) {
			return netip.AddrFrom4([4]byte(b[t.from : t.from+4])), true
		}
	}
	if b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe {
		return netip.AddrFrom4([4]byte(b[12:])), true
	}
	return netip.Addr{}, false
}

func prefixes(list ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(list))
	for i, s := range list {
		parsed[i] = netip.MustParsePrefix(s)
	}
	return parsed
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
