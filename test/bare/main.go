// Command bare is the yardstick of make bench: a net/http server that
// answers with the bytes that Hallpass answers GET /api/org, GET /guard/verify and
// GET /guard/nginx/{guard} with, and does nothing else. With -upstream it is a reverse
// proxy in front of another server.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"
)

var (
	contentType = []string{"application/json; charset=UTF-8"}
	body        = []byte(`{"id":1,"name":"Main Org.","address":{"address1":"","address2":"","city":"","zipCode":"","state":"","country":""}}`)
)

// The headers of an answer of the guard.
var (
	guardNames = []string{
		"Cache-Control", "X-Hallpass-Account-Id", "X-Hallpass-Account", "X-Hallpass-Org-Id", "X-Hallpass-Role", "X-Hallpass-Token-Id", "X-Hallpass-Subject",
	}
	guardValues = []string{"no-store", "1000", "sa-1-ci-1000", "1", "Viewer", "1000", "-"}
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "loopback address to listen on")
	upstream := flag.String("upstream", "", "URL that all requests go to: be a reverse proxy")
	flag.Parse()
	l, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(answer)}
	if *upstream != "" {
		s.Handler = proxied(*upstream)
	}
	fmt.Fprintln(os.Stderr, s.Serve(l))
}

// proxied returns a bare reverse proxy, which keeps as many connections as ours.
func proxied(upstream string) http.Handler {
	u, err := url.Parse(upstream)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(u); r.SetXForwarded() },
		Transport: &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, DisableCompression: true},
	}
}

func answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/guard/verify":
		return // 200 without a body
	case strings.HasPrefix(r.URL.Path, "/guard/nginx/"):
		h := w.Header()
		for i, name := range guardNames {
			h[name] = guardValues[i : i+1 : i+1]
		}
		return
	}
	w.Header()["Content-Type"] = contentType
	_, _ = w.Write(body) // a client that went away is no news
}
