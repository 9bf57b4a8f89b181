package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// powerNames are the columns of a token that say whether and for what it may be
// used, beside its times: a verification reads them. powerColumns are the same of
// the table t.
const (
	powerNames   = `ended, paused_us, paused_until_us, pause_reason, read_only, max_role, ceiling, networks, rate_n, rate_s, rate_burst`
	powerColumns = `t.ended, t.paused_us, t.paused_until_us, t.pause_reason, t.read_only, t.max_role, t.ceiling, t.networks, t.rate_n, t.rate_s, t.rate_burst`
)

// storedPower is where those columns are scanned to.
type storedPower struct {
	token                      *hallpass.Token
	paused, until, rate, burst int64
	every                      int64
	maxRole, ceiling, networks string
}

func (p *storedPower) columns() []any {
	t := p.token
	return []any{&t.Ended, &p.paused, &p.until, &t.Pause.Reason, &t.Limits.ReadOnly, &p.maxRole, &p.ceiling, &p.networks, &p.rate, &p.every, &p.burst}
}

// read gives the token what was scanned. What this program cannot read is an error:
// without it the token might be good for more than it is.
func (p *storedPower) read() error {
	t, l := p.token, &p.token.Limits
	t.Pause.Since, t.Pause.Until = fromMicros(p.paused), fromMicros(p.until)
	l.Rate = hallpass.RateLimit{Requests: int(p.rate), Every: time.Duration(p.every) * time.Second, Burst: int(p.burst)}
	if p.maxRole != "" {
		role, err := roleOf(p.maxRole)
		if err != nil {
			return err
		}
		l.MaxRole = &role
	}
	if p.ceiling != "" {
		var list []storedPermission
		if err := json.Unmarshal([]byte(p.ceiling), &list); err != nil {
			return fmt.Errorf("store: permissions of token %d: %w", t.ID, err)
		}
		l.Permissions = make([]hallpass.Permission, len(list))
		for i, s := range list {
			l.Permissions[i] = hallpass.Permission(s)
		}
	}
	if p.networks == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(p.networks), &l.Networks); err != nil {
		return fmt.Errorf("store: networks of token %d: %w", t.ID, err)
	}
	return nil
}

// storedPermission is a permission as the column ceiling has it.
type storedPermission struct {
	Action hallpass.Action `json:"action"`
	Scope  hallpass.Scope  `json:"scope,omitempty"`
}

// powerOf returns what the columns powerNames hold for the token.
func powerOf(t hallpass.Token) ([]any, error) {
	l := t.Limits
	var maxRole, ceiling, networks string
	if l.MaxRole != nil {
		maxRole = l.MaxRole.String()
	}
	if l.Permissions != nil {
		list := make([]storedPermission, len(l.Permissions))
		for i, p := range l.Permissions {
			list[i] = storedPermission(p)
		}
		var err error
		if ceiling, err = encodeJSON(list); err != nil {
			return nil, err
		}
	}
	if len(l.Networks) > 0 {
		var err error
		if networks, err = encodeJSON(l.Networks); err != nil {
			return nil, err
		}
	}
	return []any{
		t.Ended, micros(t.Pause.Since), micros(t.Pause.Until), t.Pause.Reason, l.ReadOnly, maxRole, ceiling, networks,
		l.Rate.Requests, int64(l.Rate.Every / time.Second), l.Rate.Burst,
	}, nil
}
