package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Door is the part of the server that a request came in by.
type Door uint8

// The doors.
const (
	DoorAPI     Door = iota // the JSON calls, their contract and its page
	DoorConsole             // pages, and whatever else has no door
	DoorGuard               // forward-auth, over HTTP and gRPC, and the built-in proxy
	DoorHealth              // probes and scrapes
	doors
)

var doorNames = [doors]string{"api", "console", "guard", "health"}

func (d Door) String() string { return doorNames[d] }

// DoorOf returns the door of a URL's path.
func DoorOf(path string) Door {
	switch path {
	case "/healthz", "/readyz", "/metrics", "/api/health", "/grpc.health.v1.Health/Check":
		return DoorHealth
	case "/envoy.service.auth.v3.Authorization/Check":
		return DoorGuard
	case "/api", "/openapi.json", "/docs", "/docs.css":
		return DoorAPI
	}
	switch {
	case strings.HasPrefix(path, "/api/"):
		return DoorAPI
	case path == "/guard" || strings.HasPrefix(path, "/guard/") || path == "/oauth2/introspect":
		return DoorGuard
	}
	return DoorConsole
}

// classes are the first digits of statuses.
const classes = 5

var classNames = [classes]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// requests holds the metrics of requests. Their children are made at the start, so
// that counting a request needs no lookup, and each is shown from the start.
type requests struct {
	seconds     *prometheus.HistogramVec
	unavailable *prometheus.CounterVec

	observers     [doors][classes]prometheus.Observer
	unavailableBy [doors]prometheus.Counter
}

func newRequests() requests {
	r := requests{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "hallpass_http_request_duration_seconds",
			Help:    "Time from a request's headers to the end of its answer, by door and class of status. Streams of events are left out.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"door", "code"}),
		unavailable: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hallpass_http_unavailable_responses_total",
			Help: "Answers of 503 and 504: what could not be checked or done just now, or was not confirmed. They are among the 5xx too.",
		}, []string{"door"}),
	}
	for d, door := range doorNames {
		for c, class := range classNames {
			r.observers[d][c] = r.seconds.WithLabelValues(door, class)
		}
		r.unavailableBy[d] = r.unavailable.WithLabelValues(door)
	}
	return r
}

// Request counts an answered request. It takes no lock and allocates nothing.
func (m *Metrics) Request(d Door, status int, took time.Duration) {
	if m == nil || d >= doors {
		return
	}
	m.requests.observers[d][min(max(status/100, 1), classes)-1].Observe(took.Seconds())
	if status == 503 || status == 504 {
		m.requests.unavailableBy[d].Inc()
	}
}
