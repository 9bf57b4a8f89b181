// Package goclient holds Grafana's own Go client against a real server. It is a
// module of its own, so that the product does not depend on that client.
package goclient
