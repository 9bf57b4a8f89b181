package hallpass

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Title returns what the notice tells in a few words, for the subject of a mail.
func (n Notice) Title() string {
	switch n.Kind {
	case NoticeExpiring:
		return n.token() + " ends " + n.left()
	case NoticeExpired:
		return n.token() + " has expired"
	case NoticeExpiredStillUsed:
		return n.token() + " has expired and is still used"
	case NoticeRotated:
		return n.token() + " is being replaced"
	case NoticeUndone:
		return n.token() + " is not replaced any more"
	case NoticeRetired:
		return n.token() + " was replaced and has ended"
	case NoticeReplacedUsed:
		return n.token() + " was replaced and is still used"
	case NoticePausedUsed:
		return n.token() + " is paused and is still used"
	case NoticeStale:
		return n.token() + " is not used any more"
	case NoticeNewPlace:
		return n.token() + " is used from a new place"
	case NoticePolicyChanged:
		return "the policy for tokens has changed"
	case NoticeTest:
		return "a test"
	}
	return string(n.Kind)
}

// token names the token.
func (n Notice) token() string { return "token " + strconv.Quote(n.Name) + " (…" + n.LastFour + ")" }

// left says when the token ends, as seen when the notice was written.
func (n Notice) left() string {
	left := n.ExpiresAt.Sub(n.At)
	if left < 48*time.Hour {
		return "in " + plural(int(left/time.Hour), "hour")
	}
	return "in " + plural(int(left/(24*time.Hour)), "day")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Text returns what the notice tells in a sentence or two. It is louder about a token
// that was used within the last day.
func (n Notice) Text() string {
	switch n.Kind {
	case NoticeTest:
		return "This is a test of this channel" + by(n.Actor) + ": it works."
	case NoticePolicyChanged:
		return "The policy for tokens was changed" + by(n.Actor) + because(n.Reason) + "."
	}
	text := strings.ToUpper(n.token()[:1]) + n.token()[1:] + " of the service account " + strconv.Quote(n.AccountName)
	switch n.Kind {
	case NoticeExpiring:
		text += " ends " + n.left() + ", at " + minute(n.ExpiresAt)
	case NoticeExpired:
		text += " has expired, at " + minute(n.ExpiresAt)
	case NoticeExpiredStillUsed:
		text += " has expired, at " + minute(n.ExpiresAt) + ", and is still tried" + n.From.by()
	case NoticeRotated:
		text += fmt.Sprintf(" is being replaced by the token %d%s%s", n.Successor, by(n.Actor), because(n.Reason))
		if n.State == TokenOverlapping {
			text += ". Until it ends both work"
		}
	case NoticeUndone:
		text += fmt.Sprintf(" is not replaced any more: the token %d, which replaced it, has ended%s%s", n.Successor, by(n.Actor), because(n.Reason))
	case NoticeRetired:
		text += fmt.Sprintf(" was replaced by the token %d and has ended%s%s", n.Successor, by(n.Actor), because(n.Reason))
	case NoticeReplacedUsed:
		text += " was replaced by another and has ended, and is still tried" + n.From.by()
	case NoticePausedUsed:
		text += " is paused, and is still tried" + n.From.by()
	case NoticeStale:
		text += " is not used any more" + because(n.Reason)
	case NoticeNewPlace:
		text += " was used from a new place" + n.From.by()
	default:
		text += ": " + string(n.Kind) + because(n.Reason)
	}
	return text + "." + n.loud()
}

// loud says what of a token in use somebody must hear before anything else.
func (n Notice) loud() string {
	switch n.Kind {
	case NoticeExpiring, NoticeExpired, NoticeRotated, NoticeRetired, NoticeStale:
	default:
		return ""
	}
	if !n.InUse() {
		return ""
	}
	ago := plural(int(n.At.Sub(n.LastUse.At)/time.Minute), "minute")
	if n.At.Sub(n.LastUse.At) >= 2*time.Hour {
		ago = plural(int(n.At.Sub(n.LastUse.At)/time.Hour), "hour")
	}
	from := From{Address: n.LastUse.Address, UserAgent: n.LastUse.UserAgent}
	is := "It is in use"
	if n.Kind == NoticeRetired || n.Kind == NoticeExpired {
		is = "It was in use"
	}
	return " " + is + ": last " + ago + " before this was written" + from.by() + "."
}

// by says who a request came from, "" if nobody knows.
func (f From) by() string {
	text := ""
	if f.Address != "" {
		text = " from " + f.Address
	}
	if f.UserAgent != "" {
		text += " with " + f.UserAgent
	}
	return text
}

func by(actor string) string {
	if actor == "" {
		return ""
	}
	return " by " + actor
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
