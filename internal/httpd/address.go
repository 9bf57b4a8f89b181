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

// ParseTrustedProxies reads CIDRs and single addresses. One that covers every
// address is refused: it would let any client choose its address.
func ParseTrustedProxies(list []string) (TrustedProxies, error) {
	var trusted TrustedProxies
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			addr, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an IP address nor a CIDR", s)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		if p.Bits() == 0 {
			return nil, fmt.Errorf("%q would trust every client", s)
		}
		trusted = append(trusted, p.Masked())
	}
	return trusted, nil
}

func (t TrustedProxies) contains(addr netip.Addr) bool {
	for _, p := range t {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// From returns the client's address and user agent: the peer, or, where the
// peer is a trusted proxy, the last address in X-Forwarded-For that is not one.
func (t TrustedProxies) From(r *http.Request) hallpass.From {
	return hallpass.From{Address: t.address(r), UserAgent: hallpass.Clean(r.UserAgent(), maxAgent)}
}

func (t TrustedProxies) address(r *http.Request) string {
	host := r.RemoteAddr
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = strings.Trim(host[:i], "[]")
	}
	if len(t) == 0 {
		return host
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !t.contains(peer.Unmap()) {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	client := peer.Unmap()
	for i := len(hops) - 1; i >= 0 && t.contains(client); i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = addr.Unmap().WithZone("") // a zone is free text, and means nothing beyond its machine
	}
	return client.String()
}

// secure reports whether the client spoke https, to us or to a trusted proxy.
func (t TrustedProxies) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if len(t) == 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && t.contains(peer.Addr().Unmap()) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// maxAgent is the longest User-Agent that is kept, in bytes.
const maxAgent = 200
