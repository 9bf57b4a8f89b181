package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

const channelColumns = `id, org_id, name, kind, url, signature, addresses, kinds, disabled, off_reason, created_us, updated_us, sent_us, failing_us, last_error, rest_us`

func scanChannel(r row) (c hallpass.Channel, err error) {
	var addresses, kinds string
	var created, updated, sent, failing, rest int64
	err = r.Scan(&c.ID, &c.Org, &c.Name, &c.Kind, &c.URL, &c.Signature, &addresses, &kinds, &c.Disabled, &c.OffReason, &created, &updated, &sent, &failing, &c.LastError, &rest)
	if err != nil {
		return c, err
	}
	c.CreatedAt, c.UpdatedAt, c.SentAt, c.FailingSince, c.RestUntil = fromMicros(created), fromMicros(updated), fromMicros(sent), fromMicros(failing), fromMicros(rest)
	if err := json.Unmarshal([]byte(addresses), &c.Addresses); err != nil {
		return c, fmt.Errorf("store: addresses of channel %d: %w", c.ID, err)
	}
	if err := json.Unmarshal([]byte(kinds), &c.Kinds); err != nil {
		return c, fmt.Errorf("store: kinds of channel %d: %w", c.ID, err)
	}
	return c, nil
}

// channelLists returns the columns addresses and kinds.
func channelLists(c hallpass.Channel) (addresses, kinds string, err error) {
	if addresses, err = encodeJSON(append([]string{}, c.Addresses...)); err != nil {
		return "", "", err
	}
	kinds, err = encodeJSON(append([]hallpass.NoticeKind{}, c.Kinds...))
	return addresses, kinds, err
}

var (
	errChannelNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "notifications.channel-not-found", Message: "Channel not found"}
	errChannelTaken    = &hallpass.Error{Kind: hallpass.Conflict, ID: "notifications.channel-exists", Field: "name", Message: "A channel with this name exists already in the organization"}
)

// CreateChannel stores a new channel and returns it with its ID. A name that another
// channel of the org has is a Conflict.
func (tx *Tx) CreateChannel(c hallpass.Channel) (hallpass.Channel, error) {
	addresses, kinds, err := channelLists(c)
	if err != nil {
		return c, fmt.Errorf("store: create channel: %w", err)
	}
	id, err := tx.nextID("channel")
	if err != nil {
		return c, err
	}
	c.ID = hallpass.ChannelID(id)
	_, err = tx.exec(`
		INSERT INTO channels (id, org_id, name, name_key, kind, url, signature, addresses, kinds, disabled, off_reason, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		c.ID, c.Org, c.Name, hallpass.NameKey(c.Name), c.Kind, c.URL, c.Signature, addresses, kinds, c.Disabled, c.OffReason, micros(c.CreatedAt), micros(c.UpdatedAt))
	if isUnique(err) {
		return c, errChannelTaken
	}
	if err != nil {
		return c, fmt.Errorf("store: create channel: %w", err)
	}
	return c, nil
}

// UpdateChannel stores what an admin sets of the channel, and that it may be tried again at
// once. A name that another channel of the org has is a Conflict; NotFound when the org
// has no such channel.
func (tx *Tx) UpdateChannel(c hallpass.Channel) error {
	addresses, kinds, err := channelLists(c)
	if err != nil {
		return fmt.Errorf("store: update channel %d: %w", c.ID, err)
	}
	n, err := tx.exec(`
		UPDATE channels
		SET    name = $3, name_key = $4, url = $5, signature = $6, addresses = $7, kinds = $8, disabled = $9, off_reason = $10, updated_us = $11, rest_us = 0
		WHERE  org_id = $1 AND id = $2`,
		c.Org, c.ID, c.Name, hallpass.NameKey(c.Name), c.URL, c.Signature, addresses, kinds, c.Disabled, c.OffReason, micros(c.UpdatedAt))
	if isUnique(err) {
		return errChannelTaken
	}
	if err != nil {
		return fmt.Errorf("store: update channel %d: %w", c.ID, err)
	}
	if n == 0 {
		return errChannelNotFound
	}
	return nil
}

// DeleteChannel removes the channel with what is on its way there; NotFound when the
// org has none with that ID.
func (tx *Tx) DeleteChannel(org hallpass.OrgID, id hallpass.ChannelID) error {
	n, err := tx.exec(`DELETE FROM channels WHERE org_id = $1 AND id = $2`, org, id)
	if err != nil {
		return fmt.Errorf("store: delete channel %d: %w", id, err)
	}
	if n == 0 {
		return errChannelNotFound
	}
	return tx.steps("delete channel", do(`DELETE FROM outbox WHERE channel_id = $1`, id))
}

// Channel returns the channel; NotFound when the org has none with that ID.
func (tx *Tx) Channel(org hallpass.OrgID, id hallpass.ChannelID) (hallpass.Channel, error) {
	c, err := scanChannel(tx.sql.QueryRow(`SELECT `+channelColumns+` FROM channels WHERE org_id = $1 AND id = $2`, org, id))
	if err != nil {
		return hallpass.Channel{}, notFound(fmt.Errorf("store: channel %d: %w", id, err), errChannelNotFound.ID, errChannelNotFound.Message)
	}
	return c, nil
}

// Channels returns the org's channels by name.
func (tx *Tx) Channels(org hallpass.OrgID) ([]hallpass.Channel, error) {
	list, err := all(tx, scanChannel, `SELECT `+channelColumns+` FROM channels WHERE org_id = $1 ORDER BY name_key`, org)
	if err != nil {
		return nil, fmt.Errorf("store: channels of org %d: %w", org, err)
	}
	return list, nil
}

// ChannelsByID returns those of the org's channels that have one of the IDs, by ID.
func (tx *Tx) ChannelsByID(org hallpass.OrgID, ids []hallpass.ChannelID) (map[hallpass.ChannelID]hallpass.Channel, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := all(tx, scanChannel, `SELECT `+channelColumns+` FROM channels WHERE org_id = $1 AND id IN `+idList(ids), org)
	if err != nil {
		return nil, fmt.Errorf("store: channels of org %d by ID: %w", org, err)
	}
	return byID(list, func(c hallpass.Channel) hallpass.ChannelID { return c.ID }), nil
}

// ActiveChannels returns the channels of all orgs that are not disabled, by ID.
func (tx *Tx) ActiveChannels() ([]hallpass.Channel, error) {
	list, err := all(tx, scanChannel, `SELECT `+channelColumns+` FROM channels WHERE disabled = FALSE ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("store: active channels: %w", err)
	}
	return list, nil
}

// FailingChannels returns the channels of the org that do not work: those whose
// attempts fail, those that the server disabled, and those with notices that were put on
// their way since the time and that nobody took.
func (tx *Tx) FailingChannels(org hallpass.OrgID, since time.Time) ([]hallpass.Channel, error) {
	list, err := all(tx, scanChannel, `
		SELECT `+channelColumns+` FROM channels c
		WHERE  org_id = $1 AND (off_reason <> '' OR disabled = FALSE AND (failing_us > 0 OR EXISTS (
			SELECT 1 FROM outbox o WHERE o.channel_id = c.id AND o.state = 'dead' AND o.attempts > 0 AND o.queued_us > $2)))
		ORDER  BY name_key`, org, micros(since))
	if err != nil {
		return nil, fmt.Errorf("store: failing channels of org %d: %w", org, err)
	}
	return list, nil
}

// ChannelTests returns when somebody tried a channel of the org after the time, the oldest
// first: of the channel with the ID alone unless it is zero. Channels that are deleted
// since count too.
func (tx *Tx) ChannelTests(org hallpass.OrgID, id hallpass.ChannelID, since time.Time) ([]time.Time, error) {
	list, err := all(tx, func(r row) (time.Time, error) {
		var at int64
		err := r.Scan(&at)
		return fromMicros(at), err
	}, `
		SELECT at_us FROM audit
		WHERE  action = $5 AND outcome = $4 AND at_us > $3 AND org_id = $1 AND (CAST($2 AS TEXT) = '' OR target = $2)
		ORDER  BY at_us`, org, channelTarget(id), micros(since), string(hallpass.Done), hallpass.ChannelTest)
	if err != nil {
		return nil, fmt.Errorf("store: tests of channels of org %d: %w", org, err)
	}
	return list, nil
}

func channelTarget(id hallpass.ChannelID) string {
	if id == 0 {
		return ""
	}
	return hallpass.Subject{Kind: hallpass.ChannelSubject, ID: int64(id)}.String()
}
