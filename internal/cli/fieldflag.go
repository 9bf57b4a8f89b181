package cli

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// fieldFlags are the flags that set the fields of the API. Of a command that does not
// have the flag the field is not one that somebody typed.
var fieldFlags = map[string]string{
	"secondsToLive": "ttl", "SecondsToLive": "ttl", "graceSeconds": "grace", "quietSeconds": "quiet", "pausedFor": "for", "pauseReason": "reason", "reason": "reason",
	"name": "name", "owner": "owner", "purpose": "purpose", "role": "role", "isDisabled": "disabled", "disabled": "disabled", "email": "email",
	"readOnly": "read-only", "maxRole": "max-role", "permissions": "permission", "networks": "network", "rateLimit": "rate", "selfRotate": "self-rotate", "renewUntil": "self-rotate",
	"staleAfterDays": "stale-after", "warnDays": "warn", "pause": "pause", "deleteAfterPausedDays": "revoke-after", "exempt": "exempt", "days": "days",
	"type": "type", "url": "url", "signature": "signature", "addresses": "address", "events": "event",
	"expiresBefore": "expires-within", "lastUsedBefore": "unused-for", "lastFour": "last-four", "q": "query", "sort": "sort", "state": "state",
	"description": "description", "displayName": "display-name", "group": "group", "uid": "uid",
}

// fieldUnits write the numbers of fields as their flags take them.
var fieldUnits = map[string]func(int64) string{
	"secondsToLive": spanText, "graceSeconds": spanText, "quietSeconds": spanText, "pausedFor": spanText,
	"staleAfterDays": func(n int64) string { return number(n) + "d" }, "deleteAfterPausedDays": func(n int64) string { return number(n) + "d" },
}

var (
	firstField = regexp.MustCompile(`^([A-Za-z]+)\b(?:\[(\d+)\])?(?:\.([a-z]+)\b)?`)
	innerField = regexp.MustCompile(`\b[a-z]+(?:[A-Z][a-z]*)+\b|\bSecondsToLive\b`)
	fieldLimit = regexp.MustCompile(`\b(from|to|between|and|at least|is|the) (\d+)(?: seconds)?\b`)
)

// inFlags returns a text of the server about the input with the flags of the command in
// the place of the fields of the API.
func inFlags(text string, cmd *cobra.Command) string {
	text = strings.Replace(text, "Number of seconds before expiration", "secondsToLive", 1) // as Grafana says it
	flagOf := func(field string) *pflag.Flag {
		f := cmd.Flags().Lookup(fieldFlags[field])
		if f != nil && !f.Changed && cmd.Flags().Changed("file") {
			return nil // the file has the field
		}
		return f
	}
	if m := firstField.FindStringSubmatch(text); m != nil && flagOf(m[1]) != nil {
		about, rest := flagValue(flagOf(m[1]), m[2]), text[len(m[0]):]
		if m[3] != "" { // a part of the value
			about += ": " + m[3]
		}
		if unit := fieldUnits[m[1]]; unit != nil {
			rest = inUnits(rest, unit)
		}
		text = about + rest
	}
	return innerField.ReplaceAllStringFunc(text, func(field string) string {
		if f := flagOf(field); f != nil {
			return "--" + f.Name
		}
		return field
	})
}

// flagValue names a flag, with the value at the index if it takes several.
func flagValue(f *pflag.Flag, index string) string {
	list, several := f.Value.(pflag.SliceValue)
	if i, err := strconv.Atoi(index); err == nil && several && i < len(list.GetSlice()) {
		return "--" + f.Name + " " + list.GetSlice()[i]
	}
	return "--" + f.Name
}

// inUnits writes the limits that a text names as a flag takes them.
func inUnits(text string, unit func(int64) string) string {
	return fieldLimit.ReplaceAllStringFunc(text, func(limit string) string {
		m := fieldLimit.FindStringSubmatch(limit)
		n, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			return limit
		}
		return m[1] + " " + unit(n)
	})
}
