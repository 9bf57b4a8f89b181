package server

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/secret"
)

// masked is shown in place of a secret.
const masked = "*********"

// Settings returns the values in effect, by section and key, as text without secrets.
func (c Config) Settings() map[string]map[string]string {
	all := make(map[string]map[string]string)
	var walk func(section string, v reflect.Value)
	walk = func(section string, v reflect.Value) {
		for i := range v.NumField() {
			key := v.Type().Field(i).Tag.Get("toml")
			if key == "" || key == "-" {
				continue
			}
			switch value := v.Field(i).Interface().(type) {
			case secret.Text:
				set(all, section, key, mask(key, value))
			case []int:
				set(all, section, key, strings.Trim(strings.ReplaceAll(fmt.Sprint(value), " ", ","), "[]"))
			case []string:
				set(all, section, key, strings.Join(value, ","))
			default:
				if v.Field(i).Kind() == reflect.Struct {
					walk(strings.TrimPrefix(section+"."+key, "."), v.Field(i))
					continue
				}
				set(all, section, key, fmt.Sprint(value))
			}
		}
	}
	walk("", reflect.ValueOf(c))
	return all
}

func set(all map[string]map[string]string, section, key, value string) {
	if all[section] == nil {
		all[section] = make(map[string]string)
	}
	all[section][key] = value
}

// mask returns what is shown of a secret: of a URL, all but its password.
func mask(key string, s secret.Text) string {
	if s.Empty() {
		return ""
	}
	u, err := url.Parse(s.Reveal())
	if key != "url" || err != nil || u.Host == "" || u.Opaque != "" {
		return masked
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if _, set := u.User.Password(); set {
		shown.User = url.UserPassword(u.User.Username(), masked)
	} else if u.User != nil {
		shown.User = url.User(u.User.Username())
	}
	query := u.Query()
	for name := range query {
		if name != "sslmode" {
			query.Set(name, masked) // a password has many names
		}
	}
	shown.RawQuery = query.Encode()
	return strings.ReplaceAll(shown.String(), url.QueryEscape(masked), masked)
}
