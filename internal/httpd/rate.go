package httpd

import (
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// RateHeaders are the names of the headers that tell a client its rate
// (draft-ietf-httpapi-ratelimit-headers-10), in their canonical form.
var RateHeaders = [...]string{"Ratelimit-Policy", "Ratelimit"}

// RateValues returns the values of each of RateHeaders: how many requests the token's limit
// allows in how many seconds; how many would pass now, and in how many seconds as many as
// after a rest. It is for a token that has a limit. The slices are shared and must not be
// changed.
func RateValues(s hallpass.RateStanding) [len(RateHeaders)][]string {
	return [...][]string{
		keptPolicies.of(s.Limit.Requests, int(s.Limit.Every/time.Second)),
		keptStandings.of(s.Left, int(math.Ceil(s.Full.Seconds()))),
	}
}

// SetRateHeaders tells a client its rate, if its token has one.
func SetRateHeaders(h http.Header, s hallpass.RateStanding) {
	if s.Limit == nil {
		return
	}
	for i, values := range RateValues(s) {
		h[RateHeaders[i]] = values
	}
}

// SetRateStanding is SetRateHeaders without the policy, for an answer to a proxy that only
// lets a request pass. With both, the answer would have more than the eight headers up to
// which Go keeps them in one place: it would cost a seventh more.
func SetRateStanding(h http.Header, s hallpass.RateStanding) {
	if s.Limit != nil {
		h[RateHeaders[1]] = RateValues(s)[1]
	}
}

// rateTexts keeps values of a header that tells two numbers: most answers to a client tell
// one of the few that others told before. It is safe for concurrent use.
type rateTexts struct {
	first, second string // before the numbers
	slots         [1 << 10]atomic.Pointer[rateText]
}

type rateText struct {
	a, b   int
	values []string
}

var (
	keptPolicies  = rateTexts{first: `"token";q=`, second: ";w="}
	keptStandings = rateTexts{first: `"token";r=`, second: ";t="}
)

// of returns the values that tell a and b.
func (k *rateTexts) of(a, b int) []string {
	slot := &k.slots[uint(a*31+b)%uint(len(k.slots))]
	if kept := slot.Load(); kept != nil && kept.a == a && kept.b == b {
		return kept.values
	}
	text := append(make([]byte, 0, 40), k.first...)
	text = strconv.AppendInt(text, int64(a), 10)
	text = strconv.AppendInt(append(text, k.second...), int64(b), 10)
	made := &rateText{a, b, []string{string(text)}}
	slot.Store(made)
	return made.values
}
