package console

import (
	"slices"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// tokenGroup is a part of the table of tokens: a token and the one that it replaces, or
// those that stand alone.
type tokenGroup struct {
	Pair   pairHead // without a Title: they stand alone
	Tokens []tokenRow
}

// pairHead says of two tokens, one of which replaces the other, whether the old one can
// go.
type pairHead struct {
	ID     hallpass.TokenID // the old token's
	Name   string
	Safe   bool
	Late   bool   // the old token has ended, and somebody still tries it
	Broken string // why the new token does not work: newEnded or newPaused; empty: it does
	Title  string
	Text   string
	OldURL string // what ends the old token, and what gives it more time, lies under it
	NewURL string // what takes the rotation back lies under it
	Write  bool
	Held   string // why the new token cannot be changed, although the viewer might; empty: it can
}

// Why the new token of a pair does not work.
const newEnded, newPaused = "ended", "paused"

// tokenGroups groups the tokens: the pairs first, the newer token of each before the older. The
// tokens of a chain that was rotated several times stand in one block, the newest first.
// A pair whose old token somebody tries after its end is one too.
func (req *request) tokenGroups(a accountRow, tokens []hallpass.Token) ([]tokenGroup, error) {
	var groups []tokenGroup
	var alone tokenGroup
	now := req.o.Admin.Now()
	late, err := req.late(tokens)
	if err != nil {
		return nil, err
	}
	paired := func(old, next hallpass.Token) bool {
		_, tried := late[old.ID]
		return old.Rotating(next, now) || tried && old.Rotation.Successor == next.ID && next.Live(now)
	}
	oldOf := func(next hallpass.Token) int {
		return slices.IndexFunc(tokens, func(old hallpass.Token) bool { return paired(old, next) })
	}
	for _, t := range tokens {
		if slices.ContainsFunc(tokens, func(next hallpass.Token) bool { return paired(t, next) }) {
			continue // it stands below the newest token of its chain
		}
		before := oldOf(t)
		if before < 0 {
			alone.Tokens = append(alone.Tokens, req.tokenRow(a, t))
			continue
		}
		group := req.pairOf(a, tokens[before], t, late)
		for older := oldOf(tokens[before]); older >= 0; older = oldOf(tokens[older]) {
			group.addOlder(req.pairOf(a, tokens[older], t, late))
		}
		groups = append(groups, group)
	}
	if len(alone.Tokens) > 0 {
		groups = append(groups, alone)
	}
	return groups, nil
}

// pairOf is the block of a token and the one that it replaces: one that works, or one that
// has ended and is in late.
func (req *request) pairOf(a accountRow, old, next hallpass.Token, late map[hallpass.TokenID]hallpass.AttentionRow) tokenGroup {
	if try, is := late[old.ID]; is {
		return req.latePair(a, old, next, try)
	}
	return req.pair(a, old, next)
}

// addOlder adds the old token of a pair with the same new one, from earlier in the chain,
// and what is told about it if somebody tries it in vain.
func (g *tokenGroup) addOlder(pair tokenGroup) {
	old := pair.Tokens[1]
	g.Tokens = append(g.Tokens, old)
	if pair.Pair.Late {
		g.Pair.Text += " Generation " + strconv.Itoa(old.Generation) + ": " + lowerFirst(pair.Pair.Text)
	}
}

// late returns the tries of those of the tokens that others have replaced, and that have
// ended.
func (req *request) late(tokens []hallpass.Token) (map[hallpass.TokenID]hallpass.AttentionRow, error) {
	replaced := slices.DeleteFunc(slices.Clone(tokens), func(t hallpass.Token) bool {
		return t.Rotation.Successor == 0 || t.Live(req.o.Admin.Now())
	})
	if len(replaced) == 0 {
		return nil, nil
	}
	tried, err := req.o.Admin.Tried(req.Context(), req.caller)
	if err != nil {
		return nil, err
	}
	late := make(map[hallpass.TokenID]hallpass.AttentionRow)
	for _, t := range replaced {
		if try, is := tried[t.ID]; is {
			late[t.ID] = try
		}
	}
	return late, nil
}

// latePair is the block of a token and the one that it has replaced, which somebody still
// tries.
func (req *request) latePair(a accountRow, old, next hallpass.Token, try hallpass.AttentionRow) tokenGroup {
	rows := []tokenRow{req.tokenRow(a, next), req.tokenRow(a, old)}
	rows[0].Part, rows[1].Part = "New", "Old"
	words := "The old secret is still tried by " + try.From.Address + " with " + client(try.From.UserAgent) + ": " + hallpass.Counted(int(try.Count), "time") + " within the hour, last " + req.timestamp(try.Last).Relative()
	return tokenGroup{pairHead{
		ID: old.ID, Name: old.Name, Late: true, Title: "Replaced, and still tried", Text: words + ". It is refused. " + refusals["api-key.rotated"].advice,
		OldURL: rows[1].URL, NewURL: rows[0].URL, Write: a.Write, Held: rows[0].Held(),
	}, rows}
}

// pair is the block of a token and the one that it replaces.
func (req *request) pair(a accountRow, old, next hallpass.Token) tokenGroup {
	rows := []tokenRow{req.tokenRow(a, next), req.tokenRow(a, old)}
	rows[0].Part, rows[1].Part = "New", "Old"
	h := pairHead{ID: old.ID, Name: old.Name, OldURL: rows[1].URL, NewURL: rows[0].URL, Write: a.Write, Held: rows[0].Held()}
	quiet := old.Rotation.Quiet
	used := old.LastUse.At
	since := old.Rotation.At
	if used.After(since) {
		since = used
	}
	now := req.o.Admin.Now()
	idle := now.Sub(since)
	switch {
	case !next.Live(now):
		h.Broken, h.Title, h.Text = newEnded, "The new token has ended", "It ended before the old one: nothing replaces that. Undo the rotation to keep the old one as it was, or rotate it again."
	case next.Pause.Holds(now):
		h.Broken, h.Title, h.Text = newPaused, "Not safe to retire", "The new secret is "+req.pauseWords(next.Pause)+": without the old one nothing would work."
	case next.LastUse.At.IsZero():
		h.Title, h.Text = "Not safe to retire yet", "Nobody has used the new secret."
	case !used.After(old.Rotation.At):
		h.Safe, h.Title, h.Text = true, "Safe to retire", "Nobody has used the old secret since the rotation."
	case idle < max(quiet, time.Minute):
		h.Title, h.Text = "Not safe to retire yet", "The old secret was used "+req.useText(old)+"."
	default:
		h.Safe, h.Title, h.Text = true, "Safe to retire", "The old secret was last used "+req.useText(old)+"."
	}
	rows[1].ByQuiet = h.Broken == ""
	h.Text += " " + req.closing(old, h.Broken != "")
	return tokenGroup{h, rows}
}

// closing says when the old token of a pair ends by itself; at its latest end if the new
// one does not work.
func (req *request) closing(old hallpass.Token, broken bool) string {
	if broken {
		return "The old one ends on " + req.timestamp(old.EndsAt()).Date() + "."
	}
	when := "The old one ends by itself when the new one is used"
	if q := old.Rotation.Quiet; q > 0 {
		when = "The old one ends by itself after " + secondsText(int64(q/time.Second)) + " without use"
	}
	if end := old.EndsAt(); !end.IsZero() {
		when += ", at the latest on " + req.timestamp(end).Date()
	}
	return when + "."
}
