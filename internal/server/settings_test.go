package server_test

import (
	"encoding/json"
	"iter"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestSettingsHoldNoSecret fills every setting that can hold a secret: what is
// shown of the settings holds none of them, and all that is none.
func TestSettingsHoldNoSecret(t *testing.T) {
	c := server.DefaultConfig()
	c.Server.TrustedProxies = []string{"10.0.0.0/8", "::1"}
	texts := 0
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		for i := range v.NumField() {
			f := v.Field(i)
			if _, ok := f.Interface().(secret.Text); ok {
				f.Set(reflect.ValueOf(secret.NewText("hunter2")))
				texts++
			} else if f.Kind() == reflect.Struct {
				fill(f)
			}
		}
	}
	fill(reflect.ValueOf(&c).Elem())
	if texts < 3 {
		t.Fatalf("%d secrets in the configuration", texts)
	}
	for _, dsn := range []string{
		"hunter2", "host=db password=hunter2", "postgres://hallpass:hunter2@db:5432/hallpass?sslmode=verify-full", "postgres://db/hallpass?user=a&password=hunter2&sslpassword=hunter2&service=hunter2",
		"postgres://hallpass:hunter2%20@[::1]/h?PassWord=hunter2", "postgres://hallpass:hunter2 @db/h", "postgres:hunter2", "postgres://:hunter2@db/", "postgres://a@db/#hunter2",
	} {
		c.Database.URL = secret.NewText(dsn)
		all := server.Settings(c)
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "hunter2") {
			t.Errorf("with the URL %s: %s", dsn, text)
		}
		if got := all["security"]["admin_password"]; got != "*********" {
			t.Errorf("the admin's password is shown as %q", got)
		}
	}
	c.Database.URL = secret.NewText("postgres://hallpass:hunter2@db:5432/hallpass?sslmode=verify-full")
	all := server.Settings(c)
	for key, want := range map[string]string{
		"database.url": "postgres://hallpass:*********@db:5432/hallpass?sslmode=verify-full", "database.type": "sqlite3", "server.trusted_proxies": "10.0.0.0/8,::1",
		"auth.basic.enabled": "true", "auth.token_cache_size": "262144", "service_accounts.token_expiration_day_limit": "0", "metrics.basic_auth_password": "*********",
	} {
		dot := strings.LastIndexByte(key, '.')
		if got := all[key[:dot]][key[dot+1:]]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if got := server.Settings(server.DefaultConfig())["security"]["admin_password"]; got != "" {
		t.Errorf("a password that is not set is shown as %q", got)
	}
}

// TestSecretsAreMarked walks through all settings: a text whose name is that of a secret
// has the type of secrets, which masks it and lets it be read from a file. A URL may hold a
// password: which do is said here.
func TestSecretsAreMarked(t *testing.T) {
	looksSecret := regexp.MustCompile(`(password|passphrase|secret|token|credentials?|dsn|key|url)$`)
	plain := map[string]string{
		"server.cert_key": "the name of a file", "server.root_url": "everybody knows it",
		"auth.generic_oauth.auth_url": "of the provider, who tells it to everybody", "auth.generic_oauth.token_url": "as before", "auth.generic_oauth.api_url": "as before",
		"auth.generic_oauth.jwk_set_url": "as before", "auth.generic_oauth.signout_redirect_url": "browsers are sent there",
	}
	secrets := 0
	var walk func(section string, v reflect.Type)
	walk = func(section string, v reflect.Type) {
		for f := range fields(v) {
			key := section + f.Tag.Get("toml")
			switch marked := f.Type == reflect.TypeFor[secret.Text](); {
			case marked:
				secrets++
				if plain[key] != "" {
					t.Errorf("%s is marked as a secret and listed as none", key)
				}
			case f.Type.Kind() == reflect.Struct:
				walk(key+".", f.Type)
			case f.Type.Kind() == reflect.String && looksSecret.MatchString(key) && plain[key] == "":
				t.Errorf("%s looks like a secret: give it the type secret.Text, or say here why it is none", key)
			}
			delete(plain, key)
		}
	}
	walk("", reflect.TypeFor[server.Config]())
	if secrets < 6 || len(plain) > 0 {
		t.Errorf("%d secrets; not found: %v", secrets, plain)
	}
}

// fields yields the fields of a section that a file can set.
func fields(section reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for i := range section.NumField() {
			if f := section.Field(i); f.Tag.Get("toml") != "" && f.Tag.Get("toml") != "-" && !yield(f) {
				return
			}
		}
	}
}
