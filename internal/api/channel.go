package api

import (
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/notice"
	"github.com/hallpass-dev/hallpass/wire"
)

func channelRow(c hallpass.Channel) wire.Channel {
	return wire.Channel{
		ID: int64(c.ID), Name: c.Name, Type: string(c.Kind), URL: c.ShownURL(), Signature: string(c.Signature), Addresses: append([]string{}, c.Addresses...),
		Events: eventRows(c.Kinds), Disabled: c.Disabled, OffReason: c.OffReason, Created: c.CreatedAt, Updated: c.UpdatedAt,
		LastSentAt: timeOrNil(c.SentAt), FailingSince: timeOrNil(c.FailingSince), LastError: c.LastError,
	}
}

func eventRows(kinds []hallpass.NoticeKind) []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return out
}

// setChannel has the body change what it names. The URL of a chat that is sent back as
// it was shown stays as it is.
func setChannel(c *hallpass.Channel, in wire.WriteChannel) {
	if in.Name != nil {
		c.Name = *in.Name
	}
	if in.Type != nil {
		c.Kind = hallpass.ChannelKind(*in.Type)
	}
	if in.URL != nil {
		c.SetURL(*in.URL)
	}
	if in.Signature != nil {
		c.Signature = hallpass.Signature(*in.Signature)
	}
	if in.Addresses != nil {
		c.Addresses = *in.Addresses
	}
	if in.Disabled != nil {
		c.Disabled = *in.Disabled
	}
	if in.Events != nil {
		c.Kinds = nil
		for _, e := range *in.Events {
			if k := hallpass.NoticeKind(e); !slices.Contains(c.Kinds, k) {
				c.Kinds = append(c.Kinds, k)
			}
		}
	}
}

var errChannelNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "notifications.channel-not-found", Message: "Channel not found"}

// channelID reads {channel}.
func channelID(c call) (hallpass.ChannelID, error) {
	n, ok := hallpass.ParseID(c.PathValue("channel"))
	if !ok {
		return 0, hallpass.Invalidf("channel", "the ID of the channel is not a number")
	}
	return hallpass.ChannelID(n), nil
}

// notifications is GET /api/org/notifications.
func (a *API) notifications(c call, _ none) (wire.Notifications, error) {
	list, err := a.admin.Channels(c.Context(), c.caller)
	o := a.admin.Outgoing()
	out := wire.Notifications{
		PublicKey: o.Key(), Secret: o.Secret, Mail: o.Mail, Slack: o.Slack, Days: append([]int{}, o.Days...), Events: eventRows(hallpass.NoticeKinds()), Channels: make([]wire.Channel, 0, len(list)),
	}
	for _, ch := range list {
		out.Channels = append(out.Channels, channelRow(ch))
	}
	return out, err
}

// channel is GET /api/org/notifications/{channel}.
func (a *API) channel(c call, _ none) (wire.Channel, error) {
	id, err := channelID(c)
	if err != nil {
		return wire.Channel{}, err
	}
	ch, err := a.admin.Channel(c.Context(), c.caller, id)
	return channelRow(ch), err
}

// createChannel is POST /api/org/notifications.
func (a *API) createChannel(c call, in wire.WriteChannel) (wire.Channel, error) {
	ch := hallpass.Channel{Kinds: hallpass.DefaultNoticeKinds()}
	setChannel(&ch, in)
	if ch.Kind == hallpass.WebhookChannel && in.Signature == nil {
		ch.Signature = hallpass.SignatureV1a
	}
	ch, err := a.admin.CreateChannel(c.Context(), c.caller, ch)
	return channelRow(ch), err
}

// updateChannel is PATCH /api/org/notifications/{channel}.
func (a *API) updateChannel(c call, in wire.WriteChannel) (wire.Channel, error) {
	id, err := channelID(c)
	if err != nil {
		return wire.Channel{}, err
	}
	ch, err := a.admin.UpdateChannel(c.Context(), c.caller, id, func(ch *hallpass.Channel) { setChannel(ch, in) })
	return channelRow(ch), err
}

// deleteChannel is DELETE /api/org/notifications/{channel}.
func (a *API) deleteChannel(c call, _ none) (wire.Message, error) {
	id, err := channelID(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Channel deleted"}, a.admin.DeleteChannel(c.Context(), c.caller, id)
}

func deliveryRow(d hallpass.Delivery) wire.Delivery {
	out := wire.Delivery{
		ID: int64(d.ID), MessageID: notice.MessageID(d), Type: string(d.Notice.Kind), Text: d.Notice.Text(), TokenID: int64(d.Notice.Token), Recipient: d.Recipient,
		State: string(d.State), Attempts: d.Attempts, LastError: d.LastError, Created: d.CreatedAt, SentAt: timeOrNil(d.SentAt),
	}
	if d.State == hallpass.NoticeDue {
		out.NextAt = timeOrNil(d.NextAt)
	}
	return out
}

// testChannel is POST /api/org/notifications/{channel}/test.
func (a *API) testChannel(c call, _ none) (wire.Delivery, error) {
	id, err := channelID(c)
	if err != nil {
		return wire.Delivery{}, err
	}
	d, err := a.admin.TestChannel(c.Context(), c.caller, id)
	return deliveryRow(d), err
}

// deliveries is GET /api/org/notifications/{channel}/messages?state&limit&after.
func (a *API) deliveries(c call, _ none) (wire.Deliveries, error) {
	out := wire.Deliveries{Messages: []wire.Delivery{}}
	id, err := channelID(c)
	if err != nil {
		return out, err
	}
	limit, err := numberFrom(c, "limit", 100, 1, maxPerPage)
	if err != nil {
		return out, err
	}
	state := hallpass.NoticeState(query(c, "state"))
	var after int64
	if s := query(c, "after"); s != "" {
		var ok bool
		if after, ok = hallpass.ParseID(s); !ok {
			return out, hallpass.Invalidf("after", "after is not the number of a message")
		}
	}
	list, err := a.admin.Deliveries(c.Context(), c.caller, id, state, hallpass.NoticeID(after), limit)
	for _, d := range list {
		out.Messages = append(out.Messages, deliveryRow(d))
	}
	if len(list) == limit {
		out.Next = int64(list[limit-1].ID)
	}
	return out, err
}

// retryNotices is POST /api/org/notifications/{channel}/retry.
func (a *API) retryNotices(c call, _ none) (wire.Retried, error) { return a.retry(c, 0) }

// retryNotice is POST /api/org/notifications/{channel}/messages/{message}/retry.
func (a *API) retryNotice(c call, _ none) (wire.Retried, error) {
	message, ok := hallpass.ParseID(c.PathValue("message"))
	if !ok {
		return wire.Retried{}, hallpass.Invalidf("message", "the ID of the message is not a number")
	}
	return a.retry(c, hallpass.NoticeID(message))
}

func (a *API) retry(c call, message hallpass.NoticeID) (wire.Retried, error) {
	id, err := channelID(c)
	if err != nil {
		return wire.Retried{}, err
	}
	n, err := a.admin.RetryDead(c.Context(), c.caller, id, message)
	return wire.Retried{Message: "Notices are on their way again", Retried: n}, err
}
