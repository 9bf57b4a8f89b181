package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/verify"
	"github.com/hallpass-dev/hallpass/wire"
)

// tokens is GET /api/serviceaccounts/{id}/tokens: the whole list, or the part that
// ?page&perpage&query&state ask for. A header has the count over all pages, so the body
// is a plain list in both cases.
func (a *API) tokens(c call, _ none) ([]wire.Token, error) {
	f, err := tokenFilter(c)
	if err != nil {
		return nil, err
	}
	p, err := a.admin.TokenPage(c.Context(), c.caller, c.account, f)
	if err != nil {
		return nil, err
	}
	c.answer.Set("X-Total-Count", strconv.Itoa(p.Total))
	if err := a.lastUses(c, p.Tokens); err != nil {
		return nil, err
	}
	now := a.admin.Now()
	out := make([]wire.Token, 0, len(p.Tokens))
	for _, t := range p.Tokens {
		out = append(out, tokenRow(t, p.Account, now))
	}
	return out, nil
}

func tokenFilter(c call) (f admin.TokenFilter, err error) {
	if f.Query, err = searchText(c); err != nil {
		return f, err
	}
	f.State = hallpass.TokenState(query(c, "state"))
	if query(c, "page") != "" || query(c, "perpage") != "" {
		f.Page, err = page(c, "perpage", maxPerPage)
	}
	return f, err
}

// listed returns the words with commas between them.
func listed[T ~string](words []T) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(words), " ", ", "), "[]")
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// createToken is POST /api/serviceaccounts/{id}/tokens.
func (a *API) createToken(c call, in wire.CreateToken) (wire.NewToken, error) {
	limits, err := createdLimits(in)
	if err != nil {
		return wire.NewToken{}, err
	}
	key, err := oneKey(c)
	if err != nil {
		return wire.NewToken{}, err
	}
	made, err := a.admin.CreateToken(c.Context(), c.caller, c.account, admin.NewToken{
		Name: in.Name, Seconds: in.SecondsToLive, Owner: in.Owner, Purpose: in.Purpose, Limits: limits,
		SelfRotate: in.SelfRotate, RenewUntil: timeOrZero(in.RenewUntil), Key: key,
	})
	if err != nil {
		return wire.NewToken{}, a.tokenError(c, err)
	}
	return wire.NewToken{ID: int64(made.Token.ID), Name: made.Token.Name, Key: made.Secret.Reveal(), Replayed: made.Replayed}, nil
}

// updateToken is PATCH /api/serviceaccounts/{id}/tokens/{token}.
func (a *API) updateToken(c call, in wire.UpdateToken) (wire.Token, error) {
	id, err := tokenID(c)
	if err != nil {
		return wire.Token{}, err
	}
	patch, err := tokenPatch(in)
	if err != nil {
		return wire.Token{}, err
	}
	t, err := a.admin.UpdateToken(c.Context(), c.caller, c.account, id, patch)
	row, err := a.changedToken(c, t, err)
	if err == nil && patch.Networks != nil {
		row.Warnings, err = a.admin.NetworkWarnings(c.Context(), c.caller, t)
	}
	return row, err
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

// Times of a stream of events.
const (
	streamLifetime = 5 * time.Minute  // then the stream ends, and the client connects again
	keepAliveEvery = 15 * time.Second // a line that is no event keeps the connection open
	pollEvery      = time.Second      // how often the database is asked for a first use on another node
)

// tokenEvents is GET /api/serviceaccounts/{id}/tokens/{token}/events?since=: a
// stream of server-sent events. A first use at since or later is sent at once.
func (a *API) tokenEvents(l *streamWriter, c call) error {
	id, err := tokenID(c)
	if err != nil {
		return err
	}
	since, err := timeParam(c, "since")
	if err != nil {
		return err
	}
	events, end := a.verify.Watch(id) // before the token is read, so that no event is missed in between
	defer end()
	t, err := a.admin.Token(c.Context(), c.caller, c.account, id)
	if err != nil {
		return err
	}
	used := func(t hallpass.Token) hallpass.Use {
		one := []hallpass.Token{t}
		a.verify.Uses(one)
		return one[0].LastUse
	}
	told := false // a use at since or later was sent
	tell := func(u hallpass.Use) error {
		if told || u.At.IsZero() || u.At.Before(since) {
			return nil
		}
		told = true
		return sendEvent(l, verify.Event{Kind: verify.EventFirstUse, At: u.At, Address: u.Address, UserAgent: u.UserAgent})
	}

	l.Header().Set("Content-Type", "text/event-stream")
	l.Header().Set("X-Accel-Buffering", "no")
	if err = tell(used(t)); err == nil && !told {
		_, err = l.Write([]byte(": waiting\n\n"))
	}
	if errors.Is(err, hallpass.Unauthenticated) {
		return err // the credential was ended before the first byte
	}
	keepAlive := time.NewTicker(keepAliveEvery)
	defer keepAlive.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	lifetime := time.NewTimer(streamLifetime)
	defer lifetime.Stop()
	for err == nil {
		select {
		case e := <-events:
			if e.Kind != verify.EventFirstUse {
				err = sendEvent(l, e)
			} else {
				err = tell(hallpass.Use{At: e.At, Address: e.Address, UserAgent: e.UserAgent})
			}
		case <-poll.C:
			if told {
				continue
			}
			if t, failed := a.admin.Token(c.Context(), c.caller, c.account, id); failed == nil { // after an error the next poll may succeed
				err = tell(used(t))
			}
		case <-keepAlive.C:
			_, err = l.Write([]byte(": pulse\n\n"))
		case <-l.listener.Ended():
			return nil
		case <-lifetime.C:
			return nil
		case <-a.stop:
			return nil
		case <-c.Context().Done():
			return nil
		}
	}
	return nil // the client is gone, or its credential was ended
}

// sendEvent writes e as a server-sent event.
func sendEvent(w io.Writer, e verify.Event) error {
	b, err := json.Marshal(wire.TokenEvent{Kind: string(e.Kind), At: e.At, Address: e.Address, UserAgent: e.UserAgent, Reason: e.Reason})
	if err == nil {
		_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.Kind, b)
	}
	return err
}
