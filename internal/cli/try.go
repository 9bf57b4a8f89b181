package cli

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

// A try is a client that presents a token which is refused.
type try struct {
	Address   string    `json:"address"`
	UserAgent string    `json:"userAgent"`
	Reason    string    `json:"reason"` // why it was refused last, as "api-key.rotated"
	Since     time.Time `json:"since"`
	Last      time.Time `json:"last"`
	Count     int64     `json:"count"`
}

// Tries are looked for so far back, in so many entries of the audit.
const (
	triesWithin = 24 * time.Hour
	maxTries    = 1000
)

// tries returns the clients that the token was refused to within a day, the latest first.
// The audit tells them. To who may not read it, what needs doing tells the latest one of the
// last hour.
func (s *session) tries(token int64) ([]try, error) {
	entries, err := s.Audit(s.ctx, client.AuditFilter{
		Action: hallpass.TokenVerify, Target: fmt.Sprint("token:", token), Outcome: string(hallpass.Refused), From: time.Now().Add(-triesWithin),
	}, maxTries)
	var answer *client.Error
	if errors.As(err, &answer) && answer.Status == http.StatusForbidden {
		return s.lastTry(token)
	}
	if err != nil {
		return nil, err
	}
	list := []try{}
	for _, e := range entries { // the newest first
		at := slices.IndexFunc(list, func(t try) bool { return t.Address == e.Address && t.UserAgent == e.UserAgent })
		if at < 0 {
			at, list = len(list), append(list, try{Address: e.Address, UserAgent: e.UserAgent, Reason: e.Reason, Last: e.Time})
		}
		list[at].Since = e.Time
		list[at].Count += e.Count
	}
	return list, nil
}

// lastTry is tries by what needs doing.
func (s *session) lastTry(token int64) ([]try, error) {
	rows, err := s.AttentionRows(s.ctx, string(hallpass.AttentionFailing), perList)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(rows, func(r wire.AttentionRow) bool { return r.TokenID == token })
	if at < 0 || rows[at].Since == nil || rows[at].Last == nil {
		return []try{}, nil
	}
	r := rows[at]
	return []try{{Address: r.Address, UserAgent: r.UserAgent, Reason: r.Reason, Since: *r.Since, Last: *r.Last, Count: r.Count}}, nil
}

// triesTable shows who is refused.
func triesTable(list []try) table {
	t := table{header: []string{"REFUSED FROM", "USER AGENT", "REASON", "SINCE", "LAST", "COUNT"}}
	for _, y := range list {
		t.rows = append(t.rows, []string{y.Address, y.UserAgent, y.Reason, timeText(&y.Since), timeText(&y.Last), number(y.Count)})
	}
	return t
}
