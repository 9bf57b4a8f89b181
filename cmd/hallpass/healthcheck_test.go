//go:build !client && !windows

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHealthcheck runs the command against a server that is healthy and not ready: each
// question has one line and an exit status for an answer.
func TestHealthcheck(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	address := strings.TrimPrefix(s.URL, "http://")
	for _, tt := range []struct {
		env, says string
		args      []string
		status    int
	}{
		{"", "healthy: " + s.URL + "/healthz\n", []string{"--listen", address}, 0},
		{"", "hallpass: not ready: " + s.URL + "/readyz says 503 Service Unavailable: \n", []string{"--listen", address, "--ready"}, 1},
		{"HALLPASS_SERVER_SOCKET=/nosuch/s", "hallpass: not healthy: /healthz at /nosuch/s: dial unix /nosuch/s: connect: no such file or directory\n", nil, 1},
		{"HALLPASS_SERVER_PROTOCOL=htp", "hallpass: HALLPASS_SERVER_PROTOCOL: server.protocol: \"htp\" is not one of http, https, h2, socket\n", nil, 1},
	} {
		var out bytes.Buffer
		p := program{stdout: &out, stderr: &out, environ: []string{tt.env}}
		if status := p.run(t.Context(), append([]string{"healthcheck"}, tt.args...)); status != tt.status || out.String() != tt.says {
			t.Errorf("%s %v: exit %d, %q, want %q", tt.env, tt.args, status, out.String(), tt.says)
		}
	}
}
