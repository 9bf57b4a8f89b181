package api

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/wire"
)

// grafanaVersion is the version of Grafana whose API Hallpass speaks. Clients look at
// it to decide what they send; told 12.x, some refuse dashboards that they could save.
const grafanaVersion = "13.0.0"

// Readiness says whether this server wants requests.
type Readiness struct {
	OK       bool   // it wants requests
	State    string // ready, leased, stopping, stale, diverged or failing
	Reason   string // why it is not ready; empty when it is
	Database bool   // the database answers
}

// health answers GET /api/health. Anybody may call it, so it keeps its answer for five
// seconds.
type health struct {
	commit string
	ready  func() Readiness

	mu   sync.Mutex
	at   time.Time // guarded by mu
	last Readiness // guarded by mu
}

func (h *health) now() Readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.at) > 5*time.Second {
		h.last = h.ready()
		h.at = time.Now()
	}
	return h.last
}

func (h *health) serve(w http.ResponseWriter, _ *http.Request) {
	body, status := wire.Health{Database: "ok", Version: grafanaVersion, Commit: h.commit}, http.StatusOK
	now := h.now()
	if !now.Database {
		body.Database = "failing"
	}
	if !now.OK {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	b, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		httpd.WriteError(w, nil, err)
		return
	}
	httpd.WriteJSONBytes(w, status, b)
}

// healthz is GET /healthz: the process runs.
func (a *API) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("Ok")) // fails when the client went away
}

// readyz is GET /readyz: whether this server wants requests.
func (a *API) readyz(w http.ResponseWriter, _ *http.Request) {
	now, status := a.ready(), http.StatusOK
	if !now.OK {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Cache-Control", "no-store")
	httpd.WriteJSON(w, status, wire.Readiness{State: now.State, Reason: now.Reason})
}

// frontendSettings is GET /api/frontend/settings.
func (a *API) frontendSettings(call, none) (wire.FrontendSettings, error) {
	return wire.FrontendSettings{
		BuildInfo:               wire.BuildInfo{Version: grafanaVersion, Commit: a.health.commit, Edition: "Hallpass"},
		TokenExpirationDayLimit: a.admin.TokenPolicy().DayLimit,
	}, nil
}
