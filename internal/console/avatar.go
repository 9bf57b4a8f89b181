package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"

	"github.com/hallpass-dev/hallpass"
)

// avatarOf returns the hash of a login, from which its picture is drawn.
func avatarOf(login string) string {
	sum := sha256.Sum256([]byte(hallpass.NameKey(login)))
	return hex.EncodeToString(sum[:16])
}

// avatar is GET /avatar/{hash}. It draws a pattern from the hash alone. It reads
// nothing and reveals nothing, so it needs no session: programs that read the
// addresses in answers of the API have none.
func avatar(req *request) error {
	name := req.PathValue("hash")
	if len(name) > 64 {
		return errNoPage
	}
	if _, err := hex.DecodeString(name); err != nil {
		return errNoPage
	}
	i := identicon(name)
	c := hues[i.hue]
	req.w.Header().Set("Content-Type", "image/svg+xml")
	req.w.Header().Set("Cache-Control", "public, max-age=86400")
	req.w.WriteHeader(http.StatusOK)
	// The browser may have gone away.
	_, _ = fmt.Fprintf(req.w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 7 7" shape-rendering="crispEdges"><path d="M0 0h7v7H0z" fill="%s"/><path d="%s" fill="%s"/></svg>`, c.back, i.squares, c.front)
	return nil
}

// avatarPart draws the picture as a part of a page, where the stylesheet colours it
// by the theme. class is "l" for a large one, otherwise empty.
func avatarPart(hash, class string) template.HTML {
	i := identicon(hash)
	// #nosec G203 -- the drawing is made of numbers, and templates name the class
	return template.HTML(fmt.Sprintf(`<svg class="avatar h%d %s" viewBox="0 0 7 7" width="20" height="20" shape-rendering="crispEdges" aria-hidden="true" focusable="false"><path class="bg" d="M0 0h7v7H0z"/><path class="fg" d="%s"/></svg>`, i.hue, class, i.squares))
}

// hues are the colours of pictures outside of pages. They are cool or grey, so that
// none reads as a warning. The stylesheet has the same for pages, and darker ones.
var hues = [4]struct{ back, front string }{{"#e6edeb", "#54746f"}, {"#e5ebf3", "#4f6b92"}, {"#ebe8f4", "#695e98"}, {"#eceeed", "#68736f"}}

// drawing is a symmetric pattern of five by five squares in one of the hues.
type drawing struct {
	hue     int
	squares string // as the path of an SVG
}

func identicon(hash string) drawing {
	sum := sha256.Sum256([]byte(hash))
	var b bytes.Buffer
	for x := range 3 {
		for y := range 5 {
			if sum[1+x*5+y]%8 < 3 {
				continue
			}
			fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+1, y+1)
			if x < 2 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", 5-x, y+1)
			}
		}
	}
	return drawing{int(sum[0]) % len(hues), b.String()}
}
