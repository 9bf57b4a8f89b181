package federation

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// Limits of what a provider may answer.
const (
	defaultTimeout  = 10 * time.Second
	maxAnswer       = 4 << 20  // bytes of one answer: 5,000 groups in an ID token are about 400 KB
	maxAnswerHeader = 64 << 10 // bytes of the headers of an answer
	maxRoots        = 4 << 20  // bytes of a file of authorities
)

// newClient returns the client for requests to a provider. It follows no redirect: each
// URL is one that the operator, or the metadata of the operator's issuer, named. roots
// are the authorities that may have signed the provider's certificate; nil: those of
// the system.
func newClient(timeout time.Duration, roots *x509.CertPool) *http.Client {
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: limited{&http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: timeout}).DialContext, ForceAttemptHTTP2: true,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: timeout,
			IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: maxAnswerHeader,
		}},
	}
}

// limited is a transport whose answers end with errTooLong after maxAnswer bytes.
type limited struct{ next http.RoundTripper }

var errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)

// RoundTrip sends the request.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &limitedBody{answer.Body, maxAnswer}
	return answer, nil
}

// limitedBody is the body of an answer, of which left more bytes are read.
type limitedBody struct {
	io.ReadCloser
	left int64
}

// Read reads on, and fails where the limit is passed.
func (b *limitedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// ReadRoots reads certificates of authorities from a PEM file. An empty path is nil:
// the authorities of the system.
func ReadRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, _, err := plainfile.Read(path, maxRoots)
	if err != nil {
		return nil, err
	}
	authorities, err := httpd.ParseCertificates(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	roots := x509.NewCertPool()
	for _, a := range authorities {
		roots.AddCert(a)
	}
	return roots, nil
}

// ValidateURL returns an error unless s is a URL that secrets may be sent to: https, or
// http on this machine.
func ValidateURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return fmt.Errorf("%q is not a URL like https://accounts.example.com", s)
	}
	switch {
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("%q is not a URL like https://accounts.example.com", s)
	case u.Hostname() == "localhost":
		return nil
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() {
		return nil
	}
	return errors.New("http sends secrets in the clear: use https (http is taken on localhost alone)")
}
