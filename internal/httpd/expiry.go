package httpd

import (
	"net/http"

	"github.com/hallpass-dev/hallpass"
)

// TokenExpires is the header that tells the end of a token in its last 14 days, as RFC
// 3339 writes it.
const TokenExpires = "Hallpass-Token-Expires"

// TellExpiry sets TokenExpires in an answer to the caller if its token ends soon. It
// allocates nothing of its own.
func TellExpiry(h http.Header, c hallpass.Caller) {
	if c.EndsSoon != nil {
		h[TokenExpires] = c.EndsSoon[:]
	}
}
