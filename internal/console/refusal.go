package console

import "encoding/json"

// refusal says why a token or a request was refused, as the end of a sentence, and what to
// do about it.
type refusal struct{ why, advice string }

// knownAddress is the first question about a try of a token that somebody ended: after a leak
// it may be the thief.
const knownAddress = "Do you know this address? If not, it may be somebody who stole the secret. If it is your own job, give it "

// refusals are the reasons of refusals of tokens and of guards, as the API writes them.
var refusals = map[string]refusal{
	"api-key.expired":                {"the token has expired", "Add a token to the service account, and give it to the job."},
	"api-key.invalid":                {"there is no such token", "Nobody has such a token: look whether the job sends the right one, whole."},
	"api-key.network":                {"the address is outside of the token's networks", "Call from one of its networks, or change them."},
	"api-key.organization-mismatch":  {"the request names another organization than the token's", "Leave X-Grafana-Org-Id out, or use a token of that organization."},
	"api-key.paused":                 {"the token is paused", "Resume it, or wait until its pause is over."},
	"api-key.rate-limited":           {"the token was used too often", "Call less often, or give the token a higher rate."},
	"api-key.revoked":                {"the token is revoked", knownAddress + "a new token."},
	"api-key.rotated":                {"another token replaced the token", knownAddress + "the newest secret."},
	"auth.busy":                      {"too many unknown tokens were being tried", "Try again shortly: the server found no time to look the token up."},
	"auth.unauthorized":              {"the request has no token, or one that is no good", "Send a token that is good, as Authorization: Bearer glsa_…"},
	"auth.view-too-old":              {"the server could not see whether the token is still good", "Try again shortly. If it goes on, look at the nodes and the database."},
	"guard.capture":                  {"a value of the request cannot stand in a scope", "Send one plain value there: the rule puts it into the scope that is asked for. If the client sends one, the proxy may not pass the header on: the file under Set up your proxy does."},
	"guard.failed":                   {"the server could not decide", "Try again. If it goes on, look at the server's log."},
	"guard.loop":                     {"the request has come through the guard already", "Set the guard's upstream to the API, not to Hallpass."},
	"guard.no-rule":                  {"no rule of the guard matches the request", "Add a rule for this request if it should pass."},
	"guard.no-upstream":              {"the guard has no upstream", "Name the guard's upstream, or send the request through your own proxy."},
	"guard.other-org":                {"the guard belongs to another organization than the token", "Use a token of the organization that the guard belongs to."},
	"guard.permission":               {"a permission is missing", "Ask somebody who may give roles in this organization: that takes users.roles:add."},
	"guard.role":                     {"a higher role is needed", "Ask somebody who may change the service account: that takes serviceaccounts:write and at least that role."},
	"guard.stopping":                 {"the server stops", "Try again."},
	"guard.suspended":                {"the guard refuses every request", "Look at the rules and save the guard again."},
	"guard.unknown":                  {"there is no guard of that name", "Look at the name in the proxy's configuration, or create the guard."},
	"guard.upstream-down":            {"the API behind the guard cannot be reached", "See whether the API runs, and whether the guard's upstream is right."},
	"guard.upstream-slow":            {"the API behind the guard did not answer in time", "Find out why the API is slow, or give the guard a longer timeout."},
	"identity.disabled":              {"the service account is disabled", "Enable the service account if it should go on."},
	"original-request-too-large":     {"the original request is too large", "Find out who sends so many headers; the client or the proxy can send fewer."},
	"original-request-unknown":       {"the proxy did not tell the original request", "Let the proxy tell the original request, and put its address into trusted_proxies: see “Set up your proxy”."},
	"path-not-canonical":             {"the path is not written plainly", "Write the path plainly, without .., // and encoded slashes. If the API needs %2f or ; in paths, the guard can allow them."},
	"request.authorization-repeated": {"the request has more than one Authorization header", "Send one Authorization header: find out who adds the second."},
	"request.body":                   {"the body of the request could not be read", "The client ended the request too early, or sent it badly: try again."},
	"request.method-not-allowed":     {"the method CONNECT asks for a tunnel, which no rule can guard", "Send the requests themselves: the guard is no forward proxy."},
	"user.sync.fetch":                {"the server could not look the token up", "Try again. If it goes on, look at the database and the server's log."},
}

// refusalWords say why a token was refused, by the reason of the refusal. The page's script
// shows them.
func refusalWords() (string, error) {
	words := make(map[string]string, len(refusals))
	for reason, r := range refusals {
		words[reason] = r.why
	}
	b, err := json.Marshal(words)
	return string(b), err
}
