package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/verify"
	"github.com/hallpass-dev/hallpass/wire"
)

// tokens is GET /api/serviceaccounts/{id}/tokens.
func (a *API) tokens(c call, _ none) ([]wire.Token, error) {
	list, disabled, err := a.admin.Tokens(c.Context(), c.caller, c.account)
	if err != nil {
		return nil, err
	}
	a.verify.Uses(list)
	now := a.admin.Now()
	out := make([]wire.Token, 0, len(list))
	for _, t := range list {
		row := wire.Token{
			ID: int64(t.ID), Name: t.Name, Created: t.CreatedAt, LastUsedAt: timeOrNil(t.LastUse.At), Expiration: timeOrNil(t.ExpiresAt),
			SecondsUntilExpiration: t.UntilExpiry(now).Seconds(), HasExpired: t.Expired(now), IsRevoked: !t.RevokedAt.IsZero(), LastFour: t.LastFour,
			State: string(t.State(now, disabled)),
		}
		if !t.LastUse.At.IsZero() {
			row.LastUsedAddress, row.LastUsedUserAgent = &t.LastUse.Address, &t.LastUse.UserAgent
		}
		out = append(out, row)
	}
	return out, nil
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// createToken is POST /api/serviceaccounts/{id}/tokens.
func (a *API) createToken(c call, in wire.CreateToken) (wire.NewToken, error) {
	t, text, err := a.admin.CreateToken(c.Context(), c.caller, c.account, in.Name, in.SecondsToLive)
	if err != nil {
		return wire.NewToken{}, err
	}
	return wire.NewToken{ID: int64(t.ID), Name: t.Name, Key: text.Reveal()}, nil
}

// deleteToken is DELETE /api/serviceaccounts/{id}/tokens/{token}.
func (a *API) deleteToken(c call, _ none) (wire.Message, error) {
	id, err := tokenID(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Service account token deleted"}, a.admin.DeleteToken(c.Context(), c.caller, c.account, id)
}

func tokenID(c call) (hallpass.TokenID, error) {
	n, ok := hallpass.ParseID(c.PathValue("token"))
	if !ok {
		return 0, &hallpass.Error{Kind: hallpass.Invalid, ID: "serviceaccounts.ErrInvalidTokenId", Message: "Token ID is invalid"}
	}
	return hallpass.TokenID(n), nil
}

// How long a stream of events lasts before the client must come again, and how
// often it shows that it lives.
const (
	streamFor   = 5 * time.Minute
	streamPulse = 15 * time.Second
)

// tokenEvents is GET /api/serviceaccounts/{id}/tokens/{token}/events?since=: a
// stream of server-sent events, from a first use after since on.
func (a *API) tokenEvents(l *lasting, c call) error {
	id, err := tokenID(c)
	if err != nil {
		return err
	}
	var since time.Time
	if s := c.URL.Query().Get("since"); s != "" {
		if since, err = time.Parse(time.RFC3339, s); err != nil {
			return hallpass.Invalidf("since", "since is not a time in RFC 3339")
		}
	}
	events, end := a.verify.Watch(id) // before the token is read, so that nothing falls between
	defer end()
	t, err := a.admin.Token(c.Context(), c.caller, c.account, id)
	if err != nil {
		return err
	}
	one := []hallpass.Token{t}
	a.verify.Uses(one)

	l.Header().Set("Content-Type", "text/event-stream")
	l.Header().Set("X-Accel-Buffering", "no")
	if u := one[0].LastUse; !u.At.IsZero() && !u.At.Before(since) {
		err = sendEvent(l, verify.Event{Kind: verify.EventFirstUse, At: u.At, Address: u.Address, UserAgent: u.UserAgent})
	} else {
		_, err = l.Write([]byte(": waiting\n\n"))
	}
	if errors.Is(err, hallpass.Unauthenticated) {
		return err // ended before it began
	}
	pulse := time.NewTicker(streamPulse)
	defer pulse.Stop()
	over := time.NewTimer(streamFor)
	defer over.Stop()
	for err == nil {
		select {
		case e := <-events:
			err = sendEvent(l, e)
		case <-pulse.C:
			_, err = l.Write([]byte(": pulse\n\n"))
		case <-l.listener.Ended():
			return nil
		case <-over.C:
			return nil
		case <-a.stop:
			return nil
		case <-c.Context().Done():
			return nil
		}
	}
	return nil // the client is gone, or may not be told more
}

// sendEvent writes e as a server-sent event.
func sendEvent(w io.Writer, e verify.Event) error {
	b, err := json.Marshal(wire.TokenEvent{Kind: string(e.Kind), At: e.At, Address: e.Address, UserAgent: e.UserAgent, Reason: e.Reason})
	if err == nil {
		_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.Kind, b)
	}
	return err
}
