package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

const guardColumns = `id, org_id, name, upstream, rules, preset, path_allow, allow_preflight, jwt, managed_by, source, version, suspended, created_us, updated_us, listen, timeout_us`

// scanGuard reads a guard. One whose rules this program cannot read is suspended: a
// newer version may have written them, and nobody knows what they ask for.
// guardSelected are guardColumns, and what is stored elsewhere.
var guardSelected = guardColumns + `, ` + fileOf("guard", "guards.org_id", "guards.name")

func scanGuard(r row) (g hallpass.Guard, err error) {
	var rules, allow string
	var created, updated, timeout int64
	err = r.Scan(&g.ID, &g.Org, &g.Name, &g.Upstream, &rules, &g.Preset, &allow, &g.AllowPreflight, &g.JWT, &g.ManagedBy, &g.Source, &g.Version, &g.Suspended, &created, &updated, &g.Listen, &timeout, &g.File)
	if err != nil {
		return g, err
	}
	g.CreatedAt, g.UpdatedAt, g.Timeout = fromMicros(created), fromMicros(updated), time.Duration(timeout)*time.Microsecond
	var unreadable error
	if g.Rules, unreadable = decodeRules(rules); unreadable == nil {
		unreadable = json.Unmarshal([]byte(allow), &g.PathAllow)
	}
	if unreadable != nil {
		g.Suspended = hallpass.SuspendedUnreadable
	}
	return g, nil
}

// storedRule is a rule as the column rules has it.
type storedRule struct {
	Methods  []string          `json:"methods,omitempty"`
	Path     string            `json:"path"`
	Public   bool              `json:"public,omitempty"`
	Role     string            `json:"role,omitempty"`
	Action   string            `json:"action,omitempty"`
	Scope    string            `json:"scope,omitempty"`
	Captures map[string]string `json:"captures,omitempty"`
	Split    string            `json:"split,omitempty"`
	Set      map[string]string `json:"set,omitempty"`
}

func encodeRules(rules []hallpass.GuardRule) (string, error) {
	list := make([]storedRule, 0, len(rules))
	for _, r := range rules {
		list = append(list, storedRule(r.Written()))
	}
	return encodeJSON(list)
}

// decodeRules reads the column rules. A field that this program does not know is an
// error: without it a rule might ask for less.
func decodeRules(text string) ([]hallpass.GuardRule, error) {
	var list []storedRule
	in := json.NewDecoder(bytes.NewReader([]byte(text)))
	in.DisallowUnknownFields()
	if err := in.Decode(&list); err != nil {
		return nil, err
	}
	var g hallpass.Guard
	for _, s := range list {
		if err := g.AddRule(hallpass.WrittenRule(s)); err != nil {
			return nil, err
		}
	}
	return g.Rules, nil
}

// encodeJSON returns v as JSON in which <, > and & stand as they are.
func encodeJSON(v any) (string, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	err := out.Encode(v)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// guardLists returns the columns rules and path_allow.
func guardLists(g hallpass.Guard) (rules, allow string, err error) {
	if rules, err = encodeRules(g.Rules); err != nil {
		return "", "", err
	}
	if g.PathAllow == nil {
		return rules, "[]", nil
	}
	allow, err = encodeJSON(g.PathAllow)
	return rules, allow, err
}

var (
	errGuardNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "guard.not-found", Message: "Guard not found"}
	errGuardTaken    = &hallpass.Error{Kind: hallpass.Conflict, ID: "guard.name-taken", Message: "A guard with this name exists already on this server"}
)

// NextGuard returns the ID that CreateGuard gives next in this transaction: a change
// is declared before anything is written.
func (tx *Tx) NextGuard() (id hallpass.GuardID, err error) {
	if err = tx.sql.QueryRow(`SELECT value + 1 FROM counters WHERE name = 'guard'`).Scan(&id); err != nil {
		return 0, fmt.Errorf("store: next guard id: %w", err)
	}
	return id, nil
}

// GuardNameFree returns the Conflict of CreateGuard if a guard of any org has the name.
func (tx *Tx) GuardNameFree(name string) error {
	var taken bool
	if err := tx.sql.QueryRow(`SELECT EXISTS (SELECT 1 FROM guards WHERE name = $1)`, name).Scan(&taken); err != nil {
		return fmt.Errorf("store: guard name: %w", err)
	}
	if taken {
		return errGuardTaken
	}
	return nil
}

// CreateGuard stores a new guard and returns it with its ID. A name that a guard of
// any org has is a Conflict.
func (tx *Tx) CreateGuard(g hallpass.Guard) (hallpass.Guard, error) {
	rules, allow, err := guardLists(g)
	if err != nil {
		return g, fmt.Errorf("store: create guard: %w", err)
	}
	id, err := tx.nextID("guard")
	if err != nil {
		return g, err
	}
	g.ID = hallpass.GuardID(id)
	_, err = tx.exec(`
		INSERT INTO guards (`+guardColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		g.ID, g.Org, g.Name, g.Upstream, rules, g.Preset, allow, g.AllowPreflight, g.JWT, g.ManagedBy, g.Source, g.Version, g.Suspended, micros(g.CreatedAt), micros(g.UpdatedAt),
		g.Listen, g.Timeout.Microseconds())
	if isUnique(err) {
		return g, errGuardTaken
	}
	if err != nil {
		return g, fmt.Errorf("store: create guard: %w", err)
	}
	return g, nil
}

// UpdateGuard stores all of the guard but its name and when it was made; NotFound
// when there is none with that ID.
func (tx *Tx) UpdateGuard(g hallpass.Guard) error {
	rules, allow, err := guardLists(g)
	if err != nil {
		return fmt.Errorf("store: update guard %d: %w", g.ID, err)
	}
	n, err := tx.exec(`
		UPDATE guards
		SET    org_id = $2, upstream = $3, rules = $4, preset = $5, path_allow = $6, allow_preflight = $7, jwt = $8, managed_by = $9, source = $10,
		       version = $11, suspended = $12, updated_us = $13, listen = $14, timeout_us = $15
		WHERE  id = $1`,
		g.ID, g.Org, g.Upstream, rules, g.Preset, allow, g.AllowPreflight, g.JWT, g.ManagedBy, g.Source, g.Version, g.Suspended, micros(g.UpdatedAt),
		g.Listen, g.Timeout.Microseconds())
	if err != nil {
		return fmt.Errorf("store: update guard %d: %w", g.ID, err)
	}
	if n == 0 {
		return errGuardNotFound
	}
	return nil
}

// DeleteGuard removes the guard with its uses and answers; NotFound when org has none with that ID.
func (tx *Tx) DeleteGuard(org hallpass.OrgID, id hallpass.GuardID) error {
	n, err := tx.exec(`DELETE FROM guards WHERE org_id = $1 AND id = $2`, org, id)
	if err != nil {
		return fmt.Errorf("store: delete guard %d: %w", id, err)
	}
	if n == 0 {
		return errGuardNotFound
	}
	return tx.steps("delete guard", do(`DELETE FROM guard_usage WHERE guard_id = $1`, id), do(`DELETE FROM guard_answers WHERE guard_id = $1`, id))
}

// Guard returns the guard with that name; NotFound when org has none.
func (tx *Tx) Guard(org hallpass.OrgID, name string) (hallpass.Guard, error) {
	g, err := scanGuard(tx.sql.QueryRow(`SELECT `+guardSelected+` FROM guards WHERE org_id = $1 AND name = $2`, org, name))
	if err != nil {
		return hallpass.Guard{}, notFound(fmt.Errorf("store: guard: %w", err), errGuardNotFound.ID, fmt.Sprintf("There is no guard %q in this org", hallpass.Clean(name, hallpass.MaxName)))
	}
	return g, nil
}

// GuardsByID returns those of the org's guards that have one of the IDs, by ID.
func (tx *Tx) GuardsByID(org hallpass.OrgID, ids []hallpass.GuardID) (map[hallpass.GuardID]hallpass.Guard, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := all(tx, scanGuard, `SELECT `+guardSelected+` FROM guards WHERE org_id = $1 AND id IN `+idList(ids), org)
	if err != nil {
		return nil, fmt.Errorf("store: guards of org %d by ID: %w", org, err)
	}
	return byID(list, func(g hallpass.Guard) hallpass.GuardID { return g.ID }), nil
}

// Guards returns the org's guards whose name holds text, by name.
func (tx *Tx) Guards(org hallpass.OrgID, text string) ([]hallpass.Guard, error) {
	list, err := all(tx, scanGuard, `
		SELECT `+guardSelected+` FROM guards WHERE org_id = $1 AND name LIKE $2 ESCAPE '\' ORDER BY name`, org, contains(text))
	if err != nil {
		return nil, fmt.Errorf("store: guards: %w", err)
	}
	return list, nil
}

// AllGuards returns the guards of every org, by name.
func (tx *Tx) AllGuards() ([]hallpass.Guard, error) {
	list, err := all(tx, scanGuard, `SELECT `+guardSelected+` FROM guards ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("store: all guards: %w", err)
	}
	return list, nil
}

// guardState tells for the journal what a guard lets through, by a mark.
func (tx *Tx) guardState(id int64) (s SubjectState, err error) {
	list, err := all(tx, scanGuard, `SELECT `+guardSelected+` FROM guards WHERE id = $1`, id)
	if err != nil {
		return s, err
	}
	if s.Ended = len(list) == 0 || list[0].Suspended != ""; !s.Ended {
		s.Guard, err = guardMark(list[0])
	}
	return s, err
}

// guardMark tells guards apart that do not decide alike.
func guardMark(g hallpass.Guard) (string, error) {
	rules, allow, err := guardLists(g)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q %q %q %t %t", g.Org, g.Upstream, rules, g.Preset, allow, g.AllowPreflight, g.JWT))
	return hex.EncodeToString(sum[:16]), nil
}

// againGuard suspends a guard that was gone or is not as it was: no comparison of
// rules can say which of two guards lets through less.
func againGuard(_ *Tx, id int64, was, now SubjectState, us int64) ([]step, error) {
	if now.Ended || !was.Ended && was.Guard == now.Guard {
		return nil, nil
	}
	return []step{do(`UPDATE guards SET suspended = $2, version = version + 1, updated_us = $3 WHERE id = $1`, id, hallpass.SuspendedOlder, us)}, nil
}
