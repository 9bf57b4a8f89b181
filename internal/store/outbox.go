package store

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// DueDeliveries returns up to limit of what is to be sent to the channel now, the
// longest due first; of one recipient alone where recipient is not nil, whether it is
// due already or will be.
func (tx *Tx) DueDeliveries(channel hallpass.ChannelID, recipient *string, now time.Time, limit int) ([]hallpass.Delivery, error) {
	which, args := `next_us <= $2`, []any{channel, micros(now), limit}
	if recipient != nil {
		which, args = `recipient = $2`, []any{channel, *recipient, limit}
	}
	list, err := all(tx, scanDelivery, `
		SELECT `+deliveryColumns+` FROM outbox WHERE channel_id = $1 AND state = 'due' AND `+which+` ORDER BY next_us, id LIMIT $3`, args...)
	if err != nil {
		return nil, fmt.Errorf("store: due notices of channel %d: %w", channel, err)
	}
	return list, nil
}

// A DueRecipient is somebody who has mail.
type DueRecipient struct {
	Address string
	LastAt  time.Time // when the last one was sent, if that was after the time asked for; else zero
}

// DueRecipients returns whose mail of the channel is due now, by address, with the last
// mail that they got after since.
func (tx *Tx) DueRecipients(channel hallpass.ChannelID, now, since time.Time) ([]DueRecipient, error) {
	list, err := all(tx, func(r row) (d DueRecipient, err error) {
		var last int64
		err = r.Scan(&d.Address, &last)
		d.LastAt = fromMicros(last)
		return d, err
	}, `
		SELECT d.recipient, (SELECT COALESCE(MAX(s.sent_us), 0) FROM outbox s
			WHERE s.channel_id = $1 AND s.state = 'sent' AND s.recipient = d.recipient AND s.kind <> 'channel.test' AND s.sent_us > $3)
		FROM  (SELECT DISTINCT recipient FROM outbox WHERE channel_id = $1 AND state = 'due' AND next_us <= $2) d
		ORDER BY d.recipient`, channel, micros(now), micros(since))
	if err != nil {
		return nil, fmt.Errorf("store: who has mail of channel %d: %w", channel, err)
	}
	return list, nil
}

// PostponeMail has what is due to the recipient wait until then.
func (db *DB) PostponeMail(ctx context.Context, channel hallpass.ChannelID, recipient string, until time.Time) error {
	return db.outbox(ctx, "postpone mail", do(`
		UPDATE outbox SET next_us = $3 WHERE channel_id = $1 AND recipient = $2 AND state = 'due' AND kind <> 'channel.test' AND next_us < $3`, channel, recipient, micros(until)))
}

// outbox runs statements that are no change of authority, in one transaction.
func (db *DB) outbox(ctx context.Context, what string, list ...step) error {
	return db.writeUnordered(ctx, func(tx *Tx) error { return tx.steps(what, list...) })
}

// MarkSent notes that the receiver of the channel took these at the time.
func (db *DB) MarkSent(ctx context.Context, channel hallpass.ChannelID, ids []hallpass.NoticeID, at time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return db.outbox(ctx, "mark notices as sent",
		do(`UPDATE outbox SET state = 'sent', attempts = attempts + 1, sent_us = $2, last_error = '' WHERE channel_id = $1 AND `+isOneOf(ids), channel, micros(at)),
		do(`UPDATE channels SET sent_us = $2, failing_us = 0, last_error = '', rest_us = 0 WHERE id = $1`, channel, micros(at)))
}

// A Failure is an attempt that did not succeed.
type Failure struct {
	Reason string
	At     time.Time
	Next   time.Time // when to try these again; zero: never, they are dead
	Rest   time.Time // the channel gets nothing before
}

// MarkFailed notes that an attempt to send these to the channel failed.
func (db *DB) MarkFailed(ctx context.Context, channel hallpass.ChannelID, ids []hallpass.NoticeID, f Failure) error {
	state := hallpass.NoticeDue
	if f.Next.IsZero() {
		state = hallpass.NoticeDead
	}
	return db.outbox(ctx, "mark notices as failed",
		do(`UPDATE outbox SET state = $2, attempts = attempts + 1, next_us = $3, last_error = $4 WHERE channel_id = $1 AND state = 'due' AND `+isOneOf(ids),
			channel, string(state), micros(f.Next), f.Reason),
		do(`UPDATE channels SET failing_us = CASE failing_us WHEN 0 THEN $2 ELSE failing_us END, last_error = $3, rest_us = $4 WHERE id = $1`,
			channel, micros(f.At), f.Reason, micros(f.Rest)))
}

// DisableChannel disables a channel in the name of the server, because of the reason,
// and leaves the audit entry. One that is disabled already stays as it is.
func (db *DB) DisableChannel(ctx context.Context, c hallpass.Channel, reason string, entry hallpass.AuditEntry) error {
	return db.Write(ctx, func(tx *Tx) error {
		n, err := tx.exec(`
			UPDATE channels SET disabled = TRUE, off_reason = $2, last_error = $2, failing_us = CASE failing_us WHEN 0 THEN $3 ELSE failing_us END, updated_us = $3
			WHERE  id = $1 AND disabled = FALSE`, c.ID, reason, micros(entry.At))
		if err != nil {
			return fmt.Errorf("store: disable channel %d: %w", c.ID, err)
		}
		if n == 0 {
			return nil
		}
		_, err = tx.Audit(entry)
		return err
	})
}

// RetryDead puts what is dead of the channel on its way again, one of them or, with a
// zero ID, all. It returns how many there were.
func (tx *Tx) RetryDead(channel hallpass.ChannelID, id hallpass.NoticeID, at time.Time) (n int64, err error) {
	n, err = tx.exec(`
		UPDATE outbox SET state = 'due', attempts = 0, next_us = $3, queued_us = $3
		WHERE  channel_id = $1 AND state = 'dead' AND (CAST($2 AS BIGINT) = 0 OR id = $2)`, channel, int64(id), micros(at))
	if err == nil && n > 0 {
		err = tx.steps("wake channel", do(`UPDATE channels SET rest_us = 0 WHERE id = $1`, channel))
	}
	if err != nil {
		return 0, fmt.Errorf("store: retry notices of channel %d: %w", channel, err)
	}
	return n, nil
}

// TidyOutbox gives up what was put on its way before tooOld, and deletes what was told,
// or given up, before forgotten.
func (db *DB) TidyOutbox(ctx context.Context, tooOld, forgotten time.Time) error {
	return db.outbox(ctx, "tidy the outbox",
		do(`UPDATE outbox SET state = 'dead', last_error = CASE last_error WHEN '' THEN 'the channel took nothing for too long' ELSE last_error END WHERE state = 'due' AND queued_us < $1`, micros(tooOld)),
		do(`DELETE FROM outbox WHERE state <> 'due' AND created_us < $1`, micros(forgotten)))
}

// isOneOf is the condition that a row is one of ids. IDs are numbers, so they may stand
// in the text.
func isOneOf(ids []hallpass.NoticeID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(int64(id), 10)
	}
	return "id IN (" + strings.Join(texts, ",") + ")"
}

// An Untold picks tokens whose end a channel of their org was not told.
type Untold struct {
	Kind        hallpass.NoticeKind
	Mark        string
	After, Till time.Time        // they end after the first and not after the second
	Token       hallpass.TokenID // of those that end at After only what has a higher number; 0: none of them
	Longer      time.Duration    // they were made to live longer than this
	Made        time.Time        // channels that were made later are not told; zero: when the token ends
	Limit       int
}

// A TokenOf is a token with its account.
type TokenOf struct {
	Token   hallpass.Token
	Account hallpass.ServiceAccount
}

// UntoldTokens returns the tokens that u picks, the first to end first: not those that
// ended before their time, nor those that are being replaced or whose account is
// disabled.
func (tx *Tx) UntoldTokens(u Untold) ([]TokenOf, error) {
	after := u.Token
	if after == 0 {
		after = math.MaxInt64
	}
	tokens, err := all(tx, scanToken, `
		SELECT `+tokenColumns+` FROM tokens t
		WHERE  t.expires_us >= $1 AND (t.expires_us, t.id) > ($1, $9) AND t.expires_us <= $2 AND t.expires_us - t.created_us > $3 AND `+notReplaced+`
		AND    EXISTS (SELECT 1 FROM service_accounts a WHERE a.id = t.service_account_id AND a.disabled = FALSE)
		AND    EXISTS (SELECT 1 FROM channels c
			WHERE  c.org_id = t.org_id AND c.disabled = FALSE AND c.kinds LIKE $4
			AND    c.created_us <= CASE WHEN CAST($5 AS BIGINT) > 0 THEN CAST($5 AS BIGINT) ELSE t.expires_us END
			AND    NOT EXISTS (SELECT 1 FROM outbox o WHERE o.channel_id = c.id AND o.kind = $6 AND o.token_id = t.id AND o.mark = $7))
		ORDER  BY t.expires_us, t.id LIMIT $8`,
		micros(u.After), micros(u.Till), u.Longer.Microseconds(), `%"`+string(u.Kind)+`"%`, micros(u.Made), string(u.Kind), u.Mark, u.Limit, int64(after))
	if err != nil {
		return nil, fmt.Errorf("store: tokens to tell %s of: %w", u.Kind, err)
	}
	return tx.withAccounts(tokens)
}

// withAccounts returns the tokens with their accounts.
func (tx *Tx) withAccounts(tokens []hallpass.Token) ([]TokenOf, error) {
	known := make(map[hallpass.ServiceAccountID]hallpass.ServiceAccount)
	list := make([]TokenOf, 0, len(tokens))
	for _, t := range tokens {
		a, ok := known[t.ServiceAccount]
		if !ok {
			var err error
			if a, err = tx.ServiceAccount(t.Org, t.ServiceAccount); err != nil {
				return nil, err
			}
			known[a.ID] = a
		}
		list = append(list, TokenOf{t, a})
	}
	return list, nil
}

// A NewPlace is where a token was used from for the first time.
type NewPlace struct {
	TokenOf
	From hallpass.From
}

// NewPlaces returns up to limit places from which tokens were used for the first time
// after since, that long after they were made or later, of orgs of which a channel wants
// to know.
func (tx *Tx) NewPlaces(since time.Time, age time.Duration, limit int) ([]NewPlace, error) {
	list, err := all(tx, func(r row) (p NewPlace, err error) {
		err = r.Scan(&p.Token.Org, &p.Token.ID, &p.From.Address, &p.From.UserAgent)
		return p, err
	}, `
		SELECT t.org_id, t.id, p.address, p.agent FROM tokens t JOIN token_places p ON p.token_id = t.id
		WHERE  t.org_id IN (SELECT c.org_id FROM channels c WHERE c.disabled = FALSE AND c.kinds LIKE $4)
		AND    t.used_us > $1 AND p.first_us > $1 AND p.first_us > t.created_us + $2
		ORDER  BY p.first_us LIMIT $3`, micros(since), age.Microseconds(), limit, `%"`+string(hallpass.NoticeNewPlace)+`"%`)
	if err != nil {
		return nil, fmt.Errorf("store: new places: %w", err)
	}
	for i := range list {
		p := &list[i]
		if p.Token, err = tx.OrgToken(p.Token.Org, p.Token.ID); err == nil {
			p.Account, err = tx.ServiceAccount(p.Token.Org, p.Token.ServiceAccount)
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// A DeadUse tells that a token was refused though its secret is right.
type DeadUse struct {
	Token  hallpass.TokenID
	Org    hallpass.OrgID
	Reason string // the ID of the refusal, as "api-key.expired"
	At     time.Time
	From   hallpass.From
}

// DeadUses returns, of the tokens that were refused since the time for one of the
// reasons, the last such refusal of each token and reason.
func (tx *Tx) DeadUses(since time.Time, reasons ...string) ([]DeadUse, error) {
	args := []any{micros(since), hallpass.TokenVerify, string(hallpass.Refused)}
	among := binds(&args, reasons)
	list, err := all(tx, func(r row) (d DeadUse, err error) {
		var at int64
		err = r.Scan(&d.Token, &d.Org, &d.Reason, &at, &d.From.Address, &d.From.UserAgent)
		d.At = fromMicros(at)
		return d, err
	}, `
		SELECT a.token_id, a.org_id, a.reason, a.at_us, a.address, a.user_agent FROM audit a
		WHERE  a.id IN (SELECT MAX(id) FROM audit
			WHERE  action = $2 AND outcome = $3 AND at_us > $1 AND token_id > 0 AND reason IN (`+among+`)
			GROUP  BY token_id, reason)
		ORDER  BY a.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("store: uses of dead tokens: %w", err)
	}
	return list, nil
}

// Told reports whether a channel of the notice's org has it.
func (tx *Tx) Told(n hallpass.Notice) (told bool, err error) {
	err = tx.sql.QueryRow(`
		SELECT EXISTS (SELECT 1 FROM outbox o JOIN channels c ON c.id = o.channel_id
			WHERE c.org_id = $1 AND o.kind = $2 AND o.token_id = $3 AND o.mark = $4)`, n.Org, string(n.Kind), n.Token, n.Mark).Scan(&told)
	if err != nil {
		return false, fmt.Errorf("store: was it told: %w", err)
	}
	return told, nil
}
