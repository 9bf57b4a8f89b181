package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// errTokenArgument is the error about an argument that holds a token. It does not repeat
// it.
var errTokenArgument = errors.New("a token is never an argument: give the token on stdin, so that it does not get into the shell's history")

func holdsToken(word string) bool { return strings.Contains(word, secret.Prefix) }

// otherVerbs are the words that people try instead of the name of a command. The error
// about such a word names the command.
var otherVerbs = map[string][]string{
	"list":    {"ls", "all"},
	"get":     {"show", "info", "describe", "view", "cat"},
	"show":    {"get", "info", "describe", "view", "cat"},
	"create":  {"new", "add", "make", "issue", "generate"},
	"update":  {"edit", "set", "change", "rename", "patch", "modify"},
	"set":     {"edit", "update", "change"},
	"delete":  {"rm", "remove", "del", "revoke", "destroy", "kill"},
	"rotate":  {"roll", "renew", "replace", "reissue", "regenerate", "refresh", "cycle", "swap"},
	"retire":  {"end", "finish", "close", "expire"},
	"extend":  {"prolong", "grace"},
	"undo":    {"rollback", "back", "revert"},
	"watch":   {"follow", "tail", "status", "monitor"},
	"pause":   {"disable", "suspend", "stop", "freeze", "block"},
	"resume":  {"unpause", "enable", "unblock", "continue", "start"},
	"narrow":  {"limit", "restrict", "scope", "permissions", "networks", "rate"},
	"usage":   {"use", "uses", "used", "stats", "who"},
	"used":    {"usage", "unused", "uses"},
	"inspect": {"check", "verify", "parse"},
	"prune":   {"clean", "cleanup", "purge"},
	"snooze":  {"defer", "hide", "ignore", "mute", "ack"},
	"wake":    {"unsnooze", "unmute", "unhide"},
	"impact":  {"blast", "breaks", "affected"},
	"test":    {"try", "ping", "check", "send"},
	"preview": {"dry-run", "plan", "simulate"},
}

// otherFlags are the words that people try instead of the name of a flag.
var otherFlags = map[string][]string{
	"ttl":             {"expires", "expires-in", "expiration", "lifetime", "seconds-to-live", "duration"},
	"grace":           {"overlap", "grace-seconds", "for", "keep"},
	"quiet":           {"quiet-seconds", "idle"},
	"for":             {"duration", "ttl", "time", "until"},
	"output":          {"format"},
	"reason":          {"message", "comment", "why"},
	"network":         {"networks", "cidr", "ip", "address", "allow"},
	"permission":      {"permissions", "action", "scope"},
	"max-role":        {"role"},
	"rate":            {"rate-limit", "limit"},
	"read-only":       {"readonly", "ro"},
	"idempotency-key": {"key"},
	"yes":             {"force", "no-confirm"},
	"expires-within":  {"expires-before", "expiring", "expires"},
	"unused-for":      {"last-used-before", "idle", "stale"},
	"query":           {"name", "search", "filter"},
}

// Suggestions returns the commands below cmd that were most likely meant by a word that
// names none: what people call them, or what begins so, else what is spelt almost so. If
// there are none, it returns commands one floor below, as "token rotate".
func Suggestions(cmd *cobra.Command, typed string) (names []string) {
	typed = strings.ToLower(typed)
	var near, below []string
	for _, sub := range cmd.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		switch name := sub.Name(); {
		case slices.Contains(sub.SuggestFor, typed), len(typed) > 1 && strings.HasPrefix(name, typed):
			names = append(names, name)
		case hallpass.Distance(typed, name) <= min(2, len(typed)-2):
			near = append(near, name)
		}
		for _, verb := range sub.Commands() {
			if verb.Name() == typed {
				below = append(below, sub.Name()+" "+typed)
			}
		}
	}
	switch {
	case len(names) > 0:
		return names
	case len(near) > 0:
		return near
	case len(below) < 3: // of more, none is the likely one
		return below
	}
	return nil
}

// flagHint returns the flag of the command that an unknown one was meant for, as
// "--grace"; empty if none is like it.
func flagHint(cmd *cobra.Command, unknown string) string {
	best, least := "", 3 // a distance of three is another word
	if (unknown == "json" || unknown == "csv") && cmd.Flag("output") != nil {
		return "--output " + unknown
	}
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			distance := hallpass.Distance(unknown, f.Name)
			if slices.Contains(otherFlags[f.Name], unknown) {
				distance = 0
			}
			if distance < least && distance < len(f.Name) && !f.Hidden {
				best, least = "--"+f.Name, distance
			}
		})
	}
	return best
}

// nearestName returns the name that is most like the text, and none if none is.
func nearestName(text string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := hallpass.Distance(strings.ToLower(text), strings.ToLower(name)); d < least && d < len(text) {
			best, least = name, d
		}
	}
	return best
}

// orMeant adds the nearest of the names to an error about one that does not exist.
func orMeant(text, typed string, names []string) error {
	if near := nearestName(typed, names); near != "" {
		text += ": did you mean " + near + "?"
	}
	return errors.New(text)
}

// shellWord returns the text as a shell reads it as one word.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "-._:/@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// shellLine returns a command line of this program, for people who copy it.
func shellLine(words ...string) string {
	line := "hallpass"
	for _, w := range words {
		line += " " + shellWord(w)
	}
	return line
}
