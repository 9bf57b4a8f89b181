package console

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/node"
)

// This file is the table of words: what the console calls kinds of things, states,
// outcomes, levels and sources. What an action, an area and a set of permissions
// are called comes from the table of actions (hallpass.Actions).

// noun is what people call a kind of thing: one of it, and several.
type noun struct{ one, many string }

// Title is the heading over several things of the kind.
func (n noun) Title() string { return sentenceStart(n.many) }

// Of returns the form that goes with a number.
func (n noun) Of(number int) string {
	if number == 1 {
		return n.one
	}
	return n.many
}

var (
	nounUser       = noun{"user", "users"}
	nounMember     = noun{"member", "members"}
	nounAccount    = noun{"service account", "service accounts"}
	nounGuard      = noun{"guard", "guards"}
	nounToken      = noun{"token", "tokens"}
	nounTeam       = noun{"team", "teams"}
	nounOrg        = noun{"organization", "organizations"}
	nounRole       = noun{"role", "roles"}
	nounBasicRole  = noun{"basic role", "basic roles"}
	nounCustomRole = noun{"custom role", "custom roles"}
	nounFixedRole  = noun{"fixed role", "fixed roles"}
)

// roleNoun returns the noun for a role's kind.
func roleNoun(r hallpass.NamedRole) noun {
	switch {
	case r.Basic():
		return nounBasicRole
	case r.Fixed():
		return nounFixedRole
	}
	return nounCustomRole
}

// refNoun returns the noun for what a reference points to.
func refNoun(r admin.Ref, n admin.Name, text string) string {
	switch {
	case r.Kind == admin.RefOrg:
		return nounOrg.one
	case r.Kind != admin.RefPrincipal:
		return string(r.Kind)
	case n.Account || strings.HasPrefix(text, "serviceaccount"):
		return nounAccount.one
	}
	return nounUser.one
}

// granteeNouns are what forms call the kinds of grantee, in their order.
var granteeNouns = []struct {
	kind hallpass.GranteeKind
	noun string
}{
	{hallpass.ToPrincipal, "user or service account"}, {hallpass.ToTeam, nounTeam.one}, {hallpass.ToBasicRole, nounBasicRole.one},
}

// What a change goes from and to.
const (
	wordEnabled      = "enabled"
	wordDisabled     = "disabled"
	wordDeleted      = "deleted"
	wordRevoked      = "revoked"
	wordPermitted    = "permitted"
	wordNotPermitted = "not permitted"
	wordGiven        = "given"
	wordNotGiven     = "not given"
	wordNotMember    = "not a member"
	wordServerAdmin  = "server admin"
	wordUser         = "an ordinary user"
	wordSignedIn     = "signed in"
	wordSignedOut    = "signed out"
)

// badge is a state, as lists show it.
type badge struct {
	Text  string
	Class string // "good", "warn", "bad" or none
	Means string // what follows from the state; empty: nothing that needs saying
}

// tokenBadge shows the state of a token; used says whether it was ever used.
func tokenBadge(s hallpass.TokenState, used bool) badge {
	b := badge{Text: sentenceStart(s.Words())}
	switch {
	case s == hallpass.TokenLive && used:
		b.Class = "good"
	case s == hallpass.TokenLive: // nobody knows yet whether it works
	case s == hallpass.TokenOverlapping, s == hallpass.TokenPaused:
		b.Class = "warn"
	default:
		b.Class = "bad"
	}
	return b
}

// Labels that views of accounts and of tokens have in common. Those that are states of tokens
// are called as these.
const (
	labelEnding      = "Ends in 14 days"
	labelNeverEnding = "Never ends"
	labelStale       = "Unused for 90 days"
	labelUnused      = "Never used"
	labelUnowned     = "No owner"
)

// tokenViewLabels are what the list of tokens calls its views, apart from those that are
// states.
var tokenViewLabels = map[hallpass.TokenView]string{
	hallpass.CurrentTokens: "Current", hallpass.TriedTokens: "Tried in vain", hallpass.EndingTokens: labelEnding, hallpass.NeverEndingTokens: labelNeverEnding,
	hallpass.StaleTokens: labelStale, hallpass.UnusedTokens: labelUnused, hallpass.UnownedTokens: labelUnowned, hallpass.EndedTokens: "Ended",
}

// tokenViewLabel is what the list of tokens calls the view.
func tokenViewLabel(v hallpass.TokenView) string {
	if label := tokenViewLabels[v]; label != "" {
		return label
	}
	return sentenceStart(hallpass.TokenState(v).Word())
}

// tokenViewClass is the class of the count of a view that wants a look.
var tokenViewClass = map[hallpass.TokenView]string{hallpass.TriedTokens: "bad", hallpass.EndingTokens: "warn"}

// accountViewWords are what the list calls its views. class is that of a count that
// wants a look.
var accountViewWords = map[hallpass.AccountView]struct{ label, class string }{
	hallpass.AllAccounts:         {label: "All"},
	hallpass.FailingAccounts:     {"Failing", "bad"},
	hallpass.EndingAccounts:      {labelEnding, "warn"},
	hallpass.NeverEndingAccounts: {label: labelNeverEnding},
	hallpass.StaleAccounts:       {label: labelStale},
	hallpass.UnusedAccounts:      {label: labelUnused},
	hallpass.BlockedAccounts:     {label: sentenceStart(hallpass.TokenPaused.Word()) + " or " + hallpass.TokenBlocked.Word()},
	hallpass.UnownedAccounts:     {label: labelUnowned},
	hallpass.ExpiredAccounts:     {label: "With expired tokens"},
	hallpass.DisabledAccounts:    {label: wordDisabledTitle},
}

// userViewLabels are what the list calls its views.
var userViewLabels = map[hallpass.UserView]string{
	hallpass.AllUsers:      "All",
	hallpass.AdminUsers:    "Admins",
	hallpass.ServerAdmins:  "Server admins",
	hallpass.OutsideUsers:  "Company account",
	hallpass.NeverUsers:    "Never signed in",
	hallpass.IdleUsers:     "Not seen for 90 days",
	hallpass.DisabledUsers: wordDisabledTitle,
}

// wordDisabledTitle is the badge of an account that is disabled.
const wordDisabledTitle = "Disabled"

// tokensWords tells the tokens of an account by their states, and the class of their
// dot.
func tokensWords(s hallpass.ServiceAccountSummary) (words, class string) {
	var parts []string
	add := func(n int, word string) {
		if n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+word)
		}
	}
	live := s.LiveTokens - s.Paused
	switch {
	case s.Tokens == 0:
		return "No tokens", ""
	case s.Disabled:
		add(s.LiveTokens, hallpass.TokenBlocked.Word())
	default:
		add(live-s.Overlapping, hallpass.TokenLive.Word())
		add(s.Overlapping, hallpass.TokenOverlapping.Word())
		add(s.Paused, hallpass.TokenPaused.Word())
		if class = "warn"; live > 0 {
			class = "good"
		}
	}
	if s.LiveTokens == 0 {
		add(s.Tokens, "ended")
		class = ""
	}
	if add(s.Failing, "refused"); s.Failing > 0 {
		class = "bad"
	}
	return strings.Join(parts, ", "), class
}

// limitWords says what makes a token narrower than its account.
func limitWords(l hallpass.TokenLimits) (parts []string) {
	if l.ReadOnly {
		parts = append(parts, "read only")
	}
	if l.MaxRole != nil {
		parts = append(parts, "at most "+l.MaxRole.String())
	}
	if l.Permissions != nil {
		parts = append(parts, hallpass.Counted(len(l.Permissions), "permission"))
	}
	if n := len(l.Networks); n > 0 {
		parts = append(parts, hallpass.Counted(n, "network"))
	}
	if r := l.Rate; r.Requests > 0 {
		parts = append(parts, rateWords(r))
	}
	return parts
}

// rateWords tells a rate limit: "60 calls a minute".
func rateWords(r hallpass.RateLimit) string {
	every := map[time.Duration]string{time.Second: "a second", time.Minute: "a minute", time.Hour: "an hour", 24 * time.Hour: "a day"}[r.Every]
	if every == "" {
		every = "in " + secondsText(int64(r.Every/time.Second))
	}
	return hallpass.Counted(r.Requests, "call") + " " + every
}

// givenShort is what was given in addition to a role, for a narrow column: "2, access".
func givenShort(g hallpass.Given) string {
	var parts []string
	if g.MoreRoles > 0 {
		parts = append(parts, strconv.Itoa(g.MoreRoles))
	}
	if g.AccessGrants > 0 {
		parts = append(parts, "access")
	}
	return strings.Join(parts, ", ")
}

// nodeBadges show the states of nodes.
var nodeBadges = map[node.State]badge{
	node.Live:     {string(node.Live), "good", ""},
	node.Silent:   {string(node.Silent), "warn", "It may still answer from memory until its lease ends. A revocation waits that long."},
	node.Dead:     {string(node.Dead), "bad", "Its lease is over: it answers 503 until it reaches the database. No revocation waits for it."},
	node.Diverged: {string(node.Diverged), "bad", "The database holds an older history than this node applied. It answers 503."},
}

// outcomeBadges show the outcomes of audit entries.
var outcomeBadges = map[hallpass.AuditOutcome]badge{hallpass.Done: {Text: "Done"}, hallpass.Refused: {Text: "Refused", Class: "warn"}}

// actionLevel is a level of the matrix of roles and what it means.
type actionLevel struct{ Name, Means string }

// actionLevels explain the matrix of roles. Actions of other APIs have no level.
var actionLevels = []actionLevel{
	{hallpass.Reads.String(), "may look"},
	{hallpass.Changes.String(), "may change, add or delete"},
	{hallpass.Empowers.String(), "may also decide who may"},
	{"other APIs", "holds actions that only they know"},
}

// guardBadge shows whether a guard works.
func guardBadge(g hallpass.Guard) badge {
	if g.Suspended != "" {
		return badge{Text: "Refuses everything", Class: "bad"}
	}
	return badge{Text: "Guarding", Class: "good"}
}

// guardSource says where a guard is written down.
func guardSource(g hallpass.Guard) string {
	switch g.Manager() {
	case hallpass.ManagedByConfig:
		return "file " + g.Source
	case hallpass.ManagedByFile:
		return "provisioning file " + g.File
	}
	return "console and API"
}

// guardWarning says what is probably not meant, and where.
func guardWarning(w hallpass.GuardWarning) string {
	if w.Rule == 0 {
		return sentence(w.Message)
	}
	return "Rule " + strconv.Itoa(w.Rule) + ": " + sentence(w.Message)
}

// aboutGuard lists the settings of a guard that are not rules.
func aboutGuard(g hallpass.Guard) (list []field) {
	add := func(name, value string) {
		if value != "" {
			list = append(list, field{name, value})
		}
	}
	preset, _ := hallpass.GuardPresetByName(g.Preset)
	add("Preset", preset.DisplayName)
	add("Paths may hold", strings.Join(g.PathAllow, " and "))
	if g.AllowPreflight {
		add("Preflight", "passes without a token")
	}
	if g.JWT {
		add("Identity", "in headers, and as a signed token")
	}
	add("Listens on", g.Listen)
	return list
}

// needWords says what a rule needs, and the permission as the API writes it.
func needWords(n hallpass.Need) (words, code string) {
	switch n.Kind {
	case hallpass.NeedNothing:
		return "Nothing: public", ""
	case hallpass.NeedRole:
		return "At least the role " + n.Role.String(), ""
	case hallpass.NeedPermission:
		p := hallpass.Permission{Action: n.Action, Scope: hallpass.Scope(n.Scope)}
		return sentenceStart(p.Words(func(hallpass.Scope) string { return "" })), p.String()
	}
	return sentenceStart(n.String()), ""
}

// ruleEffect says what becomes of a request that the rule decides; nil: none does.
func ruleEffect(r *hallpass.CompiledRule) string {
	if r == nil {
		return passes(false, "")
	}
	words := "needs " + r.Need.String()
	switch {
	case r.Need.Kind == hallpass.NeedNothing:
		words = "passes without a token"
	case r.Need.Kind == hallpass.NeedRole && r.Need.Role == hallpass.RoleNone:
		words = "needs any good token"
	case r.Need.Kind == hallpass.NeedRole && r.Need.Role != hallpass.RoleAdmin:
		words += " or a higher one"
	}
	return strings.Join(append([]string{words}, ruleExtras(r.GuardRule)...), "; ")
}

// passes says what becomes of a request: what is said of it if it passes, or that it is
// refused.
func passes(does bool, says string) string {
	if does {
		return says
	}
	return "refused"
}

// upstreamWords says where the guard's built-in proxy sends requests.
func upstreamWords(g hallpass.Guard) string {
	if g.Upstream == "" {
		return "nowhere"
	}
	return g.Upstream
}

// refusedRequest says why a guard refused a request. The message of some refusals names
// what is missing; the others are told as everywhere.
func refusedRequest(r hallpass.GuardRefusal) string {
	switch r.Reason {
	case "guard.capture", "guard.permission", "guard.role", "guard.suspended":
		return sentence(r.Message)
	}
	return sentence(cmp.Or(refusals[r.Reason].why, r.Message))
}

// guardReason is why a guard refused, to be added to a sentence; a reason without words is
// told as it is.
func guardReason(reason string) string { return ": " + cmp.Or(refusals[reason].why, reason) }

// refusingRule names the rule with that number; 0 is for requests that no rule decided.
func refusingRule(number int) string {
	if number == 0 {
		return "the guard itself"
	}
	return "rule " + strconv.Itoa(number)
}

// reasonNoRule is the reason of a refusal because no rule matches the request.
const reasonNoRule = "guard.no-rule"

// guardAdvice says what to do about a refusal with that reason of a request for the target;
// empty: nothing is known.
func guardAdvice(reason, target string) string {
	if path, _, _ := strings.Cut(target, "?"); reason == "path-not-canonical" && strings.Contains(path, "://") {
		return "Write the path alone, as /api/v1/query: the request names a scheme and a host too."
	}
	return refusals[reason].advice
}

// ruleExtras says what a rule captures and which headers it sets.
func ruleExtras(r hallpass.GuardRule) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(r.Captures)) {
		list = append(list, "{"+name+"} is the "+strings.Replace(r.Captures[name], ":", " ", 1))
	}
	if r.Split != "" {
		list = append(list, "several values have "+r.Split+" between them, and each is needed")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Set)) {
		list = append(list, "sets "+name+" to "+r.Set[name])
	}
	return list
}

// trialVerdict is the heading of what a guard would say about a request.
func trialVerdict(err *hallpass.Error) string {
	if err == nil {
		return "Passes"
	}
	return "Refused, " + strconv.Itoa(httpd.Status(err))
}

// teamLevel is what a member of that level is in a team.
func teamLevel(l hallpass.Level) string { return strings.ToLower(string(l)) + " of the team" }

// actionText shows an action, and ForeignActions in words.
func actionText(a hallpass.Action) string {
	if a == hallpass.ForeignActions {
		return "any action outside Hallpass"
	}
	return string(a)
}

// areaOf returns the area that a permission belongs to, and what it permits in
// words.
func areaOf(p hallpass.Permission, name func(hallpass.Scope) string) (area, words string) {
	area = "Other APIs"
	if info, known := p.Action.Info(); known {
		area = string(info.Area)
	}
	return area, sentenceStart(p.Words(name))
}

// sourceWords says where a permission comes from.
func sourceWords(s admin.Source) string {
	name := s.Role
	switch {
	case strings.HasPrefix(s.RoleUID, "basic_"):
		return s.Through
	case strings.HasPrefix(name, "managed:"):
		name = "access given"
	case s.RoleUID != "":
		name = "role " + strings.TrimPrefix(name, "fixed:")
	}
	if s.Through == "itself" {
		return name
	}
	return name + ", through " + s.Through
}

// disabledWords stands before what an account can do, when the account is
// disabled.
func disabledWords(disabled bool) string {
	if disabled {
		return "The service account is disabled: its tokens are refused until it is enabled. Then: "
	}
	return ""
}

// errorWords replace messages that are worded for clients of the API, which know
// them from another product.
var errorWords = map[string]string{
	errGuardSeen.ID:           "Somebody changed the guard meanwhile. What you wrote is not saved yet: save again to see what it changes now.",
	"user.last-grafana-admin": "This is the last server admin. Make somebody else one first.",
}

// named puts a name in quotation marks, as sentences have it.
func named(name string) string { return "“" + name + "”" }

// sentence returns s with a capital at its beginning and a stop at its end.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func sentenceStart(s string) string { return strings.TrimSuffix(sentence(s), ".") }

// lowerFirst returns s with a small first letter, as inside a sentence.
func lowerFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(first)) + s[size:]
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
