// Package api is the door for programs: the JSON API under /api/, its contract
// at /openapi.json and /docs, and the probes /healthz and /readyz.
package api
