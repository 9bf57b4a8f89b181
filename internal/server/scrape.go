package server

import (
	"net/http"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// apart reports whether /metrics has an address of its own.
func (c MetricsConfig) apart() bool { return c.Enabled && c.HTTPPort != 0 }

// address returns that address, as 127.0.0.1:3082.
func (c MetricsConfig) address() string { return joinAddress(c.HTTPAddr, c.HTTPPort) }

// MetricsAddress returns where [metrics] http_port is bound; "" if it is not set.
func (s *Server) MetricsAddress() string {
	if s.scrapes == nil {
		return ""
	}
	return s.scrapes.Addr().String()
}

// errNotScraped refuses what the main port serves.
var errNotScraped = &hallpass.Error{Kind: hallpass.NotFound, ID: "metrics.not-found", Message: "Not found: this address has /metrics, /healthz and /readyz alone"}

// scrapeDoor returns what the address of [metrics] serves; probes answers /healthz and
// /readyz.
func (s *Server) scrapeDoor(probes http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics":
			s.metrics.ServeHTTP(w, r)
		case "/healthz", "/readyz":
			probes.ServeHTTP(w, r)
		default:
			httpd.WriteError(w, r, errNotScraped)
		}
	})
}

// serveScrapes serves at the address of [metrics], if there is one. A scrape may have a
// password, so the address speaks TLS if the main port does. Probes have no certificate,
// so it asks for none.
func (s *Server) serveScrapes(served chan<- error) *http.Server {
	web := s.web()
	web.Handler, web.TLSConfig = s.closing(s.scraped), s.certificates.forAll()
	if s.scrapes != nil {
		go func() { served <- s.serveAt(s.scrapes, web) }()
		s.log.Info("serving metrics", "address", s.MetricsAddress())
	}
	return web
}
