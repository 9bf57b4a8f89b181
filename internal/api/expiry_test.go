package api_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestTokenExpires asks with tokens that end soon, late and never: an answer to the
// first tells its end, a refusal too.
func TestTokenExpires(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	bearer := func(name, seconds string) hallpasstest.Credential {
		var made struct{ Key string }
		into(t, s.Do(hallpasstest.Admin, "POST", path+"/tokens", `{"name":"`+name+`","secondsToLive":`+seconds+`}`), &made)
		return hallpasstest.Bearer(made.Key)
	}
	never, late := bearer("never", "0"), bearer("late", "1296000") // 15 days
	ends := s.Clock.Now().Add(15 * 24 * time.Hour).Format(time.RFC3339)
	for _, as := range []hallpasstest.Credential{never, late, hallpasstest.Admin} {
		if h := s.Do(as, "GET", "/api/org", "").Header["Hallpass-Token-Expires"]; h != nil {
			t.Errorf("told of an end that is not near: %q", h)
		}
	}
	s.Clock.Wind(24*time.Hour + time.Second)
	for range 2 {
		if h := s.Do(late, "GET", "/api/org", "").Header["Hallpass-Token-Expires"]; len(h) != 1 || h[0] != ends {
			t.Errorf("told %q, it ends at %s", h, ends)
		}
	}
	if r := s.Do(late, "POST", "/api/teams", `{"name":"x"}`); r.StatusCode != 403 || r.Header.Get("Hallpass-Token-Expires") != ends {
		t.Errorf("a refusal: %d, %v", r.StatusCode, r.Header)
	}
	if r := s.Do(late, "GET", "/guard/verify", ""); r.StatusCode != 200 || r.Header.Get("Hallpass-Token-Expires") != ends {
		t.Errorf("/guard/verify: %d, %v", r.StatusCode, r.Header)
	}
	if h := s.Do(never, "GET", "/guard/verify", "").Header["Hallpass-Token-Expires"]; h != nil {
		t.Errorf("/guard/verify of one that never ends: %q", h)
	}
	s.Clock.Wind(14 * 24 * time.Hour)
	if r := s.Do(late, "GET", "/api/org", ""); r.StatusCode != 401 || r.Header["Hallpass-Token-Expires"] != nil {
		t.Errorf("after its end: %d, %v", r.StatusCode, r.Header)
	}
}
