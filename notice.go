package hallpass

import (
	"slices"
	"time"
)

// A NoticeKind says what a notice tells. Its text is the type of the message that
// webhooks get, in the form of Standard Webhooks.
type NoticeKind string

// The kinds of notices. What their marks are, by which a notice is told once and no
// second time, stands beside them.
const (
	NoticeExpiring         NoticeKind = "token.expiring"            // a token ends within some days; mark: the days
	NoticeExpired          NoticeKind = "token.expired"             // a token's time is over
	NoticeExpiredStillUsed NoticeKind = "token.expired_still_used"  // somebody tries a token whose time is over
	NoticeRotated          NoticeKind = "token.rotated"             // another token replaces it; mark: its successor
	NoticeUndone           NoticeKind = "token.rotation_undone"     // a replacement was taken back; mark: the successor that ended
	NoticeRetired          NoticeKind = "token.retired"             // a token that was replaced has ended; mark: its successor
	NoticeReplacedUsed     NoticeKind = "token.replaced_still_used" // somebody tries a token that was replaced; mark: the hour
	NoticePausedUsed       NoticeKind = "token.paused_still_used"   // somebody tries a token that is paused; mark: since when it is
	NoticeStale            NoticeKind = "token.stale"               // nobody uses a token, and the org's policy pauses or ends it; mark: the step
	NoticeNewPlace         NoticeKind = "token.new_place"           // a token was used from where it never was; mark: the place
	NoticePolicyChanged    NoticeKind = "policy.changed"            // the org's policy for tokens changed; mark: when
	NoticeTest             NoticeKind = "channel.test"              // somebody tries a channel; mark: when
)

// NoticeKinds lists the kinds that a channel can be asked to take. Every channel takes
// its tests.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{
		NoticeExpiring, NoticeExpired, NoticeExpiredStillUsed, NoticeRotated, NoticeUndone, NoticeRetired, NoticeReplacedUsed,
		NoticePausedUsed, NoticeStale, NoticeNewPlace, NoticePolicyChanged,
	}
}

// DefaultNoticeKinds lists the kinds that a channel takes if it is not told which: all
// but new places, of which a token that runs in many has too many.
func DefaultNoticeKinds() []NoticeKind {
	return slices.DeleteFunc(NoticeKinds(), func(k NoticeKind) bool { return k == NoticeNewPlace })
}

// A Notice tells people and programs what happened to a token, or will. It is told
// once to each channel of its org: two notices with the same Org, Kind, Token and Mark
// are one. It holds no secret.
//
// TokenNotice makes one. Zero values are left out of what is told. A Notice is a plain
// value.
type Notice struct {
	Kind NoticeKind
	Org  OrgID
	At   time.Time // when it was written
	Mark string    // tells notices of one kind about one token apart; at most 200 bytes

	Token      TokenID // zero: it is about no token
	Name       string  // of the token
	LastFour   string
	Generation int
	State      TokenState
	ExpiresAt  time.Time
	LastUse    Use

	Account      ServiceAccountID
	AccountName  string
	AccountLogin string
	Owner        string // the token's, or else the account's
	Purpose      string // likewise

	Days      int     // of NoticeExpiring: within how many days it ends
	Successor TokenID // the token that replaces it
	Actor     string  // login of who did it; empty: the server did
	Reason    string  // why, in words
	From      From    // of a try or a new place: where it came from
}

// TokenNotice returns a notice of the kind about the token of the account, as both are
// at the time. Mark, and what the kind needs beside it, the caller sets.
func TokenNotice(kind NoticeKind, t Token, account ServiceAccount, at time.Time) Notice {
	n := Notice{
		Kind: kind, Org: t.Org, At: at, Token: t.ID, Name: t.Name, LastFour: t.LastFour, Generation: max(t.Rotation.Generation, 1),
		State: t.State(at, account.Disabled), ExpiresAt: t.ExpiresAt, LastUse: t.LastUse, Successor: t.Rotation.Successor,
		Account: account.ID, AccountName: account.Name, AccountLogin: account.Login, Owner: t.Owner, Purpose: t.Purpose,
	}
	if n.Owner == "" {
		n.Owner = account.Owner
	}
	if n.Purpose == "" {
		n.Purpose = account.Purpose
	}
	return n
}

// InUse reports whether the token was used within the 24 hours before the notice: what
// the notice tells most likely stops something that runs.
func (n Notice) InUse() bool { return Token{LastUse: n.LastUse}.InUse(n.At) }

// maxNoticeText is the longest text of a notice, in bytes: all of them together are
// less than a receiver of webhooks takes.
const maxNoticeText = 1000

// Clean returns the notice with every text cleaned: strangers choose the client and the
// address of a try.
func (n Notice) Clean() Notice {
	for _, text := range []*string{
		&n.Name, &n.AccountName, &n.AccountLogin, &n.Owner, &n.Purpose, &n.Actor, &n.Reason,
		&n.From.Address, &n.From.UserAgent, &n.LastUse.Address, &n.LastUse.UserAgent,
	} {
		*text = Clean(*text, maxNoticeText)
	}
	return n
}

// A NoticeState says how far a notice has come on its way to one channel.
type NoticeState string

// The states of a notice on its way.
const (
	NoticeDue  NoticeState = "due"  // it is to be sent, or sent again
	NoticeSent NoticeState = "sent" // the receiver took it
	NoticeDead NoticeState = "dead" // no try succeeded, and there is none any more
)

// NoticeStates lists the states.
func NoticeStates() []NoticeState { return []NoticeState{NoticeDue, NoticeSent, NoticeDead} }

// A Delivery is one notice on its way to one channel.
type Delivery struct {
	ID        NoticeID
	Channel   ChannelID
	Recipient string // of mail: the address; else empty
	Notice    Notice
	State     NoticeState
	Attempts  int       // that were made
	NextAt    time.Time // when it is tried next, while it is due
	LastError string    // why the last attempt failed
	CreatedAt time.Time // when the notice was written
	QueuedAt  time.Time // when it was last put on its way: at CreatedAt, or when somebody asked for another try
	SentAt    time.Time
}
