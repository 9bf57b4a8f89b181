package hallpass

import (
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A ChannelKind says how a channel tells notices.
type ChannelKind string

// The kinds of channels.
const (
	WebhookChannel ChannelKind = "webhook" // a POST to a program, signed as Standard Webhooks 1.0.0 says
	MailChannel    ChannelKind = "mail"    // a mail to the owner of a token
	SlackChannel   ChannelKind = "slack"   // a POST of {"text": …} to Slack, Mattermost, Rocket.Chat and their like
)

// ChannelKinds lists the kinds.
func ChannelKinds() []ChannelKind { return []ChannelKind{WebhookChannel, MailChannel, SlackChannel} }

// A Signature names how the messages of a webhook are signed (Standard Webhooks 1.0.0).
type Signature string

// The signatures.
const (
	SignatureV1a Signature = "v1a" // Ed25519, by the key of this server
	SignatureV1  Signature = "v1"  // HMAC-SHA256, by a secret of the configuration
)

// A Channel is one way in which an org is told notices.
//
// Times are UTC in whole microseconds, zero for never. A Channel is a plain value;
// copies share the slices, which nobody changes.
type Channel struct {
	ID        ChannelID
	Org       OrgID
	Name      string // unique in the org, case-folded
	Kind      ChannelKind
	URL       string       // of webhook and slack; of slack empty: that of the configuration
	Signature Signature    // of webhook
	Addresses []string     // of mail: who is told of tokens that have no owner with an address
	Kinds     []NoticeKind // that it takes
	Disabled  bool         // nothing is written to it, and nothing sent
	OffReason string       // why the server disabled it; empty: it did not
	CreatedAt time.Time
	UpdatedAt time.Time

	SentAt       time.Time // when a receiver last took something
	FailingSince time.Time // zero: the last attempt succeeded, or there was none
	LastError    string    // why the last attempt failed; empty while FailingSince is zero
	RestUntil    time.Time // nothing is sent before
}

// Takes reports whether the channel is to be told the notice. What happened before it
// was made, it is not told.
func (c Channel) Takes(n Notice) bool {
	happened := n.At
	if n.Kind == NoticeExpired {
		happened = n.ExpiresAt
	}
	return !c.Disabled && slices.Contains(c.Kinds, n.Kind) && !happened.Before(c.CreatedAt)
}

// Recipients returns whom the channel tells the notice: of mail the addresses, else one
// recipient without a name. A mail about a token goes to its owner, if that is an
// address, and else to those of the channel.
func (c Channel) Recipients(n Notice) []string {
	if c.Kind != MailChannel {
		return []string{""}
	}
	if address, ok := MailAddress(n.Owner); ok {
		return []string{address}
	}
	return c.Addresses
}

// MailAddress returns the one mail address that an owner is, and whether it is one: as
// "ada@example.com" or "Ada <ada@example.com>" (RFC 5322). The address stands in commands
// of SMTP as it is, so none is taken whose part before the @ must be quoted, or whose
// domain is not a name. Letters may be of any script (RFC 6531).
func MailAddress(owner string) (address string, ok bool) {
	if !strings.Contains(owner, "@") {
		return "", false
	}
	a, err := mail.ParseAddress(owner)
	if err != nil || !strings.Contains(owner, a.Address) { // the parser takes quotes away
		return "", false
	}
	local, domain, _ := strings.Cut(a.Address, "@")
	if !ofAtoms(local, "!#$%&'*+-/=?^_`{|}~") || !ofAtoms(domain, "-") {
		return "", false
	}
	return a.Address, true
}

// ofAtoms reports whether s is made of atoms with a dot between any two. An atom has
// letters, digits and the signs.
func ofAtoms(s, signs string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool {
			return !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune(signs, r)
		}) {
			return false
		}
	}
	return true
}

// ShownURL returns what is shown of the URL: of a chat its host alone, for who knows the
// rest can post there. It is "" if there is no URL.
func (c Channel) ShownURL() string {
	if c.Kind != SlackChannel || c.URL == "" {
		return c.URL
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// SetURL sets the URL. One that is sent back as ShownURL shows it stays as it is.
func (c *Channel) SetURL(text string) {
	if c.ID == 0 || text != c.ShownURL() {
		c.URL = text
	}
}

// Bounds of a channel.
const (
	MaxChannels   = 20 // in an org
	maxChannelURL = 2000
	maxAddresses  = 20
)

// Validate returns an Invalid error that names the first field whose value is not
// valid. insecure permits http in URLs that are not of this machine.
func (c Channel) Validate(insecure bool) error {
	if !slices.Contains(ChannelKinds(), c.Kind) {
		return Invalidf("type", "type is none of webhook, mail, slack")
	}
	for _, k := range c.Kinds {
		if !slices.Contains(NoticeKinds(), k) {
			return Invalidf("events", "events has %s, which is no event; there are: %s", strconv.Quote(string(k)), joined(NoticeKinds()))
		}
	}
	if c.Kind != WebhookChannel && c.Signature != "" {
		return Invalidf("signature", "signature is for webhook alone")
	}
	if c.Kind == WebhookChannel && c.Signature != SignatureV1a && c.Signature != SignatureV1 {
		return Invalidf("signature", "signature is neither v1a nor v1")
	}
	if c.Kind != MailChannel && len(c.Addresses) > 0 {
		return Invalidf("addresses", "addresses are for mail alone")
	}
	if c.Kind == MailChannel {
		return c.validateMail()
	}
	return c.validateURL(insecure)
}

func (c Channel) validateMail() error {
	if c.URL != "" {
		return Invalidf("url", "a mail has no url")
	}
	if len(c.Addresses) > maxAddresses {
		return Invalidf("addresses", "addresses has more than %d addresses", maxAddresses)
	}
	for i, a := range c.Addresses {
		if address, ok := MailAddress(a); !ok || address != a || len(a) > MaxName {
			return Invalidf("addresses", "addresses[%d] is not a mail address like ops@example.com", i)
		}
	}
	return nil
}

func (c Channel) validateURL(insecure bool) error {
	if c.URL == "" && c.Kind == SlackChannel {
		return nil // that of the configuration
	}
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return Invalidf("url", "url is missing")
	case len(c.URL) > maxChannelURL:
		return Invalidf("url", "url is longer than %d bytes", maxChannelURL)
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "":
		return Invalidf("url", "url is not a URL like https://example.com/hallpass")
	case !ValidPort(u.Port()):
		return Invalidf("url", "url has the port %s: a port is a number from 1 to 65535", u.Port())
	case u.User != nil:
		return Invalidf("url", "url has a user or a password: receivers know Hallpass by its signature")
	case u.Fragment != "":
		return Invalidf("url", "url has a fragment, which no receiver sees")
	case u.Scheme == "http" && !insecure && !ofThisMachine(u.Hostname()):
		return Invalidf("url", "url is http, which others can read: write https, or set allow_http in the section [notices] of the configuration")
	}
	return ValidateNoToken("url", c.URL)
}

// ofThisMachine reports whether a host of a URL is a name of the machine itself.
func ofThisMachine(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") && strings.Trim(host, "0123456789.") == "" || host == "::1"
}

func joined(kinds []NoticeKind) string {
	texts := make([]string, len(kinds))
	for i, k := range kinds {
		texts[i] = string(k)
	}
	return strings.Join(texts, ", ")
}
