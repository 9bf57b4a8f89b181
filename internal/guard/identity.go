package guard

import (
	"strconv"
	"sync/atomic"

	"github.com/hallpass-dev/hallpass"
)

// unknown is the value of an identity header that has no other value. If the
// header were left out, some proxies would pass on the one that the client sent.
const unknown = "-"

// identityHeaders are the names of the identity headers, as net/http writes
// them.
var identityHeaders = [...]string{
	"X-Hallpass-Account-Id", "X-Hallpass-Account", "X-Hallpass-Org-Id", "X-Hallpass-Role", "X-Hallpass-Token-Id", "X-Hallpass-Subject",
}

// callerFields are what {caller.…} in a rule stands for: the place of its value among
// those of identityHeaders.
var callerFields = map[string]int{"caller.account_id": 0, "caller.account": 1, "caller.org_id": 2, "caller.role": 3, "caller.token_id": 4}

// nobody is the header values of a request that passes without a token. It is never
// changed.
var nobody = []string{unknown, unknown, unknown, unknown, unknown, unknown}

// identities keeps the header values of tokens that were used of late, a slot for
// each number of a token: they are made once and not with each answer. It is safe
// for concurrent use.
type identities [1024]atomic.Pointer[identity]

// identity is the values of the identity headers, in the order of
// identityHeaders, and all that they were made of.
type identity struct {
	principal hallpass.Principal
	org       hallpass.OrgID
	role      hallpass.Role
	token     hallpass.TokenID
	values    [len(identityHeaders)]string
}

// of returns the header values of the caller, who may be nobody. They must not be
// changed, and none is empty (SEC-34).
func (s *identities) of(c hallpass.Caller) []string {
	if c.Token == 0 {
		return nobody
	}
	slot := &s[uint64(c.Token)%uint64(len(s))]
	kept := slot.Load()
	if kept == nil || kept.token != c.Token || kept.principal != c.Principal || kept.org != c.Org || kept.role != c.Role {
		kept = &identity{principal: c.Principal, org: c.Org, role: c.Role, token: c.Token, values: [...]string{
			strconv.FormatInt(c.Principal.ID, 10), ascii(c.Principal.Login), strconv.FormatInt(int64(c.Org), 10),
			c.Role.String(), strconv.FormatInt(int64(c.Token), 10), unknown,
		}}
		slot.Store(kept)
	}
	return kept.values[:]
}

// ascii returns s for use in a header: it percent-encodes the percent sign and
// every byte that is not visible ASCII.
func ascii(s string) string {
	if s == "" {
		return unknown
	}
	plain := func(c byte) bool { return '!' <= c && c <= '~' && c != '%' }
	i := 0
	for i < len(s) && plain(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	b := append(make([]byte, 0, 3*len(s)), s[:i]...)
	for ; i < len(s); i++ {
		if plain(s[i]) {
			b = append(b, s[i])
			continue
		}
		b = append(b, '%', "0123456789ABCDEF"[s[i]>>4], "0123456789ABCDEF"[s[i]&15])
	}
	return string(b)
}
