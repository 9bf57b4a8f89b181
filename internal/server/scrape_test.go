package server_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// withMetrics has a server serve /metrics at an address of its own.
func withMetrics(t *testing.T) func(*server.Config) {
	t.Helper()
	port := settingsFor(t, hallpasstest.FreeAddress(t)).Server.HTTPPort
	return func(c *server.Config) { c.Metrics.HTTPPort = port }
}

// TestMetricsApart serves /metrics at an address of its own: it has the probes too and
// nothing else, and the main port has /metrics no more. A password is asked for there.
func TestMetricsApart(t *testing.T) {
	change := withMetrics(t)
	s := hallpasstest.New(t, change, func(c *server.Config) {
		c.Metrics.BasicAuthUsername, c.Metrics.BasicAuthPassword = "prometheus", secret.NewText("scrape me")
	})
	if r := s.Do(hallpasstest.Basic("prometheus", "scrape me"), "GET", "/metrics", ""); r.StatusCode != 404 {
		t.Errorf("on the main port it is %d", r.StatusCode)
	}
	for _, tt := range []struct {
		as   hallpasstest.Credential
		path string
		want int
		says string
	}{
		{hallpasstest.Basic("prometheus", "scrape me"), "/metrics", 200, "hallpass_build_info"},
		{hallpasstest.Basic("prometheus", "scrape"), "/metrics", 401, "metrics.unauthorized"},
		{hallpasstest.Basic("prom", "scrape me"), "/metrics", 401, "metrics.unauthorized"},
		{hallpasstest.Nobody, "/metrics", 401, "metrics.unauthorized"},
		{hallpasstest.Admin, "/metrics", 401, "metrics.unauthorized"},
		{hallpasstest.Nobody, "/healthz", 200, "Ok"},
		{hallpasstest.Nobody, "/readyz", 200, `"ready"`},
		{hallpasstest.Admin, "/api/org", 404, "metrics.not-found"},
		{hallpasstest.Admin, "/login", 404, "metrics.not-found"},
		{hallpasstest.Admin, "/guard/nginx/app", 404, "metrics.not-found"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.MetricsAddress()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		tt.as(r)
		if res, text := do(t, http.DefaultClient, r); res.StatusCode != tt.want || !strings.Contains(text, tt.says) {
			t.Errorf("%s: %d %s, want %d %s", tt.path, res.StatusCode, text, tt.want, tt.says)
		}
	}
	c := server.DefaultConfig()
	change(&c)
	if asked, err := server.Healthcheck(t.Context(), c, "/readyz"); err != nil || asked != "http://"+s.MetricsAddress()+"/readyz" {
		t.Errorf("a healthcheck asks at %s, %v", asked, err)
	}
}

// TestMetricsApartWithTLS serves them where clients need a certificate: the address of
// the metrics speaks TLS, takes clients without one, and gives a new certificate too.
func TestMetricsApartWithTLS(t *testing.T) {
	authority, dir, change := hallpasstest.NewAuthority(t, "test"), t.TempDir(), withMetrics(t)
	authority.Issue(dir, time.Hour)
	s := hallpasstest.New(t, withTLS("https", dir), change, func(c *server.Config) { c.Server.ClientCAFile = authority.File })
	client := overTLS(&tls.Config{RootCAs: authority.Pool}, true)
	if res, err := client.Get(s.URL + "/healthz"); err == nil {
		t.Errorf("the main port serves a client without a certificate: %s", res.Status)
	}
	first, text := asked(t, client, "GET", "https://"+s.MetricsAddress()+"/metrics", "")
	if first.StatusCode != 200 || !strings.Contains(text, "hallpass_build_info") {
		t.Errorf("%d %s", first.StatusCode, text)
	}
	authority.Issue(dir, time.Hour)
	if err := s.ReloadCertificates(); err != nil {
		t.Fatal(err)
	}
	second, _ := asked(t, client, "GET", "https://"+s.MetricsAddress()+"/readyz", "")
	if second.TLS.PeerCertificates[0].SerialNumber.Cmp(first.TLS.PeerCertificates[0].SerialNumber) == 0 {
		t.Error("the certificate from before is given")
	}
	c := server.DefaultConfig()
	withTLS("https", dir)(&c)
	change(&c)
	c.Server.ClientCAFile = authority.File
	if asked, err := server.Healthcheck(t.Context(), c, "/healthz"); err != nil || asked != "https://"+s.MetricsAddress()+"/healthz" {
		t.Errorf("a healthcheck asks at %s, %v", asked, err)
	}
}
