package httpd

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
)

var errNoPath = &hallpass.Error{Kind: hallpass.NotFound, Message: "Not found"}

// onePath returns the request with the one spelling of its path that the doors
// know. It drops a single slash at the end, for every method and without a redirect,
// as Grafana's router does. It is not ok when the path has an empty segment, or a
// segment "." or "..": for these a mux would redirect the client. onePath reads the
// path as it was sent: a percent-encoded slash or dot is part of a name.
func onePath(r *http.Request) (_ *http.Request, ok bool) {
	sent := SentPath(r.URL)
	path := strings.TrimSuffix(sent, "/")
	switch {
	case sent == "" || sent[0] != '/' || strings.HasSuffix(path, "/") || strings.Contains(path, "//") || dotted(path):
		return r, false
	case path == sent || path == "":
		return r, true
	}
	u := *r.URL
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	r = r.WithContext(r.Context()) // a copy
	r.URL = &u
	return r, true
}

// SentPath returns the path as the client wrote it, still percent-encoded. Some
// codes may be decoded, but never those of slashes and dots: only for these does it
// matter whether the client encoded them.
func SentPath(u *url.URL) string {
	if u.RawPath == "" {
		return u.Path // no slash and no dot was encoded: RawPath would hold it
	}
	return u.EscapedPath()
}

// dotted reports whether a segment of the path is "." or "..".
func dotted(path string) bool {
	for rest := path; ; {
		i := strings.Index(rest, "/.")
		if i < 0 {
			return false
		}
		rest = strings.TrimPrefix(rest[i+len("/."):], ".")
		if rest == "" || rest[0] == '/' {
			return true
		}
	}
}

// Readable refuses requests whose path, query or X-Grafana-Org-Id is not text: it is
// not properly percent-encoded, is not UTF-8, or has a control character. No name
// can have these. One database would take them and another would not. If an
// unreadable parameter were ignored, the client would get the answer to another
// question.
func Readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isText(r.URL.Path) {
			WriteError(w, r, hallpass.Invalidf("path", "the path holds a control character or is not UTF-8"))
			return
		}
		for _, org := range r.Header["X-Grafana-Org-Id"] {
			if !isText(org) {
				WriteError(w, r, hallpass.Invalidf("X-Grafana-Org-Id", "X-Grafana-Org-Id holds a control character or is not UTF-8"))
				return
			}
		}
		if err := readQuery(r.URL.RawQuery); err != nil {
			WriteError(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func readQuery(raw string) error {
	if raw == "" {
		return nil
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return hallpass.Invalidf("query", "the query is not percent-encoded as it must be") // the error repeats what was sent
	}
	for name, values := range query {
		for _, v := range append(values, name) {
			if !isText(v) {
				return hallpass.Invalidf("query", "the query holds a control character or is not UTF-8")
			}
		}
	}
	return nil
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// WantsPage reports whether the client shows pages: a browser says that it accepts
// HTML. All other clients get JSON.
func WantsPage(r *http.Request) bool {
	for _, accept := range r.Header["Accept"] {
		if strings.Contains(LowerASCII(accept), "text/html") {
			return true
		}
	}
	return false
}
