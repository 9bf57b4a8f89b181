// Package metrics is a door that only shows: /metrics for Prometheus, and
// traces for OpenTelemetry. What it shows the other floors count; the server
// hands it in.
//
// Nothing secret and nothing that a stranger wrote becomes a label or an
// attribute: labels are words of ours, names of nodes, and numbers of tokens and
// orgs, of a bounded number.
package metrics
