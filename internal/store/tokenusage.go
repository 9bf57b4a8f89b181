package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A TokenUsed is usage of one token, to be added to what is stored.
type TokenUsed struct {
	Token hallpass.TokenID
	hallpass.TokenUsage
}

// TokensInOne is how many tokens' usage one call of AddTokenUsage should add: with
// more, changes wait longer.
const TokensInOne = 100

// AddTokenUsage adds to what is stored of the usage of tokens. What is older than the
// latest use of a client or an action changes only its count, so nodes may add in any
// order. Usage of a token that is gone is dropped.
func (db *DB) AddTokenUsage(ctx context.Context, list []TokenUsed) error {
	if len(list) == 0 {
		return nil
	}
	rows := usageRowsOf(list)
	err := db.writeUnordered(ctx, func(tx *Tx) error {
		if err := tx.addDays(tokenOwned, rows.days); err != nil {
			return err
		}
		if err := tx.addRows(placesUpsert, rows.places); err != nil {
			return err
		}
		if err := tx.addActions(tokenOwned, rows.actions); err != nil {
			return err
		}
		if err := tx.trim("token_places", "address, agent", hallpass.MaxTokenPlaces, rows.tokens); err != nil {
			return err
		}
		return tx.trim("token_actions", "action, scope", hallpass.MaxTokenActions, rows.tokens)
	})
	if err != nil {
		return fmt.Errorf("store: add usage of tokens: %w", err)
	}
	return nil
}

// usageRows are the rows of the tables, one for each key, in the order of the keys:
// two nodes then never wait for each other in a circle.
type usageRows struct {
	tokens  []int64
	days    [][]any
	places  [][]any
	actions []actionRow
}

// An actionRow is a row of token_actions or account_actions.
type actionRow struct {
	owner int64
	hallpass.TokenAction
}

type dayKey struct{ owner, day int64 }

type placeKey struct {
	token int64
	hallpass.From
}

type actionKey struct {
	owner  int64
	action hallpass.Action
	scope  hallpass.Scope
}

func usageRowsOf(list []TokenUsed) (r usageRows) {
	days, places, actions := make(map[dayKey]hallpass.TokenDay), make(map[placeKey]hallpass.TokenPlace), make(map[actionKey]hallpass.TokenAction)
	for _, u := range list {
		token := int64(u.Token)
		r.tokens = append(r.tokens, token)
		for _, d := range u.Days {
			key := dayKey{token, micros(d.Day)}
			d.Add(days[key])
			days[key] = d
		}
		for _, p := range u.Places {
			key := placeKey{token, p.From}
			places[key] = mergePlaces(places[key], p)
		}
		for _, a := range u.Actions {
			key := actionKey{token, a.Action, a.Scope}
			actions[key] = mergeActions(actions[key], a)
		}
	}
	slices.Sort(r.tokens)
	r.tokens = slices.Compact(r.tokens)
	r.days = dayRows(days)
	for key, p := range places {
		r.places = append(r.places, []any{key.token, p.Address, p.UserAgent, p.Route.Method, p.Route.Pattern, int64(p.Status), micros(p.First), micros(p.Last), p.Count})
	}
	slices.SortFunc(r.places, func(a, b []any) int {
		return cmp.Or(cmp.Compare(a[0].(int64), b[0].(int64)), cmp.Compare(a[1].(string), b[1].(string)), cmp.Compare(a[2].(string), b[2].(string)))
	})
	r.actions = actionRows(actions)
	return r
}

func dayRows(days map[dayKey]hallpass.TokenDay) (rows [][]any) {
	keys := slices.SortedFunc(maps.Keys(days), func(a, b dayKey) int { return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.day, b.day)) })
	for _, key := range keys {
		d := days[key]
		rows = append(rows, []any{key.owner, key.day, d.OK, d.Denied, d.Failed, d.Refused, d.Limited})
	}
	return rows
}

func actionRows(actions map[actionKey]hallpass.TokenAction) (rows []actionRow) {
	keys := slices.SortedFunc(maps.Keys(actions), func(a, b actionKey) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.action, b.action), cmp.Compare(a.scope, b.scope))
	})
	for _, key := range keys {
		rows = append(rows, actionRow{key.owner, actions[key]})
	}
	return rows
}

// mergePlaces returns one place for two of a client; the zero place is none.
func mergePlaces(a, b hallpass.TokenPlace) hallpass.TokenPlace {
	if a.Count == 0 {
		return b
	}
	if b.Last.Before(a.Last) {
		a, b = b, a
	}
	if a.First.Before(b.First) {
		b.First = a.First
	}
	b.Count += a.Count
	return b
}

// mergeActions returns one action for two alike; the zero action is none.
func mergeActions(a, b hallpass.TokenAction) hallpass.TokenAction {
	if a.Last.After(b.Last) {
		b.Last = a.Last
	}
	b.Count += a.Count
	return b
}

// An upsert adds rows to a table, of rows that are there to their counts.
type upsert struct {
	table, owner, parent string   // owner is the column that refers to the table parent: rows of none are dropped
	columns              []string // all of them, the owner first
	types                []string // of the columns, in SQL
	key, set             string   // the key's columns, and what becomes of a row that is there
}

// owned says whose usage a table has.
type owned struct{ prefix, owner, parent string }

var (
	tokenOwned   = owned{"token", "token_id", "tokens"}
	accountOwned = owned{"account", "account_id", "service_accounts"}
)

const big, text = "BIGINT", "TEXT"

func (o owned) days() upsert {
	t := o.prefix + "_days"
	return upsert{
		table: t, owner: o.owner, parent: o.parent,
		columns: []string{o.owner, "day_us", "ok", "denied", "failed", "refused", "limited"}, types: []string{big, big, big, big, big, big, big},
		key: o.owner + ", day_us", set: added(t, "ok", "denied", "failed", "refused", "limited"),
	}
}

func (o owned) actions() upsert {
	t := o.prefix + "_actions"
	return upsert{
		table: t, owner: o.owner, parent: o.parent,
		columns: []string{o.owner, "action", "scope", "last_us", "n"}, types: []string{big, text, text, big, big},
		key: o.owner + ", action, scope", set: latest(t, "last_us") + ", " + added(t, "n"),
	}
}

var placesUpsert = upsert{
	table: "token_places", owner: "token_id", parent: "tokens",
	columns: []string{"token_id", "address", "agent", "method", "route", "status", "first_us", "last_us", "n"},
	types:   []string{big, text, text, text, text, big, big, big, big},
	key:     "token_id, address, agent",
	set: latest("token_places", "method", "route", "status", "last_us") + ", " + added("token_places", "n") +
		", first_us = CASE WHEN excluded.first_us < token_places.first_us THEN excluded.first_us ELSE token_places.first_us END",
}

// added sets the columns to what they are and what is added.
func added(table string, columns ...string) string {
	for i, c := range columns {
		columns[i] = c + " = " + table + "." + c + " + excluded." + c
	}
	return strings.Join(columns, ", ")
}

// latest sets the columns to those of the later row.
func latest(table string, columns ...string) string {
	for i, c := range columns {
		columns[i] = c + " = CASE WHEN excluded.last_us >= " + table + ".last_us THEN excluded." + c + " ELSE " + table + "." + c + " END"
	}
	return strings.Join(columns, ", ")
}

// statement returns the statement for n rows. The first row tells the types of all.
func (u upsert) statement(n int) string {
	var b strings.Builder
	columns := strings.Join(u.columns, ", ")
	b.WriteString("WITH v (" + columns + ") AS (VALUES ")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		for j := range u.columns {
			bind := "$" + strconv.Itoa(i*len(u.columns)+j+1)
			if i == 0 {
				bind = "CAST(" + bind + " AS " + u.types[j] + ")"
			}
			b.WriteString([]string{"(", ", "}[min(j, 1)] + bind)
		}
		b.WriteString(")")
	}
	b.WriteString(") INSERT INTO " + u.table + " (" + columns + ") SELECT v.* FROM v JOIN " + u.parent + " p ON p.id = v." + u.owner +
		" WHERE TRUE ON CONFLICT (" + u.key + ") DO UPDATE SET " + u.set)
	return b.String()
}

// rowsInStatement is how many rows one statement adds: so many as there are left.
// Few sizes make few statements, which PostgreSQL keeps prepared.
var rowsInStatement = [...]int{32, 8, 1}

// addRows adds the rows.
func (tx *Tx) addRows(u upsert, rows [][]any) error {
	for _, n := range rowsInStatement {
		if len(rows) < n {
			continue
		}
		statement := u.statement(n)
		for ; len(rows) >= n; rows = rows[n:] {
			if _, err := tx.exec(statement, slices.Concat(rows[:n]...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) addDays(o owned, rows [][]any) error { return tx.addRows(o.days(), rows) }

// addActions adds the rows, after it has put AnyScope in the place of scopes that are
// too many for their action.
func (tx *Tx) addActions(o owned, rows []actionRow) error {
	known, err := tx.scopesOf(o, rows)
	if err != nil {
		return err
	}
	actions := make(map[actionKey]hallpass.TokenAction, len(rows))
	for _, r := range rows {
		key := actionKey{owner: r.owner, action: r.Action}
		if scopes := known[key]; r.Scope != "" && !slices.Contains(scopes, r.Scope) {
			if len(scopes) >= hallpass.MaxActionScopes {
				r.Scope = hallpass.AnyScope
			} else {
				known[key] = append(scopes, r.Scope)
			}
		}
		key.scope = r.Scope
		actions[key] = mergeActions(actions[key], r.TokenAction)
	}
	var values [][]any
	for _, r := range actionRows(actions) {
		values = append(values, []any{r.owner, string(r.Action), string(r.Scope), micros(r.Last), r.Count})
	}
	return tx.addRows(o.actions(), values)
}

// scopesOf returns the scopes that are known of each action of those who have actions
// with scopes among the rows, by key without scope.
func (tx *Tx) scopesOf(o owned, rows []actionRow) (map[actionKey][]hallpass.Scope, error) {
	var owners []int64
	for _, r := range rows {
		if r.Scope != "" {
			owners = append(owners, r.owner)
		}
	}
	known := make(map[actionKey][]hallpass.Scope)
	for some := range slices.Chunk(slices.Compact(owners), idsInStatement) {
		var args []any
		places := binds(&args, padded(some))
		list, err := all(tx, func(r row) (k actionKey, err error) { return k, r.Scan(&k.owner, &k.action, &k.scope) },
			`SELECT `+o.owner+`, action, scope FROM `+o.prefix+`_actions WHERE scope NOT IN ('', '*') AND `+o.owner+` IN (`+places+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			key := actionKey{owner: k.owner, action: k.action}
			known[key] = append(known[key], k.scope)
		}
	}
	return known, nil
}

// idsInStatement is for how many ids a statement has placeholders.
const idsInStatement = 32

// padded returns the ids as idsInStatement of them; the last comes as often as is
// needed. So the text of a statement is the same for any number.
func padded(ids []int64) []int64 {
	return append(slices.Clone(ids), slices.Repeat(ids[len(ids)-1:], idsInStatement-len(ids))...)
}

// trim deletes of each of the tokens the oldest rows beyond the bound. key are the
// columns that tell the rows of a token apart.
func (tx *Tx) trim(table, key string, bound int, tokens []int64) error {
	for some := range slices.Chunk(tokens, idsInStatement) {
		var args []any
		places := binds(&args, padded(some))
		over, err := all(tx, scanMicros, `
			SELECT token_id FROM `+table+` WHERE token_id IN (`+places+`)
			GROUP BY token_id HAVING COUNT(*) > `+strconv.Itoa(bound), args...)
		if err != nil {
			return err
		}
		for _, token := range over {
			_, err := tx.exec(`
				DELETE FROM `+table+` WHERE token_id = $1 AND (`+key+`) NOT IN (
					SELECT `+key+` FROM `+table+` WHERE token_id = $1 ORDER BY last_us DESC, `+key+` LIMIT `+strconv.Itoa(bound)+`)`, token)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// keepUsage adds the days and actions of the token, which is about to be deleted, to
// those of its account.
func (tx *Tx) keepUsage(account hallpass.ServiceAccountID, token hallpass.TokenID) error {
	list, err := tx.daysOf(token, time.Time{})
	if err != nil {
		return err
	}
	days := make(map[dayKey]hallpass.TokenDay, len(list))
	for _, d := range list {
		days[dayKey{int64(account), micros(d.Day)}] = d
	}
	if err := tx.addDays(accountOwned, dayRows(days)); err != nil {
		return fmt.Errorf("store: keep the days of token %d: %w", token, err)
	}
	actions, err := tx.actionsOf(token)
	if err != nil {
		return err
	}
	rows := make([]actionRow, len(actions))
	for i, a := range actions {
		rows[i] = actionRow{int64(account), a}
	}
	if err := tx.addActions(accountOwned, rows); err != nil {
		return fmt.Errorf("store: keep the actions of token %d: %w", token, err)
	}
	return nil
}

// TokenUsage returns the usage of the token: days from since on, all of its places and
// actions.
func (tx *Tx) TokenUsage(token hallpass.TokenID, since time.Time) (u hallpass.TokenUsage, err error) {
	if u.Days, err = tx.daysOf(token, since); err != nil {
		return u, err
	}
	if u.Places, err = all(tx, scanPlace, `
		SELECT `+placeColumns+` FROM token_places p WHERE p.token_id = $1 ORDER BY p.last_us DESC, p.address, p.agent`, token); err != nil {
		return u, fmt.Errorf("store: places of token %d: %w", token, err)
	}
	u.Actions, err = tx.actionsOf(token)
	return u, err
}

// LastRoutes completes the last uses of the tokens by what was asked for, as far as it
// is written yet. Of each token it reads the row of one client.
func (tx *Tx) LastRoutes(tokens []hallpass.Token) error {
	at := make(map[hallpass.TokenID]int, len(tokens))
	for i, t := range tokens {
		if !t.LastUse.At.IsZero() {
			at[t.ID] = i
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(at)), idsInStatement) {
		var args []any
		values := make([]string, len(some))
		for i, id := range some {
			use := tokens[at[id]].LastUse
			values[i] = "(" + binds(&args, []any{int64(id), use.Address, use.UserAgent}) + ")"
		}
		values[0] = "(CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT))" // tells the types of all
		_, err := all(tx, func(r row) (none struct{}, err error) {
			var id hallpass.TokenID
			var route string
			if err = r.Scan(&id, &route); err == nil {
				tokens[at[id]].LastUse.Route = route
			}
			return none, err
		}, `
			WITH v (id, address, agent) AS (VALUES `+strings.Join(values, ", ")+`)
			SELECT p.token_id, p.route FROM v JOIN token_places p ON p.token_id = v.id AND p.address = v.address AND p.agent = v.agent`, args...)
		if err != nil {
			return fmt.Errorf("store: last routes of tokens: %w", err)
		}
	}
	return nil
}

func (tx *Tx) daysOf(token hallpass.TokenID, since time.Time) ([]hallpass.TokenDay, error) {
	list, err := all(tx, scanDay, `
		SELECT day_us, ok, denied, failed, refused, limited FROM token_days WHERE token_id = $1 AND day_us >= $2 ORDER BY day_us`, token, micros(since))
	if err != nil {
		return nil, fmt.Errorf("store: days of token %d: %w", token, err)
	}
	return list, nil
}

func (tx *Tx) actionsOf(token hallpass.TokenID) ([]hallpass.TokenAction, error) {
	list, err := all(tx, scanAction, `SELECT action, scope, last_us, n FROM token_actions WHERE token_id = $1 ORDER BY action, scope`, token)
	if err != nil {
		return nil, fmt.Errorf("store: actions of token %d: %w", token, err)
	}
	return list, nil
}

func scanDay(r row) (d hallpass.TokenDay, err error) {
	var day int64
	err = r.Scan(&day, &d.OK, &d.Denied, &d.Failed, &d.Refused, &d.Limited)
	d.Day = fromMicros(day)
	return d, err
}

const placeColumns = `p.address, p.agent, p.method, p.route, p.status, p.first_us, p.last_us, p.n`

func scanPlace(r row) (p hallpass.TokenPlace, err error) { return p, scanPlaceOf(r, &p) }

func scanPlaceOf(r row, p *hallpass.TokenPlace, more ...any) error {
	var first, last int64
	err := r.Scan(append([]any{&p.Address, &p.UserAgent, &p.Route.Method, &p.Route.Pattern, &p.Status, &first, &last, &p.Count}, more...)...)
	p.First, p.Last = fromMicros(first), fromMicros(last)
	return err
}

func scanAction(r row) (a hallpass.TokenAction, err error) {
	var last int64
	err = r.Scan(&a.Action, &a.Scope, &last, &a.Count)
	a.Last = fromMicros(last)
	return a, err
}

// TokenDays returns the days of all tokens of the account from since on, oldest first.
func (tx *Tx) TokenDays(org hallpass.OrgID, account hallpass.ServiceAccountID, since time.Time) (map[hallpass.TokenID][]hallpass.TokenDay, error) {
	days := make(map[hallpass.TokenID][]hallpass.TokenDay)
	_, err := all(tx, func(r row) (none struct{}, err error) {
		var token hallpass.TokenID
		var day int64
		var d hallpass.TokenDay
		err = r.Scan(&token, &day, &d.OK, &d.Denied, &d.Failed, &d.Refused, &d.Limited)
		d.Day = fromMicros(day)
		days[token] = append(days[token], d)
		return none, err
	}, `
		SELECT d.token_id, d.day_us, d.ok, d.denied, d.failed, d.refused, d.limited
		FROM   tokens t JOIN token_days d ON d.token_id = t.id
		WHERE  t.service_account_id = $1 AND d.day_us >= $2 AND t.org_id = $3 ORDER BY d.token_id, d.day_us`, account, micros(since), org)
	if err != nil {
		return nil, fmt.Errorf("store: days of the tokens of service account %d: %w", account, err)
	}
	return days, nil
}

// AccountActions returns what tokens of the account were used for since that time,
// with those that are deleted, by action and scope.
func (tx *Tx) AccountActions(account hallpass.ServiceAccountID, since time.Time) ([]hallpass.TokenAction, error) {
	list, err := all(tx, scanAction, `
		SELECT action, scope, MAX(last_us), CAST(SUM(n) AS BIGINT) FROM (
			SELECT a.action, a.scope, a.last_us, a.n FROM tokens t JOIN token_actions a ON a.token_id = t.id WHERE t.service_account_id = $1
			UNION ALL
			SELECT action, scope, last_us, n FROM account_actions WHERE account_id = $1
		) AS used WHERE last_us >= $2 GROUP BY action, scope ORDER BY action, scope`, account, micros(since))
	if err != nil {
		return nil, fmt.Errorf("store: actions of service account %d: %w", account, err)
	}
	return list, nil
}

// A TokenClient is a place of a token.
type TokenClient struct {
	Token hallpass.TokenID
	hallpass.TokenPlace
}

// TokenClients returns the places from where tokens of the account were used since
// that time, the latest first.
func (tx *Tx) TokenClients(account hallpass.ServiceAccountID, since time.Time) ([]TokenClient, error) {
	list, err := all(tx, func(r row) (c TokenClient, err error) { return c, scanPlaceOf(r, &c.TokenPlace, &c.Token) }, `
		SELECT `+placeColumns+`, t.id FROM tokens t JOIN token_places p ON p.token_id = t.id
		WHERE  t.service_account_id = $1 AND p.last_us >= $2 ORDER BY p.last_us DESC, t.id, p.address, p.agent`, account, micros(since))
	if err != nil {
		return nil, fmt.Errorf("store: clients of service account %d: %w", account, err)
	}
	return list, nil
}

// A TokenDid is an action of a token.
type TokenDid struct {
	Token hallpass.TokenID
	hallpass.TokenAction
}

// TokenActions returns what each of the account's tokens was used for since that time,
// by token, action and scope.
func (tx *Tx) TokenActions(account hallpass.ServiceAccountID, since time.Time) ([]TokenDid, error) {
	list, err := all(tx, func(r row) (d TokenDid, err error) {
		var last int64
		err = r.Scan(&d.Token, &d.Action, &d.Scope, &last, &d.Count)
		d.Last = fromMicros(last)
		return d, err
	}, `
		SELECT t.id, a.action, a.scope, a.last_us, a.n FROM tokens t JOIN token_actions a ON a.token_id = t.id
		WHERE  t.service_account_id = $1 AND a.last_us >= $2 ORDER BY t.id, a.action, a.scope`, account, micros(since))
	if err != nil {
		return nil, fmt.Errorf("store: actions of the tokens of service account %d: %w", account, err)
	}
	return list, nil
}

// BeginTokenUsage notes that usage of tokens is recorded from now on, unless it was
// before.
func (db *DB) BeginTokenUsage(ctx context.Context, now time.Time) error {
	err := db.writeUnordered(ctx, func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO usage_begin (id, at_us) VALUES (1, $1) ON CONFLICT (id) DO NOTHING`, micros(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: begin to record usage: %w", err)
	}
	return nil
}

// UsageBegan returns since when usage of tokens is recorded; zero: it is not yet.
func (tx *Tx) UsageBegan() (time.Time, error) {
	var us int64
	err := tx.sql.QueryRow(`SELECT at_us FROM usage_begin WHERE id = 1`).Scan(&us)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("store: begin of usage: %w", err)
	}
	return fromMicros(us), nil
}

// DeleteTokenDays deletes the days before that time.
func (db *DB) DeleteTokenDays(ctx context.Context, before time.Time) error {
	err := db.writeUnordered(ctx, func(tx *Tx) error {
		return tx.steps("delete old days", do(`DELETE FROM token_days WHERE day_us < $1`, micros(before)), do(`DELETE FROM account_days WHERE day_us < $1`, micros(before)))
	})
	if err != nil {
		return fmt.Errorf("store: delete days of tokens: %w", err)
	}
	return nil
}
