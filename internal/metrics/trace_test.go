package metrics_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/metrics"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// collector is an OpenTelemetry collector that keeps what it is sent.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string    // guarded by mu
	header http.Header // of the last request; guarded by mu
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = io.Copy(&b, r.Body) // what is missing will be missed below
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.URL.Path == "/v1/traces" {
			c.bodies = append(c.bodies, b.String())
		}
		c.header = r.Header
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) received() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.bodies, "\n")
}

// span is what the tests look at of a span, as OTLP writes it in JSON.
type span struct {
	TraceID, ParentSpanID, TraceState, Name string
	Status                                  struct{ Code any }
	Attributes                              []attribute
}

type attribute struct {
	Key   string
	Value struct {
		StringValue string
		IntValue    json.Number
	}
}

// spans decodes what the collector was sent.
func (c *collector) spans(t *testing.T) map[string]span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	found := make(map[string]span)
	for _, body := range c.bodies {
		var m struct {
			ResourceSpans []struct {
				ScopeSpans []struct{ Spans []span }
			}
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		for _, r := range m.ResourceSpans {
			for _, s := range r.ScopeSpans {
				for _, sp := range s.Spans {
					found[sp.Name] = sp
				}
			}
		}
	}
	return found
}

func (s span) attributes() map[string]string {
	all := make(map[string]string)
	for _, a := range s.Attributes {
		all[a.Key] = a.Value.StringValue + a.Value.IntValue.String()
	}
	return all
}

// TestTraces has a collector listen to a server: spans arrive with method,
// status, route and door, the last of them when the server ends, and in neither
// of the two encodings is there anything that a stranger wrote.
func TestTraces(t *testing.T) {
	for _, protocol := range []string{"http/protobuf", "http/json"} {
		t.Run(protocol, func(t *testing.T) {
			c := newCollector(t)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=collectors%20own")
			token := secret.NewToken().Reveal()
			t.Run("serve", func(t *testing.T) { // the server ends with it
				s := hallpasstest.New(t)
				s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?nothing="+token, "",
					"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Tracestate: vendor="+token, "Baggage: a="+token)
				s.Do(hallpasstest.Bearer(token), "GET", "/api/org", "", "User-Agent: "+token)
				s.Do(hallpasstest.Nobody, "GET", "/api/"+token, "")
				s.Do(hallpasstest.Nobody, "GET", "/org/serviceaccounts/"+token, "", "Cookie: grafana_session="+token)
				s.Do(hallpasstest.Nobody, "ZANZIBAR", "/"+token, "")
				s.Do(hallpasstest.Nobody, "GET", "/healthz", "")
				s.Do(hallpasstest.Nobody, "GET", "/metrics", "")
			})
			text := c.received()
			for _, want := range []string{"http.request.method", "http.response.status_code", "http.route", "/api/org", "hallpass.door", "console", "service.name", "_OTHER"} {
				if !strings.Contains(text, want) {
					t.Errorf("no %q arrived", want)
				}
			}
			for _, never := range []string{"glsa_", token[5:37], "ZANZIBAR", "vendor", "violet", "query", "healthz", "/metrics", "127.0.0.1", "collectors own"} {
				if strings.Contains(text, never) {
					t.Errorf("%q arrived", never)
				}
			}
			c.mu.Lock()
			own := c.header.Get("Authorization")
			c.mu.Unlock()
			if own != "collectors own" {
				t.Errorf("the collector's own header is %q", own)
			}
			if protocol == "http/json" {
				checkSpans(t, c.spans(t))
			}
		})
	}
}

func checkSpans(t *testing.T, spans map[string]span) {
	t.Helper()
	for name, want := range map[string]map[string]string{
		"GET /api/serviceaccounts/search": {"http.request.method": "GET", "http.response.status_code": "200", "hallpass.door": "api", "http.route": "/api/serviceaccounts/search", "hallpass.org_id": "1"},
		"GET /api/org":                    {"http.request.method": "GET", "http.response.status_code": "401", "hallpass.door": "api", "http.route": "/api/org"},
		"GET api":                         {"http.request.method": "GET", "http.response.status_code": "404", "hallpass.door": "api"},
		"_OTHER console":                  {"http.request.method": "_OTHER", "http.response.status_code": "404", "hallpass.door": "console"},
	} {
		got := spans[name].attributes()
		if got["hallpass.request_id"] == "" {
			t.Errorf("%s: no request ID", name)
		}
		delete(got, "hallpass.request_id")
		if len(got) != len(want) {
			t.Errorf("%s: attributes %v, want %v", name, got, want)
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %s is %q, want %q", name, k, got[k], v)
			}
		}
	}
	of := spans["GET /api/serviceaccounts/search"]
	if !strings.EqualFold(of.TraceID, "0af7651916cd43dd8448eb211c80319c") || !strings.EqualFold(of.ParentSpanID, "b7ad6b7169203331") || of.TraceState != "" {
		t.Errorf("the client's trace is not gone on with: %+v", of)
	}
}

// TestTracesOfCalls has a proxy ask over gRPC on both ports: each check is a span with
// what was decided, and goes on with the proxy's trace. A health check is none.
func TestTracesOfCalls(t *testing.T) {
	for _, port := range []string{"main port", "grpc_listen"} {
		t.Run(port, func(t *testing.T) {
			c := newCollector(t)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
			token := secret.NewToken().Reveal()
			t.Run("serve", func(t *testing.T) { // the server ends with it
				s := hallpasstest.New(t, func(c *server.Config) { c.Guard.GRPCListen = "127.0.0.1:0" })
				address := s.GRPCAddress()
				if port == "main port" {
					address = strings.TrimPrefix(s.URL, "http://")
				}
				conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }() // the calls were answered
				if _, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
					t.Error(err)
				}
				ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "vendor="+token)
				r, err := authv3.NewAuthorizationClient(conn).Check(ctx, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
					ContextExtensions: map[string]string{"guard": token},
					Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
						Method: "GET", Path: "/" + token, Headers: map[string]string{"authorization": "Bearer " + token, "traceparent": "00-11111111111111111111111111111111-2222222222222222-01"},
					}},
				}})
				if err != nil || r.GetDeniedResponse().GetStatus().GetCode() != 401 {
					t.Errorf("%v, %v", r, err)
				}
			})
			spans := c.spans(t)
			const name = "envoy.service.auth.v3.Authorization/Check"
			got := spans[name].attributes()
			if got["hallpass.request_id"] == "" || len(spans) != 1 {
				t.Errorf("the spans are %v", spans)
			}
			delete(got, "hallpass.request_id")
			want := map[string]string{
				"rpc.system": "grpc", "rpc.service": "envoy.service.auth.v3.Authorization", "rpc.method": "Check", "rpc.grpc.status_code": "0", "http.response.status_code": "401", "hallpass.door": "guard",
			}
			if d := cmp.Diff(got, want); d != "" {
				t.Errorf("attributes, want:\n%s", d)
			}
			if of := spans[name]; !strings.EqualFold(of.TraceID, "0af7651916cd43dd8448eb211c80319c") || !strings.EqualFold(of.ParentSpanID, "b7ad6b7169203331") || of.TraceState != "" {
				t.Errorf("the proxy's trace is not gone on with: %+v", of)
			}
			if strings.Contains(c.received(), token[5:37]) {
				t.Error("what the proxy was told arrived")
			}
		})
	}
}

// TestTracesWithoutCollector serves while nobody listens at the endpoint: no
// request is held up or fails, and the end waits no longer than it may.
func TestTracesWithoutCollector(t *testing.T) {
	c := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.URL+"/v1/traces")
	c.Close()
	start := time.Now()
	t.Run("serve", func(t *testing.T) {
		s := hallpasstest.New(t)
		for range 20 {
			if r := s.Do(hallpasstest.Admin, "GET", "/api/org", ""); r.StatusCode != 200 {
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
		}
	})
	if took := time.Since(start); took > metrics.StopTimeout+time.Minute {
		t.Errorf("it took %s", took)
	}
}

// TestTracesOff finds the handler as it was, without a variable that asks for
// more.
func TestTracesOff(t *testing.T) {
	for name, env := range map[string][2]string{
		"nothing":  {"OTEL_SERVICE_NAME", "x"},
		"disabled": {"OTEL_SDK_DISABLED", "true"},
		"none":     {"OTEL_TRACES_EXPORTER", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "nothing" {
				t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
			}
			t.Setenv(env[0], env[1])
			tracing, err := metrics.StartTracing(t.Context(), "dev", nil)
			if tracing != nil || err != nil {
				t.Fatalf("%v, %v; want neither", tracing, err)
			}
			next := http.NewServeMux()
			if tracing.Wrap(next) != http.Handler(next) {
				t.Error("the handler is wrapped")
			}
			if err := tracing.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTracesRefuse sets variables that cannot be understood: each stops the
// start, and none is repeated, for it may hold a secret (SEC-47).
func TestTracesRefuse(t *testing.T) {
	for name, env := range map[string][2]string{
		"an endpoint with a high port": {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://hush:65536"},
		"an endpoint without a scheme": {"OTEL_EXPORTER_OTLP_ENDPOINT", "hush:4318"},
		"an endpoint of another kind":  {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://hush:4317"},
		"a header that is none":        {"OTEL_EXPORTER_OTLP_HEADERS", "hush"},
		"a header with a bad escape":   {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=hush%zz"},
		"gRPC":                         {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
		"another exporter":             {"OTEL_TRACES_EXPORTER", "hush"},
		"a sampler that is none":       {"OTEL_TRACES_SAMPLER", "hush"},
		"resources that are none":      {"OTEL_RESOURCE_ATTRIBUTES", "hush"},
		"a time that is none":          {"OTEL_EXPORTER_OTLP_TIMEOUT", "hush"},
		"a number that is none":        {"OTEL_BSP_MAX_QUEUE_SIZE", "hush"},
		"a certificate that is none":   {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/hush/hush.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces")
			t.Setenv(env[0], env[1])
			c := server.DefaultConfig()
			c.DataDir = t.TempDir()
			s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
			if err == nil {
				t.Fatal("the server opens", s.Close())
			}
			if !strings.Contains(err.Error(), "OTEL_") || strings.Contains(err.Error(), "hush") {
				t.Errorf("it says %v", err)
			}
		})
	}
}
