package test_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// A door is a way to use a token at a node.
type door struct {
	name       string
	ask        func(p *process, token string) (status int) // 0: no answer
	verifies   bool                                        // it asks for no role
	used, late atomic.Int64                                // requests; those accepted too late
}

// newDoors makes a guard that lets Viewers pass, and returns the doors by which the nodes
// are asked about it, and those without a guard.
func newDoors(t *testing.T, all []*process) []*door {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, witnessed) })) // the proxy may have gone
	t.Cleanup(api.Close)
	all[0].must(201, "POST", "/api/guards", fmt.Sprintf(`{"name":"app","upstream":%q,"rules":[{"path":"/{rest...}","role":"Viewer"}]}`, api.URL), nil)
	envoys := make(map[*process]authv3.AuthorizationClient)
	for _, p := range all {
		conn, err := grpc.NewClient(strings.TrimPrefix(p.url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // the calls were answered
		envoys[p] = authv3.NewAuthorizationClient(conn)
	}
	return []*door{
		{name: "GET /api/org", ask: (*process).use},
		{name: "/guard/verify", ask: func(p *process, token string) int { return p.ask(token, "/guard/verify") }, verifies: true},
		{name: "/guard/nginx/{guard}", ask: func(p *process, token string) int {
			return p.ask(token, "/guard/nginx/app", "X-Original-Method", "GET", "X-Original-Uri", "/x")
		}},
		{name: "/guard/proxy/{guard}", ask: func(p *process, token string) int { return p.ask(token, "/guard/proxy/app/x") }},
		{name: "ext_authz over gRPC", ask: func(p *process, token string) int { return askAsEnvoy(envoys[p], token) }},
	}
}

// ask sends GET with the token and the headers, and returns the status, 0 for no answer.
func (p *process) ask(token, path string, header ...string) int {
	r, err := http.NewRequest("GET", p.url+path, nil)
	if err != nil {
		p.t.Error(err)
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := quick.Do(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body) // the status says it all; read, the connection can be used again
	_ = res.Body.Close()
	return res.StatusCode
}

// askAsEnvoy asks over gRPC about GET /x, and returns the status, 0 for no answer.
func askAsEnvoy(client authv3.AuthorizationClient, token string) int {
	ctx, cancel := context.WithTimeout(context.Background(), hallpasstest.Patience)
	defer cancel()
	r, err := client.Check(ctx, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		ContextExtensions: map[string]string{"guard": "app"},
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Method: "GET", Path: "/x", Host: "app.example.com", Headers: map[string]string{"authorization": "Bearer " + token},
		}},
	}})
	switch {
	case err != nil:
		return 0
	case r.GetOkResponse() != nil:
		return http.StatusOK
	}
	return int(r.GetDeniedResponse().GetStatus().GetCode())
}
