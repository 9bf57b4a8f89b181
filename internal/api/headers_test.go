package api_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestHeadersOfTheContract looks where the contract names the headers that are for tokens:
// in every answer that can come after the caller was authenticated, and in no other.
func TestHeadersOfTheContract(t *testing.T) {
	doc, _ := hallpasstest.Contract(t)
	want := []string{"Hallpass-Token-Expires", "RateLimit", "RateLimit-Policy"}
	for path, item := range doc.Paths.Map() {
		for method, call := range item.Operations() {
			public := call.Security != nil && len(*call.Security) == 0
			for status, answer := range call.Responses.Map() {
				before := public && answer.Ref == "" || status == "401" || status == "431"
				if got := tokenHeaders(answer.Value); before && len(got) > 0 || !before && !slices.Equal(got, want) {
					t.Errorf("%s %s: the answer %s has %v", method, path, status, got)
				}
				if _, ok := answer.Value.Headers["Retry-After"]; ok != slices.Contains([]string{"409", "429", "503"}, status) {
					t.Errorf("%s %s: the answer %s has Retry-After: %v", method, path, status, ok)
				}
			}
		}
	}
}

// tokenHeaders lists the headers of the answer that are for tokens. Each is a shared one.
func tokenHeaders(r *openapi3.Response) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if strings.HasPrefix(r.Headers[name].Ref, "#/components/headers/") && name != "Retry-After" {
			list = append(list, name)
		}
	}
	return list
}

// TestHeadersOfAToken has answers of each status for a token that has a rate and ends
// tomorrow: they tell both, as the contract does.
func TestHeadersOfAToken(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	soon := made(t, s.Do(hallpasstest.Admin, "POST", path+"/tokens", `{"name":"soon","secondsToLive":86400,"rateLimit":{"requests":100,"seconds":3600,"burst":6}}`))
	as := hallpasstest.Bearer(soon.Key)
	ends := s.Clock.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	for i, tt := range []struct {
		method, path, body string
		status             int
		id                 string
	}{
		{"GET", "/api/org", "", 200, ""}, {"POST", "/api/serviceaccounts", `{"name":"x"}`, 403, "accesscontrol.Denied"}, {"GET", "/api/folders/nothing", "", 404, "folder.not-found"},
		{"GET", "/api/search?limit=x", "", 400, hallpass.MalformedID}, {"POST", "/api/tokens/self/rotate", `[]`, 400, hallpass.MalformedID},
		{"DELETE", "/api/auth/keys/7", "", 410, "apikeys.gone"}, {"GET", "/api/tokens/self", "", 200, ""},
		{"GET", "/api/org", "", 429, "api-key.rate-limited"}, {"GET", path + "/tokens/1/events", "", 429, "api-key.rate-limited"},
	} {
		r := s.Do(as, tt.method, tt.path, tt.body)
		expect(t, tt.path, r, tt.status, tt.id)
		standing, _, _ := strings.Cut(r.Header.Get("RateLimit"), ";t=")
		got := []string{r.Header.Get("RateLimit-Policy"), standing}
		want := []string{`"token";q=100;w=3600`, `"token";r=` + string(rune('0'+max(6-i, 0)))}
		if tt.status != 429 { // who is refused is not told more of the token
			got, want = append(got, r.Header.Get("Hallpass-Token-Expires")), append(want, ends)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.method, tt.path, d)
		}
	}
}
