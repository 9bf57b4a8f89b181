package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// Tracing sends a span for each request, and each call of gRPC, to an OpenTelemetry collector. A nil
// one does nothing and costs nothing.
type Tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// endpointVariables switch tracing on. Their names, and those of all else that
// can be set about it, are OpenTelemetry's; its library reads them.
var endpointVariables = []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}

// StartTracing returns a Tracing if the environment names a collector, else
// nil. What the environment says that cannot be understood is an error.
func StartTracing(ctx context.Context, version string, log *slog.Logger) (*Tracing, error) {
	wanted, err := tracingWanted()
	if err != nil || !wanted {
		return nil, err
	}
	words := &traceLog{log: log}
	otel.SetLogger(logr.New(words))
	otel.SetErrorHandler(words)
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithAttributes(attribute.String("service.name", "hallpass"), attribute.String("service.version", version)),
		resource.WithFromEnv(), // the last word is the operator's
	)
	if err != nil {
		return nil, errors.Join(errors.New("traces: OTEL_RESOURCE_ATTRIBUTES: not like name=value,name=value"), exporter.Shutdown(ctx)) // its own words repeat the value
	}
	t := &Tracing{provider: sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))}
	t.tracer = t.provider.Tracer("github.com/hallpass-dev/hallpass", trace.WithInstrumentationVersion(version))
	if complaint := words.started(); complaint != "" {
		return nil, errors.Join(fmt.Errorf("traces: a variable that begins with OTEL_ is not understood: %s", complaint), t.Stop(ctx))
	}
	return t, nil
}

func tracingWanted() (bool, error) {
	if httpd.EqualASCII(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false, nil
	}
	wanted := false
	for _, name := range endpointVariables {
		endpoint := os.Getenv(name)
		if endpoint == "" {
			continue
		}
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !hallpass.ValidPort(u.Port()) {
			return false, fmt.Errorf("%s: not a URL like http://127.0.0.1:4318", name) // not repeated: it may hold a password
		}
		wanted = true
	}
	if exporter := os.Getenv("OTEL_TRACES_EXPORTER"); wanted && exporter != "" && exporter != "otlp" {
		return false, errors.New("OTEL_TRACES_EXPORTER: only otlp and none are known")
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := os.Getenv(name); wanted && p != "" && p != "http/protobuf" && p != "http/json" {
			return false, fmt.Errorf("%s: only http/protobuf and http/json are known", name)
		}
	}
	if wanted {
		return true, numbersUnderstood()
	}
	return false, nil
}

// numbersUnderstood returns an error if a variable that sizes spans or their
// queue is no number: the library takes its default then, and says nothing.
func numbersUnderstood() error {
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "OTEL_BSP_") && (!strings.HasPrefix(name, "OTEL_") || !strings.HasSuffix(name, "_LIMIT")) {
			continue
		}
		if _, err := strconv.Atoi(strings.TrimSpace(value)); err != nil && value != "" {
			return fmt.Errorf("%s: not a number", name)
		}
	}
	return nil
}

// Stop sends the spans that wait, and ends.
func (t *Tracing) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	return nil
}

// Wrap returns a handler that makes a span of each request; next itself if
// there is no tracing. It belongs inside httpd.Handler, whose event it reads.
// Probes and scrapes are left out.
func (t *Tracing) Wrap(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		door := DoorOf(r.URL.Path)
		if door == DoorHealth {
			next.ServeHTTP(w, r)
			return
		}
		ctx, span := t.tracer.Start(parent(r.Context(), r.Header), methodOf(r)+" "+door.String(), trace.WithSpanKind(trace.SpanKindServer))
		rec := &statusRecorder{ResponseWriter: w}
		r = r.WithContext(ctx)
		whole := false
		defer func() { t.end(span, r, door, rec.status, whole) }()
		next.ServeHTTP(rec, r)
		whole = true
	})
}

// Call has answer answer a call of gRPC, of the method as
// "/envoy.service.auth.v3.Authorization/Check", within a span, and returns what it
// returns: the status that says in HTTP how the call ended. parent is the traceparent
// that came with the call, "" if none did. Health checks are left out. It is for
// httpd.Options; t must not be nil.
func (t *Tracing) Call(ctx context.Context, method, parentSpan string, answer func(context.Context) (status int)) (status int) {
	door := DoorOf(method)
	if door == DoorHealth {
		return answer(ctx)
	}
	name := strings.TrimPrefix(method, "/")
	service, function, _ := strings.Cut(name, "/")
	ctx, span := t.tracer.Start(parent(ctx, http.Header{"Traceparent": {parentSpan}}), name, trace.WithSpanKind(trace.SpanKindServer))
	status = http.StatusInternalServerError // of a panic, which httpd.Calls takes note of
	defer func() {
		span.SetAttributes(attribute.String("rpc.system", "grpc"), attribute.String("rpc.service", service), attribute.String("rpc.method", function), attribute.Int("rpc.grpc.status_code", 0))
		finish(span, httpd.EventOf(ctx), door, status)
	}()
	status = answer(ctx)
	return status
}

// parent returns the context with the span of the client, if its headers tell one.
// What vendors add to that is a stranger's free text and left behind.
func parent(ctx context.Context, header http.Header) context.Context {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
	return trace.ContextWithRemoteSpanContext(ctx, trace.SpanContextFromContext(ctx).WithTraceState(trace.TraceState{}))
}

// end gives the span its attributes: words of ours and numbers, never what the
// client wrote (SEC-1). The mux has noted the route in r by now.
func (t *Tracing) end(span trace.Span, r *http.Request, door Door, status int, whole bool) {
	switch {
	case !whole: // a panic, which httpd.Handler answers
		status = http.StatusInternalServerError
	case status == 0:
		status = http.StatusOK // what net/http sends for a handler that says nothing
	}
	span.SetAttributes(attribute.String("http.request.method", methodOf(r)))
	if route := routeOf(r); route != "" {
		span.SetName(methodOf(r) + " " + route)
		span.SetAttributes(attribute.String("http.route", route))
	}
	finish(span, httpd.EventOf(r.Context()), door, status)
}

// finish ends the span with what those of requests and calls have in common.
func finish(span trace.Span, event *httpd.Event, door Door, status int) {
	span.SetAttributes(
		attribute.Int("http.response.status_code", status), attribute.String("hallpass.door", door.String()), attribute.String("hallpass.request_id", event.RequestID()),
	)
	if event.Token != 0 {
		span.SetAttributes(attribute.Int64("hallpass.token_id", int64(event.Token)))
	}
	if event.Org != 0 {
		span.SetAttributes(attribute.Int64("hallpass.org_id", int64(event.Org)))
	}
	if status >= 500 {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// routeOf returns the pattern that took the request, without its method; ""
// where there is none, or none but "/".
func routeOf(r *http.Request) string {
	route := r.Pattern
	if _, path, found := strings.Cut(route, " "); found {
		route = path
	}
	return strings.TrimSuffix(strings.TrimSuffix(route, "{$}"), "/")
}

// methodOf returns the method if it is a known one: any word can be one.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return r.Method
	}
	return "_OTHER"
}

// statusRecorder notes the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status < 200 { // not yet the final one
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.status < 200 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// StopTimeout is how long a server that ends may take to send its last spans.
const StopTimeout = 3 * time.Second

// traceLog takes what OpenTelemetry's library says. It quotes values of
// variables, of which some are secrets: only its own words are kept. A complaint
// at the start stops that; a later one is logged.
type traceLog struct {
	log   *slog.Logger
	first atomic.Pointer[string]
	begun atomic.Bool
}

// started returns the first complaint.
func (l *traceLog) started() string {
	l.begun.Store(true)
	if s := l.first.Load(); s != nil {
		return *s
	}
	return ""
}

// Init is for logr.
func (*traceLog) Init(logr.RuntimeInfo) {}

// Enabled is for logr: errors (which are not asked for) and warnings.
func (*traceLog) Enabled(level int) bool { return level <= 1 }

// Info is for logr.
func (l *traceLog) Info(_ int, msg string, _ ...any) { l.Error(nil, msg) }

// Error is for logr.
func (l *traceLog) Error(_ error, msg string, _ ...any) {
	if l.begun.Load() {
		l.log.Warn("OpenTelemetry does not understand one of its variables (OTEL_…), and goes on without it", "error", msg)
		return
	}
	l.first.CompareAndSwap(nil, &msg)
}

// Handle is for otel. What stops the start is cut before the value that the
// library repeats.
func (l *traceLog) Handle(err error) {
	if l.begun.Load() {
		l.log.Warn("traces are not sent: look whether the collector of OTEL_EXPORTER_OTLP_ENDPOINT answers", "error", err)
		return
	}
	msg, _, _ := strings.Cut(err.Error(), ":")
	l.first.CompareAndSwap(nil, &msg)
}

// WithValues is for logr.
func (l *traceLog) WithValues(...any) logr.LogSink { return l }

// WithName is for logr.
func (l *traceLog) WithName(string) logr.LogSink { return l }
