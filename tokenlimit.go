package hallpass

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TokenLimits make a token narrower than its account: what the token may do is what
// the account may do and each of the limits allows. The zero TokenLimits are none.
// The slices are shared and must not be changed.
type TokenLimits struct {
	// Actions that only look are allowed, no others (Action.Reads).
	ReadOnly bool
	// MaxRole is the highest basic role that the token has; nil: the account's.
	MaxRole *Role
	// Permissions are all that the token may use of what the account holds. A
	// permission without a scope allows every scope that the account holds. nil:
	// everything; empty and not nil: nothing at all.
	Permissions []Permission
	// Networks are where the token may be used from, masked and sorted; empty: from
	// everywhere.
	Networks []netip.Prefix
	Rate     RateLimit
}

// Ceiling reports whether the limits take any permission away.
func (l TokenLimits) Ceiling() bool { return l.ReadOnly || l.MaxRole != nil || l.Permissions != nil }

// WithRate returns the limits of a token for which the usual rate holds when it has none
// of its own.
func (l TokenLimits) WithRate(usual RateLimit) TokenLimits {
	if l.Rate == (RateLimit{}) {
		l.Rate = usual
	}
	return l
}

// Looser reports whether the networks and the rate of l let a request through that those
// of other do not. Networks are compared one by one: one that several of the other cover
// only together is taken not to be covered.
func (l TokenLimits) Looser(other TokenLimits) bool {
	if len(other.Networks) > 0 && (len(l.Networks) == 0 || !each(l.Networks, other.Networks, func(n, o netip.Prefix) bool {
		return o.Bits() <= n.Bits() && o.Contains(n.Addr())
	})) {
		return true
	}
	return !l.Rate.within(other.Rate)
}

// each reports whether each of the list is within one of the others.
func each[T any](list, others []T, within func(one, other T) bool) bool {
	for _, one := range list {
		if !slices.ContainsFunc(others, func(other T) bool { return within(one, other) }) {
			return false
		}
	}
	return true
}

// within reports whether r never allows more than other.
func (r RateLimit) within(other RateLimit) bool {
	switch {
	case other.Requests == 0:
		return true
	case r.Requests == 0:
		return false
	}
	return r.Requests <= other.Requests && r.Every >= other.Every && r.Burst <= other.Burst
}

// A RateLimit allows a number of requests in a time, by the generic cell rate
// algorithm. The zero RateLimit is none.
type RateLimit struct {
	Requests int           // in each Every; 0: no limit
	Every    time.Duration // whole seconds
	Burst    int           // as many requests more at once, after a rest
}

// A RateStanding is how much a token with a RateLimit may do now, on the node that says
// so. The zero RateStanding is that of a token without one.
type RateStanding struct {
	Limit *RateLimit    // nil: none
	Left  int           // how many requests would pass now
	Full  time.Duration // how long until as many would pass as after a rest
}

// Bounds on the limits of a token.
const (
	MaxTokenPermissions = 100
	MaxNetworks         = 32
	MaxRateRequests     = 1_000_000
	MaxRateEvery        = 24 * time.Hour
)

// Tidy brings the limits into the form in which they are kept, and returns an Invalid
// error that names the field of the wire if they break a rule of their form. Whether the
// account holds the permissions is for admin to see.
func (l *TokenLimits) Tidy() error {
	if l.MaxRole != nil && *l.MaxRole >= RoleAdmin {
		return Invalidf("maxRole", "maxRole is None, Viewer or Editor: leave it out to allow the role of the account")
	}
	if len(l.Permissions) > MaxTokenPermissions {
		return Invalidf("permissions", "permissions holds at most %d permissions", MaxTokenPermissions)
	}
	for i, p := range l.Permissions {
		if !p.Action.Valid() {
			return Invalidf(fmt.Sprintf("permissions[%d].action", i), "permissions[%d].action is not like teams:read", i)
		}
		if !p.Scope.WellFormed() {
			return Invalidf(fmt.Sprintf("permissions[%d].scope", i), "permissions[%d].scope is not like teams:id:7 or teams:*", i)
		}
		if HoldsToken(string(p.Scope)) {
			return Invalidf(fmt.Sprintf("permissions[%d].scope", i), "permissions[%d].scope holds the secret of a token", i)
		}
	}
	networks, err := TidyNetworks(l.Networks)
	if err != nil {
		return err
	}
	l.Networks = networks
	return l.Rate.validate()
}

// ParseRateLimit reads a rate as "100/60", 100 requests in 60 seconds, or "100/60+20", with
// 20 more at once after a rest. Empty is none.
func ParseRateLimit(s string) (RateLimit, error) {
	if s == "" {
		return RateLimit{}, nil
	}
	counts, burst, withBurst := strings.Cut(s, "+")
	requests, every, ok := strings.Cut(counts, "/")
	var r RateLimit
	var errs [3]error
	var seconds int
	r.Requests, errs[0] = strconv.Atoi(requests)
	seconds, errs[1] = strconv.Atoi(every)
	if withBurst {
		r.Burst, errs[2] = strconv.Atoi(burst)
	}
	if !ok || errors.Join(errs[:]...) != nil {
		return RateLimit{}, Invalidf("rateLimit", "%q is not a rate like 100/60 or 100/60+20", Clean(s, maxNetworkText))
	}
	r.Every = time.Duration(min(seconds, int(MaxRateEvery/time.Second)+1)) * time.Second
	if r.Requests == 0 { // which validate takes for none
		r.Requests = -1
	}
	return r, r.validate()
}

// String returns the rate as ParseRateLimit reads it.
func (r RateLimit) String() string {
	if r == (RateLimit{}) {
		return ""
	}
	s := fmt.Sprintf("%d/%d", r.Requests, int(r.Every/time.Second))
	if r.Burst > 0 {
		s += fmt.Sprintf("+%d", r.Burst)
	}
	return s
}

func (r RateLimit) validate() error {
	switch {
	case r == RateLimit{}:
		return nil
	case r.Requests < 1 || r.Requests > MaxRateRequests:
		return Invalidf("rateLimit.requests", "rateLimit.requests must be from 1 to %d", MaxRateRequests)
	case r.Every < time.Second || r.Every > MaxRateEvery || r.Every%time.Second != 0:
		return Invalidf("rateLimit.seconds", "rateLimit.seconds must be from 1 to %d", int(MaxRateEvery/time.Second))
	case r.Burst < 0 || r.Burst > r.Requests:
		return Invalidf("rateLimit.burst", "rateLimit.burst must be from 0 to requests, which is %d", r.Requests)
	}
	return nil
}

// ParseNetworks reads addresses and CIDRs as people write them, in the field networks of
// the wire, and returns them as TidyNetworks does.
func ParseNetworks(list []string) ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, len(list))
	for i, s := range list {
		var err *Error
		if networks[i], err = parseNetwork(s); err != nil {
			return nil, err.inNetwork(i)
		}
	}
	return TidyNetworks(networks)
}

// TidyNetworks returns the networks sorted, each of them once. It is an Invalid error if
// there are more than MaxNetworks, or if one of them could allow more than its author
// sees: an IPv4 network in IPv6, one with bits after its prefix, and all addresses, in
// one network or in several together.
func TidyNetworks(list []netip.Prefix) ([]netip.Prefix, error) {
	if len(list) == 0 {
		return nil, nil
	}
	if len(list) > MaxNetworks {
		return nil, Invalidf("networks", "networks holds at most %d addresses and CIDRs", MaxNetworks)
	}
	for i, n := range list {
		if err := validateNetwork(n); err != nil {
			return nil, err.inNetwork(i)
		}
	}
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, netip.Prefix.Compare)
	sorted = slices.Compact(sorted)
	for _, every := range []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)} {
		if covers(sorted, every) {
			return nil, Invalidf("networks", "networks: together they are every address of %s: leave networks out to allow all", every)
		}
	}
	return sorted, nil
}

// covers reports whether each address of n is in one of the networks.
func covers(list []netip.Prefix, n netip.Prefix) bool {
	inside := false // one of the list is a part of n
	for _, p := range list {
		if p.Bits() <= n.Bits() && p.Contains(n.Addr()) {
			return true
		}
		inside = inside || n.Contains(p.Addr())
	}
	if !inside {
		return false
	}
	low, high := halves(n)
	return covers(list, low) && covers(list, high)
}

// halves returns the two networks that n consists of. n is more than one address.
func halves(n netip.Prefix) (low, high netip.Prefix) {
	bytes := n.Addr().AsSlice()
	bytes[n.Bits()/8] |= 0x80 >> (n.Bits() % 8)
	addr, _ := netip.AddrFromSlice(bytes) // as long as it was
	return netip.PrefixFrom(n.Addr(), n.Bits()+1), netip.PrefixFrom(addr, n.Bits()+1)
}

// InNetworks reports whether the address is in one of the networks. What is no address, as
// that of a unix socket, is in none. It allocates nothing.
func InNetworks(list []netip.Prefix, address string) bool {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, n := range list {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

func (e *Error) inNetwork(i int) *Error {
	return Invalidf(fmt.Sprintf("networks[%d]", i), "networks[%d]: %s", i, e.Message)
}

func parseNetwork(s string) (netip.Prefix, *Error) {
	if strings.Contains(s, "%") {
		return netip.Prefix{}, Invalidf("", "%q has a zone, which means something on one machine alone: leave the zone out", Clean(s, maxNetworkText))
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, Invalidf("", "%q is neither an IP address nor a CIDR", Clean(s, maxNetworkText))
	}
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

// maxNetworkText is how much of what is no network an error repeats, in bytes.
const maxNetworkText = 60

// mappedBits is how long the prefix of all IPv4 addresses is that stand in IPv6.
const mappedBits = 96

func validateNetwork(n netip.Prefix) *Error {
	addr, bits := n.Addr(), n.Bits()
	switch {
	case !n.IsValid() || addr.Zone() != "":
		return Invalidf("", "%q is neither an IP address nor a CIDR", n.String())
	case addr.Is4In6() && bits >= mappedBits:
		four := netip.PrefixFrom(addr.Unmap(), bits-mappedBits)
		return Invalidf("", "%s is an IPv4 network in IPv6: write it as IPv4, %s", networkText(n), networkText(four))
	case bits == 0:
		return Invalidf("", "%s is every address: leave networks out to allow all", n)
	case n != n.Masked():
		return Invalidf("", "%s has bits after its prefix: write %s", n, n.Masked())
	}
	return nil
}

// networkText writes a network as people do: a single address without its length.
func networkText(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.String()
}

// NetworkTexts returns the networks as people write them: a single address without its
// length. It is never nil.
func NetworkTexts(list []netip.Prefix) []string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = networkText(n)
	}
	return texts
}
