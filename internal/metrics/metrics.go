package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Options sets up a Metrics. If a function is nil, its metrics are left
// out. Every scrape calls all of them; only Expiring may wait.
type Options struct {
	Version  string       // of the program
	Log      *slog.Logger // nil: nobody is told what could not be collected
	Username string       // for scrapes; with an empty Password too: anybody may
	Password secret.Text

	Verify   func() verify.Stats
	Pools    func() []Pool
	Unread   func() uint64         // entries of trusted proxies that name no address
	Jobs     func() []hallpass.Job // the background work, each of another name
	Lease    func() Lease
	Nodes    func() []Node
	Expiring func(context.Context) ([]Expiring, error)

	Decisions func() []Decisions // of guards, each of another kind
	Notices   func() []Notices   // attempts to send them, each of another kind
}

// A Metrics counts requests and revocations and answers GET /metrics. It is
// safe for concurrent use. A nil one counts nothing.
type Metrics struct {
	o        Options
	scrape   http.Handler
	requests requests
	revoked  prometheus.Histogram
	canary   *canary
}

// New returns a Metrics with a registry of its own.
func New(o Options) *Metrics {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{o: o, requests: newRequests(), revoked: newRevoked(), canary: newCanary()}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewBuildInfoCollector(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(o.Version), handedIn{o}, m.requests.seconds, m.requests.unavailable, m.revoked, m.canary,
	)
	if o.Expiring != nil {
		registry.MustRegister(newExpiring(o))
	}
	m.scrape = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: scrapeLog{o.Log}, ErrorHandling: promhttp.ContinueOnError, EnableOpenMetrics: true, MaxRequestsInFlight: 4,
	})
	return m
}

func buildInfo(version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hallpass_build_info", Help: "Always 1; the labels say which program this is.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	g.Set(1)
	return g
}

var (
	errMethod = &hallpass.Error{Kind: hallpass.Invalid, ID: "request.method-not-allowed", Message: "Method not allowed"}
	errScrape = &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "metrics.unauthorized", Message: "Unauthorized"}
)

// ServeHTTP is GET /metrics.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event := httpd.EventOf(r.Context())
	event.Action = "metrics"
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		httpd.WriteError(w, r, errMethod)
	case !m.admits(r):
		event.Err = errScrape
		w.Header().Set("WWW-Authenticate", `Basic realm="hallpass metrics", charset="UTF-8"`)
		httpd.WriteJSON(w, http.StatusUnauthorized, httpd.BodyOf(errScrape, event.RequestID()))
	default:
		m.scrape.ServeHTTP(w, r)
	}
}

// admits compares both the name and the password, so that its duration does not
// show which of them was wrong. Two Authorization headers are refused.
func (m *Metrics) admits(r *http.Request) bool {
	if m.o.Username == "" && m.o.Password.Empty() {
		return true
	}
	c := httpd.ReadAuthorization(r.Header["Authorization"])
	name := secret.NewText(m.o.Username).Equal(c.Login)
	return m.o.Password.Equal(c.Secret) && name
}

// scrapeLog takes what goes wrong in a scrape to the log.
type scrapeLog struct{ log *slog.Logger }

func (l scrapeLog) Println(v ...any) {
	l.log.Warn("a scrape of /metrics was not answered whole", "error", strings.TrimSpace(fmt.Sprintln(v...)))
}
