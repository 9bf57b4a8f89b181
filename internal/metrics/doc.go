// Package metrics is a read-only door: /metrics for Prometheus, and traces for
// OpenTelemetry. The other floors count; the server passes the numbers in.
//
// Nothing secret and nothing that a stranger wrote becomes a label or an
// attribute: labels are words of ours, names of nodes, and numbers of tokens and
// orgs, of a bounded number.
package metrics
