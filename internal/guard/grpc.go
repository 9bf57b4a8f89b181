package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// An ExtAuthz answers Envoy, and every proxy that speaks its protocol, over gRPC: on a
// listener of its own by Serve, and on that of the other doors by ServeHTTP. It also
// answers gRPC's health checks. It is safe for concurrent use.
type ExtAuthz struct {
	authv3.UnimplementedAuthorizationServer
	decider *Decider
	checks  *httpd.Calls
	answers answers
	byHTTP  *grpc.Server // for ServeHTTP
	own     *grpc.Server // for Serve: one that also answers by ServeHTTP cannot be stopped with grace
}

// ExtAuthzOptions sets up an ExtAuthz.
type ExtAuthzOptions struct {
	Ready func() bool   // whether requests should be sent here
	HTTP  httpd.Options // as those of the other doors
	TLS   *tls.Config   // of Serve; nil: it speaks no TLS
}

// MaxStreams is how many calls a connection has at once. A proxy that has more checks
// under way opens another.
const MaxStreams = 100

// Limits on calls and connections.
const (
	maxCheckBytes   = 1 << 20 // of a message: the headers of a request, perhaps with its body
	handshakeTime   = 5 * time.Second
	connectionIdle  = 90 * time.Second
	connectionAge   = 10 * time.Minute // then the proxy makes another, perhaps to another node
	connectionGrace = 30 * time.Second
	leastPingPause  = 5 * time.Second
)

// NewExtAuthz returns an ExtAuthz that answers with the verdicts of d.
func NewExtAuthz(d *Decider, o ExtAuthzOptions) *ExtAuthz {
	x := &ExtAuthz{decider: d, checks: httpd.NewCalls(authv3.Authorization_Check_FullMethodName, o.HTTP)}
	x.byHTTP = grpc.NewServer(grpc.MaxRecvMsgSize(maxCheckBytes))
	transport := insecure.NewCredentials()
	if o.TLS != nil {
		transport = credentials.NewTLS(o.TLS)
	}
	x.own = grpc.NewServer(
		grpc.Creds(transport), grpc.MaxRecvMsgSize(maxCheckBytes), grpc.MaxHeaderListSize(httpd.MaxHeaderBytes), grpc.MaxConcurrentStreams(MaxStreams), grpc.ConnectionTimeout(handshakeTime),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: connectionIdle, MaxConnectionAge: connectionAge, MaxConnectionAgeGrace: connectionGrace,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: leastPingPause, PermitWithoutStream: true}), // proxies watch connections that rest
	)
	h := &health{ready: o.Ready, calls: httpd.NewCalls(healthv1.Health_Check_FullMethodName, o.HTTP)}
	for _, s := range []*grpc.Server{x.byHTTP, x.own} {
		authv3.RegisterAuthorizationServer(s, x)
		healthv1.RegisterHealthServer(s, h)
	}
	return x
}

// Owns reports whether the request is a call of gRPC that ServeHTTP answers.
func (x *ExtAuthz) Owns(r *http.Request) bool {
	if r.ProtoMajor != 2 || r.Method != http.MethodPost {
		return false
	}
	switch r.URL.Path {
	case authv3.Authorization_Check_FullMethodName, healthv1.Health_Check_FullMethodName:
		return strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
	}
	return false
}

// ServeHTTP answers a call that Owns takes.
func (x *ExtAuthz) ServeHTTP(w http.ResponseWriter, r *http.Request) { x.byHTTP.ServeHTTP(w, r) }

// Serve answers calls on the listener until Stop.
func (x *ExtAuthz) Serve(l net.Listener) error {
	if err := x.own.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("guard: serve gRPC: %w", err)
	}
	return nil
}

// Stop lets the calls under way finish, and ends Serve. Those that are not answered
// when ctx is done are cut off, and Stop returns the error of ctx.
func (x *ExtAuthz) Stop(ctx context.Context) error {
	done := make(chan struct{})
	go func() { defer close(done); x.own.GracefulStop() }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		x.own.Stop()
		<-done
		return fmt.Errorf("guard: calls of gRPC are not answered: %w", ctx.Err())
	}
}

// health answers the health checks of gRPC (grpc.health.v1). Its Watch is not
// implemented: the protocol then has clients take the server for healthy, and a proxy
// asks again and again.
type health struct {
	healthv1.UnimplementedHealthServer
	ready func() bool
	calls *httpd.Calls
}

// Check tells whether requests should be sent here. It knows the server as a whole and
// the service that Envoy calls.
func (h *health) Check(ctx context.Context, q *healthv1.HealthCheckRequest) (answer *healthv1.HealthCheckResponse, err error) {
	if s := q.GetService(); s != "" && s != authv3.Authorization_ServiceDesc.ServiceName {
		return nil, grpcstatus.Error(codes.NotFound, "unknown service")
	}
	answer = &healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_NOT_SERVING}
	h.calls.Do(ctx, httpd.Call{}, func(context.Context, *httpd.Event) int {
		if !h.ready() {
			return http.StatusServiceUnavailable
		}
		answer.Status = healthv1.HealthCheckResponse_SERVING
		return http.StatusOK
	})
	return answer, nil
}
