package hallpass_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

func TestParseNetworks(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want string // the networks, or a part of the error
		err  bool
	}{
		{"", "", false},
		{"10.1.2.3", "10.1.2.3", false},
		{"10.0.0.0/8 10.0.0.0/8 10.0.0.0/16", "10.0.0.0/8 10.0.0.0/16", false},
		{"2001:db8::/32 192.168.0.0/16", "192.168.0.0/16 2001:db8::/32", false},
		{"2001:DB8::1", "2001:db8::1", false},
		{"::ffff:10.0.0.0/104", "networks[0]: ::ffff:10.0.0.0/104 is an IPv4 network in IPv6: write it as IPv4, 10.0.0.0/8", true},
		{"10.0.0.1 ::ffff:10.0.0.1", "networks[1]: ::ffff:10.0.0.1 is an IPv4 network in IPv6: write it as IPv4, 10.0.0.1", true},
		{"fe80::1%eth0", `networks[0]: "fe80::1%eth0" has a zone`, true},
		{"fe80::%eth0/10", "has a zone", true},
		{"10.0.0.1/8", "networks[0]: 10.0.0.1/8 has bits after its prefix: write 10.0.0.0/8", true},
		{"2001:db8::1/32", "2001:db8::1/32 has bits after its prefix: write 2001:db8::/32", true},
		{"0.0.0.0/0", "networks[0]: 0.0.0.0/0 is every address: leave networks out to allow all", true},
		{"0.0.0.0/1 128.0.0.0/1", "networks: together they are every address of 0.0.0.0/0: leave networks out to allow all", true},
		{"8000::/1 10.0.0.0/8 ::/2 4000::/2", "networks: together they are every address of ::/0", true},
		{"0.0.0.0/2 10.0.0.0/8 64.0.0.0/2 128.0.0.0/2 192.0.0.0/3 224.0.0.0/3", "every address of 0.0.0.0/0", true},
		{"0.0.0.0/1 128.0.0.0/2", "0.0.0.0/1 128.0.0.0/2", false},
		{"10.0.0.0/8 ::/0", "networks[1]: ::/0 is every address", true},
		{"10.0.0.0/33", `networks[0]: "10.0.0.0/33" is neither an IP address nor a CIDR`, true},
		{"10.0.0.1:80", "neither an IP address nor a CIDR", true},
		{"[::1]", "neither an IP address nor a CIDR", true},
		{"localhost", "neither an IP address nor a CIDR", true},
		{"10.0.0", "neither", true},
		{"010.0.0.1", "neither", true},
		{strings.Repeat("10.0.0.1 ", 33), "networks holds at most 32 addresses and CIDRs", true},
	} {
		networks, err := hallpass.ParseNetworks(strings.Fields(tt.in))
		got := strings.Join(hallpass.NetworkTexts(networks), " ")
		if err != nil {
			got = err.Error()
		}
		if (err != nil) != tt.err || !tt.err && got != tt.want || !strings.Contains(got, tt.want) {
			t.Errorf("%q: %s, want %s", tt.in, got, tt.want)
		}
		if err != nil && hallpass.KindOf(err) != hallpass.Invalid {
			t.Errorf("%q: the error is %s", tt.in, hallpass.KindOf(err))
		}
	}
}

func TestTidyTokenLimits(t *testing.T) {
	second := time.Second
	permission := func(list ...hallpass.Permission) hallpass.TokenLimits { return hallpass.TokenLimits{Permissions: list} }
	rate := func(requests int, every time.Duration, burst int) hallpass.TokenLimits {
		return hallpass.TokenLimits{Rate: hallpass.RateLimit{Requests: requests, Every: every, Burst: burst}}
	}
	for _, tt := range []struct {
		limits hallpass.TokenLimits
		want   string
	}{
		{hallpass.TokenLimits{}, ""},
		{hallpass.TokenLimits{ReadOnly: true, MaxRole: role(hallpass.RoleEditor)}, ""},
		{hallpass.TokenLimits{MaxRole: role(hallpass.RoleAdmin)}, "maxRole is None, Viewer or Editor: leave it out to allow the role of the account"},
		{permission(), ""},
		{permission(hallpass.Permission{Action: "teams:read"}, hallpass.Permission{Action: "prometheus:query", Scope: "a:*"}), ""},
		{permission(hallpass.Permission{Action: "teams:read"}, hallpass.Permission{Action: "Teams"}), "permissions[1].action is not like teams:read"},
		{permission(hallpass.Permission{Action: "*", Scope: "*"}), "permissions[0].action is not like teams:read"},
		{permission(hallpass.Permission{Action: "teams:read", Scope: "teams:*:1"}), "permissions[0].scope is not like teams:id:7 or teams:*"},
		{permission(slices.Repeat([]hallpass.Permission{{Action: "teams:read"}}, 101)...), "permissions holds at most 100 permissions"},
		{rate(100, 60*second, 20), ""},
		{rate(1, second, 0), ""},
		{rate(0, 60*second, 0), "rateLimit.requests must be from 1 to 1000000"},
		{rate(1_000_001, second, 0), "rateLimit.requests must be from 1 to 1000000"},
		{rate(1, 0, 0), "rateLimit.seconds must be from 1 to 86400"},
		{rate(1, 1500*time.Millisecond, 0), "rateLimit.seconds must be from 1 to 86400"},
		{rate(1, 86401*second, 0), "rateLimit.seconds must be from 1 to 86400"},
		{rate(100, second, 101), "rateLimit.burst must be from 0 to requests, which is 100"},
		{rate(100, second, -1), "rateLimit.burst must be from 0 to requests, which is 100"},
	} {
		got, err := "", tt.limits.Tidy()
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.limits, got, tt.want)
		}
	}
}
