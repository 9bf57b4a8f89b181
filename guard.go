package hallpass

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Guard protects one HTTP API: its rules say what each request to that API needs.
// A Guard is a plain value; copies share their slices and maps.
type Guard struct {
	ID             GuardID
	Org            OrgID       // whose tokens it takes
	Name           string      // unique on the server: it stands in URLs
	Upstream       string      // the API's URL, for the built-in proxy; "": other proxies alone send requests there
	Rules          []GuardRule // in order: the first that matches decides
	Preset         string      // the name of a GuardPreset whose rules follow the guard's own; "": none
	PathAllow      []string    // of PathSpellings: what paths may hold although two parsers may read it differently
	AllowPreflight bool        // whether a browser's preflight passes without a token
	JWT            bool        // whether the API gets the caller as a signed token too
	// Listen is the address, as 127.0.0.1:9091, where the built-in proxy serves the API
	// and nothing else; "": nowhere. Only a guard that is ManagedByConfig has one.
	Listen string
	// Timeout is how long the API may take to begin its answer to the built-in proxy;
	// 0: DefaultGuardTimeout.
	Timeout   time.Duration
	ManagedBy GuardManager
	Source    string // the file of a guard that is ManagedByConfig
	File      string // the provisioning file that declares it; empty: none does
	Version   int64  // counts the changes, from 1
	Suspended GuardSuspension
	CreatedAt time.Time
	UpdatedAt time.Time
}

// GuardManager says where a guard is written down.
type GuardManager string

// Where a guard may be written down.
const (
	ManagedByAPI    GuardManager = "api"
	ManagedByConfig GuardManager = "config" // changed in the configuration file, and nowhere else
	ManagedByFile   GuardManager = "file"   // likewise in the provisioning file of File; never stored
)

// GuardSuspension says why a guard refuses every request until somebody saves it
// again; "": it does not.
type GuardSuspension string

// Why a guard may be suspended.
const (
	// SuspendedOlder: the database came back older, and the guard had been changed or
	// deleted since.
	SuspendedOlder GuardSuspension = "older-copy"
	// SuspendedUnreadable: what is stored of its rules cannot be read or compiled.
	SuspendedUnreadable GuardSuspension = "unreadable"
	// SuspendedUndeclared: a provisioning file declared the guard, and no file does any more.
	SuspendedUndeclared GuardSuspension = "undeclared"
)

// Words says why the guard refuses, and what to do about it.
func (s GuardSuspension) Words() string {
	switch s {
	case "":
		return ""
	case SuspendedUndeclared:
		return "no provisioning file declares it any more: look at its rules and save it again, or delete it"
	case SuspendedOlder:
		return "the database came back older, and the guard had been changed or deleted since then: look at its rules and save it again, or delete it"
	}
	return "its stored rules cannot be read by this version of Hallpass: save it again with rules that can be"
}

// SuspendedError returns the Denied error with which the guard refuses every request,
// because it is suspended or its rules do not compile.
func (g Guard) SuspendedError() *Error {
	why := g.Suspended
	if why == "" {
		why = SuspendedUnreadable
	}
	return &Error{Kind: Denied, ID: "guard.suspended", Message: "The guard " + g.Name + " refuses every request: " + why.Words()}
}

// Manager returns where the guard is changed.
func (g Guard) Manager() GuardManager {
	if g.File != "" {
		return ManagedByFile
	}
	return g.ManagedBy
}

// LockedError returns the Conflict that names the file in which the guard can be changed;
// nil: it can be changed everywhere.
func (g Guard) LockedError() error {
	if g.File != "" {
		return Provisioned{Section: string(DeclaredGuard) + "." + g.Name, File: g.File}.LockedError()
	}
	if g.ManagedBy != ManagedByConfig {
		return nil
	}
	return &Error{Kind: Conflict, ID: "guard.managed", Message: "The guard " + g.Name + " is written down in the configuration file " + g.Source + ": change it there"}
}

// A GuardRule says what one kind of request needs: nothing, a basic role or a permission.
type GuardRule struct {
	Methods  []string          // compared exactly; none: any. GET stands for HEAD too
	Path     string            // a pattern as net/http.ServeMux writes paths
	Need     Need              // what the request needs
	Captures map[string]string // values for Scope and Set that come from a header: name to "header:X-Scope-OrgID"
	Split    string            // separates several values in one header, as "|"; "": such a header is refused
	Set      map[string]string // headers that the API gets: name to a text that may hold captures
}

// NeedKind says which kind of thing a rule asks for. The zero value asks for what
// nobody has.
type NeedKind uint8

// The kinds of need.
const (
	NeedUnknown    NeedKind = iota
	NeedNothing             // the request is public
	NeedRole                // a token whose account has at least a basic role
	NeedPermission          // a token whose account holds a permission
)

// A Need is what a request must have to pass. The zero Need lets nothing pass.
type Need struct {
	Kind   NeedKind
	Role   Role   // of NeedRole: at least this
	Action Action // of NeedPermission
	Scope  string // of NeedPermission; may hold captures, as "loki:tenants:{tenant}"
}

// String says what is needed, as "the role Viewer" or "the permission loki:read".
func (n Need) String() string {
	switch n.Kind {
	case NeedNothing:
		return "nothing"
	case NeedRole:
		return "the role " + n.Role.String()
	case NeedPermission:
		return "the permission " + Permission{n.Action, Scope(n.Scope)}.String()
	}
	return "what nobody has"
}

// HasCaptures reports whether only a request tells on which scope n asks for its action.
func (n Need) HasCaptures() bool { return strings.Contains(n.Scope, "{") }

// Bounds on a guard.
const (
	MaxGuardName    = 40
	MaxGuardRules   = 500
	maxRuleMethods  = 20
	maxRuleCaptures = 8
	maxRuleSet      = 16
	maxUpstream     = 500

	DefaultGuardTimeout = time.Minute
	MaxGuardTimeout     = time.Hour
	minGuardTimeout     = time.Millisecond
)

// ValidGuardName reports whether s can name a guard: a small letter or digit, then
// small letters, digits and dashes, MaxGuardName characters at most.
func ValidGuardName(s string) bool {
	if s == "" || len(s) > MaxGuardName || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// Scope returns the scope of the guard.
func (g Guard) Scope() Scope { return Scope("guards:uid:" + g.Name) }

// AllRules returns the guard's own rules and, after them, those of its preset. A
// rule's number is its place in this list, from 1.
func (g Guard) AllRules() []GuardRule {
	preset, _ := GuardPresetByName(g.Preset)
	return append(slices.Clone(g.Rules), preset.Rules...)
}

// Headers returns the headers of a client's request that rules read, and those that the
// API gets by rules, each once and spelled as in the first rule that names it.
func (g Guard) Headers() (reads, sets []string) {
	add := func(list []string, name string) []string {
		if slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, name) }) {
			return list
		}
		return append(list, name)
	}
	for _, r := range g.AllRules() {
		for _, capture := range slices.Sorted(maps.Keys(r.Captures)) {
			reads = add(reads, strings.TrimPrefix(r.Captures[capture], headerSource))
		}
		for _, name := range slices.Sorted(maps.Keys(r.Set)) {
			sets = add(sets, name)
		}
	}
	return reads, sets
}

// Validate returns an Invalid error that names the field that breaks a rule.
func (g Guard) Validate() error {
	if !ValidGuardName(g.Name) {
		return Invalidf("name", "The name of a guard has small letters, digits and dashes, begins with no dash, and is at most %d characters long", MaxGuardName)
	}
	if err := ValidateUpstream(g.Upstream); err != nil {
		return err
	}
	if err := g.validateProxy(); err != nil {
		return err
	}
	if _, known := GuardPresetByName(g.Preset); g.Preset != "" && !known {
		return Invalidf("preset", "There is no preset %q. The presets are %s", g.Preset, strings.Join(GuardPresetNames(), ", "))
	}
	for _, s := range g.PathAllow {
		if !slices.Contains(PathSpellings(), s) {
			return Invalidf("pathAllow", "%q cannot be allowed in a path. What can be is %s", s, strings.Join(PathSpellings(), " and "))
		}
	}
	if len(g.Rules) > MaxGuardRules {
		return Invalidf("rules", "A guard has at most %d rules", MaxGuardRules)
	}
	_, err := NewRuleset(g)
	return err
}

// validateProxy returns an Invalid error for settings that the built-in proxy cannot
// work with.
func (g Guard) validateProxy() error {
	if g.Timeout != 0 && (g.Timeout < minGuardTimeout || g.Timeout > MaxGuardTimeout) {
		return Invalidf("timeout", "The timeout is a duration from %s to %s", minGuardTimeout, MaxGuardTimeout)
	}
	if g.Listen == "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(g.Listen); err != nil || !ValidListenPort(port) {
		return Invalidf("listen", "%q is no address to listen on, such as 127.0.0.1:9091", g.Listen)
	}
	if g.Upstream == "" {
		return Invalidf("listen", "The guard listens and has no upstream to send requests to")
	}
	return nil
}

// ValidateUpstream returns an Invalid error unless s is empty or the URL of an HTTP
// API: a scheme, a host and perhaps a path, nothing more.
func ValidateUpstream(s string) error {
	if s == "" {
		return nil
	}
	if len(s) > maxUpstream {
		return tooLong("upstream", maxUpstream)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return Invalidf("upstream", "The upstream is a URL such as http://127.0.0.1:9090")
	case !ValidPort(u.Port()):
		return Invalidf("upstream", "The upstream has the port %s: a port is a number from 1 to 65535", u.Port())
	case u.User != nil:
		return Invalidf("upstream", "The upstream holds a user name or password: those are stored and shown, so they belong elsewhere")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return Invalidf("upstream", "The upstream has a query or a fragment: it ends with its path")
	}
	return ValidateNoToken("upstream", s)
}
