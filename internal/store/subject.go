package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A JournalEntry is one line of the journal.
type JournalEntry struct {
	Version hallpass.Version    `json:"v"`
	Digest  string              `json:"digest"` // of the history up to Version, hex
	Kind    hallpass.ChangeKind `json:"kind"`
	ID      int64               `json:"id"`
	Hash    string              `json:"hash,omitempty"` // the first half of a token's or session's hash, hex
	Subject SubjectState        `json:"outcome"`
	At      time.Time           `json:"at"`
}

func newJournalEntry(r ChangeRow, s SubjectState) JournalEntry {
	e := JournalEntry{Version: r.Version, Digest: hex.EncodeToString(r.Digest[:]), Kind: r.Change.Kind, ID: r.Change.ID, Subject: s, At: time.Now().UTC()}
	if r.Change.Hash != [32]byte{} {
		e.Hash = hex.EncodeToString(r.Change.Hash[:16])
	}
	return e
}

// Open reports whether the entry tells that its subject changed, and not how, or
// is of a kind that this version does not know: a person must look at it.
func (e JournalEntry) Open() bool { return e.Subject.Open || subjects[e.Kind].state == nil }

// A SubjectState is what had become of a change's subject. Zero values give the
// least, save EndsAt.
type SubjectState struct {
	Ended       bool              `json:"ended,omitempty"` // gone, revoked or disabled
	EndsAt      time.Time         `json:"endsAt,omitzero"` // when a token ends that has not ended; zero: never, or not known
	Role        string            `json:"role,omitempty"`
	ServerAdmin bool              `json:"serverAdmin,omitempty"`
	Password    string            `json:"password,omitempty"` // a mark of its hash: only to tell one from another
	Members     map[string]string `json:"members,omitempty"`  // role by org
	Guard       string            `json:"guard,omitempty"`    // a mark of what a guard lets through: only to tell one from another
	Paused      bool              `json:"paused,omitempty"`   // a token that has not ended
	PausedUntil time.Time         `json:"pausedUntil,omitzero"`
	Limits      string            `json:"limits,omitempty"` // a mark of what makes a token narrower than its account; empty: nothing does
	Open        bool              `json:"open,omitempty"`   // that permissions changed is known, and not how
}

// A subject is what a kind of change is about: how to learn what became of it,
// and how to make that true again in a database that came back older. The zero
// subject is of a kind of which only that it changed is known, not how.
type subject struct {
	counter string       // that numbers the subjects
	unread  SubjectState // to be taken for the state of one that changed when the database does not tell it any more
	state   func(tx *Tx, id int64) (SubjectState, error)
	again   func(tx *Tx, id int64, was, now SubjectState, us int64) ([]step, error) // to make true what was; none when it is
}

// subjects has a line for each kind of change. A kind that is not here was
// written by a newer version, and nothing is known of its subjects.
var subjects = map[hallpass.ChangeKind]subject{
	hallpass.TokenChanged:          {"token", hasEnded, (*Tx).tokenState, againToken},
	hallpass.SessionChanged:        {"session", hasEnded, (*Tx).sessionState, againSession},
	hallpass.OrgChanged:            {"org", notTold, (*Tx).orgState, (*Tx).againOrg},
	hallpass.ServiceAccountChanged: {"principal", notTold, (*Tx).serviceAccountState, (*Tx).againServiceAccount},
	hallpass.UserChanged:           {"principal", notTold, (*Tx).userState, againUser},
	hallpass.GuardChanged:          {"guard", hasEnded, (*Tx).guardState, againGuard},
	hallpass.PermissionsChanged:    {unread: notTold},
	hallpass.ChangedByHand:         {unread: notTold},
}

// What to take for the state of a subject that the database does not tell. A token, a
// session and a guard are taken to have ended: that stops nothing else, and somebody
// can make or enable another. Of accounts, users and orgs a person must decide.
var (
	hasEnded = SubjectState{Ended: true}
	notTold  = SubjectState{Open: true}
)

// subjectState reads what became of the subject of a change, for the journal.
func (tx *Tx) subjectState(c hallpass.Change) (SubjectState, error) {
	read := subjects[c.Kind].state
	if read == nil {
		return SubjectState{Open: true}, nil
	}
	s, err := read(tx, c.ID)
	if err != nil {
		return s, fmt.Errorf("store: what became of %s %d: %w", c.Kind, c.ID, err)
	}
	return s, nil
}

// unread is what is taken for the state of the change's subject when the database
// does not tell it.
func unread(c hallpass.Change) SubjectState {
	if s, known := subjects[c.Kind]; known {
		return s.unread
	}
	return notTold
}

// again returns the steps that make an entry true again, none when it is.
func (tx *Tx) again(e JournalEntry, at time.Time) ([]step, error) {
	if e.Open() {
		return nil, nil
	}
	now, err := tx.subjectState(hallpass.Change{Kind: e.Kind, ID: e.ID})
	if err != nil {
		return nil, err
	}
	steps, err := subjects[e.Kind].again(tx, e.ID, e.Subject, now, micros(at))
	if err != nil {
		return nil, fmt.Errorf("store: what to make of %s %d again: %w", e.Kind, e.ID, err)
	}
	return steps, nil
}

func (tx *Tx) tokenState(id int64) (s SubjectState, err error) {
	list, err := all(tx, scanToken, `SELECT `+tokenColumns+` FROM tokens t WHERE t.id = $1 AND t.revoked_us = 0`, id)
	if err != nil {
		return s, err
	}
	if len(list) == 0 {
		return hasEnded, nil
	}
	t := list[0]
	s.EndsAt, s.Paused, s.PausedUntil = t.EndsAt(), !t.Pause.Since.IsZero(), t.Pause.Until
	s.Limits, err = limitsMark(t)
	return s, err
}

// limitsMark tells tokens apart that are not narrower than their account in the same
// way; empty: the token is not narrower.
func limitsMark(t hallpass.Token) (string, error) {
	l := t.Limits
	if !l.Ceiling() && len(l.Networks) == 0 && l.Rate == (hallpass.RateLimit{}) {
		return "", nil
	}
	columns, err := powerOf(hallpass.Token{Limits: l})
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", columns))
	return hex.EncodeToString(sum[:16]), err
}

// againToken ends the token, or lets it end no later than it was to, and has it wait
// if it waited. One that was narrower in another way waits until somebody has looked.
func againToken(_ *Tx, id int64, was, now SubjectState, us int64) (steps []step, err error) {
	switch {
	case now.Ended:
		return nil, nil
	case was.Ended:
		return []step{do(`UPDATE tokens SET revoked_us = $2 WHERE id = $1`, id, us)}, nil
	case !was.EndsAt.IsZero() && (now.EndsAt.IsZero() || was.EndsAt.Before(now.EndsAt)):
		steps = append(steps, do(`UPDATE tokens SET expires_us = $2 WHERE id = $1`, id, micros(was.EndsAt)))
	}
	pause := func(until time.Time, reason string) {
		steps = append(steps, do(`UPDATE tokens SET paused_us = $2, paused_until_us = $3, pause_reason = $4 WHERE id = $1`, id, us, micros(until), reason))
	}
	switch {
	case was.Limits != "" && was.Limits != now.Limits && (!now.Paused || !now.PausedUntil.IsZero()):
		pause(time.Time{}, "the database came back older, and the token had other limits")
	case was.Paused && (!now.Paused || !now.PausedUntil.IsZero() && (was.PausedUntil.IsZero() || now.PausedUntil.Before(was.PausedUntil))):
		pause(was.PausedUntil, "the database came back older, and the token was paused")
	}
	return steps, nil
}

func (tx *Tx) sessionState(id int64) (s SubjectState, err error) {
	return s, tx.sql.QueryRow(`SELECT COUNT(*) = 0 FROM sessions WHERE id = $1`, id).Scan(&s.Ended)
}

func againSession(_ *Tx, id int64, was, now SubjectState, _ int64) ([]step, error) {
	if !was.Ended || now.Ended {
		return nil, nil
	}
	return []step{do(`DELETE FROM sessions WHERE id = $1`, id)}, nil
}

func (tx *Tx) orgState(id int64) (s SubjectState, err error) {
	return s, tx.sql.QueryRow(`SELECT COUNT(*) = 0 FROM orgs WHERE id = $1`, id).Scan(&s.Ended)
}

// againOrg leaves nobody in the org who may act there, and no guard that lets
// anybody through.
func (tx *Tx) againOrg(id int64, was, _ SubjectState, us int64) (steps []step, err error) {
	if !was.Ended {
		return nil, nil
	}
	var accounts, members, guards bool
	err = tx.sql.QueryRow(`
		SELECT EXISTS (SELECT 1 FROM service_accounts WHERE org_id = $1 AND disabled = FALSE), EXISTS (SELECT 1 FROM members WHERE org_id = $1),
		       EXISTS (SELECT 1 FROM guards WHERE org_id = $1 AND suspended = '')`, id).
		Scan(&accounts, &members, &guards)
	if err != nil {
		return nil, err
	}
	if accounts {
		steps = append(steps, do(`UPDATE service_accounts SET disabled = TRUE, updated_us = $2 WHERE org_id = $1 AND disabled = FALSE`, id, us))
	}
	if members {
		steps = append(steps, do(`DELETE FROM members WHERE org_id = $1`, id))
	}
	if guards {
		steps = append(steps, do(`UPDATE guards SET suspended = $2, version = version + 1, updated_us = $3 WHERE org_id = $1 AND suspended = ''`, id, hallpass.SuspendedOlder, us))
	}
	return steps, nil
}

func (tx *Tx) serviceAccountState(id int64) (s SubjectState, err error) {
	return s, tx.sql.QueryRow(`
		SELECT COUNT(*) = 0, COALESCE(MAX(role), 'None') FROM service_accounts WHERE id = $1 AND disabled = FALSE`, id).Scan(&s.Ended, &s.Role)
}

// againServiceAccount disables the account, or cuts its role, whether it is enabled
// or not.
func (tx *Tx) againServiceAccount(id int64, was, now SubjectState, us int64) ([]step, error) {
	if was.Ended {
		if now.Ended {
			return nil, nil
		}
		return []step{do(`UPDATE service_accounts SET disabled = TRUE, updated_us = $2 WHERE id = $1`, id, us)}, nil
	}
	var role string
	err := tx.sql.QueryRow(`SELECT COALESCE(MAX(role), 'None') FROM service_accounts WHERE id = $1`, id).Scan(&role)
	if err != nil || !wider(role, was.Role) {
		return nil, err
	}
	return []step{do(`UPDATE service_accounts SET role = $2, updated_us = $3 WHERE id = $1`, id, was.Role, us)}, nil
}

func (tx *Tx) userState(id int64) (s SubjectState, err error) {
	var hash string
	err = tx.sql.QueryRow(`
		SELECT COUNT(*) = 0, COALESCE(MAX(CASE WHEN server_admin = TRUE THEN 1 ELSE 0 END), 0) = 1, COALESCE(MAX(password_hash), '')
		FROM   users WHERE id = $1 AND disabled = FALSE`, id).Scan(&s.Ended, &s.ServerAdmin, &hash)
	if err != nil {
		return s, err
	}
	if !s.Ended {
		s.Password = passwordMark(hash)
	}
	type member struct {
		org  int64
		role string
	}
	members, err := all(tx, func(r row) (m member, err error) {
		err = r.Scan(&m.org, &m.role)
		return m, err
	}, `SELECT org_id, role FROM members WHERE user_id = $1 ORDER BY org_id`, id)
	if err != nil {
		return s, err
	}
	s.Members = make(map[string]string, len(members))
	for _, m := range members {
		s.Members[strconv.FormatInt(m.org, 10)] = m.role
	}
	return s, nil
}

// againUser takes from an enabled user all that the user had not.
func againUser(_ *Tx, id int64, was, now SubjectState, us int64) (steps []step, err error) {
	if now.Ended {
		return nil, nil
	}
	sessions := do(`DELETE FROM sessions WHERE user_id = $1`, id)
	if was.Ended {
		return []step{do(`UPDATE users SET disabled = TRUE, updated_us = $2 WHERE id = $1`, id, us), sessions}, nil
	}
	if now.Password != was.Password && now.Password != passwordMark("") { // the old password was ended, and the new one is not known here
		steps = append(steps, do(`UPDATE users SET password_hash = '', updated_us = $2 WHERE id = $1`, id, us), sessions)
	}
	if now.ServerAdmin && !was.ServerAdmin {
		steps = append(steps, do(`UPDATE users SET server_admin = FALSE, updated_us = $2 WHERE id = $1`, id, us))
	}
	for org, role := range now.Members {
		number, err := strconv.ParseInt(org, 10, 64)
		if err != nil {
			return nil, err
		}
		switch before, member := was.Members[org]; {
		case !member:
			steps = append(steps, do(`DELETE FROM members WHERE org_id = $1 AND user_id = $2`, number, id))
		case wider(role, before):
			steps = append(steps, do(`UPDATE members SET role = $3 WHERE org_id = $1 AND user_id = $2`, number, id, before))
		}
	}
	return steps, nil
}

// wider reports whether role a gives more than b.
func wider(a, b string) bool {
	ra, okA := hallpass.ParseRole(a)
	rb, okB := hallpass.ParseRole(b)
	return okA && okB && ra > rb
}

// passwordMark tells one password hash from another and gives nothing away: the
// hash holds a random salt.
func passwordMark(hash string) string {
	sum := sha256.Sum256([]byte("journal:" + hash))
	return hex.EncodeToString(sum[:8])
}
