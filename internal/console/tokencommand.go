package console

import (
	"fmt"
	"strings"
)

// command is a line for a shell that stores the secret of a token or proves it. It reads
// the secret from standard input, so that no history and no list of processes holds it.
type command struct {
	Key    string // names its field on the page
	Label  string // of its tab
	Text   string
	Help   string
	Chosen bool
}

// Lines returns how many lines the text has.
func (c command) Lines() int { return 1 + strings.Count(c.Text, "\n") }

// commands returns what can be done with the secret of a token of that name.
func (req *request) commands(token string) []command {
	variable, name := secretNames(token)
	in := func(format string, args ...any) string {
		return "( read -rs T && printf %s \"$T\" |\n  " + fmt.Sprintf(format, args...) + " )"
	}
	const paste = "Run it in bash or zsh, paste the token at the silent prompt, and press Enter. It stays out of your shell history."
	return []command{
		{Key: "curl", Label: "curl", Text: req.curl(), Help: paste, Chosen: true},
		{Key: "github", Label: "GitHub", Text: in("gh secret set %s --repo OWNER/REPO", variable), Help: paste + " Write your repository for OWNER/REPO."},
		{Key: "gitlab", Label: "GitLab", Text: in("glab variable set %s --masked --repo GROUP/PROJECT", variable), Help: paste + " Write your project for GROUP/PROJECT. For a variable that is there already, write update for set."},
		{
			Key: "kubernetes", Label: "Kubernetes", Help: paste + " A secret of this name that is there already gets the new token.",
			Text: in("kubectl create secret generic %s --from-file=token=/dev/stdin --dry-run=client -o yaml |\n  kubectl apply -f -", name),
		},
		{Key: "vault", Label: "Vault", Text: in("vault kv put -mount=secret %s token=-", name), Help: paste + " Write your mount for secret."},
		{
			Key: "env", Label: ".env", Help: paste + " A line for this name that is there already is replaced.",
			Text: fmt.Sprintf("( umask 077; read -rs T && { grep -v '^%[1]s=' .env 2>/dev/null; printf '%[1]s=%%s\\n' \"$T\"; } > .env.new &&\n  mv .env.new .env )", variable),
		},
	}
}

// secretNames returns the names that a secret store takes for the token: of a variable,
// and of an object of Kubernetes.
func secretNames(token string) (variable, object string) {
	words := strings.FieldsFunc(strings.ToLower(token), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	const longest = 60 // an object of Kubernetes may have 63 characters as part of a host's name
	object = strings.Join(words, "-")
	object = strings.Trim(object[:min(len(object), longest)], "-")
	if object == "" || object[0] <= '9' || strings.HasPrefix(object, "github") { // GitHub takes no such name
		object = strings.Trim("token-"+object, "-")
	}
	return strings.ToUpper(strings.ReplaceAll(object, "-", "_")), object
}
