//go:build !client && !windows

package main

import (
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/tomlfile"
)

// A reading is the settings as they were read, with where each is from.
type reading struct {
	config   server.Config
	origins  map[string]string // of each setting that a source has, by key: the file with the line, the variable or the flag
	warnings []string          // about what may be meant otherwise
	guards   map[string]any    // the tables of guards as the file has them, by name
}

// loadConfig returns the settings in effect.
func (p *program) loadConfig() (server.Config, error) {
	r, err := p.readConfig()
	return r.config, err
}

// readConfig reads the settings: first the defaults, then the file, the environment and
// the flags. Each source replaces what the sources before it set.
func (p *program) readConfig() (reading, error) {
	r := reading{config: server.DefaultConfig(), origins: make(map[string]string)}
	if p.flags.config != "" {
		if err := r.readFile(p.flags.config); err != nil {
			return r, err
		}
	}
	if err := r.readEnv(p.environ); err != nil {
		return r, err
	}
	if err := r.readFlags(p.flags); err != nil {
		return r, err
	}
	return r, r.locate(r.config.Validate())
}

func (r *reading) readFlags(f flags) error {
	if f.data != "" {
		r.config.DataDir = f.data
	}
	r.config.Dev = f.dev
	if f.listen == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(f.listen)
	if err != nil {
		return fmt.Errorf("--listen: %q is not an address and port like 127.0.0.1:3080", f.listen)
	}
	n, err := strconv.Atoi(port)
	if err != nil || !hallpass.ValidListenPort(port) {
		return fmt.Errorf("--listen: %q is not a port", port)
	}
	r.config.Server.HTTPAddr, r.config.Server.HTTPPort = host, n
	r.origins["server.http_addr"], r.origins["server.http_port"] = "--listen", "--listen"
	return nil
}

// locate puts before each error about a setting where its value is from: a file with the
// line, or a variable.
func (r *reading) locate(err error) error {
	if all, joined := err.(interface{ Unwrap() []error }); joined { // not errors.As, which would drop what wraps it
		var list []error
		for _, e := range all.Unwrap() {
			list = append(list, r.locate(e))
		}
		return errors.Join(list...)
	}
	if err == nil {
		return nil
	}
	if origin := r.originOf(err.Error()); origin != "" {
		return fmt.Errorf("%s: %w", origin, err)
	}
	return err
}

// originOf returns where the setting is from whose key begins the text; empty if none does,
// or it is a default.
func (r *reading) originOf(text string) string {
	key, _, _ := strings.Cut(text, ":")
	return r.origins[key]
}

// maxConfigFile is the largest file of settings, in bytes.
const maxConfigFile = 4 << 20

// readFile reads the settings of the file. It compares names with their case: if two
// spellings of a name were the same, one setting could be set twice, and nobody would
// notice which value applies.
func (r *reading) readFile(path string) error {
	text, _, err := plainfile.Read(path, maxConfigFile)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	var tree map[string]any
	meta, err := tomlfile.Decode(string(text), &tree)
	var parse toml.ParseError
	switch {
	case errors.As(err, &parse):
		return fmt.Errorf("%s:%d: %s", path, parse.Position.Line, tomlfile.SyntaxError(parse))
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	lines := tomlfile.FindLines(string(text))
	at := func(key string) string { return fmt.Sprintf("%s:%d", path, lines.Of(key)) }
	known := settings(&r.config)
	if err := validateKeys(tree, meta, known, at); err != nil {
		return err
	}
	var wrong []error
	for _, s := range known {
		value, ok := lookUp(tree, s.key)
		if !ok {
			continue
		}
		r.origins[s.key] = at(s.key)
		if err := tomlfile.Assign(s.value, value); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %s: %w", at(s.key), s.key, err))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	r.config.ConfigFile = path
	r.noteGuards(tree, at)
	r.warnSecrets(path, known)
	if r.config.Guards, err = readGuards(tree); err != nil {
		return fmt.Errorf("%s: %w", guardAt(path, lines, err), err)
	}
	return nil
}

// validateKeys returns an error for each key of a file that is neither a setting nor a
// section, with its line; of a section that is none, one error.
func validateKeys(tree map[string]any, meta toml.MetaData, known []setting, at func(key string) string) error {
	var wrong []error
	var section string // that is none
	for _, key := range meta.Keys() {
		name := key.String()
		if tomlfile.PartOfGuard(tree, key) || section != "" && strings.HasPrefix(name, section+".") {
			continue // readGuards looks at guards
		}
		if err := validateKey(name, meta.Type(key...), meta.Keys(), known); err != nil {
			wrong, section = append(wrong, fmt.Errorf("%s: %w", at(name), err)), name
		}
	}
	return errors.Join(wrong...)
}

// validateKey returns an error if a key of a file, with that kind of value, is neither
// a setting nor a section. The error suggests a name: for an unknown section the nearest
// section; for an unknown key the key of the same name in another section, else the
// nearest key of its own section.
func validateKey(name, kind string, all []toml.Key, known []setting) error {
	var sections, inside, elsewhere []string
	parent, last, _ := cutLast(name)
	for _, s := range known {
		section, key, _ := cutLast(s.key)
		switch {
		case s.key == name:
			return nil
		case strings.HasPrefix(s.key, name+"."):
			if kind != "Hash" {
				return fmt.Errorf("%s is a section: write [%s], and its keys below", name, name)
			}
			return nil
		}
		sections = append(sections, section)
		if section == parent {
			inside = append(inside, s.key)
		}
		if key == last {
			elsewhere = append(elsewhere, s.key)
		}
	}
	for _, other := range all {
		if o := other.String(); o != name && strings.EqualFold(o, name) {
			return fmt.Errorf("%s and %s are two spellings of one setting: keep %s", name, o, tomlfile.Nearest(name, append(keysOf(known), sections...)))
		}
	}
	for _, s := range known {
		if s.secret() && name == s.key+"_file" {
			return fmt.Errorf("unknown key %s: a file with the secret is named by the environment variable %s", name, s.fileEnv())
		}
	}
	switch {
	case kind == "Hash" || kind == "ArrayHash":
		return fmt.Errorf("unknown section [%s]: did you mean [%s]?", name, tomlfile.Nearest(name, sections))
	case otherKeys[name] != "":
		return fmt.Errorf("unknown key %s: did you mean %s?", name, otherKeys[name])
	case elsewhere != nil:
		inside = elsewhere
	case inside == nil:
		inside = keysOf(known)
	}
	return unknown("key", name, inside)
}

// unknown returns the error about a name that no setting has. It names the setting that is
// spelt almost so, or else all that there may be: a setting that is the nearest and not
// near would send people the wrong way.
func unknown(kind, name string, known []string) error {
	near := tomlfile.Nearest(name, known)
	_, last, _ := cutLast(name)
	if hallpass.Distance(strings.ToLower(name), strings.ToLower(near)) > max(3, len(last)/2) && len(known) > 1 {
		if len(known) > 20 {
			return fmt.Errorf("unknown %s %s: docs/configuration.md lists them all", kind, name)
		}
		return fmt.Errorf("unknown %s %s: there are %s", kind, name, strings.Join(known, ", "))
	}
	return fmt.Errorf("unknown %s %s: did you mean %s?", kind, name, near)
}

// otherKeys are names that people try, by the names of settings that mean the same.
var otherKeys = map[string]string{
	"listen": "server.http_addr and server.http_port", "server.listen": "server.http_addr and server.http_port", "server.listen_addr": "server.http_addr and server.http_port",
	"server.address": "server.http_addr", "server.addr": "server.http_addr", "server.host": "server.http_addr", "server.bind": "server.http_addr", "server.interface": "server.http_addr",
	"server.scheme": "server.protocol", "server.tls": "server.protocol", "server.https": "server.protocol", "server.unix_socket": "server.socket", "server.socket_path": "server.socket",
	"server.cert": "server.cert_file", "server.certificate": "server.cert_file", "server.tls_cert": "server.cert_file", "server.tls_cert_file": "server.cert_file",
	"server.key": "server.cert_key", "server.key_file": "server.cert_key", "server.tls_key": "server.cert_key", "server.tls_key_file": "server.cert_key", "server.client_ca": "server.client_ca_file",
	"port": "server.http_port", "server.port": "server.http_port", "http_port": "server.http_port", "http_addr": "server.http_addr",
	"metrics.listen": "metrics.http_addr and metrics.http_port", "metrics.port": "metrics.http_port", "metrics.address": "metrics.http_addr",
	"server.url": "server.root_url", "server.external_url": "server.root_url", "server.public_url": "server.root_url", "server.base_url": "server.root_url", "server.domain": "server.root_url",
	"server.sub_path": "server.serve_from_sub_path", "server.base_path": "server.root_url", "server.path_prefix": "server.root_url",
	"server.proxies": "server.trusted_proxies", "server.proxy": "server.trusted_proxies", "server.real_ip": "server.trusted_proxies",
	"data": "the flag --data", "data_dir": "the flag --data", "server.data": "the flag --data", "server.data_dir": "the flag --data", "paths.data": "the flag --data",
	"database.dsn": "database.url", "database.host": "database.url", "database.name": "database.url", "database.user": "database.url", "database.password": "database.url", "database.file": "database.path",
	"security.user": "security.admin_user", "security.password": "security.admin_password", "security.email": "security.admin_email",
	"service_accounts.grace": "service_accounts.rotation_grace", "service_accounts.max_ttl": "service_accounts.token_expiration_day_limit", "service_accounts.retention": "service_accounts.dead_token_retention",
	"log.verbosity": "log.level",
	"smtp.server":   "smtp.host", "smtp.address": "smtp.host", "smtp.port": "smtp.host", "smtp.username": "smtp.user", "smtp.from": "smtp.from_address", "smtp.tls": "smtp.startTLS_policy",
}

// variable returns the environment variable of a setting.
func variable(key string) string {
	return "HALLPASS_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// otherVariable returns what people mean by a variable that is one of otherKeys; empty if
// it is none.
func otherVariable(name string) string {
	for key, means := range otherKeys {
		if variable(key) != name {
			continue
		}
		if strings.HasPrefix(means, "the flag") {
			return means
		}
		var list []string
		for _, key := range strings.Split(means, " and ") {
			list = append(list, variable(key))
		}
		return strings.Join(list, " and ")
	}
	return ""
}

func keysOf(known []setting) []string {
	var names []string
	for _, s := range known {
		names = append(names, s.key)
	}
	return names
}

// cutLast splits a dotted name before its last part.
func cutLast(name string) (before, last string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// lookUp returns the value that the file has for a dotted name.
func lookUp(tree map[string]any, name string) (value any, ok bool) {
	value = tree
	for part := range strings.SplitSeq(name, ".") {
		table, _ := value.(map[string]any)
		if value, ok = table[part]; !ok {
			return nil, false
		}
	}
	return value, true
}

// setting is one leaf of the configuration.
type setting struct {
	key   string // as "auth.basic.enabled"
	env   string // as "HALLPASS_AUTH_BASIC_ENABLED"
	value reflect.Value
}

// secret reports whether the setting is one: its type is secret.Text, which also masks it
// wherever settings are shown.
func (s setting) secret() bool { return s.value.Type() == reflect.TypeFor[secret.Text]() }

// fileEnv is the variable that names a file with the secret.
func (s setting) fileEnv() string { return s.env + "_FILE" }

// settings lists every leaf of c that a file can set.
func settings(c *server.Config) []setting {
	var list []setting
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag.Get("toml")
			if tag == "" || tag == "-" {
				continue
			}
			key, field := prefix+tag, v.Field(i)
			if _, leaf := field.Addr().Interface().(encoding.TextUnmarshaler); field.Kind() == reflect.Struct && !leaf {
				walk(key+".", field)
				continue
			}
			list = append(list, setting{key, variable(key), field})
		}
	}
	walk("", reflect.ValueOf(c).Elem())
	return list
}

// ignoredEnv reports whether a variable with the prefix HALLPASS_ is not a setting: a
// variable of the tests, or one that Kubernetes sets for a service named hallpass.
func ignoredEnv(name string) bool {
	return strings.HasPrefix(name, "HALLPASS_TEST_") || name == "HALLPASS_SERVICE_HOST" ||
		strings.HasPrefix(name, "HALLPASS_SERVICE_PORT") || strings.HasPrefix(name, "HALLPASS_PORT")
}

// readEnv reads the settings of the environment, and secrets from the files that it names.
func (r *reading) readEnv(environ []string) error {
	environ = withCredentials(environ, settings(&r.config))
	byName, files := make(map[string]setting), make(map[string]setting)
	var names []string
	for _, s := range settings(&r.config) {
		byName[s.env] = s
		names = append(names, s.env)
		if s.secret() {
			files[s.fileEnv()] = s
			names = append(names, s.fileEnv())
		}
	}
	var wrong []error
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(strings.ToUpper(name), "HALLPASS_") || ignoredEnv(name) {
			continue
		}
		var err error
		if s, ok := byName[name]; ok {
			err = r.setFromEnv(s, value)
		} else if s, ok := files[name]; ok {
			err = r.setFromFile(s, value, environ)
		} else {
			err = unknownVariable(name, byName, names)
		}
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

func (r *reading) setFromEnv(s setting, value string) error {
	if err := tomlfile.Set(s.value, value); err != nil {
		return fmt.Errorf("%s: %w", s.env, err)
	}
	r.origins[s.key] = s.env
	return nil
}

// unknownVariable returns the error about a variable that is no setting.
func unknownVariable(name string, byName map[string]setting, names []string) error {
	if means := otherVariable(name); means != "" {
		return fmt.Errorf("unknown environment variable %s: did you mean %s?", name, means)
	}
	if of, ok := strings.CutSuffix(name, "_FILE"); ok && byName[of].env != "" {
		return fmt.Errorf("unknown environment variable %s: only secrets are read from files, and %s is none: set %s", name, byName[of].key, of)
	}
	return unknown("environment variable", name, names)
}

func levelOf(c server.Config) slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return slog.LevelInfo // never: Validate refused such a level
	}
	return level
}

// logger returns a log on stderr, with the level and the format of the settings.
func (p *program) logger(c server.Config) *slog.Logger {
	p.level.Set(levelOf(c))
	o := &slog.HandlerOptions{Level: &p.level}
	format := c.Log.Format
	if format == "" && isTerminal(p.stderr) {
		format = "text"
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(p.stderr, o))
	}
	return slog.New(slog.NewJSONHandler(p.stderr, o))
}
