package httpd

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// RateHeaders are the names of the headers that tell a client its rate
// (draft-ietf-httpapi-ratelimit-headers-10), in their canonical form.
var RateHeaders = [...]string{"Ratelimit-Policy", "Ratelimit"}

// RateValues returns the values of RateHeaders: how many requests the token's limit
// allows in how many seconds; how many would pass now, and in how many seconds as many as
// after a rest. It is for a token that has a limit.
func RateValues(s hallpass.RateStanding) [len(RateHeaders)]string {
	policy := append(make([]byte, 0, 32), `"token";q=`...)
	policy = strconv.AppendInt(policy, int64(s.Limit.Requests), 10)
	policy = strconv.AppendInt(append(policy, ";w="...), int64(s.Limit.Every/time.Second), 10)
	left := append(make([]byte, 0, 32), `"token";r=`...)
	left = strconv.AppendInt(left, int64(s.Left), 10)
	left = strconv.AppendInt(append(left, ";t="...), int64(math.Ceil(s.Full.Seconds())), 10)
	return [...]string{string(policy), string(left)}
}

// SetRateHeaders tells a client its rate, if its token has one.
func SetRateHeaders(h http.Header, s hallpass.RateStanding) {
	if s.Limit == nil {
		return
	}
	for i, value := range RateValues(s) {
		h[RateHeaders[i]] = []string{value}
	}
}
