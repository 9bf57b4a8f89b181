package httpd

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// TrustedProxies are the addresses whose X-Forwarded-For and X-Forwarded-Proto
// are believed. The zero value trusts none.
type TrustedProxies []netip.Prefix

// ParseTrustedProxies reads CIDRs and single addresses. Those that together cover every
// address of IPv4 or of IPv6 are refused: they would let any client choose its address.
func ParseTrustedProxies(list []string) (TrustedProxies, error) {
	var trusted TrustedProxies
	for _, s := range list {
		p, err := parsePrefix(s)
		if err != nil {
			return nil, err
		}
		trusted = append(trusted, p)
	}
	for _, every := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if trusted.cover(netip.PrefixFrom(every, 0)) {
			return nil, fmt.Errorf("%q would trust every client", strings.Join(list, ", "))
		}
	}
	return trusted, nil
}

// parsePrefix reads a CIDR or a single address. One of IPv4 that is written as IPv6 is
// the same one of IPv4, as the addresses are that it is compared with.
func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		addr, err := netip.ParseAddr(s)
		if err != nil {
			return p, fmt.Errorf("%q is neither an IP address nor a CIDR", s)
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	const mapped = 96 // bits before an address of IPv4 in one of IPv6
	if p.Addr().Is4In6() && p.Bits() >= mapped {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p.Masked(), nil
}

// cover reports whether each address of p is that of a trusted proxy: a prefix has all of
// them, or there are some for each half.
func (t TrustedProxies) cover(p netip.Prefix) bool {
	parts := false
	for _, q := range t {
		if q.Bits() <= p.Bits() && q.Contains(p.Addr()) {
			return true
		}
		parts = parts || p.Contains(q.Addr())
	}
	if !parts {
		return false
	}
	upper := p.Addr().AsSlice()
	upper[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	high, _ := netip.AddrFromSlice(upper) // it is as long as the address that it was made of
	return t.cover(netip.PrefixFrom(p.Addr(), p.Bits()+1)) && t.cover(netip.PrefixFrom(high, p.Bits()+1))
}

func (t TrustedProxies) contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("") // a prefix has no zone, and contains no address that has one
	for _, p := range t {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Proxies says which proxies are believed about a client's address, and in which
// headers they tell it. Only one set of headers is read, because a proxy passes on
// the headers that it does not set itself (SEC-35).
type Proxies struct {
	Trusted   TrustedProxies
	Forwarded bool // Forwarded (RFC 7239) is read, else X-Forwarded-For and X-Forwarded-Proto

	// Unread, if not nil, is called for an entry of a trusted proxy that names no
	// address. The address of the proxy then counts as the client's.
	Unread func(proxy, entry string)

	// Unheard, if not nil, is called for a request that tells that it came through a proxy,
	// while no proxy is trusted. The address of the peer then counts as the client's.
	Unheard func()
}

// The headers in which proxies tell the client's address.
const (
	xForwardedFor = "X-Forwarded-For"
	forwarded     = "Forwarded"
)

// From returns the client's address and user agent. The address is that of the
// peer. If the peer is a trusted proxy, it is the last address in the header that
// is not a trusted proxy.
func (p Proxies) From(r *http.Request) hallpass.From { return p.peer(r).from }

// A peer is who sent a request, and the client that it tells of.
type peer struct {
	from    hallpass.From // the client
	secure  bool          // the client used https, to us or to a trusted proxy
	trusted bool          // the peer is a trusted proxy
}

func (p Proxies) peer(r *http.Request) (who peer) {
	who.from.Address, who.secure, who.trusted = p.client(r)
	if agent := r.Header["User-Agent"]; len(agent) > 0 {
		who.from.UserAgent = hallpass.Clean(agent[0], maxAgent)
	}
	return who
}

// client returns the client's address, and whether the client used https, to us or
// to a trusted proxy. trusted tells whether the peer is one.
func (p Proxies) client(r *http.Request) (address string, secure, trusted bool) {
	secure = r.TLS != nil
	host := PeerAddress(r)
	if len(p.Trusted) == 0 {
		if p.Unheard != nil && (len(r.Header[xForwardedFor]) > 0 || len(r.Header[forwarded]) > 0) {
			p.Unheard()
		}
		return host, secure, false
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !p.Trusted.contains(peer) {
		return host, secure, false
	}
	w := walk{Proxies: p, client: peer.Unmap()}
	if p.Forwarded {
		w.forwarded(r.Header[forwarded])
	} else {
		w.forwardedFor(r.Header[xForwardedFor])
		w.proto = r.Header.Get("X-Forwarded-Proto")
	}
	secure = secure || w.proto == "https"
	if w.client == peer && peer.Is4() {
		return host, secure, true // the proxy told of no client; IPv4 has one spelling
	}
	return w.client.String(), secure, true
}

// PeerAddress returns the address of the peer, without its port, whatever proxies tell.
func PeerAddress(r *http.Request) string {
	host := r.RemoteAddr
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = strings.Trim(host[:i], "[]")
	}
	return host
}

// OneAddress returns the address of a client that a trusted proxy tells in a header of
// its own, as X-Real-Ip, of which values are the values. It is false unless there is
// exactly one, and that is an address.
func OneAddress(values []string) (address string, ok bool) {
	if len(values) != 1 {
		return "", false
	}
	addr, err := netip.ParseAddr(values[0])
	if err != nil {
		return "", false
	}
	if addr.Is4() {
		return values[0], true // it has one spelling
	}
	return addr.Unmap().WithZone("").String(), true
}

// A walk goes back from proxy to proxy, to the first address that is not a trusted
// proxy.
type walk struct {
	Proxies
	client netip.Addr
	proto  string // of the client's request, as the proxy tells it
}

func (w *walk) forwardedFor(values []string) {
	for i := len(values) - 1; i >= 0; i-- {
		for rest, more := values[i], true; more; {
			hop := rest
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, hop = rest[:comma], rest[comma+1:]
			} else {
				more = false
			}
			if hop = strings.Trim(hop, " \t"); hop != "" && !w.step(hop) {
				return
			}
		}
	}
}

func (w *walk) forwarded(values []string) {
	for i := len(values) - 1; i >= 0; i-- {
		elements, ok := splitQuoted(values[i], ',')
		if !ok {
			w.unread(values[i])
			return
		}
		for j := len(elements) - 1; j >= 0; j-- {
			if strings.Trim(elements[j], " \t") == "" {
				continue
			}
			hop, proto := forwardedPairs(elements[j])
			if !w.Trusted.contains(w.client) {
				return
			}
			w.proto = proto
			if !w.step(hop) {
				return
			}
		}
	}
}

// step goes on to the address that the proxy tells. It reports whether there may
// be another proxy before it.
func (w *walk) step(hop string) bool {
	if !w.Trusted.contains(w.client) {
		return false
	}
	addr, ok := hopAddress(hop)
	if !ok {
		w.unread(hop)
		return false
	}
	w.client = addr.Unmap().WithZone("") // a zone is free text, and means nothing beyond its machine
	return true
}

func (w *walk) unread(entry string) {
	if w.Unread != nil {
		w.Unread(w.client.String(), hallpass.Clean(entry, maxEntry))
	}
}

// maxEntry is the longest entry that is logged, in bytes.
const maxEntry = 100

// hopAddress reads an address as proxies write it: with or without a port, and
// IPv6 in brackets.
func hopAddress(s string) (netip.Addr, bool) {
	host, port, six := s, "", false
	if inner, found := strings.CutPrefix(s, "["); found {
		var closed bool
		if host, port, closed = strings.Cut(inner, "]"); !closed {
			return netip.Addr{}, false
		}
		six = true
	} else if strings.Count(s, ":") == 1 {
		i := strings.IndexByte(s, ':')
		host, port = s[:i], s[i:]
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || six != addr.Is6() && (six || port != "") || !isPort(port) {
		return netip.Addr{}, false
	}
	return addr, true
}

// isPort reports whether s is empty, or a colon and a port. The port may be a name
// that hides the number, such as "_web" (RFC 7239, 6.3).
func isPort(s string) bool {
	number, found := strings.CutPrefix(s, ":")
	if !found {
		return s == ""
	}
	if hidden, found := strings.CutPrefix(number, "_"); found {
		return hidden != "" && strings.Trim(hidden, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
	}
	return number != "" && len(number) <= 5 && strings.Trim(number, "0123456789") == ""
}

// forwardedPairs returns the values of for and proto in an element of Forwarded.
// When a name is there twice, hop is "?", which is no address.
func forwardedPairs(element string) (hop, proto string) {
	pairs, _ := splitQuoted(element, ';')
	seen := make(map[string]bool)
	for _, pair := range pairs {
		name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
		name = LowerASCII(name)
		if seen[name] {
			return "?", ""
		}
		seen[name] = true
		switch name {
		case "for":
			hop = unquote(value)
		case "proto":
			proto = LowerASCII(unquote(value))
		}
	}
	return hop, proto
}

// splitQuoted splits s at each separator outside of quotes. It is not ok when a
// quote does not end.
func splitQuoted(s string, separator byte) (parts []string, ok bool) {
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts, from = append(parts, s[from:i]), i+1
		}
	}
	return append(parts, s[from:]), !quoted
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i+1 < len(s)-1 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// maxAgent is the longest User-Agent that is kept, in bytes.
const maxAgent = 200
