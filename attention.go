package hallpass

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An AttentionSection is a kind of thing that somebody should do something about.
type AttentionSection string

// The sections, the most urgent first.
const (
	AttentionFailing    AttentionSection = "failing"     // somebody tries a token that is refused
	AttentionAPIs       AttentionSection = "apis"        // the API behind a guard answers with errors
	AttentionExpiring   AttentionSection = "expiring"    // a token ends soon, and none replaces it
	AttentionOverlaps   AttentionSection = "overlaps"    // a token that is being replaced needs a decision
	AttentionNeverUsed  AttentionSection = "never-used"  // nobody has used a token since it was made
	AttentionIdle       AttentionSection = "idle"        // nobody uses a token any more
	AttentionNeverEnds  AttentionSection = "never-ends"  // a token does not expire
	AttentionAboveLimit AttentionSection = "above-limit" // a token ends later than one that is made now may
	AttentionNoOwner    AttentionSection = "no-owner"    // nobody answers for an account that has tokens
	AttentionMorePower  AttentionSection = "more-power"  // an account may do more than it does
	AttentionChannels   AttentionSection = "channels"    // a channel of notices does not work
	AttentionRefusals   AttentionSection = "refusals"    // a rule of a guard refuses requests
	AttentionProxy      AttentionSection = "proxy"       // all clients seem to have one address: that of a proxy
)

// AttentionSections lists the sections, the most urgent first.
func AttentionSections() []AttentionSection {
	return []AttentionSection{
		AttentionFailing, AttentionAPIs, AttentionExpiring, AttentionOverlaps, AttentionNeverUsed, AttentionIdle, AttentionNeverEnds,
		AttentionAboveLimit, AttentionNoOwner, AttentionMorePower, AttentionChannels, AttentionRefusals, AttentionProxy,
	}
}

// Title returns what the section is called.
func (s AttentionSection) Title() string {
	switch s {
	case AttentionFailing:
		return "A job is failing now"
	case AttentionAPIs:
		return "APIs that fail"
	case AttentionExpiring:
		return "Ends within 14 days"
	case AttentionOverlaps:
		return "Rotations to finish"
	case AttentionNeverUsed:
		return "Never used"
	case AttentionIdle:
		return "Not used any more"
	case AttentionNeverEnds:
		return "Never ends"
	case AttentionAboveLimit:
		return "Above the limit in force"
	case AttentionNoOwner:
		return "No owner"
	case AttentionMorePower:
		return "More power than it uses"
	case AttentionChannels:
		return "Channels that fail"
	case AttentionRefusals:
		return "Rules that refuse"
	case AttentionProxy:
		return "Networks that cannot work"
	}
	return string(s)
}

// An AttentionAction is the one right thing to do about a row.
type AttentionAction string

// The actions. What each of them does through the API stands beside it.
const (
	ActionRotate        AttentionAction = "rotate"         // replace the token
	ActionReissue       AttentionAction = "reissue"        // replace the token, which has ended already
	ActionCreate        AttentionAction = "create"         // create a token of the same name: the policy for unused tokens revoked it, and it cannot be replaced
	ActionShowTries     AttentionAction = "show-tries"     // show who tries a token that somebody revoked: it may be a thief, so that a new token is no first step
	ActionResume        AttentionAction = "resume"         // end the pause of the token
	ActionEnable        AttentionAction = "enable"         // enable the account
	ActionSetNetworks   AttentionAction = "set-networks"   // change the networks from which the token may be used
	ActionShowSuccessor AttentionAction = "show-successor" // show both tokens: whoever tries the old one needs the new one
	ActionLetEnd        AttentionAction = "let-end"        // snooze: nobody uses the token, so that it may end
	ActionRetire        AttentionAction = "retire"         // end the token that was replaced
	ActionExtend        AttentionAction = "extend"         // let the token that was replaced live longer
	ActionPause         AttentionAction = "pause"          // pause the token: that can be undone
	ActionRevoke        AttentionAction = "revoke"         // delete the token
	ActionSetEnd        AttentionAction = "set-end"        // replace the token by one that ends
	ActionSetOwner      AttentionAction = "set-owner"      // name an owner of the account
	ActionLowerRole     AttentionAction = "lower-role"     // give the account a lower role
	ActionFixChannel    AttentionAction = "fix-channel"    // change the channel, or try it again
	ActionShowGuard     AttentionAction = "show-guard"     // look at the guard
	ActionTrustProxy    AttentionAction = "trust-proxy"    // set [server] trusted_proxies
)

// Words returns the action as a button says it.
func (a AttentionAction) Words() string {
	switch a {
	case ActionReissue, ActionCreate:
		return "Issue a new one"
	case ActionSetNetworks:
		return "Change networks"
	case ActionShowSuccessor:
		return "See both tokens"
	case ActionShowTries:
		return "See who tries it"
	case ActionLetEnd:
		return "Let it end"
	case ActionSetEnd:
		return "Set an end"
	case ActionSetOwner:
		return "Name an owner"
	case ActionLowerRole:
		return "Lower role"
	case ActionFixChannel:
		return "See the channel"
	case ActionShowGuard:
		return "See the guard"
	case ActionTrustProxy:
		return "Set trusted_proxies"
	}
	return strings.ToUpper(string(a[:1])) + string(a[1:])
}

// A SubjectKind is what a row is about.
type SubjectKind string

// The kinds of subjects.
const (
	TokenSubject   SubjectKind = "token"
	AccountSubject SubjectKind = "serviceaccount"
	ChannelSubject SubjectKind = "channel"
	GuardSubject   SubjectKind = "guard"
	OrgSubject     SubjectKind = "org"
)

// A Subject is what a row is about: a token, an account, a channel, a rule of a guard, or the org.
type Subject struct {
	Kind SubjectKind
	ID   int64
	Part int // the rule of a guard, 0: of requests for which there is none; else 0
}

// String returns the subject as ParseSubject reads it: "token:7", "guard:3:1".
func (s Subject) String() string {
	text := string(s.Kind) + ":" + strconv.FormatInt(s.ID, 10)
	if s.Kind == GuardSubject {
		text += ":" + strconv.Itoa(s.Part)
	}
	return text
}

// Number returns the subject without its kind: "7", "3:1".
func (s Subject) Number() string {
	_, number, _ := strings.Cut(s.String(), ":")
	return number
}

// ParseSubject reads what String wrote.
func ParseSubject(text string) (s Subject, ok bool) {
	kind, rest, _ := strings.Cut(text, ":")
	number, part, _ := strings.Cut(rest, ":")
	s.Kind = SubjectKind(kind)
	if s.ID, ok = ParseID(number); !ok {
		return s, false
	}
	if s.Kind == GuardSubject && part != "0" {
		n, is := ParseID(part)
		if !is || n > 1<<20 { // no guard has so many rules
			return s, false
		}
		s.Part = int(n)
	}
	return s, slices.Contains([]SubjectKind{TokenSubject, AccountSubject, ChannelSubject, GuardSubject, OrgSubject}, s.Kind) && s.String() == text
}

// Subjects returns what the rows of the section are about.
func (s AttentionSection) Subjects() SubjectKind {
	switch s {
	case AttentionNoOwner, AttentionMorePower:
		return AccountSubject
	case AttentionChannels:
		return ChannelSubject
	case AttentionAPIs, AttentionRefusals:
		return GuardSubject
	case AttentionProxy:
		return OrgSubject
	}
	return TokenSubject
}

// An AttentionRow says what needs doing about one subject. Which of its values are set
// depends on its section: those of a token have the token and its account.
type AttentionRow struct {
	Section AttentionSection
	Subject Subject
	Action  AttentionAction
	Reason  string // why, as an ID of a refusal ("api-key.expired"), or in words

	Token   Token
	Account ServiceAccount
	Channel Channel
	Guard   string
	Rule    int

	Since time.Time // since when: of tries, the first within the hour
	Last  time.Time // of tries and refusals: the last
	From  From      // of tries: where the last came from
	Count int64     // of tries within the hour, of refusals since yesterday began
	Lower Role      // of ActionLowerRole: the role that is enough
	API   FailingAPI

	Seconds int64 // of ActionSetEnd: the lifetime of the token that replaces this one, 90 days or what the server allows
}

// Row is a row of the section about a token of the account.
func (s AttentionSection) Row(t Token, account ServiceAccount, do AttentionAction) AttentionRow {
	return AttentionRow{Section: s, Subject: Subject{Kind: TokenSubject, ID: int64(t.ID)}, Action: do, Token: t, Account: account}
}

// What returns what the row tells, in words. Times are told beside it.
func (r AttentionRow) What() string {
	switch r.Section {
	case AttentionFailing:
		return r.tried()
	case AttentionAPIs:
		return r.API.Words()
	case AttentionExpiring:
		if r.Token.LastUse.At.IsZero() {
			return "Ends soon, and nobody has used it"
		}
		return "Ends soon"
	case AttentionOverlaps:
		switch r.Action {
		case ActionRotate:
			return "The new token of this rotation has ended before the old one"
		case ActionResume:
			return "The new token of this rotation is paused until the old one has ended"
		case ActionExtend:
			return "Replaced, ends soon, and is still used"
		}
		return "Replaced, and nobody uses it any more"
	case AttentionNeverUsed:
		return "Nobody has used it since it was made"
	case AttentionIdle:
		return "Nobody uses it any more"
	case AttentionNeverEnds:
		return "It does not expire"
	case AttentionAboveLimit:
		return "It ends later than a token that is made now may"
	case AttentionNoOwner:
		return "Nobody answers for this account"
	case AttentionMorePower:
		return "It does less than it may: " + r.Lower.String() + " is enough"
	case AttentionChannels, AttentionRefusals:
		return r.Reason
	case AttentionProxy:
		return "All requests seem to come from " + r.From.Address + ", a proxy that is not trusted"
	}
	return ""
}

func (r AttentionRow) tried() string {
	switch r.Reason {
	case "api-key.expired":
		return "Expired, and still tried"
	case "api-key.rotated":
		return "Replaced, and still tried"
	case "api-key.paused":
		return "Paused, and still tried"
	case "identity.disabled":
		return "Account disabled, and still tried"
	case "api-key.network":
		return "Tried from outside its networks"
	}
	return "Revoked, and still tried"
}

// An AttentionCursor is the position of a row in its section. Its numbers are the row's
// key there; the last one tells rows apart. Zero is before the first.
type AttentionCursor struct{ First, Second, ID int64 }

// IsZero reports whether p is the zero cursor.
func (p AttentionCursor) IsZero() bool { return p == AttentionCursor{} }

// Compare returns -1 if p comes before q, 1 if it comes after it, else 0.
func (p AttentionCursor) Compare(q AttentionCursor) int {
	return cmp.Or(cmp.Compare(p.First, q.First), cmp.Compare(p.Second, q.Second), cmp.Compare(p.ID, q.ID))
}

// String returns p as ParseAttentionCursor reads it, "" for none.
func (p AttentionCursor) String() string {
	if p.IsZero() {
		return ""
	}
	parts := make([]string, 0, 3)
	for _, n := range []int64{p.First, p.Second, p.ID} {
		parts = append(parts, strconv.FormatInt(n, 10))
	}
	return strings.Join(parts, ".")
}

// ParseAttentionCursor reads what String wrote.
func ParseAttentionCursor(s string) (p AttentionCursor, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return p, false
	}
	for i, to := range []*int64{&p.First, &p.Second, &p.ID} {
		n, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil || n < 0 {
			return AttentionCursor{}, false
		}
		*to = n
	}
	return p, p.String() == s
}

// A Snooze puts a row off for a while.
type Snooze struct {
	Org     OrgID
	Section AttentionSection
	Subject Subject
	Until   time.Time
	Reason  string
	At      time.Time
	By      string // login
}

// SnoozeFor is how long a row is put off if nobody says for how long, and MaxSnooze the
// longest.
const (
	SnoozeFor = 30 * 24 * time.Hour
	MaxSnooze = 90 * 24 * time.Hour
)
