package wire

import "time"

// Guard is GET /api/guards/{guard} and a row of the list.
type Guard struct {
	ID          int64          `json:"id"`
	OrgID       int64          `json:"orgId"` // whose tokens it takes
	Name        string         `json:"name"`
	Upstream    string         `json:"upstream"` // "": other proxies alone send requests to the API
	Preset      string         `json:"preset"`   // its rules stand after Rules; "": none
	PathAllow   []string       `json:"pathAllow"`
	Preflight   string         `json:"preflight"`        // "refuse" or "allow"
	Timeout     string         `json:"timeout"`          // how long the API may take to begin its answer to the built-in proxy, as "1m0s"
	Listen      string         `json:"listen,omitempty"` // where the built-in proxy serves this API alone; only of a guard that is managed by "config"
	Identity    []string       `json:"identity"`         // "headers", and "jwt" if the API gets a signed token too
	Rules       []GuardRule    `json:"rules"`
	PresetRules []GuardRule    `json:"presetRules"`         // those of Preset, numbered on after Rules; read only
	ManagedBy   string         `json:"managedBy"`           // "api", "config" or "file"
	Source      string         `json:"source,omitempty"`    // the file of a guard that is managed by "config"
	Suspended   string         `json:"suspended,omitempty"` // why it refuses every request, and what to do; "": it does not
	Version     int64          `json:"version"`
	Created     time.Time      `json:"created"`
	Updated     time.Time      `json:"updated"`
	Warnings    []GuardWarning `json:"warnings"`
	Failing     *FailingAPI    `json:"failing,omitempty"` // in the answer of GET /api/guards/{guard} alone; absent: its API does not fail, or other proxies alone ask
}

// FailingAPI is how the API behind a guard answers the built-in proxy when it fails.
type FailingAPI struct {
	What    string    `json:"what"`    // in words
	Since   time.Time `json:"since"`   // when the first minute began in which it failed
	Last    time.Time `json:"last"`    // when the last one began
	Answers int64     `json:"answers"` // since then
	Failed  int64     `json:"failed"`  // of answers
}

// GuardRule is one rule of a guard. Exactly one of Public, Role and Action is there.
type GuardRule struct {
	Methods  []string          `json:"methods,omitempty"` // none: any; GET stands for HEAD too
	Path     string            `json:"path"`              // a pattern as net/http.ServeMux writes paths
	Public   bool              `json:"public,omitempty"`
	Role     string            `json:"role,omitempty"` // at least this basic role
	Action   string            `json:"action,omitempty"`
	Scope    string            `json:"scope,omitempty"`    // may hold captures, as "loki:tenants:{tenant}"
	Captures map[string]string `json:"captures,omitempty"` // name to "header:X-Scope-OrgID"
	Split    string            `json:"split,omitempty"`    // separates several values in one header
	Set      map[string]string `json:"set,omitempty"`      // headers that the API gets, name to text
}

// GuardWarning is something about a guard that is allowed and probably not meant.
type GuardWarning struct {
	Rule    int    `json:"rule"` // its number, from 1; 0: the guard as a whole
	Message string `json:"message"`
}

// Guards is GET /api/guards.
type Guards struct {
	TotalCount int     `json:"totalCount"`
	Guards     []Guard `json:"guards"`
	Page       int     `json:"page"`
	PerPage    int     `json:"perPage"`
}

// WriteGuard is POST /api/guards, and PUT /api/guards/{guard} with the version that is
// changed. PUT replaces the whole guard, and its name stays.
type WriteGuard struct {
	Name      string      `json:"name,omitempty"`
	Version   int64       `json:"version,omitempty"`
	Upstream  string      `json:"upstream"`
	Preset    string      `json:"preset"`
	PathAllow []string    `json:"pathAllow"`
	Preflight string      `json:"preflight"`         // "": "refuse"
	Timeout   string      `json:"timeout,omitempty"` // "": "1m0s"
	Identity  []string    `json:"identity"`          // none: "headers"
	Rules     []GuardRule `json:"rules"`
}

// TestGuard is POST /api/guards/{guard}/test: a request to the protected API, and who
// sends it: a token, a service account, or nobody.
type TestGuard struct {
	Method         string            `json:"method"`
	URI            string            `json:"uri"` // as the client sends it, with its query
	Headers        map[string]string `json:"headers,omitempty"`
	Token          string            `json:"token,omitempty"`          // it is neither stored nor logged, and this is no use of it
	ServiceAccount string            `json:"serviceAccount,omitempty"` // its id, uid or login
}

// GuardTest is the answer: what the guard would say, and why.
type GuardTest struct {
	Allowed       bool        `json:"allowed"`
	Status        int         `json:"status"`
	Reason        string      `json:"reason"` // as "guard.permission"; "" if it is allowed
	Message       string      `json:"message"`
	Rule          int         `json:"rule"`    // the number of the first rule that matches, from 1; 0: none
	Matches       string      `json:"matches"` // what that rule matches, as "GET /api/v1/query"
	Needs         *GuardNeed  `json:"needs"`   // what is missing, or else the first that is needed; null: nothing
	AllNeeds      []GuardNeed `json:"allNeeds"`
	CanonicalPath string      `json:"canonicalPath"` // "" if the path is not canonical
	Grants        []string    `json:"grants"`        // roles that hold what Needs says
	Account       string      `json:"account"`       // login of the account that was asked about; "": nobody
}

// GuardNeed is what a request needs: a role, or an action on a scope.
type GuardNeed struct {
	Role   string `json:"role,omitempty"`
	Action string `json:"action"`
	Scope  string `json:"scope"`
}

// GuardUsage is GET /api/guards/{guard}/usage.
type GuardUsage struct {
	Days     []GuardDay     `json:"days"`     // those with requests, oldest first
	Rules    []GuardCount   `json:"rules"`    // over all days, by rule and outcome
	Tokens   []GuardToken   `json:"tokens"`   // over all days, by token and outcome, the most first
	Refusals []GuardRefusal `json:"refusals"` // the last ones that this node saw, newest first
}

// GuardDay is how many requests a guard decided on one day, in UTC.
type GuardDay struct {
	Day     string `json:"day"` // as "2026-11-26"
	Allowed int64  `json:"allowed"`
	Refused int64  `json:"refused"`
}

// GuardCount counts the requests of one rule with one outcome.
type GuardCount struct {
	Rule    int    `json:"rule"` // 0: no rule matched
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
}

// GuardToken counts the requests of one token with one outcome.
type GuardToken struct {
	TokenID int64  `json:"tokenId"` // 0: none, an unknown one, or one of too many
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
}

// GuardRefusal is one request that a guard refused.
type GuardRefusal struct {
	Time    time.Time  `json:"time"`
	Method  string     `json:"method"`
	Host    string     `json:"host"` // "": the proxy did not tell it
	Path    string     `json:"path"` // as it was sent, without its query
	Status  int        `json:"status"`
	Reason  string     `json:"reason"`
	Message string     `json:"message"` // the reason in words
	Needs   *GuardNeed `json:"needs"`   // the permission that is missing; null: another reason
	Rule    int        `json:"rule"`
	Account string     `json:"account"`
	TokenID int64      `json:"tokenId"`
	Address string     `json:"address"`
}

// Introspection is POST /oauth2/introspect (RFC 7662, section 2.2). Of a token that is
// not good only Active is there.
type Introspection struct {
	Active    bool   `json:"active"`
	Subject   string `json:"sub,omitempty"`        // the account's login
	Username  string `json:"username,omitempty"`   // the account's name
	Scope     string `json:"scope,omitempty"`      // the actions that the account holds, with spaces between
	ExpiresAt int64  `json:"exp,omitempty"`        // seconds since 1970; none: it does not expire
	IssuedAt  int64  `json:"iat,omitempty"`        // seconds since 1970
	ClientID  string `json:"client_id,omitempty"`  // the account's id
	TokenType string `json:"token_type,omitempty"` // "Bearer"
	OrgID     int64  `json:"org_id,omitempty"`
	Role      string `json:"role,omitempty"` // the account's basic role
}
