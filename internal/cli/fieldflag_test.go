package cli_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/wire"
)

// TestFieldsAsFlags has a server refuse each field that a command sets: the error names
// the flag that sets it. A field that an argument sets keeps its name.
func TestFieldsAsFlags(t *testing.T) {
	detail := ""
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet:
			w.WriteHeader(http.StatusBadRequest)
			answer(t, w, map[string]string{"message": "Bad request data", "error": detail})
		case strings.HasSuffix(r.URL.Path, "/tokens"):
			two, one := int64(2), int64(1)
			answer(t, w, []wire.Token{{ID: 1, Name: "t", ReplacedByID: &two}, {ID: 2, Name: "t", ReplacesID: &one}})
		case strings.HasSuffix(r.URL.Path, "/notifications"):
			answer(t, w, wire.Notifications{Channels: []wire.Channel{{ID: 1, Name: "c", Type: "mail"}}})
		case strings.HasSuffix(r.URL.Path, "/token-policy"):
			answer(t, w, wire.TokenPolicy{})
		default:
			answer(t, w, wire.ServiceAccountProfile{ID: 7, Name: "ci"})
		}
	})
	for _, tt := range []struct {
		line     string
		sets     any
		argument string // fields that no flag sets
	}{
		{"token create ci t --ttl 1d", wire.CreateToken{}, "name"},
		{"token update ci 2 --owner o", only[wire.UpdateToken]("name owner purpose selfRotate renewUntil"), ""},
		{"token narrow ci 2 --read-only", only[wire.UpdateToken]("readOnly maxRole permissions networks rateLimit"), ""},
		{"token pause ci 2 --for 1m", only[wire.UpdateToken]("pausedFor pauseReason"), ""},
		{"token rotate ci 2", wire.RotateToken{}, ""},
		{"token extend ci 2 --grace 1h", wire.ExtendRotation{}, ""},
		{"sa create ci", wire.CreateServiceAccount{}, "name roleUids"},
		{"sa update ci --owner o", wire.UpdateServiceAccount{}, "isDisabled"},
		{"channel create c --type mail", wire.WriteChannel{}, "name disabled"},
		{"channel update c --disabled", wire.WriteChannel{}, "type"},
		{"token-policy set --stale-after 30d --yes", only[wire.TokenPolicy]("staleAfterDays warnDays pause deleteAfterPausedDays exempt"), ""},
		{"team create t", wire.CreateTeam{}, "name"},
		{"attention snooze expiring token:1 --reason r", only[wire.SetSnooze]("reason days"), ""},
	} {
		for _, field := range fieldsOf(tt.sets) {
			detail = field + " is wrong"
			err := run(t.Context(), strings.NewReader(""), words(tt.line)...).err
			want := "400: Bad request data: --"
			if strings.Contains(" "+tt.argument+" ", " "+field+" ") {
				want = "400: Bad request data: " + field
			}
			if text := fmt.Sprint(err); !strings.HasPrefix(text, want) || !strings.HasSuffix(text, " is wrong") {
				t.Errorf("%s, about %s: %q, want %q", tt.line, field, text, want)
			}
		}
	}
	for _, tt := range []struct{ line, detail, says string }{
		{"token rotate ci 2 --grace 31d", "graceSeconds must be from 0 to 2592000", "--grace must be from 0s to 30d"},
		{"token rotate ci 2 --quiet 1s", "quietSeconds is 0 or at least 15", "--quiet is 0s or at least 15s"},
		{"token pause ci 2 --for 1s", "pausedFor must be from 60 to 2592000 seconds", "--for must be from 1m to 30d"},
		{"token rotate ci 2 --ttl 90d", "secondsToLive must not be longer than the 7200 seconds that the token was made for", "--ttl must not be longer than the 2h that the token was made for"},
		{"token create ci t --ttl 90d", "Number of seconds before expiration is greater than the global limit", "--ttl is greater than the global limit"},
		{"token create ci t --ttl 90d -p a:b -p c", "permissions[1].action is not like teams:read", "--permission c: action is not like teams:read"},
		{"token narrow ci 2 -p a:b@c:d", "permissions[0] is not held by the account", "--permission a:b@c:d is not held by the account"},
		{"token narrow ci 2 --network x --network y", `networks[1]: "y" is neither an IP address nor a CIDR`, `--network y: "y" is neither an IP address nor a CIDR`},
		{"token narrow ci 2 --rate 9/1", "rateLimit.requests must be from 1 to 1000000", "--rate: requests must be from 1 to 1000000"},
		{"token update ci 2 --self-rotate 9d", "renewUntil must not be later than 2027-01-01T00:00:00Z", "--self-rotate must not be later than 2027-01-01T00:00:00Z"},
		{"token-policy set --stale-after 30d --yes", "staleAfterDays is not between 0 and 3650", "--stale-after is not between 0d and 3650d"},
		{"token-policy set --stale-after 30d --exempt x --yes", "exempt[0] is neither owner:NAME nor account:LOGIN", "--exempt x is neither owner:NAME nor account:LOGIN"},
		{"channel update c --address x", "addresses[0] is not a mail address like ops@example.com", "--address x is not a mail address like ops@example.com"},
		{"token delete ci 2 --yes", "graceSeconds of a command that has no such flag", "graceSeconds of a command that has no such flag"},
	} {
		detail = tt.detail
		if got := fmt.Sprint(run(t.Context(), strings.NewReader(""), words(tt.line)...).err); got != "400: Bad request data: "+tt.says {
			t.Errorf("%s: %q, want %q", tt.line, got, tt.says)
		}
	}
}

// only returns the fields of the body T that a command sets. They must be there.
func only[T any](fields string) []string {
	all := fieldsOf(*new(T))
	for _, name := range strings.Fields(fields) {
		if !strings.Contains(" "+strings.Join(all, " ")+" ", " "+name+" ") {
			panic(fmt.Sprintf("%T has no field %s", *new(T), name))
		}
	}
	return strings.Fields(fields)
}

// fieldsOf returns the names of a body's fields in JSON.
func fieldsOf(body any) (names []string) {
	if list, ok := body.([]string); ok {
		return list
	}
	t := reflect.TypeOf(body)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
