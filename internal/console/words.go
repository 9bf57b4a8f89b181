package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

const (
	textServiceAccounts = "Use service accounts to run automated workloads."
	textAudit           = "Who changed what, who signed in, and what was refused."
	textAccess          = "Configure access for individual users, teams, and service accounts."
	textUsers           = "People who sign in, their role, and their sessions."
	textTeams           = "Groups of people and accounts that share roles and access."
	textRoles           = "What each role permits, and roles of your own."
	textOrgs            = "Each with its own members, accounts, teams and folders."
	textFolders         = "What is kept here for dashboard tools, and who may use it."
)

// roleKind names the kinds of role, as headings do.
func roleKind(r hallpass.NamedRole) string {
	switch {
	case r.Basic():
		return "Basic roles"
	case r.Fixed():
		return "Fixed roles"
	}
	return "Custom roles"
}

// levelNames are the words of the matrix.
var levelNames = map[hallpass.ActionLevel]string{hallpass.LooksAt: "read", hallpass.Changes: "write", hallpass.Empowers: "admin"}

// actionText shows an action; the one that stands for all foreign ones in words.
func actionText(a hallpass.Action) string {
	if a == hallpass.ForeignActions {
		return "any action outside Hallpass"
	}
	return string(a)
}

// kindWords is what people call things of that kind.
func kindWords(r admin.Ref, n admin.Name, text string) string {
	switch {
	case r.Kind == admin.RefOrg:
		return "organization"
	case r.Kind != admin.RefPrincipal:
		return string(r.Kind)
	case n.Account || strings.HasPrefix(text, "serviceaccount"):
		return "service account"
	}
	return "user"
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

// otherAPIs is the area of what only other APIs know.
const otherAPIs = "Other APIs"

// areaOf returns the area that a permission belongs to, and what it lets one do
// in words.
func areaOf(p hallpass.Permission, name func(hallpass.Scope) string) (area, words string) {
	area = otherAPIs
	if info, known := p.Action.Info(); known {
		area = string(info.Area)
	}
	return area, sentenceStart(p.Words(name))
}

// teamLevelText says what a member is in the team.
func teamLevelText(admin bool) string {
	if admin {
		return "admin of the team"
	}
	return "member of the team"
}

// stateMeans says in words what can be relied on.
var stateMeans = map[verify.NodeState]string{
	verify.NodeLive:     "",
	verify.NodeSilent:   "It may still answer from memory until its lease ends. A revocation waits that long.",
	verify.NodeDead:     "Its lease is over: it answers 503 until it reaches the database. No revocation waits for it.",
	verify.NodeDiverged: "The database holds an older history than this node applied. It answers 503.",
}

// disabledWords says before what an account can do that it can do none of it now.
func disabledWords(disabled bool) string {
	if disabled {
		return "The service account is disabled: its tokens are refused until it is enabled. Then: "
	}
	return ""
}

// errorWords are said in the place of messages whose words are another product's,
// which clients of the API know.
var errorWords = map[string]string{
	"user.last-grafana-admin": "This is the last server admin. Make somebody else one first.",
}

// enumerate joins names as a sentence does.
func enumerate(names []string) string { return hallpass.Enumerate(names) }

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

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// roughly returns a length of time in its greatest unit. A day that lacks less
// than an hour is a day: what was just given 30 days lasts 30.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return count(int(d/time.Hour), "hour")
	case d < 365*24*time.Hour:
		return count(int((d+time.Hour)/(24*time.Hour)), "day")
	case d < 2*365*24*time.Hour:
		return count(int(d/(30*24*time.Hour)), "month")
	}
	return count(int(d/(365*24*time.Hour)), "year")
}

// secondsText returns a number of seconds in words.
func secondsText(seconds int64) string {
	for _, unit := range []struct {
		seconds int64
		noun    string
	}{{daySeconds, "day"}, {60 * 60, "hour"}, {60, "minute"}} {
		if seconds%unit.seconds == 0 {
			return count(int(seconds/unit.seconds), unit.noun)
		}
	}
	return count(int(seconds), "second")
}

// durationText writes a short time as people read it.
func durationText(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
