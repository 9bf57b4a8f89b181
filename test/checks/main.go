// Command checks measures ext_authz over gRPC in make bench. With -serve it is the
// yardstick: a server that answers every check with one constant answer, the one that
// Hallpass gives, and does nothing else. With -load it asks a server again and again,
// as Envoy does: a few connections, with several checks under way on each.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	address := flag.String("serve", "", "address to answer on")
	byHTTP := flag.Bool("http", false, "answer by net/http, as the main port of Hallpass does")
	load := flag.String("load", "", "address of the server to ask")
	token := flag.String("token", "", "the token of each check")
	path := flag.String("path", "/", "the path of each check")
	guard := flag.String("guard", "bench", "the guard of each check")
	conns := flag.Int("c", 4, "connections")
	callers := flag.Int("callers", 32, "checks at once, on all connections")
	each := flag.Duration("d", time.Second, "how long to ask")
	flag.Parse()
	var err error
	if *load != "" {
		err = ask(*load, check(*guard, *path, *token), *conns, *callers, *each)
	} else {
		err = serve(*address, *byHTTP)
	}
	fmt.Fprintln(os.Stderr, err)
	if err != nil {
		os.Exit(1)
	}
}

// constant answers every check in the same way.
type constant struct {
	authv3.UnimplementedAuthorizationServer
	answer *authv3.CheckResponse
}

// Check is for Envoy.
func (c constant) Check(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	return c.answer, nil
}

func newConstant() constant {
	ok := &authv3.OkHttpResponse{HeadersToRemove: []string{"authorization"}}
	for _, h := range [][2]string{
		{"x-hallpass-account-id", "1000"}, {"x-hallpass-account", "sa-1-ci-1000"}, {"x-hallpass-org-id", "1"}, {"x-hallpass-role", "Viewer"}, {"x-hallpass-token-id", "1000"}, {"x-hallpass-subject", "-"},
	} {
		ok.Headers = append(ok.Headers, &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: h[0], Value: h[1]}, AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD})
	}
	return constant{answer: &authv3.CheckResponse{Status: &status.Status{}, HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: ok}}}
}

func serve(address string, byHTTP bool) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	authv3.RegisterAuthorizationServer(s, newConstant())
	if !byHTTP {
		return s.Serve(l)
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return (&http.Server{Handler: s, Protocols: protocols, ReadHeaderTimeout: 5 * time.Second}).Serve(l)
}

// check is what Envoy asks about a request of curl.
func check(guard, path, token string) *authv3.CheckRequest {
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		ContextExtensions: map[string]string{"guard": guard},
		Source: &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "192.0.2.7", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 41414},
		}}}},
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Id: "5d0e0b1c-6b9c-4c51-9f0c-1f3d2e4a5b6c", Method: "GET", Path: path, Host: "app.example.com", Scheme: "https", Protocol: "HTTP/1.1", Size: -1,
			Headers: map[string]string{
				":method": "GET", ":path": path, ":authority": "app.example.com", ":scheme": "https", "accept": "*/*", "authorization": "Bearer " + token, "user-agent": "curl/8.5.0",
				"x-forwarded-proto": "https", "x-request-id": "5d0e0b1c-6b9c-4c51-9f0c-1f3d2e4a5b6c",
			},
		}},
	}}
}

// ask asks until the time is over and prints what wrk would print of it.
func ask(address string, question *authv3.CheckRequest, conns, callers int, each time.Duration) error {
	ctx := context.Background()
	clients := make([]authv3.AuthorizationClient, conns)
	for i := range clients {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }() // the process ends
		clients[i] = authv3.NewAuthorizationClient(conn)
		r, err := clients[i].Check(ctx, question)
		if err != nil {
			return err
		}
		if r.GetOkResponse() == nil || len(r.GetOkResponse().Headers) != 6 {
			return fmt.Errorf("refused: %v", r)
		}
	}
	var all sync.WaitGroup
	took, failed := make([][]time.Duration, callers), make([]int, callers)
	end := time.Now().Add(each)
	for i := range callers {
		all.Go(func() {
			for began := time.Now(); began.Before(end); {
				r, err := clients[i%conns].Check(ctx, question)
				if err != nil || r.GetOkResponse() == nil {
					failed[i]++
				}
				now := time.Now()
				took[i] = append(took[i], now.Sub(began))
				began = now
			}
		})
	}
	all.Wait()
	list := slices.Concat(took...)
	slices.Sort(list)
	fmt.Printf("99%% %.2fus\n%d requests in %s\nRequests/sec: %.2f\n", float64(list[len(list)*99/100].Nanoseconds())/1000, len(list), each, float64(len(list))/each.Seconds())
	for _, n := range failed {
		if n > 0 {
			fmt.Println("Non-2xx", n)
		}
	}
	return nil
}
