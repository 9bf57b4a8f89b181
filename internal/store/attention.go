package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A WorkingTokens picks tokens of an org that may be used at Now and that no other
// token replaces; zero fields pick all.
type WorkingTokens struct {
	Org        hallpass.OrgID
	Now        time.Time
	Among      []hallpass.ServiceAccountID // nil: of all accounts
	NeverEnd   bool
	EndAfter   time.Time     // only those that end after it
	EndBefore  time.Time     // only those that end at it or before
	MadeBefore time.Time     // only those that were made before it
	MadeFor    time.Duration // only those that were made to live so long at least
	PastHalf   bool          // with EndAfter: only those that have lived for half of their time
	NeverUsed  bool
	UsedSince  time.Time                 // only those that were used at it or later
	UsedBefore time.Time                 // only those that were used, and not since it
	Unused     time.Time                 // only those that nobody has used since it
	Fresh      time.Time                 // without those that were made since it and that nobody has used
	Awake      hallpass.AttentionSection // only those that are not snoozed in the section

	AfterEnd time.Time        // by end: only those after this one, or at it with a higher ID than After
	After    hallpass.TokenID // by ID: only those with a higher one
	Limit    int
}

// byEnd reports whether the tokens come by their end, and then by ID; else they come by
// ID.
func (q WorkingTokens) byEnd() bool { return !q.EndAfter.IsZero() }

// WorkingTokenIDs returns the IDs of the tokens that q picks, in its order.
func (tx *Tx) WorkingTokenIDs(q WorkingTokens) ([]hallpass.TokenID, error) {
	var b bound
	where := q.picks(&b)
	order, index := `t.id`, ""
	if q.byEnd() {
		where += ` AND (t.expires_us, t.id) > (` + b.add(micros(q.AfterEnd)) + `, ` + b.add(int64(q.After)) + `)`
		order, index = `t.expires_us, t.id`, tx.db.by("tokens_expiry")
	} else {
		where += ` AND t.id > ` + b.add(int64(q.After))
	}
	list, err := all(tx, func(r row) (id hallpass.TokenID, err error) { return id, r.Scan(&id) }, `
		SELECT t.id FROM tokens t`+index+` JOIN service_accounts a ON a.id = t.service_account_id AND a.disabled = FALSE
		WHERE `+where+` ORDER BY `+order+` LIMIT `+b.add(q.Limit), b.args...)
	if err != nil {
		return nil, fmt.Errorf("store: working tokens of org %d: %w", q.Org, err)
	}
	return list, nil
}

// picks returns the conditions that q makes of the token t and its account a, which is not
// disabled, apart from the page.
func (q WorkingTokens) picks(b *bound) string {
	org, now := b.add(q.Org), b.add(micros(q.Now))
	where := `t.org_id = ` + org + ` AND ` + notReplaced + `
		AND (t.paused_us = 0 OR (t.paused_until_us > 0 AND t.paused_until_us <= ` + now + `))`
	switch {
	case q.byEnd(): // the index has only what ends, which no bound value can promise
		where += ` AND t.expires_us > 0 AND t.expires_us > ` + b.add(max(micros(q.EndAfter), micros(q.Now)))
	case q.NeverEnd:
		where += ` AND t.expires_us = 0`
	default:
		where += ` AND NOT ` + tokenOver(now)
	}
	if !q.EndBefore.IsZero() {
		where += ` AND t.expires_us <= ` + b.add(micros(q.EndBefore))
	}
	if !q.MadeBefore.IsZero() {
		where += ` AND t.created_us < ` + b.add(micros(q.MadeBefore))
	}
	if q.MadeFor > 0 {
		where += ` AND t.expires_us - t.created_us >= ` + b.add(q.MadeFor.Microseconds())
	}
	if q.PastHalf {
		where += ` AND t.expires_us - ` + now + ` <= (t.expires_us - t.created_us) / 2`
	}
	return where + q.whereUsed(b) + among(q.Among) + awake(b, q.Org, q.Now, q.Awake, hallpass.TokenSubject, "t.id")
}

func (q WorkingTokens) whereUsed(b *bound) (where string) {
	if q.NeverUsed {
		where += ` AND t.used_us = 0`
	}
	if !q.UsedSince.IsZero() {
		where += ` AND t.used_us >= ` + b.add(micros(q.UsedSince))
	}
	if !q.UsedBefore.IsZero() {
		where += ` AND t.used_us > 0 AND t.used_us < ` + b.add(micros(q.UsedBefore))
	}
	if !q.Unused.IsZero() {
		where += ` AND t.used_us < ` + b.add(micros(q.Unused))
	}
	if !q.Fresh.IsZero() {
		where += ` AND (t.used_us > 0 OR t.created_us < ` + b.add(micros(q.Fresh)) + `)`
	}
	return where
}

// bound gathers what a statement binds.
type bound struct{ args []any }

// add returns the placeholder of a value.
func (b *bound) add(v any) string {
	b.args = append(b.args, v)
	return "$" + strconv.Itoa(len(b.args))
}

// awake is the condition that what the column has the ID of is not snoozed in the
// section; empty for no section.
func awake(b *bound, org hallpass.OrgID, now time.Time, section hallpass.AttentionSection, kind hallpass.SubjectKind, column string) string {
	if section == "" {
		return ""
	}
	return ` AND NOT EXISTS (SELECT 1 FROM snoozes z WHERE z.org_id = ` + b.add(org) + ` AND z.section = ` + b.add(string(section)) +
		` AND z.kind = ` + b.add(string(kind)) + ` AND z.subject_id = ` + column + ` AND z.part = 0 AND z.until_us > ` + b.add(micros(now)) + `)`
}

// idList writes IDs as a list of SQL. IDs are numbers, so they may stand in the text.
// Nothing is in the list of none.
func idList[T ~int64](ids []T) string {
	if len(ids) == 0 {
		return "(NULL)"
	}
	var b strings.Builder
	b.WriteByte('(')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(int64(id), 10))
	}
	b.WriteByte(')')
	return b.String()
}

// TokensByID returns those of the org's tokens that have one of the IDs, by ID.
func (tx *Tx) TokensByID(org hallpass.OrgID, ids []hallpass.TokenID) (map[hallpass.TokenID]hallpass.Token, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := all(tx, scanToken, `SELECT `+tokenColumns+` FROM tokens t WHERE t.org_id = $1 AND t.id IN `+idList(ids), org)
	if err != nil {
		return nil, fmt.Errorf("store: tokens of org %d by ID: %w", org, err)
	}
	return byID(list, func(t hallpass.Token) hallpass.TokenID { return t.ID }), nil
}

func byID[T any, ID comparable](list []T, id func(T) ID) map[ID]T {
	found := make(map[ID]T, len(list))
	for _, v := range list {
		found[id(v)] = v
	}
	return found
}

// A WorkingName is a name that tokens of an account which work have, in one spelling.
type WorkingName struct {
	Account hallpass.ServiceAccountID
	Name    string
	Made    time.Time // when the latest of them was made
}

// WorkingNames returns the names of the tokens of the org's accounts that work at now if
// their account does.
func (tx *Tx) WorkingNames(org hallpass.OrgID, accounts []hallpass.ServiceAccountID, now time.Time) ([]WorkingName, error) {
	list, err := all(tx, func(r row) (n WorkingName, err error) {
		var made int64
		err = r.Scan(&n.Account, &n.Name, &made)
		n.Made = fromMicros(made)
		return n, err
	}, `
		SELECT t.service_account_id, t.name, MAX(t.created_us) FROM tokens t
		WHERE  t.org_id = $1 AND t.service_account_id IN `+idList(accounts)+` AND `+stateOfToken("$2", "FALSE")+` IN ('live', 'overlapping')
		GROUP  BY t.service_account_id, t.name`, org, micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: names of tokens of org %d that work: %w", org, err)
	}
	return list, nil
}

// ServiceAccountsByID returns those of the org's accounts that have one of the IDs, by ID.
func (tx *Tx) ServiceAccountsByID(org hallpass.OrgID, ids []hallpass.ServiceAccountID) (map[hallpass.ServiceAccountID]hallpass.ServiceAccount, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	scan := func(r row) (hallpass.ServiceAccount, error) { return scanAccount(r) }
	list, err := all(tx, scan, `SELECT `+accountColumns+` FROM service_accounts a WHERE a.org_id = $1 AND a.id IN `+idList(ids), org)
	if err != nil {
		return nil, fmt.Errorf("store: service accounts of org %d by ID: %w", org, err)
	}
	return byID(list, func(a hallpass.ServiceAccount) hallpass.ServiceAccountID { return a.ID }), nil
}

// OverlappingTokens returns up to limit of the org's tokens that another replaces and
// that have not ended, the one that ends first first.
func (tx *Tx) OverlappingTokens(org hallpass.OrgID, now time.Time, accounts []hallpass.ServiceAccountID, limit int) ([]hallpass.Token, error) {
	list, err := all(tx, scanToken, `
		SELECT `+tokenColumns+` FROM tokens t`+tx.db.by("tokens_overlap")+` JOIN service_accounts a ON a.id = t.service_account_id
		WHERE  t.successor_id > 0 AND t.revoked_us = 0 AND t.org_id = $1 AND NOT `+tokenOver("$2")+among(accounts)+`
		ORDER  BY t.close_us, t.id LIMIT $3`, org, micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("store: overlapping tokens of org %d: %w", org, err)
	}
	return list, nil
}

// OwnerlessAccounts returns the IDs of up to limit of the org's accounts after the one
// given, by ID, that have no owner, are not disabled and have a token without an owner
// that has not ended, and are not snoozed in the section.
func (tx *Tx) OwnerlessAccounts(org hallpass.OrgID, now time.Time, accounts []hallpass.ServiceAccountID, section hallpass.AttentionSection, after hallpass.ServiceAccountID, limit int) ([]hallpass.ServiceAccountID, error) {
	var b bound
	of, at := b.add(org), b.add(micros(now))
	list, err := all(tx, func(r row) (id hallpass.ServiceAccountID, err error) { return id, r.Scan(&id) }, `
		SELECT a.id FROM service_accounts a
		WHERE  a.org_id = `+of+` AND a.owner = '' AND a.disabled = FALSE AND a.id > `+b.add(int64(after))+`
		AND    EXISTS (SELECT 1 FROM tokens t WHERE t.service_account_id = a.id AND t.owner = '' AND t.revoked_us = 0 AND NOT `+tokenOver(at)+`)`+
		among(accounts)+awake(&b, org, now, section, hallpass.AccountSubject, "a.id")+`
		ORDER  BY a.id LIMIT `+b.add(limit), b.args...)
	if err != nil {
		return nil, fmt.Errorf("store: accounts of org %d without owner: %w", org, err)
	}
	return list, nil
}

// SetSnooze puts a row off, as the newest snooze of it says.
func (tx *Tx) SetSnooze(s hallpass.Snooze) error {
	_, err := tx.exec(`
		INSERT INTO snoozes (org_id, section, kind, subject_id, part, until_us, reason, created_us, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (org_id, section, kind, subject_id, part)
		DO UPDATE SET until_us = excluded.until_us, reason = excluded.reason, created_us = excluded.created_us, created_by = excluded.created_by`,
		s.Org, string(s.Section), string(s.Subject.Kind), s.Subject.ID, s.Subject.Part, micros(s.Until), s.Reason, micros(s.At), s.By)
	if err != nil {
		return fmt.Errorf("store: snooze %s in org %d: %w", s.Subject, s.Org, err)
	}
	return nil
}

// DeleteSnooze ends a snooze; NotFound when there is none.
func (tx *Tx) DeleteSnooze(org hallpass.OrgID, section hallpass.AttentionSection, s hallpass.Subject) error {
	n, err := tx.exec(`DELETE FROM snoozes WHERE org_id = $1 AND section = $2 AND kind = $3 AND subject_id = $4 AND part = $5`,
		org, string(section), string(s.Kind), s.ID, s.Part)
	if err != nil {
		return fmt.Errorf("store: end snooze of %s in org %d: %w", s, org, err)
	}
	if n == 0 {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: "attention.not-snoozed", Message: "This is not snoozed"}
	}
	return nil
}

// Snoozes returns the org's snoozes that are not over at now, the one that ends first
// first.
func (tx *Tx) Snoozes(org hallpass.OrgID, now time.Time) ([]hallpass.Snooze, error) {
	list, err := all(tx, func(r row) (hallpass.Snooze, error) {
		var s hallpass.Snooze
		var until, at int64
		err := r.Scan(&s.Org, &s.Section, &s.Subject.Kind, &s.Subject.ID, &s.Subject.Part, &until, &s.Reason, &at, &s.By)
		s.Until, s.At = fromMicros(until), fromMicros(at)
		return s, err
	}, `
		SELECT org_id, section, kind, subject_id, part, until_us, reason, created_us, created_by FROM snoozes
		WHERE  org_id = $1 AND until_us > $2 ORDER BY until_us, section, kind, subject_id, part`, org, micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: snoozes of org %d: %w", org, err)
	}
	return list, nil
}

// DeleteOverSnoozes deletes the snoozes that are over at now.
func (tx *Tx) DeleteOverSnoozes(now time.Time) error {
	return tx.steps("delete snoozes that are over", do(`DELETE FROM snoozes WHERE until_us <= $1`, micros(now)))
}

// GuardRefusals returns the rules of the org's guards that refused requests with good tokens
// on the days from since on, by guard and rule: what the token itself was refused for is no
// matter of the rule. The rows have the guard, the rule, how
// many requests that were, and why the most of them were refused.
func (tx *Tx) GuardRefusals(org hallpass.OrgID, since time.Time) ([]hallpass.AttentionRow, error) {
	list, err := all(tx, func(r row) (a hallpass.AttentionRow, err error) {
		var day int64
		a.Subject.Kind = hallpass.GuardSubject
		err = r.Scan(&a.Subject.ID, &a.Guard, &a.Rule, &a.Reason, &a.Count, &day)
		a.Subject.Part, a.Last = a.Rule, fromMicros(day)
		return a, err
	}, `
		SELECT g.id, g.name, u.rule, u.outcome, SUM(u.n), MAX(u.day_us) FROM guards g JOIN guard_usage u ON u.guard_id = g.id
		WHERE  g.org_id = $1 AND u.day_us >= $2 AND u.outcome <> $3 AND u.token_id > 0 AND u.outcome <> 'identity.disabled' AND u.outcome NOT LIKE 'api-key.%'
		GROUP  BY g.id, g.name, u.rule, u.outcome ORDER BY g.id, u.rule, SUM(u.n) DESC, u.outcome`, org, micros(since), hallpass.GuardAllowed)
	if err != nil {
		return nil, fmt.Errorf("store: refusals of guards of org %d: %w", org, err)
	}
	var rules []hallpass.AttentionRow
	for _, a := range list {
		if n := len(rules); n > 0 && rules[n-1].Subject == a.Subject {
			rules[n-1].Count += a.Count
			continue
		}
		rules = append(rules, a)
	}
	return rules, nil
}
