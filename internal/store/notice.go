package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// Notify writes notices to the outbox, each for the channels of its org that take it,
// in the transaction of what they tell: told means committed, and committed means told.
// A channel that has a notice already gets no second one. An org without a channel
// costs one look. It writes, so it comes after the changes of the transaction.
func (tx *Tx) Notify(list ...hallpass.Notice) error {
	known := make(map[hallpass.OrgID][]hallpass.Channel)
	var rows []outboxRow
	for _, n := range list {
		channels, ok := known[n.Org]
		if !ok {
			var err error
			if channels, err = tx.Channels(n.Org); err != nil {
				return err
			}
			known[n.Org] = channels
		}
		for _, c := range channels {
			if c.Takes(n) {
				rows = append(rows, outboxRows(c, n)...)
			}
		}
	}
	return tx.insertOutbox(rows)
}

// NotifyChannel writes the notice to the outbox for the channel, whether or not that
// takes it. One that it has already is left as it is.
func (tx *Tx) NotifyChannel(c hallpass.Channel, n hallpass.Notice) error {
	return tx.insertOutbox(outboxRows(c, n))
}

// outboxRow is a notice for one recipient of a channel.
type outboxRow struct {
	channel   hallpass.ChannelID
	recipient string
	state     hallpass.NoticeState
	failure   string
	notice    hallpass.Notice
}

func outboxRows(c hallpass.Channel, n hallpass.Notice) (rows []outboxRow) {
	for _, recipient := range c.Recipients(n) {
		rows = append(rows, outboxRow{c.ID, recipient, hallpass.NoticeDue, "", n})
	}
	if len(rows) == 0 { // a row says that this was told to all who are to hear it
		rows = append(rows, outboxRow{c.ID, "", hallpass.NoticeDead, "nobody to tell: the owner is no mail address, and the channel has no addresses", n})
	}
	return rows
}

func (tx *Tx) insertOutbox(rows []outboxRow) error {
	if len(rows) == 0 {
		return nil
	}
	last, err := tx.nextIDs("notice", len(rows))
	if err != nil {
		return err
	}
	for i, r := range rows {
		n := r.notice
		body, err := encodeJSON(storedNotice(n.Clean()))
		if err != nil {
			return fmt.Errorf("store: notify: %w", err)
		}
		_, err = tx.exec(`
			INSERT INTO outbox (id, org_id, channel_id, recipient, kind, token_id, mark, body, state, attempts, next_us, last_error, created_us, queued_us, sent_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10, 0, $9, $11, $9, $9, 0)
			ON CONFLICT (channel_id, kind, token_id, mark, recipient) DO NOTHING`,
			last-int64(len(rows)-1-i), n.Org, r.channel, r.recipient, n.Kind, n.Token, n.Mark, body, micros(n.At), string(r.state), r.failure)
		if err != nil {
			return fmt.Errorf("store: notify channel %d: %w", r.channel, err)
		}
	}
	return nil
}

// storedNotice is a notice as the column body has it.
type storedNotice struct {
	Kind         hallpass.NoticeKind       `json:"kind"`
	Org          hallpass.OrgID            `json:"org"`
	At           time.Time                 `json:"at"`
	Mark         string                    `json:"mark,omitempty"`
	Token        hallpass.TokenID          `json:"token,omitempty"`
	Name         string                    `json:"name,omitempty"`
	LastFour     string                    `json:"lastFour,omitempty"`
	Generation   int                       `json:"generation,omitempty"`
	State        hallpass.TokenState       `json:"state,omitempty"`
	ExpiresAt    time.Time                 `json:"expiresAt,omitzero"`
	LastUse      hallpass.Use              `json:"lastUse,omitzero"`
	Account      hallpass.ServiceAccountID `json:"account,omitempty"`
	AccountName  string                    `json:"accountName,omitempty"`
	AccountLogin string                    `json:"accountLogin,omitempty"`
	Owner        string                    `json:"owner,omitempty"`
	Purpose      string                    `json:"purpose,omitempty"`
	Days         int                       `json:"days,omitempty"`
	Successor    hallpass.TokenID          `json:"successor,omitempty"`
	Actor        string                    `json:"actor,omitempty"`
	Reason       string                    `json:"reason,omitempty"`
	From         hallpass.From             `json:"from,omitzero"`
}

const deliveryColumns = `id, channel_id, recipient, body, state, attempts, next_us, last_error, created_us, queued_us, sent_us`

func scanDelivery(r row) (d hallpass.Delivery, err error) {
	var body string
	var next, created, queued, sent int64
	err = r.Scan(&d.ID, &d.Channel, &d.Recipient, &body, &d.State, &d.Attempts, &next, &d.LastError, &created, &queued, &sent)
	if err != nil {
		return d, err
	}
	d.NextAt, d.CreatedAt, d.QueuedAt, d.SentAt = fromMicros(next), fromMicros(created), fromMicros(queued), fromMicros(sent)
	var n storedNotice
	if err := json.Unmarshal([]byte(body), &n); err != nil {
		return d, fmt.Errorf("store: body of notice %d: %w", d.ID, err)
	}
	d.Notice = hallpass.Notice(n)
	return d, nil
}

// Deliveries returns up to limit of what was written to the channel with a number lower
// than before (0: all), the newest first, in that state ("": in any).
func (tx *Tx) Deliveries(channel hallpass.ChannelID, state hallpass.NoticeState, before hallpass.NoticeID, limit int) ([]hallpass.Delivery, error) {
	list, err := all(tx, scanDelivery, `
		SELECT `+deliveryColumns+` FROM outbox
		WHERE  channel_id = $1 AND CAST($2 AS TEXT) IN ('', state) AND (CAST($3 AS BIGINT) = 0 OR id < $3)
		ORDER  BY id DESC LIMIT $4`, channel, string(state), int64(before), limit)
	if err != nil {
		return nil, fmt.Errorf("store: deliveries of channel %d: %w", channel, err)
	}
	return list, nil
}
