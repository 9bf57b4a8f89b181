package httpd_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// basic returns the header that presents a login and password.
func basic(login, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+password))
}

// An authorization is what a request may present, how it is read, and what two
// doors answer.
type authorization struct {
	name       string
	values     []string // of the Authorization headers
	want       httpd.Credential
	api, guard answer
}

// An answer is a status and the ID of the error.
type answer struct {
	status int
	id     string
}

var (
	granted      = answer{200, ""}
	unauthorized = answer{401, "auth.unauthorized"}
	badKey       = answer{401, "api-key.invalid"}
)

var (
	otherScheme = httpd.Credential{Form: httpd.OtherScheme}
	malformed   = httpd.Credential{Form: httpd.MalformedBasic}
	several     = httpd.Credential{Form: httpd.SeveralCredentials}
)

// authorizations returns them all, made of a token that is good and of one that
// nobody has.
func authorizations(good, unknown string) []authorization {
	return slices.Concat(asBearer(good, unknown), asBasicToken(good, unknown), unread(good), onlyTheAPI(good))
}

func asBearer(good, unknown string) []authorization {
	read := func(token string) httpd.Credential { return httpd.Credential{Form: httpd.BearerToken, Secret: token} }
	const legacy = "eyJrIjoiYSIsIm4iOiJiIiwiaWQiOjF9"
	other, huge := "glxx_"+good[5:], "glsa_"+strings.Repeat("a", 20_000)
	return []authorization{
		{"plain", []string{"Bearer " + good}, read(good), granted, granted},
		{"lower case", []string{"bearer " + good}, read(good), granted, granted},
		{"upper case", []string{"BEARER " + good}, read(good), granted, granted},
		{"several spaces", []string{"Bearer    " + good}, read(good), granted, granted},
		{"two tokens", []string{"Bearer " + good + ", Bearer " + good}, read(good + ", Bearer " + good), badKey, badKey},
		{"trailing text", []string{"Bearer " + good + " x"}, read(good + " x"), badKey, badKey},
		{"a comma", []string{"Bearer " + good + ","}, read(good + ","), badKey, badKey},
		{"quotes", []string{`Bearer "` + good + `"`}, read(`"` + good + `"`), badKey, badKey},
		{"other prefix", []string{"Bearer " + other}, read(other), badKey, badKey},
		{"legacy key", []string{"Bearer " + legacy}, read(legacy), badKey, badKey},
		{"unknown", []string{"Bearer " + unknown}, read(unknown), badKey, badKey},
		{"huge", []string{"Bearer " + huge}, read(huge), badKey, badKey},
	}
}

func asBasicToken(good, unknown string) []authorization {
	read := func(token string) httpd.Credential {
		return httpd.Credential{Form: httpd.BasicToken, Login: "api_key", Secret: token}
	}
	return []authorization{
		{"basic", []string{basic("api_key", good)}, read(good), granted, granted},
		{"basic, upper case and several spaces", []string{"BASIC   " + basic("api_key", good)[6:]}, read(good), granted, granted},
		{"basic, unknown", []string{basic("api_key", unknown)}, read(unknown), badKey, badKey},
		{"basic, no token", []string{basic("api_key", "")}, read(""), badKey, badKey},
	}
}

// unread returns what no door finds a credential in.
func unread(good string) []authorization {
	return []authorization{
		{"no header", nil, httpd.Credential{}, unauthorized, unauthorized},
		{"nothing", []string{""}, otherScheme, unauthorized, unauthorized},
		{"tab", []string{"Bearer\t" + good}, otherScheme, unauthorized, unauthorized},
		{"no space", []string{"Bearer" + good}, otherScheme, unauthorized, unauthorized},
		{"no token", []string{"Bearer "}, otherScheme, unauthorized, unauthorized},
		{"no scheme", []string{good}, otherScheme, unauthorized, unauthorized},
		{"other scheme", []string{"Token " + good}, otherScheme, unauthorized, unauthorized},
		{"a long s", []string{"Ba\u017fic " + basic("api_key", good)[6:]}, otherScheme, unauthorized, unauthorized},
	}
}

// onlyTheAPI returns what the API and the guard answer differently.
func onlyTheAPI(good string) []authorization {
	read := func(login, password string) httpd.Credential {
		return httpd.Credential{Form: httpd.BasicPassword, Login: login, Secret: password}
	}
	empty, failed := answer{401, "password-auth.empty"}, answer{401, "password-auth.failed"}
	const repeated = "request.authorization-repeated"
	return []authorization{
		// The guard takes no passwords (SEC-2), so it has no word for a wrong one.
		{"password", []string{basic("admin", hallpasstest.AdminPassword)}, read("admin", hallpasstest.AdminPassword), granted, unauthorized},
		{"wrong password", []string{basic("admin", "wrong")}, read("admin", "wrong"), failed, unauthorized},
		{"a colon in the password", []string{basic("admin", "a:b")}, read("admin", "a:b"), failed, unauthorized},
		{"empty password", []string{basic("admin", "")}, read("admin", ""), empty, unauthorized},
		{"empty login", []string{basic("", "x")}, read("", "x"), empty, unauthorized},
		{"the token as the login", []string{basic(good, "")}, read(good, ""), empty, unauthorized},
		{"bad base64", []string{"Basic !!!"}, malformed, badKey, unauthorized},
		{"no padding", []string{strings.TrimRight(basic("api_key", good+"x"), "=")}, malformed, badKey, unauthorized},
		{"no colon", []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("admin"))}, malformed, badKey, unauthorized},
		{"two in one", []string{basic("api_key", good) + ", " + basic("api_key", good)}, malformed, badKey, unauthorized},
		// Two headers are 400, and 401 where a proxy asks (SEC-7): 400 means other
		// things to proxies.
		{"two headers", []string{"Bearer " + good, "Bearer " + good}, several, answer{400, repeated}, answer{401, repeated}},
		{"two headers, one is empty", []string{"", "Bearer " + good}, several, answer{400, repeated}, answer{401, repeated}},
	}
}

func TestReadAuthorization(t *testing.T) {
	for _, tt := range authorizations(secret.NewToken().Reveal(), secret.NewToken().Reveal()) {
		if got := httpd.ReadAuthorization(tt.values); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	bearer := []string{"Bearer " + secret.NewToken().Reveal()}
	if n := testing.AllocsPerRun(100, func() { httpd.ReadAuthorization(bearer) }); n != 0 {
		t.Errorf("to read a bearer allocates %v times", n)
	}
}

// TestAuthorizationAtTheDoors asks the API and the guard the same.
func TestAuthorizationAtTheDoors(t *testing.T) {
	s := hallpasstest.New(t)
	for _, tt := range authorizations(serviceAccountToken(t, s), secret.NewToken().Reveal()) {
		present := func(r *http.Request) {
			if tt.values != nil {
				r.Header["Authorization"] = tt.values
			}
		}
		r := s.Do(present, "GET", "/api/org", "")
		checkAuthorized(t, tt.name+", the API", r, tt.api)
		challenges := r.Header.Values("WWW-Authenticate")
		basic := slices.ContainsFunc(challenges, func(c string) bool { return strings.HasPrefix(c, "Basic ") })
		if form := tt.want.Form; basic != (tt.api.status == 401 && (form == httpd.MalformedBasic || form == httpd.BasicToken || form == httpd.BasicPassword)) {
			t.Errorf("%s, the API: WWW-Authenticate is %q", tt.name, challenges)
		}
		r = s.Do(present, "GET", "/guard/verify", "")
		checkAuthorized(t, tt.name+", the guard", r, tt.guard)
		if n := len(r.Header.Values("WWW-Authenticate")); n > 1 {
			t.Errorf("%s, the guard: %d challenges, want one", tt.name, n)
		}
	}
}

// serviceAccountToken makes an account and returns a token of it.
func serviceAccountToken(t *testing.T, s *hallpasstest.Server) string {
	t.Helper()
	member := func(r hallpasstest.Response, name string) string {
		_, rest, _ := strings.Cut(r.Text, fmt.Sprintf("%q:", name))
		value, _, _ := strings.Cut(rest, ",")
		return strings.Trim(value, `"}`)
	}
	id := member(s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`), "id")
	token := member(s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+id+"/tokens", `{"name":"t"}`), "key")
	if !strings.HasPrefix(token, secret.Prefix) {
		t.Fatal("no token was made")
	}
	return token
}

func checkAuthorized(t *testing.T, name string, r hallpasstest.Response, want answer) {
	t.Helper()
	if r.StatusCode != want.status || !strings.Contains(r.Text, want.id) {
		t.Errorf("%s: %d %s, want %d and %s", name, r.StatusCode, r.Text, want.status, want.id)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control is %q", name, got)
	}
	if challenge := r.Header.Get("WWW-Authenticate"); (want.status == 401) != strings.HasPrefix(challenge, "Bearer") {
		t.Errorf("%s: WWW-Authenticate is %q", name, challenge)
	}
}

// FuzzAuthorization reads a header and compares: with what net/http reads of
// Basic, and with the same credential written plainly.
func FuzzAuthorization(f *testing.F) {
	for _, tt := range authorizations(secret.NewToken().Reveal(), secret.NewToken().Reveal()) {
		if len(tt.values) == 1 {
			f.Add(tt.values[0])
		}
	}
	f.Fuzz(func(t *testing.T, value string) {
		c := httpd.ReadAuthorization([]string{value})
		switch c.Form {
		case httpd.BearerToken:
			if c.Secret == "" || c.Secret[0] == ' ' || !strings.HasSuffix(value, " "+c.Secret) {
				t.Errorf("%q is read as the token %q", value, c.Secret)
			}
			if again := httpd.ReadAuthorization([]string{"Bearer " + c.Secret}); again != c {
				t.Errorf("%q: %+v, and again %+v", value, c, again)
			}
		case httpd.BasicToken, httpd.BasicPassword:
			if again := httpd.ReadAuthorization([]string{basic(c.Login, c.Secret)}); again != c || (c.Form == httpd.BasicToken) != (c.Login == "api_key") {
				t.Errorf("%q: %+v, and again %+v", value, c, again)
			}
		case httpd.OtherScheme, httpd.MalformedBasic:
			if c.Login != "" || c.Secret != "" {
				t.Errorf("%q: %+v holds a credential", value, c)
			}
		default:
			t.Errorf("%q is one header, and read as %+v", value, c)
		}
		r := http.Request{Header: http.Header{"Authorization": {value}}}
		if login, password, ok := r.BasicAuth(); ok && (c.Login != login || c.Secret != password) {
			t.Errorf("%q: %+v, and net/http reads %q and %q", value, c, login, password)
		}
		if two := httpd.ReadAuthorization([]string{value, value}); two != (httpd.Credential{Form: httpd.SeveralCredentials}) {
			t.Errorf("%q twice: %+v", value, two)
		}
	})
}
