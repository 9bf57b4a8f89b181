package guard_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	extauthzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3" // its type is named in the page
	managerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"github.com/oasdiff/yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/hallpass-dev/hallpass"
)

// pageYAML returns the blocks of YAML of docs/guard/envoy.md as JSON, by the comment
// that each begins with.
func pageYAML(t *testing.T) map[string][]byte {
	t.Helper()
	page, err := os.ReadFile("../../docs/guard/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := make(map[string][]byte)
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		title, _, _ := strings.Cut(strings.TrimPrefix(block, "# "), "\n")
		if blocks[title], err = yaml.YAMLToJSON([]byte(block)); err != nil {
			t.Fatalf("%s: %v", title, err)
		}
	}
	return blocks
}

// typed reads an Any of Envoy's configuration, and holds its values to Envoy's rules.
func typed[M interface {
	proto.Message
	ValidateAll() error
}](t *testing.T, a *anypb.Any, into M) M {
	t.Helper()
	if err := a.UnmarshalTo(into); err != nil {
		t.Fatal(err)
	}
	if err := into.ValidateAll(); err != nil {
		t.Error(err)
	}
	return into
}

// TestEnvoyPage reads the configuration of the page with Envoy's own types: an unknown
// field is an error, and so is a value that Envoy refuses.
func TestEnvoyPage(t *testing.T) {
	blocks := pageYAML(t)
	var envoy bootstrapv3.Bootstrap
	if err := protojson.Unmarshal(blocks["envoy.yaml"], &envoy); err != nil {
		t.Fatal(err)
	}
	if err := envoy.ValidateAll(); err != nil {
		t.Error(err)
	}
	manager := typed(t, envoy.StaticResources.Listeners[0].FilterChains[0].Filters[0].GetTypedConfig(), &managerv3.HttpConnectionManager{})
	filter := typed(t, manager.HttpFilters[0].GetTypedConfig(), &extauthzv3.ExtAuthz{})
	if filter.FailureModeAllow || filter.StatusOnError.GetCode() != 503 || filter.GetGrpcService().GetEnvoyGrpc().GetClusterName() != "hallpass" || filter.ClearRouteCache {
		t.Errorf("the filter is %v", filter)
	}
	host := manager.GetRouteConfig().VirtualHosts[0]
	route := typed(t, host.TypedPerFilterConfig["envoy.filters.http.ext_authz"], &extauthzv3.ExtAuthzPerRoute{})
	if name := route.GetCheckSettings().GetContextExtensions()["guard"]; !hallpass.ValidGuardName(name) {
		t.Errorf("the host names the guard %q", name)
	}
	for _, r := range host.Routes {
		if c := r.TypedPerFilterConfig["envoy.filters.http.ext_authz"]; c != nil && r.GetMatch().GetPath() == "" {
			t.Errorf("%v is not asked about, and is no exact path", r.Match)
		}
	}
	for _, c := range envoy.StaticResources.Clusters {
		if o := c.TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]; c.Name == "hallpass" {
			if typed(t, o, &httpv3.HttpProtocolOptions{}).GetExplicitHttpConfig().GetHttp2ProtocolOptions() == nil {
				t.Error("the cluster of Hallpass does not speak HTTP/2")
			}
		}
	}

	var byHTTP anypb.Any
	if err := protojson.Unmarshal(blocks["ext_authz over HTTP"], &byHTTP); err != nil {
		t.Fatal(err)
	}
	service := typed(t, &byHTTP, &extauthzv3.ExtAuthz{}).GetHttpService()
	if service.PathPrefix != "/guard/envoy/app" || service.GetAuthorizationResponse().GetAllowedUpstreamHeaders().GetPatterns()[0].GetPrefix() != "x-hallpass-" {
		t.Errorf("over HTTP it asks %v", service)
	}
}

// TestMeshPage looks at the parts of the other configurations that decide whether a
// request is judged, and what the API is told.
func TestMeshPage(t *testing.T) {
	blocks := pageYAML(t)
	read := func(title string, into any) {
		t.Helper()
		if err := json.Unmarshal(blocks[title], into); err != nil {
			t.Fatalf("%s: %v", title, err)
		}
	}
	var policy struct {
		Spec struct {
			ExtAuth struct {
				FailOpen          *bool
				StatusOnError     int
				ContextExtensions []struct{ Name, Type, Value string }
			}
		}
	}
	read("a SecurityPolicy that asks over gRPC", &policy)
	if x := policy.Spec.ExtAuth; x.FailOpen == nil || *x.FailOpen || x.StatusOnError != 503 || len(x.ContextExtensions) != 1 || x.ContextExtensions[0] != (struct{ Name, Type, Value string }{"guard", "Value", "app"}) {
		t.Errorf("the SecurityPolicy asks with %+v", x)
	}

	var route struct {
		Spec struct {
			Rules []struct {
				Filters []struct {
					ExternalAuth struct {
						Protocol string
						HTTP     struct {
							Path                   string
							AllowedResponseHeaders []string
						}
					}
				}
			}
		}
	}
	read("an HTTPRoute of the Gateway API", &route)
	auth := route.Spec.Rules[0].Filters[0].ExternalAuth
	if auth.Protocol != "HTTP" || auth.HTTP.Path != "/guard/envoy/app" || !slices.Equal(auth.HTTP.AllowedResponseHeaders, identity) {
		t.Errorf("the HTTPRoute asks with %+v", auth)
	}

	var mesh struct {
		ExtensionProviders []struct {
			Name              string
			EnvoyExtAuthzHTTP struct {
				FailOpen                 *bool
				StatusOnError            string
				PathPrefix               string
				HeadersToUpstreamOnAllow []string
			} `json:"envoyExtAuthzHttp"`
		}
	}
	read("meshConfig of Istio", &mesh)
	if p := mesh.ExtensionProviders[0]; p.EnvoyExtAuthzHTTP.FailOpen == nil || *p.EnvoyExtAuthzHTTP.FailOpen || p.EnvoyExtAuthzHTTP.PathPrefix != "/guard/envoy/app" || !slices.Equal(p.EnvoyExtAuthzHTTP.HeadersToUpstreamOnAllow, []string{"x-hallpass-*"}) {
		t.Errorf("Istio asks with %+v", p)
	}
	var istio struct {
		Spec struct {
			Action   string
			Provider struct{ Name string }
			Rules    []struct{}
		}
	}
	read("an AuthorizationPolicy of Istio", &istio)
	if istio.Spec.Action != "CUSTOM" || istio.Spec.Provider.Name != mesh.ExtensionProviders[0].Name || len(istio.Spec.Rules) != 1 {
		t.Errorf("Istio's policy is %+v", istio.Spec)
	}
}
