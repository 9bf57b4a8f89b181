package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/hallpass-dev/hallpass"
)

// avatarURL returns the address of the picture of a login.
func avatarURL(login string) string {
	sum := sha256.Sum256([]byte(hallpass.NameKey(login)))
	return "/avatar/" + hex.EncodeToString(sum[:16])
}

// avatar draws a pattern from the hash alone, a different one for each hash. It
// reads nothing and reveals nothing, so it needs no session: programs that read
// the addresses in answers of the API have none.
func avatar(req *request) error {
	name := req.PathValue("hash")
	if len(name) > 64 {
		return errNoPage
	}
	if _, err := hex.DecodeString(name); err != nil {
		return errNoPage
	}
	req.w.Header().Set("Content-Type", "image/svg+xml")
	req.w.Header().Set("Cache-Control", "public, max-age=86400")
	req.w.WriteHeader(http.StatusOK)
	_, _ = req.w.Write(identicon(sha256.Sum256([]byte(name)))) // the browser may have gone away
	return nil
}

// identicon draws a symmetric pattern of five by five squares in one of 24 hues.
func identicon(sum [32]byte) []byte {
	var b bytes.Buffer
	hue := int(sum[0]) % 24 * 15
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 7 7" shape-rendering="crispEdges"><rect width="7" height="7" fill="hsl(%d 45%% 90%%)"/>`, hue)
	for x := range 3 {
		for y := range 5 {
			if sum[1+x*5+y]%8 < 3 {
				continue
			}
			for _, col := range []int{x, 4 - x} {
				fmt.Fprintf(&b, `<rect x="%d" y="%d" width="1" height="1" fill="hsl(%d 50%% 38%%)"/>`, col+1, y+1, hue)
			}
		}
	}
	b.WriteString(`</svg>`)
	return b.Bytes()
}
