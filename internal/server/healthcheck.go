package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthcheckLimit is how long a healthcheck waits for its answer.
const healthcheckLimit = 5 * time.Second

// maxHealthAnswer is the most bytes of an answer that a healthcheck reads.
const maxHealthAnswer = 1 << 10

// Healthcheck asks the server that runs with these settings on this machine for path,
// /healthz or /readyz, and returns where it asked. Any status but 200 is an error. It asks
// at the socket if there is one, else at the address of [metrics] if there is one: there
// clients need no certificate.
func Healthcheck(ctx context.Context, c Config, path string) (asked string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthcheckLimit)
	defer cancel()
	network, address, origin, err := c.healthAddress()
	if err != nil {
		return "", err
	}
	asked = origin + path
	if network == "unix" {
		asked = path + " at " + address
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+path, nil)
	if err != nil {
		return asked, err
	}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // #nosec G402 -- the certificate is for another name than this address, and nothing secret is sent
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // who redirects is another program
	res, err := client.Do(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return asked, fmt.Errorf("%s: no answer within %s", asked, healthcheckLimit)
	case err != nil:
		return asked, fmt.Errorf("%s: %w", asked, errors.Unwrap(err)) // without the URL a second time
	}
	defer func() { _ = res.Body.Close() }() // it was read
	text, err := io.ReadAll(io.LimitReader(res.Body, maxHealthAnswer))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s says %s: %s", asked, res.Status, strings.Join(strings.Fields(string(text)), " "))
	}
	return asked, err
}

// healthAddress returns where a healthcheck asks.
func (c Config) healthAddress() (network, address, origin string, err error) {
	s := c.Server
	at := reachable(s.address())
	switch {
	case s.Socket != "":
		return "unix", s.Socket, socketOrigin, nil
	case c.Metrics.apart():
		at = reachable(c.Metrics.address())
	case s.secure() && s.ClientCAFile != "" && s.ClientAuth == clientAuthRequire:
		return "", "", "", errors.New("server.client_ca_file: the server takes only clients with a certificate, and a healthcheck has none: set server.socket or metrics.http_port, and it asks there")
	case s.HTTPPort == 0:
		return "", "", "", errors.New("server.http_port: with 0 the port is not known before the server starts: set one")
	}
	return "tcp", at, s.origin(at), nil
}
