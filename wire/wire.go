// Package wire is the JSON of the HTTP API: one struct for each request and
// answer, named and spelled as clients of Grafana expect them. It has no
// behaviour. Times are RFC 3339; all ids are numbers.
package wire

// A Message is the answer of calls that return only a message.
type Message struct {
	Message string `json:"message"`
}

// Health is GET /api/health.
type Health struct {
	Database string `json:"database"`
	Version  string `json:"version"`
	Commit   string `json:"commit"`
}

// Readiness is the answer of /readyz: whether requests should be sent to this server,
// and if not, why.
type Readiness struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// FrontendSettings is the part of GET /api/frontend/settings that automation
// reads.
type FrontendSettings struct {
	BuildInfo               BuildInfo `json:"buildInfo"`
	TokenExpirationDayLimit int       `json:"tokenExpirationDayLimit"`
}

// BuildInfo has the version of the Grafana whose API we implement, and our own version.
type BuildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Edition string `json:"edition"`
}
