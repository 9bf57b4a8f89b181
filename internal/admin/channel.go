package admin

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Outgoing says what the configuration has set up for notices. The zero Outgoing has
// set up nothing.
type Outgoing struct {
	Days      []int                  // before its end that a token is told of
	PublicKey func() string          // by which the signatures v1a of webhooks are verified, as "whpk_…"; nil or "": there is no key
	Secret    bool                   // there is a secret for the signature v1
	Mail      bool                   // mails can be sent
	Slack     bool                   // there is a URL for slack channels that have none of their own
	Insecure  bool                   // URLs may be http
	Permit    func(netip.Addr) error // refuses addresses that are not dialled; nil: none
}

// Key returns the public key, "" if there is none.
func (o Outgoing) Key() string {
	if o.PublicKey == nil {
		return ""
	}
	return o.PublicKey()
}

// ready returns an Invalid error if the channel needs what is not set up.
func (o Outgoing) ready(c hallpass.Channel) error {
	switch {
	case c.Signature == hallpass.SignatureV1a && o.Key() == "":
		return hallpass.Invalidf("signature", "signature v1a needs a key: set webhook_key_file in the section [notices] of the configuration of every node")
	case c.Signature == hallpass.SignatureV1 && !o.Secret:
		return hallpass.Invalidf("signature", "signature v1 needs a secret: set whsec_file in the section [notices] of the configuration")
	case c.Kind == hallpass.MailChannel && !o.Mail:
		return hallpass.Invalidf("type", "mail needs a mail server: set the section [smtp] of the configuration")
	case c.Kind == hallpass.SlackChannel && c.URL == "" && !o.Slack:
		return hallpass.Invalidf("url", "url is missing: the section [notices] of the configuration has no slack_url either")
	case o.Permit == nil || c.URL == "":
		return nil
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return hallpass.Invalidf("url", "url cannot be read")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		if err := o.Permit(addr); err != nil {
			return hallpass.Invalidf("url", "url: %s", err)
		}
	}
	return nil
}

// Outgoing returns what is set up for notices.
func (a *Admin) Outgoing() Outgoing { return a.o.Outgoing }

// channelNeed is what whoever reads or changes the channels of an org needs: a URL may
// hold a secret, and what is told leaves the org.
var channelNeed = need{action: hallpass.OrgsWrite}

// Channels returns the channels of the caller's org, by name.
func (a *Admin) Channels(ctx context.Context, c hallpass.Caller) (list []hallpass.Channel, err error) {
	err = a.read(ctx, c, channelNeed, func(tx *store.Tx) error {
		list, err = tx.Channels(c.Org)
		return err
	})
	return list, err
}

// Channel returns the channel; NotFound when the caller's org has none with that ID.
func (a *Admin) Channel(ctx context.Context, c hallpass.Caller, id hallpass.ChannelID) (ch hallpass.Channel, err error) {
	err = a.read(ctx, c, channelNeed, func(tx *store.Tx) error {
		ch, err = tx.Channel(c.Org, id)
		return err
	})
	return ch, err
}

var errManyChannels = &hallpass.Error{
	Kind: hallpass.Invalid, ID: "notifications.too-many-channels", Message: fmt.Sprintf("An organization has at most %d channels", hallpass.MaxChannels),
}

// validateChannel tidies the name and returns an Invalid error if the channel is not
// well formed, or needs what is not set up.
func (a *Admin) validateChannel(ch *hallpass.Channel) error {
	if err := hallpass.TidyName("name", &ch.Name); err != nil {
		return err
	}
	if err := ch.Validate(a.o.Outgoing.Insecure); err != nil {
		return err
	}
	return a.o.Outgoing.ready(*ch)
}

// CreateChannel makes a channel in the caller's org. One that is not well formed is
// Invalid, a name that another has a Conflict.
func (a *Admin) CreateChannel(ctx context.Context, c hallpass.Caller, ch hallpass.Channel) (hallpass.Channel, error) {
	err := a.change(ctx, c, channelNeed, "channel.create", func(t *Turn) error {
		if err := a.validateChannel(&ch); err != nil {
			return err
		}
		list, err := t.Channels(t.Caller.Org)
		if err != nil {
			return err
		}
		if len(list) >= hallpass.MaxChannels {
			return errManyChannels
		}
		ch.Org, ch.CreatedAt, ch.UpdatedAt = t.Caller.Org, a.now(), a.now()
		if ch, err = t.CreateChannel(ch); err != nil {
			return err
		}
		return t.Audit(string(hallpass.ChannelSubject), idText(ch.ID), channelWords(ch))
	})
	return ch, err
}

// UpdateChannel has set change a channel of the caller's org. A channel that the server
// had disabled and that is enabled is tried again at once. The errors are those of
// CreateChannel, and NotFound when there is none with that ID. set may run more than
// once.
func (a *Admin) UpdateChannel(ctx context.Context, c hallpass.Caller, id hallpass.ChannelID, set func(*hallpass.Channel)) (ch hallpass.Channel, err error) {
	err = a.change(ctx, c, channelNeed, "channel.update", func(t *Turn) error {
		if ch, err = t.Channel(t.Caller.Org, id); err != nil {
			return err
		}
		was := ch
		set(&ch)
		if ch.Kind != was.Kind {
			return hallpass.Invalidf("type", "the type of a channel cannot change: make another channel")
		}
		if err := a.validateChannel(&ch); err != nil {
			return err
		}
		if !ch.Disabled || !was.Disabled {
			ch.OffReason = ""
		}
		ch.UpdatedAt = a.now()
		if err := t.UpdateChannel(ch); err != nil {
			return err
		}
		return t.Audit(string(hallpass.ChannelSubject), idText(id), channelWords(ch))
	})
	return ch, err
}

// channelWords says in words what a channel is. A URL may hold a secret, so it is told
// by its host alone.
func channelWords(c hallpass.Channel) string {
	text := "name " + c.Name + ", " + string(c.Kind)
	if u, err := url.Parse(c.URL); err == nil && c.URL != "" {
		text += " to " + u.Host
	}
	if c.Disabled {
		text += ", disabled"
	}
	return text
}

// DeleteChannel removes the channel, with what is on its way there.
func (a *Admin) DeleteChannel(ctx context.Context, c hallpass.Caller, id hallpass.ChannelID) error {
	return a.change(ctx, c, channelNeed, "channel.delete", func(t *Turn) error {
		ch, err := t.Channel(t.Caller.Org, id)
		if err != nil {
			return err
		}
		if err := t.DeleteChannel(t.Caller.Org, id); err != nil {
			return err
		}
		return t.Audit(string(hallpass.ChannelSubject), idText(id), channelWords(ch))
	})
}

var errMessageNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "notifications.message-not-found", Message: "The channel has no dead message with this number"}

var errChannelOff = &hallpass.Error{Kind: hallpass.Conflict, ID: "notifications.channel-disabled", Message: "The channel is disabled: enable it first"}

// How many tests there may be: a test by mail goes to an address that its user chose.
const (
	testsOfChannel = 10 // in an hour
	testsOfOrg     = 50 // in a day
)

// mayTest returns a Limited error if there were too many tests of the channel or of its org.
func (t *Turn) mayTest(ch hallpass.Channel) error {
	now := t.admin.now()
	for _, limit := range []struct {
		channel hallpass.ChannelID
		most    int
		within  time.Duration
		says    string
	}{
		{ch.ID, testsOfChannel, time.Hour, "A channel can be tested %d times an hour"},
		{0, testsOfOrg, 24 * time.Hour, "The channels of an organization can be tested %d times a day"},
	} {
		list, err := t.ChannelTests(ch.Org, limit.channel, now.Add(-limit.within))
		if err != nil {
			return err
		}
		if n := len(list); n >= limit.most {
			return &hallpass.Error{
				Kind: hallpass.Limited, ID: "notifications.too-many-tests", Message: fmt.Sprintf(limit.says, limit.most), RetryAfter: list[n-limit.most].Add(limit.within).Sub(now),
			}
		}
	}
	return nil
}

// TestChannel writes a notice that tells nothing but that the channel works, and returns
// it as it is on its way. Of a disabled channel it is a Conflict, and after many tests
// Limited.
func (a *Admin) TestChannel(ctx context.Context, c hallpass.Caller, id hallpass.ChannelID) (d hallpass.Delivery, err error) {
	err = a.change(ctx, c, channelNeed, hallpass.ChannelTest, func(t *Turn) error {
		ch, err := t.Channel(t.Caller.Org, id)
		if err != nil {
			return err
		}
		if ch.Disabled {
			return errChannelOff
		}
		if err := t.mayTest(ch); err != nil {
			return err
		}
		now := a.now()
		n := hallpass.Notice{Kind: hallpass.NoticeTest, Org: ch.Org, At: now, Mark: idText(hallpass.NoticeID(now.UnixMicro())), Actor: t.Caller.Principal.Login}
		if user := t.Caller.User(); user != 0 { // a test by mail goes to whoever asks for it
			u, err := t.User(user)
			if err != nil {
				return err
			}
			n.Owner = u.Email
		}
		if err := t.NotifyChannel(ch, n); err != nil {
			return err
		}
		list, err := t.Deliveries(id, "", 0, 1)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			d = list[0]
		}
		return t.Audit(string(hallpass.ChannelSubject), idText(id), channelWords(ch))
	})
	return d, err
}

// Deliveries returns up to limit of what was written to the channel, in that state ("":
// in any), the newest first, from the one before that number on (0: from the newest).
func (a *Admin) Deliveries(ctx context.Context, c hallpass.Caller, id hallpass.ChannelID, state hallpass.NoticeState, before hallpass.NoticeID, limit int) (list []hallpass.Delivery, err error) {
	err = a.read(ctx, c, channelNeed, func(tx *store.Tx) error {
		if _, err := tx.Channel(c.Org, id); err != nil {
			return err
		}
		list, err = tx.Deliveries(id, state, before, limit)
		return err
	})
	return list, err
}

// RetryDead puts what is dead of the channel on its way again: one of them or, with a
// zero message, all. It returns how many there were; NotFound when the one is not there.
func (a *Admin) RetryDead(ctx context.Context, c hallpass.Caller, id hallpass.ChannelID, message hallpass.NoticeID) (n int64, err error) {
	err = a.change(ctx, c, channelNeed, "channel.retry", func(t *Turn) error {
		ch, err := t.Channel(t.Caller.Org, id)
		if err != nil {
			return err
		}
		if ch.Disabled {
			return errChannelOff
		}
		if n, err = t.RetryDead(id, message, a.now()); err != nil {
			return err
		}
		if n == 0 && message != 0 {
			return errMessageNotFound
		}
		return t.Audit(string(hallpass.ChannelSubject), idText(id), fmt.Sprintf("%s, %d notices", channelWords(ch), n))
	})
	return n, err
}
