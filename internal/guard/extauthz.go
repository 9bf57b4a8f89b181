package guard

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	statusv3 "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// guardExtension is the key of context_extensions under which Envoy's configuration
// names the guard.
const guardExtension = "guard"

// Check answers whether the request that a proxy describes may pass. It always answers,
// with a refusal where it does not know: a proxy may be told to let pass what was not
// answered. Envoy's protocol describes requests and answers:
// envoy/service/auth/v3/external_auth.proto.
func (x *ExtAuthz) Check(ctx context.Context, q *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	r := q.GetAttributes().GetRequest().GetHttp()
	header := headersOf(r)
	call := httpd.Call{Source: q.GetAttributes().GetSource().GetAddress().GetSocketAddress().GetAddress(), Header: header}
	if p, ok := peer.FromContext(ctx); ok {
		call.Peer = p.Addr.String()
	}
	if x.checks.Span != nil {
		call.Parent = one(metadata.ValueFromIncomingContext(ctx, "traceparent"))
	}
	answer := unanswered
	x.checks.Do(ctx, call, func(ctx context.Context, event *httpd.Event) int {
		c := Check{
			Door: "envoy", Guard: q.GetAttributes().GetContextExtensions()[guardExtension], Authorization: separate(header["Authorization"]), From: event.From,
		}
		if event.Trusted { // else it tells nothing about the original request
			c.Method, c.Host, c.Target, c.Header = r.GetMethod(), r.GetHost(), r.GetPath(), header
			event.Method = c.Method
		}
		event.Action, event.Target = "guard.ext-authz", c.Guard
		v := x.decider.Decide(ctx, c)
		v.tellEvent(event)
		answer = x.answer(&v, header)
		return v.answerStatus()
	})
	return answer, nil
}

// headersOf returns the headers of the original request by their canonical names. Envoy
// puts them into a map, where the values of a repeated header are joined by commas, or,
// with encode_raw_headers, into a list.
func headersOf(r *authv3.AttributeContext_HttpRequest) http.Header {
	if list := r.GetHeaderMap().GetHeaders(); len(list) > 0 {
		h := make(http.Header, len(list))
		for _, v := range list {
			value := v.GetValue()
			if raw := v.GetRawValue(); len(raw) > 0 {
				value = string(raw)
			}
			h.Add(v.GetKey(), value)
		}
		return h
	}
	h, values := make(http.Header, len(r.GetHeaders())), make([]string, 0, len(r.GetHeaders()))
	for name, value := range r.GetHeaders() {
		if strings.HasPrefix(name, ":") {
			continue // of the first line, which is told elsewhere
		}
		name = http.CanonicalHeaderKey(name)
		if h[name] != nil {
			h[name] = append(h[name], value) // two spellings of one name
			continue
		}
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return h
}

// separate returns the values of Authorization that a proxy has joined by commas. No
// credential that Hallpass takes holds one.
func separate(values []string) []string {
	for i, v := range values {
		if strings.Contains(v, ",") {
			return append(slices.Clone(values[:i]), strings.Split(v, ",")...) // more than one is all that matters
		}
	}
	return values
}

// answer turns the verdict into Envoy's form. header has the headers of the original
// request.
func (x *ExtAuthz) answer(v *Verdict, header http.Header) *authv3.CheckResponse {
	if v.Allow {
		return x.answers.of(v, header)
	}
	h := http.Header{"Content-Type": contentJSON, "Cache-Control": noStore}
	httpd.TellExpiry(h, v.Caller)
	v.setHeaders(h)
	return refused(v.answerStatus(), h, string(v.body()))
}

var (
	contentJSON = []string{"application/json; charset=UTF-8"}
	noStore     = []string{"no-store"}
)

// answers keeps the answer that lets pass, for tokens that were used of late, a slot
// for each number of a token. It is safe for concurrent use.
type answers [1024]atomic.Pointer[keptAnswer]

// keptAnswer is an answer, and the identity that it tells: identities keeps that, and
// has another for another.
type keptAnswer struct {
	identity *string
	answer   *authv3.CheckResponse
}

// of returns the answer that lets the request pass. It must not be changed.
func (s *answers) of(v *Verdict, header http.Header) *authv3.CheckResponse {
	if len(v.Set) > 0 || v.Caller.Rate.Limit != nil || v.Caller.EndsSoon != nil || spoofs(header) {
		return passed(v, header)
	}
	slot, identity := &s[uint64(v.Caller.Token)%uint64(len(s))], &v.Identity[0]
	kept := slot.Load()
	if kept == nil || kept.identity != identity {
		kept = &keptAnswer{identity, passed(v, nil)}
		slot.Store(kept)
	}
	return kept.answer
}

// spoofs reports whether the client sent a header that some server could read as one
// of ours.
func spoofs(header http.Header) bool {
	for name := range header {
		if hallpass.IdentityHeader(name) {
			return true
		}
	}
	return false
}

// passed lets the request pass. It overwrites every identity header, sets the headers
// of the rule, and removes the credential and what the client sent in other spellings
// of identity headers. Envoy removes after it has set, so none of what is set may be
// removed.
func passed(v *Verdict, header http.Header) *authv3.CheckResponse {
	headers := newOptions(len(v.Identity) + len(v.Set))
	for i, value := range v.Identity {
		headers.set(wireIdentity[i], value)
	}
	for _, h := range v.Set {
		headers.set(httpd.LowerASCII(h.Name), h.Value)
	}
	return &authv3.CheckResponse{
		Status: statusOK,
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
			Headers: headers.list, HeadersToRemove: v.removed(header), ResponseHeadersToAdd: clientOptions(v.Caller),
		}},
	}
}

// clientOptions returns the headers of the answer by which the client learns the rate of
// its token, and its end.
func clientOptions(c hallpass.Caller) []*corev3.HeaderValueOption {
	if c.Rate.Limit == nil && c.EndsSoon == nil {
		return nil
	}
	headers := newOptions(len(httpd.RateHeaders) + 1)
	if c.Rate.Limit != nil {
		for i, values := range httpd.RateValues(c.Rate) {
			headers.set(httpd.LowerASCII(httpd.RateHeaders[i]), values[0])
		}
	}
	if c.EndsSoon != nil {
		headers.set(httpd.LowerASCII(httpd.TokenExpires), c.EndsSoon[0])
	}
	return headers.list
}

// removed returns the names of the headers of the original request that the API does
// not get, in small letters: the credential, and what the client sent under names that
// read as ours and that the verdict does not set.
func (v *Verdict) removed(header http.Header) []string {
	names := credentialHeader
	for name := range header {
		if hallpass.IdentityHeader(name) && !v.sets(name) {
			names = append(names, httpd.LowerASCII(name))
		}
	}
	slices.Sort(names[1:])
	return names
}

// sets reports whether the verdict tells the API something under the name.
func (v *Verdict) sets(name string) bool {
	return slices.ContainsFunc(identityHeaders[:], func(ours string) bool { return httpd.EqualASCII(ours, name) }) ||
		slices.ContainsFunc(v.Set, func(h Header) bool { return httpd.EqualASCII(h.Name, name) })
}

// wireIdentity are the identityHeaders as HTTP/2 writes names.
var wireIdentity = func() (names [len(identityHeaders)]string) {
	for i, name := range identityHeaders {
		names[i] = httpd.LowerASCII(name)
	}
	return names
}()

// What answers share. None of it is ever changed.
var (
	credentialHeader = slices.Clip([]string{"authorization"})
	statusOK         = &statusv3.Status{}
	unanswered       = refused(http.StatusServiceUnavailable, http.Header{"Content-Type": contentJSON, "Cache-Control": noStore, "Retry-After": {"1"}},
		`{"message":"Authorization service unavailable","messageId":"guard.failed"}`)
)

// codeOf is the code of gRPC for each status of a refusal. Envoy gives the client the
// status; the code is for those who read logs and metrics of gRPC.
var codeOf = map[int]codes.Code{
	http.StatusUnauthorized: codes.Unauthenticated, http.StatusForbidden: codes.PermissionDenied, http.StatusServiceUnavailable: codes.Unavailable,
	http.StatusTooManyRequests: codes.ResourceExhausted,
}

// refused refuses the request with an answer for the client.
func refused(status int, header http.Header, body string) *authv3.CheckResponse {
	headers := newOptions(len(header))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		headers.set(httpd.LowerASCII(name), header[name][0])
	}
	return &authv3.CheckResponse{
		Status: &statusv3.Status{Code: int32(codeOf[status])},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: typev3.StatusCode(status)}, Headers: headers.list, Body: body,
		}},
	}
}

// options makes headers of an answer, all in three allocations.
type options struct {
	list    []*corev3.HeaderValueOption
	options []corev3.HeaderValueOption
	values  []corev3.HeaderValue
}

// newOptions returns options for n headers.
func newOptions(n int) *options {
	return &options{make([]*corev3.HeaderValueOption, 0, n), make([]corev3.HeaderValueOption, n), make([]corev3.HeaderValue, n)}
}

// set adds a header that takes the place of all of its name.
func (o *options) set(name, value string) {
	i := len(o.list)
	o.values[i].Key, o.values[i].Value = name, value
	o.options[i].Header, o.options[i].AppendAction = &o.values[i], corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD
	o.list = append(o.list, &o.options[i])
}
