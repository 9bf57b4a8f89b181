package hallpass

import (
	"maps"
	"slices"
	"strings"
)

// A GuardPreset is rules for an API that many people have. They stand after a
// guard's own rules, which can so be stricter or laxer. A GuardPreset is a plain
// value; its rules are shared and must not be changed.
type GuardPreset struct {
	Name        string
	DisplayName string
	Rules       []GuardRule
	Tenants     bool // the API keeps tenants apart by the header TenantHeader
}

// TenantHeader is the header in which Loki and Mimir get the tenant of a request.
const TenantHeader = "X-Scope-OrgID"

// OfTenants returns the rules of the preset so that each permission is asked for on the
// tenant that the request names, as "loki:read" on "loki:tenants:a". The API gets the tenant
// that was asked about, and no other. Metrics are of the API itself: theirs stay. The rules
// are the caller's own. Without Tenants there are none.
func (p GuardPreset) OfTenants() (rules []GuardRule) {
	if !p.Tenants {
		return nil
	}
	for _, r := range p.Rules {
		api, what, _ := strings.Cut(string(r.Need.Action), ":")
		if r.Need.Kind == NeedPermission && what != "metrics" {
			r.Need.Scope = api + ":tenants:{tenant}"
			r.Captures, r.Set = map[string]string{"tenant": headerSource + TenantHeader}, map[string]string{TenantHeader: "{tenant}"}
			if what == "read" { // a|b reads two tenants
				r.Split = "|"
			}
		}
		rules = append(rules, r)
	}
	return rules
}

// GuardPresetNames returns the names of the presets, in order.
func GuardPresetNames() []string { return slices.Sorted(maps.Keys(guardPresets)) }

// GuardPresetByName returns the preset; false and the zero GuardPreset if there is none.
func GuardPresetByName(name string) (GuardPreset, bool) {
	p, ok := guardPresets[name]
	return p, ok
}

var guardPresets = func() map[string]GuardPreset {
	all := make(map[string]GuardPreset)
	for _, p := range []GuardPreset{
		{"prometheus", "Prometheus", prometheusRules(), false},
		{"alertmanager", "Alertmanager", alertmanagerRules(), false},
		{"loki", "Loki", lokiRules(), true},
		{"mimir", "Mimir", mimirRules(), true},
		{"pushgateway", "Pushgateway", pushgatewayRules(), false},
		{"grafana", "Grafana", grafanaRules(), false},
	} {
		all[p.Name] = p
	}
	return all
}()

// Methods of rules. Clients read with POST too where a query may be too long for a URL.
var (
	get         = []string{"GET"}
	getOrPost   = []string{"GET", "POST"}
	post        = []string{"POST"}
	putOrPost   = []string{"PUT", "POST"}
	deleteAlone = []string{"DELETE"}
)

// public returns rules for paths that everybody may read: what says whether a server lives.
func public(paths ...string) (rules []GuardRule) {
	for _, p := range paths {
		rules = append(rules, GuardRule{Methods: get, Path: p, Need: Need{Kind: NeedNothing}})
	}
	return rules
}

// permitted returns rules for paths that an action opens.
func permitted(action Action, methods []string, paths ...string) (rules []GuardRule) {
	for _, p := range paths {
		rules = append(rules, GuardRule{Methods: methods, Path: p, Need: Need{Kind: NeedPermission, Action: action}})
	}
	return rules
}

func prometheusRules() []GuardRule {
	return slices.Concat(
		public("/-/healthy", "/-/ready"),
		permitted("prometheus:admin", nil, "/api/v1/admin/{rest...}", "/-/{rest...}"),
		permitted("prometheus:admin", get, "/api/v1/status/config", "/api/v1/status/flags", "/config", "/flags"), // may show what is secret
		permitted("prometheus:write", post, "/api/v1/write", "/api/v1/otlp/v1/metrics"),
		permitted("prometheus:query", post, "/api/v1/query", "/api/v1/query_range", "/api/v1/query_exemplars", "/api/v1/series", "/api/v1/labels",
			"/api/v1/label/{name}/values", "/api/v1/format_query", "/api/v1/parse_query", "/api/v1/read"),
		permitted("prometheus:query", get, "/{rest...}"),
	)
}

func alertmanagerRules() []GuardRule {
	return slices.Concat(
		public("/-/healthy", "/-/ready"),
		permitted("alertmanager:read", get, "/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences", "/api/v2/silence/{id}", "/api/v2/receivers", "/api/v2/status"),
		permitted("alertmanager:write", post, "/api/v2/alerts"),
		permitted("alertmanager:silence", post, "/api/v2/silences"),
		permitted("alertmanager:silence", deleteAlone, "/api/v2/silence/{id}"),
		permitted("alertmanager:admin", nil, "/-/{rest...}"),
		permitted("alertmanager:metrics", get, "/metrics"),
	)
}

func lokiRules() []GuardRule {
	return slices.Concat(
		public("/ready"),
		permitted("loki:read", getOrPost, "/loki/api/v1/query", "/loki/api/v1/query_range", "/loki/api/v1/series", "/loki/api/v1/labels", "/loki/api/v1/label/{name}/values",
			"/loki/api/v1/index/stats", "/loki/api/v1/index/volume", "/loki/api/v1/index/volume_range", "/loki/api/v1/patterns", "/loki/api/v1/detected_labels", "/loki/api/v1/detected_fields", "/loki/api/v1/detected_field/{name}/values"),
		permitted("loki:read", get, "/loki/api/v1/tail", "/loki/api/v1/status/buildinfo"),
		permitted("loki:write", post, "/loki/api/v1/push", "/otlp/v1/logs"),
		permitted("loki:rules", nil, "/loki/api/v1/rules/{rest...}", "/loki/api/v1/rules"),
		permitted("loki:delete", nil, "/loki/api/v1/delete"),
		permitted("loki:metrics", get, "/metrics"),
	)
}

func mimirRules() []GuardRule {
	const api = "/prometheus/api/v1/"
	return slices.Concat(
		public("/ready"),
		permitted("mimir:read", getOrPost, api+"query", api+"query_range", api+"query_exemplars", api+"series", api+"labels", api+"format_query", api+"cardinality/{rest...}"),
		permitted("mimir:read", get, api+"label/{name}/values", api+"metadata", api+"rules", api+"alerts", api+"status/buildinfo"),
		permitted("mimir:read", post, api+"read"),
		permitted("mimir:write", post, "/api/v1/push", "/otlp/v1/metrics"),
		permitted("mimir:rules", nil, "/prometheus/config/v1/rules/{rest...}", "/prometheus/config/v1/rules"),
		permitted("mimir:alertmanager", nil, "/alertmanager/{rest...}", "/api/v1/alerts"),
		permitted("mimir:metrics", get, "/metrics"),
	)
}

func pushgatewayRules() []GuardRule {
	return slices.Concat(
		public("/-/healthy", "/-/ready"),
		permitted("pushgateway:push", putOrPost, "/metrics/{rest...}"),
		permitted("pushgateway:delete", deleteAlone, "/metrics/{rest...}"),
		permitted("pushgateway:read", get, "/metrics", "/api/v1/metrics", "/api/v1/status"),
		permitted("pushgateway:admin", nil, "/api/v1/admin/{rest...}", "/-/{rest...}"),
	)
}

// grafanaRules let every good token of the org through: Grafana itself decides what
// the account that Hallpass asserts may do.
func grafanaRules() []GuardRule {
	return append(public("/api/health"), GuardRule{Path: "/{rest...}", Need: Need{Kind: NeedRole, Role: RoleNone}})
}
