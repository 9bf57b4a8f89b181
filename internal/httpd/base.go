package httpd

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// A Base is the path below which browsers and clients reach the server, without a slash at
// its end, as "/hallpass". "" is the whole host. The doors know paths of the server alone,
// as "/org/users": Serve takes the base off what comes in, Link and Links put it before
// what goes out.
type Base string

// ParseBase returns the base of the URL by which browsers reach the server. An error says
// what is wrong with its path.
func ParseBase(root *url.URL) (Base, error) {
	path := root.EscapedPath()
	switch {
	case path == "" || path == "/":
		return "", nil
	case !strings.HasSuffix(path, "/"):
		return "", fmt.Errorf("its path has no slash at the end: write %s://%s%s/", root.Scheme, root.Host, path)
	}
	for segment := range strings.SplitSeq(path[1:len(path)-1], "/") {
		if segment == "" || strings.Trim(segment, ".") == "" || strings.Trim(segment, unreserved) != "" {
			return "", fmt.Errorf("its path %s must be made of letters, digits and - . _ ~ between single slashes, as /hallpass/", path)
		}
	}
	first, _, _ := strings.Cut(path[1:], "/")
	switch first {
	case "api", "guard", "oauth2", "healthz", "readyz", "metrics":
		return "", fmt.Errorf("its path %s begins as paths of the server itself do: choose another, as /hallpass/", path)
	}
	return Base(strings.TrimSuffix(path, "/")), nil
}

// unreserved are the characters that have one spelling in a path (RFC 3986, 2.3).
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// Link returns where a browser finds a path of the server. Other addresses stay as they are.
func (b Base) Link(to string) string {
	if strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") {
		return string(b) + to
	}
	return to
}

// linking are the attributes of HTML whose value is an address.
var linking = map[string]bool{"href": true, "src": true, "action": true, "formaction": true, "data-base": true, "data-open": true, "data-url": true, "data-live": true}

// Links returns a page in which each address is the one of Link. The page must be what
// html/template made: there, a quotation mark outside of a tag is escaped, so that what
// looks like an attribute is one.
func (b Base) Links(page []byte) []byte {
	if b == "" {
		return page
	}
	var out bytes.Buffer
	begin := []byte(`="/`)
	for {
		at := bytes.Index(page, begin)
		if at < 0 {
			out.Write(page)
			return out.Bytes()
		}
		name := page[bytes.LastIndexAny(page[:at], " \t\n")+1 : at]
		value := at + len(`="`)
		out.Write(page[:value])
		if linking[string(name)] && !bytes.HasPrefix(page[value:], []byte("//")) {
			out.WriteString(string(b))
		}
		page = page[value:]
	}
}

// cookiePath is the path of cookies: other applications of the host do not get them.
func (b Base) cookiePath() string { return string(b) + "/" }

// Serve returns what serves the doors below the base. Clients of the machine itself, which
// know of no base, reach what direct says without it too. The base alone, and the root of
// the host, lead to the first page; all else is no path of this server, and elsewhere
// answers it.
func (b Base) Serve(doors, elsewhere http.Handler, direct func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch inside := b.strip(r); {
		case inside != nil:
			doors.ServeHTTP(w, inside)
		case direct(r):
			doors.ServeHTTP(w, r)
		default:
			elsewhere.ServeHTTP(w, r)
		}
	})
}

// strip returns the request without the base; nil if its path is not below it. The rest
// stays as it was sent.
func (b Base) strip(r *http.Request) *http.Request {
	prefix := ""
	if i := strings.Index(r.RequestURI, "://"); i >= 0 && r.RequestURI[0] != '/' { // a whole URL
		i += len("://")
		prefix = r.RequestURI[:i+max(strings.IndexByte(r.RequestURI[i:], '/'), 0)]
	}
	rest, below := strings.CutPrefix(r.RequestURI[len(prefix):], string(b))
	if !below || !strings.HasPrefix(rest, "/") {
		return nil
	}
	u := *r.URL
	u.Path, u.RawPath = strings.TrimPrefix(u.Path, string(b)), strings.TrimPrefix(u.RawPath, string(b))
	inside := new(http.Request)
	*inside = *r
	inside.URL, inside.RequestURI = &u, prefix+rest
	return inside
}

// Elsewhere answers what is not below the base: it leads browsers to it from the root of
// the host, and tells others where the server is.
func (b Base) Elsewhere() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reads := r.Method == http.MethodGet || r.Method == http.MethodHead; reads && (r.URL.Path == "/" || r.URL.Path == string(b)) {
			w.Header().Set("Location", b.cookiePath())
			w.WriteHeader(http.StatusFound)
			return
		}
		WriteError(w, r, &hallpass.Error{Kind: hallpass.NotFound, ID: "request.base", Message: "This server answers below " + b.cookiePath() + " (server.root_url, server.serve_from_sub_path)"})
	})
}

// Unstripped answers requests that come with the base although a proxy should have taken it
// off: they would be led in a circle. It passes all others on.
func (b Base) Unstripped(doors, refused http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, below := strings.CutPrefix(r.URL.Path, string(b))
		if below && (rest == "" || rest == "/" || rest == "/login" || strings.HasPrefix(rest, "/api/")) {
			refused.ServeHTTP(w, r)
			return
		}
		doors.ServeHTTP(w, r)
	})
}

// Refused answers the requests of Unstripped.
func (b Base) Refused() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, r, &hallpass.Error{Kind: hallpass.NotFound, ID: "request.base", Message: "The request came with " + b.cookiePath() +
			", which a proxy in front of this server takes off: have it do so, or set server.serve_from_sub_path = true"})
	})
}
